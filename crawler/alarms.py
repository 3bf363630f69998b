"""When a source is broken: pure rules over what a run counted and what the ledger remembers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from crawler.gate import class_of

FEWEST = 5
"""Articles below which a run says nothing of a source."""
MOST_FAILING = 0.3
MOST_AMID = 0.5
"""Part of the articles so far, five failures among them, from which a source is stopped amid a run: the part that fails
among the first few says little, and pages that fail may be the first to come."""
RECENT = 10
"""Latest articles that are looked at for a layout that changes amid a run, all but two of them failing is one; and
over several runs, where one alone brings too few."""
SHORTER = 3
"""Median length under this part of the history's is another layout."""
USUAL = 0.9
"""Part of a source's posts that have what is missed where it is gone."""

CLASSES = {
    "dns": "the host's name is not found",
    "refused": "the host refuses connections, or gives up request after request",
    "blocked": "the site turns presskeep away, or asks for a captcha",
    "robots": "robots.txt forbids it, or cannot be read",
    "consent": "the site shows a consent wall",
    "paywall": "the site wants a login or a subscription",
    "soft-404": "the site answers with error pages",
    "list moved": "a list is no longer where it was",
    "layout changed": "the source's rules no longer fit",
    "really quiet": "its lists are read and well, but nothing new is in them though its weekdays say there should be",
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


@dataclass(slots=True, eq=False)
class Seen:
    """What counts of an article that passed the gate."""

    length: int
    """Plain text in characters."""
    outlet: bool = True
    """Whether an outlet is credited."""
    dated: bool = True
    """Whether the page itself said when it was published."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an article in an earlier run."""

    name: tuple[str, str]
    """Space and key."""
    state: str
    """``done``, ``refused`` or ``alias``."""
    reason: str
    """Why it was refused; of an alias the article's key."""

    @property
    def kind(self) -> str:
        """Class of its refusal; empty for none, and for what says nothing of the source's pages."""
        return _page_class(self.reason) if self.state == "refused" else ""


@dataclass(slots=True)
class Tally:
    """Articles of one source in one run, asked for the first time."""

    seen: list[Seen] = field(default_factory=list)
    """Those that passed the gate."""
    failures: Counter[str] = field(default_factory=Counter)
    """Class -> number of those that did not."""
    aliases: Counter[str] = field(default_factory=Counter)
    """Key of an article -> number of other addresses whose pages say that they are it."""
    example: str = ""
    """The latest reason."""
    recent: list[bool] = field(default_factory=list)
    """Whether the latest ones passed."""

    @property
    def passed(self) -> int:
        return len(self.seen)

    @property
    def failed(self) -> int:
        return self.failures.total()

    @property
    def judged(self) -> int:
        return self.passed + self.failed

    @property
    def told(self) -> int:
        """All that say something of the source."""
        return self.judged + self.aliases.total()

    def passes(self, seen: Seen) -> None:
        """One more article for a post."""
        self.seen.append(seen)
        self._note(passed=True)

    def takes_back(self, seen: Seen) -> None:
        """One that had passed turned out to be none; it fails next."""
        self.seen.remove(seen)
        self.recent.remove(True)

    def fails(self, reason: str) -> bool:
        """One more article that did not pass; whether the reason says something of the source."""
        kind = _page_class(reason)
        if not kind:
            return False
        self.failures[kind] += 1
        self.example = reason
        self._note(passed=False)
        return True

    def _note(self, *, passed: bool) -> None:
        self.recent.append(passed)
        del self.recent[:-RECENT]


def _page_class(reason: str) -> str:
    """Class of a reason that a page was seen for; empty where nothing was seen of one."""
    kind = class_of(reason)
    return "" if kind in ("dns", "refused", "robots") else kind


Found = tuple[str, str] | None
"""(class, what was seen) where something shows that a source is broken."""


def of_articles(tally: Tally, history: Sequence[Seen], *, ended: bool) -> Found:
    """Whether a run's articles show it. ``history``: the source's posts before, newest first.

    ``ended``: no more articles follow; before that a source is only stopped once there is little doubt.
    """
    if tally.judged < FEWEST:
        return None
    return _failing(tally, ended=ended) or _changed(tally.seen, history)


def of_aliases(tally: Tally) -> Found:
    """Whether too many addresses say that they are one article: of a page that has several, each is another."""
    return _one_for_all(tally.aliases, tally.told)


def of_latest(tally: Tally, earlier: Sequence[Outcome], history: Sequence[Seen]) -> Found:
    """Whether a run of fewer than five articles shows it together with the latest of earlier runs (newest first).

    A run that is well by its own few articles shows nothing, whatever was before.
    """
    if not tally.told or tally.judged >= FEWEST:
        return None
    before = earlier[: max(RECENT - tally.told, 0)]
    told = tally.told + len(before)
    if tally.failed > MOST_FAILING * tally.told and told >= FEWEST:
        kinds = tally.failures + Counter(one.kind for one in before if one.kind)
        if kinds.total() > MOST_FAILING * told:
            return _none_of(kinds, told, f"the latest {told}", tally.example)
    if tally.aliases:
        shared = tally.aliases + Counter(one.reason for one in before if one.state == "alias")
        if found := _one_for_all(Counter({of: shared[of] for of in tally.aliases}), told):
            return found
    cut = RECENT - tally.passed
    return _changed([*tally.seen, *history[:cut]], history[cut:], tally.seen) if tally.seen else None


def _failing(tally: Tally, *, ended: bool) -> Found:
    amid = tally.failed >= FEWEST and tally.failed > MOST_AMID * tally.judged
    many = tally.failed > MOST_FAILING * tally.judged if ended else amid
    lately = len(tally.recent) == RECENT and sum(tally.recent) <= 2
    return _none_of(tally.failures, tally.judged, str(tally.judged), tally.example) if many or lately else None


def _none_of(kinds: Counter[str], told: int, of: str, example: str) -> tuple[str, str]:
    return kinds.most_common(1)[0][0], f"{kinds.total()} of {of} articles are none, such as: {example}"


def _one_for_all(claims: Counter[str], told: int) -> Found:
    key, number = next(iter(claims.most_common(1)), ("", 0))
    if number < FEWEST or number <= MOST_FAILING * told:
        return None
    return "layout changed", f"canonical: {number} addresses of {told} say that they are one article, {key}"


def _changed(seen: Sequence[Seen], history: Sequence[Seen], own: Sequence[Seen] | None = None) -> Found:
    """Whether texts shrank, or dates or outlets are gone. ``own``: those of ``seen`` that must show it by themselves,
    so that a source that was mended is not held up by what it was."""
    if len(seen) < FEWEST or len(history) < FEWEST:
        return None
    mine = seen if own is None else own
    return (_shrunk(mine, history) and _shrunk(seen, history)) or _gone(seen, mine, history)


def _shrunk(seen: Sequence[Seen], history: Sequence[Seen]) -> Found:
    now, before = (median(one.length for one in some) for some in (seen, history))
    if now * SHORTER >= before:
        return None
    return "layout changed", f"articles have {now:.0f} characters in the median, they had {before:.0f}"


_FIELDS: Sequence[tuple[str, Callable[[Seen], bool]]] = (
    ("published", lambda one: one.dated),
    ("attribution", lambda one: one.outlet),
)


def _gone(seen: Sequence[Seen], mine: Sequence[Seen], history: Sequence[Seen]) -> Found:
    for name, has in _FIELDS:
        lacking = sum(not has(one) for one in seen)
        usual = sum(map(has, history)) >= USUAL * len(history)
        here = sum(not has(one) for one in mine) > MOST_FAILING * len(mine)
        if usual and here and lacking >= FEWEST and lacking > MOST_FAILING * len(seen):
            return "layout changed", f"{name}: {lacking} of {len(seen)} pages have none, nearly all had"
    return None


def of_list(what: str, *, moved: bool) -> Found:
    """(class, what was seen) of a list that was good before; None for what may pass, such as a server's error.

    ``moved``: its address leads elsewhere.
    """
    kind = class_of(what)
    if moved and kind == "layout changed":
        kind = "list moved"
    return (kind, what) if kind else None


def of_host(reason: str) -> tuple[str, str]:
    """What a host that was closed shows, as request after request failed. ``reason``: as the breaker words it."""
    return class_of(reason.rpartition("the last: ")[2]) or "refused", reason


def next_command(source: str, kind: str, file: str, place: str, *, repairable: bool = False) -> str:
    """What to do about an alarm; ``place`` as ``crawler.place`` gives it, ``repairable``: whether the source has rules
    for pages."""
    if kind == "really quiet":
        return f"presskeep health{place}"
    if kind == "layout changed" and repairable:
        return f"presskeep repair {source}{place}"
    crawl = f"presskeep crawl {source} --limit 5{place}"
    mended = kind in ("layout changed", "list moved", "soft-404", "consent", "paywall")
    return f"mend {file}, then {crawl}" if mended else crawl
