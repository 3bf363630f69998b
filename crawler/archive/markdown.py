"""Plain text inside Markdown: link labels, paragraphs and block quotes that kramdown shows as exactly that text."""

from __future__ import annotations

import re

from crawler.archive.characters import one_line

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
# What Liquid or kramdown (as Jekyll sets it: GFM, smart quotes, typographic symbols) acts on inside a line.
_ACTIVE = re.compile(r"[\\`*_\[\]<>&|{}~^\"']|\$(?=\$)|(?<=\$)\$|-(?=-)|(?<=-)-|\.(?=\.\.)")
# And at the start of one: headings, lists, definitions, rules, setext underlines.
_START = re.compile(r"\A(|[0-9]+(?=[.)](?: |\Z)))([#+:=.)-])")


def label(text: str) -> str:
    """Text of a link: each ASCII punctuation mark as a numeric reference (rule 9)."""
    return _PUNCTUATION.sub(_reference, one_line(text))


def prose(text: str, quote: bool) -> str:
    """One paragraph, or a block quote of one, on one line; only marks that mean something are written as references."""
    shown = _START.sub(_start, _ACTIVE.sub(_reference, one_line(text)))
    return f"> {shown}" if quote else shown


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def _start(match: re.Match[str]) -> str:
    return f"{match[1]}&#{ord(match[2])};"
