"""The manifest: a digest for each file of an archive, so that whoever holds a copy can prove that it is one.

Its files are BagIt's (RFC 8493) and lie in ``.manifest/``; paths in it are the archive's own, for an archive is no bag,
which has all below ``data/`` (see bag.py). The tag manifest is written last: without it there is no manifest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from hashlib import file_digest, sha256
from pathlib import Path
from typing import NamedTuple

from crawler import __version__
from crawler.archive import changelog
from crawler.archive.ledger import Ledger
from crawler.archive.posts import fsync, replace, sweep
from crawler.run import state_folder
from crawler.signing import sign
from crawler.site import SETTINGS, Site

FOLDER = ".manifest"
"""Begins with a dot: Jekyll does not publish it."""
DIGESTS, INFO, BAGIT, TAGS = "manifest-sha256.txt", "bag-info.txt", "bagit.txt", "tagmanifest-sha256.txt"
SIGNATURE = f"{TAGS}.sig"
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_FOLDERS = ("_posts", "revisions", "images", "packed", "sources")
"""What an archive holds. What is made of it at any time, such as pages of categories, is not named."""
_ALSO = (SETTINGS, "outlets.yml")
"""Files that are written by hand."""
_STAMPS = "manifest.stamps"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)", re.DOTALL)
_END = re.compile(r"\r\n|\n|\r")

Tick = Callable[[int, int], None]
"""Told how many files of how many are done."""


class ManifestError(ValueError):
    """There is no manifest, or it cannot be read; the message says what to do."""


class Held(NamedTuple):
    """A file of the archive."""

    path: Path
    status: os.stat_result

    @property
    def stamp(self) -> str:
        """By what it is known to be the one that was read before."""
        return f"{self.status.st_size} {self.status.st_mtime_ns} {self.status.st_ino}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What lies in the folder of a manifest."""

    digests: Mapping[str, str]
    """Path, relative to the archive -> sha256."""
    tags: Mapping[str, bytes]
    """Name -> bytes of each of its files but the signature."""
    signature: bytes = b""
    """Of the tag manifest; empty for none."""


@dataclass(frozen=True, slots=True)
class Made:
    """A manifest, and what making it took."""

    manifest: Manifest
    held: Mapping[str, Held]
    read: int
    """Files that were read: the others are known from the last time."""
    changed: bool
    """Whether it differs from the one that was there."""

    @property
    def size(self) -> int:
        """Bytes that it names."""
        return sum(one.status.st_size for one in self.held.values())


def make(
    archive: Path,
    site: Site,
    today: date,
    key: Path | None = None,
    *,
    captures: bool = True,
    tick: Tick = lambda done, of: None,
) -> Made:
    """Write the manifest, signed where a key is given; under the lock. One that says the same stays as it is, with its
    date and signature.

    A file that was not touched since the last time is not read again: what rots on disk keeps the digest of what it
    was, and ``faults`` finds it. Raises OSError, SigningError.
    """
    where, held, log = archive / FOLDER, held_files(archive, site, captures=captures), log_of(archive, site)
    digests, read = _digests(state_folder(archive, site) / _STAMPS, held, tick)
    there = _files(where)
    tags = tag_files(site, digests, held, log, _date(there) or today)
    changed = any(there.get(name) != data for name, data in tags.items())
    if changed:
        tags = tag_files(site, digests, held, log, today)
    before = b"" if changed else there.get(SIGNATURE, b"")
    signature = sign(tags[TAGS], key) if key else before
    if changed or signature != before:
        _write(where, tags, signature)
    return Made(Manifest(digests, tags, signature), held, read, changed)


def held_files(archive: Path, site: Site, *, captures: bool = True) -> dict[str, Held]:
    """Name in the manifest -> file. Captures have the name that they have where the state lies in the archive."""
    found = {name: one for folder in _FOLDERS for name, one in _below(archive / folder, folder)}
    found.update((name, Held(archive / name, (archive / name).stat())) for name in _ALSO if (archive / name).is_file())
    if captures:
        there = _below(state_folder(archive, site) / "captures", _captures(site))
        found.update((name, one) for name, one in there if not name.endswith(".torn"))
    return dict(sorted(found.items()))


def _captures(site: Site) -> str:
    return f"{site.state}/captures"


def _below(folder: Path, name: str) -> Iterator[tuple[str, Held]]:
    """Files, not links; no drafts of a run that was killed."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            inner = f"{name}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _below(Path(entry.path), inner)
            elif entry.is_file(follow_symlinks=False) and not re.fullmatch(r"\..*\.tmp", entry.name, re.DOTALL):
                yield inner, Held(Path(entry.path), entry.stat())


def digest_of(path: Path) -> str:
    """sha256 of a file, which is read bit by bit. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        return file_digest(file, "sha256").hexdigest()


def _digests(stamps: Path, held: Mapping[str, Held], tick: Tick) -> tuple[dict[str, str], int]:
    """Digests by name, and how many files were read for them."""
    known, read = _known(stamps), 0
    digests: dict[str, str] = {}
    for number, (name, one) in enumerate(held.items(), 1):
        stamp, digest = known.get(name, ("", ""))
        if stamp != one.stamp:
            digest, read = digest_of(one.path), read + 1
        digests[name] = digest
        tick(number, len(held))
    if read or known.keys() != held.keys():
        lines = (f"{digests[name]} {one.stamp} {_written(name)}\n" for name, one in held.items())
        replace(stamps, "".join(lines).encode("utf-8", "surrogateescape"))
    return digests, read


