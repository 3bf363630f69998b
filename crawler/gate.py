"""The gate: what may become a post. Pure: it knows no Scrapy, no ledger and no disk.

A page that does not pass is quarantined: its capture stays, the ledger says why, and it is asked again later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit
from zlib import crc32

from crawler.extract.walls import SHORT, Phrases
from crawler.items import Refused, Text
from crawler.urls import key_of, shared_form

ALIKE = 0.8
"""Resemblance from which a text is taken for the source's error page."""
_NUMBERED = re.compile(r"[!-~]*[0-9][!-~]*")
"""Numbers, addresses and ids: what differs between two copies of an error page."""
_SKETCH = 64
_GRAM = 4


def normal(text: str) -> str:
    """A text without blanks and case: what stays when only its setting differs."""
    return "".join(text.split()).casefold()


def digest(text: str) -> str:
    """Fingerprint of a text that is the same for the same words."""
    return sha256(normal(text).encode("utf-8", "replace")).hexdigest()[:24]


def sketch(text: str) -> list[int]:
    """The smallest hashes of a text's four-character shingles, numbers left out (bottom-k, Cohen and Kaplan 2007)."""
    bare = normal(_NUMBERED.sub("", text))
    grams = {bare[start : start + _GRAM] for start in range(max(1, len(bare) - _GRAM + 1))}
    return sorted(crc32(gram.encode("utf-8", "replace")) for gram in grams)[:_SKETCH]


def resemblance(one: Iterable[int], other: Iterable[int]) -> float:
    """How much of two texts is the same, from their sketches: 0 to 1."""
    first, second = set(one), set(other)
    smallest = set(sorted(first | second)[:_SKETCH])
    return len(smallest & first & second) / len(smallest) if smallest else 0.0


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that an article of a source holds."""

    characters: int
    paragraphs: int


def judge(
    title: str,
    paragraphs: Sequence[str],
    floor: Floor,
    walls: Phrases,
    error_pages: Iterable[Sequence[int]] = (),
) -> None:
    """Let an article's words pass. Raises Refused with class and reason."""
    characters = sum(map(len, paragraphs))
    if characters == 0:
        raise Refused("body: empty")
    if (found := walls.find(title, paragraphs)) is not None:
        raise Refused(f"{found[0]}: the page says {found[1]!r} and little else")
    if characters < floor.characters:
        raise Refused(f"body: {characters} characters, the floor is {floor.characters}")
    if len(paragraphs) < floor.paragraphs:
        raise Refused(f"body: {len(paragraphs)} paragraphs, the floor is {floor.paragraphs}")
    if is_error_page("\n".join(paragraphs), error_pages):
        raise Refused("soft-404: the text of an address that does not exist")


def is_error_page(text: str, error_pages: Iterable[Sequence[int]]) -> bool:
    """Whether a text is what the source says at an address that does not exist."""
    known = list(error_pages)
    if not known:
        return False
    own = sketch(text)
    return any(resemblance(own, one) >= ALIKE for one in known)


def same_text(text: Text, size: int, twin: Callable[[str], tuple[str, str] | None], *, twice: bool = True) -> None:
    """Refuse a text that another address of the source has: a short one, or one under another headline.

    ``size`` is its weight; ``twin`` gives (key, digest of the headline) of the other; ``twice``: whether a long one may
    stand at two addresses, which those that were guessed may not. Raises Refused.
    """
    other = twin(text.digest)
    if other is not None and (size < SHORT or other[1] != text.title or not twice):
        raise Refused(f"same text as {other[0]}")


def own_key(key: str, visible: Iterable[str]) -> None:
    """Refuse a page on which other articles' keys stand where its own should. Raises Refused."""
    shown = [one for one in visible if one]
    if shown and key not in shown:
        raise Refused(f"another article's page: it names {shown[0]}")


def leads_away(asked: str, landed: str, fronts: Container[str], patterns: Sequence[re.Pattern[str]]) -> bool:
    """Whether a redirect led from an article to the front page, a list, or (where ``patterns`` tell articles) a folder
    above that is no article. ``fronts``: shared forms of front page and lists."""
    first, last = shared_form(asked), shared_form(landed)
    if first == last:  # such as a cookie gate, which leads back
        return False
    if last in fronts or (urlsplit(landed).path in ("", "/") and not urlsplit(landed).query):
        return True
    return bool(patterns) and first.startswith(f"{last}/") and not key_of(landed, patterns)


OWN_PAGE = "its own page makes it"
"""Why the page of another address makes no article: nothing is wrong with either."""
_LAYOUT = "layout changed"
_KINDS = (
    (re.compile(r"(consent|paywall|soft-404|layout changed|list moved): "), ""),
    (re.compile(r"captcha: |HTTP (?:401|403|407|418|429|451)\b"), "blocked"),
    (re.compile(r"login: "), "paywall"),
    (re.compile(r"busy: |same text as |another article's page"), "soft-404"),
    (re.compile(r"HTTP (?:404|410)\b"), "list moved"),
    (re.compile(r"(?:robots: unreachable \()?no such host"), "dns"),
    (re.compile(r"(?:robots: unreachable \()?connection refused"), "refused"),
    (re.compile(r".*robots\.txt", re.IGNORECASE), "robots"),
    (re.compile(r"(?:title|published|modified|attribution|byline|editor|digest|section|canonical|body): "), _LAYOUT),
    (re.compile(r"no (?:title|published|layout|JSON|such list)|the list is empty"), _LAYOUT),
)


def class_of(reason: str) -> str:
    """Class of a reason for which there was no post or no list; empty for what says nothing of the source."""
    for pattern, kind in _KINDS:
        if match := pattern.match(reason):
            return kind or match[1]
    return ""
