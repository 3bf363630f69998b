"""``presskeep export warc`` and ``wacz``: captures go out as they lie, and the index finds each."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from crawler.archive.captures import CaptureStore, Response, payload_digest
from crawler.archive.changelog import Entry, changes, last
from crawler.archive.images import path_of
from crawler.archive.ledger import Kept, Ledger, LedgerError, images
from crawler.export import wacz
from crawler.export.order import Order
from crawler.export.surt import surt
from crawler.export.warc import Captures
from tests.server import Server
from tests.shop import FIRST, Invented, Shop, new_shop, order_of
from tests.story import Archive, Story, html_source, publish, stories
from tests.test_images import png

Records = list[tuple[str, str, bytes]]
"""(type, address, payload) of each."""


def page(number: int, version: int = 1, source: str = "harbour", **told: Any) -> Response:
    """An article's page as it was captured."""
    notes = {"source": source, "role": "article", "key": f"k{number}"}
    html = f"<h1>渡轮 {number}</h1><p>{source}, version {version}</p>".encode()
    url, date = f"https://www.{source}.example/a/{number}", f"2026-03-0{version}T08:00:00Z"
    made = Response(url, 200, (("Content-Type", "text/html; charset=utf-8"),), html, date, notes)
    return replace(made, **told)


def image(shade: int, name: str = "") -> Response:
    """An image as it was captured."""
    url, notes = f"https://img.example/{name or shade}.png", {"source": "harbour", "role": "image", "key": "k1"}
    return Response(url, 200, (("Content-Type", "image/png"),), png(shade), "2026-03-01T09:00:00Z", notes)


class Vault(Shop):
    """An archive with captures."""

    def store(self, *responses: Response) -> str:
        """Keep captures; the digest of the last."""
        store = CaptureStore(self.folder / ".presskeep" / "captures", 1 << 20, FIRST)
        digests = [store.add(one, payload_digest(one.payload)).digest for one in responses]
        self.ledger.keep([], *store.take())
        store.close()
        return digests[-1]

    def capture(self, number: int, version: int = 1, source: str = "harbour", body: str = "", **told: Any) -> str:
        """Keep an article and the page that it was made from; its path."""
        made = {"title": f"第{number}号渡轮复航 {version}"} | ({"body": body} if body else {})
        digest = self.store(page(number, version, source, **told))
        return self.keep(number, source, version - 1, digest, **made)

    def picture(self, shade: int, name: str = "") -> str:
        """Keep an image; how a post shows it."""
        one = image(shade, name)
        row = {"url": one.url, "capture": self.store(one), "path": path_of(one.payload)}
        self.ledger.write(images.insert().values(row))
        return f'<p>渡轮今天复航。</p>\n<p><img src="/{row["path"]}" alt="渡轮"/></p>'

    @property
    def segment(self) -> Path:
        (path,) = (self.folder / ".presskeep" / "captures").glob("*.warc.gz")
        return path

    def data(self, *words: str) -> bytes:
        """Of a WARC export, checked by warcio."""
        data = self.export("warc", *words).stdout_bytes
        assert records(data)[0][0] == "warcinfo"
        return data

    def addresses(self, *words: str) -> list[str]:
        """Last part of each address of a WARC export."""
        return [url.rpartition("/")[2] for _, url, _ in records(self.data(*words))[1:]]


def records(data: bytes) -> Records:
    """Of a WARC file; raises where a digest is wrong."""
    found = []
    for record in ArchiveIterator(io.BytesIO(data), check_digests="raise"):
        url = record.rec_headers.get_header("WARC-Target-URI") or ""
        found.append((record.rec_type, url, record.content_stream().read()))
        assert record.digest_checker.passed is True
    return found


def members(data: bytes) -> list[bytes]:
    """The gzip members of a file."""
    found = []
    while data:
        squeezed = zlib.decompressobj(31)
        squeezed.decompress(data)
        found.append(data[: len(data) - len(squeezed.unused_data)])
        data = squeezed.unused_data
    return found


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    made = new_vault(tmp_path / "archive")
    yield made
    made.ledger.close()


