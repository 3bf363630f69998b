"""presskeep repair: a redesign is found out by what is known, and the changed source reads old pages and new ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.archive.captures import read_segment
from crawler.archive.ledger import Kept, Ledger
from crawler.commands.repair import command
from crawler.extract.page import Page as Parsed
from crawler.fetch import Answer, answer_of, answered, captured
from crawler.fixtures import Examiner, check, record
from crawler.fresh import Fresh, fresh_talk
from crawler.repair.change import Repair, Repairer
from crawler.repair.fields import standing
from crawler.repair.known import Known, alike, known_articles, known_of_fixtures
from crawler.repair.lists import ListChange
from crawler.repair.sheet import NotEditable, Sheet
from crawler.sources import Source, load_source
from tests.newsroom import Newsroom
from tests.probe_show import Due, compared
from tests.server import Server
from tests.story import Archive
from tests.test_check import BASE, NOW, layout, of, source, values
from tests.test_pagefile import warc

UNTIL = date(2026, 3, 1)
Change = Callable[[str], str]


@pytest.fixture
def room() -> Newsroom:
    return Newsroom(60, base=BASE)


def addresses(room: Newsroom, count: int = 6) -> list[str]:
    return [f"{BASE}{one.path}" for one in list(room.truths())[:count]]


def known(room: Newsroom, made: Source, count: int = 6, step: int = 1) -> list[Known]:
    """By recorded pages of the site as it is."""
    assert made.path is not None
    record(made, made.path.parent / "fixtures", [], [of(room, url) for url in addresses(room, count)[::step]])
    return known_of_fixtures(made, count)


def changed(answer: Answer, change: Change) -> Answer:
    return replace(answer, body=change(answer.body.decode()).encode())


def repaired(
    made: Source, articles: list[Known], room: Newsroom, change: Change = str, fresh: Fresh | None = None
) -> Repair:
    answers = [changed(of(room, one.address), change) for one in articles]
    return Repairer(made, articles, answers, UNTIL, fresh or Fresh()).work()


def read(made: Source, answers: list[Answer]) -> dict[str, tuple[Any, ...]]:
    examiner, found = Examiner(made), {}
    for answer in answers:
        one = examiner.article(answer, {})
        credited = one.attribution.name if one.attribution else ""
        found[one.key] = one.title, one.published, tuple(one.plain.split("\n")), credited, one.byline
    return found


def truths(room: Newsroom, count: int) -> dict[str, tuple[Any, ...]]:
    newest = list(room.truths())[:count]
    return {one.key: (one.title, one.published, one.paragraphs, one.outlet, (one.writer,)) for one in newest}


def test_old_pages_and_new_ones_are_read(tmp_path: Path, room: Newsroom) -> None:
    """Those of the articles that were kept, and of such as nobody knew."""
    named = layout(byline={"css": "span.writer", "regex": "^作者：(.+)"})
    made = source(tmp_path, layouts=named)
    old = [of(room, url) for url in addresses(room, 30)]
    articles = known(room, made)
    room.redesign = True
    done = repaired(made, articles, room)
    assert done.broken == ["title", "body", "published", "attribution", "byline"]
    assert (done.faults, done.failed) == ([], [])
    assert [one.before[0] for one in done.scores] == [0] * 5
    assert all(one.after == (one.old[0], one.after[1]) == (one.after[1], one.old[1]) for one in done.scores)
    assert done.sheet is not None
    after = done.sheet.source()
    assert [one.until for one in after.layouts] == [None, UNTIL]
    assert read(after, old) == truths(room, 30)
    assert read(after, [of(room, url) for url in addresses(room, 30)]) == truths(room, 30)
    assert made.path is not None
    assert yaml.safe_load(made.path.read_text("utf-8")) == values(BASE, layouts=named), "nothing is written by itself"


def test_nothing_to_repair(tmp_path: Path, room: Newsroom) -> None:
    made = source(tmp_path)
    done = repaired(made, known(room, made), room)
    assert (done.broken, done.faults, done.sheet) == ([], [], None)


def test_single_articles_are_edited(tmp_path: Path, room: Newsroom) -> None:
    made = source(tmp_path)
    articles = known(room, made)
    edited = [replace(articles[0], title="修过的标题"), *articles[1:]]
    assert repaired(made, edited, room).broken == []


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (lambda html: html.replace('class="when"', 'class="dated"'), "published", ["span.when", "span.dated"]),
        (lambda html: html.replace('class="credit"', 'class="from"'), "attribution", ["span.credit", "span.from"]),
        (lambda html: html.replace("h1", "h2"), "title", ["h1.headline", "h2.headline"]),
    ],
)
def test_where_the_body_stays_a_rule_gets_another_way(
    tmp_path: Path, room: Newsroom, change: Change, field: str, rule: list[str]
) -> None:
    """Two layouts with one body could not be told apart."""
    made = source(tmp_path)
    done = repaired(made, known(room, made), room, change)
    assert done.broken == [field]
    assert done.faults == []
    assert done.sheet is not None
    assert done.sheet.value["layouts"] == layout(**{field: rule})
    assert done.sheet.source().layouts[0].until is None


def test_a_way_that_gives_something_else_comes_last(tmp_path: Path, room: Newsroom) -> None:
    made = source(tmp_path)
    articles = known(room, made)
    taken = '<span class="when">2020年1月1日 08:00</span><em class="dated">'
    done = repaired(
        made, articles, room, lambda html: html.replace('<span class="when">', taken).replace("</span> ", "</em> ", 1)
    )
    assert done.faults == []
    assert done.sheet is not None
    assert done.sheet.value["layouts"][0]["published"] == ["em.dated", "span.when"]


def test_an_old_rule_that_still_finds_something(tmp_path: Path, room: Newsroom) -> None:
    """Two layouts could not be told apart: the new ways come first in the one there is."""
    made = source(tmp_path, layouts=layout(strip=".promo"))
    articles = known(room, made)
    old = [of(room, url) for url in addresses(room, 9)]
    room.redesign = True
    teaser = '<div class="text"><p>下载青渡新闻客户端，随时看本地消息</p></div>'
    promoted = f'{teaser}<section class="copy"><p class="lead">导语</p>'
    done = repaired(made, articles, room, lambda html: html.replace('<section class="copy">', promoted))
    assert done.faults == []
    assert done.sheet is not None
    (only,) = done.sheet.value["layouts"]
    assert (only["body"], only["strip"]) == (["section.copy", "div.text"], [".promo", "p.lead"])
    after = done.sheet.source()
    paragraphs = [one[2] for one in read(after, old).values()]
    assert paragraphs == [one[2] for one in truths(room, 9).values()]
    new = [
        changed(of(room, one.address), lambda html: html.replace('<section class="copy">', promoted))
        for one in articles
    ]
    assert [one[2] for one in read(after, new).values()] == paragraphs[:6]


def test_dates_in_another_notation_and_a_text_in_other_paragraphs(tmp_path: Path, room: Newsroom) -> None:
    made = source(tmp_path)
    articles = known(room, made)
    room.redesign = True

    def joined(html: str) -> str:
        html = re.sub(r'class="dated">2025-01-0(\d) ', r'class="dated">January \1, 2025, ', html)
        return html.replace("</p><p>", "<br>")

    done = repaired(made, articles, room, joined)
    assert done.faults == []
    assert [one.after[0] for one in done.scores] == [one.after[1] for one in done.scores]


@pytest.mark.parametrize(("stays", "form"), [(False, "%d/%m/%Y %H:%M"), (True, "%m-%d-%Y %H:%M")])
def test_dates_all_in_numbers(tmp_path: Path, room: Newsroom, stays: bool, form: str) -> None:
    """What is known says which number is the day, also where only that of others is above twelve."""
    room.size = 600
    made = source(tmp_path)
    articles = known(room, made, 400, step=80)
    room.redesign = not stays

    def numbered(html: str) -> str:
        html = html.replace('class="when"', 'class="dated"')
        return re.sub(r'(?<=class="dated">)(\d+)\D(\d+)\D(\d+)\D?(?= )', rf"{_written(form)}", html)

    done = repaired(made, articles, room, numbered)
    assert done.faults == []
    assert done.sheet is not None
    assert done.sheet.value["layouts"][0]["date_formats"] == [form]
    assert {one.field: one.after for one in done.scores}["published"] == (5, 5)


def _written(form: str) -> str:
    return form.removesuffix(" %H:%M").replace("%d", r"\3").replace("%m", r"\2").replace("%Y", r"\1")


def test_what_pages_no_longer_say_is_left_out(tmp_path: Path, room: Newsroom) -> None:
    made = source(tmp_path, layouts=layout(editor="p.meta"))
    articles = known(room, made)
    room.redesign = True
    done = repaired(made, articles, room, lambda html: html.replace('class="penned">作者：', 'class="penned">').replace(
        "penned", "x").replace("沈渡", "").replace("陆远舟", "").replace("白川", "").replace("顾青禾", ""))  # fmt: skip
    assert done.faults == []
    assert [one for one in done.notes if "do not say it" in one] == [
        "byline: the pages of today do not say it, or nothing tells where",
        "editor: the pages of today do not say it, or nothing tells where",
    ]
    assert done.sheet is not None
    assert "byline" not in done.sheet.value["layouts"][0]


@pytest.mark.parametrize("credited", [1, 3])
def test_a_field_that_few_articles_have(tmp_path: Path, room: Newsroom, credited: int) -> None:
    """One alone proves nothing, and holds nothing up."""
    made = source(tmp_path)
    articles = [replace(one, attribution="", byline=()) for one in known(room, made)]
    signed = known_of_fixtures(made, 9)[:credited]
    room.redesign = True
    done = repaired(made, [*signed, *articles[credited:]], room)
    assert done.faults == []
    assert done.sheet is not None
    assert done.sheet.value["layouts"][0].get("byline") == (None if credited == 1 else "li.penned")


def test_one_page_of_another_kind(tmp_path: Path, room: Newsroom) -> None:
    made = source(tmp_path)
    articles = known(room, made)
    room.redesign = True
    odd = room.truth(58).title
    other = lambda html: html.replace("<section", "<div").replace("</section", "</div") if odd in html[:200] else html  # noqa: E731
    done = repaired(made, articles, room, other)
    assert done.faults == []
    assert done.sheet is not None
    assert done.sheet.value["layouts"][0]["body"] == "section.copy"
    assert {one.field: one.after for one in done.scores}["body"] == (5, 6)


@pytest.mark.parametrize(("menu", "gone"), [("", False), ("青渡日报 海港晚报 江畔商报 渡口周刊", True)])
def test_a_menu_that_names_every_outlet_says_nothing(tmp_path: Path, room: Newsroom, menu: str, gone: bool) -> None:
    """An outlet on its own article's page alone is looked for in vain, and missed."""
    made = source(tmp_path)
    articles = known(room, made, 10)
    outlet = iter([one.attribution.removeprefix("来源：") for one in articles])

    def hidden(html: str) -> str:
        said = menu or f"转自{next(outlet)}的报道"
        return re.sub(r'<li class="from">.*?</li>', "", html).replace(
            "<div class=", f"<i>{said}，特此说明</i><div class="
        )

    room.redesign = True
    done = repaired(made, articles, room, hidden)
    assert done.fits is gone
    assert done.faults == ([] if gone else ["attribution: no rule gives what is known"])


