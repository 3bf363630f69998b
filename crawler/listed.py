"""Articles that a list gives in full: the page that stands in for the one that is not asked for, and its rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from lxml import etree

from crawler.extract.layout import Layout
from crawler.extract.page import Page
from crawler.extract.rules import Rule, compile_step

_MARK = b"<!DOCTYPE html>\n<!-- presskeep: what a list says of this article, which it holds in full -->\n"
_WHOLE = re.compile(r"</?(?:html|body)\b[^<>]*>", re.IGNORECASE)
"""Behind the end of a body the parser would lose what follows."""
_RULES = {
    name: Rule([compile_step("xpath", path)])
    for name, path in {
        "title": "/html/body/header/h1",
        "published": "/html/body/header/time",
        "byline": "/html/body/header/address",
        "body": "/html/body/article",
    }.items()
}


def is_given(hints: Mapping[str, str]) -> bool:
    """Whether a list gave an article in full."""
    return bool(hints.get("content"))


def write_page(hints: Mapping[str, str]) -> bytes:
    """The page, in UTF-8, of what a list says; the same words always give the same bytes."""
    said = {name: escape(hints.get(name, ""), quote=False) for name in ("title", "published", "byline")}
    authors = "".join(f"<address>{name}</address>" for name in said["byline"].split("\n") if name)
    text = (
        f'<html><head><meta charset="utf-8"><title>{said["title"]}</title></head><body>\n'
        f"<header><h1>{said['title']}</h1><time>{said['published']}</time>{authors}</header>\n"
        f"{_balanced(hints['content'])}\n</body></html>\n"
    )
    return _MARK + text.encode("utf-8", "replace")


def _balanced(html: str) -> str:
    """An ``<article>`` that ends where it should, whatever is in it."""
    body = Page.of_text(f"<html><body>{_WHOLE.sub('', html)}").root.find("body")
    body.tag = "article"
    return str(etree.tostring(body, encoding="unicode", method="html", with_tail=False))


def is_listed(page: Page) -> bool:
    """Whether a page is such a one: a crawl's or one of its captures."""
    return page.body.startswith(_MARK)


def read_again(page: Page) -> Page:
    """The same page, whatever encoding the source's own pages are in."""
    return Page(page.body, page.url, encoding="utf-8")


def layout_of(own: Layout | None) -> Layout:
    """The fixed layout; what the source's ``own`` takes out of bodies is taken out here as well."""
    return Layout(_RULES) if own is None else Layout(_RULES, own.strip, own.drop, own.until, own.date_formats)
