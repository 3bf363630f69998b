"""What kind of page it is: an article, or something that must not become one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from lxml import etree

from crawler.extract.evidence import Candidate, Choice
from crawler.extract.facts import Facts, types
from crawler.extract.text import plain, squeeze
from crawler.extract.walls import MIDDLING, SHORT, Phrases, common, squeezed, weight

ARTICLE, LIST, SOFT404, CONSENT, CAPTCHA, PAYWALL, EMPTY = KINDS = (
    "article",
    "list",
    "soft404",
    "consent",
    "captcha",
    "paywall",
    "empty",
)
_OF_CLASS = {
    "consent": CONSENT,
    "captcha": CAPTCHA,
    "login": PAYWALL,
    "paywall": PAYWALL,
    "soft-404": SOFT404,
    "busy": SOFT404,
}
"""Kinds of the classes of wall phrases."""
_BARE = 15
"""Weight below which a page has no body: then what else stands on it says what it is."""
_MUCH = 20_000
"""Bytes of text around it that no wall says: of such a page buttons and menus need not be read too."""
_STUB = 250
"""Weight below which the text of a page that costs is no more than its beginning."""
_WHOLE = 0.6
"""Part of the words stated that make the text whole."""
_LINKS = 8
"""Links from which a body may be a list."""
_LINKED = 0.55
"""Part of a text that is lines of nothing but links, from which it is a list."""
_HEADLINES = 25
"""Links as long as headlines from which a page without much of a text may be a list."""
_HARDLY = 30
"""Weight below which a text beside them is hardly one."""
_HEADLINE = 6
"""Weight of a headline, at the least."""

_STATUS = re.compile(
    r"(?:(?:http|error|erreur|fehler|errore|erro|fel|feil|fejl|virhe|hata|ошибка|错误|錯誤|エラー)\W*)*"
    r"(?:40[034]|410|50[0234])\b(?P<more>.*)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?:40[034]|410|50[0234])\b")
_STATUS_WORDS = re.compile(
    r"not (?:be )?found|can(?:no|'|’)t be found|bad request|forbidden|gone"
    r"|internal server|service unavailable|bad gateway|time-?out|error"
    r"|nicht gefunden|introuvable|non trouvée?|no encontrad[oa]|non trovata|não encontrada?|niet gevonden"
    r"|hittades inte|ikke funnet|ikke fundet|ei löyty|nie znalezion[oay]|nenalezen[ao]?|nem található|bulunamadı"
    r"|не найден[ао]?|не знайдено|δεν βρέθηκε|לא נמצא|غير موجود|یافت نشد|नहीं मिला|tidak ditemukan|không tìm thấy"
    r"|ไม่พบ|찾을 수 없|見つかりません|不存在|找不到|未找到|已删除|已刪除",
    re.IGNORECASE,
)
"""How servers and editors of many languages say that there is no such page."""
_SIGNS = " \t-–—:|!.,()…"
_SUBJECT = re.compile(
    r"\b(?:page|site|document|file|url|content|seite|contenu|página|pagina|strona|stránka|sayfa|sida|siden?|sivu|oldal"
    r"|страница|сторінк[ау]|halaman|trang)\b|页面|頁面|网页|網頁|ページ|페이지|صفحة|صفحه|الصفحة|σελίδα|דף|पृष्ठ|หน้า",
    re.IGNORECASE,
)
_CUT = re.compile(r"\s[|–—·»•:-]\s|_|｜")
"""Where a title's own words and the site's name meet."""

_CHALLENGE = etree.XPath(
    "boolean(//form[contains(@action,'captcha') or contains(@action,'challenge')]"
    "|//iframe[contains(@src,'captcha')]|//script[contains(@src,'captcha') or contains(@src,'challenge')]"
    "|//*[@id='captcha' or @id='challenge-form' or @id='challenge-running'])"
)
_AGREEMENT = etree.XPath("boolean(//form[contains(@action,'consent')])")
_NOT_FREE = re.compile(r"(?:https?://schema\.org/)?(?:false|no)", re.IGNORECASE)
_COLLECTIONS = frozenset(("CollectionPage", "SearchResultsPage", "ProfilePage"))
"""Types of schema.org for pages that list others; articles hold an ItemList at times."""


class _Seen:
    """One page, as the checks look at it."""

    def __init__(self, facts: Facts, text: str, title: str, body: Any, walls: Phrases) -> None:
        self.facts, self.text, self.title, self.body, self.walls = facts, text, title, body, walls
        self.weight = weight(text)

    @cached_property
    def is_article(self) -> bool:
        """Whether the page says that it is one; a page that names several articles does not by that."""
        if self.facts.meta("og:type").lower().endswith("article"):
            return True
        kinds = [types(thing) for thing in self.facts.things]
        collects = any(not _COLLECTIONS.isdisjoint(names) for names in kinds)
        return bool(self.facts.article) and not collects

    @cached_property
    def lines(self) -> Sequence[str]:
        """What the page says: its text, or all that stands on it where it has none."""
        if self.weight >= _BARE:
            return self.text.split("\n")
        blocks = self.facts.segments.blocks
        if sum(block.size for block in blocks) > _MUCH:
            return [block.text for block in blocks]
        return (plain(self.facts.root) or self.text).split("\n")


def page_kind(
    facts: Facts, body_text: str, title: str = "", *, body: Any = None, walls: Phrases | None = None
) -> Choice[str]:
    """One of ``KINDS``, and why the others that had something for them were not taken.

    ``body_text`` is the article's plain text, a line a block; ``body`` the element (lxml) that holds it; ``walls`` the
    phrases that walls and stubs say, the package's own if not given. A phrase, a flag or a status decides only where
    there is little text beside it.
    """
    seen = _Seen(facts, body_text, title, body, common() if walls is None else walls)
    rejected: list[Candidate[str]] = []
    for check in (_status, _wall, _locked, _list, _nothing):
        for candidate in check(seen):
            if not candidate.reason:
                return Choice(candidate, tuple(rejected))
            rejected.append(candidate)
    return Choice(Candidate(ARTICLE, "text", f"weight {seen.weight}", body), tuple(rejected))


def _status(seen: _Seen) -> Iterator[Candidate[str]]:
    """A title that is a status and nothing else."""
    titles = dict.fromkeys(filter(None, (seen.title, seen.facts.head_title)))
    if not _may_be_status("\n".join(titles)):
        return
    for title in titles:
        if is_status(title):
            reason = "" if seen.weight < SHORT else f"a text of weight {seen.weight} follows"
            yield Candidate(SOFT404, "title:status", title, reason=reason)


def _may_be_status(text: str) -> bool:
    """One look at all titles, for nearly every one is a headline."""
    return bool(_NUMBER.search(text) or _STATUS_WORDS.search(text))


def is_status(title: str) -> bool:
    """Whether a title, or what of it is not the site's name, says that there is no such page, and nothing else."""
    return any(_says_status(squeeze(part)) for part in (title, *_CUT.split(title)))


