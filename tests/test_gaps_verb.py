"""``presskeep gaps``: a gap made by a day without crawls is shown, with what to type, then healed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from crawler.archive.ledger import Ledger
from crawler.commands.gaps import told_of
from crawler.days import Days
from crawler.sources import load_source
from tests.server import Page, Server
from tests.story import Archive, html_source, publish, stories


def days_pass(archive: Archive, days: int) -> None:
    """All that the ledger knows becomes older."""
    older = f"strftime('%Y-%m-%dT%H:%M:%SZ', {{}}, '-{days} days')"
    for name, column in (("articles", "seen"), ("coverage", "walked"), ("gaps", '"before"')):
        archive.rows(f"update {name} set {column} = {older.format(column)}")


def told(archive: Archive) -> dict[str, Any]:
    """What the verb tells, without a process of its own."""
    ledger = Ledger(archive.state / "ledger.sqlite")
    sources = [load_source(path) for path in archive.folder.glob("sources/*.yml")]
    found = told_of(ledger, sources, Days(date.min, date.max), "", whole=False)
    ledger.close()
    return found


def test_a_gap_made_by_days_without_crawls_is_shown_then_healed(server: Server, tmp_path: Path) -> None:
    """A list shows its latest eight articles, four a page; it moved on by ten while nobody looked, and its second page
    could not be had when somebody did."""
    shown = stories(20)
    [one] = html_source(server)["lists"]
    fields = {**one["fields"], "published": "time"}
    source = html_source(server, lists=[{**one, "fields": fields}], recheck=[])
    archive = Archive.new(tmp_path / "archive", source)

    def window(newest: int, size: int = 4) -> None:
        latest = shown[max(newest - 2 * size, 0) : newest][::-1]
        publish(server, latest, size=size)
        for path in ("/list", "/list?p=2"):
            page = server.pages[path]
            assert isinstance(page.body, str)
            for each in latest:  # the list prints dates
                page.body = page.body.replace(f"{each.headline}</a>", f"{each.headline}</a><time>{each.printed}</time>")

    window(8)
    archive.crawl()
    assert told(archive)["gaps"] == []
    days_pass(archive, 3)

    window(14)
    second = server.pages["/list?p=2"]
    server.pages["/list?p=2"] = Page("busy", status=404)
    archive.crawl(code=3)
    found = json.loads(archive.verb("gaps", "--check", "--json", code=5).stdout)
    [gap] = found["gaps"]
    assert (gap["source"], gap["first"], gap["last"]) == ("harbour", "2026-03-09", "2026-03-12")
    assert gap["list"] == server.address("/list")
    assert gap["next"].startswith("presskeep backfill harbour --from 2026-03-09 --to 2026-03-12 --archive ")
    days = {row["day"]: row for row in found["days"]}
    assert [day for day, row in days.items() if row["unknown"]] == [
        "2026-03-12",
        "2026-03-11",
        "2026-03-10",
        "2026-03-09",
    ]
    assert days["2026-03-10"] | {"by": 0} == {
        "source": "harbour", "day": "2026-03-10", "listed": 0, "kept": 0, "refused": 0, "unknown": True, "by": 0
    }  # fmt: skip
    assert (days["2026-03-09"]["kept"], days["2026-03-09"]["by"]) == (1, {"post": 1})
    plain = archive.verb("gaps", "harbour", "--from", "2026-03-09", "--to", "2026-03-10").stdout
    assert "harbour: next: presskeep backfill harbour --from 2026-03-09 --to 2026-03-12" in plain
    assert "2026-03-10" in plain
    assert "2026-03-12  " not in plain.partition("Gaps")[0]
    assert "1 gap, of harbour" in archive.verb("status").stdout
    assert "1 gap, of harbour" in archive.verb("health").stdout

    server.pages["/list?p=2"] = second
    archive.crawl()  # its second page shows the seventh to the tenth
    assert told(archive)["gaps"] == []
    assert "No gaps." in archive.verb("gaps", "--check").stdout

    days_pass(archive, 2)
    window(20, size=2)  # the seventeenth and later ones alone
    archive.crawl()
    assert [(one["first"], one["last"]) for one in told(archive)["gaps"]] == [("2026-03-15", "2026-03-18")]
    window(20, size=10)
    done = archive.verb("backfill", "harbour", "--from", "2026-03-15", "--to", "2026-03-18")
    assert "2026-03-16" in done.stdout
    assert told(archive)["gaps"] == []
    assert len(archive.posts()) == 20


def test_what_is_refused(tmp_path: Path, server: Server) -> None:
    archive = Archive.new(tmp_path / "archive", html_source(server))
    assert "No run yet" in archive.verb("gaps").stdout
    assert "Did you mean 'harbour'?" in archive.verb("gaps", "harbor", code=2).stderr
