"""The ledger: nothing listed is forgotten, done means durable, and a torn file says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.archive import ledger as module
from crawler.archive.ledger import (
    RETRY_AFTER,
    Capture,
    Entry,
    Found,
    Kept,
    Ledger,
    LedgerError,
    Validators,
    stamp,
)

NOW = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=60)
LIST = "https://gazette.example/list"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "state" / "ledger.sqlite")
    yield opened
    opened.close()


def entries(*keys: str, **hints: str) -> list[Entry]:
    return [Entry(key, {"url": f"https://gazette.example/{key}", **hints}) for key in keys]


def discover(ledger: Ledger, *keys: str, walk: str = "", space: str = "papers", source: str = "gazette") -> Found:
    return ledger.discover(source, space, entries(*keys), NOW, walk)


def leased(ledger: Ledger, now: datetime = NOW, after: int = 0, limit: int = 100, source: str = "gazette") -> list[str]:
    return [row.key for row in ledger.lease(source, after, limit, now)]


def kept(key: str, **changes: Any) -> Kept:
    return replace(Kept("papers", key, "gazette", f"_posts/{key}.md", "d"), **changes)


def raw(ledger: Ledger, statement: str) -> list[tuple[Any, ...]]:
    """What another connection sees: only what is committed."""
    connection = sqlite3.connect(ledger.path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


# the frontier


def test_new_keys_are_queued_and_known_ones_stay(ledger: Ledger) -> None:
    assert discover(ledger, "a", "b") == Found(2, 0, [])
    assert discover(ledger, "b", "c") == Found(1, 1, [])
    assert discover(ledger, "a", "b", "c") == Found(0, 3, [])
    assert leased(ledger) == ["a", "b", "c"]
    assert ledger.queued("gazette") == 3
    assert ledger.queued("other") == 0
    assert (ledger.state("papers", "a"), ledger.state("papers", "z"), ledger.state("x", "a")) == ("queued", "", "")


def test_a_row_carries_what_the_list_said_and_when_it_was_first_seen(ledger: Ledger) -> None:
    said = {"title": "“Sturm” im 新闻", "published": "2024-02-29", "url": "https://gazette.example/a"}
    ledger.discover("gazette", "papers", [Entry("a", said)], NOW)
    ledger.discover("gazette", "papers", [Entry("a", {"title": "another"})], LATER)
    (row,) = ledger.lease("gazette", 0, 9, LATER)
    assert (row.key, row.space, row.source, row.hints, row.seen, row.tries) == (
        "a",
        "papers",
        "gazette",
        said,
        "2024-02-29T12:00:00Z",
        0,
    )


def test_sources_that_share_a_space_share_keys(ledger: Ledger) -> None:
    assert discover(ledger, "a").new == 1
    assert discover(ledger, "a", source="mirror") == Found(0, 1, [])
    assert discover(ledger, "a", source="mirror", space="own") == Found(1, 0, [])
    assert leased(ledger, source="mirror") == ["a"]


def test_of_several_mentions_on_one_page_the_first_counts(ledger: Ledger) -> None:
    found = ledger.discover("gazette", "papers", [Entry("a", {"title": "1"}), Entry("a", {"title": "2"})], NOW)
    assert found == Found(1, 0, [])
    assert [row.hints for row in ledger.lease("gazette", 0, 9, NOW)] == [{"title": "1"}]


def test_a_list_longer_than_one_question(ledger: Ledger) -> None:
    keys = [f"k{number}" for number in range(module._CHUNK * 2 + 1)]
    assert discover(ledger, *keys).new == len(keys)
    assert discover(ledger, *keys, "fresh") == Found(1, len(keys), [])


def test_refused_by_the_list_alone_until_the_record_is_mended(ledger: Ledger) -> None:
    bad = Entry("a", {"url": "u"}, "the list gives no title")
    assert ledger.discover("gazette", "papers", [bad], NOW) == Found(0, 0, [bad])
    assert ledger.discover("gazette", "papers", [bad], NOW) == Found(0, 1, [])
    assert ledger.state("papers", "a") == "refused"
    assert ledger.refusals() == [("gazette", "a", "the list gives no title")]
    assert leased(ledger, LATER) == []
    assert ledger.discover("gazette", "papers", [Entry("a", {"url": "u"})], NOW).new == 0  # whole, but nothing changed
    assert ledger.discover("gazette", "papers", [Entry("a", {"url": "u", "title": "t"})], NOW) == Found(1, 0, [])
    assert leased(ledger) == ["a"]
    assert ledger.refusals() == []


def test_leases_go_on_where_the_last_one_ended_in_the_order_of_discovery(ledger: Ledger) -> None:
    discover(ledger, *"zyxwv")
    rows = ledger.lease("gazette", 0, 2, NOW)
    assert [row.key for row in rows] == ["z", "y"]
    assert leased(ledger, after=rows[-1].id, limit=2) == ["x", "w"]
    assert leased(ledger) == list("zyxwv")  # a lease takes nothing away
    ledger.keep([kept("z")])
    assert leased(ledger) == list("yxwv")
    assert leased(ledger, source="other") == []


def test_the_queue_is_read_by_its_index(ledger: Ledger) -> None:
    asked: list[tuple[str, Any]] = []
    sa.event.listen(ledger.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    ledger.lease("gazette", 0, 9, NOW)
    ((statement, values),) = asked
    plan = ledger._connection.connection.driver_connection
    assert plan is not None
    (step,) = [row[3] for row in plan.execute(f"explain query plan {statement}", values).fetchall()]
    assert step.startswith("SEARCH articles USING INDEX articles_queue (source=? AND ")


# outcomes


def test_refusals_come_back_with_growing_gaps_until_there_are_none_left(ledger: Ledger) -> None:
    discover(ledger, "a")
    moment = NOW
    for tries, gap in enumerate(RETRY_AFTER, 1):
        ledger.refuse("papers", "a", f"reason {tries}", moment)
        assert ledger.refusals() == [("gazette", "a", f"reason {tries}")]
        assert leased(ledger, moment + gap - timedelta(seconds=1)) == []
        moment += gap
        assert [row.tries for row in ledger.lease("gazette", 0, 9, moment)] == [tries]
    ledger.refuse("papers", "a", "the last one", moment)
    assert leased(ledger, moment + timedelta(days=3650)) == []
    assert list(RETRY_AFTER) == sorted(set(RETRY_AFTER))
    assert ledger.counts() == {"gazette": {"refused": 1}}


def test_what_is_done_is_never_refused(ledger: Ledger) -> None:
    discover(ledger, "a")
    ledger.keep([kept("a")])
    ledger.refuse("papers", "a", "a worse page", NOW)
    assert ledger.state("papers", "a") == "done"
    assert ledger.refusals() == []
    assert [post.path for post in ledger.posts()] == ["_posts/a.md"]


def test_keeping_is_idempotent_and_ends_a_refusal(ledger: Ledger) -> None:
    discover(ledger, "a")
    ledger.refuse("papers", "a", "for now", NOW)
    for _ in range(2):
        ledger.keep([kept("a", capture="sha256:C", notes="{}")])
    assert list(ledger.posts()) == [kept("a", capture="sha256:C", notes="{}")]
    assert ledger.refusals() == []
    assert leased(ledger, LATER) == []
    assert raw(ledger, "select reason, seen from articles") == [("", "2024-02-29T12:00:00Z")]


def test_a_post_that_no_list_named_is_added(ledger: Ledger) -> None:
    ledger.keep([kept("a")])
    assert ledger.state("papers", "a") == "done"
    assert discover(ledger, "a") == Found(0, 1, [])


def test_keeping_nothing_writes_nothing(ledger: Ledger) -> None:
    before = raw(ledger, "pragma data_version"), ledger.path.with_name("ledger.sqlite-wal").stat().st_size
    ledger.keep([])
    assert (raw(ledger, "pragma data_version"), ledger.path.with_name("ledger.sqlite-wal").stat().st_size) == before


def test_posts_and_captures_are_said_in_one_transaction(ledger: Ledger) -> None:
    discover(ledger, "a")
    one = Capture("sha256:C", "https://gazette.example/a", "presskeep-1.warc.gz", 0, 99)
    with pytest.raises(sa.exc.IntegrityError):
        ledger.keep([kept("a"), kept(None)], [one], {"presskeep-1.warc.gz": 99})  # type: ignore[arg-type]
    assert ledger.state("papers", "a") == "queued"
    assert list(ledger.captures()) == []
    assert ledger.segment_sizes() == {}
    ledger.keep([kept("a")], [one], {"presskeep-1.warc.gz": 99})
    assert raw(ledger, "select state from articles") == [("done",)]
    assert raw(ledger, "select digest from captures") == [("sha256:C",)]
    assert raw(ledger, "select name, size from segments") == [("presskeep-1.warc.gz", 99)]


def test_an_alias_is_never_asked_and_its_article_never_forgotten(ledger: Ledger) -> None:
    """A run may be killed between the alias and the post."""
    discover(ledger, "mobile", "other")
    ledger.alias("papers", "mobile", "true", NOW)
    assert ledger.state("papers", "mobile") == "alias"
    assert leased(ledger) == ["other"]  # in hand in this run
    (_, row) = ledger.lease("gazette", 0, 9, NOW + timedelta(seconds=1))
    assert (row.key, row.seen, row.tries) == ("true", "2024-02-29T12:00:00Z", 0)
    assert row.hints == {"url": "https://gazette.example/mobile"}
    ledger.keep([kept("true")])
    assert leased(ledger, LATER) == ["other"]
    assert discover(ledger, "mobile", "true") == Found(0, 2, [])


def test_a_refused_article_behind_an_alias_is_tried_again(ledger: Ledger) -> None:
    discover(ledger, "mobile")
    ledger.alias("papers", "mobile", "true", NOW)
    ledger.refuse("papers", "true", "a consent wall", NOW)
    assert ledger.refusals() == [("gazette", "true", "a consent wall")]
    assert leased(ledger, NOW + RETRY_AFTER[0]) == ["true"]


def test_an_alias_of_what_is_known_changes_nothing_there(ledger: Ledger) -> None:
    discover(ledger, "mobile", "true", "print")
    ledger.keep([kept("true")])
    ledger.alias("papers", "mobile", "true", NOW)
    assert ledger.state("papers", "true") == "done"
    ledger.alias("papers", "print", "unknown", NOW)
    ledger.alias("papers", "print", "unknown", NOW)
    ledger.alias("papers", "true", "mobile", NOW)  # what is done stays done
    assert ledger.counts() == {"gazette": {"alias": 2, "done": 1, "queued": 1}}
    assert raw(ledger, "select reason from articles where state = 'alias' order by id") == [("true",), ("unknown",)]


def test_of_two_that_claim_each_other_one_stays_in_the_queue(ledger: Ledger) -> None:
    discover(ledger, "a", "b")
    ledger.alias("papers", "a", "b", NOW)
    ledger.alias("papers", "b", "a", NOW)
    assert ledger.counts() == {"gazette": {"alias": 1, "queued": 1}}


def test_the_owner_of_a_path_in_any_case(ledger: Ledger) -> None:
    ledger.keep([kept("a", path="_posts/2024-02-29-NWcase1.md")])
    assert ledger.owner("_posts/2024-02-29-nwCASE1.md") == ("papers", "a")
    assert ledger.owner("_posts/2024-02-29-nwcase.md") is None
    plan = raw(ledger, "explain query plan select space from articles where lower(path) = 'x'")
    assert "articles_path" in plan[0][3]


# lists


def validators(url: str = LIST, rules: str = "r1", **changes: str) -> Validators:
    return Validators(**{"url": url, "source": "gazette", "rules": rules, "etag": '"1"', **changes})


def test_validators_hold_for_the_rules_they_were_read_with(ledger: Ledger) -> None:
    ledger.end_walk(LIST, [validators(), validators(LIST + "/2", etag="", modified="Thu, 29 Feb 2024", digest="d")])
    assert ledger.validators(LIST, "r1") == validators()
    assert ledger.validators(LIST + "/2", "r1") == validators(
        LIST + "/2", etag="", modified="Thu, 29 Feb 2024", digest="d"
    )
    assert ledger.validators(LIST, "r2") is None
    assert ledger.validators(LIST + "/3", "r1") is None
    ledger.end_walk(LIST, [validators(rules="r2", etag='"2"')])
    assert ledger.validators(LIST, "r1") is None
    assert ledger.validators(LIST, "r2") == validators(rules="r2", etag='"2"')


def test_a_walk_is_open_from_its_first_find_to_its_end(ledger: Ledger) -> None:
    assert not ledger.walk_is_open(LIST)
    discover(ledger, "a", walk=LIST)
    discover(ledger, "b", walk=LIST)
    assert ledger.walk_is_open(LIST)
    assert not ledger.walk_is_open(LIST + "/other")
    ledger.end_walk(LIST, [])
    assert not ledger.walk_is_open(LIST)


def test_a_page_of_known_articles_opens_no_walk(ledger: Ledger) -> None:
    discover(ledger, "a")
    discover(ledger, "a", walk=LIST)
    assert not ledger.walk_is_open(LIST)


def test_articles_and_their_walk_are_committed_together(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a kill between the two would: neither is there."""
    monkeypatch.setattr(module, "insert", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        discover(ledger, "a", walk=LIST)
    monkeypatch.undo()
    assert raw(ledger, "select count(*) from articles") == [(0,)]
    assert discover(ledger, "a", walk=LIST).new == 1
    assert raw(ledger, "select key from articles") == [("a",)]  # committed on return
    assert raw(ledger, "select url from walks") == [(LIST,)]


def test_validators_and_the_end_of_the_walk_are_committed_together(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    discover(ledger, "a", walk=LIST)
    monkeypatch.setattr(module.walks, "delete", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ledger.end_walk(LIST, [validators()])
    monkeypatch.undo()
    assert ledger.walk_is_open(LIST)
    assert ledger.validators(LIST, "r1") is None


# captures and runs


def test_captures_are_known_by_digest_and_address(ledger: Ledger) -> None:
    one = Capture("sha256:C", "https://gazette.example/a", "presskeep-1.warc.gz", 0, 99)
    ledger.keep([], [one, one], {"presskeep-1.warc.gz": 99})
    ledger.keep([], [one], {"presskeep-1.warc.gz": 150, "presskeep-2.warc.gz": 7})
    assert list(ledger.captures()) == [one]
    assert ledger.segment_sizes() == {"presskeep-1.warc.gz": 150, "presskeep-2.warc.gz": 7}
    assert ledger.captured("sha256:C", one.url)
    assert not ledger.captured("sha256:C", one.url + "?")
    assert not ledger.captured("sha256:D", one.url)
    assert ledger.find_capture("sha256:C") == one
    assert ledger.find_capture("sha256:D") is None


def test_runs_with_their_reports_newest_first(ledger: Ledger) -> None:
    first = ledger.start_run(NOW)
    ledger.end_run(first, NOW + timedelta(minutes=1), 3, {"名": "报"})
    second = ledger.start_run(LATER)
    assert second > first
    assert ledger.last_runs() == [
        {"id": second, "started": stamp(LATER), "ended": "", "exit_code": None, "report": {}},
        {"id": first, "started": stamp(NOW), "ended": "2024-02-29T12:01:00Z", "exit_code": 3, "report": {"名": "报"}},
    ]
    assert [run["id"] for run in ledger.last_runs(1)] == [second]


def test_stamps_are_utc() -> None:
    assert stamp(datetime(2024, 3, 1, 1, 0, 0, 999, tzinfo=timezone(timedelta(hours=8)))) == "2024-02-29T17:00:00Z"


# the file


def test_what_is_committed_is_there_when_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "odd ?#%& name" / "ledger.sqlite"
    first = Ledger(path)
    discover(first, "a", walk=LIST)
    first.close()
    assert sorted(found.name for found in path.parent.iterdir()) == ["ledger.sqlite"]
    again = Ledger(path)
    assert leased(again) == ["a"]
    assert again.walk_is_open(LIST)
    again.close()


def test_power_cuts_are_provided_for(ledger: Ledger) -> None:
    def pragma(name: str) -> Any:
        return ledger._connection.scalar(sa.text(f"pragma {name}"))

    assert (pragma("journal_mode"), pragma("synchronous"), pragma("busy_timeout")) == ("wal", 2, 5000)


def test_a_second_connection_reads_while_the_first_writes(ledger: Ledger) -> None:
    with ledger._writing() as connection:
        connection.execute(sa.text("insert into walks values ('x')"))
        other = Ledger(ledger.path)
        assert not other.walk_is_open("x")
        other.close()
    assert ledger.walk_is_open("x")


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_cut_file_names_the_next_command(tmp_path: Path, part: float) -> None:
    path = tmp_path / "ledger.sqlite"
    first = Ledger(path)
    discover(first, *(f"k{number}" for number in range(500)))
    first.close()
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(LedgerError, match=r"ledger\.sqlite: the ledger is damaged.*Next: presskeep rebuild-ledger"):
        Ledger(path)


def test_a_file_with_a_hole_names_the_next_command(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first = Ledger(path)
    discover(first, *(f"k{number}" for number in range(500)))
    first.close()
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 4096] = b"\x55" * 4096
    path.write_bytes(bytes(data))
    with pytest.raises(LedgerError, match="presskeep rebuild-ledger"):
        Ledger(path)


def test_another_kind_of_file_names_the_next_command(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("id,url\n" * 1000)
    with pytest.raises(LedgerError, match=r"not a database.*presskeep rebuild-ledger"):
        Ledger(path)


def test_what_cannot_be_opened_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").mkdir()
    with pytest.raises(OSError, match=r"the ledger cannot be opened: .*unable to open database file"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_full_disk_is_an_os_error_and_changes_nothing(ledger: Ledger) -> None:
    discover(ledger, "a")
    pages = ledger._connection.scalar(sa.text("pragma page_count"))
    ledger._connection.exec_driver_sql(f"pragma max_page_count={pages}")
    with pytest.raises(OSError, match="database or disk is full"):
        discover(ledger, *(f"k{number}" for number in range(2000)), walk=LIST)
    ledger._connection.exec_driver_sql("pragma max_page_count=100000")
    assert ledger.counts() == {"gazette": {"queued": 1}}
    assert not ledger.walk_is_open(LIST)
    assert discover(ledger, "a", "b") == Found(1, 1, [])


def test_a_newer_ledger_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first = Ledger(path)
    assert raw(first, "select value from meta where name = 'schema'") == [(str(module.SCHEMA_VERSION),)]
    first.close()
    connection = sqlite3.connect(path)
    connection.executescript(f"update meta set value = '{module.SCHEMA_VERSION + 1}'; drop table walks;")
    connection.close()
    data = path.read_bytes()
    with pytest.raises(LedgerError, match=r"written by a newer presskeep \(schema 3\). Next: upgrade presskeep"):
        Ledger(path)
    assert path.read_bytes() == data


def test_a_ledger_is_made_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a kill while it is made would: no table without its index is left behind."""
    path = tmp_path / "ledger.sqlite"
    with monkeypatch.context() as patch:
        patch.setattr(module.meta, "insert", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Ledger(path)
    connection = sqlite3.connect(path)
    assert connection.execute("select count(*) from sqlite_master").fetchall() == [(0,)]
    connection.close()
    opened = Ledger(path)
    assert ("articles_queue",) in raw(opened, "select name from sqlite_master where type = 'index'")
    opened.close()


# all of it together

KEYS = st.sampled_from("abcde")
STEPS = st.lists(
    st.tuples(st.just("discover"), st.lists(KEYS, max_size=4))
    | st.tuples(st.sampled_from(["keep", "refuse"]), KEYS)
    | st.tuples(st.just("alias"), st.tuples(KEYS, KEYS)),
    max_size=15,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_nothing_that_was_ever_listed_is_forgotten(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("state") / "ledger.sqlite")
    listed: set[str] = set()
    done: set[str] = set()
    for step, what in steps:
        if step == "discover":
            discover(ledger, *what)
            listed |= set(what)
        elif step == "keep" and what in listed:
            ledger.keep([kept(what)])
            done.add(what)
        elif step == "refuse":
            ledger.refuse("papers", what, "reason", NOW)
        elif step == "alias" and what[0] in listed - done and what[0] != what[1]:
            key, of = what
            ledger.alias("papers", key, of, NOW)
            listed.add(of)
    states = {key: ledger.state("papers", key) for key in listed}
    aliases = dict(raw(ledger, "select key, reason from articles where state = 'alias'"))
    waiting = set(leased(ledger, LATER)) | {key for key, state in states.items() if state == "refused"}
    for key in listed:
        assert states[key], "forgotten"
        at, way = key, {key}
        while states.get(at) == "alias" and aliases[at] not in way:
            at = aliases[at]
            way.add(at)
        assert at in done or at in waiting, f"{key} leads to {at}, which nobody will ask for"
    assert {post.key for post in ledger.posts()} == done
    ledger.close()


def test_other_modules_read_and_write_in_one_transaction(ledger: Ledger) -> None:
    discover(ledger, "1", "2")
    rename = module.articles.update().where(module.articles.c.key == "1").values(reason="x")
    with pytest.raises(sa.exc.IntegrityError):
        ledger.write(rename, module.articles.update().values(key="3"))
    query = sa.select(module.articles.c.reason).order_by(module.articles.c.key)
    assert [row.reason for row in ledger.read(query)] == ["", ""], "all or none"
    ledger.write(rename)
    assert [row.reason for row in ledger.read(query)] == ["x", ""]


def test_a_ledger_of_the_first_schema_is_opened(tmp_path: Path) -> None:
    """Its rows are the crawls', and read by the same index."""
    path = tmp_path / "ledger.sqlite"
    first = Ledger(path)
    discover(first, "a", "b")
    first.close()
    connection = sqlite3.connect(path)
    connection.executescript(
        "drop index articles_queue; drop index articles_backfill; drop table backfills; drop table surveys;"
        "alter table articles drop column backfill; alter table articles drop column crawl;"
        "create index articles_queue on articles (source, id) where state in ('queued', 'refused');"
        "update meta set value = '1' where name = 'schema';"
    )
    connection.close()
    for _ in range(2):
        opened = Ledger(path)
        assert leased(opened) == ["a", "b"]
        assert raw(opened, "select value from meta where name = 'schema'") == [(str(module.SCHEMA_VERSION),)]
        (made,) = raw(opened, "select sql from sqlite_master where name = 'articles_queue'")
        assert "crawl = 1" in made[0]
        opened.close()
