"""Pages on disk: each whole or not at all, and only where it changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from crawler.archive.posts import sync_files

_BATCH = 256
"""Pages that become durable together."""
_DRAFTS = ".tmp"
"""All drafts lie in one folder: what a killed run left is found at once, however many pages there are."""

Page = tuple[str, bytes]
"""Path below the folder, and what is to stand there."""
_LONGEST = 255
"""Bytes of a name, on common file systems."""


def name_of(url: str) -> str:
    """Where the page of an address lies, below the folder that is laid out as the site. Raises ValueError where that
    is no plain path."""
    name = unquote(url.removeprefix("/"))
    if not is_plain(name):
        raise ValueError(f"its address is no path of a page: {url}")
    return name


def is_plain(name: str) -> bool:
    """Whether a path stays below its folder, whatever the system."""
    parts = name.split("/")
    plain = all(part not in ("", ".", "..") and len(part.encode()) <= _LONGEST for part in parts)
    return plain and {*"\\\0"}.isdisjoint(name)


def put(folder: Path, pages: Iterable[Page]) -> int:
    """Write pages, durable on return, names too; how many were not there as they are. Raises OSError, and ValueError
    for a path that is none; what was not put then leaves no drafts."""
    drafts = folder / _DRAFTS
    shutil.rmtree(drafts, ignore_errors=True)
    written, left = 0, iter(pages)
    try:
        while batch := list(islice(left, _BATCH)):
            if names := [name for name, _ in batch if not is_plain(name)]:
                raise ValueError(f"no path of a page: {names[0]}")
            written += _put_batch(folder, drafts, [page for page in batch if not _is(folder / page[0], page[1])])
    finally:
        shutil.rmtree(drafts, ignore_errors=True)
    return written


def _put_batch(folder: Path, drafts: Path, pages: list[Page]) -> int:
    if not pages:
        return 0
    drafts.mkdir(parents=True, exist_ok=True)
    files = [drafts / str(number) for number in range(len(pages))]
    for file, (_, data) in zip(files, pages, strict=True):
        file.write_bytes(data)
    sync_files(drafts, files)
    for file, (name, _) in zip(files, pages, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        file.replace(folder / name)
    sync_files(folder, _folders(folder, (name for name, _ in pages)))
    return len(pages)


def _folders(folder: Path, names: Iterable[str]) -> list[Path]:
    """Those that may have got a name."""
    inside = {parent for name in names for parent in PurePosixPath(name).parents}
    return [folder.parent, *sorted(folder / one for one in inside)]


def _is(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def drop(folder: Path, names: Iterable[str]) -> int:
    """Remove pages, and folders that are empty by that; how many there were. Nothing outside the folder is."""
    gone = 0
    for name in filter(is_plain, names):
        path = folder / name
        if path.is_file():
            path.unlink()
            gone += 1
        _prune(folder, path.parent)
    return gone


def _prune(root: Path, folder: Path) -> None:
    while folder not in (root, root.parent):
        try:
            folder.rmdir()
        except OSError:  # not empty, or not there
            if folder.is_dir():
                return
        folder = folder.parent
    with suppress(OSError):
        root.rmdir()


def there(folder: Path) -> Iterator[str]:
    """Paths of all pages below a folder."""
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
