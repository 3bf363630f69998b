"""What a mirror takes without ``--trust``: all that the writer makes, and nothing that is more to Jekyll or a layout.
What it takes is never too much for itself: moments that are none, captures without end, articles that come late."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive import captures
from crawler.archive.captures import CaptureError, Response, read_segment, record_bytes, unpack_record
from crawler.archive.markup import Markup, clean
from crawler.archive.post import FIELDS, file_name, write_post
from crawler.archive.style import BackLink, PostStyle
from crawler.follow.judge import front_fault
from crawler.follow.log import Folder, Published
from crawler.follow.mirror import Mirror
from crawler.follow.origin import Live
from crawler.imports.judge import Judge
from crawler.items import Article, Attribution
from crawler.render.theme import Theme
from crawler.site import load_site
from tests.archive import nasty
from tests.test_follow import (
    POST,
    Shop,
    called,
    equal,
    everything,
    killed_at,
    lay,
    new,
    record,
    rows,
    tree,
    written,
)

ZONE = ZoneInfo("Asia/Shanghai")
STYLE = PostStyle(
    timezone="Asia/Shanghai",
    fields=tuple(FIELDS),
    quote="quote",
    back=(BackLink(label="返回{tag}", href="//h.example/category/{category}.html"),),
)


@settings(max_examples=100, deadline=None)
@given(nasty.html, st.lists(nasty.text, min_size=5, max_size=5), st.integers(0, 2))
def test_whatever_the_writer_makes_is_taken(html: str, texts: list[str], revisions: int) -> None:
    title, digest, key, tag, name = texts
    moment = datetime(2023, 1, 1, 20, 0, tzinfo=UTC)
    one = Article(
        source="s",
        space="s",
        key=f"{key}1",
        url="https://e.example/1.html",
        link="https://e.example/1.html",
        title=f"t{title}",
        body=clean(html, Markup(), "https://e.example/"),
        published=moment,
        modified=moment,
        published_raw=digest,
        category="news",
        tags=(tag, "新闻"),
        digest=digest,
        byline=(name, tag),
        editor=name,
        attribution=Attribution(raw=name, name=tag, rule="label"),
        pointer="/news/2023/01/02/k.html" if revisions else "",
        revisions=revisions,
        last_modified=moment + timedelta(days=1),
    )
    data = write_post(one, STYLE)
    assert front_fault(data.decode()) == ""
    judged = Judge(ZONE).judged(file_name(one, STYLE), data)
    assert (judged.faults, judged.dangers) == ((), ())


def front(line: str) -> str:
    """The good post with one line more."""
    return POST.replace("layout: post\n", f"layout: post\n{line}\n")


STRANGE = {
    "permalink": front("permalink: /index.html"),
    "layout": POST.replace("layout: post", "layout: default"),
    "layouts": POST.replace("layout: post", "layout: [post]"),
    "none": POST.replace("layout: post", "layout: null"),
    "csp": front('csp: "script-src *"'),
    "twice": front("layout: post"),
    "published": front("published: false"),
    "bare-field": front("modified: soon"),
    "no-time": front('last_modified_at: "soon"'),
    "list": front("language: [1]"),
    "escape": front(r'source: "\u0041"'),
    "break": front('source: "a\u2028b"'),
    "control": front('source: "a\x85b"'),
    "number": front("revisions: 1e9"),
    "alias": front("tags: [&a x, *a]"),
    "bool": front("language: !!bool x"),
    "int": front('language: !!int ""'),
    "time": front("language: !!timestamp x"),
    "sixties": front(f"language: 1:{'00:' * 300}00.5"),
    "merge": front("<<: {csp: x}"),
    "folded": POST.replace('复航"', '\n复航"'),
    "comment": front("# x"),
    "empty": front(""),
    "blank": front(" layout: x"),
    "references": POST.replace("号渡轮", "&#x110000;"),
    "deep": POST.replace("<p>", "<div>" * 1001 + "<p>").replace("</p>", "</p>" + "</div>" * 1001),
}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror that nothing is ever written into."""
    return Shop(tmp_path_factory.mktemp("untouched") / "mirror").folder


@pytest.mark.parametrize("name", STRANGE)
def test_front_matter_that_no_writer_makes(untouched: Path, tmp_path: Path, name: str) -> None:
    """Left alone and told of; on trust it is taken, and not too much for the mirror's own pages."""
    log = lay(tmp_path / "log", record(post=STRANGE[name]))
    before = everything(untouched)
    assert "breaks the rules of posts" in called(untouched, log, "--again", code=5).stderr
    assert tree(untouched) == {}
    assert set(everything(untouched)) == set(before)
    trusting = new(tmp_path / "mirror")
    called(trusting, log, "--trust")
    assert (trusting / record()["path"]).read_bytes() == STRANGE[name].encode()


