"""Posts read back: for verifying an archive and for building its ledger anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any

import yaml

from crawler.archive.characters import forbidden
from crawler.archive.markup import WIDEST, Markup, fit
from crawler.archive.names import is_slug, safe_key

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_FRONT = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)
_TITLE = re.compile(r'^title: "(?:[^"\\\n]|\\.)*"$', re.MULTILINE)
_DATE = re.compile(r"^date: *([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})( [+-][0-9]{4})?$", re.MULTILINE)
_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-(.+)\.md")
_LINK = re.compile(r"<(https?://[^<>\s]+)>")
_BACK = re.compile(r"\[([^\[\]\n]*)\]\(([^()\s]*)\)")


class PostError(ValueError):
    """A post that cannot be read; the message names the rule it breaks: ``date: no time of the form …``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post read back."""

    title: str
    """Headline."""
    date: datetime
    """Time of publication; without a zone if the post has none."""
    categories: tuple[str, ...]
    """Slugs, as Jekyll would read them: a plain scalar is split at blanks."""
    tags: tuple[str, ...]
    """Labels, likewise."""
    fields: dict[str, Any]
    """All other front matter."""
    digest: str = ""
    """Plain text of the block quote or paragraph before the body."""
    body: str = ""
    """HTML, line ends as LF."""
    link: str = ""
    """Address of the original."""
    back: tuple[tuple[str, str], ...] = ()
    """Links at the foot: label as plain text, address."""


def read_post(data: bytes) -> Post:
    """A post from its bytes. Raises PostError where Jekyll would not take it for the post that it should be."""
    front, content = _split(_decoded(data))
    values = _front(front)
    title, categories = values.pop("title", None), _words(values.pop("categories", None))
    if not isinstance(title, str) or not title.strip():
        raise PostError(f"title: not a text: {title!r}")
    if not categories:
        raise PostError("categories: none")
    date, tags = _date(front), _words(values.pop("tags", None))
    values.pop("date", None)
    digest, body, link, back = _sections(content)
    return Post(
        title=title,
        date=date,
        categories=categories,
        tags=tags,
        fields=values,
        digest=digest,
        body=body,
        link=link,
        back=back,
    )


def check_post(
    name: str, data: bytes, *, zone: bool = True, markup: Markup | None = None, newline: str = "\n"
) -> list[str]:
    """What is wrong with a post and its file name, each as ``rule: what``; empty if nothing is.

    ``zone``, ``newline``: as the style has them. ``markup``: what the body may hold; without it, all that is harmless.
    """
    try:
        post = read_post(data)
    except PostError as error:
        return [str(error)]
    return [*_faults_of_name(name, post), *_faults(data.decode(), post, zone, markup or WIDEST, newline)]


def _faults_of_name(name: str, post: Post) -> Iterator[str]:
    match = _NAME.fullmatch(name)
    if not match or safe_key(match[2]) != match[2]:
        yield f"name: not portable: {name!r}"
    elif match[1] != post.date.date().isoformat():
        yield f"name: not the day of its date, {post.date.date()}"


def _faults(text: str, post: Post, zone: bool, markup: Markup, newline: str) -> Iterator[str]:
    front, content = _split(text)
    if not _TITLE.search(front):
        yield "title: not in double quotes on one line"
    if zone and post.date.tzinfo is None:
        yield "date: without a zone"
    yield from (f"categories: not a slug: {slug!r}" for slug in post.categories if not is_slug(slug))
    if "{{" in text or "{%" in text:
        yield "liquid: {{ or {% on disk"
    if bad := forbidden(text.replace("\r\n", "\n")):
        yield f"characters: U+{ord(bad):04X}"
    if "\r" in front or ("\r\n" in content) > (newline == "\r\n"):
        yield "lines: CR LF where LF belongs"
    if not fit(post.body, markup):
        yield "body: not in the writer's form"


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise PostError(f"utf-8: byte {error.start} is not") from None


def _split(text: str) -> tuple[str, str]:
    match = _FRONT.match(text)
    if not match:
        raise PostError("front matter: the file does not begin with a line --- and hold a second one")
    return match[1], text[match.end() :]


def _front(text: str) -> dict[str, Any]:
    try:
        values = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PostError(f"front matter: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise PostError("front matter: not a mapping")
    return values


def _date(front: str) -> datetime:
    match = _DATE.search(front)
    if not match:
        raise PostError("date: no line of the form YYYY-MM-DD HH:MM:SS +ZZZZ")
    try:
        return datetime.strptime(match[0][5:].strip(), "%Y-%m-%d %H:%M:%S %z" if match[2] else "%Y-%m-%d %H:%M:%S")
    except ValueError as error:
        raise PostError(f"date: {error}") from None


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(map(str, value))
    return tuple(value.split()) if isinstance(value, str) else ()


def _sections(content: str) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
    """Digest, body, link and links back. The writer keeps them apart by blank lines and has none inside the body."""
    parts = content.replace("\r\n", "\n").strip("\n").split("\n\n")
    back: tuple[tuple[str, str], ...] = ()
    link = digest = ""
    if parts[-1].startswith("["):
        back = tuple((unescape(label), target) for label, target in _BACK.findall(parts.pop()))
    if parts and (match := _LINK.fullmatch(parts[-1])):
        link = match[1]
        parts.pop()
    if parts and not parts[0].startswith("<"):
        digest = unescape(parts.pop(0).removeprefix("> "))
    return digest, "\n\n".join(parts), link, back
