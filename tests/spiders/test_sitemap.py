"""Sitemaps: what they name however they are written, what crawls and backfills leave alone, and indexes of indexes."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import date
from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.addressdays import day_named, days_named
from crawler.days import Days
from crawler.extract.page import Page
from crawler.extract.sitemap import Named, read_sitemap
from crawler.lists import SitemapList
from crawler.sources import load_source
from spiders.sitemap import SitemapWalk
from tests.server import Page as Answer
from tests.server import Server
from tests.story import Archive, Story, html_source, stories

URL = "https://harbour.example/maps/sitemap.xml"
SOURCE = """
id: harbour
name: Harbour
home: https://harbour.example/
language: en
timezone: Asia/Shanghai
example: https://harbour.example/a/1
lists:
  - {kind: sitemap, urls: '%s'%s}
"""
TODAY = Days(date(2026, 3, 19), date(2026, 3, 20))
NAMESPACES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" '
    'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
)


def walk(folder: Path, more: str = "", window: Days | None = None, top: str = "", url: str = URL) -> SitemapWalk:
    path = folder / "harbour.yml"
    path.write_text(SOURCE % (url, f", {more}" if more else "") + top, "utf-8")
    source = load_source(path)
    (one,) = source.lists
    assert isinstance(one, SitemapList)
    made = SitemapWalk(source, one, window)
    made.starts(TODAY)
    return made


def page(text: str | bytes, url: str = URL) -> Page:
    return Page(text if isinstance(text, bytes) else text.encode(), url)


def urlset(*urls: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>\n', space: str = NAMESPACES) -> str:
    return f"{head}<urlset {space}>{''.join(f'<url>{url}</url>' for url in urls)}</urlset>"


def index(*maps: str) -> str:
    return f"<sitemapindex {NAMESPACES}>{''.join(f'<sitemap>{one}</sitemap>' for one in maps)}</sitemapindex>"


def named(text: str | bytes) -> list[str]:
    """What can be read of it, and why no more."""
    found = []
    try:
        for one in read_sitemap(page(text)):
            found.append(one.loc)
    except ValueError as error:
        found.append(f"! {error}")
    return found


# how they are written

LOC = "<loc>https://harbour.example/a/1</loc>"
TWO = "<loc>https://harbour.example/a/2</loc>"
NEWS = (
    "<news:news><news:publication><news:name>The Other Paper</news:name><news:language>en</news:language>"
    "</news:publication><news:publication_date>2026-03-20T08:00:00+08:00</news:publication_date>"
    "<news:title>Tom &amp; Jerry&#8217;s ferry</news:title></news:news>"
)
ONE = ["https://harbour.example/a/1"]
BOTH = [*ONE, "https://harbour.example/a/2"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (urlset(LOC, TWO), BOTH),
        (urlset(), []),
        (urlset(LOC, space=""), ONE),
        (urlset(LOC, space='xmlns="https://wrong.example/"'), ONE),
        ("<s:urlset xmlns:s='x'><s:url><s:loc>https://harbour.example/a/1</s:loc></s:url></s:urlset>", ONE),
        ("\n\n \ufeff" + urlset(LOC), ONE),
        ("Warning: headers already sent\n" + urlset(LOC), ONE),
        (urlset(LOC, head="<!-- made by <hand> -->"), ONE),
        (urlset("<loc>\n  https://harbour.example/a/1\n</loc>"), ONE),
        (urlset("<loc><![CDATA[https://harbour.example/a/1?b=1&c=2]]></loc>"), [ONE[0] + "?b=1&c=2"]),
        (urlset("<loc>https://harbour.example/a/1?b=1&amp;c=2</loc>"), [ONE[0] + "?b=1&c=2"]),
        (urlset("<loc>https://harbour.example/a/1?b=1&c=2</loc>"), [ONE[0] + "?b=1&c=2"]),
        (urlset(f"<loc/>{LOC}"), ONE),
        (urlset(f"{LOC}{TWO}"), ONE),
        (urlset("<LOC>https://harbour.example/a/1</LOC>"), ONE),
        (urlset("<loc>/a/1</loc>"), ["/a/1"]),
        (urlset(f"<image:image><image:loc>https://harbour.example/p.jpg</image:loc></image:image>{LOC}"), ONE),
        (urlset(f"<image><loc>https://harbour.example/p.jpg</loc></image>{LOC}"), ONE),
        (urlset(f"<image:loc>https://harbour.example/p.jpg</image:loc>{LOC}"), ONE),
        (urlset(f"<image:image/>{LOC}", TWO), BOTH),
        (urlset(f"<image:image>{LOC}", TWO), ["", BOTH[1]]),
        (urlset(f"<xhtml:link rel='alternate' href='/x>y'/>{LOC}"), ONE),
        (urlset(f"{LOC}<news:title>3 < 4, 5 > 4 </news:title>"), ONE),
        (urlset(f"{LOC}<!-- <url><loc>https://harbour.example/a/2</loc></url> -->"), ONE),
        (urlset(LOC).replace("</url>", ""), ONE),
        (f"<url>{LOC}</url></urlset>", ONE),
        (urlset(LOC) + "<script>track()</script>", ONE),
        (urlset(LOC, TWO)[:-30], [*ONE, "! it breaks off"]),
        (urlset(LOC).removesuffix("</urlset>"), [*ONE, "! it breaks off"]),
        (urlset(LOC).encode("utf-16"), ONE),
        (urlset(LOC).encode("utf-16-le"), ONE),
        (gzip.compress(urlset(LOC).encode(), mtime=0), ONE),
        (gzip.compress(b"<urlset>", mtime=0) + gzip.compress(f"<url>{LOC}</url></urlset>".encode(), mtime=0), ONE),
        ("https://harbour.example/a/1\r\n\r\nhttps://harbour.example/a/2", BOTH),
        ("\ufeffhttps://harbour.example/a/1\r", ONE),
        ("# robots\nUser-agent: *\nDisallow: /x\nSITEMAP : https://harbour.example/a/1\nsitemap:/a/2", [*ONE, "/a/2"]),
        ("<!DOCTYPE urlset SYSTEM 'https://evil.example/x.dtd'>" + urlset(LOC, head=""), ONE),
        (
            "<!DOCTYPE x [<!ENTITY a 'https://evil.example/'>]>" + urlset("<loc>&a;</loc>", head=""),
            ["! it declares a document type of its own, which is refused"],
        ),
        (
            ("<!DOCTYPE x [<!ENTITY a 'aaa'>]>" + urlset("<loc>&a;</loc>", head="")).encode("utf-16"),
            ["! it declares a document type of its own, which is refused"],
        ),
        (
            "<!DOCTYPE x SYSTEM 'a>' [<!ENTITY % b SYSTEM 'file:///etc/passwd'>]>" + urlset(LOC, head=""),
            ["! it declares a document type of its own, which is refused"],
        ),
        (urlset("<loc>&xxe;</loc>"), ["&xxe;"]),
        ("<!DOCTYPE html><html><body>Not found</body></html>", ["! no sitemap: its first element is 'html'"]),
        ("<rss version='2.0'><channel></channel></rss>", ["! a feed, no sitemap: its kind is feed"]),
        ("", ["! no sitemap: begins with ''"]),
        ("no such page", ["! no sitemap: begins with 'no such page'"]),
        ("User-agent: *\nDisallow:", ["! no sitemap: begins with 'User-agent: *\\nDisallow:'"]),
        (b"\x1f\x8b\x08rubbish", ["! it cannot be unpacked"]),
    ],
    ids=range(47),
)
def test_however_it_is_written(text: str | bytes, found: list[str]) -> None:
    told = named(text)
    if found and found[-1].startswith("! "):
        assert told[:-1] == found[:-1]
        assert told[-1].startswith(found[-1])
    else:
        assert told == found


def test_what_is_said_of_an_article(tmp_path: Path) -> None:
    (entry,) = walk(tmp_path).read(page(urlset(f"{LOC}<lastmod>2026-03-20</lastmod>{NEWS}"))).entries
    assert entry.hints == {
        "url": "https://harbour.example/a/1",
        "title": "Tom & Jerry’s ferry",
        "published": "2026-03-20T08:00:00+08:00",
        "lastmod": "2026-03-20",
    }, "the publication is no credited outlet, and lastmod no time of publication"
    (entry,) = walk(tmp_path).read(page(urlset(f"{LOC}<lastmod>2026-03-20</lastmod>"))).entries
    assert "published" not in entry.hints


def test_a_packed_list_in_another_charset() -> None:
    text = urlset(
        f"{LOC}<news:title>港口新闻：渡轮恢复通航</news:title>", head='<?xml version="1.0" encoding="gb2312"?>'
    )
    for body in (text.encode("gb2312"), gzip.compress(text.encode("gb2312"), mtime=0)):
        (entry,) = read_sitemap(page(body))
        assert entry.title == "港口新闻：渡轮恢复通航"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Named,
            st.text(st.characters(exclude_categories=["Cs", "Cc", "Z", "Cf"]), min_size=1).map("https://x/".__add__),
            st.sampled_from(["", "2026-03-20"]),
            st.sampled_from(["", "2026-03-20T08:00:00Z"]),
            st.text(st.characters(exclude_categories=["Cs", "Cc", "Z", "Cf"]), min_size=1),
        ),
        max_size=5,
    ),
    st.integers(0, 3),
)
def test_what_is_written_reads_back(entries: list[Named], way: int) -> None:
    """In UTF-8 or UTF-16, packed or not."""
    text = urlset(
        *(
            f"<loc>{escape(one.loc)}</loc><lastmod>{one.lastmod}</lastmod><news:news><news:publication_date>"
            f"{one.published}</news:publication_date><news:title>{escape(one.title)}</news:title></news:news>"
            for one in entries
        ),
        head="",
    )
    body = text.encode("utf-16" if way % 2 else "utf-8")
    assert list(read_sitemap(page(gzip.compress(body) if way > 1 else body))) == entries


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=len(urlset(LOC, TWO, NEWS))))
def test_a_sitemap_that_breaks_off_anywhere(at: int) -> None:
    """Whole entries alone, and never without a word."""
    text = urlset(LOC, TWO, NEWS)
    told = named(text[:at])
    whole = [*BOTH, ""][: text[:at].count("</url>")]
    assert told[: len(whole)] == whole
    assert [one[:2] for one in told[len(whole) :]] == (["! "] if at < len(text) else [])


def test_where_pieces_meet_does_not_matter() -> None:
    """An entry of every length up to a piece's bounds."""
    for more in range(65_400, 65_560, 7):
        body = urlset(LOC, f"<!--{'x' * more}-->{TWO}{NEWS}", LOC)
        assert [one.loc for one in read_sitemap(page(body))] == [*BOTH, *ONE]


