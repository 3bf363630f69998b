"""Articles that a page holds in a script alone: structured data, and the state that an application starts from.

A page that says that its article costs is left as it shows itself, whatever its scripts hold: a wall is a wall.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Any
from urllib.parse import urlsplit

from crawler.extract.blocks import Segments
from crawler.extract.body import Body
from crawler.extract.facts import Facts, text_of
from crawler.extract.page import Page
from crawler.extract.prose import json_in, kind_of, written
from crawler.extract.region import Region
from crawler.extract.render import to_html
from crawler.extract.text import squeeze

_LEAST = 300
"""Characters; shorter texts in a script are labels and teasers. A character of Han, kana or Hangul counts as two."""
_LARGEST = 4_000_000
"""Characters of all scripts that are read, of the page's longest first."""
_MOST_SCRIPTS = 40
_MOST_TRIES = 200
"""Places in a script at which a value may begin."""
_DEEPEST = 40
_MOST_VALUES = 60_000
"""Values that are looked at on one page."""
_MOST_OFFERS = 200
_BEGIN = re.compile(r"\A\s*+(?=[\[{])|JSON\.parse\(\s*+(?=[\"'])|[=(,]\s*+(?=[\[{])")
_DOUBLE = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SINGLE = re.compile(r"'(?:[^'\\]++|\\.)*+'", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|(.))|\"", re.DOTALL)
"""What a script's string may hold that a string of JSON may not."""
_BODY_KEY = re.compile(
    r"body|content|text|html|article|story|paragraph|rendered|blocks|elements|components|nodes|document|main|detail",
    re.IGNORECASE,
)
_FOREIGN_KEY = re.compile(
    r"related|recommend|comment|teaser|sidebar|newsletter|^(?:menu|nav|footer|promo|trending|most|next|prev|i18n)"
    r"|(?:tag|author|image|video|caption|description|summary|translation|style|script)s?$",
    re.IGNORECASE,
)
"""Keys below which stands what is not the article's text."""
_TITLES = ("headline", "title", "name", "seoTitle", "hed")
_PATHS = ("url", "canonicalUrl", "canonical_url", "canonical", "link", "permalink", "path", "slug", "uri", "shareUrl")
_OWN, _UNKNOWN, _OTHERS = 1, 0, -1
_ENDS = re.compile(r"[.!?][\"”’»)]?(?:\s|$)|[。！？]")
_CODE = re.compile(r"[{}=<>_\\$;#]|\(\)")
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NOT_FREE = ("false", "no", "0")


@dataclass(frozen=True, slots=True)
class Hidden:
    """An article from a script."""

    text: str
    """A line a block."""
    html: str
    """The same as clean HTML."""
    rule: str
    """``jsonld:articleBody``, or ``script:`` and the id of the script."""


@dataclass(slots=True)
class _Search:
    """What is looked for on one page, and what was found."""

    titles: Sequence[str]
    path: str
    left: int = _MOST_VALUES
    """Values that may still be looked at."""
    offers: list[tuple[int, Hidden]] = field(default_factory=list)


def body_in_scripts(facts: Facts) -> Hidden | None:
    """The article's text from the page's scripts: what the page says is its own, else the longest that is no other's.

    None where none is long enough to be an article, and where the page says that it costs.
    """
    if _costs(facts):
        return None
    titles = (facts.meta("og:title", "twitter:title"), text_of(facts.article.get("headline")), facts.head_title)
    search = _Search([_letters(title) for title in titles if title], _path_of(facts.url))
    stated = facts.article.get("articleBody")
    if isinstance(stated, str) and (found := _shown(stated, "jsonld:articleBody", facts)):
        search.offers.append((_OWN, found))
    for rule, value in _states(facts):
        _walk(value, rule, search, facts)
    return _best(search.offers)


def _best(offers: Sequence[tuple[int, Hidden]]) -> Hidden | None:
    for kind in (_OWN, _UNKNOWN):
        if some := [found for said, found in offers if said == kind]:
            return max(some, key=lambda found: len(found.text))
    # One article under another headline is this one; several are a list of others.
    return offers[0][1] if len({found.text for _, found in offers}) == 1 else None


def _costs(facts: Facts) -> bool:
    stated = str(facts.article.get("isAccessibleForFree", facts.meta("isaccessibleforfree")))
    return stated.rpartition("/")[2].lower() in _NOT_FREE or facts.meta("article:content_tier").lower() == "locked"


def _states(facts: Facts) -> Iterator[tuple[str, Any]]:
    """Values that stand in the page's scripts, with the rule that names the script."""
    scripts = [
        (script.text or "", script) for script in facts.said("script") if "ld+json" not in script.get("type", "")
    ]
    left = _LARGEST
    for text, script in sorted(scripts, key=lambda one: -len(one[0]))[:_MOST_SCRIPTS]:
        if len(text) < _LEAST:
            return
        if len(text) <= left:
            left -= len(text)
            for value in _values(text):
                yield f"script:{script.get('id') or 'state'}", value


