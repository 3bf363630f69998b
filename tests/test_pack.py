"""presskeep pack and unpack: what is packed, what changes later, and a kill at any instant."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.address import post_url
from crawler.archive.ledger import Kept
from crawler.archive.ledger import articles as rows
from crawler.archive.locks import Lock
from crawler.archive.post import write_post
from crawler.archive.sketches import sketches
from crawler.commands.pack import progress
from crawler.pack import FOLDER, faults, pack, unpack
from crawler.pack.exclude import excluded, patterns, with_patterns
from crawler.pack.window import cold_months
from crawler.render.theme import unmarked
from crawler.report import ACTIVE, FAILED, REFUSED_INPUT
from crawler.run import Post, Run
from crawler.site import config_faults
from crawler.verify import faults as verified
from crawler.yamlfile import SettingsError
from tests.packing import Packing, articles
from tests.story import presskeep

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2021, 11, 20, 8, tzinfo=ZONE)
EVERY = timedelta(hours=67)
ALL = list(articles(36, FIRST, EVERY))
"""Of 2021-11 to 2022-02; nine are of the newest month."""
HOT = {"hot_posts": 12}


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that was never packed."""
    archive = Packing(tmp_path_factory.mktemp("master") / "archive", **HOT)
    archive.add(ALL)
    archive.fresh()
    archive.ledger.close()
    return archive.folder


@pytest.fixture(scope="module")
def packed_master(master: Path) -> Path:
    folder = shutil.copytree(master, master.with_name("packed"))
    archive = Packing(folder)
    pack(archive.place)
    archive.ledger.close()
    return folder


@pytest.fixture
def archive(master: Path, tmp_path: Path) -> Packing:
    return Packing(shutil.copytree(master, tmp_path / "archive"))


@pytest.fixture
def packed(packed_master: Path, tmp_path: Path) -> Packing:
    return Packing(shutil.copytree(packed_master, tmp_path / "packed"))


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def page_of(archive: Packing, url: str) -> str:
    return (archive.folder / FOLDER / url).read_text("utf-8")


# what is packed


DAYS = {f"2022-{month:02}-{day:02}": 10 for month in range(1, 7) for day in (1, 28)}


@pytest.mark.parametrize(
    ("hot_days", "hot_posts", "cold"),
    [
        (90, 5000, "01 02 03"),  # 30 March is 90 days before 28 June
        (91, 5000, "01 02"),
        (1, 5000, "01 02 03 04 05"),
        (900, 5000, ""),
        (900, 40, "01 02 03 04"),
        (900, 39, "01 02 03 04 05"),
        (900, 1, "01 02 03 04 05"),  # the newest month stays
    ],
)
def test_the_hot_window(hot_days: int, hot_posts: int, cold: str) -> None:
    days = DAYS | {"2022-03-30": 0} if hot_days == 91 else DAYS
    assert cold_months(days, hot_days, hot_posts) == [f"2022-{month}" for month in cold.split()]


def test_no_posts_no_window() -> None:
    assert cold_months({}, 90, 5000) == []


months = st.sets(st.dates(datetime(2019, 1, 1).date(), datetime(2022, 12, 1).date()).map(lambda day: f"{day:%Y-%m}"))


@given(months, months, st.booleans())
def test_what_is_hidden_are_the_packed_months_alone(packed: set[str], others: set[str], flat: bool) -> None:
    """By Jekyll's rule: a file is hidden where its path begins with a pattern, or fits it."""
    hidden = patterns(packed, packed | others, flat)
    for month in packed | others:
        dated = f"_posts/{month.replace('-', '/')}/07/{month}-07-x.md"
        assert any(dated.startswith(pattern) for pattern in hidden) == (month in packed)
        if flat:
            lying = f"_posts/{month}-07-x.md"
            assert any(lying.startswith(pattern.rstrip("*")) for pattern in hidden) == (month in packed)
    assert len(hidden) <= 1 + 2 * len(packed)


