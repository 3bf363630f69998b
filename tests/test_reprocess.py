"""Reprocess: what was captured gives better posts by better rules, through the gate, once, wherever it is killed."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from crawler.archive import rewrites
from crawler.archive.ledger import Entry, Ledger
from crawler.archive.post import read_post
from crawler.archive.posts import replace, write_all
from crawler.extract.text import plain
from crawler.reprocess import Change, Reprocessed, Reprocessing
from crawler.run import Run
from crawler.site import load_site
from crawler.sources import load_source
from tests.server import Page, Server
from tests.story import Archive, Story, html_source, publish, stories
from tests.test_generic import PROMO, news, told
from tests.test_warcs import SITE, answer, filled, in_child, made, riverbend, told_by, warc

NOTE = "<p class='note'>本文由海港新闻网编辑整理，转载请注明出处，欢迎读者来信。</p>"


def reprocess(
    archive: Archive, *, plan: bool = False, key: str = "", jobs: int = 1
) -> tuple[Reprocessed, list[Change]]:
    sources = [load_source(path) for path in sorted((archive.folder / "sources").glob("*.yml"))]
    run = Run(archive.folder, load_site(archive.folder), sources)
    found: list[Change] = []
    if not plan:
        run.record_start()
    done = Reprocessing(run, sources, plan=plan).work(key, jobs, tell=found.append)
    assert run.close() == 0
    return done, found


def ruled(**layout: Any) -> dict[str, Any]:
    source = html_source(SITE, politeness={"delay": 1})
    source["layouts"] = [{**source["layouts"][0], **layout}]
    return source


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Posts with a line that does not belong to them."""
    archive = made(tmp_path / "archive")
    noted = [Story(one.number, body=one.text + NOTE) for one in stories(3)]
    filled(archive, warc(tmp_path, *told_by(noted)))
    assert all("转载" in data.decode() for data in archive.posts().values())
    return archive


def test_the_same_rules_change_nothing(archive: Archive) -> None:
    before = archive.tree()
    assert reprocess(archive) == (Reprocessed(same=3), [])
    assert archive.tree() == before


def test_better_rules_make_better_posts(archive: Archive) -> None:
    archive.add(ruled(strip=[".note"]))
    before = archive.tree(state=True)
    done, found = reprocess(archive, plan=True)
    assert (done.changed, done.same) == (3, 0)
    assert all("-本文由海港新闻网编辑整理，转载请注明出处，欢迎读者来信。" in change.diff for change in found)
    ledgers = (".presskeep/ledger.sqlite",)
    after = archive.tree(state=True)
    assert {name: told for name, told in after.items() if name not in ledgers} == {
        name: told for name, told in before.items() if name not in ledgers
    }, "a plan writes nothing"

    old = archive.posts()
    done, found = reprocess(archive)
    assert (done.changed, done.left) == (3, {})
    assert [change.path for change in found] == sorted(old)
    assert archive.posts().keys() == old.keys(), "no address changes"
    assert not any("转载" in data.decode() for data in archive.posts().values())
    kept = {
        str(path.relative_to(archive.folder)): path.read_bytes() for path in archive.folder.glob("revisions/**/*.md")
    }
    assert kept == {f"revisions/{name[7:-3]}/reading-1.md": data for name, data in old.items()}
    assert "revisions" not in read_post(archive.posts()[found[0].path]).fields, "nothing was edited"
    lengths = [length for (length,) in archive.rows("select length from texts order by key")]
    assert lengths == [len("".join(says(archive, f"10000{n}"))) for n in (1, 2, 3)]
    archive.proven()

    before = archive.tree()
    assert reprocess(archive)[0] == Reprocessed(same=3), "once"
    assert archive.tree() == before

    shown = archive.verb("diff", "100001").stdout
    assert "1 version\n" in shown
    assert "read anew from its capture; before: revisions/" in shown
    assert "-本文由海港新闻网编辑整理，转载请注明出处，欢迎读者来信。" in shown


def test_where_only_the_form_differs_no_earlier_reading_is_kept(archive: Archive) -> None:
    archive.add({**ruled(), "post": {"tags": ["{outlet}", "渡轮"], "category": "harbour"}})
    done, _ = reprocess(archive, key="100002")
    assert done.changed == 1
    post = read_post(archive.post("100002").encode())
    assert (post.tags, post.categories) == (("海港日报", "渡轮"), ("harbour",))
    assert read_post(archive.post("100001").encode()).tags == ("海港日报",), "only that key"
    assert (archive.folder / "category" / "harbour.html").is_file()
    assert not list(archive.folder.glob("revisions/**/*.md"))
    archive.proven()


