"""``presskeep verify``: every kind of fault is found, and named with its file and rule."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.server import Server
from tests.story import Archive, html_source, publish, stories


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """An archive of nine posts without fault."""
    server = Server()
    publish(server, stories(9))
    archive = Archive.new(tmp_path_factory.mktemp("verify") / "archive", html_source(server))
    archive.crawl()
    server.close()
    return archive


@pytest.fixture
def archive(crawled: Archive, tmp_path: Path) -> Archive:
    """A copy, to be damaged."""
    shutil.copytree(crawled.folder, tmp_path / "archive")
    return Archive(tmp_path / "archive")


def faults(archive: Archive) -> list[tuple[str, str]]:
    told = json.loads(archive.verb("verify", "--json", code=1).stdout)
    return [(one["file"], one["fault"]) for one in told]


def test_a_sound_archive(archive: Archive) -> None:
    done = archive.verb("verify")
    assert "9 posts, 0 faults" in done.stdout
    assert json.loads(archive.verb("verify", "--json").stdout) == []


def test_faults_of_posts(archive: Archive) -> None:
    """One fault in each post, all in one go: each is named, and no other."""
    paths = sorted(archive.folder.glob("_posts/**/*.md"))
    texts = [path.read_text("utf-8") for path in paths]
    paths[0].write_text(texts[0].replace('title: "', 'title: "\\x'), "utf-8")
    paths[1].write_text(texts[1].replace("<p>", "<p>{{ site.title }}", 1), "utf-8")
    paths[2].write_text(texts[2].replace("<p>", "<p><script>alert(1)</script>", 1), "utf-8")
    paths[3].write_text(texts[3].replace("恢复通航", "停航", 1), "utf-8")
    paths[4].unlink()
    copy = paths[5].with_name(paths[5].name.replace("1000", "2000"))
    copy.write_text(texts[5], "utf-8")
    (paths[6].parent / f".{paths[6].name}.77.abcd.tmp").write_text("half")
    moved = archive.folder / "_posts" / paths[7].name
    paths[7].rename(moved)
    paths[8].write_text("", "utf-8")

    found = faults(archive)
    name = {path: str(path.relative_to(archive.folder)) for path in [*paths, copy, moved]}
    rules = {(file, re.split(r"[:.,]", what)[0]) for file, what in found}
    ledger = {path for path, what in found if "digest" in what}
    assert ledger == {name[paths[number]] for number in (0, 1, 2, 3, 8)}
    assert (name[paths[0]], "front matter") in rules or (name[paths[0]], "title") in rules, found
    assert any((file == name[paths[1]] and "Liquid" in what) or "{{" in what for file, what in found), found
    assert (name[paths[2]], "body") in rules, found
    assert {what for file, what in found if file == name[paths[4]]} != set()
    assert any(file == name[copy] and "does not know this post" in what for file, what in found)
    assert any(".tmp" in file + what for file, what in found), found
    assert any(file == name[moved] and "place" in what for file, what in found)
    assert any(file == name[paths[8]] and "front matter" in what for file, what in found)
    sound = {name[paths[5]], name[paths[6]]}
    assert not [fault for fault in found if fault[0] in sound], found


def test_faults_around_the_posts(archive: Archive) -> None:
    config = archive.folder / "_config.yml"
    config.write_text(config.read_text("utf-8").replace("Asia/Shanghai", "Europe/Berlin"), "utf-8")
    (archive.folder / "_layouts" / "post.html").unlink()
    found = faults(archive)
    assert len(found) == 2, found
    assert any("timezone" in what and "Europe/Berlin" in what for _, what in found)
    assert any("_layouts/post.html is missing" in what for _, what in found)


def test_captures_that_are_cut_or_moved(archive: Archive) -> None:
    (segment,) = archive.state.glob("captures/*.warc.gz")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-20])
    found = faults(archive)
    assert any(segment.name in file and "cut short" in what for file, what in found), found
    segment.write_bytes(gzip.compress(b"WARC/1.1\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n") + whole)
    assert any("is not at" in what for _, what in faults(archive))
    segment.unlink()
    assert any("is not at" in what or "missing" in what for _, what in faults(archive))


def test_verify_writes_nothing(archive: Archive) -> None:
    before = archive.tree(state=True)
    archive.verb("verify")
    assert archive.tree(state=True) == before
