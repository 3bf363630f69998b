"""``presskeep pack``: months behind the hot window as pages that Jekyll need not make."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, explained, fail, json_option, readable_sources
from crawler.commands.status import locked, placed, state_option

if TYPE_CHECKING:
    from crawler.pack.pack import Done, Place


@click.command("pack", help="Render the pages of old months once, so that Jekyll builds the newest alone.")
@click.option("--all", "whole", is_flag=True, help="Look at every page, not only at what changed since the last time.")
@click.option("--force", is_flag=True, help="Months with Markdown that presskeep does not write as well.")
@archive_option
@state_option
@json_option
@explained
def command(whole: bool, force: bool, archive: Path | None, state: Path | None, as_json: bool) -> None:
    """Thin: under the lock."""
    from crawler.pack.pack import pack

    with opened(archive, state) as place, progress() as tell:
        done = pack(place, whole=whole, force=force, tell=tell)
    for month, why in done.left.items():
        click.echo(f"{month} stays with Jekyll: {why}. To pack it all the same: presskeep pack --force", err=True)
    show(done, as_json)


@contextmanager
def opened(archive: Path | None, state: Path | None) -> Iterator[Place]:
    """The archive under its lock. Ends with exit code 2 where there was no run, and with 1 for a layout that fails."""
    from liquid.exceptions import LiquidError

    from crawler.pack.pack import Place
    from crawler.report import FAILED
    from crawler.run import load_outlets, state_folder
    from crawler.site import load_site

    folder, where = placed(archive, state)
    site = load_site(folder)
    try:
        with locked(folder, site, where) as ledger:
            sources = readable_sources(folder)
            yield Place(folder, state_folder(folder, site), site, ledger, load_outlets(folder), sources)
    except LiquidError as error:
        fail(f"a layout cannot be rendered: {error.detailed_message()}", FAILED)


def show(done: Done, as_json: bool) -> None:
    """What was done."""
    import json
    from dataclasses import asdict

    if as_json:
        click.echo(json.dumps(asdict(done), ensure_ascii=False))
        return
    packed = f"{len(done.months)} months packed, {sum(done.months.values())} posts"
    click.echo(f"{packed}; {done.written} pages written, {done.removed} files removed")
    if done.released:
        click.echo(f"Jekyll builds again: {', '.join(done.released)}")


@contextmanager
def progress() -> Iterator[Any]:
    """A bar on a terminal; under cron a line for each tenth."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("pack")
            yield lambda month, done, total: bar.update(task, description=f"pack {month}", completed=done, total=total)
        return

    def line(month: str, done: int, total: int) -> None:
        if total >= 10 and done % -(-total // 10) == 0:
            click.echo(f"packing {month}: {done} of {total} months", err=True)

    yield line
