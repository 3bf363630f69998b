"""Earlier versions of edited posts: ``revisions/2026/03/06/<name of the post>/<number>.md``, 1 the first.

Order of an edit's writes: the version at hand is kept here, durable; then the post is replaced; the ledger is last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from crawler.archive.checks import by_path, settle
from crawler.archive.ledger import Ledger
from crawler.archive.posts import Pending, replace, write_all

FOLDER = "revisions"


@dataclass(frozen=True, slots=True)
class Edit:
    """A post, and what is to stand in its place."""

    path: str
    old: bytes
    new: bytes
    number: int
    """Under which the old version is kept."""


def folder_of(path: str) -> str:
    """Where the versions of a post lie, relative to the archive as ``path`` is. Not below another ``_posts``: Jekyll
    would take them for posts."""
    return f"{FOLDER}/{path.removeprefix('_posts/').removesuffix('.md')}"


def versions(archive: Path, path: str) -> dict[int, Path]:
    """Number -> file of each earlier version of a post, oldest first."""
    found = (archive / folder_of(path)).glob("[1-9]*.md")
    return dict(sorted((int(file.stem), file) for file in found if file.stem.isdecimal()))


def free_number(archive: Path, path: str, data: bytes, least: int) -> int:
    """The number for a version: the first from ``least`` on that is not taken by another text. A run that was killed
    may have kept this very one already."""
    there = versions(archive, path)
    return next(n for n in range(least, least + len(there) + 1) if n not in there or there[n].read_bytes() == data)


def write(archive: Path, edits: Sequence[Edit]) -> None:
    """Keep the old versions, durable, never over another; then put the new ones in their place. Raises OSError."""
    write_all(archive, [Pending(f"{folder_of(one.path)}/{one.number}.md", one.old) for one in edits])
    for one in edits:
        replace(archive / one.path, one.new)


def mend(archive: Path, ledger: Ledger) -> list[str]:
    """Bring ledger and versions together where a run was killed amid an edit; a line for each."""
    return [line for folder in sorted(_folders(archive)) if (line := _mended(archive, ledger, folder))]


def _folders(archive: Path) -> Iterator[Path]:
    yield from {file.parent for file in (archive / FOLDER).rglob("[1-9]*.md")}


def _mended(archive: Path, ledger: Ledger, folder: Path) -> str:
    """Before the post was replaced the version is one too many; after it the ledger lacks one."""
    path = f"_posts/{folder.relative_to(archive / FOLDER).as_posix()}.md"
    check, there = by_path(ledger, path), versions(archive, path)
    last = max(there, default=0)
    if check is None or last <= check.revision or not (archive / path).is_file():
        return ""
    post, kept = (sha256(file.read_bytes()).hexdigest() for file in (archive / path, there[last]))
    if kept != check.digest:
        return ""
    if post == check.digest:
        there[last].unlink()
        return f"{path}: an edit that had not begun to replace it"
    told = {"digest": post, "revision": last, "etag": "", "modified": "", "capture": ""}  # the next look compares
    settle(ledger, {check.row.id: told})
    return f"{path}: an edit that the ledger did not know of"
