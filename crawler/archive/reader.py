"""Posts read back: strictly, as the writer makes them, or leniently, as any Jekyll site may hold them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from html import escape, unescape
from typing import Any

import yaml

from crawler.archive.characters import forbidden
from crawler.archive.markup import WIDEST, Markup, fit
from crawler.archive.names import is_slug, safe_key

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

YEARS = range(1000, 9999)
"""Those of a post: they can be had in any zone, and four digits sort them."""

NO_YAML = yaml.YAMLError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError
"""What the loader raises: of ``!!bool x`` a KeyError, of ``!!int ""`` an IndexError, of ``!!timestamp x`` an
AttributeError, of ``1:00:…:00.5`` an OverflowError."""
_FRONT = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)
_ANY_FRONT = re.compile(r"\s*---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"^([A-Za-z_][\w-]*):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
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
    date, tags = _of_news(_date(front)), _words(values.pop("tags", None))
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


def read_any(data: bytes, name: str = "") -> Post:
    """A post that somebody else may have written, as its reader would take it: for showing it and handing it on, not
    for judging it. Of a post of ours it makes what ``read_post`` makes.

    ``name``: of its file, which says day and headline where the front matter does not. Lines before the front matter,
    CR LF, and YAML that is none (a headline with quotes in its quotes, say) are borne with; Markdown becomes plain
    paragraphs. There may be no categories, and nothing says that the body is harmless. Raises PostError where there is
    no front matter, no headline, or nothing that tells the day.
    """
    front, content = _split_any(_decoded(data).removeprefix("\ufeff").replace("\r\n", "\n"))
    values = _front_any(front)
    named = _NAME.fullmatch(name)
    title = str(values.pop("title", None) or (named[2] if named else ""))
    moment = _date_any(front, values.pop("date", None)) or (named and _moment(named[1]))
    if not title.strip():
        raise PostError("title: none")
    if not moment:
        raise PostError("date: none, nor a day in the file's name")
    category, categories, tags = (values.pop(key, None) for key in ("category", "categories", "tags"))
    digest, body, link, back = _sections_any(content)
    return Post(
        title=title,
        date=_of_news(moment),
        categories=(str(category),) if category else _words_any(categories),
        tags=_words_any(tags),
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
    allowed = replace(markup or WIDEST, own=True)
    return [*_faults_of_name(name, post), *_faults(data.decode(), post, zone, allowed, newline)]


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


def _split_any(text: str) -> tuple[str, str]:
    match = _ANY_FRONT.match(text)
    if not match:
        raise PostError("front matter: none")
    return match[1], text[match.end() :]


def _front_any(text: str) -> dict[str, Any]:
    """What each line seems to say, where the whole is not YAML."""
    try:
        return _front(text)
    except PostError:
        lines = ((name, value) for name, value in _LINE.findall(text) if value)
        return {name: value[1:-1] if value[:1] == value[-1:] in ("'", '"') else value for name, value in lines}


def _front(text: str) -> dict[str, Any]:
    try:
        values = yaml.load(text, _Loader)
    except NO_YAML as error:
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


def _of_news(moment: datetime) -> datetime:
    """Raises PostError for what some zones have no date for."""
    if moment.year not in YEARS:
        raise PostError(f"date: no year of news: {moment.year}")
    return moment


def _date_any(front: str, value: object) -> datetime | None:
    try:
        return _date(front)
    except PostError:
        return value if isinstance(value, datetime) else _moment(str(value))


def _moment(text: str) -> datetime | None:
    """Of ISO 8601, a blank before the offset allowed; midnight where there is a day alone."""
    try:
        return datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-"))
    except ValueError:
        return None


def _words_any(value: object) -> tuple[str, ...]:
    """Numbers and the like as words too: YAML makes them of bare tags."""
    return _words([value] if isinstance(value, int | float | date) else value)


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


def _sections_any(content: str) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
    """Likewise; a text that goes on in Markdown is body from its beginning."""
    digest, body, link, back = _sections(_BLANK_LINES.sub("\n\n", content))
    if not body or body.startswith("<"):
        return digest, body, link, back
    parts = [digest, *(part if part.startswith("<") else unescape(part) for part in body.split("\n\n"))]
    html = (part if part.startswith("<") else f"<p>{escape(part, quote=False)}</p>" for part in parts if part)
    return "", "\n".join(html), link, back
