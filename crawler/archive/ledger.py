"""The ledger: everything known of every key, in SQLite by default.

It is an index over posts plus the queue. A row says ``done`` only after its post is durable; what a list named is
committed before any of its articles is asked for; validators of lists move last.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive import changelog, sketches

V = TypeVar("V")
SCHEMA_VERSION = 2
"""1 knew no backfills."""
_CHUNK = 400
"""Values in one IN list; SQLite's default limit of bound values is 999 in old builds."""
RETRY_AFTER = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""Growing gaps between two tries of an article that gave no post."""

_WAITING = sa.text("state in ('queued', 'refused') and crawl = 1")
"""Rows of crawls that may still become posts; literal, so that SQLite sees that the partial index serves."""
_OF_BACKFILLS = sa.text("backfill != 0")

metadata = sa.MetaData()
meta = sa.Table("meta", metadata, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text))
articles = sa.Table(
    "articles",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("space", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # queued, done, refused, alias; outside a backfill's days
    sa.Column("hints", sa.Text, nullable=False),  # what the list said, as JSON
    sa.Column("seen", sa.Text, nullable=False),  # first sight by a crawl, ISO 8601 in UTC
    sa.Column("due", sa.Text, nullable=False, default=""),  # not to be asked before
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.Text, nullable=False, default=""),  # why refused, or the key it is an alias of
    sa.Column("path", sa.Text, nullable=False, default=""),  # post, relative to the archive
    sa.Column("digest", sa.Text, nullable=False, default=""),  # sha256 of the post
    sa.Column("capture", sa.Text, nullable=False, default=""),  # payload digest of its capture
    sa.Column("notes", sa.Text, nullable=False, default=""),  # disagreements between list and page, as JSON
    # of second looks at an article that is a post (see checks.py)
    sa.Column("etag", sa.Text, nullable=False, server_default=""),  # of the answer that it was made from
    sa.Column("modified", sa.Text, nullable=False, server_default=""),
    sa.Column("since", sa.Text, nullable=False, server_default=""),  # when it became a post
    sa.Column("check_due", sa.Text, nullable=False, server_default=""),  # the next look, empty for none
    sa.Column("checks", sa.Integer, nullable=False, server_default="0"),
    sa.Column("missing", sa.Integer, nullable=False, server_default="0"),  # looks in a row that found nothing there
    sa.Column("gone", sa.Text, nullable=False, server_default=""),  # tombstone: since when it is gone upstream
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),  # earlier versions that are kept
    sa.Column("backfill", sa.Integer, nullable=False, server_default="0"),  # number of the last that wanted it
    sa.Column("crawl", sa.Integer, nullable=False, server_default="1"),  # whether crawls ask for it
    sa.UniqueConstraint("space", "key"),
    sa.Index("articles_queue", "source", "id", sqlite_where=_WAITING),
    sa.Index("articles_backfill", "backfill", "id", sqlite_where=_OF_BACKFILLS),
    sa.Index("articles_checks", "source", "check_due", sqlite_where=sa.text("check_due != ''")),
    sa.Index("articles_seen", "source", "seen"),
    sa.Index("articles_path", sa.func.lower(sa.literal_column("path"))),
)
texts = sa.Table(
    "texts",  # of posts, for the gate: is it another's text, and what are the source's posts like?
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("space", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # of the words alone
    sa.Column("title", sa.Text, nullable=False),  # digest of the headline
    sa.Column("length", sa.Integer, nullable=False),  # characters of plain text
    sa.Column("outlet", sa.Integer, nullable=False),  # whether one is credited
    sa.Column("dated", sa.Integer, nullable=False, server_default="0"),  # whether the page said when it was published
    sa.UniqueConstraint("space", "key"),
    sa.Index("texts_digest", "source", "digest"),
)
readings = sa.Table(
    "readings",  # of articles that the generic extractor read (see memory.py)
    metadata,
    sa.Column("space", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # how many the source had by then
    sa.Column("title", sa.Text, nullable=False),  # of the page's head, with the site's name and all
    sa.Column("told", sa.Text, nullable=False),  # what other pages told of it, as JSON; empty for nothing
    sa.Index("readings_number", "source", "number"),
)
blocks = sa.Table(
    "blocks",  # of those articles, by source: what stands on several of them is the site's
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False),  # of the article that had it first
    sa.Column("several", sa.Integer, nullable=False),  # whether another had it as well
    sa.Column("number", sa.Integer, nullable=False),  # of the article that had it last
    sa.Index("blocks_number", "source", "several", "number"),
    sqlite_with_rowid=False,
)
error_pages = sa.Table(
    "error_pages",  # what a site says at addresses that do not exist
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, nullable=False),  # when it was asked
    sa.Column("sketches", sa.Text, nullable=False),  # JSON; empty where the site answers honestly
)
listings = sa.Table(
    "listings",
    metadata,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),  # digest of the rules it was read with
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("modified", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # of the body, where a server has no validators
    sa.Column("lists", sa.Text, nullable=False, server_default=""),  # addresses of further lists that it names
)
walks = sa.Table("walks", metadata, sa.Column("url", sa.Text, primary_key=True))  # begun, not yet ended
captures = sa.Table(
    "captures",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("segment", sa.Text, nullable=False),
    sa.Column("offset", sa.Integer, nullable=False),
    sa.Column("length", sa.Integer, nullable=False),
)
segments = sa.Table(
    "segments",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("size", sa.Integer, nullable=False),  # bytes known to be whole
)
hosts = sa.Table(
    "hosts",
    metadata,
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("rest_until", sa.Text, nullable=False),  # nothing is asked of it before
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),  # how often in a row the breaker closed it
)
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("started", sa.Text, nullable=False),
    sa.Column("ended", sa.Text, nullable=False, default=""),
    sa.Column("exit_code", sa.Integer),
    sa.Column("report", sa.Text, nullable=False, default=""),
)
visits = sa.Table(
    "visits",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("started", sa.Text, nullable=False),  # of the last run that left nothing of the source unasked
)

backfills = sa.Table(
    "backfills",  # see crawler/backfill.py
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("first", sa.Text, nullable=False),  # day, ISO 8601
    sa.Column("last", sa.Text, nullable=False),
    sa.Column("via", sa.Text, nullable=False),  # ways of listing, with commas; empty for all
    sa.Column("started", sa.Text, nullable=False),
    sa.Column("ended", sa.Text, nullable=False),  # when nothing was left; empty while something is
)
surveys = sa.Table(
    "surveys",  # walks of backfills
    metadata,
    sa.Column("backfill", sa.Integer, primary_key=True),
    sa.Column("start", sa.Text, primary_key=True),  # address of the list's first page
    sa.Column("way", sa.Text, nullable=False),  # kind of list
    sa.Column("page", sa.Text, nullable=False),  # address of the page to be asked next; empty for the first
    sa.Column("number", sa.Integer, nullable=False),  # of that page
    sa.Column("reach", sa.Text, nullable=False),  # the oldest day that its pages told, ISO 8601
    sa.Column("asked", sa.Integer, nullable=False),  # pages read
    sa.Column("listed", sa.Integer, nullable=False),  # articles of the days that they named
    sa.Column("found", sa.Integer, nullable=False),  # of those, articles that are to be asked for
    sa.Column("ended", sa.Integer, nullable=False),
)
coverage = sa.Table(
    "coverage",  # see crawler/coverage.py
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("list", sa.Text, primary_key=True),  # address of its first page, or its template
    sa.Column("day", sa.Text, primary_key=True),  # where there is a list for each day, else empty
    sa.Column("walked", sa.Text, nullable=False),  # start of the last run that read it to its end
)
gaps = sa.Table(
    "gaps",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("list", sa.Text, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),  # when the list had last been read to its end
    sa.Column("first", sa.Text, nullable=False),  # days on which articles may be missing, ISO 8601
    sa.Column("last", sa.Text, nullable=False),
)
marks = sa.Table(
    "marks",  # of numbered articles, see crawler/numbers.py
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("template", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),  # where numbers begin anew each day, else empty
    sa.Column("number", sa.Integer, nullable=False),  # the highest that is known to be an article
)
files = sa.Table(
    "files",  # WARC files that posts were made from, see crawler/warcs.py
    metadata,
    sa.Column("file", sa.Text, primary_key=True),  # path or address
    sa.Column("rules", sa.Text, primary_key=True),  # digest of what was looked for
    sa.Column("identity", sa.Text, nullable=False),  # by which a file is known to be the same
    sa.Column("offset", sa.Integer, nullable=False),  # from where reading goes on
    sa.Column("inside", sa.Integer, nullable=False),
    sa.Column("ended", sa.Integer, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),  # what it gave so far, as JSON
)
images = sa.Table(
    "images",  # that are kept; all of it stands in their captures
    metadata,
    sa.Column("url", sa.Text, primary_key=True),  # as bodies name it, whatever it redirects to
    sa.Column("capture", sa.Text, nullable=False),  # payload digest
    sa.Column("path", sa.Text, nullable=False),  # of its file
    sa.Index("images_path", "path"),
    sqlite_with_rowid=False,
)
rewrites = sa.Table(
    "rewrites",  # posts that are about to be replaced by a better reading of their captures, see crawler/reprocess.py
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),  # sha256 of what is to stand there
)

_others = articles.alias()
_LAST = sa.select(sa.func.max(_others.c.id) + 1).scalar_subquery()
"""The end of the queue: a run that has leased rows beyond an old number would not come back to it."""

# Asked for every article: SQLAlchemy takes four times as long where it builds the query each time.
_STATE = sa.select(articles.c.state).where(
    articles.c.space == sa.bindparam("space"), articles.c.key == sa.bindparam("key")
)
_FOLDED = sa.func.lower(articles.c.path)
_OWNER = sa.select(articles.c.space, articles.c.key, _FOLDED.label("place")).where(
    _FOLDED.in_(sa.bindparam("places", expanding=True))
)
_CAPTURED = sa.select(captures.c.offset).where(
    captures.c.digest == sa.bindparam("digest"), captures.c.url == sa.bindparam("url")
)


class LedgerError(RuntimeError):
    """The ledger cannot be used as it is; the message names the file and the next command."""


class LedgerLost(LedgerError):
    """The ledger is torn, or missing beside posts and captures: it can be made anew from them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One article as a list names it."""

    key: str
    hints: dict[str, str] = field(default_factory=dict)
    """url, code, title, published, outlet, digest, byline: what the list says, as printed."""
    refused: str = ""
    """Why it cannot become a post, if that is plain from the list alone."""


@dataclass(frozen=True, slots=True)
class Row:
    """An article to be asked for."""

    id: int
    space: str
    key: str
    source: str
    hints: dict[str, str]
    seen: str
    tries: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a list page brought: keys never seen, keys known, and records refused by the list alone."""

    new: int
    known: int
    refused: list[Entry]


