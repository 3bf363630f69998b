"""The archive's own settings, ``presskeep.yml``: its model, how it is found, and whether Jekyll's settings agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml
from pydantic import Field, ValidationInfo, field_validator, model_validator

from crawler.archive.post import FIELDS
from crawler.archive.site import yaml_string
from crawler.archive.style import BackLink, PostStyle
from crawler.yamlfile import Document, Strict, load_yaml, near, validate

SETTINGS = "presskeep.yml"
"""Name of the settings file: the folder that holds it is the archive."""

PERMALINK = "/:categories/:year/:month/:day/:title.html"
"""Where Jekyll puts a post."""

_SAME_ADDRESS = (PERMALINK, PERMALINK.replace(".html", ":output_ext"), "date", None)
"""Permalinks of ``_config.yml`` that give a post the same address: ``date``, the default, is short for the second."""

_FIELDS = ["source", "key", "original", "attribution", "attribution_raw", "authors", "language"]


class Site(Strict):
    """One archive's settings."""

    title: str = Field(min_length=1)
    """The site's name."""
    url: str
    """Where the site is published: scheme and host alone."""
    baseurl: str = ""
    """Path below which the site is published: empty, or `/name`."""
    timezone: str
    """IANA zone: posts are dated and filed under its days."""
    language: str = Field(default="zh-CN", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    """BCP 47 tag of the pages' own words."""
    posts: Literal["dated", "flat"] = "dated"
    """`dated` files posts in `_posts/YYYY/MM/DD/`, `flat` all in `_posts/`; their addresses are the same."""
    back: list[BackLink] = Field(default=None, validate_default=True)
    """Links at the foot of a post; `{tag}` and `{category}` are filled in."""
    fields: list[str] = Field(default_factory=_FIELDS.copy)
    """Further front matter of a post, in this order; empty values are left out."""
    newline: Literal["\n", "\r\n"] = "\n"
    """Line ends inside a post's body."""
    duplicates: Literal["keep", "pointer"] = "keep"
    """An article that another source has in the same words: `keep` it whole, or as a `pointer` to the other's post."""
    images: Literal["link", "keep"] = "link"
    """Images of articles: `link` to where they are, or `keep` them as well and show those; that needs captures."""
    state: str = ".presskeep"
    """Folder of ledger, captures and locks, inside the archive."""
    captures: bool = True
    """Keep what was fetched, so that it can be extracted again."""
    segment: int = Field(default=256 * 1024 * 1024, ge=1024)
    """Bytes after which a new WARC file is begun."""
    contact: str = Field(default="", pattern=r"^[\x20-\x7e]*$")
    """Address that the User-Agent gives to those whose sites are crawled: e-mail or web."""

    hot_days: int = Field(default=90, ge=1)
    """`presskeep pack` leaves months to Jekyll whose last day is at most so many days older than the newest post, …"""
    hot_posts: int = Field(default=5000, ge=1)
    """… and that, with all newer ones, have at most so many posts; the newest month in any case."""

    prometheus: str = Field(default="", pattern=r"^([^\x00-\x1f]+\.prom)?$")
    """File that `presskeep run` writes for Prometheus' textfile collector; its name ends in `.prom`."""
    ping: str = Field(default="", pattern=r"^(https?://[^\s/?#\\]+(/\S*)?)?$")
    """Address that `presskeep run` asks for when all went well, and with `/fail` behind it when not."""

    @field_validator("title")
    @classmethod
    def _one_line(cls, title: str) -> str:
        if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]", title) or title != title.strip():
            raise ValueError("expected one line of text without blanks around it")
        return title

    @field_validator("url")
    @classmethod
    def _host_alone(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\\]", url):
            raise ValueError("expected an address such as https://news.example")
        if url.rstrip("/") != f"{parts.scheme}://{parts.netloc}":
            raise ValueError("expected scheme and host alone; a path goes into baseurl")
        return url.rstrip("/")

    @field_validator("baseurl")
    @classmethod
    def _absolute_path(cls, path: str) -> str:
        if path and not re.fullmatch(r"(/[\w.~-]+)+", path, re.ASCII):
            raise ValueError("expected nothing, or a path such as /archive")
        return path

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, LookupError) as error:
            raise ValueError("expected an IANA zone such as Asia/Shanghai") from error
        return zone

    @field_validator("fields")
    @classmethod
    def _known_fields(cls, fields: list[str]) -> list[str]:
        if unknown := [name for name in fields if name not in FIELDS]:
            raise ValueError(f"no such front matter: {', '.join(unknown)}.{near(unknown[0], FIELDS)}")
        return fields

    @field_validator("back", mode="before")
    @classmethod
    def _in_the_language(cls, back: Any, seen: ValidationInfo) -> Any:
        """Category and front page, where the file names no links of its own."""
        if back is not None:
            return back
        chinese = str(seen.data.get("language")).lower().startswith("zh")
        category, front = ("返回{tag}", "返回首页") if chinese else ("More from {tag}", "Front page")
        base = seen.data.get("baseurl", "")
        return [
            BackLink(label=category, href=base + "/category/{category}.html"),
            BackLink(label=front, href=base + "/"),
        ]

    @field_validator("state")
    @classmethod
    def _hidden_folder(cls, folder: str) -> str:
        """Jekyll publishes all that does not begin with a dot: a ledger and captures are not for readers."""
        first, *rest = PurePosixPath(folder).parts or ("",)
        if not re.fullmatch(r"\.[^./\\][^/\\]*", first) or ".." in rest or "\\" in folder:
            raise ValueError("expected a folder inside the archive whose name begins with a dot, such as .presskeep")
        return folder

    @model_validator(mode="after")
    def _images_are_captured(self) -> Site:
        if self.images == "keep" and not self.captures:
            raise ValueError("images: keep needs captures: true")
        return self

    @property
    def style(self) -> PostStyle:
        """How the site's posts are written."""
        return PostStyle(
            timezone=self.timezone,
            fields=tuple(self.fields),
            back=tuple(self.back),
            newline=self.newline,
            base=self.baseurl,
            whole="全文" if self.language.lower().startswith("zh") else "Full text",
        )


