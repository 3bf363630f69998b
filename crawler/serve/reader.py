"""From an address to its page: all addresses of the site, worked out as they are asked for, and the reader's own."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlencode

from crawler.search.index import Index
from crawler.serve import tools, versions
from crawler.serve.answer import ATOM, HTML, Answer, see
from crawler.serve.files import static_file
from crawler.serve.library import Library
from crawler.serve.look import HERE, Link, Look
from crawler.serve.shelves import MOST, MOST_OF_A_DAY, Posts, Shelves

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]|/[./]|//")
_POST = r"/(?:[^/]+/)*\d{4}/\d\d/\d\d/[^/]+\.html"
_YEAR, _MONTH, _DAY = r"(?P<year>\d{4})", r"(?P<month>\d\d)", r"(?P<day>\d\d)"


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


class Reader:
    """An archive's pages."""

    def __init__(self, library: Library, look: Look) -> None:
        self._library, self._look = library, look
        self._base = library.site.baseurl
        self._routes = [(re.compile(pattern), page) for pattern, page in ROUTES]

    def __call__(self, path: str, query: str) -> Answer:
        """The page of a path as it was sent."""
        if path == "/" and self._base:
            return see(f"{self._base}/")
        address = below(self._base, path)
        self._library.catch_up()
        self._look.refresh()
        with self._library.index() as index:
            told = {name: values[-1].strip() for name, values in parse_qs(query, errors="replace").items()}
            asked = Asked(address, told, self._library, self._look, index, Shelves(self._library, index))
            found = self._find(asked) if address else None
            return found or _missing(asked)

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


# the site's own pages


def _front(asked: Asked) -> Answer:
    limit = _limit(asked, "front_page_posts", 60)
    site = asked.shelves.site(posts=asked.shelves.listed({}, limit))
    return finished(asked, asked.look.theme.file("index.html", {}, site))


def _file(asked: Asked) -> Answer | None:
    """A page at the top of the site, such as ``archive.html``."""
    if (name := asked.look.pages.get(asked.address)) is None:
        return None
    posts = Posts() if asked.address in _WITHOUT_POSTS else asked.shelves.listed({}, _limit(asked, "feed_posts", 50))
    sizes = asked.shelves.counts("category") if asked.address == "/categories.html" else {}
    pages = [
        {
            "layout": "category",
            "category": slug,
            "title": asked.shelves.categories()[slug],
            "url": f"/category/{slug}.html",
        }
        for slug in sizes
    ]
    categories = {slug: Posts((), number) for slug, number in sizes.items()}
    html = asked.look.theme.file(name, {}, asked.shelves.site(posts=posts, pages=pages, categories=categories))
    return Answer(html.encode(), ATOM) if name.endswith(".xml") else finished(asked, html)


_WITHOUT_POSTS = {"/404.html", "/archive.html", "/categories.html", "/sources.html", "/tags.html"}


def _category(asked: Asked, slug: str) -> Answer | None:
    posts = asked.shelves.listed({"category": slug}, MOST)
    if not posts:
        return None
    packed = {"categories": [slug]} if len(posts) > MOST else {}  # so that the layout names what is older
    site = asked.shelves.site(categories={slug: posts}, category_posts=MOST, data={"packed": packed})
    page = {"category": slug, "title": asked.shelves.categories()[slug], "url": f"/category/{slug}.html"}
    return finished(asked, asked.look.page("category", page, site), more=_browse(asked, posts, category=slug))


def _category_feed(asked: Asked, slug: str) -> Answer | None:
    posts = asked.shelves.listed({"category": slug}, _limit(asked, "category_feed_posts", 20))
    if not posts:
        return None
    page = {"category": slug, "title": asked.shelves.categories()[slug], "url": f"/category/{slug}.xml"}
    html = asked.look.page("feed", page, asked.shelves.site(categories={slug: posts}))
    return Answer(html.encode(), ATOM)


def _older(asked: Asked, slug: str) -> Answer:
    """Where packed months are listed on the published site."""
    return see(f"{asked.library.site.baseurl}/browse?{urlencode({'category': slug})}")


def _month_of_category(asked: Asked, slug: str, year: str, month: str) -> Answer:
    if not 1 <= int(month) <= 12 or int(year) == 0:
        return _missing(asked)
    last = monthrange(int(year), int(month))[1]
    told = {"category": slug, "from": f"{year}-{month}-01", "to": f"{year}-{month}-{last}"}
    return see(f"{asked.library.site.baseurl}/browse?{urlencode(told)}")


