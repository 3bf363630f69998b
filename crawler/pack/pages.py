"""The pages of a packed month: what each is made from, and how."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from crawler.archive.names import is_slug
from crawler.archive.site import day_page, month_page
from crawler.pack.files import name_of
from crawler.pack.month import FAULTS, Refused, Story
from crawler.pack.search import files, is_searched
from crawler.render.theme import Theme, split
from crawler.sitedata.pages import SOURCE_ID

_OLDER = Path(__file__).with_name("older.html")
_NAME_OF_MONTH = '{%- include words.html -%}{{ page.month | append: "-01" | date: words.month }}'
_ALL = 10_000_000
"""Posts that a page of one month may list."""


@dataclass(frozen=True, slots=True)
class Job:
    """A page to be made."""

    name: str
    """Path below the packed folder."""
    digest: str
    """Of all that it is made from."""
    render: Callable[[], str]


@dataclass(frozen=True)
class Month:
    """A month with all that its pages say."""

    theme: Theme
    name: str
    stories: Sequence[Story]
    """In the order of time."""
    around: Mapping[str, Any]
    facts: Mapping[str, Mapping[str, Any]]
    """Day -> address -> what the archive knows of the post."""
    sources: Mapping[str, Any]
    titles: Mapping[str, str]
    """Slug -> what the category is called."""

    def jobs(self) -> Iterator[Job]:
        """Its pages: posts, days, categories, sources, the month; and what search reads of it."""
        yield from self._posts()
        yield from self._days()
        yield from self._categories()
        yield from self._sources()
        yield self._calendar()
        if is_searched(self.theme):
            yield from self._search()

    @cached_property
    def by_day(self) -> dict[str, list[Story]]:
        """Day in the site's zone -> posts, newest first."""
        return _grouped(self.stories, lambda story: [story.page["date"].date().isoformat()])

    @cached_property
    def by_category(self) -> dict[str, list[Story]]:
        """Slug -> posts, newest first; what is no slug has no pages."""
        return _grouped(self.stories, lambda story: [one for one in story.page["categories"] if is_slug(one)])

    @cached_property
    def by_source(self) -> dict[str, list[Story]]:
        """Id -> posts, newest first; what is no id has no pages."""
        return _grouped(self.stories, _source_of)

    @property
    def copies(self) -> list[str]:
        """Addresses of the posts that its pages name as copies of theirs."""
        facts = (fact for some in self.facts.values() for fact in some.values())
        return sorted({copy["url"] for fact in facts for copy in fact.get("copies", ())})

    @cached_property
    def _data(self) -> dict[str, Any]:
        years: dict[str, dict[str, int]] = {}
        for day, count in self.around["days"].items():
            years.setdefault(day[:4], {})[day] = count
        return {"days": years, "facts": self.facts, "sources": self.sources, "packed": {}}

    def _posts(self) -> Iterator[Job]:
        whole = [self.around["before"], *self.stories, self.around["after"]]
        for place, story in enumerate(self.stories):
            before, after = (one.brief if isinstance(one, Story) else one for one in (whole[place], whole[place + 2]))
            yield self._post(story, before, after)

    def _post(self, story: Story, before: Any, after: Any) -> Job:
        page, tags = story.page, self.theme.table("tags")
        day = page["date"].date().isoformat()
        made_from = {
            "post": story.digest,
            "beside": [before, after],
            "facts": self.facts.get(day, {}).get(page["url"]),
            "source": self.sources.get(str(page.get("source"))),
            "tags": {tag: tags.get(tag) for tag in page["tags"]},
        }

        def render() -> str:
            content = page["content"]
            told = {**page, "content": content, "previous": before, "next": after}
            try:
                return self.theme.page(str(page.get("layout") or ""), told, {"data": self._data}, content)
            except FAULTS as error:
                raise Refused(f"{page['path']}: no page can be made of it: {error}") from None

        return self._job(page["url"], made_from, render)

    def _days(self) -> Iterator[Job]:
        for day, found in self.by_day.items():
            yield self._stub(day_page(day), found)

    def _calendar(self) -> Job:
        return self._stub(month_page(self.name), ())

    def _stub(self, data: bytes, found: Sequence[Story]) -> Job:
        """A page that is front matter and a layout."""
        front, _ = split(data.decode())
        made_from = {"front": front, "days": self.around["days"], "posts": _named(found)}

        def render() -> str:
            site = {"posts": [story.page for story in found], "data": self._data}
            return self.theme.page(front["layout"], {**front, "url": front["permalink"]}, site)

        return self._job(front["permalink"], made_from, render)

    def _categories(self) -> Iterator[Job]:
        for slug, found in self.by_category.items():
            yield self._category(slug, found)

    def _category(self, slug: str, found: Sequence[Story]) -> Job:
        def site() -> dict[str, Any]:
            data = {**self._data, "packed": {"categories": {slug: 0}}}
            return {"categories": {slug: [story.page for story in found]}, "data": data}

        return self._list("category", slug, self.titles[slug], found, site)

    def _sources(self) -> Iterator[Job]:
        for name, found in self.by_source.items():
            yield self._source(name, found)

    def _source(self, name: str, found: Sequence[Story]) -> Job:
        def site() -> dict[str, Any]:
            told = {**self.sources[name], "posts": len(found)}
            data = {**self._data, "sources": {name: told}, "packed": {"sources": {name: 0}}}
            return {"posts": [story.page for story in found], "data": data}

        return self._list("source", name, str(self.sources[name].get("name") or name), found, site)

    def _list(
        self, kind: str, name: str, title: str, found: Sequence[Story], site: Callable[[], dict[str, Any]]
    ) -> Job:
        """Named otherwise than the own page of the category or source, whose layout it has: it has no feed."""
        url = f"/{kind}/{name}/{self.name.replace('-', '/')}.html"
        page = {"title": title, kind: name, "month": self.name, "url": url, "layout": "older"}
        row = self.sources[name] if kind == "source" else None
        made_from = {"page": page, "source": row, "days": list(self.around["days"]), "posts": _named(found)}

        def render() -> str:
            whole = f"{title} · {self.theme.text(_NAME_OF_MONTH, page)}"
            return self.theme.page(kind, {**page, "title": whole}, {**site(), "category_posts": _ALL})

        return self._job(url, made_from, render)

    def _search(self) -> Iterator[Job]:
        newest = [story.page for story in reversed(self.stories)]
        named = sha256(json.dumps(_named(self.stories)).encode()).hexdigest()
        for url, render in files(self.theme, self.name, newest):
            yield self._job(url, named, render)

    def _job(self, url: str, made_from: Any, render: Callable[[], str]) -> Job:
        whole = json.dumps([self.theme.digest, url, made_from], ensure_ascii=False, sort_keys=True)
        return Job(name_of(url), sha256(whole.encode()).hexdigest()[:32], render)


