"""A page as its reader sees it: runs of text, each with the boxes around it, found in one walk over the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from crawler.extract.text import BLOCKS, CELLS, squeeze
from crawler.extract.words import BITS, TAGS, WORDS

_SKIPPED = frozenset((
    "script", "style", "noscript", "template", "head", "nav", "svg", "math", "object", "applet", "canvas",
    "map", "area", "select", "option", "optgroup", "datalist", "textarea", "input", "button", "dialog", "audio",
    "footer", "frame", "frameset", "noframes", "link", "meta", "base", "param", "rp", "title",
))  # fmt: skip
"""Elements whose text is never an article's; of 336 articles with truth, one had a word in a ``<footer>``."""
MEDIA = frozenset(("img", "video", "iframe"))
_MARKS = frozenset(("a", "b", "strong", "i", "em", "u", "s", "del", "ins", "sub", "sup", "code", "mark", "q", "cite",
                    "abbr", "kbd", "small", "ruby", "rt"))  # fmt: skip
"""Inline elements that a body keeps."""
_BOXES = (BLOCKS | CELLS | {"figure", "figcaption"}) - {"br", "hr"} - _SKIPPED
_ENDS_LINE = {"br": 1, "hr": 2}
_MOST = 30_000
"""Blocks of one page; what lies behind them is no article's."""
_DEEPEST = 220
"""Nesting that is followed; what lies deeper is one run of text. Python's own stack bears no more."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ATTRIBUTE_LENGTH = 300
"""Characters of one attribute that are read."""
_NAMING = frozenset(("class", "id", "itemprop", "role", "data-testid", "data-component"))
"""Attributes that say what an element is."""


_MENU, _OURS = BITS["nav"] | BITS["share"], BITS["article"] | BITS["content"] | BITS["lead"] | BITS["title"]
_PROSE = ("p", "h1", "h2", "article", "br", "td", "pre", "blockquote")
"""What is called a menu and has none of these in it is one: a quarter of all blocks."""


class Box:
    """An element that holds blocks."""

    __slots__ = (
        "all", "blocks", "bytes", "depth", "links", "mass", "middle", "near", "node", "own", "parent", "pull",
        "shape", "tag", "weight",
    )  # fmt: skip

    def __init__(self, node: Any, tag: str, parent: Box | None, own: int) -> None:
        self.node = node
        self.tag = tag
        self.parent = parent
        self.bytes = self.links = self.blocks = 0
        """Bytes of plain and of linked text in it, blocks right in it."""
        self.mass = self.pull = 0.0
        """What speaks for the article in it, and what speaks for and against it right in it and right below."""
        self.weight = 0
        """Bytes that the pull is of."""
        self.shape: tuple[int, ...] | None = None
        self.own = own
        """Words of this element alone; ``near`` those of its parent too, ``middle`` of two more above."""
        if parent is None:
            self.depth = 0
            self.near = self.middle = self.all = own
        else:
            above = parent.parent
            self.depth = parent.depth + 1
            self.near = own | parent.own
            self.middle = self.near if above is None else self.near | above.near
            self.all = own | parent.all

    def outward(self) -> Iterator[Box]:
        """This box and those around it, innermost first."""
        box: Box | None = self
        while box is not None:
            yield box
            box = box.parent


class Block:
    """One run of text with no line's end in it."""

    __slots__ = ("box", "inline", "length", "linked", "marks", "parts", "plain", "size", "split", "strong", "text")

    def __init__(self, box: Box, text: str, parts: Sequence[str], marks: Sequence[tuple[int, Any]]) -> None:
        self.box = box
        self.text = text
        """Blanks squeezed."""
        self.length = len(text)
        self.size = self.length if text.isascii() else len(text.encode("utf-8", "replace"))
        """Bytes in UTF-8: a fair measure of what is said, in scripts with and without letters."""
        self.parts = parts
        self.marks = marks
        """Inline elements that begin (the element) or end (None) before a part."""
        self.linked = 0.0
        """Share of its characters that stand in links."""
        self.plain = self.size
        """Bytes outside links."""
        self.strong = False
        """Whether all of it is bold."""
        self.split = 0
        """How many ``<br>`` begin it."""
        self.inline = 0
        """Words that its first inline element is called by."""


