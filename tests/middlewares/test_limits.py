"""How much a site can make us wait, unpack and walk."""

from __future__ import annotations

import gzip
import resource
import time
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest

from tests.server import Page, Server
from tests.story import SCRAPY, Archive, html_source, list_page, publish, run, stories

_MB = 1024 * 1024


@pytest.mark.parametrize("packing", ["gzip", "br"])
def test_a_page_that_unpacks_beyond_the_limit(server: Server, tmp_path: Path, packing: str) -> None:
    publish(server, stories(2))
    zeros = bytes(300 * _MB)
    body = gzip.compress(zeros, 1, mtime=0) if packing == "gzip" else brotli.compress(zeros, quality=1)
    del zeros
    server.pages["/a/100001.html"] = Page(body, headers={"Content-Encoding": packing}, validators=False)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    assert archive.states() == {"100001": "refused", "100002": "done"}
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 600 * 1024


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


def test_a_next_page_that_differs_by_its_session_alone(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", _endless(server, 2, session=True))
    archive.crawl()
    assert server.paths("/list") == ["/list"]
