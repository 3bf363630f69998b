"""The one item: an Article, as it travels from a page through the pipelines to its post.

No Scrapy here: the archive side reads articles as well, from captures and from tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who wrote it first: the credited outlet, as printed and in normal form."""

    raw: str
    """As printed on the page, blanks trimmed: ``上海证券报`` of ``（文章来源：上海证券报）``."""
    name: str
    """Normal form: the alias table's name for the outlet, else ``raw`` tidied."""
    rule: str
    """What matched: ``label:文章来源``, ``list:medianame``, ``digest-bracket``, …"""


@dataclass(frozen=True, slots=True)
class Text:
    """What is remembered of the text of a post."""

    digest: str
    """Of its words alone."""
    title: str
    """Digest of its headline."""
    length: int
    """Plain text in characters."""
    outlet: bool = False
    """Whether an outlet is credited."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the generic extractor's reading of a page leaves for the memory of its source."""

    head: str
    """Text of the page's ``<title>``."""
    blocks: tuple[int, ...]
    """Fingerprints of what the body holds."""
    struck: tuple[int, ...] = ()
    """Those of what was left out, since it stands on other pages of the source."""
    spared: tuple[int, ...] = ()
    """Those of what stands on another page and was kept: one is a version of the other."""
    siblings: tuple[str, ...] = ()
    """Texts of other pages' ``<title>`` by which the headline was freed of the site's name."""


@dataclass(slots=True, kw_only=True)
class Article:
    """One article of one source. Text fields are plain text, ``body`` is HTML."""

    source: str
    """Id of the source whose rules made it."""
    space: str
    """Namespace of the key: sources that share one never store an article twice."""
    key: str
    """The site's own id, as the site writes it."""
    url: str
    """The address that was fetched for it."""
    link: str = ""
    """Public address of the original, printed below the body; empty for none."""
    title: str = ""
    """Headline."""
    body: str = ""
    """The article's own HTML: as captured until the clean pipeline has run, then fit for a post."""
    published: datetime | None = None
    """Time of publication, always with a zone."""
    published_raw: str = ""
    """The same as printed."""
    modified: datetime | None = None
    """Time of the last change that the page states, with a zone."""
    attribution: Attribution | None = None
    """The credited outlet, if any is named."""
    byline: tuple[str, ...] = ()
    """Names of authors."""
    editor: str = ""
    """Responsible editor (责任编辑), as printed."""
    section: str = ""
    """The site's own section, as printed."""
    digest: str = ""
    """Summary that the list or the page gives."""
    language: str = ""
    """BCP 47 tag."""
    category: str = ""
    """Slug of its category: the first part of the post's address."""
    tags: tuple[str, ...] = ()
    """Labels, as Jekyll's tags."""
    plain: str = ""
    """Plain text of the body, a paragraph a line; the judge sets it."""
    text: Text | None = None
    """What is remembered of it for the gate; the judge sets it."""
    sketch: bytes = b""
    """What its copies are known by (see crawler/syndication); the judge sets it."""
    pointer: str = ""
    """Address, below the site's base, of the post that it is a copy of, where its own is only to point there."""
    capture: str = ""
    """Payload digest of the capture that it was made from."""
    validators: tuple[str, str] = ("", "")
    """ETag and Last-Modified of the answer that it was made from, as sent."""
    revisions: int = 0
    """Earlier versions of its post, where it is an edit."""
    last_modified: datetime | None = None
    """When it was edited last, with a zone."""
    disagreements: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Field -> (what the list said, what the page said), where the two differ."""
    reading: Reading | None = None
    """For the memory of its source, where the generic extractor found its body."""


class Refused(ValueError):
    """Why something cannot become a post; the message is what the ledger and the report say."""
