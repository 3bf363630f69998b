"""Where on a page the article lies: the box that holds most of what speaks for it, one article of several.

And, seen from there, what a block's surroundings say of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crawler.extract.blocks import Block, Box
from crawler.extract.weigh import DATE_OR_BYLINE, LOCAL, Row
from crawler.extract.words import BITS

MAYBE = -3.5
"""Below this a block's own looks settle it; whatever stands around it would not bring it back."""
_MOST = 0.8
"""Share of a box that makes the box around it uninteresting."""
_LONGEST = 1500
"""Bytes of one block that count: a whole legal code in one block is no more of an article than a page of it."""
_HEADINGS = frozenset(("h1", "h2", "h3", "h4"))
_UNIT = BITS["article"] | BITS["<article>"]


_OF_PLACE = 27
"""Numbers in ``context`` before the block's own features."""
COUNTS = frozenset((12, 14, 15, 16, 18, 19, 20, 25, 26, *range(_OF_PLACE, _OF_PLACE + len(LOCAL))))
"""Which of the numbers in ``context`` are whole ones, by their place."""


@dataclass(slots=True)
class Region:
    """The article's place among the blocks."""

    box: Box
    first: int
    last: int
    """Numbers of the first and the last block of the densest run in it."""
    mass: float
    """All that speaks for the article on the page."""


def find_region(blocks: Sequence[Block], rows: Sequence[Row], scores: Sequence[float], title: str) -> Region | None:
    """The box of the article; None on a page without a block that looks like one's."""
    gains = [_gain(block, score) for block, score in zip(blocks, scores, strict=True)]
    inner: dict[Box, list[Box]] = {}  # boxes that have a mass, by the box around them
    for block, gain in zip(blocks, gains, strict=True):
        if gain > 0:
            box = block.box
            new = not box.mass
            box.mass += gain
            while (above := box.parent) is not None:
                if new:
                    inner.setdefault(above, []).append(box)
                new = not above.mass
                above.mass += gain
                box = above
    *_, top = blocks[0].box.outward()
    if not top.mass:
        return None
    best = top
    while boxes := inner.get(best):
        heaviest = max(boxes, key=lambda box: box.mass)
        if heaviest.mass > _MOST * best.mass:
            best = heaviest
        elif unit := _one_of_many(boxes, blocks, rows, title):
            best = unit
        else:
            break
    best = _holder(best)
    inside = {best}
    held = []
    for block, gain in zip(blocks, gains, strict=True):
        held.append(gain if _within(block.box, best, inside) else -_LONGEST)
    first, last = _densest(held)
    return Region(best, first, last, top.mass)


def _gain(block: Block, score: float) -> float:
    return max(-1.0, min(1.0, score / 4)) * min(_LONGEST, block.size) * (1 - block.linked)


def _holder(box: Box) -> Box:
    """The box around a lone paragraph: others of the article's may stand beside it."""
    return box.parent if box.parent is not None and box.blocks and box.tag in ("p", "li", "blockquote") else box


def _within(box: Box, outer: Box, inside: set[Box]) -> bool:
    """Whether ``box`` is in ``outer``; ``inside`` remembers those that are."""
    at: Box | None = box
    while at is not None:
        if at in inside:
            inside.add(box)
            return True
        if at.depth <= outer.depth:
            return False
        at = at.parent
    return False


def _densest(gains: Sequence[float]) -> tuple[int, int]:
    """First and last of the run with the largest sum (Kadane's algorithm)."""
    best, first, last, current, start = float("-inf"), 0, 0, 0.0, 0
    for number, gain in enumerate(gains):
        if current <= 0:
            current, start = 0.0, number
        current += gain
        if current > best:
            best, first, last = current, start, number
    return first, last


def _one_of_many(boxes: Sequence[Box], blocks: Sequence[Block], rows: Sequence[Row], title: str) -> Box | None:
    """Of boxes side by side that are articles each, the page's own: the one with its title, else the first.

    None where they are parts of one article: its headline stands above them all.
    """
    whole = sum(box.mass for box in boxes)
    units = {box: [] for box in boxes if box.mass > 0.04 * whole}  # type: dict[Box, list[int]]
    if len(units) < 2:
        return None
    for number, block in enumerate(blocks):
        if (unit := next((box for box in block.box.outward() if box in units), None)) is not None:
            units[unit].append(number)
    articles = [box for box, members in units.items() if _is_article(box, members, blocks, rows)]
    if len(articles) < 2 or sum(box.mass for box in articles) < 0.7 * whole:
        return None
    if not title:
        return articles[0]
    for box in articles:
        if any(_same(blocks[number].text, title) for number in units[box][:6]):
            return box
    above = blocks[: units[articles[0]][0]]
    headed = any(_same(block.text, title) for block in above if block.box.tag in _HEADINGS)
    return None if headed else articles[0]


