"""Articles that a list gave in full are answered here: nothing is asked for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.http import HtmlResponse

from crawler.listed import write_page

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response


class ListedMiddleware:
    """Stands before all that looks at where a request leads."""

    def process_request(self, request: Request) -> Response | None:
        """The page made of what the list said (``meta["listed"]``); None for what is to be asked for."""
        if (hints := request.meta.get("listed")) is None:
            return None
        headers = {"Content-Type": "text/html; charset=utf-8"}
        return HtmlResponse(request.url, headers=headers, body=write_page(hints), request=request)
