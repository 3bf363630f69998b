"""JSON Lines: articles in the words of schema.org's NewsArticle, tombstones as lines of their own, and a last line that
says from which number to ask next time. Its JSON Schema is made here as well."""

from __future__ import annotations

import json
from typing import Any, BinaryIO, TextIO

from crawler.archive.changelog import PRESENCE, Entry
from crawler.archive.markup import text_of
from crawler.export.order import Order, Outside
from crawler.export.output import text
from crawler.export.shelf import Item

_TEXT, _NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}
_TIME = {"type": "string", "format": "date-time"}
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_LINE: dict[str, Any] = {
    "sequence": {**_NUMBER, "description": "Number of this line in the archive's change log."},
    "event": _TEXT,
    "moment": {**_TIME, "description": "When it was noted."},
    "space": {**_TEXT, "description": "Namespace of the key: space and identifier together name an article."},
    "identifier": {**_TEXT, "description": "Key: the site's own id."},
    "source": {**_TEXT, "description": "Id of the source that is followed."},
    "revision": {**_NUMBER, "description": "Earlier versions that are kept."},
    "digest": {**_DIGEST, "description": "sha256 of the post's file."},
    "path": {**_TEXT, "description": "Of the post's file in the archive."},
    "gone": {**_TIME, "description": "Since when the article is gone upstream; absent while it is there."},
}


def _named(kind: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"@type": {"const": kind}, "name": _TEXT}, "required": ["@type", "name"]}


_ARTICLE: dict[str, Any] = {
    "@context": {"const": "https://schema.org"},
    "@type": {"const": "NewsArticle"},
    "headline": _TEXT,
    "datePublished": _TIME,
    "dateModified": _TIME,
    "author": {"type": "array", "items": _named("Person")},
    "publisher": {**_named("Organization"), "description": "The site that was crawled."},
    "sourceOrganization": {**_named("Organization"), "description": "The credited outlet."},
    "inLanguage": {**_TEXT, "description": "BCP 47 tag."},
    "articleSection": {**_TEXT, "description": "Category of the post."},
    "keywords": {"type": "array", "items": _TEXT},
    "abstract": _TEXT,
    "articleBody": {**_TEXT, "description": "Plain text, a paragraph a line."},
    "url": {**_TEXT, "description": "Of the original."},
    "archivedAt": {**_TEXT, "description": "Where the archive publishes it."},
}
_END: dict[str, Any] = {
    "event": {"const": "end"},
    "log": {**_TEXT, "description": "Id of the change log: numbers of another log mean nothing."},
    "next": {**_NUMBER, "description": "To be asked from next time: --since NEXT."},
    "articles": _NUMBER,
}
_OUTSIDE = "outside"
_MAY_LACK = {"gone", "dateModified", "author", "sourceOrganization", "inLanguage", "keywords", "abstract", "url"}


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one line."""
    posts = {**_LINE, **_ARTICLE, "event": {"enum": ["new", "edited", "reprocessed"]}}
    presence = {**_LINE, "event": {"enum": list(PRESENCE)}}
    outside = {**_LINE, "event": {"const": _OUTSIDE}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of presskeep export jsonl",
        "oneOf": [
            _object("article", posts),
            _object("tombstone: gone upstream, or there again", presence),
            _object("outside: changed, and not, or no longer, of the --category: take it out", outside),
            _object("end: the last line; an export without one was cut short", _END),
        ],
    }


def _object(title: str, properties: dict[str, Any]) -> dict[str, Any]:
    required = [name for name in properties if name not in _MAY_LACK]
    return {"title": title, "type": "object", "properties": properties, "required": required}


def write(out: BinaryIO, order: Order) -> int:
    """Write the lines that are asked for, and a last one; the number of articles. Raises OSError."""
    written = 0
    with text(out) as lines:
        for entry, item in order.told():
            _put(lines, article_of(item) if item else line_of(entry))
            written += item is not None
        _put(lines, {"event": "end", "log": order.log, "next": order.upto, "articles": written})
    return written


def _put(out: TextIO, told: dict[str, Any]) -> None:
    out.write(json.dumps(told, ensure_ascii=False) + "\n")


def line_of(entry: Entry) -> dict[str, Any]:
    """What the log says, and that a post is outside what is asked for."""
    told = {
        "sequence": entry.number,
        "event": _OUTSIDE if isinstance(entry, Outside) else entry.event,
        "moment": entry.moment,
        "space": entry.space,
        "identifier": entry.key,
        "source": entry.source,
        "revision": entry.revision,
        "digest": entry.digest,
        "path": entry.path,
    }
    return {**told, "gone": entry.gone} if entry.gone else told


def article_of(item: Item) -> dict[str, Any]:
    """A post in schema.org's words; what is not known is absent."""
    told = {
        "headline": item.post.title,
        "datePublished": item.published.isoformat(),
        "dateModified": item.modified.isoformat() if item.modified else "",
        "author": [{"@type": "Person", "name": name} for name in item.authors],
        "publisher": _organization(item.publisher.name),
        "sourceOrganization": _organization(item.outlet),
        "inLanguage": item.language,
        "articleSection": item.section,
        "keywords": list(item.post.tags),
        "abstract": item.post.digest,
        "articleBody": text_of(item.post.body),
        "url": item.original,
        "archivedAt": item.address,
    }
    known = {name: value for name, value in told.items() if value or name not in _MAY_LACK}
    kind = {"@context": "https://schema.org", "@type": "NewsArticle"}
    return {**kind, **line_of(item.entry), "digest": item.digest, **known}


def _organization(name: str) -> dict[str, str]:
    return {"@type": "Organization", "name": name} if name else {}
