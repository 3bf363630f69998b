"""Scrapy's side of a run: where components find it, how outcomes reach it, and how it ends."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.exceptions import DropItem, NotConfigured
from scrapy.utils.asyncio import create_looping_call

from crawler.assemble import with_offer
from crawler.extract.page import Page
from crawler.run import Run
from crawler.site import find_archive, load_site

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_FLUSH_SECONDS = 2.0

logger = logging.getLogger(__name__)


def run_of(crawler: Crawler) -> Run:
    """The run that a crawl belongs to; plain ``scrapy crawl``, with no verb of ours around it, opens one.

    Raises NotConfigured where there is no archive from here upward, Busy where another run is active in it.
    """
    spider: Any = crawler.spider
    if spider.run is None:
        named = crawler.settings.get("PRESSKEEP_ARCHIVE")
        archive = Path(named) if named else find_archive(Path.cwd())
        if archive is None:
            raise NotConfigured("no presskeep.yml from here upward; next: presskeep init DIR")
        spider.run = Run(archive, load_site(archive), list(spider.sources.values()))
        spider.run.record_start()
        spider.closes_run = True
    run: Run = spider.run
    return run


def open_run(crawler: Crawler) -> Run | None:
    """The run, if one is open: ``scrapy shell`` and ``parse`` have none and leave the archive alone."""
    return getattr(crawler.spider, "run", None)


def halt(crawler: Crawler, error: OSError) -> None:
    """Stop the run: nothing more is asked for what cannot be kept. What is queued stays as it is."""
    run = open_run(crawler)
    if run is None or run.report.halted:
        return
    run.report.halted = f"{error.strerror or error} {error.filename or ''}".strip()
    logger.error("the run stops: %s", run.report.halted)
    asyncio.ensure_future(crawler.stop_async())  # noqa: RUF006  the engine keeps it alive


class LeftQueued(DropItem):
    """An article that the run cannot finish any more: no fault of its own, the next run asks for it again."""


class Outcomes:
    """Writes refusals of the pipelines into the ledger, flushes now and then, and stops a run that cannot write."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._loop: Any = None
        for handler, signal in (
            (self.spider_opened, signals.spider_opened),
            (self.item_dropped, signals.item_dropped),
            (self.item_error, signals.item_error),
            (self.spider_error, signals.spider_error),
            (self.spider_closed, signals.spider_closed),
        ):
            crawler.signals.connect(handler, signal=signal)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Outcomes:
        """As Scrapy makes it."""
        return cls(crawler)

    def spider_opened(self) -> None:
        """Begin to flush every few seconds, so that a slow crawl keeps what it has."""
        self._loop = create_looping_call(self._flush)
        self._loop.start(_FLUSH_SECONDS, now=False)

    def _flush(self) -> None:
        run = open_run(self._crawler)
        if run is None or run.report.halted:
            return
        try:
            run.flush()
        except OSError as error:
            self._halt(error)

    def item_dropped(self, item: Any, exception: BaseException, response: Any = None) -> None:
        """A pipeline refused an article."""
        if isinstance(exception, LeftQueued):
            return
        if run := open_run(self._crawler):
            reason, source = str(exception), getattr(self._crawler.spider, "sources", {}).get(item.source)
            if source is not None and response is not None:
                page = Page(response.body, response.url, encoding=source.article.encoding)
                reason = with_offer(reason, page, source)
            run.refuse(item.space, item.key, item.source, item.url, reason)

    def item_error(self, item: Any, failure: Any) -> None:
        """A pipeline failed: the disk, or a fault of ours."""
        if isinstance(failure.value, OSError):
            self._halt(failure.value)
        elif run := open_run(self._crawler):
            run.refuse(item.space, item.key, item.source, item.url, f"fault: {failure.value!r}")
            run.report.faults += 1

    def spider_error(self, failure: Any, response: Any) -> None:
        """A callback failed: a fault of ours, or the disk while a capture or a list was written."""
        if isinstance(failure.value, OSError):
            self._halt(failure.value)
        elif run := open_run(self._crawler):
            run.report.faults += 1
            source = response.meta.get("source", "") if response is not None else ""
            if source:
                run.report.of(source).problem(response.url, f"fault: {failure.value!r}")

    def _halt(self, error: OSError) -> None:
        halt(self._crawler, error)

    def spider_closed(self, reason: str) -> None:
        """Flush a last time; close a run that nobody else closes."""
        if (run := open_run(self._crawler)) and reason == "shutdown":
            run.report.interrupted = not run.report.halted
        if self._loop is not None and self._loop.running:
            self._loop.stop()
        self._flush()
        spider: Any = self._crawler.spider
        if getattr(spider, "closes_run", False):
            spider.run.close(halted=spider.run.report.halted)
