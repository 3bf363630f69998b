"""How often a host is asked, by the most careful of the sources that ask it; how long it is waited for; who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy.utils.httpobj import urlparse_cached

from crawler.components import open_run
from crawler.settings import agent_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.sources import Source

_LONGER = 0.3
"""The pause between two requests varies: it is the source's delay, and up to this part of it more, never less."""


class PolitenessMiddleware:
    """Sets delay and concurrency of a host's slot before its first request; later sources only make it more careful."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._done: set[tuple[str, str]] = set()
        self._hosts: dict[str, tuple[float, int]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PolitenessMiddleware:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Names contact and deadline on every request; sets the pace once per source and host."""
        sources: dict[str, Any] = getattr(self._crawler.spider, "sources", {})
        source, run = sources.get(request.meta.get("source", "")), open_run(self._crawler)
        contact = (source.politeness.contact if source else "") or (run.site.contact if run else "")
        if contact:
            request.headers["User-Agent"] = agent_of(contact)
        if source and source.politeness.timeout:
            request.meta["download_timeout"] = source.politeness.timeout
        host = urlparse_cached(request).hostname or ""
        if source and (source.id, host) not in self._done and not getattr(self._crawler.spider, "replay", None):
            self._done.add((source.id, host))
            self._set_pace(host, *pace_of(source, host))

    def slow(self, host: str, delay: float) -> None:
        """The host itself asks for this pause between two requests, in seconds."""
        self._set_pace(host, delay, self._hosts.get(host, (0.0, 1))[1])

    def _set_pace(self, host: str, delay: float, concurrency: int) -> None:
        assert self._crawler.engine is not None
        before = self._hosts.get(host, (delay, concurrency))
        delay, concurrency = max(delay, before[0]), min(concurrency, before[1])
        self._hosts[host] = delay, concurrency
        middle = delay * (1 + _LONGER / 2)
        jitter = (middle - delay) / middle
        downloader = self._crawler.engine.downloader
        downloader.per_slot_settings[host] = {"delay": middle, "concurrency": concurrency, "jitter": jitter}
        if slot := downloader.slots.get(host):
            slot.delay, slot.concurrency, slot.jitter = middle, concurrency, jitter


def pace_of(source: Source, host: str) -> tuple[float, int]:
    """Delay and concurrency of a source at a host: a web archive has its own."""
    archives = [one.delay for one in source.archives if urlsplit(one.service).hostname == host]
    return (max(archives), 1) if archives else (source.politeness.delay, source.politeness.concurrency)
