"""presskeep with a count of what it does and holds: ``python -m tests.benchmarks.counted COUNTS.json VERB ...``."""

from __future__ import annotations

import atexit
import gc
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from scrapy import Request
from scrapy.http import Response

import crawler.frontier
import crawler.run
from crawler.archive.captures import Response as Captured
from crawler.archive.ledger import Row
from crawler.cli import main
from crawler.items import Article

_BATCH, _LEASE, _LOW = 8, 6, 2
"""Instead of what a run takes at once: a few articles show whether what it holds stays the same."""
_STEP = 100
"""Steps of SQLite's machine between two looks."""
HELD = (Request, Response, Article, Row, Captured, crawler.run.Post)
"""What a run holds for each article under way."""


class Counts:
    """Work of the ledger, and what is held after each batch."""

    def __init__(self) -> None:
        self.statements = self.rows = self.steps = 0
        self.held: list[dict[str, int]] = []

    def connected(self, connection: sqlite3.Connection, _: object) -> None:
        """Count on this connection."""
        connection.row_factory = self._row
        connection.set_progress_handler(self._stepped, _STEP)
        connection.set_trace_callback(self._executed)

    def _row(self, _: sqlite3.Cursor, row: tuple[Any, ...]) -> tuple[Any, ...]:
        self.rows += 1
        return row

    def _stepped(self) -> int:
        self.steps += _STEP
        return 0

    def _executed(self, _: str) -> None:
        self.statements += 1

    def after(self, flush: Callable[[crawler.run.Run], None]) -> Callable[[crawler.run.Run], None]:
        """``flush``, and then a look at what is held."""

        def flushed(run: crawler.run.Run) -> None:
            flush(run)
            gc.collect()
            alive = Counter(type(one) for one in gc.get_objects())
            held = {f"{kind.__module__}.{kind.__name__}": alive[kind] for kind in HELD}
            if not self.held:
                gc.freeze()  # later looks pass over all that is loaded
            self.held.append({**held, "blocks": sys.getallocatedblocks()})

        return flushed

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(vars(self)), encoding="utf-8")


if __name__ == "__main__":
    counts = Counts()
    sa.event.listen(sa.Engine, "connect", counts.connected)
    crawler.run._BATCH, crawler.frontier._LEASE, crawler.frontier._LOW = _BATCH, _LEASE, _LOW
    crawler.run.Run.flush = counts.after(crawler.run.Run.flush)  # type: ignore[assignment, method-assign]
    atexit.register(counts.write, Path(sys.argv.pop(1)))
    main()
