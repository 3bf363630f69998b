"""The follower's side: records become posts, earlier versions and rows of the ledger.

Order of writes, for a batch: earlier versions and new posts, durable; then posts that were edited are replaced; last of
all, in one transaction, rows and the number up to which the origin's log was taken. What was written before a kill is
found to be there and taken for what it is. Nothing that did not come from the origin is ever written over.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive import ledger as tables
from crawler.archive import revisions, rewrites
from crawler.archive.captures import CaptureStore, Response, read_segment
from crawler.archive.ledger import Ledger, LedgerLost, articles, meta
from crawler.archive.locks import Lock
from crawler.archive.post import check_post
from crawler.archive.posts import Pending, replace, sweep, write_all
from crawler.archive.warc import LARGEST
from crawler.follow.origin import Origin
from crawler.follow.record import OriginError, Record, verify
from crawler.run import load_outlets, state_folder
from crawler.site import Site
from crawler.sitedata import PAGES, refresh
from crawler.sources import load_source
from crawler.yamlfile import SettingsError

_BATCH, _BYTES = 64, 8 * 1024 * 1024
"""Records, and bytes of posts, that become durable together."""
_REMEMBERED = 500
"""Articles that were left alone and are told of each time, until all is compared again."""
_MARK = "mirror"
"""Name in ``meta`` of where the mirror stands."""

_mirrored = sa.Table(
    "mirrored",  # articles that came from the origin
    sa.MetaData(),
    sa.Column("space", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sqlite_with_rowid=False,
)
_TAKEN = ("source", "path", "digest", "revision", "since", "hints", "notes", "etag", "modified", "capture")
"""Columns that are as at the origin, beside the key and the tombstone."""


def _upsert(table: sa.Table, key: str, columns: Sequence[str]) -> sa.Executable:
    """Rows into a table, these columns in place of what is there under the same key (several with blanks)."""
    statement = insert(table)
    told = {name: statement.excluded[name] for name in columns}
    return statement.on_conflict_do_update(index_elements=key.split(), set_=told)


_ROWS = _upsert(articles, "space key", ("state", "due", "reason", *_TAKEN))
"""``seen`` stays what it is, for an article that a list named here as well."""
_MINE = insert(_mirrored).on_conflict_do_nothing()
_ROW = [articles.c[name] for name in ("state", "gone", *_TAKEN)]
_GONE = (
    articles.update()
    .where(articles.c.space == sa.bindparam("its_space"), articles.c.key == sa.bindparam("its_key"))
    .values(gone=sa.bindparam("its_gone"))
)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a mirror has come."""

    origin: str = ""
    """Its address, as last given."""
    log: str = ""
    number: int = 0
    mark: str = ""
    """The origin's, by then."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Source -> sha256 of the file that was written for it."""
    left: Mapping[str, str] = field(default_factory=dict)
    """What was left alone, as in ``Followed``; as much of it as can be kept in mind."""


@dataclass(slots=True)
class Followed:
    """What one call did."""

    new: int = 0
    changed: int = 0
    same: int = 0
    left: dict[str, str] = field(default_factory=dict)
    """Path or file -> why it was left alone, now or earlier."""
    number: int = 0
    """Up to which the log was taken."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A record that is to be taken."""

    record: Record
    row: sa.Row[Any] | None
    """What the ledger says of the article, if it knows it."""
    there: str
    """sha256 of the file at the post's place, empty for none."""
    earlier: tuple[Pending, ...]
    """Earlier versions that are not there yet."""

    @property
    def is_done(self) -> bool:
        """Whether all is as it is to be."""
        told = None if self.row is None else {name: getattr(self.row, name) for name in ("gone", *_TAKEN)}
        wanted = {"gone": self.record.gone, **_columns(self.record)}
        return self.there == self.record.digest and not self.earlier and told == wanted

    @property
    def replaces(self) -> bool:
        """Whether another text of the article is there."""
        return self.there not in ("", self.record.digest)


