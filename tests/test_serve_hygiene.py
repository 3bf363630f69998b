"""Posts of any hand as the reader shows them: clean, and without images of other hosts unless they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from crawler.archive.reader import Post
from crawler.render.posts import content_of
from crawler.serve.hygiene import harmless, without_foreign_images

HOME = "https://archive.example/news"
FAR = "https://cdn.example/p.png"
LINK = f'<a class="image" href="{FAR}">Image'
PAGE = '<a href="https://x.example/">'


def post(body: str, *back: tuple[str, str]) -> Post:
    date = datetime(2026, 3, 10, tzinfo=UTC)
    return Post(title="x", date=date, categories=("c",), tags=(), fields={}, body=body, back=back)


def shown(body: str, picture: str = "Image") -> str:
    return harmless(post(body), HOME, picture).body


@pytest.mark.parametrize(
    ("body", "comes_out"),
    [
        (f'<p>a <img src="{FAR}" alt="A &lt;pier&gt;"> b</p>', f"<p>a {LINK} A &lt;pier&gt;</a> b</p>"),
        (f'<p><img src="{FAR}"></p>', f"<p>{LINK}</a></p>"),
        (
            f'<p>{PAGE}<img src="{FAR}" alt="b"></a> <img src="{FAR}"></p>',
            f'<p>{PAGE}<span class="image">Image b</span></a> {LINK}</a></p>',
        ),
        ('<p><img src="/news/images/c.png" alt="c"></p>', '<p><img src="/news/images/c.png" alt="c" /></p>'),
        ('<p><img src="images/c.png"></p>', '<p><img src="/news/images/c.png" /></p>'),
        (f'<p><a href="{HOME}/category/c.html">c</a></p>', '<p><a href="/news/category/c.html">c</a></p>'),
        (
            '<p><img src="https://archive.example//far.example/p.png"></p>',
            '<p><a class="image" href="https://archive.example//far.example/p.png">Image</a></p>',
        ),
        ("<p>a<script>alert(1)</script></p>", "<p>a</p>"),
        ('<p onclick="x">a</p>', "<p>a</p>"),
    ],
)
def test_what_becomes_of_a_body(body: str, comes_out: str) -> None:
    assert shown(body) == comes_out


def test_images_stay_where_they_are_asked_for() -> None:
    assert shown(f'<p><img src="{FAR}"></p>', "") == f'<p><img src="{FAR}"></p>'


@pytest.mark.parametrize("home", [HOME, ""])
@pytest.mark.parametrize("host", ["", "https://archive.example"])
@pytest.mark.parametrize("far", ["//far.example/p.png", "/\\far.example/p.png"])
def test_no_path_is_the_address_of_a_host(far: str, host: str, home: str) -> None:
    body = harmless(post(f'<p><img src="{host}{far}"> <a href="{host}{far}">a</a></p>'), home, "Image").body
    tree = html.fromstring(body)
    assert [one for one in tree.iter() if not str(one.get("src", "/%5C")).startswith("/%5C")] == []
    assert "<img" not in without_foreign_images('<p><img src="//far.example/p.png" /></p>', "Image")
    if home:
        assert not [one for one in tree.iter() if str(one.get("href", "")).startswith(("//", "/\\"))]


def test_links_back_lead_to_pages() -> None:
    back = [
        ("a", "/x"),
        ("b", "https://x.example/"),
        ("c", "javascript:x"),
        ("d", "JaVaScRiPt:x"),
        ("e", "data:x"),
        ("f", "//["),
    ]
    assert [label for label, _ in harmless(post("", *back), HOME).back] == ["a", "b"]


LOADED = "href", "src", "srcset", "background"
PIECES = [
    *(
        "<p>",
        "</p>",
        "<a href='https://x.example/'>",
        "</a>",
        f'<img src="{FAR}" alt="&quot;><script>">',
        "text & <",
        "\n\n",
    ),
    *(
        "<script>x</script>",
        "<img src=x onerror=y>",
        "<svg onload=x>",
        "<style>a{}</style>",
        "<div style='x:y'>",
        "<table>",
        "<td>",
    ),
    *(
        "<iframe src=https://x.example>",
        "<math>",
        "<noscript><img src=x>",
        "<!--",
        "-->",
        '"',
        "'",
        "<a href='javascript:x'>",
    ),
    *(
        "<img src='data:image/png;base64,x'>",
        "<base href='https://x.example/'>",
        "<meta http-equiv=refresh>",
        "<object>",
        "<p",
    ),
]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_nothing_runs_and_nothing_of_another_host_is_loaded(body: str) -> None:
    tree = html.fromstring(f"<main>{content_of(harmless(post(body), HOME, 'Image'))}</main>")
    assert {element.tag for element in tree.iter() if isinstance(element.tag, str)}.isdisjoint(
        {"script", "style", "iframe", "object", "embed", "svg", "math", "form", "base", "meta", "link", "noscript"}
    )
    assert tree.xpath("//@*[starts-with(name(), 'on')]") == []
    addresses = {name: [element.get(name) or "" for element in tree.iter() if element.get(name)] for name in LOADED}
    assert not any(address.startswith("http") for name in LOADED[1:] for address in addresses[name])
    assert all(address.startswith(("http", "/", "mailto:", "tel:")) for address in addresses["href"])
