"""Captures: raw responses as WARC records, one gzip member each, in segments of bounded size.

A segment that is written to ends in ``.open``; what lies beyond the size that the ledger knows is cut off at the next
start and kept aside. Format: WARC 1.1 (ISO 28500:2017).
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import responses
from io import FileIO
from pathlib import Path

from crawler.archive.ledger import Capture
from crawler.archive.posts import fsync

_CONVERSION = "conversion"
_LEVEL, _STORED = 1, 0
"""Level 1 costs a quarter of level 9. A body that came packed is only stored: packing it again takes nine tenths of
what a capture costs and gains nothing. So are images, which are packed in themselves."""
MOST = 128 * 1024 * 1024
"""Bytes of a record, at most: twice those of the largest body that is ever taken."""


class CaptureError(ValueError):
    """A WARC file cannot be read to its end; the message names file and offset."""


@dataclass(frozen=True, slots=True)
class Response:
    """What was captured, as it came over the wire."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    payload: bytes
    date: str
    """WARC-Date: ISO 8601, UTC."""
    notes: Mapping[str, str]
    """``Presskeep-…`` fields of the record: source, key, role."""
    kind: str = "response"
    """WARC-Type: ``conversion`` for a page that no server sent, since it was made of what a list says."""


def payload_digest(payload: bytes) -> str:
    """Digest by which a capture is addressed: ``sha256:`` and base32, as in WARC-Payload-Digest."""
    return "sha256:" + base64.b32encode(hashlib.sha256(payload).digest()).decode("ascii")


def record_bytes(response: Response, digest: str) -> bytes:
    """One response record as a gzip member; the same response always gives the same bytes."""
    kind, block = ("application/http; msgtype=response", _http(response))
    if response.kind == _CONVERSION:
        kind, block = (
            next(value for name, value in response.headers if name.lower() == "content-type"),
            response.payload,
        )
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{response.date} {digest} {response.url}")
    lines = [
        "WARC/1.1",
        f"WARC-Type: {response.kind}",
        f"WARC-Record-ID: <urn:uuid:{identity}>",
        f"WARC-Date: {response.date}",
        f"WARC-Target-URI: {response.url}",
        f"WARC-Payload-Digest: {digest}",
        f"WARC-Block-Digest: {payload_digest(block)}",
        *(f"Presskeep-{name.title()}: {_one_line(value)}" for name, value in response.notes.items() if value),
        f"Content-Type: {kind}",
        f"Content-Length: {len(block)}",
        "",
        "",
    ]
    packed = any(name.lower() == "content-encoding" for name, _ in response.headers)
    packed = packed or response.notes.get("role") == "image"
    squeezer = zlib.compressobj(_STORED if packed else _LEVEL, zlib.DEFLATED, 31)
    head_bytes = "\r\n".join(lines).encode("utf-8", "surrogateescape")
    return squeezer.compress(head_bytes + block + b"\r\n\r\n") + squeezer.flush()


def _http(response: Response) -> bytes:
    reason = responses.get(response.status, "Unknown")
    head = [f"HTTP/1.1 {response.status} {reason}", *(f"{name}: {value}" for name, value in response.headers), "", ""]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + response.payload


def _one_line(value: str) -> str:
    return " ".join(value.split())


