"""Captured pages read by several processes: answers in, articles out, in the order in which they came.

What a page without rules gives depends on the pages that were kept before it. A worker reads it by what the ledger
holds at the moment and notes what it asked; whoever keeps the articles, in order, asks the same again, and reads the
page himself where the answer is another by now. So the articles are those of one process, whatever the workers do.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Any

from crawler import settings
from crawler.archive.captures import Response, payload_digest, record_bytes
from crawler.archive.ledger import Ledger, Row
from crawler.assemble import Assembler, Beyond
from crawler.items import Article, Refused
from crawler.memory import Hindsight, Memory, Remembers, Told
from crawler.received import Received, article_of
from crawler.sources import Source
from crawler.steps import cleaned

_AHEAD = 4
"""Pages that wait for each worker, so that none idles."""
_HELD = 32 * 1024 * 1024
"""Bytes of pages that may be under way; one page may be larger."""

Question = tuple[str, tuple[Any, ...], Any]
"""Method of a memory, what it was asked, what it said."""


@dataclass(frozen=True, slots=True)
class Task:
    """A page that is to be read."""

    row: Row
    response: Response
    packed: bool = False
    """Whether its record is wanted as well, packed for the captures."""
    mark: Any = None
    """For whoever gave it."""


@dataclass(slots=True)
class Outcome:
    """What a page gave."""

    article: Article | None = None
    """With a clean body; None where it is no article."""
    reason: str = ""
    """Why not."""
    fault: bool = False
    """Whether that is a fault of presskeep itself."""
    asked: list[Question] = field(default_factory=list)
    """What the memory was asked."""
    packed: bytes = b""


class PageReader:
    """Reads pages of some sources; rules are compiled once."""

    def __init__(self, sources: Sequence[Source], agencies: Collection[str], *, own_python: bool = False) -> None:
        self._sources = {source.id: source for source in sources}
        self._agencies = agencies
        self._own_python = own_python
        self._assemblers: dict[str, Assembler] = {}

    def read(self, task: Task, memory: Remembers | None) -> Outcome:
        """Never raises: what goes wrong with one page is its outcome."""
        source = self._sources[task.row.source]
        outcome = Outcome()
        noting = _Noting(memory, outcome.asked) if memory is not None and not source.is_ruled else None
        try:
            digest = payload_digest(task.response.payload)
            assembler = self._assembler(source)
            assembler.beyond = Beyond(noting, self._agencies)
            article = article_of(Received.of(task.response, digest), task.row, assembler)
            if source.politeness.heed_opt_outs and (said := article.disagreements.get("opt_outs")):
                raise Refused(f"opted out: {said[1]}")
            cleaned(article, source)
            outcome.article = article
            outcome.packed = record_bytes(task.response, digest) if task.packed else b""
        except Refused as error:
            outcome.reason = str(error)
        except Exception as error:  # one page must not end a file of a million
            outcome.reason, outcome.fault = f"fault: {error!r}", True
        return outcome

    def _assembler(self, source: Source) -> Assembler:
        if source.id not in self._assemblers:
            module, _, name = settings.WAYS.rpartition(".")
            ways = getattr(import_module(module), name)(source, own_python=self._own_python)
            self._assemblers[source.id] = ways.assembler
        return self._assemblers[source.id]


class _Noting:
    """A memory, and what it was asked."""

    def __init__(self, memory: Remembers, asked: list[Question]) -> None:
        self._memory, self._asked = memory, asked

    def told(self, space: str, key: str) -> Told | None:
        return self._noted("told", space, key)  # type: ignore[no-any-return]

    def known(self, source: str, key: str, prints: Sequence[int]) -> dict[int, bool]:
        return self._noted("known", source, key, tuple(prints))  # type: ignore[no-any-return]

    def siblings(self, source: str, key: str) -> tuple[str, ...]:
        return self._noted("siblings", source, key)  # type: ignore[no-any-return]

    def _noted(self, name: str, *about: Any) -> Any:
        said = getattr(self._memory, name)(*about)
        self._asked.append((name, about, said))
        return said


def still_holds(outcome: Outcome, memory: Remembers) -> bool:
    """Whether a memory says what the one said that a page was read with."""
    return all(getattr(memory, name)(*about) == said for name, about, said in outcome.asked)


class Readers:
    """The processes; ``jobs`` of 1 reads in this one."""

    def __init__(
        self,
        sources: Sequence[Source],
        agencies: Collection[str],
        memory: Remembers,
        ledger: Path,
        *,
        jobs: int = 1,
        own_python: bool = False,
        hindsight: bool = False,
    ) -> None:
        """``memory`` is the true one; workers have one each, over the ``ledger`` file, ``hindsight`` or not."""
        self._own = PageReader(sources, agencies, own_python=own_python)
        self._memory = memory
        self._jobs = jobs
        generic = any(not source.is_ruled for source in sources)
        self._told = sources, agencies, own_python, ledger if generic else None, hindsight
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Readers:
        if self._jobs > 1:
            self._pool = ProcessPoolExecutor(self._jobs, get_context("spawn"), _begin, self._told)
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def read(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Outcome]]:
        """Each task with its outcome, in order; of tasks no more are taken than may be under way."""
        if self._pool is None:
            for task in tasks:
                yield task, self._own.read(task, self._memory)
            return
        under_way: deque[tuple[Task, Future[Outcome]]] = deque()
        held = 0
        for task in tasks:
            under_way.append((task, self._pool.submit(_read, task)))
            held += len(task.response.payload)
            while under_way and (len(under_way) > self._jobs * _AHEAD or held > _HELD):
                first, future = under_way.popleft()
                held -= len(first.response.payload)
                yield first, self._settled(first, future.result())
        for first, future in under_way:
            yield first, self._settled(first, future.result())

    def _settled(self, task: Task, outcome: Outcome) -> Outcome:
        return outcome if still_holds(outcome, self._memory) else self._own.read(task, self._memory)


# in a worker

_reader: PageReader | None = None
_ledger: Ledger | None = None
_memory_of: Any = Memory


def _begin(
    sources: Sequence[Source], agencies: Collection[str], own_python: bool, ledger: Path | None, hindsight: bool
) -> None:
    global _reader, _ledger, _memory_of  # a worker's own, set once
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends in good order
    Thread(target=_end_with_parent, daemon=True).start()
    _reader = PageReader(sources, agencies, own_python=own_python)
    _ledger = Ledger(ledger) if ledger is not None else None
    _memory_of = Hindsight if hindsight else Memory


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for ever."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _read(task: Task) -> Outcome:
    assert _reader is not None
    return _reader.read(task, _memory_of(_ledger) if _ledger is not None else None)
