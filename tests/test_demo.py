"""``presskeep demo`` by the real command: the posts are the truth that the sample site's builder knows."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crawler.archive.markup import text_of
from crawler.archive.post import Post, read_post
from tests.demo_site import ARTICLES, NOISE, Truth
from tests.story import Archive, Done, presskeep

KEPT = [truth for truth in ARTICLES if truth.expected == "kept"]
COUNTS = {name: sum(one.source == name for one in KEPT) for name in ("demo-harbour", "demo-jiangcheng", "demo-wire")}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, Done, float]:
    folder = tmp_path_factory.mktemp("demo")
    start = time.monotonic()
    done = presskeep(folder, "demo")
    return Archive(folder / "presskeep-demo"), done, time.monotonic() - start


@pytest.fixture(scope="module")
def posts(demo: tuple[Archive, Done, float]) -> dict[tuple[str, str], Post]:
    """(source, key) -> post, as its own front matter says."""
    read = [read_post(data) for data in demo[0].posts().values()]
    return {(str(post.fields["source"]), str(post.fields["key"])): post for post in read}


def test_a_short_table_and_the_next_command(demo: tuple[Archive, Done, float]) -> None:
    archive, done, seconds = demo
    assert done.returncode == 0, done.stderr
    assert seconds < 15
    header, *rows = done.stdout.splitlines()[:4]
    assert header.split() == ["source", "listed", "new", "kept", "refused", "seconds"]
    kept = {row.split()[0]: int(row.split()[3]) for row in rows}
    assert kept == COUNTS
    assert "Next: presskeep serve --archive presskeep-demo" in done.stdout
    refused = {(one.key, one.why) for one in ARTICLES if one.expected == "refused"}
    assert archive.report("demo-wire")["refused"] == len(refused)
    assert len([line for line in done.stderr.splitlines() if line.startswith("demo-wire: http")]) == len(refused)


def test_every_article_is_there_once(posts: dict[tuple[str, str], Post]) -> None:
    assert sorted(posts) == sorted((one.source, one.key) for one in KEPT)


@pytest.mark.parametrize("truth", KEPT, ids=lambda one: f"{one.source}-{one.key}")
def test_an_article_is_the_truth(posts: dict[tuple[str, str], Post], truth: Truth) -> None:
    post = posts[truth.source, truth.key]
    assert post.title == " ".join(truth.title.split())
    published = datetime.fromisoformat(truth.published).astimezone(ZoneInfo("Asia/Shanghai"))
    assert post.date.astimezone(ZoneInfo("Asia/Shanghai")).replace(microsecond=0) == published
    assert str(post.fields.get("attribution_raw", post.fields.get("attribution", ""))) == truth.outlet
    assert post.link == truth.link
    assert solid(text_of(post.body)) == solid("".join(truth.paragraphs))
    assert not [noise for noise in NOISE if noise in post.body]
    if truth.byline:
        assert tuple(post.fields["authors"]) == truth.byline


def solid(text: str) -> str:
    """Without blanks: a table's cells may stand on a line each, or on one."""
    return "".join(text.split())


def test_nothing_is_wrong_with_it_and_a_second_demo_changes_nothing(demo: tuple[Archive, Done, float]) -> None:
    archive, _, _ = demo
    archive.proven()
    before = archive.tree()
    done = presskeep(archive.folder.parent, "demo")
    assert done.returncode == 0, done.stderr
    assert archive.tree() == before
    assert [archive.report(name)["fetched"] for name in COUNTS] == [0, 0, 0]


@pytest.mark.jekyll
@pytest.mark.skipif(shutil.which("jekyll") is None, reason="jekyll is not installed")
def test_jekyll_builds_it(demo: tuple[Archive, Done, float], tmp_path: Path) -> None:
    command = ["jekyll", "build", "--disable-disk-cache", "-s", str(demo[0].folder), "-d", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert not re.search("warn|error", done.stdout + done.stderr, re.IGNORECASE), done.stdout + done.stderr
    pages = list(tmp_path.glob("*/20*/*/*/*.html"))
    assert len(pages) == len(KEPT)
    listed = "".join(page.read_text("utf-8") for page in (tmp_path / "category").glob("*.html"))
    assert [page.name for page in pages if page.name not in listed] == [], "each post stands on its category's page"
