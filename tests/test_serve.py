"""``presskeep serve``: every address of the site without Ruby, safe against its posts and against other sites."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree, html

from crawler.archive.ledger import Kept, Ledger
from crawler.archive.post import write_post
from crawler.archive.site import TEMPLATE
from crawler.archive.style import BackLink, PostStyle
from crawler.cli import main
from crawler.items import Article, Attribution
from crawler.serve import library as library_module
from crawler.serve.answer import Answer
from crawler.serve.library import Library
from crawler.serve.look import HERE, Look, words
from crawler.serve.reader import Reader
from crawler.serve.server import Servers, addresses, is_ours, policy
from tests.browser import dump, measure, needs_browser, serve
from tests.story import ENVIRONMENT, PRESSKEEP, Archive

START = datetime(2026, 3, 10, 2, tzinfo=UTC)
STYLE = PostStyle(
    timezone="Asia/Shanghai",
    fields=("source", "key", "original", "attribution", "authors", "language"),
    back=(BackLink(label="返回{tag}", href="/category/{category}.html"), BackLink(label="返回首页", href="/")),
)
SECRET = "contact: keeper@archive.example"


def article(number: int, **changes: Any) -> Article:
    """An invented one: a day each, two sources, two categories."""
    source, category, tag = [("harbour", "harbour-daily", "海港日报"), ("town", "town", "Town Crier")][number % 2]
    made = Article(
        source=source,
        space=source,
        key=f"{number}",
        url=f"https://{source}.example/{number}",
        link=f"https://{source}.example/{number}",
        title=f"第{number}号渡轮恢复通航",
        body=f"<p>第{number}号渡轮今天恢复通航，船长说风浪不大。</p>\n<p>The pier was painted.</p>",
        published=START - timedelta(hours=20 * number),
        attribution=Attribution(tag, tag, "label"),
        category=category,
        tags=(tag,),
        language="zh",
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@dataclass
class Site:
    """An archive of posts and ledger alone, as a crawl leaves it, without stubs and data files."""

    archive: Archive

    @classmethod
    def new(cls, folder: Path, count: int = 6, **values: Any) -> Site:
        made = cls(Archive.new(folder, **values))
        (made.folder / "presskeep.yml").open("a").write(f"\n{SECRET}\n")
        (made.folder / "sources" / "own.yml").write_text(SECRET)
        made.keep(*map(article, range(count)))
        return made

    @property
    def folder(self) -> Path:
        return self.archive.folder

    def keep(self, *articles: Article) -> list[str]:
        """Their paths."""
        kept = []
        for one in articles:
            assert one.published
            data = write_post(one, STYLE)
            day = one.published.astimezone(ZoneInfo("Asia/Shanghai")).date()
            kept.append(self.put(f"_posts/{day:%Y/%m/%d}/{day}-{one.key}.md", data, one))
        with closing(Ledger(self.archive.state / "ledger.sqlite")) as ledger:
            ledger.keep(kept)
        return [one.path for one in kept]

    def put(self, path: str, data: bytes, one: Article) -> Kept:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(data)
        since = "2026-03-12T00:00:00Z"
        return Kept(one.space, one.key, one.source, path, sha256(data).hexdigest(), since=since)

    def url(self, number: int) -> str:
        one = article(number)
        assert one.published
        day = one.published.astimezone(ZoneInfo("Asia/Shanghai"))
        return f"/{one.category}/{day:%Y/%m/%d}/{number}.html"


class Running:
    """A reader of an archive, and what it answers."""

    def __init__(self, folder: Path, picture: str = "Image") -> None:
        self.library = Library(folder, picture=picture)
        self.look = Look(folder, self.library.site.baseurl)
        self.reader = Reader(self.library, self.look)
        self.library.catch_up()

    def get(self, address: str) -> Answer:
        path, _, query = address.partition("?")
        return self.reader(path, query)

    def text(self, address: str, status: int = 200) -> str:
        answer = self.get(address)
        assert answer.status == status, f"{address}: {answer.status}"
        return answer.body.decode()

    def page(self, address: str, status: int = 200) -> html.HtmlElement:
        return html.fromstring(self.text(address, status))

    def links(self, address: str, css: str = "main a") -> list[str]:
        return [str(link.get("href")) for link in self.page(address).cssselect(css)]

    def titles(self, address: str) -> list[str]:
        return [title.text_content() for title in self.page(address).cssselect(".stories :is(h2, h3)")]

    def close(self) -> None:
        self.library.close()
        self.look.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site.new(tmp_path_factory.mktemp("serve") / "archive")


@pytest.fixture(scope="module")
def reader(site: Site) -> Iterator[Running]:
    running = Running(site.folder)
    yield running
    running.close()


@pytest.fixture(scope="module")
def server(reader: Running) -> Iterator[Servers]:
    made = Servers("localhost", 0, reader.reader)
    made.start()
    yield made
    made.close()


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An archive that a test may change; what changed is seen at once."""
    monkeypatch.setattr(library_module, "_REST", 0)
    return Site.new(tmp_path / "archive")


