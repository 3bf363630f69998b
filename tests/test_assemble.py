"""Assembling: what the list said and what the page gives make one article, or a refusal with its reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.assemble import Assembler
from crawler.extract.page import Page
from crawler.items import Article, Attribution, Refused
from crawler.sources import SHIPPED, load_source

SEEN = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
SOURCE = r"""
id: gazette
name: The Gazette
home: https://gazette.example/
language: en-GB
timezone: Europe/Berlin
example: https://gazette.example/a/1.html
lists:
  - {kind: html, urls: "https://gazette.example/", links: /a/\d+}
key: {space: papers}
layouts:
  - title: h1
    body: article
    published: time::attr(datetime)
    modified: .changed
    attribution: .credit
    byline: .by a
    editor: .editor
    digest: .standfirst
    canonical: link[rel=canonical]::attr(href)
    strip: [.ad]
"""
PAGE = """<html><head><link rel="canonical" href="https://gazette.example/a/1.html"></head><body>
<h1>Harbour opens</h1><p class="standfirst">In short.</p><time datetime="2024-02-28 23:30"></time>
<p class="changed">2024-02-29 08:00</p><p class="credit">Source: The Courier</p>
<p class="by"><a>Ann Lee</a><a>Bo Chen</a></p>
<p class="editor">C. Day</p><article><p>It opened.</p><p class="ad">Buy!</p></article></body></html>"""


def assembler(folder: Path, text: str = SOURCE) -> Assembler:
    path = folder / "gazette.yml"
    path.write_text(text, encoding="utf-8")
    return Assembler(load_source(path))


def made(folder: Path, html: str = PAGE, text: str = SOURCE, **hints: str) -> Article:
    page = Page(html.encode(), "https://gazette.example/a/1.html?x=1")
    article, _ = assembler(folder, text).article(page, "1", hints, SEEN)
    return article


def refusal(folder: Path, html: str, text: str = SOURCE, **hints: str) -> str:
    with pytest.raises(Refused) as raised:
        made(folder, html, text, **hints)
    return str(raised.value)


def test_everything_a_page_says(tmp_path: Path) -> None:
    article = made(tmp_path)
    published, modified = article.published, article.modified
    assert published is not None
    assert modified is not None
    assert (published.isoformat(), modified.isoformat()) == ("2024-02-28T23:30:00+01:00", "2024-02-29T08:00:00+01:00")
    assert article == Article(
        source="gazette",
        space="papers",
        key="1",
        url="https://gazette.example/a/1.html?x=1",
        title="Harbour opens",
        body="<p>It opened.</p>",
        published=published,
        published_raw="2024-02-28 23:30",
        modified=modified,
        attribution=article.attribution,
        byline=("Ann Lee", "Bo Chen"),
        editor="C. Day",
        digest="In short.",
        language="en-GB",
    )
    assert article.attribution is not None
    assert article.attribution.name == "The Courier"


def test_the_same_page_gives_the_same_article(tmp_path: Path) -> None:
    assert made(tmp_path) == made(tmp_path)
    page = Page(PAGE.encode())
    maker = assembler(tmp_path)
    first, claimed = maker.article(page, "1", {}, SEEN)
    assert maker.article(page, "1", {}, SEEN) == (first, claimed)  # although the tree is shared
    assert claimed == "https://gazette.example/a/1.html"


BARE = "<h1>Harbour opens</h1><article><p>It opened.</p></article>"


def test_the_list_fills_what_the_page_lacks(tmp_path: Path) -> None:
    said = {
        "title": "From the list",
        "published": "2024-02-27 10:00",
        "digest": "Listed.",
        "outlet": "The Courier",
        "byline": "Dee Fox",
    }
    article = made(tmp_path, BARE.replace("<h1>Harbour opens</h1>", ""), **said)
    assert (article.title, article.digest, article.byline) == ("From the list", "Listed.", ("Dee Fox",))
    assert article.published is not None
    assert article.published.isoformat() == "2024-02-27T10:00:00+01:00"
    assert article.published_raw == "2024-02-27 10:00"
    assert article.attribution == Attribution("The Courier", "The Courier", "list")
    assert article.disagreements == {}


def test_the_page_counts_where_the_two_differ_and_that_is_noted(tmp_path: Path) -> None:
    article = made(tmp_path, title="Another headline", published="2024-02-27", digest="Another", outlet="Another")
    assert article.title == "Harbour opens"
    assert article.published_raw == "2024-02-28 23:30"
    assert article.digest == "In short."
    assert article.attribution is not None
    assert article.attribution.name == "The Courier"
    assert article.disagreements["title"] == ("Another headline", "Harbour opens")
    assert article.disagreements["published"] == ("2024-02-27", "2024-02-28 23:30")


def test_seconds_that_the_list_leaves_out_are_no_disagreement(tmp_path: Path) -> None:
    html = PAGE.replace("23:30", "23:30:59")
    assert made(tmp_path, html, title="Harbour opens", published="2024-02-28 23:30").disagreements == {}
    assert "published" in made(tmp_path, html, published="2024-02-28 23:31").disagreements


def test_a_printed_date_that_cannot_be_leaves_the_list_s(tmp_path: Path) -> None:
    article = made(tmp_path, PAGE.replace("2024-02-28 23:30", "yesterday"), published="2024-02-28")
    assert article.published is not None
    assert article.published.isoformat() == "2024-02-28T00:00:00+01:00"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<article>", "<main>", "body: css 'article' matched nothing"),
        ("<p>It opened.</p><p", "<p", "body: empty"),
        ("<h1>Harbour opens</h1>", "", "title: css 'h1' matched nothing"),
        ("<h1>Harbour opens</h1>", "<h1>a</h1><h1>b</h1>", "title: css 'h1' matched 2 where one is due"),
        ("<time ", "<i ", "published: css 'time::attr(datetime)' matched nothing"),
        ("2024-02-28 23:30", "yesterday", "published: 'yesterday' is no date that can be"),
        ("2024-02-28 23:30", "2024-03-02 23:30", "published: '2024-03-02 23:30' is no date that can be"),
        ("2024-02-28 23:30", "0001-01-01 00:00", "published: '0001-01-01 00:00' is no date that can be"),
    ],
)
def test_what_lacks_is_refused_with_its_reason(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert old in PAGE
    assert refusal(tmp_path, PAGE.replace(old, new)).endswith(reason)


def test_all_that_lacks_is_named(tmp_path: Path) -> None:
    reason = refusal(tmp_path, "<article><p>x</p></article>")
    assert "title: css 'h1' matched nothing" in reason
    assert "published: css 'time::attr(datetime)' matched nothing" in reason
    without_rules = SOURCE.replace("title: h1\n    body", "body").replace("    published: time::attr(datetime)\n", "")
    assert refusal(tmp_path, "<article><p>x</p></article>", without_rules) == "no title and no published"
    assert refusal(tmp_path, BARE, without_rules) == "no published", "the generic extractor finds the title"


def test_an_old_layout_reads_old_pages(tmp_path: Path) -> None:
    text = SOURCE + "  - {until: 2020-12-31, title: h2, body: table, date_formats: [epoch], published: tt}\n"
    old = "<h2>Long ago</h2><tt>1577836800</tt><table><tr><td>It was.</td></tr></table>"
    for hints in ({}, {"published": "2020-01-01"}):
        article = made(tmp_path, old, text, **hints)
        assert (article.title, article.published) == ("Long ago", datetime(2020, 1, 1, tzinfo=UTC))
    # a page of today is not read by the rules of then
    reason = refusal(tmp_path, old, text, published="2024-02-01")
    assert reason == "body: css 'article' matched nothing"
    # without a date both are tried, and both are named
    assert (
        refusal(tmp_path, "<p>x</p>", text) == "body: css 'article' matched nothing; body: css 'table' matched nothing"
    )


def test_no_layout_holds_for_its_day(tmp_path: Path) -> None:
    text = SOURCE.replace("  - title: h1", "  - until: 2020-12-31\n    title: h1")
    assert refusal(tmp_path, PAGE, text, published="2024-02-01") == "no layout holds for its day"


@pytest.mark.parametrize("day", ["2020-12-31 23:30:00", "2020-12-31T22:30:00Z"])
def test_a_layout_s_last_day_is_the_source_s(tmp_path: Path, day: str) -> None:
    text = SOURCE + "  - {until: 2020-12-31, title: h2, body: table}\n"
    assert made(tmp_path, "<h2>Late</h2><table><tr><td>x</td></tr></table>", text, published=day).title == "Late"
    page = "<h2>Late</h2><table><tr><td>x</td></tr></table>"
    reason = refusal(tmp_path, page, text, published="2020-12-31T23:30:00Z")
    assert reason == "body: css 'article' matched nothing"


def flash(body: Any, **hints: str) -> Article:
    maker = Assembler(load_source(SHIPPED / "eastmoney-flash.yml"))
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return maker.article(Page(data, "http://example/"), "20240229", hints, SEEN)[0]


def test_a_text_endpoint_whose_list_says_the_rest() -> None:
    hints = {"title": "港口开放", "published": "2024-02-29 10:00:00", "digest": "【港口开放】某日开放。"}
    article = flash({"content": "<p>　　某日开放。</p>"}, **hints)
    assert (article.title, article.body, article.digest) == ("港口开放", "<p>某日开放。</p>", hints["digest"])
    assert article.published is not None
    assert article.published.isoformat() == "2024-02-29T10:00:00+08:00"
    for body, reason in (
        ({"content": ""}, "body: "),
        ({"text": "x"}, "body: jmespath 'content' matched nothing"),
        ({"content": None}, "body: jmespath 'content' matched nothing"),
        ([], "body: jmespath 'content' matched nothing"),
        (b"<html>busy</html>", "no JSON: begins with '<html>busy"),
        (b"", "no JSON: begins with ''"),
    ):
        with pytest.raises(Refused) as raised:
            flash(body, **hints)
        assert str(raised.value).startswith(reason)


@pytest.mark.parametrize("old_rule", ["time::attr(datetime)", ".day"])
def test_without_a_list_s_day_the_page_s_own_chooses_the_layout(tmp_path: Path, old_rule: str) -> None:
    """Though the present layout finds a body on an old page as well: it is not the whole."""
    old = f"  - {{until: 2020-12-31, title: h1, body: '.all', published: '{old_rule}'}}\n"
    text = SOURCE.replace("  - title: h1\n", old + "  - title: h1\n")
    stamp = '<time datetime="2019-05-01 08:00"></time>' if "time" in old_rule else '<i class="day">2019-05-01 08:00</i>'
    html = f"<h1>Harbour opens</h1>{stamp}<div class='all'><article><p>It opened.</p></article><p>More.</p></div>"
    assert made(tmp_path, html, text).body == "<article><p>It opened.</p></article><p>More.</p>"
    new = html.replace("2019-05-01", "2024-02-01").replace("class='all'", "")
    new = new.replace('<i class="day">2024-02-01 08:00</i>', '<time datetime="2024-02-01 08:00"></time>')
    assert made(tmp_path, new, text).body == "<p>It opened.</p>"
