"""Copies: what of two texts is the same, which posts make a story, and which of them is the original."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive.ledger import Kept, Ledger, stamp
from crawler.archive.sketches import anchors, sketches
from crawler.archive.stories import Member, copies_of, counts, latest, original_of
from crawler.outlets import Outlet, Outlets
from crawler.slugs import Slugs
from crawler.syndication import stories as module
from crawler.syndication.pointer import lede
from crawler.syndication.sketch import LEAST, Sketch, are_one, resemblance, sketch
from crawler.syndication.stories import Noted, Stories, Told
from tests.benchmarks.stories import COPIES, Prose, corpus, score
from tests.server import Server
from tests.story import Archive, Story, html_source, publish

ZH, EN = Prose(Random(7), chinese=True), Prose(Random(8), chinese=False)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OUTLETS = Outlets([Outlet("Wire", aliases=("The Wire",), agency=True)], Slugs({}, {}, {}))


# sketches


def test_copies_are_known_and_what_is_like_them_is_not() -> None:
    """Of a seed on which no threshold was chosen."""
    found = score(corpus(3, 40))
    assert found.precision >= 0.98, found.wrong
    assert found.recall >= 0.95, found.missed


@pytest.mark.parametrize("prose", [ZH, EN], ids=["zh", "en"])
@pytest.mark.parametrize("kind", ["same words", "framed", "20 % edited", "cut", "merged", "reordered"])
def test_a_copy_of_each_kind(prose: Prose, kind: str) -> None:
    paragraphs = prose.paragraphs(8)
    assert are_one(sketch("\n".join(paragraphs)), sketch("\n".join(COPIES[kind](prose, paragraphs))))


def test_a_report_with_other_numbers_is_another() -> None:
    words = (
        "澄港指数今天收于{}点，涨{}%，成交{}亿元，渔业板块涨{}%，航运板块跌{}%，造船板块跌{}%，"
        "市场情绪平稳，投资者仍需留意海上天气变化带来的风险。"
    )
    today, yesterday = words.format(3120, 0.31, 812, 1.2, 0.4, 2.7), words.format(3098, 0.72, 640, 3.1, 0.9, 1.8)
    assert resemblance(sketch(today), sketch(yesterday))[0] > 0.4
    assert not are_one(sketch(today), sketch(yesterday))
    assert are_one(sketch(today), sketch("本报讯　" + today + "（完）"))


def test_setting_makes_no_difference() -> None:
    plain = "The ferry, with 1,250 aboard, left Harbour Town at ５ o'clock."
    assert sketch(plain) == sketch("the  FERRY with 1250 aboard - left harbour\ntown at 5 o’clock")


def test_what_is_short_is_no_story() -> None:
    assert sketch("渡轮今天恢复通航，首航载客三百人。").anchors == ()
    assert not are_one(sketch("短讯"), sketch("短讯"))
    assert sketch("") == Sketch(0)


def test_the_least_text_that_is_compared() -> None:
    characters = [chr(0x4E00 + number) for number in range(LEAST + 3)]
    assert sketch("".join(characters)).anchors
    assert not sketch("".join(characters[:-1])).anchors


@given(st.text(), st.text())
def test_any_text_has_a_sketch_that_can_be_packed(one: str, other: str) -> None:
    first, second = sketch(one), sketch(other)
    assert Sketch.unpacked(first.packed()) == first
    assert are_one(first, second) == are_one(second, first)
    assert all(0 <= part <= 1 for part in resemblance(first, second))


@given(st.text())
def test_a_lede_is_short_and_the_texts_own(text: str) -> None:
    line = " ".join(text.split())
    assert len(lede(text)) <= 121
    assert line.startswith(lede(text).removesuffix("…").rstrip())


def test_a_lede_ends_with_a_word() -> None:
    assert lede("harbour " * 40).endswith(" harbour…")
    assert lede("渡" * 200) == "渡" * 120 + "…"


# stories in the ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def noted(source: str, key: str, text: str, hours: float = 0, outlet: str = "", **changes: bool) -> Noted:
    told = Told(sketch(text).packed(), outlet, source.title(), **changes)
    return Noted(source, key, source, NOON + timedelta(hours=hours), told)


def path_of(one: Noted) -> str:
    return f"_posts/{one.source}-{one.key}.md"


def keep(ledger: Ledger, *batch: Noted, stories: Stories | None = None) -> None:
    """As a run does it."""
    made = stories or Stories(ledger, OUTLETS)
    kept = [Kept(one.space, one.key, one.source, path_of(one), "d", since=stamp(NOON)) for one in batch]
    ledger.keep(kept, more=made.statements(batch))


def told(ledger: Ledger) -> set[frozenset[str]]:
    """Stories, each as paths of its posts."""
    return {frozenset(one.path for one in story.members) for story in latest(ledger, 1000)}


TEXTS = ["\n".join(prose.paragraphs(6)) for prose in (ZH, EN, ZH, EN)]


def test_copies_in_one_batch_and_in_later_ones_make_a_story(ledger: Ledger) -> None:
    first, second = noted("tide", "1", TEXTS[0]), noted("quay", "2", TEXTS[0], 1)
    keep(ledger, first, second, noted("tide", "3", TEXTS[1]))
    keep(ledger, third := noted("buoy", "4", "本报讯　" + TEXTS[0], 2))
    assert told(ledger) == {frozenset(map(path_of, (first, second, third)))}
    copies = copies_of(ledger, [path_of(second), path_of(noted("tide", "3", "")), "_posts/none.md"])
    assert [(one.path, one.source, one.original) for one in copies.pop(path_of(second))] == [
        (path_of(first), "tide", True),
        (path_of(third), "buoy", False),
    ]
    assert copies == {}
    assert counts(ledger) == (1, 3, 0)


def test_posts_of_one_source_or_of_another_time_are_no_copies(ledger: Ledger) -> None:
    keep(ledger, noted("tide", "1", TEXTS[0]), noted("tide", "2", TEXTS[0]), noted("quay", "3", TEXTS[0], 24 * 31))
    assert told(ledger) == set()
    keep(ledger, noted("buoy", "4", TEXTS[0], 24 * 29))
    assert {len(one) for one in told(ledger)} == {4}


def test_an_edit_leaves_a_story_and_joins_another(ledger: Ledger) -> None:
    one, other = noted("tide", "1", TEXTS[0]), noted("quay", "2", TEXTS[0])
    keep(ledger, one, other, noted("buoy", "3", TEXTS[1]))
    changed = retold(one, TEXTS[1])
    stories = Stories(ledger, OUTLETS)
    stories.edited([changed])
    ledger.keep([], more=stories.statements([]))
    assert told(ledger) == {frozenset({"_posts/tide-1.md", "_posts/buoy-3.md"})}
    assert stories.statements([changed]) == []
    assert ledger.read(sa.select(sketches.c.story).where(sketches.c.key == "2"))[0][0] == 0
    places = ledger.read(
        sa.select(anchors.c.anchor).join(sketches, sketches.c.id == anchors.c.sketch).where(sketches.c.key == "1")
    )
    assert {row.anchor for row in places} == set(sketch(TEXTS[1]).anchors)


def test_a_story_that_hung_together_by_one_post_falls_apart_with_it(ledger: Ledger) -> None:
    keep(ledger, noted("tide", "1", TEXTS[0]), noted("quay", "2", TEXTS[1]), noted("gull", "4", TEXTS[1]))
    keep(ledger, bridge := noted("buoy", "3", f"{TEXTS[0]}\n{TEXTS[1]}"))
    assert {len(one) for one in told(ledger)} == {4}
    keep(ledger, retold(bridge, TEXTS[3]))
    assert told(ledger) == {frozenset({"_posts/quay-2.md", "_posts/gull-4.md"})}


def retold(one: Noted, text: str) -> Noted:
    return replace(one, told=replace(one.told, sketch=sketch(text).packed()))


def test_an_edit_in_a_story_of_many_posts_costs_a_comparison_a_post(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one for each two of them; as does a batch that joins it."""
    calls: list[tuple[Sketch, Sketch]] = []

    def counted(one: Sketch, other: Sketch) -> bool:
        calls.append((one, other))
        return are_one(one, other)

    monkeypatch.setattr(module, "are_one", counted)
    many = [noted(f"source{number % 20}", str(number), TEXTS[0], number / 10) for number in range(200)]
    keep(ledger, *many[:100])
    keep(ledger, *many[100:])
    keep(ledger, retold(many[50], TEXTS[1]))
    assert {len(one) for one in told(ledger)} == {199}
    assert len(calls) < 2 * len(many) + 199, "they came, and one was told in other words"


