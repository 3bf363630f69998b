"""What a follower is told of one article: its post with all earlier versions, and its row in the ledger.

A record is the whole state of an article by the time it was written, so that taking it twice changes nothing.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from hashlib import sha256
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from crawler.archive.reader import YEARS

MOST = 16 * 1024 * 1024
"""Bytes of one record as JSON."""


def _moment(text: str) -> str:
    if text and datetime.fromisoformat(text).year not in YEARS:
        raise ValueError("no year of news")
    return text


def _notes(text: str) -> str:
    """Also what JSON can tell and UTF-8 cannot is refused: half of a surrogate pair."""
    try:
        told = json.loads(text or "{}")
    except RecursionError:
        told = None
    pairs = list(told.values()) if isinstance(told, dict) else [None]
    if not all(isinstance(pair, list) and [type(one) for one in pair] == [str, str] for pair in pairs):
        raise ValueError("no JSON object of two texts for each field")
    json.dumps(told, ensure_ascii=False).encode()
    return text


Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=4000)]
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=2000)]
Moment = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z)?$"),
    AfterValidator(_moment),
]
"""A ledger that was made anew of captures has fractions of seconds."""
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


class Absent(NotHad):
    """There is no such file: asking again will not help."""


class Left(BaseModel):
    """An article that the origin has and cannot give."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    number: int = Field(ge=1)
    """Of its latest line in the origin's log."""
    path: Name
    why: Line


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
    notes: Annotated[str, AfterValidator(_notes)] = ""
    """Where list and page disagreed, as JSON: field -> what the list said, what the page said."""
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
    is_long = len(record.path.rpartition("/")[2].encode()) > _BYTES
    if place is None or not _is_day(place[2]) or (place[1] or "") != folder or is_long:
        raise OriginError(f"number {record.number}: no place for a post (posts: {posts}): {record.path!r}")
    if more := [name for name in record.earlier if name.isdecimal() and int(name) > record.revision]:
        raise OriginError(f"number {record.number}: {record.key!r} has a version {more[0]} beyond its last")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).year in YEARS
    except ValueError:
        return False
