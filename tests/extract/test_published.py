"""Dates of pages: every place they are stated in, the traps beside them, and agreement between them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.facts import Facts
from crawler.extract.page import Page
from crawler.extract.published import seek_published

BERLIN = ZoneInfo("Europe/Berlin")


def facts(head: str = "", body: str = "", url: str = "https://example.org/a", lang: str = "de") -> Facts:
    html = f'<html lang="{lang}"><head><title>Ein Fund im Moor</title>{head}</head><body>{body}</body></html>'
    return Facts(Page(html.encode(), url))


def published(head: str = "", body: str = "", url: str = "https://example.org/a", lang: str = "de") -> str | None:
    value = seek_published(facts(head, body, url, lang))[0].value
    return str(value) if value else None


def jsonld(**statements: str) -> str:
    pairs = "".join(f', "{key}": "{value}"' for key, value in statements.items())
    return f'<script type="application/ld+json">{{"@type": "NewsArticle"{pairs}}}</script>'


H1 = "<h1>Ein Fund im Moor</h1>"
PROSE = "<p>" + "Ein langer Satz über das Moor und seine Funde, der nichts von Tagen weiß. " * 4 + "</p>"


@pytest.mark.parametrize(
    "head",
    [
        jsonld(datePublished="2022-05-19T10:30:00+02:00"),
        jsonld(dateCreated="2022-05-19T10:30:00+02:00"),
        '<meta property="article:published_time" content="2022-05-19T10:30:00+02:00">',
        '<meta itemprop="datePublished" content="2022-05-19T10:30:00+02:00">',
        '<meta name="dc.date" content="2022-05-19T10:30:00+02:00">',
        '<meta name="DC.date.issued" content="2022-05-19T10:30:00+02:00">',
        '<meta name="parsely-pub-date" content="2022-05-19T10:30:00+0200">',
        '<meta name="sailthru.date" content="Thu, 19 May 2022 10:30:00 +0200">',
        '<meta name="pubdate" content="2022-05-19T10:30+02:00">',
        '<meta name="weibo:article:create_at" content="2022-05-19 10:30:00+02:00">',
        '<meta name="publish_date" content="2022-05-19T10:30:00+02:00">',
        '<meta name="date" content="2022-05-19T10:30:00 02:00">',
    ],
)
def test_what_machines_are_told(head: str) -> None:
    assert published(head) == "2022-05-19T10:30:00+02:00"


@pytest.mark.parametrize(
    ("body", "moment"),
    [
        (H1 + '<time datetime="2022-05-19T10:30:00+02:00">vor Jahren</time>', "2022-05-19T10:30:00+02:00"),
        (H1 + "<time>19. Mai 2022, 10:30 Uhr</time>", "2022-05-19T10:30:00"),
        (H1 + '<span itemprop="datePublished" content="2022-05-19 10:30">Mai</span>', "2022-05-19T10:30:00"),
        (H1 + "<p>Veröffentlicht am 19.05.2022 um 10.30 Uhr</p>" + PROSE, "2022-05-19T10:30:00"),
        (H1 + "<p>Do 19.05.22 | 10:30 Uhr | Von Ada Beispiel</p>" + PROSE, "2022-05-19T10:30:00"),
        (H1 + "<p><span>19.05.2022</span> <b>10:30</b></p>" + PROSE, "2022-05-19T10:30:00"),
        (PROSE + "<p class='datum'>19.05.2022 10:30</p>", "2022-05-19T10:30:00"),
        (H1 + "<p>2022年05月19日 10:30 来源：某报</p>" + PROSE, "2022-05-19T10:30:00"),
        (PROSE + "<p class='date'>19 May 1997</p>", "1997-05-19"),
        (H1 + "<p>10:30 CEST, 19 May 2022</p>" + PROSE, "2022-05-19T10:30:00+02:00"),
    ],
)
def test_what_readers_see(body: str, moment: str) -> None:
    assert published(body=body) == moment


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/2022/05/19/moor",
        "https://example.org/2022-05/19/c_1.htm",
        "https://example.org/t20220519_1.html",
        "https://example.org/2022-5-19/moor",
    ],
)
def test_the_address(url: str) -> None:
    assert published(url=url) == "2022-05-19"


@pytest.mark.parametrize(
    "url", ["https://example.org/20229919/a", "https://example.org/id-120220519", "https://example.org/2022/05/a"]
)
def test_an_address_without_a_date(url: str) -> None:
    assert published(url=url) is None


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("", ""),
        ("<script>var published = '2022-05-19 10:30:00'</script>", H1 + PROSE),
        ("<style>/* 2022-05-19 */</style>", H1 + "<noscript>2022-05-19</noscript>"),
        ('<meta property="article:expiration_time" content="2022-05-19T10:30:00+02:00">', H1),
        ('<meta name="build-date" content="2022-05-19T10:30:00+02:00">', H1),
        ("", H1 + "<footer>© 2012 - 2022 Beispiel</footer>"),
        ("", H1 + "<p>Seit Mai 2022</p>"),
    ],
)
def test_no_date_is_none(head: str, body: str) -> None:
    choice, modified = seek_published(facts(head, body))
    assert choice.value is None
    assert modified.value is None


@pytest.mark.parametrize(
    "elsewhere",
    [
        "<footer><p class='date'>07.06.2023</p></footer>",
        "<div class='comments'><p class='date'>07.06.2023 11:11</p></div>",
        "<aside><time datetime='2023-06-07T11:11'>gestern</time></aside>",
        "<ul class='related'><li><span class='date'>07.06.2023</span></li></ul>",
        "<blockquote><time datetime='2023-06-07T11:11:00+00:00' class='published'>Jun 7, 2023</time></blockquote>",
        "<ul><li><a href='/b'>Ein ganz anderer Fund im Gebirge</a> <time>07.06.2023</time></li></ul>",
    ],
)
def test_dates_of_other_things(elsewhere: str) -> None:
    assert published(body=f"{H1}<p>19.05.2022</p>{PROSE}{elsewhere}") == "2022-05-19"
    assert published(body=f"{elsewhere}{PROSE}{H1}<p>19.05.2022</p>{PROSE}") == "2022-05-19"


def test_a_date_in_prose_counts_less_than_one_alone() -> None:
    prose = "<p>Am 07.06.2023 " + "geschah etwas im Moor, wovon hier lange die Rede ist, " * 4 + "</p>"
    assert published(body=f"{H1}{prose}<p class='datum'>19.05.2022</p>") == "2022-05-19"


def test_published_and_modified_side_by_side() -> None:
    line = "<p>Veröffentlicht am 19.05.2022, 10:30 Uhr, aktualisiert am 20.05.2022, 11:00 Uhr</p>"
    first, last = seek_published(facts(body=H1 + line + PROSE))
    assert (str(first.value), str(last.value)) == ("2022-05-19T10:30:00", "2022-05-20T11:00:00")
    head = jsonld(datePublished="2022-05-19", dateModified="2022-05-20")
    first, last = seek_published(facts(head))
    assert (str(first.value), str(last.value)) == ("2022-05-19", "2022-05-20")


@pytest.mark.parametrize("label", ["Stand:", "Updated", "最后更新：", "Mis à jour le", "Обновлено", "Güncelleme:"])
def test_labels_of_the_last_change(label: str) -> None:
    first, last = seek_published(facts(body=f"{H1}<p>19.05.2022</p><p>{label} 20.05.2022</p>{PROSE}"))
    assert (str(first.value), str(last.value)) == ("2022-05-19", "2022-05-20")


def test_the_last_change_stands_in_for_the_first() -> None:
    first, last = seek_published(facts(body=f"{H1}<p>Stand: 20.05.2022</p>{PROSE}"))
    assert str(first.value) == str(last.value) == "2022-05-20"


def test_agreement_outweighs_one_statement() -> None:
    head = '<meta name="date" content="2023-06-07">'
    assert published(head, H1 + "<p>19.05.2022</p>" + PROSE, "https://example.org/2022/05/19/a") == "2022-05-19"


def test_an_open_order_is_decided_by_agreement_then_by_language() -> None:
    body = H1 + "<p>03/04/2022</p>" + PROSE
    assert published(body=body, lang="en-US") == "2022-03-04"
    assert published(body=body, lang="en-GB") == "2022-04-03"
    assert published(body=body, lang="en-US", url="https://example.org/2022/04/03/a") == "2022-04-03"


def test_the_time_that_is_borne_out_twice() -> None:
    head = (
        '<meta property="article:published_time" content="2022-05-19T10:37:29+08:00">'
        '<meta name="weibo: article:create_at" content="2022-05-19 10:30:10">'
    )
    assert published(head, H1 + "<p>2022年05月19日 10:30</p>" + PROSE, lang="zh") == "2022-05-19T10:30:10"


def test_midnight_gives_way_to_a_time() -> None:
    head = '<meta name="pubdate" content="2022-05-19T00:00:00"><meta name="date" content="2022-05-19T10:30:00">'
    assert published(head) == "2022-05-19T10:30:00"
    assert published('<meta name="pubdate" content="2022-05-19T00:00:00">') == "2022-05-19T00:00:00"


def test_greenwich_time_is_told_by_the_clock_of_the_page() -> None:
    head = jsonld(datePublished="2022-05-19T22:30:00Z")
    assert published(head, H1 + "<p>20.05.2022 00:30 Uhr</p>" + PROSE) == "2022-05-20T00:30:00+02:00"
    assert published(head, H1 + "<p>20.05.2022 00:47 Uhr</p>" + PROSE) == "2022-05-19T22:30:00+00:00"


def test_the_sources_zone() -> None:
    page = facts(body=H1 + "<p>19.05.2022 10:30 Uhr</p>" + PROSE)
    assert str(seek_published(page, zone=BERLIN)[0].value) == "2022-05-19T10:30:00+02:00"
    page = facts(jsonld(datePublished="2022-05-19T22:30:00Z"))
    assert str(seek_published(page, zone=BERLIN)[0].value) == "2022-05-20T00:30:00+02:00"
    page = facts(jsonld(datePublished="2022-05-19T22:30:00-05:00"))
    assert str(seek_published(page, zone=BERLIN)[0].value) == "2022-05-19T22:30:00-05:00"
    assert str(seek_published(facts(url="https://example.org/2022/05/19/a"), zone=BERLIN)[0].value) == "2022-05-19"


def test_the_future_is_refused() -> None:
    page = facts(jsonld(datePublished="2022-05-21T10:00:00Z"), H1 + "<p>19.05.2022</p>" + PROSE)
    assert str(seek_published(page, not_after=datetime(2022, 5, 19, 12, tzinfo=UTC))[0].value) == "2022-05-19"
    assert str(seek_published(page, not_after=datetime(2022, 5, 20, 12, tzinfo=UTC))[0].value)[:10] == "2022-05-21"


def test_evidence() -> None:
    head = jsonld(datePublished="2022-05-19T10:30:00+02:00") + '<meta name="date" content="2023-06-07">'
    choice, _ = seek_published(facts(head, H1 + "<p>20.05.2022</p>", "https://example.org/2022/05/19/a"))
    assert choice.taken is not None
    assert (choice.taken.rule, choice.taken.raw) == ("jsonld:datePublished", "2022-05-19T10:30:00+02:00")
    reasons = {candidate.rule: candidate.reason for candidate in choice.rejected}
    assert reasons["url"] == "says the same"
    assert reasons["meta:date"] == "another day is better borne out"
    choice, _ = seek_published(facts(body=H1 + "<p>20.05.2022</p>"))
    assert choice.taken is not None
    assert choice.taken.path.endswith("/p")


def test_what_holds_the_headline_is_not_elsewhere() -> None:
    others = "<section>" + "".join(f"<p><time>{day}.06.2023</time></p>" for day in (7, 6, 5)) + "</section>"
    assert published(body=f"<aside class='widget'>{H1}<span>19.05.2022 10:30</span></aside>{PROSE * 3}{others}") == (
        "2022-05-19T10:30:00"
    )


def test_the_headline_is_the_heading_that_the_title_repeats() -> None:
    site = "<h1>Beispielzeitung</h1><p>07.06.2023</p>" + PROSE * 3
    assert published(body=site + "<h2>Ein Fund im Moor</h2><p>19.05.2022</p>" + PROSE) == "2022-05-19"
    roofline = "<h3>Vorzeit - Ein Fund im Moor</h3><p>19.05.2022</p>"
    assert published(body=site + roofline + PROSE) == "2022-05-19"


def test_a_date_above_the_headline() -> None:
    assert published(body=f"<p>19.05.2022</p>{H1}{PROSE * 3}<p>07.06.2023</p>") == "2022-05-19"


def test_a_column_of_dates_counts_less() -> None:
    column = "".join(f"<div><p class='date'>0{day}.06.2023 10:00</p></div>" for day in range(1, 7))
    assert published(body=column + PROSE + "<div><p>Moor, 19.05.2022</p></div>") == "2022-05-19"


def test_a_date_that_opens_a_text() -> None:
    prose = (
        "Am Rand des Moores fanden Kinder beim Spielen etwas, das niemand je gesehen hatte, sagten sie am 07.06.2023."
    )
    assert published(body=f"<div>{prose} {prose}</div><div>(19. Mai 2022) {prose}</div>") == "2022-05-19"


def test_the_month_in_the_address_favours_its_days() -> None:
    body = "<div><p>07.06.2023</p></div>" + PROSE + "<div><p>19.05.2022</p></div>"
    assert published(body=body) == "2023-06-07"
    assert published(body=body, url="https://example.org/2022/05/moor") == "2022-05-19"


def test_one_system_under_several_names_speaks_once() -> None:
    head = "".join(f'<meta name="{name}" content="2022-05-20">' for name in ("date", "dc.date", "dcterms.date"))
    assert published(head, H1 + "<p>Veröffentlicht am 19.05.2022</p>" + PROSE) == "2022-05-19"


def test_dates_of_the_description_the_image_and_the_title_are_last_resorts() -> None:
    description = '<meta name="description" content="Ein Fund (Nachricht vom 19. Mai 2022)">'
    image = '<meta property="og:image" content="https://example.org/2022/05/19/1.jpg">'
    assert published(description) == published(image) == "2022-05-19"
    assert published("<title>Moor | Beispiel | 19.05.2022</title>") is None
    assert published(description + image, H1 + "<p>07.06.2023</p>" + PROSE) == "2023-06-07"


def test_a_zone_named_for_the_same_clock_corrects_a_false_z() -> None:
    head = jsonld(datePublished="2022-05-19T18:06:00Z")
    assert published(head, H1 + "<p>May 19, 2022, 6:06 PM EDT</p>" + PROSE, lang="en") == "2022-05-19T18:06:00-04:00"


def test_the_body_anchors_a_page_without_headline() -> None:
    page = facts(body="<p>07.06.2023</p><div id='b'><p>19.05.2022</p>" + PROSE + "</div>")
    assert str(seek_published(page, body=page.root.find(".//div"))[0].value) == "2022-05-19"


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 100_000 + "19.05.2022",
        "<p><a href='/2022'>2022-05-19 10:30</a></p>" * 20_000,
        H1 + "<b>20</b>" * 50_000,
        H1 + "2022 1" * 200_000,
        H1 + "19. " * 300_000,
        "<time datetime='2022-05-19'>x</time>" * 30_000,
        "".join(f"<meta name='date{n}' content='2022-05-19'>" for n in range(30_000)),
        H1 + "am 19. Mai 2022 " * 300_000,
        f"<meta name='{'publish' * 100_000}' content='2022-05-19'>",
        f"<div class='{'publish ' * 100_000}'>" + "<p>19.05.2022</p>" * 500,
    ],
    ids=["deep", "links", "siblings", "years", "days", "times", "metas", "line", "name", "class"],
)
def test_hostile_pages_take_no_time(body: str) -> None:
    page = facts(body=body)
    assert page.elements
    assert page.metas is not None
    start = time.process_time()
    seek_published(page)
    assert time.process_time() - start < 1


_PIECES = (
    "<h1>|</h1>|<time datetime='|'>|2022-05-19|19.05.2022| 10:30|<p>|</p>|<!-- |-->|<li>|9999-99-99|Stand: "
    "|2022年5月19日|<meta name=date content='|<span itemprop=datePublished>|令和4年|\0"
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_PIECES.split("|")) | st.text(max_size=8), max_size=20).map("".join))
def test_never_raises(html: str) -> None:
    for choice in seek_published(Facts(Page(html.encode("utf-8", "replace"), html[:40]))):
        assert choice.value is None or 1990 <= choice.value.when.year <= 2100