def new_vault(folder: Path) -> Vault:
    shop = new_shop(folder)
    return Vault(shop.folder, shop.ledger)


def test_records_go_out_byte_for_byte_in_the_order_of_the_log(vault: Vault) -> None:
    vault.store(page(2), page(1))
    vault.capture(1)
    vault.capture(2)
    first, *rest = members(vault.data())
    there = members(vault.segment.read_bytes())
    assert rest == [there[1], there[0]], "each capture once, though it was asked for twice"
    head, _, block = zlib.decompress(first, 31).decode().partition("\r\n\r\n")
    assert head.startswith("WARC/1.1\r\nWARC-Type: warcinfo\r\n")
    assert "isPartOf: Harbour & more\r\n" in block
    assert "conformsTo: http://iipc.github.io/warc-specs/specifications/warc-format/warc-1.1/\r\n" in block
    assert "description: Captures that posts were made from: lines 1 to 2 of change log " in block
    assert vault.data() == vault.data(), "at any time"


def test_what_came_since_a_number(vault: Vault) -> None:
    """An edit brings a new capture; a better reading and a tombstone bring none."""
    vault.capture(1)
    vault.capture(2)
    digest = payload_digest(page(1).payload)
    vault.keep(1, capture=digest, title="今天读出的标题")
    vault.settle("k2", gone="2026-04-01T00:00:00Z")
    assert vault.addresses("--since", "2") == []
    vault.capture(2, version=2)
    (_, (_, _, edited)) = records(vault.data("--since", "2"))
    assert b"version 2" in edited
    assert vault.addresses("--since", "1") == ["2", "2"], "the version before the edit too"


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["harbour", "river"]), st.integers(1, 3), st.integers(1, 3)), max_size=8),
    st.integers(0, 8),
    st.sampled_from(["", "harbour", "river"]),
)
def test_parts_are_together_the_whole(kept: list[tuple[str, int, int]], split: int, source: str) -> None:
    with TemporaryDirectory() as folder, closing(Ledger(Path(folder) / "ledger.sqlite")) as ledger:
        store = CaptureStore(Path(folder), 1 << 20, FIRST)
        for name, number, version in kept:
            digest = store.add(made := page(number, version, name), payload_digest(made.payload)).digest
            ledger.keep([Kept(name, f"k{number}", name, "", digest, digest)], *store.take())
        order = replace(order_of(), upto=last(ledger), source=source, captures=Captures(ledger, Path(folder)))
        since = min(split, order.upto)

        def payloads(part: Order) -> list[bytes]:
            return [one.response.payload for one in Captures(ledger, Path(folder)).records(part)]

        whole = payloads(order)
        assert payloads(replace(order, upto=since)) + payloads(replace(order, since=since)) == whole
        assert len(whole) == len(set(whole))
        assert set(whole) == {page(number, version, name).payload for name, number, version in kept if source in name}
        store.close()


# images


def test_images_follow_the_captures_of_their_articles(vault: Vault) -> None:
    """Each once, at all of its addresses; those of days that nobody asked for stay, and so does what no post shows."""
    first, second, _ = vault.picture(1), vault.picture(2), vault.picture(3)
    vault.picture(1, "twin")
    vault.store(page(7, notes={"source": "harbour", "role": "list"}))
    vault.capture(1, body=first)
    vault.capture(2, body=first + second)
    vault.capture(3)
    assert vault.addresses() == ["1", "1.png", "twin.png", "2", "2.png", "3"]
    assert vault.addresses("--day", "2026-03-03") == ["2", "1.png", "twin.png", "2.png"]
    assert vault.addresses("--since", "1") == ["2", "1.png", "twin.png", "2.png", "3"], "once more: it is read alone"
    assert vault.addresses("--lists") == ["1", "1.png", "twin.png", "2", "2.png", "3", "3.png", "7"]
    assert b"made from, with their images: lines 1 to 3 " in zlib.decompress(members(vault.data())[0], 31)
    package = ZipFile(io.BytesIO(vault.export("wacz").stdout_bytes))
    told = {one["url"][-6:]: one["mime"] for _, _, one in index_of(package)}
    assert (len(told), told["/1.png"]) == (6, "image/png")
    assert [one["url"][-1] for one in pages_of(package)] == ["1", "2", "3"], "an image is no page"
    (path,) = vault.folder.glob("_posts/**/*-k2.md")
    path.unlink()
    assert vault.addresses() == ["1", "1.png", "twin.png", "2", "3"]


