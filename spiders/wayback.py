"""Captures of the Internet Archive, found by its CDX interface
(github.com/internetarchive/wayback/tree/master/wayback-cdx-server): for backfills."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from crawler.addressdays import day_named
from crawler.days import Days
from crawler.extract.page import Page
from crawler.lists import WaybackList
from crawler.mementos import memento, taken_at
from crawler.sources import Source
from crawler.urls import key_of
from spiders.walk import EntryMaker, Listing, Walk, askable

_ROWS = 5000
"""Captures in an answer."""
_DAY = timedelta(days=1)
"""By how much days may differ between a site's zones."""
_PORT = re.compile(r"^(http://[^/:]+):80(?=/|$)")


class WaybackWalk(Walk):
    """Reads what one service has of some prefixes: of each address its first capture from a backfill's first day on."""

    def __init__(self, source: Source, one: WaybackList, window: Days | None = None) -> None:
        self._one, self._window = one, window
        self._make = EntryMaker(source)
        self._pattern = re.compile(one.links) if one.links else None
        self._keys = source.key_patterns

    def starts(self, days: Days) -> list[str]:
        """A search for each prefix. What is published on the last day may be captured later."""
        days = self._window or days
        until = days.last + (self._one.patience or _DAY)
        return [self._search(prefix, f"{days.first:%Y%m%d}", f"{until:%Y%m%d}") for prefix in self._one.prefix]

    def _search(self, prefix: str, first: str, last: str) -> str:
        asked = [
            ("url", f"{prefix.rstrip('*')}*"),
            ("output", "json"),
            ("from", first),
            ("to", last),
            ("filter", "statuscode:200"),
            ("filter", "mimetype:text/html"),
            ("collapse", "urlkey"),
            ("fl", "timestamp,original"),
            ("limit", str(_ROWS)),
            ("showResumeKey", "true"),
        ]
        return f"{self._one.service.rstrip('/')}/cdx/search/cdx?{urlencode(asked, safe='*:/,')}"

    def read(self, page: Page) -> Listing:
        """Entries in the order of the answer. Raises ValueError for what is none."""
        listing = Listing()
        for row in _rows(page):
            timestamp, original = row[:2] if len(row) > 1 else ("", "")
            url = askable("", _PORT.sub(r"\1", original))
            address = memento(self._one.service, timestamp, url)
            if not url or taken_at(address) is None:
                listing.problems.append(f"no capture: {str(row)[:120]}")
            elif self._is_article(url) and self._may_be_wanted(url):
                self._make.add(listing, {"url": url, "memento": address})
            else:
                listing.left += 1
        return listing

    def _is_article(self, url: str) -> bool:
        if self._pattern is not None:
            return bool(self._pattern.search(url))
        return not self._keys or bool(key_of(url, self._keys))

    def _may_be_wanted(self, url: str) -> bool:
        named, days = day_named(url), self._window
        return not (named and days) or (named.first <= days.last + _DAY and named.last >= days.first - _DAY)

    def next(self, page: Page, number: int) -> str:
        """The same search from where the answer says to go on."""
        rows = page.json
        if not isinstance(rows, list) or len(rows) < 2 or rows[-2] != [] or not _is_row(rows[-1]):
            return ""
        before = page.url.partition("&resumeKey=")[0]
        return askable(page.url, f"{before}&resumeKey={quote(rows[-1][0], safe='%+')}")


def _rows(page: Page) -> Iterator[list[str]]:
    """Captures: rows behind the names of their columns, before an empty row and the key to go on with."""
    rows = page.json
    if not isinstance(rows, list) or not all(_is_row(row) or row == [] for row in rows):
        raise ValueError(f"rows of captures were due, not {str(rows)[:60]!r}")
    for row in rows[1:]:
        if row == []:
            return
        yield row


def _is_row(row: Any) -> bool:
    return isinstance(row, list) and bool(row) and all(isinstance(one, str) for one in row)
