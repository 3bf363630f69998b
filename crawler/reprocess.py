"""Today's extraction and rules over what was captured: posts get better without anybody being asked again.

A post is rewritten where the same capture now gives other bytes, and only through the gate that an edit must pass. Its
file stays where it is, and its day with it, for its address is made of that; category and tags follow the rules. What
was refused and has a capture becomes a post if it passes by now. Pages without rules are read with what was told of
them, and with what the memory of their source has learnt since: also the first article loses what later ones share.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from dataclasses import replace as changed
from datetime import datetime
from difflib import unified_diff
from hashlib import sha256
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from crawler.archive.captures import CaptureError, read_capture
from crawler.archive.checks import Check, posts_of
from crawler.archive.ledger import ROW, Capture, Row, articles, blocks, captures
from crawler.archive.markup import text_of
from crawler.archive.post import Post, PostError, read_post
from crawler.archive.rewrites import Rewrite, write
from crawler.edits import Text, judge, normal
from crawler.ending import in_good_order
from crawler.extract.text import squeeze
from crawler.items import Article, Refused
from crawler.memory import Hindsight, Told
from crawler.readers import Outcome, Readers, Task
from crawler.run import Post as Made
from crawler.share import article_address
from crawler.steps import Writer, attribute, judged, pictured, pointed

if TYPE_CHECKING:
    from crawler.run import Run
    from crawler.sources import Source

_BATCH = 32
"""Posts that are replaced together."""
_ROUNDS = 3
"""How often posts are read again because of what others told in the round before."""
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Change:
    """One article whose capture gives something else now."""

    source: str
    key: str
    path: str
    diff: tuple[str, ...] = ()
    """Of a plan: unified, of front matter and text; of the whole post where only the body's HTML differs."""
    new: bool = False
    """Whether it was refused before."""


@dataclass(slots=True)
class Reprocessed:
    """What came of it."""

    changed: int = 0
    new: int = 0
    """Articles that were refused before."""
    same: int = 0
    left: dict[str, str] = field(default_factory=dict)
    """Path of a post -> why nothing else was made of its capture."""
    refused: int = 0
    """Articles that are refused still."""
    without: int = 0
    """Posts that have no capture."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What a page is read for."""

    row: Row
    capture: Capture
    check: Check | None
    """Of a post; None for what was refused."""