def test_images_that_came_later_and_images_of_earlier_versions(vault: Vault) -> None:
    """A better reading brings no new capture of its page, and may bring an image; an edit may take one away."""
    before, late, after = vault.picture(1), vault.picture(2), vault.picture(3)
    path = vault.capture(1, body=before)
    vault.keep(1, capture=payload_digest(page(1).payload), body=before + late)
    assert vault.addresses("--since", "1") == ["1.png", "2.png"]
    version = vault.folder / "revisions" / path.removeprefix("_posts/").removesuffix(".md") / "1.md"
    version.parent.mkdir(parents=True)
    (vault.folder / path).rename(version)
    vault.capture(1, version=2, body=after)
    assert vault.addresses("--since", "2") == ["1", "3.png"]
    assert vault.addresses() == ["1", "1.png", "2.png", "1", "3.png"]


class _Showing(Invented):
    """Posts that lie on no disk, and show these images of each line."""

    def __init__(self, shown: list[list[str]]) -> None:
        super().__init__([])
        self._shown = shown

    def images(self, entry: Entry) -> list[str]:
        return self._shown[entry.number - 1]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.sets(st.integers(1, 4))), max_size=8), st.data())
def test_parts_with_images_are_together_the_whole(kept: list[tuple[int, int, set[int]]], data: st.DataObject) -> None:
    """But for images that an earlier part had too."""
    with TemporaryDirectory() as folder, closing(Ledger(Path(folder) / "ledger.sqlite")) as ledger:
        store = CaptureStore(Path(folder), 1 << 20, FIRST)
        rows = [(one, path_of(one.payload)) for one in map(image, range(1, 5))]
        digests = [store.add(one, payload_digest(one.payload)).digest for one, _ in rows]
        pairs = zip(rows, digests, strict=True)
        made = [{"url": one.url, "capture": digest, "path": path} for (one, path), digest in pairs]
        ledger.keep([], *store.take(), more=[(images.insert(), made)])
        shown: list[list[str]] = []
        for number, version, shades in kept:
            one = page(number, version)
            digest = store.add(one, payload_digest(one.payload)).digest
            ledger.keep([Kept("s", f"k{number}", "harbour", "", digest, digest)], *store.take())
            shown += [[path_of(png(shade)) for shade in sorted(shades)]] * (last(ledger) - len(shown))
        captures = Captures(ledger, Path(folder))
        order = replace(order_of(), shelf=_Showing(shown), upto=last(ledger), captures=captures)
        since = data.draw(st.integers(0, order.upto))

        def sent(part: Order) -> list[bytes]:
            return [one.packed for one in captures.records(part)]

        whole = sent(order)
        assert len(whole) == len(set(whole)) == len({one[:2] for one in kept}) + len(set().union(*shown))
        assert list(dict.fromkeys(sent(replace(order, upto=since)) + sent(replace(order, since=since)))) == whole
        store.close()


def test_lists_and_pages_without_a_post_go_out_where_they_are_asked_for(vault: Vault) -> None:
    listed = page(7, notes={"source": "harbour", "role": "list"})
    vault.store(listed, page(8, source="river"))
    vault.capture(1)
    assert vault.addresses() == ["1"]
    assert vault.addresses("--lists") == ["1", "7", "8"]
    assert vault.addresses("--lists", "--source", "harbour") == ["1", "7"]
    assert b"description: All captures: lines 1 to 1" in zlib.decompress(members(vault.data("--lists"))[0], 31)
    for words in (
        ("warc", "--since", "1"),
        ("warc", "--category", "ferry"),
        ("warc", "--day", "2026-03-02"),
        ("jsonl",),
    ):
        assert "--lists is for a whole warc or wacz" in vault.export(*words, "--lists", code=2).stderr