def test_no_rule_fits(tmp_path: Path, room: Newsroom) -> None:
    """Where each page has its own names, nothing is written, and it is said what was tried."""
    made = source(tmp_path)
    articles = known(room, made)
    room.redesign = True
    done = repaired(made, articles, room, lambda html: html.replace("<section class=\"copy\">", "<p>").replace(
        "</section>", "").replace("<article class=\"piece\">", "").replace("</article>", ""))  # fmt: skip
    assert "body: no rule gives what is known" in done.faults
    assert any(one.startswith("body: ") and "none holds it" in one for one in done.tried)
    assert not done.fits


def test_pages_of_other_articles_are_left_out(tmp_path: Path, room: Newsroom) -> None:
    made = source(tmp_path)
    articles = known(room, made)
    done = Repairer(made, articles, [of(room, f"{BASE}/none")] * 6, UNTIL, Fresh()).work()
    assert done.failed[0].endswith("HTTP 404")
    assert "nothing to go by" in done.faults[0]
    front = [replace(of(room, "/"), asked=one.address) for one in articles]
    done = Repairer(made, articles, front, UNTIL, Fresh()).work()
    assert done.failed[0].endswith("the page no longer has the text that is known")


def test_a_text_as_it_stands() -> None:
    text = "The ferry ran again at dawn.\nNobody had slept."
    page = "<div id=a><p>The ferry ran again</p><p>at dawn. Nobody had slept.</p><p>Get our app today</p></div>"
    assert standing(Parsed(f"<body>{page}<p>Foot</p></body>".encode()), text).split("\n") == [
        "The ferry ran again",
        "at dawn. Nobody had slept.",
    ]
    assert standing(Parsed(b"<p>Another text altogether</p>"), text) == ""


