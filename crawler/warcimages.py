"""Images that WARC files hold, found by address: pages and their images come in any order, and in different files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from crawler.archive.captures import Response, unpacked, warc_date
from crawler.archive.images import NoImage, path_of
from crawler.archive.warc import Place, Reader
from crawler.download import LocalFile


@dataclass(frozen=True, slots=True)
class _There:
    """Where reading comes to a record."""

    file: Path
    place: Place
    url: str
    """Of the record."""


class WarcImages:
    """Images in some files of this machine; the first record of an address counts. They are read once as a whole when
    an image is first looked for, and then only at its place."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = list(files)
        self._found: dict[str, _There] | None = None

    def find(self, url: str) -> Response | None:
        """The response of this address that is an image. Raises OSError."""
        if self._found is None:
            self._found = {}
            for file in self._files:
                self._index(file, self._found)
        there = self._found.get(url)
        return _read(there) if there else None

    def _index(self, file: Path, found: dict[str, _There]) -> None:
        place = Place()
        with closing(LocalFile(file)) as opened:
            for record in Reader(opened, _may_be):
                try:
                    response = record.response()
                    if response.status == 200:
                        path_of(unpacked(response))
                        asked = response.notes.get("asked") or response.url
                        found.setdefault(asked, _There(file, place, response.url))
                except (NoImage, ValueError):
                    pass
                place = record.after


def _may_be(fields: Mapping[str, str]) -> bool:
    """By the head of a record."""
    return fields.get("warc-type") == "response" and "warc-truncated" not in fields


def _read(there: _There) -> Response | None:
    """With the time as our own captures have it."""
    with closing(LocalFile(there.file)) as opened:
        opened.seek(there.place.offset)
        for record in Reader(opened, lambda fields: _may_be(fields) and _is_at(fields, there.url), there.place):
            response = record.response()
            moment = datetime.fromisoformat(response.date).astimezone(UTC)
            return replace(response, date=warc_date(moment))
    return None


def _is_at(fields: Mapping[str, str], url: str) -> bool:
    return fields.get("warc-target-uri", "").strip("<>") == url
