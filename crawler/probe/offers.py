"""What an answer is (page, feed, sitemap), what it names, and where a site offers feeds and sitemaps."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from crawler.extract.feed import read_feed
from crawler.extract.page import Page
from crawler.extract.sitemap import read_sitemap
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
    if kind == "feed":
        return _feed(replace(answer, body=unzipped(answer.body)).page())
    if kind not in ("sitemap", "index"):
        return None
    links: dict[str, Link] = {}
    try:
        for named in read_sitemap(answer.page()):
            if url := address(answer.url, named.loc):
                links.setdefault(url, Link(url))
    except ValueError:  # what could be read before it broke off is something
        pass
    return Named(kind, list(links.values()))


def _feed(page: Page) -> Named | None:
    try:
        feed = read_feed(page)
    except ValueError:
        return None
    pairs = [(item, address(page.url, item.url)) for item in feed.items if item.url]
    dates = {url: when for item, url in pairs if url and (when := _moment(item.published))}
    return Named("feed", [Link(url, item.title) for item, url in pairs if url], feed.language, feed.title, dates)


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


def _moment(said: str) -> datetime | None:
    """When an entry was published, where it says a whole date with an offset."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(said)
        except ValueError:
            continue
        return found if found.tzinfo else None
    return None