@pytest.mark.parametrize(
    "config",
    [
        "a: 1\nexclude:\n  - x\nb: 2\n",
        "exclude:\n- x\n",
        "exclude: # why\n\n  # more\n    - x\n    - y",
        "exclude:\n  - x\n\n",
    ],
)
def test_the_lines_of_the_config_come_and_go(config: str) -> None:
    told = ["packed", "_posts/2021", "_posts/2022/01"]
    there = with_patterns(config, told)
    values, before = yaml.safe_load(there), yaml.safe_load(config)
    assert values == before | {"exclude": [*told, *before["exclude"]]}
    assert excluded(there) == told
    assert with_patterns(there, told) == there
    assert with_patterns(there, ["packed"]) == with_patterns(config, ["packed"])
    assert with_patterns(there, []) == config == unmarked(there)


@pytest.mark.parametrize("config", ["a: 1\n", "exclude: [x]\n", "exclude:\n"])
def test_an_exclude_that_cannot_be_added_to(archive: Packing, config: str) -> None:
    (archive.folder / "_config.yml").write_text(f"timezone: Asia/Shanghai\n{config}")
    with pytest.raises(SettingsError, match="exclude is no list"):
        pack(archive.place)


def test_posts_stay_and_pages_lie_at_their_addresses(packed: Packing, master: Path) -> None:
    before, after = Packing(master).tree(), packed.tree()
    gone = changed(before, {name: data for name, data in after.items() if name in before} | {"": b""}) - {""}
    assert {name for name in gone if name not in after} == {
        name
        for name in before
        if re.match(r"(archive/20../(0[1-9]|1[0-2])|_data/facts/20..-..)", name) and "2022/02" not in name
    } - {name for name in before if "2022-02" in name}
    assert {name for name in before if name.startswith("_posts")} <= after.keys()
    assert yaml.safe_load(after["_data/packed.yml"]) == {
        "months": {"2021-11": 4, "2021-12": 11, "2022-01": 12},
        "categories": {"chenbao": 9, "harbour-post": 9, "wire": 9},
        "sources": {"chenbao": 7, "harbour-post": 7, "wire": 13},
        "last": {"url": f"/{_url(ALL[26])}", "title": ALL[26].title, "language": "en"},
    }
    assert {f"packed/{ALL[0].category}/2021/11/20/N0.html", "packed/archive/2021/11/20.html"} <= after.keys()
    assert list(faults(packed.folder, packed.state)) == []
    assert config_faults(packed.folder, packed.site) == []


def test_packing_again_changes_nothing(packed: Packing) -> None:
    before = packed.tree()
    for whole in (False, True):
        done = pack(packed.place, whole=whole)
        assert (done.written, done.removed, done.released, done.left) == (0, 0, [], {})
    shutil.rmtree(packed.state / "packed")
    assert pack(packed.place).written == 0
    assert packed.tree() == before


def test_unpacking_gives_all_back(packed: Packing, master: Path) -> None:
    done = unpack(packed.place)
    assert done.released == ["2021-11", "2021-12", "2022-01"]
    assert packed.tree() == Packing(master).tree()
    assert not (packed.state / "packed").exists()
    with pytest.raises(LookupError, match="2021-11 is not packed"):
        unpack(packed.place, ["2021-11"])


def test_unpacking_a_month(packed: Packing, archive: Packing) -> None:
    unpack(packed.place, ["2021-12"])
    there = packed.tree()
    assert not any("2021/12" in name for name in there if name.startswith(FOLDER))
    mine = {name: data for name, data in there.items() if re.search("2021.12", name)}
    assert mine == {name: data for name, data in archive.tree().items() if re.search("2021.12", name)}
    assert excluded(there["_config.yml"].decode()) == ["packed", "_posts/2021/11", "_posts/2022/01"]
    assert b"2021/12" not in there["packed/category/chenbao/older.html"]
    assert "last" not in yaml.safe_load(there["_data/packed.yml"]), "Jekyll builds older ones"
    assert list(faults(packed.folder, packed.state)) == []
    pack(packed.place)
    pack(archive.place)
    assert packed.tree() == archive.tree()


def test_nothing_is_known_and_a_month_is_to_be_unpacked(packed: Packing) -> None:
    shutil.rmtree(packed.state / "packed")
    with pytest.raises(LookupError, match="presskeep pack --all"):
        unpack(packed.place, ["2021-12"])
    before = packed.tree("packed")
    unpack(packed.place)
    assert not (packed.folder / FOLDER).exists()
    pack(packed.place)
    assert packed.tree("packed") == before


