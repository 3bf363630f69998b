"""The change log: whatever becomes of a post, its line is in the same transaction; a number tells what came since."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.archive import changelog, rewrites
from crawler.archive.changelog import Entry, entries, last, log_id
from crawler.archive.checks import settle
from crawler.archive.ledger import Kept, Ledger, articles


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def kept(key: str, digest: str = "d", **changes: int) -> Kept:
    return Kept("papers", key, "gazette", f"_posts/{key}.md", digest, **changes)  # type: ignore[arg-type]


def row_of(ledger: Ledger, key: str) -> int:
    return int(ledger.read(sa.select(articles.c.id).where(articles.c.key == key))[0][0])


def told(ledger: Ledger, since: int = 0, source: str = "") -> list[tuple[int, str, str]]:
    return [(one.number, one.key, one.event) for one in entries(ledger, since, last(ledger), source)]


def all_lines(ledger: Ledger) -> list[tuple[str, str]]:
    query = sa.select(changelog.changes.c.key, changelog.changes.c.event).order_by(changelog.changes.c.number)
    return [(row.key, row.event) for row in ledger.read(query)]


def test_posts_edits_tombstones_and_readings_are_lines(ledger: Ledger, tmp_path: Path) -> None:
    ledger.keep([kept("a"), kept("b")])
    a, b = row_of(ledger, "a"), row_of(ledger, "b")
    settle(ledger, {a: {"digest": "e", "revision": 1, "gone": ""}})
    settle(ledger, {b: {"gone": "2026-03-02T00:00:00Z", "missing": 2}, a: {"checks": 4}})
    settle(ledger, {b: {"gone": "", "missing": 0}})
    post = tmp_path / "_posts" / "a.md"
    post.parent.mkdir()
    text = {"space": "papers", "key": "a", "digest": "", "title": "", "length": 1, "outlet": 0}
    rewrites.write(tmp_path, ledger, [rewrites.Rewrite(a, "_posts/a.md", b"old", b"new", "", text, False)])
    events = [("a", "new"), ("b", "new"), ("a", "edited"), ("b", "tombstone"), ("b", "restored"), ("a", "reprocessed")]
    assert all_lines(ledger) == events
    (latest,) = entries(ledger, 5, 6)
    assert latest == Entry(6, "papers", "a", "gazette", 1, sha("new"), "_posts/a.md", "", "reprocessed", latest.moment)


def sha(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def test_an_article_that_was_listed_first_is_new_once(ledger: Ledger) -> None:
    from datetime import UTC, datetime

    from crawler.archive.ledger import Entry as Listed

    ledger.discover("gazette", "papers", [Listed("a"), Listed("b")], datetime(2026, 3, 1, tzinfo=UTC))
    ledger.refuse("papers", "b", "too short", datetime(2026, 3, 1, tzinfo=UTC))
    assert all_lines(ledger) == []
    ledger.keep([kept("a")])
    ledger.keep([kept("a")])
    assert all_lines(ledger) == [("a", "new")]


def test_a_line_is_in_the_transaction_of_its_row(ledger: Ledger) -> None:
    wrong = sa.text("insert into nowhere values (1)")
    with pytest.raises(OSError, match="nowhere"):
        ledger.keep([kept("a")], more=[(wrong, [{}])])
    assert (all_lines(ledger), ledger.state("papers", "a")) == ([], "")


@pytest.mark.parametrize("statement", ["delete from changes", "update changes set event = 'new'"])
def test_nothing_is_taken_back(ledger: Ledger, statement: str) -> None:
    ledger.keep([kept("a")])
    with pytest.raises(sa.exc.IntegrityError, match="append-only"):
        ledger.write(sa.text(statement))
    assert all_lines(ledger) == [("a", "new")]


def test_who_holds_a_number_hears_what_came_since(ledger: Ledger) -> None:
    ledger.keep([kept("a"), kept("b"), kept("c")])
    settle(ledger, {row_of(ledger, "a"): {"digest": "e", "revision": 1}})
    settle(ledger, {row_of(ledger, "b"): {"gone": "2026-03-02T00:00:00Z"}})
    assert told(ledger) == [(2, "b", "new"), (3, "c", "new"), (4, "a", "edited"), (5, "b", "tombstone")]
    assert told(ledger, since=3) == [(4, "a", "edited"), (5, "b", "tombstone")]
    assert told(ledger, since=5) == told(ledger, since=99) == []
    assert told(ledger, source="other") == []
    assert [one.number for one in entries(ledger, 0, 3)] == [1, 2, 3], "what came later does not reach back"
    settle(ledger, {row_of(ledger, "b"): {"gone": ""}})
    assert told(ledger) == [(2, "b", "new"), (3, "c", "new"), (4, "a", "edited"), (6, "b", "restored")]


steps = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["edit", "read", "gone", "back"])), max_size=12)


@given(steps, st.integers(0, 14))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_follower_in_two_bites_knows_what_one_in_one_bite_knows(
    tmp_path_factory: pytest.TempPathFactory, done: list[tuple[str, str]], bite: int
) -> None:
    opened = Ledger(tmp_path_factory.mktemp("log") / "ledger.sqlite")
    opened.keep([kept(key) for key in "abc"])
    for number, (key, what) in enumerate(done):
        values: dict[str, dict[str, object]] = {
            "edit": {"digest": f"{number}", "revision": number + 1},
            "read": {"digest": f"{number}"},
            "gone": {"gone": "x"},
            "back": {"gone": ""},
        }
        settle(opened, {row_of(opened, key): values[what]})

    def follow(known: dict[str, tuple[str, bool]], since: int, upto: int) -> dict[str, tuple[str, bool]]:
        return known | {one.key: (one.digest, one.gone != "") for one in entries(opened, since, upto)}

    end = last(opened)
    truth = {row.key: (row.digest, row.gone != "") for row in opened.read(sa.select(articles))}
    assert follow(follow({}, 0, min(bite, end)), min(bite, end), end) == truth
    assert follow({}, 0, end) == truth
    opened.close()


def test_a_log_of_many_pages_is_read_whole(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "_PAGE", 3)
    ledger.keep([kept(f"k{number}") for number in range(10)])
    assert [number for number, *_ in told(ledger)] == list(range(1, 11))


def test_a_ledger_without_a_log_gets_one(tmp_path: Path) -> None:
    """A line for each post in the order of their rows, then one for each tombstone; the log is begun once."""
    path = tmp_path / "ledger.sqlite"
    first = Ledger(path)
    first.keep([kept("b"), kept("a")])
    settle(first, {row_of(first, "b"): {"gone": "2026-03-02T00:00:00Z", "since": "2026-03-01T00:00:00Z"}})
    old = log_id(first)
    first.close()
    connection = sqlite3.connect(path)
    for name in ("insert", "update", "stay", "last"):
        connection.execute(f"drop trigger changes_{name}")
    connection.executescript("drop table changes; delete from meta where name = 'log'")
    connection.close()
    frozen = Ledger(path, frozen=True)
    assert log_id(frozen) == ""
    frozen.close()
    for _ in range(2):
        opened = Ledger(path)
        assert all_lines(opened) == [("b", "new"), ("a", "new"), ("b", "tombstone")]
        assert [one.moment for one in entries(opened, 0, 3)][::2] == ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"]
        opened.keep([kept("b")])
        new = log_id(opened)
        opened.close()
    assert new not in ("", old)
