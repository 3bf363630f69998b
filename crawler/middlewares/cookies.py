"""Cookies, for the sources that switch them on: a jar for each of them, forgotten with the run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.exceptions import NotConfigured
from scrapy.utils.httpobj import urlparse_cached

from crawler.middlewares.guard import registered
from crawler.middlewares.refusals import only_on_the_wire

if TYPE_CHECKING:
    from http.cookiejar import Cookie

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


class CookieJars(CookiesMiddleware):
    """Scrapy's cookies, but by source, and with no look-up of public suffixes on the network."""

    def __init__(self, sources: Iterable[str]) -> None:
        super().__init__()
        self._sources = frozenset(sources)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> CookieJars:
        """As Scrapy makes it. Raises NotConfigured where no source wants cookies."""
        only_on_the_wire(crawler)
        sources = getattr(crawler.spider, "sources", {}).values()
        wanting = [source.id for source in sources if source.politeness.cookies]
        if not wanting:
            raise NotConfigured
        made = cls(wanting)
        made.crawler = crawler
        return made

    def process_request(self, request: Request) -> Any:  # type: ignore[override]
        """Send what the source's jar has for this host."""
        if self._wants(request):
            request.meta["cookiejar"] = request.meta["source"]
            super().process_request(request)

    def process_response(self, request: Request, response: Response) -> Any:  # type: ignore[override]
        """Keep what the host sets."""
        return super().process_response(request, response) if self._wants(request) else response

    def _wants(self, request: Request) -> bool:
        return request.meta.get("source") in self._sources and not request.meta.get("dont_merge_cookies")

    def _process_cookies(self, cookies: Iterable[Cookie], *, jar: Any, request: Request) -> None:
        """None for a whole public suffix such as ``co.uk``, but for the host's own."""
        host = urlparse_cached(request).hostname or ""
        for cookie in cookies:
            domain = cookie.domain.removeprefix(".")
            if domain and domain != host and not registered(domain):
                continue
            jar.set_cookie_if_ok(cookie, request)
