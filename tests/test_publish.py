"""``presskeep publish git``, with a real git and a bare repository as the remote."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crawler import publish
from crawler.archive.ledger import Kept, Ledger
from crawler.archive.locks import Lock
from crawler.commands.init import make_archive
from crawler.commands.publish import command

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

WHO = ("-c", "user.name=Archive", "-c", "user.email=archive@news.example")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *WHO, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@dataclass
class Copy:
    """An archive in a clone of a repository."""

    folder: Path

    def post(self, name: str, text: str = "text", source: str = "") -> str:
        path = f"_posts/2026/03/01/2026-03-01-{name}.md"
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        if source:
            state = self.folder / ".presskeep"
            state.mkdir(exist_ok=True)
            ledger = Ledger(state / "ledger.sqlite")
            ledger.keep([Kept(source, name, source, path, sha256(text.encode()).hexdigest())])
            ledger.close()
        return path

    def publish(self, *words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(command, ["git", "--archive", str(self.folder), *words])
        assert done.exit_code == code, done.output
        return done

    def committed(self) -> list[str]:
        """Files of the last commit."""
        return git(self.folder, "show", "--name-only", "--format=", "HEAD").splitlines()

    def log(self) -> list[str]:
        return git(self.folder, "log", "--format=%s").splitlines()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = tmp_path / "remote.git"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
    return folder


@pytest.fixture
def copy(tmp_path: Path, remote: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    monkeypatch.setattr(publish, "_PAUSES", (0.0, 0.0, 0.0))
    made = clone(remote, tmp_path / "one")
    make_archive(made.folder, title="News", url="https://news.example", timezone="Asia/Shanghai")
    made.publish()
    return made


def clone(remote: Path, folder: Path) -> Copy:
    subprocess.run(["git", "clone", "--quiet", str(remote), str(folder)], check=True, capture_output=True)
    for name, value in {"user.name": "Archive", "user.email": "archive@news.example"}.items():
        git(folder, "config", name, value)
    git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
    return Copy(folder)


def head(remote: Path) -> str:
    return git(remote, "rev-parse", "main")


def test_first_time_the_whole_site_is_published_but_no_state(copy: Copy, remote: Path) -> None:
    files = git(remote, "ls-tree", "-r", "--name-only", "main").splitlines()
    assert {"presskeep.yml", "_config.yml", "_layouts/post.html", "index.html"} <= set(files)
    copy.post("a", source="harbour")
    copy.publish()
    assert not [name for name in git(remote, "ls-tree", "-r", "--name-only", "main").splitlines() if "ledger" in name]


def test_one_commit_of_new_files_that_says_how_many_of_what(copy: Copy, remote: Path) -> None:
    before = copy.log()
    paths = [copy.post(name, source=source) for name, source in (("a", "tide"), ("b", "harbour"), ("c", "harbour"))]
    done = copy.publish()
    assert copy.committed() == paths
    assert copy.log() == ["3 posts: harbour 2, tide 1", *before]
    assert head(remote) == git(copy.folder, "rev-parse", "HEAD")
    assert done.output.splitlines()[-2:] == ["committed: 3 posts: harbour 2, tide 1", "pushed to origin/main"]
    assert "nothing to commit" in copy.publish().output
    assert len(copy.log()) == len(before) + 1


def test_an_archive_below_the_top_of_its_repository(tmp_path: Path, remote: Path) -> None:
    top = clone(remote, tmp_path / "top").folder
    (top / "notes.txt").write_text("not the archive's", "utf-8")
    inner = Copy(top / "my news")
    make_archive(inner.folder, title="News", url="https://news.example", timezone="UTC")
    inner.post("a")
    inner.publish()
    assert all(path.startswith("my news/") for path in inner.committed())
    assert "my news/_posts/2026/03/01/2026-03-01-a.md" in inner.committed()


def test_drafts_and_foreign_files_are_left_alone(copy: Copy) -> None:
    path = copy.post("a")
    (copy.folder / path).with_name(".2026-03-01-b.md.7.aa.tmp").write_bytes(b"half")
    for name in ("diary.txt", "build.log"):
        (copy.folder / name).write_text("mine", "utf-8")
    (copy.folder / "_site").mkdir()
    (copy.folder / ".git/info/exclude").write_text("*.log\n", "utf-8")
    done = copy.publish()
    assert copy.committed() == [path]
    assert "left alone: diary.txt\n" in done.output


def test_what_somebody_staged_is_not_committed_unasked(copy: Copy) -> None:
    (copy.folder / "diary.txt").write_text("mine", "utf-8")
    git(copy.folder, "add", "diary.txt")
    copy.post("a")
    assert "diary.txt is staged. Next: git" in copy.publish(code=2).output


def test_a_missing_post_is_named_and_kept_but_a_derived_file_may_go(copy: Copy, remote: Path) -> None:
    path = copy.post("a")
    stub = copy.folder / "archive/2026/03/01.html"
    stub.parent.mkdir(parents=True)
    stub.write_text("---\n---\n", "utf-8")
    copy.publish()
    (copy.folder / path).unlink()
    stub.unlink()
    assert f"missing, and not committed away: {path}. Next: git" in copy.publish(code=1).output
    files = git(remote, "ls-tree", "-r", "--name-only", "main").splitlines()
    assert path in files
    assert "archive/2026/03/01.html" not in files


def test_packed_pages_only_on_wish(copy: Copy) -> None:
    page = copy.folder / "packed/archive/2026/03.html"
    page.parent.mkdir(parents=True)
    page.write_text("page", "utf-8")
    assert "nothing to commit" in copy.publish().output
    copy.publish("--packed")
    assert copy.committed() == ["packed/archive/2026/03.html"]


def test_dry_run_and_no_push(copy: Copy, remote: Path) -> None:
    before = head(remote)
    copy.post("a")
    assert "would commit 1 files: 1 post: others 1" in copy.publish("--dry-run").output
    assert git(copy.folder, "rev-parse", "HEAD") == before
    copy.publish("--no-push")
    assert head(remote) == before != git(copy.folder, "rev-parse", "HEAD")
    assert "pushed" in copy.publish().output
    assert head(remote) != before


def test_two_that_publish_meet(copy: Copy, remote: Path, tmp_path: Path) -> None:
    other = clone(remote, tmp_path / "two")
    git(other.folder, "pull", "--quiet", "origin", "main")
    ours, theirs = copy.post("a"), other.post("b")
    both = [one.folder / "_data/days/2026.yml" for one in (copy, other)]
    for number, file in enumerate(both, 1):
        file.parent.mkdir(parents=True)
        file.write_text(f'"2026-03-01": {number}\n', "utf-8")
    copy.publish()
    done = other.publish()
    assert "took in what others pushed" in done.output
    assert (other.folder / ours).exists()
    assert both[1].read_text("utf-8") == '"2026-03-01": 2\n'
    assert theirs in git(remote, "ls-tree", "-r", "--name-only", "main").splitlines()
    assert git(other.folder, "status", "--porcelain") == ""


def test_a_push_that_was_too_late_is_tried_again(copy: Copy, remote: Path, tmp_path: Path) -> None:
    other = clone(remote, tmp_path / "two")
    git(other.folder, "pull", "--quiet", "origin", "main")
    other.post("b")
    repository = publish.Repository(copy.folder)
    copy.post("a")
    assert repository.commit(repository.found(), "a")
    other.publish()
    took: list[bool] = []

    def again() -> None:
        repository.fetch("origin")
        took.append(repository.take_in("origin", "main"))

    assert repository.push("origin", "main", again)
    assert took == [True]
    assert {"a", "1 post: others 1"} <= set(git(remote, "log", "--format=%s", "-3").splitlines())


def test_other_bytes_for_a_post_stop_it_and_change_nothing(copy: Copy, remote: Path, tmp_path: Path) -> None:
    other = clone(remote, tmp_path / "two")
    git(other.folder, "pull", "--quiet", "origin", "main")
    path = copy.post("a", "one")
    other.post("a", "two")
    copy.publish()
    done = other.publish(code=5)
    assert f"other bytes for {path}; all is as it was. Next: git" in done.output
    assert (other.folder / path).read_text("utf-8") == "two"
    assert git(other.folder, "symbolic-ref", "--short", "HEAD") == "main"
    assert "1 post" in other.log()[0]
    assert "other bytes" in other.publish(code=5).output


def test_two_edits_of_a_post_are_never_made_one(copy: Copy, remote: Path, tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(12)]
    copy.post("a", "\n".join(lines))
    copy.publish()
    other = clone(remote, tmp_path / "two")
    git(other.folder, "pull", "--quiet", "origin", "main")
    copy.post("a", "\n".join(["changed", *lines[1:]]))
    copy.publish()
    ours = "\n".join([*lines[:-1], "changed too"])
    path = other.post("a", ours)
    assert f"other bytes for {path}" in other.publish(code=5).output
    assert (other.folder / path).read_text("utf-8") == ours


class Killed(BaseException):
    """Stands for kill -9: nothing is tidied up."""


@pytest.mark.parametrize("ahead", [True, False])
def test_killed_at_any_step_of_a_merge_it_goes_on(
    copy: Copy, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: bool
) -> None:
    other = clone(remote, tmp_path / "two")
    git(other.folder, "pull", "--quiet", "origin", "main")
    real, left = publish.Repository.git, [0]

    def dying(self: publish.Repository, *words: str, **how: Any) -> str:
        left[0] -= 1
        if left[0] == 0:
            raise Killed(words)
        said = real(self, *words, **how)
        if left[0] == -1 and words[0] in ("read-tree", "update-ref"):
            raise Killed(words)
        return said

    monkeypatch.setattr(publish.Repository, "git", dying)
    for step in range(1 + ahead, 60, 4):
        theirs = copy.post(f"theirs-{step}")
        left[0] = 0
        copy.publish()
        ours = other.post(f"ours-{step}") if ahead else ""
        left[0] = step
        with suppress(Killed):
            other.publish()
            break
        assert not ours or (other.folder / ours).exists(), "no post ever leaves its place"
        left[0] = 0
        other.publish()
        assert (other.folder / theirs).exists()
        assert git(other.folder, "status", "--porcelain") == ""
        assert head(remote) == git(other.folder, "rev-parse", "HEAD")
        git(copy.folder, "pull", "--quiet", "origin", "main")
    assert step > 15


def test_the_same_bytes_on_both_sides_are_no_conflict(copy: Copy, remote: Path, tmp_path: Path) -> None:
    other = clone(remote, tmp_path / "two")
    git(other.folder, "pull", "--quiet", "origin", "main")
    for one in (copy, other):
        one.post("a", "same")
    copy.publish()
    other.publish()
    assert head(remote) == git(other.folder, "rev-parse", "HEAD")


def test_a_lock_that_another_git_holds_is_named(copy: Copy) -> None:
    (copy.folder / ".git/index.lock").write_bytes(b"")
    copy.post("a")
    assert ".git/index.lock': File exists" in copy.publish(code=1).output


def test_a_run_that_is_active_is_waited_for_by_nobody(copy: Copy) -> None:
    copy.post("a")
    lock = Lock(copy.folder)
    try:
        copy.publish(code=75)
    finally:
        lock.release()


@pytest.mark.parametrize(
    ("prepare", "said", "code"),
    [
        (("remote", "remove", "origin"), "no remote is called 'origin'. Next: git", 2),
        (("checkout", "--quiet", "--detach"), "no branch is checked out", 2),
        (("remote", "set-url", "origin", "https://me:s/ecret@127.0.0.1:1/x.git"), "git fetch: fatal", 3),
    ],
)
def test_what_hinders_is_named(copy: Copy, prepare: tuple[str, ...], said: str, code: int) -> None:
    git(copy.folder, *prepare)
    copy.post("a")
    output = copy.publish(code=code).output
    assert said in output
    assert "ecret" not in output


def test_no_repository(tmp_path: Path) -> None:
    made = Copy(tmp_path / "bare")
    make_archive(made.folder, title="News", url="https://news.example", timezone="UTC")
    assert f"{made.folder} is in no git repository. Next: git -C {made.folder} init" in made.publish(code=2).output


def test_loose_objects_are_packed_when_there_are_many(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "_LOOSE", 3)
    copy.post("a")
    copy.publish()
    counts = git(copy.folder, "count-objects", "-v")
    assert "count: 0\n" in counts
    assert "packs: 1\n" in counts
