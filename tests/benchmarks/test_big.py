"""A large archive costs a run no more than a small one: by what it asks, what its ledger does and what it holds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.archive import checks
from crawler.archive.ledger import Capture, Entry, Kept, Ledger
from crawler.run import load_outlets
from crawler.site import load_site
from crawler.sitedata import refresh
from tests.benchmarks.big import Outcome, kind_of, misses
from tests.benchmarks.counted import Counts
from tests.server import Server
from tests.story import Archive, html_source, publish, run, stories

KNOWN, NEW = 3000, 40
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def remember(ledger: Ledger, count: int) -> None:
    """As if so many articles of the source were posts already."""
    keys = [f"{900000 + number}" for number in range(count)]
    ledger.discover("harbour", "harbour", [Entry(key) for key in keys], NOW)
    posts = [Kept("harbour", key, "harbour", f"_posts/{key}.md", key, key) for key in keys]
    ledger.keep(posts, [Capture(key, f"https://harbour.example/{key}", "segment", 0, 1) for key in keys])


def counted(archive: Archive) -> dict[str, Any]:
    """What a crawl counts, see ``counted.py``."""
    path = archive.folder.parent / "counts.json"
    words = ["-m", "tests.benchmarks.counted", str(path), "crawl", "--archive", str(archive.folder)]
    done = run([sys.executable, *words], archive.folder.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return told


def test_what_is_known_costs_nothing_and_what_is_new_is_let_go(server: Server, tmp_path: Path) -> None:
    pace = {"delay": 0.001, "concurrency": 2}
    archive = Archive.new(tmp_path / "archive", html_source(server, politeness=pace, recheck=[]))
    ledger = Ledger(archive.state / "ledger.sqlite")
    remember(ledger, KNOWN)
    refresh(archive.folder, load_site(archive.folder), ledger, load_outlets(archive.folder))
    ledger.close()
    publish(server, stories(NEW), size=10)

    first = counted(archive)
    assert len(archive.posts()) == NEW
    assert len(server.paths("/list")) == NEW // 10
    assert sorted(server.paths("/a/")) == sorted({one.path for one in stories(NEW)}), "each once"
    most = {kind: max(held[kind] for held in first["held"]) for kind in first["held"][0]}
    del most["blocks"]
    assert max(most.values()) <= NEW // 2, "articles are leased and let go a few at a time"
    assert min(len(first["held"]), max(most.values())) > 4, "it was looked while they were under way"
    blocks = [held["blocks"] for held in first["held"]]
    stays = min(blocks[-2:]) - blocks[1]  # one look alone also sees what is under way, more on a busy machine
    assert stays < 10 * NEW, "of an article that is a post nothing stays in memory"

    server.forget()
    again = counted(archive)
    assert server.paths() == ["/list"]
    assert again["rows"] < 200, "what is known stays in the ledger"
    assert again["statements"] < 100
    assert first["rows"] - again["rows"] <= 32 * NEW, "these are alike: each is compared with some of the others"
    assert first["statements"] - again["statements"] <= 26 * NEW, "a trigger for the log, a row for each anchor"
    assert first["steps"] - again["steps"] <= 1500 * NEW, "no article makes the ledger look through all"


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ledger, Counts]]:
    """A ledger of many posts, and what it counts."""
    ledger, counts = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite"), Counts()
    remember(ledger, KNOWN)
    counts.connected(ledger._connection.connection.driver_connection, None)  # type: ignore[arg-type]
    yield ledger, counts
    ledger.close()


ASKED: dict[str, Callable[[Ledger], object]] = {
    "lease": lambda ledger: ledger.lease("harbour", 0, 32, NOW),
    "queued": lambda ledger: ledger.queued("harbour"),
    "state": lambda ledger: ledger.state("harbour", "900007"),
    "owner": lambda ledger: ledger.owner("_posts/900007.md"),
    "captured": lambda ledger: ledger.captured("900007", "https://harbour.example/900007"),
    "find_capture": lambda ledger: ledger.find_capture("900007"),
    "refuse": lambda ledger: ledger.refuse("harbour", "900007", "why", NOW),
    "discover": lambda ledger: ledger.discover("harbour", "harbour", [Entry("900007")], NOW),
    "due": lambda ledger: checks.due(ledger, "harbour", NOW, 500),
}


@pytest.mark.parametrize("name", ASKED)
def test_the_ledger_finds_without_looking_through_all(ledgers: tuple[Ledger, Counts], name: str) -> None:
    ledger, counts = ledgers
    before = counts.steps
    ASKED[name](ledger)
    assert counts.steps - before < 1000


def outcome(**changes: Any) -> Outcome:
    """Of a run that finds nothing new among a hundred."""
    told = {"name": "", "cpu": 1.0, "wall": 2.0, "memory": 110.0, "asked": {"lists": 5}, "posts": 100}
    return Outcome(**{**told, **changes})


def test_the_benchmark_says_what_was_missed() -> None:
    first = outcome(cpu=100.0, asked={"articles": 100})
    whole = [first, outcome(), outcome(asked={"articles": 3}, posts=103), outcome()]
    assert list(misses(whole, 100, 3)) == []
    for at, worse, what in (
        (0, outcome(cpu=100.0, asked={"articles": 100}, memory=301), "300 MB"),
        (0, outcome(cpu=100.0, asked={"articles": 99}, posts=99), "100 posts from 100 articles"),
        (1, outcome(cpu=5.1), "5.0 s of CPU"),
        (1, outcome(asked={"lists": 5, "articles": 1}), "100 posts from 0 articles"),
        (1, outcome(asked={"other": 1}), "no known kind"),
        (2, outcome(asked={"articles": 3}, posts=103, cpu=2.6), "2.5 s of CPU"),
    ):
        (missed,) = misses([*whole[:at], worse, *whole[at + 1 :]], 100, 3)
        assert what in missed


def test_requests_are_told_apart() -> None:
    paths = {
        "/": "lists",
        "/c/diyicaijing/p2.html": "lists",
        "/a/diyicaijing/NW202201012300007919.html": "articles",
        "/a/diyicaijing/presskeep-absent-0123456789ab.html": "absent",
        "/html_News/NewsShare.html?infoCode=NW2": "articles",
        "/robots.txt": "robots",
        "/m/diyicaijing/NW202201012300007919.html": "other",
    }
    assert {path: kind_of(path) for path in paths} == paths
