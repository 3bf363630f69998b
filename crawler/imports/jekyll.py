"""Posts of a Jekyll site become an archive's: their bytes and names stay, so that each keeps its address.

Order of writes, for a batch: files, durable and never over others, then rows of the ledger, in one transaction. A file
that is there before its row is taken for what it is, so an import that was killed goes on when it is called again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from crawler.archive import revisions
from crawler.archive.ledger import Kept, Ledger, LedgerLost, articles
from crawler.archive.locks import Lock
from crawler.archive.posts import Pending, sweep, write_all
from crawler.archive.reader import Post, PostError
from crawler.ending import in_good_order
from crawler.imports.judge import Judge, Judged
from crawler.rebuild import Owners, plain_text, words_of
from crawler.report import Report
from crawler.run import load_outlets, state_folder
from crawler.site import Site, config_faults
from crawler.sitedata import PAGES, refresh
from crawler.sources import Source
from crawler.syndication.sketch import sketch
from crawler.syndication.stories import Noted, Stories, Told
from crawler.yamlfile import SettingsError, load_yaml

_BATCH = 64
"""Posts that become durable together."""
_FOLDERS = "_posts", "old_post"
"""Where posts lie; one archive moved its own to the second once they were some days old."""
_OTHER_KINDS = (".markdown", ".mkd", ".mkdn", ".html", ".htm", ".textile")
_DIGITS = 8
"""Of the shortest number by which two files are known to be of one article."""
_T = TypeVar("_T")
_Row = sa.Row[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be taken, and as whose."""

    source: str = "imported"
    """Id under which posts go that are of no known source."""
    strict: bool = False
    """Leave out what breaks presskeep's own rules, too."""
    force: bool = False
    """Take what may stop the build of the site, or would have another address."""
    dry_run: bool = False
    """Write nothing."""


@dataclass(slots=True)
class Imported:
    """What one call did."""

    new: int = 0
    there: int = 0
    """Posts that the archive had already."""
    left: int = 0
    """Posts that were left out."""
    faulty: int = 0
    """Posts that were taken though they break rules."""
    twins: int = 0
    """Posts that are another file of an article."""
    rules: dict[str, int] = field(default_factory=dict)
    """Rule -> how many posts break it."""
    interrupted: bool = False
    """Whether a signal ended it before all was looked at."""


@dataclass(frozen=True, slots=True)
class _File:
    """A post's file at the site that it comes from."""

    path: Path
    name: str
    """Path below the site, for people."""
    folders: tuple[str, ...]
    """That ``_posts`` lies in."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A post that is to be taken."""

    kept: Kept
    post: Post
    data: bytes | None
    """To be written; None where the file is there."""


