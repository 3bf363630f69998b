"""Posts: front matter, file names, the last guard, and reading back."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive.characters import headline, one_line
from crawler.archive.markup import Markup, clean, text_of
from crawler.archive.post import (
    FIELDS,
    PostError,
    check_post,
    file_name,
    is_slug,
    read_post,
    safe_key,
    safe_slug,
    twin_key,
    write_post,
)
from crawler.archive.style import BackLink, PostStyle
from crawler.items import Article, Attribution
from tests.archive import nasty

SHANGHAI = timezone(timedelta(hours=8))
STYLE = PostStyle(
    timezone="Asia/Shanghai",
    fields=tuple(FIELDS),
    quote="quote",
    back=(BackLink(label="返回{tag}", href="//h.example/category/{category}.html"),),
)


def article(**changes: Any) -> Article:
    values: dict[str, Any] = {
        "source": "s",
        "space": "s",
        "key": "k1",
        "url": "https://e.example/1.html",
        "title": "标题",
        "body": "<p>正文</p>",
        "published": datetime(2023, 1, 1, 20, 0, tzinfo=UTC),
        "category": "news",
        "tags": ("新闻",),
    }
    return Article(**values | changes)


def front(data: bytes) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(data.decode().split("---\n")[1])
    return values


@settings(max_examples=300, deadline=None)
@given(
    title=nasty.text,
    digest=nasty.text,
    editor=nasty.text,
    raw=nasty.text,
    key=nasty.text,
    tags=st.lists(nasty.text, max_size=3),
    byline=st.lists(nasty.text, max_size=3),
)
def test_front_matter_says_what_the_article_says(
    title: str, digest: str, editor: str, raw: str, key: str, tags: list[str], byline: list[str]
) -> None:
    one = article(title=f"t{title}", digest=digest, editor=editor, published_raw=raw, key=f"{key}1")
    one.tags, one.byline = tuple(tags), tuple(byline)
    one.attribution = Attribution(raw=raw, name=editor, rule="label")
    data = write_post(one, STYLE)
    text = {name: one_line(value) for name, value in {"digest": digest, "editor": editor, "published_raw": raw}.items()}
    text |= {"attribution": one_line(editor), "attribution_raw": one_line(raw), "key": one_line(one.key)}
    due: dict[str, Any] = {name: value for name, value in text.items() if value}
    if names := [name for name in map(one_line, byline) if name]:
        due["authors"] = names
    if labels := list(dict.fromkeys(tag for tag in map(one_line, tags) if tag)):
        due["tags"] = labels if len(labels) > 1 or isinstance(front(data)["tags"], list) else labels[0]
    due |= {"layout": "post", "title": headline(one.title), "date": "2023-01-02 04:00:00 +0800", "categories": "news"}
    due |= {"source": "s", "space": "s", "original": "https://e.example/1.html"}
    assert front(data) == due
    post = read_post(data)
    assert (post.title, post.digest) == (headline(one.title), one_line(digest))
    assert post.tags == tuple(labels)


@settings(max_examples=150, deadline=None)
@given(nasty.html, st.tuples(*[nasty.text] * 4), st.sampled_from(["", "quote", "text"]))
def test_whatever_is_written_passes_the_check(html: str, texts: tuple[str, str, str, str], quote: str) -> None:
    title, digest, key, tag = texts
    body = clean(html, Markup(), "https://e.example/")
    one = article(title=f"t{title}", body=body, digest=digest, key=f"{key}1", tags=(tag,), link="https://e.example/")
    style = PostStyle(timezone="Asia/Shanghai", fields=tuple(FIELDS), quote=quote, back=STYLE.back)
    data, name = write_post(one, style), file_name(one, style)
    assert check_post(name, data, markup=Markup()) == []
    assert re.fullmatch(r"2023-01-02-[A-Za-z0-9_-]{1,100}\.md", name)
    assert b"{{" not in data
    assert b"{%" not in data
    post = read_post(data)
    assert (post.body, post.link, text_of(post.body)) == (body, "https://e.example/", text_of(body))
    assert post.digest == (one_line(digest) if quote else "")
    assert post.back == (("返回" + one_line(tag), "//h.example/category/news.html"),)
    assert write_post(one, style) == data


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": ""}, "title: empty"),
        ({"title": "\n\x00\ufeff "}, "title: empty"),
        ({"published": None}, "published: no time"),
        ({"published": datetime(2023, 1, 1)}, "published: no time"),
        ({"category": ""}, "category: not a slug"),
        ({"category": "a b"}, "category: not a slug"),
        ({"category": "../x"}, "category: not a slug"),
        ({"link": "javascript:x"}, "link: not a public"),
        ({"link": "mailto:a@e.example"}, "link: not a public"),
        ({"body": "text"}, "body: not clean"),
        ({"body": "<p>{{ x }}</p>"}, "body: not clean"),
        ({"body": "<p>a</p>\n\n<p>b</p>"}, "body: not clean"),
        ({"body": "<p>a</p><script>b</script>"}, "body: not clean"),
        ({"modified": datetime(2023, 1, 1)}, "modified: no time"),
    ],
)
def test_the_last_guard_names_the_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_post(article(**changes), STYLE)


def test_a_style_s_faults_are_named() -> None:
    with pytest.raises(ValueError, match="no such front matter: publisher"):
        write_post(article(), PostStyle(fields=("publisher",)))
    with pytest.raises(ValueError, match="back: not an address"):
        write_post(article(), PostStyle(back=(BackLink(label="x", href="javascript:x"),)))


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("东财滚动新闻", "东财滚动新闻"),
        ("21世纪经济报道新闻", "21世纪经济报道新闻"),
        ("TechWeb", "TechWeb"),
        ("a-b_c", "a-b_c"),
        ("no", '["no"]'),
        ("Y", '["Y"]'),
        ("NULL", '["NULL"]'),
        ("1234", '["1234"]'),
        ("0x1F", '["0x1F"]'),
        ("1_000", '["1_000"]'),
        ("1e5", '["1e5"]'),
        ("2022-05-19", '["2022-05-19"]'),
        ("21:30", '["21:30"]'),
        ("a b", '["a b"]'),
        ("-a", '["-a"]'),
        ("_a", '["_a"]'),
        ("@a", '["@a"]'),
        ("a#b", '["a#b"]'),
        ('"a\\', '["\\"a\\\\"]'),
        ("{{a", '["\\x7B{a"]'),
    ],
)
def test_a_plain_scalar_only_where_yaml_and_jekyll_read_one_word(word: str, written: str) -> None:
    data = write_post(article(tags=(word,)), STYLE)
    assert f"\ntags: {written}\n" in data.decode()
    assert read_post(data).tags == (word,)


def test_tags_are_kept_once_and_in_order() -> None:
    assert b'\ntags: ["b", "a"]\n' in write_post(article(tags=("b", "a\n", "", "b")), STYLE)
    assert b"tags" not in write_post(article(tags=()), STYLE)


def test_dates() -> None:
    late = article(published=datetime(2022, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
    assert b"\ndate: 2023-01-01 07:59:59 +0800\n" in write_post(late, STYLE)
    assert file_name(late, STYLE) == "2023-01-01-k1.md"
    berlin = PostStyle(timezone="Europe/Berlin", zone=False)
    assert b"\ndate: 2023-01-01 00:59:59\n" in write_post(late, berlin)
    old = article(published=datetime(1890, 1, 1, tzinfo=UTC))
    assert check_post(file_name(old, STYLE), write_post(old, STYLE)) == []
    with pytest.raises(ValueError, match="published"):
        file_name(article(published=datetime(2023, 1, 1)), STYLE)


def test_a_post_of_a_title_alone() -> None:
    bare = article(body="", tags=())
    assert write_post(bare, PostStyle()).decode().endswith("categories: news\n---\n")
    assert read_post(write_post(bare, PostStyle())).body == ""


def test_a_back_link_s_address_stays_in_its_brackets() -> None:
    style = PostStyle(back=(BackLink(label="a", href="/{tag}/(x)[y] z'\"{{w}}"),))
    assert write_post(article(tags=("b)c",)), style).endswith(b"[a](/b%29c/%28x%29%5By%5D%20z%27%22%7B%7Bw%7D%7D)")


@pytest.mark.parametrize("key", ["NW202205192383905174", "202204212352227421", "a", "A_b-c", "_x_", "x" * 100])
def test_good_keys_stay(key: str) -> None:
    assert safe_key(key) == key


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("a.b", "a-b-"),
        ("../a", "a-"),
        ("-a-", "a-"),
        ("a--b", "a-b-"),
        ("键", ""),
        ("con", "con-"),
        ("LPT1", "LPT1-"),
        ("x" * 101, "x" * 91 + "-"),
        ("a/b?c=1", "a-b-c-1-"),
    ],
)
def test_other_keys_get_a_hash(key: str, name: str) -> None:
    assert re.fullmatch(re.escape(name) + "[0-9a-f]{8}", safe_key(key))
    assert safe_key(safe_key(key)) == safe_key(key)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        safe_key("")


@given(st.text(min_size=1), st.text(min_size=1))
def test_keys_stay_apart(one: str, other: str) -> None:
    assert (safe_key(one) == safe_key(other)) is (one == other)
    assert (twin_key(one) == twin_key(other)) is (one == other)
    for name in (safe_key(one), twin_key(one)):
        assert re.fullmatch("[A-Za-z0-9_-]{1,100}", name)


def test_twins_of_case_get_names_that_no_file_system_confuses() -> None:
    assert safe_key("AbC").casefold() == safe_key("aBc").casefold()
    assert twin_key("AbC").casefold() != twin_key("aBc").casefold()
    assert re.fullmatch("abc-[0-9a-f]{8}", twin_key("AbC"))


@given(st.text())
def test_slugs(text: str) -> None:
    assert is_slug(safe_slug(text))
    assert safe_slug(safe_slug(text)) == safe_slug(text)


@pytest.mark.parametrize(
    ("text", "slug"), [("TechWeb", "TechWeb"), ("21世纪 App", "21-App"), ("a_b", "a-b"), ("x(y)", "x-y")]
)
def test_slugs_of_names(text: str, slug: str) -> None:
    assert safe_slug(text) == slug


@pytest.mark.parametrize("text", ["", "-a", "a-", "a--b", "a_b", "a b", "中", "a/b", "nul", "Com1", "a" * 101, "a\n"])
def test_no_slugs(text: str) -> None:
    assert not is_slug(text)


GOOD = """---
layout: post
title: "t"
date: 2023-01-02 04:00:00 +0800
categories: news
---
<p>a</p>

