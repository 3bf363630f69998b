"""What the reader has beside the site's own pages: search and filters, how the sources fare, which days are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from crawler.commands import gaps as gaps_verb
from crawler.commands import health as health_verb
from crawler.coverage import gap_lines
from crawler.days import Days
from crawler.health import class_of_report, latest, next_step
from crawler.search.index import Hit, Within, text_of_post
from crawler.search.lists import credited, listed
from crawler.search.snippet import Snippet, snippet
from crawler.search.words import QueryError, parse

if TYPE_CHECKING:
    from crawler.archive.ledger import Ledger
    from crawler.serve.asked import Asked
    from crawler.sources import Source

PAGE = 25
"""Posts of one page of what was found."""
_DEEPEST = 400
"""Pages that can be turned to."""
_OUTLETS = 200
_RUNS = 10
_FIELDS = "q", "source", "outlet", "category", "tag", "day", "from", "to"


@dataclass(frozen=True, slots=True)
class _Wish:
    """What somebody looks for."""

    given: Mapping[str, str]
    number: int
    """Of the page, 1 for the first."""
    first: date
    last: date

    @classmethod
    def of(cls, query: Mapping[str, str]) -> _Wish:
        """Raises ValueError for what is no day or no number."""
        given = {name: query[name] for name in _FIELDS if query.get(name)}
        day = given.get("day", "")
        first, last = given.get("from") or day, given.get("to") or day
        number = min(max(int(query.get("page") or 1), 1), _DEEPEST)
        return cls(
            given,
            number,
            date.fromisoformat(first) if first else date.min,
            date.fromisoformat(last) if last else date.max,
        )

    def address(self, number: int) -> str:
        """Of another page."""
        return f"/search?{urlencode({**self.given, 'page': number})}"


# search and filters


def find(asked: Asked) -> tuple[str, int]:
    """Posts by words, or by where they are from alone."""
    page: dict[str, Any] = {"title": asked.look.words["search"], "url": "/search", "form": _form(asked)}
    try:
        wish = _Wish.of(asked.query)
        if asked.index and wish.given:
            page |= _found(asked, wish)
    except (ValueError, QueryError) as error:
        page["refused"] = str(error)
        return asked.look.own("search", page, asked.shelves.site()), 400
    return asked.look.own("search", page, asked.shelves.site()), 200


def _form(asked: Asked) -> dict[str, Any]:
    """What can be chosen, and what was."""
    sources = [{"id": name, "name": told["name"]} for name, told in asked.shelves.sources().items()]
    index, library = asked.index, asked.library
    outlets = library.kept("outlets", lambda: credited(index, _OUTLETS) if index else [])
    categories = [{"slug": slug, "title": title} for slug, title in asked.shelves.categories().items()]
    given = {name: asked.query.get(name, "") for name in _FIELDS}
    return {"given": given, "sources": sources, "outlets": outlets, "categories": categories}


def _found(asked: Asked, wish: _Wish) -> dict[str, Any]:
    skip = (wish.number - 1) * PAGE
    count, hits = (_by_words if "q" in wish.given else _by_terms)(asked, wish, skip)
    pages = min(-(-count // PAGE), _DEEPEST)
    told: dict[str, Any] = {"count": count, "hits": hits, "number": wish.number, "pages": pages, "asked": True}
    if wish.number > 1:
        told["previous"] = wish.address(wish.number - 1)
    if wish.number < pages:
        told["next"] = wish.address(wish.number + 1)
    return told


def _by_words(asked: Asked, wish: _Wish, skip: int) -> tuple[int, list[dict[str, Any]]]:
    assert asked.index
    given = wish.given
    within = Within(
        source=given.get("source", ""),
        outlet=_outlet(asked, given),
        category=given.get("category", ""),
        first=wish.first,
        last=wish.last,
    )
    count, hits = asked.index.find(asked.library.archive, parse(given["q"]), within, PAGE, skip)
    return count, list(_shown(asked, hits))


def _by_terms(asked: Asked, wish: _Wish, skip: int) -> tuple[int, list[dict[str, Any]]]:
    assert asked.index
    terms = {name: wish.given.get(name, "") for name in ("source", "category", "tag")}
    terms["outlet"] = _outlet(asked, wish.given)
    count, found = listed(asked.index, terms, PAGE, skip, wish.first, wish.last)
    return count, list(_shown(asked, found))


def _outlet(asked: Asked, given: Mapping[str, str]) -> str:
    """The name that posts have, of whichever the outlet goes by."""
    return asked.library.outlets.name(given["outlet"]) if "outlet" in given else ""


def _shown(asked: Asked, found: Any) -> Iterator[dict[str, Any]]:
    """As the template has them; what is not there any more is left out."""
    names = asked.shelves.sources()
    for one in found:
        post = asked.library.post(one.path)
        if post is None:
            continue
        piece = one.snippet if isinstance(one, Hit) else snippet(text_of_post(post), [])
        page = asked.shelves.page(one.path, post)
        told = {name: page.get(name) for name in ("title", "url", "date", "language", "attribution")}
        yield {**told, "publisher": names.get(one.source, {}).get("name", one.source), "pieces": list(_pieces(piece))}


def _pieces(piece: Snippet) -> Iterator[dict[str, Any]]:
    """The snippet in parts, those that were looked for marked."""
    at = 0
    for start, end in piece.hits:
        if start >= at:
            yield {"text": piece.text[at:start], "hit": False}
            yield {"text": piece.text[start:end], "hit": True}
            at = end
    yield {"text": piece.text[at:], "hit": False}


# how the archive fares


def health(asked: Asked) -> tuple[str, int]:
    """What ``presskeep health`` and ``presskeep status`` tell."""
    page: dict[str, Any] = {"title": asked.look.words["health"], "url": "/health", "told": {}}
    with asked.library.ledger() as ledger:
        if ledger:
            page["told"] = _health(asked, ledger)
    return asked.look.own("health", page, asked.shelves.site()), 200


def _health(asked: Asked, ledger: Ledger) -> dict[str, Any]:
    runs = ledger.last_runs(_RUNS)
    told = health_verb.told_of(ledger, asked.library.where)
    for one in told:
        one["days"] = [
            {"day": day, **brought, "refused": sum(brought["refused"].values()), "kinds": _kinds(brought["refused"])}
            for day, brought in reversed(one["days"].items())
        ]
    return {
        "sources": told,
        "gaps": gap_lines(ledger, asked.library.sources, asked.library.where),
        "runs": [row for run in runs for row in _rows(run)],
        "next": _next(runs, told, asked.library.where),
        "keys": [{"source": name, **states} for name, states in ledger.counts().items()],
        "refused": ledger.refusals(),
        "second_looks": ledger.second_looks(),
        "disagreements": [
            {"source": source, "key": key, "field": field, "list": words[0], "page": words[1]}
            for source, key, notes in ledger.disagreements()
            for field, words in notes.items()
        ],
    }


def _kinds(refused: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(refused.items()))


def _rows(run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A run, a row for each of its sources."""
    about = {name: run[name] for name in ("id", "started", "ended", "exit_code")}
    backfills = [{**one, "source": f"{one['source']} (backfill)"} for one in run["report"].get("backfills", ())]
    for one in [*run["report"].get("sources", ()), *backfills] or [{}]:
        yield {**one, **about, "class": class_of_report(one) if one else ""}


