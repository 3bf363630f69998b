"""Articles as JSON Lines become posts: lines of ``presskeep export jsonl``, and those of others in schema.org's words.

An article of ours keeps its key, its file's name and its category, and passed the gate where it comes from; one of
another tool goes the way of any article: cleaned, judged, attributed. Neither replaces a post that is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from html import escape
from pathlib import PurePosixPath
from typing import BinaryIO
from zoneinfo import ZoneInfo

from crawler.archive.changelog import PRESENCE
from crawler.archive.characters import one_line, tidy
from crawler.archive.ledger import articles, moment_of, stamp
from crawler.archive.post import safe_key
from crawler.ending import in_good_order
from crawler.items import Article, Attribution, Refused
from crawler.run import Run
from crawler.sources import Source
from crawler.steps import Writer, attribute, cleaned, judged, measured
from crawler.urls import key_of
from crawler.whose import Whose
from crawler.yamlfile import SettingsError

_LONGEST = 16 * 1024 * 1024
"""Bytes of a line."""
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_WEB = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-(.+)\.md")
_HTML = re.compile(
    r"<(?:p|div|br|h[1-6]|[uo]l|table|blockquote|figure|img|a|span|strong|em|b|i)\b[^<>]*>", re.IGNORECASE
)
_OURS = ("identifier", "space", "source", "path", "digest")
"""What lines of ours have, each a text."""
_URLS = ("url", "mainEntityOfPage", "@id")

Line = Mapping[str, object]


def is_id(text: str) -> bool:
    """Whether it may be a source's id, or the namespace of keys."""
    return bool(_ID.fullmatch(text))


@dataclass(slots=True)
class Taken:
    """What one file gave."""

    new: int = 0
    same: int = 0
    """Of those, posts that are what the exporting archive had, byte for byte."""
    there: int = 0
    refused: int = 0
    cut_short: bool = False
    """Whether lines of ours were not followed by the one that ends an export."""


