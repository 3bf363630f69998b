"""NewsSpider: one or several sources in motion, from their lists to their articles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from functools import cached_property
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.archive.ledger import Row
from crawler.assemble import Beyond, with_offer
from crawler.components import run_of
from crawler.extract.page import Page
from crawler.extract.text import plain
from crawler.items import Article, Refused
from crawler.listed import is_given
from crawler.mementos import later
from crawler.middlewares.optouts import headers_of
from crawler.middlewares.refusals import Postponed
from crawler.pictures import Pictures
from crawler.received import Received, article_of
from crawler.replay import Captures
from crawler.run import Run
from crawler.share import article_address
from crawler.sources import Source
from crawler.urls import canonical, key_of
from spiders.absent import ErrorPages
from spiders.answers import page_of, reason_of, seen_at
from spiders.hatch import Ways
from spiders.ids import Numbers
from spiders.listing import Walks
from spiders.recheck import Rechecks


class NewsSpider(Spider):
    """Follows the lists of its sources; articles come from the ledger's rows through the frontier."""

    name = "news"
    shipped: Sequence[Source] = ()
    """Sources of a class that the loader made."""

    run: Run | None = None
    """The run that it works for; none under ``scrapy shell`` and ``parse``."""
    closes_run = False
    """Whether the run ends with the spider, since no verb of ours opened it."""
    replay: Captures | None = None
    """Captures that are served instead of the network."""

    def __init__(
        self,
        *args: Any,
        sources: Sequence[Source] = (),
        run: Run | None = None,
        replay: Captures | None = None,
        limit: int | str = 0,
        **kwargs: Any,
    ) -> None:
        """``limit``: most articles asked per source; 0 for all."""
        super().__init__(*args, **kwargs)
        self.sources = {source.id: source for source in sources or self.shipped}
        self.limit = int(limit)
        self.run, self.replay = run, replay
        self._asked: dict[str, int] = {}
        self._claimed: set[tuple[str, str]] = set()  # keys of articles that an alias' page was taken for
        self._ways: dict[str, Ways] = {}
        self._rechecks = Rechecks(self)
        self._error_pages = ErrorPages(self)
        self._walks = Walks(self)
        self.numbers = Numbers(self)

    @cached_property
    def pictures(self) -> Pictures:
        """What asks for images of articles."""
        return Pictures(self.crawler)

    # lists

    async def start(self) -> AsyncIterator[Any]:
        """The first page of every list, asked conditionally; of sources that are only looked at again, none."""
        self.run = run_of(self.crawler)
        if self.run.backfill is not None:
            self.crawler.signals.connect(self._planned, signal=signals.spider_idle)
        for source in self.sources.values():
            if source.id in self.run.report.looked_at:
                self.frontier.looks_at(source.id)
                continue
            self.frontier.more_of(source.id)
            for request in self._walks.first_requests(source):
                yield request
            self.numbers.begin(source)

    def _planned(self) -> None:
        """The lists of a backfill are walked: what they named is asked for."""
        backfill = self._run.backfill
        if backfill is None or not backfill.planning or self._run.report.halted or self._run.report.interrupted:
            return
        self._run.flush()
        backfill.told(backfill.made_plan())
        request = None if backfill.only_plan else self.frontier.first_of(backfill.source.id)
        if request is not None:
            assert self.crawler.engine is not None
            self.crawler.engine.crawl(request)

    def named(self, source: Source, page: Page, reason: str) -> str:
        """The reason why a page gave nothing, with the wall that it is."""
        return self.run.watch.named(source.id, plain(page.root), reason) if self.run else reason

    # articles

    def lease(self, source: str, after: int, limit: int) -> list[Row]:
        """Rows of the ledger that are to be asked for; fewer once the run's limit is near."""
        if source in self._run.watch.stopped:
            return []
        if self.limit:
            limit = min(limit, self.limit - self._asked.get(source, 0))
        if self._run.backfill is not None:
            return self._run.backfill.lease(after, limit) if limit > 0 else []
        return self._run.ledger.lease(source, after, limit, self._run.started) if limit > 0 else []

    def lease_again(self, source: str, limit: int) -> list[Request]:
        """Requests for articles that are due for another look; a backfill leaves them to crawls."""
        return self._rechecks.lease(source, limit) if self._run.backfill is None else []

    def address_of(self, row: Row) -> str:
        """The address of a row's article. Raises ValueError where none can be made."""
        if "memento" in row.hints:
            return later(row.hints["memento"], row.tries)
        return article_address(self.sources[row.source], row.key, row.hints)

    def article_request(self, row: Row) -> Request | None:
        """The request for a row's article; None, with the reason in the ledger, where no address can be made."""
        source = self.sources[row.source]
        if self._run.backfill is not None and self._run.has(row.space, row.key):  # it told a list's day
            return None
        self._asked[row.source] = self._asked.get(row.source, 0) + 1
        listed = {"listed": row.hints} if is_given(row.hints) else {}
        try:
            url = canonical(row.hints["url"]) if listed else self.address_of(row)
            if self.run and not listed and (first := self._error_pages.request(self.run, source, url, row.key)):
                self.frontier.enqueue_request(first)
            return Request(
                url,
                callback=self.parse_article,
                errback=self.article_failed,
                cb_kwargs={"row": row},
                meta={"role": "article", "source": source.id, "key": row.key, **listed},
            )
        except ValueError:
            self._refuse(row, row.hints.get("url", ""), f"no address can be made from {source.article.address!r}")
            return None

    def parse_article(self, response: Response, row: Row | None = None) -> Iterator[Article]:
        """The article of a page; without a row (``scrapy parse``) what the page alone gives."""
        source = self.sources[row.source] if row else next(iter(self.sources.values()))
        row = row or Row(0, source.space, key_of(response.url, source.key_patterns), source.id, {}, "", 0)
        if self.run:
            self.run.report.of(source.id).fetched += 1
        if self.run and self.run.backfill:
            self.run.backfill.answered += 1
        try:
            article = self.article_of(response, row)
        except Refused as error:
            page = page_of(response, source.article.encoding)
            reason = with_offer(self.named(source, page, str(error)), page, source) if self.run else str(error)
            reason = self.numbers.named(source, page, reason) if row.hints.get("guess") else reason
            self._refuse(row, response.url, reason)
            return
        if self.run and self.run.backfill and article.published and not self.run.backfill.saw(row, article.published):
            return
        if self.run and row.hints.get("guess"):
            self.run.watch.guessed.add((row.space, article.key))
        if self.run and not self._is_first(self.run, row, article.key):
            return
        yield article

    def article_of(self, response: Response, row: Row) -> Article:
        """The article of a page, with the key that the page claims. Raises Refused."""
        redirected = "redirect_urls" in response.meta
        at, capture = seen_at(response, self.run), response.meta.get("capture", "")
        answer = Received(response.url, response.body, headers_of(response), at, capture, redirected)
        return article_of(answer, row, self.ways_of(self.sources[row.source]).assembler)

    def _is_first(self, run: Run, row: Row, own: str) -> bool:
        """Whether this page makes the article's post: of an article and its aliases the first that comes does."""
        if own != row.key:
            run.ledger.alias(row.space, row.key, own, run.started, guessed="guess" in row.hints)
        elif (row.space, own) not in self._claimed:
            return True
        self._claimed.add((row.space, own))
        return not run.has(row.space, own)

    def article_failed(self, failure: Failure) -> None:
        """An article that could not be fetched is asked again later; one that was not asked stays queued as it is."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if self.run and request.meta["source"] in self.run.watch.stopped:
            return
        if self.run and self.run.backfill:
            self.run.backfill.answered += 1
        if isinstance(failure.value, Postponed) and self.run:
            self.run.report.of(request.meta["source"]).problem(request.url, reason_of(failure))
            return
        self._refuse(request.cb_kwargs["row"], request.url, reason_of(failure))

    def _refuse(self, row: Row, address: str, reason: str) -> None:
        if self.run and self.run.report.halted:
            return  # not the article's fault: it stays queued
        if self.run:
            self.run.refuse(row.space, row.key, row.source, address, reason)
        else:
            self.logger.error("%s: refused: %s", address, reason)

    def ways_of(self, source: Source) -> Ways:
        """How a source is walked and read, made once."""
        if source.id not in self._ways:
            own_python = self.settings.getbool("PRESSKEEP_OWN_PYTHON")
            self._ways[source.id] = ways = Ways(source, own_python=own_python)
            if (run := self.run) is not None:
                ways.assembler.beyond = Beyond(run.memory, run.outlets.agencies)
        return self._ways[source.id]

    @property
    def _run(self) -> Run:
        assert self.run is not None, "lists are only walked in a run"
        return self.run

    @property
    def frontier(self) -> Any:
        """The scheduler, which is told where the ledger may hold more."""
        assert self.crawler.engine is not None
        return self.crawler.engine.scheduler
