"""Search on the published site: a site that a real Jekyll built, asked in a real Chromium."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.site import TEMPLATE
from crawler.pack import FOLDER, pack, search
from tests.browser import dump, needs_browser, serve
from tests.packing import Packing, articles
from tests.test_jekyll_site import ZONE, Post, build, new_archive, page, text

pytestmark = [
    pytest.mark.jekyll,
    pytest.mark.skipif(shutil.which("jekyll") is None, reason="jekyll is not installed"),
]

HOSTILE = "</script><img src=x onerror=alert(1)> \"quoted\" \\ & 'x' {{ site.title }}"
SEA = "<p>潮水退去之后，码头上的工人们开始整理缆绳。</p>"
POSTS = [
    Post("lead", "清晨的港口", datetime(2022, 5, 20, 9, tzinfo=ZONE), body=SEA),
    Post("title", "新码头开工", datetime(2022, 5, 18, 9, tzinfo=ZONE), body="<p>泊位年底完工。</p>"),
    Post("apart", "码头之外：开工在即", datetime(2022, 5, 17, 9, tzinfo=ZONE), body="<p>无。</p>"),
    Post("mixed", "5G时代的EMU列车", datetime(2022, 5, 16, 10, tzinfo=ZONE), body="<p>无。</p>"),
    Post(
        "cut",
        "长链接",
        datetime(2022, 5, 14, tzinfo=ZONE),
        body=f'<p>短。<a href="https://a.example/{"a" * 900}">链</a></p>',
    ),
    Post("hostile", HOSTILE, datetime(2022, 5, 16, 9, tzinfo=ZONE), body="<p>1 &lt; 2 &lt;b&gt;粗&lt;/b&gt;</p>"),
    Post(
        "english",
        "Café fares ＲＩＳＥ, ministers said",
        datetime(2022, 5, 15, 9, tzinfo=ZONE),
        category="harbour-post",
        body="<p>The ferry to the island costs more.</p>",
        front='language: "en"\nattribution: "港口通讯社"',
    ),
    *(
        Post(f"tide{day}", f"潮汐表{day}", datetime(2022, 4, day, tzinfo=ZONE), body="<p>表。</p>")
        for day in range(1, 31)
    ),
]
QUERIES = {
    "港": ["lead", "english"],
    "码头": ["title", "apart", "lead"],
    "码头开工": ["title"],
    "码头 开工": ["title", "apart"],
    '"码头上的 工人"': [],
    "“上的工人”": ["lead"],
    "码头 -开工": ["lead"],
    "晨报 退去": ["lead"],
    "没有的词": [],
    "cafe rise": ["english"],
    "ＡＬＥＲＴ": ["hostile"],
    "land": [],
    "isl": ["english"],
    "AI": [],
    "时代 列车": ["mixed"],
    "5g时 emu": ["mixed"],
    "g时代": [],
    '"ferry to the"': ["english"],
    "<b>粗</b>": ["hostile"],
    "{{": None,
    "-码头": None,
}  # words -> keys of the posts in their order; None: nothing is looked for


ASKED = [*QUERIES, "潮汐"]
ODD = ["Ⅳ ﬁne Straße ΟΔΟΣ", "ｶﾞｷﾞ がぎ 각하", "İstanbul é", "a\u00adb\u200bc", "𠮷野家5G时代", "ไทยแลนด์", "x_y 3.5%"]


@dataclass
class Answer:
    """What the page shows."""

    count: str
    links: list[str]
    marks: list[str]
    button: str
    made: int
    """Elements that a title would have to make itself."""
    over: int
    """Pixels that the page is wider than the screen."""

    @property
    def keys(self) -> list[str]:
        return [link.rpartition("/")[2].removesuffix(".html") for link in self.links]


TOLD = """d => ({
  count: d.querySelector("#count").textContent,
  links: Array.from(d.querySelectorAll("#found h2 a"), a => a.href),
  marks: Array.from(d.querySelectorAll("mark"), m => m.textContent),
  button: d.querySelector("#more").hidden ? "" : d.querySelector("#more").textContent,
  made: d.querySelectorAll("img, #found *:not(h2, li, a, mark, p, time, span)").length,
  over: Math.max(0, d.documentElement.scrollWidth - d.documentElement.clientWidth),
})"""


def drive(site: Path, paths: list[str], script: str) -> tuple[Any, list[str]]:
    """What ``script`` makes of ``all``, the documents of these pages, on a phone; and every path asked for."""
    frames = "".join(f'<iframe src="{path}" style="width:390px"></iframe>' for path in paths)
    probe = f"""<!doctype html><meta charset="utf-8">{frames}<pre></pre><script>
    const calm = () => new Promise(done => setTimeout(done, 400));
    const told = {TOLD};
    const work = async all => {{ {script} }};
    onload = async () => {{
      await calm();
      const all = Array.from(document.querySelectorAll("iframe"), frame => frame.contentDocument);
      document.querySelector("pre").textContent = JSON.stringify(await work(all));
    }}</script>"""
    (site / "drive.html").write_text(probe, "utf-8")
    try:
        with serve(site) as (address, asked):
            shown = dump(f"{address}/drive.html", "--virtual-time-budget=20000")
    finally:
        (site / "drive.html").unlink()
    (found,) = re.findall(r"<pre>(.*?)</pre>", shown, re.DOTALL)
    return json.loads(unescape(found)), asked


def ask(site: Path, paths: list[str], presses: int = 0) -> tuple[list[Answer], list[str]]:
    """The page of each question once it has been answered and its button pressed so often."""
    script = f"""for (let press = 0; press < {presses}; press++) {{
      all.forEach(d => d.querySelector("#more").click());
      await calm();
    }}
    return all.map(told);"""
    found, asked = drive(site, paths, script)
    return [Answer(**one) for one in found], asked


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    new_archive(folder / "source", title="晨报档案")
    for post in POSTS:
        post.write(folder / "source")
    return build(folder / "source", folder / "out")


@pytest.fixture(scope="module")
def asked(site: Path) -> tuple[Any, list[str]]:
    """What all questions are answered with, how texts are folded, and every path asked for."""
    script = f"return [all.map(told), {json.dumps(ODD)}.map(all[0].defaultView.fold)]"
    return drive(site, [f"/search.html?q={quote(query)}" for query in ASKED], script)


@pytest.fixture
def answers(asked: tuple[Any, list[str]]) -> dict[str, Answer]:
    return {query: Answer(**one) for query, one in zip(ASKED, asked[0][0], strict=True)}


def test_the_list_holds_every_post(site: Path) -> None:
    rows: list[list[Any]] = json.loads((site / "assets/search.json").read_text("utf-8"))
    newest = sorted(POSTS, key=lambda post: post.published, reverse=True)
    assert [row[0] for row in rows] == [f"/{post.url}" for post in newest]
    assert [row[2] for row in rows] == [post.title for post in newest]
    by_key = dict(zip((post.key for post in newest), rows, strict=True))
    lead = "潮水退去之后，码头上的工人们开始整理缆绳。"
    assert by_key["lead"][1:] == ["2022-05-20T09:00:00+08:00", "清晨的港口", lead, "晨报", "", ""]
    assert by_key["english"][4:] == ["港口通讯社", 'Harbour "Post" & <Sons>', "en"]
    assert by_key["cut"][3] == "短。"
    assert by_key["hostile"][3] == "1 < 2 <b>粗</b>"
    assert "</" not in (site / "assets/search.json").read_text("utf-8")


def test_without_a_script_the_page_leads_on(site: Path) -> None:
    tree = page(site / "search.html")
    assert text(tree, "h1") == "搜索"
    assert tree.xpath("//form/@hidden") != []
    assert tree.xpath("//noscript//a/@href") == ["/archive.html", "/categories.html"]
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("; form-action 'none'; connect-src 'self'; script-src 'self'")
    assert tree.xpath("//script/@src") == ["/assets/search.js"]
    assert not tree.xpath("//script/text()")
    assert page(site / "index.html").xpath("//header//a[.='搜索']/@href") == ["/search.html"]


@needs_browser
@pytest.mark.parametrize("query", QUERIES)
def test_words_are_found(answers: dict[str, Answer], query: str) -> None:
    wanted, answer = QUERIES[query], answers[query]
    assert answer.keys == (wanted or [])
    assert answer.count == ("" if wanted is None else f"找到 {len(wanted)} 篇")
    assert (answer.made, answer.over) == (0, 0)


@needs_browser
def test_what_was_found_is_marked(answers: dict[str, Answer]) -> None:
    assert answers["码头 开工"].marks == ["码头开工", "码头", "开工"]
    assert answers["cafe rise"].marks == ["Café", "ＲＩＳＥ"]
    assert answers["“上的工人”"].marks == ["上的工人"]
    assert answers["<b>粗</b>"].marks == ["<b>粗</b>"]


@needs_browser
def test_nothing_else_is_asked_for(asked: tuple[Any, list[str]]) -> None:
    paths = {path.partition("?")[0] for path in asked[1]} - {"/drive.html", "/favicon.ico"}
    assert paths == {"/search.html", "/assets/style.css", "/assets/search.js", "/assets/search.json"}


@needs_browser
def test_more_are_shown_when_asked_for(site: Path, answers: dict[str, Answer]) -> None:
    tides = [post.key for post in reversed(POSTS) if post.key.startswith("tide")]
    first = answers["潮汐"]
    assert (first.keys, first.count, first.button) == (tides[:25], "找到 30 篇", "显示更多")
    script = """const d = all[0];
    d.querySelector("#more").click();
    await calm();
    return [told(d), d.activeElement.href];"""
    (second, focus), _ = drive(site, [f"/search.html?q={quote('潮汐')}"], script)
    assert (Answer(**second).keys, second["button"]) == (tides, "")
    assert focus == second["links"][25], "who uses a keyboard goes on where the new ones begin"


@needs_browser
def test_the_address_says_what_is_asked(site: Path) -> None:
    """While somebody types, when it is sent, and when going back; and without an answer from the server."""
    script = """const d = all[0], w = d.defaultView, field = d.querySelector("#q"), seen = [];
    const see = async () => { await calm(); seen.push([field.value, decodeURI(w.location.search), told(d)]); };
    const focused = d.activeElement === field, real = w.fetch;
    const type = text => { field.value = text; field.dispatchEvent(new w.Event("input")); };
    w.fetch = () => Promise.reject(new Error("down"));
    type("港"); await see();
    w.fetch = real;
    type("港"); await see();
    field.value = "码头开工"; d.querySelector("form").requestSubmit(); await see();
    w.history.back(); await see();
    type(""); await see();
    field.value = "ma"; field.dispatchEvent(new w.InputEvent("input", { isComposing: true })); await see();
    field.value = "码头"; field.dispatchEvent(new w.CompositionEvent("compositionend")); await see();
    return [focused, seen];"""
    (focused, seen), _ = drive(site, ["/search.html"], script)
    assert focused
    down, typed, sent, back, empty, composing, composed = (
        (value, search, Answer(**one)) for value, search, one in seen
    )
    assert (down[2].count, down[2].keys) == ("文章列表未能载入。", [])
    assert (typed[1], typed[2].keys) == ("?q=港", QUERIES["港"])
    assert (sent[1], sent[2].keys) == ("?q=码头开工", ["title"])
    assert (back[0], back[1], back[2].keys) == ("港", "?q=港", QUERIES["港"])
    assert (empty[1], empty[2].count, empty[2].keys, empty[2].button) == ("", "", [], "")
    assert composing[1] == "", "nobody looks for pinyin that is still to become characters"
    assert (composed[1], composed[2].keys) == ("?q=码头", QUERIES["码头"])


# packed months


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 posts, 9 of them in the hot window; 11 in the newest packed month, 11 in the next, 5 in the oldest."""
    folder = tmp_path_factory.mktemp("packed")
    archive = Packing(folder / "archive", hot_posts=12)
    archive.add(list(articles(36, datetime(2021, 11, 20, 8, tzinfo=ZONE), timedelta(hours=67))))
    pack(archive.place)
    build(archive.folder, folder / "out")
    shutil.copytree(archive.folder / FOLDER, folder / "out", dirs_exist_ok=True)
    return folder / "out"


