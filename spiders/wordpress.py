"""WordPress sites by their REST interface (developer.wordpress.org/rest-api/reference/posts): newest posts first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawler.days import Days
from crawler.extract.page import Page
from crawler.extract.text import plain, squeeze
from crawler.lists import WordpressList
from crawler.sources import Source
from spiders.walk import EntryMaker, Listing, Walk, absolute

_POSTS = "wp/v2/posts"
_PER_PAGE = 100
"""Posts in an answer; WordPress gives no more."""
_PAST_THE_END = "rest_post_invalid_page_number"
"""What an interface answers, with status 400, where the page before was the last."""


class WordpressWalk(Walk):
    """Reads the answers of one site's interface."""

    statuses = (400,)
    """Of answers that mean something here, besides success."""

    def __init__(self, source: Source, one: WordpressList, window: Days | None = None) -> None:
        self._one, self._window, self._zone = one, window, source.zone
        self._make = EntryMaker(source)
        self._pattern = re.compile(one.links) if one.links else None

    def starts(self, days: Days) -> list[str]:
        """The first page of each interface; of a backfill's days alone."""
        asked = {"per_page": str(_PER_PAGE), "orderby": "date", "order": "desc", "_embed": "author,wp:term"}
        return [_with(_interface(url), {**asked, **self._bounds(), "page": "1"}) for url in self._one.urls]

    def _bounds(self) -> dict[str, str]:
        """The days of a backfill, in UTC; WordPress leaves out the bounds themselves."""
        if self._window is None:
            return {}
        first = datetime.combine(self._window.first, time(), self._zone) - timedelta(seconds=1)
        last = datetime.combine(self._window.last + timedelta(days=1), time(), self._zone)
        return {name: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for name, at in (("after", first), ("before", last))}

    def read(self, page: Page) -> Listing:
        """Entries in the order of the answer; none past the last page. Raises ValueError for what is none."""
        listing = Listing()
        for record in _records(page.json):
            fields = self._fields(record, page.url) if isinstance(record, dict) else {}
            if not (fields and self._pattern) or self._pattern.search(fields["url"]):
                self._make.add(listing, fields)
        return listing

    def _fields(self, record: Mapping[str, Any], base: str) -> dict[str, str]:
        """What the interface says. Content counts where nothing else is wanting for a post and no password is asked."""
        title, content, link = _rendered(record, "title"), _rendered(record, "content"), _text(record, "link")
        said = {
            "url": absolute(base, link) if link else "",
            "code": _text(record, "id"),
            "title": squeeze(plain(title)),
            "published": _published(record),
            "byline": "\n".join(dict.fromkeys(_names(_embedded(record, "author")))),
            "digest": _digest(record),
            "section": next(_names(_terms(record, "category")), ""),
        }
        shown = self._one.content and said["title"] and said["published"] and plain(content)
        return {**said, "content": content} if shown else said

    def next(self, page: Page, number: int) -> str:
        """The next page after a full one; a backfill has no other end."""
        if len(_records(page.json)) < _PER_PAGE or (self._window is None and number >= self._one.depth):
            return ""
        return _with(page.url, {"page": str(number + 1)})


def _interface(url: str) -> str:
    """Address of a site's posts, from the site's own or the interface's."""
    parts = urlsplit(url)
    if _POSTS in url:
        return url
    if "rest_route=" in parts.query:
        return _with(url, {"rest_route": f"/{_POSTS}"})
    before = parts.path.partition("/wp-json")[0].rstrip("/")
    return urlunsplit(parts._replace(path=f"{before}/wp-json/{_POSTS}", fragment=""))


def _with(url: str, values: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in values]
    return urlunsplit(parts._replace(query=urlencode([*kept, *values.items()], safe=":,/[]")))


def _records(answer: Any) -> list[Any]:
    """The posts of an answer. Raises ValueError with what the interface says instead."""
    if isinstance(answer, dict) and answer.get("code") == _PAST_THE_END:
        return []
    if isinstance(answer, dict) and answer.get("code"):
        raise ValueError(f"the interface says {_text(answer, 'code')[:80]!r}: {_text(answer, 'message')[:120]!r}")
    if not isinstance(answer, list):
        raise ValueError(f"a list of posts was due, not {str(answer)[:60]!r}")
    return answer


def _rendered(record: Mapping[str, Any], name: str) -> str:
    """HTML of a field; empty where a password is asked for it."""
    said = record.get(name)
    if not isinstance(said, dict) or said.get("protected"):
        return ""
    return _text(said, "rendered")


def _published(record: Mapping[str, Any]) -> str:
    """The time in UTC, else that of the site's clock."""
    utc = _text(record, "date_gmt")
    return f"{utc}Z" if utc and not utc.startswith("0000") else _text(record, "date")


def _digest(record: Mapping[str, Any]) -> str:
    """The excerpt, where an editor wrote it: one that breaks off was cut from the text."""
    said = squeeze(plain(_rendered(record, "excerpt")))
    return "" if said.endswith(("…", "...", "[…]")) else said


def _embedded(record: Mapping[str, Any], name: str) -> list[Any]:
    every = record.get("_embedded")
    found = every.get(name) if isinstance(every, dict) else None
    return found if isinstance(found, list) else []


def _terms(record: Mapping[str, Any], taxonomy: str) -> list[Any]:
    """Terms of one taxonomy; they come in a list for each."""
    every = (term for terms in _embedded(record, "wp:term") if isinstance(terms, list) for term in terms)
    return [term for term in every if isinstance(term, dict) and term.get("taxonomy") == taxonomy]


def _names(embedded: list[Any]) -> Iterator[str]:
    for one in embedded:
        if isinstance(one, dict) and (name := squeeze(plain(_text(one, "name")))):
            yield name


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""
