"""Where on a page the article lies: the box that holds most of what speaks for it, one article of several.

And, seen from there, what a block's surroundings say of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crawler.extract.blocks import Block, Box
from crawler.extract.weigh import DATE_OR_BYLINE, Row
from crawler.extract.words import BITS

MAYBE = -4.5
"""Below this a block's own looks settle it; whatever stands around it would not bring it back."""
_MOST = 0.8
"""Share of a box that makes the box around it uninteresting."""
_LONGEST = 1500
"""Bytes of one block that count: a whole legal code in one block is no more of an article than a page of it."""
_HEADINGS = frozenset(("h1", "h2", "h3", "h4"))
_UNIT = BITS["article"] | BITS["<article>"]


@dataclass(slots=True)
class Region:
    """The article's place among the blocks."""

    box: Box
    first: int
    last: int
    """Numbers of the first and the last block of the densest run in it."""
    shares: Mapping[int, float]
    """By identity of a box, its part of all that speaks for the article."""


def find_region(blocks: Sequence[Block], rows: Sequence[Row], scores: Sequence[float], title: str) -> Region | None:
    """The box of the article; None on a page without a block that looks like one's."""
    gains = [_gain(block, score) for block, score in zip(blocks, scores, strict=True)]
    mass: defaultdict[int, float] = defaultdict(float)
    inner: defaultdict[int, dict[int, Box]] = defaultdict(dict)
    for block, gain in zip(blocks, gains, strict=True):
        if gain > 0:
            box = block.box
            mass[id(box)] += gain
            while box.parent is not None:
                inner[id(box.parent)][id(box)] = box
                box = box.parent
                mass[id(box)] += gain
    if not mass:
        return None
    best = top = _top(blocks[0].box)
    while True:
        boxes = sorted(inner[id(best)].values(), key=lambda box: -mass[id(box)])
        if not boxes:
            break
        if mass[id(boxes[0])] > _MOST * mass[id(best)]:
            best = boxes[0]
        elif unit := _one_of_many(list(inner[id(best)].values()), mass, blocks, rows, title):
            best = unit
        else:
            break
    best = _holder(best)
    total = mass[id(top)]
    first, last = _densest(
        [gain if _within(block.box, best) else -_LONGEST for block, gain in zip(blocks, gains, strict=True)]
    )
    return Region(best, first, last, {key: value / total for key, value in mass.items()})


def _gain(block: Block, score: float) -> float:
    return max(-1.0, min(1.0, score / 4)) * min(_LONGEST, block.size) * (1 - block.linked)


def _top(box: Box) -> Box:
    while box.parent is not None:
        box = box.parent
    return box


def _holder(box: Box) -> Box:
    """The box around a lone paragraph: others of the article's may stand beside it."""
    return box.parent if box.parent is not None and box.blocks and box.tag in ("p", "li", "blockquote") else box


def _within(box: Box | None, outer: Box) -> bool:
    while box is not None:
        if box is outer:
            return True
        box = box.parent
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


def _one_of_many(
    boxes: Sequence[Box], mass: Mapping[int, float], blocks: Sequence[Block], rows: Sequence[Row], title: str
) -> Box | None:
    """Of boxes side by side that are articles each, the page's own: the one with its title, else the first."""
    whole = sum(mass[id(box)] for box in boxes)
    units = [box for box in boxes if mass[id(box)] > 0.04 * whole]
    if len(units) < 2:
        return None
    members: dict[int, list[int]] = {id(box): [] for box in units}
    for number, block in enumerate(blocks):
        box: Box | None = block.box
        while box is not None:
            if id(box) in members:
                members[id(box)].append(number)
                break
            box = box.parent
    articles = [box for box in units if _is_article(box, members[id(box)], blocks, rows)]
    if len(articles) < 2 or sum(mass[id(box)] for box in articles) < 0.7 * whole:
        return None
    for box in articles:
        if title and any(_same(blocks[number].text, title) for number in members[id(box)][:6]):
            return box
    return articles[0]


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
    weights: defaultdict[int, float] = defaultdict(float)
    sums: defaultdict[int, float] = defaultdict(float)
    kinds: defaultdict[tuple[str, str | None], float] = defaultdict(float)
    kind_weights: defaultdict[tuple[str, str | None], float] = defaultdict(float)
    signatures = []
    total = 1
    for block, score in zip(blocks, scores, strict=True):
        box = block.box
        weight = int(block.size * (1 - block.linked)) + 5
        total += weight - 5
        pull = max(-5.0, min(5.0, score)) * weight
        above = box.parent or box
        signature = (box.tag, (box.node.get("class") or "") + "|" + (above.node.get("class") or ""))
        signatures.append(signature)
        kinds[signature] += pull
        kind_weights[signature] += weight
        for one in (box, above, above.parent or above):
            weights[id(one)] += weight
            sums[id(one)] += pull
    chain: dict[int, int] = {}
    outer: Box | None = region.box
    while outer is not None:
        chain[id(outer)] = len(chain)
        outer = outer.parent
    sure = [number for number, score in enumerate(scores) if score > 0]
    padded = [-6.0, -6.0, *scores, -6.0, -6.0]
    found: dict[int, list[float]] = {}
    before, last_sure = 0, -99
    upcoming = iter([*sure, len(blocks) + 99])
    next_sure = next(upcoming)
    run = max(1, region.last - region.first + 1)
    for number, block in enumerate(blocks):
        score = scores[number]
        if number >= next_sure:
            next_sure = next(upcoming)
        plain = int(block.size * (1 - block.linked))
        if score > MAYBE:
            box = block.box
            above = box.parent or box
            higher = above.parent or above
            steps, at = 0, box
            while id(at) not in chain and at.parent is not None:
                at = at.parent
                steps += 1
            found[number] = [
                score, padded[number], padded[number + 1], padded[number + 3], padded[number + 4],
                sums[id(box)] / weights[id(box)], sums[id(above)] / weights[id(above)],
                sums[id(higher)] / weights[id(higher)],
                region.shares.get(id(above), 0.0), region.shares.get(id(higher), 0.0),
                region.shares.get(id(higher.parent or higher), 0.0),
                kinds[signatures[number]] / kind_weights[signatures[number]],
                chain[id(at)], steps,
                number - region.first if number < region.first else max(0, number - region.last),
                (number - region.first) / run,
                min(50, number - last_sure), min(50, next_sure - number),
                block.size, block.linked, plain / total, weights[id(above)] / total, before / total,
                *rows[number],
            ]  # fmt: skip
        before += plain
        if score > 0:
            last_sure = number
    return found
