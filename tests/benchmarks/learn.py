"""Learn the weights by which blocks of a page are told apart, from pages with truth, and say how far they carry.

``python -m tests.benchmarks.learn [--write]`` in an environment with scikit-learn; reads ../shared/corpus. Figures are
of pages of sites that were held back (five folds, a site in one of them), so they promise something of other sites.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from crawler.extract import weigh
from crawler.extract.blocks import Block, Segments
from crawler.extract.body import LEAST, chosen, told_of
from crawler.extract.facts import Facts
from crawler.extract.model import NEVER
from crawler.extract.page import Page
from crawler.extract.region import context, find_region
from crawler.extract.words import BITS, GROUPS
from tests.shared import SHARED

MODEL = Path(weigh.__file__).with_name("model.json")
_FOLDS = 5
_TREES, _LEAVES, _RATE, _FEATURES, _SEED = 110, 10, 0.08, 0.15, 1
"""How many trees, leaves of each, how fast they learn, share of the features that each branching may choose from."""
_SHORT = 6
"""Tokens: a shorter block is the article's if it is a line of it, or stands between what is."""


@dataclass
class Sample:
    """One page with truth."""

    id: str
    set: str
    site: str
    page: Segments
    rows: list[weigh.Row]
    title: str
    labels: list[float | None]
    """For each block the share of it that is the article's; None where that is not known."""
    weights: list[float]
    truth: str | None
    snippets: tuple[list[str], list[str]]