<https://e.example/>"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("---\nlayout", "\n---\nlayout", "front matter: the file does not begin"),
        ("---\n<p>", "<p>", "front matter: the file does not begin"),
        ('"t"', '"t" x', "front matter: not YAML"),
        ('"t"', '""', "title: not a text"),
        ('"t"', "5", "title: not a text"),
        ('"t"', "t", "title: not in double quotes on one line"),
        ('"t"', '"t\n  u"', "title: not in double quotes on one line"),
        ("title: ", "name: ", "title: not a text"),
        ("2023-01-02 04:00:00 +0800", "", "date: no line"),
        ("2023-01-02 04:00:00 +0800", "yesterday", "date: no line"),
        ("2023-01-02 04", "2023-13-02 04", "date: .*does not match"),
        ("04:00:00 +0800", "25:00:00 +0800", "date: .*does not match"),
        (" +0800", "", "date: without a zone"),
        ("categories: news\n", "", "categories: none"),
        ("news", "a_b c", "categories: not a slug: 'a_b'"),
        ("<p>a</p>", "<p>{{a}}</p>", "liquid"),
        ("<p>a</p>", "<p>{% a</p>", "liquid"),
        ("<p>a</p>", "<p>\x07</p>", r"characters: U\+0007"),
        ("<p>a</p>", "<p>a</p>\r\n<p>b</p>", "lines: CR LF"),
        ("post\n", "post\r\n", "lines: CR LF"),
        ("<p>a</p>", "<p>a", "body: not in"),
        ("<p>a</p>", "<p>a</p>\n\n<p>b</p>", "body: not in"),
        ("<p>a</p>", '<p onclick="x">a</p>', "body: not in"),
    ],
)
def test_faults_are_found(old: str, new: str, message: str) -> None:
    name = "2023-01-02-k1.md"
    assert check_post(name, GOOD.encode()) == []
    found = check_post(name, GOOD.replace(old, new).encode())
    assert found
    assert all(re.match(r"[a-z0-9 '-]+: ", fault) for fault in found)
    assert any(re.match(message, fault) for fault in found), found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2023-01-01-k1.md", "name: not the day"),
        ("-k1.md", "name: not portable"),
        ("2023-01-02-a b.md", "name: not portable"),
        ("2023-01-02-con.md", "name: not portable"),
        ("2023-01-02-k1.html", "name: not portable"),
    ],
)
def test_faults_of_names(name: str, message: str) -> None:
    assert [fault[: len(message)] for fault in check_post(name, GOOD.encode())] == [message]


def test_other_faults() -> None:
    assert check_post("2023-01-02-k1.md", GOOD.encode() + b"\xff") == ["utf-8: byte 111 is not"]
    assert check_post("2023-01-02-k1.md", GOOD.replace(" +0800", "").encode(), zone=False) == []
    classy = GOOD.replace("<p>", '<p class="x">').encode()
    assert check_post("2023-01-02-k1.md", classy) == []
    assert check_post("2023-01-02-k1.md", classy, markup=Markup()) == ["body: not in the writer's form"]
    with pytest.raises(PostError, match="front matter: not a mapping"):
        read_post(b"---\n- a\n---\n")


@given(st.binary(max_size=300))
def test_nothing_but_a_post_error_comes_of_reading(data: bytes) -> None:
    for text in (data, b"---\n" + data, GOOD.encode()[:70] + data + GOOD.encode()[70:]):
        with contextlib.suppress(PostError):
            read_post(text)
