"""``presskeep backfill``: the articles of some days, from everything that still names them."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from shutil import copyfile as copy_file
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, existing_archive, explained, fail, json_option, load_sources, table
from crawler.commands.run import Span

if TYPE_CHECKING:
    from crawler.backfill import Backfill
    from crawler.budget import Budget
    from crawler.days import Days
    from crawler.plan import Plan
    from crawler.sources import Source

ALL = "all"
"""In the place of a source: all of the archive's own."""
WAYS = ("html", "json", "feed", "sitemap", "wordpress", "ids", "wayback", "file", "warc")


class Day(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.4
    """``2026-03-05``."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """A day of the calendar."""
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is no day such as 2026-03-05", param, ctx)


class Via(click.ParamType):  # type: ignore[type-arg]
    """``html,sitemap``."""

    name = "ways"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Ways of listing, each once, in the order of ``WAYS``."""
        from crawler.yamlfile import near

        named = {one.strip() for one in value.split(",")} - {""}
        for one in sorted(named - set(WAYS)):
            self.fail(f"'{one}' is no way of listing.{near(one, WAYS)} There are: {', '.join(WAYS)}", param, ctx)
        return tuple(one for one in WAYS if one in named)


@click.command(
    "backfill",
    help="Have what SOURCE published FROM one day TO another, in its zone; with --via warc A,B,C or all.",
)
@click.argument("name", metavar="SOURCE")
@click.argument("files", metavar="[FILE.warc.gz]...", nargs=-1)  # or addresses
@click.option("--from", "first", type=Day(), required=True, metavar="DAY", help="The first day, such as 2026-03-05.")
@click.option("--to", "last", type=Day(), required=True, metavar="DAY", help="The last day.")
@click.option("--via", type=Via(), default="", metavar="WAYS", help=f"Of {', '.join(WAYS)}; default: all it has.")
@click.option("--dry-run", is_flag=True, help="Plan, show what it would cost, and leave nothing behind.")
@click.option("--limit", type=click.IntRange(min=0), default=0, metavar="N", help="At most N articles in this run.")
@click.option("--budget", type=Span(), metavar="SPAN", help="Ask for nothing more after 20m, 2h, …; the rest waits.")
@click.option("--requests", type=click.IntRange(min=1), default=None, metavar="N", help="Ask for N pages at most.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, metavar="N", help="Processes for --via warc.")
@archive_option
@json_option
@explained
def command(
    name: str,
    files: tuple[str, ...],
    first: date,
    last: date,
    via: tuple[str, ...],
    dry_run: bool,
    limit: int,
    budget: timedelta | None,
    requests: int | None,
    jobs: int | None,
    archive: Path | None,
    as_json: bool,
) -> None:
    """Thin: plans, shows the plan, works it, shows what came of it."""
    import json

    from crawler.budget import Budget
    from crawler.days import Days
    from crawler.place import place

    if first > last:
        fail(f"--from {first} is after --to {last}", 2)
    folder = existing_archive(archive).resolve()
    names = () if name == ALL else tuple(name.split(","))
    sources = load_sources(names, folder)
    if via != ("warc",) and (name == ALL or len(names) > 1):
        fail("several sources at once are for --via warc: one pass over files serves them all", 2)
    if not sources:
        fail(f"{folder / 'sources'} holds no source. Next: presskeep probe URL", 2)
    source = sources[0]
    _check_ways(source, via, files, dry_run=dry_run)
    ways = f" --via {','.join(via)}" if via else ""
    again = shlex.join(["presskeep", "backfill", name, *files]) + f" --from {first} --to {last}{ways}"
    if files and not dry_run:  # what they hold nobody need be asked for
        code = from_files(folder, sources, files, Days(first, last), jobs, limit, quiet=as_json)
        if code or via == ("warc",):
            sys.exit(code)
    via = tuple(way for way in via if way != "warc")
    told: dict[str, Any] = {}
    with _copy(folder) if dry_run else nullcontext(folder) as here:
        spent = Budget(budget, requests or 0)
        code = work(here, source, Days(first, last), via, spent, limit, told, dry_run=dry_run, quiet=as_json)
    told |= {"exit_code": code, "next": again + place(folder) if dry_run or told["left"] else ""}
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1, default=str))
    elif told["next"]:
        click.echo(f"next: {told['next']}")
    sys.exit(code)


def _check_ways(source: Source, via: Sequence[str], files: Sequence[str], *, dry_run: bool) -> None:
    """That there is something by each way."""
    if "warc" in via and not files:
        fail("--via warc reads files, one at least: presskeep backfill SOURCE --via warc FILE.warc.gz …", 2)
    if via == ("warc",) and dry_run:
        fail("--dry-run: files ask for nothing, so there is nothing to plan", 2)
    for kind in via:
        if kind == "warc":
            continue
        kinds = list(dict.fromkeys(one.kind for one in source.lists))
        if kind not in kinds:
            fail(f"{source.id} has no list of kind '{kind}', it has: {', '.join(kinds)}", 2)
    if files and via and "warc" not in via:
        fail("files are for --via warc", 2)


def from_files(
    archive: Path,
    sources: Sequence[Source],
    files: Sequence[str],
    days: Days,
    jobs: int | None,
    limit: int,
    *,
    quiet: bool = False,
) -> int:
    """Make posts of what WARC files hold of the days, without network; the exit code."""
    from crawler.commands.crawl import open_run, show
    from crawler.site import load_site
    from crawler.warcs import fill

    def tell(line: str) -> None:
        click.echo(line, err=True)

    site = load_site(archive)
    report = fill(archive, site, sources, files, days, jobs or 0, limit=limit, tell=tell, opened=open_run)
    show(report, quiet=quiet)
    return report.exit_code


