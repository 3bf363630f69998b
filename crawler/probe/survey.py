"""The conversation with a site: what it offers, which links are articles, and what some of them look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, zip_longest
from urllib.parse import urljoin, urlsplit

from crawler.extract.article import Extracted, extract
from crawler.extract.kind import ARTICLE
from crawler.fetch import Answer, Talk
from crawler.probe.links import Address, Link, clusters, key_patterns, links_of, parsed, pattern_for, same_site
from crawler.probe.offers import COMMON_FEEDS, Named, feeds_on, kind_of, named_by, sitemaps_in
from crawler.probe.paging import Way, way_of
from crawler.probe.rules import Sample

_FEEDS, _SITEMAPS, _PARTS, _CLUSTERS, _LISTS, _SECONDS = 5, 4, 3, 4, 16, 3
"""At most so many feeds, sitemaps, parts of an index, forms of address, list pages and second pages are asked for."""
_TRIED = 4
"""Pages of one form of address that are looked at before it is believed."""
_LEAST = 3
"""Articles that a list page names."""
_KNOWN = 4000
"""Addresses by which a pattern is made."""
_NO_LIST = re.compile(
    r"(?:^|[/_-])(?:about|account|ads?|advertis\w*|agb|app|archives?|authors?|bookmarks?|careers?|cart|contact|cookies?"
    r"|copyright|datenschutz|faq|feeds?|help|impressum|jobs?|kontakt|legal|login|logout|newsletters?|password|privacy"
    r"|register|rss|search|settings?|share|shop|signin|signup|sitemap|subscri\w*|tags?|terms|users?|wp-\w+)(?:[/._-]|$)",
    re.IGNORECASE,
)
_PAGES = ("", ".html", ".htm", ".shtml", ".php", ".asp", ".aspx", ".jsp")


class NothingFound(RuntimeError):
    """The address could not be had, or no articles were found from it; the message says which."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A feed or sitemap that names articles."""

    url: str
    kind: str
    """``feed``, ``sitemap`` or ``index``."""
    answer: Answer
    all: int
    """Addresses that were seen in it, or in those of its parts that were asked for."""
    articles: int = 0
    """Those among them that are articles."""
    parts: tuple[Answer, ...] = ()

    @property
    def pages(self) -> tuple[Answer, ...]:
        """The answers that name its addresses."""
        return self.parts or (self.answer,)


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page that lists articles."""

    url: str
    answer: Answer
    articles: int
    way: Way | None = None
    second: Answer | None = None
    """Its second page, where that was asked for."""


@dataclass(slots=True)
class Survey:
    """What was found."""

    url: str
    home: str
    pattern: str = ""
    keys: list[str] = field(default_factory=list)
    feeds: list[Offer] = field(default_factory=list)
    sitemaps: list[Offer] = field(default_factory=list)
    lists: list[ListPage] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    """Articles; what stands on several of them is left out of their text."""
    answers: list[Answer] = field(default_factory=list)
    """Those of the samples, in the same order."""
    failed: list[tuple[str, str]] = field(default_factory=list)
    """Addresses taken for articles that gave none, and why."""
    language: str = ""
    """What a feed says."""
    dates: dict[str, datetime] = field(default_factory=dict)
    """Address -> when a feed says it was published."""
    title: str = ""
    """What a feed calls the site."""
    shares: str = ""
    """Template of the share link that pages show."""
    known: int = 0
    """Addresses of articles that were seen anywhere."""
    unsure: list[str] = field(default_factory=list)


Step = Generator[Sequence[str], list[Answer], list[Answer]]


class Surveyor:
    """Asks, and remembers every answer."""

    def __init__(self, url: str, articles: int = 20) -> None:
        """``articles``: pages of articles that are asked for at most."""
        self._url, self._most = url, articles
        self.asked: dict[str, Answer] = {}
        self._links: dict[str, list[Link]] = {}
        self._readings: dict[str, Extracted] = {}
        self._named: dict[str, Named | None] = {}
        self._believed: list[tuple[object, set[tuple[str, ...]]]] = []

    def talk(self) -> Talk[Survey]:
        """The whole survey. Raises NothingFound."""
        (first,) = yield from self._ask([self._url])
        if not first.good:
            raise NothingFound(f"{self._url}: {first.why}")
        home = urljoin(first.url, "/")
        survey = Survey(first.url, home)
        robots, front = yield from self._ask([urljoin(home, "/robots.txt"), home])
        pages = [one for one in dict.fromkeys((first, front)) if one.good and kind_of(one) == "html"]
        offers = yield from self._feeds(survey, first, pages)
        offers += yield from self._sitemaps(survey, robots, first)
        articles = yield from self._articles(survey, first, pages, offers)
        yield from self._lists(survey, pages, articles)
        yield from self._rest(survey, articles)
        self._conclude(survey, articles)
        return survey

    def _ask(self, addresses: Iterable[str]) -> Step:
        """Answers in order, each address asked once."""
        wanted = list(addresses)
        if new := [url for url in dict.fromkeys(wanted) if url not in self.asked]:
            answers = yield new
            self.asked.update(zip(new, answers, strict=True))
        return [self.asked[url] for url in wanted]

    def _links_of(self, answer: Answer) -> list[Link]:
        if answer.url not in self._links:
            self._links[answer.url] = links_of(answer.page()) if answer.good and kind_of(answer) == "html" else []
        return self._links[answer.url]

    def _named_by(self, answer: Answer) -> Named | None:
        """What a feed or a sitemap names; it may be long, and is read once."""
        if answer.asked not in self._named:
            self._named[answer.asked] = named_by(answer)
        return self._named[answer.asked]

    def _links_in(self, answers: Sequence[Answer]) -> list[Link]:
        """What feeds or sitemaps name, one after the other."""
        return [link for answer in answers if (named := self._named_by(answer)) for link in named.links]

    def _reading(self, answer: Answer) -> Extracted:
        if answer.url not in self._readings:
            self._readings[answer.url] = extract(answer.page(), not_after=answer.moment)
        return self._readings[answer.url]

    def _is_article(self, answer: Answer) -> bool:
        """Whether a page is an article, with a headline and a date."""
        if not answer.good or kind_of(answer) != "html":
            return False
        found = self._reading(answer)
        return found.kind == ARTICLE and bool(found.title and found.text) and found.published is not None

    def _read_together(self, answers: Sequence[Answer]) -> Iterator[Sample]:
        """Pages read in the light of each other: blocks that stand on several are no text of any."""
        first = [self._reading(answer) for answer in answers]
        seen = Counter(block for one in first for block in set(one.fingerprints))
        repeated = {block for block, times in seen.items() if times > 1}
        for number, answer in enumerate(answers):
            siblings = [one.head_title for at, one in enumerate(first) if at != number]
            page = answer.page()
            again = extract(page, not_after=answer.moment, repeated=repeated, siblings=siblings)
            yield Sample(page, again if again.text else first[number])

    # what the site offers

    def _feeds(
        self, survey: Survey, first: Answer, pages: Sequence[Answer]
    ) -> Generator[Sequence[str], list[Answer], list[Named]]:
        stated = [url for one in pages for url in feeds_on(one.page())]
        own = [first.url] if kind_of(first) == "feed" else []
        found = []
        for answer in (yield from self._ask(list(dict.fromkeys((*own, *stated)))[:_FEEDS])):
            found += self._feed(survey, answer)
        for path in COMMON_FEEDS if not found else ():
            (answer,) = yield from self._ask([urljoin(survey.home, path)])
            if found := self._feed(survey, answer):
                break
        return found

    def _feed(self, survey: Survey, answer: Answer) -> list[Named]:
        named = self._named_by(answer) if answer.good else None
        links = [link for link in named.links if same_site(link.url, survey.home)] if named else []
        if named is None or named.kind != "feed" or not links or any(one.url == answer.url for one in survey.feeds):
            return []
        survey.dates |= named.dates
        survey.feeds.append(Offer(answer.url, "feed", answer, len(named.links)))
        survey.language, survey.title = survey.language or named.language, survey.title or named.title
        return [Named("feed", links)]

    def _sitemaps(
        self, survey: Survey, robots: Answer, first: Answer
    ) -> Generator[Sequence[str], list[Answer], list[Named]]:
        own = [first.url] if kind_of(first) in ("sitemap", "index") else []
        found = []
        for answer in (yield from self._ask([*own, *sitemaps_in(robots, survey.home)][:_SITEMAPS])):
            named = self._named_by(answer) if answer.good else None
            if named is None or named.kind == "feed":
                continue
            parts: list[Answer] = []
            links = named.links
            if named.kind == "index":
                parts = [one for one in (yield from self._ask(_some_parts(links))) if one.good]
                links = self._links_in(parts)
            links = [link for link in links if same_site(link.url, survey.home)]
            survey.sitemaps.append(Offer(answer.url, named.kind, answer, len(links), parts=tuple(parts)))
            found.append(Named("sitemap", links))
        return found

    # which links are articles

    def _articles(
        self, survey: Survey, first: Answer, pages: Sequence[Answer], offers: Sequence[Named]
    ) -> Generator[Sequence[str], list[Answer], set[str]]:
        """Addresses of articles; the forms of address that they have were tried. Raises NothingFound."""
        sure = {link.url for one in offers if one.kind == "feed" for link in one.links}
        if kind_of(first) == "html" and parsed(first.url).tells and self._reading(first).kind == ARTICLE:
            sure.add(first.url)
        links = [link for one in pages for link in self._links_of(one) if same_site(link.url, survey.home)]
        groups = clusters(links, sure) or _by_sitemap(offers)
        for group in groups[:_CLUSTERS]:
            tried = _spread(group, _TRIED)
            answers = yield from self._ask(tried)
            good = [one for one in answers if self._is_article(one)]
            if len(good) * 2 < len(answers) or not good:
                continue
            failed = {_section(url) for url in tried} - {_section(one.asked) for one in good}
            self._believed.append((parsed(group[0].url).form, failed))
        if not self._believed:
            seen = f"{len(links)} links, {len(sure)} of them in feeds" if links or sure else "no links"
            raise NothingFound(f"{survey.url}: no articles were found ({seen}). Next: name a list page or an article")
        everything = chain(links, *(one.links for one in offers))
        return {link.url for link in everything if self._is_believed(link.url)}

    def _is_believed(self, url: str) -> bool:
        """Whether an address has a form that was tried, and no part that led astray."""
        where = parsed(url)
        return not where.is_page and any(
            where.form == form and _section(url) not in failed for form, failed in self._believed
        )

    # list pages

    def _lists(
        self, survey: Survey, pages: Sequence[Answer], articles: set[str]
    ) -> Generator[Sequence[str], list[Answer], None]:
        wanted = self._list_candidates(survey, pages)
        answers = yield from self._ask(wanted[:_LISTS])
        if len(wanted) > _LISTS:
            survey.unsure.append(f"{len(wanted) - _LISTS} more pages that may be lists were not looked at")
        for answer in dict.fromkeys((*pages, *(one for one in answers if one.good))):
            there = {link.url for link in self._links_of(answer) if self._is_believed(link.url)}
            articles |= there
            if len(there) >= _LEAST and not self._is_believed(answer.url):
                way = way_of(answer.page(), there)
                survey.lists.append(ListPage(answer.url, answer, len(there), way))
        yield from self._second_pages(survey, articles)

    def _list_candidates(self, survey: Survey, pages: Sequence[Answer]) -> list[str]:
        """Links that may lead to lists: those above articles first, then the rest of the navigation."""
        articles = {link.url for one in pages for link in self._links_of(one) if self._is_believed(link.url)}
        above = {urljoin(url, ".").rstrip("/") for url in articles}
        found: dict[str, bool] = {}
        for link in (link for one in pages for link in self._links_of(one)):
            where: Address = parsed(link.url)
            parts = urlsplit(link.url)
            if (
                link.url not in articles
                and same_site(link.url, survey.home)
                and parts.path not in ("", "/")
                and len(where.path) <= 4
                and where.extension in _PAGES
                and not _NO_LIST.search(parts.path)
                and not where.tells
                and not self._is_believed(link.url)
            ):
                found.setdefault(link.url, link.url.rstrip("/") in above or _is_above(link.url, articles))
        return sorted(found, key=lambda one: not found[one])

    def _second_pages(self, survey: Survey, articles: set[str]) -> Generator[Sequence[str], list[Answer], None]:
        """Ask for the second pages of some lists; a way that leads to nothing new is none."""
        tried: dict[str, bool] = {}
        for number, one in enumerate(survey.lists):
            if one.way is None:
                continue
            name = str(one.way.settings)
            if name in tried or len(tried) >= _SECONDS:
                if not tried.get(name, True):
                    survey.lists[number] = ListPage(one.url, one.answer, one.articles)
                continue
            (answer,) = yield from self._ask([one.way.url])
            before = {link.url for link in self._links_of(one.answer)}
            new = {link.url for link in self._links_of(answer) if self._is_believed(link.url)} - before
            articles |= new
            tried[name] = bool(new)
            survey.lists[number] = ListPage(
                one.url, one.answer, one.articles, one.way if new else None, answer if new else None
            )

    def _counted(self, one: Offer, pattern: str) -> Offer:
        """With the number of its addresses that are articles."""
        count = len({link.url for link in self._links_in(one.pages) if re.search(pattern, link.url)})
        return replace(one, articles=count)

    # samples

    def _rest(self, survey: Survey, articles: set[str]) -> Generator[Sequence[str], list[Answer], None]:
        """As many articles as are wanted, of every list, and old ones."""
        rows = [[link.url for link in self._links_of(one.answer)] for one in survey.lists]
        pages = [answer for one in (*survey.feeds, *survey.sitemaps) for answer in one.pages]
        rows += [[link.url for link in self._links_in([answer])][::-1] for answer in pages]
        turns = (url for turn in zip_longest(*rows) for url in turn if url and self._is_believed(url))
        done = [url for url in self.asked if self._is_believed(url)]
        wanted = [url for url in dict.fromkeys(chain(turns, sorted(articles))) if url not in self.asked]
        yield from self._ask(wanted[: max(0, self._most - len(done))])

    def _conclude(self, survey: Survey, articles: set[str]) -> None:
        answers: dict[str, Answer] = {}
        for url, answer in self.asked.items():
            if not self._is_believed(url):
                continue
            if self._is_article(answer):
                answers.setdefault(answer.url, answer)
            else:
                survey.failed.append((url, answer.why or f"no article: {self._reading(answer).kind}"))
        survey.answers = list(answers.values())
        survey.samples = list(self._read_together(survey.answers))
        everything = {link.url for links in self._links.values() for link in links}
        known = sorted(articles)[:_KNOWN]
        others = {url for url in everything - articles if not self._is_believed(url)}
        survey.known = len(articles)
        survey.pattern = pattern_for(known, others)
        survey.keys = key_patterns(known)
        survey.feeds = [self._counted(one, survey.pattern) for one in survey.feeds]
        survey.sitemaps = [self._counted(one, survey.pattern) for one in survey.sitemaps]
        survey.shares = _share_link(survey.answers, survey.keys, [self._links_of(one) for one in survey.answers])


def _some_parts(links: Sequence[Link]) -> list[str]:
    """Of an index's sitemaps those for news, the last and the first."""
    news = [link.url for link in links if "news" in link.url.rpartition("/")[2]]
    rest = [link.url for link in (*links[-1:], *links[:1], *links[1:-1]) if link.url not in news]
    return list(dict.fromkeys((*news[:1], *rest)))[:_PARTS]


