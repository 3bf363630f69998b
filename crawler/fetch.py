"""Conversations with a site: pages asked for by hand, as politely as in a crawl, or taken from captures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http.request import NO_CALLBACK
from scrapy.settings import Settings

from crawler.archive.captures import Response, payload_digest, unpacked, warc_date
from crawler.extract.page import Page
from crawler.failures import words_for
from crawler.pagefile import CHARSET, GivenPage
from crawler.replay import Captures
from crawler.sources import Politeness, Source

T = TypeVar("T")

_HOP = frozenset({"transfer-encoding", "connection", "keep-alive", "set-cookie", "content-length"})
"""Header fields of the connection, of the visit, or of the answer while it was packed."""
_REDIRECTS = 5
"""Redirects in a row that are followed among captures; crawls follow as many."""


class NotFetched(RuntimeError):
    """A page could not be had, or a conversation came to no end; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one address."""

    asked: str
    url: str
    """Where it came from after redirects; what was asked, if nothing came."""
    status: int = 0
    """0 if nothing came."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    """Unpacked."""
    failure: str = ""
    """Why nothing came, in a few words."""
    date: str = ""
    """When it came: ISO 8601, UTC."""

    @property
    def good(self) -> bool:
        """Whether the page was had: success, and something in it."""
        return 200 <= self.status < 300 and bool(self.body)

    @property
    def why(self) -> str:
        """Why it was not had."""
        return self.failure or (f"HTTP {self.status}" if not 200 <= self.status < 300 else "" if self.body else "empty")

    @property
    def moment(self) -> datetime:
        """When it came."""
        return datetime.fromisoformat(self.date) if self.date else datetime.now(UTC)

    def header(self, name: str) -> str:
        """One header field; empty if there is none."""
        return next((value for one, value in self.headers if one.lower() == name.lower()), "")

    @property
    def charset(self) -> str:
        """What the header declares; empty if it does not."""
        declared = CHARSET.search(self.header("Content-Type"))
        return declared[1] if declared else ""

    def page(self, encoding: str = "") -> Page:
        """The answer, ready to be read; ``encoding`` is the source's own, if it has one."""
        return Page(self.body, self.url, declared=self.charset, encoding=encoding)


Talk = Generator[Sequence[str], list[Answer], T]
"""A conversation: yields addresses, is sent their answers in the same order, returns what it was held for."""


class Record(Protocol):
    """Where answers are kept, such as a ``CaptureStore``."""

    def add(self, response: Response, digest: str) -> Any:
        """Keep one."""


@dataclass(frozen=True, slots=True)
class _Typed:
    """What was typed by hand, in the place of a source: machines that it names outright are allowed, and no others."""

    id: str
    hosts: frozenset[str]
    politeness: Politeness = field(default_factory=Politeness)
    captures: bool = False
    archives: tuple[Any, ...] = ()


class Conversation(Spider):
    """Asks what a talk wants to know."""

    name = "conversation"

    def __init__(
        self,
        talk: Talk[Any],
        politeness: Politeness,
        hosts: Collection[str],
        roaming: bool = False,
        sources: Sequence[Source] = (),
    ) -> None:
        """``roaming``: answers may lead off the hosts, as for one address that was typed by hand. ``sources``: hosts of
        theirs are treated as they say."""
        super().__init__()
        self._talk, self._roaming = talk, roaming
        self.sources: Mapping[str, Any] = {
            "": _Typed("", frozenset(hosts), politeness),
            **{source.id: source for source in sources},
        }
        self.result: list[Any] = []
        self.fault: BaseException | None = None

    async def start(self) -> AsyncIterator[Any]:
        """The whole of it; there is no request that Scrapy would have to schedule."""
        try:
            self.result.append(await _held(self._talk, self._asked))
        except Exception as error:
            self.fault = error
        return
        yield

    async def _asked(self, addresses: Sequence[str]) -> list[Answer]:
        return list(await asyncio.gather(*map(self._answer, addresses)))

    def _whose(self, url: str) -> str:
        """The source that an address belongs to; empty for none."""
        host = host_of(url)
        return next((name for name, source in self.sources.items() if name and host in source.hosts), "")

    async def _answer(self, url: str) -> Answer:
        """Raises nothing: what fails is an answer too."""
        engine = self.crawler.engine
        assert engine is not None
        meta = {} if self._roaming else {"source": self._whose(url)}
        try:
            found = await engine.download_async(Request(url, callback=NO_CALLBACK, meta=meta, dont_filter=True))
        except Exception as error:  # whatever it is, the talk goes on without this page
            return Answer(url, url, failure=words_for(error))
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in found.headers.items()
            for value in values
            if name.decode("latin-1").lower() not in _HOP
        )
        return Answer(url, found.url, found.status, headers, found.body, date=warc_date(datetime.now(UTC)))


