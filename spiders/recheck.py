"""Second looks: conditional requests for articles that are posts already, and what their answers mean."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawler.archive.checks import Check
from crawler.archive.post import read_post
from crawler.changes import Look
from crawler.components import LeftQueued
from crawler.edits import says_gone
from crawler.items import Article, Refused
from crawler.middlewares.refusals import Postponed
from crawler.steps import keeps_images
from crawler.urls import canonical, shared_form
from spiders.answers import reason_of, seen_at, validators_of

if TYPE_CHECKING:
    from crawler.run import Run
    from spiders.news import NewsSpider


class Rechecks:
    """The looks of one crawl."""

    def __init__(self, spider: NewsSpider) -> None:
        self._spider = spider
        self._due: dict[str, deque[Check]] = {}

    def lease(self, source: str, limit: int) -> list[Request]:
        """Requests for what is due; what becomes due while the run goes on is left to the next."""
        if self._spider.run is None or self._spider.replay is not None:
            return []
        if source not in self._due:
            self._due[source] = deque(self._run.changes.due(source, self._spider.limit or 1 << 30))
        waiting = self._due[source]
        leased = [self._request(waiting.popleft()) for _ in range(min(limit, len(waiting)))]
        return [request for request in leased if request is not None]

    def _request(self, check: Check) -> Request | None:
        known = {"If-None-Match": check.etag, "If-Modified-Since": check.modified}
        try:
            return self._conditional(check, self._spider.address_of(check.row), known)
        except ValueError:  # a ledger made anew may lack what the list said
            self._run.changes.never(check, check.path, "no address can be made for another look")
            return None

    def _conditional(self, check: Check, address: str, known: dict[str, str]) -> Request:
        return Request(
            address,
            callback=self.parse,
            errback=self.failed,
            headers={name: value for name, value in known.items() if value},
            cb_kwargs={"check": check},
            meta={
                "role": "check",
                "source": check.row.source,
                "key": check.row.key,
                "handle_httpstatus_list": [304, 404, 410],
            },
        )

    async def parse(self, response: Response, check: Check) -> AsyncIterator[Article]:
        """An article that is to be compared, where the answer is a page that may hold one."""
        changes = self._run.changes
        self._run.report.of(check.row.source).checked += 1
        look = self._look(response, check)
        if response.status == 304:
            changes.same(check)
            await self._show_more(response, check)
        elif response.status != 200:
            changes.missing(check, response.url, f"HTTP {response.status}")
        elif self._leads_away(response, check):
            changes.missing(check, response.url, "it leads to a list or the front page")
        elif look.digest and look.digest == check.capture:
            changes.same(check, look)
            await self._show_more(response, check)
        elif changes.begin(look):
            for article in self._article(response, look):
                yield article

    async def _show_more(self, response: Response, check: Check) -> None:
        """Images that could not be had when the article became a post are asked for again."""
        source, run = self._spider.sources[check.row.source], self._run
        if not keeps_images(source, run.site) or not (old := run.changes.post_of(check)):
            return
        if wanted := run.images.missing(read_post(old).body):
            with suppress(LeftQueued):
                await self._spider.pictures.fetch(wanted, source.id, check.row.key, response.url)
        run.changes.show(check, old)

    def _article(self, response: Response, look: Look) -> Iterator[Article]:
        row = look.check.row
        look.says_gone = says_gone(response.text) if hasattr(response, "text") else False
        try:
            article = self._spider.article_of(response, row)
        except Refused as error:
            self._run.changes.refused(row.space, row.key, str(error))
            return
        if article.key != row.key:
            self._run.changes.refused(row.space, row.key, f"the page says that it is {article.key}")
            return
        yield article

    def failed(self, failure: Failure) -> None:
        """An answer that is none, or none at all."""
        check: Check = failure.request.cb_kwargs["check"]  # type: ignore[attr-defined]
        address, reason = failure.request.url, reason_of(failure)  # type: ignore[attr-defined]
        if self._run.report.halted:
            return
        if isinstance(failure.value, Postponed):  # not asked: it stays due
            self._run.report.of(check.row.source).problem(address, reason)
        elif isinstance(failure.value, HttpError):
            self._run.changes.reject(check, address, reason)
        else:
            self._run.changes.unanswered(check, address, reason)

    def _look(self, response: Response, check: Check) -> Look:
        seen, record = seen_at(response, self._run), response.meta.get("record")
        return Look(check, response.url, seen, *validators_of(response), record)

    def _leads_away(self, response: Response, check: Check) -> bool:
        """Whether the answer came by a redirect to the front page, a list, or a folder above the article."""
        if not (asked := response.meta.get("redirect_urls")):
            return False
        fronts = self._spider.sources[check.row.source].fronts
        final, first = canonical(response.url).rstrip("/"), canonical(asked[0])
        return shared_form(response.url) in fronts or first.startswith(f"{final}/") or final.count("/") == 2

    @property
    def _run(self) -> Run:
        run: Any = self._spider.run
        assert run is not None
        return run  # type: ignore[no-any-return]
