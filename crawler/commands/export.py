"""``presskeep export``: the archive for other archives, feed readers and tables; whole, or what came since a number."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from crawler.commands.common import archive_option, explained, fail, json_option
from crawler.commands.status import ledger_of, placed, state_option

if TYPE_CHECKING:
    from crawler.archive.ledger import Ledger
    from crawler.export.order import Order
    from crawler.export.shelf import Publisher, Shelf
    from crawler.export.warc import Captures

    Write = Callable[[BinaryIO, Order], int]


@dataclass(frozen=True, slots=True)
class Form:
    """A form of export."""

    writer: str
    """``module:function`` of what writes it: (binary file, order) -> number of articles."""
    ending: str
    """Of its files, where presskeep names them."""
    newest: int = 0
    """Posts that it holds where no number is given; 0 for all."""
    captures: bool = False
    """Whether it is made of captures."""
    updater: str = ""
    """Likewise of what brings a file that is there up to date: (path, order) -> number of articles."""


FORMS = {
    "jsonl": Form("crawler.export.jsonl:write", "jsonl"),
    "csv": Form("crawler.export.table:write", "csv"),
    "atom": Form("crawler.export.feeds:atom", "atom", newest=50),
    "jsonfeed": Form("crawler.export.feeds:jsonfeed", "json", newest=50),
    "sitemap": Form("crawler.export.sitemap:write", "xml", newest=1000),
    "warc": Form("crawler.export.warc:write", "warc.gz", captures=True),
    "wacz": Form("crawler.export.wacz:write", "wacz", captures=True),
    "parquet": Form("crawler.export.parquet:write", "parquet"),
    "sqlite": Form("crawler.export.sqlite:write", "sqlite", updater="crawler.export.sqlite:update"),
    "epub": Form("crawler.export.epub:write", "epub"),
}
_NEWEST = ", ".join(name for name, form in FORMS.items() if form.newest)
_SINCE = re.compile(r"([0-9]{1,18})(?:@([0-9a-f]+))?")
_WEEK = re.compile(r"([0-9]{4})-?W([0-9]{1,2})")


def _number(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, str]:
    """(number, id of its log, empty where that is not given)"""
    if (match := _SINCE.fullmatch(value)) is None:
        raise click.BadParameter(
            f"{value!r} is no number that an export gave. To have all: leave --since out", ctx, param
        )
    return int(match[1]), match[2] or ""


def _week(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[date, date] | None:
    """Its first and last day."""
    if value is None:
        return None
    match = _WEEK.fullmatch(value)
    with suppress(ValueError):
        if match:
            year, week = int(match[1]), int(match[2])
            return date.fromisocalendar(year, week, 1), date.fromisocalendar(year, week, 7)
    raise click.BadParameter(f"{value!r} is no week of ISO 8601 such as 2026-W47", ctx, param)


_day = click.DateTime(["%Y-%m-%d"])


@click.command("export", help="Write the archive's posts for others: all, or what came after number N.")
@click.argument("form", type=click.Choice(list(FORMS)))
@click.option("--since", callback=_number, default="0", metavar="N", help="What came after; an export says its next N.")
@click.option("--source", default="", metavar="ID", help="Of this source alone.")
@click.option("--category", default="", metavar="SLUG", help="Of this category alone.")
@click.option("--from", "first", type=_day, metavar="DAY", help="From this day on, such as 2026-03-01.")
@click.option("--to", "last", type=_day, metavar="DAY", help="Up to this day.")
@click.option("--day", type=_day, metavar="DAY", help="Of this day alone.")
@click.option("--week", callback=_week, metavar="WEEK", help="Of this week alone, such as 2026-W47.")
@click.option("--newest", type=click.IntRange(1, 50_000), metavar="COUNT", help=f"For {_NEWEST}.")
@click.option("--each-category", is_flag=True, help=f"A file for each category, in a folder; for {_NEWEST}.")
@click.option("--lists", is_flag=True, help="warc, wacz: list pages, and answers that gave no post, as well.")
@click.option("--self", "address", default="", metavar="URL", help="Where the file, or its folder, will be published.")
@click.option("--out", default="-", metavar="FILE", help="File, DIR/, or address as s3://bucket/file; default: stdout.")
@archive_option
@state_option
@json_option
@explained
def command(
    form: str,
    since: tuple[int, str],
    source: str,
    category: str,
    first: datetime | None,
    last: datetime | None,
    day: datetime | None,
    week: tuple[date, date] | None,
    newest: int | None,
    each_category: bool,
    lists: bool,
    address: str,
    out: str,
    archive: Path | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Thin: reads ledger and posts, writes nothing but FILE. With --json a summary, on stderr where the export itself
    goes to standard output."""
    import json

    from crawler.report import REFUSED_INPUT

    days = _days(first, last, day, week)
    if days[0] > (days[1] or days[0]):
        raise click.UsageError(f"--from {days[0]} is after --to {days[1]}")
    _check_options(FORMS[form], form, newest, each_category, category, out)
    folder, where = placed(archive, state)
    ledger = ledger_of(folder, where)
    if ledger is None:
        fail(f"no run yet in {folder}. Next: presskeep crawl SOURCE{where or f' --archive {folder}'}", REFUSED_INPUT)
    _check_source(folder, ledger, source)
    order = replace(
        _order(folder, ledger, since, source),
        category=category,
        first=days[0],
        last=days[1],
        count=newest or FORMS[form].newest,
        address=address,
        captures=_captures(folder, ledger, lists) if FORMS[form].captures else None,
    )
    if lists and (not order.captures or order.since or category or any(days)):
        raise click.UsageError("--lists is for a whole warc or wacz: lists are of no post, day or category")
    written = _export(form, order, out, each_category)
    ledger.close()
    left_out, upto = order.shelf.left_out, order.upto
    if as_json:
        told = {"written": written, "left_out": left_out, "next": upto, "log": order.log, "since": order.since_next}
        click.echo(json.dumps(told), err=out == "-")
    else:
        click.echo(f"{written} written; next: --since {order.since_next}", err=True)


