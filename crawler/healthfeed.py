"""``health.xml``: an Atom feed of the archive's own troubles; a source that breaks or recovers is an entry.

It is there once there was something to say, and its bytes change only when something changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from crawler.archive.posts import replace
from crawler.site import Site

NAME = "health.xml"
_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, and line breaks."""
_MOST = 100
"""Entries that are kept."""


@dataclass(frozen=True, slots=True)
class Event:
    """A source that broke, or works again."""

    source: str
    at: str
    """As the ledger writes moments."""
    reason: str
    """Why it broke; empty for a recovery."""


def update(archive: Path, site: Site, states: Mapping[str, str], at: str) -> None:
    """Note what changed. ``states``: source -> why it is broken, empty for one that works. Raises OSError."""
    path = archive / NAME
    known = read(path.read_bytes()) if path.is_file() else []
    for left in archive.glob(f".{NAME}.*.tmp"):
        left.unlink(missing_ok=True)  # of a run that was killed
    if fresh := changes(known, states, at):
        replace(path, feed(site, [*fresh, *known][:_MOST]))


def changes(known: Sequence[Event], states: Mapping[str, str], at: str) -> list[Event]:
    """What is new beside the events known so far, newest first."""
    broken: dict[str, bool] = {}
    for event in known:
        broken.setdefault(event.source, bool(event.reason))
    return [
        Event(source, at, reason)
        for source, reason in sorted(states.items())
        if bool(reason) != broken.get(source, False)
    ]


def feed(site: Site, events: Sequence[Event]) -> bytes:
    """The feed of these events, newest first."""
    address = f"{site.url}{site.baseurl}/{NAME}"
    root = ElementTree.Element("feed", xmlns=_ATOM)
    root.set("xml:lang", "en")
    _add(root, "id", address)
    _add(root, "title", f"{site.title}: health")
    _add(root, "updated", events[0].at)
    _add(_add(root, "author"), "name", "presskeep")
    _add(root, "link", rel="self", type="application/atom+xml", href=address)
    for event in events:
        root.append(_entry(address, event))
    ElementTree.indent(root, "")
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def read(data: bytes) -> list[Event]:
    """The events of a feed; none of one that cannot be read."""
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError:
        return []
    events = []
    for entry in root.iter(f"{{{_ATOM}}}entry"):
        _, _, mark = entry.findtext(f"{{{_ATOM}}}id", "").partition("#")
        source, _, at = mark.partition("/")
        if source and at:
            events.append(Event(unquote(source), at, entry.findtext(f"{{{_ATOM}}}content", "")))
    return events


def _entry(address: str, event: Event) -> ElementTree.Element:
    entry = ElementTree.Element("entry")
    _add(entry, "id", f"{address}#{quote(event.source, safe='')}/{event.at}")
    _add(entry, "title", f"{event.source} is broken" if event.reason else f"{event.source} works again")
    _add(entry, "updated", event.at)
    if event.reason:
        _add(entry, "content", event.reason, type="text")
    else:
        _add(entry, "summary", f"Its lists can be read again since {event.at}.")
    return entry


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name, attributes)
    child.text = _NO_XML.sub(" ", text) or None
    return child
