"""Nothing more is asked of a source that the run's watch has stopped: what waits of it stays queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.components import open_run
from crawler.middlewares.refusals import Postponed

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class StopsMiddleware:
    """Stands before all that waits for a host."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StopsMiddleware:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raises Postponed for a source that was stopped."""
        run = open_run(self._crawler)
        if run is not None and request.meta.get("source") in run.watch.stopped:
            raise Postponed("its source was stopped in this run")
