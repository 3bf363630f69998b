"""``presskeep unpack``: gives packed months back to Jekyll."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.commands.common import archive_option, explained, fail, json_option
from crawler.commands.status import state_option


@click.command("unpack", help="Give packed months back to Jekyll, as if they had never been packed.")
@click.argument("months", nargs=-1, metavar="[MONTH]...")
@click.option("--all", "whole", is_flag=True, help="All of them.")
@archive_option
@state_option
@json_option
@explained
def command(months: tuple[str, ...], whole: bool, archive: Path | None, state: Path | None, as_json: bool) -> None:
    """Thin: under the lock."""
    from crawler.commands.pack import opened, show
    from crawler.pack.pack import unpack
    from crawler.report import REFUSED_INPUT

    if bool(months) == whole:
        raise click.UsageError("name months such as 2022-05, or --all")
    with opened(archive, state) as place:
        try:
            done = unpack(place, None if whole else months)
        except LookupError as error:
            fail(str(error), REFUSED_INPUT)
    show(done, as_json)
