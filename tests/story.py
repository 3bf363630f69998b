"""What end-to-end tests share: archives crawled by the real command, and invented stories on a loopback server."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from crawler.archive.captures import read_segment
from crawler.commands.init import make_archive
from tests.server import Page, Server
from tests.warm import Call, Warm
from tests.warm import Done as Done

ROOT = Path(__file__).resolve().parents[1]
PRESSKEEP = [sys.executable, "-m", "crawler.cli"]
SCRAPY = [sys.executable, "-m", "scrapy"]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "",
    "COLUMNS": "200",
    "PYPINYIN_NO_PHRASES": "true",  # a quarter of a second of each run's start; single characters do here
}

WARM = sys.platform == "linux" and not os.environ.get("PRESSKEEP_TESTS_COLD")
"""Whether commands are forked from a process that has imported all; else each is started as a user would."""
Tree = dict[str, tuple[int, str]]
"""Path -> (time of change, digest)."""


@cache
def warm() -> Warm:
    """The process that commands are forked from, one for each worker of a test run."""
    return Warm(ENVIRONMENT, ROOT)


def run(command: Sequence[str], folder: Path, seconds: float = 60, **environment: str) -> Done:
    """A command's outcome."""
    given = {**ENVIRONMENT, **environment}
    if WARM and list(command[:3]) in (PRESSKEEP, SCRAPY) and set(environment) <= {"SCRAPY_SETTINGS_MODULE"}:
        done = warm().run(Call(command[2], command[3:], str(folder), given), seconds)
        if done:
            return done
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=seconds, check=False)


def presskeep(folder: Path, *words: str | Path) -> Done:
    """A verb, called in a folder."""
    return run([*PRESSKEEP, *map(str, words)], folder)