@dataclass(slots=True)
class _Day:
    """Posts of one day in file names: what neighbours are told apart by."""

    day: str = ""
    addresses: dict[str, str] = field(default_factory=dict)
    """Address -> file."""
    titles: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Headline -> (name without day, file) of each post that has it."""


Tell = Callable[[str, str], None]
"""Told (file, what) of each post that is left out, breaks rules, or is there under two names."""


def take(
    origin: Path, archive: Path, site: Site, sources: Sequence[Source], wish: Wish, tell: Tell = lambda file, what: None
) -> Imported:
    """Take the posts of the Jekyll site, or the folder of posts, in ``origin``.

    The archive may be that very site: then nothing is moved. Raises Busy, LedgerError, SettingsError where all of its
    posts would have other addresses, OSError.
    """
    there = _zone_there(origin, archive, site, wish)
    if wish.dry_run:
        ledger = _ledger_to_read(archive, site)
        try:
            return _Taking(origin, archive, site, sources, wish, ledger, there, tell).all()
        finally:
            if ledger is not None:
                ledger.close()
    state = state_folder(archive, site)
    state.mkdir(parents=True, exist_ok=True)
    lock = Lock(archive, state)
    try:
        _miss_no_ledger(origin, archive, state)
        for name in ("_posts", *PAGES):
            sweep(archive / name)
        ledger = Ledger(state / "ledger.sqlite")
        try:
            done = _Taking(origin, archive, site, sources, wish, ledger, there, tell).all()
            refresh(archive, site, ledger, load_outlets(archive), sources)
        finally:
            ledger.close()
    finally:
        lock.release()
    return done


def _zone_there(origin: Path, archive: Path, site: Site, wish: Wish) -> ZoneInfo | None:
    """The zone of the site that posts come from; None where it has no settings, or is the archive itself."""
    config = origin / "_config.yml"
    if not config.is_file() or origin.resolve() == archive.resolve():
        return None
    keys = ("_config.yml: permalink ", "_config.yml: baseurl ")
    if not wish.force and (faults := [line for line in config_faults(origin, site) if line.startswith(keys)]):
        raise SettingsError(
            [*(f"{origin}/{line}" for line in faults), "Next: the same with --force, or other settings"]
        )
    try:
        return ZoneInfo(str((load_yaml(config).value or {}).get("timezone") or ""))
    except (ValueError, OSError, LookupError):
        return None


def _ledger_to_read(archive: Path, site: Site) -> Ledger | None:
    path = state_folder(archive, site) / "ledger.sqlite"
    return Ledger.to_read(path) if path.is_file() else None


def _miss_no_ledger(origin: Path, archive: Path, state: Path) -> None:
    """Beside captures, or posts other than those that are imported, a new ledger would know less than there is."""
    if (state / "ledger.sqlite").is_file():
        return
    posts = () if origin.resolve() == archive.resolve() else archive.glob("_posts/**/*.md")
    if (first := next(chain(state.glob("captures/*.warc.gz*"), posts), None)) is not None:
        raise LedgerLost(f"{state / 'ledger.sqlite'}: missing, though there is {first}. Next: presskeep rebuild-ledger")


class _Taking:
    """One import under way."""

    def __init__(
        self,
        origin: Path,
        archive: Path,
        site: Site,
        sources: Sequence[Source],
        wish: Wish,
        ledger: Ledger | None,
        there: ZoneInfo | None,
        tell: Tell,
    ) -> None:
        self._origin, self._archive, self._site = origin, archive, site
        self._wish, self._ledger, self._tell = wish, ledger, tell
        self._zone = ZoneInfo(site.timezone)
        self._judge = Judge(self._zone, there)
        self._owners = Owners(sources)
        self._names = {source.id: source.name for source in sources}
        self._stories = Stories(ledger, load_outlets(archive)) if ledger is not None else None
        self._done = Imported()
        self._day = _Day()
        self._batch: dict[tuple[str, str], str] = {}

    def all(self) -> Imported:
        """Every post, in the order of names."""
        asked = Report([])
        with in_good_order(asked):
            for files in _chunks(_files(self._origin), _BATCH):
                self._keep([step for file in files if (step := self._step(file)) is not None])
                if asked.interrupted:
                    break
            self._done.interrupted = asked.interrupted
        return self._done

    def _step(self, file: _File) -> _Step | None:
        """What is to be done about a file, None for nothing."""
        data, name = file.path.read_bytes(), file.path.name
        try:
            judged = self._judge.judged(name, data, () if self._is_here(file) else file.folders)
        except PostError as error:
            self._leave(file, str(error))
            return None
        who = self._owners.of(file.path, judged.post) or (self._wish.source, self._wish.source, file.path.stem)
        kept = Kept(who[1], who[2], who[0], self._place(file), sha256(data).hexdigest())
        row = self._row(kept)
        if kept.digest in (row.digest if row else "", self._batch.get((kept.space, kept.key))):
            self._done.there += 1
            self._remember(file, judged)
            return None
        if why := self._why_not(kept, row, judged, file):
            self._leave(file, why)
            return None
        self._done.new += 1
        self._tell_of(file, judged)
        self._remember(file, judged)
        self._batch[kept.space, kept.key] = kept.digest
        return _Step(kept, judged.post, None if (self._archive / kept.path).is_file() else data)

    def _why_not(self, kept: Kept, row: _Row | None, judged: Judged, file: _File) -> str:
        """Why a post is not taken; empty where nothing is against it."""
        if row is not None:
            return f"{kept.key} is a post with other bytes: {row.path}; that stays"
        if (kept.space, kept.key) in self._batch:
            return f"{kept.key} is another file's as well, which is taken"
        if owner := self._owner(kept.path):
            return f"its address is taken by {' '.join(owner)}; that stays"
        if (there := self._archive / kept.path).is_file() and sha256(there.read_bytes()).hexdigest() != kept.digest:
            return f"another file lies at {kept.path}; that stays"
        if other := self._neighbours(file).addresses.get(judged.address.lower()):
            return f"its address is that of {other}, which is taken"
        if judged.dangers and not self._wish.force:
            return f"{'; '.join(judged.dangers)}. Next: mend the file, or --force"
        return "; ".join(judged.faults) if self._wish.strict else ""

    def _row(self, kept: Kept) -> _Row | None:
        """What the ledger says of an article that is a post."""
        if self._ledger is None:
            return None
        return next(iter(self._ledger.read(_ROW, {"space": kept.space, "key": kept.key})), None)

    def _owner(self, path: str) -> tuple[str, str] | None:
        """Whose post has this name: dated and flat ones have the same address."""
        return None if self._ledger is None else self._ledger.owner_of_address(path)

    def _neighbours(self, file: _File) -> _Day:
        """Posts of the day in the file's name that came before it."""
        day = file.path.name[:10]
        if day != self._day.day:
            self._day = _Day(day)
        return self._day

    def _remember(self, file: _File, judged: Judged) -> None:
        """For the neighbours of a post that is taken or there; one may be another file of its article."""
        day, name = self._neighbours(file), file.path.stem[11:]
        alike = day.titles.setdefault(judged.post.title, [])
        if twin := next((other for number, other in alike if _are_twins(name, number)), ""):
            self._done.twins += 1
            self._tell(file.name, f"the same article as {twin}, by its number; both files are kept")
        alike.append((name, file.name))
        day.addresses[judged.address.lower()] = file.name

    def _tell_of(self, file: _File, judged: Judged) -> None:
        """What has to be said of a post that is taken."""
        if broken := (*judged.dangers, *judged.faults):
            self._done.faulty += 1
            for rule in {one.partition(":")[0] for one in broken}:
                self._done.rules[rule] = self._done.rules.get(rule, 0) + 1
            self._tell(file.name, "; ".join(broken))

    def _leave(self, file: _File, why: str) -> None:
        self._done.left += 1
        self._tell(file.name, f"left out: {why}")

    def _is_here(self, file: _File) -> bool:
        return file.path.is_relative_to((self._archive / "_posts").resolve())

    def _place(self, file: _File) -> str:
        """Of a post in the archive; one that lies there stays where it is."""
        if self._is_here(file):
            return file.path.relative_to(self._archive.resolve()).as_posix()
        return _path(file.path.name, self._site.posts)

    def _keep(self, steps: Sequence[_Step]) -> None:
        self._batch.clear()
        if self._wish.dry_run or not steps:
            return
        assert self._ledger is not None
        assert self._stories is not None
        write_all(self._archive, [Pending(one.kept.path, one.data) for one in steps if one.data is not None])
        words = [
            {"space": one.kept.space, "key": one.kept.key, "source": one.kept.source, **words_of(one.post)}
            for one in steps
        ]
        noted = [self._noted(one) for one in steps]
        self._ledger.keep([self._kept(one) for one in steps], words=words, more=self._stories.statements(noted))

    def _kept(self, step: _Step) -> Kept:
        """With the number of earlier versions that are there."""
        if not step.post.fields.get("revisions"):
            return step.kept
        kept = step.kept
        number = len(revisions.versions(self._archive, kept.path))
        return Kept(kept.space, kept.key, kept.source, kept.path, kept.digest, revision=number)

    def _noted(self, step: _Step) -> Noted:
        """What it says of its story."""
        kept, post = step.kept, step.post
        published = post.date if post.date.tzinfo else post.date.replace(tzinfo=self._zone)
        publisher, pointer = self._names.get(kept.source, kept.source), bool(post.fields.get("pointer"))
        credited = str(post.fields.get("attribution") or "")
        told = Told(sketch(plain_text(post)).packed(), credited, publisher, pointer=pointer)
        return Noted(kept.space, kept.key, kept.source, published, told)


