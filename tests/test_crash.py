"""What a killed run leaves at one place in the order of writes, made by hand, and what the next run does with it.

Kills at any instant are in test_kill.py; what lies below a run (posts, captures, ledger, locks) in tests/archive.
"""

from __future__ import annotations

import time
from pathlib import Path

from tests.server import Server
from tests.story import Archive, Story, html_source, publish, stories
from tests.test_changes import row
from tests.test_kill import start


def test_killed_once_a_list_is_committed_and_before_an_article_came(server: Server, tmp_path: Path) -> None:
    """What it named is asked for though the list has rolled on; its validators wait for the end of the walk; bytes of
    the captures that the ledger does not know go aside, and all else reads to its end."""
    publish(server, shown := stories(6), size=3)
    server.pages["/list?p=2"].wait = 30
    archive = Archive.new(tmp_path / "archive", html_source(server))
    for one in shown:
        server.pages[one.path].fault = "hang"
    with start(archive) as crawl:
        while not {"/list?p=2", *(one.path for one in shown)} & set(server.paths()):
            assert crawl.poll() is None
            time.sleep(0.02)
        crawl.kill()
    assert archive.states() == {one.key: "queued" for one in shown[:3]}
    assert archive.rows("select * from listings") == []
    assert archive.rows("select url from walks") == [(server.address("/list"),)]

    server.pages.clear()
    publish(server, stories(1, start=9))
    server.pages |= {one.path: one.page() for one in shown}
    done = archive.crawl()
    torn = list(archive.state.glob("captures/*.torn"))  # none where the killed run had just made its captures durable
    assert len(torn) == done.stderr.count("uncommitted bytes set aside")
    assert archive.states() == {one.key: "done" for one in [*shown[:3], Story(9)]}
    assert len(archive.captured()) + len(torn) == 6, "the list, twice, and four articles"
    archive.proven()


def test_killed_between_a_post_and_its_row(server: Server, tmp_path: Path) -> None:
    """The post is there and the ledger says queued: nothing is written again but what is missing beside it."""
    publish(server, stories(2))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    before = archive.tree()
    gone = "state = 'queued', path = '', digest = '', since = '', check_due = ''"
    archive.rows(f"update articles set {gone} where key = '100001'")
    (page,) = archive.folder.glob("category/*.html")
    page.unlink()
    left = next(archive.folder.glob("_posts/**/*100001.md")).with_name(".2026-03-02-left.md.77.tmp")
    left.write_text("half a po")
    done = archive.crawl()
    assert "1 temporary files removed" in done.stderr
    after = archive.tree()
    category = str(page.relative_to(archive.folder))
    assert after.pop(category)[1] == before.pop(category)[1]
    assert after == before, "not a byte, not a time of change"
    archive.proven()


def test_a_clock_that_was_years_ahead(server: Server, tmp_path: Path) -> None:
    """Nothing waits until then, and no post changes for it."""
    publish(server, stories(1))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    before = archive.tree()
    archive.rows("update articles set since = '2099-01-01T00:00:00Z', check_due = '2099-01-01T00:15:00Z'")
    archive.rows("update visits set started = '2099-01-01T00:00:00Z'")
    server.forget()
    archive.verb("run", "--due")
    assert sorted(server.paths()) == ["/a/100001.html", "/list"]
    since, due, checks = row(archive, "100001", "since", "check_due", "checks")
    assert str(since) < str(due) < "2099"
    assert checks == 1
    server.forget()
    archive.verb("run", "harbour")
    assert server.paths() == ["/list"], "it is looked at once"
    assert archive.tree() == before
