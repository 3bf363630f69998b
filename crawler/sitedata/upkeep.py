"""Brings the site's stubs and data files up to date with the change log: after each run what came since the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive import changelog
from crawler.archive.ledger import Ledger, meta
from crawler.archive.posts import Pending, replace, write_all
from crawler.outlets import Outlets
from crawler.site import Site
from crawler.sitedata.pages import SOURCES, TAGS, Files, Place, Posts, files_of, posts_of
from crawler.sitedata.tables import read_table
from crawler.sources import Source

FORM = 2
"""Of the files; another one is written anew."""
_NAME = "pages"
"""In ``meta``: form, and number of the log's line up to which the files tell."""
_NEXT = "Next: presskeep pages"


def refresh(
    archive: Path, site: Site, ledger: Ledger, outlets: Outlets, sources: Iterable[Source] = (), *, whole: bool = False
) -> list[str]:
    """Write what posts that came or changed since the last time have changed; the files that were written. Only under
    the archive's lock.

    ``sources``: those at hand; of others with posts the files are read. ``whole``: everything is derived anew, as it is
    for an archive that never had it done. Killed at any instant and called again it ends the same: each file is whole,
    and the number up to which the log is done moves last. Raises OSError.
    """
    done, upto = _done(ledger), changelog.last(ledger)
    if not whole and done == upto:
        return []
    place = Place(archive, site, ledger, outlets, {source.id: source for source in sources})
    whole = whole or not done or any(read_table(archive / name) is None for name in (TAGS, SOURCES))
    posts = posts_of(ledger) if whole else _since(ledger, done)
    written = _write(archive, files_of(place, posts, whole=whole))
    moved = insert(meta).values(name=_NAME, value=f"{FORM}:{upto}")
    ledger.write(moved.on_conflict_do_update(index_elements=["name"], set_={"value": moved.excluded.value}))
    return written


def faults(
    archive: Path, site: Site, ledger: Ledger, outlets: Outlets, sources: Iterable[Source]
) -> Iterator[tuple[str, str]]:
    """(file, what is wrong with it and what to type next) of stubs and data files that are not there, and of data files
    that say something else than ledger and posts."""
    if not changelog.log_id(ledger) or _done(ledger) != changelog.last(ledger):
        yield "_data", f"behind the ledger: the site lacks pages. {_NEXT}"
        return
    place = Place(archive, site, ledger, outlets, {source.id: source for source in sources})
    posts = posts_of(ledger)
    files = files_of(place, posts, whole=True) if posts else Files()
    missing = (name for name in (*files.stubs, *files.data) if not (archive / name).is_file())
    yield from ((name, f"missing. {_NEXT}") for name in missing)
    for name, data in files.data.items():
        if (archive / name).is_file() and (archive / name).read_bytes() != data:
            yield name, f"not what ledger and posts say. {_NEXT}"


def _done(ledger: Ledger) -> int:
    """Number of the last line of the log that the files tell of, 0 where they are to be derived anew."""
    told = ledger.read(sa.select(meta.c.value).where(meta.c.name == _NAME))
    form, _, number = told[0].value.partition(":") if told else ("", "", "")
    return int(number) if form == str(FORM) else 0


def _since(ledger: Ledger, number: int) -> Posts:
    """Posts of which later lines of the log tell."""
    columns = changelog.changes.c.path, changelog.changes.c.source
    rows = ledger.read(sa.select(*columns).distinct().where(changelog.changes.c.number > number))
    return {row.path: row.source for row in rows}


def _write(archive: Path, files: Files) -> list[str]:
    """Each whole or not at all; a stub that is there stays, and a data file that says the same."""
    stubs = [Pending(name, data) for name, data in files.stubs.items() if not (archive / name).exists()]
    write_all(archive, stubs)
    changed = [name for name, data in files.data.items() if not _is(archive / name, data)]
    for name in changed:
        replace(archive / name, files.data[name])
    return [*(one.path for one in stubs), *changed]


def _is(file: Path, data: bytes) -> bool:
    return file.is_file() and file.read_bytes() == data
