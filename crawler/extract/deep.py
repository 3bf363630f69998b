"""Pages nested deeper than a parser follows: the tags that nest too deep are taken out, and no text is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TAG = re.compile(rb"""<(/?)([a-zA-Z][a-zA-Z0-9:-]*+)(?:[^<>"']++|"[^"]{0,999}+"|'[^']{0,999}+'|["']){0,99}+>|<!--""")
"""A tag or the beginning of a comment. Bounded, so that a page of broken tags costs little more than its length."""
_RAW = frozenset((b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes"))
"""Elements in which tags are text."""
_EMPTY = frozenset(b"area base br col embed hr img input link meta param source track wbr".split())
_FLAT = _EMPTY | frozenset(
    b"html head body p li dt dd tr td th thead tbody tfoot caption colgroup option optgroup h1 h2 h3 h4 h5 h6".split()
)
"""Elements that add no level of their own: they end where the next of their kind begins, or hold little."""
_LINES = frozenset(b"p li dt dd tr h1 h2 h3 h4 h5 h6 div section article blockquote table ul ol pre figure".split())
DEEPEST = 200
"""Levels that stay."""
_BARE_DEEPEST = 50
"""Levels up to which elements without attributes stay: rules name others, and pages are made deep by these."""


@dataclass(slots=True)
class _Tag:
    name: bytes
    start: int
    end: int
    closing: bool
    level: int = 0
    """Of a pair; 0 for a tag without its other half."""


def shallower(html: bytes) -> bytes:
    """``html`` (ASCII-compatible) without the tags that have no other half, and those of pairs on too deep a level.

    Of the deeper ones those without attributes go first. Elements that add no level of their own stay. Takes time in
    proportion to the length.
    """
    tags = [tag for tag in _tags(html) if tag.name not in _FLAT]
    _pair(tags)
    return _without(html, [tag for tag in tags if not 0 < tag.level <= DEEPEST])


def flat(html: bytes) -> bytes:
    """``html`` (ASCII-compatible) with nothing but paragraphs, and elements that hold no others: three levels."""
    pieces, at = [], 0
    for tag in _tags(html):
        if tag.name not in _EMPTY:
            pieces += [html[at : tag.start], b"<p>" if tag.name in _LINES else b""]
            at = tag.end
    return b"".join((*pieces, html[at:]))


def _tags(html: bytes) -> Iterator[_Tag]:
    """Every tag outside comments and raw texts."""
    at = 0
    while (found := _TAG.search(html, at)) is not None:
        at = found.end()
        if found[2] is None:
            at = _after(html, b"-->", at)
            continue
        name = found[2].lower()
        if name not in _RAW:
            yield _Tag(name, found.start(), found.end(), bool(found[1]))
        elif not found[1]:
            at = _end_of_raw(html, name, at)


def _after(html: bytes, mark: bytes, at: int) -> int:
    """Where the text goes on after ``mark``; the end, if there is none."""
    found = html.find(mark, at)
    return len(html) if found < 0 else found + len(mark)


def _end_of_raw(html: bytes, name: bytes, at: int) -> int:
    found = re.compile(rb"</%b[^<>]*+>" % name, re.IGNORECASE).search(html, at)
    return found.end() if found else len(html)


def _pair(tags: list[_Tag]) -> None:
    """Give each tag that has its other half the level of the pair. Every tag is put on the stack once at most."""
    opened: list[_Tag] = []
    waiting: dict[bytes, int] = {}
    pairs: dict[int, tuple[_Tag, _Tag]] = {}
    for tag in tags:
        if not tag.closing:
            opened.append(tag)
            waiting[tag.name] = waiting.get(tag.name, 0) + 1
        elif waiting.get(tag.name):
            while (begun := opened.pop()).name != tag.name:
                waiting[begun.name] -= 1
            waiting[tag.name] -= 1
            pairs[begun.start] = begun, tag
    level = 0
    for tag in tags:
        if tag.start in pairs:
            if level >= _BARE_DEEPEST and tag.end - tag.start == len(tag.name) + 2:
                continue
            level += 1
            for half in pairs[tag.start]:
                half.level = level
        elif tag.closing and tag.level:
            level -= 1


def _without(html: bytes, tags: list[_Tag]) -> bytes:
    pieces, at = [], 0
    for tag in tags:
        pieces += [html[at : tag.start], b" " if tag.name in _LINES else b""]
        at = tag.end
    return b"".join((*pieces, html[at:]))