def test_a_wider_window_gives_months_back(packed: Packing) -> None:
    packed.site = packed.site.model_copy(update={"hot_posts": 30})
    assert pack(packed.place).released == ["2022-01"]
    assert list(faults(packed.folder, packed.state)) == []


# what changes later


def after_packing(archive: Packing) -> set[str]:
    """Packed pages that pack writes anew."""
    before = archive.tree()
    pack(archive.place)
    return {name.removeprefix("packed/") for name in changed(before, archive.tree()) if name.startswith("packed/")}


def neighbours(number: int) -> set[str]:
    return {_url(ALL[place]) for place in (number - 1, number + 1)}


def _url(article: Any) -> str:
    return f"{article.category}/{article.published:%Y/%m/%d}/{article.key}.html"


def searched(article: Any) -> str:
    return f"search/{article.published:%Y/%m}.json"


def lists(article: Any) -> set[str]:
    month = f"category/{article.category}/{article.published:%Y/%m}.html"
    return {f"archive/{article.published:%Y/%m/%d}.html", month, month_of_source(article), searched(article)}


def month_of_source(article: Any) -> str:
    return f"source/{article.source}/{article.published:%Y/%m}.html"


def test_new_hot_posts_touch_no_packed_page(packed: Packing) -> None:
    late = list(articles(2, FIRST, EVERY, start=36))
    packed.add(late)
    assert after_packing(packed) == set()


def test_an_edited_post(packed: Packing) -> None:
    edited = replace(ALL[6], title="Another headline")
    packed.edit(edited)
    assert after_packing(packed) == {_url(edited), *neighbours(6), *lists(edited)}
    assert "Another headline" in page_of(packed, _url(ALL[7]))


def test_an_edit_of_the_text_alone(packed: Packing) -> None:
    edited = replace(ALL[6], body="<p>Another text.</p>")
    packed.edit(edited)
    assert after_packing(packed) == {_url(edited), searched(edited)}
    assert "Another text." in page_of(packed, searched(edited))


def test_a_tombstone(packed: Packing) -> None:
    chosen = rows.c.key == ALL[6].key
    packed.ledger.write(rows.update().where(chosen).values(gone="2026-02-03T04:05:06+00:00"))
    assert after_packing(packed) == {_url(ALL[6])}
    assert 'class="notice gone"' in page_of(packed, _url(ALL[6]))


def test_a_copy_that_comes_and_goes(packed: Packing) -> None:
    """The page of an old post names a new one of the same story, until that is edited into another."""
    copy = replace(ALL[6], space="other", key="copy", published=datetime(2022, 2, 27, tzinfo=ZONE), title="Copy")
    packed.add([copy])
    for one in (ALL[6], copy):
        told = {"source": one.source, "published": "", "outlet": "", "publisher": "", "agency": 0, "pointer": 0}
        row = sketches.insert().values(space=one.space, key=one.key, **told, story=7, sketch=b"")
        packed.ledger.write(row)
    assert after_packing(packed) == {_url(ALL[6])}
    assert f'href="/{_url(copy)}"' in page_of(packed, _url(ALL[6]))
    packed.ledger.write(sketches.update().where(sketches.c.key == "copy").values(story=0))
    packed.edit(replace(copy, title="Not a copy"))
    assert after_packing(packed) == {_url(ALL[6])}
    assert f'href="/{_url(copy)}"' not in page_of(packed, _url(ALL[6]))


def test_a_post_that_comes_late(packed: Packing) -> None:
    """To the end of a packed month: it stands between two months."""
    late = replace(ALL[3], key="late", published=datetime(2021, 11, 30, 23, tzinfo=ZONE), title="Late")
    packed.add([late])
    days = {"archive/2021/11.html", "archive/2021/11/28.html", "archive/2021/12/01.html"}
    counts = {"category/chenbao/older.html", f"source/{ALL[3].source}/older.html"}
    assert ALL[3].category == "chenbao"
    assert after_packing(packed) == {_url(late), _url(ALL[3]), _url(ALL[4]), *lists(late), *days, *counts}
    assert yaml.safe_load((packed.folder / "_data/packed.yml").read_text())["months"]["2021-11"] == 5
    assert list(faults(packed.folder, packed.state)) == []


