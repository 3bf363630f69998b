"""Articles that a page holds in a script alone: structured data, and the state that an application starts from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from crawler.extract.facts import Facts, text_of
from crawler.extract.text import plain, squeeze

_STATE = re.compile(r"^\s*(?:window\.|var |let |const |self\.)?[\w.$\[\]\"']{0,60}\s*=\s*(?=[{\[])")
_LEAST = 300
"""Characters; shorter texts in a script are labels and teasers."""
_LARGEST = 3_000_000
_DEEPEST = 40
_MOST = 60_000
"""Values of one script that are looked at."""
_TEXT_KEYS = re.compile(r"body|content|text|html|article|story|paragraph|description", re.IGNORECASE)
_TAG = re.compile(r"</(?:p|div|section|h[1-6])>|<br", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hidden:
    """An article from a script."""

    text: str
    html: str
    rule: str


def body_in_scripts(facts: Facts) -> Hidden | None:
    """The longest article text of the page's scripts; None where none is long enough to be one."""
    stated = facts.article.get("articleBody")
    offers = [(text_of(stated) if not isinstance(stated, str) else stated, "jsonld:articleBody")]
    for script in facts.said("script"):
        kind = script.get("type") or ""
        if "ld+json" not in kind:
            offers += ((text, f"script:{script.get('id') or 'state'}") for text in _texts(script.text or ""))
    best = max(offers, key=lambda offer: len(offer[0]), default=("", ""))
    if len(best[0]) < _LEAST:
        return None
    return _shown(*best)


def _texts(script: str) -> Iterator[str]:
    """Long texts with paragraphs below keys that tell of a body."""
    if len(script) < _LEAST or len(script) > _LARGEST:
        return
    start = _STATE.match(script)
    source = script[start.end() :] if start else script.lstrip()
    if source[:1] not in "{[":
        return
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(source)
    except (ValueError, RecursionError):
        return
    stack: list[tuple[Any, bool, int]] = [(value, False, 0)]
    looked = 0
    while stack and looked < _MOST:
        one, told, depth = stack.pop()
        looked += 1
        if isinstance(one, str):
            if told and len(one) >= _LEAST and (_TAG.search(one) or one.count(". ") > 2 or one.count("。") > 2):
                yield one
        elif isinstance(one, list) and depth < _DEEPEST:
            lines = [line for line in one if isinstance(line, str) and len(line) > 20]
            if told and len(lines) > 2 and len(lines) == len(one):
                yield "\n".join(lines)
            else:
                stack += ((inner, told, depth + 1) for inner in one)
        elif isinstance(one, Mapping) and depth < _DEEPEST:
            stack += ((inner, bool(_TEXT_KEYS.search(str(key))), depth + 1) for key, inner in one.items())


def _shown(raw: str, rule: str) -> Hidden:
    text = plain(raw) if _TAG.search(raw) else "\n".join(line for one in raw.split("\n") if (line := squeeze(one)))
    html = "".join(f"<p>{escape(line, quote=False)}</p>\n" for line in text.split("\n"))
    return Hidden(text, html, rule)
