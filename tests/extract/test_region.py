"""Where the article lies among boxes, and which of several articles is the page's own."""

from __future__ import annotations

import time

import pytest

from crawler.extract.blocks import Segments
from crawler.extract.page import Page
from crawler.extract.region import COUNTS, MAYBE, Region, context, find_region
from crawler.extract.weigh import local_features

TEXT = "The {} harbour was closed on Monday, and the boats that lay in it stayed where they were until the evening."


def text(name: str, count: int = 3) -> str:
    return "".join(f"<p>{TEXT.format(name)}</p>" for _ in range(count))


class Found:
    """The region of a page on which long paragraphs speak for the article and all else against it."""

    def __init__(self, html: str, title: str = "") -> None:
        self.page = Segments(Page.of_text(f"<body>{html}</body>").root)
        self.blocks = self.page.blocks
        self.rows = local_features(self.page, title, "", "")
        self.scores = [3.0 if block.length > 60 and not block.linked else -3.0 for block in self.blocks]
        region = find_region(self.blocks, self.rows, self.scores, title)
        assert region is not None
        self.region: Region = region

    @property
    def id(self) -> str | None:
        """Of the region's element."""
        identity: str | None = self.region.box.node.get("id")
        return identity

    @property
    def run(self) -> list[str]:
        """Names in the densest run."""
        return [block.text.split()[1] for block in self.blocks[self.region.first : self.region.last + 1]]


def test_a_page_without_a_block_that_looks_like_an_articles_has_none() -> None:
    page = Segments(Page.of_text("<p>one</p><p>two</p>").root)
    rows = local_features(page, "", "", "")
    assert find_region(page.blocks, rows, [-3.0, -3.0], "") is None


def test_the_box_that_holds_nearly_all_of_it() -> None:
    html = f"<div id=page><p>{text('side', 1)}</p><div id=main><div id=body>{text('main', 9)}</div></div></div>"
    assert Found(html).id == "body"


def test_a_lone_paragraph_stands_in_what_is_around_it() -> None:
    assert Found(f"<div id=a><div id=b>{text('one', 1)}<h2>More</h2></div></div>").id == "b"


def test_parts_of_one_article_side_by_side_are_one() -> None:
    parts = "".join(f"<div class=part><h2>Part {n}</h2>{text(f'n{n}')}</div>" for n in range(4))
    assert Found(f"<div id=all>{parts}</div><div>Imprint</div>").id == "all"


def entry(n: int, heading: str = "h2") -> str:
    title = f"<{heading}><a href=/{n}>Story of number {n} and its boats</a></{heading}>"
    return f"<article id=e{n} class=post>{title}<p>3 March 2024</p>{text(f'n{n}')}</article>"


def test_of_many_articles_the_one_that_the_title_names_else_the_first() -> None:
    roll = "".join(map(entry, range(5)))
    assert Found(f"<div id=roll>{roll}</div>").id == "e0"
    assert Found(f"<div id=roll>{roll}</div>", "Story of number 3 and its boats | Gazette").id == "e3"
    assert Found(f"<div id=roll>{roll}</div>", "The Gazette's own page of stories").id == "e0"


def test_a_ticker_below_one_headline_is_one_article() -> None:
    roll = "".join(map(entry, range(5)))
    page = Found(
        f"<div id=ticker><h1>All that is new in the harbour today</h1>{roll}</div>",
        "All that is new in the harbour today",
    )
    assert page.id == "ticker"
    assert [page.run[0], page.run[-1]] == ["n0", "n4"]


def test_comments_below_are_outside_the_run() -> None:
    comments = "".join(f"<li><p>Ann {n}</p><p>Nice.</p><p>Reply</p></li>" * 3 for n in range(9))
    page = Found(f"<div id=body>{text('main', 6)}</div><ul class=comments>{comments}</ul>")
    assert page.id == "body"
    assert page.run == ["main"] * 6


def test_text_in_links_and_one_endless_block_say_little() -> None:
    endless = f"<div id=law><p>{TEXT.format('law') * 400}</p></div>"
    assert Found(f"{endless}<div id=body>{text('main', 60)}</div>").id == "body"


def test_what_the_surroundings_say_is_said_of_every_block_in_doubt() -> None:
    page = Found(f"<h1>Boats</h1><div id=body>{text('main', 4)}<h3>Weather</h3>{text('rain', 2)}</div><p>Imprint</p>")
    scores = [
        score if block.text != "Imprint" else MAYBE - 1 for score, block in zip(page.scores, page.blocks, strict=True)
    ]
    told = context(page.blocks, scores, page.rows, page.region)
    assert sorted(told) == [n for n, block in enumerate(page.blocks) if block.text != "Imprint"]
    assert len({len(features) for features in told.values()}) == 1
    assert all(isinstance(value, int | float) for features in told.values() for value in features)


@pytest.mark.parametrize("shape", ["wide", "deep"])
def test_monstrous_pages_take_no_time_by_the_square(shape: str) -> None:
    many = 6_000
    html = "".join(map(entry, range(many // 4))) if shape == "wide" else "<div>" * 200 + text("deep", many)
    page = Found(html, "Story of number 9999 and its boats")
    start = time.process_time()
    assert find_region(page.blocks, page.rows, page.scores, "Story of number 9999 and its boats")
    context(page.blocks, page.scores, page.rows, page.region)
    assert time.process_time() - start < 2.0


def test_the_numbers_that_are_said_to_be_whole_are() -> None:
    """Thresholds between them are rounded down for speed: a fraction among them would be taken for less."""
    found = Found(f"<h1>Harbour</h1><div>{text('one', 4)}<p><a href=/x>{TEXT}</a></p></div><p>On 3 May 2024</p>")
    for features in context(found.blocks, found.scores, found.rows, found.region).values():
        assert {number for number, value in enumerate(features) if isinstance(value, int)} == COUNTS
