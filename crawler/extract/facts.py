"""What a page states of itself for machines: metas, links and structured data, read once and shared by all seekers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from html import unescape
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from crawler.extract.page import COMMA, Page
from crawler.extract.text import squeeze

Thing = Mapping[str, Any]
"""One object of structured data (JSON-LD)."""

_WRAPPING = re.compile(
    r"^\s*(?:<!--|//<!\[CDATA\[|<!\[CDATA\[|/\*.*?\*/)+|(?:-->|//\]\]>|\]\]>|/\*.*?\*/|;)+\s*$", re.DOTALL
)
_DEEPEST = 8
"""Nesting of objects that is followed."""
_LARGEST = 2_000_000
"""Characters of one script of structured data that are read."""
_MOST_ELEMENTS = 50_000
"""Of one page, that are looked at one by one."""
_ARTICLE = re.compile(
    r"Article$|^(?:BlogPosting|LiveBlogPosting|Report|Review|AnalysisNewsArticle|SocialMediaPosting)$"
)
"""Types of schema.org for an article (https://schema.org/Article and what is below it)."""


class Facts:
    """Statements of one page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.root
        self.url = page.url

    @cached_property
    def metas(self) -> Mapping[str, tuple[str, ...]]:
        """Contents of meta elements by their name, property or itemprop, in small letters; blanks squeezed."""
        found: dict[str, list[str]] = {}
        for meta in self.said("meta"):
            content = squeeze(meta.get("content", ""))
            if not content:
                continue
            for kind in ("property", "name", "itemprop", "http-equiv"):
                if key := meta.get(kind):
                    found.setdefault(key.strip().lower(), []).append(content)
        return {key: tuple(dict.fromkeys(contents)) for key, contents in found.items()}

    def meta(self, *keys: str) -> str:
        """The first content of the first of these metas that has one, else an empty text."""
        return next((self.metas[key][0] for key in keys if key in self.metas), "")

    @cached_property
    def links(self) -> Mapping[str, tuple[str, ...]]:
        """Absolute addresses of link elements by each word of their rel."""
        found: dict[str, list[str]] = {}
        for link in self.said("link"):
            for word in link.get("rel", "").lower().split():
                found.setdefault(word, []).append(self.absolute(link.get("href", "")))
        return {word: tuple(addresses) for word, addresses in found.items()}

    def absolute(self, href: str) -> str:
        """``href`` as the page means it; as it is, where that cannot be said."""
        if href.startswith(("https://", "http://")):
            return href.strip()
        try:
            return urljoin(self.url, href.strip())
        except ValueError:
            return href.strip()

    @cached_property
    def head_title(self) -> str:
        """Text of the ``<title>``."""
        titles = (squeeze("".join(title.itertext())) for title in self.said("title"))
        return next(filter(None, titles), "")

    @cached_property
    def things(self) -> Sequence[Thing]:
        """Every object of the page's JSON-LD, outer ones before what they hold, as far down as is sensible."""
        texts = (script.text or "" for script in self.said("script") if "ld+json" in script.get("type", ""))
        return [thing for text in texts for value in _values(text) for thing in _objects(value)]

    @cached_property
    def article(self) -> Thing:
        """The JSON-LD object that is the page's article, empty if there is none.

        Of several it is the one that names this page's address, else the first that stands outside other articles.
        """
        articles = [thing for thing in self.things if any(map(_ARTICLE.search, types(thing)))]
        here = {
            _bare(address) for address in (self.url, *self.links.get("canonical", ()), self.meta("og:url")) if address
        }
        named = (thing for thing in articles if not here.isdisjoint(map(_bare, _addresses(thing))))
        return next(named, articles[0] if articles else {})

    @cached_property
    def host(self) -> str:
        """The page's host in small letters without ``www.``; from its own statements where it has no address."""
        for address in self._own_addresses():
            try:
                host = urlsplit(address).hostname or ""
            except ValueError:
                continue
            if host:
                return host.removeprefix("www.")
        return ""

    def _own_addresses(self) -> list[str]:
        return [address for address in (self.url, *self.links.get("canonical", ()), self.meta("og:url")) if address]

    def said(self, tag: str) -> Sequence[Any]:
        """The page's meta, link, script or title elements."""
        return self._elements.get(tag, ())

    @cached_property
    def _elements(self) -> Mapping[str, Sequence[Any]]:
        """The elements that speak to machines, by tag, from one walk; a drawing's ``<title>`` is none of the page's."""
        found: dict[str, list[Any]] = {}
        for element in self.root.iter("meta", "link", "script", "title"):
            if (
                element.tag != "title"
                or element.getparent() is None
                or element.getparent().tag in ("head", "html", "body")
            ):
                found.setdefault(element.tag, []).append(element)
        return found

    @cached_property
    def elements(self) -> Sequence[Any]:
        """The page's elements in their order, of monstrous pages the first: whoever walks the tree shares them, for
        lxml makes every element anew unless somebody holds it, which costs more than to look at it."""
        return list(islice(self.root.iter("*"), _MOST_ELEMENTS))

    @cached_property
    def language(self) -> str:
        """What the page says it is written in, as a small BCP 47 tag ("zh-cn"); empty if it does not say."""
        said = (self.root.get("lang"), self.root.get("{http://www.w3.org/XML/1998/namespace}lang"))
        metas = (self.meta("og:locale"), self.meta("content-language"), self.meta("language", "dc.language"))
        for text in (*said, text_of(self.article.get("inLanguage")), *metas):
            if text and re.fullmatch(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", text.strip()):
                return text.strip().replace("_", "-").lower()
        return ""


def types(thing: Thing) -> Sequence[str]:
    """Names of an object's types, without vocabulary."""
    given = thing.get("@type")
    names = given if isinstance(given, list) else [given]
    return [re.split("[/#:]", name)[-1] for name in names if isinstance(name, str)]


def text_of(value: Any) -> str:
    """Plain text of a value of structured data: a text, an object's name, the first of a list; else empty."""
    if isinstance(value, str):
        return squeeze(unescape(value))
    if isinstance(value, list):
        return next((text for item in value if (text := text_of(item))), "")
    if isinstance(value, Mapping):
        return text_of(value.get("name") or value.get("@value"))
    return ""


def _values(text: str) -> Iterator[Any]:
    """JSON of a script; comments around it, trailing commas and raw line ends within texts are forgiven."""
    if len(text) > _LARGEST:
        return
    bare = _WRAPPING.sub("", text)
    for candidate in (text, bare, COMMA.sub(r"\1", bare), unescape(bare)):
        try:
            yield json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
        return


def _objects(value: Any, depth: int = 0) -> Iterator[Thing]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for item in value:
            yield from _objects(item, depth + 1)
    elif isinstance(value, dict):
        if depth == 0 or "@type" in value or "@graph" in value:
            yield value
        for inner in value.values():
            if isinstance(inner, dict | list):
                yield from _objects(inner, depth + 1)


def _addresses(thing: Thing) -> Iterator[str]:
    for key in ("url", "mainEntityOfPage", "@id"):
        value = thing.get(key)
        if isinstance(value, Mapping):
            value = value.get("@id") or value.get("url")
        if isinstance(value, str):
            yield value


def _bare(address: str) -> str:
    """An address for comparing: without scheme, query, fragment and final slash."""
    return re.sub(r"^https?://(?:www\.)?|[?#].*$|/$", "", address.strip())
