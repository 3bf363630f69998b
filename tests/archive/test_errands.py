"""Rows of backfills in the ledger, beside those of crawls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawler.archive.errands import Errand
from crawler.archive.ledger import Entry, Found, Kept, Ledger, articles, walks

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FIRST = Errand(1, "gazette", "papers", "2026-03-05", "2026-03-08")
SECOND = Errand(2, "gazette", "papers", "2026-03-01", "2026-03-04")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def listed(ledger: Ledger, errand: Errand, *keys: str) -> Found:
    return errand.discover(ledger, [Entry(key, {"url": key}) for key in keys], lambda listed, new: [])


def crawled(ledger: Ledger, *keys: str, source: str = "gazette") -> Found:
    return ledger.discover(source, "papers", [Entry(key, {"url": key}) for key in keys], NOW)


def leased(ledger: Ledger, errand: Errand | None = None) -> list[str]:
    rows = errand.lease(ledger, 0, 100, NOW) if errand else ledger.lease("gazette", 0, 100, NOW)
    return [row.key for row in rows]


def test_what_a_backfill_lists_is_its_own(ledger: Ledger) -> None:
    assert listed(ledger, FIRST, "a", "b", "a") == Found(2, 0, [])
    assert listed(ledger, FIRST, "b", "c") == Found(1, 1, [])
    assert leased(ledger, FIRST) == ["a", "b", "c"]
    assert leased(ledger) == leased(ledger, SECOND) == []
    assert ledger.queued("gazette") == 0
    assert FIRST.counts(ledger) == {"queued": 3, "later": 0}


def test_what_a_list_alone_refuses_is_told(ledger: Ledger) -> None:
    bad = Entry("x", {}, "no title")
    assert FIRST.discover(ledger, [bad], lambda listed, new: []) == Found(0, 0, [bad])
    assert FIRST.counts(ledger) == {"refused": 1, "later": 0}


def test_what_waits_for_a_crawl_is_both_s(ledger: Ledger) -> None:
    crawled(ledger, "a", "b")
    assert listed(ledger, FIRST, "b", "c") == Found(2, 0, [])
    assert (leased(ledger), leased(ledger, FIRST)) == (["a", "b"], ["b", "c"])
    FIRST.outside(ledger, FIRST.lease(ledger, 0, 1, NOW)[0], "2026-03-10")
    assert (leased(ledger), leased(ledger, FIRST)) == (["a", "b"], ["c"])


def test_what_a_crawl_lists_is_the_crawl_s_as_well(ledger: Ledger) -> None:
    listed(ledger, FIRST, *(f"k{number}" for number in range(1000)))
    assert crawled(ledger, *(f"k{number}" for number in range(900))) == Found(0, 900, [])
    assert (len(leased(ledger)), ledger.queued("gazette")) == (100, 900)
    seen = ledger.read(sa.select(articles.c.seen).where(articles.c.key.in_(["k0", "k999"])).order_by(articles.c.key))
    assert [row.seen for row in seen] == ["2026-03-20T12:00:00Z", ""]


def test_what_is_queued_again_comes_behind_what_a_run_has_leased(ledger: Ledger) -> None:
    """A crawl after a backfill left them to the next one."""
    listed(ledger, FIRST, "a", "b", "c")
    FIRST.outside(ledger, FIRST.lease(ledger, 0, 1, NOW)[0], "2026-03-10")
    crawled(ledger, "new")
    (row,) = ledger.lease("gazette", 0, 9, NOW)
    crawled(ledger, "b", "a", "new")
    assert [again.key for again in ledger.lease("gazette", row.id, 9, NOW)] == ["b", "a"]


def test_what_lies_outside_waits_for_a_crawl_or_the_backfill_of_its_day(ledger: Ledger) -> None:
    listed(ledger, FIRST, "a", "b", "c")
    for row, day in zip(FIRST.lease(ledger, 0, 3, NOW), ("2026-03-04", "2026-02-01", "2026-03-09"), strict=True):
        FIRST.outside(ledger, row, day)
    assert listed(ledger, FIRST, "a", "b", "c") == Found(0, 3, [])
    assert listed(ledger, SECOND, "a", "b", "c") == Found(1, 2, [])
    assert (leased(ledger, FIRST), leased(ledger, SECOND)) == ([], ["a"])
    assert crawled(ledger, "b") == Found(1, 0, [])
    assert leased(ledger) == ["b"]


def test_what_was_refused_is_asked_for_again_by_another_backfill(ledger: Ledger) -> None:
    crawled(ledger, "a")
    ledger.refuse("papers", "a", "HTTP 404", NOW)
    assert leased(ledger) == []
    assert listed(ledger, FIRST, "a") == Found(1, 0, [])
    assert leased(ledger, FIRST) == ["a"]
    ledger.refuse("papers", "a", "HTTP 404", NOW)
    assert FIRST.counts(ledger) == {"refused": 1, "later": 1}
    assert FIRST.lease(ledger, 0, 9, NOW + timedelta(hours=2))[0].tries == 1
    assert listed(ledger, FIRST, "a") == Found(0, 1, [])
    assert leased(ledger, FIRST) == []


def test_posts_and_articles_of_others_stay(ledger: Ledger) -> None:
    crawled(ledger, "a")
    crawled(ledger, "b", source="herald")
    ledger.keep([Kept("papers", "a", "gazette", "_posts/a.md", "d")])
    assert listed(ledger, FIRST, "a", "b") == Found(0, 2, [])
    assert leased(ledger, FIRST) == []
    assert FIRST.row(ledger, "a") is None


def test_an_alias_s_article_is_asked_for_by_the_same(ledger: Ledger) -> None:
    listed(ledger, FIRST, "a")
    ledger.alias("papers", "a", "b", NOW)
    assert [row.key for row in FIRST.lease(ledger, 0, 9, NOW + timedelta(minutes=1))] == ["b"]
    assert ledger.lease("gazette", 0, 9, NOW + timedelta(minutes=1)) == []


def test_a_list_and_its_place_are_noted_together(ledger: Ledger) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        FIRST.discover(
            ledger, [Entry("a")], lambda listed, new: [walks.insert().values(url=f"{listed} {new}") for _ in range(2)]
        )
    assert leased(ledger, FIRST) == []


def test_rows_are_found_by_their_index(ledger: Ledger) -> None:
    crawled(ledger, *(f"k{number}" for number in range(300)))
    listed(ledger, FIRST, "a")
    query = str(
        sa.select(articles.c.id)
        .where(FIRST._rows, articles.c.id > 0)
        .order_by(articles.c.id)
        .compile(ledger.engine, compile_kwargs={"literal_binds": True})
    )
    plan = " ".join(str(row) for row in ledger.read(sa.text(f"explain query plan {query}")))
    assert "articles_backfill" in plan
    assert "TEMP B-TREE" not in plan
