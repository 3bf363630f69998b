"""Addresses by their form: which links lead to articles, the pattern that takes them all, and the key in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from lxml import etree

from crawler.extract.page import Page
from crawler.extract.rules import as_text
from crawler.middlewares.guard import registered
from crawler.urls import canonical

_anchors: Any = etree.XPath("descendant-or-self::a[@href]")
_base: Any = etree.XPath("string(//base/@href)")
_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]")
_RUNS = re.compile(r"[A-Za-z]+|\d+|[^A-Za-z\d]+")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9a-f]{16,}", re.IGNORECASE)
_PAGER = re.compile(r"(?:page|p|index|list|pg)[-_]?\d{0,5}", re.IGNORECASE)
_HEADLINE = 12
"""Width of a link's text (a Chinese character counts two) from which it may be a headline."""
_ID_LEAST = 4
"""Digits of a number beside a slug from which it is an id."""
_ALL = r"/?(?:[?#]|$)"


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page."""

    url: str
    """Absolute and canonical."""
    text: str = ""

    @property
    def width(self) -> int:
        """Of its text as printed."""
        return len(self.text) + len(_WIDE.findall(self.text))


def links_of(page: Page) -> list[Link]:
    """Links of a page to web addresses, each once, with the longest of their texts."""
    base = base_of(page)
    found: dict[str, str] = {}
    for anchor in _anchors(page.root):
        if url := address(base, anchor.get("href")):
            text = as_text(anchor) or anchor.get("title", "").strip()
            found[url] = max(found.get(url, ""), text, key=len)
    return [Link(url, text) for url, text in found.items()]


def base_of(page: Page) -> str:
    """What a page's links are relative to."""
    return address(page.url, stated) or page.url if (stated := _base(page.root)) else page.url


def address(base: str, href: str) -> str:
    """The canonical web address of a link; empty for none."""
    try:
        found = urljoin(base, href.strip())
        return canonical(found) if found.startswith(("http://", "https://")) and urlsplit(found).hostname else ""
    except ValueError:
        return ""


def same_site(one: str, other: str) -> bool:
    """Whether two addresses are of one host and port, or of one registered domain."""
    first, second = urlsplit(one), urlsplit(other)
    domain = registered(first.hostname or "")
    return first.netloc == second.netloc or (bool(domain) and domain == registered(second.hostname or ""))


@dataclass(frozen=True)
class Address:
    """An address taken apart."""

    url: str

    @cached_property
    def path(self) -> tuple[str, ...]:
        """Parts of the path, the last without its extension."""
        return tuple(part for part in urlsplit(self.url).path.removesuffix(self.extension).split("/") if part)

    @cached_property
    def extension(self) -> str:
        """``.html`` and the like, with the ``index`` of what is an article's own folder; empty for none."""
        match = re.search(r"(?:(?<=[^/]{9})/index)?\.[A-Za-z][A-Za-z0-9]{1,4}$", urlsplit(self.url).path)
        return match[0] if match else ""

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Parameters that hold an id: others say how, not what."""
        return tuple(
            (name, value) for name, value in parse_qsl(urlsplit(self.url).query) if kind(value) in ("n", "i", "h")
        )

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each part of the path; behind a date comes a slug, whatever it looks like."""
        kinds = [kind(part) for part in self.path]
        if len(kinds) > 2 and kinds[-1] == "w" and "n" in kinds[:-1]:
            kinds[-1] = "s"
        return tuple(kinds)

    @property
    def form(self) -> tuple[Any, ...]:
        """What addresses of one kind of page share."""
        return urlsplit(self.url).netloc, self.kinds, self.extension, tuple(name for name, _ in self.query)

    @property
    def is_page(self) -> bool:
        """Whether it is but another page of a list."""
        if self.query:
            return all(_PAGER.fullmatch(name) for name, _ in self.query)
        numbered = self.kinds[-1:] == ("n",) and len(self.path[-1]) < _ID_LEAST + 1
        return any(map(_PAGER.fullmatch, self.path[-1:])) or (numbered and any(map(_PAGER.fullmatch, self.path[-2:-1])))

    @property
    def tells(self) -> bool:
        """Whether it may name one article: an id or a slug at its end, or an id in its query."""
        if not self.path or self.is_page:
            return False
        if self.query:
            return True
        return self.kinds[-1] != "w" and not (self.kinds[-1] == "n" and len(self.path[-1]) < 3)


