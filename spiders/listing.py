"""The walks of one crawl: list pages asked, what they name committed, the next page asked or the walk ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.archive.ledger import Validators
from crawler.days import Days
from crawler.lists import PagedList
from crawler.middlewares.refusals import Resting
from crawler.sources import Source
from crawler.urls import canonical
from spiders.answers import page_of, reason_of, validators_of
from spiders.walk import Walk

if TYPE_CHECKING:
    from crawler.run import Run
    from spiders.news import NewsSpider

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


class Walks:
    """Follows the lists of a spider's sources."""

    def __init__(self, spider: NewsSpider) -> None:
        self._spider = spider
        self._begun_walks: set[tuple[str, str]] = set()

    def first_requests(self, source: Source) -> Iterator[Request]:
        """The first page of every list of a source, asked conditionally."""
        for one in source.lists:
            if isinstance(one, PagedList):
                yield from self._first_pages(source, one)

    def _first_pages(self, source: Source, one: PagedList) -> Iterator[Request]:
        rules = sha256(repr((source.key, one, source.layouts)).encode()).hexdigest()[:16]
        walk: Walk = self._spider.ways_of(source).walk(one)
        for url in walk.starts(Days.latest(self._run.started, source.zone, one.days)):
            yield self._list_request(self._begun(Walking(source, walk, url, rules, one.has_pages, one.empty)), url, 1)

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
            callback=self.parse,
            errback=self.failed,
            headers={name: value for name, value in headers.items() if value},
            cb_kwargs={"walking": walking, "number": number},
            meta={
                "role": "list",
                "source": walking.source.id,
                "handle_httpstatus_list": [304, *getattr(walking.walk, "statuses", ())],
                "known": known,
            },
        )

    def parse(self, response: Response, walking: Walking, number: int) -> Iterator[Request]:
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
                walking, response.url, self._spider.named(walking.source, page, f"no such list: {error}"), number
            )
            return
        further = walking.walk.lists(page) if walking.index and number == 1 else []
        if not (listing.entries or further or walking.may_be_empty or number > 1):
            what = self._spider.named(walking.source, page, "the list is empty, or its rules no longer fit")
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
        self._spider.frontier.more_of(walking.source.id)
        yield from self._further_lists(walking, further)
        walking.seen.append(_validators(response, walking, digest, further))
        if following and (found.new or found.refused or walking.goes_on(entry.key for entry in listing.entries)):
            yield self._list_request(walking, following, number + 1)
        else:
            self._run.end_walk(walking.start, walking.seen)

    def failed(self, failure: Failure) -> None:
        """A list that could not be fetched: named and counted; its walk stays open, its validators where they were."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if isinstance(failure.value, Resting):
            report = self._run.report.of(request.meta["source"])
            report.resting_lists += 1
            report.problem(request.url, reason_of(failure))
            return
        if request.meta["source"] not in self._run.watch.stopped:
            kwargs = request.cb_kwargs
            self._list_is_bad(kwargs["walking"], request.url, reason_of(failure), kwargs["number"])

    def _list_is_bad(self, walking: Walking, url: str, what: str, number: int) -> None:
        report = self._run.report.of(walking.source.id)
        report.failed_lists += 1
        report.problem(url, what)
        if number == 1:
            self._run.watch.list_is_bad(walking.source.id, walking.start, what, moved=url != walking.start)

    @property
    def _run(self) -> Run:
        run: Any = self._spider.run
        assert run is not None, "lists are only walked in a run"
        return run  # type: ignore[no-any-return]


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
