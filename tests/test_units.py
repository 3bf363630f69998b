"""``presskeep schedule``: what it prints is read back by cron's, systemd's, YAML's and the shell's own rules."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crawler import units
from crawler.cli import VERBS
from crawler.schedule import parse_schedule
from tests.server import Server
from tests.story import ENVIRONMENT, Archive, html_source, run

paths = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/"), min_size=1).map(
    lambda name: Path("/srv") / name
)


def job(archive: Path) -> units.Job:
    return units.Job(("/opt/press keep/bin/presskeep",), archive, "20m", 10)


def cron_words(line: str) -> tuple[str, list[str]]:
    """As cron reads it: five fields, then a command that ends at the first % without a backslash before it."""
    match = re.fullmatch(r"((?:\S+ ){5})(.*)\n", line)
    assert match, line
    command, _, given = re.sub(r"\\%", "\0", match[2]).partition("%")
    assert given == "", "cron would give the rest to the command as its input"
    return match[1].strip(), shlex.split(command.replace("\0", "%"))


def unit_words(line: str) -> list[str]:
    """As systemd.syntax(7) and systemd.service(5) say: quotes, backslashes, ``%%`` and ``$$``."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line)
    return [re.sub(r"\\(.)", r"\1", a or b).replace("%%", "%").replace("$$", "$") for a, b in words]


@given(paths)
def test_any_path_comes_through(archive: Path) -> None:
    here = job(archive)
    fields, words = cron_words(units.crontab(here))
    assert parse_schedule(fields)
    assert words == here.words
    (line,) = re.findall(r"^ExecStart=(.*)$", units.service(here), re.MULTILINE)
    assert unit_words(line) == here.words
    assert re.fullmatch(r"presskeep-[a-z0-9-]+-[0-9a-f]{6}", here.name)


def test_line_breaks_are_refused() -> None:
    for make in (units.crontab, units.service):
        with pytest.raises(ValueError, match="cannot stand"):
            make(job(Path("/srv/a\nb")))


@pytest.mark.parametrize(
    ("gaps", "minutes"), [([], 10), ([60], 10), ([10], 10), ([9], 6), ([5, 60], 5), ([2], 2), ([1], 1)]
)
def test_as_often_as_the_most_frequent_source(gaps: list[int], minutes: int) -> None:
    assert units.minutes_between([timedelta(minutes=gap) for gap in gaps]) == minutes


def test_a_crontab_line_runs(server: Server, tmp_path: Path) -> None:
    """From nowhere, with cron's bare environment."""
    archive = Archive.new(tmp_path / "my archive 100%", {**html_source(server), "schedule": "every 5m"})
    fields, words = cron_words(archive.verb("schedule", "cron").stdout)
    assert fields == "*/5 * * * *"
    assert words[-2:] == ["--archive", str(archive.folder)]
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(words, cwd="/", env=bare, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3, "the server has no list"
    assert done.stdout == ""
    assert "HTTP 404" in done.stderr


def test_units_for_systemd(tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / 'an "odd" $HOME 100%')
    told = archive.verb("schedule", "systemd", "--into", tmp_path / "units").stderr
    made = {path.suffix: path.read_text("utf-8") for path in (tmp_path / "units").iterdir()}
    assert set(made) == {".service", ".timer"}
    assert "systemctl --user enable --now presskeep-" in told
    assert "SuccessExitStatus=75" in made[".service"]
    assert "Persistent=true" in made[".timer"]
    assert "OnCalendar=*:0/10" in made[".timer"]
    printed = archive.verb("schedule", "systemd").stdout
    assert all(text in printed for text in made.values())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / 'an "odd" $HOME 100%')
    archive.verb("schedule", "systemd", "--into", tmp_path / "units")
    done = run(["systemd-analyze", "verify", *map(str, (tmp_path / "units").iterdir())], tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "units") not in done.stderr


# GitHub Actions


def workflow(archive: Archive, *words: str) -> Any:
    return yaml.safe_load(archive.verb("schedule", "github-actions", *words).stdout)


def steps(made: Any) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in made["jobs"]["archive"]["steps"]}


def test_the_workflow_commits_once_a_day(tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "repository" / "news archive")
    (tmp_path / "repository" / ".git").mkdir()
    made = workflow(archive)
    (slot,) = made[True]["schedule"]  # YAML 1.1 reads `on` as true
    assert [len(field) for field in parse_schedule(slot["cron"])[:2]] == [1, 1]  # type: ignore[index]
    assert made["permissions"] == {"contents": "write"}
    assert made["concurrency"]["cancel-in-progress"] is False
    assert "secrets." not in str(made)
    names = list(steps(made))
    assert names.index("Restore ledger and captures") < names.index("Visit what is due")
    assert names.index("Commit what is new") < names.index("Keep ledger and captures"), "never ahead of the posts"
    assert steps(made)["Visit what is due"]["run"].startswith("presskeep run --due ")
    assert "--archive 'news archive'" in steps(made)["Visit what is due"]["run"]
    assert steps(made)["Keep ledger and captures"]["with"]["path"] == "news archive/.presskeep"
    often = parse_schedule(workflow(archive, "--hours", "6")[True]["schedule"][0]["cron"])
    assert often[1] == {0, 6, 12, 18}  # type: ignore[index]


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@archive.example"]
    done = run(["git", *who, *words], folder, GIT_CONFIG_GLOBAL=os.devnull)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_workflow_pushes_what_is_new(tmp_path: Path) -> None:
    """Its own commands, beside somebody who pushes meanwhile; and with nothing new."""
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin")
    for name in ("runner", "somebody"):
        git(tmp_path, "clone", "--quiet", "origin", name)
        git(tmp_path / name, "checkout", "--quiet", "-B", "main")
    runner, somebody = Archive.new(tmp_path / "runner"), tmp_path / "somebody"
    git(runner.folder, "add", ".")
    git(runner.folder, "commit", "--quiet", "-m", "begin")
    git(runner.folder, "push", "--quiet", "-u", "origin", "main")
    git(somebody, "pull", "--quiet", "origin", "main")
    commands = steps(workflow(runner))["Commit what is new"]["run"]

    def commit() -> str:
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", commands]
        done = subprocess.run(
            bash, cwd=runner.folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Nothing new" in commit()
    (somebody / "README.md").write_text("hello\n")
    git(somebody, "add", ".")
    git(somebody, "commit", "--quiet", "-m", "words")
    git(somebody, "push", "--quiet", "origin", "main")
    for number in range(3):
        (runner.folder / f"_posts/2026-03-0{number + 1}-a.md").write_text("a post\n")
    (runner.folder / ".presskeep").mkdir(exist_ok=True)
    (runner.folder / ".presskeep/ledger.sqlite").write_text("a ledger\n")
    commit()
    pushed = git(tmp_path / "origin", "ls-tree", "-r", "--name-only", "main").split("\n")
    assert {"README.md", "_posts/2026-03-01-a.md", "_posts/2026-03-03-a.md"} <= set(pushed)
    assert not [name for name in pushed if name.startswith(".presskeep")]
    assert git(tmp_path / "origin", "log", "--format=%s", "main").split("\n")[0].startswith("presskeep: 3 files on ")
    assert "Nothing new" in commit()


def test_refused_input(tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive")
    assert "expected a span" in archive.verb("schedule", "cron", "--budget", "soon", code=2).stderr
    archive.verb("schedule", "windows", code=2)
    assert "schedule" in VERBS
