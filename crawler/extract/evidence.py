"""Evidence: which rule gave a value, where it stood, and what else was on offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lxml import etree

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """A value that one rule offers."""

    value: T
    rule: str
    """Where it comes from, from the general to the particular: ``jsonld:headline``, ``meta:og:title``, ``h1``."""
    raw: str = ""
    """As the page has it, blanks squeezed."""
    node: Any = None
    """The element it stood in (lxml); None for what stood in no element of its own."""
    reason: str = ""
    """Why it was not taken; empty for the one that was."""

    @property
    def path(self) -> str:
        """Path of the element from the root, as XPath; empty without one."""
        if not isinstance(self.node, etree._Element):
            return ""
        return str(self.node.getroottree().getpath(self.node))


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """What was chosen for a field, and what was not."""

    taken: Candidate[T] | None = None
    rejected: tuple[Candidate[T], ...] = ()

    @property
    def value(self) -> T | None:
        """The value taken; None if there was none to take."""
        return self.taken.value if self.taken else None
