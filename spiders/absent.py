"""What a site says at an address that does not exist: asked once a day for each host, for the gate to know."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import sqlalchemy as sa
from scrapy import Request
from scrapy.http import Response
from sqlalchemy.dialects.sqlite import insert

from crawler.archive.ledger import Row, error_pages
from crawler.archive.markup import text_of
from crawler.extract.text import plain
from crawler.extract.walls import MIDDLING, weight
from crawler.gate import sketch
from crawler.items import Refused
from crawler.mementos import taken_at
from spiders.answers import page_of

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from crawler.run import Run
    from crawler.sources import Source

MARK = "presskeep-absent-"
"""What such an address holds, for the keepers of the site to see."""


class ErrorPages:
    """Asks and learns for one spider."""

    def __init__(self, spider: Any) -> None:
        self._spider = spider
        self._known: dict[tuple[str, str], bool] = {}

    def request(self, run: Run, source: Source, url: str, key: str) -> Request | None:
        """The request that goes before a host's first article; None where the day's was made, or nothing can be learnt
        from pages that are no HTML."""
        host = urlsplit(url).netloc
        if (source.id, host) in self._known or source.article.format != "html" or not run.live or taken_at(url):
            return None  # what a web archive lacks says nothing of the site
        self._known[source.id, host] = True
        day = run.started.date().isoformat()
        query = sa.select(error_pages).where(error_pages.c.source == source.id, error_pages.c.host == host)
        for row in run.ledger.read(query):
            run.watch.learn(source.id, json.loads(row.sketches))
            if row.day == day:
                return None
        return Request(
            absent_address(url, key, f"{source.id} {day}"),
            callback=self._learn,
            errback=self._answered,
            meta={"role": "absent", "source": source.id, "host": host, "dont_retry": True},
            cb_kwargs={"run": run},
        )

    def _learn(self, response: Response, run: Run) -> None:
        source = self._spider.sources[response.meta["source"]]
        page = page_of(response, source.article.encoding)
        texts = [plain(page.root)]
        try:
            row = Row(0, source.space, "", source.id, {"title": "-", "published": "2000-01-01"}, "", 0)
            texts.append(text_of(self._spider.article_of(response, row).body))
        except Refused:  # then no error page can pass for an article
            pass
        sketches = [sketch(text) for text in texts if 0 < weight(text) < MIDDLING]
        run.watch.learn(source.id, sketches)
        self._note(run, response.meta, sketches)

    def _answered(self, failure: Failure) -> None:
        """An honest 404, which needs no learning; or no answer, and the next run asks again."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if getattr(failure.value, "response", None) is not None:
            self._note(request.cb_kwargs["run"], request.meta, [])

    def _note(self, run: Run, meta: dict[str, Any], sketches: list[list[int]]) -> None:
        told = {"day": run.started.date().isoformat(), "sketches": json.dumps(sketches)}
        statement = insert(error_pages).values(source=meta["source"], host=meta["host"], **told)
        run.ledger.write(statement.on_conflict_do_update(index_elements=["source", "host"], set_=told))


def absent_address(url: str, key: str, seed: str) -> str:
    """An address beside an article's that surely leads nowhere: its key replaced, else its last part."""
    parts = urlsplit(url)
    nowhere = MARK + sha256(seed.encode()).hexdigest()[:12]
    if key and key in parts.query:
        return urlunsplit(parts._replace(query=parts.query.replace(key, nowhere)))
    folder, _, last = parts.path.rpartition("/")
    ending = last[last.rfind(".") :] if "." in last else ""
    return urlunsplit(parts._replace(path=f"{folder}/{nowhere}{ending}", query="", fragment=""))
