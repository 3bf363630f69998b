"""When an article was published and last changed: what the page states in its several places, weighed by agreement."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from itertools import accumulate, islice
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from crawler.extract.dates import LONGEST, Dated, Moment, find, folded, may_hold_date, read
from crawler.extract.evidence import Candidate, Choice
from crawler.extract.facts import Facts, types
from crawler.extract.text import SILENT, squeeze

__all__ = ["Moment", "seek_published"]

_DAY = timedelta(days=1)
_SETTLED = 1.45
"""Weight of one day by what machines are told that no text for readers could outweigh."""
_LEAST = 0.12
"""Weight that a day must have to be believed."""
_WEAK = 0.5
"""Weight of a day of publication below which a page's last change is heard too, at half its weight."""


@dataclass(frozen=True, slots=True)
class _Clue:
    """A date on offer and how much it counts."""

    moment: Moment
    rule: str
    weight: float
    raw: str = ""
    node: Any = None
    modified: bool = False

    @property
    def day(self) -> date:
        return self.moment.when.date()

    def candidate(self, reason: str = "") -> Candidate[Moment]:
        return Candidate(self.moment, self.rule, self.raw, self.node, reason)


def seek_published(
    facts: Facts, *, zone: ZoneInfo | None = None, not_after: datetime | None = None, body: Any = None
) -> tuple[Choice[Moment], Choice[Moment]]:
    """When the page's article was published, and when it was last changed.

    ``zone`` is the source's and holds where the page names no offset; without it such moments are naive. ``not_after``
    (with a zone) is when the page was fetched: nothing more than a day later is believed. No clock is read, so that
    without it only ``dates.LAST_YEAR`` bounds the future. ``body`` is the element that holds the article's text, if
    that is known. A page that states its last change alone was published then, as far as anyone can tell. Never raises.
    """
    clues = _possible([*_from_jsonld(facts), *_from_metas(facts), *_from_address(facts)], not_after)
    if _are_open(clues):
        layout = _Layout(facts, body)
        clues += _possible(_from_byline(facts, layout), not_after)
        if not _are_settled(clues):
            clues += _possible(_from_everywhere(facts, layout), not_after)
    clues = _favoured(clues, facts.url)
    published, modified = ([clue for clue in clues if clue.modified is kind] for kind in (False, True))
    if max(_by_day(published).values(), default=0.0) < _WEAK:
        published += [replace(clue, weight=clue.weight / 2) for clue in modified]
    return _choose(published, zone), _choose(modified, zone)


def _possible(clues: Iterable[_Clue], not_after: datetime | None) -> list[_Clue]:
    last = (not_after + _DAY).date() if not_after else date.max
    return [clue for clue in clues if clue.day <= last]


# Choosing.


def _are_settled(clues: Iterable[_Clue]) -> bool:
    return max(_by_day([clue for clue in clues if not clue.modified]).values(), default=0.0) >= _SETTLED


def _are_open(clues: Sequence[_Clue]) -> bool:
    """Whether text for readers could tell more than machines are told: the day, the time, or the zone."""
    timed = [clue.moment.when for clue in clues if clue.moment.timed and not clue.modified]
    if not _are_settled(clues) or not timed:
        return True
    return not timed[0].utcoffset() or any(_minutes_apart(timed[0], other) for other in timed)


def _minutes_apart(one: datetime, other: datetime) -> int:
    """Whole minutes between two moments: between their clocks, where either has no zone."""
    if one.tzinfo is None or other.tzinfo is None:
        one, other = one.replace(tzinfo=None), other.replace(tzinfo=None)
    return abs(one - other) // timedelta(minutes=1)


def _choose(clues: Sequence[_Clue], zone: ZoneInfo | None) -> Choice[Moment]:
    if max(_by_day(clues).values(), default=0.0) < _LEAST:
        return Choice(None, tuple(clue.candidate("too weak") for clue in clues))
    clues = _in_local_time(clues, zone)
    weights = _by_day(clues)
    day = max(weights, key=lambda day: weights[day])
    there = [clue for clue in clues if clue.day == day]
    best = _best_timed(there)
    rejected = tuple(
        clue.candidate("says the same" if clue.day == day else "another day is better borne out")
        for clue in clues
        if clue is not best
    )
    return Choice(best.candidate(), rejected)


