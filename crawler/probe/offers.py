"""What an answer is (page, feed, sitemap), what it names, and where a site offers feeds and sitemaps."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from crawler.extract.page import NotJson, Page
from crawler.fetch import Answer
from crawler.probe.links import Link, address, links_of

COMMON_FEEDS = ("/feed", "/rss.xml", "/rss", "/feed.xml", "/atom.xml", "/index.xml")
"""Where feeds lie that nobody points at; asked in this order until one is there."""
COMMON_SITEMAPS = ("/sitemap.xml", "/sitemap_index.xml")
_FEED_KINDS = re.compile(r"application/(?:rss|atom|rdf|feed)\+(?:xml|json)|application/json", re.IGNORECASE)
_FEED_PATH = re.compile(r"(?:^|[/._-])(?:rss|feed|atom|rdf)s?(?:[/._-]|$)", re.IGNORECASE)
_SITEMAP_LINE = re.compile(r"(?im)^[ \t]*sitemap[ \t]*:[ \t]*(\S+)")
_ROOT = re.compile(rb"<(?:\w+:)?(rss|feed|rdf|urlset|sitemapindex|html)\b", re.IGNORECASE)
_LARGEST = 32 * 1024 * 1024
_alternates: Any = etree.XPath("descendant-or-self::link[@href and @type]")
_items: Any = etree.XPath("//*[local-name()='item' or local-name()='entry']")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False, load_dtd=False)


@dataclass(frozen=True, slots=True)
class Named:
    """What a feed or a sitemap names."""

    kind: str
    """``feed``, ``sitemap`` or ``index`` (of sitemaps)."""
    links: list[Link]
    language: str = ""
    title: str = ""
    dates: dict[str, datetime] = field(default_factory=dict)
    """Address -> when a feed says it was published, with the feed's own offset."""


def kind_of(answer: Answer) -> str:
    """``feed``, ``sitemap``, ``index`` or ``html``, by what it holds; empty for anything else."""
    body = unzipped(answer.body)
    begin = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin[:1] in (b"{", b"["):
        return "feed" if b"jsonfeed.org" in begin else ""
    found = _ROOT.search(begin)
    root = found[1].lower().decode() if found else ""
    if root in ("rss", "feed", "rdf"):
        return "feed"
    return {"urlset": "sitemap", "sitemapindex": "index"}.get(root, "html" if b"<" in begin else "")


def named_by(answer: Answer) -> Named | None:
    """What a feed or a sitemap names; None for what is neither."""
    kind = kind_of(answer)
    if kind not in ("feed", "sitemap", "index"):
        return None
    body = unzipped(answer.body)
    if body.lstrip()[:1] == b"{":
        return _json_feed(answer)
    try:
        root = etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError:
        return None
    if root is None:
        return None
    if kind == "feed":
        links = [Link(url, _said(item, "title")) for item in _items(root) if (url := _link(item, answer.url))]
        dates = {url: when for item in _items(root) if (url := _link(item, answer.url)) and (when := _published(item))}
        return Named(kind, links, _said(root, "language") or _said(_channel(root), "language"), _title(root), dates)
    found = (address(answer.url, _said(one, "loc")) for one in root)
    return Named(kind, [Link(url) for url in dict.fromkeys(found) if url])


def unzipped(body: bytes) -> bytes:
    """``body``, unpacked if it is a gzip file itself."""
    if body[:2] != b"\x1f\x8b":
        return body
    try:
        return zlib.decompressobj(31).decompress(body, _LARGEST)
    except zlib.error:
        return b""


def feeds_on(page: Page) -> list[str]:
    """Addresses of feeds that a page points at: in its head, then among its links."""
    alternates = (link for link in _alternates(page.root) if "alternate" in (link.get("rel") or "").lower())
    said = (link.get("href") for link in alternates if _FEED_KINDS.search(link.get("type")))
    stated = [address(page.url, href) for href in said if "oembed" not in href and "/wp-json/" not in href]
    linked = [link.url for link in links_of(page) if _FEED_PATH.search(link.url.partition("//")[2].partition("/")[2])]
    return [url for url in dict.fromkeys((*stated, *linked)) if url and "comment" not in url]


def sitemaps_in(robots: Answer, home: str) -> list[str]:
    """Addresses of sitemaps that robots.txt names; the common ones where it names none."""
    said = _SITEMAP_LINE.findall(robots.body[:500_000].decode("utf-8", "replace")) if robots.good else []
    named = [url for one in said if (url := address(home, one))]
    return list(dict.fromkeys(named)) or [urljoin(home, path) for path in COMMON_SITEMAPS]


def _json_feed(answer: Answer) -> Named | None:
    try:
        value = answer.page().json
    except NotJson:
        return None
    items = value.get("items", []) if isinstance(value, dict) else []
    pairs = ((address(answer.url, str(one.get("url", ""))), str(one.get("title", ""))) for one in items)
    return Named("feed", [Link(url, title) for url, title in pairs if url], title=str(value.get("title", "")))


def _link(item: Any, base: str) -> str:
    """Of an entry: its link, else a guid that is one."""
    for child in _children(item, "link"):
        if (child.get("rel") or "alternate") == "alternate":
            return address(base, child.get("href") or (child.text or ""))
    guid = next(iter(_children(item, "guid")), None)
    return address(base, guid.text or "") if guid is not None and (guid.text or "").startswith("http") else ""


def _published(item: Any) -> datetime | None:
    """Of an entry, where it is a whole date with an offset."""
    said = next(filter(None, (_said(item, name) for name in ("pubDate", "published", "date"))), "")
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(said)
        except ValueError:
            continue
        return found if found.tzinfo else None
    return None


def _children(element: Any, name: str) -> Iterator[Any]:
    return (child for child in element if isinstance(child.tag, str) and etree.QName(child).localname == name)


def _said(element: Any, name: str) -> str:
    """Text of a child."""
    child = next(_children(element, name), None) if element is not None and isinstance(element.tag, str) else None
    return " ".join("".join(child.itertext()).split()) if child is not None else ""


def _channel(root: Any) -> Any:
    return next(_children(root, "channel"), None)


def _title(root: Any) -> str:
    return _said(root, "title") or _said(_channel(root), "title")
