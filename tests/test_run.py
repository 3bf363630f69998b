"""``presskeep run`` by the real command: what is due, budgets, broken sources beside good ones, and those who watch."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.archive.ledger import Entry, Ledger
from crawler.budget import Budget
from crawler.sources import Source
from crawler.visits import due_sources, last_visits, record_visits
from tests.server import Page, Server
from tests.story import ENVIRONMENT, PRESSKEEP, Archive, Story, html_source, publish, run, stories


def two_sources(server: Server, **changes: Any) -> list[dict[str, Any]]:
    """On one host; six articles each."""
    publish(server, stories(6))
    publish(server, stories(6, "b", start=51), path="/other")
    key = {"patterns": [r"/b/(\d{6})\.html"]}
    return [html_source(server, **changes), html_source(server, "quay", "/other", key=key)]


def visited_before(archive: Archive, source: str, ago: timedelta) -> None:
    """As if the last visit had been so long ago."""
    ledger = Ledger(archive.state / "ledger.sqlite")
    record_visits(ledger, [source], datetime.now(UTC) - ago)
    ledger.close()


def test_only_what_is_due(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", *two_sources(server, schedule="every 2h", recheck=[]))
    (archive.folder / "sources/quay.yml").write_text(
        (archive.folder / "sources/quay.yml").read_text() + "recheck: []\n"
    )
    assert "harbour" in archive.verb("run", "--due").stdout
    assert len(archive.posts()) == 12
    server.forget()
    before = archive.tree()

    done = archive.verb("run", "--due")
    assert re.search(r"Nothing is due\. Next: quay at \d{4}-", done.stdout), "its every 1h comes first"
    assert archive.verb("run", "--due", "--quiet").stdout == ""
    assert server.paths() == []
    assert len(archive.rows("select id from runs")) == 1

    visited_before(archive, "quay", timedelta(days=3))  # 72 slots were missed
    archive.verb("run", "--due")
    assert server.paths() == ["/other"]
    archive.verb("run", "--due")
    assert server.paths() == ["/other"], "they are caught up once"
    archive.verb("run", "harbour")
    assert server.paths() == ["/other", "/list"], "without --due whatever is named is visited"
    assert archive.tree() == before


def test_what_a_budget_cuts_off_is_the_next_runs(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", *two_sources(server))
    done = archive.verb("run", "--due", "--requests", "8")
    (waiting,) = re.findall(r"^budget spent: 8 requests; (\d+) articles and 0 lists wait", done.stderr, re.MULTILINE)
    assert len(server.paths()) <= 8
    assert {"/list", "/other"} <= set(server.paths()), "lists come first"
    assert min(len(server.paths(place)) for place in ("/a/", "/b/")) >= 1, "sources of one host take turns"
    assert archive.report()["budget"] == "8 requests"
    left = int(waiting)
    assert sorted(archive.states().values()) == ["done"] * (12 - left) + ["queued"] * left
    archive.proven()

    server.forget()
    assert "budget" not in archive.verb("run", "--due").stderr
    assert len(server.paths("/a/1") + server.paths("/b/1")) == left
    assert set(archive.states().values()) == {"done"}
    server.forget()
    archive.verb("run", "--due")
    assert server.paths() == []
    archive.proven()


def test_lists_that_were_not_begun_stay_due(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", *two_sources(server))
    archive.verb("run", "--due", "--requests", "1")
    assert len(server.paths()) == 1
    assert sum(one["skipped_lists"] for one in archive.report()["sources"]) == 1
    assert archive.rows("select source from visits") == []
    archive.verb("run", "--due")
    assert set(archive.states().values()) == {"done"}


def test_time_runs_out(server: Server, tmp_path: Path) -> None:
    """What was asked for comes whole; the rest waits. The clock jumps after ten requests."""
    publish(server, stories(30))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    script = f"""
import sys
from datetime import timedelta
from pathlib import Path
from crawler.budget import Budget
from crawler.commands.run import visit
class Taken(Budget):
    taken = 0
    def take(self):
        Taken.taken += 1