@pytest.fixture
def running(own: Site) -> Iterator[Running]:
    made = Running(own.folder)
    yield made
    made.close()


# the site's addresses


def test_every_address_of_the_site_is_there_without_stubs_and_data_files(reader: Running, site: Site) -> None:
    assert not (site.folder / "_data" / "days").exists()
    told = {
        "/": "第0号渡轮恢复通航",
        "/index.html": "第5号渡轮恢复通航",
        "/archive.html": "2026",
        "/archive/2026.html": "/archive/2026/03/10.html",
        "/archive/2026/03.html": "/archive/2026/03/09.html",
        "/archive/2026/03/10.html": "第0号渡轮恢复通航",
        "/categories.html": "/category/town.html",
        "/sources.html": "/source/town.html",
        "/category/town.html": "第1号渡轮恢复通航",
        "/tags.html": "/tag/town-crier.html",
        "/tag/town-crier.html": "第3号渡轮恢复通航",
        "/source/town.html": "第5号渡轮恢复通航",
        site.url(2): "第2号渡轮今天恢复通航",
    }
    for address, holds in told.items():
        answer = reader.get(address)
        assert (answer.status, answer.kind) == (200, "text/html; charset=utf-8"), address
        assert holds in answer.body.decode(), address


def test_every_link_of_every_page_leads_to_a_page(reader: Running) -> None:
    seen, ahead = set[str](), ["/"]
    while ahead:
        address = ahead.pop()
        if address in seen or not address.startswith("/"):
            continue
        seen.add(address)
        answer = reader.get(address)
        if answer.status == 302:
            ahead.append(answer.location)
            continue
        assert answer.status == 200, address
        if answer.kind.startswith("text/html"):
            tree = html.fromstring(answer.body.decode())
            ahead += [str(link.get("href")).partition("#")[0] or address for link in tree.cssselect("[href]")]
    assert {"/search", "/health", "/gaps", "/serve.css", "/assets/style.css", "/category/town.xml"} <= seen


def test_a_post_is_shown_with_what_the_archive_knows_of_it(reader: Running, site: Site) -> None:
    page = reader.page(site.url(2))
    assert page.cssselect("h1")[0].text_content() == "第2号渡轮恢复通航"
    assert "The pier was painted." in page.cssselect(".body")[0].text_content()
    assert "2026-03-12" in reader.text(site.url(2)), "when it was archived"
    links = reader.links(site.url(2))
    assert {site.url(1), site.url(3), "https://harbour.example/2", "/category/harbour-daily.html"} <= set(links)
    assert "<script>" not in reader.text(site.url(2))


def test_lists_are_by_day_the_newest_first(reader: Running) -> None:
    assert reader.titles("/") == [f"第{number}号渡轮恢复通航" for number in range(6)]
    assert reader.titles("/category/town.html") == [f"第{number}号渡轮恢复通航" for number in (1, 3, 5)]
    assert reader.titles("/source/harbour.html") == [f"第{number}号渡轮恢复通航" for number in (0, 2, 4)]
    days = reader.page("/archive/2026/03.html").cssselect("td a")
    assert [day.get("href")[-7:-5] for day in days] == ["06", "07", "08", "09", "10"]


@pytest.mark.parametrize("address", ["/feed.xml", "/category/town.xml"])
def test_feeds_are_feeds(reader: Running, address: str) -> None:
    answer = reader.get(address)
    assert answer.kind == "application/atom+xml; charset=utf-8"
    feed = etree.fromstring(answer.body)
    titles = feed.findall(".//{http://www.w3.org/2005/Atom}entry/{http://www.w3.org/2005/Atom}title")
    assert len(titles) == (6 if address == "/feed.xml" else 3)


