"""Kept blocks as clean HTML: paragraphs, headings, lists, tables, quotes, links and pictures, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

from crawler.extract.blocks import Block, Box
from crawler.extract.body import Body, is_caption
from crawler.extract.text import ZERO_WIDTH, squeeze
from crawler.extract.words import BITS

Absolute = Callable[[str], str]
"""Makes an address whole."""

_KEPT = frozenset(("ul", "ol", "li", "blockquote", "table", "tr", "td", "th", "dl", "dt", "dd", "pre"))
_INSIDE = {"li": ("ul", "ol"), "tr": ("table",), "td": ("tr",), "th": ("tr",), "dt": ("dl",), "dd": ("dl",)}
"""What each of them must stand in directly."""
_HEADINGS = {"h1": "h2", **{f"h{n}": f"h{n}" for n in range(2, 7)}}
_LEAVES = frozenset(("li", "td", "th", "dt", "dd", "pre"))
_INLINE = {"b": "strong", "i": "em", "strong": "strong", "em": "em", "sub": "sub", "sup": "sup", "code": "code",
           "a": "a", "s": "del", "del": "del", "q": "q", "cite": "cite", "kbd": "kbd", "mark": "mark"}  # fmt: skip
_FOREIGN = BITS["related"] | BITS["ad"] | BITS["share"] | BITS["bio"] | BITS["comment"] | BITS["nav"]
_ADDRESSES = ("data-original", "data-src", "data-lazy-src", "data-lazy", "data-url", "data-actualsrc", "src")
_SRCSET = ("srcset", "data-srcset")
_SMALL = 60
"""Pixels; smaller pictures are signs."""
_BLANK = re.compile(f"[{ZERO_WIDTH}]")
_WIDTH = re.compile(r"(\S+)\s+(\d+(?:\.\d+)?)[wx]")


def to_html(body: Body, absolute: Absolute) -> str:
    """The body's blocks and pictures as HTML. ``absolute`` makes addresses whole."""
    writer = _Writer(body, absolute)
    for number in body.kept:
        block = body.page.blocks[number]
        writer.pictures_before(number)
        if not is_caption(block):
            writer.block(block)
    writer.end()
    return "".join(writer.pieces)


def lead_image(body: Body, absolute: Absolute) -> str:
    """Address of the first picture in or right above the article; empty without one."""
    return next((address for _, _, address, _ in _pictures(body, absolute)), "")


class _Writer:
    def __init__(self, body: Body, absolute: Absolute) -> None:
        self.pieces: list[str] = []
        self._absolute = absolute
        self._open: list[Box] = []
        self._ending = ""
        self._pictures = list(_pictures(body, absolute))
        self._tables: dict[int, bool] = {}
        self._kept = [body.page.blocks[number] for number in body.kept]
        self._last: Block | None = None

    def block(self, block: Block) -> None:
        """Write a block where it stands, within the lists, quotes and tables around it."""
        if self._goes_on(block):
            self.pieces.append("<br>" if self._ending != "</pre>" else "\n")
        else:
            chain = self._structure(block)
            self._move_to(chain)
            self._start(block, chain)
        self.pieces.append(_inline(block, self._absolute, raw=self._ending == "</pre>"))
        self._last = block

    def end(self) -> None:
        """Close what stands open."""
        self._move_to([])

    def pictures_before(self, number: int) -> None:
        """Write the pictures that stand before block ``number``."""
        while self._pictures and self._pictures[0][0] <= number:
            _, box, address, (alt, caption) = self._pictures.pop(0)
            self._move_to(
                [one for one in self._open if one.tag in ("li", "td", "blockquote") and _holds(one, box)] and []
            )
            legend = f"<figcaption>{escape(caption, quote=False)}</figcaption>" if caption else ""
            self.pieces.append(f'<figure><img src="{escape(address)}" alt="{escape(alt)}">{legend}</figure>\n')
            self._last = None

    def _goes_on(self, block: Block) -> bool:
        """Whether it is the next line of the same paragraph."""
        last = self._last
        if last is None or block.box is not last.box or not self._ending:
            return False
        if self._ending == "</pre>":
            return True
        return block.split == 1 and not "".join(block.parts[:2]).lstrip("\r\n\t ").startswith("\u3000")

    def _structure(self, block: Block) -> list[Box]:
        """Lists, quotes, tables and their parts around a block, outermost first; only what stands in its right place."""
        chain: list[Box] = []
        box: Box | None = block.box
        while box is not None:
            if box.tag in _KEPT:
                chain.append(box)
            box = box.parent
        chain.reverse()
        found: list[Box] = []
        for one in chain:
            above = found[-1].tag if found else ""
            if one.tag in _INSIDE and above not in _INSIDE[one.tag]:
                continue
            if one.tag == "table" and not self._is_data(one):
                continue
            found.append(one)
        return found

    def _is_data(self, table: Box) -> bool:
        """Whether a table has at least two rows with two kept cells: others only hold a layout."""
        if id(table) not in self._tables:
            rows: dict[int, set[int]] = {}
            for block in self._kept:
                cell = row = None
                box: Box | None = block.box
                while box is not None and box is not table:
                    if box.tag in ("td", "th"):
                        cell = box
                    elif box.tag == "tr":
                        row = box
                    box = box.parent
                if box is table and cell is not None and row is not None:
                    rows.setdefault(id(row), set()).add(id(cell))
            self._tables[id(table)] = sum(len(cells) > 1 for cells in rows.values()) > 1
        return self._tables[id(table)]

    def _move_to(self, chain: Sequence[Box]) -> None:
        if self._ending:
            self.pieces.append(f"{self._ending}\n")
            self._ending = ""
        shared = 0
        while shared < min(len(chain), len(self._open)) and chain[shared] is self._open[shared]:
            shared += 1
        for box in reversed(self._open[shared:]):
            self.pieces.append(f"</{box.tag}>\n")
        for box in chain[shared:]:
            self.pieces.append(f"<{box.tag}>")
        self._open = list(chain)
        self._last = None

    def _start(self, block: Block, chain: Sequence[Box]) -> None:
        tag = block.box.tag
        innermost = chain[-1].tag if chain else ""
        if tag in _HEADINGS:
            tag = _HEADINGS[tag]
        elif innermost == "pre":
            self._ending = "</pre>"
            self._open = list(chain[:-1])
            return
        elif innermost in _LEAVES and chain[-1] is block.box:
            self._ending = "\u200b"
            return
        else:
            tag = "p"
        self.pieces.append(f"<{tag}>")
        self._ending = f"</{tag}>"


