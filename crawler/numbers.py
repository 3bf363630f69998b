"""Where numbered articles begin and end: searches that ask for numbers and are told which of them are articles.

A search is a generator: it gives numbers to be asked for, counted from the first that a source may have, and is sent
what became of each. It knows no site and no ledger, so that a search that was killed is begun anew from what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

_TOGETHER = 4
"""Numbers that are asked for at once where one after another is."""
_NEIGHBOURS = 10
"""Numbers in a row that are looked at, at most, before a place is taken for empty."""
_FARTHEST = 1 << 32
"""No site has as many articles."""
_HOLE = 1000
"""Numbers of which nothing is known that are asked for one by one, and not taken for a gap."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a number."""

    there: bool
    """Whether it is an article's."""
    day: date | None = None
    """The article's day, where it is known."""
    twin: str = ""
    """Key of the article that the number was answered with, though it is another's."""


Answers = Mapping[int, Answer]
Search = Generator[list[int], Answers, "Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """Where a search ended."""

    low: int
    """The highest number that is an article's and has none of its own behind it, or the last before a border."""
    high: int = 0
    """The first behind a border."""
    ended: bool = True
    """Whether it came to its end; else it went as far as it may at once."""


def _near(start: int, end: int, misses: int) -> Generator[list[int], Answers, int | None]:
    """The first article at ``start`` or a little behind it, then farther and farther away, before ``end``; None for
    none."""
    for some in _places(start, end, misses):
        answers = yield some
        if found := [number for number in some if answers[number].there]:
            return found[0]
    return None


def _places(start: int, end: int, misses: int) -> Iterator[list[int]]:
    """``start`` alone, then the others of its neighbourhood, then single ones at distances that double."""
    width = min(misses, _NEIGHBOURS)
    yield [start]
    for first in range(start + 1, min(start + width, end), _TOGETHER):
        yield list(range(first, min(first + _TOGETHER, start + width, end)))
    distance = 2 * width
    while start + distance < end:
        yield [start + distance]
        distance *= 2


def newest(known: int, misses: int) -> Search:
    """The newest article, or nearly, by doubling steps and bisection from one that is known, or from the number before
    the first. Not ended where every number seems to be an article's."""
    low, step = known, misses
    while step < _FARTHEST:
        found = yield from _near(low + step, low + 64 * step, misses)  # what is empty may be a gap
        if found is None:
            break
        low, step = found, 2 * step
    else:
        return Found(low, ended=False)
    high = low + step
    while high - low > misses:
        middle = (low + high) // 2
        found = yield from _near(middle, min(high, middle + 8 * misses), misses)
        low, high = (low, middle) if found is None else (found, high)
    return Found(low, high)


def forward(known: int, misses: int, most: int) -> Search:
    """All numbers behind a known one, in small steps, until ``misses`` in a row are nobody's, or ``most`` were asked
    for."""
    newest, following = known, known + 1
    while following - newest <= misses:
        if following - known > most:
            return Found(newest, ended=False)
        some = list(range(following, min(following + _TOGETHER, newest + misses + 1)))
        answers = yield some
        newest = max((number for number in some if answers[number].there), default=newest)
        following += len(some)
    return Found(newest)


def backward(known: int, back: int) -> Search:
    """The last ``back`` numbers up to a known one, the newest first."""
    first = max(known - back + 1, 0)
    for end in range(known, first - 1, -_TOGETHER):
        yield list(range(end, max(end - _TOGETHER, first - 1), -1))
    return Found(first)


def border(low: int, high: int, misses: int, is_behind: Callable[[date], bool]) -> Search:
    """Where articles begin whose days ``is_behind`` holds of: those up to ``low`` are before, those from ``high`` on
    behind; between them nothing tells. Not ended where there are too many between them to be asked for: a gap in the
    numbers. Numbers that are nobody's, or whose day nobody knows, say nothing; their neighbours do."""
    while high - low > 1:
        found = yield from _dated(low, high, misses)
        if found is None:
            return Found(low, high, ended=high - low <= _HOLE)
        number, day = found
        low, high = (low, number) if is_behind(day) else (number, high)
    return Found(low, high)


def _dated(low: int, high: int, misses: int) -> Generator[list[int], Answers, tuple[int, date] | None]:
    """An article with a day near the middle between two numbers; None for none."""
    for some in _around(low, high, min(misses, _NEIGHBOURS)):
        answers = yield some
        for number in some:
            if (day := answers[number].day) is not None:
                return number, day
    return None


def _around(low: int, high: int, width: int) -> Iterator[list[int]]:
    """The middle between two numbers, its neighbours on both sides, then single ones at distances that double; last of
    all the same from both ends, the farthest first, for most of what is between may be a gap."""
    middle = (low + high) // 2
    distances = [*range(1, width), *(width << power for power in range((high - low).bit_length()))]
    pairs = [(middle, middle)] + [(middle - distance, middle + distance) for distance in distances]
    pairs += [(low + distance, high - distance) for distance in reversed(distances)]
    for pair in pairs:
        if some := sorted({number for number in pair if low < number < high}):
            yield some
