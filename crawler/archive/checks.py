"""Rows of the ledger whose article is to be looked at again, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crawler.archive.ledger import ROW, Ledger, Row, articles, stamp

_WAITING = sa.text("check_due != ''")
"""Literal, so that SQLite sees that the partial index serves."""


@dataclass(frozen=True, slots=True)
class Check:
    """A post whose article is due for another look."""

    row: Row
    path: str
    """Of the post, relative to the archive."""
    digest: str
    """sha256 of the post as it was written."""
    capture: str
    """Payload digest of the answer it was made from; empty if that was not kept."""
    etag: str
    modified: str
    """Validators of that answer, as sent."""
    since: str
    """When it became a post; ISO 8601."""
    checks: int
    """Looks so far."""
    missing: int
    """How many of the last looks found it gone, one after the other."""
    gone: str
    """When it was held to be gone upstream; empty while it is not."""
    revision: int
    """Earlier versions that are kept."""


_PAGE = 500
"""Rows that are read at once."""
_COLUMNS = [name for name in Check.__slots__ if name != "row"]
_READ = sa.select(*ROW, *(articles.c[name] for name in _COLUMNS))
"""By name: a ledger that may not be written to can lack newer columns."""


def due(ledger: Ledger, source: str, now: datetime, most: int) -> list[Check]:
    """What is due, longest overdue first."""
    query = (
        _READ.where(
            _WAITING, articles.c.source == source, articles.c.state == "done", articles.c.check_due <= stamp(now)
        )
        .order_by(articles.c.check_due, articles.c.id)
        .limit(most)
    )
    return [_check(row) for row in ledger.read(query)]


def known(ledger: Ledger, name: str) -> list[Check]:
    """Posts of this key, or the post at this path."""
    chosen = articles.c.state == "done", sa.or_(articles.c.key == name, articles.c.path == name)
    return [_check(row) for row in ledger.read(_READ.where(*chosen).order_by(articles.c.id))]


def latest(ledger: Ledger, source: str, most: int) -> list[Check]:
    """Posts of a source whose articles are still there, by their days, the newest first."""
    chosen = articles.c.source == source, articles.c.state == "done", articles.c.gone == ""
    return [_check(row) for row in ledger.read(_READ.where(*chosen).order_by(articles.c.path.desc()).limit(most))]


def spread(ledger: Ledger, source: str, most: int) -> list[Check]:
    """Up to about so many of a source's posts whose articles are still there, from its first to its last."""
    chosen = articles.c.source == source, articles.c.state == "done", articles.c.gone == ""
    count = int(ledger.read(sa.select(sa.func.count()).select_from(articles).where(*chosen))[0][0])
    step = max(1, count // most)
    query = _READ.where(*chosen, articles.c.id % step == 0).order_by(articles.c.id).limit(most)
    return [_check(row) for row in ledger.read(query)]


def posts_of(ledger: Ledger, source: str, key: str = "") -> Iterator[Check]:
    """Posts of a source in the order of their rows, or the one of this key; what changes meanwhile is seen."""
    last, named = 0, (articles.c.key == key,) if key else ()
    while True:
        chosen = articles.c.source == source, articles.c.state == "done", articles.c.id > last, *named
        rows = ledger.read(_READ.where(*chosen).order_by(articles.c.id).limit(_PAGE))
        yield from map(_check, rows)
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


def keys(ledger: Ledger) -> list[str]:
    """Keys of all posts."""
    return [row.key for row in ledger.read(sa.select(articles.c.key).where(articles.c.state == "done"))]


def by_path(ledger: Ledger, path: str) -> Check | None:
    """The post at this path, None if the ledger knows none."""
    query = _READ.where(sa.func.lower(articles.c.path) == path.lower(), articles.c.path == path)
    return next((_check(row) for row in ledger.read(query)), None)


def revised(ledger: Ledger) -> dict[str, int]:
    """Path -> number of earlier versions, of posts that have any."""
    query = sa.select(articles.c.path, articles.c.revision).where(articles.c.revision > 0)
    return {row.path: row.revision for row in ledger.read(query)}


def settle(ledger: Ledger, outcomes: Mapping[int, Mapping[str, Any]]) -> None:
    """Row id -> columns that a look changed; one transaction."""
    ledger.write(*(articles.update().where(articles.c.id == row).values(**told) for row, told in outcomes.items()))


def _check(row: Any) -> Check:
    asked = Row(row.id, row.space, row.key, row.source, json.loads(row.hints), row.seen, row.tries)
    return Check(asked, *(getattr(row, name) for name in _COLUMNS))
