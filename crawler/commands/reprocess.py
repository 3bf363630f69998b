"""``presskeep reprocess``: today's extraction and rules over what was captured, without network."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, existing_archive, explained, fail, json_option, readable_sources

if TYPE_CHECKING:
    from crawler.archive.ledger import Ledger
    from crawler.reprocess import Change, Reprocessed
    from crawler.sources import Source

_FOR_EACH_JOB = 100
"""Captures from which on another process is worth its start."""


@click.command(
    "reprocess", help="Read the captures of posts once more, with today's rules; of all sources, or of SOURCE."
)
@click.argument("name", metavar="[SOURCE]", required=False)
@click.option("--plan", is_flag=True, help="Show which posts would change, and how; write nothing.")
@click.option("--key", default="", metavar="KEY", help="Only the article of this key.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, metavar="N", help="Processes; default: all cores.")
@click.option("--own-python", is_flag=True, help="Load the Python beside the archive's own sources.")
@archive_option
@json_option
@explained
def command(
    name: str | None,
    plan: bool,
    key: str,
    jobs: int | None,
    own_python: bool,
    archive: Path | None,
    as_json: bool,
) -> None:
    """Thin: opens a run, reprocesses, says what changed."""
    import json

    from crawler.commands.crawl import open_run
    from crawler.reprocess import Reprocessing
    from crawler.site import load_site

    folder = existing_archive(archive)
    sources = _sources(name, folder)
    run = open_run(folder, load_site(folder), sources)
    told: list[dict[str, Any]] = []
    try:
        if not plan:
            run.record_start()
        number = jobs or min(os.cpu_count() or 1, 1 + _posts(run.ledger, sources) // _FOR_EACH_JOB)
        tell = (lambda change: told.append(_as_json(change))) if as_json else (lambda change: _show(change, plan))
        done = Reprocessing(run, sources, plan=plan).work(key, number, own_python=own_python, tell=tell)
    except BaseException as error:
        run.close(halted=str(error) or type(error).__name__)
        raise
    code = run.close()
    if as_json:
        counts = {"changed": done.changed, "new": done.new, "same": done.same, "without_capture": done.without}
        about = {"plan": plan, **counts, "still_refused": done.refused, "left": done.left, "changes": told}
        click.echo(json.dumps(about, ensure_ascii=False, indent=1))
    else:
        _sum_up(done, plan)
    sys.exit(code)


def _sources(name: str | None, archive: Path) -> list[Source]:
    """The one that is named, or all that the archive has rows of and that can be read."""
    from crawler.commands.common import load_sources
    from crawler.commands.status import ledger_of
    from crawler.report import REFUSED_INPUT

    ledger = ledger_of(archive)
    if ledger is None:
        fail(f"no run yet in {archive}. Next: presskeep crawl SOURCE --archive {archive}", REFUSED_INPUT)
    known = set(ledger.counts())
    ledger.close()
    if name:
        return load_sources((name,), archive)
    return [source for source in readable_sources(archive) if source.id in known]


def _posts(ledger: Ledger, sources: list[Source]) -> int:
    counts = ledger.counts()
    return sum(counts.get(source.id, {}).get("done", 0) for source in sources)


def _as_json(change: Change) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(change)


def _show(change: Change, plan: bool) -> None:
    if change.new:
        click.echo(f"{'would become a post' if plan else 'a post now'}: {change.path}")
    else:
        click.echo("\n".join(change.diff) + "\n" if plan else f"read anew: {change.path}")


def _sum_up(done: Reprocessed, plan: bool) -> None:
    for path, reason in done.left.items():
        click.echo(f"{path}: {reason}", err=True)
    would = "would change" if plan else "changed"
    click.echo(f"{done.changed} posts {would}, {done.new} are new, {done.same} stay as they are")
    if done.refused:
        click.echo(f"{done.refused} refused articles have captures that give no post still", err=True)
    if done.without:
        click.echo(f"{done.without} posts have no capture", err=True)
