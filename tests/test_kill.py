"""A crawl that is killed at any instant, and run again, ends with the archive that an undisturbed crawl leaves."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.benchmarks.stories import Prose
from tests.server import Page, Server
from tests.story import ENVIRONMENT, PRESSKEEP, Archive, Story, html_source, list_page, publish, stories

COUNT = 60
COPIED = 42
"""Articles that another source has too: more than a batch of 32."""
CHANGES = "pwrite64,fdatasync,fsync,link,linkat,rename,renameat2,unlink,ftruncate,mkdir"
"""System calls that change files, but for write(2), which also prints."""


def bytes_of(archive: Archive) -> dict[str, str]:
    """Everything but ledger, captures, reports and times."""
    return {name: digest for name, (_, digest) in archive.tree().items()}


def start(archive: Archive, *before: str) -> subprocess.Popen[bytes]:
    command = [*before, *PRESSKEEP, "crawl", "--archive", str(archive.folder)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def killed(archive: Archive, server: Server, requests: int, seconds: float) -> bool:
    """Crawl, and kill it so long after so many article requests; whether it was still alive."""
    server.forget()
    with start(archive) as crawl:
        while len(server.paths("/a/")) < requests and crawl.poll() is None:
            time.sleep(0.005)
        time.sleep(seconds)
        alive = crawl.poll() is None
        crawl.kill()
    return alive


def old_list(server: Server, shown: list[Story]) -> None:
    publish(server, shown, size=20)


def rolled_list(server: Server, shown: list[Story]) -> None:
    """Five new articles, and a third of the old ones are listed no more."""
    publish(server, [*stories(5, start=COUNT + 1), *shown[: COUNT * 2 // 3]], size=20)


def test_kills_at_any_instant(server: Server, tmp_path: Path) -> None:
    shown, chance = stories(COUNT), random.Random(20260316)
    undisturbed = Archive.new(tmp_path / "undisturbed", html_source(server))
    killed_often = Archive.new(tmp_path / "killed", html_source(server))
    for publish_list in (old_list, rolled_list):
        publish_list(server, shown)
        undisturbed.crawl()

    instants = [(chance.randint(10, COUNT // 2), chance.uniform(0, 0.1)) for _ in range(3)]
    instants += [(COUNT, chance.uniform(0, 0.4))]
    # the last request of all may have been made already: these count from the start
    later = [(0, chance.uniform(0.8, 3.0)) for _ in range(3)]
    server.pages.clear()
    old_list(server, shown)
    alive = [killed(killed_often, server, *instant) for instant in instants]
    assert alive[:3] == [True] * 3
    rolled_list(server, shown)
    for instant in later:
        killed(killed_often, server, *instant)

    killed_often.crawl()
    assert bytes_of(killed_often) == bytes_of(undisturbed)
    assert killed_often.states() == undisturbed.states()
    articles = {address for address in killed_often.captured() if "/a/" in address}  # reads segments to their ends
    assert articles == {address for address in undisturbed.captured() if "/a/" in address}
    killed_often.proven()
    before = killed_often.tree()
    server.forget()
    killed_often.crawl()
    assert server.paths("/a/") == []
    assert killed_often.tree() == before


def test_stories_of_copies_are_the_same_after_a_kill(server: Server, tmp_path: Path) -> None:
    """Between two batches of copies: some are in the ledger, and others not."""
    bodies = [f"<p>{paragraph}</p>" for paragraph in Prose(Random(4), chinese=True).paragraphs(COPIED)]
    publish(server, [Story(number, body=body) for number, body in enumerate(bodies)])
    originals = Archive.new(tmp_path / "originals", html_source(server))
    originals.crawl()
    copies = [Story(COPIED + number, body=body, outlet="海港新闻") for number, body in enumerate(bodies)]
    publish(server, copies, path="/other")
    for duplicates in ("keep", "pointer"):
        originals.add(html_source(server, "quay", "/other", post={"duplicates": duplicates}))
        undisturbed, disturbed = (
            Archive(shutil.copytree(originals.folder, tmp_path / f"{duplicates}{number}")) for number in range(2)
        )
        undisturbed.crawl("quay")
        assert killed(disturbed, server, COPIED - 6, 0.02)
        assert disturbed.rows("select count(*) from sketches where source = 'quay'") == [(32,)]
        disturbed.crawl("quay")
        told = stories_of(undisturbed)
        assert told["stories"] == COPIED
        assert {one["posts"][1]["pointer"] for one in told["latest"]} == {duplicates == "pointer"}
        assert stories_of(disturbed) == told
        assert bytes_of(disturbed) == bytes_of(undisturbed)


def stories_of(archive: Archive) -> Any:
    """What ``presskeep stories`` says, but for when they became posts."""
    told = json.loads(archive.verb("stories", "--limit", str(COPIED), "--json").stdout)
    for story in told["latest"]:
        for post in story["posts"]:
            assert post.pop("since")
    return told


needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


Call = tuple[str, int]
"""A system call and how many of its name one process had made with it."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Archive, list[Call]]]:
    """A server of six articles in two list pages, an undisturbed archive, and the calls that changed its files."""
    server = Server()
    publish(server, stories(6), size=3)
    archive = Archive.new(tmp_path_factory.mktemp("undisturbed") / "archive", html_source(server))
    log = archive.folder.parent / "calls"
    with start(archive, "strace", "-f", "-e", f"trace={CHANGES}", "-o", str(log)) as crawl:
        code = crawl.wait(60)
    if code != 0:
        pytest.skip(f"strace cannot trace here (exit code {code})")
    yield server, archive, ordinals(log.read_text())
    server.close()


