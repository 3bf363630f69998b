"""Field by field: whether a rule still gives what is known, and where else on the pages that now stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crawler.extract.article import extract
from crawler.extract.attribution import credit_by_rule, tidy
from crawler.extract.credits import Credit
from crawler.extract.dates import Moment, parse
from crawler.extract.layout import Layout, run
from crawler.extract.page import Page
from crawler.extract.rules import NoFit
from crawler.extract.text import SILENT, plain
from crawler.fetch import Answer
from crawler.gate import normal
from crawler.items import Article
from crawler.probe.body import Bodies, without_captions
from crawler.probe.rules import Fields, Sample, Tried, Written
from crawler.repair.known import Known, alike, covered, grams
from crawler.rulemodel import RuleModel
from crawler.sources import Layout as LayoutModel
from crawler.sources import Source

KNOWN = ("title", "body", "published", "attribution", "byline")
"""Fields of which an archive knows the value."""
UNKNOWN = ("modified", "editor", "digest", "section", "canonical")
"""Fields of which only can be said whether a rule gives anything."""
ALIKE = 0.8
"""Resemblance from which two texts are one."""
_MOST_OF = 0.98
CERTAIN = 2
"""Pages whose value is known, from which a rule for it is believed: what was kept is no guess."""
_FEW = 4
"""Pages of which none may be left aside."""
_DAYS, _TIMES = ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"), (" %H:%M", " %H:%M:%S", ", %H:%M", "")
_OPEN = tuple(day + time for time in _TIMES for day in _DAYS)
"""Dates whose order of day and month is open, unless articles are known."""
_NUMERIC = re.compile(r"\b\d{1,2}[/-]\d{1,2}[/-]\d{4}\b")


@dataclass(frozen=True, slots=True)
class Pair:
    """An article that is known, and its page of today."""

    known: Known
    answer: Answer
    page: Page


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search for one field came to."""

    rule: Written | None
    fits: int = 0
    of: int = 0
    strip: tuple[str, ...] = ()
    """Of a body."""
    formats: tuple[str, ...] = ()
    """Of dates."""
    tried: str = ""
    """In words."""
    gone: bool = False
    """Whether what is known stands nowhere on most pages: then no rule is due."""


class Judge:
    """Compares values with what is known."""

    def __init__(self, source: Source) -> None:
        self._zone = source.zone
        self._encoding = source.article.encoding

    def article(self, known: Known, article: Article | None, credited: str) -> dict[str, bool | None]:
        """Field -> whether an article has what is known; None where nothing is known. ``credited``: its outlet."""
        if article is None:
            return {name: (False if self._is_known(known, name) else None) for name in KNOWN}
        given = {
            "title": normal(article.title) == normal(known.title),
            "body": alike(plain(without_captions(article.body)), known.text) >= ALIKE,
            "published": article.published is not None and _minute(article.published) == _minute(known.published),
            "attribution": normal(credited) == normal(tidy(known.attribution)),
            "byline": tuple(map(normal, article.byline)) == tuple(map(normal, known.byline)),
        }
        return {name: (right if self._is_known(known, name) else None) for name, right in given.items()}

    def rule(self, name: str, layout: LayoutModel, known: Known, page: Page) -> bool | None:
        """Whether a layout's rule for a field gives what is known; None where nothing is known."""
        model = getattr(layout, name)
        if model is None or not self._is_known(known, name):
            return None
        rule = model.compiled("css")
        try:
            if name == "body":
                strip = [RuleModel([one]).compiled("css") for one in layout.strip]
                html = run(page, Layout({"body": rule}, strip, layout.drop)).body
                return alike(plain(without_captions(html)), known.text) >= ALIKE
            if name == "byline":
                return tuple(map(normal, dict.fromkeys(rule.texts(page)))) == tuple(map(normal, known.byline))
            return self._says(name, rule.text(page), known, layout)
        except NoFit:
            return False

    def _says(self, name: str, text: str, known: Known, layout: LayoutModel) -> bool:
        if name == "title":
            return normal(text) == normal(known.title)
        if name == "published":
            found = parse(text, self._zone, formats=layout.date_formats)
            return found is not None and _minute(found) == _minute(known.published)
        credit = credit_by_rule(text)
        return credit is not None and normal(tidy(credit.raw)) == normal(tidy(known.attribution))

    @staticmethod
    def _is_known(known: Known, name: str) -> bool:
        return bool(getattr(known, {"body": "text"}.get(name, name)))


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


