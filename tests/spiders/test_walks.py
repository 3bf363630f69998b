"""Ways of listing: what a list page names, how a walk goes on, and addresses built from keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive.ledger import Entry
from crawler.assemble import Assembler
from crawler.extract.page import NotJson, Page
from crawler.lists import HtmlList, JsonList
from crawler.share import fill
from crawler.sources import SHIPPED, Source, load_source
from spiders.hatch import Ways
from spiders.json_list import JsonWalk
from spiders.pages import PagesWalk
from spiders.walk import absolute

URL = "https://gazette.example/news/list.html"
SOURCE = """
id: gazette
name: The Gazette
home: https://gazette.example/
language: en
timezone: Europe/Berlin
example: https://gazette.example/a/1.html
lists:
  - %s
layouts:
  - {title: h1, body: article, published: time}
"""


def source(folder: Path, listing: str, more: str = "") -> Source:
    path = folder / "gazette.yml"
    path.write_text(SOURCE % listing + more, encoding="utf-8")
    return load_source(path)


def pages_walk(folder: Path, listing: str, more: str = "") -> PagesWalk:
    made = source(folder, "{kind: html, urls: '" + URL + "', " + listing + "}", more)
    (one,) = made.lists
    assert isinstance(one, HtmlList)
    return PagesWalk(made, one)


def json_walk(folder: Path, listing: str, more: str = "") -> JsonWalk:
    made = source(folder, "{kind: json, urls: '" + URL + "', " + listing + "}", more)
    (one,) = made.lists
    assert isinstance(one, JsonList)
    return JsonWalk(made, one)


def html(text: str, url: str = URL) -> Page:
    return Page(text.encode(), url)


def answer(value: Any) -> Page:
    return Page(json.dumps(value).encode(), URL)


KEYED = "key: {patterns: '/a/(\\d+)'}\n"


def named(walk: PagesWalk, text: str, url: str = URL) -> list[tuple[str, str]]:
    listing = walk.read(html(text, url))
    assert listing.problems == []
    return [(entry.key, entry.hints["url"]) for entry in listing.entries]


# HTML lists


def test_articles_by_the_pattern_of_their_links(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, "links: 'gazette.example/a/\\d+'", KEYED)
    text = """<a href="/a/1.html"> One <b>headline</b></a><a href="../a/2.html">Two</a>
    <a href=" //gazette.example/a/3 ">3</a>
    <a href="https://gazette.example/a/4.html#top">Four</a><a href="https://other.example/a/5.html">no</a>
    <a href="/about">no</a><a name="x">no</a><a href="">no</a><link href="/a/6.html"><p>/a/7.html</p>"""
    listing = walk.read(html(text))
    assert listing.entries == [
        Entry("1", {"title": "One headline", "url": "https://gazette.example/a/1.html"}),
        Entry("2", {"title": "Two", "url": "https://gazette.example/a/2.html"}),
        Entry("3", {"title": "3", "url": "https://gazette.example/a/3"}),
        Entry("4", {"title": "Four", "url": "https://gazette.example/a/4.html#top"}),
    ]
    assert listing.problems == []


@pytest.mark.parametrize(
    ("form", "printed", "told"),
    [
        ("epoch", "1709164800", "2024-02-29T01:00:00+01:00"),
        ("epoch_ms", "1709164800000", "2024-02-29T01:00:00+01:00"),
        ("%m/%d/%Y", "02/03/2024", "2024-02-03T00:00:00+01:00"),
        ("epoch", "29 February 2024", "2024-02-29T00:00:00+01:00"),
        ("epoch", "yesterday", "yesterday"),
    ],
)
def test_a_list_says_how_it_prints_dates(tmp_path: Path, form: str, printed: str, told: str) -> None:
    formats = f"date_formats: ['{form}']"
    pages = pages_walk(tmp_path, f"items: li, fields: {{url: 'a::attr(href)', published: b, {formats}}}", KEYED)
    records_walk = json_walk(tmp_path, f"items: '[]', fields: {{url: u, published: d, {formats}}}", KEYED)
    text = f'<li><a href="/a/1">One</a><b>{printed}</b></li><li><a href="/a/2">Two</a></li>'
    records = [{"u": "/a/1", "d": printed}, {"u": "/a/2"}]
    for listing in (pages.read(html(text)), records_walk.read(answer(records))):
        assert [entry.hints.get("published") for entry in listing.entries] == [told, None]


def test_articles_by_selector_with_what_the_list_says(tmp_path: Path) -> None:
    fields = "fields: {url: 'a.t::attr(href)', title: a.t, published: time, digest: 'p::attr(title)', byline: .by}"
    walk = pages_walk(tmp_path, "items: li, " + fields, KEYED)
    item = '<li><img src="x"><a href="/tag">tag</a><a class="t" href="/a/%d">No %d</a><time>2024-02-%d</time>%s</li>'
    text = (
        "<ul>"
        + item % (1, 1, 28, "<p title='In short'>…</p>")
        + item % (2, 2, 29, "")
        + "</ul><a class=t href=/a/3>x</a>"
    )
    assert walk.read(html(text)).entries == [
        Entry(
            "1",
            {
                "url": "https://gazette.example/a/1",
                "title": "No 1",
                "published": "2024-02-28",
                "digest": "In short",
            },
        ),
        Entry("2", {"url": "https://gazette.example/a/2", "title": "No 2", "published": "2024-02-29"}),
    ]


def test_links_within_items_and_their_pattern(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, "items: .news, links: /a/", KEYED)
    text = '<div class="news"><a href="/a/1">1</a><a href="/b/2">2</a><a href="/a/3">3</a></div><a href="/a/4">4</a>'
    assert [key for key, _ in named(walk, text)] == ["1", "3"]


def test_an_address_counts_once(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, "links: /a/", KEYED)
    text = '<a href="/a/1"><img></a><a href="/a/1">headline</a><a href="https://gazette.example/a/1">again</a>'
    assert len(named(walk, text)) == 1


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("", "https://gazette.example/news/a/1"),
        ('<base href="/old/">', "https://gazette.example/old/a/1"),
        ('<base href="https://static.example/x/y">', "https://static.example/x/a/1"),
        ('<base href="http://[">', "https://gazette.example/news/a/1"),
        ('<base target="_blank">', "https://gazette.example/news/a/1"),
    ],
)
def test_relative_links_and_the_page_s_base(tmp_path: Path, base: str, url: str) -> None:
    walk = pages_walk(tmp_path, "links: a/, pages: {next: .next::attr(href)}", KEYED)
    text = f'<head>{base}</head><a href="a/1">x</a><a class="next" href="p2">'
    assert named(walk, text) == [("1", url)]
    assert walk.next(html(text), 1) == url.replace("a/1", "p2")


def test_one_broken_link_does_not_cost_the_page(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, "items: p", "")
    text = (
        '<p><a href="http://[">a</a><p><a href="javascript:void(0)">b</a><p><a href="mailto:desk@gazette.example">c</a>'
        '<p><a href="https://gazette.example:x/a">d</a><p><a href="/a/good-news.html">e</a><p><a href="http://">f</a>'
    )
    listing = walk.read(html(text))
    assert [entry.hints["url"] for entry in listing.entries] == ["https://gazette.example/a/good-news.html"]
    assert listing.problems == ["no key in 'https://gazette.example:x/a'"]


def test_an_item_without_a_key_is_a_problem(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, "links: example", KEYED)
    listing = walk.read(html('<a href="/a/1">x</a><a href="/about">y</a>'))
    assert [entry.key for entry in listing.entries] == ["1"]
    assert listing.problems == ["no key in 'https://gazette.example/about'"]


def test_copies_of_an_article_have_one_key(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, "links: storm")
    copies = [
        "https://www.gazette.example/storm.html",
        "https://m.gazette.example/storm.html?utm_source=x",
        "https://www.gazette.example/amp/storm.html",
        "http://gazette.example/storm.html?print=1",
    ]
    keys = {key for key, _ in named(walk, "".join(f'<a href="{url}">x</a>' for url in copies))}
    assert len(keys) == 1


def test_a_page_without_articles_names_none(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, "items: li")
    for text in ("", "<p>none</p>", "<li>no link</li>"):
        listing = walk.read(html(text))
        assert (listing.entries, listing.problems) == ([], [])


# JSON lists


def test_records_of_a_json_list(tmp_path: Path) -> None:
    fields = "fields: {key: id, url: link, title: title, published: at, outlet: from.name, digest: [sum, lead]}"
    walk = json_walk(tmp_path, "items: data.list, " + fields)
    records = [
        {
            "id": 11,
            "link": "/a/11",
            "title": " One\n",
            "at": "2024-02-29",
            "from": {"name": "The Courier"},
            "lead": "x",
        },
        {"id": "b 2/c", "link": "https://other.example/a", "title": "Two", "at": None, "from": None},
    ]
    assert walk.read(answer({"data": {"list": records}})).entries == [
        Entry(
            "11",
            {
                "url": "https://gazette.example/a/11",
                "title": "One",
                "published": "2024-02-29",
                "outlet": "The Courier",
                "digest": "x",
            },
        ),
        Entry("b 2/c", {"url": "https://other.example/a", "title": "Two"}),
    ]


def test_jsonp_is_read_as_well(tmp_path: Path) -> None:
    walk = json_walk(tmp_path, "items: list, fields: {key: id}")
    page = Page(b'var ajaxResult={"list": [{"id": "x",},]};', URL)
    assert [entry.key for entry in walk.read(page).entries] == ["x"]


def test_records_without_a_key_are_problems_and_the_others_stay(tmp_path: Path) -> None:
    walk = json_walk(tmp_path, "items: list, fields: {key: id, title: title, url: url}", "key: {patterns: '^\\d+$'}\n")
    records = [{"id": "1"}, {"title": "no id"}, {"id": "x7"}, {}, None, "text", ["1"], {"url": "http://["}, {"id": 2}]
    listing = walk.read(answer({"list": records}))
    assert [entry.key for entry in listing.entries] == ["1", "2"]
    assert listing.problems == [
        "no key in 'no id'",
        "no key in 'x7'",
        "no key in 'empty record'",
        "no key in 'empty record'",
        "no key in 'empty record'",
        "no key in 'empty record'",
        "no key in 'empty record'",
    ]


def test_a_key_from_the_address_where_the_list_names_none(tmp_path: Path) -> None:
    walk = json_walk(tmp_path, "items: list, fields: {key: id, url: url}", KEYED)
    listing = walk.read(answer({"list": [{"url": "/a/12.html"}, {"id": "/a/13"}]}))
    assert [entry.key for entry in listing.entries] == ["12", "13"]


def test_a_json_list_of_another_shape(tmp_path: Path) -> None:
    walk = json_walk(tmp_path, "items: list, fields: {key: id}")
    for page in (html("<p>busy</p>"), html("")):
        with pytest.raises(NotJson):
            walk.read(page)
    for value in ("text", 7, None, True):
        with pytest.raises(ValueError, match="a list was due, not"):
            walk.read(answer(value))
    nothings: list[Any] = [{}, [], {"list": None}, {"list": []}, {"error": "busy"}]
    for nothing in nothings:
        listing = walk.read(answer(nothing))
        assert (listing.entries, listing.problems) == ([], [])


FLASH = {
    "id": "20240229100000001",
    "infoCode": "NW1",
    "url_w": "http://finance.example/1.html",
    "title": "港口开放",
    "showtime": "2024-02-29 10:00:00",
    "digest": "【港口开放】某日开放。",
}


def test_a_record_without_what_no_page_can_give_is_refused() -> None:
    flash = load_source(SHIPPED / "eastmoney-flash.yml")
    (one,) = flash.lists
    walk = Ways(flash).walk(one)
    whole, *rest = walk.read(
        answer(
            {
                "records": [
                    FLASH,
                    {**FLASH, "id": "20240229100000002", "title": ""},
                    {**FLASH, "id": "20240229100000003", "showtime": None},
                    {"id": "20240229100000004"},
                    {**FLASH, "id": "not a number"},
                ]
            }
        )
    ).entries
    assert whole == Entry(
        "20240229100000001",
        {
            "code": "NW1",
            "url": "http://finance.example/1.html",
            "title": "港口开放",
            "published": "2024-02-29 10:00:00",
            "digest": "某日开放。",  # without the headline before it
        },
    )
    assert [(entry.key[-1], entry.refused) for entry in rest] == [
        ("2", "the list gives no title, and no page can"),
        ("3", "the list gives no published, and no page can"),
        ("4", "the list gives no title and no published, and no page can"),
    ]


def test_where_a_page_can_give_it_the_list_need_not(tmp_path: Path) -> None:
    walk = json_walk(tmp_path, "items: list, fields: {key: id}")
    assert walk.read(answer({"list": [{"id": "1"}]})).entries == [Entry("1", {})]


# going on


def test_without_pagination_there_is_one_page(tmp_path: Path) -> None:
    assert pages_walk(tmp_path, "links: a").next(html('<a class="next" href="2">'), 1) == ""
    assert json_walk(tmp_path, "items: a").next(answer({"a": [], "next": 2}), 1) == ""


def test_numbered_pages_to_a_depth(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, "links: a, pages: {template: 'list_{page}.html', depth: 3}")
    following = [walk.next(html(""), number) for number in (1, 2, 3, 4)]
    assert following == ["https://gazette.example/news/list_2.html", "https://gazette.example/news/list_3.html", "", ""]


def test_other_numbers_of_pages(tmp_path: Path) -> None:
    walk = json_walk(tmp_path, "items: a, pages: {template: 'https://x.example/?from={page}', first: 50, step: 50}")
    assert [walk.next(answer({"a": []}), number) for number in (1, 2, 9, 10)] == [
        "https://x.example/?from=50",
        "https://x.example/?from=100",
        "https://x.example/?from=450",
        "",  # depth is 10 unless said otherwise
    ]


def test_next_links_to_their_end(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, "links: a, pages: {next: 'a[rel=next]::attr(href)', depth: 99}")
    assert walk.next(html('<a rel="next" href="?p=2">'), 1) == "https://gazette.example/news/list.html?p=2"
    assert walk.next(html('<a rel="prev" href="?p=1">'), 2) == ""
    assert walk.next(html('<a rel="next" href="javascript:more()">'), 2) == ""
    assert walk.next(html('<a rel="next" href="?p=2"><a rel="next" href="?p=3">'), 1) == ""  # which one?
    assert walk.next(html('<a rel="next" href="?p=2">'), 99) == ""


def test_cursors(tmp_path: Path) -> None:
    walk = json_walk(tmp_path, "items: a, pages: {template: 'https://x.example/?after={cursor}', cursor: meta.end}")
    assert walk.next(answer({"a": [], "meta": {"end": 1709200000}}), 1) == "https://x.example/?after=1709200000"
    assert walk.next(answer({"a": [], "meta": {"end": ""}}), 1) == ""
    assert walk.next(answer({"a": [], "meta": {"end": None}}), 1) == ""
    assert walk.next(answer({"a": []}), 1) == ""
    assert walk.next(answer({"a": [], "meta": {"end": "x"}}), 10) == ""


def test_the_next_page_s_number_as_the_answer_names_it(tmp_path: Path) -> None:
    walk = json_walk(tmp_path, "items: a, pages: {template: 'https://x.example/{page}', next: next_page}")
    assert walk.next(answer({"a": [], "next_page": 7}), 1) == "https://x.example/7"
    assert walk.next(answer({"a": [], "next_page": None}), 1) == ""


# addresses


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/a/1", "https://gazette.example/a/1"),
        (" b.html\n", "https://gazette.example/news/b.html"),
        ("?p=2", "https://gazette.example/news/list.html?p=2"),
        ("//other.example/x", "https://other.example/x"),
        ("HTTPS://Other.example/x", "https://Other.example/x"),
        ("http://other.example", "http://other.example"),
        ("ftp://other.example/x", ""),
        ("data:text/html,x", ""),
        ("http://", ""),
        ("http://[::1", ""),
        ("javascript:void(0)", ""),
    ],
)
def test_web_addresses_alone(address: str, found: str) -> None:
    assert absolute(URL, address) == found


def test_filling_share_links() -> None:
    values = {"key": "NW 1/2?&é", "code": "a-b.c_d~e,f", "url": "https://gazette.example/a?b=c&d=%20", "empty": ""}
    assert fill("https://x.example/{key}.html", values) == "https://x.example/NW%201%2F2%3F%26%C3%A9.html"
    assert fill("https://x.example/?a={code}&b={code}", values) == "https://x.example/?a=a-b.c_d~e,f&b=a-b.c_d~e,f"
    assert fill("{url}", values) == values["url"]
    assert fill("https://x.example/", values) == "https://x.example/"
    for template in ("https://x.example/{empty}", "https://x.example/{missing}", "{key}{missing}"):
        assert fill(template, values) == ""


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_key_never_leaves_its_place_in_an_address(key: str) -> None:
    filled = fill("https://x.example/{key}?end", {"key": key})
    part = filled.removeprefix("https://x.example/").removesuffix("?end")
    assert unquote(part) == key
    assert not set(part) & set("/?#&={}\\ \n\"'<>")


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.text(max_size=20))
def test_any_list_page_is_read(tmp_path_factory: pytest.TempPathFactory, text: str, href: str) -> None:
    walk = pages_walk(tmp_path_factory.getbasetemp(), "items: p")
    listing = walk.read(Page(f'<p><a href="{href}">{text}</a>'.encode("utf-8", "replace"), URL))
    assert all(entry.key and entry.hints["url"].startswith("http") for entry in listing.entries)


# the escape hatch


HATCH = """
from crawler.assemble import Assembler
from spiders.pages import PagesWalk

