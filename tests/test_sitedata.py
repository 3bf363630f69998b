"""Stubs and data files of the site: what they say, that they cost no more than what is new, and that no kill harms."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crawler import run as runs
from crawler.archive.ledger import Kept, Ledger, articles, meta
from crawler.archive.locks import Lock
from crawler.archive.site import category_page, day_page, feed_page, source_page, tag_page, template_files
from crawler.archive.stories import Copy
from crawler.commands.init import make_archive
from crawler.report import DISK, FAILED
from crawler.run import Run, load_outlets
from crawler.site import load_site
from crawler.sitedata import facts, facts_of, faults, pages, refresh, upkeep
from crawler.sitedata.tables import is_key, read_table, table
from tests.server import Server
from tests.story import Archive, Story, Tree, html_source, publish, stories


def paths_of(names: Iterable[str], below: str) -> set[str]:
    return {name for name in names if name.startswith(below)}


@dataclass
class Kiosk:
    """An archive whose posts are put there by hand."""

    folder: Path
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        make_archive(self.folder, title="Kiosk", url="https://kiosk.example", timezone="Asia/Shanghai")
        self.ledger = Ledger(self.folder / ".presskeep" / "ledger.sqlite")

    def add(self, key: str, day: str = "2022-05-19", source: str = "pier", **changes: Any) -> str:
        """A post, or another wording of one; its path."""
        said = {"category": "harbour", "tags": ["Harbour"], "clock": "10:00:00 +0800", "more": "", **changes}
        path = f"_posts/{day.replace('-', '/')}/{day}-{key}.md"
        front = f"title: Ferry {key}\ndate: {day} {said['clock']}\ncategories: {json.dumps([said['category']])}\n"
        text = f"---\n{front}tags: {json.dumps(said['tags'])}\n{said['more']}---\n\n<p>A ferry sails.</p>\n"
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        digest = sha256(text.encode()).hexdigest()
        since, revision = said.get("since", f"{day}T20:00:00Z"), said.get("revision", 0)
        self.ledger.keep([Kept(source, key, source, path, digest, since=since, revision=revision)])
        return path

    def refresh(self, *, whole: bool = False) -> list[str]:
        return refresh(self.folder, load_site(self.folder), self.ledger, load_outlets(self.folder), whole=whole)

    def faults(self) -> list[tuple[str, str]]:
        return list(faults(self.folder, load_site(self.folder), self.ledger, load_outlets(self.folder), []))

    def data(self, name: str) -> Any:
        return yaml.safe_load((self.folder / "_data" / name).read_text("utf-8"))

    def files(self) -> Tree:
        """Stubs and data files."""
        tree = Archive(self.folder).tree()
        return {name: one for name, one in tree.items() if name.split("/")[0] in pages.FOLDERS and "words" not in name}

    def bytes(self) -> dict[str, str]:
        return {name: digest for name, (_, digest) in self.files().items()}


@pytest.fixture
def kiosk(tmp_path: Path) -> Kiosk:
    return Kiosk(tmp_path / "kiosk")


# the form of data files

keys = st.text(max_size=40).filter(lambda text: not any("\ud800" <= char < "\ue000" for char in text))
values = st.recursive(st.integers() | keys | st.booleans(), lambda inner: st.lists(inner, max_size=3), max_leaves=4)


@given(st.dictionaries(keys, values | st.dictionaries(keys, values, max_size=3), max_size=5))
def test_a_table_is_a_line_for_each_key_that_json_and_yaml_read_alike(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[str, Any]
) -> None:
    data = table(rows)
    assert yaml.load(data, yaml.CSafeLoader) == rows
    lines = data.decode().split("\n")
    assert len(lines) == max(len(rows), 1) + 1
    for line, key in zip(lines, sorted(rows), strict=False):
        assert json.loads(f"{{{line}}}") == {key: rows[key]}
    file = tmp_path_factory.getbasetemp() / "table.yml"
    file.write_bytes(data)
    assert read_table(file) == rows


def test_what_no_file_can_hold_becomes_what_it_can() -> None:
    assert table({"a\ud800": "\x85\u2028"}) == b'"a\\ufffd": "\\u0085\\u2028"\n'


@pytest.mark.parametrize("text", ["", '"a": 1', "a: b\n", '"a": 1\n"b"', "- 1\n", '{"a": 1}\n'])
def test_a_file_of_another_form_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yml").write_text(text)
    assert read_table(tmp_path / "a.yml") is None
    assert read_table(tmp_path / "b.yml") is None


# what the files say


def test_every_file_of_a_small_archive(kiosk: Kiosk) -> None:
    kiosk.add("1", tags=["Harbour", "tides"])
    kiosk.add("2", source="quay")
    kiosk.add("3", "2022-12-31", category="weather", tags=["Weather"], since="2023-01-01T15:59:00Z")
    source = html_source_without_server("quay")
    (kiosk.folder / "sources" / "quay.yml").write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")
    kiosk.refresh()
    assert kiosk.data("days/2022.yml") == {"2022-05-19": 2, "2022-12-31": 1}
    leads = {"Harbour": "/category/harbour.html", "Weather": "/category/weather.html", "tides": "/tag/tides.html"}
    assert kiosk.data("tags.yml") == leads
    quay = {"name": "海港新闻", "url": source["home"], "language": "zh-CN", "posts": 1}
    assert kiosk.data("sources.yml") == {"pier": {"name": "pier", "posts": 2}, "quay": quay}
    assert kiosk.data("facts/2022-05-19.yml") == {
        "/harbour/2022/05/19/1.html": {"archived": "2022-05-20"},
        "/harbour/2022/05/19/2.html": {"archived": "2022-05-20"},
    }
    assert kiosk.data("facts/2022-12-31.yml") == {"/weather/2022/12/31/3.html": {"archived": "2023-01-01"}}
    calendars = {"2022.html", "2022/05.html", "2022/12.html", "2022/05/19.html", "2022/12/31.html"}
    stubs = {f"archive/{name}" for name in calendars} | {"source/pier.html", "source/quay.html", "tag/tides.html"}
    stubs |= {f"category/{slug}.{kind}" for slug in ("harbour", "weather") for kind in ("html", "xml")}
    assert {name for name in kiosk.files() if not name.startswith("_data/")} == stubs
    told = {
        "archive/2022/05/19.html": day_page("2022-05-19"),
        "category/harbour.html": category_page("harbour", "Harbour"),
        "category/harbour.xml": feed_page("harbour", "Harbour"),
        "source/quay.html": source_page("quay", "海港新闻"),
        "tag/tides.html": tag_page("tides", "tides"),
    }
    assert {name: (kiosk.folder / name).read_bytes() for name in told} == told
    assert kiosk.faults() == []


def html_source_without_server(name: str) -> dict[str, Any]:
    class Nowhere:
        def address(self, path: str) -> str:
            return f"https://harbour.example{path}"

    return html_source(Nowhere(), name, politeness={"delay": 1})  # type: ignore[arg-type]


def test_what_is_known_of_a_post(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days in the site's zone, each edit with its time, tombstones, and the copies of its story."""
    path = kiosk.add("1", more='last_modified_at: "2022-05-20 09:00:00 +0800"\nrevisions: 2\n', revision=2)
    kept = kiosk.folder / "revisions/2022/05/19/2022-05-19-1"
    kept.mkdir(parents=True)
    text = (kiosk.folder / path).read_text()
    (kept / "1.md").write_text("\n".join(line for line in text.split("\n") if "modified" not in line))
    (kept / "2.md").write_text(text.replace("09:00:00 +0800", "00:30:00 +0000"))
    credited = 'attribution: "潮汐社"\nlanguage: zh\n'
    other = kiosk.add("9", "2022-05-18", "quay", more=credited, clock="23:30:00 +0800", since="")
    third = kiosk.add("8", "2022-05-18", "quay", tags=["Quay"], since="")
    kiosk.ledger.write(articles.update().where(articles.c.key == "1").values(gone="2022-06-01T16:00:00Z"))
    gone = kiosk.add("7", since="")
    (kiosk.folder / gone).unlink()
    copies = [Copy(other, "quay", True), Copy(third, "quay", False), Copy(gone, "pier", False)]
    monkeypatch.setattr(facts, "copies_of", lambda ledger, paths: {path: copies})
    url = "/harbour/2022/05/19/1.html"
    told = facts_of(kiosk.folder, load_site(kiosk.folder), kiosk.ledger, {path: url, gone: "/a/2022/05/19/7.html"})
    edits = [
        {"number": 1, "at": "2022-05-20T08:30:00+08:00"},
        {"number": 2, "at": "2022-05-20T09:00:00+08:00"},
    ]
    first = {"title": "Ferry 9", "url": "/harbour/2022/05/18/9.html", "date": "2022-05-18T23:30:00+08:00"}
    second = {"title": "Ferry 8", "url": "/harbour/2022/05/18/8.html", "date": "2022-05-18T10:00:00+08:00"}
    listed = [{**first, "outlet": "潮汐社", "language": "zh", "original": True}, {**second, "outlet": "Quay"}]
    known = {"archived": "2022-05-20", "revisions": edits, "gone": "2022-06-02", "copies": listed}
    assert told == {"2022-05-19": {url: known}}