class Mirror:
    """An archive that follows another."""

    def __init__(self, archive: Path, site: Site) -> None:
        """Takes the lock and mends what a killed one left. Raises Busy, LedgerError, OSError."""
        self.archive, self.site = archive, site
        state = state_folder(archive, site)
        state.mkdir(parents=True, exist_ok=True)
        self._lock = Lock(archive, state)
        try:
            _miss_no_ledger(archive, state)
            self.ledger = Ledger(state / "ledger.sqlite")
            _mirrored.metadata.create_all(self.ledger.engine)
            rewrites.mend(archive, self.ledger)
            for name in ("_posts", "sources", revisions.FOLDER, *PAGES):
                sweep(archive / name)
            self._captures = CaptureStore(state / "captures", site.segment, datetime.now(UTC))
            self._captures.recover(self.ledger.segment_sizes())
        except BaseException:
            self._lock.release()
            raise
        self.position = _position(self.ledger)
        self._silent = False
        """Whether rows changed in what the log does not tell of, but the site's data do."""

    def close(self) -> None:
        """Give the archive free."""
        self._captures.close()
        self.ledger.close()
        self._lock.release()

    def follow(
        self, origin: Origin, *, again: bool = False, trust: bool = False, captures: bool = False, sources: bool = False
    ) -> Followed:
        """Take what came since. ``again``: hold all that the origin has against what is here. ``trust``: take posts
        that break presskeep's rules as well. ``captures``, ``sources``: take what posts were made from, and the files
        of sources, too. Raises OriginError, SettingsError where the two archives do not fit, OSError."""
        self._check_origin(origin, again)
        done = Followed() if again else Followed(number=self.position.number, left=dict(self.position.left))
        at = self.position
        if again or not origin.mark or (origin.last, origin.mark) != (at.number, at.mark):
            self._follow(origin, done, trust, captures, sources)
        refresh(self.archive, self.site, self.ledger, load_outlets(self.archive), whole=self._silent)
        return done

    def _follow(self, origin: Origin, done: Followed, trust: bool, captures: bool, sources: bool) -> None:
        self._check_site(origin)
        if captures and not origin.captures:
            raise SettingsError([f"{origin.name}: gives no captures. Next: leave --captures out"])
        for batch in _batches(origin.records(done.number)):
            self._take(origin, batch, done, trust, captures)
        files = self._take_sources(origin, done) if sources else self.position.files
        done.number = origin.last
        self._move(Position(origin.name, origin.log, origin.last, origin.mark, files, _few(done.left)))

    def _check_origin(self, origin: Origin, again: bool) -> None:
        at = self.position
        if again or not at.log:
            return
        if origin.log != at.log:
            what = "its ledger was made anew" if origin.name == at.origin else f"this is a mirror of {at.origin}"
            raise SettingsError([f"{origin.name}: {what}. Next: the same with --again, which compares all"])
        if origin.last < at.number:
            raise OriginError(f"{origin.name}: its log goes back, from {at.number} to {origin.last}; nothing was taken")

    def _check_site(self, origin: Origin) -> None:
        """Raises SettingsError where posts would lie elsewhere or have other addresses."""
        differ = [
            f"presskeep.yml: {name} is {getattr(self.site, name)!r}, the origin's is {getattr(origin.site, name)!r}"
            for name in ("timezone", "posts", "baseurl")
            if getattr(self.site, name) != getattr(origin.site, name)
        ]
        if differ:
            raise SettingsError(differ)

    # a batch

    def _take(self, origin: Origin, batch: Sequence[Record], done: Followed, trust: bool, captures: bool) -> None:
        """Nothing of a batch is written before all of it was verified."""
        for record in batch:
            verify(record, self.site.posts)
        answers = {one.capture: _capture(one) for one in batch if captures and one.records}
        steps: list[_Step] = []
        paths: dict[str, tuple[str, str]] = {}
        for record in batch:
            step = self._judged(record, paths, trust)
            done.left.pop(record.path, None)
            if isinstance(step, str):
                done.left[record.path] = step
            else:
                steps.append(step)
        self._write([one for one in steps if not one.is_done])
        for digest, response in answers.items():
            if not self.ledger.captured(digest, response.url):
                self._captures.add(response, digest)
        at = Position(origin.name, origin.log, batch[-1].number, "", self.position.files, _few(done.left))
        self._commit(steps, at)
        for one in steps:
            known = one.row is not None and one.row.state == "done"
            done.same += one.is_done
            done.new += not known
            done.changed += known and not one.is_done
            self._silent |= known and not one.is_done and one.row is not None and one.row.digest == one.record.digest

    def _judged(self, record: Record, paths: dict[str, tuple[str, str]], trust: bool) -> _Step | str:
        """What is to be done, or why nothing is."""
        who, place = (record.space, record.key), record.path.lower()
        if (owner := paths.setdefault(place, self.ledger.owner(record.path) or who)) != who:
            return f"another article is there: {' '.join(owner)}"
        if not trust and (
            faults := check_post(Path(record.path).name, record.post.encode(), newline=self.site.newline)
        ):
            return f"breaks the rules of posts ({faults[0]}). Next: the same with --again --trust"
        row, its_own = self._known(record)
        if row is not None and row.state == "done" and not its_own and row.digest not in _digests(record):
            return f"{record.key} came from elsewhere and is another; it stays"
        if row is not None and row.state == "done" and row.path != record.path:
            return f"{record.key} lies at {row.path}; it stays"
        there = _digest(self.archive / record.path)
        if there not in {"", row.digest if row is not None else "", *_digests(record)}:
            return "was changed by hand here; it stays"
        earlier = self._earlier(record)
        return earlier if isinstance(earlier, str) else _Step(record, row, there, tuple(earlier))

    def _known(self, record: Record) -> tuple[sa.Row[Any] | None, bool]:
        """The article's row, and whether it came from the origin."""
        whose = [table.c[name] == getattr(record, name) for table in (articles, _mirrored) for name in ("space", "key")]
        rows = self.ledger.read(sa.select(*_ROW).where(*whose[:2]))
        return (rows[0] if rows else None), bool(self.ledger.read(sa.select(_mirrored).where(*whose[2:])))

    def _earlier(self, record: Record) -> list[Pending] | str:
        folder, missing = revisions.folder_of(record.path), []
        for name, text in record.earlier.items():
            path, data = f"{folder}/{name}.md", text.encode()
            if (there := _digest(self.archive / path)) and there != sha256(data).hexdigest():
                return f"{path} is another; it stays"
            if not there:
                missing.append(Pending(path, data))
        return missing

    def _write(self, steps: Sequence[_Step]) -> None:
        """What is about to be replaced is noted first: a text that is there by then is known to be no one's own."""
        replaced = [{"path": one.record.path, "digest": one.record.digest} for one in steps if one.replaces]
        if replaced:
            self.ledger.keep([], more=[(_upsert(tables.rewrites, "path", ("digest",)), replaced)])
        posts = [Pending(one.record.path, one.record.post.encode()) for one in steps if not one.there]
        write_all(self.archive, [*chain.from_iterable(one.earlier for one in steps), *posts])
        for one in steps:
            if one.replaces:
                replace(self.archive / one.record.path, one.record.post.encode())

    def _commit(self, steps: Sequence[_Step], at: Position) -> None:
        """A tombstone after the rows, so that the log has a line of its own for it."""
        keys = [{"space": one.record.space, "key": one.record.key} for one in steps]
        rows = [
            {**key, **_columns(one.record), "seen": one.record.seen, "state": "done", "due": "", "reason": ""}
            for key, one in zip(keys, steps, strict=True)
            if not one.is_done
        ]
        gone = [
            {"its_space": one.record.space, "its_key": one.record.key, "its_gone": one.record.gone}
            for one in steps
            if one.record.gone != (one.row.gone if one.row is not None else "")
        ]
        more: list[rewrites.Statement] = [(_ROWS, rows), (_GONE, gone), (_MINE, keys)]
        more = [(statement, values) for statement, values in more if values]
        made, sizes = self._captures.take()
        self.ledger.keep([], made, sizes, more=[*more, (tables.rewrites.delete(), [{}]), _moved(at)])
        self.position = at

    def _move(self, at: Position) -> None:
        if at != self.position:
            self.ledger.keep([], more=[_moved(at)])
            self.position = at

    # sources

    def _take_sources(self, origin: Origin, done: Followed) -> dict[str, str]:
        """Files of the origin's own sources; one that was changed here stays."""
        files = dict(self.position.files)
        for name, text in origin.sources.items():
            path, data = self.archive / "sources" / f"{name}.yml", text.encode()
            there, new = _digest(path), sha256(data).hexdigest()
            if there not in ("", new, files.get(name, "")):
                done.left[f"sources/{name}.yml"] = "was changed by hand here; it stays"
                continue
            if there != new and (fault := _source_fault(name, data)):
                done.left[f"sources/{name}.yml"] = fault
                continue
            if there != new:
                replace(path, data)
            files[name] = new
        return files


