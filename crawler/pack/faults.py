"""What is wrong with packed pages: missing, foreign, or shown twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crawler.archive.site import day_page, month_page
from crawler.pack.exclude import excluded, patterns
from crawler.pack.files import there
from crawler.pack.record import Record
from crawler.pack.window import FOLDER, days_of, is_flat
from crawler.sitedata.pages import packed_months

_NEXT = "Next: presskeep pack --all"


def faults(archive: Path, state: Path) -> Iterator[tuple[str, str]]:
    """(file, relative to the archive; what is wrong with it and what to type next)."""
    record = Record(state)
    if command := record.cut_off:
        verb = command.partition(" ")[0]
        yield FOLDER, f"{'an' if verb == 'unpack' else 'a'} {verb} was cut off. Next: presskeep {command}"
        return
    packed = packed_months(archive)
    config = archive / "_config.yml"
    hidden = excluded(config.read_text(encoding="utf-8")) if config.is_file() else []
    months = {day[:7] for day in days_of(archive)}
    if hidden != patterns(packed, months, is_flat(archive, packed)):
        yield "_config.yml", f"hides other months from Jekyll than those that are packed. {_NEXT}"
    pages = {month: record.pages(month) for month in packed}
    lost = [month for month, known in pages.items() if not known]
    yield from ((month, f"packed, but nothing is known of its pages. {_NEXT}") for month in lost)
    if not lost:
        yield from _astray(archive / FOLDER, {name for known in pages.values() for name in known})
    yield from _twice(archive, packed)


def _astray(folder: Path, known: set[str]) -> Iterator[tuple[str, str]]:
    here = set(there(folder))
    yield from ((f"{FOLDER}/{name}", f"missing: a packed page. {_NEXT}") for name in sorted(known - here))
    foreign = (name for name in sorted(here - known) if not _leads(name))
    yield from ((f"{FOLDER}/{name}", "no packed page of presskeep's. Next: remove it") for name in foreign)


def _leads(name: str) -> bool:
    return name.startswith(("category/", "source/")) and name.endswith("/older.html")


def _twice(archive: Path, packed: dict[str, int]) -> Iterator[tuple[str, str]]:
    for month in packed:
        name = month.replace("-", "/")
        for path in (archive / f"archive/{name}.html", *sorted((archive / f"archive/{name}").glob("*.html"))):
            inside = path.relative_to(archive).as_posix()
            if path.is_file():
                ours = path.read_bytes() in (month_page(month), day_page(f"{month}-{path.stem}"))
                why = _NEXT if ours else "Next: give it another address"
                yield inside, f"its month is packed, and Jekyll makes the address as well. {why}"
