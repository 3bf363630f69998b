"""Changes to a source's YAML as a person would make them: in its text, so that comments and order stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from crawler.probe.sheet import FIELDS, flow
from crawler.sources import Source, load_source
from crawler.yamlfile import SettingsError

Loc = tuple[str | int, ...]


class NotEditable(ValueError):
    """The file is written in a way that no text edit of ours is sure of; the message says what to do by hand."""


class Sheet:
    """A YAML file that is about to be changed."""

    def __init__(self, path: Path) -> None:
        """Reads it. The file has been read as a source before: it is YAML, and a mapping."""
        self.path = path
        self.before = path.read_bytes().decode("utf-8")
        self.value: dict[str, Any] = yaml.safe_load(self.before)
        self._root: Any = yaml.compose(self.before, Loader=yaml.SafeLoader)
        self._edits: list[tuple[int, int, str]] = []

    def replace(self, way: Loc, value: Any) -> None:
        """Another value in place of the one at ``way``."""
        node = self._node(way)
        end = node.end_mark.index
        text = self.before[node.start_mark.index : end]
        # a list may stand as far left as its key, and nothing else may
        inward = "" if isinstance(node, yaml.ScalarNode) or node.flow_style else "  "
        self._edits.append((node.start_mark.index, end - (len(text) - len(text.rstrip())), inward + _in_flow(value)))
        self._at(way[:-1])[way[-1]] = value

    def add(self, way: Loc, name: str, value: Any) -> None:
        """A key that the mapping at ``way`` does not have, before the others."""
        node = self._node(way)
        if node.flow_style:
            place, text = node.start_mark.index + 1, f"{name}: {_in_flow(value)}{', ' if node.value else ''}"
        else:
            place, text = node.start_mark.index, f"{_line(name, value, '')}\n{' ' * node.start_mark.column}"
        self._edits.append((place, place, text))
        self._at(way)[name] = value

    def remove(self, way: Loc) -> None:
        """A key of a mapping, and its value, with the lines they stand on."""
        parent, name = self._node(way[:-1]), way[-1]
        key, node = next(pair for pair in parent.value if pair[0].value == name)
        if parent.flow_style:
            raise NotEditable(f"{self.path}: take {'.'.join(map(str, way))} out by hand")
        start = self.before.rfind("\n", 0, key.start_mark.index) + 1
        text = self.before[: node.end_mark.index].rstrip()
        end = self.before.find("\n", len(text)) + 1 or len(self.before)
        if self.before[start : key.start_mark.index].strip():
            following = next((one for one, _ in parent.value if one.start_mark.index > key.start_mark.index), None)
            start, end = key.start_mark.index, following.start_mark.index if following else end
        self._edits.append((start, end, ""))
        del self._at(way[:-1])[name]

    def layout_in_front(self, layout: Mapping[str, Any], notes: Mapping[str, str], old: int, until: date) -> None:
        """A new present layout before all others; the one that was present, at place ``old``, holds ``until`` a day.

        After all other changes of layouts. ``notes``: comments to be put behind fields.
        """
        layouts = self._node(("layouts",))
        self.add(("layouts", old), "until", until)
        names = [*(name for name in FIELDS if name in layout), *(name for name in layout if name not in FIELDS)]
        if layouts.flow_style:
            text = flow({name: layout[name] for name in names})
            self._edits.append((layouts.start_mark.index + 1, layouts.start_mark.index + 1, f"{text}, "))
        else:
            self._put_first(layouts, [_line(name, layout[name], notes.get(name, "")) for name in names])
        self.value["layouts"].insert(0, dict(layout))

    def _put_first(self, layouts: Any, lines: Sequence[str]) -> None:
        """An item in a block sequence, right below its key: what stands above the first item is a comment of that."""
        key = next(key for key, value in self._root.value if value is layouts)
        place = self.before.find("\n", key.end_mark.index) + 1
        indent = " " * layouts.start_mark.column
        text = "".join(f"{indent}{' ' if number else '-'} {line}\n" for number, line in enumerate(lines))
        self._edits.append((place, place, text))

    @property
    def after(self) -> str:
        """The text with all changes."""
        text = self.before
        for start, end, new in sorted(self._edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def source(self) -> Source:
        """What the changed text says, read from a file aside. Raises NotEditable where it is not what was meant."""
        try:
            meant = yaml.safe_load(self.after) == self.value
        except yaml.YAMLError:
            meant = False
        if not meant:
            raise NotEditable(f"{self.path} is written in a way that cannot be changed safely: change it by hand")
        with TemporaryDirectory() as folder:
            aside = Path(folder) / self.path.name
            aside.write_bytes(self.after.encode())
            try:
                source = load_source(aside)
            except SettingsError as error:
                raise NotEditable(str(error)) from error
        source._path = self.path
        return source

    def diff(self) -> str:
        """Unified; empty where nothing changes."""
        before, after = self.before.splitlines(), self.after.splitlines()
        name = str(self.path)
        return "\n".join(unified_diff(before, after, name, name, "as it is", "repaired", lineterm=""))

    def _node(self, way: Loc) -> Any:
        node = self._root
        for part in way:
            if isinstance(node, yaml.MappingNode):
                node = next(value for key, value in node.value if key.value == part)
            else:
                node = node.value[part]
        return node

    def _at(self, way: Loc) -> Any:
        value: Any = self.value
        for part in way:
            value = value[part]
        return value


def _in_flow(value: Any) -> str:
    """A value as it may stand anywhere, also between brackets."""
    return flow([value])[1:-1]


def _line(name: str, value: Any, note: str) -> str:
    return f"{name}: {flow(value)}{f'  # {note}' if note else ''}"
