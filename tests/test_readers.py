"""Pages read ahead: what was read by an older memory counts as long as the newer one says the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.archive.captures import Response
from crawler.archive.ledger import Ledger, Row
from crawler.memory import Memory
from crawler.readers import PageReader, Readers, Task, still_holds
from crawler.run import Post
from crawler.sources import Source
from tests.test_generic import PROMO, news, unruled
from tests.test_warcs import SITE

SOURCE = Source.model_validate({**unruled(SITE), "politeness": {"delay": 1}})
READER = PageReader([SOURCE], ())


def task(number: int, *more: str) -> Task:
    url = SITE.address(f"/a/{100000 + number}.html")
    page = news(number, *more)
    response = Response(url, 200, (("Content-Type", page.kind),), page.data, "2026-03-30T00:00:00Z", {})
    return Task(Row(0, "riverbend", f"{100000 + number}", "riverbend", {"url": url}, "", 0), response)


def note(memory: Memory, number: int, *more: str) -> Post:
    """Keep an article, read by this memory."""
    outcome = READER.read(task(number, *more), memory)
    assert outcome.article is not None
    key = outcome.article.key
    made = Post("", b"", "riverbend", key, "riverbend", reading=outcome.article.reading)
    memory.note(made)
    return made


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def memory(ledger: Ledger) -> Memory:
    """Of twelve articles, eight of them durable."""
    memory = Memory(ledger)
    durable = [note(memory, number) for number in range(1, 9)]
    ledger.keep([], more=memory.statements(durable))
    for number in range(9, 12):
        note(memory, number)
    note(memory, 12, PROMO)
    return memory


def test_most_of_what_is_read_ahead_counts(ledger: Ledger, memory: Memory) -> None:
    outcome = READER.read(task(13), Memory(ledger))
    assert [name for name, *_ in outcome.asked] == ["told", "siblings", "known"]
    assert still_holds(outcome, memory)


def test_what_an_article_on_its_way_had_as_well_does_not(ledger: Ledger, memory: Memory) -> None:
    ahead = READER.read(task(13, PROMO), Memory(ledger))
    assert ahead.article is not None
    assert PROMO in ahead.article.body
    assert not still_holds(ahead, memory)
    now = READER.read(task(13, PROMO), memory)
    assert now.article is not None
    assert PROMO not in now.article.body


def test_of_tasks_no_more_are_taken_than_may_be_under_way(ledger: Ledger, memory: Memory) -> None:
    taken = []

    def tasks() -> Iterator[Task]:
        for number in range(20, 40):
            taken.append(number)
            yield task(number)

    with Readers([SOURCE], (), memory, ledger.path) as readers:
        for number, (done, outcome) in enumerate(readers.read(tasks()), 1):
            assert outcome.article is not None
            assert (done.row.key, len(taken)) == (f"{100019 + number}", number)
