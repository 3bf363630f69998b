"""The archive as the reader sees it: posts as they lie, the ledger to read, the index to find them by.

Others may write meanwhile. The ledger stays open between requests, for opening it proves it whole; the index is opened
for each, which costs next to nothing. Only the index is ever written, and where it cannot be, a copy of it elsewhere.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path, PurePosixPath
from threading import Event, Lock
from time import monotonic
from typing import TypeVar, cast
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from crawler.archive import changelog
from crawler.archive.address import post_url
from crawler.archive.ledger import Ledger, LedgerError
from crawler.archive.reader import Post, read_any
from crawler.commands.common import readable_sources
from crawler.outlets import Outlets
from crawler.render.posts import url_of
from crawler.run import load_outlets, state_folder
from crawler.search.index import Index, discard, is_writable, known_posts, open_index
from crawler.search.lists import listed
from crawler.serve.hygiene import harmless
from crawler.site import Site, load_site
from crawler.sources import Source, folders_for, load_source, source_paths
from crawler.yamlfile import SettingsError

T = TypeVar("T")
_REST = 10
"""After it was brought up to date the index rests this many times as long as that took."""

_AFTER_A_FAULT = 30.0
"""Seconds until it is tried again."""


class Stopped(Exception):
    """The reader ends."""


class Library:
    """An archive."""

    def __init__(self, archive: Path, *, picture: str = "", where: str = "") -> None:
        """``picture``: what stands for an image of another host; empty to show it. ``where``: what to put behind
        commands that somebody is told to type. Raises SettingsError, LedgerError, OSError."""
        self.archive = archive
        self.where = where
        self.site: Site = load_site(archive)
        self.zone = ZoneInfo(self.site.timezone)
        self._picture = picture
        self.outlets: Outlets = load_outlets(archive)
        self.progress: tuple[int, int] | None = None
        """Posts that the index holds and posts that there are, while it is brought up to date."""
        self._home = f"{self.site.url}{self.site.baseurl}"
        self._state = state_folder(archive, self.site)
        self._own: tempfile.TemporaryDirectory[str] | None = None
        self._ledger: Ledger | None = None
        self._opened: tuple[int, ...] = ()
        self._reading, self._following = Lock(), Lock()
        self._stop = Event()
        self._followed: tuple[object, ...] | None = None
        self._not_before = 0.0
        self._age = 0
        self._kept: dict[str, tuple[int | None, object]] = {}
        self._source_files = source_paths(folders_for(archive))
        with self.ledger():
            pass

    def close(self) -> None:
        """Close what is open; an index that is being brought up to date stays as far as it came."""
        self._stop.set()
        with self._following, self._reading:
            if self._ledger:
                self._ledger.close()
        if self._own:
            self._own.cleanup()

    @contextmanager
    def ledger(self) -> Iterator[Ledger | None]:
        """The ledger, for one reader at a time; None where there was no run yet."""
        path = self._state / "ledger.sqlite"
        with self._reading:
            if (identity := _identity(path)) != self._opened:
                if self._ledger:
                    self._ledger.close()
                self._ledger, self._opened = None, ()
                if identity:
                    self._ledger = Ledger.to_read(path)
                    self._opened = _identity(path)
            yield self._ledger

    @property
    def has_run(self) -> bool:
        """Whether there is a ledger."""
        return bool(self._opened)

    @contextmanager
    def index(self) -> Iterator[Index | None]:
        """The index as far as it has come; None where there is none, for it is being made."""
        path = self._index_folder / "search.sqlite"
        index = None
        with suppress(sqlite3.DatabaseError):
            index = Index(path) if path.is_file() else None
        if index is None:  # lost or torn: made anew
            self._followed = None
        try:
            yield index
        except sqlite3.DatabaseError:
            self._followed = None
            raise
        finally:
            if index:
                index.close()

    # bringing the index up to date

    def catch_up(self) -> None:
        """Bring the index up to date where the ledger has changed, unless that is being done, or was just now."""
        if monotonic() < self._not_before or not self._following.acquire(blocking=False):
            return
        try:
            with self.ledger() as ledger:
                now = (self._opened, *_state_of(ledger)) if ledger else None
            if now != self._followed and ledger and not self._stop.is_set():
                begun = monotonic()
                self._follow()
                self._age += 1
                self._followed = now
                self._not_before = monotonic() + _REST * (monotonic() - begun)
        except Stopped:
            pass
        except (OSError, LedgerError) as error:  # what is known already can be read all the same
            print(f"presskeep: the index is not up to date: {error}", file=sys.stderr, flush=True)
            self._not_before = monotonic() + _AFTER_A_FAULT
        finally:
            self.progress = None
            self._following.release()

    def _follow(self) -> None:
        """One that turns out to be torn is made anew, once."""
        try:
            self._follow_once()
        except sqlite3.DatabaseError:
            discard(self._index_folder)
            self._follow_once()

    def _follow_once(self) -> None:
        with self.ledger() as ledger:
            posts = known_posts(ledger) if ledger else {}
        index, _ = open_index(self._index_folder)

        def tell(done: int, of: int) -> None:
            self.progress = len(posts) - of + done, len(posts)
            self._age += 1
            if self._stop.is_set():
                raise Stopped

        try:
            ((there,),) = index.ask("select count(*) from posts", {})
            self.progress = min(there, len(posts)), len(posts)
            index.follow(self.archive, posts, self.zone, tell)
        finally:
            index.close()

    @property
    def _index_folder(self) -> Path:
        """Beside the ledger; where nothing can be written there a folder of this process, begun with a copy."""
        if self._own is None and not is_writable(self._state):
            self._own = tempfile.TemporaryDirectory(prefix="presskeep-")
            if (self._state / "search.sqlite").is_file():
                shutil.copyfile(self._state / "search.sqlite", Path(self._own.name) / "search.sqlite")
        return Path(self._own.name) if self._own else self._state

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once for each state of the index."""
        state, found = self._kept.get(name, (None, None))
        if state != (now := self._age):
            found = make()
            self._kept[name] = now, found
        return cast(T, found)

    def sources(self) -> list[Source]:
        """All that are known here."""
        return self.kept("settings of sources", lambda: readable_sources(self.archive))

    def source(self, name: str) -> Source | None:
        """A source's settings; None where there are none that can be read."""
        path = self._source_files.get(name)
        try:
            return load_source(path) if path else None
        except SettingsError:
            return None

    # posts

    def post(self, path: str) -> Post | None:
        """A post as it lies, fit to be shown; None where it is not there, or is none."""
        try:
            data = (self.archive / path).read_bytes()
            return harmless(read_any(data, PurePosixPath(path).name), self._home, self._picture)
        except (OSError, ValueError):
            return None

    def address(self, path: str, post: Post) -> str:
        """Of a post, below the site's root."""
        return url_of(path, post, self.zone)

    def find(self, address: str) -> tuple[str, Post] | None:
        """Path and post of an address, ``/CATEGORY/YYYY/MM/DD/NAME.html`` below the site's root, decoded."""
        parts = PurePosixPath(address).parts[1:]
        if len(parts) < 4:
            return None
        try:
            day = date.fromisoformat("-".join(parts[-4:-1]))
        except ValueError:
            return None
        for path in self._candidates(day, parts[-1].removesuffix(".html")):
            post = self.post(path)
            if post and unquote(self.address(path, post)) == address:
                return path, post
        return None

    def _candidates(self, day: date, name: str) -> Iterator[str]:
        """Where its post would lie, then those of the day that lie elsewhere, or whose names Jekyll changes."""
        first = f"_posts/{day:%Y/%m/%d}/{day}-{name}.md", f"_posts/{day}-{name}.md"
        yield from first
        with self.index() as index:
            found = listed(index, {"day": f"{day}"}, -1)[1] if index else []
        for one in found:
            if one.path not in first and unquote(post_url(one.path, (), day)).endswith(f"/{name}.html"):
                yield one.path


def _identity(path: Path) -> tuple[int, ...]:
    """By which an open ledger is known to be the file that lies there; empty where none does. One that may not be
    written to is read as it lies, so that each change makes it another."""
    try:
        told = path.stat()
    except FileNotFoundError:
        return ()
    as_it_lies = not all(os.access(one, os.W_OK) for one in (path.parent, path))
    return told.st_dev, told.st_ino, *((told.st_mtime_ns, told.st_size) if as_it_lies else ())


def _state_of(ledger: Ledger) -> tuple[str, int]:
    """By which a ledger is known to say the same of its posts. One that an older presskeep made, and that may not be
    written to, keeps no log; it is read as it lies, and another when it has changed."""
    log = changelog.log_id(ledger)
    return log, changelog.last(ledger) if log else 0
