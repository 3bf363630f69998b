"""Pages without rules: the generic extractor, and what the memory of the source says of the page.

Imported on demand: an archive whose sources all have rules never pays for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from crawler.extract.article import Extracted, extract
from crawler.extract.body import fingerprint
from crawler.extract.kind import ARTICLE, CAPTCHA, CONSENT, EMPTY, LIST, PAYWALL, SOFT404
from crawler.extract.page import Page
from crawler.items import Reading, Refused
from crawler.memory import Remembers, Told

if TYPE_CHECKING:
    from crawler.assemble import Beyond
    from crawler.sources import Source

_ROUNDS = 3
"""How often a page is read again: without one block another may come to the fore that stands elsewhere as well."""
_ALIKE = 3
"""Characters that a headline begins or ends with as another page's title does, from which the two are compared."""
_CLASSES = {
    CONSENT: "consent: a wall",
    CAPTCHA: "captcha: a wall",
    PAYWALL: "paywall: a stub",
    SOFT404: "soft-404: an error page",
    LIST: "body: a list of links",
    EMPTY: "body: empty",
}
"""Kinds of pages that are no articles, in words that begin with the gate's class."""
_TOLD = 200
"""Bytes of text from which what the extractor finds is worth telling."""


class Reader:
    """Reads pages of one source."""

    def __init__(self, source: Source, beyond: Beyond) -> None:
        self._source, self._beyond = source, beyond

    def plain(self, page: Page, listed: str, seen_at: datetime) -> partial[Extracted]:
        """The extractor with all that is known beyond the page but other pages.

        ``listed`` is the title in the list, ``seen_at`` when the page was captured.
        """
        return partial(
            extract, page, language=self._source.language, zone=self._source.zone, not_after=seen_at,
            listed=listed, agencies=self._beyond.agencies,
        )  # fmt: skip

    def article(self, page: Page, key: str, listed: str, seen_at: datetime) -> tuple[Extracted, Reading]:
        """What an article's page holds, and what it leaves for the memory. Raises Refused for what is no article."""
        reader = self.plain(page, listed, seen_at)
        first = reader()
        _demand_article(first)
        if self._beyond.memory is None:
            return first, Reading(first.head_title, tuple(first.fingerprints))
        return _Second(reader, first, self._source, key, self._beyond.memory).look()


def _demand_article(found: Extracted) -> None:
    """Raises Refused for a page that is no article, with the gate's class for what it is."""
    if found.kind == ARTICLE:
        return
    taken = found.evidence["kind"].taken
    why = f" ({taken.rule} {taken.raw})" if taken else ""
    raise Refused(f"{_CLASSES[found.kind]}{why}")


class _Second:
    """A page seen once more, by what its source's other pages hold; most have nothing in common, and are read once."""

    def __init__(
        self, reader: partial[Extracted], first: Extracted, source: Source, key: str, memory: Remembers
    ) -> None:
        self._reader, self._first, self._source, self._key, self._memory = reader, first, source, key, memory

    def look(self) -> tuple[Extracted, Reading]:
        """Raises Refused where nothing is left: an error page that came with the form of an article."""
        told = self._memory.told(self._source.space, self._key)
        siblings = told.siblings if told else self._siblings()
        found, struck, spared = self._struck(told or Told(), siblings)
        if struck and not found.text:
            raise Refused("soft-404: all that it says stands on other pages of the source")
        if siblings and not told and found.title == self._first.title:
            siblings = ()
        # a credit may be such a block: it is no part of the text, and true all the same
        found = replace(found, attribution=found.attribution or self._first.attribution)
        prints = tuple(found.fingerprints)
        return found, Reading(self._first.head_title, prints, tuple(sorted(struck)), tuple(sorted(spared)), siblings)

    def _siblings(self) -> tuple[str, ...]:
        """Titles of other pages, if the headline may share the site's name with them."""
        siblings, title = self._memory.siblings(self._source.id, self._key), self._first.title
        alike = any(one[:_ALIKE] == title[:_ALIKE] or one[-_ALIKE:] == title[-_ALIKE:] for one in siblings)
        return siblings if alike else ()

    def _struck(self, told: Told, siblings: Sequence[str]) -> tuple[Extracted, set[int], set[int]]:
        """What is left, and the blocks that were struck and spared."""
        struck, spared = set(told.struck), set(told.spared)
        found = self._reader(repeated=struck, siblings=siblings) if struck or siblings else self._first
        for _ in range(_ROUNDS):
            known = self._memory.known(self._source.id, self._key, found.fingerprints)
            alone = {one for one, several in known.items() if not several}
            if _is_version(found, alone):
                spared |= alone
            if not (more := known.keys() - spared - struck):
                break
            struck |= more
            found = self._reader(repeated=struck, siblings=siblings)
        return found, struck, spared


def _is_version(found: Extracted, shared: Collection[int]) -> bool:
    """Whether most of a text stands on one other page each: then the two are versions of one article, not furniture."""
    if not shared:
        return False
    sizes = [(len(line), fingerprint(line) in shared) for line in found.text.split("\n")]
    return sum(size for size, both in sizes if both) * 2 > sum(size for size, _ in sizes)


def offer(page: Page) -> str:
    """What the generic extractor finds where a source's rules found nothing; empty where that is no article either."""
    found = extract(page)
    if found.kind != ARTICLE or not found.title or len(found.text.encode()) < _TOLD:
        return ""
    return f"generic finds a title {found.title!r} and a body of {len(found.text)} characters"
