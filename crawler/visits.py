"""When each source was last visited as a whole, and which are due: by their schedules, by what visits brought, or for
second looks at their posts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive.ledger import Ledger, articles, moment_of, stamp, visits
from crawler.schedule import LOOK_BACK, Rate, Schedule, due, learnt, next_due, parse_schedule
from crawler.sources import Source

_LOOKS = (
    sa.select(articles.c.check_due)
    .where(sa.text("check_due != ''"), articles.c.source == sa.bindparam("source"), articles.c.state == "done")
    .order_by(articles.c.check_due)
    .limit(1)
)
"""The first second look of a source: a step into the partial index, however many posts there are."""


def last_visits(ledger: Ledger) -> dict[str, datetime]:
    """Source -> start of the last run that asked all its lists and left nothing of it queued for want of budget."""
    return {row.source: moment_of(row.started) for row in ledger.read(sa.select(visits))}


def record_visits(ledger: Ledger, sources: Collection[str], started: datetime) -> None:
    """Say that these sources were visited by the run that started then."""
    if sources:
        statement = insert(visits).values([{"source": source, "started": stamp(started)} for source in sorted(sources)])
        ledger.write(
            statement.on_conflict_do_update(index_elements=["source"], set_={"started": statement.excluded["started"]})
        )


def due_sources(ledger: Ledger, sources: Sequence[Source], now: datetime) -> list[Source]:
    """Those that are due, the longest waiting first: what a budget cuts off is the first of the next run."""
    last = last_visits(ledger)
    rates = _rates(ledger, sources, last, now)
    chosen = [
        source
        for source in sources
        if due(_sooner(parse_schedule(source.schedule)), last.get(source.id), now, source.zone, rates.get(source.id))
    ]
    return longest_waiting_first(chosen, last)


def sources_to_look_at(ledger: Ledger, sources: Sequence[Source], now: datetime) -> list[Source]:
    """Those with posts that are due for a second look, the longest overdue first."""
    looks = _next_looks(ledger, sources)
    chosen = [source for source in sources if source.id in looks and looks[source.id] <= stamp(now)]
    return sorted(chosen, key=lambda source: looks[source.id])


def _next_looks(ledger: Ledger, sources: Sequence[Source]) -> dict[str, str]:
    """Source -> stamp of its first second look; without those that want none."""
    first = {one.id: ledger.read(_LOOKS, {"source": one.id}) for one in sources if one.spans}
    return {source: rows[0].check_due for source, rows in first.items() if rows}


def _sooner(schedule: Schedule) -> Schedule:
    """A tenth less than a span, an hour at most: timers come a little early or late, and a slot missed by a second
    would be a whole tick late."""
    return schedule - min(schedule / 10, timedelta(hours=1)) if isinstance(schedule, timedelta) else schedule


def longest_waiting_first(sources: Sequence[Source], last: dict[str, datetime]) -> list[Source]:
    """Sources never visited come before all others."""
    return sorted(sources, key=lambda source: stamp(last[source.id]) if source.id in last else "")


def next_visit(ledger: Ledger, sources: Sequence[Source], now: datetime) -> tuple[datetime, Source] | None:
    """The next slot of all, or second look, and whose it is; None without sources."""
    last = last_visits(ledger)
    rates = _rates(ledger, sources, last, now)
    slots = [
        (next_due(parse_schedule(one.schedule), last.get(one.id, now), one.zone, rates.get(one.id)), one)
        for one in sources
    ]
    looks = _next_looks(ledger, sources)
    slots += [(moment_of(looks[one.id]), one) for one in sources if one.id in looks]
    return min(slots, key=lambda slot: slot[0], default=None)


def _rates(ledger: Ledger, sources: Sequence[Source], last: Mapping[str, datetime], now: datetime) -> dict[str, Rate]:
    """What was learnt of the sources that go by it, up to the last visit: what came since, nobody has looked for."""
    zones = {source.id: source.zone for source in sources if source.schedule == "auto"}
    if not zones:
        return {}
    query = (
        sa.select(articles.c.source, articles.c.seen, sa.func.count().label("found"))
        .where(articles.c.source.in_(zones), articles.c.seen >= stamp(now - LOOK_BACK))
        .group_by(articles.c.source, articles.c.seen)
        .order_by(articles.c.seen)
    )
    found: dict[str, list[tuple[datetime, int]]] = {}
    for row in ledger.read(query):
        found.setdefault(row.source, []).append((moment_of(row.seen), row.found))
    rates = {source: learnt(came, min(now, last.get(source, now)), zones[source]) for source, came in found.items()}
    return {source: rate for source, rate in rates.items() if rate is not None}
