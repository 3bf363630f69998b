"""Which stubs and data files the site is to have: of all posts, or of some that came or changed.

Of some: what is known of the others is taken from the files that are there, so that it costs as much as these posts do,
and not as the archive.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import yaml

from crawler.archive.ledger import Ledger, articles
from crawler.archive.post import is_slug
from crawler.archive.site import category_page, day_page, feed_page, month_page, source_page, tag_page, year_page
from crawler.archive.stories import copies_of
from crawler.outlets import Outlets
from crawler.site import Site
from crawler.sitedata.facts import Told, day_at, day_of, facts_of, name_day, read
from crawler.sitedata.tables import is_key, read_table, table
from crawler.sources import Source, folders_for, load_source, source_paths
from crawler.yamlfile import SettingsError

FOLDERS = "_data", "archive", "category", "source", "tag"
"""Where such files lie."""
TAGS, SOURCES, PACKED = "_data/tags.yml", "_data/sources.yml", "_data/packed.yml"
Posts = Mapping[str, str]
"""Path of each post, relative to the archive -> its source."""

SOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""Of sources that have a page."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """The archive whose site it is."""

    archive: Path
    site: Site
    ledger: Ledger
    outlets: Outlets
    """For the slugs of tags."""
    sources: Mapping[str, Source]
    """By id: those that are at hand; of others the files are read."""


@dataclass(slots=True)
class Files:
    """What is to be there: path, relative to the archive -> bytes."""

    stubs: dict[str, bytes] = field(default_factory=dict)
    """Written once; what is there stays as it is."""
    data: dict[str, bytes] = field(default_factory=dict)


def files_of(place: Place, posts: Posts, *, whole: bool) -> Files:
    """The files in which these posts show. ``whole``: they are all that there are, and the data files that are there
    do not count."""
    return _Pages(place, posts, whole).files()


def posts_of(ledger: Ledger, *within: sa.ColumnElement[bool]) -> Posts:
    """Posts that the ledger knows, all or some."""
    columns = articles.c.path, articles.c.source
    return {row.path: row.source for row in ledger.read(sa.select(*columns).where(articles.c.state == "done", *within))}


def packed_months(archive: Path) -> dict[str, int]:
    """Month, ``2022-05`` -> posts, of those whose pages ``presskeep pack`` has made, by what the site's data say:
    Jekyll makes none for them. Empty where that cannot be read."""
    try:
        told = yaml.load((archive / PACKED).read_bytes(), _LOADER)["months"]
        return {str(month): int(count) for month, count in told.items()}
    except (FileNotFoundError, AttributeError, LookupError, TypeError, ValueError, yaml.YAMLError):
        return {}


class _Pages:
    """One answer to which files there are to be."""

    def __init__(self, place: Place, posts: Posts, whole: bool) -> None:
        self._place, self._posts, self._whole = place, posts, whole
        self._zone = ZoneInfo(place.site.timezone)
        self._days: list[str] = []
        """Touched: those in the addresses of these posts, and in their names."""
        self._counts: dict[str, int] = {}
        """Posts of the days of touched years."""
        self._known_days: dict[str, str] = {}
        self._packed = packed_months(place.archive)
        self._made = Files()

    def files(self) -> Files:
        told = self._read()
        self._count_days()
        self._calendars()
        titles = self._categories(told.values())
        self._tags(sorted({tag for one in told.values() for tag in one.tags if is_key(tag)}), titles)
        self._sources()
        self._facts({path: one.url for path, one in told.items()})
        return self._made

    def _known(self, name: str) -> dict[str, Any] | None:
        """Rows of a data file that count, None where it is to be made anew."""
        return None if self._whole else read_table(self._place.archive / name)

    @cached_property
    def _all(self) -> Posts:
        return self._posts if self._whole else posts_of(self._place.ledger)

    def _read(self) -> dict[str, Told]:
        """What the posts say, by path, and with them those of which something else is to be told now. One that is not
        there or cannot be read tells nothing: ``verify`` names it."""
        found = self._read_some(self._posts)
        days = {self._day(path) for path in self._posts}
        self._days = sorted(filter(None, days if self._whole else days | {*map(name_day, self._posts)}))
        if self._whole:
            return found
        copies = {*self._copies(found.values())}
        more = {*copies, *self._others_of({*self._days, *map(self._day, copies)})} - found.keys()
        return found | self._read_some(more)

    def _read_some(self, paths: Iterable[str]) -> dict[str, Told]:
        told = {path: told for path in sorted(paths) if (told := read(self._place.archive, path, self._zone))}
        self._known_days |= {path: day_of(one.url) for path, one in told.items()}
        return told

    def _day(self, path: str) -> str:
        """The day in a post's address; empty where its name has none, for then it is no post to Jekyll."""
        if path not in self._known_days:
            self._known_days[path] = day_at(self._place.archive, path, self._zone)
        return self._known_days[path] if name_day(path) else ""

    def _copies(self, told: Iterable[Told]) -> Iterator[str]:
        """Posts that are of one story with some, and those that their facts still call so."""
        for copies in copies_of(self._place.ledger, self._posts).values():
            yield from (one.path for one in copies)
        for one in told:
            known = (self._known(_facts_name(day_of(one.url))) or {}).get(one.url, {})
            for url in (copy["url"] for copy in known.get("copies", ())):
                yield from posts_of(self._place.ledger, _at(url))

    def _others_of(self, days: Iterable[str]) -> Iterator[str]:
        """All posts of those days whose facts are to be had anew."""
        for day in days:
            if day[:7] not in self._packed and self._known(_facts_name(day)) is None:
                yield from self._within(day)

    def _within(self, span: str) -> list[str]:
        """Posts with an address of a day or a year: an offset moves them by a day from that of their name."""
        named = posts_of(self._place.ledger, sa.or_(*map(_of, _around(span))))
        return [path for path in {*named, *self._strays} if self._day(path).startswith(span)]

    @cached_property
    def _strays(self) -> list[str]:
        """Of these posts those that have another day than their name, be it ever so far."""
        return [path for path in self._posts if self._day(path) != name_day(path)]

    def _count_days(self) -> None:
        """How many posts each day has, a file for each year."""
        for year in sorted({day[:4] for day in self._days}):
            name = f"_data/days/{year}.yml"
            if (known := self._known(name)) is None:
                posts = self._posts if self._whole else self._within(year)
                counts: dict[str, int] = Counter(day for path in posts if (day := self._day(path)).startswith(year))
            else:
                touched = [day for day in self._days if day.startswith(year)]
                counts = known | {day: len(self._within(day)) for day in touched}
            self._counts |= counts
            self._made.data[name] = table({day: count for day, count in counts.items() if count})

    def _calendars(self) -> None:
        """A page for each year; for months and days those that are not packed, for these have their pages."""
        for day in filter(self._counts.get, self._days):
            self._made.stubs[f"archive/{day[:4]}.html"] = year_page(day[:4])
            if day[:7] not in self._packed:
                self._made.stubs[f"archive/{day[:7].replace('-', '/')}.html"] = month_page(day[:7])
                self._made.stubs[f"archive/{day.replace('-', '/')}.html"] = day_page(day)

    def _categories(self, told: Iterable[Told]) -> dict[str, str]:
        """Page and feed of each category: slug -> title. A new one takes the title from its first post."""
        titles: dict[str, str] = {}
        for one in told:
            slug = one.category
            if slug in titles or not is_slug(slug):
                continue
            there = _front(self._place.archive / "category" / f"{slug}.html").get("title")
            titles[slug] = there or next(iter(one.tags), slug)
            self._made.stubs[f"category/{slug}.html"] = category_page(slug, titles[slug])
            self._made.stubs[f"category/{slug}.xml"] = feed_page(slug, titles[slug])
        return titles

    def _tags(self, tags: Iterable[str], titles: Mapping[str, str]) -> None:
        """Where each tag leads: to the category that is called so, else to a page of its own."""
        known, taken = self._known(TAGS) or {}, dict[str, str]()
        for tag in tags:
            mark = f"-{sha256(tag.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
            before = PurePosixPath(str(known.get(tag, ""))).stem.removesuffix(mark)
            slug = before if is_slug(before) else self._place.outlets.slug(tag)  # which takes its time to load
            title = titles.get(slug) or _front(self._place.archive / "category" / f"{slug}.html").get("title")
            if title == tag:
                known[tag] = f"/category/{slug}.html"
                continue
            slug = slug.lower()
            if self._owner(slug, taken) not in ("", tag):
                slug += mark
            taken[slug] = tag
            known[tag] = f"/tag/{slug}.html"
            self._made.stubs[f"tag/{slug}.html"] = tag_page(slug, tag)
        self._made.data[TAGS] = table(known)

    def _owner(self, slug: str, taken: Mapping[str, str]) -> str:
        """The tag that has this slug, which it keeps for ever; empty for none."""
        return taken.get(slug) or _front(self._place.archive / "tag" / f"{slug}.html").get("tag", "")

    def _sources(self) -> None:
        """Whose posts there are."""
        known = self._known(SOURCES)
        counts = Counter(self._all.values()) if known is None else {}
        told = read_table(self._place.archive / SOURCES) or {}
        rows = dict(known or {})
        for name in sorted(set((self._all if known is None else self._posts).values())):
            number = counts.get(name) or self._number(articles.c.source == name)
            rows[name] = {**self._about(name, told.get(name, {})), "posts": number}
            if SOURCE_ID.fullmatch(name):
                self._made.stubs[f"source/{name}.html"] = source_page(name, rows[name]["name"])
        self._made.data[SOURCES] = table(rows)

    def _number(self, within: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(articles).where(articles.c.state == "done", within)
        return int(self._place.ledger.read(query)[0][0])

    def _about(self, name: str, told: Mapping[str, Any]) -> dict[str, Any]:
        """Name, home page and language of a source: what its file says, else what was known of it."""
        source = self._place.sources.get(name)
        if source is None and name in self._source_files:
            with suppress(SettingsError):
                source = load_source(self._source_files[name])
        if source is None:
            return {"name": name, **{key: value for key, value in told.items() if key != "posts"}}
        return {"name": source.name, "url": source.home, "language": source.language}

    @cached_property
    def _source_files(self) -> dict[str, Path]:
        return source_paths(folders_for(self._place.archive))

    def _facts(self, urls: Mapping[str, str]) -> None:
        """What the archive knows of posts, a file for each day that is not packed. A post that has another address now
        is told of once: its name is its own on its day."""
        found = facts_of(self._place.archive, self._place.site, self._place.ledger, urls)
        for day in sorted({day_of(url) for url in urls.values()}):
            name = _facts_name(day)
            known = self._known(name) or {}
            touched = {PurePosixPath(url).name for url in urls.values() if day_of(url) == day}
            rows = {url: facts for url, facts in known.items() if PurePosixPath(url).name not in touched}
            rows |= found.get(day, {})
            if day[:7] not in self._packed and (rows or known):
                self._made.data[name] = table(rows)


def _front(page: Path) -> dict[str, str]:
    """Front matter of a page; none where it is not there or cannot be read."""
    try:
        _, front, _ = page.read_text(encoding="utf-8").split("---\n", 2)
        said = yaml.load(front, _LOADER)
    except (FileNotFoundError, ValueError, yaml.YAMLError):
        return {}
    return {str(key): str(value) for key, value in said.items()} if isinstance(said, dict) else {}


def _of(span: str) -> sa.ColumnElement[bool]:
    """Posts of a day, a month or a year, dated and flat, by the index on paths."""
    path = sa.func.lower(articles.c.path)
    starts = (f"_posts/{span.replace('-', '/')}/", f"_posts/{span}-")
    return sa.or_(*(sa.and_(path >= start, path < f"{start}\U0010ffff") for start in starts))


def _around(span: str) -> list[str]:
    """A day or a year, and the days before and after it."""
    try:
        first, last = date.fromisoformat(f"{span}-01-01"[:10]), date.fromisoformat(f"{span}-12-31"[:10])
        return [f"{first - timedelta(1)}", span, f"{last + timedelta(1)}"]
    except (OverflowError, ValueError):  # no day of the calendar, or its end
        return [span]


def _at(url: str) -> sa.ColumnElement[bool]:
    """The post at an address, dated or flat, by the index on paths."""
    names = [(day, f"{day}-{PurePosixPath(url).stem}.md".lower()) for day in _around(day_of(url))]
    paths = (path for day, name in names for path in (f"_posts/{day.replace('-', '/')}/{name}", f"_posts/{name}"))
    return sa.func.lower(articles.c.path).in_([*paths])


def _facts_name(day: str) -> str:
    return f"_data/facts/{day}.yml"
