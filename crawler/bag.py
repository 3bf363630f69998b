"""An archive as a bag (RFC 8493), for whoever wants it as libraries do: payload below ``data/``, made of hard links."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

from crawler.archive.posts import draft_of, fsync, sync_files
from crawler.manifest import SIGNATURE, TAGS, Held, Made, log_of, tag_files
from crawler.signing import sign
from crawler.site import Site


def bag(archive: Path, site: Site, made: Made, target: Path, today: date, key: Path | None = None) -> None:
    """Make a bag of what a manifest names; whole or absent, durable on return, under the lock. Where the target is on
    another disk files are copied. Raises FileExistsError, OSError, SigningError."""
    if target.exists():
        raise FileExistsError(f"{target}: is there already")
    draft = draft_of(target)
    digests = {f"data/{name}": digest for name, digest in made.manifest.digests.items()}
    tags = tag_files(site, digests, made.held, log_of(archive, site), today)
    try:
        for name, one in made.held.items():
            _take(one, draft / "data" / name, link=not _is_written_into(name, made))
        for name, data in tags.items():
            (draft / name).write_bytes(data)
        if key:
            (draft / SIGNATURE).write_bytes(sign(tags[TAGS], key))
        inside = sorted(draft.rglob("*"), key=Path.is_dir)
        sync_files(draft, [*inside, draft])
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    fsync(target.parent)


def _is_written_into(name: str, made: Made) -> bool:
    """Whether the file may change where it lies: settings by hand, the latest captures by the next run. Others are only
    ever replaced, so that a link stays what it was."""
    latest = max((one for one in made.held if "/captures/presskeep-" in one), default="")
    return name == latest or "/" not in name or name.startswith("sources/")


def _take(one: Held, target: Path, *, link: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if link:
            os.link(one.path, target)
    except OSError:  # another disk, or one without hard links
        link = False
    if not link:
        shutil.copy2(one.path, target)
