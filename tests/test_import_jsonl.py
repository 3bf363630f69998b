"""``presskeep import jsonl`` and ``import warc``: what exports hold, and what other tools wrote."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.markup import WIDEST, clean, fit, text_of
from crawler.archive.reader import read_post
from crawler.commands.import_ import command
from crawler.imports import jsonl
from crawler.imports.jsonl import Lines, Taken, paragraphs, take
from crawler.imports.listed import listed
from crawler.items import Attribution
from crawler.run import Run
from crawler.site import load_site
from crawler.sources import load_source
from crawler.yamlfile import SettingsError
from tests.server import Server
from tests.shared import SHARED, needs_shared
from tests.shop import NOTED, Shop, new_shop
from tests.story import Archive, html_source, json_page, json_source, publish, record, stories

LOG = {"sequence", "moment", "revision", "digest"}
"""What an export says of its own archive."""
TEXT = "渡轮今天复航，船长说风浪 < 3 米。\n码头换上了新的航标灯。"
MARKUP = "<p>渡轮今天复航，船长说风浪 &lt; 3 米。<script>x()</script><p onclick='x()'>码头换上了新的航标灯。"
FOREIGN = {
    "headline": "渡轮复航",
    "articleBody": TEXT,
    "datePublished": "2026-03-05T09:30:00+08:00",
    "url": "https://elsewhere.example/2026/ferry.html",
    "publisher": {"@type": "Organization", "name": "海港日报"},
}


def call(archive: Archive, *words: str | Path, code: int = 0, stdin: str | None = None) -> Result:
    done = CliRunner().invoke(command, [*map(str, words), "--archive", str(archive.folder)], input=stdin)
    assert done.exit_code == code, done.output
    return done


@dataclass
class Put:
    """What became of lines."""

    taken: Taken
    refused: dict[str, str]
    """Line -> why."""


def put(archive: Archive, *lines: Any, source: str = "imported", timezone: str = "") -> Put:
    """Import lines; texts as they are. Of sources the archive's own are known."""
    told = "".join((one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)) + "\n" for one in lines)
    sources = [load_source(path) for path in sorted(archive.folder.glob("sources/*.yml"))]
    run = Run(archive.folder, load_site(archive.folder), sources)
    taken = take(run, Lines("x", io.BytesIO(told.encode())), sources, source, timezone)
    problems = [problem for one in run.report.sources.values() for problem in one.problems]
    return Put(taken, {one.address: one.what for one in problems})


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.new(tmp_path / "fresh")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return new_shop(tmp_path / "archive")


def without_log(lines: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Lines by what they are about, without what is the exporting archive's own."""
    return {
        (one["space"], one["identifier"], str(one["event"] == "tombstone")): {
            name: value for name, value in one.items() if name not in LOG
        }
        for one in lines
        if "identifier" in one
    }


# what exports hold


def test_what_was_exported_and_imported_is_exported_again(shop: Shop, tmp_path: Path) -> None:
    """Equal but for what is of the log; a second import finds all there."""
    shop.keep(
        1, attribution=Attribution("来源：海港日报", "海港日报", "label"), byline=("林舟", "高岸"), language="zh-CN"
    )
    shop.keep(2, source="wire", digest="渡轮复航。")
    shop.keep(3, body="<h2>一</h2>\n<ul><li>甲</li><li>乙 &amp; 丙</li></ul>\n<p>{&#123;丁}}</p>", tags=("a, b", "c"))
    shop.settle("k1", gone=NOTED)
    made = shop.lines()
    fresh = new_shop(tmp_path / "fresh")
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in made)
    (tmp_path / "all.jsonl").write_text(lines, "utf-8")
    archive = Archive(fresh.folder)
    fresh.ledger.close()
    done = call(archive, "jsonl", tmp_path / "all.jsonl")
    assert "3 new (" in done.stderr
    again = [json.loads(line) for line in archive.verb("export", "jsonl").stdout.splitlines()]
    assert without_log(again) == without_log(made)
    archive.proven()
    tree = archive.tree()
    assert (
        "0 new (0 byte for byte), 3 there already, 0 refused" in call(archive, "jsonl", tmp_path / "all.jsonl").stderr
    )
    assert archive.tree() == tree
    assert len(archive.rows("select number from changes")) == 4


