"""Days that addresses name: ``/2024/05/17/`` of an article, ``sitemap-2024-05.xml`` of a list."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from crawler.days import Days

_YEAR, _MONTH, _DAY = r"(?<!\d)((?:19|20)\d\d)", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
_DAYS = re.compile(rf"{_YEAR}(?:[-/_.]{_MONTH}[-/_.]?{_DAY}(?!\d)|{_MONTH}(?:[-/_.]{_DAY}(?!\d)|{_DAY}(?=[/_])))")
"""Eight digits alone may be an id, unless they are a folder's name or stand before an underscore (``t20240517_``)."""
_SHORT = re.compile(rf"{_YEAR}([-/_.])(\d{{1,2}})\2(\d{{1,2}})(?!\d)")
_MONTHS = re.compile(rf"{_YEAR}[-/]{_MONTH}(?=/)")
_OF_LISTS = (
    re.compile(r"\b(?:yyyy|year|y)=(\d{4})(?:&(?:mm?|month)=(\d{1,2})(?!\d))?(?:&(?:dd?|day)=(\d{1,2})(?!\d))?", re.I),
    re.compile(rf"{_YEAR}(?:[-/_.]?{_MONTH}(?:[-/_.]?{_DAY})?)?(?!\d)"),
)
_LONGEST = 500
"""Characters of an address that are looked at."""


def day_named(url: str) -> Days | None:
    """The day, or the month, that an article's address names; None where it names none for sure."""
    for pattern in (_DAYS, _SHORT, _MONTHS):
        if match := pattern.search(url, 0, _LONGEST):
            parts = [part for part in match.groups() if part and part.isdigit()]
            return _span(*map(int, parts))
    return None


def days_named(urls: Iterable[str]) -> dict[str, Days]:
    """Of the lists that an index names, those whose addresses say of which day, month or year they are.

    Numbers count as dates only where they can be dates in all addresses of one form: ``map-2024`` is no year beside
    ``map-2101``.
    """
    forms: defaultdict[str, list[str]] = defaultdict(list)
    for url in urls:
        forms[re.sub(r"\d+", "0", url)].append(url)
    named: dict[str, Days] = {}
    for form in forms.values():
        spans = [_of_list(url) for url in form]
        if all(spans):
            named |= {url: span for url, span in zip(form, spans, strict=True) if span}
    return named


def _of_list(url: str) -> Days | None:
    for pattern in _OF_LISTS:
        if match := pattern.search(url, 0, _LONGEST):
            return _span(*(int(part) for part in match.groups() if part))
    return None


def _span(year: int, month: int = 0, day: int = 0) -> Days | None:
    """From the first to the last day of what is named; None for what is in no calendar."""
    try:
        first = date(year, month or 1, day or 1)
        if day:
            return Days(first, first)
        following = date(year + (month in (0, 12)), month % 12 + 1 if month else 1, 1)
    except ValueError:
        return None
    return Days(first, following - timedelta(days=1))
