"""The change log: what became of each post, numbered, for whoever holds a number and asks what came since.

SQLite's own triggers write it, in the transaction that changes an article's row: no way of writing a post can forget
it, and an older presskeep that writes into the ledger keeps it as well. A line is never changed and never taken out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

if TYPE_CHECKING:
    from crawler.archive.ledger import Ledger

Event = Literal["new", "edited", "reprocessed", "tombstone", "restored"]

_PAGE = 500
"""Lines that are read at once."""
PRESENCE = "tombstone", "restored"
"""Events that leave the post as it is."""
_LOG = "log"
"""Name in ``meta`` of the log's own id: random, so that followers notice that a ledger was made anew."""

metadata = sa.MetaData()
changes = sa.Table(
    "changes",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("space", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),  # earlier versions that were kept by then
    sa.Column("digest", sa.Text, nullable=False),  # sha256 of the post
    sa.Column("path", sa.Text, nullable=False),  # of the post, relative to the archive
    sa.Column("gone", sa.Text, nullable=False),  # since when its article was gone upstream by then, empty if it was not
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("moment", sa.Text, nullable=False),  # ISO 8601 in UTC
    sa.Column("capture", sa.Text, nullable=False, server_default=""),  # payload digest of what the post was made from
    sa.Index("changes_key", "space", "key", "number"),
    sa.Index("changes_capture", "capture", "number"),
)

_INTO = "insert into changes (space, key, source, revision, digest, path, capture, gone, event, moment)"
_ROW = "{0}space, {0}key, {0}source, {0}revision, {0}digest, {0}path, {0}capture"
_NOW = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
_THERE = (
    f"{_INTO} select {_ROW.format('')}, '', 'new', case since when '' then {_NOW} else since end"
    " from articles where state = 'done' order by id",
    f"{_INTO} select {_ROW.format('')}, gone, 'tombstone', gone"
    " from articles where state = 'done' and gone != '' order by id",
)
"""Posts that are older than the log."""
_TRIGGERS = (
    f"""create trigger changes_insert after insert on articles when new.state = 'done'
    begin {_INTO} values ({_ROW.format("new.")}, new.gone, 'new', {_NOW}); end""",
    f"""create trigger changes_update after update of state, digest, gone on articles when new.state = 'done'
    and (old.state != 'done' or new.digest != old.digest or (new.gone = '') != (old.gone = ''))
    begin {_INTO} values ({_ROW.format("new.")}, new.gone, case
        when old.state != 'done' then 'new'
        when new.digest != old.digest and new.revision > old.revision then 'edited'
        when new.digest != old.digest then 'reprocessed'
        when new.gone != '' then 'tombstone'
        else 'restored' end, {_NOW}); end""",
    """create trigger changes_stay before update on changes
    begin select raise(abort, 'the change log is append-only'); end""",
    """create trigger changes_last before delete on changes
    begin select raise(abort, 'the change log is append-only'); end""",
)
_WITHOUT_CAPTURES = (
    *(f"drop trigger if exists changes_{name}" for name in ("insert", "update", "stay", "last")),
    "alter table changes add column capture text not null default ''",
    "create index changes_capture on changes (capture, number)",
    """update changes set capture = coalesce((select capture from articles
        where articles.space = changes.space and articles.key = changes.key), '')
    where number in (select max(number) from changes where event not in ('tombstone', 'restored')
        group by space, key)""",
    *_TRIGGERS,
)
"""From a log that named no captures: the latest line of each post gets that of its row."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log."""

    number: int
    """1 for the first; later lines have greater ones."""
    space: str
    key: str
    source: str
    revision: int
    """Earlier versions of the post that were kept by then."""
    digest: str
    """sha256 of the post as it was written."""
    path: str
    """Of the post, relative to the archive."""
    gone: str
    """Tombstone: since when its article was gone upstream by then, ISO 8601 in UTC; empty if it was not."""
    event: Event
    """``reprocessed``: a better reading of the same capture. ``tombstone``: gone upstream, its post stays.
    ``restored``: it was there again, as it had been."""
    moment: str
    """ISO 8601 in UTC; of posts that are older than the log, when they became posts, as far as that is known."""


NAMES_CAPTURES = sa.text("select 1 from pragma_table_info('changes') where name = 'capture'")
"""Gives a row where the lines say what their posts were made from: those of an older presskeep do not."""
LINE = [changes.c[name] for name in Entry.__slots__]
"""What is read of a line."""


def begin(connection: sa.Connection) -> None:
    """Lay out the log where there is none, with a line for each post and tombstone that is there; in the caller's
    transaction."""
    if sa.inspect(connection).has_table(changes.name):
        if not connection.execute(NAMES_CAPTURES).first():
            for statement in _WITHOUT_CAPTURES:
                connection.exec_driver_sql(statement)
        return
    metadata.create_all(connection)
    for statement in (*_THERE, *_TRIGGERS):
        connection.exec_driver_sql(statement)
    told = {"name": _LOG, "value": secrets.token_hex(6)}
    connection.execute(sa.text("insert into meta (name, value) values (:name, :value)"), told)


def log_id(ledger: Ledger) -> str:
    """The log's own id: numbers of another log mean nothing here. Empty where there is no log: in a ledger that an
    older presskeep left and that may not be written to."""
    rows = ledger.read(sa.text("select value from meta where name = :name"), {"name": _LOG})
    return str(rows[0].value) if rows else ""


def last(ledger: Ledger) -> int:
    """Number of the latest line, 0 for none."""
    return int(ledger.read(sa.select(sa.func.coalesce(sa.func.max(changes.c.number), 0)))[0][0])


def entries(ledger: Ledger, since: int, upto: int, source: str = "") -> Iterator[Entry]:
    """Lines after ``since`` up to ``upto`` that still count by then, in their order: of each article the latest that
    tells of its post, and after it the latest that tells whether it is there."""
    later = changes.alias("later")
    same = later.c.space == changes.c.space, later.c.key == changes.c.key
    after = later.c.number > changes.c.number, later.c.number <= upto
    outdates = sa.or_(changes.c.event.in_(PRESENCE), later.c.event.not_in(PRESENCE))
    holds = ~sa.exists().where(*same, *after, outdates)
    asked = (changes.c.source == source,) if source else ()
    query = sa.select(*LINE).where(changes.c.number > sa.bindparam("past"), changes.c.number <= upto, holds, *asked)
    query = query.order_by(changes.c.number).limit(_PAGE)
    while rows := ledger.read(query, {"past": since}):
        yield from (Entry(**row._mapping) for row in rows)
        since = rows[-1].number
