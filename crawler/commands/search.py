"""``presskeep search``: posts in which words stand, best first."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, explained, fail, json_option
from crawler.commands.status import ledger_of, placed, state_option

if TYPE_CHECKING:
    from crawler.archive.ledger import Ledger
    from crawler.search.index import Hit, Index, Within
    from crawler.search.words import Query

_TELL_EVERY = 5_000
_day = click.DateTime(["%Y-%m-%d"])


@click.command(
    "search",
    # -word leaves posts out, so that there are no short options
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    help="Find posts in which all WORDS stand; '\"a phrase\"' in its own quotes, -word for what must not be there.",
)
@click.argument("words", metavar="WORDS", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--source", default="", metavar="ID", help="Only posts of this source.")
@click.option("--outlet", default="", metavar="NAME", help="Only posts that credit this outlet.")
@click.option("--from", "first", type=_day, metavar="DAY", help="From this day on, such as 2026-03-01.")
@click.option("--to", "last", type=_day, metavar="DAY", help="Up to this day.")
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="So many posts.")
@archive_option
@state_option
@json_option
@explained
def command(
    words: tuple[str, ...],
    source: str,
    outlet: str,
    first: datetime | None,
    last: datetime | None,
    limit: int,
    archive: Path | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Thin: brings the index up to date, asks it, shows what it found."""
    import json

    from crawler.search.index import Within

    query = _query(words)
    folder, where = placed(archive, state)
    ledger = ledger_of(folder, where)
    if ledger is None:
        click.echo(f"No run yet in {folder}. Next: presskeep crawl SOURCE{where or f' --archive {folder}'}")
        return
    days = first.date() if first else date.min, last.date() if last else date.max
    try:
        found, hits = search(folder, ledger, query, Within(source, _outlet(folder, outlet), *days), limit)
    finally:
        ledger.close()
    if as_json:
        click.echo(json.dumps({"found": found, "posts": [_as_json(hit) for hit in hits]}, ensure_ascii=False, indent=1))
    else:
        _show(found, hits)


def search(archive: Path, ledger: Ledger, query: Query, within: Within, limit: int) -> tuple[int, list[Hit]]:
    """How many posts there are, and the best; an index that turns out to be torn is made anew once."""
    import sqlite3

    from crawler.search.index import discard

    state = ledger.path.parent
    try:
        return _asked(archive, ledger, query, within, limit)
    except sqlite3.DatabaseError:
        discard(state)
        return _asked(archive, ledger, query, within, limit)


def _asked(archive: Path, ledger: Ledger, query: Query, within: Within, limit: int) -> tuple[int, list[Hit]]:
    from crawler.search.index import open_index

    index, writable = open_index(ledger.path.parent)
    try:
        if writable:
            _follow(index, archive, ledger)
        else:
            click.echo("the index cannot be written to; posts that came since it was are not found", err=True)
        return index.find(archive, query, within, limit)
    finally:
        index.close()


def _follow(index: Index, archive: Path, ledger: Ledger) -> None:
    from zoneinfo import ZoneInfo

    from crawler.search.index import known_posts
    from crawler.site import load_site

    changes = index.follow(archive, known_posts(ledger), ZoneInfo(load_site(archive).timezone), _tell)
    if changes.unreadable:
        click.echo(f"{changes.unreadable} posts could not be read. Next: presskeep verify", err=True)


def _tell(done: int, of: int) -> None:
    """A line now and then, where there is much to read."""
    if of > _TELL_EVERY and (done % _TELL_EVERY == 0 or done == of):
        click.echo(f"indexed {done:,} of {of:,} posts", err=True)


def _query(words: tuple[str, ...]) -> Query:
    """What the words ask for. Ends with exit code 2 for an option that there is not, and where no word is left."""
    from crawler.report import REFUSED_INPUT
    from crawler.search.words import QueryError, parse

    if unknown := next((word for word in words if word.startswith("--")), ""):
        raise click.NoSuchOption(unknown.partition("=")[0])
    try:
        return parse(" ".join(words))
    except QueryError as error:
        fail(str(error), REFUSED_INPUT)


def _outlet(archive: Path, name: str) -> str:
    """The name that posts have, of whichever the outlet goes by."""
    from crawler.run import load_outlets

    return load_outlets(archive).name(name) if name else ""


def _as_json(hit: Hit) -> dict[str, Any]:
    told = asdict(hit)
    piece = told.pop("snippet")
    return {**told, "snippet": piece["text"], "hits": piece["hits"]}


def _show(found: int, hits: list[Hit]) -> None:
    for hit in hits:
        click.echo(f"{hit.date[:16]}  {hit.source}  {click.style(hit.title, bold=True)}")
        click.echo(f"  {hit.path}")
        click.echo(f"  {_marked(hit)}\n")
    click.echo(f"{len(hits)} of {found} posts" if hits else "Nothing found.")


def _marked(hit: Hit) -> str:
    """The snippet, with the words drawn bold on a terminal."""
    pieces, at = [], 0
    for start, end in hit.snippet.hits:
        if start >= at:
            pieces += [hit.snippet.text[at:start], click.style(hit.snippet.text[start:end], bold=True)]
            at = end
    return "".join([*pieces, hit.snippet.text[at:]])
