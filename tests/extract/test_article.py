"""Any news page read whole: every field with its evidence, the same from bytes and text, and never an exception."""

from __future__ import annotations

import gc
import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract import Extracted, extract
from crawler.extract.body import fingerprint
from crawler.extract.facts import Facts
from crawler.extract.kind import KINDS
from crawler.extract.page import Page

URL = "https://www.gazette.example/2024/harbour"
TITLE = "Harbour closed after a night of storms"
LINES = [
    f"On day {n} of the storm the harbour stayed closed, and the boats that lay in it stayed where they were, the "
    f"café said. Nobody was hurt, but {n + 3} roofs were blown off, and the ferry will not sail before Monday."
    for n in range(1, 5)
]
THING = {
    "@context": "https://schema.org", "@type": "NewsArticle", "headline": TITLE,
    "datePublished": "2024-03-03T08:30:00+01:00", "dateModified": "2024-03-04T09:00:00+01:00",
    "author": {"@type": "Person", "name": "Ida Marsh"},
    "publisher": {"@type": "Organization", "name": "Shore Gazette"}, "image": ["/lead.jpg"],
}  # fmt: skip
HTML = f"""<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>{TITLE} | Shore Gazette</title>
<script type="application/ld+json">{json.dumps(THING)}</script></head><body><nav><a href="/">Home</a></nav><main>
<article><h1>{TITLE}</h1><p class="byline">By Ida Marsh</p><figure><img src="/boats.jpg" alt="Boats"></figure>
<div class="article-body"><p>{LINES[0]} <a href="/more">More</a></p>{"".join(f"<p>{line}</p>" for line in LINES[1:])}
<p>Source: Coast News Agency</p></div></article></main><footer><p>Imprint</p></footer></body></html>"""
FIELDS = {"kind", "title", "body", "published", "modified", "authors", "attribution", "publisher", "language", "image"}


def test_every_field() -> None:
    told = extract(HTML, URL)
    assert (told.url, told.kind, told.title) == (URL, "article", TITLE)
    assert told.text.split("\n")[: len(LINES)] == [f"{LINES[0]} More", *LINES[1:]]
    assert str(told.published) == "2024-03-03T08:30:00+01:00"
    assert str(told.modified) == "2024-03-04T09:00:00+01:00"
    assert told.authors == ("Ida Marsh",)
    assert told.attribution is not None
    assert told.attribution.raw == "Coast News Agency"
    assert (told.publisher, told.language) == ("Shore Gazette", "en-gb")
    assert told.image == "https://www.gazette.example/lead.jpg"
    assert told.body.startswith(
        '<figure><img src="https://www.gazette.example/boats.jpg" alt="Boats"></figure>\n<p>On day 1'
    )
    assert '<a href="https://www.gazette.example/more">More</a>' in told.body
    assert list(told.fingerprints)[1] == fingerprint(LINES[1])


def test_each_field_has_its_evidence() -> None:
    told = extract(HTML, URL)
    assert set(told.evidence) == FIELDS
    for name, choice in told.evidence.items():
        value = told.text if name == "body" else getattr(told, name)
        assert choice.value == value, name
        assert choice.taken is not None
        assert choice.taken.rule
        assert all(candidate.reason for candidate in choice.rejected if name not in ("publisher", "language", "image"))
    assert told.evidence["body"].taken is not None
    assert told.evidence["body"].taken.path.endswith("/div")


def test_bytes_and_text_give_the_same() -> None:
    assert extract(HTML.encode(), URL) == extract(HTML, URL) == extract(Page(HTML.encode(), URL))
    latin = HTML.replace("utf-8", "iso-8859-1")
    assert extract(latin.encode("iso-8859-1"), URL) == extract(latin, URL)


def test_an_encoding_that_is_given_is_taken_and_one_that_is_none_is_refused() -> None:
    silent = HTML.replace('<meta charset="utf-8">', "").replace("é", "ж")
    assert "caf" in extract(silent.encode("cp1251"), URL, encoding="cp1251").text
    assert extract(silent.encode("cp1251"), URL, encoding="cp1251").text == extract(silent, URL).text
    with pytest.raises(LookupError):
        extract(b"<p>one</p>", URL, encoding="no-such-encoding")


def test_a_language_that_is_given_wins() -> None:
    told = extract(HTML, URL, language="EN-ZA")
    assert told.language == "en-za"
    assert told.evidence["language"].rejected[0].value == "en-gb"
    assert extract(HTML.replace(' lang="en-GB"', ""), URL).language == ""


