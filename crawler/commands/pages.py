"""``presskeep pages``: the site's stubs and data files anew, of all posts."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.commands.common import archive_option, explained
from crawler.commands.status import locked, placed, state_option


@click.command(
    "pages", help="Write the site's pages of days, sources, categories and tags, and its data files, anew; runs do so."
)
@archive_option
@state_option
@explained
def command(archive: Path | None, state: Path | None) -> None:
    """Thin: under the lock, from ledger and posts."""
    from crawler.run import load_outlets
    from crawler.site import load_site
    from crawler.sitedata import refresh

    folder, where = placed(archive, state)
    site = load_site(folder)
    with locked(folder, site, where) as ledger:
        written = refresh(folder, site, ledger, load_outlets(folder), whole=True)
    click.echo(f"{len(written)} files written")