@dataclass(frozen=True)
class Archive:
    """An archive on disk."""

    folder: Path

    @classmethod
    def new(cls, folder: Path, *sources: dict[str, Any], **settings: Any) -> Archive:
        """An archive with these sources of its own; ``settings`` are those of its presskeep.yml."""
        make_archive(folder, title="Archive", url="https://archive.example", timezone="Asia/Shanghai")
        path = folder / "presskeep.yml"
        path.write_text(path.read_text("utf-8") + yaml.safe_dump(settings) if settings else path.read_text("utf-8"))
        made = cls(folder)
        for source in sources:
            made.add(source)
        return made

    def add(self, source: dict[str, Any]) -> None:
        """A source, or another wording of one that is there."""
        text = yaml.safe_dump(source, allow_unicode=True, sort_keys=False)
        (self.folder / "sources" / f"{source['id']}.yml").write_text(text, "utf-8")

    def crawl(self, *words: str | Path, code: int = 0) -> Done:
        """A crawl that ends with this exit code."""
        done = presskeep(self.folder.parent, "crawl", *words, "--archive", self.folder)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def verb(self, verb: str, *words: str | Path, code: int = 0) -> Done:
        """Another verb on this archive."""
        done = presskeep(self.folder.parent, verb, *words, "--archive", self.folder)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    @property
    def state(self) -> Path:
        return self.folder / ".presskeep"

    def posts(self) -> dict[str, bytes]:
        """Path below the archive -> bytes of each post."""
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.glob("_posts/**/*.md")}

    def post(self, key: str) -> str:
        """The text of the one post whose name ends in this key."""
        (text,) = (data.decode() for name, data in self.posts().items() if name.endswith(f"{key}.md"))
        return text

    def tree(self, *, state: bool = False) -> Tree:
        """Every file; ledger, captures and reports only where asked for."""
        return {
            str(path.relative_to(self.folder)): (path.stat().st_mtime_ns, sha256(path.read_bytes()).hexdigest())
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and (state or not path.is_relative_to(self.state))
        }

    def report(self, source: str = "") -> dict[str, Any]:
        """The last run's report, of one source where that is named."""
        told: dict[str, Any] = json.loads(sorted(self.state.glob("runs/*.json"))[-1].read_text("utf-8"))
        return next(one for one in told["sources"] if one["source"] == source) if source else told

    def problems(self, source: str) -> dict[str, str]:
        """Address -> reason, of the last run's report."""
        return {one["address"]: one["what"] for one in self.report(source)["problems"]}

    def rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the ledger answers to SQL."""
        connection = sqlite3.connect(self.state / "ledger.sqlite")
        try:
            return connection.execute(question, values).fetchall()
        finally:
            connection.commit()
            connection.close()

    def states(self) -> dict[str, str]:
        """Key -> state."""
        return dict(self.rows("select key, state from articles"))

    def captured(self) -> list[str]:
        """Addresses of all captures; every segment must read to its end."""
        segments = sorted(self.state.glob("captures/*.warc.gz"))
        return [response.url for path in segments for _, response in read_segment(path)]

    def leftovers(self) -> list[str]:
        """Files that only a run that was cut short leaves."""
        wrong = (".tmp", ".open", "-wal", "-shm")
        return [str(path) for path in self.folder.rglob("*") if path.name.endswith(wrong)]

    def proven(self) -> None:
        """``presskeep verify`` finds nothing, and nothing temporary lies about."""
        self.verb("verify")
        assert self.leftovers() == []


# invented news


@dataclass(frozen=True)
class Story:
    """One invented article."""

    number: int
    title: str = ""
    """Empty for an invented one."""
    body: str = ""
    outlet: str = "海港日报"
    place: str = "a"

    @property
    def key(self) -> str:
        return f"{100000 + self.number}"

    @property
    def path(self) -> str:
        return f"/{self.place}/{self.key}.html"

    @property
    def headline(self) -> str:
        return self.title or f"第{self.number}号渡轮恢复通航"

    @property
    def printed(self) -> str:
        return f"2026-03-{1 + self.number % 28:02d} {self.number % 24:02d}:{self.number % 60:02d}"

    @property
    def text(self) -> str:
        first = f"第{self.number}号渡轮今天恢复通航，首航载客{self.number * 7 % 400}人，船长说风浪不大。"
        return self.body or f"<p>{first}</p>\n<p>码头同时换上了新的航标灯，夜航也将在本周内恢复。</p>"

    def page(self, **changes: Any) -> Page:
        """Its page."""
        html = (
            f"<html><head><title>x</title></head><body><h1>{self.headline}</h1>"
            f'<p class="meta"><time>{self.printed}</time> <span class="outlet">来源：{self.outlet}</span></p>'
            f'<div id="body">{self.text}</div></body></html>'
        )
        return replace(Page(html), **changes)


def stories(count: int, place: str = "a", start: int = 1) -> list[Story]:
    """So many."""
    return [Story(number, place=place) for number in range(start, start + count)]


def list_page(shown: Sequence[Story], following: str = "", **changes: Any) -> Page:
    """A list in HTML, newest first as given."""
    items = "\n".join(f'<li><a href="{one.path}">{one.headline}</a></li>' for one in shown)
    more = f'<a rel="next" href="{following}">more</a>' if following else ""
    return replace(Page(f'<html><body><ul class="news">{items}</ul>{more}</body></html>'), **changes)


def publish(server: Server, shown: Sequence[Story], path: str = "/list", size: int = 0) -> None:
    """Put articles on the server, and their list in pages of ``size``."""
    server.pages |= {one.path: server.pages.get(one.path) or one.page() for one in shown}
    size = size or max(len(shown), 1)
    for number, start in enumerate(range(0, max(len(shown), 1), size), 1):
        here = path if number == 1 else f"{path}?p={number}"
        following = f"{path}?p={number + 1}" if start + size < len(shown) else ""
        server.pages[here] = list_page(shown[start : start + size], following)


def html_source(server: Server, name: str = "harbour", path: str = "/list", **changes: Any) -> dict[str, Any]:
    """A source that follows an HTML list; ``changes`` replace whole entries."""
    source = {
        "id": name,
        "name": "海港新闻",
        "home": server.address("/"),
        "language": "zh-CN",
        "timezone": "Asia/Shanghai",
        "example": server.address("/a/100001.html"),
        "politeness": {"delay": 0.01},
        "expect": {"characters": 20},
        "lists": [
            {
                "kind": "html",
                "urls": server.address(path),
                "items": "ul.news li",
                "fields": {"url": "a::attr(href)", "title": "a"},
                "pages": {"next": "a[rel=next]::attr(href)"},
            }
        ],
        "key": {"patterns": [r"/(\d{6})\.html"]},
        "layouts": [
            {
                "title": "h1",
                "body": "#body",
                "published": "time",
                "attribution": ".outlet",
                "canonical": "link[rel=canonical]::attr(href)",
            }
        ],
    }
    return {**source, **changes}


def json_source(server: Server, name: str, path: str, pages: dict[str, Any] | None = None) -> dict[str, Any]:
    """A source that follows a JSON list and asks for articles by a share link."""
    one = {
        "kind": "json",
        "urls": server.address(path),
        "items": "data.list",
        "fields": {"key": "id", "title": "title", "published": "time", "outlet": "outlet", "digest": "digest"},
    }
    lists = [{**one, "pages": pages}] if pages else [one]
    article = {"address": server.address("/share?id={key}"), "format": "json"}
    post = {"link": server.address("/s/{key}"), "quote": "quote"}
    layouts = [{"body": "text"}]
    return html_source(
        server, name, lists=lists, key={"patterns": [r"^\d{6}$"]}, article=article, layouts=layouts, post=post
    )


def record(story: Story, **changes: Any) -> dict[str, Any]:
    """A story as a JSON list names it."""
    told = {"id": story.key, "title": story.headline, "time": f"{story.printed}:00", "outlet": story.outlet}
    return {**told, "digest": f"渡轮{story.number}号。", **changes}


def json_page(value: Any, **changes: Any) -> Page:
    """A JSON answer."""
    return replace(Page(json.dumps(value, ensure_ascii=False), kind="application/json; charset=utf-8"), **changes)