def _by_day(clues: Iterable[_Clue]) -> Mapping[date, float]:
    """Weight of each day: its clues' together, each rule's counted once, and once all weak ones of a kind.

    A system writes one date of its own under several names: ``date``, ``dc.date``, ``dcterms.date``.
    """
    strongest: dict[tuple[date, str], float] = {}
    for clue in clues:
        key = clue.day, clue.rule if clue.weight >= 1 else clue.rule.partition(":")[0]
        strongest[key] = max(strongest.get(key, 0.0), clue.weight)
    totals: dict[date, float] = {}
    for (day, _), weight in strongest.items():
        totals[day] = totals.get(day, 0.0) + weight
    return totals


def _best_timed(clues: Sequence[_Clue]) -> _Clue:
    """Of one day's clues the one whose minute most evidence bears out.

    A midnight counts as no time of day: it is what systems write for lack of one. Of clues for the same minute one
    with seconds and a zone is best.
    """
    timed = [clue for clue in clues if clue.moment.timed and (clue.moment.when.hour or clue.moment.when.minute)]
    if not timed:
        return max(clues, key=lambda clue: (clue.moment.timed, clue.weight))

    def worth(clue: _Clue) -> tuple[float, bool, bool, float]:
        same = {other.rule: other.weight for other in timed if not _minutes_apart(clue.moment.when, other.moment.when)}
        when = clue.moment.when
        return sum(same.values()), when.tzinfo is not None, bool(when.second), clue.weight

    return max(timed[:20], key=worth)


def _in_local_time(clues: Sequence[_Clue], zone: ZoneInfo | None) -> list[_Clue]:
    """The clues by the clock of the page's readers, so far as page or source tell what that is.

    Machines are often told Greenwich time. Where the page shows the same instant by another clock, that tells the
    offset; where it names an offset for the very same clock, "Z" was a local time mislabelled.
    """
    here = _offset(clues) or zone
    zones = {_clock(clue): clue.moment.when.tzinfo for clue in clues if clue.moment.when.utcoffset()}
    placed = []
    for clue in clues:
        when = clue.moment.when
        if when.tzinfo is None:
            when = when.replace(tzinfo=here) if clue.moment.timed else when
        elif not when.utcoffset():
            when = when.replace(tzinfo=zones[_clock(clue)]) if _clock(clue) in zones else when.astimezone(here or UTC)
        placed.append(clue if when is clue.moment.when else replace(clue, moment=replace(clue.moment, when=when)))
    return placed


def _clock(clue: _Clue) -> datetime:
    """What a clock on the wall showed, to the minute."""
    return clue.moment.when.replace(second=0, microsecond=0, tzinfo=None)


def _offset(clues: Sequence[_Clue]) -> timezone | None:
    """What the page's own clock is ahead of Greenwich, where one of its statements in each shows it."""
    timed = [clue.moment.when for clue in clues if clue.moment.timed and clue.weight >= 0.6][:12]
    greenwich = [when.replace(tzinfo=None) for when in timed if when.tzinfo and not when.utcoffset()]
    for clock in (when for when in timed if when.tzinfo is None):
        for instant in greenwich:
            ahead = clock - instant
            if clock.second == 0 or instant.second == 0:
                ahead = clock.replace(second=0) - instant.replace(second=0, microsecond=0)
            ahead -= timedelta(microseconds=ahead.microseconds)
            if ahead and abs(ahead) <= timedelta(hours=14) and not ahead % timedelta(minutes=30):
                return timezone(ahead)
    return None


# What machines are told.

_JSONLD = {"datePublished": 3.0, "dateCreated": 1.0, "uploadDate": 0.5}
_MOST_METAS = 500
_NO_DATE = re.compile(
    r"expir|valid|i18n|birth|found|event|start|end_|until|render|now|today|yesterday|tomorrow|current|build|duration"
    r"|available|recs:|prep|refresh|thumb|copyright|next|last_?visit"
)
_MODIFIED = re.compile(r"modif|moddate|update|revis|lastmod|changed|edited")
_PUBLISHED = re.compile(
    r"publi(?:sh|c).*(?:date|time|_at$)|(?:date|time).*(?:publi|issued)|pub[-_]?date|article:published|issued|ptime"
)
_DATE = re.compile(r"date|creat|release|time|posted|published|display")


