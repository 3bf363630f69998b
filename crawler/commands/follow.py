"""``presskeep follow``: the mirror of another archive, by its log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import click

from crawler.commands.common import archive_option, contact_of, explained, fail, json_option

if TYPE_CHECKING:
    from crawler.follow.mirror import Followed, Mirror
    from crawler.follow.origin import Origin, Shown
    from crawler.site import Site


@click.command(
    "follow",
    help="Make the archive a mirror of ORIGIN, or bring it up to date: posts, earlier versions, tombstones. ORIGIN is "
    "another archive's folder, or the folder or address of a log that `presskeep push log` wrote. Exit code 5: some "
    "articles were left alone, and why.",
)
@click.argument("origin")
@click.option("--captures", is_flag=True, help="Take the captures that posts were made from as well.")
@click.option("--sources", is_flag=True, help="Take the files of the origin's sources as well: who crawls trusts them.")
@click.option("--again", is_flag=True, help="Compare all that the origin has, not only what came since.")
@click.option("--trust", is_flag=True, help="Take posts that break presskeep's own rules as well.")
@archive_option
@json_option
@explained
def command(
    origin: str, captures: bool, sources: bool, again: bool, trust: bool, archive: Path | None, as_json: bool
) -> None:
    """Thin: opens origin and mirror, says what was done. A new or empty folder becomes an archive like the origin."""
    from crawler.follow.record import NotHad, OriginError
    from crawler.report import FAILED, LEFT, LIST_FAILED, OK

    folder = _folder(archive)
    try:
        there = _origin(origin, contact_of(folder), captures)
        mirror = _mirror(folder, there)
        try:
            done = mirror.follow(there, again=again, trust=trust, captures=captures, sources=sources)
        finally:
            mirror.close()
            there.close()
    except OriginError as error:
        fail(str(error), LIST_FAILED if isinstance(error, NotHad) else FAILED)
    _tell(there, done, as_json)
    sys.exit(LEFT if done.left else OK)


def _folder(archive: Path | None) -> Path:
    from crawler.commands.common import TREE_OUTPUT
    from crawler.site import find_archive

    return archive or find_archive(Path.cwd()) or TREE_OUTPUT


def _origin(origin: str, contact: str, captures: bool) -> Origin:
    """Raises OriginError, SettingsError, LedgerError."""
    from crawler.download import Download
    from crawler.follow.log import HEAD, Folder, Published
    from crawler.follow.origin import Live
    from crawler.follow.web import Web
    from crawler.site import SETTINGS
    from crawler.yamlfile import SettingsError

    if origin.lower().startswith(("http://", "https://")):
        return Published(Web(origin, Download(contact)))
    path = Path(url2pathname(urlsplit(origin).path)) if origin.startswith("file://") else Path(origin)
    if (path / SETTINGS).is_file():
        return Live(path, lambda line: click.echo(f"{path}: {line}", err=True), captures=captures)
    if (path / HEAD).is_file():
        return Published(Folder(path))
    raise SettingsError([f"{origin}: neither an archive ({SETTINGS}) nor a published log ({HEAD}) lies there"])


def _mirror(folder: Path, origin: Origin) -> Mirror:
    from crawler.follow.mirror import Mirror
    from crawler.follow.origin import Live

    if isinstance(origin, Live) and folder.resolve() == Path(origin.name):
        fail(f"{folder} cannot follow itself. Next: presskeep follow {origin.name} --archive DIR", 2)
    return Mirror(folder, _site(folder, origin))


def _site(folder: Path, origin: Origin) -> Site:
    """The settings of the mirror, made like the origin's where there is no archive yet."""
    from crawler.site import SETTINGS, load_site

    if not (folder / SETTINGS).is_file():
        if folder.is_dir() and any(folder.iterdir()):
            fail(f"{folder} is not empty and no archive. Next: presskeep follow {origin.name} --archive DIR", 2)
        _make(folder, origin.site)
        click.echo(f"made a new archive in {folder}, like {origin.name}. Next: set its url in {SETTINGS}", err=True)
    return load_site(folder)


def _make(folder: Path, like: Shown) -> None:
    """The settings last: the folder is an archive then, and not before."""
    from crawler.archive.site import new_site, write_new, yaml_string
    from crawler.commands.schema import schema_text
    from crawler.site import SETTINGS, site_yaml

    given = like.model_dump(exclude={"posts"})
    url = "http://localhost:4000"
    settings = site_yaml(url=url, **given).replace('\n#posts: "dated"\n', f"\nposts: {yaml_string(like.posts)}\n")
    new_site(folder, url=url, **given)
    write_new(folder / "sources" / "source.schema.json", schema_text().encode())
    write_new(folder / SETTINGS, settings.encode())


def _tell(origin: Origin, done: Followed, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    if as_json:
        click.echo(json.dumps({"origin": origin.name, "log": origin.log, **asdict(done)}, ensure_ascii=False))
        return
    for path, why in done.left.items():
        click.echo(f"{path}: left alone: {why}", err=True)
    counts = f"{done.new} new, {done.changed} changed, {done.same} as they were, {len(done.left)} left alone"
    click.echo(f"{origin.name}: {counts}; up to number {done.number}")