@pytest.mark.parametrize(
    "address",
    [
        *("/nothing.html", "/category/none.html", "/category/none.xml", "/source/none.html", "/tag/none.html"),
        *("/archive/2025.html", "/archive/2026/13.html", "/archive/2026/03/31.html", "/archive/2026/03/99.html"),
        *("/town/2026/03/10/0.html", "/harbour-daily/2026/03/09/0.html", "/harbour-daily/2026/13/40/0.html"),
        *("/diff/town/2026/03/10/none.html", "/assets/none.css", "/assets/", "/category/town/2026/13.html"),
    ],
)
def test_what_is_not_there_is_said_in_the_site_s_own_page(reader: Running, address: str) -> None:
    page = reader.page(address, 404)
    assert page.cssselect("h1")[0].text_content() == "没有这个页面"


def test_months_that_the_published_site_has_packed_can_be_browsed(reader: Running) -> None:
    assert reader.get("/category/town/older.html").location == "/browse?category=town"
    assert reader.get("/source/town/older.html").location == "/browse?source=town"
    for kind in ("category", "source"):
        answer = reader.get(f"/{kind}/town/2026/02.html")
        assert (answer.status, answer.location) == (302, f"/browse?{kind}=town&from=2026-02-01&to=2026-02-28")


def test_a_long_list_is_cut_and_the_rest_can_be_browsed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.serve.pages.MOST", 2)
    for address in ("/category/town.html", "/source/town.html", "/tag/town-crier.html"):
        assert len(running.titles(address)) == 2
        (more,) = (link for link in running.links(address, ".reader a") if link.startswith("/browse?"))
        assert len(running.titles(more)) == 3
        (count,) = running.page(address).cssselect(".count")
        assert sorted(one for one in count.text_content() if one.isdigit()) == ["2", "3"]
    for kind in ("category", "source"):
        assert f"/{kind}/town/older.html" in running.links(f"/{kind}/town.html")


def test_below_a_base_all_addresses_are_below_it(tmp_path: Path) -> None:
    made = Site.new(tmp_path / "archive")
    for name in ("presskeep.yml", "_config.yml"):
        path = made.folder / name
        path.write_text(
            path.read_text().replace('#baseurl: ""', 'baseurl: "/news"').replace('baseurl: ""', 'baseurl: "/news"')
        )
    running = Running(made.folder)
    assert running.get("/").location == "/news/"
    assert running.get("/archive.html").status == 404
    for address in ("/news/", f"/news{made.url(1)}", "/news/health", "/news/search?q=pier"):
        inside = [link for link in running.links(address, "a") if link.startswith("/")]
        assert inside
        posts_own = {"/", "/category/harbour-daily.html", "/category/town.html"}  # written before there was a base
        assert all(link.startswith("/news/") for link in inside if link not in posts_own), address
    assert running.get("/newsletter").status == 404
    running.close()


def test_posts_of_other_hands_are_found_by_their_addresses(own: Site) -> None:
    """Names with another day than the date, no category, Markdown, signs in names."""
    hands = {
        "2026-02-01-elsewhere.md": ("2026-02-03 00:10:00 +0800", "Odd", "/odd/2026/02/03/elsewhere.html"),
        "2026-02-05-渡 轮.md": ("2026-02-05 10:00:00 +0800", "odd", "/odd/2026/02/05/渡-轮.html"),
        "2026-02-06-bare.md": ("2026-02-06 10:00:00 +0800", "", "/2026/02/06/bare.html"),
    }
    kept = []
    for number, (name, (date, category, _)) in enumerate(hands.items(), 50):
        front = f"---\ntitle: Post {number}\ndate: {date}\ncategories: {category}\n---\nSome *words*.\n\nAnd more.\n"
        kept.append(own.put(f"_posts/{name}", front.encode(), article(number)))
    with closing(Ledger(own.archive.state / "ledger.sqlite")) as ledger:
        ledger.keep(kept)
    running = Running(own.folder)
    for number, (_, _, address) in enumerate(hands.values(), 50):
        assert f"Post {number}" in running.text(quote(address)), address
        assert quote(address) in running.links("/"), address
    running.close()