def test_a_post_cannot_loosen_its_page_s_policy(tmp_path: Path) -> None:
    """Not even one that was taken on trust: only pages of the site itself may. An import says that it tries."""
    judged = Judge(ZONE).judged(Path(record()["path"]).name, STRANGE["csp"].encode())
    assert judged.dangers == ("csp: it would loosen the Content-Security-Policy of its page",)
    theme = Theme(new(tmp_path / "archive"))
    page = {"title": "x", "url": "/x.html", "csp": "script-src *"}
    assert "script-src" in theme.page("default", page)
    for layout in ("default", "post", "home"):
        told = theme.page(layout, {**page, "collection": "posts", "date": "2026-03-02 12:00:00 +0800"})
        assert "default-src" in told
        assert "script-src" not in told, layout


# moments


@pytest.mark.parametrize("day", ["0001-01-01 00:00:00 +0800", "9999-12-31 23:59:59 -0800"])
def test_a_time_that_some_zones_have_no_date_for(tmp_path: Path, day: str) -> None:
    """Of the post, and of edits of a version that was there before, which nobody judges."""
    odd = POST.replace("2026-03-02 12:30:00 +0800", day)
    mirror, log = new(tmp_path / "mirror"), lay(tmp_path / "odd", record(post=odd))
    assert "no year of news" in called(mirror, log, code=5).stderr
    called(mirror, log, "--again", "--trust")
    assert tree(mirror).keys() == {record()["path"]}

    edited = front(f'last_modified_at: "{day}"\nrevisions: 2')
    told = record(post=edited, revision=2, earlier={"1": POST, "2": edited})
    mirror = new(tmp_path / "edited")
    called(mirror, lay(tmp_path / "log", told))
    assert rows(mirror)[0][6] == 2


def test_fractions_of_seconds_of_a_ledger_that_was_made_anew(shop: Shop, tmp_path: Path) -> None:
    shop.keep(1)
    shop.settle(1, since="2026-03-02T00:00:00.25Z")
    called(tmp_path / "mirror", shop.folder)
    equal(shop.folder, tmp_path / "mirror")


# captures

PAGE = record_bytes(Response("https://x.example/", 200, (), b"x", "2026-03-02T00:00:00Z", {}), "sha256:A")


def test_a_record_is_one_gzip_member_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unpack_record(PAGE).payload == b"x"
    size = len(gzip.decompress(PAGE))
    assert unpack_record(PAGE, size).payload == b"x"
    for data, most, why in (
        (PAGE, size - 1, f"unpacks to more than {size - 1} bytes"),
        (PAGE + gzip.compress(bytes(1 << 20)), size, "more than one gzip member"),
        (PAGE[:-9], size, "cut short"),
        (b"no gzip member", size, "header"),
    ):
        with pytest.raises(ValueError, match=why):
            unpack_record(data, most)
    path = tmp_path / "x.warc.gz"
    path.write_bytes(PAGE + PAGE)
    assert len(list(read_segment(path))) == 2
    monkeypatch.setattr(captures, "MOST", size)
    assert len(list(read_segment(path))) == 2, "each for itself"
    path.write_bytes(PAGE + gzip.compress(bytes(1 << 20)))
    with pytest.raises(CaptureError, match=f"at {len(PAGE)}: the record unpacks to more than {size} bytes"):
        list(read_segment(path))


# what the origin cannot give


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "origin")


def test_an_article_that_comes_late_comes_by_the_published_log(shop: Shop, tmp_path: Path) -> None:
    """The log says which ones it lacks; followers are told, and have them as soon as it has. Whoever has it all is not
    asked to take it again."""
    paths = [shop.keep(number) for number in (1, 2, 3)]
    aside = (shop.folder / paths[1]).rename(tmp_path / "aside.md")
    log, mirror, late = tmp_path / "log", tmp_path / "mirror", tmp_path / "late"
    for _ in range(2):
        assert f"{paths[1]}: left out (not there)" in written(shop.folder, log, code=5)
    assert [(one.number, one.path) for one in Published(Folder(log)).left.values()] == [(2, paths[1])]
    for _ in range(2):
        told = json.loads(called(mirror, log, "--json", code=5).stdout)
        assert told["left"] == {paths[1]: "the origin cannot give it (not there)"}
    shop.keep(4)
    written(shop.folder, log, code=5)
    called(mirror, log, code=5)
    aside.rename(shop.folder / paths[1])
    written(shop.folder, log)
    assert [one.number for one in Published(Folder(log)).records(0)] == [1, 2, 3, 4]
    assert "1 new, 0 changed, 0 as they were, 0 left alone" in called(mirror, log).stdout
    equal(shop.folder, mirror)
    called(late, log)
    equal(shop.folder, late)
    assert "0 articles added" in written(shop.folder, log)


