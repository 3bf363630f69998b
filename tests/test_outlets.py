"""Outlets: aliases, overriding files, and tables that are refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.attribution import tidy
from crawler.outlets import Outlets
from crawler.slugs import Slugs
from tests.shared import SHARED, needs_shared
from tests.test_slugs import READINGS

DATA = Path(__file__).resolve().parents[1] / "spiders" / "data"
SLUGS = Slugs.load(DATA / "slugs.yml")
OUTLETS = Outlets.load(DATA / "outlets.yml", slugs=SLUGS)


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("新华社", "新华社"),
        ("新华通讯社", "新华社"),
        ("新华网", "新华网"),
        ("央视新闻", "央视新闻"),
        ("央视新闻客户端", "央视新闻客户端"),
        ("央视新闻APP", "央视新闻客户端"),
        ("Techweb", "TechWeb"),
        ("ＴＥＣＨＷＥＢ", "TechWeb"),
        ("  the  Associated\u3000Press ", "AP"),
        ("路透社", "Reuters"),
        ("中新网", "中国新闻网"),
        ("中\u200b新网", "中国新闻网"),
        ("参考消息网", "参考消息网"),
        ("Some  Local Paper", "Some Local Paper"),
    ],
)
def test_an_alias_gives_the_canonical_name(raw: str, name: str) -> None:
    assert OUTLETS.name(raw) == name


def test_the_tidy_form_counts_where_the_printed_one_is_unknown() -> None:
    assert OUTLETS.name("新华社微信公众号", tidied="新华社") == "新华社"
    assert OUTLETS.name("某某报原创稿", tidied="某某报") == "某某报"


def test_a_slug_is_of_the_canonical_name_whatever_is_printed() -> None:
    assert OUTLETS.slug("Techweb", "xpinyin-compatible") == OUTLETS.slug("TECHWEB", "xpinyin-compatible") == "TechWeb"
    assert OUTLETS.slug("中新网") == "zhongguoxinwenwang"
    assert OUTLETS.slug("某某晚报") == "moumouwanbao"


@pytest.mark.parametrize("name", READINGS)
def test_names_of_the_seed_archive_map_to_themselves(name: str) -> None:
    assert OUTLETS.name(name, tidy(name)) in (name.strip(), "TechWeb")


@needs_shared
def test_every_name_of_the_seed_archive_maps_to_itself() -> None:
    rows = (SHARED / "seed" / "pinyin.txt").read_text(encoding="utf-8").split("\n")[1:]
    names = [row.split("\t")[0].strip() for row in rows if "\t" in row]
    assert [name for name in names if OUTLETS.name(name, tidy(name)) != name] == []


def test_agencies_are_told_apart() -> None:
    assert {"dpa", "Reuters", "AP", "新华社"} <= OUTLETS.agencies
    assert "界面新闻" not in OUTLETS.agencies


def test_shipped_names_are_many_and_each_its_own() -> None:
    names = [outlet.name for outlet in OUTLETS]
    assert len(names) == len(set(names)) > 120
    assert all(OUTLETS.name(name) == name for name in names)


def test_later_files_override_outlets_and_aliases(tmp_path: Path) -> None:
    first = table(tmp_path / "a.yml", "甲报: [A, B]\n乙报: [C]\n")
    later = table(tmp_path / "b.yml", "甲报: {aliases: [D], slug: jia, agency: true}\n丙报: [C]\n丁报:\n")
    outlets = Outlets.load(first, later, slugs=SLUGS)
    assert [outlets.name(raw) for raw in "ABCD"] == ["A", "B", "丙报", "甲报"]
    assert outlets.slug("D") == outlets.slug("甲报", "xpinyin-compatible") == "jia"
    assert outlets.agencies == {"甲报", "D"}
    assert outlets.name("丁报") == "丁报"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("甲报: [A]\n乙报: [a]\n", 2, "'a' is already a name of line 1"),
        ("甲报: []\n乙报: [甲报]\n", 2, "already a name of line 1"),
        ("甲报: []\n\n甲报: []\n", 3, "already a name of line 1"),
        ("甲报: [A, Ａ]\n", 1, "already a name"),
        ("甲报:\n  - 1234\n", 2, "'1234' is not text"),
        ("甲报: [no]\n", 1, "'no' is not text"),
        ("21: []\n", 1, "'21' is not text"),
        ("甲报: ['']\n", 1, "is not text"),
        ("甲报: [[A]]\n", 1, "is not text"),
        ("甲报: A\n", 1, "a list of aliases"),
        ("甲报: {aliases: A}\n", 1, "a list of aliases"),
        ("甲报: {alias: [A]}\n", 1, "unknown field 'alias'"),
        ("甲报: {agency: maybe}\n", 1, "true or false"),
        ("甲报: {slug: 'a b'}\n", 1, "is no slug"),
        ("- 甲报\n", 1, "a table of outlets"),
    ],
)
def test_a_wrong_table_is_refused_with_file_and_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    with pytest.raises(ValueError) as caught:
        Outlets.load(table(tmp_path / "outlets.yml", text), slugs=SLUGS)
    assert f"outlets.yml:{line}: " in str(caught.value)
    assert what in str(caught.value)


def test_broken_yaml_is_refused_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"outlets\.yml: not YAML"):
        Outlets.load(table(tmp_path / "outlets.yml", "甲报: [\n"), slugs=SLUGS)


def test_an_empty_file_is_an_empty_table(tmp_path: Path) -> None:
    assert list(Outlets.load(table(tmp_path / "outlets.yml", "# none\n"), slugs=SLUGS)) == []


@given(st.text(max_size=40))
def test_any_text_has_a_name_and_keeps_it(raw: str) -> None:
    name = OUTLETS.name(raw)
    assert OUTLETS.name(name) == name


def test_as_printed_keeps_an_alias_but_makes_twins_one(tmp_path: Path) -> None:
    path = tmp_path / "outlets.yml"
    path.write_text("中国新闻网: [中新网]\nTechWeb: []\n", encoding="utf-8")
    outlets = Outlets.load(path, slugs=Slugs.load(DATA / "slugs.yml"))
    style = "xpinyin-compatible"
    assert outlets.as_printed("中新网", style) == ("中新网", "zhongxinwang")
    assert outlets.as_printed("Techweb", style) == outlets.as_printed("ＴechWeb", style) == ("TechWeb", "TechWeb")
    assert outlets.as_printed("没有 列名", style) == ("没有 列名", "meiyoulieming")
