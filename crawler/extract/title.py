"""Headline: what headings, structured data, metas and ``<title>`` say, freed of the site's name; agreement decides."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from html import unescape
from itertools import chain, islice, pairwise, takewhile
from typing import Any

from lxml import etree

from crawler.extract.evidence import Candidate, Choice
from crawler.extract.facts import Facts, text_of
from crawler.extract.sitename import SEPARATED, SiteName, fold, heads
from crawler.extract.text import BLOCKS, SILENT, squeeze

Offer = Candidate[str]

_LONGEST = 400
"""Characters of a headline; what is longer is a paragraph."""
_MOST_CLASSED = 150
_MOST = 30
"""Elements of one kind that are looked at."""

_WEIGHTS: Mapping[str, float] = {
    "list": 3.0,
    "h1": 3.0,
    "jsonld:headline": 2.5,
    "h1:full": 2.0,
    "heading": 1.2,
    "meta:og:title": 1.3,
    "itemprop": 1.0,
    "class": 1.0,
    "h1:line": 1.0,
    "line": 0.8,
    "title": 0.7,
    "meta:twitter:title": 0.7,
    "h1:further": 0.4,
    "jsonld:name": 0.3,
    "meta": 0.3,
    "h1:apart": 0.1,
}
"""What the word of a rule is worth; what rules say alike adds up."""
_ALIKE = 2.0
"""What a heading gains by being all that the page calls itself elsewhere; in part, in proportion."""
_UNLIKE = 0.05
"""Likeness below which a heading speaks of something else."""
_BOTH = 2.6
"""What is gained by being both shown to readers and stated for machines."""
_BEGINS, _WITHIN = 1.4, 0.4
"""What is gained by beginning the ``<title>``, by standing in it."""
_SHOWN = frozenset(("h1", "h1:further", "h1:full", "itemprop", "heading", "class"))

_METAS = (
    "og:title", "twitter:title", "headline", "title", "dc.title", "dcterms.title", "parsely-title", "sailthru.title",
    "citation_title",
)  # fmt: skip
_KICKER = re.compile(
    r"kicker|overline|over-?title|pre-?title|topline|dachzeile|roofline|spitzmarke|eyebrow|catchline|super-?title"
    r"|strapline|ober(?:titel|zeile)|antetitulo|occhiello|sur-?titre|category|section|rubri[ck]|label|badge|flag"
    r"|sub-?(?:title|head|line)|visually-?hidden|sr-only|screen-?reader|tooltip",
    re.IGNORECASE,
)
"""Class words of what stands in a heading beside the headline."""
_UNSEEN = (
    "hidden", "sr-only", "screen-reader", "screenreader", "breadcrumb", "logo", "brand", "site-title", "sitetitle",
    "site-name", "sitename", "seo-title", "seotitle",
)  # fmt: skip
"""Class words of headings that are no headlines to a reader."""
_FOR_ENGINES = re.compile(r"\bseo")
_APART = frozenset(("nav", "footer", "dialog"))
"""Elements whose headings are not the page's."""
_WHOLE = frozenset(("article", "main", "body", "html"))
_TITLED = re.compile(
    r"(?:^|[\s_-])(?:head-?line|title|tit|titre|titel|titulo|titolo|biaoti|bt|h1|art-?title|article-?title|news-?title"
    r"|entry-?title|post-?title|headline-?\w*|\w*title)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HOME = re.compile(r"(?:https?://[^/]+)?/?(?:index\.\w+|home/?)?")
"""Address of a site's front page."""
_EDGES = " -–—|:：·•/"
_LINES: Any = etree.XPath(
    "descendant-or-self::*[starts-with(normalize-space(text()), $start)][not(self::script or self::style)]"
)
_HEADLINE: Any = etree.XPath("descendant::*[@itemprop='headline']")


def seek_title(facts: Facts, *, listed: str = "", siblings: Sequence[str] = ()) -> Choice[str]:
    """The headline of a page as its readers see it.

    ``listed`` is what a list page calls the article; ``siblings`` are ``<title>`` texts of other pages of the source:
    what they end or begin in alike is the site's name. No page is too odd to be asked; without any text the choice
    is empty.
    """
    site = SiteName(facts, siblings)
    uncut = list(_stated(facts, listed))
    headings = facts.said("h1")[:_MOST]
    offers = _headings(headings, site, {fold(piece) for offer in uncut for piece in heads(offer.value)})
    stated = _cut(uncut, site, offers)
    if not _agree(offers, stated):
        lesser = list(_lesser_headings([*headings, *islice(facts.root.iter("h2", "h3"), _MOST)]))
        stated = _cut(stated, site, lesser)
        marked = any(offer.rule in _SHOWN for offer in offers) or _agree(lesser, stated)
        offers += lesser if marked else [*lesser, *_unmarked(facts, site)]
    return _elect([*offers, *stated], facts.head_title[: 2 * _LONGEST])


def _cut(stated: Sequence[Offer], site: SiteName, offers: Sequence[Offer]) -> list[Offer]:
    """What is stated, without the site's name; what is shown as it is stated is whole."""
    shown = {fold(offer.value) for offer in offers if offer.rule in _SHOWN}
    return [
        offer if fold(offer.value) in shown else replace(offer, value=site.cut(offer.value, shown)) for offer in stated
    ]


def _agree(shown: Sequence[Offer], stated: Sequence[Offer]) -> bool:
    said = {fold(offer.value) for offer in stated}
    return any(offer.rule in _SHOWN and fold(offer.value) in said for offer in shown)


def _stated(facts: Facts, listed: str) -> Iterator[Offer]:
    """What the page says to machines, and the list page to readers."""
    said = [("list", listed)]
    said += [(f"jsonld:{key}", text_of(facts.article.get(key))) for key in ("headline", "name")]
    said += [(f"meta:{key}", facts.meta(key)) for key in _METAS]
    said.append(("title", facts.head_title))
    for rule, text in said:
        if 0 < len(text) <= 2 * _LONGEST:
            # some pages escape twice: &amp;quot;
            yield Candidate(squeeze(unescape(text)), rule, text)


def _headings(headings: Sequence[Any], site: SiteName, stated: Collection[str]) -> list[Offer]:
    """Texts of ``<h1>`` elements; the one most like what is stated stands for the page."""
    found = [offer for heading in headings for offer in _heading(heading, site, stated)]
    main = [offer for offer in found if offer.rule == "h1"]
    best = max(main, key=lambda offer: _likeness(fold(offer.value), stated), default=None)
    return [replace(offer, rule="h1:further") if offer in main and offer is not best else offer for offer in found]


def _heading(heading: Any, site: SiteName, stated: Collection[str]) -> Iterator[Offer]:
    """A heading with and without what stands beside the headline in it."""
    full = _text(heading)
    key = fold(full)
    if not key or len(full) > _LONGEST:
        return
    if _is_apart(heading) or (key not in stated and site.is_name(full)):
        yield Candidate(full, "h1:apart", full, heading)
        return
    bare = full
    if len(heading) and key not in stated:
        bare = next((line for line in _lines(heading) if fold(line) in stated), "")
    if len(heading) and (not bare or bare == full):
        bare = _text(heading, skip=_KICKER).strip(_EDGES) or full
    yield Candidate(bare, "h1", full, heading)
    if bare != full:
        yield Candidate(full, "h1:full", full, heading)


def _lesser_headings(headings: Sequence[Any]) -> Iterator[Offer]:
    for heading in headings:
        text = _text(heading) if heading.tag == "h1" else _text(heading, skip=_KICKER).strip(_EDGES)
        if not fold(text) or len(text) > _LONGEST:
            continue
        if "headline" in heading.get("itemprop", "").split():
            yield Candidate(text, "itemprop", text, heading)
        if heading.tag != "h1" and not _is_apart(heading):
            yield Candidate(text, "heading", text, heading)


def _is_apart(heading: Any) -> bool:
    """Whether a heading is the site's, a menu's or one for search engines alone."""
    names = _called(heading).lower()
    if any(word in names for word in _UNSEEN) or _FOR_ENGINES.search(names):
        return True
    if any(_HOME.fullmatch(link.get("href") or "#") for link in islice(heading.iter("a"), 3)):
        return True
    inner = takewhile(lambda above: above.tag not in _WHOLE, islice(heading.iterancestors(), 8))
    return any(above.tag in _APART or "breadcrumb" in _called(above) for above in inner)


def _called(element: Any) -> str:
    return f"{element.get('class', '')} {element.get('id', '')}"[:200]


def _text(element: Any, skip: re.Pattern[str] | None = None) -> str:
    """Text of an element in one line; ``skip``: class words of inner elements that are left out."""
    if not len(element):
        return squeeze((element.text or "")[: 4 * _LONGEST])
    pieces: list[str] = []
    length = 0
    walk = etree.iterwalk(element, events=("start", "end", "comment"))
    for event, node in walk:
        if event == "start":
            out = node.tag in SILENT or node.tag in ("svg", "button")
            if out or (skip and node is not element and skip.search(node.get("class", ""))):
                walk.skip_subtree()
                pieces.append(" ")
            else:
                pieces.append(" " if node.tag in BLOCKS else "")
                pieces.append(node.text or "")
            continue
        if node is not element:
            pieces.append(" " if node.tag in BLOCKS else "")
            pieces.append(node.tail or "")
        if (length := length + len(pieces[-1])) > 2 * _LONGEST:
            break
    return squeeze("".join(pieces))


def _lines(heading: Any) -> Iterator[str]:
    """Texts of a heading's parts, where it has several."""
    parts = [heading.text or ""]
    for child in islice(heading, _MOST):
        parts += (_text(child) if isinstance(child.tag, str) else "", child.tail or "")
    yield from filter(fold, map(squeeze, parts))


def _unmarked(facts: Facts, site: SiteName) -> Iterator[Offer]:
    """Headlines in elements that are no headings."""
    marked = _HEADLINE(facts.root) if "headline" in facts.props else ()
    for element in dict.fromkeys(islice(chain(marked, facts.called(_is_titled)), _MOST_CLASSED)):
        if element.tag not in _WHOLE and 0 < len(text := _text(element)) <= _LONGEST and not _is_below(element):
            yield Candidate(text, "itemprop" if element.get("itemprop") else "class", text, element)
    title = squeeze(unescape(facts.head_title[: 2 * _LONGEST]))
    if len(title) < 6:
        return
    for element in islice(_beginning(facts, title[:6]), _MOST):
        text = _text(element)
        if _parts(title, text) and not site.is_name(text) and not _is_below(element):
            yield Candidate(text, "line", text, element)


def _is_titled(names: str) -> bool:
    return ("it" in names or "eadl" in names) and bool(_TITLED.search(names[:200]))


def _beginning(facts: Facts, start: str) -> Iterable[Any]:
    """Elements whose text begins so."""
    boxes = dict.fromkeys(block.box.node for block in facts.segments.blocks if start in block.text)
    return dict.fromkeys(element for box in islice(boxes, _MOST) for element in _LINES(box, start=start))


def _parts(title: str, text: str) -> bool:
    """Whether a title is a text and, set off from it, names."""
    rest = title.removeprefix(text)
    return rest != title and (not rest or bool(SEPARATED.match(rest)) or (len(text) >= 12 and rest[0] in " -－_|:："))


def _is_below(element: Any) -> bool:
    """Whether an element stands in a heading or in what is not the article's."""
    near = islice(element.iterancestors(), 8)
    return element.tag == "h1" or any(above.tag == "h1" or above.tag in _APART for above in near)


def _elect(offers: Iterable[Offer], head_title: str) -> Choice[str]:
    """The offer with most votes; offers that differ in signs and case alone vote together."""
    groups: dict[str, list[Offer]] = defaultdict(list)
    for offer in offers:
        if key := fold(offer.value):
            groups[key].append(offer)
    if not groups:
        return Choice()
    stated = {key for key, group in groups.items() if not all(_is_shown(offer) for offer in group)}
    title = fold(head_title)
    votes = {key: _votes(key, group, stated, title) for key, group in groups.items()}
    winner = max(groups, key=votes.__getitem__)
    taken = _spelled(groups[winner])
    reasons = {key: f"{votes[key]:.1f} votes to {votes[winner]:.1f}" for key in groups} | {winner: "the same"}
    return Choice(
        taken,
        tuple(
            replace(offer, reason=reasons[key])
            for key, group in groups.items()
            for offer in group
            if offer is not taken
        ),
    )


def _is_shown(offer: Offer) -> bool:
    return offer.node is not None


def _votes(key: str, group: Sequence[Offer], stated: Collection[str], title: str) -> float:
    rules = {offer.rule for offer in group}
    votes = sum(map(_weight, rules))
    if rules & {"h1", "h1:full"}:
        likeness = _likeness(key, stated)
        votes += _ALIKE * likeness
        if likeness < _UNLIKE:
            votes -= _weight("h1") - _weight("h1:further")
    if key in stated and not rules.isdisjoint(_SHOWN):
        votes += _BOTH
    if "title" not in rules and title.startswith(key):
        votes += _BEGINS
    elif len(key) > 8 and key in title:
        votes += _WITHIN
    return votes


def _likeness(key: str, stated: Collection[str]) -> float:
    return max((_alike(key, other) for other in stated if other), default=1.0)


def _alike(one: str, other: str) -> float:
    """Dice's coefficient of two texts' pairs of letters: 1 for the same, 0 for nothing in common."""
    first, second = _pairs(one[:_LONGEST]), _pairs(other[:_LONGEST])
    return 2 * len(first & second) / (len(first) + len(second) or 1)


@lru_cache(maxsize=256)
def _pairs(text: str) -> frozenset[str]:
    return frozenset(map("".join, pairwise(text))) or frozenset((text,))


def _weight(rule: str) -> float:
    return _WEIGHTS.get(rule) or _WEIGHTS[rule.split(":")[0]]


def _spelled(group: Sequence[Offer]) -> Offer:
    """Of several ways to write it the one with most votes; capitals throughout are the last resort."""
    votes: dict[str, float] = defaultdict(float)
    for offer in group:
        votes[offer.value] += _weight(offer.rule)
    return max(group, key=lambda offer: (not offer.value.isupper(), votes[offer.value]))
