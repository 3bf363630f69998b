"""``presskeep export parquet|sqlite|epub``: what these files hold, read by those whose formats they are."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pyarrow import parquet as reader

from crawler.archive.site import category_page
from crawler.export import epub, parquet, rows, sqlite
from crawler.items import Attribution
from tests.shop import FIRST, Shop, invented, new_shop, order_of

XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return new_shop(tmp_path / "archive")


def stock(shop: Shop) -> None:
    """Three articles, one of them gone."""
    shop.keep(1, byline=("林舟", "高岸"), attribution=Attribution("来源：海港日报", "海港日报", "label"))
    shop.keep(2, language="zh-CN", modified=FIRST)
    shop.keep(3, category="pier")
    shop.settle("k2", gone="2026-04-01T00:00:00Z")


def told(shop: Shop, *words: str) -> list[dict[str, Any]]:
    """The lines of an export as JSON Lines, in the shape of rows."""
    rows = []
    for line in shop.lines(*words)[:-1]:
        row = {name: value for name, value in line.items() if not name.startswith("@") and value not in ("", [])}
        row |= {name: line[name]["name"] for name in ("publisher", "sourceOrganization") if name in line}
        row |= {"author": [one["name"] for one in line["author"]]} if "author" in line else {}
        rows.append(row)
    return rows


def read_parquet(data: bytes) -> list[dict[str, Any]]:
    """Its rows as ``told`` has them."""
    rows = []
    for row in reader.read_table(io.BytesIO(data)).to_pylist():
        rows.append({name: value for name, value in row.items() if value is not None})
        for name, value in rows[-1].items():
            if isinstance(value, datetime):
                utc = name in ("moment", "gone")
                rows[-1][name] = value.isoformat().replace("+00:00", "Z") if utc else value.isoformat()
    return rows


def test_parquet_holds_what_the_lines_say(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    stock(shop)
    data = shop.export("parquet").stdout_bytes
    assert read_parquet(data) == told(shop)
    assert read_parquet(shop.export("parquet", "--since", "2").stdout_bytes) == told(shop, "--since", "2")
    file = reader.ParquetFile(io.BytesIO(data))
    assert file.schema_arrow.names == [*rows.LINE, *rows.ARTICLE]
    assert {name: str(file.schema_arrow.field(name).type) for name in ("sequence", "keywords", "datePublished")} == {
        "sequence": "int64",
        "keywords": "list<element: string>",
        "datePublished": "timestamp[us, tz=Asia/Shanghai]",
    }
    assert file.schema_arrow.metadata[b"next"] == b"4"
    assert f"@{file.schema_arrow.metadata[b'log'].decode()}" in shop.export("csv").stderr
    assert file.num_row_groups == 1

    def groups() -> int:
        return int(reader.ParquetFile(io.BytesIO(shop.export("parquet").stdout_bytes)).num_row_groups)

    monkeypatch.setattr(parquet, "_ROWS", 2)
    assert groups() == 2
    monkeypatch.setattr(parquet, "_CHARACTERS", 10)
    assert groups() == 4, "each article is enough for a group"


def test_an_empty_parquet_file_is_one(shop: Shop) -> None:
    assert reader.read_table(io.BytesIO(shop.export("parquet").stdout_bytes)).num_rows == 0


def test_a_time_that_is_none_is_null() -> None:
    """The ledger's times may be older than its rules."""
    out = io.BytesIO()
    item = invented()
    object.__setattr__(item.entry, "moment", "never")
    parquet.write(out, order_of(item))
    assert reader.read_table(out).to_pylist()[0]["moment"] is None


