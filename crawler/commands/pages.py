"""``presskeep pages``: the site's stubs and data files anew, of all posts."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.commands.common import archive_option, explained, fail
from crawler.commands.status import placed, state_option


@click.command(
    "pages", help="Write the site's pages of days, sources, categories and tags, and its data files, anew; runs do so."
)
@archive_option
@state_option
@explained
def command(archive: Path | None, state: Path | None) -> None:
    """Thin: under the lock, from ledger and posts."""
    from crawler.archive.ledger import Ledger
    from crawler.archive.locks import Lock
    from crawler.report import REFUSED_INPUT
    from crawler.run import load_outlets, state_folder
    from crawler.site import load_site
    from crawler.sitedata import refresh

    folder, where = placed(archive, state)
    site = load_site(folder)
    path = state_folder(folder, site) / "ledger.sqlite"
    if not path.is_file():
        fail(f"no run yet in {folder}. Next: presskeep crawl SOURCE{where or f' --archive {folder}'}", REFUSED_INPUT)
    lock = Lock(folder, path.parent)
    try:
        ledger = Ledger(path)
        written = refresh(folder, site, ledger, load_outlets(folder), whole=True)
        ledger.close()
    finally:
        lock.release()
    click.echo(f"{len(written)} files written")
