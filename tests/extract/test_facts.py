"""What pages state for machines, read by ``Facts``."""

from __future__ import annotations

import json

import pytest

from crawler.extract.facts import Facts
from crawler.extract.page import Page

URL = "https://mill.example/news/1"


def facts(head: str, body: str = "") -> Facts:
    return Facts(Page(f"<html><head>{head}</head><body>{body}</body></html>".encode(), URL))


def told(script: str) -> Facts:
    return facts(f'<script type="application/ld+json">{script}</script>')


@pytest.mark.parametrize(
    "script",
    [
        '{"@type": "NewsArticle", "headline": "Mill"}',
        '[{"@type": "NewsArticle", "headline": "Mill"}]',
        '<!-- {"@type": "NewsArticle", "headline": "Mill"} -->',
        '//<![CDATA[\n{"@type": "NewsArticle", "headline": "Mill"}\n//]]>',
        '/* told */ {"@type": "NewsArticle", "headline": "Mill",};',
        "{&quot;@type&quot;: &quot;NewsArticle&quot;, &quot;headline&quot;: &quot;Mill&quot;}",
    ],
)
def test_structured_data_is_read_through_what_wraps_it(script: str) -> None:
    assert told(script).article["headline"] == "Mill"


@pytest.mark.parametrize("script", ["", "none", "{", "}{", "[1", "/* { */"])
def test_what_is_no_structured_data_says_nothing(script: str) -> None:
    assert told(script).things == []
    assert told(script).article == {}


@pytest.mark.parametrize("kind", ["NewsArticle", "BlogPosting", "https://schema.org/Report", ["Thing", "Article"]])
def test_types_of_articles(kind: object) -> None:
    assert told(json.dumps({"@type": kind, "headline": "Mill"})).article["headline"] == "Mill"


def test_of_several_articles_the_one_of_this_address_counts() -> None:
    other = '{"@type": "Article", "headline": "Bridge", "url": "https://mill.example/news/2"}'
    own = '{"@type": "Article", "headline": "Mill", "mainEntityOfPage": {"@id": "http://www.mill.example/news/1/"}}'
    assert told(f"[{other}, {own}]").article["headline"] == "Mill"
    assert told(f"[{other}, {other.replace('2', '3')}]").article["headline"] == "Bridge"


def test_no_more_than_a_page_can_mean_is_read() -> None:
    assert told(f'{{"@type": "Article", "headline": "{"x" * 2_000_000}"}}').things == []
    assert len(told(f"[{','.join(['{}'] * 9_000)}]").things) <= 5_000
    assert len(facts(f'<meta name="description" content="{"x" * 20_000}">').meta("description")) == 10_000


def test_canonical_addresses_are_whole() -> None:
    links = '<link rel="stylesheet" href="/s.css"><link rel="Canonical x" href="/a"><link rel="alternate" href="/b">'
    assert facts(links).canonical == ["https://mill.example/a"]
    assert facts("").canonical == []


def test_elements_are_found_by_class_or_id_in_their_order() -> None:
    page = facts("", '<p id="mill">a<b class="the mill">b</b></p><i class="bridge">c</i><u class="x" id="mill2">d</u>')
    assert [element.tag for element in page.called(lambda names: "mill" in names)] == ["p", "b", "u"]
    assert page.called(lambda names: names == "bri") == []


def test_ids_and_properties_that_a_page_uses() -> None:
    page = facts('<meta itemprop="name" content="Mill">', '<p id="a" itemprop="author name">x</p>')
    assert page.ids == {"a"}
    assert page.props == {"name", "author name"}


def test_text_is_found_once_for_all() -> None:
    page = facts("", "<p>One.</p><script>x</script><p>Two.</p>")
    assert [block.text for block in page.segments.blocks] == ["One.", "Two."]
    assert page.segments is page.segments
