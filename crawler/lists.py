"""Ways of listing, as data: the entries of ``lists`` in a source's YAML. What walks them lies in ``spiders/``."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from crawler.days import PLACES
from crawler.rulemodel import RuleField
from crawler.schedule import parse_span
from crawler.values import Address, Many, Regex, Span
from crawler.yamlfile import Strict, near


class ListFields(Strict):
    """Where a list says what about an article. Bare texts are CSS on HTML lists, JMESPath on JSON lists."""

    url: RuleField | None = None
    """The article's address."""
    key: RuleField | None = None
    """The site's own id, where the list names it."""
    code: RuleField | None = None
    """A second id, for address templates."""
    title: RuleField | None = None
    published: RuleField | None = None
    outlet: RuleField | None = None
    """The credited outlet."""
    digest: RuleField | None = None
    byline: RuleField | None = None
    section: RuleField | None = None
    """The site's own section (column, desk); ``{const: …}`` where the whole list is one."""
    date_formats: list[str] = []
    """strptime formats of ``published``, where it is not read by itself; also ``epoch`` and ``epoch_ms``."""


class Paging(Strict):
    """How a list goes on. One of ``next``, ``template`` or ``cursor``."""

    next: RuleField | None = None
    """Rule for the address of the next page (HTML), or for its number (JSON)."""
    template: str = ""
    """Address of page ``{page}`` (or, with ``cursor``, of ``{cursor}``)."""
    cursor: RuleField | None = None
    """Where the answer says how to ask on."""
    first: int = Field(default=2, ge=0)
    """Number of the first page asked by ``template``; the list's own address is the page before."""
    step: int = Field(default=1, ge=1)
    """What a page's number grows by."""
    depth: int = Field(default=10, ge=1)
    """Pages at most, the first among them. A walk also stops at a page whose articles are all known."""

    @model_validator(mode="after")
    def _one_way(self) -> Paging:
        if self.cursor is not None and "{cursor}" not in self.template:
            raise ValueError("a cursor needs a template with {cursor}")
        if self.cursor is None and self.template and "{page}" not in self.template:
            raise ValueError("the template lacks {page}")
        if not (self.next or self.template):
            raise ValueError("expected next, template, or cursor with template")
        if unknown := set(re.findall(r"\{(\w*)\}", self.template)) - {"page", "cursor"}:
            raise ValueError(f"unknown placeholder {{{min(unknown)}}}: a page's template has {{page}} or {{cursor}}")
        return self


def _list_address(value: str) -> str:
    if unknown := set(re.findall(r"\{(\w*)\}", value)) - PLACES.keys():
        raise ValueError(f"unknown placeholder {{{min(unknown)}}}.{near(min(unknown), PLACES)}")
    return value


class ListBase(Strict):
    """What all ways of listing share."""

    urls: Annotated[list[Annotated[Address, AfterValidator(_list_address)]], Many, Field(min_length=1)]
    """Addresses of the first pages. With ``{yyyy}``, ``{yy}``, ``{mm}``, ``{m}``, ``{dd}``, ``{d}`` in it an address
    stands for one list a day."""
    days: int = Field(default=2, ge=1, le=366)
    """How many days back a crawl asks the lists that have a day in their address; a backfill asks its own days."""
    fields: ListFields = ListFields()
    pages: Paging | None = None
    """Pagination; without it only the addresses themselves are asked."""
    empty: bool = False
    """An empty list is an honest answer; else it is reported."""

    @property
    def addresses(self) -> list[str]:
        """Addresses that it names, with their placeholders: their hosts are the source's."""
        return self.urls

    @property
    def has_pages(self) -> bool:
        """Whether a walk may go on beyond the first page."""
        return self.pages is not None

    @property
    def says_dates(self) -> bool:
        """Whether it says when its articles were published."""
        return self.fields.published is not None


class HtmlList(ListBase):
    """List pages in HTML."""

    kind: Literal["html"]
    items: RuleField | None = None
    """The elements that stand for one article each; without it every link of the page is looked at."""
    links: Regex = ""
    """Pattern that an article's absolute address matches."""
    lists: RuleField | None = None
    """Addresses of further lists of this kind that its first pages name: categories on a front page."""

    @model_validator(mode="after")
    def _found_somehow(self) -> HtmlList:
        if not (self.links or self.items or self.fields.url):
            raise ValueError("expected items, fields.url or links: which links lead to articles?")
        return self


class JsonList(ListBase):
    """Lists in JSON or JSONP."""

    kind: Literal["json"]
    items: RuleField
    """Path to the array of articles."""


class KnownList(ListBase):
    """Lists of a form that is known, with dates as a rule."""

    @property
    def says_dates(self) -> bool:
        """It does."""
        return True


