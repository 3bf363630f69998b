"""presskeep.yml: what it may say, how it is found, and what verify finds wrong in Jekyll's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.site import new_site
from crawler.archive.style import BackLink
from crawler.site import Site, config_faults, find_archive, load_site, site_yaml
from crawler.yamlfile import SettingsError

CHOSEN = {"title": "晨报", "url": "https://archive.example", "timezone": "Asia/Shanghai"}


def archive(folder: Path, **chosen: str) -> Site:
    """A new archive in ``folder``, as init makes it."""
    folder.joinpath("presskeep.yml").write_text(site_yaml(**CHOSEN | chosen), "utf-8")
    site = load_site(folder)
    new_site(
        folder, title=site.title, url=site.url, timezone=site.timezone, language=site.language, baseurl=site.baseurl
    )
    return site


def refusal(folder: Path, text: str) -> str:
    folder.joinpath("presskeep.yml").write_text(text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        load_site(folder)
    return str(caught.value).replace(f"{folder}/", "")


def test_new_settings_hold_what_was_chosen_and_the_defaults(tmp_path: Path) -> None:
    site = archive(tmp_path)
    assert site == Site.model_validate(CHOSEN)
    assert (site.posts, site.state, site.captures, site.segment) == ("dated", ".presskeep", True, 268435456)


def test_every_setting_is_explained_in_one_line() -> None:
    text = site_yaml(**CHOSEN)
    for name, field in Site.model_fields.items():
        assert f"\n# {field.description}\n" in text
        assert f"\n{name}: " in text or f"\n#{name}:" in text
    assert max(len(line) for line in text.splitlines()) <= 120


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_lines_commented_out_are_the_defaults(tmp_path: Path, language: str) -> None:
    lines = site_yaml(**CHOSEN, language=language).splitlines()
    active = "\n".join(line if line.startswith("# ") else line.removeprefix("#") for line in lines)
    (tmp_path / "presskeep.yml").write_text(active, "utf-8")
    assert set(yaml.safe_load(active)) == set(Site.model_fields)
    assert load_site(tmp_path) == Site.model_validate(CHOSEN | {"language": language})


@given(title=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp", "Cn"]), min_size=1))
def test_any_title_reads_back(title: str) -> None:
    assert yaml.safe_load(site_yaml(**CHOSEN | {"title": title}))["title"] == title


def test_back_links_speak_the_language() -> None:
    assert Site.model_validate(CHOSEN).back[0] == BackLink(label="返回{tag}", href="/category/{category}.html")
    english = Site.model_validate(CHOSEN | {"language": "en", "baseurl": "/news"})
    assert [(link.label, link.href) for link in english.back] == [
        ("More from {tag}", "/news/category/{category}.html"),
        ("Front page", "/news/"),
    ]
    assert Site.model_validate(CHOSEN | {"back": []}).back == []


def test_style_is_what_the_posts_are_written_by() -> None:
    style = Site.model_validate(CHOSEN | {"fields": ["key"], "newline": "\r\n"}).style
    assert (style.timezone, style.fields, style.newline) == ("Asia/Shanghai", ("key",), "\r\n")
    assert [link.label for link in style.back] == ["返回{tag}", "返回首页"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", ""),
        ("title", "a\nb"),
        ("title", " a"),
        ("title", "a\x07"),
        ("url", "archive.example"),
        ("url", "ftp://archive.example"),
        ("url", "https://archive.example/news"),
        ("url", "https://archive.example?x"),
        ("url", "https://archive .example"),
        ("url", "https://"),
        ("baseurl", "news"),
        ("baseurl", "/news/"),
        ("baseurl", "/a b"),
        ("timezone", "Moon/Sea"),
        ("timezone", ""),
        ("timezone", "../../etc/passwd"),
        ("timezone", "America"),
        ("timezone", "a\0b"),
        ("language", "Chinese language"),
        ("posts", "monthly"),
        ("newline", "\r"),
        ("fields", ["key", "titel"]),
        ("state", "state"),
        ("state", "/var/lib"),
        ("state", "../.state"),
        ("state", ".state/../../x"),
        ("state", "."),
        ("state", ".."),
        ("state", ""),
        ("state", "_posts"),
        ("segment", 0),
        ("contact", "a@b.example\r\nX-Evil: 1"),
        ("back", [{"label": "x"}]),
        ("back", [{"label": "x", "href": "/", "target": "_blank"}]),
        ("publsh", "x"),
    ],
)
def test_refused(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=key):
        Site.model_validate(CHOSEN | {key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", "晨报　周末版"),
        ("url", "http://127.0.0.1:4000"),
        ("url", "https://archive.example/"),
        ("baseurl", "/a/b-c"),
        ("timezone", "America/Argentina/Buenos_Aires"),
        ("language", "zh-Hant-TW"),
        ("state", ".state/here"),
        ("newline", "\r\n"),
    ],
)
def test_accepted(key: str, value: Any) -> None:
    assert getattr(Site.model_validate(CHOSEN | {key: value}), key) == str(value).removesuffix("/")


def test_faults_name_file_and_line(tmp_path: Path) -> None:
    good = 'title: "a"\nurl: "https://a.example"\n'
    assert refusal(tmp_path, good) == "presskeep.yml:1: timezone: is required and missing"
    assert refusal(tmp_path, good + "timezone: Moon\n").startswith("presskeep.yml:3: timezone: expected an IANA zone")
    fault = refusal(tmp_path, good + "timezone: UTC\ncapture: no\n")
    assert fault == "presskeep.yml:4: capture: unknown key. Did you mean 'captures'?"
    assert refusal(tmp_path, "title: a: b").startswith("presskeep.yml:1: not YAML")
    assert "presskeep.yml" in refusal(tmp_path, "- a\n")


def test_one_wrong_setting_is_one_fault() -> None:
    with pytest.raises(SettingsError) as caught:
        site_yaml("a", "nowhere", "UTC")
    assert len(caught.value.problems) == 1
    assert "url: expected an address" in caught.value.problems[0]


def test_the_nearest_archive_upward(tmp_path: Path) -> None:
    inner = tmp_path / "outer/inner"
    deep = inner / "_posts/2022"
    deep.mkdir(parents=True)
    assert find_archive(deep) is None
    (tmp_path / "outer/presskeep.yml").touch()
    assert find_archive(deep) == tmp_path / "outer"
    (inner / "presskeep.yml").touch()
    assert find_archive(deep) == inner
    assert find_archive(inner) == inner


@pytest.mark.parametrize("chosen", [{}, {"baseurl": "/news", "language": "en", "title": 'a "b" \\ {{ c }}'}])
def test_a_new_archive_has_no_faults(tmp_path: Path, chosen: dict[str, str]) -> None:
    assert config_faults(tmp_path, archive(tmp_path, **chosen)) == []


@pytest.mark.parametrize(
    ("line", "other", "named"),
    [
        ('timezone: "Asia/Shanghai"', "timezone: UTC", "timezone is 'UTC'"),
        ('timezone: "Asia/Shanghai"', "", "timezone is ''"),
        ('url: "https://archive.example"', "url: https://b.example", "url is"),
        ('title: "晨报"', "title: [1]", "title is"),
        ('baseurl: ""', "baseurl: /x", "baseurl is"),
        ('lang: "zh-CN"', "lang: en", "lang is"),
        ("future: true", "future: false", "future is not"),
        ("strict_front_matter: true", "", "strict_front_matter is not"),
        ("permalink: /:categories/:year/:month/:day/:title.html", "permalink: pretty", "permalink is 'pretty'"),
        ("markdown: kramdown", "markdown: CommonMark", "markdown is"),
        ("markdown: kramdown", "incremental: true", "incremental is on"),
        ("markdown: kramdown", "collections_dir: news", "collections_dir is set"),
        ("markdown: kramdown", "include: [.presskeep]", "include names .presskeep"),
        ("  - presskeep.yml\n", "", "exclude does not name presskeep.yml"),
        ("  - sources\n", "", "exclude does not name sources"),
        ("  - revisions\n", "", "exclude does not name revisions"),
    ],
)
def test_one_fault_each(tmp_path: Path, line: str, other: str, named: str) -> None:
    site = archive(tmp_path)
    path = tmp_path / "_config.yml"
    text = path.read_text("utf-8")
    assert line in text
    path.write_text(text.replace(line, other), "utf-8")
    faults = config_faults(tmp_path, site)
    assert len(faults) == 1
    assert named in faults[0]


@pytest.mark.parametrize(
    "permalink", ["permalink: date", "", "permalink: /:categories/:year/:month/:day/:title:output_ext"]
)
def test_permalinks_of_the_same_address_are_no_fault(tmp_path: Path, permalink: str) -> None:
    site = archive(tmp_path)
    path = tmp_path / "_config.yml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("permalink: /:categories/:year/:month/:day/:title.html", permalink), "utf-8")
    assert config_faults(tmp_path, site) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, "is missing"),
        ("a: [", "cannot be read"),
        ("", "no settings"),
        ("\xff", "cannot be read"),
        ("1", "no settings"),
    ],
)
def test_unreadable_settings_of_jekyll(tmp_path: Path, text: str | None, named: str) -> None:
    site = archive(tmp_path)
    path = tmp_path / "_config.yml"
    path.unlink()
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    assert [fault for fault in config_faults(tmp_path, site) if named in fault] == config_faults(tmp_path, site) != []


def test_exclude_of_another_kind_is_a_fault_not_a_crash(tmp_path: Path) -> None:
    site = archive(tmp_path)
    path = tmp_path / "_config.yml"
    path.write_text(path.read_text("utf-8").split("exclude:")[0] + "exclude: 7\n", "utf-8")
    assert len(config_faults(tmp_path, site)) == 3


def test_missing_layouts(tmp_path: Path) -> None:
    site = archive(tmp_path)
    (tmp_path / "_layouts/category.html").unlink()
    assert config_faults(tmp_path, site) == [
        "_layouts/category.html is missing: pages come out bare; `presskeep init` writes it"
    ]
