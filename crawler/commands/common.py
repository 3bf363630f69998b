"""What verbs share: the archive they work on, and errors that end in an exit code and the next command to type."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from crawler.site import Site
    from crawler.sources import Source

_DRAFT = re.compile(r"(?:/\.probe|\.([^/]+)\.[0-9]+\.[0-9a-f]{8})\.tmp$")
P = ParamSpec("P")
T = TypeVar("T")

TREE_OUTPUT = Path(__file__).resolve().parents[2] / "output"
"""The archive that a checkout comes with."""

archive_option = click.option(
    "--archive",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the archive; default: that of the nearest presskeep.yml upward, else output/.",
)
replay_option = click.option(
    "--replay",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Captures (.warc.gz, one or several) to be served instead of the network.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")


def fail(message: str, code: int) -> NoReturn:
    """End with a message on stderr and an exit code."""
    from crawler.journal import ERROR, mark

    click.echo(f"{mark(ERROR)}presskeep: {message}", err=True)
    sys.exit(code)


def explained(verb: Callable[P, T]) -> Callable[P, T]:
    """Turn the errors that users can do something about into one message and their documented exit code."""

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return verb(*args, **kwargs)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            code = exit_code_of(error)
            if code is None:
                raise
            fail(in_words(error) if isinstance(error, OSError) else str(error), code)

    return run


def in_words(error: OSError) -> str:
    """Which file or folder, what is the matter, and the next command where there is one; drafts go by the name of what
    they are drafts of."""
    if not error.filename or not error.strerror:
        return str(error)
    place = Path(_DRAFT.sub(r"\1", str(error.filename)))
    missing = next((one for one in reversed(place.parents) if not one.is_dir()), None)
    hint = f". Next: mkdir -p {place.parent}" if error.errno == errno.ENOENT and missing else ""
    return f"{place}: {error.strerror}{hint}"


def exit_code_of(error: Exception) -> int | None:
    """The documented exit code of an error; None for a fault of ours, which shows its traceback."""
    from crawler.archive.captures import CaptureError
    from crawler.archive.ledger import LedgerError
    from crawler.archive.locks import Busy
    from crawler.report import ACTIVE, DISK, FAILED, REFUSED_INPUT
    from crawler.yamlfile import SettingsError

    if isinstance(error, SettingsError | CaptureError | FileNotFoundError):
        return REFUSED_INPUT
    if isinstance(error, Busy):
        return ACTIVE
    if isinstance(error, LedgerError):
        return FAILED
    return DISK if isinstance(error, OSError) else None


def existing_archive(archive: Path | None) -> Path:
    """The archive to work on. Ends with exit code 2 and the next command where there is none."""
    from crawler.report import REFUSED_INPUT
    from crawler.site import SETTINGS, find_archive

    found = archive or find_archive(Path.cwd()) or TREE_OUTPUT
    if (found / SETTINGS).is_file():
        return found
    if archive:
        fail(f"{archive} is no archive (it has no {SETTINGS}). Next: presskeep init {archive}", REFUSED_INPUT)
    fail(f"{Path.cwd()} is in no archive (no {SETTINGS} here or above). Next: --archive DIR, or presskeep init DIR", 2)


def contact_of(archive: Path | None) -> str:
    """Whom the keepers of sites can write to; empty where there is no archive that says it."""
    from crawler.site import SETTINGS, load_site

    return load_site(archive).contact if archive and (archive / SETTINGS).is_file() else ""


def load_sources(names: Sequence[str], archive: Path | None) -> list[Source]:
    """Sources by id or path; the archive's own, where none is named. Raises SettingsError with every fault of all."""
    from crawler.sources import find_source, folders_for, source_paths
    from crawler.yamlfile import SettingsError

    folders = folders_for(archive)
    names = names or list(source_paths(folders[:-1]))
    loaded, faults = [], []
    for name in dict.fromkeys(names):
        try:
            loaded.append(find_source(name, folders))
        except SettingsError as error:
            faults += error.problems
    if faults:
        raise SettingsError(faults)
    return loaded


def open_site(archive: Path, timezone: str) -> Site:
    """The settings of an archive; a folder that is new or empty becomes an archive first, in the given zone."""
    from crawler.site import SETTINGS, load_site

    if not (archive / SETTINGS).is_file():
        from crawler.commands.init import make_archive

        values = {"title": archive.resolve().name, "url": "http://localhost:4000", "timezone": timezone}
        if (archive / "_config.yml").is_file():
            values |= site_values(archive / "_config.yml")
        elif archive.is_dir() and any(archive.iterdir()):
            fail(f"{archive} is not empty and no archive. Next: presskeep init {archive}", 2)
        make_archive(archive, **values)
        click.echo(f"made a new archive in {archive} (time zone {values['timezone']})", err=True)
    return load_site(archive)


def site_values(config: Path) -> dict[str, str]:
    """What a Jekyll site says of itself already, such as the template of a checkout."""
    from crawler.yamlfile import load_yaml

    said = load_yaml(config).value or {}
    names = {"title": "title", "url": "url", "baseurl": "baseurl", "timezone": "timezone", "lang": "language"}
    return {ours: str(said[theirs]) for theirs, ours in names.items() if said.get(theirs)}


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table: drawn on a terminal, plain columns elsewhere."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for position, column in enumerate(columns):
        number = bool(rows) and all(isinstance(row[position], int | float) for row in rows)
        drawn.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    console.print(drawn)


def readable_sources(archive: Path) -> list[Source]:
    """All sources that are known here; files that cannot be read are left out."""
    from crawler.sources import folders_for, load_source, source_paths
    from crawler.yamlfile import SettingsError

    loaded = []
    for path in source_paths(folders_for(archive)).values():
        try:
            loaded.append(load_source(path))
        except SettingsError:
            continue
    return loaded
