"""The published log: an archive for followers as plain files that any web server can give.

Below one folder or address lie

- ``head.json``: ``{"format": "presskeep log 1", "log": id, "last": number, "index": name}``, all that a follower asks
  for while nothing is new;
- ``index-<sha256, 16 digits>.json``: the origin's settings that matter, its sources, every chunk with its first and
  last number, its size and its sha256, and what the origin has and could not give by then;
- ``<first>-<last>-<sha256, 16 digits>.jsonl.gz``, the chunks: a record (see ``record.py``) a line, in the order of
  their numbers;
- ``images/ab/<sha256>.<ending>``, the images that posts show, as the archive has them;
- ``record.schema.json``, the JSON Schema of such a line.

But for head and schema a file never changes under its name, and images come before the chunks that name them. The last
chunk, while it is small, is superseded by one that holds its lines and more; what is superseded stays for one
publication longer, for followers who are amid it. The head is written last.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from crawler.archive.images import LARGEST
from crawler.archive.locks import Lock
from crawler.archive.posts import replace, sweep
from crawler.follow import images
from crawler.follow.origin import Origin, Shown
from crawler.follow.record import MOST, Absent, Digest, Left, Name, NotHad, OriginError, Record

FORMAT = "presskeep log 1"
HEAD = "head.json"
SCHEMA = "record.schema.json"
_HEAD, _INDEX, _PACKED, _PLAIN = 64 * 1024, 64 * 1024 * 1024, 64 * 1024 * 1024, 128 * 1024 * 1024
"""Bytes of a head, an index, a chunk, a chunk unpacked, at most."""
_CHUNK = 4 * 1024 * 1024
"""Bytes of records after which a chunk is closed."""
_SMALL = 256 * 1024
"""Bytes, packed, up to which the last chunk is superseded: what comes of it is fetched again with each publication."""
_NAME = re.compile(r"(index-[0-9a-f]{16}\.json|[0-9]{12}-[0-9]{12}-[0-9a-f]{16}\.jsonl\.gz)")

_Model = TypeVar("_Model", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Chunk(_Strict):
    """Records of these numbers, both included."""

    name: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}-[0-9]{12}-[0-9a-f]{16}\.jsonl\.gz$")]
    first: int = Field(ge=1)
    last: int = Field(ge=1)
    size: int = Field(ge=1, le=_PACKED)
    digest: Digest


class Head(_Strict):
    """What a follower asks for first."""

    format: Literal["presskeep log 1"]
    log: Name
    last: int = Field(ge=0)
    index: Annotated[str, StringConstraints(pattern=r"^index-[0-9a-f]{16}\.json$")]


class Index(_Strict):
    """All that there is."""

    log: Name
    last: int = Field(ge=0)
    captures: bool
    site: Shown
    sources: dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")], str]
    chunks: list[Chunk]
    left: list[Left] = []


class Files(Protocol):
    """Where the files are."""

    name: str

    def read(self, name: str, most: int) -> bytes:
        """A file. Raises Absent where it is not there, NotHad where it cannot be had, OriginError where it is
        larger."""


class Folder:
    """A published log on this machine."""

    def __init__(self, path: Path) -> None:
        self.name = str(path.resolve())
        self._path = path

    def read(self, name: str, most: int) -> bytes:
        """As ``Files`` has it."""
        try:
            with (self._path / name).open("rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            kind = Absent if isinstance(error, FileNotFoundError) else NotHad
            raise kind(f"{self._path / name}: {error.strerror}") from error
        return whole(f"{self._path / name}", data, most)


def whole(name: str, data: bytes, most: int) -> bytes:
    """``data``. Raises OriginError where it is more than that."""
    if len(data) > most:
        raise OriginError(f"{name}: more than {most} bytes")
    return data


class Published:
    """A published log as an origin."""

    def __init__(self, files: Files) -> None:
        """Asks for the head alone. Raises OriginError."""
        self.name = files.name
        self._files = files
        self._read_head()

    def _read_head(self) -> None:
        head = _model(Head, self._files.read(HEAD, _HEAD), f"{self.name}: {HEAD}")
        self.log, self.last, self.mark = head.log, head.last, head.index
        self._known: Index | None = None

    @property
    def index(self) -> Index:
        """Asked for where it is needed first. Raises OriginError."""
        if self._known is None:
            data = self._files.read(self.mark, _INDEX)
            if sha256(data).hexdigest()[:16] != self.mark[6:22]:
                raise OriginError(f"{self.name}: {self.mark} is not what its name says")
            self._known = _model(Index, data, f"{self.name}: {self.mark}")
            if (self._known.log, self._known.last) != (self.log, self.last) or not _in_order(self._known):
                raise OriginError(f"{self.name}: {self.mark}: its numbers are out of order")
        return self._known

    @property
    def site(self) -> Shown:
        """As ``Origin`` has it. Raises OriginError."""
        return self.index.site

    @property
    def sources(self) -> Mapping[str, str]:
        """As ``Origin`` has it. Raises OriginError."""
        return self.index.sources

    @property
    def captures(self) -> bool:
        """As ``Origin`` has it. Raises OriginError."""
        return self.index.captures

    def records(self, since: int) -> Iterator[Record]:
        """As ``Origin`` has it. A chunk that was superseded meanwhile is looked for once more."""
        for again in (False, True):
            try:
                for chunk in self.index.chunks:
                    for record in self._chunk(chunk) if chunk.last > since else ():
                        if record.number > since:
                            yield record
                            since = record.number
                return
            except NotHad:
                before = self.log, self.mark
                self._read_head()
                if again or (self.log, self.mark) == before or self.log != before[0]:
                    raise

    @property
    def left(self) -> Mapping[int, Left]:
        """As ``Origin`` has it. Raises OriginError."""
        return {one.number: one for one in self.index.left}

    def again(self, numbers: Sequence[int]) -> Iterator[Record]:
        """As ``Origin`` has it."""
        wanted = set(numbers) - self.left.keys()
        for chunk in self.index.chunks:
            if any(chunk.first <= number <= chunk.last for number in wanted):
                yield from (record for record in self._chunk(chunk) if record.number in wanted)

    def _chunk(self, chunk: Chunk) -> Iterator[Record]:
        data = self._files.read(chunk.name, chunk.size)
        if sha256(data).hexdigest() != chunk.digest:
            raise OriginError(f"{self.name}: {chunk.name} is not what its digest says")
        last = chunk.first - 1
        for line in _lines(data, f"{self.name}: {chunk.name}"):
            record = _model(Record, line, f"{self.name}: {chunk.name}: after number {last}")
            if not last < record.number <= chunk.last:
                raise OriginError(f"{self.name}: {chunk.name}: number {record.number} is out of order")
            last = record.number
            yield record

    def image(self, path: str) -> bytes:
        """As ``Origin`` has it."""
        return self._files.read(path, LARGEST)

    def close(self) -> None:
        """As ``Origin`` has it."""


def _in_order(index: Index) -> bool:
    ends = [0, *(chunk.last for chunk in index.chunks)]
    pairs = zip(ends, index.chunks, strict=False)
    return all(end < chunk.first <= chunk.last for end, chunk in pairs) and ends[-1] <= index.last


def _model(kind: type[_Model], data: bytes, where: str) -> _Model:
    """Raises OriginError."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise OriginError(f"{where}: {f'{field}: ' if field else ''}{first['msg']}") from None