def test_an_edit_whose_time_nobody_can_read_is_told_without(kiosk: Kiosk) -> None:
    path = kiosk.add("1", more="last_modified_at: soon\nrevisions: 1\n", revision=1, since="")
    kept = kiosk.folder / "revisions/2022/05/19/2022-05-19-1/1.md"
    kept.parent.mkdir(parents=True)
    kept.write_text("no post")
    told = facts_of(kiosk.folder, load_site(kiosk.folder), kiosk.ledger, {path: "/a/2022/05/19/1.html"})
    assert told == {"2022-05-19": {"/a/2022/05/19/1.html": {"revisions": [{"number": 1}]}}}


def test_tags_of_one_slug_keep_the_address_that_they_have(kiosk: Kiosk) -> None:
    """Whoever came first keeps it, also where all is derived anew; no two differ by case alone."""
    kiosk.add("1", tags=["Harbour", "时事"])
    kiosk.refresh()
    kiosk.add("2", tags=["Harbour", "史诗", "实施", "Shi Shi", "x" * 2000])
    kiosk.refresh()
    told = kiosk.data("tags.yml")
    assert told["时事"] == "/tag/shishi.html"
    assert set(told) == {"Harbour", "时事", "史诗", "实施", "Shi Shi"}
    assert len({address.lower() for address in told.values()}) == 5
    for tag, address in told.items():
        if tag != "Harbour":
            assert yaml.safe_load((kiosk.folder / address[1:]).read_text("utf-8").split("---\n")[1])["tag"] == tag
    before = kiosk.bytes()
    (kiosk.folder / "_data/tags.yml").unlink()
    kiosk.refresh(whole=True)
    assert kiosk.bytes() == before
    assert not is_key("x" * 2000)


