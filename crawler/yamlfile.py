"""Reads a YAML file with its line numbers, and checks it against a model so that each error names file and line."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

Loc = tuple[Any, ...]
"""Way to a value: keys and list positions, as in ``("lists", 0, "link")``."""
_TAG = "tag:yaml.org,2002:"
_MOST = 100_000
"""Values in one file; aliases of aliases make billions out of ten lines."""


class SettingsError(ValueError):
    """A settings file is wrong. ``problems`` holds one ``file:line: what`` per fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML file: its value and the line of each key and item."""

    path: Path
    value: Any
    lines: dict[Loc, int]

    def line(self, loc: Iterable[Any]) -> int:
        """Line (from 1) of the nearest known way to ``loc``; parts that the file does not have are skipped."""
        way: Loc = ()
        for part in loc:
            if (*way, part) in self.lines:
                way = (*way, part)
        return self.lines.get(way, 1)

    def problem(self, loc: Iterable[Any], what: str) -> str:
        """One line of an error report."""
        loc = tuple(loc)
        way = ".".join(str(part) for part in loc)
        return f"{self.path}:{self.line(loc)}: {way + ': ' if way else ''}{what}"


class Strict(BaseModel):
    """Base of all settings models: unknown keys are errors, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    kinds: ClassVar[list[type[Strict]]] = []

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        Strict.kinds.append(cls)

    def problems(self) -> Iterator[tuple[Loc, str]]:
        """Faults that only show once the whole is read; a model overrides it."""
        yield from ()


Model = TypeVar("Model", bound=Strict)


def load_yaml(path: Path) -> Document:
    """Parse ``path``. Raises SettingsError for broken YAML, duplicate keys, an unreadable file or bad UTF-8."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: cannot be read: {error}"]) from error
    loader = yaml.CSafeLoader(text)
    lines: dict[Loc, int] = {}
    try:
        node = loader.get_single_node()
        if node is None:
            return Document(path, None, lines)
        _note_lines(node, (), lines)  # first: building the values moves merged keys (<<) between the others
        return Document(path, loader.construct_document(node), lines)
    except _Fault as fault:
        raise SettingsError([f"{path}:{fault.line}: {fault}"]) from fault
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise SettingsError([f"{path}:{mark.line + 1 if mark else 1}: not YAML: {error.problem}"]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise SettingsError([f"{path}: not YAML: {error}"]) from error
    finally:
        loader.dispose()


def validate(model: type[Model], document: Document) -> Model:
    """``document`` as ``model``. Raises SettingsError with every fault: file, line, what was expected, a near key."""
    try:
        value = model.model_validate({} if document.value is None else document.value)
    except ValidationError as error:
        raise SettingsError([_explain(document, fault) for fault in error.errors()]) from error
    if faults := [document.problem(loc, what) for loc, what in value.problems()]:
        raise SettingsError(faults)
    return value


def near(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for a typo of a known word, else the words there are."""
    known = sorted(known)
    if close := difflib.get_close_matches(str(word), known, 1, 0.6):
        return f" Did you mean '{close[0]}'?"
    return f" Known: {', '.join(known)}." if known else ""


class _Fault(ValueError):
    """What is wrong at a node."""

    def __init__(self, node: yaml.Node, what: str) -> None:
        super().__init__(what)
        self.line = node.start_mark.line + 1


def _note_lines(node: yaml.Node, way: Loc, lines: dict[Loc, int]) -> None:
    lines.setdefault(way, node.start_mark.line + 1)
    if len(lines) > _MOST:
        raise _Fault(node, f"more than {_MOST} values; aliases (*) inside aliases?")
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = _name(key)
            if (*way, name) in lines:
                raise _Fault(key, f"'{name}' stands here twice")
            lines[*way, name] = key.start_mark.line + 1
            _note_lines(value, (*way, name), lines)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _note_lines(value, (*way, position), lines)
    else:
        _check_scalar(node)


def _name(key: yaml.Node) -> str:
    """YAML 1.1 takes bare words such as ``on`` and ``no`` for true and false."""
    kind = key.tag.removeprefix(_TAG)
    if kind not in ("str", "merge"):
        raise _Fault(key, f"the key {str(key.value)[:40]!r} is no text to YAML but {kind}: put it in quotes")
    return str(key.value)


def _check_scalar(node: yaml.Node) -> None:
    """PyYAML raises whatever happens to go wrong in it, and tells no line."""
    try:
        yaml.SafeLoader("").construct_object(node)
    except (ValueError, LookupError, AttributeError) as error:
        raise _Fault(node, f"{node.value!r} is no {node.tag.removeprefix(_TAG)}: {error}") from error


def _explain(document: Document, fault: Any) -> str:
    loc: Loc = fault["loc"]
    if fault["type"] == "extra_forbidden":
        siblings = _siblings(document.value, loc)
        return document.problem(loc, f"unknown key.{near(loc[-1], _fields_beside(siblings, loc[-1]))}")
    if fault["type"] == "missing":
        return document.problem(loc, "is required and missing")
    got = "" if isinstance(fault["input"], dict | list) else f" (got {fault['input']!r})"
    return document.problem(loc, fault["msg"].removeprefix("Value error, ") + got)


def _siblings(value: Any, loc: Loc) -> set[str]:
    """Keys that stand beside the last part of ``loc``."""
    for part in loc[:-1]:
        try:
            value = value[part]
        except (LookupError, TypeError):
            continue
    return {str(key) for key in value} if isinstance(value, dict) else set()


def _fields_beside(siblings: set[str], wrong: Hashable) -> set[str]:
    """Fields of the models that know most of the siblings: one of them was meant."""
    siblings = siblings - {str(wrong)}
    known = {kind: len(siblings & set(kind.model_fields)) for kind in Strict.kinds}
    best = max(known.values(), default=0)
    return {name for kind, count in known.items() if count == best for name in kind.model_fields} - siblings
