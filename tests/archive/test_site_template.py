"""The template is copied whole, never over anything, and its filled-in values and category pages read back equal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive import site
from crawler.archive.site import category_page, fill, new_site, template_files, write_new, yaml_string

VALUES: dict[str, Any] = {"title": "晨报档案", "url": "https://archive.example", "timezone": "Asia/Shanghai"}
HOSTILE = [
    'a "b" \\c',
    "no",
    "007",
    "{{ site.title }}",
    "{% raw %}",
    "a: b # c",
    "\\1 \\g<0>",
    "a\n---\nb",
    "<script>",
    "é\x85\u2028",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def written(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def front_matter(page: bytes) -> Any:
    lead, front, tail = page.decode().split("---\n")
    assert lead == tail == ""
    return yaml.safe_load(front)


def test_template_is_what_git_holds() -> None:
    checkout = site.TEMPLATE.parent
    if not (checkout / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "output"], cwd=checkout, capture_output=True, text=True, check=True)
    assert sorted(f"output/{name}" for name, _ in template_files()) == sorted(listed.stdout.split())


def test_new_site_holds_template_and_folders(tmp_path: Path) -> None:
    done = new_site(tmp_path / "a", **VALUES, baseurl="/news")
    assert [path.relative_to(tmp_path / "a").as_posix() for path in done.written] == [n for n, _ in template_files()]
    assert done.kept == []
    assert {p.name for p in (tmp_path / "a").iterdir() if p.is_dir()} >= {"_posts", "category", "sources", "_layouts"}
    config = yaml.safe_load((tmp_path / "a/_config.yml").read_text("utf-8"))
    wanted = {"title": "晨报档案", "url": "https://archive.example", "timezone": "Asia/Shanghai"}
    assert {key: config[key] for key in wanted} == wanted
    assert (config["lang"], config["baseurl"]) == ("zh-CN", "/news")
    assert not list((tmp_path / "a").rglob(".*")), "a draft was left behind"


def test_files_are_readable_as_any_other(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        new_site(tmp_path, **VALUES)
    finally:
        os.umask(mask)
    assert {p.stat().st_mode & 0o777 for p in tmp_path.rglob("*") if p.is_file()} == {0o644}


def test_second_run_changes_nothing(tmp_path: Path) -> None:
    new_site(tmp_path, **VALUES)
    before = written(tmp_path)
    done = new_site(tmp_path, **VALUES)
    assert (done.written, done.kept, written(tmp_path)) == ([], [], before)


def test_what_is_there_is_kept_and_named(tmp_path: Path) -> None:
    (tmp_path / "_layouts").mkdir()
    (tmp_path / "_layouts/post.html").write_text("mine")
    (tmp_path / "index.html").symlink_to("nowhere.html")
    (tmp_path / "feed.xml").mkdir()
    done = new_site(tmp_path, **VALUES)
    assert sorted(p.name for p in done.kept) == ["feed.xml", "index.html", "post.html"]
    assert (tmp_path / "_layouts/post.html").read_text() == "mine"
    assert not (tmp_path / "nowhere.html").exists()
    assert (tmp_path / "assets/style.css").is_file()


def test_what_was_crawled_into_the_template_stays_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crawled = tmp_path / "output"
    shutil.copytree(site.TEMPLATE, crawled)
    strays = ["_posts/2022/05/19/2022-05-19-a.md", "category/a.html", ".presskeep/ledger.sqlite", "presskeep.yml"]
    strays += ["sources/a.yml", "_site/index.html", "run.log", "_layouts/.post.html.swp", "category/index.html"]
    for name in strays:
        (crawled / name).parent.mkdir(parents=True, exist_ok=True)
        (crawled / name).write_text("x")
    assert not {name for name, _ in template_files(crawled)} & set(strays)
    assert len(list(template_files(crawled))) == len(list(template_files()))


def test_write_new_writes_once(tmp_path: Path) -> None:
    assert write_new(tmp_path / "new/a", b"1")
    assert not write_new(tmp_path / "new/a", b"2")
    assert written(tmp_path) == {"new/a": b"1"}


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_read_back_equal(tmp_path: Path, title: str) -> None:
    new_site(tmp_path, **VALUES | {"title": title})
    config = yaml.safe_load((tmp_path / "_config.yml").read_text("utf-8"))
    assert (config["title"], config["timezone"], config["future"]) == (title, "Asia/Shanghai", True)


@given(title=TEXT, slug=st.from_regex(r"[a-z0-9-]+", fullmatch=True))
def test_category_pages_read_back_equal(title: str, slug: str) -> None:
    front = front_matter(category_page(slug, title))
    assert front == {"layout": "category", "title": title, "category": slug, "permalink": f"/category/{slug}.html"}


@given(TEXT)
def test_yaml_string_is_one_plain_line(text: str) -> None:
    quoted = yaml_string(text)
    assert len(quoted.splitlines()) == 1
    assert yaml.safe_load(quoted) == yaml.load(quoted, yaml.CSafeLoader) == text


@given(st.text())
def test_yaml_string_never_fails(text: str) -> None:
    assert yaml_string(text).encode()


def test_lone_surrogates_become_replacement_characters() -> None:
    assert yaml_string("a\ud800b😀") == '"a\ufffdb😀"'


def test_fill_refuses_a_template_without_the_key() -> None:
    assert fill("title: x\n title: y\n", {"title": "z"}) == 'title: "z"\n title: y\n'
    with pytest.raises(KeyError, match="lang"):
        fill("title: x\n", {"lang": "en"})


def test_all_languages_have_all_words() -> None:
    words = yaml.safe_load((site.TEMPLATE / "_data/words.yml").read_text("utf-8"))
    assert {frozenset(of) for of in words.values()} == {frozenset(words["en"])}
    assert {len(of["weekdays"]) for of in words.values()} == {7}
    used = " ".join(path.read_text("utf-8") for _, path in template_files() if path.suffix == ".html")
    assert set(re.findall(r"words\.(\w+)", used)) - {"en", "html"} == set(words["en"])


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_stands_out_from_its_ground() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 at the least, in light, in dark and on paper."""
    css = (site.TEMPLATE / "assets/style.css").read_text("utf-8")
    schemes = re.findall(r"--paper: [^}]*", css)
    assert len(schemes) == 3
    for scheme in schemes:
        named = {
            k: v if len(v) == 7 else "#" + "".join(c * 2 for c in v[1:])
            for k, v in re.findall(r"--(\w+): (#\w+)", scheme)
        }
        for ink in ("ink", "soft", "accent"):
            for ground in ("paper", "wash"):
                dim, bright = sorted(luminance(named[name]) for name in (ink, ground))
                assert (bright + 0.05) / (dim + 0.05) >= 4.5, (scheme, ink, ground)
