"""Replay: every answer from captures, conditional requests among them, and nothing from the network."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.exceptions import NotConfigured
from scrapy.http import HtmlResponse, TextResponse
from scrapy.utils.test import get_crawler

from crawler.archive.captures import CaptureError, Response, payload_digest, record_bytes
from crawler.replay import Captures, NotCaptured, ReplayHandler
from tests.shared import SHARED, needs_shared

URL = "https://gazette.example/a/1.html"


def captured(url: str = URL, payload: bytes = b"<p>one</p>", status: int = 200, **headers: str) -> Response:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(url, status, pairs, payload, "2024-02-29T12:30:00Z", {})


def warc(folder: Path, *made: Response, name: str = "x.warc.gz") -> Path:
    path = folder / name
    path.write_bytes(b"".join(record_bytes(one, payload_digest(one.payload)) for one in made))
    return path


def ask(captures: Captures, request: Request) -> Any:
    return asyncio.run(handler(captures).download_request(request))


def handler(captures: Captures | None) -> ReplayHandler:
    crawler = get_crawler()
    crawler.spider = Spider("gazette", replay=captures)
    return ReplayHandler(crawler)


def test_answers_by_address(tmp_path: Path) -> None:
    files = [warc(tmp_path, captured(), captured(URL + "?p=2", b"two"))]
    captures = Captures(files)
    assert len(captures) == 2
    found = captures.find(URL + "?p=2")
    assert found is not None
    assert found.payload == b"two"
    assert captures.find(URL + "?p=3") is None


def test_of_several_captures_the_last_counts(tmp_path: Path) -> None:
    first = warc(tmp_path, captured(payload=b"1"), captured(payload=b"2"))
    second = warc(tmp_path, captured(payload=b"3"), name="y.warc.gz")
    for files, payload in (([first], b"2"), ([first, second], b"3"), ([second, first], b"2")):
        captures = Captures(files)
        assert len(captures) == 1
        found = captures.find(URL)
        assert found is not None
        assert found.payload == payload


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("https://gazette.example/新闻?q=经济", "https://gazette.example/%E6%96%B0%E9%97%BB?q=%E7%BB%8F%E6%B5%8E"),
        ("https://gazette.example/a b", "https://gazette.example/a%20b"),
        ("https://gazette.example/?fields=a,b&x=%2C", "https://gazette.example/?fields=a,b&x=%2C"),
    ],
)
def test_addresses_are_compared_as_they_are_sent(tmp_path: Path, written: str, asked: str) -> None:
    captures = Captures([warc(tmp_path, captured(written))])
    assert captures.find(asked) is not None
    assert captures.find(Request(written).url) is not None


def test_a_torn_or_missing_file_is_told_at_once(tmp_path: Path) -> None:
    path = warc(tmp_path, captured(), captured(URL + "?p=2"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CaptureError, match="cut short"):
        Captures([path])
    with pytest.raises(FileNotFoundError):
        Captures([tmp_path / "nowhere.warc.gz"])


def test_the_whole_answer_comes_back(tmp_path: Path) -> None:
    made = captured(payload=b"<p>one</p>", Content_Type="text/html; charset=gbk", X_Two="1", x_two="2", ETag='"e"')
    request = Request(URL, meta={"role": "article"})
    response = ask(Captures([warc(tmp_path, made)]), request)
    assert isinstance(response, HtmlResponse)
    assert (response.url, response.status, response.body) == (URL, 200, b"<p>one</p>")
    assert response.headers.getlist("X-Two") == [b"1", b"2"]
    assert response.headers["ETag"] == b'"e"'
    assert response.request is request
    assert request.meta["captured_at"] == "2024-02-29T12:30:00Z"


def test_other_answers_than_pages(tmp_path: Path) -> None:
    made = [
        captured(URL + "1", b'{"a": 1}', Content_Type="application/json"),
        captured(URL + "2", b"gone", 404),
        captured(URL + "3", b"", 302, Location="/elsewhere"),
    ]
    captures = Captures([warc(tmp_path, *made)])
    first, second, third = (ask(captures, Request(URL + n)) for n in "123")
    assert isinstance(first, TextResponse)
    assert first.json() == {"a": 1}
    assert (second.status, second.body) == (404, b"gone")
    assert (third.status, third.headers["Location"]) == (302, b"/elsewhere")


def test_a_body_is_handed_out_as_it_came_and_without_the_name_of_its_chunks(tmp_path: Path) -> None:
    block = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http\r\n"
        f"WARC-Target-URI: {URL}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    path = tmp_path / "foreign.warc.gz"
    path.write_bytes(gzip.compress(head.encode() + block + b"\r\n\r\n"))
    response = ask(Captures([path]), Request(URL))
    assert response.body == b"abc"
    assert "Transfer-Encoding" not in response.headers
    assert response.headers["Content-Encoding"] == b"gzip"


def test_header_bytes_of_any_kind(tmp_path: Path) -> None:
    made = captured(X_Utf="é", X_Raw=b"caf\xe9".decode("utf-8", "surrogateescape"))
    response = ask(Captures([warc(tmp_path, made)]), Request(URL))
    assert response.headers["X-Utf"] == "é".encode()
    assert response.headers["X-Raw"] == b"caf\xe9"


def test_what_no_capture_holds_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotCaptured, match="not among the captures that are replayed"):
        ask(Captures([warc(tmp_path, captured())]), Request("https://gazette.example/other"))


DAY, LATER = "Thu, 29 Feb 2024 12:00:00 GMT", "Fri, 01 Mar 2024 12:00:00 GMT"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 200),
        ({"If-None-Match": '"e"'}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": DAY}, 304),
        ({"If-Modified-Since": LATER}, 200),  # an opaque text: not ours to reckon with
        ({"If-None-Match": '"other"', "If-Modified-Since": DAY}, 200),
        ({"If-None-Match": '"e"', "If-Modified-Since": LATER}, 304),
    ],
)
def test_conditional_requests(tmp_path: Path, asked: dict[str, str], status: int) -> None:
    captures = Captures([warc(tmp_path, captured(ETag='"e"', Last_Modified=DAY))])
    response = ask(captures, Request(URL, headers=asked))
    assert response.status == status
    assert response.body == (b"" if status == 304 else b"<p>one</p>")
    assert response.headers["ETag"] == b'"e"'


@pytest.mark.parametrize("asked", [{"If-None-Match": '"e"'}, {"If-Modified-Since": DAY}])
def test_a_capture_without_validators_never_says_unchanged(tmp_path: Path, asked: dict[str, str]) -> None:
    response = ask(Captures([warc(tmp_path, captured())]), Request(URL, headers=asked))
    assert response.status == 200


def test_without_captures_there_is_no_such_handler() -> None:
    with pytest.raises(NotConfigured, match="no captures to replay"):
        handler(None)


def test_no_capture_at_all_is_still_no_reason_to_ask_the_network() -> None:
    with pytest.raises(NotCaptured):
        ask(Captures([]), Request(URL))


@needs_shared
def test_the_seed_s_captures_answer_every_address_in_them() -> None:
    captures = Captures([SHARED / "seed" / "eastmoney.warc.gz"])
    assert len(captures) > 10
    assert captures.find("http://43.240.125.15:1818/information/newmarket/web/webapi?marketType=37&count=100")