# what is left alone


@pytest.mark.parametrize(
    ("entry", "crawl", "backfill"),
    [
        (f"{LOC}", True, True),
        (f"{LOC}<lastmod>2026-03-20T01:00:00Z</lastmod>", True, True),
        (f"{LOC}<lastmod>2026-03-17</lastmod>", True, True),
        (f"{LOC}<lastmod>2026-03-16</lastmod>", False, True),
        (f"{LOC}<lastmod>2024-05-10</lastmod>", False, True),
        (f"{LOC}<lastmod>2024-05-09T23:00:00+00:00</lastmod>", False, True),
        (f"{LOC}<lastmod>2024-05-09</lastmod>", False, False),
        (f"{LOC}<lastmod>yesterday</lastmod>", True, True),
        (f"{LOC}<lastmod>0001-01-01T00:00:00Z</lastmod>", True, True),
        (f"{LOC}<lastmod>2026-03-20</lastmod>{NEWS}".replace("2026-03-20T", "2024-05-11T"), False, True),
        (f"{LOC}{NEWS}", True, False),
        (f"{LOC}{NEWS}".replace("2026-03-20T", "2024-05-21T"), False, True),
        (f"{LOC}{NEWS}".replace("2026-03-20T", "2024-05-22T"), False, False),
        ("<loc>/2024/05/17/ferry</loc><lastmod>2026-03-20</lastmod>", False, True),
        ("<loc>/2024/05/09/ferry</loc><lastmod>2026-03-20</lastmod>", False, True),
        ("<loc>/2024/05/08/ferry</loc><lastmod>2026-03-20</lastmod>", False, False),
        ("<loc>/2026/03/20/ferry</loc>", True, False),
        ("<loc>/2024/05/ferry</loc>", False, True),
        ("<loc>/2024/04/ferry</loc>", False, False),
    ],
    ids=range(19),
)
def test_what_a_crawl_and_a_backfill_take(tmp_path: Path, entry: str, crawl: bool, backfill: bool) -> None:
    for window, wanted in ((None, crawl), (Days(date(2024, 5, 10), date(2024, 5, 20)), backfill)):
        listing = walk(tmp_path, window=window).read(page(urlset(entry)))
        assert (len(listing.entries), listing.left) == (int(wanted), int(not wanted))
    assert len(walk(tmp_path, "since: ''").read(page(urlset(entry))).entries) == 1