@lru_cache(1 << 16)
def parsed(url: str) -> Address:
    """An address, taken apart once."""
    return Address(url)


def kind(part: str) -> str:
    """Of a part of a path: ``n`` number, ``h`` hexadecimal id, ``i`` letters and digits, ``s`` slug, ``sn`` and ``ns``
    slug with a number behind or before, ``w`` word."""
    part = unquote(part)
    if part.isdigit():
        return "n"
    if _UUID.fullmatch(part) and re.search(r"\d", part):
        return "h"
    words = re.split(r"[-_,.]", part)
    if len(words) == 1:
        if re.search(r"\d", part) and part.isascii():
            return "i"
        return "s" if not part.isascii() or len(part) > 25 else "w"
    if words[-1].isdigit() and len(words[-1]) >= _ID_LEAST:
        return "sn" if not all(map(str.isdigit, words)) else "i"
    if words[0].isdigit() and len(words[0]) >= _ID_LEAST:
        return "ns" if not all(map(str.isdigit, words)) else "i"
    if re.fullmatch(r"[A-Za-z]?\d[\w-]*", part) and len(words) <= 3:
        return "i"
    return "s" if len(words) > 3 or len(part) > 25 or any(len(word) > 1 and word.isdigit() for word in words) else "w"


def clusters(links: Iterable[Link], sure: Collection[str] = ()) -> list[list[Link]]:
    """Links that may lead to articles, by form, the likeliest form first.

    ``sure``: addresses that a feed or the user named as articles: their forms come before all others. Else a form needs
    three links with texts like headlines.
    """
    by_form: dict[Any, dict[str, Link]] = {}
    for link in links:
        if parsed(link.url).tells or link.url in sure:
            by_form.setdefault(parsed(link.url).form, {}).setdefault(link.url, link)
    known = Counter(parsed(url).form for url in sure)
    found = []
    for form, members in by_form.items():
        headlines = sum(link.width >= _HEADLINE for link in members.values())
        if known[form] or headlines >= 3:
            found.append((known[form], headlines, list(members.values())))
    found.sort(key=lambda one: one[:2], reverse=True)
    return [members for _, _, members in found]


# patterns


def pattern_for(articles: Collection[str], others: Collection[str]) -> str:
    """The regular expression that takes all these addresses and as few of the others as can be: the simplest of those
    that are equally good."""
    groups: dict[Any, list[Address]] = {}
    for url in dict.fromkeys(articles):
        one = parsed(url)
        form = (len(one.path), one.kinds[-1:], one.extension, tuple(name for name, _ in one.query))
        groups.setdefault(form, []).append(one)
    best = ""
    for narrow in (False, True):
        for end in ("", _ALL):
            forms = sorted(dict.fromkeys(_path_pattern(group, narrow, end) for group in groups.values()))
            forms = [form for form in forms if not any(form != other and form.startswith(other) for other in forms)]
            tried = forms[0] if len(forms) == 1 else f"(?:{'|'.join(forms)})"
            if not all(re.search(tried, url) for url in articles):
                continue
            best = min(best or tried, tried, key=lambda one: sum(bool(re.search(one, url)) for url in others))
    hosts = {urlsplit(url).netloc for url in articles}
    if len(hosts) == 1 and any(re.search(best, url) for url in others):
        best = re.escape(f"//{hosts.pop()}").replace(r"\-", "-") + best
    return best


def _path_pattern(group: Sequence[Address], narrow: bool, end: str) -> str:
    """Of addresses with as many parts, one kind of end, one extension and the same parameters."""
    columns = list(zip(*(one.path for one in group), strict=True))
    parts = [_day_pattern(column) or _part_pattern(column, narrow) for column in columns[:-1]]
    last = _part_pattern(columns[-1], False) if len(group) > 1 or kind(columns[-1][0]) != "w" else _wild(columns[-1])
    found = "/" + "/".join((*parts, last)) + re.escape(group[0].extension)
    if group[0].query:
        return found + "".join(rf"\?.*?\b{re.escape(name)}={_value_pattern(group, name)}"
                               for name in list(dict(group[0].query))[:1])  # fmt: skip
    return found + ("" if group[0].extension else end)


def _day_pattern(values: Sequence[str]) -> str:
    """Of a year, a month, a day or a whole date, for which the number of digits is fixed; empty for others."""
    length = len(values[0])
    fits = length in (2, 4, 8) and all(value.isdigit() and len(value) == length for value in values)
    return rf"\d{{{length}}}" if fits else ""