@given(st.text(max_size=60), st.text(max_size=60))
def test_alike(one: str, other: str) -> None:
    assert 0 <= alike(one, other) == alike(other, one) <= 1
    assert alike(one, one) == float(bool(one.strip()))


def test_which_articles_are_asked_for(tmp_path: Path, room: Newsroom) -> None:
    """The latest, of all categories in turn; for each two of them an older one; those with fixtures last."""
    made = source(tmp_path)
    newest = list(room.truths())
    record(made, tmp_path / "fixtures", [], [of(room, f"{BASE}{newest[0].path}")])
    kept = []
    for one in reversed(newest):
        path = f"_posts/{one.published:%Y/%m/%d}/{one.published:%Y-%m-%d}-{one.key}.md"
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        front = f'title: "{one.title}"\ndate: {one.published:%Y-%m-%d %H:%M:%S %z}\ncategories: {one.category}'
        text = "".join(f"<p>{line}</p>\n" for line in one.paragraphs)
        (tmp_path / path).write_text(f"---\nlayout: post\n{front}\n---\n{text}", "utf-8")
        kept.append(Kept("newsroom", one.key, "newsroom", path, "", hints={"url": f"{BASE}{one.path}"}))
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.keep(kept)
    found = known_articles(made, 9, tmp_path, ledger, tmp_path)
    ledger.close()
    truth = {one.key: one for one in newest}
    assert [(one.title, one.address) for one in found] == [
        (truth[one.key].title, f"{BASE}{truth[one.key].path}") for one in found
    ]
    assert len({truth[one.key].category for one in found[:4]}) == 4
    numbers = [truth[one.key].number for one in found]
    assert 59 not in numbers[:6]
    assert min(numbers[:6]) > 40
    assert numbers[6:] == [19, 39, 59]
    assert all(one.published == truth[one.key].published for one in found)


