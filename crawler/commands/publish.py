"""``presskeep publish git``: what is new in the archive as one commit, pushed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.commands.common import archive_option, explained, fail
from crawler.commands.status import ledger_of, placed, state_option

if TYPE_CHECKING:
    from crawler.publish import Found, Repository


@click.group("publish", help="Take the archive to where it is published from.")
def command() -> None:
    """Thin."""


@command.command("git", help="Commit what is new, take in what others pushed, push.")
@click.option("--remote", default="origin", show_default=True, help="Name of the remote.")
@click.option("--branch", default="", help="Branch of the remote. Default: the name of the one checked out.")
@click.option("--message", default="", help="Of the commit. Default: how many posts, of which sources.")
@click.option("--packed", is_flag=True, help="The pages of packed months as well.")
@click.option("--no-push", is_flag=True, help="Commit alone.")
@click.option("--dry-run", is_flag=True, help="Say what would be committed.")
@archive_option
@state_option
@explained
def git(
    remote: str,
    branch: str,
    message: str,
    packed: bool,
    no_push: bool,
    dry_run: bool,
    archive: Path | None,
    state: Path | None,
) -> None:
    """Thin. The archive is locked while it is read and while others' posts are put into it; not while it is pushed."""
    from crawler.publish import Conflict, PublishError, Repository, Unheard, Unready
    from crawler.report import FAILED, LEFT, LIST_FAILED, REFUSED_INPUT

    folder, _ = placed(archive, state)
    try:
        repository = Repository(folder)
        here = repository.branch()
        if not no_push:
            repository.remote(remote)
        commit = partial(_commit, folder, repository, message, packed)
        with _locked(folder):
            found = commit(dry_run)

        def take_in() -> None:
            repository.fetch(remote)
            with _locked(folder):
                commit(quiet=True)  # a crawl may have gone on meanwhile
                if repository.take_in(remote, branch or here):
                    click.echo(f"took in what others pushed to {remote}/{branch or here}")

        if not (dry_run or no_push):
            take_in()
            if repository.push(remote, branch or here, take_in):
                click.echo(f"pushed to {remote}/{branch or here}")
    except PublishError as error:
        codes = {Unready: REFUSED_INPUT, Unheard: LIST_FAILED, Conflict: LEFT}
        fail(str(error), codes.get(type(error), FAILED))
    if found.missing:
        more = f" and {len(found.missing) - 1} more" if len(found.missing) > 1 else ""
        click.echo(
            f"missing, and not committed away: {found.missing[0]}{more}. Next: git -C {folder} restore .", err=True
        )
        sys.exit(FAILED)


def _commit(
    folder: Path, repository: Repository, message: str, packed: bool, dry_run: bool = False, quiet: bool = False
) -> Found:
    """Under the lock. ``quiet``: of nothing nothing is said. Raises PublishError."""
    from crawler.publish import message_of

    repository.settle()
    found = repository.found(packed=packed)
    if found.foreign and not quiet:
        click.echo(f"left alone: {', '.join(found.foreign[:5])}{' …' if len(found.foreign) > 5 else ''}", err=True)
    said = message or message_of(found.posts, _sources(folder, found.posts), len(found.paths))
    if dry_run:
        click.echo(f"would commit {len(found.paths)} files: {said}" if found.paths else "nothing to commit")
    elif repository.commit(found, said):
        click.echo(f"committed: {said.splitlines()[0]}")
        repository.pack()
    elif not quiet:
        click.echo("nothing to commit")
    return found


@contextmanager
def _locked(archive: Path) -> Iterator[None]:
    """Raises Busy where a run is active."""
    from crawler.archive.locks import Lock
    from crawler.run import state_folder
    from crawler.site import load_site

    lock = Lock.of_those_there(archive, state_folder(archive, load_site(archive)))
    try:
        yield
    finally:
        lock.release()


def _sources(archive: Path, posts: list[str]) -> dict[str, str]:
    """Post -> id of its source, as far as a ledger knows."""
    from crawler.archive.ledger import LedgerError
    from crawler.publish import sources_of

    try:
        ledger = ledger_of(archive)
    except LedgerError:
        return {}
    if ledger is None:
        return {}
    try:
        return sources_of(ledger, posts)
    finally:
        ledger.close()