@pytest.mark.parametrize(
    ("url", "days"),
    [
        ("https://x/2024/05/17/ferry.html", "2024-05-17"),
        ("https://x/2024/5/7/ferry.html", "2024-05-07"),
        ("https://x/2024-05/17/content_1.htm", "2024-05-17"),
        ("https://x/gn/2024/05-17/123.shtml", "2024-05-17"),
        ("https://x/n1/2024/0517/c1001-123.html", "2024-05-17"),
        ("https://x/20240517/9f8e/c.html", "2024-05-17"),
        ("https://x/t20240517_123.html", "2024-05-17"),
        ("https://x/202405/17/c.html", "2024-05-17"),
        ("https://x/2024/05/ferry.html", "2024-05-01 2024-05-31"),
        ("https://x/2024-12/ferry.html", "2024-12-01 2024-12-31"),
        ("https://x/2024/02/30/ferry.html", ""),
        ("https://x/a/20240517.html", ""),
        ("https://x/20240517-ferry", ""),
        ("https://x/202405171", ""),
        ("https://x/2024/ferry", ""),
        ("https://x/202405/1.html", ""),
    ],
)
def test_days_that_articles_addresses_name(url: str, days: str) -> None:
    found = day_named(url)
    told = f"{found.first} {found.last}" if found and found.first != found.last else str(found.first) if found else ""
    assert told == days


