"""What a follower is told of one article: its post with all earlier versions, and its row in the ledger.

A record is the whole state of an article by the time it was written, so that taking it twice changes nothing.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST = 16 * 1024 * 1024
"""Bytes of one record as JSON."""

Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=4000)]
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=2000)]
Moment = Annotated[str, StringConstraints(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Version = Annotated[str, StringConstraints(pattern=r"^(reading-)?[1-9][0-9]{0,4}$")]

_PLACE = re.compile(
    r"_posts(/[0-9]{4}/[0-9]{2}/[0-9]{2})?/([0-9]{4}-[0-9]{2}-[0-9]{2})-([^/\\\x00-\x1f\x7f-\x9f]+)\.md"
)
_BYTES = 255
"""Of a file's name, on nearly all file systems."""


class OriginError(RuntimeError):
    """What an origin says cannot be believed, or it cannot be had; nothing of it was taken."""


class NotHad(OriginError):
    """It cannot be had: not there, no answer, or too slow."""


class Record(BaseModel):
    """One article. What a newer presskeep may add is passed over."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", use_attribute_docstrings=True)

    number: int = Field(ge=1)
    """Of its latest line in the origin's log."""
    space: Name
    """Namespace of the key."""
    key: Name
    """The site's own id."""
    source: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    path: str
    """Of the post, relative to the archive."""
    digest: Digest
    """sha256 of the post."""
    post: str
    """The post itself, byte for byte when encoded in UTF-8."""
    revision: int = Field(ge=0, le=99_999)
    """Earlier versions of the article that are kept."""
    earlier: dict[Version, str] = {}
    """What was there before: ``1``, ``2`` … for versions of the article, ``reading-1`` … for readings of its page."""
    gone: Moment = ""
    """Tombstone: since when it is gone upstream."""
    since: Moment = ""
    """When it became a post."""
    seen: Moment = ""
    """When a list named it first."""
    hints: dict[str, str] = {}
    """What the list said."""
    notes: str = ""
    """Where list and page disagreed, as JSON."""
    etag: Line = ""
    modified: Line = ""
    """Validators of the answer that it was made from."""
    capture: Annotated[str, StringConstraints(pattern=r"^(sha256:[A-Z2-7]+=*)?$")] = ""
    """Payload digest of that answer."""
    records: list[str] = []
    """That answer as a WARC record, one gzip member in base64; empty where the origin gives no captures."""


def verify(record: Record, posts: str) -> None:
    """Raises OriginError where the post is not what its digest says, or would lie anywhere but where posts of an
    archive lie (``posts``: dated or flat)."""
    if sha256(record.post.encode()).hexdigest() != record.digest:
        raise OriginError(f"number {record.number}: the post of {record.key!r} is not what its digest says")
    place = _PLACE.fullmatch(record.path)
    folder = f"/{place[2].replace('-', '/')}" if place and posts == "dated" else ""
    if place is None or (place[1] or "") != folder or len(record.path.rpartition("/")[2].encode()) > _BYTES:
        raise OriginError(f"number {record.number}: no place for a post (posts: {posts}): {record.path!r}")
    if more := [name for name in record.earlier if name.isdecimal() and int(name) > record.revision]:
        raise OriginError(f"number {record.number}: {record.key!r} has a version {more[0]} beyond its last")
