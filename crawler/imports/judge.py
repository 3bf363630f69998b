"""What becomes of a post by another hand: whether Jekyll takes it, at which address, and what has to be said of it.

A fault is what ``presskeep verify`` says: the post's own page may come out wrong. A danger stops the build of a whole
site, or gives the post another address. Measured with Jekyll 3.9, 4.3 and 4.4, which agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import yaml

from crawler.archive.address import post_url
from crawler.archive.allowed import words
from crawler.archive.characters import headline, one_line
from crawler.archive.post import check_post
from crawler.archive.reader import NO_YAML, Post, PostError, read_any
from crawler.render.posts import url_of
from crawler.render.times import moment_of

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-[^/]+\.md")
_FRONT = re.compile(r"\ufeff?---\s*\n(.*?\n?)^(?:---|\.\.\.)\s*$\n?", re.DOTALL | re.MULTILINE)
"""As Jekyll has it: nothing may stand before."""
_DATES = re.compile(r"^date[ \t]*:", re.MULTILINE)
_OUTPUT = re.compile(r"\{\{\s*[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*\s*\}\}", re.ASCII)
"""Liquid that gives a value, or nothing; all other may be what Liquid cannot read, and that stops a build."""
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)[^>]*?(/?)>")
_VOID = words("area base br col embed hr img input link meta source track wbr")
_DEEPEST = 1_000
"""Elements within each other: of 1,500 kramdown makes a page, of 3,000 it dies."""
_MARKS = 500
"""Brackets or asterisks on a line outside HTML: with 2,000 kramdown takes minutes."""
_NO_DAY = "0000-00-00-x.md"
"""The name of a file that says no day."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A post that may be taken."""

    post: Post
    address: str
    """Where Jekyll publishes it in this archive, below the site's base."""
    faults: tuple[str, ...]
    """Each as ``rule: what``."""
    dangers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """Of the posts of one site."""

    zone: tzinfo
    """Of the archive."""
    zone_there: tzinfo | None = None
    """Of the site that they come from, where that is known."""
    newline: str = "\n"
    """Line ends inside a post's body, as the style has them."""

    def judged(self, name: str, data: bytes, folders: tuple[str, ...] = ()) -> Judged:
        """A post by its file's name and bytes. ``folders``: those that ``_posts`` lies in, which are categories to
        Jekyll. Raises PostError for what no Jekyll publishes, or what has neither headline nor day."""
        _check_name(name)
        post = read_any(data, name)
        if not {".", ".."}.isdisjoint(part for one in post.categories for part in one.split("/")):
            raise PostError(f"categories: a path out of the site: {', '.join(post.categories)}")
        text = data.decode()
        match = _FRONT.match(text)
        front = _values(match[1] if match else "")
        if front is not None:
            _check_front(front)
        address = self._address(name, post, front, self.zone)
        dangers = [*_dangers(text[match.end() if match else 0 :], post, front)]
        if front is not None and _date_is_lost(data, front):
            dangers.append(f"date: not understood: {front['date']!r}")
        if match and len(_DATES.findall(match[1])) > 1:
            dangers.append("date: several of them")
        dangers += self._moves(name, post, front, folders, address)
        named = {one.partition(":")[0] for one in dangers}
        faults = [one for one in check_post(name, data, newline=self.newline) if one.partition(":")[0] not in named]
        faults += _no_times(front or {}, self.zone)
        if "address" not in named and (ours := url_of(name, post, self.zone)) != address:
            faults.append(f"address: Jekyll has it at {address}, presskeep's own pages and exports at {ours}")
        return Judged(post, address, tuple(faults), tuple(dangers))

    def _moves(
        self, name: str, post: Post, front: dict[str, Any] | None, folders: tuple[str, ...], address: str
    ) -> Iterator[str]:
        """Why its address is, or would be, another than its file and front matter make."""
        if own := [key for key in ("permalink", "slug") if front and front.get(key)]:
            yield f"address: its {own[0]} gives it one that presskeep does not know"
        elif front and front.keys() >= {"category", "categories"}:
            yield "address: Jekyll makes one of category and categories together"
        elif folders:
            yield f"address: it began with /{'/'.join(folders)}/ there, by its folder"
        elif self.zone_there and (there := self._address(name, post, front, self.zone_there)) != address:
            yield f"address: it was {there} there, and would be {address}"

    def _address(self, name: str, post: Post, front: dict[str, Any] | None, zone: tzinfo) -> str:
        """By Jekyll's reading: without front matter there are no categories, and the day is the name's."""
        categories = post.categories if front else ()
        return post_url(name, categories, _moment(name, post, front or {}, zone).date())


