"""What becomes of a record: it is taken, or left alone, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from crawler.archive import revisions
from crawler.archive.ledger import Ledger, articles
from crawler.archive.post import FIELDS, PostError
from crawler.archive.posts import Pending
from crawler.follow.position import mirrored
from crawler.follow.record import Record
from crawler.imports.judge import Judge
from crawler.site import Site

TAKEN = ("source", "path", "digest", "revision", "since", "hints", "notes", "etag", "modified", "capture")
"""Columns of the ledger that are as at the origin, beside the key and the tombstone."""
_ROW = [articles.c[name] for name in ("state", "gone", *TAKEN)]

_TEXT = r'"(?:[^"\\\x00-\x1f\x7f-\x9f\u2028\u2029]|\\["\\]|\\x7B)*"'
_TEXTS = rf"\[{_TEXT}(?:, {_TEXT})*\]"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?: [+-][0-9]{4})?"
_FORMS: Mapping[str, str] = {
    **dict.fromkeys(FIELDS, _TEXT),
    "layout": "post",
    "title": _TEXT,
    "date": _TIME,
    "categories": rf"[^\W_][\w-]*|{_TEXTS}",
    "tags": rf"[^\W_][\w-]*|{_TEXTS}",
    "authors": _TEXTS,
    "modified": f'"{_TIME}"',
    "pointer": _TEXT,
    "last_modified_at": f'"{_TIME}"',
    "revisions": "[1-9][0-9]{0,4}",
}
"""Front matter that the writer makes, and what stands behind each name. All else may be a word to Jekyll, or to a
layout: ``permalink: /index.html`` makes a post the front page."""


@dataclass(frozen=True, slots=True)
class Step:
    """A record that is to be taken."""

    record: Record
    row: sa.Row[Any] | None
    """What the ledger says of the article, if it knows it."""
    there: str
    """sha256 of the file at the post's place, empty for none."""
    earlier: tuple[Pending, ...]
    """Earlier versions that are not there yet."""

    @property
    def is_known(self) -> bool:
        """Whether the article is a post already."""
        return self.row is not None and self.row.state == "done"

    @property
    def is_done(self) -> bool:
        """Whether all is as it is to be."""
        told = None if self.row is None else {name: getattr(self.row, name) for name in ("gone", *TAKEN)}
        wanted = {"gone": self.record.gone, **columns(self.record)}
        return self.there == self.record.digest and not self.earlier and told == wanted

    @property
    def is_silent(self) -> bool:
        """Whether the mirror's own log will not tell of it, though something changes."""
        if self.row is None or not self.is_known or self.is_done:
            return False
        return self.row.digest == self.record.digest and bool(self.row.gone) == bool(self.record.gone)

    @property
    def replaces(self) -> bool:
        """Whether another text of the article is there."""
        return self.there not in ("", self.record.digest)


def columns(record: Record) -> dict[str, Any]:
    """``TAKEN`` of it."""
    told = {name: getattr(record, name) for name in TAKEN}
    return {**told, "hints": json.dumps(record.hints, ensure_ascii=False, sort_keys=True)}


def digest_of(path: Path) -> str:
    """sha256 of a file, empty where there is none."""
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


class Judging:
    """Of the records of one batch after another."""

    def __init__(self, archive: Path, site: Site, ledger: Ledger) -> None:
        self._archive, self._ledger = archive, ledger
        self._judge = Judge(ZoneInfo(site.timezone), newline=site.newline)

    def step(self, record: Record, paths: dict[str, tuple[str, str]], trust: bool) -> Step | str:
        """What is to be done, or why nothing is. ``paths``: whose the places of the batch are; this one's is added.
        ``trust``: take posts that break the rules."""
        who, place = (record.space, record.key), record.path.lower()
        if (owner := paths.setdefault(place, self._ledger.owner(record.path) or who)) != who:
            return f"another article is there: {' '.join(owner)}"
        if not trust and (fault := self._fault(record)):
            return f"breaks the rules of posts ({fault}). Next: the same with --again --trust"
        row, its_own = self._known(record)
        if row is not None and row.state == "done" and not its_own and row.digest not in _digests(record):
            return f"{record.key} came from elsewhere and is another; it stays"
        if row is not None and row.state == "done" and row.path != record.path:
            return f"{record.key} lies at {row.path}; it stays"
        there = digest_of(self._archive / record.path)
        if there not in {"", row.digest if row is not None else "", *_digests(record)}:
            return "was changed by hand here; it stays"
        earlier = self._earlier(record)
        return earlier if isinstance(earlier, str) else Step(record, row, there, tuple(earlier))

    def _fault(self, record: Record) -> str:
        """What is wrong with its post, empty for nothing."""
        if fault := front_fault(record.post):
            return fault
        try:
            judged = self._judge.judged(Path(record.path).name, record.post.encode())
        except PostError as error:
            return str(error)
        return next(iter((*judged.faults, *judged.dangers)), "")

    def _known(self, record: Record) -> tuple[sa.Row[Any] | None, bool]:
        """The article's row, and whether it came from the origin."""
        whose = [table.c[name] == getattr(record, name) for table in (articles, mirrored) for name in ("space", "key")]
        rows = self._ledger.read(sa.select(*_ROW).where(*whose[:2]))
        return (rows[0] if rows else None), bool(self._ledger.read(sa.select(mirrored).where(*whose[2:])))

    def _earlier(self, record: Record) -> list[Pending] | str:
        folder, missing = revisions.folder_of(record.path), []
        for name, text in record.earlier.items():
            path, data = f"{folder}/{name}.md", text.encode()
            if (there := digest_of(self._archive / path)) and there != sha256(data).hexdigest():
                return f"{path} is another; it stays"
            if not there:
                missing.append(Pending(path, data))
        return missing


def front_fault(post: str) -> str:
    """The first line of front matter that the writer does not make, empty for none. By its text, before any YAML is
    read: a few lines of that can be made to hold more than memory does."""
    if not post.startswith("---\n"):
        return "front matter: none"
    names = set[str]()
    for line in post[4:].partition("\n---\n")[0].split("\n"):
        name, _, value = line.partition(": ")
        if name in names or not (form := _FORMS.get(name)) or not re.fullmatch(form, value):
            return f"front matter: not the writer's: {line[:80]!r}"
        names.add(name)
    return ""


def _digests(record: Record) -> set[str]:
    """Of the post and of all that it was before."""
    return {record.digest, *(sha256(text.encode()).hexdigest() for text in record.earlier.values())}
