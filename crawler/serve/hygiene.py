"""A post of whatever hand, fit to be shown: nothing in it runs, and nothing of another host is loaded unasked."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape, unescape
from urllib.parse import urlsplit

from crawler.archive.markup import WIDEST, clean
from crawler.archive.reader import Post

_LINK_OR_IMAGE = re.compile(r"<(/?)(a|img)\b([^<>]*)>")
_SOURCE = re.compile(r' src="([^"]*)"')
_ALT = re.compile(r' alt="([^"]*)"')
_FAR = "http", "//"
"""How a clean address begins that may lead to another host."""


def harmless(post: Post, home: str, picture: str = "") -> Post:
    """The post with a clean body and links that lead to pages.

    ``home``: where the archive is published; addresses of its host become paths, as which they hold here too.
    ``picture``: the word for an image; one of another host becomes a link of that name. Empty to leave images as they
    are.
    """
    parts = urlsplit(home)
    ours = re.escape(f'="{parts.scheme}://{parts.netloc}/')
    body = re.sub(rf"{ours}(?!/)", '="/', clean(post.body, WIDEST, f"{home}/"))  # as a path ``//x`` is host x
    back = tuple(link for link in post.back if _leads_to_a_page(link[1]))
    return replace(post, body=without_foreign_images(body, picture) if picture else body, back=back)


def _leads_to_a_page(target: str) -> bool:
    try:
        return urlsplit(target).scheme in ("", "http", "https")
    except ValueError:
        return False


def without_foreign_images(body: str, picture: str) -> str:
    """A clean body holds no link in a link, so that within one the name alone stands."""
    linked = False

    def shown(match: re.Match[str]) -> str:
        nonlocal linked
        end, tag, attributes = match.groups()
        if tag == "a":
            linked = not end
            return match[0]
        source = _SOURCE.search(attributes)
        if source is None or not source[1].startswith(_FAR):
            return match[0]
        alt = _ALT.search(attributes)
        name = escape(f"{picture} {unescape(alt[1])}".strip() if alt else picture, quote=False)
        return f'<span class="image">{name}</span>' if linked else f'<a class="image" href="{source[1]}">{name}</a>'

    return _LINK_OR_IMAGE.sub(shown, body)