# lists

_ITEMS = {"items": "ul.gone li", "fields": {"url": "a::attr(href)", "title": "a"}}
_PAGED = {"pages": {"next": "a.gone::attr(href)", "depth": 7}}


@pytest.mark.parametrize("shown", [{"links": "/gone/"}, _ITEMS, {"links": "/gone/", **_PAGED}])
def test_lists_by_the_form_of_known_addresses(tmp_path: Path, room: Newsroom, shown: dict[str, Any]) -> None:
    room.shown = 6
    good = {"kind": "html", "urls": f"{BASE}/harbour/", "links": r"/\d{6}/\d+\.html$"}
    made = source(tmp_path, lists=[good, {"kind": "html", "urls": [f"{BASE}/town/", f"{BASE}/trade/"], **shown}])
    fresh = answered(fresh_talk(made, 0, NOW), lambda url: of(room, url))
    assert len(fresh.unread) == 2
    done = repaired(made, known(room, made), room, fresh=fresh)
    assert (done.broken, done.faults, done.left) == ([], [], [])
    assert done.sheet is not None
    assert done.sheet.value["lists"][0] == good
    assert set(done.sheet.value["lists"][1]) == {"kind", "urls", "links", *(("pages",) if "pages" in shown else ())}
    after = answered(fresh_talk(done.sheet.source(), 0, NOW), lambda url: of(room, url))
    assert (after.unread, after.faults, len(after.lists)) == ([], [], 3)
    if "pages" in shown:
        assert done.sheet.value["lists"][1]["pages"] == {"template": "?page={page}", "depth": 7}


