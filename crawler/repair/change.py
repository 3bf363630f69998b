"""From pages that no longer fit to a source that reads them: the change of its YAML, and the proof that it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from crawler.extract.page import NotJson
from crawler.extract.rules import NoFit
from crawler.fetch import Answer, Talk
from crawler.fixtures import Examiner, told
from crawler.fresh import Fresh, fresh_talk
from crawler.items import Article, Refused
from crawler.probe.rules import Written
from crawler.repair.fields import CERTAIN, KNOWN, UNKNOWN, Judge, Pair, Seeker, Sought, standing
from crawler.repair.known import Known, shares
from crawler.repair.lists import ListChange, list_changes
from crawler.repair.sheet import Loc, NotEditable, Sheet
from crawler.sources import Source

_BROKEN = 0.3
"""Share of pages on which a field is not what is known, from which its rule is broken: single articles are edited."""
_LEAST = 3
"""Pages by which a rule is found, where so many were asked for."""
_NEEDED = ("title", "body", "published")


@dataclass(frozen=True, slots=True)
class Score:
    """How one field fares: pages on which it is what is known, of those where something is."""

    field: str
    before: tuple[int, int]
    """Of today's pages, by the rules there are."""
    after: tuple[int, int]
    """Of today's pages, by the changed rules."""
    old: tuple[int, int]
    """Of the captures, by the changed rules."""
    old_before: tuple[int, int]
    rule: Written | None = None
    """What was found for it, if it was broken."""


@dataclass(slots=True)
class Repair:
    """What came of it."""

    source: Source
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    """Pages that could not be had, or have other articles, and why."""
    broken: list[str] = field(default_factory=list)
    """Fields whose rules no longer fit."""
    scores: list[Score] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    """What was tried for each broken field."""
    faults: list[str] = field(default_factory=list)
    """Why nothing may be written."""
    notes: list[str] = field(default_factory=list)
    lists: list[ListChange] = field(default_factory=list)
    """Lists that are to be read otherwise."""
    left: list[str] = field(default_factory=list)
    """Lists that nothing was found for."""
    sheet: Sheet | None = None
    """The change, where one was found."""
    pages: list[Answer] = field(default_factory=list)
    """Pages of today that the changed source reads."""

    @property
    def fits(self) -> bool:
        """Whether there is a change that may be written."""
        return self.sheet is not None and not self.faults


def repair_talk(source: Source, known: Sequence[Known], now: Any) -> Talk[tuple[Fresh, list[Answer]]]:
    """Ask the source's lists, then the known articles, one by one as a crawl would."""
    fresh = yield from fresh_talk(source, 0, now)
    answers: list[Answer] = []
    for one in known:
        (answer,) = yield [one.address]
        answers.append(answer)
    return fresh, answers


