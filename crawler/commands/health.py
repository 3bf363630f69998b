"""``presskeep health``: what each source brought by day, its class, and the next command to type."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, explained, json_option, readable_sources, table
from crawler.commands.status import ledger_of, placed, say_next, state_option

if TYPE_CHECKING:
    from crawler.archive.ledger import Ledger


@click.command("health", help="Show each source's last fourteen days, whether it is broken, and what to type next.")
@archive_option
@state_option
@json_option
@explained
def command(archive: Path | None, state: Path | None, as_json: bool) -> None:
    """Thin: reads the ledger, writes nothing."""
    import json

    from crawler.coverage import gap_lines

    folder, where = placed(archive, state)
    ledger = ledger_of(folder, where)
    if ledger is None:
        click.echo(f"No run yet in {folder}. Next: presskeep crawl SOURCE{where or f' --archive {folder}'}")
        return
    told, gaps = told_of(ledger, where), gap_lines(ledger, lambda: readable_sources(folder), where)
    ledger.close()
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _show(told)
        for line in gaps:
            click.echo(line)


def told_of(ledger: Ledger, where: str = "") -> list[dict[str, Any]]:
    """Each source with its class, its days and the next command, ``where`` behind it."""
    from datetime import UTC, datetime, timedelta

    from crawler.health import DAYS, class_of_report, days, latest, next_step

    now = datetime.now(UTC)
    runs = ledger.runs_since(now - timedelta(days=DAYS)) or ledger.last_runs(1)
    by_day = days(runs, now)
    return [
        {
            "source": name,
            "class": class_of_report(one),
            "what": one["alarms"][-1]["what"] if one.get("alarms") else "",
            "next": next_step(one, where),
            "days": {
                day: {"listed": brought.listed, "kept": brought.kept, "refused": dict(brought.refused)}
                for day, brought in sorted(by_day.get(name, {}).items())
            },
        }
        for name, one in sorted(latest(runs).items())
    ]


def _show(told: list[dict[str, Any]]) -> None:
    table("Sources", ("source", "class", "why"), [(one["source"], one["class"], one["what"]) for one in told])
    rows = [
        (one["source"], day, brought["listed"], brought["kept"], _refused(brought["refused"]))
        for one in told
        for day, brought in one["days"].items()
    ]
    table("Days", ("source", "day", "listed", "kept", "refused"), rows)
    say_next({one["source"]: one["next"] for one in told if one["next"]})


def _refused(kinds: dict[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "0"
