"""A rule for the body: the smallest element that holds it on every page, and what is to be taken out of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from crawler.extract.layout import Layout, run
from crawler.extract.page import Page
from crawler.extract.rules import compile_step
from crawler.extract.text import SILENT, plain
from crawler.gate import normal
from crawler.probe.paths import own_selectors, selectors
from crawler.probe.rules import Sample
from crawler.rulemodel import RuleModel

_FIRST = 4
_OUTWARD = 5
"""Elements around the text that are tried."""
_MISSING, _EXTRA = 0.01, 0.02
"""Share of the agreed text that a rule may lose, and may have beyond it."""
_FEW = 30
"""Characters beyond the agreed text that are nothing to speak of."""
_KEPT = frozenset(("figure", "figcaption", "img", "picture", "table", *SILENT))
"""What the agreed text leaves out and a post keeps, or what no reader sees: no furniture."""
_FURNITURE = frozenset(("aside", "nav", "form", "button", "footer"))
"""Tags that say of themselves that they are no text."""
_MOST_STRIPPED, _MOST_TRIED = 6, 24
"""Selectors of furniture: where more are needed, the next article would need another one."""


@dataclass(frozen=True, slots=True)
class BodyRule:
    """Where the body stands."""

    body: str
    strip: tuple[str, ...]
    fits: int
    """Pages on which it gives the agreed text, to a hundredth."""
    of: int


class Bodies:
    """Finds a rule for the body of a site's articles."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = [one for one in samples if one.found.text]
        self._due = [Counter(map(normal, one.found.text.split("\n"))) for one in self._samples]
        self.tried = 0
        """Selectors that were looked at."""

    def rule(self) -> BodyRule | None:
        """The rule that gives all the agreed text and the least beyond it, on every page; None where none does."""
        best: tuple[float, BodyRule] | None = None
        tried: list[list[Any]] = []
        for selector in self._candidates():
            self.tried += 1
            nodes = self._nodes(selector)
            if nodes is None or nodes in tried or not self._hold(nodes):
                continue
            tried.append(nodes)  # of several ways to the same elements the first is the simplest
            strip = self._strip(nodes)
            losses = [self._loss(one, due, selector, strip) for one, due in self._pairs()]
            if any(missing > _MISSING * 5 or extra > _EXTRA * 5 + _FEW / size for missing, extra, size in losses):
                continue
            fits = sum(missing <= _MISSING and extra <= _EXTRA + _FEW / size for missing, extra, size in losses)
            beyond = round(sum(missing + extra for missing, extra, _ in losses) / len(losses), 3)
            if fits >= len(losses) * 0.9 and (best is None or (beyond, len(strip)) < (best[0], len(best[1].strip))):
                best = beyond, BodyRule(selector, strip, fits, len(losses))
        return best[1] if best else None

    def _hold(self, nodes: Sequence[Any]) -> bool:
        """Whether these elements have the agreed text, whatever else."""
        for node, due in zip(nodes, self._due, strict=True):
            missing = sum(map(len, due.keys() - set(_lines(node))))
            if missing > sum(map(len, due)) * _MISSING * 5:
                return False
        return True

    def _pairs(self) -> Iterator[tuple[Sample, Counter[str]]]:
        return zip(self._samples, self._due, strict=True)

    def _candidates(self) -> list[str]:
        """Selectors of the elements around the agreed text, the nearest first."""
        found: list[str] = []
        for one, due in list(self._pairs())[:_FIRST]:
            node = _holder(one.page, due)
            for _ in range(_OUTWARD):
                if node is None or node.tag in ("html", "body"):
                    break
                found += selectors(node, 10)
                node = node.getparent()
        return list(dict.fromkeys(found))

    def _nodes(self, selector: str) -> list[Any] | None:
        """The one element on each page; None where one is missing or there are several."""
        step, nodes = compile_step("css", selector), []
        for one in self._samples:
            found = step.find(one.page, None)
            if len(found) != 1:
                return None
            nodes += found
        return nodes

    def _strip(self, nodes: Sequence[Any]) -> tuple[str, ...]:
        """Selectors of what is no text in these elements: each takes something away, and never a line of the text."""
        weights: Counter[str] = Counter()
        for node, due in zip(nodes, self._due, strict=True):
            for junk in _junk(node, due):
                weights.update({name: len(plain(junk)) for name in _names(junk)})
        chosen: list[str] = []
        for selector, _ in weights.most_common(_MOST_TRIED):
            if (
                len(chosen) < _MOST_STRIPPED
                and self._takes_no_text(selector, nodes)
                and self._adds(selector, chosen, nodes)
            ):
                chosen.append(selector)
        return tuple(chosen)

    def _takes_no_text(self, selector: str, nodes: Sequence[Any]) -> bool:
        step = compile_step("css", selector)
        return not any(
            due.keys() & set(_lines(found)) or found is node
            for node, due in zip(nodes, self._due, strict=True)
            for found in step.find(_NO_PAGE, node)
        )

    def _adds(self, selector: str, chosen: Iterable[str], nodes: Sequence[Any]) -> bool:
        """Whether it takes something that the others leave."""
        step, others = compile_step("css", selector), [compile_step("css", one) for one in chosen]
        for node in nodes:
            taken = {one for other in others for found in other.find(_NO_PAGE, node) for one in found.iter()}
            if any(found not in taken and plain(found).strip() for found in step.find(_NO_PAGE, node)):
                return True
        return False

    def _loss(self, one: Sample, due: Counter[str], selector: str, strip: Sequence[str]) -> tuple[float, float, int]:
        """Shares of the agreed text that the rule loses and has beyond it, and the size of the text."""
        rules = {"body": RuleModel([selector]).compiled("css")}
        html = run(one.page, Layout(rules, [RuleModel([name]).compiled("css") for name in strip])).body
        given = Counter(_lines(without_captions(html)))
        size = sum(len(line) * count for line, count in due.items()) or 1
        missing = sum(len(line) * count for line, count in (due - given).items())
        extra = sum(len(line) * count for line, count in (given - due).items())
        return missing / size, extra / size, size