def test_a_post_may_make_one_of_several_stories(ledger: Ledger) -> None:
    """Of all their posts, also of those that it shares nothing with."""
    for place in (0, 1):
        keep(ledger, *(noted(f"source{day}", f"{place}", TEXTS[place], 24 * day) for day in (87, 58, 29, 0)))
    assert sorted(len(one) for one in told(ledger)) == [4, 4]
    keep(ledger, noted("buoy", "2", f"{TEXTS[0]}\n{TEXTS[1]}"))
    assert [len(one) for one in told(ledger)] == [9]


def test_posts_that_come_together_may_hang_together_by_one_that_was_there(ledger: Ledger) -> None:
    keep(ledger, noted("quay", "1", TEXTS[0]))
    keep(ledger, noted("tide", "2", TEXTS[0]), noted("tide", "3", TEXTS[0], 1))
    assert [len(one) for one in told(ledger)] == [3]


def _pool() -> list[Noted]:
    r, made = Random(11), []
    for story in range(3):
        prose = Prose(Random(story), chinese=story % 2 == 0)
        paragraphs = prose.paragraphs(6)
        for place, kind in enumerate(r.sample(list(COPIES), 4)):
            text = "\n".join(COPIES[kind](prose, paragraphs))
            made.append(noted(f"s{place}", f"{story}", text, hours=r.randint(0, 900)))
    return made


