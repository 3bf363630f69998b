"""A backfill: the articles of some days of one source, planned first, then asked for.

What of it is done the ledger knows, so that the same command goes on where a killed one was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from time import monotonic

import sqlalchemy as sa

from crawler.archive.errands import Errand
from crawler.archive.ledger import Entry, Found, Ledger, Row, articles, backfills, stamp, surveys
from crawler.coverage import heal
from crawler.days import Days
from crawler.extract.dates import parse
from crawler.lists import AnyList
from crawler.plan import Day, Pace, Plan, Way, counted, day_of_post, day_of_text
from crawler.sources import Source

_OURS = sa.text("backfill != 0")
_QUEUED = articles.c.state == "queued"
_COLUMN = {"done": "kept", "refused": "refused", "queued": "waiting"}
_GATHERED = ("wayback", "file")
"""Ways that say nothing of whether a site had more."""
_COUNTED = articles.c.state.in_(_COLUMN)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk is."""

    page: str = ""
    """Address of the page to be asked next; empty for the first."""
    number: int = 1
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """What a backfill has not done."""

    articles: int
    """Of its rows, those that are to be asked for."""
    later: int
    """Refused, and asked for again later."""
    given_up: int
    """Refused as often as may be."""
    walks: int
    """Lists that were not read to the days' beginning."""

    def __bool__(self) -> bool:
        return any((self.articles, self.later, self.given_up, self.walks))


