"""Guessed addresses: an answer that is no article is no refusal there, for the number may be nobody's."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import sqlalchemy as sa

from crawler.archive.ledger import Ledger, articles, stamp
from crawler.gate import class_of

AGAIN = (timedelta(days=1), timedelta(days=2), timedelta(days=4))
"""When a number that was nobody's may be looked at again, by how often it was."""
_NOBODYS = frozenset({"soft-404", "list moved"})
"""Classes of what is no article: error pages, another's text, 404 and 410, redirects to lists and the front page."""


def is_nobodys(hints: str, reason: str) -> bool:
    """Whether an article's row, by what its list said of it (JSON), was guessed, and its answer shows no article."""
    return class_of(reason) in _NOBODYS and not reason.startswith("busy") and bool(json.loads(hints).get("guess"))


def note_absent(ledger: Ledger, space: str, key: str, reason: str, now: datetime) -> bool:
    """Say that an address is nobody's, if that is so."""
    chosen = articles.c.space == space, articles.c.key == key, articles.c.state.in_(("queued", "refused"))
    rows = ledger.read(sa.select(articles.c.hints).where(*chosen))
    if not rows or not is_nobodys(rows[0].hints, reason):
        return False
    tries = int(json.loads(rows[0].hints)["guess"])
    due = stamp(now + AGAIN[tries - 1]) if tries <= len(AGAIN) else ""
    # nobody has seen an article, and what new ones there are is learnt from when they were seen
    told = {"state": "absent", "reason": reason, "due": due, "seen": ""}
    ledger.write(articles.update().where(*chosen).values(**told))
    return True
