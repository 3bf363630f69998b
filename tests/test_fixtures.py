"""Fixtures of a source: what is recorded, that it is checked field by field, and that it can grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from crawler.fetch import Answer
from crawler.fixtures import Difference, Examiner, check, differences, folder_of, load, record, told
from crawler.items import Refused
from crawler.sources import Source, load_source
from tests.server import Page
from tests.story import Story, list_page, stories

SITE = "http://127.0.0.1:8000"
LIST = f"{SITE}/list"
STORIES = stories(3)


def answered(path: str, page: Page, asked: str = "") -> Answer:
    headers = (("Content-Type", page.kind),)
    return Answer(asked or SITE + path, SITE + path, 200, headers, page.data, date="2026-04-01T00:00:00Z")


def pages(*shown: Story) -> list[Answer]:
    return [answered(one.path, one.page()) for one in shown]


def source(folder: Path, **changes: Any) -> Source:
    values = {
        "id": "harbour",
        "name": "海港新闻",
        "home": f"{SITE}/",
        "language": "zh-CN",
        "timezone": "Asia/Shanghai",
        "example": f"{SITE}/a/100001.html",
        "lists": [{"kind": "html", "urls": LIST, "links": r"/a/\d+", "pages": {"next": "a[rel=next]::attr(href)"}}],
        "key": {"patterns": [r"/(\d{6})\.html"]},
        "layouts": [{"title": "h1", "body": "#body", "published": "time", "attribution": ".outlet"}],
        **changes,
    }
    path = folder / "harbour.yml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
    return load_source(path)


def recorded(folder: Path) -> Source:
    made = source(folder)
    first = answered("/list", list_page(STORIES))
    record(made, folder_of(made), [(LIST, first)], pages(*STORIES[:2]))
    return made


def test_what_is_recorded(tmp_path: Path) -> None:
    made = recorded(tmp_path)
    expected, answers = load(made)
    assert [(one.url, one.of, one.entries) for one in expected.lists] == [(LIST, LIST, 3)]
    first = expected.articles[0]
    assert (first.key, first.title, first.attribution) == ("100001", "第1号渡轮恢复通航", "海港日报")
    assert first.published == "2026-03-02T01:01:00+08:00"
    assert first.begin.startswith("第1号渡轮今天恢复通航")
    assert first.end.endswith("夜航也将在本周内恢复。")
    assert first.characters > 40
    assert set(answers) == {LIST, *(SITE + one.path for one in STORIES[:2])}
    assert sorted(path.name for path in (tmp_path / "fixtures").iterdir()) == ["harbour.warc.gz", "harbour.yml"]
    assert check(made) == []


def test_each_field_that_broke_is_named(tmp_path: Path) -> None:
    recorded(tmp_path)
    layout = {"title": "h1", "body": "#body", "published": "time"}
    changed = {
        "attribution": [{**layout, "attribution": ".nowhere"}],
        "characters": [{**layout, "attribution": ".outlet", "strip": ["p:first-child"]}],
        "article": [{**layout, "body": "#elsewhere"}],
        "title": [{**layout, "attribution": ".outlet", "title": ".outlet"}],
        "published": [{**layout, "attribution": ".outlet", "published": {"css": "time", "regex": r"\S+"}}],
    }
    for field, layouts in changed.items():
        found = check(source(tmp_path, layouts=layouts))
        assert {one.url for one in found} == {SITE + one.path for one in STORIES[:2]}
        assert field in {one.field for one in found}
    assert str(Difference("u", "title", "a", "b")) == "u: title: expected 'a', found 'b'"


def test_lists_that_broke(tmp_path: Path) -> None:
    recorded(tmp_path)
    one = {"kind": "html", "urls": LIST, "links": "/nothing"}
    assert [(two.field, two.expected, two.found) for two in check(source(tmp_path, lists=[one]))] == [("entries", 3, 0)]
    (found,) = check(source(tmp_path, lists=[{**one, "urls": f"{SITE}/other"}]))
    assert "has no list" in found.found
    (found,) = check(source(tmp_path, lists=[{"kind": "json", "urls": LIST, "items": "a", "fields": {"url": "u"}}]))
    assert "no such list" in found.found


def test_recorded_pages_are_added_to(tmp_path: Path) -> None:
    made = recorded(tmp_path)
    before = load(made)[0]
    more = [(LIST + "?p=2", answered("/list?p=2", list_page(STORIES[:1]))), (LIST, answered("/list", list_page([])))]
    expected = record(made, folder_of(made), more, pages(*STORIES), add=True)
    assert expected.lists == before.lists, "an address is recorded once; one that is no list of the source is left out"
    assert expected.articles[:2] == before.articles
    assert [one.key for one in expected.articles] == ["100001", "100002", "100003"]
    assert check(made) == []
    assert len(load(made)[1]) == 4


def test_pages_that_are_no_articles_are_left_out(tmp_path: Path) -> None:
    made = source(tmp_path)
    wrong = [answered("/a/1.html", Page("<p>x</p>")), answered("/a/100009.html", Page("<p>x</p>"))]
    expected = record(made, tmp_path, [], [*wrong, *pages(STORIES[0]), *pages(STORIES[0])])
    assert [one.key for one in expected.articles] == ["100001"]
    with pytest.raises(Refused, match="key"):
        Examiner(made).article(wrong[0])


def test_a_page_that_is_gone_and_fixtures_that_are_not_there(tmp_path: Path) -> None:
    made = recorded(tmp_path)
    path = tmp_path / "fixtures" / "harbour.yml"
    path.write_text(path.read_text("utf-8").replace(STORIES[0].path, "/a/100077.html"), "utf-8")
    assert [(one.field, one.found) for one in check(made)] == [("page", "none")]
    path.unlink()
    with pytest.raises(FileNotFoundError, match="no fixtures"):
        check(made)


def test_what_lists_say_counts(tmp_path: Path) -> None:
    """A page without a date gets that of the list that names it."""
    one = {"kind": "html", "urls": LIST, "items": "li", "fields": {"url": "a::attr(href)", "published": "i"}}
    made = source(tmp_path, lists=[one], layouts=[{"title": "h1", "body": "#body", "published": ".nowhere"}])
    body = f'<li><a href="{STORIES[0].path}">x</a> <i>2026-03-09 10:00</i>'
    expected = record(made, tmp_path, [(LIST, answered("/list", Page(body)))], pages(STORIES[0]))
    assert expected.articles[0].published == "2026-03-09T10:00:00+08:00"
    assert check(made, tmp_path) == []


def test_one_moment_in_two_zones_is_no_difference(tmp_path: Path) -> None:
    made = recorded(tmp_path)
    one = load(made)[0].articles[0]
    assert list(differences(one, one.model_copy(update={"published": "2026-03-01T17:01:00+00:00"}))) == []
    (found,) = differences(one, one.model_copy(update={"published": ""}))
    assert found.field == "published"
    assert told(Examiner(made).article(pages(STORIES[0])[0]), one.url) == one


def test_where_a_list_leads(tmp_path: Path) -> None:
    page = answered("/list", list_page(STORIES, "/list?p=2"))
    assert Examiner(source(tmp_path)).further(page, LIST) == ([f"{LIST}?p=2"], [])