def test_the_day_stays_for_the_address_is_made_of_it(archive: Archive, tmp_path: Path) -> None:
    other = made(tmp_path / "other")
    story = Story(1, body="<p>2026-03-09 09:10</p>" + stories(1)[0].text + "<i>2026-03-02 23:15</i>")
    filled(other, warc(tmp_path, answer(story.path, story.page()), name="b.warc.gz"))
    (path,) = other.posts()
    other.add(ruled(published="#body p:first-child"))
    assert reprocess(other)[0] == Reprocessed(same=1)
    other.add(ruled(published="#body i"))
    done, _ = reprocess(other)
    assert (done.changed, list(other.posts())) == (1, [path])
    assert str(read_post(other.posts()[path]).date) == "2026-03-02 23:15:00+08:00"


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"body": ".meta"}, "body: "),
        ({"strip": ["p"]}, "body: empty"),
        ({"title": "h6"}, "title: "),
        ({"body": "#other"}, "another text by today's rules; the post stays"),
        ({"body": "#body p.note"}, "shorter than half by today's rules; the post stays"),
    ],
)
def test_worse_rules_replace_nothing(tmp_path: Path, rules: dict[str, Any], why: str) -> None:
    archive = made(tmp_path / "archive", {**html_source(SITE), "expect": {"characters": 25}})
    html = Story(1, body=stories(1)[0].text * 2 + NOTE).page().data.decode()
    html = html.replace(
        "</body>", "<div id='other'>" + "昨日市场收盘涨跌互现，成交额较前一日放大，机构看法不一。" * 5 + "</div></body>"
    )
    filled(archive, warc(tmp_path, answer("/a/100001.html", Page(html))))
    archive.add({**ruled(**rules), "expect": {"characters": 25}})
    before = archive.tree()
    done, found = reprocess(archive)
    ((path, reason),) = done.left.items()
    assert why in reason
    assert (found, done.changed, archive.tree()) == ([], 0, before)
    assert path in before


def test_what_was_changed_by_hand_stays(archive: Archive) -> None:
    path = next(iter(archive.posts()))
    (archive.folder / path).write_bytes(archive.posts()[path] + b"\n")
    archive.add(ruled(strip=[".note"]))
    done, _ = reprocess(archive)
    assert (done.changed, done.left) == (2, {path: "the post was changed by hand; it stays"})


def test_what_was_refused_becomes_a_post_by_better_rules(server: Server, tmp_path: Path) -> None:
    source = html_source(server, layouts=[{"title": "h1", "body": "#wrong", "published": "time"}], recheck=[])
    archive = Archive.new(tmp_path / "archive", source)
    publish(server, stories(2))
    archive.crawl()
    assert archive.states() == {"100001": "refused", "100002": "refused"}
    server.forget()
    archive.add({**source, "layouts": html_source(server)["layouts"]})
    done, found = reprocess(archive, plan=True)
    assert (done.new, [change.new for change in found], archive.posts()) == (2, [True, True], {})
    done, _ = reprocess(archive)
    assert (done.new, done.changed) == (2, 0)
    assert archive.states() == {"100001": "done", "100002": "done"}
    assert server.asked == []
    archive.proven()
    assert reprocess(archive)[0] == Reprocessed(same=2)


def test_without_captures_there_is_nothing_to_read(tmp_path: Path) -> None:
    archive = made(tmp_path / "archive")
    filled(archive, warc(tmp_path, *told_by(stories(2))), captures=False)
    archive.add(ruled(strip=["p"]))
    assert reprocess(archive)[0] == Reprocessed(without=2)


def test_a_ledger_that_forgot_what_lists_said_takes_it_from_the_post(tmp_path: Path) -> None:
    archive = made(tmp_path / "archive", {**html_source(SITE), "post": {"quote": "quote"}})
    filled(archive)
    story = stories(1)[0]
    hints = {"url": SITE.address("/other/100001.html"), "digest": "渡轮恢复通航。", "outlet": "别处日报"}
    ledger = Ledger(archive.state / "ledger.sqlite")
    ledger.discover("harbour", "harbour", [Entry(story.key, hints)], datetime(2026, 3, 30, tzinfo=UTC))
    ledger.close()
    page = Page(story.page().data.decode().replace("来源：海港日报", ""))
    filled(archive, warc(tmp_path, answer(story.path, page)))
    assert "别处日报" in archive.post(story.key)
    archive.rows("update articles set hints = '{}'")
    assert reprocess(archive)[0] == Reprocessed(same=1)


