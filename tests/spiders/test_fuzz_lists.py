"""A fuzz of the list parsers: 10,000 mutated answers, from which ValueError alone may come, in bounded time and memory.

Runs in processes of their own, since it caps their memory. One case again, and what it is made of:
``python -m tests.spiders.test_fuzz_lists html 17``.
"""

from __future__ import annotations

import faulthandler
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy import Request

from crawler.archive.ledger import Entry
from crawler.extract.page import NotJson, Page
from crawler.sources import load_source
from spiders.hatch import Ways
from spiders.walk import Listing, Walk
from tests.peak import peak_of_this_process

ROOT = Path(__file__).resolve().parents[2]
CASES = {"html": 2800, "json": 2600, "jsonp": 1600, "feed": 2000, "wordpress": 1000, "sitemap": 1000}
URL = "https://harbour.example/list?page=1"
MEMORY = 1 << 30
"""Bytes of address space that a process may take; there lies the interpreter with lxml and Scrapy as well."""
PEAK = 450
"""MiB that it may come to hold; 75 to begin with; the largest answers are 2 MB."""
SECONDS = 4.0
"""CPU time of one answer, on a slow machine; 0.4 is usual for the largest."""

SOURCE = """
id: harbour
name: Harbour
home: https://harbour.example/
language: zh-CN
timezone: Asia/Shanghai
example: https://harbour.example/a/100001.html
layouts:
  - {title: h1, body: article, published: time}
"""
HTML_LISTS = (
    """
    items: ul.news li
    lists: ul.cats a::attr(href)
    fields: {url: 'a.t::attr(href)', title: a.t, published: {css: time, regex: '\\d{4}-.+'}, section: {xpath: //title},
      outlet: {regex: 'data-outlet="([^"]*)"'}, digest: {css: p, join: ' '}}
    pages: {next: 'a[rel=next]::attr(href)', depth: 60}""",
    """
    links: /a/
    pages: {template: 'list_{page}.html'}""",
    """
    fields: {url: {xpath: '//a/@href', first: true}, title: [h2, {xpath: 'normalize-space(//li[last()])'}]}
    pages: {next: {css: .pager b, regex: '\\d+'}, template: '/list?page={page}'}""",
)
JSON_LISTS = (
    """
    items: data.list
    fields: {key: id, url: link, title: title, published: at, outlet: from.name, digest: [sum, lead]}
    pages: {template: 'https://harbour.example/list?after={cursor}', cursor: data.end}""",
    """
    items: {jmespath: 'sort_by(data.list, &id)'}
    fields: {key: {jmespath: "join('-', [id, to_string(rank)])"}, title: title,
      digest: {jmespath: 'to_string(floor(rank))'}, section: {jmespath: 'max(tags)'}}
    pages: {next: data.next}""",
    """
    items: {jsonpath: '$.data.list[*]'}
    fields: {url: link, title: title, published: {jmespath: at, regex: '^\\d{4}.*'}, byline: {regex: '[一-鿿]+'}}
    pages: {next: data.more, template: '/list?page={page}'}""",
)
FEED_LISTS = (
    "",
    "\n    content: true\n    pages: {template: '/feed?page={page}'}",
    "\n    links: /a/\n    content: true",
)
WORDPRESS_LISTS = ("", "\n    links: /a/\n    content: false")
LISTS = {
    "html": ("html", HTML_LISTS),
    "json": ("json", JSON_LISTS),
    "jsonp": ("json", JSON_LISTS),
    "feed": ("feed", FEED_LISTS),
    "sitemap": ("sitemap", ("\n    lists: map", "\n    links: /a/")),
    "wordpress": ("wordpress", WORDPRESS_LISTS),
}
KEYS = ("", "key: {patterns: ['/a/(\\d+)', '^\\d{6}']}\n")


# the answers that are mutated


