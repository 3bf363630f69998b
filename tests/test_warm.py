"""A forked command is the command that a user starts: same words, same streams, same end, same files."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server import Page, Server
from tests.story import ENVIRONMENT, PRESSKEEP, SCRAPY, Archive, html_source, publish, stories, warm
from tests.warm import Call, Done

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are forked on Linux alone")


def forked(command: list[str], folder: Path, seconds: float = 60, environment: Mapping[str, str] = {}) -> Done:
    done = warm().run(Call(command[2], command[3:], str(folder), {**ENVIRONMENT, **environment}), seconds)
    assert done is not None
    return done


def started(command: list[str], folder: Path, environment: Mapping[str, str] = {}) -> Done:
    given = {**ENVIRONMENT, **environment}
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)


def told(done: Done, folder: Path) -> tuple[int, str, str]:
    """All that a command says, but for its folder, times of day and lengths of time."""
    out, err = (
        re.sub(r"\d+\.\d\b|\d+:\d\d(:\d\d)?|\d{4}-\d\d-\d\d", "?", text.replace(str(folder), "FOLDER"))
        for text in (done.stdout, done.stderr)
    )
    return done.returncode, out, err


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ([*PRESSKEEP, "--version"], 0),
        ([*PRESSKEEP, "crwal"], 2),
        ([*PRESSKEEP, "crawl", "nobody"], 2),
        ([*PRESSKEEP, "verify"], 1),
        ([*PRESSKEEP, "status"], 0),
        ([*SCRAPY, "list"], 0),
    ],
    ids=["version", "no-verb", "no-source", "fault", "reads", "scrapy"],
)
def test_words_streams_and_exit_codes(server: Server, tmp_path: Path, command: list[str], code: int) -> None:
    folder = Archive.new(tmp_path / "archive", html_source(server)).folder
    post = folder / "_posts/2026/03/16/2026-03-16-x.md"
    post.parent.mkdir(parents=True)
    post.write_text("no post")
    settings = {"SCRAPY_SETTINGS_MODULE": "crawler.settings"}
    done = forked(command, folder, environment=settings)
    assert told(done, folder) == told(started(command, folder, settings), folder)
    assert done.returncode == code, done.stderr


def test_crawls(server: Server, tmp_path: Path) -> None:
    """Also the second of one helper, and one that alarms: nothing of a command is left in the next."""
    outcomes = []
    for name in ("forked", "again", "started"):
        run = started if name == "started" else forked
        publish(server, stories(4))
        server.forget()
        archive = Archive.new(tmp_path / name, html_source(server))
        first = told(run([*PRESSKEEP, "crawl"], archive.folder), archive.folder)
        server.pages["/list"] = Page("<html></html>")
        second = told(run([*PRESSKEEP, "crawl"], archive.folder), archive.folder)
        files = {path: digest for path, (_, digest) in archive.tree().items()}
        outcomes.append((first, second, server.paths(), files, archive.states(), archive.leftovers()))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    first, second, _, files, states, _ = outcomes[0]
    assert (first[0], second[0]) == (0, 4)
    assert "ALARM" in second[2]
    assert len(states) == sum(path.startswith("_posts") for path in files) == 4


def test_what_takes_too_long_is_killed(server: Server, tmp_path: Path) -> None:
    publish(server, stories(1))
    server.pages["/list"].fault = "hang"
    archive = Archive.new(tmp_path / "archive", html_source(server))
    with pytest.raises(subprocess.TimeoutExpired):
        forked([*PRESSKEEP, "crawl"], archive.folder, seconds=1)
    server.pages["/list"].fault = ""
    done = forked([*PRESSKEEP, "crawl"], archive.folder)
    assert done.returncode == 0, "it held no lock, and the helper serves on"


def test_the_environment_is_the_command_s_own(tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive")
    words = [*PRESSKEEP, "rebuild-ledger", "--archive", str(archive.folder)]
    elsewhere = tmp_path / "elsewhere"
    assert forked(words, tmp_path, environment={"PRESSKEEP_STATE": str(elsewhere)}).returncode == 0
    assert (elsewhere / "ledger.sqlite").is_file()
    assert forked(words, tmp_path).returncode == 0
    assert (archive.state / "ledger.sqlite").is_file()


def test_two_at_once_are_the_caller_s_to_start(server: Server, tmp_path: Path) -> None:
    publish(server, stories(1))
    server.pages["/list"].wait = 1.0
    archive = Archive.new(tmp_path / "archive", html_source(server))
    with ThreadPoolExecutor() as pool:
        first = pool.submit(forked, [*PRESSKEEP, "crawl"], archive.folder)
        while "/list" not in server.paths():
            time.sleep(0.01)
        assert warm().run(Call("crawler.cli", ["--version"], str(tmp_path), ENVIRONMENT), 5) is None
        assert first.result().returncode == 0
