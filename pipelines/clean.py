"""Clean: the body becomes HTML that is safe in a post; one that needs no mending keeps its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.steps import cleaned

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.items import Article
    from crawler.sources import Source


class CleanPipeline:
    """Knows what markup each source may keep."""

    def __init__(self, crawler: Crawler) -> None:
        self._sources: dict[str, Source] = getattr(crawler.spider, "sources", {})

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> CleanPipeline:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: Article) -> Article:
        """The article with a clean body."""
        cleaned(item, self._sources[item.source])
        return item
