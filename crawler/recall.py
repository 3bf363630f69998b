"""What run reports still tell once the ledger is lost: the runs themselves, and which articles were gone upstream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crawler.archive.ledger import Ledger, articles, runs
from crawler.sources import Source
from crawler.urls import key_of

_GONE = "gone upstream ("
"""How a report's line on an article begins that was held to be gone (see changes.py)."""


def recall(ledger: Ledger, folder: Path, sources: Sequence[Source]) -> int:
    """Note the runs whose reports lie in ``folder``, so that the next one takes no number of theirs, and the tombstones
    that they name; the number of these. A report that cannot be read is passed over.
    """
    known = [report for path in sorted(folder.glob("*.json")) if (report := _read(path)) is not None]
    ledger.write(*(runs.insert().values(_row(report)) for report in known))
    spaces = {source.id: source for source in sources}
    gone = {mark: report["started"] for report in known for mark in _gone(report, spaces)}
    for (space, key), since in gone.items():
        there = articles.c.space == space, articles.c.key == key, articles.c.state == "done"
        ledger.write(articles.update().where(*there).values(gone=since))
    query = sa.select(sa.func.count()).select_from(articles).where(articles.c.gone != "")
    return int(ledger.read(query)[0][0])


def _read(path: Path) -> dict[str, Any] | None:
    try:
        report = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    whole = isinstance(report, dict) and isinstance(report.get("run"), int) and isinstance(report.get("started"), str)
    return report if whole else None


def _row(report: dict[str, Any]) -> dict[str, Any]:
    told = {"started": report["started"], "ended": report.get("ended") or "", "exit_code": report.get("exit_code")}
    return {"id": report["run"], **told, "report": json.dumps(report, ensure_ascii=False, sort_keys=True)}


def _gone(report: dict[str, Any], sources: dict[str, Source]) -> Iterator[tuple[str, str]]:
    """(space, key) of articles that this run held to be gone, by the addresses that it names."""
    for one in (*report.get("sources", ()), *report.get("second_looks", ())):
        source = sources.get(one.get("source", ""))
        for problem in one.get("problems", ()) if source else ():
            assert source is not None
            if problem["what"].startswith(_GONE) and (key := key_of(problem["address"], source.key_patterns)):
                yield source.space, key
