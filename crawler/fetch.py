"""One page from the network, asked for as politely as any other: robots.txt, guards and the User-Agent of crawls."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response
from scrapy.settings import Settings

from crawler.failures import words_for
from crawler.pagefile import CHARSET, GivenPage
from crawler.sources import Politeness


class NotFetched(RuntimeError):
    """The page could not be had; the message says why."""


@dataclass(frozen=True, slots=True)
class _Typed:
    """What was typed by hand, in the place of a source: machines that it names outright are allowed, and no others."""

    id: str
    hosts: tuple[str, ...]
    politeness: Politeness = field(default_factory=Politeness)
    captures: bool = False


class OnePage(Spider):
    """Asks for one address that was typed by hand."""

    name = "one-page"
    page: Response | None = None
    why: str = ""

    def __init__(self, url: str, contact: str = "") -> None:
        super().__init__()
        self._url = url
        netloc = urlsplit(url).netloc.rpartition("@")[2].lower()
        self.sources: Mapping[str, Any] = {"": _Typed("", (netloc,), Politeness(contact=contact, delay=0.5))}

    async def start(self) -> AsyncIterator[Any]:
        """The one request."""
        yield Request(self._url, callback=self.keep, errback=self.note, dont_filter=True)

    def keep(self, response: Response) -> None:
        """The answer."""
        self.page = response

    def note(self, failure: Any) -> None:
        """Why there is none."""
        self.why = words_for(failure.value)


def fetch(url: str, contact: str = "") -> GivenPage:
    """The page at an address; redirects are followed, each hop vetted. Runs Scrapy's engine: once in a process.

    ``contact`` is named in the User-Agent. Raises NotFetched for what robots.txt or the guards refuse, for failures of
    the network and for every status but success.
    """
    settings = Settings()
    settings.setmodule("crawler.settings")
    settings.setdict(
        {
            "SCHEDULER": "scrapy.core.scheduler.Scheduler",  # our own takes its work from a ledger
            "ITEM_PIPELINES": {},
            "EXTENSIONS": {},
            "RETRY_TIMES": 0,
            "LOG_LEVEL": "CRITICAL",
        },
        priority="cmdline",
    )
    process = AsyncCrawlerProcess(settings)
    logging.getLogger("scrapy").setLevel(logging.CRITICAL)
    crawler = process.create_crawler(OnePage)
    crawling = process.crawl(crawler, url, contact)
    process.start()
    if crawling.done() and not crawling.cancelled():
        crawling.result()
    spider: Any = crawler.spider
    if spider.page is None:
        raise NotFetched(f"{url}: {spider.why or 'stopped before an answer came'}")
    declared = CHARSET.search((spider.page.headers.get("Content-Type") or b"").decode("latin-1"))
    return GivenPage(spider.page.url, spider.page.body, declared[1] if declared else "")
