"""Work that ends in good order when it is asked to: after the piece at hand, with what it has made durable."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.report import Report


@contextmanager
def in_good_order(report: Report) -> Iterator[None]:
    """SIGINT and SIGTERM mark the report as interrupted, for whoever works to look at; Scrapy does so for crawls."""
    if threading.current_thread() is not threading.main_thread():  # only there may signals be handled
        yield
        return

    def end(*_: object) -> None:
        report.interrupted = True

    before = {one: signal.signal(one, end) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