def test_the_first_hot_post_is_the_last_packed_ones_neighbour(packed: Packing) -> None:
    last = max(place for place, one in enumerate(ALL) if one.published and one.published.month == 1)
    packed.edit(replace(ALL[last + 1], title="First of the hot"))
    assert after_packing(packed) == {_url(ALL[last])}


def test_another_category_is_another_address(packed: Packing) -> None:
    moved = replace(ALL[6], category="wire")
    packed.edit(moved)
    assert {_url(ALL[6]), _url(moved), *neighbours(6)} <= after_packing(packed)
    assert not (packed.folder / FOLDER / _url(ALL[6])).exists()


def test_another_look(packed: Packing) -> None:
    layout = packed.folder / "_layouts/post.html"
    layout.write_text(layout.read_text("utf-8").replace("<article", '<article data-look="2"'), "utf-8")
    written = after_packing(packed)
    assert {_url(one) for one in ALL if one.published and one.published < datetime(2022, 2, 1, tzinfo=ZONE)} == {
        name for name in written if not name.startswith(("archive/", "category/", "source/"))
    }


def test_the_name_of_a_source(packed: Packing) -> None:
    """Shows where it is another than the outlet's; how many posts it has shows nowhere."""
    names = packed.folder / "_data/sources.yml"
    names.write_text(names.read_text("utf-8").replace('"name": "wire"', '"name": "Wire Service"'), "utf-8")
    written = after_packing(packed)
    assert _url(ALL[5]) in written
    assert all("Wire Service" in page_of(packed, name) for name in written if not name.startswith("archive"))


@pytest.mark.parametrize("name", ["category", "day", "default", "month", "post", "source"])
def test_a_layout_that_is_missing(packed: Packing, name: str) -> None:
    """Pages would be bare: those that are there stay."""
    (packed.folder / f"_layouts/{name}.html").unlink()
    before = packed.tree()
    with pytest.raises(SettingsError, match=rf"_layouts/{name}\.html: not there.* Next: presskeep init /"):
        pack(packed.place)
    if name == "default":
        with pytest.raises(SettingsError, match="default"):
            unpack(packed.place, ["2021-12"])
    assert packed.tree() == before
    if name == "default":
        unpack(packed.place)
        assert not (packed.folder / FOLDER).exists()


def test_a_layout_of_a_post_that_is_missing(packed: Packing) -> None:
    path = packed.folder / packed.path(ALL[6])
    for name, hint in (("report", "put it back"), ("none", "")):
        path.write_bytes(re.sub(rb"\nlayout: .*", f"\nlayout: {name}".encode(), path.read_bytes()))
        if hint:
            before = packed.tree()
            with pytest.raises(SettingsError, match=f"_layouts/{name}.html: not there.* Next: {hint}"):
                pack(packed.place, whole=True)
            assert packed.tree() == before
        else:
            pack(packed.place, whole=True)
            assert page_of(packed, _url(ALL[6])).startswith("<p>")


# what presskeep did not write


def test_a_month_with_markdown_stays_with_jekyll(archive: Packing) -> None:
    path = archive.folder / archive.path(ALL[6])
    path.write_bytes(path.read_bytes().replace("<p>第6篇第0段".encode(), "*第6篇第0段".encode(), 1))
    done = pack(archive.place)
    assert list(done.months) == ["2021-11", "2022-01"]
    assert list(done.left) == ["2021-12"]
    assert archive.path(ALL[6]) in done.left["2021-12"]
    assert list(faults(archive.folder, archive.state)) == []
    assert list(pack(archive.place, force=True).months) == ["2021-11", "2021-12", "2022-01"]
    assert "*第6篇第0段" in page_of(archive, _url(ALL[6]))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"date: 2021-12-07 02", b"date: 2022-01-07 02"))
    assert "of another month" in pack(archive.place, force=True, whole=True).left["2021-12"]
    path.write_bytes(whole)
    assert "2021-12" in pack(archive.place, force=True, whole=True).months
    path.write_bytes(b"no post")
    assert pack(archive.place, force=True, whole=True).released == ["2021-12"]


