"""SQLite: one file with a row for each article, which later exports bring up to date where it lies.

``articles`` has a row for each article, ``events`` the lines of the log that told of them, ``about`` says of which log
they are, what of it was asked for, and the number to go on from. Names are those of ``export jsonl``; ``author`` and
``keywords`` are JSON arrays, times ISO 8601, and what is not known is null.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from urllib.parse import quote

from crawler.archive.changelog import Entry
from crawler.export.order import Order, Outside, Unfit
from crawler.export.rows import ARTICLE, LINE, Value, row_of
from crawler.export.shelf import Item

_FORM = "1"
_WAIT = 60.0
"""Seconds to wait for another that is writing."""
_COLUMNS = tuple(name for name in (*LINE, *ARTICLE) if name not in ("event", "moment"))
_EVENT = ("sequence", "event", "moment", "space", "identifier", "revision", "digest", "gone")
_NUMBERS = ("sequence", "revision")
_INDEXES = ("datePublished", "source", "articleSection", "url", "path")


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {'integer' if name in _NUMBERS else 'text'}" for name in names)


_SCHEMA = (
    "create table about (name text primary key, value text not null)",
    f"create table articles ({_columns(_COLUMNS)}, primary key (space, identifier))",
    f"create table events ({_columns(_EVENT)}, primary key (sequence))",
    *(f"create index articles_{name} on articles ({name})" for name in _INDEXES),
)


def _insert(table: str, names: tuple[str, ...]) -> str:
    return f"insert or replace into {table} ({', '.join(names)}) values ({', '.join('?' * len(names))})"


_ARTICLE, _LINE = _insert("articles", _COLUMNS), _insert("events", _EVENT)
_PRESENCE = "update articles set gone = ? where space = ? and identifier = ?"

_OUT = "delete from articles where space = ? and identifier = ?"


def write(out: BinaryIO, order: Order) -> int:
    """Write a new file; the number of articles. Raises OSError."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "new.sqlite"
        with _writing(path) as file:
            for statement in _SCHEMA:
                file.execute(statement)
            written = _fill(file, order)
        with path.open("rb") as made:
            shutil.copyfileobj(made, out)
    return written


def update(path: Path, order: Order) -> int:
    """Bring a file that an earlier export wrote up to date, in one transaction; the number of articles that it brought.
    Raises OSError, and Unfit for a file of another log or order, or one that lacks what came before."""
    with _writing(path) as file:
        _check(path, file, order)
        return _fill(file, order)


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction; what hinders it from outside is an OSError."""
    try:
        address = f"file:{quote(str(path.resolve()))}"
        with closing(sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None)) as file:
            file.execute("begin immediate")
            yield file
            file.execute("commit")
    except sqlite3.OperationalError as error:
        raise OSError(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise Unfit(f"{path}: {error}. Next: another --out, or leave --since out") from error


def _asked(order: Order) -> str:
    return json.dumps([order.source, order.category, order.first, order.last])


def _check(path: Path, file: sqlite3.Connection, order: Order) -> None:
    there = file.execute("select 1 from sqlite_master where name = 'about'").fetchone()
    about = dict(file.execute("select name, value from about")) if there else {}
    if about.get("form") != _FORM:
        raise Unfit(f"{path}: no file of presskeep export sqlite. Next: another --out, or leave --since out")
    if about["log"] != order.log or about["asked"] != _asked(order):
        other = "log" if about["log"] != order.log else "source, category or days"
        raise Unfit(f"{path}: of another {other}. Next: another --out, or leave --since out")
    if int(about["next"]) < order.since:
        raise Unfit(f"{path}: holds what came up to {about['next']}. Next: --since {about['next']}@{order.log}")


def _fill(file: sqlite3.Connection, order: Order) -> int:
    written = 0
    for entry, item in order.told():
        _put(file, entry, item)
        written += item is not None
    about = {"form": _FORM, "log": order.log, "next": str(order.upto), "asked": _asked(order)}
    file.executemany("insert or replace into about values (?, ?)", about.items())
    return written


def _put(file: sqlite3.Connection, entry: Entry, item: Item | None) -> None:
    row = {name: _cell(value) for name, value in row_of(entry, item).items()}
    file.execute(_LINE, [row.get(name) for name in _EVENT])
    if isinstance(entry, Outside):
        file.execute(_OUT, (entry.space, entry.key))
    elif item is None:
        file.execute(_PRESENCE, (row.get("gone"), entry.space, entry.key))
    else:
        file.execute(_ARTICLE, [row.get(name) for name in _COLUMNS])


def _cell(value: Value) -> str | int | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else value
