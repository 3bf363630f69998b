"""Attribution: who wrote it first, as a text or a page credits it. Conventions, not sites.

Names of agencies are the caller's: without them ``(dpa)`` at the end of a text is as good as an author's initials.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
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
from crawler.extract.text import BLOCKS, CELLS, SILENT, squeeze

__all__ = ["Credit", "credit_in_body", "credit_in_digest", "credit_in_text", "credit_in_tree", "tidy"]

_NO_DIGEST_NAME = re.compile(
    r"[\d.%+\-A-Z]{2,}(?:\.[A-Z]{1,3})?|附.*|[上中下一二三四五六七八九十]+|图|组图|视频|转发|完|.*\d{1,2}[月日].*"
    r"|.*(?:名单|报告|全文|股|附表|见图|图解|直播|来源|记者|摄|如图|更新中?)"
    r"|(?:下称|以下简称|简称|又称|原名|记者|见习|实习|单位|截至|同比|环比|原标题|编辑|责任编辑|作者|声明|注|含|不含|约|即).*"
)
_ACCOUNT = re.compile(
    r"(?<=..)[\s\-_·|]*\(?(?:(?:官方)?(?:微信)?(?:公众号|服务号|订阅号)|(?:官方)?(?:微信|微博)|头条号|百家号)\)?$"
)


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
    blocks = [block for block in blocks if block.strip()]
    last, first = [gapped(block) for block in blocks[:-9:-1]], [gapped(block) for block in blocks[:3]]
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
    seekers = (_labels(root), _metas(root, url), _beside_date(root), _called_source(root), _author(root))
    return next((credit for found in seekers for credit in found), None)


def tidy(raw: str) -> str:
    """Normal form of a name without any table: width, blanks, brackets, book marks and marks of an account gone."""
    name = squeeze(unicodedata.normalize("NFKC", raw))
    name = unwrapped(re.sub("[《》]", "", name).strip())
    name = re.sub(r"^(?:微信)?公众号\s?[:：]?\s?[“\"「]?([^”\"」]{2,})[”\"」]?$", r"\1", name)
    name = re.sub(r"^综合\s?(?=.+[、/])", "", name)
    name = re.sub(r"(?<=..)\s?(?:原创稿?|稿件)$", "", name)
    return _ACCOUNT.sub("", name)


# Whole pages.

_TEXTS = "descendant-or-self::*[not(self::script or self::style)]/text()"
_LABELLED: Any = etree.XPath(
    f"{_TEXTS}[contains(., '源') or contains(., '转') or contains(., '轉') or contains(., '供稿')"
    " or contains(., '출처') or contains(., 'ource:') or contains(., 'OURCE:') or contains(., 'uelle:')]"
)
_DATED: Any = etree.XPath(f"{_TEXTS}[contains(., '20') and contains(., ':')]")
_META: Any = etree.XPath("descendant-or-self::meta[@content and (@name or @property or @itemprop)]")
_NAMED_SOURCE: Any = etree.XPath("descendant::*[contains(concat(@class, ' ', @id), 'ource') or @class = 'laiyuan']")
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
_DEEPEST = 200
"""Nesting that is followed; libxml2 itself stops at 256."""


def _labels(root: Any) -> Iterator[Credit]:
    for block, line in _lines(_LABELLED(root)):
        if (LABEL.search(line) or _may_be_the_articles(block)) and (credit := by_label(line)):
            yield credit


def _may_be_the_articles(block: Any) -> bool:
    """Whether "Source: X" in it may be: elsewhere in a page it is mostly a chart's or a picture's."""
    return any(element is not None and _is_called_source(element) for element in (block, block.getparent()))


def _metas(root: Any, url: str) -> Iterator[Credit]:
    for key, content in _meta_pairs(root):
        if key in _META_NAMES:
            by_its_label = by_label(gapped(content))
            name = by_its_label.raw if by_its_label else latin_name_in(gapped(content).partition(GAP)[0])
            if name:
                yield Credit(name, f"meta:{key}")
        elif key in _META_ADDRESSES:
            there, here = _host(content), {_domain(_host(own)) for own in (url, _CANONICAL(root))}
            if there and _domain(there) not in here:
                yield Credit(there, f"meta:{key}")


def _beside_date(root: Any) -> Iterator[Credit]:
    """A name alone beside the date of publication: it must be of an outlet's kind, or marked as its work (整理)."""
    for _, line in _lines(_DATED(root)):
        found = _DATE_AND_NAME.search(line)
        name = name_in(found["name"]) if found else ""
        if found and name and (found["mark"] or _OUTLET_WORD.search(name)):
            yield Credit(name, "beside:date")


def _called_source(root: Any) -> Iterator[Credit]:
    for element in _NAMED_SOURCE(root):
        if not _is_called_source(element) or any(map(_is_elsewhere, (element, *element.iterancestors()))):
            continue
        text = _own_text(element).strip(f" {GAP}{SEAM}{_LINE_END}")
        if len(text) > LONG_NAME or re.search(f"[{GAP}{_LINE_END}|:：]", text):
            continue
        start = opening_bracket(text)
        if name := latin_name_in(text if start is None else text[start + 1 : -1]):
            yield Credit(name, "class:source")


def _author(root: Any) -> Iterator[Credit]:
    for key, content in _meta_pairs(root):
        name = name_in(gapped(content)) if key == "article:author" else ""
        if _OUTLET_WORD.search(name):
            yield Credit(name, "meta:article:author")


def _meta_pairs(root: Any) -> Iterator[tuple[str, str]]:
    for meta in _META(root):
        key = meta.get("name") or meta.get("property") or meta.get("itemprop") or ""
        yield key.strip().lower(), meta.get("content")


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
    names = f"{element.get('class', '')} {element.get('id', '')}"
    around = " ".join(above.get("class", "") for above in (element, *islice(element.iterancestors(), 4)))
    return bool(_SOURCE_WORD.search(names)) and not _OTHERS_SOURCE.search(around)


def _is_elsewhere(element: Any) -> bool:
    """What holds the headline is no aside, whatever it is called."""
    return element.tag in _ELSEWHERE and element.find(".//h1") is None


def _lines(texts: Any) -> Iterator[tuple[Any, str]]:
    """The lines of the blocks that the text nodes stand in, each block once, with gaps and seams."""
    for block in dict.fromkeys(map(_block, texts)):
        if block is not None:
            yield from ((block, line.strip(f" {GAP}{SEAM}")) for line in _text_with_value(block).split(_LINE_END))


def _block(text: Any) -> Any:
    """The block that a text node stands in; None where no credit of the article can stand."""
    element = text.getparent().getparent() if text.is_tail else text.getparent()
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
    text, ended = marked(element.text or ""), False
    for child in element if depth < _DEEPEST else ():
        inner = "" if not isinstance(child.tag, str) or child.tag in SILENT else _own_text(child, depth + 1)
        if child.tag in BLOCKS or child.tag in CELLS:
            text += GAP + inner if _LABEL_AT_END.search(text) else _LINE_END
            ended = False
        elif inner.strip():
            text += (GAP if ended else SEAM) + inner + (GAP if _LABEL_AND_VALUE.search(inner) else SEAM)
            ended = True
        ended = ended and not (child.tail or "").strip()
        text += marked(child.tail or "")
    return text
