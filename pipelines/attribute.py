"""Attribute: who wrote it first, in normal form, and the category and tags that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.components import run_of
from crawler.extract.attribution import Credit, credit_in_body, credit_in_digest, tidy
from crawler.items import Attribution

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.items import Article
    from crawler.outlets import Outlets
    from crawler.sources import Source


class AttributePipeline:
    """Names the outlet by the table of outlets; what list or page say comes before the body and the digest."""

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


def attribute(article: Article, source: Source, outlets: Outlets) -> None:
    """Fill in attribution, category and tags."""
    inside = credit_in_body(article.plain.split("\n"), agencies=outlets.agencies) or credit_in_digest(article.digest)
    if article.attribution is None and inside is not None:
        article.attribution = _named(inside, outlets)
    elif article.attribution is not None:
        said = article.attribution
        article.attribution = Attribution(said.raw, outlets.name(said.raw, said.name), said.rule)
        _compare(article, inside, outlets)
    outlet, slug = _named_in_post(article.attribution, source, outlets)
    values = {
        "outlet": outlet,
        "slug": slug,
        "section": article.section or source.name,
        "section_slug": outlets.slug(article.section, source.post.slugs) if article.section else source.id,
        "source": source.id,
        "name": source.name,
        "key": article.key,
        "space": source.space,
    }
    article.category = source.post.category.format_map(values)
    article.tags = tuple(dict.fromkeys(tag.format_map(values) for tag in source.post.tags))


def _named_in_post(credited: Attribution | None, source: Source, outlets: Outlets) -> tuple[str, str]:
    """(name, slug) by which the outlet stands in category and tags; the source's own where none is credited."""
    if credited is None:
        return source.name, source.id
    if source.post.outlet == "printed":
        return outlets.as_printed(credited.raw, source.post.slugs)
    return credited.name, outlets.slug(credited.name, source.post.slugs)


def _named(credit: Credit, outlets: Outlets) -> Attribution:
    return Attribution(credit.raw, outlets.name(credit.raw, tidy(credit.raw)), credit.rule)


def _compare(article: Article, inside: Credit | None, outlets: Outlets) -> None:
    """Note where the body credits another outlet than list or page did."""
    assert article.attribution is not None
    if inside is not None and _named(inside, outlets).name != article.attribution.name:
        article.disagreements["attribution"] = (article.attribution.raw, inside.raw)
