"""Plain text in Markdown: what is active is written as a reference, all else stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from crawler.archive.characters import one_line
from crawler.archive.markdown import label, prose
from tests.archive import nasty


@given(nasty.text)
def test_references_are_all_that_is_added(text: str) -> None:
    plain = one_line(text)
    assert re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), prose(text, quote=False)) == plain
    assert re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), label(text)) == plain


@given(nasty.text)
def test_nothing_active_is_left(text: str) -> None:
    rest = re.sub(r"&#\d+;", "X", prose(text, quote=False))
    assert not re.search(r"[\\`*_\[\]<>&|{}~^\"'\n]|\$\$|--|\.\.\.|\A[#+:=-]|\A[0-9]+[.)]( |\Z)", rest)
    assert not re.search(r"[!-/:-@\[-`{-~\n]", re.sub(r"&#\d+;", "X", label(text)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2021(第十届)升384.9%，12,396万 - (新华社)", "2021(第十届)升384.9%，12,396万 - (新华社)"),
        ("a\n\nb\u2028c", "a b c"),
        ("*a* _b_ `c` [d](e)", "&#42;a&#42; &#95;b&#95; &#96;c&#96; &#91;d&#93;(e)"),
        ('it\'s "x" -- y... <<z>>', "it&#39;s &#34;x&#34; &#45;&#45; y&#46;.. &#60;&#60;z&#62;&#62;"),
        ("a | b $1 $$2 {{c}}", "a &#124; b $1 &#36;&#36;2 &#123;&#123;c&#125;&#125;"),
        ("{: .d} ~~e~~ ^", "&#123;: .d&#125; &#126;&#126;e&#126;&#126; &#94;"),
        ("&amp; \\", "&#38;amp; &#92;"),
        ("# h", "&#35; h"),
        ("a # b", "a # b"),
        ("- l", "&#45; l"),
        ("-5%", "&#45;5%"),
        ("+ l", "&#43; l"),
        (": d", "&#58; d"),
        ("===", "&#61;=="),
        ("---", "&#45;&#45;&#45;"),
        ("1. l", "1&#46; l"),
        ("12) l", "12&#41; l"),
        ("1.5 l", "1.5 l"),
        ("2021年. l", "2021年. l"),
        ("1.", "1&#46;"),
    ],
)
def test_prose(text: str, shown: str) -> None:
    assert prose(text, quote=False) == shown
    assert prose(text, quote=True) == f"> {shown}"


def test_labels() -> None:
    assert label("返回{x}\n(a)|新闻") == "返回&#123;x&#125; &#40;a&#41;&#124;新闻"
    assert label("返回21世纪经济报道新闻") == "返回21世纪经济报道新闻"
