"""When a source is due: cron expressions and spans, as data."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_PART = re.compile(r"^(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?$")


def parse_span(text: str) -> timedelta | None:
    """``30m``, ``12h``, ``3d``, ``1w`` as a timedelta; None for an empty text. Raises ValueError."""
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,5})\s*([mhdw])", text)
    if match is None or int(match[1]) == 0:
        raise ValueError("expected a span such as 30m, 12h or 3d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def parse_schedule(text: str) -> timedelta | tuple[frozenset[int], ...]:
    """``every 30m`` as a timedelta; five cron fields (minute, hour, day, month, weekday) as sets. Raises ValueError."""
    if text.startswith("every "):
        span = parse_span(text.removeprefix("every ").strip())
        if span is None:
            raise ValueError("expected a span such as 30m after 'every'")
        return span
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError("expected five cron fields (minute hour day month weekday) or 'every 30m'")
    return tuple(_cron_field(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True))


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
