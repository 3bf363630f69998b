"""The site's layouts, parsed once: pages as Jekyll would render them, from what the caller knows of posts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import tzinfo
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from liquid import BoundTemplate
from liquid.exceptions import LiquidError

from crawler.render.liquid import Liquid

_FRONT = re.compile(r"\A---[ \t]*\n(.*?\n?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_MARKED = re.compile(r"^[ \t]*# presskeep pack: .*?^[ \t]*# presskeep pack: .*?$\n?", re.DOTALL | re.MULTILINE)
_DATA = (".yml", ".yaml", ".json")
DERIVED = ("days", "facts", "packed", "sources", "tags")
"""Names in ``_data`` that presskeep writes: they change with the archive, and are no part of its look."""


class LayoutError(LiquidError):
    """A layout, an include or a page of the site that cannot be rendered: its file, line and column, and why."""

    def __init__(self, file: str, why: object, place: str = "") -> None:
        said = " ".join(str(why).split())
        super().__init__("".join(one if one.isprintable() else "?" for one in f"{file}{place}: {said}"), token=None)


@contextmanager
def _named(file: str, above: int) -> Iterator[None]:
    """``above``: lines of the file that stand before what is Liquid. Raises LayoutError for what Liquid refuses."""
    try:
        yield
    except LayoutError:
        raise
    except LiquidError as error:
        inside = str(error.template_name or "")
        raise LayoutError(inside or file, error.message, _place(error, above if inside in ("", file) else 0)) from error


def _place(error: LiquidError, above: int) -> str:
    if error.token is None:
        return ""
    start, source = error.token.start_index, error.token.source
    if start < 0:
        return ", at its end"
    return f", line {source.count(chr(10), 0, start) + above + 1}, column {start - source.rfind(chr(10), 0, start)}"


class Data(dict[str, Any]):
    """``site.data``, and each folder in it: a file is read when a layout asks for it, or for all."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, name: str) -> Any:
        """Raises KeyError for what is not there."""
        if isinstance(name, str) and _plain_name(name):
            if (self._folder / name).is_dir():
                self[name] = Data(self._folder / name)
                return self[name]
            for suffix in _DATA:
                if (path := self._folder / f"{name}{suffix}").is_file():
                    self[name] = read_data(path)
                    return self[name]
        raise KeyError(name)

    def items(self) -> Any:
        """All, by name."""
        names = {path.stem if path.suffix in _DATA else path.name for path in self._folder.glob("[!.]*")}
        told = {}
        for name in sorted(names):
            with suppress(KeyError):
                told[name] = self[name]
        return told.items()

    def __len__(self) -> int:
        return len(self.items())


class _Laid(dict[str, Any]):
    """Values over those of ``site.data``."""

    def __init__(self, over: Mapping[str, Any], data: Data) -> None:
        super().__init__(over)
        self._data = data

    def __missing__(self, name: str) -> Any:
        return self._data[name]


def _plain_name(name: str) -> bool:
    return name != "" and not name.startswith(".") and "/" not in name and "\\" not in name and "\0" not in name


def read_data(path: Path) -> Any:
    """A data file. Those of presskeep are read as JSON, line by line, which is some forty times as fast as YAML."""
    text = path.read_text(encoding="utf-8")
    try:
        return json.loads("{" + ",".join(line for line in text.splitlines() if line) + "}")
    except ValueError:
        return yaml.load(text, yaml.CSafeLoader)


