"""Sources that break over several runs, or in ways that a single page does not show; redirects that lead away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote

import pytest

from crawler.alarms import of_host
from crawler.archive.ledger import Validators
from crawler.gate import OWN_PAGE, leads_away
from crawler.run import Run
from crawler.site import load_site
from crawler.sources import load_source
from tests.server import Page, Server
from tests.story import Archive, Done, Story, html_source, list_page, presskeep, publish, stories

WALL = "<html><body><h1>在您继续之前</h1><p>我们使用 Cookie。请点击同意以继续阅读。</p></body></html>"
NAMES = ["海堤加固开工", "渔港鱼市早市提前", "灯塔博物馆周末免票", "货轮泊位完成疏浚", "环岛公交增开夜班",
         "气象站换新雷达", "帆船赛报名截止", "码头书屋迎来新书", "潮汐电站并网", "盐田步道对外开放"]  # fmt: skip


def alarm_of(done: Done) -> str:
    """The one ALARM line."""
    (line,) = (line for line in done.stderr.splitlines() if "ALARM" in line)
    return line


def named(count: int, start: int = 1) -> list[Story]:
    """Articles whose headlines differ in more than a number."""
    return [Story(number, title=NAMES[number % len(NAMES)]) for number in range(start, start + count)]


def claiming(story: Story, path: str) -> Page:
    """A story's page that says that its address is this one."""
    html = story.page().body
    assert isinstance(html, str)
    return Page(html.replace("<title>", f'<link rel="canonical" href="{path}"><title>'))


def test_the_line_for_cron_says_alarm_too(server: Server, tmp_path: Path) -> None:
    """Its report is made anew once it has chosen what to visit; its commands work from any folder."""
    publish(server, shown := stories(6))
    server.pages |= {one.path: Page(WALL) for one in shown}
    archive = Archive.new(tmp_path / "my archive", html_source(server))
    done = presskeep(tmp_path, "run", "--due", "--quiet", "--archive", "my archive")
    assert done.returncode == 4, done.stderr
    assert alarm_of(done).endswith(f"presskeep crawl harbour --limit 5 --archive {quote(str(archive.folder))}")
    assert archive.report("harbour")["alarms"]


def dated_list(shown: Sequence[Story]) -> Page:
    """A list that says when its articles were published."""
    items = "".join(f'<li><a href="{one.path}">{one.headline}</a><i>{one.printed[:10]}</i></li>' for one in shown)
    return Page(f'<html><body><ul class="news">{items}</ul></body></html>')


def undated(story: Story) -> Page:
    html = story.page().body
    assert isinstance(html, str)
    return Page(html.replace("time>", "b>"))


def test_dates_that_are_gone(server: Server, tmp_path: Path) -> None:
    """The list's dates would have done, day by day without a time."""
    source = html_source(server)
    source["lists"][0]["fields"]["published"] = "i"
    publish(server, first := stories(7))
    server.pages["/list"] = dated_list(first)
    archive = Archive.new(tmp_path / "archive", source)
    archive.crawl()
    assert set(archive.rows("select dated from texts")) == {(1,)}

    later = stories(9, start=20)
    server.pages["/list"] = dated_list([*later, *first])
    server.pages |= {one.path: undated(one) for one in later}
    line = alarm_of(archive.crawl(code=4))
    assert "ALARM harbour layout changed: published: 5 of 5 pages have none" in line
    assert {archive.states()[one.key] for one in later} == {"queued"}
    assert len(archive.posts()) == 7

    server.pages |= {one.path: one.page() for one in later}
    server.forget()
    archive.crawl()
    assert all("if-none-match" not in one.headers for one in server.asked if one.path == "/list"), "read as a whole"
    assert set(archive.states().values()) == {"done"}


def test_few_articles_a_run(server: Server, tmp_path: Path) -> None:
    """Two a run, and no run says anything by itself."""
    archive = Archive.new(tmp_path / "archive", html_source(server))
    shown: list[Story] = []
    for number, code in enumerate((0, 0, 4)):
        fresh = stories(2, start=1 + 2 * number)
        publish(server, shown := [*fresh, *shown])
        server.pages |= {one.path: Page(WALL) for one in fresh}
        done = archive.crawl(code=code)
    assert "ALARM harbour consent: 6 of the latest 6 articles are none" in alarm_of(done)
    assert set(archive.states().values()) == {"queued"}
    server.pages |= {one.path: one.page() for one in shown}
    archive.crawl()
    assert set(archive.states().values()) == {"done"}
    assert len(archive.posts()) == 6


