"""``presskeep probe``: from one address to a working source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.commands.common import (
    archive_option,
    contact_of,
    explained,
    fail,
    json_option,
    replay_option,
    table,
)

if TYPE_CHECKING:
    from crawler.probe.made import Made, Row
    from crawler.probe.survey import Survey
    from crawler.sources import Politeness

_TITLE = 40


@click.command("probe", help="From one address (front page, list page, article or feed) to a working source.")
@click.argument("url")
@click.option("--id", "name", default="", help="Short name of the source; default: made from the address.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the YAML goes: DIR/ID.yml.")
@click.option("--articles", type=click.IntRange(min=2, max=200), default=20, help="Article pages to look at, at most.")
@click.option("--delay", type=float, default=1.0, help="Seconds between two requests; 0.5 at least.")
@replay_option
@click.option("--force", is_flag=True, help="Write over a source of the same name.")
@json_option
@archive_option
@explained
def command(
    url: str,
    name: str,
    out: Path | None,
    articles: int,
    delay: float,
    replay: tuple[Path, ...],
    force: bool,
    as_json: bool,
    archive: Path | None,
) -> None:
    """Thin: asks, drafts, writes, tells."""
    from datetime import UTC, datetime

    from crawler.probe.made import disagreements, draft_of, made_of
    from crawler.report import REFUSED_INPUT
    from crawler.run import load_outlets
    from crawler.urls import canonical

    politeness, name = _politeness(url, delay), name or (out.stem if out else "")
    url = canonical(url)  # a front page with and without its slash would be two lists
    folder = _folder(archive, out)
    if out is not None and name != out.stem:
        fail(f"--id {name}: the file is named {out.name}, and a source is called as its file is", REFUSED_INPUT)
    if name:
        _free(out or folder / "sources" / f"{name}.yml", force)
    survey = _survey(url, articles, politeness, folder, replay)
    slug = load_outlets(folder).slug
    now = datetime.now(UTC).date()
    draft = draft_of(survey, slug=slug, id=name, delay=delay, day=now, replayed=bool(replay))
    path = out or folder / "sources" / f"{draft.id}.yml"
    _free(path, force)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = made_of(draft, path)
    made.unsure.extend(disagreements(draft, made))
    _tell(made, survey, as_json)


def _politeness(url: str, delay: float) -> Politeness:
    """As it will be written into the source. Ends with exit code 2 for what a source could not say."""
    from urllib.parse import urlsplit

    from crawler.report import REFUSED_INPUT
    from crawler.sources import Politeness

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        fail(f"{url}: expected an address that begins with http:// or https://", REFUSED_INPUT)
    if not 0 < delay <= 3600 or (delay < 0.5 and parts.hostname not in ("localhost", "127.0.0.1", "::1")):
        fail(f"--delay {delay}: expected 0.5 seconds or more", REFUSED_INPUT)
    return Politeness(delay=delay)


def _folder(archive: Path | None, out: Path | None) -> Path:
    """The archive; none is needed where the file is named."""
    from crawler.commands.common import existing_archive
    from crawler.site import find_archive

    if out is None:
        return existing_archive(archive)
    return archive or find_archive(Path.cwd()) or out.parent


def _free(path: Path, force: bool) -> None:
    """Ends with exit code 2 where something is there that was not to be written over."""
    from crawler.report import REFUSED_INPUT

    if path.exists() and not force:
        fail(f"{path} is there already. Next: --id NAME for another, or --force to write over it", REFUSED_INPUT)


def _survey(url: str, articles: int, politeness: Politeness, folder: Path, replay: tuple[Path, ...]) -> Survey:
    """Ends with exit code 3 where nothing could be had or found."""
    from crawler.fetch import NotFetched, converse, host_of
    from crawler.probe.survey import NothingFound, Surveyor
    from crawler.replay import Captures
    from crawler.report import LIST_FAILED

    captures = Captures(replay) if replay else None
    talk = Surveyor(url, articles).talk()
    try:
        return converse(talk, politeness=politeness, contact=contact_of(folder), hosts=[host_of(url)], replay=captures)
    except (NotFetched, NothingFound) as error:
        fail(str(error), LIST_FAILED)


def _tell(made: Made, survey: Survey, as_json: bool) -> None:
    import json

    if as_json:
        click.echo(json.dumps(_told(made, survey), ensure_ascii=False))
        return
    columns = ("article", "published", "credited", "characters")
    table("", columns, [_cells(row) for row in made.rows])
    lists = [
        *((one.kind, one.url, one.articles) for one in (*survey.feeds, *survey.sitemaps) if one.articles),
        *(("list, goes on" if one.way else "list", one.url, one.articles) for one in survey.lists),
    ]
    click.echo()
    table("", ("found", "address", "articles"), lists)
    click.echo(f"\nwrote {made.path} and {made.path.parent / 'fixtures'}")
    for one in made.unsure:
        click.echo(f"unsure: {one}")
    click.echo(f"Next: read {made.path}, then presskeep crawl {_crawled(made)} --limit 5")


def _crawled(made: Made) -> str:
    """The new source as ``crawl`` finds it: by its id where it lies in an archive."""
    from crawler.site import SETTINGS

    archive = made.path.parent.parent
    if made.path.parent.name == "sources" and (archive / SETTINGS).is_file():
        return f"{made.id} --archive {archive}"
    return str(made.path)


def _cells(row: Row) -> tuple[Any, ...]:
    if (one := row.article) is None:
        return f"{row.url}: {row.why}", "", "", 0
    title = one.title if len(one.title) <= _TITLE else f"{one.title[:_TITLE]}…"
    return title, one.published, one.attribution, one.characters


def _told(made: Made, survey: Survey) -> dict[str, Any]:
    """For machines."""
    articles = [row.article.model_dump() if row.article else {"url": row.url, "refused": row.why} for row in made.rows]
    lists = [
        *({"kind": one.kind, "url": one.url, "articles": one.articles} for one in (*survey.feeds, *survey.sitemaps)),
        *({"kind": "html", "url": one.url, "articles": one.articles, "pages": one.way.settings if one.way else None}
          for one in survey.lists),
    ]  # fmt: skip
    told = {"id": made.id, "path": str(made.path), "known": survey.known, "pattern": survey.pattern}
    return {**told, "keys": survey.keys, "lists": lists, "articles": articles, "unsure": made.unsure}
