"""WARC files as a source: what belongs to sources becomes posts, once, in order, wherever a run is killed."""

from __future__ import annotations

import gzip
import json
import os
import signal
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import brotli  # type: ignore[import-untyped]
import pytest

from crawler import download, warcs
from crawler.archive.captures import Response, payload_digest, read_segment, record_bytes
from crawler.archive.ledger import Entry, Ledger, Row
from crawler.archive.post import read_post
from crawler.assemble import Assembler
from crawler.days import Days
from crawler.download import Download
from crawler.extract.text import plain
from crawler.items import Article
from crawler.received import Received, article_of
from crawler.report import INTERRUPTED, Report
from crawler.run import Run
from crawler.site import load_site
from crawler.sources import load_source
from crawler.warcs import fill
from tests.server import Page, Server
from tests.story import Archive, Story, html_source, json_source, record, stories
from tests.test_generic import PROMO, news, told, unruled


class Elsewhere:
    """Addresses of a site that no test asks."""

    def address(self, path: str = "", host: str = "gazette.example") -> str:
        """As the loopback server has it."""
        return f"https://{host}{path}"


SITE = cast(Server, Elsewhere())


def answer(path: str, page: Page, *headers: tuple[str, str], day: str = "2026-03-30", status: int = 200) -> bytes:
    """A record."""
    told = (("Content-Type", page.kind), ("ETag", page.etag), *headers)
    one = Response(SITE.address(path), status, told, page.data, f"{day}T00:00:00Z", {})
    return record_bytes(one, payload_digest(one.payload))


def told_by(shown: Sequence[Story]) -> list[bytes]:
    return [answer(one.path, one.page()) for one in shown]


def warc(folder: Path, *records: bytes, name: str = "news.warc.gz") -> Path:
    path = folder / name
    path.write_bytes(b"".join(records))
    return path


def made(folder: Path, *sources: dict[str, Any]) -> Archive:
    sources = sources or (html_source(SITE),)
    return Archive.new(folder, *({**one, "politeness": {"delay": 1}} for one in sources))


def filled(archive: Archive, *files: Path | str, days: Days | None = None, jobs: int = 1, **more: Any) -> Report:
    paths = sorted((archive.folder / "sources").glob("*.yml"))
    sources = [load_source(path) for path in paths]
    return fill(archive.folder, load_site(archive.folder), sources, files, days, jobs, **more)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return made(tmp_path / "archive")


def test_what_belongs_to_a_source_becomes_posts(archive: Archive, tmp_path: Path) -> None:
    shown = stories(3)
    others = [
        answer("/list", Page("<p>a list</p>")),
        answer("/a/100009.html", Page("gone", status=404), status=404),
        answer("/a/100008.html", Page("\x00picture", kind="image/png")),
        record_bytes(Response("https://else.example/a/100007.html", 200, (), b"x", "2026-03-30T00:00:00Z", {}), "x"),
    ]
    file = warc(tmp_path, others[0], *told_by(shown), *others[1:], answer("/a/100006.html", Page("<p>no article</p>")))
    lines: list[str] = []
    report = filled(archive, file, tell=lines.append)
    assert report.exit_code == 0
    one = report.of("harbour")
    assert (one.listed, one.fetched, one.new, one.kept, one.refused) == (4, 4, 3, 3, 1)
    assert set(archive.states().items()) == {(story.key, "done") for story in shown}, "a bad capture makes no row"
    for story in shown:
        post = read_post(archive.post(story.key).encode())
        assert (post.title, post.fields["attribution"]) == (story.headline, story.outlet)
        assert post.link == SITE.address(story.path)
    told = f"{file}: 8 records, 4 pages, 3 kept, 0 known, 0 outside, 1 refused, 0 faults"
    assert lines == [told]
    assert archive.captured() == [SITE.address(story.path) for story in shown]
    hints = archive.rows("select hints, since != '', check_due from articles")
    assert hints == [(json.dumps({"url": SITE.address(story.path)}), 1, "") for story in shown]
    archive.proven()
    before = archive.tree()
    (archive.state / "ledger.sqlite").unlink()
    archive.verb("rebuild-ledger")
    archive.proven()
    after = archive.tree()
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    # the captures say when their pages were asked for, not when they became posts
    assert all(name.startswith("_data/facts/") for name in changed)


