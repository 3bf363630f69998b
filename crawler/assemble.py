"""From what a list said and what a page gives to an Article; pure, so that the same capture always gives the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from crawler.extract.attribution import credit_by_rule, tidy
from crawler.extract.dates import parse
from crawler.extract.layout import Fields, Layout, choose, run
from crawler.extract.page import NotJson, Page
from crawler.extract.rules import Rule
from crawler.items import Article, Attribution, Refused
from crawler.sources import Layout as LayoutModel
from crawler.sources import RuleModel, Source

_FIELDS = ("title", "published", "modified", "attribution", "byline", "editor", "digest", "section", "canonical")
_FILLED = ("title", "published", "digest", "section")
"""Fields of the page that a list's words fill where they are missing."""


class Assembler:
    """Makes articles of one source; its rules are compiled once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        bare = "css" if source.article.format == "html" else "jmespath"
        self._layouts = [_compiled(layout, bare) for layout in source.layouts]

    def article(self, page: Page, key: str, hints: Mapping[str, str], seen_at: datetime) -> tuple[Article, str]:
        """The article of a page, and the address that the page itself claims.

        ``hints`` is what the list said; ``seen_at``, the capture's time, bounds dates of publication. Raises Refused.
        """
        listed = self._date(hints.get("published", ""), seen_at, ())
        layout, given = self._extract(page, listed)
        said = {name: getattr(given, name) or hints.get(name, "") for name in _FILLED}
        published = self._date(said["published"], seen_at, layout.date_formats) or listed
        self._demand(given, said, published)
        return Article(
            source=self.source.id,
            space=self.source.space,
            key=key,
            url=page.url,
            title=said["title"],
            body=given.body,
            published=published,
            published_raw=said["published"],
            modified=self._date(given.modified, seen_at, layout.date_formats),
            attribution=_attribution(given.attribution, hints.get("outlet", "")),
            byline=given.byline or ((hints["byline"],) if hints.get("byline") else ()),
            editor=given.editor,
            digest=said["digest"],
            section=said["section"],
            language=self.source.language,
            disagreements=self._disagreements(given, hints, published, listed),
        ), given.canonical

    def _extract(self, page: Page, listed: datetime | None) -> tuple[Layout, Fields]:
        """What the first layout that finds a body gives; the list's day says which layouts hold."""
        day = listed.astimezone(self.source.zone).date() if listed else None
        misses: list[str] = []
        for layout in choose(self._layouts, day):
            try:
                given = run(page, layout)
            except NotJson as error:
                raise Refused(str(error)) from error
            if given.body.strip():
                return layout, given
            named = [miss for miss in given.misses if miss.startswith("body:")]
            misses += named or [*given.misses, "body: empty"]
        raise Refused("; ".join(dict.fromkeys(misses)) or "no layout holds for its day")

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
