"""Layouts: what the rules of one form of a page give, what is taken out of the body, and which form is tried when."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.layout import Layout, choose, run
from crawler.extract.page import NotJson, Page
from crawler.extract.rules import Rule, compile_step

HTML = """<html><head><link rel="canonical" href="https://gazette.example/a/1"></head><body>
<h1>Harbour <em>opens</em></h1><p class="by">By <a>Ann Lee</a> and <a>Bo Chen</a>, <a>Ann Lee</a></p>
<div id="text">Lead &amp; <b>more</b> &lt;3<p class="ad">Buy!</p> tail of the ad<!-- note --><p>　　Second.&nbsp;End</p>
<div class="ad">x<p class="ad">y</p></div></div></body></html>"""


def css(expression: str, **more: Any) -> Rule:
    return Rule([compile_step("css", expression, **more)])


def body_of(html: str, *strip: str, drop: tuple[str, ...] = (), body: str = "#text", **more: Any) -> str:
    return run(Page(html.encode()), Layout({"body": css(body, **more)}, [css(one) for one in strip], drop)).body


def json_body(text: Any, *strip: str, drop: tuple[str, ...] = ()) -> str:
    layout = Layout({"body": Rule([compile_step("jmespath", "content")])}, [css(one) for one in strip], drop)
    return run(Page(json.dumps({"content": text}).encode()), layout).body


def test_every_field_by_its_rule() -> None:
    rules = {
        "title": css("h1"),
        "byline": css(".by a"),
        "canonical": css("link::attr(href)"),
        "editor": css(".editor"),
        "published": css("p"),
        "body": css("#text"),
    }
    given = run(Page(HTML.encode()), Layout(rules))
    assert given.title == "Harbour opens"
    assert given.byline == ("Ann Lee", "Bo Chen")
    assert given.canonical == "https://gazette.example/a/1"
    assert given.body.startswith("Lead &amp; <b>more</b>")
    assert (given.editor, given.published, given.digest, given.section) == ("", "", "", "")
    assert given.misses == (
        "editor: css '.editor' matched nothing",
        "published: css 'p' matched 4 where one is due",
    )


def test_the_body_is_what_is_inside_its_element() -> None:
    assert body_of('<div id="text">a &lt; b<p>c</p>d<!--e--></div>f') == "a &lt; b<p>c</p>d<!--e-->"
    assert body_of('<div id="text"></div>') == ""
    assert body_of('<div id="text"><br><img src="x" alt="&lt;&amp;"></div>') == '<br><img src="x" alt="&lt;&amp;">'


def test_a_body_of_several_elements_only_where_the_rule_joins() -> None:
    html = "<p>one</p><i>not</i><p>two <b>x</b></p>"
    assert body_of(html, body="p", join="") == "onetwo <b>x</b>"
    given = run(Page(html.encode()), Layout({"body": css("p")}))
    assert given.body == ""
    assert given.misses == ("body: css 'p' matched 2 where one is due",)


def test_stripping_leaves_the_text_behind() -> None:
    assert body_of(HTML, ".ad") == "Lead &amp; <b>more</b> &lt;3 tail of the ad<!-- note --><p>　　Second.\xa0End</p>\n"


def test_stripping_keeps_to_the_body() -> None:
    page = Page(b'<p class="ad">outside</p><div id="text"><p class="ad">inside</p>text</div><p class="ad">after</p>')
    layout = Layout(
        {"title": css("p.ad", first=True), "body": css("#text")}, [css(".ad"), css("#text"), css("a::attr(x)")]
    )
    given = run(page, layout)
    assert (given.title, given.body) == ("outside", "text")
    assert [node.text for node in css(".ad").nodes(page)] == ["outside", "inside", "after"]


def test_other_fields_may_come_from_what_is_stripped() -> None:
    page = Page(b'<div id="text"><p class="source">The Courier</p>text</div>')
    layout = Layout({"body": css("#text"), "attribution": css(".source")}, [css(".source")])
    given = run(page, layout)
    assert (given.attribution, given.body) == ("The Courier", "text")


def test_dropping_texts() -> None:
    assert body_of('<div id="text"><p>　　a</p><p>　　b　　</p></div>', drop=("　　",)) == "<p>a</p><p>b</p>"
    assert json_body("<p>　　a (ad)</p>", drop=("　　", " (ad)")) == "<p>a</p>"


def test_html_in_json_keeps_its_bytes_where_nothing_is_stripped() -> None:
    text = "<P>one<br/>two &nbsp; <!--c--><unknown x=1></P>\r\n"
    assert json_body(text) == text


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("<p>a</p><i class='ad'>b</i> tail", "<p>a</p> tail"),
        ("no element at all", "no element at all"),
        ("a < b <i class='ad'>x</i>", "a &lt; b "),
        ("<td>cell</td>", "<td>cell</td>"),
        ("  ", "  "),
        ("a\x00\x01\x0cb<i class='ad'>x</i>\ufffe", "ab"),
        ("half \ud83d<i class='ad'>x</i>", "half �"),
    ],
)
def test_stripping_in_json(text: str, stripped: str) -> None:
    assert json_body(text, ".ad") == stripped


@pytest.mark.parametrize("value", [None, 7, [], ["<p>", "<p>"], {"a": "<p>"}, True])
def test_a_json_body_that_is_no_text_is_none(value: Any) -> None:
    assert json_body(value) == ""


def test_html_where_json_is_due_is_told() -> None:
    with pytest.raises(NotJson):
        run(Page(b"<p>busy</p>"), Layout({"body": Rule([compile_step("jmespath", "content")])}))


def layouts(*days: date | None) -> list[Layout]:
    return [Layout({}, until=day) for day in days]


OLD, OLDER, PRESENT = date(2020, 12, 31), date(2015, 6, 30), None


@pytest.mark.parametrize(
    ("day", "order"),
    [
        (None, [PRESENT, OLD, OLDER]),
        (date(2024, 2, 29), [PRESENT]),
        (date(2021, 1, 1), [PRESENT]),
        (OLD, [OLD, PRESENT]),
        (date(2018, 1, 1), [OLD, PRESENT]),
        (OLDER, [OLDER, OLD, PRESENT]),
        (date(1999, 1, 1), [OLDER, OLD, PRESENT]),
    ],
)
def test_layouts_in_the_order_of_their_days(day: date | None, order: list[date | None]) -> None:
    for days in ((PRESENT, OLD, OLDER), (OLDER, PRESENT, OLD), (OLD, OLDER, PRESENT)):
        assert [one.until for one in choose(layouts(*days), day)] == order


def test_no_layout_holds_for_a_day_after_the_last() -> None:
    assert choose(layouts(OLD), date(2024, 2, 29)) == []


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["<p>", "</p>", "<i class=ad>", "</i>", "x", "&", "<!--"])).map("".join)
)
def test_any_text_in_json_may_be_stripped(text: str) -> None:
    found = json_body(text, ".ad")
    found.encode()
    assert css(".ad").nodes(Page(found.encode())) == []


def test_stripping_for_one_layout_leaves_the_page_whole_for_the_next() -> None:
    page = Page(b"<html><body><div id=a><aside>kept by the next</aside></div>tail</body></html>")
    body = Rule([compile_step("css", "#a")])
    first = Layout({"body": body}, strip=[Rule([compile_step("css", "aside")])])
    assert run(page, first).body.strip() == ""
    assert run(page, Layout({"body": body})).body == "<aside>kept by the next</aside>"
