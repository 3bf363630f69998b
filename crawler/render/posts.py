"""Posts as layouts see them: the page of one, and its HTML."""

from __future__ import annotations

from datetime import tzinfo
from html import escape
from pathlib import PurePosixPath
from typing import Any

from crawler.archive.address import dated, post_url
from crawler.archive.post import Post
from crawler.render.markdown import html_of


def content_of(post: Post) -> str:
    """The HTML of a post: digest as a block quote, body, link to the original, links back.

    A post does not say whether its digest was quoted, nor what stood between its links; where that counts, give the
    text below its front matter to ``html_of``.
    """
    quote = f"<blockquote>\n  <p>{escape(post.digest, quote=False)}</p>\n</blockquote>\n" if post.digest else ""
    link = f"<p>{_link(post.link, post.link)}</p>\n" if post.link else ""
    back = "｜".join(_link(target, label) for label, target in post.back)
    return "\n".join(filter(None, (quote, html_of(post.body), link, f"<p>{back}</p>\n" if back else "")))


def _link(target: str, label: str) -> str:
    return f'<a href="{escape(target)}">{escape(label, quote=False)}</a>'


def url_of(path: str, post: Post, zone: tzinfo) -> str:
    """Address of a post, below the site's base. ``zone``: the site's."""
    return post_url(path, post.categories, dated(post.date, zone).date())


def page_of(
    post: Post, url: str, zone: tzinfo | None = None, path: str = "", content: str | None = None
) -> dict[str, Any]:
    """What layouts see as ``page`` or ``post``: all front matter, times in the site's zone, its HTML.

    ``zone``: the site's; without it times stay in the post's own. ``path``: of its file. ``content``: its HTML, where
    the caller has made it. Neighbours in time, ``previous`` and ``next``, are the caller's to add.
    """
    name = PurePosixPath(path).name
    return {
        "layout": "post",
        **post.fields,
        "title": post.title,
        "date": dated(post.date, zone) if zone else post.date,
        "categories": list(post.categories),
        "tags": list(post.tags),
        "url": url,
        "id": url.removesuffix(".html"),
        "path": path,
        "relative_path": path,
        "name": name,
        "slug": PurePosixPath(name).stem[11:],
        "ext": ".md",
        "collection": "posts",
        "draft": False,
        "content": content_of(post) if content is None else content,
    }
