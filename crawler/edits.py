"""Whether a second look at an article shows the same text, an edit of it, or something else; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crawler.archive.ledger import stamp

Verdict = Literal["same", "edit", "another text", "shorter than half"]
ALIKE = 0.5
"""Part of the shorter text's shingles that the other must hold: a corrected story keeps nine tenths, another one on the
same subject holds a tenth."""
_SHORT = 80
"""Characters of a line that may be advertising or furniture; what is longer is somebody's text."""
_SHINGLE = 4
"""Characters of a shingle: no script needs words."""

_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | str.maketrans("“”„‘’`", "\"\"\"'''")
_BLANKS = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]+")
_NUMBER = r"\d[\d,.]*(?:万|亿|[kmw])?\+?"
_COUNTED = (
    r"(?:阅读|浏览|点击|评论|跟贴|分享|转发|收藏|点赞|人气|views?|reads?|comments?|shares?|likes?|clicks?)"
    r"(?:次数|人数|量|数)?"
)
_COUNTER = re.compile(rf"(?:[|/·,、(]*(?:{_COUNTED}:?{_NUMBER}[次人条]?|{_NUMBER}[次人条]?{_COUNTED})\)?)+")
_AD = r"(?:广告|推广|advertisement|sponsored)"
_ADVERTISING = re.compile(rf"[\[(【]{_AD}[\])】].{{0,80}}|{_AD}(?:[:|].{{0,80}})?")
_SIGN = re.compile(r"更正|勘误|订正|修订|撤回|撤稿|corrected|correction|retract|withdrawn", re.IGNORECASE)
_HEADING = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_GONE = re.compile(
    r"\b404\b|not found|no longer (?:available|exists?)|(?:been|was) (?:removed|deleted)"
    r"|(?:页面|网页|文章|内容|新闻|信息)[^<]{0,6}(?:不存在|已(?:经)?(?:被)?(?:删除|下线)|不见了|找不到)"
    r"|找不到(?:了|该|页面|网页|文章)|見つかりません|찾을 수 없",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Text:
    """What is compared of a post: its headline, and its body as plain text, a paragraph a line."""

    title: str
    body: str


def judge(old: Text, new: Text) -> Verdict:
    """What ``new`` is to ``old``. Blanks, widths of signs, counters and labelled advertising make no edit."""
    before, after = normal(old.body), normal(new.body)
    if before == after:
        return "same" if normal(old.title) == normal(new.title) else "edit"
    if similarity(before, after) < ALIKE:
        return "another text"
    signed = _SIGN.search(f"{new.title}\n{new.body}") and not _SIGN.search(f"{old.title}\n{old.body}")
    return "shorter than half" if len(after) * 2 < len(before) and not signed else "edit"


def normal(text: str) -> str:
    """A text without what may change and is no edit. Numbers stay: they are news."""
    lines = (_BLANKS.sub("", line.translate(_WIDTH)) for line in text.split("\n"))
    return "".join(line for line in lines if not _passing(line.lower()))


def strays(old: Text, new: Text) -> frozenset[str]:
    """The short lines that only one of two texts has, in their normal form, where nothing else tells them apart."""
    before, after = (list(filter(None, map(normal, text.body.split("\n")))) for text in (old, new))
    apart = frozenset(before) ^ frozenset(after)
    shared = ([line for line in lines if line not in apart] for lines in (before, after))
    same = normal(old.title) == normal(new.title) and next(shared) == next(shared)
    return apart if same and all(len(line) <= _SHORT for line in apart) else frozenset()


def _passing(line: str) -> bool:
    return bool(_COUNTER.fullmatch(line) or _ADVERTISING.fullmatch(line))


def similarity(one: str, other: str) -> float:
    """Part of the shorter text's shingles that stand in the other as well: 0 to 1."""
    first, second = _shingles(one), _shingles(other)
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def _shingles(text: str) -> set[str]:
    return {text[at : at + _SHINGLE] for at in range(max(1, len(text) - _SHINGLE + 1))} if text else set()


def says_gone(html: str) -> bool:
    """Whether a page's title or headline says that there is nothing here; only to be asked of what is no article."""
    return any(_GONE.search(heading) for _, heading in _HEADING.findall(html))


def following(since: str, spans: Sequence[timedelta], now: datetime) -> str:
    """Stamp of the next look at a post of ``since`` (a stamp): the first of the spans that has not passed, empty for
    none. Spans that passed between two runs are made up for by one look."""
    if not since:
        return ""
    start = datetime.fromisoformat(since)
    return next((stamp(start + span) for span in sorted(spans) if start + span > now), "")
