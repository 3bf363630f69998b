"""Posts on disk: whole or not at all, never over another, durable before the ledger says so."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_FEW = 8
"""Up to so many files are synced one by one; more at once cost less with one syncfs(2)."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A post that is to be written."""

    path: str
    """Relative to the archive."""
    data: bytes


def write_all(archive: Path, posts: Sequence[Pending]) -> list[bool]:
    """Write posts, each whole or not at all, also after a power cut. True for those that were not there.

    Order: temporary file beside the target, sync, link that never replaces, sync of the folder. Raises OSError, with no
    temporary file left behind.
    """
    temporary: list[Path] = []
    changed: set[Path] = set()
    try:
        for post in posts:
            target = archive / post.path
            changed |= _make_folder(target.parent)
            temporary.append(draft_of(target))
            temporary[-1].write_bytes(post.data)
        sync_files(archive, temporary)
        fresh = [_link(source, archive / post.path) for source, post in zip(temporary, posts, strict=True)]
    finally:
        for path in temporary:
            path.unlink(missing_ok=True)
    _sync_folders(changed)
    return fresh


def replace(path: Path, data: bytes) -> None:
    """Write a file in place of another, whole or not at all; durable on return."""
    changed = _make_folder(path.parent)
    temporary = draft_of(path)
    try:
        temporary.write_bytes(data)
        sync_files(path.parent, [temporary])
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folders(changed)


def draft_of(path: Path) -> Path:
    """Where a file is written before it is whole: beside its place, under a name that no other process has."""
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")


def sweep(folder: Path) -> int:
    """Remove temporary files that a killed run left; only under the lock. How many there were."""
    left = list(folder.rglob(".*.tmp")) if folder.is_dir() else []
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def _make_folder(folder: Path) -> set[Path]:
    """Make a folder with its parents; it and every folder that got an entry by that: what is to be synced."""
    changed = {folder}
    while not folder.is_dir():
        folder = folder.parent
        changed.add(folder)
    for one in sorted(changed - {folder}, key=lambda path: len(path.parts)):
        one.mkdir(exist_ok=True)
    return changed


def _link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        if target.exists():  # a file system without hard links
            return False
        source.rename(target)
    return True


def sync_files(folder: Path, paths: Sequence[Path]) -> None:
    """Make the bytes of files in or below a folder durable."""
    if len(paths) > _FEW and _syncfs(folder):
        return
    for path in paths:
        fsync(path)


def _sync_folders(folders: Iterable[Path]) -> None:
    for folder in folders:
        fsync(folder)


def fsync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _syncfs(folder: Path) -> bool:
    """Sync the whole file system of a folder; False where there is no such call."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        return False
    handle = os.open(folder, os.O_RDONLY)
    try:
        if call(handle) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(handle)
    return True
