"""Locks: one run at a time, freed by the kernel, and nothing held by halves."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.archive.locks import Busy, Lock

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from crawler.archive.locks import Lock
lock = Lock(*map(Path, sys.argv[1:]))
print("held", flush=True)
time.sleep(60)
"""


def held_elsewhere(*folders: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, *map(str, folders)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def handles_on(folder: Path) -> int:
    links = list(Path("/proc/self/fd").iterdir())
    return sum(link.exists() and link.resolve() == folder.resolve() for link in links)


def test_a_second_run_is_told_where_and_a_killed_one_frees_it(tmp_path: Path) -> None:
    holder = held_elsewhere(tmp_path)
    try:
        with pytest.raises(Busy, match=f"another run is active in {tmp_path}; nothing was touched"):
            Lock(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
        Lock(tmp_path).release()
    finally:
        holder.kill()
        holder.wait(10)
        assert holder.stdout is not None
        holder.stdout.close()


def test_within_one_process_too_and_free_after_release(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    with pytest.raises(Busy):
        Lock(tmp_path)
    lock.release()
    lock.release()
    Lock(tmp_path).release()


def test_no_file_is_left(tmp_path: Path) -> None:
    Lock(tmp_path).release()
    assert list(tmp_path.iterdir()) == []


def test_of_two_folders_neither_is_held_where_one_is_taken(tmp_path: Path) -> None:
    archive, state = tmp_path / "archive", tmp_path / "state"
    archive.mkdir()
    state.mkdir()
    lock = Lock(state)
    with pytest.raises(Busy, match="state"):
        Lock(archive, state)
    assert handles_on(archive) == 0
    Lock(archive).release()
    lock.release()


def test_one_folder_by_two_names_is_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    lock = Lock(tmp_path, tmp_path / "link")
    with pytest.raises(Busy):
        Lock(tmp_path / "link")
    lock.release()


def test_a_missing_folder_is_no_run_and_leaves_nothing_held(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Lock(tmp_path, tmp_path / "missing")
    assert handles_on(tmp_path) == 0
    Lock(tmp_path).release()
