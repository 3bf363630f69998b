"""Keeps raw responses as they came over the wire, before anything unpacks them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scrapy.exceptions import IgnoreRequest

from crawler.archive.captures import Response as Captured
from crawler.archive.captures import warc_date
from crawler.components import halt, open_run
from crawler.middlewares.optouts import headers_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

_HOP = frozenset({"transfer-encoding", "connection", "keep-alive", "set-cookie"})
"""Header fields of the connection, not of the page; and cookies, which are the visit's."""


class CaptureMiddleware:
    """Stands next to the downloader, so that bodies are still packed when it sees them."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._off: set[str] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> CaptureMiddleware:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        """Keep what is asked for as a list or an article, if its source keeps captures."""
        run = open_run(self._crawler)
        source = None if request.meta.get("role") == "robots" else request.meta.get("source")
        if run is None or response.status != 200 or not run.site.captures or not self._keeps(source):
            return response
        request.meta.setdefault("captured_at", warc_date(datetime.now(UTC)))
        notes = {name: str(request.meta.get(name, "")) for name in ("source", "role", "key")}
        if notes["role"] == "image" and response.url != request.meta["asked"]:
            notes["asked"] = request.meta["asked"]
        if run.backfill is not None and notes["role"] == "list":
            notes["role"] = "survey"  # a ledger made anew does not queue for crawls what a backfill's lists name
        kind = "conversion" if "listed" in request.meta else "response"
        record = Captured(
            response.url, response.status, _headers(response), response.body, request.meta["captured_at"], notes, kind
        )
        if request.meta.get("role") in ("check", "image"):  # kept if it brings something, or is one
            request.meta["record"] = record
            return response
        try:
            request.meta["capture"] = run.capture(record)
        except OSError as error:
            halt(self._crawler, error)
            raise IgnoreRequest("the run stops") from error
        return response

    def _keeps(self, source: str | None) -> bool:
        if self._off is None:
            sources: dict[str, Any] = getattr(self._crawler.spider, "sources", {})
            self._off = {name for name, one in sources.items() if not one.captures}
        return source is not None and source not in self._off


def _headers(response: Response) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in headers_of(response) if pair[0].lower() not in _HOP)
