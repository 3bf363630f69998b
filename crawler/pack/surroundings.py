"""What lies around a packed month and shows on its pages: the posts, and the days, before it and after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Ends = list[Any]
"""A month's first and last post, as pages name them; None where there is none that can be read."""


class Surroundings:
    """Of all months, from the archive's days and what is known of each month's ends."""

    def __init__(self, days: Mapping[str, int], ends: Callable[[str, str, str], Ends]) -> None:
        """``ends``: of a month, its first and its last day."""
        self._days = days
        self._spans: dict[str, list[str]] = {}
        for day in sorted(days):
            self._spans.setdefault(day[:7], []).append(day)
        self._months = list(self._spans)
        self._place = {month: place for place, month in enumerate(self._months)}
        self._ends = ends

    @property
    def months(self) -> list[str]:
        """All that have posts."""
        return self._months

    def ends(self, month: str) -> Ends:
        """First and last post of a month."""
        return self._ends(month, self._spans[month][0], self._spans[month][-1])

    def around(self, month: str) -> dict[str, Any]:
        """Of a month: ``days`` (its own, and the nearest on either side), ``before`` and ``after`` (posts)."""
        place = self._place[month]
        earlier = self._months[place - 1] if place else ""
        later = self._months[place + 1] if place + 1 < len(self._months) else ""
        own = {day: self._days[day] for day in self._spans[month]}
        beside = [*self._spans.get(earlier, ())[-1:], *self._spans.get(later, ())[:1]]
        return {
            # how many the others have does not show
            "days": dict(sorted({**own, **dict.fromkeys(beside, 1)}.items())),
            "before": self.ends(earlier)[1] if earlier else None,
            "after": self.ends(later)[0] if later else None,
        }