class CaptureStore:
    """The captures of one archive. Appended records count once ``made`` was taken and committed to the ledger."""

    def __init__(self, folder: Path, limit: int, now: datetime) -> None:
        """``limit``: size in bytes from which on a segment is closed. Nothing is touched before the first record."""
        self.folder = folder
        self.limit = limit
        self._now = now
        self._file: FileIO | None = None
        self._name = ""
        self._made: list[Capture] = []
        self._sizes: dict[str, int] = {}
        self._fresh: set[tuple[str, str]] = set()

    def recover(self, sizes: Mapping[str, int]) -> list[str]:
        """Cut what a killed run left beyond the sizes that the ledger knows; close ``.open`` segments.

        Returns a line for each cut."""
        done = []
        for path in sorted(self.folder.glob("*.warc.gz*")):
            if path.name.endswith(".torn"):
                continue
            name = path.name.removesuffix(".open")
            known, size = sizes.get(name, 0), path.stat().st_size
            if size > known and (path.name.endswith(".open") or name in sizes):
                with path.open("rb+") as file:
                    file.seek(known)
                    (self.folder / f"{name}.{known}.torn").write_bytes(file.read())
                    file.truncate(known)
                    os.fsync(file.fileno())
                done.append(f"{name}: {size - known} uncommitted bytes set aside")
            if path.name.endswith(".open"):
                _close_name(path, known)
        return done

    def add(self, response: Response, digest: str, packed: bytes = b"") -> Capture:
        """Append a record (``packed``, if it was made already); durable after ``take``. An error while writing leaves
        the segment as it was."""
        data = packed or record_bytes(response, digest)
        file = self._segment()
        offset = file.tell()
        try:
            _write(file, data)
        except OSError:
            file.truncate(offset)
            file.seek(offset)
            raise
        capture = Capture(digest, response.url, self._name, offset, len(data))
        self._made.append(capture)
        self._fresh.add((digest, response.url))
        self._sizes[self._name] = offset + len(data)
        if offset + len(data) >= self.limit:
            self._finish()
        return capture

    def has(self, digest: str, url: str) -> bool:
        """Whether this response was added since the last ``take``."""
        return (digest, url) in self._fresh

    def take(self) -> tuple[list[Capture], dict[str, int]]:
        """Make all records durable; what to commit to the ledger, once."""
        if self._file is not None and self._made:
            os.fsync(self._file.fileno())
        made, sizes = self._made, self._sizes
        self._made, self._sizes = [], {}
        self._fresh.clear()
        return made, sizes

    def close(self) -> None:
        """Close the segment in use; one with uncommitted records stays ``.open``, and is cut at the next start."""
        if self._file is not None and self._made:
            self._file.close()
            self._file = None
        self._finish()

    def _segment(self) -> FileIO:
        if self._file is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._name, path = self._next_segment()
            self._file = path.open("ab", buffering=0)  # a buffer would write its rest again after a full disk
            self._file.seek(0, os.SEEK_END)
            fsync(self.folder)
        return self._file

    def _next_segment(self) -> tuple[str, Path]:
        """The last segment again while there is room in it, else a new one."""
        there = sorted(self.folder.glob("presskeep-*.warc.gz"))
        if there and there[-1].stat().st_size < self.limit:
            path = there[-1].with_name(there[-1].name + ".open")
            there[-1].rename(path)
            return there[-1].name, path
        name = f"presskeep-{self._now:%Y%m%d%H%M%S}-{len(there) + 1:05d}.warc.gz"
        return name, self.folder / f"{name}.open"

    def _finish(self) -> None:
        if self._file is None:
            return
        os.fsync(self._file.fileno())
        size = self._file.tell()
        self._file.close()
        self._file = None
        _close_name(self.folder / f"{self._name}.open", size)


def _close_name(path: Path, size: int) -> None:
    """Rename a finished segment to its final name; an empty one goes away."""
    if size == 0:
        path.unlink()
    else:
        path.rename(path.with_name(path.name.removesuffix(".open")))
    fsync(path.parent)


