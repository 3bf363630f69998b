"""What happens to an article on its way to a post, one function a step: pipelines take them in a crawl, and so does
whoever has pages from elsewhere. Knows no Scrapy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crawler.archive.images import shown
from crawler.archive.markup import clean, text_of
from crawler.archive.post import file_name, write_post
from crawler.archive.style import PostStyle
from crawler.extract.attribution import Credit, credit_in_body, credit_in_digest, tidy
from crawler.extract.walls import weight
from crawler.gate import OWN_PAGE, Floor, digest, judge, same_text
from crawler.items import Article, Attribution, Refused, Text
from crawler.outlets import Outlets
from crawler.run import Post, Run
from crawler.site import Site
from crawler.sources import PostRules, Source
from crawler.syndication.pointer import shortened
from crawler.syndication.sketch import sketch
from crawler.syndication.stories import Noted, Told
from crawler.watch import Watch

# clean


def cleaned(article: Article, source: Source) -> None:
    """Make the body HTML that is safe in a post; one that needs no mending keeps its bytes."""
    article.body = clean(article.body, source.post.keep.markup, article.url)


# judge


def judged(article: Article, source: Source, watch: Watch) -> None:
    """Let an article pass the gate, by the floor that its source states. Raises Refused for what is no post."""
    paragraphs = _paragraphs(article)
    if away := watch.leads_away(article.source, article.key):
        raise Refused(away)
    if watch.has_own_page(article.space, article.key, article.url):
        raise Refused(OWN_PAGE)
    floor = Floor(source.expect.characters, source.expect.paragraphs)
    judge(article.title, paragraphs, floor, watch.walls, watch.error_pages(article.source))
    text = _remembered(article, paragraphs)
    guessed = (article.space, article.key) in watch.guessed
    same_text(
        text, weight(article.plain), lambda same: watch.twin(article.source, article.key, same), twice=not guessed
    )
    article.text = text
    article.sketch = sketch(article.plain).packed()


def measured(article: Article) -> None:
    """Note what is remembered of the words of an article that passed the gate of another archive."""
    article.text = _remembered(article, _paragraphs(article))
    article.sketch = sketch(article.plain).packed()


def _paragraphs(article: Article) -> list[str]:
    """Of its body; they become its plain text."""
    paragraphs = [line for line in text_of(article.body).split("\n") if line.strip()]
    article.plain = "\n".join(paragraphs)
    return paragraphs


def _remembered(article: Article, paragraphs: Sequence[str]) -> Text:
    return Text(digest(article.plain), digest(article.title), sum(map(len, paragraphs)))


# attribute


def attribute(article: Article, source: Source, outlets: Outlets) -> None:
    """Fill in attribution, category and tags: who wrote it first, in normal form. What list or page say comes before
    the body and the digest."""
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


# point


def pointed(article: Article, source: Source, run: Run) -> None:
    """Let a new article point to the post that it is a copy of, where its source's copies are to do that."""
    if (source.post.duplicates or run.site.duplicates) == "keep" or run.has(article.space, article.key):
        return
    if article.published is not None and article.sketch:
        name = article.space, article.key, article.source
        article.pointer = run.original_for(Noted(*name, article.published, _told(article, source)))


def _told(article: Article, source: Source) -> Told:
    credited = article.attribution.name if article.attribution else ""
    return Told(article.sketch, credited, source.name, pointer=bool(article.pointer))


# show


def keeps_images(source: Source, site: Site) -> bool:
    """Whether images of a source's articles are kept: what is shown of them must follow from captures."""
    return (source.post.images or site.images) == "keep" and site.captures and source.captures


def pictured(article: Article, source: Source, run: Run) -> None:
    """Let a clean body show images of the archive's own, as far as they are kept."""
    if keeps_images(source, run.site):
        article.body = shown(article.body, run.images.find, run.site.baseurl)


# keep


class Writer:
    """Writes posts by the site's style, as far as a source has none of its own."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._styles: dict[str, PostStyle] = {}

    def style(self, source: Source) -> PostStyle:
        """How posts of a source are written."""
        return self._styles.get(source.id) or self._styles.setdefault(source.id, style_of(self._site, source.post))

    def post(self, article: Article, source: Source) -> Post:
        """The post of an article, ready to be kept. Raises ValueError for what would break the site."""
        style = self.style(source)
        return Post(
            data=write_post(shortened(article) if article.pointer else article, style),
            path=post_path(article, source, style, self._site.posts),
            space=article.space,
            key=article.key,
            source=article.source,
            capture=article.capture,
            notes=article.disagreements,
            text=article.text and replace(article.text, outlet=article.attribution is not None),
            validators=article.validators,
            published=article.published,
            printed=article.published_raw,
            reading=article.reading,
            story=_told(article, source) if article.sketch else None,
        )


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
