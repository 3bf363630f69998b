"""Source: one site as data, read from YAML and checked.

The models below are the format of ``sources/<id>.yml``; ``presskeep schema`` prints them as JSON Schema for editors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from crawler.archive.markup import Markup
from crawler.archive.style import BackLink
from crawler.extract.rules import compile_step
from crawler.lists import AnyList, WaybackList
from crawler.rulemodel import RuleField, RuleModel, StepModel
from crawler.schedule import parse_schedule, parse_span
from crawler.urls import shared_form
from crawler.values import (
    Address,
    AddressTemplate,
    Charset,
    FileTemplate,
    Many,
    Network,
    PostTemplate,
    Regex,
    Span,
    Zone,
)
from crawler.yamlfile import Loc, SettingsError, Strict, load_yaml, near, validate

SHIPPED = Path(__file__).resolve().parent.parent / "spiders" / "sources"
"""Where the sources that come with presskeep lie, in the tree as in the wheel."""


class Politeness(Strict):
    """How the site is treated; see also presskeep.yml's ``contact``."""

    delay: float = Field(default=1.0, gt=0, le=3600)
    """Seconds between two requests to one host, 0.5 at least (but for hosts of this machine, where tests run).
    0 is refused: Scrapy does not hold its per-host limit then."""
    concurrency: int = Field(default=1, ge=1, le=64)
    """Requests to one host at a time, 8 at most (but for hosts of this machine)."""
    timeout: float | None = Field(default=None, gt=0, le=3600)
    """Seconds for the whole of one answer, from the look-up of the name to the last byte, 30 by default. Each hop of a
    redirect has as long."""
    contact: str = ""
    """Address or mail named in the User-Agent, instead of presskeep.yml's."""
    private_addresses: Annotated[list[Network], Many] = []
    """Networks such as ``10.0.0.0/8`` that its pages may be at: an intranet. Private addresses are refused otherwise,
    but for those that ``home``, ``lists``, ``example`` or ``article.address`` name outright."""
    verify_certificates: bool = True
    heed_opt_outs: bool = False
    """Keep no article that says ``noarchive`` or reserves text and data mining; else it is noted alone."""
    cookies: bool = False
    """Keep cookies during a run: for sites that send everybody without one back to where they came from."""


class Expect(Strict):
    """What a healthy run of this source gives."""

    per_day: float = Field(default=0, ge=0)
    """Articles a day; 0 for not known."""
    quiet: Span = ""
    """Longest stretch without a new article: ``12h``, ``3d``."""
    characters: int = Field(default=20, ge=1)
    """Floor: the least plain text of an article, in characters."""
    paragraphs: int = Field(default=1, ge=1)
    """Floor: the least number of paragraphs."""


class Key(Strict):
    """How the site's own id is found."""

    space: str = Field(default="", pattern=r"^[a-z0-9-]*$")
    """Namespace; sources with the same one keep an article once between them. Default: the source's id."""
    patterns: Annotated[list[Regex], Many] = []
    """The id in an address (or in the list's key), first group or whole match; several for several kinds of address.
    Without any, the id is the address itself in canonical form: its last part and a short hash."""


class Fetch(Strict):
    """What is asked for one article."""

    address: AddressTemplate = "{url}"
    """What to fetch: the listed address, or a share link or text endpoint filled with the key."""
    format: Literal["html", "json"] = "html"
    """What comes back."""
    encoding: Charset = ""
    """Overrides what the answer says of itself."""


class Layout(Strict):
    """Rules for one layout of the article page. Bare texts are CSS on HTML, JMESPath on JSON.

    Without a rule for ``body`` the generic extractor reads the page: it finds the body, and every other field that no
    rule gives. With one it is only asked for a title or a time of publication that neither a rule nor the list gives.
    """

    until: date | None = None
    """Last day of publication for which it holds; the present one has none."""
    title: RuleField | None = None
    body: RuleField | None = None
    """The element (or HTML text) that holds the article and little else. Left out: the generic extractor finds it; an
    answer in JSON needs it."""
    published: RuleField | None = None
    modified: RuleField | None = None
    attribution: RuleField | None = None
    """The credited outlet, with or without its label (来源：…)."""
    byline: RuleField | None = None
    editor: RuleField | None = None
    digest: RuleField | None = None
    section: RuleField | None = None
    """The site's own section."""
    canonical: RuleField | None = None
    """The page's own idea of its address; two addresses with one canonical key are one article."""
    strip: Annotated[list[str], Many] = []
    """CSS of what is taken out of the body that a rule gives."""
    drop: list[str] = []
    """Texts taken out of the body, such as a pair of ideographic spaces."""
    date_formats: list[str] = []
    """strptime formats for dates that are not read by themselves; also ``epoch`` and ``epoch_ms``."""


