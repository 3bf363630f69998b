"""WARC files as a source: each is read once from front to back, and what of it belongs to sources becomes posts.

One process reads the files and owns the archive; others read the pages (see readers.py). Of several captures of an
article the first that passes the gate is kept. How far a file was read is committed with the posts made of it, so a run
that was killed goes on where its last batch ended, and a file that was read to its end is not read again until it, the
sources, or the days that are wanted change.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive.captures import Response, warc_date
from crawler.archive.images import MOST, addresses
from crawler.archive.ledger import Row, articles, files
from crawler.archive.warc import Place, Reader, Record
from crawler.download import Download, LocalFile, Opened
from crawler.ending import in_good_order
from crawler.images import ROLE as IMAGE
from crawler.items import Article, Refused
from crawler.readers import Outcome, Readers, Task
from crawler.run import Post, Run
from crawler.steps import Writer, attribute, judged, keeps_images, pictured, pointed
from crawler.warcimages import WarcImages
from crawler.whose import Whose

if TYPE_CHECKING:
    from crawler.days import Days
    from crawler.memory import Statement
    from crawler.report import Report
    from crawler.site import Site
    from crawler.sources import Source

_FLUSH_SECONDS = 10.0
_HOP = frozenset({"connection", "keep-alive", "set-cookie"})
"""Header fields of the connection, not of the page; and cookies, which are the visit's."""
Listed = Mapping[tuple[str, str], dict[str, str]]
"""(source, key) -> what a list said of an article."""
_LEFT_ALONE = frozenset({"done", "alias"})
_ROW = sa.select(articles.c.id, articles.c.state, articles.c.hints, articles.c.seen, articles.c.tries).where(
    articles.c.space == sa.bindparam("space"), articles.c.key == sa.bindparam("key")
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a file gave."""

    records: int = 0
    """Of all kinds."""
    pages: int = 0
    """Answers at addresses of the sources' articles."""
    kept: int = 0
    known: int = 0
    """Articles that were posts already, by an earlier capture or otherwise."""
    outside: int = 0
    """Articles that are not of the days that are wanted."""
    refused: int = 0
    faults: int = 0
    """Records that could not be read."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) + getattr(other, name) for name in Counts.__slots__))


class _Passed:
    """What was passed over of a file, or handed on, while it is read ahead of what is settled."""

    def __init__(self, before: Counts, reader: Reader) -> None:
        self._before, self._reader = before, reader
        self.own = Counts()

    @property
    def counts(self) -> Counts:
        return self._before + self.own + Counts(records=self._reader.records, faults=self._reader.faults)


@dataclass(slots=True)
class File:
    """A file, and how far it was read."""

    name: str
    """Its path or address."""
    identity: str = ""
    place: Place = field(default_factory=Place)
    ended: bool = False
    """Read to its end by an earlier run, or now."""
    counts: Counts = field(default_factory=Counts)

    def line(self) -> str:
        """For people."""
        told = ", ".join(f"{number} {name}" for name, number in asdict(self.counts).items())
        return f"{self.name}: {told}"


def fill(
    archive: Path,
    site: Site,
    sources: Sequence[Source],
    files: Sequence[str | Path],
    days: Days | None = None,
    jobs: int = 0,
    *,
    captures: bool = True,
    own_python: bool = False,
    limit: int = 0,
    listed: Listed | None = None,
    tell: Callable[[str], None] = lambda line: None,
    opened: Callable[[Path, Site, Sequence[Source]], Run] = Run,
) -> Report:
    """Make posts of what WARC files hold of these sources; the run's report, whose exit code says how it went.

    ``files`` are paths or addresses (http, https), read in this order. ``days``: only articles published on these, in
    their source's zone. ``jobs``: processes that read pages, 0 for as many as there are processors. ``captures``:
    whether pages that become posts are copied into the archive's own captures. ``limit``: most posts, 0 for all.
    ``listed``: what lists said of articles that the ledger does not know.
    ``tell`` is given a line for each file, and now and then one for the file at hand; ``opened`` opens the run. Raises
    what ``opened`` raises, FileNotFoundError for a file that is not there, and OSError for one that cannot be had.
    """
    for name in files:
        if not is_address(name) and not Path(name).is_file():
            raise FileNotFoundError(f"{name}: no such file")
    run = opened(archive, site, sources)
    run.record_start()
    try:
        filling = Filling(run, sources, days, captures=captures, limit=limit, listed=listed, tell=tell)
        filling.images = WarcImages(Path(name) for name in files if not is_address(name))
        with filling.readers(jobs or os.cpu_count() or 1, own_python=own_python) as readers, in_good_order(run.report):
            for name in files:
                filling.read(File(str(name)), readers)
    except BaseException as error:
        run.close(halted=str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}")
        raise
    run.close()
    return run.report


def is_address(name: str | Path) -> bool:
    """Whether a file is to be had from the web."""
    return str(name).lower().startswith(("http://", "https://"))


class Filling:
    """Files read into one run."""

    def __init__(
        self,
        run: Run,
        sources: Sequence[Source],
        days: Days | None = None,
        *,
        captures: bool = True,
        limit: int = 0,
        listed: Listed | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        run.live = run.watch.live = False  # what others captured says nothing of how a source fares
        run.watch.past = True
        run.also = self._progress
        self._run, self._days, self._tell = run, days, tell
        self._sources = {source.id: source for source in sources}
        self._captured = {one.id for one in sources if captures and run.site.captures and one.captures}
        self.images = WarcImages(())
        """Where those of articles are looked for that are to be kept."""
        self._whose = Whose(sources)
        self._writer = Writer(run.site)
        self._rules = _digest(sources, days)
        self._left = limit or None
        self._listed = listed or {}
        self._at: File | None = None
        self._made: Post | None = None
        self._download: Download | None = None
        self._said = monotonic()

    def readers(self, jobs: int, *, own_python: bool = False) -> Readers:
        """What reads the pages."""
        sources, agencies = list(self._sources.values()), self._run.outlets.agencies
        ledger, memory = self._run.ledger.path, self._run.memory
        return Readers(sources, agencies, memory, ledger, jobs=jobs, own_python=own_python)

    def read(self, file: File, readers: Readers) -> None:
        """One file, from where the last run stopped. Raises OSError."""
        with closing(self._open(file.name)) as opened:
            file.identity = opened.identity
            self._recall(file)
            if file.ended:
                self._tell(f"{file.name}: read to its end before, not read again")
            if file.ended or self.ended:
                return
            opened.seek(file.place.offset)
            self._at = file
            reader = Reader(opened, self._is_wanted, file.place)
            passed = _Passed(file.counts, reader)
            settled = Counts()
            for task, outcome in readers.read(self._tasks(reader, passed, file)):
                if self.ended:
                    break
                settled += self._settled(task, outcome)
                file.place, file.counts = task.mark[0], task.mark[1] + settled
                self._keep_last()
                self._now_and_then(file)
            else:
                file.ended = not self.ended
                file.counts = passed.counts + settled
        for line in reader.told:
            self._tell(f"{file.name}: {line}")
        self._run.flush()
        self._at = None
        self._tell(file.line())

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be read."""
        return self._left == 0 or self._run.report.interrupted

    def _open(self, name: str) -> Opened:
        if not is_address(name):
            return LocalFile(Path(name))
        self._download = self._download or Download(self._run.site.contact)
        return self._download.open(name)

    # what of a file is read

    def _is_wanted(self, fields: Mapping[str, str]) -> bool:
        """By the head of a record."""
        url = fields.get("warc-target-uri", "").strip("<>")
        http = fields.get("content-type", "").replace(" ", "").lower().startswith("application/http")
        return fields.get("warc-type") == "response" and http and self._whose.may_be(url)

    def _tasks(self, reader: Reader, passed: _Passed, file: File) -> Iterator[Task]:
        """The pages that may become posts."""
        for record in reader:
            if (task := self._task(record, passed)) is not None:
                yield replace(task, mark=(record.after, passed.counts))
            if self.ended:
                return
            self._now_and_then(file)

    def _task(self, record: Record, passed: _Passed) -> Task | None:
        try:
            response = record.response()
            seen_at = datetime.fromisoformat(response.date).astimezone(UTC)
            if "warc-truncated" in record.fields:
                raise ValueError("half a page")
        except (ValueError, OverflowError):
            passed.own += Counts(faults=1)
            return None
        found = self._whose.of(response.url)
        if found is None or response.status != 200 or not _is_kind(response, found[0].article.format):
            return None
        source, key = found
        passed.own += Counts(pages=1)
        self._run.report.of(source.id).listed += 1
        if self._days is not None and seen_at.astimezone(source.zone).date() < self._days.first:
            passed.own += Counts(outside=1)
            return None
        if (row := self._row(source, key, response.url)) is None:
            passed.own += Counts(known=1)
            return None
        headers = tuple(pair for pair in response.headers if pair[0].lower() not in _HOP)
        notes = {"source": source.id, "role": "article", "key": key}
        response = replace(response, headers=headers, date=warc_date(seen_at), notes=notes)
        return Task(row, response, source.id in self._captured)

    def _row(self, source: Source, key: str, url: str) -> Row | None:
        """What is known of an article; None for one that is a post."""
        known = self._run.ledger.read(_ROW, {"space": source.space, "key": key})
        if not known:
            own = source.article.address == "{url}"
            hints = self._listed.get((source.id, key)) or ({"url": url} if own else {})
            return Row(0, source.space, key, source.id, hints, "", 0)
        row = known[0]
        if row.state in _LEFT_ALONE or self._run.has(source.space, key):
            return None
        return Row(row.id, source.space, key, source.id, json.loads(row.hints), row.seen, row.tries)

    # what becomes of a page

    def _settled(self, task: Task, outcome: Outcome) -> Counts:
        """Make a post of an article, to be kept with the next word of how far the file was read; or say why not."""
        source, article = self._sources[task.row.source], outcome.article
        report = self._run.report.of(source.id)
        report.fetched += 1
        self._run.report.faults += outcome.fault
        if article is None:
            return self._refused(task, outcome.reason)
        if self._run.has(article.space, article.key):
            return Counts(known=1)
        if self._days is not None and article.published and not self._days.holds(article.published, source.zone):
            return Counts(outside=1)
        try:
            self._made = self._post(task, article)
        except (Refused, ValueError) as error:
            return self._refused(task, str(error))
        if task.packed:
            self._run.capture(task.response, outcome.packed)
        report.new += 1
        self._left = self._left and self._left - 1
        return Counts(kept=1)

    def _refused(self, task: Task, reason: str) -> Counts:
        """The row, if there is one, stays as it is: the site may give what a capture did not."""
        self._run.report.of(task.row.source).refuse(task.response.url, reason)
        return Counts(refused=1)

    def _post(self, task: Task, article: Article) -> Post:
        """Raises Refused and ValueError."""
        source = self._sources[article.source]
        article.capture = article.capture if task.packed else ""
        judged(article, source, self._run.watch)
        if task.packed and keeps_images(source, self._run.site):
            self._keep_images(article)
        pictured(article, source, self._run)
        attribute(article, source, self._run.outlets)
        pointed(article, source, self._run)
        post = self._writer.post(article, source)
        post.hints = dict(task.row.hints)
        return post

    def _keep_images(self, article: Article) -> None:
        """As far as the files hold them."""
        notes = {"source": article.source, "role": IMAGE, "key": article.key}
        for url in addresses(article.body)[:MOST]:
            if self._run.images.find(url) or (response := self.images.find(url)) is None:
                continue
            told = notes if response.url == url else {**notes, "asked": url}
            headers = tuple(pair for pair in response.headers if pair[0].lower() not in _HOP)
            self._run.keep_image(replace(response, headers=headers, notes=told))

    def _keep_last(self) -> None:
        """The run may flush now: the place of this very record goes with its post."""
        if self._made is not None:
            made, self._made = self._made, None
            self._run.keep(made)

    # progress

    def _recall(self, file: File) -> None:
        query = sa.select(files).where(files.c.file == self._name(file), files.c.rules == self._rules)
        known = next(iter(self._run.ledger.read(query)), None)
        if known is not None and known.identity == file.identity:
            file.place, file.ended = Place(known.offset, known.inside), bool(known.ended)
            file.counts = Counts(**json.loads(known.counts))

    def _progress(self) -> list[Statement]:
        """How far the file at hand was read: committed with the posts."""
        file = self._at
        if file is None:
            return []
        told = {"identity": file.identity, "offset": file.place.offset, "inside": file.place.inside}
        told |= {"ended": int(file.ended), "counts": json.dumps(asdict(file.counts))}
        statement = insert(files)
        changes = {name: statement.excluded[name] for name in told}
        upsert = statement.on_conflict_do_update(index_elements=["file", "rules"], set_=changes)
        return [(upsert, [{"file": self._name(file), "rules": self._rules, **told}])]

    def _name(self, file: File) -> str:
        return file.name if is_address(file.name) else str(Path(file.name).resolve())

    def _now_and_then(self, file: File) -> None:
        if monotonic() - self._said > _FLUSH_SECONDS:
            self._said = monotonic()
            self._run.flush()
            self._tell(file.line())


def _is_kind(response: Response, form: str) -> bool:
    """Whether an answer is of the kind that the source's articles are."""
    kind = next((value for name, value in response.headers if name.lower() == "content-type"), "").lower()
    return form in kind or (not kind or (form == "json" and "javascript" in kind))


def _digest(sources: Sequence[Source], days: Days | None) -> str:
    """Of all that decides what becomes of a file."""
    return sha256(repr((list(sources), days)).encode()).hexdigest()[:16]