class Repairer:
    """Works out the change of one source."""

    def __init__(
        self, source: Source, known: Sequence[Known], answers: Sequence[Answer], until: date, fresh: Fresh
    ) -> None:
        """``answers``: today's, of the known articles in the same order; ``fresh``: today's lists; ``until``: the last
        day of publication for which the present layout is to hold, if another one takes its place."""
        assert source.path is not None, "a source that was read from a file"
        self._source, self._known, self._until, self._fresh = source, known, until, fresh
        self._lists = list(list_changes(source, known, fresh))
        self._judge = Judge(source)
        self._place = next(place for place, one in enumerate(source.layouts) if one.until is None)
        self._layout = source.layouts[self._place]
        self.done = Repair(source, len(answers))
        self._pairs = list(self._readable(answers))

    def _readable(self, answers: Sequence[Answer]) -> Iterator[Pair]:
        for known, answer in zip(self._known, answers, strict=True):
            page = answer.page(self._source.article.encoding)
            if not answer.good:
                self.done.failed.append(f"{known.address}: {answer.why}")
            elif not standing(page, known.text):
                self.done.failed.append(f"{known.address}: the page no longer has the text that is known")
            else:
                yield Pair(known, answer, page)

    def work(self) -> Repair:
        """The change, and how it fares."""
        done = self.done
        if not self._pairs:
            done.faults.append("no page of a known article has its text: there is nothing to go by")
            return done
        done.broken = [name for name in (*KNOWN, *UNKNOWN) if self._is_broken(name)]
        found = {name: one for name, one in self._sought() if one.rule is not None} if done.broken else {}
        done.faults += self._lacking(found)
        if not done.faults and (found or self._lists):
            self._write(found)
        self._tell_lists()
        return done

    def _tell_lists(self) -> None:
        mended = {of for one in self.done.lists for of, _ in one.named}
        for one in self.done.lists:
            at = self._source.lists[one.place].addresses[0]
            self.done.notes.append(f"{at}: links to {one.articles} articles were found by the form of their addresses")
        for of, answer in self._fresh.unread:
            if of not in mended:
                self.done.left.append(f"{answer.url}: the list names nothing, and no links of a known form are on it")
        unread = {answer.url for _, answer in self._fresh.unread}
        self.done.left += [one for one in self._fresh.faults if not any(one.startswith(f"{url}: ") for url in unread)]

    # what is broken, and what is found for it

    def _is_broken(self, name: str) -> bool:
        if getattr(self._layout, name) is None:
            return False
        if name in KNOWN:
            right, of = shares([self._judge.rule(name, self._layout, one.known, one.page) for one in self._pairs])
            return of - right > _BROKEN * of
        given = sum(self._gives(name, one.answer) for one in self._pairs)
        olds = [one.known.old for one in self._pairs if one.known.old]
        before = sum(self._gives(name, old) for old in olds) / len(olds) if olds else 0
        return given / len(self._pairs) < before * 0.5

    def _gives(self, name: str, answer: Answer) -> bool:
        try:
            return bool(getattr(self._layout, name).compiled("css").text(answer.page(self._source.article.encoding)))
        except NoFit:
            return False

    def _sought(self) -> Iterator[tuple[str, Sought]]:
        """What was found on the pages that changed."""
        changed = [one for one in self._pairs if self._has_changed(one)]
        seeker = Seeker(self._source, changed)
        self.done.notes += [f"only {len(changed)} pages have changed"] if len(changed) < _LEAST else []
        self._gone: set[str] = set()
        for name in self.done.broken:
            found = seeker.seek(name)
            self.done.tried.append(found.tried)
            if found.gone:
                self._gone.add(name)
            yield name, found

    def _has_changed(self, pair: Pair) -> bool:
        rights = [
            self._judge.rule(name, self._layout, pair.known, pair.page) for name in self.done.broken if name in KNOWN
        ]
        return False in rights or not rights

    def _lacking(self, found: dict[str, Sought]) -> Iterator[str]:
        """Broken fields that nothing was found for and that the pages still have."""
        for name in self.done.broken:
            if name in found:
                continue
            if name in _NEEDED or (name in KNOWN and name not in self._gone and self._told(name) >= CERTAIN):
                yield f"{name}: no rule gives what is known"
            else:
                self.done.notes.append(f"{name}: the pages of today do not say it, or nothing tells where")

    def _told(self, name: str) -> int:
        """Pages on which a field is known."""
        return sum(self._judge.rule(name, self._layout, one.known, one.page) is not None for one in self._pairs)

    # the change

    def _write(self, found: dict[str, Sought]) -> None:
        """The first of the changes that read both today's pages and the captures; the best one's score else."""
        for sheet in self._changes(found):
            try:
                changed = sheet.source()
            except NotEditable as error:
                self.done.faults = [str(error)]
                continue
            self.done.scores = self._scores(changed, found)
            self.done.faults = list(_worse(self.done.scores))
            self.done.faults += _unnamed(changed, self._lists)
            if not self.done.faults:
                self.done.sheet, self.done.lists = sheet, self._lists
                examiner = Examiner(changed)
                self.done.pages = [one.answer for one in self._pairs if _read(examiner, one.known, one.answer)[0]]
                return

    def _changes(self, found: dict[str, Sought]) -> Iterator[Sheet]:
        """A layout of its own where the body has moved. Else, or where two could not be told apart since the old rules
        find something on new pages as well, further ways in the old one: behind what there is, or before."""
        if "body" in found:
            sheet = self._sheet()
            layout = self._new_layout(sheet, found)
            notes = {name: f"{one.fits} of {one.of} pages" for name, one in found.items()}
            sheet.layout_in_front(layout, notes, self._place, self._until)
            yield sheet
        else:
            yield self._with_ways(found, new_first=False)
        yield self._with_ways(found, new_first=True)

    def _with_ways(self, found: dict[str, Sought], *, new_first: bool) -> Sheet:
        """Rules that broke, each with a further way."""
        sheet = self._sheet()
        layout = sheet.value["layouts"][self._place]
        for name, one in found.items():
            steps = layout[name] if isinstance(layout[name], list) else [layout[name]]
            way = "layouts", self._place, name
            sheet.replace(way, [one.rule, *steps] if new_first else [*steps, one.rule])
        self._extend(sheet, "date_formats", _formats(found))
        self._extend(sheet, "strip", found["body"].strip if "body" in found else ())
        return sheet

    def _extend(self, sheet: Sheet, name: str, more: Sequence[str]) -> None:
        """Put more into a list of the layout."""
        way: Loc = ("layouts", self._place)
        said = sheet.value["layouts"][self._place].get(name, [])
        known = [said] if isinstance(said, str) else said
        wanted = list(dict.fromkeys((*known, *more)))
        if known and wanted != known:
            sheet.replace((*way, name), wanted)
        elif wanted != known:
            sheet.add(way, name, wanted)

    def _sheet(self) -> Sheet:
        """The file as it is, its lists changed."""
        assert self._source.path is not None
        sheet = Sheet(self._source.path)
        for one in self._lists:
            one.apply(sheet)
        return sheet

    def _new_layout(self, sheet: Sheet, found: dict[str, Sought]) -> dict[str, Any]:
        """The present one, with what was found in the place of what broke."""
        old = sheet.value["layouts"][self._place]
        layout = {
            name: value for name, value in old.items() if name not in (*self.done.broken, "strip", "date_formats")
        }
        formats = [] if "published" in self.done.broken else list(old.get("date_formats", []))
        if formats := list(dict.fromkeys((*formats, *_formats(found)))):
            layout["date_formats"] = formats
        layout |= {name: one.rule for name, one in found.items()}
        if strip := found["body"].strip:
            layout["strip"] = list(strip)
        return layout

    # the proof

    def _scores(self, changed: Source, found: dict[str, Sought]) -> list[Score]:
        before, after = Examiner(self._source), Examiner(changed)
        today = [(one.known, one.answer) for one in self._pairs]
        olds = [(one, one.old) for one in self._known if one.old is not None]
        columns = [self._rights(*about) for about in ((before, today), (after, today), (after, olds), (before, olds))]
        scores = []
        for name in KNOWN:
            first, second, third, fourth = (shares([row[name] for row in rows]) for rows in columns)
            rule = found[name].rule if name in found else None
            if first[1]:
                scores.append(Score(name, first, second, third, fourth, rule))
        return scores

    def _rights(self, examiner: Examiner, pages: Sequence[tuple[Known, Answer]]) -> list[dict[str, bool | None]]:
        return [self._judge.article(known, *_read(examiner, known, answer)) for known, answer in pages]