_NO_PAGE = Page(b"")


def _lines(element: Any) -> list[str]:
    return [text for line in plain(element).split("\n") if (text := normal(line))]


def without_captions(html: str) -> Any:
    """The tree of a body; what is said below pictures is no part of the agreed text."""
    root = etree.fromstring(f"<div>{html}</div>".encode("utf-8", "replace"), etree.HTMLParser(encoding="utf-8"))
    for tag in ("figure", "figcaption"):
        for element in list(root.iter(tag)):
            if (parent := element.getparent()) is not None:
                parent.remove(element)
    return root


def _holder(page: Page, due: Counter[str]) -> Any:
    """The innermost element with nearly all of the text."""
    size = sum(len(line) for line in due)
    node = page.root
    while True:
        for child in node:
            if isinstance(child.tag, str) and child.tag not in SILENT:
                there = due.keys() & set(_lines(child))
                if sum(map(len, there)) >= size * (1 - _MISSING):
                    node = child
                    break
        else:
            return node


def _junk(node: Any, due: Counter[str]) -> Iterator[Any]:
    """The outermost elements in a body that hold words but none of the text."""
    for child in node:
        if not isinstance(child.tag, str) or child.tag in _KEPT:
            continue
        lines = set(_lines(child))
        if not lines:
            continue
        if due.keys().isdisjoint(lines):
            yield child
        else:
            yield from _junk(child, due)


def _names(junk: Any) -> list[str]:
    """Selectors by which furniture may be taken out: never a bare tag of the text."""
    own = [name for name in own_selectors(junk) if not name.startswith(("h1", "article", "main", "time"))]
    return [*own, *([junk.tag] if junk.tag in _FURNITURE else [])]
