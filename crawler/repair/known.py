"""What an archive knows of a source's articles: their posts, the captures that these were made from, or fixtures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

from crawler.archive.captures import CaptureError, read_capture
from crawler.archive.checks import Check, latest, spread
from crawler.archive.ledger import Ledger
from crawler.archive.post import Post, PostError, read_post
from crawler.extract.page import NotJson
from crawler.extract.text import plain
from crawler.fetch import Answer, answer_of
from crawler.fixtures import Examiner, load
from crawler.fresh import address_of
from crawler.gate import normal
from crawler.items import Article, Refused
from crawler.probe.body import without_captions
from crawler.sources import Source

_LOOKED_AT = 120
"""Latest posts among which some are chosen."""
_GRAM = 4


@dataclass(frozen=True, slots=True)
class Known:
    """One article, as it was kept."""

    key: str
    address: str
    """Where a crawl would ask for it."""
    title: str
    published: datetime
    text: str
    """Plain text of the body, a block a line; captions of pictures left out."""
    attribution: str = ""
    """The credited outlet, as printed; empty where none is known."""
    byline: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)
    """What a list said of it."""
    old: Answer | None = None
    """The page that it was made from."""


def known_articles(source: Source, number: int, archive: Path, ledger: Ledger, captures: Path) -> list[Known]:
    """Up to ``number`` posts of a source: the latest, of all its categories in turn, those with recorded pages last, so
    that today's can be recorded as well; and for each two of them an older one, for dates of other months."""
    examiner, groups = Examiner(source), dict[str, list[tuple[Check, Post]]]()
    for check, post in _posts(archive, latest(ledger, source.id, _LOOKED_AT)):
        groups.setdefault(post.categories[0], []).append((check, post))
    recorded = {examiner.key_of(url) for url in _recorded(source)}
    turns = [one for turn in zip_longest(*groups.values()) for one in turn if one]
    turns.sort(key=lambda one: one[0].row.key in recorded)
    older = list(_posts(archive, spread(ledger, source.id, number // 3)))
    rows = {check.row.id: (check, post) for check, post in (*turns[: number - len(older)], *older, *turns)}
    found = (_of_post(examiner, check, post, _capture(ledger, captures, check)) for check, post in rows.values())
    return [one for one, _ in zip((one for one in found if one), range(number), strict=False)]


def _posts(archive: Path, checks: Iterable[Check]) -> Iterator[tuple[Check, Post]]:
    """Those that can be read."""
    for check in checks:
        try:
            yield check, read_post((archive / check.path).read_bytes())
        except (OSError, PostError):
            continue


def _recorded(source: Source) -> list[str]:
    """Addresses of the articles in its fixtures."""
    try:
        return [one.url for one in load(source)[0].articles]
    except FileNotFoundError:
        return []


def _capture(ledger: Ledger, folder: Path, check: Check) -> Answer | None:
    place = ledger.find_capture(check.capture) if check.capture else None
    try:
        return answer_of(read_capture(folder, place)) if place else None
    except CaptureError:
        return None


def _of_post(examiner: Examiner, check: Check, post: Post, old: Answer | None) -> Known | None:
    """What a post says, and who signed it by its capture; None where no address is known."""
    source, row = examiner.source, check.row
    address = address_of(source, row.key, row.hints) or (old.url if old else "")
    if not address:
        return None
    read = _read(examiner, old, row.hints) if old else None
    return Known(
        key=row.key,
        address=address,
        title=post.title,
        published=post.date if post.date.tzinfo else post.date.replace(tzinfo=source.zone),
        text=plain(without_captions(post.body)),
        attribution=str(post.fields.get("attribution_raw") or post.fields.get("attribution") or ""),
        byline=read.byline if read and normal(read.title) == normal(post.title) else (),
        hints=row.hints,
        old=old,
    )


def known_of_fixtures(source: Source, number: int) -> list[Known]:
    """What a source's recorded pages say by its own rules: for an archive without posts."""
    examiner = Examiner(source)
    try:
        expected, pages = load(source)
    except FileNotFoundError:
        return []
    for one in expected.lists:
        if one.url in pages:
            _names(examiner, pages[one.url], one.of)
    found = (_of_page(examiner, pages[one.url]) for one in expected.articles if one.url in pages)
    return [one for one, _ in zip((one for one in found if one), range(number), strict=False)]


def _names(examiner: Examiner, answer: Answer, of: str) -> None:
    try:
        examiner.keys(answer, of)
    except (Refused, NotJson):
        return


def _of_page(examiner: Examiner, answer: Answer) -> Known | None:
    key = examiner.key_of(answer.url)
    hints = examiner.said(key)
    article = _read(examiner, answer, hints)
    if article is None or article.published is None:
        return None
    return Known(
        key=key,
        address=answer.url,
        title=article.title,
        published=article.published,
        text=plain(without_captions(article.body)),
        attribution=article.attribution.raw if article.attribution else "",
        byline=article.byline,
        hints=hints,
        old=answer,
    )


def _read(examiner: Examiner, answer: Answer, hints: Mapping[str, str]) -> Article | None:
    try:
        return examiner.article(answer, hints)
    except (Refused, NotJson):
        return None


# how a text is known again


def grams(text: str) -> frozenset[str]:
    """Four characters in a row each, blanks and case aside."""
    bare = normal(text)
    return frozenset(bare[start : start + _GRAM] for start in range(max(1, len(bare) - _GRAM + 1))) - {""}


def alike(one: str, other: str) -> float:
    """How much of two texts is the same: 0 to 1."""
    first, second = grams(one), grams(other)
    return len(first & second) / len(first | second) if first and second else 0.0


def covered(text: Iterable[str], by: frozenset[str]) -> Iterator[str]:
    """Those lines of a text that are made of other text's words, most of each."""
    for line in text:
        own = grams(line)
        if own and len(own & by) >= len(own) * 0.6:
            yield line


def shares(found: Sequence[bool | None]) -> tuple[int, int]:
    """How many are right, of how many that can be; None stands for what is not known."""
    told = [one for one in found if one is not None]
    return sum(told), len(told)
