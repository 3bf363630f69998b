"""A layout: the rules for one form of a site's article pages, run over one page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any

import lxml.html
from lxml import etree

from crawler.extract.page import Page
from crawler.extract.rules import NoFit, Rule

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What no tree takes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Rules by field, ready to run."""

    rules: Mapping[str, Rule]
    strip: Sequence[Rule] = ()
    """What is taken out of the body."""
    drop: Sequence[str] = ()
    """Texts taken out of the body."""
    until: date | None = None
    """Last day of publication for which it holds."""
    date_formats: Sequence[str] = ()


@dataclass(slots=True)
class Fields:
    """What the rules of one layout gave; empty where a field has no rule or its rule did not fit."""

    body: str = ""
    title: str = ""
    published: str = ""
    modified: str = ""
    attribution: str = ""
    byline: tuple[str, ...] = ()
    editor: str = ""
    digest: str = ""
    section: str = ""
    canonical: str = ""
    misses: tuple[str, ...] = ()
    """One line for each rule that did not fit."""


def run(page: Page, layout: Layout) -> Fields:
    """All fields of a page."""
    given = Fields()
    misses: list[str] = []
    for name, rule in layout.rules.items():
        if name == "byline":
            given.byline = tuple(dict.fromkeys(rule.texts(page)))
        elif name != "body":
            try:
                setattr(given, name, rule.text(page))
            except NoFit as error:
                misses.append(f"{name}: {error}")
    try:
        given.body = _body(page, layout) if "body" in layout.rules else ""
    except NoFit as error:
        misses.append(f"body: {error}")
    given.misses = tuple(misses)
    return given


def _body(page: Page, layout: Layout) -> str:
    html = "".join(_inner(node, page, layout) for node in layout.rules["body"].nodes_due(page))
    for text in layout.drop:
        html = html.replace(text, "")
    return html


def _inner(node: Any, page: Page, layout: Layout) -> str:
    """HTML inside a node; a text (of a JSON answer) is HTML already."""
    if isinstance(node, str):
        if not layout.strip or not node.strip():
            return node
        node = lxml.html.fragment_fromstring(_CONTROLS.sub("", node), create_parent="div")
    if not isinstance(node, etree._Element):
        return ""
    if layout.strip:
        node = deepcopy(node)  # the next layout, if this one does not fit, sees the page as it was
        node.tail = None
    for rule in layout.strip:
        for unwanted in rule.nodes(page, node):
            _remove(unwanted, node)
    parts = [etree.tostring(child, encoding="unicode", method="html") for child in node]
    return _escaped(node.text or "") + "".join(parts)


def _remove(unwanted: Any, within: Any) -> None:
    """Take an element out, leaving the text behind it."""
    if unwanted is within or not isinstance(unwanted, etree._Element) or (parent := unwanted.getparent()) is None:
        return
    if unwanted.tail:
        before = unwanted.getprevious()
        if before is None:
            parent.text = (parent.text or "") + unwanted.tail
        else:
            before.tail = (before.tail or "") + unwanted.tail
    parent.remove(unwanted)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def choose(layouts: Sequence[Layout], day: date | None) -> list[Layout]:
    """Layouts to try, in order: those that hold for the day, oldest limit first; without a day all, newest first."""
    dated = sorted((one for one in layouts if one.until is not None), key=lambda one: one.until or date.max)
    present = [one for one in layouts if one.until is None]
    if day is None:
        return [*present, *reversed(dated)]
    return [*(one for one in dated if one.until is not None and day <= one.until), *present]
