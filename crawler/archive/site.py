"""A new archive's Jekyll site: copies the template without touching what is there, writes the pages of lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crawler.archive.posts import Pending, write_all

TEMPLATE = Path(__file__).resolve().parents[2] / "output"
"""Where the template lies: beside the package, in the checkout as in the wheel."""

_TEMPLATE_FILES = (
    "404.html",
    "_config.yml",
    "_data/words.yml",
    "_includes/*.html",
    "_layouts/*.html",
    "archive.html",
    "assets/*.css",
    "assets/search.js*",
    "categories.html",
    "feed.xml",
    "index.html",
    "publishers.html",
    "search.html",
    "tags.html",
)
# A list of what belongs to it, not of what does not: someone may have crawled into the checkout's output/.

_FOLDERS = ("_posts", "category", "sources")

_UNSAFE = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')
# Quote and backslash; what YAML 1.1 does not call printable (section 5.1); line breaks; the byte order mark.
_SHORT = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


@dataclass(frozen=True, slots=True)
class NewSite:
    """What ``new_site`` did."""

    written: list[Path]
    """Files that were not there."""
    kept: list[Path]
    """Files that were there with other bytes, and were left alone."""


def template_files(template: Path = TEMPLATE) -> Iterator[tuple[str, Path]]:
    """The template's files, each as (path inside the site, where it lies), in order."""
    for pattern in _TEMPLATE_FILES:
        for path in sorted(template.glob(pattern)):
            yield path.relative_to(template).as_posix(), path


def new_site(
    folder: Path, *, title: str, url: str, timezone: str, language: str = "zh-CN", baseurl: str = ""
) -> NewSite:
    """Make ``folder`` a Jekyll site that builds: the template with these values in its ``_config.yml``.

    Nothing that exists is overwritten, and every file is whole or absent, so it can be run again at any time.
    Raises OSError where the folder cannot be written.
    """
    values = {"title": title, "url": url, "baseurl": baseurl, "lang": language, "timezone": timezone}
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    files = [Pending(name, _filled(source, values)) for name, source in template_files()]
    done = NewSite([], [])
    for file, fresh in zip(files, write_all(folder, files), strict=True):
        path = folder / file.path
        if fresh:
            done.written.append(path)
        elif not (path.is_file() and path.read_bytes() == file.data):
            done.kept.append(path)
    return done


def _filled(source: Path, values: dict[str, str]) -> bytes:
    content = source.read_bytes()
    return fill(content.decode(), values).encode() if source.name == "_config.yml" else content


def category_page(slug: str, title: str) -> bytes:
    """The page that lists the posts of category ``slug``.

    ``slug`` is also its address, ``/category/SLUG.html``, to which the posts link back.
    """
    return _stub("category", f"/category/{slug}.html", title=title, category=slug)


def feed_page(slug: str, title: str) -> bytes:
    """The Atom feed of category ``slug``, ``/category/SLUG.xml``."""
    return _stub("feed", f"/category/{slug}.xml", title=title, category=slug)


def source_page(source: str, name: str) -> bytes:
    """The page that lists the posts of one source by its id, ``/source/ID.html``; ``name`` is its publisher's."""
    return _stub("source", f"/source/{source}.html", title=name, source=source)


def tag_page(slug: str, tag: str) -> bytes:
    """The page that lists the posts that carry ``tag``, ``/tag/SLUG.html``."""
    return _stub("tag", f"/tag/{slug}.html", title=tag, tag=tag)


def year_page(year: str) -> bytes:
    """The calendar of a year, ``"2022"``: ``/archive/2022.html``."""
    return _stub("year", f"/archive/{year}.html", title=year, year=year)


def month_page(month: str) -> bytes:
    """The calendar of a month, ``"2022-05"``: ``/archive/2022/05.html``."""
    return _stub("month", f"/archive/{month.replace('-', '/')}.html", title=month, month=month)


def day_page(day: str) -> bytes:
    """The page that lists the posts of a day, ``"2022-05-19"``: ``/archive/2022/05/19.html``."""
    return _stub("day", f"/archive/{day.replace('-', '/')}.html", title=day, day=day)


def _stub(layout: str, permalink: str, **front: str) -> bytes:
    """A page that is front matter alone: its layout does the rest, so it need never be written again."""
    lines = [f"{key}: {yaml_string(value)}" for key, value in [*front.items(), ("permalink", permalink)]]
    return "\n".join(["---", f"layout: {layout}", *lines, "---", ""]).encode()


def fill(config: str, values: dict[str, str]) -> str:
    """``config`` with each top-level ``key: …`` line set to its value. Raises KeyError for a key it does not have."""
    for key, value in values.items():
        line = f"{key}: {yaml_string(value)}".replace("\\", r"\\")
        config, found = re.subn(rf"^{re.escape(key)}:.*$", line, config, flags=re.MULTILINE)
        if found != 1:
            raise KeyError(key)
    return config


def yaml_string(text: str) -> str:
    """``text`` as a double-quoted YAML scalar on one line that PyYAML and Ruby's Psych read back as it was.

    Lone surrogates, which no UTF-8 file can hold, become U+FFFD.
    """
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return '"' + _UNSAFE.sub(_escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    return _SHORT.get(char) or (f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}")


def write_new(path: Path, content: bytes) -> bool:
    """Write a file that is not there yet, whole or not at all. False, and nothing changed, if its name is taken."""
    return write_all(path.parent, [Pending(path.name, content)])[0]
