"""Posts that somebody else has written, read leniently: for showing and handing on."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.post import write_post
from crawler.archive.reader import PostError, read_any, read_post
from crawler.archive.style import BackLink, PostStyle
from crawler.items import Article
from tests.shared import SHARED, needs_shared

FRONT = "layout: post\ntitle: Ferry\ndate: 2026-03-01 12:30:00 +0800\ncategories: ferry\n"
GOOD = f"---\n{FRONT}---\n<p>It sails.</p>\n"
NOON = datetime(2026, 3, 1, 12, 30)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"\n\n{GOOD}",
        f"\ufeff{GOOD}",
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("---\n", "--- \n"),
        GOOD.replace("---\n<", "...\n<"),
    ],
    ids=["as it should be", "blank lines before", "byte order mark", "CR LF", "blanks behind", "dots at the end"],
)
def test_what_stands_around_the_front_matter(text: str) -> None:
    assert read_any(text.encode()) == read_post(GOOD.encode())


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("date: 2026-03-01 12:30:00", NOON),
        ("date: 2026-03-01T12:30:00Z", NOON.replace(tzinfo=UTC)),
        ('date: "2026-03-01 12:30 +0800"', NOON.replace(tzinfo=timezone(timedelta(hours=8)))),
        ("date: 2026-03-02", datetime(2026, 3, 2)),
        ("date: soon", datetime(2026, 3, 9)),
        ("date:", datetime(2026, 3, 9)),
    ],
)
def test_the_day_is_told_by_the_front_matter_or_by_the_name(line: str, moment: datetime) -> None:
    text = GOOD.replace("date: 2026-03-01 12:30:00 +0800", line).encode()
    assert read_any(text, "2026-03-09-ferry.md").date == moment
    if moment.day == 9:
        with pytest.raises(PostError, match="date: none"):
            read_any(text, "ferry.md")


@pytest.mark.parametrize(
    ("front", "title", "categories", "tags"),
    [
        (
            'title: "The "Gull" sails"\ncategories: a b\ntags: [x, y z]',
            'The "Gull" sails',
            ("a", "b"),
            ("[x,", "y", "z]"),
        ),
        ('title: "Gull" sails', '"Gull" sails', (), ()),
        ("title: Ferry\ncategory: two words\ncategories: lost", "Ferry", ("two words",), ()),
        ("title: 2026\ncategories: [1, a]\ntags: 3", "2026", ("1", "a"), ("3",)),
        ("", "the-ferry", (), ()),
    ],
    ids=["no YAML", "quotes that are its own", "one category", "numbers", "nothing"],
)
def test_headline_and_labels(front: str, title: str, categories: tuple[str, ...], tags: tuple[str, ...]) -> None:
    post = read_any(f"---\n{front}\n---\n".encode(), "2026-03-01-the-ferry.md")
    assert (post.title, post.categories, post.tags) == (title, categories, tags)


@pytest.mark.parametrize(
    ("content", "digest", "body"),
    [
        ("It sails.", "It sails.", ""),
        ("It sails.\n\n<p>Today.</p>", "It sails.", "<p>Today.</p>"),
        (
            "# Ferry\n \nIt *sails* &amp; <b>how</b>.\n\n<p>Today.</p>",
            "",
            "<p># Ferry</p>\n<p>It *sails* &amp; &lt;b&gt;how&lt;/b&gt;.</p>\n<p>Today.</p>",
        ),
    ],
)
def test_markdown_becomes_plain_paragraphs(content: str, digest: str, body: str) -> None:
    post = read_any(f"---\n{FRONT}---\n\n{content}\n\n<https://a.example/1>\n".encode())
    assert (post.digest, post.body, post.link) == (digest, body, "https://a.example/1")


@pytest.mark.parametrize(
    "text", ["", "no post", "---\n---\n", "---\ntitle: Ferry\n---\n", "---\ndate: 2026-03-01\n---\n"]
)
def test_what_is_no_post_at_all(text: str) -> None:
    with pytest.raises(PostError):
        read_any(text.encode())


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1).filter(str.strip),
    st.sampled_from(["", "> ", "text"]),
    st.booleans(),
)
def test_a_post_of_ours_is_read_as_ever(text: str, quote: str, back: bool) -> None:
    style = PostStyle(
        fields=("source", "digest"),
        quote={"> ": "quote"}.get(quote, quote),
        gap="\n",
        back=(BackLink(label="[home]", href="/"),) if back else (),
    )
    article = Article(source="harbour", space="harbour", key="1", url="https://harbour.example/1", title=text)
    article.published, article.category, article.tags, article.digest = NOON.replace(tzinfo=UTC), "ferry", (text,), text
    article.body, article.link = "<p>a</p>\n <p>b</p>", "https://harbour.example/1"
    data = write_post(article, style)
    assert read_any(data) == read_post(data)


@given(st.binary(max_size=300))
def test_nothing_but_a_post_error_comes_of_reading(data: bytes) -> None:
    for text in (data, b"---\n" + data, GOOD.encode()[:12] + data + GOOD.encode()[12:], GOOD.encode() + data):
        with contextlib.suppress(PostError):
            read_any(text, "2026-03-01-a.md")


@needs_shared
def test_all_posts_of_the_seed_that_a_site_would_show() -> None:
    """All but one, which has neither headline nor day."""
    read = {}
    for path in sorted((SHARED / "seed" / "posts").rglob("*.md")):
        with contextlib.suppress(PostError):
            read[path.name] = read_any(path.read_bytes(), path.name)
    assert set(read) == {path.name for path in (SHARED / "seed" / "posts").rglob("20*.md")}
    assert all(post.digest or post.body for post in read.values())
