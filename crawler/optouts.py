"""What a page says against being archived or mined: ``noarchive`` and the reservation of text and data mining."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_OURS = frozenset({"robots", "presskeep"})
_VALUED = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
"""Words of a robots tag that are followed by a colon, though they name no agent."""
_META = re.compile(rb"<meta\b[^>]*>")
_ATTRIBUTE = re.compile(r"""\b(name|content)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_SEARCHED = 65536
"""Bytes from a page's beginning in which its meta elements stand."""


def opt_outs(headers: Iterable[tuple[str, str]], body: bytes) -> str:
    """Such as ``noarchive, tdm-reservation``; empty for a page that says nothing of the kind.

    Headers: ``X-Robots-Tag: [agent:] noarchive`` and ``TDM-Reservation: 1`` (W3C TDMRep, sections 6 and 7); in HTML the
    meta elements of the same names, ``robots`` and ``presskeep`` for the first.
    """
    said = [(name.lower(), value) for name, value in headers]
    tags = [value for name, value in said if name == "x-robots-tag"]
    tdm = [value for name, value in said if name == "tdm-reservation"]
    begin = body[:_SEARCHED].lower()
    if b"noarchive" in begin or b"tdm-reservation" in begin:  # forty times faster than a pattern that minds no case
        for name, content in _metas(begin):
            if name in _OURS:
                tags.append(content)
            elif name == "tdm-reservation":
                tdm.append(content)
    found = {"noarchive": any(map(_forbids, tags)), "tdm-reservation": any(one.strip() == "1" for one in tdm)}
    return ", ".join(name for name, said in found.items() if said)


def _forbids(tag: str) -> bool:
    """Whether the words of a tag forbid archives to us: ``noarchive``, ``presskeep: noarchive``, not ``other: …``."""
    agent = "robots"
    for word in tag.lower().split(","):
        before, colon, said = word.strip().partition(":")
        if colon and before.strip() not in _VALUED:
            agent = before.strip()
        if (said if colon else before).strip() == "noarchive" and agent in _OURS:
            return True
    return False


def _metas(head: bytes) -> Iterator[tuple[str, str]]:
    for element in _META.findall(head):
        said = {name.lower(): "".join(value) for name, *value in _ATTRIBUTE.findall(element.decode("latin-1"))}
        yield said.get("name", "").strip().lower(), said.get("content", "")