def test_captures_may_stay_where_they_are(archive: Archive, tmp_path: Path) -> None:
    filled(archive, warc(tmp_path, *told_by(stories(2))), captures=False)
    assert (len(archive.posts()), archive.captured()) == (2, [])


def test_of_several_captures_the_first_good_one_counts(archive: Archive, tmp_path: Path) -> None:
    (story,) = stories(1)
    wall = Page(story.page().data.decode().replace(story.text, "<p>short</p>"))
    later = Story(1, body="<p>一周之后，同一艘渡轮因为大雾停航半天，乘客改走陆路，码头方面为此表示歉意。</p>")
    first = warc(tmp_path, answer(story.path, wall), answer(story.path, story.page()), name="1.warc.gz")
    second = warc(tmp_path, answer(story.path, later.page()), name="2.warc.gz")
    report = filled(archive, first, second)
    assert "风浪不大" in archive.post(story.key)
    assert (report.of("harbour").kept, report.of("harbour").refused) == (1, 1)


def test_only_the_days_that_are_wanted(archive: Archive, tmp_path: Path) -> None:
    shown = stories(8)
    early = answer("/a/100099.html", Story(99).page(), day="2026-02-27")
    file, lines = warc(tmp_path, early, *told_by(shown)), list[str]()
    days = Days(date(2026, 3, 4), date(2026, 3, 6))
    filled(archive, file, days=days, tell=lines.append)
    assert set(archive.states()) == {one.key for one in shown if "2026-03-04" <= one.printed[:10] <= "2026-03-06"}
    assert "9 records, 9 pages, 3 kept, 0 known, 6 outside" in lines[-1]
    filled(archive, file, days=Days(date(2026, 3, 1), date(2026, 3, 6)), tell=lines.append)
    assert "9 records, 9 pages, 2 kept, 3 known, 4 outside" in lines[-1], "other days: the file is read again"


def test_what_a_list_said_counts_and_what_waited_is_done(archive: Archive, tmp_path: Path) -> None:
    story = stories(1)[0]
    hints = {"url": SITE.address("/listed/100001.html"), "title": "x"}
    filled(archive)
    ledger = Ledger(archive.state / "ledger.sqlite")
    ledger.discover(
        "harbour", "harbour", [Entry(story.key, hints), Entry("100007", hints)], datetime(2026, 3, 30, tzinfo=UTC)
    )
    ledger.close()
    filled(archive, warc(tmp_path, answer(story.path, story.page()), answer("/a/100007.html", Page("<p>-</p>"))))
    assert archive.states() == {story.key: "done", "100007": "queued"}, "the site may give what the capture did not"
    assert read_post(archive.post(story.key).encode()).link == hints["url"]


def test_several_sources_in_one_pass(tmp_path: Path) -> None:
    text = json_source(SITE, "wire", "/wire.json")
    text["layouts"] = [{"body": "text", "title": "title", "published": "time"}]
    archive = made(tmp_path / "archive", html_source(SITE), text)
    shown = stories(2)
    said = json.dumps({**record(shown[0]), "text": shown[0].text}, ensure_ascii=False)
    share = answer("/share?id=200001", Page(said, kind="application/json"))
    page = answer("/a/300001.html", Page(said, kind="application/json"))
    filled(archive, warc(tmp_path, *told_by(shown), share, page))
    assert dict(archive.rows("select key, source from articles")) == {
        **{one.key: "harbour" for one in shown},
        "200001": "wire",
    }
    assert read_post(archive.post("200001").encode()).link == SITE.address("/s/200001")


@pytest.mark.parametrize("packing", ["gzip", "br", "chunked"])
def test_bodies_as_they_came(archive: Archive, tmp_path: Path, packing: str) -> None:
    story = stories(1)[0]
    data = story.page().data
    packed = {
        "gzip": gzip.compress(data),
        "br": brotli.compress(data),
        "chunked": b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data),
    }
    header = ("Transfer-Encoding", "chunked") if packing == "chunked" else ("Content-Encoding", packing)
    filled(archive, warc(tmp_path, answer(story.path, Page(packed[packing]), header)))
    assert story.headline in archive.post(story.key)
    archive.proven()
    ((_, kept),) = [one for path in archive.state.glob("captures/*") for one in read_segment(path)]
    assert not any(name == "Transfer-Encoding" for name, _ in kept.headers)


