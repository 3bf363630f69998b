"""``presskeep rebuild-ledger``: the ledger anew from posts and captures."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from crawler.commands.common import archive_option, explained, readable_sources
from crawler.commands.status import placed, state_option

if TYPE_CHECKING:
    from crawler.rebuild import Rebuilt


@click.command(
    "rebuild-ledger", help="Make the ledger anew from posts, captures and run reports; the old is set aside."
)
@archive_option
@state_option
@explained
def command(archive: Path | None, state: Path | None) -> None:
    """Thin: says what was found and what stays unclear."""
    from crawler.rebuild import rebuild
    from crawler.site import load_site

    folder, _ = placed(archive, state)
    tell(rebuild(folder, load_site(folder), readable_sources(folder)))
    where = f"PRESSKEEP_STATE={quote(str(state.resolve()))} " if state else ""  # verify has no option for it
    click.echo(f"Next: {where}presskeep verify --archive {quote(str(folder))}", err=True)


def tell(done: Rebuilt) -> None:
    """What was found, what stays unclear, and what cannot be had any more."""
    for line in done.unclear:
        click.echo(line, err=True)
    if any("source or key" in line for line in done.unclear):
        click.echo(
            "Next, for posts by another hand: presskeep import jekyll DIR --archive DIR, both the archive", err=True
        )
    if done.aside:
        click.echo(f"the old ledger was set aside as {done.aside}", err=True)
    click.echo(f"ledger made anew: {done.posts} posts, {done.captures} captures, {done.waiting} waiting", err=True)
    click.echo(f"of articles that are gone upstream {done.gone} are known, from run reports", err=True)
    click.echo(
        "lost with the old one: which addresses were aliases, why articles were refused, what second looks found, "
        "whether pages said themselves when they were published, validators of lists; the next runs learn them anew; "
        "and gaps: those of now on are told",
        err=True,
    )
