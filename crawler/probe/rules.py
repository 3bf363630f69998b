"""Rules for the fields of an article: ways to each value, scored by how many pages they give the agreed one on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crawler.extract.article import Extracted
from crawler.extract.attribution import credit_by_rule, credit_in_body, tidy
from crawler.extract.dates import parse
from crawler.extract.page import Page
from crawler.extract.published import Moment
from crawler.extract.rules import NoFit, Rule, as_text
from crawler.extract.text import SILENT
from crawler.gate import normal
from crawler.probe.paths import selectors
from crawler.rulemodel import RuleModel

Written = str | dict[str, Any]
"""A rule as it stands in the YAML."""
_FIRST = 4
"""Pages on which candidates are looked for; all are asked for their opinion."""
_LEAST = 3
"""Pages that must have a value, where so many were looked at."""
_SMALL = 12
"""Descendants of an element that may be a field."""
_SHARE = 0.9
"""Pages that must agree with a rule; on the others it must at least give something."""
_LONGEST = (300, 80)
"""Characters of an element's text, and of one with a date."""
_LABEL = 12
"""Characters of a label before a name."""
_JSONLD = "script[type='application/ld+json']::text"
_METAS = {
    "title": ("og:title", "twitter:title"),
    "published": ("article:published_time", "og:article:published_time", "datePublished", "pubdate", "publishdate",
                  "dc.date", "DC.date.issued", "parsely-pub-date", "sailthru.date", "weibo:article:create_at"),
    "modified": ("article:modified_time", "og:updated_time", "dateModified", "lastmod"),
    "attribution": ("mediaid", "source", "article:source", "og:article:source"),
    "byline": ("author", "article:author", "parsely-author", "sailthru.author", "byl"),
    "section": ("article:section", "parsely-section"),
}  # fmt: skip
_TEXT = r'\s*:\s*"((?:[^"\\]|\\.)+)"'
_STRUCTURED = {
    "published": f'"datePublished"{_TEXT}',
    "modified": f'"dateModified"{_TEXT}',
    "byline": rf'"author"\s*:\s*\[?\s*\{{[^{{}}]*?"name"{_TEXT}',
}
"""In JSON-LD, as text: patterns of what is wanted. No headlines: in text as JSON writes it quotes are escaped."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An article page that was looked at."""

    page: Page
    found: Extracted
    """What the generic extractor reads on it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule and how it fares."""

    rule: Written
    fits: int
    """Pages on which it gives the agreed value."""
    of: int
    """Pages that have one."""

    @property
    def stands(self) -> bool:
        """Whether it is good enough to be written."""
        return self.of > 0 and self.fits >= self.of * _SHARE


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the candidates for one field."""

    candidates: int
    best: Proposal | None
    """Of those that fit anywhere; it may be too bad to be written."""


class Fields:
    """Finds rules for the fields of a site's articles."""

    def __init__(
        self, samples: Sequence[Sample], zone: ZoneInfo, date_formats: Sequence[str] = (), least: int = _LEAST
    ) -> None:
        """``least``: pages that must have a value, where so many were looked at."""
        self._samples, self._zone, self._formats, self._least = samples, zone, date_formats, least
        self.tried: dict[str, Tried] = {}
        """What was tried for each field that was looked for."""

    def title(self) -> Proposal | None:
        """The headline: an element that shows it first."""
        return self._best("title", [normal(one.found.title) for one in self._samples], normal, strict=True)

    def published(self) -> Proposal | None:
        """When it was published: what is said to machines first."""
        due = [_minute(one.found.published, self._zone) for one in self._samples]
        return self._best("published", due, self._read_date, machines=True)

    def modified(self) -> Proposal | None:
        """When it was changed, by what is said to machines alone."""
        due = [_minute(one.found.modified, self._zone) for one in self._samples]
        if sum(map(bool, due)) * 2 < len(due):
            return None
        return self._best("modified", due, self._read_date, shown=False)

    def attribution(self) -> Proposal | None:
        """The credited outlet, with or without its label; labelled ones also where the generic extractor is not
        sure, unless all pages have the same."""
        credited = [_credited(one.found) or _labelled(one.page) for one in self._samples]
        if len(set(credited)) == 1 and not any(one.found.attribution for one in self._samples):
            return None
        return self._best("attribution", credited, _read_credit, strict=True)

    def byline(self) -> Proposal | None:
        """Who signs it, by name and nothing else."""
        due = ["\n".join(map(normal, one.found.authors)) for one in self._samples]
        return self._best("byline", due, normal, several=True, strict=True)

    def section(self) -> Proposal | None:
        """What machines are told; there is nothing to compare it with, so it must stand on every page."""
        for name in _METAS["section"]:
            rule = _meta(name)
            said = [_text(_compiled(rule), one.page) for one in self._samples]
            if said and all(said):
                return Proposal(rule, len(said), len(said))
        return None

    def credits_in_body(self) -> bool:
        """Whether the texts themselves credit all outlets that the pages credit."""
        return all(
            (credit := credit_in_body(one.found.text.split("\n"))) is not None and normal(tidy(credit.raw)) == due
            for one in self._samples
            if (due := _credited(one.found))
        )

    def _best(
        self,
        field: str,
        due: Sequence[str],
        read: Callable[[str], str],
        *,
        machines: bool = False,
        shown: bool = True,
        several: bool = False,
        strict: bool = False,
    ) -> Proposal | None:
        """The candidate that gives the agreed value, ``due``, on most pages; of equals the first.

        ``machines``: what is said to them comes first; ``shown``: elements count at all; ``several``: a rule may give
        several texts; ``strict``: it must give nothing where nothing is agreed.
        """
        if not any(due):
            return None
        stated, seen = list(self._stated(field)), list(self._shown(field, due, read)) if shown else []
        best: Proposal | None = None
        candidates = dict.fromkeys(map(_frozen, (*stated, *seen) if machines else (*seen, *stated)))
        for rule in candidates:
            fits = self._fits(_thawed(rule), due, read, several, strict)
            if best is None or fits > best.fits:
                best = Proposal(_thawed(rule), fits, sum(map(bool, due)))
        self.tried[field] = Tried(len(candidates), best if best and best.fits else None)
        return best if best is not None and best.stands and best.of >= min(len(due), self._least) else None

    def _fits(self, rule: Written, due: Sequence[str], read: Callable[[str], str], several: bool, strict: bool) -> int:
        """Pages on which a rule gives what is due; none, if it gives something where nothing is, or the reverse."""
        compiled, fits, wrong, missed = _compiled(rule), 0, 0, 0
        for one, value in zip(self._samples, due, strict=True):
            if several:
                given = "\n".join(read(text) for text in dict.fromkeys(compiled.texts(one.page)))
            else:
                said = _text(compiled, one.page)
                given = read(said) if said else ""
            fits += bool(value) and given == value
            wrong += (bool(given) and not value and strict) or (bool(value) and not given)
            missed += bool(value) and given != value
            if max(wrong, missed) > len(due) * (1 - _SHARE):
                return 0
        return fits

    def _stated(self, field: str) -> Iterator[Written]:
        """What is said to machines."""
        for name in _METAS.get(field, ()):
            yield _meta(name)
        if field in _STRUCTURED:
            yield {"css": _JSONLD, "regex": _STRUCTURED[field], "first": True}

    def _shown(self, field: str, due: Sequence[str], read: Callable[[str], str]) -> Iterator[Written]:
        """Elements that show the value on the first pages that have one, the shortest texts first."""
        pairs = [(one, value) for one, value in zip(self._samples, due, strict=True) if value][:_FIRST]
        found: list[tuple[int, Sequence[Written]]] = []
        for sample, value in pairs:
            for element in _small_elements(sample.page):
                shown = as_text(element)
                if not shown or len(shown) > _LONGEST[field == "published"]:
                    continue
                if field == "published" and (stated := element.get("datetime")) and read(stated) == value:
                    found.append((0, [f"{one}::attr(datetime)" for one in selectors(element)]))
                if read(shown) == value or (field == "byline" and read(shown) in value.split("\n")):
                    found.append((len(shown), selectors(element)))
                elif field == "byline" and (label := _label_of(shown, sample.found.authors)):
                    names: list[Written] = [{"css": one, "regex": label} for one in selectors(element)]
                    found.append((len(shown), names))
        yield from (name for _, names in sorted(found, key=lambda one: one[0]) for name in names)

    def _read_date(self, text: str) -> str:
        """To the minute, or the day where no time is said."""
        moment = parse(text, self._zone, formats=self._formats)
        return _stamp(moment) if moment else ""


