"""``presskeep export``: which posts, and where to."""

from __future__ import annotations

import io
import json
import re
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from crawler.archive.site import category_page
from crawler.export.order import _stretches
from crawler.export.output import opened, text
from tests.shop import ATOM, FIRST, Shop, invented, new_shop, order_of, rfc_4287


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return new_shop(tmp_path / "archive")


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Four days, two categories, a tombstone in each."""
    for number in range(4):
        shop.keep(number, category=("ferry", "pier")[number % 2])
    shop.settle("k0", gone="2026-04-01T00:00:00Z")
    shop.settle("k1", gone="2026-04-01T00:00:00Z")
    return shop


def test_which_posts(stocked: Shop) -> None:
    for words, found in {
        "--category pier": ["k1", "k1 tombstone", "k3"],
        "--from 2026-03-03": ["k2", "k3"],
        "--to 2026-03-01": ["k0", "k0 tombstone"],
        "--from 2026-03-02 --to 2026-03-03": ["k1", "k1 tombstone", "k2"],
        "--day 2026-03-02": ["k1", "k1 tombstone"],
        "--week 2026-W09": ["k0", "k0 tombstone"],
        "--week 2026W10 --category ferry": ["k2"],
        "--category pier --since 4": ["k1 tombstone"],
        "--category lighthouse": [],
    }.items():
        *told, end = stocked.lines(*words.split())
        named = [one["identifier"] + {"tombstone": " tombstone"}.get(one["event"], "") for one in told]
        assert sorted(named) == found, words
        assert end["next"] == 6, "of the whole log"


def test_what_makes_no_sense_is_refused(shop: Shop) -> None:
    shop.keep(1)
    for words, said in {
        "jsonl --day 2026-03-01 --week 2026-W09": "three ways to say it",
        "jsonl --day 2026-03-01 --to 2026-03-02": "three ways to say it",
        "jsonl --week 2026-W54": "is no week of ISO 8601",
        "jsonl --week March": "is no week of ISO 8601",
        "jsonl --each-category --out DIR/": "--each-category is for atom, jsonfeed, sitemap; jsonl holds all",
        "atom --each-category": "--out DIR/",
        "atom --each-category --category ferry --out DIR/": "give one",
    }.items():
        assert said in shop.export(*words.split(), code=2).stderr, words


def test_the_newest_of_a_category_wherever_they_are(shop: Shop) -> None:
    """Days are searched until there are enough, and no further."""
    for number in range(12):
        shop.keep(number, category="rare" if number in (1, 9) else "ferry")
    (shop.folder / shop.keep(0)).write_bytes(b"no post")
    done = shop.export("jsonfeed", "--category", "rare", "--newest", "1")
    assert [one["url"][-7:-5] for one in json.loads(done.stdout)["items"]] == ["k9"]
    assert "left out" not in done.stderr
    done = shop.export("jsonfeed", "--category", "rare", "--newest", "3")
    assert [one["url"][-7:-5] for one in json.loads(done.stdout)["items"]] == ["k9", "k1"]
    assert done.stderr.count("left out") == 1


def test_a_feed_of_a_category_has_its_own_name_and_address(stocked: Shop) -> None:
    (stocked.folder / "category" / "pier.html").write_bytes(category_page("pier", '码头 "旧" & 新'))
    (stocked.folder / "category" / "ferry.html").write_text("---\ntitle: [broken\n---\n")
    ids = set()
    for words, title, page in (
        ("", "Harbour & more", ""),
        ("--category pier", 'Harbour & more · 码头 "旧" & 新', "category/pier.html"),
        ("--category ferry", "Harbour & more · ferry", "category/ferry.html"),
        ("--source harbour", "Harbour & more · harbour", "source/harbour.html"),
        ("--source harbour --category pier", 'Harbour & more · harbour · 码头 "旧" & 新', "category/pier.html"),
    ):
        root = etree.fromstring(stocked.export("atom", *words.split()).stdout.encode())
        links = {one.get("rel"): one.get("href") for one in root.findall(f"{ATOM}link")}
        assert (root.findtext(f"{ATOM}title"), links) == (title, {"alternate": f"https://archive.example/{page}"})
        ids.add(root.findtext(f"{ATOM}id"))
    assert len(ids) == 5


@pytest.mark.parametrize("form", ["atom", "jsonfeed", "sitemap"])
def test_a_file_for_each_category(stocked: Shop, tmp_path: Path, form: str) -> None:
    """Each is what an export of that category alone would be; one whose name is no slug has a file too."""
    path = stocked.folder / stocked.keep(9)
    path.write_text(path.read_text().replace("categories: ferry", 'categories: ["../a b", ferry]'))
    folder = f"{tmp_path}/feeds/"
    done = stocked.export(form, "--each-category", "--newest", "2", "--out", folder, "--self", "https://a.example/f/")
    assert "5 written; next: --since 7@" in done.stderr
    ending = {"atom": "atom", "jsonfeed": "json", "sitemap": "xml"}[form]
    names = sorted(path.name for path in Path(folder).iterdir())
    assert names[1:] == [f"ferry.{ending}", f"pier.{ending}"]
    assert names[0].startswith("a-b-")
    for slug in ("ferry", "pier"):
        address = f"https://a.example/f/{slug}.{ending}"
        alone = stocked.export(form, "--category", slug, "--newest", "2", "--self", address).stdout_bytes
        assert Path(folder, f"{slug}.{ending}").read_bytes() == alone
        assert (address.encode() in alone) == (form != "sitemap")
    if form == "atom":
        for name in names:
            rfc_4287(etree.parse(Path(folder, name)).getroot())


def test_files_in_a_folder_are_named(stocked: Shop, tmp_path: Path) -> None:
    """By number; by day or week, where it is of one."""
    new = tmp_path / "new"
    stocked.export("jsonl", "--out", f"{new}/")
    stocked.export("atom", "--out", str(new))
    stocked.export("csv", "--out", str(new), "--day", "2026-03-02")
    stocked.export("csv", "--out", str(new), "--week", "2026-W10")
    stocked.export("jsonfeed", "--out", str(new), "--since", "6")
    assert {path.name for path in new.iterdir()} == {
        "presskeep-000006.jsonl",
        "presskeep-000006.atom",
        "presskeep-2026-03-02.csv",
        "presskeep-2026-03-02_2026-03-08.csv",
        "presskeep-000006.json",
    }


@pytest.mark.parametrize("form", ["jsonl", "parquet", "sqlite", "epub"])
def test_an_address_that_fsspec_knows(stocked: Shop, tmp_path: Path, form: str) -> None:
    """As a file has it; a folder there is one that ends in a slash."""
    stocked.export(form, "--out", str(tmp_path / "file"))
    wanted = (tmp_path / "file").read_bytes()
    stocked.export(form, "--out", f"memory://shelf-{form}/news/")
    stocked.export(form, "--out", f"file://{tmp_path}/other")
    assert fsspec.filesystem("memory").cat(f"/shelf-{form}/news/presskeep-000006.{form}") == wanted
    assert (tmp_path / "other").read_bytes() == wanted


@pytest.mark.parametrize("scheme", ["memory://torn", "file://{}", "{}"])
def test_an_address_holds_all_or_what_it_held(tmp_path: Path, scheme: str) -> None:
    place = scheme.format(tmp_path) + "/out.txt"
    with opened(place) as out:
        out.write(b"old")

    drafts = set[str]()

    def torn() -> None:
        with opened(place) as out, text(out) as lines:
            lines.write("new" * 100_000)
            drafts.update(path.name for path in tmp_path.iterdir())
            raise OSError("the line broke")

    with pytest.raises(OSError, match="the line broke"):
        torn()
    assert len(drafts) == (0 if scheme.startswith("memory") else 2), "beside its place, to be moved in one step"
    with fsspec.open(place, "rb") as file:
        assert file.read() == b"old"
    with opened(place) as out:
        out.write(b"newer")
    with fsspec.open(place, "rb") as file:
        assert file.read() == b"newer"
    assert [path.name for path in tmp_path.iterdir()] in ([], ["out.txt"])


def test_a_library_that_is_not_there_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.keep(1)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = shop.export("csv", "--out", "s3://bucket/all.csv", code=2).stderr
    assert "s3://bucket/all.csv: needs s3fs. Next: pip install 'presskeep[s3]'" in said
    assert "parquet needs pyarrow. Next: pip install 'presskeep[parquet]'" in shop.export("parquet", code=2).stderr
    assert "nowhere://a/b: " in shop.export("csv", "--out", "nowhere://a/b", code=2).stderr


def test_what_a_store_says_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its library's errors are no OSError."""

    class StoreError(Exception):
        pass

    def refuse(*_: object) -> None:
        raise StoreError("no credentials")

    monkeypatch.setitem(sys.modules, "botocore.exceptions", SimpleNamespace(BotoCoreError=StoreError))
    monkeypatch.setattr("fsspec.implementations.memory.MemoryFile.commit", refuse)
    said = shop.export("csv", "--out", "memory://shut/all.csv", code=74).stderr
    assert "memory://shut/all.csv: no credentials" in said


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=30), st.integers(1, 8))
def test_the_newest_are_the_newest(posts: list[tuple[int, int]], count: int) -> None:
    """However they lie, of one category and of each; the later line goes first where two are of the same moment."""
    items = [
        invented(number, FIRST + timedelta(hours=7 * hours), categories=(f"c{category}",) * 2)
        for number, (hours, category) in enumerate(posts, 1)
    ]
    items = [
        replace(item, entry=replace(item.entry, path=f"_posts/{item.published:%Y-%m-%d}-k{item.entry.number}.md"))
        for item in items
    ]
    order = replace(order_of(*items), count=count)
    by_age = sorted(items, key=lambda item: (item.published, item.entry.number), reverse=True)
    assert order.newest() == by_age[:count]
    of_each = {one.category: one.newest() for one in order.each_category()}
    assert of_each == {
        slug: [item for item in by_age if slug in item.post.categories][:count]
        for slug in {slug for item in items for slug in item.post.categories}
    }
    assert all(replace(order, category=slug).newest() == found for slug, found in of_each.items())


