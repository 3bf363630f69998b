"""Pages nested deeper than a parser follows: no text is lost, what was shallow stays, and time stays in bounds."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from crawler.extract.deep import flat, shallower
from crawler.extract.page import Page


def words(html: bytes) -> list[str]:
    return " ".join(Page(html).root.itertext()).split()


def depth(html: bytes) -> int:
    levels, deepest = 0, 0
    for event, _ in etree.iterwalk(Page(html).root, events=("start", "end")):
        levels += 1 if event == "start" else -1
        deepest = max(deepest, levels)
    return deepest


def test_a_hundred_thousand_divs() -> None:
    for closing in (b"</div>" * 100_000, b""):
        body = b"<h1>head</h1>" + b"<div>" * 100_000 + b"<p>deep <b>down</b></p>" + closing + b"<p>after</p>"
        began = time.process_time()
        page = Page(body)
        assert "".join(page.root.itertext()).replace("after", " after").split() == ["head", "deep", "down", "after"]
        assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "tag", ["font", "b", "span", "a", "ul", "blockquote", "center", "table", "x-y", "strong", "dl"]
)
def test_tags_that_nobody_closed(tag: str) -> None:
    """The article after three thousand of them keeps its own structure."""
    broken = f"<{tag} class='x > y' id=1>".encode() + b"promo "
    body = broken * 3000 + b"<article><h1>Head</h1><p>One <em>two</em></p><ul><li>three</li></ul></article>"
    page = Page(body)
    assert words(body) == ["promo"] * 3000 + ["Head", "One", "two", "three"]
    assert page.root.xpath("string(//article/h1)") == "Head"
    assert page.root.xpath("string(//article/p/em)") == "two"
    assert page.root.xpath("string(//article/ul/li)") == "three"
    assert depth(body) < 20


def test_each_paragraph_deeper_than_the_last() -> None:
    body = b"".join(b"<div><p>n%d</p>" % number for number in range(4000))
    assert words(body) == [f"n{number}" for number in range(4000)]


def test_lists_within_lists() -> None:
    body = b"<ul><li>x" * 2500 + b"</li></ul>" * 2500 + b"<p>end</p>"
    assert words(body) == ["x"] * 2500 + ["end"]
    assert depth(body) > 100


@pytest.mark.parametrize(
    "piece", [b"<li><dd>x ", b"<p><button>x ", b"<td><li>x ", b'<div title="a<b>c">x ', b"<h1><li>x "]
)
def test_what_ends_by_rules_of_its_own(piece: bytes) -> None:
    assert words(piece * 5000 + b"<p>end</p>").count("x") == 5000
    assert words(piece * 5000 + b"<p>end</p>")[-1] == "end"


def test_scripts_comments_and_titles_are_no_tags() -> None:
    kept = b"<title>a <b> c</title><script>var a = '<div></p>';</script><!-- <div> --><style>a > b</style>"
    assert shallower(kept + b"<b>x") == kept + b"x"
    assert flat(kept + b"<b>x") == kept + b"x"
    for open_end in (b"<!-- <div> ", b"<script> <div> ", b"<TEXTAREA> <div>"):
        assert shallower(open_end) == open_end


def test_sound_pages_stay_as_they_are() -> None:
    html = b'<div><p>One<p>Two <a href="/x?a=1&b=2">three</a><br><img src=x></div><ul><li>four</ul>'
    assert shallower(html) == html


def test_halves_fall_out() -> None:
    html = b"</b>one</div><i>two<div>three<p>four</div></span>"
    assert shallower(html) == b"one two<div>three<p>four</div>"


def test_flat_pages_hold_paragraphs_and_empty_elements() -> None:
    assert flat(b"<div><b>one</b><p>two<br><img src=a></div>") == b"<p>one<p>two<br><img src=a><p>"


@pytest.mark.parametrize(
    "piece",
    [b"<", b"<a ", b'<a "', b"<a '\"", b"<!--", b"<script", b"<script>", b"</", b"<div></b>", b"<b></div>", b"<a b='"],
)
def test_hostile_pages_take_time_by_their_length(piece: bytes) -> None:
    html = piece * (400_000 // len(piece))
    began = time.process_time()
    shallower(html)
    flat(html)
    assert time.process_time() - began < 2


TAGS = st.sampled_from(["div", "p", "b", "ul", "li", "table", "td", "h1", "font", "a", "span"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(TAGS, st.booleans()), min_size=1, max_size=6), st.sampled_from([1, 100, 2500]))
def test_no_word_is_lost(tags: list[tuple[str, bool]], times: int) -> None:
    """Whatever tags are opened and closed, however often."""
    piece = "".join(f"<{'/' if closing else ''}{tag}> w " for tag, closing in tags).encode()
    for html in (piece * times, shallower(piece * times), flat(piece * times)):
        assert words(html).count("w") == len(tags) * times


@settings(max_examples=150, deadline=None)
@given(st.text("<>/div pb\"'=!- a", max_size=60).map(str.encode))
def test_any_text(html: bytes) -> None:
    for result in (shallower(html), flat(html)):
        assert len(result) <= len(html) + 3 * html.count(b"<")
