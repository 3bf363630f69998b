"""What a run did, per source: counted while it goes on, kept as JSON, shown as a table."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from crawler.alarms import Alarm
from crawler.gate import class_of

if TYPE_CHECKING:
    from crawler.backfill import Left

OK, FAILED, REFUSED_INPUT, LIST_FAILED, ALARM, LEFT, DISK, ACTIVE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 74, 75, 130
EXIT_CODES = {
    OK: "all well",
    FAILED: "a fault of presskeep itself, or verify found faults; follow: the origin cannot be believed",
    REFUSED_INPUT: "refused input: a wrong option, source or settings file; nothing was touched",
    LIST_FAILED: "a list could not be read, the other sources were crawled; "
    "extract, probe, repair: no page could be had; follow, push, publish: nobody answers",
    ALARM: "a source is broken: ALARM lines say which and why; it was stopped, the other sources were crawled; "
    "check: what it gives differs; repair: no fitting rule was found",
    LEFT: "backfill: something is left, of articles or lists; the same command goes on; gaps --check: there are gaps; "
    "follow: articles were left alone; push, publish: something is left; import: posts or lines were left out",
    DISK: "the disk is full or cannot be written; what was kept is whole",
    ACTIVE: "another run is active in this archive; nothing was touched",
    INTERRUPTED: "stopped by a signal; what was kept is whole, the next run goes on",
}
_MOST = 200
"""Problem lines kept per source; the rest is counted."""


@dataclass(slots=True)
class Problem:
    """Something that gave no post, or no list."""

    address: str
    what: str


@dataclass(slots=True)
class SourceReport:
    """One source in one run."""

    source: str
    listed: int = 0
    """Articles that its lists named."""
    new: int = 0
    """Of those, keys that the ledger did not know."""
    fetched: int = 0
    kept: int = 0
    refused: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    """Class of refusal -> number; ``other`` for what says nothing of the source."""
    alarms: list[Alarm] = field(default_factory=list)
    """Why it is broken."""
    checked: int = 0
    """Articles that were looked at again."""
    edited: int = 0
    """Of those, posts that were replaced by an edit; the earlier versions are in revisions/."""
    gone: int = 0
    """Of those, tombstones: articles that are no longer there; their posts stay."""
    unchanged: int = 0
    """List pages that were as they had been."""
    failed_lists: int = 0
    resting_lists: int = 0
    """List pages that were not asked for, since their host rests."""
    skipped_lists: int = 0
    """List pages that were not asked for, since the run's budget was spent."""
    waiting: int = 0
    """Articles that are still queued."""
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    more_problems: int = 0

    def refuse(self, address: str, reason: str) -> None:
        """An article that gave no post."""
        kind = class_of(reason) or "other"
        self.refused += 1
        self.refusals[kind] = self.refusals.get(kind, 0) + 1
        self.problem(address, reason)

    def problem(self, address: str, what: str) -> None:
        """One line for the report."""
        if len(self.problems) < _MOST:
            self.problems.append(Problem(address, what))
        else:
            self.more_problems += 1


class Report:
    """All sources of a run."""

    def __init__(self, sources: list[str], looked_at: Collection[str] = ()) -> None:
        self._start = time.monotonic()
        self.sources = {source: SourceReport(source) for source in (*sources, *looked_at)}
        self.looked_at = frozenset(looked_at)
        """Sources that are not visited: nothing of them was due but second looks, and their lists are not asked."""
        self.faults = 0
        """Faults of presskeep itself."""
        self.interrupted = False
        """Whether a signal ended the run."""
        self.halted = ""
        """Why the run was stopped before its end; empty if it was not."""
        self.left: Left | None = None
        """Of a backfill: what it has not done; the sources are no visits then."""
        self.budget = ""
        """What was spent of a budget, if something had to wait for that."""

    def of(self, source: str) -> SourceReport:
        """The report of one source; asking for it counts as a sign of life."""
        report = self.sources.setdefault(source, SourceReport(source))
        report.seconds = round(time.monotonic() - self._start, 2)
        return report

    def is_unfinished(self, source: str) -> bool:
        """Whether something of it was not asked that a visit asks for, and the run's end, not the source's, kept it."""
        if source in self.looked_at:
            return True
        one = self.sources[source]
        cut = bool(self.budget) or self.interrupted or bool(self.halted)
        return bool(one.skipped_lists) or (cut and bool(one.waiting))

    @property
    def exit_code(self) -> int:
        """By cause, the gravest first."""
        if self.halted:
            return DISK
        if self.interrupted:
            return INTERRUPTED
        if self.faults:
            return FAILED
        if any(one.alarms for one in self.sources.values()):
            return ALARM
        if any(one.failed_lists for one in self.sources.values()):
            return LIST_FAILED
        return LEFT if self.left else OK

    def alarm_lines(self) -> list[str]:
        """For stderr, a line for each."""
        return [alarm.line(one.source) for one in self.sources.values() for alarm in one.alarms]

    def as_json(self) -> dict[str, Any]:
        """For machines: the run's own file, and the ledger. ``sources`` were visited; of ``second_looks`` nothing else
        was due, and the numbers of their last visit hold."""
        told = {name: getattr(self, name) for name in ("exit_code", "halted", "budget", "faults")}
        if self.left is not None:
            told |= {"left": asdict(self.left), "sources": [], "second_looks": []}
            return {**told, "backfills": [asdict(one) for one in self.sources.values()]}
        visited, looked_at = (
            [asdict(one) for name, one in self.sources.items() if (name in self.looked_at) == again]
            for again in (False, True)
        )
        return {**told, "sources": visited, "second_looks": looked_at}
