"""What a healthy source looks like: how long it is quiet by weekday, what its last days brought, and its class now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from statistics import median_low
from typing import Any

DAYS = 14
LOOK_BACK = timedelta(weeks=8)
_LEARNT = 14
"""Days below which nothing is learnt of weekdays: each must have come twice."""
_DUE = 5.0
"""Articles that must have been due on whole days of silence: by chance alone none of five comes in 0.7 % of cases."""
_FEWEST = 5
"""Gaps below which nothing is learnt of them."""
_TIMES = 3
_LEAST = timedelta(days=1)
"""A silence shorter than this is none, whatever was learnt."""

Came = Sequence[tuple[datetime, int]]
"""When new articles were first seen, in order, and how many at once."""


def rates(came: Came, zone: tzinfo) -> list[float] | None:
    """New articles to be expected on each weekday (0 is Monday) of the source's zone; None while little is known.

    Of all days from the second until the last that brought something, the (lower) median of each weekday: neither a
    holiday nor a backlog counts. The first day meets what a site has gathered in years. What comes after the last is
    silence, and teaches nothing.
    """
    days: Counter[date] = Counter()
    for seen, new in came:
        days[seen.astimezone(zone).date()] += new
    if not days:
        return None
    first, last = min(days), max(days)
    known = [first + timedelta(days=number) for number in range(1, (last - first).days + 1)]
    if len(known) < _LEARNT:
        return None
    return [float(median_low([days[day] for day in known if day.weekday() == weekday])) for weekday in range(7)]


def due_since(weekly: Sequence[float], last: datetime, now: datetime, zone: tzinfo) -> float:
    """Articles to be expected on the whole days between the last one's day and today: how visits are spread over a day
    does not count."""
    begin, end = last.astimezone(zone).date(), now.astimezone(zone).date()
    between = range(1, (end - begin).days)
    return sum(weekly[(begin + timedelta(days=number)).weekday()] for number in between)


def longest_gap(seen: Sequence[datetime], weekday: int, zone: tzinfo) -> timedelta | None:
    """The longest time without a new article that began on this weekday, else on any; None while little is known.

    ``seen``: when articles were first seen, in order.
    """
    gaps = [(start.astimezone(zone).weekday(), end - start) for start, end in pairwise(sorted(set(seen)))]
    if len(gaps) < _FEWEST:
        return None
    return max([gap for day, gap in gaps if day == weekday] or [gap for _, gap in gaps])


def too_quiet(came: Came, now: datetime, zone: tzinfo, quiet: timedelta | None = None, per_day: float = 0) -> str:
    """Since when nothing new came, and what was to be expected, where that is too long; else empty.

    The source's own longest stretch (``quiet``) comes before its own rate (``per_day``), that before the weekdays'
    learnt rates, and where these say little (a few articles a week) the longest gap that was ever seen counts.
    """
    if not came:
        return ""
    last = max(seen for seen, _ in came)
    since = f"nothing new since {last.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    weekly = [per_day] * 7 if per_day else rates(came, zone)
    if quiet is None and weekly is not None and sum(weekly) >= _DUE:
        expected = due_since(weekly, last, now, zone)
        return f"{since}; {expected:.0f} were due on the whole days since then" if expected >= _DUE else ""
    learnt = longest_gap([seen for seen, _ in came], last.astimezone(zone).weekday(), zone)
    limit = quiet or (max(_TIMES * learnt, _LEAST) if learnt else None)
    return f"{since}; {_words(limit)} is the longest expected" if limit and now - last > limit else ""


def _words(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"


@dataclass(slots=True)
class Day:
    """A source on one day, all its runs together."""

    listed: int = 0
    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def days(runs: Iterable[Mapping[str, Any]], now: datetime) -> dict[str, dict[str, Day]]:
    """Source -> day (ISO, UTC) -> what it brought, of the last fourteen days; ``runs`` as the ledger tells them."""
    first = (now - timedelta(days=DAYS - 1)).date().isoformat()
    told: dict[str, dict[str, Day]] = {}
    for run in runs:
        day = str(run["started"])[:10]
        for one in run["report"].get("sources", ()) if day >= first else ():
            here = told.setdefault(one["source"], {}).setdefault(day, Day())
            here.listed += one["listed"]
            here.kept += one["kept"]
            here.refused.update(one.get("refusals", {}))
    return told


def class_of_report(one: Mapping[str, Any]) -> str:
    """Class of a source by its part of a run's report: an alarm's, else whether its lists were read."""
    if one.get("alarms"):
        return str(one["alarms"][-1]["kind"])
    return "list unread" if one.get("failed_lists") else "ok"


def latest(runs: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Source -> its part of the last run's report that it was in; ``runs`` newest first."""
    found: dict[str, Mapping[str, Any]] = {}
    for run in runs:
        for one in run["report"].get("sources", ()):
            found.setdefault(one["source"], one)
    return found


def next_step(one: Mapping[str, Any], place: str = "") -> str:
    """The command to type next for a source; empty for a healthy one. An alarm's own names the archive already."""
    if one.get("alarms"):
        return str(one["alarms"][-1]["next"])
    return f"presskeep status{place}" if one.get("failed_lists") or one.get("refused") else ""
