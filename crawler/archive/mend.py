"""Any HTML made fit for a post: nh3 parses and strips it, then what is left is built anew (rules 6-8).

nh3 gives a well-formed tree, but any tree: blocks inside inline elements, loose text, lists without items,
thousands of levels. Each piece of content knows its source ancestors; its ancestors in the post are the legal
ones among them. Elements open only when content arrives, so empty ones vanish, and a block closes the inline
elements around it, which open again inside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from typing import NamedTuple

import nh3

from crawler.archive.allowed import DEPTH, LAZY, ONCE, PARENTS, PHRASE, STRUCTURE, VOID, Markup, Rules, rules_of, words
from crawler.archive.characters import asleep, tidy

_DIVISIONS = words(
    "address article aside center details dialog div fieldset footer form header hgroup legend main menu nav search"
    " section summary"
)
"""Blocks that are taken out; what they held stays apart from its neighbours."""
LOST = words(
    "audio button canvas datalist iframe math noscript object option script select style svg template textarea title"
    " video"
)
"""Elements that go with all they hold."""
_IMPLIED = {
    "ul": "li",
    "ol": "li",
    "dl": "dd",
    "table": "tbody",
    "thead": "tr",
    "tbody": "tr",
    "tfoot": "tr",
    "tr": "td",
}
_OPTIONAL_END = words("p li dt dd tr td th thead tbody tfoot rt rp option optgroup colgroup body html head")
_NO_END = words("area base br col embed hr img input link meta param source track wbr")
_TOO_DEEP = 1000
# A run of text in a flow block may become a paragraph: one level. A structure needs those that _IMPLIED names as well.
_ROOM = {"table": 4, "thead": 3, "tbody": 3, "tfoot": 3, "tr": 2, "ul": 2, "ol": 2, "dl": 2} | dict.fromkeys(PHRASE, 0)

_ANY_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*)[^>]*>")
_TOKEN = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [^ \t\n>]+?="[^"]*")*)>|([^<]+)|<')
_ATTRIBUTE = re.compile(r' ([^ \t\n>]+?)="([^"]*)"')
_BLANKS = re.compile(r"[ \t\n]+")
_PLACEHOLDER = re.compile(
    r"\Z|data:|about:|[^?#]*(?:blank|place-?holder|spacer|load(?:ing|er)|lazy|pixel|transparent|1x1|gr[ea]y)[^/?#]*\.(?:gif|png|svg|jpe?g|webp)(?:[?#]|\Z)",
    re.IGNORECASE,
)


def mend(html: str, markup: Markup, base: str = "") -> str:
    """The body with its text and its legal structure, addresses absolute against ``base``; fits ``markup``.

    Mending what was mended changes nothing.
    """
    rules = rules_of(markup)
    builder = _Builder(rules, base)
    for end, tag, attributes, text in _tokens(_stripper(markup).clean(_shallow(tidy(html)))):
        if text:
            builder.text(text)
        elif end:
            builder.end(tag)
        elif tag:
            builder.start(tag, attributes)
    return asleep(builder.finish())


def _tokens(html: str) -> Iterator[tuple[str, str, str, str]]:
    for match in _TOKEN.finditer(tidy(html)):
        yield match[1] or "", match[2] or "", match[3] or "", match[4] or ""


@lru_cache(maxsize=1024)
def _stripper(markup: Markup) -> nh3.Cleaner:
    rules = rules_of(markup)
    names = {tag: set(known) for tag, known in rules.attributes.items() if tag != "*"}
    names["img"].update(LAZY)
    return nh3.Cleaner(
        tags=set(rules.tags | _DIVISIONS),
        clean_content_tags=set(LOST),
        attributes=names,
        generic_attribute_prefixes={name[:-1] for known in names.values() for name in known if name.endswith("*")},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )


def _shallow(html: str) -> str:
    """Parsers take time by the square of the depth: of a body deeper than any article's only paragraphs stay."""
    if html.count("<") <= _TOO_DEEP or _depth(html) <= _TOO_DEEP:
        return html
    html = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>", "", html)
    return _ANY_TAG.sub(lambda m: m[0] if m[2].lower() in {"p", "br", "img"} else "<p>", html)


