"""Sitemaps, sitemap indexes (sitemaps.org/protocol.html), lists of addresses in plain text, and what a robots.txt
names: read as a stream, entry by entry.

Sitemaps are flat, long and often broken, so no XML parser is asked: no tree grows, no namespace need be right, and an
ampersand that nobody escaped costs nothing. Nothing is expanded but characters, and nothing is ever fetched.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from io import BytesIO
from itertools import chain
from typing import NamedTuple

from crawler.extract.charset import encoding_of
from crawler.extract.page import Page
from crawler.extract.text import squeeze

UNPACKED = 64 << 20
"""Bytes that are read of one; the protocol allows 50 MB."""
MOST = 100_000
"""Entries that are read of one; the protocol allows 50,000."""
_PIECE = 1 << 16
_LONGEST = 1 << 20
"""Characters of a tag, or of a text between two."""
_GZIP = b"\x1f\x8b"
TOKENS = 1_500_000
"""Tags and texts that are read of one."""
_NAME = r"[^\W\d][\w.-]*"
_TAG = re.compile(rf"<(/?)(?:({_NAME}):)?({_NAME})(?:\s[^<>]*?)?(/?)>")
_TOKEN = re.compile(rf"{_TAG.pattern}([^<]*)(?=<)")
_SPECIAL = {
    begin: re.compile(pattern, re.DOTALL)
    for begin, pattern in (
        ("<!--", r"(?:<!--.*?-->\s*)++"),
        ("<![CDATA[", r"<!\[CDATA\[.*?\]\]>"),
        ("<?", r"<\?.*?\?>"),
        ("<!", "<!.*?>"),
    )
}
"""What is no element, by its beginning; longer beginnings first."""
_TEXT = re.compile(r"(?:<?[^<]+|<+)(?=<)")
_XML = re.compile(r"<(?:\?xml|!|(?:[\w.-]+:)?(?:urlset|sitemapindex|url|sitemap|rss|feed|html)[\s/>])", re.IGNORECASE)
_ENTRIES, _ROOTS = ("url", "sitemap"), ("urlset", "sitemapindex")
_FIELDS = {"loc": "loc", "lastmod": "lastmod", "publication_date": "published", "title": "title"}
_OTHERS = frozenset(("image", "video"))
"""Prefixes and containers of what is no article's: pictures have a ``loc`` too, films a ``publication_date``."""
_IN_ROBOTS = re.compile(r"sitemap\s*:\s*(\S+)", re.IGNORECASE)  # RFC 9309 leaves it to sitemaps.org
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(slots=True)
class Named:
    """An entry, its texts as printed."""

    loc: str = ""
    """Address, perhaps relative."""
    lastmod: str = ""
    published: str = ""
    """``news:publication_date``."""
    title: str = ""
    """``news:title``."""
    index: bool = False
    """Whether it is a further sitemap."""


def read_sitemap(page: Page) -> Iterator[Named]:
    """The entries of an answer, packed or not.

    Raises ValueError where it is no sitemap, declares a document type of its own or is more than may be; and after what
    could be read, where it breaks off.
    """
    texts = _texts(page)
    head = next(texts, "")
    while len(head) < _PIECE // 2 and (more := next(texts, "")):
        head += more
    start = _XML.search(head)
    rest = chain([head[start.start() :] if start else head], texts)
    for number, named in enumerate(_of_xml(rest) if start else _of_lines(rest, head), 1):
        if number > MOST:
            raise ValueError(f"it names more than {MOST} addresses")
        yield named


# bytes and characters


def _texts(page: Page) -> Iterator[str]:
    """Its text in pieces, none of them empty."""
    pieces = _unpacked(page.body)
    first = next(pieces, b"")
    packed = page.body.startswith(_GZIP)
    codec = encoding_of(first[: first.rfind(b">") + 1 or None]) if packed else page.encoding
    decoder = codecs.getincrementaldecoder(codec)("replace")
    for piece in chain([first], pieces):
        if text := decoder.decode(piece):
            yield text.encode("utf-8", "replace").decode().removeprefix("\ufeff")  # UTF-7 has halves of characters
    if text := decoder.decode(b"", final=True):
        yield text


def _unpacked(body: bytes) -> Iterator[bytes]:
    """Its bytes in pieces: gzip is known by its first bytes, for names and types say anything."""
    size = 0
    with gzip.open(BytesIO(body)) if body.startswith(_GZIP) else BytesIO(body) as file:
        while piece := _piece(file):
            if (size := size + len(piece)) > UNPACKED:
                raise ValueError(f"it holds more than {UNPACKED >> 20} MiB")
            yield piece


def _piece(file: gzip.GzipFile | BytesIO) -> bytes:
    try:
        return file.read(_PIECE)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error


# plain text