def test_only_chunks_from_the_gap_on_are_written_anew(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.follow.log._CHUNK", 1)
    monkeypatch.setattr("crawler.follow.log._SMALL", 1)
    paths = [shop.keep(number) for number in (1, 2, 3)]
    aside = (shop.folder / paths[1]).rename(tmp_path / "aside.md")
    log = tmp_path / "log"
    written(shop.folder, log, code=5)
    before = [one.name for one in Published(Folder(log)).index.chunks]
    aside.rename(shop.folder / paths[1])
    assert "2 articles added" in written(shop.folder, log)
    after = Published(Folder(log)).index.chunks
    assert [one.first for one in after] == [1, 2, 3]
    assert [after[0].name, after[2].name] == before


def test_what_is_there_again_amid_a_publication_is_not_said_to_be_missing(shop: Shop, tmp_path: Path) -> None:
    path = shop.keep(1)
    aside, origin = (shop.folder / path).rename(tmp_path / "aside.md"), Live(shop.folder, pytest.fail)
    assert (list(origin.again([1])), list(origin.left)) == ([], [1])
    aside.rename(shop.folder / path)
    assert ([one.key for one in origin.records(0)], origin.left) == (["k1"], {})
    origin.close()


def test_what_is_missing_and_was_edited_since_is_asked_for_once(shop: Shop, tmp_path: Path) -> None:
    """By its later number; and one that was settled otherwise is no more told of."""
    path = shop.keep(1)
    mirror, data = tmp_path / "mirror", (shop.folder / path).read_bytes()
    (shop.folder / path).unlink()
    called(mirror, shop.folder, code=5)
    (shop.folder / path).write_bytes(data)
    shop.edit(1, "改动。")
    assert "1 new, 0 changed, 0 as they were, 0 left alone" in called(mirror, shop.folder).stdout
    equal(shop.folder, mirror)


def test_what_was_missing_is_remembered_whenever_it_is_killed(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the number up to which the log was taken is beyond it by then."""
    monkeypatch.setattr("crawler.follow.mirror._BATCH", 1)
    monkeypatch.setattr("crawler.follow.mirror.refresh", lambda *_, **__: [])
    paths = [shop.keep(number) for number in (1, 2, 3, 4)]
    (shop.folder / paths[1]).rename(tmp_path / "aside.md")
    shop.ledger.close()

    def follow(folder: Path) -> Callable[[], Any]:
        def work() -> None:
            there, one = Live(shop.folder, pytest.fail), Mirror(folder, load_site(folder))
            one.follow(there)
            one.close()
            there.close()

        return work

    step, killed = 0, True
    while killed:
        mirror = new(tmp_path / "mirrors" / str(step))
        killed = killed_at(step, follow(mirror))
        (tmp_path / "aside.md").rename(shop.folder / paths[1])
        follow(mirror)()
        assert tree(mirror) == tree(shop.folder), f"killed at step {step}"
        (shop.folder / paths[1]).rename(tmp_path / "aside.md")
        step += 9
    assert step > 18


def test_an_article_that_comes_late_does_not_put_the_mirror_back(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes first and by an old number: a mirror that is killed behind it goes on from where it stood."""
    paths = [shop.keep(number) for number in (1, 2, 3)]
    aside = (shop.folder / paths[0]).rename(tmp_path / "aside.md")
    mirror = tmp_path / "mirror"
    called(mirror, shop.folder, code=5)
    aside.rename(shop.folder / paths[0])
    with monkeypatch.context() as patch:
        patch.setattr(Mirror, "_move", lambda *_: None)
        called(mirror, shop.folder, code=5)
    assert tree(mirror) == tree(shop.folder)
    assert "0 new, 0 changed, 1 as they were" in called(mirror, shop.folder).stdout


# the site's pages


def test_a_tombstone_is_no_reason_to_derive_all_pages_anew(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mirror's own log tells of it; of the day on which an article came it does not."""
    told: list[bool] = []
    mirror = tmp_path / "mirror"
    for number in (1, 2):
        shop.keep(number)
    called(mirror, shop.folder)

    def refreshed(*_: Any, whole: bool) -> list[str]:
        told.append(whole)
        return []

    with monkeypatch.context() as patch:
        patch.setattr("crawler.follow.mirror.refresh", refreshed)
        shop.settle(1, gone="2026-04-01T00:00:00Z")
        called(mirror, shop.folder)
        shop.settle(1, gone="")
        called(mirror, shop.folder)
        shop.settle(2, since="2026-03-09T00:00:00Z")
        shop.edit(1, "改动。")
        called(mirror, shop.folder)
        called(mirror, shop.folder, "--again")
    assert told == [False, False, False, True]
