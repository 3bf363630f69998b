"""Feeds of the newest posts with all of their text: Atom (RFC 4287) and JSON Feed 1.1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TextIO
from xml.etree import ElementTree

from crawler.export.shelf import Item, Shelf
from crawler.export.xml import add, document

_ATOM = "http://www.w3.org/2005/Atom"
_NEVER = "1970-01-01T00:00:00+00:00"
"""When a feed without entries was updated."""


def atom(out: TextIO, items: Sequence[Item], shelf: Shelf) -> int:
    """Write an Atom feed; the number of its entries. Raises OSError."""
    root = ElementTree.Element("feed", xmlns=_ATOM)
    root.set("xml:lang", shelf.site.language)
    add(root, "id", f"{shelf.home}/")
    add(root, "title", shelf.site.title)
    add(root, "updated", max((_updated(item) for item in items), default=None, key=_instant) or _NEVER)
    add(root, "link", rel="alternate", type="text/html", href=f"{shelf.home}/")
    add(add(root, "author"), "name", shelf.site.title)
    add(root, "generator", "presskeep")
    for item in items:
        _entry(root, item)
    out.write(document(root))
    return len(items)


def _updated(item: Item) -> str:
    return (item.modified or item.published).isoformat()


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _entry(root: ElementTree.Element, item: Item) -> None:
    entry = add(root, "entry")
    if item.language:
        entry.set("xml:lang", item.language)
    add(entry, "id", item.address)
    add(entry, "title", item.post.title)
    add(entry, "published", item.published.isoformat())
    add(entry, "updated", _updated(item))
    for name in item.authors or [item.outlet or item.publisher.name]:
        add(add(entry, "author"), "name", name)
    add(entry, "link", rel="alternate", type="text/html", href=item.address)
    if item.original:
        add(entry, "link", rel="via", href=item.original)
    for term in (*item.post.categories, *item.post.tags):
        add(entry, "category", term=term)
    add(entry, "content", item.post.body, type="html")


def jsonfeed(out: TextIO, items: Sequence[Item], shelf: Shelf) -> int:
    """Write a JSON Feed; the number of its items. Raises OSError."""
    told = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": shelf.site.title,
        "home_page_url": f"{shelf.home}/",
        "language": shelf.site.language,
        "items": [_item(item) for item in items],
    }
    out.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    return len(items)


def _item(item: Item) -> dict[str, Any]:
    told = {
        "id": item.address,
        "url": item.address,
        "external_url": item.original,
        "title": item.post.title,
        "content_html": item.post.body,
        "date_published": item.published.isoformat(),
        "date_modified": item.modified.isoformat() if item.modified else "",
        "authors": [{"name": name} for name in item.authors or [item.outlet or item.publisher.name]],
        "tags": [*item.post.categories, *item.post.tags],
        "language": item.language,
    }
    return {name: value for name, value in told.items() if value or name == "content_html"}
