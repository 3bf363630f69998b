"""The pages of the template that stand on data files, built by a real Jekyll: calendars, days, facts, feeds."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from crawler.archive.site import (
    category_page,
    day_page,
    feed_page,
    month_page,
    source_page,
    tag_page,
    year_page,
)
from tests.browser import measure, needs_browser
from tests.test_jekyll_site import ATOM, ZONE, Post, build, closed, new_archive, page, text

pytestmark = [
    pytest.mark.jekyll,
    pytest.mark.skipif(shutil.which("jekyll") is None, reason="jekyll is not installed"),
]

HOSTILE = '</script><!-- <script> & ]]> "\\ \u2028 {{ site.title }}'
TWICE = 'source: "gazette"\nattribution: "Nordwire"\nauthors: ["A. Smith", "B. <i>Jones</i>"]\nlanguage: "en"'
POSTS = [
    Post("first", "第一篇", datetime(2022, 1, 31, 23, 59, tzinfo=ZONE), front='source: "gazette"'),
    Post("noon", "中午", datetime(2022, 5, 19, 12, tzinfo=ZONE), front='source: "other"'),
    Post("hostile", HOSTILE, datetime(2022, 5, 19, 13, tzinfo=ZONE), front=TWICE),
    Post(
        "night", "午夜", datetime(2022, 5, 19, 23, 59, 59, tzinfo=ZONE), body='<p><img src="/images/a.png" alt=""></p>'
    ),
    Post("next", "次日", datetime(2022, 5, 20, 0, tzinfo=ZONE), front='pointer: "/chenbao/2022/05/19/noon.html"'),
    Post(
        "odd",
        "又一年",
        datetime(2023, 2, 28, 9, tzinfo=ZONE),
        front='pointer: "javascript:alert(1)"\noriginal: "javascript:alert(2)"',
    ),
]
BY_KEY = {post.key: post for post in POSTS}
DAYS = {"2022-01-31": 1, "2022-05-19": 3, "2022-05-20": 1, "2023-02-28": 1}
SOURCES = {
    "gazette": {"name": "Harbour <b>Gazette</b>", "url": "https://gazette.example/news", "language": "en", "posts": 2},
    "other": {"name": "另一家", "url": "javascript:alert(1)", "language": "zh-CN", "posts": 1},
}
COPY = {"title": "<i>Copy</i>", "outlet": "Nord & Wire", "date": "2022-05-20T08:00:00+08:00", "url": "/a/b.html"}
FACTS = {
    "noon": {
        "archived": "2022-05-20",
        "revisions": [
            {"number": 1, "at": "2022-05-21T10:00:00+08:00"},
            {"number": 2, "at": "2022-05-22T11:30:00+08:00"},
        ],
        "gone": "2022-06-01",
        "copies": [COPY | {"original": False}],
    },
    "hostile": {"copies": [COPY | {"original": True, "language": "en"}]},
}


def write(folder: Path, name: str, rows: dict[str, Any]) -> None:
    path = folder / "_data" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(key)}: {json.dumps(value)}\n" for key, value in rows.items()))


def archive(folder: Path, **values: str) -> Path:
    """The posts above with the stubs and data files that presskeep writes for them."""
    new_archive(folder, **values)
    for post in POSTS:
        post.write(folder)
        at = f"{post.published:%Y-%m-%d}"
        stubs = {at: day_page(at), at[:7]: month_page(at[:7]), at[:4]: year_page(at[:4])}
        for name, stub in stubs.items():
            path = folder / f"archive/{name.replace('-', '/')}.html"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(stub)
    for year in ("2022", "2023"):
        write(folder, f"days/{year}.yml", {day: count for day, count in DAYS.items() if day.startswith(year)})
    rows = {f"/{BY_KEY[key].url}": facts for key, facts in FACTS.items()}
    write(folder, "facts/2022-05-19.yml", rows)
    write(folder, "sources.yml", SOURCES)
    write(folder, "tags.yml", {"晨报": "/tag/chenbao.html"})
    stubs = {
        "category/chenbao.html": category_page("chenbao", "晨报"),
        "category/chenbao.xml": feed_page("chenbao", "晨报"),
    }
    stubs |= {"tag/chenbao.html": tag_page("chenbao", "晨报")}
    stubs |= {f"source/{key}.html": source_page(key, str(source["name"])) for key, source in SOURCES.items()}
    for name, stub in stubs.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(stub)
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("pages") / "source")


@pytest.fixture(scope="module")
def site(source: Path) -> Path:
    return build(source, source.parent / "out")


@pytest.fixture(scope="module")
def changed(source: Path) -> Path:
    """In English, below a path, packed in part; the calendar and the posts are at odds."""
    folder = source.parent / "changed"
    archive(folder, language="en", baseurl="/news", title="Archive", url="https://archive.example")
    write(folder, "days/2022.yml", {"2022-05-19": 2, "2022-05-20": 4})
    write(folder, "packed.yml", {"months": {"2022-01": 1}, "categories": ["chenbao"]})
    config = (folder / "_config.yml").read_text("utf-8").replace("noindex: true", "noindex: false")
    (folder / "_config.yml").write_text(config.replace("neighbours: true", "neighbours: false"), "utf-8")
    stub = "---\nlayout: default\ntitle: Search\ncsp: \"script-src 'self'; connect-src 'self'\"\n---\n"
    (folder / "search.html").write_text(stub)
    return build(folder, folder.parent / "changed-out")


STUBS = ["archive/2022.html", "archive/2022/05.html", "archive/2022/05/19.html", "source/gazette.html"]
PAGES = [*STUBS, "archive.html", "sources.html", "tags.html", "tag/chenbao.html", BY_KEY["noon"].url]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_sound(site: Path, name: str) -> None:
    source = (site / name).read_text("utf-8")
    tree: Any = etree.fromstring(closed(source).encode())
    assert [len(tree.xpath(path)) for path in ("//h1", "//main", "//header/nav")] == [1, 1, 1]
    assert not tree.xpath("//a[not(@href)]")
    assert len(set(tree.xpath("//@id"))) == len(tree.xpath("//@id"))


@pytest.mark.parametrize("name", PAGES)
def test_no_link_of_the_site_leads_nowhere(site: Path, name: str) -> None:
    links = [href for href in page(site / name).xpath("//@href") if href.startswith("/")]
    known = {"/", COPY["url"]}
    assert not [href for href in links if href not in known and not (site / href.lstrip("/")).is_file()]
    assert not [href for href in page(site / name).xpath("//@href") if href.startswith(("javascript:", "//"))]


def days_of(tree: Any) -> dict[str, tuple[str, str]]:
    cells = tree.cssselect(".calendar td a")
    return {a.get("href"): (a.cssselect("span")[0].text, a.cssselect("b")[0].text) for a in cells}


def test_a_year_is_twelve_calendars(site: Path) -> None:
    tree = page(site / "archive/2022.html")
    assert [len(table.cssselect("td > a, td > span")) for table in tree.cssselect(".calendar")] == [
        *(31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    ]
    assert days_of(tree) == {
        "/archive/2022/01/31.html": ("31", "1"),
        "/archive/2022/05/19.html": ("19", "3"),
        "/archive/2022/05/20.html": ("20", "1"),
    }
    labels = tree.xpath("//td/a/@aria-label")
    assert labels == ["2022年1月31日，1 篇", "2022年5月19日，3 篇", "2022年5月20日，1 篇"]
    assert tree.xpath("//td[a]/@class") == ["level2", "level4", "level2"]
    assert tree.xpath("//caption/a/@href") == ["/archive/2022/01.html", "/archive/2022/05.html"]
    assert text(tree, ".count") == "5 篇"
    assert tree.xpath("//main//nav/a/@href") == ["/archive/2023.html"]


def test_a_month_is_a_calendar(site: Path) -> None:
    tree = page(site / "archive/2022/05.html")
    assert text(tree, "h1") == "2022年5月"
    assert days_of(tree) == {"/archive/2022/05/19.html": ("19", "3"), "/archive/2022/05/20.html": ("20", "1")}
    rows = [[len(row.cssselect("td")), row.xpath("sum(td/@colspan)")] for row in tree.cssselect(".calendar tbody tr")]
    assert rows == [[2, 6], *[[7, 0]] * 4, [3, 5]], "the first of May 2022 was a Sunday"
    assert tree.xpath("//main//nav/a[@rel='prev']/@href") == ["/archive/2022/01.html"]
    assert tree.xpath("//main//nav/a[@rel='next']/@href") == ["/archive/2023/02.html"]


@pytest.mark.parametrize(
    ("day", "keys", "before", "after"),
    [
        ("2022/05/19", ["night", "hostile", "noon"], ["/archive/2022/01/31.html"], ["/archive/2022/05/20.html"]),
        ("2022/01/31", ["first"], [], ["/archive/2022/05/19.html"]),
        ("2023/02/28", ["odd"], ["/archive/2022/05/20.html"], []),
    ],
)
def test_a_day_lists_its_posts(site: Path, day: str, keys: list[str], before: list[str], after: list[str]) -> None:
    tree = page(site / f"archive/{day}.html")
    assert tree.xpath("//li/h2/a/@href") == [f"/{BY_KEY[key].url}" for key in keys]
    assert tree.xpath("//main//nav/a[@rel='prev']/@href") == before
    assert tree.xpath("//main//nav/a[@rel='next']/@href") == after


def test_a_day_is_whole_where_the_calendar_is_wrong(changed: Path) -> None:
    assert len(page(changed / "archive/2022/05/19.html").xpath("//li/h2")) == 3
    assert len(page(changed / "archive/2022/05/20.html").xpath("//li/h2")) == 1
    assert len(page(changed / "archive/2022/01/31.html").xpath("//li/h2")) == 1


def test_the_archive_lists_years_and_months(site: Path) -> None:
    tree = page(site / "archive.html")
    assert [" ".join(h.text_content().split()) for h in tree.cssselect("h2")] == ["2023 1 篇", "2022 5 篇"]
    months = [(a.get("href"), a.text, a.getnext().text) for a in tree.cssselect(".months a")]
    assert months == [
        ("/archive/2023/02.html", "2月", "1"),
        ("/archive/2022/01.html", "1月", "1"),
        ("/archive/2022/05.html", "5月", "4"),
    ]


def test_the_front_page_shows_the_newest_month(site: Path) -> None:
    front = page(site / "index.html")
    assert front.xpath("//aside//td/a/@href") == ["/archive/2023/02/28.html"]
    assert front.xpath("//h2/a/@href") == [
        f"/archive/{day.replace('-', '/')}.html" for day in sorted(DAYS, reverse=True)
    ]


def test_sources_and_tags(site: Path) -> None:
    listed = page(site / "sources.html").cssselect(".sources li")
    told = [(li[0].get("href"), li[0].text, li[1].text, li[2].text) for li in listed]
    assert told == [
        ("/source/gazette.html", "Harbour <b>Gazette</b>", "gazette.example", "2"),
        ("/source/other.html", "另一家", None, "1"),
    ]
    own = page(site / "source/gazette.html")
    assert own.xpath("//li/h3/a/@href") == [f"/{BY_KEY[key].url}" for key in ("hostile", "first")]
    assert own.cssselect(".home-page a")[0].get("href") == "https://gazette.example/news"
    assert page(site / "source/other.html").cssselect(".home-page") == []
    assert page(site / "tags.html").xpath("//main//li/a/@href") == ["/tag/chenbao.html"]
    assert len(page(site / "tag/chenbao.html").xpath("//li/h3")) == len(POSTS)


def test_an_article_says_what_the_archive_knows(site: Path) -> None:
    article = page(site / BY_KEY["noon"].url)
    assert article.cssselect("time.archived")[0].get("datetime") == "2022-05-20"
    revisions = [(li.get("value"), li[0].get("datetime"), li[0].text) for li in article.cssselect(".revisions li")]
    assert revisions == [
        ("1", "2022-05-21T10:00:00+08:00", "2022年5月21日 10:00"),
        ("2", "2022-05-22T11:30:00+08:00", "2022年5月22日 11:30"),
    ]
    assert text(article, ".gone") == "2022年6月1日发现原文已不在原址，此处保留存档。"
    assert article.xpath("//a[@rel='tag']/@href") == ["/tag/chenbao.html"]
    assert text(article, ".copies li") == "<i>Copy</i> 2022年5月20日 08:00 Nord & Wire"
    assert article.cssselect(".notice.copy") == []
    assert text(article, "header small") == "UTC+08:00"
    assert article.cssselect("a.original") == [], "the post itself links to it"


def test_an_article_without_facts_says_nothing_of_them(site: Path) -> None:
    article = page(site / BY_KEY["first"].url)
    assert article.cssselect(".archived, .revisions, .notice, .copies") == []


def test_neighbours_in_time(site: Path, changed: Path) -> None:
    nav = page(site / BY_KEY["noon"].url).cssselect("nav.stories a")
    assert [(a.get("rel"), a.get("href")) for a in nav] == [
        ("prev", f"/{BY_KEY['first'].url}"),
        ("next", f"/{BY_KEY['hostile'].url}"),
    ]
    assert [a.get("rel") for a in page(site / BY_KEY["odd"].url).cssselect("nav.stories a")] == ["prev"]
    assert page(changed / BY_KEY["noon"].url).cssselect("nav.stories") == []


def test_outlet_publisher_and_original_of_a_copy(site: Path) -> None:
    article = page(site / BY_KEY["hostile"].url)
    assert text(article, ".outlet") == "Nordwire"
    assert text(article, ".publisher") == "发布：Harbour <b>Gazette</b>"
    assert article.cssselect(".publisher a")[0].get("href") == "/source/gazette.html"
    assert article.cssselect(".notice.copy a")[0].get("href") == COPY["url"]
    assert text(article, ".copies b") == "首发"
    assert article.cssselect(".copies li")[0].get("lang") == "en"


def test_a_pointer_leads_to_the_original_and_nowhere_else(site: Path, changed: Path) -> None:
    target = "/chenbao/2022/05/19/noon.html"
    assert page(site / BY_KEY["next"].url).cssselect(".pointer a")[0].get("href") == target
    assert page(changed / BY_KEY["next"].url).cssselect(".pointer a")[0].get("href") == f"/news{target}"
    odd = page(site / BY_KEY["odd"].url)
    assert odd.cssselect(".pointer a") == []
    assert "javascript:alert(1)" in text(odd, ".pointer")


def told(out: Path, key: str) -> dict[str, Any]:
    (script,) = page(out / BY_KEY[key].url).xpath("//script")
    read: dict[str, Any] = json.loads(script.text)
    return read


def test_machines_are_told_of_the_article(site: Path) -> None:
    post = BY_KEY["hostile"]
    assert told(site, "hostile") == {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": post.title,
        "datePublished": post.published.isoformat(),
        "dateModified": post.published.isoformat(),
        "author": [{"@type": "Person", "name": "A. Smith"}, {"@type": "Person", "name": "B. <i>Jones</i>"}],
        "sourceOrganization": {"@type": "Organization", "name": "Nordwire"},
        "publisher": {"@type": "Organization", "name": "Harbour <b>Gazette</b>"},
        "keywords": ["晨报"],
        "inLanguage": "en",
        **dict.fromkeys(["url", "mainEntityOfPage", "isBasedOn"], post.original),
        "archivedAt": f"https://archive.example/{post.url}",
    }
    assert told(site, "first")["author"] == {"@type": "Organization", "name": "晨报"}


def test_the_first_image_is_named(site: Path) -> None:
    address = "https://archive.example/images/a.png"
    assert told(site, "night")["image"] == address
    assert page(site / BY_KEY["night"].url).xpath("//meta[@property='og:image']/@content") == [address]
    assert page(site / BY_KEY["noon"].url).xpath("//meta[@property='og:image']") == []


def test_open_graph(changed: Path) -> None:
    post = BY_KEY["hostile"]
    metas = page(changed / post.url).xpath("//meta[@property]")
    found = {meta.get("property"): meta.get("content") for meta in metas}
    assert found["og:url"] == f"https://archive.example/news/{post.url}"
    assert (found["og:type"], found["og:locale"], found["article:tag"]) == ("article", "en", "晨报")


def feed(path: Path) -> Any:
    return etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False))


@pytest.mark.parametrize(("name", "home"), [("feed.xml", ""), ("category/chenbao.xml", "category/chenbao.html")])
def test_feeds_have_what_atom_asks_for(changed: Path, name: str, home: str) -> None:
    """RFC 4287, sections 4.1.1 and 4.1.2."""
    atom = feed(changed / name)
    base = "https://archive.example/news/"
    assert atom.findtext("a:id", namespaces=ATOM) == base + name
    assert atom.xpath("a:link[@rel='self']/@href", namespaces=ATOM) == [base + name]
    assert atom.xpath("a:link[@rel='alternate']/@href", namespaces=ATOM) == [base + home]
    entries = atom.findall("a:entry", ATOM)
    assert len(entries) == len(POSTS)
    for parent in (atom, *entries):
        assert [len(parent.findall(f"a:{tag}", ATOM)) for tag in ("id", "title", "updated")] == [1, 1, 1]
        assert datetime.fromisoformat(parent.findtext("a:updated", "", ATOM)).tzinfo
        assert parent.findtext("a:author/a:name", namespaces=ATOM)
    assert len({entry.findtext("a:id", namespaces=ATOM) for entry in entries}) == len(entries)


def test_an_entry_is_updated_by_its_last_revision(site: Path) -> None:
    atom = feed(site / "feed.xml")
    entry = atom.xpath(f"a:entry[a:id='https://archive.example/{BY_KEY['noon'].url}']", namespaces=ATOM)[0]
    assert entry.findtext("a:updated", namespaces=ATOM) == "2022-05-22T11:30:00+08:00"
    assert atom.findtext("a:updated", namespaces=ATOM) == BY_KEY["odd"].published.isoformat()
    hostile = atom.xpath(f"a:entry[a:id='https://archive.example/{BY_KEY['hostile'].url}']", namespaces=ATOM)[0]
    assert hostile.xpath("a:author/a:name/text()", namespaces=ATOM) == ["A. Smith", "B. <i>Jones</i>"]


def test_a_feed_leads_to_addresses_of_the_web_alone(site: Path) -> None:
    """Whatever a post's ``original`` is."""
    links = feed(site / "feed.xml").xpath("//*[local-name() = 'link'][@rel = 'via']/@href")
    assert links
    assert all(link.startswith("https://news.example/") for link in links)


