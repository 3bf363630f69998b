"""An archive on this machine as an origin, also while a crawl goes on in it: nothing in it is touched."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Protocol

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, ValidationError

from crawler.archive import changelog
from crawler.archive.captures import CaptureError, read_capture, record_bytes
from crawler.archive.changelog import changes
from crawler.archive.images import LARGEST
from crawler.archive.ledger import Ledger, articles
from crawler.archive.revisions import versions
from crawler.archive.rewrites import readings
from crawler.follow.record import MOST, Absent, Left, OriginError, Record
from crawler.site import load_site

_PAGE = 200
"""Rows that are read at once."""
_WHY = 1000
"""Characters of what is told of an article that is left out, at most."""
_TOO_LARGE = f"more than {MOST >> 20} MiB with its earlier versions"
_COLUMNS = [
    articles.c[name]
    for name in (
        *("space", "key", "source", "path", "digest", "revision", "gone", "since", "seen", "hints", "notes"),
        *("etag", "modified", "capture"),
    )
]


class Shown(BaseModel):
    """What a mirror has to know of its origin's settings."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    title: str
    timezone: str
    language: str
    posts: Literal["dated", "flat"]
    baseurl: str


class Origin(Protocol):
    """Where records come from."""

    @property
    def name(self) -> str:
        """Address or folder."""

    @property
    def log(self) -> str:
        """Id of its log: numbers of another one mean nothing."""

    @property
    def last(self) -> int:
        """Number of its latest line."""

    @property
    def mark(self) -> str:
        """Stays as it is while nothing at all changes; empty where that cannot be told."""

    @property
    def site(self) -> Shown:
        """Settings. Raises OriginError."""

    @property
    def sources(self) -> Mapping[str, str]:
        """Id -> text of the file, of the sources that it has articles of and that are its own. Raises OriginError."""

    @property
    def captures(self) -> bool:
        """Whether it gives what posts were made from. Raises OriginError."""

    @property
    def left(self) -> Mapping[int, Left]:
        """What it has and cannot give, by number: all of it that was asked for so far. Raises OriginError."""

    def records(self, since: int) -> Iterator[Record]:
        """Articles that changed after this number, in the order of their latest numbers. Raises OriginError."""

    def again(self, numbers: Sequence[int]) -> Iterator[Record]:
        """Articles that it could not give, by these numbers; without those that have a later one by now. Raises
        OriginError."""

    def image(self, path: str) -> bytes:
        """A file that posts show, unverified. Raises Absent where there is none, NotHad, OriginError."""

    def close(self) -> None:
        """Let go of it."""


