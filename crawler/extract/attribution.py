"""Attribution: who wrote it first, as a text or a page credits it. Conventions, not sites.

Names of agencies are the caller's: without them ``(dpa)`` at the end of a text is as good as an author's initials.
What the page's own address shows to be its own is no credit: a canonical address or a base counts on another house's
domain only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from crawler.extract.credits import (
    GAP,
    LABEL,
    LONG_NAME,
    SEAM,
    Credit,
    by_dateline,
    by_label,
    by_tail,
    gapped,
    latin_name_in,
    marked,
    name_in,
    opening_bracket,
    unwrapped,
)
from crawler.extract.evidence import Candidate, Choice
from crawler.extract.facts import Facts, text_of
from crawler.extract.text import BLOCKS, CELLS, SILENT, plain, squeeze

__all__ = [
    "Credit",
    "credit_in_body",
    "credit_in_digest",
    "credit_in_text",
    "credit_in_tree",
    "seek_attribution",
    "tidy",
]

_NO_DIGEST_NAME = re.compile(
    r"[\d.%+\-A-Z]{2,}(?:\.[A-Z]{1,3})?|附.*|[上中下一二三四五六七八九十]+|图|组图|视频|转发|完|.*\d{1,2}[月日].*"
    r"|.*(?:名单|报告|全文|股|附表|见图|图解|直播|来源|记者|摄|如图|更新中?)"
    r"|(?:下称|以下简称|简称|又称|原名|记者|见习|实习|单位|截至|同比|环比|原标题|编辑|责任编辑|作者|声明|注|含|不含|约|即).*"
)
_ACCOUNT = re.compile(
    r"(?<=..)[\s\-_·|]*\(?(?:(?:官方)?(?:微信)?(?:公众号|服务号|订阅号)|(?:官方)?(?:微信|微博)|头条号|百家号)\)?$"
)


def seek_attribution(
    facts: Facts, *, paragraphs: Sequence[str] = (), body: Any = None, agencies: Collection[str] = ()
) -> Choice[Credit]:
    """Who wrote the page's article first, by the page, its structured data and the article's own words.

    ``paragraphs`` are the article's, as plain text (those of ``body``, its element, if they are not given);
    ``agencies`` are names that count as news agencies. Nothing where the page credits nobody: its own publisher, a
    placeholder (网络, 本站原创) and whoever took the pictures are no credits.
    """
    if not paragraphs and body is not None:
        paragraphs = plain(body).split("\n")
    rejected: list[Candidate[Credit]] = []
    for offer in _offers(facts, paragraphs, agencies):
        if not offer.reason:
            others = (other for other in _stated_elsewhere(facts) if other.value != offer.value)
            late = (other if other.reason else replace(other, reason=f"{offer.rule} goes before") for other in others)
            return Choice(offer, tuple(dict.fromkeys((*rejected, *late))))
        rejected.append(offer)
    return Choice(None, tuple(rejected))


def credit_in_text(text: str, *, agencies: Collection[str] = ()) -> Credit | None:
    """The credit in a line or paragraph of plain text: by label, by phrase, at its tail or in its dateline.

    ``agencies`` are the names that count as news agencies, in any case.
    """
    line = gapped(text)
    return by_label(line) or by_tail(line, agencies) or by_dateline(line, agencies)


def credit_by_rule(text: str) -> Credit | None:
    """The credit in what a source's own rule found: behind its label, else the bare name.

    None for a label with nothing behind it and for a name that names nobody (网络, 本站原创).
    """
    line = gapped(text)
    if credit := by_label(line):
        return credit
    name = "" if LABEL.match(line) else latin_name_in(line)
    return Credit(name, "rule") if name else None


def credit_in_body(blocks: Sequence[str], *, agencies: Collection[str] = ()) -> Credit | None:
    """The credit in an article's paragraphs: a label in the last ones or the first, else a tail, else a dateline."""
    lines = (gapped(block) for block in reversed(blocks) if block.strip())
    last = list(islice(lines, 8))
    first = list(islice((gapped(block) for block in blocks if block.strip()), 3))
    labels = (by_label(line) for line in (*last, *first))
    tails = (by_tail(line, agencies) for line in last[:2])
    datelines = (by_dateline(line, agencies) for line in first)
    return next((credit for found in (labels, tails, datelines) for credit in found if credit), None)


