"""presskeep pack where one post is odd, a category is a path, the disk is full: nothing else suffers, nothing leaks."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.ledger import Kept
from crawler.pack import FOLDER, files, pack
from crawler.pack.files import drop, is_plain, name_of, put
from tests.packing import Packing, articles

ZONE = ZoneInfo("Asia/Shanghai")
ALL = list(articles(9, datetime(2024, 1, 5, 8, tzinfo=ZONE), timedelta(days=11)))
"""Of 2024-01 to 2024-04; 2024-01 has three."""


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = Packing(tmp_path_factory.mktemp("master") / "archive", hot_posts=1)
    archive.add(ALL)
    archive.ledger.close()
    return archive.folder


@pytest.fixture
def archive(master: Path, tmp_path: Path) -> Packing:
    return Packing(shutil.copytree(master, tmp_path / "a" / "b" / "archive"))


def rewritten(archive: Packing, number: int, field: str, line: str) -> str:
    """A post with another line in place of that field's; its path."""
    path = archive.path(ALL[number])
    text = re.sub(rf"(?m)^{field}: .*$", lambda _: line, (archive.folder / path).read_text("utf-8"))
    (archive.folder / path).write_text(text, "utf-8")
    digest = sha256(text.encode()).hexdigest()
    archive.ledger.keep([Kept("s", ALL[number].key, ALL[number].source, path, digest)])
    return path


def outside(archive: Packing) -> set[Path]:
    """Files around the archive."""
    return {path for path in archive.folder.parents[2].rglob("*") if not path.is_relative_to(archive.folder)}


@pytest.mark.parametrize("category", ["../../../x", "..", ".", "a/", "a\\\\b", "x" * 300])
def test_a_category_that_is_a_path_out_of_the_folder(archive: Packing, category: str) -> None:
    around, path = outside(archive), rewritten(archive, 1, "categories", f'categories: ["{category}"]')
    done = pack(archive.place)
    assert list(done.months) == ["2024-02", "2024-03"]
    assert done.left["2024-01"].startswith(f"{path}: its address is no path of a page: /")
    assert outside(archive) == around
    assert {path.name for path in archive.folder.iterdir()} >= {FOLDER}
    assert not list((archive.folder / FOLDER).rglob("2024/01*"))


def test_a_category_that_is_no_slug_has_no_pages(archive: Packing) -> None:
    rewritten(archive, 1, "categories", 'categories: ["two words", "wire"]')
    assert pack(archive.place).left == {}
    names = {path.name for path in (archive.folder / FOLDER / "category").iterdir()}
    assert names == {"chenbao", "harbour-post", "wire"}
    assert (archive.folder / FOLDER / "two words/wire/2024/01/16/N1.html").is_file()


ODD = 'modified: "soon"', "modified: 99999999999999999", 'modified: "99999999999999999999"', "source: [1]", "source: {}"


@pytest.mark.parametrize("line", ODD)
def test_odd_front_matter_is_no_fault_of_the_layouts(archive: Packing, line: str) -> None:
    rewritten(archive, 1, "language", line)
    assert pack(archive.place).left == {}
    assert "article:modified_time" not in (archive.folder / FOLDER / "harbour-post/2024/01/16/N1.html").read_text()


@pytest.mark.parametrize(
    ("line", "layout"),
    [
        ("x: soon", "{{ page.x | date_to_xmlschema }}"),
        ("x: 0", "{% if page.x %}{{ 1 | divided_by: page.x }}{% endif %}"),
    ],
)
def test_a_post_that_the_layouts_cannot_show(archive: Packing, line: str, layout: str) -> None:
    """Its month stays with Jekyll, and comes when it is mended."""
    with (archive.folder / "_layouts/post.html").open("a") as file:
        file.write(layout)
    path = rewritten(archive, 2, "language", line)
    done = pack(archive.place)
    assert list(done.months) == ["2024-02", "2024-03"]
    assert done.left["2024-01"].startswith(f"{path}: no page can be made of it: ")
    assert not list((archive.folder / FOLDER).rglob("2024/01*"))
    rewritten(archive, 2, "x", "language: en")
    assert list(pack(archive.place).months) == ["2024-01", "2024-02", "2024-03"]
    rewritten(archive, 2, "language", line)
    assert list(pack(archive.place).released) == ["2024-01"]
    assert not list((archive.folder / FOLDER).rglob("2024/01*"))


@pytest.mark.parametrize("date", ["2024-02-29 20:00:00", "2024-02-29 20:00:00 +0000"])
def test_a_post_with_an_address_of_another_month_than_its_name(archive: Packing, date: str) -> None:
    """Neither month is packed: the one would show it, the other hide it."""
    late = replace(ALL[0], key="late", published=datetime(2024, 2, 29, 20, tzinfo=ZONE))
    archive.add([*ALL, late])
    path = archive.path(late)
    text = re.sub(r"(?m)^date: .*$", f"date: {date}", (archive.folder / path).read_text("utf-8"))
    (archive.folder / path).write_text(text, "utf-8")
    done = pack(archive.place)
    assert list(done.months) == ["2024-01"]
    assert set(done.left.values()) == {f"{path}: its date is of another month than its name"}


# files


@given(st.text(st.sampled_from("./a%2eE5cCfF\\\0页"), max_size=12))
def test_no_address_leads_out(url: str) -> None:
    try:
        name = name_of(url)
    except ValueError:
        return
    assert (Path("/x/y") / name).resolve().is_relative_to("/x/y/")
    assert (Path("/x/y") / name).resolve() != Path("/x/y")


def test_nothing_is_put_or_dropped_outside(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    folder = tmp_path / "packed"
    with pytest.raises(ValueError, match=r"no path of a page: \.\./kept"):
        put(folder, [("a.html", b"a"), ("../kept", b"y")])
    assert drop(folder, ["../kept", "", str(tmp_path / "kept")]) == 0
    assert (tmp_path / "kept").read_text() == "x"
    assert not is_plain("a" * 256)
    assert is_plain("a" * 255)


def test_a_full_disk_leaves_no_drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "sync_files", full)
    with pytest.raises(OSError, match="No space left"):
        put(tmp_path / "packed", [("a/b.html", b"b")])
    assert not list((tmp_path / "packed").rglob("*"))


def test_names_of_pages_are_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First what the drafts hold, then, with the pages at their places, every folder that got a name."""
    seen: list[tuple[set[Path], bool]] = []

    def note(_: Path, paths: Sequence[Path]) -> None:
        seen.append((set(paths), (tmp_path / "packed/a/b/c.html").is_file()))

    monkeypatch.setattr(files, "sync_files", note)
    put(tmp_path / "packed", [("a/b/c.html", b"c"), ("d.html", b"d")])
    drafts, folders = seen
    assert not drafts[1]
    assert {path.parent.name for path in drafts[0]} == {".tmp"}
    assert folders == ({tmp_path, *(tmp_path / "packed" / name for name in ("", "a", "a/b"))}, True)
