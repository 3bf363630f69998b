"""What a run may spend: time and requests. Once one of them is spent, nothing more is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta


class Budget:
    """Without a span and a number nothing is ever spent."""

    def __init__(
        self, span: timedelta | None = None, requests: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``requests``: for lists and articles, redirects and retries among them; robots.txt is not counted."""
        self._span, self._requests, self._clock = span, requests, clock
        self._begun = clock()
        self._asked = 0

    def take(self) -> None:
        """One request goes out."""
        self._asked += 1

    @property
    def spent(self) -> str:
        """What is spent, in words; empty while there is some left."""
        if self._requests and self._asked >= self._requests:
            return f"{self._requests} requests"
        if self._span is not None and self._clock() - self._begun >= self._span.total_seconds():
            return f"{self._span.total_seconds() / 60:g} minutes"
        return ""
