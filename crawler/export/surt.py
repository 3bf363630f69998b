"""Keys by which indexes of web archives sort addresses: SURT, the host backwards, what rarely matters left out."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote_from_bytes, unquote_to_bytes, urlsplit

_KEPT = "!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""Signs that stand as they are, as in the Internet Archive's own keys."""
_PORTS = {"http": 80, "https": 443}


def surt(url: str) -> str:
    """``com,example)/a/b?x=1&y=2`` of ``https://www.Example.com/a/b/?y=2&x=1``: as the ``surt`` package writes it, by
    which pywb and ReplayWeb.page look pages up, but that session numbers stay. What is no address is only escaped."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    except ValueError:
        return _escaped(url)
    if not parts.hostname:
        return _escaped(url)
    query = f"?{_sorted(_escaped(parts.query).lower())}" if parts.query else ""
    return f"{_host(parts)}{port}){_path(parts.path)}{query}"


def _host(parts: SplitResult) -> str:
    name = parts.hostname or ""
    try:
        name = name.encode("idna").decode("ascii")
    except UnicodeError:
        name = _escaped(name)
    return ",".join(reversed(re.sub(r"^www\d*\.", "", name).strip(".").split(".")))


def _path(path: str) -> str:
    """Without dots, doubled slashes and one at its end."""
    kept: list[str] = []
    for part in _plain(path).decode("utf-8", "surrogateescape").split("/")[1:]:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    folders = "".join(f"{part}/" for part in kept[:-1] if part)
    tidy = _quoted(f"/{folders}{''.join(kept[-1:])}".encode("utf-8", "surrogateescape")).lower()
    return tidy.removesuffix("/") or "/"


def _sorted(query: str) -> str:
    return "&".join("=".join(pair) for pair in sorted(part.split("=", 1) for part in query.split("&")))


def _escaped(text: str) -> str:
    return _quoted(_plain(text))


def _plain(text: str) -> bytes:
    """With every escape undone, those of escapes too."""
    data = text.encode("utf-8", "surrogateescape")
    while (plain := unquote_to_bytes(data)) != data:
        data = plain
    return data


def _quoted(data: bytes) -> str:
    return quote_from_bytes(data, safe=_KEPT)
