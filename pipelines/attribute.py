"""Attribute: who wrote it first, in normal form, and the category and tags that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.components import run_of
from crawler.steps import attribute

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.items import Article
    from crawler.sources import Source


class AttributePipeline:
    """Names the outlet by the archive's table of outlets."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._sources: dict[str, Source] = getattr(crawler.spider, "sources", {})

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AttributePipeline:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: Article) -> Article:
        """The article with attribution, category and tags."""
        attribute(item, self._sources[item.source], run_of(self._crawler).outlets)
        return item
