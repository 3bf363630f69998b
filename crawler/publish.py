"""An archive's files in a git repository: one commit of what is new, taken to a remote that others push to as well.

Only what belongs to an archive is committed, and only whole files. A post that is missing is named and stays in the
repository: posts are never deleted. All work is git's own (2.38 or later). What others pushed is merged beside the
working tree, which then gets the files that are new: a kill at any instant leaves every post where it was.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePosixPath

import sqlalchemy as sa

from crawler.archive.ledger import Ledger, articles, chunks
from crawler.archive.site import template_files
from crawler.site import SETTINGS

KEPT = ("_posts", "revisions", "images")
"""Folders whose files never go."""
DERIVED = ("_data", "archive", "category", "packed", "source", "tag")
"""Folders whose files can be made anew, so that they may go, and need not be merged."""
_OTHERS = (".gitignore", ".manifest", "LICENSE", "README.md", "health.xml", "outlets.yml", "scrapy.cfg", "sources")
_NOT_OURS = (".git", ".github", ".gitattributes", "_site", ".jekyll-cache", ".sass-cache", "node_modules", "vendor")
"""Names in an archive that are nobody's business here, and not worth a word."""
_OPTIONS = (
    "http.lowSpeedLimit=1000",  # a remote that falls silent is given up
    "http.lowSpeedTime=60",
    "gc.auto=0",  # git does not pack in the background, where it meets our packing
    "maintenance.auto=false",
    "merge.default=binary",  # two versions of a post are never made one line by line
)
_MERGED = "refs/presskeep/merged"
"""A merge whose files are on their way into the working tree."""
_NETWORK = 900.0
"""Seconds that a fetch or a push may take."""
_LOOSE, _SHARE, _PACKS = 2000, 20, 30
"""Loose objects, and one in so many of all, from which on they are packed, and packs from which on they become one: an
object alone takes several times its share of a pack, and packing takes its time with each that is there."""
_PAUSES = (0.0, 2.0, 10.0, 30.0, 60.0)
"""Seconds before each try to push."""


class PublishError(RuntimeError):
    """Nothing was lost, and something is for the user to do; the message names it and the next command."""


class Unready(PublishError):
    """Something is to be set up first."""


class Unheard(PublishError):
    """The remote did not take it, after several tries."""


class Conflict(PublishError):
    """Others pushed other bytes for a post of ours."""


@dataclass(slots=True)
class Found:
    """What differs from the last commit; paths relative to the archive."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Derived files that are no longer there."""
    missing: list[str] = field(default_factory=list)
    """Posts, revisions and images that are no longer there: not committed away."""
    foreign: list[str] = field(default_factory=list)
    """Names in the archive's folder that are none of an archive; left alone."""

    @property
    def paths(self) -> list[str]:
        """What is to be committed."""
        return [*self.new, *self.changed, *self.gone]

    @property
    def posts(self) -> list[str]:
        """Posts that are new."""
        return [path for path in self.new if path.startswith("_posts/")]