def credit_in_digest(digest: str) -> Credit | None:
    """The name in the bracket that ends a digest: no code of a stock, mark of a list (附名单), date or sentence."""
    line = gapped(digest).replace(GAP, " ").rstrip(" 。.")
    start = opening_bracket(line)
    if start is None:
        return None
    inside = line[start + 1 : -1].strip()
    if "：" in inside or ":" in inside:
        return by_label(line[start:])
    if len(inside) > 20 or _NO_DIGEST_NAME.fullmatch(inside) or re.search("[，,。；;！!？?]", inside):
        return None
    name = name_in(inside)
    return Credit(name, "digest-bracket") if name else None


def credit_in_tree(root: Any, *, url: str = "") -> Credit | None:
    """The credit of a whole page: a labelled line, else a meta tag, else a name beside the date of publication, else
    an element that is called "source", else an author that is an outlet.

    ``root`` is an lxml element; ``url`` the page's address, to tell a foreign original from its own.
    """
    metas = list(_meta_pairs(root))
    elements = root.iter("*")
    seekers = (
        _labels(map(_block, _LABELLED(root))),
        _metas(metas, {_domain(_host(own)) for own in (url, _CANONICAL(root))}),
        _beside_date(map(_block, _DATED(root))),
        _called_source(element for element in elements if _may_be_called_source(element)),
        _author(metas),
    )
    return next((credit for found in seekers for credit, _ in found), None)


def tidy(raw: str) -> str:
    """Normal form of a name without any table: width, blanks, brackets, book marks and marks of an account gone."""
    name = squeeze(unicodedata.normalize("NFKC", raw))
    name = unwrapped(re.sub("[《》]", "", name).strip())
    name = re.sub(r"^(?:微信)?公众号\s?[:：]?\s?[“\"「]?([^”\"」]{2,})[”\"」]?$", r"\1", name)
    name = re.sub(r"^综合\s?(?=.+[、/])", "", name)
    name = re.sub(r"(?<=..)\s?(?:原创稿?|稿件)$", "", name)
    return _ACCOUNT.sub("", name)


# A page with what is known of it.

_HAN = re.compile("[\u3400-\u9fff가-힣]")


def _offers(facts: Facts, paragraphs: Sequence[str], agencies: Collection[str]) -> Iterator[Candidate[Credit]]:
    """Credits, the most outspoken kind first; those with a reason are none."""
    metas = [(key, content) for key in facts.metas if key in _META_KEYS for content in facts.metas[key]]
    sources = facts.called(_names_a_source)
    han = _may_be_han(facts, paragraphs)
    if han:
        yield from _candidates(_labels(_boxes(facts, _holds_label)))
    labelled = _labels(_block(text) for element in sources for text in islice(_TEXT(element), _MOST_TEXTS))
    yield from (_unless_own(facts, offer) for offer in _candidates(labelled))
    yield from (_unless_own(facts, offer) for offer in _candidates(_metas(metas, _own_domains(facts))))
    if credit := credit_in_body(paragraphs, agencies=agencies):
        yield _unless_own(facts, Candidate(credit, credit.rule, credit.raw))
    if han:
        yield from _candidates(_beside_date(_boxes(facts, _holds_clock)))
    yield from (_unless_own(facts, offer) for offer in _candidates(_called_source(sources)))
    yield from _stated_elsewhere(facts)
    yield from (_unless_own(facts, offer) for offer in _candidates(_agencies_that_sign(facts, agencies)))
    yield from _candidates(_author(metas))


def _may_be_han(facts: Facts, paragraphs: Sequence[str]) -> bool:
    """Whether the page is in Chinese, Japanese or Korean, as far as can be said without a look at all of its text."""
    if facts.language.startswith(("zh", "ja", "ko")):
        return True
    said = (facts.head_title, facts.meta("og:title"), *paragraphs[:3], *paragraphs[-2:])
    return not any(map(str.strip, said)) or any(not text.isascii() and _HAN.search(text) for text in said)


def _names_a_source(names: str) -> bool:
    return "ource" in names


def _boxes(facts: Facts, holds: Callable[[str], bool]) -> Iterator[Any]:
    """Blocks of the page with text of some kind."""
    return (_block_around(block.box.node) for block in facts.segments.blocks if holds(block.text))


def _holds_label(text: str) -> bool:
    return "源" in text or "转" in text or "轉" in text or "供稿" in text or "출처" in text


def _holds_clock(text: str) -> bool:
    return "20" in text and ":" in text


