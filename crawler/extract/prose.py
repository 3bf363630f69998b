"""Texts as applications keep them: HTML, lines, or lists of paragraphs in the manner of many editors, as one HTML.

Editor.js, Draft.js, ProseMirror, Slate, Portable Text, Gutenberg and others differ in names, not in kind: an object is
a paragraph, a heading, a quote, a list or a picture by its type, and holds a text or further objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape, unescape
from typing import Any
from urllib.parse import unquote

_TYPES = ("tag", "tagName", "nodeName", "style", "type", "_type", "nodeType", "kind", "__typename", "blockType", "name",
          "component", "__component")  # fmt: skip
"""Keys that say what an object is."""
_TEXTS = ("html", "text", "value", "content", "rendered", "markup", "copy", "p", "paragraph", "body", "data", "model",
          "attributes", "attrs", "props", "fields", "children", "nodes", "blocks", "items", "elements", "paragraphs",
          "components", "rows", "content_elements", "document", "root")  # fmt: skip
"""Keys below which its text is; the first that holds any says all of it."""
_KINDS = (
    ("skip", r"image|photo|picture|video|audio|gallery|embed|advert|\bads?\b|adslot|related|promo|newsletter|caption"
             r"|byline|author|comment|tweet|twitter|instagram|facebook|youtube|share|iframe|\bscript|\bstyle|widget|teaser"
             r"|recirc|interstitial|podcast|recommend|divider|button|cta|navigation|menu|breadcrumb|meta\b|tags\b"),
    ("heading", r"head(?:ing|er|line)|subhead|title|\bh[1-6]\b|crosshead"),
    ("quote", r"quote"),
    ("item", r"list ?item|\bli\b"),
    ("list", r"\blist\b|\b[uo]l\b"),
    ("break", r"^(?:br|hard ?break|line ?break)$"),
    ("paragraph", r"paragraph|\bp\b|\bpara\b|unstyled|^normal$"),
    ("inline", r"^(?:text|span|fragment|link|inline|bold|italic|strong|emphasis|em|a|b|i|hyperlink|u|mark|leaf)$"),
)  # fmt: skip
_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _KINDS)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|[-_/.:]")
_TAG = re.compile(r"</?(?:p|br|div|h[1-6]|li|ul|a|b|strong|em|i|span|section|blockquote)\b", re.IGNORECASE)
_WRITTEN_TAG = re.compile(r"&lt;/?(?:p|br|div|h[1-6])\b", re.IGNORECASE)
_BLOCK = re.compile(r"<(?:p|div|h[1-6]|ul|ol|blockquote|table|section)\b", re.IGNORECASE)
_PERSONAL = frozenset(("user", "username", "userName", "avatar", "commenter", "likes", "votes", "replies"))
"""What readers' comments have."""
_OF_LEAVES = frozenset(("text", "bold", "italic", "underline", "marks", "href", "url", "code", "id", "key"))
"""What an object without a type has that is a piece of a line."""
_OTHERWISE = ("value", "data", "content", "html")
"""Where a piece of a line keeps its text, if not below "text"."""
_FEW = 60
_DEEPEST = 24
_LONGEST = 500_000
"""Characters of one text."""


def written(value: Any, left: int) -> tuple[str, int]:
    """A value's text as HTML (not cleaned), and how many of ``left`` values may still be looked at."""
    writer = _Writer(left)
    return writer.all(value, 0), writer.left


