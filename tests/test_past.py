"""What the ledger remembers: asked by its indexes, for it is asked while a run goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crawler.archive.ledger import Entry, Kept, Ledger
from crawler.past import Past

SEEN = datetime(2026, 3, 2, 8, tzinfo=UTC)
NAMES = [("harbour", "1"), ("harbour", "2"), ("quay", "1")]


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """Three articles of two sources."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for space, key in NAMES:
        ledger.discover(space, space, [Entry(key, {"published": f"{space} {key}"} if key == "1" else {})], SEEN)
    return Past(ledger)


def test_several_articles_of_several_spaces(past: Past) -> None:
    assert past.sources_of([*NAMES, ("quay", "2")]) == {name: name[0] for name in NAMES}
    assert past.listed_dates(NAMES) == {NAMES[0]: "harbour 1", NAMES[2]: "quay 1"}
    assert past.listed_dates([]) == {}
    assert set(past.waiting(NAMES)) == set(NAMES)


def test_outcomes_of_earlier_runs(past: Past) -> None:
    past.ledger.keep([Kept("harbour", "1", "harbour", "a.md", "x")])
    past.ledger.refuse("harbour", "2", "HTTP 403", SEEN)
    past.ledger.discover("harbour", "harbour", [Entry("3", refused="no url"), Entry("4")], SEEN)
    assert [(one.name[1], one.kind) for one in past.outcomes("harbour", 9, ())] == [("2", "blocked"), ("1", "")]
    assert [one.name[1] for one in past.outcomes("harbour", 1, [("harbour", "2")])] == ["1"]


def test_no_question_reads_every_row(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[str] = []
    connection = past.ledger._connection

    def explain(_: object, cursor: object, statement: str, parameters: Any, *__: object) -> None:
        if not statement.startswith("EXPLAIN"):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(str(row[3]) for row in rows)

    sa.event.listen(past.ledger.engine, "before_cursor_execute", explain)
    past.sources_of(NAMES)
    past.listed_dates(NAMES)
    past.waiting(NAMES)
    past.outcomes("harbour", 10, ())
    past.came("harbour")
    past.knows("harbour")
    past.twin("harbour", "1", "x")
    assert len(plans) >= 9
    assert [plan for plan in plans if plan.startswith("SCAN")] == []
