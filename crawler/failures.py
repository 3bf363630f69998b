"""What went wrong with a request, in a few words for ledger and report."""

from __future__ import annotations

import re

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.spidermiddlewares.httperror import HttpError

from crawler.middlewares.refusals import Refusal
from crawler.replay import NotCaptured

_WORDS: dict[type[BaseException], str] = {
    CannotResolveHostError: "no such host",
    DownloadConnectionRefusedError: "connection refused",
    DownloadTimeoutError: "timed out",
    DownloadCancelledError: "larger than the limit",
    DownloadFailedError: "connection lost",
    ResponseDataLossError: "connection lost amid the answer",
    IgnoreRequest: "not allowed",
}
_TWISTED = re.compile(r"\[?<twisted\.python\.failure\.Failure [\w.]+: (.*?)>\]?$")
"""How Twisted wraps what a connection ended with."""


def words_for(error: BaseException) -> str:
    """Such as ``HTTP 404`` or ``timed out (…)``."""
    if isinstance(error, Refusal):
        return str(error)
    if isinstance(error, HttpError):
        return f"HTTP {error.response.status}"
    said = _TWISTED.sub(r"\1", str(error))
    for kind, words in _WORDS.items():
        if isinstance(error, kind) and not isinstance(error, NotCaptured):
            return f"{words} ({said})" if said else words
    return said or type(error).__name__