def _write(file: FileIO, data: bytes) -> None:
    """All of ``data``: a call may take a part of it only."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def read_capture(folder: Path, capture: Capture) -> Response:
    """The response that lies at this place. Raises CaptureError where it is not what the ledger says."""
    return read_record(folder, capture)[0]


def read_record(folder: Path, capture: Capture) -> tuple[Response, bytes]:
    """The response that lies at this place, and its gzip member as it lies. Raises CaptureError as ``read_capture``."""
    path = folder / capture.segment
    path = path if path.exists() else path.with_name(path.name + ".open")
    try:
        with path.open("rb") as file:
            file.seek(capture.offset)
            packed = file.read(capture.length)
        response = unpack_record(packed)
    except (OSError, ValueError) as error:
        raise CaptureError(f"{path} at {capture.offset}: {error}") from error
    if payload_digest(response.payload) != capture.digest:
        raise CaptureError(f"{path} at {capture.offset}: the digest differs from the ledger's")
    return response, packed


def unpack_record(packed: bytes, most: int = MOST) -> Response:
    """The response record in one gzip member of at most ``most`` bytes unpacked. Raises ValueError where it is
    another, is cut short, or something stands behind it."""
    squeezed = zlib.decompressobj(31)
    try:
        data = squeezed.decompress(packed, most + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(data) > most:
        raise ValueError(_too_large(most))
    if not squeezed.eof or squeezed.unused_data:
        raise ValueError("more than one gzip member" if squeezed.eof else "the record is cut short")
    return _parse(data)


def _too_large(most: int) -> str:
    return f"the record unpacks to more than {most} bytes"


def read_segment(path: Path) -> Iterator[tuple[Capture, Response]]:
    """Every response record of a WARC file of one gzip member per record, ours or another's.

    Raises CaptureError where a member is cut short or too large, or a length is wrong: a cut file must not pass for a
    whole one.
    """
    name = path.name.removesuffix(".open")
    for offset, length, data in _members(path):
        try:
            response = _parse(data)
        except NotAResponse:
            continue
        except ValueError as error:
            raise CaptureError(f"{path} at {offset}: {error}") from error
        yield Capture(payload_digest(response.payload), response.url, name, offset, length), response


def _members(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """(offset, compressed length, content) of every gzip member."""
    with path.open("rb") as file:
        offset, buffer = 0, file.read(1 << 16)
        while buffer:
            squeezed, parts, taken, left = zlib.decompressobj(31), [], 0, MOST
            while not squeezed.eof:
                if not buffer:
                    raise CaptureError(f"{path} at {offset}: the record is cut short")
                try:
                    parts.append(squeezed.decompress(buffer, left + 1))
                except zlib.error as error:
                    raise CaptureError(f"{path} at {offset}: {error}") from error
                left -= len(parts[-1])
                if left < 0:
                    raise CaptureError(f"{path} at {offset}: {_too_large(MOST)}")
                taken += len(buffer) - len(squeezed.unused_data)
                buffer = squeezed.unused_data or file.read(1 << 16)
            yield offset, taken, b"".join(parts)
            offset += taken


_STATUS = re.compile(r"HTTP/\S+ +(\d{3})(?!\d)")
_HEX = re.compile(rb"[0-9A-Fa-f]{1,15}")


class NotAResponse(ValueError):
    """Another kind of WARC record."""


def _parse(data: bytes) -> Response:
    head, _, block = data.partition(b"\r\n\r\n")
    version, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    if not version.startswith("WARC/"):
        raise ValueError("no WARC record")
    fields = dict(_fields(lines))
    length = int(fields.get("content-length", "-1"))
    if not 0 <= length <= len(block):
        raise ValueError(f"{len(block)} bytes where {length} are due")
    if block[length:].strip(b"\r\n"):
        raise ValueError("several records in one gzip member; next: warcio recompress")
    if fields.get("warc-type") == _CONVERSION and "presskeep-source" in fields:
        return _conversion(fields, block[:length])
    if fields.get("warc-type") != "response" or not fields.get("content-type", "").startswith("application/http"):
        raise NotAResponse(fields.get("warc-type", ""))
    return http_response(fields, block[:length])


def _conversion(fields: Mapping[str, str], block: bytes) -> Response:
    """A page of our own making; those of other makers are texts of pages."""
    headers = (("Content-Type", fields.get("content-type", "")),)
    url, date = fields.get("warc-target-uri", ""), fields.get("warc-date", "")
    return Response(url, 200, headers, block, date, _notes(fields), _CONVERSION)


def _notes(fields: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("presskeep-"): value for name, value in fields.items() if name.startswith("presskeep-")}


def http_response(fields: Mapping[str, str], block: bytes) -> Response:
    """The response in a record's block; ``fields`` is the record's head. Raises ValueError."""
    http, _, payload = block.partition(b"\r\n\r\n")
    if re.search(rb"(?im)^transfer-encoding:\s*chunked", http):
        payload = _dechunked(payload)
    first, *headers = http.decode("utf-8", "surrogateescape").split("\r\n")
    pairs = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in headers))
    url = re.sub(r"^<(.*)>$", r"\1", fields.get("warc-target-uri", ""))  # WARC 1.0 has it in brackets
    status = _STATUS.match(first)
    if status is None or not url:
        raise ValueError("the response lacks its " + ("address" if status else "status line"))
    return Response(url, int(status[1]), pairs, payload, fields.get("warc-date", ""), _notes(fields))


def _dechunked(payload: bytes) -> bytes:
    """The body of a chunked message (RFC 9112, section 7.1); other crawlers keep it as it came."""
    parts, at = [], 0
    while (end := payload.find(b"\r\n", at)) > 0:
        digits = payload[at:end].partition(b";")[0].strip()
        if not _HEX.fullmatch(digits):
            break
        size = int(digits, 16)
        parts.append(payload[end + 2 : end + 2 + size])
        at = end + 4 + size
        if size == 0:
            return b"".join(parts)
    raise ValueError("the chunked body has no end")


def unpacked(response: Response, most: int = 64 * 1024 * 1024) -> bytes:
    """The payload without its Content-Encoding (gzip, deflate, br), ``most`` bytes of it; other encodings stay."""
    codings = [value.strip() for name, value in response.headers if name.lower() == "content-encoding"]
    body = response.payload
    for coding in reversed(",".join(codings).lower().split(",")):
        if coding.strip() in ("gzip", "x-gzip", "deflate"):
            body = _unsqueezed(body, most)
        elif coding.strip() == "br":
            body = _unbrotlied(body, most)
    return body


def _unsqueezed(body: bytes, most: int) -> bytes:
    """What is not squeezed, whatever its header says, stays as it is."""
    for window in (47, -15):  # at last deflate without its zlib header, as some send it
        try:
            return zlib.decompressobj(window).decompress(body, most)
        except zlib.error:
            continue
    return body


def _unbrotlied(body: bytes, most: int) -> bytes:
    import brotli  # type: ignore[import-untyped]  # comes with Scrapy; other crawlers ask for it, this one does not

    squeezed = brotli.Decompressor()
    try:
        return bytes(squeezed.process(body, output_buffer_limit=most)[:most])
    except brotli.error:
        return body


def _fields(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name.strip().lower(), value.strip()


def warc_date(moment: datetime) -> str:
    """A moment as WARC-Date writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
