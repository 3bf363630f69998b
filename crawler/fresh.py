"""Fresh pages of a source: a handful from its lists, and what today's rules make of them beside the recorded ones."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scrapy.utils.misc import load_object

from crawler import settings
from crawler.days import Days
from crawler.extract.page import NotJson
from crawler.fetch import Answer, Talk
from crawler.fixtures import Examiner, Expected, ExpectedArticle, told
from crawler.items import Article, Refused
from crawler.lists import PagedList
from crawler.share import article_address
from crawler.sources import Source

_FIELDS = ("title", "published", "attribution", "byline")
"""Fields whose shares are compared; a body is judged page by page."""
_LEAST = 3
"""Pages from which a share says something."""
_HALF = 0.5
"""Of the recorded share; what fresh pages have less of is broken. Also: how much of what the generic extractor reads
a rule for the body must give."""
_REFUSED = 0.3
"""Share of fresh pages that may be no articles (galleries, live pages, walls)."""
_CHILDREN = 2
"""Further lists that are followed where a first page only names others."""


@dataclass(frozen=True, slots=True)
class FreshArticle:
    """One fresh page."""

    answer: Answer
    found: ExpectedArticle | None
    why: str = ""
    """Why nothing was made of it."""
    doubt: str = ""
    """What the generic extractor reads otherwise."""


@dataclass(slots=True)
class Fresh:
    """What a source gives today."""

    lists: list[tuple[str, Answer]] = field(default_factory=list)
    """List pages that were read, each with the address in the source that led to it."""
    faults: list[str] = field(default_factory=list)
    """Lists that could not be had or named nothing."""
    unread: list[tuple[str, Answer]] = field(default_factory=list)
    """Pages of lists that were had and named nothing, likewise."""
    articles: list[FreshArticle] = field(default_factory=list)

    def broken(self, expected: Expected, unsaid: Collection[str] = ()) -> Iterator[str]:
        """What no longer fits, a sentence each; ``expected`` are the source's fixtures, if it has any, ``unsaid``
        fields that only older pages had."""
        yield from self.faults
        if not self.articles:
            return
        good = [one.found for one in self.articles if one.found]
        refused = [one for one in self.articles if not one.found]
        if len(refused) > len(self.articles) * _REFUSED:
            yield f"{len(refused)} of {len(self.articles)} pages give no article; {refused[0].why}"
        doubts = [one.doubt for one in self.articles if one.doubt]
        if len(doubts) > len(self.articles) * _REFUSED:
            yield f"body: on {len(doubts)} of {len(self.articles)} pages {doubts[0]}"
        if len(good) >= _LEAST and len(expected.articles) >= _LEAST:
            for name in (one for one in _FIELDS if one not in unsaid):
                before, now = _share(name, expected.articles), _share(name, good)
                if now < before * _HALF:
                    yield f"{name}: {before:.0%} of the recorded pages have one, {now:.0%} of {len(good)} fresh ones"


def unsaid(source: Source) -> list[str]:
    """Fields that an older layout has a rule for, and the present one has none."""
    present = [one for one in source.layouts if one.until is None and one.body is not None]
    older = [one for one in source.layouts if one.until is not None]
    return [
        name
        for name in _FIELDS
        if present and getattr(present[0], name) is None and any(getattr(one, name) for one in older)
    ]


def _share(name: str, articles: Sequence[ExpectedArticle]) -> float:
    return sum(bool(getattr(one, name)) for one in articles) / len(articles)


def fresh_talk(source: Source, number: int, now: datetime, *, own_python: bool = False) -> Talk[Fresh]:
    """Ask the source's lists, then up to ``number`` articles, taken from all lists in turn.

    Its example, where it has no lists that could be asked: only numbers, files, web archives.
    """
    fresh, examiner = Fresh(), Examiner(source, own_python=own_python)
    named: list[list[str]] = []
    for of, first in _starts(source, now, own_python):
        keys, answers = yield from _list(examiner, of, first, fresh)
        fresh.lists += [(of, answer) for answer in answers]
        named.append(keys)
    wanted = _in_turn(named, number)
    addresses = [url for key in wanted if (url := address_of(source, key, examiner.said(key)))]
    if not any(isinstance(one, PagedList) for one in source.lists):
        addresses = [source.example][:number]
    for url in addresses:  # one by one, as a crawl would
        (answer,) = yield [url]
        fresh.articles.append(_examined(examiner, answer))
    return fresh


def _starts(source: Source, now: datetime, own_python: bool) -> Iterator[tuple[str, str]]:
    """(Address in the source, first page) of its paged lists; of lists by day the latest day that there may be."""
    ways: Any = load_object(settings.WAYS)(source, own_python=own_python)
    for one in source.lists:
        if isinstance(one, PagedList):
            starts = ways.walk(one).starts(Days.latest(now, source.zone, 1))
            yield from zip(one.addresses, starts, strict=False)


def _list(
    examiner: Examiner, of: str, first: str, fresh: Fresh
) -> Generator[Sequence[str], list[Answer], tuple[list[str], list[Answer]]]:
    """Keys that a list names, and the pages that say so; where the first only names further lists, theirs."""
    (answer,) = yield [first]
    keys, why = _keys(examiner, answer, of)
    if keys or not answer.good:
        fresh.faults += [f"{first}: {why}"] if why else []
        return keys, [answer] if keys else []
    answers: list[Answer] = []
    for url in examiner.further(answer, of)[1][:_CHILDREN]:
        (child,) = yield [url]
        found, why = _keys(examiner, child, of)
        keys += found
        answers += [child] if found else []
    if not keys:
        fresh.unread.append((of, answer))
        fresh.faults.append(f"{first}: {why or 'the list is empty, or its rules no longer fit'}")
    return keys, answers


def _keys(examiner: Examiner, answer: Answer, of: str) -> tuple[list[str], str]:
    """Keys, and why there are none."""
    if not answer.good:
        return [], answer.why
    try:
        return examiner.keys(answer, of), ""
    except (Refused, NotJson) as error:
        return [], str(error)


def _in_turn(named: Sequence[Sequence[str]], number: int) -> list[str]:
    """Keys of all lists, the first of each before the second of any; each once."""
    longest = max(map(len, named), default=0)
    mixed = (keys[place] for place in range(longest) for keys in named if place < len(keys))
    return list(dict.fromkeys(mixed))[:number]


def address_of(source: Source, key: str, hints: Mapping[str, str]) -> str:
    """What a crawl would ask for; empty where none can be made."""
    try:
        return article_address(source, key, hints)
    except ValueError:
        return ""


def _examined(examiner: Examiner, answer: Answer) -> FreshArticle:
    if not answer.good:
        return FreshArticle(answer, None, f"{answer.asked}: {answer.why}")
    try:
        article = examiner.article(answer)
    except (Refused, NotJson) as error:
        return FreshArticle(answer, None, f"{answer.asked}: {error}")
    source = examiner.source
    if len(article.plain) < source.expect.characters:
        return FreshArticle(answer, None, f"{answer.asked}: {len(article.plain)} characters are under the floor")
    return FreshArticle(answer, told(article, answer.url), doubt=_doubt(article, answer, source))


def _doubt(article: Article, answer: Answer, source: Source) -> str:
    """How far the body that a rule gives is from what the generic extractor reads; empty where it is not."""
    if not source.is_ruled or source.article.format != "html":
        return ""
    from crawler.extract import extract

    lines = [line for line in extract(answer.page(source.article.encoding)).text.split("\n") if line]
    there = "".join(article.plain.split())
    size = sum(map(len, lines))
    common = sum(len(line) for line in lines if "".join(line.split()) in there)
    if size and common < size * _HALF:
        return f"the rule gives {len(article.plain)} characters, the generic extractor {size} others"
    return ""