budget = Taken(timedelta(minutes=20), clock=lambda: 1200.0 * (Taken.taken > 9))
sys.exit(visit(Path({str(archive.folder)!r}), (), False, budget, False, {{}}))
"""
    done = run([sys.executable, "-c", script], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "budget spent: 20 minutes" in done.stderr
    states = list(archive.states().values())
    assert 0 < states.count("done") < 10
    assert states.count("done") + states.count("queued") == 30
    archive.proven()
    archive.verb("run", "--due")
    assert set(archive.states().values()) == {"done"}


def test_a_budget() -> None:
    now = 0.0
    budget = Budget(timedelta(minutes=2), 3, clock=lambda: now)
    assert budget.spent == ""
    now = 120.0
    assert budget.spent == "2 minutes"
    now = 0.0
    for _ in range(3):
        budget.take()
    assert budget.spent == "3 requests"
    assert Budget().spent == ""


def test_one_broken_source_stops_no_other(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", *two_sources(server))
    (archive.folder / "sources/torn.yml").write_text("id: torn\nname: [", "utf-8")
    done = archive.verb("run", "--due")
    assert re.search(r"^presskeep: left out: .*torn\.yml:\d+: ", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr
    assert len(archive.posts()) == 12

    del server.pages["/list"]
    done = archive.verb("run", code=4)
    assert "HTTP 404" in done.stderr
    assert archive.report("quay")["unchanged"] == 1

    for name in ("harbour", "quay"):
        (archive.folder / f"sources/{name}.yml").unlink()
    assert "no source can be read" in archive.verb("run", "--due", code=2).stderr
    (archive.folder / "sources/torn.yml").unlink()
    assert "holds no source" in archive.verb("run", "--due", code=2).stderr
    assert "no source is called 'harbor'" in archive.verb("run", "harbor", code=2).stderr
    assert "expected a span" in archive.verb("run", "--budget", "soon", code=2).stderr


def test_a_second_run_leaves_at_once(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", html_source(server), ping=server.address("/ping"))
    handle = os.open(archive.folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert "another run is active" in archive.verb("run", "--due", code=75).stderr
    os.close(handle)
    assert server.asked == [], "nobody is told: the other run will"


def test_a_report_for_machines(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", *two_sources(server))
    told = json.loads(archive.verb("run", "--json").stdout)
    assert told == {**archive.report(), "unreadable": {}}
    idle = json.loads(archive.verb("run", "--due", "--json").stdout)
    assert idle["exit_code"] == 0
    assert idle["sources"] == []
    assert idle["next"].startswith(("harbour at ", "quay at "))


def test_replay_is_no_visit(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", html_source(server))
    publish(server, stories(2))
    archive.crawl()
    other = Archive.new(tmp_path / "other", html_source(server))
    other.crawl("--replay", *archive.state.glob("captures/*.warc.gz"))
    assert len(other.posts()) == 2
    assert other.rows("select * from visits") == []
    assert archive.rows("select source from visits") == [("harbour",)]


def test_a_learnt_rate(server: Server, tmp_path: Path) -> None:
    """Six articles an hour for a week: half an hour later the source is due, ten minutes later it is not."""
    source = Source.model_validate(html_source(server, schedule="auto"))
    ledger = Ledger(tmp_path / "ledger.sqlite")
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    for number in range(24 * 7):
        entries = [Entry(f"{number}-{one}") for one in range(6)]
        ledger.discover(source.id, source.space, entries, begin + timedelta(hours=number))
    now = begin + timedelta(days=7)
    assert due_sources(ledger, [source], now) == [source]
    record_visits(ledger, [source.id], now)
    assert last_visits(ledger) == {source.id: now}
    assert due_sources(ledger, [source], now + timedelta(minutes=10)) == []
    assert due_sources(ledger, [source], now + timedelta(minutes=33)) == [source]
    ledger.close()


def test_the_longest_waiting_come_first(server: Server, tmp_path: Path) -> None:
    sources = [Source.model_validate(html_source(server, name)) for name in ("late", "new", "early")]
    ledger = Ledger(tmp_path / "ledger.sqlite")
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    record_visits(ledger, ["late"], now - timedelta(hours=2))
    record_visits(ledger, ["early"], now - timedelta(hours=9))
    assert [one.id for one in due_sources(ledger, sources, now)] == ["new", "early", "late"]
    ledger.close()


# those who watch


def parsed(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Prometheus' text format: metric -> labels -> value; every sample's metric must have been named before."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            found[line.split()[2]] = {}
        elif not line.startswith("#"):
            match = re.fullmatch(r"(\w+)\{((?:\w+=\"(?:[^\"\\]|\\[\\\"n])*\",?)*)\} (\S+)", line)
            assert match, line
            pairs = re.findall(r"(\w+)=\"((?:[^\"\\]|\\.)*)\"", match[2])
            labels = [
                (name, re.sub(r"\\(.)", lambda sign: "\n" if sign[1] == "n" else sign[1], value))
                for name, value in pairs
            ]
            found[match[1]][tuple(labels)] = float(match[3])
    return found


def test_prometheus_and_the_dead_mans_switch(server: Server, tmp_path: Path) -> None:
    server.pages |= {"/ping/1": Page("ok"), "/ping/1/fail": Page("ok")}
    archive = Archive.new(
        tmp_path / 'an "odd\\archive',
        *two_sources(server),
        prometheus="../metrics/presskeep.prom",
        ping=server.address("/ping/1"),
    )
    path = tmp_path / "metrics/presskeep.prom"

    def metrics() -> dict[str, Any]:
        found = parsed(path.read_text("utf-8"))
        one = {(("archive", str(archive.folder)),)}
        assert all(set(found[name]) == one for name in found if not name.startswith("presskeep_source_"))
        return {
            name: {dict(labels).get("source", ""): value for labels, value in found[name].items()} for name in found
        }

    archive.verb("run")
    told = metrics()
    assert told["presskeep_run_exit_code"] == {"": 0}
    assert 0 < told["presskeep_run_seconds"][""] < 60
    success = told["presskeep_last_success_timestamp_seconds"][""]
    assert abs(success - datetime.now(UTC).timestamp()) < 60
    assert told["presskeep_source_kept"] == {"harbour": 6, "quay": 6}
    assert server.paths("/ping") == ["/ping/1"]

    del server.pages["/list"]
    archive.verb("run", "harbour", code=4)
    told = metrics()
    assert told["presskeep_run_exit_code"] == {"": 4}
    assert told["presskeep_last_success_timestamp_seconds"] == {"": success}
    assert told["presskeep_source_failed_lists"] == {"harbour": 1, "quay": 0}
    assert told["presskeep_source_kept"] == {"harbour": 0, "quay": 6}, "of each source the last run"
    assert server.paths("/ping") == ["/ping/1", "/ping/1/fail"]

    archive.verb("run", "--due")
    assert metrics()["presskeep_run_exit_code"] == {"": 0}
    assert server.paths("/ping")[-1] == "/ping/1", "nothing due is well, too"
    assert [one.name for one in path.parent.iterdir()] == ["presskeep.prom"]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (Page(status=500), "500"),
        (Page(status=302, headers={"Location": "file:///etc/hostname"}), "failed"),
        (Page(status=302, headers={"Location": "ftp://127.0.0.1/x"}), "failed"),
        (Page(fault="drop"), "failed"),
    ],
)
def test_a_monitor_that_is_down_harms_nothing(server: Server, tmp_path: Path, answer: Page, complaint: str) -> None:
    server.pages["/ping"] = answer
    publish(server, stories(1))
    archive = Archive.new(
        tmp_path / "archive", html_source(server), ping=server.address("/ping"), prometheus="/dev/null/x.prom"
    )
    done = archive.verb("run")
    assert re.search(r"^presskeep: the ping to 127\.0\.0\.1:\d+ failed: .*", done.stderr, re.MULTILINE)
    assert complaint in done.stderr
    assert "the monitors were not told" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("setting", [{"ping": "ftp://x.example/"}, {"ping": "file:///etc/passwd"}, {"prometheus": "x"}])
def test_settings_that_are_refused(server: Server, tmp_path: Path, setting: dict[str, str]) -> None:
    archive = Archive.new(tmp_path / "archive", html_source(server), **setting)
    assert "presskeep.yml:" in archive.verb("run", code=2).stderr
    assert server.asked == []


def test_the_health_feed(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", *two_sources(server))
    feed = archive.folder / "health.xml"
    archive.verb("run")
    assert not feed.exists(), "where all is well there is nothing to say"

    page = server.pages.pop("/list")
    posts = archive.posts()
    archive.verb("run", code=4)
    broken = feed.read_bytes()
    assert b"<title>harbour is broken</title>" in broken
    assert b"HTTP 404" in broken
    assert b"quay" not in broken
    before = archive.tree()
    archive.verb("run", code=4)
    assert archive.tree() == before, "a second run with the same outcome changes no byte"

    server.pages["/list"] = page
    archive.verb("run")
    titles = re.findall(r"<title>(.*)</title>", feed.read_text("utf-8"))
    assert titles == ["Archive: health", "harbour works again", "harbour is broken"]
    before = archive.tree()
    archive.verb("run")
    assert archive.tree() == before
    assert archive.posts() == posts


def test_lines_for_the_journal(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", html_source(server))
    command = [*PRESSKEEP, "run", "--archive", str(archive.folder)]

    def lines(named: str) -> list[str]:
        with (tmp_path / "stderr").open("w+") as file:
            about = os.fstat(file.fileno())
            stream = named or f"{about.st_dev}:{about.st_ino}"
            environment = {**ENVIRONMENT, "JOURNAL_STREAM": stream}
            subprocess.run(command, env=environment, stderr=file, stdout=subprocess.DEVNULL, timeout=60, check=False)
            return (tmp_path / "stderr").read_text("utf-8").splitlines()

    told = lines("")
    assert told
    assert all(re.match(r"<[346]>\S", line) for line in told), told
    assert any("HTTP 404" in line for line in told)
    assert not any(line.startswith("<") for line in lines("1:2")), "the journal reads somebody else's"
    (archive.folder / "presskeep.yml").write_text("colour: red\n")
    assert lines("")[0].startswith("<3>presskeep: ")


def test_a_story_is_one_post_whoever_visits(server: Server, tmp_path: Path) -> None:
    """``run`` and ``crawl`` make the same archive."""
    publish(server, [Story(1), Story(2)])
    one = Archive.new(tmp_path / "one", html_source(server))
    two = Archive.new(tmp_path / "two", html_source(server))
    one.verb("run")
    two.crawl()
    assert one.posts() == two.posts()
