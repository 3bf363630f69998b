"""The pictures of an article: which of a page's are its own, where they lie, and what is written below them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from crawler.extract.blocks import Block, Box
from crawler.extract.body import Body, is_caption
from crawler.extract.text import squeeze
from crawler.extract.words import BITS

_CAPTION = BITS["caption"] | BITS["<figure>"] | BITS["<figcaption>"]
_CREDIT = BITS["meta"] | _CAPTION
_BYLINE = BITS["meta"] | BITS["bio"]
_FOREIGN = (
    BITS["related"] | BITS["ad"] | BITS["share"] | BITS["bio"] | BITS["comment"] | BITS["nav"] | BITS["form"]
    | BITS["<aside>"] | BITS["<footer>"] | BITS["<form>"]
)  # fmt: skip
"""What boxes around pictures of others are called."""
_ADDRESSES = ("data-original", "data-src", "data-lazy-src", "data-lazy", "data-url", "data-actualsrc", "src")
_SRCSET = ("srcset", "data-srcset", "data-lazy-srcset")
_SIZED = re.compile(r"(?<![^\s,])([^\s,]\S*)\s+(\d{1,6}(?:\.\d{1,3})?)[wx]")
_SRCSET_LENGTH = 6000
"""Characters of a list of sizes that are read."""
_HEADINGS = frozenset(("h2", "h3", "h4", "h5", "h6"))
_SMALL = 60
"""Pixels; smaller pictures are signs."""
_ABOVE = 8
"""Blocks between the headline and the text, among which the lead picture may stand; where there is no headline a third
of them."""
_OVER = 2
"""Blocks above the headline, likewise."""
_LEADING = 3
_UNIT = BITS["article"] | BITS["<article>"] | BITS["content"] | BITS["<main>"]
_SIGN_WORDS = re.compile(
    r"(?<![a-z])(?:logo|icon|avatar|gravatar|emoji|smiley|sprite|spacer|button|btn|qr-?code)s?(?![a-z])", re.IGNORECASE
)
_PERSON = re.compile(r"author(?!i)|byline|contributor|\bautor|auteur|verfasser|columnist", re.IGNORECASE)
_SIGN_FILE = re.compile(
    r"(?:^|/)(?:logo|icon|avatar|emoji|smilie|sprite|newsletter)s?/|(?:^|/)\w\.gif$"
    r"|(?:^|[-_/])(?:spinner|loading)[-_.][^/]{0,40}\.(?:gif|svg)$"
    r"|(?:^|[-_/])(?:logo|icon|avatar|emoji|sprite|spacer|blank|pixel|loading|loader|place-?holder|transparent|1x1|grey"
    r"|gray|qrcode|ewm|erweima)(?:[-_]?[-_\dvx]{1,12})?\.\w{3,4}$",
    re.IGNORECASE,
)
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif|bmp|tiff?)$", re.IGNORECASE)
_SIZE_IN_NAME = re.compile(r"-\d{2,5}x\d{2,5}(?=\.\w+$)")


@dataclass(slots=True)
class Picture:
    """A picture, or several of one figure, before a block."""

    number: int
    """Of the block before which it stands."""
    box: Box
    images: list[tuple[str, str]]
    """Address and alternative text of each."""
    caption: str
    """With its credit."""


def pictures(body: Body, absolute: Callable[[str], str]) -> list[Picture]:
    """The article's own pictures in the page's order, each once; none where nothing was kept.

    ``absolute`` makes an address whole, and says nothing (empty) of one that is none of the web's.
    """
    if not body.kept:
        return []
    seen = _Article(body)
    found: list[Picture] = []
    known: set[str] = set()
    figure: Box | None = None
    for number, box, node in body.page.media:
        if node.tag != "img" or not seen.reaches(number) or not seen.owns(number, box, node):
            continue
        address = picture_address(node, absolute)
        if not address or (key := _same_picture(address)) in known or _is_sign(node, address):
            continue
        known.add(key)
        image = (address, squeeze(node.get("alt") or ""))
        last, figure = figure, next((one for one in box.outward() if one.tag == "figure"), None)
        if figure is not None and figure is last and found[-1].number == number:
            found[-1].images.append(image)
        else:
            found.append(Picture(number, box, [image], seen.caption(number, box, figure)))
    return found


class _Article:
    """Where an article's text stands, to tell its pictures by."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.kept = frozenset(body.kept)
        self.first, self.last = body.kept[0], body.kept[-1]
        self.holding: set[Box] = set()
        """Boxes around kept blocks."""
        for number in body.kept:
            box: Box | None = body.page.blocks[number].box
            while box is not None and box not in self.holding:
                self.holding.add(box)
                box = box.parent
        headline = body.page.headline_at
        self.headed = 0 <= headline <= self.first
        self.top = max(headline - _OVER, self.first - _ABOVE) if self.headed else self.first - _ABOVE // 3
        self.begun = body.kept[:_LEADING][-1]
        """Among the first blocks lies the lead picture, also where a standfirst is one of them."""

    def reaches(self, number: int) -> bool:
        """Whether a picture before that block is near enough."""
        return self.top <= number <= self.last + 1

    def owns(self, number: int, box: Box, node: Any) -> bool:
        """Whether a picture is the article's, by what stands between it and the text."""
        between = []
        joint = box
        while joint not in self.holding and joint.parent is not None:
            between.append(joint)
            joint = joint.parent
        if any(one.own & _FOREIGN and not one.own & _CAPTION for one in between):
            return False
        if any(one.own & _BYLINE and not one.own & _CAPTION for one in between[:2]) or any(
            map(_is_person, between[:3])
        ):
            return False
        if between and self._is_teaser(number, between[-1], node):
            return False
        if number > self.last:
            last = self.body.page.blocks[self.last].box
            return joint is last or joint is last.parent
        if self._in_region(joint):
            return True
        named = any(one.own & _CAPTION for one in between)
        return named and self.headed and number <= self.begun and bool(joint.all & _UNIT)

    def _in_region(self, box: Box) -> bool:
        return self.body.region is not None and self.body.region.box in box.outward()

    def _is_teaser(self, number: int, outermost: Box, node: Any) -> bool:
        """Whether another page's title stands beside it: a link, or within the text a heading."""
        beside = [
            block for _, block in self._around(number) if outermost in block.box.outward() and not _is_legend(block)
        ]
        if any(block.linked > 0.9 for block in beside) and (_is_link(node) or self.first < number <= self.last):
            return True
        return self.first < number <= self.last and any(block.box.tag in _HEADINGS for block in beside)

    def _around(self, number: int) -> Iterator[tuple[int, Block]]:
        """Blocks near a picture that were not kept, or are captions."""
        blocks = self.body.page.blocks
        for at in range(max(0, number - 2), min(len(blocks), number + 6)):
            if at not in self.kept or is_caption(blocks[at]):
                yield at, blocks[at]

    def caption(self, number: int, box: Box, figure: Box | None) -> str:
        """What stands below the picture or beside it in its figure."""
        around = self._around(number)
        if figure is not None:
            lines = [block.text for _, block in around if figure in block.box.outward() and _is_legend(block)]
        else:
            lines = []
            near = {box, box.parent, box.parent and box.parent.parent}
            for at, block in around:
                if at == number + len(lines) and block.box.own & _CAPTION and block.box.parent in near:
                    lines.append(block.text)
        return " ".join(dict.fromkeys(lines))