def read_sqlite(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Table -> rows, in their order, without what is null."""
    with closing(sqlite3.connect(path)) as file:
        file.row_factory = sqlite3.Row
        assert file.execute("pragma integrity_check").fetchone()[0] == "ok"
        orders = {"articles": "space, identifier", "events": "sequence", "about": "name"}
        read = {name: file.execute(f"select * from {name} order by {by}").fetchall() for name, by in orders.items()}
    return {
        name: [{key: row[key] for key in row.keys() if row[key] is not None} for row in rows]  # noqa: SIM118
        for name, rows in read.items()
    }


def test_sqlite_holds_what_the_lines_say(shop: Shop, tmp_path: Path) -> None:
    stock(shop)
    path = tmp_path / "news.sqlite"
    shop.export("sqlite", "--out", str(path))
    held = read_sqlite(path)
    lines = told(shop)
    gone = {line["identifier"]: line["gone"] for line in lines if line["event"] == "tombstone"}
    wanted = []
    for line in lines:
        if line["event"] == "new":
            row = {**line, "gone": gone.get(line["identifier"])}
            row |= {name: json.dumps(row[name], ensure_ascii=False) for name in row if isinstance(row[name], list)}
            wanted.append(
                {name: row[name] for name in row if row[name] and name not in ("event", "moment", "revision")}
            )
    for article in held["articles"]:
        assert article.pop("revision") == 0
    assert held["articles"] == sorted(wanted, key=lambda row: row["identifier"])
    names = {"sequence", "event", "moment", "space", "identifier", "revision", "digest", "gone"}
    assert held["events"] == [{name: line[name] for name in line if name in names} for line in lines]
    with closing(sqlite3.connect(path)) as file:
        asked = "select j.value, a.headline from articles a, json_each(a.author) j where a.datePublished < '2026-03-03'"
        assert [one for one, _ in file.execute(asked)] == ["林舟", "高岸"]
        assert file.execute("pragma journal_mode").fetchone() == ("delete",)


def test_sqlite_is_brought_up_to_date_where_it_lies(shop: Shop, tmp_path: Path) -> None:
    """Edited, gone, there again: then it holds what a new file would, but for lines that count no more."""
    stock(shop)
    path = tmp_path / "news.sqlite"
    shop.export("sqlite", "--out", str(path))
    shop.keep(3, title="改过的标题", revision=1)
    shop.settle("k2", gone="")
    shop.settle("k1", gone="2026-05-01T00:00:00Z")
    shop.keep(4)
    inode = path.stat().st_ino
    done = shop.export("sqlite", "--out", str(path), "--since", "4", "--json")
    assert json.loads(done.stdout)["written"] == 2
    assert path.stat().st_ino == inode
    shop.export("sqlite", "--out", str(tmp_path / "new.sqlite"))
    held, new = read_sqlite(path), read_sqlite(tmp_path / "new.sqlite")
    assert held["articles"] == new["articles"]
    assert [one.get("gone", "") for one in held["articles"]] == ["2026-05-01T00:00:00Z", "", "", ""]
    assert held["about"] == new["about"]
    assert [one["sequence"] for one in held["events"]] == [*range(1, 9)]
    before = path.read_bytes()
    shop.export("sqlite", "--out", str(path), "--since", "2")
    assert read_sqlite(path) == held, "asked twice, nothing is there twice"
    assert len(path.read_bytes()) == len(before)


def test_what_moves_to_another_category_leaves_the_file_of_the_first(shop: Shop, tmp_path: Path) -> None:
    """Edited or read anew; what is new elsewhere does not even come up."""
    stock(shop)
    path = tmp_path / "ferry.sqlite"
    ferry = ["sqlite", "--category", "ferry"]
    shop.export(*ferry, "--out", str(path))
    shop.keep(1, category="pier")
    shop.keep(3, revision=1)
    shop.keep(5, category="pier")
    shop.keep(2, category="pier", revision=1)
    shop.export(*ferry, "--out", str(path), "--since", "4")
    shop.export(*ferry, "--out", str(tmp_path / "new.sqlite"))
    held, new = read_sqlite(path), read_sqlite(tmp_path / "new.sqlite")
    assert [one["identifier"] for one in held["articles"]] == ["k3"]
    assert held["articles"] == new["articles"]
    assert [(one["event"], one["identifier"]) for one in held["events"][-3:]] == [
        ("outside", "k1"), ("edited", "k3"), ("outside", "k2"),
    ]  # fmt: skip


def test_lines_say_what_is_outside_the_category_now(shop: Shop) -> None:
    stock(shop)
    shop.keep(1, category="pier", revision=1)
    since = ("--category", "ferry", "--since", "4")
    (line,) = told(shop, *since)
    assert (line["event"], line["identifier"], "headline" in line) == ("outside", "k1", False)
    assert read_parquet(shop.export("parquet", *since).stdout_bytes) == [line]
    (row,) = csv.DictReader(io.StringIO(shop.export("csv", *since).stdout))
    assert {name: value for name, value in row.items() if value} == {name: str(line[name]) for name in line}
    assert "outside" not in {one["event"] for one in told(shop, "--category", "ferry")}, "of all, nothing was there"


def test_sqlite_stays_as_it_was_where_bringing_it_up_to_date_fails(shop: Shop, tmp_path: Path) -> None:
    stock(shop)
    path = tmp_path / "news.sqlite"
    shop.export("sqlite", "--out", str(path))
    held = read_sqlite(path)
    shop.keep(4)
    shop.keep(5)
    put, done = sqlite._put, []

    def torn(*what: Any) -> None:
        put(*what)
        done.append(what)
        if len(done) == 2:
            raise OSError("the disk is full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crawler.export.sqlite._put", torn)
        shop.export("sqlite", "--out", str(path), "--since", "4", code=74)
    assert read_sqlite(path) == held
    with closing(sqlite3.connect(path)) as other:
        other.execute("begin immediate")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("crawler.export.sqlite._WAIT", 0.01)
            assert "locked" in shop.export("sqlite", "--out", str(path), "--since", "4", code=74).stderr


def test_sqlite_files_that_are_not_to_be_brought_up_to_date(shop: Shop, tmp_path: Path) -> None:
    stock(shop)
    path = tmp_path / "news.sqlite"
    words = ["sqlite", "--out", str(path)]
    path.write_bytes(b"no database, whatever its name is, as one sees at once" * 20)
    assert "file is not a database" in shop.export(*words, "--since", "1", code=2).stderr
    path.unlink()
    with closing(sqlite3.connect(path)) as file:
        file.execute("create table mine (x)")
    assert "no file of presskeep export sqlite" in shop.export(*words, "--since", "1", code=2).stderr
    shop.export(*words, "--category", "ferry")
    for other in ((), ("--category", "ferry", "--to", "2026-03-09"), ("--category", "ferry", "--from", "2026-03-01")):
        said = shop.export(*words, *other, "--since", "1", code=2).stderr
        assert "another source, category or days" in said
    shop.keep(4)
    said = shop.export(*words, "--category", "ferry", "--since", "5", code=2).stderr
    assert "holds what came up to 4. Next: --since 4@" in said
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("update about set value = '0' where name = 'log'")
    assert "another log" in shop.export(*words, "--category", "ferry", "--since", "1", code=2).stderr


class Book:
    """An EPUB as its readers take it: from container to package, from there to contents and chapters."""

    def __init__(self, data: bytes) -> None:
        self.zip = zipfile.ZipFile(io.BytesIO(data))
        assert data[30:58] == b"mimetypeapplication/epub+zip", "first, stored, without extra field"
        container = etree.fromstring(self.zip.read("META-INF/container.xml"))
        self.place = str(container[0][0].get("full-path"))
        self.package = etree.fromstring(self.zip.read(self.place))
        items = self.package.findall(f"{OPF}manifest/{OPF}item")
        self.files = {str(one.get("id")): str(one.get("href")) for one in items}
        assert len(self.files) == len(set(self.files.values())) == len(items)
        named = {"mimetype", "META-INF/container.xml", self.place, *map(self.beside, self.files.values())}
        assert sorted(named) == sorted(self.zip.namelist())
        self.spine = [self.files[str(one.get("idref"))] for one in self.package.iter(f"{OPF}itemref")]
        self.nav = self.page("nav.xhtml")
        links = [one.get("href") for one in self.nav.iter(f"{XHTML}a")]
        assert ["nav.xhtml", *links] == self.spine, "in the order of the contents"
        assert sorted({*self.spine, "style.css"}) == sorted(self.files.values())

    def beside(self, name: str) -> str:
        return str(Path(self.place).with_name(name))

    def page(self, name: str) -> etree._Element:
        return etree.fromstring(self.zip.read(self.beside(name)))

    def said(self, name: str) -> str:
        found = self.package.findtext(f"{OPF}metadata/{{http://purl.org/dc/elements/1.1/}}{name}")
        assert found
        return found


def test_a_book_of_a_day(shop: Shop) -> None:
    stock(shop)
    shop.keep(7, published=FIRST.replace(day=4, hour=1), category="pier", title="早")
    (shop.folder / "category" / "pier.html").write_bytes(category_page("pier", "码头 & 栈桥"))
    data = shop.export("epub", "--from", "2026-03-01", "--to", "2026-03-06").stdout_bytes
    book = Book(data)
    assert (book.said("title"), book.said("language")) == ("Harbour & more · 2026-03-01 – 2026-03-06", "zh-CN")
    assert book.said("date") == "2026-03-04"
    assert [one.text for one in book.nav.iter(f"{XHTML}span")] == ["ferry", "码头 & 栈桥"]
    assert book.spine[1:] == ["a1.xhtml", "a2.xhtml", "a5.xhtml", "a3.xhtml"], "by category, then by time"
    page = book.page("a1.xhtml")
    assert page.findtext(f".//{XHTML}h1") == "第1号渡轮“复航” & <more>"
    facts, first, second, link = page.iter(f"{XHTML}p")
    assert facts.text == "2026-03-02 12:30 · 林舟 · 高岸 · 海港日报 · harbour"
    assert (first.text, second.text) == ("渡轮1号今天复航。", "船长说，风浪 < 3 米。")
    assert link[0].get("href") == link[0].text == "https://harbour.example/a/1?x=1&y=2"
    assert shop.export("epub", "--from", "2026-03-01", "--to", "2026-03-06").stdout_bytes == data
    day = Book(shop.export("epub", "--day", "2026-03-02").stdout_bytes)
    assert (day.said("title"), day.spine) == ("Harbour & more · 2026-03-02", ["nav.xhtml", "a1.xhtml"])
    assert day.said("identifier") != book.said("identifier")
    later = Book(shop.export("epub", "--since", "3", "--category", "pier").stdout_bytes)
    assert (later.said("title"), later.spine) == ("Harbour & more · 码头 & 栈桥", ["nav.xhtml", "a5.xhtml"])


def test_a_book_without_articles_is_none(shop: Shop, tmp_path: Path) -> None:
    stock(shop)
    out = tmp_path / "day.epub"
    said = shop.export("epub", "--day", "2026-01-01", "--out", str(out), code=2).stderr
    assert "no article to make a book of" in said
    assert not out.exists()


def test_a_book_holds_no_pictures_of_others_and_nothing_that_is_no_standard() -> None:
    body = (
        '<center><img src="https://a.example/1.jpg" alt="渡轮"></center>'
        '<p><a href="https://a.example/2"><img src="https://a.example/2.jpg"> behind</a>&nbsp;'
        '<font color="red">x</font><br>y</p><script>alert(1)</script>'
    )
    out = io.BytesIO()
    epub.write(out, order_of(invented(body=body, link="https://a.example/0")))
    page = Book(out.getvalue()).page("a1.xhtml")
    assert not {"img", "center", "font", "script"} & {etree.QName(one).localname for one in page.iter()}
    first, second, foot = page.iter(f"{XHTML}a")
    assert (first.get("href"), first.text) == ("https://a.example/1.jpg", "[渡轮]")
    assert (second[0].text, second[0].tail) == ("[https://a.example/2.jpg]", " behind")
    assert second.tail == "\xa0x"
    assert foot.text == "https://a.example/0"


@pytest.mark.parametrize(
    ("body", "held"),
    [
        ("<ruby>渡<rt>du</rt>轮<rt>lun</rt></ruby>", "<ruby>渡<rt>du</rt>轮<rt>lun</rt></ruby>"),
        ("<ruby>渡<rp>(</rp><rt>du</rt><rp>)</rp></ruby>", "<ruby>渡<rp>(</rp><rt>du</rt><rp>)</rp></ruby>"),
        ("<ruby><rt>du</rt></ruby>", "<span><span>du</span></span>"),
        ("<ruby>渡</ruby>", "<span>渡</span>"),
        ("<dl><dt>a</dt><dd>b</dd><dd>c</dd></dl>", "<dl><dt>a</dt><dd>b</dd><dd>c</dd></dl>"),
        ("<dl><dd>b</dd><dt>a</dt></dl>", "<div><div>b</div><p>a</p></div>"),
        ("<ruby><ruby>渡</ruby></ruby>", "<span><span>渡</span></span>"),
        ("<table><tr><td>a</td></tr><caption>b</caption></table>", "<table><caption>b</caption><tr><td>a</td></tr>"),
    ],
)
def test_children_that_stand_in_no_order_lose_their_names(body: str, held: str) -> None:
    """A reader may refuse the book for them."""
    page = epub._xhtml(body)
    assert held in page.replace("\n ", "").replace("\n", "").replace("<tbody>", "").replace("</tbody>", "")


TEXTS = st.text(max_size=40)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=3))
def test_any_articles_make_files_that_can_be_read(texts: list[tuple[str, str, str]]) -> None:
    items = [
        invented(
            number,
            title=title or "–",
            body=body,
            digest=title,
            tags=(tag,),
            categories=(tag,),
            fields={"authors": [tag], "language": tag, "original": title, "attribution": body},
        )
        for number, (title, body, tag) in enumerate(texts, 1)
    ]
    out = io.BytesIO()
    assert epub.write(out, order_of(*items)) == len(items)
    book = Book(out.getvalue())
    assert all(re.fullmatch("[A-Za-z0-9-]+", str(book.page(name).get("lang"))) for name in book.spine)
    out = io.BytesIO()
    parquet.write(out, order_of(*items))
    assert [row["headline"] for row in reader.read_table(out).to_pylist()] == [item.post.title for item in items]
    out = io.BytesIO()
    sqlite.write(out, order_of(*items))
    with closing(sqlite3.connect(":memory:")) as file:
        file.deserialize(out.getvalue())
        rows = file.execute("select headline, author from articles order by sequence").fetchall()
    assert [one for one, _ in rows] == [item.post.title for item in items]
    assert [tuple(json.loads(names or "[]")) for _, names in rows] == [item.authors for item in items]


def test_times_of_a_book_are_those_of_its_posts() -> None:
    """Not of the clock, so that the same posts give the same bytes; the last that was noted says its own."""
    out = io.BytesIO()
    epub.write(out, order_of(invented(1, datetime(2026, 3, 1, 23, 59, tzinfo=UTC)), invented(2)))
    book = Book(out.getvalue())
    assert book.package.findtext(f".//{OPF}meta[@property='dcterms:modified']") == "2026-03-09T10:00:00Z"
    assert {one.date_time for one in book.zip.infolist()} == {(1980, 1, 1, 0, 0, 0)}