@contextmanager
def _copy(archive: Path) -> Iterator[Path]:
    """An archive without posts that knows what this one does, gone afterwards. The archive itself is only read, and no
    other run may begin meanwhile: a site would be asked twice as often."""
    from crawler.archive.locks import Lock
    from crawler.run import state_folder
    from crawler.site import SETTINGS, load_site

    state = state_folder(archive, load_site(archive))
    lock = Lock.of_those_there(archive, state)
    given = os.environ.get("PRESSKEEP_STATE")
    try:
        with TemporaryDirectory(prefix="presskeep-plan-") as made:
            copy = Path(made) / "archive"
            os.environ["PRESSKEEP_STATE"] = str(copy / ".presskeep")
            (copy / ".presskeep").mkdir(parents=True)
            for path in (archive / SETTINGS, archive / "outlets.yml"):
                if path.is_file():
                    copy_file(path, copy / path.name)
            for path in state.glob("ledger.sqlite*"):
                copy_file(path, copy / ".presskeep" / path.name)
            yield copy
    finally:
        lock.release()
        os.environ.pop("PRESSKEEP_STATE", None)
        if given is not None:
            os.environ["PRESSKEEP_STATE"] = given


def work(
    archive: Path,
    source: Source,
    days: Days,
    via: Sequence[str],
    budget: Budget,
    limit: int,
    told: dict[str, Any],
    *,
    dry_run: bool,
    quiet: bool,
) -> int:
    """Plan and, unless that is all, ask; the exit code. What there is to tell goes into ``told``, and unless ``quiet``
    to stdout."""
    from crawler.backfill import Backfill
    from crawler.commands.crawl import open_run, show
    from crawler.engine import crawl_run
    from crawler.journal import WARNING, say
    from crawler.report import LEFT, OK
    from crawler.site import load_site

    run = open_run(archive, load_site(archive), [source])
    for line in run.mended:
        say(f"mended: {line}", WARNING)
    run.budget, run.watch.past = budget, True
    run.backfill = backfill = Backfill(run.ledger, source, days, via, run.started)
    backfill.only_plan = dry_run
    backfill.told = lambda plan: None if quiet else show_plan(plan, resumed=backfill.resumed)
    code = crawl_run(run, [source], limit=limit, plain=True)
    show(run.report, quiet=True)
    left = backfill.left_at_end
    if not (quiet or dry_run):
        show_coverage(backfill)
    told |= {"backfill": backfill.number, "resumed": backfill.resumed, "left": left and asdict(left)}
    told |= {"plan": backfill.plan and plan_as_json(backfill.plan)}
    told["days"] = {day.isoformat(): asdict(one) for day, one in sorted(backfill.after.items())}
    return OK if dry_run and code == LEFT else code


def show_plan(plan: Plan, *, resumed: bool) -> None:
    """What it costs, and what each day is expected to yield."""
    from crawler.plan import by_month, grouped, words_of

    more = f" (resumed: {plan.waiting} of {plan.total} left)" if resumed else ""
    click.echo(f"Plan of {plan.source}, {plan.days.first} to {plan.days.last}{more}")
    table("", ("way", "pages read", "listed", "to ask"), [(w.way, w.asked, w.listed, w.found) for w in plan.ways])
    rows = [(day, one.kept, one.waiting) for day, one in grouped(plan.outlook, plan.days).items()]
    table("", ("month" if by_month(plan.days) else "day", "posts before", "to ask"), rows)
    undated = f", {plan.undated} of them of days that no list tells" if plan.undated else ""
    time = f"about {words_of(plan.time)} at one every {plan.delay:g} s"
    click.echo(f"{plan.waiting} articles to ask for{undated}: {time}")
    if plan.open_walks:
        click.echo(f"{plan.open_walks} lists could not be read as far as the days go: there may be more")
    if plan.reach:
        click.echo(f"lists reach back to {plan.reach}: what is older no list names")


def show_coverage(backfill: Backfill) -> None:
    """Each day before and after, and what is left."""
    from crawler.plan import by_month, grouped

    before, after = (grouped(one, backfill.days) for one in (backfill.before, backfill.after))
    columns = ("month" if by_month(backfill.days) else "day", "kept before", "listed", "kept", "refused", "waiting")
    rows = [(day, before[day].kept, one.listed, one.kept, one.refused, one.waiting) for day, one in after.items()]
    click.echo(f"Coverage of {backfill.source.id}")
    table("", columns, rows)
    left = backfill.left_at_end
    if left:
        named = {"waiting": left.articles, "to be tried again later": left.later, "given up": left.given_up}
        words = [f"{number} {what}" for what, number in (*named.items(), ("lists not read", left.walks)) if number]
        click.echo(f"left: {', '.join(words)}")


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """For machines."""
    return {
        "ways": [asdict(one) for one in plan.ways],
        "expected": {day.isoformat(): number for day, number in sorted(plan.expected.items())},
        "undated": plan.undated,
        "requests": plan.waiting,
        "total": plan.total,
        "seconds": plan.time.total_seconds(),
        "open_walks": plan.open_walks,
        "reach": plan.reach,
    }
