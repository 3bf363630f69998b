"""Posts on disk: whole or absent, never over another, durable in the right order, whatever fails or kills."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.archive import posts
from crawler.archive.posts import Pending, replace, sweep, write_all

ROOT = Path(__file__).resolve().parents[2]
DAY = "_posts/2024/02/29"


def pending(number: int, text: str = "") -> Pending:
    return Pending(f"{DAY}/2024-02-29-{number}.md", (text or f"post {number}\n" * 200).encode())


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def expected(count: int) -> dict[str, bytes]:
    return {post.path: post.data for post in map(pending, range(count))}


# what is written


@pytest.mark.parametrize("count", [0, 1, posts._FEW, posts._FEW + 1])
def test_all_are_written_and_nothing_else(tmp_path: Path, count: int) -> None:
    assert write_all(tmp_path, [pending(number) for number in range(count)]) == [True] * count
    assert files(tmp_path) == expected(count)


def test_a_post_is_never_overwritten(tmp_path: Path) -> None:
    write_all(tmp_path, [pending(1, "first")])
    before = (tmp_path / pending(1).path).stat()
    assert write_all(tmp_path, [pending(1, "second"), pending(2, "other")]) == [False, True]
    assert files(tmp_path) == {pending(1).path: b"first", pending(2).path: b"other"}
    after = (tmp_path / pending(1).path).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_of_two_in_one_batch_the_first_counts(tmp_path: Path) -> None:
    assert write_all(tmp_path, [pending(1, "first"), pending(1, "second")]) == [True, False]
    assert files(tmp_path) == {pending(1).path: b"first"}


def test_a_dangling_link_counts_as_there(tmp_path: Path) -> None:
    target = tmp_path / pending(1).path
    target.parent.mkdir(parents=True)
    target.symlink_to("nowhere")
    assert write_all(tmp_path, [pending(1)]) == [False]
    assert target.is_symlink()


def test_a_post_has_one_name_on_disk(tmp_path: Path) -> None:
    write_all(tmp_path, [pending(1)])
    assert (tmp_path / pending(1).path).stat().st_nlink == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=50)), max_size=12))
def test_whatever_comes_the_first_of_a_name_stays(tmp_path: Path, batch: list[tuple[int, bytes]]) -> None:
    shutil.rmtree(tmp_path / "_posts", ignore_errors=True)
    fresh = write_all(tmp_path, [Pending(pending(number).path, data) for number, data in batch])
    first: dict[str, bytes] = {}
    for number, data in batch:
        first.setdefault(pending(number).path, data)
    assert files(tmp_path) == first
    assert sum(fresh) == len(first)


# the order of things


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What the operating system is asked for, in order: names below the test's folder, temporary ones as ``tmp``."""
    made: list[str] = []

    def short(path: Any) -> str:
        path = Path(path)
        return "tmp" if path.name.startswith(".") else str(path.relative_to(tmp_path))

    def recorded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            target = arguments[-1] if name in ("link", "replace") else arguments[0]
            made.append(f"{name} {short(target)}")
            return function(*arguments, **named)

        return call

    monkeypatch.setattr(posts, "fsync", recorded(posts.fsync, "fsync"))
    monkeypatch.setattr(posts, "_syncfs", recorded(posts._syncfs, "syncfs"))
    monkeypatch.setattr(os, "link", recorded(os.link, "link"))
    monkeypatch.setattr(Path, "write_bytes", recorded(Path.write_bytes, "write"))
    monkeypatch.setattr(Path, "replace", recorded(Path.replace, "replace"))
    monkeypatch.setattr(Path, "unlink", recorded(Path.unlink, "unlink"))
    return made


def test_files_are_synced_before_they_get_their_names_and_folders_after(tmp_path: Path, calls: list[str]) -> None:
    (tmp_path / DAY).mkdir(parents=True)
    write_all(tmp_path, [pending(1), pending(2)])
    assert calls == [
        "write tmp",
        "write tmp",
        "fsync tmp",
        "fsync tmp",
        f"link {pending(1).path}",
        f"link {pending(2).path}",
        "unlink tmp",
        "unlink tmp",
        f"fsync {DAY}",
    ]