class Backfill:
    """One backfill of one source, open in a run."""

    def __init__(self, ledger: Ledger, source: Source, days: Days, via: Sequence[str], now: datetime) -> None:
        """Goes on with the one of the same source, days and ways that was not ended, else begins one."""
        self.source, self.days, self.via, self._now = source, days, tuple(via), now
        self._ledger = ledger
        number = self._unended()
        self.resumed = number is not None
        """Whether an earlier command began it."""
        self.number = number if number is not None else self._begin()
        self._errand = Errand(self.number, source.id, source.space, days.first.isoformat(), days.last.isoformat())
        self.planning = True
        """Whether its lists are still walked; no article is asked for before, but to learn where in a list days are."""
        self.only_plan = False
        """Whether nothing is to follow the plan."""
        self.told: Callable[[Plan], None] = lambda plan: None
        """What is done with the plan."""
        self.plan: Plan | None = None
        self.before = self.coverage()
        """What was known of its days when the run began."""
        self.after = self.before
        """The same when it ended."""
        self.left_at_end: Left | None = None
        self.answered = 0
        """Articles of this run that were asked for, whatever came."""
        self._days: dict[str, date] = {}
        self._asked_by_plan = 0
        self._began = 0.0

    @property
    def _told(self) -> dict[str, str]:
        told = {"source": self.source.id, "via": ",".join(self.via)}
        return {**told, "first": self.days.first.isoformat(), "last": self.days.last.isoformat()}

    def _unended(self) -> int | None:
        same = [backfills.c[name] == value for name, value in self._told.items()]
        query = sa.select(backfills.c.id).where(*same, backfills.c.ended == "").order_by(backfills.c.id.desc())
        return next((row.id for row in self._ledger.read(query.limit(1))), None)

    def _begin(self) -> int:
        self._ledger.write(backfills.insert().values(**self._told, started=stamp(self._now), ended=""))
        number = self._unended()
        assert number is not None
        return number

    # what it wants

    def takes(self, one: AnyList) -> bool:
        """Whether a list is among the ways that were asked for."""
        return not self.via or one.kind in self.via

    def day_of(self, hints: Mapping[str, str]) -> date | None:
        """The day that a list tells of an article, in the source's zone; None where it tells none."""
        found = parse(hints["published"], self.source.zone, not_after=self._now) if hints.get("published") else None
        return found.astimezone(self.source.zone).date() if found else None

    def holds(self, published: datetime) -> bool:
        """Whether an article is of its days."""
        return self.days.holds(published, self.source.zone)

    def _wants(self, entry: Entry) -> bool:
        day = self.day_of(entry.hints)
        return day is None or self.days.holds(day)

    # walks

    def walk(self, start: str, way: str) -> Place:
        """Where the walk of a list is; a walk that is new begins."""
        chosen = surveys.c.backfill == self.number, surveys.c.start == start
        for row in self._ledger.read(sa.select(surveys).where(*chosen)):
            return Place(row.page, row.number, bool(row.ended))
        none = {"page": "", "number": 1, "reach": "", "asked": 0, "listed": 0, "found": 0, "ended": 0}
        self._ledger.write(surveys.insert().values(backfill=self.number, start=start, way=way, **none))
        return Place()

    def discover(
        self,
        entries: Sequence[Entry],
        start: str = "",
        following: Place | None = None,
        reach: date | None = None,
        pages: int = 1,
    ) -> Found:
        """Commit what a list page names of the days, and in the same transaction where its walk is then.

        ``start``: the list's first address; ``reach``: the oldest day that was told; ``pages``: that were read for it.
        """
        wanted = [entry for entry in entries if self._wants(entry)]
        chosen = surveys.c.backfill == self.number, surveys.c.start == start

        def noted(listed: int, new: int) -> list[sa.Executable]:
            told = {name: surveys.c[name] + number for name, number in (("listed", listed), ("found", new))}
            place = {"page": following.page, "number": following.number} if following else {}
            oldest = {"reach": _oldest(reach)} if reach else {}
            asked = {"asked": surveys.c.asked + pages}
            return [surveys.update().where(*chosen).values(**told, **asked, **place, **oldest)]

        return self._errand.discover(self._ledger, wanted, noted)

    def end_walk(self, start: str, *, by_time: bool = False) -> None:
        """A list was read as far as it goes. One that does not go back in time has told of all its days; but not what
        others have gathered of a site."""
        chosen = surveys.c.backfill == self.number, surveys.c.start == start
        told = sa.case((surveys.c.way.in_(_GATHERED), ""), else_=self.days.first.isoformat())
        self._ledger.write(surveys.update().where(*chosen).values(ended=1, **({} if by_time else {"reach": told})))

    # articles

    def claim(self, entry: Entry) -> Row | None:
        """The row of an article that is asked for before the others; None where it is not to be asked for."""
        self._errand.discover(self._ledger, [entry], lambda listed, new: [])
        return self._errand.row(self._ledger, entry.key)

    def lease(self, after: int, limit: int) -> list[Row]:
        """The next articles to be asked for; none while it plans."""
        if self.planning or self.only_plan:
            return []
        return self._errand.lease(self._ledger, after, limit, self._now)

    def saw(self, row: Row, published: datetime) -> bool:
        """An article's page told its day: whether it is one of its days. Of another, nothing is to be made."""
        day = published.astimezone(self.source.zone).date()
        if self.planning:
            self._days[row.key] = day
        if self.days.holds(day):
            return True
        self._errand.outside(self._ledger, row, day.isoformat())
        return False

    def seen_day(self, key: str) -> date | None:
        """The day of an article, where its page was seen by anybody."""
        if key in self._days:
            return self._days[key]
        chosen = articles.c.space == self.source.space, articles.c.key == key
        told = sa.select(articles.c.state, articles.c.path, articles.c.hints).where(*chosen)
        for row in self._ledger.read(told):
            if row.state == "done":
                return day_of_post(row.path)
            return day_of_text(json.loads(row.hints).get("dated", ""))
        return None

    # what is to be told

    def made_plan(self) -> Plan:
        """What its walks have found; they are over, so articles may be asked for."""
        self.planning, self._asked_by_plan, self._began = False, self.answered, monotonic()
        query = sa.select(articles.c.hints).where(_OURS, articles.c.backfill == self.number, _QUEUED)
        waiting = [json.loads(row.hints) for row in self._ledger.read(query)]
        states = self._errand.counts(self._ledger)
        reach = self._reach()
        self.plan = Plan(
            source=self.source.id,
            days=self.days,
            ways=self._ways(),
            expected=counted(map(self.day_of, waiting), self.days),
            waiting=len(waiting),
            total=sum(states.values()) - states["later"],
            delay=self.source.politeness.delay,
            before=self.before,
            open_walks=self._open_walks(),
            reach=reach if reach is not None and reach > self.days.first else None,
        )
        return self.plan

    def _ways(self) -> list[Way]:
        counts = (sa.func.sum(surveys.c[name]).label(name) for name in ("asked", "listed", "found"))
        query = sa.select(surveys.c.way, *counts).where(surveys.c.backfill == self.number).group_by(surveys.c.way)
        return [Way(row.way, row.asked, row.listed, row.found) for row in self._ledger.read(query)]

    def _open_walks(self) -> int:
        query = sa.select(sa.func.count()).where(surveys.c.backfill == self.number, surveys.c.ended == 0)
        return int(self._ledger.read(query)[0][0])

    def _reach(self) -> date | None:
        """The day that all lists reached, but those of one page, which are short where others are long; None where
        none told."""
        told = surveys.c.backfill == self.number, surveys.c.ended == 1, surveys.c.reach != ""
        rows = self._ledger.read(sa.select(surveys.c.reach, surveys.c.asked).where(*told))
        long = [row.reach for row in rows if row.asked > 1 or row.reach <= self.days.first.isoformat()]
        reach = max(long, default="") or min((row.reach for row in rows), default="")
        return date.fromisoformat(reach) if reach else None

    def coverage(self) -> dict[date, Day]:
        """What is known of its days: of posts the day that they are filed under counts, else what a list told."""
        told: dict[date, Day] = {}
        columns = (articles.c[name] for name in ("state", "path", "hints"))
        for row in self._ledger.read(sa.select(*columns).where(articles.c.source == self.source.id, _COUNTED)):
            day = day_of_post(row.path) if row.state == "done" else self.day_of(json.loads(row.hints))
            if day is not None and self.days.holds(day):
                here = told.setdefault(day, Day())
                here.listed += 1
                setattr(here, _COLUMN[row.state], getattr(here, _COLUMN[row.state]) + 1)
        return told

    @property
    def pace(self) -> Pace | None:
        """How far it is in this run; None while it plans."""
        if self.plan is None:
            return None
        return Pace(self.answered - self._asked_by_plan, self.plan.waiting, monotonic() - self._began)

    @property
    def left(self) -> Left:
        """What is not done."""
        states = self._errand.counts(self._ledger)
        refused, later = states.get("refused", 0), states["later"]
        return Left(states.get("queued", 0), later, refused - later, self._open_walks())

    def settle(self) -> Left:
        """At the end of a run: what is left. Where going on can bring nothing more it is ended, and where all was asked
        for, no gap is left on days that lists reach."""
        self.after, self.left_at_end = self.coverage(), self.left
        left, reach = self.left_at_end, self._reach()
        if self.planning or left.walks or left.articles:
            return left
        if not left.later:
            chosen = backfills.c.id == self.number
            self._ledger.write(backfills.update().where(chosen).values(ended=stamp(self._now)))
        if reach is not None and reach <= self.days.last:
            heal(self._ledger, self.source, Days(max(reach, self.days.first), self.days.last), self._now)
        return left


def _oldest(reach: date) -> sa.ColumnElement[str]:
    told = reach.isoformat()
    return sa.case((surveys.c.reach == "", told), else_=sa.func.min(surveys.c.reach, told))
