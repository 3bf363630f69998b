"""``presskeep import``: what others archived, taken in: posts of a Jekyll site, articles as JSON Lines, WARC files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from crawler.commands.common import (
    archive_option,
    existing_archive,
    explained,
    fail,
    json_option,
    load_sources,
    readable_sources,
    site_values,
)

if TYPE_CHECKING:
    from crawler.imports.jekyll import Imported
    from crawler.run import Run
    from crawler.site import Site
    from crawler.sources import Source

_source_option = click.option(
    "--source",
    default="imported",
    show_default=True,
    metavar="ID",
    help="What goes under no known source goes under this one.",
)


@click.group("import", help="Take in what others archived: a Jekyll site, JSON Lines, WARC files.")
def command() -> None:
    """One subcommand a form."""


@command.command(
    "jekyll",
    help="Take the posts of a Jekyll site, or of a folder, byte for byte and under their own names. The archive may be "
    "the site itself: then nothing is moved. Exit code 5: some posts were left out, and why.",
)
@click.argument("origin", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_source_option
@click.option("--strict", is_flag=True, help="Leave out posts that break presskeep's own rules, those of verify.")
@click.option("--force", is_flag=True, help="Take what may stop Jekyll's build, or gets another address.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option(
    "--timezone", default="", metavar="ZONE", help="Of a new archive; default: the site's own, this machine's."
)
@archive_option
@json_option
@explained
def jekyll(
    origin: Path,
    source: str,
    strict: bool,
    force: bool,
    dry_run: bool,
    timezone: str,
    archive: Path | None,
    as_json: bool,
) -> None:
    """Thin. A new or empty folder, and a site that is no archive yet, become one first."""
    from crawler.imports.jekyll import Wish, take
    from crawler.report import INTERRUPTED, LEFT, OK

    folder = _folder(archive)
    _check_id(source)
    site = _site(folder, origin, timezone, dry_run=dry_run)

    def tell(file: str, what: str) -> None:
        click.echo(f"{file}: {what}", err=True)

    done = take(origin, folder, site, readable_sources(folder), Wish(source, strict, force, dry_run), tell)
    _say(done, folder, as_json, dry_run=dry_run)
    sys.exit(INTERRUPTED if done.interrupted else LEFT if done.left else OK)


@command.command(
    "jsonl",
    help="Take articles, a JSON object a line, in the words of schema.org's NewsArticle, as `presskeep export jsonl` "
    "writes them or another tool; - for stdin. Exit code 5: some lines were refused, and why.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@_source_option
@click.option(
    "--timezone", default="", metavar="ZONE", help="Of times that have none; without, such lines are refused."
)
@archive_option
@explained
def jsonl(file: Path, source: str, timezone: str, archive: Path | None) -> None:
    """Thin: shows the table of the run."""
    from crawler.commands.crawl import show
    from crawler.imports.jsonl import Lines, take
    from crawler.report import LEFT

    folder = existing_archive(archive)
    _check_id(source)
    run = _opened(folder, *_known(folder))
    with click.open_file(str(file), "rb") as opened:
        done = take(run, Lines(str(file), cast("BinaryIO", opened)), readable_sources(folder), source, timezone)
    show(run.report)
    click.echo(
        f"{done.new} new ({done.same} byte for byte), {done.there} there already, {done.refused} refused", err=True
    )
    if done.cut_short:
        click.echo(f"{file}: its last line is missing: the export was cut short", err=True)
    sys.exit(run.report.exit_code or (LEFT if done.refused or done.cut_short else 0))


@command.command("warc", help="Take the articles of known sources in WARC files or at their addresses, and captures.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--source", "names", multiple=True, metavar="ID", help="Of this source; several times for several.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, metavar="N", help="Processes that read pages.")
@archive_option
@explained
def warc(files: tuple[str, ...], names: tuple[str, ...], jobs: int | None, archive: Path | None) -> None:
    """Thin: shows the table of the run, of sources that the files hold something of."""
    from crawler.commands.crawl import show
    from crawler.imports.listed import listed
    from crawler.warcs import fill

    folder = existing_archive(archive)
    site, sources = _known(folder)
    if names:
        sources = load_sources(names, folder)

    def tell(line: str) -> None:
        click.echo(line, err=True)

    known = listed(files, sources)
    report = fill(folder, site, sources, files, jobs=jobs or 0, listed=known, tell=tell, opened=_opened)
    show(report)
    sys.exit(report.exit_code)


def _folder(archive: Path | None) -> Path:
    from crawler.commands.common import TREE_OUTPUT
    from crawler.site import find_archive

    return archive or find_archive(Path.cwd()) or TREE_OUTPUT


def _check_id(source: str) -> None:
    """Ends with exit code 2 for what can be no source's id."""
    from crawler.imports.jsonl import is_id
    from crawler.report import REFUSED_INPUT

    if not is_id(source):
        fail(f"--source: expected small letters, digits and hyphens (got {source!r})", REFUSED_INPUT)


def _site(folder: Path, origin: Path, timezone: str, *, dry_run: bool) -> Site:
    """The settings of the archive. What is none yet becomes one, with what the site's ``_config.yml`` says."""
    from crawler.commands.init import make_archive, system_zone
    from crawler.report import REFUSED_INPUT
    from crawler.site import SETTINGS, Site, load_site

    if (folder / SETTINGS).is_file():
        return load_site(folder)
    in_place = folder.resolve() == origin.resolve()
    if not in_place and folder.is_dir() and any(folder.iterdir()):
        fail(f"{folder} is not empty and no archive. Next: presskeep init {folder}", REFUSED_INPUT)
    values = {"title": folder.resolve().name, "url": "http://localhost:4000", "timezone": timezone or system_zone()}
    if (origin / "_config.yml").is_file():
        values |= site_values(origin / "_config.yml") | ({"timezone": timezone} if timezone else {})
    values["posts"] = "flat" if in_place and any((folder / "_posts").glob("*.md")) else "dated"
    if dry_run:
        return Site.model_validate(values)
    make_archive(folder, **values)
    click.echo(f"made a new archive in {folder} (time zone {values['timezone']})", err=True)
    return load_site(folder)


def _say(done: Imported, folder: Path, as_json: bool, *, dry_run: bool) -> None:
    import json
    from dataclasses import asdict

    if as_json:
        click.echo(json.dumps({**asdict(done), "dry_run": dry_run}, ensure_ascii=False))
        return
    would = "would be " if dry_run else ""
    click.echo(f"{done.new} {would}new, {done.there} there already, {done.left} left out, {done.twins} under two names")
    if done.faulty:
        rules = ", ".join(f"{rule} {number}" for rule, number in sorted(done.rules.items()))
        click.echo(f"{done.faulty} break rules ({rules}). They stay as they are: mend the file by hand where its page")
        click.echo("comes out wrong, or leave them out with --strict; presskeep reprocess mends what has captures")
    if done.interrupted:
        click.echo("stopped by a signal: the same command goes on")
    if done.left:
        click.echo(f"left out: see above. Next: mend them and import again, then presskeep verify --archive {folder}")


def _known(folder: Path) -> tuple[Site, list[Source]]:
    from crawler.site import load_site

    return load_site(folder), readable_sources(folder)


def _opened(folder: Path, site: Site, sources: Sequence[Source]) -> Run:
    """The archive, ready for a run whose report names only those sources that something is taken of."""
    from crawler.commands.crawl import open_run

    run = open_run(folder, site, sources)
    for line in run.mended:
        click.echo(f"mended: {line}", err=True)
    run.report.sources.clear()
    return run
