"""WARC files of any maker, read once as a stream: gzip members of one record each or of many, or plain.

What is torn or wrong is counted and skipped; reading goes on with the next record that can be found. Format: WARC 1.1
(ISO 28500:2017) and 1.0.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from crawler.archive.captures import Response, http_response

_CHUNK = 1 << 16
_UNPACKED = 1 << 20
"""Bytes that are unpacked at once: a few packed ones may stand for a thousand times as many."""
_HEAD = 1 << 16
"""Bytes of a record's own head; what has none by then is no record."""
_KEPT = 1 << 20
"""Bytes of a member that are searched again for the beginning of another, where it is damaged."""
_SEEN = 1024
"""Bytes by which a member is known for one that holds records."""
_MOST_FAULTS = 20
_MEMBER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]")
_CODED = re.compile(rb"\r\n(?i:transfer-encoding):[^\r\n]*")
_CHUNK_HEAD = re.compile(rb"[0-9A-Fa-f]{1,15}[ \t]*(?:;[^\r\n]*)?\r\n")
"""Some tools keep the header of a body that they have freed of its chunks."""

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest record that is read; larger ones are counted and passed over."""


class Stream(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class Place:
    """From where reading goes on: a gzip member of the file, or a byte of a plain file."""

    offset: int = 0
    inside: int = 0
    """Records of that member that were read already."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file."""

    fields: Mapping[str, str]
    """Its head; names in lower case."""
    block: bytes
    after: Place
    """Where reading goes on once this record is done with."""

    def response(self) -> Response:
        """The HTTP response that it holds, its body without chunks. Raises ValueError for what is none."""
        if self.fields.get("warc-type") != "response":
            raise ValueError(f"a record of the type {self.fields.get('warc-type')!r}")
        http, _, payload = self.block.partition(b"\r\n\r\n")
        whole = self.block if _CHUNK_HEAD.match(payload) else _CODED.sub(b"", http) + b"\r\n\r\n" + payload
        found = http_response(self.fields, whole)
        headers = tuple(pair for pair in found.headers if pair[0].lower() != "transfer-encoding")
        return Response(found.url, found.status, headers, found.payload, found.date, found.notes)


class Reader:
    """Goes through the records of one file."""

    def __init__(
        self,
        stream: Stream,
        wanted: Callable[[Mapping[str, str]], bool] = lambda fields: True,
        place: Place | None = None,
    ) -> None:
        """``stream`` stands at the offset of ``place``. The blocks of records whose head is not ``wanted`` are passed
        over."""
        self._raw = _Raw(stream, (place or Place()).offset)
        self._wanted = wanted
        self._inside = (place or Place()).inside
        self.records = 0
        """Records that were passed so far, wanted or not."""
        self.faults = 0
        """What could not be read."""
        self.told: list[str] = []
        """The first of them, each with its place."""

    def __iter__(self) -> Iterator[Record]:
        """Never raises for what is wrong with the file; OSError where its bytes cannot be had."""
        packed = bool(_MEMBER.match(self._raw.peek()))
        while begin := self._raw.peek():
            member = _Member(self._raw) if packed else _Plain(self._raw)
            try:
                if packed and not _MEMBER.match(begin):
                    raise zlib.error("no gzip member")
                yield from self._records(member)
            except (zlib.error, _CutShort) as error:
                self._fault(member.offset, str(error))
                member.give_back()
                self._raw.seek_member()
            self._inside = 0

    def _records(self, member: _Content) -> Iterator[Record]:
        number = 0
        while member.begins():
            head = member.head()
            if head is None or (size := _size(head)) is None:
                self._fault(member.offset, "no WARC record" if head is None else "a record without its length")
                member.seek_record()
                continue
            number += 1
            self.records += number > self._inside
            if number <= self._inside or not self._wanted(head):
                member.skip(size)
            elif size > LARGEST:
                self._fault(member.offset, f"a record of {size} bytes, more than {LARGEST}")
                member.skip(size)
            else:
                block = member.take(size)  # before its place is told
                yield Record(head, block, member.after(number))

    def _fault(self, offset: int, what: str) -> None:
        self.faults += 1
        if len(self.told) < _MOST_FAULTS:
            self.told.append(f"at {offset}: {what}")


class _CutShort(ValueError):
    """The file ends amid a record."""


class _Raw:
    """The bytes of a stream; some can be put back."""

    def __init__(self, stream: Stream, offset: int) -> None:
        self._stream, self._back = stream, b""
        self.offset = offset

    def read(self) -> bytes:
        """Some bytes; none at the end."""
        data = self._back or self._stream.read(_CHUNK)
        self._back = b""
        self.offset += len(data)
        return data

    def put_back(self, data: bytes) -> None:
        """They come again."""
        self._back = data + self._back
        self.offset -= len(data)

    def peek(self) -> bytes:
        """The next few bytes; fewer than four only at the end."""
        data = self.read()
        while data and len(data) < 4 and (more := self.read()):
            data += more
        self.put_back(data)
        return data[:4]

    def seek_member(self) -> None:
        """Go on to the next gzip member that holds records, or to the end."""
        data = b""
        while more := self.read():
            data += more
            for one in _MEMBER.finditer(data):
                if _holds_records(data[one.start() : one.start() + _SEEN]):
                    self.put_back(data[one.start() :])
                    return
            data = data[-_SEEN:]


