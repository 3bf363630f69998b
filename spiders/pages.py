"""HTML list pages: articles by selector or by the pattern of their links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from crawler.days import Days, expanded
from crawler.extract.page import Page
from crawler.extract.rules import Rule, as_text
from crawler.lists import HtmlList
from crawler.sources import Source
from spiders.walk import EntryMaker, Listing, Pager, Walk, absolute, askable, compiled_fields, read_fields

_links: Any = etree.XPath("descendant-or-self::a[@href]")
_base: Any = etree.XPath("string(//base/@href)")


class PagesWalk(Walk):
    """Reads the list pages of one list."""

    def __init__(self, source: Source, one: HtmlList, window: Days | None = None) -> None:
        self._one, self._window = one, window
        self._make = EntryMaker(source, one.fields.date_formats)
        fields = compiled_fields(one.fields, "css")
        self._of_page = {name: rule for name, rule in fields.items() if _is_absolute(rule)}
        self._fields = {name: rule for name, rule in fields.items() if name not in self._of_page}
        self._url = fields.get("url")
        self._items = one.items.compiled("css") if one.items else None
        self._pattern = re.compile(one.links) if one.links else None
        self._lists = one.lists.compiled("css") if one.lists else None
        self._pager = Pager(one, "css", deep=window is not None)

    def starts(self, days: Days) -> list[str]:
        """The addresses that the source states, for each day where they have one in them."""
        return expanded(self._one.urls, self._window or days)

    def read(self, page: Page) -> Listing:
        """Entries in the order of the page, an address once."""
        listing, seen = Listing(), set()
        base = self._base_of(page)
        for fields in self._records(page, self._items, listing.problems):
            url = absolute(base, fields["url"]) if fields.get("url") else ""
            if not url or url in seen or (self._pattern and not self._pattern.search(url)):
                continue
            seen.add(url)
            self._make.add(listing, {**fields, "url": url})
        return listing

    def _records(self, page: Page, items: Rule | None, problems: list[str]) -> Iterator[dict[str, str]]:
        """What each item says; without items or a rule for the address, each link is a record.

        An item without an address is an advertisement; one with several needs a better rule, and is a problem.
        """
        said = read_fields(self._of_page, page, page.root)
        for scope in items.nodes(page) if items else [page.root]:
            fields = said | read_fields(self._fields, page, scope)
            if self._url is not None:
                if "url" not in fields and (several := self._url.texts(page, scope)):
                    problems.append(f"{len(several)} addresses in one item, {several[0][:120]!r} first: one is due")
                yield fields
                continue
            for link in _links(scope):
                yield {"title": as_text(link), **fields, "url": link.get("href").strip()}

    def lists(self, page: Page) -> list[str]:
        """Absolute addresses of further lists, each once."""
        found = self._lists.texts(page) if self._lists else []
        addresses = (askable(self._base_of(page), url) for url in found)
        return list(dict.fromkeys(url for url in addresses if url))

    def next(self, page: Page, number: int) -> str:
        """Absolute address of the next page, or empty."""
        following = self._pager.next(page, number)
        return askable(self._base_of(page), following) if following else ""

    def _base_of(self, page: Page) -> str:
        return absolute(page.url, _base(page.root)) or page.url

    def page_at(self, number: int) -> str:
        """Address of a page after the first by its number; empty where pages are not numbered."""
        return self._pager.page_at(number)


def _is_absolute(rule: Rule) -> bool:
    """Whether a rule looks from the page's root, so that it says the same of every item: it need not search the whole
    page for each."""
    return all(
        step.kind == "xpath" and step.expression.startswith("/") and "|" not in step.expression for step in rule.steps
    )