def _depth(html: str) -> int:
    """How many elements are open at once, at most; those whose end tag may be left out do not count."""
    opened: Counter[str] = Counter()
    depth = deepest = 0
    for match in _ANY_TAG.finditer(html):
        tag = match[2].lower()
        if tag in _OPTIONAL_END or tag in _NO_END:
            continue
        if not match[1]:
            opened[tag] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif opened[tag]:
            opened[tag] -= 1
            depth -= 1
    return deepest


class _Node:
    """An element of the post, or (no tag) a run of loose text that its parent may make a paragraph."""

    __slots__ = ("attributes", "parts", "tag")

    def __init__(self, tag: str, attributes: str = "") -> None:
        self.tag = tag
        self.attributes = attributes
        self.parts: list[tuple[bool, str]] = []
        """(whether it is a run of loose text, HTML)"""

    def html(self) -> str:
        """The element written out, with what came into it since it was opened."""
        inner = self._inner()
        return f"<{self.tag}{self.attributes}>{inner}</{self.tag}>" if self.tag else inner

    def _inner(self) -> str:
        if not any(run for run, _ in self.parts) or (len(self.parts) == 1 and self.tag != "blockquote"):
            return "".join(html for _, html in self.parts)
        return "".join(_wrapped(run, html) for run, html in self.parts)


def _wrapped(run: bool, html: str) -> str:
    return f"<p>{html}</p>" if run else html


class _Place(NamedTuple):
    """Where content stands: its ancestors in the post."""

    blocks: tuple[_Node, ...]
    inlines: tuple[_Node, ...]

    @property
    def tag(self) -> str:
        """The nearest block; empty at the top."""
        return self.blocks[-1].tag if self.blocks else ""

    @property
    def fits(self) -> bool:
        """Whether text here stands within the depth cap, whatever must still come between."""
        return len(self.blocks) + _ROOM.get(self.tag, 1) + len(self.inlines) <= DEPTH


