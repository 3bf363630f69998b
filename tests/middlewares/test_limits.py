"""How much a site can make us wait, unpack and walk."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest

from tests.peak import peak_of
from tests.server import Page, Server
from tests.story import ENVIRONMENT, PRESSKEEP, SCRAPY, Archive, Story, html_source, list_page, publish, run, stories

_MB = 1024 * 1024


@pytest.mark.parametrize("packing", ["gzip", "br"])
def test_a_page_that_unpacks_beyond_the_limit(server: Server, tmp_path: Path, packing: str) -> None:
    publish(server, stories(2))
    zeros = bytes(300 * _MB)
    body = gzip.compress(zeros, 1, mtime=0) if packing == "gzip" else brotli.compress(zeros, quality=1)
    del zeros
    server.pages["/a/100001.html"] = Page(body, headers={"Content-Encoding": packing}, validators=False)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    words = ["crawl", "--archive", str(archive.folder)]
    code, peak = peak_of([*PRESSKEEP, *words], ENVIRONMENT)
    assert code == 0
    assert peak < 600 * 1024
    assert archive.states() == {"100001": "refused", "100002": "done"}


def test_a_page_that_drips_ends(server: Server, tmp_path: Path) -> None:
    """Bytes keep coming, so that nothing idles; the deadline is for the whole answer."""
    publish(server, stories(2))
    server.pages["/a/100001.html"].fault = "drip"
    archive = Archive.new(tmp_path / "archive", html_source(server))
    begun = time.monotonic()
    done = run(
        [*SCRAPY, "crawl", "harbour", "-s", "DOWNLOAD_TIMEOUT=2", "-s", "RETRY_TIMES=0"],
        archive.folder,
        SCRAPY_SETTINGS_MODULE="crawler.settings",
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 20
    assert archive.states() == {"100001": "refused", "100002": "done"}
    assert "timed out" in archive.problems("harbour")[server.address("/a/100001.html")]


@contextmanager
def never_ready(*begin: bytes) -> Iterator[str]:
    """Host and port of a server that begins to answer, and adds a byte now and then, for ever."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with suppress(OSError):
                while not ended.is_set():
                    there, _ = listening.accept()
                    threading.Thread(target=drip, args=(there,), daemon=True).start()

        def drip(there: socket.socket) -> None:
            with there, suppress(OSError):
                for one in begin:
                    there.sendall(one)
                while not ended.wait(0.2):
                    if begin:
                        there.sendall(b"x")

        threading.Thread(target=answer, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        ended.set()


def test_headers_that_drip_and_a_handshake_that_never_ends(server: Server, tmp_path: Path) -> None:
    """The deadline, which a source may set, is for the whole answer, not for its body alone."""
    publish(server, stories(2))
    with never_ready(b"HTTP/1.1 200 OK\r\nX: ") as slow, never_ready() as mute:
        archive = Archive.new(tmp_path / "archive", html_source(server))
        for name, home in {"slow": f"http://{slow}/", "mute": f"https://{mute}/"}.items():
            source = html_source(server, name, home=home, politeness={"delay": 0.01, "timeout": 1})
            source["lists"][0]["urls"] = f"{home}list"
            archive.add(source)
        begun = time.monotonic()
        archive.crawl(code=3)
        assert time.monotonic() - begun < 25, "not the thirty seconds of a source that says nothing"
    assert set(archive.states().values()) == {"done"}
    for name in ("slow", "mute"):
        (reason,) = archive.problems(name).values()
        assert "took longer than 1.0 seconds" in reason


def _endless(server: Server, pages: int, session: bool = False) -> dict[str, Any]:
    """A list whose every page names the same articles and a further page."""
    shown = stories(3)
    publish(server, shown)
    for number in range(1, pages):
        here = "/list" if number == 1 else f"/list?p={number}"
        server.pages[here] = list_page(shown, f"/list?p={number + 1}")
    source = html_source(server)
    source["lists"][0]["pages"] = {"next": "a[rel=next]::attr(href)", "depth": 40}
    if session:
        server.pages["/list"] = list_page(shown, "/list;jsessionid=A1B2C3?PHPSESSID=abcdef")
    return source


def test_endless_pages_end_by_what_they_yield(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", _endless(server, 40))
    archive.crawl()
    assert server.paths("/list") == ["/list", "/list?p=2"]

    # an interrupted walk passes pages it knows, but not for ever
    server.forget()
    archive.rows("insert into walks values (?)", server.address("/list"))
    archive.crawl()
    assert server.paths("/list") == ["/list", "/list?p=2", "/list?p=3", "/list?p=4"]
    assert archive.rows("select * from walks") == []


def test_an_interrupted_walk_goes_past_known_pages(server: Server, tmp_path: Path) -> None:
    """Each names other articles, all of them known: that is no trap."""
    publish(server, shown := stories(12), size=2)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    for one in shown[10:]:
        archive.rows("delete from articles where key = ?", one.key)
    archive.rows("insert into walks values (?)", server.address("/list"))
    archive.crawl()
    assert set(archive.states()) == {one.key for one in shown}


def _calendar(server: Server, shown: list[Story], months: int) -> dict[str, Any]:
    """A list whose next link leads from month to month, for ever; only the first months hold anything."""
    publish(server, shown)
    for month in range(months):
        here = f"/list?month={month}" if month else "/list"
        server.pages[here] = list_page(shown[month * 2 : month * 2 + 2], f"/list?month={month + 1}")
    source = html_source(server)
    source["lists"][0]["pages"] = {"next": "a[rel=next]::attr(href)", "depth": 40}
    return source


def test_a_calendar_of_empty_months(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", _calendar(server, shown := stories(4), 30))
    archive.crawl()
    assert archive.states() == {one.key: "done" for one in shown}
    assert server.paths("/list") == ["/list", "/list?month=1", "/list?month=2"], "the first empty month ends it"


def test_pages_that_invent_something_new_for_ever(server: Server, tmp_path: Path) -> None:
    """Each page yields, so the depth alone ends the walk."""
    source = _calendar(server, stories(40), 20)
    source["lists"][0]["pages"]["depth"] = 4
    archive = Archive.new(tmp_path / "archive", source)
    archive.crawl()
    assert len(server.paths("/list")) == 4
    assert len(archive.posts()) == 8


def test_a_next_page_with_another_session_in_every_link(server: Server, tmp_path: Path) -> None:
    """The address grows a new session id each time it is asked; it is one page."""
    shown = stories(3)
    publish(server, shown)

    class Sessions(dict[str, Page]):
        def get(self, path: str, default: Any = None) -> Any:
            if path.startswith("/list"):
                return list_page(shown, f"/list;jsessionid={len(server.asked):032X}?p=2&PHPSESSID=x{len(server.asked)}")
            return super().get(path)

    server.pages = Sessions(server.pages)
    source = html_source(server)
    source["lists"][0]["pages"] = {"next": "a[rel=next]::attr(href)", "depth": 40}
    archive = Archive.new(tmp_path / "archive", source)
    archive.crawl()
    assert len(server.paths("/list")) == 2
    archive.rows("insert into walks values (?)", server.address("/list"))  # as if it had been interrupted
    server.forget()
    archive.crawl()
    assert len(server.paths("/list")) == 2


def test_a_next_page_that_differs_by_its_session_alone(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", _endless(server, 2, session=True))
    archive.crawl()
    assert server.paths("/list") == ["/list"]
