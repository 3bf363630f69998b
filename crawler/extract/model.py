"""Weights that were learnt from pages with truth (``python -m tests.benchmarks.learn``), ready to be added up."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from math import floor
from operator import getitem
from pathlib import Path
from typing import Any

from crawler.extract.blocks import Block
from crawler.extract.region import COUNTS
from crawler.extract.weigh import LINK, Row, bits_of

NEVER = -9.0
"""For a block that is out of the question."""
Tree = float | list[Any]
"""A leaf's points, or feature, threshold, what follows at or below it, what follows above."""


class Model:
    """Points for a block's own looks; trees that see its surroundings too. Logarithms of odds, all of them."""

    def __init__(self, learnt: dict[str, Any]) -> None:
        self._bias: float = learnt["bias"]
        self._points = [points + points[-1:] * _MOST_BUCKETS for points in learnt["points"]]
        self._words: list[float] = learnt["words"]
        self._trees = compiled(learnt["tree_bias"], learnt["trees"], learnt["features"])
        self._of_words: dict[tuple[int, int, int], float] = {}

    def own(self, block: Block, row: Row) -> float:
        """What a block's own looks say for its being the article's."""
        if row is LINK:
            return NEVER
        box = block.box
        key = (box.near | block.inline, box.middle, box.all)
        words = self._of_words.get(key)
        if words is None:
            if len(self._of_words) > _REMEMBERED:
                self._of_words.clear()
            words = self._of_words[key] = sum(self._words[bit] for bit in bits_of(block))
        points: float = sum(map(getitem, self._points, row))
        return self._bias + words + points

    def with_surroundings(self, block: Block, features: Sequence[float]) -> float:
        """What its surroundings say too."""
        near = block.box.near | block.inline
        middle = near | block.box.middle
        return self._trees(features, near, middle, middle | block.box.all)


def compiled(bias: float, trees: Sequence[Tree], features: int) -> Callable[[Sequence[float], int, int, int], float]:
    """The sum of all trees as one function: in an eighth of the time that walking through them takes.

    ``features`` is how many numbers come before the groups of words, which the function is given as bits: of the
    words near by, of those a little farther up too, of all above.
    """

    def written(tree: Tree) -> str:
        if not isinstance(tree, list):
            return repr(float(tree))
        number, threshold, below, above = tree
        if number < features:
            if number in COUNTS:  # Python compares numbers of one kind in a third of the time
                threshold = floor(threshold)
            return f"({written(below)} if x{number:d}<={threshold!r} else {written(above)})"
        level = "amn"[min(2, max(0, int(threshold)))]  # levels are 0 to 3, thresholds lie halfway between them
        return f"({written(above)} if {level}&{1 << (number - features)} else {written(below)})"

    names = ",".join(f"x{number}" for number in range(features))
    terms = "+".join(map(written, trees))
    made: dict[str, Callable[[Sequence[float], int, int, int], float]] = {}
    exec(f"def summed(x,n,m,a):\n {names},=x\n return {bias!r}+{terms}", made)
    return made["summed"]


_MOST_BUCKETS = 64
"""Buckets that no page with truth had count as the last that one had."""
_REMEMBERED = 50_000
"""Combinations of words that are kept; a site has a few hundred."""


@cache
def model() -> Model:
    """The model that comes with the package."""
    return Model(json.loads(Path(__file__).with_name("model.json").read_text(encoding="utf-8")))
