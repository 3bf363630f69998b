"""``presskeep push``: what is new here, handed on: to followers as a log, to the Wayback Machine as originals."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.commands.common import archive_option, contact_of, existing_archive, explained, fail, json_option
from crawler.commands.status import ledger_of, placed, state_option

if TYPE_CHECKING:
    from crawler.push.originals import Result
    from crawler.push.wayback import Outcome


@click.group("push", help="Hand on what is new.")
def command() -> None:
    """Thin: one target a subcommand."""


@command.command(
    "log",
    help="Write or extend the log in DIR, which any web server can give and `presskeep follow` can take. Exit code 5: "
    "some articles were left out, and why.",
)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--captures", is_flag=True, help="With the captures that posts were made from.")
@click.option("--again", is_flag=True, help="All anew, not only what came since.")
@archive_option
@explained
def log(folder: Path, captures: bool, again: bool, archive: Path | None) -> None:
    """Thin: crawler/follow/log.py says what lies there."""
    from crawler.follow.log import publish
    from crawler.follow.origin import Live
    from crawler.follow.record import OriginError
    from crawler.report import FAILED, LEFT, OK
    from crawler.run import state_folder
    from crawler.site import load_site

    place = existing_archive(archive)
    state = state_folder(place, load_site(place))
    try:
        origin = Live(place, lambda line: click.echo(line, err=True), captures=captures, state=state)
        written = publish(origin, folder, again=again)
    except OriginError as error:
        fail(str(error), FAILED)
    for one in origin.left.values():
        click.echo(f"{one.path}: left out ({one.why})", err=True)
    click.echo(f"{written} articles added in {folder}, up to number {origin.last}")
    origin.close()
    sys.exit(LEFT if origin.left else OK)


@command.command(
    "wayback",
    help="Ask the Wayback Machine to save the originals of posts that are new or were edited since the last push, one "
    "after the other. With IA_ACCESS_KEY and IA_SECRET_KEY in the environment (archive.org/account/s3.php) it takes "
    "more. Exit code 5: something is left, the same command goes on; 3: the service cannot be had; 2: it refuses "
    "the keys.",
)
@click.option("--since", type=click.IntRange(min=0), help="From this number of the log on, instead of the last push's.")
@click.option("--source", default="", metavar="ID", help="Of this source alone; the number stays.")
@click.option("--limit", type=click.IntRange(1, 30_000), default=150, show_default=True, help="Ask for so many.")
@click.option("--pace", type=click.FloatRange(min=0.01), help="Seconds between two; default: 10, without keys 20.")
@click.option("--service", default="https://web.archive.org", show_default=True, help="Who is asked.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked for; ask nobody.")
@archive_option
@state_option
@json_option
@explained
def wayback(
    since: int | None,
    source: str,
    limit: int,
    pace: float | None,
    service: str,
    dry_run: bool,
    archive: Path | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Thin: reads the log, asks, remembers."""
    from itertools import islice

    from crawler.push.originals import Push
    from crawler.push.wayback import SavePageNow, Web
    from crawler.report import REFUSED_INPUT
    from crawler.run import state_folder
    from crawler.site import load_site

    folder, where = placed(archive, state)
    keys = os.environ.get("IA_ACCESS_KEY", ""), os.environ.get("IA_SECRET_KEY", "")
    if any(keys) and not all(keys):
        fail("of IA_ACCESS_KEY and IA_SECRET_KEY one is missing. Next: set both, or none", REFUSED_INPUT)
    ledger = ledger_of(folder, where)
    if ledger is None:
        fail(f"no run yet in {folder}. Next: presskeep crawl SOURCE{where or f' --archive {folder}'}", REFUSED_INPUT)
    push = Push(folder, state_folder(folder, load_site(folder)), ledger)
    try:
        push.begin(since)
        if dry_run:
            for one in islice(push.originals(source), limit):
                click.echo(one.url)
            return
        asker = Web(contact_of(folder))
        machine = SavePageNow(
            asker.ask, time.sleep, service=service, keys=keys if all(keys) else None, pace=pace or 0.0
        )
        result = push.run(machine.save, limit, source, _say)
    finally:
        push.close()
        ledger.close()
    _tell(result, as_json)
    sys.exit(_code(result))


def _say(url: str, outcome: Outcome) -> None:
    click.echo(f"{outcome.kind}: {url}{f' ({outcome.what})' if outcome.what else ''}", err=True)


def _tell(result: Result, as_json: bool) -> None:
    import json

    counts = {name: getattr(result, name) for name in ("saved", "never", "later", "halted", "number")}
    if as_json:
        click.echo(json.dumps(counts, ensure_ascii=False))
        return
    halted = f"; ended early: {result.halted}" if result.halted else ""
    click.echo(f"{result.saved} saved, {result.never} given up, {result.later} to be asked again{halted}")


def _code(result: Result) -> int:
    from crawler.report import LEFT, LIST_FAILED, OK, REFUSED_INPUT

    ended = result.outcome.kind if result.outcome else ""
    if ended in ("refused", "away"):
        return REFUSED_INPUT if ended == "refused" else LIST_FAILED
    return LEFT if result.halted or result.later else OK