def test_posts_that_come_out_byte_for_byte_are_counted(server: Server, tmp_path: Path, archive: Archive) -> None:
    """Those whose body is paragraphs, as far as the settings are the same."""
    publish(server, stories(3))
    source = html_source(server)
    there = Archive.new(tmp_path / "there", source)
    there.crawl()
    out = there.verb("export", "jsonl").stdout
    archive.add(source)
    plain = out.replace("来源：海港日报", "海港日报")
    done = call(archive, "jsonl", "-", stdin=plain)
    same = [name for name, data in archive.posts().items() if there.posts()[name] == data]
    assert f"3 new ({len(same)} byte for byte)" in done.stderr
    assert sorted(archive.posts()) == sorted(there.posts())
    hints = archive.rows("select hints from articles")
    assert [json.loads(one[0])["url"].startswith(server.address("/a/")) for one in hints] == [True] * 3
    archive.proven()


def test_an_export_that_was_cut_short(shop: Shop, archive: Archive) -> None:
    shop.keep(1)
    shop.keep(2)
    first, second, end = shop.lines()
    done = call(archive, "jsonl", "-", code=5, stdin=json.dumps(first))
    assert "-: its last line is missing: the export was cut short" in done.stderr
    assert not put(archive, first, second, end).taken.cut_short
    assert put(archive, end, first).taken.cut_short
    assert len(archive.posts()) == 2


def test_what_is_gone_upstream(shop: Shop, archive: Archive) -> None:
    """A tombstone is a row's; one that says when in no time of ours is refused; what is there again is so here."""
    shop.keep(1)
    shop.settle("k1", gone=NOTED)
    article, tombstone, end = shop.lines()
    put(archive, article, tombstone, end)
    assert archive.rows("select gone from articles") == [(NOTED,)]
    assert list(put(archive, {**tombstone, "gone": "lately"}, end).refused) == ["x:1"]
    restored = {name: value for name, value in tombstone.items() if name != "gone"} | {"event": "restored"}
    put(archive, restored, end)
    assert archive.rows("select gone from articles") == [("",)]


def test_what_left_the_category_of_an_export_stays(shop: Shop, archive: Archive) -> None:
    shop.keep(1)
    shop.keep(2)
    put(archive, *shop.lines("--category", "ferry"))
    shop.keep(1, category="pier", revision=1)
    done = put(archive, *shop.lines("--category", "ferry", "--since", "2"))
    assert (done.refused, done.taken.new, len(archive.posts())) == ({}, 0, 2)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("_posts/2026/03/02/2026-03-02-own-name.md", "2026-03-02-own-name.md"),
        ("../../2026-03-02-own.md", "2026-03-02-own.md"),
        ("_posts/2026/03/02/2026-03-01-own.md", "2026-03-02-harbour-k1.md"),
        ("_posts/2026/03/02/2026-03-02-o w n.md", "2026-03-02-harbour-k1.md"),
        ("/etc/passwd", "2026-03-02-harbour-k1.md"),
    ],
)
def test_names_of_files_are_kept_where_they_are_names_of_posts(
    shop: Shop, archive: Archive, path: str, name: str
) -> None:
    shop.keep(1)
    article, end = shop.lines()
    put(archive, {**article, "path": path}, end)
    assert list(archive.posts()) == [f"_posts/2026/03/02/{name}"]


def test_a_post_that_is_there_stays(shop: Shop, archive: Archive) -> None:
    shop.keep(1)
    article, end = shop.lines()
    put(archive, article, end)
    before = archive.tree()
    assert put(archive, {**article, "headline": "Another"}, end).taken == Taken(there=1)
    assert archive.tree() == before


# what other tools wrote


