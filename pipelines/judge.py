"""Judge: what does not pass the gate is no post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import DropItem

from crawler.archive.markup import text_of
from crawler.components import open_run, run_of
from crawler.extract.walls import weight
from crawler.gate import OWN_PAGE, Floor, digest, judge, same_text
from crawler.items import Refused, Text

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
        sources: dict[str, Source] = getattr(crawler.spider, "sources", {})
        self._floors = {name: Floor(one.expect.characters, one.expect.paragraphs) for name, one in sources.items()}

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
            run.watch.redirected(request.meta["source"], request.meta["key"], asked[0], response.url)

    def process_item(self, item: Article) -> Article:
        """The article, or DropItem with the reason why it does not pass."""
        watch = run_of(self._crawler).watch
        paragraphs = [line for line in text_of(item.body).split("\n") if line.strip()]
        item.plain = "\n".join(paragraphs)
        try:
            if away := watch.leads_away(item.source, item.key):
                raise Refused(away)
            if watch.has_own_page(item.space, item.key, item.url):
                raise Refused(OWN_PAGE)
            judge(item.title, paragraphs, self._floors[item.source], watch.walls, watch.error_pages(item.source))
            text = Text(digest(item.plain), digest(item.title), sum(map(len, paragraphs)))
            same_text(text, weight(item.plain), lambda same: watch.twin(item.source, item.key, same))
        except Refused as error:
            raise DropItem(str(error)) from error
        item.text = text
        return item
