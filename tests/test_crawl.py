"""Crawls of a loopback server by the real command: every way of listing, conditional runs, one article one post."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tests.server import Page, Server
from tests.story import Archive, Story, html_source, json_page, json_source, list_page, publish, record, stories

ROBOTS = "User-agent: *\nDisallow:\n\nUser-agent: Presskeep\nDisallow: /private\n"


def test_lists_in_html_with_a_next_link(server: Server, tmp_path: Path) -> None:
    publish(server, shown := stories(7), size=3)
    server.pages["/list"].gzip = True
    server.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /private/\n", kind="text/plain")
    archive = Archive.new(tmp_path / "archive", html_source(server), contact="desk@archive.example")

    done = archive.crawl()
    assert "harbour" in done.stdout
    assert "listed" in done.stdout
    assert archive.states() == {one.key: "done" for one in shown}
    assert len(archive.posts()) == 7
    assert "第1号渡轮恢复通航" in archive.post("100001")
    assert f"<{server.address('/a/100001.html')}>" in archive.post("100001")
    told = archive.report("harbour")
    assert [told[name] for name in ("listed", "new", "fetched", "kept", "refused")] == [7, 7, 7, 7, 0]
    assert Counter(server.paths()) == Counter(["/list", "/list?p=2", "/list?p=3", *(one.path for one in shown)])
    agents = {one.headers["user-agent"] for one in server.asked}
    assert all(agent.startswith("presskeep/") and "desk@archive.example" in agent for agent in agents), agents
    assert server.asked[0].path == "/robots.txt"
    archive.proven()

    # the second run: lists are asked conditionally, nothing else is, and no file changes
    before = archive.tree()
    server.forget()
    archive.crawl()
    assert server.paths() == ["/list"]
    assert "if-none-match" in {name for one in server.asked if one.path == "/list" for name in one.headers}
    assert archive.report("harbour")["fetched"] == 0
    assert archive.report("harbour")["unchanged"] == 1
    assert archive.tree() == before

    # a new article: it alone is fetched, and the walk stops at a page that is known as a whole
    publish(server, [Story(8), *shown], size=3)
    server.forget()
    archive.crawl()
    assert server.paths("/a/") == ["/a/100008.html"]
    assert server.paths("/list") == ["/list", "/list?p=2"]
    old = {name: value for name, value in before.items() if not name.startswith("_data/")}
    assert {name: value for name, value in archive.tree().items() if name in old} == old
    archive.proven()


def test_other_ways_of_listing(server: Server, tmp_path: Path) -> None:
    """HTML by page template, JSON by number, JSONP by cursor, share links: four sources in one run."""
    by_template, by_number, by_cursor = stories(5, "t"), stories(5, start=11), stories(5, start=21)
    server.pages |= {one.path: one.page(gzip=True, modified="Mon, 02 Mar 2026 08:00:00 GMT") for one in by_template}
    server.pages["/col"] = list_page(by_template[:2], validators=False, modified="Mon, 02 Mar 2026 08:00:00 GMT")
    server.pages["/col_2"] = list_page(by_template[2:4])
    server.pages["/col_3"] = list_page(by_template[4:])
    for number, start in enumerate((0, 2, 4), 1):
        server.pages[f"/api?page={number}"] = json_page(
            {"data": {"list": [record(one) for one in by_number[start : start + 2]]}}
        )
    server.pages["/api?page=4"] = json_page({"data": {"list": []}})
    for here, shown, cursor in (("", by_cursor[:3], "c3"), ("&after=c3", by_cursor[3:], None)):
        answer = json.dumps({"data": {"list": [record(one) for one in shown], "next": cursor}}, ensure_ascii=False)
        server.pages[f"/feed?n=3{here}"] = Page(f"onNews({answer});", kind="application/javascript; charset=utf-8")
    server.pages |= {f"/share?id={one.key}": json_page({"text": one.text}) for one in by_number + by_cursor}
    template = html_source(server, "by-template", "/col")
    template["lists"][0]["pages"] = {"template": server.address("/col_{page}"), "depth": 3}
    numbered = {"template": server.address("/api?page={page}")}
    cursored = {"cursor": "data.next", "template": server.address("/feed?n=3&after={cursor}")}
    archive = Archive.new(
        tmp_path / "archive",
        template,
        json_source(server, "by-number", "/api?page=1", numbered),
        json_source(server, "by-cursor", "/feed?n=3", cursored),
    )

    archive.crawl()
    assert {name: archive.report(name)["kept"] for name in ("by-template", "by-number", "by-cursor")} == {
        "by-template": 5,
        "by-number": 5,
        "by-cursor": 5,
    }
    assert "/col_4" not in server.paths()
    assert "/api?page=4" in server.paths()
    post = archive.post("100011")
    assert "> 渡轮11号。" in post
    assert f"<{server.address('/s/100011')}>" in post
    archive.proven()

    server.forget()
    archive.crawl()
    assert sorted(server.paths()) == ["/api?page=1", "/col", "/feed?n=3"]
    asked = {one.path: one.headers for one in server.asked}
    assert asked["/col"]["if-modified-since"] == "Mon, 02 Mar 2026 08:00:00 GMT"
    assert "if-none-match" in asked["/api?page=1"]
    assert "if-none-match" in asked["/feed?n=3"]


def test_an_interrupted_walk_goes_on(server: Server, tmp_path: Path) -> None:
    """Page 2 fails; page 1 never changes; what lies behind it is found by the next run nevertheless."""
    publish(server, shown := stories(6), size=2)
    whole = server.pages.pop("/list?p=2")
    server.pages["/list?p=2"] = Page("busy", status=500)
    archive = Archive.new(tmp_path / "archive", html_source(server))

    archive.crawl(code=3)
    assert len(archive.posts()) == 2
    assert archive.problems("harbour")[server.address("/list?p=2")] == "HTTP 500"
    server.pages["/list?p=2"] = whole
    archive.crawl()
    assert archive.states() == {one.key: "done" for one in shown}
    server.forget()
    archive.crawl()
    assert server.paths() == ["/list"]


def test_one_article_under_several_addresses(server: Server, tmp_path: Path) -> None:
    one, twin = Story(1), Story(2)
    canonical = f'<link rel="canonical" href="{one.path}">'
    page = one.page()
    server.pages |= {
        one.path: page,
        f"{one.path}?utm_source=feed": page,
        "/amp/100001.html": page,
        "/print/100001.html": page,
        "/b/100002.html": Page(twin.page().data.replace(b"<head>", b"<head>" + canonical.encode())),
    }
    links = (f"{one.path}?utm_source=feed", "/amp/100001.html", "/print/100001.html", "/b/100002.html")
    items = "".join(f'<li><a href="{link}">第1号渡轮恢复通航</a></li>' for link in links)
    server.pages["/list"] = Page(f'<ul class="news">{items}</ul>')
    archive = Archive.new(tmp_path / "archive", html_source(server))

    archive.crawl()
    assert len(archive.posts()) == 1
    assert archive.rows("select key, state, reason from articles order by key") == [
        ("100001", "done", ""),
        ("100002", "alias", "100001"),
    ]
    assert server.paths() == ["/list", one.path, "/b/100002.html"], "tracking parameters are not asked for"
    server.pages["/list"].body += " "  # type: ignore[operator]
    server.forget()
    archive.crawl()
    assert server.paths() == ["/list"], "an alias is not asked again"
    archive.proven()


def test_what_a_list_says_rides_along(server: Server, tmp_path: Path) -> None:
    """It fills what the page lacks; where the two disagree the page counts, and the ledger knows."""
    bare, other = Story(1), Story(2)
    blank = bare.page().data.decode().replace("<h1>第1号渡轮恢复通航</h1>", "").replace("<time>", "<i>")
    server.pages |= {bare.path: Page(blank.replace("来源：海港日报", "")), other.path: other.page()}
    server.pages["/list"] = Page(
        '<ul class="news">'
        f'<li><a href="{bare.path}">列表上的标题</a><b>2026-03-05 06:07</b><i>晨风社</i><u>一句话</u></li>'
        f'<li><a href="{other.path}">列表上的另一个标题</a><b>2026-03-04 02:02</b><i>海港日报</i></li></ul>'
    )
    source = html_source(server)
    source["lists"][0]["fields"] = {
        "url": "a::attr(href)",
        "title": "a",
        "published": "b",
        "outlet": "i",
        "digest": "u",
    }
    archive = Archive.new(tmp_path / "archive", {**source, "post": {"quote": "quote"}})

    archive.crawl()
    filled = archive.post("100001")
    assert "列表上的标题" in filled
    assert "2026-03-05 06:07:00 +0800" in filled
    assert "晨风社" in filled
    assert "> 一句话" in filled
    assert "第2号渡轮恢复通航" in archive.post("100002")
    ((notes,),) = archive.rows("select notes from articles where key = '100002'")
    assert json.loads(notes) == {
        "title": ["列表上的另一个标题", "第2号渡轮恢复通航"],
        "published": ["2026-03-04 02:02", "2026-03-03 02:02"],
    }
    assert archive.rows("select notes from articles where key = '100001'") == [("",)]


def test_robots_txt_is_obeyed(server: Server, tmp_path: Path) -> None:
    publish(server, [*stories(1), *stories(1, "private", 2)])
    publish(server, stories(1, start=3), "/private-list/x")
    server.pages["/robots.txt"] = Page(ROBOTS, kind="text/plain")
    archive = Archive.new(tmp_path / "archive", html_source(server), html_source(server, "hidden", "/private-list/x"))

    archive.crawl(code=3)
    assert not [path for path in server.paths() if path.startswith("/private")]
    assert archive.states() == {"100001": "done", "100002": "refused"}
    assert "robots.txt" in archive.problems("harbour")[server.address("/private/100002.html")]
    assert "robots.txt" in archive.problems("hidden")[server.address("/private-list/x")]


def test_two_sources_at_one_host_keep_its_pace(server: Server, tmp_path: Path) -> None:
    """The most careful source sets the pace of a host; another host is not held up by it."""
    publish(server, stories(4))
    publish(server, stories(4, "b", 11), "/other")
    publish(server, stories(4, "c", 21), "/third")
    server.pages = {path: Page(page.body, wait=0.03) for path, page in server.pages.items()}
    slow, quick = html_source(server), html_source(server, "quick", "/other")
    slow["politeness"] = {"delay": 0.2}
    elsewhere = html_source(server, "elsewhere", "/third")
    elsewhere["lists"][0]["urls"] = server.address("/third", "localhost")
    archive = Archive.new(tmp_path / "archive", slow, quick, elsewhere)

    archive.crawl()
    assert len(archive.posts()) == 12
    asked = [one for one in server.asked if one.host == "127.0.0.1"]
    gaps = [later.at - earlier.at for earlier, later in pairwise(asked)]
    assert min(gaps[2:]) >= 0.19, gaps  # the first ones fall before both sources are known
    assert sorted(gaps)[len(gaps) // 2] < 0.3, gaps
    others = [one for one in server.asked if one.host == "localhost"]
    assert others[-1].at < asked[len(asked) // 2].at, "a host that allows more is not held up"
    assert max(one.together for one in server.asked) <= 2, "one at a time per host"


def test_a_limit(server: Server, tmp_path: Path) -> None:
    publish(server, shown := stories(6))
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl("--limit", "2")
    assert len(server.paths("/a/")) == 2
    assert archive.report("harbour")["waiting"] == 4
    server.forget()
    archive.crawl()
    assert len(server.paths("/a/")) == 4, "what waited is asked, though the list has not changed"
    assert archive.states() == {one.key: "done" for one in shown}


def test_an_index_page_leads_to_lists(server: Server, tmp_path: Path) -> None:
    shown = stories(4)
    server.pages |= {one.path: one.page() for one in shown}
    server.pages["/"] = Page('<p class="cats"><a href="/c/one">1</a> <a href="/c/two">2</a></p>')
    server.pages["/c/one"] = list_page(shown[:2])
    server.pages["/c/two"] = list_page(shown[2:])
    source = html_source(server)
    (listing,) = source["lists"]
    listing |= {"urls": [server.address("/")], "lists": ".cats a::attr(href)", "empty": True}
    archive = Archive.new(tmp_path / "archive", source)
    archive.crawl()
    assert archive.states() == {one.key: "done" for one in shown}

    # unchanged, the index still leads to its lists, and each is asked conditionally
    server.forget()
    archive.crawl()
    assert sorted(server.paths()) == ["/", "/c/one", "/c/two"]
    assert all("if-none-match" in one.headers for one in server.asked if one.path != "/robots.txt")
