"""Progress of a crawl: a live table on a terminal, plain lines under cron."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.utils.asyncio import create_looping_call

from crawler.components import open_run
from crawler.plan import how_far

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.report import Report
    from crawler.run import Run

_REDRAW_SECONDS = 0.5
_LINE_SECONDS = 60.0


class Progress:
    """Looks at the run's report now and then; costs an article nothing."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._live: Any = None
        self._loop: Any = None
        self._said = time.monotonic()
        crawler.signals.connect(self.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(self.spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Progress:
        """As Scrapy makes it."""
        return cls(crawler)

    def spider_opened(self) -> None:
        """Begin to show; not where no run is open, as under ``scrapy shell``."""
        if open_run(self._crawler) is None:
            return
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            self._live.start()
        self._loop = create_looping_call(self._look)
        self._loop.start(_REDRAW_SECONDS, now=False)

    def spider_closed(self) -> None:
        """The table goes; the report stays."""
        if self._loop is not None and self._loop.running:
            self._loop.stop()
        if self._live is not None:
            self._live.stop()

    def _look(self) -> None:
        run = open_run(self._crawler)
        if run is None:
            return
        if self._live is not None:
            self._live.update(_drawn(run), refresh=True)
        elif time.monotonic() - self._said >= _LINE_SECONDS:
            self._said = time.monotonic()
            far = [how_far(run.backfill.pace)] if run.backfill and run.backfill.pace else []
            print("\n".join([*lines(run.report), *far]), file=sys.stderr, flush=True)


def lines(report: Report) -> list[str]:
    """One plain line per source that has begun."""
    return [
        f"{one.source}: listed {one.listed}, fetched {one.fetched}, kept {one.kept}, refused {one.refused}"
        for one in report.sources.values()
        if one.seconds
    ]


def _drawn(run: Run) -> Any:
    """The table, and the bar of a backfill below."""
    if run.backfill is None or (pace := run.backfill.pace) is None:
        return _table(run.report)
    from rich.console import Group
    from rich.progress_bar import ProgressBar

    return Group(_table(run.report), ProgressBar(pace.total, pace.done, width=60), how_far(pace))


def _table(report: Report) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("source", "listed", "fetched", "kept", "refused"):
        table.add_column(column, justify="left" if column == "source" else "right")
    for one in report.sources.values():
        table.add_row(one.source, *map(str, (one.listed, one.fetched, one.kept, one.refused)))
    return table