def html_answer() -> bytes:
    """A list page of invented news."""
    items = "".join(
        f'<li data-outlet="海港日报"><a class="t" href="/a/{100000 + n}.html?b={n}&amp;c=1" title="第">第{n}号渡轮</a>'
        f"<time>2026-03-{n:02d} 08:00</time><p>首航<b>载客</b>{n}人&#8230;</p></li>\n"
        for n in range(1, 9)
    )
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>港口新闻</title><base href="/news/"></head><body>'
        f'<ul class="cats"><li><a href="/c/port/">港口</a><li><a href="//harbour.example/c/city/">城市</a></ul>'
        f'<ul class="news">\n{items}</ul><!-- end -->'
        '<div class="pager"><b>2</b><a rel="next" href="?p=2">下一页</a></div>'
        "<script>var x = '<li>';</script></body></html>"
    ).encode()


def json_value() -> Any:
    """A list of invented news as an answer in JSON names it."""
    records = [
        {
            "id": f"{100000 + n}",
            "link": f"/a/{100000 + n}.html",
            "title": f'第{n}号渡轮 "海鸥"\\',
            "at": f"2026-03-{n:02d} 08:00",
            "from": {"name": "海港日报"},
            "lead": "首航😀",
            "rank": n / 2,
            "tags": ["port", "城市"],
        }
        for n in range(1, 7)
    ]
    return {"data": {"list": records, "end": "c2VhZ3VsbA+/=", "more": 2, "next": "/list?page=2"}, "code": 0}


def feed_answer(number: int) -> bytes:
    """A feed of invented news: RSS or Atom."""
    rss = "".join(
        f"<item><title>第{n}号渡轮&amp;码头</title><link>https://harbour.example/a/{100000 + n}.html?b={n}&amp;c</link>"
        f"<pubDate>Mon, {n:02d} Mar 2026 08:00:00 +0800</pubDate><dc:creator>林岚</dc:creator><source>海港日报</source>"
        f"<description><![CDATA[<p>首航<b>载客</b>{n}人</p>]]></description><category>港口</category></item>\n"
        for n in range(1, 7)
    )
    atom = "".join(
        f'<entry><title type="html">第{n}号渡轮 &lt;b&gt;</title><link rel="alternate" href="/a/{100000 + n}.html"/>'
        f"<updated>2026-03-{n:02d}T08:00:00Z</updated><author><name>林岚</name></author><source><title>海港日报</title>"
        '</source><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>首航</p></div></content></entry>\n'
        for n in range(1, 7)
    )
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    of_rss = 'rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    of_atom = 'feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://harbour.example/"'
    text = (
        f"{head}<{of_rss}><channel><title>港口</title>{rss}</channel></rss>",
        f'{head}<{of_atom}><link rel="next" href="?p=2"/>{atom}</feed>',
    )
    return text[number % 2].encode()


def sitemap_answer(number: int) -> bytes:
    """A sitemap of invented news with all that may stand in it, packed or not, or an index of such."""
    news = "".join(
        f"<url><loc>https://harbour.example/a/{100000 + n}.html?b={n}&amp;c=1</loc><lastmod>2026-03-{n:02d}</lastmod>"
        "<news:news><news:publication><news:name>海港日报</news:name></news:publication>"
        f"<news:publication_date>2026-03-{n:02d}T08:00:00+08:00</news:publication_date>"
        f"<news:title><![CDATA[第{n}号渡轮 ]]>&#8230;</news:title></news:news>"
        f"<image:image><image:loc>/p/{n}.jpg</image:loc></image:image></url>\n"
        for n in range(1, 7)
    )
    maps = "".join(f"<sitemap><loc>/map-2026-{n:02d}.xml.gz</loc></sitemap>" for n in range(1, 7))
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="x" xmlns:image="y"'
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    text = f"<urlset {space}>{news}</urlset>" if number % 5 else f"<sitemapindex {space}>{maps}</sitemapindex>"
    data = (head + text).encode()
    return gzip.compress(data, mtime=0) if number % 10 == 7 else data


