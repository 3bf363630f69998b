"""Backfills: exactly the articles of some days, planned first, and gone on with after kills."""

from __future__ import annotations

import json
import random
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crawler.archive.errands import Errand
from crawler.archive.ledger import Entry, Kept, Ledger
from crawler.changes import Changes
from crawler.items import Text
from crawler.past import Past
from crawler.report import Report
from crawler.run import Post
from crawler.sources import Source
from crawler.watch import Watch
from tests.server import Page, Server
from tests.story import ENVIRONMENT, PRESSKEEP, Archive, Story, html_source, list_page
from tests.warm import Done

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
LATEST = date(2026, 3, 20)
DAYS = ("--from", "2026-03-05", "--to", "2026-03-08")


@dataclass(frozen=True)
class Old(Story):
    """One of many: ten a day, number 1 the newest."""

    @property
    def day(self) -> date:
        return LATEST - timedelta(days=(self.number - 1) // 10)

    @property
    def printed(self) -> str:
        return f"{self.day} {20 - (self.number - 1) % 10}:30"


def past(count: int = 200) -> list[Old]:
    return [Old(number) for number in range(1, count + 1)]


def within(shown: list[Old], first: str = DAYS[1], last: str = DAYS[3]) -> set[str]:
    return {one.key for one in shown if first <= one.day.isoformat() <= last}


def publish(server: Server, shown: list[Old], *, dated: bool, size: int = 10) -> None:
    """Numbered pages, that say when articles were published or do not."""
    server.pages |= {one.path: one.page() for one in shown}
    for number, start in enumerate(range(0, len(shown), size), 1):
        items = "\n".join(
            f'<li><a href="{one.path}">{one.headline}</a>{f"<i>{one.printed}</i>" if dated else ""}</li>'
            for one in shown[start : start + size]
        )
        following = f'<a rel="next" href="/list?p={number + 1}">more</a>' if start + size < len(shown) else ""
        page = Page(f'<html><body><ul class="news">{items}</ul>{following}</body></html>')
        server.pages["/list" if number == 1 else f"/list?p={number}"] = page


def source(server: Server, *, dated: bool = True, numbered: bool = True, **changes: Any) -> dict[str, Any]:
    made = html_source(server, **changes)
    (one,) = made["lists"]
    one["fields"] |= {"published": "i"} if dated else {}
    if numbered:
        one["pages"] = {"template": server.address("/list?p={page}"), "depth": 2}
    return made


def backfill(archive: Archive, *words: str, code: int = 0) -> Done:
    return archive.verb("backfill", "harbour", *DAYS, *words, code=code)


def posts(archive: Archive) -> set[str]:
    return {name[-9:-3] for name in archive.posts()}


def test_a_plan_and_exactly_the_articles_of_the_days(server: Server, tmp_path: Path) -> None:
    """The page where the days begin is found by bisection; a dry run tells the same, and changes nothing."""
    publish(server, shown := past(), dated=True)
    archive = Archive.new(tmp_path / "archive", source(server))
    before = archive.tree(state=True)
    done = backfill(archive, "--dry-run")
    assert archive.tree(state=True) == before
    assert "40 articles to ask for: about 0 s at one every 0.01 s" in done.stdout
    expected = [[f"2026-03-0{day}", "0", "10"] for day in (8, 7, 6, 5)]
    assert [line.split() for line in done.stdout.splitlines() if line.startswith("2026-03-0")] == expected
    assert server.paths("/a/") == []

    server.forget()
    done = backfill(archive)
    assert posts(archive) == within(shown)
    lists, asked = server.paths("/list"), server.paths("/a/")
    assert len(lists) == len(set(lists)) < 12, lists
    assert len(asked) == len(set(asked)) == 40
    after = [[day, "0", "10", "10", "0", "0"] for day, *_ in expected]
    assert [line.split() for line in done.stdout.splitlines() if line.startswith("2026-03-0")][4:] == after
    assert archive.rows("select count(*) from walks") == archive.rows("select count(*) from listings") == [(0,)]
    assert archive.rows("select count(*) from articles where check_due != ''") == [(0,)], "no look at what is too old"
    archive.proven()

    before = archive.tree(state=True)
    told = json.loads(backfill(archive, "--dry-run", "--json").stdout)
    assert archive.tree(state=True) == before
    assert (told["plan"]["requests"], told["plan"]["expected"], told["days"]["2026-03-05"]["kept"]) == (0, {}, 10)
    assert told["next"].startswith("presskeep backfill harbour --from 2026-03-05 --to 2026-03-08 --archive ")

    for path in archive.state.glob("ledger.sqlite*"):
        path.unlink()
    archive.verb("rebuild-ledger")
    assert set(archive.states().values()) == {"done"}, "what a backfill's lists name is not queued for crawls"


@pytest.mark.slow
def test_five_kills(server: Server, tmp_path: Path) -> None:
    """While it plans and while it asks. Lists say no dates: articles of their pages do, none is asked for twice."""
    publish(server, shown := past(), dated=False)
    undisturbed = Archive.new(tmp_path / "undisturbed", source(server, dated=False))
    backfill(undisturbed)
    asked = server.paths("/a/")
    assert len(asked) == len(set(asked)) < 60
    assert posts(undisturbed) == within(shown)
    often = Archive.new(tmp_path / "often", source(server, dated=False))
    chance = random.Random(20260308)
    for path, number in (("/list", 3), ("/list", 9), ("/a/", 12), ("/a/", 8), ("/a/", 16)):
        server.forget()
        with start(often) as running:
            while len(server.paths(path)) < number and running.poll() is None:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.05))
            assert running.poll() is None
            running.kill()
    server.forget()
    done = backfill(often)
    assert "resumed: " in done.stdout
    assert server.paths("/list") == [], "the last kills came after the plan"
    assert often.posts() == undisturbed.posts()
    often.proven()
    server.forget()
    backfill(often)
    assert server.paths("/a/") == [], "nor is what told a page's day asked for again"


