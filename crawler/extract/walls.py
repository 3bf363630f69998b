"""What walls and stubs say, found in a text by a table of phrases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

SHORT = 300
"""Weight below which a text is short enough to be a wall or a stub."""
MIDDLING = 1500
"""Weight below which a text may consist of little but a wall's words."""
_QUOTED = {"soft-404": 0.25, "busy": 0.25}
"""Classes whose phrases news quotes ("the app said: system busy"): such a phrase is this part of its line at least."""


def weight(text: str) -> int:
    """Length of a text in Chinese characters: three Latin letters say about as much as one (and take as many bytes)."""
    return (len(text) if text.isascii() else len(text.encode("utf-8", "replace"))) // 3


def squeezed(text: str) -> str:
    """Small letters, blanks and apostrophes of one kind."""
    return " ".join(text.split()).casefold().replace("’", "'")


@dataclass(frozen=True)
class Phrases:
    """Phrases of walls and stubs, by class."""

    phrases: tuple[tuple[str, str], ...] = ()
    """(class, phrase as ``squeezed`` gives it)."""

    def find(self, title: str, paragraphs: Sequence[str]) -> tuple[str, str] | None:
        """(class, phrase) of the wall that a short text is, or that a middling one hardly says more than."""
        if not self.phrases:
            return None
        whole = sum(map(weight, paragraphs))
        if whole >= MIDDLING or not self._says_any("\n".join((title, *paragraphs))):
            return None
        if whole < SHORT:
            return next(filter(None, map(self._first, (title, *paragraphs))), None)
        found = [(weight(line), hit) for line in paragraphs if (hit := self._first(line))]
        return found[0][1] if sum(size for size, _ in found) * 2 >= whole else None

    def sells(self, line: str) -> bool:
        """Whether a line of an article's end says that the rest is for subscribers."""
        found = self._first(line)
        return found is not None and found[0] == "paywall"

    def _says_any(self, text: str) -> bool:
        """One look at the whole, for nearly every article says none of them."""
        return any(self._said(squeezed(text)))

    def _first(self, line: str) -> tuple[str, str] | None:
        said = squeezed(line)
        for number in sorted(self._said(said)):
            kind, phrase = self.phrases[number]
            if weight(phrase) >= _QUOTED.get(kind, 0) * weight(said):
                return kind, phrase
        return None

    def _said(self, said: str) -> Iterator[int]:
        """Numbers of the phrases in a text that is ``squeezed``."""
        words = self._by_word.keys() & said.split()
        if not said.isascii():
            words.add(_BEYOND)
        for word in ("", *words):
            for number in self._by_word.get(word, ()):
                if self.phrases[number][1] in said:
                    yield number

    @cached_property
    def _by_word(self) -> Mapping[str, Sequence[int]]:
        """Numbers of phrases by a word of every text with them: few of its words are in any."""
        found: dict[str, list[int]] = {}
        for number, (_, phrase) in enumerate(self.phrases):
            found.setdefault(_inner(phrase), []).append(number)
        return found


_BEYOND = "\0"
"""Stands for the words of phrases that only a text beyond ASCII can hold."""


def _inner(phrase: str) -> str:
    """The longest word that has others of the phrase on both sides, so that it is a word of every text with it."""
    return max(phrase.split(" ")[1:-1], key=len, default="" if phrase.isascii() else _BEYOND)


@cache
def common() -> Phrases:
    """The phrases that come with the package (``walls.yml``)."""
    import yaml

    table = yaml.safe_load(Path(__file__).with_name("walls.yml").read_text(encoding="utf-8"))
    return Phrases(
        tuple(
            (kind, squeezed(str(phrase)))
            for kind, languages in table.items()
            for phrases in languages.values()
            for phrase in phrases
        )
    )
