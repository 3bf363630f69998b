"""A news sitemap (sitemaps.org 0.9 with Google's news fields) of the newest posts.

The news fields are for articles of the last two days, 1,000 at most: the others are addresses alone.
https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap
"""

from __future__ import annotations

from datetime import timedelta
from typing import BinaryIO
from xml.etree import ElementTree

from crawler.export.order import Order
from crawler.export.shelf import Item
from crawler.export.xml import add, document

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
_RECENT = timedelta(days=2)
_MOST = 1000


def write(out: BinaryIO, order: Order) -> int:
    """Write a sitemap; the number of its addresses. Raises OSError."""
    items = order.newest(bare=True)
    root = ElementTree.Element("urlset", {"xmlns": _SITEMAP, "xmlns:news": _NEWS})
    for place, item in enumerate(items):
        url = add(root, "url")
        add(url, "loc", item.address)
        add(url, "lastmod", (item.modified or item.published).isoformat())
        if place < _MOST and item.published > order.now - _RECENT:
            _news(url, item, item.language or order.shelf.site.language)
    out.write(document(root).encode())
    return len(items)


def _news(url: ElementTree.Element, item: Item, language: str) -> None:
    news = add(url, "news:news")
    publication = add(news, "news:publication")
    add(publication, "news:name", item.publisher.name)
    add(publication, "news:language", _language(language))
    add(news, "news:publication_date", item.published.isoformat())
    add(news, "news:title", item.post.title)


def _language(tag: str) -> str:
    """As the news fields have it: ISO 639 alone, but zh-cn and zh-tw."""
    parts = tag.lower().split("-")
    if parts[0] != "zh":
        return parts[0]
    return "zh-tw" if {"tw", "hk", "mo", "hant"} & set(parts) else "zh-cn"
