"""A page: its encoding whatever is said of it, its tree whatever is in it, its JSON whatever is around it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.page import NotJson, Page

TEXT = "经济观察：头条"


def text_of(page: Page) -> str:
    return "".join(page.root.itertext())


# encodings


def test_a_page_in_another_encoding_than_it_says_is_read_as_text_and_tree() -> None:
    body = b'<meta charset="gb2312"><p>' + TEXT.encode("gb18030")
    assert Page(body).text.endswith(TEXT)
    assert text_of(Page(body)) == TEXT
    assert text_of(Page(b"<p>" + TEXT.encode("gb18030"), declared="gbk")) == TEXT


def test_a_source_s_own_encoding_overrides_everything() -> None:
    assert Page(TEXT.encode("gbk"), declared="utf-8", encoding="gbk").text == TEXT
    assert Page("é".encode(), encoding="cp1252").text == "Ã©"
    assert Page(b"\xef\xbb\xbf{}", encoding="utf-8").json == {}


def test_a_source_s_own_encoding_is_a_label_like_any_other() -> None:
    assert Page("镕𠀀€".encode("gb18030"), encoding="gb2312").text == "镕𠀀€"
    with pytest.raises(LookupError):
        _ = Page(b"x", encoding="no-such-thing").text


# text that is decoded already


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (f"<p>{TEXT}</p>", TEXT),
        ("<p>plain</p>", "plain"),
        ("\ufeff<p>marked</p>", "marked"),
        (f"<?xml version='1.0' encoding='gbk'?><p>{TEXT}</p>", TEXT),
        (f"<meta charset='gbk'><p>{TEXT}</p>", TEXT),
        ("<p>half \ud83d and \ude00</p>", "half � and �"),
        ("<p>joined \ud83d\ude00</p>", "joined 😀"),
        ("", ""),
    ],
)
def test_a_page_of_text(html: str, text: str) -> None:
    page = Page.of_text(html, "https://example.org/1")
    assert text_of(page) == text
    assert page.url == "https://example.org/1"
    assert not page.text.startswith("\ufeff")


def test_nul_in_a_page_of_text() -> None:
    found = text_of(Page.of_text("<p>one\0two</p><p>three</p>"))
    assert found.replace("\0", "").replace("�", "") == "onetwothree"


def test_the_same_page_as_bytes_and_as_text() -> None:
    html = f"<html><head><title>{TEXT}</title></head><body><p>x</p></body></html>"
    assert Page.of_text(html).text == Page(html.encode()).text
    assert text_of(Page.of_text(html)) == text_of(Page(html.encode()))


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters() | st.sampled_from("<>/pdiv \0\ud800\udfff\ufeff"), max_size=60))
def test_any_text_is_a_page(html: str) -> None:
    page = Page.of_text(html)
    page.text.encode()
    assert page.root.tag is not None
    "".join(page.root.itertext()).encode()


@pytest.mark.parametrize(
    ("encoding", "declared"), [("utf-8", ""), ("utf-8", "gbk"), ("gb18030", "gb2312"), ("big5", "big5")]
)
def test_tree_and_text_agree(encoding: str, declared: str) -> None:
    page = Page("<p>中文，標題</p>".encode(encoding), declared=declared)
    assert text_of(page) == "中文，標題"


def test_a_page_s_own_declaration_does_not_mislead_the_tree() -> None:
    body = '<html><head><meta charset="gb2312"><title>头</title></head><p>条</html>'.encode()
    assert text_of(Page(body)) == "头条"
    assert text_of(Page(b'<?xml version="1.0" encoding="gb2312"?>' + body)) == "头条"
    assert text_of(Page(b"\xef\xbb\xbf" + body)) == "头条"


# trees


def test_what_cannot_be_decoded_costs_only_itself() -> None:
    assert text_of(Page("<p>前".encode() + b"\xff" + "后</p><p>末</p>".encode())) == "前�后末"


def test_nul_and_control_characters_cost_only_themselves() -> None:
    found = text_of(Page(b"<p>one\0two\x01three</p><p>four</p>"))
    assert "one" in found
    assert "two" in found
    assert "three" in found
    assert "four" in found


@pytest.mark.parametrize("body", [b"", b" \n", b"<!-- only this -->", b"<!DOCTYPE html>", b"<?php ?>", b"\xef\xbb\xbf"])
def test_a_page_without_anything_is_an_empty_tree(body: bytes) -> None:
    root = Page(body).root
    assert root.tag == "html"
    assert len(root) == 0


@pytest.mark.parametrize("depth", [200, 1000, 2043, 2044, 2045, 2046, 2047, 2048, 2049, 5000])
def test_deep_nesting_keeps_its_text(depth: int) -> None:
    page = Page(b"<div>" * depth + b"<p>deep down</p>" + b"</div>" * depth + b"<p>after</p>")
    assert " ".join(text_of(page).split()) in ("deep downafter", "deep down after")


def test_a_large_page_is_read_to_its_end() -> None:
    body = b"<p>" + b"x" * (11 * 1024 * 1024) + b"</p><p>the end</p>"
    assert text_of(Page(body)).endswith("the end")


def test_a_page_is_parsed_once() -> None:
    page = Page(b"<p>x</p>")
    assert page.root is page.root
    page = Page(b"[]")
    assert page.json is page.json


# JSON


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}),
        (" [1]\n", [1]),
        ('"text"', "text"),
        ("7", 7),
        ('\ufeff{"a": 1}', {"a": 1}),
        ('callback({"a": 1})', {"a": 1}),
        ("jQuery18_16([1, 2]);\n", [1, 2]),
        ('a.b["c"].d({"a": 1}) ;', {"a": 1}),
        ('var news = {"a": 1};', {"a": 1}),
        ("let x=[1]", [1]),
        ('const $x = {"a": "(b);"}\n;', {"a": "(b);"}),
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2,\n ]", [1, 2]),
        ('cb({"a": [1,],})', {"a": [1]}),
        ('{"a": "x, ]", "b": "\\", }",}', {"a": "x, ]", "b": '", }'}),
        ('{"a": "line\nbreak\ttab"}', {"a": "line\nbreak\ttab"}),
        ('{"id": 202205192383905174}', {"id": 202205192383905174}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
    ],
)
def test_json_in_its_wrappers(body: str, value: Any) -> None:
    assert Page(body.encode()).json == value


def test_halves_of_characters_become_replacement_characters() -> None:
    body = r'{"cut \ud83d": ["tail \ude00", "\ud83d\ude00 whole \ud83d", "\\ud83d"], "n": 1}'
    value = Page(body.encode()).json
    assert value == {"cut �": ["tail �", "😀 whole �", "\\ud83d"], "n": 1}
    json.dumps(value, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html><p>系统繁忙</p></html>",
        "{",
        '{"a": }',
        "callback()",
        "callback({)",
        "undefined",
        '{"a": 1} {"b": 2}',
        "[" * 100_000,
        "9" * 5000,
    ],
)
def test_what_is_no_json(body: str) -> None:
    with pytest.raises(NotJson, match="no JSON: begins with"):
        _ = Page(body.encode()).json


def test_json_in_the_declared_encoding() -> None:
    assert Page('{"题": "条"}'.encode("gbk"), declared="gb2312").json == {"题": "条"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab,]}" 新', max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    VALUES.filter(lambda value: isinstance(value, dict | list)), st.sampled_from(["{}", "cb({});", "var a={};", " {} "])
)
def test_any_json_comes_back(value: Any, wrapper: str) -> None:
    for ascii_only in (True, False):
        written = wrapper.replace("{}", json.dumps(value, ensure_ascii=ascii_only))
        assert Page(written.encode()).json == value


@settings(max_examples=400, deadline=None)
@given(
    st.binary(max_size=100) | st.text('{}[]",:()=; cb\\ud8019', max_size=40).map(str.encode),
    st.sampled_from(["", "gbk", "utf-16", "utf-7", "big5", "idna", "hex", "x"]) | st.text(max_size=6),
)
def test_nothing_but_not_json(body: bytes, declared: str) -> None:
    page = Page(body, declared=declared.replace("\0", ""))
    page.text.encode()
    assert page.root is not None
    try:
        value = page.json
    except NotJson:
        return
    json.dumps(value, ensure_ascii=False).encode()


def test_elements_that_rules_name_stay_however_deep_a_page_is() -> None:
    wrapped = b'<div id="text">' + b"<div>" * 5000 + b'<p>One.</p><div class="ad">Buy!</div>' + b"</div>" * 5001
    root = Page(b"<html><body>" + wrapped + b"<p>Two.</p></body></html>").root
    assert [node.text for node in root.iterfind('.//*[@id="text"]//*[@class="ad"]')] == ["Buy!"]
    assert "Two." not in "".join(root.find('.//*[@id="text"]').itertext())


def test_a_nul_is_nothing() -> None:
    assert "".join(Page("<p>a\0b，c\0</p>".encode()).root.itertext()) == "ab，c"