@pytest.mark.parametrize("target", [1, 6, 99], ids=["the-first", "amid-the-list", "nowhere"])
def test_one_canonical_for_all(server: Server, tmp_path: Path, target: int) -> None:
    """None is lost, and none becomes a post under another's key."""
    publish(server, shown := named(9))
    server.pages |= {one.path: claiming(one, f"/a/{100000 + target}.html") for one in shown}
    archive = Archive.new(tmp_path / "archive", html_source(server))
    line = alarm_of(archive.crawl(code=4))
    assert "layout changed: canonical: " in line
    assert f"they are one article, {100000 + target}" in line
    assert set(archive.states().values()) <= {"queued", "done"}
    assert all(Story(target, title=NAMES[target % len(NAMES)]).headline in archive.post(path[-9:-3])
               for path in archive.posts())  # fmt: skip

    server.pages |= {one.path: one.page() for one in shown}
    archive.crawl()
    assert all(archive.states()[one.key] == "done" for one in shown)
    assert {one.key: one.headline in archive.post(one.key) for one in shown} == {one.key: True for one in shown}
    assert len(archive.posts()) == 9
    archive.proven()


def test_one_canonical_for_all_few_a_run(server: Server, tmp_path: Path) -> None:
    publish(server, shown := named(3))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    for start, code in ((11, 0), (13, 0), (15, 4)):
        fresh = named(2, start)
        publish(server, shown := [*fresh, *shown])
        server.pages |= {one.path: claiming(one, "/a/100001.html") for one in fresh}
        done = archive.crawl(code=code)
    assert "canonical: 6 addresses of 9" in alarm_of(done)
    server.pages |= {one.path: one.page() for one in shown}
    archive.crawl()
    assert set(archive.states().values()) == {"done"}
    assert all(one.headline in archive.post(one.key) for one in shown)


def test_an_article_that_waits_for_its_own_page(server: Server, tmp_path: Path) -> None:
    """One page claims another's address: that is made of its own page, whichever is asked for first."""
    publish(server, shown := named(6))
    server.pages[shown[0].path] = claiming(shown[0], shown[4].path)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    assert shown[4].headline in archive.post(shown[4].key)
    assert archive.states()[shown[4].key] == "done"
    assert OWN_PAGE not in archive.problems("harbour").values()


def test_redirects_that_lead_away(server: Server, tmp_path: Path) -> None:
    """To a front page that the rules fit, to a list that they do not, to a folder; and one to the same article."""
    publish(server, shown := stories(20))
    server.pages["/"] = replace(shown[9], title="今日要闻").page()
    server.pages["/a/"] = Page("<html><body><h1>更多</h1></body></html>")
    ways = {2: "/", 5: "/list", 8: "/a/", 11: "/a/100011.html?from=old"}
    for number, way in ways.items():
        server.pages[shown[number - 1].path] = Page("", status=302, headers={"Location": way})
    server.pages["/a/100011.html?from=old"] = shown[10].page()
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    reasons = dict(archive.rows("select key, reason from articles where state = 'refused'"))
    away = {key: f"soft-404: it leads to {server.address(way)}" for key, way in
            (("100002", "/"), ("100005", "/list"), ("100008", "/a/"))}  # fmt: skip
    assert reasons == away
    assert archive.report("harbour")["refusals"] == {"soft-404": 3}
    assert len(archive.posts()) == 17


def test_a_site_that_is_down(server: Server, tmp_path: Path) -> None:
    """Its robots.txt is asked for first; nothing that was known is lost."""
    publish(server, stories(2))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    server.close()
    assert "ALARM harbour refused: " in alarm_of(archive.crawl(code=4))
    assert set(archive.states().values()) == {"done"}