def _unless_own(facts: Facts, offer: Candidate[Credit]) -> Candidate[Credit]:
    """Rejected where the page credits itself; but for Chinese, where 来源 names the outlet even if it is the site."""
    han = "\u2e80" <= max(offer.value.raw) <= "\ud7ff"
    own = not han and _is_own_name(facts, offer.value.raw)
    return replace(offer, reason="the page's own house") if own else offer


def _agencies_that_sign(facts: Facts, agencies: Collection[str]) -> Found:
    given = facts.article.get("author")
    signed = [name for author in (given if isinstance(given, list) else [given]) if (name := text_of(author))]
    known = {name.casefold() for name in agencies} if signed else set()
    yield from ((Credit(name, "jsonld:author"), None) for name in signed if name.casefold() in known)


def _candidates(found: Found) -> Iterator[Candidate[Credit]]:
    for credit, node in found:
        yield Candidate(credit, credit.rule, credit.raw, node)


def _stated_elsewhere(facts: Facts) -> Iterator[Candidate[Credit]]:
    """The original that the page states for machines: a credit where it is another house's, rejected on its own.

    A page that was moved or copied as a whole says so in og:url as well; a page that credits another keeps its own.
    """
    own = {_house(_host(facts.url) or facts.host)}
    stated = {_house(_host(facts.meta("og:url")))} - {""}
    moved = not facts.url.startswith("http") or not stated <= own
    for rule, address in _originals(facts):
        host = _host(address)
        if not host:
            continue
        reason = "the page's own house" if _house(host) in own or address in facts.url else ""
        if moved and not reason:
            reason = "the page has no other address"
        yield Candidate(Credit(host, rule), rule, address, reason=reason)
    source = text_of(facts.article.get("sourceOrganization"))
    name = latin_name_in(gapped(source)) if source else ""
    if name:
        reason = "the page's own house" if _is_own_name(facts, name) else ""
        yield Candidate(Credit(name, "jsonld:sourceOrganization"), "jsonld:sourceOrganization", source, reason=reason)


def _originals(facts: Facts) -> Iterator[tuple[str, str]]:
    yield from (("canonical", address) for address in facts.canonical)
    given = facts.article.get("isBasedOn")
    for base in given if isinstance(given, list) else [given]:
        address = base.get("url") or base.get("@id") if isinstance(base, Mapping) else base
        if isinstance(address, str) and address.strip():
            yield "jsonld:isBasedOn", facts.absolute(address)


def _own_domains(facts: Facts) -> frozenset[str]:
    stated = (facts.url, *facts.canonical[:1], facts.meta("og:url"))
    return frozenset(_domain(_host(address)) for address in stated if address)


def _house(host: str) -> str:
    """What a house's domains in several countries share: ``example`` of ``example.com`` and ``example.co.uk``."""
    return _domain(host).partition(".")[0]


def _is_own_name(facts: Facts, name: str) -> bool:
    """Whether a name is the site's own, whole or in part; a short one (AP) is in too many others to count in part."""
    stated = (facts.meta("og:site_name"), facts.meta("application-name"), text_of(facts.article.get("publisher")))
    key, own = _letters(name), [_letters(text) for text in (*stated, _house(facts.host))]
    return any(text == key or (len(min(text, key, key=len)) > 3 and (text in key or key in text)) for text in own)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


# Whole pages.

_TEXTS = "descendant-or-self::*[not(self::script or self::style)]/text()"
_LABELLED: Any = etree.XPath(
    f"{_TEXTS}[contains(., '源') or contains(., '转') or contains(., '轉') or contains(., '供稿')"
    " or contains(., '출처') or contains(., 'ource:') or contains(., 'OURCE:') or contains(., 'uelle:')]"
)
_TEXT: Any = etree.XPath(_TEXTS)
_DATED: Any = etree.XPath(f"{_TEXTS}[contains(., '20') and contains(., ':')]")
_META: Any = etree.XPath("descendant-or-self::meta[@content and (@name or @property or @itemprop)]")
_CANONICAL: Any = etree.XPath("string((//link[@rel='canonical']/@href | //meta[@property='og:url']/@content)[1])")