def test_a_tag_leads_to_the_category_that_takes_its_name_later(kiosk: Kiosk) -> None:
    kiosk.add("1", tags=["Harbour", "Tides"])
    kiosk.refresh()
    assert kiosk.data("tags.yml")["Tides"] == "/tag/tides.html"
    kiosk.add("2", category="tides", tags=["Tides"])
    kiosk.refresh()
    assert kiosk.data("tags.yml")["Tides"] == "/category/tides.html"
    assert kiosk.faults() == []


def test_names_that_are_no_names_of_files_get_no_pages(kiosk: Kiosk) -> None:
    kiosk.add("1", category="../../out", tags=[])
    kiosk.add("2", category="two words", tags=["Two"], source="../quay")
    kiosk.refresh()
    assert paths_of(kiosk.files(), "category/") | paths_of(kiosk.files(), "source/") == {"source/pier.html"}
    assert kiosk.data("sources.yml")["../quay"]["posts"] == 1
    assert not list(kiosk.folder.parent.glob("*.html"))


def test_packed_months_are_counted_and_have_no_stubs(kiosk: Kiosk) -> None:
    kiosk.add("1", "2022-04-30")
    kiosk.add("2", "2022-05-01")
    (kiosk.folder / "_data/packed.yml").write_text('months:\n  "2022-04": 1\ncategories: [harbour]\n')
    kiosk.refresh()
    assert kiosk.data("days/2022.yml") == {"2022-04-30": 1, "2022-05-01": 1}
    calendars = {"archive/2022.html", "archive/2022/05.html", "archive/2022/05/01.html"}
    assert paths_of(kiosk.files(), "archive/") == calendars
    assert paths_of(kiosk.files(), "_data/facts/") == {"_data/facts/2022-05-01.yml"}
    assert kiosk.faults() == []


