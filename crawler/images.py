"""Images that an archive keeps: captures like pages, and files of their own that posts show.

An address is kept once, by the first capture that is an image, so that a post follows from captures alone. What is new
waits for its batch: captures first, then these files, then the posts that show them, and the ledger's rows last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive.captures import CaptureError, CaptureStore, Response, payload_digest, read_capture, unpacked
from crawler.archive.images import MOST, NoImage, addresses, is_whole, path_of
from crawler.archive.ledger import Ledger, images
from crawler.archive.posts import Pending

Statement = tuple[sa.Executable, Sequence[Mapping[str, Any]]]

ROLE = "image"
"""What a request and a capture of an image have as their role."""
_ROW = sa.select(images.c.capture, images.c.path).where(images.c.url == sa.bindparam("url"))
ADD = insert(images).on_conflict_do_nothing()


def row_of(response: Response, capture: str) -> dict[str, str] | None:
    """What the ledger says of a captured image; None for another capture. ``capture``: its payload digest."""
    if response.notes.get("role") != ROLE:
        return None
    try:
        path = path_of(unpacked(response))
    except NoImage:
        return None
    return {"url": response.notes.get("asked") or response.url, "capture": capture, "path": path}


class Images:
    """The images of one archive, as a run sees them."""

    def __init__(self, archive: Path, ledger: Ledger, captures: CaptureStore) -> None:
        self._archive, self._ledger, self._captures = archive, ledger, captures
        self._rows: dict[str, dict[str, str]] = {}
        self._files: dict[str, bytes] = {}
        self.waiting: Counter[str] = Counter()
        """Source -> articles that wait for their images."""

    @property
    def size(self) -> int:
        """Bytes that wait for the batch."""
        return sum(map(len, self._files.values()))

    def find(self, url: str) -> str:
        """Path of the file that shows what this address gave; empty where that is not kept. A file that was lost is
        made anew from its capture."""
        if url in self._rows:
            return self._rows[url]["path"]
        for row in self._ledger.read(_ROW, {"url": url}):
            return row.path if self._is_there(row.path) or self._restored(row.capture, row.path) else ""
        return ""

    def missing(self, body: str) -> list[str]:
        """Addresses of images of a clean body that are to be kept and are not."""
        return [url for url in addresses(body)[:MOST] if not self.find(url)]

    def add(self, response: Response) -> None:
        """Keep a response that is an image, and show it from now on. Raises NoImage."""
        data, digest = unpacked(response), payload_digest(response.payload)
        path, asked = path_of(data), response.notes.get("asked", "")
        known = self._captures.has(digest, response.url) or self._ledger.captured(digest, response.url)
        if asked or not known:  # each address that leads to it stands in a record
            self._captures.add(response, digest)
        self._rows[asked or response.url] = {"url": asked or response.url, "capture": digest, "path": path}
        if not self._is_there(path):
            self._files[path] = data

    def take(self) -> tuple[list[Pending], list[Statement]]:
        """Files that are to become durable, and what to commit to the ledger after that, once."""
        files = [Pending(path, data) for path, data in self._files.items()]
        rows = list(self._rows.values())
        self._files, self._rows = {}, {}
        return files, [(ADD, rows)] if rows else []

    def _is_there(self, path: str) -> bool:
        return path in self._files or (self._archive / path).is_file()

    def _restored(self, digest: str, path: str) -> bool:
        capture = self._ledger.find_capture(digest)
        try:
            data = unpacked(read_capture(self._captures.folder, capture)) if capture else b""
        except CaptureError:
            return False
        if not is_whole(path, data):
            return False
        self._files[path] = data
        return True


def kept_files(ledger: Ledger) -> set[str]:
    """Paths of all files that the ledger knows; none of a ledger that is older than images are kept."""
    if not sa.inspect(ledger.engine).has_table(images.name):
        return set()
    return {row.path for row in ledger.read(sa.select(images.c.path))}
