"""Slugs: right readings, historical readings, and safety for any name at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.slugs import LONGEST, STYLES, Slugs
from tests.shared import SHARED, needs_shared

DATA = Path(__file__).resolve().parents[1] / "spiders" / "data" / "slugs.yml"
SLUGS = Slugs.load(DATA)

READINGS = {
    # name: (pinyin, xpinyin-compatible)
    "经济参考报": ("jingjicankaobao", "jingjicankaobao"),
    "中国银行保险报": ("zhongguoyinhangbaoxianbao", "zhongguoyinxingbaoxianbao"),
    "银行家杂志": ("yinhangjiazazhi", "yinxingjiazazhi"),
    "行业研究": ("hangyeyanjiu", "xingyeyanjiu"),
    "In投行PEVC": ("intouhangpevc", "IntouxingPEVC"),
    "重庆日报": ("chongqingribao", "zhongqingribao"),
    "重组研究": ("chongzuyanjiu", "zhongzuyanjiu"),
    "音乐财经": ("yinyuecaijing", "yinlecaijing"),
    "厦门日报": ("xiamenribao", "shamenribao"),
    "蚌埠日报": ("bengburibao", "bangburibao"),
    "六安新闻网": ("luanxinwenwang", "liuanxinwenwang"),
    "朝鲜中央通讯社": ("chaoxianzhongyangtongxunshe", "zhaoxianzhongyangtongxunshe"),
    "朝阳永续": ("zhaoyangyongxu", "zhaoyangyongxu"),
    "东阿发布": ("dongefabu", "dongafabu"),
    "会计网": ("kuaijiwang", "huijiwang"),
    "血液制品": ("xueyezhipin", "xieyezhipin"),
    "给予": ("jiyu", "geiyu"),
    "尉犁县": ("yulixian", "weilixian"),
    "乐清日报": ("yueqingribao", "leqingribao"),
    "都匀融媒": ("duyunrongmei", "duyunrongmei"),
    "单县融媒": ("shanxianrongmei", "danxianrongmei"),
    "长安街知事": ("changanjiezhishi", "changanjiezhishi"),
    "IT之家": ("itzhijia", "ITzhijia"),
    "TechWeb": ("techweb", "TechWeb"),
    "央广网-经济之声": ("yangguangwang-jingjizhisheng", "yangguangwangjingjizhisheng"),
    "安信国际证券(香港)": ("anxinguojizhengquanxianggang", "anxinguojizhengquanxianggang"),
    "21世纪经济报道 21财经APP": ("21shijijingjibaodao21caijingapp", "21shijijingjibaodao21caijingAPP"),
    "Career In投行PEVC": ("career-intouhangpevc", "CareerIntouxingPEVC"),
    "98.6%人": ("98-6ren", "986ren"),
    "“新华社”": ("xinhuashe", "xinhuashe"),
    "新华社·新华视点": ("xinhuashexinhuashidian", "xinhuashexinhuashidian"),
    "经济参考报 ": ("jingjicankaobao", "jingjicankaobao"),
    "𠮷野家": ("jiyejia", "jiyejia"),
    "ＴｅｃｈＷｅｂ": ("techweb", "TechWeb"),
}


@pytest.mark.parametrize(("name", "slugs"), READINGS.items())
def test_words_are_read_as_words_and_history_character_by_character(name: str, slugs: tuple[str, str]) -> None:
    assert tuple(SLUGS.slug(name, style=style) for style in STYLES) == slugs


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("South China Post", "south-china-post"),
        ("“South China Post”", "south-china-post"),
        ("South / China·Post", "south-china-post"),
        ("People's Daily", "peoples-daily"),
        ("People’s Daily", "peoples-daily"),
        ("CNBC.com", "cnbc-com"),
        ("AT&T", "at-t"),
        ("L’Équipe", "lequipe"),
        ("Süddeutsche Zeitung", "suddeutsche-zeitung"),
        ("Straße", "strasse"),
        ("Øresund – Æther", "oresund-aether"),
        ("Ангара Новости", "angara-novosti"),
        ("Ελλάδα", "ellada"),
        ("ニューヨーク・タイムズ", "niyuyoku-taimuzu"),
        ("しんぶん読者", "sinbunduzhe"),
        ("서울신문", "seoulsinmun"),
        ("٣ ٤", "3-4"),
        ("新\u200b华社", "xinhuashe"),
    ],
)
def test_latin_words_join_by_hyphens_and_other_scripts_become_ascii(name: str, slug: str) -> None:
    assert SLUGS.slug(name) == slug


def test_unreadable_letters_are_stood_for_by_a_digest_of_the_name() -> None:
    assert SLUGS.slug("الأولى") != SLUGS.slug("الثانية")
    assert re.fullmatch(r"x-[0-9a-f]{8}", SLUGS.slug("الأولى"))
    assert re.fullmatch(r"daily-[0-9a-f]{8}", SLUGS.slug("Daily الأولى"))


def test_a_blank_name_has_a_slug_too() -> None:
    assert SLUGS.slug("") == SLUGS.slug(" \u3000\u200b") == "x-e3b0c442"


@pytest.mark.parametrize("name", ["con", "PRN", "Aux", "nul", "COM1", "lpt9", "com¹", "“con”"])
@pytest.mark.parametrize("style", STYLES)
def test_device_names_of_windows_are_avoided(name: str, style: str) -> None:
    assert SLUGS.slug(name, style=style).startswith("x-")


def test_long_names_are_cut_and_stay_apart() -> None:
    one, other = SLUGS.slug("报" * 60), SLUGS.slug("报" * 61)
    assert len(one) <= LONGEST
    assert one != other


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="wade-giles"):
        SLUGS.slug("新华社", style="wade-giles")


def test_tables_hold_text_only(tmp_path: Path) -> None:
    path = tmp_path / "slugs.yml"
    path.write_text("words: {行: no}\nletters: {}\nreadings: {}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"slugs\.yml: words: '行'"):
        Slugs.load(path)
    path.write_text("words: {}\nletters: {}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="readings"):
        Slugs.load(path)


def test_words_come_longest_first_and_readings_by_character() -> None:
    slugs = Slugs(words={"行": "short", "行业": "long"}, letters={"ж": "zh"}, readings={"one": "一二"})
    assert slugs.slug("行业行Ж") == "longshortzh"
    assert slugs.slug("一二Ж", style="xpinyin-compatible") == "oneoneZh"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120), st.sampled_from(STYLES))
def test_any_name_gives_a_safe_slug_that_depends_on_nothing_else(name: str, style: str) -> None:
    slug = SLUGS.slug(name, style=style)
    assert re.fullmatch(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*", slug)
    assert len(slug) <= LONGEST + 2
    assert style != "pinyin" or slug == slug.lower()


def test_slugs_do_not_depend_on_the_order_of_arrival() -> None:
    names = [*READINGS, "الأولى", "con", ""]
    forth, back = Slugs.load(DATA), Slugs.load(DATA)
    assert {name: forth.slug(name) for name in names} == {name: back.slug(name) for name in reversed(names)}


@needs_shared
def test_every_slug_of_the_seed_archive_comes_back_less_its_unsafe_characters() -> None:
    rows = [row.split("\t") for row in (SHARED / "seed" / "pinyin.txt").read_text(encoding="utf-8").split("\n")]
    names = {row[0]: row[1].removeprefix("xpinyin=") for row in rows if len(row) > 1 and row[0].strip()}
    assert len(names) == 137
    safe = {name: re.sub(r"[^A-Za-z0-9-]", "", slug.replace("𠮷", "ji")) for name, slug in names.items()}
    assert {name: SLUGS.slug(name, style="xpinyin-compatible") for name in names} == safe
