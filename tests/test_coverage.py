"""What lists have covered: a walk proves that it missed nothing, or leaves a gap; gaps are healed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.ledger import Entry, Kept, Ledger, articles
from crawler.coverage import Gap, Part, Stretch, gap_lines, heal, left_of, open_gaps, parts_of, remember, tallies
from crawler.days import Days
from crawler.sources import Source, load_source

LIST = "https://gazette.example/news"
BY_DAY = "https://gazette.example/{yyyy}/{mm}/{dd}/"


def on(day: int, hour: int = 6) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def gazette(folder: Path) -> Source:
    told = {
        "id": "gazette",
        "name": "The Gazette",
        "home": "https://gazette.example/",
        "language": "en",
        "timezone": "Asia/Shanghai",
        "example": "https://gazette.example/a/1",
        "lists": [{"kind": "html", "urls": [LIST, BY_DAY], "links": "/a/"}],
    }
    path = folder / "gazette.yml"
    path.write_text(yaml.safe_dump(told), "utf-8")
    return load_source(path)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return gazette(tmp_path)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def named(keys: Sequence[int], day: int | None = None) -> list[Entry]:
    """Articles as a list names them, ten a day; newest first."""
    told = {key: f"2026-03-{(day or 1 + key // 10):02d} 08:00" for key in keys}
    return [Entry(str(key), {"url": f"https://gazette.example/a/{key}", "published": told[key]}) for key in keys]


class Crawl:
    """One crawl of one list at a time of ours."""

    def __init__(self, ledger: Ledger, source: Source, now: datetime, part: Part | None = None) -> None:
        self.ledger, self.source, self.now = ledger, source, now
        self.stretch = Stretch(ledger, source, part or Part(LIST), now)

    def reads(self, *pages: Sequence[Entry], ends: bool = True) -> Crawl:
        for page in pages:
            self.ledger.discover(self.source.id, self.source.space, page, self.now)
            self.stretch.page(page)
        if ends:
            self.stretch.end()
        return self


def newest(high: int, count: int = 10) -> list[Entry]:
    """The latest so many."""
    return named(range(high, high - count, -1))


def spans(ledger: Ledger, source: Source) -> list[tuple[date, date]]:
    return [(gap.days.first, gap.days.last) for gap in open_gaps(ledger, [source])]


def test_a_walk_that_reaches_what_is_known_leaves_no_gap(ledger: Ledger, source: Source) -> None:
    Crawl(ledger, source, on(1)).reads(newest(9))
    Crawl(ledger, source, on(2)).reads(newest(14))
    Crawl(ledger, source, on(3)).reads(newest(24), newest(14))
    assert open_gaps(ledger, [source]) == []


def test_a_first_walk_promises_nothing(ledger: Ledger, source: Source) -> None:
    Crawl(ledger, source, on(5)).reads(newest(49))
    assert open_gaps(ledger, [source]) == []


def test_a_window_that_rolled_on_leaves_a_gap_from_the_newest_known_to_the_oldest_listed(
    ledger: Ledger, source: Source
) -> None:
    Crawl(ledger, source, on(2)).reads(newest(15))
    Crawl(ledger, source, on(6)).reads(newest(59), newest(49))
    gap = Gap("gazette", LIST, Days(date(2026, 3, 2), date(2026, 3, 5)), "2026-03-02T06:00:00Z")
    assert open_gaps(ledger, [source]) == [gap]
    assert gap.command == "presskeep backfill gazette --from 2026-03-02 --to 2026-03-05"
    # later walks that reach the one after the gap do not heal it
    Crawl(ledger, source, on(7)).reads(newest(62))
    assert open_gaps(ledger, [source]) == [gap]


def test_without_dates_a_gap_lies_between_the_days_of_the_walks(ledger: Ledger, source: Source) -> None:
    bare = [[Entry(str(key)) for key in range(high, high - 5, -1)] for high in (5, 50)]
    Crawl(ledger, source, on(2, hour=17)).reads(bare[0])  # the third in Shanghai
    Crawl(ledger, source, on(6)).reads(bare[1])
    assert spans(ledger, source) == [(date(2026, 3, 3), date(2026, 3, 6))]


def test_what_is_pinned_to_the_top_proves_nothing(ledger: Ledger, source: Source) -> None:
    Crawl(ledger, source, on(1)).reads(newest(9))
    Crawl(ledger, source, on(6)).reads([*named([3]), *newest(59)])
    assert len(open_gaps(ledger, [source])) == 1


def test_what_another_list_or_a_backfill_found_meanwhile_proves_nothing(ledger: Ledger, source: Source) -> None:
    Crawl(ledger, source, on(1)).reads(newest(9))
    ledger.discover(source.id, source.space, newest(52), on(5))
    ledger.write(articles.insert().values(space="gazette", key="53", source="gazette", state="done", hints="{}",
                                          seen="", backfill=1, crawl=0))  # fmt: skip
    Crawl(ledger, source, on(6)).reads([*newest(59, 6), Entry("53"), *newest(52, 3)])
    assert len(open_gaps(ledger, [source])) == 1


def test_a_walk_that_was_cut_leaves_its_gap_until_a_walk_reaches_across(ledger: Ledger, source: Source) -> None:
    Crawl(ledger, source, on(1)).reads(newest(9))
    Crawl(ledger, source, on(4)).reads(newest(39), ends=False)  # killed, or its next page could not be had
    assert spans(ledger, source) == [(date(2026, 3, 1), date(2026, 3, 4))]
    Crawl(ledger, source, on(4, hour=7)).reads(newest(39), newest(29), ends=False)  # killed again, farther on
    assert spans(ledger, source) == [(date(2026, 3, 1), date(2026, 3, 3))]
    Crawl(ledger, source, on(4, hour=8)).reads(newest(39), newest(29), newest(19), newest(9))
    assert open_gaps(ledger, [source]) == []
    Crawl(ledger, source, on(5)).reads(newest(44))
    assert open_gaps(ledger, [source]) == []


def test_an_older_gap_is_healed_by_a_walk_that_goes_back_far_enough(ledger: Ledger, source: Source) -> None:
    Crawl(ledger, source, on(1)).reads(newest(9))
    Crawl(ledger, source, on(4)).reads(newest(39))
    Crawl(ledger, source, on(8)).reads(newest(79))
    assert spans(ledger, source) == [(date(2026, 3, 4), date(2026, 3, 8)), (date(2026, 3, 1), date(2026, 3, 4))]
    Crawl(ledger, source, on(9)).reads(newest(85), newest(75), newest(35))
    assert spans(ledger, source) == [(date(2026, 3, 1), date(2026, 3, 4))]
    Crawl(ledger, source, on(9, hour=7)).reads(newest(85), newest(14))
    assert open_gaps(ledger, [source]) == []


def test_an_unchanged_list_has_missed_nothing(ledger: Ledger, source: Source) -> None:
    Crawl(ledger, source, on(1)).reads(newest(9))
    Crawl(ledger, source, on(5)).stretch.end(unchanged=True)
    Crawl(ledger, source, on(6)).reads(newest(59))
    assert spans(ledger, source) == [(date(2026, 3, 1), date(2026, 3, 6))]  # from the newest that was known


def test_an_empty_list_says_nothing(ledger: Ledger, source: Source) -> None:
    Crawl(ledger, source, on(1)).reads(newest(9))
    Crawl(ledger, source, on(3)).reads([])
    Crawl(ledger, source, on(4)).reads(newest(12))
    assert open_gaps(ledger, [source]) == []


def test_lists_by_day_that_were_never_read_after_their_day(ledger: Ledger, source: Source) -> None:
    parts = parts_of([LIST, BY_DAY], Days(date(2026, 3, 1), date(2026, 3, 2)))
    assert parts["https://gazette.example/2026/03/01/"] == Part(BY_DAY, date(2026, 3, 1))
    assert len(parts) == 2
    for day, walked in ((1, on(2)), (2, on(2)), (5, on(6)), (6, on(6)), (8, on(9)), (9, on(9))):
        Crawl(ledger, source, walked, Part(BY_DAY, date(2026, 3, day))).reads(named([day], day))
    assert spans(ledger, source) == [
        (date(2026, 3, 6), date(2026, 3, 7)),  # the list of the sixth was only read while it was that day
        (date(2026, 3, 2), date(2026, 3, 4)),
    ]
    heal(ledger, source, Days(date(2026, 3, 3), date(2026, 3, 6)), on(10))
    assert spans(ledger, source) == [(date(2026, 3, 7), date(2026, 3, 7)), (date(2026, 3, 2), date(2026, 3, 2))]
    assert open_gaps(ledger) == []  # of lists by day only where the source's zone is known


def test_a_day_s_list_that_is_cut_is_a_gap_of_that_day(ledger: Ledger, source: Source) -> None:
    part = Part(BY_DAY, date(2026, 3, 5))
    Crawl(ledger, source, on(5, 1), part).reads(named([1], 5))
    Crawl(ledger, source, on(5, 9), part).reads(named([9, 8], 5), ends=False)
    assert spans(ledger, source) == [(date(2026, 3, 5), date(2026, 3, 5))]


def test_a_backfill_heals_its_days_and_no_others(ledger: Ledger, source: Source) -> None:
    Crawl(ledger, source, on(2)).reads(newest(15))
    Crawl(ledger, source, on(9)).reads(newest(89, 4))
    heal(ledger, source, Days(date(2026, 3, 12), date(2026, 3, 15)), on(20))
    heal(ledger, source, Days(date(2026, 3, 4), date(2026, 3, 5)), on(20))
    assert spans(ledger, source) == [(date(2026, 3, 6), date(2026, 3, 9)), (date(2026, 3, 2), date(2026, 3, 3))]
    heal(ledger, source, Days(date(2026, 3, 1), date(2026, 3, 31)), on(20))
    assert open_gaps(ledger, [source]) == []


SPAN = st.tuples(st.integers(1, 28), st.integers(1, 28)).map(lambda two: Days(*(date(2026, 3, n) for n in sorted(two))))


@given(SPAN, SPAN)
def test_what_is_left_of_a_gap(gap: Days, filled: Days) -> None:
    left = left_of(gap, filled)
    assert sorted(day for part in left for day in part) == sorted({*gap} - {*filled})


def test_one_line_tells_of_all_gaps(ledger: Ledger, source: Source) -> None:
    assert gap_lines(ledger, lambda: pytest.fail("no list is by day")) == []
    Crawl(ledger, source, on(1)).reads(newest(9))
    Crawl(ledger, source, on(6)).reads(newest(59))
    line = "1 gap, of gazette: days that no walk has covered; next: presskeep gaps --archive x"
    assert gap_lines(ledger, list, " --archive x") == [line]
    Crawl(ledger, source, on(1), Part(BY_DAY, date(2026, 3, 1))).reads(named([90], 1))
    Crawl(ledger, source, on(3), Part(BY_DAY, date(2026, 3, 3))).reads(named([91], 3))
    assert gap_lines(ledger, lambda: [source])[0].startswith("2 gaps, of gazette: ")


def test_a_ledger_made_anew_holds_the_next_walk_to_what_was_known(ledger: Ledger, source: Source) -> None:
    ledger.discover(source.id, source.space, newest(9), on(1))
    remember(ledger, source.id, LIST, on(1))
    Crawl(ledger, source, on(6)).reads(newest(59))
    assert spans(ledger, source) == [(date(2026, 3, 1), date(2026, 3, 6))]


def test_what_is_known_by_day(ledger: Ledger, source: Source) -> None:
    ledger.discover(source.id, source.space, [*newest(14), Entry("x"), Entry("y", {}, refused="no title")], on(3, 20))
    paths = {"10": "_posts/2026/02/27/2026-02-27-gazette-10.md", "11": "_posts/2026-02-27-gazette-11.md"}
    ledger.keep([Kept("gazette", key, "gazette", path, "d") for key, path in paths.items()])
    told = tallies(ledger, "gazette", source.zone)
    shown = {day.isoformat(): (one.listed, one.kept, one.refused, dict(one.by)) for day, one in told.items()}
    assert shown == {
        "2026-02-27": (2, 2, 0, {"post": 2}),
        "2026-03-01": (5, 0, 0, {"list": 5}),
        "2026-03-02": (3, 0, 0, {"list": 3}),
        "2026-03-04": (2, 0, 1, {"seen": 2}),  # the third in UTC
    }
    assert tallies(ledger, "other", source.zone) == {}


def test_many_rows_are_counted_at_once(ledger: Ledger, source: Source) -> None:
    """A hundred thousand take a quarter of a second; here are fewer, for the test's sake."""
    many = """insert into articles (space, key, source, state, hints, seen, path, due, tries, reason, digest, capture,
        notes) with recursive n(i) as (select 0 union all select i + 1 from n where i < 19999) select 'gazette', i,
        'gazette', 'done', '{}', '2026-03-01', '_posts/2026/03/' || substr('0' || (i % 28 + 1), -2) || '/x', '', 0,
        '', '', '', '' from n"""
    ledger.write(sa.text(many))
    began = time.process_time()
    told = tallies(ledger, "gazette", source.zone)
    assert time.process_time() - began < 0.3
    assert (len(told), sum(one.kept for one in told.values())) == (28, 20_000)