def test_faults_are_named(packed: Packing) -> None:
    folder = packed.folder / FOLDER
    (folder / _url(ALL[6])).unlink()
    (folder / "mine.html").write_text("x")
    stub = packed.folder / "archive/2021/11.html"
    stub.parent.mkdir(exist_ok=True)
    stub.write_text("---\n---\nmine")
    config = packed.folder / "_config.yml"
    config.write_text(config.read_text().replace("  - _posts/2021\n", ""))
    found = dict(faults(packed.folder, packed.state))
    assert found.keys() == {"_config.yml", f"packed/{_url(ALL[6])}", "packed/mine.html", "archive/2021/11.html"}
    assert "presskeep pack --all" in found["_config.yml"]
    (folder / "mine.html").unlink()
    stub.unlink()
    pack(packed.place, whole=True)
    assert list(faults(packed.folder, packed.state)) == []
    shutil.rmtree(packed.state / "packed")
    found = dict(faults(packed.folder, packed.state))
    assert found.keys() == {"2021-11", "2021-12", "2022-01"}
    assert "presskeep pack --all" in found["2021-12"]


# the verbs


def test_the_verbs(archive: Packing) -> None:
    archive.ledger.close()
    told = presskeep(archive.folder, "pack", "--json")
    assert json.loads(told.stdout)["months"] == {"2021-11": 4, "2021-12": 11, "2022-01": 12}
    assert "3 months packed, 27 posts; 0 pages written" in presskeep(archive.folder, "pack").stdout
    assert "Jekyll builds again: 2021-12" in presskeep(archive.folder, "unpack", "2021-12").stdout
    assert presskeep(archive.folder, "unpack", "2021-12").returncode == REFUSED_INPUT
    assert (
        presskeep(archive.folder, "unpack").returncode
        == presskeep(archive.folder, "unpack", "--all", "x").returncode
        == 2
    )
    assert presskeep(archive.folder, "verify").returncode == 0
    (archive.folder / FOLDER / "mine.html").write_text("x")
    verified = presskeep(archive.folder, "verify")
    assert verified.returncode == FAILED
    assert "packed/mine.html" in verified.stdout + verified.stderr


def test_progress_under_cron(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as tell:
        for number in range(20):
            tell(f"2020-{number}", number, 20)
        tell("2022-05", 0, 9)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["packing 2020-0: 0 of 20 months", "packing 2020-2: 2 of 20 months"]
    assert len(lines) == 10


def test_verbs_that_cannot(archive: Packing, tmp_path: Path) -> None:
    archive.ledger.close()
    lock = Lock(archive.folder)
    assert presskeep(archive.folder, "pack").returncode == ACTIVE
    lock.release()
    (archive.folder / "_layouts/day.html").write_text("{{ 1 | no_such }}")
    failed = presskeep(archive.folder, "pack")
    assert failed.returncode == FAILED
    assert "a layout cannot be rendered" in failed.stderr
    assert "no_such" in failed.stderr
    (archive.folder / "_layouts/day.html").unlink()
    assert presskeep(archive.folder, "pack").returncode == REFUSED_INPUT
    (archive.state / "ledger.sqlite").unlink()
    assert presskeep(archive.folder, "pack").returncode == REFUSED_INPUT


# one address, one post


@pytest.mark.parametrize("layout", ["dated", "flat"])
@pytest.mark.parametrize("there", ["_posts/2021/12/07/2021-12-07-N6.md", "_posts/2021-12-07-N6.md"])
def test_a_post_keeps_away_from_anothers_address(tmp_path: Path, layout: str, there: str) -> None:
    """Of another space, in another case of letters, filed otherwise: Jekyll would give both one address."""
    archive = Packing(tmp_path / "archive", posts=layout)
    (path := archive.folder / there).parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write_post(ALL[6], archive.site.style))
    archive.ledger.keep([Kept("s", "N6", "wire", there, "x")])
    run = Run(archive.folder, archive.site, [])
    mine = archive.path(replace(ALL[6], key="n6"))
    assert run._apart(Post(mine, b"", "s", "N6", "wire")) == mine
    apart = run._apart(Post(mine, b"", "other", "n6", "wire"))
    run.close()
    url, other = (post_url(one, ["wire"], date(2021, 12, 7)) for one in (apart, there))
    assert url.lower() != other.lower()