_ROW = sa.select(articles.c.path, articles.c.digest).where(
    articles.c.space == sa.bindparam("space"), articles.c.key == sa.bindparam("key"), articles.c.state == "done"
)


def _are_twins(name: str, other: str) -> bool:
    """Whether one is a number, and the other that number behind some letters: two feeds of one site name it so."""
    short, long = sorted((name, other), key=len)
    return short.isdecimal() and len(short) >= _DIGITS and long.removesuffix(short).isalpha()


def _path(name: str, layout: str) -> str:
    return f"_posts/{name}" if layout == "flat" else f"_posts/{name[:10].replace('-', '/')}/{name}"


def _files(origin: Path) -> Iterator[_File]:
    """What may be posts, in the order of names: below ``_posts`` and the like, or all Markdown where there is none."""
    origin = origin.resolve()
    found = sorted(_below(origin), key=lambda path: (path.rpartition("/")[2], path))
    for path in found:
        folders = PurePosixPath(path).parts[:-1]
        above = folders[: folders.index("_posts")] if "_posts" in folders else ()
        yield _File(origin / path, path, above)


def _below(origin: Path) -> Iterator[str]:
    """Paths below the site."""
    is_site = any((origin / name).exists() for name in (*_FOLDERS, "_config.yml"))
    for folder, folders, names in os.walk(origin):
        here = Path(folder).relative_to(origin)
        within = set(here.parts) & set(_FOLDERS)
        folders[:] = [one for one in folders if not one.startswith(".") and (within or _is_looked_into(one))]
        if within or not is_site:
            yield from ((here / name).as_posix() for name in names if _is_post(name))


def _is_looked_into(folder: str) -> bool:
    return folder in _FOLDERS or not folder.startswith("_")


def _is_post(name: str) -> bool:
    return name.endswith((".md", *_OTHER_KINDS)) and not name.startswith(".")


def _chunks(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some
