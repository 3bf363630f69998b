"""The benchmark itself, on a site of a few articles: all are kept whole, a loss is called out."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.benchmarks.crawl import Cost, Subject, _table, main
from tests.benchmarks.pages import make_site
from tests.benchmarks.server import Server


@pytest.mark.slow
@pytest.mark.parametrize("server", [[], ["--own-server"]])
def test_all_subjects_keep_every_article(tmp_path: Path, server: list[str]) -> None:
    run = CliRunner().invoke(main, ["--articles", "12", "--rounds", "1", "--pages", str(tmp_path / "pages"), *server])
    assert run.exit_code == 0, run.output
    assert "VOID" not in run.stdout
    rows = [line.split(" | ") for line in run.stdout.splitlines() if "captures" in line or "plain" in line[:9]]
    assert [row[0].strip("| ") for row in rows] == ["presskeep, captures on", "presskeep, captures off", "plain spider"]
    assert float(rows[0][6].strip("| ")) > 0, "presskeep runs a second time"


def test_pages_are_the_same_each_time_and_as_large_as_they_should_be(tmp_path: Path) -> None:
    first, second = (make_site(tmp_path / name, 30) for name in "ab")
    assert first == second
    for article in first:
        page = (tmp_path / "a" / f"{article.path[1:]}.gz").read_bytes()
        assert page == (tmp_path / "b" / f"{article.path[1:]}.gz").read_bytes()
        assert 28_000 < len(gzip.decompress(page)) < 125_000
        assert all(gzip.decompress(page).count(mark.encode()) == 1 for mark in article.marks)


def test_a_run_that_lost_an_article_is_void() -> None:
    whole, less = Cost(1.0, 1.0, 90.0, 10), Cost(1.0, 1.0, 90.0, 9)
    subject = Subject("plain spider", lambda folder: [], [whole, less])
    assert next(_table([subject], 10, Server("nginx", ""))).startswith("VOID: 10 posts are due")
