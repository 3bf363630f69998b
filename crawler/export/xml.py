"""XML that can be read whatever a post holds."""

from __future__ import annotations

import re
from xml.etree import ElementTree

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def plain(text: str) -> str:
    """The text with blanks for what XML cannot hold."""
    return _NO_XML.sub(" ", text)


def add(parent: ElementTree.Element, tag: str, text: str = "", **attributes: str) -> ElementTree.Element:
    """A child element."""
    known = {key: plain(value) for key, value in attributes.items()}
    child = ElementTree.SubElement(parent, tag, known)
    child.text = plain(text) or None
    return child


def document(root: ElementTree.Element) -> str:
    """The text of a file."""
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f"<?xml version='1.0' encoding='utf-8'?>\n{text}\n"
