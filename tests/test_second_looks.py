"""Second looks come when they are due, also between two visits: by ``presskeep run --due``, with no list asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from crawler.archive.ledger import Entry, Kept, Ledger, stamp
from crawler.sources import Source
from crawler.visits import _LOOKS, next_visit, record_visits, sources_to_look_at
from tests.server import Server
from tests.story import Archive, html_source, publish
from tests.test_changes import long, make_due

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_between_two_visits(server: Server, tmp_path: Path) -> None:
    """Harbour is visited once a day, and its posts are looked at meanwhile; quay's turn comes in the same run."""
    publish(server, [long(1), long(2)])
    publish(server, [long(51)], path="/other")
    quay = html_source(server, "quay", "/other", schedule="every 1h")
    archive = Archive.new(tmp_path / "archive", html_source(server, schedule="every 1d"), quay)
    archive.verb("run", "--due")
    visits = dict(archive.rows("select source, started from visits"))
    publish(server, [long(3), long(1), long(2)])
    server.pages["/a/100001.html"] = long(1, "<p>更新：傍晚又有两班渡轮加开。</p>").page()
    archive.rows("update articles set state = 'queued', path = '', check_due = '' where key = '100002'")
    make_due(archive, "100001")
    server.forget()
    told = json.loads(archive.verb("run", "--due", "--json").stdout)
    assert server.paths() == ["/a/100001.html"], "no list, and nothing that waits for a visit"
    assert "傍晚又有两班" in archive.post("100001")
    assert told["sources"] == []
    (looked_at,) = told["second_looks"]
    assert [looked_at[name] for name in ("source", "checked", "edited", "listed", "waiting")] == ["harbour", 1, 1, 0, 1]
    assert dict(archive.rows("select source, started from visits")) == visits, "it was no visit"

    make_due(archive, "100001")
    archive.rows("update visits set started = '2026-01-01T00:00:00Z' where source = 'quay'")
    server.forget()
    told = json.loads(archive.verb("run", "--due", "--json").stdout)
    assert sorted(server.paths()) == ["/a/100001.html", "/other"]
    assert [[one["source"] for one in told[name]] for name in ("sources", "second_looks")] == [["quay"], ["harbour"]]


def posts(ledger: Ledger, source: Source, *due: str) -> None:
    ledger.discover(source.id, source.space, [Entry(f"{number}") for number in range(len(due))], NOON)
    kept = [
        Kept(source.space, f"{number}", source.id, f"_posts/{source.id}-{number}.md", "d", check_due=moment)
        for number, moment in enumerate(due)
    ]
    ledger.keep(kept)


def test_the_longest_overdue_come_first_and_who_wants_none_never(server: Server, tmp_path: Path) -> None:
    never, *others = (
        Source.model_validate(html_source(server, name, recheck=spans))
        for name, spans in {"never": [], "soon": ["1h"], "late": ["1h"], "fresh": ["1h"], "bare": ["1h"]}.items()
    )
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for source, minutes in zip((never, *others), ((-500,), (-5, 90), (90, -70), (30,), ()), strict=True):
        posts(ledger, source, *(stamp(NOON + timedelta(minutes=one)) for one in minutes))
    everything = [never, *others]
    assert [one.id for one in sources_to_look_at(ledger, everything, NOON)] == ["late", "soon"]
    later = NOON + timedelta(minutes=30)
    assert [one.id for one in sources_to_look_at(ledger, everything, later)] == ["late", "soon", "fresh"]

    record_visits(ledger, [one.id for one in everything], NOON)
    slot = next_visit(ledger, others[2:], NOON)
    assert slot == (later, others[2]), "half an hour before its hourly visit"
    ledger.close()


def test_a_long_archive_costs_a_step_into_an_index(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    asked = _LOOKS.params(source="harbour").compile(
        dialect=ledger.engine.dialect, compile_kwargs={"literal_binds": True}
    )
    plan = " ".join(str(row) for row in ledger.read(sa.text(f"explain query plan {asked}")))
    assert "USING INDEX articles_checks" in plan
    assert "TEMP B-TREE" not in plan
    ledger.close()