def test_days_that_sitemaps_addresses_name() -> None:
    spans = {
        "https://x/sitemap-2024-05.xml": (date(2024, 5, 1), date(2024, 5, 31)),
        "https://x/sitemap_202312.xml.gz": (date(2023, 12, 1), date(2023, 12, 31)),
        "https://x/map?yyyy=2024&mm=02": (date(2024, 2, 1), date(2024, 2, 29)),
        "https://x/map?yyyy=2024&mm=02&dd=03": (date(2024, 2, 3), date(2024, 2, 3)),
        "https://x/2024/05/17/map-2.xml": (date(2024, 5, 17), date(2024, 5, 17)),
        "https://x/year-2024.xml": (date(2024, 1, 1), date(2024, 12, 31)),
    }
    assert days_named(spans) == {url: Days(*span) for url, span in spans.items()}
    assert days_named(["https://x/map-2024.xml", "https://x/map-2101.xml", "https://x/posts-2023.xml"]).keys() == {
        "https://x/posts-2023.xml"
    }
    assert days_named(["https://x/map-1.xml", "https://x/map-202413.xml", "https://x/map.xml"]) == {}


# further sitemaps


def sitemaps(*names: str, lastmod: str = "") -> list[str]:
    return [f"<loc>https://harbour.example/{name}</loc><lastmod>{lastmod}</lastmod>" for name in names]


