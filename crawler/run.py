"""One run over one archive: lock, ledger, captures, posts, report, exit code. Knows no Scrapy."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from crawler.alarms import Seen
from crawler.archive import revisions, rewrites
from crawler.archive.address import dated, post_url
from crawler.archive.captures import CaptureStore, Response, payload_digest
from crawler.archive.images import FOLDER as IMAGES
from crawler.archive.ledger import Entry, Found, Kept, Ledger, LedgerLost, Validators, stamp
from crawler.archive.locks import Lock
from crawler.archive.post import PostError, read_post, twin_key
from crawler.archive.posts import Pending, replace, sweep, write_all
from crawler.budget import Budget
from crawler.changes import Changes
from crawler.gate import OWN_PAGE
from crawler.guesses import note_absent
from crawler.images import Images
from crawler.items import Reading, Text
from crawler.memory import Memory, Statement
from crawler.outlets import Outlets
from crawler.place import place
from crawler.report import DISK, FAILED, Report
from crawler.site import Site
from crawler.sitedata import PAGES, refresh
from crawler.slugs import Slugs
from crawler.sources import Source
from crawler.syndication.stories import Noted, Stories, Told
from crawler.visits import record_visits
from crawler.watch import Watch

if TYPE_CHECKING:
    from crawler.backfill import Backfill

DATA = Path(__file__).resolve().parent.parent / "spiders" / "data"
"""Tables of outlets and slugs that come with presskeep."""
_log = logging.getLogger(__name__)
_BATCH = 32
"""Posts that become durable together, and about as many as a kill may cost a second time."""
_HELD = 32 * 1024 * 1024
"""Bytes of images that may wait for their batch."""


@dataclass(slots=True)
class Post:
    """A post ready to be written, and what the ledger will say of it."""

    path: str
    data: bytes
    space: str
    key: str
    source: str
    capture: str = ""
    notes: dict[str, tuple[str, str]] = field(default_factory=dict)
    text: Text | None = None
    """What the gate remembers of its text."""
    published: datetime | None = None
    printed: str = ""
    """When it was published, as printed by its page, else by its list."""
    seen: Seen = field(default_factory=lambda: Seen(0))
    """What the watch counts of it."""
    validators: tuple[str, str] = ("", "")
    reading: Reading | None = None
    """What the memory of its source learns from it."""
    hints: dict[str, str] = field(default_factory=dict)
    """What the ledger is to know of it where no list named it."""
    story: Told | None = None
    """What its copies are known by."""

    @property
    def noted(self) -> list[Noted]:
        """What it says of its story, if anything."""
        if self.story is None or self.published is None:
            return []
        return [Noted(self.space, self.key, self.source, self.published, self.story)]


def state_folder(archive: Path, site: Site) -> Path:
    """Where ledger, captures and reports of an archive lie; ``PRESSKEEP_STATE`` overrides its settings."""
    return Path(os.environ.get("PRESSKEEP_STATE") or archive / site.state)


class Run:
    """An open archive. Opening takes the lock, mends what a killed run left, and opens the ledger."""

    def __init__(self, archive: Path, site: Site, sources: Sequence[Source], *, now: datetime | None = None) -> None:
        """Raises Busy (another run is active), LedgerLost (torn or missing), OSError (nothing can be written)."""
        self.archive = archive
        self.site = site
        self.started = now or datetime.now(UTC)
        self._begun = monotonic()
        self.state = state_folder(archive, site)
        self.state.mkdir(parents=True, exist_ok=True)
        self._sources = sources
        self._lock = Lock(archive, self.state)
        try:
            self._prove_writable()
            self._miss_no_ledger()
            self.ledger = Ledger(self.state / "ledger.sqlite")
            self.captures = CaptureStore(self.state / "captures", site.segment, self.started)
            self.mended = self._mend()
        except BaseException:
            self._lock.release()
            raise
        self.report = Report([source.id for source in sources])
        self.watch = Watch(self, sources, place(archive, os.environ.get("PRESSKEEP_STATE")))
        self.budget = Budget()
        self.backfill: Backfill | None = None
        """What this run works for, where it is no crawl."""
        self.live = True
        """Whether sources themselves are asked; under replay they are not, and this is no visit."""
        self.outlets = load_outlets(archive)
        self.images = Images(archive, self.ledger, self.captures)
        self.memory = Memory(self.ledger)
        self.stories = Stories(self.ledger, self.outlets)
        self.changes = Changes(self, {source.id: source.spans for source in sources})
        self.also: Callable[[], Sequence[Statement]] = tuple
        """What is to be committed with each batch of posts."""
        self._pending: dict[str, Post] = {}
        self._number: int | None = None
        self.summary: dict[str, Any] = {}
        """The report as it was written, once the run is closed."""

    def _miss_no_ledger(self) -> None:
        """Beside posts or captures a new ledger would ask for every article again, and take captures for torn ones."""
        path = self.state / "ledger.sqlite"
        if path.is_file():
            return
        there = chain(self.archive.glob("_posts/**/*.md"), self.state.glob("captures/*.warc.gz*"))
        if (first := next(there, None)) is not None:
            raise LedgerLost(f"{path}: missing, though there is {first}. Next: presskeep rebuild-ledger")

    def _prove_writable(self) -> None:
        """A read-only disk shows before the first request is spent."""
        for folder in {self.archive, self.state}:
            probe = folder / ".probe.tmp"  # one name, for the lock is held: what a killed run left goes as well
            probe.write_bytes(b"")
            probe.unlink()

    def _mend(self) -> list[str]:
        """Temporary files go, bytes of captures that no ledger row knows are set aside, and edits are completed."""
        folders = (self.archive / name for name in ("_posts", *PAGES, revisions.FOLDER, IMAGES))
        swept = sum(map(sweep, (*folders, self.state)))
        mended = self.captures.recover(self.ledger.segment_sizes()) if self.captures.folder.is_dir() else []
        last = self.ledger.last_runs(1)
        if not last or not last[0]["ended"] or last[0]["exit_code"] in (FAILED, DISK):
            mended += revisions.mend(self.archive, self.ledger)
        mended += rewrites.mend(self.archive, self.ledger)
        return [*mended, f"{swept} temporary files removed"] if swept else mended

    @property
    def now(self) -> datetime:
        """The start of the run and what has passed since; the machine's clock may be set meanwhile."""
        return self.started + timedelta(seconds=monotonic() - self._begun)

    # what spiders say

    def discover(
        self, source: Source, entries: Sequence[Entry], walk: str = "", start: str = "", pages: int = 1
    ) -> Found:
        """Commit what a list page names; ``walk`` is the list's first address while pages of it are still to come,
        ``start`` the same in any case, ``pages`` how many were asked for this. A backfill takes what may be of its
        days."""
        if self.backfill is not None:
            return self.backfill.discover(entries, start or walk, pages=pages)
        return self.ledger.discover(source.id, source.space, entries, self.started, walk)

    def end_walk(self, start: str, known: Sequence[Validators]) -> None:
        """A walk has ended: what it brought becomes durable, and last of all its validators move; not those of a source
        that was stopped, whose lists are to be read as a whole by the next run."""
        self.flush()
        if self.backfill is not None:
            self.backfill.end_walk(start)
        elif not any(one.source in self.watch.stopped for one in known):
            self.ledger.end_walk(start, known)

    def refuse(self, space: str, key: str, source: str, address: str, reason: str) -> None:
        """No post for this key, and why; after a second look the post that is there stays, once its source
        was stopped the article stays queued."""
        reason = self.watch.leads_away(source, key) or reason
        if self.changes.refused(space, key, reason) or source in self.watch.stopped or reason == OWN_PAGE:
            return
        if note_absent(self.ledger, space, key, reason, self.started):
            return
        tries = self.ledger.refuse(space, key, reason, self.started)
        self.report.of(source).refuse(address, reason)
        if (twin := self.watch.held_twin(source, reason)) is not None:
            self.refuse(twin.space, twin.key, source, f"{source} {twin.key}", f"same text as {key}")
        self._take(self.watch.failed(source, space, key, reason, tries))

    def capture(self, response: Response, packed: bytes = b"") -> str:
        """Keep a raw response; its digest. The same response of the same address is kept once. ``packed``: its record,
        if that was made elsewhere."""
        digest = payload_digest(response.payload)
        if not self.captures.has(digest, response.url) and not self.ledger.captured(digest, response.url):
            self.captures.add(response, digest, packed)
        return digest

    def keep_image(self, response: Response) -> None:
        """Keep a response that is an image of an article. Raises NoImage."""
        self.images.add(response)
        if self.images.size > _HELD:
            self.flush()

    # posts

    def has(self, space: str, key: str) -> bool:
        """Whether this article is a post already, durable or about to be."""
        waiting = any((post.space, post.key) == (space, key) for post in self._pending.values())
        return waiting or self.watch.holds(space, key) or self.ledger.state(space, key) == "done"

    def keep(self, post: Post) -> None:
        """Take a post; it becomes durable with its batch."""
        if self.changes.take(post):
            self._take([])
        elif post.source not in self.watch.stopped:
            self.memory.note(post)
            self._take(self.watch.passed(post))

    def original_for(self, article: Noted) -> str:
        """Address, below the site's base, of the post that a new article is a copy of; empty where there is none, or
        where somebody took that away."""
        pending = {(post.space, post.key): post for post in self._pending.values()}
        found = self.stories.original_for(article, _noted(pending.values()))
        if found is None:
            return ""
        waiting = pending.get((found.space, found.key))
        path = waiting.path if waiting else found.path
        try:
            post = read_post(waiting.data if waiting else (self.archive / path).read_bytes())
        except (FileNotFoundError, PostError):
            return ""
        return post_url(path, post.categories, dated(post.date, ZoneInfo(self.site.timezone)).date())

    def _take(self, posts: Sequence[Post]) -> None:
        for post in posts:
            post.path = self._apart(post)
            self._pending[post.path.lower()] = post
        if len(self._pending) >= _BATCH or self.changes.full:
            self.flush()

    def flush(self) -> None:
        """Make durable what is pending: captures, images, then posts, then the ledger; edits last. Raises OSError."""
        made, sizes = self.captures.take()
        files, images = self.images.take()
        write_all(self.archive, files)
        posts = list(self._pending.values())
        fresh = write_all(self.archive, [Pending(post.path, post.data) for post in posts])
        more = [*self.memory.statements(posts), *self.stories.statements(_noted(posts)), *images, *self.also()]
        self.ledger.keep(list(map(self._kept, posts, fresh)), made, sizes, self.watch.remember(posts), more)
        self.watch.look_at_aliases()
        self.changes.flush()
        self._pending.clear()
        for post in posts:
            self.report.of(post.source).kept += 1

    def _apart(self, post: Post) -> str:
        """Path of a post: its own, or one with a hash where another key has it (also by another case of letters)."""
        there = self._pending.get(post.path.lower())
        owner = (there.space, there.key) if there else self.ledger.owner_of_address(post.path)
        if owner in (None, (post.space, post.key)):
            return post.path
        folder, _, name = post.path.rpartition("/")
        return f"{folder}/{name[:11]}{twin_key(f'{post.space}-{post.key}')}.md"

    def _kept(self, post: Post, fresh: bool) -> Kept:
        """A file that was there before (its ledger row was lost) stays as it is, and counts as it is."""
        digest = sha256(post.data if fresh else (self.archive / post.path).read_bytes()).hexdigest()
        notes = json.dumps(post.notes, ensure_ascii=False, sort_keys=True) if post.notes else ""
        since, look = self.changes.first(post.source, post.published if self.watch.past else None)
        told = post.capture, notes, *post.validators, since, look
        return Kept(post.space, post.key, post.source, post.path, digest, *told, hints=post.hints)

    # the end

    def record_start(self) -> None:
        """Say in the ledger that a run has begun."""
        self._number = self.ledger.start_run(self.started)

    def close(self, *, halted: str = "") -> int:
        """Flush, write the report, give the lock free; the exit code. A run that was halted flushes nothing."""
        self.report.halted = halted
        try:
            if not halted:
                self._take(self.watch.end(whole=not self.report.interrupted))
                self.flush()
                self._write_pages()
            self._record_end()
        except OSError as error:
            self.report.halted = self.report.halted or str(error)
        finally:
            with suppress(OSError):  # what could not be closed is mended by the next run
                self.captures.close()
            self.ledger.close()
            self._lock.release()
        return self.report.exit_code

    def _write_pages(self) -> None:
        """Bring the site's stubs and data files up to date. What hinders that loses nothing: the next run does it."""
        if self._number is None:
            return
        try:
            refresh(self.archive, self.site, self.ledger, self.outlets, self._sources)
        except OSError as error:
            self.report.halted = f"the site's pages could not be written: {error}"
        except Exception:  # whatever it is, the run's result is told
            self.report.faults += 1
            _log.exception("the site's pages could not be written; the next run does it, or presskeep pages")

    def _record_end(self) -> None:
        if self._number is None:
            return
        for source, report in self.report.sources.items():
            report.waiting = self.ledger.queued(source)
        if self.backfill is not None:
            self.report.left = self.backfill.settle()
            self.report.of(self.backfill.source.id).waiting = self.report.left.articles
        if any(one.waiting or one.skipped_lists for one in self.report.sources.values()):
            self.report.budget = self.budget.spent
        if self.live and self.backfill is None:
            whole = [source for source in self.report.sources if not self.report.is_unfinished(source)]
            record_visits(self.ledger, whole, self.started)
        now = datetime.now(UTC)
        began, ended = stamp(self.started), stamp(now)
        self.summary = {"run": self._number, "started": began, "ended": ended, **self.report.as_json()}
        self.ledger.end_run(self._number, now, self.report.exit_code, self.summary)
        text = json.dumps(self.summary, ensure_ascii=False, indent=1) + "\n"
        replace(self.state / "runs" / f"{self._number:06d}.json", text.encode())


def _noted(posts: Iterable[Post]) -> list[Noted]:
    return [one for post in posts for one in post.noted]


def load_outlets(archive: Path) -> Outlets:
    """The tables that come with presskeep, overridden by the archive's own ``outlets.yml``."""
    own = archive / "outlets.yml"
    tables = [DATA / "outlets.yml", *([own] if own.is_file() else [])]
    return Outlets.load(*tables, slugs=Slugs.load(DATA / "slugs.yml"))
