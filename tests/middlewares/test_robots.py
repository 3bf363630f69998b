"""robots.txt by RFC 9309, as crawls of a loopback server see it."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import Settings

from crawler.middlewares import robots
from crawler.middlewares.refusals import Postponed
from crawler.middlewares.robots import RobotsMiddleware, read_rules
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


MERGED = "User-agent: presskeep\nDisallow: /a\n\nUser-agent: x\nDisallow: /b\n\nuser-agent: PRESSKEEP\nDisallow: /c\n"


@pytest.mark.parametrize(
    ("body", "path", "allowed"),
    [
        # 2.2.1: groups for one agent are one group; a product token ends where its letters do
        (MERGED, "/a", False),
        (MERGED, "/b", True),
        (MERGED, "/c", False),
        ("User-agent: *\nDisallow: /a\nUser-agent: x\nDisallow: /b\nUser-agent: *\nDisallow: /c\n", "/c", False),
        ("User-agent: presskeep/1.0 (+https://x.example)\nDisallow: /a\n", "/a", False),
        ("User-agent: presskeep bot\nDisallow: /a\n", "/a", False),
        ("User-agent: presskeeper\nDisallow: /a\n", "/a", True),
        ("User-agent: *bot\nDisallow: /\n", "/a", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: presskeep\nDisallow:\n", "/a", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: presskeep\n", "/a", True),
        ("Disallow: /a\nUser-agent: presskeep\nDisallow: /b\n", "/a", True),
        # 2.2.2: the most octets win, of equals the one that allows
        ("User-agent: *\nAllow: /example/page/\nDisallow: /example/page/no.gif\n", "/example/page/no.gif", False),
        ("User-agent: *\nAllow: /example/page/\nDisallow: /example/page/no.gif\n", "/example/page/1.gif", True),
        ("User-agent: *\nDisallow: /page\nAllow: /page\n", "/page", True),
        ("User-agent: *\nDisallow: /*.gif\nAllow: /publications/\n", "/publications/a.gif", True),
        ("User-agent: *\nDisallow: /A\n", "/a", True),
        ("User-agent: *\nDisallow: /*?\n", "/a?x=1", False),
        ("User-agent: *\nDisallow: /\n", "/robots.txt", True),
        ("User-agent: *\nDisallow: /\n", "", False),
        # 2.2.2: equal octets, however they are written; what stands for itself is no delimiter
        ("User-agent: *\nDisallow: /foo/bar/ツ\n", "/foo/bar/%E3%83%84", False),
        ("User-agent: *\nDisallow: /foo/bar/%e3%83%84\n", "/foo/bar/ツ", False),
        ("User-agent: *\nDisallow: /foo/bar/%62%61%7A\n", "/foo/bar/baz", False),
        ("User-agent: *\nDisallow: /foo/bar/baz\n", "/foo/bar/%62%61%7A", False),
        ("User-agent: *\nDisallow: /foo?u=http://foo.bar\n", "/foo?u=http%3A%2F%2Ffoo.bar", True),
        ("User-agent: *\nDisallow: /a/b\n", "/a%2Fb", True),
        # 2.2.3: * and $, and their escaped forms
        ("User-agent: *\nDisallow: /a*b\n", "/axxb/c", False),
        ("User-agent: *\nDisallow: *.gif\n", "/x.gif", False),
        ("User-agent: *\nDisallow: /**/x\n", "/q/x", False),
        ("User-agent: *\nDisallow: /a.php$\n", "/a.php", False),
        ("User-agent: *\nDisallow: /a.php$\n", "/a.php?x", True),
        ("User-agent: *\nAllow: /$\nDisallow: /\n", "/", True),
        ("User-agent: *\nAllow: /$\nDisallow: /\n", "/x", False),
        ("User-agent: *\nDisallow: /file-%2A.html\n", "/file-*.html", False),
        ("User-agent: *\nDisallow: /file-%2A.html\n", "/file-xyz.html", True),
        ("User-agent: *\nDisallow: /foo-%24\n", "/foo-$", False),
        # 2.2.4: other records neither end a group nor a row of agents
        ("User-agent: presskeep\nSitemap: https://d.example/s\nUser-agent: x\nDisallow: /a\n", "/a", False),
        ("User-agent: presskeep\nCrawl-delay: 5\n\nUser-agent: x\nDisallow: /a\n", "/a", False),
        ("User-agent: presskeep\nNoindex: /x\nUser-agent: x\nDisallow: /a\n", "/a", False),
        ("User-agent: presskeep\nDisallow: /a\nFoo: bar\nDisallow: /b\n", "/b", False),
        ("User-agent: presskeep\n\n\nDisallow: /a # no\n\nDisallow: /b\n", "/b", False),
    ],
)
def test_rfc_9309(body: str, path: str, allowed: bool) -> None:
    assert read_rules(200, body.encode(), AGENT).allows(f"https://daily.example{path}", AGENT) is allowed


def test_a_crawl_delay_among_the_agents_is_the_groups() -> None:
    told = "User-agent: presskeep\nCrawl-delay: 7\nDisallow: /a\n\nUser-agent: *\nCrawl-delay: 9\n"
    assert read_rules(200, told.encode(), AGENT).delay(AGENT) == 7.0


def test_it_is_asked_again_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it could not be had; not before (section 2.4)."""
    now, asked = [100.0], []
    answers = [Response("https://daily.example/robots.txt", status=503), Response("https://daily.example/robots.txt")]

    async def answer(request: Request) -> Response:
        asked.append(request.url)
        return answers[len(asked) - 1]

    crawler: Any = SimpleNamespace(
        settings=Settings({"ROBOTSTXT_USER_AGENT": AGENT}), engine=SimpleNamespace(download_async=answer), spider=None
    )
    monkeypatch.setattr(robots, "monotonic", lambda: now[0])

    async def story() -> None:
        middleware = RobotsMiddleware(crawler)
        for now[0] in (100.0, 86_000.0):
            with pytest.raises(Postponed, match="HTTP 503"):
                await middleware.process_request(Request(OPEN))
        assert len(asked) == 1
        now[0] = 86_500.0
        await middleware.process_request(Request(OPEN))
        assert len(asked) == 2

    asyncio.run(story())


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
