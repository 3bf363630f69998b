"""When a source is due: cron expressions, spans and learnt rates, as data. Reads no clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Literal

Cron = tuple[frozenset[int], ...]
Schedule = timedelta | Cron | Literal["auto"]

LEAST, MOST = timedelta(minutes=10), timedelta(days=1)
"""Between these a learnt gap lies."""
UNKNOWN = timedelta(hours=1)
"""The gap of a source of which nothing is learnt yet."""
LOOK_BACK = timedelta(weeks=4)
"""So far back a rate is learnt: sites change their ways."""
_PER_VISIT = 3.0
"""New articles that a visit by a learnt rate should meet."""
_SEARCHED = 9 * 366
"""Days after which a slot must have come: 29 February skips the turn of most centuries."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_PART = re.compile(r"^(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?$")
_LAST_DAY = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_HOUR = timedelta(hours=1)


def parse_span(text: str) -> timedelta | None:
    """``30m``, ``12h``, ``3d``, ``1w`` as a timedelta; None for an empty text. Raises ValueError."""
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,5})\s*([mhdw])", text)
    if match is None or int(match[1]) == 0:
        raise ValueError("expected a span such as 30m, 12h or 3d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def parse_schedule(text: str) -> Schedule:
    """``every 30m`` as a timedelta; five cron fields (minute, hour, day, month, weekday) as sets; ``auto`` as it is.

    Raises ValueError.
    """
    if text == "auto":
        return "auto"
    if text.startswith("every "):
        span = parse_span(text.removeprefix("every ").strip())
        if span is None:
            raise ValueError("expected a span such as 30m after 'every'")
        return span
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError("expected five cron fields (minute hour day month weekday), 'every 30m' or 'auto'")
    cron = tuple(_cron_field(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True))
    if not any(min(cron[2]) <= _LAST_DAY[month] for month in cron[3]) and not _given(cron[4], 7):
        raise ValueError(f"day {min(cron[2])} never comes in these months")
    return cron


def _cron_field(field: str, name: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for part in field.split(","):
        match = _PART.match(part)
        if match is None:
            raise ValueError(f"{name} field {field!r} is no cron field")
        first = int(match[1]) if match[1] else low
        last = int(match[2]) if match[2] else (first if match[1] and not match[3] else high)
        if not low <= first <= last <= high:
            raise ValueError(f"{name} field {field!r} is not within {low}-{high}")
        step = int(match[3] or 1)
        if step == 0:
            raise ValueError(f"{name} field {field!r} has a step of 0")
        values.update(range(first, last + 1, step))
    return frozenset(values)


def due(schedule: Schedule, last: datetime | None, now: datetime, zone: tzinfo, rate: Rate | None = None) -> bool:
    """Whether a source that was last visited at ``last`` is to be visited. Of several missed slots one is caught up.

    A visit in the future tells of a clock that was wrong, and holds nothing up.
    """
    return last is None or last > now or next_due(schedule, last, zone, rate) <= now


def next_due(schedule: Schedule, after: datetime, zone: tzinfo, rate: Rate | None = None) -> datetime:
    """The first slot after a moment (both aware). ``rate``: what was learnt of a source whose schedule is ``auto``."""
    if schedule == "auto":
        gap = rate.gap(after, zone) if rate else UNKNOWN
    elif isinstance(schedule, timedelta):
        gap = schedule
    else:
        return _next_slot(schedule, after, zone)
    # counted from the minute, as cron does: a timer that comes a second early does not miss its slot
    return after.astimezone(UTC).replace(second=0, microsecond=0) + gap


def _next_slot(cron: Cron, after: datetime, zone: tzinfo) -> datetime:
    first = after.astimezone(zone).date() - timedelta(days=1)  # a slot in the hour that clocks skip may cross midnight
    for number in range(_SEARCHED):
        day = first + timedelta(days=number)
        if _is_day(cron, day):
            slots = [slot for slot in _slots(cron, day, zone) if slot > after]
            if slots:
                return min(slots)
    raise ValueError("the schedule names a day that never comes")


def _is_day(cron: Cron, day: date) -> bool:
    """Where both day and weekday are given, either will do (POSIX, crontab)."""
    _, _, days, months, weekdays = cron
    in_month, in_week = day.day in days, not {day.isoweekday(), day.isoweekday() % 7}.isdisjoint(weekdays)
    either = _given(days, 31) and _given(weekdays, 7)
    return day.month in months and ((in_month or in_week) if either else (in_month and in_week))


def _given(values: frozenset[int], all_of_them: int) -> bool:
    return len({value % 7 if all_of_them == 7 else value for value in values}) < all_of_them


def _slots(cron: Cron, day: date, zone: tzinfo) -> Iterator[datetime]:
    """A day's slots in UTC. Where clocks are put forward, what falls into the gap comes as much later; where they are
    put back, a slot of certain hours comes once, one of every hour in both."""
    minutes, hours = cron[:2]
    for hour in hours:
        for minute in minutes:
            local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
            yield local.astimezone(UTC)
            again = local.replace(fold=1)
            if len(hours) == 24 and again.utcoffset() < local.utcoffset():  # type: ignore[operator]
                yield again.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Rate:
    """New articles an hour, by weekday (0 is Monday) and hour of the source's day."""

    per_hour: Mapping[tuple[int, int], float]
    mean: float
    """Of all hours."""

    def gap(self, after: datetime, zone: tzinfo) -> timedelta:
        """Time until about three new articles are expected."""
        here, end, expected = after.astimezone(UTC), after + MOST, 0.0
        while here < end:
            following = min(_next_hour(here), end)
            rate = self.per_hour.get(_cell(here, zone), self.mean)
            more = rate * ((following - here) / _HOUR)
            if expected + more >= _PER_VISIT:
                here += _HOUR * ((_PER_VISIT - expected) / rate)
                break
            expected, here = expected + more, following
        return min(max(here - after, LEAST), MOST)


def learnt(found: Sequence[tuple[datetime, int]], until: datetime, zone: tzinfo) -> Rate | None:
    """The rate of a source by its visits that brought something, (first seen, articles) in order, until the last visit.

    What a visit brought appeared since the one before, and is spread over that time. The first visit is not counted:
    it meets what a site has gathered in years. None while there are fewer than three.
    """
    found = [one for one in found if until - LOOK_BACK <= one[0] <= until]
    if len(found) < 3:
        return None
    observed: dict[tuple[int, int], float] = {}
    came: dict[tuple[int, int], float] = {}
    for (begin, _), (end, articles) in pairwise([*found, (until, 0)]):
        for cell, hours in _cells(begin, end, zone):
            observed[cell] = observed.get(cell, 0.0) + hours
            came[cell] = came.get(cell, 0.0) + articles * hours / ((end - begin) / _HOUR)
    mean = sum(came.values()) / sum(observed.values())
    # an hour that was seen once or twice says little: each begins with one hour of the mean
    return Rate({cell: (came[cell] + mean) / (hours + 1) for cell, hours in observed.items()}, mean)


def _cells(begin: datetime, end: datetime, zone: tzinfo) -> Iterator[tuple[tuple[int, int], float]]:
    """(weekday, hour) and hours of each part of a stretch of time."""
    here = begin.astimezone(UTC)
    while here < end:
        following = min(_next_hour(here), end)
        yield _cell(here, zone), (following - here) / _HOUR
        here = following


def _cell(moment: datetime, zone: tzinfo) -> tuple[int, int]:
    local = moment.astimezone(zone)
    return local.weekday(), local.hour


def _next_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + _HOUR