class _Builder:
    """Takes a source's tags and texts in turn; keeps the post's open elements and closes them as content demands."""

    def __init__(self, rules: Rules, base: str) -> None:
        self.rules = rules
        self.base = base
        self.source: list[_Place] = [_Place((), ())]
        """For each open element of the source the place of what it holds."""
        self.top = _Node("")
        self.open: list[_Node] = []
        """Open elements of the post."""
        self.run = _Node("")
        """The run of loose text that is being gathered, or will be."""
        self.loose: tuple[_Node, ...] = ()
        """Blocks implied for loose text in a structure."""
        self.blank = False
        """A blank came, to be written only if text follows in the same block."""
        self.breaks = 0
        """As many <br> came, likewise."""

    def start(self, tag: str, attributes: str) -> None:
        """A start tag of the source."""
        place = self.source[-1]
        if tag in VOID:
            self._void(tag, attributes, place)
        elif tag in self.rules.inline:
            self.source.append(self._in_inline(tag, attributes, place))
        else:
            self._boundary()
            inner = self._in_block(tag, attributes, place)
            self.source.append(inner)
            if tag in {"td", "th"} and inner is not place:
                self._reach(inner.blocks)  # an empty cell holds its column

    def end(self, tag: str) -> None:
        """An end tag of the source: nh3 has paired them all."""
        del self.source[-1]
        if tag not in self.rules.inline:
            self._boundary()

    def text(self, text: str) -> None:
        """Text in nh3's form: ``&amp; &lt; &gt; &nbsp;``, all else plain."""
        place = self.source[-1]
        if place.tag == "pre":
            self._preformatted(text, place)
            return
        words = _BLANKS.sub(" ", text) if "\n" in text or "  " in text or "\t" in text else text
        self.blank |= words[0] == " "
        if inner := words.strip(" "):
            self._put(inner, place)
            self.blank = words[-1] == " "

    def finish(self) -> str:
        """The body."""
        self._close_to(0)
        return "\n ".join(_wrapped(run, html) for run, html in self.top.parts)

    def _boundary(self) -> None:
        self.run = _Node("")
        self.loose = ()
        self.blank = True

    def _void(self, tag: str, attributes: str, place: _Place) -> None:
        if tag == "img":
            written = self._attributes(tag, attributes)
            if ' src="' in written:
                self._put(f"<img{written} />", place)
        elif tag == "hr":
            self._boundary()
            self.blank, self.breaks = False, 0
            self._reach(self._implied(place.blocks[:-1] if place.tag in PHRASE else place.blocks))
            self._current().parts.append((False, "<hr />"))
        elif place.tag == "pre":
            self._preformatted("\n", place)
        else:
            self.breaks += 1

    def _in_inline(self, tag: str, attributes: str, place: _Place) -> _Place:
        written = self._attributes(tag, attributes)
        useless = tag in {"a", "font", "span"} and not written
        misplaced = tag in PARENTS and not (place.inlines and place.inlines[-1].tag in PARENTS[tag])
        twice = tag in ONCE and any(node.tag == tag for node in place.inlines)
        inner = _Place(place.blocks, (*place.inlines, _Node(tag, written)))
        return place if useless or misplaced or twice or not inner.fits else inner

    def _in_block(self, tag: str, attributes: str, place: _Place) -> _Place:
        """The place of what stands in a block; of a block that may not stand here only that remains."""
        if tag not in self.rules.blocks:
            return place
        blocks = place.blocks
        if place.tag in PHRASE:
            if tag in PHRASE or tag in PARENTS:
                return place
            blocks = blocks[:-1]
        blocks = self._implied(blocks, tag)
        if tag in PARENTS and not (blocks and blocks[-1].tag in PARENTS[tag]):
            return place
        inner = _Place((*blocks, _Node(tag, self._attributes(tag, attributes))), place.inlines)
        return inner if inner.fits else place

    def _implied(self, blocks: tuple[_Node, ...], tag: str = "") -> tuple[_Node, ...]:
        """The blocks, and those that must come between the last of them and ``tag``, or text."""
        while blocks and (last := blocks[-1].tag) in STRUCTURE and tag not in self.rules.children[last]:
            blocks = (*blocks, _Node(_IMPLIED[last]))
        return blocks

    def _attributes(self, tag: str, written: str) -> str:
        if not written:
            return ""
        given = {name: unescape(value) for name, value in _ATTRIBUTE.findall(written)}
        if tag == "img":
            late = [given.pop(name) for name in LAZY if name in given]
            if late and _PLACEHOLDER.match(given.get("src", "")):
                given["src"] = late[0]
        kept = (
            (name, self.rules.mended(name, value, self.base))
            for name, value in given.items()
            if self.rules.names(tag, name)
        )
        return "".join(f' {name}="{value}"' for name, value in kept if value)

    def _put(self, html: str, place: _Place) -> None:
        """Text or an image, below its ancestors, after the blank or the line breaks that came before it."""
        path = self._path(place)
        if self.breaks > 1 and self.run in path and self.run in self.open:
            self.run = _Node("")
            path = self._path(place)
        self._reach(path)
        self._current().parts.append((False, html))

    def _preformatted(self, text: str, place: _Place) -> None:
        begun = place.blocks[-1] in self.open
        if not begun:
            text = text.lstrip("\n") if text.strip(" \t\n") else ""
        elif self.blank:
            text = f"\n{text}"
        if text:
            self.blank, self.breaks = False, 0
            self._reach(self._path(place))
            self._current().parts.append((False, text.replace("\n", "&#10;").replace("\t", "&#9;")))

    def _path(self, place: _Place) -> tuple[_Node, ...]:
        blocks = place.blocks
        if place.tag in PHRASE:
            return (*blocks, *place.inlines)
        if place.tag in STRUCTURE:
            if self.loose[: len(blocks)] != blocks:
                self.loose = self._implied(blocks)
            blocks = self.loose
        return (*blocks, self.run, *place.inlines)

    def _reach(self, path: tuple[_Node, ...]) -> None:
        """Closes what is open but not in the path and opens what is in it but not open."""
        common = 0
        for ours, theirs in zip(self.open, path, strict=False):
            if ours is not theirs:
                break
            common += 1
        same_block = all(node.tag in self.rules.inline for node in (*self.open[common:], *path[common:]))
        self._close_to(common)
        if same_block and (lead := "<br />" * min(self.breaks, 2) or " " * self.blank):
            self._current().parts.append((False, lead))
        self.blank, self.breaks = False, 0
        for node in path[common:]:
            node.parts = []
            self.open.append(node)

    def _close_to(self, depth: int) -> None:
        while len(self.open) > depth:
            node = self.open.pop()
            self._current().parts.append((not node.tag, node.html()))

    def _current(self) -> _Node:
        return self.open[-1] if self.open else self.top