def test_what_a_crawler_knows_makes_it_better() -> None:
    bare = HTML.replace(json.dumps(THING), "{}").replace("By Ida Marsh", "3 March 2024, 08:30")
    zoned = extract(bare, URL, zone=ZoneInfo("Europe/London"))
    assert str(zoned.published) == "2024-03-03T08:30:00+00:00"
    assert extract(bare, URL, not_after=datetime(2023, 1, 1, tzinfo=UTC)).published is None
    kept = extract(HTML, URL).text.split("\n")
    assert extract(HTML, URL, repeated=[fingerprint(LINES[2])]).text.split("\n") == [x for x in kept if x != LINES[2]]
    other = HTML.replace(f"<h1>{TITLE}</h1>", "").replace(json.dumps(THING), "{}")
    siblings = ["Ferry sails again | Shore Gazette", "Otters seen in the pond | Shore Gazette"]
    assert extract(other, URL, siblings=siblings).title == TITLE


def test_a_page_whose_article_is_in_a_script() -> None:
    state = json.dumps({"story": {"headline": TITLE, "body": [{"type": "paragraph", "text": line} for line in LINES]}})
    head = f"<title>{TITLE}</title>"
    told = extract(
        f"<html><head>{head}</head><body><div id=app>Loading</div><script>x = {state}</script></body></html>", URL
    )
    assert told.text.split("\n") == LINES
    assert told.body == "".join(f"<p>{line}</p>\n" for line in LINES)
    taken = told.evidence["body"].taken
    assert (told.kind, taken and taken.rule) == ("article", "script:state")
    paid = '<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": false}</script>'
    walled = extract(
        f"<html><head>{head}{paid}</head><body><p>A teaser.</p><script>x = {state}</script></body></html>", URL
    )
    assert (walled.kind, LINES[0] in walled.text) == ("paywall", False)


@pytest.mark.parametrize(
    "html", [b"", b" ", b"<", b"\x00", b"<html></html>", b"\xff\xfe", b"{}", b"%PDF-1.4", "\ud800", "\ufeff"]
)
def test_a_page_that_says_nothing_is_empty(html: bytes | str) -> None:
    told = extract(html, URL)
    assert (told.kind, told.body, told.authors, told.published, told.evidence["body"].taken is None) == (
        "empty", "", (), None, told.text == "",
    )  # fmt: skip


@pytest.mark.parametrize("url", ["", "x", "http://[", "https://", "//a", "https://ex\u00e4mple.example/\ud800"])
def test_any_address_is_borne(url: str) -> None:
    assert extract(HTML, url).title == TITLE


CUTS = st.tuples(st.integers(0, len(HTML)), st.integers(0, 300), st.sampled_from(
    (b"", b"<", b">", b'"', b"\x00", b"\xff\xfe", b"</div>", b"<div>" * 300, b"<script>", b"<!--", b"&#0;", b"<svg>",
     b"]]>", b"<plaintext>", b"\xe5\x9b", b"<base href='http://['>",
     b'<time datetime="9999999999999">', b"{" * 50, b"<table>")
))  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(CUTS, min_size=1, max_size=6))
def test_a_mangled_page_never_raises(cuts: list[Any]) -> None:
    page = HTML.encode()
    for at, length, instead in cuts:
        page = page[:at] + instead + page[at + length :]
    told = extract(page, URL)
    assert isinstance(told, Extracted)
    assert told.kind in KINDS
    assert "<script" not in told.body
    told.body.encode()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_and_no_text_raise(page: bytes | str) -> None:
    assert extract(page, URL).kind in KINDS


def test_the_publisher_and_the_image_come_from_whoever_states_them() -> None:
    def said(head: str) -> tuple[str, str]:
        told = extract(f"<html><head>{head}</head><body><p>{LINES[0]}</p></body></html>", URL)
        return told.publisher, told.image

    assert said("") == ("gazette.example", "")
    assert said('<meta property="og:site_name" content="Gazette"><meta property="og:image" content="/a.jpg">') == (
        "Gazette",
        "https://www.gazette.example/a.jpg",
    )
    assert said('<meta name="twitter:image" content="javascript:x">') == ("gazette.example", "")
    assert Facts(Page(b"", URL)).host == "gazette.example"


def test_a_page_is_gone_with_the_last_that_holds_it() -> None:
    """Nothing of it points in a circle, which would keep its tree until the garbage collector comes by."""
    extract(HTML, URL)  # what is made once for all pages
    gc.collect()
    gc.disable()
    try:
        extract(HTML, URL)
        assert gc.collect() == 0
    finally:
        gc.enable()
