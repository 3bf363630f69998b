"""Addresses from a file or stdin: what a line may be, and a crawl of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive.ledger import Entry
from crawler.lists import FileList
from crawler.sources import load_source
from spiders.file_list import FileWalk
from spiders.walk import Listing
from tests.server import Server
from tests.story import ENVIRONMENT, PRESSKEEP, Archive, html_source, publish, stories

SOURCE = """
id: harbour
name: Harbour
home: https://harbour.example/
language: en
timezone: Europe/London
example: https://harbour.example/a/1.html
lists:
  - {kind: file, path: lists/articles.txt}
key: {patterns: '/a/(\\d+)'}
"""


def walk(folder: Path, text: str | bytes | None) -> FileWalk:
    (folder / "lists").mkdir(exist_ok=True)
    (folder / "harbour.yml").write_text(SOURCE, "utf-8")
    if text is not None:
        (folder / "lists/articles.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    source = load_source(folder / "harbour.yml")
    (one,) = source.lists
    assert isinstance(one, FileList)
    return FileWalk(source, one)


def whole(made: FileWalk) -> Listing:
    pieces = list(made.entries())
    return Listing([one for piece in pieces for one in piece.entries], [one for p in pieces for one in p.problems])


def test_what_a_line_may_be(tmp_path: Path) -> None:
    text = (
        b"\xef\xbb\xbfhttps://harbour.example/a/1.html\r\n# a comment\n\n"
        b"  https://harbour.example/a/2.html \t A  ferry\tsails \n"
        b"/a/3.html\nmailto:x@harbour.example\n\xff\nhttps://elsewhere.example/a/4.html\n"
        b"https://harbour.example/about\nhttps://harbour.example/a/" + b"5" * 9000 + b"\nhttps://harbour.example/a/6"
    )
    listing = whole(walk(tmp_path, text))
    assert listing.entries == [
        Entry("1", {"url": "https://harbour.example/a/1.html"}),
        Entry("2", {"url": "https://harbour.example/a/2.html", "title": "A ferry sails"}),
        Entry("6", {"url": "https://harbour.example/a/6"}),
    ]
    assert [problem[:40] for problem in listing.problems] == [
        "line 5: no address: '/a/3.html'",
        "line 6: no address: 'mailto:x@harbour.ex",
        "line 7: no UTF-8",
        "line 8: off-site: 'https://elsewhere.exa",
        "line 9: no key in 'https://harbour.examp",
        "line 10: no address: 'https://harbour.ex",
    ]


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300))
def test_any_file_is_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    listing = whole(walk(tmp_path_factory.getbasetemp(), data))
    said = [line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    said = [line for line in said if not line.strip().startswith(b"#")]
    assert len(listing.entries) + len(listing.problems) == len(said)


def test_a_long_file_comes_in_pieces(tmp_path: Path) -> None:
    lines = "".join(f"https://harbour.example/a/{number}\nx\n" for number in range(1500))
    pieces = list(walk(tmp_path, lines).entries())
    assert [(len(one.entries), len(one.problems)) for one in pieces] == [(500, 500)] * 3 + [(0, 0)]
    assert pieces[2].problems[-1] == "line 3000: no address: 'x'"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    made = walk(tmp_path, None)
    assert made.start == f"file:{tmp_path.resolve()}/lists/articles.txt"
    for asked in (made.digest, lambda: list(made.entries())):
        with pytest.raises(ValueError, match="it cannot be read: No such file"):
            asked()


def test_a_crawl_of_a_file_and_of_stdin(server: Server, tmp_path: Path) -> None:
    one, two, three = stories(3)
    publish(server, [one, two, three], "/unlisted")
    lists = [{"kind": "file", "path": "articles.txt"}]
    archive = Archive.new(tmp_path / "archive", html_source(server, lists=lists))
    archive.crawl("harbour", code=3)
    assert [what for _, what in archive.problems("harbour").items()] == ["it cannot be read: No such file or directory"]
    path = archive.folder / "sources/articles.txt"
    path.write_text(f"{server.address(one.path)}\n{server.address('/a/none.html')}\n")
    archive.crawl("harbour")
    assert archive.states() == {one.key: "done"}
    assert archive.problems("harbour")[f"file:{path.resolve()}"].startswith("line 2: no key in ")
    again = [*PRESSKEEP, "crawl", "harbour", "--urls", "-", "--archive", str(archive.folder)]
    told = f"{server.address(one.path)}\n{server.address(two.path)}\n"
    done = subprocess.run(again, input=told.encode(), env=ENVIRONMENT, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert archive.states() == {one.key: "done", two.key: "done"}
    report = archive.report("harbour")
    assert (report["listed"], report["new"], report["unchanged"]) == (2, 1, 1)


def test_a_backfill_of_a_file(server: Server, tmp_path: Path) -> None:
    """It costs no request to read it."""
    inside, outside = stories(2)
    publish(server, [inside, outside], "/unlisted")
    archive = Archive.new(tmp_path / "archive", html_source(server, lists=[{"kind": "file", "path": "articles.txt"}]))
    text = "".join(f"{server.address(one.path)}\n" for one in (inside, outside))
    (archive.folder / "sources/articles.txt").write_text(text)
    done = archive.verb("backfill", "harbour", "--from", "2026-03-02", "--to", "2026-03-02", "--json")
    assert json.loads(done.stdout)["plan"]["ways"] == [{"way": "file", "asked": 0, "listed": 2, "found": 2}]
    assert archive.states() == {inside.key: "done", outside.key: "outside"}


def test_addresses_beside_several_sources(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", html_source(server), html_source(server, "quay"))
    assert "--urls is for one SOURCE (got 2)" in archive.crawl("--urls", "-", code=2).stderr
    assert "does not exist" in archive.crawl("harbour", "--urls", tmp_path / "none", code=2).stderr