# what changes while it is read


def test_a_new_post_is_there_at_the_next_request(own: Site, running: Running) -> None:
    own.keep(article(0, key="900", title="Harbour reopens", published=START + timedelta(days=1)))
    assert running.titles("/")[0] == "Harbour reopens"
    assert running.titles("/search?q=reopens") == ["Harbour reopens"]


def test_a_post_that_vanished_is_left_out(own: Site, running: Running) -> None:
    (path,) = own.folder.glob("_posts/**/*-2.md")
    path.unlink()
    assert "第2号渡轮恢复通航" not in running.titles("/")
    assert len(running.titles("/")) == 5
    assert running.get(own.url(2)).status == 404
    assert "第2号渡轮恢复通航" not in running.titles("/search?q=渡轮")


@pytest.mark.parametrize("damage", ["gone", "torn"])
def test_an_index_that_is_lost_or_torn_is_made_anew(own: Site, running: Running, damage: str) -> None:
    path = own.archive.state / "search.sqlite"
    path.unlink()
    if damage == "torn":
        path.write_bytes(b"no database" * 1000)
    running.get("/")
    assert running.titles("/search?q=渡轮")
    assert len(running.titles("/")) == 6


def test_while_the_index_is_being_made_pages_say_so(own: Site, running: Running) -> None:
    with running.library._following:
        running.library.progress = 2, 6
        assert "已完成 2 / 6 篇" in running.page("/").cssselect(".notice")[0].text_content()
        (own.archive.state / "search.sqlite").unlink()
        assert "正在建立索引" in running.page("/").cssselect(".notice")[0].text_content()
    assert running.page("/").cssselect(".notice") == []


def test_readers_and_a_writer_at_once(own: Site, running: Running) -> None:
    wrong: list[str] = []

    def read() -> None:
        for address in ("/", own.url(1), "/search?q=渡轮", "/health", "/archive/2026/03.html", "/feed.xml"):
            try:
                if (status := running.get(address).status) != 200:
                    wrong.append(f"{address}: {status}")
            except Exception as error:
                wrong.append(f"{address}: {error!r}")

    readers = [threading.Thread(target=read) for _ in range(4)]
    for thread in readers:
        thread.start()
    for number in range(100, 110):
        own.keep(article(number))
    for thread in readers:
        thread.join()
    assert wrong == []


def test_a_ledger_made_anew_is_noticed(own: Site, running: Running) -> None:
    fresh = own.archive.state / "fresh.sqlite"
    with closing(Ledger(fresh)) as ledger, closing(Ledger(own.archive.state / "ledger.sqlite")) as old:
        ledger.keep([one for one in old.posts() if one.source == "town"])
    for suffix in ("-wal", "-shm"):
        (own.archive.state / f"ledger.sqlite{suffix}").unlink(missing_ok=True)
    fresh.replace(own.archive.state / "ledger.sqlite")
    assert len(running.titles("/")) == 3


def test_layouts_are_read_anew_when_somebody_changed_them(own: Site, running: Running) -> None:
    layout = own.folder / "_layouts" / "missing.html"
    layout.write_text("---\nlayout: default\n---\n<h1>Lost</h1>")
    os.utime(layout, (1, 1))
    assert "<h1>Lost</h1>" in running.text("/none.html", 404)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("_layouts/post.html", "---\na: 1\n---\n<p>\n {{ 1 | <b>no }}", "_layouts/post.html, line 5, column 9: exp"),
        ("_layouts/post.html", "{% if page %}", "_layouts/post.html, at its end: expected tag endif"),
        ("_layouts/post.html", "---\na: [\n---\n", "_layouts/post.html, front matter: "),
        (
            "_layouts/default.html",
            "\n {{ 1 | none }}",
            "_layouts/default.html, line 2, column 9: unknown filter",
        ),
        ("_includes/words.html", "\n\n{{ 1 | none }}", "_includes/words.html, line 3, column 8: unknown filter 'none'"),
        ("_includes/words.html", "{% include nope.html %}", "_includes/words.html, line 1, column 4: _includes/nope."),
    ],
)
def test_a_layout_that_cannot_be_rendered_is_named(
    own: Site, running: Running, capfd: pytest.CaptureFixture[str], file: str, text: str, told: str
) -> None:
    (own.folder / file).write_text(text)
    answer = running.get(own.url(1))
    assert (answer.status, answer.kind) == (500, "text/plain; charset=utf-8")
    assert f"\n{told}" in answer.body.decode()
    assert told in capfd.readouterr().err


