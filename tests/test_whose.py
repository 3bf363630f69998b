"""Whose article an address is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.share import fill
from crawler.sources import Source
from crawler.whose import Whose


def source(name: str, host: str, **changes: Any) -> Source:
    home = f"https://{host}/"
    about: dict[str, Any] = {"id": name, "name": name, "home": home, "language": "en", "timezone": "UTC"}
    about["example"] = f"{home}a/1.html"
    about |= {"lists": [{"kind": "html", "urls": f"{home}news", "links": "/a/"}], "key": {"patterns": [r"/a/(\d+)"]}}
    return Source.model_validate({**about, **changes})


GAZETTE = source("gazette", "www.gazette.example")
SPORT = source("sport", "sport.gazette.example")
BARE = source("bare", "bare.example", key={})
TEXTS = {"address": "https://text.api.example/t?id={key}&v=2", "format": "json"}
ENDPOINT = source("endpoint", "api.example", article=TEXTS, layouts=[{"body": "b", "title": "t", "published": "p"}])
WHOSE = Whose([GAZETTE, SPORT, BARE, ENDPOINT])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.gazette.example/a/12.html", ("gazette", "12")),
        ("http://m.gazette.example/a/12", ("gazette", "12")),
        ("https://money.gazette.example/a/12.html", ("gazette", "12")),
        ("https://sport.gazette.example/a/12.html", ("sport", "12")),
        ("https://www.gazette.example/b/12.html", None),
        ("https://notgazette.example/a/12.html", None),
        ("https://gazette.example.org/a/12.html", None),
        ("https://bare.example/", None),
        ("https://bare.example/news", None),
        ("https://bare.example/news/?utm_source=x", None),
        ("https://text.api.example/t?id=x%2F7&v=2", ("endpoint", "x/7")),
        ("http://text.api.example/t?id=7&v=2", ("endpoint", "7")),
        ("https://text.api.example/t?id=7&v=3", None),
        ("https://api.example/a/7.html", None),
        ("https://[half/a/12", None),
        ("", None),
    ],
)
def test_whose(url: str, expected: tuple[str, str] | None) -> None:
    found = WHOSE.of(url)
    assert (found and (found[0].id, found[1])) == expected
    assert not found or WHOSE.may_be(url)


def test_without_patterns_any_page_but_lists_may_be_an_article() -> None:
    found = WHOSE.of("https://bare.example/2024/one-story")
    assert found is not None
    assert found[0] is BARE
    assert found[1].startswith("one-story-")


def test_of_two_that_fit_the_earlier() -> None:
    twin = source("twin", "www.gazette.example")
    for order in ([GAZETTE, twin], [twin, GAZETTE]):
        found = Whose(order).of("https://www.gazette.example/a/12.html")
        assert found is not None
        assert found[0] is order[0]


@given(st.text(min_size=1, max_size=20))
def test_what_a_template_was_filled_with_comes_back(key: str) -> None:
    url = fill("https://text.api.example/t?id={key}&v=2", {"key": key.encode("utf-8", "replace").decode()})
    found = WHOSE.of(url)
    assert found is not None
    assert found[1] == key.encode("utf-8", "replace").decode()
