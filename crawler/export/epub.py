"""EPUB 3: a day's or a week's articles as a book, grouped by category, each a chapter; what there is of it is text.

https://www.w3.org/TR/epub-33/ . Images of other hosts, which a book may not hold, become links. The same posts give the
same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from typing import BinaryIO
from uuid import NAMESPACE_URL, uuid5
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from lxml import etree, html

from crawler.archive.allowed import Markup
from crawler.archive.markup import clean
from crawler.export.order import Order, Unfit
from crawler.export.output import seekable
from crawler.export.shelf import Item
from crawler.export.xml import plain

_TYPE = "application/epub+zip"
_CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_STYLE = """body { line-height: 1.7; }
h1 { line-height: 1.3; }
p { margin: 0 0 .6em; }
:lang(zh) p, :lang(ja) p { text-indent: 2em; text-align: justify; }
p.facts, p.original { text-indent: 0; font-size: .85em; overflow-wrap: anywhere; }
blockquote { margin: 1em 1.5em; }
table { border-collapse: collapse; }
td, th { border: 1px solid; padding: .2em .5em; }
"""
_PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="{lang}" xml:lang="{lang}">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>
{body}
</body>
</html>
"""
_PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="{lang}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:language>{lang}</dc:language>
<dc:publisher>{publisher}</dc:publisher>
<dc:date>{date}</dc:date>
<meta property="dcterms:modified">{modified}</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{manifest}
</manifest>
<spine>
<itemref idref="nav"/>
{spine}
</spine>
</package>
"""
_WHOLE = {
    "dl": ("(?:(?:dt )+(?:dd )+)+", "div", {"dt": "p", "dd": "div"}),
    "ruby": ("(?:(?:base )+(?:rt |rp rt rp )+)+", "span", {"rt": "span", "rp": "span"}),
}
"""Elements whose children must stand in some order: which, what else to call it, and them."""
_NO_TIME = (1980, 1, 1, 0, 0, 0)
"""Of files in the book: the time of making it would make its bytes others each time."""


@dataclass(frozen=True, slots=True)
class _Chapter:
    """What is kept of an article once it is in the book."""

    category: str
    published: datetime
    name: str
    """Of its file, without the ending."""
    title: str
    noted: str
    """When its line was written, ISO 8601 in UTC."""


def write(out: BinaryIO, order: Order) -> int:
    """Write a book; the number of articles. Raises OSError, and Unfit where there is none: a book has a chapter."""
    with seekable(out) as file, ZipFile(file, "w") as book:
        _add(book, "mimetype", _TYPE, ZIP_STORED)
        _add(book, "META-INF/container.xml", _CONTAINER)
        chapters = [_chapter(book, item, order) for _, item in order.told() if item is not None]
        if not chapters:
            raise Unfit("there is no article to make a book of")
        chapters.sort(key=lambda one: (one.category, one.published, one.name))
        _add(book, "book/style.css", _STYLE)
        _add(book, "book/nav.xhtml", _contents(chapters, order))
        _add(book, "book/package.opf", _package(chapters, order))
    return len(chapters)


def _add(book: ZipFile, name: str, text: str, method: int = ZIP_DEFLATED) -> None:
    book.writestr(ZipInfo(name, _NO_TIME), text.encode(), method)


def _written(text: str) -> str:
    """As text or value of an attribute."""
    return escape(plain(text))


def _page(language: str, title: str, body: str) -> str:
    return _PAGE.format(lang=_written(language), title=_written(title), body=body)


def _chapter(book: ZipFile, item: Item, order: Order) -> _Chapter:
    name = f"a{item.entry.number}"
    outlets = dict.fromkeys(one for one in (item.outlet, item.publisher.name) if one)
    facts = " · ".join([f"{item.published:%Y-%m-%d %H:%M}", *item.authors, *outlets])
    address = item.web_original or item.address
    body = [
        f"<h1>{_written(item.post.title)}</h1>",
        f'<p class="facts">{_written(facts)}</p>',
        _xhtml(item.content),
        f'<p class="original"><a href="{_written(address)}">{_written(address)}</a></p>',
    ]
    language = item.language_tag or order.shelf.site.language
    _add(book, f"book/{name}.xhtml", _page(language, item.post.title, "\n".join(body)))
    return _Chapter(item.section, item.published, name, item.post.title, item.entry.moment)


def _xhtml(content: str) -> str:
    """HTML as XML, of elements that are in HTML's standard, pictures as links."""
    root = html.fragment_fromstring(plain(clean(content, Markup())), create_parent="div")
    for picture in root.xpath("//img"):
        _link(picture)
    for table in root.xpath("//table[caption]"):
        table.insert(0, table.find("caption"))
    for name, (order, other, others) in _WHOLE.items():
        for one in root.xpath(f"//{name}"):
            if not re.fullmatch(order, "".join(_children(one))):
                for part in one.iterchildren(*others):
                    part.tag = others[part.tag]
                one.tag = other
    text: str = etree.tostring(root, encoding="unicode")
    return text