@pytest.fixture(scope="module")
def in_parts(packed: Path) -> Path:
    """The same below it, with months of more than six posts in parts of two."""
    folder = shutil.copytree(packed, packed / "parts")
    archive = Packing(packed.with_name("archive"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "SMALL", 6)
        patch.setattr(search, "PART", 2)
        pack(archive.place, whole=True)
    shutil.rmtree(folder / "search")
    shutil.copytree(archive.folder / FOLDER, folder, dirs_exist_ok=True)
    path = folder / "assets/search.js"
    script = path.read_text("utf-8").replace("SMALL = 3000", "SMALL = 6").replace("PART = 100", "PART = 2")
    path.write_text(script, "utf-8")
    html = (folder / "search.html").read_text("utf-8").replace('="/assets', '="/parts/assets')
    (folder / "search.html").write_text(html, "utf-8")
    return folder


OLDER = {
    "第1篇": 1,
    "第13篇": 1,
    "ＨＡＲＢＯＵＲ votes": 9,
    "码头 -开工": 27,
    "昨夜卸下的货物": 36,
    "rai": 9,
    "新": 9,
    "昨 late": 9,
    "无": 0,
}
"""Words -> posts of all months."""


@needs_browser
def test_older_months_are_searched_when_asked_for(packed: Path) -> None:
    queries = [f"/search.html?q={quote(query)}" for query in ("码头开工 33", "第1篇", "码头开工")]
    newest, asked = ask(packed, queries)
    assert [answer.keys for answer in newest] == [["N33"], [], ["N33", "N29"]]
    assert [answer.button for answer in newest] == ["搜索更早的月份"] * 3
    assert not [path for path in asked if path.startswith("/search/")]
    older, asked = ask(packed, queries[1:], presses=1)
    assert older[0].keys == ["N1"]
    assert older[0].count == "找到 1 篇（直到 2021-11）"
    assert older[1].keys == [f"N{number}" for number in range(33, 0, -4)]
    assert "/search/2021/11.json" in asked


@needs_browser
def test_another_question_while_a_month_is_loaded(packed: Path) -> None:
    script = """const d = all[0], w = d.defaultView, real = w.fetch, seen = [];
    const press = () => d.querySelector("#more").click();
    const send = text => { d.querySelector("#q").value = text; d.querySelector("form").requestSubmit(); };
    const see = async () => { await calm(); seen.push(told(d)); };
    w.fetch = () => Promise.reject(new Error("down"));
    press(); await see();
    press(); send("码头开工"); await see();
    w.fetch = real;
    press(); send("码头"); await see();
    press(); press(); await see();
    return seen;"""
    found, _ = drive(packed, [f"/search.html?q={quote('第1篇')}"], script)
    failed, other, again, older = (Answer(**one) for one in found)
    assert (failed.count, failed.button) == ("文章列表未能载入。", "搜索更早的月份")
    assert (other.count, other.keys) == ("找到 2 篇", ["N33", "N29"])
    assert (again.count, len(again.keys)) == ("找到 9 篇", 9)
    assert older.count == "找到 36 篇（直到 2021-11）"


@needs_browser
def test_large_months_are_read_in_parts(packed: Path, in_parts: Path) -> None:
    listed = [path.relative_to(in_parts).as_posix() for path in (in_parts / "search").rglob("*.json")]
    assert [name for name in listed if name.count("/") == 2] == ["search/2021/11.json"]
    assert len([name for name in listed if "/2022/01/words/" in name]) == search.SHARDS
    queries = [f"{base}/search.html?q={quote(query)}" for base in ("", "/parts") for query in OLDER]
    found, asked = ask(packed, queries, presses=20)
    for (query, posts), one, other in zip(OLDER.items(), found, found[len(OLDER) :], strict=False):
        assert (len(one.keys), one.button) == (posts, ""), query
        assert (other.keys, other.marks, other.button) == (one.keys, one.marks, ""), query
    _, asked = ask(packed, [f"/parts/search.html?q={quote('第13篇')}"], presses=1)
    assert len([path for path in asked if "/posts/" in path]) == 1, "of eleven, which the index names"


def test_the_script_and_the_index_agree() -> None:
    script = (TEMPLATE / "assets/search.js").read_text("utf-8")
    told = dict(re.findall(r"^const (\w+) = (\d+|\".*?\");", script, re.MULTILINE))
    numbers = {name: int(told[name]) for name in ("SMALL", "PART", "SHARDS")}
    assert numbers == {"SMALL": search.SMALL, "PART": search.PART, "SHARDS": search.SHARDS}
    spelt = re.sub(r"\\u\{?(\w{4,5})\}?", lambda match: chr(int(match[1], 16)), told["UNSPACED"].strip('"'))
    assert spelt == search.UNSPACED


@needs_browser
def test_words_are_folded_alike(asked: tuple[Any, list[str]]) -> None:
    assert asked[0][1] == [search.fold(text) for text in ODD]


def test_what_a_text_is_found_by() -> None:
    assert search.terms("海港日报 5G手机 Café_x") == {"海港", "港日", "日报", "报", "5g", "手机", "机", "cafe", "x"}
    assert search.terms("𠮷野 无") == {"𠮷野", "野", "无"}


@given(st.lists(st.integers(0, 40_000), unique=True).map(sorted))
def test_numbers_read_back_equal(numbers: list[int]) -> None:
    total, back = 0, []
    for digits in search.coded(numbers).split():
        total += int(digits, 36)
        back.append(total)
    assert back == numbers