def _miss_no_ledger(archive: Path, state: Path) -> None:
    """Beside captures a new ledger would take them for torn ones."""
    path = state / "ledger.sqlite"
    there = chain(archive.glob("_posts/**/*.md"), state.glob("captures/*.warc.gz*"))
    if not path.is_file() and (first := next(there, None)) is not None:
        raise LedgerLost(f"{path}: missing, though there is {first}. Next: presskeep rebuild-ledger")


def _position(ledger: Ledger) -> Position:
    rows = ledger.read(sa.select(meta.c.value).where(meta.c.name == _MARK))
    return Position(**json.loads(rows[0].value)) if rows else Position()


def _few(left: Mapping[str, str]) -> dict[str, str]:
    return dict(islice(left.items(), _REMEMBERED))


def _moved(at: Position) -> tuple[sa.Executable, Sequence[Mapping[str, Any]]]:
    values = {"name": _MARK, "value": json.dumps(asdict(at), ensure_ascii=False)}
    return _upsert(meta, "name", ("value",)), [values]


def _columns(record: Record) -> dict[str, Any]:
    told = {name: getattr(record, name) for name in _TAKEN}
    return {**told, "hints": json.dumps(record.hints, ensure_ascii=False, sort_keys=True)}


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """An article once in each: a published log may tell of it again and again."""
    batch: dict[tuple[str, str], Record] = {}
    size = 0
    for record in records:
        who = record.space, record.key
        if batch and (who in batch or len(batch) >= _BATCH or size >= _BYTES):
            yield list(batch.values())
            batch, size = {}, 0
        batch[who] = record
        size += len(record.post)
    if batch:
        yield list(batch.values())


