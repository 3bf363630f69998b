"""Addresses from a file or from stdin: no page is asked for them."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import file_digest
from io import BufferedReader
from pathlib import Path
from urllib.parse import urlsplit

from crawler.days import Days
from crawler.lists import FileList
from crawler.middlewares.guard import is_own
from crawler.sources import Source
from spiders.walk import CHUNK, EntryMaker, Listing, askable

_STDIN = "-"
_LONGEST = 8192
"""Bytes of a line."""


class FileWalk:
    """Reads one file: an address a line, with a title behind a tab; ``#`` begins a comment."""

    def __init__(self, source: Source, one: FileList, window: Days | None = None) -> None:
        self._source = source
        self._make = EntryMaker(source)
        folder = source.path.parent if source.path else Path()
        self._path = None if one.path == _STDIN else folder / one.path
        self._own: dict[str, bool] = {}

    @property
    def start(self) -> str:
        """Its name in the ledger."""
        return f"file:{self._path.resolve() if self._path else _STDIN}"

    def digest(self) -> str:
        """Of what it holds; empty for stdin, which is read but once. Raises ValueError where it cannot be read."""
        if self._path is None:
            return ""
        with self._open() as file:
            return file_digest(file, "sha256").hexdigest()

    def entries(self) -> Iterator[Listing]:
        """What it names, in pieces; problems name their line. Raises ValueError where it cannot be read."""
        listing = Listing()
        with self._open() as file:
            for number, line in _lines(file):
                before = len(listing.problems)
                self._take(listing, line)
                listing.problems[before:] = (f"line {number}: {problem}" for problem in listing.problems[before:])
                if len(listing.entries) + len(listing.problems) >= CHUNK:
                    yield listing
                    listing = Listing()
        yield listing

    def _open(self) -> BufferedReader:
        try:
            return self._path.open("rb") if self._path else open(0, "rb", closefd=False)
        except OSError as error:
            raise ValueError(f"it cannot be read: {error.strerror}") from error

    def _take(self, listing: Listing, line: bytes) -> None:
        """Add a line's article to the listing."""
        try:
            address, _, title = line.decode().partition("\t")
        except UnicodeDecodeError:
            listing.problems.append("no UTF-8")
            return
        url = askable("", address)
        if len(line) > _LONGEST or not url:
            listing.problems.append(f"no address: {address[:120]!r}")
        elif not self._is_own(url):
            listing.problems.append(f"off-site: {url[:120]!r}")
        else:
            self._make.add(listing, {"url": url, "title": " ".join(title.split())})

    def _is_own(self, url: str) -> bool:
        site = urlsplit(url).netloc
        if site not in self._own:
            self._own[site] = is_own(self._source, url)
        return self._own[site]


def _lines(file: BufferedReader) -> Iterator[tuple[int, bytes]]:
    """Lines that say something, with their numbers; of one that is too long the beginning."""
    number, beginning = 1, True
    while line := file.readline(_LONGEST + 1):
        said = line.removeprefix(b"\xef\xbb\xbf").strip() if beginning else b""
        if said and not said.startswith(b"#"):
            yield number, line if len(line) > _LONGEST else said
        beginning = line.endswith(b"\n")
        number += beginning
