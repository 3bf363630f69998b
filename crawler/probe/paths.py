"""CSS for an element that may last: short, by id or class, without numbers, hashes and places in a row."""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import Any

_NAME = re.compile(r"[A-Za-z_-][A-Za-z_-]{1,39}")
_TAG = re.compile(r"[a-z][a-z0-9]*")
_MADE = re.compile(r"^(?:css|sc|jsx|svelte|emotion|is|has|js|col|row|wp|active|hidden|clearfix)(?:$|[-_])")
"""Names that tools make, or that say how a thing looks just now."""
_HUMP = re.compile(r"[A-Z]+[a-z]*|[a-z]+")
"""A word in a name such as ``ContentBody``; in what a tool made up they are shorter."""
_TELLING = frozenset(("h1", "article", "main", "time", "address"))
"""Tags of which a page has one, as a rule."""
_OUTWARD = 6
"""Elements around one that may help to tell it from its like."""


def is_stable(name: str) -> bool:
    """Whether an id or a class may be there next month: no digits, nothing that a tool made."""
    if not _NAME.fullmatch(name) or _MADE.search(name.lower()):
        return False
    humps = _HUMP.findall(name)
    return len(humps) < 2 or sum(map(len, humps)) >= 3 * len(humps)


def _is_tag(tag: Any) -> bool:
    """Whether a selector can name it: comments have none, and broken pages have others."""
    return isinstance(tag, str) and _TAG.fullmatch(tag) is not None


def own_selectors(element: Any) -> list[str]:
    """Selectors of an element by itself, the tellingest first."""
    tag, found = element.tag, []
    if not _is_tag(tag):
        return []
    if is_stable(name := element.get("id", "").strip()):
        found.append(f"#{name}")
    if re.fullmatch(r"[A-Za-z]+", prop := element.get("itemprop", "").strip()):
        found.append(f"[itemprop={prop}]")
    classes = [name for name in element.get("class", "").split() if is_stable(name)]
    found += [f"{tag}.{name}" for name in classes]
    if len(classes) > 1:
        found.append(f"{tag}.{'.'.join(classes[:2])}")
    if tag in _TELLING:
        found.insert(0 if tag == "h1" else len(found), tag)
    return found


def selectors(element: Any, most: int = 24) -> list[str]:
    """Selectors of an element, by itself and within others, the simplest first. None is tested on its page."""
    own = own_selectors(element)
    around = list(islice(element.iterancestors(), _OUTWARD))
    outer = [name for one in around if one.tag not in ("html", "body") for name in own_selectors(one)[:2]]
    parent = own_selectors(around[0])[:2] if around else []
    bare = element.tag if _is_tag(element.tag) else ""
    within = [f"{name} {one}" for name in outer for one in own[:2]]
    children = [f"{name} > {bare}" for name in parent if bare]
    deep = [f"{name} {bare}" for name in outer if bare]
    return list(dict.fromkeys(islice(chain(own, within, children, deep), most)))
