"""From what a list said and what a page gives to an Article; pure, so that the same capture always gives the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from crawler.extract.attribution import credit_by_rule, tidy
from crawler.extract.dates import parse
from crawler.extract.layout import Fields, Layout, choose, run
from crawler.extract.page import NotJson, Page
from crawler.extract.rules import NoFit, Rule
from crawler.gate import class_of
from crawler.items import Article, Attribution, Reading, Refused
from crawler.listed import is_listed, layout_of, read_again
from crawler.rulemodel import RuleModel
from crawler.sources import Layout as LayoutModel
from crawler.sources import Source

if TYPE_CHECKING:
    from crawler.extract.article import Extracted
    from crawler.memory import Remembers

_FIELDS = ("title", "published", "modified", "attribution", "byline", "editor", "digest", "section", "canonical")
_FILLED = ("title", "published", "digest", "section")
"""Fields of the page that a list's words fill where they are missing."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What the generic extractor is told beyond the page."""

    memory: Remembers | None = None
    """Of what other pages of the source hold."""
    agencies: Collection[str] = ()
    """Names that count as news agencies."""


@dataclass(slots=True)
class Given:
    """What a page gives, by the rules of a layout first and the generic extractor second."""

    layout: Layout
    fields: Fields
    published: datetime | None = None
    modified: datetime | None = None
    attribution: Attribution | None = None
    reading: Reading | None = None


