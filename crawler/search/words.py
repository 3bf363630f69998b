"""Words as the index holds them, and what somebody looks for as an expression of SQLite's FTS5.

Chinese, Japanese and Korean are written without blanks, or with words that grow endings: each of their characters is
indexed together with the one behind it, so that a word of two characters is one term, a longer one a row of terms, and
a single character the beginning of terms. (FTS5's own trigrams find no word of fewer than three.) All other scripts are
left to FTS5's unicode61, which takes accents away.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Kana, Bopomofo, Hangul, Han with all its extensions, and the marks that repeat a character.
CJK = (
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af"
)
"""Characters of scripts that are indexed in pairs, as the inside of a regular expression's class."""

_RUN = re.compile(f"[{CJK}]+")
_LAST_RUN = re.compile(rf"[{CJK}]+(?=[\W_]*\Z)")
_LETTER = re.compile(r"[^\W_]")
# Soft hyphens, marks of direction, joiners and variation selectors: nobody sees them, nobody types them. Bytes of a
# command line that are no UTF-8 come as surrogates, which SQLite does not take.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef\ud800-\udfff]")
_MARKS = re.compile(r'["\x00-\x1f\x7f]')
_TERM = re.compile(r'((?:(?<=\s)|\A)-)?(?:["“”„]([^"“”„]*)["“”„]?|([^\s"“”„]+))')


MOST = 64
"""Words of one question; FTS5 takes some 250 and then speaks of its stack."""


class QueryError(ValueError):
    """Nothing can be looked for; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for."""

    wanted: tuple[str, ...]
    """Words and phrases that must all stand in a post, folded."""
    barred: tuple[str, ...] = ()
    """Those of which none may."""

    @property
    def expression(self) -> str:
        """For FTS5's MATCH; every word in quotes, so that none of it is taken for its syntax."""
        wanted = " AND ".join(map(_phrase, self.wanted))
        return f"({wanted}) NOT ({' OR '.join(map(_phrase, self.barred))})" if self.barred else wanted


def parse(text: str) -> Query:
    """What ``text`` asks for: words, ``"phrases in quotes"``, either with ``-`` before it where it may not stand.

    Raises QueryError where no word is left to look for, or there are more than ``MOST``.
    """
    wanted: list[str] = []
    barred: list[str] = []
    for match in _TERM.finditer(text):
        term = fold(match[2] or match[3] or "")
        if _LETTER.search(term):
            (barred if match[1] else wanted).append(term)
    if not wanted:
        raise QueryError(f"no word to look for in {text!r}" + (": name one that is to be there" if barred else ""))
    if len(wanted) + len(barred) > MOST:
        raise QueryError(f"{len(wanted) + len(barred)} words; {MOST} is the most")
    return Query(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(barred)))


def fold(text: str) -> str:
    """Without differences of width, case and form that nobody means; ``ß`` as ``ss``."""
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()


def indexed(text: str) -> str:
    """A text as FTS5 is to have it: folded, scripts without blanks as pairs, ``海港日报`` as 海港 港日 日报 报."""
    return _RUN.sub(lambda run: f" {' '.join(_pairs(run[0]))} ", fold(text))


def _pairs(run: str) -> list[str]:
    """Each character with the one behind it; the last stands alone."""
    return [run[at : at + 2] for at in range(len(run))]


def _phrase(term: str) -> str:
    """A folded term as a phrase of FTS5. Where it ends in such a script the text may go on: its last character begins a
    pair there."""
    run = _LAST_RUN.search(term)
    if run is None:
        return _quoted(indexed(term))
    before, pairs = indexed(term[: run.start()]), _pairs(run[0])
    return _quoted(" ".join([before, *pairs[:-1]])) if len(pairs) > 1 else _quoted(f"{before} {run[0]}") + "*"


def _quoted(text: str) -> str:
    return '"' + " ".join(_MARKS.sub(" ", text).split()) + '"'
