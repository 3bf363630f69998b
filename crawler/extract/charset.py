"""What a page's bytes are written in: UTF-8 if they can be, else what is declared, else what they look like."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_HEAD = 8192
"""Bytes in which a page's own declaration counts: browsers look at 1024, but old pages put scripts before it."""
_PIECE = 16_384
"""Bytes that are decoded at once."""
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_META = re.compile(rb"""<meta[^>]{0,400}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,100}?\sencoding\s*=\s*["']([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_GB2312 = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_ASCII = bytes(range(128))
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined"})
"""Python's codecs of other kinds that still decode to text, or fail on it."""

_LABELS = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 utf8mb4 utf-8mb4",
    "utf-16": "ucs-2 unicode",
    "gb18030": "csgb2312 gb_2312 gb_2312-80 gb-2312 x-gbk windows-936",
    "big5hkscs": "cn-big5 x-x-big5 windows-950",
    "euc_jis_2004": "cseucpkdfmtjapanese x-euc-jp",
    "cp932": "windows-31j x-sjis",
    "cp949": "cseuckr csksc56011987 iso-ir-149 ks_c_5601-1989 ksc_5601 windows-949 x-windows-949",
    "cp874": "dos-874 windows-874 iso885911",
    "cp1250": "x-cp1250",
    "cp1251": "x-cp1251",
    "cp1252": "x-cp1252 iso88591",
    "cp1253": "x-cp1253",
    "cp1254": "x-cp1254 iso88599",
    "cp1255": "x-cp1255",
    "cp1256": "x-cp1256",
    "cp1258": "x-cp1258",
    "iso8859-2": "iso88592",
    "iso8859-5": "iso88595",
    "iso8859-6": "iso88596 csiso88596e iso-8859-6-e iso-8859-6-i",
    "iso8859-7": "iso88597 sun_eu_greek",
    "iso8859-8": "iso88598 csiso88598e csiso88598i iso-8859-8-e iso-8859-8-i visual logical",
    "iso8859-15": "iso885915 csisolatin9",
    "koi8-r": "koi koi8",
    "koi8-u": "koi8-ru",
    "mac-roman": "csmacintosh mac x-mac-roman",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
"""Labels of the WHATWG Encoding Standard (section 4.2), and a few more from the wild, that Python does not know."""
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_jp": "euc_jis_2004",
    "euc_kr": "cp949",
}
"""Encodings that mean a wider one in practice (the same standard), by Python's names."""
_DAMAGED = 8
"""Sound characters beyond ASCII for each damaged one, from which text is UTF-8 whatever it declares to be."""
_WRONG = 100
"""Bytes beyond ASCII for each character that a declared encoding may fail to read."""


def is_charset(name: str) -> bool:
    """Whether text can be decoded by this name."""
    return bool(codec_of(name))


def codec_of(label: str) -> str:
    """Python's name for the encoding that a declared label means; empty for none.

    Narrow encodings give the wide ones that pages labelled so are written in (WHATWG Encoding Standard, section 4.2).
    """
    name = label.strip().lower()
    try:
        found = codecs.lookup(_CODECS.get(name, name)).name
        if not name or found in _NO_CHARSETS:
            return ""
        b" ".decode(found, "replace")
    except (LookupError, ValueError):  # unknown, or a codec from bytes to bytes, or a NUL in the name
        return ""
    return _WIDER.get(found, found)


def encoding_of(body: bytes, declared: str = "") -> str:
    """Python's name for the encoding of a page; ``declared`` is the charset of its header.

    A byte order mark comes first, then strict UTF-8, UTF-8 with little damage, what header and page declare and the
    bytes do not belie, UTF-8 with much damage, GB18030, and Windows-1252, in which anything can be read.
    """
    header = codec_of(declared)
    if early := _wide_or_marked(body, header):
        return early
    if not _is_utf8(body):
        return _not_utf8(body, header)
    # bytes of one are found ten times as fast as of two
    return (
        "iso2022_jp" if b"\x1b" in body and b"\x1b$" in body and "iso2022_jp" in (header, *_inside(body)) else "utf-8"
    )


def _is_utf8(body: bytes) -> bool:
    """Whether it can be decoded; in pieces, for the text is not wanted, and room for all of it costs more than it."""
    at = 0
    try:
        while at < len(body):
            end = at + _PIECE
            at += codecs.utf_8_decode(body[at:end], "strict", end >= len(body))[1]
    except UnicodeDecodeError:
        return False
    return True


def _wide_or_marked(body: bytes, header: str) -> str:
    if body.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if body.startswith(b"<\0") or (header in ("utf-16", "utf-16-le") and b"\0" in body[:_HEAD]):
        return "utf-16-le"
    return "utf-16-be" if body.startswith(b"\0<") or (header == "utf-16-be" and b"\0" in body[:_HEAD]) else ""


def _not_utf8(body: bytes, header: str) -> str:
    beyond = len(body.translate(None, _ASCII))
    damaged, sound = _share(body.decode("utf-8", "replace"))
    if sound >= damaged * _DAMAGED:
        return "utf-8"
    for codec in (header, *_inside(body)):
        # Latin-1 reads whatever there is, and servers declare it unasked: it has no say before the bytes have theirs
        if codec not in ("", "cp1252") and _fits(body, codec, beyond):
            return codec
    if sound >= damaged:
        return "utf-8"
    return "gb18030" if _looks_chinese(body, beyond) else "cp1252"


def _fits(body: bytes, codec: str, beyond: int) -> bool:
    return body.decode(codec, "replace").count("\ufffd") * _WRONG <= max(beyond, _WRONG)


def _inside(body: bytes) -> Iterator[str]:
    """Encodings that a page declares of itself. That of two bytes a character cannot be declared in one."""
    head = _COMMENT.sub(b"", body[:_HEAD])
    for label in (*_XML.findall(head), *_META.findall(head)):
        codec = codec_of(label.decode("ascii"))
        if not codec.startswith("utf-16"):
            yield codec


def _share(text: str) -> tuple[int, int]:
    """Replacement characters and sound ones beyond ASCII."""
    damaged = text.count("\ufffd")
    return damaged, len(text) - len(text.encode("ascii", "ignore")) - damaged


def _looks_chinese(body: bytes, beyond: int) -> bool:
    """Whether GB18030 reads the bytes, nearly all as signs of GB 2312: accents of a Latin text stand alone."""
    return 2 * len(_GB2312.findall(body)) >= 0.9 * beyond and _fits(body, "gb18030", beyond)
