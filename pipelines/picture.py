"""Picture: images of an article are asked for where they are to be kept, and its body shows what is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.exceptions import DropItem

from crawler.components import run_of
from crawler.items import Refused
from crawler.steps import judged, keeps_images, pictured

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from scrapy.crawler import Crawler

    from crawler.items import Article
    from crawler.run import Run
    from crawler.sources import Source


class PicturePipeline:
    """Articles of sources that keep no images pass untouched."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._sources: dict[str, Source] = getattr(crawler.spider, "sources", {})

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PicturePipeline:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: Article) -> Article | Awaitable[Article]:
        """The article, with images of the archive's own where they are kept. One that cannot be had stays linked: it
        costs an article nothing but its place in the archive."""
        run, source = run_of(self._crawler), self._sources[item.source]
        if not keeps_images(source, run.site):
            return item
        if wanted := run.images.missing(item.body):
            return self._with_images(item, source, run, wanted)
        pictured(item, source, run)
        return item

    async def _with_images(self, item: Article, source: Source, run: Run, wanted: Sequence[str]) -> Article:
        """Raises LeftQueued where the run ends before, DropItem where another article has come with the same words."""
        spider: Any = self._crawler.spider
        await spider.pictures.fetch(wanted, source.id, item.key, item.url)
        try:
            judged(item, source, run.watch)
        except Refused as error:
            raise DropItem(str(error)) from error
        pictured(item, source, run)
        return item
