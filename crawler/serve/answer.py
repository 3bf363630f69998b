"""What a request gets: status, headers and body, with the validators by which browsers ask again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from hashlib import sha256

HTML = "text/html; charset=utf-8"
ATOM = "application/atom+xml; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to GET; HEAD gets the same without its body."""

    body: bytes = b""
    kind: str = HTML
    status: int = 200
    location: str = ""
    """Where to go instead, of a redirection."""
    changed: float = 0.0
    """When the file was changed last, seconds of the epoch; 0 for what is made for each request."""

    def headers(self) -> dict[str, str]:
        """Its own headers; browsers keep what they got and ask each time whether it still holds."""
        told = {"Content-Type": self.kind, "Cache-Control": "no-cache"}
        if self.location:
            told["Location"] = self.location
        if self.status == 200:
            told["ETag"] = self.tag
        if self.changed:
            told["Last-Modified"] = formatdate(self.changed, usegmt=True)
        return told

    @property
    def tag(self) -> str:
        """By what it holds."""
        return f'"{sha256(self.body).hexdigest()[:32]}"'

    def is_known(self, asked: Mapping[str, str]) -> bool:
        """Whether the asker has this very answer already: RFC 9110, section 13.1, by which If-None-Match goes first.
        ``asked``: headers, their names in lower case."""
        if self.status != 200:
            return False
        if tags := asked.get("if-none-match", ""):
            return "*" in tags or self.tag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
        since = _seconds(asked.get("if-modified-since", ""))
        return bool(self.changed) and since is not None and int(self.changed) <= since


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def see(location: str) -> Answer:
    """Go there instead."""
    return Answer(status=302, location=location, kind=PLAIN)