POOL = _pool()
BRIDGE = "\n".join("\n".join(Prose(Random(story), chinese=story % 2 == 0).paragraphs(6)) for story in range(2))
"""Two of the pool's stories in one text: while it is there, they are one."""
_PLACES = st.sampled_from(range(len(POOL)))


@settings(max_examples=20, deadline=None)
@given(
    st.permutations(POOL),
    st.integers(1, 5),
    st.dictionaries(_PLACES, st.sampled_from([TEXTS[3], BRIDGE]), max_size=4),
)
def test_the_same_posts_make_the_same_stories_in_whatever_order_they_come(
    order: list[Noted], size: int, late: dict[int, str]
) -> None:
    """In batches of any size, and where some had another text at first."""
    at_first = [retold(one, late[place]) if (place := POOL.index(one)) in late else one for one in order]
    with TemporaryDirectory() as folder, closing(Ledger(Path(folder) / "ledger.sqlite")) as ledger:
        stories = Stories(ledger, OUTLETS)
        for start in range(0, len(order), size):
            keep(ledger, *at_first[start : start + size], stories=stories)
        stories.edited([POOL[place] for place in late])
        ledger.keep([], more=stories.statements([]))
        assert told(ledger) == _hangs_together(POOL)


def _hangs_together(posts: Sequence[Noted]) -> set[frozenset[str]]:
    """By asking of every pair whether it is one."""
    groups = [{one.name} for one in posts]
    for one, other in combinations(posts, 2):
        near = abs((one.published.date() - other.published.date()).days) <= 30
        if (
            near
            and one.source != other.source
            and are_one(*(Sketch.unpacked(each.told.sketch) for each in (one, other)))
        ):
            first, second = (next(group for group in groups if each.name in group) for each in (one, other))
            if first is not second:
                groups.remove(second)
                first |= second
    paths = {one.name: path_of(one) for one in posts}
    return {frozenset(paths[name] for name in group) for group in groups if len(group) > 1}


