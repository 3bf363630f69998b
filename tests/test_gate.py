"""The gate as tables: what passes, what does not and why; the demo's articles all pass."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.markup import text_of
from crawler.extract import walls
from crawler.extract.walls import MIDDLING, SHORT, common, weight
from crawler.gate import Floor, class_of, digest, judge, own_key, resemblance, same_text, sketch
from crawler.items import Refused, Text
from crawler.yamlfile import load_yaml
from tests.demo_site import ARTICLES, Truth

WALLS = common()
FLOOR = Floor(20, 1)
NEWS = "渡轮今天恢复通航，首航载客三百人，船长说风浪不大，码头同时换上了新的航标灯，夜航也将在本周内恢复。"
LONG = [f"{NEWS}这是第{number}段，写的是码头第{number}个泊位的情况。" for number in range(8)]


def refused(title: str, paragraphs: Sequence[str], floor: Floor = FLOOR, errors: Sequence[list[int]] = ()) -> str:
    """The reason, empty for an article that passes."""
    try:
        judge(title, paragraphs, floor, WALLS, errors)
    except Refused as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("title", "paragraphs", "kind"),
    [
        ("在您继续之前", ["我们使用 Cookie。请点击同意以继续阅读。"], "consent"),
        ("We value your privacy", ["We and our partners store and access information on your device."], "consent"),
        ("Hinweis", ["Alle Cookies akzeptieren", "Einstellungen"], "consent"),
        ("Accueil", ["Continuer sans accepter", "Nous utilisons des cookies pour mesurer notre audience."], "consent"),
        ("Aviso", ["Utilizamos cookies propias y de terceros."], "consent"),
        ("確認", ["クッキーに同意してください"], "consent"),
        ("航线", ["请完成安全验证后继续访问"], "captcha"),
        ("Just a moment", ["Checking your browser before accessing the site."], "captcha"),
        ("渡轮恢复通航", [NEWS, "订阅后阅读全文 立即订阅"], "paywall"),
        ("Ferry back", ["The ferry is back in service.", "Subscribe to continue reading."], "paywall"),
        ("Fähre fährt", ["Die Fähre fährt wieder.", "Jetzt abonnieren und weiterlesen"], "paywall"),
        ("渡轮恢复通航", [NEWS, "登录后查看全文"], "login"),
        ("很抱歉，您访问的页面不存在", ["该文章已被删除或不存在。"], "soft-404"),
        ("Page not found", ["Try the search."], "soft-404"),
        ("系统错误", ["java.lang.NullPointerException"], "busy"),
        ("Harbour", ["Internal Server Error"], "busy"),
    ],
)
def test_walls_and_stubs_do_not_pass(title: str, paragraphs: list[str], kind: str) -> None:
    assert refused(title, paragraphs).startswith(f"{kind}: ")
    assert refused(title, [line.upper() for line in paragraphs]).startswith(f"{kind}: "), "in any case of letters"


def test_news_about_walls_pass() -> None:
    """A phrase in a text with more to say is a quotation."""
    assert refused("网站改版", [*LONG, "新页面写着：我们使用 Cookie。请完成安全验证。"]) == ""
    assert refused("支付应用中断两小时", [NEWS + "用户看到的提示是“系统繁忙，请稍后再试”，公司表示正在排查。"]) == ""
    assert refused("订阅后阅读全文", LONG * 4) == ""


def test_a_middling_text_that_is_little_but_a_wall() -> None:
    terms = "We use cookies to measure our audience and show advertising from partners. " * 14
    assert SHORT < weight(terms) < MIDDLING
    assert refused("Ferry", [terms]).startswith("consent: ")
    assert refused("Ferry", [terms, *LONG * 2]) == ""


@pytest.mark.parametrize(
    ("paragraphs", "floor", "reason"),
    [
        ([], FLOOR, "body: empty"),
        (["短讯。"], FLOOR, "body: 3 characters, the floor is 20"),
        ([NEWS], Floor(20, 2), "body: 1 paragraphs, the floor is 2"),
        ([NEWS], FLOOR, ""),
        ([NEWS, NEWS], Floor(20, 2), ""),
    ],
)
def test_floors(paragraphs: list[str], floor: Floor, reason: str) -> None:
    assert refused("渡轮", paragraphs, floor) == reason


def test_the_learnt_error_page() -> None:
    said = "您要找的内容找不到了，也许它换了地方。请看看今天的头条，或者回到首页。编号 {}。"
    learnt = [sketch(said.format("absent-81ab77"))]
    assert refused("头条", [said.format("100001")], errors=learnt).startswith("soft-404: ")
    assert refused("头条", [NEWS], errors=learnt) == ""
    assert refused("头条", [said.format("100001")]) == "", "nothing was learnt"


def test_texts_are_the_same_whatever_their_setting() -> None:
    assert digest("Ferry  is\nback") == digest("ferry is back ")
    assert digest("Ferry is back") != digest("Ferry is late")
    twin = {digest(NEWS): ("100001", "headline"), digest("".join(LONG)): ("100002", "headline")}.get
    short, long = weight(NEWS), weight("".join(LONG))
    with pytest.raises(Refused, match="same text as 100001"):
        same_text(Text(digest(NEWS), "headline", 50, True), short, twin)
    with pytest.raises(Refused, match="same text as 100002"):
        same_text(Text(digest("".join(LONG)), "another", 500, True), long, twin)
    same_text(Text(digest("".join(LONG)), "headline", 500, True), long, twin)  # a long one, sold twice
    with pytest.raises(Refused, match="same text as"):  # but not at an address that was made up
        same_text(Text(digest("".join(LONG)), "headline", 500, True), long, twin, twice=False)
    same_text(Text(digest("another"), "headline", 5, True), 2, twin)


@pytest.mark.parametrize(
    ("visible", "passes"), [((), True), (("", ""), True), (("1",), True), (("2", "1"), True), (("2",), False)]
)
def test_the_own_key_stands_on_the_page_or_none(visible: tuple[str, ...], passes: bool) -> None:
    if passes:
        own_key("1", visible)
    else:
        with pytest.raises(Refused, match="names 2"):
            own_key("1", visible)


@given(st.text(max_size=400), st.text(max_size=400))
def test_resemblance_is_a_share_and_whole_with_oneself(one: str, other: str) -> None:
    assert resemblance(sketch(one), sketch(one)) == 1.0
    assert 0.0 <= resemblance(sketch(one), sketch(other)) <= 1.0
    assert resemblance(sketch(one), sketch(other)) == resemblance(sketch(other), sketch(one))


@given(st.text(max_size=300), st.lists(st.text(max_size=200), max_size=5))
def test_any_text_is_judged(title: str, paragraphs: list[str]) -> None:
    assert class_of(refused(title, paragraphs)) in {
        "", "consent", "blocked", "paywall", "soft-404", "layout changed",
    }  # fmt: skip


@pytest.mark.parametrize("truth", [one for one in ARTICLES if one.expected == "kept"], ids=lambda one: one.key)
def test_every_good_page_of_the_demo_passes(truth: Truth) -> None:
    body = "".join(f"<p>{escape(line)}</p>" for line in truth.paragraphs)
    lines = [line for line in text_of(body).split("\n") if line.strip()]
    assert refused(truth.title, lines) == ""


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("consent: the page says x", "consent"),
        ("captcha: the page says x", "blocked"),
        ("HTTP 403", "blocked"),
        ("HTTP 429", "blocked"),
        ("HTTP 404", "list moved"),
        ("HTTP 500", ""),
        ("timed out", ""),
        ("no such host (x.example)", "dns"),
        ("connection refused (111)", "refused"),
        ("not allowed (Forbidden by robots.txt)", "robots"),
        ("robots: disallowed by robots.txt", "robots"),
        ("robots: unreachable (HTTP 503)", ""),
        ("robots: unreachable (no such host (x.example))", "dns"),
        ("robots: unreachable (connection refused (111))", "refused"),
        ("robots: unreachable (timed out)", ""),
        ("soft-404: it leads to https://a.example/", "soft-404"),
        ("body: empty", "layout changed"),
        ("title: h1: nothing", "layout changed"),
        ("attribution: css '.a' matched nothing; body: empty", "layout changed"),
        ("no title and no published", "layout changed"),
        ("same text as 12", "soft-404"),
        ("login: x", "paywall"),
        ("fault: ValueError()", ""),
    ],
)
def test_classes(reason: str, kind: str) -> None:
    assert class_of(reason) == kind


def test_the_table_of_walls_is_sound() -> None:
    """Read once more by the reader that refuses doubled keys; a run takes it as it lies in the package."""
    document = load_yaml(Path(walls.__file__).with_name("walls.yml"))
    assert isinstance(document.value, dict)
    said = [str(one) for languages in document.value.values() for phrases in languages.values() for one in phrases]
    assert [phrase for _, phrase in WALLS.phrases] == list(map(walls.squeezed, said))
