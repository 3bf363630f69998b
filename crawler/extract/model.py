"""Weights that were learnt from pages with truth (``python -m tests.benchmarks.learn``), ready to be added up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from crawler.extract.blocks import Block
from crawler.extract.weigh import Row, bits_of

Tree = float | list[Any]
"""A leaf's points, or feature, threshold, what follows at or below it, what follows above."""


class Model:
    """Points for a block's own looks; trees that see its surroundings too. Logarithms of odds, all of them."""

    def __init__(self, learnt: dict[str, Any]) -> None:
        self._bias: float = learnt["bias"]
        self._points: list[list[float]] = learnt["points"]
        self._words: list[float] = learnt["words"]
        self._tree_bias: float = learnt["tree_bias"]
        self._trees: list[Tree] = learnt["trees"]
        self._of_words: dict[tuple[int, int, int], float] = {}

    def own(self, block: Block, row: Row) -> float:
        """What a block's own looks say for its being the article's."""
        box = block.box
        key = (box.near | block.inline, box.middle, box.all)
        words = self._of_words.get(key)
        if words is None:
            if len(self._of_words) > _REMEMBERED:
                self._of_words.clear()
            words = self._of_words[key] = sum(self._words[bit] for bit in bits_of(block))
        score = self._bias + words
        for points, bucket in zip(self._points, row, strict=True):
            score += points[bucket] if bucket < len(points) else points[-1]
        return score

    def with_surroundings(self, features: Sequence[float]) -> float:
        """What its surroundings say too."""
        score = self._tree_bias
        for tree in self._trees:
            node = tree
            while type(node) is list:
                node = node[2] if features[node[0]] <= node[1] else node[3]
            score += node  # type: ignore[operator]
        return score


_REMEMBERED = 50_000
"""Combinations of words that are kept; a site has a few hundred."""


@cache
def model() -> Model:
    """The model that comes with the package."""
    return Model(json.loads(Path(__file__).with_name("model.json").read_text(encoding="utf-8")))
