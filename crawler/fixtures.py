"""Fixtures of a source: recorded pages beside its YAML, and what must come out of them, field by field.

``fixtures/<id>.warc.gz`` holds list pages and article pages as they were answered, ``fixtures/<id>.yml`` how many
articles each list page names and what each article says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from scrapy.utils.misc import load_object

from crawler import settings
from crawler.archive.captures import payload_digest, read_segment, record_bytes
from crawler.archive.markup import clean, text_of
from crawler.archive.posts import replace
from crawler.days import Days
from crawler.extract.attribution import credit_in_body, credit_in_digest, tidy
from crawler.extract.page import NotJson
from crawler.fetch import Answer, answer_of, captured
from crawler.items import Article, Refused
from crawler.sources import Source
from crawler.urls import key_of
from crawler.yamlfile import Strict, load_yaml, validate

EVER = Days(date(1970, 1, 1), date(2199, 12, 31))
"""The window by which recorded lists are read: nothing falls out of it as the fixtures grow old."""
_WORDS = 40
"""Characters of a body's beginning and end that are noted."""


class ExpectedList(Strict):
    """A list page."""

    url: str
    of: str
    """The address in the source's ``lists`` whose walk came to it; its own for a first page."""
    entries: int
    """Articles that it names."""


class ExpectedArticle(Strict):
    """An article page."""

    url: str
    """Address of the recorded page."""
    key: str
    title: str
    published: str
    """ISO 8601, with its offset."""
    attribution: str = ""
    """Name of the credited outlet."""
    byline: list[str] = []
    begin: str = ""
    """First words of the body's text."""
    end: str = ""
    characters: int
    """Of the body's text."""


class Expected(Strict):
    """What ``fixtures/<id>.yml`` says."""

    lists: list[ExpectedList] = []
    articles: list[ExpectedArticle] = []


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a recorded page no longer gives."""

    url: str
    field: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.url}: {self.field}: expected {self.expected!r}, found {self.found!r}"


class Examiner:
    """Reads pages of one source outside any run: each for itself, with what lists say of it."""

    def __init__(self, source: Source, *, own_python: bool = False) -> None:
        self.source = source
        self._ways: Any = load_object(settings.WAYS)(source, own_python=own_python)
        self._hints: dict[str, Mapping[str, str]] = {}

    @cached_property
    def _walks(self) -> dict[str, list[Any]]:
        """Address in the source -> walks of the lists that name it."""
        walks: dict[str, list[Any]] = {}
        for one in self.source.lists:
            walk = self._ways.walk(one, EVER)
            for address in one.addresses:
                walks.setdefault(address, []).append(walk)
        return walks

    def keys(self, answer: Answer, of: str) -> list[str]:
        """Keys that a list page names, each once; what it says of them is remembered. ``of``: as in ``ExpectedList``.

        Raises Refused where the source has no such list, or the page is none.
        """
        if not (walks := self._walks.get(of)):
            raise Refused(f"the source has no list {of}")
        faults, found = [], list[str]()
        for walk in walks:
            try:
                entries = walk.read(answer.page()).entries
            except ValueError as error:
                faults.append(f"no such list: {error}")
                continue
            for entry in entries:
                self._hints.setdefault(entry.key, entry.hints)
                found.append(entry.key)
        if faults and not found:
            raise Refused("; ".join(faults))
        return list(dict.fromkeys(found))

    def said(self, key: str) -> Mapping[str, str]:
        """What the lists that were read said of an article."""
        return self._hints.get(key, {})

    def further(self, answer: Answer, of: str) -> tuple[list[str], list[str]]:
        """What a first page leads to: addresses of next pages, and of further lists."""
        page, walks = answer.page(), self._walks.get(of, [])
        following = (walk.next(page, 1) for walk in walks)
        return [url for url in following if url], [url for walk in walks for url in walk.lists(page)]

    def article(self, answer: Answer, hints: Mapping[str, str] | None = None) -> Article:
        """The article of a page, its body clean. Raises Refused.

        ``hints``: what a list said of it; what the lists that were read said, if they are not given.
        """
        key = self.key_of(answer.url) or self.key_of(answer.asked)
        if not key:
            raise Refused("key: no pattern fits the address")
        said = self._hints.get(key, {}) if hints is None else hints
        page = answer.page(self.source.article.encoding)
        article, _ = self._ways.assembler.article(page, key, said, answer.moment)
        article.body = clean(article.body, self.source.post.keep.markup, answer.url)
        article.plain = "\n".join(line for line in text_of(article.body).split("\n") if line.strip())
        return article  # type: ignore[no-any-return]

    def key_of(self, url: str) -> str:
        """The key of an address; empty for none."""
        try:
            return key_of(url, self.source.key_patterns)
        except ValueError:
            return ""


def told(article: Article, url: str) -> ExpectedArticle:
    """What is noted of an article of the page at ``url``."""
    inside = credit_in_body(article.plain.split("\n")) or credit_in_digest(article.digest)
    credited = article.attribution.name if article.attribution else tidy(inside.raw) if inside else ""
    text = " ".join(article.plain.split())
    return ExpectedArticle(
        url=url,
        key=article.key,
        title=article.title,
        published=article.published.isoformat() if article.published else "",
        attribution=credited,
        byline=list(article.byline),
        begin=text[:_WORDS].strip(),
        end=text[-_WORDS:].strip(),
        characters=len(text),
    )


def differences(expected: ExpectedArticle, found: ExpectedArticle) -> Iterator[Difference]:
    """Field by field; times that are one moment are the same."""
    for name in ExpectedArticle.model_fields:
        due, there = getattr(expected, name), getattr(found, name)
        if name == "published" and _moment(due) == _moment(there) is not None:
            continue
        if name != "url" and due != there:
            yield Difference(expected.url, name, due, there)


def folder_of(source: Source) -> Path:
    """Where a source's fixtures lie: in ``fixtures`` beside its YAML."""
    assert source.path is not None, "a source that was read from a file"
    return source.path.parent / "fixtures"