def _of_lines(texts: Iterator[str], head: str) -> Iterator[Named]:
    found = False
    for line in _lines(texts):
        if match := _IN_ROBOTS.match(line) or _ADDRESS.fullmatch(line):
            found = True
            yield Named(match[1], index=True) if match.re is _IN_ROBOTS else Named(line)
    if not found:
        raise ValueError(f"no sitemap: begins with {head[:60]!r}")


def _lines(texts: Iterator[str]) -> Iterator[str]:
    held = ""
    for text in texts:
        *lines, held = (held + text).replace("\r", "\n").split("\n")
        yield from map(str.strip, lines)
        held = held[:_LONGEST]
    yield held.strip()


# XML


class _Token(NamedTuple):
    """A tag and the text behind it, or a text alone."""

    text: str
    name: str = ""
    """Without its prefix, in small letters; empty for a text alone."""
    prefix: str = ""
    opens: bool = False
    closes: bool = False


def _of_xml(texts: Iterator[str]) -> Iterator[Named]:
    root, entries = "", _Entries()
    for token in _tokens(texts):
        if token.name and not root:
            root = _root(token.name)
        if token.closes and token.name == root:
            yield from entries.end()
            return
        yield from entries.take(token)
    raise ValueError("it breaks off" if root else "no sitemap: it holds no element")


def _root(name: str) -> str:
    if name in ("rss", "feed", "rdf"):
        raise ValueError("a feed, no sitemap: its kind is feed")
    if name not in (*_ROOTS, *_ENTRIES):
        raise ValueError(f"no sitemap: its first element is {name[:40]!r}")
    return name if name in _ROOTS else "urlset"


class _Entries:
    """Puts entries together."""

    def __init__(self) -> None:
        self._entry: Named | None = None
        self._field = ""
        self._said: list[str] = []
        self._other = ""

    def take(self, token: _Token) -> Iterator[Named]:
        """Go on with a token; the entry that ends with it."""
        if token.name in _ENTRIES:
            yield from self.end()
            if token.opens and not token.closes:
                self._entry = Named(index=token.name == "sitemap")
        elif token.name and (self._other or token.name in _OTHERS):
            self._beside(token)
        elif token.name in _FIELDS and token.prefix not in _OTHERS:
            self._border(token)
        if self._field:
            self._said.append(token.text)

    def end(self) -> Iterator[Named]:
        """The entry that is open."""
        if self._entry is not None:
            yield self._entry
        self._entry, self._field, self._other = None, "", ""

    def _beside(self, token: _Token) -> None:
        """In and out of a picture's or film's own fields."""
        self._field = ""
        if not self._other:
            self._other = "" if token.closes else token.name
        elif token.closes and token.name == self._other:
            self._other = ""

    def _border(self, token: _Token) -> None:
        """Where a field begins or ends; of several the first that says something counts."""
        if token.opens:
            self._field, self._said = "" if token.closes else token.name, []
        elif token.name == self._field:
            name, self._field = _FIELDS[token.name], ""
            if self._entry is not None and not getattr(self._entry, name):
                setattr(self._entry, name, squeeze("".join(self._said)))


def _tokens(texts: Iterator[str]) -> Iterator[_Token]:
    """Tags and texts. What begins in one piece may end in a later one; a loose angle bracket is text."""
    held, at, number = "", 0, 0
    for text in chain(texts, "<"):  # every text ends with a bracket
        held, at = held[at:] + text, 0
        if len(held) > _LONGEST + _PIECE:
            raise ValueError(f"something in it is longer than {_LONGEST} characters")
        while match := _TOKEN.match(held, at) or _other(held, at):
            if (number := number + 1) > TOKENS:
                raise ValueError(f"it holds more than {TOKENS} tags and texts")
            yield _token(match) if match.re is _TOKEN else _Token(_said(match[0]))
            at = match.end()


def _token(match: re.Match[str]) -> _Token:
    slash, prefix, name, empty, text = match.groups()
    said = unescape(text) if "&" in text else text
    return _Token(said, name.lower(), prefix.lower() if prefix else "", not slash, bool(slash or empty))


def _other(held: str, at: int) -> re.Match[str] | None:
    """What is no tag; None where it lies beyond what is held."""
    for begin, pattern in _SPECIAL.items():
        if held.startswith(begin, at):
            return pattern.match(held, at)
    return None if _TAG.match(held, at) else _TEXT.match(held, at)


def _said(piece: str) -> str:
    """The text of what is no tag. Raises ValueError for declarations."""
    if piece.startswith("<![CDATA["):
        return piece[9:-3]
    if piece.startswith("<!") and not piece.startswith("<!--") and ("[" in piece or piece.startswith("<!ENTITY")):
        raise ValueError("it declares a document type of its own, which is refused")
    return "" if piece.startswith(("<!", "<?")) else unescape(piece)