_ELSEWHERE = SILENT | {
    "nav",
    "footer",
    "aside",
    "figure",
    "figcaption",
    "select",
    "textarea",
    "button",
    "title",
    "blockquote",
}
"""Elements in which nothing is said of the article as a whole."""
_META_NAMES = ("mediaid", "source", "contentsource", "content-source", "article:source", "dc.source", "mediasource")
_META_ADDRESSES = ("original-source", "syndication-source")
_META_KEYS = frozenset((*_META_NAMES, *_META_ADDRESSES, "article:author"))
_SOURCE_WORD = re.compile(
    r"(?:^|\s)(?:(?:\w+-)?(?:article|news|media|post|content|info|ent|editorial|a)[_-]{0,2})?"
    r"(?:[Ss]ource|laiyuan)(?:[_-]{1,2}(?:name|baidu|[A-Za-z0-9]{8}))?(?=\s|$)"
)
_OTHERS_SOURCE = re.compile(
    "caption|quot|reference|photo|image|picture|figure|gallery|video|comment|tweet", re.IGNORECASE
)
_DATE_AND_NAME = re.compile(
    r"(?:^|\ufdd0)\s*20\d\d(?:-\d\d?-\d\d?|/\d\d?/\d\d?|年\d\d?月\d\d?日)[\sT]*\d\d?:\d\d(?::\d\d)?[\s\ufdd0\ufdd1]*"
    r"(?P<name>[^\s\d\ufdd0][^\ufdd0:：]{1,24}?)\s*(?:\[(?P<mark>整理|原创|编译|转载)\])?[\s\ufdd1]*(?=\ufdd0|$)"
)
_OUTLET_WORD = re.compile(r"(?:报|網|网|社|新闻|新聞|财经|客户端|电视台|广播|台|杂志|周刊|在线|传媒)$")
_LABEL_AT_END = re.compile(rf"(?:{LABEL.pattern}|ource|OURCE|uelle)[\s\ufdd0\ufdd1]*[:：]?[\s\ufdd0\ufdd1]*$")
_LABEL_AND_VALUE = re.compile(r"[:：][\s\ufdd0\ufdd1]*[^\s\ufdd0\ufdd1]")
_LINE_END = "\0"
_LONG_LABEL = 40
"""Characters that the longest label and the blanks behind it have."""
_LONG_NAMES = 300
"""Characters of a class that are read."""
_LONG_TEXT = 2_000
"""Characters at either end of a text that are read."""
_MOST_TEXTS = 300
"""Texts and elements of a page that are looked at for a credit."""
_DEEPEST = 200
"""Nesting that is followed; libxml2 itself stops at 256."""


Found = Iterator[tuple[Credit, Any]]
"""Credits, each with the element that it stands in."""


def _labels(blocks: Iterable[Any]) -> Found:
    for block, line in _lines(blocks):
        if (LABEL.search(line) or _may_be_the_articles(block)) and (credit := by_label(line)):
            yield credit, block


def _may_be_the_articles(block: Any) -> bool:
    """Whether "Source: X" in it may be: elsewhere in a page it is mostly a chart's or a picture's."""
    return any(element is not None and _is_called_source(element) for element in (block, block.getparent()))


def _metas(pairs: Iterable[tuple[str, str]], own: Collection[str]) -> Found:
    for key, content in pairs:
        if key in _META_NAMES:
            by_its_label = by_label(gapped(content))
            name = by_its_label.raw if by_its_label else latin_name_in(gapped(content).partition(GAP)[0])
            if name:
                yield Credit(name, f"meta:{key}"), None
        elif key in _META_ADDRESSES:
            there = _host(content)
            if there and _domain(there) not in own:
                yield Credit(there, f"meta:{key}"), None


def _beside_date(blocks: Iterable[Any]) -> Found:
    """A name alone beside the date of publication: it must be of an outlet's kind, or marked as its work (整理)."""
    for block, line in _lines(blocks):
        found = _DATE_AND_NAME.search(line)
        name = name_in(found["name"]) if found else ""
        if found and name and (found["mark"] or _OUTLET_WORD.search(name)):
            yield Credit(name, "beside:date"), block


def _may_be_called_source(element: Any) -> bool:
    """A first look, for most elements are not."""
    names = element.get("class", "")
    return "ource" in names or names == "laiyuan" or "ource" in element.get("id", "")


def _called_source(elements: Iterable[Any]) -> Found:
    for element in islice(elements, _MOST_TEXTS):
        if not _is_called_source(element) or any(map(_is_elsewhere, (element, *element.iterancestors()))):
            continue
        text = _own_text(element).strip(f" {GAP}{SEAM}{_LINE_END}")
        if len(text) > LONG_NAME or re.search(f"[{GAP}{_LINE_END}|:：]", text):
            continue
        start = opening_bracket(text)
        name = latin_name_in(text if start is None else text[start + 1 : -1])
        if name and not name.startswith(("来自", "來自")):
            yield Credit(name, "class:source"), element


