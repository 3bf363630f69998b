"""Kept blocks as clean HTML: paragraphs, headings, lists, tables, quotes, links and pictures, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote

from crawler.extract.blocks import Block, Box
from crawler.extract.body import Body, is_caption
from crawler.extract.pictures import Picture, pictures
from crawler.extract.text import ZERO_WIDTH

Absolute = Callable[[str], str]
"""Makes an address whole."""

_LISTS = frozenset(("ul", "ol"))
_STRUCTURE = _LISTS | {"table", "tr", "dl"}
"""Elements that hold their own kind of children and no text."""
_PHRASE = frozenset(("pre", "dt", "caption"))
"""Elements that hold text and no blocks."""
_LEAVES = frozenset(("li", "td", "th", "dd"))
"""Elements whose own text needs no paragraph around it."""
_INSIDE = {"li": ("ul", "ol"), "tr": ("table",), "td": ("tr",), "th": ("tr",), "dt": ("dl",), "dd": ("dl",),
           "caption": ("table",)}  # fmt: skip
"""What each of them must stand in directly."""
_KEPT = _STRUCTURE | _PHRASE | _LEAVES | {"blockquote"}
_DEEPEST = 16
"""Lists, quotes and tables within each other that are kept; what lies deeper stands in the last of them."""
_HEADINGS = {"h1": "h2", **{f"h{n}": f"h{n}" for n in range(2, 7)}}
_INLINE = {"b": "strong", "i": "em", "strong": "strong", "em": "em", "sub": "sub", "sup": "sup", "code": "code",
           "a": "a", "s": "del", "del": "del", "ins": "ins", "q": "q", "cite": "cite", "kbd": "kbd", "mark": "mark",
           "ruby": "ruby", "rt": "rt"}  # fmt: skip
_MOST_INLINE = 6
_ATTRIBUTES = {"ol": ("start",), "td": ("colspan", "rowspan"), "th": ("colspan", "rowspan")}
_NUMBER = re.compile(r"[0-9]{1,3}", re.ASCII)
_NO_WIDTH = re.compile(f"[{ZERO_WIDTH}]")
_BLANKS = re.compile(r"\s+")
_INDENT = re.compile(r"[\s\u200b\ufeff]*")
_ADDRESS = re.compile(r"(https?://(?=[A-Za-z0-9%\[_.~-]|[^\x00-\x7f])|mailto:|tel:)", re.IGNORECASE)
_SAFE = "._~:/?#[]@!$&'()*+,;=%-"
"""Signs that stand in an address as they are (RFC 3986)."""


class _Place(NamedTuple):
    """A list, quote, table or part of one that stands open."""

    tag: str
    box: Box
    """The page's own element; of an item that is implied, its list."""


def to_html(body: Body, absolute: Absolute) -> str:
    """The body's blocks and pictures as HTML, every block with its words in the page's order.

    ``absolute`` makes addresses whole; those that are no web, mail or telephone addresses then are left out. Captions
    stand with their pictures, those of pictures that are left out fall out too.
    """
    writer = _Writer(body, absolute)
    for number in body.kept:
        block = body.page.blocks[number]
        writer.pictures_before(number)
        if not is_caption(block):
            writer.block(block)
    writer.pictures_before(len(body.page.blocks))
    writer.end()
    return "".join(writer.pieces)


def lead_image(body: Body, absolute: Absolute) -> str:
    """Address of the first picture in or right above the article; empty without one."""
    return next((picture.images[0][0] for picture in pictures(body, _whole(absolute))), "")


def _whole(absolute: Absolute) -> Absolute:
    """What makes an address whole and fit for an attribute; empty for those that lead nowhere."""

    def whole(given: str) -> str:
        found = _ADDRESS.match(address := absolute(given))
        return found[0].lower() + quote(address[found.end() :], _SAFE, errors="replace") if found else ""

    return whole