def _known(stamps: Path) -> dict[str, tuple[str, str]]:
    """Name -> (stamp, digest) of the last time; nothing where that cannot be told."""
    try:
        lines = stamps.read_bytes().decode("utf-8", "surrogateescape").split("\n")[:-1]
    except FileNotFoundError:
        return {}
    parts = [line.split(" ", 4) for line in lines]
    return {_read(one[4]): (" ".join(one[1:4]), one[0]) for one in parts if len(one) == 5}


def tag_files(
    site: Site, digests: Mapping[str, str], held: Mapping[str, Held], log: tuple[str, int], day: date
) -> dict[str, bytes]:
    """Name -> bytes of the files of a manifest; the tag manifest is the last. ``log``: id and last number of the
    change log."""
    told = {
        "Bag-Software-Agent": f"presskeep {__version__}",
        "Bagging-Date": day.isoformat(),
        "External-Description": site.title,
        "External-Identifier": f"{site.url}{site.baseurl}/",
        "Payload-Oxum": f"{sum(one.status.st_size for one in held.values())}.{len(held)}",
    }
    if log[0]:
        told |= {"Presskeep-Log": log[0], "Presskeep-Number": str(log[1])}
    info = "".join(f"{name}: {value}\n" for name, value in told.items()).encode()
    tags = {BAGIT: _DECLARATION, INFO: info, DIGESTS: _lines(digests)}
    return {**tags, TAGS: _lines({name: sha256(data).hexdigest() for name, data in tags.items()})}


def _lines(digests: Mapping[str, str]) -> bytes:
    text = "".join(f"{digest}  {_written(name)}\n" for name, digest in digests.items())
    return text.encode("utf-8", "surrogateescape")


def _written(name: str) -> str:
    """RFC 8493, section 2.1.3: these signs are escaped, no others."""
    return name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def _read(name: str) -> str:
    signs = {"%25": "%", "%0A": "\n", "%0D": "\r"}
    return re.sub("%(25|0[AaDd])", lambda match: signs[match[0].upper()], name)


def log_of(archive: Path, site: Site) -> tuple[str, int]:
    """Id of the change log and its last number; no id where there is none."""
    path = state_folder(archive, site) / "ledger.sqlite"
    if not path.is_file():
        return "", 0
    ledger = Ledger.to_read(path)
    try:
        log = changelog.log_id(ledger)
        return log, changelog.last(ledger) if log else 0
    finally:
        ledger.close()


def _date(there: Mapping[str, bytes]) -> date | None:
    match = re.search(rb"(?m)^Bagging-Date: (\d{4}-\d\d-\d\d)$", there.get(INFO, b""))
    with suppress(ValueError):  # somebody wrote it by hand
        return date.fromisoformat(match[1].decode()) if match else None
    return None


def _files(where: Path) -> dict[str, bytes]:
    names = (BAGIT, INFO, DIGESTS, TAGS, SIGNATURE)
    return {name: (where / name).read_bytes() for name in names if (where / name).is_file()}


def _write(where: Path, tags: Mapping[str, bytes], signature: bytes) -> None:
    """The old one goes first and the tag manifest comes last: at no moment do two of them look like one."""
    where.mkdir(exist_ok=True)
    sweep(where)
    for name in (TAGS, SIGNATURE):
        (where / name).unlink(missing_ok=True)
    fsync(where)
    signed = {SIGNATURE: signature} if signature else {}
    for name, data in {**signed, **tags}.items():
        replace(where / name, data)


# what others check


def load(where: Path) -> Manifest:
    """The manifest in a folder, or the one whose list of digests is given. Raises ManifestError, OSError."""
    where = where.parent if where.is_file() else where
    there = _files(where)
    if not {BAGIT, INFO, DIGESTS, TAGS} <= there.keys():
        raise ManifestError(f"{where}: no whole manifest is there. Next: presskeep manifest")
    signature = there.pop(SIGNATURE, b"")
    return Manifest(_parsed(where / DIGESTS, there[DIGESTS]), there, signature)


def _parsed(path: Path, data: bytes) -> dict[str, str]:
    found = {}
    for number, line in enumerate(_END.split(data.decode("utf-8", "surrogateescape")), 1):
        match = _LINE.fullmatch(line)
        if match is None and line:
            raise ManifestError(f"{path}, line {number}: expected a sha256 digest and a path")
        if match:
            found[_read(match[2])] = match[1]
    return found


def faults(
    archive: Path, site: Site, manifest: Manifest, tick: Tick = lambda done, of: None
) -> Iterator[tuple[str, str]]:
    """(file, what is wrong with it) wherever the archive differs from a manifest; captures are looked at where it names
    some. Every file is read, and what cannot be read is a fault like others."""
    tags = _parsed(Path(TAGS), manifest.tags[TAGS])
    for name in (BAGIT, INFO, DIGESTS):
        if sha256(manifest.tags[name]).hexdigest() != tags.get(name):
            yield f"{FOLDER}/{name}", "manifest: is not the one that the tag manifest names"
    held = held_files(archive, site, captures=any(name.startswith(_captures(site)) for name in manifest.digests))
    names = sorted({*held, *manifest.digests})
    for number, name in enumerate(names, 1):
        if name not in held:
            yield name, "manifest: missing"
        elif name not in manifest.digests:
            yield name, "manifest: added since"
        elif what := _difference(held[name].path, manifest.digests[name]):
            yield name, f"manifest: {what}"
        tick(number, len(names))


def _difference(path: Path, digest: str) -> str:
    try:
        return "" if digest_of(path) == digest else "changed"
    except OSError as error:  # a bad sector, or no right to
        return f"cannot be read ({error.strerror})"
