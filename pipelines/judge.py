"""Judge: what does not pass the gate is no post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import DropItem

from crawler.components import open_run, run_of
from crawler.items import Refused
from crawler.mementos import original_of
from crawler.steps import judged

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.items import Article
    from crawler.sources import Source


class JudgePipeline:
    """Puts an article's plain text before the gate, by the floor that its source states."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._sources: dict[str, Source] = getattr(crawler.spider, "sources", {})

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> JudgePipeline:
        """As Scrapy makes it."""
        made = cls(crawler)
        crawler.signals.connect(made.answered, signal=signals.response_received)
        return made

    def answered(self, response: Response, request: Request) -> None:
        """Note where redirects led from an article; an item no longer tells."""
        asked = request.meta.get("redirect_urls")
        if asked and request.meta.get("role") == "article" and (run := open_run(self._crawler)):
            there = original_of(asked[0]), original_of(response.url)
            run.watch.redirected(request.meta["source"], request.meta["key"], *there)

    def process_item(self, item: Article) -> Article:
        """The article, or DropItem with the reason why it does not pass."""
        try:
            judged(item, self._sources[item.source], run_of(self._crawler).watch)
        except Refused as error:
            raise DropItem(str(error)) from error
        return item
