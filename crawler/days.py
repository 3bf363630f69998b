"""Spans of days: the window of a backfill, and addresses with a day in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

PLACES = {"yyyy": "%Y", "yy": "%y", "mm": "%m", "m": "", "dd": "%d", "d": ""}
"""Placeholders of an address that stand for parts of a day; ``{m}`` and ``{d}`` without a leading zero."""


@dataclass(frozen=True, slots=True)
class Days:
    """From one day to another, both included, in a source's time zone."""

    first: date
    last: date

    @classmethod
    def latest(cls, now: datetime, zone: tzinfo, number: int) -> Days:
        """The last ``number`` days up to now."""
        today = now.astimezone(zone).date()
        return cls(today - timedelta(days=max(number, 1) - 1), today)

    def __iter__(self) -> Iterator[date]:
        """Newest first, as lists go."""
        for back in range((self.last - self.first).days + 1):
            yield self.last - timedelta(days=back)

    def __len__(self) -> int:
        return max((self.last - self.first).days + 1, 0)

    def holds(self, moment: date | datetime, zone: tzinfo | None = None) -> bool:
        """Whether a day, or the day of a moment in ``zone``, is among them."""
        if isinstance(moment, datetime):
            moment = (moment.astimezone(zone) if zone is not None and moment.tzinfo else moment).date()
        return self.first <= moment <= self.last

    def meets(self, other: Days) -> bool:
        """Whether a day is among both."""
        return self.first <= other.last and other.first <= self.last


def is_dated(address: str) -> bool:
    """Whether an address has placeholders for a day."""
    return any(f"{{{name}}}" in address for name in PLACES)


def dated(address: str, day: date) -> str:
    """The address for one day."""
    for name, form in PLACES.items():
        value = day.strftime(form) if form else str(getattr(day, {"m": "month", "d": "day"}[name]))
        address = address.replace(f"{{{name}}}", value)
    return address


def expanded(addresses: Sequence[str], days: Days) -> list[str]:
    """Each address once; those with a day in them once for each day, newest first."""
    found: list[str] = []
    for address in addresses:
        found += [dated(address, day) for day in days] if is_dated(address) else [address]
    return list(dict.fromkeys(found))
