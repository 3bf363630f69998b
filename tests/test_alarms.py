"""Sources that break: walls, stubs, changed layouts and lists; what is stopped and said, and that nothing is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.alarms import Alarm, Outcome, Seen, Tally, next_command, of_aliases, of_articles, of_latest, of_list
from tests.server import ABSENT, Page, Server
from tests.story import Archive, Done, Story, html_source, list_page, publish, stories

WALL = "consent: the page says x"


def seen(count: int, length: int = 100, lacking: int = 0, field: str = "outlet") -> list[Seen]:
    """So many that passed; the first ``lacking`` of them lack the field."""
    return [Seen(length, **{field: number >= lacking}) for number in range(count)]


def tally(passed: Sequence[int] = (), failed: Sequence[str] = (), outlet: bool = True, dated: bool = True) -> Tally:
    made = Tally()
    for reason in failed:
        made.fails(reason)
    for length in passed:
        made.passes(Seen(length, outlet, dated))
    return made


@pytest.mark.parametrize(
    ("counted", "history", "ended", "kind"),
    [
        (tally([100] * 4), (), True, ""),
        (tally([], [WALL] * 4), (), True, ""),  # fewer than five say nothing
        (tally([], [WALL] * 5), (), False, "consent"),
        (tally([100] * 3, [WALL] * 2), (), True, "consent"),  # 40 %
        (tally([100] * 3, [WALL] * 2), (), False, ""),  # amid a run nobody knows what comes
        (tally([100] * 6, [WALL] * 3), (), False, ""),
        (tally([100] * 5, [WALL] * 5), (), False, ""),
        (tally([100] * 4, [WALL] * 5), (), False, "consent"),
        (tally([100] * 1, [WALL] * 4), (), False, ""),
        (tally([100] * 7, [WALL] * 3), (), True, ""),  # 30 %, and not more
        (tally([100] * 6, [WALL] * 3), (), True, "consent"),
        (tally([100] * 2, ["HTTP 403"] * 3), (), True, "blocked"),
        (tally([100] * 2, ["body: empty"] * 3), (), True, "layout changed"),
        (tally([100] * 5, ["timed out"] * 9), (), True, ""),  # nothing was seen of their pages
        (tally([30] * 5), seen(9), True, "layout changed"),
        (tally([34] * 5), seen(9), True, ""),
        (tally([30] * 5), seen(4), True, ""),  # hardly a history
        (tally([99] * 5, outlet=False), seen(20, lacking=2), False, "layout changed"),
        (tally([99] * 5, outlet=False), seen(20, lacking=3), True, ""),  # it never was a rule
        (tally([99] * 5), seen(20), True, ""),
        (tally([99] * 5, dated=False), seen(20, lacking=2, field="dated"), False, "layout changed"),
        (tally([99] * 5, dated=False), seen(20, lacking=3, field="dated"), True, ""),
    ],
)
def test_when_articles_show_that_a_source_is_broken(
    counted: Tally, history: Sequence[Seen], ended: bool, kind: str
) -> None:
    found = of_articles(counted, history, ended=ended)
    assert (found[0] if found else "") == kind


@pytest.mark.parametrize(("field", "named"), [("outlet", "attribution: "), ("dated", "published: ")])
@pytest.mark.parametrize(("lacking", "of", "gone"), [(5, 16, True), (4, 5, False), (5, 17, False), (6, 20, False)])
def test_a_field_that_is_gone_is_named(field: str, named: str, lacking: int, of: int, gone: bool) -> None:
    """Of at least five articles, and of more than 30 %."""
    counted = Tally()
    for one in seen(of, lacking=lacking, field=field):
        counted.passes(one)
    found = of_articles(counted, seen(50), ended=True)
    assert (found is not None and found[1].startswith(named)) == gone


def outcomes(passed: int = 0, failed: int = 0, aliases: int = 0) -> list[Outcome]:
    """Of earlier runs, newest first: those that failed, aliases of one article, those that passed."""
    kinds = [("refused", WALL)] * failed + [("alias", "x")] * aliases + [("done", "")] * passed
    return [Outcome(("a", str(number)), *kind) for number, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("counted", "earlier", "kind"),
    [
        (tally([], [WALL] * 2), outcomes(passed=8), ""),  # two of ten
        (tally([], [WALL] * 2), outcomes(passed=8, failed=1), ""),
        (tally([], [WALL] * 2), outcomes(passed=8, failed=2), "consent"),
        (tally([], [WALL] * 2), outcomes(failed=2), ""),  # four in all
        (tally([], [WALL] * 2), outcomes(failed=3), "consent"),
        (tally([100] * 3, [WALL]), outcomes(failed=9), ""),  # mended, as it seems
        (tally([100], ["timed out"]), outcomes(failed=9), ""),
        (Tally(), outcomes(failed=9), ""),
        (tally([], [WALL] * 5), outcomes(), ""),  # a run that says enough by itself
        (tally([], [WALL] * 2), [Outcome(("a", "1"), "refused", "HTTP 500")] * 9, ""),
        (Tally(aliases=Counter(x=2)), outcomes(aliases=3, passed=5), "layout changed"),
        (Tally(aliases=Counter(x=2)), outcomes(aliases=2, passed=6), ""),
        (Tally(aliases=Counter(y=2)), outcomes(aliases=8), ""),  # of another article
    ],
)
def test_few_articles_a_run_add_up(counted: Tally, earlier: Sequence[Outcome], kind: str) -> None:
    found = of_latest(counted, earlier, ())
    assert (found[0] if found else "") == kind


@pytest.mark.parametrize(
    ("own", "before", "gone"),
    [
        (seen(2, lacking=2), [*seen(3, lacking=3), *seen(40)], True),
        (seen(2, lacking=2), [*seen(2, lacking=2), *seen(40)], False),  # four in all
        (seen(2), [*seen(8, lacking=8), *seen(40)], False),  # mended
        (seen(2, 30), [*seen(8, 30), *seen(40)], True),
        (seen(2), [*seen(8, 30), *seen(40)], False),
        (seen(2, 30), seen(40), False),  # two short ones
    ],
)
def test_few_posts_a_run_add_up(own: Sequence[Seen], before: Sequence[Seen], gone: bool) -> None:
    assert (of_latest(Tally(seen=list(own)), (), before) is not None) == gone


@pytest.mark.parametrize(
    ("aliases", "passed", "alarm"), [(5, 0, True), (4, 0, False), (5, 11, True), (5, 12, False), (30, 60, True)]
)
def test_many_addresses_of_one_article(aliases: int, passed: int, alarm: bool) -> None:
    """Neither a live report with a page for each entry, among many articles, nor copies of many articles are one."""
    counted = tally([100] * passed)
    counted.aliases["x"] = aliases
    assert (of_aliases(counted) is not None) == alarm
    counted.aliases = Counter({str(number): 2 for number in range(aliases)})
    assert of_aliases(counted) is None


def test_a_layout_that_changes_amid_a_long_run_shows_soon() -> None:
    counted = tally([100] * 90)
    for number in range(1, 10):
        counted.fails("body: empty")
        assert bool(of_articles(counted, (), ended=False)) == (number >= 8), number


@pytest.mark.parametrize(
    ("what", "moved", "kind"),
    [
        ("no such host (x)", False, "dns"),
        ("connection refused", False, "refused"),
        ("HTTP 403", False, "blocked"),
        ("HTTP 404", False, "list moved"),
        ("HTTP 503", False, ""),
        ("timed out", False, ""),
        ("the list is empty, or its rules no longer fit", False, "layout changed"),
        ("the list is empty, or its rules no longer fit", True, "list moved"),
        ("consent: the page says x (the list is empty)", True, "consent"),
    ],
)
def test_when_a_list_shows_it(what: str, moved: bool, kind: str) -> None:
    found = of_list(what, moved=moved)
    assert (found[0] if found else "") == kind


def test_an_alarm_is_one_line() -> None:
    assert Alarm("dns", "gone", "presskeep health").line("harbour") == "ALARM harbour dns: gone; next: presskeep health"


# end to end


def alarmed(archive: Archive, kind: str) -> Done:
    """A crawl that ends with an alarm of this class, on stderr and in the report."""
    done = archive.crawl(code=4)
    assert f"ALARM harbour {kind}: " in done.stderr, done.stderr
    assert "; next: " in done.stderr
    assert [one["kind"] for one in archive.report("harbour")["alarms"]] == [kind]
    return done


def broken(story: Story, fault: str) -> Page:
    """The page that comes instead of a story's, with status 200."""
    around = "<html><head><title>x</title></head><body><h1>{}</h1><p><time>2026-03-02 08:00</time></p>{}</body></html>"
    bodies = {
        "consent": around.format("在您继续之前", '<div id="body"><p>我们使用 Cookie。请点击同意以继续阅读。</p></div>'),
        "captcha": "<html><body><p>请完成安全验证后继续访问</p><form><input name=c></form></body></html>",
        "soft-404": around.format("很抱歉", '<div id="body"><p>该文章已被删除或不存在，您可以返回首页看看。</p></div>'),
        "busy": around.format("系统错误", '<div id="body"><p>java.lang.NullPointerException</p></div>'),
        "layout": f'<main><h2>{story.headline}</h2><section class="v2">{story.text}</section></main>',
        "empty": around.format(story.headline, '<div id="body"></div>'),
        "paywall": around.format(
            story.headline, f'<div id="body"><p>第{story.number}号渡轮今天恢复通航。</p><p>订阅后阅读全文</p></div>'
        ),
    }
    return Page(bodies[fault])


