"""Authors: who signs the article, by name. What the page states for machines comes first, then what its readers see.

Persons come before houses: the name of the site, a desk or an agency is taken only where nobody else signs, or beside
a person in the same list. Conventions read: JSON-LD ``author`` (https://schema.org/author), the metas of OpenGraph,
Dublin Core, Parsely, Sailthru, Cxense, New York Times (``byl``) and Highwire, ``rel=author``, microdata, hCard, class
words, and bylines in print ("By …", "Von …", "作者：…", "（记者 …）").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Any

from lxml import etree

from crawler.extract.bylines import han_names_in, is_label, labelled, names_in, unique
from crawler.extract.evidence import Candidate, Choice
from crawler.extract.facts import Facts, text_of, types
from crawler.extract.text import BLOCKS, CELLS, SILENT, squeeze

Names = tuple[str, ...]


def seek_authors(facts: Facts, *, body: Any = None, agencies: Collection[str] = ()) -> Choice[Names]:
    """The names that sign the page's article, in their order, as printed; nothing where nobody signs.

    ``body`` is the element that holds the article, if it is known; ``agencies`` are names that count as news agencies.
    """
    houses = Houses(facts, agencies)
    house: Candidate[Names] | None = None
    rejected: list[Candidate[Names]] = []
    for offer in _offers(facts, body):
        if not offer.value:
            rejected.append(replace(offer, reason="no name"))
        elif house and house.rule.startswith("jsonld:") and offer.rule.endswith(_FAR):
            rejected.append(replace(offer, reason="far from the headline, and a house signs"))
        elif not houses.hold(offer):
            passed_over = [replace(house, reason="a house or a login, and a person signs")] if house else []
            persons = tuple(name for name in offer.value if not houses.is_the_site(name))
            return Choice(replace(offer, value=persons), (*rejected, *passed_over))
        elif house is None:
            house = offer
        else:
            rejected.append(replace(offer, reason="a house or a login, and another came first"))
    return Choice(house, tuple(rejected))


def _offers(facts: Facts, body: Any) -> Iterator[Candidate[Names]]:
    """Signatures, the most reliable kind first; whatever costs a walk over the tree is made only if it is asked for."""
    yield from _stated(facts)
    yield from _metas(facts, _OF_ARTICLES)
    marks = _marks(facts)
    yield from _marked_up(marks, common=True)
    yield from _metas(facts, _OF_PAGES)
    yield from _marked_up(marks, common=False)
    yield from _printed(facts)


class Houses:
    """Which names are no person's: the site's own, agencies', and those with a house's word in them."""

    _WORD = re.compile(
        r"redaktion|redacci|rédaction|redazione|editorial|newsroom|news|press|presse|agency|agentur|agencia|agenzia|"
        r"agence|zeitung|anzeiger|nachrichten|magazin|times|post|herald|tribune|gazette|journal|media|medien|verlag|"
        r"team|staff|desk|gmbh|verband|verein|stiftung|foundation|institut|universit|online|\.\w{2,4}$|社$|网$|網$|报$|報$|"
        r"新聞|新闻|日报|电视台|客户端|政府|委员会|研究院|出版|オンライン|編集部",
        re.IGNORECASE,
    )

    def __init__(self, facts: Facts, agencies: Collection[str]) -> None:
        self._facts = facts
        self._agencies = agencies

    def holds(self, name: str) -> bool:
        """Whether ``name`` is a house's, or a login that no reader knows."""
        key = _key(name)
        if key in self._known or self._WORD.search(name) or _is_handle(name):
            return True
        label = max(map(_key, self._facts.host.split(".")), key=len)
        return key == label or (len(label) > 3 and label in key and len(name.split()) != 2)

    def hold(self, offer: Candidate[Names]) -> bool:
        """Whether a signature is houses' alone, by its names or by the page's address ("Example (www.example.org)")."""
        addressed = len(offer.value) == 1 and self._facts.host and self._facts.host in offer.raw.lower()
        places = self.is_the_site(offer.value[0]) and not any(" " in name for name in offer.value[1:])
        return bool(addressed) or places or all(map(self.holds, offer.value))

    def is_the_site(self, name: str) -> bool:
        """Whether ``name`` is the site's own, or an address."""
        return _key(name) in self._site or bool(re.search(r"\w\.[a-z]{2,4}$", name.lower()))

    @cached_property
    def _site(self) -> frozenset[str]:
        facts = self._facts
        names = (
            facts.meta("og:site_name"),
            facts.meta("application-name"),
            facts.host,
            text_of(facts.article.get("publisher")),
        )
        return frozenset(_key(name) for name in names if name)

    @cached_property
    def _known(self) -> frozenset[str]:
        facts = self._facts
        article = facts.article
        stated = [text_of(article.get(key)) for key in ("publisher", "sourceOrganization", "copyrightHolder")]
        organisations = [text_of(thing.get("name")) for thing in facts.things if _is_organisation(thing)]
        metas = [facts.meta(key) for key in ("og:site_name", "application-name", "publisher", "dc.publisher")]
        names = (*stated, *organisations, *metas, facts.host, *self._agencies)
        return frozenset(_key(name) for name in names if name)