# pages without rules


def shared(folder: Path) -> Archive:
    archive = riverbend(folder / "archive")
    pages = [answer(f"/a/{100000 + n}.html", news(n, PROMO)) for n in range(1, 5)]
    filled(archive, warc(folder, *pages))
    assert PROMO in archive.post("100001")
    return archive


def says(archive: Archive, key: str) -> list[str]:
    return [line for line in plain(read_post(archive.post(key).encode()).body).split("\n") if line]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.long)])
def test_the_first_article_loses_what_others_have_as_well(tmp_path: Path, jobs: int) -> None:
    archive = shared(tmp_path)
    others = [archive.post(f"10000{n}") for n in (2, 3, 4)]
    done, found = reprocess(archive, jobs=jobs)
    assert [change.key for change in found] == ["100001"]
    assert (done.changed, done.same, done.left) == (1, 3, {})
    assert says(archive, "100001") == told(1)
    assert [archive.post(f"10000{n}") for n in (2, 3, 4)] == others
    ((remembered,),) = archive.rows("select told from readings where key = '100001'")
    assert "struck" in remembered, "another look reads it with the same eyes"
    before = archive.tree()
    assert reprocess(archive)[0] == Reprocessed(same=4)
    assert archive.tree() == before
    archive.proven()


def test_two_versions_of_one_article_stay_whole(tmp_path: Path) -> None:
    archive = riverbend(tmp_path / "archive")
    pages = {
        1: news(1),
        2: news(2, "And more of the first of them was told in the evening.", lines=told(1)),
        3: news(3),
    }
    filled(archive, warc(tmp_path, *(answer(f"/a/10000{n}.html", page) for n, page in pages.items())))
    assert len(archive.posts()) == 3
    before = archive.tree()
    assert reprocess(archive)[0] == Reprocessed(same=3)
    assert archive.tree() == before


# killed


@pytest.mark.parametrize("step", ["begun", "kept", "replaced", "half", "done"])
def test_a_kill_amid_it_costs_nothing(archive: Archive, tmp_path: Path, step: str) -> None:
    archive.add(ruled(strip=[".note"]))

    def dying() -> None:
        calls: list[int] = []

        def kept(*about: Any) -> Any:
            if step == "begun":
                os._exit(9)
            write_all(*about)
            if step == "kept":
                os._exit(9)

        def replaced(*about: Any) -> None:
            replace(*about)
            calls.append(1)
            if step == "half" or (step == "replaced" and len(calls) == 3):
                os._exit(9)

        vars(rewrites).update(write_all=kept, replace=replaced)
        if step == "done":
            Run.close = lambda self, **_: os._exit(9)  # type: ignore[method-assign]

    assert in_child(dying, lambda: reprocess(archive)) == 9
    filled(archive)  # any run mends what the killed one left
    digests = dict(archive.rows("select path, digest from articles"))
    assert digests == {name: sha256(data).hexdigest() for name, data in archive.posts().items()}
    reprocess(archive)
    assert not any("转载" in data.decode() for data in archive.posts().values())
    assert len(list(archive.folder.glob("revisions/**/reading-1.md"))) == 3
    assert not list(archive.folder.glob("revisions/**/reading-2.md"))
    assert archive.rows("select count(*) from rewrites") == [(0,)]
    assert reprocess(archive)[0] == Reprocessed(same=3)


def test_the_verb(archive: Archive) -> None:
    archive.add(ruled(strip=[".note"]))
    shown = archive.verb("reprocess", "--plan").stdout
    assert shown.count("-本文由海港新闻网编辑整理") == 3
    assert shown.splitlines()[-1] == "3 posts would change, 0 are new, 0 stay as they are"
    said = json.loads(archive.verb("reprocess", "harbour", "--key", "100002", "--json").stdout)
    assert (said["changed"], said["plan"], [one["key"] for one in said["changes"]]) == (1, False, ["100002"])
    assert "2 posts changed, 0 are new, 1 stay as they are" in archive.verb("reprocess", "--jobs", "1").stdout
    archive.proven()
