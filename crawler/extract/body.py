"""The article's own blocks, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import blake2b
from typing import Any

from crawler.extract.blocks import Block, Box, Segments
from crawler.extract.facts import Facts, text_of
from crawler.extract.model import NEVER, model
from crawler.extract.region import Region, context, find_region
from crawler.extract.walls import Phrases
from crawler.extract.weigh import is_byline, is_dated, local_features

LEAST = 0.5
"""What a block needs to be kept; measured on pages held back from learning."""
_HOPELESS = -2.5
"""Where no block has ``LEAST``, those near the best are kept if it has more than this."""
_SCANT = 300
"""Bytes; where less is kept, a page may be unlike any that was learnt from."""
_PARAGRAPH, _LINE = 120, 100
"""Bytes: a text begins with a paragraph of so many; a line with a date above it has fewer."""
_LAST, _PROMO = 5, 400
"""Blocks at the end among which a promotion is looked for, and bytes that it has at most."""
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


@dataclass(slots=True)
class Body:
    """Where the article is, and what of it was kept."""

    page: Segments
    scores: list[float]
    """For each block what speaks for it, as logarithm of odds."""
    kept: list[int]
    """Numbers of the article's blocks, captions of pictures among them."""
    region: Region | None = None

    @property
    def blocks(self) -> list[Block]:
        """The article's blocks without captions."""
        blocks = self.page.blocks
        return [blocks[number] for number in self.kept if not is_caption(blocks[number])]

    @property
    def text(self) -> str:
        """A line for each block."""
        return "\n".join(block.text for block in self.blocks)

    @property
    def node(self) -> Any:
        """The lowest element that holds every kept block; None without any."""
        blocks = self.blocks
        return reduce(_common, (block.box for block in blocks)).node if blocks else None

    def drop_promos(self, phrases: Phrases) -> None:
        """Take the lines off its end that sell the rest of the article, and headings above them."""
        blocks, end = self.page.blocks, len(self.kept)
        for at in range(len(self.kept) - 1, max(-1, len(self.kept) - _LAST - 1), -1):
            block = blocks[self.kept[at]]
            if block.size < _PROMO and phrases.sells(block.text):
                end = at
        while 0 < end < len(self.kept) and blocks[self.kept[end - 1]].box.tag in _HEADINGS:
            end -= 1
        del self.kept[end:]

    def fingerprints(self) -> list[int]:
        """One number for each kept block that says enough to be told from others, for a source's memory."""
        return [fingerprint(block.text) for block in self.blocks if block.size >= _TELLING]


def _common(one: Box, other: Box) -> Box:
    """The innermost box that holds two boxes of a page."""
    while one is not other:
        deeper = one.depth - other.depth
        if deeper >= 0:
            one = one.parent or one
        if deeper <= 0:
            other = other.parent or other
    return one


_TELLING = 12
"""Bytes; shorter lines ("Ja.", "1") stand in many articles by right."""


def find_body(facts: Facts, *, repeated: Collection[int] = ()) -> Body:
    """The article of a page. ``repeated`` are fingerprints of blocks that stand on other pages of its source too."""
    page = facts.segments
    blocks = page.blocks
    title, description, told = told_of(facts)
    rows = local_features(page, title, description, told)
    weights = model()
    scores = [weights.own(block, row) for block, row in zip(blocks, rows, strict=True)]
    if repeated:
        scores = [
            NEVER if block.size >= _TELLING and fingerprint(block.text) in repeated else score
            for block, score in zip(blocks, scores, strict=True)
        ]
    region = find_region(blocks, rows, scores, title) if blocks else None
    if region is None:
        return Body(page, scores, [])
    final = [min(score, -1.0) for score in scores]
    for number, features in context(blocks, scores, rows, region).items():
        final[number] = weights.with_surroundings(blocks[number], features)
    return Body(page, final, chosen(blocks, final, title), region)


def told_of(facts: Facts) -> tuple[str, str, str]:
    """Title, description and text that a page states of its article."""
    title = facts.meta("og:title", "twitter:title") or text_of(facts.article.get("headline")) or facts.head_title
    return title, facts.meta("og:description", "description"), text_of(facts.article.get("articleBody"))


def fingerprint(text: str) -> int:
    """A number of 63 bits for a text, the same on every machine."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big") >> 1


def is_caption(block: Block) -> bool:
    """Whether a block belongs to a picture."""
    box = block.box
    for _ in range(3):
        if box.tag == "figcaption" or box.parent is None:
            break
        box = box.parent
    return box.tag == "figcaption"


def chosen(blocks: Sequence[Block], scores: Sequence[float], title: str, least: float = LEAST) -> list[int]:
    """Numbers of the article's blocks by their scores and by what a text's beginning, headings and end are like."""
    best = max(scores)
    if best <= least:
        least = max(_HOPELESS, best - 1)
    kept = [number for number, score in enumerate(scores) if score > least]
    prose = _largest_prose(blocks) if sum(blocks[number].size for number in kept) < _SCANT else []
    if len(prose) > 1 and sum(blocks[n].size for n in prose) > 4 * sum(blocks[n].size for n in kept):
        kept = prose
    if not kept:
        return []
    kept = sorted({*kept, *_headings_before(blocks, scores, kept)})
    start = next((at for at, number in enumerate(kept) if blocks[number].size >= _PARAGRAPH), len(kept))
    kept = [n for n in kept[:start] if not _is_above_text(blocks[n], title)] + kept[start:]
    while len(kept) > 1 and blocks[kept[-1]].box.tag in _HEADINGS:
        kept.pop()
    return kept


def _largest_prose(blocks: Sequence[Block]) -> list[int]:
    """Numbers of the blocks of one box that hold the most prose: for pages unlike any that was learnt from."""
    groups: dict[Box | None, list[int]] = {}
    for number, block in enumerate(blocks):
        groups.setdefault(block.box if block.box.blocks > 1 else block.box.parent, []).append(number)
    best, most = [], 0
    for members in groups.values():
        long = [n for n in members if blocks[n].size >= _PARAGRAPH and blocks[n].linked < 0.3]
        size = sum(blocks[n].size for n in long)
        if size > most:
            best, most = [n for n in members if long[0] <= n <= long[-1] and blocks[n].linked < 0.9], size
    return best


def _headings_before(blocks: Sequence[Block], scores: Sequence[float], kept: Sequence[int]) -> Iterator[int]:
    """Headings in doubt that stand right before a kept block, beside it, within the text."""
    for number in kept[1:]:
        heading = blocks[number - 1]
        beside = heading.box.parent is blocks[number].box.parent
        if beside and heading.box.tag in _HEADINGS and scores[number - 1] > _HOPELESS and not heading.linked:
            yield number - 1


def _is_above_text(block: Block, title: str) -> bool:
    """Whether it is the headline, or a line with the date or the byline."""
    text = block.text.casefold()
    if block.box.tag == "h1" or (len(text) > 5 and text in title.casefold()):
        return True
    if block.box.tag in _HEADINGS:
        return False
    return block.size < _LINE and (is_dated(block.text) or (block.size < _LINE / 2 and is_byline(block.text)))
