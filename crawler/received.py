"""An answer that was received for an article, over the wire or from a capture, and the Article that is made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from crawler.archive.captures import Response, unpacked
from crawler.archive.ledger import Row
from crawler.assemble import Assembler
from crawler.extract.page import Page
from crawler.gate import own_key
from crawler.items import Article, Refused
from crawler.mementos import original_of, taken_at
from crawler.optouts import opt_outs
from crawler.share import fill
from crawler.sources import Source
from crawler.urls import canonical, key_of

_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Received:
    """An answer."""

    url: str
    """Where it came from, at the end of all redirects."""
    body: bytes
    """Unpacked."""
    headers: tuple[tuple[str, str], ...]
    seen_at: datetime
    """When it was captured: the bound of dates of publication."""
    capture: str = ""
    """Payload digest of its capture, if that is kept."""
    redirected: bool = False

    @classmethod
    def of(cls, response: Response, capture: str = "") -> Received:
        """A captured answer. Raises ValueError where its date is none."""
        seen_at = datetime.fromisoformat(response.date).astimezone(UTC)
        return cls(response.url, unpacked(response), response.headers, seen_at, capture)

    def header(self, name: str) -> str:
        """Empty if it was not sent."""
        return next((value for given, value in self.headers if given.lower() == name), "")

    def page(self, encoding: str) -> Page:
        """Parsed; ``encoding`` is the source's own, empty for none."""
        declared = _CHARSET.search(self.header("content-type"))
        return Page(self.body, self.url, declared=declared[1] if declared else "", encoding=encoding)


def article_of(answer: Received, row: Row, assembler: Assembler) -> Article:
    """The article of an answer, with the key that the page claims. Raises Refused."""
    source, answer = assembler.source, _as_published(answer, row)
    page = answer.page(source.article.encoding)
    article, said = assembler.article(page, row.key, row.hints, answer.seen_at)
    claimed = urljoin(answer.url, said) if said else ""
    article.key = _true_key(source, row.key, claimed)
    if article.key == row.key and source.key.patterns and answer.redirected:
        own_key(row.key, (key_of(answer.url, source.key_patterns), key_of(claimed, source.key_patterns)))
    article.url = row.hints.get("url") or article.url
    article.link = _link(source, article, row.hints)
    article.capture = answer.capture
    article.validators = answer.header("etag"), answer.header("last-modified")
    if opted := opt_outs(answer.headers, answer.body):
        article.disagreements["opt_outs"] = "", opted
    return article


def _as_published(answer: Received, row: Row) -> Received:
    """A web archive's answer as that of the page it is of, at the time when it was captured there. Raises Refused."""
    taken = taken_at(answer.url)
    if taken is None:
        if "memento" in row.hints:
            raise Refused(f"no capture: the archive leads to {answer.url}")
        return answer
    return replace(answer, url=original_of(answer.url), seen_at=taken)


def _link(source: Source, article: Article, hints: Mapping[str, str]) -> str:
    values = {**hints, "key": article.key, "url": canonical(article.url), "source": source.id}
    return fill(source.post.link, values)


def _true_key(source: Source, key: str, claimed: str) -> str:
    """The key of the address that a page claims for itself, if that is one of the source's own hosts."""
    host = urlsplit(claimed).netloc.lower()
    return (key_of(claimed, source.key_patterns) if host in source.hosts else "") or key