def _next(runs: list[dict[str, Any]], told: list[dict[str, Any]], where: str) -> list[dict[str, str]]:
    """What to type, as ``presskeep health`` says it, for each source that has something."""
    steps = {one["source"]: one["next"] for one in told}
    steps |= {name: next_step(one, where) for name, one in latest(runs).items() if name not in steps}
    return [{"source": name, "command": step} for name, step in sorted(steps.items()) if step]


def gaps(asked: Asked) -> tuple[str, int]:
    """What ``presskeep gaps`` tells."""
    page: dict[str, Any] = {"title": asked.look.words["gaps"], "url": "/gaps", "form": _form(asked), "told": {}}
    try:
        wish = _Wish.of(asked.query)
    except ValueError as error:
        page["refused"] = str(error)
        return asked.look.own("gaps", page, asked.shelves.site()), 400
    with asked.library.ledger() as ledger:
        if ledger:
            page["told"] = _gaps(asked, ledger, wish)
    return asked.look.own("gaps", page, asked.shelves.site()), 200


def _gaps(asked: Asked, ledger: Ledger, wish: _Wish) -> dict[str, Any]:
    chosen: list[Source] = [one for one in asked.library.sources() if wish.given.get("source") in (None, one.id)]
    window = Days(wish.first, wish.last)
    whole = (wish.first, wish.last) != (date.min, date.max)
    told = gaps_verb.told_of(ledger, chosen, window, asked.library.where, whole=whole)
    for day in told["days"]:
        day["by"] = ", ".join(f"{by} {number}" for by, number in sorted(day["by"].items()))
    return told