def json_feed_value() -> Any:
    """The same as JSON Feed."""
    items = [
        {
            "id": f"{100000 + n}",
            "url": f"/a/{100000 + n}.html",
            "title": f"第{n}号渡轮 &amp; 码头",
            "date_published": f"2026-03-{n:02d}T08:00:00Z",
            "authors": [{"name": "林岚"}],
            "content_html": "<p>首航😀</p>",
            "tags": ["港口"],
        }
        for n in range(1, 7)
    ]
    return {"version": "https://jsonfeed.org/version/1.1", "items": items, "next_url": "/feed?page=2"}


def wordpress_value() -> Any:
    """The same as the REST interface of WordPress gives it."""
    return [
        {
            "id": 100000 + n,
            "date": f"2026-03-{n:02d}T08:00:00",
            "link": f"https://harbour.example/a/{100000 + n}.html",
            "title": {"rendered": f"第{n}号渡轮 &#8220;海鸥&#8221;"},
            "content": {"rendered": "<p>首航😀</p>", "protected": False},
            "excerpt": {"rendered": "<p>首航 [&hellip;]</p>"},
            "_embedded": {"author": [{"name": "林岚"}], "wp:term": [[{"taxonomy": "category", "name": "港口"}]]},
        }
        for n in range(1, 7)
    ]


VALUES = {"json": json_value, "jsonp": json_value, "feed": json_feed_value, "wordpress": wordpress_value}


# mutations of bytes

Mutation = Callable[[Random, bytes], bytes]
PIECES = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"&#xD800;", b"&#x110000;", b"&#0;",
    b"\\ud83d", b"\\u0000", b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-0", b"<![CDATA[", b"<!--", b"]]>", b"<?php",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b'"', b"'", b"\\", b"[", b"{", b"}", b"]", b",", b"</ul>", b"<li>",
    b"<base href='//['>",
    b"<a class=t href='http://[::1'>", b"<a class=t href='https://harbour.example:99999/a/1'>x</a>",
    b"<svg><a xlink:href=x>",
    b"<a class=t rel=next href='javascript:alert(1)'>", b"<a rel=next href='\nhttp://\\@evil.example/a/1\t'>",
    b"<template>", b"<table><tr><a href=/a/1>", b"\x1b[31m", b"\r\n\r\n", "\u202e".encode(), "\u2028".encode(),
    b"/*", b"//", b"callback(",
)  # fmt: skip
"""What parsers trip over."""
CHARSETS = ("gb18030", "big5", "shift_jis", "utf-16", "utf-16-be", "utf-32", "utf-7", "cp037", "iso2022_jp", "hz")


def flipped(random: Random, data: bytes) -> bytes:
    """Some bytes are others."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 3, 30))):
        changed[random.randrange(len(data))] = random.randrange(256)
    return bytes(changed)


def cut(random: Random, data: bytes) -> bytes:
    """The end is missing, or the beginning, or a piece."""
    start, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
    return random.choice((data[:end], data[start:], data[:start] + data[end:]))


def doubled(random: Random, data: bytes) -> bytes:
    """A piece stands there twice, or many times."""
    start, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
    times = random.choice((2, 2, 2, 50)) if end - start < 300 else 2
    return data[:start] + data[start:end] * times + data[end:]


def shuffled(random: Random, data: bytes) -> bytes:
    """Two pieces have changed their places."""
    one, two, three, four = sorted(random.randrange(len(data) + 1) for _ in range(4))
    return data[:one] + data[three:four] + data[two:three] + data[one:two] + data[four:]


def spoilt(random: Random, data: bytes) -> bytes:
    """Something stands in it that parsers trip over."""
    for _ in range(random.choice((1, 2, 6))):
        at = random.randrange(len(data) + 1)
        data = data[:at] + random.choice(PIECES) + data[at + random.choice((0, 0, 1, 8)) :]
    return data


def recoded(random: Random, data: bytes) -> bytes:
    """Written in another charset than it says, as a whole or from some place on."""
    text, other = data.decode("utf-8", "replace"), random.choice(CHARSETS)
    at = random.choice((0, random.randrange(len(text) + 1)))
    return text[:at].encode() + text[at:].encode(other, "replace")


BYTES: tuple[Mutation, ...] = (flipped, cut, doubled, shuffled, spoilt, recoded)


# mutations of JSON

WRONG: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**300, 1.5, 1e308, float("nan"), float("inf"), float("-inf"), "", " ", "\0", "\ud800",
    "x\udfffy", "😀", "\u202e", "9" * 100, "http://[", "https://a:b/a/1", "javascript:x",
    "//evil.example/a/1", "../../x", "\n", "x" * 20_000, [], {}, [[]], [None], [{}], {"": ""}, ["\ud83d"],
    {"\ud83d": 1}, [1, "a", None], {"name": {"name": {}}},
)  # fmt: skip
"""What may stand where something else is due."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Ways to everything in a document."""
    yield path
    for name, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*path, name))


