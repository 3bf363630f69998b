"""Articles that are in a page's scripts alone: found in whatever shape, never another's, never code."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.facts import Facts
from crawler.extract.page import Page
from crawler.extract.scripts import Hidden, body_in_scripts

TITLE = "Night trains come back to the valley"
URL = "https://gazette.example/2024/night-trains"
LINES = (
    "After twelve years without one, the valley has a night train again. It leaves the lower station at eleven.",
    "The railway had called the line hopeless. A petition with nine thousand names changed its mind in spring.",
    "The first journey was sold out within a day. Passengers sang on the platform, and the stationmaster wept.",
)
TEXT = "\n".join(LINES)
HTML = "".join(f"<p>{line}</p>" for line in LINES)
OTHER = [
    f"Otters have moved into pond number {n}. Nobody had seen them there since the mill was closed, says its warden."
    for n in range(9)
]


def page(*scripts: str, head: str = f'<meta property="og:title" content="{TITLE}">') -> Facts:
    return Facts(
        Page.of_text(f"<html><head>{head}</head><body><div id=root></div>{''.join(scripts)}</body></html>", URL)
    )


def state(value: Any, before: str = "window.__STATE__ = ", after: str = ";") -> str:
    written = value if isinstance(value, str) else json.dumps(value).replace("</", "<\\/")
    return f"<script>{before}{written}{after}</script>"


def found(*scripts: str, **more: Any) -> str:
    hidden = body_in_scripts(page(*scripts, **more))
    return hidden.text if hidden else ""


def p(key: str, kind: str = "paragraph", name: str = "type") -> list[Any]:
    return [{name: kind, key: line} for line in LINES]


def leaves(children: str, leaf: str, kind: str = "paragraph", inner: str = "text", name: str = "type") -> list[Any]:
    """Paragraphs whose text is in two pieces below them."""
    return [{name: kind, children: [{name: inner, leaf: line[:20]}, {name: inner, leaf: line[20:]}]} for line in LINES]


SHAPES: dict[str, Any] = {
    "html": HTML,
    "html escaped": escape(HTML),
    "plain lines": TEXT,
    "list of texts": list(LINES),
    "list of html": [f"<p>{line}</p>" for line in LINES],
    "rendered": {"rendered": HTML, "protected": False},
    "paragraphs with text": p("text"),
    "paragraphs with html": p("html", "html"),
    "typename": p("text", "ArticleParagraph", "__typename"),
    "content elements": [*p("content", "text"), {"type": "image", "caption": "Otters. In a pond. Never in a text."}],
    "editor.js": {"time": 1, "blocks": [{"type": "paragraph", "data": {"text": line}} for line in LINES]},
    "draft.js": {"blocks": [{"key": "a", "type": "unstyled", "text": line} for line in LINES], "entityMap": {}},
    "prosemirror": {"type": "doc", "content": leaves("content", "text")},
    "contentful": {"nodeType": "document", "data": {}, "content": leaves("content", "value", name="nodeType")},
    "slate": [
        {"type": "paragraph", "children": [{"text": line[:9]}, {"text": line[9:], "bold": True}]} for line in LINES
    ],
    "portable text": leaves("children", "text", "block", "span", "_type"),
    "gutenberg": [{"name": "core/paragraph", "attributes": {"content": line}} for line in LINES],
    "dom": [{"tag": "p", "children": [line[:9], {"tag": "a", "children": [line[9:]]}]} for line in LINES],
    "models": [{"type": "text", "model": {"blocks": p("text")}}],
    "json in json": json.dumps({"blocks": p("text")}),
    "json as an address": quote(json.dumps({"blocks": p("text")})),
    "with teasers": [
        *p("text"),
        {"headline": "Otters", "url": "/otters", "text": OTHER[0]},
        {"title": "Otters", "link": "/otters", "text": OTHER[1]},
        {"type": "promo", "text": OTHER[2]},
        {"user": "Ida", "text": OTHER[3]},
    ],
    "with titles": [{"title": f"Part {n}", "text": line} for n, line in enumerate(LINES)],
    "links": [
        {
            "type": "paragraph",
            "children": [{"text": line[:9]}, {"type": "link", "url": "/x", "children": [{"text": line[9:]}]}],
        }
        for line in LINES
    ],
    "pieces without a paragraph": [
        [
            {"type": "text", "value": line[:40]},
            {"type": "text", "value": line[40:90]},
            {"type": "text", "value": line[90:]},
        ]
        for line in LINES
    ],
}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_body_in_many_shapes(name: str) -> None:
    story = {"headline": TITLE, "body": SHAPES[name], "related": [{"title": line, "url": f"/{line}"} for line in OTHER]}
    assert found(state({"props": {"page": {"story": story}}, "menu": OTHER[:2]})) == TEXT


ANSWER = {"article": {"title": TITLE, "content": HTML}}


@pytest.mark.parametrize(
    "script",
    [
        f'<script type="application/json" id="__NEXT_DATA__">{json.dumps(ANSWER)}</script>',
        f'<script type="application/json">{escape(json.dumps(ANSWER))}</script>',
        state(ANSWER, "(function(){var a={b:function(){}};window['x']=", "})()"),
        state(ANSWER, "boot('main', ", ");"),
        state(ANSWER, 'var a = {"b": 1};\nlet c = '),
        state(json.dumps(json.dumps(ANSWER)), "x = JSON.parse(", ")"),
        state("'" + json.dumps(ANSWER).replace("After", "\\x41fter") + "'", "x = JSON.parse(", ")"),
        f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "articleBody": HTML})}</script>',
        f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "articleBody": TEXT})}</script>',
    ],
)
def test_wherever_in_a_script_it_begins(script: str) -> None:
    assert found(script) == TEXT


def test_it_is_shown_as_clean_html_with_its_headings_lists_and_links() -> None:
    blocks = [
        {"type": "paragraph", "text": f'{LINES[0]} <a href="/more" onclick="x()">More</a><script>evil()</script>'},
        {"type": "header", "data": {"text": "Goats <b>travel</b>"}},
        {"type": "list", "items": ["One goat.", "Two goats."]},
        {"type": "quote", "text": LINES[1]},
        {"type": "paragraph", "text": LINES[2]},
        {"type": "embed", "html": "<p>A widget. It says nothing. Really.</p>"},
    ]
    hidden = body_in_scripts(page(state({"title": TITLE, "body": blocks})))
    assert hidden is not None
    assert hidden.html.replace("\n", "") == (
        f'<p>{LINES[0]} <a href="https://gazette.example/more">More</a></p><h3>Goats <strong>travel</strong></h3>'
        f"<ul><li>One goat.</li><li>Two goats.</li></ul><blockquote><p>{LINES[1]}</p></blockquote><p>{LINES[2]}</p>"
    )
    assert hidden.rule == "script:state"


def stories(count: int) -> list[dict[str, Any]]:
    return [{"title": f"Otters in pond {n}", "url": f"/{n}", "body": " ".join(OTHER)} for n in range(count)]


def test_of_several_articles_the_pages_own_is_taken() -> None:
    own = {"title": TITLE, "url": "/x", "body": HTML}
    assert found(state({"articles": [*stories(2), own, *stories(3)]})) == TEXT
    by_address = {"title": "Trains", "canonicalUrl": URL, "body": HTML}
    assert found(state({"articles": [*stories(2), by_address]})) == TEXT
    assert found(state({"articles": stories(3), "story": {"content": HTML}})) == TEXT
    assert found(state({"page": {"body": " ".join(OTHER)}}), state({"headline": TITLE, "body": HTML})) == TEXT


@pytest.mark.parametrize(
    "value",
    [
        {"articles": [*stories(1), {**stories(1)[0], "body": HTML}]},
        {"content": [{"title": line, "url": f"/{n}", "text": line} for n, line in enumerate(OTHER)]},
        {"content": [{"username": "Ida", "text": line} for line in OTHER]},
        {"menu": OTHER, "labels": {"a": TEXT}},
        {"content": "function go(a){if(a.b===1){return a.c;}} var x={y:[1,2,3]}; go(x); " * 20},
        {"content": ".a{color:red;margin:0 auto} .b > .c{display:none} " * 20},
        {"content": "QUJD" * 400},
        {"content": "home news sport " * 100},
        {"content": LINES[0]},
        {"content": {"type": "image", "text": TEXT}},
        {"content": 7, "body": None, "text": True, "html": [[], {}, [None]]},
    ],
)
def test_lists_of_others_code_and_data_are_no_article(value: Any) -> None:
    assert found(state(value)) == ""


@pytest.mark.parametrize("stated", [False, "False", "http://schema.org/False", "no"])
def test_a_page_that_costs_stays_as_it_shows_itself(stated: Any) -> None:
    thing = {"@type": "NewsArticle", "isAccessibleForFree": stated, "articleBody": HTML}
    script = f'<script type="application/ld+json">{json.dumps(thing)}</script>'
    assert found(script, state({"title": TITLE, "body": HTML})) == ""
    assert found(script.replace(json.dumps(stated), "true")) == TEXT
    assert found(state(ANSWER), head='<meta property="article:content_tier" content="locked">') == ""


WIDE = "夜行列车回到山谷。十二年没有夜车的山谷又有了一班列车，晚上十一点从下站出发。" * 6


def test_a_text_in_a_script_without_blanks() -> None:
    assert found(state({"content": f"<p>{WIDE}</p>"})) == WIDE
    assert found(state({"content": f"<p>{WIDE[:80]}</p>"})) == ""


@pytest.mark.parametrize(
    "scripts",
    [
        ["<script>" + "{" * 5_000_000 + "</script>"],
        ["<script>x = " + "[" * 3_000_000 + "</script>"],
        ["<script>" + '={"a":' * 500_000 + "</script>"],
        ["<script>" + "JSON.parse('" * 200_000 + "</script>"],
        ["<script>" + 'JSON.parse("a\\"' * 200_000 + "</script>"],
        ["<script>=" + " " * 3_000_000 + "</script>"],
        ['<script>x = {"a": 1};</script>'] * 20_000,
        [state({"content": [[{"body": [{"text": "a"}] * 50}] * 100] * 200})],
        [state('{"content":' * 900 + '"x"' + "}" * 900)],
        [state({"content": [{"body": "x. " * 200}] * 3_000})],
    ],
    ids=["braces", "brackets", "objects", "strings", "escapes", "blanks", "many", "wide", "deep", "offers"],
)
def test_hostile_scripts_take_little_time(scripts: Sequence[str]) -> None:
    facts = page(*scripts)
    facts.said("script")
    start = time.process_time()
    hidden = body_in_scripts(facts)
    assert time.process_time() - start < 2.0
    assert hidden is None or isinstance(hidden, Hidden)


KEYS = st.sampled_from(("type", "text", "body", "content", "children", "title", "url", "x"))
STRINGS = st.sampled_from((*LINES, HTML, "", "{", "[1", '{"text": "a"}', "p", "\ud800"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.text(max_size=20))
def test_any_value_is_borne(value: Any, code: str) -> None:
    hidden = body_in_scripts(page(state(value), f"<script>{code}</script>"))
    assert hidden is None or len(hidden.text) >= 300