def test_a_page_that_cannot_be_rendered_is_named(own: Site, running: Running) -> None:
    (own.folder / "index.html").write_text("---\na: 1\n---\n {{ 1 | none }}")
    assert b"\nindex.html, line 4, column 9: unknown filter" in running.get("/").body


def test_an_archive_that_lacks_layouts_is_shown_with_those_of_presskeep(own: Site) -> None:
    (own.folder / "_layouts" / "day.html").unlink()
    (own.folder / "_layouts" / "missing.html").write_text("old")
    config = own.folder / "_config.yml"
    config.write_text(config.read_text().replace('title: "Archive"', 'title: "Old archive"'))
    running = Running(own.folder)
    assert "Old archive" in running.text("/archive/2026/03/10.html")
    assert "没有这个页面" in running.text("/none.html", 404)
    assert running.get("/assets/style.css").body == (TEMPLATE / "assets" / "style.css").read_bytes()
    running.close()


# nothing is written


def test_nothing_is_written_but_the_index(own: Site) -> None:
    before = own.archive.tree(state=True)
    running = Running(own.folder)
    for address in ("/", own.url(1), "/search?q=渡轮", "/health", "/gaps", f"/diff{own.url(1)}", "/feed.xml"):
        running.get(address)
    running.close()
    after = own.archive.tree(state=True)
    assert {path for path in after if after[path] != before.get(path)} == {".presskeep/search.sqlite"}