@pytest.mark.parametrize("steps", [False, True])
def test_a_post_without_an_offset_is_of_the_day_of_its_address(kiosk: Kiosk, steps: bool) -> None:
    """Jekyll reads such a date as UTC's: from four in the afternoon it is the next day in Shanghai."""
    if steps:
        kiosk.add("0", "2021-12-30")
        kiosk.add("9", "2022-01-02")
        kiosk.refresh()
    kiosk.add("1", "2021-12-31", clock="10:00:00")
    kiosk.add("2", "2021-12-31", clock="20:00:00")
    if steps:
        kiosk.refresh()
    kiosk.add("3", "2021-12-31")
    kiosk.add("4", "2022-01-01", clock="20:00:00 +0000")
    kiosk.refresh()
    first, second = ({"2021-12-30": 1}, {"2022-01-02": 2}) if steps else ({}, {"2022-01-02": 1})
    assert kiosk.data("days/2021.yml") == first | {"2021-12-31": 2}
    assert kiosk.data("days/2022.yml") == {"2022-01-01": 1, **second}
    assert {"archive/2022/01/01.html", "archive/2022/01/02.html"} <= paths_of(kiosk.files(), "archive/2022/01/")
    assert list(kiosk.data("facts/2022-01-01.yml")) == ["/harbour/2022/01/01/2.html"]
    assert kiosk.faults() == []
    (kiosk.folder / "_data/facts/2022-01-01.yml").unlink()
    (kiosk.folder / "_data/days/2022.yml").unlink()
    kiosk.add("5", "2022-01-01")
    kiosk.refresh()
    assert kiosk.faults() == []
    assert len(kiosk.data("facts/2022-01-01.yml")) == 2


def test_a_link_to_an_original_without_an_offset_is_its_address(kiosk: Kiosk) -> None:
    path = kiosk.add("1", "2022-05-19", clock="20:00:00")
    found = SimpleNamespace(space="pier", key="1", path=path)
    stories = SimpleNamespace(original_for=lambda *_: found)
    run: Any = SimpleNamespace(_pending={}, archive=kiosk.folder, site=load_site(kiosk.folder), stories=stories)
    assert Run.original_for(run, cast(Any, None)) == "/harbour/2022/05/20/1.html"


def test_a_post_that_is_moved_to_another_day_leaves_its_old_one(kiosk: Kiosk) -> None:
    kiosk.add("1", "2022-05-19")
    kiosk.refresh()
    kiosk.add("1", "2022-05-19", clock="20:00:00")
    kiosk.refresh()
    assert kiosk.data("days/2022.yml") == {"2022-05-20": 1}
    assert kiosk.faults() == []


