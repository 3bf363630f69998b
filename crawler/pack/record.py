"""What is known of the packed pages that are there: a small index of months, and for each month its pages.

It lies in the state folder and is derived: without it every page is rendered anew, and written where it differs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any

from crawler.archive.posts import replace
from crawler.pack.window import MONTH

_FORM = 2
"""Of these files; another is read as none."""
_AT_WORK = "at-work"
"""Name of the file that is there while pages are made or removed."""


@dataclass(slots=True)
class Known:
    """A packed month."""

    theme: str = ""
    """Digest of the look that its pages were rendered with."""
    sources: dict[str, Any] = field(default_factory=dict)
    """What its pages say of their sources, by id."""
    around: dict[str, Any] = field(default_factory=dict)
    """What lies around it, as far as its pages say it."""
    ends: list[Any] = field(default_factory=list)
    """Its first and last post, as its neighbours' pages name them."""
    categories: dict[str, int] = field(default_factory=dict)
    """Slug -> posts."""
    by_source: dict[str, int] = field(default_factory=dict)
    """Id -> posts."""
    titles: dict[str, str] = field(default_factory=dict)
    """Slug -> what the category is called."""
    copies: list[str] = field(default_factory=list)
    """Addresses of the posts that its pages name as copies of theirs."""
    posts: int = 0


@dataclass(slots=True)
class Index:
    """All packed months, and how far the change log is done."""

    log: str = ""
    """Id of the log."""
    number: int = 0
    """Of its last line that the pages tell of."""
    older: str = ""
    """Digest of what the pages that lead to the months of categories and sources were made from."""
    months: dict[str, Known] = field(default_factory=dict)


class Record:
    """The files."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "packed"

    def index(self) -> Index:
        """Empty where there is none that can be read."""
        told = _read(self._folder / "index.json")
        months = {month: Known(**one) for month, one in told.get("months", {}).items() if MONTH.fullmatch(month)}
        return Index(told.get("log", ""), told.get("number", 0), told.get("older", ""), months)

    def write_index(self, index: Index) -> None:
        """Durable on return; gone where nothing is packed. All pages are as they are to be."""
        if not index.months:
            rmtree(self._folder, ignore_errors=True)
            return
        (self._folder / _AT_WORK).unlink(missing_ok=True)  # first: what it tells to type may be refused afterwards
        _write(self._folder / "index.json", {**asdict(index), "form": _FORM})

    def begin(self, command: str) -> None:
        """From now on pages are not what is known of them, until ``write_index``. ``command``: what finishes it, should
        it be cut off."""
        replace(self._folder / _AT_WORK, command.encode())

    @property
    def cut_off(self) -> str:
        """The command that was begun and did not end, or is at work; empty for none."""
        path = self._folder / _AT_WORK
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def pages(self, month: str) -> dict[str, str]:
        """Path of each page below the packed folder -> digest of what it was made from."""
        return {
            str(name): str(digest) for name, digest in _read(self._folder / f"{month}.json").get("pages", {}).items()
        }

    def write_pages(self, month: str, pages: dict[str, str]) -> None:
        """Likewise."""
        _write(self._folder / f"{month}.json", {"form": _FORM, "pages": pages})

    def forget(self, month: str) -> None:
        """The month is not packed any more."""
        (self._folder / f"{month}.json").unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) and told.get("form") == _FORM else {}


def _write(path: Path, told: dict[str, Any]) -> None:
    data = json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
    if not path.is_file() or path.read_bytes() != data:
        replace(path, data)
