"""What exports are made of: lines of the change log with their posts, read one by one, so that memory stays flat."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from html import escape
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import yaml

from crawler.archive.address import dated, post_url
from crawler.archive.changelog import Entry
from crawler.archive.images import files
from crawler.archive.markup import WIDEST, clean
from crawler.archive.names import is_slug
from crawler.archive.reader import Post, PostError, read_any
from crawler.archive.revisions import folder_of
from crawler.site import Site

_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_WEB = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_TITLE = re.compile(r"^title:(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Publisher:
    """What the source of an article says of itself."""

    name: str
    language: str = ""
    """BCP 47 tag."""


@dataclass(frozen=True, slots=True)
class Item:
    """A post and its line in the log."""

    entry: Entry
    post: Post
    digest: str
    """sha256 of the file as it lies: another than the line's where somebody changed it by hand."""
    address: str
    """Where the archive publishes it."""
    published: datetime
    """With a zone."""
    modified: datetime | None
    """When it was edited last, else the time of change that its page stated; with a zone."""
    publisher: Publisher

    @property
    def bare(self) -> Item:
        """The same without its texts."""
        return replace(self, post=replace(self.post, digest="", body=""))

    @property
    def original(self) -> str:
        """Address of the article at its source, empty where the post does not say."""
        return self.field("original") or self.post.link

    @property
    def web_original(self) -> str:
        """The same where it is an address of the web: somebody may have written it by hand."""
        return self.original if _WEB.fullmatch(self.original) else ""

    @property
    def language(self) -> str:
        """BCP 47 tag, empty where neither post nor source says."""
        return self.field("language") or self.publisher.language

    @property
    def language_tag(self) -> str:
        """The same where it has the form of a tag."""
        return self.language if _TAG.fullmatch(self.language) else ""

    @property
    def authors(self) -> tuple[str, ...]:
        """As in the byline."""
        names = self.post.fields.get("authors")
        return tuple(str(name) for name in names if name) if isinstance(names, list) else ()

    @property
    def section(self) -> str:
        """Slug of its category, empty where a post by another hand has none."""
        return next(iter(self.post.categories), "")

    @property
    def content(self) -> str:
        """Digest and body as HTML that does no harm."""
        digest = f"<p>{escape(self.post.digest, quote=False)}</p>" if self.post.digest else ""
        return "\n".join(part for part in (digest, clean(self.post.body, WIDEST, self.address)) if part)

    @property
    def outlet(self) -> str:
        """The credited one, empty for none."""
        return self.field("attribution")

    def field(self, name: str) -> str:
        """Of the front matter, empty where it is not there."""
        return str(self.post.fields.get(name) or "")


class Shelf:
    """The posts of an archive, by lines of its log."""

    def __init__(
        self, archive: Path, site: Site, publishers: Mapping[str, Publisher], warn: Callable[[str], None]
    ) -> None:
        """``warn``: told of each post that is left out, for somebody took it away or it cannot be read."""
        self.site = site
        self.left_out = 0
        self._archive = archive
        self._publishers = publishers
        self._warn = warn
        self._zone = ZoneInfo(site.timezone)

    @property
    def home(self) -> str:
        """Address of the archive, without a slash at its end."""
        return f"{self.site.url}{self.site.baseurl}"

    def source_name(self, source: str) -> str:
        """Of a source, as its file says; else its id."""
        return self._publisher(source).name

    def category_name(self, slug: str) -> str:
        """Of a category, as its page says; else its slug."""
        path = self._archive / "category" / f"{slug}.html"
        found = _TITLE.search(path.read_text("utf-8", "replace")) if is_slug(slug) and path.is_file() else None
        try:
            return str(yaml.safe_load(found[1]) or slug) if found else slug
        except yaml.YAMLError:  # somebody wrote it by hand
            return slug

    def item(self, entry: Entry) -> Item | None:
        """The post of a line as it lies; None where it is left out."""
        try:
            data = (self._archive / entry.path).read_bytes()
            return self._item(entry, read_any(data, PurePosixPath(entry.path).name), sha256(data).hexdigest())
        except (FileNotFoundError, PostError, OverflowError) as error:
            self.leave_out(entry.path, "not there" if isinstance(error, OSError) else str(error))
            return None

    def images(self, entry: Entry) -> list[str]:
        """Files of the images that the post of a line shows, relative to the archive: as it was until its next edit,
        where that version is kept. None of a post that is not there."""
        version = f"{folder_of(entry.path)}/{entry.revision + 1}.md"
        for path in (version, entry.path):
            with suppress(FileNotFoundError):
                return files((self._archive / path).read_bytes().decode(errors="replace"))
        return []

    def leave_out(self, what: str, why: str) -> None:
        """Note that something is not in the export."""
        self.left_out += 1
        self._warn(f"{what}: left out ({why})")

    def _item(self, entry: Entry, post: Post, digest: str) -> Item:
        published = self._zoned(post.date)  # not as Jekyll takes it: what a page printed was the site's own time
        modified = self._moment(post.fields.get("last_modified_at")) or self._moment(post.fields.get("modified"))
        address = self.home + post_url(entry.path, post.categories, dated(post.date, self._zone).date())
        return Item(entry, post, digest, address, published, modified, self._publisher(entry.source))

    def _publisher(self, source: str) -> Publisher:
        return self._publishers.get(source) or Publisher(source)

    def _moment(self, value: object) -> datetime | None:
        """A time of the front matter, None where it is none: somebody may have written it by hand."""
        if isinstance(value, datetime):
            return self._zoned(value)
        try:
            return self._zoned(datetime.fromisoformat(str(value).replace(" +", "+").replace(" -", "-")))
        except ValueError:
            return None

    def _zoned(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
