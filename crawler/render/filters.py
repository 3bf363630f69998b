"""The filters of Liquid and of Jekyll in layouts, as Ruby's have it; nil is None."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cmp_to_key
from typing import Any
from urllib.parse import quote, unquote_plus

from crawler.render.times import strftime

Filter = Callable[..., Any]

BLANKS = " \t\n\v\f\r\0"
"""What Ruby strips; Python's own strip would take U+3000 as well."""
_SPACES = re.compile(r"[ \t\n\v\f\r]+")
_LINE_END = re.compile(r"\r?\n")
_NO_TEXT = re.compile(r"<script.*?</script>|<!--.*?-->|<style.*?</style>", re.DOTALL)
_TAG = re.compile(r"<.*?>", re.DOTALL)
_ESCAPED = re.compile(r"[\"><']|&(?!(?:[a-zA-Z]+|#[0-9]+);)")
_INTEGER = re.compile(r"\s*-?[0-9]+\s*", re.ASCII)
_DECIMAL = re.compile(r"\s*-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)\s*", re.ASCII)
_LEADING = re.compile(r"\s*([+-]?[0-9]+)", re.ASCII)
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_SLUG = {
    "raw": re.compile(r"\s+", re.ASCII),
    "default": re.compile(r"[\W_]+"),
    "pretty": re.compile(r"(?:(?![._~!$&'()+,;=@])[\W])+"),
    "ascii": re.compile(r"[^A-Za-z0-9]+"),
}


def text(value: Any) -> str:
    """A value as Ruby's ``to_s`` writes it into a page."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "".join(map(text, value))
    if isinstance(value, datetime):
        return strftime(value, "%Y-%m-%d %H:%M:%S %z")
    return f"{value.start}..{value.stop - 1}" if isinstance(value, range) else str(value)


def items(value: Any) -> list[Any]:
    """What Liquid's own filters iterate over: lists flat, a mapping as one thing, nothing for nil."""
    if isinstance(value, list | tuple):
        return [one for part in value for one in (items(part) if isinstance(part, list | tuple) else [part])]
    if value is None:
        return []
    return list(value) if isinstance(value, range) else [value]


def field(item: Any, name: str) -> Any:
    """A property of an item, ``a.b`` that of a property; None where it has none."""
    for part in name.split(".") if isinstance(item, Mapping) and name not in item else (name,):
        try:
            item = item[part] if isinstance(item, Mapping) else None
        except KeyError:
            return None
    return item


def number(value: Any) -> int | float:
    """As Liquid counts with it: the digits that a text begins with, 0 for what is no number."""
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        if re.fullmatch(r"-?[0-9]+\.[0-9]+", value.strip()):
            return float(value)
        match = _LEADING.match(value)
        return int(match[1]) if match else 0
    return 0


def integer(value: Any) -> int:
    """Raises ValueError for what is none."""
    return value if isinstance(value, int) else int(text(value))


# text


def escape(value: Any) -> str | None:
    """For HTML, ``"`` and ``'`` too."""
    if value is None:
        return None
    told = text(value)
    for sign, reference in _HTML.items():
        if sign in told:
            told = told.replace(sign, reference)
    return told


def escape_once(value: Any) -> str:
    """Likewise, less what is a reference already."""
    return _ESCAPED.sub(lambda match: _HTML[match[0]], text(value))


def xml_escape(value: Any) -> str:
    """For XML."""
    return (escape(value) or "").replace("&#39;", "&apos;")


def url_encode(value: Any) -> str | None:
    """As in a form: a blank becomes ``+``."""
    return None if value is None else quote(text(value), safe="*-._~ ").replace("~", "%7E").replace(" ", "+")


def url_decode(value: Any) -> str | None:
    """The other way."""
    return None if value is None else unquote_plus(text(value))


def cut(value: Any, offset: Any, length: Any = None) -> Any:
    """``slice``: so many characters or items from there on, one by default."""
    whole = list(value) if isinstance(value, list | tuple) else text(value)
    start, count = integer(offset), 1 if length is None else integer(length)
    start = start + len(whole) if start < 0 else start
    return whole[start : start + count] if start >= 0 and count > 0 else whole[:0]


def truncate(value: Any, length: Any = 50, end: Any = "...") -> str | None:
    """So many characters at most, the ellipsis among them."""
    if value is None:
        return None
    told, most, tail = text(value), integer(length), text(end)
    return told[: max(most - len(tail), 0)] + tail if len(told) > most else told


def truncatewords(value: Any, words: Any = 15, end: Any = "...") -> str | None:
    """So many words at most."""
    if value is None:
        return None
    found = [word for word in _SPACES.split(text(value)) if word]
    most = max(integer(words), 1)
    return " ".join(found[:most]) + text(end) if len(found) > most else text(value)


def split(value: Any, separator: Any) -> list[str]:
    """As Ruby's: without empty strings at the end; by one blank means by any run of blanks."""
    told, by = text(value), text(separator)
    if by == " ":
        return [part for part in _SPACES.split(told) if part]
    parts = told.split(by) if by else list(told)
    while parts and not parts[-1]:
        parts.pop()
    return parts