def _lines(data: bytes, where: str) -> Iterator[bytes]:
    """Of a packed chunk, one after the other. Raises OriginError."""
    left = _PLAIN
    try:
        with gzip.open(io.BytesIO(data)) as file:
            while line := file.readline(MOST + 1):
                left -= len(line)
                if len(line) > MOST or left < 0:
                    raise OriginError(f"{where}: unpacks to more than it may")
                yield line
    except (OSError, EOFError, zlib.error) as error:
        raise OriginError(f"{where}: {error}") from error


# publishing


def publish(origin: Origin, folder: Path, *, again: bool = False) -> int:
    """Bring a published log up to date; the number of records that were written. Nothing is written where nothing is
    new; where an article can be had that could not before, all from there on is written anew. ``again``: all of it.
    Raises Busy, OriginError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = Lock(folder)
    try:
        sweep(folder)
        return _published(origin, folder, again)
    finally:
        lock.release()


def _published(origin: Origin, folder: Path, again: bool) -> int:
    there = Published(Folder(folder)) if (folder / HEAD).exists() else None
    before = there.index if there and (there.log, there.captures) == (origin.log, origin.captures) else None
    since, chunks = (before.last, list(before.chunks)) if before and not again else (0, [])
    if before and since > origin.last:
        raise OriginError(f"{folder}: is ahead of {origin.name} ({since} > {origin.last}). Next: the same with --again")
    if before and not again:
        now_there = min((one.number for one in origin.again([one.number for one in before.left])), default=0)
        if now_there:
            chunks = [one for one in chunks if one.last < now_there]
            since = chunks[-1].last if chunks else 0
        elif _says(before) == (origin.last, origin.site, origin.sources, list(origin.left.values())):
            return 0
    old = list(_lines((folder / chunks[-1].name).read_bytes(), chunks.pop().name)) if _is_open(chunks) else []
    written = -len(old)
    for part in _parts(chain(old, map(_line, _illustrated(origin, folder, since)))):
        chunks.append(_chunk(folder, part))
        written += len(part)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Record.model_json_schema()}
    replace(folder / SCHEMA, json.dumps(schema, ensure_ascii=False, indent=1).encode() + b"\n")
    told = {"format": FORMAT, "log": origin.log, "last": origin.last, "captures": origin.captures}
    told |= {"site": origin.site.model_dump(), "sources": dict(origin.sources)}
    told |= {"left": [one.model_dump() for one in origin.left.values()]}
    _head(folder, {**told, "chunks": [one.model_dump() for one in chunks]})
    _tidy(folder, {there.mark, *(one.name for one in there.index.chunks)} if there else set(), chunks)
    return written


def _illustrated(origin: Origin, folder: Path, since: int) -> Iterator[Record]:
    """Each record when its images are there; of those that the origin lacks the follower tells."""
    for record in origin.records(since):
        images.copy(origin, folder, images.shown([record]))
        yield record


def _says(index: Index) -> tuple[int, Shown, Mapping[str, str], list[Left]]:
    return index.last, index.site, index.sources, index.left


def _is_open(chunks: Sequence[Chunk]) -> bool:
    return bool(chunks) and chunks[-1].size < _SMALL


def _line(record: Record) -> bytes:
    told = record.model_dump(exclude_defaults=True)
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"


def _parts(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """In chunks of about ``_CHUNK`` bytes."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        part.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield part
            part, size = [], 0
    if part:
        yield part


