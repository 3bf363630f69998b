"""Bodies: which stay byte for byte, what becomes of the others, and that nothing of their text is lost."""

from __future__ import annotations

import re
from html import unescape
from time import process_time

import nh3
import pytest
from hypothesis import HealthCheck, given, settings

from crawler.archive.allowed import DEPTH
from crawler.archive.characters import absolute, autolink, headline, one_line, tidy
from crawler.archive.markup import WIDEST, Markup, clean, fit, mend, text_of
from crawler.archive.mend import LOST
from tests.archive import nasty

PLAIN = Markup()
RICH = Markup(
    comments=True,
    attributes={"a": frozenset({"target"}), "*": frozenset({"id", "class", "data-*"}), "img": frozenset({"border"})},
    styles=frozenset({"color", "text-align"}),
    tags=frozenset({"center", "font", "div"}),
)
BASE = "https://e.example/d/p.html"
STRIP = nh3.Cleaner(tags=set(), clean_content_tags=set(LOST))
many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@many
@given(nasty.html)
def test_mended_bodies_fit_and_stay(html: str) -> None:
    for markup in (PLAIN, RICH):
        mended = mend(html, markup, BASE)
        assert fit(mended, markup)
        assert fit(mended, WIDEST)
        assert mend(mended, markup) == mended


@many
@given(nasty.html)
def test_no_text_is_lost_or_won(html: str) -> None:
    assert squeezed(text_of(mend(html, PLAIN))) == squeezed(tidy(unescape(STRIP.clean(tidy(html)))))


@many
@given(nasty.html)
def test_cleaning_is_done_once(html: str) -> None:
    for markup in (PLAIN, RICH):
        cleaned = clean(html, markup, BASE)
        assert fit(cleaned, markup)
        assert clean(cleaned, markup) == cleaned
        assert not re.search(r"\{[{%]|\n\n|\r|\xa0", cleaned)
        tags = "".join(re.findall(r"<[^>]*>", cleaned))
        assert not re.search(
            r"<(script|style|iframe|svg)|\son\w+=|javascript:|position", re.sub(r"title=\"[^\"]*\"", "", tags)
        )


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<p>a</p>",
        "<p>a</p><p>b</p>\n<p>c</p>\n <p>d</p>",
        "<p>a &amp; b &lt; c & d &#123; &hellip; &#x4e2d;</p>",
        "<p>line\nline <b>bold <i>both</i></b><br /><br>x</p>",
        '<p><a href="https://e.example/?a=1&b=2&amp;c=3">x</a><img src="http://e.example/" alt="" width="50%" /></p>',
        "<ul><li>a<ul>\n<li>b</li>\n</ul></li></ul>",
        '<table><tr><td colspan="2">a</td><th><p>b</p></th></tr></table>',
        "<table><caption>c</caption><thead><tr><th>h</th></tr></thead><tbody><tr><td></td></tr></tbody></table>",
        "<dl><dt>a</dt><dd>b</dd></dl><hr /><pre>a&#10;b</pre><blockquote>q</blockquote>",
        "<ruby>漢<rt>kan</rt></ruby>".join(["<h2>", "</h2>"]),
        '<figure><img src="https://e.example/a.png" /><figcaption>c</figcaption></figure>',
    ],
)
def test_well_written_bodies_stay_byte_for_byte(html: str) -> None:
    assert fit(html, PLAIN)
    assert clean(html, PLAIN) == html


