"""Where a mirror stands, in its own ledger: how far it took the origin's log, what came of it, what was lacking."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive.ledger import Ledger, meta
from crawler.archive.rewrites import Statement
from crawler.follow.record import Left

_REMEMBERED = 500
"""Articles that were left alone and are told of each time, until all is compared again."""
_MARK = "mirror"
"""Name in ``meta`` of where the mirror stands."""

_metadata = sa.MetaData()
mirrored = sa.Table(
    "mirrored",  # articles that came from the origin
    _metadata,
    sa.Column("space", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sqlite_with_rowid=False,
)
_lacking = sa.Table(
    "lacking",  # articles that the origin has and could not give; they are asked for again
    _metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # of its latest line in the origin's log
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a mirror has come."""

    origin: str = ""
    """Its address, as last given."""
    log: str = ""
    number: int = 0
    mark: str = ""
    """The origin's, by then."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Source -> sha256 of the file that was written for it."""
    left: Mapping[str, str] = field(default_factory=dict)
    """Path -> why it was left alone; as much of it as can be kept in mind."""


def position_of(ledger: Ledger) -> Position:
    """As the last one left it."""
    _metadata.create_all(ledger.engine)
    rows = ledger.read(sa.select(meta.c.value).where(meta.c.name == _MARK))
    return Position(**json.loads(rows[0].value)) if rows else Position()


def moved(at: Position) -> Statement:
    """Puts the mirror there."""
    values = {"name": _MARK, "value": json.dumps(asdict(at), ensure_ascii=False)}
    return upsert(meta, "name", ("value",)), [values]


def few(left: Mapping[str, str]) -> dict[str, str]:
    """What can be kept in mind of that."""
    return dict(islice(left.items(), _REMEMBERED))


def lacking(ledger: Ledger) -> dict[int, Left]:
    """What the origin could not give, by number."""
    rows = ledger.read(sa.select(_lacking).order_by(_lacking.c.number))
    return {row.number: Left.model_construct(**row._mapping) for row in rows}


def lacks(left: Iterable[Left], *, alone: bool = False) -> list[Statement]:
    """Remembers what the origin could not give. ``alone``: and forgets all else."""
    rows = [one.model_dump() for one in left]
    forgotten: list[Statement] = [(_lacking.delete(), [{}])] if alone else []
    return [*forgotten, *([(upsert(_lacking, "number", ("path", "why")), rows)] if rows else [])]


def upsert(table: sa.Table, key: str, columns: Sequence[str]) -> sa.Executable:
    """Rows into a table, these columns in place of what is there under the same key (several with blanks)."""
    statement: Any = insert(table)
    told = {name: statement.excluded[name] for name in columns}
    return statement.on_conflict_do_update(index_elements=key.split(), set_=told)  # type: ignore[no-any-return]
