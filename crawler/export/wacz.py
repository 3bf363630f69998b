"""WACZ 1.1.1 (specs.webrecorder.net/wacz/1.1.1): captures, index and titles in one file, for ReplayWeb.page.

The same captures always give the same file. Memory stays flat: what must be sorted waits in a database on disk.
"""

from __future__ import annotations

import json
import re
import sqlite3
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from crawler.export.surt import surt
from crawler.export.warc import SOFTWARE, Record, captures_of, description, warcinfo

if TYPE_CHECKING:
    from crawler.archive.changelog import Entry
    from crawler.export.order import Order

_DATA = "data.warc.gz"
_INDEX = "index.cdx.gz"
_BLOCK = 300
"""Lines of the index that are packed together, as cdxj-indexer does: a reader fetches so many to find one."""
_TABLES = "create table lines (line text)", "create table pages (line text)"
_LINE = "insert into lines values (?)"
_PAGE = "insert into pages values (?)"


def write(out: BinaryIO, order: Order) -> int:
    """Write a WACZ file; the number of captures. Raises OSError."""
    with ZipFile(out, "w") as zipped, closing(sqlite3.connect("")) as waiting:  # a nameless file, gone when closed
        for statement in _TABLES:
            waiting.execute(statement)
        package = _Package(zipped, captures_of(order).moment(order.upto))
        data = _Data(waiting, order)
        package.add(f"archive/{_DATA}", data.chunks())
        index = _Index(line for (line,) in waiting.execute("select line from lines order by line"))
        package.add(f"indexes/{_INDEX}", index.blocks())
        package.add("indexes/index.idx", index.lines, ZIP_DEFLATED)
        package.add("pages/pages.jsonl", _pages(waiting), ZIP_DEFLATED)
        package.close(order)
    return data.written


class _Package:
    """The files of a zip, each with its digest."""

    def __init__(self, zipped: ZipFile, moment: str) -> None:
        self._zipped = zipped
        self._moment = moment
        self._date = max(datetime.fromisoformat(moment).timetuple()[:6], (1980, 1, 1, 0, 0, 0))  # zip knows none before
        self._stamp = struct.pack("<HHBI", 0x5455, 5, 1, int(datetime.fromisoformat(moment).timestamp()))
        self._resources: list[dict[str, Any]] = []

    def add(self, path: str, chunks: Iterable[bytes], method: int = ZIP_STORED) -> None:
        """A file that is written as it comes, however large it becomes.

        Its directory entry needs an extra field, here the time: without one wabac.js does not look for the field of
        large files in the file's own head, and reads from the wrong place.
        """
        info = ZipInfo(path, self._date)
        info.extra = self._stamp
        info.compress_type, info.external_attr = method, 0o644 << 16
        digest, size = sha256(), 0
        with self._zipped.open(info, "w", force_zip64=True) as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        told = {"name": path.rpartition("/")[2], "path": path, "hash": f"sha256:{digest.hexdigest()}", "bytes": size}
        self._resources.append(told)

    def close(self, order: Order) -> None:
        """Add what says what is in it, and the digest of that."""
        package = {
            "profile": "data-package",
            "resources": list(self._resources),
            "title": order.shelf.site.title,
            "description": description(order),
            "created": self._moment,
            "wacz_version": "1.1.1",
            "software": SOFTWARE,
        }
        data = json.dumps(package, ensure_ascii=False, indent=2).encode()
        self.add("datapackage.json", [data], ZIP_DEFLATED)
        digest = {"path": "datapackage.json", "hash": f"sha256:{sha256(data).hexdigest()}"}
        self.add("datapackage-digest.json", [json.dumps(digest, indent=2).encode()], ZIP_DEFLATED)


class _Data:
    """The WARC file; what index and list of pages say of it waits until it is written."""

    def __init__(self, waiting: sqlite3.Connection, order: Order) -> None:
        self.written = 0
        self._waiting = waiting
        self._order = order

    def chunks(self) -> Iterator[bytes]:
        """Its members. What no server sent (``conversion``) is not indexed: replayed, it would seem that one had."""
        yield (chunk := warcinfo(self._order))
        offset = len(chunk)
        for record in captures_of(self._order).records(self._order):
            if record.response.kind == "response":
                self._waiting.execute(_LINE, (cdxj(record, offset),))
                if record.entry:
                    self._waiting.execute(_PAGE, (self._page(record, record.entry),))
            yield record.packed
            offset += len(record.packed)
            self.written += 1

    def _page(self, record: Record, entry: Entry) -> str:
        """With the headline of the post as it lies, the address where that cannot be read."""
        url = record.response.url
        post = self._order.shelf.item(entry)
        title = post.post.title if post else url
        told = {"id": sha256(record.packed).hexdigest()[:20], "url": url, "ts": record.response.date, "title": title}
        return json.dumps(told, ensure_ascii=False) + "\n"


def cdxj(record: Record, offset: int) -> str:
    """The index's line of a record that lies at this byte of the WARC file (CDXJ, as pywb has it)."""
    response = record.response
    kind = next((value for name, value in response.headers if name.lower() == "content-type"), "")
    told = {
        "url": response.url,
        "mime": re.split(r"[;\s]", kind)[0],
        "status": str(response.status),
        "digest": record.digest,
        "length": str(len(record.packed)),
        "offset": str(offset),
        "filename": _DATA,
        "recordDigest": f"sha256:{sha256(record.packed).hexdigest()}",
    }
    known = {name: value for name, value in told.items() if value}
    return f"{surt(response.url)} {re.sub('[^0-9]', '', response.date)[:14]} {json.dumps(known)}\n"


class _Index:
    """Lines in blocks that are packed, and a line for each block."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        head = {"format": "cdxj-gzip-1.0", "filename": _INDEX}
        self.lines = [f"!meta 0 {json.dumps(head)}\n".encode()]
        """Of the blocks that were taken so far."""

    def blocks(self) -> Iterator[bytes]:
        """The blocks."""
        offset = 0
        while block := list(islice(self._lines, _BLOCK)):
            squeezer = zlib.compressobj(wbits=31)
            packed = squeezer.compress("".join(block).encode()) + squeezer.flush()
            place = {"offset": offset, "length": len(packed), "digest": f"sha256:{sha256(packed).hexdigest()}"}
            self.lines.append(f"{block[0].partition(' {')[0]} {json.dumps(place)}\n".encode())
            yield packed
            offset += len(packed)


def _pages(waiting: sqlite3.Connection) -> Iterator[bytes]:
    yield b'{"format": "json-pages-1.0", "id": "pages", "title": "All pages"}\n'
    for (line,) in waiting.execute("select line from pages order by rowid"):
        yield line.encode()
