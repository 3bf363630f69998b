"""``presskeep probe``: an invented site that no source knows, from its front page to posts; and the parts by which it
is found out."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.commands.probe import command
from crawler.extract.article import extract
from crawler.extract.page import Page
from crawler.fetch import Answer, answered, captured
from crawler.fixtures import check
from crawler.probe.body import Bodies
from crawler.probe.links import Link, clusters, key_patterns, kind, parsed, pattern_for
from crawler.probe.made import Made, draft_of, made_of
from crawler.probe.offers import feeds_on, kind_of, named_by, sitemaps_in
from crawler.probe.paging import way_of
from crawler.probe.paths import is_stable
from crawler.probe.place import id_of, language_of, zone_of
from crawler.probe.rules import Fields, Sample
from crawler.probe.sheet import share_pattern, written
from crawler.probe.survey import NothingFound, Survey, Surveyor
from crawler.sources import Source, load_source
from tests.newsroom import Newsroom
from tests.probe_show import compared
from tests.probe_show import newsroom as published
from tests.story import Archive
from tests.test_pagefile import warc

BASE = "http://127.0.0.1:8000"
DAY = date(2026, 4, 1)
SITE = "https://www.riverbend.example"


def ask(site: Newsroom, instead: Mapping[str, str] = MappingProxyType({})) -> Callable[[str], Answer]:
    """Answers of a site that is on no server; ``instead``: bodies of some of its paths."""
    site.base = BASE

    def answer(url: str) -> Answer:
        path = url.removeprefix(BASE)
        if path in instead:
            return Answer(
                url, url, 200, (("Content-Type", "text/html"),), instead[path].encode(), date=f"{DAY}T00:00:00Z"
            )
        page = site.answer(path)
        if page is None:
            return Answer(url, url, 404, body=b"no such page")
        return Answer(url, url, 200, (("Content-Type", page.kind),), page.data, date=f"{DAY}T00:00:00Z")

    return answer


def surveyed(
    site: Newsroom, path: str = "/", articles: int = 8, instead: Mapping[str, str] = MappingProxyType({})
) -> Survey:
    return answered(Surveyor(BASE + path, articles).talk(), ask(site, instead))


def made(survey: Survey, folder: Path, **changes: Any) -> tuple[Made, Source]:
    draft = draft_of(survey, slug=lambda name: name, id="room", delay=0.01, day=DAY, **changes)
    done = made_of(draft, folder / "room.yml")
    return done, load_source(done.path)


@pytest.fixture(scope="module")
def survey() -> Survey:
    return surveyed(Newsroom(60, shown=10))


# the whole of it


def test_from_a_front_page_to_posts(tmp_path: Path) -> None:
    with published(24) as (home, due, _):
        archive = Archive.new(tmp_path / "archive")
        words = ("--delay", "0.01", "--articles", "6", "--id", "room")
        told = json.loads(archive.verb("probe", home, *words, "--json").stdout)
        assert told["unsure"] == []
        archive.crawl("room")
    right = compared(archive, due)
    assert right.pop("beyond") == 0
    assert set(right.values()) == {24}, right
    assert check(load_source(archive.folder / "sources" / "room.yml")) == []
    assert all(one["title"] for one in told["articles"])


def test_from_captures(tmp_path: Path) -> None:
    """Nothing is asked of the network, and the table says what was had."""
    site = Newsroom(30)
    answer, kept = ask(site), {}

    def keep(url: str) -> Answer:
        kept[url] = answer(url)
        return kept[url]

    answered(Surveyor(f"{BASE}/", 5).talk(), keep)
    path = warc(tmp_path / "a.warc.gz", *(captured(one) for one in kept.values() if one.good))
    out = tmp_path / "sources" / "room.yml"
    words = [f"{BASE}/", "--replay", str(path), "--out", str(out), "--articles", "5"]
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 0, done.output
    assert site.truth(29).title[:20] in done.stdout
    assert f"wrote {out}" in done.stdout
    source = load_source(out)
    assert source.verified.how == "offline"
    assert check(source) == []
    assert CliRunner().invoke(command, words).exit_code == 2
    assert CliRunner().invoke(command, [*words, "--force"]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ftp://a.example/"], 2, "http://"),
        ([f"{BASE}/", "--delay", "0"], 2, "0.5 seconds"),
        ([f"{SITE}/", "--delay", "0.1"], 2, "0.5 seconds"),
        ([f"{BASE}/", "--id", "other"], 2, "is called as its file is"),
        ([f"{BASE}/none"], 3, "not among the captures"),
    ],
)
def test_what_is_refused(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    path = warc(tmp_path / "a.warc.gz")
    out = str(tmp_path / "room.yml")
    done = CliRunner().invoke(command, [*words, "--out", out, "--replay", str(path)])
    assert (done.exit_code, said in done.output) == (code, True), done.output
    assert not Path(out).exists()


# what is found


def test_what_a_site_offers(survey: Survey) -> None:
    assert [(one.kind, one.all, one.articles) for one in (*survey.feeds, *survey.sitemaps)] == [
        ("feed", 30, 30),
        ("index", 60, 60),
    ]
    assert {one.url for one in survey.lists} == {
        f"{BASE}{path}" for path in ("/", "/harbour/", "/town/", "/trade/", "/fields/")
    }
    ways = {one.way.template for one in survey.lists if one.way}
    assert ways == {"?page={page}"}
    assert survey.known == 60
    assert len(survey.samples) == 8
    assert (survey.keys, survey.shares) == ([r"/(\d+)\.html"], f"{BASE}/share?id={{key}}")
    site = Newsroom(60)
    assert all(re.search(survey.pattern, f"{BASE}{one.path}") for one in site.truths())
    others = ("/", "/about", "/harbour/", "/harbour/?page=2", "/share?id=1040000", "/app")
    assert not any(re.search(survey.pattern, BASE + path) for path in others)


@pytest.mark.parametrize("path", ["/town/", "/rss.xml", "/sitemap.xml", "article"])
def test_any_address_of_a_site_will_do(path: str) -> None:
    site = Newsroom(40)
    path = site.truth(7).path if path == "article" else path
    found = surveyed(site, path, 4)
    assert found.home == f"{BASE}/"
    assert (found.known, found.pattern) == (40, r"/[\w-]+/\d+/\d+\.html")
    assert f"{BASE}/town/" in {one.url for one in found.lists}


def test_a_site_without_feed_and_sitemap() -> None:
    found = surveyed(Newsroom(60, shown=5, has_feed=False, has_sitemap=False), articles=6)
    assert (found.feeds, found.sitemaps) == ([], [])
    assert any(one.way and one.second for one in found.lists)
    assert found.keys == [r"/(\d+)\.html"]


def test_where_nothing_is_found() -> None:
    site = Newsroom(5)
    with pytest.raises(NothingFound, match="HTTP 404"):
        surveyed(site, "/none")
    empty = "<html><body><p>nothing here</p></body></html>"
    with pytest.raises(NothingFound, match=r"no articles were found .* Next: "):
        surveyed(Newsroom(0, has_feed=False, has_sitemap=False), instead={"/": empty})


# what is written


def test_a_source_as_a_person_would_write_it(survey: Survey, tmp_path: Path) -> None:
    done, source = made(survey, tmp_path)
    layout = yaml.safe_load(done.text)["layouts"]
    assert layout == [
        {
            "title": "h1",
            "body": "div.text",
            "published": "span.when",
            "attribution": "span.credit",
            "byline": {"css": "span.writer", "regex": r"^作者：\s*(.+)"},
            "strip": ["div.promo"],
        }
    ]
    assert (source.name, source.language, source.timezone) == ("青渡新闻网", "zh-CN", "Asia/Shanghai")
    assert [one.kind for one in source.lists] == ["feed", "sitemap", "html", "html"]
    assert "since: 3d" in done.text
    assert "lower the depth" in done.text
    assert done.unsure == []
    assert [row.why for row in done.rows] == [""] * 8
    assert {one.entries for one in done.expected.lists if one.of.endswith(("rss.xml", "sitemap.xml"))} == {30, 60, 0}
    assert len(done.expected.articles) == 8
    assert check(source) == []


def test_a_redesign_shows_in_the_check(survey: Survey, tmp_path: Path) -> None:
    """The pages that were recorded are exchanged for the redesigned ones."""
    done, source = made(survey, tmp_path)
    answer = ask(Newsroom(60, shown=10, redesign=True))
    urls = [one.url for one in done.expected.lists] + [one.url for one in done.expected.articles]
    pages = [captured(answer(url)) for url in urls]
    warc(tmp_path / "fixtures" / "room.warc.gz", *pages)
    assert {one.url for one in check(source)} == {one.url for one in done.expected.articles}


def test_the_redesign_is_read_as_well(tmp_path: Path) -> None:
    _, source = made(surveyed(Newsroom(40, "en", redesign=True)), tmp_path)
    layout = yaml.safe_load((tmp_path / "room.yml").read_text("utf-8"))["layouts"][0]
    assert (layout["title"], layout["body"]) == ("h2.title-line", "section.copy")
    assert layout["byline"] == {"css": "li.penned", "regex": r"^By\s*(.+)"}
    assert source.timezone == "Europe/London"


def test_pages_in_another_encoding(tmp_path: Path) -> None:
    site = Newsroom(12, shown=5)
    answer = ask(site)

    def packed(url: str) -> Answer:
        one = answer(url)
        if not url.endswith(".html"):
            return one
        body = one.body.decode().replace('charset="utf-8"', 'charset="gb18030"').encode("gb18030")
        return replace(one, body=body)

    done, _ = made(answered(Surveyor(f"{BASE}/", 5).talk(), packed), tmp_path)
    assert "# Its pages are in gb18030" in done.text
    titles = [row.article.title for row in done.rows if row.article]
    assert len(titles) == len(done.rows) > 3
    assert set(titles) <= {one.title for one in site.truths()}


_NASTY = (
    b'<a href="http://[">2</a>',
    b'<base href="http://[">',
    b'<a href="//a:99999/">next</a>',
    b"\0\0",
    b'<span)class="credit">x</span>',
    b'<div class="\'\\">x</div>',
)


@pytest.mark.parametrize("seed", range(10))
def test_pages_that_are_broken(seed: int, tmp_path: Path) -> None:
    """Cut, garbled, missing: what is written is a source that passes its check, or nothing is found."""
    pick = random.Random(seed)
    site = Newsroom(pick.randint(3, 20), pick.choice(["zh", "en"]), redesign=seed % 3 == 0, shown=4)
    answer = ask(site)

    def broken(url: str) -> Answer:
        one = answer(url)
        body, place = bytearray(one.body), pick.randrange(len(one.body) + 1)
        match pick.randrange(8):
            case 0:
                return Answer(url, url, failure="timed out")
            case 1:
                del body[place:]
            case 2:
                body[place : place + 3] = bytes(pick.randrange(256) for _ in range(3))
            case 3:
                body[place:place] = pick.choice(_NASTY)
        return replace(one, body=bytes(body))

    try:
        _, source = made(answered(Surveyor(f"{BASE}/", 6).talk(), broken), tmp_path)
    except NothingFound:
        return
    assert check(source) == []


def test_what_is_unsure_is_said(tmp_path: Path) -> None:
    site = Newsroom(9, shown=20, has_feed=False, has_sitemap=False)
    done, source = made(surveyed(site, articles=3), tmp_path)
    said = " ".join(done.unsure)
    assert "timezone: Asia/Shanghai is a guess" in said
    assert "out of reach" in said
    assert re.search(r"only \d articles could be read", said)
    assert source.notes == done.unsure


def test_nothing_is_left_behind_where_it_fails(survey: Survey, tmp_path: Path) -> None:
    draft = draft_of(survey, slug=lambda name: name, id="room", delay=0.01, day=DAY)
    draft.id = "No Id"
    with pytest.raises(ValueError, match="id"):
        made_of(draft, tmp_path / "room.yml")
    assert list(tmp_path.iterdir()) == []
    assert written(draft).count("links:") == 2


# addresses


FORMS: list[tuple[list[str], list[str], str, list[str]]] = [
    (
        [f"/a/{place}/NW2022010{n}000{len(place)}{n}.html" for n in range(4) for place in ("town", "trade")],
        ["/c/b/", "/c/b/p2.html", "/share.html?code=NW20220101"],
        r"/a/[\w-]+/NW\d+\.html",
        [],
    ),
    (
        [f"/news/{4711 + n}-new-bridge-{'abc'[n]}" for n in range(3)],
        ["/news", "/news?page=2"],
        r"/news/\d+[-_][^/?#]+",
        [r"/(\d+)[-_]"],
    ),
    (
        [f"/2026/03/0{n}/a-long-headline-of-{n}-words/" for n in range(1, 5)],
        ["/2026/03/", "/tag/bridges/"],
        r"/\d{4}/\d{2}/\d{2}/[\w-]+",
        [r"/([\w-]+)/?(?:[?#]|$)"],
    ),
    ([f"/doc?id={9000 + n}" for n in range(3)], ["/doc?page=3", "/about"], r"/doc\?.*?\bid=\d+", ["[?&]id=([^&#]+)"]),
    (
        [f"/2026030{n}/{n}f3c9a17b2d84e56{n}0/c.html" for n in range(1, 4)],
        ["/c.html"],
        r"/\d{8}/[0-9A-Fa-f-]+/c\.html",
        [r"/([^/?#]+)/c\.html"],
    ),
    (
        [f"/2026/03/0{n}/sport/a-boat-race-number-{n}/index.html" for n in range(1, 4)],
        ["/index.html", "/2026/03/index.html"],
        r"/\d{4}/\d{2}/\d{2}/sport/[\w-]+/index\.html",
        [r"/([\w-]+)/index\.html"],
    ),
    (["/news/a-single-word"], ["/about"], "/news/[\\w-]+", []),
    (
        [f"/{('sport', 'town')[n % 2]}/storm-over-the-marsh-{8000 + n}.html" for n in range(4)],
        ["/sport/", "/sport/table.html", "/about.html"],
        r"/[\w-]+/[^/?#]*-\d+\.html",
        [r"[-_,.](\d+)\.html"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("articles", "others", "pattern", "keys"), FORMS)
def test_patterns_and_keys(articles: list[str], others: list[str], pattern: str, keys: list[str]) -> None:
    urls = [SITE + path for path in articles]
    found = pattern_for(urls, [SITE + path for path in others])
    assert found == pattern
    assert not any(re.search(found, SITE + path) for path in others)
    assert not keys or key_patterns(urls) == keys


def test_a_pattern_is_narrowed_where_it_takes_others_too() -> None:
    articles = [f"{SITE}/{place}/{n}00" for place in ("town", "trade") for n in range(1, 5)]
    others = [f"{SITE}/authors/77", f"{SITE}/town/100/comments", "https://elsewhere.example/town/100"]
    found = pattern_for(articles, others)
    assert all(re.search(found, url) for url in articles)
    assert not any(re.search(found, url) for url in others)


def test_keys_that_are_not_unique_are_none() -> None:
    """A number that begins anew in each section is told by both."""
    urls = [f"{SITE}/{place}/{n}00.html" for place in ("town", "trade") for n in range(1, 5)]
    assert key_patterns(urls) == [r"/([^/?#]+/\d+)\.html"]
    assert key_patterns([*urls, f"{SITE}/old/town/100.html"]) == []


segment = st.from_regex(
    r"[a-z]{1,8}|\d{1,8}|[a-z]{2,6}-[a-z]{2,6}-[a-z]{2,6}-[a-z]{2,6}|[A-Z]{1,3}\d{3,9}", fullmatch=True
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(segment, segment, st.sampled_from(["", ".html"])), min_size=1, max_size=12))
def test_every_article_is_taken_and_has_a_key_of_its_own(parts: list[tuple[str, str, str]]) -> None:
    urls = list(dict.fromkeys(f"{SITE}/{first}/{last}{end}" for first, last, end in parts))
    pattern = pattern_for(urls, [f"{SITE}/", f"{SITE}/a"])
    assert all(re.search(pattern, url) for url in urls)
    if keys := key_patterns(urls):
        found = [next((match[1] for one in keys if (match := re.search(one, url))), "") for url in urls]
        assert all(found)


@given(st.text(max_size=40))
def test_any_part_of_an_address_has_a_kind(part: str) -> None:
    assert kind(part) in ("n", "h", "i", "s", "sn", "ns", "w")
    assert isinstance(parsed(f"{SITE}/{part}").tells, bool)


def test_headlines_make_a_form_likely() -> None:
    links = [Link(f"{SITE}/news/{n}", "The ferry sails twice a day") for n in range(4000, 4004)]
    links += [Link(f"{SITE}/people/ida/{n}", "Ida") for n in range(4000, 4004)]
    links += [Link(f"{SITE}/list/page/{n}", "A page with a number in it") for n in range(2, 9)]
    assert [{link.url for link in group} for group in clusters(links)] == [{link.url for link in links[:4]}]
    sure = clusters(links, {f"{SITE}/people/ida/4001"})
    assert sure[0][0].url == f"{SITE}/people/ida/4000"


# lists


def page(html: str, path: str = "/news/") -> Page:
    return Page(html.encode(), SITE + path)


@pytest.mark.parametrize(
    ("html", "path", "expected"),
    [
        ('<a rel="next" href="/news/p2">older</a>', "/news/", {"next": "a[rel=next]::attr(href)"}),
        ('<link rel="next" href="/news/p2">', "/news/", {"next": "link[rel=next]::attr(href)"}),
        ('<a class="more" href="?p=2">Next page »</a>', "/news/", {"next": "a.more::attr(href)"}),
        ('<a href="?p=2">下一页</a>', "/news/", {"next": {"xpath": "//a[normalize-space()='下一页']/@href"}}),
        ('<a href="?page=2">2</a> <a href="?page=3">3</a>', "/news/", {"template": "?page={page}"}),
        ('<a href="index_2.html">2</a>', "/news/index.html", {"template": "index_{page}.html"}),
        ('<a href="/news/page/2/">2</a>', "/news/", {"template": f"{SITE}/news/page/{{page}}/"}),
        ('<a href="?cat=3&page=2">2</a>', "/news?cat=3", {"template": f"{SITE}/news?cat=3&page={{page}}"}),
    ],
)
def test_how_a_list_goes_on(html: str, path: str, expected: dict[str, Any]) -> None:
    way = way_of(page(html, path))
    assert way is not None
    assert way.settings == expected


@pytest.mark.parametrize(
    "html",
    ['<a href="/a/1">2</a>', '<a href="https://other.example/2">next</a>', '<a href="/news/">next</a>', "<a>2</a>"],
)
def test_where_a_list_ends(html: str) -> None:
    assert way_of(page(html)) is None


def test_feeds_and_sitemaps_are_found() -> None:
    html = (
        '<link rel="alternate" type="application/rss+xml" href="/rss"><link rel="alternate" type="text/html" href="/m">'
        '<link rel="alternate" type="application/rss+xml" href="/comments/feed"><a href="/town/feed/">Town</a>'
    )
    assert feeds_on(page(html)) == [f"{SITE}/rss", f"{SITE}/town/feed/"]
    robots = Answer(SITE, SITE, 200, body=b"User-agent: *\nSitemap: /s.xml\nsitemap: https://x.example/t.xml\n")
    assert sitemaps_in(robots, SITE) == [f"{SITE}/s.xml", "https://x.example/t.xml"]
    assert sitemaps_in(Answer(SITE, SITE, 404), f"{SITE}/") == [f"{SITE}/sitemap.xml", f"{SITE}/sitemap_index.xml"]


@pytest.mark.parametrize(
    ("body", "kind", "urls"),
    [
        ("<rss><channel><item><title>A</title><link>/1</link></item></channel></rss>", "feed", ["/1"]),
        ("<rss><channel><item><guid>https://www.riverbend.example/2</guid></item></channel></rss>", "feed", ["/2"]),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/3"/></entry></feed>', "feed", ["/3"]),
        ('{"version": "https://jsonfeed.org/version/1", "items": [{"url": "/4"}]}', "feed", ["/4"]),
        ("<urlset><url><loc>/5</loc></url></urlset>", "sitemap", ["/5"]),
        ("<sitemapindex><sitemap><loc>/6</loc></sitemap></sitemapindex>", "index", ["/6"]),
        ("<!DOCTYPE html><p>x</p>", "html", None),
        ("plain", "", None),
        ('<rss><!DOCTYPE x [<!ENTITY a "b">]>&a;&a;', "feed", []),
    ],
)
def test_what_an_answer_is(body: str, kind: str, urls: list[str] | None) -> None:
    answer = Answer(SITE, SITE + "/x", 200, body=body.encode())
    named = named_by(answer)
    assert kind_of(answer) == kind
    assert urls == ([link.url.removeprefix(SITE) for link in named.links] if named else None)


@given(st.binary(max_size=200), st.sampled_from([b"<rss>", b"<urlset>", b"<sitemapindex>", b"{", b"\x1f\x8b", b""]))
def test_no_answer_is_too_broken(rest: bytes, begin: bytes) -> None:
    answer = Answer(SITE, SITE, 200, body=begin + rest)
    named = named_by(answer)
    assert named is None or named.kind == kind_of(answer)


# rules


def sample(html: str, number: int = 1) -> Sample:
    one = Page(html.encode(), f"{SITE}/news/{number}")
    return Sample(one, extract(one))


def story(number: int, meta: str = "", inside: str = "", around: str = "") -> str:
    sentence = (
        f"Boat {number} sailed to the north island with {number + 20} people and came back before the evening tide. "
    )
    text = "".join(f"<p>{sentence}{place}</p>" for place in range(6))
    return (
        f"<html lang=en><head><title>Boat {number} sails again</title>{meta}</head><body><div class=page-9><h1>Boat "
        f"{number} sails again</h1>{around}<div class='css-1x2y story'>{text}{inside}</div></div></body></html>"
    )


def fields(samples: list[Sample]) -> Fields:
    from zoneinfo import ZoneInfo

    return Fields(samples, ZoneInfo("Europe/London"))


def test_rules_are_scored_over_all_pages() -> None:
    """What machines are told of the date stands on every page; what readers see, on all but two."""
    samples = []
    for number in range(1, 11):
        meta = f'<meta property="article:published_time" content="2026-03-{number:02d}T10:00:00+00:00">'
        shown = f"<time class=when>{number} March 2026 10:00</time>" if number > 2 else ""
        samples.append(sample(story(number, meta, around=shown)))
    found = fields(samples).published()
    assert found is not None
    assert (found.rule, found.fits, found.of) == ('meta[property="article:published_time"]::attr(content)', 10, 10)
    title = fields(samples).title()
    assert title is not None
    assert title.rule == "h1"
    assert fields(samples).attribution() is None
    assert fields(samples).section() is None


def test_a_rule_that_holds_on_too_few_pages_is_none() -> None:
    """Half the pages say it one way and half another; of the bylines all that are there stand alike."""
    samples = []
    for n in range(1, 9):
        shown = f"<{'bi'[n % 2]} class={'yo'[n % 2]}n>{n} March 2026 10:00</{'bi'[n % 2]}>"
        samples.append(sample(story(n, around=shown + ("<u class=by>By Ida Marsh</u>" if n > 3 else ""))))
    assert all(one.found.published for one in samples)
    assert fields(samples).published() is None
    byline = fields(samples).byline()
    assert byline is not None
    assert (byline.rule, byline.fits, byline.of) == ({"css": "u.by", "regex": r"^By\s*(.+)"}, 5, 5)


def test_structured_data_is_a_rule_too() -> None:
    person = '{{"@type":"NewsArticle","author":{{"@type":"Person","name":"{}"}}}}'
    data = f'<script type="application/ld+json">{person}</script>'
    names = ["Ida Marsh", "Tom Wherry", "Ann Sedge"]
    found = fields([sample(story(n, data.format(name))) for n, name in enumerate(names)]).byline()
    assert found is not None
    assert (found.fits, found.of) == (3, 3)
    assert "author" in found.rule["regex"]  # type: ignore[index]


def test_labels_are_credits_where_they_differ() -> None:
    """The generic extractor is careful with short names; on several pages of one site a label is plain."""

    def credited(names: list[str]) -> Any:
        shown = [f"<span class=from>Source: {name}</span>" for name in names]
        return fields([sample(story(n, around=one)) for n, one in enumerate(shown, 1)]).attribution()

    found = credited(["Tern Gazette", "Saltway Herald", "Reedbank Times"])
    assert (found.rule, found.fits, found.of) == ("span.from", 3, 3)
    assert credited(["Weather Office"] * 3) is None


def test_the_body_without_furniture() -> None:
    promo = "<div class=promo>Read us wherever you are, on all your devices</div>"
    figure = "<figure><figcaption>A boat that sails</figcaption></figure>"
    samples = [sample(story(number, inside=promo + figure)) for number in range(1, 7)]
    assert not any("Read us" in one.found.text for one in samples)
    found = Bodies(samples).rule()
    assert found is not None
    assert (found.body, found.strip, found.fits, found.of) == ("div.story", ("div.promo",), 6, 6)


def test_no_body_where_the_layouts_differ() -> None:
    samples = [sample(story(n).replace("story", "tale") if n % 2 else story(n)) for n in range(1, 7)]
    assert Bodies(samples).rule() is None


@pytest.mark.parametrize(
    ("name", "stable"),
    [
        ("story", True),
        ("ContentBody", True),
        ("em_media", True),
        ("css-abcdef", False),
        ("a1", False),
        ("dvOkXoAb", False),
        ("is-open", False),
    ],
)
def test_names_that_last(name: str, stable: bool) -> None:
    assert is_stable(name) is stable


def test_headlines_in_structured_data_are_no_rule() -> None:
    """A quote in the next one would be escaped there."""
    data = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"Boat %d sails again"}</script>'
    pages = [story(n, data % n).replace("<h1>", f"<h{n}>").replace("</h1>", f"</h{n}>") for n in range(1, 5)]
    samples = [sample(one) for one in pages]
    assert [one.found.title for one in samples] == [f"Boat {n} sails again" for n in range(1, 5)]
    assert fields(samples).title() is None


# the place


def stated(lang: str, published: str, text: str = "") -> Any:
    meta = f'<meta property="article:published_time" content="{published}">' if published else ""
    return extract(f"<html lang='{lang}'>{meta}<h1>x</h1><p>{text}</p>", f"{SITE}/1")


def test_language() -> None:
    assert language_of([stated("zh-cn", ""), stated("zh-cn", ""), stated("en", "")]).value == "zh-CN"
    assert language_of([stated("", "")], "de-at").value == "de-AT"
    guess = language_of([stated("", "", "ひらがなとカタカナで書かれた記事です。" * 20)])
    assert (guess.value, guess.sure) == ("ja", False)
    assert language_of([stated("", "")]).sure is False


@pytest.mark.parametrize(
    ("url", "language", "published", "zone", "sure"),
    [
        ("https://a.example.de/", "de", "2026-07-01T10:00:00+02:00", "Europe/Berlin", True),
        ("https://a.example/", "zh-CN", "2026-07-01T10:00:00+08:00", "Asia/Shanghai", True),
        ("https://a.example.de/", "de", "2026-07-01T10:00:00-04:00", "America/New_York", False),
        ("https://a.example.at/", "de", "", "Europe/Vienna", False),
        ("https://a.example/", "en-GB", "", "Europe/London", False),
        ("https://a.example/", "en", "", "UTC", False),
    ],
)
def test_zone(url: str, language: str, published: str, zone: str, sure: bool) -> None:
    guess = zone_of(url, language, [stated("", published)])
    assert (guess.value, guess.sure) == (zone, sure)


def test_the_zone_of_what_is_printed() -> None:
    """Machines are told UTC, readers their own time."""
    found = extract(
        '<meta property="article:published_time" content="2026-07-01T02:00:00Z"><h1>A boat sails</h1>'
        "<p>2026-07-01 10:00</p><p>A boat sailed to the north island today.</p>", "https://a.example/1"
    )  # fmt: skip
    guess = zone_of("https://a.example/", "zh", [found])
    assert guess.value == "Asia/Shanghai"


def test_ids() -> None:
    assert id_of("https://www.riverbend.example/", "x", str) == "riverbend"
    assert id_of("https://news.bbc.co.uk/", "x", str) == "bbc"
    assert id_of("http://127.0.0.1:80/", "The Marsh", str) == "the-marsh"
    assert share_pattern("https://a.example/s?infoCode={key}") == "[?&]infoCode=([^&#]+)"
    assert share_pattern("https://a.example/share/{key}/x") == "/([^/?#]+)/"
