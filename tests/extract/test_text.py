"""Plain text: blanks of every kind, and lines as a reader sees them."""

from __future__ import annotations

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from crawler.extract.text import plain, squeeze


@pytest.mark.parametrize(
    ("text", "squeezed"),
    [
        ("  a  b ", "a b"),
        ("a\u3000\u3000b\u00a0c\n\td", "a b c d"),
        ("a \u200b b", "a b"),
        ("上海\u200b证券\ufeff报", "上海证券报"),
        ("co\u00adoperate", "cooperate"),
        ("\u2028a\u2029", "a"),
        ("\u200b", ""),
        ("", ""),
    ],
)
def test_runs_of_blanks_become_one_space(text: str, squeezed: str) -> None:
    assert squeeze(text) == squeezed


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<p>one<br>two</p>three", "one\ntwo\nthree"),
        ("<div>a<div>b</div>c</div>", "a\nb\nc"),
        ("<p>上海<span><a>证券</a></span>报</p>", "上海证券报"),
        ("<p>a <b>b</b>  <i>c</i></p>", "a b c"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("a<script>x</script>b<style>y</style>c<noscript>z</noscript>d<template>t</template>e", "abcde"),
        ("a<!-- no -->b<?pi no?>c", "abc"),
        ("<p>&lt;b&gt; &amp; &nbsp; c</p>", "<b> & c"),
        ("<html><head><title>t</title></head><body>b</body></html>", "b"),
        ('<?xml version="1.0" encoding="gbk"?><p>新华</p>', "新华"),
        ("no markup", "no markup"),
        ("<!-- only -->", ""),
        ("  ", ""),
        ("", ""),
    ],
)
def test_blocks_are_lines_and_scripts_are_silent(html: str, text: str) -> None:
    assert plain(html) == text


def test_an_element_is_read_without_what_follows_it() -> None:
    root = lxml.html.fromstring("<div><p>in <b>it</b></p>behind</div>")
    assert plain(root.find("p")) == "in it"
    assert plain(root.find("p/b")) == "it"
    assert plain(etree.fromstring("<x>a<y>b</y>c</x>")) == "abc"


@given(st.text())
def test_any_text_is_squeezed_once_for_all(text: str) -> None:
    squeezed = squeeze(text)
    assert squeeze(squeezed) == squeezed == squeezed.strip()
    assert "  " not in squeezed
    assert not set("\n\t\u3000\u00a0\u200b\ufeff") & set(squeezed)


@given(
    st.text()
    | st.lists(st.sampled_from(["<p>", "</p>", "<br>", "<script>", "</", "&#0;", "<!--", "a", "报", "\0"])).map("".join)
)
def test_any_html_gives_squeezed_lines(html: str) -> None:
    lines = plain(html).split("\n")
    assert lines == [squeeze(line) for line in lines]
    assert lines == [""] or all(lines)
