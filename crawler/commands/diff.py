"""``presskeep diff``: how an article changed after it was kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, existing_archive, explained, fail, json_option

if TYPE_CHECKING:
    from crawler.archive.checks import Check


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a post."""

    number: int
    """1 is the first."""
    file: str
    when: str
    """When it became the article's text: the first by its publication, the others by what they say themselves."""
    lines: list[str]
    """Headline, an empty line, and the paragraphs."""


@click.command("diff", help="Show the versions of the post of KEY (the site's own key, or the post's path).")
@click.argument("key")
@archive_option
@json_option
@explained
def command(key: str, archive: Path | None, as_json: bool) -> None:
    """Thin: reads posts and ledger, writes nothing."""
    import json

    folder = existing_archive(archive)
    told = [_told(folder, check) for check in _posts(folder, key)]
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    for one in told:
        _show(one)


def _posts(archive: Path, key: str) -> list[Check]:
    """The posts that are meant; two sources may know one key. Ends with exit code 2 where there is none."""
    from crawler.archive.checks import keys, known
    from crawler.commands.status import ledger_of
    from crawler.report import REFUSED_INPUT
    from crawler.yamlfile import near

    ledger = ledger_of(archive)
    if ledger is None:
        fail(f"no run yet in {archive}. Next: presskeep crawl SOURCE --archive {archive}", REFUSED_INPUT)
    path = Path(key)
    if path.is_absolute() and path.is_relative_to(archive.resolve()):
        key = path.relative_to(archive.resolve()).as_posix()
    found, others = known(ledger, key), keys(ledger)
    ledger.close()
    if not found:
        hint = near(key, others) if len(others) < 20_000 else ""
        hint = "" if hint.startswith(" Known") else hint
        fail(f"no post has the key or path '{key}'.{hint} To see what was kept: presskeep status", REFUSED_INPUT)
    return found


def _told(archive: Path, check: Check) -> dict[str, Any]:
    versions = _versions(archive, check.path)
    about = {"source": check.row.source, "key": check.row.key, "path": check.path, "gone": check.gone}
    listed = [{"version": one.number, "when": one.when, "file": one.file, "title": one.lines[0]} for one in versions]
    pairs = pairwise(versions)
    changes = [{"from": old.number, "to": new.number, "diff": _diff(old, new)} for new, old in pairs]
    return {**about, "versions": listed, "changes": changes, "readings": _readings(archive, check.path)}


def _readings(archive: Path, path: str) -> list[dict[str, Any]]:
    """What earlier rules had made of the post, newest first, and how it differs from what came next: upstream nothing
    changed by that, unless an edit came between."""
    from crawler.archive.rewrites import readings

    files = [*readings(archive, path).values(), archive / path]
    read = [_version(archive, 0, file) for file in files]
    pairs = list(pairwise(read))
    return [{"file": old.file, "diff": _diff(old, new)} for old, new in reversed(pairs)]


def _versions(archive: Path, path: str) -> list[Version]:
    """Newest first."""
    from crawler.archive.revisions import versions

    earlier = versions(archive, path)
    files = {**earlier, max(earlier, default=0) + 1: archive / path}
    return [_version(archive, number, file) for number, file in sorted(files.items(), reverse=True)]


def _version(archive: Path, number: int, file: Path) -> Version:
    from crawler.archive.markup import text_of
    from crawler.archive.post import read_post

    post = read_post(file.read_bytes())
    when = str(post.fields.get("last_modified_at") or f"{post.date:%Y-%m-%d %H:%M:%S %z}".strip())
    lines = [post.title, "", *text_of(post.body).split("\n")]
    return Version(number, file.relative_to(archive).as_posix(), when, lines)


def _diff(old: Version, new: Version) -> list[str]:
    from difflib import unified_diff

    return list(unified_diff(old.lines, new.lines, old.file, new.file, old.when, new.when, n=1, lineterm=""))


def _show(told: dict[str, Any]) -> None:
    count = len(told["versions"])
    click.echo(f"{told['source']} {told['key']}: {told['path']}, {count} version{'' if count == 1 else 's'}")
    if told["gone"]:
        click.echo(f"gone upstream: seen {told['gone']}")
    for one in told["versions"]:
        click.echo(f"  {one['version']}  {one['when']}  {one['title']}")
    for change in told["changes"]:
        click.echo("\n" + "\n".join(change["diff"]))
    for reading in told["readings"]:
        click.echo(f"\nread anew from its capture; before: {reading['file']}")
        click.echo("\n".join(reading["diff"]))
