"""Lists in JSON and JSONP: a path to the records, paths to their fields, paging by number or cursor."""

from __future__ import annotations

from crawler.days import Days, expanded
from crawler.extract.page import Page
from crawler.lists import JsonList
from crawler.sources import Source
from spiders.walk import EntryMaker, Listing, Pager, Walk, absolute, askable, compiled_fields, read_fields


class JsonWalk(Walk):
    """Reads the answers of one list."""

    def __init__(self, source: Source, one: JsonList, window: Days | None = None) -> None:
        self._one, self._window = one, window
        self._make = EntryMaker(source, one.fields.date_formats)
        self._items = one.items.compiled("jmespath")
        self._fields = compiled_fields(one.fields, "jmespath")
        self._pager = Pager(one, "jmespath", deep=window is not None)

    def starts(self, days: Days) -> list[str]:
        """The addresses that the source states, for each day where they have one in them."""
        return expanded(self._one.urls, self._window or days)

    def read(self, page: Page) -> Listing:
        """Entries in the order of the answer. Raises NotJson, or ValueError for JSON of another shape."""
        listing = Listing()
        data = page.json
        if not isinstance(data, dict | list):
            raise ValueError(f"a list was due, not {str(data)[:60]!r}")
        for record in self._items.nodes(page):
            fields = read_fields(self._fields, page, record) if isinstance(record, dict) else {}
            if fields.get("url"):
                fields["url"] = absolute(page.url, fields["url"])
            self._make.add(listing, fields)
        return listing

    def next(self, page: Page, number: int) -> str:
        """Absolute address of the next answer, or empty."""
        following = self._pager.next(page, number)
        return askable(page.url, following) if following else ""

    def page_at(self, number: int) -> str:
        """Address of a page after the first by its number; empty where pages are not numbered."""
        return self._pager.page_at(number)
