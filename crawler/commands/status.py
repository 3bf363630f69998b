"""``presskeep status``: what the last runs did, what waits, what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import (
    archive_option,
    existing_archive,
    explained,
    fail,
    json_option,
    readable_sources,
    table,
)

if TYPE_CHECKING:
    from crawler.archive.ledger import Ledger
    from crawler.site import Site


state_option = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of ledger and captures, instead of the archive's.",
)


@click.command("status", help="Show the last runs, what waits in the queue, and what was refused and why.")
@archive_option
@state_option
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1, 100), help="So many runs.")
@json_option
@explained
def command(archive: Path | None, state: Path | None, runs: int, as_json: bool) -> None:
    """Thin: reads the ledger, writes nothing."""
    import json

    from crawler.coverage import gap_lines

    folder, where = placed(archive, state)
    ledger = ledger_of(folder, where)
    if ledger is None:
        click.echo(f"No run yet in {folder}. Next: presskeep crawl SOURCE{where or f' --archive {folder}'}")
        return
    last, gaps = ledger.last_runs(runs), gap_lines(ledger, lambda: readable_sources(folder), where)
    told = {
        "runs": last,
        "keys": ledger.counts(),
        "refused": ledger.refusals(),
        "second_looks": ledger.second_looks(),
        "disagreements": ledger.disagreements(),
        "gaps": gaps,
        "next": _next(last, where),
    }
    ledger.close()
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _show(told)


def placed(archive: Path | None, state: Path | None) -> tuple[Path, str]:
    """The archive to work on, and what to put behind commands so that they work on it from anywhere: what was given."""
    import os

    from crawler.place import place

    if state:
        os.environ["PRESSKEEP_STATE"] = str(state.resolve())
    return existing_archive(archive), place(archive, state)


def ledger_of(archive: Path, where: str = "") -> Ledger | None:
    """The ledger of an archive, to be read; None where there was no run yet. Raises LedgerError with the next command
    to type, ``where`` behind it."""
    from crawler.archive.ledger import Ledger, LedgerLost
    from crawler.run import state_folder
    from crawler.site import load_site

    path = state_folder(archive, load_site(archive)) / "ledger.sqlite"
    try:
        return Ledger.to_read(path) if path.is_file() else None
    except LedgerLost as error:
        raise LedgerLost(f"{error}{where}") from error


@contextmanager
def locked(archive: Path, site: Site, where: str) -> Iterator[Ledger]:
    """The ledger of an archive, to be written, under the archive's lock. Ends with exit code 2 and the next command,
    ``where`` behind it, where there was no run yet; raises Busy."""
    from crawler.archive.ledger import Ledger
    from crawler.archive.locks import Lock
    from crawler.report import REFUSED_INPUT
    from crawler.run import state_folder

    path = state_folder(archive, site) / "ledger.sqlite"
    if not path.is_file():
        fail(f"no run yet in {archive}. Next: presskeep crawl SOURCE{where or f' --archive {archive}'}", REFUSED_INPUT)
    lock = Lock(archive, path.parent)
    try:
        ledger = Ledger(path)
        yield ledger
        ledger.close()
    finally:
        lock.release()


def _next(runs: list[dict[str, Any]], where: str) -> dict[str, str]:
    """Source -> the command to type next, of those for which there is one."""
    from crawler.health import latest, next_step

    steps = {name: next_step(one, where) for name, one in sorted(latest(runs).items())}
    return {name: step for name, step in steps.items() if step and not step.startswith("presskeep status")}


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
        backfills = [{**one, "source": f"{one['source']} (backfill)"} for one in run["report"].get("backfills", ())]
        for one in [*run["report"].get("sources", [{}]), *backfills]:
            cells = [one.get(name, "") for name in ("source", "listed", "new", "kept", "refused", "waiting")]
            ended = run["exit_code"] if run["ended"] else "did not end"
            rows.append([run["id"], run["started"], ended, *cells, one.get("failed_lists", ""), class_of_report(one)])
    table("Runs", columns, rows)
    states = ("queued", "done", "refused", "alias", "absent")
    table("Keys", ("source", *states), [[name, *(n.get(s, 0) for s in states)] for name, n in told["keys"].items()])
    if told["disagreements"]:
        differ = [(s, key, field, *words) for s, key, notes in told["disagreements"] for field, words in notes.items()]
        table("List and page disagree", ("source", "key", "field", "list", "page"), differ)
    for title, name in (("Refused", "refused"), ("Second looks", "second_looks")):
        if told[name]:
            table(title, ("source", "key", "reason"), told[name])
    for line in told["gaps"]:
        click.echo(line)
    say_next(told["next"])


def say_next(steps: dict[str, str]) -> None:
    """The commands to type, each on a line that no table folds."""
    for name, step in steps.items():
        click.echo(f"{name}: next: {step}")
