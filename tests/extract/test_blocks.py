"""A page as runs of text: where one ends, what is skipped, what is known of each and of the boxes around it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.blocks import Block, Segments, called
from crawler.extract.page import Page
from crawler.extract.text import plain
from crawler.extract.words import BITS


def segments(html: str) -> Segments:
    return Segments(Page.of_text(f"<html><head><title>T</title></head><body>{html}</body></html>").root)


def lines(html: str) -> list[str]:
    return [block.text for block in segments(html).blocks]


def block_of(html: str, number: int = 0) -> Block:
    return segments(html).blocks[number]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("one<p>two</p>three", ["one", "two", "three"]),
        ("<div>one<div>two</div>three</div>", ["one", "two", "three"]),
        ("one<br>two<br><br>three", ["one", "two", "three"]),
        ("one<hr>two", ["one", "two"]),
        ("<ul><li>one<ul><li>two</li></ul></li><li>three</li></ul>", ["one", "two", "three"]),
        ("<table><tr><th>one<td>two<tr><td>three</table>", ["one", "two", "three"]),
        ("<figure><img><figcaption>one</figcaption></figure>", ["one"]),
        ("<p>o<b>n</b>e <i> two</i>\n\tthree&nbsp;&nbsp;four</p>", ["one two three four"]),
        ("<p><span>one</span><span> </span><span>two</span></p>", ["one two"]),
        ("<p><b>one</b> <i>two</i></p>", ["one two"]),
        ("<p>so\u00adft<!-- not this -->ware</p>", ["software"]),
        ("<p> </p><p>&nbsp;</p><p>\u200b</p>", []),
        ("<a href=/x><h3>one</h3><p>two</p></a>", ["one", "two"]),
        ("<p>one<embed src=x>two</p>", ["onetwo"]),
        ("<details><summary>one</summary>two</details>", ["one", "two"]),
        ("", []),
    ],
)
def test_where_a_run_of_text_ends(html: str, expected: list[str]) -> None:
    assert lines(html) == expected


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>",
        "<style>x</style>",
        "<noscript>x</noscript>",
        "<template>x</template>",
        "<nav><p>x</p></nav>",
        "<svg><text>x</text></svg>",
        "<select><option>x</option></select>",
        "<textarea>x</textarea>",
        "<button>x</button>",
        "<dialog><p>x</p></dialog>",
        "<ruby><rp>x</rp></ruby>",
    ],
)
def test_what_no_article_says_is_skipped_and_what_follows_is_not(html: str) -> None:
    assert lines(f"<p>one {html}two</p>{html}three") == ["one two", "three"]


def test_how_much_of_a_block_is_linked_or_bold() -> None:
    assert block_of("<p>12345<a href=/x>67890</a></p>").linked == pytest.approx(0.5, abs=0.12)
    assert block_of("<a href=/x><p>one</p></a>").linked == 1.0
    assert block_of("<p><a href=/x>one<b>two</b></a></p>").linked == 1.0
    assert block_of("<p>one</p>").linked == 0.0
    assert block_of("<p><b>one two three</b>.</p>").strong
    assert block_of("<p><strong>one <em>two</em></strong></p>").strong
    assert not block_of("<p><b>one</b> two</p>").strong
    assert not block_of("<p><b>one</b></p><p>two</p>", 1).strong


def test_the_size_is_in_bytes_and_the_length_in_characters() -> None:
    block = block_of("<p>夜行 ß</p>")
    assert (block.length, block.size) == (4, 9)


def test_how_many_line_breaks_begin_a_block() -> None:
    blocks = segments("<div><br>one<br>two<br> <br>three<p>four</p><p>five<br></p>six</div>").blocks
    assert [(block.text, block.split) for block in blocks][:5] == [
        ("one", 1), ("two", 1), ("three", 2), ("four", 0), ("five", 0),
    ]  # fmt: skip


def test_marks_say_what_begins_and_ends_before_which_part() -> None:
    blocks = segments("<p>one <a href=/x>two <b>three</b></a> four</p><p>five</p><p><i>six</i></p>").blocks
    marks = [(at, node is not None and node.tag) for at, node in blocks[0].marks]
    assert list(blocks[0].parts) == ["one ", "two ", "three", " four"]
    assert marks == [(1, "a"), (2, "b"), (3, False), (3, False)]
    assert [len(block.marks) for block in blocks[1:]] == [0, 2]


def test_a_mark_around_several_blocks_begins_each_of_them() -> None:
    blocks = segments("<a href=/x>one<p>two</p><br>three</a><p>four").blocks
    assert [[node.tag for _, node in block.marks if node is not None] for block in blocks] == [["a"], ["a"], ["a"], []]
    assert [block.linked for block in blocks] == [1, 1, 1, 0]


def test_where_the_headline_stands() -> None:
    assert segments("<p>one</p><h1>two</h1><h1>three</h1>").headline_at == 1
    assert segments("<h1><img></h1><p>one</p>").headline_at == 0
    assert segments("<p>one</p><h2>two</h2>").headline_at == -1


def test_pictures_know_how_many_blocks_stand_before_them() -> None:
    html = (
        "<img id=a><p>one</p><div><img id=b></div><p>two <img id=c> three</p><video id=d></video><iframe id=e></iframe>"
    )
    page = segments(html)
    assert [(node.get("id"), number, box.tag) for number, box, node in page.media] == [
        ("a", 0, "body"), ("b", 1, "div"), ("c", 2, "p"), ("d", 2, "body"), ("e", 2, "body"),
    ]  # fmt: skip


def test_a_picture_with_sources_is_found_although_the_parser_nests_it() -> None:
    page = segments("<picture><source srcset=/a.webp><source srcset=/b.webp><img src=/c.jpg></picture><p>one</p>")
    assert [node.get("src") for _, _, node in page.media] == ["/c.jpg"]


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        ("article-body", ("article", "content")),
        ("articleBody", ("article", "content")),
        ("ARTICLE_BODY", ("article", "content")),
        ("RelatedStories", ("related",)),
        ("comments", ("comment",)),
        ("x9-sidebar__inner", ("side",)),
        ("verwandt", ()),
        ("broadcast", ()),
    ],
)
def test_what_classes_are_called(names: str, groups: tuple[str, ...]) -> None:
    bits = called(names)
    assert all(bits & BITS[group] for group in groups)
    assert groups or not bits


def test_a_block_knows_the_words_of_the_boxes_around_it_by_how_near_they_are() -> None:
    html = (
        "<div class=comments><section><div class=sidebar><div class=share><p class=byline>one</p></div></div></section>"
    )
    box = block_of(html).box
    for group, near, middle in (
        ("meta", 1, 1),
        ("share", 1, 1),
        ("side", 0, 1),
        ("<section>", 0, 1),
        ("comment", 0, 0),
    ):
        assert (bool(box.near & BITS[group]), bool(box.middle & BITS[group])) == (bool(near), bool(middle)), group
        assert box.all & BITS[group]
    assert box.depth == 5


def test_inline_elements_that_begin_a_block_say_what_it_is() -> None:
    assert block_of("<p><span class=byline>Ann</span> says <span class=share>x</span></p>").inline == called("byline")


def test_what_is_hidden_is_said_by_attributes() -> None:
    for html in ("<p hidden>one</p>", "<p style='display: none'>one</p>"):
        assert block_of(html).box.own & BITS["hidden"]
    assert not block_of("<p style='border: none'>one</p>").box.own & BITS["hidden"]


@pytest.mark.parametrize("tag", ["div", "span", "b", "blockquote"])
def test_deep_nesting_loses_no_text(tag: str) -> None:
    deep = "".join(f"<{tag}>w{n} " for n in range(600))
    assert " ".join(lines(deep)).split() == [f"w{n}" for n in range(600)]


def test_a_monstrous_page_takes_no_time_by_the_square() -> None:
    page = Page.of_text(
        "<div>a <a href=/>b</a><b>c" * 15_000 + "<br>d" * 30_000 + "<p class='" + "x-" * 200_000 + "'>e"
    )
    root = page.root
    start = time.process_time()
    assert Segments(root).blocks
    assert time.process_time() - start < 2.0


PIECES = st.sampled_from(
    ("<p>", "</p>", "<div>", "</div>", "<b>", "</b>", "<a href=/>", "</a>", "<br>", "<li>", "<td>", "<table>", "<h1>",
     "</h1>", "<img>", "one ", "two", "\n", "&nbsp;", "<!--x-->", "<figcaption>", "<i> </i>", "<ul>", "</ul>")
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_no_word_of_a_page_is_lost_or_said_twice(pieces: list[str]) -> None:
    root = Page.of_text(f"<body>{''.join(pieces)}</body>").root
    page = Segments(root)
    together = "".join("".join(block.text.split()) for block in page.blocks)
    assert together == "".join(plain(root).split())
    for block in page.blocks:
        assert block.text
        assert 0 <= block.linked <= 1
        assert all(0 <= at <= len(block.parts) for at, _ in block.marks)
