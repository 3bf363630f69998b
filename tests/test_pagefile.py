"""Pages in files: saved HTML, packed or not, and the HTML answers of a WARC."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from crawler.archive.captures import CaptureError, Response, payload_digest, record_bytes
from crawler.pagefile import GivenPage, pages_in

SITE = "https://news.example"
HTML = "<p>渡轮恢复通航</p>"


def warc(path: Path, *responses: Response) -> Path:
    path.write_bytes(b"".join(record_bytes(one, payload_digest(one.payload)) for one in responses))
    return path


def answer(
    path: str, payload: bytes = HTML.encode(), kind: str = "text/html", status: int = 200, coding: str = ""
) -> Response:
    headers = [("Content-Type", kind)] if kind else []
    headers += [("Content-Encoding", coding)] if coding else []
    return Response(SITE + path, status, tuple(headers), payload, "2026-03-10T00:00:00Z", {})


def test_a_saved_page(tmp_path: Path) -> None:
    plain, packed = tmp_path / "page.html", tmp_path / "page.html.gz"
    plain.write_text(HTML, "utf-8")
    packed.write_bytes(gzip.compress(HTML.encode()))
    for path in (plain, packed):
        assert list(pages_in(path)) == [GivenPage("", HTML.encode(), "")]
        assert list(pages_in(path, f"{SITE}/a")) == [GivenPage(f"{SITE}/a", HTML.encode(), "")]


def test_a_warc_gives_its_html_pages(tmp_path: Path) -> None:
    path = warc(
        tmp_path / "pages.warc.gz",
        answer("/1", HTML.encode("gbk"), "text/html; charset=gbk"),
        answer("/2", gzip.compress(HTML.encode()), coding="gzip"),
        answer("/3", kind="application/xhtml+xml"),
        answer("/4", kind=""),
        answer("/photo.jpg", b"\xff\xd8", "image/jpeg"),
        answer("/data", b"{}", ""),
        answer("/gone", status=404),
    )
    assert list(pages_in(path)) == [
        GivenPage(f"{SITE}/1", HTML.encode("gbk"), "gbk"),
        *(GivenPage(f"{SITE}/{number}", HTML.encode(), "") for number in (2, 3, 4)),
    ]
    assert [one.url for one in pages_in(path, f"{SITE}/gone")] == [f"{SITE}/gone"]
    assert list(pages_in(path, f"{SITE}/none")) == []
    still_open = path.rename(tmp_path / "pages.warc.gz.open")
    assert len(list(pages_in(still_open))) == 4


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    cut = warc(tmp_path / "cut.warc.gz", answer("/1"))
    cut.write_bytes(cut.read_bytes()[:-9])
    broken = tmp_path / "page.html.gz"
    broken.write_bytes(b"no gzip")
    plain = tmp_path / "pages.warc"
    plain.write_bytes(b"WARC/1.1\r\n")
    for path, said in ((cut, "cut short"), (broken, "page.html.gz"), (plain, "recompress")):
        with pytest.raises(CaptureError, match=said):
            list(pages_in(path))
    with pytest.raises(FileNotFoundError):
        list(pages_in(tmp_path / "none.html"))