def _author(pairs: Iterable[tuple[str, str]]) -> Found:
    for key, content in pairs:
        name = name_in(gapped(content)) if key == "article:author" else ""
        if _OUTLET_WORD.search(name):
            yield Credit(name, "meta:article:author"), None


def _meta_pairs(root: Any) -> Iterator[tuple[str, str]]:
    for meta in _META(root):
        key = meta.get("name") or meta.get("property") or meta.get("itemprop") or ""
        yield key.strip().lower(), meta.get("content")


@lru_cache(maxsize=256)
def _host(url: str) -> str:
    try:
        return (urlsplit(url.strip()).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _domain(host: str) -> str:
    """The registrable part, by the shape of the name: two labels, three under the likes of ``com.cn`` and ``co.uk``."""
    labels = host.split(".")
    second_level = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if second_level else -2 :])


def _is_called_source(element: Any) -> bool:
    """By its class or id, and not a picture's or a quotation's source by those of the elements around it."""
    names = f"{element.get('class', '')[:_LONG_NAMES]} {element.get('id', '')[:_LONG_NAMES]}"
    around = " ".join(above.get("class", "")[:_LONG_NAMES] for above in (element, *islice(element.iterancestors(), 4)))
    return bool(_SOURCE_WORD.search(names)) and not _OTHERS_SOURCE.search(around)


def _is_elsewhere(element: Any) -> bool:
    """What holds the headline is no aside, whatever it is called."""
    return element.tag in _ELSEWHERE and element.find(".//h1") is None


def _lines(blocks: Iterable[Any]) -> Iterator[tuple[Any, str]]:
    """The lines of blocks, each block once, with gaps and seams."""
    for block in dict.fromkeys(islice(blocks, _MOST_TEXTS)):
        if block is not None:
            yield from ((block, line.strip(f" {GAP}{SEAM}")) for line in _text_with_value(block).split(_LINE_END))


def _block(text: Any) -> Any:
    """The block that a text node stands in; None where no credit of the article can stand."""
    return _block_around(text.getparent().getparent() if text.is_tail else text.getparent())


def _block_around(element: Any) -> Any:
    block = None
    while element is not None:
        if _is_elsewhere(element):
            return None
        if block is None and (element.tag in BLOCKS or element.tag in CELLS or element.getparent() is None):
            block = element
        element = element.getparent()
    return block


def _text_with_value(block: Any) -> str:
    """The block's own text; a label that ends it goes on in the block behind it, or behind its parent."""
    text = _own_text(block)
    if not _LABEL_AT_END.search(text):
        return text
    parent = block.getparent()
    behind = (block.getnext(), parent.getnext() if parent is not None else None)
    texts = (_own_text(element) for element in behind if element is not None and isinstance(element.tag, str))
    following = next(texts, "")
    value = following.strip(f" {GAP}{SEAM}{_LINE_END}")
    return f"{text}{GAP}{value}" if len(value) <= LONG_NAME else text


def _own_text(element: Any, depth: int = 0) -> str:
    """The text of an element without that of the blocks in it, but for one that goes on behind a label."""
    text, ended = _marked(element.text), False
    for child in element if depth < _DEEPEST else ():
        block = child.tag in BLOCKS or child.tag in CELLS
        silent = not isinstance(child.tag, str) or child.tag in SILENT
        skipped = silent or (block and not _LABEL_AT_END.search(text[-_LONG_LABEL:]))
        inner = "" if skipped else _own_text(child, depth + 1)
        if block:
            text += _LINE_END if skipped else GAP + inner
            ended = False
        elif inner.strip():
            text += (GAP if ended else SEAM) + inner + (GAP if _LABEL_AND_VALUE.search(inner) else SEAM)
            ended = True
        ended = ended and not (child.tail or "").strip()
        text += _marked(child.tail)
    return text


def _marked(text: str | None) -> str:
    """Text between two tags, of a monstrous one both ends: a label stands in neither middle."""
    if not text:
        return ""
    return marked(text if len(text) <= 2 * _LONG_TEXT else f"{text[:_LONG_TEXT]} {text[-_LONG_TEXT:]}")