def test_many_files_are_synced_by_one_call(tmp_path: Path, calls: list[str]) -> None:
    (tmp_path / DAY).mkdir(parents=True)
    write_all(tmp_path, [pending(number) for number in range(posts._FEW + 1)])
    kinds = [call.split()[0] for call in calls]
    assert kinds == ["write"] * 9 + ["syncfs"] + ["link"] * 9 + ["unlink"] * 9 + ["fsync"]
    assert calls[9] == "syncfs ."
    assert calls[-1] == f"fsync {DAY}"


def test_new_folders_are_synced_in_their_parents(tmp_path: Path, calls: list[str]) -> None:
    (tmp_path / "_posts").mkdir()
    write_all(tmp_path, [pending(1)])
    at = calls.index(f"link {pending(1).path}")
    assert set(calls[at + 1 :]) == {
        "unlink tmp",
        f"fsync {DAY}",
        "fsync _posts/2024/02",
        "fsync _posts/2024",
        "fsync _posts",
    }


def test_replacing_syncs_before_and_after(tmp_path: Path, calls: list[str]) -> None:
    (tmp_path / "report.json").touch()
    replace(tmp_path / "report.json", b"new")
    assert calls == ["write tmp", "fsync tmp", "replace report.json", "unlink tmp", "fsync ."]


def test_syncfs_is_the_operating_system_s(tmp_path: Path) -> None:
    assert posts._syncfs(tmp_path)


