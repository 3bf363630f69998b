"""List pages that name nothing any more: links to articles, told by the form of addresses that are known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from crawler.extract.rules import NoFit
from crawler.fetch import Answer
from crawler.fresh import Fresh
from crawler.lists import HtmlList
from crawler.probe.links import Link, links_of, parsed, pattern_for
from crawler.probe.paging import way_of
from crawler.repair.known import Known
from crawler.repair.sheet import Sheet
from crawler.sources import Source
from crawler.urls import key_of

_LEAST = 3
"""Articles that a list page names."""


@dataclass(frozen=True, slots=True)
class ListChange:
    """What an entry of ``lists`` is to say."""

    place: int
    links: str
    """Pattern of its articles' addresses."""
    pages: dict[str, Any] | None
    """How it goes on, where that has changed too."""
    named: tuple[tuple[str, Answer], ...]
    """Pages by which that was found, each with the address in the source that led to it."""
    articles: int
    """Those that the pages name."""

    def apply(self, sheet: Sheet) -> None:
        """Links by their form in the place of rules for items and what these say."""
        entry, way = sheet.value["lists"][self.place], ("lists", self.place)
        for name in ("items", "fields"):
            if name in entry:
                sheet.remove((*way, name))
        if "links" in entry:
            sheet.replace((*way, "links"), self.links)
        else:
            sheet.add(way, "links", self.links)
        if self.pages is not None:
            sheet.replace((*way, "pages"), self.pages)


def list_changes(source: Source, known: Sequence[Known], fresh: Fresh) -> Iterator[ListChange]:
    """Changes of those HTML lists of which a page was had and named nothing, where it does link to articles."""
    for place, one in enumerate(source.lists):
        pages = [(of, answer) for of, answer in fresh.unread if of in one.addresses]
        if isinstance(one, HtmlList) and pages and (change := _change(source, known, place, one, pages)):
            yield change


def _change(
    source: Source, known: Sequence[Known], place: int, one: HtmlList, pages: Sequence[tuple[str, Answer]]
) -> ListChange | None:
    keys = {article.key for article in known}
    listed = {article.hints.get("url", "") or article.address for article in known}
    links = {url: links_of(answer.page()) for url, answer in pages}
    everything = {link.url for row in links.values() for link in row}
    forms = {parsed(url).form for url in (*listed, *(url for url in everything if _key(source, url) in keys))}
    named = {of: [link for link in row if parsed(link.url).form in forms and _key(source, link.url)]
             for of, row in links.items()}  # fmt: skip
    articles = {link.url for row in named.values() for link in row}
    if len(articles) < _LEAST or not all(named.values()):
        return None
    pattern = pattern_for(sorted(articles), everything - articles)
    paging = _paging(one, pages[0][1], named[pages[0][0]])
    return ListChange(place, pattern, paging, tuple(pages), len(articles))


def _key(source: Source, url: str) -> str:
    try:
        return key_of(url, source.key_patterns) if source.key_patterns else ""
    except ValueError:
        return ""


def _paging(one: HtmlList, answer: Answer, articles: Collection[Link]) -> dict[str, Any] | None:
    """How the list goes on now, where its rule for the next page finds none and the page does link to one."""
    if one.pages is None or one.pages.next is None:
        return None
    page = answer.page()
    try:
        if one.pages.next.compiled("css").text(page):
            return None
    except NoFit:
        pass
    way = way_of(page, {link.url for link in articles})
    return {**way.settings, "depth": one.pages.depth} if way else None
