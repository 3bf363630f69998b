"""Feeds of the newest posts with all of their text: Atom (RFC 4287) and JSON Feed 1.1."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import quote
from xml.etree import ElementTree

from crawler.export.order import Order
from crawler.export.shelf import Item
from crawler.export.xml import add, document

_ATOM = "http://www.w3.org/2005/Atom"
_NEVER = "1970-01-01T00:00:00+00:00"
"""When a feed without entries was updated."""


@dataclass(frozen=True, slots=True)
class _Head:
    """What a feed is of."""

    title: str
    page: str
    """Address of the page of the same posts."""
    id: str
    """Of an Atom feed, for ever."""


def _head(order: Order) -> _Head:
    shelf = order.shelf
    pages = [f"category/{quote(order.category, safe='')}"] if order.category else []
    pages += [f"source/{quote(order.source, safe='')}"] if order.source else []
    names = [shelf.source_name(order.source)] if order.source else []
    names += [shelf.category_name(order.category)] if order.category else []
    page = f"{shelf.home}/{pages[0]}.html" if pages else f"{shelf.home}/"
    return _Head(" · ".join([shelf.site.title, *names]), page, page + "".join(f"#{one}" for one in pages[1:]))


def atom(out: BinaryIO, order: Order) -> int:
    """Write an Atom feed; the number of its entries. Raises OSError.

    Its id is the address of the page that shows the same posts; that of an entry is its post's address in the archive.
    """
    items, head = order.newest(), _head(order)
    root = ElementTree.Element("feed", xmlns=_ATOM)
    root.set("xml:lang", order.shelf.site.language)
    add(root, "id", head.id)
    add(root, "title", head.title)
    add(root, "updated", max((_updated(item) for item in items), default=None, key=_instant) or _NEVER)
    if order.address:
        add(root, "link", rel="self", type="application/atom+xml", href=order.address)
    add(root, "link", rel="alternate", type="text/html", href=head.page)
    add(add(root, "author"), "name", order.shelf.site.title)
    add(root, "generator", "presskeep")
    for item in items:
        _entry(root, item)
    out.write(document(root).encode())
    return len(items)


def _updated(item: Item) -> str:
    return (item.modified or item.published).isoformat()


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _entry(root: ElementTree.Element, item: Item) -> None:
    entry = add(root, "entry")
    if item.language_tag:
        entry.set("xml:lang", item.language_tag)
    add(entry, "id", item.address)
    add(entry, "title", item.post.title)
    add(entry, "published", item.published.isoformat())
    add(entry, "updated", _updated(item))
    for name in item.authors or [item.outlet or item.publisher.name]:
        add(add(entry, "author"), "name", name)
    add(entry, "link", rel="alternate", type="text/html", href=item.address)
    if item.web_original:
        add(entry, "link", rel="via", href=item.web_original)
    for term in (*item.post.categories, *item.post.tags):
        add(entry, "category", term=term)
    add(entry, "content", item.content, type="html")


def jsonfeed(out: BinaryIO, order: Order) -> int:
    """Write a JSON Feed; the number of its items. Raises OSError."""
    items, head = order.newest(), _head(order)
    told = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": head.title,
        "home_page_url": head.page,
        "feed_url": order.address,
        "language": order.shelf.site.language,
        "items": [_item(item) for item in items],
    }
    known = {name: value for name, value in told.items() if value or name == "items"}
    out.write(f"{json.dumps(known, ensure_ascii=False, indent=1)}\n".encode())
    return len(items)


def _item(item: Item) -> dict[str, Any]:
    told = {
        "id": item.address,
        "url": item.address,
        "external_url": item.web_original,
        "title": item.post.title,
        "content_html": item.content,
        "date_published": item.published.isoformat(),
        "date_modified": item.modified.isoformat() if item.modified else "",
        "authors": [{"name": name} for name in item.authors or [item.outlet or item.publisher.name]],
        "tags": [*item.post.categories, *item.post.tags],
        "language": item.language_tag,
    }
    return {name: value for name, value in told.items() if value or name == "content_html"}