def _says_status(part: str) -> bool:
    """A number alone, "404 – not found", "The page was not found": a headline with such words says more."""
    numbered = _STATUS.fullmatch(part)
    said = numbered["more"].strip(_SIGNS) if numbered else part
    if numbered and not said:
        return True
    words = _STATUS_WORDS.search(said)
    if words is None or weight(said) >= 5 * _HEADLINE:
        return False
    rest = said.replace(words[0], "", 1).strip(_SIGNS)
    return weight(_SUBJECT.sub("", rest)) <= _HEADLINE and bool(numbered or not rest or _SUBJECT.search(rest))


def _wall(seen: _Seen) -> Iterator[Candidate[str]]:
    """Phrases of walls in what the text says; where there is none, in what the page says."""
    if seen.weight >= MIDDLING:
        return
    if found := seen.walls.find(seen.title, seen.lines):
        kind = _OF_CLASS.get(found[0], SOFT404)
        yield Candidate(kind, f"phrase:{found[0]}", found[1], seen.body, _beside(seen, kind, found[1]))
    if seen.weight < _BARE and sum(map(weight, seen.lines)) < SHORT:
        root = seen.facts.root
        if _CHALLENGE(root):
            yield Candidate(CAPTCHA, "form:challenge")
        if _AGREEMENT(root) or seen.facts.host.startswith("consent."):
            yield Candidate(CONSENT, "form:consent")


