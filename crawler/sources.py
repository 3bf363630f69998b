"""Source: one site as data, read from YAML and checked.

The models below are the format of ``sources/<id>.yml``; ``presskeep schema`` prints them as JSON Schema for editors.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from crawler.archive.markup import Markup
from crawler.archive.style import BackLink
from crawler.extract.charset import is_charset
from crawler.extract.rules import KINDS, Rule, compile_step
from crawler.networks import network
from crawler.schedule import parse_schedule, parse_span
from crawler.urls import shared_form
from crawler.yamlfile import Loc, SettingsError, Strict, load_yaml, near, validate

SHIPPED = Path(__file__).resolve().parent.parent / "spiders" / "sources"
"""Where the sources that come with presskeep lie, in the tree as in the wheel."""

ADDRESS_PLACES = frozenset({"key", "code", "url", "source", "space"})
"""What an address template may name: the key, the list's second id, the listed address, the source, the key's space."""
POST_PLACES = frozenset({"outlet", "slug", "section", "section_slug", "source", "name", "key", "space"})
"""What a post's category and tags may name: the credited outlet and its slug, the site's own section and its slug, id
and name of the source, key and its space."""
FILE_PLACES = frozenset({"key", "space", "source"})
"""What a post's file name may name."""


class StepModel(Strict):
    """One way to a value: exactly one of the selectors, and how to narrow what it finds."""

    css: str = ""
    """CSS selector, with ``::text`` and ``::attr(name)``."""
    xpath: str = ""
    """XPath 1.0; inside a list item begin with ``.//``."""
    jmespath: str = ""
    """JMESPath, for JSON answers."""
    jsonpath: str = ""
    """JSON path (RFC 9535) without descent and filters."""
    const: str = ""
    """A fixed text."""
    regex: str = ""
    """Alone: searched in the whole answer. With a selector: narrows what it found. First group, else all of it."""
    first: bool = False
    """Take the first of several matches; without it several matches do not fit."""
    join: str | None = None
    """Join several matches with this text."""

    @model_validator(mode="after")
    def _one_selector(self) -> StepModel:
        chosen = [kind for kind in KINDS if kind != "regex" and getattr(self, kind)]
        if len(chosen) > 1 or not (chosen or self.regex):
            raise ValueError(f"name exactly one of {', '.join(KINDS)}")
        self.compiled_as("css")
        return self

    def compiled_as(self, bare: str) -> Any:
        """The step, ready to run. ``bare`` is unused here: a mapping names its own kind."""
        kind = next((kind for kind in KINDS if kind != "regex" and getattr(self, kind)), "regex")
        narrow = "" if kind == "regex" else self.regex
        return compile_step(kind, getattr(self, kind), narrow, self.first, self.join)


class RuleModel:
    """One step or several in order; a bare text is CSS on HTML and JMESPath on JSON."""

    def __init__(self, steps: list[str | StepModel]) -> None:
        self.steps = steps

    def __repr__(self) -> str:  # the digest of a list's rules is made from it
        return f"RuleModel({self.steps!r})"

    @classmethod
    def read(cls, value: Any) -> RuleModel:
        """From what stands in the YAML. Raises ValueError (pydantic's among them) naming the fault."""
        if isinstance(value, RuleModel):
            return value
        many = value if isinstance(value, list) else [value]
        if not many or not all(isinstance(one, str | dict) and one for one in many):
            raise ValueError("expected a selector, a mapping such as {css: h1}, or a list of these")
        try:
            return cls([one if isinstance(one, str) else StepModel.model_validate(one) for one in many])
        except ValidationError as error:
            raise ValueError("; ".join(map(_step_fault, error.errors()))) from error

    def compiled(self, bare: str) -> Rule:
        """Ready to run; ``bare`` is the kind of its bare texts. Raises ValueError."""
        return Rule([compile_step(bare, one) if isinstance(one, str) else one.compiled_as(bare) for one in self.steps])


def _step_fault(fault: Any) -> str:
    where = str(fault["loc"][-1]) if fault["loc"] else ""
    if fault["type"] == "extra_forbidden":
        return f"unknown key '{where}'.{near(where, StepModel.model_fields)}"
    return f"{where}: {fault['msg']}" if where else str(fault["msg"]).removeprefix("Value error, ")


_RULE = {"x-rule": True}
"""Stands for a rule in the generated JSON Schema until ``json_schema`` puts the definition in its place."""
RuleField = Annotated[RuleModel, PlainValidator(RuleModel.read), WithJsonSchema(_RULE)]


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from error
    return value


def _address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise ValueError("expected an address that begins with http:// or https://")
    return value


