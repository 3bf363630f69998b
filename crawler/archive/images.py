"""Images as files of the archive: which bytes are one, where they lie, and how a body names them. Pure.

A file is named by the digest of its bytes and by what these are, whatever the server called them:
``images/ab/ab….jpg``. SVG is none of them, for it may hold scripts.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from hashlib import sha256
from html import unescape

FOLDER = "images"
LARGEST = 8 * 1024 * 1024
"""Bytes of an image that is kept."""
MOST = 40
"""Images of one article that are kept; the others stay linked."""
_SMALLEST = 100
"""Bytes; what has fewer counts visits."""

_NAME = r"images/([0-9a-f]{2})/\1[0-9a-f]{62}\.(?:avif|gif|jpg|png|webp)"
PATH = re.compile(_NAME)
"""Of a file below the archive."""
OWN = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/" + _NAME)
"""Address of such a file on the archive's own site, as a body names it."""
_SHOWN = re.compile(r'(<img\b[^<>]*? src=")([^"<>]*)"')
_SEGMENTS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG whose segment tells the size (ITU-T T.81, table B.1)."""


class NoImage(ValueError):
    """Bytes that are not kept as an image; the message says why."""


def path_of(data: bytes) -> str:
    """Where an image lies below the archive. Raises NoImage for bytes that are none, too many, or a tracking pixel."""
    kind = _kind(data)
    if not kind:
        raise NoImage("no image that is kept (PNG, JPEG, GIF, WebP, AVIF)")
    if len(data) > LARGEST:
        raise NoImage(f"larger than {LARGEST} bytes")
    if len(data) < _SMALLEST or max(_size(kind, data)) <= 1:
        raise NoImage("a tracking pixel")
    digest = sha256(data).hexdigest()
    return f"{FOLDER}/{digest[:2]}/{digest}.{kind}"


def is_whole(path: str, data: bytes) -> bool:
    """Whether the bytes are those that the name of the file tells."""
    return path.rpartition("/")[2].partition(".")[0] == sha256(data).hexdigest()


def addresses(body: str) -> list[str]:
    """Addresses of the web that a clean body shows images of, each once, in their order."""
    found = dict.fromkeys(_address(match[2]) for match in _SHOWN.finditer(body))
    return [url for url in found if url.startswith(("http://", "https://"))]


def files(body: str) -> list[str]:
    """Paths, below the archive, of the files that a body shows."""
    found = (OWN.fullmatch(unescape(match[2])) for match in _SHOWN.finditer(body))
    return [match[0][match[0].rindex(f"/{FOLDER}/") + 1 :] for match in found if match]


def shown(body: str, path: Callable[[str], str], base: str) -> str:
    """A clean body whose first images are shown from the archive, as far as ``path`` knows a file of their addresses.

    ``base``: path below which the site is published.
    """
    kept = {url: found for url in addresses(body)[:MOST] if (found := path(url))}

    def local(match: re.Match[str]) -> str:
        found = kept.get(_address(match[2]))
        return f'{match[1]}{base}/{found}"' if found else match[0]

    return _SHOWN.sub(local, body) if kept else body


def _address(written: str) -> str:
    """What is asked for: no server sees a fragment."""
    return unescape(written).partition("#")[0]


def _kind(data: bytes) -> str:
    """Extension by what the bytes say themselves; empty for all else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return "avif" if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis") else ""


def _size(kind: str, data: bytes) -> tuple[int, int]:
    """Width and height in pixels; (2, 2) where nothing tells them."""
    try:
        if kind == "png":
            return struct.unpack(">II", data[16:24])
        if kind == "gif":
            return struct.unpack("<HH", data[6:10])
        if kind == "jpg":
            return _size_of_jpeg(data)
        if kind == "webp" and data[12:16] == b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    except struct.error:
        pass
    return 2, 2


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    """Raises struct.error where its segments end before one tells."""
    at = 2
    while True:
        marker, length = struct.unpack_from(">xBH", data, at)
        if marker in _SEGMENTS:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
