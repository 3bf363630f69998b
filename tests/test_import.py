"""``presskeep import jekyll``: posts of other sites, byte for byte and under their own addresses."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.ledger import Ledger
from crawler.archive.locks import Lock
from crawler.archive.posts import write_all
from crawler.archive.reader import PostError
from crawler.archive.revisions import folder_of
from crawler.commands.import_ import command
from crawler.commands.init import make_archive
from crawler.imports import jekyll
from crawler.imports.jekyll import Imported, Wish, take
from crawler.imports.judge import Judge
from crawler.rebuild import rebuild
from crawler.site import load_site
from crawler.sources import load_source
from tests.archive.nasty import FRAGMENTS
from tests.server import Server
from tests.shared import SHARED, needs_shared
from tests.story import Archive, json_source

SEED = SHARED / "seed" / "posts"
BODY = "<p>渡轮今天复航，船长说风浪不大。</p>\n <p>码头换上了新的航标灯。</p>"


def post(title: str = '"渡轮复航"', date: str = "2022-05-19 09:30:00 +0800", body: str = BODY, **front: str) -> str:
    """A post by another hand; an empty value leaves its line out."""
    told = {"layout": "post", "title": title, "date": date, "categories": "harbour", **front}
    lines = [f"{name}: {value}" for name, value in told.items() if value]
    return "\n".join(["---", *lines, "---", body])


@dataclass
class Site:
    """A Jekyll site, and the archive that takes it in."""

    origin: Path
    archive: Archive
    told: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, text: str, folder: str = "_posts") -> Path:
        """A post of the site."""
        path = self.origin / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")
        return path

    def take(self, archive: Path | None = None, **wish: Any) -> Imported:
        """Import; what was said of each file is in ``told``."""
        self.told.clear()
        folder = archive or self.archive.folder
        sources = [load_source(path) for path in sorted(folder.glob("sources/*.yml"))]
        return take(self.origin, folder, load_site(folder), sources, Wish(**wish), self._tell)

    def _tell(self, file: str, what: str) -> None:
        self.told[file] = f"{self.told[file]} | {what}" if file in self.told else what


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "origin").mkdir()
    return Site(tmp_path / "origin", Archive.new(tmp_path / "archive"))


def call(*words: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(command, ["jekyll", *map(str, words)])
    assert done.exit_code == code, done.output
    return done


# the seed's posts


@needs_shared
def test_the_seed_s_posts(tmp_path: Path) -> None:
    """Every variant, byte for byte; what no Jekyll takes is named; a second import finds nothing to do."""
    archive = Archive(tmp_path / "archive")
    done = call(SEED, "--archive", archive.folder, "--timezone", "Asia/Shanghai", "--json", code=5)
    taken = {path.name: path.read_bytes() for path in SEED.glob("2*.md")}
    assert {Path(name).name: data for name, data in archive.posts().items()} == taken
    assert all(
        name == f"_posts/{name[-len(Path(name).name) :][:10].replace('-', '/')}/{Path(name).name}"
        for name in archive.posts()
    )
    told = json.loads(done.stdout)
    assert {name: told[name] for name in ("new", "there", "left", "twins")} == {
        "new": 19,
        "there": 0,
        "left": 3,
        "twins": 1,
    }
    left = [line.partition(": left out: ")[0] for line in done.stderr.splitlines() if ": left out: " in line]
    assert left == [
        "-202205262391921712.md",
        "crlf/2022-01-24-NW202201242259229980.md",
        "crlf/2022-04-21-NW202204212352227421.md",
    ]
    assert "2022-04-21-NW202204212352227421.md: the same article as 2022-04-21-202204212352227421.md" in done.stderr

    rows = dict(archive.rows("select key, source from articles where state = 'done'"))
    assert rows["2021-12-01-init"] == "imported"
    assert sum(source == "eastmoney-flash" for source in rows.values()) == 12
    assert sum(source == "eastmoney-market" for source in rows.values()) == 6
    (story,) = archive.rows("select count(distinct story) from sketches where story != 0")
    assert story == (1,), "the article of two files is one story"

    before = archive.tree()
    again = json.loads(call(SEED, "--archive", archive.folder, "--json", code=5).stdout)
    assert (again["new"], again["there"], again["left"]) == (0, 19, 3)
    assert archive.tree() == before

    faults = archive.verb("verify", code=1).stdout.splitlines()[:-1]
    rules = [line.split(": ")[1] for line in faults]
    assert sorted(set(rules)) == ["date", "front matter"]
    assert len(rules) == 7, "what the posts lack; nothing of ledger, pages or places"
    assert "2021-12-08-202112082206928461.md" in archive.verb("search", "茅台").stdout
    assert archive.verb("export", "jsonl").stdout.count('"NewsArticle"') == 19

    states = archive.rows("select space, key, source, path, digest from articles order by key")
    rebuilt = archive.verb("rebuild-ledger")
    assert "2021-12-01-init.md: its source or key cannot be told" in rebuilt.stderr
    assert "Next, for posts by another hand: presskeep import jekyll" in rebuilt.stderr
    call(archive.folder, "--archive", archive.folder)
    assert archive.rows("select space, key, source, path, digest from articles order by key") == states


@needs_shared
@pytest.mark.jekyll
@pytest.mark.skipif(shutil.which("jekyll") is None, reason="jekyll is not installed")
def test_jekyll_builds_what_was_imported_at_the_addresses_that_were_told(tmp_path: Path) -> None:
    """With strict front matter; dates of all forms, a post before which a line stands, and bodies of nasty pieces, as
    far as they are taken without force."""
    origin, archive = tmp_path / "origin", tmp_path / "archive"
    shutil.copytree(SEED, origin / "_posts", ignore=shutil.ignore_patterns("crlf", "-2*"), copy_function=shutil.copy)
    (origin / "_posts").chmod(0o755)
    forms = {
        "bare": "2022-05-19 20:00:00",
        "minutes": "2022-05-19 20:00",
        "day": "2022-05-19",
        "none": "",
        "iso": "2022-05-18T23:00:00Z",
        "quoted": "'2022-05-19 20:00:00'",
    }
    for name, date in forms.items():
        (origin / "_posts" / f"2022-05-19-{name}.md").write_text(post(date=date), "utf-8")
    (origin / "_posts" / "2022-05-19-late.md").write_text("\n" + post(), "utf-8")
    outputs = (
        "{{ site.title }}",
        "{{ x }}",
        "{{ x | y }}",
        "{{",
        "{{ - }}",
        "{{ .x }}",
        "{{ a. }}",
        "{% raw %}",
        "{%%}",
    )
    nasty = [*FRAGMENTS, *outputs, "&#0;", "[a](b", "{: onclick=x}\n", "{::options x='y' /}\n", "| a | b |\n"]
    for number, piece in enumerate(nasty):
        naive = post(title=f'"{number}"', body=f"a {piece} b\n\n{piece}{nasty[number - 1]}")
        (origin / "_posts" / f"2022-05-18-n{number}.md").write_text(naive, "utf-8", "replace")
    make_archive(archive, title="Archive", url="https://archive.example", timezone="Asia/Shanghai")
    site = load_site(archive)
    taken = take(origin, archive, site, [], Wish())
    assert 12 <= taken.left < 40, "Liquid, and references to no character, with those beside them"
    command = ["jekyll", "build", "--disable-disk-cache", "-s", str(archive), "-d", str(tmp_path / "site")]
    built = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert built.returncode == 0, built.stderr
    judge = Judge(ZoneInfo(site.timezone))
    expected = {judge.judged(path.name, path.read_bytes()).address for path in archive.glob("_posts/**/*.md")}
    assert len(expected) == taken.new
    found = {f"/{path.relative_to(tmp_path / 'site')}" for path in (tmp_path / "site").glob("**/20*/*/*/*.html")}
    assert found == expected
    assert "/harbour/2022/05/20/bare.html" in found, "without an offset it is in UTC"


# whose posts are


def test_a_site_becomes_an_archive_with_its_own_settings(tmp_path: Path) -> None:
    """Posts of all its folders; title, address, base and zone as in its _config.yml."""
    site = Site(tmp_path / "origin", Archive(tmp_path / "archive"))
    site.put("2022-05-19-a.md", post())
    site.put("2022-05-18-b.md", post(title='"Quay"', date="2022-05-18 09:30:00 +0800"), "_posts/2022")
    site.put("2022-05-17-c.md", post(title='"Pier"', date="2022-05-17 09:30:00 +0800"), "old_post")
    site.put("2022-05-16-draft.md", post(), "_drafts")
    site.put("README.md", "# Site", ".")
    (site.origin / "_config.yml").write_text(
        'title: Harbour\nurl: "https://harbour.example"\nbaseurl: /news\ntimezone: Europe/Berlin\nlang: de\n'
    )
    done = call(site.origin, "--archive", site.archive.folder)
    assert "3 new, 0 there already, 0 left out" in done.stdout
    made = load_site(site.archive.folder)
    told = made.title, made.url, made.baseurl, made.timezone, made.language, made.posts
    assert told == ("Harbour", "https://harbour.example", "/news", "Europe/Berlin", "de", "dated")
    assert sorted(site.archive.posts()) == [
        "_posts/2022/05/17/2022-05-17-c.md",
        "_posts/2022/05/18/2022-05-18-b.md",
        "_posts/2022/05/19/2022-05-19-a.md",
    ]
    assert (site.archive.folder / "category/harbour.html").is_file()
    site.archive.proven()


def test_whose_posts_are(site: Site, server: Server) -> None:
    """By front matter, by name and category, by the share link below, by the original's address; else nobody's."""
    wire = json_source(server, "wire", "/api")
    named = {**json_source(server, "named", "/other"), "post": {"file": "{key}", "category": "fixed"}}
    paged = {**json_source(server, "paged", "/third"), "article": {"address": "{url}"}, "layouts": []}
    paged |= {
        "politeness": {"delay": 1},
        "home": "https://paged.example/",
        "key": {"patterns": [r"/(\d{6})\.html"]},
        "post": {},
    }
    del paged["layouts"]
    for one in (wire, named, paged):
        site.archive.add(one)
    link = f"\n\n<{server.address('/s/100007')}>"
    site.put("2022-05-19-a.md", post(source='"wire"', key='"100001"'))
    site.put("2022-05-19-b.md", post(source='"elsewhere"', space='"there"', key='"b-1"'))
    site.put("2022-05-19-100003.md", post(categories="fixed"))
    site.put("2022-05-19-d.md", post(body=f"{BODY}{link}"))
    site.put("2022-05-19-e.md", post(original='"https://paged.example/x/100005.html"'))
    site.put("2022-05-19-f.md", post())
    assert site.take(source="blog").new == 6
    rows = site.archive.rows("select source, space, key from articles order by path")
    assert sorted(rows) == [
        ("blog", "blog", "2022-05-19-f"),
        ("elsewhere", "there", "b-1"),
        ("named", "named", "100003"),
        ("paged", "paged", "100005"),
        ("wire", "wire", "100001"),
        ("wire", "wire", "100007"),
    ]
    texts = site.archive.rows("select count(*) from texts")
    sources = [load_source(path) for path in sorted(site.archive.folder.glob("sources/*.yml"))]
    again = rebuild(site.archive.folder, load_site(site.archive.folder), sources)
    assert again.unclear == ["_posts/2022/05/19/2022-05-19-f.md: its source or key cannot be told"]
    assert sorted(site.archive.rows("select source, space, key from articles order by path")) == sorted(rows)[1:]
    assert texts == [(6,)]


def test_a_site_that_becomes_an_archive_where_it_lies(tmp_path: Path) -> None:
    """No file is touched, the settings say that its posts are flat, and what it moved away comes back."""
    site = Site(tmp_path / "site", Archive(tmp_path / "site"))
    names = [site.put(f"2022-05-{day}-p{day}.md", post(date=f"2022-05-{day} 09:30:00 +0800")) for day in (11, 12, 13)]
    site.put("2022-05-10-p.md", post(date="2022-05-10 09:30:00 +0800"), "old_post")
    config = site.origin / "_config.yml"
    config.write_text("title: Harbour\ntimezone: Asia/Shanghai\n")
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in [*names, config]}
    done = call(site.origin, "--archive", site.origin)
    assert "4 new" in done.stdout
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in before} == before
    assert load_site(site.origin).posts == "flat"
    assert sorted(site.archive.posts()) == [
        f"_posts/2022-05-{day}-p{'' if day == 10 else day}.md" for day in range(10, 14)
    ]
    tree = site.archive.tree()
    assert "0 new, 5 there already" in call(site.origin, "--archive", site.origin).stdout
    assert site.archive.tree() == tree
    assert "_posts" not in "".join(line for line in site.archive.verb("verify", code=1).stdout.splitlines()[:-1])


# what is left out, and what is said


DANGERS = {
    "liquid: ": post(body="<p>{% include x %}</p>"),
    "liquid": post(body="<p>{{ unclosed</p>"),
    "front matter: not YAML": post(title='"a "quoted" word"'),
    "date: not understood: 'yesterday'": post(date="yesterday"),
    "date: not understood: None": post(date="''").replace("''", ""),
    "date: several of them": post(layout="post\ndate: 2021-01-01"),
    "categories: neither words": post(categories="{a: b}"),
    "tags: neither words": post(tags="[[a], b]"),
    "category: neither words": post(categories="", category="no"),
    "body: a reference to no character": post(body="<p>&#x110000;</p>"),
    "title: a reference to no character": post(title='"&#x110000; ferries"'),
    "body: more than 1000 elements": post(body="<div>" * 1001 + "</div>" * 1001),
    "body: more than 500 marks": post(body="[" * 501),
    "address: its permalink": post(permalink="/own/"),
    "address: its slug": post(slug="own"),
    "address: Jekyll makes one": post(category="a"),
}
LOST = {
    "title: empty": post(title='""'),
    "published: false": post(published="false"),
    "front matter: none": "Only text.\n",
    "date: no year of news: 9999": post(date="9999-12-31 09:00:00 +0000"),
    "date: no year of news: 1": post(date="0001-01-01 00:00:00"),
    "categories: a path out of the site": post(categories='"../../x"'),
}


def test_what_may_stop_a_build_or_has_another_address_goes_in_by_force_alone(site: Site) -> None:
    names = {f"2022-05-19-a{number}.md": why for number, why in enumerate(DANGERS)}
    paths = {name: site.put(name, DANGERS[why]) for name, why in names.items()}
    site.put("2022-05-19-good.md", post())
    done = site.take()
    assert (done.new, done.left) == (1, len(DANGERS))
    for name, why in names.items():
        assert site.told[f"_posts/{name}"].startswith(f"left out: {why}")
        assert site.told[f"_posts/{name}"].endswith("Next: mend the file, or --force")
    forced = site.take(force=True)
    assert (forced.new, forced.there, forced.left, forced.faulty) == (len(DANGERS), 1, 0, len(DANGERS))
    for name, why in names.items():
        assert site.told[f"_posts/{name}"].startswith(why)
        assert site.archive.posts()[f"_posts/2022/05/19/{name}"] == paths[name].read_bytes()


def test_what_no_jekyll_publishes_is_left_out_whatever_is_wished(site: Site) -> None:
    lost = {f"2022-05-19-a{number}.md": why for number, why in enumerate(LOST)}
    for name, why in lost.items():
        site.put(name, LOST[why])
    no_names = ["-2022.md", "2022-13-45-a.md", "2022-5-9-a.md", "welcome.md", "2022-05-19-a.markdown"]
    for name in no_names:
        site.put(name, post())
    site.put("2022-05-19-gbk.md", "").write_bytes(post().encode("gb18030"))
    lost |= dict.fromkeys(no_names, "name: no post has it") | {"2022-05-19-gbk.md": "utf-8: byte"}
    assert site.take(force=True) == Imported(left=len(lost))
    assert site.told.keys() == {f"_posts/{name}" for name in lost}
    for name, why in lost.items():
        assert site.told[f"_posts/{name}"].startswith(f"left out: {why}")


def test_posts_that_only_break_rules_are_taken_and_named_unless_rules_are_strict(site: Site) -> None:
    site.put("2022-05-19-a.md", post(title="Bare"))
    site.put("2022-05-19-b.md", post(body="Some *Markdown*.\n\nAnd {{ page.title }}."))
    site.put("2022-05-19-c.md", post(title='"Third"'))
    strict = site.take(strict=True, dry_run=True)
    assert (strict.new, strict.left) == (1, 2)
    done = site.take()
    assert (done.new, done.left, done.faulty) == (3, 0, 2)
    assert set(site.told) == {"_posts/2022-05-19-a.md", "_posts/2022-05-19-b.md"}
    assert done.rules == {"title": 1, "liquid": 1, "body": 1}
    site.take()
    assert site.told == {}, "what is there is not named again"


def test_posts_whose_folder_is_a_category(site: Site) -> None:
    site.put("2022-05-19-a.md", post(), "ships/_posts")
    site.put("2022-05-19-b.md", post())
    assert site.take().left == 1
    assert "address: it began with /ships/ there" in site.told["ships/_posts/2022-05-19-a.md"]


@pytest.mark.parametrize(("zone", "left"), [("Asia/Shanghai", 0), ("America/New_York", 1), ("nowhere", 0)])
def test_a_site_in_another_zone(site: Site, zone: str, left: int) -> None:
    """Only a post whose day changes by it would have another address."""
    (site.origin / "_config.yml").write_text(f"timezone: {zone}\n")
    site.put("2022-05-19-early.md", post(date="2022-05-19 01:00:00 +0800"))
    site.put("2022-05-19-late.md", post(date="2022-05-19 23:00:00 +0800", title='"Late"'))
    done = site.take()
    assert (done.new, done.left) == (2 - left, left)
    if left:
        moved = "address: it was /harbour/2022/05/18/early.html there, and would be /harbour/2022/05/19/early.html"
        assert moved in site.told["_posts/2022-05-19-early.md"]


@pytest.mark.parametrize("setting", ["permalink: pretty", "baseurl: /news"])
def test_a_site_all_of_whose_posts_would_move(site: Site, setting: str) -> None:
    (site.origin / "_config.yml").write_text(f"{setting}\n")
    site.put("2022-05-19-a.md", post())
    done = call(site.origin, "--archive", site.archive.folder, code=2)
    assert f"_config.yml: {setting.partition(':')[0]} is" in done.stderr
    assert "--force" in done.stderr
    assert site.archive.posts() == {}
    call(site.origin, "--archive", site.archive.folder, "--force")
    assert len(site.archive.posts()) == 1


# what is there stays


def test_what_is_there_stays(site: Site) -> None:
    """Another file of that name, an article by another file, an address that is taken: all are named."""
    site.put("2022-05-19-a.md", post())
    site.put("2022-05-19-k.md", post(title='"Keyed"', source='"wire"', key='"1"'))
    assert site.take().new == 2
    before = site.archive.tree()
    site.put("2022-05-19-a.md", post(title='"Another"'))
    site.put("2022-05-18-k.md", post(title='"Moved"', source='"wire"', key='"1"', date="2022-05-18 09:30:00 +0800"))
    site.put("2022-05-19-A.md", post(title='"Case"'), "old_post")
    done = site.take()
    assert (done.new, done.there, done.left) == (0, 1, 3)
    assert "is a post with other bytes: _posts/2022/05/19/2022-05-19-a.md" in site.told["_posts/2022-05-19-a.md"]
    assert "1 is a post with other bytes" in site.told["_posts/2022-05-18-k.md"]
    assert "its address is taken by imported 2022-05-19-a" in site.told["old_post/2022-05-19-A.md"]
    assert site.archive.tree() == before


def test_files_that_nobody_knows_of_stay(site: Site) -> None:
    path = site.archive.folder / "_posts/2022/05/19/2022-05-19-a.md"
    site.put("2022-05-18-first.md", post(date="2022-05-18 09:30:00 +0800"))
    site.take()  # there is a ledger now
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    site.put("2022-05-19-a.md", post())
    assert site.take().left == 1
    assert "another file lies at _posts/2022/05/19/2022-05-19-a.md" in site.told["_posts/2022-05-19-a.md"]
    assert path.read_text() == "mine"


def test_one_article_or_address_several_times_within_a_site(site: Site) -> None:
    site.put("2022-05-19-a.md", post())
    site.put("2022-05-19-a.md", post(), "old_post")
    site.put("2022-05-19-b-c.md", post(title='"One"'))
    site.put("2022-05-19-b c.md", post(title='"Two"'))
    site.put("2022-05-19-x.md", post(title='"X"', source='"wire"', key='"1"'))
    site.put("2022-05-19-y.md", post(title='"Y"', source='"wire"', key='"1"'))
    done = site.take()
    assert (done.new, done.there, done.left) == (3, 1, 2)
    assert "its address is that of _posts/2022-05-19-b c.md, which is taken" in site.told["_posts/2022-05-19-b-c.md"]
    assert "1 is another file's as well, which is taken" in site.told["_posts/2022-05-19-y.md"]


def test_two_files_of_one_article_are_kept_and_named(site: Site) -> None:
    numbered = ["202205190001.md", "NW202205190001.md", "NW202205190002.md", "1.md", "N1.md"]
    for name in numbered:
        site.put(f"2022-05-19-{name}", post())
    done = site.take()
    assert (done.new, done.twins) == (5, 1)
    twin = "the same article as _posts/2022-05-19-202205190001.md, by its number; both files are kept"
    assert site.told == {"_posts/2022-05-19-NW202205190001.md": twin}


# order of writes


class Killed(BaseException):
    """As a kill would end it."""


def killed(site: Site, monkeypatch: pytest.MonkeyPatch, step: str, call: int, *, after: bool) -> None:
    """An import that ends at this call of a step that writes, before or after it has done so."""
    owner: Any = Ledger if step == "keep" else jekyll
    real, calls = getattr(owner, step), []

    def dying(*words: Any, **more: Any) -> Any:
        calls.append(words)
        if len(calls) < call or after:
            done = real(*words, **more)
        if len(calls) == call:
            raise Killed
        return done

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, dying)
        with pytest.raises(Killed):
            site.take()


def test_killed_and_called_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two writes: the archive is the one that an undisturbed import makes."""
    monkeypatch.setattr(jekyll, "_BATCH", 2)
    whole = Site(tmp_path / "origin", Archive.new(tmp_path / "whole"))
    for number in range(5):
        whole.put(f"2022-05-1{number}-p.md", post(title=f'"T{number}"', date=f"2022-05-1{number} 09:30:00 +0800"))
    told = "select space, key, source, state, path, digest from articles order by key"
    shutil.copytree(whole.archive.folder, tmp_path / "empty")
    whole.take()
    wanted = {name: digest for name, (_, digest) in whole.archive.tree().items()}
    for step, call in (("write_all", 2), ("keep", 2), ("refresh", 1)):
        for after in (False, True):
            site = Site(whole.origin, Archive(tmp_path / f"{step}-{after}"))
            shutil.copytree(tmp_path / "empty", site.archive.folder)
            killed(site, monkeypatch, step, call, after=after)
            site.take()
            assert {name: digest for name, (_, digest) in site.archive.tree().items()} == wanted
            assert site.archive.rows(told) == whole.archive.rows(told)
            assert site.archive.rows("select count(*) from changes") == [(5,)]
    whole.archive.proven()