class Keep(Strict):
    """Markup that a post's body may keep beyond the general allow-list; scripts, handlers and frames never."""

    comments: bool = False
    tags: list[str] = []
    attributes: dict[str, list[str]] = {}
    """Tag (or ``*``) to attribute names; a trailing ``*`` means a prefix."""
    styles: list[str] = []
    """CSS properties."""

    @cached_property
    def markup(self) -> Markup:
        """The same as the cleaner takes it. Raises ValueError for what no post may hold."""
        attributes = {tag: frozenset(names) for tag, names in self.attributes.items()}
        return Markup(self.comments, attributes, frozenset(self.styles), frozenset(self.tags))

    @model_validator(mode="after")
    def _allowed(self) -> Keep:
        _ = self.markup
        return self


class PostRules(Strict):
    """How a post is made."""

    file: FileTemplate = "{space}-{key}"
    """Name of the file after its day."""
    category: PostTemplate = "{slug}"
    """Category: the credited outlet's slug (the source's id if there is none), ``{section_slug}``, or a fixed one."""
    tags: list[PostTemplate] = ["{outlet}"]
    """Labels; where no outlet is known, the source's name stands for it."""
    link: AddressTemplate = "{url}"
    """Public address of the original."""
    back: list[BackLink] | None = None
    """Links at the foot, with ``{tag}`` and ``{category}``; default presskeep.yml's."""
    fields: list[str] | None = None
    """Further front matter; default presskeep.yml's."""
    quote: Literal["", "quote", "text"] = ""
    """What becomes of the digest."""
    slugs: Literal["pinyin", "xpinyin-compatible"] = "pinyin"
    outlet: Literal["canonical", "printed"] = "canonical"
    """By which name an outlet stands in category and tags: the table's own, so that it has one, or as printed."""
    keep: Keep = Keep()
    duplicates: Literal["keep", "pointer"] | None = None
    """An article that another source has in the same words: ``keep`` it whole, or as a ``pointer`` to the other's post;
    default presskeep.yml's."""
    images: Literal["link", "keep"] | None = None
    """Images of its articles: ``link`` to where they are, or ``keep`` them as well and show those; default
    presskeep.yml's. Of a source without captures none is kept."""


class Verified(Strict):
    """On what the source was seen working."""

    how: Literal["offline", "live", "not yet"]
    day: date | None = None
    against: str = ""


class Source(Strict):
    """One site that is followed."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")
    """Its short name, equal to the file's."""
    name: str = Field(min_length=1)
    home: Address
    language: str = Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    """BCP 47 tag."""
    timezone: Zone
    """IANA zone of its dates."""
    example: Address
    """Address of one article."""
    politeness: Politeness = Politeness()
    schedule: Annotated[str, AfterValidator(lambda value: (parse_schedule(value), value)[1])] = "every 1h"
    """Cron expression of five fields in the source's zone, ``every 30m``, or ``auto``: more often where more comes."""
    expect: Expect = Expect()
    recheck: list[Annotated[Span, Field(min_length=1)]] = ["15m", "1h", "3h", "1d", "7d", "30d"]
    """How long after an article became a post it is looked at again, conditionally; ``[]`` for never."""
    captures: bool = True
    """Keep the raw responses."""
    lists: list[AnyList] = Field(min_length=1)
    key: Key = Key()
    article: Fetch = Fetch()
    layouts: list[Layout] = Field(default_factory=lambda: [Layout()], min_length=1)
    """Without any, the generic extractor reads every article page."""
    post: PostRules = PostRules()
    verified: Verified = Verified(how="not yet")
    notes: list[str] = []
    """What a maintainer should know; above all what is unsure."""
    _path: Path | None = PrivateAttr(None)

    @property
    def path(self) -> Path | None:
        """The file it was read from."""
        return self._path

    @property
    def space(self) -> str:
        """Namespace of its keys."""
        return self.key.space or self.id

    @cached_property
    def spans(self) -> tuple[timedelta, ...]:
        """``recheck``, the shortest first."""
        return tuple(sorted(span for text in self.recheck if (span := parse_span(text))))

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def is_ruled(self) -> bool:
        """Whether rules say where articles stand in all its pages; else the generic extractor looks for them."""
        return all(layout.body is not None for layout in self.layouts)

    @property
    def is_repairable(self) -> bool:
        """Whether there are rules for its pages that a repair could find anew (see crawler/repair)."""
        present = [layout for layout in self.layouts if layout.until is None]
        rules = set(Layout.model_fields) - {"until", "strip", "drop", "date_formats"}
        return self.article.format == "html" and any(getattr(one, name) for one in present for name in rules)

    @cached_property
    def key_patterns(self) -> tuple[re.Pattern[str], ...]:
        """Where an address holds the site's own id."""
        return tuple(re.compile(pattern) for pattern in self.key.patterns)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Hosts that its lists and its article addresses name."""
        known = [url for one in self.lists for url in one.addresses] + [self.home, self.example, self.article.address]
        return frozenset(host for url in known if (host := _host(url)))

    @cached_property
    def fronts(self) -> frozenset[str]:
        """Shared forms of its front page and its lists: no article's answer comes from there."""
        return frozenset(map(shared_form, (self.home, *(url for one in self.lists for url in one.addresses))))

    @property
    def archives(self) -> list[WaybackList]:
        """Web archives that its past is looked for in."""
        return [one for one in self.lists if isinstance(one, WaybackList)]

    @property
    def is_local(self) -> bool:
        """Whether all its hosts are this machine: a test or a demo."""
        return all(_LOOPBACK.match(host) for host in self.hosts)

    def problems(self) -> Iterator[tuple[Loc, str]]:
        """Selectors that cannot be read, layouts out of order, and politeness that is none."""
        if not self.is_local:
            if self.politeness.delay < 0.5:
                yield ("politeness", "delay"), f"expected 0.5 seconds or more (got {self.politeness.delay})"
            if self.politeness.concurrency > 8:
                yield ("politeness", "concurrency"), f"expected 8 or less (got {self.politeness.concurrency})"
        for number, one in enumerate(self.lists):
            if isinstance(one, WaybackList) and one.delay < 1 and not _LOOPBACK.match(_host(one.service)):
                yield ("lists", number, "delay"), f"expected 1 second or more (got {one.delay})"
            yield from _bad_rules(one, ("lists", number), "css" if one.kind == "html" else "jmespath")
        for number, layout in enumerate(self.layouts):
            yield from _bad_rules(layout, ("layouts", number), "css" if self.article.format == "html" else "jmespath")
            for place, selector in enumerate(layout.strip):
                yield from _bad_selector(selector, ("layouts", number, "strip", place))
            if layout.body is None and self.article.format == "json":
                yield ("layouts", number), "body: is required and missing: the generic extractor reads no JSON"
            if layout.body is None and layout.strip:
                yield ("layouts", number, "strip"), "needs a rule for body: else the generic extractor finds it"
        if sum(layout.until is None for layout in self.layouts) > 1:
            yield ("layouts",), "only the present layout may lack until: DATE"


