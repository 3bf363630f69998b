"""Feeds: RSS, RDF, Atom and JSON Feed, page by page where they name older ones."""

from __future__ import annotations

import re

from crawler.days import Days, expanded
from crawler.extract.dates import parse
from crawler.extract.feed import Feed, read_feed
from crawler.extract.feeditem import Item
from crawler.extract.page import Page
from crawler.extract.text import plain, squeeze
from crawler.lists import FeedList
from crawler.sources import Source
from spiders.walk import EntryMaker, Listing, Walk, absolute, askable


class FeedWalk(Walk):
    """Reads the feeds of one list."""

    def __init__(self, source: Source, one: FeedList, window: Days | None = None) -> None:
        self._one, self._window, self._zone = one, window, source.zone
        self._make = EntryMaker(source)
        self._pattern = re.compile(one.links) if one.links else None
        self._last: tuple[Page | None, Feed] = None, Feed()

    def starts(self, days: Days) -> list[str]:
        """The addresses that the source states, for each day where they have one in them."""
        return expanded(self._one.urls, self._window or days)

    def read(self, page: Page) -> Listing:
        """Entries in the order of the feed, an address once. Raises ValueError for what is no feed."""
        feed = self._feed(page)
        listing, seen = Listing(problems=list(feed.problems)), set()
        for item in feed.items:
            url = absolute(page.url, item.url) if item.url else ""
            if url and (url in seen or (self._pattern and not self._pattern.search(url))):
                continue
            seen.add(url)
            self._make.add(listing, self._fields(item, url))
        return listing

    def _fields(self, item: Item, url: str) -> dict[str, str]:
        """What the feed says. Its content counts where nothing else is wanting for a post; else the page is asked."""
        said = {
            "url": url,
            "title": item.title,
            "published": item.published or item.updated,
            "outlet": item.outlet,
            "byline": "\n".join(item.authors),
            "digest": item.digest,
            "section": item.section,
        }
        if self._one.content and item.content and item.title and item.published:
            said["content"] = item.content
            if squeeze(plain(item.content)) == item.digest:  # the article is no summary of itself
                said["digest"] = ""
        return said

    def next(self, page: Page, number: int) -> str:
        """The page that the feed names as its next (RFC 5005), or that of the template; empty at the list's depth.

        A backfill goes on until all is older than its days."""
        if self._is_over(page) if self._window else number >= self._one.most:
            return ""
        following = self.page_at(number + 1) or self._feed(page).next
        return askable(page.url, following) if following else ""

    def page_at(self, number: int) -> str:
        """Address of a page after the first by its number; empty where the feed itself says which is the next."""
        paging = self._one.pages
        return paging.template.replace("{page}", str(paging.first + (number - 2) * paging.step)) if paging else ""

    def _is_over(self, page: Page) -> bool:
        """Whether a page of the feed has dates, and all are before the days of the backfill."""
        assert self._window is not None
        dates = [parse(item.published or item.updated, self._zone) for item in self._feed(page).items]
        known = [one.astimezone(self._zone).date() for one in dates if one is not None]
        return bool(known) and max(known) < self._window.first

    def _feed(self, page: Page) -> Feed:
        """What a page holds, parsed once."""
        if self._last[0] is not page:
            self._last = page, read_feed(page)
        return self._last[1]