@dataclass(frozen=True, slots=True)
class Kept:
    """A post that is durable."""

    space: str
    key: str
    source: str
    path: str
    digest: str
    capture: str = ""
    notes: str = ""
    etag: str = ""
    modified: str = ""
    since: str = ""
    check_due: str = ""
    revision: int = 0
    hints: dict[str, str] = field(default_factory=dict)
    """For an article that no list named."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Where a response lies."""

    digest: str
    url: str
    segment: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Validators:
    """What a conditional request of a list is made from."""

    url: str
    source: str
    rules: str
    etag: str = ""
    modified: str = ""
    digest: str = ""
    lists: str = ""
    """Addresses of further lists that the page names, one a line."""


ROW = [articles.c[name] for name in Row.__slots__]
"""What is read of an article that is to be asked for."""


def is_due(now: datetime) -> sa.ColumnElement[bool]:
    """Whether an article that waits may be asked for: what was given up never is."""
    again = sa.or_(articles.c.state == "queued", articles.c.due != "")
    return sa.and_(articles.c.due <= stamp(now), again)


def stamp(moment: datetime) -> str:
    """A moment as the ledger writes it: sortable, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(written: str) -> datetime:
    """What ``stamp`` wrote."""
    return datetime.fromisoformat(written).astimezone(UTC)


def chunks(values: Sequence[V]) -> Iterator[Sequence[V]]:
    """``values`` in pieces that one IN list holds."""
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


class Ledger:
    """Open ledger. Every method that writes is one transaction."""

    def __init__(self, path: Path, *, frozen: bool = False) -> None:
        """Open or create. Raises LedgerError where the file is torn or made by a newer presskeep, OSError where it
        cannot be read or written.

        ``frozen``: nothing may be written, and the file is read as it lies, without what a run that is going on has
        not folded in yet: in WAL mode SQLite writes beside the file even to read it.
        """
        self.path = path
        self._frozen = frozen
        self.aliased: list[tuple[str, str, str]] = []
        """(space, key, key of the article) of each alias noted since the ledger was opened, for those who watch."""
        address, as_it_lies = str(path), {"mode": "ro", "immutable": "1", "uri": "true"}
        if frozen:
            self.engine = sa.create_engine(sa.URL.create("sqlite", database=f"file:{quote(address)}", query=as_it_lies))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(sa.URL.create("sqlite", database=address))
            sa.event.listen(self.engine, "connect", _pragmas)
        try:
            self._connection = self.engine.connect()
            self._check_or_close()
        except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
            fault = error.orig if isinstance(error, sa.exc.DatabaseError) else error
            if isinstance(fault, sqlite3.OperationalError):  # no room, no right, or in use
                raise OSError(errno.EIO, f"the ledger cannot be opened: {fault}", str(path)) from error
            raise LedgerLost(f"{path}: the ledger is damaged ({fault}). Next: presskeep rebuild-ledger") from error

    @classmethod
    def to_read(cls, path: Path) -> Ledger:
        """Open for a verb that only reads: also on a disk, or in an archive, that it may not write to."""
        return cls(path, frozen=not all(os.access(one, os.W_OK) for one in (path.parent, path)))

    def _check_or_close(self) -> None:
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def _check(self) -> None:
        if self._connection.scalar(sa.text("pragma quick_check")) != "ok":
            raise LedgerLost(f"{self.path}: the ledger is damaged. Next: presskeep rebuild-ledger")
        known = sa.inspect(self._connection).has_table("meta")
        query = sa.select(meta.c.value).where(meta.c.name == "schema")
        version = self._connection.scalar(query) if known else None
        if version is not None and int(version) > SCHEMA_VERSION:
            raise LedgerError(f"{self.path}: written by a newer presskeep (schema {version}). Next: upgrade presskeep")
        if self._frozen:
            return
        self._connection.rollback()
        self._connection.exec_driver_sql("begin")  # all tables and indexes or none; Python would commit each alone
        metadata.create_all(self._connection)
        if version is not None and int(version) < SCHEMA_VERSION:
            self._migrate()
        if version is None:
            self._connection.execute(meta.insert().values(name="schema", value=str(SCHEMA_VERSION)))
        changelog.begin(self._connection)
        sketches.begin(self._connection)
        self._connection.commit()

    def _migrate(self) -> None:
        """What an older schema lacks of ``articles``; other tables were made already."""
        there = {column["name"] for column in sa.inspect(self._connection).get_columns("articles")}
        for column in articles.columns:
            if column.name not in there:
                words = sa.schema.CreateColumn(column).compile(self.engine)
                self._connection.exec_driver_sql(f"alter table articles add column {words}")
        self._connection.exec_driver_sql("drop index if exists articles_queue")
        for index in articles.indexes:
            if index.name in ("articles_queue", "articles_backfill"):
                index.create(self._connection)
        self._connection.execute(meta.update().where(meta.c.name == "schema").values(value=str(SCHEMA_VERSION)))

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        self._connection.close()
        self.engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        self._connection.rollback()  # ends a read's implicit transaction
        try:
            with self._connection.begin():
                yield self._connection
        except sa.exc.OperationalError as error:  # SQLite's way to say that the disk is full or gone
            raise OSError(errno.EIO, str(error.orig), str(self.path)) from error

    # for modules that keep tables of their own topic here

    def read(self, statement: sa.Executable, values: Mapping[str, Any] | None = None) -> Sequence[sa.Row[Any]]:
        """Rows that a select gives, for these values of its parameters."""
        return self._connection.execute(statement, values).all()

    def write(self, *statements: sa.Executable) -> None:
        """Execute statements in one transaction. Raises OSError where the disk is full or gone."""
        with self._writing() as connection:
            for statement in statements:
                connection.execute(statement)

    # the frontier

    def discover(self, source: str, space: str, entries: Sequence[Entry], now: datetime, walk: str = "") -> Found:
        """Commit what a list names. Known keys stay as they are; a refused one is queued if its record was mended, one
        that only a backfill knew is the crawls' as well.

        ``walk``: first address of a list whose walk goes on after this page; it is marked open in the same transaction.
        """
        by_key: dict[str, Entry] = {}
        for entry in entries:
            by_key.setdefault(entry.key, entry)  # of several mentions the first counts
        states = self._states(space, by_key)
        fresh = [entry for key, entry in by_key.items() if key not in states]
        mended = [entry for key, entry in by_key.items() if _mended(states.get(key), entry)]
        taken = [key for key in by_key if key in states and not states[key].crawl]
        if fresh or mended or taken:
            with self._writing() as connection:
                if fresh:
                    connection.execute(articles.insert(), [_fresh(source, space, entry, now) for entry in fresh])
                for entry in mended:
                    chosen = articles.c.space == space, articles.c.key == entry.key
                    values = {"state": "queued", "hints": _json(entry.hints), "due": "", "tries": 0, "reason": ""}
                    connection.execute(articles.update().where(*chosen).values(id=_LAST, **values))
                for key in taken:
                    chosen = articles.c.space == space, articles.c.key == key
                    waits = {"id": _LAST} if states[key].state != "done" else {}
                    connection.execute(articles.update().where(*chosen).values(crawl=1, seen=stamp(now), **waits))
                if walk:
                    connection.execute(insert(walks).values(url=walk).on_conflict_do_nothing())
        refused = [entry for entry in fresh if entry.refused]
        return Found(len(fresh) - len(refused) + len(mended), len(by_key) - len(fresh) - len(mended), refused)

    def _states(self, space: str, keys: Iterable[str]) -> dict[str, _Known]:
        """Those that are known, by key."""
        keys, known = list(keys), {}
        for start in range(0, len(keys), _CHUNK):
            chosen = articles.c.space == space, articles.c.key.in_(keys[start : start + _CHUNK])
            query = sa.select(articles.c.key, articles.c.state, articles.c.hints, articles.c.crawl).where(*chosen)
            known.update({key: _Known(*told) for key, *told in self._connection.execute(query)})
        return known

    def lease(self, source: str, after: int, limit: int, now: datetime) -> list[Row]:
        """The next queued rows of a source's crawls with an id above ``after``; refused ones too, once they are due
        again."""
        chosen = _WAITING, articles.c.source == source, articles.c.id > after, is_due(now)
        return self.rows(sa.select(*ROW).where(*chosen).order_by(articles.c.id).limit(limit))

    def rows(self, query: sa.Select[Any]) -> list[Row]:
        """Articles to be asked for, of a query for ``ROW``."""
        return [
            Row(row.id, row.space, row.key, row.source, json.loads(row.hints), row.seen, row.tries)
            for row in self._connection.execute(query)
        ]

    def queued(self, source: str) -> int:
        """Rows of a source's crawls that wait for their article."""
        # with a bound of its second column SQLite takes the queue's own index, whatever others begin with the source
        chosen = _WAITING, articles.c.source == source, articles.c.id > 0, articles.c.state == "queued"
        return self._connection.scalar(sa.select(sa.func.count()).select_from(articles).where(*chosen)) or 0

    # outcomes

    def keep(
        self,
        kept: Sequence[Kept],
        made: Sequence[Capture] = (),
        sizes: Mapping[str, int] | None = None,
        words: Sequence[Mapping[str, Any]] = (),
        more: Sequence[tuple[sa.Executable, Sequence[Mapping[str, Any]]]] = (),
    ) -> None:
        """Say that these posts and captures are durable; a key that no list named (an alias' target) is added.

        ``words``: rows for ``texts``; ``more``: statements of the same transaction, each with its values.
        """
        if not (kept or made or sizes or more):
            return
        with self._writing() as connection:
            if made:
                values = [{name: getattr(one, name) for name in Capture.__slots__} for one in made]
                connection.execute(insert(captures).on_conflict_do_nothing(), values)
            for name, size in (sizes or {}).items():
                statement = insert(segments).values(name=name, size=size)
                connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"size": size}))
            if kept:
                connection.execute(_upsert_done(), [_done(one) for one in kept])
            if words:
                connection.execute(_UPSERT_TEXT, words)
            for further, rows in more:
                connection.execute(further, rows)

    def refuse(self, space: str, key: str, reason: str, now: datetime) -> int:
        """No post, and why; asked again later, with growing gaps, for as long as there are gaps left.

        The number of tries before this one.
        """
        chosen = articles.c.space == space, articles.c.key == key
        tries = self._connection.scalar(sa.select(articles.c.tries).where(*chosen)) or 0
        due = stamp(now + RETRY_AFTER[tries]) if tries < len(RETRY_AFTER) else ""
        values = {"state": "refused", "reason": reason, "tries": tries + 1, "due": due}
        with self._writing() as connection:
            connection.execute(articles.update().where(*chosen, articles.c.state != "done").values(**values))
        return tries

    def alias(self, space: str, key: str, of: str, now: datetime, *, guessed: bool = False) -> None:
        """``key`` is another address of the article ``of``: never asked again.

        An ``of`` that no list named is queued with what the list said of ``key``, for the next run: the article is in
        hand, but this run may be killed, or refuse it, before its post is durable. ``guessed``: no list named ``key``,
        so that nobody need watch what it leads to.
        """
        chosen = articles.c.space == space, articles.c.key == key, articles.c.state != "done"
        told = {name: articles.c[name] for name in ("space", "source", "hints", "seen", "backfill", "crawl")}
        rest = {"state": "queued", "due": stamp(now + timedelta(seconds=1)), "tries": 0}
        rest |= dict.fromkeys(("reason", "path", "digest", "capture", "notes"), "")
        row = sa.select(sa.literal(of), *told.values(), *map(sa.literal, rest.values())).where(*chosen)
        statement = insert(articles).from_select(["key", *told, *rest], row)
        again = statement.on_conflict_do_update(
            index_elements=["space", "key"], set_={"state": "queued"}, where=articles.c.state == "alias"
        )
        with self._writing() as connection:
            connection.execute(again)
            connection.execute(articles.update().where(*chosen).values(state="alias", reason=of, due=""))
        if not guessed:
            self.aliased.append((space, key, of))

    def state(self, space: str, key: str) -> str:
        """State of a key, empty for one never seen."""
        return self._connection.scalar(_STATE, {"space": space, "key": key}) or ""

    def owner(self, path: str) -> tuple[str, str] | None:
        """(space, key) of the post at this path in any case of letters, None if the ledger knows no such path."""
        return self._owner([path])

    def owner_of_address(self, path: str) -> tuple[str, str] | None:
        """Likewise of the post that has the address of one at this path: dated and flat ones have the same."""
        name = path.rpartition("/")[2]
        return self._owner([path, f"_posts/{name}", f"_posts/{name[:10].replace('-', '/')}/{name}"])

    def _owner(self, paths: Sequence[str]) -> tuple[str, str] | None:
        """The first of these that is a post has it."""
        places = list(dict.fromkeys(path.lower() for path in paths))
        rows = self._connection.execute(_OWNER, {"places": places}).all()
        row = min(rows, key=lambda row: places.index(row.place), default=None)
        return None if row is None else (row.space, row.key)

    def posts(self) -> Iterator[Kept]:
        """Every post that the ledger knows."""
        columns = [articles.c[name] for name in ("space", "key", "source", "path", "digest", "capture", "notes")]
        for row in self._connection.execute(sa.select(*columns).where(articles.c.state == "done")):
            yield Kept(*row)

    # lists

    def validators(self, url: str, rules: str) -> Validators | None:
        """What is known of a list page, if it was read with the same rules."""
        row = self._connection.execute(sa.select(listings).where(listings.c.url == url)).one_or_none()
        return Validators(**row._mapping) if row is not None and row.rules == rules else None

    def walk_is_open(self, url: str) -> bool:
        """Whether a walk from this address was begun and never ended: what it did not reach is not known."""
        return self._connection.scalar(sa.select(walks.c.url).where(walks.c.url == url)) is not None

    def open_walk(self, url: str) -> None:
        """What lies behind this list's first page is not known: its next walk does not stop at what is."""
        with self._writing() as connection:
            connection.execute(insert(walks).values(url=url).on_conflict_do_nothing())

    def end_walk(self, url: str, known: Sequence[Validators]) -> None:
        """A walk from this address has ended: move the validators of its pages."""
        if not known and not self.walk_is_open(url):
            return
        statement = insert(listings)
        told = ("source", "rules", "etag", "modified", "digest", "lists")
        changes = {name: statement.excluded[name] for name in told}
        values = [{"url": one.url, **{name: getattr(one, name) for name in told}} for one in known]
        with self._writing() as connection:
            if values:
                connection.execute(statement.on_conflict_do_update(index_elements=["url"], set_=changes), values)
            connection.execute(walks.delete().where(walks.c.url == url))

    # captures

    def captured(self, digest: str, url: str) -> bool:
        """Whether this very response of this address is kept already."""
        return self._connection.scalar(_CAPTURED, {"digest": digest, "url": url}) is not None

    def segment_sizes(self) -> dict[str, int]:
        """Segment -> bytes known to be whole."""
        rows = self._connection.execute(sa.select(segments.c.name, segments.c.size))
        return {row.name: row.size for row in rows}

    def captures(self) -> Iterator[Capture]:
        """Every capture that the ledger knows."""
        for row in self._connection.execute(sa.select(captures)):
            yield Capture(**row._mapping)

    def find_capture(self, digest: str) -> Capture | None:
        """Where the capture with this payload digest lies."""
        row = self._connection.execute(sa.select(captures).where(captures.c.digest == digest).limit(1)).one_or_none()
        return Capture(**row._mapping) if row is not None else None

    # runs

    def start_run(self, now: datetime) -> int:
        """Open a run; its number."""
        with self._writing() as connection:
            return int(connection.execute(runs.insert().values(started=stamp(now))).lastrowid)

    def end_run(self, run: int, now: datetime, exit_code: int, report: dict[str, Any]) -> None:
        """Close a run with its report."""
        values = {"ended": stamp(now), "exit_code": exit_code, "report": _json(report)}
        with self._writing() as connection:
            connection.execute(runs.update().where(runs.c.id == run).values(**values))

    def last_runs(self, limit: int = 100) -> list[dict[str, Any]]:
        """Reports of the last runs, newest first."""
        query = sa.select(runs).order_by(runs.c.id.desc()).limit(limit)
        rows = self._connection.execute(query)
        return [{**row._mapping, "report": json.loads(row.report) if row.report else {}} for row in rows]

    def runs_since(self, moment: datetime) -> list[dict[str, Any]]:
        """Reports of the runs that started since then, newest first."""
        rows = self.read(sa.select(runs).where(runs.c.started >= stamp(moment)).order_by(runs.c.id.desc()))
        return [{**row._mapping, "report": json.loads(row.report) if row.report else {}} for row in rows]

    def counts(self) -> dict[str, dict[str, int]]:
        """Source -> state -> number of keys."""
        query = sa.select(articles.c.source, articles.c.state, sa.func.count()).group_by(
            articles.c.source, articles.c.state
        )
        counted: dict[str, dict[str, int]] = {}
        for source, state, number in self._connection.execute(query):
            counted.setdefault(source, {})[state] = number
        return counted

    def disagreements(self, limit: int = 50) -> list[tuple[str, str, dict[str, list[str]]]]:
        """(source, key, field -> [list's word, page's word]) of the newest articles whose list and page differ."""
        chosen = sa.select(articles.c.source, articles.c.key, articles.c.notes).where(articles.c.notes != "")
        rows = self._connection.execute(chosen.order_by(articles.c.id.desc()).limit(limit))
        return [(row.source, row.key, json.loads(row.notes)) for row in rows]

    def refusals(self, limit: int = 50) -> list[tuple[str, str, str]]:
        """(source, key, reason) of the newest refused keys."""
        return self._reasons(articles.c.state == "refused", limit)

    def second_looks(self, limit: int = 50) -> list[tuple[str, str, str]]:
        """(source, key, reason) of the newest posts whose last second look found what may not replace them."""
        return self._reasons(sa.and_(articles.c.state == "done", articles.c.reason != ""), limit)

    def _reasons(self, chosen: sa.ColumnElement[bool], limit: int) -> list[tuple[str, str, str]]:
        columns = (articles.c.source, articles.c.key, articles.c.reason)
        query = sa.select(*columns).where(chosen).order_by(articles.c.id.desc()).limit(limit)
        return [(row.source, row.key, row.reason) for row in self._connection.execute(query)]


