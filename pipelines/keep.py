"""Keep: the article becomes a post, and the post becomes durable with its batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem

from crawler.archive.post import file_name, write_post
from crawler.archive.style import PostStyle
from crawler.components import run_of
from crawler.run import Post

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.items import Article
    from crawler.site import Site
    from crawler.sources import PostRules, Source


class KeepPipeline:
    """Writes by the site's style, as far as a source has none of its own."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._sources: dict[str, Source] = getattr(crawler.spider, "sources", {})
        self._styles: dict[str, PostStyle] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> KeepPipeline:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: Article) -> Article:
        """Hand the post over to the run."""
        run, source = run_of(self._crawler), self._sources[item.source]
        style = self._styles.get(source.id) or self._styles.setdefault(source.id, style_of(run.site, source.post))
        run.changes.dress(item, style.timezone)
        try:
            data = write_post(item, style)
        except ValueError as error:
            raise DropItem(str(error)) from error
        run.keep(
            Post(
                path=post_path(item, source, style, run.site.posts),
                data=data,
                category=item.category,
                tag=item.tags[0] if item.tags else item.category,
                space=item.space,
                key=item.key,
                source=item.source,
                capture=item.capture,
                notes=item.disagreements,
                text=item.text and replace(item.text, outlet=item.attribution is not None),
                validators=item.validators,
                printed=item.published_raw,
                reading=item.reading,
            )
        )
        return item


def style_of(site: Site, rules: PostRules) -> PostStyle:
    """The site's style with what a source sets itself."""
    style = site.style
    back = style.back if rules.back is None else tuple(rules.back)
    fields = style.fields if rules.fields is None else tuple(rules.fields)
    return replace(style, quote=rules.quote, back=back, fields=fields)


def post_path(article: Article, source: Source, style: PostStyle, layout: str) -> str:
    """Where the post lies in the archive: ``_posts/2022/05/19/2022-05-19-KEY.md``, or flat in ``_posts/``."""
    key = source.post.file.format_map({"key": article.key, "space": source.space, "source": source.id})
    name = file_name(replace(article, key=key), style)
    folder = "_posts" if layout == "flat" else "_posts/" + name[:10].replace("-", "/")
    return f"{folder}/{name}"
