"""A ledger that was lost or torn: posts and captures give it back, and no article is asked for again."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.server import Page, Server
from tests.story import (
    ENVIRONMENT,
    PRESSKEEP,
    Archive,
    Story,
    html_source,
    json_page,
    json_source,
    publish,
    record,
    stories,
)


def lose(archive: Archive) -> None:
    """The ledger goes, with its write-ahead log."""
    for path in archive.state.glob("ledger.sqlite*"):
        path.unlink()


def tear(archive: Archive) -> None:
    """The ledger is cut in half, its first page overwritten."""
    path = archive.state / "ledger.sqlite"
    data = path.read_bytes()
    path.write_bytes(b"\x00" * 512 + data[512 : len(data) // 2])


@pytest.mark.parametrize("damage", [lose, tear])
@pytest.mark.parametrize("by", ["rebuild-ledger", "crawl"])
def test_a_ledger_from_posts_and_captures(server: Server, tmp_path: Path, by: str, damage: object) -> None:
    """By its own verb, or by the next crawl, which says so and goes on."""
    publish(server, stories(5), size=2)
    wired = stories(2, start=20)
    server.pages["/api"] = json_page({"data": {"list": [record(one) for one in wired]}})
    server.pages |= {f"/share?id={one.key}": json_page({"text": one.text}) for one in wired}
    archive = Archive.new(tmp_path / "archive", html_source(server), json_source(server, "wire", "/api"))
    archive.crawl()
    before, known = (
        archive.tree(),
        archive.rows("select space, key, source, state, path, digest, capture from articles"),
    )
    captured = archive.captured()
    remembered = "select space, key, source, digest, title, length, outlet from texts order by space, key"
    words = archive.rows(remembered)
    damage(archive)  # type: ignore[operator]

    done = archive.verb("verify", code=1)
    assert "rebuild-ledger" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    server.forget()
    done = archive.verb(by)
    assert f"7 posts, {len(captured)} captures, 0 waiting" in done.stderr
    assert ("set aside" in done.stderr) == (damage is tear)
    assert server.paths("/a/") == server.paths("/share") == []
    assert sorted(archive.rows("select space, key, source, state, path, digest, capture from articles")) == sorted(
        known
    )
    assert archive.rows(remembered) == words, "also what the gate remembers of texts"
    archive.proven()

    server.forget()
    archive.crawl()
    assert server.paths("/a/") == server.paths("/share") == []
    assert archive.tree() == before
    assert archive.captured() == captured, "what is captured is not captured again"
    server.forget()
    archive.crawl()
    assert [one.path for one in server.asked if "if-none-match" in one.headers] == ["/list", "/api"]
    archive.proven()


def test_what_run_reports_tell(server: Server, tmp_path: Path) -> None:
    """Tombstones and the runs themselves; what cannot be had any more is said. A text stays that of one address."""
    publish(server, shown := stories(3))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    server.pages[shown[0].path] = Page("gone", status=410)
    for _ in range(2):
        archive.rows("update articles set check_due = '2026-01-01T00:00:00Z' where key = ?", shown[0].key)
        archive.crawl()
    ((before,),) = archive.rows("select gone from articles where key = ?", shown[0].key)
    assert before
    (archive.state / "runs/000000.json").write_text('{"run": "none"')
    told = archive.rows("select id, started, ended, exit_code, report from runs")
    lose(archive)
    done = archive.verb("rebuild-ledger")
    assert "gone upstream 1 are known" in done.stderr
    assert "lost with the old one: which addresses were aliases" in done.stderr
    assert done.stderr.rstrip().endswith(f"Next: presskeep verify --archive {archive.folder}")
    gone = archive.rows("select key, gone from articles where gone != ''")
    assert gone == [(shown[0].key, told[-1][1])]
    assert archive.rows("select id, started, ended, exit_code, report from runs") == told

    copy = replace(Story(9), title="另一个标题", body=shown[1].text)
    publish(server, [copy, *shown])
    archive.crawl()
    assert archive.rows("select reason from articles where key = ?", copy.key) == [(f"same text as {shown[1].key}",)]
    assert len(list(archive.state.glob("runs/00000[1-4].json"))) == 4, "no report was overwritten"


def test_what_waited_is_found_again_in_captured_lists(server: Server, tmp_path: Path) -> None:
    """A crawl is killed, its ledger lost, and the list has rolled on: nothing that was listed is forgotten."""
    publish(server, shown := stories(6))
    server.pages[shown[3].path].fault = "hang"
    archive = Archive.new(tmp_path / "archive", html_source(server))
    crawl = subprocess.Popen(
        [*PRESSKEEP, "crawl", "--archive", str(archive.folder)], env=ENVIRONMENT, stderr=subprocess.DEVNULL
    )
    with crawl:
        while shown[3].path not in server.paths():
            assert crawl.poll() is None
            server._pause(0.02)
        crawl.kill()
    lose(archive)
    server.pages[shown[3].path].fault = ""
    publish(server, [Story(9)])

    done = archive.verb("rebuild-ledger")
    waiting = 6 - len(archive.posts())
    assert f"{waiting} waiting" in done.stderr
    archive.crawl()
    assert archive.states() == {one.key: "done" for one in [*shown, Story(9)]}
    archive.proven()


def test_a_walk_that_had_not_ended(server: Server, tmp_path: Path) -> None:
    """How far it had come is lost with the ledger; the next one goes all the way."""
    publish(server, shown := stories(4), size=2)
    whole = server.pages["/list?p=2"]
    server.pages["/list?p=2"] = Page("busy", status=500)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl(code=3)
    lose(archive)
    archive.verb("rebuild-ledger")
    server.pages["/list?p=2"] = whole
    archive.crawl()
    assert archive.states() == {one.key: "done" for one in shown}


def test_posts_that_nobody_can_place(server: Server, tmp_path: Path) -> None:
    """They are named, and stay."""
    publish(server, stories(1))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    mine = archive.folder / "_posts/2026-01-01-welcome.md"
    mine.write_text('---\nlayout: post\ntitle: "Welcome"\n---\nHello.\n')
    done = archive.verb("rebuild-ledger")
    assert "_posts/2026-01-01-welcome.md: its source or key cannot be told" in done.stderr
    assert "1 posts" in done.stderr
    assert mine.read_text().endswith("Hello.\n")
    archive.crawl()
