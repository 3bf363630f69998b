"""Second looks at articles, as a run sees them: edits, tombstones, and all that is neither. Knows no Scrapy.

A post is replaced only by a page that went the whole way of an article and resembles it; its old version is kept first.
Nothing else that a look finds touches a post.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from crawler.archive import rewrites
from crawler.archive.captures import CaptureError, Response, payload_digest, read_capture
from crawler.archive.checks import Check, due, settle
from crawler.archive.images import files, shown
from crawler.archive.ledger import articles, stamp
from crawler.archive.markup import text_of
from crawler.archive.post import Post, PostError, read_post
from crawler.archive.revisions import FOLDER, Edit, folder_of, free_number, write
from crawler.edits import Text, following, judge, normal, strays
from crawler.items import Article

if TYPE_CHECKING:
    from crawler.run import Post as Made
    from crawler.run import Run

MOST = 500
"""Looks at one source in one run, so that the run stays bounded."""
SIGHTINGS = 2
"""Looks in a row that find an article gone before its tombstone is set: one may be the site's mishap."""
_COMPARED = 20
"""Latest posts of a source that are asked whether a line is the site's own."""
_OTHERS = 2
"""Of them, those that must hold it."""
_ASTRAY = timedelta(days=1)
"""What clocks may differ by."""
_NOTES = sa.select(articles.c.notes).where(articles.c.id == sa.bindparam("row"))
_AGAIN = timedelta(hours=1)
"""When it is looked again where no answer came, or to be sure that an article is gone."""


@dataclass(slots=True)
class Look:
    """A look at one article that is under way."""

    check: Check
    address: str
    seen_at: datetime
    """When the answer was captured."""
    etag: str = ""
    modified: str = ""
    record: Response | None = None
    """The answer as it came, where its source keeps captures."""
    says_gone: bool = False
    """Whether the page's own headings say that there is nothing."""
    old: bytes = b""
    post: Post | None = None
    """The same, read."""
    number: int = 0
    """Under which the old version will be kept."""

    @property
    def digest(self) -> str:
        """Of the answer's payload; empty where captures are off."""
        return payload_digest(self.record.payload) if self.record else ""


