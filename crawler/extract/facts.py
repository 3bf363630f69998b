"""What a page states of itself for machines: metas, links and structured data, read once and shared by all seekers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from html import unescape
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree

from crawler.extract.blocks import Segments
from crawler.extract.page import COMMA, Page
from crawler.extract.text import squeeze

Thing = Mapping[str, Any]
"""One object of structured data (JSON-LD)."""

_DEEPEST = 8
"""Nesting of objects that is followed."""
_LARGEST = 2_000_000
"""Characters of a page's structured data that are read."""
_MOST_THINGS = 5_000
_LONGEST = 10_000
"""Characters of a statement that are read."""
_MOST_ELEMENTS = 50_000
"""Of one page, that are looked at one by one."""
_ARTICLES = frozenset(("BlogPosting", "LiveBlogPosting", "Report", "Review", "SocialMediaPosting"))
"""Types of schema.org for an article (https://schema.org/Article and what is below it) that do not end in its name."""
_IDS: Any = etree.XPath("descendant::*/@id", smart_strings=False)
_PROPS: Any = etree.XPath("descendant::*/@itemprop", smart_strings=False)
_TELLING = ("meta", "link", "script", "title", "time", "h1", "h2", "h3")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
"""A language's (BCP 47)."""


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
            content = squeeze(meta.get("content", "")[:_LONGEST])
            if not content:
                continue
            for kind in ("property", "name", "itemprop", "http-equiv"):
                if key := meta.get(kind):
                    found.setdefault(key.strip().lower(), []).append(content)
        return {key: tuple(dict.fromkeys(contents)) for key, contents in found.items()}

    def meta(self, *keys: str) -> str:
        """The first content of the first of these metas that has one, else an empty text."""
        metas = self.metas
        for key in keys:
            if contents := metas.get(key):
                return contents[0]
        return ""

    @cached_property
    def canonical(self) -> Sequence[str]:
        """Absolute addresses that the page calls its canonical one."""
        links = (link for link in self.said("link") if "canonical" in link.get("rel", "").lower().split())
        return [self.absolute(link.get("href", "")) for link in links]

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
        titles = (squeeze("".join(title.itertext())[:_LONGEST]) for title in self.said("title"))
        return next(filter(None, titles), "")

    @cached_property
    def things(self) -> Sequence[Thing]:
        """Every object of the page's JSON-LD, outer ones before what they hold, as far down as is sensible."""
        texts = (script.text or "" for script in self.said("script") if "ld+json" in script.get("type", ""))
        things = (thing for text in _within(texts, _LARGEST) for value in _values(text) for thing in _objects(value))
        return list(islice(things, _MOST_THINGS))

    @cached_property
    def article(self) -> Thing:
        """The JSON-LD object that is the page's article, empty if there is none.

        Of several it is the one that names this page's address, else the first that stands outside other articles.
        """
        articles = [thing for thing in self.things if any(map(_is_article, types(thing)))]
        if len(articles) < 2:
            return articles[0] if articles else {}
        here = set(map(_bare, self._own_addresses()))
        named = (thing for thing in articles if not here.isdisjoint(map(_bare, _addresses(thing))))
        return next(named, articles[0])

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
        return [address for address in (self.url, *self.canonical, self.meta("og:url")) if address]

    def said(self, tag: str) -> Sequence[Any]:
        """The page's meta, link, script, title, time, h1, h2 or h3 elements."""
        return self._elements.get(tag, ())

    @cached_property
    def _elements(self) -> Mapping[str, list[Any]]:
        """The elements that say most, by tag, from one walk; a drawing's ``<title>`` is none of the page's."""
        found: dict[str, list[Any]] = {}
        for element in self.root.iter(*_TELLING):
            found.setdefault(element.tag, []).append(element)
        found["title"] = [title for title in found.get("title", ()) if _is_the_pages(title)]
        return found

    @cached_property
    def elements(self) -> Sequence[Any]:
        """The page's elements in their order, of monstrous pages the first: whoever walks the tree shares them, for
        lxml makes every element anew unless somebody holds it, which costs more than to look at it."""
        return list(islice(self.root.iter("*"), _MOST_ELEMENTS))

    @cached_property
    def tags(self) -> Sequence[str]:
        """The tag of each of ``elements``."""
        return [element.tag for element in self.elements]

    @cached_property
    def classes(self) -> Sequence[str]:
        """The class of each of ``elements``, empty where it has none."""
        return [element.get("class", "") for element in self.elements]

    @cached_property
    def classes_used(self) -> Collection[str]:
        """The classes of the page, each once: they are fewer than the elements."""
        return frozenset(self.classes)

    @cached_property
    def ids(self) -> Collection[str]:
        """The ids of the page."""
        return frozenset(_IDS(self.root))

    @cached_property
    def props(self) -> Collection[str]:
        """The properties of microdata (itemprop) that the page names."""
        return frozenset(_PROPS(self.root))

    def called(self, test: Callable[[str], bool]) -> list[Any]:
        """Elements with a class (as a whole) or an id that passes a test."""
        classes, ids = set(filter(test, self.classes_used)), set(filter(test, self.ids))
        if not classes and not ids:
            return []
        pairs = zip(self.elements, self.classes, strict=True)
        return [element for element, names in pairs if names in classes or (ids and element.get("id") in ids)]

    @cached_property
    def segments(self) -> Segments:
        """The page's text as its reader sees it."""
        _ = self.elements  # which the walk would make anew
        return Segments(self.root)

    @cached_property
    def language(self) -> str:
        """What the page says it is written in, as a small BCP 47 tag ("zh-cn"); empty if it does not say."""
        said = (self.root.get("lang"), self.root.get("{http://www.w3.org/XML/1998/namespace}lang"))
        metas = (self.meta("og:locale"), self.meta("content-language"), self.meta("language", "dc.language"))
        for text in (*said, text_of(self.article.get("inLanguage")), *metas):
            if text and _TAG.fullmatch(text.strip()):
                return text.strip().replace("_", "-").lower()
        return ""