def test_captures_of_some_days_and_of_a_category(vault: Vault) -> None:
    for number in (1, 2, 3):
        vault.capture(number)
    assert vault.addresses("--from", "2026-03-03", "--to", "2026-03-03") == ["2"]
    assert vault.addresses("--category", "ferry", "--from", "2026-03-03") == ["2", "3"]
    assert vault.addresses("--category", "harbour") == []


@pytest.mark.parametrize("form", ["warc", "wacz"])
def test_a_capture_that_cannot_be_read_is_named_and_left_out(vault: Vault, form: str) -> None:
    vault.capture(1)
    vault.capture(2)
    data = bytearray(vault.segment.read_bytes())
    data[60] ^= 255
    vault.segment.write_bytes(data)
    out = str(vault.folder.parent / "out")
    done = vault.export(form, "--out", out, "--json")
    told = json.loads(done.stdout)
    assert (told["written"], told["left_out"]) == (1, 1)
    assert done.stderr.startswith("https://www.harbour.example/a/1: left out (")


def test_a_segment_that_is_written_to_is_read(vault: Vault) -> None:
    vault.capture(1)
    vault.segment.rename(vault.segment.with_name(vault.segment.name + ".open"))
    assert vault.addresses() == ["1"]


def test_a_log_of_an_older_presskeep_learns_the_captures(vault: Vault) -> None:
    """The latest line of each post has the capture of its row; a ledger that may not be written to says what to do."""
    vault.capture(1)
    vault.capture(1, version=2)
    vault.capture(2)
    vault.settle("k2", gone="2026-04-01T00:00:00Z")
    vault.ledger.close()
    path = vault.ledger.path
    connection = sqlite3.connect(path)
    for name in ("insert", "update", "stay", "last"):
        connection.execute(f"drop trigger changes_{name}")
    connection.execute("drop index changes_capture")
    connection.execute("alter table changes drop column capture")
    connection.close()
    frozen = Ledger(path, frozen=True)
    with pytest.raises(LedgerError, match=r"names no captures yet\. Next: presskeep status"):
        Captures(frozen, Path("nowhere"))
    frozen.close()
    vault.ledger = Ledger(path)
    told = vault.ledger.read(sa.select(changes.c.number, changes.c.capture).order_by(changes.c.number))
    first, second = (payload_digest(page(*one).payload) for one in ((1, 2), (2,)))
    assert [tuple(row) for row in told] == [(1, ""), (2, first), (3, second), (4, "")]
    vault.capture(3)
    assert vault.addresses("--since", "1") == ["1", "2", "3"]
    with pytest.raises(sa.exc.IntegrityError, match="append-only"):
        vault.ledger.write(changes.delete())


def test_what_a_crawl_and_an_edit_brought_goes_out_once(server: Server, tmp_path: Path) -> None:
    publish(server, stories(2))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    first = tmp_path / "1.warc.gz"
    told = json.loads(archive.verb("export", "warc", "--out", first, "--json").stdout)
    edited = Story(1, body=stories(1)[0].text + "<p>更新：傍晚加开两班。</p>")
    server.pages[edited.path] = edited.page()
    archive.rows("update articles set check_due = '2026-01-01T00:00:00Z' returning key")
    archive.crawl()
    archive.verb("export", "warc", "--since", told["since"], "--out", tmp_path / "2.warc.gz")
    ((_, url, page),) = records((tmp_path / "2.warc.gz").read_bytes())[1:]
    assert url.endswith(edited.path)
    assert "傍晚加开两班" in page.decode()
    archive.verb("export", "warc", "--out", tmp_path / "all.warc.gz")
    parts = [members(path.read_bytes())[1:] for path in (first, tmp_path / "2.warc.gz", tmp_path / "all.warc.gz")]
    assert (len(parts[0]), parts[0] + parts[1]) == (2, parts[2])


# WACZ