class Changes:
    """What the looks of one run find, made durable with its batches."""

    def __init__(self, run: Run, spans: dict[str, Sequence[timedelta]]) -> None:
        """``spans``: source -> how long after an article became a post it is looked at again."""
        self._run = run
        self._spans = spans
        self._looks: dict[tuple[str, str], Look] = {}
        self._edits: list[tuple[Edit, str]] = []
        self._shown: list[rewrites.Rewrite] = []
        self._outcomes: dict[int, dict[str, Any]] = {}
        self._lines: dict[str, dict[str, frozenset[str]]] = {}  # source -> path -> lines of its latest posts

    def due(self, source: str, most: int) -> list[Check]:
        """Posts of a source that are due for a look."""
        if not (spans := self._spans.get(source)):
            return []
        self._mistrust(source, self._run.now + max(spans) + _ASTRAY)
        return due(self._run.ledger, source, self._run.now, min(most, MOST))

    def _mistrust(self, source: str, latest: datetime) -> None:
        """Looks that are due later than any can be were noted by a clock that was wrong: their posts are of now."""
        astray = sa.text("check_due != ''"), articles.c.source == source, articles.c.check_due > stamp(latest)
        if self._run.ledger.read(sa.select(articles.c.id).where(*astray).limit(1)):
            here = stamp(self._run.now)
            self._run.ledger.write(articles.update().where(*astray).values(since=here, check_due=here))

    def first(self, source: str, published: datetime | None = None) -> tuple[str, str]:
        """(stamp of now, stamp of the first look) for an article that becomes a post now; no look is due at one that
        was ``published`` longer ago than the last of them would be."""
        now, spans = self._run.now, self._spans.get(source, ())
        since = stamp(now)
        if published is not None and spans and now - published > max(spans):
            return since, ""
        return since, following(since, spans, now)

    # what an answer means

    def same(self, check: Check, look: Look | None = None) -> None:
        """The article is as it was; ``look``: the whole answer that says so, if it was no 304."""
        self._settle(check, missing=0, gone="", reason="", **(self._validators(look) if look else {}))

    def post_of(self, check: Check) -> bytes:
        """The post as it lies; nothing where it is missing, or was changed by hand."""
        path = self._run.archive / check.path
        data = path.read_bytes() if path.is_file() else b""
        return data if sha256(data).hexdigest() == check.digest else b""

    def show(self, check: Check, old: bytes) -> None:
        """Let a post show images that are kept by now. Its words are the same: it is no edit."""
        new = shown(old.decode(), self._run.images.find, self._run.site.baseurl).encode()
        if new != old:
            notes = self._run.ledger.read(_NOTES, {"row": check.row.id})[0].notes
            self._shown.append(rewrites.Rewrite(check.row.id, check.path, old, new, notes, None, keep_old=False))

    def missing(self, check: Check, address: str, what: str) -> None:
        """The article is not there any more; believed at the second sighting."""
        told: dict[str, Any] = {"missing": check.missing + 1, "reason": f"recheck: {what}"}
        if told["missing"] >= SIGHTINGS and not check.gone:
            told["gone"] = stamp(self._run.now)
            report = self._run.report.of(check.row.source)
            report.gone += 1
            report.problem(address, f"gone upstream ({what}); its post stays")
        soon = stamp(self._run.now + _AGAIN) if told["missing"] < SIGHTINGS else ""
        self._settle(check, **told, **({"check_due": soon} if soon else {}))

    def unanswered(self, check: Check, address: str, reason: str) -> None:
        """No answer came; it is looked again in a while."""
        self._report(check, address, reason)
        self._outcomes[check.row.id] = {"check_due": stamp(self._run.now + _AGAIN)}

    def never(self, check: Check, address: str, reason: str) -> None:
        """No address can be made for it: it is not looked at again."""
        self._report(check, address, reason)
        self._outcomes[check.row.id] = {"check_due": ""}

    def reject(self, check: Check, address: str, reason: str, record: Response | None = None) -> None:
        """The page may not replace the post: its capture is kept, and the reason."""
        if record is not None:
            self._run.capture(record)
        report = self._run.report.of(check.row.source)
        report.refused += 1
        self._report(check, address, reason)
        self._settle(check, reason=f"recheck: {reason}")

    def _report(self, check: Check, address: str, reason: str) -> None:
        self._run.report.of(check.row.source).problem(address, f"recheck: {reason}")

    # a page on its way

    def begin(self, look: Look) -> bool:
        """Whether the page may go on its way to the post: not where that is missing, or was changed by hand."""
        path = self._run.archive / look.check.path
        look.old = path.read_bytes() if path.is_file() else b""
        if sha256(look.old).hexdigest() != look.check.digest:
            self.reject(look.check, look.address, "the post was changed by hand; it stays", _aside(look))
            return False
        look.post = read_post(look.old)
        self._looks[look.check.row.space, look.check.row.key] = look
        return True

    def look_at(self, space: str, key: str) -> Look | None:
        """The look that is under way at this article."""
        return self._looks.get((space, key))

    def dress(self, article: Article, timezone: str) -> None:
        """Give an article under a look what its post keeps, whatever the page says now: its address follows from
        them. The time of the change is the page's own, else that of the capture that brought it."""
        look = self.look_at(article.space, article.key)
        if look is None or look.post is None:
            return
        date = look.post.date
        article.published = date if date.tzinfo else date.replace(tzinfo=ZoneInfo(timezone))
        article.category, article.tags = look.post.categories[0], look.post.tags
        article.pointer = str(look.post.fields.get("pointer") or "")
        look.number = free_number(self._run.archive, look.check.path, look.old, look.check.revision + 1)
        article.revisions = look.number
        article.last_modified = article.modified or self._captured_at(look)

    def _captured_at(self, look: Look) -> datetime:
        """When the answer was captured first, if a run that was killed captured it already: a rerun agrees."""
        digest, ledger = look.digest, self._run.ledger
        if not digest or not ledger.captured(digest, look.address):
            return look.seen_at
        capture = ledger.find_capture(digest)
        try:
            there = read_capture(self._run.captures.folder, capture) if capture else None
        except CaptureError:
            there = None
        assert look.post is not None
        latest = max(look.check.since, str(look.post.fields.get("last_modified_at", "")))
        return datetime.fromisoformat(there.date) if there and there.date > latest else look.seen_at

    def take(self, made: Made) -> bool:
        """Whether this post came of a second look; it replaces the one that is there if it is an edit."""
        look = self._looks.pop((made.space, made.key), None)
        if look is None or look.post is None:
            return False
        if made.source in self._run.watch.stopped:
            return True  # its layout may have changed; the article stays due
        new = read_post(made.data)
        texts = Text(look.post.title, text_of(look.post.body)), Text(new.title, text_of(new.body))
        verdict = judge(*texts)
        if verdict == "same" or (verdict == "edit" and self._is_furniture(look.check, strays(*texts))):
            self.same(look.check, look)
            if files(new.body):
                self.show(look.check, look.old)
        elif verdict == "edit":
            self._accept(look, made)
        elif look.says_gone:
            self.missing(look.check, look.address, "the page says so")
        else:
            self.reject(look.check, look.address, verdict, _aside(look))
        return True

    def _is_furniture(self, check: Check, lines: Collection[str]) -> bool:
        """Whether each of these lines stands in other posts of the source as well: what came or went is the site's,
        such as advertising that says nothing of being that. The first posts that it reaches are taken for edits."""
        if not lines:
            return False
        source = check.row.source
        if source not in self._lines:
            chosen = sa.text("check_due != ''"), articles.c.source == source
            latest = sa.select(articles.c.path).where(*chosen).order_by(articles.c.check_due.desc()).limit(_COMPARED)
            files = {row.path: self._run.archive / row.path for row in self._run.ledger.read(latest)}
            self._lines[source] = {path: _lines_of(file.read_bytes()) for path, file in files.items() if file.is_file()}
        others = [there for path, there in self._lines[source].items() if path != check.path]
        return all(sum(line in there for there in others) >= _OTHERS for line in lines)

    def refused(self, space: str, key: str, reason: str) -> bool:
        """Whether the page that was refused came of a second look."""
        look = self._looks.pop((space, key), None)
        if look is None:
            return False
        if look.says_gone or reason.startswith("soft-404"):
            self.missing(look.check, look.address, "the page says so")
        else:
            self.reject(look.check, look.address, reason, _aside(look))
        return True

    def _accept(self, look: Look, made: Made) -> None:
        source = look.check.row.source
        self._edits.append((Edit(look.check.path, look.old, made.data, look.number), source))
        self._run.memory.edited(made)
        self._run.stories.edited(made.noted)
        if source in self._lines:
            self._lines[source][look.check.path] = _lines_of(made.data)
        digest = sha256(made.data).hexdigest()
        told = {"missing": 0, "gone": "", "reason": "", "digest": digest, "revision": look.number}
        told["capture"] = self._keep(look)
        self._settle(look.check, **told, etag=look.etag, modified=look.modified)

    def _validators(self, look: Look) -> dict[str, Any]:
        """Those of an answer that differs in nothing that counts. It is kept where no capture of the article is."""
        told = {"etag": look.etag, "modified": look.modified}
        if look.record and not look.check.capture:
            told["capture"] = self._keep(look)
        return told

    def _keep(self, look: Look) -> str:
        """Keep an answer as the capture of its article; its digest."""
        return self._run.capture(_noted(look.record, "article")) if look.record else ""

    def _settle(self, check: Check, **told: Any) -> None:
        following_look = following(check.since, self._spans.get(check.row.source, ()), self._run.now)
        self._outcomes[check.row.id] = {"checks": check.checks + 1, "check_due": following_look, **told}

    # durable

    @property
    def full(self) -> bool:
        """Whether there is enough for a batch."""
        return len(self._outcomes) >= MOST // 4

    def flush(self) -> None:
        """Keep the old versions, then replace the posts, then say in the ledger what was found. The captures are
        committed already. Raises OSError."""
        write(self._run.archive, [edit for edit, _ in self._edits])
        rewrites.write(self._run.archive, self._run.ledger, self._shown)
        self._shown.clear()
        if not self._outcomes:
            return
        settle(self._run.ledger, self._outcomes)
        for _, source in self._edits:
            self._run.report.of(source).edited += 1
        self._edits.clear()
        self._outcomes.clear()


def _lines_of(data: bytes) -> frozenset[str]:
    """Of a post's body, in their normal form; none of a post that was changed by hand so that it cannot be read."""
    try:
        return frozenset(map(normal, text_of(read_post(data).body).split("\n")))
    except PostError:
        return frozenset()


def _aside(look: Look) -> Response | None:
    """The answer as a capture that no post is made from."""
    return _noted(look.record, "check") if look.record else None


def _noted(record: Response, role: str) -> Response:
    return changed(record, notes={**record.notes, "role": role})


def revision_faults(archive: Path, counted: dict[str, int]) -> list[tuple[str, str]]:
    """Earlier versions that the ledger names and that are not there, or the other way round: (file, what).
    ``counted``: path of a post -> number of its versions."""
    named = {f"{folder_of(path)}/{n}.md" for path, count in counted.items() for n in range(1, count + 1)}
    there = {str(file.relative_to(archive)) for file in (archive / FOLDER).rglob("[1-9]*.md")}
    lost = [(file, "ledger: names this earlier version, but it is not there") for file in sorted(named - there)]
    return lost + [(file, "ledger: does not know this earlier version") for file in sorted(there - named)]