def _pragmas(connection: sqlite3.Connection, _: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on", "busy_timeout=5000"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _fresh(source: str, space: str, entry: Entry, now: datetime | None) -> dict[str, Any]:
    return {
        "space": space,
        "key": entry.key,
        "source": source,
        "state": "refused" if entry.refused else "queued",
        "hints": _json(entry.hints),
        "seen": stamp(now) if now else "",
        "due": "",
        "tries": 0,
        "reason": entry.refused,
        "path": "",
        "digest": "",
        "capture": "",
        "notes": "",
    }


_TOLD = ("path", "digest", "capture", "notes", "etag", "modified", "since", "check_due", "revision")
"""What the ledger says of a post."""


def _upsert_text() -> Any:
    statement = insert(texts)
    changes = {name: statement.excluded[name] for name in ("source", "digest", "title", "length", "outlet", "dated")}
    return statement.on_conflict_do_update(index_elements=["space", "key"], set_=changes)


_UPSERT_TEXT = _upsert_text()


def _upsert_done() -> Any:
    statement = insert(articles)
    told = ("state", "reason", *_TOLD)
    changes: dict[str, Any] = {name: statement.excluded[name] for name in told}
    # what a list gave in full is in the post by now, and there is no page that second looks could compare
    in_full = sa.func.instr(articles.c.hints, '"content": ') > 0
    changes["hints"] = sa.case((in_full, sa.func.json_remove(articles.c.hints, "$.content")), else_=articles.c.hints)
    changes["check_due"] = sa.case((in_full, ""), else_=statement.excluded.check_due)
    return statement.on_conflict_do_update(index_elements=["space", "key"], set_=changes)


def _done(one: Kept) -> dict[str, Any]:
    row = _fresh(one.source, one.space, Entry(one.key, one.hints), None)
    told = {name: getattr(one, name) for name in _TOLD}
    return {**row, **told, "state": "done"}


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a key that a list names."""

    state: str
    hints: str
    crawl: int


def _mended(known: _Known | None, entry: Entry) -> bool:
    """A refused record that the list now gives otherwise, and whole; one that lay outside the days of a backfill; one
    that was nobody's when its address was guessed."""
    if known is None or entry.refused:
        return False
    return known.state in ("outside", "absent") or (known.state == "refused" and known.hints != _json(entry.hints))