def test_a_story_of_many_posts_reads_each_once(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [kiosk.add(f"{number}") for number in range(60)]
    found = {path: [Copy(one, "pier", one == paths[0]) for one in paths if one != path] for path in paths}
    monkeypatch.setattr(facts, "copies_of", lambda ledger, some: found)
    seen: list[str] = []
    real = facts.read

    def noted(archive: Path, path: str, zone: ZoneInfo) -> facts.Told | None:
        seen.append(path)
        return real(archive, path, zone)

    monkeypatch.setattr(facts, "read", noted)
    urls = {path: f"/harbour/2022/05/19/{number}.html" for number, path in enumerate(paths)}
    told = facts_of(kiosk.folder, load_site(kiosk.folder), kiosk.ledger, urls)["2022-05-19"]
    assert len(seen) <= 61, "the first once as original, if ever"
    assert {len(one["copies"]) for one in told.values()} == {50}
    assert told["/harbour/2022/05/19/59.html"]["copies"][0]["original"] is True


def test_what_is_packed_is_none_where_the_file_is_torn(kiosk: Kiosk) -> None:
    for text in ("", "[", "months: [1]", "months:\n  a: b\n", "x: 1", "\udcff"):
        (kiosk.folder / "_data/packed.yml").write_bytes(text.encode("utf-8", "surrogateescape"))
        assert pages.packed_months(kiosk.folder) == {}


# what came since


def later(kiosk: Kiosk) -> None:
    """New posts, an edit, another category, a tombstone, a second source."""
    kiosk.add("4", tags=["Harbour", "tides"])
    kiosk.add("5", "2021-12-31", "quay", category="weather", tags=["Weather"])
    kiosk.add("1", category="ferries", tags=["Ferries"])
    kiosk.ledger.write(articles.update().where(articles.c.key == "2").values(gone="2022-06-01T00:00:00Z"))


def filled(folder: Path) -> Kiosk:
    kiosk = Kiosk(folder)
    for key in "123":
        kiosk.add(key, "2022-05-19" if key < "3" else "2022-07-01")
    return kiosk


def test_step_by_step_is_as_if_derived_at_once(tmp_path: Path) -> None:
    steps, once = filled(tmp_path / "steps"), filled(tmp_path / "once")
    steps.refresh()
    before = steps.files()
    later(steps)
    written = steps.refresh()
    after = steps.files()
    assert {name for name in after if after[name] != before.get(name)} == set(written)
    assert "_data/facts/2022-07-01.yml" not in written
    assert list(steps.data("facts/2022-05-19.yml")) == [
        "/ferries/2022/05/19/1.html",
        "/harbour/2022/05/19/2.html",
        "/harbour/2022/05/19/4.html",
    ]
    assert steps.faults() == []
    later(once)
    once.refresh()
    assert steps.bytes() == {**once.bytes(), **{name: steps.bytes()[name] for name in before.keys() - once.bytes()}}
    assert steps.refresh() == []
    assert steps.refresh(whole=True) == []
    assert steps.files() == after


@pytest.mark.parametrize("kept", ["days/2022.yml", "tags.yml", "sources.yml", "facts/2022-05-19.yml"])
def test_a_data_file_that_was_deleted_or_torn_comes_back_with_what_is_new(tmp_path: Path, kept: str) -> None:
    kiosk = filled(tmp_path / "kiosk")
    kiosk.refresh()
    for spoil in (Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-3])):
        spoil(kiosk.folder / "_data" / kept)
        assert [name for name, _ in kiosk.faults()] == [f"_data/{kept}"]
        kiosk.add("new" if spoil is Path.unlink else "newer", tags=["Harbour", "tides"])
        kiosk.refresh()
        assert kiosk.faults() == []


