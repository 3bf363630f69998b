"""What a backfill's plan says, and how it finds its days in a list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive.ledger import Entry, Found
from crawler.backfill import Place
from crawler.days import Days
from crawler.plan import Day, Pace, Plan, Way, counted, day_of_post, grouped, how_far, words_of
from spiders.listing import Walking
from spiders.survey import Read, Surveys

FIRST = date(2026, 3, 5)
DAYS = Days(FIRST, FIRST + timedelta(days=3))
NONE: Any = None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "2 min"),
        (3599, "1 h 0 min"),
        (12_000, "3 h 20 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_words_of_a_span(seconds: int, words: str) -> None:
    assert words_of(timedelta(seconds=seconds)) == words


def test_a_plan_counts() -> None:
    expected = counted([FIRST, FIRST, None, FIRST - timedelta(days=1), DAYS.last], DAYS)
    before = {FIRST: Day(listed=3, kept=2, refused=1), DAYS.last: Day(1, 1)}
    plan = Plan("harbour", DAYS, [Way("html", 2, 5, 4)], expected, 4, 7, 1.5, before)
    assert (plan.expected, plan.undated, plan.time) == ({FIRST: 2, DAYS.last: 1}, 1, timedelta(seconds=6))
    assert plan.outlook == {FIRST: Day(kept=2, waiting=2), DAYS.last: Day(kept=1, waiting=1)}


def test_few_days_are_shown_one_by_one_and_many_by_month() -> None:
    told = {FIRST: Day(3, 2, 1, 0), FIRST + timedelta(days=1): Day(1, 0, 0, 1)}
    shown = grouped(told, DAYS)
    assert list(shown) == ["2026-03-08", "2026-03-07", "2026-03-06", "2026-03-05"]
    assert (shown["2026-03-05"], shown["2026-03-07"]) == (Day(3, 2, 1, 0), Day())
    year = grouped(told, Days(date(2025, 12, 31), date(2026, 12, 31)))
    assert (len(year), year["2026-03"], year["2025-12"]) == (13, Day(4, 2, 1, 1), Day())


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("_posts/2026/03/05/2026-03-05-harbour-1.md", FIRST),
        ("_posts/2026-03-05-x.md", FIRST),
        ("_posts/about.md", None),
    ],
)
def test_the_day_of_a_post(path: str, day: date | None) -> None:
    assert day_of_post(path) == day


def test_how_far_it_is() -> None:
    assert how_far(Pace(120, 500, 60)) == "120 of 500 articles, 2.0 a second, 4 min left"
    assert how_far(Pace(0, 500, 3)) == "0 of 500 articles, 0.0 a second"


# the page with which the days begin


class Site:
    """A list whose pages are numbered, and a backfill that takes note of what they name."""

    def __init__(self, pages: list[list[date]], beyond: str) -> None:
        self.pages, self.beyond = pages, beyond
        self.asked: list[int] = []
        self.taken: set[str] = set()
        self.ended = False
        self.days = DAYS
        self.backfill = self

    # of the run and the backfill

    def of(self, source: str) -> Any:
        return SimpleNamespace(listed=0, new=0, refused=0, problem=print)

    def flush(self) -> None:
        pass

    def day_of(self, hints: dict[str, str]) -> date | None:
        return date.fromisoformat(hints["published"])

    def discover(
        self, entries: list[Entry], start: str, place: Place | None = None, reach: Any = None, pages: int = 1
    ) -> Found:
        self.taken |= {one.key for one in entries if DAYS.holds(date.fromisoformat(one.hints["published"]))}
        return Found(0, 0, [])

    def end_walk(self, start: str, *, by_time: bool) -> None:
        self.ended = True

    @property
    def report(self) -> Site:
        return self

    # of the site

    def page_at(self, number: int) -> str:
        return f"https://harbour.example/list?p={number}"

    def read(self, number: int) -> Read | None:
        """A page, or what the site answers beyond the last: nothing, an empty page, the last or the first again."""
        self.asked.append(number)
        shown = number
        if number > len(self.pages):
            if self.beyond == "nothing":
                return None
            shown = {"empty": 0, "last": len(self.pages), "first": 1}[self.beyond]
        days = self.pages[shown - 1] if shown else []
        entries = [Entry(f"{shown}-{at}", {"published": day.isoformat()}) for at, day in enumerate(days)]
        return Read(number, entries, self.page_at(number + 1) if entries else "")


def walk(site: Site) -> None:
    """Drive a walk as the engine would."""
    made: Any = Walking(SimpleNamespace(id="harbour"), site, site.page_at(1), "", True, False, by_time=True)  # type: ignore[arg-type]
    made.interrupted = True
    surveys = Surveys(SimpleNamespace(run=site), lambda walking, url, number: number)  # type: ignore[arg-type,return-value]
    steps: list[Iterator[Any]] = [iter([1])]
    while steps:
        for number in steps.pop():
            read = site.read(number)
            steps.append(surveys.read(made, read) if read else surveys.beyond(made, number))


LISTS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None)
@given(gaps=LISTS, before=st.integers(0, 30), beyond=st.sampled_from(["nothing", "empty", "last", "first"]))
def test_exactly_the_articles_of_the_days_in_few_pages(gaps: list[list[int]], before: int, beyond: str) -> None:
    """Whatever the site answers beyond its last page, and however its days fall on pages."""
    day, pages = DAYS.last + timedelta(days=before), []
    for some in gaps:
        page = []
        for gap in some:
            day -= timedelta(days=gap)
            page.append(day)
        pages.append(page)
    site = Site(pages, beyond)
    walk(site)
    due = {f"{number}-{at}" for number, page in enumerate(pages, 1) for at, one in enumerate(page) if DAYS.holds(one)}
    assert site.taken == due
    assert site.ended
    whole = sum(any(one <= DAYS.last for one in page) and page[0] >= DAYS.first for page in pages)
    assert len(site.asked) == len(set(site.asked)) <= whole + 2 * len(pages).bit_length() + 5
