"""The plan of a backfill: what it costs, and what each day is expected to yield; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from crawler.days import Days

_MOST_DAYS = 92
"""Days that are shown one by one; more of them are shown by month."""


@dataclass(frozen=True, slots=True)
class Way:
    """What the lists of one kind brought."""

    way: str
    asked: int
    """Pages that were read."""
    listed: int
    """Articles of the days (and of days not told) that they named."""
    found: int
    """Of those, articles that are to be asked for and that no list before named."""


@dataclass(slots=True)
class Day:
    """What is known of one day of a source."""

    listed: int = 0
    """Articles that any list named; the others are among them."""
    kept: int = 0
    refused: int = 0
    waiting: int = 0


Coverage = Mapping[date, Day]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backfill is about to do."""

    source: str
    days: Days
    ways: list[Way]
    expected: Mapping[date, int]
    """Day -> articles to be asked for, by the dates that lists told."""
    waiting: int
    """Articles to be asked for."""
    total: int
    """Articles that it found, those that are done among them."""
    delay: float
    """Seconds between two requests."""
    before: Coverage
    open_walks: int = 0
    """Lists that could not be read as far as the days go."""
    reach: date | None = None
    """The oldest day that the lists reach, if that is none of the first."""

    @property
    def undated(self) -> int:
        """Articles whose day no list told."""
        return self.waiting - sum(self.expected.values())

    @property
    def outlook(self) -> Coverage:
        """Day -> what is known of it, ``waiting`` being what it is expected to yield."""
        days = {*self.before, *self.expected}
        return {day: Day(kept=self.before.get(day, Day()).kept, waiting=self.expected.get(day, 0)) for day in days}

    @property
    def time(self) -> timedelta:
        """What its requests take at the source's delay."""
        return timedelta(seconds=round(self.waiting * self.delay))


def day_of_post(path: str) -> date | None:
    """The day that a post is filed under, in the archive's zone; None where its name has none."""
    return day_of_text(path.rpartition("/")[2][:10])


def day_of_text(text: str) -> date | None:
    """A day as the ledger writes it; None for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def by_month(days: Days) -> bool:
    """Whether there are too many days to be shown one by one."""
    return len(days) > _MOST_DAYS


def grouped(coverage: Coverage, days: Days) -> dict[str, Day]:
    """Coverage by day, or by month where there are many days; newest first, none left out."""
    cut = 7 if by_month(days) else 10
    told: dict[str, Day] = {}
    for day in days:
        here, more = told.setdefault(day.isoformat()[:cut], Day()), coverage.get(day, Day())
        for name in Day.__slots__:
            setattr(here, name, getattr(here, name) + getattr(more, name))
    return told


def counted(days: Iterable[date | None], window: Days) -> dict[date, int]:
    """How many fall on each day of a window."""
    return dict(Counter(day for day in days if day is not None and window.holds(day)))


def words_of(span: timedelta) -> str:
    """A span as people say it: ``40 s``, ``12 min``, ``3 h 20 min``, ``2 d 4 h``."""
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = -(-seconds // 60), -(-seconds // 60) // 60, seconds // 86400
    if minutes < 60:
        return f"{minutes} min"
    if not days:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {seconds % 86400 // 3600} h"


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a backfill is in this run."""

    done: int
    total: int
    seconds: float
    """Since the first was asked for."""

    @property
    def rate(self) -> float:
        """Articles a second; 0 before the first."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> timedelta | None:
        """The time that the others take at this rate; None while none is known."""
        return timedelta(seconds=(self.total - self.done) / self.rate) if self.rate else None


def how_far(pace: Pace) -> str:
    """``120 of 500 articles, 1.9 a second, 4 min left``."""
    told = f"{pace.done} of {pace.total} articles, {pace.rate:.1f} a second"
    return f"{told}, {words_of(pace.left)} left" if pace.left is not None else told
