"""File names and slugs of posts: portable, and one address for one key (rules 4 and 5)."""

from __future__ import annotations

import re
from hashlib import sha256
from zoneinfo import ZoneInfo

from crawler.archive.style import PostStyle
from crawler.items import Article

LENGTH = 100
"""Bytes of a key in a file name, at most."""

# Jekyll makes one hyphen of several and drops those at the ends: only such names keep their own address.
_SLUG = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_KEY = re.compile(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*")
_OTHER = re.compile(r"[^A-Za-z0-9_]+")
_DEVICE = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)


def file_name(article: Article, style: PostStyle) -> str:
    """``YYYY-MM-DD-KEY.md``, the day in the site's zone. Raises ValueError without a time of publication or a key."""
    if article.published is None or article.published.tzinfo is None:
        raise ValueError(f"published: no time with a zone: {article.published!r}")
    day = article.published.astimezone(ZoneInfo(style.timezone)).date()
    return f"{day.isoformat()}-{safe_key(article.key)}.md"


def safe_key(key: str) -> str:
    """The key as a part of a file name: itself if it may be, else what may be of it and a hash of all of it.

    At most :data:`LENGTH` bytes. Unequal keys stay unequal; :func:`twin_key` is for those that differ by case.
    Raises ValueError for an empty key.
    """
    if not key:
        raise ValueError("key: empty")
    return key if _portable(key, _KEY) else _hashed(key, _OTHER.sub("-", key))


def twin_key(key: str) -> str:
    """Another form for a key that differs from an earlier one by case alone: many file systems would call them one."""
    return _hashed(key, _OTHER.sub("-", key.lower()))


def safe_slug(text: str) -> str:
    """The ASCII letters and digits of a text as a slug; a hash where that is not all of it in portable form."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
    return slug if is_slug(slug) else _hashed(text, slug)


def is_slug(text: str) -> bool:
    """Whether it may be a category: ASCII letters, digits and single hyphens, no name of a Windows device."""
    return _portable(text, _SLUG)


def _portable(text: str, form: re.Pattern[str]) -> bool:
    return bool(form.fullmatch(text)) and len(text) <= LENGTH and not _DEVICE.fullmatch(text)


def _hashed(whole: str, readable: str) -> str:
    mark = sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{readable.strip('-')[: LENGTH - 9].rstrip('-')}-{mark}".lstrip("-")
