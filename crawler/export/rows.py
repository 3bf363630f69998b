"""Articles as rows of a table: what the lines of ``export jsonl`` say, by the same names, each value in a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from crawler.archive.changelog import Entry
from crawler.archive.markup import text_of
from crawler.export.jsonl import line_of
from crawler.export.shelf import Item

Value: TypeAlias = str | int | datetime | tuple[str, ...] | None

LINE = ("sequence", "event", "moment", "space", "identifier", "source", "revision", "digest", "path", "gone")
"""Columns of what the log says: numbers and texts."""
ARTICLE: Mapping[str, Callable[[Item], Value]] = {
    "headline": lambda item: item.post.title,
    "datePublished": lambda item: item.published,
    "dateModified": lambda item: item.modified,
    "author": lambda item: item.authors,
    "publisher": lambda item: item.publisher.name,
    "sourceOrganization": lambda item: item.outlet,
    "inLanguage": lambda item: item.language,
    "articleSection": lambda item: item.section,
    "keywords": lambda item: item.post.tags,
    "url": lambda item: item.original,
    "archivedAt": lambda item: item.address,
    "abstract": lambda item: item.post.digest,
    "articleBody": lambda item: text_of(item.post.body),
}
"""Columns of what the post says."""
TEXTS = ("abstract", "articleBody")
"""Those that hold whole texts."""


def row_of(entry: Entry, item: Item | None) -> dict[str, Value]:
    """A line and its post; columns of what is not known are absent."""
    if item is None:
        return line_of(entry)
    told = {name: value(item) for name, value in ARTICLE.items()}
    return {**line_of(entry), "digest": item.digest, **{name: value for name, value in told.items() if value}}
