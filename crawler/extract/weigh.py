"""What speaks for a block being the article's: its own shape, its words, its place, its neighbours; as small numbers.

Each feature is a bucket; the weights of the buckets (``weights.py``) were learnt from pages with truth.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator
from operator import add

from crawler.extract.blocks import Block, Box, Segments
from crawler.extract.words import GROUPS, KINDS, STOCK

_SIZES = (8, 16, 30, 50, 80, 120, 180, 260, 400, 700)
_LINKED = (0.001, 0.1, 0.2, 0.35, 0.5, 0.8, 0.99)
_SHARES = (0.003, 0.01, 0.03, 0.08, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95)
_COUNTS = (1, 2, 3, 5, 8, 13, 25)
_PLACES = (-40, -15, -6, -2, 0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 90, 150, 300)
_PARTS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
_TAGS = {tag: number for number, tag in enumerate(
    ("p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "div", "section", "article", "blockquote", "pre",
     "figcaption", "dt", "dd", "figure", "center", "address", "caption", "body", "aside", "header", "footer"),
    1)}  # fmt: skip
_ENDS = {
    sign: kind
    for kind, signs in enumerate((".!?。！？…", "\"”’'」』»)）]】", ":：", ",，;；、", "|-–—>»›"), 1)
    for sign in signs
}
_STOPS = (",", "，", "、", "。", ";", "；", "！", "？", ". ", "! ", "? ")
_STOP_COUNTS = (1, 2, 3, 5, 8, 13)
_QUARTERS = (0.1, 0.25, 0.5, 0.75)
_LONG = 300
"""Bytes; longer blocks are searched for no stock phrases."""
_DIGITS = re.compile(r"\d")

_STOCK_WORDS = frozenset(STOCK)
_LETTERS = re.compile(r"[^\W\d_]+")
_CLOCK = re.compile(r"\d:\d\d|(?:19|20)\d\d\s?[-/.年]|\d[-/.] ?(?:19|20)\d\d|[^\W\d_] (?:19|20)\d\d")

Row = tuple[int, ...]
"""Buckets of one block, in the order of ``LOCAL``."""
LINK: Row = (0,) * 18
"""Stands for a short line that is all link: half of all blocks are, and one in a thousand is an article's."""
_LINK_LINE = 120
"""Bytes of such a line."""
DATE_OR_BYLINE = (5, frozenset((KINDS["date"], KINDS["byline"])))
"""Which number of a row tells stock phrases, and its values for a date and a byline in a short block."""