def strip_html(value: Any) -> str:
    """Without tags, scripts, styles and comments; references stay."""
    return _TAG.sub("", _NO_TEXT.sub("", text(value)))


def normalize_whitespace(value: Any) -> str:
    """Each run of blanks one blank, none at the ends."""
    return _SPACES.sub(" ", text(value)).strip(BLANKS)


def slugify(value: Any, mode: Any = None) -> str | None:
    """As in addresses: letters and digits of any script, hyphens for all else."""
    if value is None:
        return None
    form = text(mode) or "default"
    if form not in _SLUG:
        return text(value).lower()
    return re.sub(r"^-|-$", "", _SLUG[form].sub("-", text(value)), flags=re.MULTILINE).lower()


def number_of_words(value: Any, mode: Any = None) -> int:
    """Words between blanks; with ``cjk`` or ``auto`` each Chinese, Japanese or Korean character is one."""
    told = text(value)
    signs = len(_CJK.findall(told))
    if mode == "cjk" or (mode == "auto" and signs):
        return signs + len([word for word in _SPACES.split(_CJK.sub(" ", told)) if word])
    return len([word for word in _SPACES.split(told) if word])


_CJK = re.compile(
    "[\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u30ff\u3131-\u318e\u31f0-\u9fff\uac00-\ud7a3\uf900-\ufaff]"
)


def jsonify(value: Any) -> str:
    """As JSON, for a script: escape ``</`` after it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, range) else text(value)


# lists


def size(value: Any) -> int:
    """Of a text, a list or a mapping; 0 for all else."""
    return len(value) if isinstance(value, str | list | tuple | Mapping | range) else 0


def first(value: Any) -> Any:
    """Of a list; of a mapping a pair."""
    listed = list(value.items()) if isinstance(value, Mapping) else value
    return listed[0] if isinstance(listed, list | tuple | range) and listed else None


def last(value: Any) -> Any:
    """Of a list."""
    return value[-1] if isinstance(value, list | tuple | range) and value else None


def join(value: Any, glue: Any = " ") -> str:
    """Items as one text."""
    return text(glue).join(map(text, items(value)))


def compact(value: Any, name: Any = None) -> list[Any]:
    """Without nil."""
    return [item for item in items(value) if (item if name is None else field(item, text(name))) is not None]


def uniq(value: Any, name: Any = None) -> list[Any]:
    """Each once, the first of equals."""
    seen: list[Any] = []
    found = []
    for item in items(value):
        key = item if name is None else field(item, text(name))
        if key not in seen:
            seen.append(key)
            found.append(item)
    return found


def groupable(value: Any) -> list[Any] | None:
    """Items that Jekyll's filters go through; None for what they hand back as it is."""
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple | range) else None


def comparable(item: Any, name: str) -> Any:
    """A property for comparing: a text that is a number as that number."""
    value = field(item, name)
    told = text(value)
    if _INTEGER.fullmatch(told):
        return int(told)
    return float(told) if _DECIMAL.fullmatch(told) else value


def has(item: Any, name: str, wanted: Any) -> bool:
    """Whether a property is, or holds, the wanted value."""
    value = comparable(item, name)
    if wanted is None:
        return value is None
    listed = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return any(text(one) == text(wanted) for one in listed)


def where(value: Any, name: Any, wanted: Any) -> Any:
    """Those whose property is, or holds, the value."""
    listed = groupable(value)
    if listed is None or not name or isinstance(wanted, list | Mapping):
        return value
    return [item for item in listed if has(item, text(name), wanted)]


def find(value: Any, name: Any, wanted: Any) -> Any:
    """The first such one."""
    listed = groupable(value)
    if listed is None or not name or isinstance(wanted, list | Mapping):
        return value
    return next((item for item in listed if has(item, text(name), wanted)), None)


def sort(value: Any, name: Any = None, nils: Any = "first") -> list[Any]:
    """By value or by a property, those without it first or last; of a mapping its pairs."""
    if value is None:
        raise ValueError("Cannot sort a null object.")
    listed = list(value.items()) if isinstance(value, Mapping) else list(value)
    if name is None:
        return sorted(listed, key=cmp_to_key(_compare))
    order = -1 if nils == "first" else 1
    pairs = [(comparable(item, text(name)), item) for item in listed]

    def compare(one: tuple[Any, Any], other: tuple[Any, Any]) -> int:
        if (one[0] is None) != (other[0] is None):
            return order if one[0] is None else -order
        return _compare(one[0], other[0])

    return [item for _, item in sorted(pairs, key=cmp_to_key(compare))]


def _compare(one: Any, other: Any) -> int:
    try:
        return int(one > other) - int(one < other)
    except TypeError:
        return int(text(one) > text(other)) - int(text(one) < text(other))


def sort_natural(value: Any, name: Any = None) -> list[Any]:
    """Whatever the case of letters, nil last."""
    keyed = [(item if name is None else field(item, text(name)), item) for item in items(value)]
    return [item for _, item in sorted(keyed, key=lambda pair: (pair[0] is None, text(pair[0]).casefold()))]


