"""``presskeep check``: whether a source still gives what it gave, on recorded pages and on fresh ones."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import (
    archive_option,
    contact_of,
    explained,
    json_option,
    load_sources,
    replay_option,
    table,
)

if TYPE_CHECKING:
    from crawler.fixtures import Expected
    from crawler.fresh import Fresh
    from crawler.sources import Source

_SHOWN = 20
"""Differences of one source that are printed."""


@dataclass(slots=True)
class _Checked:
    """What came of one source."""

    source: Source
    expected: Expected
    recorded: int = 0
    """Recorded pages, of lists and articles."""
    fresh: Fresh | None = None
    broken: list[str] = field(default_factory=list)
    following: str = ""
    """What to type."""

    @property
    def state(self) -> str:
        """In a word."""
        if self.broken:
            return "broken"
        return "ok" if self.recorded or self.fresh else "not known"


@click.command("check", help="Check SOURCES (ids or YAML files; the archive's own without any) field by field.")
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@click.option("--live", is_flag=True, help="Ask each source's lists and a few fresh articles as well.")
@click.option("--articles", type=click.IntRange(1, 50), default=5, metavar="N", help="Fresh articles; 5 by default.")
@click.option("--record", is_flag=True, help="Keep the fresh pages as fixtures, besides those there are; needs --live.")
@replay_option
@json_option
@archive_option
@explained
def command(
    names: tuple[str, ...],
    live: bool,
    articles: int,
    record: bool,
    replay: tuple[Path, ...],
    as_json: bool,
    archive: Path | None,
) -> None:
    """Thin: checks each source, tells, exits with 4 where one is broken."""
    import json

    from crawler.report import ALARM, REFUSED_INPUT
    from crawler.site import find_archive

    if record and not (live or replay):
        from crawler.commands.common import fail

        fail("--record keeps fresh pages. Next: the same with --live", REFUSED_INPUT)
    folder = archive or find_archive(Path.cwd())
    sources = load_sources(names, folder)
    if not sources:
        click.echo("No source to check. Next: presskeep probe URL, or presskeep check SOURCE")
        return
    done = [_recorded(source) for source in sources]
    if live or replay:
        _ask(done, folder, articles, replay)
    if record:
        for one in done:
            _record(one)
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in done], ensure_ascii=False))
    else:
        _tell(done)
    sys.exit(ALARM if any(one.broken for one in done) else 0)


def _recorded(source: Source) -> _Checked:
    """By the source's fixtures, if it has any."""
    from crawler.fixtures import Expected, check, folder_of, load

    if not (folder_of(source) / f"{source.id}.yml").is_file():
        following = f"presskeep check {source.id} --live --record, to have fixtures"
        return _Checked(source, Expected(), following=following)
    expected, _ = load(source)
    found = list(map(str, check(source)))
    done = _Checked(source, expected, len(expected.lists) + len(expected.articles), broken=found)
    if found:
        done.following = f"mend {source.path}, or presskeep repair {source.id}"
    return done


def _ask(done: list[_Checked], folder: Path | None, articles: int, replay: tuple[Path, ...]) -> None:
    """Fresh pages of all sources in one conversation, source by source. Ends with 3 where a signal stopped it."""
    from datetime import UTC, datetime

    from crawler.commands.common import fail
    from crawler.fetch import NotFetched, converse, one_by_one
    from crawler.fresh import fresh_talk, unsaid
    from crawler.replay import Captures
    from crawler.report import LIST_FAILED

    captures = Captures(replay) if replay else None
    now = datetime.now(UTC)
    sources = [one.source for one in done]
    talk = one_by_one(fresh_talk(source, articles, now) for source in sources)
    try:
        found = converse(talk, sources=sources, contact=contact_of(folder), replay=captures)
    except NotFetched as error:
        fail(str(error), LIST_FAILED)
    for one, fresh in zip(done, found, strict=True):
        one.fresh = fresh
        broken = list(fresh.broken(one.expected, unsaid(one.source)))
        one.broken += broken
        if broken and not one.following.startswith("mend"):
            one.following = f"presskeep repair {one.source.id}"


def _record(done: _Checked) -> None:
    """Only what is whole is worth keeping."""
    from crawler.fixtures import folder_of, record

    fresh = done.fresh
    if fresh is None or not any(one.found for one in fresh.articles):
        return
    folder = folder_of(done.source)
    pages = [one.answer for one in fresh.articles if one.found]
    record(done.source, folder, fresh.lists, pages, add=(folder / f"{done.source.id}.yml").is_file())
    done.following = f"read {folder / f'{done.source.id}.yml'}: is that what the pages say?"


def _tell(done: list[_Checked]) -> None:
    rows = [(one.source.id, one.recorded or "none", _fresh_cell(one), one.state) for one in done]
    table("", ("source", "recorded pages", "fresh articles", "is"), rows)
    for one in done:
        for what in one.broken[:_SHOWN]:
            click.echo(f"{one.source.id}: {what}")
        if len(one.broken) > _SHOWN:
            click.echo(f"{one.source.id}: and {len(one.broken) - _SHOWN} more")
        for page in one.fresh.articles if one.fresh else ():
            if page.why:
                click.echo(f"{one.source.id}: no article: {page.why}")
        if one.following:
            click.echo(f"{one.source.id}: Next: {one.following}")


def _fresh_cell(done: _Checked) -> str:
    if done.fresh is None:
        return "not asked"
    good = sum(one.found is not None for one in done.fresh.articles)
    return f"{good} of {len(done.fresh.articles)}"


def _as_json(done: _Checked) -> dict[str, Any]:
    fresh = None
    if done.fresh is not None:
        fresh = [
            {"url": one.answer.url, "found": one.found.model_dump() if one.found else None, "why": one.why}
            for one in done.fresh.articles
        ]
    told = {"source": done.source.id, "recorded": done.recorded, "fresh": fresh, "is": done.state}
    return {**told, "broken": done.broken, "next": done.following}
