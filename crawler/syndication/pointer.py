"""Posts that only point to the one that they are a copy of: headline, the beginning of the text, and the way there."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from crawler.archive.markup import WIDEST, clean
from crawler.items import Article

_LEDE = 120
"""Characters of the text that a pointer shows."""
_LATE = 80
"""A lede that is cut ends with a word, if one ends after so many."""


def shortened(article: Article) -> Article:
    """The article as its pointer shows it."""
    body = clean(f"<p>{escape(lede(article.plain), quote=False)}</p>", WIDEST)
    return replace(article, body=body, digest="")


def lede(plain: str) -> str:
    """The beginning of a plain text, on one line."""
    line = " ".join(plain.split())
    if len(line) <= _LEDE:
        return line
    cut = line[:_LEDE]
    word = cut.rpartition(" ")[0]
    return (word if len(word) >= _LATE else cut).rstrip() + "…"
