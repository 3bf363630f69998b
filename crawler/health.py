"""What a healthy source looks like: how long it is quiet by weekday, what its last days brought, and its class now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

DAYS = 14
LOOK_BACK = timedelta(weeks=8)
_FEWEST = 5
"""Gaps below which nothing is learnt."""
_TIMES = 3
_LEAST = timedelta(days=1)
"""A silence shorter than this is none, whatever was learnt."""


def longest_gap(seen: Sequence[datetime], weekday: int, zone: tzinfo) -> timedelta | None:
    """The longest time without a new article that began on this weekday, else on any; None while little is known.

    ``seen``: when articles were first seen, in order.
    """
    gaps = [(start.astimezone(zone).weekday(), end - start) for start, end in pairwise(sorted(set(seen)))]
    if len(gaps) < _FEWEST:
        return None
    return max([gap for day, gap in gaps if day == weekday] or [gap for _, gap in gaps])


def too_quiet(seen: Sequence[datetime], now: datetime, zone: tzinfo, stated: timedelta | None) -> str:
    """Since when nothing new came, and how long that usually takes, where it is too long; else empty.

    ``stated``: the source's own longest stretch, which comes before what is learnt.
    """
    if not seen:
        return ""
    last = max(seen)
    learnt = longest_gap(seen, last.astimezone(zone).weekday(), zone)
    limit = stated or (max(_TIMES * learnt, _LEAST) if learnt else None)
    if limit is None or now - last <= limit:
        return ""
    return f"nothing new since {last.astimezone(UTC):%Y-%m-%d %H:%M} UTC; {_words(limit)} is the longest expected"


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


def next_step(one: Mapping[str, Any]) -> str:
    """The command to type next for a source; empty for a healthy one."""
    if one.get("alarms"):
        return str(one["alarms"][-1]["next"])
    return "presskeep status" if one.get("failed_lists") or one.get("refused") else ""
