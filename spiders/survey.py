"""Lists that go back in time, walked for the days of a backfill.

Where pages are numbered, the one with which the days begin is found by bisection. What day a page is of its list tells,
or else the last article of the page, which is asked for and remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawler.archive.ledger import Entry, Row
from crawler.backfill import Backfill, Place
from spiders.walk import askable

if TYPE_CHECKING:
    from crawler.run import Run
    from spiders.listing import Walking
    from spiders.news import NewsSpider

_SAMPLES = 3
"""Articles of a page that are asked for its day before it is taken as it comes."""
_LAST = 1 << 20
"""No list has more pages."""
_NO_PAGE = (400, 404, 410, 416)
"""What sites answer beyond a list's last page."""


@dataclass(slots=True)
class Read:
    """A page of a list that was read."""

    number: int
    entries: list[Entry]
    following: str
    """Address of the page after it; empty at the end."""
    oldest: date | None = None
    newest: date | None = None
    counted: bool = False
    """Whether it was noted that it was asked for."""


@dataclass(slots=True)
class Hunt:
    """The search for the page with which the days begin: the first that is not wholly newer."""

    low: int = 1
    """A page that is newer."""
    high: int = 0
    """One that is not, or beyond the list's end; 0 while none is known."""
    pages: dict[int, Read] = field(default_factory=dict)
    """What was read meanwhile, and is not to be asked again."""
    keys: set[str] = field(default_factory=set)
    """What newer pages name: one that names nothing else is no page of its own."""

    @property
    def probe(self) -> int:
        """The page to be looked at next."""
        return (self.low + self.high) // 2 if self.high else self.low * 2

    @property
    def is_over(self) -> bool:
        return self.high - self.low == 1 or self.low > _LAST


