"""Packing beside a real Jekyll: the same addresses, the same pages, no address twice."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crawler.pack import FOLDER, pack
from tests.packing import Packing, articles
from tests.test_render_jekyll import build, same

pytestmark = [
    pytest.mark.jekyll,
    pytest.mark.skipif(shutil.which("jekyll") is None, reason="jekyll is not installed"),
]
MONTHS = ["2021-11", "2021-12", "2022-01"]
PARTS = [month.replace("-", "/") for month in MONTHS]
FIRST = datetime(2021, 11, 20, 8, tzinfo=ZoneInfo("Asia/Shanghai"))

ODD = ["soon", f"{10**17}", f'"{10**20}"']
"""Times of an edit that are none, or that Python cannot count: of a packed post, and of two that Jekyll builds."""


@dataclass
class Sites:
    """One archive, built by Jekyll alone, and by both."""

    alone: Path
    hot: Path
    packed: Path

    @staticmethod
    def pages(folder: Path) -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def archive_of(folder: Path, layout: str) -> Packing:
    archive = Packing(folder, hot_posts=12, posts=layout)
    archive.add(list(articles(36, FIRST, timedelta(hours=67))))
    archive.fresh()
    return archive


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    folder = tmp_path_factory.mktemp("sites")
    archive = archive_of(folder / "site", "dated")
    for path, modified in zip(sorted(archive.folder.glob("_posts/**/*.md"))[-12::4], ODD, strict=True):
        path.write_text(path.read_text("utf-8").replace("\nlanguage:", f"\nmodified: {modified}\nlanguage:"), "utf-8")
    build(archive.folder, folder / "alone")
    assert list(pack(archive.place).months) == MONTHS
    build(archive.folder, folder / "hot")
    return Sites(folder / "alone", folder / "hot", archive.folder / FOLDER)


def test_flat_posts_are_hidden_likewise(sites: Sites, tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "site", "flat")
    pack(archive.place)
    build(archive.folder, tmp_path / "hot")
    assert sites.pages(tmp_path / "hot") == sites.pages(sites.hot)
    assert sites.pages(archive.folder / FOLDER) == sites.pages(sites.packed)


def test_addresses_stay_and_are_made_once(sites: Sites) -> None:
    alone, hot, packed = map(sites.pages, (sites.alone, sites.hot, sites.packed))
    assert not hot & packed
    more = {name for name in packed if name.startswith(("category/", "search/", "source/"))}
    assert hot | packed == alone | more
    assert not more & alone
    assert {name.split("/")[2] for name in more if name.startswith("category/")} == {"2021", "2022", "older.html"}
    assert {name for name in more if name.startswith("search/")} == {f"search/{month}.json" for month in PARTS}
    assert any(name.startswith("chenbao/2021/11/") for name in packed)


def test_packed_pages_are_jekylls(sites: Sites) -> None:
    for name in sites.pages(sites.packed):
        if not name.startswith(("category/", "search/", "source/")):
            ours = (sites.packed / name).read_text("utf-8")
            same(ours, (sites.alone / name).read_text("utf-8"))


def test_search_reads_the_same_posts(sites: Sites) -> None:
    lists = [sites.hot / "assets/search.json", *(sites.packed / f"search/{month}.json" for month in reversed(PARTS))]
    whole = json.loads((sites.alone / "assets/search.json").read_text("utf-8"))
    assert [row for path in lists for row in json.loads(path.read_text("utf-8"))] == whole
    assert len(whole) == 36


def test_what_jekyll_builds_stays_as_it_was(sites: Sites) -> None:
    """Posts, the first of which leads to the last packed one, and the calendar; lists hold the hot posts alone."""
    found = {name for name in sites.pages(sites.hot) if name.endswith(".html") and "/20" in name}
    posts = {name for name in found if not name.startswith("archive/")}
    assert len(posts) == 9
    for name in found:
        theirs, before = ((folder / name).read_text("utf-8") for folder in (sites.hot, sites.alone))
        same(theirs, before)


@pytest.mark.parametrize("kind", ["category", "source"])
def test_lists_lead_to_what_is_packed(sites: Sites, kind: str) -> None:
    page = (sites.hot / f"{kind}/chenbao.html").read_text("utf-8")
    assert f'href="/{kind}/chenbao/older.html"' in page
    months = (sites.packed / f"{kind}/chenbao/older.html").read_text("utf-8")
    assert months.index(f"/{kind}/chenbao/2022/01.html") < months.index(f"/{kind}/chenbao/2021/11.html")
    assert f'href="/{kind}/chenbao.html"' in months
    assert "<h1>更早的文章</h1>" in months
    assert ">晨报</a>" in months if kind == "category" else ">chenbao</a>" in months
    month = (sites.packed / f"{kind}/chenbao/2021/12.html").read_text("utf-8")
    listed = {name for name in sites.pages(sites.packed) if name.startswith("chenbao/2021/12/")}
    if kind == "source":  # every fifth was taken from another
        listed = {name for name in listed if int(name.split("/N")[1].removesuffix(".html")) % 5}
    assert listed
    assert set(re.findall(r'<h3><a href="/([^"]*)"', month)) == listed
    assert f'<p class="count">{len(listed)} 篇</p>' in month
    assert f'href="/{kind}/chenbao/older.html"' in month


def test_counts_are_of_all_posts_packed_or_not(sites: Sites) -> None:
    def counts(folder: Path, name: str) -> list[str]:
        return re.findall(r'<p class="count">(.*?)</p>', (folder / name).read_text("utf-8"))

    assert counts(sites.alone, "category/chenbao.html") == ["12 篇"]
    assert counts(sites.hot, "category/chenbao.html") == ["共 12 篇，列出最新的 3 篇。"]
    assert counts(sites.alone, "source/wire.html") == ["17 篇"]
    assert counts(sites.hot, "source/wire.html") == ["共 17 篇，列出最新的 4 篇。"]
    tags = [f"tag/{path.name}" for path in (sites.alone / "tag").glob("*.html")]
    assert ["36 篇"] in [counts(sites.alone, tag) for tag in tags]
    assert all(counts(sites.hot, tag) == [] for tag in tags)
    same(*((folder / "categories.html").read_text("utf-8") for folder in (sites.hot, sites.alone)))


def test_no_link_leads_nowhere(sites: Sites) -> None:
    """Of Jekyll's pages and the packed ones, laid over each other."""
    there = {"/", *(f"/{name}" for folder in (sites.hot, sites.packed) for name in sites.pages(folder))}
    dead = {
        (name, link)
        for folder in (sites.hot, sites.packed)
        for name in sites.pages(folder)
        if name.endswith(".html")
        for link in re.findall(r'(?:href|src)="(/[^/"][^"]*)"', (folder / name).read_text("utf-8"))
        if link not in there
    }
    assert dead == set()
