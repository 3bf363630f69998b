"""Sources: what a YAML file may say, how each fault is named, and the JSON Schema for editors."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from crawler.lists import HtmlList, JsonList
from crawler.rulemodel import RuleModel
from crawler.schedule import parse_span
from crawler.sources import (
    SHIPPED,
    Source,
    find_source,
    folders_for,
    json_schema,
    load_source,
    source_paths,
)
from crawler.yamlfile import SettingsError

SMALLEST = r"""
id: gazette
name: The Gazette
home: https://gazette.example/
language: en
timezone: Europe/Berlin
example: https://gazette.example/a/1.html
lists:
  - kind: html
    urls: https://gazette.example/
    links: /a/\d+
layouts:
  - title: h1
    body: article
""".lstrip()


def written(folder: Path, text: str, name: str = "gazette") -> Path:
    path = folder / f"{name}.yml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[str]:
    path = written(folder, text)
    with pytest.raises(SettingsError) as raised:
        load_source(path)
    assert all(problem.startswith(f"{path}:") for problem in raised.value.problems)
    return [problem.removeprefix(f"{path}:") for problem in raised.value.problems]


def test_the_smallest_source_and_its_defaults(tmp_path: Path) -> None:
    path = written(tmp_path, SMALLEST)
    source = load_source(path)
    assert source.path == path
    assert source.space == "gazette"
    assert str(source.zone) == "Europe/Berlin"
    assert source.hosts == {"gazette.example"}
    assert (source.politeness.delay, source.politeness.concurrency) == (1.0, 1)
    assert source.schedule == "every 1h"
    assert source.captures
    assert source.article.address == "{url}"
    assert source.post.file == "{space}-{key}"
    (one,) = source.lists
    assert isinstance(one, HtmlList)
    assert one.urls == ["https://gazette.example/"]
    assert not one.empty


def test_a_full_source_says_what_it_says(tmp_path: Path) -> None:
    text = SMALLEST + (
        "key: {space: papers, patterns: '/a/(\\d+)'}\n"
        "article: {address: 'https://text.gazette.example/{key}.json', format: json, encoding: gb18030}\n"
        "expect: {per_day: 3.5, quiet: 3d}\n"
        "politeness: {delay: 2.5, concurrency: 2, contact: desk@gazette.example}\n"
        "verified: {how: live, day: 2024-02-29, against: the site}\n"
    )
    source = load_source(written(tmp_path, text))
    assert source.space == "papers"
    assert source.key.patterns == [r"/a/(\d+)"]
    assert source.hosts == {"gazette.example", "text.gazette.example"}
    assert parse_span(source.expect.quiet) == timedelta(days=3)
    assert source.verified.day == date(2024, 2, 29)
    assert source.politeness.contact == "desk@gazette.example"


def test_json_lists_and_rules_in_order(tmp_path: Path) -> None:
    text = SMALLEST.replace(
        "kind: html\n    urls: https://gazette.example/\n    links: /a/\\d+",
        "kind: json\n    urls: [https://gazette.example/1, https://gazette.example/2]\n    items: data.list\n"
        "    fields: {title: [title, {jsonpath: '$.headline', regex: '^[^|]+', first: true}]}",
    )
    (one,) = load_source(written(tmp_path, text)).lists
    assert isinstance(one, JsonList)
    assert len(one.urls) == 2
    assert isinstance(one.fields.title, RuleModel)
    steps = one.fields.title.compiled("jmespath").steps
    assert [(step.kind, step.expression, step.first) for step in steps] == [
        ("jmespath", "title", False),
        ("jsonpath", "$.headline", True),
    ]
    assert steps[1].regex is not None


LINKS = "    links: /a/\\d+"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        # keys
        ("name: The", "nmae: The", "2: nmae: unknown key. Did you mean 'name'?"),
        (
            LINKS,
            LINKS + "\n    fields: {titel: h2}",
            "11: lists.0.html.fields.titel: unknown key. Did you mean 'title'?",
        ),
        (LINKS, LINKS + "\n    lnks: x", "11: lists.0.html.lnks: unknown key."),
        ("name: The Gazette\n", "", "1: name: is required and missing"),
        ("name: The Gazette", "name: The Gazette\nname: Twice", "3: 'name' stands here twice"),
        ("name: The Gazette", "name: The Gazette\non: push", "3: the key 'on' is no text to YAML but bool"),
        ("name: The Gazette", "name: {The: [Gazette", "3: not YAML: "),
        ("name: The Gazette", "name: [The, Gazette]", "2: name: Input should be a valid string"),
        ("id: gazette", "id: gazete", "1: id: is 'gazete', but the file is named 'gazette'"),
        ("id: gazette", "id: Gazette!", "1: id: String should match pattern"),
        # selectors
        ("body: article", "body: 'p['", "13: layouts.0.body: css 'p[' cannot be read: "),
        ("body: article", "body: {css: 'p['}", "13: layouts.0.body: css 'p[' cannot be read: "),
        (
            "body: article",
            "body: {xpath: '//p['}",
            "13: layouts.0.body: xpath '//p[' cannot be read: Invalid expression",
        ),
        ("body: article", "body: {xpath: lenght(.)}", "13: layouts.0.body: xpath 'lenght(.)' cannot be read: Unreg"),
        ("body: article", "body: {jmespath: '[?'}", "13: layouts.0.body: jmespath '[?' cannot be read: "),
        (
            "body: article",
            "body: {jmespath: lenght(a)}",
            "13: layouts.0.body: jmespath 'lenght(a)' cannot be read: Unk",
        ),
        (
            "body: article",
            "body: {jsonpath: $..a}",
            "13: layouts.0.body: jsonpath '$..a' cannot be read: not understood",
        ),
        ("body: article", "body: {regex: '('}", "13: layouts.0.body: regex '(' cannot be read: missing )"),
        ("body: article", "body: {css: p, regex: '('}", "13: layouts.0.body: css 'p' cannot be read: missing )"),
        ("body: article", "body: {csss: p}", "13: layouts.0.body: unknown key 'csss'. Did you mean 'css'?"),
        ("body: article", "body: {css: p, xpath: //p}", "13: layouts.0.body: name exactly one of css, xpath, "),
        ("body: article", "body: {first: true}", "13: layouts.0.body: name exactly one of css, xpath, "),
        ("body: article", "body: {css: p, first: maybe}", "13: layouts.0.body: first: Input should be a valid boolean"),
        (
            "body: article",
            "body: []",
            "13: layouts.0.body: expected a selector, a mapping such as {css: h1}, or a list",
        ),
        ("body: article", "body: 3", "13: layouts.0.body: expected a selector"),
        ("body: article", "body: ''", "13: layouts.0.body: expected a selector"),
        ("body: article", "body: article\n    strip: [.ad, 'p[']", "14: layouts.0.strip.1: css 'p[' cannot be read: "),
        (LINKS, LINKS + "\n    fields: {title: 'h2['}", "11: lists.0.fields.title: css 'h2[' cannot be read: "),
        (LINKS, "    links: '('", "10: lists.0.html.links: no regular expression: missing )"),
        (LINKS, "    links: 'a{99999999999}'", "10: lists.0.html.links: no regular expression: the repetition number"),
        (LINKS, LINKS + "\nkey: {patterns: [a, '(']}", "11: key.patterns.1: no regular expression: missing )"),
        # lists
        ("kind: html", "kind: htlm", "8: lists.0: Input tag 'htlm' found using 'kind' does not match"),
        (LINKS + "\n", "", "8: lists.0.html: expected items, fields.url or links: which links lead to articles?"),
        ("urls: https://gazette.example/", "urls: []", "9: lists.0.html.urls: "),
        ("urls: https://gazette.example/", "urls: gazette.example", "9: lists.0.html.urls.0: expected an address"),
        ("urls: https://gazette.example/", "urls: 'http://a b/'", "9: lists.0.html.urls.0: expected an address"),
        (LINKS, LINKS + "\n    pages: {depth: 3}", "11: lists.0.html.pages: expected next, template, or cursor"),
        (LINKS, LINKS + "\n    pages: {template: 'http://a/'}", "11: lists.0.html.pages: the template lacks {page}"),
        (
            LINKS,
            LINKS + "\n    pages: {template: 'http://a/{page}', cursor: p}",
            "11: lists.0.html.pages: a cursor needs a template with {cursor}",
        ),
        (LINKS, LINKS + "\n    pages: {next: a, depth: 0}", "11: lists.0.html.pages.depth: "),
        # facts
        ("Europe/Berlin", "Europe/Berln", "5: timezone: no IANA time zone. Did you mean 'Europe/Berlin'?"),
        ("language: en", "language: English please", "4: language: String should match pattern"),
        ("home: https://", "home: ", "3: home: expected an address that begins with http:// or https://"),
        (LINKS, LINKS + "\nschedule: every 5x", "11: schedule: expected a span such as 30m, 12h or 3d"),
        (LINKS, LINKS + "\nschedule: 61 * * * *", "11: schedule: minute field '61' is not within 0-59"),
        (LINKS, LINKS + "\nexpect: {quiet: 3y}", "11: expect.quiet: expected a span such as 30m, 12h or 3d"),
        (LINKS, LINKS + f"\nexpect: {{quiet: {'9' * 20}d}}", "11: expect.quiet: expected a span"),
        (LINKS, LINKS + "\npoliteness: {delay: 0}", "11: politeness.delay: Input should be greater than 0 (got 0)"),
        (LINKS, LINKS + "\npoliteness: {delay: 0.49}", "11: politeness.delay: expected 0.5 seconds or more (got 0.49)"),
        (LINKS, LINKS + "\npoliteness: {concurrency: 9}", "11: politeness.concurrency: expected 8 or less (got 9)"),
        (LINKS, LINKS + "\narticle: {encoding: utf9}", "11: article.encoding: no character encoding"),
        (LINKS, LINKS + "\narticle: {encoding: base64}", "11: article.encoding: no character encoding"),
        # templates
        (LINKS, LINKS + "\narticle: {address: 'http://a/{kye}'}", "unknown placeholder {kye}. Did you mean 'key'?"),
        (LINKS, LINKS + "\narticle: {address: 'http://a/{}'}", "11: article.address: unknown placeholder {}."),
        (LINKS, LINKS + "\narticle: {address: 'http://a/{key'}", "11: article.address: no template: expected '}'"),
        (LINKS, LINKS + "\narticle: {address: 'http://a/{key:>9}'}", "11: article.address: no template: a placeholder"),
        (
            LINKS,
            LINKS + "\npost: {category: '{oulet}'}",
            "11: post.category: unknown placeholder {oulet}. Did you mean",
        ),
        (LINKS, LINKS + "\npost: {tags: ['{outlet}', '{slugg}']}", "11: post.tags.1: unknown placeholder {slugg}."),
        (
            LINKS,
            LINKS + "\npost: {file: '{slug}'}",
            "11: post.file: unknown placeholder {slug}. Known: key, source, space",
        ),
        (LINKS, LINKS + "\npost: {link: '{outlet}'}", "11: post.link: unknown placeholder {outlet}."),
        (LINKS, LINKS + "\npost: {keep: {tags: [script]}}", "11: post.keep: no markup may allow this tag: script"),
        (LINKS, LINKS + "\npost: {slugs: klingon}", "11: post.slugs: Input should be 'pinyin' or 'xpinyin-compatible'"),
        # layouts
        ("body: article", "body: article\n  - body: main", "11: layouts: only the present layout may lack until: DATE"),
        ("body: article", "body: article\n    until: soon", "14: layouts.0.until: Input should be a valid date"),
        ("body: article", "body: article\n    until: 2020-13-01", "14: '2020-13-01' is no timestamp: month must be"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert SMALLEST.count(old) == 1
    found = faults(tmp_path, SMALLEST.replace(old, new))
    assert any(problem in one for one in found), found


def test_all_faults_of_the_model_come_together(tmp_path: Path) -> None:
    found = faults(tmp_path, SMALLEST.replace("name:", "nmae:").replace("Europe/Berlin", "Mars/Olympus"))
    assert len(found) == 3
    assert any("is required and missing" in one for one in found)


def test_an_empty_file_lists_what_is_required(tmp_path: Path) -> None:
    required = ["id", "name", "home", "language", "timezone", "example", "lists"]
    assert faults(tmp_path, "") == [f"1: {name}: is required and missing" for name in required]


def test_old_layouts_with_their_dates_may_stand_beside_the_present_one(tmp_path: Path) -> None:
    text = SMALLEST + "  - {until: 2020-12-31, body: main}\n  - {until: 2018-12-31, body: table}\n"
    assert [one.until for one in load_source(written(tmp_path, text)).layouts] == [
        None,
        date(2020, 12, 31),
        date(2018, 12, 31),
    ]


def test_without_layouts_or_a_rule_for_the_body_the_generic_extractor_reads(tmp_path: Path) -> None:
    none, unruled = SMALLEST.partition("layouts:")[0], SMALLEST.replace("    body: article\n", "")
    (layout,) = load_source(written(tmp_path, none)).layouts
    assert (layout.title, layout.body) == (None, None)
    assert load_source(written(tmp_path, unruled)).layouts[0].body is None
    for text, line in ((none, 8), (unruled, 12)):
        (fault,) = faults(tmp_path, text + "article: {format: json}\n")
        assert fault.endswith("body: is required and missing: the generic extractor reads no JSON"), line
    (fault,) = faults(tmp_path, unruled + "    strip: [.ad]\n")
    assert fault == "13: layouts.0.strip: needs a rule for body: else the generic extractor finds it"


def test_hosts_of_this_machine_may_be_asked_fast(tmp_path: Path) -> None:
    local = (
        SMALLEST.replace("https://gazette.example", "http://127.0.0.1:8080")
        + "politeness: {delay: 0.01, concurrency: 32}\n"
    )
    assert load_source(written(tmp_path, local)).politeness.delay == 0.01
    half_local = local.replace("home: http://127.0.0.1:8080", "home: https://gazette.example")
    assert len(faults(tmp_path, half_local)) == 2
    disguised = local.replace("127.0.0.1", "127.0.0.1.gazette.example")
    assert len(faults(tmp_path, disguised)) == 2


def test_a_rule_has_a_lasting_name() -> None:
    """Lists are asked conditionally by a digest of it: it is the same in each process, and changes with the rule."""
    one, same, other = (RuleModel.read([{"css": selector}, "h2"]) for selector in ("h1", "h1", "h3"))
    assert repr(one) == repr(same)
    assert repr(one) != repr(other)
    assert " at 0x" not in repr(one)


# where sources lie


def test_the_archive_s_own_source_comes_before_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "sources"
    own.mkdir()
    text = (SHIPPED / "eastmoney.yml").read_text(encoding="utf-8").replace("name: 东方财富网", "name: mine")
    written(own, text, "eastmoney")
    written(own, SMALLEST)
    folders = folders_for(tmp_path)
    assert find_source("eastmoney", folders).name == "mine"
    assert find_source("eastmoney", folders_for(None)).name == "东方财富网"
    assert find_source("gazette", folders).name == "The Gazette"
    assert find_source("eastmoney-flash", folders).path == SHIPPED / "eastmoney-flash.yml"
    assert {"eastmoney", "eastmoney-flash", "gazette"} <= set(source_paths(folders))
    with pytest.raises(
        SettingsError, match=r"no source is called 'gazete'. Did you mean 'gazette'\?.*presskeep sources"
    ):
        find_source("gazete", folders)


def test_a_path_works_wherever_an_id_does(tmp_path: Path) -> None:
    assert find_source(str(written(tmp_path, SMALLEST)), []).id == "gazette"
    with pytest.raises(SettingsError, match=r"nowhere\.yml: cannot be read"):
        find_source(str(tmp_path / "nowhere.yml"), folders_for(None))


def test_an_archive_without_sources_has_the_shipped_ones(tmp_path: Path) -> None:
    assert source_paths(folders_for(tmp_path)) == source_paths([SHIPPED])


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yml")), ids=lambda path: str(path.stem))
def test_shipped_sources_are_whole(path: Path) -> None:
    source = load_source(path)
    assert (source.verified.day is None) == (source.verified.how == "not yet")
    assert source.notes or source.verified.how != "not yet", "what is unsure?"
    assert source.expect.per_day > 0
    assert source.expect.quiet
    assert source.schedule != "every 1h" or "schedule:" in path.read_text(encoding="utf-8")


# the schema for editors


def as_json(path: Path) -> Any:
    """As a YAML editor sees it: dates are texts."""
    return json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_names_its_kind_and_tells_editors_what_fields_mean() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "x-rule" not in json.dumps(schema)
    body = schema["$defs"]["Layout"]["properties"]["body"]
    assert body["anyOf"][0] == {"$ref": "#/$defs/Rule"}
    assert "The element (or HTML text)" in body["description"]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yml")), ids=lambda path: str(path.stem))
def test_the_schema_takes_every_shipped_source(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(as_json(path))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: The Gazette\n", ""),
        ("name: The", "nmae: The"),
        ("kind: html", "kind: htlm"),
        ("title: h1", "titel: h1"),
        ("title: h1", "title: 3"),
        ("title: h1", "title: {csss: h1}"),
        ("title: h1", "title: []"),
        ("language: en", "language: 7"),
        ("body: article", "boddy: article"),
        (LINKS, LINKS + "\npoliteness: {delay: 0}"),
        (LINKS, LINKS + "\npost: {slugs: klingon}"),
    ],
)
def test_the_schema_refuses_what_the_program_refuses(
    tmp_path: Path, old: str, new: str, validator: jsonschema.Draft202012Validator
) -> None:
    path = written(tmp_path, SMALLEST)
    assert validator.is_valid(as_json(path))
    path = written(tmp_path, SMALLEST.replace(old, new))
    assert not validator.is_valid(as_json(path))
    with pytest.raises(SettingsError):
        load_source(path)


def test_what_the_schema_takes_is_a_source(tmp_path: Path, validator: jsonschema.Draft202012Validator) -> None:
    text = SMALLEST.replace("title: h1", "title: [h1, {xpath: //h2, first: true, join: ' '}]")
    path = written(tmp_path, text)
    assert validator.is_valid(as_json(path))
    assert isinstance(load_source(path), Source)