def test_lists_that_nothing_is_found_for(tmp_path: Path, room: Newsroom) -> None:
    """What is found for pages is no worse for it."""
    urls = [f"{BASE}/gone/", f"{BASE}/robots.txt"]
    made = source(tmp_path, lists=[{"kind": "html", "urls": urls, "links": "/x/"}])
    fresh = answered(fresh_talk(made, 0, NOW), lambda url: of(room, url))
    articles = known(room, made)
    room.redesign = True
    done = repaired(made, articles, room, fresh=fresh)
    assert done.fits
    assert done.left == [
        f"{BASE}/robots.txt: the list names nothing, and no links of a known form are on it",
        f"{BASE}/gone/: HTTP 404",
    ]


def test_a_list_that_is_read_otherwise_is_recorded_anew(tmp_path: Path, room: Newsroom) -> None:
    made = source(tmp_path)
    folder = tmp_path / "fixtures"
    pages = [(f"{BASE}/{name}/", of(room, f"{BASE}/{name}/")) for name in ("town", "harbour")]
    before = record(made, folder, pages, [of(room, url) for url in addresses(room, 2)]).lists
    room.size = 66
    fewer = [(url, of(room, url)) for url, _ in pages]
    after = record(made, folder, fewer, [], add=True, without=[f"{BASE}/town/"])
    kept = {one.url: one.entries for one in after.lists}
    assert kept[f"{BASE}/harbour/"] == before[1].entries
    assert kept[f"{BASE}/town/"] > before[0].entries
    assert len(after.articles) == 2
    assert check(made) == []


# the sheet

_YAML = """\
# mine
id: newsroom  # its id
lists:
  - {kind: html, urls: https://a.example/, links: /x}
layouts:
  # the first one
  - title: h1  # shown
    # the text
    body: div.text
    strip:
      - .promo
  - until: 2020-01-01
    body: div.old
notes: [x]
"""


def sheet(tmp_path: Path, text: str = _YAML) -> Sheet:
    path = tmp_path / "newsroom.yml"
    path.write_bytes(text.encode())
    return Sheet(path)


def test_a_layout_in_front(tmp_path: Path) -> None:
    one = sheet(tmp_path)
    one.layout_in_front({"body": "p: q", "title": "h2"}, {"body": "2 of 2"}, 0, UNTIL)
    added = "  - title: h2\n    body: 'p: q'  # 2 of 2\n"
    was = "  # the first one\n  - until: 2026-03-01\n    title: h1  # shown\n"
    assert one.after == _YAML.replace("  # the first one\n  - title: h1  # shown\n", added + was)
    assert yaml.safe_load(one.after) == one.value
    assert [line[:1] for line in one.diff().splitlines()[3:]].count("+") == 4


@pytest.mark.parametrize("old", ["[{title: h1}]", "[{}]", "\n- {title: h1}", "\n  - title: h1", "\n-\n  title: h1"])
def test_a_layout_in_front_of_any_form(tmp_path: Path, old: str) -> None:
    one = sheet(tmp_path, f"id: x\nlayouts: {old}\n")
    one.layout_in_front({"title": "h2, h3"}, {}, 0, UNTIL)
    assert yaml.safe_load(one.after) == one.value
    assert one.value["layouts"][0] == {"title": "h2, h3"}
    assert one.value["layouts"][1]["until"] == UNTIL


