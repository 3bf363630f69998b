"""From an address to its page: all addresses of the site, and the reader's own."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode

from crawler.render.theme import LayoutError
from crawler.serve import pages, tools, versions
from crawler.serve.answer import PLAIN, Answer, see
from crawler.serve.asked import Asked, finished, missing
from crawler.serve.files import static_file
from crawler.serve.library import Library
from crawler.serve.look import HERE, Look
from crawler.serve.shelves import Shelves

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]|/[./]|//")
_POST = r"/(?:[^/]+/)*\d{4}/\d\d/\d\d/[^/]+\.html"
_YEAR, _MONTH, _DAY = r"(?P<year>\d{4})", r"(?P<month>\d\d)", r"(?P<day>\d\d)"


class Reader:
    """An archive's pages."""

    def __init__(self, library: Library, look: Look) -> None:
        self._library, self._look = library, look
        self._base = library.site.baseurl
        self._routes = [(re.compile(pattern), page) for pattern, page in ROUTES]

    def __call__(self, path: str, query: str) -> Answer:
        """The page of a path as it was sent; where a layout cannot be rendered, which and where, on stderr as well."""
        try:
            return self._answer(path, query)
        except LayoutError as error:
            print(f"presskeep: {path!r}: {error}", file=sys.stderr, flush=True)
            return Answer(f"A layout cannot be rendered.\n{error}\n".encode(), PLAIN, 500)

    def _answer(self, path: str, query: str) -> Answer:
        if path == "/" and self._base:
            return see(f"{self._base}/")
        address = below(self._base, path)
        self._library.catch_up()
        self._look.refresh()
        with self._library.index() as index:
            told = {name: values[-1].strip() for name, values in parse_qs(query, errors="replace").items()}
            asked = Asked(address, told, self._library, self._look, index, Shelves(self._library, index))
            found = self._find(asked) if address else None
            return found or missing(asked)

    def _find(self, asked: Asked) -> Answer | None:
        """The first page that is there."""
        for pattern, page in self._routes:
            if (match := pattern.fullmatch(asked.address)) and (answer := page(asked, **match.groupdict())):
                return answer
        return None


def below(base: str, path: str) -> str:
    """A path as it was sent as an address below the site's root, without percent signs; empty for what is none."""
    try:
        address = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return ""
    if not address.startswith(f"{base}/"):
        return ""
    address = address.removeprefix(base)
    return "" if _UNSAFE.search(address) else address


# what is the reader's own


def _tool(make: Callable[[Asked], tuple[str, int]], asked: Asked) -> Answer:
    html, status = make(asked)
    return finished(asked, html, status)


def _diff(asked: Asked, post: str) -> Answer | None:
    found = asked.library.find(post)
    return finished(asked, versions.page(asked, post, *found)) if found else None


def _style(asked: Asked) -> Answer:
    path = HERE / "serve.css"
    return Answer(path.read_bytes(), "text/css; charset=utf-8", changed=path.stat().st_mtime)


def _search(asked: Asked) -> Answer:
    """The published site searches by a script; here it is done for it."""
    return see(f"{asked.library.site.baseurl}/search{f'?{urlencode(asked.query)}' if asked.query else ''}")


def _static(asked: Asked) -> Answer | None:
    for folder in dict.fromkeys((asked.look.theme.archive, asked.library.archive)):
        if answer := static_file(Path(folder), asked.address):
            return answer
    return None


ROUTES: list[tuple[str, Callable[..., Answer | None]]] = [
    (r"/(?:index\.html)?", pages.front),
    (r"/serve\.css", _style),
    (r"/search\.html", _search),
    (r"/(?:search|browse)", partial(_tool, tools.find)),
    (r"/health", partial(_tool, tools.health)),
    (r"/gaps", partial(_tool, tools.gaps)),
    (rf"/diff(?P<post>{_POST})", _diff),
    (r"/category/(?P<slug>[^/]+)\.html", pages.category),
    (r"/category/(?P<slug>[^/]+)\.xml", pages.category_feed),
    (r"/(?P<kind>category|source)/(?P<name>[^/]+)/older\.html", pages.older),
    (rf"/(?P<kind>category|source)/(?P<name>[^/]+)/{_YEAR}/{_MONTH}\.html", pages.month_of),
    (r"/source/(?P<name>[^/]+)\.html", pages.source),
    (r"/tag/(?P<slug>[^/]+)\.html", pages.tag),
    (rf"/archive/{_YEAR}\.html", partial(pages.span, layout="year")),
    (rf"/archive/{_YEAR}/{_MONTH}\.html", partial(pages.span, layout="month")),
    (rf"/archive/{_YEAR}/{_MONTH}/{_DAY}\.html", partial(pages.span, layout="day")),
    (_POST, pages.post),
    (r"/[^/]+\.(?:html|xml)", pages.file),
    (r"/.+", _static),
]