def _template(places: frozenset[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            parts = [part for part in string.Formatter().parse(value) if part[1] is not None]
        except ValueError as error:
            raise ValueError(f"no template: {error}") from error
        if any(form or conversion for _, _, form, conversion in parts):
            raise ValueError("no template: a placeholder is a bare name in braces")
        names = {str(name) for _, name, _, _ in parts}
        if unknown := names - places:
            wrong = sorted(unknown)[0]
            raise ValueError(f"unknown placeholder {{{wrong}}}.{near(wrong, places)}")
        return value

    return check


def _encoding(value: str) -> str:
    if value and not is_charset(value):
        raise ValueError("no character encoding that Python knows")
    return value


def _network(value: str) -> str:
    return (network(value), value)[1]


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"no IANA time zone.{near(value, available_timezones())[:80]}")
    return value


Regex = Annotated[str, AfterValidator(_regex)]
Address = Annotated[str, AfterValidator(_address)]
AddressTemplate = Annotated[str, AfterValidator(_template(ADDRESS_PLACES))]
PostTemplate = Annotated[str, AfterValidator(_template(POST_PLACES))]
FileTemplate = Annotated[str, AfterValidator(_template(FILE_PLACES))]
Zone = Annotated[str, AfterValidator(_zone)]
Many = BeforeValidator(
    lambda value: [value] if isinstance(value, str) else value, json_schema_input_type=str | list[str]
)
Span = Annotated[str, AfterValidator(lambda value: (parse_span(value), value)[1])]


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
    private_addresses: Annotated[list[Annotated[str, AfterValidator(_network)]], Many] = []
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


class ListFields(Strict):
    """Where a list says what about an article. Bare texts are CSS on HTML lists, JMESPath on JSON lists."""

    url: RuleField | None = None
    """The article's address."""
    key: RuleField | None = None
    """The site's own id, where the list names it."""
    code: RuleField | None = None
    """A second id, for address templates."""
    title: RuleField | None = None
    published: RuleField | None = None
    outlet: RuleField | None = None
    """The credited outlet."""
    digest: RuleField | None = None
    byline: RuleField | None = None
    section: RuleField | None = None
    """The site's own section (column, desk); ``{const: …}`` where the whole list is one."""


class Paging(Strict):
    """How a list goes on. One of ``next``, ``template`` or ``cursor``."""

    next: RuleField | None = None
    """Rule for the address of the next page (HTML), or for its number (JSON)."""
    template: str = ""
    """Address of page ``{page}`` (or, with ``cursor``, of ``{cursor}``)."""
    cursor: RuleField | None = None
    """Where the answer says how to ask on."""
    first: int = Field(default=2, ge=0)
    """Number of the first page asked by ``template``; the list's own address is the page before."""
    step: int = Field(default=1, ge=1)
    """What a page's number grows by."""
    depth: int = Field(default=10, ge=1)
    """Pages at most, the first among them. A walk also stops at a page whose articles are all known."""

    @model_validator(mode="after")
    def _one_way(self) -> Paging:
        if self.cursor is not None and "{cursor}" not in self.template:
            raise ValueError("a cursor needs a template with {cursor}")
        if self.cursor is None and self.template and "{page}" not in self.template:
            raise ValueError("the template lacks {page}")
        if not (self.next or self.template):
            raise ValueError("expected next, template, or cursor with template")
        if unknown := set(re.findall(r"\{(\w*)\}", self.template)) - {"page", "cursor"}:
            raise ValueError(f"unknown placeholder {{{min(unknown)}}}: a page's template has {{page}} or {{cursor}}")
        return self


class ListBase(Strict):
    """What all ways of listing share."""

    urls: Annotated[list[Address], Many, Field(min_length=1)]
    """Addresses of the first pages."""
    fields: ListFields = ListFields()
    pages: Paging | None = None
    """Pagination; without it only the addresses themselves are asked."""
    empty: bool = False
    """An empty list is an honest answer; else it is reported."""


class HtmlList(ListBase):
    """List pages in HTML."""

    kind: Literal["html"]
    items: RuleField | None = None
    """The elements that stand for one article each; without it every link of the page is looked at."""
    links: Regex = ""
    """Pattern that an article's absolute address matches."""
    lists: RuleField | None = None
    """Addresses of further lists of this kind that its first pages name: categories on a front page."""

    @model_validator(mode="after")
    def _found_somehow(self) -> HtmlList:
        if not (self.links or self.items or self.fields.url):
            raise ValueError("expected items, fields.url or links: which links lead to articles?")
        return self


class JsonList(ListBase):
    """Lists in JSON or JSONP."""

    kind: Literal["json"]
    items: RuleField
    """Path to the array of articles."""


AnyList = Annotated[HtmlList | JsonList, Field(discriminator="kind")]


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
    encoding: Annotated[str, AfterValidator(_encoding)] = ""
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

    @property
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

    @cached_property
    def key_patterns(self) -> tuple[re.Pattern[str], ...]:
        """Where an address holds the site's own id."""
        return tuple(re.compile(pattern) for pattern in self.key.patterns)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Hosts that its lists and its article addresses name."""
        known = [url for one in self.lists for url in one.urls] + [self.home, self.example, self.article.address]
        return frozenset(host for url in known if (host := _host(url)))

    @cached_property
    def fronts(self) -> frozenset[str]:
        """Shared forms of its front page and its lists: no article's answer comes from there."""
        return frozenset(map(shared_form, (self.home, *(url for one in self.lists for url in one.urls))))

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