def _value_pattern(group: Sequence[Address], name: str) -> str:
    return _part_pattern([dict(one.query).get(name, "") for one in group], False)


def _part_pattern(values: Sequence[str], narrow: bool) -> str:
    """What the values of one part of a path have in common."""
    distinct = sorted(set(values))
    kinds = {kind(value) for value in distinct}
    if kinds == {"n"}:
        return r"\d+"
    if len(distinct) == 1 and kinds == {"w"}:
        return _escaped(distinct[0])
    if kinds == {"w"} and narrow and len(distinct) <= 40:
        return f"(?:{'|'.join(map(_escaped, distinct))})"
    if len(distinct) > 1 and kinds == {"i"} and (built := _same_runs(distinct)):
        return built
    if kinds == {"h"}:
        return r"[0-9A-Fa-f-]+"
    if kinds == {"sn"}:
        return r"[^/?#]*-\d+" if all("-" in value for value in distinct) else r"[^/?#]*\d+"
    if kinds == {"ns"}:
        return r"\d+[-_][^/?#]+"
    return _wild(distinct)


def _wild(values: Sequence[str]) -> str:
    return r"[\w-]+" if all(re.fullmatch(r"[\w-]+", value) for value in values) else r"[^/?#]+"


def _same_runs(values: Sequence[str]) -> str:
    """Of values such as ``NW20220101`` and ``NW20220102``, which differ in their digits alone: ``NW\\d+``."""
    split = [_RUNS.findall(value) for value in values]
    if len({len(runs) for runs in split}) != 1:
        return ""
    parts = []
    for column in zip(*split, strict=True):
        if all(run.isdigit() for run in column):
            parts.append(r"\d+")
        elif len(set(column)) == 1:
            parts.append(_escaped(column[0]))
        else:
            return ""
    return "".join(parts)


def _escaped(text: str) -> str:
    return re.escape(text).replace(r"\-", "-")


# keys


def key_patterns(articles: Collection[str]) -> list[str]:
    """Patterns whose first group is the site's own id, one for each form of address; each gives every address a key of
    its own. Empty where none does."""
    groups: dict[Any, list[Address]] = {}
    for url in dict.fromkeys(articles):
        one = parsed(url)
        groups.setdefault((one.kinds[-1:], one.extension, tuple(name for name, _ in one.query)), []).append(one)
    found = []
    for group in sorted(groups.values(), key=len, reverse=True):
        chosen = next((pattern for pattern in _keys_of(group) if _is_unique(pattern, group)), "")
        if not chosen:
            return []
        found.append(chosen)
    return list(dict.fromkeys(found))


def _keys_of(group: Sequence[Address]) -> Iterable[str]:
    """Candidates, the shortest id first: the longest number beside a slug, an id as a whole, the slug."""
    one, last = group[0], [address.path[-1] for address in group]
    if one.query:
        for name, _ in sorted(one.query, key=lambda pair: len(pair[1]), reverse=True):
            yield rf"[?&]{re.escape(name)}=([^&#]+)"
    extension = re.escape(one.extension) if one.extension else _ALL
    whole = _part_pattern(last, False)
    if one.kinds[-1] == "sn":
        yield rf"[-_,.](\d+){extension}"
    if one.kinds[-1] == "ns":
        yield r"/(\d+)[-_][^/]*$" if len(group[0].path) > 1 and kind(group[0].path[-2]) == "n" else r"/(\d+)[-_]"
    if one.kinds[-1] == "i" and (runs := _numbered(last)):
        yield f"/{runs}{extension}"
    if len(one.path) > 1 and len(set(last)) == 1:
        yield f"/([^/?#]+)/{whole}{extension}"
    yield f"/({whole}){extension}"
    if len(one.path) > 1:
        yield f"/([^/?#]+/{whole}){extension}"


def _numbered(values: Sequence[str]) -> str:
    """Of ids such as ``content_4711``: a word that all begin with, and the number behind it."""
    prefix = "".join(takewhile(lambda letter: not letter.isdigit(), values[0]))
    if len(prefix) > 2 and all(re.fullmatch(re.escape(prefix) + r"\d{4,}", value) for value in values):
        return rf"{_escaped(prefix)}(\d+)"
    return ""


def _is_unique(pattern: str, group: Sequence[Address]) -> bool:
    """Whether each address has a key, and no two the same."""
    found = [match[1] for one in group if (match := re.search(pattern, one.url))]
    return len(found) == len(group) and len(set(found)) == len(found)
