"""How often a host is asked: by the most careful of the sources that ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.utils.httpobj import urlparse_cached

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class PolitenessMiddleware:
    """Sets delay and concurrency of a host's slot before its first request; later sources only make it more careful."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._done: set[tuple[str, str]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PolitenessMiddleware:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Once per source and host."""
        host, source = urlparse_cached(request).hostname or "", request.meta.get("source", "")
        if (source, host) in self._done or self._crawler.engine is None:
            return
        self._done.add((source, host))
        sources: dict[str, Any] = getattr(self._crawler.spider, "sources", {})
        if source not in sources or getattr(self._crawler.spider, "replay", None):
            return
        polite = sources[source].politeness
        downloader = self._crawler.engine.downloader
        before = downloader.per_slot_settings.get(host, {})
        delay = max(polite.delay, before.get("delay", 0.0))
        concurrency = min(polite.concurrency, before.get("concurrency", polite.concurrency))
        downloader.per_slot_settings[host] = {"delay": delay, "concurrency": concurrency}
        if slot := downloader.slots.get(host):
            slot.delay, slot.concurrency = delay, concurrency
        if polite.contact:
            request.headers.setdefault("From", polite.contact)
