"""The memory of a source: what another article had first, for how long, and that batches and kills change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive.ledger import Ledger
from crawler.items import Reading
from crawler.memory import REMEMBERED, Memory, Remade, Told
from crawler.run import Post


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def post(key: str, blocks: Sequence[int], struck: Sequence[int] = (), source: str = "s", **more: Any) -> Post:
    reading = Reading(f"Title {key}", tuple(blocks), tuple(struck), **more)
    return Post(f"{key}.md", b"", source, key, source, reading=reading)


def flush(ledger: Ledger, memory: Memory, *posts: Post) -> None:
    ledger.keep([], more=memory.statements(posts))


def kept(ledger: Ledger, memory: Memory, *posts: Post) -> None:
    for one in posts:
        memory.note(one)
    flush(ledger, memory, *posts)


def rows(ledger: Ledger) -> tuple[list[Any], list[Any]]:
    return tuple(  # type: ignore[return-value]
        [tuple(row) for row in ledger._connection.exec_driver_sql(f"select * from {table} order by 1, 2")]
        for table in ("blocks", "readings")
    )


def test_what_another_article_had_first(ledger: Ledger) -> None:
    memory = Memory(ledger)
    assert memory.known("s", "a", [1, 2]) == {}
    first, second = post("a", [1, 2, 3]), post("b", [4], struck=[1])
    memory.note(first)
    assert memory.known("s", "b", [1, 2, 9]) == {1: False, 2: False}, "before it is durable"
    assert memory.known("s", "a", [1, 2, 9]) == {}, "its own are its own"
    assert memory.known("other", "b", [1, 2]) == {}, "each source has its own"
    memory.note(second)
    assert memory.known("s", "c", [1, 2, 4]) == {1: True, 2: False, 4: False}
    flush(ledger, memory, first, second)
    for one in (memory, Memory(ledger)):
        assert one.known("s", "c", [1, 2, 4, 9]) == {1: True, 2: False, 4: False}
        assert one.known("s", "a", [1, 2]) == {}, "also where another had it too"


def test_a_page_of_more_blocks_than_one_question_holds(ledger: Ledger) -> None:
    memory, many = Memory(ledger), list(range(40_000))
    kept(ledger, memory, post("a", many))
    assert memory.known("s", "b", many) == dict.fromkeys(many, False)


def test_what_one_article_alone_had_is_forgotten(ledger: Ledger) -> None:
    memory = Memory(ledger)
    kept(ledger, memory, post("a", [1, 2]), post("b", [3], struck=[1]))
    kept(ledger, memory, *(post(f"n{number}", [100 + number]) for number in range(REMEMBERED - 2)))
    assert memory.known("s", "z", [1, 2, 3]) == {1: True, 2: False, 3: False}
    kept(ledger, memory, post("x", [5]))
    assert memory.known("s", "z", [1, 2, 3]) == {1: True, 3: False}, "what several had stays"
    assert ledger._connection.exec_driver_sql("select count(*) from blocks").scalar() == REMEMBERED + 1


def test_one_key_is_one_page_however_often_it_is_read(ledger: Ledger) -> None:
    memory, one = Memory(ledger), post("a", [1, 2])
    kept(ledger, memory, one)
    before = rows(ledger)
    kept(ledger, Memory(ledger), one)  # its row was lost in a kill, and it is read again
    assert rows(ledger)[0] == before[0]
    memory.edited(post("a", [1, 7]))
    flush(ledger, memory)
    assert memory.known("s", "b", [1, 2, 7]) == {1: False, 2: False, 7: False}
    assert memory.statements([]) == [], "an edit is noted once"


def test_what_was_told_of_an_article(ledger: Ledger) -> None:
    memory = Memory(ledger)
    assert memory.told("s", "a") is None
    kept(ledger, memory, post("a", [1]), post("b", [2], struck=[1], spared=(3,), siblings=("Title a",)))
    assert memory.told("s", "a") == Told()
    assert memory.told("s", "b") == Told(frozenset([1]), frozenset([3]), ("Title a",))


def test_titles_of_the_latest_other_pages(ledger: Ledger) -> None:
    memory = Memory(ledger)
    kept(ledger, memory, *(post(key, []) for key in "abcdefg"))
    memory.note(post("h", []))
    assert memory.siblings("s", "h") == tuple(f"Title {key}" for key in "gfedc")
    assert memory.siblings("s", "x") == tuple(f"Title {key}" for key in "hgfed")
    assert Memory(ledger).siblings("s", "c") == tuple(f"Title {key}" for key in "dba"), "as of the fourth"


def test_titles_stay_the_same_for_a_while_whoever_asks(ledger: Ledger) -> None:
    """So that pages may be read by what is durable, ahead of the articles before them."""
    memory, asked = Memory(ledger), []
    for number in range(1, 10):
        asked.append(memory.siblings("s", "x"))
        memory.note(post(f"{number}", []))
        assert memory.siblings("s", "x") == asked[-1] or number in (1, 2, 4, 8)
    assert asked[4:8] == [tuple(f"Title {n}" for n in (4, 3, 2, 1))] * 4
    kept(ledger, Memory(ledger), *(post(f"{number}", []) for number in range(1, 7)))
    assert Memory(ledger).siblings("s", "x") == asked[7], "of six articles, those of four"


def test_posts_without_a_reading_leave_nothing(ledger: Ledger) -> None:
    memory, ruled = Memory(ledger), Post("a.md", b"", "s", "a", "s")
    memory.note(ruled)
    assert memory.statements([ruled]) == []


def test_made_anew_from_posts(ledger: Ledger) -> None:
    from crawler.extract.body import fingerprint

    remade = Remade("s", "s")
    remade.learn("a", ["A line that says something.", "", "Another   line."])
    remade.learn("b", ["A line that says something.", "A third."])
    ledger.keep([], more=remade.statements)
    prints = [fingerprint(line) for line in ("A line that says something.", "Another line.", "A third.")]
    assert Memory(ledger).known("s", "c", prints) == dict.fromkeys(prints, False)
    assert Memory(ledger).known("s", "a", prints) == {prints[2]: False}


Pages = list[tuple[list[int], bool]]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 5), max_size=6), st.booleans())))
def test_batches_and_kills_change_nothing(tmp_path_factory: pytest.TempPathFactory, pages: Pages) -> None:
    """``True``: after this article a batch is durable, and the run is killed before the next one is."""
    folder = tmp_path_factory.mktemp("memory")
    ends = []
    for often in (False, True):
        ledger = Ledger(folder / f"{often}.sqlite")
        memory, waiting = Memory(ledger), []
        for number, (blocks, ends_batch) in enumerate(pages):
            known = memory.known("s", str(number), blocks)
            one = post(str(number), [block for block in blocks if block not in known], sorted(known))
            memory.note(one)
            waiting.append(one)
            if often and ends_batch:
                flush(ledger, memory, *waiting)
                memory, waiting = Memory(ledger), []
        flush(ledger, memory, *waiting)
        ends.append(rows(ledger))
        ledger.close()
    assert ends[0] == ends[1]
