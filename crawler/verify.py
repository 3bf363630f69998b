"""Checks a whole archive without Ruby: every post against the writer's rules, and the ledger against the posts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from crawler.archive import images, revisions
from crawler.archive.captures import CaptureError, read_segment
from crawler.archive.checks import revised
from crawler.archive.ledger import Ledger
from crawler.archive.markup import Markup
from crawler.archive.post import check_post, read_post
from crawler.changes import revision_faults
from crawler.images import kept_files
from crawler.render.posts import url_of
from crawler.run import load_outlets, state_folder
from crawler.site import Site, config_faults
from crawler.sitedata import faults as page_faults
from crawler.sources import Source

Fault = tuple[str, str]
"""(file, relative to the archive; what is wrong with it)."""


def faults(archive: Path, site: Site, sources: Sequence[Source]) -> Iterator[Fault]:
    """Every fault of an archive. ``sources``: those whose files can be read."""
    yield from ((what.partition(":")[0], what) for what in config_faults(archive, site))
    allowed = union(source.post.keep.markup for source in sources)
    digests: dict[str, str] = {}
    addresses: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for path in post_files(archive):
        name, data = str(path.relative_to(archive)), path.read_bytes()
        digests[name] = sha256(data).hexdigest()
        yield from ((name, what) for what in check_post(path.name, data, markup=allowed))
        yield from ((name, what) for what in _place(archive, path, site, data, addresses))
        shown |= dict.fromkeys(images.files(data.decode(errors="replace")), name)
    yield from ((folder, "a temporary file was left behind") for folder in _leftovers(archive))
    state = state_folder(archive, site)
    if (state / "ledger.sqlite").is_file():
        ledger = Ledger.to_read(state / "ledger.sqlite")
        yield from _ledger_faults(ledger, digests)
        yield from revision_faults(archive, revised(ledger))
        yield from _capture_faults(ledger, state / "captures")
        yield from page_faults(archive, site, ledger, load_outlets(archive), sources)
        from crawler.pack.faults import faults as pack_faults  # with Liquid, for which no crawl is to wait

        yield from pack_faults(archive, state)
        yield from _image_faults(archive, shown, kept_files(ledger) | _shown_before(archive))
        ledger.close()
    elif digests:
        yield str(state / "ledger.sqlite"), "missing. Next: presskeep rebuild-ledger"


def post_files(archive: Path) -> list[Path]:
    """Posts in their order; what begins with a dot is none."""
    return sorted(path for path in (archive / "_posts").rglob("*.md") if not path.name.startswith("."))


def union(markups: Iterable[Markup]) -> Markup:
    """What any of the sources may keep: a post does not say which source made it."""
    comments, tags, styles = False, frozenset[str](), frozenset[str]()
    attributes: dict[str, frozenset[str]] = {}
    for one in markups:
        comments, tags, styles = comments or one.comments, tags | one.tags, styles | one.styles
        for tag, names in one.attributes.items():
            attributes[tag] = attributes.get(tag, frozenset()) | names
    return Markup(comments=comments, tags=tags, styles=styles, attributes=attributes)


def _place(archive: Path, path: Path, site: Site, data: bytes, addresses: Counter[str]) -> Iterator[str]:
    """Faults of where a post lies: its folder, and the address that it shares with another."""
    folder = "" if site.posts == "flat" else path.name[:10].replace("-", "/")
    if path.parent != archive / "_posts" / folder:
        yield f"place: expected below _posts/{folder} (posts: {site.posts})"
    try:
        post = read_post(data)
    except ValueError:
        return
    address = url_of(path.name, post, ZoneInfo(site.timezone)).lower()
    addresses[address] += 1
    if addresses[address] > 1:
        yield f"address: another post has {address} too; Jekyll shows one of them"


def _leftovers(archive: Path) -> list[str]:
    return [str(path.relative_to(archive)) for path in sorted((archive / "_posts").rglob(".*.tmp"))]


def _ledger_faults(ledger: Ledger, digests: dict[str, str]) -> Iterator[Fault]:
    known = {post.path: post.digest for post in ledger.posts()}
    for path, digest in known.items():
        if path not in digests:
            yield path, "ledger: says done, but the post is not there. Next: presskeep rebuild-ledger"
        elif digests[path] != digest:
            yield path, "ledger: the post is not the one that was written (digest)"
    for path in digests:
        if path not in known:
            yield path, "ledger: does not know this post. Next: presskeep rebuild-ledger"


def _image_faults(archive: Path, shown: dict[str, str], kept: set[str]) -> Iterator[Fault]:
    """``shown``: image -> a post that shows it. Other files in the same folder are the site's own."""
    names = (str(file.relative_to(archive)) for file in (archive / images.FOLDER).rglob("*") if file.is_file())
    there = set(filter(images.PATH.fullmatch, names))
    for image in sorted(shown.keys() - there):
        yield shown[image], f"image: {image} is not there. Next: presskeep reprocess"
    for image in sorted(there):
        if image not in kept and image not in shown:
            yield image, "image: no post shows it, and the ledger does not know it; it may be removed"
        elif not images.is_whole(image, (archive / image).read_bytes()):
            yield image, "image: not the bytes that its name tells. Next: remove it; presskeep reprocess"


def _shown_before(archive: Path) -> set[str]:
    """Images of earlier versions of posts: the ledger of a mirror knows none."""
    texts = (path.read_text("utf-8", "replace") for path in (archive / revisions.FOLDER).rglob("*.md"))
    return {image for text in texts for image in images.files(text)}


def _capture_faults(ledger: Ledger, folder: Path) -> Iterator[Fault]:
    """Segments that do not read to their end, and captures that are not where the ledger says."""
    there: set[tuple[str, str, int]] = set()
    for path in sorted(folder.glob("*.warc.gz")):
        try:
            there.update((capture.digest, capture.segment, capture.offset) for capture, _ in read_segment(path))
        except CaptureError as error:
            yield os.path.relpath(path, folder.parent), f"capture: {error}"
    for capture in ledger.captures():
        if (capture.digest, capture.segment, capture.offset) not in there:
            yield capture.segment, f"capture: {capture.url} is not at {capture.offset}. Next: presskeep rebuild-ledger"
