"""The seed archive's posts, byte for byte from their upstream answers; and invented ones, which need nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crawler.archive.markup import Markup, clean, fit
from crawler.archive.post import check_post, file_name, read_post, write_post
from crawler.archive.style import BackLink, PostStyle
from crawler.items import Article, Attribution
from tests.shared import SHARED, needs_shared

SHANGHAI = ZoneInfo("Asia/Shanghai")
POSTS, UPSTREAM = SHARED / "seed" / "posts", SHARED / "seed" / "upstream"

EASTMONEY = Markup(
    comments=True,
    tags=frozenset({"center"}),
    attributes={
        "a": frozenset({"class", "data-*", "target"}),
        "img": frozenset({"border", "data-*", "orginial_src"}),
        "p": frozenset({"class"}),
        "span": frozenset({"class", "data-*", "href", "id", "web"}),
    },
    styles=frozenset({"border", "display", "height", "margin", "overflow", "padding", "text-align"}),
)
"""The least that the seed's bodies need."""


def foot(host: str, page: str, home: str = "/", joiner: str = "｜") -> dict[str, Any]:
    return {
        "back": (BackLink(label="返回{tag}", href=host + page), BackLink(label="返回首页", href=host + home)),
        "joiner": joiner,
    }


NEWS = PostStyle(timezone="Asia/Shanghai", **foot("//finews.withounder.com", "/category/{category}.html"))
_FLASH: dict[str, Any] = {"timezone": "Asia/Shanghai", "quote": "text", "gap": "\n"}
_HOST = "//finews.withounder.com"
STYLES = {
    "n3": NEWS,
    "k0": PostStyle(**_FLASH, zone=False, lead="\n"),
    "k1": PostStyle(**_FLASH, zone=False, end="\n"),
    "k2": PostStyle(**_FLASH, zone=False, **foot("..", "/emnews/", "/", "\n")),
    "k3": PostStyle(**_FLASH, zone=False, **foot("//finews.zning.me", "/emnews/", "/", "\n")),
    "k4": PostStyle(**_FLASH, zone=False, **foot(_HOST, "/emnews/", "/", "\n")),
    "k5": PostStyle(**_FLASH, zone=False, **foot(_HOST, "/emnews/")),
    "k6": PostStyle(**_FLASH, **foot(_HOST, "/emnews/")),
    "k7": PostStyle(timezone="Asia/Shanghai", quote="quote", **foot(_HOST, "/emnews/")),
}
VARIANTS: dict[str, str] = json.loads((UPSTREAM / "VARIANTS.json").read_text()) if UPSTREAM.is_dir() else {}
FAULTY = "-202205262391921712.md"
GOOD = sorted(VARIANTS.keys() - {FAULTY})


def seed_article(name: str) -> Article:
    """The article behind a seed post, as that archive's rules made it of the list and text answers."""
    stem = name.removesuffix(".md")
    lists = json.loads((UPSTREAM / f"{stem}.list.json").read_text())
    path = UPSTREAM / f"{stem}.text.json"
    body = json.loads(path.read_text()) if path.exists() else {}
    record = (lists.get("records") or lists.get("record"))[0]
    html = clean((body.get("content") or body.get("text") or "").replace("\u3000\u3000", ""), EASTMONEY)
    article = Article(source="seed", space="seed", key=record.get("id") or record["infoCode"], url="", body=html)
    article.title = record["title"]
    time = record.get("showtime") or record.get("datetime")
    article.published = datetime.fromisoformat(time).replace(tzinfo=SHANGHAI) if time else None
    if "id" in record:
        article.digest, article.link = record["digest"].split("】")[-1], record["url_w"]
        article.category, article.tags = "emnews", ("东财滚动新闻",)
    else:
        article.link = f"http://finews.zning.xyz/html_News/NewsShare.html?infoCode={article.key}"
        # The slug is another module's business: it is taken from the post.
        article.category = read_post((POSTS / name).read_bytes()).categories[0]
        article.tags = (f"{record['medianame']}新闻",)
    return article


@needs_shared
@pytest.mark.parametrize("name", GOOD)
def test_seed_posts_come_out_byte_for_byte(name: str) -> None:
    article, style = seed_article(name), STYLES[VARIANTS[name]]
    assert write_post(article, style) == (POSTS / name).read_bytes()
    assert file_name(article, style) == name


@needs_shared
@pytest.mark.parametrize("name", sorted(path.name for path in POSTS.glob("crlf/*.md")))
def test_an_upstream_s_own_line_ends_can_stay(name: str) -> None:
    style = PostStyle(timezone="Asia/Shanghai", newline="\r\n", **foot(_HOST, "/category/{category}.html"))
    written = write_post(seed_article(name), style)
    assert written == (POSTS / "crlf" / name).read_bytes()
    assert check_post(name, written, markup=EASTMONEY, newline="\r\n") == []
    assert check_post(name, written, markup=EASTMONEY) == ["lines: CR LF where LF belongs"]


@needs_shared
def test_the_hand_made_first_post() -> None:
    data = (POSTS / "2021-12-01-init.md").read_bytes()
    post = read_post(data)
    article = Article(source="seed", space="seed", key="init", url="", title=post.title, digest=post.digest)
    article.published = post.date.replace(tzinfo=SHANGHAI)
    article.category, article.tags = post.categories[0], post.tags
    style = PostStyle(timezone="Asia/Shanghai", zone=False, quote="text", gap="\n", end="\n")
    assert write_post(article, style) == data


