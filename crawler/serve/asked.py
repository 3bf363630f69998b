"""A request in hand: what it asks, what it is answered from, and the frame that every page gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crawler.search.index import Index
from crawler.serve.answer import HTML, Answer
from crawler.serve.library import Library
from crawler.serve.look import Link, Look
from crawler.serve.shelves import Shelves


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what answers it."""

    address: str
    """Below the site's root, without percent signs."""
    query: Mapping[str, str]
    library: Library
    look: Look
    index: Index | None
    shelves: Shelves


def finished(asked: Asked, html: str, status: int = 200, more: tuple[Link, ...] = ()) -> Answer:
    """A page with the reader's bar; ``more``: links that belong to this page."""
    words, library = asked.look.words, asked.library
    names = ("search", "health", "gaps")
    bar = [*more, *(Link(words[name], f"/{name}", asked.address == f"/{name}") for name in names)]
    notice = ""
    if asked.index is None:
        notice = words["starting" if library.has_run else "no_run"]
    elif (progress := library.progress) and progress[0] < progress[1]:
        notice = words["indexing"].replace("[n]", f"{progress[0]:,}").replace("[m]", f"{progress[1]:,}")
    return Answer(asked.look.finished(html, bar, notice), HTML, status)


def missing(asked: Asked) -> Answer:
    page = {"url": "/404.html", "title": ""}
    return finished(asked, asked.look.page("missing", page, asked.shelves.site()), status=404)
