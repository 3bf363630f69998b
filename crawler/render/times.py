"""Times as Ruby has them: its strftime, and what its Time.parse makes of a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, tzinfo
from functools import lru_cache

from dateutil import parser

_DIRECTIVE = re.compile(r"%([-0^#_:]*)([0-9]*)([A-Za-z%])")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DEFAULTS = datetime(1970, 1, 1), datetime(1971, 2, 2)
_DIGITS = re.compile(r"[0-9]+")

_NUMBERS: dict[str, tuple[Callable[[datetime], int], int, str]] = {
    "Y": (lambda moment: moment.year, 1, "0"),
    "C": (lambda moment: moment.year // 100, 2, "0"),
    "y": (lambda moment: moment.year % 100, 2, "0"),
    "m": (lambda moment: moment.month, 2, "0"),
    "d": (lambda moment: moment.day, 2, "0"),
    "e": (lambda moment: moment.day, 2, " "),
    "j": (lambda moment: moment.timetuple().tm_yday, 3, "0"),
    "H": (lambda moment: moment.hour, 2, "0"),
    "k": (lambda moment: moment.hour, 2, " "),
    "I": (lambda moment: moment.hour % 12 or 12, 2, "0"),
    "l": (lambda moment: moment.hour % 12 or 12, 2, " "),
    "M": (lambda moment: moment.minute, 2, "0"),
    "S": (lambda moment: moment.second, 2, "0"),
    "L": (lambda moment: moment.microsecond // 1000, 3, "0"),
    "N": (lambda moment: moment.microsecond * 1000, 9, "0"),
    "s": (lambda moment: int(moment.timestamp()), 1, "0"),
    "u": (lambda moment: moment.isoweekday(), 1, "0"),
    "w": (lambda moment: moment.isoweekday() % 7, 1, "0"),
    "G": (lambda moment: moment.isocalendar().year, 1, "0"),
    "V": (lambda moment: moment.isocalendar().week, 2, "0"),
    "U": (lambda moment: (moment.timetuple().tm_yday + 6 - moment.isoweekday() % 7) // 7, 2, "0"),
    "W": (lambda moment: (moment.timetuple().tm_yday + 6 - moment.weekday()) // 7, 2, "0"),
}
"""Directive -> its number, least digits, what fills them."""
_WORDS: dict[str, Callable[[datetime], str]] = {
    "A": lambda moment: _DAYS[moment.weekday()],
    "a": lambda moment: _DAYS[moment.weekday()][:3],
    "B": lambda moment: _MONTHS[moment.month - 1],
    "b": lambda moment: _MONTHS[moment.month - 1][:3],
    "h": lambda moment: _MONTHS[moment.month - 1][:3],
    "p": lambda moment: "AM" if moment.hour < 12 else "PM",
    "P": lambda moment: "am" if moment.hour < 12 else "pm",
    "Z": lambda moment: moment.tzname() or "",
    "n": lambda moment: "\n",
    "t": lambda moment: "\t",
    "%": lambda moment: "%",
}
_SHORT = {
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "X": "%H:%M:%S",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "D": "%m/%d/%y",
    "x": "%m/%d/%y",
    "c": "%a %b %e %H:%M:%S %Y",
    "v": "%e-%^b-%Y",
}


_Part = Callable[[datetime], str]


def strftime(moment: datetime, form: str) -> str:
    """As Ruby's: in English whatever the machine's language, with its flags ``-0^#_:`` and widths."""
    return "".join(part if isinstance(part, str) else part(moment) for part in _parts(form))


@lru_cache(maxsize=512)
def _parts(form: str) -> list[str | _Part]:
    """A pattern taken apart, once: text, and what makes text of a moment."""
    found: list[str | _Part] = []
    end = 0
    for match in _DIRECTIVE.finditer(form):
        found += [form[end : match.start()], _part(match)]
        end = match.end()
    return [part for part in (*found, form[end:]) if part]


def _part(match: re.Match[str]) -> str | _Part:
    flags, width, name = match.groups()
    if name in _NUMBERS:
        return _number(*_NUMBERS[name], flags, width)
    if name == "z":
        return lambda moment: _offset(moment, flags.count(":"))
    if name in _SHORT:
        return _changed(lambda moment: strftime(moment, _SHORT[name]), flags, width)
    return _changed(_WORDS[name], flags, width) if name in _WORDS else match[0]


def _number(value: Callable[[datetime], int], least: int, filler: str, flags: str, width: str) -> _Part:
    if "-" in flags:
        return lambda moment: str(value(moment))
    fill = "0" if "0" in flags else " " if "_" in flags else filler
    size = int(width or least)
    return lambda moment: str(value(moment)).rjust(size, fill)


def _changed(told: _Part, flags: str, width: str) -> _Part:
    if not flags and not width:
        return told
    change = str.upper if "^" in flags else str.swapcase if "#" in flags else str
    fill = "0" if "0" in flags else " "
    return lambda moment: change(told(moment)).rjust(int(width or 0), fill)


def _offset(moment: datetime, colons: int) -> str:
    offset = moment.utcoffset()
    seconds = int(offset.total_seconds()) if offset else 0
    hours, rest = divmod(abs(seconds), 3600)
    between = ":" if colons else ""
    text = f"{'-' if seconds < 0 else '+'}{hours:02}{between}{rest // 60:02}"
    return f"{text}:{rest % 60:02}" if colons > 1 else text


def moment_of(value: object, zone: tzinfo) -> datetime | None:
    """What Liquid takes for a time: times, days, seconds since 1970, texts. None for all else.

    A time without a zone is one of ``zone``, the site's.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime.combine(value, time.min, zone)
    if isinstance(value, int) and not isinstance(value, bool):
        return _counted(value, zone)
    return _parsed(value, zone) if isinstance(value, str) else None


def _counted(seconds: int | str, zone: tzinfo) -> datetime | None:
    """Seconds since 1970; Python knows years of four digits, and of no text a number of more than 4,300."""
    try:
        return datetime.fromtimestamp(int(seconds), zone)
    except (OSError, OverflowError, ValueError):
        return None


@lru_cache(maxsize=4096)
def _parsed(text: str, zone: tzinfo) -> datetime | None:
    if _DIGITS.fullmatch(text):
        return _counted(text, zone)
    try:
        moment, other = (parser.parse(text, default=default) for default in _DEFAULTS)
    except (ValueError, OverflowError):
        return None
    if moment != other:  # it does not say its day
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