async def _held(talk: Talk[T], ask: Callable[[Sequence[str]], Awaitable[list[Answer]]]) -> T:
    """The talk's result."""
    try:
        addresses = next(talk)
        while True:
            addresses = talk.send(await ask(addresses))
    except StopIteration as end:
        result: T = end.value
        return result


def converse(
    talk: Talk[T],
    *,
    politeness: Politeness | None = None,
    hosts: Collection[str] = (),
    sources: Sequence[Source] = (),
    contact: str = "",
    replay: Captures | None = None,
    record: Record | None = None,
    roaming: bool = False,
) -> T:
    """Hold a conversation; what it returns.

    From the network it goes through Scrapy with robots.txt, guards, delays and User-Agent as crawls do (once in a
    process), and to ``hosts`` (with their ports, as in addresses) and those below the same registered domains alone,
    unless it may be ``roaming``; with ``sources`` to theirs as well, each as politely as it says. With ``replay``
    nothing is asked of the network, and what no capture holds fails. ``contact`` is named where ``politeness`` names
    none. Good answers are put into ``record``. Raises what the talk raises, and NotFetched where a signal ended it.
    """
    if record is not None:
        talk = _recorded(talk, record)
    if replay is not None:
        return answered(talk, lambda url: _replayed(url, replay))
    polite = politeness or Politeness()
    polite = polite.model_copy(update={"contact": polite.contact or contact})
    process = AsyncCrawlerProcess(_settings())
    logging.getLogger("scrapy").setLevel(logging.CRITICAL)
    crawler = process.create_crawler(Conversation)
    crawling = process.crawl(crawler, talk, polite, hosts, roaming, sources)
    process.start()
    if crawling.done() and not crawling.cancelled():
        crawling.result()
    spider: Any = crawler.spider
    if spider.fault is not None:
        raise spider.fault
    if not spider.result:
        raise NotFetched("stopped before an answer came")
    result: T = spider.result[0]
    return result


def one_by_one(talks: Iterable[Talk[T]]) -> Talk[list[T]]:
    """Several talks as one, one after the other; their results in the same order."""
    results: list[T] = []
    for talk in talks:
        results.append((yield from talk))
    return results


def answered(talk: Talk[T], answer: Callable[[str], Answer]) -> T:
    """Hold a conversation with whoever has the answers at hand."""
    try:
        addresses = next(talk)
        while True:
            addresses = talk.send([answer(url) for url in addresses])
    except StopIteration as end:
        result: T = end.value
        return result


def _settings() -> Settings:
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
    return settings


def _recorded(talk: Talk[T], record: Record) -> Talk[T]:
    """The same talk, whose good answers are kept, each address once."""
    kept: set[str] = set()
    answers = yield next(talk)
    while True:
        for one in answers:
            if one.good and one.url not in kept:
                kept.add(one.url)
                record.add(captured(one), payload_digest(one.body))
        try:
            answers = yield talk.send(answers)
        except StopIteration as end:
            result: T = end.value
            return result


def captured(answer: Answer, **notes: str) -> Response:
    """An answer as a capture of its unpacked body."""
    headers = tuple(
        (name, value)
        for name, value in answer.headers
        if name.lower() not in _HOP and name.lower() != "content-encoding"
    )
    return Response(answer.url, answer.status, headers, answer.body, answer.date, notes)


def answer_of(response: Response, asked: str = "") -> Answer:
    """A captured answer, unpacked."""
    return Answer(
        asked or response.url, response.url, response.status, response.headers, unpacked(response), date=response.date
    )


def _replayed(url: str, captures: Captures) -> Answer:
    """From captures, redirects among them followed."""
    there = url
    for _ in range(_REDIRECTS + 1):
        found = captures.find(there)
        if found is None:
            return Answer(url, there, failure="not among the captures that are replayed")
        headers = {name.lower(): value for name, value in found.headers}
        if not (300 <= found.status < 400 and headers.get("location")):
            return answer_of(found, url)
        there = urljoin(there, headers["location"])
    return Answer(url, there, failure="too many redirects")


def fetch(url: str, contact: str = "") -> GivenPage:
    """The page at an address; redirects are followed, each hop vetted. Runs Scrapy's engine: once in a process.

    ``contact`` is named in the User-Agent. Raises NotFetched for what robots.txt or the guards refuse, for failures of
    the network and for every status but success.
    """
    polite = Politeness(delay=0.5)
    answer = converse(_one(url), politeness=polite, contact=contact, hosts=[host_of(url)], roaming=True)
    if answer.failure or not 200 <= answer.status < 300:
        raise NotFetched(f"{url}: {answer.why}")
    return GivenPage(answer.url, answer.body, answer.charset)


def _one(url: str) -> Talk[Answer]:
    (answer,) = yield [url]
    return answer


def host_of(url: str) -> str:
    """Host and port of an address, without whoever is named before them."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()
