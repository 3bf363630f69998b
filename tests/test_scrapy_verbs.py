"""Scrapy's own verbs for YAML sources: ``list``, ``crawl``, ``parse``, ``shell`` and ``check`` work as ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server import Server
from tests.story import SCRAPY, Archive, Done, html_source, json_source, publish, run, stories


def scrapy(folder: Path, *words: str) -> Done:
    return run([*SCRAPY, *words], folder, SCRAPY_SETTINGS_MODULE="crawler.settings")


@pytest.fixture
def archive(server: Server, tmp_path: Path) -> Archive:
    publish(server, stories(3))
    return Archive.new(tmp_path / "archive", html_source(server), json_source(server, "wire", "/api"))


def test_list(archive: Archive) -> None:
    names = scrapy(archive.folder, "list").stdout.split()
    assert {"harbour", "wire", "eastmoney", "eastmoney-flash"} <= set(names)
    assert names == sorted(names)
    elsewhere = scrapy(archive.folder.parent, "list", "-s", f"PRESSKEEP_ARCHIVE={archive.folder}").stdout.split()
    assert elsewhere == names
    assert "harbour" not in scrapy(archive.folder.parent, "list").stdout.split()


def test_crawl(archive: Archive, server: Server, tmp_path: Path) -> None:
    done = scrapy(tmp_path, "crawl", "harbour", "-s", f"PRESSKEEP_ARCHIVE={archive.folder}")
    assert done.returncode == 0, done.stderr
    assert len(archive.posts()) == 3
    assert archive.report("harbour")["kept"] == 3
    archive.proven()
    server.forget()
    archive.crawl("harbour")
    assert server.paths() == ["/list"], "both ways of crawling share one ledger"
    done = scrapy(archive.folder, "crawl", "harbuor")
    assert done.returncode != 0
    assert "harbuor" in done.stderr + done.stdout


def test_parse_shell_and_check_leave_the_archive_alone(archive: Archive, server: Server) -> None:
    before = archive.tree(state=True)
    address = server.address("/a/100002.html")
    done = scrapy(archive.folder, "parse", address, "--spider", "harbour", "--nolinks", "--nocolour")
    assert done.returncode == 0, done.stderr
    assert "第2号渡轮恢复通航" in done.stdout
    assert "'key': '100002'" in done.stdout or "key='100002'" in done.stdout, done.stdout
    done = scrapy(archive.folder, "shell", address, "--spider", "harbour", "-c", "response.css('h1::text').get()")
    assert done.returncode == 0, done.stderr
    assert "第2号渡轮恢复通航" in done.stdout
    done = scrapy(archive.folder, "check", "harbour")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "OK" in done.stderr + done.stdout
    assert archive.tree(state=True) == before


def test_check_fails_where_the_example_gives_nothing(archive: Archive, server: Server) -> None:
    server.pages["/a/100001.html"].body = "<html>another layout</html>"
    done = scrapy(archive.folder, "check", "harbour")
    assert done.returncode != 0
    assert "FAILED" in done.stderr + done.stdout
