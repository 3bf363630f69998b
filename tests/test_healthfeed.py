"""The archive's health feed: what goes in comes out, only changes are news, and the pages link to it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from crawler.archive.site import new_site
from crawler.healthfeed import Event, changes, feed, read, update
from crawler.site import Site

SITE = Site(title='Harbour "News" & <Sons>', url="https://archive.example", baseurl="/kept", timezone="UTC")
AT = "2026-03-02T10:00:00Z"
ids = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True) | st.text(
    st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=8
)
words = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="\ufffe\uffff"), max_size=60)
events = st.builds(Event, ids, st.just(AT), words.map(str.strip))


@given(st.lists(events, min_size=1, max_size=8))
def test_what_goes_in_comes_out(given_events: list[Event]) -> None:
    data = feed(SITE, given_events)
    assert read(data) == given_events
    assert feed(SITE, read(data)) == data


@given(st.text(max_size=80))
def test_any_reason_makes_a_feed_that_can_be_read(reason: str) -> None:
    root = etree.fromstring(feed(SITE, [Event("harbour", AT, reason)]))
    assert root.findtext("{*}id") == "https://archive.example/kept/health.xml"
    assert root.findtext("{*}title") == 'Harbour "News" & <Sons>: health'
    for one in (root, *root.findall("{*}entry")):
        assert all(one.find(f"{{*}}{name}") is not None for name in ("id", "title", "updated")), "as RFC 4287 asks"


@pytest.mark.parametrize(
    "data", [b"", b"<feed", b"<a/>", b"\xff\xfe", b"<feed xmlns='http://www.w3.org/2005/Atom'><entry/></feed>"]
)
def test_a_feed_that_cannot_be_read_is_begun_anew(data: bytes) -> None:
    assert read(data) == []


def test_only_changes_are_news(tmp_path: Path) -> None:
    update(tmp_path, SITE, {"harbour": "", "quay": ""}, AT)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".health.xml.1.ab.tmp").write_bytes(b"of a killed run")
    update(tmp_path, SITE, {"harbour": "no such host", "quay": ""}, AT)
    first = (tmp_path / "health.xml").read_bytes()
    update(tmp_path, SITE, {"harbour": "connection refused", "quay": ""}, "2026-03-03T10:00:00Z")
    update(tmp_path, SITE, {"quay": ""}, "2026-03-04T10:00:00Z")
    assert (tmp_path / "health.xml").read_bytes() == first, "broken since its first failure"
    update(tmp_path, SITE, {"harbour": ""}, "2026-03-05T10:00:00Z")
    assert [(one.at[:10], one.reason) for one in read((tmp_path / "health.xml").read_bytes())] == [
        ("2026-03-05", ""),
        ("2026-03-02", "no such host"),
    ]
    assert changes(read((tmp_path / "health.xml").read_bytes()), {"harbour": ""}, AT) == []
    assert [one.name for one in tmp_path.iterdir()] == ["health.xml"]


@pytest.mark.jekyll
@pytest.mark.skipif(shutil.which("jekyll") is None, reason="jekyll is not installed")
@pytest.mark.parametrize("troubled", [True, False])
def test_the_pages_link_to_it(tmp_path: Path, troubled: bool) -> None:
    site = tmp_path / "site"
    new_site(site, title="Archive", url="https://archive.example", timezone="UTC", language="en", baseurl="/kept")
    update(site, SITE, {"harbour": "no such host" if troubled else ""}, AT)
    build = ["jekyll", "build", "--source", str(site), "--destination", str(tmp_path / "built"), "--quiet"]
    subprocess.run(build, check=True, capture_output=True, timeout=120, cwd=tmp_path)
    page = (tmp_path / "built/index.html").read_text("utf-8")
    assert ('title="Archive: health" href="/kept/health.xml"' in page) == troubled
    assert (tmp_path / "built/health.xml").exists() == troubled
    if troubled:
        assert (tmp_path / "built/health.xml").read_bytes() == (site / "health.xml").read_bytes()