class Live:
    """The archive in a folder."""

    mark = ""  # files of sources change without a number

    def __init__(
        self, archive: Path, warn: Callable[[str], None], *, captures: bool = False, state: Path | None = None
    ) -> None:
        """``warn``: told of each capture that cannot be read. ``captures``: give what posts
        were made from as well. ``state``: folder of its ledger, by default where its settings say. Raises OriginError
        where there was no run yet, LedgerError, SettingsError."""
        settings = load_site(archive)
        state = state or archive / settings.state  # not PRESSKEEP_STATE: that is a mirror's own
        if not (state / "ledger.sqlite").is_file():
            raise OriginError(f"no run yet in {archive}. Next: presskeep crawl SOURCE --archive {archive}")
        self.name = str(archive.resolve())
        self.site = Shown(**{name: getattr(settings, name) for name in Shown.model_fields})
        self._archive, self._warn = archive, warn
        self.left: dict[int, Left] = {}
        self.captures = captures
        self._captures = state / "captures"
        self._ledger = Ledger.to_read(state / "ledger.sqlite")
        self.log = changelog.log_id(self._ledger)
        if not self.log:
            raise OriginError(f"{self._ledger.path}: has no change log yet. Next: presskeep status, where it may write")
        self.last = changelog.last(self._ledger)
        self.sources = dict(self._sources())

    def _sources(self) -> Iterator[tuple[str, str]]:
        for source in sorted(self._ledger.counts()):
            path = self._archive / "sources" / f"{source}.yml"
            if path.is_file():
                yield source, path.read_text("utf-8")

    def records(self, since: int) -> Iterator[Record]:
        """As ``Origin`` has it; up to ``last``, though a row may be ahead of that by then."""
        while rows := self._ledger.read(_latest(self.last, changes.c.number > since).limit(_PAGE)):
            yield from self._records(rows)
            since = rows[-1].number

    def again(self, numbers: Sequence[int]) -> Iterator[Record]:
        """As ``Origin`` has it."""
        for start in range(0, len(numbers), _PAGE):
            some = changes.c.number.in_(numbers[start : start + _PAGE])
            yield from self._records(self._ledger.read(_latest(self.last, some)))

    def _records(self, rows: Sequence[sa.Row[Any]]) -> Iterator[Record]:
        for row in rows:
            told = self._record(row)
            if isinstance(told, Record):
                self.left.pop(row.number, None)
                yield told
            else:
                self.left[row.number] = Left(number=row.number, path=row.path, why=told)

    def _record(self, row: sa.Row[Any]) -> Record | str:
        """Or why there is none."""
        told = {**row._mapping, "hints": json.loads(row.hints)}
        try:
            post, earlier = self._texts(row)
            told |= {"digest": sha256(post).hexdigest(), "post": post.decode()}
            told["earlier"] = {name: data.decode() for name, data in earlier.items()}
            record = Record(**told, records=self._packed(row.capture))
        except FileNotFoundError:
            return "not there"
        except (UnicodeDecodeError, ValidationError) as error:
            return " ".join(str(error).split())[:_WHY]
        return record if len(record.model_dump_json().encode()) <= MOST else _TOO_LARGE

    def _texts(self, row: sa.Row[Any]) -> tuple[bytes, dict[str, bytes]]:
        """The post that the ledger speaks of, and what was there before. Amid an edit the file may be ahead of the
        ledger: then it is the latest that was kept. One that was changed by hand goes out as it lies."""
        post = (self._archive / row.path).read_bytes()
        kept = {str(number): path.read_bytes() for number, path in versions(self._archive, row.path).items()}
        kept |= {f"reading-{number}": path.read_bytes() for number, path in readings(self._archive, row.path).items()}
        if sha256(post).hexdigest() != row.digest:
            post = next((data for data in kept.values() if sha256(data).hexdigest() == row.digest), post)
        counted = {name: data for name, data in kept.items() if not name.isdecimal() or int(name) <= row.revision}
        return post, counted

    def _packed(self, digest: str) -> list[str]:
        capture = self._ledger.find_capture(digest) if self.captures and digest else None
        if capture is None:
            return []
        try:
            response = read_capture(self._captures, capture)
        except CaptureError as error:
            self._warn(f"capture left out: {error}")
            return []
        return [base64.b64encode(record_bytes(response, digest)).decode()]

    def image(self, path: str) -> bytes:
        """As ``Origin`` has it; of what is too large no more than shows that."""
        try:
            with (self._archive / path).open("rb") as file:
                return file.read(LARGEST + 1)
        except OSError as error:
            raise Absent(f"{self._archive / path}: {error.strerror}") from error

    def close(self) -> None:
        """As ``Origin`` has it."""
        self._ledger.close()


def _latest(upto: int, which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Posts by those of their latest lines that are asked for."""
    later = changes.alias("later")
    same = later.c.space == changes.c.space, later.c.key == changes.c.key
    outdated = sa.exists().where(*same, later.c.number > changes.c.number, later.c.number <= upto)
    its_row = sa.and_(articles.c.space == changes.c.space, articles.c.key == changes.c.key, articles.c.state == "done")
    query = sa.select(changes.c.number, *_COLUMNS).join(articles, its_row)
    return query.where(which, changes.c.number <= upto, ~outdated).order_by(changes.c.number)