def load(source: Source, folder: Path | None = None) -> tuple[Expected, dict[str, Answer]]:
    """What is expected, and the recorded answers by address. Raises FileNotFoundError, SettingsError, CaptureError."""
    folder = folder or folder_of(source)
    path = folder / f"{source.id}.yml"
    if not path.is_file():
        raise FileNotFoundError(f"{source.id} has no fixtures: {path} is missing")
    expected = validate(Expected, load_yaml(path))
    pages = {response.url: answer_of(response) for _, response in read_segment(folder / f"{source.id}.warc.gz")}
    return expected, pages


def record(
    source: Source,
    folder: Path,
    lists: Iterable[tuple[str, Answer]],
    articles: Iterable[Answer],
    *,
    add: bool = False,
    without: Collection[str] = (),
) -> Expected:
    """Write the fixtures of a source: list pages as (address in the source, answer), and article pages.

    What is expected is what the source gives now; pages that it makes nothing of are left out. ``add``: besides those
    that are there already, but for pages of the lists ``without``, which are read otherwise now. Both files are whole
    or untouched; the WARC is written first.
    """
    before, kept = load(source, folder) if add else (Expected(), {})
    gone = {one.url for one in before.lists if one.of in without}
    before = Expected(lists=[one for one in before.lists if one.url not in gone], articles=before.articles)
    kept = {url: answer for url, answer in kept.items() if url not in gone}
    examiner = Examiner(source)
    expected_lists = list(_recorded_lists(examiner, lists, kept, before.lists))
    expected_articles = list(_recorded_articles(examiner, articles, kept, before.articles))
    expected = Expected(lists=[*before.lists, *expected_lists], articles=[*before.articles, *expected_articles])
    roles = {one.url: "list" for one in expected.lists} | {one.url: "article" for one in expected.articles}
    records = [captured(one, source=source.id, role=roles[url]) for url, one in kept.items() if url in roles]
    data = b"".join(record_bytes(one, payload_digest(one.payload)) for one in records)
    replace(folder / f"{source.id}.warc.gz", data)
    replace(folder / f"{source.id}.yml", _as_yaml(source, expected).encode())
    return expected


def check(source: Source, folder: Path | None = None) -> list[Difference]:
    """What the recorded pages no longer give. Raises FileNotFoundError, SettingsError, CaptureError."""
    expected, pages = load(source, folder)
    examiner, found = Examiner(source), list[Difference]()
    for one in expected.lists:
        try:
            entries: Any = len(examiner.keys(pages[one.url], one.of)) if one.url in pages else "no recorded page"
        except Refused as error:
            entries = str(error)
        if entries != one.entries:
            found.append(Difference(one.url, "entries", one.entries, entries))
    for article in expected.articles:
        found += _check_article(examiner, article, pages.get(article.url))
    return found


def _check_article(examiner: Examiner, expected: ExpectedArticle, answer: Answer | None) -> list[Difference]:
    if answer is None:
        return [Difference(expected.url, "page", "a recorded page", "none")]
    try:
        return list(differences(expected, told(examiner.article(answer), expected.url)))
    except (Refused, NotJson) as error:
        return [Difference(expected.url, "article", expected.title, f"refused: {error}")]


def _recorded_lists(
    examiner: Examiner, lists: Iterable[tuple[str, Answer]], kept: dict[str, Answer], before: Sequence[ExpectedList]
) -> Iterator[ExpectedList]:
    """Expectations of what is recorded anew; ``kept`` grows by it."""
    for one in before:
        if one.url in kept:
            examiner.keys(kept[one.url], one.of)
    for of, answer in lists:
        if answer.url in kept:
            continue
        try:
            entries = len(examiner.keys(answer, of))
        except Refused:
            continue
        kept[answer.url] = answer
        yield ExpectedList(url=answer.url, of=of, entries=entries)


def _recorded_articles(
    examiner: Examiner, articles: Iterable[Answer], kept: dict[str, Answer], before: Sequence[ExpectedArticle]
) -> Iterator[ExpectedArticle]:
    there = {one.url for one in before}
    for answer in articles:
        if answer.url in there:
            continue
        there.add(answer.url)
        try:
            expected = told(examiner.article(answer), answer.url)
        except Refused:
            continue
        kept[answer.url] = answer
        yield expected


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _as_yaml(source: Source, expected: Expected) -> str:
    head = f"# What the recorded pages of {source.id} must give. Check it: presskeep check {source.id}\n"
    values = expected.model_dump(exclude_defaults=True)
    return head + yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=110)
