"""``presskeep extract``: pages from files, captures and the network, what is printed, and why."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crawler.commands.extract import command
from crawler.fetch import host_of
from crawler.middlewares.guard import allowed_networks
from crawler.sources import Politeness
from tests.server import Page, Server
from tests.story import Archive, html_source, presskeep, publish, stories
from tests.test_pagefile import answer, warc

SENTENCE = "The ferry to the north island will sail twice a day from June, the harbour office said on Monday. "
PAGE = f"""<html lang="en"><head><title>Ferry sails twice a day | Riverside Post</title>
<meta property="og:title" content="Ferry sails twice a day"><meta property="og:site_name" content="Riverside Post">
<meta property="article:published_time" content="2026-03-06T08:30:00+01:00"><meta name="author" content="Ida Marsh">
</head><body><nav><a href="/">Home</a></nav><article><h1>Ferry sails twice a day</h1>
{"".join(f"<p>{SENTENCE * 3}<b>No. {number}</b></p>" for number in range(6))}</article>
<footer>Imprint</footer></body></html>"""
WALL = "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>"


def extract(*words: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(command, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(PAGE, "utf-8")
    return path


def test_fields_and_text(page: Path) -> None:
    lines = extract(page, "--url", "https://riverside.example/ferry").stdout.split("\n")
    about = dict(line.split(maxsplit=1) for line in lines[: lines.index("")])
    assert about["title"] == "Ferry sails twice a day"
    assert about["published"] == "2026-03-06T08:30:00+01:00"
    assert about["authors"] == "Ida Marsh"
    assert about["publisher"] == "Riverside Post"
    assert about["language"] == "en"
    assert about["kind"] == "article"
    assert about["url"] == "https://riverside.example/ferry"
    assert "modified" not in about
    body = lines[lines.index("") + 1 :]
    assert body[0].startswith("The ferry to the north island")
    assert not any("<" in line or "Imprint" in line for line in body)


def test_html(page: Path) -> None:
    assert "<p>The ferry to the north island" in extract(page, "--html").stdout


def test_json(page: Path) -> None:
    (line,) = extract(page, "--json").stdout.splitlines()
    told = json.loads(line)
    assert (told["title"], told["kind"], told["authors"]) == ("Ferry sails twice a day", "article", ["Ida Marsh"])
    assert told["published"] == "2026-03-06T08:30:00+01:00"
    assert told["attribution"] is None
    assert told["text"].startswith("The ferry")
    assert "<p>" in told["body"]
    assert "evidence" not in told


def test_explained(page: Path) -> None:
    said = extract(page, "--explain").stdout
    (evidence,) = (json.loads(line)["evidence"] for line in extract(page, "--explain", "--json").stdout.splitlines())
    for name in ("title", "published", "authors", "kind"):
        taken = evidence[name]["taken"]
        assert f"\n{name}:\n  + {taken['rule']}  " in said
    assert evidence["kind"]["taken"]["value"] == "article"
    assert all(one["reason"] for one in evidence["title"]["rejected"])
    rejected = [one for choice in evidence.values() for one in choice["rejected"]]
    assert rejected
    assert all(f"  - {one['rule']}" in said and one.get("reason", "") in said for one in rejected)
    placed = [one for one in (*rejected, *(choice["taken"] for choice in evidence.values())) if one and "node" in one]
    assert placed
    assert all(f"  at {one['node']}" in said for one in placed)


def test_a_wall_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "wall.html"
    path.write_text(WALL)
    assert "kind        soft404" in extract(path).stdout


def test_encodings_and_languages(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes("<title>текст</title>".encode("koi8-r"))
    assert json.loads(extract(path, "--json", "--encoding", "koi8-r").stdout)["title"] == "текст"
    assert json.loads(extract(path, "--json", "--language", "ru").stdout)["language"] == "ru"
    assert "utf9" in extract(path, "--encoding", "utf9", code=2).stderr


def test_pages_of_a_warc(tmp_path: Path) -> None:
    path = warc(tmp_path / "a.warc.gz", answer("/1", PAGE.encode()), answer("/2", PAGE.encode("utf-16")), answer("/3"))
    told = [json.loads(line) for line in extract(path, "--json").stdout.splitlines()]
    assert [one["url"][-2:] for one in told] == ["/1", "/2", "/3"]
    assert [one["title"] for one in told[:2]] == ["Ferry sails twice a day"] * 2
    assert extract(path).stdout.count("Ferry sails twice a day\n") == 2
    (one,) = extract(path, "--json", "--url", told[1]["url"]).stdout.splitlines()
    assert json.loads(one) == told[1]
    assert "no HTML page of" in extract(path, "--url", "https://news.example/none", code=2).stderr


def test_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no such file" in extract("none.html", code=2).stderr
    archive = Archive.new(tmp_path / "archive")
    assert "no such file" in extract("4711", "--archive", archive.folder, code=2).stderr
    (tmp_path / "cut.warc.gz").write_bytes(b"\x1f\x8b")
    assert "cut.warc.gz" in extract("cut.warc.gz", code=2).stderr


def test_from_the_network(server: Server, tmp_path: Path) -> None:
    """All at once, for each waits for the host."""
    server.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /private", kind="text/plain")
    server.pages["/ferry"] = Page(PAGE.encode("utf-16"), kind="text/html; charset=utf-16", gzip=True)
    server.pages["/short"] = Page(status=302, headers={"Location": "/ferry"})
    server.pages["/private"] = Page(PAGE)
    archive = Archive.new(tmp_path / "archive", contact="desk@example.org")
    asked = ["/short", "/private"]
    with ThreadPoolExecutor() as pool:
        found, refused = pool.map(
            lambda path: presskeep(tmp_path, "extract", server.address(path), "--json", "--archive", archive.folder),
            asked,
        )
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["title"] == "Ferry sails twice a day"
    assert json.loads(found.stdout)["url"] == server.address("/ferry")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "disallowed by robots.txt" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert "/private" not in server.paths()
    agents = {one.headers["user-agent"] for one in server.asked if one.path != "/robots.txt"}
    assert len(agents) == 1
    assert "desk@example.org" in agents.pop()


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://news.example/a", []),
        ("http://me:secret@news.example:8080/a", []),
        ("http://127.0.0.1:8080/a", ["127.0.0.1/32"]),
        ("http://x@10.0.0.7/a", ["10.0.0.7/32"]),
        ("http://127.0.0.1@news.example/a", []),
    ],
)
def test_machines_that_are_not_public_are_asked_only_where_the_address_names_them(url: str, allowed: list[str]) -> None:
    typed: Any = SimpleNamespace(hosts=[host_of(url)], politeness=Politeness())
    assert [str(one) for one in allowed_networks(typed)] == allowed


def test_a_kept_key_is_extracted_from_its_capture(server: Server, tmp_path: Path) -> None:
    publish(server, stories(1))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    server.forget()
    (key,) = (name.rpartition("-")[2].removesuffix(".md") for name in archive.posts())
    told = json.loads(extract(key, "--json", "--archive", archive.folder).stdout)
    assert told["url"] == server.address(f"/a/{key}.html")
    assert told["language"] or told["text"] or told["title"]
    assert server.asked == []
