"""The posts of a packed month, as layouts see them: read once, their text again when a page shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from crawler.archive.post import PostError, read_post
from crawler.pack.files import name_of
from crawler.pack.window import day_paths, month_paths
from crawler.render.markdown import html_of, plain
from crawler.render.posts import page_of, url_of
from crawler.render.theme import Theme, below
from crawler.sitedata.facts import day_at

FAULTS = ArithmeticError, ValueError
"""What odd front matter raises somewhere in a layout."""


class Refused(ValueError):
    """Why a month cannot be packed: a post that presskeep might show otherwise than Jekyll does."""


class Page(dict[str, Any]):
    """A post's page; ``content`` is read when it is asked for, and not kept: memory does not grow with the month."""

    def __init__(self, archive: Path, told: dict[str, Any]) -> None:
        super().__init__(told)
        self._file = archive / told["path"]

    def __missing__(self, name: str) -> Any:
        if name != "content":
            raise KeyError(name)
        return html_of(below(self._file.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Story:
    """A post of the month."""

    page: Page
    digest: str
    """sha256 of its file."""

    @property
    def brief(self) -> dict[str, Any]:
        """As its neighbours' pages name it."""
        return {name: self.page[name] for name in ("language", "title", "url") if name in self.page}


def stories(archive: Path, theme: Theme, paths: Iterable[str], checked: frozenset[str] | None = None) -> list[Story]:
    """Posts in the order of time, as Jekyll has it: by date, then by path. Raises Refused.

    ``checked``: digests of posts that need not be looked at again; None for none of them.
    """
    found = [_story(archive, theme, path, checked) for path in paths]
    return sorted(found, key=lambda story: (story.page["date"], story.page["path"]))


def _story(archive: Path, theme: Theme, path: str, checked: frozenset[str] | None) -> Story:
    data = (archive / path).read_bytes()
    digest = sha256(data).hexdigest()
    try:
        post = read_post(data)
    except PostError as error:
        raise Refused(f"{path}: {error}") from None
    if checked is not None and digest not in checked and not plain(below(data.decode())):
        raise Refused(f"{path}: holds Markdown or HTML that presskeep does not write")
    try:
        url = url_of(path, post, theme.zone)
        name_of(url)
    except ValueError as error:  # a path out of the folder
        raise Refused(f"{path}: {error}") from None
    told = page_of(post, url, theme.zone, path, content="")
    del told["content"]
    if f"{told['date']:%Y-%m}" != told["name"][:7]:
        raise Refused(f"{path}: its date is of another month than its name")
    return Story(Page(archive, told), digest)


def month_of(archive: Path, theme: Theme, month: str, checked: frozenset[str] | None) -> list[Story]:
    """A month's posts. Raises Refused, also for one that has this month's address and another's name."""
    beside = [path for day in _beside(month) for path in day_paths(archive, day)]
    for path in beside:
        if day_at(archive, path, theme.zone).startswith(month):
            raise Refused(f"{path}: its date is of another month than its name")
    return stories(archive, theme, month_paths(archive, month), checked)


def _beside(month: str) -> tuple[str, str]:
    """The days before and after it."""
    first = date.fromisoformat(f"{month}-01")
    return f"{first - timedelta(1)}", f"{(first + timedelta(31)).replace(day=1)}"


def day_of(archive: Path, theme: Theme, day: str) -> list[Story]:
    """A day's posts. Raises Refused."""
    return stories(archive, theme, day_paths(archive, day))
