"""Conversations with a site: in step, politely, from captures, and on record."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from crawler.archive.captures import Response
from crawler.fetch import Answer, Talk, answered, captured, converse
from crawler.replay import Captures
from crawler.sources import Politeness
from tests.server import Page, Server
from tests.story import run
from tests.test_pagefile import answer, warc

SCRIPT = """\
import json, sys
from crawler.fetch import converse, host_of
from crawler.sources import Politeness

base, outside = sys.argv[1:]
class Kept(list):
    def add(self, response, digest): self.append(response)

def talk():
    first = yield [base + "/short", base + "/none", base + "/private", outside + "/"]
    second = yield [base + "/packed"]
    return [first, second]

kept = Kept()
polite = Politeness(delay=0.01)
told = converse(talk(), politeness=polite, contact="desk@example.org", hosts=[host_of(base)], record=kept)
print(json.dumps([[[one.url, one.status, one.body.decode(), one.why] for one in step] for step in told]))
print(json.dumps([[one.url, one.payload.decode(), dict(one.headers).get("Content-Encoding", "")] for one in kept]))
"""


def test_on_the_wire(server: Server, tmp_path: Path) -> None:
    server.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /private", kind="text/plain")
    server.pages["/short"] = Page(status=302, headers={"Location": "/packed"})
    server.pages["/packed"] = Page("a ferry", gzip=True)
    server.pages["/private"] = Page("no")
    base = server.address()
    done = run([sys.executable, "-c", SCRIPT, base, server.address(host="localhost")], tmp_path)
    assert done.returncode == 0, done.stderr
    told, kept = map(json.loads, done.stdout.splitlines())
    assert told[0][0] == [base + "/packed", 200, "a ferry", ""]
    assert told[0][1][1:] == [404, "no such page", "HTTP 404"]
    assert told[0][2] == [base + "/private", 0, "", "robots: disallowed by robots.txt"]
    assert "off-site" in told[0][3][3]
    assert [one[2] for one in told[1]] == ["a ferry"]
    assert kept == [[base + "/packed", "a ferry", ""]]
    assert "/private" not in server.paths()
    assert max(one.together for one in server.asked) == 1
    assert all("desk@example.org" in one.headers["user-agent"] for one in server.asked if one.path != "/robots.txt")


def test_from_captures(tmp_path: Path) -> None:
    path = warc(tmp_path / "a.warc.gz", answer("/1", b"one"), answer("/2", b"two"))
    (first, _) = (response for response in Captures([path])._by_url.values())

    def talk() -> Talk[list[Answer]]:
        one = yield [first.url]
        other = yield [first.url + "0", first.url]
        return one + other

    told = converse(talk(), politeness=Politeness(), hosts=[], replay=Captures([path]))
    assert [one.body for one in told] == [b"one", b"", b"one"]
    assert [one.good for one in told] == [True, False, True]
    assert told[1].why == "not among the captures that are replayed"
    assert told[0].moment.isoformat().startswith(first.date[:10])


def test_redirects_among_captures(tmp_path: Path) -> None:
    base = Captures([warc(tmp_path / "a.warc.gz", answer("/x"))])
    (one,) = base._by_url.values()
    captures = Captures([])
    moved = Response(one.url, 301, (("Location", "/y"),), b"", one.date, {})
    there = Response(one.url.removesuffix("x") + "y", 200, (), b"there", one.date, {})
    captures._by_url = {moved.url: moved, there.url: there}

    def talk() -> Talk[Answer]:
        (told,) = yield [moved.url]
        return told

    told = converse(talk(), politeness=Politeness(), hosts=[], replay=captures)
    assert (told.asked, told.url, told.body) == (moved.url, there.url, b"there")
    captures._by_url[there.url] = Response(there.url, 301, (("Location", "/x"),), b"", one.date, {})
    assert converse(talk(), politeness=Politeness(), hosts=[], replay=captures).why == "too many redirects"


def test_what_a_talk_raises_is_raised() -> None:
    def talk() -> Talk[None]:
        yield ["http://a.example/"]
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        converse(talk(), politeness=Politeness(), hosts=[], replay=Captures([]))


def test_a_talk_without_a_question() -> None:
    def talk() -> Talk[str]:
        if asked := list[Sequence[str]]():
            yield asked[0]
        return "done"

    assert answered(talk(), lambda url: Answer(url, url)) == "done"


def test_a_capture_of_an_answer_is_unpacked() -> None:
    headers = (("Content-Type", "text/html; charset=gbk"), ("Content-Encoding", "gzip"), ("Content-Length", "3"))
    one = Answer("http://a.example/", "http://a.example/", 200, headers, b"long text", date="2026-01-01T00:00:00Z")
    assert captured(one, role="list").headers == headers[:1]
    assert captured(one, role="list").notes == {"role": "list"}
    assert one.charset == "gbk"