FAULTS = {
    "consent": "consent",
    "captcha": "blocked",
    "soft-404": "soft-404",
    "busy": "soft-404",
    "paywall": "paywall",
    "layout": "layout changed",
    "empty": "layout changed",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_source_that_shows_walls_is_stopped_and_nothing_is_lost(server: Server, tmp_path: Path, fault: str) -> None:
    publish(server, shown := stories(20))
    whole = dict(server.pages)
    server.pages |= {one.path: broken(one, fault) for one in shown}
    archive = Archive.new(tmp_path / "archive", html_source(server))
    alarmed(archive, FAULTS[fault])
    assert archive.posts() == {}
    assert len(server.paths("/a/")) < 12, "the rest is not asked for"
    assert set(archive.states().values()) == {"queued"}
    archive.proven()

    server.pages = whole
    archive.crawl()
    assert archive.states() == {one.key: "done" for one in shown}
    archive.proven()


@pytest.mark.parametrize("fault", FAULTS)
def test_one_in_five_is_quarantined_alone(server: Server, tmp_path: Path, fault: str) -> None:
    """Its capture is kept, the ledger says why, and the others are posts."""
    publish(server, shown := stories(20))
    bad = [one for one in shown if one.number % 5 == 1]
    server.pages |= {one.path: broken(one, fault) for one in bad}
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    states = archive.states()
    assert {key for key, state in states.items() if state == "refused"} == {one.key for one in bad}
    assert len(archive.posts()) == 16
    assert server.address(bad[0].path) in archive.captured()
    assert sum(archive.report("harbour")["refusals"].values()) == 4
    before = archive.tree()
    archive.crawl()
    assert archive.tree() == before


def test_a_layout_that_changes_amid_a_run(server: Server, tmp_path: Path) -> None:
    publish(server, shown := stories(60))
    whole = dict(server.pages)
    server.pages |= {one.path: broken(one, "layout") for one in shown[20:]}
    archive = Archive.new(tmp_path / "archive", html_source(server))
    alarmed(archive, "layout changed")
    assert len(archive.posts()) == 20
    assert len(server.paths("/a/")) < 40
    server.pages = whole
    archive.crawl()
    assert archive.states() == {one.key: "done" for one in shown}
    archive.proven()


def test_lists_that_became_empty(server: Server, tmp_path: Path) -> None:
    publish(server, shown := stories(3))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    server.pages["/list"] = list_page([])
    alarmed(archive, "layout changed")
    alarmed(archive, "layout changed")
    assert "if-none-match" not in set(server.asked[-1].headers)
    server.pages["/list"] = Page("<html><body><p>请完成安全验证后继续访问</p></body></html>")
    alarmed(archive, "blocked")
    server.pages["/list"] = Page("no such page", status=404)
    alarmed(archive, "list moved")
    server.pages["/list"] = Page("", status=302, headers={"Location": "/elsewhere"})
    server.pages["/elsewhere"] = Page("<html><body><p>欢迎</p></body></html>")
    alarmed(archive, "list moved")
    publish(server, [Story(4), *shown])
    archive.crawl()
    assert len(archive.posts()) == 4


def test_a_list_that_never_was_good_is_no_alarm(server: Server, tmp_path: Path) -> None:
    server.pages["/list"] = list_page([])
    archive = Archive.new(tmp_path / "archive", html_source(server))
    assert "ALARM" not in archive.crawl(code=3).stderr


def test_articles_that_shrink_and_lose_their_outlets(server: Server, tmp_path: Path) -> None:
    publish(server, shown := stories(8))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    later = [replace(one, body=f"<p>第{one.number}号渡轮恢复通航，首航载客百人。</p>") for one in stories(8, start=20)]
    publish(server, [*later, *shown])
    alarmed(archive, "layout changed")
    assert len(archive.posts()) == 8, "the first ones were held back"

    for one in later:
        server.pages[one.path] = replace(one, body="").page()
    archive.crawl()
    assert len(archive.posts()) == 16
    last = [replace(one, outlet="") for one in stories(8, start=40)]
    publish(server, [*last, *later, *shown])
    alarmed(archive, "layout changed")
    assert len(archive.posts()) == 16


def test_a_broken_source_does_not_stop_another(server: Server, tmp_path: Path) -> None:
    publish(server, shown := stories(8))
    publish(server, stories(8, "b", 11), "/other")
    server.pages |= {one.path: broken(one, "consent") for one in shown}
    archive = Archive.new(tmp_path / "archive", html_source(server), html_source(server, "other", "/other"))
    alarmed(archive, "consent")
    assert archive.report("other")["kept"] == 8


def test_one_text_under_many_addresses(server: Server, tmp_path: Path) -> None:
    """The first one, held back, is none either."""
    publish(server, shown := stories(7))
    same = "<p>今日的新闻正在整理，请读者稍候片刻，编辑部会尽快把全文放上来。</p>"
    for one in shown[:2]:
        server.pages[one.path] = replace(one, body=same).page()
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    assert archive.states() == {one.key: "refused" if one in shown[:2] else "done" for one in shown}
    reasons = dict(archive.rows("select key, reason from articles where state = 'refused'"))
    assert reasons == {"100001": "same text as 100002", "100002": "same text as 100001"}


def test_the_error_page_is_learnt_once_a_day(server: Server, tmp_path: Path) -> None:
    """An error page that no phrase gives away, with a headline, a date and a body that the rules fit."""
    publish(server, shown := stories(7))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    nothing = "<p>头条：港区今日多云，气温适宜。更多内容请从上方栏目进入，或订阅我们的邮件。编号 {}</p>"
    error = Page(replace(shown[0], body=nothing.format("0")).page().body)
    answer = {"page": error}

    class Pages(dict[str, Page]):
        def get(self, path: str, default: Page | None = None) -> Page | None:  # type: ignore[override]
            return answer["page"] if ABSENT in path else super().get(path, default)

    server.pages = Pages(server.pages)
    server.pages[shown[3].path] = Page(replace(shown[3], body=nothing.format("3")).page().body)
    archive.crawl()
    states = archive.states()
    assert states.pop(shown[3].key) == "refused"
    assert set(states.values()) == {"done"}
    absent = [one for one in server.asked if ABSENT in one.path]
    assert len(absent) == 1
    assert absent[0].path.startswith("/a/")
    assert absent[0].path.endswith(".html")
    publish(server, [Story(8), *shown])
    archive.crawl()
    assert len([one for one in server.asked if ABSENT in one.path]) == 1, "one a day"
    assert json.loads(archive.rows("select sketches from error_pages")[0][0])


def test_another_articles_page(server: Server, tmp_path: Path) -> None:
    """An address that leads to another article's page, which claims no address of its own."""
    publish(server, shown := stories(6))
    server.pages[shown[2].path] = Page("", status=302, headers={"Location": "/a/109999.html"})
    server.pages["/a/109999.html"] = replace(
        Story(9999), body="<p>这是另一篇报道，写的是货运码头的扩建工程与工期。</p>"
    ).page()
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    assert archive.states()[shown[2].key] == "refused"
    assert "109999" in archive.rows("select reason from articles where state = 'refused'")[0][0]


def test_what_to_type_next() -> None:
    """Rules for pages can be found anew by a machine, all else is mended by hand."""
    about = "a", "layout changed", "a.yml", " --archive x"
    assert next_command(*about, repairable=True) == "presskeep repair a --archive x"
    assert next_command(*about) == "mend a.yml, then presskeep crawl a --limit 5 --archive x"
    assert next_command("a", "paywall", "a.yml", "", repairable=True).startswith("mend a.yml")
    assert next_command("a", "dns", "a.yml", "", repairable=True) == "presskeep crawl a --limit 5"
