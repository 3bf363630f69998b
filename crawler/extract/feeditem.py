"""One item of a feed: from an element of RSS or Atom, or a record of JSON Feed, to its fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from crawler.extract.text import plain, squeeze

_SUMMARY = 1000
"""Characters from which a description is the article itself and no summary of it."""
_OWN = "http://www.w3.org/2005/Atom http://purl.org/atom/ns# http://purl.org/rss/1.0/ http://backend.userland.com/rss2"
_PREFIXES = {
    **dict.fromkeys(_OWN.split(), ""),
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/1999/xhtml": "xhtml",
}
"""Namespace -> prefix by which its elements go here: none for those of RSS and Atom; others keep their own."""
_ATOM_PREFIXES = frozenset({"atom", "a10", "rss"})
"""Prefixes that mean Atom or RSS where nobody declares them."""
_PUBLISHED = ("pubdate", "dc:date", "published", "issued", "dcterms:issued", "dcterms:created", "created", "date")
_UPDATED = ("updated", "modified", "dcterms:modified")
_TEXT = frozenset({"text", "text/plain"})
_HTML = frozenset({"html", "xhtml", "text/html", "application/xhtml+xml"})

_MARKUP = re.compile(
    r"&(?:#\w{1,7}|[a-z]\w{1,31});|</?(?:a|abbr|b|big|blockquote|br|cite|code|div|em|figure|font|h[1-6]|hr|i|img|li|mark|ol|p"
    r"|q|s|small|span|strong|strike|sub|sup|table|tt|u|ul|wbr)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
"""What shows that a text is HTML, though nothing says so: ``how <video> works`` is none."""
_MAIL = r"[^\s()<>,;@]{1,64}@[^\s()<>,;@]{1,255}"
_NAMED_MAIL = re.compile(rf"^{_MAIL}\s*\((.*)\)$", re.DOTALL)
_ANY_MAIL = re.compile(rf"(?:mailto:)?[(<]?{_MAIL}[)>]?")
_HAS_WEB = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Item:
    """One article of a feed; texts are plain and squeezed, ``content`` is HTML."""

    url: str = ""
    """As the feed has it, made absolute where it has a base."""
    title: str = ""
    published: str = ""
    """As printed."""
    updated: str = ""
    """As printed."""
    outlet: str = ""
    """Whom the feed says that it has the article from."""
    authors: tuple[str, ...] = ()
    digest: str = ""
    section: str = ""
    content: str = ""
    """The article in full, or else the description."""


class Entry:
    """Reads the fields of one item in XML."""

    def __init__(self, node: Any, url: str) -> None:
        self._node, self._base = node, url
        self._own = _space(node)
        self._nodes: dict[str, list[Any]] = {}
        for child in node:
            self._nodes.setdefault(self._name(child), []).append(child)

    def _name(self, node: Any) -> str:
        """``dc:creator``, in small letters; elements of RSS and Atom have no prefix."""
        space = _space(node)
        if space == self._own:
            return local(node).lower()
        prefix = _PREFIXES.get(space, node.prefix or ("" if "}" in str(node.tag) else space)).lower()
        return f"{prefix}:{local(node).lower()}" if prefix and prefix not in _ATOM_PREFIXES else local(node).lower()

    def item(self) -> Item:
        """All of them."""
        description = next(filter(None, (self._html(name) for name in ("description", "summary"))), "")
        content = self._content()
        digest = _words(description)
        return Item(
            url=self._link(),
            title=next(filter(None, map(_words_of, self._of("title", "dc:title"))), ""),
            published=self._first(_PUBLISHED),
            updated=self._first(_UPDATED),
            outlet=self._outlet(),
            authors=self._authors(),
            digest=digest if len(digest) <= _SUMMARY else "",
            section=self._section(),
            content=content or description,
        )

    def _of(self, *names: str) -> list[Any]:
        return [node for name in names for node in self._nodes.get(name, ())]

    def _first(self, names: Sequence[str]) -> str:
        return next(filter(None, (squeeze(_inside(node)) for node in self._of(*names))), "")

    # addresses

    def _link(self) -> str:
        """The article's address: the publisher's own before one that counts clicks."""
        for node, said in self._links():
            if said and (url := absolute(node.base or self._base, said.strip())).startswith(_HAS_WEB):
                return url
        return ""

    def _links(self) -> Iterator[tuple[Any, str]]:
        yield from ((node, _inside(node)) for node in self._of("feedburner:origlink"))
        links = self._of("link")
        yield from ((node, _inside(node)) for node in links if not node.get("href"))
        alternates = [node for node in links if node.get("href") and node.get("rel", "alternate") == "alternate"]
        alternates.sort(key=lambda node: "html" not in node.get("type", "html"))
        yield from ((node, node.get("href")) for node in alternates)
        for node in self._of("guid"):
            if node.get("isPermaLink", "true").lower() == "true":
                yield node, _if_web(_inside(node))
        about = (value for name, value in self._node.attrib.items() if name.endswith("about"))
        yield from ((self._node, _if_web(value)) for value in about)
        yield from ((node, _if_web(_inside(node))) for node in self._of("id"))

    # people and places

    def _outlet(self) -> str:
        """``<source url="…">Name</source>`` of RSS, the title of ``<source>`` in Atom; addresses are no names."""
        for node in self._of("source", "dc:source"):
            title = next((one for one in node if local(one).lower() == "title"), node)
            if (name := _words_of(title)) and "://" not in name:
                return name
        return ""

    def _authors(self) -> tuple[str, ...]:
        for name in ("dc:creator", "author", "itunes:author"):
            found = [_person(self._said_of_person(node)) for node in self._of(name)]
            if any(found):
                return tuple(dict.fromkeys(filter(None, found)))
        return ()

    def _said_of_person(self, node: Any) -> str:
        inner = next((one for one in node if local(one).lower() == "name"), None)
        return _words_of(node if inner is None else inner) if inner is not None or not len(node) else ""

    def _section(self) -> str:
        for node in self._of("category", "dc:subject"):
            if said := squeeze(node.get("label") or _words_of(node) or node.get("term") or ""):
                return said
        return ""

    # prose

    def _content(self) -> str:
        """What the feed gives in full."""
        return next(filter(None, (self._html(name) for name in ("content:encoded", "content", "xhtml:body"))), "")

    def _html(self, name: str) -> str:
        """The first element of this name that holds anything, as HTML; its links are absolute if it states a base."""
        for node in self._of(name):
            kind = node.get("type", "").lower()
            if node.get("mode") == "base64" or (kind and kind not in _HTML | _TEXT):
                continue
            if html := _as_html(node, kind).strip():
                return _with_base(html, node.base, self._base)
        return ""


def _space(node: Any) -> str:
    """Namespace of an element; its prefix where nobody declares it."""
    tag = str(node.tag)
    return tag[1:].partition("}")[0] if tag.startswith("{") else tag.rpartition(":")[0]


def _inside(node: Any) -> str:
    """Text of an element and all within."""
    return "".join(node.itertext())


def _as_html(node: Any, kind: str) -> str:
    """HTML inside an element, escaped there or not."""
    if len(node):
        return _inner(node)
    text = node.text or ""
    return text if _is_html(text, kind) else paragraphs(text)


def _inner(node: Any) -> str:
    """HTML of elements that stand in the XML; the ``<div>`` around XHTML is none of it (RFC 4287, section 3.1.1.3)."""
    if node.get("type") == "xhtml" and len(node) == 1 and local(node[0]) == "div":
        node = node[0]
    free = etree.Element("div")  # no namespace is declared for it
    free.text, free[:] = node.text, list(node)
    for one in free.iter(etree.Element):
        one.tag = local(one)
    etree.cleanup_namespaces(free)
    children = (etree.tostring(child, encoding="unicode", method="html") for child in free)
    return escape(free.text or "", quote=False) + "".join(children)


def paragraphs(text: str) -> str:
    """Plain text as HTML, a paragraph for each line."""
    lines = filter(None, map(str.strip, text.splitlines()))
    return "\n".join(f"<p>{escape(line, quote=False)}</p>" for line in lines)


def _with_base(html: str, base: str | None, url: str) -> str:
    """Links made absolute where the feed states a base; otherwise the article's own address is theirs."""
    if not base or base == url:
        return html
    return re.sub(
        r"""(\s(?:href|src)\s*=\s*)(["'])(.*?)\2""",
        lambda found: f"{found[1]}{found[2]}{escape(absolute(base, unescape(found[3])))}{found[2]}",
        html,
    )


