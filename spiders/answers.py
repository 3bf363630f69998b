"""What an answer says: the page, and what stands beside it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.extract.page import Page
from crawler.failures import words_for

if TYPE_CHECKING:
    from crawler.run import Run


def page_of(response: Response, encoding: str) -> Page:
    """The page; ``encoding`` is the source's own, empty for none."""
    declared = re.search(rb"charset=[\"']?([\w.:-]+)", response.headers.get("Content-Type") or b"", re.IGNORECASE)
    return Page(
        response.body, response.url, declared=declared[1].decode("ascii") if declared else "", encoding=encoding
    )


def seen_at(response: Response, run: Run | None) -> datetime:
    """When the response was captured: the bound of dates of publication."""
    if captured := response.meta.get("captured_at"):
        return datetime.fromisoformat(captured).astimezone(UTC)
    return run.started if run else datetime.now(UTC)


def validators_of(response: Response) -> tuple[str, str]:
    """ETag and Last-Modified, as sent."""
    etag, modified = ((response.headers.get(name) or b"").decode("latin-1") for name in ("ETag", "Last-Modified"))
    return etag, modified


def reason_of(failure: Failure) -> str:
    """Why there is no answer, in words."""
    assert failure.value is not None
    return words_for(failure.value)
