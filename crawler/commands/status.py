"""``presskeep status``: what the last runs did, what waits, what was refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, existing_archive, explained, json_option, table

if TYPE_CHECKING:
    from crawler.archive.ledger import Ledger


@click.command("status", help="Show the last runs, what waits in the queue, and what was refused and why.")
@archive_option
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1, 100), help="So many runs.")
@json_option
@explained
def command(archive: Path | None, runs: int, as_json: bool) -> None:
    """Thin: reads the ledger, writes nothing."""
    import json

    folder = existing_archive(archive)
    ledger = ledger_of(folder)
    if ledger is None:
        click.echo(f"No run yet in {folder}. Next: presskeep crawl SOURCE --archive {folder}")
        return
    told = {
        "runs": ledger.last_runs(runs),
        "keys": ledger.counts(),
        "refused": ledger.refusals(),
        "disagreements": ledger.disagreements(),
    }
    ledger.close()
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _show(told)


def ledger_of(archive: Path) -> Ledger | None:
    """The ledger of an archive, None where there was no run yet."""
    from crawler.archive.ledger import Ledger
    from crawler.run import state_folder
    from crawler.site import load_site

    path = state_folder(archive, load_site(archive)) / "ledger.sqlite"
    return Ledger(path) if path.is_file() else None


def _show(told: dict[str, Any]) -> None:
    from crawler.health import class_of_report

    columns = (
        "run",
        "started",
        "exit",
        "source",
        "listed",
        "new",
        "kept",
        "refused",
        "waiting",
        "failed lists",
        "class",
    )
    rows = []
    for run in told["runs"]:
        for one in run["report"].get("sources", [{}]):
            cells = [one.get(name, "") for name in ("source", "listed", "new", "kept", "refused", "waiting")]
            ended = run["exit_code"] if run["ended"] else "did not end"
            rows.append([run["id"], run["started"], ended, *cells, one.get("failed_lists", ""), class_of_report(one)])
    table("Runs", columns, rows)
    states = ("queued", "done", "refused", "alias")
    table("Keys", ("source", *states), [[name, *(n.get(s, 0) for s in states)] for name, n in told["keys"].items()])
    if told["disagreements"]:
        differ = [(s, key, field, *words) for s, key, notes in told["disagreements"] for field, words in notes.items()]
        table("List and page disagree", ("source", "key", "field", "list", "page"), differ)
    if told["refused"]:
        table("Refused", ("source", "key", "reason"), told["refused"])
