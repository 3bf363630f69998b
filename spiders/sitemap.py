"""Sitemaps and indexes of them (sitemaps.org), and those that a robots.txt names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from math import ceil

from crawler.addressdays import day_named, days_named
from crawler.days import Days, expanded
from crawler.extract.dates import FIRST_YEAR, LAST_YEAR, parse
from crawler.extract.page import Page
from crawler.extract.sitemap import UNPACKED, Named, read_sitemap
from crawler.lists import SitemapList
from crawler.sources import Source
from crawler.urls import key_of
from spiders.walk import CHUNK, EntryMaker, Listing, Walk, absolute, askable

_DAY = timedelta(days=1)
"""By how much days may differ between a site's zones."""


class SitemapWalk(Walk):
    """Reads the sitemaps of one list."""

    levels = 3
    """Indexes may name indexes."""
    partial = True
    """A sitemap that an index names may hold no article."""
    largest = UNPACKED
    """Bytes of an answer that are taken."""

    def __init__(self, source: Source, one: SitemapList, window: Days | None = None) -> None:
        self._one, self._window, self._zone = one, window, source.zone
        self._make = EntryMaker(source)
        self._pattern = re.compile(one.links) if one.links else None
        self._keys = source.key_patterns
        self._lists = re.compile(one.lists) if one.lists else None
        self._first = window.first if window else None
        self._last = window.last if window else None

    def starts(self, days: Days) -> list[str]:
        """The addresses that the source states, for each day where they have one in them. How far back a crawl looks
        counts from the last of its days."""
        if self._window is None and (back := self._one.back) is not None:
            self._first = days.last - timedelta(days=ceil(back / _DAY))
        return expanded(self._one.urls, self._window or days)

    def read(self, page: Page) -> Listing:
        """All entries that are wanted now. Raises ValueError for what is no sitemap."""
        whole = Listing()
        for piece in self.pieces(page):
            whole.entries += piece.entries
            whole.problems += piece.problems
            whole.left += piece.left
        return whole

    def pieces(self, page: Page) -> Iterator[Listing]:
        """The same in pieces, for it may be long; only the last may be without entries. Raises ValueError with the
        first for what is no sitemap."""
        listing, number = Listing(), 0
        try:
            for number, named in enumerate(read_sitemap(page), 1):
                self._take(listing, page, named, number)
                if len(listing.entries) + len(listing.problems) >= CHUNK:
                    yield listing
                    listing = Listing()
        except ValueError as error:
            if not number:
                raise
            listing.problems.append(f"{error}, after {number} entries")
        yield listing

    def _take(self, listing: Listing, page: Page, named: Named, number: int) -> None:
        """Add an entry to the listing, if it is an article and wanted now."""
        if named.index:
            listing.left += 1
            return
        url = absolute(page.url, named.loc) if named.loc else ""
        if not url:
            listing.problems.append(f"no address in entry {number}: {named.loc[:120]!r}")
        elif self._is_article(url):
            if self._is_wanted(named, url):
                said = {"title": named.title, "published": named.published, "lastmod": named.lastmod}
                self._make.add(listing, {"url": url, **said})
            else:
                listing.left += 1

    def _is_article(self, url: str) -> bool:
        if self._pattern is not None:
            return bool(self._pattern.search(url))
        return not self._keys or bool(key_of(url, self._keys))

    def _is_wanted(self, named: Named, url: str) -> bool:
        """By the best that is said of its publication: the news date, the day in its address, at last ``lastmod``,
        before which it was published."""
        if self._first is None:
            return True
        if day := self._day(named.published):
            return self._may_hold(Days(day, day))
        if (days := day_named(url)) is not None:
            return self._may_hold(days)
        return self._is_recent(named)

    def _is_recent(self, named: Named) -> bool:
        """Whether what lies after the first day may have changed it."""
        day = self._day(named.lastmod)
        return day is None or self._first is None or day >= self._first

    def _may_hold(self, days: Days) -> bool:
        early = self._first is not None and days.last < self._first - _DAY
        return not early and (self._last is None or days.first <= self._last + _DAY)

    def _day(self, text: str) -> date | None:
        """W3C's form of ISO 8601 as a rule, which is read in C."""
        try:
            found: datetime | None = datetime.fromisoformat(text)
        except ValueError:
            found = parse(text, self._zone) if text else None
        if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
            return None
        return (found.astimezone(self._zone) if found.tzinfo else found).date()

    def lists(self, page: Page) -> list[str]:
        """Further sitemaps that an index names, each once: those that fit, and may hold what is wanted now."""
        named = {url: one for one in _further(page) if (url := askable(page.url, one.loc)) and self._fits(url)}
        days = days_named(named)
        return [url for url in named if self._is_recent(named[url]) and (url not in days or self._may_hold(days[url]))]

    def _fits(self, url: str) -> bool:
        return self._lists is None or bool(self._lists.search(url))


def _further(page: Page) -> Iterator[Named]:
    """What an index names, as far as it can be read; of a sitemap of articles no more than the first entry is looked
    at."""
    entries = read_sitemap(page)
    try:
        for first in islice(entries, 1):
            if first.index:
                yield first
                yield from (named for named in entries if named.index)
    except ValueError:  # read() says it
        return