def _is_legend(block: Block) -> bool:
    """Whether a block is called a caption or a credit."""
    return is_caption(block) or bool((block.box.own | block.inline) & _CREDIT)


def _is_person(box: Box) -> bool:
    """Whether a box is called an author's."""
    return _PERSON.search((box.node.get("class") or "")[:300]) is not None


def _is_link(node: Any) -> bool:
    """Whether a picture is a link to something else than itself in full size."""
    link = node.getparent()
    while link is not None and link.tag in ("picture", "source", "span"):
        link = link.getparent()
    return link is not None and link.tag == "a" and not _PICTURE_FILE.search((link.get("href") or "").partition("?")[0])


def picture_address(node: Any, absolute: Callable[[str], str]) -> str:
    """Where a picture is, whole; of several sizes the widest; empty for what the page draws itself.

    Pages that load their pictures late keep the address in an attribute of their own, in the ``<source>`` beside it,
    or in a ``<noscript>`` after it.
    """
    for one in (node, *_sources(node)):
        for name in _SRCSET:
            sizes = _SIZED.findall((one.get(name) or "")[:_SRCSET_LENGTH])
            widest = max(sizes, key=lambda size: float(size[1]))[0].rstrip(",") if sizes else ""
            if widest and (address := absolute(widest)):
                return address
    for name in _ADDRESSES:
        value = (node.get(name) or "").strip()
        if value and not value.startswith("data:") and (address := absolute(value)) and not _is_sign_file(address):
            return address
    for name, value in node.items():
        if (
            name.startswith("data-")
            and _PICTURE_FILE.search(value[:2000].partition("?")[0])
            and (address := absolute(value))
        ):
            return address
    after = node.getnext()
    inner = after.find(".//img") if after is not None and after.tag == "noscript" else None
    return "" if inner is None else picture_address(inner, absolute)


def _sources(node: Any) -> Iterator[Any]:
    """The sources of the ``<picture>`` that an image is in; libxml2 takes those before it for elements around it."""
    around = node.getparent()
    while around is not None and around.tag == "source":
        yield around
        around = around.getparent()
    if around is not None and around.tag == "picture":
        yield from around.iterchildren("source")


def _same_picture(address: str) -> str:
    """What several sizes of one picture share."""
    path = address.partition("?")[0]
    return _SIZE_IN_NAME.sub("", path) if _PICTURE_FILE.search(path) else address


def _is_sign(node: Any, address: str) -> bool:
    """Whether it is a logo, a portrait of the author, a button or a drawn line."""
    sizes = ((node.get(name) or "").removesuffix("px") for name in ("width", "height"))
    if any(size.isdecimal() and int(size[:6]) < _SMALL for size in sizes):
        return True
    names = f"{node.get('class') or ''} {node.get('id') or ''}"[:300]
    return _SIGN_WORDS.search(names) is not None or _is_sign_file(address)


def _is_sign_file(address: str) -> bool:
    return _SIGN_FILE.search(address.partition("//")[2].partition("/")[2].partition("?")[0][-300:]) is not None
