"""Addresses: canonical form, and one key for an article that several addresses lead to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

_TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|msclkid|yclid|twclid|igshid|mc_[ce]id|_ga|_gl|spm|from_?source|share_?token|ocid|cmpid)$",
    re.IGNORECASE,
)
"""Parameters that say where a reader came from, never what is read."""
_SESSION = re.compile(
    r"^(PHPSESSID|jsessionid|ASPSESSIONID\w*|ASP\.NET_SessionId|cftoken|session_?id|sess_?id)=", re.IGNORECASE
)
"""Parameters that name a visit. ``sid`` is not among them: it may as well be a story's id."""
_SESSION_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;?]*|/\(S\([0-9a-z]{20,}\)\)(?=/)", re.IGNORECASE)
_COPY = re.compile(r"^(amp|print|output|view|format|mobile)=(1|amp|print|true|yes|mobile)?$", re.IGNORECASE)
"""Parameters that ask for another rendering of the same article."""
_COPY_HOST = re.compile(r"^(www|m|amp|wap|mobile)\.")
_COPY_PATH = re.compile(r"^/amp(?=/)|^/(?:m|print|mobile)(?=/.*\d)|/(?:amp|print|mobile)/?$|\.amp(?=\.html?$|$)")
"""First or last part of a path that asks for another rendering. A section may be called mobile as well: as the first
part it counts only before something with a number in it."""
_DEFAULT_PORT = {"http": ":80", "https": ":443"}
_KEY_CHARACTERS = re.compile(r"[^A-Za-z0-9_-]+")


def canonical(url: str) -> str:
    """The address without fragment, default port, parameters that track and session ids; sorted, bytes kept.

    Raises ValueError for what is no address: a port beyond 65535, half an IPv6 address, half a character.
    """
    parts = urlsplit(canonicalize_url(url))
    who, at, host = parts.netloc.rpartition("@")
    host = who + at + host.lower().removesuffix(_DEFAULT_PORT.get(parts.scheme, ""))
    named = (one for one in parts.query.split("&") if not _TRACKING.match(one.partition("=")[0]))
    query = "&".join(one for one in named if not _SESSION.match(one))
    return urlunsplit((parts.scheme, host, _SESSION_PATH.sub("", parts.path) or "/", query, ""))


def shared_form(url: str) -> str:
    """What the copies of an article (AMP, mobile, print) share: no scheme, no prefix, part or parameter of theirs."""
    parts = urlsplit(canonical(url))
    query = "&".join(one for one in parts.query.split("&") if not _COPY.match(one))
    path = _COPY_PATH.sub("", parts.path).rstrip("/") or "/"
    return _COPY_HOST.sub("", parts.netloc) + path + (f"?{query}" if query else "")


def key_of(url: str, patterns: Iterable[re.Pattern[str]] = ()) -> str:
    """The site's own id in an address: the first pattern's group; without patterns its last part and a hash.

    Empty where patterns are given and none fits: such a link is no article. Without patterns raises ValueError for what
    is no address.
    """
    patterns = tuple(patterns)
    for pattern in patterns:
        if (match := pattern.search(url)) and (found := match[1] if pattern.groups else match[0]):
            return str(found)
    if patterns or not url:
        return ""
    form = shared_form(url)
    last = unquote(form.partition("?")[0].rsplit("/", 1)[-1])
    name = _KEY_CHARACTERS.sub("-", re.sub(r"\.\w{1,5}$", "", last)).strip("-")[:60]
    return f"{name or 'article'}-{hashlib.sha256(form.encode()).hexdigest()[:8]}"
