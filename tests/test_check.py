"""presskeep check: what a source no longer gives, on recorded pages and on fresh ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from crawler.commands.check import command
from crawler.fetch import Answer, answered
from crawler.fixtures import Expected, ExpectedArticle
from crawler.fresh import Fresh, FreshArticle, fresh_talk, unsaid
from crawler.sources import Source, load_source
from tests.newsroom import Newsroom
from tests.server import Page, Server
from tests.story import Archive

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BASE = "http://127.0.0.1:8000"


def values(base: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": "newsroom",
        "name": "青渡新闻网",
        "home": f"{base}/",
        "language": "zh-CN",
        "timezone": "Asia/Shanghai",
        "example": f"{base}/town/202501/1040000.html",
        "politeness": {"delay": 0.01},
        "lists": [{"kind": "html", "urls": [f"{base}/town/", f"{base}/harbour/"], "links": r"/\d{6}/\d+\.html$"}],
        "key": {"patterns": r"/(\d+)\.html"},
        "layouts": [
            {
                "title": "h1.headline",
                "body": "div.text",
                "published": "span.when",
                "attribution": "span.credit",
                "byline": "span.writer",
                "strip": [".promo"],
            }
        ],
        **changes,
    }


@pytest.fixture
def room() -> Newsroom:
    return Newsroom(60, base=BASE)


def source(folder: Path, base: str = BASE, **changes: Any) -> Source:
    path = folder / "newsroom.yml"
    path.write_text(yaml.safe_dump(values(base, **changes), allow_unicode=True), "utf-8")
    return load_source(path)


def of(room: Newsroom, url: str) -> Answer:
    page: Page | None = room.answer(url.removeprefix(BASE))
    if page is None:
        return Answer(url, url, 404, body=b"none")
    return Answer(url, url, 200, (("Content-Type", page.kind),), page.data, date="2026-03-01T00:00:00Z")


def seen(room: Newsroom, made: Source, number: int = 5) -> Fresh:
    return answered(fresh_talk(made, number, NOW), lambda url: of(room, url))


def expected(fresh: Fresh) -> Expected:
    return Expected(articles=[one.found for one in fresh.articles if one.found])


def test_a_sound_source(tmp_path: Path, room: Newsroom) -> None:
    fresh = seen(room, source(tmp_path), 6)
    assert len(fresh.articles) == 6
    assert len(fresh.lists) == 2
    assert list(fresh.broken(expected(fresh))) == []
    titles = {one.title for one in room.truths()}
    assert {one.found.title for one in fresh.articles if one.found} <= titles
    towns = [one for one in fresh.articles if "/town/" in one.answer.url]
    assert len(towns) == 3, "lists take turns"


def faults(tmp_path: Path, room: Newsroom, **changes: Any) -> Iterator[str]:
    recorded = expected(seen(room, source(tmp_path)))
    return seen(room, source(tmp_path, **changes)).broken(recorded)


def layout(**changes: Any) -> list[dict[str, Any]]:
    return [{**values(BASE)["layouts"][0], **changes}]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"layouts": layout(body="div.gone")}, "5 of 5 pages give no article"),
        ({"layouts": layout(attribution="span.gone")}, "attribution: 80% of the recorded pages have one, 0% of 5"),
        ({"layouts": layout(byline="span.gone")}, "byline: 100% of the recorded pages have one, 0% of 5 fresh ones"),
        ({"layouts": layout(body="p.meta")}, "body: on 5 of 5 pages the rule gives"),
        ({"expect": {"characters": 100_000}}, "characters are under the floor"),
        ({"lists": [{"kind": "html", "urls": f"{BASE}/town/", "links": "/gone/"}]}, "/town/: the list is empty"),
        ({"lists": [{"kind": "html", "urls": f"{BASE}/gone/", "links": "/a/"}]}, "/gone/: HTTP 404"),
    ],
)
def test_what_is_broken(tmp_path: Path, room: Newsroom, changes: dict[str, Any], told: str) -> None:
    (only,) = faults(tmp_path, room, **changes)
    assert told in only


def test_what_only_older_pages_said_is_not_missed(tmp_path: Path, room: Newsroom) -> None:
    recorded = expected(seen(room, source(tmp_path)))
    room.redesign = True
    anew = {"title": "h2", "body": "section.copy", "published": "li.dated"}
    made = source(tmp_path, layouts=[{**anew, "byline": "li.gone"}, *layout(until="2020-01-01")])
    assert unsaid(made) == ["attribution"]
    assert [one.partition(":")[0] for one in seen(room, made).broken(recorded, unsaid(made))] == ["byline"]


def test_few_pages_say_nothing_of_shares() -> None:
    article = ExpectedArticle(url="u", key="1", title="T", published="2026-01-01", byline=["A"], characters=9)
    without = article.model_copy(update={"byline": []})
    answer = Answer("u", "u")
    fresh = Fresh(articles=[FreshArticle(answer, without)] * 2)
    assert list(fresh.broken(Expected(articles=[article] * 5))) == []
    fresh.articles *= 2
    assert len(list(fresh.broken(Expected(articles=[article] * 5)))) == 1
    assert list(fresh.broken(Expected())) == []


def test_without_lists_the_example_is_asked(tmp_path: Path, room: Newsroom) -> None:
    ids = [{"kind": "ids", "template": f"{BASE}/town/202501/{{id}}.html", "first": 1}]
    example = f"{BASE}{room.truth(3).path}"
    fresh = seen(room, source(tmp_path, lists=ids, example=example))
    assert [one.found.title for one in fresh.articles if one.found] == [room.truth(3).title]


def test_lists_that_name_lists_are_followed(tmp_path: Path, room: Newsroom) -> None:
    maps = [{"kind": "sitemap", "urls": f"{BASE}/sitemap.xml", "since": "", "links": r"\.html$"}]
    fresh = seen(room, source(tmp_path, lists=maps), 3)
    assert [(of, answer.url) for of, answer in fresh.lists] == [(f"{BASE}/sitemap.xml", f"{BASE}/sitemap-1.xml")]
    assert len(fresh.articles) == 3
    assert list(fresh.broken(Expected())) == []


def test_the_verb(server: Server, tmp_path: Path) -> None:
    room = Newsroom(60).on(server)
    archive = Archive.new(tmp_path / "archive", values(room.base))
    done = archive.verb("check", "newsroom")
    assert "not known" in done.stdout
    assert "Next: presskeep check newsroom --live --record" in done.stdout
    archive.verb("check", "newsroom", "--live", "--record", "--articles", "3")
    assert "/town/" in server.paths("/town/")
    told = json.loads(archive.verb("check", "newsroom", "--json").stdout)
    assert told == [{"source": "newsroom", "recorded": 5, "fresh": None, "is": "ok", "broken": [], "next": ""}]
    room.redesign = True
    done = archive.verb("check", "newsroom", "--live", code=4)
    assert "5 of 5 pages give no article" in done.stdout
    assert "Next: presskeep repair newsroom" in done.stdout
    archive.verb("check", "newsroom")
    archive.add(values(room.base, layouts=layout(body="div.gone")))
    done = archive.verb("check", "newsroom", code=4)
    assert "article: expected" in done.stdout


def test_words_that_do_not_go_together(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--record", "--archive", str(tmp_path)])
    assert done.exit_code == 2