@pytest.mark.parametrize(
    "html",
    [
        "text",
        "a<p>b</p>",
        "<p>a</p>b",
        "<b>a</b>",
        "<p>a",
        "a</p>",
        "<p>a</b></p>",
        "<p><b>a</p></b>",
        "<P>a</P>",
        "<p >a</p>",
        "<p>a<p>b</p></p>",
        "<b><p>a</p></b>",
        "<ul>a</ul>",
        "<ul><p>a</p></ul>",
        "<li>a</li>",
        "<td>a</td>",
        "<p><li>a</li></p>",
        "<table>a</table>",
        "<table><td>a</td></table>",
        "<p><rt>a</rt></p>",
        "<p>a</p>\n\n<p>b</p>",
        "<p>a\n \nb</p>",
        "<p>a</p>  <p>b</p>",
        " <p>a</p>",
        "<p>a</p>\n",
        "<p>a < b</p>",
        "<p>a > b</p>",
        "<p>&b;</p>",
        "<p>&copy</p>",
        "<p>&copy=1</p>",
        "<p>&#0;</p>",
        "<p>&#x110000;</p>",
        "<p>&#128;</p>",
        "<p>&#12</p>",
        "<p>{{</p>",
        "<p>{%</p>",
        "<p>\xa0</p>",
        "<p>\x07</p>",
        "<p>\r</p>",
        "<p>\ufeff</p>",
        "<pre>a\nb</pre>",
        "<pre>a\tb</pre>",
        '<p class="x">a</p>',
        '<p onclick="x">a</p>',
        '<p style="color:red">a</p>',
        "<div>a</div>",
        "<center>a</center>",
        "<script>x</script>",
        "<p><svg></svg></p>",
        "<!-- c --><p>a</p>",
        "<p/>",
        "<p/></p>",
        "<p></p></p>",
        '<p><a href="/x">a</a></p>',
        '<p><a href="javascript:x">a</a></p>',
        '<p><a href="https://e.example/中">a</a></p>',
        "<p><a href='https://e.example/'>a</a></p>",
        '<p><a href="https://e.example/"><b><a>x</a></b></a></p>',
        "<p><img /></p>",
        '<p><img src="https://e.example/i.png" src="https://e.example/i.png" /></p>',
        "<p><code><b><code>x</code></b></code></p>",
        '<p><img src="https://e.example/blank.gif" width="1;" /></p>',
        '<p dir="up">a</p>',
        "<p><span\n>a</span></p>",
        "<p></p\n>",
        "<blockquote>" * (DEPTH + 1) + "</blockquote>" * (DEPTH + 1),
        "<p><b>a<hr /></b></p>",
        '<p title="a\nb">a</p>',
        "</p><p>",
    ],
)
def test_bodies_that_need_mending(html: str) -> None:
    assert not fit(html, PLAIN)
    assert fit(clean(html, PLAIN, BASE), PLAIN)


@pytest.mark.parametrize(
    ("html", "fits"),
    [
        ("<!-- EM_Start --><p>a<!-- b --></p><!-- c -->", True),
        ("<!-- a -- b --><p>a</p>", False),
        ("<p>a</p>\n <!-- kramdown takes it for text --><p>b</p>", False),
        ('<p id="a" class="b c" data-code="1|2" style="color:#d1d1d1;text-align: center;">a</p>', True),
        ('<p style="color:rgb(1, 2, 3)">a</p>', True),
        ('<p style="colour:red">a</p>', False),
        ('<p style="color:url(x)">a</p>', False),
        ('<p style="color:expression(x)">a</p>', False),
        ('<p style="color:red;position:fixed">a</p>', False),
        ('<p style="color:\\72 ed">a</p>', False),
        ('<center><img src="https://e.example/i.png" border="0" /></center><div><p>a</p>b</div>', True),
        ('<p data-="1">a</p>', True),
        ('<p target="_blank">a</p>', False),
        ('<p><img src="https://e.example/i.png" data-src="https://e.example/j.png" /></p>', False),
    ],
)
def test_what_a_source_s_markup_allows(html: str, fits: bool) -> None:
    assert fit(html, RICH) is fits
    assert not fit(html, PLAIN)


@pytest.mark.parametrize(
    "allow",
    [
        {"tags": frozenset({name})}
        for name in ("script", "style", "iframe", "svg", "math", "form", "object", "p", "input", "x-y")
    ]
    + [
        {"attributes": {"p": frozenset({name})}}
        for name in ("onclick", "on*", "style", "srcdoc", "markdown", "formaction", "A", "a b", "")
    ]
    + [{"attributes": {"script": frozenset({"id"})}}]
    + [{"styles": frozenset({name})} for name in ("position", "behavior", "-moz-binding", "co lor", "background:url")],
)
def test_no_markup_may_allow_the_unsafe(allow: dict[str, frozenset[str]]) -> None:
    with pytest.raises(ValueError, match="no markup may allow"):
        Markup(**allow)  # type: ignore[arg-type]


def test_the_widest_markup_still_refuses_the_unsafe() -> None:
    for attribute in (
        'onclick="x"',
        'style="position:fixed"',
        'markdown="1"',
        'srcdoc="x"',
        'href="javascript:x"',
        'style="a:url(x)"',
    ):
        assert fit('<p class="x">a</p>', WIDEST)
        assert not fit(f"<p {attribute}>a</p>", WIDEST)


