"""``presskeep repair``: where a source's known articles now stand, and the change of its rules that follows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import (
    archive_option,
    contact_of,
    explained,
    fail,
    json_option,
    load_sources,
    replay_option,
    table,
)
from crawler.commands.status import placed, state_option

if TYPE_CHECKING:
    from crawler.fetch import Answer
    from crawler.fresh import Fresh
    from crawler.repair.change import Repair
    from crawler.repair.known import Known
    from crawler.sources import Source

_RECORDED = 5
"""Pages in the new layout that are kept as fixtures."""


@click.command("repair", help="Find where what is known of SOURCE's articles stands now, and change its rules.")
@click.argument("name", metavar="SOURCE")
@click.option("--articles", type=click.IntRange(3, 100), default=10, metavar="N", help="Known articles; 10 by default.")
@replay_option
@click.option("--write", is_flag=True, help="Write the change into the source's YAML, and pages of today as fixtures.")
@json_option
@archive_option
@state_option
@explained
def command(
    name: str,
    articles: int,
    replay: tuple[Path, ...],
    write: bool,
    as_json: bool,
    archive: Path | None,
    state: Path | None,
) -> None:
    """Thin: asks, works out the change, tells, writes; exits with 4 where the source stays broken."""
    from datetime import UTC, datetime

    from crawler.repair.change import Repairer
    from crawler.report import ALARM, REFUSED_INPUT

    folder, where = placed(archive, state)
    (source,) = load_sources((name,), folder)
    if why := _out_of_reach(source):
        fail(f"{source.id}: {why}", REFUSED_INPUT)
    known = _known(source, folder, articles)
    if not known:
        fail(
            f"nothing is known of {source.id}: no post, no fixtures. Next: presskeep probe {source.home}", REFUSED_INPUT
        )
    now = datetime.now(UTC)
    fresh, answers = _ask(source, known, folder, replay, now)
    done = Repairer(source, known, answers, now.astimezone(source.zone).date(), fresh).work()
    path = _own(source, name, folder)
    if write and done.fits:
        _write(done, path)
    if as_json:
        _tell_machines(done, write)
    else:
        _tell(done, path if write else None, where)
    sys.exit(ALARM if done.faults or done.left else 0)


def _out_of_reach(source: Source) -> str:
    """Why a source cannot be repaired; empty where it can."""
    if source.article.format != "html":
        return "its articles come as JSON; repair reads pages alone. Mend its rules by hand"
    if all(one.until is not None for one in source.layouts):
        return "it has no present layout: each has its until"
    if not source.is_repairable:
        return "it has no rules that could break: the generic extractor reads its pages"
    return ""


def _known(source: Source, folder: Path, articles: int) -> list[Known]:
    """From posts; without any from fixtures."""
    from crawler.commands.status import ledger_of
    from crawler.repair.known import known_articles, known_of_fixtures
    from crawler.run import state_folder
    from crawler.site import load_site

    found: list[Known] = []
    if (ledger := ledger_of(folder)) is not None:
        captures = state_folder(folder, load_site(folder)) / "captures"
        try:
            found = known_articles(source, articles, folder, ledger, captures)
        finally:
            ledger.close()
    return found or known_of_fixtures(source, articles)


def _ask(
    source: Source, known: list[Known], folder: Path, replay: tuple[Path, ...], now: Any
) -> tuple[Fresh, list[Answer]]:
    """Today's lists and pages. Ends with 3 where none of the pages could be had."""
    from crawler.fetch import NotFetched, converse
    from crawler.repair.change import repair_talk
    from crawler.replay import Captures
    from crawler.report import LIST_FAILED

    captures = Captures(replay) if replay else None
    talk = repair_talk(source, known, now)
    try:
        fresh, answers = converse(talk, sources=[source], contact=contact_of(folder), replay=captures)
    except NotFetched as error:
        fail(str(error), LIST_FAILED)
    if not any(one.good for one in answers):
        fail(f"none of {len(answers)} known articles could be had: {answers[0].asked}: {answers[0].why}", LIST_FAILED)
    return fresh, answers


def _own(source: Source, name: str, folder: Path) -> Path:
    """Where the change is written to: a source that ships with presskeep and was called by its id becomes one of the
    archive's own, which come first."""
    from crawler.sources import SHIPPED

    assert source.path is not None
    shipped = name == source.id and source.path.parent == SHIPPED
    return folder / "sources" / source.path.name if shipped else source.path


def _write(done: Repair, path: Path) -> None:
    """The YAML, whole or not at all, then pages of today beside those that were recorded."""
    from crawler.archive.posts import replace
    from crawler.fixtures import folder_of, load, record
    from crawler.sources import load_source

    assert done.sheet is not None
    replace(path, done.sheet.after.encode())
    source = load_source(path)
    folder = folder_of(source)
    there = (folder / f"{source.id}.yml").is_file()
    recorded = {one.url for one in load(source, folder)[0].articles} if there else set()
    pages = [one for one in done.pages if done.broken and one.url not in recorded][:_RECORDED]
    lists = [named for one in done.lists for named in one.named]
    if pages or lists:
        record(source, folder, lists, pages, add=there, without=[of for of, _ in lists])
    done.notes.append(f"fixtures: {len(pages)} pages of today were added" if pages else "fixtures: left as they were")


def _tell(done: Repair, written: Path | None, where: str) -> None:
    for one in done.failed:
        click.echo(f"left out: {one}")
    for one in (*done.notes, *done.tried):
        click.echo(one)
    if done.scores:
        columns = ("field", "pages of today", "by the change", "captures", "found")
        rows = [(one.field, _of(one.before), _of(one.after), _of(one.old), one.rule or "") for one in done.scores]
        table("", columns, rows)
    if done.sheet is not None:
        click.echo(done.sheet.diff())
    for one in (*done.faults, *done.left):
        click.echo(f"not repaired: {one}")
    click.echo(_following(done, written, where))


def _of(share: tuple[int, int]) -> str:
    return f"{share[0]} of {share[1]}"


def _following(done: Repair, written: Path | None, where: str) -> str:
    name = done.source.id
    if done.faults or (done.left and not done.fits):
        return f"{done.source.path} stays as it is. Next: mend it, then presskeep check {name} --live"
    if not done.fits:
        return f"nothing to repair: the rules give what is known of {name}'s articles"
    if written:
        return f"wrote {written}. Next: presskeep crawl {name} --limit 5{where}"
    return f"Next: presskeep repair {name} --write{where}"


def _tell_machines(done: Repair, write: bool) -> None:
    import json
    from dataclasses import asdict

    told = {
        "source": done.source.id,
        "asked": done.asked,
        "broken": done.broken,
        "scores": [asdict(one) for one in done.scores],
        "tried": done.tried,
        "faults": done.faults,
        "lists_left": done.left,
        "left_out": done.failed,
        "notes": done.notes,
        "diff": done.sheet.diff() if done.sheet else "",
        "written": write and done.fits,
    }
    click.echo(json.dumps(told, ensure_ascii=False))