class Segments:
    """What one walk over a page gives."""

    def __init__(self, root: Any) -> None:
        self.boxes: list[Box] = []
        """All that may hold blocks, in their order; none without what is around it before it."""
        self.blocks: list[Block] = []
        self.media: list[tuple[int, Box, Any]] = []
        """Pictures and such: how many blocks stand before it, its box, its element."""
        self.headline_at = -1
        """How many blocks stand before the first ``<h1>``; -1 without one."""
        self._parts: list[str] = []
        self._marks: list[tuple[int, Any]] = []
        self._open: list[Any] = []
        self._linked = self._bold = self._inline = 0
        self._split = 0
        top = root.find("body")
        top = root if top is None else top
        box = Box(top, top.tag if isinstance(top.tag, str) else "body", None, 0)
        self.top = box
        self.boxes.append(box)
        self._walk(top, box, linked=False, bold=False, depth=0)
        self._end(box)

    def _walk(self, node: Any, box: Box, linked: bool, bold: bool, depth: int) -> None:
        if text := node.text:
            if not text.isspace():
                self._add(text, linked, bold)
            elif self._parts:
                self._parts.append(text)
        for child in node:
            tag = child.tag
            if tag in _BOXES:
                if self._parts or self._marks:
                    self._end(box)
                self._split = 0
                if tag == "h1" and self.headline_at < 0:
                    self.headline_at = len(self.blocks)
                words = _words_of(child, tag)
                inner = Box(child, tag, box, words)
                self.boxes.append(inner)
                if words & _MENU and not words & _OURS and next(child.iter(*_PROSE), None) is None:
                    pass
                elif not len(child):
                    if (text := child.text) and not text.isspace():
                        self._add(text, linked, bold)
                elif depth < _DEEPEST:
                    self._walk(child, inner, linked, bold, depth + 1)
                else:
                    self._add(" ".join(child.itertext()), linked, bold)
                if self._parts or self._marks:
                    self._end(inner)
            elif tag in _SKIPPED or not isinstance(tag, str):
                pass
            elif tag in _ENDS_LINE:
                if self._parts:
                    self._end(box)
                self._split += _ENDS_LINE[tag]
            elif tag in MEDIA:
                self.media.append((len(self.blocks) + bool(self._parts), box, child))
            else:
                self._inside(child, tag, box, linked, bold, depth)
            if tail := child.tail:
                if not tail.isspace():
                    self._add(tail, linked, bold)
                elif self._parts:
                    self._parts.append(tail)

    def _inside(self, node: Any, tag: str, box: Box, linked: bool, bold: bool, depth: int) -> None:
        if not self._parts and (names := node.get("class")):
            self._inline |= called(names)
        keeps = tag in _MARKS
        if keeps:
            self._marks.append((len(self._parts), node))
            self._open.append(node)
            linked, bold = linked or tag == "a", bold or tag in ("b", "strong")
        if not len(node):
            if text := node.text:
                if not text.isspace():
                    self._add(text, linked, bold)
                elif self._parts:
                    self._parts.append(text)
        elif depth < _DEEPEST:
            self._walk(node, box, linked, bold, depth + 1)
        else:
            self._add(" ".join(node.itertext()), linked, bold)
        if keeps:
            self._open.pop()
            self._marks.append((len(self._parts), None))

    def _add(self, text: str, linked: bool, bold: bool) -> None:
        self._parts.append(text)
        if linked or bold:
            size = len(text.strip()) + 1
            if linked:
                self._linked += size
            if bold:
                self._bold += size

    def _end(self, box: Box) -> None:
        """End the run of text that stands open in ``box``."""
        if self._parts:
            if len(self.blocks) < _MOST and (text := squeeze("".join(self._parts))):
                block = Block(box, text, self._parts, self._marks)
                if self._linked:
                    block.linked = min(1.0, self._linked / block.length)
                    block.plain = int(block.size * (1 - block.linked))
                block.strong = self._bold * 10 > block.length * 9
                block.split = self._split
                block.inline = self._inline
                self.blocks.append(block)
                self._split = 0
            self._parts = []
            self._linked = self._bold = self._inline = 0
            self._marks = [(0, node) for node in self._open]
        elif self._marks:
            self._marks = [(0, node) for node in self._open]


def _words_of(node: Any, tag: str) -> int:
    """What an element's name and attributes say of it."""
    bits = TAGS.get(tag, 0)
    for name, value in node.items():
        if name in _NAMING:
            bits |= called(value)
        elif name == "hidden" or (name == "style" and "none" in value and "display" in value):
            bits |= TAGS["hidden"]
    return bits


@lru_cache(maxsize=16384)
def called(names: str) -> int:
    """What a class or an id says of an element, as bits of ``words.GROUPS``."""
    bits = 0
    for word in _WORD.findall(names[:_ATTRIBUTE_LENGTH]):
        if word in WORDS:
            bits |= WORDS[word]
    return bits