_LOOPBACK = re.compile(r"(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$")


def _host(url: str) -> str:
    match = re.match(r"https?://([^/?#{}]+)", url)
    return match[1].lower() if match else ""


def _bad_rules(model: Strict, loc: Loc, bare: str) -> Iterator[tuple[Loc, str]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, RuleModel):
            try:
                value.compiled(bare)
            except ValueError as error:
                yield (*loc, name), str(error)
        elif isinstance(value, Strict):
            yield from _bad_rules(value, (*loc, name), bare)


def _bad_selector(selector: str, loc: Loc) -> Iterator[tuple[Loc, str]]:
    try:
        compile_step("css", selector)
    except ValueError as error:
        yield loc, str(error)


def load_source(path: Path) -> Source:
    """Read and check one source. Raises SettingsError naming file, line and what was expected."""
    document = load_yaml(path)
    source = validate(Source, document)
    if source.id != path.stem:
        raise SettingsError([document.problem(("id",), f"is '{source.id}', but the file is named '{path.stem}'")])
    source._path = path
    return source


def source_paths(folders: Iterable[Path]) -> dict[str, Path]:
    """Id -> file of every source in these folders; the first folder that has an id wins."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.yml")):
            found.setdefault(path.stem, path)
    return found


def folders_for(archive: Path | None) -> list[Path]:
    """Where sources are looked for: the archive's own folder first."""
    own = [archive / "sources"] if archive else []
    return [*own, SHIPPED]


def find_source(name: str, folders: Iterable[Path]) -> Source:
    """The source of this id, or in the YAML file at this path. Raises SettingsError with a suggestion."""
    if name.endswith((".yml", ".yaml")):
        return load_source(Path(name))
    paths = source_paths(folders)
    if name not in paths:
        raise SettingsError([f"no source is called '{name}'.{near(name, paths)} To see all: presskeep sources"])
    return load_source(paths[name])


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a source file."""
    schema = _with_rules(Source.model_json_schema())
    step = {"anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/Step"}]}
    rule = {
        "description": RuleModel.__doc__,
        "anyOf": [*step["anyOf"], {"type": "array", "items": step, "minItems": 1}],
    }
    schema["$defs"] |= {"Rule": rule, "Step": StepModel.model_json_schema()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "presskeep source"}


def _with_rules(schema: Any) -> Any:
    """The schema with each rule's placeholder replaced by a reference."""
    if isinstance(schema, list):
        return [_with_rules(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "x-rule" in schema:
        rest = {name: value for name, value in schema.items() if name != "x-rule"}
        return {**rest, "$ref": "#/$defs/Rule"}
    return {name: _with_rules(value) for name, value in schema.items()}