def _from_jsonld(facts: Facts) -> Iterator[_Clue]:
    pages = [thing for thing in facts.things if {"WebPage", "ItemPage"} & set(types(thing))]
    for thing, share in ((facts.article, 1.0), *((page, 0.3) for page in pages[:3])):
        for key, weight in _JSONLD.items():
            yield from _stated(facts, thing.get(key), f"jsonld:{key}", weight * share)
        yield from _stated(facts, thing.get("dateModified"), "jsonld:dateModified", 2 * share, modified=True)


def _from_metas(facts: Facts) -> Iterator[_Clue]:
    for key, values in islice(facts.metas.items(), _MOST_METAS):
        if len(key) > 100 or (meaning := _meaning(key)) is None:
            continue
        weight, modified = meaning
        for value in values[:3]:
            yield from _stated(facts, value, f"meta:{key}", weight, modified=modified)
    described = folded(facts.meta("description", "og:description")[:300])
    for dated in find(described, facts.language)[:1]:
        for moment in dated.moments:
            yield _Clue(moment, "meta:description", 0.2, described[dated.start : dated.end])


@lru_cache(maxsize=1024)
def _meaning(key: str) -> tuple[float, bool] | None:
    """How much a meta of this name counts as a date, and whether as that of the last change; None if it is no date."""
    modified, published = bool(_MODIFIED.search(key)), _PUBLISHED.search(key)
    if _NO_DATE.search(key) or not (modified or published or _DATE.search(key)):
        return None
    return 1.5 if published else 0.7, modified


def _stated(
    facts: Facts, value: Any, rule: str, weight: float, *, modified: bool = False, node: Any = None
) -> Iterator[_Clue]:
    if isinstance(value, list):
        value = value[0] if value else None
    text = squeeze(str(value)[: 2 * LONGEST]) if isinstance(value, str | int) else ""
    for moment in read(text, facts.language):
        yield _Clue(moment, rule, weight, text, node, modified)
        weight *= 0.6  # the less likely of two readings


# The address.

_IN_ADDRESS = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)[-/_.]?(?P<m>0[1-9]|1[0-2])[-/_.]?(?P<d>0[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<!\d)(?P<y2>(?:19|20)\d\d)(?P<sep>[-/_.])(?P<m2>\d{1,2})(?P=sep)(?P<d2>\d{1,2})(?!\d)"
)
_MONTH_IN_ADDRESS = re.compile(r"(?<!\d)((?:19|20)\d\d)[/-]?(0[1-9]|1[0-2])(?=/)")


def _from_address(facts: Facts) -> Iterator[_Clue]:
    addresses = [facts.url, *facts.canonical, facts.meta("og:url")]
    for address in islice(dict.fromkeys(filter(None, addresses)), 5):
        yield from _in_address(facts, address, "url", 1.0)
    for image in facts.metas.get("og:image", ())[:1]:
        yield from _in_address(facts, image, "image", 0.25)


def _favoured(clues: Sequence[_Clue], url: str) -> list[_Clue]:
    """The clues, those of the month that the address names for more."""
    month = _MONTH_IN_ADDRESS.search(url[:500])
    if not month:
        return list(clues)
    months = int(month[1]), int(month[2])
    return [
        replace(clue, weight=clue.weight + 0.3) if (clue.day.year, clue.day.month) == months else clue for clue in clues
    ]


def _in_address(facts: Facts, address: str, rule: str, weight: float) -> Iterator[_Clue]:
    for m in islice(_IN_ADDRESS.finditer(address[:500]), 2):
        year, month, day = (m[name] or m[f"{name}2"] for name in "ymd")
        yield from _stated(facts, f"{year}-{int(month):02}-{int(day):02}", rule, weight)


# What readers see.

