"""What kramdown makes of a post in the writer's form: the few kinds of paragraphs that there are, and HTML."""

from __future__ import annotations

import re
from html import escape, unescape

from crawler.archive.allowed import VOID
from crawler.archive.markup import WRITTEN, fit

_AUTOLINK = re.compile(r"<(https?://[^<>\s]+)>")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)[^>]*>")
_INLINE = re.compile(r"\[([^\[\]\n]*)\]\(([^()\s]*)\)|<(https?://[^<>\s]+)>")
_ACTIVE = re.compile(
    r"[\\`*_\[\]<{}~^\"'|]| {2}\n|>>|!\[|--|\.\.\.|\$\$|&(?!(?:#[0-9]+|#x[0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);)"
)
_SIGN = re.compile(r"&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);|[&<>]")
_START = re.compile(r"[#+:=|-]|[0-9]+[.)] | {4}")


def html_of(text: str) -> str:
    """The HTML of what stands below a post's front matter. Markdown that the writer never uses is shown as its own
    text; ``plain`` says whether there is any."""
    return "\n".join(map(_shown, _parts(text)))


def plain(text: str) -> bool:
    """Whether ``html_of`` gives what kramdown gives: the text is in the writer's form."""
    return all(map(_known, _parts(text)))


def _parts(text: str) -> list[str]:
    """The writer parts digest, body, link and links back by blank lines, and has none inside."""
    return [part.strip("\n") for part in text.replace("\r\n", "\n").split("\n\n") if part.strip("\n")]


def _shown(part: str) -> str:
    if part.startswith("> "):
        return f"<blockquote>\n  <p>{_prose(part[2:])}</p>\n</blockquote>\n"
    if part.startswith("<") and not _AUTOLINK.match(part):
        return _apart(part)
    return f"<p>{_line(part)}</p>\n"


def _known(part: str) -> bool:
    if part.startswith("<") and not _AUTOLINK.match(part):
        return fit(part, WRITTEN)
    quoted = part.startswith("> ")
    rest = _INLINE.sub("", part[2:] if quoted else part)
    return not _ACTIVE.search(rest) and not _START.match(part) and (not quoted or "\n" not in part)


def _apart(html: str) -> str:
    """Each of the outermost blocks on a line of its own."""
    ends: list[int] = []
    depth = 0
    for match in _TAG.finditer(html):
        if match[1]:
            depth -= 1
        elif match[2] not in VOID:
            depth += 1
        if depth == 0:
            ends.append(match.end())
    starts = [0, *ends]
    blocks = (html[start:end].strip("\n ") for start, end in zip(starts, [*ends, len(html)], strict=True))
    return "\n".join(block for block in blocks if block) + "\n"


def _line(text: str) -> str:
    """Text with links in it."""
    told, end = [], 0
    for match in _INLINE.finditer(text):
        label, target, address = match.groups()
        link = f'<a href="{escape(address or target)}">{escape(address, False) if address else _prose(label)}</a>'
        told += [_prose(text[end : match.start()]), link]
        end = match.end()
    return "".join([*told, _prose(text[end:])])


def _prose(text: str) -> str:
    """References as the characters that they mean, but for those of HTML's own signs."""
    return _SIGN.sub(_told, text)


def _told(match: re.Match[str]) -> str:
    meant = unescape(match[0])
    return match[0] if len(match[0]) > 1 and meant in ("<", ">", "&") else escape(meant, quote=False)