def older(theme: Theme, kind: str, name: str, title: str, months: Mapping[str, int]) -> tuple[str, bytes]:
    """The page that leads to the packed months of a category or source: its path, and its bytes."""
    page = {"title": title, kind: name, "url": f"/{kind}/{name}/older.html", "layout": "older"}
    years: dict[str, list[dict[str, Any]]] = {}
    for month, posts in sorted(months.items(), reverse=True):
        url = f"/{kind}/{name}/{month.replace('-', '/')}.html"
        years.setdefault(month[:4], []).append({"month": month, "url": url, "posts": posts})
    by_year = [{"year": year, "months": found} for year, found in years.items()]
    told = {**page, "list": f"/{kind}/{name}.html", "years": by_year}
    content = theme.text(_OLDER.read_text(encoding="utf-8"), told)
    return name_of(page["url"]), theme.page("default", {**page, "content": content}, {}, content).encode()


def _grouped(found: Sequence[Story], keys: Callable[[Story], Sequence[str]]) -> dict[str, list[Story]]:
    groups: dict[str, list[Story]] = {}
    for story in reversed(found):
        for key in dict.fromkeys(keys(story)):
            groups.setdefault(key, []).append(story)
    return groups


def _source_of(story: Story) -> list[str]:
    name = story.page.get("source")
    return [name] if isinstance(name, str) and SOURCE_ID.fullmatch(name) else []


def _named(found: Sequence[Story]) -> list[list[str]]:
    return [[story.page["url"], story.digest] for story in found]