def _by_sitemap(offers: Sequence[Named]) -> list[list[Link]]:
    """Forms of address in sitemaps alone, where pages show no headlines: the commonest first."""
    found: dict[object, list[Link]] = {}
    for link in (link for one in offers for link in one.links if parsed(link.url).tells):
        found.setdefault(parsed(link.url).form, []).append(link)
    return sorted(found.values(), key=len, reverse=True)


def _section(url: str) -> tuple[str, ...]:
    """The words in an address before its last part: where on the site it is."""
    where = parsed(url)
    return tuple(part for part, kind in zip(where.path[:-1], where.kinds, strict=False) if kind == "w")


def _spread(group: Sequence[Link], most: int) -> list[str]:
    """Some of a group, of as many sections as can be."""
    sections: dict[tuple[str, ...], list[str]] = {}
    for link in group:
        sections.setdefault(_section(link.url), []).append(link.url)
    turns = (url for turn in zip_longest(*sections.values()) for url in turn if url)
    return [url for url, _ in zip(turns, range(most), strict=False)]


def _is_above(url: str, articles: Collection[str]) -> bool:
    folder = url.rstrip("/") + "/"
    return any(article.startswith(folder) for article in articles)


def _share_link(answers: Sequence[Answer], keys: Sequence[str], links: Sequence[Sequence[Link]]) -> str:
    """The template of a link that every article has, with its key in it and sharing in its name."""
    templates: set[str] | None = None
    for answer, shown in zip(answers, links, strict=True):
        key = next((match[1] for one in keys if (match := re.search(one, answer.url))), "")
        there = {link.url.replace(key, "{key}") for link in shown if len(key) > 3 and key in link.url
                 and link.url != answer.url and same_site(link.url, answer.url)
                 and re.search(r"share", link.url, re.IGNORECASE)}  # fmt: skip
        templates = there if templates is None else templates & there
    return min(templates or {""}, key=len)
