"""Which months are packed: those that lie behind the hot window, which Jekyll builds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path

from crawler.sitedata.tables import read_table

FOLDER = "packed"
"""Where packed pages lie, below the archive."""
MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")


def days_of(archive: Path) -> dict[str, int]:
    """Day, ISO 8601 -> posts, in their order: what the site's own data files say."""
    found: dict[str, int] = {}
    for path in sorted((archive / "_data" / "days").glob("[0-9]*.yml")):
        found |= {day: int(count) for day, count in (read_table(path) or {}).items()}
    return dict(sorted(found.items()))


def cold_months(days: Mapping[str, int], hot_days: int, hot_posts: int) -> list[str]:
    """Months to be packed, in their order: all that are older than the first that is too old or too full.

    Counted from the newest post and not from today, so that the same archive is always packed the same way, and one
    that sleeps does not fall out of its own front page.
    """
    counts: Counter[str] = Counter()
    for day, count in days.items():
        counts[day[:7]] += count
    months = sorted(counts)
    if not months:
        return []
    newest, held = date.fromisoformat(max(days)), 0
    for place in range(len(months) - 1, -1, -1):
        last = date.fromisoformat(max(day for day in days if day.startswith(months[place])))
        held += counts[months[place]]
        if place < len(months) - 1 and ((newest - last).days > hot_days or held > hot_posts):
            return months[: place + 1]
    return []


def day_paths(archive: Path, day: str) -> list[str]:
    """Posts of a day, relative to the archive, dated and flat."""
    return _found(archive, f"{day.replace('-', '/')}/{day}-*.md", f"{day}-*.md")


def month_paths(archive: Path, month: str) -> list[str]:
    """Posts of a month."""
    return _found(archive, f"{month.replace('-', '/')}/*/{month}-*.md", f"{month}-*.md")


def _found(archive: Path, *patterns: str) -> list[str]:
    posts = archive / "_posts"
    return sorted(path.relative_to(archive).as_posix() for pattern in patterns for path in posts.glob(pattern))


def is_flat(archive: Path, months: Collection[str]) -> bool:
    """Whether posts of one of these months lie in ``_posts`` itself."""
    names = (path.name[:7] for path in (archive / "_posts").glob("[0-9]*.md"))
    return not set(months).isdisjoint(names)
