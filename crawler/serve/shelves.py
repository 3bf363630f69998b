"""What layouts are given: posts as they see them, and the tables of the site, worked out from index and ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from hashlib import sha256
from typing import Any, TypeVar

from crawler.archive.names import is_slug
from crawler.archive.reader import Post
from crawler.render.posts import page_of
from crawler.render.theme import split
from crawler.search.index import Index
from crawler.search.lists import Listed, counts, listed, neighbours, newest_of
from crawler.serve.library import Library
from crawler.sitedata import facts_of
from crawler.sitedata.tables import read_table
from crawler.sources import Source

MOST = 200
"""Posts that a list of the site shows here; what is older can be browsed."""
MOST_OF_A_DAY = 2_000
Page = dict[str, Any]
T = TypeVar("T")


class Posts(list[Page]):
    """The first posts of a list, which is as long as all of it."""

    def __init__(self, pages: Iterable[Page] = (), total: int = 0) -> None:
        super().__init__(pages)
        self._total = total

    def __len__(self) -> int:
        return self._total

    def __bool__(self) -> bool:
        return self._total > 0


class Shelves:
    """The archive as layouts see it, for one request."""

    def __init__(self, library: Library, index: Index | None) -> None:
        self._library, self._index = library, index
        self._paths: dict[str, str] = {}

    # posts

    def page(self, path: str, post: Post) -> Page:
        """A post."""
        url = self._library.address(path, post)
        self._paths[path] = url
        return page_of(post, url, self._library.zone, path)

    def listed(self, terms: Mapping[str, str], most: int, skip: int = 0, **days: date) -> Posts:
        """Posts that carry these terms, the newest first; those that cannot be read are left out."""
        if self._index is None:
            return Posts()
        total, found = listed(self._index, terms, most, skip, **days)
        return Posts(self._read(found), total)

    def _read(self, found: Iterable[Listed]) -> list[Page]:
        read = ((one, self._library.post(one.path)) for one in found)
        return [{"source": one.source, **self.page(one.path, post)} for one, post in read if post]

    def neighbours(self, path: str) -> Page:
        """``previous`` and ``next`` of a post, as far as there are any."""
        if self._index is None:
            return {}
        named = zip(("previous", "next"), neighbours(self._index, path), strict=True)
        read = ((name, path, self._library.post(path)) for name, path in named if path)
        return {name: self.page(path, post) for name, path, post in read if post}

    # tables

    def site(self, **told: Any) -> dict[str, Any]:
        """``site`` of a page: what it is told of posts, and the tables, of which nothing is read from ``_data``."""
        data = {
            "days": self.days(),
            "sources": self.sources(),
            "tags": self.tags(),
            "facts": self.facts(),
            "packed": {},
        }
        return {
            "posts": Posts(),
            "pages": [],
            "categories": {},
            "tags": {},
            **told,
            "data": data | told.get("data", {}),
        }

    def days(self) -> dict[str, dict[str, int]]:
        """Year -> day -> number of posts."""
        return self._kept("days", self._days)

    def _days(self) -> dict[str, dict[str, int]]:
        years: dict[str, dict[str, int]] = {}
        for day, number in self.counts("day").items():
            years.setdefault(day[:4], {})[day] = number
        return years

    def sources(self) -> dict[str, dict[str, Any]]:
        """Id -> name, home page, language and number of posts."""
        return self._kept("sources", self._sources)

    def _sources(self) -> dict[str, dict[str, Any]]:
        found = {}
        for name, number in self.counts("source").items():
            source = self._library.source(name)
            found[name] = {**(_about(source) if source else {"name": name, "url": "", "language": ""}), "posts": number}
        return found

    def tags(self) -> dict[str, str]:
        """Tag -> address of its page; a category's own where it is that's title."""
        return self._kept("tags", self._tags)

    def _tags(self) -> dict[str, str]:
        """As the site has them; of tags that it does not have yet, worked out by the same rules."""
        known, titles = read_table(self._library.archive / "_data" / "tags.yml") or {}, self.categories()
        found, taken = {}, set(known.values())
        for tag in self.counts("tag"):
            found[tag] = str(known.get(tag) or self._tag_address(tag, titles, taken))
            taken.add(found[tag])
        return found

    def _tag_address(self, tag: str, titles: Mapping[str, str], taken: Collection[str]) -> str:
        slug = self._library.outlets.slug(tag)
        if titles.get(slug) == tag:
            return f"/category/{slug}.html"
        address = f"/tag/{slug.lower()}.html"
        mark = sha256(tag.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return address.replace(".html", f"-{mark}.html") if address in taken else address

    def categories(self) -> dict[str, str]:
        """Slug -> title."""
        return self._kept("categories", lambda: {slug: self._title(slug) for slug in self.counts("category")})

    def _title(self, slug: str) -> str:
        """As the category's page has it; where it has none, what its newest post is tagged with first."""
        stub = self._library.archive / "category" / f"{slug}.html"
        if is_slug(slug) and stub.is_file() and (title := split(stub.read_text("utf-8", "replace"))[0].get("title")):
            return str(title)
        path = newest_of(self._index, "category", slug) if self._index else ""
        post = self._library.post(path) if path else None
        return next(iter(post.tags), slug) if post else slug

    def counts(self, kind: str) -> dict[str, int]:
        """Term of this kind -> number of posts."""
        return self._kept(kind, lambda: counts(self._index, kind) if self._index else {})

    def facts(self) -> dict[str, Any]:
        """What the archive knows of the posts that were read for this page."""
        with self._library.ledger() as ledger:
            if ledger is None:
                return {}
            return facts_of(self._library.archive, self._library.site, ledger, self._paths)

    def _kept(self, name: str, make: Callable[[], T]) -> T:
        return self._library.kept(name, make)


def _about(source: Source) -> dict[str, Any]:
    return {"name": source.name, "url": source.home, "language": source.language}