def _beside(seen: _Seen, kind: str, phrase: str) -> str:
    """Why a phrase of a banner or of a reader's comment does not make an article a wall."""
    if kind not in (CONSENT, CAPTCHA) or not seen.is_article:
        return ""
    own = sum(weight(line) for line in seen.lines if phrase not in squeezed(line))
    return f"an article's text of weight {own} stands beside it" if own * 2 >= sum(map(weight, seen.lines)) else ""


def _locked(seen: _Seen) -> Iterator[Candidate[str]]:
    """What a page states of itself: not free, and little text, or little of the words that it counts."""
    said = next(_not_free(seen.facts), "")
    if not said:
        return
    stated = _words_stated(seen.facts)
    if stated and len(seen.text.split()) >= _WHOLE * stated:
        reason = f"the text has the {stated} words that the page states"
    else:
        reason = "" if seen.weight < _STUB else f"a text of weight {seen.weight} is there"
    yield Candidate(PAYWALL, said, "not free", reason=reason)


def _not_free(facts: Facts) -> Iterator[str]:
    """Rules by which a page says that its article costs (schema.org, Google's paywalled content, Facebook's tier)."""
    if _NOT_FREE.fullmatch(str(facts.article.get("isAccessibleForFree", ""))):
        yield "jsonld:isAccessibleForFree"
    if facts.meta("article:content_tier").lower() == "locked":
        yield "meta:article:content_tier"
    if _NOT_FREE.fullmatch(facts.meta("isaccessibleforfree")):
        yield "meta:isAccessibleForFree"


def _words_stated(facts: Facts) -> int:
    stated = str(facts.article.get("wordCount", ""))
    return int(stated) if re.fullmatch(r"[0-9]{1,6}", stated, re.ASCII) else 0


def _list(seen: _Seen) -> Iterator[Candidate[str]]:
    """Many links, and few words outside them."""
    if seen.is_article and seen.weight >= SHORT:
        return
    if seen.body is not None:
        lines = frozenset(seen.lines)
        own = [size for text, size in _headlines(seen.body) if text in lines]
        share = sum(own) / max(1, seen.weight)
        if len(own) >= _LINKS and share >= _LINKED:
            yield Candidate(LIST, "links:body", f"{len(own)} links, {share:.0%} of the text", seen.body)
    if seen.weight < SHORT and not seen.is_article:
        sizes = [size for _, size in _headlines(seen.facts.root)]
        if len(sizes) >= _HEADLINES and sum(sizes) >= 3 * seen.weight:
            reason = "" if seen.weight < _HARDLY or _is_home(seen.facts.url) else f"a text of weight {seen.weight}"
            yield Candidate(LIST, "links:page", f"{len(sizes)} links as long as headlines", reason=reason)


def _is_home(url: str) -> bool:
    return bool(re.fullmatch(r"https?://[^/?#]+/?(?:#.*)?", url))


def _headlines(element: Any) -> Iterator[tuple[str, int]]:
    """Texts of links that are as long as headlines, and their weight."""
    for link in element.iter("a"):
        text = squeeze("".join(link.itertext()) if len(link) else link.text or "")
        if (size := weight(text)) >= _HEADLINE:
            yield text, size


def _nothing(seen: _Seen) -> Iterator[Candidate[str]]:
    if seen.weight < _BARE:
        yield Candidate(EMPTY, "text", f"weight {seen.weight}", seen.body)