def _label_of(shown: str, authors: Sequence[str]) -> str:
    """The pattern of a name behind a label such as ``By``; empty where a line is no such thing."""
    for name in authors:
        label, found, behind = shown.partition(name)
        if found and not behind and 0 < len(label.strip()) <= _LABEL:
            return rf"^{re.escape(label.strip())}\s*(.+)".replace(r"\ ", " ")
    return ""


def _labelled(page: Page) -> str:
    """The outlet behind the first label on a page."""
    for element in _small_elements(page):
        shown = as_text(element)
        if 0 < len(shown) < _LONGEST[1] and (credit := credit_by_rule(shown)) and credit.rule.startswith("label:"):
            return normal(tidy(credit.raw))
    return ""


def _small_elements(page: Page) -> Iterator[Any]:
    for element in page.root.iter("*"):
        if element.tag in SILENT or element.tag in ("html", "body", "option", "a"):
            continue
        if sum(1 for _ in zip(element.iterdescendants(), range(_SMALL + 1), strict=False)) <= _SMALL:
            yield element


def _minute(moment: Moment | None, zone: ZoneInfo) -> str:
    if moment is None:
        return ""
    return _stamp(moment.when if moment.when.tzinfo else moment.when.replace(tzinfo=zone))


def _stamp(moment: datetime) -> str:
    return str(int(moment.timestamp()) // 60)


def _credited(one: Extracted) -> str:
    return normal(tidy(one.attribution.raw)) if one.attribution else ""


def _read_credit(text: str) -> str:
    credit = credit_by_rule(text) if len(text) < 120 else None
    return normal(tidy(credit.raw)) if credit else ""


def _meta(name: str) -> str:
    kind = "property" if ":" in name and not name.startswith(("twitter:", "weibo:")) else "name"
    return f'meta[{kind}="{name}"]::attr(content)'


def _compiled(rule: Written) -> Rule:
    return RuleModel.read(rule).compiled("css")


def _text(rule: Rule, page: Page) -> str:
    try:
        return rule.text(page)
    except NoFit:
        return ""


def _frozen(rule: Written) -> str | tuple[tuple[str, Any], ...]:
    return rule if isinstance(rule, str) else tuple(rule.items())


def _thawed(rule: str | tuple[tuple[str, Any], ...]) -> Written:
    return rule if isinstance(rule, str) else dict(rule)