class Repository:
    """The git repository that an archive lies in, at its top or below. Raises PublishError, which says why git would
    not."""

    def __init__(self, archive: Path, pause: Callable[[float], None] = time.sleep) -> None:
        self.archive = archive
        self._pause = pause
        try:
            self._inside = self.git("rev-parse", "--show-prefix").strip()
        except FileNotFoundError:
            raise Unready("git is not installed. Next: apt install git, or what your system calls it") from None
        except PublishError:
            raise Unready(f"{archive} is in no git repository. Next: git -C {archive} init") from None

    # what there is

    def found(self, *, packed: bool = False) -> Found:
        """What is new, changed or gone of what belongs to an archive; pages of packed months where asked."""
        known = self._known(packed)
        found = Found(foreign=self._foreign(known))
        status = self.git("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", *known)
        for entry in filter(None, status.split("\0")):
            path = entry[3:].removeprefix(self._inside)
            if "U" in entry[:2] or entry[:2] in ("AA", "DD"):
                raise PublishError(f"{path}: a merge was left half done. Next: git -C {self.archive} merge --abort")
            if PurePosixPath(path).name.startswith(".") and path.endswith(".tmp"):
                continue  # a draft: not whole yet
            if "D" not in entry[:2]:
                (found.new if entry[:2] in ("??", "A ", "AM") else found.changed).append(path)
            elif path.split("/")[0] in KEPT:
                found.missing.append(path)
            else:
                found.gone.append(path)
        return found

    def _known(self, packed: bool) -> list[str]:
        """Names of what belongs to an archive, of those that are there or were committed."""
        site = {path.split("/")[0] for path, _ in template_files()}
        names = sorted({*site, *KEPT, *DERIVED, *_OTHERS, SETTINGS} - (set() if packed else {"packed"}))
        tracked = {line.split("/")[0] for line in self.git("ls-tree", "--name-only", "HEAD", ".", absent="").split()}
        return [name for name in names if (self.archive / name).exists() or name in tracked]

    def _foreign(self, known: Collection[str]) -> list[str]:
        ours = {*known, *_NOT_OURS, "packed"}
        others = sorted(path.name for path in self.archive.iterdir() if path.name not in ours)
        if not others:
            return []
        seen = self.git("ls-files", "-z", "--", *others).split("\0")
        ignored = self.git("check-ignore", "-z", "--stdin", feed="\0".join(others), absent="").split("\0")
        return sorted(set(others) - {path.split("/")[0] for path in seen} - set(ignored))

    # commit

    def commit(self, found: Found, message: str) -> bool:
        """Commit what was found; False where there is nothing. Raises PublishError where something else is staged."""
        if not found.paths:
            return False
        staged = set(filter(None, self.git("diff", "--cached", "--name-only", "--no-renames", "-z").split("\0")))
        if others := sorted(staged - {self._inside + path for path in found.paths}):
            raise Unready(f"{others[0]} is staged. Next: git -C {self.archive} commit, or restore --staged")
        # not `add`, which compares each path with each pattern
        self.git("update-index", "--add", "--remove", "-z", "--stdin", feed="\0".join(found.paths))
        self.git("commit", "--quiet", "-m", message)
        return True

    def pack(self) -> bool:
        """Pack what lies loose, where it is worth it; whether it was."""
        counts = dict(line.split(": ") for line in self.git("count-objects", "-v").splitlines())
        if int(counts["count"]) < max(_LOOSE, int(counts["in-pack"]) // _SHARE) and int(counts["packs"]) < _PACKS:
            return False
        self.git("gc", "--quiet", absent="")  # where somebody else packs at the moment, that will do
        return True

    # to the remote and back

    def branch(self) -> str:
        """The branch that is checked out."""
        name = self.git("symbolic-ref", "--quiet", "--short", "HEAD", absent="").strip()
        if not name:
            raise Unready(f"no branch is checked out in {self.archive}. Next: git -C {self.archive} switch BRANCH")
        return name

    def remote(self, name: str) -> None:
        """Raises PublishError where there is no such remote."""
        if name not in self.git("remote").split():
            raise Unready(f"no remote is called {name!r}. Next: git -C {self.archive} remote add {name} ADDRESS")

    def fetch(self, remote: str) -> None:
        """Have what others pushed, touching no file. Raises Unheard."""
        try:
            self.git("fetch", "--quiet", "--", remote, limit=_NETWORK)
        except PublishError as error:
            raise Unheard(str(error)) from error

    def settle(self) -> None:
        """Go on with a merge during which a run was killed."""
        merged = self.git("rev-parse", "--verify", "--quiet", _MERGED, absent="").strip()
        if merged and self._is_behind(merged):
            self._check_out(merged)
        elif merged:  # all was done, or somebody has committed since
            self.git("update-ref", "-d", _MERGED)

    def take_in(self, remote: str, branch: str) -> bool:
        """Merge what was fetched; whether there was anything that we had not. Of files that can be made anew ours
        count. Raises Conflict where another's post holds other bytes, and all is as it was; what is ours must be
        committed."""
        theirs = f"refs/remotes/{remote}/{branch}"
        if not self.git("rev-parse", "--verify", "--quiet", theirs, absent=""):
            return False
        if self.git("rev-list", "--max-count=1", f"HEAD..{theirs}") == "":
            return False
        if self._is_behind(theirs):
            self._check_out(theirs)
            return True
        told = self.git("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "HEAD", theirs, bears=1)
        tree, *differ = told.rstrip("\0").split("\0")
        if kept := sorted({path for path in differ if not self._is_derived(path)}):
            raise Conflict(
                f"{remote}/{branch} holds other bytes for {', '.join(kept)}; all is as it was. "
                f"Next: git -C {self.archive} diff HEAD {remote}/{branch} -- {kept[0].removeprefix(self._inside)}"
            )
        parents = ("-p", self._head(), "-p", theirs)
        self._check_out(self.git("commit-tree", tree, *parents, "-m", f"Merge what others pushed to {remote}/{branch}"))
        return True

    def _check_out(self, merged: str) -> None:
        """Bring index, working tree and branch forward from HEAD. Called again it goes on."""
        merged = merged.strip()
        self.git("update-ref", _MERGED, merged)
        self.git("read-tree", "-m", "-u", "HEAD", merged)
        self.git("update-ref", "-m", "presskeep publish git", "HEAD", merged)
        self.git("update-ref", "-d", _MERGED)

    def _is_behind(self, other: str) -> bool:
        return self._head() != other and self.git("merge-base", "HEAD", other, absent="").strip() == self._head()

    def _head(self) -> str:
        return self.git("rev-parse", "--verify", "HEAD").strip()

    def _is_derived(self, path: str) -> bool:
        return path.startswith(self._inside) and path.removeprefix(self._inside).split("/")[0] in DERIVED

    def push(self, remote: str, branch: str, again: Callable[[], object]) -> bool:
        """Push; whether there was anything to push. Where another was faster, or the network fails, ``again`` is called
        and it is tried anew, with growing pauses. Raises PublishError with git's last word."""
        if self.git("rev-list", "--max-count=1", f"refs/remotes/{remote}/{branch}..HEAD", absent="new") == "":
            return False
        said = ""
        for seconds in _PAUSES:
            try:
                if said:
                    self._pause(seconds)
                    again()
                self.git("push", "--quiet", "--", remote, f"HEAD:refs/heads/{branch}", limit=_NETWORK)
            except Conflict:
                raise
            except PublishError as error:
                said = str(error)
            else:
                return True
        raise Unheard(f"not pushed, after {len(_PAUSES)} tries; what is committed waits for the next. {said}")

    # git

    def git(
        self, *words: str, feed: str = "", absent: str | None = None, bears: int = 0, limit: float | None = None
    ) -> str:
        """What git prints. ``feed``: for its standard input; ``absent``: the answer where it fails; ``bears``: an exit
        code that is no failure; ``limit``: seconds. Raises PublishError with git's own words, without what an address
        says of name and password."""
        asked = ["git", *chain.from_iterable(("-c", option) for option in _OPTIONS), *words]
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
        data = feed.encode("utf-8", "surrogateescape")
        try:
            done = subprocess.run(
                asked, cwd=self.archive, env=environment, input=data, capture_output=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            raise PublishError(f"git {words[0]}: no end after {limit:g} s") from None
        if done.returncode in (0, bears):
            return done.stdout.decode("utf-8", "surrogateescape")
        if absent is not None:
            return absent
        raise PublishError(f"git {words[0]}: {_plain(done.stderr) or f'ended with {done.returncode}'}")


def _plain(errors: bytes) -> str:
    """Git's words on one line, names and passwords taken out of addresses."""
    lines = [line for line in errors.decode("utf-8", "replace").splitlines() if not line.startswith("hint:")]
    return re.sub(r"(\w+://)\S*@", r"\1", " ".join(" ".join(lines).split()))


def message_of(posts: Sequence[str], sources: dict[str, str], others: int) -> str:
    """Message of a commit: how many posts, of which sources (path -> source), the most first."""
    if not posts:
        return f"{others} files of the site"
    counts: dict[str, int] = {}
    for path in posts:
        name = sources.get(path, "others")
        counts[name] = counts.get(name, 0) + 1
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))
    return f"{len(posts)} post{'s' if len(posts) != 1 else ''}: {told}"


def sources_of(ledger: Ledger, paths: Sequence[str]) -> dict[str, str]:
    """Post -> id of its source, of those that the ledger knows."""
    found: dict[str, str] = {}
    for some in chunks([path.lower() for path in paths]):
        query = sa.select(articles.c.path, articles.c.source).where(sa.func.lower(articles.c.path).in_(some))
        found |= {row.path: row.source for row in ledger.read(query)}
    return found
