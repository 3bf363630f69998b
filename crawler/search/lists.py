"""Posts by what they carry, newest first: by source, outlet, day, category, tag; by the index alone, however many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crawler.search.index import Index
from crawler.search.words import fold

KINDS = "source", "outlet", "day", "category", "tag"
"""What posts can be listed by."""

_PLACE = "(moment, path) {} (select moment, path from posts where path = :path)"
_NEXT_TO = "select path from posts where {} order by moment {}, path {} limit 1"


@dataclass(frozen=True, slots=True)
class Listed:
    """A post of a list."""

    path: str
    """Relative to the archive."""
    source: str


def listed(
    index: Index,
    terms: Mapping[str, str],
    limit: int,
    skip: int = 0,
    first: date = date.min,
    last: date = date.max,
) -> tuple[int, list[Listed]]:
    """How many posts carry all these terms (kind -> term), and ``limit`` of them after ``skip``, the newest first.

    ``first``, ``last``: days in the site's zone.
    """
    wanted = {kind: fold(term) if kind == "outlet" else term for kind, term in terms.items() if term}
    values: dict[str, Any] = {f"{kind}_": term for kind, term in wanted.items()}
    values |= {"first": first.isoformat(), "last": last.isoformat(), "limit": limit, "skip": skip}
    within = _within(list(wanted), (first, last) != (date.min, date.max))
    ((count,),) = index.ask(f"select count(*) {within}", values)
    newest = f"{'held' if wanted else 'posts'}.moment desc, path desc"
    rows = index.ask(f"select path, source {within} order by {newest} limit :limit offset :skip", values)
    return count, [Listed(*row) for row in rows]


def _within(kinds: list[str], dated: bool) -> str:
    """The first term is looked up, each other one is asked of what that gives."""
    days = ["day between :first and :last"] if dated else []
    if not kinds:
        return " and ".join(["from posts where 1", *days])
    first, *others = (f"kind = '{kind}' and term = :{kind}_" for kind in kinds)
    also = [f"exists (select 1 from terms where {one} and moment = held.moment and post = held.post)" for one in others]
    held = f"(select moment, post from terms where {first}) held"
    return f"from {held} join posts on id = held.post where " + " and ".join(["1", *also, *days])


def counts(index: Index, kind: str, first: str = "", last: str = "\U0010ffff") -> dict[str, int]:
    """Term -> number of posts, of the terms of a kind from ``first`` to ``last``, in their order."""
    question = """
    select term, count(*) from terms join posts on id = post
    where kind = :kind and term between :first and :last group by term order by term
    """
    return dict(index.ask(question, {"kind": kind, "first": first, "last": last}))


def newest_of(index: Index, kind: str, term: str) -> str:
    """Path of the newest post that carries a term, empty for none."""
    return next((one.path for one in listed(index, {kind: term}, 1)[1]), "")


def credited(index: Index, most: int) -> list[str]:
    """Names of the outlets that most posts credit."""
    question = "select outlet from posts where outlet != '' group by outlet order by count(*) desc, outlet limit :most"
    return [name for (name,) in index.ask(question, {"most": most})]


def neighbours(index: Index, path: str) -> tuple[str, str]:
    """Paths of the posts before and after one in time, empty where there is none or the index does not know it."""
    older = index.ask(_NEXT_TO.format(_PLACE.format("<"), "desc", "desc"), {"path": path})
    newer = index.ask(_NEXT_TO.format(_PLACE.format(">"), "asc", "asc"), {"path": path})
    return tuple(next((found for (found,) in rows), "") for rows in (older, newer))  # type: ignore[return-value]