_OF_OUR_DAYS: Any = etree.XPath("descendant::text()[contains(., '20')][not(parent::script or parent::style)]")
_OLD: Any = etree.XPath("descendant::text()[contains(., '199')][not(parent::script or parent::style)]")
_HEADINGS = ("h1", "h2", "h3")
_MOST_TIMES = 40
_MOST_HEADINGS = 60
"""Of each level."""
_LOUD = 700
"""Characters behind a headline in which a byline may stand."""
_MOST = 80
"""Texts with a year that are looked at."""
_FAR = 100
"""Elements behind a headline that are looked at for it."""
_CLASS_PUBLISHED = re.compile(r"publi|pubdate|pub[-_]|pubtime|posted|entry-date|post-date|created")
_CLASS_DATE = re.compile(
    r"date|time|publi|posted|datum|fecha|meta|byline|info|dato\b|data\b|source|pvm|stamp|tarih|zeit|artic"
)
_CLASS_COMMENT = re.compile(r"comment|respon|reply|disqus|quote|tweet|embed|caption|gallery")
_CLASS_ELSEWHERE = re.compile(
    r"(?<!entry-)(?<!post-)(?<!article-)footer|related|side-?bar|aside|widget|\bnav|menu|recent|popular|teaser|calendar"
    r"|archive|copyright|recommend|\bhot|rank|latest|more\b"
)
_DATELINE = re.compile(r"\s?(?:uhr)?[)\]–—|]")
"""What comes between a date and the text that it opens."""
_QUIET = frozenset(("footer", "aside", "nav", "select", "form"))
_QUOTED = frozenset(("blockquote", "figure", "figcaption", "iframe", "cite"))
_LABEL_MODIFIED = re.compile(
    r"(?:updat|modifi|mis à jour|maj\b|actualiz|aktualis|geändert|stand\b|aggiorna|atualiz|zuletzt|revis|обновл|оновл"
    r"|更新|修改|수정|수정일|bijgewerkt|güncel|edited|changed|senest|oppdatert|uppdaterad|opdateret)[^.!?]{0,25}$"
)
_LABEL_PUBLISHED = re.compile(
    r"(?:publi|posted|veröffentlicht|erstellt|geschrieben|erschienen|written|created|date\b|datum\b|fecha|data\b|发布"
    r"|發布|发表|發表|时间|時間|日期|公開|配信|投稿|掲載|등록|입력|опублик|дата|pubbl|geplaatst|gepubliceerd|yayın|lisätty|filed"
    r"|issued|mitteilung|press release)[^.!?]{0,25}$"
)


class _Layout:
    """Where the article's headline is, and so what stands beside it."""

    def __init__(self, facts: Facts, body: Any) -> None:
        self.times = facts.said("time")[:_MOST_TIMES]
        own = _headline(facts)
        self.certain = own is not None or body is not None
        """Whether the anchor is the article's for sure, and no heading of the site."""
        first = next(iter(facts.said("h1")), None)
        self.anchor: Any = next((element for element in (own, body, first) if element is not None), None)
        self._home = set() if self.anchor is None else {self.anchor, *self.anchor.iterancestors()}

    def share(self, element: Any) -> float:
        """How much a date in this place counts: little in comments, quotations and lists of other articles.

        What holds the headline too is none of these, whatever its name.
        """
        share = 1.0
        for up in (element, *islice(element.iterancestors(), 10)):
            if up in self._home:
                break
            words = _words(up)
            if up.tag in _QUOTED or _CLASS_COMMENT.search(words):
                return 0.2
            if up.tag in _QUIET or _CLASS_ELSEWHERE.search(words) or (up.tag in ("li", "a") and _is_of_other(up)):
                share = 0.4
        return share


def _headline(facts: Facts) -> Any:
    """The heading that the page's title repeats; None if it repeats none."""
    titles = [title for title in (facts.head_title, facts.meta("og:title")) if len(title) > 7]
    for level in _HEADINGS:
        for heading in facts.said(level)[:_MOST_HEADINGS]:
            text = squeeze("".join(islice(heading.itertext(), 20))[:400])
            if len(text) > 7 and any(text[:60] in title or title[:60] in text for title in titles):
                return heading
    return None


