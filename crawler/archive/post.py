"""The post writer: an article as the bytes of a Jekyll post. Pure, and no article makes a post that breaks a site.

The form is the seed archive's; the rules that are numbered here and beside it are the measured ones of what Jekyll,
kramdown and Liquid do to hostile text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from crawler.archive.allowed import words
from crawler.archive.characters import absolute, autolink, encode_url, headline, one_line
from crawler.archive.markdown import label, prose
from crawler.archive.markup import WRITTEN, fit
from crawler.archive.names import file_name, is_slug, safe_key, safe_slug, twin_key
from crawler.archive.reader import Post, PostError, check_post, read_post
from crawler.archive.style import BackLink, PostStyle
from crawler.items import Article

__all__ = [
    "FIELDS",
    "Post",
    "PostError",
    "check_post",
    "file_name",
    "is_slug",
    "read_post",
    "safe_key",
    "safe_slug",
    "twin_key",
    "write_post",
]

_Value = str | tuple[str, ...] | datetime | None

FIELDS: Mapping[str, Callable[[Article], _Value]] = {
    "source": lambda article: article.source,
    "space": lambda article: article.space,
    "key": lambda article: article.key,
    "original": lambda article: article.link or article.url,
    "published_raw": lambda article: article.published_raw,
    "modified": lambda article: article.modified,
    "attribution": lambda article: article.attribution.name if article.attribution else "",
    "attribution_raw": lambda article: article.attribution.raw if article.attribution else "",
    "authors": lambda article: article.byline,
    "editor": lambda article: article.editor,
    "section": lambda article: article.section,
    "digest": lambda article: article.digest,
    "language": lambda article: article.language,
}
"""Front matter that a style may ask for by name, beyond the seed's own five lines."""

_WORD = re.compile(r"[^\W_][\w-]*")
_NUMBER = re.compile(r"[0-9][0-9A-Fa-fxXoO_-]*")
_SPECIAL = words("y n yes no on off true false null nan inf")
_BRACE = re.compile(r"\{(?=[{%])")
_TARGET = re.compile(r"(?:https?://|/|\.|[A-Za-z0-9_%-]+(?:[/?#.]|\Z))")


def write_post(article: Article, style: PostStyle) -> bytes:
    """The post, UTF-8. The body must be clean already.

    Raises ValueError, which names the field, for what would break a site or get lost in it: no title, no time of
    publication or one without a zone, a category that is no slug, a link that is not public, a body that is not clean.
    """
    sections = [*_text(article, style), *_tail(article, style)]
    lines = [f"{style.lead}---", *_front(article, style), "---", style.gap]
    return ("\n".join(lines) + "\n\n".join(sections) + style.end).encode()


def _front(article: Article, style: PostStyle) -> list[str]:
    title = headline(article.title)
    if not title:
        raise ValueError("title: empty")
    if not is_slug(article.category):
        raise ValueError(f"category: not a slug: {article.category!r}")
    tags = _tags(article)
    lines = [
        f"layout: {_scalar_or_list(style.layout)}",
        f"title: {_quoted(title)}",
        f"date: {_date('published', article.published, style)}",
        f"categories: {_scalar_or_list(article.category)}",
    ]
    if tags:
        lines.append(f"tags: {_scalar_or_list(*tags)}")
    lines += [f"{name}: {value}" for name in style.fields if (value := _field(name, article, style))]
    if article.pointer:
        lines.append(f"pointer: {_quoted(article.pointer)}")
    if article.revisions:
        edited = _quoted(_date("last_modified", article.last_modified, style))
        lines += [f"last_modified_at: {edited}", f"revisions: {article.revisions}"]
    return lines


def _tags(article: Article) -> list[str]:
    return list(dict.fromkeys(filter(None, map(one_line, article.tags))))


def _field(name: str, article: Article, style: PostStyle) -> str:
    if name not in FIELDS:
        raise ValueError(f"fields: no such front matter: {name}; choose from {', '.join(FIELDS)}")
    value = FIELDS[name](article)
    if isinstance(value, datetime):
        return _quoted(_date(name, value, style))
    if isinstance(value, tuple):
        names = [_quoted(name) for name in map(one_line, value) if name]
        return f"[{', '.join(names)}]" if names else ""
    value = one_line(value or "")
    return _quoted(value) if value else ""


def _date(field: str, time: datetime | None, style: PostStyle) -> str:
    """As Jekyll reads it without guessing (rule 3); the offset is left out only where the style says so."""
    if time is None or time.tzinfo is None:
        raise ValueError(f"{field}: no time with a zone: {time!r}")
    local = time.astimezone(ZoneInfo(style.timezone))
    text = local.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    # Before 1901 or so offsets had seconds, which neither Ruby nor Python reads back.
    return f"{text} {local:%z}"[:25] if style.zone else text


def _quoted(text: str) -> str:
    r"""A double-quoted YAML scalar (rule 2); ``{`` as ``\x7B`` where Liquid would wake."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _BRACE.sub(r"\\x7B", escaped) + '"'


def _scalar_or_list(*values: str) -> str:
    """One plain word, or a list: Jekyll splits scalars at blanks, YAML makes numbers of some (rule 4)."""
    if len(values) == 1 and _plain(values[0]):
        return values[0]
    return f"[{', '.join(map(_quoted, values))}]"


def _plain(word: str) -> bool:
    return bool(_WORD.fullmatch(word)) and word.lower() not in _SPECIAL and not _NUMBER.fullmatch(word)


def _text(article: Article, style: PostStyle) -> list[str]:
    """Digest and body, as far as there are any."""
    if not fit(article.body, WRITTEN):
        raise ValueError("body: not clean")
    digest = prose(article.digest, quote=style.quote == "quote") if style.quote and one_line(article.digest) else ""
    return [part for part in (digest, article.body.replace("\n", style.newline)) if part]


def _tail(article: Article, style: PostStyle) -> list[str]:
    """The link to the original and the links back, as far as there are any (rules 8 and 9)."""
    link = absolute(article.link)
    if article.link and not link.startswith("http"):
        raise ValueError(f"link: not a public address: {article.link!r}")
    whole = [BackLink(label=style.whole, href=style.base + article.pointer)] if article.pointer else []
    back = style.joiner.join(_back(one, article) for one in (*whole, *style.back))
    return [part for part in (link and autolink(link), back) if part]


def _back(link: BackLink, article: Article) -> str:
    tag = next(iter(_tags(article)), "")

    def filled(text: str) -> str:
        return text.replace("{category}", article.category).replace("{tag}", tag)

    target = encode_url(one_line(filled(link.href)))
    if not _TARGET.match(target):
        raise ValueError(f"back: not an address: {link.href!r}")
    # In the round brackets of a Markdown link these would end it.
    for mark in "()[]'":
        target = target.replace(mark, f"%{ord(mark):02X}")
    return f"[{label(filled(link.label))}]({target})"
