"""The sample site of the demo: the package is what the builder makes, and the sources find all of it, nothing else."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml
from warcio.archiveiterator import ArchiveIterator

from crawler.extract.dates import parse
from crawler.extract.layout import Fields, Layout, choose, run
from crawler.extract.page import Page
from crawler.extract.text import plain
from crawler.lists import HtmlList, JsonList
from crawler.rulemodel import RuleModel
from crawler.share import fill
from crawler.sources import Source, load_source
from crawler.urls import canonical
from spiders.json_list import JsonWalk
from spiders.pages import PagesWalk
from spiders.walk import Listing, Walk
from tests import demo_site
from tests.demo_site import ARTICLES, CAPTURED, NOISE, PACKAGE, SOURCES, Truth

NAMES = ("demo-jiangcheng", "demo-harbour", "demo-wire")
KEPT = [truth for truth in ARTICLES if truth.expected == "kept"]


class Reply(NamedTuple):
    """A response record of the package."""

    status: str
    headers: dict[str, str]
    payload: bytes
    """As on the wire."""
    body: bytes
    warc: dict[str, str]


@cache
def replies() -> dict[str, Reply]:
    found: dict[str, Reply] = {}
    with PACKAGE.open("rb") as file:
        for record in ArchiveIterator(file):
            headers = dict(record.http_headers.headers)
            payload = record.raw_stream.read()
            body = gzip.decompress(payload) if headers.get("Content-Encoding") == "gzip" else payload
            url = record.rec_headers.get_header("WARC-Target-URI")
            assert url not in found, "an address is packaged once"
            warc = dict(record.rec_headers.headers)
            found[url] = Reply(record.http_headers.get_statuscode(), headers, payload, body, warc)
    return found


def page(url: str) -> Page:
    reply = replies()[url]
    return Page(reply.body, url, declared=reply.headers["Content-Type"].partition("charset=")[2])


@cache
def source(name: str) -> Source:
    return load_source(SOURCES / f"{name}.yml")


@cache
def walks(name: str) -> list[list[tuple[str, Listing]]]:
    """For each list of a source the addresses of its pages and what they name."""
    return [list(_pages(source(name), number)) for number in range(len(source(name).lists))]


def _pages(followed: Source, number: int) -> Iterator[tuple[str, Listing]]:
    one = followed.lists[number]
    assert isinstance(one, HtmlList | JsonList)
    walk: Walk = PagesWalk(followed, one) if isinstance(one, HtmlList) else JsonWalk(followed, one)
    for start in one.urls:
        url, count = start, 0
        while url:
            count += 1
            shown = page(url)
            yield url, walk.read(shown)
            url = walk.next(shown, count)


def keys(name: str, number: int = 0) -> list[list[str]]:
    return [[entry.key for entry in listing.entries] for _, listing in walks(name)[number]]


def hints(name: str) -> dict[str, dict[str, str]]:
    """What the lists say of each key; of several mentions the first counts."""
    said: dict[str, dict[str, str]] = {}
    for one in walks(name):
        for _, listing in one:
            for entry in listing.entries:
                said.setdefault(entry.key, dict(entry.hints))
    return said


def addresses(name: str) -> dict[str, str]:
    """Key -> the address that is asked for its article."""
    form = source(name).article.address
    asked = {key: fill(form, {**said, "key": key}) for key, said in hints(name).items()}
    return {key: canonical(url) if form == "{url}" else url for key, url in asked.items()}


def extracted(truth: Truth) -> Fields:
    """What the source's rules find in the article's page."""
    followed = source(truth.source)
    bare = "css" if followed.article.format == "html" else "jmespath"
    layouts = [_layout(followed, number, bare) for number in range(len(followed.layouts))]
    shown = page(addresses(truth.source)[truth.key])
    found = (run(shown, layout) for layout in choose(layouts, None))
    return next(given for given in found if given.body)


def _layout(followed: Source, number: int, bare: str) -> Layout:
    model = followed.layouts[number]
    named = {name: getattr(model, name) for name in type(model).model_fields}
    rules = {name: rule.compiled(bare) for name, rule in named.items() if isinstance(rule, RuleModel)}
    strip = [RuleModel([selector]).compiled("css") for selector in model.strip]
    return Layout(rules, strip, model.drop, model.until)


# the package


@pytest.mark.skipif("ng" in zlib.ZLIB_RUNTIME_VERSION, reason="another zlib compresses to other bytes")
def test_the_package_is_what_the_builder_makes_byte_for_byte() -> None:
    assert demo_site.build() == PACKAGE.read_bytes(), "next: python -m tests.demo_site"


def test_the_package_says_what_the_builder_says_under_any_zlib() -> None:
    built = {answer.url: (answer.kind, answer.body) for answer in demo_site.answers()}
    assert {url: (reply.headers["Content-Type"], reply.body) for url, reply in replies().items()} == built


def test_the_package_is_small() -> None:
    assert PACKAGE.stat().st_size < 150_000


def test_each_record_is_a_gzip_member_without_a_clock() -> None:
    rest, members = PACKAGE.read_bytes(), 0
    while rest:
        assert rest[4:8] == b"\0\0\0\0", "the member's time"
        member = zlib.decompressobj(31)
        content = member.decompress(rest)
        assert content.startswith(b"WARC/1.1\r\n")
        rest, members = member.unused_data, members + 1
    assert members == len(replies())


def test_records_carry_fixed_dates_and_ids() -> None:
    assert {reply.warc["WARC-Date"] for reply in replies().values()} == {"2026-03-16T08:00:00Z"}
    assert len({reply.warc["WARC-Record-ID"] for reply in replies().values()}) == len(replies())


def test_responses_look_like_a_server_s() -> None:
    for url, reply in replies().items():
        assert reply.status == "200", url
        assert reply.headers["Content-Length"] == str(len(reply.payload))
        assert "charset=" in reply.headers["Content-Type"]
        assert reply.headers["ETag"].startswith('"')
        assert reply.headers["Last-Modified"].endswith("GMT")
    squeezed = [url for url, reply in replies().items() if "Content-Encoding" in reply.headers]
    assert 10 < len(squeezed) < len(replies()) - 10, "some with gzip, some without"


def test_no_host_is_a_real_one() -> None:
    assert all((urlsplit(url).hostname or "").endswith(".example") for url in replies())


# the sources


def test_the_sources_are_these() -> None:
    assert sorted(path.stem for path in SOURCES.glob("*.yml")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_source_is_valid_and_complete(name: str) -> None:
    written = yaml.safe_load((SOURCES / f"{name}.yml").read_text(encoding="utf-8"))
    facts = "name home language timezone example politeness schedule expect lists key layouts post verified"
    assert set(facts.split()) <= set(written), "an example leaves nothing of importance out"
    assert source(name).verified.how == "offline"
    assert all(host.endswith(".example") for host in source(name).hosts)


def test_html_lists_are_paged_by_next_link_and_by_template() -> None:
    assert [url for url, _ in walks("demo-jiangcheng")[0]] == [
        "https://www.jiangcheng.example/local/",
        "https://www.jiangcheng.example/local/index_2.html",
        "https://www.jiangcheng.example/local/index_3.html",
    ]
    assert keys("demo-jiangcheng", 0) == [
        ["78103316", "78103127", "78102885", "78102640"],
        ["78102418", "78102204", "78101977", "78101760"],
        ["78101533", "78101208", "78101045"],
    ]
    assert [url for url, _ in walks("demo-jiangcheng")[1]] == [
        "https://www.jiangcheng.example/finance/",
        "https://www.jiangcheng.example/finance/list-2.html",
    ], "the site goes on, the source's depth does not"
    assert keys("demo-jiangcheng", 1) == [["78103250", "78102902", "78102204"], ["78101880", "78101612", "78101390"]]


def test_titles_of_a_list_are_whole_though_its_links_are_cut() -> None:
    titles = {truth.key: truth.title for truth in ARTICLES if truth.source == "demo-jiangcheng"}
    assert {key: said["title"] for key, said in hints("demo-jiangcheng").items()} == titles


def test_one_article_under_several_addresses_has_one_key() -> None:
    assert keys("demo-harbour") == [
        ["48241", "48236", "48230", "48213", "48207"],
        ["48198", "48190", "48213", "48184", "48171", "48166"],
        ["48213", "48152", "48140", "48213", "47019", "46873"],
    ]
    listed = [entry.hints["url"] for _, listing in walks("demo-harbour")[0] for entry in listing.entries]
    copies = [url for url in listed if "48213" in url]
    assert copies == [
        "https://www.harbour.example/news/2026/03/14/harbour-wall-repairs-begin-48213",
        "https://www.harbour.example/amp/2026/03/14/harbour-wall-repairs-begin-48213",
        "https://m.harbour.example/2026/03/14/harbour-wall-repairs-begin-48213",
        "https://www.harbour.example/news/2026/03/14/harbour-wall-repairs-begin-48213?print=1",
    ]
    assert sum("utm_" in url for url in listed) == 2


def test_the_json_list_is_paged_by_cursor_and_once_wrapped() -> None:
    urls = [url for url, _ in walks("demo-wire")[0]]
    assert [urlsplit(url).query for url in urls] == [
        "size=5",
        "size=5&cursor=202603151012457745",
        "size=5&cursor=202603131704226859",
    ]
    assert [len(listing.entries) + len(listing.problems) for _, listing in walks("demo-wire")[0]] == [5, 5, 3]
    assert [replies()[url].body[:7] for url in urls] == [b'{"code"', b"onNews(", b'{"code"']


def test_the_wire_s_faulty_records_show() -> None:
    problems = [problem for _, listing in walks("demo-wire")[0] for problem in listing.problems]
    assert problems == ["no key in 'N/A'"]
    bare = [truth for truth in ARTICLES if truth.why == "no title"]
    assert [hints("demo-wire")[truth.key] for truth in bare] == [{}]
    empty = [truth for truth in ARTICLES if truth.why == "empty text"]
    assert [page(addresses("demo-wire")[truth.key]).json for truth in empty] == [{"text": ""}]
    assert {truth.why for truth in ARTICLES if truth.expected == "refused"} == {"no title", "no key", "empty text"}


def test_a_wire_record_says_what_the_truth_says() -> None:
    for truth in ARTICLES:
        if truth.source == "demo-wire" and truth.why in ("", "empty text"):
            said = hints("demo-wire")[truth.key]
            assert (said["title"], said["digest"]) == (truth.title, truth.digest)
            assert said["outlet"] == (truth.listed_outlet or truth.outlet)
            assert parse(said["published"], source("demo-wire").zone) == datetime.fromisoformat(truth.published)


def test_what_is_asked_is_packaged_and_what_is_packaged_is_asked() -> None:
    lists = {url for name in NAMES for one in walks(name) for url, _ in one}
    refused = {truth.key for truth in ARTICLES if truth.why == "no title"}
    asked = {url for name in NAMES for key, url in addresses(name).items() if key not in refused}
    copies = {
        canonical(entry.hints["url"])
        for name in ("demo-jiangcheng", "demo-harbour")
        for one in walks(name)
        for _, listing in one
        for entry in listing.entries
    }
    hosts = {f"https://{urlsplit(url).netloc}/robots.txt" for url in lists | asked | copies}
    assert set(replies()) == lists | asked | copies | hosts


# the truth


def test_there_are_enough_articles_and_outlets_fill_their_categories() -> None:
    kept = {name: [truth for truth in KEPT if truth.source == name] for name in NAMES}
    assert {name: len(truths) for name, truths in kept.items()} == dict(zip(NAMES, (16, 14, 10), strict=True))
    outlets = [truth.outlet for truth in KEPT]
    assert sum(outlets.count(outlet) >= 3 for outlet in set(outlets) - {""}) >= 6
    assert "" in outlets, "some articles credit nobody"


def test_every_article_is_listed_and_every_listed_one_is_in_the_truth() -> None:
    for name in NAMES:
        known = {truth.key for truth in ARTICLES if truth.source == name and truth.why != "no key"}
        assert set(hints(name)) == known


def test_examples_are_articles_of_the_truth() -> None:
    links = {truth.link for truth in KEPT}
    assert all(source(name).example in links for name in NAMES)


@pytest.mark.parametrize("truth", KEPT, ids=lambda truth: truth.key)
def test_the_rules_find_the_truth(truth: Truth) -> None:
    given = extracted(truth)
    assert tuple(plain(f"<div>{given.body}</div>").split("\n")) == truth.paragraphs
    assert given.attribution.removeprefix("（文章来源：").removesuffix("）") == truth.outlet
    assert (given.byline, given.editor) == (truth.byline, truth.editor)
    said = hints(truth.source)[truth.key]
    assert (given.title or said["title"]) == truth.title
    assert (given.digest or said.get("digest", "")) == truth.digest
    published = parse(given.published or said["published"], source(truth.source).zone, not_after=CAPTURED)
    assert published is not None
    assert published.isoformat() == truth.published
    if truth.source == "demo-harbour":
        assert given.canonical == truth.link


def test_the_noise_is_on_the_pages_and_in_no_article() -> None:
    pages = "\n".join(reply.body.decode("utf-8", "replace") for reply in replies().values())
    texts = "\n".join(line for truth in ARTICLES for line in truth.paragraphs)
    assert [noise for noise in NOISE if noise not in pages or noise in texts] == []


@pytest.mark.parametrize("truth", KEPT, ids=lambda truth: truth.key)
def test_an_article_is_long_enough_for_its_source(truth: Truth) -> None:
    floor = source(truth.source).expect
    assert len(truth.paragraphs) >= max(floor.paragraphs, 3)
    assert len("".join(truth.paragraphs)) > floor.characters * 1.5


def test_the_awkward_things_are_there() -> None:
    """What the demo is to show that presskeep copes with: it must not fall out of the texts unseen."""
    titles = "\n".join(truth.title for truth in KEPT)
    assert all(mark in titles for mark in ('"', "\\", ": #", "<b>"))
    texts = "\n".join(line for truth in KEPT for line in truth.paragraphs)
    assert all(mark in texts for mark in ("{{", "}}", "{% raw %}", "{% endraw %}", "图片来源", "<", "&"))
    bodies = {url: reply.body for url, reply in replies().items()}
    joined = b"\n".join(bodies.values())
    for mark in (
        "&nbsp;",
        "　　",
        "<table",
        "<blockquote",
        "<li>",
        "<img",
        "WireChart_Start",
        r"</p>\r\n <p>",
        "网络</em>",
    ):
        assert mark.encode() in joined, mark
    assert '<a href="/topic/31" class="keytip">早报</a></span>'.encode() in joined
    assert [truth.listed_outlet for truth in KEPT if truth.listed_outlet] == ["北屿证券报"]
    assert {truth.published[-6:] for truth in KEPT} == {"+08:00", "+00:00", "+01:00"}


def test_one_page_says_gb2312_and_is_more() -> None:
    truth = next(truth for truth in KEPT if truth.key == "78101208")
    reply = replies()[truth.link]
    assert "gb2312" in reply.headers["Content-Type"]
    with pytest.raises(UnicodeDecodeError):
        reply.body.decode("gb2312")
    assert page(truth.link).encoding == "gb18030"
    assert "𬱖" in reply.body.decode("gb18030")


def test_the_builder_writes_where_the_package_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()

    class Place:
        def write_bytes(self, data: bytes) -> None:
            written.write(data)

    monkeypatch.setattr(demo_site, "PACKAGE", Place())
    demo_site.main()
    assert written.getvalue() == demo_site.build()
