"""Pages in files: HTML as it was saved, or the HTML answers of a WARC."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crawler.archive.captures import CaptureError, Response, read_segment, unpacked

CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_MOST = 64 * 1024 * 1024
"""Bytes of a page that are read."""


@dataclass(frozen=True, slots=True)
class GivenPage:
    """A page as it came."""

    url: str
    """Its own address; empty where that is not known."""
    body: bytes
    charset: str = ""
    """What the header declares; empty if it does not."""


def pages_in(path: Path, url: str = "") -> Iterator[GivenPage]:
    """The pages of a file.

    A WARC (``.warc.gz``) gives every HTML answer with status 200, or all answers of the one address ``url``; any
    other file is one page, whose address ``url`` is; ``.gz`` is unpacked. Raises CaptureError and OSError.
    """
    if re.search(r"\.warc(\.gz)?(\.open)?$", path.name):
        yield from _in_warc(path, url)
    else:
        yield GivenPage(url, _read(path))


def page_of_capture(response: Response) -> GivenPage:
    """A captured answer, unpacked."""
    declared = CHARSET.search(_kind(response))
    return GivenPage(response.url, unpacked(response, _MOST), declared[1] if declared else "")


def _read(path: Path) -> bytes:
    if path.suffix != ".gz":
        with path.open("rb") as file:
            return file.read(_MOST)
    try:
        with gzip.open(path) as file:
            return file.read(_MOST)
    except (EOFError, gzip.BadGzipFile) as error:
        raise CaptureError(f"{path}: {error}") from error


def _in_warc(path: Path, url: str) -> Iterator[GivenPage]:
    if path.suffix == ".warc":
        raise CaptureError(f"{path}: a WARC is read with a gzip member for each record; next: warcio recompress")
    for _, response in read_segment(path):
        if response.url == url if url else response.status == 200 and _is_html(response):
            yield page_of_capture(response)


def _is_html(response: Response) -> bool:
    kind = _kind(response).lower()
    return "html" in kind or (not kind and unpacked(response, 1024).lstrip()[:1] == b"<")


def _kind(response: Response) -> str:
    return next((value for name, value in response.headers if name.lower() == "content-type"), "")
