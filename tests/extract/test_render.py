"""Clean HTML of a body: what stays, what goes, that it nests as it should, and that no word is lost."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html

from crawler.archive.markup import Markup, clean, fit, text_of
from crawler.extract.blocks import Segments
from crawler.extract.body import Body, is_caption
from crawler.extract.facts import Facts
from crawler.extract.page import Page
from crawler.extract.pictures import pictures
from crawler.extract.region import Region
from crawler.extract.render import lead_image, to_html
from crawler.extract.text import plain, squeeze

URL = "https://gazette.example/2024/harbour"


def body_of(html: str, dropped: Sequence[str] = ()) -> Body:
    """All blocks of a page as its article, but those that begin so."""
    page = Segments(Page.of_text(f"<html><body>{html}</body></html>").root)
    kept = [number for number, block in enumerate(page.blocks) if not block.text.startswith(tuple(dropped))]
    region = Region(page.top, 0, len(page.blocks) - 1, 1.0) if kept else None
    return Body(page, [1.0] * len(page.blocks), kept, region)


def rendered(html: str, *dropped: str) -> str:
    facts = Facts(Page(b"<p>", URL))
    written = to_html(body_of(html, dropped), facts.absolute)
    return "".join(line.strip("\n") for line in written.split("\n"))


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p class='x' style='color:red' onclick='go()'>a &amp; <span>b</span> &lt;3</p>", "<p>a &amp; b &lt;3</p>"),
        ("<h1>A</h1><h2>B</h2><h6>C</h6>", "<h2>A</h2><h2>B</h2><h6>C</h6>"),
        ("<div>a<p>b</p>c</div>", "<p>a</p><p>b</p><p>c</p>"),
        ("<ul><li>a</li><li>b</li></ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<ol start=3><li><p>a</p><p>b</p></ol>", '<ol start="3"><li><p>a</p><p>b</p></li></ol>'),
        ("<ul><li>a<ol><li>b</li></ol></li><li>c</li></ul>", "<ul><li>a<ol><li>b</li></ol></li><li>c</li></ul>"),
        ("<ul><li>a</li><ul><li>b</li><li>c</li></ul></ul>", "<ul><li>a<ul><li>b</li><li>c</li></ul></li></ul>"),
        ("<ul><ul><li>b</li></ul></ul>", "<ul><li><ul><li>b</li></ul></li></ul>"),
        ("<ul>loose<li>a</li></ul>", "<p>loose</p><ul><li>a</li></ul>"),
        ("<li>alone</li>", "<p>alone</p>"),
        ("<ul><li>a<br><br>b<p>c</p>d</li></ul>", "<ul><li>a<p>b</p><p>c</p><p>d</p></li></ul>"),
        ("<ul><li><h3>a</h3>b</li></ul>", "<ul><li><h3>a</h3><p>b</p></li></ul>"),
        ("<dl><dt>a<p>b</p></dt><dd>c</dd></dl>", "<dl><dt>a<br>b</dt><dd>c</dd></dl>"),
        ("<blockquote>a<p>b</p></blockquote>c", "<blockquote><p>a</p><p>b</p></blockquote><p>c</p>"),
        ("<pre>a\n\tb  c<br>d</pre>", "<pre>a&#10;&#9;b  c&#10;d</pre>"),
        ("<pre><h2>a</h2><p>b</p></pre>", "<pre>a&#10;b</pre>"),
        ("a<br>b<br><br>c", "<p>a<br>b</p><p>c</p>"),
        ("　　a<br>　　b<br>c", "<p>a</p><p>b<br>c</p>"),
        ("a<br>&nbsp;&nbsp;b<br>&emsp;c<br>&nbsp;d", "<p>a</p><p>b</p><p>c<br>d</p>"),
        ("<p>a<b>b</b><i> </i><u>c</u><strong><b>d</b></strong></p>", "<p>a<strong>b</strong> c<strong>d</strong></p>"),
        ("<p><em>a<br>b</em> c</p>", "<p><em>a</em><br><em>b</em> c</p>"),
        ("<p><ruby>東<rt>とう</rt></ruby><rt>x</rt></p>", "<p><ruby>東<rt>とう</rt></ruby>x</p>"),
        ("<p>so\u00adft\u200b</p>", "<p>soft</p>"),
    ],
)  # fmt: skip
def test_what_stays(html: str, expected: str) -> None:
    assert rendered(html) == expected


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("/a?x=1&y=2", '<a href="https://gazette.example/a?x=1&amp;y=2">here</a>'),
        ("//other.example/ö b", '<a href="https://other.example/%C3%B6%20b">here</a>'),
        (" HTTPS://Other.example/A%20b ", '<a href="https://Other.example/A%20b">here</a>'),
        ("mailto:desk@gazette.example", '<a href="mailto:desk@gazette.example">here</a>'),
        ("tel:+123", '<a href="tel:+123">here</a>'),
        ("javascript:alert(1)", "here"),
        ("\tJava\nScript:alert(1)", "here"),
        ("data:text/html,x", "here"),
        ("https:///x", "here"),
        (" ", "here"),
    ],
)
def test_addresses_of_links_are_whole_or_no_link_is_there(href: str, expected: str) -> None:
    assert rendered(f'<p><a href="{href}" target="_blank" rel="x">here</a></p>') == f"<p>{expected}</p>"


def test_a_link_within_a_link_and_around_blocks() -> None:
    assert rendered('<a href="/x">one<p>two</p></a>') == (
        '<p><a href="https://gazette.example/x">one</a></p><p><a href="https://gazette.example/x">two</a></p>'
    )


TABLE = """<table border=1><caption>Boats</caption><thead><tr><th rowspan=2 width=9>Name<th colspan="x">Built</thead>
<tr><td><a href="/ida">Ida</a><td></td><td>1902<br>or 1903</td><td>left out</td></tr></table>"""


def test_a_table_of_data_keeps_its_cells_links_and_columns() -> None:
    assert rendered(TABLE, "left out") == (
        '<table><caption>Boats</caption><tr><th rowspan="2">Name</th><th>Built</th></tr>'
        '<tr><td><a href="https://gazette.example/ida">Ida</a></td><td></td><td>1902<br>or 1903</td></tr></table>'
    )


def test_a_table_that_holds_a_layout_is_none() -> None:
    html = "<table><tr><td>menu<td>One.<table><tr><td>a<td>b<tr><td>c<td>d</table></tr><tr><td>foot</td></tr></table>"
    assert rendered(html, "menu", "foot") == (
        "<p>One.</p><table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"
    )


def test_a_list_stays_one_list_when_pictures_and_quotes_stand_in_its_items() -> None:
    html = "<ul><li>a<img src=/1.jpg></li><li><blockquote>b</blockquote></li><li><img src=/2.jpg>c</li></ul>"
    assert rendered(html) == (
        '<ul><li>a<figure><img src="https://gazette.example/1.jpg" alt=""></figure></li><li><blockquote><p>b</p>'
        '</blockquote></li><li><figure><img src="https://gazette.example/2.jpg" alt=""></figure><p>c</p></li></ul>'
    )


TEXT = "<p>The first words of the harbour.</p>{}<p>The last words of the harbour.</p>"


def sources(html: str, *dropped: str) -> list[str]:
    root = lxml_html.fragment_fromstring(rendered(html, *dropped), create_parent=True)
    return [image.get("src").removeprefix("https://gazette.example/") for image in root.iter("img")]


def within(html: str, *dropped: str) -> list[str]:
    """Sources of pictures in ``html`` between two paragraphs."""
    return sources(TEXT.format(html), *dropped)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("<img src=/a.jpg>", "a.jpg"),
        ("<img src='data:image/gif;base64,R0' data-src=/a.jpg>", "a.jpg"),
        ("<img src=/x/placeholder.png data-original=/a.jpg>", "a.jpg"),
        ("<img data-id=7 data-lazyimage=/a.jpg?w=9>", "a.jpg?w=9"),
        ("<img src=/s.jpg srcset='/s.jpg 300w, /l.jpg 1200w,/m.jpg 600w'>", "l.jpg"),
        ("<img src=/s.jpg srcset='/s.jpg 1x, /l,w_9.jpg 2x'>", "l,w_9.jpg"),
        ("<picture><source srcset='/l.webp 900w'><img src='data:image/gif;base64,R0'></picture>", "l.webp"),
        ("<img src='data:image/gif;base64,R0'><noscript><img src=/a.jpg></noscript>", "a.jpg"),
        ("<img src=/spacer.gif><noscript><img src=/a.jpg></noscript>", "a.jpg"),
        ("<a href=/full.jpg><img src=/a.jpg></a>", "a.jpg"),
        ("<div class='featured-image'><img src=/a.jpg width=600></div>", "a.jpg"),
        ("<img src=/sites/default/files/logo-dispute.jpg>", "sites/default/files/logo-dispute.jpg"),
    ],
)
def test_where_a_picture_is(image: str, expected: str) -> None:
    assert within(image) == [expected]


@pytest.mark.parametrize(
    "image",
    [
        "<img>",
        "<img src='data:image/png;base64,R0'>",
        "<img src='javascript:x'>",
        "<img src=/a.jpg width=1 height=1>",
        "<img src=/a.jpg height=20px>",
        "<img src=/img/logo.png>",
        "<img src=/img/paper-logo-300x107.png>",
        "<img src=/icons/arrow.png>",
        "<img src=/a.jpg class='avatar photo'>",
        "<img src=/a.jpg class='share-button'>",
        "<div class=related><img src=/a.jpg></div>",
        "<div class=adbox><p><img src=/a.jpg></p></div>",
        "<aside><img src=/a.jpg></aside>",
        "<div><a href=/other><img src=/a.jpg></a><a href=/other>Dropped: another story</a></div>",
        "<div><figure><img src=/a.jpg></figure><h4>Dropped: another story</h4></div>",
        "<div class=info><img src=/a.jpg></div>",
        "<div class=author-picture><img src=/a.jpg></div>",
        "<img src=/spinner-red.svg>",
    ],
)
def test_pictures_of_others_and_signs_are_left_out(image: str) -> None:
    assert within(image, "Dropped") == []


def test_pictures_stand_where_they_stood_and_each_once() -> None:
    html = "<img src=/0.jpg>" + TEXT.format("<img src=/1.jpg?w=3><img src=/1-300x200.jpg>") + "<p><img src=/2.jpg></p>"
    assert sources(html) == ["0.jpg", "1.jpg?w=3", "2.jpg"]
    order = [one.tag for one in lxml_html.fragment_fromstring(rendered(html), create_parent=True)]
    assert order == ["figure", "p", "figure", "p", "figure"]


def test_pictures_far_above_and_below_the_text_are_not_the_articles() -> None:
    lines = "".join(f"<p>Dropped {n}</p>" for n in range(9))
    html = f"<img src=/top.jpg>{lines}<div class=text>{TEXT.format('')}</div><div><p><img src=/end.jpg></p></div>"
    assert sources(html, "Dropped") == []
    assert sources(
        f"<h1>Dropped</h1><figure><img src=/lead.jpg></figure><p>Dropped</p>{TEXT.format(chr(32))}", "Dropped"
    ) == ["lead.jpg"]
    standfirst = (
        f"<article><h1>Dropped</h1><p>What it is about.</p><figure><img src=/lead.jpg></figure>{TEXT.format(' ')}"
    )
    assert sources(f"<figure><img src=/hero.jpg></figure>{standfirst}", "Dropped") == ["hero.jpg", "lead.jpg"]
    byline = f"<h1>Dropped</h1><div class=author><img src=/face.jpg></div>{TEXT.format(chr(32))}"
    assert sources(byline, "Dropped") == []


def outside(html: str) -> list[str]:
    """Sources of pictures where the region is the element called text."""
    body = body_of(html, ["Dropped"])
    box = next(block.box.parent for block in body.page.blocks if block.text.startswith("The first"))
    assert box is not None
    body.region = Region(box, 0, 0, 1.0)
    return [address for picture in pictures(body, str) for address, _ in picture.images]


def test_outside_the_region_a_picture_needs_a_headline_above_it_and_a_name() -> None:
    text = f"<div>{TEXT.format('')}</div>"
    figure = "<figure><a href=/x><span><img src=/a.jpg></span></a></figure>"
    for lead in (figure, "<div><div class=hero-image><img src=/a.jpg></div></div>"):
        assert outside(f"<article><h1>Dropped</h1>{lead}{text}</article>") == ["/a.jpg"]
        assert outside(f"<div><h1>Dropped</h1>{lead}{text}</div>") == []
        assert outside(f"<article><h2>Dropped</h2>{lead}{text}</article>") == []
    assert outside(f"<article><h1>Dropped</h1><div><img src=/a.jpg></div>{text}</article>") == []


def test_above_the_text_a_link_with_another_title_is_a_teaser_and_a_picture_beside_a_link_is_none() -> None:
    title = "<a href=/other>Dropped: another</a>"
    assert sources(f"<div><a href=/other><img src=/a.jpg></a>{title}</div>{TEXT.format(' ')}", "Dropped") == []
    assert sources(f"<div><a href=/a.jpg><img src=/a.jpg></a>{title}</div>{TEXT.format(' ')}", "Dropped") == ["a.jpg"]
    assert sources(f"<div><img src=/a.jpg>{title}</div>{TEXT.format(' ')}", "Dropped") == ["a.jpg"]


@pytest.mark.parametrize(
    "html",
    [
        "<figure>{}<figcaption>Boats at <b>noon</b>.<span> Photo: Ida Marsh</span></figcaption></figure>",
        "<figure>{}<figcaption>Boats at noon.</figcaption><p class=credit>Photo: Ida Marsh</p></figure>",
        "<div class=wp-caption>{}<p class=wp-caption-text>Boats at noon. Photo: Ida Marsh</p></div>",
    ],
)
def test_captions_stand_with_their_credit_below_the_picture(html: str) -> None:
    html = html.format("<img src=/a.jpg alt='Boats'>")
    assert rendered(TEXT.format(html), "Boats", "Photo") == TEXT.format(
        '<figure><img src="https://gazette.example/a.jpg" alt="Boats">'
        "<figcaption>Boats at noon. Photo: Ida Marsh</figcaption></figure>"
    )


def test_pictures_of_one_figure_share_it_and_a_caption_without_a_picture_goes() -> None:
    html = "<figure><img src=/a.jpg><img src=/b.jpg><figcaption>Two boats</figcaption></figure>"
    written = rendered(TEXT.format(html))
    assert written.count("<figure>") == written.count("Two boats") == 1
    assert "boats" not in rendered(TEXT.format("<figure><video></video><figcaption>Two boats</figcaption></figure>"))


def test_the_lead_image_is_the_first_of_the_article() -> None:
    facts = Facts(Page(b"<p>", URL))
    html = "<img src=/logo.svg>" + TEXT.format("<img src=/a.jpg><img src=/b.jpg>")
    assert lead_image(body_of(html), facts.absolute) == "https://gazette.example/a.jpg"
    assert lead_image(body_of(TEXT.format("")), facts.absolute) == ""
    assert (to_html(body_of(""), facts.absolute), lead_image(body_of(""), facts.absolute)) == ("", "")


TAGS = ("p", "div", "ul", "ol", "li", "table", "tr", "td", "th", "blockquote", "pre", "h1", "h3", "dl", "dt", "dd", "a",
        "b", "em", "span", "br", "figure", "figcaption", "img", "code", "ruby", "rt", "caption",
        "section", "aside")  # fmt: skip
WORDS = st.sampled_from(
    ("one", " two ", "three\n", "<4", "&amp;", "　五", "\xa0\xa0six", "se\u00adven", '"8"', " ", "{{ x")
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(("href", "src", "alt", "class", "colspan", "start", "srcset", "onclick", "style", "width")),
    st.sampled_from(("/a", "javascript:x", "data:x", "3", '"><b>', "related", "photo", "/p.jpg", "/ö.png 2x, /x 1x")),
    max_size=3,
)


@st.composite
def trees(draw: st.DrawFn) -> etree._Element:
    """A tree as no parser need have made it."""
    root = etree.Element("body")
    nodes = [root]
    for tag, at, text, tail, attributes in draw(
        st.lists(st.tuples(st.sampled_from(TAGS), st.integers(0, 99), WORDS, WORDS, ATTRIBUTES), max_size=25)
    ):
        node = etree.SubElement(nodes[at % len(nodes)], tag, attributes)
        node.text = "" if tag in ("br", "img") else text
        node.tail = tail
        if tag not in ("br", "img"):
            nodes.append(node)
    return root


@settings(max_examples=120, deadline=None)
@given(trees(), st.sets(st.integers(0, 30)))
def test_no_word_is_lost_and_the_html_is_fit_for_a_post(tree: etree._Element, dropped: set[int]) -> None:
    page = Segments(tree)
    kept = [number for number in range(len(page.blocks)) if number not in dropped]
    body = Body(page, [1.0] * len(page.blocks), kept, Region(page.top, 0, 0, 1.0))
    html = to_html(body, Facts(Page(b"<p>", URL)).absolute)
    assert "javascript:" not in html
    assert "<h1" not in html
    assert fit(html.rstrip("\n").replace("{", "&#123;"), Markup())
    assert squeeze(text_of(clean(html, Markup()))) == squeeze(text_of(html))
    root = lxml_html.fragment_fromstring(html, create_parent="section")
    assert _same(root, html)
    captions = [caption for figure in root.findall(".//figure") if (caption := figure.findtext("figcaption"))]
    assert all(any(block.text in caption for block in page.blocks) for caption in captions)
    for figure in root.findall(".//figure"):
        figure.drop_tree()
    told = [block.text for number in kept if not is_caption(block := page.blocks[number])]
    assert plain(root).split() == " ".join(told).split()


def _same(root: etree._Element, html: str) -> bool:
    """Whether a parser saw the elements that were written, as they were nested."""
    written = (
        lxml_html.tostring(root, encoding="unicode", method="html").removeprefix("<section>").removesuffix("</section>")
    )
    return plain(written) == plain(html) and written.count("<") == html.count("<")


def test_a_monstrous_page_takes_no_time_by_the_square() -> None:
    tables = "<table><tr><td>a<td>b<tr><td>c<td>d</table>" * 500
    images = "<figure><a href=/x><img src=/{}.jpg></a><figcaption>c</figcaption></figure>"
    html = f"<p>{'x' * 200}</p>{tables}{''.join(images.format(n) for n in range(1_000))}<p>{'y' * 200}</p>"
    body = body_of(html + f"<img srcset='{'x' * 500_000}'><table><tr>{'<td>' * 5_000}z</table>")
    start = time.process_time()
    to_html(body, Facts(Page(b"<p>", URL)).absolute)
    assert time.process_time() - start < 1.0