def test_without_syncfs_each_file_is_synced(tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    (tmp_path / DAY).mkdir(parents=True)
    write_all(tmp_path, [pending(number) for number in range(9)])
    assert calls.count("fsync tmp") == 9


# failures


def failing(number: int, error: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` that fails with ``error`` in its ``number``-th call."""
    left = [number]

    def call(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(error, os.strerror(error))
        return function(*arguments, **named)

    return call


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["link", "fsync"])
def test_a_failure_leaves_whole_posts_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, name, failing(number, errno.EIO, getattr(os, name)))
        with pytest.raises(OSError, match="Input/output error"):
            write_all(tmp_path, [pending(number) for number in range(4)])
    assert files(tmp_path).items() <= expected(4).items()
    assert len(files(tmp_path)) == (number - 1 if name == "link" else 0)
    write_all(tmp_path, [pending(number) for number in range(4)])
    assert files(tmp_path) == expected(4)


def test_a_folder_that_cannot_be_synced_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / DAY).mkdir(parents=True)
    monkeypatch.setattr(os, "fsync", failing(2, errno.EIO, os.fsync))
    with pytest.raises(OSError, match="Input/output error"):
        write_all(tmp_path, [pending(0)])
    assert files(tmp_path) == expected(1)


def test_a_failing_syncfs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Libc:
        @staticmethod
        def syncfs(_: int) -> int:
            ctypes.set_errno(errno.ENOSPC)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Libc)
    with pytest.raises(OSError, match="No space left on device"):
        write_all(tmp_path, [pending(number) for number in range(9)])
    assert files(tmp_path) == {}


def test_a_full_disk_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        write_all(tmp_path, [pending(1)])
    with pytest.raises(OSError, match="No space left"):
        replace(tmp_path / "x", b"data")
    assert files(tmp_path) == {}


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOTSUP, errno.EMLINK])
def test_without_hard_links_posts_are_renamed_and_still_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def no_links(*_: Any) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "link", no_links)
    assert write_all(tmp_path, [pending(1, "first")]) == [True]
    assert write_all(tmp_path, [pending(1, "second"), pending(2)]) == [False, True]
    assert files(tmp_path) == {pending(1).path: b"first", pending(2).path: pending(2).data}


def test_a_folder_s_place_taken_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "_posts").write_text("in the way")
    with pytest.raises(OSError):
        write_all(tmp_path, [pending(1)])
    assert files(tmp_path) == {"_posts": b"in the way"}


# replacing and sweeping


def test_replacing(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "1.json"
    replace(path, b"one")
    replace(path, b"two")
    assert files(tmp_path) == {"runs/1.json": b"two"}


def test_a_failed_replacement_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "1.json"
    replace(path, b"one")
    monkeypatch.setattr(os, "fsync", failing(1, errno.EIO, os.fsync))
    with pytest.raises(OSError, match="Input/output error"):
        replace(path, b"two")
    assert files(tmp_path) == {"1.json": b"one"}


def test_sweeping_takes_temporary_files_alone(tmp_path: Path) -> None:
    assert sweep(tmp_path / "missing") == 0
    write_all(tmp_path, [pending(1)])
    (tmp_path / DAY / ".2024-02-29-9.md.123.abcdef.tmp").write_bytes(b"half")
    (tmp_path / "_posts" / ".x.tmp").write_bytes(b"")
    (tmp_path / "_posts" / ".hidden").write_bytes(b"stays")
    (tmp_path / "_posts" / "notes.tmp").write_bytes(b"stays")
    assert sweep(tmp_path / "_posts") == 2
    assert sorted(files(tmp_path)) == ["_posts/.hidden", pending(1).path, "_posts/notes.tmp"]


# kill -9 at every call that changes a file

STRACE = shutil.which("strace")
CHANGES = "openat,write,link,linkat,unlink,unlinkat,rename,renameat,renameat2,fsync,syncfs,mkdir,mkdirat"


def strace_works() -> bool:
    if STRACE is None:
        return False
    return subprocess.run([STRACE, "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


def writer(count: int) -> str:
    """A program that writes ``count`` posts, as a run does; its own calls begin behind a mark in the trace."""
    return (
        "import os, sys\nfrom pathlib import Path\n"
        "from crawler.archive.posts import Pending, sweep, write_all\n"
        "archive = Path(sys.argv[1])\n"
        f"batch = [Pending(f'{DAY}/2024-02-29-{{n}}.md', (f'post {{n}}\\n' * 200).encode()) for n in range({count})]\n"
        "sys.dont_write_bytecode = True\n"
        "import ctypes, secrets; secrets.token_hex(4)\n"
        "os.access('/presskeep-begins', os.F_OK)\n"
        "sweep(archive)\nwrite_all(archive, batch)\nprint('whole')\n"
    )


def traced(folder: Path, count: int, *inject: str) -> tuple[int, str]:
    assert STRACE is not None
    log = folder.with_suffix(".trace")
    command = [STRACE, "-f", "-o", str(log), "-e", f"trace={CHANGES},access,faccessat,faccessat2", *inject]
    done = subprocess.run(
        [*command, sys.executable, "-c", writer(count), str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode, log.read_text()


@pytest.mark.skipif(not strace_works(), reason="strace is not here, or may not trace")
@pytest.mark.parametrize("count", [2, posts._FEW + 1])
def test_killed_at_any_call_whole_posts_are_left_and_a_rerun_completes_them(tmp_path: Path, count: int) -> None:
    code, trace = traced(tmp_path / "calm", count)
    assert code == 0
    assert files(tmp_path / "calm") == expected(count)
    before, _, after = trace.partition("presskeep-begins")
    points = []
    for name in ("write", "link", "unlink", "fsync", "syncfs", "mkdir"):
        earlier, later = before.count(f" {name}("), after.count(f" {name}(")
        step = max(1, later // 4)
        points += [(name, earlier + nth) for nth in range(1, later + 1, step)]
    assert {"write", "link", "unlink", "fsync", "mkdir"} <= {name for name, _ in points}
    for name, when in points:
        folder = tmp_path / f"{name}-{when}"
        code, _ = traced(folder, count, "-e", f"inject={name}:signal=SIGKILL:when={when}")
        assert code in (-signal.SIGKILL, 128 + signal.SIGKILL), (name, when)
        left = files(folder)
        whole = {path: data for path, data in left.items() if not Path(path).name.startswith(".")}
        assert whole.items() <= expected(count).items(), (name, when)
        sweep(folder)
        write_all(folder, [pending(number) for number in range(count)])
        assert files(folder) == expected(count), (name, when)
