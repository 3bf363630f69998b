"""Originals that are new since the last push, and what is remembered of those that were asked for.

It lies in the state folder as ``push/wayback.json``: id and number of the log up to which originals were asked for, and
the addresses that are to be asked again, with how often they were. It is written after each page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crawler.archive.changelog import changes, log_id
from crawler.archive.ledger import Ledger, articles
from crawler.archive.locks import Lock
from crawler.archive.post import PostError, read_post
from crawler.archive.posts import replace
from crawler.push.wayback import Outcome, is_public
from crawler.yamlfile import SettingsError

TRIES = 3
"""How often an original is asked for that may be saved another time."""
_PAGE = 200
_AWAY = 3
"""Failures of the service itself, one after the other, that end a push."""


@dataclass(slots=True)
class Pushed:
    """How far pushes have come."""

    log: str = ""
    number: int = 0
    again: dict[str, int] = field(default_factory=dict)
    """Address -> how often it was asked for."""


@dataclass(slots=True)
class Result:
    """What one push did."""

    saved: int = 0
    never: int = 0
    later: int = 0
    """To be asked again."""
    halted: str = ""
    """Why it ended before the last."""
    outcome: Outcome | None = None
    """That it ended with, where that was the service's doing."""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Original:
    """One to be asked for."""

    url: str
    number: int
    """Of its line in the log; 0 for one that is asked again."""


class Push:
    """One push; holds a lock of its own, so that a crawl may go on meanwhile."""

    def __init__(self, archive: Path, state: Path, ledger: Ledger) -> None:
        """Raises Busy, SettingsError where what is remembered is of another log."""
        self._archive, self._ledger = archive, ledger
        folder = state / "push"
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = Lock(folder)
        self._file = folder / "wayback.json"
        self.pushed = Pushed(**json.loads(self._file.read_text("utf-8"))) if self._file.is_file() else Pushed()
        self._past = 0

    def close(self) -> None:
        """Let others push."""
        self._lock.release()

    def begin(self, since: int | None) -> None:
        """Go on from this number, where one is given. Raises SettingsError."""
        log = log_id(self._ledger)
        if since is None and self.pushed.log not in ("", log):
            said = f"originals were asked for up to number {self.pushed.number} of a log that is no more"
            raise SettingsError([f"{said}: the ledger was made anew. Next: --since NUMBER, 0 for all"])
        if since is not None:
            self.pushed.number = since
        self.pushed.log, self._past = log, self.pushed.number

    def originals(self, source: str = "") -> Iterator[Original]:
        """Those to be asked again, then what is new or was edited, by numbers; each once, those alone that others can
        ask for and that are still there."""
        met = set(self.pushed.again)
        yield from (Original(url, 0) for url in list(self.pushed.again))
        while rows := self._ledger.read(_lines(source), {"past": self._past}):
            for row in rows:
                url = self._original(row) if not row.gone else ""
                if url and url not in met:
                    met.add(url)
                    yield Original(url, row.number)
            self._past = rows[-1].number

    def _original(self, row: sa.Row[Any]) -> str:
        try:
            post = read_post((self._archive / row.path).read_bytes())
        except (FileNotFoundError, PostError):
            return ""
        url = str(post.fields.get("original") or post.link)
        return url if is_public(url) else ""

    def run(
        self,
        save: Callable[[str], Outcome],
        limit: int,
        source: str = "",
        tell: Callable[[str, Outcome], None] | None = None,
    ) -> Result:
        """Ask for up to ``limit`` originals, one after the other. With ``source`` the number stays as it is, for the
        others were passed over. What the service failed at counts as asked once it answers others again. Raises OSError
        where the disk is full."""
        result, away, moves = Result(), list[Original](), not source
        for asked, one in enumerate(self.originals(source)):
            if asked >= limit:
                result.halted = f"{limit} were asked for"
                break
            outcome = save(one.url)
            if tell:
                tell(one.url, outcome)
            if outcome.kind == "away":
                away.append(one)
            if outcome.kind in ("stop", "refused") or len(away) == _AWAY:
                result.halted, result.outcome = outcome.what, outcome
                break
            if outcome.kind != "away":
                for earlier in away:
                    self._note(earlier, Outcome("later"), result, moves)
                self._note(one, outcome, result, moves)
                away.clear()
        else:
            result.halted = f"{len(away)} were not answered" if away else ""
            self.pushed.number = self._past if moves and not away else self.pushed.number
        self._save()
        result.later, result.number = len(self.pushed.again), self.pushed.number
        return result

    def _note(self, one: Original, outcome: Outcome, result: Result, moves: bool) -> None:
        tries = self.pushed.again.pop(one.url, 0) + 1
        if outcome.kind == "saved":
            result.saved += 1
        elif outcome.kind == "never" or tries >= TRIES:
            result.never += 1
        else:
            self.pushed.again[one.url] = tries
        if one.number and moves:
            self.pushed.number = one.number
        self._save()

    def _save(self) -> None:
        replace(self._file, (json.dumps(asdict(self.pushed), ensure_ascii=False, indent=1) + "\n").encode())


def _lines(source: str) -> sa.Select[Any]:
    """New posts and edits after the parameter ``past``."""
    its_row = sa.and_(articles.c.space == changes.c.space, articles.c.key == changes.c.key)
    told = sa.select(changes.c.number, articles.c.path, articles.c.gone).join(articles, its_row)
    asked = (changes.c.source == source,) if source else ()
    chosen = changes.c.number > sa.bindparam("past"), changes.c.event.in_(("new", "edited")), *asked
    return told.where(*chosen).order_by(changes.c.number).limit(_PAGE)
