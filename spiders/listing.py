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

from crawler.archive.ledger import Found, Validators
from crawler.backfill import Place
from crawler.coverage import Part, Stretch, parts_of
from crawler.days import Days, is_dated
from crawler.extract.page import Page
from crawler.lists import AnyList, FeedList, FileList, HtmlList, JsonList, PagedList, WaybackList
from crawler.middlewares.guard import is_own
from crawler.middlewares.refusals import Resting
from crawler.sources import Source
from crawler.urls import canonical
from spiders.answers import page_of, reason_of, validators_of
from spiders.file_list import FileWalk
from spiders.survey import Hunt, Read, Surveys
from spiders.walk import Listing, Walk

if TYPE_CHECKING:
    from crawler.run import Run
    from spiders.news import NewsSpider

_BY_TIME = HtmlList | FeedList | JsonList
"""Lists whose pages go back in time."""
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
    levels: int = 1
    """How far down further lists may lie that its first page names, and theirs."""
    is_index: bool = False
    """Whether it does name further lists, as far as the source says."""
    told: bool = False
    """Whether an earlier run of the same backfill read its articles: then it is asked for further lists alone."""
    part: Part | None = None
    """By what name its coverage is kept, if that is not its first address."""
    stretch: Stretch | None = None
    """What it covers; no backfill's walk, nor one through captures, says so."""
    seen: list[Validators] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    """Keys that its pages named in this run."""
    barren: int = 0
    """Pages in a row that named nothing that was not named before."""
    way: str = ""
    """Kind of the list."""
    by_time: bool = False
    """Whether its pages go back in time, in a backfill: then they are walked for its days alone."""
    hunt: Hunt | None = None
    """The search for the page with which the days begin."""
    pages: dict[int, Read] = field(default_factory=dict)
    """What that search has read, and the walk has not come to."""
    beyond: int = 0
    """The first page that it knows not to be there; 0 for none."""

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
        self._surveys = Surveys(spider, self._list_request)

    def first_requests(self, source: Source) -> Iterator[Request]:
        """The first page of every list of a source, asked conditionally; of a backfill those that it takes, and where
        an earlier run left a list, its next page."""
        backfill = self._run.backfill
        for one in source.lists:
            if backfill is not None and not backfill.takes(one):
                continue
            if isinstance(one, FileList):
                self._read_file(source, FileWalk(source, one))
            elif isinstance(one, PagedList):
                yield from self._first_pages(source, one)
            elif isinstance(one, WaybackList) and backfill is not None:
                yield from self._searches(source, one, backfill.days)

    def _read_file(self, source: Source, walk: FileWalk) -> None:
        """Commit what a file names, unless it is as it was."""
        report, backfill, rules = self._run.report.of(source.id), self._run.backfill, _rules(source, None)
        known = self._run.ledger.validators(walk.start, rules)
        try:
            seen = Validators(walk.start, source.id, rules, digest=walk.digest())
            if backfill.walk(walk.start, "file").ended if backfill else known and known.digest == seen.digest != "":
                report.unchanged += 1
                return
            for listing in walk.entries():
                self._tell(source, walk.start, listing)
                self._commit(source, walk.start, walk.start, listing, pages=0)
        except ValueError as error:
            report.failed_lists += 1
            report.problem(walk.start, str(error))
        else:
            self._run.end_walk(walk.start, [seen] if seen.digest else [])

    def _searches(self, source: Source, one: WaybackList, days: Days) -> Iterator[Request]:
        """The first page of each search in a web archive."""
        walk, rules = self._spider.ways_of(source).walk(one, days), _rules(source, one)
        for url in walk.starts(days):
            yield from self._begun(
                Walking(source, walk, url, rules, paged=True, may_be_empty=True, levels=0, way=one.kind)
            )

    def _first_pages(self, source: Source, one: PagedList) -> Iterator[Request]:
        rules = _rules(source, one)
        backfill = self._run.backfill
        walk: Walk = self._spider.ways_of(source).walk(one, backfill.days if backfill else None)
        by_time = backfill is not None and isinstance(one, _BY_TIME) and not any(map(is_dated, one.urls))
        days = Days.latest(self._run.started, source.zone, one.days)
        parts = parts_of(one.urls, days)
        for url in walk.starts(days):
            walking = Walking(source, walk, url, rules, one.has_pages, one.empty, levels=walk.levels, way=one.kind)
            walking.by_time, walking.is_index = by_time, getattr(one, "lists", None) is not None
            walking.part = parts.get(url)
            yield from self._begun(walking)

    def _begun(self, walking: Walking) -> Iterator[Request]:
        """The request that begins a walk: one that goes on where an earlier one was interrupted. A backfill's is not
        repeated where it had ended."""
        self._begun_walks.add((walking.source.id, walking.start))
        if (backfill := self._run.backfill) is None:
            walking.interrupted = walking.paged and self._run.ledger.walk_is_open(walking.start)
            if self._run.live:
                part = walking.part or Part(walking.start)
                walking.stretch = Stretch(self._run.ledger, walking.source, part, self._run.started)
            yield self._list_request(walking, walking.start, 1)
            return
        walking.interrupted, place = True, backfill.walk(walking.start, walking.way)
        if not place.ended:
            yield self._list_request(walking, place.page or walking.start, place.number)
        elif walking.levels and walking.is_index and (walking.by_time or place.page == walking.start):
            walking.told = True
            yield self._list_request(walking, walking.start, 1)

    def _further_lists(self, walking: Walking, addresses: Sequence[str]) -> Iterator[Request]:
        """The first pages of lists that an index page names, each once a run."""
        for url in addresses if walking.levels else ():
            if (walking.source.id, url) in self._begun_walks:
                continue
            if not is_own(walking.source, url):
                self._run.report.of(walking.source.id).problem(url, f"off-site: a list that {walking.start} names")
                continue
            paged = replace(
                walking, start=url, part=None, seen=[], asked=set(), named=set(), barren=0, pages={}, told=False
            )
            paged.levels -= 1
            paged.may_be_empty |= walking.walk.partial
            yield from self._begun(paged)

    def _list_request(self, walking: Walking, url: str, number: int) -> Request:
        walking.asked.add(_same(url))
        known = None if walking.interrupted else self._run.ledger.validators(url, walking.rules)
        headers = {"If-None-Match": known.etag, "If-Modified-Since": known.modified} if known else {}
        largest = walking.walk.largest
        return Request(
            url,
            callback=self.parse,
            errback=self.failed,
            headers={name: value for name, value in headers.items() if value},
            cb_kwargs={"walking": walking, "number": number},
            meta={
                "role": "list",
                "source": walking.source.id,
                "handle_httpstatus_list": [304, *walking.walk.statuses],
                "known": known,
                **({"download_maxsize": largest} if largest else {}),
            },
        )

    def parse(self, response: Response, walking: Walking, number: int) -> Iterator[Request]:
        """Commit what a list page names, then go on to the next page, or end the walk."""
        report = self._run.report.of(walking.source.id)
        known: Validators | None = response.meta["known"]
        digest = sha256(response.body).hexdigest()
        if response.status == 304 or (known is not None and known.digest == digest):
            report.unchanged += 1
            self._end(walking, unchanged=True)
            if known is not None and number == 1:
                yield from self._further_lists(walking, known.lists.split())
            return
        page = page_of(response, "")
        try:
            pieces = walking.walk.pieces(page)
            listing = next(pieces)
        except ValueError as error:
            self._list_is_bad(
                walking, response.url, self._spider.named(walking.source, page, f"no such list: {error}"), number
            )
            return
        further = walking.walk.lists(page) if walking.levels and number == 1 else []
        if walking.told:
            yield from self._further_lists(walking, further)
            return
        if not (listing.entries or listing.left or further or walking.may_be_empty or number > 1):
            what = self._spider.named(walking.source, page, "the list is empty, or its rules no longer fit")
            self._list_is_bad(walking, response.url, what, number)
            return
        self._tell(walking.source, response.url, listing)
        following = self._following(walking, page, number) if listing.entries or listing.left else ""
        if walking.by_time:
            yield from self._further_lists(walking, further)
            yield from self._surveys.read(walking, Read(number, listing.entries, following))
            return
        found = self._committed(walking, response.url, listing, walking.start if following else "")
        for piece in pieces:
            self._tell(walking.source, response.url, piece)
            self._committed(walking, response.url, piece, pages=0)
        yield from self._further_lists(walking, further)
        if further and self._run.backfill is not None:  # a later run asks it again for those that are not read by then
            self._run.backfill.discover([], walking.start, Place(walking.start), pages=0)
        walking.seen.append(_validators(response, walking, digest, further))
        fresh = found.new or found.refused or listing.left
        if following and (fresh or walking.goes_on(entry.key for entry in listing.entries)):
            yield self._list_request(walking, following, number + 1)
        else:
            self._end(walking)

    def _following(self, walking: Walking, page: Page, number: int) -> str:
        """Address of the next page; empty where there is none that is the site's own and was not asked for."""
        following = walking.walk.next(page, number)
        if following and _same(following) in walking.asked and not walking.by_time:  # a search asks in any order
            return ""
        if following and urlsplit(following).netloc.lower() not in {*walking.source.hosts, urlsplit(page.url).netloc}:
            self._run.report.of(walking.source.id).problem(following, f"off-site: the next page after {page.url}")
            return ""
        return following

    def _end(self, walking: Walking, *, unchanged: bool = False) -> None:
        self._run.end_walk(walking.start, walking.seen)
        if walking.stretch is not None and walking.source.id not in self._run.watch.stopped:
            walking.stretch.end(unchanged=unchanged)

    def _tell(self, source: Source, url: str, listing: Listing) -> None:
        """What a list could not say goes into the report."""
        report = self._run.report.of(source.id)
        for problem in listing.problems:
            report.refused += 1
            report.problem(url, problem)

    def _committed(self, walking: Walking, url: str, listing: Listing, walk: str = "", pages: int = 1) -> Found:
        """What was found, once it is in the ledger."""
        found = self._commit(walking.source, walking.start, url, listing, walk, pages)
        if walking.stretch is not None:
            walking.stretch.page(listing.entries)
        return found

    def _commit(self, source: Source, start: str, url: str, listing: Listing, walk: str = "", pages: int = 1) -> Found:
        report = self._run.report.of(source.id)
        found = self._run.discover(source, listing.entries, walk, start, pages)
        report.listed += len(listing.entries)
        report.new += found.new + len(found.refused)
        for entry in found.refused:
            report.refused += 1
            report.problem(entry.hints.get("url") or f"{url} {entry.key}", entry.refused)
        self._spider.frontier.more_of(source.id)
        return found

    def failed(self, failure: Failure) -> Iterator[Any]:
        """A list that could not be fetched: named and counted; its walk stays open, its validators where they were."""
        request: Request = failure.request  # type: ignore[attr-defined]
        walking, number = request.cb_kwargs["walking"], request.cb_kwargs["number"]
        if walking.by_time and self._surveys.is_beyond(walking, number, failure):
            yield from self._surveys.beyond(walking, number)
            return
        if isinstance(failure.value, Resting):
            report = self._run.report.of(request.meta["source"])
            report.resting_lists += 1
            report.problem(request.url, reason_of(failure))
            return
        if request.meta["source"] not in self._run.watch.stopped:
            self._list_is_bad(walking, request.url, reason_of(failure), number)

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


def _rules(source: Source, one: AnyList | None) -> str:
    """Digest of all by which a list is read."""
    return sha256(repr((source.key, one, source.layouts)).encode()).hexdigest()[:16]


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
