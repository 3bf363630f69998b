"""WARC 1.1 (ISO 28500:2017): the captures that posts were made from, in the order of the change log.

Each record is the gzip member that lies in the archive, byte for byte, so that what is exported since a number and what
was exported before it are together what a whole export holds. Images that posts show follow the captures of their
articles, each once in an export: one that went out before goes out again with a later article that shows it, so that
every export can be read for itself, and nobody has to read all earlier posts to know.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import NAMESPACE_URL, uuid5

import sqlalchemy as sa

from crawler import __version__
from crawler.archive.captures import CaptureError, Response, payload_digest, read_record
from crawler.archive.changelog import LINE, NAMES_CAPTURES, PRESENCE, Entry, changes
from crawler.archive.ledger import Capture, Ledger, LedgerError, captures, images

if TYPE_CHECKING:
    from crawler.export.order import Order

SOFTWARE = f"presskeep {__version__}"
_CONFORMS_TO = "http://iipc.github.io/warc-specs/specifications/warc-format/warc-1.1/"
_PAGE = 400
"""Rows that are read at once: few enough for one IN list."""


@dataclass(frozen=True, slots=True)
class Record:
    """A capture that goes out."""

    entry: Entry | None
    """The line of the log by which it does; None for what no post was made from, such as images."""
    digest: str
    """Of the payload, as in WARC-Payload-Digest."""
    response: Response
    packed: bytes
    """Its gzip member."""


class Captures:
    """The captures of an archive, to be handed on."""

    def __init__(self, ledger: Ledger, folder: Path, *, lists: bool = False) -> None:
        """``folder``: where the segments lie. ``lists``: list pages, second looks and pages that gave no post go out as
        well, behind the others.

        Raises LedgerError for a log of an older presskeep that may not be written to.
        """
        if not ledger.read(NAMES_CAPTURES):
            raise LedgerError(f"{ledger.path}: names no captures yet. Next: presskeep status, if it may be written to")
        self.lists = lists
        self.images = _has_images(ledger)
        """Whether the archive keeps any."""
        self._ledger = ledger
        self._folder = folder

    def moment(self, upto: int) -> str:
        """When this line was noted, ISO 8601 in UTC; the beginning of time where there is none."""
        rows = self._ledger.read(sa.select(changes.c.moment).where(changes.c.number == upto))
        return str(rows[0].moment) if rows else "1970-01-01T00:00:00Z"

    def records(self, order: Order) -> Iterator[Record]:
        """Those that are asked for, one by one; what cannot be read is left out."""
        with closing(_Sent()) as sent:
            for entry, there in self._of_posts(order):
                if order.asks_for(entry):
                    yield from self._read(order, entry, there)
                    if self.images:
                        yield from self._read(order, None, self._shown(order.shelf.images(entry), sent))
            if self.lists:
                others = (one for one in self._others(order.upto) if _name(one) not in sent)
                read = self._read(order, None, others)
                yield from (one for one in read if order.source in ("", one.response.notes.get("source")))

    def _read(self, order: Order, entry: Entry | None, there: Iterable[Capture]) -> Iterator[Record]:
        for capture in there:
            try:
                response, packed = read_record(self._folder, capture)
            except CaptureError as error:
                order.shelf.leave_out(capture.url, str(error))
            else:
                yield Record(entry, capture.digest, response, packed)

    def _of_posts(self, order: Order) -> Iterator[tuple[Entry, Sequence[Capture]]]:
        """Lines with captures that they are the first to name: a better reading of one is no new capture. Where images
        are kept lines without any as well, for such a reading may show more of them."""
        earlier = changes.alias("earlier")
        first = ~sa.exists().where(
            earlier.c.capture == changes.c.capture,
            earlier.c.number < changes.c.number,
            sa.or_(sa.literal(order.source) == "", earlier.c.source == order.source),
        )
        asked = sa.or_(sa.literal(order.source) == "", changes.c.source == order.source)
        among = changes.c.number > sa.bindparam("past"), changes.c.number <= order.upto, changes.c.capture != ""
        query = sa.select(*LINE, changes.c.capture, first.label("first")).where(*among, asked)
        query = query.where(changes.c.event.not_in(PRESENCE), sa.literal(self.images) | first)
        query, since = query.order_by(changes.c.number).limit(_PAGE), order.since
        while rows := self._ledger.read(query, {"past": since}):
            there = self._captures([row.capture for row in rows if row.first])
            for row in rows:
                found = there.get(row.capture, ()) if row.first else ()
                if found or not row.first:
                    yield Entry(**{name: row._mapping[name] for name in Entry.__slots__}), found
            since = rows[-1].number

    def _shown(self, paths: Sequence[str], sent: _Sent) -> Iterator[Capture]:
        """Captures of the images in these files, without those that went out."""
        for path in filter(sent.adds, paths):
            digests = sa.select(images.c.capture).where(images.c.path == path)
            query = sa.select(captures).where(captures.c.digest.in_(digests))
            rows = self._ledger.read(query.order_by(captures.c.segment, captures.c.offset))
            yield from (one for one in map(_capture, rows) if sent.adds(_name(one)))

    def _captures(self, digests: Sequence[str]) -> dict[str, list[Capture]]:
        """Digest -> captures with this payload, in the order in which they were kept."""
        found: dict[str, list[Capture]] = {}
        query = sa.select(captures).where(captures.c.digest.in_(digests))
        for row in self._ledger.read(query.order_by(captures.c.segment, captures.c.offset)):
            found.setdefault(row.digest, []).append(_capture(row))
        return found

    def _others(self, upto: int) -> Iterator[Capture]:
        """Those that no line up to this one names."""
        row: sa.ColumnClause[int] = sa.literal_column("captures.rowid")
        past = -1
        named = sa.exists().where(changes.c.capture == captures.c.digest, changes.c.number <= upto)
        query = sa.select(row.label("row"), captures).where(row > sa.bindparam("past"), ~named)
        query = query.order_by(row).limit(_PAGE)
        while rows := self._ledger.read(query, {"past": past}):
            yield from map(_capture, rows)
            past = rows[-1].row


class _Sent:
    """Names of what went out already; in a nameless file, gone when closed, so that memory stays flat."""

    def __init__(self) -> None:
        self._names = sqlite3.connect("")
        self._names.execute("create table names (name text primary key) without rowid")

    def adds(self, name: str) -> bool:
        """Whether it is new; from now on it is not."""
        return self._names.execute("insert or ignore into names values (?)", (name,)).rowcount == 1

    def __contains__(self, name: str) -> bool:
        return self._names.execute("select 1 from names where name = ?", (name,)).fetchone() is not None

    def close(self) -> None:
        """Forget all."""
        self._names.close()


def _has_images(ledger: Ledger) -> bool:
    """A ledger that is older than images that are kept may have no table of them."""
    there = sa.inspect(ledger.engine).has_table(images.name)
    return there and bool(ledger.read(sa.select(images.c.path).limit(1)))


def _name(capture: Capture) -> str:
    return f"{capture.digest} {capture.url}"


def _capture(row: sa.Row[Any]) -> Capture:
    return Capture(row.digest, row.url, row.segment, row.offset, row.length)


def write(out: BinaryIO, order: Order) -> int:
    """Write a WARC file of one gzip member per record; the number of captures. Raises OSError."""
    written = 0
    out.write(warcinfo(order))
    for one in captures_of(order).records(order):
        out.write(one.packed)
        written += 1
    return written


def captures_of(order: Order) -> Captures:
    """Those that the order comes with: the verb gives them to the forms that are made of captures."""
    if order.captures is None:
        raise ValueError("an order without captures")
    return order.captures


def description(order: Order) -> str:
    """What an export of captures holds, in a sentence."""
    of_posts = "Captures that posts were made from" + ", with their images" * captures_of(order).images
    what = "All captures" if captures_of(order).lists else of_posts
    chosen = {"source": order.source, "category": order.category, "from": order.first, "to": order.last}
    asked = "".join(f", {name} {value}" for name, value in chosen.items() if value)
    return f"{what}: lines {order.since + 1} to {order.upto} of change log {order.log}{asked}."


def warcinfo(order: Order) -> bytes:
    """The record that says what the file is, as a gzip member; for the same lines it is the same at any time."""
    told = {
        "software": SOFTWARE,
        "format": "WARC File Format 1.1",
        "conformsTo": _CONFORMS_TO,
        "isPartOf": order.shelf.site.title,
        "description": description(order),
    }
    block = "".join(f"{name}: {value}\r\n" for name, value in told.items()).encode()
    head = {
        "WARC-Type": "warcinfo",
        "WARC-Record-ID": f"<urn:uuid:{uuid5(NAMESPACE_URL, description(order))}>",
        "WARC-Date": captures_of(order).moment(order.upto),
        "WARC-Block-Digest": payload_digest(block),
        "Content-Type": "application/warc-fields",
        "Content-Length": str(len(block)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode()
    squeezer = zlib.compressobj(wbits=31)
    return squeezer.compress(b"WARC/1.1\r\n" + lines + b"\r\n" + block + b"\r\n\r\n") + squeezer.flush()