def test_copies_are_told_of_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A post that joins a story, or leaves it, changes what the pages of the others say, though they stay as they were,
    and though the facts of their days were lost."""
    kiosk = filled(tmp_path / "kiosk")
    story: list[str] = []

    def copies_of(ledger: Ledger, paths: Iterable[str]) -> dict[str, list[Copy]]:
        return {
            path: [Copy(one, "quay", one == story[0]) for one in story if one != path]
            for path in paths
            if path in story
        }

    monkeypatch.setattr(facts, "copies_of", copies_of)
    monkeypatch.setattr(pages, "copies_of", copies_of)
    kiosk.refresh()
    (kiosk.folder / "_data/facts/2022-05-19.yml").unlink()
    story += ["_posts/2022/05/19/2022-05-19-1.md", "_posts/2022/05/20/2022-05-20-copy.md"]
    kiosk.add("copy", "2022-05-20", "quay")
    kiosk.refresh()
    first, copy = "/harbour/2022/05/19/1.html", "/harbour/2022/05/20/copy.html"
    assert [one["url"] for one in kiosk.data("facts/2022-05-19.yml")[first]["copies"]] == [copy]
    assert kiosk.data("facts/2022-05-20.yml")[copy]["copies"][0]["original"] is True
    assert len(kiosk.data("facts/2022-05-19.yml")) == 2
    assert kiosk.faults() == []
    story.clear()
    kiosk.add("copy", "2022-05-20", "quay", tags=["Harbour", "other words"])
    kiosk.refresh()
    assert "copies" not in kiosk.data("facts/2022-05-19.yml")[first]
    assert kiosk.faults() == []


def test_an_archive_of_an_older_presskeep_and_files_of_an_older_form(tmp_path: Path) -> None:
    kiosk = filled(tmp_path / "kiosk")
    (kiosk.folder / "category").mkdir(exist_ok=True)
    (kiosk.folder / "category/harbour.html").write_bytes(category_page("harbour", "The Harbour"))
    assert kiosk.faults() == [("_data", "behind the ledger: the site lacks pages. Next: presskeep pages")]
    kiosk.refresh()
    assert feed_page("harbour", "The Harbour") == (kiosk.folder / "category/harbour.xml").read_bytes()
    (kiosk.folder / "_data/days/2022.yml").write_text("{}\n")
    kiosk.ledger.write(meta.update().where(meta.c.name == "pages").values(value="0:3"))
    assert kiosk.refresh() == ["_data/days/2022.yml"]
    assert kiosk.faults() == []


def test_data_files_of_a_crawl_into_the_template_are_no_template(kiosk: Kiosk) -> None:
    kiosk.add("1")
    kiosk.refresh()
    assert paths_of((name for name, _ in template_files(kiosk.folder)), "_data/") == {"_data/words.yml"}


def test_nothing_is_written_where_there_is_nothing(kiosk: Kiosk) -> None:
    assert (kiosk.refresh(), kiosk.faults(), kiosk.bytes()) == ([], [], {})


class Killed(Exception):
    """In place of a SIGKILL."""


def test_killed_at_any_write_it_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stubs, each data file, the number: whatever was done, the next one does the rest, with more posts by then."""
    undisturbed, killed, left = filled(tmp_path / "undisturbed"), filled(tmp_path / "killed"), [0]

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def writing(*given: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return write(*given)

        return writing

    for kiosk in (undisturbed, killed):
        kiosk.refresh()
        later(kiosk)
    kills, writes = 0, {name: getattr(upkeep, name) for name in ("replace", "write_all")}
    with monkeypatch.context() as patched:
        for name, write in writes.items():
            patched.setattr(upkeep, name, counted(write))
        patched.setattr(killed.ledger, "write", counted(killed.ledger.write))
        while not suppressed(killed.refresh, Killed):
            kills, left[0] = kills + 1, 2  # the stubs, which are there by then, and one file
    assert kills == 7, "at the stubs, at each of six files but the first, at the number"
    for kiosk in (undisturbed, killed):
        kiosk.add("6", "2022-07-01", "quay")
        kiosk.refresh()
    assert killed.bytes() == undisturbed.bytes()
    assert killed.faults() == []


def suppressed(do: Callable[[], object], fault: type[Exception]) -> bool:
    """Whether it went well."""
    try:
        do()
    except fault:
        return False
    return True


# runs and verbs


@pytest.mark.parametrize(("fault", "code"), [(OSError(28, "No space left"), DISK), (ValueError("odd"), FAILED)])
def test_a_run_s_result_is_told_though_the_pages_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, code: int
) -> None:
    kiosk = filled(tmp_path / "kiosk")
    kiosk.ledger.close()

    def broken(*_: object) -> list[str]:
        raise fault

    monkeypatch.setattr(runs, "refresh", broken)
    run = Run(kiosk.folder, load_site(kiosk.folder), [])
    run.record_start()
    assert run.close() == code
    assert Archive(kiosk.folder).report()["exit_code"] == code
    monkeypatch.undo()
    quiet = Run(kiosk.folder, load_site(kiosk.folder), [])
    assert quiet.close() == 0
    assert kiosk.bytes() == {}, "a run that was not begun, such as a plan, writes nothing"
    following = Run(kiosk.folder, load_site(kiosk.folder), [])
    following.record_start()
    assert following.close() == 0
    ledger = Ledger.to_read(kiosk.ledger.path)
    assert list(faults(kiosk.folder, load_site(kiosk.folder), ledger, load_outlets(kiosk.folder), [])) == []
    ledger.close()


