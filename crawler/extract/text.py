"""Plain text: blanks squeezed, and the text of an element as its reader sees the lines."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

# fmt: off
BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "dd", "details", "dialog",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "optgroup", "option", "p", "pre", "section",
    "select", "summary", "table", "tbody", "textarea", "tfoot", "thead", "title", "tr", "ul",
))
# fmt: on
"""Elements that begin and end a line."""
CELLS = frozenset(("td", "th"))
SILENT = frozenset(("script", "style", "template", "noscript", "head"))
"""Elements whose text no reader sees."""

ZERO_WIDTH = "\u00ad\u180e\u200b\u200e\u200f\u2060\ufeff"
_ZERO_WIDTH = re.compile(f"[{ZERO_WIDTH}]")
_PARSER = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)


def squeeze(text: str) -> str:
    """``text`` with every run of blanks, of whatever width and kind, made one space, and none at its ends.

    Characters without a width count in a run, and fall out where they stand alone: inside a word they were never seen.
    """
    line = " ".join(text.split())
    # what has no width does not print either
    return line if line.isascii() or line.isprintable() else " ".join(_ZERO_WIDTH.sub("", text).split())


def plain(html: Any) -> str:
    """Text of an lxml element (its tail excluded) or of a piece of HTML: a line for each block, blanks squeezed.

    Cells of a table row share a line; text of scripts, styles, templates and ``<noscript>`` is left out.
    """
    root = _parsed(html) if isinstance(html, str) else html
    if root is None:
        return ""
    lines = map(squeeze, _with_line_ends(root).split("\0"))
    return "\n".join(line for line in lines if line)


def _parsed(html: str) -> Any:
    data = html.replace("\0", "").encode("utf-8", "replace")
    return etree.fromstring(data, _PARSER) if data.strip() else None


def _with_line_ends(root: Any) -> str:
    """The text with a NUL where a line ends: the one character that no tree can hold."""
    pieces: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        if event == "start":
            pieces.append(_edge(element.tag))
            if element.tag in SILENT:
                walk.skip_subtree()
            else:
                pieces.append(element.text or "")
            continue
        if event == "end":
            pieces.append(_edge(element.tag))
        if element is not root:
            pieces.append(element.tail or "")
    return "".join(pieces)


def _edge(tag: str) -> str:
    return "\0" if tag in BLOCKS else " " if tag in CELLS else ""
