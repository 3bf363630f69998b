"""The reader's own pages: search and filters, health, gaps, versions; and the lists of the index that they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive.ledger import Ledger, articles
from crawler.archive.post import read_post
from crawler.archive.posts import replace
from crawler.archive.revisions import Edit, folder_of, write
from crawler.search.index import Known, open_index
from crawler.search.lists import counts, credited, listed, neighbours, newest_of
from crawler.serve import tools
from crawler.serve.versions import compared
from tests.server import Server
from tests.story import html_source
from tests.test_serve import START, Running, Site, article
from tests.test_serve import own as own
from tests.test_serve import running as running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site.new(tmp_path_factory.mktemp("tools") / "archive", 8)


@pytest.fixture(scope="module")
def reader(site: Site) -> Iterator[Running]:
    made = Running(site.folder)
    yield made
    made.close()


def numbers(reader: Running, address: str) -> list[int]:
    """Of the posts that a page lists."""
    return [int(title.removeprefix("第").partition("号")[0]) for title in reader.titles(address)]


# search and filters


def test_words_are_found_and_marked(reader: Running) -> None:
    page = reader.page("/search?q=船长 pier")
    assert len(page.cssselect(".stories li")) == 8
    assert "共找到 8 篇" in page.cssselect("[role=status]")[0].text_content()
    assert [mark.text for mark in page.cssselect("li:first-child mark")] == ["船长", "pier"]
    assert page.cssselect("#q")[0].get("value") == "船长 pier"
    assert numbers(reader, "/search?q=第3号") == [3]
    assert "没有找到。" in reader.text("/search?q=whale")


@pytest.mark.parametrize("address", ["/search?q=渡轮&", "/search?", "/browse?"])
def test_filters(reader: Running, address: str) -> None:
    assert set(numbers(reader, f"{address}source=town")) == {1, 3, 5, 7}
    assert set(numbers(reader, f"{address}category=harbour-daily")) == {0, 2, 4, 6}
    assert set(numbers(reader, f"{address}outlet=ｔｏｗｎ crier")) == {1, 3, 5, 7}
    assert set(numbers(reader, f"{address}from=2026-03-08&to=2026-03-09")) == {1, 2}
    assert set(numbers(reader, f"{address}day=2026-03-09")) == {1}
    assert set(numbers(reader, f"{address}source=town&category=town&outlet=Town Crier&to=2026-03-07")) == {3, 5, 7}
    assert numbers(reader, f"{address}source=town&category=harbour-daily") == []
    assert numbers(reader, f"{address}source=none") == []


def test_filters_alone_give_the_newest_first(reader: Running) -> None:
    assert numbers(reader, "/browse?source=harbour") == [0, 2, 4, 6]
    assert numbers(reader, "/browse?tag=Town Crier") == [1, 3, 5, 7]
    assert numbers(reader, "/search") == [], "nothing was asked"


def test_what_was_chosen_stays_chosen(reader: Running) -> None:
    page = reader.page("/search?q=x&source=town&category=town&outlet=Crier&from=2026-03-01&tag=Town Crier")
    assert [option.get("value") for option in page.cssselect("option[selected]")] == ["town", "town"]
    assert [field.get("value") for field in page.cssselect("#outlet, #from, [name=tag]")] == [
        "Crier",
        "2026-03-01",
        "Town Crier",
    ]
    assert {option.get("value") for option in page.cssselect("#outlets option")} == {"海港日报", "Town Crier"}


def test_pages_of_what_was_found(reader: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "PAGE", 3)
    for address in ("/browse?source=harbour&", "/search?q=渡轮&source=harbour&"):
        first, second = numbers(reader, address), numbers(reader, f"{address}page=2")
        assert (len(first), len(second)) == (3, 1)
        assert {*first, *second} == {0, 2, 4, 6}
        (following,) = reader.links(address, "a[rel=next]")
        assert numbers(reader, following) == second
        (back,) = reader.links(f"{address}page=2", "a[rel=prev]")
        assert numbers(reader, back) == first
        assert reader.links(f"{address}page=2", "a[rel=next]") == []
        assert numbers(reader, f"{address}page=99999999999") == []
        assert numbers(reader, f"{address}page=-1") == first


@pytest.mark.parametrize(
    "query", ["q=渡轮&from=yesterday", "from=2026-02-30", "page=x&q=a", "q=-渡轮", "q=!!", f"q={'a ' * 99}"]
)
def test_what_cannot_be_looked_for_is_said(reader: Running, query: str) -> None:
    page = reader.page(f"/search?{query}", 400)
    assert "无法查找" in page.cssselect("[role=alert]")[0].text_content()


def test_the_static_site_s_search_page_leads_to_the_reader_s(reader: Running) -> None:
    assert reader.get("/search.html?q=%E6%B8%A1&x=1").location == "/search?q=%E6%B8%A1&x=1"
    assert reader.get("/search.html").location == "/search"


@settings(max_examples=12, deadline=None)
@given(st.text(max_size=40))
def test_nothing_that_is_typed_breaks_a_page(reader: Running, typed: str) -> None:
    from urllib.parse import urlencode

    for query in (
        {"q": typed},
        {"outlet": typed},
        {"source": typed, "category": typed},
        {"from": typed},
        {"page": typed},
    ):
        answer = reader.get(f"/search?{urlencode(query, errors='surrogatepass')}")
        assert answer.status in (200, 400)
        assert b"<script" not in answer.body


# how the archive fares


def ended(site: Site, **told: Any) -> None:
    """A run with a report."""
    with closing(Ledger(site.archive.state / "ledger.sqlite")) as ledger:
        now = START + timedelta(days=2)
        number = ledger.start_run(now)
        ledger.end_run(number, now, 4, {"sources": [{"source": "town", "listed": 9, "kept": 7, "refused": 2, **told}]})


def test_health_tells_what_the_verbs_tell(own: Site, running: Running) -> None:
    alarm = {"kind": "layout changed", "what": "2 of 9 <pages>", "next": "presskeep repair town"}
    ended(own, refusals={"layout changed": 2}, alarms=[alarm], new=7, waiting=3)
    with closing(Ledger(own.archive.state / "ledger.sqlite")) as ledger:
        ledger.write(articles.update().where(articles.c.key == "1").values(state="refused", reason="body: <b>empty"))
        ledger.write(articles.update().where(articles.c.key == "3").values(reason="a wall"))
        ledger.write(articles.update().where(articles.c.key == "5").values(notes='{"title": ["A & B", "C"]}'))
    page = running.page("/health")
    text = " ".join(page.cssselect("main")[0].text_content().split())
    for told in ("2 of 9 <pages>", "presskeep repair town", "body: <b>empty", "a wall", "A & B", "2026-03-12 10:00"):
        assert told in text, told
    assert page.cssselect(".state")[0].get("class") == "state ill"
    counts = [[cell.text_content() for cell in row.cssselect("th, td")] for row in page.cssselect("tbody tr")]
    assert ["harbour", "3", "0", "0", "0", "0"] in counts
    assert ["town", "2", "0", "1", "0", "0"] in counts


def test_gaps_tell_what_the_verb_tells(own: Site, running: Running, server: Server) -> None:
    own.archive.add(html_source(server, "town"))
    own.archive.rows(
        'insert into gaps (source, list, day, "before", first, last) values '
        "('town', 'https://town.example/', '', '2026-03-01T00:00:00Z', '2026-03-02', '2026-03-03')"
    )
    running.library._kept.clear()
    page = running.page("/gaps")
    main = page.cssselect("main")[0].text_content()
    assert "presskeep backfill town --from 2026-03-02 --to 2026-03-03" in main
    rows = [[cell.text_content().strip() for cell in row.cssselect("td")] for row in page.cssselect("tr:has(td + td)")]
    assert ["town", "2026-03-03", "0", "0", "0", "缺口", ""] in rows
    assert ["town", "2026-03-09", "1", "1", "0", "", "post 1"] in rows
    narrow = running.text("/gaps?from=2026-03-09&to=2026-03-09")
    assert "没有已知的缺口。" in narrow
    assert "2026-03-03" not in narrow
    assert "2026-03-09" not in running.page("/gaps?source=none").cssselect("main")[0].text_content()
    assert "无法查找" in running.text("/gaps?from=x", 400)
    assert "缺口" in running.text("/health")


# versions


def edited(site: Site, number: int, body: str, title: str = "") -> str:
    """Address of a post that was edited."""
    (path,) = site.folder.glob(f"_posts/**/*-{number}.md")
    old, name = path.read_bytes(), path.relative_to(site.folder).as_posix()
    post = read_post(old)
    new = old.decode().replace(post.body, body).replace(post.title, title or post.title)
    new = new.replace("\nlanguage", '\nlast_modified_at: "2026-03-11 09:30:00 +0800"\nlanguage')
    write(site.folder, [Edit(name, old, new.encode(), 1)])
    with closing(Ledger(site.archive.state / "ledger.sqlite")) as ledger:
        told = {"digest": sha256(new.encode()).hexdigest(), "revision": 1, "gone": "2026-03-15T00:00:00Z"}
        ledger.write(articles.update().where(articles.c.path == name).values(**told))
    return site.url(number)


def test_versions_of_a_post_are_compared(own: Site, running: Running) -> None:
    assert running.links(own.url(1), ".reader a")[0] == "/search", "nothing to compare"
    body = "<p>第1号渡轮今天停航，船长说风浪不小。</p>\n<p>Nobody was hurt &lt;b&gt;.</p>\n<p>The pier was painted.</p>"
    address = edited(own, 1, body, "第1号渡轮停航")
    assert running.links(address, ".reader a")[0] == f"/diff{address}"
    page = running.page(f"/diff{address}")
    assert [one.text for one in page.cssselect("del")] == ["恢复通", "恢复通", "大"]
    assert "Nobody was hurt <b>." in [one.text for one in page.cssselect("ins")]
    assert page.cssselect("p.same")[0].text_content() == "The pier was painted."
    assert page.cssselect(".versions p")[0].text_content() == "第1号渡轮恢复通停航"
    assert [one.get("value") for one in page.cssselect("option[selected]")] == ["1", "now"]
    assert "2026-03-15" in page.cssselect(".notice")[0].text_content(), "gone upstream"
    assert f"/{own.url(1).strip('/')}" in running.links(f"/diff{address}")
    side = running.page(f"/diff{address}?view=side")
    left, right = ([cell.text_content() for cell in side.cssselect(f"td:nth-child({at})")] for at in (1, 2))
    assert left == ["第1号渡轮恢复通航", "第1号渡轮今天恢复通航，船长说风浪不大。", "", "The pier was painted."]
    assert right[:2] == ["第1号渡轮停航", "第1号渡轮今天停航，船长说风浪不小。"]
    same = running.text(f"/diff{address}?from=1&to=1")
    assert "两者内容相同。" in same
    assert "<del>" not in same


def test_earlier_readings_can_be_compared_as_well(own: Site, running: Running) -> None:
    (path,) = own.folder.glob("_posts/**/*-2.md")
    name = path.relative_to(own.folder).as_posix()
    reading = own.folder / folder_of(name) / "reading-1.md"
    replace(reading, path.read_bytes().replace("船长".encode(), "船工".encode()))
    page = running.page(f"/diff{own.url(2)}")
    assert [one.text for one in page.cssselect("del, ins")] == ["工", "长"]
    assert page.cssselect("option")[0].text_content().strip() == "旧读法 1"
    assert "原文并无变化" in page.cssselect(".hint")[0].text_content()


def test_a_post_with_one_version_says_so(reader: Running, site: Site) -> None:
    page = reader.page(f"/diff{site.url(3)}")
    assert "只有一个版本" in page.cssselect(".empty")[0].text_content()
    assert page.cssselect("form") == []


LINES = st.lists(st.text(st.sampled_from("ab 渡轮。.\n<"), max_size=12), max_size=6)


@given(LINES, LINES)
def test_what_is_compared_is_all_there(old: list[str], new: list[str]) -> None:
    rows = list(compared(old, new))
    for side, lines, kind, other in (("old", old, "removed", "added"), ("new", new, "added", "removed")):
        assert ["".join(part["text"] for part in row[side]) for row in rows if row["kind"] != other] == lines
        assert all(part["kind"] in ("same", kind) for row in rows for part in row[side])
    if old == new:
        assert all(row["kind"] == "same" for row in rows)


def test_a_very_long_paragraph_takes_no_time() -> None:
    long = "渡" * 50_000
    assert [row["kind"] for row in compared([long], [long + "轮"])] == ["removed", "added"]


def test_many_equal_paragraphs_take_no_time() -> None:
    old = ["a", *["same"] * 8000, "b", *["same"] * 8000]
    new = ["c", *["same"] * 8000, "d", "e", *["same"] * 8000]
    begun = monotonic()
    rows = list(compared(old, new))
    assert monotonic() - begun < 5, "it takes half a minute where each is looked for among all"
    assert sum(row["kind"] == "same" for row in rows) == 8000, "the beginning and the end that both have"


def test_many_paragraphs_take_no_time() -> None:
    old = [f"old {number}" if number % 2 else f"{number}" for number in range(20_000)]
    new = [f"new {number}" if number % 2 else f"{number}" for number in range(20_000)]
    begun = monotonic()
    rows = list(compared(["first", *old], ["first", *new]))
    assert monotonic() - begun < 5
    assert rows[0]["kind"] == "same"
    assert [row["kind"] for row in rows].count("removed") == 19_999


# the lists of the index


def test_lists_counts_and_neighbours(tmp_path: Path) -> None:
    site = Site.new(tmp_path / "archive", 0)
    made = [
        article(number, published=START - timedelta(hours=30 * (number % 7), seconds=number)) for number in range(20)
    ]
    paths = dict(zip(site.keep(*made), made, strict=True))
    index, _ = open_index(site.archive.state)
    known = {
        path: Known(sha256((site.folder / path).read_bytes()).hexdigest(), one.source) for path, one in paths.items()
    }
    running = Running(site.folder)
    zone = running.library.zone
    running.close()
    index.follow(site.folder, known, zone)

    def day(path: str) -> date:
        published = paths[path].published
        assert published
        return published.astimezone(zone).date()

    order = sorted(paths, key=lambda path: (paths[path].published, path), reverse=True)
    assert [one.path for one in listed(index, {}, 99)[1]] == order
    for terms in (
        {"source": "town"},
        {"outlet": "TOWN crier", "category": "town"},
        {"day": "2026-03-09"},
        {"tag": "海港日报"},
    ):
        held = [
            path
            for path in order
            if paths[path].source == terms.get("source", paths[path].source)
            and ("outlet" not in terms or paths[path].source == "town")
            and ("day" not in terms or f"{day(path)}" == terms["day"])
            and ("tag" not in terms or paths[path].tags == (terms["tag"],))
        ]
        count, found = listed(index, terms, 4, 1)
        assert (count, [one.path for one in found]) == (len(held), held[1:5]), terms
    first, last = date(2026, 3, 6), date(2026, 3, 8)
    count, found = listed(index, {"source": "town"}, 99, first=first, last=last)
    assert count == len(found) == sum(paths[path].source == "town" and first <= day(path) <= last for path in paths)
    assert counts(index, "source") == {"harbour": 10, "town": 10}
    assert sum(counts(index, "day", "2026-03-06", "2026-03-08").values()) == sum(first <= day(p) <= last for p in paths)
    assert newest_of(index, "category", "town") == next(path for path in order if paths[path].source == "town")
    assert newest_of(index, "category", "none") == ""
    assert set(credited(index, 9)) == {"海港日报", "Town Crier"}
    for older, path, newer in zip([*order[1:], ""], order, ["", *order[:-1]], strict=True):
        assert neighbours(index, path) == (older, newer)
    assert neighbours(index, "none") == ("", "")

    for gone in order[:3]:
        del known[gone]
    index.follow(site.folder, known, zone)
    assert listed(index, {}, 99)[0] == 17
    assert sum(counts(index, "source").values()) == 17
    assert [one.path for one in listed(index, {}, 1)[1]] == order[3:4]
    index.close()


def test_lists_are_looked_up_not_searched(tmp_path: Path) -> None:
    """By the plans of SQLite: no list of the site goes through all posts, nor is it sorted."""
    index, _ = open_index(tmp_path)
    asked: list[tuple[str, Any]] = []
    real = index.ask

    def ask(question: str, values: Any) -> list[Any]:
        asked.append((question, values))
        return real(question, values)

    index.ask = ask  # type: ignore[method-assign]
    for terms in ({}, {"source": "a"}, {"category": "a"}, {"day": "2026-01-01"}, {"source": "a", "outlet": "b"}):
        listed(index, terms, 10)
    neighbours(index, "a")
    for kind in ("day", "source"):
        counts(index, kind)
    for question, values in asked:
        plan = [row[3] for row in real(f"explain query plan {question}", values)]
        by = [step for step in plan if step.startswith(("SCAN", "USE TEMP"))]
        allowed = (
            "SCAN posts USING COVERING INDEX",
            "SCAN posts USING INDEX posts_moment",
            "USE TEMP B-TREE FOR LAST TERM OF ORDER BY",  # posts of one and the same second
            "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY",
        )
        assert all(step.startswith(allowed) for step in by), (question, plan)
    index.close()