def start(archive: Archive) -> subprocess.Popen[bytes]:
    command = [*PRESSKEEP, "backfill", "harbour", *DAYS, "--archive", str(archive.folder)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_crawls_and_backfills_leave_each_other_their_work(server: Server, tmp_path: Path) -> None:
    publish(server, shown := past(), dated=True)
    archive = Archive.new(tmp_path / "archive", source(server))
    done = backfill(archive, "--limit", "3", code=5)
    assert "harbour (backfill)" in archive.verb("status").stdout
    assert archive.verb("health").stdout.count("harbour") == 0, "a backfill says nothing of how the source is now"
    assert "left: 37 waiting" in done.stdout
    assert len(archive.posts()) == 3
    server.forget()
    archive.crawl()  # two pages of ten: all of the newest two days
    assert posts(archive) == {one.key for one in shown[:20]} | set(sorted(within(shown))[:3])
    server.pages["/list"] = list_page(shown[125:145])  # the crawl's now, though the backfill has listed them
    server.pages["/list?p=2"] = list_page(shown[:10])
    server.forget()
    archive.crawl()
    assert posts(archive) >= {one.key for one in shown[125:145]}
    publish(server, shown, dated=True)
    server.forget()
    done = backfill(archive)
    assert "resumed: " in done.stdout
    assert posts(archive) >= within(shown)
    assert len(server.paths("/a/")) == 40 - 3 - 20


def test_what_is_left_is_said_until_it_is_had(server: Server, tmp_path: Path) -> None:
    """An article that is not there, and a list that ends in an error: neither counts as done."""
    publish(server, shown := past(), dated=True)
    missing = [one for one in shown if one.key in within(shown)][:30]
    pages = {one.path: server.pages.pop(one.path) for one in missing}
    server.pages["/list?p=15"] = Page("busy", status=500)
    archive = Archive.new(tmp_path / "archive", source(server))
    done = backfill(archive, code=3)
    assert "ALARM" not in done.stderr, "an old link that leads nowhere says nothing of the source"
    assert "left: 20 to be tried again later, 1 lists not read" in done.stdout
    assert "next: presskeep backfill harbour --from 2026-03-05 --to 2026-03-08 --archive" in done.stdout
    publish(server, shown, dated=True)
    server.pages |= {path: Page("gone", status=404) for path in pages}
    server.forget()
    done = backfill(archive, code=5)
    assert server.paths("/list") == ["/list?p=15", "/list?p=16", "/list?p=17"]
    assert "left: 30 to be tried again later" in done.stdout
    archive.rows("update articles set due = '2026-01-01T00:00:00Z' where state = 'refused'")
    server.pages |= pages
    server.forget()
    done = backfill(archive)
    assert server.paths("/list") == []
    assert posts(archive) == within(shown)
    assert "left" not in done.stdout.replace(" left)", "")


def test_pages_that_name_the_next_and_a_list_that_ends_early(server: Server, tmp_path: Path) -> None:
    publish(server, shown := past(150), dated=True, size=30)
    archive = Archive.new(tmp_path / "archive", source(server, numbered=False))
    done = backfill(archive)
    assert len(server.paths("/list")) == 5
    assert posts(archive) == within(shown)
    assert "lists reach back to 2026-03-06: what is older no list names" in done.stdout


def test_what_cannot_be_is_refused(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", source(server))
    for words, what in (
        (("--from", "2026-03-08", "--to", "2026-03-05"), "is after"),
        (("--from", "yesterday", "--to", "2026-03-05"), "is no day"),
        ((*DAYS, "--via", "sitemap"), "it has: html"),
        ((*DAYS, "--via", "htlm"), "Did you mean 'html'?"),
        ((*DAYS, "--via", "warc"), "one at least"),
        ((*DAYS, "--via", "warc", "--dry-run", "a.warc.gz"), "nothing to plan"),
        ((*DAYS, "--via", "html", "a.warc.gz"), "files are for --via warc"),
        ((*DAYS, "a.warc.gz"), "a.warc.gz: no such file"),
    ):
        done = archive.verb("backfill", "harbour", *words, code=2)
        assert what in done.stderr
    assert "serves them all" in archive.verb("backfill", "all", *DAYS, code=2).stderr
    assert server.asked == []


def test_from_files_without_network(server: Server, tmp_path: Path) -> None:
    publish(server, shown := past(100), dated=True)
    crawled = Archive.new(tmp_path / "crawled", source(server))
    crawled.crawl()
    archive = Archive.new(tmp_path / "archive", source(server), html_source(server, "elsewhere"))
    server.forget()
    words = ("--from", "2026-03-19", "--to", "2026-03-19", "--via", "warc", "--jobs", "1")
    archive.verb("backfill", "harbour,elsewhere", *words, *map(str, crawled.state.glob("captures/*.warc.gz")))
    assert server.asked == []
    assert posts(archive) == within(shown, "2026-03-19", "2026-03-19")
    archive.proven()


def test_what_files_hold_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    publish(server, shown := past(100), dated=True)
    crawled = Archive.new(tmp_path / "crawled", source(server))
    days = ("--from", "2026-03-18", "--to", "2026-03-18")
    crawled.verb("backfill", "harbour", *days)
    archive = Archive.new(tmp_path / "archive", source(server))
    files = sorted(map(str, crawled.state.glob("captures/*.warc.gz")))
    server.forget()
    longer = ("--from", "2026-03-18", "--to", "2026-03-19")
    archive.verb("backfill", "harbour", *longer, "--via", "html,warc", "--jobs", "1", *files)
    assert posts(archive) == within(shown, "2026-03-18", "2026-03-19")
    assert {path[3:9] for path in server.paths("/a/")} == within(shown, "2026-03-19", "2026-03-19")
    archive.proven()


def test_no_look_is_due_at_what_is_older_than_the_last_would_be() -> None:
    now, spans = NOW, (timedelta(hours=1), timedelta(days=30))
    run: Any = SimpleNamespace(now=now)
    changes = Changes(run, {"harbour": spans, "never": ()})
    today = "2026-03-20T12:00:00Z"
    assert changes.first("harbour", now - timedelta(days=31)) == (today, "")
    assert changes.first("harbour", now - timedelta(days=29)) == (today, "2026-03-20T13:00:00Z")
    assert changes.first("harbour") == (today, "2026-03-20T13:00:00Z")
    assert changes.first("never", now - timedelta(days=31)) == (today, "")


@pytest.mark.parametrize("past_days", [True, False])
def test_old_articles_are_not_measured_by_new_ones(server: Server, tmp_path: Path, past_days: bool) -> None:
    """Texts that are a fifth as long, and credit nobody: another layout today, the usual thing of ten years ago."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.discover("harbour", "harbour", [Entry(f"n{number}") for number in range(30)], NOW)
    told = {"space": "harbour", "source": "harbour", "title": "t", "outlet": 1, "dated": 1}
    words = [{**told, "key": f"n{number}", "digest": f"{number}", "length": 3000} for number in range(30)]
    kept = [Kept("harbour", f"n{number}", "harbour", f"{number}.md", "d") for number in range(30)]
    ledger.keep(kept, words=words)
    report = Report(["harbour"])
    run: Any = SimpleNamespace(ledger=ledger, report=report, now=NOW)
    watch = Watch(run, [Source.model_validate(source(server))])
    watch.past = past_days
    for number in range(10):
        text = Text(f"x{number}", f"y{number}", 600, outlet=False)
        watch.passed(Post("", b"", "harbour", f"o{number}", "harbour", text=text))
    assert (watch.stopped == set()) == past_days
    ledger.close()


def test_what_backfills_brought_is_no_measure_either(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.discover("harbour", "harbour", [Entry("new")], NOW)
    errand = Errand(1, "harbour", "harbour", "2016-03-05", "2016-03-08")
    errand.discover(ledger, [Entry("old")], lambda listed, new: [])
    told = {"space": "harbour", "source": "harbour", "title": "t", "outlet": 1, "dated": 1}
    words = [{**told, "key": key, "digest": key, "length": length} for key, length in (("new", 3000), ("old", 400))]
    ledger.keep([Kept("harbour", key, "harbour", f"{key}.md", "d") for key in ("new", "old")], words=words)
    assert [seen.length for seen in Past(ledger).history("harbour")] == [3000]
    assert [new for _, new in Past(ledger).came("harbour")] == [1]
    ledger.close()