def _holds(outer: Box, box: Box | None) -> bool:
    while box is not None:
        if box is outer:
            return True
        box = box.parent
    return False


def _inline(block: Block, absolute: Absolute, *, raw: bool) -> str:
    """The text of a block with its links and emphasis."""
    pieces: list[str] = []
    marks = list(block.marks)
    open_: list[str] = []
    at = 0
    for number, part in enumerate(block.parts):
        while at < len(marks) and marks[at][0] <= number:
            _mark(marks[at][1], pieces, open_, absolute)
            at += 1
        pieces.append(escape(_BLANK.sub("", part), quote=False))
    while at < len(marks):
        _mark(marks[at][1], pieces, open_, absolute)
        at += 1
    pieces += [f"</{tag}>" for tag in reversed(open_) if tag]
    text = "".join(pieces)
    if marks:
        for _ in range(3):
            text = _EMPTY.sub(r"\2", text)
    return text.strip("\r\n") if raw else " ".join(text.split())


_EMPTY = re.compile(r"<(strong|em|sub|sup|code|del|q|cite|kbd|mark|a)(?: [^<>]*)?>(\s*)</\1>")


def _mark(node: Any, pieces: list[str], open_: list[str], absolute: Absolute) -> None:
    """Begin or end an inline element; one that is not kept leaves an empty place in the stack."""
    if node is None:
        if open_ and (tag := open_.pop()):
            pieces.append(f"</{tag}>")
        return
    tag = _INLINE.get(node.tag, "")
    if tag in open_:
        tag = ""
    if tag == "a":
        address = absolute(node.get("href") or "") if node.get("href") else ""
        if not address.startswith(("http://", "https://", "mailto:")):
            tag = ""
        else:
            pieces.append(f'<a href="{escape(address)}">')
    elif tag:
        pieces.append(f"<{tag}>")
    open_.append(tag)


def _pictures(body: Body, absolute: Absolute) -> Iterator[tuple[int, Box, str, tuple[str, str]]]:
    """Pictures of the article: number of the block before which each stands, box, address, alternative text, caption."""
    if not body.kept or body.region is None:
        return
    first, last = body.kept[0], body.kept[-1]
    seen: set[str] = set()
    for number, box, node in body.page.media:
        if node.tag != "img" or not first - 3 <= number <= last or not _holds(body.region.box, box):
            continue
        address = picture_address(node, absolute)
        if not address or address in seen or box.middle & _FOREIGN or _is_small(node):
            continue
        seen.add(address)
        yield number, box, address, (squeeze(node.get("alt") or ""), _caption(body, number, box))


def _caption(body: Body, number: int, box: Box) -> str:
    """The caption in the picture's own figure."""
    figure: Box | None = box
    while figure is not None and figure.tag != "figure":
        figure = figure.parent
    if figure is None:
        return ""
    near = body.page.blocks[number : number + 4]
    return " ".join(block.text for block in near if is_caption(block) and _holds(figure, block.box))


def picture_address(node: Any, absolute: Absolute) -> str:
    """Where a picture is, whole; of several sizes the widest; empty for what the page draws itself."""
    for name in _SRCSET:
        if sizes := _WIDTH.findall(node.get(name) or ""):
            address = absolute(max(sizes, key=lambda size: float(size[1]))[0])
            if address.startswith(("http://", "https://")):
                return address
    for name in _ADDRESSES:
        value = (node.get(name) or "").strip()
        if value and not value.startswith("data:"):
            address = absolute(value)
            if address.startswith(("http://", "https://")):
                return address
    return ""


def _is_small(node: Any) -> bool:
    sizes = ((node.get(name) or "").removesuffix("px") for name in ("width", "height"))
    return any(size.isdecimal() and int(size) < _SMALL for size in sizes)
