"""Whether a body may stand in a post byte for byte, and what is done with one that may not."""

from __future__ import annotations

import re
from html import unescape

from crawler.archive.allowed import (
    DEPTH,
    LAZY,
    ONCE,
    STRUCTURE,
    VOID,
    WIDEST,
    WRITTEN,
    Markup,
    Rules,
    references_hold,
    rules_of,
)
from crawler.archive.characters import asleep, forbidden, tidy
from crawler.archive.mend import mend

__all__ = ["WIDEST", "WRITTEN", "Markup", "clean", "fit", "mend", "text_of"]

_TOKEN = re.compile(r'<(?:(/?)([a-z][a-z0-9]*)((?: [a-z][a-z0-9_-]*="[^"<>]*")*)( ?/)?|!--[^<>\n-]*--)>')
_ATTRIBUTE = re.compile(r' ([a-z][a-z0-9_-]*)="([^"]*)"')
# A raw NBSP, what wakes Liquid, and a blank line, which ends an HTML block in CommonMark.
_UNFIT = re.compile(r"\xa0|\{[{%]|\n[ \t]*\n")
_TEXTLESS = STRUCTURE | {""}

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BREAK = re.compile(
    r"</?(?:aside|blockquote|br|caption|center|d[dlt]|div|fig\w+|h[1-6r]|[ou]l|li|p|pre|section|t(?:able|body|foot|head|[dhr]))\b[^>]*>"
)
_TAG = re.compile(r"<[^>]*>")


def clean(html: str, markup: Markup, base: str = "") -> str:
    """The body as it goes into the post: its own bytes, tidied as text, if they fit, else mended (rules 1 and 6-8)."""
    kept = asleep(tidy(html).strip(" \t\n").replace("\xa0", "&nbsp;"))
    # Mended is what came: in a <plaintext> those references would be text.
    return kept if fit(kept, markup) else mend(html, markup, base)


def fit(html: str, markup: Markup) -> bool:
    """Whether a body needs no mending: strict syntax, allowed elements, rightly nested, blocks at the start of lines.

    Such a body means the same to HTML parsers, kramdown and CommonMark, and Liquid finds nothing in it.
    """
    if forbidden(html) or _UNFIT.search(html):
        return False
    rules = rules_of(markup)
    open_ = [""]
    end = tokens = 0
    for match in _TOKEN.finditer(html):
        start = match.start()
        if start > end and not _text_fits(html[end:start], open_, match):
            return False
        if not _tag_fits(match, open_, rules):
            return False
        end = match.end()
        tokens += 1
    whole = end == len(html) and len(open_) == 1
    # A token holds one of each, so any more stand in the text.
    return whole and html.count("<") == tokens and html.count(">") == tokens


def _text_fits(text: str, open_: list[str], following: re.Match[str]) -> bool:
    if len(open_) == 1:
        # kramdown does not know a comment that stands behind a blank.
        return text == "\n" or (text == "\n " and following[2] is not None)
    if "&" in text and not references_hold(text, attribute=False):
        return False
    if "pre" in open_ and ("\n" in text or "\t" in text):
        return False
    return open_[-1] not in _TEXTLESS or not text.strip(" \t\n")


def _tag_fits(match: re.Match[str], open_: list[str], rules: Rules) -> bool:
    end, tag, attributes, closed = match.groups()
    if not tag:
        return rules.comments
    if end:
        return open_.pop() == tag and not attributes and not closed
    if tag not in rules.children[open_[-1]] or (tag in ONCE and tag in open_):
        return False
    if attributes and not _attributes_fit(tag, attributes, rules):
        return False
    if tag in VOID:
        return tag != "img" or ' src="' in attributes
    open_.append(tag)
    return not closed and len(open_) <= DEPTH + 1


def _attributes_fit(tag: str, written: str, rules: Rules) -> bool:
    found = _ATTRIBUTE.findall(written)
    names = {name for name, _ in found}
    if len(names) < len(found) or (tag == "img" and not names.isdisjoint(LAZY)):
        return False
    return all(rules.names(tag, name) and rules.holds(name, value) for name, value in found)


def text_of(html: str) -> str:
    """The plain text of a clean body: blocks and line breaks on lines of their own, references resolved."""
    text = unescape(_TAG.sub("", _BREAK.sub("\n", _COMMENT.sub("", html))))
    lines = (line.lstrip().rstrip(" \t") for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