def test_an_article_of_another_tool(archive: Archive) -> None:
    """Its publisher is credited; its key is made of its address; persons and words in any of schema.org's forms."""
    told = {**FOREIGN, "author": ["林舟", {"name": "高岸"}], "keywords": "港口, 夜航", "inLanguage": "zh-CN"}
    put(archive, told, source="old")
    ((name, data),) = archive.posts().items()
    post = read_post(data)
    assert name.startswith("_posts/2026/03/05/2026-03-05-old-ferry-")
    assert (post.title, post.date.isoformat()) == ("渡轮复航", "2026-03-05T09:30:00+08:00")
    assert text_of(post.body) == TEXT
    assert post.fields["attribution"] == "海港日报"
    assert post.fields["authors"] == ["林舟", "高岸"]
    assert post.tags == ("海港日报", "港口", "夜航")
    assert (post.link, post.fields["source"]) == (FOREIGN["url"], "old")
    archive.proven()
    assert put(archive, told, source="old").taken == Taken(there=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"headline": None, "title": "渡轮复航"},
        {"articleBody": None, "text": TEXT},
        {"url": None, "mainEntityOfPage": {"@id": FOREIGN["url"]}},
        {"url": None, "mainEntityOfPage": FOREIGN["url"]},
        {"url": None, "identifier": "ferry-1"},
        {"url": "javascript:alert(1)", "identifier": 17},
        {"publisher": "海港日报"},
        {"publisher": {"name": "Else"}, "sourceOrganization": [{"name": "海港日报"}]},
        {"datePublished": "2026-03-05T01:30:00Z"},
        {"articleBody": MARKUP},
    ],
    ids=lambda changes: "-".join(changes) + "-" + str(len(str(changes))),
)
def test_words_for_the_same(archive: Archive, changes: dict[str, Any]) -> None:
    put(archive, {**FOREIGN, **changes})
    ((_, data),) = archive.posts().items()
    post = read_post(data)
    assert (post.title, text_of(post.body)) == ("渡轮复航", TEXT)
    assert post.date.isoformat() == "2026-03-05T09:30:00+08:00"
    assert post.tags == ("海港日报",)


def test_an_article_of_a_source_that_is_followed(server: Server, archive: Archive) -> None:
    """By its address: its key is the source's, and a crawl does not ask for it any more."""
    archive.add(html_source(server))
    publish(server, shown := stories(2))
    told = {**FOREIGN, "url": server.address(shown[0].path), "sourceOrganization": {"name": "海港晚报"}}
    put(archive, {name: value for name, value in told.items() if name != "headline"} | {"name": "渡轮"})
    assert archive.rows("select space, key, source from articles") == [("harbour", shown[0].key, "harbour")]
    assert "海港晚报" in archive.post(shown[0].key)
    server.forget()
    archive.crawl()
    assert server.paths("/a/") == [shown[1].path]


OTHER = {**FOREIGN, "url": "https://elsewhere.example/2026/quay.html", "articleBody": "码头今天封闭，渡轮改停北岸。"}
REFUSED = {
    "no JSON: ": "{",
    "no JSON object": "[1]",
    "datePublished: not a time of ISO 8601: 'lately'": {**OTHER, "datePublished": "lately"},
    "datePublished: not a time of ISO 8601: ''": {**OTHER, "datePublished": None},
    "datePublished: without a zone: '2026-03-05'. Next: the same with --timezone ZONE": {
        **OTHER,
        "datePublished": "2026-03-05",
    },
    "title: empty": {**OTHER, "headline": " "},
    "body: empty": {**OTHER, "articleBody": {"a": 1}},
    "paywall: ": {**OTHER, "articleBody": "Subscribe to continue reading."},
    "same text as ferry": {**OTHER, "articleBody": TEXT},
    "identifier: none, nor a url": {**OTHER, "url": "nowhere"},
    "date value out of range": {**OTHER, "datePublished": "0001-01-01T00:00:00+08:00"},
}


def test_lines_that_are_refused_are_named_by_their_number(archive: Archive) -> None:
    """And one does not harm the next."""
    done = put(archive, "", FOREIGN, *REFUSED.values(), OTHER)
    assert list(done.refused) == [f"x:{number}" for number in range(3, 3 + len(REFUSED))]
    for why, said in zip(REFUSED, done.refused.values(), strict=True):
        assert said.startswith(why), said
    assert done.taken == Taken(new=2, refused=len(REFUSED))
    told = call(archive, "jsonl", "-", code=5, stdin="{")
    assert "imported: -:1: no JSON: " in told.stderr
    assert "0 new (0 byte for byte), 0 there already, 1 refused" in told.stderr


def test_ids_that_are_none(shop: Shop, archive: Archive) -> None:
    shop.keep(1)
    article, end = shop.lines()
    done = put(archive, {**article, "source": "../x"}, {**article, "space": "A b"}, end)
    assert [why.partition(":")[0] for why in done.refused.values()] == ["source, space", "source, space"]
    assert archive.posts() == {}


