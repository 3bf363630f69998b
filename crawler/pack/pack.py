"""``presskeep pack`` and ``unpack``: which pages are to be there is worked out, then made so.

Killed at any instant and called again it ends the same: a page is whole or absent, what is known of pages is written
after them, and what an archive is to look like follows from the archive alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Any

import sqlalchemy as sa

from crawler.archive import changelog
from crawler.archive.ledger import Ledger
from crawler.archive.names import is_slug
from crawler.archive.posts import replace, sweep
from crawler.archive.site import day_page, month_page, template_files
from crawler.archive.stories import copies_of
from crawler.outlets import Outlets
from crawler.pack.exclude import patterns, write_patterns
from crawler.pack.files import drop, put, there
from crawler.pack.month import FAULTS, Refused, Story, day_of, month_of
from crawler.pack.pages import Job, Month, older
from crawler.pack.record import Index, Known, Record
from crawler.pack.surroundings import Ends, Surroundings
from crawler.pack.window import FOLDER, cold_months, days_of, is_flat
from crawler.render.theme import Theme, split
from crawler.site import Site
from crawler.sitedata import PAGES, facts_of, refresh
from crawler.sitedata.pages import PACKED, packed_months
from crawler.sitedata.tables import table
from crawler.sources import Source
from crawler.yamlfile import SettingsError

LAYOUTS = "category", "day", "default", "month", "source"
"""That packed months need, and those of their posts besides."""
Tell = Callable[[str, int, int], None]
"""Month that is at work, how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Place:
    """The archive, under its lock."""

    archive: Path
    state: Path
    site: Site
    ledger: Ledger
    outlets: Outlets
    sources: Iterable[Source] = ()

    @property
    def folder(self) -> Path:
        """Where packed pages lie."""
        return self.archive / FOLDER


@dataclass(slots=True)
class Done:
    """What was done."""

    months: dict[str, int] = field(default_factory=dict)
    """Packed now -> posts."""
    written: int = 0
    """Pages that were not there as they are."""
    removed: int = 0
    """Pages that are not to be there."""
    released: list[str] = field(default_factory=list)
    """Months that Jekyll builds again."""
    left: dict[str, str] = field(default_factory=dict)
    """Months that stay with Jekyll -> why."""


def pack(place: Place, *, whole: bool = False, force: bool = False, tell: Tell = lambda *_: None) -> Done:
    """Pack the months behind the hot window, and bring the pages of those that are packed up to date.

    ``whole``: look at every page, not at those alone that the change log tells of. ``force``: months with Markdown that
    presskeep does not write as well. Raises OSError, SettingsError (a layout is missing, among others), LiquidError (a
    layout).
    """
    _sweep(place)
    refresh(place.archive, place.site, place.ledger, place.outlets, place.sources)
    return _Packing(place, whole, force).run(tell)


def unpack(place: Place, months: Collection[str] | None = None) -> Done:
    """Give months back to Jekyll, all where none is named: the archive is as if they had never been packed. Raises
    LookupError for one that is not packed, SettingsError where the layout ``default`` is missing."""
    _sweep(place)
    record = Record(place.state)
    index = record.index()
    packed = packed_months(place.archive)
    known = set(index.months) | set(packed)
    if unknown := sorted(set(months or ()) - known):
        raise LookupError(f"{unknown[0]} is not packed")
    keep = {month: count for month, count in packed.items() if months is not None and month not in months}
    if lost := sorted(keep.keys() - index.months.keys()):
        raise LookupError(f"nothing is known of the pages of {lost[0]}. Next: presskeep pack --all")
    if keep:
        _need(place, Theme(place.archive), ["default"])
    record.begin(" ".join(["unpack", *(sorted(months) if months else ["--all"])]))
    done = Done()
    _settle(place, record, index, keep, done)
    return done


def _sweep(place: Place) -> None:
    """Drafts that a killed run left."""
    for folder in (*(place.archive / name for name in PAGES), place.state / "packed"):
        sweep(folder)
    for draft in place.archive.glob("._config.yml.*.tmp"):
        draft.unlink(missing_ok=True)


def _need(place: Place, theme: Theme, layouts: Iterable[str]) -> None:
    """Without its layout a page would be bare. Raises SettingsError."""
    if name := theme.lacking(sorted(layouts)):
        file = f"_layouts/{name}.html"
        ours = any(file == one for one, _ in template_files())
        hint = f"presskeep init {quote(str(place.archive))}  (writes what is missing)" if ours else "put it back"
        raise SettingsError([f"{place.archive / file}: not there, and pages are made with it. Next: {hint}"])