def find_archive(start: Path) -> Path | None:
    """The nearest folder, from ``start`` upward, that holds ``presskeep.yml``."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / SETTINGS).is_file()), None)


def load_site(archive: Path) -> Site:
    """The settings of ``archive``. Raises SettingsError naming file and line of every fault."""
    return validate(Site, load_yaml(archive / SETTINGS))


def site_yaml(
    title: str, url: str, timezone: str, *, language: str = "zh-CN", baseurl: str = "", contact: str = ""
) -> str:
    """Text of a new ``presskeep.yml``: what was chosen, and every other setting with its default, commented out.

    Raises SettingsError for a value that ``load_site`` would refuse.
    """
    given = {
        "title": title,
        "url": url,
        "baseurl": baseurl,
        "timezone": timezone,
        "language": language,
        "contact": contact,
    }
    site = validate(Site, Document(Path(SETTINGS), given, {}))
    lines = ["# Settings of this archive. The lines that begin with # are the defaults."]
    for name, about in Site.model_fields.items():
        mark = "" if given.get(name) else "#"
        lines += ["", f"# {about.description}", f"{mark}{name}: {_in_yaml(getattr(site, name))}"]
    return "\n".join(lines) + "\n"


def _in_yaml(value: Any) -> str:
    """A setting's value as it stands in the file, on one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_in_yaml, value))}]"
    if isinstance(value, BackLink):
        return f"{{label: {yaml_string(value.label)}, href: {yaml_string(value.href)}}}"
    return str(value).lower() if isinstance(value, bool | int) else yaml_string(value)


def config_faults(archive: Path, site: Site) -> list[str]:
    """What in the Jekyll site would break posts or their addresses; empty if all is well. Reads, writes nothing."""
    path = archive / "_config.yml"
    try:
        config = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except FileNotFoundError:
        return ["_config.yml is missing: `presskeep init` writes it"]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return [f"_config.yml cannot be read: {' '.join(str(error).split())}"]
    if not isinstance(config, dict):
        return ["_config.yml holds no settings"]
    return [*_disagreements(config, site), *_dangers(config), *_leaks(config, site), *_missing_layouts(archive)]


def _disagreements(config: dict[str, Any], site: Site) -> Iterator[str]:
    pairs = {
        "title": (site.title, "the site goes by two names"),
        "url": (site.url, "the feed's addresses are wrong"),
        "baseurl": (site.baseurl, "the links at the foot of the posts are dead"),
        "timezone": (site.timezone, "posts near midnight get another day's address"),
        "lang": (site.language, "the pages are in another language than the links at the foot of the posts"),
    }
    for key, (ours, why) in pairs.items():
        theirs = config.get(key) or ""
        if theirs != ours and f"{theirs}".removesuffix("/") != ours:
            yield f"_config.yml: {key} is {theirs!r}, {SETTINGS} says {ours!r}: {why}"


def _dangers(config: dict[str, Any]) -> Iterator[str]:
    if config.get("permalink") not in _SAME_ADDRESS:
        yield f"_config.yml: permalink is {config['permalink']!r}, not {PERMALINK!r}: every post has another address"
    if config.get("future") is not True:
        yield "_config.yml: future is not true: a post newer than the builder's clock is left out"
    if config.get("strict_front_matter") is not True:
        yield "_config.yml: strict_front_matter is not true: a file that Jekyll cannot read vanishes without a word"
    if str(config.get("markdown", "kramdown")).lower() != "kramdown":
        yield f"_config.yml: markdown is {config['markdown']!r}, not 'kramdown': posts were only tried with that"
    if config.get("incremental"):
        yield "_config.yml: incremental is on: front page, categories and feed go stale"
    if config.get("collections_dir"):
        yield "_config.yml: collections_dir is set: Jekyll looks for _posts elsewhere"


def _leaks(config: dict[str, Any], site: Site) -> Iterator[str]:
    for name in sorted({SETTINGS, "sources", "revisions"} - _names(config.get("exclude"))):
        yield f"_config.yml: exclude does not name {name}: it is published with the site"
    if site.state.split("/")[0] in _names(config.get("include")):
        yield f"_config.yml: include names {site.state}: ledger and captures are published with the site"


def _names(value: Any) -> set[str]:
    return {str(name).strip("/") for name in (value if isinstance(value, list) else [value])}


def _missing_layouts(archive: Path) -> Iterator[str]:
    for name in ("default", "post", "category"):
        if not any((archive / "_layouts").glob(f"{name}.*")):
            yield f"_layouts/{name}.html is missing: pages come out bare; `presskeep init` writes it"
