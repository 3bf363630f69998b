"""Hosts that rest: Retry-After in both forms, the breaker, and what later runs are told."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest
from scrapy.http import Response

from crawler.archive.ledger import stamp
from crawler.middlewares.rests import retry_after
from tests.server import Page, Server
from tests.story import Archive, html_source, publish, run, stories

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def answer(status: int, said: str, **headers: str) -> Response:
    return Response("https://daily.example/", status=status, headers={"Retry-After": said, **headers})


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (429, "4", 4.0),
        (503, " 120 ", 120.0),
        (403, "60", 60.0),
        (200, "60", None),
        (500, "60", None),
        (503, "", None),
        (503, "soon", None),
        (503, "-5", None),
        (503, "9" * 400, 86400.0),
        (503, "Mon, 02 Mar 2026 08:01:30 GMT", 90.0),
        (503, "Monday, 02-Mar-26 08:01:30 GMT", 90.0),
        (503, "Mon, 02 Mar 2026 07:00:00 GMT", 0.0),
        (503, "Mon, 02 Mar 2099 08:00:00 GMT", 86400.0),
    ],
)
def test_retry_after(status: int, said: str, seconds: float | None) -> None:
    assert retry_after(answer(status, said), NOW) == seconds


def test_a_date_counts_from_the_servers_own_clock() -> None:
    said = format_datetime(NOW + timedelta(days=300, seconds=30), usegmt=True)
    theirs = format_datetime(NOW + timedelta(days=300), usegmt=True)
    assert retry_after(answer(503, said, Date=theirs), NOW) == 30.0


class Once(dict[str, Page]):
    """Pages of which one answers otherwise the first time it is asked for."""

    def __init__(self, pages: dict[str, Page], path: str, first: Page) -> None:
        super().__init__(pages)
        self.path, self.first = path, [first]

    def get(self, path: str, default: object = None) -> Page | None:  # type: ignore[override]
        if path == self.path and self.first:
            return self.first.pop()
        return super().get(path)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_short_rest_is_waited_for(server: Server, tmp_path: Path, form: str) -> None:
    """The whole host waits, another one goes on meanwhile, and the address is asked again."""
    publish(server, stories(4))
    publish(server, stories(4, "b", 11), "/other")
    elsewhere = html_source(server, "elsewhere", "/other")
    elsewhere["lists"][0]["urls"] = server.address("/other", "localhost")
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    end = monotonic() + 8 if form == "date" else 0.0
    later = Page("later", status=429, headers={"Retry-After": "2" if form == "seconds" else until})
    server.pages = Once(server.pages, "/a/100002.html", later)
    archive = Archive.new(tmp_path / "archive", html_source(server), elsewhere)
    archive.crawl()
    assert set(archive.states().values()) == {"done"}
    here = [one for one in server.asked if one.host == "127.0.0.1"]
    (first, _) = [place for place, one in enumerate(here) if one.path == "/a/100002.html"]
    assert here[first + 1].at >= (end or here[first].at + 1.9)
    there = [one for one in server.asked if one.host == "localhost"]
    assert len(there) >= 6
    assert all(one.at < here[first + 1].at for one in there)


def test_a_long_rest_is_left_to_a_later_run(server: Server, tmp_path: Path) -> None:
    publish(server, stories(6))
    server.pages["/a/100003.html"] = Page("later", status=503, headers={"Retry-After": "3600"})
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    states = archive.states()
    assert sorted(states.values()) == ["done"] * 2 + ["queued"] * 4
    assert server.paths("/a/").count("/a/100003.html") == 1
    assert archive.rows("select sum(tries) from articles") == [(0,)]
    told = archive.report("harbour")
    assert (told["refused"], told["failed_lists"], told["waiting"]) == (0, 0, 4)
    assert "rests until" in archive.problems("harbour")[server.address("/a/100003.html")]

    # the next run leaves the host alone, and says so; it is no fault
    server.forget()
    archive.crawl()
    assert server.asked == []
    told = archive.report("harbour")
    assert (told["resting_lists"], told["failed_lists"], told["waiting"]) == (1, 0, 4)
    assert "Retry-After 3600 s" in archive.problems("harbour")[server.address("/list")]

    # once the rest is over all is asked, and an answer wipes the note
    server.pages["/a/100003.html"] = stories(3)[2].page()
    archive.rows("update hosts set rest_until = ?", stamp(datetime.now(UTC) - timedelta(seconds=1)))
    archive.crawl()
    assert set(archive.states().values()) == {"done"}
    assert archive.rows("select * from hosts") == []
    archive.proven()


def test_a_rest_is_never_longer_than_a_day(server: Server, tmp_path: Path) -> None:
    """What a clock that was wrong once left behind is cut when it is read; some seconds are waited for."""
    publish(server, stories(1))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    far = stamp(datetime.now(UTC) + timedelta(days=900))
    archive.rows("insert into hosts values ('127.0.0.1', ?, 'HTTP 429', 0)", far)
    archive.crawl()
    tomorrow = stamp(datetime.now(UTC) + timedelta(days=1, minutes=1))
    (told,) = archive.problems("harbour").values()
    assert told.split()[4] < tomorrow < far
    server.forget()
    soon = datetime.now(UTC) + timedelta(seconds=3)
    archive.rows("update hosts set rest_until = ?", stamp(soon))
    archive.crawl()
    assert server.paths() == ["/list"]
    assert datetime.now(UTC) >= soon.replace(microsecond=0)


def test_the_breaker(server: Server, tmp_path: Path) -> None:
    publish(server, stories(12))
    for number in range(1, 13):
        server.pages[f"/a/{100000 + number}.html"] = Page("broken", status=500)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl(code=4)
    assert len(set(server.paths("/a/"))) < 9
    assert set(archive.states().values()) == {"queued", "refused"}
    assert list(archive.states().values()).count("refused") <= 6
    ((host, reason, failures),) = archive.rows("select host, reason, failures from hosts")
    assert (host, failures) == ("127.0.0.1", 1)
    assert "5 failures in a row" in reason
    assert _gap(archive) == pytest.approx(600, abs=30)

    # closed for a while; then tried again, and closed for longer
    server.forget()
    archive.crawl(code=4)
    assert server.asked == []
    past = stamp(datetime.now(UTC) - timedelta(seconds=1))
    archive.rows("update hosts set rest_until = ?", past)
    for path, page in server.pages.items():
        server.pages[path] = Page(page.body, status=500)
    lists = [server.address(f"/list?{number}") for number in range(8)]
    server.pages |= {f"/list?{number}": Page("broken", status=500) for number in range(8)}
    source = html_source(server)
    source["lists"][0]["urls"] = lists
    archive.add(source)
    archive.crawl(code=4)
    assert archive.rows("select failures from hosts") == [(2,)]
    assert _gap(archive) == pytest.approx(3600, abs=30)

    # one answer opens it
    publish(server, stories(12))
    server.pages |= {one.path: one.page() for one in stories(12)}
    archive.add(html_source(server))
    archive.rows("update hosts set rest_until = ?", past)
    archive.rows("update articles set due = '' , state = 'queued'")
    archive.crawl()
    assert archive.rows("select * from hosts") == []
    assert set(archive.states().values()) == {"done"}


def _gap(archive: Archive) -> float:
    ((until,),) = archive.rows("select rest_until from hosts")
    return (datetime.fromisoformat(until) - datetime.now(UTC)).total_seconds()


class Busy(dict[str, Page]):
    """A site that answers its first so many requests for articles with a status, or all for one address."""

    def __init__(self, pages: dict[str, Page], status: int, times: int = 0, path: str = "") -> None:
        super().__init__(pages)
        self.page, self.times, self.path = Page("busy", status=status), times, path

    def get(self, path: str, default: object = None) -> Page | None:  # type: ignore[override]
        if path.startswith("/a/1") and (self.times > 0 or path == self.path):
            self.times -= 1
            return self.page
        return super().get(path)


def crawl_with_rests(archive: Archive, *seconds: float, code: int = 0) -> None:
    """A visit in which a busy host rests for so long."""
    script = (
        "from pathlib import Path\n"
        "from crawler.budget import Budget\n"
        "from crawler.commands.run import visit\n"
        "from crawler.middlewares import rests\n"
        f"rests._RESTS = {seconds}\n"
        f"raise SystemExit(visit(Path({str(archive.folder)!r}), (), False, Budget(), False, {{}}))"
    )
    done = run([sys.executable, "-c", script], archive.folder)
    assert done.returncode == code, done.stderr


def test_a_busy_host_that_does_not_say_for_how_long(server: Server, tmp_path: Path) -> None:
    """It rests as a whole, longer each time; what was asked for is asked again."""
    publish(server, stories(4))
    server.pages = Busy(server.pages, 503, times=3)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    crawl_with_rests(archive, 0.5, 1.0, 1.5)
    assert set(archive.states().values()) == {"done"}
    articles = [one.at for one in server.asked if one.path.startswith("/a/1")]
    gaps = [later - sooner for sooner, later in pairwise(articles[:4])]
    assert all(gap >= least for gap, least in zip(gaps, (0.49, 0.99, 1.49), strict=True)), gaps
    assert len(articles) == 7
    assert archive.rows("select * from hosts") == []
    assert archive.report("harbour")["refused"] == 0


def test_a_host_that_stays_busy_is_closed(server: Server, tmp_path: Path) -> None:
    publish(server, stories(12))
    server.pages = Busy(server.pages, 429, times=1000)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    crawl_with_rests(archive, 0.1, 0.1, 0.1, code=4)
    assert len(server.paths("/a/1")) <= 8
    assert list(archive.states().values()).count("queued") >= 10
    ((reason, failures),) = archive.rows("select reason, failures from hosts")
    assert failures == 1
    assert reason.startswith("HTTP 429, no Retry-After, ")
    assert _gap(archive) == pytest.approx(600, abs=30)

    server.forget()
    crawl_with_rests(archive, 0.1, 0.1, 0.1, code=4)
    assert server.asked == []
    archive.rows("update hosts set rest_until = ?", stamp(datetime.now(UTC) - timedelta(seconds=1)))
    server.pages["/list"] = server.pages["/list?again"] = Page("busy", status=429)
    source = html_source(server)
    source["lists"][0]["urls"] = [server.address("/list"), server.address("/list?again")]
    archive.add(source)
    crawl_with_rests(archive, 0.1, 0.1, 0.1, code=4)
    assert archive.rows("select failures from hosts") == [(2,)]
    assert _gap(archive) == pytest.approx(3600, abs=30)


def test_one_busy_address_closes_no_host(server: Server, tmp_path: Path) -> None:
    publish(server, stories(8))
    server.pages = Busy(server.pages, 503, path="/a/100003.html")
    archive = Archive.new(tmp_path / "archive", html_source(server))
    crawl_with_rests(archive, 0.1, 0.1, 0.1)
    assert server.paths("/a/").count("/a/100003.html") == 4
    assert archive.states() == {one.key: "refused" if one.key == "100003" else "done" for one in stories(8)}
    assert archive.rows("select * from hosts where failures > 0") == []


def test_failures_between_answers_close_nothing(server: Server, tmp_path: Path) -> None:
    publish(server, stories(12))
    for number in range(2, 13, 2):
        server.pages[f"/a/{100000 + number}.html"] = Page("broken", status=500)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    assert sorted(archive.states().values()) == ["done"] * 6 + ["refused"] * 6
    assert archive.rows("select * from hosts") == []