def ordinals(log: str) -> list[Call]:
    """The calls of the first process in its order; strace counts each name by itself."""
    counted: Counter[str] = Counter()
    calls = []
    first = log.split(" ", 1)[0]
    for name in re.findall(rf"^{first} +(\w+)\(", log, re.MULTILINE):
        counted[name] += 1
        calls.append((name, counted[name]))
    return calls


@needs_strace
@pytest.mark.parametrize("part", [0.03, 0.2, 0.4, 0.6, 0.75, 0.85, 0.95])
def test_a_kill_at_a_file_s_change(small: tuple[Server, Archive, list[Call]], tmp_path: Path, part: float) -> None:
    server, undisturbed, calls = small
    archive = Archive.new(tmp_path / "archive", html_source(server))
    name, number = calls[int(len(calls) * part)]
    inject = ["-e", f"trace={name}", "-e", f"inject={name}:signal=SIGKILL:when={number}"]
    with start(archive, "strace", "-f", *inject, "-o", str(tmp_path / "calls")) as crawl:
        assert crawl.wait(60) != 0, "it was killed"
    archive.crawl()
    assert bytes_of(archive) == bytes_of(undisturbed)
    assert archive.states() == undisturbed.states()
    archive.proven()


# disks


def mount(folder: Path, *options: str) -> None:
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of eight megabytes."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    folder.mkdir()
    mount(folder, "-t", "tmpfs", "-o", "size=8m", "presskeep-test")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("left", [0, 48, 160, 320])
def test_a_full_disk(server: Server, tmp_path: Path, left: int) -> None:
    """The run stops with its own exit code, nothing is half-written, and once there is room a run completes it."""
    publish(server, shown := [Story(one.number, body=one.text * 120) for one in stories(12)])
    with small_disk(tmp_path / "disk") as disk:
        archive = Archive.new(disk / "archive", html_source(server))
        filler = disk / "filler"
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        filler.write_bytes(b"x" * (free - left * 1024))
        done = archive.crawl(code=74)
        assert "Traceback" not in done.stderr, done.stderr
        assert "No space left" in done.stderr or "disk is full" in done.stderr
        whole = archive.posts()
        filler.unlink()
        archive.crawl()
        assert archive.states() == {one.key: "done" for one in shown}
        assert {name: data for name, data in archive.posts().items() if name in whole} == whole
        archive.proven()


def test_a_read_only_archive(server: Server, tmp_path: Path) -> None:
    """No request is spent on what cannot be kept."""
    publish(server, stories(2))
    with small_disk(tmp_path / "disk") as disk:
        archive = Archive.new(disk / "archive", html_source(server))
        archive.crawl()
        publish(server, stories(3))
        server.forget()
        mount(disk, "-o", "remount,ro")
        done = archive.crawl(code=74)
        assert "Read-only file system" in done.stderr
        assert server.asked == []
        mount(disk, "-o", "remount,rw")
        archive.crawl()
        assert len(archive.posts()) == 3
        archive.proven()


@pytest.mark.parametrize("ending", ["interrupt", "terminate"])
def test_a_run_that_is_asked_to_end(server: Server, tmp_path: Path, ending: str) -> None:
    """What was fetched is kept; the rest waits for the next run."""
    publish(server, shown := stories(30))
    server.pages[shown[9].path] = Page(server.pages[shown[9].path].body, wait=1.0)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    end: dict[str, Callable[[subprocess.Popen[bytes]], None]] = {
        "interrupt": lambda crawl: crawl.send_signal(2),
        "terminate": lambda crawl: crawl.terminate(),
    }
    with start(archive) as crawl:
        while shown[9].path not in server.paths():
            assert crawl.poll() is None
            time.sleep(0.01)
        end[ending](crawl)
        crawl.wait(30)
    assert 9 <= len(archive.posts()) < 30
    archive.proven()
    server.pages["/list"] = list_page([])
    server.forget()
    archive.crawl(code=4)  # the list is empty now: an alarm, and what waited stays queued
    assert len(archive.posts()) < 30
    publish(server, shown)
    archive.crawl()
    assert archive.states() == {one.key: "done" for one in shown}
