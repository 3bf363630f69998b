"""No page takes longer than two seconds, whatever it holds. Sizes are those of pages somebody could serve."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from crawler.extract import extract

_SECONDS = 2.0
"""CPU time of one page at the most."""


def _repeated(piece: str, times: int) -> str:
    """A piece so many times, ``#`` in it the number."""
    return "".join(piece.replace("#", str(number)) for number in range(times))


_PAGES: dict[str, Callable[[], str]] = {
    "100,000 nested divs": lambda: "<div>" * 100_000 + "At the bottom." + "</div>" * 100_000,
    "one line of 20 MB": lambda: "<p>" + "A word on 2 May and more, " * 800_000,
    "50,000 links": lambda: _repeated(
        '<li><a class="author c#" href="/author/a-#">Ada Link the #th of many</a></li>', 50_000
    ),
    "50,000 times": lambda: "<h1>Clocks</h1>" + '<time datetime="2020-01-02T10:00Z">2 January 2020</time>' * 50_000,
    "20,000 structured data": lambda: _repeated(
        '<script type="application/ld+json">{"@type":"NewsArticle","@id":"/#","author":{"@id":"/x"}}</script>', 20_000
    ),
    "2 MB of broken structured data": lambda: (
        f'<script type="application/ld+json">/*{{{chr(34)}a":[,]/*' + '"/*,]' * 390_000
    ),
    "5 MB of a class": lambda: f'<p class="{"author source title date " * 200_000}">A word.</p>',
    "5 MB of a site's name": lambda: f'<meta property="og:site_name" content="{"Mill - Post | " * 360_000}"><h1>A</h1>',
    "5 MB of an address": lambda: f'<link rel="canonical" href="https://mill.example/{"2020/" * 1_000_000}"><h1>A</h1>',
    "100,000 headlines": lambda: "<h1>The mill reopened</h1>" * 100_000,
    "10 MB of blanks": lambda: f"<p>By{' ' * 5_000_000}Source:{' ' * 5_000_000}x",
}


@pytest.mark.parametrize("name", _PAGES)
def test_no_page_takes_long(name: str) -> None:
    html = _PAGES[name]().encode()
    start = time.thread_time()
    extract(html, "https://mill.example/a")
    assert time.thread_time() - start < _SECONDS
