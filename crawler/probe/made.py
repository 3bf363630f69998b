"""From a survey to a source: its draft, the YAML, the fixtures, and what the source then makes of the pages."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from crawler.extract.facts import Facts
from crawler.fetch import Answer
from crawler.fixtures import Examiner, Expected, ExpectedArticle, record, told
from crawler.gate import normal
from crawler.items import Refused
from crawler.probe.body import Bodies
from crawler.probe.links import address
from crawler.probe.place import id_of, language_of, name_of, zone_of
from crawler.probe.rules import Fields, Sample
from crawler.probe.sheet import Draft, written
from crawler.probe.survey import Survey
from crawler.sources import load_source

_FEW = 5
"""Articles from which rules are worth something."""
_LARGEST = 1024 * 1024
"""Bytes of a page that is kept as a fixture."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the new source makes of one article page."""

    url: str
    article: ExpectedArticle | None
    why: str = ""
    """Why it makes nothing of it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A source that was written."""

    id: str
    path: Path
    text: str
    expected: Expected
    rows: list[Row]
    unsure: list[str]


def draft_of(
    survey: Survey, *, slug: Callable[[str], str], id: str = "", delay: float, day: date, replayed: bool = False
) -> Draft:
    """What the YAML is to say. ``slug`` makes an id of a name, where the address gives none."""
    found = [one.found for one in survey.samples]
    language = language_of(found, survey.language)
    zone = zone_of(survey.home, language.value, found, survey.dates)
    name = name_of(survey.home, found, survey.title)
    draft = Draft(
        survey=survey,
        id=id or id_of(survey.home, name, slug),
        name=name,
        language=language,
        zone=zone,
        example=survey.answers[0].url,
        delay=delay,
        day=day,
        replayed=replayed,
        encodings=tuple(sorted({one.page.encoding for one in survey.samples} - {"utf-8"})),
    )
    _find_rules(draft)
    draft.unsure = list(_doubts(draft))
    return draft


def _find_rules(draft: Draft) -> None:
    """Rules that stand on the pages; without one for a credited outlet the generic extractor reads the whole."""
    samples = draft.survey.samples
    fields = Fields(samples, ZoneInfo(draft.zone.value))
    for name in ("title", "published", "modified", "attribution", "byline", "section"):
        if (proposal := getattr(fields, name)()) is not None:
            draft.fields[name] = proposal
    body = Bodies(samples).rule()
    credited = any(one.found.attribution for one in samples)
    signed = sum(bool(one.found.authors) for one in samples) * 2 > len(samples)
    lost = (credited and "attribution" not in draft.fields and not fields.credits_in_body()) or (
        signed and "byline" not in draft.fields
    )
    draft.body = None if lost or len(samples) < 2 else body
    draft.canonical = bool(samples) and all(_is_own(one, draft.survey.keys) for one in samples)


def _is_own(sample: Sample, keys: list[str]) -> bool:
    """Whether a page's canonical address has the key of its own."""
    stated = [address(sample.page.url, one) for one in Facts(sample.page).canonical]
    return len(stated) == 1 and _key(stated[0], keys) == _key(sample.page.url, keys) != ""


def _key(url: str, keys: list[str]) -> str:
    return next((match[1] for one in keys if (match := re.search(one, url))), "")


def _doubts(draft: Draft) -> Iterator[str]:
    """What the probe is unsure of, each in a sentence."""
    survey = draft.survey
    yield from survey.unsure
    if not draft.language.sure:
        yield f"language: {draft.language.value} is a guess: {draft.language.why}"
    if not draft.zone.sure:
        yield f"timezone: {draft.zone.value} is a guess: {draft.zone.why}"
    if not survey.keys:
        yield "key: no part of the addresses tells each article; they are told by the whole address"
    if not any(one.way for one in survey.lists) and not any(one.articles for one in survey.sitemaps):
        yield "lists: neither next pages nor a sitemap were found; what is older than its lists is out of reach"
    if len(survey.samples) < _FEW:
        yield f"only {len(survey.samples)} articles could be read; rules found on so few may not hold"
    for name in ("title", "published"):
        if draft.body is not None and name not in draft.fields:
            yield f"{name}: no rule stands on every page; the generic extractor finds it"
    for name, one in draft.fields.items():
        if one.fits < one.of:
            yield f"{name}: its rule gives what was agreed on {one.fits} of {one.of} pages"
    for url, why in survey.failed[:_FEW]:
        yield f"{url}: {why}"


def made_of(draft: Draft, path: Path) -> Made:
    """Write the source to ``path`` (named after its id) and its fixtures beside it; what it then makes of the pages.

    Everything is made and checked aside; the YAML comes last. Raises SettingsError for a draft that is no source.
    """
    text = written(draft)
    with TemporaryDirectory() as folder:
        aside = Path(folder) / f"{draft.id}.yml"
        aside.write_text(text, "utf-8")
        source = load_source(aside)
        expected = record(source, aside.parent / "fixtures", _list_pages(draft.survey), draft.survey.answers)
        examiner = Examiner(source)
        rows = [_row(examiner, answer) for answer in draft.survey.answers]
        fixtures = path.parent / "fixtures"
        fixtures.mkdir(parents=True, exist_ok=True)
        for one in sorted((aside.parent / "fixtures").iterdir(), reverse=True):
            shutil.move(one, fixtures / one.name)
        shutil.move(aside, path)
    return Made(draft.id, path, text, expected, rows, list(draft.unsure))


def _list_pages(survey: Survey) -> Iterator[tuple[str, Answer]]:
    """The recorded list pages, each with the address in the source that led to it."""
    for offer in (*survey.feeds, *(one for one in survey.sitemaps if one.articles)):
        for answer in (offer.answer, *offer.parts):
            if offer.articles and len(answer.body) <= _LARGEST:
                yield offer.url, answer
    for one in survey.lists:
        yield one.url, one.answer
        if one.second is not None:
            yield one.url, one.second


def _row(examiner: Examiner, answer: Answer) -> Row:
    try:
        return Row(answer.url, told(examiner.article(answer), answer.url))
    except Refused as error:
        return Row(answer.url, None, str(error))


def disagreements(draft: Draft, made: Made) -> Iterator[str]:
    """Where the new source says something else than the generic extractor did."""
    by_url = {
        answer.url: sample.found for answer, sample in zip(draft.survey.answers, draft.survey.samples, strict=True)
    }
    for row in made.rows:
        found = by_url[row.url]
        if row.article is None:
            yield f"{row.url}: {row.why}"
        elif normal(row.article.title) != normal(found.title):
            yield f"{row.url}: title {row.article.title!r}, the generic extractor reads {found.title!r}"
