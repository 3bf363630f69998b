"""Feeds: every dialect, broken and mislabelled ones, what they say of an article, and how they go on."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.days import Days
from crawler.extract.feed import read_feed
from crawler.extract.feeditem import Item
from crawler.extract.page import NotJson, Page
from crawler.lists import FeedList
from crawler.sources import load_source
from crawler.yamlfile import SettingsError
from spiders.feed import FeedWalk

URL = "https://harbour.example/feeds/news.xml"
SOURCE = """
id: harbour
name: Harbour
home: https://harbour.example/
language: en
timezone: Europe/London
example: https://harbour.example/a/1
lists:
  - {kind: feed, urls: '%s'%s}
"""
NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:a="http://www.w3.org/2005/Atom"'
)


def walk(folder: Path, more: str = "", window: Days | None = None, url: str = URL) -> FeedWalk:
    path = folder / "harbour.yml"
    path.write_text(SOURCE % (url, f", {more}" if more else ""), "utf-8")
    source = load_source(path)
    (one,) = source.lists
    assert isinstance(one, FeedList)
    return FeedWalk(source, one, window)


def rss(*items: str, head: str = "", root: str = f'<rss version="2.0" {NAMESPACES}>') -> str:
    inner = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?>\n{root}<channel><title>Harbour</title>{head}{inner}</channel></rss>'


def atom(*entries: str, head: str = "", root: str = '<feed xmlns="http://www.w3.org/2005/Atom">') -> str:
    return f"{root}<title>Harbour</title>{head}{''.join(f'<entry>{one}</entry>' for one in entries)}</feed>"


def one(text: str | bytes, **answer: Any) -> Item:
    (item,) = read_feed(Page(text if isinstance(text, bytes) else text.encode(), URL, **answer)).items
    return item


# dialects

FERRY = Item(
    url="https://harbour.example/a/1",
    title="Ferry back",
    published="Mon, 02 Mar 2026 08:00:00 GMT",
    outlet="The Bay Sun",
    authors=("Ada Quay",),
    digest="It sails again.",
    section="Port",
    content="<p>It sails <b>again</b> on Monday.</p>",
)
LINK = "<link>https://harbour.example/a/1</link>"
TITLE = "<title>Ferry back</title>"
DATE = "<pubDate>Mon, 02 Mar 2026 08:00:00 GMT</pubDate>"
RSS_FERRY = (
    f"{TITLE}{LINK}{DATE}"
    '<source url="https://sun.example/">The Bay Sun</source><dc:creator>Ada Quay</dc:creator>'
    "<description>It sails again.</description><category>Port</category><category>Sea</category>"
    "<content:encoded><![CDATA[<p>It sails <b>again</b> on Monday.</p>]]></content:encoded>"
)
ATOM_FERRY = (
    f'{TITLE}<link rel="edit" href="/edit/1"/><link type="audio/mp3" rel="alternate" href="/a/1.mp3"/>'
    '<link href="https://harbour.example/a/1"/><id>tag:harbour.example,2026:1</id>'
    "<published>Mon, 02 Mar 2026 08:00:00 GMT</published><updated>2026-03-03T09:00:00Z</updated>"
    "<author><name>Ada Quay</name><email>ada@harbour.example</email></author><summary>It sails again.</summary>"
    '<category term="port" label="Port"/><source><id>x</id><title>The Bay Sun</title></source>'
)
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" %s>'
    '<channel rdf:about="https://harbour.example/"><title>Harbour</title><items><rdf:Seq>'
    '<rdf:li rdf:resource="https://harbour.example/a/1"/></rdf:Seq></items></channel>'
    '<item rdf:about="https://harbour.example/a/1">%s</item></rdf:RDF>'
)


def test_rss_2() -> None:
    assert one(rss(RSS_FERRY)) == FERRY


@pytest.mark.parametrize("version", ["0.91", "0.92"])
def test_rss_0_9x_with_its_document_type(version: str) -> None:
    head = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
    text = f'<?xml version="1.0"?>{head}<rss version="{version}"><channel><item>{RSS_FERRY}</item></channel></rss>'
    assert one(text) == FERRY


def test_rdf() -> None:
    assert one(RDF % (NAMESPACES, RSS_FERRY.replace(LINK, ""))) == FERRY


def test_rdf_0_90() -> None:
    root = '<rdf:RDF xmlns:rdf="x" xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel/>'
    assert one(f"{root}<item>{TITLE}{LINK}</item></rdf:RDF>") == Item(url=FERRY.url, title=FERRY.title)


@pytest.mark.parametrize(
    "content",
    [
        '<content type="html">&lt;p&gt;It sails &lt;b&gt;again&lt;/b&gt; on Monday.&lt;/p&gt;</content>',
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>It sails <b>again</b> on Monday.</p></div>'
        "</content>",
        "<content><![CDATA[<p>It sails <b>again</b> on Monday.</p>]]></content>",
        '<content type="image/png">AAAA</content><content type="html">'
        "&lt;p>It sails &lt;b>again&lt;/b> on Monday.&lt;/p></content>",
    ],
    ids=["html", "xhtml", "html-without-type", "not-the-picture"],
)
def test_atom_1(content: str) -> None:
    assert one(atom(ATOM_FERRY + content)) == replace(FERRY, updated="2026-03-03T09:00:00Z")


def test_atom_0_3() -> None:
    text = ATOM_FERRY.replace("published>", "issued>").replace("updated>", "modified>")
    text += '<content mode="base64">AAAA</content><content type="text/html" mode="escaped">'
    text += "&lt;p>It sails &lt;b>again&lt;/b> on Monday.&lt;/p></content>"
    found = one(atom(text, root='<feed version="0.3" xmlns="http://purl.org/atom/ns#">'))
    assert found == replace(FERRY, updated="2026-03-03T09:00:00Z")


def test_atom_whose_elements_all_have_a_prefix() -> None:
    entry = (
        '<x:entry><x:title>Ferry back</x:title><x:link href="/a/1"/><x:updated>2026-03-02T08:00:00Z</x:updated>'
        "<media:title>Other</media:title></x:entry>"
    )
    root = '<x:feed xmlns:x="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">'
    assert one(f"{root}{entry}</x:feed>") == Item(FERRY.url, FERRY.title, updated="2026-03-02T08:00:00Z")


@pytest.mark.parametrize("version", ["1", "1.1"])
def test_json_feed(version: str) -> None:
    record: dict[str, Any] = {
        "id": "1",
        "url": FERRY.url,
        "title": "Ferry back",
        "date_published": FERRY.published,
        "date_modified": "2026-03-03T09:00:00Z",
        "summary": "It sails again.",
        "content_html": FERRY.content,
        "tags": ["Port", "Sea"],
        **({"author": {"name": "Ada Quay"}} if version == "1" else {"authors": [{"name": "Ada Quay"}]}),
    }
    feed = {"version": f"https://jsonfeed.org/version/{version}", "title": "Harbour", "items": [record]}
    expected = replace(FERRY, outlet="", updated="2026-03-03T09:00:00Z")
    assert one(json.dumps(feed)) == expected
    record |= {"content_text": "One < two.\n\nThree.", "content_html": None}
    assert one(json.dumps(feed)).content == "<p>One &lt; two.</p>\n<p>Three.</p>"
    record |= {"url": None, "id": "https://harbour.example/a/7", "title": 7, "tags": "x", "authors": "y"}
    found = one(json.dumps(feed))
    assert (found.url, found.title, found.section) == ("https://harbour.example/a/7", "7", "")


# broken ones: what comes out of each, as (title, address) of its items

FIRST, SECOND = ("Ferry back", "https://harbour.example/a/1"), ("Pier closed", "https://harbour.example/a/2")
OTHER = "<title>Pier closed</title><link>https://harbour.example/a/2</link>"
BOTH = rss(TITLE + LINK, OTHER)
CHINESE = rss("<title>渡轮恢复通航，码头换上新的航标灯</title>" + LINK)
NAMED = [("渡轮恢复通航，码头换上新的航标灯", FIRST[1])]
BROKEN: dict[str, tuple[str | bytes, Sequence[tuple[str, str]]]] = {
    "blank-before-the-declaration": ("\n\n  " + BOTH, [FIRST, SECOND]),
    "byte-order-mark": (b"\xef\xbb\xbf" + BOTH.encode(), [FIRST, SECOND]),
    "two-byte-order-marks": (b"\xef\xbb\xbf\xef\xbb\xbf" + BOTH.encode(), [FIRST, SECOND]),
    "a-warning-before-it": ("<br />\n<b>Warning</b>: date() in /x.php<br />\n" + BOTH, [FIRST, SECOND]),
    "a-comment-that-names-its-root": ("<!-- <rss><item/> -->" + BOTH, [FIRST, SECOND]),
    "no-declaration": (BOTH.partition("?>")[2], [FIRST, SECOND]),
    "junk-behind-it": (BOTH + "\n<!-- cached --><script>x()</script></html>", [FIRST, SECOND]),
    "utf-8-that-says-gb2312": (CHINESE.replace("1.0", '1.0" encoding="gb2312'), NAMED),
    "gb18030-that-says-utf-8": (CHINESE.replace("1.0", '1.0" encoding="utf-8').encode("gb18030"), NAMED),
    "gb18030-that-says-nothing": (CHINESE.encode("gb18030"), NAMED),
    "utf-16": (CHINESE.replace("1.0", '1.0" encoding="utf-16').encode("utf-16"), NAMED),
    "utf-16-that-says-utf-8": (CHINESE.replace("1.0", '1.0" encoding="utf-8').encode("utf-16"), NAMED),
    "an-encoding-that-is-none": (BOTH.replace("1.0", '1.0" encoding="utf-ate'), [FIRST, SECOND]),
    "bytes-that-are-no-utf-8": (BOTH.encode().replace(b"Ferry", b"F\xe9rry"), [("Férry back", FIRST[1]), SECOND]),
    "entities-of-html": (
        rss(f"<title>Ferry&nbsp;back &hellip; caf&eacute;</title>{LINK}"),
        [("Ferry back … café", FIRST[1])],
    ),
    "an-entity-of-nobody": (rss(f"<title>Ferry &back;</title>{LINK}"), [("Ferry &back;", FIRST[1])]),
    "bare-ampersands": (
        rss("<title>R & D</title><link>https://harbour.example/a?n=1&copy=2&x</link>"),
        [("R & D", "https://harbour.example/a?n=1&copy=2&x")],
    ),
    "escaped-twice": (rss(f"<title>Pete&amp;#8217;s &amp;amp; Ann</title>{LINK}"), [("Pete’s & Ann", FIRST[1])]),
    "a-bare-angle-bracket": (rss(f"<title>3 < 4 and 5 <6</title>{LINK}"), [("3 < 4 and 5 <6", FIRST[1])]),
    "numbers-of-no-character": (rss(f"<title>Ferry&#11; back&#0;&#xD800;</title>{LINK}"), [("Ferry back��", FIRST[1])]),
    "numbers-in-an-address": (
        rss(f"{TITLE}<link>https://harbour.example/a?n=1&#38;m=2</link>"),
        [(FIRST[0], "https://harbour.example/a?n=1&m=2")],
    ),
    "numbers-of-windows": (rss(f"<title>Ferry &#150; back</title>{LINK}"), [("Ferry – back", FIRST[1])]),
    "control-characters": (rss(f"<title>Fer\x0bry\x00 \x1bback</title>{LINK}"), [FIRST]),
    "prefixes-of-nobody": (rss(TITLE + LINK + "<dc:date>x</dc:date>", root="<rss>"), [FIRST]),
    "cut-in-an-item": (BOTH[: BOTH.index("/a/2")], [FIRST]),
    "cut-in-a-tag": (BOTH[: BOTH.index("</title><link>https://harbour.example/a/2") + 4], [FIRST]),
    "cut-behind-an-item": (BOTH[: BOTH.rindex("</channel")], [FIRST, SECOND]),
    "cut-in-cdata": (rss(TITLE + LINK, "<title><![CDATA[Pier")[: -len("</item></channel></rss>")], [FIRST]),
    "items-without-an-end": (BOTH.replace("</item>", ""), [FIRST, SECOND]),
    "html-that-nobody-escaped": (
        rss(f"<title>Ferry <b>back</title>{LINK}<description>One<br>two<p>three</description>", OTHER),
        [FIRST, SECOND],
    ),
    "attributes-without-quotes": (
        rss(f"{TITLE}<description><img src=x.png></description>{LINK}", OTHER),
        [FIRST, SECOND],
    ),
    "tags-in-capitals": (BOTH.replace("item>", "ITEM>").replace("title>", "Title>"), [FIRST, SECOND]),
    "one-item-is-rubbish": (rss("<<<>&<![x", OTHER), [("", ""), SECOND]),
    "an-item-in-a-comment": (rss(TITLE + LINK).replace("<item>", f"<!--<item>{OTHER}</item>--><item>"), [FIRST]),
    "an-item-in-cdata": (
        rss(f"{TITLE}{LINK}<description><![CDATA[</item><item>{OTHER}]]></description>"),
        [FIRST],
    ),
    "items-outside-the-channel": (BOTH.replace("</title><item>", "</title></channel><item>"), [FIRST, SECOND]),
    "title-in-several-pieces": (rss(f"<title>Fer<![CDATA[ry]]> b<!-- x -->ack</title>{LINK}"), [FIRST]),
    "atom-in-rss": (
        rss("<a:title>Ferry back</a:title><a:link rel='self' href='/x'/><a:link href='/a/1'/>"),
        [FIRST],
    ),
    "an-empty-item": (rss("", OTHER).replace("<item></item>", "<item/>"), [("", ""), SECOND]),
    "json-with-loose-commas": ('{"items": [{"url": "/a/1", "title": "Ferry back",},],}', [("Ferry back", "/a/1")]),
    "json-with-a-mark": ('\ufeff{"items": [{"url": "/a/1", "title": "Ferry back"}, null]}', [("Ferry back", "/a/1")]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_feeds(name: str) -> None:
    text, expected = BROKEN[name]
    page = Page(text if isinstance(text, bytes) else text.encode(), URL)
    assert [(item.title, item.url) for item in read_feed(page).items] == list(expected)


def test_what_nobody_escaped_is_html_and_ends_with_its_element() -> None:
    found = one(rss(f"<title>Q&amp;A: is 1 < 2?</title>{LINK}<description>One<br>two<p>three</description>{DATE}"))
    assert found == Item(
        FIRST[1], "Q&A: is 1 < 2?", FERRY.published, digest="One two three", content="One<br>two<p>three"
    )


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE rss [<!ENTITY ferry "x">]><rss><item><title>&ferry;</title></item></rss>',
        '<!DOCTYPE rss [ <!ENTITY % more SYSTEM "http://evil.example/x.dtd"> %more; ]><rss/>',
        '<!DOCTYPE feed [<!ENTITY a "<feed>">]><feed/>',
    ],
)
def test_declared_entities_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="declares entities"):
        read_feed(Page(text.encode(), URL))


def test_a_document_type_amid_a_feed_declares_nothing() -> None:
    text = rss(f"{TITLE}{LINK}").replace("<item>", '<!DOCTYPE x [<!ENTITY ferry "boom">]><item><b>&ferry;</b>')
    assert "boom" not in repr(read_feed(Page(text.encode(), URL)))


@pytest.mark.parametrize(
    "text", ["", "<html><body>no</body></html>", "feed", "<rss", "[]", '{"a": 1}', '{"items": {}}']
)
def test_what_is_no_feed(text: str) -> None:
    with pytest.raises(ValueError, match=r"RSS|JSON"):
        read_feed(Page(text.encode(), URL))


def test_json_that_cannot_be_read() -> None:
    with pytest.raises(NotJson):
        read_feed(Page(b'{"items": [', URL))


# fields


@pytest.mark.parametrize(
    ("inside", "url"),
    [
        ("<link>/a/1</link>", "https://harbour.example/a/1"),
        ("<link> \n https://harbour.example/a/1 </link>", "https://harbour.example/a/1"),
        ("<guid>https://harbour.example/a/1</guid>", "https://harbour.example/a/1"),
        ('<guid isPermaLink="false">https://harbour.example/a/1</guid>', ""),
        ("<guid>4711</guid>", ""),
        ("<link/><guid>https://harbour.example/a/1</guid>", "https://harbour.example/a/1"),
        ('<link href="/a/1"/>', "https://harbour.example/a/1"),
        ('<link rel="enclosure" href="/a/1.mp3"/>', ""),
        (
            "<link>https://clicks.example/x</link><feedburner:origLink>/a/1</feedburner:origLink>",
            "https://harbour.example/a/1",
        ),
        ("<link>mailto:desk@harbour.example</link><link>/a/1</link>", "https://harbour.example/a/1"),
        ("<link>http://[</link>", ""),
        ("<id>https://harbour.example/a/1</id>", "https://harbour.example/a/1"),
        ("<id>urn:uuid:1</id>", ""),
        ('<link xml:base="https://bay.example/x/">a/1</link>', "https://bay.example/x/a/1"),
    ],
)
def test_addresses(inside: str, url: str) -> None:
    assert one(rss(inside)).url == url


def test_a_base_is_that_of_links_and_content() -> None:
    content = '<content type="html">&lt;img src="1.png">&lt;a href=\'/b?x=1&amp;amp;y=2\'>b&lt;/a></content>'
    text = atom('<link href="a/1"/>' + content, root='<feed xml:base="https://bay.example/x/">')
    assert one(text).url == "https://bay.example/x/a/1"
    assert one(text).content == (
        "<img src=\"https://bay.example/x/1.png\"><a href='https://bay.example/b?x=1&amp;y=2'>b</a>"
    )
    channel = rss('<link>a/1</link><description>&lt;a href="b">b&lt;/a></description>').replace(
        "<channel>", '<channel xml:base="https://bay.example/">'
    )
    assert (one(channel).url, one(channel).content) == (
        "https://bay.example/a/1",
        '<a href="https://bay.example/b">b</a>',
    )


@pytest.mark.parametrize(
    ("inside", "published", "updated"),
    [
        ("<dc:date>1</dc:date>", "1", ""),
        ("<pubDate> </pubDate><dc:date>1</dc:date><a:updated>2</a:updated>", "1", "2"),
        ("<a:published>1</a:published>", "1", ""),
        ("<dcterms:issued>1</dcterms:issued><dcterms:modified>2</dcterms:modified>", "1", "2"),
        ("<a10:updated>2</a10:updated>", "", "2"),
    ],
)
def test_dates(inside: str, published: str, updated: str) -> None:
    found = one(rss(inside))
    assert (found.published, found.updated) == (published, updated)


@pytest.mark.parametrize(
    ("said", "authors"),
    [
        ("<author>ada@harbour.example (Ada Quay)</author>", ("Ada Quay",)),
        ("<author>Ada Quay &lt;ada@harbour.example&gt;</author>", ("Ada Quay",)),
        ("<author>desk@harbour.example</author>", ()),
        ("<author>Ada Quay</author><dc:creator>Ben Mole</dc:creator>", ("Ben Mole",)),
        ("<dc:creator>Ada Quay</dc:creator><dc:creator>Ben Mole</dc:creator>", ("Ada Quay", "Ben Mole")),
        ("<dc:creator> </dc:creator><itunes:author>Ada Quay</itunes:author>", ("Ada Quay",)),
        ("<author><name>Ada Quay</name></author><author><email>x@y.example</email></author>", ("Ada Quay",)),
    ],
)
def test_authors(said: str, authors: tuple[str, ...]) -> None:
    assert one(rss(said)).authors == authors


@pytest.mark.parametrize(
    ("said", "outlet"),
    [
        ("<source>https://sun.example/feed</source>", ""),
        ('<source url="https://sun.example/feed"/><dc:source>The Bay Sun</dc:source>', "The Bay Sun"),
    ],
)
def test_outlets(said: str, outlet: str) -> None:
    assert one(rss(said)).outlet == outlet


def test_titles_of_atom_are_what_their_type_says() -> None:
    told = {"text": "a <b>c</b> &amp;", "html": "a c &", "xhtml": "a c", "": "a c &"}
    for kind, title in told.items():
        inside = "a <b>c</b>" if kind == "xhtml" else "a &lt;b&gt;c&lt;/b&gt; &amp;amp;"
        said = f'<title type="{kind}">{inside}</title>' if kind else f"<title>{inside}</title>"
        assert one(atom(said)).title == title
    assert one(rss("<title>how &lt;video&gt; works</title>")).title == "how <video> works"


def test_a_long_description_is_the_article_and_no_summary() -> None:
    text = "It sails again. " * 100
    found = one(rss(f"<description>{text}</description>"))
    assert (found.digest, found.content) == ("", f"<p>{text.strip()}</p>")
    assert one(rss("<dc:subject>Port</dc:subject>")).section == "Port"


# the walk


def test_entries_of_a_feed(tmp_path: Path) -> None:
    more = RSS_FERRY.replace("</dc:creator>", "</dc:creator><dc:creator>Ben Mole</dc:creator>")
    page = Page(rss(more, more, OTHER, "<title>No address</title>", "x<").encode(), URL)
    listing = walk(tmp_path).read(page)
    first, second = listing.entries
    assert first.hints == {
        "url": FERRY.url,
        "title": FERRY.title,
        "published": FERRY.published,
        "outlet": FERRY.outlet,
        "byline": "Ada Quay\nBen Mole",
        "digest": FERRY.digest,
        "section": FERRY.section,
    }
    assert second.hints == {"url": SECOND[1], "title": SECOND[0]}
    assert listing.problems == ["no key in 'No address'", "no key in 'empty record'"]
    assert [entry.hints["url"] for entry in walk(tmp_path, "links: /2$").read(page).entries] == [SECOND[1]]
    with pytest.raises(ValueError, match="neither RSS"):
        walk(tmp_path).read(Page(b"<html>", URL))


def test_content_counts_where_nothing_else_is_wanting(tmp_path: Path) -> None:
    full = walk(tmp_path, "content: true")
    said = {
        "all": RSS_FERRY,
        "no title": RSS_FERRY.replace(TITLE, ""),
        "no date": RSS_FERRY.replace(DATE, "<a:updated>2026-03-02T08:00:00Z</a:updated>"),
        "no content": TITLE + LINK + DATE,
        "description alone": TITLE + LINK + DATE + "<description>It sails &amp;lt; again.</description>",
    }
    hints = {name: full.read(Page(rss(one).encode(), URL)).entries[0].hints for name, one in said.items()}
    assert {name: one.get("content") for name, one in hints.items()} == {
        "all": FERRY.content,
        "no title": None,
        "no date": None,
        "no content": None,
        "description alone": "It sails &lt; again.",
    }
    assert hints["no date"]["published"] == "2026-03-02T08:00:00Z"
    assert hints["all"]["digest"] == "It sails again."
    assert "digest" not in hints["description alone"]


NEXT = '<a:link rel="next" href="?page=2"/>'


def test_a_feed_that_names_its_next_page(tmp_path: Path) -> None:
    page = Page(rss(TITLE + LINK, head=NEXT).encode(), URL)
    assert walk(tmp_path).next(page, 9) == f"{URL}?page=2"
    assert walk(tmp_path).next(page, 10) == ""
    assert walk(tmp_path, "depth: 2").next(page, 2) == ""
    assert walk(tmp_path).next(Page(rss(TITLE, NEXT).encode(), URL), 1) == "", "an article's own link is no feed's"
    of_json = Page(b'{"items": [], "next_url": "/feed?page=2"}', URL)
    assert walk(tmp_path).next(of_json, 1) == "https://harbour.example/feed?page=2"
    base = Page(rss(TITLE, head=NEXT).replace("<rss", '<rss xml:base="https://bay.example/f"').encode(), URL)
    assert walk(tmp_path).next(base, 1) == "https://bay.example/f?page=2"


def test_a_feed_whose_pages_are_numbered(tmp_path: Path) -> None:
    paged = walk(tmp_path, "pages: {template: 'https://harbour.example/feed?paged={page}', depth: 3}")
    page = Page(rss(TITLE + LINK, head=NEXT).encode(), URL)
    asked = [paged.next(page, number) for number in (1, 2, 3)]
    assert asked == ["https://harbour.example/feed?paged=2", "https://harbour.example/feed?paged=3", ""]
    assert paged.page_at(40) == "https://harbour.example/feed?paged=40"
    assert walk(tmp_path).page_at(2) == ""


def test_a_backfill_goes_on_until_all_is_older_than_its_days(tmp_path: Path) -> None:
    days = Days(date(2026, 3, 2), date(2026, 3, 4))
    back = walk(tmp_path, "depth: 1", days)
    for dates, goes_on in (
        (["2026-03-09", "2026-03-08"], True),
        (["2026-03-01", "2026-03-02"], True),
        (["2026-03-01", "2026-02-28"], False),
        ([], True),
    ):
        items = [f"<dc:date>{one}</dc:date>" for one in dates] or ["<title>x</title>"]
        assert bool(back.next(Page(rss(*items, head=NEXT).encode(), URL), 7)) is goes_on, dates
    dated = walk(tmp_path, "", days, url="https://harbour.example/{yyyy}/{mm}/{dd}/feed")
    assert dated.starts(Days(date(2026, 5, 1), date(2026, 5, 1))) == [
        f"https://harbour.example/2026/03/0{day}/feed" for day in (4, 3, 2)
    ]
    assert dated.lists(Page(b"<rss/>", URL)) == []


@pytest.mark.parametrize("more", ["fields: {url: link}", "pages: {next: a}"])
def test_feeds_need_no_rules(tmp_path: Path, more: str) -> None:
    with pytest.raises(SettingsError, match="feed"):
        walk(tmp_path, more)


# what is written from data reads back equal

SIGNS = string.ascii_letters + "渡轮é😀 \"'.,:?!-()"
TEXT = st.text(SIGNS, min_size=1, max_size=20).map(lambda text: " ".join(text.split())).filter(bool)
NAME = TEXT.filter(lambda text: text.strip("<>() ") == text != "")
HTML = TEXT.map(lambda text: f"<p>{escape(text)} &amp; <i class='x'>more</i> ]]&gt;</p>")
ITEMS = st.lists(
    st.builds(
        Item,
        url=st.integers(0, 9999).map(lambda number: f"https://harbour.example/a?n={number}&x=%20;y"),
        title=TEXT,
        published=st.datetimes().map(lambda moment: moment.isoformat()),
        updated=st.datetimes().map(lambda moment: moment.isoformat()),
        outlet=NAME,
        authors=st.lists(NAME, unique=True, max_size=3).map(tuple),
        digest=TEXT,
        section=TEXT,
        content=HTML,
    ),
    max_size=4,
)


def written_rss(item: Item, cdata: bool) -> str:
    content = f"<![CDATA[{item.content}]]>" if cdata else escape(item.content)
    return (
        f"<title>{escape(item.title)}</title><link>{escape(item.url)}</link><pubDate>{item.published}</pubDate>"
        f"<a:updated>{item.updated}</a:updated><source>{escape(item.outlet)}</source>"
        + "".join(f"<dc:creator>{escape(one)}</dc:creator>" for one in item.authors)
        + f"<description>{escape(item.digest)}</description><category>{escape(item.section)}</category>"
        f"<content:encoded>{content}</content:encoded>"
    )


def written_atom(item: Item, cdata: bool) -> str:
    content = f"<![CDATA[{item.content}]]>" if cdata else escape(item.content)
    return (
        f'<title type="text">{escape(item.title)}</title><link href="{escape(item.url)}"/>'
        f"<published>{item.published}</published><updated>{item.updated}</updated>"
        + "".join(f"<author><name>{escape(one)}</name></author>" for one in item.authors)
        + f'<source><title>{escape(item.outlet)}</title></source><summary type="text">{escape(item.digest)}</summary>'
        f'<category term="x" label="{escape(item.section)}"/><content type="html">{content}</content>'
    )


def written_json(items: Sequence[Item]) -> str:
    names = ("url", "title", "date_published", "date_modified", "summary", "content_html")
    records = [
        dict(zip(names, (one.url, one.title, one.published, one.updated, one.digest, one.content), strict=True))
        | {"authors": [{"name": name} for name in one.authors], "tags": [one.section]}
        for one in items
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": records})


@settings(max_examples=60, deadline=None)
@given(ITEMS, st.booleans())
def test_what_is_written_reads_back_equal(items: list[Item], cdata: bool) -> None:
    writers: list[Callable[[], str]] = [
        lambda: rss(*(written_rss(one, cdata) for one in items)),
        lambda: atom(*(written_atom(one, cdata) for one in items)),
    ]
    for write in writers:
        assert read_feed(Page(write().encode(), URL)).items == items
    assert read_feed(Page(written_json(items).encode(), URL)).items == [replace(one, outlet="") for one in items]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "<rss><channel><title>Bay &amp; <![CDATA[Port]]></title><language>en-gb</language>%s</channel></rss>",
            "en-gb",
        ),
        ("<rss><channel>%s<title>Bay &amp; Port</title></channel></rss>", ""),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Bay &amp;\n Port</title>%s</feed>', ""),
        ('{"title": "Bay & Port", "language": "de", "items": [{"title": "%s"}]}', "de"),
    ],
)
def test_what_a_feed_says_of_itself(text: str, told: str) -> None:
    item = "<item><title>An article</title><language>fr</language></item>"
    feed = read_feed(Page((text % item.replace("item>", "entry>" if "Atom" in text else "item>")).encode(), URL))
    assert (feed.title, feed.language, len(feed.items)) == ("Bay & Port", told, 1)


@settings(max_examples=60, deadline=None)
@given(ITEMS, st.data())
def test_what_is_cut_short_keeps_its_whole_items(items: list[Item], data: st.DataObject) -> None:
    text = rss(*(written_rss(one, cdata=True) for one in items))
    cut = text[: data.draw(st.integers(text.index("<channel>") + 9, len(text)))]
    found = read_feed(Page(cut.encode(), URL)).items
    assert cut.count("</item>") <= len(found) <= cut.count("</item")  # one that lacks its last bracket may count
    assert found == items[: len(found)]
