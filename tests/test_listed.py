"""Articles that a list gives in full: made of what it says, kept as what they are, and never asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy import Request, Spider
from scrapy.http import HtmlResponse
from scrapy.utils.test import get_crawler
from warcio.archiveiterator import ArchiveIterator

from crawler.archive.captures import Response, payload_digest, read_capture, read_segment, record_bytes
from crawler.archive.ledger import Capture, Entry, Kept, Ledger
from crawler.assemble import Assembler
from crawler.extract.page import Page
from crawler.items import Article, Refused
from crawler.listed import is_listed, write_page
from crawler.middlewares.rests import RestsMiddleware
from crawler.past import Past
from crawler.replay import Captures
from crawler.sources import load_source
from tests.server import Page as Answer
from tests.server import Server
from tests.story import Archive, Story, html_source, stories

SEEN = datetime(2026, 3, 20, tzinfo=UTC)
HINTS = {
    "url": "https://bay.example/a/1",
    "title": "Ferry & <pier>",
    "published": "Mon, 02 Mar 2026 08:00:00 GMT",
    "byline": "Ada Quay\nBen <Mole>",
    "digest": "Back.",
    "section": "Port",
    "outlet": "The Bay Sun",
    "content": "<h1>No headline</h1><p>It sails <b>again</b>.</p><p class=tail>More at Bay.</p>",
}
SOURCE = """
id: bay
name: Bay
home: https://bay.example/
language: en
timezone: Asia/Shanghai
example: https://bay.example/a/1
lists: [{kind: feed, urls: 'https://bay.example/feed', content: true}]
"""


def article(folder: Path, more: str = "", **changes: str) -> Article:
    path = folder / "bay.yml"
    path.write_text(SOURCE + more, "utf-8")
    hints = {**HINTS, **changes}
    source = load_source(path)
    page = Page(write_page(hints), hints["url"], encoding=source.article.encoding)
    made, claimed = Assembler(source).article(page, "1", {**hints, "content": ""}, SEEN)
    assert claimed == ""
    return made


# the page


@pytest.mark.parametrize(
    "more",
    [
        "",
        "article: {format: json}\nlayouts: [{body: text, title: headline}]",
        "article: {encoding: gb18030}\nlayouts: [{title: h2, body: div.x, until: 2020-01-01}]",
    ],
    ids=["no-rules", "json-pages", "another-encoding"],
)
def test_what_a_list_said_comes_out_whatever_the_rules_of_pages(tmp_path: Path, more: str) -> None:
    made = article(tmp_path, more, title="渡轮 & <pier>")
    assert made.title == "渡轮 & <pier>"
    assert made.published == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert made.byline == ("Ada Quay", "Ben <Mole>")
    assert (made.digest, made.section) == ("Back.", "Port")
    assert made.attribution is not None
    assert made.attribution.name == "The Bay Sun"
    assert made.body == '<h1>No headline</h1><p>It sails <b>again</b>.</p><p class="tail">More at Bay.</p>'
    assert made.disagreements == {}


def test_what_is_taken_out_of_pages_is_taken_out_here(tmp_path: Path) -> None:
    made = article(tmp_path, "layouts: [{title: h2, body: div.x, strip: [.tail], drop: [again]}]")
    assert made.body == "<h1>No headline</h1><p>It sails <b></b>.</p>"


def test_a_date_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="published"):
        article(tmp_path, published="soon")


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ("one</div></article> two</body></html><p>three</p>", "one two<p>three</p>"),
        ("<header><h1>x</h1><time>2020-01-01</time></header><p>y", None),
        ("plain & <", "plain &amp; &lt;"),
        ("<div>" * 3000 + "deep", None),
        ("\0", ""),
    ],
    ids=["loose-ends", "another-header", "plain", "deep", "nothing"],
)
def test_content_of_any_form_stays_within_its_element(tmp_path: Path, content: str, body: str | None) -> None:
    if body == "":
        with pytest.raises(Refused):
            article(tmp_path, content=content)
        return
    made = article(tmp_path, content=content)
    assert made.title == HINTS["title"]
    assert made.published == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert body is None or made.body == body
    assert body is not None or content[-4:] in made.body


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(str.strip))
def test_a_text_comes_back_as_it_was(text: str) -> None:
    page = Page(write_page({**HINTS, "content": f"<p>{escape(text)}</p>"}))
    assert is_listed(page)
    assert page.root.findtext("body/article/p") == text
    assert write_page({**HINTS, "content": text}) == write_page({**HINTS, "content": text})
    assert not is_listed(Page(b"\n" + page.body))


def test_bylines_of_several_names_where_the_page_has_none(tmp_path: Path) -> None:
    path = tmp_path / "bay.yml"
    path.write_text(SOURCE + "layouts: [{title: h1, published: time, body: article}]", "utf-8")
    page = Page(b"<h1>x</h1><time>2026-03-02</time><article><p>y</p></article>")
    made, _ = Assembler(load_source(path)).article(page, "1", HINTS, SEEN)
    assert made.byline == ("Ada Quay", "Ben <Mole>")


# its capture


def conversion(notes: dict[str, str]) -> Response:
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    page = write_page(HINTS)
    return Response(HINTS["url"], 200, headers, page, "2026-03-20T00:00:00Z", notes, "conversion")


def test_a_capture_says_that_no_server_sent_it(tmp_path: Path) -> None:
    given = conversion({"source": "bay", "role": "article", "key": "1"})
    digest, path = payload_digest(given.payload), tmp_path / "x.warc.gz"
    data = record_bytes(given, digest)
    path.write_bytes(data)
    ((capture, read),) = read_segment(path)
    assert read == given == read_capture(tmp_path, capture)
    assert capture == Capture(digest, given.url, path.name, 0, len(data))
    with path.open("rb") as file:
        record = next(iter(ArchiveIterator(file)))
        assert record.rec_type == "conversion"
        assert record.rec_headers["Content-Type"] == "text/html; charset=utf-8"
        assert record.content_stream().read() == given.payload
    assert len(Captures([path])) == 0, "no answer of the site's that could be replayed"


def test_conversions_of_other_makers_are_no_pages(tmp_path: Path) -> None:
    (tmp_path / "x.warc.gz").write_bytes(record_bytes(conversion({}), "sha256:x"))
    assert list(read_segment(tmp_path / "x.warc.gz")) == []


# the ledger


def test_what_was_given_leaves_the_ledger_once_the_post_is_durable(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    other = {"title": 'says "content": "x"', "byline": "渡"}
    ledger.discover("bay", "bay", [Entry("1", HINTS), Entry("2", other)], SEEN)
    assert ledger.lease("bay", 0, 9, SEEN)[0].hints == HINTS
    ledger.keep([Kept("bay", key, "bay", f"_posts/{key}.md", "", check_due="2026-03-21T00:00:00Z") for key in "12"])
    told = ledger._connection.exec_driver_sql("select hints, check_due from articles order by key").all()
    first, second = (json.loads(row.hints) for row in told)
    assert first == {name: value for name, value in HINTS.items() if name != "content"}
    assert second == other
    assert [row.check_due for row in told] == ["", "2026-03-21T00:00:00Z"], "there is no page to look at again"
    ledger.close()


def test_dates_of_what_a_list_gave_are_not_missing_on_pages(tmp_path: Path) -> None:
    """Else a source whose lists begin to give articles in full would seem to have lost the dates of its pages."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.discover("bay", "bay", [Entry("1", HINTS), Entry("2", {**HINTS, "content": ""})], SEEN)
    assert Past(ledger).listed_dates([("bay", "1"), ("bay", "2")]) == {("bay", "2"): HINTS["published"]}
    ledger.close()


