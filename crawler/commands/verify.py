"""``presskeep verify``: the whole archive against the rules, without Ruby."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from crawler.commands.common import archive_option, existing_archive, explained, json_option, readable_sources


@click.command("verify", help="Check every post, the ledger, captures and Jekyll's settings; exit code 1 on any fault.")
@archive_option
@json_option
@explained
def command(archive: Path | None, as_json: bool) -> None:
    """Thin: one line per fault, file and rule."""
    import json

    from crawler.site import load_site
    from crawler.verify import faults, post_files

    folder = existing_archive(archive)
    found = list(faults(folder, load_site(folder), readable_sources(folder)))
    if as_json:
        click.echo(json.dumps([{"file": file, "fault": what} for file, what in found], ensure_ascii=False, indent=1))
    else:
        for file, what in found:
            click.echo(f"{file}: {what}")
        click.echo(f"{len(post_files(folder))} posts, {len(found)} faults in {folder}")
    sys.exit(1 if found else 0)
