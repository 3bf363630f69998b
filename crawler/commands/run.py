"""``presskeep run``: the one line for cron, systemd and CI."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, existing_archive, exit_code_of, explained, json_option

if TYPE_CHECKING:
    from crawler.run import Run
    from crawler.sources import Source


class Span(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.4
    """``90s`` is none of ours: ``20m``, ``2h``."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """As in sources' schedules."""
        from crawler.schedule import parse_span

        try:
            span = parse_span(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return span or self.fail("expected a span such as 20m", param, ctx)


@click.command("run", help="Visit SOURCES (ids or YAML files); without any, all of the archive's own.")
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@archive_option
@click.option("--due", "only_due", is_flag=True, help="Only those whose schedule says so, and second looks.")
@click.option("--budget", type=Span(), metavar="SPAN", help="Ask for nothing more after 20m, 2h, …; the rest waits.")
@click.option("--requests", type=click.IntRange(min=1), default=None, metavar="N", help="Ask for N pages at most.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong, as cron likes it.")
@json_option
@explained
def command(
    names: tuple[str, ...],
    archive: Path | None,
    only_due: bool,
    budget: timedelta | None,
    requests: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Thin: visits, tells those who watch, shows the report."""
    from crawler.budget import Budget
    from crawler.report import ACTIVE, FAILED

    folder, started = existing_archive(archive).resolve(), time.monotonic()
    told: dict[str, Any] = {"sources": []}
    code = FAILED
    try:
        code = visit(folder, names, only_due, Budget(budget, requests or 0), quiet or as_json, told)
    except Exception as error:
        code = exit_code_of(error) or FAILED
        raise
    finally:
        if code != ACTIVE:  # the run that is active tells what there is to tell
            tell(folder, code, time.monotonic() - started, told)
    if as_json:
        import json

        click.echo(json.dumps({"exit_code": code, **told}, ensure_ascii=False, indent=1))
    sys.exit(code)


def visit(archive: Path, names: Sequence[str], only_due: bool, budget: Any, quiet: bool, told: dict[str, Any]) -> int:
    """Visit what is to be visited; the exit code. What there is to tell goes into ``told``."""
    from crawler.commands.crawl import open_run, show
    from crawler.engine import crawl_run
    from crawler.journal import WARNING, say
    from crawler.site import load_site
    from crawler.yamlfile import SettingsError

    site = load_site(archive)
    sources, told["unreadable"] = readable(archive, names)
    for faults in told["unreadable"].values():
        say(f"presskeep: left out: {faults}", WARNING)
    if not sources:
        why = "no source can be read" if told["unreadable"] else f"{archive / 'sources'} holds no source"
        raise SettingsError([f"{why}. To see all: presskeep sources --archive {archive}"])
    run = open_run(archive, site, sources)
    for line in run.mended:
        say(f"mended: {line}", WARNING)
    chosen = choose(run, sources, only_due)
    if not chosen:
        told["next"] = _next_words(run, sources)
        if not quiet:
            click.echo(f"Nothing is due. Next: {told['next']}")
        return run.close()
    run.budget = budget
    code = crawl_run(run, chosen, plain=True)
    told.update(run.summary)
    show(run.report, quiet=quiet)
    return code


def readable(archive: Path, names: Sequence[str]) -> tuple[list[Source], dict[str, str]]:
    """The sources that can be read, and name -> faults of those that cannot: one never stops another."""
    from crawler.sources import find_source, folders_for, source_paths
    from crawler.yamlfile import SettingsError

    folders = folders_for(archive)
    sources, faults = [], {}
    for name in dict.fromkeys(names or source_paths(folders[:-1])):
        try:
            sources.append(find_source(name, folders))
        except SettingsError as error:
            faults[name] = str(error)
    return sources, faults


def choose(run: Run, sources: Sequence[Source], only_due: bool) -> list[Source]:
    """What this run visits, the longest waiting first; behind them what has nothing due but second looks."""
    from crawler.report import Report
    from crawler.visits import due_sources, last_visits, longest_waiting_first, sources_to_look_at

    looked_at: list[Source] = []
    if only_due:
        chosen = due_sources(run.ledger, sources, run.started)
        looked_at = sources_to_look_at(run.ledger, [one for one in sources if one not in chosen], run.started)
    else:
        chosen = longest_waiting_first(sources, last_visits(run.ledger))
    run.report = Report([source.id for source in chosen], [source.id for source in looked_at])
    return [*chosen, *looked_at]


def _next_words(run: Run, sources: Sequence[Source]) -> str:
    from crawler.visits import next_visit

    found = next_visit(run.ledger, sources, run.started)
    assert found is not None
    return f"{found[1].id} at {found[0].astimezone(found[1].zone):%Y-%m-%d %H:%M %Z}"


def tell(archive: Path, code: int, seconds: float, told: dict[str, Any]) -> None:
    """Those who watch from outside, as presskeep.yml says; what cannot be told is said, and stops nothing."""
    from crawler import healthfeed, metrics
    from crawler.archive.ledger import stamp
    from crawler.journal import WARNING, say
    from crawler.ping import ping
    from crawler.report import OK
    from crawler.run import state_folder
    from crawler.site import load_site
    from crawler.sources import folders_for, source_paths
    from crawler.yamlfile import SettingsError

    try:
        site = load_site(archive)
    except (SettingsError, OSError):
        return
    now = datetime.now(UTC)
    try:
        healthfeed.update(archive, site, states(told), stamp(now))
        if site.prometheus:
            known = source_paths(folders_for(archive)[:-1])
            run = {
                "presskeep_run_exit_code": code,
                "presskeep_run_seconds": round(seconds, 3),
                "presskeep_sources_unreadable": len(told.get("unreadable", ())),
            } | ({"presskeep_last_success_timestamp_seconds": int(now.timestamp())} if code == OK else {})
            reports = metrics.last_reports(state_folder(archive, site), known)
            metrics.write_textfile(archive / site.prometheus, archive, run, reports)
    except OSError as error:
        say(f"presskeep: the monitors were not told: {error}", WARNING)
    if site.ping and (complaint := ping(site.ping, well=code == OK)):
        say(f"presskeep: {complaint}", WARNING)


def states(told: dict[str, Any]) -> dict[str, str]:
    """Source -> why it is broken, empty for one that works: an alarm, or no list of it, or its file, can be read."""
    found: dict[str, str] = {}
    for one in told["sources"]:
        if one["alarms"]:
            found[one["source"]] = "; ".join(f"{alarm['kind']}: {alarm['what']}" for alarm in one["alarms"])
        elif one["failed_lists"] and not (one["listed"] or one["unchanged"]):
            found[one["source"]] = "; ".join(f"{each['address']}: {each['what']}" for each in one["problems"][:3])
        elif not one["skipped_lists"]:
            found[one["source"]] = ""
    found.update(told.get("unreadable", {}))
    return found
