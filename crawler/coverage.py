"""What lists have covered, and the gaps: stretches of a source that no walk has seen.

A walk proves that it missed nothing by reaching an article that was known when its list was last read to its end. It
has to stand in the older half of a page: what is pinned to the top of a list proves nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive.ledger import Entry, Ledger, articles, coverage, gaps, moment_of, stamp
from crawler.days import Days, dated, is_dated
from crawler.extract.dates import parse
from crawler.sources import Source

_MOST_KEYS = 200
"""Articles of a page's older half that are looked up, from its end."""
_LATEST = 200
"""Articles known before a gap that are asked for the newest day."""
_POST_DAY = sa.func.replace(sa.func.substr(articles.c.path, 8, 10), "/", "-")
"""Day of a post by its path, ``_posts/2026/03/06/…`` or ``_posts/2026-03-06-…``."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """Days of a list on which articles may be missing; those at its ends were seen in part."""

    source: str
    address: str
    """Address of its first page; with its placeholders where there is a list for each day."""
    days: Days
    before: str = ""
    """When the list had last been read to its end, as a stamp; empty for days whose own list was never read."""

    @property
    def command(self) -> str:
        """What to type to fill it."""
        return f"presskeep backfill {self.source} --from {self.days.first} --to {self.days.last}"


@dataclass(frozen=True, slots=True)
class Part:
    """A list, or the list of one day."""

    address: str
    day: date | None = None

    @property
    def _day(self) -> str:
        return self.day.isoformat() if self.day else ""

    def chosen(self, table: sa.Table, source: str) -> list[sa.ColumnElement[bool]]:
        """Its rows in a table."""
        return [table.c.source == source, table.c.list == self.address, table.c.day == self._day]

    def named(self, source: str) -> dict[str, str]:
        """Its columns."""
        return {"source": source, "list": self.address, "day": self._day}


def parts_of(addresses: Sequence[str], days: Days) -> dict[str, Part]:
    """First page -> list and day, of those addresses that have a day in them."""
    return {dated(one, day): Part(one, day) for one in addresses if is_dated(one) for day in days}


class Stretch:
    """What one walk through a list covers, as far as it has come: a walk that is cut off leaves its gap."""

    def __init__(self, ledger: Ledger, source: Source, part: Part, now: datetime) -> None:
        self._ledger, self._source, self._part, self._now = ledger, source, part, now
        query = sa.select(coverage.c.walked).where(*part.chosen(coverage, source.id))
        self._before: str = next((row.walked for row in ledger.read(query)), "")
        query = sa.select(gaps.c.before).where(*part.chosen(gaps, source.id))
        self._gaps = {row.before for row in ledger.read(query)}
        self._listed = False
        self._reached = not self._before
        self._oldest: date | None = None

    def page(self, entries: Sequence[Entry]) -> None:
        """A page was read, newest first."""
        self._listed = self._listed or bool(entries)
        if not entries or (self._reached and not self._gaps):
            return
        older = entries[len(entries) // 2 :]
        if (known := self._earliest(older)) is not None:
            self._reached = self._reached or known <= self._before
            self._forget({before for before in self._gaps if known <= before})
        if not self._reached:
            self._note(older)

    def end(self, *, unchanged: bool = False) -> None:
        """The walk has come to its end. ``unchanged``: at a page that is as it was when it was read before."""
        if not (self._listed or unchanged):
            return
        if unchanged:
            self._forget({self._before} & self._gaps)
        self._ledger.write(_read(self._source.id, self._part, self._now))

    def _earliest(self, entries: Sequence[Entry]) -> str | None:
        """When the first of these was first seen; empty where that is not known; None where no list named any. What
        only a backfill has found says nothing."""
        keys = [entry.key for entry in entries[-_MOST_KEYS:]]
        by_lists = sa.or_(articles.c.seen != "", articles.c.backfill == 0), articles.c.state != "absent"
        query = sa.select(sa.func.min(articles.c.seen).label("seen")).where(
            articles.c.space == self._source.space, articles.c.key.in_(keys), *by_lists
        )
        found: str | None = self._ledger.read(query)[0].seen
        return found

    def _note(self, older: Sequence[Entry]) -> None:
        zone = self._source.zone
        days = [day for entry in older if (day := listed_day(entry.hints.get("published", ""), zone))]
        self._oldest = min(filter(None, (self._oldest, *days)), default=None)
        first, last = self._newest_known(), self._oldest or self._now.astimezone(zone).date()
        if self._part.day is not None:
            first = last = self._part.day
        told = {**self._part.named(self._source.id), "before": self._before}
        self._ledger.write(
            self._deletion({self._before}),
            gaps.insert().values(**told, first=first.isoformat(), last=max(first, last).isoformat()),
        )
        self._gaps.add(self._before)

    def _newest_known(self) -> date:
        """The newest day of what was known when the list was last read to its end; that of the reading where no dates
        are known, and never a later one."""
        read = moment_of(self._before).astimezone(self._source.zone).date()
        query = (
            sa.select(articles.c.path, articles.c.hints)
            .where(articles.c.source == self._source.id, articles.c.seen != "", articles.c.seen <= self._before)
            .order_by(articles.c.seen.desc())
            .limit(_LATEST)
        )
        days = [_day_of(row.path, row.hints, self._source.zone) for row in self._ledger.read(query)]
        return min(max((day for day in days if day is not None), default=read), read)

    def _forget(self, befores: set[str]) -> None:
        if befores:
            self._gaps -= befores
            self._ledger.write(self._deletion(befores))

    def _deletion(self, befores: set[str]) -> sa.Executable:
        return gaps.delete().where(*self._part.chosen(gaps, self._source.id), gaps.c.before.in_(befores))


def open_gaps(ledger: Ledger, sources: Iterable[Source] = ()) -> list[Gap]:
    """All gaps, the latest first; of lists by day only those of ``sources``, whose zones say when a day was over."""
    if not _has_tables(ledger):
        return []
    found = [Gap(row.source, row.list, _days(row), row.before) for row in ledger.read(sa.select(gaps))]
    for source in sources:
        for one, days in _unread(ledger, source).items():
            found += [Gap(source.id, one, span) for span in _spans(days)]
    return sorted(set(found), key=lambda gap: (gap.days.last, gap.days.first, gap.source, gap.address), reverse=True)


def gap_lines(ledger: Ledger, sources: Callable[[], Iterable[Source]], where: str = "") -> list[str]:
    """One line for all open gaps; none without any. ``where`` stands behind the command; ``sources`` are only loaded
    where there are lists by day."""
    if not _has_tables(ledger):
        return []
    by_day = ledger.read(sa.select(coverage.c.day).where(coverage.c.day != "").limit(1))
    found = open_gaps(ledger, sources() if by_day else ())
    names = ", ".join(sorted({gap.source for gap in found}))
    number = f"{len(found)} gap{'s' if len(found) > 1 else ''}"
    return [f"{number}, of {names}: days that no walk has covered; next: presskeep gaps{where}"] if found else []


def _has_tables(ledger: Ledger) -> bool:
    """Not where an older presskeep made it and nothing may be written."""
    return sa.inspect(ledger.engine).has_table(gaps.name)


def _unread(ledger: Ledger, source: Source) -> dict[str, list[date]]:
    """Address with placeholders -> days between the first and the last whose list was read, on which it was not read
    after the day was over."""
    query = sa.select(coverage).where(coverage.c.source == source.id, coverage.c.day != "").order_by(coverage.c.list)
    told: dict[str, list[date]] = {}
    for one, rows in groupby(ledger.read(query), lambda row: str(row.list)):
        read = {date.fromisoformat(row.day): moment_of(row.walked).astimezone(source.zone).date() for row in rows}
        between = Days(min(read), max(read) - _DAY)
        told[one] = [day for day in between if day not in read or read[day] <= day]
    return told


def _spans(days: Iterable[date]) -> Iterator[Days]:
    """Days that follow each other, together."""
    numbered = enumerate(sorted(days))
    for _, some in groupby(numbered, lambda pair: pair[1].toordinal() - pair[0]):
        run = [day for _, day in some]
        yield Days(run[0], run[-1])


def remember(ledger: Ledger, source: str, address: str, when: datetime) -> None:
    """Say that a list had been read by then, as far as is known; for a ledger that is made anew."""
    ledger.write(_read(source, Part(address), when))


def heal(ledger: Ledger, source: Source, days: Days, now: datetime) -> None:
    """A backfill of these days has ended whole: no gap is left on any of them."""
    statements: list[sa.Executable] = []
    for row in ledger.read(sa.select(gaps).where(gaps.c.source == source.id)):
        gap = _days(row)
        if not gap.meets(days):
            continue
        statements.append(gaps.delete().where(gaps.c.id == row.id))
        same = {name: getattr(row, name) for name in ("source", "list", "day", "before")}
        for left in left_of(gap, days):
            statements.append(gaps.insert().values(**same, first=left.first.isoformat(), last=left.last.isoformat()))
    for one, unread in _unread(ledger, source).items():
        statements += [_read(source.id, Part(one, day), now) for day in unread if days.holds(day)]
    if statements:
        ledger.write(*statements)


def left_of(gap: Days, filled: Days) -> list[Days]:
    """What is left of a gap before and after days that were filled."""
    parts = [Days(gap.first, min(gap.last, filled.first - _DAY)), Days(max(gap.first, filled.last + _DAY), gap.last)]
    return [part for part in parts if len(part) > 0]


def _read(source: str, part: Part, now: datetime) -> sa.Executable:
    """Say that a list was read to its end."""
    statement = insert(coverage).values(**part.named(source), walked=stamp(now))
    changes = {"walked": statement.excluded.walked}
    return statement.on_conflict_do_update(index_elements=["source", "list", "day"], set_=changes)


# what is known by day


@dataclass(slots=True)
class Tally:
    """What is known of one day of a source."""

    listed: int = 0
    """Articles that any list named; the others are among them."""
    kept: int = 0
    refused: int = 0
    by: Counter[str] = field(default_factory=Counter)
    """What told the day -> number of articles: the ``post``, else the ``list``, else when it was first ``seen``."""

    def add(self, state: str, by: str, number: int = 1) -> None:
        """Some articles more."""
        self.listed += number
        self.kept += number if state == "done" else 0
        self.refused += number if state == "refused" else 0
        self.by[by] += number


def tallies(ledger: Ledger, source: str, zone: ZoneInfo) -> dict[date, Tally]:
    """Day -> what is known of it. Posts are counted by the day that they are filed under, in one grouped question; of
    the others each is looked at."""
    here = articles.c.source == source
    told: dict[date, Tally] = {}
    posts = sa.select(_POST_DAY.label("day"), sa.func.count().label("number")).where(here, articles.c.state == "done")
    for row in ledger.read(posts.group_by(_POST_DAY)):
        if (day := _date(row.day)) is not None:
            told.setdefault(day, Tally()).add("done", "post", row.number)
    rest = sa.select(articles.c.state, articles.c.hints, articles.c.seen)
    for row in ledger.read(rest.where(here, articles.c.state.in_(("queued", "refused")))):
        listed = listed_day(json.loads(row.hints).get("published", ""), zone)
        seen = moment_of(row.seen).astimezone(zone).date() if row.seen else None
        if (day := listed or seen) is not None:
            told.setdefault(day, Tally()).add(row.state, "list" if listed else "seen")
    return told


@lru_cache(maxsize=4096)
def listed_day(printed: str, zone: ZoneInfo) -> date | None:
    """The day that a list prints, in the source's zone; None where it prints none."""
    found = parse(printed, zone) if printed else None
    return found.astimezone(zone).date() if found else None


def _day_of(path: str, hints: str, zone: ZoneInfo) -> date | None:
    return _date(path[7:17].replace("/", "-")) or listed_day(json.loads(hints).get("published", ""), zone)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _days(row: sa.Row[tuple[str, ...]]) -> Days:
    return Days(date.fromisoformat(row.first), date.fromisoformat(row.last))
