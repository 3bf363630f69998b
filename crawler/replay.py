"""Responses from captures instead of the network: whatever no capture holds fails, and nothing is ever asked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.exceptions import CannotResolveHostError, NotConfigured
from scrapy.http import Headers
from scrapy.responsetypes import responsetypes
from w3lib.url import safe_url_string

from crawler.archive.captures import Response, read_segment


class Captures:
    """Responses by address; of several captures of one address the last one counts."""

    def __init__(self, files: Iterable[Path]) -> None:
        """Reads the files once. Raises CaptureError for a torn file, OSError for one that is not there."""
        self._by_url: dict[str, Response] = {}
        for file in files:
            for _, response in read_segment(file):
                if response.notes.get("role") == "check" or response.kind != "response":
                    continue  # a second look that brought no article, or what a list gave: its page says so again
                self._by_url[safe_url_string(response.url)] = response
                if asked := response.notes.get("asked"):
                    self._by_url[safe_url_string(asked)] = response

    def __len__(self) -> int:
        return len(self._by_url)

    def addresses(self) -> list[str]:
        """All addresses, as they were captured."""
        return [response.url for response in self._by_url.values()]

    def find(self, url: str) -> Response | None:
        """The response of this address."""
        return self._by_url.get(safe_url_string(url))


class NotCaptured(CannotResolveHostError):
    """The address stands in no capture; the network is not asked."""

    def __str__(self) -> str:
        return "not among the captures that are replayed"


class ReplayHandler(BaseDownloadHandler):
    """Download handler for http and https under ``--replay``."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        captures = getattr(crawler.spider, "replay", None)
        if captures is None:
            raise NotConfigured("no captures to replay")
        self._captures: Captures = captures

    async def download_request(self, request: Request) -> Any:
        """The captured response, or 304 where the request's validators are the capture's."""
        found = self._captures.find(request.url)
        if found is None:
            raise NotCaptured(request.url)
        headers = Headers()
        for name, value in found.headers:
            if name.lower() != "transfer-encoding":
                headers.appendlist(name, value.encode("utf-8", "surrogateescape"))
        request.meta["captured_at"] = found.date
        if _unchanged(request, headers):
            return responsetypes.from_args(headers=headers, url=request.url)(
                url=request.url, status=304, headers=headers, request=request
            )
        kind = responsetypes.from_args(headers=headers, url=request.url, body=found.payload)
        return kind(url=request.url, status=found.status, headers=headers, body=found.payload, request=request)


def _unchanged(request: Request, headers: Headers) -> bool:
    """If-None-Match beats If-Modified-Since (RFC 9110, section 13.1.3)."""
    if asked := request.headers.get("If-None-Match"):
        return bool(asked == headers.get("ETag"))
    asked = request.headers.get("If-Modified-Since")
    return bool(asked) and bool(asked == headers.get("Last-Modified"))
