"""Quiet or broken: what is learnt of a source's pauses, and what `presskeep health` says."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crawler.archive.ledger import Ledger
from crawler.cli import VERBS
from crawler.health import Came, Day, days, due_since, longest_gap, rates, too_quiet
from crawler.place import place
from tests.server import Page, Server
from tests.story import Archive, Done, html_source, list_page, presskeep, publish, run, stories

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
WEEKDAYS = [MONDAY + timedelta(days=day, hours=hour) for day in range(21) if day % 7 < 5 for hour in (0, 4, 8)]
"""Three times a day, never at weekends; the last is a Friday's, 16:00."""
SHANGHAI = ZoneInfo("Asia/Shanghai")


def month(*new: int, weeks: int = 4, hours: int = 1) -> list[tuple[datetime, int]]:
    """So many new articles on Monday, Tuesday, …, of each week, at as many visits; each day's last at about 20:00 in
    Shanghai. The first day met a backlog."""
    start = datetime(2026, 3, 2, 20 - hours, 30, tzinfo=SHANGHAI)
    came = [
        (start + timedelta(days=7 * week + day, hours=hour), number // hours)
        for week in range(weeks)
        for day, number in enumerate(new)
        for hour in range(hours)
        if number
    ]
    return [(came[0][0], 4000), *came[1:]]


BUSY = month(30, 30, 28, 31, 30, 12, 0, hours=6)
"""About thirty a weekday, some on Saturday, none on Sunday; the last on Saturday 28 March."""
ALL_WEEK = month(30, 30, 30, 30, 30, 30, 30, hours=10)


def test_pauses_by_weekday() -> None:
    assert longest_gap(WEEKDAYS, 0, UTC) == timedelta(hours=16)
    assert longest_gap(WEEKDAYS, 4, UTC) == timedelta(days=2, hours=16), "over the weekend"
    assert longest_gap(WEEKDAYS, 6, UTC) == timedelta(days=2, hours=16), "a day never seen: the longest of all"
    assert longest_gap(WEEKDAYS[:5], 0, UTC) is None


def test_rates_by_weekday() -> None:
    assert rates(BUSY, SHANGHAI) == [30, 30, 24, 30, 30, 12, 0], "without the backlog"
    assert rates(BUSY, UTC) == rates(BUSY, SHANGHAI)
    assert rates(BUSY, ZoneInfo("Pacific/Auckland")) != rates(BUSY, SHANGHAI), "days are those of the source's zone"
    holiday = [one for one in BUSY if one[0].day != 17]
    assert rates(holiday, SHANGHAI) == [30, 30, 24, 30, 30, 12, 0], "one Tuesday off"
    assert rates(BUSY[:60], SHANGHAI) is None, "less than two weeks"
    assert rates([], SHANGHAI) is None


def test_whole_days_alone_count() -> None:
    weekly = [1, 2, 4, 8, 16, 32, 64]
    assert due_since(weekly, MONDAY, MONDAY + timedelta(days=1, hours=15), UTC) == 0
    assert due_since(weekly, MONDAY, MONDAY + timedelta(days=1, hours=16), UTC) == 2
    assert due_since(weekly, MONDAY, MONDAY + timedelta(days=8), UTC) == 127
    assert due_since(weekly, MONDAY, MONDAY - timedelta(days=8), UTC) == 0


def shanghai(day: int, hour: int, minute: int = 0) -> datetime:
    """Of March; the 32nd is the first of April."""
    return datetime(2026, 3, 1, hour, minute, tzinfo=SHANGHAI) + timedelta(days=day - 1)


@pytest.mark.parametrize(
    ("came", "now", "quiet"),
    [
        (BUSY, shanghai(29, 23), False),  # Sunday
        (BUSY, shanghai(30, 23), False),  # Monday is not over: nobody knows
        (BUSY, shanghai(31, 0, 10), True),  # none on a whole Monday
        (ALL_WEEK, shanghai(30, 23), False),
        (ALL_WEEK, shanghai(31, 1), True),
        (ALL_WEEK, shanghai(90, 1), True),  # silence is not learnt from
        (month(2, 2, 2, 2, 2, 0, 0), shanghai(32, 1), False),  # four were due, Monday and Tuesday
        (month(2, 2, 2, 2, 2, 0, 0), shanghai(33, 1), True),
        (month(1, 0, 0, 0, 0, 0, 0, weeks=7), shanghai(31, 1) + timedelta(days=14), False),  # a weekly: by its gaps
        (month(1, 0, 0, 0, 0, 0, 0, weeks=7), shanghai(31, 1) + timedelta(days=35), True),
        (BUSY[-1:], shanghai(90, 1), False),
        ([], shanghai(90, 1), False),
    ],
)
def test_too_quiet_for_its_weekdays(came: Came, now: datetime, quiet: bool) -> None:
    assert bool(too_quiet(came, now, SHANGHAI)) == quiet


def test_what_the_source_expects_wins() -> None:
    now = shanghai(31, 0, 10)
    assert "30 were due" in too_quiet(BUSY, now, SHANGHAI)
    assert too_quiet(BUSY, now, SHANGHAI, timedelta(days=9)) == ""
    assert too_quiet(BUSY, shanghai(29, 9), SHANGHAI, timedelta(hours=12)), "on a Sunday too"
    assert too_quiet(BUSY, now, SHANGHAI, per_day=2) == ""
    assert "6 were due" in too_quiet(BUSY, shanghai(32, 1), SHANGHAI, per_day=2)
    assert "60 were due" in too_quiet(BUSY[-1:], now, SHANGHAI, per_day=30), "where nothing is learnt yet"


def gaps(seen: list[datetime]) -> list[tuple[datetime, int]]:
    return [(one, 1) for one in seen]


@pytest.mark.parametrize(
    ("seen", "after", "quiet"),
    [
        (WEEKDAYS[:7], timedelta(hours=47), False),  # from a Wednesday morning on, three nights
        (WEEKDAYS[:7], timedelta(hours=49), True),
        (WEEKDAYS[:5], timedelta(days=300), False),
    ],
)
def test_the_longest_gap_where_weekdays_are_not_known(seen: list[datetime], after: timedelta, quiet: bool) -> None:
    assert bool(too_quiet(gaps(seen), max(seen) + after, UTC)) == quiet


def test_days_add_up_their_runs() -> None:
    one = {"source": "a", "listed": 3, "kept": 2, "refusals": {"consent": 1}}
    runs = [{"started": f"2026-03-{day}T08:00:00Z", "report": {"sources": [one]}} for day in ("20", "20", "01")]
    told = days(runs, datetime(2026, 3, 20, 9, tzinfo=UTC))
    assert told == {"a": {"2026-03-20": Day(6, 4, told["a"]["2026-03-20"].refused)}}
    assert told["a"]["2026-03-20"].refused == {"consent": 2}


def test_health_and_status_name_the_class_and_the_next_command(server: Server, tmp_path: Path) -> None:
    publish(server, shown := stories(3))
    server.pages[shown[1].path] = Page("<html><body><p>请完成安全验证后继续访问</p></body></html>")
    archive = Archive.new(tmp_path / "archive", html_source(server))
    assert "No run yet" in archive.verb("health").stdout
    archive.crawl()
    (told,) = json.loads(archive.verb("health", "--json").stdout)
    assert (told["source"], told["class"]) == ("harbour", "ok")
    assert told["next"] == f"presskeep status --archive {archive.folder}"
    (day,) = told["days"].values()
    assert day == {"listed": 3, "kept": 2, "refused": {"blocked": 1}}

    server.pages["/list"] = list_page([])
    archive.crawl(code=4)
    before = archive.tree(state=True)
    (told,) = json.loads(archive.verb("health", "--json").stdout)
    assert told["class"] == "layout changed"
    assert all(verb in VERBS for verb in [told["next"].partition("presskeep ")[2].split()[0]])
    assert "layout changed" in archive.verb("health").stdout
    assert "1 blocked" in archive.verb("health").stdout
    status = archive.verb("status").stdout
    assert "layout changed" in status
    for said in (status, archive.verb("health").stdout, archive.crawl(code=4).stderr):
        command = next(line for line in said.splitlines() if "next: " in line).rpartition("presskeep ")[2]
        assert command == f"repair harbour --archive {archive.folder}"
    before = archive.tree(state=True)
    archive.verb("status")
    assert archive.tree(state=True) == before


def test_quiet_is_said_only_where_lists_answer(server: Server, tmp_path: Path) -> None:
    publish(server, stories(2))
    archive = Archive.new(tmp_path / "archive", html_source(server, expect={"quiet": "1d"}))
    archive.crawl()
    archive.crawl()
    archive.rows("update articles set seen = '2026-01-05T08:00:00Z'")
    done = archive.crawl(code=4)
    assert "ALARM harbour really quiet: nothing new since 2026-01-05" in done.stderr
    server.pages["/list"] = Page("busy", status=500)
    assert "really quiet" not in archive.crawl(code=3).stderr


def test_commands_work_from_any_folder(server: Server, tmp_path: Path) -> None:
    """They name the archive and the state folder that were given, from the root on, quoted."""
    assert place(None) == ""
    assert place(tmp_path / "my archive") == f" --archive '{tmp_path}/my archive'"
    publish(server, shown := stories(3))
    server.pages[shown[1].path] = Page("<html><body><p>请完成安全验证后继续访问</p></body></html>")
    archive, state = Archive.new(tmp_path / "archive", html_source(server)), tmp_path / "state"
    archive.crawl("--state", state)
    given = f" --archive {archive.folder} --state {state}"
    assert archive.verb("health", "--state", state).stdout.splitlines()[-1] == f"harbour: next: presskeep status{given}"
    assert "blocked" not in (here := presskeep(archive.folder, "health", "--state", state).stdout.splitlines()[-1])
    assert here == f"harbour: next: presskeep status --state {state}"
    server.pages["/list"] = list_page([])
    assert archive.crawl("--state", "state", code=4).stderr.count(f"repair harbour{given}") == 1
    assert archive.verb("status", "--state", state).stdout.rstrip().endswith(f"repair harbour{given}")
    assert "No run yet" in archive.verb("status").stdout
    (state / "ledger.sqlite").write_bytes(b"torn" * 2000)
    done = archive.verb("status", "--state", state, code=1)
    assert done.stderr.rstrip().endswith(f"presskeep rebuild-ledger{given}")


def test_status_tells_what_second_looks_found(server: Server, tmp_path: Path) -> None:
    publish(server, shown := stories(2))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    archive.rows("update articles set reason = 'recheck: another text' where key = ?", shown[0].key)
    told = json.loads(archive.verb("status", "--json").stdout)
    assert told["second_looks"] == [["harbour", shown[0].key, "recheck: another text"]]
    assert told["refused"] == []
    assert "recheck: another text" in archive.verb("status").stdout


def read_only(folder: Path, *words: str) -> Done:
    """A verb on an archive that lies on a disk which cannot be written to."""
    mount = f"mount --bind '{folder}' '{folder}' && mount -o remount,ro,bind '{folder}'"
    verb = " ".join(("python -m crawler.cli", *words, "--archive", f"'{folder}'")).replace("python", sys.executable, 1)
    return run(["unshare", "-m", "sh", "-c", f"{mount} || exit 99; ! touch '{folder}/x' 2>&- && {verb}"], folder)


def test_verbs_that_read_need_no_right_to_write(server: Server, tmp_path: Path) -> None:
    publish(server, stories(3))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    path = archive.state / "ledger.sqlite"
    frozen = Ledger(path, frozen=True)
    assert frozen.counts() == {"harbour": {"done": 3}}
    with pytest.raises(OSError, match="readonly"):
        frozen.refuse("harbour", "100001", "x", MONDAY)
    frozen.close()
    assert archive.leftovers() == []
    if shutil.which("unshare") is None or (first := read_only(archive.folder, "status")).returncode in (1, 99):
        pytest.skip("no disk can be mounted here to be read alone")
    assert first.returncode == 0, first.stderr
    assert "harbour" in first.stdout
    for words in (("health", "--json"), ("verify",)):
        done = read_only(archive.folder, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
