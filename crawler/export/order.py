"""What is asked of an export: which lines of the change log, which posts of these, and what else its writer must know.

Each form is a function ``write(out, order)`` that writes bytes and says how many articles there were.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from crawler.archive.changelog import PRESENCE, Entry
from crawler.archive.names import safe_key
from crawler.export.shelf import Item, Shelf

if TYPE_CHECKING:
    from crawler.export.warc import Captures

_CHANGES = "edited", "reprocessed"
"""Events that may take a post from one category to another."""
_WIDER = 4
"""How many times more posts are looked at for the newest, each time that those looked at were too few."""


class Unfit(ValueError):
    """An export that cannot be made so; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Outside(Entry):
    """A line of a post that is edited or read anew, and not of the category that is asked for: whoever holds it from
    an earlier export takes it out. What it was of before is not known, so that they may never have had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An export that is asked for."""

    shelf: Shelf
    log: str
    """Id of the change log."""
    lines: Callable[[], Iterator[Entry]]
    """Its lines that count, in their order; may be asked for again."""
    upto: int
    """Number up to which they go: that of the last line that was there, or what was asked for beyond it."""
    now: datetime
    """With a zone."""
    since: int = 0
    """Number of the line after which they begin."""
    source: str = ""
    """Id of the source that they are of; empty for all."""
    category: str = ""
    """Slug that posts must have; empty for any."""
    first: str = ""
    """Day, ISO 8601, of the oldest posts; empty for any. The day is the one in the file's name."""
    last: str = ""
    """Likewise of the newest."""
    count: int = 0
    """Posts at most, of a form that holds the newest alone."""
    address: str = ""
    """Where the export will be found; empty where nobody said."""
    chosen: Sequence[Item] | None = None
    """The newest, where somebody has sought them already."""
    captures: Captures | None = None
    """Of a form that is made of captures."""

    @property
    def since_next(self) -> str:
        """What to ask ``--since`` for next time."""
        return f"{self.upto}@{self.log}"

    @property
    def name(self) -> str:
        """Of its file, where presskeep names it: by day or week, where it is of one, else by number."""
        if self.first and self.last:
            days = [self.first] if self.first == self.last else [self.first, self.last]
            return f"presskeep-{'_'.join(days)}"
        return f"presskeep-{self.upto:06}"

    @property
    def file_name(self) -> str:
        """Of the file of its category."""
        return safe_key(self.category)

    def told(self, days: frozenset[str] | None = None) -> Iterator[tuple[Entry, Item | None]]:
        """Lines that are asked for with their posts, which are read one by one; None for the post of a line that tells
        of presence alone, and of one ``Outside``, as there may be in what came since. ``days``: of these alone."""
        for entry in self.lines():
            if not self._in_time(entry) or (days is not None and day_of(entry) not in days):
                continue
            if entry.event in PRESENCE and not self.category:
                yield entry, None
            elif (item := self.shelf.item(entry)) is not None:
                yield from self._told(entry, item)

    def _told(self, entry: Entry, item: Item) -> Iterator[tuple[Entry, Item | None]]:
        if self._in_category(item):
            yield entry, None if entry.event in PRESENCE else item
        elif self.since and entry.event in _CHANGES:
            yield Outside(**{name: getattr(entry, name) for name in Entry.__slots__}), None

    def asks_for(self, entry: Entry) -> bool:
        """Whether the post of a line is of the days and the category that are asked for."""
        if not self._in_time(entry) or not self.category:
            return self._in_time(entry)
        item = self.shelf.item(entry)
        return item is not None and self._in_category(item)

    def _in_time(self, entry: Entry) -> bool:
        return not (self.first or self.last) or self.first <= day_of(entry) <= (self.last or "9999")

    def _in_category(self, item: Item) -> bool:
        return not self.category or self.category in item.post.categories

    def newest(self, *, bare: bool = False) -> Sequence[Item]:
        """So many posts as are asked for, the newest first; older ones are not even read. ``bare``: without texts, for
        all of them are in memory at once."""
        if self.chosen is not None:
            return self.chosen
        found: list[Item] = []
        for days in _stretches(Counter(map(day_of, self._posts())), self.count):
            found += (item.bare if bare else item for _, item in self.told(days) if item is not None)
            if len(found) >= self.count:
                break
        return sorted(found, key=_age, reverse=True)[: self.count]

    def _posts(self) -> Iterator[Entry]:
        return (entry for entry in self.lines() if entry.event not in PRESENCE and self._in_time(entry))

    def each_category(self) -> Iterator[Order]:
        """An order for the newest of each category. All posts are read, but only lines are kept of them."""
        newest: dict[str, list[tuple[datetime, int, Entry]]] = {}
        for entry, item in self.told():
            if item is not None:
                for category in set(item.post.categories):
                    _push(newest.setdefault(category, []), (*_age(item), entry), self.count)
        for category, lines in sorted(newest.items()):
            read = (self.shelf.item(entry) for _, _, entry in sorted(lines, key=lambda one: one[:2], reverse=True))
            yield replace(self, category=category, chosen=[item for item in read if item is not None])


def day_of(entry: Entry) -> str:
    """ISO 8601, as the name of the post's file has it."""
    return PurePosixPath(entry.path).name[:10]


def _age(item: Item) -> tuple[datetime, int]:
    return item.published, item.entry.number


def _push(heap: list[tuple[datetime, int, Entry]], one: tuple[datetime, int, Entry], count: int) -> None:
    heapq.heappush(heap, one)
    if len(heap) > count:
        heapq.heappop(heap)


def _stretches(posts: Counter[str], count: int) -> Iterator[frozenset[str]]:
    """The newest days that have so many posts, then those before them with several times as many, and so on."""
    days: list[str] = []
    there = 0
    for day in sorted(posts, reverse=True):
        days.append(day)
        there += posts[day]
        if there >= count:
            yield frozenset(days)
            days, there, count = [], 0, count * _WIDER
    if days:
        yield frozenset(days)