def _values(script: str) -> Iterator[Any]:
    """JSON that begins a script, is assigned, given to a function or parsed from a string in it."""
    if script.lstrip()[:1] in "{[" and "&quot;" in script[:200]:
        script = unescape(script)
    decoder = json.JSONDecoder(strict=False)
    left = 2 * len(script)
    end = 0
    for _ in range(_MOST_TRIES):
        begin = _BEGIN.search(script, end)
        if begin is None or left < 0:
            return
        at = end = begin.end()
        try:
            if script[at] in "\"'":
                yield json.loads(_string(script, at), strict=False)
            else:
                value, end = decoder.raw_decode(script, at)
                yield value
        except json.JSONDecodeError as error:
            left -= error.pos - at if script[at] in "[{" else len(script) // 8
        except (ValueError, RecursionError):
            left -= len(script) // 8


def _string(script: str, at: int) -> str:
    """What a script's string says. Raises ValueError where none ends."""
    found = (_DOUBLE if script[at] == '"' else _SINGLE).match(script, at)
    if found is None:
        raise ValueError("a string without an end")
    return str(json.loads('"' + _ESCAPE.sub(_escape, found[0][1:-1]) + '"', strict=False))


def _escape(found: re.Match[str]) -> str:
    """As JSON writes it."""
    if found[1]:
        return f"\\u00{found[1]}"
    sign = found[2]
    return found[0] if sign and sign in '"\\/bfnrtu' else '\\"' if sign is None else sign


def _walk(value: Any, rule: str, search: _Search, facts: Facts) -> None:
    """Offer the texts below keys that tell of a body; whose they are is said by the nearest title or address above."""
    stack: list[tuple[Any, bool, int, int]] = [(value, False, _UNKNOWN, 0)]
    while stack and search.left > 0 and len(search.offers) < _MOST_OFFERS:
        one, told, whose, depth = stack.pop()
        search.left -= 1
        if isinstance(one, str) and len(one) >= _LEAST / 2 and depth < _DEEPEST and (inner := json_in(one)) is not None:
            stack.append((inner, told, whose, depth + 1))
            continue
        if isinstance(one, Mapping):
            whose = _whose(one, search) or whose
            if told and kind_of(one) == "skip":
                continue
        if told and not _is_list_of_articles(one):
            html, search.left = written(one, search.left)
            if found := _shown(html, rule, facts):
                search.offers.append((whose, found))
                continue
        if depth < _DEEPEST and isinstance(one, Mapping):
            stack += (
                (inner, bool(_BODY_KEY.search(str(key))), whose, depth + 1)
                for key, inner in one.items()
                if not _FOREIGN_KEY.search(str(key)[:99])
            )
        elif depth < _DEEPEST and isinstance(one, list):
            stack += ((inner, False, whose, depth + 1) for inner in one)


def _whose(thing: Mapping[Any, Any], search: _Search) -> int:
    """Whether an object says by its title or its address that it is the page's article, or another."""
    for key in _PATHS:
        given = thing.get(key)
        if isinstance(given, str) and len(search.path) > 8 and _path_of(given).endswith(search.path):
            return _OWN
    stated = [_letters(given) for key in _TITLES if isinstance(given := thing.get(key), str)]
    titles = [title for title in stated if len(title) > 8]
    if any(title in known or known in title for title in titles for known in search.titles if len(known) > 8):
        return _OWN
    return _OTHERS if titles and search.titles and any(key in thing for key in _PATHS) else _UNKNOWN


def _is_list_of_articles(value: Any) -> bool:
    return isinstance(value, list) and any(
        isinstance(one, Mapping) and any(map(one.get, _TITLES[:2])) and any(map(one.get, _PATHS)) for one in value[:50]
    )


def _path_of(address: str) -> str:
    try:
        return urlsplit(address[:1000]).path.strip("/").lower()
    except ValueError:
        return ""


def _letters(title: str) -> str:
    return "".join(filter(str.isalnum, title[:300].casefold()))


def _shown(html: str, rule: str, facts: Facts) -> Hidden | None:
    """What a text says as a reader would see it; None where it is no prose or too short."""
    if len(html) < _LEAST / 2:
        return None
    if "<" not in html:
        html = "".join(f"<p>{escape(line, quote=False)}</p>" for line in unescape(html).split("\n"))
    page = Segments(Page.of_text(f"<body>{html}</body>").root)
    everything = Region(page.top, 0, len(page.blocks), 1.0)
    body = Body(page, [1.0] * len(page.blocks), list(range(len(page.blocks))), everything)
    text = body.text
    return Hidden(text, to_html(body, facts.absolute), rule) if _is_prose(text) else None


def _is_prose(text: str) -> bool:
    """Whether it is as long as an article, and made of sentences: no code, no list of names, no packed data."""
    wide = len(_WIDE.findall(text))
    if len(text) + wide < _LEAST or len(_CODE.findall(text)) * 50 > len(text):
        return False
    return len(_ENDS.findall(text)) >= 2 and (wide * 3 > len(text) or len(squeeze(text).split()) * 15 > len(text))
