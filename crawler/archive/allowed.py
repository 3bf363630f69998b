"""Which HTML may stand in a post: the general allow-list, what a source may add to it, and the checks of values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from html import escape, unescape
from html.entities import html5

from crawler.archive.characters import absolute, one_line, valid_reference
from crawler.archive.images import OWN


def words(text: str) -> frozenset[str]:
    """A set of names, from a line of them."""
    return frozenset(text.split())


DEPTH = 24
"""Elements open at once, at most: kramdown dies above some 1,500 and feed readers long before (rule 6)."""

PHRASE = words("p h1 h2 h3 h4 h5 h6 pre dt caption")
"""Blocks that hold text and inline elements alone."""
STRUCTURE = words("ul ol dl table thead tbody tfoot tr")
"""Blocks that hold their own kind of children and no text."""
VOID = words("br hr img")
PARENTS = {
    "li": frozenset({"ul", "ol"}),
    "dt": frozenset({"dl"}),
    "dd": frozenset({"dl"}),
    "caption": frozenset({"table"}),
    "thead": frozenset({"table"}),
    "tbody": frozenset({"table"}),
    "tfoot": frozenset({"table"}),
    "tr": frozenset({"thead", "tbody", "tfoot", "table"}),
    "td": frozenset({"tr"}),
    "th": frozenset({"tr"}),
    "figcaption": frozenset({"figure"}),
    "rt": frozenset({"ruby"}),
    "rp": frozenset({"ruby"}),
}
"""Elements that have a place in these alone."""
ONCE = words("a code kbd samp var")
"""Inline elements that never hold themselves: a parser ends an open link, kramdown the others at the first end tag."""
LAZY = ("data-src", "data-original", "data-lazy-src")
"""Where pages that load their images late keep the address."""

_FLOW = words("blockquote li dd td th figure figcaption")
_INLINE = words(
    "a abbr b bdi bdo cite code del dfn em i ins kbd mark q rp rt ruby s samp small span strong sub sup time u var "
)
_EXTRA_FLOW = words("aside center div section")
_EXTRA_INLINE = words("big font strike tt")
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "time": {"datetime"},
}

_NAME = re.compile(r"[a-z][a-z0-9_-]*\*?|\*")
_NEVER = re.compile(r"on|style$|markdown|src(?:doc|set)|imagesrcset|xmlns|.*action$|background|ping$|is$|slot$|http-")
_PROPERTY = re.compile(r"(?!position$|behaviou?r$|-moz-binding$|content$)-?[a-z][a-z-]*|\*")
_ADDRESS = re.compile(r"href|src|url|cite$")
_DECLARATION = re.compile(r"\s*([a-z-]+)\s*:\s*((?:[A-Za-z0-9#., %!+-]|rgba?\([0-9., %]*\))+)\Z")
_REFERENCE = re.compile(r"&(?:#(?:[xX]([0-9A-Fa-f]+)|([0-9]+));|([A-Za-z][A-Za-z0-9]*)([;=]?)|(#?))")
_VALUES = {
    "dir": re.compile(r"ltr|rtl|auto"),
    "lang": re.compile(r"[A-Za-z0-9-]{1,35}"),
    "width": re.compile(r"[0-9]{1,5}%?"),
    "height": re.compile(r"[0-9]{1,5}%?"),
    "colspan": re.compile(r"[0-9]{1,3}"),
    "rowspan": re.compile(r"[0-9]{1,4}"),
    "start": re.compile(r"-?[0-9]{1,6}"),
}
_WRITTEN_ADDRESS = re.compile(r"(?:https?://[A-Za-z0-9%\[_.~-]|mailto:|tel:)[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")


@dataclass(frozen=True, slots=True)
class Markup:
    """What a source's bodies may hold beyond the general allow-list, so that their bytes can stay.

    Raises ValueError for what no post may hold: scripts, event handlers, frames, foreign elements, unsafe CSS.
    """

    comments: bool = False
    """Comments without angle brackets, hyphens and line ends."""
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    """Element or ``*`` for all -> names of attributes; ``data-*`` allows all that begin with ``data-``."""
    styles: frozenset[str] = frozenset()
    """CSS properties that a style attribute may set; ``*`` for all but the unsafe ones."""
    tags: frozenset[str] = frozenset()
    """Further elements, of: aside big center div font section strike tt."""
    own: bool = False
    """Images of the archive itself, by their paths: a body that is to be cleaned means another site's by such a one."""

    def __post_init__(self) -> None:
        _refuse("tag", self.tags - _EXTRA_FLOW - _EXTRA_INLINE)
        _refuse(
            "tag with attributes",
            self.attributes.keys() - _FLOW - _INLINE - _EXTRAS - PHRASE - STRUCTURE - VOID - {"*"},
        )
        _refuse("CSS property", {name for name in self.styles if not _PROPERTY.fullmatch(name)})
        names = {name for some in self.attributes.values() for name in some}
        _refuse("attribute", {name for name in names if _NEVER.match(name) or not _NAME.fullmatch(name)})


