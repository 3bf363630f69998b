"""The follower's side: records become posts, earlier versions and rows of the ledger.

Order of writes, for a batch: images that it shows; earlier versions and new posts, durable; then posts that were edited
are replaced; last of all, in one transaction, rows and the number up to which the origin's log was taken. What was
written before a kill is found to be there and taken for what it is. Nothing that did not come from the origin is ever
written over.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive import ledger as tables
from crawler.archive import revisions, rewrites
from crawler.archive.captures import CaptureStore, Response, payload_digest, unpack_record
from crawler.archive.images import FOLDER, PATH
from crawler.archive.ledger import Ledger, LedgerLost, articles
from crawler.archive.locks import Lock
from crawler.archive.posts import Pending, replace, sweep, write_all
from crawler.archive.warc import LARGEST
from crawler.follow import images
from crawler.follow.judge import TAKEN, Judging, Step, columns, digest_of
from crawler.follow.origin import Origin
from crawler.follow.position import Position, few, lacking, lacks, mirrored, moved, position_of, upsert
from crawler.follow.record import Left, OriginError, Record, verify
from crawler.run import load_outlets, state_folder
from crawler.site import Site
from crawler.sitedata import PAGES, refresh
from crawler.sources import load_source
from crawler.yamlfile import SettingsError

_BATCH, _BYTES = 64, 8 * 1024 * 1024
"""Records, and bytes of posts, that become durable together."""

_ROWS = upsert(articles, "space key", ("state", "due", "reason", *TAKEN))
"""``seen`` stays what it is, for an article that a list named here as well."""
_MINE = insert(mirrored).on_conflict_do_nothing()
_GONE = (
    articles.update()
    .where(articles.c.space == sa.bindparam("its_space"), articles.c.key == sa.bindparam("its_key"))
    .values(gone=sa.bindparam("its_gone"))
)


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
            self.position = position_of(self.ledger)
            rewrites.mend(archive, self.ledger)
            for name in ("_posts", "sources", revisions.FOLDER, FOLDER, *PAGES):
                sweep(archive / name)
            self._captures = CaptureStore(state / "captures", site.segment, datetime.now(UTC))
            self._captures.recover(self.ledger.segment_sizes())
        except BaseException:
            self._lock.release()
            raise
        self._judging = Judging(archive, site, self.ledger)
        self._lacks = set(lacking(self.ledger))
        """Numbers of what the origin cannot give, as far as the ledger knows of it."""
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
            self._follow(origin, done, again, trust, captures, sources)
        refresh(self.archive, self.site, self.ledger, load_outlets(self.archive), whole=self._silent)
        done.left |= {one.path: f"the origin cannot give it ({one.why})" for one in lacking(self.ledger).values()}
        return done

    def _follow(self, origin: Origin, done: Followed, again: bool, trust: bool, captures: bool, sources: bool) -> None:
        self._check_site(origin)
        if captures and not origin.captures:
            raise SettingsError([f"{origin.name}: gives no captures. Next: leave --captures out"])
        self._take_images(origin, list(filter(PATH.fullmatch, done.left)), done)
        missed = () if again else tuple(lacking(self.ledger))
        for batch in _batches(chain(origin.again(missed), origin.records(done.number))):
            self._take(origin, batch, done, trust, captures)
        files = self._take_sources(origin, done) if sources else self.position.files
        done.number = origin.last
        self._move(Position(origin.name, origin.log, origin.last, origin.mark, files, few(done.left)), origin.left)

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
        steps: list[Step] = []
        paths: dict[str, tuple[str, str]] = {}
        for record in batch:
            step = self._judging.step(record, paths, trust)
            done.left.pop(record.path, None)
            if isinstance(step, str):
                done.left[record.path] = step
            else:
                steps.append(step)
        self._take_images(origin, images.shown(one.record for one in steps), done)
        self._write([one for one in steps if not one.is_done])
        for digest, response in answers.items():
            if not self.ledger.captured(digest, response.url):
                self._captures.add(response, digest)
        done.number = max(done.number, batch[-1].number)
        at = Position(origin.name, origin.log, done.number, "", self.position.files, few(done.left))
        left = origin.left
        self._commit(steps, at, [left[number] for number in left.keys() - self._lacks])
        self._lacks |= left.keys()
        for one in steps:
            done.same += one.is_done
            done.new += not one.is_known
            done.changed += one.is_known and not one.is_done
            self._silent |= one.is_silent

    def _take_images(self, origin: Origin, paths: Sequence[str], done: Followed) -> None:
        """What cannot be had is named, and asked for again when the origin has something new."""
        for path in paths:
            done.left.pop(path, None)
        done.left |= images.copy(origin, self.archive, paths)

    def _write(self, steps: Sequence[Step]) -> None:
        """What is about to be replaced is noted first: a text that is there by then is known to be no one's own."""
        replaced = [{"path": one.record.path, "digest": one.record.digest} for one in steps if one.replaces]
        if replaced:
            self.ledger.keep([], more=[(upsert(tables.rewrites, "path", ("digest",)), replaced)])
        posts = [Pending(one.record.path, one.record.post.encode()) for one in steps if not one.there]
        write_all(self.archive, [*chain.from_iterable(one.earlier for one in steps), *posts])
        for one in steps:
            if one.replaces:
                replace(self.archive / one.record.path, one.record.post.encode())

    def _commit(self, steps: Sequence[Step], at: Position, left: Sequence[Left]) -> None:
        """A tombstone after the rows, so that the log has a line of its own for it."""
        keys = [{"space": one.record.space, "key": one.record.key} for one in steps]
        rows = [
            {**key, **columns(one.record), "seen": one.record.seen, "state": "done", "due": "", "reason": ""}
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
        self.ledger.keep([], made, sizes, more=[*more, *lacks(left), (tables.rewrites.delete(), [{}]), moved(at)])
        self.position = at

    def _move(self, at: Position, left: Mapping[int, Left]) -> None:
        if at != self.position or left != lacking(self.ledger):
            self.ledger.keep([], more=[*lacks(left.values(), alone=True), moved(at)])
            self.position = at

    # sources

    def _take_sources(self, origin: Origin, done: Followed) -> dict[str, str]:
        """Files of the origin's own sources; one that was changed here stays."""
        files = dict(self.position.files)
        for name, text in origin.sources.items():
            path, data = self.archive / "sources" / f"{name}.yml", text.encode()
            there, new = digest_of(path), sha256(data).hexdigest()
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


def _capture(record: Record) -> Response:
    """The answer that a post was made from. Raises OriginError where it is not what its digest says."""
    try:
        response = unpack_record(base64.b64decode(record.records[0], validate=True), LARGEST)
    except ValueError as error:
        raise OriginError(f"number {record.number}: its capture cannot be read ({error})") from error
    if payload_digest(response.payload) != record.capture:
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
