"""Rows of the ledger that a backfill asks for, beside those of crawls: listed, leased, counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from crawler.archive.ledger import ROW, Entry, Found, Ledger, Row, articles, is_due

_CHUNK = 400
_OURS = sa.text("backfill != 0")
"""Literal, so that SQLite sees that the partial index serves."""
_WAITING = articles.c.state.in_(("queued", "refused"))


@dataclass(frozen=True, slots=True)
class Errand:
    """One backfill, as its rows know it."""

    number: int
    source: str
    space: str
    first: str
    """Day, ISO 8601."""
    last: str

    @property
    def _rows(self) -> sa.ColumnElement[bool]:
        return sa.and_(_OURS, articles.c.backfill == self.number)

    def discover(
        self, ledger: Ledger, entries: Sequence[Entry], also: Callable[[int, int], Sequence[sa.Executable]]
    ) -> Found:
        """Commit what a list names. What waits already, for a crawl or an older backfill, is this one's as well; what
        was refused is asked for once more, and so is what an older one found outside its days and inside these.

        ``also``: from the number of articles and of those to be asked for, statements of the same transaction.
        """
        by_key: dict[str, Entry] = {}
        for entry in entries:
            by_key.setdefault(entry.key, entry)
        known = self._known(ledger, list(by_key))
        fresh = [entry for key, entry in by_key.items() if key not in known]
        refused = [entry for entry in fresh if entry.refused]
        joined = [key for key, row in known.items() if self._joins(row)]
        anew = [key for key in joined if known[key].state != "queued" and not by_key[key].refused]
        new = len(fresh) - len(refused) + len(joined)
        ledger.write(*self._rows_of(fresh), *self._joined(joined, anew), *also(len(by_key), new))
        return Found(new, len(by_key) - len(fresh) - len(joined), refused)

    def _known(self, ledger: Ledger, keys: Sequence[str]) -> dict[str, sa.Row[tuple[str, ...]]]:
        told = sa.select(*(articles.c[name] for name in ("key", "source", "state", "hints", "backfill")))
        return {
            row.key: row
            for start in range(0, len(keys), _CHUNK)
            for row in ledger.read(
                told.where(articles.c.space == self.space, articles.c.key.in_(keys[start : start + _CHUNK]))
            )
        }

    def _joins(self, row: sa.Row[tuple[str, ...]]) -> bool:
        """Whether a known article is to be asked for: not another source's, though their keys be shared."""
        if row.source != self.source or row.backfill == self.number:
            return False
        if row.state == "outside":
            return self.first <= str(json.loads(row.hints).get("dated", "")) <= self.last
        return row.state in ("queued", "refused")

    def _rows_of(self, fresh: Sequence[Entry]) -> list[sa.Executable]:
        rows = [
            {
                "space": self.space,
                "key": entry.key,
                "source": self.source,
                "state": "refused" if entry.refused else "queued",
                "hints": json.dumps(entry.hints, ensure_ascii=False, sort_keys=True),
                "seen": "",
                "reason": entry.refused,
                "backfill": self.number,
                "crawl": 0,
            }
            for entry in fresh
        ]
        return [articles.insert().values(rows[start : start + 50]) for start in range(0, len(rows), 50)]

    def _joined(self, keys: Sequence[str], anew: Sequence[str]) -> list[sa.Executable]:
        again = {"state": "queued", "due": "", "tries": 0, "reason": ""}
        return [
            articles.update().where(articles.c.space == self.space, articles.c.key.in_(some)).values(**values)
            for names, values in ((keys, {"backfill": self.number}), (anew, again))
            for start in range(0, len(names), _CHUNK)
            if (some := names[start : start + _CHUNK])
        ]

    def lease(self, ledger: Ledger, after: int, limit: int, now: datetime) -> list[Row]:
        """The next of its rows, as ``Ledger.lease`` gives those of crawls."""
        chosen = self._rows, _WAITING, articles.c.id > after, is_due(now)
        return ledger.rows(sa.select(*ROW).where(*chosen).order_by(articles.c.id).limit(limit))

    def row(self, ledger: Ledger, key: str) -> Row | None:
        """An article of the source that waits; None where there is none to be asked for."""
        chosen = articles.c.space == self.space, articles.c.key == key, articles.c.source == self.source, _WAITING
        return next(iter(ledger.rows(sa.select(*ROW).where(*chosen))), None)

    def outside(self, ledger: Ledger, row: Row, day: str) -> None:
        """The article is of another day: nothing is made of it, and this backfill asks no more; a crawl that wants it
        has it in its queue still."""
        chosen = articles.c.space == row.space, articles.c.key == row.key, articles.c.state != "done"
        told = {"hints": json.dumps({**row.hints, "dated": day}, ensure_ascii=False, sort_keys=True)}
        ledger.write(
            articles.update().where(*chosen, articles.c.crawl == 1).values(backfill=0),
            articles.update().where(*chosen, articles.c.crawl == 0).values(state="outside", due="", reason="", **told),
        )

    def counts(self, ledger: Ledger) -> dict[str, int]:
        """State -> number of its rows; ``later`` are those of the refused that are to be asked for again."""
        later = sa.func.sum(sa.case((articles.c.due != "", 1), else_=0))
        query = sa.select(articles.c.state, sa.func.count().label("number"), later.label("later"))
        rows = ledger.read(query.where(self._rows).group_by(articles.c.state))
        told: dict[str, int] = {row.state: row.number for row in rows}
        return {**told, "later": next((row.later for row in rows if row.state == "refused"), 0)}
