"""Keep: the article becomes a post, and the post becomes durable with its batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem

from crawler.components import run_of
from crawler.steps import Writer, pointed

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.items import Article
    from crawler.sources import Source


class KeepPipeline:
    """Hands posts over to the run."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._sources: dict[str, Source] = getattr(crawler.spider, "sources", {})
        self._writer: Writer | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> KeepPipeline:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: Article) -> Article:
        """Raises DropItem for what would break a site."""
        run, source = run_of(self._crawler), self._sources[item.source]
        writer = self._writer = self._writer or Writer(run.site)
        run.changes.dress(item, writer.style(source).timezone)
        pointed(item, source, run)
        try:
            post = writer.post(item, source)
        except ValueError as error:
            raise DropItem(str(error)) from error
        run.keep(post)
        return item
