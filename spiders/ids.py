"""Numbered articles: addresses made from numbers, most of them nobody's, and the searches that ask for them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive.ledger import Entry, articles, marks, stamp
from crawler.coverage import Part, Stretch
from crawler.days import PLACES, Days, dated, is_dated
from crawler.extract.page import Page
from crawler.extract.text import plain
from crawler.extract.walls import MIDDLING, weight
from crawler.gate import class_of, is_error_page, sketch
from crawler.lists import IdList
from crawler.numbers import Answer, Answers, Found, Search, backward, border, forward, newest
from crawler.sources import Source
from spiders.walk import EntryMaker, Listing, Walk

if TYPE_CHECKING:
    from crawler.run import Run
    from spiders.news import NewsSpider

_DAY = timedelta(days=1)
_SAME_TEXT = "same text as "
_AT_ONCE = 2000
"""Numbers behind the newest known that one crawl asks for."""
_LATE = 5
"""So many times a list's ``misses`` below the newest number are looked at again, for articles that appear late."""
_TRAP = 5
"""Numbers answered with one and the same article that show that any number is."""
_UNREAD = frozenset({"paywall", "consent"})
"""Why an article gave no post though its page is surely there. One that no rule fits may be an error page."""
_DATES = re.compile(r"\\{(" + "|".join(PLACES) + r")\\}")


class IdsWalk(Walk):
    """Makes entries of numbers. There are no list pages: ``Numbers`` asks for the articles themselves."""

    def __init__(self, source: Source, one: IdList, window: Days | None = None) -> None:
        self._one = one
        self._make = EntryMaker(source)

    def entry(self, place: int, day: date | None = None, tries: int = 1) -> Entry | None:
        """The article of a number, counted from the first one; None where its address has no key. ``tries`` says how
        often it was asked for, this time among them."""
        number = str(self._one.first + place * self._one.step).zfill(self._one.width)
        address = dated(self._one.template, day) if day else self._one.template
        listing = Listing()
        self._make.add(listing, {"url": address.replace("{id}", number), "guess": str(tries)})
        return next(iter(listing.entries), None)

    def place(self, address: str) -> int:
        """The number of an article's address, counted as above; -1 where it is no address of this kind."""
        pattern = _DATES.sub(r"\\d+", re.escape(self._one.template)).replace(r"\{id\}", r"(\d+)")
        match = re.fullmatch(pattern, address)
        number = int(match[1]) - self._one.first if match else -1
        return number // self._one.step if number >= 0 else -1

    def starts(self, days: Days) -> list[str]:
        """None."""
        return []

    def read(self, page: Page) -> Listing:
        """Raises ValueError: no page is a list of numbers."""
        raise ValueError("numbered articles have no lists")


@dataclass(slots=True)
class _Line:
    """One row of numbers that is searched in this run."""

    source: Source
    one: IdList
    walk: IdsWalk
    day: date | None
    """Where numbers begin anew each day."""
    mark: int
    """The newest number known when it was begun, -1 for none."""
    search: Search = field(init=False)
    places: Sequence[int] = ()
    """Numbers that the search wants to be told of."""
    waiting: dict[int, Entry] = field(default_factory=dict)
    """Of those, what can be asked for."""
    found: set[str] = field(default_factory=set)
    """Keys of articles that this run was the first to ask for."""
    twins: Counter[str] = field(default_factory=Counter)
    """Article -> numbers that were answered with it."""


