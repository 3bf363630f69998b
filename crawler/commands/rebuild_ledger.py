"""``presskeep rebuild-ledger``: the ledger anew from posts and captures."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.commands.common import archive_option, existing_archive, explained, readable_sources


@click.command("rebuild-ledger", help="Make the ledger anew from posts and captures; the old one is set aside.")
@archive_option
@explained
def command(archive: Path | None) -> None:
    """Thin: says what was found and what stays unclear."""
    from crawler.rebuild import rebuild
    from crawler.site import load_site

    folder = existing_archive(archive)
    done = rebuild(folder, load_site(folder), readable_sources(folder))
    for line in done.unclear or ():
        click.echo(line, err=True)
    if done.aside:
        click.echo(f"The old ledger was set aside as {done.aside}.")
    click.echo(f"{done.posts} posts, {done.captures} captures, {done.waiting} articles waiting.")
    click.echo(f"Next: presskeep verify --archive {folder}")
