"""When a source is broken: pure rules over what a run counted and what the ledger remembers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from crawler.gate import class_of
from crawler.items import Text

FEWEST = 5
"""Articles below which a run says nothing of a source."""
MOST_FAILING = 0.3
SURE = 3
"""Failures before a source is stopped amid a run: the part that fails among the first few says little."""
RECENT = 10
"""Latest articles that are looked at for a layout that changes amid a run; all but two of them failing is one."""
SHORTER = 3
"""Median length under this part of the history's is another layout."""
CREDITED, UNCREDITED = 0.9, 0.5

CLASSES = {
    "dns": "the host's name is not found",
    "refused": "the host refuses connections",
    "blocked": "the site turns presskeep away, or asks for a captcha",
    "robots": "robots.txt forbids it, or cannot be read",
    "consent": "the site shows a consent wall",
    "paywall": "the site wants a login or a subscription",
    "soft-404": "the site answers with error pages",
    "list moved": "a list is no longer where it was",
    "layout changed": "the source's rules no longer fit",
    "really quiet": "nothing new for longer than ever",
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """A source is broken: class, what was seen, and the next command to type."""

    kind: str
    what: str
    next: str

    def line(self, source: str) -> str:
        """As it stands on stderr."""
        return f"ALARM {source} {self.kind}: {self.what}; next: {self.next}"


@dataclass(frozen=True, slots=True)
class History:
    """What a source's posts were like in earlier runs."""

    lengths: Sequence[int] = ()
    """Plain text in characters, of the latest posts."""
    credited: float = 0.0
    """Part of them that credits an outlet."""


@dataclass(slots=True)
class Tally:
    """Articles of one source in one run, asked for the first time."""

    lengths: list[int] = field(default_factory=list)
    """Of those that passed the gate."""
    credited: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """Class -> number of those that did not."""
    example: str = ""
    """The latest reason."""
    recent: list[bool] = field(default_factory=list)
    """Whether the latest ones passed."""

    @property
    def passed(self) -> int:
        return len(self.lengths)

    @property
    def failed(self) -> int:
        return self.failures.total()

    @property
    def judged(self) -> int:
        return self.passed + self.failed

    def passes(self, text: Text) -> None:
        """One more article for a post."""
        self.lengths.append(text.length)
        self.credited += text.outlet
        self._note(passed=True)

    def takes_back(self, text: Text) -> None:
        """One that had passed turned out to be none; it fails next."""
        self.lengths.remove(text.length)
        self.credited -= text.outlet
        self.recent.remove(True)

    def fails(self, reason: str) -> bool:
        """One more article that did not pass; whether the reason says something of the source."""
        kind = class_of(reason)
        if not kind or kind in ("dns", "refused", "robots"):  # nothing was seen of a page
            return False
        self.failures[kind] += 1
        self.example = reason
        self._note(passed=False)
        return True

    def _note(self, *, passed: bool) -> None:
        self.recent.append(passed)
        del self.recent[:-RECENT]


def of_articles(tally: Tally, history: History, *, ended: bool) -> tuple[str, str] | None:
    """(class, what was seen) where a run's articles show that the source is broken.

    ``ended``: no more articles follow; before that a source is only stopped once there is little doubt.
    """
    if tally.judged < FEWEST:
        return None
    return _failing(tally, ended=ended) or _shrunk(tally, history) or _uncredited(tally, history)


def _failing(tally: Tally, *, ended: bool) -> tuple[str, str] | None:
    many = tally.failed > MOST_FAILING * tally.judged and (ended or tally.failed >= SURE)
    lately = len(tally.recent) == RECENT and sum(tally.recent) <= 2
    if not (many or lately):
        return None
    kind = tally.failures.most_common(1)[0][0]
    return kind, f"{tally.failed} of {tally.judged} articles are none, such as: {tally.example}"


def _shrunk(tally: Tally, history: History) -> tuple[str, str] | None:
    if tally.passed < FEWEST or len(history.lengths) < FEWEST:
        return None
    now, before = median(tally.lengths), median(history.lengths)
    if now * SHORTER >= before:
        return None
    return "layout changed", f"articles have {now:.0f} characters in the median, they had {before:.0f}"


def _uncredited(tally: Tally, history: History) -> tuple[str, str] | None:
    gone = tally.passed >= FEWEST and tally.credited < UNCREDITED * tally.passed
    if not gone or len(history.lengths) < FEWEST or history.credited < CREDITED:
        return None
    return "layout changed", f"{tally.credited} of {tally.passed} articles credit an outlet, nearly all did"


def of_list(what: str, *, moved: bool) -> tuple[str, str] | None:
    """(class, what was seen) of a list that was good before; None for what may pass, such as a server's error.

    ``moved``: its address leads elsewhere.
    """
    kind = class_of(what)
    if moved and kind == "layout changed":
        kind = "list moved"
    return (kind, what) if kind else None


def next_command(source: str, kind: str, file: str) -> str:
    """What to do about an alarm."""
    if kind in ("layout changed", "list moved", "soft-404", "consent", "paywall"):
        return f"mend {file}, then presskeep crawl {source} --limit 5"
    if kind == "really quiet":
        return "presskeep health"
    return f"presskeep crawl {source} --limit 5"
