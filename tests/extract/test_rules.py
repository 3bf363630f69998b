"""Rules: each kind of step, insistence on one match, the order of steps, and no error but the documented ones."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.page import NotJson, Page
from crawler.extract.rules import KINDS, NoFit, Rule, as_text, compile_step

HTML = Page(
    """<html><body><h1> A  headline\n in two lines </h1><a class="more next" href="/2?a=1&amp;b=2">on</a>
    <ul><li id="n1">one<br>line</li><li id="n2"> </li><li id="n3">three<script>not()</script></li></ul>
    <p>Same</p><p> Same </p><!-- a comment --><b data-t="来源：某报 12:30">x</b></body></html>""".encode()
)
JSON = Page(
    json.dumps(
        {
            "title": " 标题  x ",
            "id": 202205192383905174,
            "rate": 1.5,
            "none": None,
            "yes": True,
            "no": "",
            "list": [{"name": "a", "n": 1}, {"name": "b", "n": 2}, {"n": 3}],
            "odd key": {"a.b": "dotted", 'q"q': "quoted", "日期": "dated"},
            "empty": [],
        }
    ).encode()
)


def rule(*steps: tuple[str, str] | dict[str, Any]) -> Rule:
    made = []
    for step in steps:
        told = step if isinstance(step, dict) else {"kind": step[0], "expression": step[1]}
        made.append(compile_step(**told))
    return Rule(made)


@pytest.mark.parametrize(
    ("page", "kind", "expression", "text"),
    [
        (HTML, "css", "h1", "A headline in two lines"),
        (HTML, "css", "h1::text", "A headline in two lines"),
        (HTML, "css", "a.next::attr(href)", "/2?a=1&b=2"),
        (HTML, "css", "li:nth-child(1)", "one line"),
        (HTML, "css", "li#n3", "three"),
        (HTML, "css", "p", "Same"),  # several, but all say the same
        (HTML, "xpath", "//li[@id='n1']/text()[1]", "one"),
        (HTML, "xpath", "string(//h1)", "A headline in two lines"),
        (HTML, "xpath", "count(//li)", "3.0"),
        (HTML, "xpath", "//b[re:test(@data-t, '\\d{2}:')]", "x"),
        (HTML, "regex", r'href="/(\d)', "2"),
        (HTML, "regex", r"来源：\S+", "来源：某报"),
        (HTML, "const", " fixed  text ", "fixed text"),
        (JSON, "jmespath", "title", "标题 x"),
        (JSON, "jmespath", "id", "202205192383905174"),
        (JSON, "jmespath", "rate", "1.5"),
        (JSON, "jmespath", "list[?n==`2`].name", "b"),
        (JSON, "jmespath", 'join(`/`, [title, "odd key"."日期"])', "标题 x /dated"),
        (JSON, "jsonpath", "$.title", "标题 x"),
        (JSON, "jsonpath", "$.list[1].name", "b"),
        (JSON, "jsonpath", "$.list[-2]['name']", "b"),
        (JSON, "jsonpath", "$.list[1:2].name", "b"),
        (JSON, "jsonpath", "$['odd key']['a.b']", "dotted"),
        (JSON, "jsonpath", '$["odd key"][\'q"q\']', "quoted"),
        (JSON, "jsonpath", "$['odd key'].日期", "dated"),
        (JSON, "regex", r'"id": (\d+)', "202205192383905174"),
    ],
)
def test_one_way_to_a_value(page: Page, kind: str, expression: str, text: str) -> None:
    assert rule((kind, expression)).text(page) == text


@pytest.mark.parametrize(
    ("page", "kind", "expression", "reason"),
    [
        (HTML, "css", "h2", "css 'h2' matched nothing"),
        (HTML, "css", "li", "css 'li' matched 2 where one is due"),  # the blank one does not count
        (HTML, "css", "li#n2", "css 'li#n2' matched nothing"),
        (HTML, "css", "h1::attr(id)", "matched nothing"),
        (HTML, "xpath", "//comment()", "matched nothing"),
        (HTML, "xpath", "string(//h2)", "matched nothing"),
        (HTML, "xpath", "boolean(//h1)", "matched nothing"),
        (HTML, "regex", "li=id", "matched nothing"),
        (HTML, "regex", r"id=.n(\d)", "matched 3 where one is due"),
        (JSON, "jmespath", "nope", "matched nothing"),
        (JSON, "jmespath", "none", "matched nothing"),
        (JSON, "jmespath", "yes", "matched nothing"),
        (JSON, "jmespath", "no", "matched nothing"),
        (JSON, "jmespath", "list", "matched nothing"),
        (JSON, "jmespath", "length(rate)", "matched nothing"),
        (JSON, "jmespath", "list[].name", "matched 2 where one is due"),
        (JSON, "jsonpath", "$.list[*].n", "matched 3 where one is due"),
        (JSON, "jsonpath", "$.list[9].n", "matched nothing"),
        (JSON, "jsonpath", "$", "matched nothing"),
    ],
)
def test_a_selector_insists_on_one_value(page: Page, kind: str, expression: str, reason: str) -> None:
    with pytest.raises(NoFit) as raised:
        rule((kind, expression)).text(page)
    assert str(raised.value).endswith(reason)
    assert expression in str(raised.value) or repr(expression) in str(raised.value)


def test_the_first_of_several_only_where_it_is_asked_for() -> None:
    assert rule({"kind": "css", "expression": "li", "first": True}).text(HTML) == "one line"
    with pytest.raises(NoFit, match="matched nothing"):
        rule({"kind": "css", "expression": "h2", "first": True}).text(HTML)


def test_joining() -> None:
    assert rule({"kind": "css", "expression": "li", "join": " / "}).text(HTML) == "one line / three"
    assert rule({"kind": "jmespath", "expression": "list[].n", "join": ""}).text(JSON) == "123"
    with pytest.raises(NoFit, match="matched nothing"):
        rule({"kind": "jmespath", "expression": "empty", "join": ","}).text(JSON)


@pytest.mark.parametrize(
    ("regex", "text"),
    [(r"来源：(\S+)", "某报"), (r"\d\d:\d\d", "12:30"), ("(x)?来源", None), ("nope", None), ("(作者：)?.报", None)],
)
def test_narrowing(regex: str, text: str | None) -> None:
    narrowed = rule({"kind": "css", "expression": "b::attr(data-t)", "regex": regex})
    if text is None:
        with pytest.raises(NoFit, match="matched nothing"):
            narrowed.text(HTML)
    else:
        assert narrowed.text(HTML) == text


def test_narrowing_leaves_the_one_that_fits() -> None:
    assert rule({"kind": "css", "expression": "li", "regex": "^th.*"}).text(HTML) == "three"


def test_the_first_step_that_fits_wins() -> None:
    assert rule(("css", "h2"), ("css", "li"), ("css", "h1"), ("const", "x")).text(HTML) == "A headline in two lines"
    with pytest.raises(NoFit, match=r"^css 'h2' matched nothing; css 'li' matched 2 where one is due$"):
        rule(("css", "h2"), ("css", "li")).text(HTML)
    with pytest.raises(NoFit):
        rule().text(HTML)


def test_all_texts_of_the_first_step_that_gives_any() -> None:
    assert rule(("css", "h2"), ("css", "li"), ("css", "h1")).texts(HTML) == ["one line", "three"]
    assert rule({"kind": "css", "expression": "li", "regex": "^o.e"}).texts(HTML) == ["one"]
    assert rule(("css", "h2")).texts(HTML) == []


def test_nodes_as_they_are() -> None:
    assert [node.tag for node in rule(("css", "h2"), ("css", "li")).nodes(HTML)] == ["li", "li", "li"]
    assert rule(("jmespath", "list[0]")).nodes(JSON) == [{"name": "a", "n": 1}]
    assert rule(("jmespath", "none")).nodes(JSON) == []


def test_one_node_is_due_unless_the_step_says_otherwise() -> None:
    assert [node.get("id") for node in rule(("css", "#n1")).nodes_due(HTML)] == ["n1"]
    with pytest.raises(NoFit, match=r"^css 'li' matched 3 where one is due; css 'h2' matched nothing$"):
        rule(("css", "li"), ("css", "h2")).nodes_due(HTML)
    assert [node.tag for node in rule(("css", "li"), ("css", "h1")).nodes_due(HTML)] == ["h1"]
    first, joined = (
        {"kind": "css", "expression": "li", "first": True},
        {"kind": "css", "expression": "li", "join": ""},
    )
    assert [node.get("id") for node in rule(first).nodes_due(HTML)] == ["n1"]
    assert [node.get("id") for node in rule(joined).nodes_due(HTML)] == ["n1", "n2", "n3"]


def test_a_scope_bounds_what_is_found() -> None:
    (item,) = rule(("css", "li#n1")).nodes(HTML)
    assert rule(("css", "li")).text(HTML, item) == "one line"
    assert rule(("css", "::attr(id)")).text(HTML, item) == "n1"
    assert rule(("regex", r'id="(\w+)"')).text(HTML, item) == "n1"
    with pytest.raises(NoFit):
        rule(("css", "h1")).text(HTML, item)
    record = JSON.json["list"][1]
    assert rule(("jmespath", "name")).text(JSON, record) == "b"
    assert rule(("jsonpath", "$.name")).text(JSON, record) == "b"
    assert rule(("regex", "^b.")).text(JSON, "bc") == "bc"
    with pytest.raises(NoFit):
        rule(("jmespath", "title")).text(JSON, record)


def test_a_selector_for_html_finds_nothing_in_a_record() -> None:
    with pytest.raises(NoFit, match="matched nothing"):
        rule(("css", "h1")).text(JSON, {"h1": "x"})


def test_html_where_json_is_due_is_told() -> None:
    with pytest.raises(NotJson):
        rule(("jmespath", "title")).text(HTML)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  a\u3000 b\n", "a b"),
        (7, "7"),
        (0, "0"),
        (-1.5, "-1.5"),
        (True, ""),
        (None, ""),
        ([], ""),
        ({"a": 1}, ""),
        (["a"], ""),
    ],
)
def test_texts_of_values(value: Any, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("kind", "expression", "reason"),
    [
        ("css", "", "Expected selector"),
        ("css", "p[", "Expected ident or"),
        ("css", "p::nope", "nope"),
        ("css", "p:hover:nope", "nope"),
        ("xpath", "//p[", "Invalid expression"),
        ("xpath", "nope()", "Unregistered function"),
        ("xpath", "$nope", "Undefined variable"),
        ("xpath", "x:y", "Undefined namespace prefix"),
        ("xpath", "count('a')", "Invalid type"),
        ("xpath", "re:test('a', '(')", "missing )"),
        ("xpath", "//p\0", "XML compatible"),
        ("jmespath", "", "empty"),
        ("jmespath", "a[", "Invalid jmespath expression"),
        ("jmespath", "nope(a)", "Unknown function: nope()"),
        ("jmespath", "length()", "Expected 1 argument"),
        ("jmespath", "(" * 5000, "recursion"),
        ("jsonpath", "title", "begins with $"),
        ("jsonpath", "$..title", "not understood from '..title' on"),
        ("jsonpath", "$.list[?(@.n)]", "not understood from '[?(@.n)]' on"),
        ("jsonpath", "$.a-b", "not understood from '-b' on"),
        ("jsonpath", "$title", "not understood"),
        ("jsonpath", "$.", "not understood"),
        ("jsonpath", "$.list[::2]", "not understood"),
        ("regex", "(", "missing )"),
        ("regex", "a{99999999999}", "repetition number is too large"),
    ],
)
def test_what_cannot_be_read_says_why(kind: str, expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match="cannot be read") as raised:
        compile_step(kind, expression)
    assert reason.lower() in str(raised.value).lower()
    assert "\n" not in str(raised.value)


def test_a_bad_narrowing_expression_is_told() -> None:
    with pytest.raises(ValueError, match=r"css 'p' cannot be read: missing \)"):
        compile_step("css", "p", "(")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KINDS), st.text(max_size=30) | st.text("$.[]*'\"()a:1?@/|{}`&!=<>-", max_size=20))
def test_any_expression_works_or_is_a_value_error(kind: str, expression: str) -> None:
    try:
        step = compile_step(kind, expression)
    except ValueError:
        return
    for page in (HTML, JSON, Page(b"")):
        with suppress(NoFit, NotJson):
            Rule([step]).text(page)


STEPS = [
    ("css", "p"),
    ("css", "a::attr(href)"),
    ("xpath", "//text()"),
    ("xpath", "//comment()"),
    ("xpath", "//p[re:test(., '^\\d+$')]"),
    ("jmespath", "a"),
    ("jmespath", "length(a)"),
    ("jmespath", "sort_by(a, &b)[0]"),
    ("jmespath", "a[?contains(b, 'x')].b"),
    ("jsonpath", "$.a[*].b"),
    ("regex", r"a(b)?"),
    ("const", "x"),
]
BODIES = (
    st.binary(max_size=60)
    | st.lists(st.sampled_from(["<p>", "</p>", "<!--", "-->", "<a href=", "'x'>", "7", "<table><tr>", "&#0;", "\0"]))
    .map("".join)
    .map(str.encode)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=3) | st.floats(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode())
)


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_nothing_but_documented_errors(body: bytes) -> None:
    for kind, expression in STEPS:
        for narrow in ("", r"(x)?."):
            one = Rule([compile_step(kind, expression, narrow)])
            with suppress(NoFit, NotJson):
                assert one.text(Page(body))
            with suppress(NotJson):
                assert all(one.texts(Page(body)))
            with suppress(NoFit, NotJson):
                assert one.nodes_due(Page(body))