class Theme:
    """An archive's ``_layouts``, ``_includes``, ``_data`` and ``_config.yml`` as they are now."""

    def __init__(self, archive: Path) -> None:
        """Raises OSError and yaml.YAMLError where there is no ``_config.yml`` that can be read."""
        self.archive = archive
        self.config: dict[str, Any] = _mapping(yaml.load((archive / "_config.yml").read_bytes(), yaml.CSafeLoader))
        self.zone: tzinfo = ZoneInfo(str(self.config.get("timezone") or "UTC"))
        url, base = str(self.config.get("url") or ""), str(self.config.get("baseurl") or "")
        self.liquid = Liquid(archive / "_includes", url, base, self.zone)
        self.data = Data(archive / "_data")
        self._layouts: dict[str, _Layout | None] = {}
        self._site = {"static_files": _static(archive)} | self.config | {"data": self.data}
        self._parsed: dict[str, BoundTemplate] = {}

    def page(
        self, layout: str, page: Mapping[str, Any], site: Mapping[str, Any] | None = None, content: str = ""
    ) -> str:
        """``content`` in a layout and those around it; as it is where there is no such layout.

        ``site``: what is known beyond ``_config.yml`` and ``_data``: posts, categories, tags, pages, time; its ``data``
        is laid over that of the files. Raises LayoutError for a layout that Liquid refuses.
        """
        around = self._site_with(site or {})
        told: dict[str, Any] = {}
        used = set[str]()
        while layout not in used and (found := self._layout(layout)) is not None:
            used.add(layout)
            front, template, above = found
            told = front | told
            with _named(str(template.path), above):
                content = template.render(page=page, site=around, content=content, layout=told, jekyll=_JEKYLL)
            layout = str(front.get("layout") or "")
        return content

    def text(self, template: str, page: Mapping[str, Any] | None = None, site: Mapping[str, Any] | None = None) -> str:
        """A page whose own text is Liquid, without a layout."""
        if template not in self._parsed:
            self._parsed[template] = self.liquid.from_string(template)
        return self._parsed[template].render(page=page or {}, site=self._site_with(site or {}), jekyll=_JEKYLL)

    def file(self, name: str, page: Mapping[str, Any] | None = None, site: Mapping[str, Any] | None = None) -> str:
        """A page of the archive such as ``index.html`` or ``feed.xml``: its front matter, its text, its layout.

        ``page``: what is to be added to its front matter. Raises FileNotFoundError, LayoutError.
        """
        whole = (self.archive / name).read_text(encoding="utf-8")
        front, body = split(whole)
        url = front.get("permalink") or f"/{name.removesuffix('index.html')}"
        told = {"url": url, "path": name, "name": Path(name).name, **front, **(page or {})}
        with _named(name, _above(whole, body)):
            content = self.text(body, told, site)
        return self.page(str(front.get("layout") or ""), {**told, "content": content}, site, content)

    def table(self, name: str) -> dict[str, Any]:
        """A data file that is a mapping; empty where it is not there."""
        try:
            return _mapping(self.data[name])
        except KeyError:
            return {}

    def has(self, layout: str) -> bool:
        """Whether there is such a layout."""
        return self._layout(layout) is not None

    def lacking(self, layouts: Iterable[str]) -> str:
        """The first of these layouts, and of those around them, that is not there; empty for none. Raises LayoutError
        for one that Liquid refuses."""
        seen = {"", "none"}  # by which a page has no layout
        waiting = list(layouts)
        for name in waiting:
            if name in seen:
                continue
            seen.add(name)
            if (found := self._layout(name)) is None:
                return name
            waiting.append(str(found[0].get("layout") or ""))
        return ""

    @cached_property
    def digest(self) -> str:
        """Of all that the look of a page is made of, less what presskeep writes into ``_data`` and ``_config.yml``."""
        digest = sha256(unmarked((self.archive / "_config.yml").read_text(encoding="utf-8")).encode())
        for path in _looks(self.archive):
            data = path.read_bytes()
            digest.update(f"\0{path.relative_to(self.archive).as_posix()}\0{len(data)}\0".encode() + data)
        return digest.hexdigest()

    def _site_with(self, site: Mapping[str, Any]) -> dict[str, Any]:
        if "data" not in site:
            return {**self._site, **site}
        return {**self._site, **site, "data": _Laid(site["data"], self.data)}

    def _layout(self, name: str) -> _Layout | None:
        if name not in self._layouts:
            path = self.archive / "_layouts" / f"{name}.html"
            self._layouts[name] = self._parsed_layout(path, name) if _plain_name(name) and path.is_file() else None
        return self._layouts[name]

    def _parsed_layout(self, path: Path, name: str) -> _Layout:
        file, whole = f"_layouts/{name}.html", path.read_text(encoding="utf-8")
        try:
            front, body = split(whole)
        except yaml.YAMLError as error:
            raise LayoutError(file, error, ", front matter") from error
        with _named(file, above := _above(whole, body)):
            return front, self.liquid.from_string(body, name=name, path=file), above


_Layout = tuple[dict[str, Any], BoundTemplate, int]
"""Front matter, what follows it, and how many lines stand above that."""
_JEKYLL = {"environment": "production"}


def split(text: str) -> tuple[dict[str, Any], str]:
    """Front matter and what follows it; ``{}`` where there is none."""
    match = _FRONT.match(text)
    return (_mapping(yaml.load(match[1], yaml.CSafeLoader)), text[match.end() :]) if match else ({}, text)


def _above(whole: str, body: str) -> int:
    return whole.count("\n", 0, len(whole) - len(body))


def below(text: str) -> str:
    """What follows the front matter."""
    match = _FRONT.match(text)
    return text[match.end() :] if match else text


def unmarked(config: str) -> str:
    """``_config.yml`` without the lines that ``presskeep pack`` writes into it."""
    return _MARKED.sub("", config)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _looks(archive: Path) -> Iterator[Path]:
    for folder in ("_includes", "_layouts", "_data"):
        for path in sorted((archive / folder).rglob("*")):
            derived = folder == "_data" and path.relative_to(archive / folder).parts[0].split(".")[0] in DERIVED
            if path.is_file() and not derived and not path.name.startswith("."):
                yield path
    yield from sorted((archive / "assets").glob("*.json"))


def _static(archive: Path) -> list[dict[str, str]]:
    """``site.static_files``: the files at the top that have no front matter."""
    found = []
    for path in sorted(archive.glob("[!._]*.*")):
        if path.is_file() and not path.read_bytes()[:4].startswith(b"---"):
            found.append({"path": f"/{path.name}", "name": path.name, "basename": path.stem, "extname": path.suffix})
    return found