def _holds_records(data: bytes) -> bool:
    """Whether these bytes begin a gzip member whose content begins as a record's does."""
    try:
        return zlib.decompressobj(31).decompress(data, 64).startswith(b"WARC/")
    except zlib.error:
        return False


class _Content:
    """What a member holds, or a plain file."""

    def __init__(self, raw: _Raw) -> None:
        self._raw = raw
        self._buffer = b""
        self.offset = raw.offset
        """Where it begins in the file; of a plain file, where the record at hand begins."""

    def _more(self) -> bool:
        """Whether there was more of it."""
        raise NotImplementedError

    def after(self, number: int) -> Place:
        """Where reading goes on after record ``number`` of it."""
        raise NotImplementedError

    def give_back(self) -> None:
        """Put back what was taken of the file, but for its first byte, so that it is searched."""
        raise NotImplementedError

    def begins(self) -> bool:
        """Whether another record begins, or something that should be one; blank lines before it go."""
        while not (rest := self._buffer.lstrip(b"\r\n")):
            self._buffer = b""
            if not self._more():
                return False
        self._buffer = rest
        return True

    def head(self) -> dict[str, str] | None:
        """Name -> value of the record that begins here; None where none does."""
        while (end := _HEAD_END.search(self._buffer)) is None and len(self._buffer) < _HEAD and self._more():
            pass
        if end is None or not self._buffer.startswith(b"WARC/"):
            return None
        lines = self._buffer[: end.start()].decode("utf-8", "surrogateescape")
        self._buffer = self._buffer[end.end() :]
        pairs = (line.partition(":") for line in _FOLDED.sub(" ", lines).split("\n")[1:])
        return {name.strip().lower(): value.strip() for name, _, value in pairs}

    def take(self, size: int) -> bytes:
        """So many bytes. Raises ``_CutShort``."""
        parts, missing = [], size
        while missing:
            part = self._some(missing)
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def skip(self, size: int) -> None:
        """Pass over so many bytes. Raises ``_CutShort``."""
        while size:
            size -= len(self._some(size))

    def _some(self, most: int) -> bytes:
        while not self._buffer:
            if not self._more():
                raise _CutShort("the record is cut short")
        part, self._buffer = self._buffer[:most], self._buffer[most:]
        return part

    def seek_record(self) -> None:
        """Go on to the next line that begins as a record does, or to the end."""
        self._buffer = self._buffer[1:]
        while (found := _NEXT.search(self._buffer)) is None:
            self._buffer = self._buffer[-8:]
            if not self._more():
                self._buffer = b""
                return
        self._buffer = self._buffer[found.start() + 1 :]


_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FOLDED = re.compile(r"\r?\n[ \t]+")
_NEXT = re.compile(rb"\nWARC/[01]")


class _Plain(_Content):
    """A file, or the rest of one, that is not packed."""

    def _more(self) -> bool:
        data = self._raw.read()
        self._buffer += data
        return bool(data)

    def begins(self) -> bool:
        there = super().begins()
        self.offset = self._raw.offset - len(self._buffer)
        return there

    def after(self, number: int) -> Place:
        return Place(self._raw.offset - len(self._buffer))

    def give_back(self) -> None:
        """Only the end of the file cuts a record short here: nothing is left."""


class _Member(_Content):
    """A gzip member."""

    def __init__(self, raw: _Raw) -> None:
        super().__init__(raw)
        self._squeezed = zlib.decompressobj(31)
        self._taken: list[bytes] = []
        self._size = 0

    def _more(self) -> bool:
        if self._squeezed.eof:
            return False
        packed = self._squeezed.unconsumed_tail or self._next()
        part = self._squeezed.decompress(packed, _UNPACKED)
        if not (packed or part or self._squeezed.eof):
            raise _CutShort("the record is cut short")
        self._buffer += part
        if self._squeezed.eof:
            self._raw.put_back(self._squeezed.unused_data)
        return True

    def _next(self) -> bytes:
        data = self._raw.read()
        self._taken.append(data)
        self._size += len(data)
        while self._size > _KEPT and len(self._taken) > 1:
            self._size -= len(self._taken.pop(0))
        return data

    def after(self, number: int) -> Place:
        return Place(self.offset, number)

    def give_back(self) -> None:
        if not self._squeezed.eof:
            self._raw.put_back(b"".join(self._taken)[1:])


def _size(fields: Mapping[str, str]) -> int | None:
    text = fields.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
