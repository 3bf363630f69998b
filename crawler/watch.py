"""Watches the sources of one run: holds first posts back, counts what passes the gate, and stops what is broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from crawler.alarms import (
    FEWEST,
    RECENT,
    Alarm,
    Seen,
    Tally,
    next_command,
    of_aliases,
    of_articles,
    of_host,
    of_latest,
    of_list,
)
from crawler.archive.ledger import listings
from crawler.extract.walls import MIDDLING, common, weight
from crawler.gate import class_of, is_error_page, leads_away, normal
from crawler.health import too_quiet
from crawler.past import Name, Past, asked_again
from crawler.schedule import parse_span

if TYPE_CHECKING:
    from crawler.run import Post, Run
    from crawler.sources import Source

_SAME = "same text as "


class Watch:
    """Of a run that asks sources themselves; one that replays captures stops nothing."""

    def __init__(self, run: Run, sources: Sequence[Source], place: str = "") -> None:
        """``place``: as ``crawler.place`` gives it, for the commands that alarms name."""
        self._run = run  # its report is another once a verb has chosen among the sources
        self._past = Past(run.ledger)
        self._place = place
        self._sources = list(sources)
        self._files = {one.id: str(one.path or f"{one.id}.yml") for one in sources}
        self._repairable = {one.id for one in sources if one.is_repairable}
        self._listing_dates = {one.id for one in sources if any(each.says_dates for each in one.lists)}
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._histories: dict[str, list[Seen]] = {}
        self._held: defaultdict[str, list[Post]] = defaultdict(list)
        self._undated: defaultdict[str, list[Post]] = defaultdict(list)  # not yet looked at, who said their date
        self._released: set[str] = set()
        self._own: defaultdict[str, list[Name]] = defaultdict(list)  # a source's first articles in this run
        self._again: defaultdict[str, list[Name]] = defaultdict(list)  # to be asked for again once the source is mended
        self._fresh: dict[tuple[str, str], tuple[str, str]] = {}  # texts that are not in the ledger yet
        self._away: dict[tuple[str, str], str] = {}
        self._claims: defaultdict[Name, list[Name]] = defaultdict(list)  # article -> addresses that say they are it
        self._looked = 0  # aliases that were looked at
        self.guessed: set[Name] = set()
        """Articles whose addresses were made up."""
        self.stopped: set[str] = set()
        """Sources that nothing more is asked of in this run."""
        self._errors: dict[str, list[Sequence[int]]] = {}
        self.walls = common()
        self.live = True
        self.past = False
        """Whether articles are of days long past: they do not show how the source is now, only whether it answers."""

    # texts

    def twin(self, source: str, key: str, digest: str) -> tuple[str, str] | None:
        """(key, digest of the headline) of another article of the source with this very text."""
        if (fresh := self._fresh.get((source, digest))) and fresh[0] != key:
            return fresh
        return self._past.twin(source, key, digest)

    def remember(self, posts: Iterable[Post]) -> list[dict[str, Any]]:
        """What the ledger is to note of the texts of posts that become durable."""
        noted = []
        for source in list(self._undated):
            self._date(source)
        for post in posts:
            if (text := post.text) is not None:
                self._fresh.pop((post.source, text.digest), None)
                told = {"digest": text.digest, "title": text.title, "length": text.length}
                told |= {"outlet": int(text.outlet), "dated": int(post.seen.dated)}
                noted.append({"space": post.space, "key": post.key, "source": post.source, **told})
        return noted

    def _date(self, source: str) -> None:
        """Look which pages said themselves when they were published: what an article prints is the list's word where
        the page had none."""
        posts = self._undated.pop(source, [])
        listed = self._past.listed_dates([(post.space, post.key) for post in posts])
        for post in posts:
            post.seen.dated = listed.get((post.space, post.key)) != post.printed

    # articles

    def passed(self, post: Post) -> list[Post]:
        """Posts that may be kept now: a source's first ones wait until enough were judged to know it whole."""
        if post.text is None:
            return [post]
        self._fresh[post.source, post.text.digest] = (post.key, post.text.title)
        post.seen = Seen(post.text.length, post.text.outlet)
        if post.source in self._listing_dates:
            self._undated[post.source].append(post)
        if not self.live:
            return [post]
        self._note(post.source, post.space, post.key)
        self._tallies[post.source].passes(post.seen)
        self._held[post.source].append(post)
        self._consider(post.source, ended=False)
        return self._release(post.source)

    def failed(self, source: str, space: str, key: str, reason: str, tries: int) -> list[Post]:
        """An article did not pass; posts of its source that may be kept now.

        One that had been asked in earlier runs says nothing new of the source.
        """
        if self.past and class_of(reason) == "list moved":  # an old link that leads nowhere is nothing new
            return self._release(source)
        if self.live and not tries and self._tallies[source].fails(reason):
            self._note(source, space, key)
            self._again[source].append((space, key))
            self._consider(source, ended=False)
        return self._release(source)

    def redirected(self, source: str, key: str, asked: str, landed: str) -> None:
        """An article was asked for, and its answer came from another address."""
        site = next((one for one in self._sources if one.id == source), None)
        if site is None:
            return
        if leads_away(asked, landed, site.fronts, site.key_patterns):
            self._away[source, key] = f"soft-404: it leads to {landed}"

    def leads_away(self, source: str, key: str) -> str:
        """Why an article's answer is none, where it came from the front page or a list; else empty."""
        return self._away.get((source, key), "")

    def look_at_aliases(self) -> None:
        """Whether articles that were taken for other addresses of one article are that."""
        noted = self._run.ledger.aliased[self._looked :]
        if not (noted and self.live):
            return
        self._looked += len(noted)
        sources = self._past.sources_of([(space, key) for space, key, _ in noted])
        for space, key, of in noted:
            self._claims[space, of].append((space, key))
            source = sources[space, key]
            self._note(source, space, key)
            self._again[source].append((space, key))
            self._tallies[source].aliases[of] += 1
        for source in sorted(set(sources.values())):
            if source in self.stopped:  # their answers were on their way
                self._run.ledger.write(*asked_again(self._again.pop(source, [])))
            elif (found := of_aliases(self._tallies[source])) is not None:
                self._alarm(source, *found)

    def has_own_page(self, space: str, key: str, url: str) -> bool:
        """Whether the page of ``url`` says that it is an article which a list names with another headline and which
        waits for its own page: then that makes it, for the page may be wrong."""
        self.look_at_aliases()
        claims = self._claims.get((space, key))
        if not claims:
            return False
        told = self._past.waiting([(space, key), *claims[-RECENT:]])
        own = told.pop((space, key), {})
        asked = next((hints for hints in told.values() if hints.get("url") == url), {})
        listed = own.get("title") and own.get("url") not in (None, url) and asked.get("title")
        return bool(listed) and normal(own["title"]) != normal(asked["title"])

    def _note(self, source: str, space: str, key: str) -> None:
        if len(self._own[source]) < RECENT:  # a run that brings more needs no earlier ones
            self._own[source].append((space, key))

    def held_twin(self, source: str, reason: str) -> Post | None:
        """The post held back whose text turned up under another address: neither is an article."""
        key = reason.removeprefix(_SAME) if reason.startswith(_SAME) else None
        post = next((one for one in self._held.get(source, ()) if one.key == key), None)
        if post is not None:
            self._held[source].remove(post)
            self._tallies[source].takes_back(post.seen)
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
        self.look_at_aliases()
        for source in list(self._tallies):
            self._consider(source, ended=whole)
        if self.live and whole and not self.past:
            closed = self._past.closed_hosts(self._run.now)
            for one in self._sources:
                self._listen(one)
                self._reach(one, closed)
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
        told = self._run.report.sources.get(source.id)
        if told is None or source.id in self.stopped or told.new or told.failed_lists:
            return
        if told.unchanged or told.listed:
            expect, now = source.expect, datetime.now(UTC)
            came = self._past.came(source.id)
            if what := too_quiet(came, now, source.zone, parse_span(expect.quiet), expect.per_day):
                self.raise_alarm(source.id, "really quiet", what)

    def _reach(self, source: Source, closed: Mapping[str, str]) -> None:
        """Whether a host of the source is closed, and nothing of it was had in this run though something waits."""
        told = self._run.report.sources.get(source.id)
        if told is None or source.id in self.stopped or told.kept or self._tallies[source.id].passed:
            return
        named = {urlsplit(f"//{host}").hostname or "" for host in source.hosts}
        reason = next((closed[host] for host in sorted(named & closed.keys())), "")
        if reason and (told.resting_lists or self._run.ledger.queued(source.id)):
            self.raise_alarm(source.id, *of_host(reason))

    def _consider(self, source: str, *, ended: bool) -> None:
        tally = self._tallies[source]
        due = ended or tally.judged == FEWEST or not tally.recent[-1] or tally.judged % FEWEST == 0
        if source in self.stopped or not due:
            return
        self._date(source)
        history = [] if self.past else self._history(source)
        if (found := of_articles(tally, history, ended=ended)) is not None:
            self._alarm(source, *found)
        elif ended and tally.told < RECENT and not self.past:
            earlier = self._past.outcomes(source, RECENT, self._own[source])
            if (found := of_latest(tally, earlier, history)) is not None:
                self._again[source] += [one.name for one in earlier if one.state != "done"]
                self._alarm(source, *found)

    def _history(self, source: str) -> list[Seen]:
        if source not in self._histories:
            self._histories[source] = self._past.history(source)
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
        query = sa.select(listings.c.url).where(listings.c.source == source)
        known = [row.url for row in self._run.ledger.read(query)]
        return url in known if known else self._past.knows(source)

    def _alarm(self, source: str, kind: str, what: str) -> None:
        """The source stops: what failed is no fault of the articles, and lists are to be read as a whole again. That
        they were good before stays known."""
        self.stopped.add(source)
        self._held.pop(source, None)
        self._undated.pop(source, None)
        self.raise_alarm(source, kind, what)
        forgotten = (
            listings.update().where(listings.c.source == source).values(rules="", etag="", modified="", digest="")
        )
        self._run.ledger.write(forgotten, *asked_again(self._again.pop(source, [])))

    def raise_alarm(self, source: str, kind: str, what: str) -> None:
        """Into the report."""
        file, repairable = self._files.get(source, f"{source}.yml"), source in self._repairable
        command = next_command(source, kind, file, self._place, repairable=repairable)
        self._run.report.of(source).alarms.append(Alarm(kind, what, command))
