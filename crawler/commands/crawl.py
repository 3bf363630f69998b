"""``presskeep crawl``: follow the lists of sources and keep what is new."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.commands.common import (
    TREE_OUTPUT,
    archive_option,
    explained,
    fail,
    load_sources,
    open_site,
    readable_sources,
    replay_option,
    table,
)

if TYPE_CHECKING:
    from crawler.report import Report
    from crawler.run import Run
    from crawler.site import Site
    from crawler.sources import Source


@click.command("crawl", help="Crawl SOURCES (ids or YAML files); without any, all of the archive's own.")
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@archive_option
@replay_option
@click.option(
    "--urls",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Addresses of articles as well, one a line, of one SOURCE; - for stdin.",
)
@click.option("--limit", type=click.IntRange(min=0), default=0, metavar="N", help="At most N articles per source.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of ledger and captures, instead of the archive's.",
)
@click.option("--own-python", is_flag=True, help="Load <id>.py beside the archive's own sources: it may do anything.")
@click.option("-v", "--verbose", is_flag=True, help="Scrapy's log as well.")
@explained
def command(
    names: tuple[str, ...],
    archive: Path | None,
    replay: tuple[Path, ...],
    urls: str | None,
    limit: int,
    state: Path | None,
    own_python: bool,
    verbose: bool,
) -> None:
    """Thin: loads, crawls, shows the table."""
    import os

    from crawler.site import find_archive

    folder = archive or find_archive(Path.cwd()) or TREE_OUTPUT
    if replay:  # `--replay *.warc.gz` leaves all but the first file among the names
        replay = (*replay, *(Path(name) for name in names if name.endswith(".warc.gz")))
        names = tuple(name for name in names if not name.endswith(".warc.gz"))
    sources = load_sources(names, folder)
    if not sources:
        fail(f"{folder / 'sources'} holds no source. To see those that ship: presskeep sources", 2)
    if urls:
        if len(sources) > 1:
            fail(f"--urls is for one SOURCE (got {len(sources)})", 2)
        sources = [with_file(sources[0], urls)]
    if state:
        os.environ["PRESSKEEP_STATE"] = str(state.resolve())
    code = crawl(folder, sources, replay=replay, limit=limit, own_python=own_python, verbose=verbose)
    sys.exit(code)


def with_file(source: Source, path: str) -> Source:
    """The source with one more list: a file of addresses, ``-`` for stdin."""
    from crawler.lists import FileList

    one = FileList(kind="file", path=path if path == "-" else str(Path(path).resolve()))
    return source.model_copy(update={"lists": [*source.lists, one]})


def crawl(
    archive: Path,
    sources: Sequence[Source],
    *,
    replay: Sequence[Path] = (),
    limit: int = 0,
    own_python: bool = False,
    verbose: bool = False,
) -> int:
    """Run one crawl; its exit code. Raises what ``Run`` and ``Captures`` raise before anything is asked."""
    from crawler.engine import crawl_run
    from crawler.replay import Captures

    captures = Captures(replay) if replay else None
    site = open_site(archive, sources[0].timezone)
    run = open_run(archive, site, sources)
    for line in run.mended:
        click.echo(f"mended: {line}", err=True)
    code = crawl_run(run, sources, captures, limit=limit, own_python=own_python, verbose=verbose)
    show(run.report)
    return code


def open_run(archive: Path, site: Site, sources: Sequence[Source]) -> Run:
    """The archive, ready for a run; a torn or lost ledger is made anew first, and that is said."""
    from crawler.archive.ledger import LedgerLost
    from crawler.commands.rebuild_ledger import tell
    from crawler.rebuild import rebuild
    from crawler.run import Run

    try:
        return Run(archive, site, sources)
    except LedgerLost as error:
        click.echo(f"mended: {error}", err=True)
        known = {source.id: source for source in (*readable_sources(archive), *sources)}
        tell(rebuild(archive, site, list(known.values())))
        return Run(archive, site, sources)


def show(report: Report, *, quiet: bool = False) -> None:
    """The table of a run, unless ``quiet``, and each problem on a line."""
    from crawler.journal import ERROR, INFO, say

    columns = ("source", "listed", "new", "kept", "refused", "seconds")
    rows = [
        (one.source, one.listed, one.new, one.kept, one.refused, round(one.seconds, 1))
        for one in report.sources.values()
    ]
    for one in report.sources.values():
        for problem in one.problems:
            say(f"{one.source}: {problem.address}: {problem.what}")
        if one.more_problems:
            say(f"{one.source}: and {one.more_problems} more")
    for line in report.alarm_lines():
        say(line, ERROR)
    if report.halted:
        say(f"the run was stopped: {report.halted}", ERROR)
    if report.budget and not quiet:
        waiting, lists = (
            sum(getattr(one, name) for one in report.sources.values()) for name in ("waiting", "skipped_lists")
        )
        say(f"budget spent: {report.budget}; {waiting} articles and {lists} lists wait for the next run", INFO)
    if not quiet:
        table("", columns, rows)
