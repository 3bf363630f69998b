"""What the archive knows of a post and the post does not say: when it came, how it was edited, whether it is gone.

Posts are a function of capture and settings; these facts tell of the crawls as well. Of the time at which an article
came only the day is told: a run that was killed and started again then leaves the site that an undisturbed one leaves,
and git finds the same day in a thousand lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from crawler.archive.address import dated, post_url
from crawler.archive.ledger import Ledger, articles, chunks, moment_of
from crawler.archive.reader import PostError, read_any
from crawler.archive.revisions import versions
from crawler.archive.stories import Copy, copies_of
from crawler.site import Site

Facts = dict[str, Any]
"""``archived``: day on which it became a post, ISO 8601 in the site's zone. ``revisions``: ``number`` and ``at`` (ISO
8601 with offset) of each edit, the first first. ``gone``: day since when it is gone upstream. ``copies``: ``title``,
``url``, ``date``, ``outlet`` and ``language`` of each other post of its story, and ``original`` of the one that the
others are copies of; of many the first ``_MOST_COPIES``. Empty ones are left out.
"""

_HEAD = 2_000
"""Bytes, in which a post of ours has its date."""
_DATE = re.compile(rb"^date: *([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4})$", re.MULTILINE)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_COPIES = 50
"""That a page names, so that a story of hundreds of posts is not told hundreds of times in full."""


@dataclass(frozen=True, slots=True)
class Told:
    """What of a post shows elsewhere than on its own page."""

    title: str
    date: datetime
    """In the site's zone."""
    url: str
    """Below baseurl."""
    category: str
    """Empty for none."""
    tags: tuple[str, ...]
    outlet: str
    """That it credits; empty for none."""
    language: str
    """BCP 47 tag; empty where it does not say."""


def read(archive: Path, path: str, zone: tzinfo) -> Told | None:
    """The post at this path, relative to the archive; None where it is not there or cannot be read."""
    try:
        post = read_any((archive / path).read_bytes(), Path(path).name)
    except (FileNotFoundError, PostError):
        return None
    date = dated(post.date, zone)
    url, category = post_url(path, post.categories, date.date()), next(iter(post.categories), "")
    outlet, language = (str(post.fields.get(name) or "") for name in ("attribution", "language"))
    return Told(post.title, date, url, category, post.tags, outlet, language)


def day_at(archive: Path, path: str, zone: tzinfo) -> str:
    """The day in a post's address, ISO 8601, which need not be that of its name where its date has no offset; the
    name's, which may be none, where there is no such post. Of a date as presskeep writes it the beginning is enough."""
    try:
        with (archive / path).open("rb") as file:
            match = _DATE.search(file.read(_HEAD).partition(b"\n---\n")[0])
        if match:
            return dated(datetime.strptime(match[1].decode(), "%Y-%m-%d %H:%M:%S %z"), zone).date().isoformat()
    except (OSError, OverflowError, ValueError):
        pass
    told = read(archive, path, zone)
    return day_of(told.url) if told else name_day(path)


def name_day(path: str) -> str:
    """The day in the name of a post, empty for none."""
    day = Path(path).name[:10]
    return day if _DAY.fullmatch(day) else ""


def facts_of(archive: Path, site: Site, ledger: Ledger, urls: Mapping[str, str]) -> dict[str, dict[str, Facts]]:
    """What ``site.data.facts`` holds of posts: day of the post -> its address below baseurl -> facts.

    ``urls``: path of each post, relative to the archive -> that address, ``/CATEGORY/YYYY/MM/DD/NAME.html``. A post
    that the ledger does not know, or of which nothing is known, is left out.
    """
    zone, found = ZoneInfo(site.timezone), dict[str, dict[str, Facts]]()
    copies = copies_of(ledger, urls)
    about = cache(lambda copy: _copy(archive, copy, zone))
    for row in _rows(ledger, urls):
        told = _facts(archive, row, copies.get(row.path, ()), zone, about)
        if told:
            url = urls[row.path]
            found.setdefault(day_of(url), {})[url] = told
    return found


def day_of(url: str) -> str:
    """The day in a post's address, ISO 8601."""
    return "-".join(url.split("/")[-4:-1])


def _rows(ledger: Ledger, paths: Collection[str]) -> Iterator[Any]:
    """Of the ledger, by the index on paths, which is of lower case."""
    columns = [articles.c[name] for name in ("path", "since", "gone", "revision")]
    for some in chunks(list(paths)):
        within = sa.func.lower(articles.c.path).in_([name.lower() for name in some]), articles.c.path.in_(some)
        yield from ledger.read(sa.select(*columns).where(*within, articles.c.state == "done"))


def _facts(archive: Path, row: Any, copies: Sequence[Copy], zone: ZoneInfo, about: Callable[[Copy], Facts]) -> Facts:
    told = {
        "archived": _day(row.since, zone),
        "revisions": _revisions(archive, row.path, zone) if row.revision else [],
        "gone": _day(row.gone, zone),
        "copies": [fact for copy in copies[:_MOST_COPIES] if (fact := about(copy))],
    }
    return _filled(told)


def _copy(archive: Path, copy: Copy, zone: ZoneInfo) -> Facts:
    """What a page says of another post; nothing where that cannot be read."""
    told = read(archive, copy.path, zone)
    if told is None:
        return {}
    outlet = told.outlet or next(iter(told.tags), "")
    about = {"title": told.title, "url": told.url, "date": told.date.isoformat(), "outlet": outlet}
    return _filled({**about, "language": told.language, "original": copy.original})


def _filled(told: Facts) -> Facts:
    return {name: value for name, value in told.items() if value}


def _day(written: str, zone: ZoneInfo) -> str:
    """Of a moment of the ledger; a capture's, of which a ledger was made anew, has fractions of seconds at times."""
    return moment_of(written).astimezone(zone).date().isoformat() if written else ""


def _revisions(archive: Path, path: str, zone: ZoneInfo) -> list[Facts]:
    """Edit n put something else in the place of version n: its time is the one that the next version says."""
    numbered = [*versions(archive, path).items(), (0, archive / path)]
    return [{"number": number, **_edited(file, zone)} for (number, _), (_, file) in pairwise(numbered)]


def _edited(file: Path, zone: ZoneInfo) -> Facts:
    """When a version came; nothing where that cannot be read, for somebody may have changed it by hand."""
    try:
        said = read_any(file.read_bytes(), file.name).fields.get("last_modified_at")
        moment = datetime.strptime(str(said), "%Y-%m-%d %H:%M:%S %z")
        return {"at": moment.astimezone(zone).isoformat()}
    except (OSError, PostError, ValueError, OverflowError):
        return {}