def _chunk(folder: Path, lines: list[bytes]) -> Chunk:
    first, last = (int(json.loads(line)["number"]) for line in (lines[0], lines[-1]))
    data = gzip.compress(b"".join(lines), 6, mtime=0)
    digest = sha256(data).hexdigest()
    name = f"{first:012d}-{last:012d}-{digest[:16]}.jsonl.gz"
    replace(folder / name, data)
    return Chunk(name=name, first=first, last=last, size=len(data), digest=digest)


def _head(folder: Path, index: Mapping[str, Any]) -> None:
    data = json.dumps(index, ensure_ascii=False, indent=0).encode()
    name = f"index-{sha256(data).hexdigest()[:16]}.json"
    replace(folder / name, data)
    head = {name: index[name] for name in ("format", "log", "last")}
    replace(folder / HEAD, json.dumps({**head, "index": name}).encode() + b"\n")


def _tidy(folder: Path, before: set[str], chunks: Sequence[Chunk]) -> None:
    """Remove what the last publication had superseded already; nothing that has another form of name."""
    head = _model(Head, (folder / HEAD).read_bytes(), HEAD)
    kept = {*before, head.index, *(one.name for one in chunks)}
    for path in folder.iterdir():
        if _NAME.fullmatch(path.name) and path.name not in kept:
            path.unlink()
