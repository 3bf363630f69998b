"""NewsSpider: one or several sources in motion, from their lists to their articles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.archive.ledger import Row, Validators
from crawler.assemble import Beyond, with_offer
from crawler.components import run_of
from crawler.extract.page import Page
from crawler.extract.text import plain
from crawler.failures import words_for
from crawler.gate import own_key
from crawler.items import Article, Refused
from crawler.middlewares.optouts import opt_outs
from crawler.middlewares.refusals import Postponed, Resting
from crawler.replay import Captures
from crawler.run import Run
from crawler.sources import AnyList, Source
from crawler.urls import canonical, key_of
from spiders.absent import ErrorPages
from spiders.answers import page_of, seen_at, validators_of
from spiders.hatch import Ways
from spiders.recheck import Rechecks
from spiders.share import fill
from spiders.walk import Walk

_BARREN = 3
"""Pages without anything new after which a walk ends that was interrupted once."""


@dataclass(slots=True)
class Walking:
    """A walk through the pages of one list in this run."""

    source: Source
    walk: Walk
    start: str
    """Address of its first page."""
    rules: str
    """Digest of the list's rules: validators of other rules do not count."""
    paged: bool
    may_be_empty: bool
    interrupted: bool = False
    """An earlier walk never ended: known pages are no reason to stop."""
    index: bool = True
    """Whether its first page may name further lists: true for the addresses that the source states."""
    seen: list[Validators] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    """Keys that its pages named in this run."""
    barren: int = 0
    """Pages in a row that named nothing that was not named before."""

    def goes_on(self, keys: Iterable[str]) -> bool:
        """Whether a walk is taken up again past a page of known articles: not where its pages repeat themselves."""
        before = len(self.named)
        self.named.update(keys)
        self.barren = 0 if len(self.named) > before else self.barren + 1
        return self.interrupted and self.barren < _BARREN


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
        self._begun_walks: set[tuple[str, str]] = set()
        self._ways: dict[str, Ways] = {}
        self._rechecks = Rechecks(self, _reason)
        self._error_pages = ErrorPages(self)

    # lists

    async def start(self) -> AsyncIterator[Any]:
        """The first page of every list, asked conditionally; of sources that are only looked at again, none."""
        self.run = run_of(self.crawler)
        for source in self.sources.values():
            if source.id in self.run.report.looked_at:
                self._frontier.looks_at(source.id)
                continue
            self._frontier.more_of(source.id)
            for one in source.lists:
                for request in self._first_pages(source, one):
                    yield request

    def _first_pages(self, source: Source, one: AnyList) -> Iterator[Request]:
        rules = sha256(repr((source.key, one, source.layouts)).encode()).hexdigest()[:16]
        walk = self._ways_of(source).walk(one)
        for url in one.urls:
            yield self._list_request(self._begun(Walking(source, walk, url, rules, bool(one.pages), one.empty)), url, 1)

    def _begun(self, walking: Walking) -> Walking:
        """A walk that goes on where an earlier one was interrupted."""
        walking.interrupted = walking.paged and self._run.ledger.walk_is_open(walking.start)
        self._begun_walks.add((walking.source.id, walking.start))
        return walking

    def _further_lists(self, walking: Walking, addresses: Sequence[str]) -> Iterator[Request]:
        """The first pages of lists that an index page names, each once a run."""
        for url in addresses if walking.index else ():
            if (walking.source.id, url) not in self._begun_walks:
                paged = replace(walking, start=url, index=False, seen=[], asked=set(), named=set(), barren=0)
                yield self._list_request(self._begun(paged), url, 1)

    def _list_request(self, walking: Walking, url: str, number: int) -> Request:
        walking.asked.add(_same(url))
        known = None if walking.interrupted else self._run.ledger.validators(url, walking.rules)
        headers = {"If-None-Match": known.etag, "If-Modified-Since": known.modified} if known else {}
        return Request(
            url,
            callback=self.parse_list,
            errback=self.list_failed,
            headers={name: value for name, value in headers.items() if value},
            cb_kwargs={"walking": walking, "number": number},
            meta={"role": "list", "source": walking.source.id, "handle_httpstatus_list": [304], "known": known},
        )

    def parse_list(self, response: Response, walking: Walking, number: int) -> Iterator[Request]:
        """Commit what a list page names, then go on to the next page, or end the walk."""
        report = self._run.report.of(walking.source.id)
        known: Validators | None = response.meta["known"]
        digest = sha256(response.body).hexdigest()
        if response.status == 304 or (known is not None and known.digest == digest):
            report.unchanged += 1
            self._run.end_walk(walking.start, walking.seen)
            if known is not None and number == 1:
                yield from self._further_lists(walking, known.lists.split())
            return
        page = page_of(response, "")
        try:
            listing = walking.walk.read(page)
        except ValueError as error:
            self._list_is_bad(
                walking, response.url, self._named(walking.source, page, f"no such list: {error}"), number
            )
            return
        further = walking.walk.lists(page) if walking.index and number == 1 else []
        if not (listing.entries or further or walking.may_be_empty or number > 1):
            what = self._named(walking.source, page, "the list is empty, or its rules no longer fit")
            self._list_is_bad(walking, response.url, what, number)
            return
        for problem in listing.problems:
            report.refused += 1
            report.problem(response.url, problem)
        following = walking.walk.next(page, number) if listing.entries else ""
        following = "" if following and _same(following) in walking.asked else following
        if following and urlsplit(following).netloc.lower() not in {
            *walking.source.hosts,
            urlsplit(response.url).netloc,
        }:
            report.problem(following, f"off-site: the next page after {response.url}")
            following = ""
        found = self._run.discover(walking.source, listing.entries, walking.start if following else "")
        report.listed += len(listing.entries)
        report.new += found.new + len(found.refused)
        for entry in found.refused:
            report.refused += 1
            report.problem(entry.hints.get("url") or f"{response.url} {entry.key}", entry.refused)
        self._frontier.more_of(walking.source.id)
        yield from self._further_lists(walking, further)
        walking.seen.append(_validators(response, walking, digest, further))
        if following and (found.new or found.refused or walking.goes_on(entry.key for entry in listing.entries)):
            yield self._list_request(walking, following, number + 1)
        else:
            self._run.end_walk(walking.start, walking.seen)

    def list_failed(self, failure: Failure) -> None:
        """A list that could not be fetched: named and counted; its walk stays open, its validators where they were."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if isinstance(failure.value, Resting):
            report = self._run.report.of(request.meta["source"])
            report.resting_lists += 1
            report.problem(request.url, _reason(failure))
            return
        if request.meta["source"] not in self._run.watch.stopped:
            kwargs = request.cb_kwargs
            self._list_is_bad(kwargs["walking"], request.url, _reason(failure), kwargs["number"])

    def _list_is_bad(self, walking: Walking, url: str, what: str, number: int) -> None:
        report = self._run.report.of(walking.source.id)
        report.failed_lists += 1
        report.problem(url, what)
        if number == 1:
            self._run.watch.list_is_bad(walking.source.id, walking.start, what, moved=url != walking.start)

    def _named(self, source: Source, page: Page, reason: str) -> str:
        """The reason why a page gave nothing, with the wall that it is."""
        return self.run.watch.named(source.id, plain(page.root), reason) if self.run else reason

    # articles

    def lease(self, source: str, after: int, limit: int) -> list[Row]:
        """Rows of the ledger that are to be asked for; fewer once the run's limit is near."""
        if source in self._run.watch.stopped:
            return []
        if self.limit:
            limit = min(limit, self.limit - self._asked.get(source, 0))
        return self._run.ledger.lease(source, after, limit, self._run.started) if limit > 0 else []

    def lease_again(self, source: str, limit: int) -> list[Request]:
        """Requests for articles that are due for another look."""
        return self._rechecks.lease(source, limit)

    def address_of(self, row: Row) -> str:
        """The address of a row's article. Raises ValueError where none can be made."""
        source = self.sources[row.source]
        url = fill(source.article.address, {**row.hints, "key": row.key, "source": source.id, "space": source.space})
        return canonical(url) if source.article.address == "{url}" else url

    def article_request(self, row: Row) -> Request | None:
        """The request for a row's article; None, with the reason in the ledger, where no address can be made."""
        source = self.sources[row.source]
        self._asked[row.source] = self._asked.get(row.source, 0) + 1
        try:
            url = self.address_of(row)
            if self.run and (first := self._error_pages.request(self.run, source, url, row.key)):
                self._frontier.enqueue_request(first)
            return Request(
                url,
                callback=self.parse_article,
                errback=self.article_failed,
                cb_kwargs={"row": row},
                meta={"role": "article", "source": source.id, "key": row.key},
            )
        except ValueError:
            self._refuse(row, row.hints.get("url", ""), f"no address can be made from {source.article.address!r}")
            return None

    def parse_article(self, response: Response, row: Row | None = None) -> Iterator[Article]:
        """The article of a page; without a row (``scrapy parse``) what the page alone gives."""
        source = self.sources[row.source] if row else next(iter(self.sources.values()))
        row = row or Row(0, source.space, self._own_key(source, response.url), source.id, {}, "", 0)
        if self.run:
            self.run.report.of(source.id).fetched += 1
        try:
            article = self.article_of(response, row)
        except Refused as error:
            page = page_of(response, source.article.encoding)
            reason = with_offer(self._named(source, page, str(error)), page, source) if self.run else str(error)
            self._refuse(row, response.url, reason)
            return
        if self.run and not self._is_first(self.run, row, article.key):
            return
        yield article

    def article_of(self, response: Response, row: Row) -> Article:
        """The article of a page, with the key that the page claims. Raises Refused."""
        source = self.sources[row.source]
        page = page_of(response, source.article.encoding)
        assembler = self._ways_of(source).assembler
        article, claimed = assembler.article(page, row.key, row.hints, seen_at(response, self.run))
        article.key = self._true_key(source, row, response.urljoin(claimed) if claimed else "")
        if article.key == row.key and source.key.patterns and "redirect_urls" in response.meta:
            own_key(row.key, (self._own_key(source, response.url), self._own_key(source, claimed)))
        article.url = row.hints.get("url") or article.url
        article.link = self._link(source, article, row)
        article.capture = response.meta.get("capture", "")
        article.validators = validators_of(response)
        if said := opt_outs(response.headers, response.body):
            article.disagreements["opt_outs"] = "", said
        return article

    def _is_first(self, run: Run, row: Row, own: str) -> bool:
        """Whether this page makes the article's post: of an article and its aliases the first that comes does."""
        if own != row.key:
            run.ledger.alias(row.space, row.key, own, run.started)
        elif (row.space, own) not in self._claimed:
            return True
        self._claimed.add((row.space, own))
        return not run.has(row.space, own)

    def _link(self, source: Source, article: Article, row: Row) -> str:
        values = {**row.hints, "key": article.key, "url": canonical(article.url), "source": source.id}
        return fill(source.post.link, values)

    def _true_key(self, source: Source, row: Row, claimed: str) -> str:
        """The key of the address that a page claims for itself, if that is one of the source's own hosts."""
        host = urlsplit(claimed).netloc.lower()
        return (self._own_key(source, claimed) if host in source.hosts else "") or row.key

    def _own_key(self, source: Source, url: str) -> str:
        return key_of(url, source.key_patterns)

    def article_failed(self, failure: Failure) -> None:
        """An article that could not be fetched is asked again later; one that was not asked stays queued as it is."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if self.run and request.meta["source"] in self.run.watch.stopped:
            return
        if isinstance(failure.value, Postponed) and self.run:
            self.run.report.of(request.meta["source"]).problem(request.url, _reason(failure))
            return
        self._refuse(request.cb_kwargs["row"], request.url, _reason(failure))

    def _refuse(self, row: Row, address: str, reason: str) -> None:
        if self.run and self.run.report.halted:
            return  # not the article's fault: it stays queued
        if self.run:
            self.run.refuse(row.space, row.key, row.source, address, reason)
        else:
            self.logger.error("%s: refused: %s", address, reason)

    def _ways_of(self, source: Source) -> Ways:
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
    def _frontier(self) -> Any:
        assert self.crawler.engine is not None
        return self.crawler.engine.scheduler


def _same(url: str) -> str:
    """One form for addresses that lead to one page, session ids left out."""
    try:
        return canonical(url)
    except ValueError:
        return url


def _validators(response: Response, walking: Walking, digest: str, further: Sequence[str]) -> Validators:
    asked = response.meta.get("redirect_urls", [response.url])[0]
    etag, modified = validators_of(response)
    return Validators(asked, walking.source.id, walking.rules, etag, modified, digest, "\n".join(further))


def _reason(failure: Failure) -> str:
    assert failure.value is not None
    return words_for(failure.value)
