"""The index of posts, ``search.sqlite`` beside the ledger: brought up to date from the ledger, asked for words.

It holds no text: what is shown is read from the posts. All of it can be made anew, so a file that is lost, torn or of
another form is. A post that left or changed is forgotten by its row alone, for FTS5 would want its old text to take its
words out; once a fifth of what was ever indexed is such, the whole is made anew.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from crawler.archive.address import dated
from crawler.archive.ledger import Ledger, articles
from crawler.archive.markup import text_of
from crawler.archive.reader import Post, read_any
from crawler.search.snippet import Snippet, snippet
from crawler.search.words import Query, fold, indexed

FORM = 3
"""Of the file and of the words in it; another one is made anew."""
_BATCH = 500
"""Posts of one transaction: what a kill costs."""
_MANY = -65_536
"""Cache for more posts than that, KiB as SQLite has it; its own 2 MB write the same pages again and again."""
_DEAD_SHARE = 5
_TITLE_WEIGHT = 5.0
"""How much more a word counts in a headline than in the text."""
_WAIT = 60.0
"""Seconds to wait for another that is writing."""

_SCHEMA = """
create table posts (
  id integer primary key autoincrement, -- never used twice: words of forgotten posts stay under their number
  path text not null unique, digest text not null, source text not null, day text not null, date text not null,
  moment integer not null, title text not null, outlet text not null, outlets text not null
);
create index posts_moment on posts (moment, path);
create table terms ( -- what a post can be listed by; those of forgotten posts stay, as their words do
  kind text not null, term text not null, moment integer not null, post integer not null,
  primary key (kind, term, moment, post)
) without rowid;
create virtual table words using fts5(title, text, content='', tokenize="unicode61 remove_diacritics 2");
"""
_INSERT = """
insert or replace into posts (path, digest, source, day, date, moment, title, outlet, outlets)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_THERE = "select 1 from posts where path = ? and digest = ? and source = ?"
_FOUND = """
from words join posts on posts.id = words.rowid where words match :words
and (:source = '' or source = :source) and (:outlet = '' or instr(outlets, :outlet)) and day between :first and :last
and (:category = '' or exists (select 1 from terms
  where kind = 'category' and term = :category and moment = posts.moment and post = posts.id))
"""
_ORDER = f"order by bm25(words, {_TITLE_WEIGHT}, 1.0), moment desc, path"


@dataclass(frozen=True, slots=True)
class Known:
    """A post as the ledger knows it."""

    digest: str
    source: str


@dataclass(frozen=True, slots=True)
class Within:
    """Where to look."""

    source: str = ""
    """Id of a source; empty for all."""
    outlet: str = ""
    """A credited outlet, by any name that a post has for it; empty for all."""
    first: date = date.min
    last: date = date.max
    category: str = ""
    """Slug of a category; empty for all."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A post in which the words stand."""

    path: str
    """Relative to the archive."""
    source: str
    date: str
    """As in the post."""
    title: str
    outlet: str
    snippet: Snippet


@dataclass(slots=True)
class Changes:
    """What bringing the index up to date did."""

    added: int = 0
    removed: int = 0
    unreadable: int = 0
    """Posts that are not there, or are none."""