class Seeker:
    """Finds rules for what is known on pages of today; the candidates are those of a probe."""

    def __init__(self, source: Source, pairs: Sequence[Pair]) -> None:
        """``pairs``: pages whose article is the one that is known."""
        self._samples = [_sample(one) for one in pairs]
        self._pairs = pairs
        self._zone = source.zone

    def seek(self, name: str) -> Sought:
        """A rule for a field, and how it fares."""
        if name == "body":
            return self._body()
        return self._date(name) if name in ("published", "modified") else self._field(name)

    def _date(self, name: str) -> Sought:
        """Where dates are all numbers, what is known says which is the day."""
        found = self._field(name)
        if found.rule is not None and not any(map(_NUMERIC.search, self._texts(found.rule))):
            return found
        for form in _OPEN:
            formatted = self._field(name, (form,))
            if formatted.rule is not None and formatted.fits >= found.fits:
                return replace(formatted, formats=(form,))
        return found

    def _texts(self, rule: Written) -> list[str]:
        compiled = RuleModel.read(rule).compiled("css")
        return [text for one in self._pairs for text in compiled.texts(one.page)]

    def _field(self, name: str, formats: Sequence[str] = ()) -> Sought:
        samples = [one for one in self._samples if name != "byline" or one.found.authors]  # none known is not none
        fields = Fields(samples, self._zone, formats, CERTAIN)
        search: Callable[[], Any] | None = getattr(fields, name, None)
        if search is None or len(samples) < min(CERTAIN, len(self._samples)):
            return Sought(None, tried=f"{name}: nothing is known of it that could be looked for")
        found = search()
        tried = fields.tried.get(name, Tried(0, None))
        told = f"{name}: {tried.candidates} ways to it were tried"
        if found is not None:
            return Sought(found.rule, found.fits, found.of, tried=told)
        if tried.best:
            told += (
                f"; the best, {tried.best.rule!r}, gives what is known on {tried.best.fits} of {tried.best.of} pages"
            )
        return Sought(None, tried=told, gone=self._is_gone(name))

    def _body(self) -> Sought:
        """On all pages, or on all but one, which may be of another kind."""
        tried, found = 0, None
        for samples in (self._samples, *self._all_but_one()):
            bodies = Bodies(samples)
            found = bodies.rule()
            tried += bodies.tried
            if found is not None:
                break
        told = f"body: {tried} elements around the known text were tried"
        if found is None:
            return Sought(None, tried=f"{told}; none holds it, and little else, on every page")
        return Sought(found.body, found.fits, found.of, found.strip, tried=told)

    def _all_but_one(self) -> Iterator[list[Sample]]:
        if len(self._samples) > _FEW:
            for place in range(len(self._samples)):
                yield [*self._samples[:place], *self._samples[place + 1 :]]

    def _is_gone(self, name: str) -> bool:
        """Whether most pages do not have it: not at all, or only as most pages of other articles have it too, as where
        a menu names the outlets. Headlines, bodies and dates never are: they may be written in another way."""
        texts = [(normal(plain(one.page.root)), _values(one.known, name)) for one in self._pairs]
        told = [(text, value) for text, values in texts for value in values]
        there = 0
        for text, value in told:
            others = [value in other for other, values in texts if value not in values]
            there += value in text and sum(others) * 2 <= len(others)
        return there * 2 < len(told)


def _values(known: Known, name: str) -> tuple[str, ...]:
    """As they would stand in a page's text."""
    values = {"attribution": (tidy(known.attribution),), "byline": known.byline}.get(name, ())
    return tuple(filter(None, map(normal, values)))


def _sample(pair: Pair) -> Sample:
    """A page with what is known in the place of what a generic reading would agree on."""
    known, page = pair.known, pair.page
    found = replace(
        extract(page, not_after=pair.answer.moment),
        title=known.title,
        text=standing(page, known.text),
        published=Moment(known.published, True),
        authors=known.byline,
        attribution=Credit(known.attribution, "known") if known.attribution else None,
    )
    return Sample(page, found)


def standing(page: Page, text: str) -> str:
    """A known text as it stands on a page, a block a line: the lines of the smallest element that holds it, without
    what is not of it. Empty where the page has another text."""
    due, node = grams(text), page.root
    there = len(grams(plain(node)) & due)
    if there < len(due) * ALIKE:
        return ""
    while (inner := _holder(node, due, there * _MOST_OF)) is not None:
        node = inner
    return "\n".join(covered((line for line in plain(node).split("\n") if line.strip()), due))


def _holder(node: Any, due: frozenset[str], least: float) -> Any:
    """The child with nearly all of it."""
    for child in node:
        if isinstance(child.tag, str) and child.tag not in SILENT and len(grams(plain(child)) & due) >= least:
            return child
    return None
