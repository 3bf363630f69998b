"""Share links: addresses built from a template and an article's key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

_NAME = re.compile(r"\{(\w+)\}")
_WHOLE = frozenset({"url"})
"""Values that are addresses themselves and go in as they are."""


def fill(template: str, values: Mapping[str, str]) -> str:
    """The address that a template gives, values quoted where they are parts of it; empty where a value is missing."""
    if any(not values.get(name) for name in _NAME.findall(template)):
        return ""
    return _NAME.sub(lambda match: _quoted(match[1], values[match[1]]), template)


def _quoted(name: str, value: str) -> str:
    return value if name in _WHOLE else quote(value, safe="-._~,")