class _Writer:
    def __init__(self, body: Body, absolute: Absolute) -> None:
        self.pieces: list[str] = []
        self._whole = _whole(absolute)
        self._open: list[_Place] = []
        self._ending: str | None = None
        """What ends the line that stands open; empty for one right in a cell or an item, None without one."""
        self._pictures = pictures(body, self._whole)[::-1]
        self._data = _data_tables(body.page.blocks[number] for number in body.kept)
        self._cells: set[Any] = set()
        """Cells that are written."""
        self._last: Block | None = None

    def block(self, block: Block) -> None:
        """Write a block where it stands, within the lists, quotes and tables around it."""
        chain = self._places(block.box)
        innermost = chain[-1].tag if chain else ""
        if self._ending is not None and chain == self._open and (innermost in _PHRASE or self._goes_on(block)):
            self.pieces.append("&#10;" if innermost == "pre" else "<br>")
        else:
            self._begin(block, chain)
        self.pieces.append(_inline(block, self._whole, raw=innermost == "pre"))
        self._last = block

    def end(self) -> None:
        """Close what stands open."""
        self._move_to([])

    def pictures_before(self, number: int) -> None:
        """Write the pictures that stand before block ``number``."""
        while self._pictures and self._pictures[-1].number <= number:
            picture = self._pictures.pop()
            chain = self._places(picture.box)
            while chain and (chain[-1].tag in _STRUCTURE or chain[-1].tag in _PHRASE):
                chain.pop()
            self._move_to(chain)
            self.pieces.append(_figure(picture))

    def _goes_on(self, block: Block) -> bool:
        """Whether it is the next line of the same paragraph: one ``<br>`` before it, and no indentation."""
        if self._last is None or block.box is not self._last.box or block.split != 1:
            return False
        indent = _INDENT.match("".join(block.parts[:3]))
        blanks = indent[0] if indent else ""
        return not ("\u3000" in blanks or "\u2003" in blanks or blanks.count("\xa0") > 1)

    def _places(self, innermost: Box) -> list[_Place]:
        """Lists, quotes, tables and their parts around a block, outermost first; each only in its right place."""
        kept = (box for box in innermost.outward() if box.tag in _KEPT and (box.tag != "table" or box in self._data))
        found: list[_Place] = []
        for box in reversed(list(kept)):
            above = found[-1].tag if found else ""
            if above in _PHRASE or len(found) >= _DEEPEST:
                break
            if box.tag in _INSIDE:
                if above not in _INSIDE[box.tag]:
                    continue
            elif above in _LISTS:
                found.append(self._item_in(found))
            else:
                _leave_structure(found)
            found.append(_Place(box.tag, box))
        _leave_structure(found)
        return found

    def _item_in(self, chain: list[_Place]) -> _Place:
        """The item that a list within a list without one belongs to: the last that stands open, else one of its own."""
        after = self._open[len(chain) : len(chain) + 1]
        if after and after[0].tag == "li" and self._open[: len(chain)] == chain:
            return after[0]
        return _Place("li", chain[-1].box)

    def _move_to(self, chain: Sequence[_Place]) -> bool:
        """End the open line, close and open elements; whether the innermost is new."""
        if self._ending:
            self.pieces.append(f"{self._ending}\n")
        self._ending = self._last = None
        shared = 0
        while shared < min(len(chain), len(self._open)) and chain[shared] == self._open[shared]:
            shared += 1
        for place in reversed(self._open[shared:]):
            self.pieces.append(f"</{place.tag}>\n")
        for place in chain[shared:]:
            self._enter(place)
        self._open = list(chain)
        return shared < len(chain)

    def _enter(self, place: _Place) -> None:
        node = place.box.node
        if place.tag in ("td", "th"):
            self._cells.add(node)
            for cell in node.itersiblings("td", "th", preceding=True):
                if cell in self._cells:
                    break
                self._cells.add(cell)
                self.pieces.append("<td></td>")  # an empty cell holds its column
        names = _ATTRIBUTES.get(place.tag, ())
        given = "".join(f' {name}="{node.get(name)}"' for name in names if _NUMBER.fullmatch(node.get(name) or ""))
        self.pieces.append(f"<{place.tag}{given}>")

    def _begin(self, block: Block, chain: list[_Place]) -> None:
        """Begin a line: right in an element that holds text alone or has none yet, else as a paragraph or a heading."""
        new = self._move_to(chain)
        tag = _HEADINGS.get(block.box.tag, "p")
        if chain and (chain[-1].tag in _PHRASE or (new and chain[-1].tag in _LEAVES and chain[-1].box is block.box)):
            self._ending = ""
        else:
            self.pieces.append(f"<{tag}>")
            self._ending = f"</{tag}>"