def test_further_sitemaps(tmp_path: Path) -> None:
    maps = index(
        *sitemaps("a.xml"),
        *sitemaps("b.xml", "c-tags.xml", lastmod="2026-03-19"),
        *sitemaps("old.xml", lastmod="2024-05-12"),
        *sitemaps("posts-2026-03.xml", "posts-2024-05.xml", "posts-2024-04.xml", "a.xml"),
        "<loc>mailto:x@harbour.example</loc>",
        "<loc>//harbour.example:99999/</loc>",
    )

    def asked(more: str = "", window: Days | None = None) -> list[str]:
        made = walk(tmp_path, more, window)
        listing = made.read(page(maps))
        assert (listing.entries, listing.left, listing.problems) == ([], 10, [])
        return [url.removeprefix("https://harbour.example/") for url in made.lists(page(maps))]

    assert asked() == ["a.xml", "b.xml", "c-tags.xml", "posts-2026-03.xml"]
    assert asked("lists: '/[ab]\\.xml'") == ["a.xml", "b.xml"]
    assert asked("since: ''")[3] == "old.xml"
    in_may = asked(window=Days(date(2024, 5, 10), date(2024, 5, 20)))
    assert in_may == ["a.xml", "b.xml", "c-tags.xml", "old.xml", "posts-2024-05.xml"]
    assert "old.xml" not in asked(window=Days(date(2024, 5, 13), date(2024, 5, 20)))
    assert "posts-2024-04.xml" in asked(window=Days(date(2024, 5, 1), date(2024, 5, 2))), "zones differ"


def test_robots_txt_and_what_is_no_index(tmp_path: Path) -> None:
    robots = page("User-agent: *\nSitemap: /one.xml # the news\nSitemap: https://harbour.example/two.xml\n")
    made = walk(tmp_path, url="https://harbour.example/robots.txt")
    assert made.lists(robots) == ["https://harbour.example/one.xml", "https://harbour.example/two.xml"]
    assert made.lists(page(urlset(LOC))) == []
    assert made.lists(page("<html>")) == []
    assert made.lists(page(index(*sitemaps("a.xml", "b.xml"))[:-20])) == ["https://harbour.example/a.xml"]
    assert made.next(page(urlset(LOC)), 1) == ""


def test_which_addresses_are_articles(tmp_path: Path) -> None:
    text = urlset(LOC, "<loc>https://harbour.example/about</loc>", "<loc>mailto:x</loc>", "<loc> </loc>")
    listing = walk(tmp_path, "links: /a/").read(page(text))
    assert [entry.hints["url"] for entry in listing.entries] == ONE
    assert listing.problems == ["no address in entry 3: 'mailto:x'", "no address in entry 4: ''"]
    listing = walk(tmp_path, top="key: {patterns: '/a/(\\d+)'}\n").read(page(text))
    assert [entry.key for entry in listing.entries] == ["1"]
    assert len(walk(tmp_path).read(page(text)).entries) == 2
    with pytest.raises(ValueError, match="html"):
        walk(tmp_path).read(page("<html>"))
    broken = walk(tmp_path).read(page(urlset(LOC, TWO)[:-20]))
    assert (len(broken.entries), broken.problems) == (1, ["it breaks off, after 1 entries"])


# crawls


def map_of(server: Server, shown: list[Story], **changes: str) -> Answer:
    lastmods = {one.key: changes.get(f"k{one.key}", "") for one in shown}
    entries = (f"<loc>{server.address(one.path)}</loc><lastmod>{lastmods[one.key]}</lastmod>" for one in shown)
    return Answer(urlset(*entries), kind="text/html")


def test_a_crawl_by_robots_txt_an_index_and_packed_sitemaps(server: Server, tmp_path: Path) -> None:
    """Three levels; an unchanged sitemap costs a 304, and one that is gone costs no other."""
    one, two, old = stories(3)
    server.pages |= {story.path: story.page() for story in (one, two, old)}
    maps = {"index.xml": "", "a.xml.gz": "", "b.xml": "", "old-2019-01.xml": ""}
    server.pages["/robots.txt"] = Answer(f"User-agent: *\nSitemap: {server.address('/index.xml')}", kind="text/plain")
    outside = "<loc>https://elsewhere.example/map.xml</loc>"
    further = (f"<loc>{server.address(f'/{name}')}</loc>" for name in maps)
    server.pages["/index.xml"] = Answer(index(*further, outside), kind="text/xml")
    packed = gzip.compress(map_of(server, [one], k100001="2019-05-17").data, mtime=0)
    server.pages["/a.xml.gz"] = Answer(packed, kind="application/octet-stream")
    server.pages["/b.xml"] = map_of(server, [two, old], k100003="2019-05-17")
    lists = [{"kind": "sitemap", "urls": server.address("/robots.txt"), "links": "/a/"}]
    archive = Archive.new(tmp_path / "archive", html_source(server, lists=lists))
    archive.crawl("harbour")
    assert archive.states() == {"100002": "done"}
    problems = archive.problems("harbour")
    assert problems["https://elsewhere.example/map.xml"].startswith("off-site: a list that ")
    asked = ["/index.xml", "/a.xml.gz", "/b.xml"]
    assert [path for path in server.paths() if "xml" in path] == asked
    server.forget()
    server.pages["/b.xml"] = map_of(server, [two, stories(4)[3]])
    server.pages[stories(4)[3].path] = stories(4)[3].page()
    archive.crawl("harbour")
    assert archive.states() == {"100002": "done", "100004": "done"}
    assert [path for path in server.paths() if "xml" in path] == asked
    assert archive.report("harbour")["unchanged"] == 3
    archive.proven()


