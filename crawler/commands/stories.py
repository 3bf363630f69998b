"""``presskeep stories``: posts of several sources in the same words, and which of them is the original."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import archive_option, explained, json_option, readable_sources, table
from crawler.commands.status import ledger_of, placed, state_option

if TYPE_CHECKING:
    from crawler.archive.ledger import Ledger
    from crawler.archive.stories import Story

_TELL_EVERY = 6_400


@click.command("stories", help="Show stories that several sources have in the same words, the newest first.")
@click.option("--source", default="", metavar="ID", help="Only stories of this source.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="So many stories."
)
@click.option(
    "--all", "whole", is_flag=True, help="First compare posts that never were: older ones, those of a mirror."
)
@archive_option
@state_option
@json_option
@explained
def command(source: str, limit: int, whole: bool, archive: Path | None, state: Path | None, as_json: bool) -> None:
    """Thin: asks the ledger; with --all what it lacks is made first."""
    import json

    from crawler.archive.stories import counts, latest

    folder, where = placed(archive, state)
    if whole:
        _build(folder)
    ledger = ledger_of(folder, where)
    if ledger is None:
        click.echo(f"No run yet in {folder}. Next: presskeep crawl SOURCE{where or f' --archive {folder}'}")
        return
    try:
        number, posts, without = counts(ledger)
        found = latest(ledger, limit, source)
        told = [_as_json(folder, one) for one in found]
    finally:
        ledger.close()
    if as_json:
        about = {"stories": number, "posts": posts, "not_compared": without, "latest": told}
        click.echo(json.dumps(about, ensure_ascii=False, indent=1))
        return
    _show(told)
    click.echo(f"{number} stories of {posts} posts" if number else "No story has several posts.")
    if without:
        click.echo(f"{without} posts were never compared. Next: presskeep stories --all{where}", err=True)


def _build(folder: Path) -> None:
    """Under the lock, and the site's data files after it, for no line of the log tells of stories. Raises Busy."""
    from crawler.archive.locks import Lock
    from crawler.run import load_outlets, state_folder
    from crawler.site import load_site
    from crawler.sitedata import refresh
    from crawler.syndication.build import build

    site = load_site(folder)
    where = state_folder(folder, site)
    if not (where / "ledger.sqlite").is_file():
        return
    lock = Lock(folder, where)
    try:
        ledger = _opened(where / "ledger.sqlite")
        sources, outlets = readable_sources(folder), load_outlets(folder)
        names = {source.id: source.name for source in sources}
        try:
            left = build(folder, ledger, outlets, names, site.timezone, _tell)
            refresh(folder, site, ledger, outlets, sources, whole=True)
        finally:
            ledger.close()
    finally:
        lock.release()
    if left:
        click.echo(f"{len(left)} posts could not be read. Next: presskeep verify", err=True)


def _opened(path: Path) -> Ledger:
    from crawler.archive.ledger import Ledger

    return Ledger(path)


def _tell(done: int) -> None:
    """A line now and then."""
    if done % _TELL_EVERY == 0:
        click.echo(f"compared {done:,} posts", err=True)


def _as_json(folder: Path, story: Story) -> dict[str, Any]:
    from dataclasses import asdict

    posts = [{**asdict(one), "title": _title(folder / one.path)} for one in story.members]
    return {"story": story.number, "original": story.members[0].path, "reason": story.reason, "posts": posts}


def _title(path: Path) -> str:
    """Headline of a post, empty where it is not there or cannot be read."""
    from crawler.archive.post import read_post

    try:
        return read_post(path.read_bytes()).title
    except (OSError, ValueError):
        return ""


def _show(told: list[dict[str, Any]]) -> None:
    rows = []
    for story in told:
        for place, post in enumerate(story["posts"]):
            kind = f"original: {story['reason']}" if not place else "points to it" if post["pointer"] else "copy"
            when = post["published"].replace("T", " ")[:16]
            rows.append([story["story"], when, post["source"], post["outlet"], kind, post["title"], post["path"]])
    if rows:
        table("Stories", ("story", "published (UTC)", "source", "credits", "what it is", "headline", "post"), rows)
