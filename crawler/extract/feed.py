"""Feeds: RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, JSON Feed 1 and 1.1, told apart by what they hold.

Each item of a feed in XML is cut out and parsed alone, so that what is broken in one costs no other. Nothing is
expanded but HTML's own entities, and no declaration of a document type is ever read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html import escape, unescape
from html.entities import html5
from typing import Any

from lxml import etree

from crawler.extract.feeditem import Entry, Item, absolute, json_item, local, said
from crawler.extract.page import Page
from crawler.extract.text import squeeze

_OPENING = 10_000
"""Characters of the feed's start tags, which are read again with each item."""
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufdd0-\ufdef\ufffe\uffff]")
_KEPT = r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
"""What is left as it is: nothing in it is markup."""
_LOOSE = re.compile(
    rf"({_KEPT})|&(#x[0-9a-f]{{1,6}};|#\d{{1,7}};|\w{{2,31}};)?|<(?![a-z_/!?])", re.DOTALL | re.IGNORECASE
)
"""Ampersands and angle brackets that may be no XML."""
_TAG = re.compile(rf"{_KEPT}|<(/?)([\w.-]+:)?(item|entry|channel|rss|rdf|feed)(?=[\s/>])", re.DOTALL | re.IGNORECASE)
"""Where items begin and end."""
_ROOT = re.compile(rf"{_KEPT}|<((?:[\w.-]+:)?)(rss|rdf|feed)(?:\s[^<>]*)?/?>", re.DOTALL | re.IGNORECASE)
_CHANNEL = re.compile(r"<channel(?:\s[^<>]*)?>", re.IGNORECASE)
_NEXT = re.compile(r"""<(?:[\w.-]+:)?link\s[^<>]*?\brel\s*=\s*["']next["'][^<>]*>""", re.IGNORECASE)
_BESIDE = {
    name: re.compile(
        rf"<((?:[\w.-]+:)?{name})(?:\s[^<>]*)?(?<!/)>(?:(?!</?\1[\s>]).)*</\1\s*>", re.DOTALL | re.IGNORECASE
    )
    for name in ("title", "language")
}
"""What a feed says of itself."""
_DECLARED = re.compile(r"<!ENTITY|<!DOCTYPE[^<>\[]*\[", re.IGNORECASE)
_PROSE = re.compile(
    r"<((?:[\w.-]+:)?(?:title|description|summary|encoded|content))((?:\s[^<>]*)?)(?<!/)>((?:(?!</?\1[\s>]).)*)</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)
"""Elements whose content may be HTML that nobody escaped."""


@dataclass(slots=True)
class Feed:
    """What a feed holds."""

    items: list[Item] = field(default_factory=list)
    title: str = ""
    language: str = ""
    next: str = ""
    """Address of the page with older items (RFC 5005, section 3; JSON Feed's ``next_url``)."""
    problems: list[str] = field(default_factory=list)
    """Items that cannot be read, a line each."""


def read_feed(page: Page) -> Feed:
    """The feed of an answer, whatever its Content-Type; an item that is cut short is left out.

    Raises ValueError for what is no feed, NotJson among it, and for one that declares entities.
    """
    text = page.text.lstrip("\ufeff \t\r\n\x00")
    if text[:1] in ("{", "["):
        return _json_feed(page.json)
    text = _CONTROLS.sub("", text)
    root = next((found for found in _ROOT.finditer(text) if found[2]), None)
    if root is None:
        raise ValueError(f"neither RSS nor Atom nor JSON Feed: begins with {text[:60]!r}")
    if _DECLARED.search(text, 0, root.start()):
        raise ValueError("it declares entities of its own, which are refused")
    return _XmlFeed(page.url, _LOOSE.sub(_mended, text[root.start() :])).feed


def _mended(found: re.Match[str]) -> str:
    """XML for what may be none: entities of HTML as their characters, what is no reference as itself."""
    kept, reference = found.group(1), found.group(2)
    if kept:
        return kept
    if not reference:
        return escape(found.group(0))
    known = unescape(f"&{reference}") if reference.startswith("#") else html5.get(reference)
    return escape(known if known is not None else f"&{reference}")


# XML


class _XmlFeed:
    """Reads one feed."""

    def __init__(self, url: str, text: str) -> None:
        """``text`` begins with the start tag of its root."""
        self._url = url
        root = _ROOT.match(text)
        assert root is not None
        self._parser = etree.XMLParser(
            encoding="utf-8", recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
            remove_comments=True, remove_pis=True,
        )  # fmt: skip
        self._opening = root[0]
        if root[2].lower() == "rss" and (channel := _CHANNEL.search(text)):
            self._opening += channel[0]
        if len(self._opening) > _OPENING:
            self._opening = f"<{root[1]}{root[2]}>"
        self.feed = Feed()
        rest = []
        for name, piece in _pieces(text, {None, "rss:", "atom:", "rdf:", root[1].lower()}):
            if name:
                self._add(name, piece)
            else:
                rest.append(piece)
        beside = "".join(rest)
        self.feed.next = self._next(beside)
        self.feed.title, self.feed.language = (self._said(name, beside) for name in ("title", "language"))

    def _add(self, name: str, piece: str) -> None:
        node = self._node(name, piece)
        if node is None:
            self.feed.problems.append(f"an item that cannot be read: {squeeze(piece)[:80]!r}")
        else:
            self.feed.items.append(Entry(node, self._url).item())

    def _node(self, name: str, piece: str) -> Any:
        """The item's element; raw HTML within it is taken for text where its tags do not fit."""
        node = self._parsed(f"{self._opening}{piece}</{name}>", name)
        if any(error.type == etree.ErrorTypes.ERR_TAG_NAME_MISMATCH for error in self._parser.error_log):
            node = self._parsed(f"{self._opening}{_PROSE.sub(_as_text, piece)}</{name}>", name)
        return node

    def _parsed(self, text: str, name: str) -> Any:
        try:
            root = etree.fromstring(text.encode("utf-8", "replace"), self._parser, base_url=self._url)
        except (etree.XMLSyntaxError, ValueError):
            return None
        sought = name.rpartition(":")[2].lower()
        return None if root is None else next((one for one in root.iter() if local(one).lower() == sought), None)

    def _next(self, text: str) -> str:
        """The ``next`` link outside of all items."""
        if (link := _NEXT.search(text)) is None:
            return ""
        node = self._parsed(f"{self._opening}{link[0]}", "link")
        return "" if node is None else absolute(node.base or self._url, node.get("href", "").strip())

    def _said(self, name: str, text: str) -> str:
        """The first element of this name outside of all items."""
        found = _BESIDE[name].search(text)
        node = None if found is None else self._parsed(f"{self._opening}{found[0]}", name)
        return "" if node is None else squeeze("".join(node.itertext()))


def _pieces(text: str, prefixes: Collection[str | None]) -> Iterator[tuple[str, str]]:
    """(name, text without the end tag) of each whole item, and ("", text) of what stands between them.

    An item that lacks its end tag ends where the next one begins, or the feed ends; one that the text ends in is left
    out.
    """
    begun, name, at = -1, "", 0
    for tag in _TAG.finditer(text):
        if tag[3] is None or (tag[2] and tag[2].lower()) not in prefixes:
            continue
        opens = not tag[1] and tag[3].lower() in ("item", "entry")
        if begun >= 0 and (opens or tag[1]):
            yield name, text[begun : tag.start()]
            begun, at = -1, tag.start()
        if opens:
            yield "", text[at : tag.start()]
            begun, name = tag.start(), f"{tag[2] or ''}{tag[3]}"
    if begun < 0:
        yield "", text[at:]


def _as_text(found: re.Match[str]) -> str:
    if "<![CDATA[" in found[3]:
        return found[0]
    return f"<{found[1]}{found[2]}><![CDATA[{found[3].replace(']]>', ']]&gt;')}]]></{found[1]}>"


# JSON


def _json_feed(value: Any) -> Feed:
    """A JSON Feed (jsonfeed.org, versions 1 and 1.1). Raises ValueError."""
    items = value.get("items") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(items, list):
        raise ValueError("no JSON Feed: it lacks items")
    feed = Feed(title=squeeze(said(value, "title")), language=said(value, "language"), next=said(value, "next_url"))
    for one in items:
        if isinstance(one, dict):
            feed.items.append(json_item(one))
        else:
            feed.problems.append(f"an item that cannot be read: {str(one)[:80]!r}")
    return feed