_EXTRAS = _EXTRA_FLOW | _EXTRA_INLINE


def _refuse(what: str, names: set[str] | frozenset[str]) -> None:
    if names:
        raise ValueError(f"no markup may allow this {what}: {', '.join(sorted(names))}")


class Rules:
    """A Markup together with the general allow-list, ready for look-ups."""

    def __init__(self, markup: Markup) -> None:
        self.comments = markup.comments
        self.styles = markup.styles
        self.own = markup.own
        self.flow = _FLOW | (markup.tags & _EXTRA_FLOW)
        self.inline = _INLINE | (markup.tags & _EXTRA_INLINE)
        self.blocks = self.flow | PHRASE | STRUCTURE | {"hr"}
        self.tags = self.inline | self.blocks | VOID
        self.attributes = {tag: self._names(markup, tag) for tag in (*self.tags, "*")}
        self.children = {tag: self._children(tag) for tag in (*self.tags, "")}

    def _names(self, markup: Markup, tag: str) -> frozenset[str]:
        own = {name for key in {tag, "*"} for name in (*_ATTRIBUTES.get(key, ()), *markup.attributes.get(key, ()))}
        return frozenset(own | {"style"} if self.styles else own)

    def _children(self, tag: str) -> frozenset[str]:
        own = {child for child, parents in PARENTS.items() if tag in parents}
        if tag in VOID | STRUCTURE:
            return frozenset(own)
        free = self.tags - PARENTS.keys()
        if tag == "":
            return free & self.blocks
        return frozenset(own | (free if tag in self.flow else free - self.blocks))

    def names(self, tag: str, name: str) -> bool:
        """Whether ``tag`` may have an attribute of this name."""
        known = self.attributes[tag]
        if name in known:
            return True
        return (
            _NAME.fullmatch(name) is not None
            and not _NEVER.match(name)
            and any(k[-1] == "*" and name.startswith(k[:-1]) for k in known)
        )

    def holds(self, name: str, value: str) -> bool:
        """Whether an attribute's value, as written between double quotes, is safe and in the writer's form."""
        if not references_hold(value, attribute=True) or "\n" in value or "\t" in value:
            return False
        if name == "style":
            return self._style_kept(unescape(value)) == [part for part in value.split(";") if part.strip()]
        if name in _VALUES:
            return _VALUES[name].fullmatch(value) is not None
        if self.own and name == "src" and OWN.fullmatch(value):
            return True
        return not _ADDRESS.search(name) or _WRITTEN_ADDRESS.fullmatch(value) is not None

    def mended(self, name: str, value: str, base: str) -> str:
        """The value's safe form, as it is written between double quotes; empty if nothing of it may stay."""
        value = one_line(value)
        if name == "style":
            value = ";".join(self._style_kept(value))
        elif name in _VALUES:
            value = value if _VALUES[name].fullmatch(value) else ""
        elif _ADDRESS.search(name):
            value = absolute(value, base)
        return escape(value).replace("&#x27;", "'").replace("\xa0", "&nbsp;")

    def _style_kept(self, value: str) -> list[str]:
        found = ((part, _DECLARATION.match(part)) for part in value.split(";"))
        return [part for part, m in found if m and (m[1] in self.styles or self._any_style(m[1]))]

    def _any_style(self, name: str) -> bool:
        return "*" in self.styles and _PROPERTY.fullmatch(name) is not None


@lru_cache(maxsize=1024)
def rules_of(markup: Markup) -> Rules:
    """The rules of a markup, made once."""
    return Rules(markup)


def references_hold(text: str, attribute: bool) -> bool:
    """Whether every ``&`` is a reference to a good character or plainly none; in attributes ``&name=`` is none."""
    for match in _REFERENCE.finditer(text) if "&" in text else ():
        hexadecimal, decimal, name, end, hash_ = match.groups()
        if hexadecimal or decimal:
            good = valid_reference(match)
        elif name:
            good = f"{name};" in html5 if end == ";" else attribute and end == "="
        else:
            good = not hash_
        if not good:
            return False
    return True


WIDEST = Markup(
    comments=True,
    attributes={"*": frozenset({"*"})},
    styles=frozenset({"*"}),
    tags=_EXTRAS,
)
"""All that any markup could allow: what fits it cannot harm a site."""
WRITTEN = replace(WIDEST, own=True)
"""The same of a body as it stands in a post."""
