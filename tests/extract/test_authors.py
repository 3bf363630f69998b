"""Authors: every place where a page names them, what is no name, who goes before whom. All people are invented."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.authors import seek_authors
from crawler.extract.bylines import han_names_in, is_label, labelled, looks_like_a_name, names_in
from crawler.extract.evidence import Choice
from crawler.extract.facts import Facts
from crawler.extract.page import Page

URL = "https://www.example-times.com/mill"
LEDE = (
    "<p>The mill in Springfield reopened on Tuesday after four months of repairs, and the first flour left it by noon, "
    "on a lorry that had waited since dawn.</p>"
)
TEXT = LEDE * 4


def choice(html: str, url: str = URL) -> Choice[tuple[str, ...]]:
    page = f"<html><head></head><body>{html}</body></html>"
    return seek_authors(Facts(Page(page.encode(), url)), agencies=("dpa", "AFP", "Reuters", "Example Press"))


def authors(html: str, url: str = URL) -> list[str]:
    return list(choice(html, url).value or ())


def rule(html: str) -> str:
    taken = choice(html).taken
    return taken.rule if taken else ""


def ld(author: object, **more: object) -> str:
    return (
        f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "author": author, **more})}</script>'
    )


def meta(name: str, content: str) -> str:
    return f'<meta name="{name}" content="{content}">'


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ({"@type": "Person", "name": "Erika Muster"}, ["Erika Muster"]),
        ([{"@type": "Person", "name": "Erika Muster"}, {"name": "Max Beispiel"}], ["Erika Muster", "Max Beispiel"]),
        ([[{"name": "Erika Muster"}]], ["Erika Muster"]),
        ("Erika Muster and Max Beispiel", ["Erika Muster", "Max Beispiel"]),
        ("By Erika Muster, Max Beispiel", ["Erika Muster", "Max Beispiel"]),
        (["Erika Muster", "ERIKA MUSTER"], ["Erika Muster"]),
        ({"givenName": "Erika", "familyName": "Muster"}, ["Erika Muster"]),
        ({"name": ["Erika Muster"]}, ["Erika Muster"]),
        ({"name": "Erika Muster, Senior Correspondent"}, ["Erika Muster"]),
        ({"name": "Erika Muster, dpa"}, ["Erika Muster", "dpa"]),
        ({"name": "Erika Muster, Berlin"}, ["Erika Muster"]),
        ({"name": "배윤경 기자"}, ["배윤경"]),
        ({"name": "erika@example.org"}, []),
        ({"name": "https://example.org/erika"}, []),
        ({"name": "admin"}, []),
        ({"name": "Redaktion"}, []),
        ({"name": "105092"}, []),
        ({"name": ""}, []),
        (None, []),
        (7, []),
    ],
)
def test_structured_data(author: object, names: list[str]) -> None:
    assert authors(ld(author)) == names


def test_an_author_by_reference_is_looked_up() -> None:
    graph = {
        "@graph": [
            {"@type": "Article", "author": {"@id": "#e"}},
            {"@type": "Person", "@id": "#e", "name": "Erika Muster"},
        ]
    }
    assert authors(f'<script type="application/ld+json">{json.dumps(graph)}</script>') == ["Erika Muster"]


def test_a_creator_stands_in_for_an_author() -> None:
    assert authors(ld(None, creator=["Erika Muster"])) == ["Erika Muster"]


@pytest.mark.parametrize(
    "name",
    [
        "author",
        "article:author",
        "parsely-author",
        "sailthru.author",
        "dc.creator",
        "byl",
        "cXenseParse:author",
        "dcsext.author",
    ],
)
def test_metas(name: str) -> None:
    assert authors(meta(name, "By Erika Muster")) == ["Erika Muster"]
    assert rule(meta(name, "Erika Muster")) == f"meta:{name.lower()}"


@pytest.mark.parametrize(
    "content", ["https://www.facebook.com/example", "@erika", "", "/people/erika", "No Author", "Staff"]
)
def test_metas_that_name_nobody(content: str) -> None:
    assert authors(meta("article:author", content) + meta("author", content)) == []


@pytest.mark.parametrize(
    "html",
    [
        '<a rel="author" href="/x">Erika Muster</a>',
        '<span itemprop="author"><span itemprop="name">Erika Muster</span></span>',
        '<span class="author vcard"><a class="url fn n" href="#">Erika Muster</a></span>',
        '<p class="byline">By Erika Muster</p>',
        '<div class="byline"><span>By</span> <a href="#">Erika Muster</a> <i class="x">Staff Writer</i> May 3</div>',
        '<div class="c-article__author">Von <a>Erika Muster</a><span>Korrespondentin</span></div>',
        '<div class="BylineName-cKrVJj">Erika Muster</div>',
        '<div id="authors-container"><p>Erika Muster</p></div>',
        '<div class="byline">3 May 2022, 14:46 by Erika Muster</div>',
        '<div class="article-autor">Erika Muster</div>',
        '<p class="auteur">Par Erika Muster</p>',
        '<span class="writer">Erika Muster</span>',
        '<p><a href="/people/erika-muster">Erika Muster</a></p>',
        '<p class="byline">By Erika Muster for Example-Times.com</p>',
        '<p class="byline">Erika Muster (Springfield)</p>',
        '<p class="byline">Erika Muster | erika@example.org</p>',
    ],
)
def test_markup_of_a_byline(html: str) -> None:
    assert authors(f"<h1>Mill reopens</h1>{html}{TEXT}") == ["Erika Muster"]


@pytest.mark.parametrize(
    "html",
    [
        "<p>By Erika Muster</p>",
        "<p>By&nbsp;Erika Muster</p>",
        "<p><em>Von Erika Muster</em></p>",
        "<p>Text: Erika Muster</p>",
        "<p>Autor: <b>Erika Muster</b></p>",
        "<span>06.11.2023 13:30 von Erika Muster</span>",
        "<p>Written by Erika Muster</p>",
        "<p>Por Erika Muster</p>",
        "<p>Text von Erika Muster Illustration von Max Beispiel</p>",
    ],
)
def test_print(html: str) -> None:
    assert authors(f"<h1>Mill reopens</h1>{html}{TEXT}") == ["Erika Muster"]
    assert rule(f"<h1>Mill reopens</h1>{html}{TEXT}") == "print"


def test_a_byline_at_the_end_counts_and_says_so() -> None:
    assert authors(f"<h1>Mill</h1>{TEXT}<p>Von Erika Muster</p>") == ["Erika Muster"]
    assert rule(f"<h1>Mill</h1>{TEXT}<p>Von Erika Muster</p>") == "print:far"


@pytest.mark.parametrize(
    "html",
    [
        "<p>By the river the mill was silent, and so it stayed.</p>",
        "<p>By Monday</p>",
        "<p>Von hier aus</p>",
        TEXT + "<p>By Erika</p>",
        '<figure><figcaption class="author">Erika Muster</figcaption></figure>',
        '<p class="byline">Foto: Erika Muster</p>',
        '<p class="image-byline">Erika Muster</p>',
        '<div class="comments"><span class="author">Erika Muster</span></div>',
        '<li class="related"><p class="byline">By Erika Muster</p></li>',
        '<div class="author-bio">Erika Muster writes about mills.</div>',
        '<a class="author" href="#">More stories by Erika Muster</a>',
        '<form class="author">Erika Muster</form>',
        '<p class="author">7 Min.</p>',
        '<p class="byline">Veröffentlicht am 27.04.24 um 07:39 Uhr</p>',
        '<p class="author">Twitter</p>',
        '<button class="author">Erika Muster</button>',
    ],
)
def test_what_signs_nothing(html: str) -> None:
    assert authors(f"<h1>Mill reopens</h1>{html}{TEXT}") == []


def test_several_authors_side_by_side() -> None:
    one, two = '<a rel="author">Erika Muster</a>', '<a rel="author">Max Beispiel</a>'
    assert authors(f"<h1>Mill</h1><p>{one} and {two}</p>{TEXT}") == ["Erika Muster", "Max Beispiel"]
    inside = '<div class="byline">By <a class="n">Erika Muster</a><a class="n">Max Beispiel</a><i>Editors</i></div>'
    assert authors(f"<h1>Mill</h1>{inside}{TEXT}") == ["Erika Muster", "Max Beispiel"]


def test_the_byline_by_the_headline_goes_before_others() -> None:
    teaser = "".join(f'<div><b>Title</b><p class="author">Von Teaser Nummer{chr(97 + n)}</p></div>' for n in range(6))
    byline = '<p class="author">Von Erika Muster</p>'
    assert authors(f"{teaser}<h1>Mill</h1>{byline}{TEXT}{teaser}") == ["Erika Muster"]
    assert authors(f"<h1>Mill</h1>{TEXT}{teaser}") == []


def test_the_article_goes_before_the_page() -> None:
    byline = '<h1>Mill</h1><p class="author">Max Beispiel</p>'
    assert authors(ld("Erika Muster") + byline) == ["Erika Muster"]
    assert authors(meta("parsely-author", "Erika Muster") + byline) == ["Erika Muster"]
    assert authors(meta("author", "Erika Muster") + byline) == ["Max Beispiel"]


def test_persons_go_before_houses() -> None:
    house = ld({"@type": "Organization", "name": "Example Times"}, publisher={"name": "Example Times"})
    found = choice(f'{house}<h1>Mill</h1><p class="author">Von Erika Muster</p>{TEXT}')
    assert found.value == ("Erika Muster",)
    assert [(other.value, other.reason) for other in found.rejected] == [
        (("Example Times",), "a house or a login, and a person signs")
    ]


def test_a_house_signs_where_nobody_else_does() -> None:
    house = ld({"@type": "Organization", "name": "Example Times"})
    assert authors(house) == ["Example Times"]
    assert authors(ld("dpa")) == ["dpa"]
    assert authors(f"{house}<h1>Mill</h1>{TEXT}<p class='author'>Erika Muster</p>") == ["Example Times"]


def test_the_site_itself_is_left_out_beside_a_person() -> None:
    site = '<meta property="og:site_name" content="Example Times">'
    assert authors(site + ld(["Erika Muster", "Example Times"])) == ["Erika Muster"]
    assert authors(ld(["Erika Muster", "example-times.com"])) == ["Erika Muster"]
    assert authors(ld(["Erika Muster", "AFP"])) == ["Erika Muster", "AFP"]


def test_a_login_goes_behind_a_name() -> None:
    assert authors(ld("emuster42") + "<h1>Mill</h1><p class='author'>Erika Muster</p>") == ["Erika Muster"]
    assert authors(ld("emuster42")) == ["emuster42"]


def test_evidence() -> None:
    found = choice('<h1>Mill</h1><p class="byline">By Erika Muster</p>')
    assert found.taken is not None
    assert (found.taken.rule, found.taken.raw, found.taken.path) == ("class:author", "By Erika Muster", "/html/body/p")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("作者：张三", ["张三"]),
        ("作者: 张三 李四", ["张三", "李四"]),
        ("来源： 甲报 作者：张三 李四", ["张三", "李四"]),
        ("02日14:25 作者： 张三 出自[甲出版社]", ["张三"]),
        ("作者:mill_fan 阅读(1660) 评论(5)", ["mill_fan"]),
        ("12次阅读| 作者张三", ["张三"]),
        ("（记者 张三、李四）", ["张三", "李四"]),
        ("（甲报记者 张三）", ["张三"]),
        ("□ 本报记者 张三", ["张三"]),
        ("甲地日报记者 张三 李四", ["张三", "李四"]),
        ("甲报记者 张三 乙县报道", ["张三"]),
        ("执笔人：张三 李四 王五", ["张三", "李四", "王五"]),
        ("采写：甲报记者 张三", ["张三"]),
        ("文/张三", ["张三"]),
        ("所有的工厂都这样吗？”（张三 乙地报道）", ["张三"]),
        ("责任编辑：张三", []),
        ("摄影：张三", []),
        ("图片作者：网络", []),
        ("记者从工厂了解到，生产恢复了。", []),
        ("记者训练营", []),
        ("作者：", []),
        ("作者：佚名", []),
        ("", []),
    ],
)
def test_chinese_bylines(line: str, names: list[str]) -> None:
    assert han_names_in(line) == names


def test_chinese_pages() -> None:
    assert authors("<h1>工厂</h1><div>时间：2022 作者：<a>张三</a> 来源：甲报</div>") == ["张三"]
    assert authors("<h1>工厂</h1><p>工厂恢复了生产。（记者 张三）</p>") == ["张三"]
    assert authors("<h1>工厂</h1><p>责任编辑：张三</p>") == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Von Erika Muster und Max Beispiel", ["Erika Muster", "Max Beispiel"]),
        ("José Ortega y Gasset", ["José Ortega y Gasset"]),
        ("Ana Ruiz y Luis Gil", ["Ana Ruiz", "Luis Gil"]),
        ("Erika Muster / Example Press", ["Erika Muster", "Example Press"]),
        ("Erika Muster, Jr.", ["Erika Muster"]),
        ("Dr. Erika Muster", ["Dr. Erika Muster"]),
        ("Ludwig van der Beispiel", ["Ludwig van der Beispiel"]),
        ("Erika Muster, PhD, Max Beispiel, MD", ["Erika Muster", "Max Beispiel"]),
        ("中村 真子", ["中村", "真子"]),
        ("What comes next?", []),
        ("May 3, 2022", []),
        ("Senior Reporter", []),
        ("x", []),
        ("", []),
    ],
)
def test_names_in_a_signature(text: str, names: list[str]) -> None:
    assert names_in(text) == names


def test_labels() -> None:
    assert all(map(is_label, ["By", "Von:", "Text", "Veröffentlicht von", "Autor:", "作者：", "|", "and", ""]))
    assert not any(map(is_label, ["Erika", "By Erika"]))
    assert labelled("By Erika")
    assert not labelled("Bypass")
    assert looks_like_a_name("Erika von Muster")
    assert not looks_like_a_name("the old mill")


@pytest.mark.parametrize(
    "html",
    [
        '<a class="author" href="/author/x">By Erika Muster</a> ' * 20_000,
        '<div class="comments">' + "<div>" * 150 + '<a class="author">By Erika Muster</a> ' * 20_000,
        '<p class="author">' + "By A B, " * 500_000,
        "<p>" + "记者 张三 " * 300_000,
        "<p>" + "<b>作者</b>x " * 20_000,
        '<p class="author">' + "1 - , " * 200_000,
    ],
    ids=["links", "comments", "line", "han", "labels", "dashes"],
)
def test_monstrous_pages_take_no_time(html: str) -> None:
    facts = Facts(Page(html.encode()))
    assert 1 < len(facts.elements) <= 50_000
    began = time.process_time()
    seek_authors(facts)
    assert time.process_time() - began < 2


# fmt: off
PIECES = st.sampled_from([
    "<h1>Mill</h1>", '<p class="byline">', "</p>", "By ", "Erika Muster", ", ", " and ", '<a rel="author">', "</a>",
    "作者：", "张三", "（记者 ", "<div class=author>", "</div>", LEDE, '<meta name="author" content="', '">', "|",
    "von ", "dpa", "<!--", "-->", "<br>", "\u3000", "&amp;",
])
# fmt: on


@settings(max_examples=120, deadline=None)
@given(st.lists(PIECES | st.text(max_size=8), max_size=30))
def test_any_page_gives_names_or_none(pieces: list[str]) -> None:
    found = choice("".join(pieces)).value
    assert found is None or all(1 < len(name) <= 60 and name == name.strip() for name in found)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES | st.text(max_size=12), max_size=12).map("".join))
def test_any_line_gives_names_or_none(line: str) -> None:
    for names in (names_in(line), names_in(line, printed=True), han_names_in(line)):
        assert len({name.casefold() for name in names}) == len(names)


KEYS = st.sampled_from(["name", "@id", "givenName", "@type", "x"])
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=9),
    lambda value: st.lists(value, max_size=3) | st.dictionaries(KEYS, value, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_any_structured_author_is_read(author: object) -> None:
    choice(ld(author))
