"""The seed archive's posts, by the real command from the captures of their upstream, byte for byte."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.shared import SHARED, needs_shared
from tests.story import Archive, presskeep

pytestmark = needs_shared
SEED = SHARED / "seed"
CAPTURES = SEED / "eastmoney.warc.gz"
MARKET = {
    "2022-01-24-NW202201242259229980.md",
    "2022-02-11-NW202202112274017262.md",
    "2022-04-21-NW202204212352227421.md",
    "2022-05-19-NW202205192383905174.md",
    "2022-05-26-NW202205262391921712.md",
    "2022-06-14-NW202206142412311033.md",
}
FLASH = {
    "2022-04-21-202204212352070339.md",
    "2022-04-21-202204212352188819.md",
    "2022-04-21-202204212352227421.md",
    "2022-04-21-202204212352230938.md",
}

FAULTY = "202205262391921712"
WITHOUT_TEXT = 8
"""Posts of the feed's first form, digest alone: golden cases of the writer, no text was ever captured."""


def crawled(archive: Archive, *sources: str) -> None:
    archive.crawl(*sources, "--replay", CAPTURES)


def compare(archive: Archive, names: set[str], *, flat: bool = False) -> None:
    """The archive holds these posts and no other, each where it belongs, equal to the seed's."""
    place = {name: f"_posts/{name}" if flat else f"_posts/{name[:10].replace('-', '/')}/{name}" for name in names}
    posts = archive.posts()
    assert sorted(posts) == sorted(place.values())
    for name, path in place.items():
        assert posts[path] == (SEED / "posts" / name).read_bytes(), name


def second_run_changes_nothing(archive: Archive, *sources: str) -> None:
    before = archive.tree()
    crawled(archive, *sources)
    assert archive.tree() == before
    for source in sources:
        assert archive.report(source)["fetched"] == 0
        assert archive.report(source)["kept"] == 0


def test_market_into_a_new_folder(tmp_path: Path) -> None:
    done = presskeep(tmp_path, "crawl", "eastmoney-market", "--replay", CAPTURES, "--archive", "new")
    assert done.returncode == 0, done.stderr
    archive = Archive(tmp_path / "new")
    compare(archive, MARKET)
    second_run_changes_nothing(archive, "eastmoney-market")
    archive.proven()


def test_market_in_flat_folders(tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", posts="flat")
    crawled(archive, "eastmoney-market")
    compare(archive, MARKET, flat=True)
    archive.proven()


def test_flash_refuses_the_record_without_title_and_date(tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive")
    crawled(archive, "eastmoney-flash")
    compare(archive, FLASH)
    told = archive.report("eastmoney-flash")
    assert (told["kept"], told["refused"]) == (4, 1 + WITHOUT_TEXT)
    reasons = archive.problems("eastmoney-flash")
    assert [address.split()[-1] for address, why in reasons.items() if "no title and no published" in why] == [FAULTY]
    assert sum("not among the captures" in why for why in reasons.values()) == WITHOUT_TEXT
    shown = archive.verb("status").stdout
    assert re.search(rf"eastmoney-flash\s+{FAULTY}\s+.*no title and no published", shown), shown
    second_run_changes_nothing(archive, "eastmoney-flash")
    archive.proven()


def test_two_sources_with_one_key_space(tmp_path: Path) -> None:
    """Select and market list the same articles: one post each, whichever source comes first, and none twice."""
    archive = Archive.new(tmp_path / "archive")
    crawled(archive, "eastmoney-select", "eastmoney-market")
    compare(archive, MARKET)
    kept = [archive.report(name)["kept"] for name in ("eastmoney-select", "eastmoney-market")]
    assert sum(kept) == len(MARKET)
    second_run_changes_nothing(archive, "eastmoney-select", "eastmoney-market")
    archive.proven()


@pytest.mark.jekyll
@pytest.mark.skipif(shutil.which("jekyll") is None, reason="jekyll is not installed")
def test_jekyll_builds_the_seed_s_posts(tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive")
    crawled(archive, "eastmoney-flash", "eastmoney-market", "eastmoney-select")
    command = ["jekyll", "build", "--disable-disk-cache", "-s", str(archive.folder), "-d", str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert not re.search("warn|error", done.stdout + done.stderr, re.IGNORECASE), done.stdout + done.stderr
    built = {path.stem for path in (tmp_path / "site").glob("**/20*/*/*/*.html")}
    assert built == {name[11:-3] for name in MARKET | FLASH}
