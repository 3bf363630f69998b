"""The frontier: a Scrapy scheduler whose queue is the ledger's rows.

Requests for lists wait in memory; articles are leased from the ledger, a few per source at a time, so that a killed run
forgets nothing and a long queue costs no memory.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.core.scheduler import BaseScheduler
from scrapy.utils.httpobj import urlparse_cached

from crawler.middlewares.rests import RestsMiddleware

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.run import Run

_LEASE = 32
"""Rows taken from the ledger at once."""
_LOW = 8
"""Waiting articles of a source below which more are leased."""
_AHEAD = 2
"""Requests that may wait at a host beyond those in flight, so that it never idles; a run that is stopped ends them."""


_URGENT, _NEW, _AGAIN = range(3)
"""What goes before what at a host: lists, retries and redirects; articles that are no posts yet; second looks."""


class _Turns:
    """Requests of several sources, handed out source by source in turn."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Request]] = {}

    def __bool__(self) -> bool:
        return bool(self._queues)

    def __iter__(self) -> Iterator[Request]:
        return chain.from_iterable(self._queues.values())

    def append(self, request: Request) -> None:
        self._queues.setdefault(request.meta.get("source", ""), deque()).append(request)

    def popleft(self) -> Request:
        source = next(iter(self._queues))
        queue = self._queues.pop(source)
        request = queue.popleft()
        if queue:
            self._queues[source] = queue  # behind the others
        return request


class Frontier(BaseScheduler):
    """Hands out requests host by host in turn, until the run's budget is spent: lists before articles, new ones before
    second looks."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._hosts: dict[str, tuple[_Turns, _Turns, _Turns]] = {}  # urgent ones, new articles, second looks
        self._turn: deque[str] = deque()
        self._leased: Counter[tuple[str, int]] = Counter()
        self._after: dict[str, int] = {}
        self._open: set[str] = set()
        self._looked: set[str] = set()  # sources whose articles may be due for a second look
        self._resting: RestsMiddleware | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Frontier:
        """As Scrapy makes it."""
        return cls(crawler)

    def more_of(self, source: str) -> None:
        """The ledger may hold rows of this source that were not leased yet."""
        self._open.add(source)
        self.looks_at(source)

    def first_of(self, source: str) -> Request | None:
        """The first of the rows of a source that the ledger may hold now; for an engine that is idle and would not ask
        by itself for seconds."""
        self.more_of(source)
        if self._is_spent():
            return None
        self._refill()
        return self._taken(self._turn[0]) if self._turn else None

    def looks_at(self, source: str) -> None:
        """The ledger may hold posts of this source that are due for a second look."""
        self._looked.add(source)

    def has_pending_requests(self) -> bool:
        """Whether anything waits, here or in the ledger, that may still be asked."""
        if self._is_spent():
            return False
        self._refill()
        return bool(self._turn)

    def enqueue_request(self, request: Request) -> bool:
        """Take a request; lists, retries and redirects go before articles that were not asked for yet."""
        self._push(request, _URGENT)
        return True

    def next_request(self) -> Request | None:
        """The next request of the first host in turn that has room."""
        if self._is_spent():
            return None
        self._refill()
        for _ in range(len(self._turn)):
            host = self._turn[0]
            self._turn.rotate(-1)
            if self._has_room(host):
                return self._pop(host)
        return None

    def _is_spent(self) -> bool:
        """Whether the run's budget is; what waits here is let go, for the ledger has its articles and open walks."""
        spider: Any = self._crawler.spider
        run: Run | None = spider.run
        if run is None or not run.budget.spent:
            return False
        for urgent, *_ in self._hosts.values():
            for request in urgent:
                if request.meta.get("role") == "list":
                    run.report.of(request.meta["source"]).skipped_lists += 1
        self._hosts.clear()
        self._turn.clear()
        return True

    def _push(self, request: Request, rank: int) -> None:
        host = _host_of(request)
        if host not in self._hosts:
            self._hosts[host] = _Turns(), _Turns(), _Turns()
            self._turn.append(host)
        self._hosts[host][rank].append(request)

    def _pop(self, host: str) -> Request:
        spider: Any = self._crawler.spider
        if spider.run is not None:
            spider.run.budget.take()
        return self._taken(host)

    def _taken(self, host: str) -> Request:
        queues = self._hosts[host]
        request = next(filter(None, queues)).popleft()
        if not any(queues):
            del self._hosts[host]
            self._turn.remove(host)
        if leased := request.meta.pop("leased", None):
            self._leased[leased] -= 1
        return request

    def _has_room(self, host: str) -> bool:
        """By the downloader's own set: its slots know a request only once all middlewares have let it through."""
        downloader = self._crawler.engine.downloader if self._crawler.engine else None
        if downloader is None:
            return True
        pace = downloader.per_slot_settings.get(host, {})
        most = pace.get("concurrency", downloader.domain_concurrency) + _AHEAD
        return bool(sum(_host_of(request) == host for request in downloader.active) < most)

    def _refill(self) -> None:
        spider: Any = self._crawler.spider
        spider.numbers.go_on()
        for source in tuple(self._open):
            if self._leased[source, _NEW] + spider.run.images.waiting[source] >= _LOW:
                continue
            rows = spider.lease(source, self._after.get(source, 0), _LEASE)
            if not rows:
                self._open.discard(source)
                continue
            self._after[source] = rows[-1].id
            for row in rows:
                if (request := spider.article_request(row)) is not None:
                    self._take(request, source, _NEW)
        for source in tuple(self._looked):
            if self._leased[source, _AGAIN] < _LOW:
                requests = spider.lease_again(source, _LEASE)
                for request in requests:
                    self._take(request, source, _AGAIN)
                if not requests:
                    self._looked.discard(source)

    def _take(self, request: Request, source: str, rank: int) -> None:
        if not self._rests(request):
            request.meta["leased"] = source, rank
            self._leased[source, rank] += 1
            self._push(request, rank)

    def _rests(self, request: Request) -> bool:
        """Whether its host is left alone in this run: the row stays queued, and nothing is made of it."""
        if self._resting is None:
            self._resting = self._crawler.get_downloader_middleware(RestsMiddleware)
        return self._resting is not None and bool(self._resting.rest_of(request))


def _host_of(request: Request) -> str:
    return str(request.meta.get("download_slot") or urlparse_cached(request).hostname)