@pytest.mark.parametrize(
    ("html", "mended"),
    [
        ("text", "<p>text</p>"),
        ("  a \n\n b\t", "<p>a b</p>"),
        ("a<br><br>b<br>c", "<p>a</p>\n <p>b<br />c</p>"),
        ("<p>a<br><br><br>b<br></p>", "<p>a<br /><br />b</p>"),
        ("<div>a<section>b</section></div>c", "<p>a</p>\n <p>b</p>\n <p>c</p>"),
        ("<b>a<p>b</p>c</b>", "<p><b>a</b></p>\n <p><b>b</b></p>\n <p><b>c</b></p>"),
        ("<b>a </b>b<i> c</i>", "<p><b>a</b> b <i>c</i></p>"),
        ("<p></p><b></b><ul></ul><div> </div>", ""),
        (
            "<ul>a<p>b</p><li>c<li>d<ul><li>e</ul></ul>",
            "<ul><li>a</li><li><p>b</p></li><li>c</li><li><p>d</p><ul><li>e</li></ul></li></ul>",
        ),
        ("<table><tr><td>a<td></table>", "<table><tbody><tr><td>a</td><td></td></tr></tbody></table>"),
        ("<table><td colspan=2 rowspan=x>a", '<table><tbody><tr><td colspan="2">a</td></tr></tbody></table>'),
        ("<li>a<li>b<td>c", "<p>a</p>\n <p>bc</p>"),
        ("<h2>a<ul><li>b</ul>c</h2>", "<h2>a</h2>\n <ul><li>b</li></ul>\n <h2>c</h2>"),
        ("<blockquote>a</blockquote><hr>b", "<blockquote><p>a</p></blockquote>\n <hr />\n <p>b</p>"),
        ("<pre>\n a\tb\n\n<b>c</b><br>d</pre>", "<pre> a&#9;b&#10;&#10;<b>c</b>&#10;d</pre>"),
        ("<pre>\n\n\n a\n</pre><pre>\n\n</pre>", "<pre> a&#10;</pre>"),
        ("<pre><div>a</div><div>b</div></pre>", "<pre>a&#10;b</pre>"),
        ("<p>{{ a }} {% b &#123;{ {</p>", "<p>&#123;{ a }} &#123;% b &#123;{ {</p>"),
        ("&nbsp;\xa0&lt;&amp;lt;\"'>", "<p>&nbsp;&nbsp;&lt;&amp;lt;\"'&gt;</p>"),
        ("<script>x</script><style>y</style><!-- z -->a", "<p>a</p>"),
        (
            "<p id=a class=b style='color:red' onclick=c lang=zh title='\"t\"'>d",
            '<p lang="zh" title="&quot;t&quot;">d</p>',
        ),
        ("<span>a</span><font color=red>b</font>", "<p>ab</p>"),
        ("<a href='/x y'>a</a><a href=javascript:b>b</a><a>c</a>", '<p><a href="https://e.example/x%20y">a</a>bc</p>'),
        ("<a href='#n'>a<a href='?q'>b</a>", f'<p><a href="{BASE}#n">a</a><a href="{BASE}?q">b</a></p>'),
        ("<img src=//e.example/a.png><img><img src=data:x>", '<p><img src="https://e.example/a.png" /></p>'),
        (
            "<img src=b.png alt='\"x\"' width=3x height=4>",
            '<p><img src="https://e.example/d/b.png" alt="&quot;x&quot;" height="4" /></p>',
        ),
        ("<ruby>漢<rt>kan</rt></ruby><rt>x</rt>", "<p><ruby>漢<rt>kan</rt></ruby>x</p>"),
        ("<ul>a<b>b</b>c</ul>", "<ul><li>a<b>b</b>c</li></ul>"),
        ("<center>a</center>b", "<p>a</p>\n <p>b</p>"),
        ("<p>a\nb</p>x", "<p>a b</p>\n <p>x</p>"),
        ("<p>a  b</p>x", "<p>a b</p>\n <p>x</p>"),
        ("<p>a\tb</p>x", "<p>a b</p>\n <p>x</p>"),
    ],
)
def test_mending(html: str, mended: str) -> None:
    assert mend(html, PLAIN, BASE) == mended


def test_mending_keeps_what_the_markup_allows() -> None:
    html = '<center><p id=a class=b data-x=1 data-"y=2 style="color:red;position:fixed;top:0" onclick=c>d<font>e</font>'
    assert mend(html, RICH) == '<center><p id="a" class="b" data-x="1" style="color:red">de</p></center>'


@pytest.mark.parametrize("name", ["data-src", "data-original", "data-lazy-src"])
@pytest.mark.parametrize(
    "src", ["", "src=''", "src=data:image/gif;base64,AA", "src=/img/blank.gif", "src='/lazyload-1.png?x'"]
)
def test_late_images_get_their_address(name: str, src: str) -> None:
    assert mend(f"<img {src} {name}=/r.jpg>", RICH, BASE) == '<p><img src="https://e.example/r.jpg" /></p>'


def test_a_real_address_wins_over_a_late_one() -> None:
    assert mend("<img src=/a.jpg data-src=/b.jpg>", PLAIN, BASE) == '<p><img src="https://e.example/a.jpg" /></p>'


