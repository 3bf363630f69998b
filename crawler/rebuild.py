"""Makes the ledger anew from what cannot be lost: posts, captures, and the lists among the captures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from scrapy.utils.misc import load_object

from crawler import settings
from crawler.archive.captures import CaptureError, Response, read_segment, unpacked
from crawler.archive.ledger import Capture, Entry, Kept, Ledger
from crawler.archive.locks import Lock
from crawler.archive.markup import text_of
from crawler.archive.reader import Post, PostError, read_any
from crawler.coverage import remember
from crawler.days import Days
from crawler.edits import following
from crawler.extract.page import Page
from crawler.gate import digest
from crawler.images import ADD, row_of
from crawler.lists import AnyList, ListBase
from crawler.memory import Remade
from crawler.recall import recall
from crawler.run import load_outlets, state_folder
from crawler.site import Site
from crawler.sitedata import refresh
from crawler.sources import Source
from crawler.syndication.build import build
from crawler.verify import post_files
from crawler.whose import Whose

_DRAFT = ".ledger.tmp"


@dataclass(frozen=True, slots=True)
class Answer:
    """The captured answer that an article's post was made from."""

    digest: str
    etag: str
    modified: str
    since: str
    """When the article was captured first."""


Answers = dict[tuple[str, str], Answer]
"""By source and key."""


@dataclass(slots=True)
class Rebuilt:
    """What was found."""

    posts: int = 0
    captures: int = 0
    waiting: int = 0
    """Articles that lists among the captures name and that have no post."""
    unclear: list[str] = field(default_factory=list)
    """Posts whose source or key cannot be told, and captures that cannot be read."""
    gone: int = 0
    """Tombstones that run reports name."""
    aside: str = ""
    """Where the old ledger went."""


def rebuild(archive: Path, site: Site, sources: Sequence[Source]) -> Rebuilt:
    """Set the old ledger aside and write a new one. Posts and captures are read, never written. Raises Busy.

    The new one is made beside and takes its place as a whole: a killed rebuild leaves no half a ledger.
    """
    state = state_folder(archive, site)
    state.mkdir(parents=True, exist_ok=True)
    lock = Lock(archive, state)
    done = Rebuilt()
    try:
        for left in state.glob(f"{_DRAFT}*"):
            left.unlink()
        ledger = Ledger(state / _DRAFT)
        made = _from_captures(ledger, state / "captures", sources, done)
        _from_posts(ledger, archive, sources, made, done)
        names = {source.id: source.name for source in sources}
        build(archive, ledger, load_outlets(archive), names, site.timezone)
        _open_walks(ledger, sources)
        done.gone = recall(ledger, state / "runs", sources)
        done.waiting = sum(states.get("queued", 0) for states in ledger.counts().values())
        ledger.close()
        done.aside = _set_aside(state)
        (state / _DRAFT).rename(state / "ledger.sqlite")
        _write_pages(archive, site, sources, state)
    finally:
        lock.release()
    return done


def _write_pages(archive: Path, site: Site, sources: Sequence[Source], state: Path) -> None:
    """All anew: the new ledger may know other posts than the old one did. Raises OSError."""
    ledger = Ledger(state / "ledger.sqlite")
    refresh(archive, site, ledger, load_outlets(archive), sources)
    ledger.close()


def _set_aside(state: Path) -> str:
    """The file and its write-ahead log go together: a log alone would be taken for another ledger's."""
    name = f"ledger.{datetime.now(UTC):%Y%m%dT%H%M%S%f}.old"
    for suffix in ("", "-wal", "-shm"):
        path = state / f"ledger.sqlite{suffix}"
        if path.exists():
            path.rename(state / f"{name}{suffix}")
    return name if (state / name).exists() else ""


def _from_captures(ledger: Ledger, folder: Path, sources: Sequence[Source], done: Rebuilt) -> Answers:
    """Index the captures, and discover again what the lists among them name."""
    readers = {source.id: ListReader(source) for source in sources}
    answers: Answers = {}
    read: dict[tuple[str, str], datetime] = {}
    for path in sorted([*folder.glob("*.warc.gz"), *folder.glob("*.warc.gz.open")]):
        made: list[Capture] = []
        images: list[dict[str, str]] = []
        for capture, response in _readable(path, done):
            made.append(capture)
            source, role = response.notes.get("source", ""), response.notes.get("role")
            if (image := row_of(response, capture.digest)) is not None:
                images.append(image)
            elif role == "article":
                whose_answer = source, response.notes.get("key", "")
                answers[whose_answer] = _answer(capture, response, answers.get(whose_answer))
            elif role == "list" and source in readers:
                readers[source].discover(ledger, response)
                read[source, response.url] = datetime.fromisoformat(response.date)
        whole = sum(capture.length for capture in made)
        ledger.keep([], made, {path.name.removesuffix(".open"): whole}, more=[(ADD, images)] if images else [])
        done.captures += len(made)
    _remember_lists(ledger, sources, read)
    return answers


def _remember_lists(ledger: Ledger, sources: Sequence[Source], read: Mapping[tuple[str, str], datetime]) -> None:
    """When each list was last read, so that its next walk is held to reach what was known then."""
    for source in sources:
        for one in source.lists:
            for url in one.urls if isinstance(one, ListBase) else ():
                if when := read.get((source.id, url)):
                    remember(ledger, source.id, url, when)


def _answer(capture: Capture, response: Response, before: Answer | None) -> Answer:
    headers = {name.lower(): value for name, value in response.headers}
    since = before.since if before else response.date
    if response.kind != "response":  # no page of the site that could be looked at again
        since = ""
    return Answer(capture.digest, headers.get("etag", ""), headers.get("last-modified", ""), since)


