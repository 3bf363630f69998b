"""Pages on disk: each whole or not at all, and only where it changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from crawler.archive.posts import sync_files

_BATCH = 256
"""Pages that become durable together."""
_DRAFTS = ".tmp"
"""All drafts lie in one folder: what a killed run left is found at once, however many pages there are."""

Page = tuple[str, bytes]
"""Path below the folder, and what is to stand there."""


def put(folder: Path, pages: Iterable[Page]) -> int:
    """Write pages; how many were not there as they are. Raises OSError."""
    drafts = folder / _DRAFTS
    shutil.rmtree(drafts, ignore_errors=True)
    written, left = 0, iter(pages)
    while batch := list(islice(left, _BATCH)):
        written += _put_batch(folder, drafts, [page for page in batch if not _is(folder / page[0], page[1])])
    with suppress(FileNotFoundError):
        drafts.rmdir()
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
    return len(pages)


def _is(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def drop(folder: Path, names: Iterable[str]) -> int:
    """Remove pages, and folders that are empty by that; how many there were."""
    gone = 0
    for name in names:
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
