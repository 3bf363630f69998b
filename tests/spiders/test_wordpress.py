"""WordPress by its REST interface: what is asked, what an answer says of a post, and where a walk ends."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.days import Days
from crawler.extract.page import NotJson, Page
from crawler.lists import WordpressList
from crawler.sources import load_source
from crawler.yamlfile import SettingsError
from spiders.wordpress import WordpressWalk

URL = "https://bay.example/wp-json/wp/v2/posts?per_page=100&orderby=date&order=desc&_embed=author,wp:term&page=1"
TODAY = Days(date(2026, 5, 1), date(2026, 5, 1))
SOURCE = """
id: bay
name: Bay
home: https://bay.example/
language: en
timezone: Asia/Shanghai
example: https://bay.example/2026/ferry/
lists:
  - {kind: wordpress, urls: '%s'%s}
"""


def walk(folder: Path, more: str = "", window: Days | None = None, url: str = "https://bay.example") -> WordpressWalk:
    path = folder / "bay.yml"
    path.write_text(SOURCE % (url, f", {more}" if more else ""), "utf-8")
    source = load_source(path)
    (one,) = source.lists
    assert isinstance(one, WordpressList)
    return WordpressWalk(source, one, window)


def post(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A record of an invented post, as WordPress writes it."""
    terms = [
        [{"taxonomy": "post_tag", "name": "boats"}],
        [{"taxonomy": "category", "name": "Port &amp; Sea"}, {"taxonomy": "category", "name": "News"}],
    ]
    return {
        "id": number,
        "date": "2026-03-02T16:00:00",
        "date_gmt": "2026-03-02T08:00:00",
        "link": f"https://bay.example/2026/ferry-{number}/",
        "title": {"rendered": "Pete&#8217;s ferry &#038; <em>pier</em>"},
        "content": {"rendered": "<p>It sails <b>again</b>.</p>\n", "protected": False},
        "excerpt": {"rendered": "<p>Back at sea.</p>\n", "protected": False},
        "_embedded": {"author": [{"name": "Ada Quay"}, {"name": "Ben Mole"}], "wp:term": terms},
        **changes,
    }


def answer(value: Any, url: str = URL) -> Page:
    return Page(json.dumps(value).encode(), url)


def hints(walk: WordpressWalk, **changes: Any) -> dict[str, str]:
    (entry,) = walk.read(answer([post(**changes)])).entries
    return entry.hints


def test_a_post(tmp_path: Path) -> None:
    assert hints(walk(tmp_path)) == {
        "url": "https://bay.example/2026/ferry-1/",
        "code": "1",
        "title": "Pete’s ferry & pier",
        "published": "2026-03-02T08:00:00Z",
        "byline": "Ada Quay\nBen Mole",
        "digest": "Back at sea.",
        "section": "Port & Sea",
        "content": "<p>It sails <b>again</b>.</p>",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"content": {"rendered": "<p>Password:</p>", "protected": True}},
        {"content": {"rendered": " <p></p>"}},
        {"content": "x"},
        {"title": {"rendered": ""}},
        {"date_gmt": None, "date": None},
    ],
    ids=["protected", "empty", "no-object", "no-title", "no-date"],
)
def test_the_page_is_asked_where_something_is_wanting(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert "content" not in hints(walk(tmp_path), **changes)


def test_the_page_is_asked_where_that_is_wished(tmp_path: Path) -> None:
    assert "content" not in hints(walk(tmp_path, "content: false"))


def test_fields_that_are_not_there(tmp_path: Path) -> None:
    bare = {"_embedded": None, "excerpt": {"rendered": "<p>It sails again, said [&hellip;]</p>"}}
    said = hints(walk(tmp_path), date_gmt="0000-00-00T00:00:00", **bare)
    assert set(said) == {"url", "code", "title", "published", "content"}
    assert said["published"] == "2026-03-02T16:00:00"
    odd = {"author": [None, {"name": None}], "wp:term": [None, [None, {"taxonomy": "category"}]]}
    assert "byline" not in hints(walk(tmp_path), _embedded=odd)


def test_records_that_are_none_cost_no_other(tmp_path: Path) -> None:
    listing = walk(tmp_path).read(answer([None, post(1), post(2, link=None), post(3)]))
    assert [entry.hints["code"] for entry in listing.entries] == ["1", "3"]
    assert listing.problems == ["no key in 'empty record'", "no key in 'Pete’s ferry & pier'"]
    chosen = walk(tmp_path, "links: ferry-3/").read(answer([post(1), post(3)]))
    assert [entry.hints["code"] for entry in chosen.entries] == ["3"]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("https://bay.example", "https://bay.example/wp-json/wp/v2/posts"),
        ("https://bay.example/news/", "https://bay.example/news/wp-json/wp/v2/posts"),
        ("https://bay.example/wp-json/", "https://bay.example/wp-json/wp/v2/posts"),
        ("https://bay.example/?rest_route=/", "https://bay.example/?rest_route=/wp/v2/posts"),
        (
            "https://bay.example/wp-json/wp/v2/posts?categories[]=3&categories[]=4",
            "https://bay.example/wp-json/wp/v2/posts?categories[]=3&categories[]=4",
        ),
    ],
)
def test_addresses(tmp_path: Path, given: str, asked: str) -> None:
    (start,) = walk(tmp_path, url=given).starts(TODAY)
    rest = "per_page=100&orderby=date&order=desc&_embed=author,wp:term&page=1"
    assert start == f"{asked}{'&' if '?' in asked else '?'}{rest}"


def test_a_backfill_asks_for_its_days_by_the_clock_of_the_source(tmp_path: Path) -> None:
    (start,) = walk(tmp_path, window=Days(date(2026, 3, 1), date(2026, 3, 2))).starts(TODAY)
    query = parse_qs(urlsplit(start).query)
    assert (query["after"], query["before"]) == (["2026-02-28T15:59:59Z"], ["2026-03-02T16:00:00Z"])


def test_a_walk_goes_on_after_full_pages(tmp_path: Path) -> None:
    full, short = answer([post(n) for n in range(100)]), answer([post(n) for n in range(99)])
    one = walk(tmp_path)
    assert one.next(full, 1) == URL.removesuffix("1") + "2"
    assert one.next(full, 2) == "", "the depth of a crawl"
    assert walk(tmp_path, window=TODAY).next(full, 40).endswith("&page=41")
    assert one.next(short, 1) == ""
    assert one.lists(full) == []


def test_past_the_last_page_there_is_nothing(tmp_path: Path) -> None:
    past = answer({"code": "rest_post_invalid_page_number", "message": "…", "data": {"status": 400}})
    one = walk(tmp_path)
    assert (one.read(past).entries, one.next(past, 1)) == ([], "")
    assert 400 in one.statuses


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({"code": "rest_no_route", "message": "No route was found"}, "rest_no_route.*No route"),
        ({"posts": []}, "a list of posts was due"),
        ("x", "a list of posts|no JSON"),
    ],
)
def test_what_is_no_list_of_posts(tmp_path: Path, value: Any, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        walk(tmp_path).read(answer(value))
    with pytest.raises(NotJson):
        walk(tmp_path).read(Page(b"<html>", URL))


@pytest.mark.parametrize("more", ["fields: {url: link}", "pages: {template: 'https://bay.example/?p={page}'}"])
def test_the_interface_needs_no_rules(tmp_path: Path, more: str) -> None:
    with pytest.raises(SettingsError, match="the interface is known"):
        walk(tmp_path, more)
