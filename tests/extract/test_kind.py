"""Kinds of pages: walls and stubs are no articles, and articles that hold their words are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.facts import Facts
from crawler.extract.kind import KINDS, is_status, page_kind
from crawler.extract.page import Page
from crawler.extract.walls import MIDDLING, SHORT, Phrases, common, weight

PHRASES = common()
LINE = "The ferry to the north island will sail twice a day from June, the harbour office said on Monday."
STORY = "\n".join([LINE] * 12)
BRIEF = "\n".join([LINE] * 4)
ARTICLE = {"@type": "NewsArticle", "headline": "Ferry sails twice a day", "url": "https://news.example/ferry"}
TEASERS = "".join(f'<li><a href="/{n}">A headline about the harbour, number {n}</a></li>' for n in range(40))


def kind(
    html: str, text: str = "", title: str = "Ferry sails twice a day", url: str = "https://news.example/ferry"
) -> str:
    return decided(html, text, title, url)[0]


def decided(
    html: str, text: str = "", title: str = "Ferry sails twice a day", url: str = "https://news.example/ferry"
) -> tuple[str, str, list[str]]:
    """Kind, the rule that gave it, and the reasons why others were not taken."""
    page = Page.of_text(html, url)
    bodies = page.root.xpath("//article")
    choice = page_kind(Facts(page), text, title, body=bodies[0] if bodies else None, walls=PHRASES)
    assert choice.taken is not None
    assert choice.value in KINDS
    return choice.taken.value, choice.taken.rule, [one.reason for one in choice.rejected]


def ld(**more: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({**ARTICLE, **more})}</script>'


# articles


def test_a_text_is_an_article() -> None:
    assert decided("<p>x</p>", STORY) == ("article", "text", [])


@pytest.mark.parametrize(
    "more",
    [
        "<div id=cookie-banner><p>We value your privacy</p><button>Accept all cookies</button></div>",
        "<form action='/newsletter'><p>Sign up for our newsletter</p></form>",
        "<div class=comments><p>First I had to verify you are human, what a captcha!</p></div>",
        "<script src='https://forms.example/captcha/api.js'></script>",
        "<ul>" + TEASERS + "</ul>",
        "<form action='/consent/save'></form>",
    ],
)
@pytest.mark.parametrize("text", [STORY, BRIEF])
def test_what_stands_around_an_article_does_not_matter(more: str, text: str) -> None:
    assert kind(ld() + "<article><p>x</p></article>" + more, text) == "article"
    assert kind("<article><p>x</p></article>" + more, text) == "article"


@pytest.mark.parametrize("phrase", ["We value your privacy", "Are you a robot, the machine asked me"])
def test_a_banner_within_the_text_of_a_short_article(phrase: str) -> None:
    found, _, reasons = decided(ld(), f"{phrase}\n{BRIEF}")
    assert found == "article"
    assert "stands beside it" in reasons[0]


def test_a_long_text_may_say_anything() -> None:
    phrases = "\n".join(phrase for _, phrase in PHRASES.phrases)
    assert kind("", f"{phrases}\n{STORY * 5}") == "article"
    assert weight(STORY * 5) > MIDDLING


def test_an_article_with_many_links_is_one() -> None:
    linked = "".join(f'<p>{LINE}<a href="/{n}">a word on the matter from the harbour</a></p>' for n in range(12))
    assert kind(f"<article>{linked}</article>", STORY) == "article"


# walls


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["We value your privacy", "We and our partners store information.", "Accept all cookies"], "consent"),
        (["Bevor Sie fortfahren", "Alle Cookies akzeptieren"], "consent"),
        (["Checking your browser before accessing the site.", "Please wait."], "captcha"),
        (["请完成安全验证", "向右滑动完成验证"], "captcha"),
        ([LINE, "Subscribe to continue reading"], "paywall"),
        ([LINE, "Jetzt abonnieren und weiterlesen"], "paywall"),
        ([LINE, "登录后阅读全文"], "paywall"),
        (["Page not found", "Try the search."], "soft404"),
        (["系统繁忙，请稍后再试"], "soft404"),
    ],
)
def test_walls_by_their_words(lines: list[str], expected: str) -> None:
    assert kind("", "\n".join(lines)) == expected
    around = "".join(f"<p>{line}</p>" for line in lines)
    assert kind(f"<nav><a href=/>Home</a></nav><div>{around}</div>", "") == expected


def test_without_phrases_nothing_is_a_wall_by_its_words_and_the_packages_own_are_there() -> None:
    facts = Facts(Page.of_text("<p>We value your privacy</p>"))
    text = "We value your privacy and that of all the others here"
    assert page_kind(facts, text, walls=Phrases()).value == "article"
    assert page_kind(facts, text).value == "consent"


@pytest.mark.parametrize(
    ("html", "url", "expected"),
    [
        ("<form action='/captcha/check'><input></form>", "", "captcha"),
        ("<div id=challenge-form></div>", "", "captcha"),
        ("<script src='/cdn/challenge-platform.js'></script>", "", "captcha"),
        ("<iframe src='https://check.example/captcha'></iframe>", "", "captcha"),
        ("<form action='https://news.example/consent/save'></form>", "", "consent"),
        ("<p>One moment</p>", "https://consent.news.example/?to=x", "consent"),
        ("<p>One moment</p>", "https://news.example/a", "empty"),
        ("", "", "empty"),
    ],
)
def test_walls_by_their_forms(html: str, url: str, expected: str) -> None:
    assert kind(html, "", "Please wait", url) == expected


def test_forms_on_a_page_with_words_decide_nothing() -> None:
    assert kind(f"<form action='/captcha/check'></form><p>{STORY}</p>", "") == "empty"


# soft 404


STATUSES = """404|404 Not Found|Error 404|Page not found - The Riverside Post|Seite nicht gefunden – Das Blatt
页面不存在_青渡新闻|Página no encontrada|ページが見つかりません｜新聞|HTTP 404 – File not found|Страница не найдена
403 Forbidden|The page was not found|Page introuvable – Le Quotidien|Sorry, page not found|502 Bad Gateway
404: This page could not be found|Oops! That page can’t be found.|Stránka nenalezena|الصفحة غير موجودة"""


@pytest.mark.parametrize("title", STATUSES.replace("\n", "|").split("|"))
def test_titles_that_are_a_status(title: str) -> None:
    assert is_status(title)
    assert kind(f"<title>{title}</title>", LINE) == "soft404"
    assert kind("", LINE, title) == "soft404"
    assert kind(f"<title>{title}</title>", STORY) == "article"


HEADLINES = """404 people rescued in floods|500 Kinder singen|Missing plane not found after five days
Site not found: archaeologists give up search in the valley|文件不存在问题 专家说|Gone with the tide
Error in the count delays result|403 neue Wohnungen in der Stadt|Seite an Seite: nichts gefunden
403 Forbidden: a history of the error message"""


@pytest.mark.parametrize("title", HEADLINES.replace("\n", "|").split("|"))
def test_headlines_that_hold_the_words_of_a_status(title: str) -> None:
    assert not is_status(title)
    assert kind(f"<title>{title}</title>", LINE, title) == "article"


# what costs


@pytest.mark.parametrize("said", [False, "False", "false", "http://schema.org/False", "no"])
def test_the_beginning_of_what_costs(said: object) -> None:
    found = decided(ld(isAccessibleForFree=said), LINE)
    assert found[:2] == ("paywall", "jsonld:isAccessibleForFree")
    assert kind(ld(isAccessibleForFree=said), STORY) == "article"


@pytest.mark.parametrize("said", [True, "true", "True", None, ""])
def test_what_is_free(said: object) -> None:
    assert kind(ld(isAccessibleForFree=said), LINE) == "article"


def test_other_ways_to_say_that_it_costs() -> None:
    assert kind("<meta property='article:content_tier' content='locked'>", LINE) == "paywall"
    assert kind("<meta property='article:content_tier' content='metered'>", LINE) == "article"
    assert kind("<meta itemprop=isAccessibleForFree content=False>", LINE) == "paywall"


def test_a_short_text_that_is_whole_is_an_article_though_it_costs() -> None:
    found, _, reasons = decided(ld(isAccessibleForFree=False, wordCount=20), LINE)
    assert found == "article"
    assert reasons == ["the text has the 20 words that the page states"]
    assert kind(ld(isAccessibleForFree=False, wordCount="900"), LINE) == "paywall"
    assert kind(ld(isAccessibleForFree=False, wordCount="many"), LINE) == "paywall"


# lists


def test_a_body_of_links_is_a_list() -> None:
    text = "\n".join(f"A headline about the harbour, number {n}" for n in range(40))
    assert decided(f"<article><ul>{TEASERS}</ul></article>", text)[:2] == ("list", "links:body")


def test_many_headlines_and_hardly_a_text_are_a_list() -> None:
    assert decided(f"<ul>{TEASERS}</ul>", "Latest news from the harbour and beyond")[:2] == ("list", "links:page")
    assert kind(f"<ul>{TEASERS}</ul>", BRIEF, url="https://news.example/") == "list"
    assert kind(f"<ul>{TEASERS}</ul>", BRIEF, url="https://news.example/ferry") == "article"
    assert kind(ld() + f"<ul>{TEASERS}</ul>", LINE, url="https://news.example/ferry") == "article"


def test_a_page_that_collects_articles_is_none_by_naming_them() -> None:
    collection = '<script type="application/ld+json">{"@type": "CollectionPage"}</script>'
    assert kind(collection + ld() + f"<ul>{TEASERS}</ul>", "Latest news from the harbour and beyond") == "list"
    assert kind("<meta property=og:type content=article>" + collection + f"<ul>{TEASERS}</ul>", LINE) == "article"


def test_a_few_links_are_no_list() -> None:
    links = "".join(f'<p><a href="/{n}">A headline about the harbour, number {n}</a></p>' for n in range(7))
    assert kind(f"<article>{links}</article>", LINE) == "article"


def test_links_that_stand_beside_the_text_do_not_make_it_a_list() -> None:
    assert kind(f"<article><p>{LINE}</p><ul>{TEASERS}</ul></article>", f"{LINE}\n{LINE}\n{LINE}\n{LINE}") == "article"
    assert kind(f"<ul>{TEASERS}</ul>", LINE) == "article"


# nothing


def test_a_page_without_a_text_is_empty() -> None:
    assert decided("<p>x</p>", "") == ("empty", "text", [])
    assert kind(ld(), "Photo: harbour") == "empty"
    assert weight(LINE) < SHORT


@settings(max_examples=150, deadline=None)
@given(
    st.text("<>/apdiv hrf=\"' 404notfud", max_size=80),
    st.text(max_size=60) | st.sampled_from([STORY, BRIEF, LINE]),
    st.text(max_size=30) | st.text("404 :|error page not found", max_size=30),
)
def test_any_page_has_a_kind(html: str, text: str, title: str) -> None:
    assert kind(f"<article>{html}</article>", text, title) in KINDS
