"""Addresses: one canonical form, and one key for all copies of an article."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.urls import canonical, key_of, shared_form


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("HTTP://News.Example:80/a", "http://news.example/a"),
        ("https://news.example:443/a", "https://news.example/a"),
        ("https://news.example:80/a", "https://news.example:80/a"),
        ("https://news.example", "https://news.example/"),
        ("https://news.example/a#part", "https://news.example/a"),
        ("https://news.example/a?b=2&a=1", "https://news.example/a?a=1&b=2"),
        ("https://news.example/a?id=7&utm_source=x&UTM_Medium=y&fbclid=z", "https://news.example/a?id=7"),
        ("https://news.example/a?utm_source=x", "https://news.example/a"),
        ("https://news.example/a?spm=1&from_source=2&share_token=3&gclid=4&mc_cid=5", "https://news.example/a"),
        ("https://news.example/a?from=2", "https://news.example/a?from=2"),
        ("https://news.example/a?page=", "https://news.example/a?page="),
        ("https://news.example/A/B.HTML", "https://news.example/A/B.HTML"),
        ("https://news.example/%b9%fa?q=%B9%FA", "https://news.example/%B9%FA?q=%B9%FA"),
        ("https://News:Secret@news.example:443/a", "https://News:Secret@news.example/a"),
        ("https://新闻.example/a", "https://xn--efvy88h.example/a"),
    ],
)
def test_canonical_form(url: str, form: str) -> None:
    assert canonical(url) == form
    assert canonical(form) == form


COPIES = [
    "https://www.news.example/2024/storm-hits-coast.html",
    "http://news.example/2024/storm-hits-coast.html",
    "https://m.news.example/2024/storm-hits-coast.html",
    "https://amp.news.example/2024/storm-hits-coast.html",
    "https://wap.news.example/2024/storm-hits-coast.html",
    "https://www.news.example/amp/2024/storm-hits-coast.html",
    "https://www.news.example/2024/storm-hits-coast.html/amp",
    "https://www.news.example/2024/storm-hits-coast.html/amp/",
    "https://www.news.example/2024/storm-hits-coast.amp.html",
    "https://www.news.example/print/2024/storm-hits-coast.html",
    "https://www.news.example/2024/storm-hits-coast.html?print=1",
    "https://www.news.example/2024/storm-hits-coast.html?amp",
    "https://www.news.example/2024/storm-hits-coast.html?amp=1&utm_campaign=evening",
    "https://www.news.example/2024/storm-hits-coast.html?output=amp",
    "https://www.news.example/2024/storm-hits-coast.html?view=mobile#comments",
    "https://www.news.example/2024/storm-hits-coast.html/?utm_source=letter",
    "https://WWW.NEWS.EXAMPLE:443/2024/storm-hits-coast.html",
]


@pytest.mark.parametrize("url", COPIES)
def test_copies_of_an_article_have_one_key(url: str) -> None:
    form = "news.example/2024/storm-hits-coast.html"
    assert shared_form(url) == form
    assert key_of(url) == key_of(COPIES[0])


def test_the_key_without_patterns_is_the_last_part_and_a_hash() -> None:
    assert key_of(COPIES[0]) == "storm-hits-coast-2493c1c9"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.news.example/2024/storm-hits-coast-2.html",
        "https://www.news.example/2023/storm-hits-coast.html",
        "https://www.news.example/2024/storm-hits-coast.html?page=2",
        "https://www.other.example/2024/storm-hits-coast.html",
        "https://sport.news.example/2024/storm-hits-coast.html",
        "https://www.news.example/2024/storm-hits-coast.html?view=full",
        "https://www.news.example/2024/Storm-hits-coast.html",
        "https://www.news.example/ample/2024/storm-hits-coast.html",
    ],
)
def test_other_articles_have_other_keys(url: str) -> None:
    assert key_of(url) != key_of(COPIES[0])


def keyed(url: str, *patterns: str) -> str:
    return key_of(url, [re.compile(pattern) for pattern in patterns])


def test_patterns_name_the_site_s_own_id() -> None:
    assert keyed("https://news.example/a/123.html", r"/a/(\d+)") == "123"
    assert keyed("https://news.example/a/123.html", r"\d+") == "123"
    assert keyed("https://news.example/old,123.htm", r"/a/(\d+)", r",(\d+)\.htm") == "123"
    assert keyed("https://news.example/a/1/b/2", r"/a/(\d+)", r"/b/(\d+)") == "1"  # the first that fits
    assert keyed("https://news.example/about", r"/a/(\d+)") == ""
    assert keyed("", r".*") == ""
    assert key_of("") == ""


def test_a_pattern_whose_group_took_no_part_does_not_fit() -> None:
    assert keyed("https://news.example/b/2", r"/a/(\d+)|/b/\d+", r"/b/(\d+)") == "2"
    assert keyed("https://news.example/b/2", r"/a/(\d+)|/b/\d+") == ""


def test_no_name_makes_a_key_all_the_same() -> None:
    assert re.fullmatch(r"article-[0-9a-f]{8}", key_of("https://news.example/"))
    assert re.fullmatch(r"article-[0-9a-f]{8}", key_of("https://news.example/新闻/"))
    assert re.fullmatch(r"20-off-[0-9a-f]{8}", key_of("https://news.example/20%25%20off.php"))
    assert re.fullmatch(r"a{60}-[0-9a-f]{8}", key_of("https://news.example/" + "a" * 300))


@pytest.mark.parametrize(
    "url", ["http://[", "http://a.example:99999/", "http://a.example:x/", "http://a.example/\ud800"]
)
def test_what_is_no_address_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError):
        canonical(url)
    with pytest.raises(ValueError):
        key_of(url)
    assert keyed(url, r"^https?://.") == url[:8]  # a pattern looks at the text alone


ADDRESSES = st.builds(
    lambda host, path, query: f"https://{host}/{path}?{query}#x",
    st.sampled_from(["news.example", "www.news.example", "m.news.example:8080", "NEWS.example:443"]),
    st.text("abAB01/._-%~;,é新 ", max_size=30),
    st.text("abutm_=&%+é新1", max_size=30),
)


@settings(max_examples=300, deadline=None)
@given(ADDRESSES)
def test_canonical_form_is_stable(url: str) -> None:
    assert canonical(canonical(url)) == canonical(url)
    assert key_of(canonical(url)) == key_of(url)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text(max_size=40).map(lambda rest: f"http://{rest}") | ADDRESSES)
def test_a_key_is_safe_or_the_address_is_none(url: str) -> None:
    with suppress(ValueError):
        key = key_of(url)
        assert re.fullmatch(r"([A-Za-z0-9_-]{1,60}-[0-9a-f]{8})?", key)
        assert bool(key) == bool(url)
        assert key_of(url) == key


def test_a_section_called_mobile_is_no_copy() -> None:
    assert key_of("https://a.example/mobile/review-one") != key_of("https://a.example/print/review-one")
    assert key_of("https://a.example/amp/2026/03/story") == key_of("https://a.example/2026/03/story")
    assert key_of("https://a.example/2026/story/amp") == key_of("https://a.example/2026/story")


@pytest.mark.parametrize(
    "address",
    [
        "https://daily.example/a/1.html?PHPSESSID=0123456789abcdef",
        "https://daily.example/a/1.html;jsessionid=0A1B2C3D",
        "https://daily.example/a/1.html;sid=0A1B2C3D?session_id=7",
        "https://daily.example/(S(abcdefghijklmnopqrstuvwx))/a/1.html",
    ],
)
def test_session_ids_make_no_new_key(address: str) -> None:
    assert canonical(address) == "https://daily.example/a/1.html"
    assert key_of(address) == key_of("https://daily.example/a/1.html")


def test_a_storys_id_is_no_session() -> None:
    assert key_of("https://daily.example/article?sid=1") != key_of("https://daily.example/article?sid=2")