def group_by(value: Any, name: Any) -> Any:
    """Groups, each with ``name``, ``items`` and ``size``."""
    if isinstance(value, Mapping) or (listed := groupable(value)) is None:
        return value
    return grouped(listed, lambda item: text(comparable(item, text(name))))


def grouped(listed: Iterable[Any], key: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """Items in groups, in the order of the first of each."""
    groups: dict[Any, list[Any]] = {}
    for item in listed:
        groups.setdefault(key(item), []).append(item)
    return [{"name": name, "items": found, "size": len(found)} for name, found in groups.items()]


def changed(change: Callable[[list[Any], Any], list[Any]]) -> Filter:
    """``push`` and its kin: another list; what is none stays."""
    return lambda value, given=1: change(list(value), given) if isinstance(value, list | tuple) else value


def sentence(value: Any, word: Any = "and") -> str:
    """``a, b, and c``."""
    *others, end = map(text, value) if value else [""]
    if len(others) < 2:
        return f"{others[0]} {text(word)} {end}" if others else end
    return f"{', '.join(others)}, {text(word)} {end}"


# numbers and what else there is


def counted(operation: Callable[[Any, Any], Any]) -> Filter:
    """A filter of two numbers."""
    return lambda value, operand: operation(number(value), number(operand))


def rounded(value: Any, digits: Any = 0) -> int | float:
    """Half away from zero, as Ruby's."""
    told, places = number(value), int(number(digits))
    if isinstance(told, int):
        return told
    scaled = math.floor(abs(told) * 10**places + 0.5) / 10**places
    found = math.copysign(scaled, told)
    return found if places > 0 else int(found)


def default(value: Any, other: Any = "", *, allow_false: Any = False) -> Any:
    """Another value for nil, false and what is empty."""
    if value is None or (value is False and not allow_false):
        return other
    return other if isinstance(value, str | list | tuple | Mapping) and not value else value


FILTERS: dict[str, Filter] = {
    "append": lambda value, more: text(value) + text(more),
    "array_to_sentence_string": sentence,
    "abs": lambda value: abs(number(value)),
    "at_least": counted(max),
    "at_most": counted(min),
    "capitalize": lambda value: text(value).capitalize(),
    "ceil": lambda value: math.ceil(number(value)),
    "cgi_escape": url_encode,
    "compact": compact,
    "concat": lambda value, more: items(value) + items(more),
    "default": default,
    "divided_by": counted(
        lambda one, other: one // other if isinstance(one, int) and isinstance(other, int) else one / other
    ),
    "downcase": lambda value: text(value).lower(),
    "escape": escape,
    "escape_once": escape_once,
    "find": find,
    "first": first,
    "floor": lambda value: math.floor(number(value)),
    "group_by": group_by,
    "h": escape,
    "join": join,
    "jsonify": jsonify,
    "last": last,
    "lstrip": lambda value: text(value).lstrip(BLANKS),
    "map": lambda value, name: [field(item, text(name)) for item in items(value)],
    "minus": counted(lambda one, other: one - other),
    "modulo": counted(lambda one, other: one % other),
    "newline_to_br": lambda value: _LINE_END.sub("<br />\n", text(value)),
    "normalize_whitespace": normalize_whitespace,
    "number_of_words": number_of_words,
    "plus": counted(lambda one, other: one + other),
    "pop": changed(lambda listed, count: listed[: max(len(listed) - integer(count), 0)]),
    "prepend": lambda value, before: text(before) + text(value),
    "push": changed(lambda listed, more: [*listed, more]),
    "remove": lambda value, part: text(value).replace(text(part), ""),
    "remove_first": lambda value, part: text(value).replace(text(part), "", 1),
    "replace": lambda value, part, by="": text(value).replace(text(part), text(by)),
    "replace_first": lambda value, part, by="": text(value).replace(text(part), text(by), 1),
    "reverse": lambda value: items(value)[::-1],
    "round": rounded,
    "rstrip": lambda value: text(value).rstrip(BLANKS),
    "shift": changed(lambda listed, count: listed[integer(count) :]),
    "size": size,
    "slice": cut,
    "slugify": slugify,
    "sort": sort,
    "sort_natural": sort_natural,
    "split": split,
    "strip": lambda value: text(value).strip(BLANKS),
    "strip_html": strip_html,
    "strip_index": lambda value: re.sub(r"/index\.html?$", "/", text(value)) or None,
    "strip_newlines": lambda value: _LINE_END.sub("", text(value)),
    "times": counted(lambda one, other: one * other),
    "to_integer": lambda value: int(value) if isinstance(value, bool) else int(number(value)),
    "truncate": truncate,
    "truncatewords": truncatewords,
    "uniq": uniq,
    "unshift": changed(lambda listed, more: [more, *listed]),
    "upcase": lambda value: text(value).upper(),
    "uri_escape": lambda value: quote(text(value), safe="/:?#[]@!$&'()*+,;=~%-._"),
    "url_decode": url_decode,
    "url_encode": url_encode,
    "where": where,
    "xml_escape": xml_escape,
}
"""Those that need nothing but their values."""
