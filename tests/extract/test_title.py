"""Headlines: who says what, how the site's name is told from it, and who wins where they differ."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.facts import Facts
from crawler.extract.page import Page
from crawler.extract.title import seek_title

URL = "https://www.moorbote.example/lokales/fund-im-moor"
LONG = "Ein Fund im Moor gibt dem Dorf Rätsel auf"


def facts(head: str = "", body: str = "", url: str = URL) -> Facts:
    return Facts(Page(f"<html><head>{head}</head><body>{body}</body></html>".encode(), url))


def title(head: str = "", body: str = "", url: str = URL) -> str | None:
    return seek_title(facts(head, body, url)).value


def og(text: str) -> str:
    return f'<meta property="og:title" content="{text}">'


def jsonld(headline: str, kind: str = "NewsArticle") -> str:
    return f'<script type="application/ld+json">{{"@type": "{kind}", "headline": "{headline}"}}</script>'


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("", f"<h1>{LONG}</h1>"),
        (f"<title>{LONG}</title>", ""),
        (og(LONG), ""),
        (f'<meta name="twitter:title" content="{LONG}">', ""),
        (f'<meta name="parsely-title" content="{LONG}">', ""),
        (f'<meta name="DC.title" content="{LONG}">', ""),
        (jsonld(LONG), ""),
        (jsonld(LONG, "BlogPosting"), ""),
        ("<title>Moorbote</title>", f'<div itemprop="headline">{LONG}</div>'),
        ("<title>Moorbote</title>", f'<div class="article-title">{LONG}</div>'),
        (f"<title>{LONG}</title>", f"<h2>{LONG}</h2><h2>Mehr aus dem Dorf</h2>"),
    ],
    ids=["h1", "title", "og", "twitter", "parsely", "dc", "jsonld", "blog", "itemprop", "class", "h2"],
)
def test_whoever_alone_says_it_is_believed(head: str, body: str) -> None:
    assert title(head, body) == LONG


def test_a_page_without_any_text_has_none() -> None:
    choice = seek_title(facts("<title> </title>", "<h1>—</h1><p>…</p>"))
    assert (choice.value, choice.rejected) == (None, ())


@pytest.mark.parametrize(
    "stated",
    [
        f"{LONG} | Moorbote",
        f"{LONG} - Der Moorbote",
        f"{LONG} – moorbote.example",
        f"{LONG} » Moorbote",
        f"{LONG}_Moorbote",
        f"{LONG} - Lokales - Moorbote",
        f"{LONG} | Moorbote | 14.03.2024",
        f"{LONG} | Moorbote | Die Zeitung fürs Land",
        f"{LONG} | Moorbote › Lokales",
        f"Moorbote - {LONG}",
        f"Moorbote: {LONG}",
        f"moorbote.example » {LONG}",
        f"{LONG} Moorbote",
        f"{LONG}, Moorbote",
    ],
)
def test_the_name_of_the_site_is_cut(stated: str) -> None:
    assert title(f'<title>{stated}</title><meta property="og:site_name" content="Moorbote">') == LONG


@pytest.mark.parametrize(
    "told",
    [
        '<meta name="application-name" content="Torfkurier">',
        '<meta name="twitter:site" content="@torfkurier">',
        '<script type="application/ld+json">{"@type": "WebSite", "name": "Torfkurier"}</script>',
        '<script type="application/ld+json">{"@type": "NewsArticle", "publisher": {"name": "Torfkurier"}}</script>',
    ],
    ids=["application", "twitter", "website", "publisher"],
)
def test_the_name_may_be_told_in_many_ways(told: str) -> None:
    assert title(f"<title>{LONG} | Torfkurier</title>{told}") == LONG
    assert title(f"<title>{LONG} | Heidekurier</title>{told}") == f"{LONG} | Heidekurier"


def test_a_name_with_umlauts_is_known_from_its_address() -> None:
    assert title(f"<title>{LONG} | Börde-Bote</title>", url="https://boerde-bote.example/a") == LONG


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("沼泽里的发现让全村不解-泥炭新闻网", "沼泽里的发现让全村不解"),
        ("沼泽里的发现让全村不解_泥炭网", "沼泽里的发现让全村不解"),
        ("沼泽里的发现让全村不解--时政--泥炭日报", "沼泽里的发现让全村不解--时政"),
        ("湿原の発見に村が首をかしげる：泥炭新聞デジタル", "湿原の発見に村が首をかしげる"),
        ("늪의 발견에 마을이 놀라다 - 이탄일보", "늪의 발견에 마을이 놀라다"),
    ],
)
def test_names_of_outlets_end_alike_in_chinese_japanese_and_korean(stated: str, kept: str) -> None:
    assert title(f"<title>{stated}</title>", url="") == kept


def test_what_other_pages_titles_share_is_the_sites_name() -> None:
    page = facts(f"<title>{LONG} | Seite der Heimatfreunde</title>", url="")
    others = ["Der Deich hält | Seite der Heimatfreunde", "Neues Dach | Seite der Heimatfreunde", LONG]
    assert seek_title(page, siblings=others).value == LONG
    assert seek_title(page, siblings=others[:1]).value == LONG
    assert seek_title(page, siblings=[page.head_title]).value == page.head_title


def test_words_of_the_headline_itself_stay() -> None:
    for whole in ("Moorbote - eine Zeitung wird achtzig", "Kultur: Wer zahlt?", "Eis – und kein Ende", "AC/DC_live"):
        assert title(og(whole), f"<h1>{whole}</h1>") == whole


def test_the_visible_headline_cuts_what_is_stated() -> None:
    head = f"<title>{LONG} | Aus den Dörfern</title>{og(LONG + ' | Aus den Dörfern')}"
    assert title(head, f"<h1>{LONG}</h1>", url="") == LONG


def test_the_list_page_speaks_too() -> None:
    page = facts("<title>Moorbote</title>")
    assert seek_title(page, listed=LONG).value == LONG


def test_the_headings_of_the_site_are_passed_over() -> None:
    head = f"<title>{LONG} | Moorbote</title>{og(LONG)}"
    for logo in (
        "<h1>Moorbote</h1>",
        '<h1 class="logo">Der Bote</h1>',
        '<h1><a href="/">Nachrichten vom Land</a></h1>',
        '<h1><a href="https://www.moorbote.example/">Vom Land</a></h1>',
        "<nav><h1>Navigation und Service</h1></nav>",
        '<ol class="breadcrumb"><li><h1>Moorleiche</h1></li></ol>',
        "<h1>Navigation und Service</h1>",
        '<h1 class="visually-hidden">Inhalt der Seite</h1>',
    ):
        assert title(head, f"{logo}<h1>{LONG}</h1>") == LONG
        assert title(head, f"{logo}<h2>{LONG}</h2>") == LONG


def test_the_body_class_does_not_make_a_breadcrumb() -> None:
    page = '<html><body class="breadcrumbs-on"><h1>Fund im Moor, Dorf ratlos</h1></body></html>'
    head = og("Fund im Moor")
    assert seek_title(Facts(Page(f"{head}{page}".encode(), URL))).value == "Fund im Moor, Dorf ratlos"


def test_a_heading_for_search_engines_loses_to_the_one_that_is_shown() -> None:
    head = f"<title>Moorleiche: Alles zum Fund</title>{jsonld(LONG)}"
    body = f'<h1 class="seo-title">Moorleiche: Alles zum Fund</h1><h2>{LONG}</h2>'
    assert title(head, body) == LONG


def test_the_visible_headline_wins_over_the_one_for_networks() -> None:
    head = f"<title>Moorleiche: Fund im Moor gibt Rätsel auf</title>{og('Moorleiche: Fund im Moor gibt Rätsel auf')}"
    assert title(head, f"<h1>{LONG}</h1>") == LONG


def test_a_heading_about_something_else_loses() -> None:
    head = f"<title>{LONG}</title>{og(LONG)}"
    assert title(head, "<h1>Zum Kuckuck</h1>") == LONG


@pytest.mark.parametrize(
    "heading",
    [
        f'<h1><span class="kicker">Bodenfunde</span> {LONG}</h1>',
        f'<h1><span class="dachzeile">Bodenfunde:</span> {LONG}</h1>',
        f'<h1><span class="overline">Bodenfunde</span> - <span>{LONG}</span></h1>',
        f'<h1>{LONG} <span class="subtitle">Und keiner weiß Rat</span></h1>',
        f'<h1>{LONG}<span class="sr-only">Artikel anhören</span><button>Teilen</button></h1>',
    ],
)
def test_what_stands_beside_the_headline_in_its_heading(heading: str) -> None:
    assert title("", heading) == LONG


def test_a_kicker_without_a_class_is_known_by_what_is_stated() -> None:
    body = f"<h1><span>Bodenfunde</span><br><strong>{LONG}</strong></h1>"
    assert title(f"{og(LONG + ' | Moorbote')}<title>{LONG}</title>", body) == LONG
    assert title("", body) == f"Bodenfunde {LONG}"


def test_a_kicker_that_everyone_else_states_stays() -> None:
    whole = f"Bodenfunde: {LONG}"
    head = f'<title>{whole}</title>{og(whole)}{jsonld(whole)}<meta name="twitter:title" content="{whole}">'
    assert title(head, f"<h1>{LONG}</h1>") == whole


def test_a_cut_off_title_loses_to_the_whole_one() -> None:
    assert title(og("Ein Fund im Moor gibt dem Dorf …"), f"<h1>{LONG}</h1>") == LONG


def test_capitals_lose_to_the_same_in_common_letters() -> None:
    assert title(f"<title>{LONG}</title>", f"<h1>{LONG.upper()}</h1>") == LONG
    assert title("", f"<h1>{LONG.upper()}</h1>") == LONG.upper()


def test_marks_are_as_most_have_them() -> None:
    head = f"{og('„Das Moor“: Ein Fund')}{jsonld('„Das Moor“: Ein Fund')}"
    assert title(head, "<h1>„Das Moor“:Ein Fund</h1>") == "„Das Moor“: Ein Fund"


def test_what_was_escaped_twice_is_read() -> None:
    assert title(og("Fund &amp;quot;im Moor&amp;quot; &amp;amp; Co.")) == 'Fund "im Moor" & Co.'


def test_soft_hyphens_and_blanks_fall_out() -> None:
    assert title("", "<h1>Moor&shy;leichen \n\t fund&nbsp;<br>im Dorf</h1>") == "Moorleichen fund im Dorf"


def test_scripts_and_drawings_in_a_heading_are_not_read() -> None:
    body = f"<h1><style>.a{{}}</style><svg><title>Logo</title></svg>{LONG}<script>x()</script></h1>"
    assert title("", body) == LONG


def test_a_line_that_the_title_begins_with() -> None:
    head = "<title>县里召开泥炭保护工作会议 泥炭县人民政府</title>"
    body = "<table><tr><td><font>首页</font></td></tr><tr><td><b>县里召开泥炭保护工作会议</b></td></tr></table>"
    assert title(head, body, url="") == "县里召开泥炭保护工作会议"


def test_a_paragraph_is_no_headline() -> None:
    assert title(f"<title>{LONG}</title>", f"<h1>{'Ein langer Absatz. ' * 40}</h1>") == LONG


def test_the_evidence_tells_the_rule_the_place_and_the_losers() -> None:
    head = f"{og('Moorleiche: Fund im Moor | Moorbote')}<title>{LONG}</title>"
    choice = seek_title(facts(head, f"<main><h1>{LONG}</h1></main>"))
    assert choice.taken is not None
    assert (choice.taken.rule, choice.taken.path, choice.taken.reason) == ("h1", "/html/body/main/h1", "")
    losers = {loser.rule: loser for loser in choice.rejected}
    assert losers["title"].reason == "the same"
    assert (losers["meta:og:title"].value, losers["meta:og:title"].raw) == (
        "Moorleiche: Fund im Moor",
        "Moorleiche: Fund im Moor | Moorbote",
    )
    assert re.fullmatch(r"[\d.]+ votes to [\d.]+", losers["meta:og:title"].reason)


_PIECE = st.sampled_from(
    (
        *("<h1>", "</h1>", "<h2 class=title>", "<a href=/>", " | ", " - ", "Moorbote", LONG, "<br>", "<!--x-->", "<?x"),
        *(
            "<nav>",
            "</nav>",
            "<meta property=og:title content='",
            "'>",
            "<title>",
            "</title>",
            "_",
            "：",
            "网",
            "\u00ad",
        ),
        *(
            "&amp;amp;",
            '<script type="application/ld+json">{"@type":"Article","headline":["a", {"name":"b"}]}</script>',
        ),
    )
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECE | st.text(max_size=8), max_size=25).map("".join), st.lists(st.text(max_size=20), max_size=3))
def test_no_page_makes_it_fail(html: str, siblings: list[str]) -> None:
    choice = seek_title(Facts(Page(html.encode("utf-8", "replace"), URL)), siblings=siblings)
    assert choice.value is None or choice.value == " ".join(choice.value.split()) != ""


@pytest.mark.parametrize(
    "body",
    [
        "<h1>" + "<div>" * 100_000 + "x",
        "<h1>" + '<a href="/x">y</a>' * 50_000,
        "<h1>x</h1>" * 20_000,
        "<p>" + "x - " * 2_000_000,
        "<title>" + "x - | " * 500_000 + "</title><h2>z",
        '<title>abcdefghijk</title><div class="title"><span>abcdefghijk' * 10_000,
    ],
    ids=["deep", "links", "headings", "line", "title", "classes"],
)
def test_hostile_pages_cost_little(body: str) -> None:
    page = facts("", body)
    page.root, page.head_title, page.metas, page.article  # noqa: B018
    begun = time.process_time()
    seek_title(page)
    assert time.process_time() - begun < 1.5