def test_values_are_replaced_where_they_stand(tmp_path: Path) -> None:
    one = sheet(tmp_path)
    one.replace(("layouts", 0, "title"), ["h1", "h2, h3"])
    one.replace(("layouts", 0, "strip"), [".a"])
    expected = _YAML.replace("title: h1  #", "title: [h1, 'h2, h3']  #").replace(
        "strip:\n      - .promo", "strip:\n        [.a]"
    )
    assert one.after == expected
    assert yaml.safe_load(one.after) == one.value


_LISTS = [
    "[{kind: html, urls: u, links: x}]",
    "\n- items: a\n  kind: html\n  urls: u\n\n",
    "\n- kind: html\n  urls: u\n  items:\n  - a\n",
]


@pytest.mark.parametrize("old", _LISTS)
def test_a_list_of_any_form(tmp_path: Path, old: str) -> None:
    one = sheet(tmp_path, f"id: x\nlists: {old}\nhome: h\n")
    ListChange(0, "a, b", None, (), 0).apply(one)
    assert yaml.safe_load(one.after) == one.value == {
        "id": "x", "lists": [{"kind": "html", "urls": "u", "links": "a, b"}], "home": "h"}  # fmt: skip


_TEXT = st.text(st.sampled_from("ab:,#'\"{}[]&*!|>-? "), min_size=1, max_size=8)
_RULES = st.dictionaries(st.sampled_from(["title", "body", "strip"]), st.one_of(_TEXT, st.lists(_TEXT, max_size=2)))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    layouts=st.lists(_RULES, min_size=1, max_size=3),
    new=_RULES,
    width=st.sampled_from([20, 200]),
    flow=st.sampled_from([True, False, None]),
)
def test_any_yaml_is_changed_as_it_is_meant(
    tmp_path: Path, layouts: list[Any], new: Any, width: int, flow: bool | None
) -> None:
    before = {"id": "x", "layouts": layouts, "home": "h"}
    text = yaml.safe_dump(before, default_flow_style=flow, width=width, allow_unicode=True)
    one = sheet(tmp_path, text)
    for name in layouts[0]:
        one.replace(("layouts", 0, name), new.get(name, ["other"]))
    one.layout_in_front(new or {"title": "h1"}, {}, len(layouts) - 1, UNTIL)
    assert one.value["layouts"][0] == (new or {"title": "h1"})
    assert one.value["layouts"][-1]["until"] == UNTIL
    assert yaml.safe_load(one.after) == one.value


def test_what_cannot_be_edited_is_left_alone(tmp_path: Path) -> None:
    shared = "id: newsroom\nbase: &b {title: h1}\nlayouts:\n  - *b\n"
    one = sheet(tmp_path, shared)
    one.layout_in_front({"title": "h2"}, {}, 0, UNTIL)
    with pytest.raises(NotEditable, match="by hand"):
        one.source()
    with pytest.raises(NotEditable, match="required"):
        sheet(tmp_path, "id: newsroom\n").source()


# the verb


def test_the_verb(server: Server, tmp_path: Path) -> None:
    """The site is designed anew, its check fails, it is repaired and goes on; what is older is read as before."""
    room = Newsroom(24).on(server)
    categories = [f"{room.base}/{name}/" for name in room.cats]
    lists = [{"kind": "html", "urls": categories, "links": r"/\d{6}/\d+\.html$"}]
    archive = Archive.new(tmp_path / "archive", values(room.base, lists=lists))
    archive.crawl("newsroom", "--limit", "12")
    room.redesign = True
    done = archive.crawl("newsroom", code=4)
    assert "next: presskeep repair newsroom" in done.stderr
    told = json.loads(archive.verb("repair", "newsroom", "--write", "--json").stdout)
    assert told["broken"] == ["title", "body", "published", "attribution", "byline"]
    assert told["written"]
    source = load_source(archive.folder / "sources" / "newsroom.yml")
    assert [one.until is None for one in source.layouts] == [True, False]
    assert check(source) == []
    archive.crawl("newsroom")
    due = [Due(one.key, one.title, one.published, one.outlet, one.paragraphs) for one in room.truths()]
    right = compared(archive, due)
    assert right.pop("beyond") == 0
    assert set(right.values()) == {24}, right
    segments = sorted(archive.state.glob("captures/*.warc.gz"))
    pages = [answer_of(one) for path in segments for _, one in read_segment(path) if one.notes.get("role") == "article"]
    old = [one for one in pages if b'class="headline"' in one.body]
    assert len(old) == 12
    assert {one[0] for one in read(source, old).values()} < {one.title for one in room.truths()}


