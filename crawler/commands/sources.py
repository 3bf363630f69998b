"""``presskeep sources``: the sources there are, and when each last ran."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crawler.commands.common import archive_option, explained, json_option, table


@click.command("sources", help="List sources, the archive's own and those that ship, with their last run.")
@archive_option
@json_option
@explained
def command(archive: Path | None, as_json: bool) -> None:
    """Thin: one row per source file, also for one that cannot be read."""
    import json

    from crawler.site import find_archive

    folder = archive or find_archive(Path.cwd())
    rows = source_rows(folder)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    columns = ("id", "name", "language", "verified", "last run", "kept", "from")
    table("", columns, [[row.get(column, "") for column in columns] for row in rows])


def source_rows(archive: Path | None) -> list[dict[str, Any]]:
    """What is known of each source."""
    from crawler.sources import SHIPPED, folders_for, load_source, source_paths
    from crawler.yamlfile import SettingsError

    ran, kept = _history(archive)
    rows: list[dict[str, Any]] = []
    for name, path in source_paths(folders_for(archive)).items():
        row: dict[str, Any] = {"id": name, "from": "shipped" if path.parent == SHIPPED else str(path)}
        try:
            source = load_source(path)
            row |= {"name": source.name, "language": source.language, "verified": source.verified.how}
        except SettingsError as error:
            row |= {"name": "cannot be read", "verified": error.problems[0]}
        rows.append({**row, "last run": ran.get(name, ""), "kept": kept.get(name, 0)})
    return rows


def _history(archive: Path | None) -> tuple[dict[str, str], dict[str, int]]:
    """Source -> time of its last run, and -> number of its posts."""
    from crawler.commands.status import ledger_of

    ledger = ledger_of(archive) if archive else None
    if ledger is None:
        return {}, {}
    ran: dict[str, str] = {}
    for run in reversed(ledger.last_runs()):
        ran.update({one["source"]: run["started"] for one in run["report"].get("sources", ())})
    kept = {source: states.get("done", 0) for source, states in ledger.counts().items()}
    ledger.close()
    return ran, kept