class Numbers:
    """The searches of one spider. What became of a number its row tells, whoever asked for it and whenever, so that a
    run that was killed goes on."""

    def __init__(self, spider: NewsSpider) -> None:
        self._spider = spider
        self._lines: list[_Line] = []
        self._asked: set[tuple[str, str]] = set()
        self._strange: dict[str, list[list[int]]] = {}

    def begin(self, source: Source) -> None:
        """Search all rows of numbers of a source, those of its lists by day one after another."""
        backfill = self._run.backfill
        for one in source.lists:
            if isinstance(one, IdList) and (backfill is None or backfill.takes(one)):
                if self._spider.replay is not None:
                    self._replay(source, one)
                else:
                    self._lines += self._lines_of(source, one)

    def _lines_of(self, source: Source, one: IdList) -> Iterator[_Line]:
        backfill = self._run.backfill
        walk = IdsWalk(source, one)
        days = backfill.days if backfill else Days.latest(self._run.started, source.zone, one.days)
        for day in days if is_dated(one.template) else [None]:
            if backfill is not None and backfill.walk(self._start(one, day), one.kind).ended:
                continue
            line = _Line(source, one, walk, day, self._mark(source, one, day))
            line.search = self._search(line)
            self._put(line, next(line.search))
            yield line

    def _replay(self, source: Source, one: IdList) -> None:
        """Of captures, what is there."""
        assert self._spider.replay is not None
        walk, listing, make = IdsWalk(source, one), Listing(), EntryMaker(source)
        for address in self._spider.replay.addresses():
            if walk.place(address) >= 0:
                make.add(listing, {"url": address, "guess": "1"})
        self._run.discover(source, listing.entries, start=one.template)

    def _search(self, line: _Line) -> Search:
        one, backfill = line.one, self._run.backfill
        if line.day is not None:
            return (yield from forward(line.mark, one.misses, _AT_ONCE))
        low = line.mark if line.mark >= 0 else line.walk.place(line.source.example)
        if backfill is not None:
            return (yield from self._within(line, low, backfill.days))
        if line.mark >= 0:
            return (yield from forward(line.mark, one.misses, _AT_ONCE))
        found = yield from newest(low, one.misses)
        if not found.ended:
            return found
        found = yield from forward(found.low, one.misses, _AT_ONCE)
        if found.low >= 0:
            yield from backward(found.low, one.back)
        return found

    def _within(self, line: _Line, low: int, days: Days) -> Search:
        """The numbers of a backfill's days, a day more at both ends since numbers are not quite in order of time."""
        found = yield from newest(low, line.one.misses)
        if not found.ended:
            return found
        last = yield from forward(found.low, line.one.misses, _AT_ONCE)
        end = last.low + 1
        first = yield from border(-1, end, line.one.misses, lambda day: day >= days.first - _DAY)
        behind = yield from border(first.low, end, line.one.misses, lambda day: day > days.last + _DAY)
        low, high = first.low if first.ended else first.high - 1, behind.high if behind.ended else behind.low + 1
        return Found(low, high)

    # asking

    def go_on(self) -> None:
        """Tell the searches what was answered since; called whenever there is room for another request."""
        for line in tuple(self._lines):
            if line.source.id in self._run.watch.stopped:
                self._lines.remove(line)
            else:
                self._go_on(line)

    def _go_on(self, line: _Line) -> None:
        """One search, as far as it comes with what is known."""
        while True:
            answers = {place: self._answer(line, entry) for place, entry in line.waiting.items()}
            told = {place: answer for place, answer in answers.items() if answer is not None}
            if len(told) < len(answers):
                return
            self._count(line, told)
            try:
                some = line.search.send({place: told.get(place, Answer(there=False)) for place in line.places})
            except StopIteration as stop:
                self._lines.remove(line)
                self._end(line, stop.value)
                return
            self._put(line, some)

    def _count(self, line: _Line, told: Answers) -> None:
        """Note what this run has learnt."""
        for place, answer in told.items():
            if (line.source.space, line.waiting[place].key) in self._asked:
                line.found |= {line.waiting[place].key} if answer.there else set()
                line.twins[answer.twin] += bool(answer.twin)

    def _put(self, line: _Line, places: Sequence[int]) -> None:
        """Ask for those of these numbers that nothing is known of."""
        made = {place: line.walk.entry(place, line.day) for place in places}
        line.places = places
        line.waiting = {place: entry for place, entry in made.items() if entry is not None}
        fresh = [entry for place, entry in line.waiting.items() if self._is_to_be_asked(line, place, entry)]
        if fresh:
            self._queue(line, fresh)

    def _is_to_be_asked(self, line: _Line, place: int, entry: Entry) -> bool:
        """Whether its row does not tell already. What is nobody's is believed for a day, but behind the newest number
        by no run: an article may be there by now."""
        space = line.source.space
        if (space, entry.key) in self._asked or self._run.has(space, entry.key):
            return False
        row = self._row(space, entry.key)
        if row is None or row.state != "absent":
            return row is None or (row.state == "queued" and self._run.backfill is not None)
        behind = place > line.mark and (line.mark >= 0 or line.day is not None) and self._run.backfill is None
        return behind or self._is_due(row)

    def _is_due(self, row: sa.Row[Any]) -> bool:
        due: str = row.due
        return "" < due <= stamp(self._run.started)

    def _queue(self, line: _Line, entries: Sequence[Entry]) -> None:
        """Into the ledger, from where the frontier takes them; a backfill that plans asks by itself."""
        source = line.source
        self._asked |= {(source.space, entry.key) for entry in entries}
        backfill = self._run.backfill
        if backfill is not None:
            rows = [row for entry in entries if (row := backfill.claim(entry))]
            for request in filter(None, map(self._spider.article_request, rows)):
                self._spider.frontier.enqueue_request(request)
            return
        keys = [entry.key for entry in entries]
        chosen = articles.c.space == source.space, articles.c.key.in_(keys), articles.c.state == "absent"
        self._run.ledger.write(articles.delete().where(*chosen))  # the frontier has passed their rows
        self._run.discover(source, entries, start=self._start(line.one, line.day))
        self._spider.frontier.more_of(source.id)

    def _answer(self, line: _Line, entry: Entry) -> Answer | None:
        """What became of a number; None while it is not known."""
        space, backfill = line.source.space, self._run.backfill
        day = backfill.seen_day(entry.key) if backfill is not None else None
        if day is not None or self._run.has(space, entry.key):
            return Answer(there=True, day=day)
        row = self._row(space, entry.key)
        if row is None:  # no list may name it
            return Answer(there=False)
        if row.state == "queued":
            return None
        if row.state == "outside":
            return Answer(there=True, day=date.fromisoformat(json.loads(row.hints)["dated"]))
        if row.state == "refused" and class_of(row.reason) in _UNREAD:
            return Answer(there=True)
        other = row.state == "alias" or row.reason.startswith(_SAME_TEXT)
        return Answer(there=False, twin=row.reason.removeprefix(_SAME_TEXT) if other else "")

    def _row(self, space: str, key: str) -> sa.Row[Any] | None:
        query = sa.select(*(articles.c[name] for name in ("state", "reason", "due", "hints")))
        return next(iter(self._run.ledger.read(query.where(articles.c.space == space, articles.c.key == key))), None)

    # the end

    def _end(self, line: _Line, found: Found) -> None:
        report = self._run.report.of(line.source.id)
        report.listed += len(line.found)
        report.new += len(line.found)
        self._complain(line, found)
        if self._run.backfill is not None:
            self._fill(line, found)
            return
        if found.low > line.mark:
            told = {"number": line.one.first + found.low * line.one.step}
            named = {"source": line.source.id, "template": line.one.template, "day": _iso(line.day)}
            statement = insert(marks).values(**named, **told)
            self._run.ledger.write(statement.on_conflict_do_update(index_elements=list(named), set_=told))
        if found.ended:
            part = Part(line.one.template, line.day)
            Stretch(self._run.ledger, line.source, part, self._run.started).end(unchanged=True)
            self._look_again(line)

    def _fill(self, line: _Line, found: Found) -> None:
        """All that lies between is of the backfill's days, or nobody's."""
        backfill = self._run.backfill
        assert backfill is not None
        if not found.ended:
            return
        start = self._start(line.one, line.day)
        between = range(found.low + 1, found.high) if line.day is None else range(0)
        for first in range(0, len(between), 500):
            made = (line.walk.entry(place) for place in between[first : first + 500])
            backfill.discover([entry for entry in made if entry], start)
        backfill.end_walk(start)

    def _complain(self, line: _Line, found: Found) -> None:
        """Say why a search found nothing, or no end."""
        report, template = self._run.report.of(line.source.id), line.one.template
        where = line.one.first + max(found.low, 0) * line.one.step
        twin, times = next(iter(line.twins.most_common(1)), ("", 0))
        if times >= _TRAP:
            report.problem(template, f"{times} numbers are answered with the article {twin}: the site answers at any")
        if not found.ended:
            report.problem(template, f"no end was found up to number {where}: the next crawl goes on from there")
        if line.day is None and found.low < 0:
            report.failed_lists += 1
            report.problem(
                template, f"no article at any number that was tried from {line.one.first} on; first may help"
            )

    def _look_again(self, line: _Line) -> None:
        """Numbers below the newest that were nobody's: their articles may be there by now."""
        mark = max(line.mark, 0)
        late = []
        for place in range(max(mark - _LATE * line.one.misses, 0), mark):
            if (entry := line.walk.entry(place, line.day)) is None:
                continue
            row = self._row(line.source.space, entry.key)
            if row is not None and row.state == "absent" and self._is_due(row):
                tries = int(json.loads(row.hints).get("guess", 1)) + 1
                late.append(line.walk.entry(place, line.day, tries) or entry)
        if late:
            self._queue(line, late)

    def _mark(self, source: Source, one: IdList, day: date | None) -> int:
        """The newest number that an earlier crawl had, counted from the first one; -1 for none."""
        chosen = marks.c.source == source.id, marks.c.template == one.template, marks.c.day == _iso(day)
        rows = self._run.ledger.read(sa.select(marks.c.number).where(*chosen))
        return next(((row.number - one.first) // one.step for row in rows), -1)

    def _start(self, one: IdList, day: date | None) -> str:
        return dated(one.template, day) if day else one.template

    def named(self, source: Source, page: Page, reason: str) -> str:
        """The reason why the page of a guessed address gave nothing, where other such pages are the same: a site may
        say that there is none in other words than at addresses of another kind."""
        text = plain(page.root)
        if class_of(reason) != "layout changed" or weight(text) >= MIDDLING:
            return reason
        known = self._strange.setdefault(source.id, [])
        if is_error_page(text, known):
            return f"soft-404: the page that other numbers have ({reason})"
        known.append(sketch(text))
        return reason

    @property
    def _run(self) -> Run:
        run: Any = self._spider.run
        return run  # type: ignore[no-any-return]


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
