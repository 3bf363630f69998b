"""CSS as quick XPath: it finds what cssselect's own XPath finds, in the same order, on any tree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from parsel.csstranslator import HTMLTranslator

from crawler.extract.rules import css_path

_PART = st.sampled_from(
    ["div", "*", ".a", ".b", "#x", "p.a", "p#x", ".a.b", ".a#x", ".b:first-child", ".a:not(.b)", ".a:has(.b)", "[id]"]
)
_SIGN = st.sampled_from([" ", " > ", " + ", " ~ ", ", "])
_SELECTOR = st.builds(
    lambda first, rest, end: first + "".join(sign + part for sign, part in rest) + end,
    _PART,
    st.lists(st.tuples(_SIGN, _PART), max_size=2),
    st.sampled_from(["", "::text", "::attr(class)"]),
)
_CLASS = st.sampled_from(["", "a", " a\t", "b a", "ab", "a-b", "b\na", "A", "ba b"])
_TREE: st.SearchStrategy[list[Any]] = st.recursive(
    st.just([]), lambda inner: st.lists(st.tuples(_CLASS, st.booleans(), inner), max_size=4)
)


def _element(children: list[Any], tag: str = "div") -> Any:
    element = etree.Element(tag)
    for number, (name, marked, inner) in enumerate(children):
        child = _element(inner, ("p", "div")[number % 2])
        child.text = str(number)
        child.attrib.update({"class": name} if name else {})
        child.attrib.update({"id": "x"} if marked else {})
        element.append(child)
    return element


@given(tree=_TREE, selector=_SELECTOR)
def test_it_finds_what_the_plain_path_finds(tree: list[Any], selector: str) -> None:
    root = _element(tree)
    plain = HTMLTranslator().css_to_xpath(selector, prefix="descendant-or-self::")
    assert etree.XPath(css_path(selector))(root) == etree.XPath(plain)(root)


@pytest.mark.parametrize(
    ("selector", "quick"),
    [
        (".meta", ["/@class[contains(., 'meta')"]),
        ("#content", ["/@id[. = 'content']"]),
        (".meta .time::attr(datetime)", ["/@class[contains(., 'meta')", "/@class[contains(., 'time')"]),
        ("#a > .b, .c", ["/@id[. = 'a']", "/@class[contains(., 'b')", "/@class[contains(., 'c')"]),
    ],
)
def test_names_alone_are_looked_for_among_attributes(selector: str, quick: list[str]) -> None:
    path = css_path(selector)
    assert all(part in path for part in quick), f"half the speed: cssselect may write its paths otherwise now: {path}"
    assert "[@class and" not in path
    assert "[@id =" not in path
