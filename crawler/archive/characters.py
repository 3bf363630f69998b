"""Text and addresses as they may stand in a post: rules 1, 2, 7 and 8 of the writer, for single strings."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit

# C0 but tab and line feed, DEL, C1 but NEL, surrogates, the noncharacters, the byte order mark.
_PLANE = "\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff"
_OTHERS = "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
_DROPPED = re.compile(f"[{_PLANE}{_OTHERS}]")
# Seven times as fast as the exact one, and nearly never right about a character beyond U+1FFFD.
_SUSPECT = re.compile(f"[{_PLANE}{_OTHERS[0]}-{_OTHERS[-1]}]")
_BLANKS = re.compile("[ \t\n\x85\u2028\u2029]+")
_BRACE = re.compile(r"\{(?=[{%])")
_NUMERIC = re.compile(r"&#(?:[xX]([0-9A-Fa-f]+)|([0-9]+));?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PUBLIC = re.compile(r"https?://[A-Za-z0-9%\[_.~-]|mailto:.|tel:.")
_REFERENCE = re.compile(r"(&[A-Za-z0-9_:#.-]+);")

URL_SAFE = "-._~:/?#[]@!$&'()*+,;=%"
"""What an address keeps besides ASCII letters and digits (rule 8)."""


def tidy(text: str) -> str:
    """Line ends as LF; without the characters that YAML, XML or Jekyll choke on (rule 1)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _DROPPED.sub("", text) if _SUSPECT.search(text) else text


def forbidden(text: str) -> str:
    """The first character that :func:`tidy` would drop, a carriage return among them; empty if there is none."""
    match = _SUSPECT.search(text) and _DROPPED.search(text)
    return match[0] if match else ""


def one_line(text: str) -> str:
    """Tidied, every run of blanks and line ends one blank, trimmed. U+3000 and NBSP are not blanks here."""
    return _BLANKS.sub(" ", tidy(text)).strip(" ")


def headline(text: str) -> str:
    """A title on one line; references to no character become U+FFFD, or jekyll-feed kills the build (rule 2)."""
    return _NUMERIC.sub(lambda m: m[0] if valid_reference(m) else "\ufffd", one_line(text))


def valid_reference(match: re.Match[str]) -> bool:
    """Whether a numeric reference (group 1 hexadecimal, group 2 decimal digits) names a character a post may hold."""
    digits = (match[1] or match[2]).lstrip("0")
    code = int(digits or "0", 16 if match[1] else 10) if len(digits) < 8 else -1
    return 0 < code < 0x110000 and not _DROPPED.match(chr(code)) and code not in (0x0D, 0x85)


def asleep(html: str) -> str:
    """HTML in which Liquid finds nothing to do: each ``{`` before ``{`` or ``%`` as a reference (rule 7)."""
    return _BRACE.sub("&#123;", html) if "{" in html else html


def encode_url(url: str) -> str:
    """Percent-encoded but for :data:`URL_SAFE`; what is encoded already stays (rule 8)."""
    return quote(url, safe=URL_SAFE)


def absolute(url: str, base: str = "") -> str:
    """The public address meant by ``url`` on the page ``base``; empty if it is none (rule 8).

    ``//host`` gets https. Only http, https, mailto and tel are public.
    """
    url = tidy(url).replace("\n", "").replace("\t", "").strip(" \xa0\u3000")
    if url.startswith("//"):
        url = f"https:{url}"
    scheme = _SCHEME.match(url)
    if scheme:
        url = scheme[0].lower() + url[scheme.end() :]
    try:
        url = url if scheme else urljoin(base, url)
        urlsplit(url)
    except ValueError:
        return ""
    url = encode_url(url)
    return url if _PUBLIC.match(url) else ""


def autolink(url: str) -> str:
    """``<url>`` for Markdown; kramdown would read ``&lt;`` in it as a reference, so its ``;`` is encoded (rule 8)."""
    return "<" + _REFERENCE.sub(r"\1%3B", url) + ">"
