"""The site's own pages, worked out as they are asked for: no stub and no data file is needed."""

from __future__ import annotations

from calendar import monthrange
from urllib.parse import quote, urlencode

from crawler.serve import versions
from crawler.serve.answer import ATOM, Answer, see
from crawler.serve.asked import Asked, finished, missing
from crawler.serve.look import Link
from crawler.serve.shelves import MOST, MOST_OF_A_DAY, Posts


def front(asked: Asked) -> Answer:
    """The newest posts by day."""
    limit = _limit(asked, "front_page_posts", 60)
    site = asked.shelves.site(posts=asked.shelves.listed({}, limit))
    return finished(asked, asked.look.theme.file("index.html", {}, site))


def file(asked: Asked) -> Answer | None:
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


def category(asked: Asked, slug: str) -> Answer | None:
    """Its newest posts."""
    posts = asked.shelves.listed({"category": slug}, MOST)
    if not posts:
        return None
    packed = {"categories": {slug: 0}} if len(posts) > MOST else {}  # so that the layout names what is older
    site = asked.shelves.site(categories={slug: posts}, category_posts=MOST, data={"packed": packed})
    page = {"category": slug, "title": asked.shelves.categories()[slug], "url": f"/category/{slug}.html"}
    return finished(asked, asked.look.page("category", page, site), more=_browse(asked, posts, category=slug))


def category_feed(asked: Asked, slug: str) -> Answer | None:
    """The same as Atom."""
    posts = asked.shelves.listed({"category": slug}, _limit(asked, "category_feed_posts", 20))
    if not posts:
        return None
    page = {"category": slug, "title": asked.shelves.categories()[slug], "url": f"/category/{slug}.xml"}
    html = asked.look.page("feed", page, asked.shelves.site(categories={slug: posts}))
    return Answer(html.encode(), ATOM)


def older(asked: Asked, kind: str, name: str) -> Answer:
    """Where packed months of a category or source are listed on the published site."""
    return see(f"{asked.library.site.baseurl}/browse?{urlencode({kind: name})}")


def month_of(asked: Asked, kind: str, name: str, year: str, month: str) -> Answer:
    """Likewise, of one month."""
    if not 1 <= int(month) <= 12 or int(year) == 0:
        return missing(asked)
    last = monthrange(int(year), int(month))[1]
    told = {kind: name, "from": f"{year}-{month}-01", "to": f"{year}-{month}-{last}"}
    return see(f"{asked.library.site.baseurl}/browse?{urlencode(told)}")


def source(asked: Asked, name: str) -> Answer | None:
    """The newest posts that were taken from it."""
    posts = asked.shelves.listed({"source": name}, MOST)
    if not posts:
        return None
    packed = {"sources": {name: 0}} if len(posts) > MOST else {}
    site = asked.shelves.site(posts=posts, category_posts=MOST, data={"packed": packed})
    page = {"source": name, "title": site["data"]["sources"][name]["name"], "url": f"/source/{name}.html"}
    return finished(asked, asked.look.page("source", page, site), more=_browse(asked, posts, source=name))


def tag(asked: Asked, slug: str) -> Answer | None:
    """The newest posts that bear it."""
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


def span(asked: Asked, layout: str, **parts: str) -> Answer | None:
    """A year, a month or a day that has posts."""
    span = "-".join(parts.values())
    if not any(day.startswith(span) for day in asked.shelves.days().get(parts["year"], ())):
        return None
    posts = asked.shelves.listed({"day": span}, MOST_OF_A_DAY) if layout == "day" else Posts()
    page = {layout: span, "title": span, "url": asked.address}
    return finished(asked, asked.look.page(layout, page, asked.shelves.site(posts=posts)))


def post(asked: Asked) -> Answer | None:
    """An article."""
    found = asked.library.find(asked.address)
    if found is None:
        return None
    path, post = found
    page = asked.shelves.page(path, post)
    site = asked.shelves.site()  # before the neighbours, of which no facts are asked
    page |= asked.shelves.neighbours(path)
    compare = Link(asked.look.words["versions"], f"/diff{quote(asked.address)}")
    more = (compare,) if versions.has_several(asked.library.archive, path) else ()
    layout = str(page["layout"]) if asked.look.theme.has(str(page["layout"])) else "post"
    return finished(asked, asked.look.page(layout, {**page, "layout": layout}, site, page["content"]), more=more)


def _limit(asked: Asked, name: str, default: int) -> int:
    """A number of ``_config.yml``, of which no page takes too many."""
    said = asked.look.theme.config.get(name, default)
    return min(said, MOST) if isinstance(said, int) else default