def _leave_structure(chain: list[_Place]) -> None:
    """Leave what holds neither text nor blocks: text that stands loose in a list or a table stands beside it."""
    while chain and chain[-1].tag in _STRUCTURE:
        chain.pop()


def _data_tables(blocks: Iterable[Block]) -> set[Box]:
    """Tables with at least two rows with two kept cells: others only hold a layout."""
    rows: dict[Box, dict[Box, set[Box]]] = {}
    for innermost in {block.box for block in blocks}:
        cell = row = None
        for box in innermost.outward():
            if box.tag in ("td", "th"):
                cell = box
            elif box.tag == "tr":
                row = box
            elif box.tag == "table" and cell is not None and row is not None:
                rows.setdefault(box, {}).setdefault(row, set()).add(cell)
    return {table for table, cells in rows.items() if sum(len(some) > 1 for some in cells.values()) > 1}


def _figure(picture: Picture) -> str:
    images = "".join(f'<img src="{escape(address)}" alt="{escape(alt)}">' for address, alt in picture.images)
    caption = picture.caption and f"<figcaption>{escape(picture.caption, quote=False)}</figcaption>"
    return f"<figure>{images}{caption}</figure>\n"


def _inline(block: Block, whole: Absolute, *, raw: bool) -> str:
    """The text of a block with its links and emphasis; elements open only when text comes, so none is empty."""
    if not block.marks and not raw:
        return escape(block.text, quote=False)
    pieces: list[str] = []
    stack: list[list[str]] = []
    marks = iter(block.marks)
    mark = next(marks, None)
    for number, part in enumerate(block.parts):
        while mark is not None and mark[0] <= number:
            _mark(mark[1], pieces, stack, whole)
            mark = next(marks, None)
        text = part if part.isascii() else _NO_WIDTH.sub("", part)
        if text.strip():
            for pending in stack:
                pieces.append(pending[1])
                pending[1] = ""
        text = escape(text, quote=False)
        pieces.append(_preformatted(text) if raw else _BLANKS.sub(" ", text))
    while stack:
        _mark(None, pieces, stack, whole)
    text = "".join(pieces)
    return text.removeprefix("&#10;").removesuffix("&#10;") if raw else text.strip()


def _preformatted(text: str) -> str:
    """With its line ends and tabs as references: as themselves a Markdown processor would take them."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", "&nbsp;")
    return text.replace("\n", "&#10;").replace("\t", "&#9;")


def _mark(node: Any, pieces: list[str], stack: list[list[str]], whole: Absolute) -> None:
    """Begin or end an inline element: its tag (empty for one that is not kept) and its start tag, until written."""
    if node is None:
        if stack:
            tag, start = stack.pop()
            if tag and not start:
                pieces.append(f"</{tag}>")
        return
    tag, start = _INLINE.get(node.tag, ""), ""
    above = [one for one, _ in stack if one]
    if tag in above or len(above) >= _MOST_INLINE or (tag == "rt" and above[-1:] != ["ruby"]):
        tag = ""
    elif tag == "a":
        address = whole(href) if (href := (node.get("href") or "").strip()) else ""
        tag, start = ("a", f'<a href="{escape(address)}">') if address else ("", "")
    elif tag:
        start = f"<{tag}>"
    stack.append([tag, start])