def test_what_is_torn_is_told_and_the_rest_is_kept(archive: Archive, tmp_path: Path) -> None:
    records, lines = told_by(stories(4)), list[str]()
    half = record_bytes(Response(SITE.address("/a/1.html"), 200, (), b"x", "some day", {}), "x")
    damaged = records[1][:40] + b"\xff" * 9 + records[1][49:]
    file = warc(tmp_path, records[0], damaged, half, records[2], records[3][:-30])
    report = filled(archive, file, tell=lines.append)
    assert report.exit_code == 0
    assert set(archive.states()) == {"100001", "100003"}
    assert "3 faults" in lines[-1]
    assert any("cut short" in line for line in lines)


def test_a_file_is_read_again_only_when_it_changed(archive: Archive, tmp_path: Path) -> None:
    file, lines = warc(tmp_path, *told_by(stories(2))), list[str]()
    filled(archive, file)
    filled(archive, file, tell=lines.append)
    assert lines == [f"{file}: read to its end before, not read again"]
    warc(tmp_path, *told_by(stories(3)))
    filled(archive, file, tell=lines.append)
    assert "3 pages, 1 kept, 2 known" in lines[-1]
    assert len(archive.posts()) == 3


def test_a_limit_and_what_it_left(archive: Archive, tmp_path: Path) -> None:
    file, lines = warc(tmp_path, *told_by(stories(5))), list[str]()
    filled(archive, file, limit=2, tell=lines.append)
    assert len(archive.posts()) == 2
    filled(archive, file, tell=lines.append)
    assert "5 records, 5 pages, 5 kept, 0 known" in lines[-1], "counted once, over both runs"


# whatever the jobs, wherever it is killed


def shared_and_own(count: int) -> list[bytes]:
    """Pages without rules: half of them share what is not their own, two of them are versions of one text."""
    pages = [news(n, *([PROMO] if n % 2 else []), "Subscribe to the letter of the harbour for more such news of it.")
             for n in range(1, count)]  # fmt: skip
    pages.append(news(count, lines=told(3)))
    return [answer(f"/a/{100000 + n}.html", page) for n, page in enumerate(pages, 1)]


def riverbend(folder: Path) -> Archive:
    return made(folder, unruled(SITE))


@pytest.mark.slow
def test_the_same_posts_whatever_the_jobs_and_wherever_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.run._BATCH", 4)
    file = warc(tmp_path, *shared_and_own(24))
    whole = riverbend(tmp_path / "whole")
    filled(whole, file)
    assert len(whole.posts()) >= 23
    said = [plain(read_post(data).body).split("\n") for data in whole.posts().values()]
    assert sum(PROMO in lines for lines in said) == 1

    several = riverbend(tmp_path / "several")
    filled(several, file, jobs=2)
    assert several.posts() == whole.posts()

    killed = riverbend(tmp_path / "killed")
    for count, after in ((1, False), (1, True), (2, True)):
        assert in_child(partial(dying, count, after), lambda: filled(killed, file)) == 9
    lines: list[str] = []
    filled(killed, file, tell=lines.append)
    assert killed.posts() == whole.posts()
    assert "24 records, 24 pages" in lines[-1]
    killed.proven()


def dying(count: int, after: bool) -> None:
    """End this process amid its flush number ``count``."""
    flush, flushed = Run.flush, []

    def flush_or_die(self: Run) -> None:
        flushed.append(1)
        if len(flushed) == count and not after:
            os._exit(9)
        flush(self)
        if len(flushed) == count:
            os._exit(9)

    Run.flush = flush_or_die  # type: ignore[method-assign]


