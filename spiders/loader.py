"""Makes each source a Scrapy spider: ``scrapy list``, ``crawl``, ``shell``, ``parse`` and ``check`` work as ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scrapy import Request, Spider
from scrapy.settings import BaseSettings

from crawler.site import find_archive
from crawler.sources import Source, find_source, folders_for, source_paths
from spiders.news import NewsSpider

Names = list[str]


class SourceLoader:
    """Spiders by source id, the archive's own sources before the shipped ones."""

    def __init__(self, settings: BaseSettings) -> None:
        named = settings.get("PRESSKEEP_ARCHIVE") or find_archive(Path.cwd())
        self._folders = folders_for(Path(named) if named else None)

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> SourceLoader:
        """As Scrapy makes it."""
        return cls(settings)

    def list(self) -> Names:
        """Ids of all sources."""
        return sorted(source_paths(self._folders))

    def load(self, spider_name: str) -> type[Spider]:
        """The spider class of a source. Raises KeyError, as Scrapy expects, with the reason in it."""
        try:
            return spider_class(find_source(spider_name, self._folders))
        except ValueError as error:
            raise KeyError(str(error)) from error

    def find_by_request(self, request: Request) -> Names:
        """Sources whose lists or articles are at the request's host."""
        host = request.url.split("/")[2].lower()
        return [name for name in self.list() if host in find_source(name, self._folders).hosts]


def spider_class(source: Source) -> type[NewsSpider]:
    """A spider class for one source, with its example as a contract for ``scrapy check``."""

    def parse(self: NewsSpider, response: Any, **kwargs: Any) -> Any:
        return self.parse_article(response, **kwargs)

    parse.__doc__ = f"""The source's example.

    @url {source.example}
    @returns items 1 1
    """
    name = f"{source.id.title().replace('-', '')}Spider"
    return type(name, (NewsSpider,), {"name": source.id, "shipped": (source,), "parse": parse, "__module__": __name__})