def test_verify_names_what_is_missing_and_the_verb_writes_it(server: Server, tmp_path: Path) -> None:
    publish(server, stories(3))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    assert "no run yet" in archive.verb("pages", code=2).stderr
    archive.crawl()
    told = yaml.safe_load((archive.folder / "_data/sources.yml").read_text("utf-8"))
    assert told == {"harbour": {"name": "海港新闻", "url": server.address("/"), "language": "zh-CN", "posts": 3}}
    before = {name: digest for name, (_, digest) in archive.tree().items()}
    spoilt = ["_data/days/2026.yml", "archive/2026/03.html", "source/harbour.html"]
    for name in spoilt:
        (archive.folder / name).unlink()
    (archive.folder / "_data/tags.yml").write_text("{}\n")
    found = json.loads(archive.verb("verify", "--json", code=1).stdout)
    assert {one["file"]: one["fault"] for one in found} == {
        **dict.fromkeys(spoilt, "missing. Next: presskeep pages"),
        "_data/tags.yml": "not what ledger and posts say. Next: presskeep pages",
    }
    lock = Lock(archive.folder, archive.state)
    archive.verb("pages", code=75)
    lock.release()
    assert archive.verb("pages").stdout == "4 files written\n"
    assert {name: digest for name, (_, digest) in archive.tree().items()} == before
    archive.proven()


def test_a_crawl_that_brings_a_copy_tells_it_to_the_page_that_was_there(server: Server, tmp_path: Path) -> None:
    text = "江澄港口今天凌晨开始试运行，首批三座泊位吞吐量达到{}万吨，船长表示风浪不大，夜航也将在本周内恢复。"
    body = "".join(f"<p>第{number}段：{text.format(number * 137)}</p>" for number in range(1, 9))
    for place, path in (("a", "/list"), ("b", "/pier")):
        publish(server, [Story(1, "江澄港口开始试运行", body, place=place)], path)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    archive.add(html_source(server, "pier", "/pier"))
    archive.crawl("pier")
    known = read_table(archive.folder / "_data/facts/2026-03-02.yml") or {}
    copies = {url: [(one["url"], one.get("original")) for one in told["copies"]] for url, told in known.items()}
    first, second = (f"/haigangribao/2026/03/02/{name}-100001.html" for name in ("harbour", "pier"))
    assert copies == {first: [(second, None)], second: [(first, True)]}
    archive.proven()
