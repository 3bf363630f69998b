"""What all ways of listing share: from the fields of a record to an entry with its key, and the interface of a walk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from crawler.archive.ledger import Entry
from crawler.days import Days
from crawler.extract.dates import parse
from crawler.extract.page import Page
from crawler.extract.rules import NoFit, Rule
from crawler.lists import ListBase, ListFields, Paging
from crawler.rulemodel import RuleModel
from crawler.share import fill
from crawler.sources import Source
from crawler.urls import canonical, key_of

REQUIRED = ("title", "published")
"""What a post cannot be without; a list must say it where no layout has a rule for it and pages are JSON, which the
generic extractor does not read."""
CHUNK = 1000
"""Entries that are committed at once where a list is long."""


@dataclass(slots=True)
class Listing:
    """What one list page names."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Records that have no key, one line each."""
    left: int = 0
    """Articles, and further lists, that it names and that are left to another time."""


class Walk(ABC):
    """One way of listing by pages."""

    levels = 1
    """How deep lists may name further lists."""
    partial = False
    """Whether a list that another names may honestly hold no article."""
    largest = 0
    """Bytes of an answer that are taken; 0 for as many as of any page."""
    statuses: tuple[int, ...] = ()
    """Of answers that mean something here, besides success."""

    @abstractmethod
    def starts(self, days: Days) -> list[str]:
        """Addresses of its first pages; lists that are by day for these days, or for the window of a backfill that
        the walk was made for."""

    @abstractmethod
    def read(self, page: Page) -> Listing:
        """The articles that a list page names. Raises ValueError where it is no such list."""

    def pieces(self, page: Page) -> Iterator[Listing]:
        """The same in pieces, where a page may be long; only the last may be without entries."""
        yield self.read(page)

    def next(self, page: Page, number: int) -> str:
        """Address of the page after page ``number`` (the first is 1); empty where the walk ends."""
        return ""

    def page_at(self, number: int) -> str:
        """Address of any page by its number; empty where pages are not numbered."""
        return ""

    def lists(self, page: Page) -> list[str]:
        """Addresses of further lists that a first page names."""
        return []


class EntryMaker:
    """Makes entries of one source from the fields of its records."""

    def __init__(self, source: Source, date_formats: Sequence[str] = ()) -> None:
        """``date_formats``: the list's own, beyond what is read by itself; what they read becomes ISO 8601."""
        self._patterns = source.key_patterns
        self._zone, self._formats = source.zone, date_formats
        unruled = [name for name in REQUIRED if all(getattr(layout, name) is None for layout in source.layouts)]
        self._needed = unruled if source.article.format == "json" else []

    def add(self, listing: Listing, fields: Mapping[str, str]) -> None:
        """Add the record to the listing: as an entry, or as a problem where it has no key."""
        hints = {name: value for name, value in fields.items() if value and name != "key"}
        if self._formats and (moment := parse(hints.get("published", ""), self._zone, formats=self._formats)):
            hints["published"] = moment.astimezone(self._zone).isoformat()
        key = self._key(fields)
        if not key:
            named = fields.get("key") or fields.get("url") or fields.get("title") or "empty record"
            listing.problems.append(f"no key in {named[:120]!r}")
            return
        lacking = [name for name in self._needed if not hints.get(name)]
        refused = f"the list gives no {' and no '.join(lacking)}, and no page can" if lacking else ""
        listing.entries.append(Entry(key, hints, refused))

    def _key(self, fields: Mapping[str, str]) -> str:
        named = fields.get("key", "")
        if named:
            return key_of(named, self._patterns) if self._patterns else named
        try:
            return key_of(fields.get("url", ""), self._patterns)
        except ValueError:  # no address at all
            return ""


def absolute(base: str, address: str) -> str:
    """The web address that ``address`` means on a page at ``base``; empty where it means none (``mailto:``, broken)."""
    try:
        found = urljoin(base, address.strip())
        return found if urlsplit(found).hostname and found.startswith(("http://", "https://")) else ""
    except ValueError:
        return ""


def askable(base: str, address: str) -> str:
    """As ``absolute``, for what is asked for as it is: empty also where no request can be made of it, as for a port of
    99999."""
    found = absolute(base, address)
    try:
        return found if found and canonical(found) else ""
    except ValueError:
        return ""


def compiled_fields(fields: ListFields, bare: str) -> dict[str, Rule]:
    """Rules of a list's fields, ready to run."""
    rules = {name: getattr(fields, name) for name in type(fields).model_fields}
    return {name: rule.compiled(bare) for name, rule in rules.items() if isinstance(rule, RuleModel)}


def read_fields(rules: Mapping[str, Rule], page: Page, scope: Any) -> dict[str, str]:
    """What a record says; a rule that does not fit leaves its field out."""
    said = {}
    for name, rule in rules.items():
        try:
            said[name] = rule.text(page, scope)
        except NoFit:
            continue
    return said


class Pager:
    """Finds the page after a page."""

    def __init__(self, one: ListBase, bare: str, *, deep: bool = False) -> None:
        """``deep``: as far as the list goes, for a backfill."""
        self._paging: Paging | None = one.pages
        self._deep = deep
        self._next = one.pages.next.compiled(bare) if one.pages and one.pages.next else None
        self._cursor = one.pages.cursor.compiled(bare) if one.pages and one.pages.cursor else None

    def next(self, page: Page, number: int) -> str:
        """What a next link says, or the template filled with number or cursor (quoted, for it is a part of an address);
        empty at the end or the depth."""
        paging = self._paging
        if paging is None or (number >= paging.depth and not self._deep):
            return ""
        try:
            if self._cursor is not None:
                return fill(paging.template, {"cursor": self._cursor.text(page)})
            if self._next is not None:
                found = self._next.text(page)
                return fill(paging.template, {"page": found}) if paging.template else found
        except NoFit:
            return ""
        return self.page_at(number + 1)

    def page_at(self, number: int) -> str:
        """Address of a page after the first by its number; empty where a page itself says which is the next."""
        paging = self._paging
        if paging is None or self._cursor is not None or self._next is not None:
            return ""
        return fill(paging.template, {"page": str(paging.first + (number - 2) * paging.step)})
