"""Whose article an address is: the source and the key, by hosts, key patterns and the templates of text endpoints."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from crawler.sources import Source
from crawler.urls import key_of, shared_form

_PREFIX = re.compile(r"^(?:www|m|amp|wap|mobile)\.")
_PLACE = re.compile(r"\{(\w+)\}")
_ADDRESS = "{url}"


class Whose:
    """Of several sources; where one address fits several, a source that names its host goes before one that is above
    it, and an earlier one before a later."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._exact: defaultdict[str, list[Source]] = defaultdict(list)
        self._above: defaultdict[str, list[Source]] = defaultdict(list)
        for source in sources:
            for host in source.hosts:
                self._exact[_bare(host)].append(source)
            self._above[_bare(urlsplit(source.home).netloc.lower())].append(source)
        self._templates = {source.id: _reversed(source.article.address) for source in sources}
        self._printed = [(source, form) for source in sources if (form := _reversed(source.post.link)) is not None]
        self._known: dict[str, list[Source]] = {}

    def may_be(self, url: str) -> bool:
        """Whether any source has pages on the address' host; cheap."""
        return bool(self._sources_at(url))

    def of(self, url: str) -> tuple[Source, str] | None:
        """The source and the site's own id; None for what is no article of any, such as a list or the front page."""
        for source in self._sources_at(url):
            if key := self._key(source, url):
                return source, key
        return None

    def of_printed(self, url: str) -> tuple[Source, str] | None:
        """Likewise by the address that stands below a post, which may be a share link, at no host of the source's."""
        for source, form in self._printed:
            if found := form.fullmatch(url):
                return source, unquote(found["key"])
        return self.of(url)

    def _sources_at(self, url: str) -> list[Source]:
        try:
            host = urlsplit(url).netloc.lower()
        except ValueError:
            return []
        if host not in self._known:
            bare = _bare(host)
            labels = bare.split(".")
            above = [one for at in range(len(labels)) for one in self._above.get(".".join(labels[at:]), ())]
            self._known[host] = list({one.id: one for one in (*self._exact.get(bare, ()), *above)}.values())
        return self._known[host]

    def _key(self, source: Source, url: str) -> str:
        if (template := self._templates[source.id]) is not None:
            found = template.fullmatch(url)
            return unquote(found["key"]) if found else ""
        try:
            if shared_form(url) in source.fronts or urlsplit(url).path in ("", "/"):
                return ""
            return key_of(url, source.key_patterns)
        except ValueError:
            return ""


def _bare(host: str) -> str:
    return _PREFIX.sub("", host)


def _reversed(template: str) -> re.Pattern[str] | None:
    """What an article's fetch address looks like, with its key as a group; None where it is the listed address."""
    if template == _ADDRESS:
        return None
    if "{key}" not in template or _ADDRESS in template:
        return re.compile(r"(?!)(?P<key>)")  # nothing in such an address tells whose article it is
    places = _PLACE.findall(template)
    parts = [re.escape(part) for part in _PLACE.split(template)[::2]]
    names = ["(?P<key>[^/?&#]+?)" if name == "key" and name not in places[:at] else "[^/?&#]*?"
             for at, name in enumerate(places)]  # fmt: skip
    scheme = re.compile(r"^https?:")
    pattern = "".join(part + name for part, name in zip(parts, [*names, ""], strict=True))
    return re.compile(scheme.sub("https?:", pattern))