class Index:
    """Open index. Raises OSError where it cannot be read or written, sqlite3.DatabaseError where it is torn."""

    def __init__(self, path: Path, *, frozen: bool = False) -> None:
        """Open or create; ``frozen``: read as it lies, for disks that nothing can be written to."""
        with _explained(path):
            address = f"file:{quote(str(path))}" + ("?mode=ro&immutable=1" if frozen else "")
            self._connection = sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None)
            self.path = path
            try:
                self._prepare(frozen)
            except BaseException:
                self.close()
                raise

    def _prepare(self, frozen: bool) -> None:
        (form,) = self._connection.execute("pragma user_version").fetchone()
        if form not in (0, FORM) or (frozen and not form):
            raise sqlite3.DatabaseError(f"of form {form}")
        if not frozen:
            self._connection.execute("pragma journal_mode=wal")
            self._connection.execute("pragma synchronous=normal")  # a power cut may cost the latest posts, not the file
        if not form:
            with self._writing():
                if not self._connection.execute("pragma user_version").fetchone()[0]:  # nobody made it meanwhile
                    for statement in _SCHEMA.split(";\n")[:-1]:
                        self._connection.execute(statement)
                    self._connection.execute(f"pragma user_version={FORM}")

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        self._connection.close()

    def worn(self) -> bool:
        """Whether so many words are of forgotten posts that the index should be made anew."""
        with _explained(self.path):
            query = "select (select seq from sqlite_sequence where name = 'posts'), count(*) from posts"
            ever, there = self._connection.execute(query).fetchone()
            return bool(((ever or 0) - there) * _DEAD_SHARE > max(ever or 0, _BATCH))

    def follow(
        self,
        archive: Path,
        posts: Mapping[str, Known],
        zone: tzinfo = UTC,
        tell: Callable[[int, int], None] = lambda done, of: None,
    ) -> Changes:
        """Make it hold these posts (path, relative to the archive -> what the ledger knows) and no others.

        ``zone``: of posts whose dates name none. ``tell``: how many of how many were read, now and then.
        """
        with _explained(self.path):
            there = {
                path: Known(*rest) for path, *rest in self._connection.execute("select path, digest, source from posts")
            }
            left = [path for path in there if path not in posts]
            new = sorted((path for path, known in posts.items() if there.get(path) != known), reverse=True)
            changes = Changes(removed=len(left))
            if left:
                with self._writing():
                    self._connection.executemany("delete from posts where path = ?", [(path,) for path in left])
            if len(new) > _BATCH:
                self._connection.execute(f"pragma cache_size={_MANY}")
            for start in range(0, len(new), _BATCH):
                batch = new[start : start + _BATCH]
                with self._writing():
                    added = sum(self._add(archive, path, posts[path], zone) for path in batch)
                changes.added += added
                changes.unreadable += len(batch) - added
                tell(start + len(batch), len(new))
            return changes

    def _add(self, archive: Path, path: str, known: Known, zone: tzinfo) -> bool:
        """Whether the post could be read; where it cannot, nothing of it is found, nor of what it was."""
        if self._connection.execute(_THERE, (path, known.digest, known.source)).fetchone():
            return True  # by another that was asked at the same moment
        try:
            post = read_any((archive / path).read_bytes(), PurePosixPath(path).name)
        except (OSError, ValueError):
            self._connection.execute("delete from posts where path = ?", (path,))
            return False
        told = _told(post, zone)
        row = self._connection.execute(_INSERT, (path, known.digest, known.source, *told)).lastrowid
        terms = [(*term, told[2], row) for term in _terms(post, known.source, told[0], told[-1])]
        self._connection.executemany("insert into terms (kind, term, moment, post) values (?, ?, ?, ?)", terms)
        words = indexed(post.title), indexed(text_of_post(post))
        self._connection.execute("insert into words (rowid, title, text) values (?, ?, ?)", (row, *words))
        return True

    def find(self, archive: Path, query: Query, within: Within, limit: int, skip: int = 0) -> tuple[int, list[Hit]]:
        """How many posts the words stand in, and the best ``limit`` of them after ``skip``: where they weigh most, then
        the newest.

        A post that is no longer there, or cannot be read, is counted and not shown.
        """
        values = {
            "words": query.expression,
            "source": within.source,
            "outlet": f"\n{fold(within.outlet)}\n" if within.outlet else "",
            "category": within.category,
            "first": within.first.isoformat(),
            "last": within.last.isoformat(),
        }
        with _explained(self.path):
            (count,) = self._connection.execute(f"select count(*) {_FOUND}", values).fetchone()
            columns = "path, source, date, posts.title, outlet"
            rows = self._connection.execute(f"select {columns} {_FOUND} {_ORDER} limit -1 offset {skip:d}", values)
            return count, list(islice(_hits(archive, rows, query.wanted), limit))

    def ask(self, question: str, values: Mapping[str, Any]) -> list[Any]:
        """Rows that a select gives."""
        with _explained(self.path):
            return self._connection.execute(question, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()


def known_posts(ledger: Ledger) -> dict[str, Known]:
    """Path -> what the ledger knows of each post that it says is there."""
    columns = articles.c.path, articles.c.digest, articles.c.source
    rows = ledger.read(sa.select(*columns).where(articles.c.state == "done"))
    return {path: Known(digest, source) for path, digest, source in map(tuple, rows)}


def open_index(state: Path) -> tuple[Index, bool]:
    """The index beside a ledger, and whether it may be written; one that is torn, worn or of another form is begun
    anew. Raises OSError where it cannot be."""
    path = state / "search.sqlite"
    if path.is_file() and not is_writable(state):
        return Index(path, frozen=True), False
    try:
        index = Index(path)
        if not index.worn():
            return index, True
        index.close()
    except sqlite3.DatabaseError:
        pass
    discard(state)
    return Index(path), True


def is_writable(state: Path) -> bool:
    """Whether the index beside a ledger, or one that is yet to be made, can be written."""
    there = (one for one in _files(state / "search.sqlite") if one.exists())
    return all(os.access(one, os.W_OK) for one in (state, *there))


def discard(state: Path) -> None:
    """Take the index away; it can be made anew."""
    for one in _files(state / "search.sqlite"):
        one.unlink(missing_ok=True)


def text_of_post(post: Post) -> str:
    """What a reader sees below the headline: digest and body."""
    return f"{post.digest}\n{text_of(post.body)}"


def _files(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))]


def _told(post: Post, zone: tzinfo) -> tuple[str, str, int, str, str, str]:
    """Day in the site's zone, date, moment, title, credited outlet, and all names of it between line ends, folded."""
    moment = dated(post.date, zone)
    credited = [str(post.fields.get(name) or "") for name in ("attribution", "attribution_raw")]
    names = [name for name in credited if name] or list(post.tags)  # where posts carry no such field, tags say it
    outlets = "".join(f"\n{fold(name)}\n" for name in names)
    date = f"{post.date:%Y-%m-%d %H:%M:%S %z}".strip()
    return f"{moment.date()}", date, int(moment.timestamp()), post.title, credited[0], outlets


def _terms(post: Post, source: str, day: str, outlets: str) -> set[tuple[str, str]]:
    """(kind, term) of all that a post can be listed by."""
    told = {"source": [source], "day": [day], "category": post.categories, "tag": post.tags}
    told["outlet"] = [name for name in outlets.split("\n") if name]
    return {(kind, term) for kind, terms in told.items() for term in terms}


def _hits(archive: Path, rows: Iterator[Sequence[Any]], wanted: Sequence[str]) -> Iterator[Hit]:
    for path, source, when, title, outlet in rows:
        try:
            text = text_of_post(read_any((archive / path).read_bytes(), PurePosixPath(path).name))
        except (OSError, ValueError):
            continue
        yield Hit(path, source, when, title, outlet, snippet(text, wanted))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What hinders SQLite from outside (no room, no right, in use) is an OSError; a torn file, or one that lacks a
    table, is not."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise sqlite3.DatabaseError(str(error)) from error
        raise OSError(errno.EIO, f"the index cannot be used: {error}", str(path)) from error