def test_times_without_a_zone_by_the_zone_that_is_given(archive: Archive) -> None:
    put(archive, {**FOREIGN, "datePublished": "2026-03-05T10:30:00"}, timezone="Asia/Tokyo")
    ((_, data),) = archive.posts().items()
    assert read_post(data).date.isoformat() == "2026-03-05T09:30:00+08:00"
    with pytest.raises(SettingsError, match="--timezone: expected an IANA zone"):
        put(archive, FOREIGN, timezone="Mars")
    put(archive, FOREIGN)  # the archive was given free


def test_a_line_that_is_too_long_is_read_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "_LONGEST", 20)
    found = list(Lines("x", io.BytesIO(b'{"a": 1}\n' + b"[" * 70 + b'\n{"b": 2}\n' + b"x" * 20)))
    assert found == [(1, {"a": 1}), (2, "longer than 20 bytes"), (3, {"b": 2}), (4, "longer than 20 bytes")]


@given(st.text())
def test_any_text_becomes_a_body_that_says_the_same(text: str) -> None:
    """As far as a post can hold its characters, and without the blanks around its lines."""
    body = clean(paragraphs(text), WIDEST)
    assert fit(body, WIDEST)
    said = text_of(body)
    assert text_of(clean(paragraphs(said), WIDEST)) == said
    printable = "".join(one for one in text if one.isalnum() or one in "<>&{%")
    assert "".join(one for one in said if one in printable) == "".join(one for one in printable if one in said)
    assert all(one in said for one in printable)


# WARC files


def test_captures_of_another_archive(server: Server, tmp_path: Path, archive: Archive) -> None:
    """Of every source that is known here: the same posts, nobody is asked, and what is known stays. What only a list
    says of an article is taken from the list."""
    publish(server, shown := stories(3))
    wired = stories(2, start=20)
    server.pages["/api"] = json_page({"data": {"list": [record(one) for one in wired]}})
    server.pages |= {f"/share?id={one.key}": json_page({"text": one.text}) for one in wired}
    sources = html_source(server), json_source(server, "wire", "/api")
    there = Archive.new(tmp_path / "there", *sources)
    there.crawl()
    files = sorted(there.state.glob("captures/*.warc.gz"))
    for source in sources:
        archive.add(source)
    server.forget()
    done = call(archive, "warc", *files, "--jobs", "1")
    assert server.paths() == []
    assert archive.posts() == there.posts()
    pages = [one.path for one in shown] + [f"/share?id={one.key}" for one in wired]
    assert sorted(archive.captured()) == sorted(map(server.address, pages))
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["harbour", "wire"], "of some fifty sources"
    assert archive.rows("select count(*) from articles") == [(5,)]
    archive.proven()
    assert "not read again" in call(archive, "warc", *files, "--jobs", "1").stderr
    assert "nowhere.warc.gz" in call(archive, "warc", "nowhere.warc.gz", code=2).stderr


@needs_shared
def test_lists_and_texts_of_the_seed_s_upstream(archive: Archive) -> None:
    """Nothing but the file is needed: six posts of a feed whose texts name neither headline nor time."""
    call(archive, "warc", SHARED / "seed" / "eastmoney.warc.gz", "--source", "eastmoney-market", "--jobs", "1")
    assert len(archive.posts()) == 6
    for name, data in archive.posts().items():
        assert data == (SHARED / "seed" / "posts" / Path(name).name).read_bytes()


def test_list_pages_that_cannot_be_read_say_nothing(server: Server, tmp_path: Path) -> None:
    """Neither broken records, nor records that the list itself spoils; and files of the web are not asked for."""
    archive = Archive.new(tmp_path / "a", json_source(server, "wire", "/api"))
    (source,) = (load_source(path) for path in archive.folder.glob("sources/*.yml"))
    good = record(stories(1)[0])
    pages = [
        b"no HTTP",
        _http({"data": {"list": [{**good, "title": ""}, good]}}),
        _http({}),
        b"HTTP/1.1 200 OK\r\n\r\n{",
    ]
    path = tmp_path / "lists.warc.gz"
    path.write_bytes(b"".join(_record(server.address("/api"), page) for page in pages))
    told = listed([path, server.address("/far.warc.gz")], [source])
    assert {key: hints["title"] for (_, key), hints in told.items()} == {good["id"]: good["title"]}
    assert server.paths() == []


def _http(value: Any) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + json.dumps(value).encode()


def _record(url: str, block: bytes) -> bytes:
    head = f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-03-05T00:00:00Z\r\n"
    head += f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    return gzip.compress(head.encode() + block + b"\r\n\r\n")