def test_from_captures(tmp_path: Path, room: Newsroom) -> None:
    """Nothing is asked of the network; without posts the fixtures are what is known."""
    archive = Archive.new(tmp_path / "archive", values(BASE))
    path = archive.folder / "sources" / "newsroom.yml"
    made, before = load_source(path), path.read_bytes()
    record(made, path.parent / "fixtures", [], [of(room, url) for url in addresses(room, 4)])
    room.redesign = True
    pages = [*addresses(room, 4), f"{BASE}/town/", f"{BASE}/harbour/"]
    file = warc(tmp_path / "new.warc.gz", *(captured(of(room, url)) for url in pages))
    words = ["newsroom", "--archive", str(archive.folder), "--replay", str(file)]
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 0, done.output
    assert "title: h2.title-line  # 4 of 4 pages" in done.output
    assert "Next: presskeep repair newsroom --write --archive" in done.output
    assert path.read_bytes() == before
    done = CliRunner().invoke(command, [*words, "--write"])
    assert done.exit_code == 0, done.output
    assert "fixtures: left as they were" in done.output, "these addresses are recorded already"
    assert f"wrote {path}" in done.output
    assert check(load_source(path)) == []
    assert "nothing to repair" in CliRunner().invoke(command, words).output
    done = CliRunner().invoke(command, [*words[:3], "--replay", str(warc(tmp_path / "none.warc.gz"))])
    assert (done.exit_code, "none of 4 known articles could be had" in done.output) == (3, True)


def test_a_shipped_source_becomes_the_archive_s_own(
    tmp_path: Path, room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies in an installed package is not touched, but where its file is named."""
    (shipped := tmp_path / "shipped").mkdir()
    monkeypatch.setattr("crawler.sources.SHIPPED", shipped)
    made = source(shipped)
    known(room, made, 4)
    assert made.path is not None
    before = made.path.read_bytes()
    archive = Archive.new(tmp_path / "archive")
    room.redesign = True
    file = warc(tmp_path / "new.warc.gz", *(captured(of(room, url)) for url in addresses(room, 4)))
    words = ["--archive", str(archive.folder), "--replay", str(file), "--write"]
    done = CliRunner().invoke(command, ["newsroom", *words])
    own = archive.folder / "sources" / "newsroom.yml"
    assert f"wrote {own}" in done.output
    assert made.path.read_bytes() == before
    assert len(load_source(own).layouts) == 2
    assert check(load_source(own)) == []
    CliRunner().invoke(command, [str(made.path), *words])
    assert made.path.read_bytes() == own.read_bytes()


def test_refused_words(tmp_path: Path) -> None:
    json_source = values(BASE, article={"format": "json"}, layouts=[{"body": "text"}])
    archive = Archive.new(tmp_path / "archive", json_source)
    words = ["newsroom", "--archive", str(archive.folder)]
    done = CliRunner().invoke(command, words)
    assert (done.exit_code, "repair reads pages alone" in done.output) == (2, True)
    archive.add(values(BASE, layouts=[{}]))
    done = CliRunner().invoke(command, words)
    assert (done.exit_code, "no rules that could break" in done.output) == (2, True)
    archive.add(values(BASE, layouts=layout(until="2020-01-01")))
    done = CliRunner().invoke(command, words)
    assert (done.exit_code, "no present layout" in done.output) == (2, True)
    archive.add(values(BASE))
    done = CliRunner().invoke(command, words)
    assert (done.exit_code, "Next: presskeep probe" in done.output) == (2, True)