def _is_handle(name: str) -> bool:
    """A login: one word without a capital, or with digits in it."""
    return name.isascii() and " " not in name and (name.islower() or any(char.isdigit() for char in name))


def _key(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _is_organisation(thing: Mapping[str, Any]) -> bool:
    return any("Organization" in kind for kind in types(thing))


def _offer(texts: Sequence[str], rule: str, node: Any = None, *, printed: bool = False) -> Candidate[Names]:
    names = [name for text in texts for name in names_in(text, printed=printed)]
    return Candidate(tuple(unique(names)), rule, squeeze(" | ".join(texts))[:200], node)


# Structured data and metas.

_OF_ARTICLES = (
    "parsely-author",
    "sailthru.author",
    "cxenseparse:author",
    "byl",
    "article:author_name",
    "article:author",
    "og:article:author",
    "articleauthor",
    "dcsext.author",
    "mrf:authors",
    "citation_author",
)
_OF_PAGES = (
    "author",
    "dc.creator",
    "dc:creator",
    "dcterms.creator",
    "og:author",
    "shareaholic:article_author_name",
)


def _stated(facts: Facts) -> Iterator[Candidate[Names]]:
    for key in ("author", "creator"):
        if texts := _names_of(facts, facts.article.get(key)):
            yield _offer(texts, f"jsonld:{key}")


def _names_of(facts: Facts, value: Any, depth: int = 0) -> list[str]:
    """Texts of the names in a value; ``{"@id": …}`` stands for the object of that id elsewhere on the page."""
    if depth > 3:
        return []
    if isinstance(value, list):
        return [text for item in value[:50] for text in _names_of(facts, item, depth + 1)]
    if isinstance(value, Mapping):
        if name := text_of(value.get("name")):
            return [name]
        parts = squeeze(f"{text_of(value.get('givenName'))} {text_of(value.get('familyName'))}")
        same = (thing for thing in facts.things if thing.get("@id") == value.get("@id") and "name" in thing)
        return [parts] if parts else [text_of(next(same, {}).get("name"))] if "@id" in value else []
    text = text_of(value)
    return [text] if text else []


def _metas(facts: Facts, keys: Sequence[str]) -> Iterator[Candidate[Names]]:
    for key in keys:
        texts = [text for text in facts.metas.get(key, ()) if not text.startswith(("http:", "https:", "@", "/"))]
        if texts:
            yield _offer(texts, f"meta:{key}")


# Markup: rel, microdata, class words.

_BY = re.compile(r"\s(?:by|von|par|por|di)\s")
_PROFILE = re.compile(
    r"/(?:authors?|autore?n?|autores|auteurs?|people|profiles?|contributors?|staff|redaktion|by|writers?|reporters?|journalists?|columnists?)[/-]\w"
)
_COMMON = ("author", "byline", "by-line")
_WORDS = (*_COMMON, "autor", "auteur", "writer", "reporter", "journalist", "redakteur", "redaktor", "creator")
"""What elements with a signature are called."""
_LANDMARKS = ("h1", "p")
_OTHERS = re.compile(
    r"comment|avatar|photo|ima?ge?\b|image|foto|bild|caption|picture|video|gallery|quot|zitat|teaser|related|recommend|"
    r"popular|trending|\bbio|[-_]bio|desc|twitter|follow|login|signup|auth-|widget|sidebar|promo|archive|"
    r"newsletter|position|job|role|prefix|logo|breadcrumb|menu|cookie|(?<!sub)footer|reply|respond|unauth|authori[sz]|authent"
)
_OTHERS_AROUND = re.compile(
    r"(?:^|[\s_-])(?:comments?|related|recommend\w*|sidebar|teasers?|popular|trending|caption|gallery|quote|newsletter|"
    r"promo|menu|breadcrumbs?|carousel|slider|latest|read-?next)(?=[\s_-]|$)|(?:more|most|other)-(?:stor|news|art|read|pop)"
)
_OWN = frozenset(("body", "html", "article", "main"))
_ELSEWHERE = frozenset(("nav", "aside", "figure", "figcaption", "form", "blockquote", "select", "button", "noscript"))
_NO_SIGNATURE = frozenset(
    ("html", "body", "head", "meta", "link", "input", "img", "form", "button", "h1", "script", "style")
)
_LONGEST = 240
"""Characters of an element that is a signature; longer ones hold more than that."""
_MOST_TRIED = 300
_MOST = 2_000
"""Headlines, paragraphs and signatures that are looked at."""
_LONGEST_TEASER = 120
"""Characters; a paragraph with more text before its first tag is one of the article's."""
_FAR = ":far"
"""At the end of the rule of a signature that stands above the headline or below the article's start."""
_FEW = 3
"""Different signatures far from the headline."""
_HIGH = 12
"""Ancestors that are looked at."""


Mark = tuple[Any, bool | str | None]
"""An element that is called an author by a common word (True) or a rarer one (False), a link that may lead to one
(``_LINK``), or a headline or paragraph between them (None)."""
_LINK = "link"


def _marks(facts: Facts) -> list[Mark]:
    classes = dict(_called_any(facts.classes_used))
    ids = dict(_called_any(facts.ids))
    microdata = "author" in facts.props
    marks: list[Mark] = []
    for element, tag, names in zip(facts.elements, facts.tags, facts.classes, strict=True):
        called: bool | str | None = classes.get(names)
        if ids and not names:
            called = ids.get(element.get("id", ""))
        if called is None and tag == "a":
            called = element.get("rel") == "author" or _LINK
        if microdata and called is not True and element.get("itemprop") == "author":
            called = True
        if called is not None or tag in _LANDMARKS:
            marks.append((element, called))
    return marks


def _called_any(all_names: Collection[str]) -> Iterator[tuple[str, bool]]:
    """Names with an author's word in them, and whether it is a common one; few pages have more than one such word."""
    whole = "\n".join(all_names).lower()
    words = [word for word in _WORDS if word in whole]
    for names in all_names if words else ():
        small = names[:_LONGEST].lower()
        if any(word in small for word in words) and not _OTHERS.search(small):
            yield names, any(word in small for word in _COMMON)


def _marked_up(marks: Iterable[Mark], *, common: bool) -> Iterator[Candidate[Names]]:
    """Signatures by their markup, of them first those between the headline and the second paragraph."""
    return _ranked(_signatures(marks, common))


def _signatures(marks: Iterable[Mark], common: bool) -> Iterator[Any]:
    """The headline and the paragraphs as they are, and signatures for the elements that hold one."""
    last: Candidate[Names] | None = None
    tried = 0
    for element, called in marks:
        if tried >= _MOST_TRIED:
            break
        if called == _LINK:
            if common or not _PROFILE.search(element.get("href", "")[:_LONGEST]):
                continue
            called = False
        tried += called == common
        if called is None:
            if last:
                yield last
            last = None
            yield element
        elif called == common and not (last and _is_within(element, last.node)) and _may_sign(element):
            offer = _signature(element)
            if offer and offer.value:
                if last and _are_twins(last.node, element):
                    offer = replace(offer, value=tuple(unique([*last.value, *offer.value])))
                elif last:
                    yield last
                last = offer
    if last:
        yield last


def _are_twins(one: Any, other: Any) -> bool:
    """Whether two elements stand side by side, alone in their boxes or without, and are marked up alike."""
    if one.tag != other.tag or one.get("class") != other.get("class"):
        return False
    box, next_box = one.getparent(), other.getparent()
    if box is None or next_box is None or box is next_box:
        return box is next_box
    return box.getparent() is next_box.getparent() and len(box) == len(next_box) == 1


def _ranked(steps: Iterable[Any]) -> Iterator[Candidate[Names]]:
    """Those near the headline as they come; then those above it and those below the article's start, if these are few:
    many names are those of other articles."""
    above: list[Candidate[Names]] = []
    below: list[Candidate[Names]] = []
    headline, paragraphs = False, 0
    for step in islice(steps, _MOST):
        if not isinstance(step, Candidate):
            headline = headline or step.tag == "h1"
            paragraphs += headline and step.tag == "p" and len(step.text or "") > _LONGEST_TEASER
        elif headline and paragraphs < 2:
            yield step
        else:
            if not step.rule.startswith("print") or any(" " in name or not name.isascii() for name in step.value):
                (below if headline else above).append(step)
    for others in (above, below):
        if len({offer.value for offer in others}) <= _FEW:
            yield from (replace(offer, rule=offer.rule + _FAR) for offer in others)


def _is_within(element: Any, outer: Any) -> bool:
    return any(above is outer for above in islice(element.iterancestors(), _HIGH))


def _may_sign(element: Any) -> bool:
    if element.tag in _NO_SIGNATURE or _OTHERS.search(element.get("id", "").lower()):
        return False
    return not any(map(_is_elsewhere, islice(element.iterancestors(), _HIGH)))


def _is_meant(element: Any) -> bool:
    return "author" in f"{element.get('rel', '')} {element.get('itemprop', '')}".split()


def _is_elsewhere(element: Any) -> bool:
    """What holds the headline is no aside, whatever it is called."""
    if element.tag in _OWN:
        return False
    names = f"{element.get('class', '')[:_LONGEST]} {element.get('id', '')[:_LONGEST]}".lower()
    return (element.tag in _ELSEWHERE or bool(_OTHERS_AROUND.search(names))) and element.find(".//h1") is None


def _shown(element: Any) -> tuple[list[tuple[str, Any]], bool]:
    """Pieces of text that a reader sees first in an element, each with the element it stands in; and if that is all."""
    pieces: list[tuple[str, Any]] = []
    length = 0
    for inner in islice(element.iter(), 60):
        hidden = not isinstance(inner.tag, str) or inner.tag in SILENT
        texts = [] if hidden else [(inner.text, inner)]
        if inner is not element:
            texts.append((inner.tail, inner.getparent()))
        for text, owner in texts:
            if text and (text := squeeze(text[: 2 * _LONGEST])):
                pieces.append((text, owner))
                length += len(text)
        if length > _LONGEST:
            return pieces, False
    return pieces, True


def _signature(element: Any, *, printed: bool = False) -> Candidate[Names] | None:
    """The names that open an element: its first, what is joined to it, and what is marked up in the same way."""
    pieces, whole = _shown(element)
    if not pieces or not (whole or labelled(pieces[0][0]) or is_label(pieces[0][0])):
        return None
    names: list[str] = []
    kind: Any = None
    joined = False
    for text, owner in pieces[:60]:
        if is_label(text):
            joined = joined or bool(re.search(r"[,;&/|、]|and|und|et|y|e|og|och|en", text.lower()))
            continue
        same = kind is not None and (owner.tag, owner.get("class")) == kind
        if names and not (joined or same or re.match(r"(?:,|&|and |und |et |y |e |og |och )\s*", text)):
            break
        free = _is_meant(element) or " " not in text
        found = names_in(text, printed=printed or len(pieces) > 1 or not free)
        if not found and names:
            break
        if found and not names:
            kind = (owner.tag, owner.get("class"))
        names += found
        joined = bool(re.search(r"(?:[,;&/|、]|\s(?:and|und|et|y|e|og|och))$", text))
    rule = "print" if printed else "rel:author" if _is_meant(element) else "class:author"
    return Candidate(tuple(unique(names)), rule, " ".join(text for text, _ in pieces)[:_LONGEST], element)


# Print.

# fmt: off
_LEADS = frozenset((
    "by", "von", "vom", "par", "por", "di", "da", "av", "af", "door", "przez", "oleh", "text", "texte", "texto",
    "testo", "tekst", "autor", "autorin", "autoren", "autores", "author", "authors", "auteur", "auteurs", "autore",
    "written", "posted", "words", "story", "reporting", "reporter", "redakteur", "redakteurin", "publié",
    "publicado", "veröffentlicht", "geschrieben", "verfasst", "eingestellt", "gepostet", "kommentar", "artikel",
    "beitrag", "ein", "eine", "interview", "penulis", "yazar", "escrito", "scritto", "skribent", "forfatter", "über",
))
# fmt: on
_LONGEST_LINE = 160


def _printed(facts: Facts) -> Iterator[Candidate[Names]]:
    yield from _ranked(_leads(facts))
    yield from _ranked(_han_lines(facts))


def _leads(facts: Facts) -> Iterator[Any]:
    for element, tag in zip(facts.elements, facts.tags, strict=True):
        if tag not in _NO_SIGNATURE and (text := element.text) and _leads_to_a_name(text[:_LONGEST_LINE]):
            if (labelled(text) or is_label(text)) and (offer := _lead(element)) and offer.value:
                yield offer
        elif tag in _LANDMARKS:
            yield element


def _leads_to_a_name(text: str) -> bool:
    if text.isspace():
        return False
    first = text.split(None, 1)[0]
    return first.rstrip(":").lower() in _LEADS or (first[0].isdigit() and bool(_BY.search(text)))


def _lead(element: Any) -> Candidate[Names] | None:
    pieces, whole = _shown(element)
    if len(pieces) == 1 and is_label(pieces[0][0]) and element.tag not in BLOCKS and element.getparent() is not None:
        element = element.getparent()
        pieces, whole = _shown(element)
    if not whole or sum(len(piece) for piece, _ in pieces) > _LONGEST_LINE:
        return None
    if any(map(_is_elsewhere, islice(element.iterancestors(), _HIGH))):
        return None
    return _signature(element, printed=True)


_HAN_WORDS = ("作者", "记者", "記者", "执笔", "撰文", "采写", "文/", "报道")
_HAN_SIGNS = re.compile("[者撰笔采文报]")
_HAN_LINES: Any = etree.XPath(
    "descendant::text()[" + " or ".join(f"contains(., '{word}')" for word in _HAN_WORDS) + "]"
)


def _han_lines(facts: Facts) -> Iterator[Any]:
    boxes = dict.fromkeys(block.box.node for block in facts.segments.blocks if _holds_han_word(block.text))
    for box in islice(boxes, 200):
        if any(map(_is_elsewhere, islice(box.iterancestors(), _HIGH))):
            continue
        for text in islice(_HAN_LINES(box), 200):
            if _box(text) is box and (offer := _han_line(box, squeeze(text[: 2 * _LONGEST]))):
                yield offer


def _holds_han_word(text: str) -> bool:
    return not text.isascii() and _HAN_SIGNS.search(text) is not None and any(word in text for word in _HAN_WORDS)


def _box(text: Any) -> Any:
    """The block that a text of lxml's stands in."""
    element = text.getparent()
    block = element.getparent() if text.is_tail else element
    while block is not None and block.tag not in BLOCKS and block.tag not in CELLS:
        block = block.getparent()
    return block


def _han_line(box: Any, line: str) -> Candidate[Names] | None:
    around = " ".join(piece for piece, _ in _shown(box)[0])
    names = han_names_in(line) or (han_names_in(around) if len(around) <= _LONGEST else [])
    return Candidate(tuple(names), "print:han", line[:_LONGEST], box) if names else None
