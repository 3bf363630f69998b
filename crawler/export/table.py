"""CSV (RFC 4180): what is known of each article, without its text; a row for each line of the log that counts."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from typing import TextIO

from crawler.archive.changelog import PRESENCE, Entry
from crawler.export.jsonl import line_of
from crawler.export.shelf import Item, Shelf

_COLUMNS: dict[str, Callable[[Item], str]] = {
    "headline": lambda item: item.post.title,
    "datePublished": lambda item: item.published.isoformat(),
    "dateModified": lambda item: item.modified.isoformat() if item.modified else "",
    "author": lambda item: "; ".join(item.authors),
    "publisher": lambda item: item.publisher.name,
    "sourceOrganization": lambda item: item.outlet,
    "inLanguage": lambda item: item.language,
    "articleSection": lambda item: item.post.categories[0],
    "keywords": lambda item: "; ".join(item.post.tags),
    "url": lambda item: item.original,
    "archivedAt": lambda item: item.address,
}
_LINE = ("sequence", "event", "moment", "space", "identifier", "source", "revision", "digest", "path", "gone")
COLUMNS = (*_LINE, *_COLUMNS)
"""As the lines of ``export jsonl`` name them; several values of one are parted by semicolons."""


def write(out: TextIO, lines: Iterable[Entry], shelf: Shelf) -> int:
    """Write these lines of a log below a row of names; the number of articles. Raises OSError."""
    table = csv.DictWriter(out, COLUMNS, restval="")
    table.writeheader()
    written = 0
    for entry in lines:
        if entry.event in PRESENCE:
            table.writerow(line_of(entry))
        elif (item := shelf.item(entry)) is not None:
            table.writerow({**line_of(entry), "digest": item.digest, **_told(item)})
            written += 1
    return written


def _told(item: Item) -> dict[str, str]:
    return {name: value(item) for name, value in _COLUMNS.items()}
