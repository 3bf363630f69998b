"""Judge: what does not pass the gate is no post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem

from crawler.archive.markup import text_of
from crawler.components import run_of
from crawler.gate import Floor, digest, judge, same_text, weight
from crawler.items import Refused, Text

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.items import Article
    from crawler.sources import Source


class JudgePipeline:
    """Puts an article's plain text before the gate, by the floor that its source states."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        sources: dict[str, Source] = getattr(crawler.spider, "sources", {})
        self._floors = {name: Floor(one.expect.characters, one.expect.paragraphs) for name, one in sources.items()}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> JudgePipeline:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: Article) -> Article:
        """The article, or DropItem with the reason why it does not pass."""
        watch = run_of(self._crawler).watch
        paragraphs = [line for line in text_of(item.body).split("\n") if line.strip()]
        item.plain = "\n".join(paragraphs)
        try:
            judge(item.title, paragraphs, self._floors[item.source], watch.walls, watch.error_pages(item.source))
            text = Text(digest(item.plain), digest(item.title), sum(map(len, paragraphs)))
            same_text(text, weight(item.plain), lambda same: watch.twin(item.source, item.key, same))
        except Refused as error:
            raise DropItem(str(error)) from error
        item.text = text
        return item
