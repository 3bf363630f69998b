"""What bad input gets: one line with address and rule, an exit code of its own, and nothing lost that was there."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.server import Page, Server
from tests.story import SCRAPY, Archive, Story, html_source, json_page, json_source, publish, record, run, stories


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_lists_that_cannot_be_read(server: Server, tmp_path: Path) -> None:
    """Each fault in a source of its own; one source is well, and goes on."""
    publish(server, stories(3))
    bad = {
        "forbidden": Page("no", status=403),
        "failing": Page("busy", status=500),
        "missing": Page("gone", status=404),
        "empty": Page("<html><body><ul class='news'></ul></body></html>"),
        "dropped": Page("x", fault="drop"),
        "short": Page("<html>" * 100, fault="cut"),
    }
    server.pages |= {f"/{name}": page for name, page in bad.items()}
    answers = {
        "is-html": Page("<html><body>consent</body></html>"),
        "broken": Page('{"data": {"list": [{"id": ', kind="application/json"),
        "empty-json": json_page({"data": {"list": []}}),
        "other-shape": json_page({"error": "down"}),
        "a-text": json_page("down"),
    }
    server.pages |= {f"/api/{name}": page for name, page in answers.items()}
    unreachable = html_source(server, "unreachable")
    unreachable["lists"][0]["urls"] = f"http://127.0.0.1:{closed_port()}/list"
    archive = Archive.new(
        tmp_path / "archive",
        html_source(server),
        *(html_source(server, name, f"/{name}") for name in bad),
        *(json_source(server, name, f"/api/{name}") for name in answers),
        unreachable,
    )

    done = archive.crawl(code=3)
    assert archive.report("harbour")["kept"] == 3
    assert [archive.report(name)["failed_lists"] for name in (*bad, *answers, "unreachable")] == [1] * 12
    reasons = {name: next(iter(archive.problems(name).items())) for name in (*bad, *answers, "unreachable")}
    expected = {
        "forbidden": "HTTP 403",
        "failing": "HTTP 500",
        "missing": "HTTP 404",
        "empty": "the list is empty",
        "dropped": "connection lost (Connection was closed cleanly.)",
        "short": "connection lost",
        "is-html": "no such list",
        "broken": "no such list",
        "empty-json": "the list is empty",
        "other-shape": "the list is empty",
        "a-text": "no such list",
        "unreachable": "connection refused",
    }
    for name, words in expected.items():
        address, reason = reasons[name]
        assert words in reason, name
        assert f"{name}: {address}: {reason}" in done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    archive.proven()

    # all of them come back; what was there stays
    before = archive.posts()
    for name in bad:
        publish(server, stories(2, start=10), f"/{name}")
    for name in answers:
        server.pages[f"/api/{name}"] = json_page({"data": {"list": [record(one) for one in stories(2, start=20)]}})
    server.pages |= {f"/share?id={one.key}": json_page({"text": one.text}) for one in stories(2, start=20)}
    archive.crawl(*bad, *answers)
    assert {name: data for name, data in archive.posts().items() if name in before} == before
    assert len(archive.posts()) == 3 + 2 * 11


def bad_articles(server: Server) -> dict[str, str]:
    """Articles that give no post: key -> words of the reason."""
    html = Story(1).page().data.decode()
    pages = {
        "100011": (Page(html.replace("<h1>第1号渡轮恢复通航</h1>", "<h1> </h1>")), "title"),
        "100012": (Page(html.replace('id="body"', 'id="gone"')), "body: css '#body'"),
        "100013": (Page(html.replace(Story(1).text, "<p> &nbsp; </p>")), "body: empty"),
        "100014": (Page(html.replace(Story(1).text, "<p>太短。</p>")), "body: 3 characters, the floor is 20"),
        "100015": (Page(html.replace("2026-03-02 01:01", "2399-01-01 00:00")), "published"),
        "100016": (Page(html.replace("2026-03-02 01:01", "昨天")), "published"),
        "100017": (Page("gone", status=404), "HTTP 404"),
        "100018": (Page("", kind="text/html"), ""),
        "100019": (Page("\x89PNG\r\n\x1a\n\x00\x00", kind="image/png"), ""),
        "100020": (Page("x", fault="drop"), "connection lost"),
        "100021": (Page(html, status=301, headers={"Location": server.address("/a/100021.html")}), "redirect"),
    }
    server.pages |= {f"/a/{key}.html": page for key, (page, _) in pages.items()}
    return {key: words for key, (_, words) in pages.items()}


def test_articles_that_give_no_post(server: Server, tmp_path: Path) -> None:
    expected = bad_articles(server)
    good = stories(4 * len(expected), start=200)  # so many that the source as a whole is not taken for broken
    server.pages |= {one.path: one.page() for one in good}
    keys = [one.key for one in good]
    for number, key in enumerate(expected):
        keys.insert(5 * number + 4, key)
    items = "".join(f'<li><a href="/a/{key}.html"></a></li>' for key in keys)
    server.pages["/list"] = Page(f'<ul class="news">{items}<li><a href="/a/about.html">about</a></li></ul>')
    archive = Archive.new(tmp_path / "archive", html_source(server))

    done = archive.crawl()
    assert archive.states() == {key: "refused" if key in expected else "done" for key in keys}
    problems = archive.problems("harbour")
    for key, words in expected.items():
        reason = problems[server.address(f"/a/{key}.html")]
        assert words in reason, key
        assert reason
        assert f"harbour: {server.address(f'/a/{key}.html')}: {reason}" in done.stderr
    assert "no key" in problems[server.address("/list")]
    assert archive.report("harbour")["refused"] == len(expected) + 1
    assert len(archive.posts()) == len(good)
    assert "Traceback" not in done.stderr, done.stderr
    archive.proven()

    # not asked again before they are due; then asked, and what was mended becomes a post
    server.pages["/a/100012.html"] = Story(12).page()
    server.forget()
    archive.crawl()
    assert server.paths("/a/") == []
    past = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    archive.rows("update articles set due = ? where key in ('100012', '100013')", past)
    archive.crawl()
    assert sorted(server.paths("/a/")) == ["/a/100012.html", "/a/100013.html"]
    assert archive.states()["100012"] == "done"
    ((tries, due),) = archive.rows("select tries, due from articles where key = '100013'")
    assert tries == 2
    assert due > (datetime.now(UTC) + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ"), "gaps grow"


def test_records_that_are_no_articles(server: Server, tmp_path: Path) -> None:
    """A record without title or time, one without a key, one that is no record; mended upstream it is asked for."""
    good, untitled, undated = Story(1), Story(2), Story(3)
    records: list[Any] = [record(good), record(untitled, title=""), record(undated, time=None), record(good, id="x9")]
    server.pages["/api"] = json_page({"data": {"list": [*records, "advertisement", None]}})
    server.pages |= {f"/share?id={one.key}": json_page({"text": one.text}) for one in (good, untitled, undated)}
    archive = Archive.new(tmp_path / "archive", json_source(server, "wire", "/api"))

    archive.crawl()
    assert server.paths("/share") == ["/share?id=100001"]
    assert archive.states() == {"100001": "done", "100002": "refused", "100003": "refused"}
    told = [one["what"] for one in archive.report("wire")["problems"]]
    assert any("no title" in what for what in told)
    assert any("no published" in what for what in told)
    assert any("'x9'" in what for what in told)
    assert archive.report("wire")["refused"] == 5

    server.pages["/api"] = json_page({"data": {"list": [record(untitled), *records[2:]]}})
    archive.crawl()
    assert server.paths("/share") == ["/share?id=100001", "/share?id=100002"]
    assert archive.states() == {"100001": "done", "100002": "done", "100003": "refused"}


def test_a_text_endpoint_that_answers_with_something_else(server: Server, tmp_path: Path) -> None:
    shown = stories(4)
    server.pages["/api"] = json_page({"data": {"list": [record(one) for one in shown]}})
    answers = [
        Page("<html>login</html>"),
        json_page({"error": "no such text"}),
        json_page({"text": ""}),
        json_page({"text": shown[3].text}),
    ]
    server.pages |= {f"/share?id={one.key}": answer for one, answer in zip(shown, answers, strict=True)}
    archive = Archive.new(tmp_path / "archive", json_source(server, "wire", "/api"))
    archive.crawl()
    assert list(archive.states().values()) == ["refused", "refused", "refused", "done"]
    problems = archive.problems("wire")
    assert "JSON" in problems[server.address("/share?id=100001")]
    assert "body" in problems[server.address("/share?id=100002")]
    assert "body" in problems[server.address("/share?id=100003")]


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_server_that_never_finishes(server: Server, tmp_path: Path, fault: Any) -> None:
    """The time limit is for the whole answer, not for a byte of it."""
    publish(server, shown := stories(2))
    server.pages[shown[0].path].fault = fault
    publish(server, stories(1, "b", 5), "/other")
    server.pages["/other"].fault = fault
    archive = Archive.new(tmp_path / "archive", html_source(server), html_source(server, "other", "/other"))
    limits = ["-s", "DOWNLOAD_TIMEOUT=1.5", "-s", "RETRY_TIMES=0"]
    for name in ("harbour", "other"):
        done = run([*SCRAPY, "crawl", name, *limits], archive.folder, SCRAPY_SETTINGS_MODULE="crawler.settings")
        assert done.returncode == 0, done.stderr
    assert archive.states() == {"100001": "refused", "100002": "done"}
    assert archive.report()["exit_code"] == 3
    assert "timed out" in archive.problems("other")[server.address("/other")]
    assert json.dumps(archive.rows("select reason from articles where key = '100001'")).count("timed out") == 1
