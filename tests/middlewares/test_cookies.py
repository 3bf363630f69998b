"""Whose cookies go where: a jar for each source, none for a whole public suffix, nothing but what was asked for."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response

from crawler.middlewares.cookies import CookieJars


def visit(jars: CookieJars, address: str, said: str, source: str = "harbour") -> None:
    """An answer that sets a cookie."""
    request = Request(address, meta={"source": source})
    jars.process_request(request)
    jars.process_response(request, Response(address, headers={"Set-Cookie": said}))


def sent(jars: CookieJars, address: str, source: str = "harbour", **meta: Any) -> str:
    """What goes with a request."""
    request = Request(address, meta={"source": source, **meta})
    jars.process_request(request)
    return (request.headers.get("Cookie") or b"").decode()


@pytest.mark.parametrize(
    ("domain", "elsewhere", "kept"),
    [
        ("", "https://other.daily.co.uk/", False),
        ("daily.co.uk", "https://other.daily.co.uk/", True),
        (".daily.co.uk", "https://other.daily.co.uk/", True),
        ("co.uk", "https://evil.co.uk/", False),
        (".co.uk", "https://evil.co.uk/", False),
        ("uk", "https://evil.co.uk/", False),
        ("evil.co.uk", "https://evil.co.uk/", False),
        ("daily.co.uk.", "https://other.daily.co.uk/", False),
    ],
)
def test_a_cookie_for_a_public_suffix_is_none(domain: str, elsewhere: str, kept: bool) -> None:
    jars = CookieJars(["harbour"])
    visit(jars, "https://www.daily.co.uk/a", f"pass=1; Path=/{f'; Domain={domain}' if domain else ''}")
    assert bool(sent(jars, elsewhere)) is kept


def test_the_suffix_of_a_hosting_service_is_public_too() -> None:
    jars = CookieJars(["harbour"])
    visit(jars, "https://daily.github.io/a", "pass=1; Domain=github.io")
    assert sent(jars, "https://evil.github.io/") == ""
    visit(jars, "https://daily.github.io/a", "pass=2")
    assert sent(jars, "https://daily.github.io/b") == "pass=2"


def test_two_sources_share_no_jar() -> None:
    """Also of one host."""
    jars = CookieJars(["harbour", "quay"])
    visit(jars, "https://daily.example/a", "pass=harbour")
    assert sent(jars, "https://daily.example/b", "quay") == ""
    visit(jars, "https://daily.example/a", "pass=quay", "quay")
    assert sent(jars, "https://daily.example/b") == "pass=harbour"
    assert sent(jars, "https://daily.example/b", "quay") == "pass=quay"


def test_a_source_that_wants_none_keeps_and_sends_none() -> None:
    jars = CookieJars(["harbour"])
    visit(jars, "https://daily.example/a", "pass=1", "quay")
    assert sent(jars, "https://daily.example/b", "quay") == ""
    assert sent(jars, "https://daily.example/b") == ""


def test_robots_txt_is_asked_without() -> None:
    jars = CookieJars(["harbour"])
    visit(jars, "https://daily.example/a", "pass=1")
    assert sent(jars, "https://daily.example/robots.txt", dont_merge_cookies=True) == ""