class Assembler:
    """Makes articles of one source; its rules are compiled once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.beyond = Beyond()
        """Set by whoever knows more."""
        bare = "css" if source.article.format == "html" else "jmespath"
        self._layouts = [_compiled(layout, bare) for layout in source.layouts]

    def article(self, page: Page, key: str, hints: Mapping[str, str], seen_at: datetime) -> tuple[Article, str]:
        """The article of a page, and the address that the page itself claims.

        ``hints`` is what the list said; ``seen_at``, the capture's time, bounds dates of publication. Raises Refused.
        """
        page = read_again(page) if is_listed(page) else page
        listed = self._date(hints.get("published", ""), seen_at, ())
        given = self._given(page, key, hints, seen_at, listed)
        fields = given.fields
        said = {name: getattr(fields, name) or hints.get(name, "") for name in _FILLED}
        published = given.published or self._date(said["published"], seen_at, given.layout.date_formats) or listed
        self._demand(fields, said, published)
        return Article(
            source=self.source.id,
            space=self.source.space,
            key=key,
            url=page.url,
            title=said["title"],
            body=fields.body,
            published=published,
            published_raw=said["published"],
            modified=given.modified or self._date(fields.modified, seen_at, given.layout.date_formats),
            attribution=given.attribution or _attribution(fields.attribution, hints.get("outlet", "")),
            byline=fields.byline or tuple(filter(None, hints.get("byline", "").split("\n"))),
            editor=fields.editor,
            digest=said["digest"],
            section=said["section"],
            language=self.source.language,
            disagreements=self._disagreements(fields, hints, published, listed),
            reading=given.reading,
        ), fields.canonical

    def _given(
        self, page: Page, key: str, hints: Mapping[str, str], seen_at: datetime, listed: datetime | None
    ) -> Given:
        """What the rules give, and what they leave to the generic extractor."""
        given = Given(*self._extract(page, listed))
        rules, fields = given.layout.rules, given.fields
        if "body" in rules:
            missing = [name for name in ("title", "published") if name not in rules and not hints.get(name)]
            if not missing or self.source.article.format != "html":
                return given
        else:
            missing = ["title", "published", "modified", "attribution", "byline"]
        from crawler.generic import Reader  # the model takes its time, and a source with rules need not wait for it

        reader, title = Reader(self.source, self.beyond), hints.get("title", "")
        if "body" in rules:
            found = reader.plain(page, title, seen_at)()
        else:
            found, given.reading = reader.article(page, key, title, seen_at)
            fields.body = _without(found.body, given.layout.drop)
        self._fill(given, found, [name for name in missing if not getattr(fields, name)], listed)
        return given

    def _fill(self, given: Given, found: Extracted, missing: Sequence[str], listed: datetime | None) -> None:
        """Give the fields that the rules left empty."""
        fields = given.fields
        if "title" in missing:
            fields.title = found.title
        if "published" in missing and found.published is not None:
            when = _zoned(found.published.when, self.source)
            # a list often knows the minute of what a page only knows the day
            if found.published.timed or listed is None or listed.astimezone(self.source.zone).date() != when.date():
                given.published, fields.published = when, _raw(found, "published")
        if "modified" in missing and found.modified is not None:
            given.modified = _zoned(found.modified.when, self.source)
        if "attribution" in missing and (credit := found.attribution) is not None:
            given.attribution = Attribution(credit.raw, tidy(credit.raw), credit.rule)
            fields.attribution = credit.raw
        if "byline" in missing:
            fields.byline = found.authors

    def _extract(self, page: Page, listed: datetime | None) -> tuple[Layout, Fields]:
        """What the first layout that finds a body gives; the list's day says which layouts hold, else the page's."""
        day = listed.astimezone(self.source.zone).date() if listed else self._day_of(page)
        misses: list[str] = []
        layouts = choose(self._layouts, day)
        if is_listed(page):
            layouts = [layout_of(next(iter(layouts), None))]
        for layout in layouts:
            try:
                given = run(page, layout)
            except NotJson as error:
                raise Refused(str(error)) from error
            if given.body.strip() or "body" not in layout.rules:
                return layout, given
            named = [miss for miss in given.misses if miss.startswith("body:")]
            misses += named or [*given.misses, "body: empty"]
        raise Refused("; ".join(dict.fromkeys(misses)) or "no layout holds for its day")

    def _day_of(self, page: Page) -> date | None:
        """The day that a page itself tells, where that says which layout holds: what the rule of a layout finds that
        holds on it counts before what any other finds. None where none finds any."""
        several = any(layout.until is not None for layout in self._layouts)
        told: list[date] = []
        for layout in choose(self._layouts, None) if several else ():
            try:
                printed = layout.rules["published"].text(page) if "published" in layout.rules else ""
            except (NoFit, NotJson):
                continue
            if (found := parse(printed, self.source.zone, formats=layout.date_formats)) is None:
                continue
            day = found.astimezone(self.source.zone).date()
            if choose(self._layouts, day)[0:1] == [layout]:
                return day
            told.append(day)
        return next(iter(told), None)

    def _date(self, text: str, seen_at: datetime, formats: Sequence[str]) -> datetime | None:
        return parse(text, self.source.zone, formats=formats, not_after=seen_at) if text else None

    def _demand(self, given: Fields, said: Mapping[str, str], published: datetime | None) -> None:
        lacking = [name for name in ("title", "published") if not (said[name] if name == "title" else published)]
        if not lacking:
            return
        reasons = [miss for miss in given.misses if miss.partition(":")[0] in lacking]
        if "published" in lacking and said["published"]:
            reasons.append(f"published: {said['published']!r} is no date that can be")
        raise Refused("; ".join(reasons) or f"no {' and no '.join(lacking)}")

    def _disagreements(
        self, given: Fields, hints: Mapping[str, str], published: datetime | None, listed: datetime | None
    ) -> dict[str, tuple[str, str]]:
        """Where list and page say different things; the page counts."""
        differ = {}
        if given.title and hints.get("title") and given.title != hints["title"]:
            differ["title"] = (hints["title"], given.title)
        if given.published and listed and published and _minute(listed) != _minute(published):
            differ["published"] = (hints["published"], given.published)
        said = _attribution("", hints.get("outlet", ""))
        if given.attribution and said and (found := _attribution(given.attribution, "")) and found.name != said.name:
            differ["attribution"] = (said.raw, found.raw)
        return differ


def with_offer(reason: str, page: Page, source: Source) -> str:
    """Why a source's rules gave no article, with what the generic extractor would have found on the page."""
    if source.article.format != "html" or not source.is_ruled or class_of(reason) != "layout changed":
        return reason
    from crawler.generic import offer

    return "; ".join(filter(None, (reason, offer(page))))


def _zoned(moment: datetime, source: Source) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=source.zone)


def _raw(found: Extracted, name: str) -> str:
    """As the page prints it."""
    taken = found.evidence[name].taken
    return (taken.raw or str(taken.value)) if taken else ""


def _without(html: str, texts: Sequence[str]) -> str:
    for text in texts:
        html = html.replace(text, "")
    return html


def _minute(moment: datetime) -> int:
    """Lists often leave out the seconds."""
    return int(moment.timestamp()) // 60


def _compiled(layout: LayoutModel, bare: str) -> Layout:
    named = {name: getattr(layout, name) for name in (*_FIELDS, "body")}
    rules = {name: rule.compiled(bare) for name, rule in named.items() if isinstance(rule, RuleModel)}
    strip: list[Rule] = [RuleModel([selector]).compiled("css") for selector in layout.strip]
    return Layout(rules, strip, layout.drop, layout.until, layout.date_formats)


def _attribution(printed: str, listed: str) -> Attribution | None:
    """The outlet that the page's rule found, with or without its label, else the one that the list names."""
    if printed and (credit := credit_by_rule(printed)):
        return Attribution(credit.raw, tidy(credit.raw), credit.rule)
    if listed and (credit := credit_by_rule(listed)):
        return Attribution(credit.raw, tidy(credit.raw), "list")
    return None
