"""What many write first: a plain Scrapy spider with CSS rules and a Jekyll file per article. No state, no cleaning.

``python plain_spider.py ADDRESS FOLDER`` follows the benchmark's lists from ADDRESS on.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess

# Otherwise Scrapy's own settings; these presskeep has as well.
SETTINGS = {
    "ROBOTSTXT_OBEY": True,
    "CONCURRENT_REQUESTS": 32,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "DOWNLOAD_DELAY": 0.001,
    "LOG_LEVEL": "WARNING",
}


class PlainSpider(Spider):
    """Lists, articles, files."""

    name = "plain"

    def __init__(self, address: str, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.address, self.folder = address, Path(folder)

    async def start(self) -> AsyncIterator[Request]:
        """The first list."""
        yield Request(self.address)

    def parse(self, response: Any) -> Iterator[Request]:
        """Articles of a list, and the list after it."""
        yield from response.follow_all(css="ul.news > li h3 a", callback=self.parse_article)
        yield from response.follow_all(css=".pager a.next", callback=self.parse)

    def parse_article(self, response: Any) -> None:
        """Write the post."""
        title = response.css("h1.title::text").get("").replace('"', '\\"')
        date = response.css(".meta .time::text").get("")
        body = "".join(response.css("#content > *").getall())
        key = response.url.rpartition("/")[2].removesuffix(".html")
        front = f'layout: post\ntitle: "{title}"\ndate: {date} +0800\ncategories: news'
        post = f"---\n{front}\n---\n{body}\n\n<{response.url}>\n"
        (self.folder / f"{date[:10]}-{key}.md").write_text(post, encoding="utf-8")


if __name__ == "__main__":
    address, folder = sys.argv[1:]
    Path(folder).mkdir(parents=True)
    process = AsyncCrawlerProcess(SETTINGS)
    process.crawl(PlainSpider, address=address, folder=folder)
    process.start()
