"""What the ledger remembers of a source's articles: texts of posts, outcomes of the latest ones, when they came."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from crawler.alarms import Outcome, Seen
from crawler.archive.ledger import Ledger, articles, hosts, stamp, texts
from crawler.health import LOOK_BACK
from crawler.listed import is_given

REMEMBERED = 200
"""Latest posts of a source that its history is made of."""
_CHUNK = 400
# Asked for every article.
_TWIN = (
    sa.select(texts.c.key, texts.c.title)
    .where(texts.c.source == sa.bindparam("source"), texts.c.digest == sa.bindparam("digest"))
    .limit(2)
)

Name = tuple[str, str]
"""(space, key) of an article."""


@dataclass(frozen=True, slots=True)
class Past:
    """Questions to one ledger."""

    ledger: Ledger

    def twin(self, source: str, key: str, digest: str) -> tuple[str, str] | None:
        """(key, digest of the headline) of another post of the source with this very text."""
        rows = self.ledger.read(_TWIN, {"source": source, "digest": digest})
        return next(((row.key, row.title) for row in rows if row.key != key), None)

    def history(self, source: str) -> list[Seen]:
        """The source's latest posts, newest first; what backfills brought says nothing of how it is now."""
        same = texts.c.space == articles.c.space, texts.c.key == articles.c.key
        query = sa.select(texts.c.length, texts.c.outlet, texts.c.dated).join(articles, sa.and_(*same))
        query = query.where(texts.c.source == source, articles.c.crawl == 1)
        rows = self.ledger.read(query.order_by(texts.c.id.desc()).limit(REMEMBERED))
        return [Seen(row.length, bool(row.outlet), bool(row.dated)) for row in rows]

    def outcomes(self, source: str, most: int, without: Collection[Name]) -> list[Outcome]:
        """What became of the articles that were asked for in earlier runs, the latest that lists named first;
        ``without`` are this run's own. What a list alone refused was never asked for."""
        asked = articles.c.state.in_(("done", "alias")) | ((articles.c.state == "refused") & (articles.c.tries > 0))
        query = (
            sa.select(articles.c.space, articles.c.key, articles.c.state, articles.c.reason)
            .where(articles.c.source == source, asked)
            .order_by(articles.c.seen.desc(), articles.c.id.desc())
            .limit(most + len(without))
        )
        found = [Outcome((row.space, row.key), row.state, row.reason) for row in self.ledger.read(query)]
        return [one for one in found if one.name not in without][:most]

    def listed_dates(self, names: Sequence[Name]) -> dict[Name, str]:
        """(space, key) -> date as a list printed it, of those for which one did and the page was to say it again."""
        query = sa.select(articles.c.space, articles.c.key, articles.c.hints)
        told: dict[Name, str] = {}
        for chosen in _any_of(names):
            for row in self.ledger.read(query.where(chosen)):
                hints = json.loads(row.hints)
                if hints.get("published") and not is_given(hints):
                    told[row.space, row.key] = hints["published"]
        return told

    def waiting(self, names: Sequence[Name]) -> dict[Name, dict[str, str]]:
        """(space, key) -> what the list said, of those that are queued or aliases."""
        query = sa.select(articles.c.space, articles.c.key, articles.c.hints).where(
            articles.c.state.in_(("queued", "alias"))
        )
        rows = (row for chosen in _any_of(names) for row in self.ledger.read(query.where(chosen)))
        return {(row.space, row.key): json.loads(row.hints) for row in rows}

    def sources_of(self, names: Sequence[Name]) -> dict[Name, str]:
        """(space, key) -> source."""
        query = sa.select(articles.c.space, articles.c.key, articles.c.source)
        rows = (row for chosen in _any_of(names) for row in self.ledger.read(query.where(chosen)))
        return {(row.space, row.key): row.source for row in rows}

    def came(self, source: str) -> list[tuple[datetime, int]]:
        """When new articles of a source were first seen, and how many at once, of the eight weeks before the last."""
        here = articles.c.source == source, articles.c.seen != ""
        (latest,) = self.ledger.read(sa.select(sa.func.max(articles.c.seen)).where(*here))[0]
        if latest is None:
            return []
        since = articles.c.seen >= stamp(datetime.fromisoformat(latest) - LOOK_BACK)
        query = sa.select(articles.c.seen, sa.func.count().label("new")).where(*here, since)
        rows = self.ledger.read(query.group_by(articles.c.seen).order_by(articles.c.seen))
        return [(datetime.fromisoformat(row.seen), row.new) for row in rows]

    def closed_hosts(self, now: datetime) -> dict[str, str]:
        """Host -> reason, of those that the breaker has closed: no answer came, and none was promised for later."""
        query = sa.select(hosts.c.host, hosts.c.reason).where(hosts.c.failures > 0, hosts.c.rest_until > stamp(now))
        return {row.host: row.reason for row in self.ledger.read(query)}

    def knows(self, source: str) -> bool:
        """Whether any article of the source was ever listed."""
        return bool(self.ledger.read(sa.select(articles.c.id).where(articles.c.source == source).limit(1)))


def asked_again(names: Iterable[Name]) -> list[sa.Executable]:
    """Statements that put articles back into the queue as if they had never been asked for; posts stay."""
    values = {"state": "queued", "due": "", "tries": 0, "reason": ""}
    waiting = articles.c.state.in_(("refused", "alias"))
    return [articles.update().where(chosen, waiting).values(**values) for chosen in _any_of(list(names))]


def _any_of(names: Sequence[Name]) -> list[sa.ColumnElement[bool]]:
    """Conditions that the index on space and key serves, which it does not for pairs in a list."""
    keys: defaultdict[str, list[str]] = defaultdict(list)
    for space, key in names:
        keys[space].append(key)
    return [
        sa.and_(articles.c.space == space, articles.c.key.in_(some[start : start + _CHUNK]))
        for space, some in keys.items()
        for start in range(0, len(some), _CHUNK)
    ]
