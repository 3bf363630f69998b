"""Judge: an article under its source's floor is no post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem

from crawler.archive.markup import text_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.items import Article
    from crawler.sources import Source


class JudgePipeline:
    """Compares plain text with the floor that the source states."""

    def __init__(self, crawler: Crawler) -> None:
        sources: dict[str, Source] = getattr(crawler.spider, "sources", {})
        self._floors = {name: source.expect for name, source in sources.items()}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> JudgePipeline:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: Article) -> Article:
        """The article, or DropItem with the floor that it misses."""
        floor = self._floors[item.source]
        paragraphs = [line for line in text_of(item.body).split("\n") if line.strip()]
        characters = sum(map(len, paragraphs))
        if characters == 0:
            raise DropItem("body: empty")
        if characters < floor.characters:
            raise DropItem(f"body: {characters} characters, the floor is {floor.characters}")
        if len(paragraphs) < floor.paragraphs:
            raise DropItem(f"body: {len(paragraphs)} paragraphs, the floor is {floor.paragraphs}")
        return item