def _read(examiner: Examiner, known: Known, answer: Answer) -> tuple[Article | None, str]:
    """An article, and the outlet that is credited for it."""
    try:
        article = examiner.article(answer, known.hints)
    except (Refused, NotJson):
        return None, ""
    return article, told(article, answer.url).attribution


def _formats(found: dict[str, Sought]) -> list[str]:
    return list(dict.fromkeys(form for one in found.values() for form in one.formats))


def _unnamed(changed: Source, lists: Sequence[ListChange]) -> Iterator[str]:
    """Lists that name nothing, changed as they are."""
    examiner = Examiner(changed)
    for of, answer in (named for one in lists for named in one.named):
        if not examiner.keys(answer, of):
            yield f"{answer.url}: the changed list names nothing either"


def _worse(scores: Sequence[Score]) -> Iterator[str]:
    """Where a change does not do what it is for."""
    for one in scores:
        right, of = one.after
        if (one.field in _NEEDED or one.rule is not None) and of - right > _BROKEN * of:
            yield f"{one.field}: by the changed rules {right} of {of} pages of today give what is known"
        elif right < one.before[0]:
            yield f"{one.field}: {one.before[0]} of {of} pages of today gave what is known, {right} would"
        if one.old[0] < one.old_before[0]:
            yield f"{one.field}: {one.old_before[0]} of {one.old[1]} captures gave what is known, {one.old[0]} would"