class _Writer:
    def __init__(self, left: int) -> None:
        self.left = left

    def all(self, value: Any, depth: int) -> str:
        """Everything below a value."""
        self.left -= 1
        if self.left < 0 or depth > _DEEPEST:
            return ""
        if isinstance(value, str):
            inner = json_in(value)
            return _lines(value[:_LONGEST]) if inner is None else self.all(inner, depth + 1)
        if isinstance(value, list):
            if _are_inline(value):
                return _paragraph("".join(self.run(one, depth + 1) for one in value))
            return "".join(self.all(one, depth + 1) for one in value)
        return self._element(value, depth) if isinstance(value, Mapping) else ""

    def _element(self, thing: Mapping[Any, Any], depth: int) -> str:
        kind = kind_of(thing)
        if kind == "skip" or _is_another(thing):
            return ""
        if kind in ("paragraph", "heading"):
            return _paragraph(self.run(thing, depth), "h3" if kind == "heading" else "p")
        inner = next(filter(None, (self.all(thing[key], depth + 1) for key in _TEXTS if key in thing)), "")
        tag = {"quote": "blockquote", "list": "ul", "item": "li"}.get(kind)
        if tag == "ul" and "<li" not in inner:
            inner = inner.replace("<p>", "<li>").replace("</p>", "</li>")
        return f"<{tag}>{inner}</{tag}>" if tag and inner else inner

    def run(self, value: Any, depth: int) -> str:
        """The same as one line, as text with inline elements."""
        self.left -= 1
        if self.left < 0 or depth > _DEEPEST:
            return ""
        if isinstance(value, str):
            return _text(value[:_LONGEST])
        if isinstance(value, list):
            return "".join(self.run(one, depth + 1) for one in value)
        if not isinstance(value, Mapping):
            return ""
        kind = kind_of(value)
        if kind == "skip":
            return ""
        if kind == "break":
            return "<br>"
        return next(filter(None, (self.run(value[key], depth + 1) for key in _TEXTS if key in value)), "")


def json_in(text: str) -> Any:
    """The value of a text that is JSON itself; None for any other."""
    if text[:3].upper() == "%7B":
        text = unquote(text)
    if text[:1] not in "{[" or text[-1:] not in "}]":
        return None
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def kind_of(thing: Mapping[Any, Any]) -> str:
    """What an object is by its type: skip, heading, quote, item, list, break, paragraph, inline; empty if unknown."""
    for key in _TYPES:
        given = thing.get(key)
        if isinstance(given, str) and (kind := _kind(given[:60])):
            return kind
    return ""


@lru_cache(maxsize=4096)
def _kind(name: str) -> str:
    words = _CAMEL.sub(" ", name).lower().strip()
    return next((kind for kind, pattern in _PATTERNS if pattern.search(words)), "")


def _are_inline(values: list[Any]) -> bool:
    """Whether objects are the pieces of one line."""
    things = [one for one in values if not isinstance(one, str)]
    return bool(things) and all(isinstance(one, Mapping) and _is_inline(one) for one in things)


def _is_inline(thing: Mapping[Any, Any]) -> bool:
    kind = kind_of(thing)
    if kind == "break":
        return True
    inner = thing.get("children", thing.get("content"))
    if isinstance(inner, list):
        return kind == "inline" and (_are_inline(inner) or all(isinstance(one, str) for one in inner))
    if kind == "inline":
        # of blocks called "text" each has more than a few words, or tags
        return isinstance(thing.get("text"), str) or any(
            isinstance(text := thing.get(key), str) and len(text) <= _FEW and not _BLOCK.search(text)
            for key in _OTHERWISE
        )
    return not kind and set(thing) <= _OF_LEAVES


def _is_another(thing: Mapping[Any, Any]) -> bool:
    """Whether it is another article's teaser or a reader's comment."""
    titled = any(isinstance(thing.get(key), str) for key in ("headline", "title"))
    linked = any(isinstance(thing.get(key), str) for key in ("url", "href", "link", "permalink", "slug"))
    return (titled and linked) or not _PERSONAL.isdisjoint(thing)


def _paragraph(inner: str, tag: str = "p") -> str:
    if not inner.strip() or _BLOCK.search(inner):
        return inner
    return f"<{tag}>{inner}</{tag}>"


def _text(text: str) -> str:
    """A string as HTML: as it is where it holds tags, also written ones."""
    if _TAG.search(text):
        return text
    if _WRITTEN_TAG.search(text):
        return unescape(text)
    return escape(unescape(text), quote=False)


def _lines(text: str) -> str:
    """The same, with a paragraph for each line of plain text."""
    html = _text(text)
    if _BLOCK.search(html):
        return html
    return "".join(f"<p>{line}</p>" for line in html.split("\n") if line.strip())