def _words(html: str) -> str:
    return squeeze(plain(html)) if html else ""


def _words_of(node: Any) -> str:
    """Plain text of an element that may hold HTML, escaped or not."""
    kind = node.get("type", "").lower()
    if len(node):
        return _words(_inner(node)) if kind in _HTML else squeeze(_inside(node))
    return _words_in(node.text or "", kind)


def _words_in(text: str, kind: str = "") -> str:
    return _words(text) if _is_html(text, kind) else squeeze(text)


def _is_html(text: str, kind: str) -> bool:
    """Whether a text is HTML: by the type that is stated, else by its looks."""
    return kind in _HTML or (kind not in _TEXT and _MARKUP.search(text) is not None)


def local(node: Any) -> str:
    return str(node.tag).rpartition("}")[2].rpartition(":")[2]


def _person(said: str) -> str:
    """The name in ``desk@daily.example (Name)``, ``Name <desk@daily.example>`` or a bare name."""
    named = _NAMED_MAIL.match(said)
    return squeeze(named[1] if named else _ANY_MAIL.sub("", said)).strip("<>() ")


def _if_web(said: str) -> str:
    return said if said.strip().startswith(_HAS_WEB) else ""


def absolute(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def json_item(one: Mapping[str, Any]) -> Item:
    authors = one.get("authors") if isinstance(one.get("authors"), list) else [one.get("author")]
    names = (_person(squeeze(said(each, "name"))) for each in authors or () if isinstance(each, dict))
    tags = one.get("tags")
    return Item(
        url=said(one, "url") or said(one, "external_url") or _if_web(said(one, "id")),
        title=_words_in(said(one, "title")),
        published=squeeze(said(one, "date_published")),
        updated=squeeze(said(one, "date_modified")),
        authors=tuple(dict.fromkeys(filter(None, names))),
        digest=squeeze(said(one, "summary")),
        section=next((squeeze(tag) for tag in tags if isinstance(tag, str)), "") if isinstance(tags, list) else "",
        content=said(one, "content_html") or paragraphs(said(one, "content_text")),
    )


def said(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""
