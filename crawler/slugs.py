"""Slugs: names of outlets as parts of addresses and file names, from the name alone and so for ever the same."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

STYLES = ("pinyin", "xpinyin-compatible")
LONGEST = 80
"""Characters of a slug: with a date and a suffix it still fits the shortest limit on file names in use."""

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PIECES = re.compile(
    rf"(?P<han>[{_HAN}]+)|(?P<word>(?:(?![{_HAN}])[^\W_](?:[\u0300-\u036f'’])*)+)|(?P<hyphen>[-‐–—])|(?P<gap>.)"
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_SPELT_IN_ITS_NAME = re.compile(r"(?:HIRAGANA|KATAKANA|HANGUL) (?:LETTER|SYLLABLE) (?:SMALL )?([A-Z]+)$")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)
_UNKNOWN = "\0"


class Slugs:
    """Makes slugs by two styles. ``pinyin``: words read as words, lower case. ``xpinyin-compatible``: characters read
    one by one and case kept: the slugs of archives that were built on xpinyin, less their unsafe characters.
    """

    def __init__(self, words: Mapping[str, str], letters: Mapping[str, str], readings: Mapping[str, str]) -> None:
        """``words``: word -> pinyin; ``letters``: lower-case letter -> ASCII; ``readings``: reading -> characters."""
        self._words = dict(words)
        self._letters = dict(letters)
        self._readings = {char: reading for reading, chars in readings.items() for char in chars}
        longest_first = sorted(self._words, key=lambda word: (-len(word), word))
        self._known_words = re.compile(f"({'|'.join(map(re.escape, longest_first)) or '(?!)'})")
        self._cached = lru_cache(maxsize=4096)(self._make)

    @classmethod
    def load(cls, path: Path | str) -> Slugs:
        """Read the tables ``words``, ``letters`` and ``readings`` from a YAML file.

        Raises ValueError, with the file's name, for anything but text in them.
        """
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        return cls(*(_table(data, name, path) for name in ("words", "letters", "readings")))

    def slug(self, name: str, *, style: str = "pinyin") -> str:
        """The slug of ``name``: never empty, only ``[A-Za-z0-9-]``, never a device name of Windows.

        Where letters of a script without a table fall out, eight hex digits of the name's SHA-256 stand in for them,
        so that two names never share a slug by that. Raises ValueError for an unknown style.
        """
        if style not in STYLES:
            raise ValueError(f"unknown style of slug {style!r}: one of {', '.join(STYLES)}")
        return self._cached(name, style)

    def _make(self, name: str, style: str) -> str:
        text = " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", name)).split())
        return _safe(self._spell_in_words(text.casefold()) if style == "pinyin" else self._spell_singly(text), text)

    def _spell_in_words(self, text: str) -> str:
        slug, last, between = "", "", ""
        for piece in _PIECES.finditer(text):
            kind = piece.lastgroup or ""
            if kind in ("gap", "hyphen"):
                between = "hyphen" if "hyphen" in (kind, between) else "gap"
                continue
            joined_by_hyphen = between == "hyphen" or (between == "gap" and last == kind == "word")
            spelt = self._read(piece[0]) if kind == "han" else self._fold(piece[0])
            slug += ("-" if joined_by_hyphen else "") + spelt
            last, between = kind, ""
        return slug

    def _spell_singly(self, text: str) -> str:
        spell = {"han": self._read_singly, "word": self._fold, "hyphen": _nothing, "gap": _nothing}
        return "".join(spell[piece.lastgroup or "gap"](piece[0]) for piece in _PIECES.finditer(text))

    def _read(self, han: str) -> str:
        pieces = self._known_words.split(han)
        return "".join(self._words.get(piece) or _pinyin(piece) for piece in pieces if piece)

    def _read_singly(self, han: str) -> str:
        return "".join(self._readings.get(char) or _pinyin(char) for char in han)

    def _fold(self, word: str) -> str:
        return "".join(self._ascii(char) for char in word)

    def _ascii(self, char: str) -> str:
        if not char.isalnum():
            return ""
        if char.isascii():
            return char
        if (letter := self._letters.get(char.lower())) is not None:
            return letter if char.islower() else letter.capitalize()
        if spelt := _SPELT_IN_ITS_NAME.match(unicodedata.name(char, "")):
            return spelt[1].lower()
        bare = _without_accents(char)
        return _UNKNOWN if bare == char else self._fold(bare)


def _table(data: Any, name: str, path: Path | str) -> dict[str, str]:
    table = data.get(name) if isinstance(data, dict) else None
    if not isinstance(table, dict):
        raise ValueError(f"{path}: a table {name!r} is missing")
    for key, value in table.items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise ValueError(f"{path}: {name}: {key!r}: {value!r} is not text: quote it")
    return table


def _nothing(text: str) -> str:
    return ""


def _pinyin(han: str) -> str:
    from pypinyin import lazy_pinyin  # its dictionaries take a quarter of a second to load

    syllables = lazy_pinyin(han, errors=lambda chars: _UNKNOWN)
    return "".join(map(_without_accents, "".join(syllables)))


def _without_accents(char: str) -> str:
    if (number := unicodedata.decimal(char, None)) is not None:
        return str(number)
    return "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))


def _safe(slug: str, text: str) -> str:
    clean = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9-]", "", slug)).strip("-")
    digest = hashlib.sha256(text.casefold().encode("utf-8", "surrogatepass")).hexdigest()[:8]
    if not clean or _UNKNOWN in slug:
        clean = f"{clean or 'x'}-{digest}"
    if len(clean) > LONGEST:
        clean = f"{clean[: LONGEST - 9].rstrip('-')}-{digest}"
    return f"x-{clean}" if _DEVICE.fullmatch(clean) else clean