def _is_article(box: Box, members: Sequence[int], blocks: Sequence[Block], rows: Sequence[Row]) -> bool:
    """Whether it has a heading of its own and a date or a byline, or a heading that leads elsewhere."""
    start = members[:5]
    heading = next((n for n in start if blocks[n].box.tag in _HEADINGS or blocks[n].box.near & BITS["title"]), None)
    if heading is None:
        return False
    dated = any(rows[n][DATE_OR_BYLINE[0]] in DATE_OR_BYLINE[1] for n in (*members[:6], *members[-3:]))
    return dated or (blocks[heading].linked > 0.9 and bool(box.own & _UNIT))


def _same(text: str, title: str) -> bool:
    text, title = text.casefold(), title.casefold()
    return len(text) > 8 and (text in title or title in text)


def context(
    blocks: Sequence[Block], scores: Sequence[float], rows: Sequence[Row], region: Region
) -> dict[int, list[float]]:
    """For each block that may be the article's, by its number, what its surroundings say; then its own features."""
    kinds, of_kind, total = _pulls(blocks, scores)
    chain = {box: number for number, box in enumerate(region.box.outward())}
    padded = [-6.0, -6.0, *scores, -6.0, -6.0]
    upcoming = iter([*(number for number, score in enumerate(scores) if score > 0), len(blocks) + 99])
    next_sure, last_sure = next(upcoming), -99
    run, mass = max(1, region.last - region.first + 1), region.mass
    found: dict[int, list[float]] = {}
    before = dates = headings = 0
    for number, block in enumerate(blocks):
        score, row, box = scores[number], rows[number], block.box
        if number >= next_sure:
            next_sure = next(upcoming)
        plain = block.plain
        if number > region.first:
            dates += row[DATE_OR_BYLINE[0]] in DATE_OR_BYLINE[1]
            headings += box.tag in _HEADINGS
        if score > MAYBE:
            above = box.parent or box
            higher = above.parent or above
            steps, at = 0, box
            while at not in chain and at.parent is not None:
                at = at.parent
                steps += 1
            kind = kinds[of_kind[number]]
            found[number] = [
                score, padded[number], padded[number + 1], padded[number + 3], padded[number + 4],
                box.pull / box.weight, above.pull / above.weight, higher.pull / higher.weight,
                above.mass / mass, higher.mass / mass, (higher.parent or higher).mass / mass,
                kind[0] / kind[1], kind[2], kind[1] / kind[2],
                chain[at], steps,
                number - region.first if number < region.first else max(0, number - region.last),
                (number - region.first) / run,
                min(50, number - last_sure), min(50, next_sure - number),
                block.size, block.linked, plain / total, above.weight / total, before / total, dates, headings,
                *row,
            ]  # fmt: skip
        before += plain
        if score > 0:
            last_sure = number
    return found


Kind = tuple[str, str | None, str | None]
"""What blocks that look alike share: the element, its class and that of the one around it."""


def _pulls(blocks: Sequence[Block], scores: Sequence[float]) -> tuple[dict[Kind, list[float]], list[Kind], int]:
    """Sum what is said for and against in each box (on the box) and in each kind of block; bytes of the page.

    A kind has the sum, the bytes it is of, and how many blocks.
    """
    kinds: dict[Kind, list[float]] = {}
    of_kind: list[Kind] = []
    total = 1
    for block, score in zip(blocks, scores, strict=True):
        box = block.box
        plain = block.plain
        total += plain
        weight = plain + 5
        pull = max(-5.0, min(5.0, score)) * weight
        above = box.parent or box
        higher = above.parent or above
        kind = (box.tag, box.node.get("class"), above.node.get("class"))
        of_kind.append(kind)
        sums = kinds.get(kind)
        if sums is None:
            kinds[kind] = [pull, weight, 1]
        else:
            sums[0] += pull
            sums[1] += weight
            sums[2] += 1
        for one in (box, above, higher):
            one.weight += weight
            one.pull += pull
    return kinds, of_kind, total