def in_child(prepare: Callable[[], None], work: Callable[[], object]) -> int:
    """The exit code of a process that does this."""
    child = os.fork()
    if child == 0:
        try:
            prepare()
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_it_ends_in_good_order_when_it_is_asked_to(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, keep = warc(tmp_path, *told_by(stories(5))), Run.keep

    def interrupted(self: Run, post: Any) -> None:
        keep(self, post)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Run, "keep", interrupted)
    assert filled(archive, file).exit_code == INTERRUPTED
    assert len(archive.posts()) == 1
    monkeypatch.undo()
    assert filled(archive, file).exit_code == 0
    assert len(archive.posts()) == 5


def test_a_page_that_no_reader_can_stand_is_a_fault_and_the_rest_is_kept(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad(answer: Received, row: Row, assembler: Assembler) -> Article:
        if row.key == "100002":
            raise RuntimeError("boom")
        return article_of(answer, row, assembler)

    monkeypatch.setattr("crawler.readers.article_of", bad)
    report = filled(archive, warc(tmp_path, *told_by(stories(3))))
    assert (report.faults, report.exit_code, len(archive.posts())) == (1, 1, 2)


def test_files_that_are_not_there(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.warc\.gz: no such file"):
        filled(archive, tmp_path / "nowhere.warc.gz")
    assert not (archive.state / "ledger.sqlite").exists()


# from the web


def test_files_of_the_web(server: Server, archive: Archive, tmp_path: Path) -> None:
    data = b"".join(told_by(stories(4)))
    server.pages["/crawl/1.warc.gz"] = Page(data, kind="application/gzip")
    filled(archive, server.address("/crawl/1.warc.gz"))
    assert len(archive.posts()) == 4
    asked = next(one for one in server.asked if one.path == "/crawl/1.warc.gz")
    assert asked.headers["user-agent"].startswith("presskeep/")
    assert asked.headers["accept-encoding"] == "identity"
    lines: list[str] = []
    filled(archive, server.address("/crawl/1.warc.gz"), tell=lines.append)
    assert "not read again" in lines[0]


def test_robots_and_guards_hold_for_files_of_the_web(server: Server) -> None:
    server.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /private/")
    server.pages["/private/1.warc.gz"] = server.pages["/1.warc.gz"] = Page(b"x")
    with pytest.raises(OSError, match=r"robots\.txt forbids it"):
        Download().open(server.address("/private/1.warc.gz"))
    Download().open(server.address("/1.warc.gz")).close()
    waits: list[float] = []
    with pytest.raises(OSError, match=r"127\.0\.0\.1 is loopback"):
        download.WebFile(server.address("/1.warc.gz"), {}, download._opener("https://gazette.example/"), waits.append)
    assert waits == []


def test_a_connection_that_breaks_is_taken_up_again(server: Server) -> None:
    data, waits = bytes(range(256)) * 2000, list[float]()
    server.pages["/1.warc.gz"] = Page(data, fault="cut")

    def mend(seconds: float) -> None:
        waits.append(seconds)
        server.pages["/1.warc.gz"] = Page(data)

    opened = download.WebFile(server.address("/1.warc.gz"), {}, download._opener(server.address()), mend)
    parts = iter(lambda: opened.read(10_000), b"")
    assert b"".join(parts) == data
    assert len(waits) == 1
    again = [one for one in server.asked if "range" in one.headers][-1].headers
    assert again["range"].startswith("bytes=")
    assert again["if-range"].startswith('"')


def test_busy_hosts_are_given_the_time_they_ask_for(server: Server) -> None:
    waits: list[float] = []
    server.pages["/1.warc.gz"] = Page(status=503, headers={"Retry-After": "7"})
    with pytest.raises(OSError, match="HTTP 503, after 4 tries more"):
        Download(sleep=waits.append).open(server.address("/1.warc.gz"))
    assert [wait for wait in waits if wait > 0] == [7, 7, 30, 120]
    server.pages["/1.warc.gz"] = Page(status=429, headers={"Retry-After": "86400"})
    with pytest.raises(OSError, match="to be asked again in 86400 s"):
        Download(sleep=waits.append).open(server.address("/1.warc.gz"))


def test_filling_says_now_and_then_how_far_it_is(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warcs, "_FLUSH_SECONDS", 0.0)
    lines: list[str] = []
    filled(archive, warc(tmp_path, *told_by(stories(3))), tell=lines.append)
    assert any("1 kept" in line for line in lines)
    assert len(archive.posts()) == 3
