"""The piece of a post's text around what was looked for."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from crawler.search.words import CJK, fold

WIDTH = 160
"""Columns of a snippet; a Chinese character takes two."""
_WORDS = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
_RUN = re.compile(f"[{CJK}]")
_LETTER = rf"[^\W_{CJK}]"
_ACCENT = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a text."""

    text: str
    """On one line; … where it was cut."""
    hits: tuple[tuple[int, int], ...] = ()
    """Where in it the words stand, from and up to, in characters."""


def snippet(text: str, wanted: Sequence[str], width: int = WIDTH) -> Snippet:
    """Where most of ``wanted`` (folded words) stand together in ``text``, the first of such places; its beginning where
    none does. ``width`` in columns."""
    text = " ".join(text.split())
    hits = _hits(text, wanted)
    first, last = _window(text, _best(hits, width), width)
    before, after = "…" * (first > 0), "…" * (last < len(text))
    shift = len(before) - first
    inside = sorted({(start + shift, end + shift) for start, end, _ in hits if first <= start and end <= last})
    return Snippet(before + text[first:last] + after, tuple(inside))


def _hits(text: str, wanted: Sequence[str]) -> list[tuple[int, int, int]]:
    """(from, up to, which word) of every place, in order."""
    pieces = [_bare(character) for character in text]
    folded, places = "".join(pieces), [at for at, piece in enumerate(pieces) for _ in piece]
    found = [
        (places[match.start()], places[match.end() - 1] + 1, number)
        for number, term in enumerate(wanted)
        for match in _pattern(term).finditer(folded)
    ]
    return sorted(found)


@lru_cache(maxsize=10_000)
def _bare(character: str) -> str:
    """A character as it is compared: folded, and without accents, as unicode61 has it."""
    bare = _ACCENT.sub("", unicodedata.normalize("NFKD", fold(character)))
    return unicodedata.normalize("NFKC", bare).casefold()


@lru_cache(maxsize=100)
def _pattern(term: str) -> re.Pattern[str]:
    """Its words in a row, whatever signs and blanks stand between them; whole words where words are written apart."""
    words = _WORDS.findall("".join(map(_bare, term)))
    return re.compile(r"[\W_]*".join(map(_word, words)))


def _word(word: str) -> str:
    return word if _RUN.match(word) else f"(?<!{_LETTER}){word}(?!{_LETTER})"


def _best(hits: Sequence[tuple[int, int, int]], width: int) -> int:
    """The place from which on the most different words follow within half a width."""

    def words_from(at: int) -> int:
        return len({number for start, _, number in hits[at : at + width] if start < hits[at][0] + width // 2})

    return hits[max(range(len(hits)), key=words_from)][0] if hits else 0


def _window(text: str, at: int, width: int) -> tuple[int, int]:
    """From and up to which character the snippet goes: a third before the place, between words if that is near."""
    columns = [0]
    for character in text:
        columns.append(columns[-1] + 1 + (unicodedata.east_asian_width(character) in "WF"))
    latest = bisect_left(columns, columns[-1] - width)
    first = min(bisect_left(columns, columns[at] - width // 3), latest) if at else 0
    last = bisect_left(columns, columns[first] + width)
    last = min(last - (columns[min(last, len(text))] > columns[first] + width), len(text))
    if first > 0 and (blank := text.find(" ", first, min(first + 15, at))) > 0:
        first = blank + 1
    if last < len(text) and (blank := text.rfind(" ", max(last - 15, at + 1), last)) > 0:
        last = blank
    return first, last