def _link(picture: etree._Element) -> None:
    inside = next(picture.iterancestors("a"), None) is not None
    link = etree.Element("span" if inside else "a", {} if inside else {"href": str(picture.get("src"))})
    link.text, link.tail = f"[{picture.get('alt') or picture.get('src')}]", picture.tail
    if (parent := picture.getparent()) is not None:
        parent.replace(picture, link)


def _children(element: etree._Element) -> Iterator[str]:
    """Their names, ``base`` for text and for those that may stand anywhere."""
    if (element.text or "").strip():
        yield "base "
    for child in element:
        yield f"{child.tag} " if child.tag in ("dt", "dd", "rt", "rp") else "base "
        if (child.tail or "").strip():
            yield "base "


def _title(order: Order) -> str:
    days = dict.fromkeys(day for day in (order.first, order.last) if day)
    names = [order.shelf.source_name(order.source)] if order.source else []
    names += [order.shelf.category_name(order.category)] if order.category else []
    return " · ".join([order.shelf.site.title, *names, *([" – ".join(days)] if days else [])])


def _contents(chapters: Sequence[_Chapter], order: Order) -> str:
    title = _title(order)
    groups = (_group(category, those, order) for category, those in groupby(chapters, lambda one: one.category))
    body = [f"<h1>{_written(title)}</h1>", '<nav epub:type="toc" id="toc">', "<ol>", *groups, "</ol>", "</nav>"]
    return _page(order.shelf.site.language, title, "\n".join(body))


def _group(category: str, chapters: Iterable[_Chapter], order: Order) -> str:
    links = (f'<li><a href="{one.name}.xhtml">{_written(one.title)}</a></li>' for one in chapters)
    name = order.shelf.category_name(category) or "–"
    return "\n".join([f"<li><span>{_written(name)}</span>", "<ol>", *links, "</ol>", "</li>"])


def _package(chapters: Sequence[_Chapter], order: Order) -> str:
    kind = 'media-type="application/xhtml+xml"'
    modified = max(datetime.fromisoformat(one.noted) for one in chapters).astimezone(UTC)
    asked = [order.source, order.category, order.first, order.last, str(order.since)]
    return _PACKAGE.format(
        lang=_written(order.shelf.site.language),
        identifier=uuid5(NAMESPACE_URL, " ".join([order.shelf.home, order.log, *asked])).urn,
        title=_written(_title(order)),
        publisher=_written(order.shelf.site.title),
        date=f"{max(one.published for one in chapters):%Y-%m-%d}",
        modified=f"{modified:%Y-%m-%dT%H:%M:%SZ}",
        manifest="\n".join(f'<item id="{one.name}" href="{one.name}.xhtml" {kind}/>' for one in chapters),
        spine="\n".join(f'<itemref idref="{one.name}"/>' for one in chapters),
    )