def _source(asked: Asked, name: str) -> Answer | None:
    posts = asked.shelves.listed({"source": name}, MOST)
    if not posts:
        return None
    site = asked.shelves.site(posts=posts, category_posts=MOST)
    page = {"source": name, "title": site["data"]["sources"][name]["name"], "url": f"/source/{name}.html"}
    return finished(asked, asked.look.page("source", page, site), more=_browse(asked, posts, source=name))


def _tag(asked: Asked, slug: str) -> Answer | None:
    address = f"/tag/{slug}.html"
    tag = next((tag for tag, leads_to in asked.shelves.tags().items() if leads_to == address), "")
    posts = asked.shelves.listed({"tag": tag}, MOST) if tag else Posts()
    if not posts:
        return None
    site = asked.shelves.site(tags={tag: posts}, category_posts=MOST)
    page = {"tag": tag, "title": tag, "url": address}
    return finished(asked, asked.look.page("tag", page, site), more=_browse(asked, posts, tag=tag))


def _browse(asked: Asked, posts: Posts, **terms: str) -> tuple[Link, ...]:
    """A link to all posts of a list that is cut."""
    name = asked.look.words["all_of"].replace("[n]", f"{len(posts):,}")
    return (Link(name, f"/browse?{urlencode(terms)}"),) if len(posts) > MOST else ()


def _span(asked: Asked, layout: str, **parts: str) -> Answer | None:
    """A year, a month or a day that has posts."""
    span = "-".join(parts.values())
    if not any(day.startswith(span) for day in asked.shelves.days().get(parts["year"], ())):
        return None
    posts = asked.shelves.listed({"day": span}, MOST_OF_A_DAY) if layout == "day" else Posts()
    page = {layout: span, "title": span, "url": asked.address}
    return finished(asked, asked.look.page(layout, page, asked.shelves.site(posts=posts)))


def _post(asked: Asked) -> Answer | None:
    found = asked.library.find(asked.address)
    if found is None:
        return None
    path, post = found
    page = asked.shelves.page(path, post)
    site = asked.shelves.site()  # before the neighbours, of which no facts are asked
    page |= asked.shelves.neighbours(path)
    compare = Link(asked.look.words["versions"], f"/diff{quote(asked.address)}")
    more = (compare,) if versions.has_several(asked.library.archive, path) else ()
    return finished(asked, asked.look.page("post", page, site, page["content"]), more=more)


def _missing(asked: Asked) -> Answer:
    page = {"url": "/404.html", "title": ""}
    return finished(asked, asked.look.page("missing", page, asked.shelves.site()), status=404)


def _limit(asked: Asked, name: str, default: int) -> int:
    """A number of ``_config.yml``, of which no page takes too many."""
    said = asked.look.theme.config.get(name, default)
    return min(said, MOST) if isinstance(said, int) else default


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
    (r"/(?:index\.html)?", _front),
    (r"/serve\.css", _style),
    (r"/search\.html", _search),
    (r"/(?:search|browse)", partial(_tool, tools.find)),
    (r"/health", partial(_tool, tools.health)),
    (r"/gaps", partial(_tool, tools.gaps)),
    (rf"/diff(?P<post>{_POST})", _diff),
    (r"/category/(?P<slug>[^/]+)\.html", _category),
    (r"/category/(?P<slug>[^/]+)\.xml", _category_feed),
    (r"/category/(?P<slug>[^/]+)/older\.html", _older),
    (rf"/category/(?P<slug>[^/]+)/{_YEAR}/{_MONTH}\.html", _month_of_category),
    (r"/source/(?P<name>[^/]+)\.html", _source),
    (r"/tag/(?P<slug>[^/]+)\.html", _tag),
    (rf"/archive/{_YEAR}\.html", partial(_span, layout="year")),
    (rf"/archive/{_YEAR}/{_MONTH}\.html", partial(_span, layout="month")),
    (rf"/archive/{_YEAR}/{_MONTH}/{_DAY}\.html", partial(_span, layout="day")),
    (_POST, _post),
    (r"/[^/]+\.(?:html|xml)", _file),
    (r"/.+", _static),
]
