"""Encodings: what a page is written in, whatever is said of it."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crawler.extract.charset import codec_of, encoding_of, is_charset
from tests.shared import SHARED, needs_shared

TEXT = "经济观察：头条"
LONG = "今天上午，市图书馆的新馆开门迎客，读者排起了长队。"


def read(body: bytes, declared: str = "") -> str:
    return body.decode(encoding_of(body, declared), "replace").removeprefix("\ufeff")


@pytest.mark.parametrize(
    ("body", "declared", "text"),
    [
        (TEXT.encode(), "", TEXT),
        (TEXT.encode(), "gbk", TEXT),  # what decodes as UTF-8 is UTF-8, whatever the header says
        (TEXT.encode(), "utf-16", TEXT),
        (b"\xef\xbb\xbf" + TEXT.encode(), "iso-8859-1", TEXT),
        (TEXT.encode("gb18030"), "gbk", TEXT),
        ("镕𠀀€".encode("gb18030"), "gb2312", "镕𠀀€"),  # none of the three is in GB 2312
        ("镕𠀀€".encode("gb18030"), "GB2312", "镕𠀀€"),
        ("新聞標題：股市".encode("big5"), "big5", "新聞標題：股市"),
        ("新聞㗎標題".encode("big5hkscs"), "big5", "新聞㗎標題"),
        ("“café”".encode("cp1252"), "iso-8859-1", "“café”"),
        ("“café”".encode("cp1252"), "latin-1", "“café”"),
        ("“Şişli’de”".encode("cp1254"), "iso-8859-9", "“Şişli’de”"),
        ("ไทย€".encode("cp874"), "tis-620", "ไทย€"),
        ("日本語①".encode("cp932"), "shift_jis", "日本語①"),
        ("日本語①".encode("euc_jis_2004"), "euc-jp", "日本語①"),
        ("한국어똠".encode("cp949"), "euc-kr", "한국어똠"),
        ("한국어똠".encode("cp949"), "ks_c_5601-1989", "한국어똠"),
        ("текст".encode("koi8-r"), "koi8-r", "текст"),
        ("日本語".encode("iso2022_jp"), "iso-2022-jp", "日本語"),
        (TEXT.encode("utf-16"), "utf-16", TEXT),
        (TEXT.encode("utf-16"), "gbk", TEXT),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "", TEXT),
        ("<p>plain</p>".encode("utf-16-le"), "", "<p>plain</p>"),
        ("<p>plain</p>".encode("utf-16-be"), "", "<p>plain</p>"),
        ("plain".encode("utf-16-le"), "utf-16le", "plain"),
        ("plain".encode("utf-16-be"), "utf-16be", "plain"),
        (b"", "gbk", ""),
    ],
)
def test_encodings(body: bytes, declared: str, text: str) -> None:
    assert read(body, declared) == text


@pytest.mark.parametrize(
    "head",
    [
        b'<meta charset="gb2312">',
        b"<meta content='text/html; charset=gbk'>",
        b'<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=x-gbk">',
        b'<?xml version="1.0" encoding="gbk"?>',
        b'<!-- <meta charset="big5"> --><meta charset="gbk">',
        b'<script charset="big5"></script><meta charset="gbk">',
        b'<meta charset="no-such-thing"><meta charset="gbk">',
        b'<meta charset="utf-8"><meta charset="gbk">',
    ],
)
def test_what_a_page_says_of_itself(head: bytes) -> None:
    assert encoding_of(head + TEXT.encode("gb18030")) == "gb18030"


def test_the_header_comes_before_what_the_page_says_of_itself() -> None:
    body = b'<meta charset="big5">' + TEXT.encode("gbk")
    assert TEXT in read(body, "gbk")
    assert TEXT not in read(body)


def test_a_server_s_latin_1_is_no_declaration() -> None:
    assert TEXT in read(b'<meta charset="gbk">' + TEXT.encode("gbk"), "iso-8859-1")
    assert read(LONG.encode("gbk"), "iso-8859-1") == LONG


def test_a_declaration_counts_in_the_first_kilobytes_only() -> None:
    body = b" " * 8192 + b'<meta charset="koi8-r">' + "текст".encode("koi8-r")
    assert "текст" not in read(body)
    assert "текст" in read(body[100:])


def test_what_is_declared_in_single_bytes_cannot_be_written_in_double_ones() -> None:
    assert encoding_of(b'<meta charset="utf-16">caf\xe9') == "cp1252"


def test_a_wrong_declaration_gives_way_to_the_next() -> None:
    body = b'<meta charset="gbk">' + (LONG * 5).encode("gbk")
    assert LONG in read(body, "utf-8")
    assert LONG in read(body, "shift_jis")
    assert LONG in read(b"<p>" + (LONG * 5).encode("gbk"), "ascii")


def test_a_few_broken_bytes_do_not_make_another_encoding() -> None:
    body = (LONG * 4).encode() + b"\xff" + LONG.encode()
    for declared in ("", "gbk", "big5", "iso-8859-1"):
        assert encoding_of(body, declared) == "utf-8"


def test_many_broken_bytes_do_if_another_is_declared() -> None:
    body = b"".join(one.encode() + b"\xff" for one in TEXT)
    assert encoding_of(body) == "utf-8"
    assert encoding_of(body, "koi8-r") == "koi8-r"


def test_without_any_declaration() -> None:
    assert read((LONG * 3).encode("gb18030")) == LONG * 3
    assert encoding_of((LONG * 9).encode("gb18030") + b"\xff") == "gb18030"
    for text in ("Crème brûlée, déjà vu – naïve façade", "Größe, Fußgänger, Öl und Äpfel", "Señor, ¿qué pasó mañana?"):
        assert read(text.encode("cp1252")) == text


def test_japanese_in_seven_bits_is_known_by_declaration_and_escapes() -> None:
    body = b'<meta charset="iso-2022-jp">' + "日本語".encode("iso2022_jp")
    assert "日本語" in read(body)
    assert encoding_of(b'<meta charset="iso-2022-jp">plain') == "utf-8"
    assert encoding_of("日本語".encode("iso2022_jp")) == "utf-8"


def test_charsets_are_told_from_other_codecs() -> None:
    assert all(map(is_charset, ("utf-8", "GBK", "big5hkscs", "windows-1251", "euc-kr", "x-sjis", " gb_2312-80 ")))
    others = ("", " ", "utf9", "base64", "rot13", "zlib", "idna", "punycode", "undefined", "x-user-defined", "a\0b")
    assert not any(map(is_charset, others))


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("ISO-8859-1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("GBK", "gb18030"),
        ("x-gbk", "gb18030"),
        ("big5", "big5hkscs"),
        ("Shift_JIS", "cp932"),
        ("windows-874", "cp874"),
        ("x-cp1251", "cp1251"),
        ("utf8", "utf-8"),
        ("unicode-1-1-utf-8", "utf-8"),
        ("iso-8859-2", "iso8859-2"),
    ],
)
def test_labels(label: str, codec: str) -> None:
    assert codec_of(label) == codec


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=100) | st.text(max_size=30).map(lambda text: text.encode("gb18030", "ignore")),
    st.sampled_from(["", "gbk", "utf-16", "utf-7", "big5", "idna", "hex", "euc-kr", "iso-2022-jp"])
    | st.text(max_size=6),
)
def test_any_bytes_have_an_encoding(body: bytes, declared: str) -> None:
    encoding = encoding_of(body, declared)
    assert is_charset(encoding)
    read(body, declared)
    assert codec_of(encoding) == encoding or encoding == "utf-8-sig"


@settings(max_examples=100, deadline=None)
@given(
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=30),
    st.sampled_from(["gb18030", "utf-8", "utf-16"]),
)
def test_chinese_comes_back_from_what_it_declares(text: str, encoding: str) -> None:
    body = text.encode(encoding)
    assume(encoding != "gb18030" or encoding_of(body) not in ("utf-8", "utf-8-sig", "utf-16"))  # famous accidents
    assert read(body, encoding) == text


@needs_shared
def test_original_bytes_of_saved_pages() -> None:
    folder = SHARED / "corpus"
    rows = [json.loads(line) for line in (folder / "truth.jsonl").read_text(encoding="utf-8").split("\n") if line]
    odd = [row for row in rows if row["encoding"] != "utf-8"] or rows
    for row in [*odd, *rows[::40]]:
        raw = gzip.decompress((folder / row["html"]).read_bytes())
        assert read(raw) == raw.decode(row["encoding"], "replace").removeprefix("\ufeff"), row["id"]