def local_features(page: Segments, title: str, description: str, told: str) -> list[Row]:
    """For each block the buckets of what can be seen of it and right around it.

    ``title`` and ``description`` are the page's own words for itself, ``told`` the text of the article in its
    structured data; empty where there are none."""
    blocks = page.blocks
    _sum_up(page)
    total = max(1, page.top.bytes)
    same = Counter([block.text for block in blocks])
    siblings = Counter([(block.box.parent, block.box.tag) for block in blocks])
    title, description, told = title.casefold(), description.casefold(), told.casefold()
    before = 0
    rows: list[Row] = []
    for number, block in enumerate(blocks):
        box, size, text = block.box, block.size, block.text
        if block.linked > 0.98 and size < _LINK_LINE:
            rows.append(LINK)
            continue
        holder = box.parent or box
        shape = holder.shape or _shape(holder, total)
        linked = block.linked
        row = (
            bisect_right(_SIZES, size),
            bisect_right(_LINKED, linked) if linked else 0,
            _TAGS.get(box.tag, 0),
            _ENDS.get(text[-1], 0) + 6 * (size > 60),
            bisect_right(_STOP_COUNTS, sum(map(text.count, _STOPS))) if size > 30 else 0,
            _phrase(text) if size <= _LONG else 0,
            (1 + bisect_right(_PLACES, number - page.headline_at)) if page.headline_at >= 0 else 0,
            *shape,
            bisect_right(_COUNTS, siblings[box.parent, box.tag]),
            _known(text[:300].casefold(), same[text], title, description, told),
            min(4, len(_DIGITS.findall(text)) * 10 // block.length) if size < 200 else 5,
            block.strong + 2 * bool(block.split) + 4 * (box.blocks > 1),
            bisect_right(_PARTS, before / total),
            bisect_right(_SHARES, box.bytes / total),
        )
        before += block.plain
        rows.append(row)
    return rows


def _shape(holder: Box, total: int) -> tuple[int, ...]:
    """How much of the page stands in a box and in the two around it, and how much of that in links."""
    above = holder.parent or holder
    holder.shape = (
        bisect_right(_SHARES, holder.bytes / total),
        bisect_right(_SHARES, above.bytes / total),
        bisect_right(_SHARES, (above.parent or above).bytes / total),
        bisect_right(_QUARTERS, holder.links / max(1, holder.bytes + holder.links)),
        bisect_right(_QUARTERS, above.links / max(1, above.bytes + above.links)),
    )
    return holder.shape


LOCAL = ("size", "linked", "tag", "end", "commas", "phrase", "place", "share", "share2", "share3", "links",
         "links2", "siblings", "known", "digits", "form", "part", "share0")  # fmt: skip


def _sum_up(page: Segments) -> None:
    """Bytes of plain and of linked text of every box, all below it included."""
    for block in page.blocks:
        box = block.box
        linked = int(block.size * block.linked) if block.linked else 0
        box.blocks += 1
        box.bytes += block.size - linked
        box.links += linked
    for box in reversed(page.boxes):
        above = box.parent
        if above is not None:
            above.bytes += box.bytes
            above.links += box.links


def _phrase(text: str) -> int:
    """The kind of the telling words of a short block, else whether it states a date; longer ones apart."""
    words = _LETTERS.findall(text.lower())
    telling: Collection[str] = _STOCK_WORDS.intersection(words)
    if not telling and not text.isascii():
        telling = {pair for word in words if not word.isascii() for pair in _STOCK_WORDS.intersection(_pairs(word))}
    kind = min(map(STOCK.__getitem__, telling)) if telling else 0
    if not kind and is_dated(text):
        kind = KINDS["date"]
    return kind + len(KINDS) * (kind > 0 and len(text) > 90)


def _pairs(word: str) -> Iterator[str]:
    """Neighbouring characters: words of scripts without blanks have mostly two."""
    return map(add, word, word[1:])


def is_dated(text: str) -> bool:
    """Whether a line states a date or a time of day."""
    return _DIGITS.search(text) is not None and _CLOCK.search(text) is not None


def is_byline(line: str) -> bool:
    """Whether a line begins with a byline's word and is no sentence."""
    words = _LETTERS.findall(line.lower()[:40])
    return bool(words) and STOCK.get(words[0]) == KINDS["byline"] and _ENDS.get(line[-1]) != 1


def _known(text: str, times: int, title: str, description: str, told: str) -> int:
    """Whether the page says elsewhere what the block is: its title, its description, a text of the article."""
    if len(text) > 12:
        if title and (text in title or title in text) and len(text) < 2 * len(title) + 20:
            return 1
        if told and text[:80] in told:
            return 2
        if description and (text[:60] in description or description[:60] in text[:120]):
            return 3
        if told:
            return 4 if times == 1 else 5
    return 0 if times == 1 else 6


def bits_of(block: Block) -> list[int]:
    """Numbers of the words around a block: those near by, those farther up, those at the top; each once."""
    near, middle = block.box.near | block.inline, block.box.middle
    farther = middle & ~near
    top = block.box.all & ~middle & ~near
    count = len(GROUPS)
    return [*_numbers(near), *(count + n for n in _numbers(farther)), *(2 * count + n for n in _numbers(top))]


def _numbers(bits: int) -> list[int]:
    found = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found