def with_wrong(document: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    """The document with something else in one place."""
    if not path:
        return deepcopy(wrong)
    changed = deepcopy(document)
    at = changed
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = deepcopy(wrong)
    return changed


def written(random: Random, value: Any) -> bytes:
    """JSON, escaped or not; halves of characters as bytes that are no UTF-8, or as escapes."""
    return json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def mistyped(random: Random, document: Any) -> bytes:
    """JSON with values of other kinds than are due, in one place or several."""
    for _ in range(random.choice((1, 1, 1, 3, 8))):
        document = with_wrong(document, random.choice(list(places(document))), random.choice(WRONG))
    return written(random, document)


# answers of monstrous size and depth


_FEEDS = (
    b"<item><title>x</title><link>/a/1</link></item>" * 3_000,
    b"<item>" * 3_000,
    b"<item/>" * 3_000,
    b"<item>" + b"<title>" * 200_000 + b"</item>",
    b"<item>" + b"<title><summary>" * 100_000 + b"</item>",
    b"<item>" + b"<a>" * 300_000 + b"</item>",
    b"<item><title>" + b"<b>" * 200_000 + b"</title></item>",
    b"<item><title>" + b"]]>" * 200_000 + b"<b></title></item>",
    b"<item><description>" + b"&lt;b&gt;" * 50_000 + b"</description></item>",
    b"<item><author>" + b"a" * 300_000 + b" " + b"a@" * 100_000 + b"</author></item>",
    b"<item>" + b"<link>http://[</link>" * 10_000 + b"</item>",
    b"<item><title " + b"".join(b"a%d='1' " % n for n in range(8_000)) + b"></item>",
    b"<rss " * 200_000,
    b"<rss>" * 200_000,
    b"<!--" * 100_000,
    b"<![CDATA[" * 50_000,
    b"<!DOCTYPE x [" * 100_000,
    b"&" * 100_000,
    b"<" * 100_000,
    b"<link rel='next'" * 50_000,
    b"<a:" * 300_000,
)


_LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
_SITEMAPS = (
    b'<!DOCTYPE l [<!ENTITY l0 "lol">' + _LAUGHS + b"]><urlset><url><loc>&l9;</loc></url></urlset>",
    b'<!DOCTYPE q [<!ENTITY q "'
    + b"q" * 100_000
    + b'">]><urlset><url><loc>'
    + b"&q;" * 100_000
    + b"</loc></url></urlset>",
    b'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]><urlset><url><loc>&x;</loc></url></urlset>',
    b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><urlset><url><loc>/&x;</loc></url></urlset>',
    b"<urlset>" + b"<url>" * 100_000,
    b"<urlset>" + b"<url><loc>" * 50_000,
    b"<urlset><url><loc>" + b"a" * 2_000_000,
    b"<urlset><url><loc>" + b"&amp;" * 300_000 + b"</loc></url></urlset>",
    b"<urlset>" + b"<url><loc>/a/1</loc></url>" * 10_000,
    b"<urlset>" + b"<!--" * 300_000,
    b"<urlset>" + b"<![CDATA[" * 100_000,
    b"<urlset>" + b"<!" * 500_000,
    b"<urlset>" + b"<" * 1_000_000,
    b"<urlset>" + b"<a " * 100_000,
    b"<urlset>" + b"<" + b"a:" * 500_000,
    b"<urlset>" + b"<a" + b" b='c'" * 100_000,
    b"<urlset>" + b"<image>" * 50_000,
    b"https://harbour.example/a/" * 80_000,
    b"https://harbour.example/a/1\n" * 10_000,
    b"sitemap:" * 200_000,
    gzip.compress(b"<urlset>" + b"<!-- -->" * (9 << 20), 1, mtime=0),
    gzip.compress(b"<urlset><url>" * 50_000, mtime=0)[:-20],
    gzip.compress(b"<urlset>", mtime=0) * 20_000,
)


@cache
def monsters(kind: str) -> list[bytes]:
    """Answers that are made to cost time or memory."""
    if kind == "html":
        inner = (
            b"<div>" * 100_000,
            b"<ul class=news><li>" * 10_000,
            b"<a class=t href=/a/" + b"1" * 1_000_000 + b".html>",
            b'<li data-outlet="' + b"x" * 2_000_000,
            b"<li class=t " + b"".join(b"a%d=1 " % n for n in range(8_000)) + b">",
            b"<ul class=news>" + b"".join(b"<li><a class=t href=/a/%d>x</a>" % n for n in range(20_000)),
            b"<ul class=news><li>" + b"".join(b"<a class=t href=/a/%d>x</a>" % n for n in range(5_000)),
            b"<li>" + b"&amp;" * 200_000 + b"&#xD800;" * 1000,
            b"<!--" * 200_000,
            b"<" * 1_000_000,
            b"</" * 500_000,
            b"<b><i>" * 2000 + b"</b></i>" * 2000,
        )
        return [b"<html><body>" + one for one in inner]
    if kind == "feed":
        return [one.join((b"<rss><channel>", b"")) for one in _FEEDS]
    if kind == "sitemap":
        return list(_SITEMAPS)
    bodies = (
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"data":' * 100_000,
        b'{"data":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"data": {"list": ' + b"[" * 900 + b"]" * 900 + b"}}",
        b'{"data": {"list": [' + b'{"id": "\\ud800"},' * 5_000 + b"{}]}}",
        b'{"data": {"list": [' + b"{}," * 10_000 + b"{}]}}",
        b'{"data": {"list": [{"id": ' + b"9" * 1_000_000 + b"}]}}",
        b'{"data": {"list": [{"id": "' + b"9" * 1_000_000 + b'"}]}}',
        b'{"data": {"end": "' + b"\\" * 1_000_000,
        b'{"data": "' + b'\\"' * 500_000,
        b'{"data": ' + b'"' * 1_000_001,
        b'{"data": [' + b"," * 1_000_000,
        b'{"data": [1' + b", " * 500_000 + b"x",
        b'{"data": [1,' + b" " * 1_000_000 + b"x",
        b'{"data": {"list": [{"rank": 1e999, "id": "1"}, {"rank": NaN, "id": "2"}, {"id": -Infinity}]}}',
    )
    return list(bodies)


JSONP = ((b"callback(", b");"), (b"var list = ", b";"), (b"a.b['c']\n (", b") ; "), (b"x" * 1000 + b"(", b""))


def case(kind: str, number: int) -> bytes:
    """The answer of this number: of as many monsters as there are the first ones, then mutations."""
    random = Random(f"{kind} {number}")
    wrap = random.choice(JSONP) if kind == "jsonp" else (b"", b"")
    made = monsters(kind)
    if number < len(made):
        return made[number].join(wrap)
    if kind == "html":
        data = html_answer()
    elif kind == "sitemap":
        data = sitemap_answer(number)
    elif kind == "feed" and random.random() < 0.8:
        data = feed_answer(number)
    else:
        value = VALUES[kind]()
        data = (mistyped(random, value) if random.random() < 0.6 else written(random, value)).join(wrap)
        if random.random() < 0.4:
            return data
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = random.choice(BYTES)(random, data) or b" "
    return data


# what must hold of each


@cache
def walks(kind: str) -> list[Walk]:
    """Lists of every sort that the parsers know, with and without patterns for keys."""
    made = []
    way, lists = LISTS[kind]
    for number, rules in enumerate(lists):
        head = f"lists:\n  - kind: {way}\n    urls: {URL}"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "harbour.yml"
            path.write_text(SOURCE + KEYS[number % 2] + head + rules, encoding="utf-8")
            source = load_source(path)
        made.append(Ways(source).walk(source.lists[0]))
    return made


def judged(walk: Walk, page: Page) -> tuple[int, list[str]]:
    """How many articles a page names, and what is wrong with how it is read: nothing where that is refused as
    documented."""
    try:
        listing = walk.read(page)
    except Exception as error:
        return 0, [] if type(error) in (ValueError, NotJson) else [f"read: {error!r}"]
    try:
        further = [url for url in (*walk.lists(page), walk.next(page, 1)) if url]
    except Exception as error:
        return 0, [f"next: {error!r}"]
    return len(listing.entries), [*wrong_in(listing), *(f"next: {url!r}" for url in further if not can_be_asked(url))]


def wrong_in(listing: Listing) -> list[str]:
    """Entries must have keys and texts that a database takes, and addresses be of the web."""
    faults = [f"no key: {entry}" for entry in listing.entries if not entry.key]
    texts = [*listing.problems, *(text for entry in listing.entries for text in (entry.key, *entry.hints.values()))]
    faults += [f"not to be written: {text!r}" for text in texts if not writable(text)]
    urls = [entry.hints["url"] for entry in listing.entries if "url" in entry.hints]
    return faults + [f"address: {url!r}" for url in urls if not url.startswith(("http://", "https://"))]


def writable(text: str) -> bool:
    """Whether a text is UTF-8."""
    try:
        return bool(text.encode()) or True
    except UnicodeEncodeError:
        return False


def can_be_asked(url: str) -> bool:
    """Whether Scrapy takes it for an address."""
    try:
        return Request(url).url.startswith(("http://", "https://"))
    except ValueError:
        return False


def fuzz(kind: str, numbers: range) -> dict[str, Any]:
    """Read these cases with walks of all sorts in turn; what was found, and what it took."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    ways, faults, slowest, entries = walks(kind), list[str](), (0.0, 0), 0
    for number in numbers:
        data = case(kind, number)
        faulthandler.dump_traceback_later(10 * SECONDS, exit=True)  # what hangs is shown where it hangs
        start = time.process_time()
        chosen = ways if number < len(monsters(kind)) else [ways[number % len(ways)]]
        for walk in chosen:
            found, wrong = judged(walk, Page(data, URL))
            faults += [f"{kind} {number}: {fault[:300]}" for fault in wrong]
            entries += found
        slowest = max(slowest, ((time.process_time() - start) / len(chosen), number))
    faulthandler.cancel_dump_traceback_later()
    peak = peak_of_this_process() >> 10
    return {"read": len(numbers), "entries": entries, "faults": faults, "slowest": slowest, "peak": peak}


def main(kind: str, number: str = "") -> None:
    """All cases of a kind, or what one is made of and what is wrong with it."""
    if number:
        sys.stdout.buffer.write(case(kind, int(number)) + b"\n")
    print(json.dumps(fuzz(kind, range(int(number), int(number) + 1) if number else range(CASES[kind]))))


@pytest.mark.parametrize("kind", CASES)
def test_nothing_but_a_documented_error_leaves_a_parser(kind: str) -> None:
    words = [sys.executable, "-m", "tests.spiders.test_fuzz_lists", kind]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["faults"] == []
    assert told["read"] == CASES[kind]
    assert told["entries"] > CASES[kind], "mutations that leave nothing to read show nothing"
    assert told["slowest"][0] < SECONDS, told["slowest"]
    assert told["peak"] < PEAK


@pytest.mark.parametrize("number", [0, 2])
def test_what_stands_in_one_record_costs_no_other(number: int) -> None:
    """Every wrong value in every place of the third of six records."""
    walk, document = walks("json")[number], json_value()
    for path in places(document["data"]["list"][2]):
        for wrong in WRONG:
            changed = with_wrong(document, ("data", "list", 2, *path), wrong)
            found, faults = judged(walk, Page(written(Random(0), changed), URL))
            assert faults == [], (path, wrong)
            assert found >= 5, (path, wrong)


def test_functions_that_a_number_is_too_much_for_leave_their_field_out() -> None:
    walk = walks("json")[1]
    for rank in (b"1e999", b"NaN", b'"x"', b"[[]]"):
        page = Page(b'{"data": {"list": [{"id": "100001", "rank": %s}, {"id": "100002", "rank": 3}]}}' % rank, URL)
        first, second = walk.read(page).entries
        assert "digest" not in first.hints
        assert second.hints["digest"] == "3"


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z", "Cf"]), min_size=1, max_size=30))
def test_a_cursor_arrives_as_it_was_named(cursor: str) -> None:
    following = walks("json")[0].next(Page(json.dumps({"data": {"end": cursor}}).encode(), URL), 1)
    assert parse_qsl(urlsplit(Request(following).url).query) == [("after", cursor)]


def test_an_address_that_cannot_be_asked_ends_the_walk() -> None:
    html, data = walks("html")[0], walks("json")[1]
    for url in (
        "https://harbour.example:99999/",
        "javascript:more()",
        "http://[",
        "ftp://harbour.example/",
    ):
        assert html.next(Page(f'<a rel="next" href="{url}">more</a>'.encode(), URL), 1) == ""
        assert html.lists(Page(f'<ul class="cats"><a href="{url}">more</a>'.encode(), URL)) == []
        assert data.next(Page(json.dumps({"data": {"next": url}}).encode(), URL), 1) == ""
    assert data.next(Page(b'{"data": {"next": "?page=2"}}', URL), 1) == "https://harbour.example/list?page=2"


class Faulty:
    """A parser that does what none may do."""

    def __init__(self, fault: Exception | None = None, entry: Entry | None = None, following: str = "") -> None:
        self._fault, self._entries, self._following = fault, [entry] if entry else [], following

    def read(self, page: Page) -> Listing:
        if self._fault:
            raise self._fault
        return Listing(self._entries)

    def lists(self, page: Page) -> list[str]:
        return []

    def next(self, page: Page, number: int) -> str:
        return self._following


@pytest.mark.parametrize(
    "walk",
    [
        *map(Faulty, (KeyError("x"), RecursionError(), MemoryError(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"))),
        Faulty(entry=Entry("", {})),
        Faulty(entry=Entry("\ud800", {})),
        Faulty(entry=Entry("1", {"title": "\udfff"})),
        Faulty(entry=Entry("1", {"url": "javascript:x"})),
        Faulty(following="/relative"),
        Faulty(following="http://harbour.example:99999/"),
    ],
    ids=range(10),
)
def test_the_fuzz_sees_faults(walk: Walk) -> None:
    assert judged(walk, Page(b"", URL))[1] != []


if __name__ == "__main__":
    main(*sys.argv[1:])
