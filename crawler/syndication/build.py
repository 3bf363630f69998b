"""Stories of posts that were there before: each post without a sketch is read, and joins them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from crawler.archive.ledger import Ledger, articles
from crawler.archive.markup import text_of
from crawler.archive.post import Post, read_post
from crawler.archive.sketches import sketches
from crawler.outlets import Outlets
from crawler.syndication.sketch import sketch
from crawler.syndication.stories import Noted, Stories, Told

_BATCH = 64
"""Posts that are committed together."""
_PAGE = 500
"""Rows that are read at once."""


def build(
    archive: Path,
    ledger: Ledger,
    outlets: Outlets,
    names: Mapping[str, str],
    timezone: str,
    tell: Callable[[int], None] = lambda count: None,
) -> list[str]:
    """Sketch every post that was not; those that cannot be read. The ledger must be locked.

    ``names``: id of a source -> its name. ``timezone``: of posts whose date has none. ``tell`` is given the number of
    posts so far, now and then. Killed, it goes on where it was. Raises OSError where the disk is full.
    """
    stories, zone = Stories(ledger, outlets), ZoneInfo(timezone)
    unreadable: list[str] = []
    done = 0
    waiting = _without(ledger)
    while rows := list(islice(waiting, _BATCH)):
        noted = []
        for row in rows:
            try:
                noted.append(_noted(row, read_post((archive / row.path).read_bytes()), names, zone))
            except (OSError, ValueError):
                unreadable.append(row.path)
        ledger.keep([], more=stories.statements(noted))
        tell(done := done + len(noted))
    return unreadable


def _without(ledger: Ledger) -> Iterator[sa.Row[Any]]:
    """Posts without a sketch, in the order of their rows."""
    last = 0
    while rows := ledger.read(_WITHOUT, {"last": last}):
        yield from rows
        last = rows[-1].id


_WITHOUT = (
    sa.select(articles.c.id, articles.c.space, articles.c.key, articles.c.source, articles.c.path)
    .where(
        articles.c.state == "done",
        articles.c.id > sa.bindparam("last"),
        ~sa.exists().where(sketches.c.space == articles.c.space, sketches.c.key == articles.c.key),
    )
    .order_by(articles.c.id)
    .limit(_PAGE)
)


def _noted(row: sa.Row[Any], post: Post, names: Mapping[str, str], zone: ZoneInfo) -> Noted:
    credited = str(post.fields.get("attribution") or "")
    pointer = bool(post.fields.get("pointer"))
    told = Told(_sketched(post), credited, names.get(row.source, row.source), pointer=pointer)
    return Noted(row.space, row.key, row.source, _zoned(post.date, zone), told)


def _sketched(post: Post) -> bytes:
    plain = "\n".join(line for line in text_of(post.body).split("\n") if line.strip())
    return sketch(plain).packed()


def _zoned(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
