"""The article's own blocks: what is dropped above, within and below them, and the numbers they are known by."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.blocks import Block, Segments
from crawler.extract.body import LEAST, Body, chosen, find_body, fingerprint, is_caption
from crawler.extract.facts import Facts
from crawler.extract.page import Page

URL = "https://gazette.example/2024/harbour"
TITLE = "Harbour closed after a night of storms"
LINES = [
    f"On day {n} of the storm the harbour stayed closed, and the boats that lay in it stayed where they were, the "
    f"council said. Nobody was hurt, but {n + 3} roofs were blown off, and the ferry will not sail before Monday."
    for n in range(1, 6)
]
PROMO = (
    "Our readers have told us which walks along the shore they love, and we have put all of them on one map for you."
)


def facts(inner: str, head: str = "") -> Facts:
    page = (
        f"<html lang=en><head><title>{TITLE} | Gazette</title>{head}</head><body><nav><a href=/>Home</a></nav>"
        f"<main><article class=story>{inner}</article></main><footer><p>© Gazette</p></footer></body></html>"
    )
    return Facts(Page.of_text(page, URL))


def story(above: str = "", lines: Sequence[str] = LINES, below: str = "") -> str:
    return f"<h1>{TITLE}</h1>{above}<div class=article-body>{''.join(f'<p>{line}</p>' for line in lines)}{below}</div>"


def text_of(inner: str, **more: str) -> list[str]:
    return find_body(facts(inner, **more)).text.split("\n")


def test_an_article_without_headline_menu_and_imprint() -> None:
    assert text_of(story()) == LINES


@pytest.mark.parametrize(
    "above",
    [
        "<p class=byline>By Ida Marsh</p>",
        "<p class=date>3 March 2024, 08:30</p>",
        "<p>By Ida Marsh</p><p>Published: 3 March 2024</p>",
        "<p><time datetime=2024-03-03>3 March 2024</time></p>",
        f"<p>{TITLE}</p>",
    ],
)
def test_the_date_and_the_byline_above_the_text_are_dropped(above: str) -> None:
    assert text_of(story(above)) == LINES


def test_headings_within_the_text_stay_and_those_at_its_end_do_not() -> None:
    html = story(lines=LINES[:3], below=f"<h2>What comes next</h2><p>{LINES[3]}</p><h2>More from the shore</h2>")
    assert text_of(html) == [*LINES[:3], "What comes next", LINES[3]]


def test_captions_are_kept_beside_the_text() -> None:
    figure = "<figure><img src=/a.jpg><figcaption>The harbour on Sunday. Photo: Ida Marsh</figcaption></figure>"
    body = find_body(facts(story(below=f"{figure}<p>{LINES[0]} Again.</p>")))
    assert body.text.split("\n") == [*LINES, f"{LINES[0]} Again."]
    assert not any(map(is_caption, body.blocks))


def test_blocks_that_other_pages_have_too_are_dropped() -> None:
    seen = [fingerprint(PROMO), fingerprint("Ja.")]
    lines = [*LINES, PROMO]
    page = facts(story(lines=lines))
    assert find_body(page, repeated=[]).text.split("\n")[: len(LINES)] == LINES
    assert find_body(page, repeated=seen).text.split("\n") == LINES
    assert not set(lines) & set(find_body(page, repeated=[fingerprint(line) for line in lines]).text.split("\n"))


def test_the_node_is_the_lowest_that_holds_the_blocks() -> None:
    assert find_body(facts(story())).node.get("class") == "article-body"
    parted = (
        f"<div id=all><div><p>{LINES[0]}</p><p>{LINES[1]}</p></div><div><p>{LINES[2]}</p><p>{LINES[3]}</p></div></div>"
    )
    assert find_body(facts(f"<h1>{TITLE}</h1>{parted}")).node.get("id") == "all"


@pytest.mark.parametrize("html", ["", "<p></p>", "<nav><a href=/>Home</a></nav>", "<img src=/a.jpg>", "<!-- x -->"])
def test_an_empty_page_has_an_empty_body(html: str) -> None:
    body = find_body(Facts(Page.of_text(html, URL)))
    assert (body.text, body.kept, body.blocks, body.node, body.fingerprints()) == ("", [], [], None, [])


def test_a_fingerprint_is_the_same_on_every_machine_and_fits_a_database() -> None:
    assert fingerprint("Ferry") == 6388488294098924474
    assert fingerprint("\ud800") == fingerprint("?")
    assert 0 <= fingerprint(PROMO) < 2**63
    assert fingerprint(PROMO) != fingerprint(PROMO + " ")


def test_fingerprints_are_of_blocks_that_say_enough() -> None:
    page = Segments(Page.of_text(f"<p>{LINES[0]}</p><p>Ja.</p><figcaption>The harbour on Sunday.</figcaption>").root)
    assert Body(page, [1.0] * 3, [0, 1, 2]).fingerprints() == [fingerprint(LINES[0])]


def blocks(html: str) -> list[Block]:
    return Segments(Page.of_text(f"<body>{html}</body>").root).blocks


def test_what_is_chosen_by_scores() -> None:
    page = blocks("".join(f"<p>{line}</p>" for line in LINES))
    assert chosen(page, [1, -1, 1, LEAST, LEAST + 0.01], "") == [0, 2, 4]
    assert chosen(page, [-5.0] * 5, "") == [0, 1, 2, 3, 4], "the largest prose, where nothing looks like an article's"
    assert chosen(blocks("<p>Menu</p><p>Search</p>"), [-5.0] * 2, "") == []


def test_where_no_block_is_sure_those_near_the_best_are_chosen() -> None:
    page = blocks("".join(f"<p>{line}</p>" for line in LINES))
    assert chosen(page, [-4, -1.5, -0.9, -3, -1.8], "") == [1, 2, 4]


def test_headings_in_doubt_right_before_a_chosen_block_are_chosen() -> None:
    page = blocks(
        f"<p>{LINES[0]}</p><h2>a</h2><p>{LINES[1]}</p><h2>b</h2><div><p>{LINES[2]}</p></div><h2>c</h2><h3>d</h3>"
    )
    assert chosen(page, [3, -2, 3, -2, 3, 3, 3], "") == [0, 1, 2, 4]
    assert chosen(page, [3, -4, 3, -2, 3, -1, -1], "") == [0, 2, 4]


def test_lines_above_the_first_paragraph_go_if_they_are_headline_date_or_byline() -> None:
    above = f"<h1>a</h1><h2>{TITLE[:20]}</h2><p>3 March 2024</p><p>By Ida Marsh</p><p>The storm is over.</p>"
    page = blocks(f"{above}<p>{LINES[0]}</p><p>By Ida Marsh</p><p>4 March 2024</p>")
    assert chosen(page, [3.0] * 8, f"{TITLE} | Gazette") == [4, 5, 6, 7]


PIECES = st.sampled_from(
    (f"<p>{LINES[0]}</p>", f"<h2>{TITLE}</h2>", f"<div>{LINES[1]}", "</div>", "<a href=/x>Read more", "</a>",
     "<ul><li>", "<table><tr><td>", "</table>", "<br>", "<figure><figcaption>The harbour",
     "</figure>", "<div class=comments>",
     "<div hidden>", "Ja. ", "夜行列车回到山谷。" * 9, "<article>", "</article>", "<h1>", "<img src=/a.jpg>", "<aside>")
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECES, max_size=30), st.lists(st.sampled_from([fingerprint(LINES[0]), 1, 2])))
def test_any_page_has_a_body_of_its_own_blocks_in_their_order(pieces: list[str], repeated: list[int]) -> None:
    page = Facts(Page.of_text("".join(pieces), URL))
    body = find_body(page, repeated=repeated)
    assert body.kept == sorted(set(body.kept))
    assert len(body.scores) == len(body.page.blocks)
    texts = [block.text for block in body.page.blocks]
    assert all(block.text in texts for block in body.blocks)
    assert (body.node is None) == (not body.blocks)
    assert body.kept == find_body(Facts(Page.of_text("".join(pieces), URL)), repeated=repeated).kept