class Reprocessing:
    """One run over the captures of some sources."""

    def __init__(self, run: Run, sources: Sequence[Source], *, plan: bool = False) -> None:
        """``plan``: nothing is written."""
        run.live = run.watch.live = False  # captures say nothing of how a source fares now
        run.watch.past = True
        run.memory = Hindsight(run.ledger)
        self._run, self._plan = run, plan
        self._sources = {source.id: source for source in sources}
        self._writer = Writer(run.site)
        self._batch: list[Rewrite] = []
        self._struck: set[tuple[str, int]] = set()
        self._tell: Callable[[Change], None] = lambda change: None
        self._first_round = True
        self.done = Reprocessed()

    def work(
        self,
        key: str = "",
        jobs: int = 1,
        *,
        own_python: bool = False,
        tell: Callable[[Change], None] = lambda change: None,
    ) -> Reprocessed:
        """All posts and refused articles of the sources, or those of one ``key``. ``tell`` is given each change as it
        is found. Raises OSError."""
        self._tell = tell
        run, sources = self._run, list(self._sources.values())
        about = sources, run.outlets.agencies, run.memory, run.ledger.path
        with (
            Readers(*about, jobs=jobs, own_python=own_python, hindsight=True) as readers,
            in_good_order(run.report),
        ):
            work: Iterable[_Work] = self._all(key)
            for number in range(_ROUNDS):
                self._first_round = number == 0
                for task, outcome in readers.read(self._tasks(work)):
                    self._settle(task, outcome)
                    if run.report.interrupted:
                        break
                self._flush()
                if self._plan or run.report.interrupted or not (work := self._again(key)):
                    break
        return self.done

    # what is read

    def _all(self, key: str) -> Iterator[_Work]:
        for source in self._sources:
            for check in posts_of(self._run.ledger, source, key):
                capture = self._run.ledger.find_capture(check.capture) if check.capture else None
                if capture is None:
                    self.done.without += 1
                else:
                    yield _Work(check.row, capture, check)
        yield from self._refused(key)

    def _refused(self, key: str) -> Iterator[_Work]:
        """Articles that were refused, and the latest capture of their address."""
        named = (articles.c.key == key,) if key else ()
        chosen = articles.c.source.in_(self._sources), articles.c.state == "refused", *named
        rows = self._run.ledger.read(sa.select(*ROW).where(*chosen).order_by(articles.c.id))
        found = [Row(**{**row._mapping, "hints": json.loads(row.hints)}) for row in rows]
        by_address = {address: row for row in found if (address := self._address(row))}
        if not by_address:
            return
        latest: dict[int, Capture] = {}
        for one in self._run.ledger.read(sa.select(captures).order_by(captures.c.segment, captures.c.offset)):
            if (row := by_address.get(one.url)) is not None:
                latest[row.id] = Capture(**one._mapping)
        yield from (_Work(row, latest[row.id], None) for row in found if row.id in latest)

    def _address(self, row: Row) -> str:
        try:
            return article_address(self._sources[row.source], row.key, row.hints)
        except ValueError:
            return ""

    def _again(self, key: str) -> list[_Work]:
        """Posts that are the first to hold what others were freed of in this round."""
        struck, self._struck = self._struck, set()
        keys: set[tuple[str, str]] = set()
        for source in {source for source, _ in struck}:
            prints = [one for whose, one in struck if whose == source]
            for start in range(0, len(prints), _CHUNK):
                chosen = blocks.c.source == source, blocks.c.fingerprint.in_(prints[start : start + _CHUNK])
                keys |= {(source, row.key) for row in self._run.ledger.read(sa.select(blocks.c.key).where(*chosen))}
        wanted = sorted(one for one in keys if key in ("", one[1]))
        found = [check for source, one in wanted for check in posts_of(self._run.ledger, source, one)]
        work = [(check, self._run.ledger.find_capture(check.capture)) for check in found if check.capture]
        return [_Work(check.row, capture, check) for check, capture in work if capture]

    def _tasks(self, work: Iterable[_Work]) -> Iterator[Task]:
        for one in work:
            try:
                response = read_capture(self._run.captures.folder, one.capture)
            except CaptureError as error:
                self._leave(one, str(error))
                continue
            yield Task(self._with_hints(one), response, mark=one)

    def _with_hints(self, work: _Work) -> Row:
        """A ledger made anew may not know what the list said: then the post does."""
        if work.row.hints or work.check is None:
            return work.row
        try:
            post = read_post((self._run.archive / work.check.path).read_bytes())
        except (OSError, PostError):
            return work.row
        said = {"title": post.title, "published": str(post.date), "outlet": post.fields.get("attribution_raw")}
        said |= {"digest": post.digest or post.fields.get("digest"), "section": post.fields.get("section")}
        if "{url}" in self._sources[work.row.source].post.link:
            said["url"] = post.link
        return changed(work.row, hints={name: str(value) for name, value in said.items() if value})

    # what becomes of it

    def _settle(self, task: Task, outcome: Outcome) -> None:
        work: _Work = task.mark
        article = outcome.article
        self._run.report.faults += outcome.fault
        try:
            if article is None:
                raise Refused(outcome.reason)
            if article.key != work.row.key:
                raise Refused(f"the page says that it is {article.key}")
            if work.check is None:
                self._becomes_post(task.row, article)
            else:
                self._compare(work.check, article)
        except (Refused, ValueError) as error:
            self._leave(work, str(error))

    def _leave(self, work: _Work, reason: str) -> None:
        if work.check is None:
            self.done.refused += 1
        else:
            self.done.left[work.check.path] = reason

    def _becomes_post(self, row: Row, article: Article) -> None:
        made = self._made(article, new=True)
        if self._run.has(article.space, article.key):
            return
        self.done.new += 1
        self._tell(Change(row.source, row.key, made.path, new=True))
        if not self._plan:
            self._run.report.of(row.source).new += 1
            self._run.keep(made)
            self._note_struck(made, None)

    def _made(self, article: Article, *, new: bool = False) -> Made:
        """Raises Refused and ValueError."""
        source = self._sources[article.source]
        judged(article, source, self._run.watch)
        pictured(article, source, self._run)
        attribute(article, source, self._run.outlets)
        if new:
            pointed(article, source, self._run)
        return self._writer.post(article, source)

    def _compare(self, check: Check, article: Article) -> None:
        """Raises Refused for what may not replace the post."""
        file = self._run.archive / check.path
        old = file.read_bytes() if file.is_file() else b""
        if sha256(old).hexdigest() != check.digest:
            raise Refused("the post was changed by hand; it stays")
        post = read_post(old)
        self._dress(article, post, check)
        made = self._made(article)
        told = self._run.memory.told(made.space, made.key)
        if made.data == old and _told(made) == told:
            self.done.same += self._first_round
            return
        new = read_post(made.data)
        verdict = judge(self._text(post, made), Text(new.title, text_of(new.body)))
        if verdict not in ("same", "edit") and _points(post) == _points(new):
            raise Refused(f"{verdict} by today's rules; the post stays")
        if made.data != old:
            self.done.changed += 1
            diff = _diff(check.path, old, made.data) if self._plan else ()
            self._tell(Change(made.source, made.key, check.path, diff))
        if not self._plan:
            self._note_struck(made, told)
            self._replace(check, old, made, keep_old=_words(post) != _words(new) and not _points(post))

    def _dress(self, article: Article, post: Post, check: Check) -> None:
        """What stays: the day, for the address is made of it, and what is known of edits."""
        style = self._writer.style(self._sources[article.source])
        zone = ZoneInfo(style.timezone)
        date = post.date if post.date.tzinfo else post.date.replace(tzinfo=zone)
        if article.published is None or article.published.astimezone(zone).date() != date.astimezone(zone).date():
            article.published = date
        article.pointer = self._pointer(article, post)
        article.revisions = check.revision
        if edited := post.fields.get("last_modified_at"):
            article.last_modified = datetime.strptime(str(edited), "%Y-%m-%d %H:%M:%S %z")

    def _pointer(self, article: Article, post: Post) -> str:
        """A post that points to another does so for as long as its source's copies are to; none begins to."""
        wanted = self._sources[article.source].post.duplicates or self._run.site.duplicates
        return str(post.fields.get("pointer") or "") if wanted == "pointer" else ""

    def _text(self, post: Post, made: Made) -> Text:
        """Of a post, without what other pages of the source have shown to be theirs as well."""
        lines = text_of(post.body).split("\n")
        if made.reading is not None and made.reading.struck:
            from crawler.extract.body import fingerprint  # with all of the extractor

            struck = set(made.reading.struck)
            lines = [line for line in lines if fingerprint(squeeze(line)) not in struck]
        return Text(post.title, "\n".join(lines))

    def _note_struck(self, made: Made, told: Told | None) -> None:
        if made.reading is not None:
            known = told.struck if told else frozenset()
            self._struck |= {(made.source, one) for one in made.reading.struck if one not in known}

    def _replace(self, check: Check, old: bytes, made: Made, *, keep_old: bool) -> None:
        notes = json.dumps(made.notes, ensure_ascii=False, sort_keys=True) if made.notes else ""
        assert made.text is not None
        text = {"space": made.space, "key": made.key, **asdict(made.text), "outlet": int(made.text.outlet)}
        self._batch.append(Rewrite(check.row.id, check.path, old, made.data, notes, text, keep_old))
        self._run.memory.edited(made)
        self._run.stories.edited(made.noted)
        if len(self._batch) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        """New posts, then those that are replaced, each batch durable before the ledger says so. Raises OSError."""
        batch, self._batch = self._batch, []
        if self._plan:
            self._run.images.take()  # files that were lost, and would be made anew
            return
        more = self._run.memory.statements([])
        self._run.flush()
        write(self._run.archive, self._run.ledger, batch, more)


def _told(made: Made) -> Told | None:
    if (reading := made.reading) is None:
        return None
    return Told(frozenset(reading.struck), frozenset(reading.spared), tuple(reading.siblings))


def _points(post: Post) -> bool:
    return bool(post.fields.get("pointer"))


def _words(post: Post) -> tuple[str, str]:
    return normal(post.title), normal(text_of(post.body))


def _diff(path: str, old: bytes, new: bytes) -> tuple[str, ...]:
    before, after = _lines(old), _lines(new)
    if before == after:
        before, after = old.decode().split("\n"), new.decode().split("\n")
    return tuple(unified_diff(before, after, path, path, "as it is", "read anew", n=1, lineterm=""))


def _lines(data: bytes) -> list[str]:
    """Front matter, and the text as plain paragraphs."""
    front = data.decode().split("---\n", 2)[1].split("\n")
    return [*front, *text_of(read_post(data).body).split("\n")]
