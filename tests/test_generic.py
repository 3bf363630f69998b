"""Sources without rules, end to end: the generic extractor reads them, and remembers what pages of a source share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.archive.ledger import Ledger
from crawler.archive.post import read_post
from crawler.assemble import Assembler, Beyond
from crawler.extract.page import Page as Answer
from crawler.extract.text import plain
from crawler.items import Article, Refused
from crawler.memory import Memory
from crawler.run import Post
from crawler.sources import Source
from tests.server import Page, Server
from tests.story import Archive, html_source, list_page, stories

PROMO = "Readers have told us which walks along the shore they love, and we have put them all on one map for you."
SITE = "Riverbend Courier"


def told(number: int) -> list[str]:
    """What article ``number`` says, and no other."""
    says = (
        "Ferry {0} sails again from the north quay, the harbour office said on Monday, after {1} days of repairs.",
        "Its master, who has had boat {0} for {1} years, said that the new engine runs quieter than the old one did.",
        "Tickets cost {1} crowns for the crossing, and children under {0} travel free as long as the summer lasts.",
        "The council will talk about boat {0} again in {1} weeks, when the figures of the season are known.",
    )
    return [line.format(number, number * 7 + 3) for line in says]


def news(number: int, *more: str, lines: Sequence[str] = (), head: str = "", **changes: Any) -> Page:
    """The page of an article; ``more``: paragraphs that stand in its container as well."""
    text = "".join(f"<p>{line}</p>" for line in (*(lines or told(number)), *more))
    return Page(
        f"<html lang='en'><head><title>{head or f'Ferry {number} sails again | {SITE}'}</title>"
        f"<meta property='article:published_time' content='2026-03-{number % 28 + 1:02d}T08:30:00'></head><body>"
        f"<nav><a href='/'>Home</a> <a href='/list'>News</a></nav>"
        f"<div class='story'><h1>Ferry {number} sails again</h1>"
        f"<p class='byline'>By <a rel='author' href='/ida'>Ida Marsh</a></p>"
        f"{text}</div>"
        "<footer><p>Imprint</p></footer></body></html>",
        **changes,
    )


def unruled(server: Server, **changes: Any) -> dict[str, Any]:
    """A source that knows no more than where its articles are listed."""
    known = {"language": "en", "timezone": "Europe/London", "recheck": []}
    source = {**html_source(server, "riverbend", **{**known, **changes}), "name": SITE}
    source["lists"] = [{"kind": "html", "urls": server.address("/list"), "links": r"/a/\d+"}]
    if "layouts" not in changes:
        del source["layouts"]
    return source


def publish(server: Server, pages: dict[int, Page]) -> None:
    shown = [one for one in stories(max(pages)) if one.number in pages]
    server.pages["/list"] = list_page(shown)
    server.pages |= {one.path: pages[one.number] for one in shown}


def rows(archive: Archive) -> tuple[list[Any], list[Any]]:
    """What the ledger remembers."""
    return (
        archive.rows("select source, fingerprint, key, several from blocks order by fingerprint"),
        archive.rows("select key, number, title, told from readings order by number"),
    )


def lines(archive: Archive, number: int) -> list[str]:
    """What the post of article ``number`` says."""
    return [line for line in plain(read_post(archive.post(f"{100000 + number}").encode()).body).split("\n") if line]


@pytest.fixture
def archive(server: Server, tmp_path: Path) -> Archive:
    return Archive.new(tmp_path / "archive", unruled(server))


def test_what_stands_on_several_pages_goes_from_the_second_on(server: Server, archive: Archive) -> None:
    publish(server, {1: news(1, PROMO)})
    archive.crawl()
    first = archive.post("100001")
    fields = read_post(first.encode())
    assert fields.title == "Ferry 1 sails again"
    assert str(fields.date) == "2026-03-02 16:30:00+08:00", "half past eight in London, by the archive's zone"
    assert lines(archive, 1) == [*told(1), PROMO], "one page tells nothing"

    publish(server, {number: news(number, PROMO) for number in range(1, 5)})
    archive.crawl()
    assert [lines(archive, number) for number in (2, 3, 4)] == [told(2), told(3), told(4)]
    assert archive.post("100001") == first, "a post that is there stays"
    ((key, several),) = archive.rows("select key, several from blocks where several")
    assert (key, several) == ("100001", 1)
    archive.proven()

    assert PROMO in archive.verb("extract", "100001", "--explain").stdout, "what the post was made of"
    said = archive.verb("extract", "100002", "--json").stdout
    assert json.loads(said)["text"].split("\n") == told(2)

    (archive.state / "ledger.sqlite").unlink()
    archive.verb("rebuild-ledger")
    publish(server, {number: news(number, PROMO) for number in range(1, 6)})
    archive.crawl()
    assert lines(archive, 5) == told(5), "the memory is made anew from posts"


def test_in_one_run_and_in_two_the_posts_are_the_same(server: Server, tmp_path: Path) -> None:
    pages = {number: news(number, PROMO) for number in range(1, 8)}
    publish(server, pages)
    at_once = Archive.new(tmp_path / "at-once", unruled(server))
    at_once.crawl()
    bit_by_bit = Archive.new(tmp_path / "bit-by-bit", unruled(server))
    bit_by_bit.crawl("--limit", "3")
    bit_by_bit.crawl()
    assert bit_by_bit.posts() == at_once.posts()
    assert rows(bit_by_bit) == rows(at_once)


def test_two_versions_of_one_article_are_no_furniture(server: Server, archive: Archive) -> None:
    later = [*told(1)[:3], "An hour later the office added that fog had held up the first crossing of the day."]
    publish(server, {1: news(1), 2: news(2, lines=later), 3: news(3, lines=[*later, "The fog has gone by noon."])})
    archive.crawl()
    assert lines(archive, 2) == later
    assert lines(archive, 3)[:4] == later


WALL = "<html><head><title>x</title></head><body><h1>Before you continue</h1><p>We and our partners use cookies. Accept all cookies to continue.</p></body></html>"  # noqa: E501
CHINESE = """<html><head><title>北港灯塔修缮完工_海港网</title><meta charset="utf-8"></head><body>
<div class="nav"><a href="/">首页</a> <a href="/list">新闻</a></div><div class="main"><h1>北港灯塔修缮完工</h1>
<div class="info"><span>2026年03月05日 07:40</span> <span>来源：海港日报</span></div><div class="content">
<p>北港的灯塔昨天完成修缮，重新亮灯。港务处说，这次修缮历时八个月，塔身的每一块砖都重新勾缝。</p>
<p>守塔人介绍，新的灯器比旧的省电一半，照得却更远，雾天里船只在十海里以外就能看见。</p>
<p>从下周起，灯塔每逢周六向市民开放，登塔不收费，但每次不超过二十人，须提前一天预约。</p>
</div></div></body></html>"""


def test_walls_lists_and_errors_are_refused_and_a_chinese_page_is_read(server: Server, tmp_path: Path) -> None:
    links = "".join(f'<li><a href="/b/{n}">A headline of some length about boat number {n}</a></li>' for n in range(30))
    shown = {
        1: Page(WALL),
        2: Page(
            "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1><p>Sorry.</p></body></html>"
        ),
        3: Page(f"<html><head><title>News</title></head><body><ul>{links}</ul></body></html>"),
        4: Page(CHINESE),
    }
    archive = Archive.new(tmp_path / "archive", unruled(server, language="zh-CN", timezone="Asia/Shanghai"))
    publish(server, shown)
    archive.crawl()
    reasons = dict(archive.rows("select key, reason from articles where state = 'refused'"))
    assert reasons.keys() == {"100001", "100002", "100003"}
    assert reasons["100001"].startswith("consent: ")
    assert reasons["100002"].startswith("soft-404: ")
    assert reasons["100003"].startswith("body: a list of links (")
    post = read_post(archive.post("100004").encode())
    assert (post.title, post.fields["attribution"]) == ("北港灯塔修缮完工", "海港日报")
    assert str(post.date) == "2026-03-05 07:40:00+08:00"
    assert len(lines(archive, 4)) == 3
    assert archive.rows("select distinct key from blocks") == [("100004",)], "walls leave nothing in the memory"


def test_rules_come_first_and_the_extractor_fills_what_they_leave(server: Server, tmp_path: Path) -> None:
    layout = {"title": ".kicker", "attribution": ".credit"}
    archive = Archive.new(tmp_path / "archive", unruled(server, layouts=[layout]))
    page = news(1)
    page.body = str(page.body).replace(
        "<h1>", "<p class='credit'>Source: The Courier</p><b class='kicker'>Boats</b><h1>"
    )
    publish(server, {1: page})
    archive.crawl()
    post = read_post(archive.post("100001").encode())
    assert (post.title, post.fields["attribution"]) == ("Boats", "The Courier")
    assert set(told(1)) <= set(lines(archive, 1))


def test_where_rules_no_longer_fit_the_refusal_says_what_the_extractor_finds(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", unruled(server, layouts=[{"title": "h1", "body": "#gone"}]))
    publish(server, {1: news(1), 2: Page("<html><body><h1>Nothing</h1></body></html>")})
    archive.crawl()
    reasons = dict(archive.rows("select key, reason from articles"))
    size = len("\n".join(told(1)))
    found = f"generic finds a title 'Ferry 1 sails again' and a body of {size} characters"
    assert reasons["100001"] == f"body: css '#gone' matched nothing; {found}"
    assert reasons["100002"] == "body: css '#gone' matched nothing"
    assert archive.rows("select count(*) from readings") == [(0,)]


def test_a_second_look_reads_with_the_same_eyes(server: Server, tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", unruled(server, recheck=["15m"]))
    pages = {number: news(number, PROMO) for number in (1, 2, 3)}
    publish(server, pages)
    archive.crawl()
    before, remembered = archive.posts(), rows(archive)
    for number in (1, 3):
        server.pages[stories(number)[-1].path] = news(number, PROMO, head=f"Another title {number}")
    corrected = [*told(2), "An earlier version of this article named the wrong quay, and was put right at noon."]
    server.pages[stories(2)[-1].path] = news(2, PROMO, lines=corrected)
    archive.rows("update articles set check_due = '2026-01-01T00:00:00Z'")
    archive.crawl()
    assert archive.report("riverbend")["edited"] == 1
    assert lines(archive, 2) == corrected
    changed = {name for name, data in archive.posts().items() if before.get(name) != data}
    assert {name for name in changed if name.startswith("_posts")} == {next(n for n in before if "100002" in n)}
    assert len(rows(archive)[0]) == len(remembered[0]) + 1, "the memory knows what the edit brought"
    archive.proven()


# one page at a time

SEEN = datetime(2026, 3, 29, tzinfo=UTC)


def made(server: Server, page: str, number: int = 1, memory: Memory | None = None, **more: Any) -> Article:
    """The article of a page; ``more`` are layouts, the rest what the list says."""
    source = Source.model_validate(unruled(server, layouts=more.pop("layouts", [{}])))
    maker = Assembler(source)
    maker.beyond = Beyond(memory)
    answer = Answer(page.encode(), f"http://127.0.0.1/a/{number}.html")
    return maker.article(answer, str(number), more, SEEN)[0]


def test_of_the_day_that_a_page_states_the_list_may_know_the_minute(server: Server) -> None:
    page = str(news(1).body)
    day = page.replace("T08:30:00", "")
    for text, listed, when in (
        (page, "2026-03-02 09:00", "2026-03-02T08:30:00+00:00"),
        (day, "2026-03-02 09:00", "2026-03-02T09:00:00+00:00"),
        (day, "2026-03-03 09:00", "2026-03-02T00:00:00+00:00"),
        (day, "", "2026-03-02T00:00:00+00:00"),
    ):
        article = made(server, text, published=listed)
        assert article.published is not None
        assert article.published.isoformat() == when, listed


def test_texts_are_dropped_and_what_a_rule_and_the_list_lack_is_found(server: Server) -> None:
    page = str(news(1).body)
    assert "harbour office" not in made(server, page, layouts=[{"drop": ["harbour office "]}]).body
    article = made(server, page, layouts=[{"body": ".story"}])
    assert (article.title, str(article.published)) == ("Ferry 1 sails again", "2026-03-02 08:30:00+00:00")
    assert article.byline == (), "that is nothing that a post lacks"
    assert "By <a" in article.body, "the rule's own body"
    assert article.reading is None
    assert made(server, page, layouts=[{"body": ".story"}], title="Listed", published="2026-03-02").title == "Listed"
    assert made(server, page).byline == ("Ida Marsh",)


def test_titles_of_other_pages_free_a_headline_of_the_site_s_name(server: Server, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    memory = Memory(ledger)

    def titled(number: int, title: str) -> Article:
        text = "".join(f"<p>{line}</p>" for line in told(number))
        head = f"<title>{title}</title><meta name='date' content='2026-03-02'>"
        return made(server, f"<html><head>{head}</head><body><div>{text}</div></body></html>", number, memory)

    def keep(article: Article) -> None:
        one = Post("", b"", "riverbend", article.key, "riverbend", reading=article.reading)
        memory.note(one)
        ledger.keep([], more=memory.statements([one]))

    name = " – Boats and harbours of the north"
    keep(first := titled(1, "Ferry sails again" + name))
    assert first.title == "Ferry sails again" + name, "nothing is known of the site yet"
    keep(second := titled(2, "Old pier is closed" + name))
    assert second.title == "Old pier is closed"
    for number in range(3, 10):
        keep(titled(number, f"Another house, {number}"))
    assert titled(2, "Old pier is closed" + name) == second, "read with the same eyes"
    assert titled(1, "Ferry sails again" + name).title == first.title
    ledger.close()


def test_a_page_of_nothing_but_the_site_s_own_is_an_error_page(server: Server, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    memory = Memory(ledger)
    for number in (1, 2):
        article = made(server, str(news(number, PROMO, PROMO.upper()).body), number, memory)
        memory.note(Post("", b"", "riverbend", article.key, "riverbend", reading=article.reading))
    with pytest.raises(Refused, match="soft-404: all that it says stands on other pages of the source"):
        made(server, str(news(3, lines=[PROMO, PROMO.upper()]).body), 3, memory)
    ledger.close()