class _Packing:
    """One run of ``pack``."""

    def __init__(self, place: Place, whole: bool, force: bool) -> None:
        self._place, self._force = place, force
        self._theme = Theme(place.archive)
        self._record = Record(place.state)
        self._index = self._record.index()
        self._log, self._last = changelog.log_id(place.ledger), changelog.last(place.ledger)
        self._days = days_of(place.archive)
        self._cold = cold_months(self._days, place.site.hot_days, place.site.hot_posts)
        self._again = set(self._cold) if whole or self._index.log != self._log else self._touched()
        self._again |= {month for month in self._cold if self._outdated(month)}
        self._around = Surroundings(self._days, self._ends)
        self._read: dict[str, Ends] = {}
        self._done = Done()

    def run(self, tell: Tell) -> Done:
        if self._cold:
            _need(self._place, self._theme, {*LAYOUTS, self._place.site.style.layout})
        self._record.begin("pack")
        waiting = [month for month in self._cold if self._is_due(month)]
        for number, month in enumerate(waiting):
            tell(month, number, len(waiting))
            self._pack(month)
        packed = {month: self._index.months[month].posts for month in self._cold if month in self._index.months}
        packed = {month: count for month, count in packed.items() if month not in self._done.left}
        self._index.log, self._index.number = self._log, self._last
        _settle(self._place, self._record, self._index, packed, self._done)
        return self._done

    def _touched(self) -> set[str]:
        """Months of posts that the log tells of since the last time, and of those that are or were copies of them."""
        changes = changelog.changes
        query = sa.select(changes.c.path).distinct().where(changes.c.number > self._index.number)
        paths = {row.path for row in self._place.ledger.read(query)}
        copies = {one.path for found in copies_of(self._place.ledger, paths).values() for one in found}
        ends = tuple(
            f"/{name[:10].replace('-', '/')}/{Path(name).stem[11:]}.html"
            for name in (Path(path).name for path in paths)
        )
        named = {
            month for month, known in self._index.months.items() if any(url.endswith(ends) for url in known.copies)
        }
        return named | {Path(path).name[:7] for path in paths | copies}

    def _outdated(self, month: str) -> bool:
        known = self._index.months.get(month)
        return known is None or known.theme != self._theme.digest or known.sources != self._sources(known.sources)

    def _is_due(self, month: str) -> bool:
        return month in self._again or self._index.months[month].around != self._around.around(month)

    def _sources(self, names: Iterable[str]) -> dict[str, Any]:
        """What the site says of sources; how many posts they have changes with each run, and is on no packed page."""
        rows = self._theme.table("sources")
        return {name: {**rows.get(name, {}), "posts": 0} for name in sorted(names)}

    def _ends(self, month: str, first: str, last: str) -> Ends:
        known = self._index.months.get(month)
        if known is not None and month not in self._again:
            return known.ends
        if month not in self._read:
            self._read[month] = [self._edge(first, 0), self._edge(last, -1)]
        return self._read[month]

    def _edge(self, day: str, end: int) -> Any:
        try:
            found = day_of(self._place.archive, self._theme, day)
        except Refused:
            return None
        return found[end].brief if found else None

    def _pack(self, month: str) -> None:
        before = self._record.pages(month)
        try:
            found = month_of(self._place.archive, self._theme, month, None if self._force else frozenset())
        except Refused as error:
            self._done.left[month] = str(error)
            return
        _need(self._place, self._theme, {str(story.page.get("layout") or "") for story in found})
        made: dict[str, str] = {}
        try:
            pages = self._month(month, found)
            self._done.written += put(self._place.folder, self._changed(pages.jobs(), before, made))
        except FAULTS as error:
            drop(self._place.folder, made.keys() - before.keys())
            self._done.left[month] = str(error)
            return
        self._done.removed += drop(self._place.folder, before.keys() - made.keys())
        self._record.write_pages(month, made)
        self._index.months[month] = Known(
            theme=self._theme.digest,
            sources=dict(pages.sources),
            around=dict(pages.around),
            ends=[found[0].brief, found[-1].brief] if found else [None, None],
            categories={slug: len(some) for slug, some in pages.by_category.items()},
            by_source={name: len(some) for name, some in pages.by_source.items()},
            titles=dict(pages.titles),
            copies=pages.copies,
            posts=len(found),
        )

    def _month(self, month: str, found: list[Story]) -> Month:
        place = self._place
        urls = {story.page["path"]: story.page["url"] for story in found}
        facts = facts_of(place.archive, place.site, place.ledger, urls)
        sources = self._sources({str(story.page["source"]) for story in found if story.page.get("source")})
        slugs = {slug for story in found for slug in story.page["categories"] if is_slug(slug)}
        titles = {slug: _title(place.archive, slug, found) for slug in slugs}
        return Month(self._theme, month, found, self._around.around(month), facts, sources, titles)

    def _changed(
        self, jobs: Iterable[Job], before: dict[str, str], made: dict[str, str]
    ) -> Iterator[tuple[str, bytes]]:
        """Pages that are not there, or were made from something else; all are noted in ``made``."""
        for job in jobs:
            made[job.name] = job.digest
            if before.get(job.name) != job.digest or not (self._place.folder / job.name).is_file():
                yield job.name, job.render().encode()


