"""Hosts that rest: by Retry-After, when they are busy, or as request after request failed. Long rests outlast a run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import TYPE_CHECKING

import sqlalchemy as sa
from scrapy import signals
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.utils.httpobj import urlparse_cached
from sqlalchemy.dialects.sqlite import insert
from twisted.python.failure import Failure

from crawler.archive.ledger import hosts, stamp
from crawler.components import open_run
from crawler.failures import words_for
from crawler.middlewares.refusals import Resting, only_on_the_wire
from crawler.middlewares.robots import ROLE

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.archive.ledger import Ledger

_LATER = frozenset({403, 429, 503})
"""Statuses whose Retry-After counts (RFC 9110, section 10.2.3; RFC 6585, section 4)."""
_BUSY = frozenset({429, 503})
"""Statuses by which a host asks for a rest even where it does not say how long."""
_RESTS = (2.0, 8.0, 30.0)
"""Seconds of rest after the first, second and any further answer in a row of a busy host."""
_SHORT = 60.0
"""Seconds of a rest that a run waits for."""
_LONGEST = 86400.0
"""Most seconds that a host can make us stay away."""
_TRIES = 3
"""How often a request is asked again after a short rest."""
_IN_A_ROW = 5
"""Requests given up one after the other that close a host."""
_GAPS = (600.0, 3600.0, 21600.0)
"""How long a host stays closed that failed once, twice, more often, with no answer between."""

NETWORK = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    OSError,
)


@dataclass(slots=True)
class Rest:
    """A host that is left alone."""

    until: datetime
    reason: str
    failures: int = 0
    """How often in a row the breaker closed it; 0 where the host itself asked for the rest."""
    closed: bool = False
    """Nothing more is asked of it in this run."""


def retry_after(response: Response, now: datetime) -> float | None:
    """Seconds that an answer asks us to stay away, 24 hours at most; None where it does not ask.

    A date counts from the answer's own Date, if it has one: clocks differ.
    """
    said = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if response.status not in _LATER or not said:
        return None
    if re.fullmatch(r"\d+", said):
        return min(float(said[:9]), _LONGEST)
    until, base = _date(said), _date((response.headers.get("Date") or b"").decode("latin-1"))
    return None if until is None else min(max((until - (base or now)).total_seconds(), 0.0), _LONGEST)


def _date(said: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(said)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class RestsMiddleware:
    """Sends nothing to a host that rests; asks again after a short rest, leaves the rest to later runs."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._retries = crawler.settings.getint("RETRY_TIMES")
        self._failed: dict[str, int] = {}
        self._busy: dict[str, list[str]] = {}  # addresses of a host that it was too busy for, one after the other
        self._rests: dict[str, Rest] | None = None
        crawler.signals.connect(self.response_downloaded, signal=signals.response_downloaded)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RestsMiddleware:
        """As Scrapy makes it. Raises NotConfigured under replay."""
        only_on_the_wire(crawler)
        return cls(crawler)

    def rest_of(self, request: Request) -> str:
        """Why nothing is asked of this request's host in this run; empty where it may be asked."""
        rest = self._known().get(_host(request))
        if rest is None or not rest.closed:
            return ""
        return f"the host rests until {stamp(rest.until)} ({rest.reason})"

    def wait(self, request: Request) -> Awaitable[None] | None:
        """What to wait for where the host rests for some seconds more. Raises Resting where it is closed."""
        if reason := self.rest_of(request):
            raise Resting(reason)
        rest = self._known().get(_host(request))
        left = (rest.until - datetime.now(UTC)).total_seconds() if rest else 0.0
        return asyncio.sleep(min(left, _SHORT)) if left > 0 else None

    def response_downloaded(self, response: Response, request: Request) -> None:
        """Comes before the host's next request is sent: that one must wait already."""
        seconds = retry_after(response, datetime.now(UTC))
        if seconds is not None:
            self._close(_host(request), seconds, f"HTTP {response.status}, Retry-After {seconds:.0f} s")
        elif response.status in _BUSY and request.meta.get("role") != ROLE:
            self._is_busy(request, f"HTTP {response.status}, no Retry-After")

    def _is_busy(self, request: Request, what: str) -> None:
        """Rests that grow with each such answer; at last the host is closed, but not for the sake of one address."""
        host = _host(request)
        if (rest := self._known().get(host)) and rest.until > datetime.now(UTC):
            return  # of several requests in flight one answer counts
        self._busy.setdefault(host, []).append(request.url)
        times = len(self._busy[host])
        if times > len(_RESTS) and len(set(self._busy[host])) > 1:
            self._break(host, f"{what}, {times} times in a row")
        else:
            self._close(host, _RESTS[min(times, len(_RESTS)) - 1], what, rest.failures if rest else 0)

    def process_response(self, request: Request, response: Response) -> Response | Request:
        """Ask again after a short rest; raises Resting for a long one. Any other answer says how the host fares."""
        if request.meta.get("role") == ROLE or "listed" in request.meta:  # what the host did not send shows nothing
            return response
        if response.status not in _BUSY and retry_after(response, datetime.now(UTC)) is None:
            if response.status < 500:
                self._fares_well(_host(request))
            else:
                self._fails(request, f"HTTP {response.status}")
            return response
        if reason := self.rest_of(request):
            raise Resting(reason)
        spider = self._crawler.spider
        assert spider is not None
        if again := get_retry_request(request, spider=spider, reason="it rests", max_retry_times=_TRIES):
            return again
        self._fails(request, f"HTTP {response.status}")
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Failures of the network count; refusals of our own do not, nor pages that are too large."""
        if request.meta.get("role") != ROLE and isinstance(exception, NETWORK):
            self._fails(request, words_for(exception), slow=isinstance(exception, DownloadTimeoutError))

    # the breaker

    def _fares_well(self, host: str) -> None:
        self._failed.pop(host, None)
        self._busy.pop(host, None)
        rest = self._known().get(host)
        if rest is not None and (rest.failures or rest.until <= datetime.now(UTC)):
            del self._known()[host]
            if ledger := self._ledger():
                ledger.write(hosts.delete().where(hosts.c.host == host))

    def _fails(self, request: Request, what: str, *, slow: bool = False) -> None:
        """Counts what is given up for good, for the tries before it are the retry middleware's; and every time-out,
        since five articles asked three times each would hold up a run for minutes."""
        if not slow and request.meta.get("retry_times", 0) < self._retries:
            return
        host = _host(request)
        self._failed[host] = self._failed.get(host, 0) + 1
        if self._failed[host] >= _IN_A_ROW and not self.rest_of(request):
            self._break(host, f"{_IN_A_ROW} failures in a row, the last: {what}")

    def _break(self, host: str, reason: str) -> None:
        """Close the host, for longer each time that no answer came between."""
        before = self._known().get(host)
        failures = before.failures + 1 if before else 1
        self._close(host, _GAPS[min(failures, len(_GAPS)) - 1], reason, failures)

    # what is known

    def _close(self, host: str, seconds: float, reason: str, failures: int = 0) -> None:
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        known = self._known()
        if host in known and known[host].until > until:
            return
        known[host] = Rest(until, reason, failures, closed=seconds > _SHORT)
        self._hold(host, seconds)
        if ledger := self._ledger():
            told = {"rest_until": stamp(until), "reason": reason, "failures": failures}
            statement = insert(hosts).values(host=host, **told)
            ledger.write(statement.on_conflict_do_update(index_elements=["host"], set_=told))

    def _hold(self, host: str, seconds: float) -> None:
        """What waits in the host's slot already waits on, or is sent back where the run will not wait so long.

        Scrapy counts a pause from what it takes for the last request, by a clock that never jumps.
        """
        assert self._crawler.engine is not None
        slot = self._crawler.engine.downloader.slots.get(host)
        if slot is None:
            return
        if not self._known()[host].closed:
            slot.lastseen = max(slot.lastseen, monotonic() + seconds)
        while slot.queue and self._known()[host].closed:
            request, answer = slot.queue.popleft()
            answer.errback(Failure(Resting(self.rest_of(request))))  # type: ignore[no-untyped-call]

    def _known(self) -> dict[str, Rest]:
        """Rests by host, those of earlier runs among them."""
        if self._rests is None:
            ledger = self._ledger()
            self._rests = _carried(ledger) if ledger else {}
        return self._rests

    def _ledger(self) -> Ledger | None:
        run = open_run(self._crawler)
        return run.ledger if run else None


class RestingMiddleware:
    """Stands before all that asks for anything, robots.txt among it."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._rests: RestsMiddleware | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RestingMiddleware:
        """As Scrapy makes it. Raises NotConfigured under replay."""
        only_on_the_wire(crawler)
        return cls(crawler)

    def process_request(self, request: Request) -> Awaitable[None] | None:
        """Raises Resting."""
        self._rests = self._rests or self._crawler.get_downloader_middleware(RestsMiddleware)
        return self._rests.wait(request) if self._rests else None


def _carried(ledger: Ledger) -> dict[str, Rest]:
    """What earlier runs left; a clock that was wrong then cannot make a host rest for longer than a day."""
    now, rests = datetime.now(UTC), {}
    for row in ledger.read(sa.select(hosts)):
        left = (datetime.fromisoformat(row.rest_until) - now).total_seconds()
        until = now + timedelta(seconds=min(left, _LONGEST))
        rests[row.host] = Rest(until, row.reason, row.failures, closed=left > _SHORT)
    return rests


def _host(request: Request) -> str:
    return urlparse_cached(request).hostname or ""
