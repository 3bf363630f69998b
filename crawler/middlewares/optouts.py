"""Pages that opt out of being archived or mined, of sources that heed that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import NotConfigured

from crawler.middlewares.refusals import Refusal
from crawler.optouts import opt_outs

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


class OptOutMiddleware:
    """For sources that heed opt-outs: such a page is neither captured nor read."""

    def __init__(self, crawler: Crawler, sources: frozenset[str]) -> None:
        self._sources = sources
        self._unpack = HttpCompressionMiddleware.from_crawler(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> OptOutMiddleware:
        """As Scrapy makes it. Raises NotConfigured where no source heeds them."""
        sources: dict[str, Any] = getattr(crawler.spider, "sources", {})
        heeding = frozenset(name for name, source in sources.items() if source.politeness.heed_opt_outs)
        if not heeding:
            raise NotConfigured
        return cls(crawler, heeding)

    def process_response(self, request: Request, response: Response) -> Response:
        """Raises Refusal for an article that opts out."""
        if request.meta.get("role") not in ("article", "check") or request.meta.get("source") not in self._sources:
            return response
        page: Any = self._unpack.process_response(request, response.copy())
        if said := opt_outs(headers_of(page), page.body):
            raise Refusal(f"opted out: {said}")
        return response


def headers_of(response: Response) -> tuple[tuple[str, str], ...]:
    """Name and value of each header field, as sent."""
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in response.headers.items()
        for value in values
    )
