"""Numbered articles: searches over gaps, and crawls of a site that has no lists."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive.ledger import Entry, Ledger
from crawler.extract.page import Page as Document
from crawler.guesses import AGAIN, is_nobodys, note_absent
from crawler.lists import IdList
from crawler.numbers import Answer, Found, Search, backward, border, forward, newest
from crawler.sources import Source
from spiders.ids import IdsWalk
from tests.archive.test_ledger import NOW, raw
from tests.server import Page, Server
from tests.story import ENVIRONMENT, PRESSKEEP, Archive, Story, html_source

MISSES = 6


def run(search: Search, there: Collection[int] | Mapping[int, date]) -> tuple[Found, list[int]]:
    """Where a search ends on a site with these numbers, and what it asked for."""
    days = there if isinstance(there, Mapping) else {}
    asked: list[int] = []
    try:
        some = next(search)
        while True:
            asked += some
            some = search.send({number: Answer(number in there, days.get(number)) for number in some})
    except StopIteration as stop:
        return stop.value, asked


@st.composite
def sites(draw: st.DrawFn) -> list[int]:
    """Numbers of articles, ``MISSES`` of nobody between two at most."""
    steps = draw(st.lists(st.integers(1, MISSES), min_size=1, max_size=300))
    return [sum(steps[: number + 1]) for number in range(len(steps))]


@given(sites(), st.data())
def test_all_numbers_behind_a_known_one(there: list[int], data: st.DataObject) -> None:
    known = data.draw(st.sampled_from([0, *there]))
    found, asked = run(forward(known, MISSES, 10_000), set(there))
    assert found == Found(there[-1])
    assert asked == list(range(known + 1, there[-1] + MISSES + 1))


def test_the_end_is_so_many_numbers_in_a_row() -> None:
    assert run(forward(0, 5, 100), {3, 8, 14})[0].low == 8
    assert run(forward(0, 5, 100), set())[0].low == 0
    found, asked = run(forward(7, 5, 20), range(1000))
    assert (found.ended, len(asked) <= 24, found.low) == (False, True, 7 + len(asked))


@settings(max_examples=60)
@given(st.integers(1, 3_000_000), st.integers(0, 1 << 30), st.sampled_from([1, 2, 3]))
def test_the_newest_of_millions_takes_few_requests(last: int, seed: int, each: int) -> None:
    class Site:
        def __contains__(self, number: object) -> bool:
            assert isinstance(number, int)
            return number == last or (0 < number < last and (number * 2654435761 + seed) % 97 % each == 0)

    found, asked = run(newest(-1, 20), Site())  # type: ignore[arg-type]
    beyond, _ = run(forward(found.low, 20, 10_000), Site())  # type: ignore[arg-type]
    assert last - 25 <= beyond.low <= last
    assert len(set(asked)) < 400


def test_a_gap_of_hundreds_is_crossed() -> None:
    there = {*range(1, 200), *range(700, 900)}
    found, _ = run(newest(100, 10), there)
    assert run(forward(found.low, 10, 1000), there)[0].low == 899


def test_a_site_that_answers_at_any_number_has_no_newest() -> None:
    class Trap:
        def __contains__(self, number: object) -> bool:
            return True

    found, asked = run(newest(0, 20), Trap())  # type: ignore[arg-type]
    assert not found.ended
    assert len(asked) < 40


def test_a_site_without_articles() -> None:
    found, asked = run(newest(-1, 20), set())
    assert found.low == -1
    assert len(asked) < 100


def test_the_last_so_many() -> None:
    assert run(backward(20, 6), set())[1] == [20, 19, 18, 17, 16, 15]
    assert run(backward(3, 9), set())[1] == [3, 2, 1, 0]


@settings(max_examples=100)
@given(sites(), st.data())
def test_the_border_between_days(there: list[int], data: st.DataObject) -> None:
    """Numbers grow with time, many a day, and not all days have one."""
    spans = data.draw(st.lists(st.integers(0, 3), min_size=len(there), max_size=len(there)))
    days, day = {}, date(2026, 1, 1)
    for number, span in zip(there, spans, strict=True):
        day += timedelta(days=span // 2)
        days[number] = day
    edge = data.draw(st.sampled_from([date(2025, 12, 31), *days.values(), date(2030, 1, 1)]))
    found, asked = run(border(-1, there[-1] + 1, MISSES, lambda one: one >= edge), days)
    assert found.ended
    assert all(days[number] < edge for number in there if number <= found.low)
    assert all(days[number] >= edge for number in there if number >= found.high)
    assert len(asked) < 150


def test_a_border_in_a_gap_of_thousands_is_no_reason_to_ask_for_all_of_them() -> None:
    days = {number: date(2026, 1, 1) for number in range(100)} | {9_000 + n: date(2026, 2, 1) for n in range(100)}
    found, asked = run(border(-1, 9_100, 10, lambda day: day > date(2026, 1, 15)), days)
    assert found == Found(99, 9_000, ended=False)
    assert len(set(asked)) < 400


# addresses


def walk(tmp_path: Path, template: str, **changes: object) -> IdsWalk:
    told = {
        "id": "gazette",
        "name": "The Gazette",
        "home": "https://gazette.example/",
        "language": "en",
        "timezone": "UTC",
        "example": "https://gazette.example/a/17.html",
        "key": {"patterns": r"/(?:\d+/)*(\d+)\.html"},
        "lists": [{"kind": "ids", "template": template, **changes}],
    }
    source = Source.model_validate(told)
    one = source.lists[0]
    assert isinstance(one, IdList)
    return IdsWalk(source, one)


def test_addresses_of_numbers(tmp_path: Path) -> None:
    made = walk(tmp_path, "https://gazette.example/a/{id}.html", first=100, step=5, width=6)
    address = "https://gazette.example/a/000115.html"
    assert made.entry(3, tries=2) == Entry("000115", {"url": address, "guess": "2"})
    assert made.place(address) == 3
    assert [made.place(f"https://gazette.example/a/{bad}") for bad in ("99.html", "x.html", "100", "")] == [-1] * 4
    assert walk(tmp_path, "https://gazette.example/b/{id}").entry(1) is None  # no key in it
    by_day = walk(tmp_path, "https://gazette.example/{yyyy}/{m}/{id}.html")
    entry = by_day.entry(6, date(2026, 3, 9))
    assert entry is not None
    assert entry.hints["url"] == "https://gazette.example/2026/3/7.html"
    assert by_day.place("https://gazette.example/2026/3/7.html") == 6


def test_no_page_is_a_list_of_numbers(tmp_path: Path) -> None:
    made = walk(tmp_path, "https://gazette.example/a/{id}.html")
    page = Document(b"<a href=1.html>x</a>", "https://gazette.example/")
    with pytest.raises(ValueError, match="have no lists"):
        made.read(page)
    assert (made.next(page, 1), made.lists(page)) == ("", [])


# answers that show no article


@pytest.mark.parametrize(
    ("reason", "nobodys"),
    [
        ("HTTP 404", True),
        ("HTTP 410", True),
        ("soft-404: it leads to https://gazette.example/", True),
        ("same text as 100001", True),
        ("busy: the page says 'try again' and little else", False),
        ("HTTP 503", False),
        ("HTTP 403", False),
        ("timed out", False),
        ("consent: the page says 'cookies' and little else", False),
        ("body: 'div' matches nothing", False),
    ],
)
def test_what_is_nobody_s(reason: str, nobodys: bool) -> None:
    assert is_nobodys('{"guess": "1"}', reason) is nobodys
    assert not is_nobodys('{"url": "x"}', reason)


def test_what_is_nobody_s_is_asked_again_after_days_and_not_for_ever(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for tries in (1, len(AGAIN), len(AGAIN) + 1):
        ledger.discover("gazette", "papers", [Entry(str(tries), {"guess": str(tries)})], NOW)
        assert note_absent(ledger, "papers", str(tries), "HTTP 404", NOW)
    assert raw(ledger, "select key, state, reason, due, seen from articles") == [
        ("1", "absent", "HTTP 404", "2024-03-01T12:00:00Z", ""),
        ("3", "absent", "HTTP 404", "2024-03-04T12:00:00Z", ""),
        ("4", "absent", "HTTP 404", "", ""),
    ]
    # what a list names after all is an article like any other
    assert ledger.discover("gazette", "papers", [Entry("4", {"url": "u"})], NOW).new == 1
    assert not note_absent(ledger, "papers", "4", "HTTP 404", NOW)
    assert not note_absent(ledger, "papers", "never seen", "HTTP 404", NOW)
    ledger.close()


# crawls


def ids(server: Server, path: str = "/a/{id}.html", **changes: object) -> list[dict[str, object]]:
    return [{"kind": "ids", "template": server.address(path), "misses": 5, "back": 12, **changes}]


def put(server: Server, *numbers: int, place: str = "a") -> None:
    server.pages |= {one.path: one.page() for one in (Story(number, place=place) for number in numbers)}


def days_pass(archive: Archive, days: int) -> None:
    archive.rows(f"update articles set due = strftime('%Y-%m-%dT%H:%M:%SZ', due, '-{days} days') where due != ''")


def test_a_site_without_lists(server: Server, tmp_path: Path) -> None:
    """The newest are found; each number is asked for once; later crawls go on from there, and see what came late."""
    put(server, *(number for number in range(1, 60) if number % 3))
    archive = Archive.new(tmp_path / "archive", html_source(server, lists=ids(server, first=100_000)))
    archive.crawl()
    asked = server.paths()
    assert len(asked) == len(set(asked)) < 60
    assert {"100059", "100058", "100049", "100050"} <= {
        key for key, state in archive.states().items() if state == "done"
    }
    assert set(archive.states().values()) == {"done", "absent"}
    told = archive.report("harbour")
    assert told["listed"] == told["new"] == told["kept"] == len(archive.posts()) == told["fetched"]
    assert (told["refused"], told["alarms"], told["problems"]) == (0, [], [])
    assert archive.rows("select number from marks") == [(100_059,)]

    put(server, 54, 57, 61, 62, 65)  # two of them late
    server.forget()
    archive.crawl()
    assert sorted(server.paths("/a/")) == [f"/a/1000{number}.html" for number in range(60, 71)]
    assert archive.report("harbour")["kept"] == 3
    days_pass(archive, 2)
    server.forget()
    archive.crawl()
    assert {"/a/100054.html", "/a/100057.html"} <= set(server.paths())
    assert {"100054", "100057"} <= {key for key, state in archive.states().items() if state == "done"}
    assert archive.rows("select count(*) from gaps") == [(0,)]
    archive.proven()


def test_a_site_that_answers_at_any_number(server: Server, tmp_path: Path) -> None:
    """With one and the same article: none of the numbers is, and no alarm."""
    one = Story(1, body="<p>" + "渡轮今天恢复通航，首航载客，船长说风浪不大。" * 20 + "</p>").page(validators=False)
    server.pages = _Anything(server.pages, one)
    server.pages["/robots.txt"] = Page("", kind="text/plain")
    archive = Archive.new(tmp_path / "archive", html_source(server, lists=ids(server, first=100_000)))
    archive.crawl()
    assert len(archive.posts()) == 1
    told = archive.report("harbour")
    assert (told["refused"], told["alarms"]) == (0, [])
    [trap] = archive.problems("harbour").values()
    assert re.fullmatch(r"\d+ numbers are answered with the article \d+: the site answers at any", trap)
    assert len(server.paths("/a/")) < 60


class _Anything(dict[str, Page]):
    def __init__(self, pages: dict[str, Page], page: Page) -> None:
        super().__init__(pages)
        self._page = page

    def get(self, key: str, default: object = None) -> Page:
        return super().get(key, self._page if key.startswith("/a/1") else None) or Page("no such page", status=404)


def test_numbers_that_begin_anew_each_day(server: Server, tmp_path: Path) -> None:
    today = date.fromisoformat(time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600)))
    days = [today, today - timedelta(days=1)]
    for day, last in zip(days, (3, 2), strict=True):
        for number in range(1, last + 1):
            server.pages[f"/{day:%Y/%m/%d}/{100_000 + number}.html"] = Story(10 * day.day + number).page()
    lists = ids(server, "/{yyyy}/{mm}/{dd}/{id}.html", first=100_001)
    source = html_source(server, lists=lists, key={"patterns": [r"/(\d\d/\d\d/\d{6})\.html"]})
    archive = Archive.new(tmp_path / "archive", source)
    archive.crawl()
    assert len(archive.posts()) == 5
    marks = archive.rows("select day, number from marks order by day")
    assert marks == [(days[1].isoformat(), 100_002), (days[0].isoformat(), 100_003)]
    assert [day for (day,) in archive.rows("select day from coverage order by day")] == sorted(map(str, days))


def test_a_backfill_by_numbers_that_is_killed(server: Server, tmp_path: Path) -> None:
    """Exactly the articles of its days, each number asked for once but for the one that a kill cost."""
    shown = [Story(number) for number in range(1, 200)]
    pages = {one.path: one.page() for one in shown if one.number % 4}
    for one in shown:  # two a day, and the numbers grow with time
        day = date(2026, 1, 1) + timedelta(days=one.number // 2)
        if one.path in pages:
            pages[one.path].body = str(pages[one.path].body).replace(one.printed, f"{day} 12:00")
    server.pages |= pages
    archive = Archive.new(tmp_path / "archive", html_source(server, lists=ids(server, first=100_000), recheck=[]))
    words = ["backfill", "harbour", "--from", "2026-02-01", "--to", "2026-02-10", "--archive", str(archive.folder)]
    killed = subprocess.Popen([*PRESSKEEP, *words], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    while len(server.paths("/a/")) < 25:
        time.sleep(0.01)
        assert killed.poll() is None
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    archive.verb(*words[:-2])
    wanted = {date(2026, 2, 1) + timedelta(days=number) for number in range(10)}
    expected = {
        one.key for one in shown if one.path in pages and date(2026, 1, 1) + timedelta(days=one.number // 2) in wanted
    }
    assert {name[-9:-3] for name in archive.posts()} == expected
    asked = server.paths("/a/")
    assert len(asked) - len(set(asked)) <= 12, json.dumps(asked)
    assert len(asked) < 110


def test_pages_that_say_that_there_is_none_and_captures_replayed(server: Server, tmp_path: Path) -> None:
    """In other words than at addresses of another kind: once that page was seen twice it is known."""
    put(server, *range(1, 9))
    none = Page("<html><body><h1>查无此文</h1><p>您要找的文章不存在，请返回首页。</p></body></html>", validators=False)
    server.pages |= {f"/a/{number}.html": none for number in range(100_009, 100_040)}
    source = html_source(server, lists=ids(server, first=100_000))
    archive = Archive.new(tmp_path / "archive", source)
    archive.crawl()
    told = archive.report("harbour")
    assert (told["kept"], told["refused"], told["alarms"]) == (8, 1, [])
    assert archive.rows("select number from marks") == [(100_008,)]

    other = Archive.new(tmp_path / "other", source)
    server.forget()
    other.crawl("--replay", *archive.state.glob("captures/*.warc.gz"))
    assert server.asked == []
    assert other.posts() == archive.posts()


def test_a_site_where_no_number_is_an_article(server: Server, tmp_path: Path) -> None:
    source = html_source(server, lists=ids(server, first=500_000))
    archive = Archive.new(tmp_path / "archive", source)
    archive.crawl(code=3)
    [problem] = archive.problems("harbour").values()
    assert problem.startswith("no article at any number that was tried from 500000 on")
    assert archive.rows("select * from marks") == []