def _is_the_pages(title: Any) -> bool:
    above = title.getparent()
    return above is None or above.tag in ("head", "html", "body")


def types(thing: Thing) -> Sequence[str]:
    """Names of an object's types, without vocabulary."""
    given = thing.get("@type")
    names = given if isinstance(given, list) else [given]
    return [name if name.isalnum() else re.split("[/#:]", name)[-1] for name in names if isinstance(name, str)]


def _is_article(kind: str) -> bool:
    return kind.endswith("Article") or kind in _ARTICLES


def text_of(value: Any) -> str:
    """Plain text of a value of structured data: a text, an object's name, the first of a list; else empty."""
    if isinstance(value, str):
        return squeeze(unescape(value))
    if isinstance(value, list):
        return next((text for item in value if (text := text_of(item))), "")
    if isinstance(value, Mapping):
        return text_of(value.get("name") or value.get("@value"))
    return ""


def _within(texts: Iterable[str], most: int) -> Iterator[str]:
    """Texts as long as all of them together have no more than so many characters."""
    for text in texts:
        if len(text) <= most:
            most -= len(text)
            yield text


def _values(text: str) -> Iterator[Any]:
    """JSON of a script; comments around it, trailing commas and raw line ends within texts are forgiven."""
    for candidate in _readings(text):
        try:
            yield json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
        return


def _readings(text: str) -> Iterator[str]:
    """Ways to take a script, the next only where the last is no JSON."""
    yield text
    inner = text.replace("<![CDATA[", "").replace("]]>", "")
    begin = min((at for at in map(inner.find, "{[") if at >= 0), default=0)
    bare = inner[begin : max(map(inner.rfind, "}]")) + 1]
    yield bare
    yield COMMA.sub(r"\1", bare)
    yield unescape(bare)


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
