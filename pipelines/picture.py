"""Picture: images of an article are asked for where they are to be kept, and its body shows what is.

They go the way of all requests (robots.txt, guards, rests, pace), one at a time of each host. One that cannot be had
stays linked: it costs an article nothing but its place in the archive.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.exceptions import DownloadCancelledError, DropItem, IgnoreRequest
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from crawler.archive.images import LARGEST, MOST, NoImage, addresses
from crawler.components import LeftQueued, run_of
from crawler.failures import words_for
from crawler.images import ROLE
from crawler.items import Refused
from crawler.middlewares.refusals import replayed
from crawler.middlewares.rests import NETWORK
from crawler.steps import judged, keeps_images, pictured

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.items import Article
    from crawler.run import Run
    from crawler.sources import Source

_PATIENCE = 3
"""Images in a row that a host does not answer for, after which this run asks it for no more: fewer than close it."""


class PicturePipeline:
    """Fetches images of sources that keep them; articles of others pass untouched."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._sources: dict[str, Source] = getattr(crawler.spider, "sources", {})
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unanswered: Counter[str] = Counter()
        self._without: set[str] = set()  # addresses that gave no image in this run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PicturePipeline:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: Article) -> Article | Awaitable[Article]:
        """The article, with images of the archive's own where they are kept."""
        run, source = run_of(self._crawler), self._sources[item.source]
        if not keeps_images(source, run.site):
            return item
        wanted = [url for url in addresses(item.body)[:MOST] if not run.images.find(url)]
        if wanted:
            return self._fetched(item, source, run, wanted)
        pictured(item, source, run)
        return item

    async def _fetched(self, item: Article, source: Source, run: Run, wanted: Sequence[str]) -> Article:
        """Raises LeftQueued where the run ends before, DropItem where another article has come with the same words."""
        run.images.waiting[source.id] += 1
        try:
            for url in wanted:
                await self._keep(url, item, run)
        finally:
            run.images.waiting[source.id] -= 1
        try:
            judged(item, source, run.watch)
        except Refused as error:
            raise DropItem(str(error)) from error
        pictured(item, source, run)
        return item

    async def _keep(self, url: str, item: Article, run: Run) -> None:
        try:
            request = self._request(url, item)
        except ValueError as error:
            self._stays_linked(url, item, run, str(error))
            return
        host = urlparse_cached(request).hostname or ""
        async with self._turns[host]:
            engine = self._crawler.engine
            if engine is None or not engine.running or run.report.halted:
                raise LeftQueued("the run ends")
            if url in self._without or self._unanswered[host] >= _PATIENCE or run.images.find(url):
                return
            run.budget.take()
            try:
                response = await engine.download_async(request)
            except (IgnoreRequest, DownloadCancelledError, *NETWORK) as error:
                self._unanswered[host] += isinstance(error, NETWORK) and not replayed(self._crawler)
                self._stays_linked(url, item, run, words_for(error))
                return
            self._unanswered[host] = self._unanswered[host] + 1 if response.status >= 500 else 0
            self._take(url, response, item, run)

    def _request(self, url: str, item: Article) -> Request:
        """Many hosts give their images only to who comes from the page. Raises ValueError for what is no address."""
        meta = {"role": ROLE, "source": item.source, "key": item.key, "asked": url, "download_maxsize": LARGEST}
        headers = {"Accept": "image/*"}
        if url.startswith("https:") or item.url.startswith("http:"):
            headers["Referer"] = item.url
        return Request(url, callback=NO_CALLBACK, headers=headers, meta=meta)

    def _take(self, url: str, response: Response, item: Article, run: Run) -> None:
        assert response.request is not None
        record = response.request.meta.get("record")
        if response.status != 200 or record is None:
            self._stays_linked(url, item, run, f"HTTP {response.status}")
            return
        try:
            run.keep_image(record)
        except NoImage as error:
            self._stays_linked(url, item, run, str(error))

    def _stays_linked(self, url: str, item: Article, run: Run, why: str) -> None:
        self._without.add(url)
        run.report.of(item.source).problem(url, f"image: {why}; it stays linked")
