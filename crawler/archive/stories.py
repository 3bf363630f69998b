"""Stories: which posts of several sources are copies of one text, as the ledger has them, and which is the original.

A row for each post: its sketch (crawler/syndication/sketch.py), what says whose text it is, and the story that it is
of. Posts of one story bear the same number; those that nobody copied bear none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from crawler.archive.ledger import Ledger, articles, chunks
from crawler.archive.sketches import sketches


@dataclass(frozen=True, slots=True)
class Copy:
    """Another post of the same story."""

    path: str
    """Relative to the archive."""
    source: str
    original: bool
    """Whether it is the one that the others are copies of."""


@dataclass(frozen=True, slots=True)
class Member:
    """A post of a story."""

    space: str
    key: str
    source: str
    path: str
    """Of the post, relative to the archive; empty while it is not durable."""
    published: str
    """ISO 8601 in UTC."""
    since: str
    """When it became a post, ISO 8601 in UTC; empty where that is not known."""
    outlet: str
    """That it credits, by its normal name; empty for none."""
    publisher: str
    """The source's own name, in normal form."""
    agency: bool
    """Whether that is a news agency's."""
    pointer: bool
    """Whether the post only points to another."""


@dataclass(frozen=True, slots=True)
class Story:
    """Posts of several sources in the same words."""

    number: int
    members: tuple[Member, ...]
    """The original first, then by time."""
    reason: str
    """Why it is held to be the original."""


def original_of(members: Sequence[Member]) -> tuple[Member, str]:
    """The member that the others are copies of, and why; whatever order they are given in. Of several that may be it
    the earliest is, then the one that became a post first; a post that only points to another is none."""
    credits = {(one.outlet, one.source) for one in members if one.outlet}
    whole = [one for one in members if not one.pointer] or members
    first = min(whole, key=lambda one: (_rank(one, credits), one.published, one.since, one.source, one.key))
    return first, _REASONS[_rank(first, credits)]


_REASONS = (
    "another credits it",
    "it credits itself",
    "a news agency",
    "the earliest",
)


def _rank(one: Member, credits: Collection[tuple[str, str]]) -> int:
    if any(outlet == one.publisher and source != one.source for outlet, source in credits):
        return 0
    if one.outlet == one.publisher:
        return 1
    return 2 if one.agency else 3


def is_kept(ledger: Ledger) -> bool:
    """Whether the ledger has these tables: one of an older presskeep that may not be written to has not."""
    known = sa.text("select 1 from sqlite_master where type = 'table' and name = 'anchors'")
    return bool(ledger.read(known))


def copies_of(ledger: Ledger, paths: Collection[str]) -> dict[str, list[Copy]]:
    """Path of a post -> the other posts of its story, the original first and then by time; without those that stand
    alone."""
    if not is_kept(ledger):
        return {}
    numbers = _numbers(ledger, list(paths))
    told = stories(ledger, set(numbers.values()))
    return {
        path: [
            Copy(one.path, one.source, one == told[number].members[0])
            for one in told[number].members
            if one.path != path
        ]
        for path, number in numbers.items()
        if number in told
    }


def _numbers(ledger: Ledger, paths: Sequence[str]) -> dict[str, int]:
    """Path -> number of its story, of those that have one."""
    folded = sa.func.lower(articles.c.path)
    query = sa.select(articles.c.path, sketches.c.story).join(sketches, _same_article())
    found: dict[str, int] = {}
    for some in chunks(sorted({path.lower() for path in paths})):
        rows = ledger.read(query.where(folded.in_(some), articles.c.state == "done", sketches.c.story != 0))
        found |= {row.path: row.story for row in rows}
    wanted = set(paths)
    return {path: number for path, number in found.items() if path in wanted}


def stories(ledger: Ledger, numbers: Collection[int]) -> dict[int, Story]:
    """Number -> story, of those that have several posts."""
    found: defaultdict[int, list[Member]] = defaultdict(list)
    for some in chunks(sorted(numbers)):
        for row in ledger.read(members_of().where(_IN_STORIES, sketches.c.story.in_(some))):
            found[row.story].append(member(row))
    return {number: _story(number, members) for number, members in found.items() if len(members) > 1}


def _story(number: int, members: Sequence[Member]) -> Story:
    first, reason = original_of(members)
    rest = sorted((one for one in members if one != first), key=lambda one: (one.published, one.source, one.key))
    return Story(number, (first, *rest), reason)


def latest(ledger: Ledger, most: int, source: str = "") -> list[Story]:
    """Stories, the one with the latest post first; of one source, where that is named."""
    if not is_kept(ledger):
        return []
    newest = sa.func.max(sketches.c.published)
    query = sa.select(sketches.c.story).where(_IN_STORIES).group_by(sketches.c.story)
    if source:
        query = query.having(sa.func.max(sketches.c.source == source) == 1)
    rows = ledger.read(query.order_by(newest.desc(), sketches.c.story).limit(most))
    told = stories(ledger, [row.story for row in rows])
    return [told[row.story] for row in rows if row.story in told]


def counts(ledger: Ledger) -> tuple[int, int, int]:
    """(stories, posts in them, posts that were never sketched)."""
    total = sa.select(sa.func.count()).select_from(articles).where(articles.c.state == "done")
    if not is_kept(ledger):
        return 0, 0, int(ledger.read(total)[0][0])
    number, posts = sa.func.count(sketches.c.story.distinct()).label("number"), sa.func.count().label("posts")
    told = ledger.read(sa.select(number, posts).select_from(sketches).where(_IN_STORIES))[0]
    without = total.where(~sa.exists().where(_same_article()))
    return int(told.number), int(told.posts), int(ledger.read(without)[0][0])


_IN_STORIES = sa.text("story != 0")
"""Literal, so that SQLite sees that the partial index serves."""


def members_of() -> sa.Select[Any]:
    """A select of what ``member`` reads, with the story's number and the row's id."""
    own = [sketches.c[name] for name in ("id", "story", "space", "key", "source", "published", *_CREDIT)]
    return (
        sa.select(*own, articles.c.path, articles.c.since)
        .join(articles, _same_article())
        .where(articles.c.state == "done")
    )


_CREDIT = ("outlet", "publisher", "agency", "pointer")


def member(row: Any) -> Member:
    """Of a row of ``members_of``."""
    return Member(
        row.space, row.key, row.source, row.path, row.published, row.since,
        row.outlet, row.publisher, bool(row.agency), bool(row.pointer),
    )  # fmt: skip


def _same_article() -> sa.ColumnElement[bool]:
    return sa.and_(sketches.c.space == articles.c.space, sketches.c.key == articles.c.key)