def _days(
    first: datetime | None, last: datetime | None, day: datetime | None, week: tuple[date, date] | None
) -> tuple[str, str]:
    """First and last day, ISO 8601; empty where there is no bound."""
    if sum((bool(first or last), bool(day), bool(week))) > 1:
        raise click.UsageError("--day, --week, and --from with --to, are three ways to say it: give one")
    if week:
        return week[0].isoformat(), week[1].isoformat()
    bounds = (day, day) if day else (first, last)
    begin, end = (one.date().isoformat() if one else "" for one in bounds)
    return begin, end


def _check_options(form: Form, name: str, newest: int | None, each_category: bool, category: str, out: str) -> None:
    if not form.newest and (newest or each_category):
        option = "--newest" if newest else "--each-category"
        raise click.UsageError(f"{option} is for {_NEWEST}; {name} holds all")
    if each_category and category:
        raise click.UsageError("--category is one, --each-category all: give one")
    if each_category and not out.endswith("/"):
        raise click.UsageError("--each-category writes into a folder: --out DIR/")


def _check_source(archive: Path, ledger: Ledger, source: str) -> None:
    """Raises SettingsError for one that has neither a file nor an article."""
    from crawler.sources import folders_for, source_paths
    from crawler.yamlfile import SettingsError, near

    known = {*source_paths(folders_for(archive)), *ledger.counts()} if source else {""}
    if source not in known:
        raise SettingsError([f"no source is called '{source}'.{near(source, known)} To see all: presskeep sources"])


def _order(archive: Path, ledger: Ledger, since: tuple[int, str], source: str) -> Order:
    from datetime import UTC

    from crawler.archive import changelog
    from crawler.export.order import Order
    from crawler.report import REFUSED_INPUT

    log, upto = _log(ledger, since[1]), changelog.last(ledger)
    if since[0] > upto:
        more = "Next: the number that the last export gave, or leave --since out to have all"
        fail(f"--since {since[0]}: the log ends at {upto}; was the ledger restored from a copy? {more}", REFUSED_INPUT)
    lines = partial(changelog.entries, ledger, since[0], upto, source)
    now = datetime.now(UTC)
    shelf = _shelf(archive, ledger)
    return Order(shelf=shelf, log=log, lines=lines, upto=upto, now=now, since=since[0], source=source)


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


def _captures(archive: Path, ledger: Ledger, lists: bool) -> Captures:
    from crawler.export.warc import Captures
    from crawler.run import state_folder
    from crawler.site import load_site

    return Captures(ledger, state_folder(archive, load_site(archive)) / "captures", lists=lists)


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


def _export(name: str, order: Order, out: str, each_category: bool) -> int:
    """The number of articles. Ends with exit code 1 where nobody reads standard output on, 2 where a library or an
    address is not what it should be."""
    from crawler.export.order import Unfit
    from crawler.report import FAILED, REFUSED_INPUT

    try:
        if each_category:
            return sum(_write(FORMS[name], one, out, one.file_name) for one in order.each_category())
        return _write(FORMS[name], order, out, order.name)
    except Unfit as error:
        fail(str(error), REFUSED_INPUT)
    except BrokenPipeError:
        sys.exit(FAILED)


def _write(form: Form, order: Order, out: str, name: str) -> int:
    """One file, which has this name where the place is a folder."""
    from pkgutil import resolve_name

    from crawler.export.output import is_local, opened, within

    name = f"{name}.{form.ending}"
    place = within(out, name)
    if place != out and is_local(place):
        Path(place).parent.mkdir(parents=True, exist_ok=True)
    if order.address.endswith("/"):
        order = replace(order, address=order.address + name)
    if form.updater and order.since and is_local(place) and Path(place).is_file():
        updated: int = resolve_name(form.updater)(Path(place), order)
        return updated
    write: Write = resolve_name(form.writer)
    with opened(place) as file:
        return write(file, order)