class Own(Assembler):
    pass

class OwnWalk(PagesWalk):
    pass

def assembler(source):
    return Own(source)

def walk(source, one):
    return OwnWalk(source, one)
"""


def hatched(folder: Path, python: str) -> Source:
    made = source(folder, "{kind: html, urls: '" + URL + "', links: a}")
    (folder / "gazette.py").write_text(python, encoding="utf-8")
    return made


def test_by_its_data_where_there_is_no_python() -> None:
    select = load_source(SHIPPED / "eastmoney-select.yml")
    ways = Ways(select)
    assert type(ways.assembler) is Assembler
    assert type(ways.walk(select.lists[0])) is JsonWalk
    html_list = next(one for one in load_source(SHIPPED / "eastmoney.yml").lists if isinstance(one, HtmlList))
    assert type(ways.walk(html_list)) is PagesWalk


def test_a_user_s_python_is_not_even_run_without_the_wish(tmp_path: Path) -> None:
    made = hatched(tmp_path, "raise SystemExit('run!')")
    ways = Ways(made)
    assert type(ways.assembler) is Assembler
    assert type(ways.walk(made.lists[0])) is PagesWalk
    with pytest.raises(SystemExit, match="run!"):
        Ways(made, own_python=True)


def test_a_user_s_python_on_the_explicit_wish(tmp_path: Path) -> None:
    made = hatched(tmp_path, HATCH)
    ways = Ways(made, own_python=True)
    assert type(ways.assembler).__name__ == "Own"
    assert type(ways.walk(made.lists[0])).__name__ == "OwnWalk"
    assert ways.assembler.source is made


def test_python_may_say_one_thing_and_leave_the_rest_to_data(tmp_path: Path) -> None:
    made = hatched(tmp_path, "x = 1")
    ways = Ways(made, own_python=True)
    assert type(ways.assembler) is Assembler
    assert type(ways.walk(made.lists[0])) is PagesWalk


def test_shipped_python_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = hatched(tmp_path, HATCH)
    monkeypatch.setattr("spiders.hatch.SHIPPED", tmp_path.resolve())
    assert type(Ways(made).assembler).__name__ == "Own"


def test_a_link_into_the_shipped_folder_does_not_make_python_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    monkeypatch.setattr("spiders.hatch.SHIPPED", shipped.resolve())
    made = hatched(tmp_path, "raise SystemExit('run!')")
    (shipped / "gazette.py").symlink_to(tmp_path / "gazette.py")
    (shipped / "gazette.yml").write_text(made.path.read_text() if made.path else "")
    assert type(Ways(load_source(shipped / "gazette.yml")).assembler) is Assembler


def test_an_index_page_names_further_lists(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, 'links: /a/, lists: ".cats a::attr(href)"')
    page = html('<base href="/sub/"><p class=cats><a href="one">1</a><a href="/two">2</a><a href="one">1</a></p>')
    base = urlsplit(page.url)
    assert walk.lists(page) == [f"{base.scheme}://{base.netloc}/sub/one", f"{base.scheme}://{base.netloc}/two"]
    assert pages_walk(tmp_path, "links: /a/").lists(page) == []


def test_an_item_with_several_addresses_is_a_problem(tmp_path: Path) -> None:
    walk = pages_walk(tmp_path, 'items: li, fields: {url: "a::attr(href)"}')
    two, one = '<a href="/a/1">x</a><a href="/a/2">y</a>', '<a href="/a/3">z</a>'
    listing = walk.read(html(f"<li>{two}</li><li>an advertisement</li><li>{one}</li>"))
    assert [entry.hints["url"].rsplit("/", 1)[-1] for entry in listing.entries] == ["3"]
    assert listing.problems == ["2 addresses in one item, '/a/1' first: one is due"]