@pytest.mark.parametrize(
    "twin",
    [
        "_posts/2021-12-07-N6.md",
        "_posts/2021/12/07/2021-12-07-n6.md",
        "_posts/2021/12/07/2021-12-07--N6.md",
        "_posts/2021/12/07/2021-12-07-N6-.md",
        "_posts/2021/12/06/2021-12-06-N6.md",
    ],
)
def test_two_posts_of_one_address_are_named(tmp_path: Path, twin: str) -> None:
    archive = Packing(tmp_path / "archive")
    (own,) = archive.add([ALL[6]])
    (archive.folder / twin).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(archive.folder / own, archive.folder / twin)
    found = [what for _, what in verified(archive.folder, archive.site, []) if what.startswith("address")]
    assert found == ["address: another post has /chenbao/2021/12/07/n6.html too; Jekyll shows one of them"]


# a kill at any instant


class Killed(BaseException):
    """As a kill: nothing catches it."""


@contextmanager
def killed_at(number: int) -> Iterator[list[str]]:
    """At the so-manieth change on disk; what was done before it."""
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((Path, "replace"), (Path, "unlink"), (Path, "write_bytes"), (Path, "rmdir")):
            patch.setattr(owner, name, _counted(getattr(owner, name), name, seen, number))
        yield seen


def _counted(real: Callable[..., Any], name: str, seen: list[str], number: int) -> Callable[..., Any]:
    def call(*given: Any, **more: Any) -> Any:
        if len(seen) == number:
            raise Killed
        seen.append(name)
        return real(*given, **more)

    return call


def few(folder: Path) -> Packing:
    """Three posts, two of them in months to be packed."""
    archive = Packing(folder, hot_posts=1)
    archive.add(list(articles(3, FIRST, timedelta(days=25))))
    archive.fresh()
    return archive


def kills(archive: Packing, work: Callable[[Packing], Any], scratch: Path, step: int) -> Iterator[Packing]:
    """Copies of an archive in which the work was killed, at one change after another."""
    number, ended = 0, False
    while not ended:
        copy = Packing(shutil.copytree(archive.folder, scratch / str(number)))
        with killed_at(number):
            try:
                work(copy)
                ended = True
            except Killed:
                pass
        yield copy
        copy.ledger.close()
        number += step
    assert number > 20


STEPS = [pytest.param(23, id="some"), pytest.param(1, id="every", marks=pytest.mark.long)]


@pytest.mark.parametrize("step", STEPS)
def test_killed_while_packing(tmp_path: Path, step: int) -> None:
    archive = few(tmp_path / "archive")
    whole = few(tmp_path / "whole")
    pack(whole.place)
    said = set()
    for copy in kills(archive, lambda one: pack(one.place), tmp_path / "kills", step):
        said.add(tuple(faults(copy.folder, copy.state)))
        pack(copy.place)
        assert copy.tree() == whole.tree()
        assert list(faults(copy.folder, copy.state)) == []
    assert said == {(), (("packed", "a pack was cut off. Next: presskeep pack"),)}


@pytest.mark.parametrize("step", STEPS)
def test_killed_while_unpacking(tmp_path: Path, step: int) -> None:
    archive = few(tmp_path / "archive")
    before = archive.tree()
    pack(archive.place)
    said = set()
    for copy in kills(archive, lambda one: unpack(one.place), tmp_path / "kills", step):
        said.add(tuple(faults(copy.folder, copy.state)))
        unpack(copy.place)
        assert list(faults(copy.folder, copy.state)) == []
        assert copy.tree() == before
    assert said == {(), (("packed", "an unpack was cut off. Next: presskeep unpack --all"),)}


def test_an_unpacking_of_months_that_was_cut_off(packed: Packing) -> None:
    with killed_at(9), pytest.raises(Killed):
        unpack(packed.place, ["2022-01", "2021-12"])
    assert [what for _, what in faults(packed.folder, packed.state)] == [
        "an unpack was cut off. Next: presskeep unpack 2021-12 2022-01"
    ]
