"""Watches the sources of one run: holds first posts back, counts what passes the gate, and stops what is broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from crawler.alarms import FEWEST, Alarm, History, Tally, next_command, of_articles, of_list
from crawler.archive.ledger import Ledger, articles, listings, texts
from crawler.gate import MIDDLING, WALLS, Walls, is_error_page, weight
from crawler.health import LOOK_BACK, too_quiet
from crawler.schedule import parse_span

if TYPE_CHECKING:
    from crawler.report import Report
    from crawler.run import Post
    from crawler.sources import Source

_REMEMBERED = 200
"""Latest posts of a source that its history is made of."""
_CHUNK = 400
_SAME = "same text as "
# Asked for every article.
_TWIN = (
    sa.select(texts.c.key, texts.c.title)
    .where(texts.c.source == sa.bindparam("source"), texts.c.digest == sa.bindparam("digest"))
    .limit(2)
)


class Watch:
    """Of a run that asks sources themselves; one that replays captures stops nothing."""

    def __init__(self, ledger: Ledger, report: Report, sources: Sequence[Source]) -> None:
        self._ledger = ledger
        self._report = report
        self._sources = list(sources)
        self._files = {one.id: str(one.path or f"{one.id}.yml") for one in sources}
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._histories: dict[str, History] = {}
        self._held: defaultdict[str, list[Post]] = defaultdict(list)
        self._released: set[str] = set()
        self._failed: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        self._fresh: dict[tuple[str, str], tuple[str, str]] = {}  # texts that are not in the ledger yet
        self.stopped: set[str] = set()
        """Sources that nothing more is asked of in this run."""
        self._errors: dict[str, list[Sequence[int]]] = {}
        self.walls = Walls.load(WALLS)
        self.live = True

    # texts

    def twin(self, source: str, key: str, digest: str) -> tuple[str, str] | None:
        """(key, digest of the headline) of another article of the source with this very text."""
        if (fresh := self._fresh.get((source, digest))) and fresh[0] != key:
            return fresh
        rows = self._ledger.read(_TWIN, {"source": source, "digest": digest})
        return next(((row.key, row.title) for row in rows if row.key != key), None)

    def remember(self, posts: Iterable[Post]) -> list[dict[str, Any]]:
        """What the ledger is to note of the texts of posts that become durable."""
        noted = []
        for post in posts:
            if (text := post.text) is not None:
                self._fresh.pop((post.source, text.digest), None)
                told = {"digest": text.digest, "title": text.title, "length": text.length, "outlet": int(text.outlet)}
                noted.append({"space": post.space, "key": post.key, "source": post.source, **told})
        return noted

    # articles

    def passed(self, post: Post) -> list[Post]:
        """Posts that may be kept now: a source's first ones wait until enough were judged to know it whole."""
        if post.text is None:
            return [post]
        self._fresh[post.source, post.text.digest] = (post.key, post.text.title)
        if not self.live:
            return [post]
        self._tallies[post.source].passes(post.text)
        self._held[post.source].append(post)
        self._consider(post.source, ended=False)
        return self._release(post.source)

    def failed(self, source: str, space: str, key: str, reason: str, tries: int) -> list[Post]:
        """An article did not pass; posts of its source that may be kept now.

        One that had been asked in earlier runs says nothing new of the source.
        """
        if self.live and not tries and self._tallies[source].fails(reason):
            self._failed[source].append((space, key))
            self._consider(source, ended=False)
        return self._release(source)

    def held_twin(self, source: str, reason: str) -> Post | None:
        """The post held back whose text turned up under another address: neither is an article."""
        key = reason.removeprefix(_SAME) if reason.startswith(_SAME) else None
        post = next((one for one in self._held.get(source, ()) if one.key == key), None)
        if post is not None:
            self._held[source].remove(post)
            assert post.text is not None
            self._tallies[source].takes_back(post.text)
        return post

    def holds(self, space: str, key: str) -> bool:
        """Whether this article's post is held back."""
        return any((post.space, post.key) == (space, key) for posts in self._held.values() for post in posts)

    def _release(self, source: str) -> list[Post]:
        if source not in self._released and self._tallies[source].judged < FEWEST:
            return []
        self._released.add(source)
        return self._held.pop(source, [])

    def end(self, *, whole: bool) -> list[Post]:
        """No more articles come (``whole``: since all were asked): a last look at each source, and posts held back."""
        for source in list(self._tallies):
            self._consider(source, ended=whole)
        if self.live and whole:
            for one in self._sources:
                self._listen(one)
        return [post for source in list(self._held) for post in self._held.pop(source)]

    def error_pages(self, source: str) -> Sequence[Sequence[int]]:
        """Sketches of what the source says at an address that does not exist."""
        return self._errors.get(source, ())

    def learn(self, source: str, sketches: Sequence[Sequence[int]]) -> None:
        """More of them."""
        self._errors.setdefault(source, []).extend(sketches)

    def named(self, source: str, text: str, reason: str) -> str:
        """The reason why a page gave no article, with the wall or error page that it is by all its text."""
        if found := self.walls.find("", text.split("\n")):
            return f"{found[0]}: the page says {found[1]!r} ({reason})"
        if weight(text) < MIDDLING and is_error_page(text, self.error_pages(source)):
            return f"soft-404: the text of an address that does not exist ({reason})"
        return reason

    def _listen(self, source: Source) -> None:
        """Whether it is too quiet, though its lists answer with articles that are known."""
        told = self._report.of(source.id)
        answered = (told.unchanged or told.listed) and not told.failed_lists
        if source.id in self.stopped or told.new or not answered:
            return
        query = sa.select(articles.c.seen).distinct().where(articles.c.source == source.id, articles.c.seen != "")
        seen = [datetime.fromisoformat(row.seen) for row in self._ledger.read(query)]
        now = datetime.now(UTC)
        recent = [one for one in seen if now - one <= LOOK_BACK] or seen[-1:]
        if what := too_quiet(recent, now, source.zone, parse_span(source.expect.quiet)):
            self.raise_alarm(source.id, "really quiet", what)

    def _consider(self, source: str, *, ended: bool) -> None:
        tally = self._tallies[source]
        due = ended or tally.judged == FEWEST or not tally.recent[-1] or tally.judged % FEWEST == 0
        if source in self.stopped or not due:
            return
        if (found := of_articles(tally, self._history(source), ended=ended)) is not None:
            self._alarm(source, *found)

    def _history(self, source: str) -> History:
        if source not in self._histories:
            query = sa.select(texts.c.length, texts.c.outlet).where(texts.c.source == source)
            rows = self._ledger.read(query.order_by(texts.c.id.desc()).limit(_REMEMBERED))
            credited = sum(row.outlet for row in rows) / len(rows) if rows else 0.0
            self._histories[source] = History([row.length for row in rows], credited)
        return self._histories[source]

    # lists

    def list_is_bad(self, source: str, url: str, what: str, *, moved: bool = False) -> None:
        """The first page of a list could not be read, or named nothing; an alarm where it was good before."""
        if not self.live or source in self.stopped or (found := of_list(what, moved=moved)) is None:
            return
        if self._was_good(source, url):
            self._alarm(source, found[0], f"{url}: {found[1]}")

    def _was_good(self, source: str, url: str) -> bool:
        """Its validators are known; or all of the source's are lost, and articles of it are known."""
        known = [row.url for row in self._ledger.read(sa.select(listings.c.url).where(listings.c.source == source))]
        if known:
            return url in known
        return bool(self._ledger.read(sa.select(articles.c.id).where(articles.c.source == source).limit(1)))

    def _alarm(self, source: str, kind: str, what: str) -> None:
        """The source stops: what failed is no fault of the articles, and lists are to be read as a whole again."""
        self.stopped.add(source)
        self._held.pop(source, None)
        self.raise_alarm(source, kind, what)
        statements: list[sa.Executable] = [listings.delete().where(listings.c.source == source)]
        failed = self._failed.pop(source, [])
        for start in range(0, len(failed), _CHUNK):
            chosen = sa.tuple_(articles.c.space, articles.c.key).in_(failed[start : start + _CHUNK])
            again = articles.update().where(chosen, articles.c.state == "refused")
            statements.append(again.values(state="queued", due="", tries=0))
        self._ledger.write(*statements)

    def raise_alarm(self, source: str, kind: str, what: str) -> None:
        """Into the report."""
        alarm = Alarm(kind, what, next_command(source, kind, self._files.get(source, f"{source}.yml")))
        self._report.of(source).alarms.append(alarm)