def test_a_site_that_answers_lists_alone(server: Server, tmp_path: Path) -> None:
    """Every article fails on the wire: the host rests, the articles wait, and that is said."""
    publish(server, shown := stories(7))
    server.pages |= {one.path: one.page(fault="drop") for one in shown}
    archive = Archive.new(tmp_path / "archive", html_source(server))
    assert "ALARM harbour refused: 5 failures in a row" in alarm_of(archive.crawl(code=4))
    assert "ALARM harbour refused" in alarm_of(archive.crawl(code=4)), "while it rests"
    server.pages |= {one.path: one.page() for one in shown}
    archive.rows("update hosts set rest_until = '2026-01-01T00:00:00Z'")
    archive.rows("update articles set due = '2026-01-01T00:00:00Z'")
    archive.crawl()
    assert set(archive.states().values()) == {"done"}


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("5 failures in a row, the last: timed out", "refused"),
        ("5 failures in a row, the last: no such host (x)", "dns"),
        ("HTTP 429, no Retry-After, 4 times in a row", "blocked"),
        ("HTTP 503, no Retry-After, 4 times in a row", "refused"),
    ],
)
def test_what_a_closed_host_shows(reason: str, kind: str) -> None:
    assert of_host(reason) == (kind, reason)


@pytest.mark.parametrize(
    ("asked", "landed", "away"),
    [
        ("https://a.example/n/1", "https://a.example/", True),
        ("https://a.example/n/1", "http://www.a.example", True),
        ("https://a.example/n/1", "https://a.example/news?page=1", True),
        ("https://a.example/n/1", "https://a.example/n/", True),
        ("https://a.example/n/1/print", "https://a.example/n/1", False),
        ("https://a.example/n/1", "https://a.example/n/1-title", False),
        ("https://a.example/n/1", "https://a.example/story/1", False),
        ("https://a.example/?id=1", "https://a.example/?p=1", False),
        ("https://a.example/?id=1", "https://a.example/?id=1", False),
    ],
)
def test_where_redirects_lead(asked: str, landed: str, away: bool, tmp_path: Path) -> None:
    import re

    assert leads_away(asked, landed, {"a.example/news?page=1"}, [re.compile(r"/(?:n|story)/(\d+)")]) == away


def test_validators_of_a_stopped_source_do_not_move(server: Server, tmp_path: Path) -> None:
    """Also where a list that was on its way is answered after the alarm."""
    archive = Archive.new(tmp_path / "archive", html_source(server))
    source = load_source(archive.folder / "sources/harbour.yml")
    run = Run(archive.folder, load_site(archive.folder), [source])
    known = Validators(server.address("/list"), "harbour", "rules", '"etag"')
    run.end_walk(known.url, [known])
    assert run.ledger.validators(known.url, "rules") == known
    run.watch.list_is_bad("harbour", known.url, "the list is empty")
    run.end_walk(known.url, [known])
    assert run.ledger.validators(known.url, "rules") is None
    assert run.close() == 4


def test_one_list_of_two_stays_broken(server: Server, tmp_path: Path) -> None:
    """And that is said as long as it is so, though the other one is read each time."""
    publish(server, stories(3))
    publish(server, stories(3, "b", 11), "/other")
    source = html_source(server)
    source["lists"][0]["urls"] = [server.address("/list"), server.address("/other")]
    archive = Archive.new(tmp_path / "archive", source)
    archive.crawl()
    server.pages["/other"] = list_page([])
    for _ in range(2):
        assert f"layout changed: {server.address('/other')}: the list is empty" in alarm_of(archive.crawl(code=4))


def test_a_list_that_names_nothing_is_fit_for_no_alarm(server: Server, tmp_path: Path) -> None:
    """Five articles that fail, and a list that is as it was: its validators go, for it may have changed with them."""
    publish(server, shown := stories(6))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    publish(server, [*(fresh := stories(6, start=10)), *shown])
    server.pages |= {one.path: Page(WALL) for one in fresh}
    archive.crawl(code=4)
    assert archive.rows("select etag, modified, digest, rules from listings") == [("", "", "", "")]
    assert archive.states() == {**{one.key: "queued" for one in fresh}, **{one.key: "done" for one in shown}}
    server.pages["/list"] = list_page(shown)
    server.pages |= {one.path: one.page() for one in fresh}
    archive.crawl()
    assert set(archive.states().values()) == {"done"}, "also of what the list no longer names"
