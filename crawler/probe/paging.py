"""How a list goes on: by a next link, or by numbers in the addresses of its pages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree

from crawler.extract.page import Page
from crawler.extract.rules import as_text, compile_step
from crawler.probe.links import address, base_of, same_site
from crawler.probe.paths import selectors

_NEXT = re.compile(
    r"(?:next(?: page)?|older(?: posts| entries| stories)?|下一?[页頁]|后页|次へ|次のページ|다음|weiter"
    r"|nächste(?: seite)?|(?:page )?suivante?|siguiente|próxima|successiva|далее|следующая|volgende)\s*[›»>→]{0,2}",
    re.IGNORECASE,
)
_SPAN = re.compile(r"\d+")
_links: Any = etree.XPath("descendant-or-self::*[(self::a or self::link) and @href]")


@dataclass(frozen=True, slots=True)
class Way:
    """How a list goes on, as a source's ``pages`` say it."""

    rule: str | dict[str, str] = ""
    """CSS, or a step, of the address of the next page."""
    template: str = ""
    """Address of page ``{page}``."""
    url: str = ""
    """Address of the second page."""

    @property
    def settings(self) -> dict[str, Any]:
        """For the YAML."""
        return {"next": self.rule} if self.rule else {"template": self.template}


def way_of(page: Page, articles: Collection[str] = ()) -> Way | None:
    """How the list on a page goes on; None where nothing says so. ``articles``: links that are no pages of a list."""
    return next((way for way in (*_by_next(page, articles), *_by_number(page, articles))), None)


def _by_next(page: Page, articles: Collection[str]) -> Iterator[Way]:
    """Links that say so of themselves, those with a ``rel`` first."""
    said = [link for link in _links(page.root) if "next" in (link.get("rel") or "").lower().split()]
    named = [link for link in _links(page.root) if link.tag == "a" and _is_next(link)]
    for link in (*said, *named):
        url = address(base_of(page), link.get("href"))
        if not url or url == page.url or url in articles or not same_site(url, page.url):
            continue
        for rule in _rules(link):
            found = _found(rule, page)
            if [address(base_of(page), one) for one in found] == [url]:
                yield Way(rule=rule, url=url)
                return


def _is_next(link: Any) -> bool:
    text = as_text(link)
    return len(text) < 24 and _NEXT.fullmatch(text) is not None


def _rules(link: Any) -> Iterator[str | dict[str, str]]:
    if "next" in (link.get("rel") or "").lower().split():
        yield f"{link.tag}[rel=next]::attr(href)"
    for selector in selectors(link):
        yield f"{selector}::attr(href)"
    if text := as_text(link):
        yield {"xpath": f"//a[normalize-space()='{text}']/@href"} if "'" not in text else {}


def _found(rule: str | dict[str, str], page: Page) -> list[str]:
    if not rule:
        return []
    step = compile_step("css", rule) if isinstance(rule, str) else compile_step("xpath", rule["xpath"])
    return [str(one) for one in dict.fromkeys(step.find(page, None))]


def _by_number(page: Page, articles: Collection[str]) -> Iterator[Way]:
    """Links with the text ``2`` whose address has a 2 that the list's own has not."""
    for link in _links(page.root):
        if as_text(link) != "2":
            continue
        url = address(base_of(page), link.get("href"))
        if not url or url in articles or not same_site(url, page.url) or url == page.url:
            continue
        spans = [match.span() for match in _SPAN.finditer(url) if match[0].lstrip("0") == "2"]
        for start, end in reversed(spans):
            other = url[:start] + "{page}" + url[end:]
            if end - start == 1 and _is_of_list(url[:start], page.url):
                yield Way(template=_short(other, page.url), url=url)
                return


def _is_of_list(before: str, own: str) -> bool:
    """Whether a page's address begins like its list's."""
    folder = re.sub(r"[^/]*$", "", urlsplit(own).path)
    return urlsplit(before).path.startswith(folder) and urlsplit(before).netloc == urlsplit(own).netloc


def _short(template: str, own: str) -> str:
    """Relative where that means the same on every page of the list, so that lists can share it."""
    path, _, query = template.partition("?")
    if query and "{page}" not in path and not urlsplit(own).query and path == own.partition("?")[0]:
        return f"?{query}"
    folder, _, name = path.rpartition("/")
    if not query and "{page}" in name and folder == urljoin(own, ".").rstrip("/"):
        return name
    return template
