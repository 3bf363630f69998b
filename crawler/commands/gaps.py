"""``presskeep gaps``: what is known of each day of a source, the days that no walk has covered, and what to type."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, explained, json_option, readable_sources, table
from crawler.commands.status import ledger_of, placed, state_option

if TYPE_CHECKING:
    from crawler.archive.ledger import Ledger
    from crawler.days import Days
    from crawler.sources import Source

_MOST_DAYS = 30
"""Days of a source that are shown where none were named."""
_day = click.DateTime(["%Y-%m-%d"])


@click.command("gaps", help="Show by day what was listed, kept and refused of SOURCE (or all), and days not covered.")
@click.argument("name", metavar="[SOURCE]", required=False)
@click.option("--from", "first", type=_day, metavar="DAY", help="From this day on, such as 2026-03-01.")
@click.option("--to", "last", type=_day, metavar="DAY", help="Up to this day.")
@click.option("--check", is_flag=True, help="Exit code 5 where there is a gap.")
@archive_option
@state_option
@json_option
@explained
def command(
    name: str | None,
    first: datetime | None,
    last: datetime | None,
    check: bool,
    archive: Path | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Thin: reads the ledger, writes nothing."""
    import json

    from crawler.days import Days
    from crawler.report import LEFT
    from crawler.yamlfile import SettingsError, near

    folder, where = placed(archive, state)
    known = {source.id: source for source in readable_sources(folder)}
    if name is not None and name not in known:
        raise SettingsError([f"no source is called '{name}'.{near(name, known)} To see all: presskeep sources"])
    ledger = ledger_of(folder, where)
    if ledger is None:
        click.echo(f"No run yet in {folder}. Next: presskeep crawl SOURCE{where or f' --archive {folder}'}")
        return
    window = Days(first.date() if first else date.min, last.date() if last else date.max)
    chosen = [known[name]] if name is not None else list(known.values())
    told = told_of(ledger, chosen, window, where, whole=bool(first or last))
    ledger.close()
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _show(told)
    if check and told["gaps"]:
        sys.exit(LEFT)


def told_of(ledger: Ledger, sources: list[Source], window: Days, where: str, *, whole: bool) -> dict[str, Any]:
    """Gaps and days, newest first; all days of the window where it is ``whole``, else the latest of each source."""
    from crawler.coverage import open_gaps

    names = {source.id for source in sources}
    found = [gap for gap in open_gaps(ledger, sources) if gap.source in names and gap.days.meets(window)]
    gaps = [
        {
            "source": gap.source,
            "list": gap.address,
            "first": gap.days.first.isoformat(),
            "last": gap.days.last.isoformat(),
            "next": f"{gap.command}{where}",
        }
        for gap in found
    ]
    days, hidden = [], 0
    for source in sorted(sources, key=lambda one: one.id):
        rows = _days_of(ledger, source, [gap.days for gap in found if gap.source == source.id], window)
        days += rows if whole else rows[:_MOST_DAYS]
        hidden += 0 if whole else len(rows[_MOST_DAYS:])
    return {"gaps": gaps, "days": days, "hidden": hidden}


def _days_of(ledger: Ledger, source: Source, gaps: list[Days], window: Days) -> list[dict[str, Any]]:
    from crawler.coverage import Tally, tallies

    known = tallies(ledger, source.id, source.zone)
    unknown = {day for gap in gaps for day in gap}
    return [
        {
            "source": source.id,
            "day": day.isoformat(),
            "listed": told.listed,
            "kept": told.kept,
            "refused": told.refused,
            "unknown": day in unknown,
            "by": dict(told.by),
        }
        for day in sorted({*known, *unknown}, reverse=True)
        if window.holds(day)
        for told in [known.get(day, Tally())]
    ]


def _show(told: dict[str, Any]) -> None:
    columns = ("source", "day", "listed", "kept", "refused", "unknown", "day told by")
    rows = [
        (
            one["source"],
            one["day"],
            one["listed"],
            one["kept"],
            one["refused"],
            "gap" if one["unknown"] else "",
            ", ".join(f"{by} {number}" for by, number in sorted(one["by"].items())),
        )
        for one in told["days"]
    ]
    if rows:
        table("Days", columns, rows)
    if told["hidden"]:
        click.echo(f"and {told['hidden']} earlier days; to see them: --from DAY")
    if not told["gaps"]:
        click.echo("No gaps.")
        return
    table(
        "Gaps",
        ("source", "from", "to", "list"),
        [[one[name] for name in ("source", "first", "last", "list")] for one in told["gaps"]],
    )
    for one in told["gaps"]:
        click.echo(f"{one['source']}: next: {one['next']}")
