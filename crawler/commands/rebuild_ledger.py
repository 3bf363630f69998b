"""``presskeep rebuild-ledger``: the ledger anew from posts and captures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.commands.common import archive_option, existing_archive, explained, readable_sources

if TYPE_CHECKING:
    from crawler.rebuild import Rebuilt


@click.command("rebuild-ledger", help="Make the ledger anew from posts and captures; the old one is set aside.")
@archive_option
@explained
def command(archive: Path | None) -> None:
    """Thin: says what was found and what stays unclear."""
    from crawler.rebuild import rebuild
    from crawler.site import load_site

    folder = existing_archive(archive)
    tell(rebuild(folder, load_site(folder), readable_sources(folder)))
    click.echo(f"Next: presskeep verify --archive {folder}", err=True)


def tell(done: Rebuilt) -> None:
    """What was found, and what stays unclear."""
    for line in done.unclear:
        click.echo(line, err=True)
    if done.aside:
        click.echo(f"the old ledger was set aside as {done.aside}", err=True)
    click.echo(f"ledger made anew: {done.posts} posts, {done.captures} captures, {done.waiting} waiting", err=True)
    click.echo("which articles are gone upstream is lost with the old one; the next looks at them tell", err=True)