def test_stopped_by_a_signal(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is at hand becomes durable, and the site's pages with it; the same command goes on."""
    monkeypatch.setattr(jekyll, "_BATCH", 2)
    for day in (10, 11, 12):
        site.put(f"2022-05-{day}-p.md", post(title="Bare", date=f"2022-05-{day} 09:30:00 +0800"))
    real = write_all

    def stopped(*words: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return real(*words)

    with monkeypatch.context() as patch:
        patch.setattr(jekyll, "write_all", stopped)
        done = call(site.origin, "--archive", site.archive.folder, code=130)
    assert "2 new" in done.stdout
    assert "stopped by a signal: the same command goes on" in done.stdout
    assert "2 there already" in call(site.origin, "--archive", site.archive.folder).stdout
    assert len(site.archive.posts()) == 3


def test_a_dry_run_writes_nothing(site: Site, tmp_path: Path) -> None:
    site.put("2022-05-19-a.md", post())
    site.put("2022-05-19-b.md", post(title='""'))
    fresh = tmp_path / "fresh"
    done = call(site.origin, "--archive", fresh, "--dry-run", code=5)
    assert "1 would be new, 0 there already, 1 left out" in done.stdout
    assert not fresh.exists()
    site.take()
    before = site.archive.tree(state=True)
    assert site.take(dry_run=True).there == 1
    assert site.archive.tree(state=True) == before


def test_what_stands_in_the_way(site: Site, tmp_path: Path) -> None:
    """Another run, a folder that is none, a ledger that is missing, an id that is none."""
    site.put("2022-05-19-a.md", post())
    lock = Lock(site.archive.folder)
    done = call(site.origin, "--archive", site.archive.folder, code=75)
    assert "another run is active" in done.stderr
    lock.release()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    assert "presskeep init" in call(site.origin, "--archive", tmp_path / "full", code=2).stderr
    assert "--source" in call(site.origin, "--archive", site.archive.folder, "--source", "A b", code=2).stderr
    shutil.copytree(site.origin / "_posts", site.archive.folder / "_posts", dirs_exist_ok=True)
    assert "rebuild-ledger" in call(site.origin, "--archive", site.archive.folder, code=1).stderr


def test_earlier_versions_that_are_there_count(tmp_path: Path) -> None:
    """Of an archive whose ledger is gone for good."""
    archive = Archive.new(tmp_path / "archive", posts="flat")
    site = Site(archive.folder, archive)
    site.put("2022-05-19-a.md", post(source='"wire"', key='"1"', revisions="2"))
    site.put("1.md", post(source='"wire"', key='"1"'), folder_of("_posts/2022-05-19-a.md"))
    assert site.take().new == 1
    assert archive.rows("select revision from articles") == [(1,)]


@pytest.mark.parametrize("value", ["soon", f"{10**17}", f'"{10**20}"', "[1]", "true"])
@pytest.mark.parametrize("name", ["modified", "last_modified_at"])
def test_a_time_of_an_edit_that_is_none_is_named(name: str, value: str) -> None:
    judge, told = Judge(ZoneInfo("Asia/Shanghai")), post(**{name: value})
    (fault,) = judge.judged("2022-05-19-a.md", told.encode()).faults
    assert fault.startswith(f"{name}: no time: ")
    for known in ("2022-05-19 10:00:00 +0800", '"2022-05-19 10:00:00 +0800"', "2022-05-19", '""'):
        assert judge.judged("2022-05-19-a.md", post(**{name: known}).encode()).faults == ()


@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda front, body: f"---\n{front}\n---\n{body}".encode("utf-8", "replace"),
            st.lists(
                st.builds(
                    "{}: {}".format,
                    st.sampled_from(["title", "date", "categories", "category", "tags", "slug", "published", "x"]),
                    st.one_of(
                        st.text(max_size=12), st.sampled_from(["2022-05-19", "2022-05-19 09:00:00", "[a, b]", "1"])
                    ),
                ),
                max_size=5,
            ).map("\n".join),
            st.text(max_size=60),
        ),
    )
)
def test_any_file_is_judged_or_refused(data: bytes) -> None:
    judge = Judge(ZoneInfo("Asia/Shanghai"), ZoneInfo("UTC"))
    try:
        told = judge.judged("2022-05-19-a.md", data)
    except PostError:
        return
    assert re.fullmatch(r"/(?:.*/)?[0-9]{4}/[0-9]{2}/[0-9]{2}/a\.html", told.address)