class Lines:
    """A file's lines: (number, object), or (number, why there is none)."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name = name
        self._file = file

    def __iter__(self) -> Iterator[tuple[int, Line | str]]:
        number = 0
        while line := self._file.readline(_LONGEST):
            number += 1
            if len(line) == _LONGEST and not line.endswith(b"\n"):
                yield number, f"longer than {_LONGEST} bytes"
                while (rest := self._file.readline(_LONGEST)) and not rest.endswith(b"\n"):
                    pass
            elif line.strip():
                yield number, _object(line)


def _object(line: bytes) -> Line | str:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"no JSON: {error}"
    return told if isinstance(told, dict) else "no JSON object"


def take(run: Run, lines: Lines, sources: Sequence[Source], source: str, timezone: str = "") -> Taken:
    """Make posts of articles; the run is closed then, and its report tells of refused lines.

    ``source``: id under which articles go that are of no known source. ``timezone``: of times that have no zone; where
    it is empty such lines are refused. Raises SettingsError for a zone that is none, and what the run raises.
    """
    try:
        zone = _zone(timezone)
        run.live = run.watch.live = False  # what others captured says nothing of how a source fares
        run.watch.past = True
        run.record_start()
        taking = _Taking(run, lines.name, sources, source, zone)
        with in_good_order(run.report):
            for number, line in lines:
                taking.take(number, line)
                if run.report.interrupted:
                    break
        taking.end()
    except BaseException as error:
        run.close(halted=str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}")
        raise
    run.close()
    return taking.done


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError) as error:
        raise SettingsError([f"--timezone: expected an IANA zone such as Asia/Shanghai (got {name!r})"]) from error


class _Taking:
    """One import under way."""

    def __init__(self, run: Run, name: str, sources: Sequence[Source], source: str, zone: ZoneInfo | None) -> None:
        self.done = Taken()
        self._run, self._name, self._default, self._zone = run, name, source, zone
        self._sources = {one.id: one for one in sources}
        self._whose = Whose(sources)
        self._writer = Writer(run.site)
        self._gone: dict[tuple[str, str], str] = {}

    def take(self, number: int, line: Line | str) -> None:
        """One line."""
        source = self._default
        try:
            if isinstance(line, str):
                raise Refused(line)
            if line.get("event") == "end":
                self.done.cut_short = False
                return
            ours = all(isinstance(line.get(name), str) for name in _OURS)
            self.done.cut_short |= ours
            if ours and line.get("event") in PRESENCE:
                self._note_presence(line)
                return
            if ours and line.get("event") == "outside":  # of the category that was exported: what is here stays
                return
            article, rules = self._ours(line) if ours else self._foreign(line)
            source = rules.id
            self._keep(article, rules, line if ours else None)
        except (Refused, ValueError, OverflowError) as error:
            self.done.refused += 1
            self._run.report.of(source).refuse(f"{self._name}:{number}", str(error))

    def end(self) -> None:
        """What is gone upstream is said of posts that are durable."""
        self._run.flush()
        for (space, key), gone in self._gone.items():
            post = articles.c.space == space, articles.c.key == key, articles.c.state == "done"
            self._run.ledger.write(articles.update().where(*post, articles.c.gone != gone).values(gone=gone))

    def _note_presence(self, line: Line) -> None:
        gone = _text(line, "gone")
        self._gone[_text(line, "space"), _text(line, "identifier")] = stamp(moment_of(gone)) if gone else ""

    # articles

    def _ours(self, line: Line) -> tuple[Article, Source]:
        """As it was written."""
        source, space = _text(line, "source"), _text(line, "space")
        if not (is_id(source) and is_id(space)):
            raise Refused(f"source, space: no ids: {source!r}, {space!r}")
        rules = self._sources.get(source) or self._stand_in(source)
        article = self._article(line, rules, space, _text(line, "identifier"))
        article.body = paragraphs(_text(line, "articleBody"))
        article.category, article.tags = _text(line, "articleSection"), tuple(_texts(line, "keywords"))
        if outlet := next(iter(_names(line, "sourceOrganization")), ""):
            article.attribution = Attribution(outlet, outlet, "jsonl:sourceOrganization")
        cleaned(article, rules)
        measured(article)
        return article, rules

    def _foreign(self, line: Line) -> tuple[Article, Source]:
        """By its address it may be a known source's."""
        url = _url(line)
        found = self._whose.of_printed(url)
        rules = found[0] if found else self._stand_in(self._default)
        key = found[1] if found else _text(line, "identifier") or (key_of(url) if url else "")
        article = self._article(line, rules, rules.space, key)
        text = _text(line, "articleBody", "text")
        article.body = text if _HTML.search(text) else paragraphs(text)
        article.section = next(iter(_texts(line, "articleSection")), "")
        own = () if found else ("publisher",)  # of a source that is followed it is the source itself
        for name in ("sourceOrganization", *own):
            if article.attribution is None and (outlet := next(iter(_names(line, name)), "")):
                article.attribution = Attribution(outlet, outlet, f"jsonl:{name}")
        cleaned(article, rules)
        judged(article, rules, self._run.watch)
        attribute(article, rules, self._run.outlets)
        article.tags = tuple(dict.fromkeys((*article.tags, *_texts(line, "keywords"))))
        return article, rules

    def _article(self, line: Line, rules: Source, space: str, key: str) -> Article:
        """What lines of all kinds have. Raises Refused."""
        if not one_line(key):
            raise Refused("identifier: none, nor a url")
        url, language = _url(line), _text(line, "inLanguage")
        modified = _text(line, "dateModified")
        return Article(
            source=rules.id,
            space=space,
            key=one_line(key),
            url=url,
            link=url,
            title=_text(line, "headline", "title", "name"),
            published=self._moment("datePublished", _text(line, "datePublished")),
            modified=self._moment("dateModified", modified) if modified else None,
            byline=tuple(_names(line, "author")),
            digest=_text(line, "abstract"),
            language=language if _LANGUAGE.fullmatch(language) else "",
        )

    def _moment(self, name: str, written: str) -> datetime:
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            raise Refused(f"{name}: not a time of ISO 8601: {written!r}") from None
        if moment.tzinfo is None and self._zone is None:
            raise Refused(f"{name}: without a zone: {written!r}. Next: the same with --timezone ZONE")
        return moment if moment.tzinfo else moment.replace(tzinfo=self._zone)

    def _stand_in(self, source: str) -> Source:
        """Rules for articles of a source that has none here."""
        if source not in self._sources:
            told = {"id": source, "name": source, "language": "und", "timezone": self._run.site.timezone}
            address = f"https://{source[:60].strip('-')}.invalid/"
            rules = {"expect": {"characters": 1}, "post": {"quote": "quote"}, "recheck": []}
            lists = [{"kind": "file", "path": "-"}]
            self._sources[source] = Source.model_validate(
                {**told, **rules, "home": address, "example": address, "lists": lists}
            )
        return self._sources[source]

    # posts

    def _keep(self, article: Article, rules: Source, ours: Line | None) -> None:
        """Raises ValueError for what would break the site."""
        report = self._run.report.of(rules.id)
        report.listed += 1
        if self._run.has(article.space, article.key):
            self.done.there += 1
            return
        post = self._writer.post(article, rules)
        if rules.article.address == "{url}" and article.url:
            post.hints = {"url": article.url}
        if ours is not None:
            post.path = _own_path(_text(ours, "path"), post.path)
            self.done.same += sha256(post.data).hexdigest() == ours["digest"]
        self._run.keep(post)
        report.new += 1
        self.done.new += 1


def _own_path(there: str, here: str) -> str:
    """The name that its file had, in the folder that it has here; one that is no name of a post counts for nothing."""
    name, (folder, _, own) = PurePosixPath(there).name, here.rpartition("/")
    match = _NAME.fullmatch(name)
    fits = match and match[1] == own[:10] and safe_key(match[2]) == match[2]
    return f"{folder}/{name}" if fits else here


def paragraphs(text: str) -> str:
    """Plain text as HTML, a paragraph for each line."""
    lines = (line for line in tidy(text).split("\n") if line.strip())
    return "\n ".join(f"<p>{escape(line, quote=False)}</p>" for line in lines)


# what JSON may hold where schema.org has a text


def _text(line: Line, *names: str) -> str:
    """Of the first of these that has one; numbers are texts too."""
    found = (line.get(name) for name in names)
    return next(
        (str(one) for one in found if isinstance(one, str | int) and not isinstance(one, bool) and one != ""), ""
    )


def _texts(line: Line, name: str) -> list[str]:
    """A list, or one text with commas."""
    value = line.get(name)
    given = value if isinstance(value, list) else value.split(",") if isinstance(value, str) else []
    return [text for one in given if isinstance(one, str) and (text := one_line(one))]


def _names(line: Line, name: str) -> list[str]:
    """Names of persons or organizations: bare texts, or objects that have one."""
    value = line.get(name)
    given = value if isinstance(value, list) else [value]
    named = (one.get("name") if isinstance(one, dict) else one for one in given)
    return [text for one in named if isinstance(one, str) and (text := one_line(one))]


def _url(line: Line) -> str:
    """Of the original, empty for none on the web."""
    given = (line.get(name) for name in _URLS)
    told = (one.get("@id") if isinstance(one, dict) else one for one in given)
    return next((one for one in told if isinstance(one, str) and _WEB.fullmatch(one)), "")