class Surveys:
    """Walks the lists of one spider's backfill."""

    def __init__(self, spider: NewsSpider, request: Callable[[Walking, str, int], Request]) -> None:
        """``request`` makes the request for a page of a list."""
        self._spider, self._request = spider, request

    def read(self, walking: Walking, read: Read) -> Iterator[Any]:
        """Go on with a page that was read: its day first."""
        days = [day for entry in read.entries if (day := self._backfill.day_of(entry.hints))]
        if days or not read.entries:
            read.oldest, read.newest = min(days, default=None), max(days, default=None)
            yield from self._judged(walking, read)
        else:
            last = (entry for entry in reversed(read.entries) if not entry.refused)
            yield from self._asked(walking, read, islice(last, _SAMPLES))

    def _asked(self, walking: Walking, read: Read, candidates: Iterator[Entry]) -> Iterator[Any]:
        """The page's day by that of one of its articles, asked for where nobody knows it."""
        for entry in candidates:
            if day := self._backfill.seen_day(entry.key):
                read.oldest = read.newest = day
                break
            row = self._backfill.claim(entry)
            request = self._spider.article_request(row) if row else None
            if request is not None:
                told = {"row": row, "walking": walking, "read": read, "candidates": candidates}
                yield request.replace(callback=self._told, errback=self._untold, cb_kwargs=told)
                return
        yield from self._judged(walking, read)

    def _told(
        self, response: Response, row: Row, walking: Walking, read: Read, candidates: Iterator[Entry]
    ) -> Iterator[Any]:
        yield from self._spider.parse_article(response, row)
        day = self._backfill.seen_day(row.key)
        if day is None:
            yield from self._asked(walking, read, candidates)
            return
        read.oldest = read.newest = day
        yield from self._judged(walking, read)

    def _untold(self, failure: Failure) -> Iterator[Any]:
        told = failure.request.cb_kwargs  # type: ignore[attr-defined]
        self._spider.article_failed(failure)
        yield from self._asked(told["walking"], told["read"], told["candidates"])

    def _judged(self, walking: Walking, read: Read) -> Iterator[Any]:
        """The page's day is known, as far as it can be."""
        newer = read.oldest is not None and read.oldest > self._backfill.days.last
        if walking.hunt is not None:
            yield from self._hunted(walking, walking.hunt, read, newer=newer)
        elif newer and read.number == 1 and self._page_at(walking, 2):
            walking.hunt = Hunt()
            yield from self._hunted(walking, walking.hunt, read, newer=True)
        else:
            yield from self._walked(walking, read, newer=newer)

    # bisection

    def _hunted(self, walking: Walking, hunt: Hunt, read: Read, *, newer: bool) -> Iterator[Any]:
        keys = {entry.key for entry in read.entries}
        if read.number > 1 and keys <= hunt.keys:
            yield from self.beyond(walking, read.number)
            return
        if newer:
            hunt.low = max(hunt.low, read.number)
            hunt.keys |= keys
        else:
            hunt.high = read.number
            hunt.pages[read.number] = read
        self._backfill.discover([], walking.start, reach=read.oldest)
        read.counted = True
        yield from self._probe(walking, hunt)

    def _probe(self, walking: Walking, hunt: Hunt) -> Iterator[Any]:
        if not hunt.is_over:
            yield self._request(walking, self._page_at(walking, hunt.probe), hunt.probe)
            return
        walking.hunt, walking.pages = None, hunt.pages
        first = hunt.pages.pop(hunt.high, None)
        if first is None:  # the list ends before the days begin
            self._end(walking)
        else:
            yield from self._walked(walking, first, newer=False)

    def is_beyond(self, walking: Walking, number: int, failure: Failure) -> bool:
        """Whether an answer says that a page whose number was made up is not there."""
        status = failure.value.response.status if isinstance(failure.value, HttpError) else 0
        return number > 1 and status in _NO_PAGE and bool(self._page_at(walking, number))

    def beyond(self, walking: Walking, number: int) -> Iterator[Any]:
        """A numbered page is not there: the list ends before it."""
        if (hunt := walking.hunt) is None:
            self._end(walking)
            return
        hunt.high = walking.beyond = number
        yield from self._probe(walking, hunt)

    def _page_at(self, walking: Walking, number: int) -> str:
        """Address of a page by its number; empty where pages are not numbered."""
        found = walking.walk.page_at(number)
        return askable(walking.start, found) if found else ""

    # page by page

    def _walked(self, walking: Walking, read: Read, *, newer: bool) -> Iterator[Any]:
        """Commit what the page names, then go on to the next, or end the walk where all is older than the days."""
        following = self._following(walking, read)
        place = Place(following, read.number + 1) if following else None
        entries = [] if newer else read.entries
        found = self._backfill.discover(entries, walking.start, place, read.oldest, pages=int(not read.counted))
        report = self._run.report.of(walking.source.id)
        report.listed += found.new + found.known
        report.new += found.new
        for entry in found.refused:
            report.refused += 1
            report.problem(entry.hints.get("url") or f"{walking.start} {entry.key}", entry.refused)
        if not following:
            self._end(walking)
        elif (known := walking.pages.pop(read.number + 1, None)) is not None:
            yield from self._judged(walking, known)
        else:
            yield self._request(walking, following, read.number + 1)

    def _following(self, walking: Walking, read: Read) -> str:
        """Address of the next page; empty where the walk is to end, also since pages repeat themselves."""
        goes_on = walking.goes_on(entry.key for entry in read.entries) and read.number + 1 != walking.beyond
        over = read.newest is not None and read.newest < self._backfill.days.first
        return read.following if goes_on and not over else ""

    def _end(self, walking: Walking) -> None:
        self._run.flush()
        self._backfill.end_walk(walking.start, by_time=True)

    @property
    def _run(self) -> Run:
        run: Any = self._spider.run
        return run  # type: ignore[no-any-return]

    @property
    def _backfill(self) -> Backfill:
        assert self._run.backfill is not None
        return self._run.backfill
