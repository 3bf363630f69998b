"""Backfills: exactly the articles of some days, planned first, and gone on with after kills."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.server import Page, Server
from tests.story import ENVIRONMENT, PRESSKEEP, Archive, Done, Story, html_source

LATEST = date(2026, 3, 20)
DAYS = ("--from", "2026-03-05", "--to", "2026-03-08")


@dataclass(frozen=True)
class Old(Story):
    """One of many: ten a day, number 1 the newest."""

    @property
    def day(self) -> date:
        return LATEST - timedelta(days=(self.number - 1) // 10)

    @property
    def printed(self) -> str:
        return f"{self.day} {20 - (self.number - 1) % 10}:30"


def past(count: int = 200) -> list[Old]:
    return [Old(number) for number in range(1, count + 1)]


def within(shown: list[Old], first: str = DAYS[1], last: str = DAYS[3]) -> set[str]:
    return {one.key for one in shown if first <= one.day.isoformat() <= last}


def publish(server: Server, shown: list[Old], *, dated: bool, size: int = 10) -> None:
    """Numbered pages, that say when articles were published or do not."""
    server.pages |= {one.path: one.page() for one in shown}
    for number, start in enumerate(range(0, len(shown), size), 1):
        items = "\n".join(
            f'<li><a href="{one.path}">{one.headline}</a>{f"<i>{one.printed}</i>" if dated else ""}</li>'
            for one in shown[start : start + size]
        )
        following = f'<a rel="next" href="/list?p={number + 1}">more</a>' if start + size < len(shown) else ""
        page = Page(f'<html><body><ul class="news">{items}</ul>{following}</body></html>')
        server.pages["/list" if number == 1 else f"/list?p={number}"] = page


def source(server: Server, *, dated: bool = True, numbered: bool = True, **changes: Any) -> dict[str, Any]:
    made = html_source(server, **changes)
    (one,) = made["lists"]
    one["fields"] |= {"published": "i"} if dated else {}
    if numbered:
        one["pages"] = {"template": server.address("/list?p={page}"), "depth": 2}
    return made


def backfill(archive: Archive, *words: str, code: int = 0) -> Done:
    return archive.verb("backfill", "harbour", *DAYS, *words, code=code)


def posts(archive: Archive) -> set[str]:
    return {name[-9:-3] for name in archive.posts()}


@pytest.mark.parametrize("dated", [True, False])
def test_exactly_the_articles_of_the_days(server: Server, tmp_path: Path, dated: bool) -> None:
    """The page where the days begin is found by bisection; where lists say no dates, an article of a page does."""
    publish(server, shown := past(), dated=dated)
    archive = Archive.new(tmp_path / "archive", source(server, dated=dated))
    done = backfill(archive)
    assert posts(archive) == within(shown)
    lists, asked = server.paths("/list"), server.paths("/a/")
    assert len(lists) == len(set(lists)) < 14, lists
    assert len(asked) == len(set(asked)) <= (40 if dated else 60), "no article is asked for twice"
    assert archive.rows("select count(*) from articles where state = 'queued'") == [(0,)]
    assert archive.rows("select count(*) from walks") == archive.rows("select count(*) from listings") == [(0,)]
    assert "2026-03-08" in done.stdout
    archive.proven()
    server.forget()
    backfill(archive)
    assert server.paths("/a/") == [], "what is kept is not asked for again, nor what told its day"
