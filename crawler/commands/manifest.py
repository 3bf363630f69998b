"""``presskeep manifest``: digests of all that the archive holds, signed where there is a key; as a bag where asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from crawler.commands.common import archive_option, explained, fail, json_option
from crawler.commands.status import placed, state_option


@click.command("manifest", help="Write a digest for each file into .manifest/ (BagIt); verify --manifest checks them.")
@click.option("--sign", "key", type=click.Path(path_type=Path), metavar="KEY", help="SSH key to sign it with.")
@click.option("--captures/--no-captures", default=True, help="Without: for copies that have none, as those by git.")
@click.option("--bag", "target", type=click.Path(path_type=Path), metavar="DIR", help="A BagIt bag, of hard links.")
@archive_option
@state_option
@json_option
@explained
def command(
    key: Path | None, captures: bool, target: Path | None, archive: Path | None, state: Path | None, as_json: bool
) -> None:
    """Thin: under the lock, so that the manifest is of one moment."""
    import json
    from datetime import UTC, datetime

    from crawler.archive.locks import Lock
    from crawler.bag import bag
    from crawler.manifest import make
    from crawler.report import REFUSED_INPUT
    from crawler.run import state_folder
    from crawler.signing import SigningError
    from crawler.site import load_site

    folder, _ = placed(archive, state)
    site, today = load_site(folder), datetime.now(UTC).date()
    lock = Lock.of_those_there(folder, state_folder(folder, site))
    try:
        made = make(folder, site, today, key, captures=captures, tick=counter())
        if target:
            bag(folder, site, made, target, today, key)
    except (SigningError, FileExistsError) as error:
        fail(str(error), REFUSED_INPUT)
    finally:
        lock.release()
    told = {
        "files": len(made.held),
        "bytes": made.size,
        "read": made.read,
        "changed": made.changed,
        "signed": bool(made.manifest.signature),
    }
    if as_json:
        click.echo(json.dumps(told))
    else:
        what = "written" if made.changed else "the same as before"
        signed = "signed" if told["signed"] else "not signed"
        click.echo(f"{told['files']} files, {told['bytes']} bytes, {told['read']} read; manifest {what}, {signed}")


def counter() -> Callable[[int, int], None]:
    """Shows on a terminal how many files of how many are done, now and then."""
    shown = time.monotonic()

    def tick(done: int, of: int) -> None:
        nonlocal shown
        if sys.stderr.isatty() and (done == of or time.monotonic() > shown + 0.5):
            shown = time.monotonic()
            click.echo(f"\r{done} of {of} files" + ("\n" if done == of else ""), nl=False, err=True)

    return tick