def test_days_are_searched_in_growing_steps() -> None:
    """Each step goes through the whole log."""
    days = Counter({f"2026-{month:02}-{day:02}": 1 for month in (1, 2, 3) for day in range(1, 29)})
    steps = list(_stretches(days, 1))
    assert [len(step) for step in steps] == [1, 4, 16, 63]
    assert min(steps[0]) > max(steps[1]) > min(steps[1]) > max(steps[2])
    assert set().union(*steps) == set(days)


def test_a_post_by_another_hand_is_handed_on(shop: Shop) -> None:
    """Such as the oldest of the seed archive, before which a blank line stands; and one without category."""
    old, bare = shop.folder / shop.keep(1), shop.folder / shop.keep(2)
    old.write_text(f"\n{old.read_text()}")
    bare.write_text("---\ntitle: Ferry\ndate: 2026-03-03\n---\nIt *sails*.\n\nTwice.\n")
    first, second, _ = shop.lines()
    assert (first["headline"], first["articleSection"]) == ("第1号渡轮“复航” & <more>", "ferry")
    assert (second["articleSection"], second["articleBody"]) == ("", "It *sails*.\nTwice.")
    assert second["datePublished"] == "2026-03-03T00:00:00+08:00"
    for form in ("csv", "atom", "jsonfeed", "sitemap", "parquet", "sqlite", "epub"):
        assert "2 written" in shop.export(form).stderr


