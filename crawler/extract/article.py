"""Any news page: what an article says and who wrote it, with the evidence for each value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crawler.extract.attribution import Credit, seek_attribution
from crawler.extract.authors import seek_authors
from crawler.extract.body import Body, find_body
from crawler.extract.evidence import Candidate, Choice
from crawler.extract.facts import Facts, text_of
from crawler.extract.kind import ARTICLE, page_kind
from crawler.extract.page import Page
from crawler.extract.published import Moment, seek_published
from crawler.extract.render import lead_image, to_html
from crawler.extract.scripts import body_in_scripts
from crawler.extract.title import seek_title
from crawler.extract.walls import Phrases, common

_THIN = 200
"""Bytes of text; a page that shows less may hold its article in a script."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What one page gives. Empty text or None where it gives nothing."""

    url: str
    """The address it was asked with."""
    kind: str
    """``article``, or why it is none: ``list``, ``soft404``, ``consent``, ``captcha``, ``paywall``, ``empty``."""
    title: str
    """The headline, freed of the site's name."""
    body: str
    """The article's own blocks as clean HTML: p, h2-h6, ul, ol, li, table, blockquote, pre, figure, img, a and
    emphasis; addresses are whole; no scripts, styles or classes."""
    text: str
    """The same as plain text, a line a block, captions of pictures left out."""
    published: Moment | None
    """When it was published: a date alone, or with a time, with its offset if the page states one."""
    modified: Moment | None
    """When it was last changed."""
    authors: tuple[str, ...]
    """Names of who signs it."""
    attribution: Credit | None
    """Who wrote it first, if not the site itself: as printed, and the rule that found it."""
    publisher: str
    """The site's own name."""
    language: str
    """BCP 47 tag in small letters, as the page states it."""
    image: str
    """Address of the lead image."""
    evidence: Mapping[str, Choice[Any]] = field(default_factory=dict, repr=False, compare=False)
    """For each field what was taken, from where, and what was passed over for which reason."""
    head_title: str = field(default="", repr=False, compare=False)
    """Text of its ``<title>``, for ``siblings`` of other pages."""
    fingerprints: Sequence[int] = field(default=(), repr=False, compare=False)
    """Numbers of the body's blocks for a source's memory of blocks that stand on several pages."""


def extract(
    html: bytes | str | Page,
    url: str = "",
    *,
    language: str | None = None,
    encoding: str | None = None,
    zone: ZoneInfo | None = None,
    not_after: datetime | None = None,
    repeated: Collection[int] = (),
    siblings: Sequence[str] = (),
    listed: str = "",
    agencies: Collection[str] = (),
    walls: Phrases | None = None,
) -> Extracted:
    """Read any page. Bytes are decoded as they are (strict UTF-8 first, then what is declared), or by ``encoding``;
    a page that is made already has its own address and encoding.

    What a crawler knows beyond the page makes it better, all of it optional: ``zone`` of the source, ``not_after``
    (when the page was fetched), ``repeated`` blocks (``fingerprints`` that other pages of the source have too),
    ``siblings`` (``<title>`` texts of other pages of the source), ``listed`` (the title in the list), names of news
    ``agencies``, phrases of ``walls`` instead of the package's own. Never raises on a page; raises LookupError for an
    ``encoding`` that is none.
    """
    if isinstance(html, Page):
        page = html
    else:
        page = Page.of_text(html, url) if isinstance(html, str) else Page(html, url, encoding=encoding or "")
    facts = Facts(page)
    phrases = common() if walls is None else walls
    found = find_body(facts, repeated=repeated)
    found.drop_promos(phrases)
    text, html = found.text, to_html(found, facts.absolute)
    node = found.node
    taken = Candidate(text, "blocks", node=node)
    if (
        len(text) < _THIN
        and len(text.encode("utf-8", "replace")) < _THIN
        and not phrases.find(facts.head_title, text.split("\n"))
        and (hidden := body_in_scripts(facts))
        and len(hidden.text) > len(text)
    ):
        text, html, taken = hidden.text, hidden.html, Candidate(hidden.text, hidden.rule)
    title = seek_title(facts, listed=listed, siblings=siblings)
    published, modified = seek_published(facts, zone=zone, not_after=not_after, body=node)
    authors = seek_authors(facts, body=node, agencies=agencies)
    paragraphs = text.split("\n") if text else []
    attribution = seek_attribution(facts, paragraphs=paragraphs, body=node, agencies=agencies)
    kind = page_kind(facts, text, title.value or "", body=node, walls=phrases)
    publisher, spoken = _publisher(facts), _language(facts, language)
    image = _image(facts, found)
    evidence: dict[str, Choice[Any]] = {
        "kind": kind, "title": title, "body": Choice(taken if text else None), "published": published,
        "modified": modified, "authors": authors, "attribution": attribution, "publisher": publisher,
        "language": spoken, "image": image,
    }  # fmt: skip
    return Extracted(
        url=page.url,
        kind=kind.value or ARTICLE,
        title=title.value or "",
        body=html,
        text=text,
        published=published.value,
        modified=modified.value,
        authors=authors.value or (),
        attribution=attribution.value,
        publisher=publisher.value or "",
        language=spoken.value or "",
        image=image.value or "",
        evidence=evidence,
        head_title=facts.head_title,
        fingerprints=found.fingerprints(),
    )


def _first(offers: Sequence[tuple[str, str]]) -> Choice[str]:
    """The first that says anything."""
    said = [Candidate(value, rule, value) for value, rule in offers if value]
    return Choice(said[0] if said else None, tuple(said[1:]))


def _publisher(facts: Facts) -> Choice[str]:
    return _first((
        (text_of(facts.article.get("publisher")), "jsonld:publisher"),
        (facts.meta("og:site_name"), "meta:og:site_name"),
        (facts.meta("application-name", "dc.publisher", "publisher", "copyright"), "meta:publisher"),
        (facts.host, "host"),
    ))  # fmt: skip


def _language(facts: Facts, given: str | None) -> Choice[str]:
    return _first((((given or "").lower(), "given"), (facts.language, "stated")))


def _image(facts: Facts, body: Body) -> Choice[str]:
    stated = facts.article.get("image")
    if isinstance(stated, list) and stated:
        stated = stated[0]
    if isinstance(stated, Mapping):
        stated = stated.get("url") or stated.get("contentUrl")
    found = _first((
        (_whole(facts, facts.meta("og:image", "og:image:url", "og:image:secure_url")), "meta:og:image"),
        (_whole(facts, stated if isinstance(stated, str) else ""), "jsonld:image"),
        (_whole(facts, facts.meta("twitter:image", "twitter:image:src")), "meta:twitter:image"),
    ))  # fmt: skip
    return found if found.taken else _first([(lead_image(body, facts.absolute), "body")])


def _whole(facts: Facts, address: str) -> str:
    address = facts.absolute(address) if address else ""
    return address if address.startswith(("http://", "https://")) else ""