def _from_byline(facts: Facts, layout: _Layout) -> Iterator[_Clue]:
    """Dates of ``<time>`` elements, and of the text around the headline, or where the body begins."""
    if layout.anchor is not None:
        yield from _before(facts, layout)
        yield from _behind(facts, layout)
    for n, element in enumerate(layout.times):
        yield from _from_element(facts, layout, element, "time", 0.8 - 0.1 * min(n, 5))


def _from_everywhere(facts: Facts, layout: _Layout) -> Iterator[_Clue]:
    """Dates of every element whose text or microdata has one."""
    if dated := find(folded(facts.head_title[-60:]), facts.language)[-1:]:
        yield _Clue(dated[0].moments[0], "title", 0.5, facts.head_title)
    texts = [text for text in islice(_OF_OUR_DAYS(facts.root) or _OLD(facts.root), _MOST) if may_hold_date(text[:400])]
    clues: list[_Clue] = []
    for n, element in enumerate(dict.fromkeys(map(_around, texts))):
        clues += _from_text(facts, layout, element, 1 - 0.3 * n / _MOST)
    yield from _without_lists(clues)


def _without_lists(clues: Sequence[_Clue]) -> Iterator[_Clue]:
    """The clues; those that share their clothes with four other days, as the dates of a list do, for less."""
    days: dict[tuple[str, str, str], set[date]] = {}
    clothes = [(str(clue.node.tag), _words(clue.node), _words(clue.node.getparent())) for clue in clues]
    for clue, worn in zip(clues, clothes, strict=True):
        days.setdefault(worn, set()).add(clue.day)
    for clue, worn in zip(clues, clothes, strict=True):
        yield replace(clue, weight=clue.weight * 0.4) if len(days[worn]) > 4 else clue


def _around(text: Any) -> Any:
    """The element a text of lxml's stands in."""
    element = text.getparent()
    return element.getparent() if text.is_tail else element


def _before(facts: Facts, layout: _Layout) -> Iterator[_Clue]:
    """Dates in the few short lines above the headline."""
    for up in (layout.anchor, *islice(layout.anchor.iterancestors(), 3)):
        for above in islice(up.itersiblings(preceding=True), 3):
            if not isinstance(above.tag, str) or above.tag in SILENT:
                continue
            line = folded(" ".join(islice(above.itertext(), 15))[:200])
            found = find(line, facts.language)
            if len(line) < 120 and len(found) == 1 and layout.share(above) == 1:
                yield from _of_line(facts, found[0], line, above, 0.8 * _certainty(layout))


def _of_line(facts: Facts, dated: Dated, line: str, node: Any, weight: float) -> Iterator[_Clue]:
    before = line[max(0, dated.start - 40) : dated.start]
    if _LABEL_PUBLISHED.search(before) or _CLASS_DATE.search(_words(node)):
        weight += 0.4
    modified = _is_update(before, line[dated.end : dated.end + 12])
    for moment in dated.moments:
        yield _Clue(moment, "headline", max(weight, 0.1), line[dated.start : dated.end], node, modified)
        weight *= 0.6


def _certainty(layout: _Layout) -> float:
    return 1.0 if layout.certain else 0.7


def _behind(facts: Facts, layout: _Layout) -> Iterator[_Clue]:
    """Dates in the running text that begins at the headline."""
    texts: list[tuple[Any, str]] = []
    marked: set[Any] = set()
    microdata = any(name.startswith("date") for name in facts.props)
    length = 0
    for element, text in _running(layout.anchor):
        if microdata and element not in marked and element.get("itemprop", "").startswith("date"):
            marked.add(element)
            yield from _from_element(facts, layout, element, "microdata", 0.9)
        if text and not text.isspace():
            texts.append((element, text[:_LOUD].strip()))
            length += len(texts[-1][1])
            if length > _LOUD:
                break
    if may_hold_date("\n".join(text for _, text in texts)):
        yield from _in_running(facts, layout, [(element, folded(text)) for element, text in texts])