# politeness


def test_what_no_host_sent_does_not_show_how_it_fares() -> None:
    rests = RestsMiddleware(get_crawler(Spider))
    rests._failed["bay.example"] = 4
    answer = HtmlResponse(HINTS["url"])
    assert rests.process_response(Request(HINTS["url"], meta={"listed": HINTS}), answer) is answer
    assert rests._failed == {"bay.example": 4}
    rests.process_response(Request(HINTS["url"]), answer)
    assert rests._failed == {}


# crawls


def feed(shown: list[Story], server: Server, head: str = "") -> Answer:
    items = "".join(
        f"<item><title>{one.headline}</title><link>{server.address(one.path)}</link>"
        f"<pubDate>{one.printed} +0800</pubDate><source>{one.outlet}</source><dc:creator>林岚</dc:creator>"
        f"<description><![CDATA[{one.text}]]></description></item>"
        for one in shown
    )
    return Answer(f"\n<rss><channel>{head}{items}</channel></rss>", kind="text/html")


def of_feed(server: Server, content: bool) -> dict[str, Any]:
    one = {"kind": "feed", "urls": server.address("/feed"), "content": content}
    return html_source(server, "by-feed", lists=[one])


def test_a_feed_without_and_with_its_content(server: Server, tmp_path: Path) -> None:
    shown = stories(6)
    server.pages |= {one.path: one.page() for one in shown}
    server.pages["/feed"] = feed(shown[:3], server, '<atom:link rel="next" href="/feed?page=2"/>')
    server.pages["/feed?page=2"] = feed(shown[3:], server)
    paged = Archive.new(tmp_path / "asked", of_feed(server, content=False))
    paged.crawl()
    assert sorted(server.paths()) == sorted(["/feed", "/feed?page=2", *(one.path for one in shown)])
    assert paged.states() == {one.key: "done" for one in shown}

    server.forget()
    given = Archive.new(tmp_path / "given", of_feed(server, content=True))
    given.crawl()
    assert server.paths() == ["/feed", "/feed?page=2"], "no page, and none that leads nowhere"
    assert not [one.path for one in server.asked if one.path.startswith("/a/")]
    given.proven()
    assert given.posts() == paged.posts()
    assert given.rows("select count(*) from articles where hints like '%content%' or check_due != ''") == [(0,)]
    kinds = {response.kind for path in given.state.glob("captures/*") for _, response in read_segment(path)}
    assert kinds == {"response", "conversion"}
    assert given.rows("select count(*) from articles join captures on articles.capture = captures.digest") == [(6,)]

    # from captures without the network, and with a ledger made anew
    replayed = Archive.new(tmp_path / "replayed", of_feed(server, content=True))
    server.forget()
    replayed.crawl("--replay", *sorted(given.state.glob("captures/*")))
    assert replayed.posts() == given.posts()
    (given.state / "ledger.sqlite").unlink()
    given.verb("rebuild-ledger")
    assert given.rows("select count(*) from articles where hints like '%content%' or check_due != ''") == [(0,)]
    assert server.asked == []


