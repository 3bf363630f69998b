"""A source's YAML as a person would write it, with comments that say what was seen and what may be changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from crawler.probe.body import BodyRule
from crawler.probe.place import Guess
from crawler.probe.rules import Proposal
from crawler.probe.survey import ListPage, Offer, Survey

_WIDTH = 116
_DEPTH = 500
"""Pages of a list that a first crawl follows; a later one stops where all is known."""
FIELDS = ("title", "body", "published", "modified", "attribution", "byline", "section", "canonical", "strip")
"""In the order of the YAML."""


@dataclass(slots=True)
class Draft:
    """All that a source's YAML says."""

    survey: Survey
    id: str
    name: str
    language: Guess
    zone: Guess
    example: str
    delay: float
    day: date
    replayed: bool = False
    fields: dict[str, Proposal] = field(default_factory=dict)
    body: BodyRule | None = None
    canonical: bool = False
    encodings: tuple[str, ...] = ()
    """Of its pages, other than UTF-8."""
    unsure: list[str] = field(default_factory=list)


def written(draft: Draft) -> str:
    """The YAML."""
    survey = draft.survey
    lines = [
        "# yaml-language-server: $schema=source.schema.json",
        f"# Written by presskeep probe from {survey.url}: {len(survey.samples)} articles were read,",
        f"# {survey.known} addresses of articles were seen. Check it: presskeep check {draft.id}",
        *([f"# Its pages are in {', '.join(draft.encodings)}; no rule is needed for that."] if draft.encodings else []),
        f"id: {scalar(draft.id)}",
        f"name: {scalar(draft.name)}",
        f"home: {scalar(survey.home)}",
        f"language: {scalar(draft.language.value)}{_doubt(draft.language)}",
        f"timezone: {scalar(draft.zone.value)}{_doubt(draft.zone)}",
        f"example: {scalar(draft.example)}",
        f"politeness: {flow({'delay': draft.delay})}  # seconds between two requests",
        "lists:",
        *_lists(survey),
        *_key(survey),
        *_layout(draft),
        *_post(survey),
        *_verified(draft),
        *_notes(draft.unsure),
    ]
    return "\n".join(lines) + "\n"


def scalar(value: Any) -> str:
    """A value as YAML has it in one line, quoted where it must be."""
    text = yaml.safe_dump(value, allow_unicode=True, width=1_000_000, default_flow_style=True, sort_keys=False)
    return str(text).removesuffix("\n").removesuffix("\n...").replace("\n", " ")


flow = scalar


def _doubt(guess: Guess) -> str:
    return f"  # {'' if guess.sure else 'a guess: '}{guess.why}"


def _lists(survey: Survey) -> Iterator[str]:
    for feed in survey.feeds:
        yield from _feed(feed, survey.pattern)
    for sitemap in survey.sitemaps:
        if sitemap.articles:
            yield from _sitemap(sitemap, survey.pattern)
    for pages in _grouped(survey.lists):
        yield from _html(pages, survey.pattern)


def _feed(feed: Offer, pattern: str) -> Iterator[str]:
    if feed.articles:
        yield f"  # the newest: {feed.articles} articles"
        yield "  - kind: feed"
        yield f"    urls: {scalar(feed.url)}"
        if feed.articles < feed.all:
            yield f"    links: {scalar(pattern)}"


def _sitemap(sitemap: Offer, pattern: str) -> Iterator[str]:
    parts = f" in those {len(sitemap.parts)} of its parts that were looked at" if len(sitemap.parts) > 1 else ""
    yield f"  # the past: {sitemap.articles} articles{parts}. To restrict it, say how far back: since: 3d"
    yield "  - kind: sitemap"
    yield f"    urls: {scalar(sitemap.url)}"
    if sitemap.articles < sitemap.all:
        yield f"    links: {scalar(pattern)}"
    yield '    since: ""'


def _grouped(lists: Sequence[ListPage]) -> list[list[ListPage]]:
    """Lists that one entry can describe: those that go on in the same way."""
    groups: dict[str, list[ListPage]] = {}
    for one in lists:
        groups.setdefault(str(one.way.settings) if one.way else "", []).append(one)
    return list(groups.values())


def _html(pages: Sequence[ListPage], pattern: str) -> Iterator[str]:
    way = pages[0].way
    yield f"  # {sum(one.articles for one in pages)} articles on {len(pages)} page{'s' * (len(pages) > 1)}" + (
        ", and older ones on the next. To restrict a first crawl, lower the depth" if way else ""
    )
    yield "  - kind: html"
    if len(pages) == 1:
        yield f"    urls: {scalar(pages[0].url)}"
    else:
        yield "    urls:"
        yield from (f"      - {scalar(one.url)}" for one in pages)
    yield f"    links: {scalar(pattern)}"
    if way:
        yield f"    pages: {flow({**way.settings, 'depth': _DEPTH})}"


def _key(survey: Survey) -> Iterator[str]:
    patterns = [*survey.keys, *([share_pattern(survey.shares)] if survey.shares and survey.keys else [])]
    if patterns:
        yield "key:"
        yield f"  patterns: {scalar(patterns[0] if len(patterns) == 1 else patterns)}  # the site's own id"


def share_pattern(template: str) -> str:
    """Where the key stands in a share link."""
    before, _, after = template.partition("{key}")
    name = before.rpartition("?")[2].rpartition("&")[2]
    if "?" in before and name.endswith("="):
        return f"[?&]{name}([^&#]+)"
    return f"/{before.rpartition('/')[2]}([^/?#]+){after[:1] if after[:1] == '/' else ''}"


def _layout(draft: Draft) -> Iterator[str]:
    rules: dict[str, tuple[Any, str]] = {
        name: (one.rule, f"{one.fits} of {one.of} pages") for name, one in draft.fields.items()
    }
    if draft.body:
        rules["body"] = draft.body.body, f"{draft.body.fits} of {draft.body.of} pages"
        if draft.body.strip:
            rules["strip"] = list(draft.body.strip), "what does not belong to it"
    else:
        yield "# no rule for the body: the generic extractor finds it, and every field without a rule"
    if draft.canonical:
        rules["canonical"] = "link[rel=canonical]::attr(href)", ""
    if not rules:
        return
    yield "layouts:"
    for number, name in enumerate(name for name in FIELDS if name in rules):
        value, why = rules[name]
        yield f"  {'-' if not number else ' '} {name}: {flow(value)}" + (f"  # {why}" if why else "")


def _post(survey: Survey) -> Iterator[str]:
    if survey.shares:
        yield "# Pages show a share link too. To print it below posts:"
        yield f"# post: {flow({'link': survey.shares})}"


def _verified(draft: Draft) -> Iterator[str]:
    how = "offline" if draft.replayed else "live"
    against = f"{len(draft.survey.samples)} articles of {draft.survey.home}"
    yield f"verified: {flow({'how': how, 'day': draft.day, 'against': against})}"


def _notes(unsure: Sequence[str]) -> Iterator[str]:
    if unsure:
        yield "notes:"
        yield from (f"  - {scalar(one)}" for one in unsure)
