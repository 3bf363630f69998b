"""A fetched page, parsed once: whoever extracts from it shares the text, the tree and the JSON."""

from __future__ import annotations

import codecs
import json
import re
from functools import cached_property
from typing import Any

import lxml.html
from lxml import etree

_DECLARED = re.compile(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "iso-8859-1": "cp1252", "latin-1": "cp1252"}
"""Declared encodings that mean a wider one in practice (WHATWG Encoding Standard, section 4.2)."""
_JSONP = re.compile(r"^\s*(?:(?:var|let|const)\s+)?[\w$.\[\]'\"]+\s*(?:\(|=)\s*(?=[\[{])")
COMMA = re.compile(r'("(?:[^"\\]++|\\.?)*+(?:"|\Z))|,(?=\s*[}\]])', re.DOTALL)
"""A text, which stays (also one without an end: to begin anew within it would take hours), or a comma before a closing
bracket."""
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""An escaped half of a character beyond U+FFFF; texts cut in the middle of an emoji end in one without its twin."""
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined"})
"""Python's codecs of other kinds that still decode to text, or fail on it."""


class NotJson(ValueError):
    """The answer is no JSON and no JSONP."""


class Page:
    """Bytes of one answer, with its address and what it is said to be written in."""

    def __init__(self, body: bytes, url: str = "", *, declared: str = "", encoding: str = "") -> None:
        """``declared`` is the header's charset; ``encoding`` (a source's own) overrides everything."""
        self.body = body
        self.url = url
        self._declared = declared
        self._fixed = encoding

    @cached_property
    def encoding(self) -> str:
        """Strict UTF-8 first, then the header's charset, the one in the first 2 KiB, at last UTF-8 with damage."""
        if self._fixed:
            return self._fixed
        try:
            self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self._declared_encoding()
        return "utf-8-sig" if self.body.startswith(b"\xef\xbb\xbf") else "utf-8"

    def _declared_encoding(self) -> str:
        inside = _DECLARED.search(self.body[:2048])
        for name in (self._declared, inside[1].decode("ascii") if inside else ""):
            name = _WIDER.get(name.lower(), name)
            if is_charset(name):
                return name
        return "utf-8"

    @cached_property
    def text(self) -> str:
        """The answer as text; undecodable bytes show as U+FFFD."""
        return self.body.decode(self.encoding, "replace").removeprefix("\ufeff")

    @cached_property
    def root(self) -> Any:
        """The HTML tree (an lxml element); an empty page gives an empty ``<html>``."""
        # huge_tree raises libxml2's silent depth limit from 256 to 2048
        parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True)
        body = self.body if self.encoding == "utf-8" else self.text.encode("utf-8", "replace")
        try:
            root = etree.fromstring(body, parser) if body.strip() else None
        except (etree.ParserError, etree.XMLSyntaxError, ValueError):
            root = None
        return lxml.html.Element("html") if root is None else root

    @cached_property
    def json(self) -> Any:
        """The answer as JSON; JSONP wrappers (``cb({…})``, ``var x={…}``) and trailing commas are seen through.

        Raises NotJson."""
        text = self.text.strip()
        if text[:1] not in "[{" and (wrapped := _JSONP.match(text)):
            text = text[wrapped.end() :].rstrip().rstrip(";").rstrip()
            text = text.removesuffix(")")
        for candidate in (text, COMMA.sub(r"\1", text)):
            try:
                value = json.loads(candidate, strict=False)
                return _whole(value) if _HALF.search(candidate) else value
            except (ValueError, RecursionError):
                continue
        raise NotJson(f"no JSON: begins with {self.text[:60]!r}")


def is_charset(name: str) -> bool:
    """Whether Python decodes text by this name."""
    try:
        return bool(name) and codecs.lookup(name).name not in _NO_CHARSETS and b" ".decode(name, "replace") is not None
    except LookupError:  # unknown, or a codec from bytes to bytes
        return False


def _whole(value: Any) -> Any:
    """JSON with U+FFFD for halves of characters: no file and no database takes them."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), strict=False)