def _digests(record: Record) -> set[str]:
    """Of the post and of all that it was before."""
    return {record.digest, *(sha256(text.encode()).hexdigest() for text in record.earlier.values())}


def _digest(path: Path) -> str:
    """sha256 of a file, empty where there is none."""
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _capture(record: Record) -> Response:
    """The answer that a post was made from. Raises OriginError where it is not what its digest says."""
    try:
        data = base64.b64decode(record.records[0], validate=True)
        squeezed = zlib.decompressobj(31)
        squeezed.decompress(data, LARGEST)
        if squeezed.unconsumed_tail:
            raise ValueError(f"it unpacks to more than {LARGEST} bytes")
        with NamedTemporaryFile(suffix=".warc.gz") as file:
            file.write(data)
            file.flush()
            ((capture, response),) = read_segment(Path(file.name))
    except (ValueError, zlib.error) as error:
        raise OriginError(f"number {record.number}: its capture cannot be read ({error})") from error
    if capture.digest != record.capture:
        raise OriginError(f"number {record.number}: its capture is not what its digest says")
    return response


def _source_fault(name: str, data: bytes) -> str:
    """What is wrong with a source's file, empty for nothing."""
    with TemporaryDirectory() as folder:
        (path := Path(folder) / f"{name}.yml").write_bytes(data)
        try:
            load_source(path)
        except SettingsError as error:
            return " ".join(str(error).replace(f"{folder}/", "").split())
    return ""
