"""Asks for images that are to be kept, the way of all requests (robots.txt, guards, rests, pace), one at a time of each
host. What cannot be had is told in the report, and nothing else comes of it."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from crawler.archive.images import LARGEST, NoImage
from crawler.components import LeftQueued, run_of
from crawler.failures import words_for
from crawler.images import ROLE
from crawler.middlewares.refusals import replayed
from crawler.middlewares.rests import NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scrapy.crawler import Crawler
    from scrapy.http import Response

_PATIENCE = 3
"""Images in a row that a host does not answer for, after which this run asks it for no more: fewer than close it."""


class Pictures:
    """The images of one crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unanswered: Counter[str] = Counter()
        self._without: set[str] = set()  # addresses that gave no image in this run

    async def fetch(self, urls: Iterable[str], source: str, key: str, page: str) -> None:
        """Keep what can be had of images of the article at ``page``. Raises LeftQueued where the run ends before."""
        run = run_of(self._crawler)
        run.images.waiting[source] += 1
        try:
            for url in urls:
                await self._keep(url, {"role": ROLE, "source": source, "key": key}, page)
        finally:
            run.images.waiting[source] -= 1

    async def _keep(self, url: str, meta: dict[str, str], page: str) -> None:
        try:
            request = _request(url, meta, page)
        except ValueError as error:
            self._stays_linked(url, meta, str(error))
            return
        host = urlparse_cached(request).hostname or ""
        async with self._turns[host]:
            await self._asked(url, host, request, meta)

    async def _asked(self, url: str, host: str, request: Request, meta: dict[str, str]) -> None:
        engine, run = self._crawler.engine, run_of(self._crawler)
        if engine is None or not engine.running or run.report.halted:
            raise LeftQueued("the run ends")
        if url in self._without or self._unanswered[host] >= _PATIENCE or run.images.find(url):
            return
        run.budget.take()
        try:
            response = await engine.download_async(request)
        except (IgnoreRequest, DownloadCancelledError, *NETWORK) as error:
            self._unanswered[host] += isinstance(error, NETWORK) and not replayed(self._crawler)
            self._stays_linked(url, meta, words_for(error))
            return
        self._unanswered[host] = self._unanswered[host] + 1 if response.status >= 500 else 0
        self._take(url, response, meta)

    def _take(self, url: str, response: Response, meta: dict[str, str]) -> None:
        assert response.request is not None
        record = response.request.meta.get("record")
        if response.status != 200 or record is None:
            self._stays_linked(url, meta, f"HTTP {response.status}")
            return
        try:
            run_of(self._crawler).keep_image(record)
        except NoImage as error:
            self._stays_linked(url, meta, str(error))

    def _stays_linked(self, url: str, meta: dict[str, str], why: str) -> None:
        self._without.add(url)
        run_of(self._crawler).report.of(meta["source"]).problem(url, f"image: {why}; it stays linked")


def _request(url: str, meta: dict[str, str], page: str) -> Request:
    """Many hosts give their images only to who comes from the page. Raises ValueError for what is no address."""
    headers = {"Accept": "image/*"}
    if url.startswith("https:") or page.startswith("http:"):
        headers["Referer"] = page
    told = {**meta, "asked": url, "download_maxsize": LARGEST}
    return Request(url, callback=NO_CALLBACK, headers=headers, meta=told)
