"""How pages look: the archive's own layouts as they are now, the reader's bar and pages among them."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from threading import Lock
from typing import Any

import yaml

from crawler.archive.site import template_files
from crawler.render.theme import Theme, split

HERE = Path(__file__).resolve().parent
LAYOUTS = "category", "day", "default", "feed", "home", "missing", "month", "post", "source", "tag", "year"
"""What the site's addresses need."""

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?')
_HEAD_END = re.compile(r"</head>")
_MAIN = re.compile(r"<main\b")


@dataclass(frozen=True, slots=True)
class Link:
    """Of the reader's bar."""

    name: str
    address: str
    """Below the site's root, with a query where there is one."""
    here: bool = False


class Look:
    """An archive's layouts; those that come with presskeep where some are missing, for they belong together."""

    theme: Theme
    pages: dict[str, str]
    """Address -> name of the file, of the pages at the top of the site."""

    def __init__(self, archive: Path, base: str) -> None:
        """``base``: path below which the site lies. Raises OSError where there is no ``_config.yml``."""
        self._archive, self._base = archive, base
        self._lock = Lock()
        self._seen: tuple[object, ...] = ()
        self._borrowed: tempfile.TemporaryDirectory[str] | None = None
        self.refresh()

    def close(self) -> None:
        """Leave nothing behind."""
        if self._borrowed:
            self._borrowed.cleanup()

    def refresh(self) -> None:
        """Read the layouts anew where somebody has changed them."""
        seen = tuple((path, path.stat().st_mtime_ns) for path in _watched(self._archive))
        with self._lock:
            if seen != self._seen:
                self.theme = Theme(self._folder())
                self.pages = dict(_pages(self.theme.archive))
                self._seen = seen

    def _folder(self) -> Path:
        if is_whole(self._archive):
            return self._archive
        self._borrowed = self._borrowed or tempfile.TemporaryDirectory(prefix="presskeep-")
        folder = Path(self._borrowed.name)
        for name, source in [*template_files(), ("_config.yml", self._archive / "_config.yml")]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / name)
        return folder

    @property
    def words(self) -> dict[str, Any]:
        """Of the reader's own pages, in the site's language."""
        return words(str(self.theme.config.get("lang") or "en"))

    def page(self, layout: str, page: Mapping[str, Any], site: Mapping[str, Any], content: str = "") -> str:
        """A page in a layout."""
        return self.theme.page(layout, {"layout": layout, **page}, site, content)

    def own(self, name: str, page: Mapping[str, Any], site: Mapping[str, Any]) -> str:
        """A page of the reader's, by its template."""
        told = {"layout": "reader", "words": self.words, **page}
        return self.page("default", told, site, self.theme.text(_template(name), told, site))

    def finished(self, html: str, bar: Sequence[Link], notice: str = "") -> bytes:
        """With the reader's bar and style. The header's policy counts, which is stricter than the page's own, and lets
        forms be sent here."""
        html = _POLICY.sub("", html, count=1)
        sheet = f'<link rel="stylesheet" href="{escape(self._base)}/serve.css">\n'
        links = "".join(f"{self._link(link)}\n" for link in bar)
        told = f'<p class="notice" role="status">{escape(notice)}</p>\n' if notice else ""
        nav = f'<nav class="reader" aria-label="{escape(self.words["reader"])}">\n{links}</nav>\n{told}'
        html = _HEAD_END.sub(lambda match: sheet + match[0], html, count=1)
        return _MAIN.sub(lambda match: nav + match[0], html, count=1).encode("utf-8", "replace")

    def _link(self, link: Link) -> str:
        here = ' aria-current="page"' if link.here else ""
        return f'<a href="{escape(self._base + link.address)}"{here}>{escape(link.name)}</a>'


def is_whole(archive: Path) -> bool:
    """Whether an archive has all layouts; one that an older presskeep began may lack some."""
    return all((archive / "_layouts" / f"{name}.html").is_file() for name in LAYOUTS)


@lru_cache
def words(language: str) -> dict[str, Any]:
    """By language: ``zh-TW``, then ``zh``, then ``en``."""
    table: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "words.yml").read_text(encoding="utf-8"))
    return table.get(language) or table.get(language.partition("-")[0]) or table["en"]


@lru_cache
def _template(name: str) -> str:
    return (HERE / "templates" / f"{name}.html").read_text(encoding="utf-8")


def _watched(archive: Path) -> Iterator[Path]:
    yield archive / "_config.yml"
    for folder in ("_layouts", "_includes"):
        yield from sorted((archive / folder).glob("*.html"))
    yield from (archive / "_data").glob("words.yml")
    yield from sorted([*archive.glob("*.html"), *archive.glob("*.xml")])


def _pages(archive: Path) -> Iterator[tuple[str, str]]:
    """Files with front matter, which may give them another address."""
    for path in sorted([*archive.glob("*.html"), *archive.glob("*.xml")]):
        if front := split(path.read_text("utf-8", "replace"))[0]:
            yield str(front.get("permalink") or f"/{path.name}"), path.name