def _check_name(name: str) -> None:
    match = _NAME.fullmatch(name)
    try:
        if match and date.fromisoformat(match[1]):
            return
    except ValueError:
        pass
    raise PostError(f"name: no post has it: expected YYYY-MM-DD-NAME.md (got {name!r})")


def _values(front: str) -> dict[str, Any] | None:
    """Front matter as YAML; None where it is none."""
    try:
        values = yaml.load(front, _Loader)
    except NO_YAML:
        return None
    return values if isinstance(values, dict) else None if values else {}


def _check_front(front: dict[str, Any]) -> None:
    if "title" in front and not str(front["title"] or "").strip():
        raise PostError("title: empty")
    if front.get("published") is False:
        raise PostError("published: false, so no Jekyll publishes it")


def _moment(name: str, post: Post, front: dict[str, Any], zone: tzinfo) -> datetime:
    """Of publication, by Jekyll: a bare ``2022-05-19 20:00:00`` is in UTC, in quotes or without seconds in the site's
    zone."""
    if "date" not in front:
        return datetime.fromisoformat(name[:10])
    if post.date.tzinfo is None:
        bare = isinstance(front["date"], datetime)
        return post.date.replace(tzinfo=UTC if bare else zone).astimezone(zone)
    return post.date.astimezone(zone)


def _date_is_lost(data: bytes, front: dict[str, Any]) -> bool:
    """Whether the date cannot be read, so that Jekyll stops, or takes one that presskeep does not know."""
    if "date" not in front or isinstance(front["date"], date):
        return False
    try:
        read_any(data, _NO_DAY)
    except PostError:
        return True
    return False


def _strange(front: dict[str, Any]) -> Iterator[str]:
    """Front matter of kinds that Jekyll cannot take: YAML makes a number of ``123``, and no text of ``no``."""
    for name in ("categories", "category", "tags", "tag"):
        value = front.get(name)
        words = value if isinstance(value, list) else [value]
        if not isinstance(value, str | list | None) or any(isinstance(one, dict | list) for one in words):
            yield f"{name}: neither words nor a list of words, which stops the build"


def _dangers(content: str, post: Post, front: dict[str, Any] | None) -> Iterator[str]:
    """What stops a build, of front matter and of what stands below it."""
    if front is None:
        yield "front matter: not YAML, which stops a build with strict_front_matter; else the post is dated now"
    yield from _strange(front or {})
    if "{%" in content or "{{" in _OUTPUT.sub("", content):
        yield "liquid: {{ or {% in the text, which Jekyll runs; what it cannot read stops the build"
    if "csp" in (front or {}):
        yield "csp: it would loosen the Content-Security-Policy of its page"
    if _names_no_character(post.title):
        yield "title: a reference to no character, which stops jekyll-feed"
    if _names_no_character(content):
        yield "body: a reference to no character, which stops layouts that take the text"
    if _depth(content) > _DEEPEST:
        yield f"body: more than {_DEEPEST} elements within each other, which kramdown does not survive"
    if any(max(map(line.count, "[*_`")) > _MARKS for line in content.split("\n") if not line.lstrip().startswith("<")):
        yield f"body: more than {_MARKS} marks of Markdown on a line, which kramdown takes minutes for"


def _no_times(front: dict[str, Any], zone: tzinfo) -> Iterator[str]:
    """Layouts of old, and plugins, stop at what is no time."""
    for name in ("modified", "last_modified_at"):
        if (value := front.get(name)) and moment_of(value, zone) is None:
            yield f"{name}: no time: {value!r}"


def _names_no_character(text: str) -> bool:
    """Such as ``&#x110000;``, of which kramdown and the like make bytes that are no UTF-8."""
    return "&#" in text and headline(text) != one_line(text)


def _depth(html: str) -> int:
    """Most elements within each other."""
    depth = deepest = 0
    for end, tag, closed in _TAG.findall(html):
        if tag.lower() not in _VOID and not closed:
            depth = max(depth - 1, 0) if end else depth + 1
            deepest = max(deepest, depth)
    return deepest