def _readable(path: Path, done: Rebuilt) -> Iterator[tuple[Capture, Response]]:
    """Records up to the first that cannot be read; the next crawl sets the rest aside."""
    try:
        yield from read_segment(path)
    except CaptureError as error:
        done.unclear.append(str(error))


class ListReader:
    """Reads captured list pages of one source again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        ways: Any = load_object(settings.WAYS)(source)
        self._lists: list[tuple[AnyList, Any]] = [(one, ways.walk(one)) for one in source.lists]

    def discover(self, ledger: Ledger, response: Response) -> None:
        """Queue what the page names."""
        if entries := self.entries(response):
            seen = datetime.fromisoformat(response.date)
            ledger.discover(self._source.id, self._source.space, entries, seen)

    def entries(self, response: Response) -> Sequence[Entry]:
        """What the page names; the list whose own address it is is tried first, then the others."""
        page = Page(unpacked(response), response.url)
        own_first = sorted(self._lists, key=lambda pair: response.url not in pair[0].addresses)
        for _, walk in own_first:
            try:
                entries: Sequence[Entry] = walk.read(page).entries
            except ValueError:
                continue
            if entries:
                return entries
        return ()


def _from_posts(ledger: Ledger, archive: Path, sources: Sequence[Source], made: Answers, done: Rebuilt) -> None:
    kept, words = [], []
    memories = {source.id: Remade(source.id, source.space) for source in sources if not source.is_ruled}
    spans, owners = {source.id: source.spans for source in sources}, Owners(sources)
    for path in post_files(archive):
        data, name = path.read_bytes(), str(path.relative_to(archive))
        try:
            post = read_any(data, path.name)  # it may have been imported
        except PostError:
            found = None
        else:
            found = owners.of(path, post)
        if found is None:
            done.unclear.append(f"{name}: its source or key cannot be told")
            continue
        source, space, key = found
        kept.append(_kept(Kept(space, key, source, name, sha256(data).hexdigest()), post, made, spans.get(source, ())))
        words.append({"space": space, "key": key, "source": source, **words_of(post)})
        if source in memories:
            memories[source].learn(key, text_of(post.body).split("\n"))
    ledger.keep(kept, words=words, more=[one for memory in memories.values() for one in memory.statements])
    done.posts = len(kept)


def plain_text(post: Post) -> str:
    """Of its body, a paragraph a line."""
    return "\n".join(line for line in text_of(post.body).split("\n") if line.strip())


def words_of(post: Post) -> dict[str, Any]:
    """What the gate remembers of a post's text. Whether its page said itself when it was published is not known."""
    plain = plain_text(post)
    credited, length = bool(post.fields.get("attribution")), sum(map(len, plain.split("\n")))
    told = {"digest": digest(plain), "title": digest(post.title), "length": length}
    return {**told, "outlet": int(credited), "dated": 0}


def _kept(kept: Kept, post: Post, made: Answers, spans: Sequence[timedelta]) -> Kept:
    """With what the captures say of it, and the number of earlier versions that the post itself names. Looks that it
    had are not known: the next look tells again."""
    revisions = str(post.fields.get("revisions"))
    kept = replace(kept, revision=int(revisions) if revisions.isdecimal() else 0)
    if (answer := made.get((kept.source, kept.key))) is None:
        return kept
    due = following(answer.since, spans, datetime.now(UTC))
    kept = replace(kept, capture=answer.digest, etag=answer.etag, modified=answer.modified)
    return replace(kept, since=answer.since, check_due=due)


class Owners:
    """Whose posts are."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._by_id = {source.id: source for source in sources}
        self._by_address = Whose(sources)

    def of(self, path: Path, post: Post) -> tuple[str, str, str] | None:
        """(source, space, key) of a post: by its front matter, else by its name and category, else by the address of
        its original; None if none of them tells."""
        front = post.fields
        source = self._by_id.get(str(front.get("source", "")))
        if source is not None and front.get("key"):
            return source.id, source.space, str(front["key"])
        if front.get("source") and front.get("key"):
            return str(front["source"]), str(front.get("space") or front["source"]), str(front["key"])
        for one in self._sources:
            if key := _key_by_name(path.stem[11:], post, one):
                return one.id, one.space, key
        found = self._by_address.of_printed(str(front.get("original") or post.link))
        return (found[0].id, found[0].space, found[1]) if found else None


def _key_by_name(name: str, post: Post, source: Source) -> str:
    """The key in a file name, where the source names its posts so and their category fits."""
    pattern = source.post.file.replace("{space}", source.space).replace("{source}", source.id)
    before, _, after = pattern.partition("{key}")
    if not (name.startswith(before) and name.endswith(after)):
        return ""
    key = name[len(before) : len(name) - len(after)]
    fixed = "{" not in source.post.category
    if fixed and source.post.category not in post.categories:
        return ""
    return key if any(pattern.search(key) for pattern in source.key_patterns) else ""


def _open_walks(ledger: Ledger, sources: Sequence[Source]) -> None:
    """How far walks had come is lost with the ledger: the next ones do not stop at what is known."""
    for source in sources:
        ways: Any = load_object(settings.WAYS)(source)
        for one in source.lists:
            if isinstance(one, ListBase) and one.has_pages:
                for url in ways.walk(one).starts(Days.latest(datetime.now(UTC), source.zone, one.days)):
                    ledger.open_walk(url)