def scorer() -> ModuleType:
    """The corpus' own scorer."""
    spec = importlib.util.spec_from_file_location("score", SHARED / "corpus" / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCORE = scorer()


def samples() -> list[Sample]:
    """Every page of the corpus whose body, or parts of it, are known."""
    truth = SCORE.load(str(SHARED / "corpus" / "truth.jsonl"))
    return [made for entry in truth if (made := sample(entry))]


def sample(entry: Mapping[str, Any]) -> Sample | None:
    """A page of the corpus; None where it says nothing of its body."""
    snippets = (entry.get("with") or [], entry.get("without") or [])
    if not entry.get("body") and not any(snippets):
        return None
    raw = gzip.decompress((SHARED / "corpus" / entry["html"]).read_bytes())
    facts = Facts(Page(raw, entry["url"] or "", encoding=entry["encoding"]))
    page = facts.segments
    title, description, told = told_of(facts)
    rows = weigh.local_features(page, title, description, told)
    texts = [block.text for block in page.blocks]
    if entry.get("body"):
        labels = by_truth(texts, entry["body"])
        whole = (
            sum(min(300, len(SCORE.tokens(t))) for t, label in zip(texts, labels, strict=True) if label is not None)
            or 1
        )
        weights = [100 * (len(SCORE.tokens(text)) + 2) / whole for text in texts]
    else:
        labels = by_snippets(texts, snippets)
        weights = [3.0] * len(texts)
    return Sample(
        entry["id"], entry["set"], site_of(entry), page, rows, title, labels, weights, entry.get("body"), snippets
    )


def site_of(entry: Mapping[str, Any]) -> str:
    """Pages of one site learn or judge together."""
    host = urlsplit(entry["url"] or "").hostname or ""
    if host:
        labels = host.split(".")
        return ".".join(labels[-3 if len(labels) > 2 and len(labels[-2]) <= 3 and len(labels[-1]) == 2 else -2 :])
    name = re.match(r"[a-z]+-(?:[a-z]{2}-)?[A-Za-z0-9]+", entry["id"])
    return name[0] if name else str(entry["id"])


def by_truth(texts: Sequence[str], truth: str) -> list[float | None]:
    """Share of each block's shingles that the truth has; short blocks by their lines and their neighbours."""
    shingles, flat = SCORE.shingles(truth), f" {' '.join(SCORE.tokens(truth))} "
    lines = {SCORE.wsn(line) for line in truth.split("\n")}
    found: list[float | None] = []
    for text in texts:
        tokens = SCORE.tokens(text)
        if not tokens:
            found.append(None)
        elif len(tokens) >= _SHORT:
            own = SCORE.shingles(text)
            found.append(sum(min(n, shingles.get(shingle, 0)) for shingle, n in own.items()) / sum(own.values()))
        elif SCORE.wsn(text) in lines:
            found.append(1.0)
        else:
            found.append(-1.0 if f" {' '.join(tokens)} " in flat else 0.0)
    sure = [
        n for n, share in enumerate(found) if share is not None and share >= 0 and len(SCORE.tokens(texts[n])) >= _SHORT
    ]
    for number, share in enumerate(found):
        if share == -1.0:
            before = max((n for n in sure if n < number), default=None)
            behind = min((n for n in sure if n > number), default=None)
            between = all(n is not None and (found[n] or 0) > 0.5 for n in (before, behind))
            found[number] = 1.0 if between else 0.0
    return found


def by_snippets(texts: Sequence[str], snippets: tuple[list[str], list[str]]) -> list[float | None]:
    """Blocks that hold a text that must be there, or one that must not."""
    wanted, unwanted = ([SCORE.wsn(text) for text in texts] for texts in snippets)
    return [
        1.0
        if any(want in text or (len(text) > 25 and text in want) for want in wanted)
        else 0.0
        if any(bad in text for bad in unwanted)
        else None
        for text in texts
    ]


def figures(pages: Sequence[Sample], kept: Iterable[Sequence[bool]]) -> dict[str, float]:
    """Body F1 by set, their mean, and the share of snippets judged rightly."""
    counts: defaultdict[str, list[Any]] = defaultdict(list)
    right: defaultdict[str, list[bool]] = defaultdict(list)
    for one, keep in zip(pages, kept, strict=True):
        text = "\n".join(block.text for block, stays in zip(one.page.blocks, keep, strict=True) if stays)
        if one.truth:
            counts[one.set].append(SCORE.body_counts(one.truth, text))
        flat = SCORE.wsn(text)
        right[one.set] += [SCORE.wsn(want) in flat for want in one.snippets[0]]
        right[one.set] += [SCORE.wsn(bad) not in flat for bad in one.snippets[1]]
    found = {name: SCORE.aggregate([{"body": c} for c in cs])["F1"] for name, cs in counts.items()}
    found["mean"] = sum(found.values()) / len(found)
    return found | {f"{name} snippets": sum(answers) / len(answers) for name, answers in right.items() if answers}


def told(label: str, found: Mapping[str, float]) -> None:
    """One line of figures."""
    print(f"{label:22}", "  ".join(f"{name} {value:.4f}" for name, value in found.items()), flush=True)


class Learner:
    """Two stages: points for a block's own looks, then trees that see its surroundings too."""

    def __init__(self, pages: Sequence[Sample]) -> None:
        import numpy as np

        self.pages = pages
        self.ends = np.cumsum([0] + [len(one.rows) for one in pages])
        self.y = np.array([int((label or 0) > 0.5) for one in pages for label in one.labels])
        self.links = np.array([row is weigh.LINK for one in pages for row in one.rows])
        self.known = ~self.links & np.array([label is not None for one in pages for label in one.labels])
        self.weights = np.array([weight for one in pages for weight in one.weights])
        self.sites = np.array([one.site for one in pages for _ in one.rows])
        self.sizes = [1 + max(row[i] for one in pages for row in one.rows) for i in range(len(weigh.LOCAL))]

    def folds(self) -> Any:
        from sklearn.model_selection import GroupKFold

        return GroupKFold(_FOLDS).split(self.y, self.y, self.sites)

    def points(self) -> tuple[Any, dict[str, Any]]:
        """Scores of held-back pages, and the table learnt from all."""
        import numpy as np
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression

        starts = np.cumsum([0, *self.sizes])
        columns, ends = [], [0]
        for one in self.pages:
            for row, block in zip(one.rows, one.page.blocks, strict=True):
                columns += [int(starts[i]) + value for i, value in enumerate(row)]
                columns += [int(starts[-1]) + bit for bit in weigh.bits_of(block)]
                ends.append(len(columns))
        matrix = csr_matrix(
            (np.ones(len(columns)), columns, ends), shape=(len(self.y), int(starts[-1]) + 3 * len(GROUPS))
        )

        def fit(rows: Any) -> Any:
            rows = rows[self.known[rows]]
            model = LogisticRegression(C=0.1, max_iter=400)
            return model.fit(matrix[rows], self.y[rows], sample_weight=self.weights[rows])

        held = np.zeros(len(self.y))
        for learn, test in self.folds():
            held[test] = fit(learn).decision_function(matrix[test])
        held[self.links] = NEVER
        model = fit(np.arange(len(self.y)))
        table = model.coef_[0]
        return held, {
            "bias": round(float(model.intercept_[0]), 3),
            "points": [[round(float(v), 3) for v in table[a:b]] for a, b in pairwise(starts)],
            "words": [round(float(v), 3) for v in table[starts[-1] :]],
        }

    def trees(self, scores: Any, bias: float) -> tuple[Any, dict[str, Any]]:
        """Scores of held-back pages, and the trees learnt from all."""
        import numpy as np
        from sklearn.ensemble import HistGradientBoostingClassifier

        rows, where, count = [], [], 0
        for one, start, end in zip(self.pages, self.ends, self.ends[1:], strict=False):
            own = [float(score) for score in scores[start:end]]
            blocks = one.page.blocks
            region = find_region(blocks, one.rows, own, one.title) if blocks else None
            if region is None:
                continue
            for number, features in context(blocks, own, one.rows, region).items():
                count = len(features)
                rows.append([*features, *flags_of(blocks[number])])
                where.append(int(start) + number)
        matrix, at = np.array(rows, np.float32), np.array(where)
        y, known, weights, sites = self.y[at], self.known[at], self.weights[at], self.sites[at]

        def fit(rows: Any) -> Any:
            rows = rows[known[rows]]
            model = HistGradientBoostingClassifier(
                max_iter=_TREES, max_leaf_nodes=_LEAVES, learning_rate=_RATE, l2_regularization=2.0,
                min_samples_leaf=40, early_stopping=False, random_state=_SEED, max_features=_FEATURES,
            )  # fmt: skip
            return model.fit(matrix[rows], y[rows], sample_weight=weights[rows])

        from sklearn.model_selection import GroupKFold

        held = np.full(len(self.y), -9.0)
        for learn, test in GroupKFold(_FOLDS).split(matrix, y, sites):
            held[at[test]] = fit(learn).decision_function(matrix[test])
        model = fit(np.arange(len(y)))
        return held, {
            "features": count,
            "tree_bias": round(float(model._baseline_prediction.ravel()[0]), 3),
            "trees": [grown(stage[0].nodes) for stage in model._predictors],
        }

    def kept(self, scores: Any, least: float = LEAST) -> list[list[bool]]:
        """Which blocks of each page are kept where ``least`` is asked."""
        found = []
        for one, start, end in zip(self.pages, self.ends, self.ends[1:], strict=False):
            own = [float(score) for score in scores[start:end]]
            numbers = set(chosen(one.page.blocks, own, one.title, least)) if own else set()
            found.append([number in numbers for number in range(len(own))])
        return found


def flags_of(block: Block) -> list[int]:
    """The words around a block for trees: for each group 3 where one is near by, 2 and 1 farther up, 0 for none."""
    near, middle, above = block.box.near | block.inline, block.box.middle, block.box.all
    return [3 if near & bit else 2 if middle & bit else 1 if above & bit else 0 for bit in BITS.values()]


def grown(nodes: Any, at: int = 0) -> Any:
    """A tree as nested lists: feature, threshold, what follows where the value is not above it, what else."""
    node = nodes[at]
    if node["is_leaf"]:
        return round(float(node["value"]), 4)
    sides = [grown(nodes, int(node[side])) for side in ("left", "right")]
    return [int(node["feature_idx"]), round(float(node["num_threshold"]), 5), *sides]


def main() -> int:
    """Learn, say how well, and write the weights if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write what was learnt to crawler/extract/model.json")
    given = parser.parse_args()
    if not (SHARED / "corpus").is_dir():
        print("../shared/corpus is absent: nothing to learn from", file=sys.stderr)
        return 2
    pages = samples()
    learner = Learner(pages)
    told("every block right", figures(pages, [[(label or 0) > 0.5 for label in one.labels] for one in pages]))
    held, points = learner.points()
    told("own looks, held back", figures(pages, learner.kept(held)))
    second, trees = learner.trees(held, points["bias"])
    for least in (LEAST - 0.4, LEAST, LEAST + 0.4):
        told(f"trees, held back, {least:+.1f}", figures(pages, learner.kept(second, least)))
    if given.write:
        MODEL.write_text(json.dumps(points | trees, separators=(",", ":")) + "\n", encoding="utf-8")
        print(f"wrote {MODEL.name}: {MODEL.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