@needs_shared
def test_a_record_without_title_and_time_is_refused() -> None:
    with pytest.raises(ValueError, match="title: empty"):
        write_post(seed_article(FAULTY), STYLES["k7"])
    faults = check_post(FAULTY, (POSTS / FAULTY).read_bytes())
    assert faults == ["title: not a text: ''"]


@needs_shared
@pytest.mark.parametrize("name", GOOD)
def test_seed_posts_read_back(name: str) -> None:
    data, variant = (POSTS / name).read_bytes(), VARIANTS[name]
    if variant == "k0":
        assert check_post(name, data) == ["front matter: the file does not begin with a line --- and hold a second one"]
        return
    article, post = seed_article(name), read_post(data)
    assert check_post(name, data, zone=variant > "k5", markup=EASTMONEY) == []
    assert post.date.replace(tzinfo=SHANGHAI) == article.published
    assert (post.title, post.body, post.link) == (article.title, article.body, article.link)
    assert (post.categories, post.tags) == ((article.category,), article.tags)
    assert post.digest == ("" if variant == "n3" else article.digest)
    assert [label for label, _ in post.back] == ["返回" + article.tags[0], "返回首页"][: len(post.back)]


def without_one(markup: Markup) -> Iterator[Markup]:
    yield replace(markup, comments=False)
    yield replace(markup, tags=frozenset())
    yield from (replace(markup, styles=markup.styles - {name}) for name in markup.styles)
    for tag, names in markup.attributes.items():
        for name in names:
            yield replace(markup, attributes={**markup.attributes, tag: names - {name}})


@needs_shared
def test_the_seed_s_markup_is_the_least() -> None:
    """Without any one entry some seed body would have to be mended."""
    texts = [json.loads(path.read_text()) for path in sorted(UPSTREAM.glob("*.text.json"))]
    bodies = [clean(text.get("content") or text["text"], EASTMONEY) for text in texts]
    assert all(fit(body, EASTMONEY) for body in bodies)
    for less in without_one(EASTMONEY):
        assert not all(fit(body, less) for body in bodies), less


# What follows needs nothing but this file.


def article(**changes: Any) -> Article:
    values: dict[str, Any] = {
        "source": "harbour",
        "space": "harbour",
        "key": "HB202301020007",
        "url": "https://news.example/a/7.html",
        "link": "https://news.example/a/7.html?from=share&lang=zh",
        "title": "港口“夜航”恢复 首日到港12艘",
        "body": '<p>港口夜航恢复。</p>\n <p>首日12艘，‘7&lt;12’。</p><p class="em_media">（文章来源：海港日报）</p>',
        "published": datetime(2023, 1, 2, 0, 30, 5, tzinfo=SHANGHAI),
        "category": "haigangribao",
        "tags": ("海港日报新闻",),
    }
    return Article(**values | changes)


CHINESE = """---
layout: post
title: "港口“夜航”恢复 首日到港12艘"
date: 2023-01-02 00:30:05 +0800
categories: haigangribao
tags: 海港日报新闻
---
<p>港口夜航恢复。</p>
 <p>首日12艘，‘7&lt;12’。</p><p class="em_media">（文章来源：海港日报）</p>

<https://news.example/a/7.html?from=share&lang=zh>

[返回海港日报新闻](//archive.example/category/haigangribao.html)｜[返回首页](//archive.example/)"""

ENGLISH = r"""---
layout: post
title: "Ferry \"Nina\" back: 3 \\ 4 berths \x7B{ free }}"
date: 2023-01-01 16:30:05 +0000
categories: ["2023"]
tags: ["sea news", "no"]
source: "harbour"
original: "https://news.example/a/7.html"
modified: "2023-01-01 17:00:00 +0000"
attribution: "Harbour Daily"
authors: ["A. Sailor", "B. \"Bo\" Diver"]
---

> &#34;Nina&#34; is back&#46;.. at &#36;&#36;3 &#45;&#45; &#42;now&#42;

<p>She is back.</p>

<https://news.example/a/7.html>

[Back to sea news &#40;all&#41;](/tags/sea%20news)
"""


def test_the_seed_s_form() -> None:
    style = PostStyle(timezone="Asia/Shanghai", **foot("//archive.example", "/category/{category}.html"))
    assert write_post(article(), style).decode() == CHINESE
    assert file_name(article(), style) == "2023-01-02-HB202301020007.md"
    assert check_post("2023-01-02-HB202301020007.md", CHINESE.encode()) == []


def test_every_option_at_once() -> None:
    style = PostStyle(
        timezone="UTC",
        quote="quote",
        fields=("source", "original", "modified", "attribution", "authors", "editor", "language"),
        gap="\n",
        back=(BackLink(label="Back to {tag} (all)", href="/tags/{tag}"),),
        end="\n",
    )
    english = article(
        title='Ferry "Nina" back:\n 3 \\ 4 berths {{ free }}',
        body="<p>She is back.</p>",
        digest='"Nina" is back...\nat $$3 -- *now*',
        link="https://news.example/a/7.html",
        category="2023",
        tags=("sea news", "no"),
        modified=datetime(2023, 1, 2, 1, 0, tzinfo=SHANGHAI),
        attribution=Attribution(raw="HARBOUR DAILY", name="Harbour Daily", rule="label"),
        byline=("A. Sailor", 'B. "Bo" Diver'),
    )
    assert write_post(english, style).decode() == ENGLISH
    assert file_name(english, style) == "2023-01-01-HB202301020007.md"
    assert check_post("2023-01-01-HB202301020007.md", ENGLISH.encode()) == []
    assert Path(file_name(english, style)).suffix == ".md"