@pytest.fixture
def packed(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> tuple[Vault, ZipFile]:
    """A WACZ file of five captures, whose index has blocks of two lines."""
    monkeypatch.setattr(wacz, "_BLOCK", 2)
    for number in (5, 3, 1):
        vault.capture(number)
    vault.capture(3, version=2)
    vault.capture(4, kind="conversion", notes={"source": "harbour", "role": "article"})
    vault.store(page(7))
    return vault, ZipFile(io.BytesIO(vault.export("wacz").stdout_bytes))


def pages_of(package: ZipFile) -> list[dict[str, Any]]:
    """The pages that a reader is offered."""
    _, *pages = map(json.loads, package.read("pages/pages.jsonl").decode().splitlines())
    return pages


def index_of(package: ZipFile) -> list[tuple[str, str, dict[str, Any]]]:
    """(key, time, what is told) of each line, block by block as the index of blocks says."""
    data = package.read("indexes/index.cdx.gz")
    head, *blocks = package.read("indexes/index.idx").decode().splitlines()
    assert head == '!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}'
    lines: list[str] = []
    for block in blocks:
        prefix, _, told = block.partition(" {")
        place = json.loads("{" + told)
        one = data[place["offset"] : place["offset"] + place["length"]]
        assert place["digest"] == f"sha256:{sha256(one).hexdigest()}"
        some = gzip.decompress(one).decode().splitlines()
        assert some[0].startswith(prefix + " {")
        lines += some
    assert lines == sorted(lines)
    parts = [line.split(" ", 2) for line in lines]
    return [(key, time, json.loads(told)) for key, time, told in parts]


def test_the_index_finds_each_record(packed: tuple[Vault, ZipFile]) -> None:
    _, package = packed
    data = package.read("archive/data.warc.gz")
    assert [kind for kind, _, _ in records(data)] == ["warcinfo", *["response"] * 4, "conversion"]
    found = index_of(package)
    assert [(key, time) for key, time, _ in found] == [
        ("example,harbour)/a/1", "20260301080000"),
        ("example,harbour)/a/3", "20260301080000"),
        ("example,harbour)/a/3", "20260302080000"),
        ("example,harbour)/a/5", "20260301080000"),
    ], "not the page that no server sent, nor what no post was made from"
    for _, time, told in found:
        member = data[int(told["offset"]) : int(told["offset"]) + int(told["length"])]
        ((_, url, payload),) = records(member)
        number, version = int(url[-1]), int(time[7])
        assert (url, payload) == (told["url"], page(number, version).payload)
        assert told["digest"] == payload_digest(payload)
        assert told["recordDigest"] == f"sha256:{sha256(member).hexdigest()}"
        assert (told["mime"], told["status"], told["filename"]) == ("text/html", "200", "data.warc.gz")


def test_pages_have_the_headlines_of_their_posts(packed: tuple[Vault, ZipFile]) -> None:
    vault, package = packed
    head, *pages = map(json.loads, package.read("pages/pages.jsonl").decode().splitlines())
    assert head == {"format": "json-pages-1.0", "id": "pages", "title": "All pages"}
    assert [(one["url"][-1], one["ts"][:10], one["title"]) for one in pages] == [
        ("5", "2026-03-01", "第5号渡轮复航 1"),
        ("3", "2026-03-01", "第3号渡轮复航 2"),
        ("1", "2026-03-01", "第1号渡轮复航 1"),
        ("3", "2026-03-02", "第3号渡轮复航 2"),
    ]
    assert len({one["id"] for one in pages}) == 4
    for path in vault.folder.glob("_posts/**/*.md"):
        path.unlink()
    done = vault.export("wacz", "--lists")
    again = ZipFile(io.BytesIO(done.stdout_bytes))
    _, *pages = map(json.loads, again.read("pages/pages.jsonl").decode().splitlines())
    assert {one["title"] for one in pages} == {f"https://www.harbour.example/a/{n}" for n in (1, 3, 5)}
    assert len(index_of(again)) == 5, "the capture without a post too"


def test_the_package_is_what_the_specification_asks_for(packed: tuple[Vault, ZipFile]) -> None:
    vault, package = packed
    told = json.loads(package.read("datapackage.json"))
    assert (told["profile"], told["wacz_version"], told["title"]) == ("data-package", "1.1.1", "Harbour & more")
    assert told["created"] == vault.ledger.read(sa.select(changes.c.moment).order_by(-changes.c.number))[0][0]
    names = ["archive/data.warc.gz", "indexes/index.cdx.gz", "indexes/index.idx", "pages/pages.jsonl"]
    assert package.namelist() == [*names, "datapackage.json", "datapackage-digest.json"]
    for one, name in zip(told["resources"], names, strict=True):
        data = package.read(name)
        assert one == {
            "name": name.rpartition("/")[2],
            "path": name,
            "hash": f"sha256:{sha256(data).hexdigest()}",
            "bytes": len(data),
        }
    assert all(package.getinfo(name).compress_type == ZIP_STORED for name in names[:2]), "for random access"
    digest = {"path": "datapackage.json", "hash": f"sha256:{sha256(package.read('datapackage.json')).hexdigest()}"}
    assert json.loads(package.read("datapackage-digest.json")) == digest


def test_the_same_captures_give_the_same_file(packed: tuple[Vault, ZipFile]) -> None:
    vault, package = packed
    out = vault.folder.parent / "all.wacz"
    vault.export("wacz", "--out", str(out))
    there = ZipFile(out)
    assert [(one.filename, one.CRC, one.date_time) for one in there.infolist()] == [
        (one.filename, one.CRC, one.date_time) for one in package.infolist()
    ]
    vault.export("wacz", "--out", f"{out}.2")
    assert out.read_bytes() == Path(f"{out}.2").read_bytes()


def test_readers_that_seek_find_where_each_file_begins(packed: tuple[Vault, ZipFile]) -> None:
    """wabac.js takes a directory entry without an extra field for a file whose own head has none either."""
    _, package = packed
    raw = package.fp
    assert raw is not None
    for one in package.infolist():
        raw.seek(one.header_offset + 26)
        name, extra = struct.unpack("<HH", raw.read(4))
        assert one.extra or not extra
        raw.seek(one.header_offset + 30 + name + extra)
        data = raw.read(one.compress_size)
        assert (data if one.compress_type == ZIP_STORED else zlib.decompress(data, -15)) == package.read(one)


def test_an_export_of_nothing_can_be_read(vault: Vault) -> None:
    package = ZipFile(io.BytesIO(vault.export("wacz").stdout_bytes))
    assert index_of(package) == []
    assert [kind for kind, _, _ in records(package.read("archive/data.warc.gz"))] == ["warcinfo"]


@pytest.mark.parametrize("form", ["warc", "wacz"])
def test_memory_stays_flat(vault: Vault, form: str) -> None:
    body = bytes(range(256)) * 2048
    for number in range(16):
        packed = (("Content-Encoding", "gzip"),)
        vault.capture(number, payload=f"{number}".encode() + body, headers=packed)
    out = str(vault.folder.parent / "out")
    tracemalloc.start()
    try:
        vault.export(form, "--out", out)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert Path(out).stat().st_size > 8_000_000


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.Example.com", "com,example)/"),
        ("http://www2.a.example:80/x/", "example,a)/x"),
        ("https://a.example:8443/B//c/../d.html#top", "example,a:8443)/b/d.html"),
        ("https://a.example/?b=2&A=1&a", "example,a)/?a&a=1&b=2"),
        ("https://a.example/%E4%B8%AD%2520?q=中", "example,a)/%e4%b8%ad%20?q=%e4%b8%ad"),
        ("https://中.example/a b", "example,xn--fiq)/a%20b"),
        ("https://user:secret@a.example./.", "example,a)/"),
        ("https://a.example:x/ y", "https://a.example:x/%20y"),
        ("not an address", "not%20an%20address"),
    ],
)
def test_keys_of_the_index(url: str, key: str) -> None:
    assert surt(url) == key


@given(st.text(max_size=40))
def test_a_key_is_one_word(url: str) -> None:
    """Whatever the address: lines of the index are parted at blanks and sorted as bytes."""
    for one in (surt(url), surt(f"https://a.example/{url}")):
        assert one.isascii()
        assert not any(sign.isspace() for sign in one)
