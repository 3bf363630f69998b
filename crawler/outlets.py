"""Outlets: one canonical name for each, whatever a page prints, out of tables in YAML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from crawler.slugs import Slugs

_FIELDS = ("aliases", "slug", "agency")
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Outlet:
    """One outlet, as the table has it."""

    name: str
    """Canonical name."""
    aliases: tuple[str, ...] = ()
    """Other names that it goes by in print."""
    slug: str = ""
    """Fixed slug; empty to have it made from the name."""
    agency: bool = False
    """A news agency: its names count as a credit in a dateline or at the tail of a text."""


class Outlets:
    """The table of outlets, by every name that they go by; width, case and blanks make no difference."""

    def __init__(self, outlets: Iterable[Outlet], slugs: Slugs) -> None:
        """A later outlet takes a name away from an earlier one."""
        self._slugs = slugs
        self._by_name: dict[str, Outlet] = {}
        for outlet in outlets:
            for name in (outlet.name, *outlet.aliases):
                self._by_name[_key(name)] = outlet

    @classmethod
    def load(cls, *paths: Path | str, slugs: Slugs) -> Outlets:
        """Read tables ``name: [alias, …]`` or ``name: {aliases: […], slug: …, agency: true}``; later files override.

        Raises ValueError, naming file and line, for a name that is given twice in a file and for what is not text.
        """
        tables: dict[str, Outlet] = {}
        for path in paths:
            for outlet in _read(Path(path)):
                tables.pop(_key(outlet.name), None)  # to the end, so that its aliases win as well
                tables[_key(outlet.name)] = outlet
        return cls(tables.values(), slugs)

    def name(self, raw: str, tidied: str = "") -> str:
        """Canonical name of what is printed as ``raw``, or of its tidy form; unknown outlets keep the tidy form."""
        outlet = self._by_name.get(_key(raw)) or self._by_name.get(_key(tidied))
        return outlet.name if outlet else tidied or " ".join(raw.split())

    def slug(self, name: str, style: str = "pinyin") -> str:
        """Slug of an outlet by any of its names: the table's own, else made from the canonical name in ``style``."""
        outlet = self._by_name.get(_key(name))
        if outlet is None:
            return self._slugs.slug(name, style=style)
        return outlet.slug or self._slugs.slug(outlet.name, style=style)

    def as_printed(self, raw: str, style: str = "pinyin") -> tuple[str, str]:
        """(name, slug) of an outlet that goes by whichever of its names is printed; twins in case or width are one."""
        outlet = self._by_name.get(_key(raw))
        names = (outlet.name, *outlet.aliases) if outlet else ()
        name = next((name for name in names if _key(name) == _key(raw)), " ".join(raw.split()))
        return name, self._slugs.slug(name, style=style)

    @cached_property
    def agencies(self) -> frozenset[str]:
        """Every name of every news agency, for the readers of datelines and tails."""
        wires = (outlet for outlet in self if outlet.agency)
        return frozenset(name for outlet in wires for name in (outlet.name, *outlet.aliases))

    def __iter__(self) -> Iterator[Outlet]:
        return iter(dict.fromkeys(self._by_name.values()))


def _key(name: str) -> str:
    text = unicodedata.normalize("NFKC", name.translate(_INVISIBLE))
    return " ".join(text.casefold().split())


def _read(path: Path) -> Iterator[Outlet]:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not YAML: {error}") from error
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise _wrong(path, root, "a table of outlets is due")
    taken: dict[str, yaml.Node] = {}
    for key, value in root.value:
        name = _text(path, key)
        outlet, nodes = _outlet(path, name, value)
        for node in (key, *nodes):
            _take(path, node, taken)
        yield outlet


def _take(path: Path, node: yaml.Node, taken: dict[str, yaml.Node]) -> None:
    first = taken.setdefault(_key(node.value), node)
    if first is not node:
        raise _wrong(path, node, f"{node.value!r} is already a name of line {first.start_mark.line + 1}")


def _outlet(path: Path, name: str, value: yaml.Node) -> tuple[Outlet, list[yaml.Node]]:
    fields = _fields(path, value)
    nodes = _items(path, fields["aliases"]) if "aliases" in fields else []
    slug = _slug(path, fields["slug"]) if "slug" in fields else ""
    agency = "agency" in fields and _flag(path, fields["agency"])
    return Outlet(name, tuple(_text(path, node) for node in nodes), slug, agency), nodes


def _fields(path: Path, value: yaml.Node) -> dict[str, yaml.Node]:
    if isinstance(value, yaml.SequenceNode):
        return {"aliases": value}
    if isinstance(value, yaml.MappingNode):
        fields = {_text(path, key): node for key, node in value.value}
        if unknown := set(fields) - set(_FIELDS):
            raise _wrong(path, value, f"unknown field {min(unknown)!r}: one of {', '.join(_FIELDS)}")
        return fields
    if value.tag == "tag:yaml.org,2002:null":
        return {}
    raise _wrong(path, value, "a list of aliases or a table is due")


def _items(path: Path, node: yaml.Node) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _wrong(path, node, "a list of aliases is due")
    return list(node.value)


def _text(path: Path, node: yaml.Node) -> str:
    if node.tag != "tag:yaml.org,2002:str" or not _key(node.value):
        raise _wrong(path, node, f"{node.value!r} is not text: quote it")
    return str(node.value)


def _slug(path: Path, node: yaml.Node) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", slug := _text(path, node)):
        raise _wrong(path, node, f"{slug!r} is no slug: letters, digits and hyphens")
    return slug


def _flag(path: Path, node: yaml.Node) -> bool:
    if node.tag != "tag:yaml.org,2002:bool":
        raise _wrong(path, node, "true or false is due")
    return node.value.lower() in ("true", "yes", "on")


def _wrong(path: Path, node: yaml.Node, what: str) -> ValueError:
    return ValueError(f"{path}:{node.start_mark.line + 1}: {what}")