@pytest.mark.parametrize("tag", ["div", "b", "blockquote", "ul", "table><tr><td", "span class=x", "x-y"])
def test_depth(tag: str) -> None:
    mended = mend(f"<{tag}>" * 3000 + "deep", PLAIN)
    assert text_of(mended) == "deep"
    assert mended.count("<") <= 2 * DEPTH


@pytest.mark.parametrize("outer", range(DEPTH + 2))
@pytest.mark.parametrize(
    "inner", ["<table><tr><td>", "<ul><li>", "<ul>", "<dl>", "<b><i>", "<figure><p><b>", "<b><table>"]
)
def test_the_depth_cap_leaves_room_for_what_must_come_between(outer: int, inner: str) -> None:
    mended = mend("<blockquote>" * outer + inner * 3 + "deep", PLAIN)
    assert fit(mended, PLAIN)
    assert mend(mended, PLAIN) == mended
    assert text_of(mended) == "deep"


def test_hostile_depth_takes_no_time() -> None:
    """The parser alone would take half a minute for this: it is flattened first."""
    start = process_time()
    mended = mend("<p>first</p>" + "<div>" * 100_000 + "<p>deep<script>no</script>" + "</div>" * 100_000, PLAIN)
    assert mended == "<p>first</p>\n <p>deep</p>"
    assert process_time() - start < 15


def test_only_hostile_depth_is_flattened() -> None:
    assert mend("<div>" * 999 + "<i>x</i>", PLAIN) == "<p><i>x</i></p>"
    assert mend("<div>" * 1001 + "<i>x</i>", PLAIN) == "<p>x</p>"
    assert mend("</b>" * 2000 + "<div>" * 1001 + "<i>x</i>", PLAIN) == "<p>x</p>"
    assert mend("<div>a</div>" * 1001 + "<i>x</i>", PLAIN).endswith("<p><i>x</i></p>")


def test_many_paragraphs_are_no_depth() -> None:
    assert mend("<p>a<br><b>b</b>" * 3000, PLAIN).count("<b>") == 3000


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://e.example/a", "https://e.example/a"),
        ("HTTPS://e.example/a", "https://e.example/a"),
        (" //e.example/a b ", "https://e.example/a%20b"),
        ('/a/中.html?q={x}|<>"\\^`', "https://e.example/a/%E4%B8%AD.html?q=%7Bx%7D%7C%3C%3E%22%5C%5E%60"),
        ("b%20c", "https://e.example/d/b%20c"),
        ("java\nscript:x", ""),
        ("javascript:x", ""),
        ("data:text/html,x", ""),
        ("ftp://e.example", ""),
        ("http:///x", ""),
        ("https:", ""),
        ("//[", ""),
        ("mailto:a@e.example", "mailto:a@e.example"),
        ("tel:+49", "tel:+49"),
    ],
)
def test_addresses(url: str, public: str) -> None:
    assert absolute(url, BASE) == public
    assert absolute(public) == public


def test_addresses_without_a_page() -> None:
    assert absolute("/a") == ""


def test_look_alikes_of_references_in_a_link() -> None:
    assert autolink("https://e.example/?a&lt;b&#1;c;d") == "<https://e.example/?a&lt%3Bb&#1%3Bc;d>"


def test_text_hygiene() -> None:
    bad = "a\x00\x0b\x0c\x1b\x7f\x80\x9f\ud800\ufdd0\ufdef\ufffe\uffff\ufeff\U0001fffe\U0010ffffb"
    assert tidy(bad) == "ab"
    assert [one for one in bad[1:-1] if tidy(one)] == []
    good = "\t\n\x85\u2028\u200b\xa0\u3000🙂\ufdcf\ufdf0\ufffd"
    assert tidy(good) == good
    assert tidy("a\r\nb\rc") == "a\nb\nc"
    assert one_line(" a \r\n\t b\x85\u2028c\u3000 ") == "a b c\u3000"


def test_headlines() -> None:
    assert headline("&#0; &#xD800; &#x110000 &#65; &#x4e2d; &amp; &#99999999999;") == "� � � &#65; &#x4e2d; &amp; �"


def test_lines_of_a_text_begin_with_no_blank_of_any_kind() -> None:
    assert text_of("<p>\u3000\u3000a b \t\n\u3000</p>\n<p>&nbsp;c&#12288;</p><p> \u3000 </p>") == "a b\nc\u3000"


def test_text_of_a_body() -> None:
    html = "<!-- c --><p>a <b>b</b><br />c</p>\n <ul><li>d</li><li>e&lt;f</li></ul>"
    html += "<table><tr><td>g</td><td>h</td></tr></table><pre>i&#10;j</pre>"
    assert text_of(html) == "a b\nc\nd\ne<f\ng\nh\ni\nj"
