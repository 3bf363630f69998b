"""A text's sketch, and whether two sketches are of one text; pure.

A shingle is some words in a row (of Chinese, Japanese and Korean: characters), as a number of 32 bits. The smallest of
them are a fair sample (bottom-k, Cohen and Kaplan 2007), which tells how much of two texts is the same, and how much of
the shorter stands in the longer. What a text is looked up by, its anchors, are samples too: shingles below a bound,
so that a piece of a text has its own among those of the whole (FracMinHash, Irber 2022).

Numbers weigh more than words: a daily report differs from yesterday's in nothing else.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from crawler.search.words import CJK

SHINGLE = 4
"""Words or characters of a shingle."""
_KEPT = 160
"""Shingles that a sketch holds."""
_NUMBERS = 48
"""Numbers that it holds."""
LEAST = 24
"""Shingles of the shortest text that is compared: what is shorter, such as a flash, many write in the same words."""
_ANCHORS = 64
"""Most shingles that a text is looked up by."""
_FEWEST = 8
"""So many at least, where it has them."""
_DENSITY = 32
"""One shingle of so many is one of these."""
TOGETHER = 2
"""Anchors that two texts must share to be compared at all."""

ALIKE = 0.4
"""Part of all their shingles that two texts of about one length share."""
WITHIN = 0.65
"""Part of the shorter text's shingles that stand in a longer one."""
_SAME_NUMBERS = 0.6
"""Part of the numbers of the text that has fewer, that the other has too; one more may differ, for a dateline's."""
_FEW_NUMBERS = 3
"""Fewer numbers say nothing."""

_SPACE = 1 << 32
_WIDTH = 4 * SHINGLE
"""Bytes of a shingle's words, each as a number."""
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_TOKENS = re.compile(rf"([{CJK}]+)|({_NUMBER.pattern}|[^\W\d_{CJK}]+)")
_HEAD = struct.Struct("<IHH")


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is kept of a text."""

    size: int
    """Different shingles that it has."""
    shingles: tuple[int, ...] = ()
    """The smallest of them, in order."""
    numbers: tuple[int, ...] = ()
    """The smallest hashes of the different numbers in it, in order."""

    def packed(self) -> bytes:
        """For the ledger."""
        words = (*self.shingles, *self.numbers)
        return _HEAD.pack(self.size, len(self.shingles), len(self.numbers)) + struct.pack(f"<{len(words)}I", *words)

    @classmethod
    def unpacked(cls, data: bytes) -> Sketch:
        """What ``packed`` made."""
        size, shingles, numbers = _HEAD.unpack_from(data)
        words = struct.unpack_from(f"<{shingles + numbers}I", data, _HEAD.size)
        return cls(size, words[:shingles], words[shingles:])

    @property
    def anchors(self) -> tuple[int, ...]:
        """Shingles by which it is looked up; none of a text that is too short."""
        if self.size < LEAST:
            return ()
        below = bisect_right(self.shingles, _SPACE // _DENSITY)
        return self.shingles[: min(max(below, _FEWEST), _ANCHORS)]


def sketch(text: str) -> Sketch:
    """Of plain text. Blanks, case, widths of characters and punctuation make no difference."""
    text = unicodedata.normalize("NFKC", text).casefold()
    tokens: list[str] = []
    for characters, word in _TOKENS.findall(text):
        tokens += characters or (word,)
    marks = struct.pack(f"<{len(tokens)}I", *map(_hash, tokens))
    found = {crc32(marks[start : start + _WIDTH]) for start in range(0, len(marks) - _WIDTH + 1, 4)}
    return Sketch(len(found), _smallest(found, _KEPT), _smallest(set(map(_hash, _NUMBER.findall(text))), _NUMBERS))


def _smallest(hashes: set[int], count: int) -> tuple[int, ...]:
    """In order. Most of many need not be sorted, for their hashes lie evenly."""
    bound = 2 * count * _SPACE // max(len(hashes), 1)
    few = sorted(one for one in hashes if one < bound)
    return tuple((few if len(few) >= count else sorted(hashes))[:count])


@lru_cache(1 << 15)
def _hash(token: str) -> int:
    return crc32(token.replace(",", "").encode("utf-8", "replace"))


def are_one(one: Sketch, other: Sketch) -> bool:
    """Whether two texts are one story in the same words: edited, cut, or one within the other. Only such texts are as
    share enough anchors, so that it does not matter whether they were found by these."""
    if len(set(one.anchors) & set(other.anchors)) < TOGETHER:
        return False
    alike, within = resemblance(one, other)
    return (alike >= ALIKE or within >= WITHIN) and _numbers_agree(one.numbers, other.numbers)


def resemblance(one: Sketch, other: Sketch) -> tuple[float, float]:
    """(part of all shingles of two texts that both have, part of the shorter's that the longer has), as their samples
    tell: 0 to 1."""
    bound = min(_bound(one), _bound(other))
    first, second = (set(each.shingles[: bisect_right(each.shingles, bound)]) for each in (one, other))
    if not first or not second:
        return 0.0, 0.0
    both = len(first & second)
    return both / len(first | second), both / min(len(first), len(second))


def _bound(one: Sketch) -> int:
    """Up to here the sample is whole."""
    return one.shingles[-1] if len(one.shingles) < one.size else _SPACE


def _numbers_agree(one: Sequence[int], other: Sequence[int]) -> bool:
    bound = min(numbers[-1] if len(numbers) == _NUMBERS else _SPACE for numbers in (one, other))
    first, second = ({number for number in numbers if number <= bound} for numbers in (one, other))
    fewer = min(len(first), len(second))
    return fewer < _FEW_NUMBERS or len(first & second) >= _SAME_NUMBERS * fewer - 1
