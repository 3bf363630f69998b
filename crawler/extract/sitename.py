"""What a site is called, and what of a title is that rather than the article's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import chain, islice
from urllib.parse import unquote, urlsplit

from crawler.extract.facts import Facts, text_of, types

_LONGEST = 200
"""Characters of a name that are read."""
_MOST = 30
"""Separators of one title that are looked at."""
SEPARATED = re.compile(r"\s+(?:[|\-–—−·•»«›‹~:/\\⋆│｜－]+|::)\s+|\s*[|｜│_]+\s*|\s*--+\s*|\s+[»›]\s*|(?<=\S)\s*[‹›]\s+")
"""What stands between a headline and the names of section and site."""
_SEPARATOR = re.compile(r"[|\-–—−·•»«›‹~:/\\⋆│｜－_]")
"""A sign that every one of them has."""
_TIGHT = re.compile(r"[\-–—－:：,，、（(]\s*|\s+")
"""The same without blanks, or nothing but a blank: believed before a name of the site alone."""
_COLON = re.compile(r"[^:：]{1,60}[:：]\s+")
_DOMAIN = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[a-z]{2,12}/?", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
_OUTLET = re.compile(
    r".{0,12}(?:网|網|网站|新闻|新聞|日报|日報|晚报|晚報|时报|時報|频道|頻道|门户|官网|在线|客户端|百科|周刊|杂志|论坛|电视台"
    r"|新聞社|通信社|オンライン|デジタル|DIGITAL|ニュース|日記|뉴스|신문|일보|경제)(?:Web|WEB|\w{0,3})"
)
"""How names of outlets end in scripts whose titles do without blanks."""
_SIGNS = re.compile(r"[\W_]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})


class SiteName:
    """What the page's site is called, and what of a text is that."""

    def __init__(self, facts: Facts, siblings: Sequence[str]) -> None:
        self._facts = facts
        self._siblings = siblings

    @cached_property
    def _names(self) -> frozenset[str]:
        host = self._facts.host
        shared = _shared(self._facts.head_title, self._siblings)
        names = {host, *host.split(".")[:-1], *_names(self._facts), *shared}
        return frozenset(filter(None, chain.from_iterable(map(_spellings, names))))

    @cached_property
    def _sections(self) -> frozenset[str]:
        return frozenset(filter(None, chain.from_iterable(map(_spellings, set(_sections(self._facts))))))

    def is_name(self, text: str) -> bool:
        """Whether a piece of a title is the site's name, its address or a date."""
        piece = text.strip(" .,;:|-–—()[]»«›‹*")
        folds = _spellings(piece)
        if not any(folds):
            return True
        if not self._names.isdisjoint(folds) or _DOMAIN.fullmatch(piece) or _DATE.fullmatch(piece):
            return True
        return any(_much(letters, name) for letters in folds for name in self._names)

    def is_section(self, text: str) -> bool:
        """Whether a piece is the section that the page or its address names."""
        return not self._sections.isdisjoint(_spellings(text))

    def cut(self, text: str, shown: Collection[str]) -> str:
        """A title without the names of site and section at its ends; ``shown``: folds of headings that are whole."""
        value = _as_shown(text, shown) or self._cut_start(self._cut_end(text))
        return value if fold(value) else text

    def _cut_end(self, text: str) -> str:
        """Without everything from the first name on; a section before a name goes too."""
        seams = _seams(text)
        ends = [*(start for start, _ in seams[1:]), len(text)][: len(seams)]
        for at, ((_, start), end) in enumerate(zip(seams, ends, strict=True)):
            piece = text[start:end]
            if self.is_name(piece) or _OUTLET.fullmatch(piece):
                before = at - 1
                while before >= 0 and self.is_section(text[seams[before][1] : seams[before + 1][0]]):
                    before -= 1
                head = text[: seams[before + 1][0]]
                return head if not self.is_name(head) else text
        return self._cut_tight(text)

    def _cut_tight(self, text: str) -> str:
        """Without a name that no blank or separator sets off: ``…-某某网``."""
        for seam in reversed(list(_TIGHT.finditer(text, max(0, len(text) - 60)))[-8:]):
            head, tail = text[: seam.start()], text[seam.end() :]
            if not seam[0].strip():
                if len(fold(tail)) > 5 and fold(tail) in self._names and len(fold(head)) > 5:
                    return head
            elif (self.is_name(tail) and not _DATE.fullmatch(tail)) or _OUTLET.fullmatch(tail):
                return head
        return text

    def _cut_start(self, text: str) -> str:
        for start, end in _seams(text)[:3]:
            if self.is_name(text[:start]) and fold(text[end:]):
                return self._cut_start(text[end:])
        if (colon := _COLON.match(text)) and fold(colon[0]) in self._names:
            return text[colon.end() :]
        return text


def heads(text: str) -> Iterator[str]:
    """A text, and its beginnings up to each separator."""
    yield text
    for start, _ in _seams(text):
        yield text[:start]


@lru_cache(maxsize=256)
def _seams(text: str) -> Sequence[tuple[int, int]]:
    """Where a text is separated: a page repeats its title in several places."""
    if not _SEPARATOR.search(text):
        return ()
    return [seam.span() for seam in islice(SEPARATED.finditer(text), _MOST)]


def _as_shown(text: str, shown: Collection[str]) -> str:
    """The beginning or end of a text, up to a separator, that is shown on the page; else nothing."""
    for start, end in _seams(text):
        for piece in (text[:start], text[end:]):
            if fold(piece) in shown:
                return piece
    return ""


def _much(piece: str, name: str) -> bool:
    """Whether one holds the other and little else."""
    short, long = sorted((piece, name), key=len)
    return len(short) >= 4 and short in long and (long == name or len(long) <= 2 * len(short) + 6)


def _names(facts: Facts) -> Iterator[str]:
    for key in ("og:site_name", "application-name", "apple-mobile-web-app-title", "twitter:site", "dc.publisher"):
        if name := facts.meta(key)[:_LONGEST]:
            yield name
            yield from SEPARATED.split(name)
    yield text_of(facts.article.get("publisher"))[:_LONGEST]
    for thing in islice(facts.things, 50):
        if {"WebSite", "Organization", "NewsMediaOrganization"} & set(types(thing)):
            yield text_of(thing.get("name"))[:_LONGEST]
            yield text_of(thing.get("alternateName"))[:_LONGEST]


def _sections(facts: Facts) -> Iterator[str]:
    yield text_of(facts.article.get("articleSection"))[:_LONGEST]
    yield facts.meta("article:section")[:_LONGEST]
    try:
        yield from unquote(urlsplit(facts.url).path).strip("/").split("/")[:-1]
    except ValueError:
        return


def _shared(title: str, siblings: Sequence[str]) -> list[str]:
    """Pieces of a title that two other pages' titles have too, or the only other one."""
    pieces = [piece for piece in SEPARATED.split(title) if piece]
    others = [set(SEPARATED.split(other)) for other in siblings if other != title]
    if len(pieces) < 2 or not others:
        return []
    return [piece for piece in pieces if sum(piece in other for other in others) >= min(2, len(others))]


@lru_cache(maxsize=512)
def fold(text: str) -> str:
    """Letters and digits alone, for comparing."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text).casefold())


def _spellings(text: str) -> Collection[str]:
    """How a name is written in letters and in addresses."""
    letters = fold(text)
    if letters.isascii():
        return (letters,)
    bare = "".join(char for char in unicodedata.normalize("NFD", letters) if not unicodedata.combining(char))
    return {letters, letters.translate(_UMLAUTS), bare}
