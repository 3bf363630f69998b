"""A news sitemap (sitemaps.org 0.9 with Google's news fields) of the newest posts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO
from xml.etree import ElementTree

from crawler.export.shelf import Item, Shelf
from crawler.export.xml import add, document

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def write(out: TextIO, items: Sequence[Item], shelf: Shelf) -> int:
    """Write a sitemap; the number of its addresses. Raises OSError."""
    root = ElementTree.Element("urlset", {"xmlns": _SITEMAP, "xmlns:news": _NEWS})
    for item in items:
        _url(root, item, shelf)
    out.write(document(root))
    return len(items)


def _url(root: ElementTree.Element, item: Item, shelf: Shelf) -> None:
    url = add(root, "url")
    add(url, "loc", item.address)
    add(url, "lastmod", (item.modified or item.published).isoformat())
    news = add(url, "news:news")
    publication = add(news, "news:publication")
    add(publication, "news:name", item.publisher.name)
    add(publication, "news:language", _language(item.language or shelf.site.language))
    add(news, "news:publication_date", item.published.isoformat())
    add(news, "news:title", item.post.title)


def _language(tag: str) -> str:
    """As the news fields have it: ISO 639 alone, but zh-cn and zh-tw.
    https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap"""
    parts = tag.lower().split("-")
    if parts[0] != "zh":
        return parts[0]
    return "zh-tw" if {"tw", "hk", "mo", "hant"} & set(parts) else "zh-cn"
