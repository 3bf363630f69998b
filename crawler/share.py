"""Share links: addresses built from a template and an article's key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from crawler.urls import canonical

if TYPE_CHECKING:
    from crawler.sources import Source

_NAME = re.compile(r"\{(\w+)\}")
_WHOLE = frozenset({"url"})
"""Values that are addresses themselves and go in as they are."""


def fill(template: str, values: Mapping[str, str]) -> str:
    """The address that a template gives, values quoted where they are parts of it; empty where a value is missing."""
    if any(not values.get(name) for name in _NAME.findall(template)):
        return ""
    return _NAME.sub(lambda match: _quoted(match[1], values[match[1]]), template)


def article_address(source: Source, key: str, hints: Mapping[str, str]) -> str:
    """What is asked for one article, by what its list said. Empty where the source's template lacks a value; raises
    ValueError where no address can be made."""
    template = source.article.address
    url = fill(template, {**hints, "key": key, "source": source.id, "space": source.space})
    return canonical(url) if template == "{url}" else url


def _quoted(name: str, value: str) -> str:
    return value if name in _WHOLE else quote(value, safe="-._~,")