def _in_running(facts: Facts, layout: _Layout, texts: Sequence[tuple[Any, str]]) -> Iterator[_Clue]:
    line = "\n".join(text for _, text in texts)
    ends = list(accumulate(len(text) + 1 for _, text in texts))
    for n, dated in enumerate(find(line, facts.language)[:4]):
        node, text = texts[bisect(ends, dated.start)]
        if layout.share(node) == 1:
            rest = len(text) - (dated.end - dated.start)
            weight = (1.1, 0.8, 0.5, 0.4)[n] - (0.7 if rest > 120 else 0.4 if rest > 50 else 0)
            weight = (weight - 0.4 * (dated.start > 300)) * _certainty(layout)
            yield from _of_line(facts, dated, line, node, weight)


def _is_update(before: str, after: str) -> bool:
    label = _LABEL_MODIFIED.search(before)
    if label:
        published = _LABEL_PUBLISHED.search(before)
        return not published or published.start() < label.start()
    return bool(re.match(r"\s?(?:に?更新|last ?update)", after))


def _running(anchor: Any) -> Iterator[tuple[Any, str]]:
    """Visible text from ``anchor`` on in the order of the page, in pieces with the element each stands in."""
    element = anchor
    for _ in range(_FAR):
        if isinstance(element.tag, str) and element.tag not in SILENT:
            yield element, element.text or ""
            if (child := next(iter(element), None)) is not None:
                element = child
                continue
        while (following := element.getnext()) is None:
            tail, element = element.tail, element.getparent()
            if element is None or element.tag in ("body", "html"):
                return
            yield element, tail or ""
        yield element.getparent(), element.tail or ""
        element = following


def _from_element(facts: Facts, layout: _Layout, element: Any, rule: str, weight: float) -> Iterator[_Clue]:
    """The date of an element that is there to hold one, in an attribute for machines, else in its text."""
    words, prop = _words(element), element.get("itemprop") or ""
    if "pubdate" in element.attrib or "datePublished" in prop or _CLASS_PUBLISHED.search(words):
        weight += 0.7
    modified = "modif" in prop.lower() or bool(_MODIFIED.search(words) and not _CLASS_PUBLISHED.search(words))
    weight *= layout.share(element)
    value = element.get("content") or element.get("datetime") or element.get("title") or ""
    found = list(_stated(facts, value, rule, weight, modified=modified, node=element))
    yield from found
    if not found:
        text = "".join(islice(element.itertext(), 10))[:200]
        yield from _stated(facts, text, rule, weight * 0.9, modified=modified, node=element)


def _from_text(facts: Facts, layout: _Layout, element: Any, share: float) -> Iterator[_Clue]:
    if element is None or element.tag in ("time", "title", "option") or element.tag in SILENT:
        return
    if element.get("itemprop", "").startswith("date"):
        yield from _from_element(facts, layout, element, "microdata", 0.9)
        return
    pieces = (element.text or "", *(child.tail or "" for child in islice(element, 30)))
    text = " ".join(filter(None, pieces))
    line = folded(text[:300])
    for dated in find(line, facts.language)[:3]:
        rest = len(line) - (dated.end - dated.start)
        opening = dated.start < 30 and _DATELINE.match(line, dated.end)
        weight = 0.4 if rest < 30 or opening else 0.2 if rest < 120 else 0.05
        words = _words(element) + " " + _words(element.getparent())
        if _CLASS_DATE.search(words):
            weight += 0.4
        before, after = line[: dated.start], line[dated.end :]
        if _LABEL_PUBLISHED.search(before):
            weight += 0.4
        if dated.moments[0].timed:
            weight += 0.1
        modified = _is_update(before, after)
        weight *= layout.share(element) * share
        for moment in dated.moments:
            yield _Clue(moment, "text", weight, line[dated.start : dated.end], element, modified)
            weight *= 0.6


def _words(element: Any) -> str:
    if element is None or element.tag in ("body", "html"):
        return ""
    return f"{element.get('class', '')[:200]} {element.get('id', '')[:100]}".lower()


def _is_of_other(item: Any) -> bool:
    """Whether an item of a list, or a link, leads to another article."""
    links = islice(item.iter("a"), 5)
    return any(len("".join(islice(link.itertext(), 10)).strip()) > 20 for link in links)
