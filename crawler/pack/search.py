"""What search.js reads of a packed month when somebody looks further back than the hot window.

Of a small month the site's own list, ``assets/search.json``, of its posts. Of a large one the same list in parts, and
an index that says which parts to read: for each pair of characters, and each word of scripts with blanks, the numbers
of the posts that hold it.

pagefind was tried for this, on invented Chinese titles and leads. By its own segmentation it finds two of three posts
for a word of one character, for one of two from none to all and up to a hundred times as many others, and no phrase.
Fed with the same pairs it finds what is there; a month of 30,000 posts then takes 43 s of CPU, 2.4 GB of memory and 41
MB in 30,000 files whose names change at each edit, where this takes 7 s, 0.2 GB and 25 MB in 556 files. A question
costs a reader 240 KB there; here, compressed, 24 to 135 KB for each pair and 17 KB for each part that is read.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

from crawler.render.theme import Theme
from crawler.search.words import CJK

SMALL = 3000
"""Posts of a month whose list is read whole: 0.45 MB as servers send it."""
PART = 100
"""Posts of a part of a longer list."""
SHARDS = 256
"""Files of the index: a word's is named by its first character."""
UNSPACED = CJK + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Scripts without blanks between words, Thai, Lao, Burmese and Khmer among them, as the inside of a character class."""

_LIST = "assets/search.json"
_TOKEN = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+")
_UNSPACED_FIRST = re.compile(f"[{UNSPACED}]")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

Row = list[str]
"""A post, as the list has it."""


def is_searched(theme: Theme) -> bool:
    """Whether the site has a list for its search at all: one that an older presskeep began has none."""
    return (theme.archive / _LIST).is_file()


def files(theme: Theme, month: str, pages: Sequence[Any]) -> Iterator[tuple[str, Callable[[], str]]]:
    """Address and text of each file. ``pages``: the month's posts, newest first."""
    start = f"/search/{month.replace('-', '/')}"
    if len(pages) <= SMALL:
        yield f"{start}.json", lambda: listed(theme, pages)
        return
    large = Large(theme, pages)
    for part in range(-(-len(pages) // PART)):
        yield f"{start}/posts/{part}.json", partial(large.part, part)
    for shard in range(SHARDS):
        yield f"{start}/words/{shard}.json", partial(large.shard, shard)


def listed(theme: Theme, pages: Sequence[Any]) -> str:
    """The list of these posts, as Jekyll makes it of those in the hot window."""
    return theme.file(_LIST, site={"posts": pages})


class Large:
    """A month with so many posts that nobody should have to read the list of all."""

    def __init__(self, theme: Theme, pages: Sequence[Any]) -> None:
        self._theme, self._pages = theme, pages

    def part(self, number: int) -> str:
        """Some of the posts."""
        rows = self._rows[number * PART : (number + 1) * PART]
        return "[\n" + ",\n".join(map(_json, rows)) + "\n]\n"

    def shard(self, number: int) -> str:
        """Word -> posts, by their numbers in the list."""
        return "{\n" + ",\n".join(f"{_json(word)}:{_json(coded(at))}" for word, at in self._words[number]) + "\n}\n"

    @cached_property
    def _rows(self) -> list[Row]:
        rows: list[Row] = json.loads(listed(self._theme, self._pages))
        return rows

    @cached_property
    def _words(self) -> list[list[tuple[str, list[int]]]]:
        found: dict[str, list[int]] = {}
        for number, (_, _, title, *rest) in enumerate(self._rows):
            for word in terms("\n".join([title, *rest[:3]])):
                found.setdefault(word, []).append(number)
        shards: list[list[tuple[str, list[int]]]] = [[] for _ in range(SHARDS)]
        for word, at in sorted(found.items()):
            shards[ord(word[0]) % SHARDS].append((word, at))
        return shards


def fold(text: str) -> str:
    """As search.js folds: without differences of width, case, accent and form that nobody means."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", _UNSEEN.sub("", text)))
    return unicodedata.normalize("NFKC", bare).lower().replace("ß", "ss").replace("ς", "σ")


def terms(text: str) -> set[str]:
    """What a text is found by: words, and of scripts without blanks each character with the one behind it."""
    found = set[str]()
    for token in _TOKEN.findall(fold(text)):
        found.update((token[at : at + 2] for at in range(len(token))) if _UNSPACED_FIRST.match(token) else (token,))
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


def coded(numbers: Sequence[int]) -> str:
    """Numbers in their order, each as its distance from the one before, to base 36."""
    return " ".join(_base36(number - before) for before, number in zip((0, *numbers), numbers, strict=False))


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