def test_what_very_many_have_is_looked_up_by_its_first(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that one source brings every hour does not make the others' slow, and a copy of the last is known."""
    monkeypatch.setattr(module, "_COMMON", 4)
    for hour in range(12):
        keep(ledger, noted("tide", f"{hour}", TEXTS[0], hour))
    rows = ledger.read(sa.select(anchors.c.anchor))
    assert set(Counter(row.anchor for row in rows).values()) == {4}
    keep(ledger, noted("quay", "1", TEXTS[0], 13))
    assert len(latest(ledger, 1)[0].members) == 5


def test_a_ledger_that_may_not_be_written_to_and_is_older_has_no_stories(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as older:
        older.executescript("drop table sketches; drop table anchors")
    with closing(Ledger(tmp_path / "ledger.sqlite", frozen=True)) as ledger:
        assert (copies_of(ledger, ["_posts/a.md"]), latest(ledger, 9), counts(ledger)) == ({}, [], (0, 0, 0))


def test_an_article_that_turned_up_is_asked_for_its_original(ledger: Ledger) -> None:
    first = noted("tide", "1", TEXTS[0])
    keep(ledger, first, noted("quay", "2", TEXTS[0], 1, pointer=True))
    stories = Stories(ledger, OUTLETS)
    later, earlier = noted("buoy", "3", TEXTS[0], 2), noted("buoy", "3", TEXTS[0], -2)
    assert (found := stories.original_for(later))
    assert found.path == path_of(first)
    assert stories.original_for(earlier) is None
    assert stories.original_for(noted("buoy", "3", TEXTS[1], 2)) is None
    pending = noted("gull", "4", TEXTS[0], -1)
    assert (found := stories.original_for(later, [pending]))
    assert (found.key, found.path) == ("4", "")
    same_moment = noted("buoy", "3", TEXTS[0])
    assert getattr(stories.original_for(same_moment), "key", "") == "1", "what is here already was first"
    own = noted("buoy", "3", TEXTS[0], 2, outlet="Buoy")
    assert stories.original_for(own) is None, "it credits itself"


# the original


def one_of(source: str, published: str = "2026-03-01T12:00:00Z", since: str = "", **changes: object) -> Member:
    about = {"outlet": "", "publisher": source.title(), "agency": False, "pointer": False, **changes}
    return Member(source, "1", source, f"_posts/{source}.md", published, since, **about)  # type: ignore[arg-type]


EARLY = "2026-03-01T08:00:00Z"


@pytest.mark.parametrize(
    ("members", "source", "reason"),
    [
        ([one_of("tide", EARLY), one_of("quay"), one_of("buoy", outlet="Quay")], "quay", "another credits it"),
        ([one_of("tide", EARLY, outlet="Gull"), one_of("quay", outlet="Quay")], "quay", "it credits itself"),
        ([one_of("tide", EARLY, outlet="Tide"), one_of("quay", outlet="Tide")], "tide", "another credits it"),
        ([one_of("tide", EARLY), one_of("wire", agency=True)], "wire", "a news agency"),
        ([one_of("tide"), one_of("quay", EARLY)], "quay", "the earliest"),
        ([one_of("tide", since="2026-03-02"), one_of("quay", since="2026-03-01")], "quay", "the earliest"),
        ([one_of("tide", EARLY, pointer=True), one_of("quay")], "quay", "the earliest"),
        ([one_of("tide"), one_of("quay")], "quay", "the earliest"),
    ],
    ids=["credited", "own", "own and credited", "agency", "earliest", "first seen", "whole", "by name"],
)
def test_the_original(members: list[Member], source: str, reason: str) -> None:
    for order in (members, members[::-1]):
        first, why = original_of(order)
        assert (first.source, why) == (source, reason)


# whole runs


TEXT = "".join(f"<p>{paragraph}</p>" for paragraph in Prose(Random(5), chinese=True).paragraphs(5))
HARBOUR = Story(1, "渡轮恢复通航", TEXT)
QUAY = Story(51, "航线今起恢复", f"<p>海港日报讯</p>{TEXT}", outlet="海港新闻")


def facts_of(archive: Archive) -> dict[str, str]:
    """What the site is told of its posts, by day."""
    return {path.stem: path.read_text("utf-8") for path in (archive.folder / "_data" / "facts").glob("*.yml")}


def newsroom(server: Server, folder: Path, **settings: str) -> Archive:
    """Quay has harbour's article."""
    publish(server, [HARBOUR])
    publish(server, [QUAY], path="/other")
    quay = html_source(server, "quay", "/other") | {"name": "码头新闻"}
    return Archive.new(folder, html_source(server), quay, **settings)


def test_copies_are_kept_and_shown(server: Server, tmp_path: Path) -> None:
    archive = newsroom(server, tmp_path / "archive")
    archive.crawl("harbour", "quay")
    shown = json.loads(archive.verb("stories", "--json").stdout)
    (story,) = shown["latest"]
    assert (shown["stories"], shown["posts"], shown["not_compared"]) == (1, 2, 0)
    assert (story["reason"], [one["source"] for one in story["posts"]]) == ("another credits it", ["harbour", "quay"])
    assert "original: another credits it" in archive.verb("stories", "--source", "quay").stdout
    assert "渡轮恢复通航" not in archive.verb("stories", "--source", "gull").stdout
    assert "pointer" not in archive.post(QUAY.key)

    before = archive.rows(
        "select space, key, source, published, outlet, publisher, story, sketch from sketches order by key"
    )
    archive.rows("delete from sketches")
    archive.rows("delete from anchors")
    facts = facts_of(archive)
    assert all('"copies": ' in text for text in facts.values())
    shutil.rmtree(archive.folder / "_data" / "facts")
    assert "2 posts were never compared" in archive.verb("stories").stderr
    archive.verb("stories", "--all")
    assert facts_of(archive) == facts, "the site's too"
    archive.verb("rebuild-ledger")
    after = archive.rows(
        "select space, key, source, published, outlet, publisher, story, sketch from sketches order by key"
    )
    assert after == before


def test_a_copy_points_to_its_original_and_gets_its_text_back(server: Server, tmp_path: Path) -> None:
    archive = newsroom(server, tmp_path / "archive", duplicates="pointer")
    archive.crawl("harbour")
    archive.crawl("quay")
    archive.proven()
    pointer = archive.post(QUAY.key)
    (address,) = re.findall(r'^pointer: "(.+)"$', pointer, re.MULTILINE)
    assert re.fullmatch(r"/[a-z-]+/2026/03/02/harbour-100001\.html", address)
    assert f"[全文]({address})｜" in pointer
    assert f"<{server.address(QUAY.path)}>" in pointer
    assert 'title: "航线今起恢复"' in pointer
    assert "海港日报讯" in pointer
    assert len(pointer) < 800
    assert json.loads(archive.verb("stories", "--json").stdout)["latest"][0]["posts"][1]["pointer"] is True

    archive.crawl("quay")
    archive.rows("update articles set check_due = since where source = 'quay'")
    archive.verb("run", "--due")
    archive.verb("reprocess")
    assert archive.post(QUAY.key) == pointer, "looks and readings leave it a pointer"

    settings_file = archive.folder / "presskeep.yml"
    settings_file.write_text(
        settings_file.read_text("utf-8").replace("duplicates: pointer", "duplicates: keep"), "utf-8"
    )
    archive.verb("reprocess")
    assert "pointer" not in archive.post(QUAY.key)
    assert archive.post(QUAY.key).count("<p>") == 6
    assert archive.rows("select pointer from sketches where source = 'quay'") == [(0,)]
    archive.proven()
    settings_file.write_text(
        settings_file.read_text("utf-8").replace("duplicates: keep", "duplicates: pointer"), "utf-8"
    )
    whole = archive.post(QUAY.key)
    archive.verb("reprocess")
    assert archive.post(QUAY.key) == whole, "what is whole stays so"


def test_a_source_may_want_otherwise_and_what_came_first_stays(server: Server, tmp_path: Path) -> None:
    archive = newsroom(server, tmp_path / "archive", duplicates="pointer")
    archive.crawl("quay")
    archive.crawl("harbour")
    assert all("pointer" not in data.decode() for data in archive.posts().values())
    other = newsroom(server, tmp_path / "other", duplicates="pointer")
    other.add(html_source(server, "quay", "/other", post={"duplicates": "keep"}))
    other.crawl("harbour", "quay")
    assert all("pointer" not in data.decode() for data in other.posts().values())