def test_a_backfill_goes_on_amid_an_index(server: Server, tmp_path: Path) -> None:
    """Of sitemaps that an index named, those that were not read are read by the next command."""
    one, two = stories(2)
    server.pages |= {story.path: story.page() for story in (one, two)}
    names = ("index.xml", "a.xml", "b.xml", "map-2019-01.xml")
    further = (f"<loc>{server.address(f'/{name}')}</loc>" for name in names[1:])
    server.pages["/index.xml"] = Answer(index(*further), kind="text/xml")
    server.pages["/a.xml"], server.pages["/b.xml"] = map_of(server, [one]), map_of(server, [two])
    lists = [{"kind": "sitemap", "urls": server.address("/index.xml")}]
    archive = Archive.new(tmp_path / "archive", html_source(server, lists=lists))
    days = ("--from", "2026-03-01", "--to", "2026-03-05")
    archive.verb("backfill", "harbour", *days, "--requests", "2", code=5)
    assert server.paths() == ["/index.xml", "/a.xml"]
    server.forget()
    archive.verb("backfill", "harbour", *days)
    assert server.paths() == ["/index.xml", "/b.xml", one.path, two.path]
    assert archive.states() == {one.key: "done", two.key: "done"}


# how much


MANY = 25_000
GROWTH = """
import gzip, sys
from pathlib import Path
from crawler.extract.page import Page
from tests.peak import peak_of_this_process
from tests.spiders.test_sitemap import MANY, urlset, walk
made = walk(Path(sys.argv[1]), "since: ''", top="key: {patterns: '-([0-9]+).html'}")
one = "<loc>https://harbour.example/news/world/a-ferry-that-never-sailed-%d.html</loc><lastmod>2026-03-20</lastmod>"
body = gzip.compress(urlset(*(one % number for number in range(MANY))).encode(), 1)
page = Page(body, "https://harbour.example/sitemap.xml.gz")
before, named, problems = peak_of_this_process(), 0, []
for listing in made.pieces(page):
    named += len(listing.entries)
    problems += listing.problems
print(named, problems, (peak_of_this_process() - before) >> 10)
"""


def test_many_entries_cost_little_memory(tmp_path: Path) -> None:
    """In pieces, each of which may be committed before the next is read."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(tmp_path)], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    told, _, grown = done.stdout.rpartition(" ")
    assert told == f"{MANY} []"
    assert int(grown) < 10, "MiB; as a tree they take 60"


def test_no_more_tags_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.extract.sitemap.TOKENS", 50)
    assert named(urlset(LOC, *["<p/>"] * 50))[1:3] == ["", ""]
    assert named(urlset(LOC, *["<p/>"] * 50))[-1] == "! it holds more than 50 tags and texts"


def test_no_more_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.extract.sitemap.MOST", 1200)
    text = urlset(*(f"<loc>https://harbour.example/a/{number}</loc>" for number in range(1300)))
    pieces = list(walk(tmp_path).pieces(page(text)))
    assert [len(piece.entries) for piece in pieces] == [1000, 200]
    assert pieces[1].problems == ["it names more than 1200 addresses, after 1200 entries"]
    monkeypatch.setattr("crawler.extract.sitemap.MOST", 1300)
    monkeypatch.setattr("crawler.extract.sitemap.UNPACKED", 66_000)
    assert walk(tmp_path).read(page(gzip.compress(text.encode()))).problems[0].startswith("it holds more than")
