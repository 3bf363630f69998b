"""A web archive as a list: searches, what of their answers is taken, captures as pages of what they are of."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy import Request

from crawler.archive.ledger import Entry
from crawler.days import Days
from crawler.extract.page import Page
from crawler.lists import WaybackList
from crawler.mementos import later, memento, original_of, taken_at
from crawler.middlewares.politeness import pace_of
from crawler.sources import load_source
from crawler.yamlfile import SettingsError
from spiders.wayback import WaybackWalk
from tests.server import Page as Answer
from tests.server import Server
from tests.story import Archive, Story, html_source, json_page, stories

SOURCE = """
id: harbour
name: Harbour
home: https://harbour.example/
language: en
timezone: Europe/London
example: https://harbour.example/a/1.html
politeness: {concurrency: 2}
lists:
  - {kind: wayback, prefix: [harbour.example/a/, 'news.harbour.example/*']%s}
key: {patterns: '/a/(\\d+)'}
"""
IN_MAY = Days(date(2024, 5, 10), date(2024, 5, 20))
URL = "https://web.archive.org/cdx/search/cdx?url=harbour.example/a/*"


def walk(folder: Path, more: str = "") -> WaybackWalk:
    path = folder / "harbour.yml"
    path.write_text(SOURCE % (f", {more}" if more else ""), "utf-8")
    source = load_source(path)
    (one,) = source.lists
    assert isinstance(one, WaybackList)
    return WaybackWalk(source, one, IN_MAY)


def page(value: Any, url: str = URL) -> Page:
    return Page(json.dumps(value).encode(), url)


HEAD = ["timestamp", "original"]


def test_a_search_for_each_prefix(tmp_path: Path) -> None:
    one, two = walk(tmp_path).starts(IN_MAY)
    assert one.startswith("https://web.archive.org/cdx/search/cdx?url=harbour.example/a/*&output=json&")
    assert "url=news.harbour.example/*&" in two
    asked = parse_qsl(urlsplit(Request(one).url).query)
    assert dict(asked)["from"] == "20240510"
    assert dict(asked)["to"] == "20240619"
    assert ("filter", "statuscode:200") in asked
    assert ("filter", "mimetype:text/html") in asked
    assert "to=20240521&" in walk(tmp_path, "late: ''").starts(IN_MAY)[0]


def test_what_an_answer_names(tmp_path: Path) -> None:
    rows = [
        HEAD,
        ["20240512083000", "http://harbour.example:80/a/1.html?b=2&a=1"],
        ["20240512083000", "https://harbour.example/about"],
        ["20240512083000", "https://harbour.example/2019/05/12/a/2.html"],
        ["20240512083000", "https://harbour.example/2024/05/12/a/3.html"],
        ["20240512", "https://harbour.example/a/4.html"],
        ["20241312083000", "https://harbour.example/a/4.html"],
        ["20240512083000", "dns:harbour.example"],
        ["20240512083000"],
    ]
    listing = walk(tmp_path).read(page(rows))
    capture = "https://web.archive.org/web/20240512083000id_/"
    one, three = "http://harbour.example/a/1.html?b=2&a=1", "https://harbour.example/2024/05/12/a/3.html"
    assert listing.entries == [
        Entry("1", {"url": one, "memento": capture + one}),
        Entry("3", {"url": three, "memento": capture + three}),
    ]
    assert (listing.left, len(listing.problems)) == (2, 4)
    assert listing.problems[0] == "no capture: ['20240512', 'https://harbour.example/a/4.html']"
    assert [entry.key for entry in walk(tmp_path, "links: '\\.html$'").read(page(rows)).entries] == ["3"]
    assert walk(tmp_path).read(page([])).entries == []


@pytest.mark.parametrize("answer", [{}, "x", [1], [["a"], [1]], [["a"], {}], None])
def test_what_is_no_answer(tmp_path: Path, answer: Any) -> None:
    with pytest.raises(ValueError, match="rows of captures were due"):
        walk(tmp_path).read(page(answer))
    assert walk(tmp_path).next(page(answer), 1) == ""


def test_where_an_answer_goes_on(tmp_path: Path) -> None:
    made = walk(tmp_path)
    row = ["20240512083000", "https://harbour.example/a/1.html"]
    key = "example%2Charbour%29%2Fa%2F1+20240512083000"
    following = made.next(page([HEAD, row, [], [key]]), 1)
    assert following == f"{URL}&resumeKey={key}"
    assert made.next(page([HEAD, row, [], ["a b)/c"]], following), 2) == f"{URL}&resumeKey=a%20b%29%2Fc"
    assert made.next(page([HEAD, row]), 1) == ""
    assert made.next(page([HEAD, row, []]), 1) == ""
    assert len(made.read(page([HEAD, row, [], [key]])).entries) == 1


json_values = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=20), st.sampled_from(["20240512083000", "http://["])),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(json_values)
def test_any_answer_is_read(tmp_path_factory: pytest.TempPathFactory, answer: Any) -> None:
    made = walk(tmp_path_factory.getbasetemp())
    try:
        listing = made.read(page(answer))
    except ValueError:
        return
    assert all(entry.key and taken_at(entry.hints["memento"]) for entry in listing.entries)


def test_addresses_of_captures() -> None:
    address = memento("https://web.archive.org/", "20240512083000", "http://harbour.example/a/1?b=https://x/web/1")
    assert address == "https://web.archive.org/web/20240512083000id_/http://harbour.example/a/1?b=https://x/web/1"
    assert original_of(address) == "http://harbour.example/a/1?b=https://x/web/1"
    assert taken_at(address) == datetime(2024, 5, 12, 8, 30, tzinfo=UTC)
    for other in (
        "https://harbour.example/a/1",
        "https://web.archive.org/web/20240512083000/https://harbour.example/a/1",
    ):
        assert (original_of(other), taken_at(other), later(other, 1)) == (other, None, other)
    assert [later(address, tries)[28:36] for tries in (0, 1, 2, 3, 9)] == [
        "20240512",
        "20240611",
        "20241108",
        "20250512",
        "20250512",
    ]
    assert later(address, 1).endswith("083000id_/http://harbour.example/a/1?b=https://x/web/1")


def test_a_service_is_asked_more_slowly(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected 1 second or more"):
        walk(tmp_path, "delay: 0.9")
    walk(tmp_path, "delay: 4")
    source = load_source(tmp_path / "harbour.yml")
    assert pace_of(source, "web.archive.org") == (4, 1)
    assert pace_of(source, "harbour.example") == (source.politeness.delay, source.politeness.concurrency)


SITE = "https://harbour.example"


def capture_of(server: Server, story: Story, timestamp: str = "20260309120000", **changes: Any) -> str:
    """Put the capture of a story into the archive, under its live address; its path."""
    path = f"/web/{timestamp}id_/{SITE}{story.path}"
    server.pages[path] = story.page(**changes)
    return path


def test_a_backfill_by_captures(server: Server, tmp_path: Path) -> None:
    """The site itself, of which nothing is left, is asked for nothing."""
    good, moved, other, gone, away, late = stories(6, start=3)
    capture_of(server, good)
    capture_of(server, moved, status=302, headers={"Location": capture_of(server, moved, "20260310000000")})
    capture_of(server, other, status=302, headers={"Location": capture_of(server, good, "20260311000000")})
    capture_of(server, away, status=302, headers={"Location": "/web/"})
    server.pages["/web/"] = Answer("<html><body><h1>The archive</h1><p>Search for pages.</p></body></html>")
    capture_of(server, late)
    one = {"kind": "wayback", "prefix": "harbour.example/a/", "service": server.address(), "delay": 0.01}
    example = f"{SITE}/a/100001.html"
    made = html_source(server, lists=[one], home=f"{SITE}/", example=example, politeness={"delay": 1})
    archive = Archive.new(tmp_path / "archive", made)
    source = load_source(archive.folder / "sources/harbour.yml")
    days = Days(date(2026, 3, 4), date(2026, 3, 8))
    (list_,) = source.lists
    assert isinstance(list_, WaybackList)
    (search,) = WaybackWalk(source, list_, days).starts(days)
    rows = [["20260309120000", f"{SITE}{story.path}"] for story in (good, moved, other, gone, away, late)]
    start = search.removeprefix(server.address())
    server.pages[start] = json_page([HEAD, *rows[:3], [], ["key+1"]])
    server.pages[f"{start}&resumeKey=key+1"] = json_page([HEAD, *rows[3:]])
    archive.crawl("harbour")
    assert server.asked == []
    archive.verb("backfill", "harbour", "--from", "2026-03-04", "--to", "2026-03-08", code=5)
    assert archive.states() == {
        good.key: "done",
        moved.key: "done",
        other.key: "refused",
        gone.key: "refused",
        away.key: "refused",
        late.key: "outside",
    }
    reasons = dict(archive.rows("select key, reason from articles where state = 'refused'"))
    assert reasons[other.key] == f"another article's page: it names {good.key}"
    assert reasons[gone.key] == "HTTP 404"
    assert reasons[away.key] == f"no capture: the archive leads to {server.address('/web/')}"
    assert f"{SITE}{moved.path}" in archive.post(moved.key)
    assert server.address() not in archive.post(moved.key)
    archive.proven()