def record(one: Story, server: Server, **changes: Any) -> dict[str, Any]:
    """A post as the interface of WordPress gives it."""
    day, minute = one.printed.split()
    return {
        "id": one.number,
        "date": f"{day}T{minute}:00",
        "link": server.address(one.path),
        "title": {"rendered": one.headline},
        "content": {"rendered": one.text + "<p class='outlet'>来源：海港日报</p>", "protected": False},
        **changes,
    }


def test_wordpress_with_a_post_that_asks_for_a_password(server: Server, tmp_path: Path) -> None:
    """A full page of 100, so that the one after it is past the end: an honest answer, no alarm."""
    shown = stories(100)
    records = [record(one, server) for one in shown]
    records[1]["content"] = {"rendered": "", "protected": True}
    start = "/wp-json/wp/v2/posts?per_page=100&orderby=date&order=desc&_embed=author,wp:term&page="
    past = {"code": "rest_post_invalid_page_number", "message": "…", "data": {"status": 400}}
    server.pages[f"{start}1"] = Answer(json.dumps(records), kind="application/json")
    server.pages[f"{start}2"] = Answer(json.dumps(past), kind="application/json", status=400)
    server.pages[shown[1].path] = shown[1].page()
    lists = [{"kind": "wordpress", "urls": server.address()}]
    archive = Archive.new(tmp_path / "archive", html_source(server, "by-wordpress", lists=lists))
    archive.crawl()
    assert sorted(server.paths()) == sorted([f"{start}1", f"{start}2", shown[1].path])
    assert archive.states() == {one.key: "done" for one in shown}
    assert "航标灯" in archive.post(shown[0].key)
    archive.proven()
    server.forget()
    archive.crawl()
    assert server.paths() == [f"{start}1"]