def test_where_the_index_cannot_be_written_it_is_elsewhere(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    Running(own.folder).close()
    own.keep(article(0, key="900", title="Harbour reopens", published=START + timedelta(days=1)))
    before = own.archive.tree(state=True)
    monkeypatch.setattr(library_module, "is_writable", lambda state: False)
    running = Running(own.folder)
    assert running.titles("/search?q=reopens") == ["Harbour reopens"]
    folder = running.library._index_folder
    assert not folder.is_relative_to(own.folder)
    running.close()
    assert not folder.exists()
    assert own.archive.tree(state=True) == before


def test_an_archive_without_a_run_is_empty_and_says_so(tmp_path: Path) -> None:
    made = Archive.new(tmp_path / "archive")
    running = Running(made.folder)
    for address in (
        "/",
        "/search",
        "/search?q=x",
        "/health",
        "/gaps",
        "/archive.html",
        "/feed.xml",
        "/categories.html",
    ):
        running.text(address)
    assert "还没有存档任何文章。" in running.text("/")
    running.close()
    assert not made.state.exists()


# hostile posts


HOSTILE = {
    "body": (
        '<p onclick="alert(1)">Text<script>document.title="run"</script></p>'
        '<img src="x" onerror="document.title=\'run\'"><iframe src="https://evil.example/"></iframe>'
        "<a href=\"javascript:document.title='run'\">go</a><style>body{display:none}</style>"
        '<svg onload="document.title=\'run\'"></svg><form action="https://evil.example/"><input></form>'
    ),
    "title": "</title><script>document.title='run'</script>{{ site.url }}",
    "attribution": "<script>document.title='run'</script>",
    "language": '"><script>document.title="run"</script>',
}


def hostile(site: Site, number: int = 70) -> str:
    """Address of a post that somebody wrote to do harm."""
    front = "\n".join(f"{name}: {quoted(HOSTILE[name])}" for name in ("title", "attribution", "language"))
    extra = (
        """csp: "script-src *"\nlayout: "<script>"\noriginal: "javascript:x"\nauthors: [{a: "<b>"}]\ntags: ["<b>x"]"""
    )
    data = (
        f"---\n{front}\n{extra}\ndate: 2026-03-20 10:00:00 +0800\ncategories: evil\n---\n{HOSTILE['body']}\n\n"
        "<https://evil.example/>\n\n[back](javascript:document.title='run')｜[b](/)"
    )
    kept = site.put(f"_posts/2026/03/20/2026-03-20-{number}.md", data.encode(), article(number))
    with closing(Ledger(site.archive.state / "ledger.sqlite")) as ledger:
        ledger.keep([kept])
    return f"/evil/2026/03/20/{number}.html"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def test_a_hostile_post_is_clean_everywhere(own: Site, running: Running) -> None:
    address = hostile(own)
    for one in (address, "/", "/search?q=text", "/category/evil.html", "/archive/2026/03/20.html", f"/diff{address}"):
        text = running.text(one)
        tree = html.fromstring(text)
        scripts = tree.xpath("//script[not(@type='application/ld+json')]|//iframe|//style|//svg|//object|//embed")
        assert scripts == [], one
        assert tree.xpath("//@*[starts-with(name(), 'on')]|//*[not(self::time)]/@style") == [], one
        assert tree.xpath("//@href[contains(., 'javascript:')]|//@src[contains(., 'evil')]") == [], one
        assert "Content-Security-Policy" not in text, "the header's policy counts"
        assert all(str(form.get("action")).startswith("/") for form in tree.cssselect("form")), one
    feed = etree.fromstring(running.get("/feed.xml").body)
    content = feed.findtext(".//{http://www.w3.org/2005/Atom}content")
    assert content
    assert "<script" not in content


@needs_browser
def test_in_a_browser_nothing_of_a_post_runs_and_no_other_host_is_asked(own: Site, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "pixel.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with serve(elsewhere) as (other, asked):
        HOSTILE["body"] += f'<p><img src="{other}/pixel.png" alt="A pier"></p>'
        address = hostile(own)
        for picture in ("图片", ""):
            running = Running(own.folder, picture)
            made = Servers("127.0.0.1", 0, running.reader, images=not picture)
            made.start()
            document = dump(f"{made.address}{address}")
            made.close()
            running.close()
            assert "<title>run</title>" not in document
            assert "Text" in document
            if picture:
                assert asked == [], "no image of another host unless asked for"
                (link,) = html.fromstring(document).cssselect("a.image")
                assert (link.get("href"), link.text) == (f"{other}/pixel.png", "图片 A pier")
        assert asked == ["/pixel.png"]


@needs_browser
def test_should_a_script_slip_through_it_would_not_run(tmp_path: Path) -> None:
    """The policy alone."""

    def slipped(path: str, query: str) -> Answer:
        return Answer(b"<!doctype html><title>calm</title><script>document.title='run'</script><p onclick=x>here")

    made = Servers("127.0.0.1", 0, slipped)
    made.start()
    document = dump(made.address)
    made.close()
    assert "<title>calm</title>" in document
    assert "here" in document


# the wire


def ask(server: Servers, request: str) -> bytes:
    """What a request, written by hand, is answered."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def response(server: Servers, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        got = connection.getresponse()
        return got.status, {name.lower(): value for name, value in got.getheaders()}, got.read()


@pytest.mark.parametrize("path", ["/", "/none.html", "/assets/style.css", "/feed.xml", "/category/town/older.html"])
def test_every_answer_has_the_headers_that_keep_it_harmless(server: Servers, path: str) -> None:
    _, headers, body = response(server, path)
    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["content-length"] == str(len(body))
    assert "python" not in headers["server"].lower()


def test_images_of_other_hosts_only_where_they_are_asked_for() -> None:
    assert "img-src 'self';" in policy(False)
    assert "img-src 'self' http: https:;" in policy(True)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("localhost", 200), ("localhost:9", 200), ("127.0.0.1:80", 200), ("[::1]:8000", 200), ("LOCALHOST", 200)),
        *(("evil.example", 403), ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403), ("", 403)),
        *(("10.0.0.1", 403), ("[::2]", 403), ("evil@localhost", 200), ("localhost@evil.example", 403), ("[::1", 403)),
    ],
)
def test_the_host_that_is_asked_must_be_this_machine(server: Servers, host: str, status: int) -> None:
    answer = ask(server, f"GET /robots HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403" if status == 403 else b"HTTP/1.1 404"), answer[:80]


def test_a_request_names_one_host() -> None:
    assert is_ours(["localhost"])
    assert not is_ours([])
    assert not is_ours(["localhost", "localhost"])


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND", "BREW"]
)
def test_only_get_and_head(server: Servers, method: str) -> None:
    body = "GET /second HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = ask(server, f"{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 405")
    assert b"\r\nAllow: GET, HEAD" in head
    assert rest == b"405 Method Not Allowed\n", "what came as a body is no request"


def test_a_body_behind_get_is_no_request(server: Servers) -> None:
    body = "GET /second HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = ask(server, f"GET /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_head_is_get_without_its_body(server: Servers) -> None:
    status, headers, body = response(server, "/serve.css", "HEAD")
    _, got, whole = response(server, "/serve.css")
    assert (status, body) == (200, b"")
    assert {**headers, "date": ""} == {**got, "date": ""}
    assert headers["content-length"] == str(len(whole))


def test_what_a_browser_has_is_not_sent_again(server: Servers, site: Site) -> None:
    for path in ("/assets/style.css", site.url(1)):
        _, headers, _ = response(server, path)
        status, again, body = response(server, path, If_None_Match=f'"other", W/{headers["etag"]}')
        assert (status, body, again["etag"]) == (304, b"", headers["etag"])
        assert response(server, path, If_None_Match='"other"')[0] == 200
    _, headers, _ = response(server, "/assets/style.css")
    assert response(server, "/assets/style.css", If_Modified_Since=headers["last-modified"])[0] == 304
    assert response(server, "/assets/style.css", If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT")[0] == 200
    assert response(server, "/assets/style.css", If_Modified_Since="never")[0] == 200
    assert response(server, "/none.html", If_None_Match="*")[0] == 404
    assert headers["content-type"] == "text/css; charset=utf-8"


FORBIDDEN = [
    *("/presskeep.yml", "/sources/own.yml", "/.presskeep/ledger.sqlite", "/_posts/", "/_config.yml", "/.git/config"),
    *("/_layouts/post.html", "/assets/../presskeep.yml", "/assets/%2e%2e/presskeep.yml", "/..%2fpresskeep.yml"),
    *(
        "/assets/..%2f..%2fpresskeep.yml",
        "/assets/%5c..%5cpresskeep.yml",
        "//presskeep.yml",
        "/assets//../sources/own.yml",
    ),
    *("/%2e%2e/%2e%2e/etc/passwd", "/assets/.hidden.css", "/assets/style.css%00.png", "/%00", "/\xff", "/%ff"),
    *("http://localhost/presskeep.yml", "presskeep.yml", "*", "/assets/link.css", "/assets/own.yml", "/scrapy.cfg"),
    *(
        "/_includes/words.html",
        "/_data/words.yml",
        "/./presskeep.yml",
        "/presskeep.yml/",
        "/health.xml/../presskeep.yml",
    ),
]


def test_a_name_that_no_file_can_have_is_not_there(reader: Running) -> None:
    for name in ("a" * 300, "页" * 100):
        assert reader.get(f"/assets/{name}.png").status == 404


def test_nothing_but_the_site_is_served(site: Site, server: Servers) -> None:
    assets = site.folder / "assets"
    (assets / ".hidden.css").write_text(SECRET)
    (assets / "own.yml").write_text(SECRET)
    (assets / "link.css").symlink_to(site.folder.parent / "outside.css")
    (site.folder.parent / "outside.css").write_text(SECRET)
    for path in FORBIDDEN:
        answer = ask(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert answer[9:12] in (b"400", b"404"), (path, answer[:80])
        assert SECRET.encode() not in answer, path
        assert b"SQLite format" not in answer, path


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(["..", ".", "assets", "presskeep.yml", "sources", "own.yml", "%2e%2e", "%2f", "\\", "", "x"])
    )
)
def test_no_path_leads_out(reader: Running, parts: list[str]) -> None:
    answer = reader.get("/" + "/".join(parts))
    assert answer.status in (200, 404)
    assert SECRET.encode() not in answer.body


def test_images_that_are_kept_are_served(own: Site, running: Running) -> None:
    picture = own.folder / "images" / "ab" / "abcd.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"\x89PNG")
    (own.folder / "health.xml").write_bytes(b"<feed/>")
    assert running.get("/images/ab/abcd.png").kind == "image/png"
    assert running.get("/health.xml").body == b"<feed/>"


def test_a_fault_is_told_to_whoever_started_the_server_alone(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(path: str, query: str) -> Answer:
        raise RuntimeError("deep inside")

    made = Servers("127.0.0.1", 0, broken)
    made.start()
    status, headers, body = response(made, "/page")
    made.close()
    assert (status, body) == (500, b"500 Internal Server Error\n")
    assert "frame-ancestors" in headers["content-security-policy"]
    said = capfd.readouterr().err
    assert "/page" in said
    assert "RuntimeError: deep inside" in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "archive.example", ""])
def test_only_loopback_is_listened_on(host: str, site: Site) -> None:
    with pytest.raises(ValueError, match="no loopback address"):
        addresses(host)
    done = CliRunner().invoke(main, ["serve", "--host", host, "--archive", str(site.folder)])
    assert done.exit_code == 2
    assert "no loopback address" in done.output


def test_both_loopback_addresses_are_listened_on(server: Servers) -> None:
    assert addresses("localhost") == ["127.0.0.1", "::1"]
    assert addresses("127.0.0.2") == ["127.0.0.2"]
    assert server.address == f"http://localhost:{server.port}"
    try:
        with socket.create_connection(("::1", server.port), timeout=5) as connection:
            connection.sendall(b"GET /none HTTP/1.0\r\nHost: [::1]\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 404")
    except OSError:
        pytest.skip("no IPv6 on this machine")


# the verb


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_verb_says_where_it_is_and_ends_quietly(site: Site, end: signal.Signals) -> None:
    words = [*PRESSKEEP, "serve", "--port", "0", "--archive", str(site.folder)]
    process = subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    line = process.stdout.readline()
    port = int(line.split("localhost:")[1].split("/")[0])
    with closing(http.client.HTTPConnection("localhost", port, timeout=10)) as connection:
        connection.request("GET", "/none.html")
        assert connection.getresponse().status == 404
    if end == signal.SIGINT:
        taken = CliRunner().invoke(main, ["serve", "--port", str(port), "--archive", str(site.folder)])
        assert taken.exit_code == 2
        hint = f"Next: presskeep serve --port 0 --archive {site.folder.resolve()}"
        assert f"cannot listen on localhost, port {port}: it is taken. {hint}\n" in taken.output
    process.send_signal(end)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert line.startswith("Archive: http://localhost:")


# how it looks


def test_the_reader_s_words_are_in_each_language_and_all_used() -> None:
    assert words("en").keys() == words("zh").keys()
    assert words("zh-TW") == words("zh")
    assert words("xx") == words("en")
    used = "".join(
        path.read_text("utf-8")
        for path in [
            *HERE.glob("*.py"),
            *HERE.glob("templates/*.html"),
        ]
    )
    used += (HERE.parents[0] / "commands" / "serve.py").read_text("utf-8")
    assert [word for word in words("en") if f'"{word}"' not in used and f"w.{word} " not in used] == []


@needs_browser
def test_pages_fit_a_phone_and_a_desk(own: Site, running: Running, tmp_path: Path) -> None:
    own.archive.rows("insert into runs (started, ended, exit_code, report) values ('2026-03-10T00:00:00Z', '', 0, '')")
    pages = {
        "front": "/",
        "article": own.url(1),
        "search": "/search?q=渡轮&source=town",
        "health": "/health",
        "gaps": "/gaps",
        "diff": f"/diff{own.url(1)}",
    }
    folder = tmp_path / "pages"
    for name in ("assets/style.css", "serve.css"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(running.get(f"/{name}").body)
    for name, address in pages.items():
        (folder / f"{name}.html").write_text(running.text(address), "utf-8")
    for width in (390, 1280):
        paths = [f"{name}.html" for name in pages]
        found, asked = measure(folder, width, paths, "d.documentElement.scrollWidth + ' ' + d.title")
        assert [result.split()[0] for result in found] == [str(width)] * len(pages), dict(
            zip(pages, found, strict=True)
        )
        assert {path for path in asked if "favicon" not in path} == {
            "/probe.html",
            "/serve.css",
            "/assets/style.css",
            *(f"/{path}" for path in paths),
        }


def test_the_index_is_open_to_the_search_verb_as_well(own: Site, running: Running) -> None:
    done = CliRunner().invoke(main, ["search", "pier", "--archive", str(own.folder)])
    assert done.output.endswith("6 of 6 posts\n")
    with closing(sqlite3.connect(own.archive.state / "search.sqlite")) as connection:
        assert connection.execute("select count(*) from posts").fetchone() == (6,)
