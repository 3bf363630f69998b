"""Articles that change or vanish after they were kept: edits and revisions, tombstones, and all that is neither."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from crawler.archive.captures import read_segment
from tests.server import Page, Server
from tests.story import Archive, Story, html_source, publish, stories
from tests.test_kill import CHANGES, bytes_of, needs_strace, ordinals, start

WALL = (
    "<html><body><h1>在继续之前</h1><div id='body'>"
    "<p>我们和合作伙伴使用 Cookie。请同意后继续访问本网站的全部内容。</p></div></body></html>"
)


def long(number: int, more: str = "") -> Story:
    """A story of several paragraphs, so that a change is a small part of it."""
    told = "".join(
        f"<p>第{n}段：渡轮{number}号在{n}点{number}分靠上{'东西南北'[n % 4]}码头，旅客{n * 13}人。</p>\n"
        for n in range(1, 9)
    )
    return Story(number, body=told + more)


def make_due(archive: Archive, *keys: str) -> None:
    """As if the time had come for another look."""
    for key in keys or [key for key, state in archive.states().items() if state == "done"]:
        archive.rows("update articles set check_due = '2026-01-01T00:00:00Z' where key = ? returning key", key)


def row(archive: Archive, key: str, *columns: str) -> tuple[object, ...]:
    return archive.rows(f"select {', '.join(columns)} from articles where key = ?", key)[0]


def kept(server: Server, folder: Path, *shown: Story, **changes: Any) -> Archive:
    publish(server, shown)
    archive = Archive.new(folder / "archive", html_source(server, **changes))
    archive.crawl()
    assert len(archive.posts()) == len(shown)
    server.forget()
    return archive


def front(text: str) -> dict[str, object]:
    return yaml.safe_load(text.split("---\n")[1])  # type: ignore[no-any-return]


def test_nothing_is_looked_at_before_its_time(server: Server, tmp_path: Path) -> None:
    archive = kept(server, tmp_path, *stories(3))
    archive.crawl()
    assert server.paths("/a/") == []
    assert archive.report("harbour")["checked"] == 0
    due, since = archive.rows("select check_due, since from articles")[0]
    assert due > since > "2026"


def test_an_edit_becomes_the_post_once(server: Server, tmp_path: Path) -> None:
    archive = kept(server, tmp_path, long(1), long(2))
    ((path, old),) = ((path, data) for path, data in archive.posts().items() if "100001" in path)
    server.pages["/a/100001.html"] = long(1, "<p>更新：傍晚又有两班渡轮加开。</p>").page()
    make_due(archive)

    archive.crawl()
    told = archive.report("harbour")
    assert [told[name] for name in ("checked", "edited", "gone", "kept", "refused")] == [2, 1, 0, 0, 0]
    asked = {one.path: one.headers for one in server.asked}
    assert "if-none-match" in asked["/a/100001.html"]
    new = archive.post("100001")
    assert "傍晚又有两班" in new
    said = front(new)
    assert said["revisions"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0800", str(said["last_modified_at"]))
    segments = archive.state.glob("captures/*.warc.gz")
    dates = [one.date for path in segments for _, one in read_segment(path) if one.url.endswith("/a/100001.html")]
    stated = datetime.strptime(str(said["last_modified_at"]), "%Y-%m-%d %H:%M:%S %z")
    assert stated == datetime.fromisoformat(max(dates)), "the time of the capture that it was made from"
    assert said["date"] == front(old.decode())["date"]
    (revision,) = (archive.folder / "revisions").rglob("*.md")
    assert revision.relative_to(archive.folder).as_posix() == "revisions/2026/03/02/2026-03-02-harbour-100001/1.md"
    assert revision.read_bytes() == old
    assert row(archive, "100001", "revision", "state") == (1, "done")
    assert "revisions" not in front(archive.post("100002"))
    assert path in archive.posts()
    archive.proven()

    # the same again: idle
    before = archive.tree()
    server.forget()
    archive.crawl()
    assert server.paths("/a/") == []
    make_due(archive)
    archive.crawl()
    assert len(server.paths("/a/")) == 2
    assert archive.report("harbour")["edited"] == 0
    assert archive.tree() == before

    # the headline, without validators: a second revision
    second = replace(long(1, "<p>更新：傍晚又有两班渡轮加开。</p>"), title="渡轮加开")
    server.pages["/a/100001.html"] = second.page(validators=False)
    make_due(archive)
    archive.crawl()
    assert front(archive.post("100001"))["revisions"] == 2
    assert (revision.parent / "2.md").read_text("utf-8") == new
    archive.proven()

    # what shows them
    text = archive.verb("diff", "100001").stdout
    assert "3 versions" in text
    assert "+渡轮加开" in text
    assert "+更新：傍晚又有两班渡轮加开。" in text
    assert text.index("+渡轮加开") < text.index("+更新")
    (told,) = json.loads(archive.verb("diff", path, "--json").stdout)
    assert [one["version"] for one in told["versions"]] == [3, 2, 1]
    assert told["source"] == "harbour"
    assert "1 version" in archive.verb("diff", "100002").stdout
    assert "Did you mean" in archive.verb("diff", "10002", code=2).stderr

    # a ledger made anew knows the revisions
    revisions = row(archive, "100001", "revision", "etag", "capture", "digest")
    archive.verb("rebuild-ledger")
    assert row(archive, "100001", "revision", "etag", "capture", "digest") == revisions
    archive.proven()


def test_the_page_s_own_time_of_change_and_its_address(server: Server, tmp_path: Path) -> None:
    """Another date of publication or outlet does not move a post."""
    source = html_source(server)
    source["layouts"][0]["modified"] = "#modified"
    archive = kept(server, tmp_path, long(1), layouts=source["layouts"])
    page = replace(long(1, "<p>另有一班延误。</p>"), outlet="晨风社").page()
    text = str(page.body).replace("<time>2026-03-02", '<b id="modified">2026-03-05 09:30</b><time>2026-03-05')
    server.pages["/a/100001.html"] = Page(text)
    make_due(archive)
    before = front(archive.post("100001"))
    archive.crawl()
    said = front(archive.post("100001"))
    assert said["last_modified_at"] == "2026-03-05 09:30:00 +0800"
    assert [said[name] for name in ("date", "categories", "tags")] == [
        before[name] for name in ("date", "categories", "tags")
    ]
    assert said["attribution"] == "晨风社"
    archive.proven()


@pytest.mark.parametrize(
    ("what", "refused"),
    [("blanks", 0), ("counter", 0), ("wall", 1), ("other", 1), ("stub", 1), ("layout", 1), ("hand", 1), ("busy", 1)],
)
def test_what_replaces_nothing(server: Server, tmp_path: Path, what: str, refused: int) -> None:
    archive = kept(server, tmp_path, long(1))
    page = str(long(1).page().body)
    server.pages["/a/100001.html"] = {
        "blanks": Page(page.replace("</p>\n", " </p>\n\n  ")),
        "counter": Page(page.replace("</div></body>", "<p>阅读 12345</p></div></body>")),
        "wall": Page(WALL),
        "other": Story(7).page(),
        "stub": Page(page.partition("<p>第3段")[0] + "</div></body></html>"),
        "layout": Page(page.replace('id="body"', 'id="text"')),
        "hand": long(1, "<p>又加了一班。</p>").page(),
        "busy": Page("try later", status=500),
    }[what]
    post = next(archive.folder.glob("_posts/**/*100001.md"))
    if what == "hand":
        post.write_text(post.read_text("utf-8") + "\nmine\n", "utf-8")
    before = archive.tree()
    make_due(archive)

    archive.crawl()
    assert archive.tree() == before
    told = archive.report("harbour")
    assert (told["edited"], told["gone"], told["refused"]) == (0, 0, refused)
    assert len(told["problems"]) == refused
    checks, reason, due = row(archive, "100001", "checks", "reason", "check_due")
    assert checks == 1
    assert str(reason).startswith("recheck: ") == bool(refused)
    assert str(due) > "2026-01-02"
    assert not (archive.folder / "revisions").exists()
    quarantined = what in ("wall", "other", "stub", "layout", "hand")
    assert archive.captured().count(server.address("/a/100001.html")) == 1 + quarantined, "what differs is kept"
    if what != "hand":
        archive.proven()


def test_advertising_that_says_nothing_of_being_that(server: Server, tmp_path: Path) -> None:
    """A line that comes into every page of the site is an edit of the first two, and no more; nor when it goes. What
    comes into one alone is an edit."""
    archive = kept(server, tmp_path, *(long(number) for number in range(1, 7)))
    for number in range(1, 7):
        server.pages[long(number).path] = long(number, "<p>今晚七点，青渡剧场见</p>").page()
    by_hand = next(archive.folder.glob("_posts/**/*100005.md"))
    whole = by_hand.read_bytes()
    by_hand.write_text("no post any more")
    make_due(archive)
    archive.crawl()
    assert [archive.report("harbour")[name] for name in ("edited", "refused")] == [2, 1]
    assert archive.report()["faults"] == 0
    by_hand.write_bytes(whole)

    for number in range(1, 6):
        server.pages[long(number).path] = long(number).page()
    server.pages[long(6).path] = long(6, "<p>更正：船名应为海燕号。</p>").page()
    before = archive.posts()
    make_due(archive)
    archive.crawl()
    changed = {path for path, data in archive.posts().items() if before[path] != data}
    assert {path[-9:-3] for path in changed} == {"100001", "100002", "100006"}, "the two had each other alone"
    archive.proven()


def test_a_look_that_finds_nothing_new_writes_nothing(server: Server, tmp_path: Path) -> None:
    """304; and the same bytes from a server without validators."""
    publish(server, [long(1)])
    server.pages[long(2).path] = long(2).page(validators=False)
    archive = kept(server, tmp_path, long(1), long(2))
    before, captured = archive.tree(), archive.captured()
    make_due(archive)
    archive.crawl()
    assert sorted(server.paths("/a/")) == ["/a/100001.html", "/a/100002.html"]
    assert archive.tree() == before
    assert archive.captured() == captured
    assert archive.rows("select checks, reason from articles") == [(1, ""), (1, "")]
    assert all(due > "2026-01-02" for (due,) in archive.rows("select check_due from articles"))


@pytest.mark.parametrize("how", ["404", "410", "soft", "home", "list"])
def test_gone_upstream(server: Server, tmp_path: Path, how: str) -> None:
    archive = kept(server, tmp_path, long(1), long(2))
    whole, before = server.pages["/a/100001.html"], archive.posts()
    server.pages["/"] = Page("<h1>海港新闻</h1>")
    server.pages["/a/100001.html"] = {
        "404": Page("no", status=404),
        "410": Page("no", status=410),
        "soft": Page("<title>页面不存在</title><h1>很抱歉</h1><div class=x>该文章已被删除。</div>"),
        "home": Page(status=302, headers={"Location": "/"}),
        "list": Page(status=301, headers={"Location": "/list"}),
    }[how]
    for sighting, gone in ((1, 0), (2, 1), (3, 0)):
        make_due(archive, "100001")
        archive.crawl()
        assert archive.report("harbour")["gone"] == gone, f"sighting {sighting}"
        assert archive.posts() == before
        assert bool(row(archive, "100001", "gone")[0]) == (sighting > 1)
    assert row(archive, "100001", "state", "missing") == ("done", 3)
    assert "gone upstream" in archive.verb("diff", "100001").stdout
    archive.proven()

    server.pages["/a/100001.html"] = whole  # it is back
    make_due(archive)
    archive.crawl()
    assert row(archive, "100001", "state", "missing", "gone", "reason") == ("done", 0, "", "")
    assert archive.posts() == before


def test_dropped_from_the_list_means_nothing(server: Server, tmp_path: Path) -> None:
    archive = kept(server, tmp_path, long(1), long(2))
    publish(server, [long(2)])
    make_due(archive)
    archive.crawl()
    assert row(archive, "100001", "gone", "missing") == ("", 0)


def test_a_source_s_own_spans(server: Server, tmp_path: Path) -> None:
    archive = kept(server, tmp_path, long(1), recheck=[])
    assert row(archive, "100001", "check_due") == ("",)
    make_due(archive)
    archive.crawl()
    assert server.paths("/a/") == []
    archive.add(html_source(server, recheck=["1h", ""]))
    assert "recheck" in archive.crawl(code=2).stderr


def test_new_articles_come_before_second_looks(server: Server, tmp_path: Path) -> None:
    archive = kept(server, tmp_path, *stories(6))
    publish(server, [*stories(12, start=21), *stories(6)])
    server.pages["/list"].wait = 0.2
    make_due(archive)
    archive.crawl()
    asked = [int(path[3:9]) for path in server.paths("/a/")]
    late = asked[asked.index(100021) :]
    news = [at for at, key in enumerate(late) if key > 100020]
    assert len(asked) == 18
    assert max(news) <= 14, late


# kills


@needs_strace
def test_a_kill_amid_an_edit(server: Server, tmp_path: Path) -> None:
    """At calls that move a file into its place, and at those that follow."""
    source = html_source(server)
    source["layouts"][0]["modified"] = "#modified"
    archive = kept(server, tmp_path, long(1), long(2), layouts=source["layouts"])
    for number in (1, 2):
        body = long(number, "<p>更新：加开两班。</p>").page().body
        server.pages[f"/a/10000{number}.html"] = Page(
            str(body).replace("<time>", '<b id="modified">2026-03-09 08:00</b><time>')
        )
    make_due(archive)
    for name in ("undisturbed", "traced"):
        shutil.copytree(archive.folder, tmp_path / name)
    undisturbed, traced = Archive(tmp_path / "undisturbed"), Archive(tmp_path / "traced")
    undisturbed.crawl()
    assert len(list(undisturbed.folder.glob("revisions/**/*.md"))) == 2
    log = tmp_path / "calls"
    with start(traced, "strace", "-f", "-e", f"trace={CHANGES}", "-o", str(log)) as crawl:
        if crawl.wait(60) != 0:
            pytest.skip("strace cannot trace here")
    calls = ordinals(log.read_text())
    moves = [at for at, (name, _) in enumerate(calls) if name.startswith(("link", "rename"))]
    chosen = sorted({*moves, *(at + 1 for at in moves if at + 1 < len(calls))})
    for at in chosen[:: max(1, len(chosen) // 3)]:
        name, number = calls[at]
        torn = Archive(tmp_path / f"torn-{at}")
        shutil.copytree(archive.folder, torn.folder)
        inject = ["-e", f"trace={name}", "-e", f"inject={name}:signal=SIGKILL:when={number}"]
        with start(torn, "strace", "-f", *inject, "-o", str(tmp_path / "killed")) as crawl:
            assert crawl.wait(60) != 0
        torn.crawl()
        assert bytes_of(torn) == bytes_of(undisturbed), (at, name, number)
        columns = "key, state, digest, revision, gone"
        wanted = undisturbed.rows(f"select {columns} from articles order by key")
        assert torn.rows(f"select {columns} from articles order by key") == wanted
        torn.proven()
        shutil.rmtree(torn.folder)
