"""Quiet or broken: what is learnt of a source's pauses, and what `presskeep health` says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.cli import VERBS
from crawler.health import Day, days, longest_gap, too_quiet
from tests.server import Page, Server
from tests.story import Archive, html_source, list_page, publish, stories

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
WEEKDAYS = [MONDAY + timedelta(days=day, hours=hour) for day in range(21) if day % 7 < 5 for hour in (0, 4, 8)]
"""Three times a day, never at weekends; the last is a Friday's, 16:00."""


def test_pauses_by_weekday() -> None:
    assert longest_gap(WEEKDAYS, 0, UTC) == timedelta(hours=16)
    assert longest_gap(WEEKDAYS, 4, UTC) == timedelta(days=2, hours=16), "over the weekend"
    assert longest_gap(WEEKDAYS, 6, UTC) == timedelta(days=2, hours=16), "a day never seen: the longest of all"
    assert longest_gap(WEEKDAYS[:5], 0, UTC) is None


@pytest.mark.parametrize(
    ("seen", "after", "stated", "quiet"),
    [
        (WEEKDAYS, timedelta(days=7), None, False),  # from a Friday on, three weekends are not too long
        (WEEKDAYS, timedelta(days=9), None, True),
        (WEEKDAYS[:-3], timedelta(hours=47), None, False),  # from a Thursday on, three nights are
        (WEEKDAYS[:-3], timedelta(hours=49), None, True),
        (WEEKDAYS, timedelta(hours=13), timedelta(hours=12), True),
        (WEEKDAYS, timedelta(days=9), timedelta(days=30), False),
        ([MONDAY], timedelta(days=300), None, False),
        ([], timedelta(days=300), timedelta(hours=1), False),
    ],
)
def test_too_quiet(seen: list[datetime], after: timedelta, stated: timedelta | None, quiet: bool) -> None:
    now = max(seen, default=MONDAY) + after
    assert bool(too_quiet(seen, now, UTC, stated)) == quiet


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
    assert (told["source"], told["class"], told["next"]) == ("harbour", "ok", "presskeep status")
    (day,) = told["days"].values()
    assert day == {"listed": 3, "kept": 2, "refused": {"blocked": 1}}

    server.pages["/list"] = list_page([])
    archive.crawl(code=4)
    before = archive.tree(state=True)
    (told,) = json.loads(archive.verb("health", "--json").stdout)
    assert told["class"] == "layout changed"
    assert "harbour.yml" in told["next"]
    assert all(verb in VERBS for verb in [told["next"].partition("presskeep ")[2].split()[0]])
    assert "layout changed" in archive.verb("health").stdout
    assert "1 blocked" in archive.verb("health").stdout
    assert "layout changed" in archive.verb("status").stdout
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
