"""The escape hatch: ``<id>.py`` beside a source's YAML, for what data cannot say.

Such a file may define ``walk(source, one)``, giving the walk of a list, and ``assembler(source)``, giving what makes
articles of its pages. It is loaded only where it ships with presskeep, or on an explicit wish of the user.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

from crawler.assemble import Assembler
from crawler.days import Days
from crawler.lists import AnyList, FeedList, HtmlList, IdList, JsonList, SitemapList, WaybackList, WordpressList
from crawler.sources import SHIPPED, Source
from spiders.feed import FeedWalk
from spiders.ids import IdsWalk
from spiders.json_list import JsonWalk
from spiders.pages import PagesWalk
from spiders.sitemap import SitemapWalk
from spiders.walk import Walk
from spiders.wayback import WaybackWalk
from spiders.wordpress import WordpressWalk

_WALKS: dict[type, Callable[[Source, Any, Days | None], Walk]] = {
    HtmlList: PagesWalk,
    JsonList: JsonWalk,
    FeedList: FeedWalk,
    IdList: IdsWalk,
    SitemapList: SitemapWalk,
    WaybackList: WaybackWalk,
    WordpressList: WordpressWalk,
}


class Ways:
    """How one source is walked and read: by its data, or by its own Python where that is loaded."""

    def __init__(self, source: Source, *, own_python: bool = False) -> None:
        self.source = source
        self._module = _module(source, own_python)
        make = getattr(self._module, "assembler", Assembler)
        self.assembler: Assembler = make(source)

    def walk(self, one: AnyList, window: Days | None = None) -> Walk:
        """The way of listing that a list asks for; ``window`` are the days of a backfill, None for a crawl."""
        if hasattr(self._module, "walk"):
            found: Walk = self._module.walk(self.source, one)  # type: ignore[union-attr]
            return found
        return _WALKS[type(one)](self.source, one, window)


def _module(source: Source, own_python: bool) -> ModuleType | None:
    path = source.path.with_suffix(".py") if source.path else None
    if path is None or not path.is_file() or (path.resolve().parent != SHIPPED and not own_python):
        return None
    spec = importlib.util.spec_from_file_location(f"presskeep_source_{source.id.replace('-', '_')}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
