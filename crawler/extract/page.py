"""A fetched page, parsed once: whoever extracts from it shares the text, the tree and the JSON."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import Any

from lxml import etree

from crawler.extract.charset import codec_of, encoding_of
from crawler.extract.deep import flat, shallower

_JSONP = re.compile(r"^\s*(?:(?:var|let|const)\s+)?[\w$.\[\]'\"]+\s*(?:\(|=)\s*(?=[\[{])")
COMMA = re.compile(r'("(?:[^"\\]++|\\.?)*+(?:"|\Z))|,(?=\s*[}\]])', re.DOTALL)
"""A text, which stays (also one without an end: to begin anew within it would take hours), or a comma before a closing
bracket."""
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""An escaped half of a character beyond U+FFFF; texts cut in the middle of an emoji end in one without its twin."""


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

    @classmethod
    def of_text(cls, text: str, url: str = "") -> Page:
        """A page that is decoded already; halves of characters beyond U+FFFF become U+FFFD, as no file takes them."""
        whole = text if text.isascii() else _mended(text)
        page = cls(whole.encode(), url, encoding="utf-8")
        page.__dict__["text"] = whole.removeprefix("\ufeff")
        return page

    @cached_property
    def encoding(self) -> str:
        """Python's name for the encoding: the source's own, else as ``encoding_of`` finds it."""
        return codec_of(self._fixed) or self._fixed or encoding_of(self.body, self._declared)

    @cached_property
    def text(self) -> str:
        """The answer as text; undecodable bytes show as U+FFFD. Raises LookupError if the source's encoding is none."""
        return self.body.decode(self.encoding, "replace").removeprefix("\ufeff")

    @cached_property
    def root(self) -> Any:
        """The HTML tree (an lxml element); an empty page gives an empty ``<html>``. No text is lost in the depths."""
        body = self.body if self.encoding == "utf-8" else self.text.encode("utf-8", "replace")
        if b"\0" in body:  # readers pass over it; libxml2 would show U+FFFD
            body = body.replace(b"\0", b"")
        for way in (bytes, shallower, flat):
            root, whole = _parsed(way(body))
            if whole:
                break
        return etree.Element("html") if root is None else root

    @cached_property
    def json(self) -> Any:
        """The answer as JSON; JSONP wrappers (``cb({…})``, ``var x={…}``) and trailing commas are seen through.

        Raises NotJson."""
        text = self.text.strip()
        if text[:1] not in "[{" and (wrapped := _JSONP.match(text)):
            text = text[wrapped.end() :].rstrip().rstrip(";").rstrip()
            text = text.removesuffix(")")
        for mend in (str, _without_loose_commas):
            try:
                candidate = mend(text)
                value = json.loads(candidate, strict=False)
                return _whole(value) if _HALF.search(candidate) else value
            except (ValueError, RecursionError):
                continue
        raise NotJson(f"no JSON: begins with {self.text[:60]!r}")


def _without_loose_commas(text: str) -> str:
    return COMMA.sub(r"\1", text)


def _parsed(body: bytes) -> tuple[Any, bool]:
    """The tree, and whether it holds the whole page: where libxml2 meets 2048 levels it stops (256 if not huge)."""
    # lxml.html's own parser would ask Python for the class of each element: a third of a millisecond for each thousand
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True, collect_ids=False)
    try:
        root = etree.fromstring(body, parser) if body.strip() else None
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None, True
    last = parser.error_log.last_error
    return root, last is None or "depth" not in last.message


def _mended(text: str) -> str:
    """``text`` with halves of characters joined, or replaced by U+FFFD where the other half is not beside them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _whole(value: Any) -> Any:
    """JSON with U+FFFD for halves of characters: no file and no database takes them."""
    return json.loads(_mended(json.dumps(value, ensure_ascii=False)), strict=False)