class FeedList(KnownList):
    """Feeds: RSS 0.9 to 2.0, RDF, Atom and JSON Feed, told apart by what they hold. They need no rules; ``fields`` are
    not for them."""

    kind: Literal["feed"]
    links: Regex = ""
    """Pattern that an article's absolute address matches; without it all entries are articles."""
    content: bool = False
    """Articles are made of what the feed holds in full; their pages are not asked for."""
    depth: int = Field(default=10, ge=1)
    """Pages at most in one crawl of a feed that names its next page (RFC 5005); a walk also stops at a page whose
    articles are all known. With ``pages: {template: …}`` its own depth counts."""

    @model_validator(mode="after")
    def _without_rules(self) -> FeedList:
        if self.fields.model_fields_set:
            raise ValueError("fields are not for feeds, which say themselves what is what")
        if self.pages and (self.pages.next or self.pages.cursor):
            raise ValueError("the pages of a feed need no rule: it names the next one itself, or a template does")
        return self

    @property
    def most(self) -> int:
        """Pages at most in one crawl."""
        return self.pages.depth if self.pages else self.depth

    @property
    def has_pages(self) -> bool:
        """It may name its next page itself."""
        return True


class SitemapList(KnownList):
    """Sitemaps and sitemap indexes (sitemaps.org), with ``news:`` fields where there are any; gzip or not."""

    kind: Literal["sitemap"]
    links: Regex = ""
    """Pattern that an article's absolute address matches; without it all addresses are articles."""
    lists: Regex = ""
    """Pattern of the further sitemaps that are asked, of those that an index names; without it all."""
    since: Span = "3d"
    """How far back ``lastmod`` (or the news date) of what a crawl asks for lies; older is left to backfills. Empty for
    all, and what has no date is always taken."""

    @cached_property
    def back(self) -> timedelta | None:
        return parse_span(self.since)


class WordpressList(KnownList):
    """WordPress sites by their REST interface: newest posts first, a hundred a page."""

    kind: Literal["wordpress"]
    links: Regex = ""
    """Pattern that an article's absolute address matches; without it all posts are articles."""
    content: bool = True
    """Articles are made of what the answer holds in full; their pages are not asked for."""
    depth: int = Field(default=2, ge=1)
    """Pages at most in one crawl; a walk also stops at a page whose articles are all known."""

    @model_validator(mode="after")
    def _without_rules(self) -> WordpressList:
        if self.fields.model_fields_set or self.pages:
            raise ValueError("the interface is known: neither fields nor pages are for it")
        return self

    @property
    def has_pages(self) -> bool:
        """It always may: they are numbered."""
        return True


class IdList(Strict):
    """Sites without lists whose articles are numbered: addresses are made from numbers, and most may be nobody's."""

    kind: Literal["ids"]
    template: Address
    """Address of the article ``{id}``; with ``{yyyy}`` … in it numbers begin anew each day."""
    first: int = Field(default=1, ge=0)
    """The number below which nothing is."""
    width: int = Field(default=0, ge=0, le=20)
    """Digits, filled with zeros; 0 for as they come."""
    step: int = Field(default=1, ge=1)
    misses: int = Field(default=20, ge=1, le=10_000)
    """Numbers in a row that are nobody's after which a crawl takes it that the newest is reached."""
    back: int = Field(default=100, ge=1)
    """How many numbers a first crawl goes back from the newest; older ones are left to backfills."""
    days: int = Field(default=2, ge=1, le=366)
    """How many days back a crawl looks where numbers begin anew each day."""

    says_dates: ClassVar[bool] = False

    @property
    def addresses(self) -> list[str]:
        """The template."""
        return [self.template]

    @model_validator(mode="after")
    def _has_id(self) -> IdList:
        if unknown := set(re.findall(r"\{(\w*)\}", self.template)) - PLACES.keys() - {"id"}:
            raise ValueError(f"unknown placeholder {{{min(unknown)}}}: an address has {{id}} and parts of a day")
        if "{id}" not in self.template:
            raise ValueError("the template lacks {id}")
        return self


class WaybackList(Strict):
    """Captures of the Internet Archive, found by its CDX interface: for backfills; a crawl leaves it alone."""

    kind: Literal["wayback"]
    prefix: Annotated[list[str], Many, Field(min_length=1)]
    """Beginnings of the addresses that are looked for, without scheme: ``www.example.org/news/``."""
    links: Regex = ""
    """Pattern that an original address matches; without it ``key.patterns`` decide."""
    service: Address = "https://web.archive.org"
    """Another service with the same interface."""
    delay: float = Field(default=1.0, gt=0, le=3600)
    """Seconds between two requests to the service, 1 at least (but on this machine)."""
    late: Span = "30d"
    """How long after the last day of a backfill captures of what was published on it are looked for."""

    @cached_property
    def patience(self) -> timedelta | None:
        return parse_span(self.late)

    says_dates: ClassVar[bool] = False

    @property
    def addresses(self) -> list[str]:
        """The service alone: that a site was captured makes it no host of the source."""
        return [self.service]


class FileList(Strict):
    """Addresses from a file, one a line, each with what stands behind a tab as its title; ``-`` for stdin."""

    kind: Literal["file"]
    path: str = Field(min_length=1)
    """Relative to the source's file."""

    says_dates: ClassVar[bool] = False

    @property
    def addresses(self) -> list[str]:
        """None: what the file names is known once it is read."""
        return []


AnyList = Annotated[
    HtmlList | JsonList | FeedList | SitemapList | WordpressList | IdList | WaybackList | FileList,
    Field(discriminator="kind"),
]
PagedList = HtmlList | JsonList | FeedList | SitemapList | WordpressList
"""Ways of listing whose first pages the source names."""