def test_what_somebody_wrote_by_hand_does_no_harm(shop: Shop) -> None:
    """A link that is no address, a category that leads elsewhere, a year that no zone has."""
    linked, folded, ancient = (shop.folder / shop.keep(number) for number in (1, 2, 3))
    linked.write_text(re.sub("original: .*", 'original: "https://a.example/ x"', linked.read_text()))
    folded.write_text(folded.read_text().replace("categories: ferry", 'categories: ["../sources/mine"]'))
    (shop.folder / "sources" / "mine.html").write_text("title: not for others\n")
    ancient.write_text(re.sub("date: .*", "date: 0001-01-01 00:00:00 +1400", ancient.read_text()))
    done = shop.export("atom")
    assert f"{ancient.relative_to(shop.folder)}: left out (" in done.stderr
    entries = etree.fromstring(done.stdout.encode()).findall(f"{ATOM}entry")
    assert [one.get("rel") for one in entries[1].findall(f"{ATOM}link")] == ["alternate"]
    named = shop.export("atom", "--category", "../sources/mine").stdout.encode()
    rfc_4287(etree.fromstring(named))
    assert etree.fromstring(named).findtext(f"{ATOM}title") == "Harbour & more · ../sources/mine"


def test_times_are_of_the_day_in_the_name(shop: Shop) -> None:
    """Days are the archive's: this one is the second of March in Shanghai."""
    shop.keep(1, published=datetime(2026, 3, 1, 23, 0, tzinfo=UTC))
    assert [one.get("identifier") for one in shop.lines("--day", "2026-03-02")] == ["k1", None]
    assert [one.get("identifier") for one in shop.lines("--day", "2026-03-01")] == [None]


def test_standard_output_holds_binary_forms(shop: Shop) -> None:
    shop.keep(1)
    for form, begin in (("parquet", b"PAR1"), ("sqlite", b"SQLite format 3"), ("epub", b"PK")):
        assert io.BytesIO(shop.export(form).stdout_bytes).read(20).startswith(begin)
