"""Rules: one way, or several in order, to a value on a page. The first that fits wins.

A rule is CSS (with ``::text`` and ``::attr(x)``), XPath, JMESPath, JSON path or a regular expression; it may be
narrowed by a regular expression. A selector insists: none or two matches where one is due do not fit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jmespath
from cssselect import SelectorError
from lxml import etree
from parsel.csstranslator import HTMLTranslator

from crawler.extract.page import Page
from crawler.extract.text import plain, squeeze

Find = Callable[[Page, Any], list[Any]]
"""From a page and a scope (a tree node, or JSON) to what was found: elements, texts or JSON values."""

_translator = HTMLTranslator()
_ANY_OF_CLASS = re.compile(
    r"\*\[@class and (?:contains\(@class, '[^']+'\) and )?"
    r"contains\(concat\(' ', normalize-space\(@class\), ' '\), ' (?P<name>[^']+) '\)\](?=/|$| \|)"
)
_ANY_OF_ID = re.compile(r"\*\[@id = '(?P<name>[^']+)'\](?=/|$| \|)")
_PATH_STEP = re.compile(
    r"""\.(?P<name>[^\W\d]\w*)|\[(?P<quote>['"])(?P<key>.+?)(?P=quote)\]|(?P<rest>\[(?:\*|-?\d+|-?\d*:-?\d*)\]|\.\*)"""
)


_FAULTS = (etree.XPathError, jmespath.exceptions.JMESPathError, re.error, ArithmeticError)
"""What goes wrong in an expression; also at work, where a function meets a value of another kind than it takes."""


class NoFit(ValueError):
    """No step of a rule gave what was due; the message names each step and what it gave."""


@dataclass(frozen=True, slots=True)
class Step:
    """One way to a value."""

    kind: str
    """``css``, ``xpath``, ``jmespath``, ``jsonpath``, ``regex`` (over the whole text) or ``const``."""
    expression: str
    find: Find
    regex: re.Pattern[str] | None = None
    """Narrows each text found to its first group, else to the whole match."""
    first: bool = False
    """Take the first of several matches."""
    join: str | None = None
    """Join several matches with this."""

    def __str__(self) -> str:
        return f"{self.kind} {self.expression!r}"


class Rule:
    """Steps in order; the first that fits wins."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)

    def text(self, page: Page, scope: Any = None) -> str:
        """The one text that a step gives, blanks squeezed. Raises NoFit."""
        misses = []
        for step in self.steps:
            found = [text for value in step.find(page, scope) if (text := _narrow(step, as_text(value)))]
            if step.join is not None and found:
                return squeeze(step.join.join(found))
            if len(found) == 1 or (found and step.first) or len(set(found)) == 1:
                return found[0]
            misses.append(f"{step} matched {len(found)} where one is due" if found else f"{step} matched nothing")
        raise NoFit("; ".join(misses))

    def texts(self, page: Page, scope: Any = None) -> list[str]:
        """All texts of the first step that gives any."""
        for step in self.steps:
            if found := [text for value in step.find(page, scope) if (text := _narrow(step, as_text(value)))]:
                return found
        return []

    def nodes(self, page: Page, scope: Any = None) -> list[Any]:
        """Whatever the first step that finds anything finds, unconverted."""
        for step in self.steps:
            if found := step.find(page, scope):
                return found
        return []

    def nodes_due(self, page: Page, scope: Any = None) -> list[Any]:
        """One node (all of them where the step joins) of the first step that fits. Raises NoFit."""
        misses = []
        for step in self.steps:
            found = step.find(page, scope)
            if found and (len(found) == 1 or step.join is not None):
                return found
            if found and step.first:
                return found[:1]
            misses.append(f"{step} matched {len(found)} where one is due" if found else f"{step} matched nothing")
        raise NoFit("; ".join(misses))


def as_text(value: Any) -> str:
    """Plain text of an element, a string or a JSON scalar; empty for null, containers and comments."""
    if isinstance(value, str):
        return squeeze(value)
    if isinstance(value, etree._Element):
        return squeeze(plain(value)) if isinstance(value.tag, str) else ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value)


def _narrow(step: Step, text: str) -> str:
    if step.regex is None or not text:
        return text
    match = step.regex.search(text)
    return (match[1] if match.re.groups else match[0]) or "" if match else ""


@lru_cache(maxsize=4096)
def compile_step(kind: str, expression: str, regex: str = "", first: bool = False, join: str | None = None) -> Step:
    """A step ready to run. Raises ValueError saying what is wrong with the expression."""
    try:
        find = _COMPILERS[kind](expression)
        pattern = re.compile(regex) if regex else None
    except (*_FAULTS, SelectorError, ValueError, OverflowError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{kind} {expression!r} cannot be read: {reason}") from error
    return Step(kind, expression, find, pattern, first, join)


def _css(expression: str) -> Find:
    return _xpath(css_path(expression))


def css_path(expression: str) -> str:
    """CSS as XPath; ``.class`` and ``#id`` alone look at attributes, not at elements, which takes half the time."""
    path = _translator.css_to_xpath(expression, prefix="descendant-or-self::")
    path = _ANY_OF_CLASS.sub(
        r"*/@class[contains(., '\g<name>') and contains(concat(' ', normalize-space(.), ' '), ' \g<name> ')]/parent::*",
        path,
    )
    return _ANY_OF_ID.sub(r"*/@id[. = '\g<name>']/parent::*", path)


def _xpath(expression: str) -> Find:
    path = etree.XPath(expression, namespaces={"re": "http://exslt.org/regular-expressions"}, smart_strings=False)

    path(etree.Element("html"))  # unknown functions and variables only show at work

    def find(page: Page, scope: Any) -> list[Any]:
        within = page.root if scope is None else scope
        try:
            found = path(within) if isinstance(within, etree._Element) else []
        except _FAULTS:
            return []
        return found if isinstance(found, list) else [found]

    return find


def _jmespath(expression: str) -> Find:
    query = jmespath.compile(expression)
    with suppress(jmespath.exceptions.JMESPathTypeError):
        query.search({})  # unknown functions only show at work

    def find(page: Page, scope: Any) -> list[Any]:
        value = page.json if scope is None else scope
        try:
            found = query.search(value)
        except (*_FAULTS, ValueError, TypeError, RecursionError):  # functions that meet 1e999, NaN, or great depth
            return []
        return found if isinstance(found, list) else [] if found is None else [found]

    return find


def _jsonpath(expression: str) -> Find:
    """The part of RFC 9535 that names one place or all items of one: names, indexes, slices, wildcards."""
    if not expression.startswith("$"):
        raise ValueError("a JSON path begins with $")
    if expression == "$":
        return _jmespath("@")
    steps, at = [], 1
    while at < len(expression):
        match = _PATH_STEP.match(expression, at)
        if match is None:
            raise ValueError(f"not understood from {expression[at:]!r} on (descent and filters: use jmespath)")
        name = match["name"] or match["key"]
        steps.append(f".{json.dumps(name)}" if name else match["rest"])
        at = match.end()
    return _jmespath("".join(steps).removeprefix("."))


def _regex(expression: str) -> Find:
    pattern = re.compile(expression)

    def find(page: Page, scope: Any) -> list[Any]:
        text = page.text if scope is None else scope if isinstance(scope, str) else _source_of(scope)
        return [match[1] if pattern.groups else match[0] for match in pattern.finditer(text)]

    return find


def _source_of(scope: Any) -> str:
    return etree.tostring(scope, encoding="unicode", method="html") if isinstance(scope, etree._Element) else str(scope)


def _const(expression: str) -> Find:
    return lambda page, scope: [expression]


_COMPILERS: dict[str, Callable[[str], Find]] = {
    "css": _css,
    "xpath": _xpath,
    "jmespath": _jmespath,
    "jsonpath": _jsonpath,
    "regex": _regex,
    "const": _const,
}
KINDS = tuple(_COMPILERS)
