"""``presskeep export``: the archive for other archives, feed readers and tables; whole, or what came since a number."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from crawler.commands.common import archive_option, explained, fail, json_option
from crawler.commands.status import ledger_of, placed, state_option

if TYPE_CHECKING:
    from crawler.archive.changelog import Entry
    from crawler.archive.ledger import Ledger
    from crawler.export.shelf import Publisher, Shelf

    Lines = Callable[[], Iterator[Entry]]
    Write = Callable[[TextIO], int]

FORMS = {"jsonl": None, "csv": None, "atom": 50, "jsonfeed": 50, "sitemap": 1000}
"""Form -> posts that it holds where no number is given; None for all."""
_SINCE = re.compile(r"([0-9]{1,18})(?:@([0-9a-f]+))?")


def _number(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, str]:
    """(number, id of its log, empty where that is not given)"""
    if (match := _SINCE.fullmatch(value)) is None:
        raise click.BadParameter(
            f"{value!r} is no number that an export gave. To have all: leave --since out", ctx, param
        )
    return int(match[1]), match[2] or ""


@click.command("export", help="Write the archive's posts for others: all, or what came after number N.")
@click.argument("form", type=click.Choice(list(FORMS)))
@click.option("--since", callback=_number, default="0", metavar="N", help="What came after; an export says its next N.")
@click.option("--source", default="", metavar="ID", help="Of this source alone.")
@click.option("--newest", type=click.IntRange(1, 50_000), metavar="COUNT", help="For atom, jsonfeed and sitemap.")
@click.option("--out", default="-", metavar="FILE", help="Default: -, standard output.")
@archive_option
@state_option
@json_option
@explained
def command(
    form: str,
    since: tuple[int, str],
    source: str,
    newest: int | None,
    out: str,
    archive: Path | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Thin: reads ledger and posts, writes nothing but FILE. With --json a summary, on stderr where the export itself
    goes to standard output."""
    import json

    from crawler.archive import changelog
    from crawler.report import REFUSED_INPUT

    if newest and FORMS[form] is None:
        raise click.UsageError(f"--newest is for atom, jsonfeed and sitemap; {form} holds all")
    folder, where = placed(archive, state)
    ledger = ledger_of(folder, where)
    if ledger is None:
        fail(f"no run yet in {folder}. Next: presskeep crawl SOURCE{where or f' --archive {folder}'}", REFUSED_INPUT)
    _check_source(folder, ledger, source)
    log, upto = _log(ledger, since[1]), changelog.last(ledger)
    shelf = _shelf(folder, ledger)
    lines = partial(changelog.entries, ledger, since[0], upto, source)
    written = _write(_writer(form, lines, shelf, log, upto, newest), out)
    ledger.close()
    upto = max(upto, since[0])
    following = f"{upto}@{log}"
    if as_json:
        told = {"written": written, "left_out": shelf.left_out, "next": upto, "log": log, "since": following}
        click.echo(json.dumps(told), err=out == "-")
    else:
        click.echo(f"{written} written; next: --since {following}", err=True)


def _check_source(archive: Path, ledger: Ledger, source: str) -> None:
    """Raises SettingsError for one that has neither a file nor an article."""
    from crawler.sources import folders_for, source_paths
    from crawler.yamlfile import SettingsError, near

    known = {*source_paths(folders_for(archive)), *ledger.counts()} if source else {""}
    if source not in known:
        raise SettingsError([f"no source is called '{source}'.{near(source, known)} To see all: presskeep sources"])


def _log(ledger: Ledger, asked: str) -> str:
    """Id of the log. Ends with exit code 2 where the number is another log's."""
    from crawler.archive.changelog import log_id
    from crawler.archive.ledger import LedgerError
    from crawler.report import REFUSED_INPUT

    log = log_id(ledger)
    if not log:
        raise LedgerError(f"{ledger.path}: has no change log yet. Next: presskeep status, where it may be written to")
    if asked and asked != log:
        fail(f"--since: a number of log {asked}, but the ledger was made anew. Next: leave --since out", REFUSED_INPUT)
    return log


def _shelf(archive: Path, ledger: Ledger) -> Shelf:
    from crawler.export.shelf import Shelf
    from crawler.site import load_site

    publishers = dict(_publishers(archive, ledger.counts()))
    return Shelf(archive, load_site(archive), publishers, lambda line: click.echo(line, err=True))


def _publishers(archive: Path, names: Collection[str]) -> Iterator[tuple[str, Publisher]]:
    """Those of these sources whose files can be read."""
    from crawler.export.shelf import Publisher
    from crawler.sources import folders_for, load_source, source_paths
    from crawler.yamlfile import SettingsError

    for name, path in source_paths(folders_for(archive)).items():
        with suppress(SettingsError):
            if name in names:
                source = load_source(path)
                yield name, Publisher(source.name, source.language)


def _writer(form: str, lines: Lines, shelf: Shelf, log: str, upto: int, newest: int | None) -> Write:
    from crawler.export import feeds, jsonl, sitemap, table

    if form == "jsonl":
        return lambda out: jsonl.write(out, lines(), shelf, log, upto)
    if form == "csv":
        return lambda out: table.write(out, lines(), shelf)
    count = newest or FORMS[form] or 0
    write = {"atom": feeds.atom, "jsonfeed": feeds.jsonfeed, "sitemap": sitemap.write}[form]
    return lambda out: write(out, shelf.newest(lines, count), shelf)


def _write(write: Write, out: str) -> int:
    """Ends with exit code 1 where nobody reads standard output on."""
    from crawler.export.output import standard, whole
    from crawler.report import FAILED

    try:
        with standard() if out == "-" else whole(Path(out)) as text:
            return write(text)
    except BrokenPipeError:
        sys.exit(FAILED)