def _title(archive: Path, slug: str, found: Iterable[Story]) -> str:
    """What a category's own page calls it; else the first tag of its first post, as there."""
    path = archive / "category" / f"{slug}.html"
    if path.is_file() and (title := split(path.read_text(encoding="utf-8"))[0].get("title")):
        return str(title)
    return next((tag for story in found if slug in story.page["categories"] for tag in story.page["tags"]), slug)


def _settle(place: Place, record: Record, index: Index, packed: dict[str, int], done: Done) -> None:
    """Make these the packed months, for Jekyll and for readers; their own pages are there."""
    was = set(packed_months(place.archive)) | set(index.months)
    done.months, done.released = packed, sorted(was - set(packed))
    if done.released:
        _tell(place, index, packed)
        refresh(place.archive, place.site, place.ledger, place.outlets, place.sources, whole=True)
    spans = {day[:7] for day in days_of(place.archive)}
    write_patterns(place.archive, patterns(packed, spans, is_flat(place.archive, packed)))
    _tell(place, index, packed)
    done.removed += drop(place.archive, _replaced(place.archive, packed))
    for month in done.released:
        done.removed += drop(place.folder, _pages_of(place, record, month))
        record.forget(month)
        index.months.pop(month, None)
    done.written += _older(place, index)
    record.write_index(index)


def _tell(place: Place, index: Index, packed: dict[str, int]) -> None:
    """The site's data: what is packed."""
    path = place.archive / PACKED
    if not packed:
        path.unlink(missing_ok=True)
        return
    told: dict[str, Any] = {
        "months": packed,
        "categories": _sums(index.months[month].categories for month in packed),
        "sources": _sums(index.months[month].by_source for month in packed),
    }
    if not any(day[:7] < max(packed) and day[:7] not in packed for day in days_of(place.archive)):
        told["last"] = index.months[max(packed)].ends[1]  # before the first that Jekyll builds
    data = table(told)
    if not path.is_file() or path.read_bytes() != data:
        replace(path, data)


def _sums(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Name -> posts of all these months."""
    found: Counter[str] = Counter()
    for some in counts:
        found.update(some)
    return dict(sorted(found.items()))


def _replaced(archive: Path, packed: Iterable[str]) -> Iterator[str]:
    """Stubs and data whose pages are packed; a file that somebody changed stays, and ``verify`` names it."""
    for month in packed:
        name = month.replace("-", "/")
        stubs = {f"archive/{name}.html": month_page(month)}
        days = (f"{month}-{path.stem}" for path in (archive / "archive" / name).glob("[0-3][0-9].html"))
        stubs |= {f"archive/{day.replace('-', '/')}.html": day_page(day) for day in days}
        yield from (stub for stub, data in stubs.items() if _holds(archive / stub, data))
        yield from (f"_data/facts/{path.name}" for path in (archive / "_data" / "facts").glob(f"{month}-*.yml"))


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _pages_of(place: Place, record: Record, month: str) -> Iterable[str]:
    """Of the record, and what else lies there under the month's addresses: a killed run may have left it."""
    part = month.replace("-", "/")
    ends = f"/{part}.html", f"/{part}.json"
    named = (name for name in there(place.folder) if f"/{part}/" in f"/{name}" or f"/{name}".endswith(ends))
    return {*record.pages(month), *named}


def _older(place: Place, index: Index) -> int:
    """For each category and source the page of its packed months."""
    found: dict[str, dict[str, dict[str, int]]] = {"category": {}, "source": {}}
    titles: dict[str, dict[str, str]] = {"category": {}, "source": {}}
    for month, known in sorted(index.months.items()):
        names = {name: str(told.get("name") or name) for name, told in known.sources.items()}
        for kind, counts, called in (("category", known.categories, known.titles), ("source", known.by_source, names)):
            for name, count in counts.items():
                found[kind].setdefault(name, {})[month] = count
                titles[kind][name] = called.get(name, name)
    theme = Theme(place.archive)
    digest = sha256(json.dumps([theme.digest, found, titles], sort_keys=True).encode()).hexdigest()
    if digest == index.older:
        return 0
    pages = [
        older(theme, kind, name, titles[kind][name], months)
        for kind, lists in found.items()
        for name, months in sorted(lists.items())
    ]
    there_now = (path for kind in found for path in place.folder.glob(f"{kind}/*/older.html"))
    stale = {path.relative_to(place.folder).as_posix() for path in there_now}
    drop(place.folder, stale - {name for name, _ in pages})
    index.older = digest
    return put(place.folder, pages)