def test_a_category_names_its_feed(site: Path) -> None:
    links = page(site / "category/chenbao.html").xpath("//link[@type='application/atom+xml']/@href")
    assert links == ["/feed.xml", "/category/chenbao.xml"]


def test_packed_months_are_linked(site: Path, changed: Path) -> None:
    links = [
        page(changed / name).xpath("//p[@class='more']/a/@href")
        for name in ("category/chenbao.html", "tag/chenbao.html")
    ]
    assert links == [["/news/category/chenbao/older.html"], ["/news/archive.html"]]
    assert page(site / "category/chenbao.html").xpath("//p[@class='more']") == []
    assert page(changed / "categories.html").xpath("//main//li/span") == [], "counts would be of the newest months"


def test_settings_of_a_page_and_of_the_site(site: Path, changed: Path) -> None:
    policy = "//meta[@http-equiv='Content-Security-Policy']/@content"
    assert page(changed / "search.html").xpath(policy)[0].endswith("; script-src 'self'; connect-src 'self'")
    assert "script-src" not in page(site / "index.html").xpath(policy)[0]
    assert page(changed / "index.html").xpath("//meta[@name='robots']") == []
    ours = "//@href[starts-with(., '/')][not(ancestor::div[@class='body'])]"
    local = [href for name in PAGES for href in page(changed / name).xpath(ours)]
    assert len(local) > 100
    assert all(href.startswith("/news/") for href in local)
    assert page(changed / "archive/2022/05/19.html").xpath("//h1/text()")[0].strip() == "19 May 2022"


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_scrolls_sideways(site: Path, width: int) -> None:
    paths = [f"/{name}" for name in (*PAGES, BY_KEY["hostile"].url)]
    script = """[d.documentElement.scrollWidth,
      Math.min(...[...d.querySelectorAll("td a")].map(a => Math.min(a.offsetWidth, a.offsetHeight)), 99) >= 22]"""
    found, asked = measure(site, width, paths, script)
    assert found == [f"{width},true"] * len(paths), "a day is as large as a finger needs"
    assert set(asked) - {"/favicon.ico"} == {"/probe.html", "/assets/style.css", *paths}
