"""robots.txt by RFC 9309, as crawls of a loopback server see it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from crawler.middlewares.robots import read_rules
from tests.server import Page, Server
from tests.story import Archive, html_source, publish, stories

AGENT = "presskeep"
FORBIDDEN = "https://daily.example/private/1.html"
OPEN = "https://daily.example/a/1.html"


@pytest.mark.parametrize(
    ("body", "private", "rest"),
    [
        (b"User-agent: *\nDisallow: /private/\n", False, True),
        (b"\xef\xbb\xbfUser-agent: *\nDisallow: /private/\n", False, True),
        (b"User-agent: *\r\nDisallow: /private/\r\n", False, True),
        (b"User-agent: *\rDisallow: /private/\r", False, True),
        (b"uSER-aGENT : PressKeep # us\n dISALLOW:/private/ # no\n", False, True),
        (b"User-agent: presskeep/2.1\nDisallow: /private/\n", False, True),
        (b"User-agent: press\nDisallow: /\n\nUser-agent: *\nDisallow: /private/\n", False, True),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: presskeep\nDisallow: /private/\n", False, True),
        (b"User-agent: other\nUser-agent: presskeep\nDisallow: /private/\n\nUser-agent: *\nDisallow: /\n", False, True),
        (b"User-agent: *\nDisallow: /*/1.html$\nAllow: /a/1.html$\n", False, True),
        (b"User-agent: *\nDisallow: /p\nAllow: /private\n", True, True),
        (b"User-agent: *\nDisallow:\n", True, True),
        (b"Disallow: /\n", True, True),
        (b"", True, True),
        (b"<!DOCTYPE html><pre>\nUser-agent: *\nDisallow: /\n</pre>", True, True),
        (b"\xff\xfe\x00 nothing of the kind", True, True),
        (b"User-agent: *\nDisallow: /private/\n" + b"#" * 99 + b"\n" * 600_000 + b"Disallow: /a/\n", False, True),
        (b"User-agent: *\n" + b"#" * (500 * 1024 - 14 - 12) + b"\nDisallow: /a/old/\n", True, True),
    ],
)
def test_rules(body: bytes, private: bool, rest: bool) -> None:
    rules = read_rules(200, body, AGENT)
    assert (rules.allows(FORBIDDEN, AGENT), rules.allows(OPEN, AGENT)) == (private, rest)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_what_does_not_exist_allows_everything(status: int) -> None:
    assert read_rules(status, b"User-agent: *\nDisallow: /", AGENT).allows(OPEN, AGENT)


@pytest.mark.parametrize("status", [304, 429, 500, 502, 503, 599, 700])
def test_what_cannot_be_had_disallows_everything(status: int) -> None:
    rules = read_rules(status, b"User-agent: *\nDisallow:", AGENT)
    assert not rules.allows(OPEN, AGENT)
    assert rules.unreachable == f"HTTP {status}"


@pytest.mark.parametrize(("said", "kept"), [("2", 2.0), ("0.5", 0.5), ("86400", 300.0), ("-3", 0.0), ("soon", 0.0)])
def test_crawl_delay(said: str, kept: float) -> None:
    assert read_rules(200, f"User-agent: *\nCrawl-delay: {said}\n".encode(), AGENT).delay(AGENT) == kept


def crawled(server: Server, folder: Path, code: int = 0, **changes: Any) -> Archive:
    publish(server, stories(3))
    archive = Archive.new(folder / "archive", html_source(server, **changes))
    archive.crawl(code=code)
    return archive


@pytest.mark.parametrize("fault", ["drop", "cut"])
def test_a_robots_txt_that_breaks_off(server: Server, tmp_path: Path, fault: Any) -> None:
    server.pages["/robots.txt"] = Page("User-agent: *\nDisallow:\n", fault=fault)
    archive = crawled(server, tmp_path, code=3)
    assert server.paths() == []
    assert "robots: unreachable" in archive.problems("harbour")[server.address("/list")]


def test_articles_behind_an_unreachable_robots_txt_stay_queued(server: Server, tmp_path: Path) -> None:
    archive = crawled(server, tmp_path)
    server.pages["/robots.txt"] = Page("down", status=503)
    archive.rows("update articles set state = 'queued' where key = '100001'")
    server.forget()
    archive.crawl(code=3)
    assert server.paths() == []
    assert archive.rows("select state, tries, reason from articles where key = '100001'") == [("queued", 0, "")]
    reasons = archive.problems("harbour")
    for path in ("/list", "/a/100001.html"):
        assert reasons[server.address(path)] == "robots: unreachable (HTTP 503)"


def test_redirects_are_followed_five_times_and_no_more(server: Server, tmp_path: Path) -> None:
    for number in range(5):
        here = "/robots.txt" if number == 0 else f"/r{number}"
        server.pages[here] = Page(status=302, headers={"Location": f"/r{number + 1}"})
    server.pages["/r5"] = Page("User-agent: *\nDisallow: /a/100002\n", kind="text/plain")
    archive = crawled(server, tmp_path)
    assert archive.states() == {"100001": "done", "100002": "refused", "100003": "done"}
    assert "robots" in archive.problems("harbour")[server.address("/a/100002.html")]

    server.pages["/r5"] = Page(status=302, headers={"Location": "/r6"})
    server.forget()
    archive.crawl(code=3)
    assert "too many redirects" in archive.problems("harbour")[server.address("/list")]
    assert server.paths() == [f"/r{number}" for number in range(1, 6)]


def test_it_is_asked_once_a_run_and_not_captured(server: Server, tmp_path: Path) -> None:
    server.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /private/\n", kind="text/plain", wait=0.2)
    publish(server, stories(3))
    lists = html_source(server)["lists"]
    lists[0]["urls"] = [server.address(f"/list?{number}") for number in range(4)]
    server.pages |= {f"/list?{number}": server.pages["/list"] for number in range(4)}
    polite = {"delay": 0.01, "concurrency": 8}
    archive = crawled(server, tmp_path, lists=lists, politeness=polite)
    assert [one.path for one in server.asked].count("/robots.txt") == 1
    assert server.asked[0].path == "/robots.txt"
    assert not [url for url in archive.captured() if url.endswith("robots.txt")]


def test_crawl_delay_slows_the_host_down(server: Server, tmp_path: Path) -> None:
    server.pages["/robots.txt"] = Page("User-agent: *\nCrawl-delay: 0.6\n", kind="text/plain")
    crawled(server, tmp_path)
    times = [one.at for one in server.asked]
    assert all(later - sooner >= 0.59 for sooner, later in pairwise(times[1:]))
