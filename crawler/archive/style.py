"""How a post is written, as data: what the site and the source say about front matter, gaps and tail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackLink:
    """A link at the foot of a post; ``{tag}`` and ``{category}`` are filled in from the article."""

    label: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostStyle:
    """Everything about a post's bytes that is not the article's. The defaults are the seed archive's last form."""

    timezone: str = "UTC"
    """IANA zone of the site: dates are written in it and the file name's day is its day."""
    layout: str = "post"
    """Jekyll layout."""
    zone: bool = True
    """Write the offset after the date. Off only for archives that began without it."""
    fields: tuple[str, ...] = ()
    """Further front matter, in this order: any of ``FIELDS`` in ``post.py``; empty values are left out."""
    quote: str = ""
    """What becomes of the digest: ``""`` nothing, ``"quote"`` a block quote, ``"text"`` a paragraph before the body."""
    lead: str = ""
    """Bytes before the first ``---`` (one archive began its posts with a newline)."""
    gap: str = ""
    """Bytes between the closing ``---`` line and the body."""
    back: tuple[BackLink, ...] = ()
    """Links at the foot."""
    joiner: str = "｜"
    """Between the links at the foot."""
    end: str = ""
    """Bytes after the last line."""
    base: str = ""
    """Path below which the site is published."""
    whole: str = "Full text"
    """Label of the link by which a post points to another."""
    newline: str = "\n"
    """Line ends of the file: ``"\\n"``, or ``"\\r\\n"`` to keep those of an upstream that has them.

    Only line breaks inside the body are meant: front matter and tail always have ``"\\n"``."""
