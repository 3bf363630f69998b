"""``presskeep follow``: a mirror is its origin byte for byte, by folder, by published log and by web; nothing that an
origin says is believed unseen, and nothing of one's own is written over."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive import revisions, rewrites
from crawler.archive.captures import CaptureStore, Response, payload_digest, record_bytes
from crawler.archive.checks import known, settle
from crawler.archive.ledger import Kept, Ledger, articles
from crawler.archive.locks import Lock
from crawler.archive.post import file_name, write_post
from crawler.archive.posts import replace
from crawler.archive.style import PostStyle
from crawler.commands.export import command as export
from crawler.commands.follow import command as follow
from crawler.commands.init import make_archive
from crawler.commands.push import command as push
from crawler.download import Download
from crawler.follow import log as published
from crawler.follow.log import Folder, Published, publish
from crawler.follow.mirror import Mirror
from crawler.follow.origin import Live
from crawler.follow.record import OriginError, Record, verify
from crawler.follow.web import Web
from crawler.items import Article
from crawler.rebuild import rebuild
from crawler.site import load_site
from crawler.verify import faults
from tests.server import Page, Server

FIRST = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
STYLE = PostStyle(timezone="Asia/Shanghai", fields=("source", "key", "original"))
SOURCE = """\
id: harbour
name: 海港新闻
home: https://harbour.example/
language: zh-CN
timezone: Asia/Shanghai
example: https://harbour.example/a/1
lists:
- {kind: html, urls: "https://harbour.example/", items: li, fields: {url: "a::attr(href)", title: a}}
"""


@cache
def blank() -> dict[str, bytes]:
    """Files of a new archive, made once."""
    with TemporaryDirectory() as folder:
        make_archive(Path(folder), title="Harbour", url="https://archive.example", timezone="Asia/Shanghai")
        found = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def new(folder: Path) -> Path:
    """A new archive."""
    for name, data in blank().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@dataclass
class Shop:
    """An archive without a crawl: what its runs would do to it, one step a method."""

    folder: Path
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(new(self.folder) / ".presskeep" / "ledger.sqlite")

    def data(self, number: int, **told: Any) -> tuple[str, bytes]:
        article = Article(
            source="harbour",
            space="harbour",
            key=f"k{number}",
            url=f"https://harbour.example/a/{number}",
            title=f"第{number}号渡轮复航",
            body=f"<p>渡轮{number}号今天复航。</p>",
            published=FIRST + timedelta(days=number),
            category="ferry",
            tags=("渡轮",),
        )
        for name, value in told.items():
            setattr(article, name, value)
        name = file_name(article, STYLE)
        return f"_posts/{name[:10].replace('-', '/')}/{name}", write_post(article, STYLE)

    def keep(self, number: int, **told: Any) -> str:
        path, data = self.data(number, **told)
        replace(self.folder / path, data)
        since = "2026-03-01T05:00:00Z"
        kept = Kept("harbour", f"k{number}", "harbour", path, sha256(data).hexdigest(), since=since, etag='"x"')
        self.ledger.keep([kept])
        return path

    def edit(self, number: int, text: str) -> None:
        (check,) = known(self.ledger, f"k{number}")
        count = check.revision + 1
        told = {"revisions": count, "last_modified": FIRST + timedelta(days=40)}
        _, new = self.data(number, body=f"<p>{text}</p>", **told)
        old = (self.folder / check.path).read_bytes()
        revisions.write(self.folder, [revisions.Edit(check.path, old, new, count)])
        self.settle(number, digest=sha256(new).hexdigest(), revision=count)

    def read_anew(self, number: int, text: str, keep_old: bool = True) -> None:
        (check,) = known(self.ledger, f"k{number}")
        _, new = self.data(number, body=f"<p>{text}</p>")
        old = (self.folder / check.path).read_bytes()
        rewrites.write(
            self.folder, self.ledger, [rewrites.Rewrite(check.row.id, check.path, old, new, "", WORDS, True)]
        )

    def settle(self, number: int, **told: Any) -> None:
        settle(self.ledger, {known(self.ledger, f"k{number}")[0].row.id: told})

    def capture(self, number: int) -> None:
        """The page that a post was made from."""
        state = self.folder / ".presskeep"
        store = CaptureStore(state / "captures", 1 << 20, FIRST)
        notes = {"source": "harbour", "key": f"k{number}", "role": "article"}
        page = Response(
            f"https://harbour.example/a/{number}", 200, (("X", "y"),), b"<p>page</p>%d" % number, DAY, notes
        )
        digest = payload_digest(page.payload)
        store.add(page, digest)
        made, sizes = store.take()
        store.close()
        self.ledger.keep([], made, sizes)
        self.settle(number, capture=digest)

    def busy_days(self) -> None:
        """Something of all that can happen to a post."""
        for number in range(1, 7):
            self.keep(number)
        self.edit(1, "第一次改动。")
        self.edit(1, "第二次改动。")
        self.edit(2, "改动一次。")
        self.read_anew(3, "读得更好。")
        self.settle(4, gone="2026-04-01T00:00:00Z")
        self.settle(5, gone="2026-04-01T00:00:00Z")
        self.settle(5, gone="")


DAY = "2026-03-02T00:00:00Z"
WORDS = {"space": "harbour", "key": "none", "digest": "", "title": "", "length": 0, "outlet": 0}


def tree(folder: Path) -> dict[str, str]:
    """Path -> digest of all posts and earlier versions."""
    found = [path for part in ("_posts", "revisions") for path in (folder / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in found}


def rows(folder: Path) -> list[tuple[Any, ...]]:
    """What the ledger says of posts."""
    names = (
        "space",
        "key",
        "source",
        "state",
        "path",
        "digest",
        "revision",
        "gone",
        "since",
        "hints",
        "capture",
        "etag",
    )
    ledger = Ledger.to_read(folder / ".presskeep" / "ledger.sqlite")
    found = ledger.read(sa.select(*(articles.c[name] for name in names)).where(articles.c.state == "done"))
    ledger.close()
    return sorted(map(tuple, found))


def exported(folder: Path) -> dict[str, dict[str, Any]]:
    """What JSON Lines come to, line by line, but for what is the log's own: article and whether it is gone."""
    done = CliRunner().invoke(export, ["jsonl", "--archive", str(folder)])
    own = ("sequence", "moment", "log", "next", "event", "gone")
    found: dict[str, dict[str, Any]] = {}
    for line in done.stdout.splitlines()[:-1]:
        told = json.loads(line)
        one = found.setdefault(told["identifier"], {})
        one |= {name: value for name, value in told.items() if name not in own}
        one["gone"] = told.get("gone", "")
        one["archivedAt"] = urlsplit(one["archivedAt"]).path  # each archive has an address of its own
    return found


def called(archive: Path, origin: Path | str, *words: str, code: int = 0) -> Result:
    done = CliRunner().invoke(follow, [str(origin), "--archive", str(archive), *words])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def equal(origin: Path, mirror: Path) -> None:
    assert tree(mirror) == tree(origin)
    assert rows(mirror) == rows(origin)
    assert exported(mirror) == exported(origin)
    assert list(faults(mirror, load_site(mirror), [])) == []


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "origin")


def test_a_mirror_is_its_origin(shop: Shop, tmp_path: Path) -> None:
    """Step by step, and at once for who comes late; what is as it was is not touched."""
    mirror, late = tmp_path / "mirror", tmp_path / "late"
    shop.keep(1)
    assert "1 new, 0 changed" in called(mirror, shop.folder).stdout
    equal(shop.folder, mirror)
    for step in (
        lambda: shop.keep(2),
        lambda: shop.edit(1, "第一次改动。"),
        lambda: shop.edit(1, "第二次改动。"),
        lambda: shop.read_anew(2, "读得更好。"),
        lambda: shop.settle(2, gone="2026-04-01T00:00:00Z"),
        lambda: shop.settle(2, gone=""),
    ):
        step()
        told = json.loads(called(mirror, f"file://{shop.folder}", "--json").stdout)
        assert (told["new"] + told["changed"], told["left"]) == (1, {})
        assert (tree(mirror), rows(mirror)) == (tree(shop.folder), rows(shop.folder))
    equal(shop.folder, mirror)
    called(late, shop.folder)
    equal(shop.folder, late)
    assert (mirror / "revisions/2026/03/02/2026-03-02-k1/2.md").is_file()
    times = {path: path.stat().st_mtime_ns for path in mirror.rglob("*") if path.is_file()}
    assert "0 new, 0 changed, 0 as they were" in called(mirror, shop.folder).stdout
    assert "0 new, 0 changed, 2 as they were" in called(mirror, shop.folder, "--again").stdout
    again = {path: path.stat().st_mtime_ns for path in mirror.rglob("*") if path.is_file()}
    assert {path: times[path] for path in times if path.suffix != ".sqlite"} == {
        path: again[path] for path in again if path.suffix != ".sqlite"
    }


def test_the_mirror_s_log_tells_the_same(shop: Shop, tmp_path: Path) -> None:
    """A mirror of the mirror; a tombstone has a line of its own, also where it comes with an edit."""
    shop.keep(1)
    called(tmp_path / "first", shop.folder)
    shop.edit(1, "改动。")
    shop.settle(1, gone="2026-04-01T00:00:00Z")
    called(tmp_path / "first", shop.folder)
    called(tmp_path / "second", tmp_path / "first")
    equal(shop.folder, tmp_path / "second")
    lines = CliRunner().invoke(export, ["jsonl", "--archive", str(tmp_path / "first")]).stdout.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["edited", "tombstone", "end"]


def test_an_edit_that_is_under_way_at_the_origin(shop: Shop, tmp_path: Path) -> None:
    """The file is ahead of the ledger: the mirror gets what the ledger speaks of, and the edit next time."""
    path = shop.keep(1)
    old = (shop.folder / path).read_bytes()
    _, new = shop.data(1, body="<p>改动。</p>", revisions=1, last_modified=FIRST)
    revisions.write(shop.folder, [revisions.Edit(path, old, new, 1)])
    crawl = Lock(shop.folder, shop.folder / ".presskeep")
    called(tmp_path / "mirror", shop.folder)
    crawl.release()
    assert tree(tmp_path / "mirror")[path] == sha256(old).hexdigest()
    assert not (tmp_path / "mirror/revisions").exists()
    shop.settle(1, digest=sha256(new).hexdigest(), revision=1)
    called(tmp_path / "mirror", shop.folder)
    equal(shop.folder, tmp_path / "mirror")


def test_posts_that_somebody_changed_or_took_away_at_the_origin(shop: Shop, tmp_path: Path) -> None:
    """A changed one goes out as it lies; one that is not there is named, and had once it is back."""
    path, lost = shop.keep(1), shop.keep(2)
    (shop.folder / path).write_bytes((shop.folder / path).read_bytes().replace("今天".encode(), "昨天".encode()))
    aside = (shop.folder / lost).rename(tmp_path / "aside.md")
    for _ in range(2):
        done = called(tmp_path / "mirror", shop.folder, code=5)
        assert f"{lost}: left alone: the origin cannot give it (not there)" in done.stderr
    assert tree(tmp_path / "mirror")[path] == tree(shop.folder)[path]
    shop.keep(3)
    called(tmp_path / "mirror", shop.folder, code=5)
    aside.rename(shop.folder / lost)
    assert "1 new" in called(tmp_path / "mirror", shop.folder).stdout
    assert tree(tmp_path / "mirror") == tree(shop.folder)


def test_captures_and_sources_where_they_are_wanted(shop: Shop, tmp_path: Path) -> None:
    (shop.folder / "sources/harbour.yml").write_text(SOURCE, "utf-8")
    shop.keep(1)
    shop.capture(1)
    called(tmp_path / "bare", shop.folder)
    assert not (tmp_path / "bare/sources/harbour.yml").exists()
    assert not (tmp_path / "bare/.presskeep/captures").exists()
    mirror = tmp_path / "mirror"
    called(mirror, shop.folder, "--captures", "--sources")
    called(mirror, shop.folder, "--captures", "--again")
    equal(shop.folder, mirror)
    segments = [next((one / ".presskeep/captures").glob("*.gz")).read_bytes() for one in (shop.folder, mirror)]
    assert segments[0] == segments[1]
    assert (mirror / "sources/harbour.yml").read_text("utf-8") == SOURCE

    (shop.folder / "sources/harbour.yml").write_text(SOURCE.replace("海港", "港口"), "utf-8")
    called(mirror, shop.folder, "--sources")
    assert "港口" in (mirror / "sources/harbour.yml").read_text("utf-8")
    (mirror / "sources/harbour.yml").write_text(SOURCE, "utf-8")
    done = called(mirror, shop.folder, "--sources", code=5)
    assert "sources/harbour.yml: left alone: was changed by hand here" in done.stderr
    (mirror / "sources/harbour.yml").unlink()
    (shop.folder / "sources/harbour.yml").write_text("id: harbour\nlists: []\n", "utf-8")
    assert "sources/harbour.yml: left alone: harbour.yml:" in called(mirror, shop.folder, "--sources", code=5).stderr
    assert not (mirror / "sources/harbour.yml").exists()


def test_a_capture_that_is_torn_at_the_origin(shop: Shop, tmp_path: Path) -> None:
    shop.keep(1)
    shop.capture(1)
    (segment,) = shop.folder.glob(".presskeep/captures/*.gz")
    segment.write_bytes(segment.read_bytes()[:-20])
    assert "capture left out: " in called(tmp_path / "mirror", shop.folder, "--captures").stderr
    assert tree(tmp_path / "mirror") == tree(shop.folder)


def test_an_origin_of_old_that_may_not_be_written_to(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.keep(1)
    for name in ("insert", "update", "stay", "last"):
        shop.ledger.write(sa.text(f"drop trigger changes_{name}"))
    shop.ledger.write(sa.text("drop table changes"), sa.text("delete from meta where name = 'log'"))
    shop.ledger.close()
    monkeypatch.setattr("crawler.archive.ledger.os.access", lambda _, mode: mode != os.W_OK)
    assert "has no change log yet" in called(tmp_path / "mirror", shop.folder, code=1).stderr


def test_a_ledger_that_was_lost_here(shop: Shop, tmp_path: Path) -> None:
    shop.busy_days()
    mirror = tmp_path / "mirror"
    called(mirror, shop.folder)
    (mirror / ".presskeep/ledger.sqlite").unlink()
    assert "Next: presskeep rebuild-ledger" in called(mirror, shop.folder, code=1).stderr
    rebuild(mirror, load_site(mirror), [])
    called(mirror, shop.folder)
    equal(shop.folder, mirror)


# the published log


def written(origin: Path, folder: Path, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(push, ["log", str(folder), "--archive", str(origin), *words])
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_a_published_log_gives_the_same(shop: Shop, tmp_path: Path) -> None:
    out, mirror = tmp_path / "log", tmp_path / "mirror"
    (shop.folder / "sources/harbour.yml").write_text(SOURCE, "utf-8")
    shop.keep(1)
    shop.capture(1)
    assert "1 articles added" in written(shop.folder, out, "--captures")
    called(mirror, out, "--captures", "--sources")
    equal(shop.folder, mirror)
    shop.busy_days()
    written(shop.folder, out, "--captures")
    called(mirror, out, "--captures")
    called(tmp_path / "late", f"file://{out}", "--sources")
    equal(shop.folder, mirror)
    equal(shop.folder, tmp_path / "late")
    assert len(list(mirror.glob(".presskeep/captures/*.gz"))) == 1
    written(shop.folder, out)
    assert "gives no captures" in called(mirror, out, "--captures", "--again", code=2).stderr


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_published_stays_under_its_name(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last chunk is superseded while it is small, and goes a publication later; of what is not its own nothing
    goes. Where nothing is new nothing is written."""
    out = tmp_path / "log"
    for number in (1, 2):
        shop.keep(number)
    written(shop.folder, out)
    (out / "README").write_text("mine")
    first = names(out)
    times = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert "0 articles added" in written(shop.folder, out)
    assert times == {path: path.stat().st_mtime_ns for path in out.iterdir()}
    shop.keep(3)
    assert "1 articles added" in written(shop.folder, out)
    assert first < names(out)
    chunk = Published(Folder(out)).index.chunks
    assert [(one.first, one.last) for one in chunk] == [(1, 3)]
    monkeypatch.setattr(published, "_SMALL", 1)
    shop.keep(4)
    written(shop.folder, out)
    assert [(one.first, one.last) for one in Published(Folder(out)).index.chunks] == [(1, 3), (4, 4)]
    assert first & names(out) == {"README", "head.json", "record.schema.json"}
    monkeypatch.setattr(published, "_CHUNK", 1)
    assert "4 articles added" in written(shop.folder, out, "--again")
    assert [(one.first, one.last) for one in Published(Folder(out)).index.chunks] == [(n, n) for n in (1, 2, 3, 4)]
    assert [one.key for one in Published(Folder(out)).records(2)] == ["k3", "k4"]


def test_a_publication_amid_a_follower_s_reading(shop: Shop, tmp_path: Path) -> None:
    """What it had read of the head is no more; it looks at the head again, once, and goes on."""
    out = tmp_path / "log"
    shop.keep(1)
    written(shop.folder, out)
    reader = Published(Folder(out))
    assert reader.index.last == 1
    for number in (2, 3, 4):
        shop.keep(number)
        written(shop.folder, out)
    assert [one.key for one in reader.records(0)] == ["k1", "k2", "k3", "k4"]
    (out / reader.index.chunks[0].name).unlink()
    with pytest.raises(OriginError, match="No such file"):
        list(reader.records(0))


def test_a_log_by_the_web(shop: Shop, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing is new the head alone is asked for; robots.txt is heeded."""
    waits: list[float] = []
    monkeypatch.setattr("crawler.download.Download", partial(Download, sleep=waits.append))
    out, mirror = tmp_path / "log", tmp_path / "mirror"
    shop.busy_days()

    def serve() -> None:
        written(shop.folder, out)
        server.pages = {
            f"/feed/{path.name}": Page(path.read_bytes(), "application/octet-stream") for path in out.iterdir()
        }

    serve()
    called(mirror, server.address("/feed/head.json"))
    equal(shop.folder, mirror)
    assert len(server.paths()) == 3
    server.forget()
    called(mirror, server.address("/feed"))
    assert server.paths() == ["/feed/head.json"]
    shop.keep(9)
    serve()
    called(mirror, server.address("/feed/"))
    equal(shop.folder, mirror)
    assert max(waits) <= 1.0
    server.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /feed/", "text/plain")
    assert "robots.txt forbids it" in called(mirror, server.address("/feed"), code=3).stderr
    server.pages = {}
    assert "HTTP 404" in called(mirror, server.address("/feed"), code=3).stderr


def test_a_record_by_its_schema(shop: Shop, tmp_path: Path) -> None:
    """Published beside the log, for those who read it without presskeep."""
    shop.busy_days()
    shop.capture(6)
    written(shop.folder, tmp_path / "log", "--captures")
    schema = json.loads((tmp_path / "log/record.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    (chunk,) = (tmp_path / "log").glob("*.jsonl.gz")
    lines = gzip.decompress(chunk.read_bytes()).splitlines()
    assert len(lines) == 6
    for line in lines:
        validator.validate(json.loads(line))
    assert not validator.is_valid(record(digest="x"))
    assert "description" in schema["properties"]["earlier"]


def test_an_answer_without_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.pages["/head.json"] = Page(b"x" * 100_000)
    with pytest.raises(OriginError, match="more than 65536 bytes"):
        Published(Web(server.address(), Download(sleep=lambda _: None)))
    monkeypatch.setattr("crawler.follow.web._LONGEST", -1.0)
    with pytest.raises(OriginError, match="it took more than"):
        Published(Web(server.address(), Download(sleep=lambda _: None)))


# what is not believed


def record(**changes: Any) -> dict[str, Any]:
    """A good one, but for these changes; the digest fits the post where it is not changed."""
    post = changes.pop("post", POST)
    told = {
        "number": 1,
        "space": "harbour",
        "key": "k1",
        "source": "harbour",
        "path": "_posts/2026/03/02/2026-03-02-k1.md",
        "digest": sha256(post.encode("utf-8", "surrogatepass")).hexdigest(),
        "post": post,
        "revision": 0,
    }
    return {**told, **changes}


POST = (
    '---\nlayout: post\ntitle: "第1号渡轮复航"\ndate: 2026-03-02 12:30:00 +0800\ncategories: ferry\n---\n<p>复航。</p>'
)


def lay(folder: Path, *lines: Mapping[str, Any] | bytes, **changes: Any) -> Path:
    """A log as no publisher of ours would write it, its digests right unless they are among the ``changes``."""
    folder.mkdir(exist_ok=True)
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines]
    data = changes.pop("data", gzip.compress(b"".join(raw)))
    digest = sha256(data).hexdigest()
    name = f"{1:012d}-{len(lines):012d}-{digest[:16]}.jsonl.gz"
    (folder / name).write_bytes(data)
    chunk = {"name": name, "first": 1, "last": len(lines), "size": len(data), "digest": digest}
    chunk |= changes.pop("chunk", {})
    site = {"title": "x", "timezone": "Asia/Shanghai", "language": "zh-CN", "posts": "dated", "baseurl": ""}
    index = {"log": "abc", "last": len(lines), "captures": True, "site": site, "sources": {}, "chunks": [chunk]}
    text = json.dumps(index | changes.pop("index", {})).encode()
    mark = f"index-{sha256(text).hexdigest()[:16]}.json"
    (folder / mark).write_bytes(text)
    head = {"format": "presskeep log 1", "log": "abc", "last": len(lines), "index": mark}
    (folder / "head.json").write_text(json.dumps(head | changes.pop("head", {})))
    assert not changes
    return folder


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror that nothing is ever written into."""
    return Shop(tmp_path_factory.mktemp("untouched") / "mirror").folder


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return new(tmp_path / "mirror")


def test_a_good_record_is_taken(mirror: Path, tmp_path: Path) -> None:
    called(mirror, lay(tmp_path / "log", record(more="of a newer presskeep"), record(number=2)))
    assert (mirror / "_posts/2026/03/02/2026-03-02-k1.md").read_text("utf-8") == POST
    assert (mirror / "category/ferry.html").is_file()


DATED = "_posts/2026/03/02/"
WARC = record_bytes(Response("https://x.example/", 200, (), b"x", "2026-03-02T00:00:00Z", {}), "sha256:A")
HOSTILE_RECORDS: dict[str, dict[str, Any]] = {
    "digest": record(digest="0" * 64),
    "digest-form": record(digest="../x"),
    "outside": record(path="../2026-03-02-k1.md"),
    "absolute": record(path="/tmp/2026-03-02-k1.md"),
    "up": record(path="_posts/2026/03/../../../2026-03-02-k1.md"),
    "up-in-name": record(path=f"{DATED}2026-03-02-../../k1.md"),
    "other-day": record(path="_posts/2026/03/03/2026-03-02-k1.md"),
    "flat": record(path="_posts/2026-03-02-k1.md"),
    "elsewhere": record(path="sources/2026/03/02/2026-03-02-k1.md"),
    "no-post": record(path=f"{DATED}2026-03-02-k1.html"),
    "control": record(path=f"{DATED}2026-03-02-k\n1.md"),
    "backslash": record(path=f"{DATED}2026-03-02-k\\1.md"),
    "long-name": record(path=f"{DATED}2026-03-02-{'k' * 300}.md"),
    "key-control": record(key="k\x001"),
    "key-empty": record(key=""),
    "source": record(source="../harbour"),
    "earlier-name": record(revision=1, earlier={"../../x": "x"}),
    "earlier-beyond": record(revision=1, earlier={"1": "x", "2": "y"}),
    "revision": record(revision=-1),
    "revision-kind": record(revision="1"),
    "gone": record(gone="yesterday"),
    "gone-month": record(gone="2026-13-45T99:99:99Z"),
    "since-day": record(since="2026-02-30T00:00:00Z"),
    "since-year": record(since="0001-01-01T00:00:00Z"),
    "seen-year": record(seen="9999-12-31T23:59:59Z"),
    "no-day": record(path="_posts/2026/02/30/2026-02-30-k1.md"),
    "no-year": record(path="_posts/9999/12/31/9999-12-31-k1.md"),
    "notes": record(notes="not JSON"),
    "notes-list": record(notes="[1]"),
    "notes-kind": record(notes='{"title": ["x", 1]}'),
    "notes-text": record(notes='{"title": "xy"}'),
    "notes-half": record(notes='{"title": ["x", "\\ud800"]}'),
    "notes-deep": record(notes="[" * 100_000),
    "number": record(number=0),
    "capture": record(capture="sha256:A", records=["!"]),
    "capture-other": record(capture="sha256:A", records=[base64.b64encode(gzip.compress(b"WARC/1.1")).decode()]),
    "capture-digest": record(capture="sha256:A", records=[base64.b64encode(WARC).decode()]),
    "capture-two": record(
        capture=payload_digest(b"x"), records=[base64.b64encode(WARC + gzip.compress(b"WARC/1.1")).decode()]
    ),
    "capture-bomb": record(capture="sha256:A", records=[base64.b64encode(gzip.compress(bytes(70 << 20))).decode()]),
    "surrogate": record(post="\ud800"),
    "lacks": {"number": 1},
}


@pytest.mark.parametrize("name", HOSTILE_RECORDS)
def test_a_record_that_is_not_believed(untouched: Path, tmp_path: Path, name: str) -> None:
    """Nothing of its batch is written, and the mirror stands where it stood."""
    good = record(number=1, key="k0", path=f"{DATED}2026-03-02-k0.md")
    bad = {**HOSTILE_RECORDS[name], "number": HOSTILE_RECORDS[name]["number"] * 2}
    before = everything(untouched)
    done = called(untouched, lay(tmp_path / "log", good, bad), "--captures", code=1)
    assert done.stderr.count("\n") == 1, "one line says what is wrong"
    assert everything(untouched) == before
    assert names(untouched.parent) == {"mirror"}


def everything(folder: Path) -> dict[Path, bytes]:
    """Each file but the ledger, and what the ledger says of posts."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("ledger.sqlite")]
    return {path: path.read_bytes() for path in files} | {folder: repr(rows(folder)).encode()}


LARGE = b'{"x": "' + b" " * (17 << 20) + b'"}\n'
HOSTILE_LOGS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "no-json": ("JSON", lambda log: lay(log, b"{]\n")),
    "no-gzip": ("gzip", lambda log: lay(log, data=b"x", index={"last": 1}, head={"last": 1}, chunk={"last": 1})),
    "cut": ("ended before", lambda log: lay(log, record(), data=gzip.compress(json.dumps(record()).encode())[:-9])),
    "large-line": ("unpacks to more", lambda log: lay(log, LARGE)),
    "chunk-digest": ("not what its digest says", lambda log: lay(log, record(), chunk={"digest": "0" * 64})),
    "chunk-size": ("more than 9 bytes", lambda log: lay(log, record(), chunk={"size": 9})),
    "chunk-name": ("chunks.0.name", lambda log: lay(log, record(), chunk={"name": "../../x"})),
    "chunk-order": ("out of order", lambda log: lay(log, record(), chunk={"first": 2})),
    "back": ("out of order", lambda log: lay(log, record(number=2), record(number=1))),
    "beyond": ("out of order", lambda log: lay(log, record(number=7))),
    "index-log": ("out of order", lambda log: lay(log, record(), index={"log": "other"})),
    "index-name": ("index", lambda log: lay(log, record(), head={"index": "../../etc/passwd"})),
    "index-zone": ("site", lambda log: lay(log, record(), index={"site": {}})),
    "source-name": ("sources", lambda log: lay(log, record(), index={"sources": {"../x": "x"}})),
    "format": ("format", lambda log: lay(log, record(), head={"format": "presskeep log 2"})),
    "head": ("head.json", lambda log: (lay(log, record()) / "head.json").write_text("[]")),
    "index": ("is not what its name says", lambda log: next(lay(log, record()).glob("index*")).write_text("{}")),
}


@pytest.mark.parametrize("name", HOSTILE_LOGS)
def test_a_log_that_is_not_believed(untouched: Path, tmp_path: Path, name: str) -> None:
    said, make = HOSTILE_LOGS[name]
    make(tmp_path / "log")
    before = everything(untouched)
    assert said in called(untouched, tmp_path / "log", code=1).stderr
    assert everything(untouched) == before


def test_a_log_that_goes_back(shop: Shop, tmp_path: Path) -> None:
    """A copy of the origin's ledger from before: nothing is taken until somebody says so."""
    shop.keep(1)
    shutil.copytree(shop.folder, tmp_path / "older")
    shop.keep(2)
    called(tmp_path / "mirror", shop.folder)
    assert "its log goes back, from 2 to 1" in called(tmp_path / "mirror", tmp_path / "older", code=1).stderr
    called(tmp_path / "mirror", tmp_path / "older", "--again")
    written(shop.folder, tmp_path / "log")
    assert "is ahead of" in written(tmp_path / "older", tmp_path / "log", code=1)


def test_a_ledger_that_was_made_anew(shop: Shop, tmp_path: Path) -> None:
    mirror, other = tmp_path / "mirror", Shop(tmp_path / "other")
    shop.keep(1)
    other.keep(2)
    called(mirror, shop.folder)
    assert f"this is a mirror of {shop.folder}" in called(mirror, other.folder, code=2).stderr
    shop.ledger.close()
    rebuild(shop.folder, load_site(shop.folder), [])
    said = called(mirror, shop.folder, code=2).stderr
    assert "its ledger was made anew. Next: the same with --again" in said
    assert "0 new" in called(mirror, shop.folder, "--again").stdout
    assert tree(mirror) == tree(shop.folder)


@pytest.mark.parametrize("text", ["timezone: UTC", "posts: flat", "baseurl: /news"])
def test_settings_that_do_not_fit(shop: Shop, mirror: Path, text: str) -> None:
    shop.keep(1)
    path, name = mirror / "presskeep.yml", text.partition(":")[0]
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.lstrip("#").startswith(f"{name}:")]
    path.write_text("\n".join([*lines, text]) + "\n", "utf-8")
    assert f"presskeep.yml: {name} is " in called(mirror, shop.folder, code=2).stderr
    assert tree(mirror) == {}


def test_a_new_mirror_is_like_its_origin(shop: Shop, tmp_path: Path) -> None:
    settings = shop.folder / "presskeep.yml"
    settings.write_text(settings.read_text("utf-8").replace('#posts: "dated"', "posts: flat"), "utf-8")
    assert "made a new archive in" in called(tmp_path / "mirror", shop.folder).stderr
    site = load_site(tmp_path / "mirror")
    assert (site.title, site.timezone, site.posts) == ("Harbour", "Asia/Shanghai", "flat")


def test_a_state_folder_elsewhere_is_the_mirror_s(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.keep(1)
    monkeypatch.setenv("PRESSKEEP_STATE", str(tmp_path / "state"))
    called(tmp_path / "mirror", shop.folder)
    assert tree(tmp_path / "mirror") == tree(shop.folder)
    assert (tmp_path / "state/ledger.sqlite").is_file()
    assert not (tmp_path / "mirror/.presskeep").exists()


def test_what_is_no_origin_or_no_mirror(shop: Shop, tmp_path: Path) -> None:
    assert "cannot follow itself" in called(shop.folder, shop.folder, code=2).stderr
    assert "neither an archive" in called(shop.folder, tmp_path, code=2).stderr
    new(tmp_path / "new")
    assert "no run yet in" in called(shop.folder, tmp_path / "new", code=1).stderr
    assert "no run yet in" in written(tmp_path / "new", tmp_path / "log", code=1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thing").touch()
    assert "is not empty and no archive" in called(tmp_path / "full", shop.folder, code=2).stderr
    held = Lock(shop.folder)
    called(shop.folder, lay(tmp_path / "x", record()), code=75)
    held.release()


# what is left alone


def test_what_came_from_elsewhere_stays(shop: Shop, tmp_path: Path) -> None:
    """Keys, paths and files of one's own are named, all else is taken; what is the same is the origin's from now on."""
    own = Shop(tmp_path / "mirror")
    for number in (1, 2, 3, 4, 5):
        shop.keep(number)
    own.keep(1, title="自己的")
    same = own.keep(2)
    moved, _ = own.data(3)
    own.ledger.keep([Kept("river", "k3", "river", moved.upper(), "0" * 64)])
    stray, _ = own.data(4)
    replace(own.folder / stray, b"mine")
    before = tree(own.folder)
    told = json.loads(called(own.folder, shop.folder, "--json", code=5).stdout)
    assert {Path(path).stem[11:]: why for path, why in told["left"].items()} == {
        "k1": "k1 came from elsewhere and is another; it stays",
        "k3": "another article is there: river k3",
        "k4": "was changed by hand here; it stays",
    }
    assert (told["new"], told["same"]) == (1, 1)
    assert "3 left alone" in called(own.folder, shop.folder, code=5).stdout, "it is told of until all is compared again"
    assert {path: digest for path, digest in tree(own.folder).items() if path in before} == before
    shop.read_anew(2, "读得更好。", keep_old=False)
    called(own.folder, shop.folder, code=5)
    assert tree(own.folder)[same] == tree(shop.folder)[same]


def test_what_was_changed_by_hand_stays(shop: Shop, tmp_path: Path) -> None:
    mirror, paths = tmp_path / "mirror", [shop.keep(number) for number in (1, 2, 3)]
    called(mirror, shop.folder)
    (mirror / paths[0]).write_bytes(b"mine")
    (mirror / paths[2]).unlink()
    version = mirror / revisions.folder_of(paths[1]) / "1.md"
    version.parent.mkdir(parents=True)
    version.write_bytes(b"mine")
    for number in (1, 2, 3):
        shop.edit(number, "改动。")
    called(mirror, shop.folder, code=5)
    left = json.loads(called(mirror, shop.folder, "--json", code=5).stdout)["left"]
    assert left == {
        paths[0]: "was changed by hand here; it stays",
        paths[1]: f"{version.relative_to(mirror)} is another; it stays",
    }
    assert (mirror / paths[0]).read_bytes() == version.read_bytes() == b"mine"
    assert tree(mirror)[paths[2]] == tree(shop.folder)[paths[2]], "what was taken away is had again"
    (mirror / paths[0]).unlink()
    version.unlink()
    called(mirror, shop.folder, "--again")
    equal(shop.folder, mirror)


def test_an_article_that_moved_stays_where_it_is(mirror: Path, tmp_path: Path) -> None:
    called(mirror, lay(tmp_path / "log", record()))
    moved = POST.replace("03-02", "03-03")
    there = record(number=2, path="_posts/2026/03/03/2026-03-03-k1.md", post=moved)
    done = called(mirror, lay(tmp_path / "log", record(), there), code=5)
    assert "k1 lies at _posts/2026/03/02/2026-03-02-k1.md" in done.stderr
    assert len(tree(mirror)) == 1


@pytest.mark.parametrize("twin", ["2026-03-02-K1.md", "2026-03-02-k1.md"])
def test_two_articles_at_one_place(mirror: Path, tmp_path: Path, twin: str) -> None:
    """In any case of letters: on many disks they would be one file."""
    log = lay(tmp_path / "log", record(), record(number=2, key="K1", path=DATED + twin))
    assert f"{DATED}{twin}: left alone: another article is there: harbour k1" in called(mirror, log, code=5).stderr
    assert [row[1] for row in rows(mirror)] == ["k1"]


BREAKING = {
    "no-front-matter": "x",
    "liquid": POST.replace("复航。", "{% include x %}"),
    "script": POST.replace("<p>", "<script>alert(1)</script><p>"),
    "no-slug": POST.replace("ferry", "../../../tmp"),
    "other-day": POST.replace("03-02 12", "03-04 12"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_post_that_would_break_a_site(mirror: Path, tmp_path: Path, name: str) -> None:
    """It is left alone, unless it is taken on trust; a page of a category that is none is not written even then."""
    log = lay(tmp_path / "log", record(post=BREAKING[name]))
    assert "breaks the rules of posts" in called(mirror, log, code=5).stderr
    assert tree(mirror) == {}
    called(mirror, log, "--again", "--trust")
    assert (mirror / record()["path"]).read_text("utf-8") == BREAKING[name]
    pages = {str(path.relative_to(mirror)) for path in mirror.glob("category/**/*")}
    assert pages == ({"category/ferry.html", "category/ferry.xml"} if "ferry" in BREAKING[name] else set())
    assert {path for path in mirror.parent.iterdir() if path.name != "log"} == {mirror}


def test_records_too_large_are_not_published(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.follow.origin.MOST", 2000)
    shop.keep(1)
    large = shop.keep(2, body=f"<p>{'港' * 700}</p>")
    assert f"{large}: left out (more than" in written(shop.folder, tmp_path / "log", code=5)
    assert [one.key for one in Published(Folder(tmp_path / "log")).records(0)] == ["k1"]


# kills

ACTS: tuple[str, ...] = ("link", "fsync", "replace", "unlink", "rename")


def killed_at(step: int, work: Callable[[], Any]) -> bool:
    """Do the work in a process that is killed at its so-many-th change of a file or word to the ledger; whether it was.

    A real SIGKILL: nothing is tidied up behind it."""
    child = os.fork()
    if child == 0:
        left = step

        def counted(act: Callable[..., Any]) -> Callable[..., Any]:
            def acted(*args: Any, **more: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return act(*args, **more)

            return acted

        for name in ACTS:
            setattr(os, name, counted(getattr(os, name)))
        Ledger.keep = counted(Ledger.keep)  # type: ignore[method-assign]
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def taken(folder: Path, origin: Path, **words: bool) -> None:
    """Follow, without the verb around it."""
    there = Live(origin, pytest.fail, captures=True)
    one = Mirror(folder, load_site(folder))
    try:
        one.follow(there, **words)
    finally:
        one.close()
        there.close()


def test_a_mirror_that_is_killed(shop: Shop, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any step, of its first day and of one with edits, tombstones and captures; the next run ends as if nothing had
    been."""
    monkeypatch.setattr("crawler.follow.mirror._BATCH", 2)
    for number in range(1, 5):
        shop.keep(number)
        shop.capture(number)
    shop.ledger.close()
    with monkeypatch.context() as patched:
        patched.setattr(
            "crawler.follow.mirror.refresh", lambda *_, **__: []
        )  # what is killed there is sitedata's matter
        assert kill_and_go_on(shop, mirror, tmp_path / "first") > 2
        shop.ledger = Ledger(shop.folder / ".presskeep/ledger.sqlite")
        shop.busy_days()
        shop.ledger.close()
        assert kill_and_go_on(shop, mirror, tmp_path / "second") > 4
    called(mirror, shop.folder)
    equal(shop.folder, mirror)


def kill_and_go_on(shop: Shop, mirror: Path, before: Path) -> int:
    """Kills so far, each of the mirror as it was before."""
    shutil.copytree(mirror, before)
    kills, killed = 0, True
    while killed:
        shutil.rmtree(mirror)
        shutil.copytree(before, mirror)
        killed = killed_at(11 * kills, lambda: taken(mirror, shop.folder, captures=True))
        if killed:
            taken(mirror, shop.folder, captures=True)
        assert tree(mirror) == tree(shop.folder), f"killed at step {11 * kills}"
        assert rows(mirror) == rows(shop.folder)
        assert [str(path) for path in mirror.rglob("*.tmp")] == []
        kills += 1
    return kills


def test_a_kill_before_another_reading(shop: Shop, mirror: Path, tmp_path: Path) -> None:
    """What a killed mirror had put there, and the origin keeps no more, is not taken for one's own."""
    path = shop.keep(1)
    taken(mirror, shop.folder)
    shop.read_anew(1, "读得更好。", keep_old=False)
    shop.ledger.close()
    shutil.copytree(mirror, tmp_path / "before")
    better, step = tree(shop.folder)[path], 0
    while killed_at(step, lambda: taken(mirror, shop.folder)) and tree(mirror)[path] != better:
        shutil.rmtree(mirror)
        shutil.copytree(tmp_path / "before", mirror)
        step += 2  # it is there for two of them
    assert rows(mirror)[0][5] != better, "killed before the ledger's last word"
    shop.ledger = Ledger(shop.folder / ".presskeep/ledger.sqlite")
    shop.read_anew(1, "读得最好。", keep_old=False)
    called(mirror, shop.folder)
    equal(shop.folder, mirror)


def test_a_publication_that_is_killed(shop: Shop, tmp_path: Path) -> None:
    """What was published before can be read at any time, and the next one ends as if nothing had been."""
    out, whole = tmp_path / "log", tmp_path / "whole"
    shop.keep(1)
    written(shop.folder, out)
    written(shop.folder, whole)
    shop.keep(2)
    shop.ledger.close()
    written(shop.folder, whole)

    def work() -> None:
        origin = Live(shop.folder, pytest.fail)
        publish(origin, out)
        origin.close()

    step = 0
    while killed_at(step, work):
        assert [one.key for one in Published(Folder(out)).records(0)] in (["k1"], ["k1", "k2"])
        step += 1
    assert step > 5
    written(shop.folder, out)
    assert [one.key for one in Published(Folder(out)).records(0)] == ["k1", "k2"]
    assert [path.name for path in out.iterdir() if path.name.endswith(".tmp")] == []
    assert (out / "head.json").read_bytes() == (whole / "head.json").read_bytes()


# any history

STEPS = st.lists(
    st.tuples(st.sampled_from(["keep", "edit", "read", "gone", "back", "follow", "publish"]), st.integers(1, 3)),
    max_size=8,
)


@settings(max_examples=4, deadline=None)
@given(STEPS)
def test_any_history_ends_in_an_equal_mirror(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    steps = [*steps, ("publish", 1), ("follow", 1)]
    shop, direct, by_log = Shop(folder / "origin"), folder / "direct", folder / "by-log"
    shop.keep(0)
    kept = {0}
    for count, (act, number) in enumerate(steps):
        if act == "keep" and number not in kept:
            shop.keep(number)
            kept.add(number)
        elif act in ("edit", "read", "gone", "back") and number in kept:
            text = f"第{count}次。"
            if act in ("edit", "read"):
                (shop.edit if act == "edit" else shop.read_anew)(number, text)
            else:
                shop.settle(number, gone="2026-04-01T00:00:00Z" if act == "gone" else "")
        elif act == "publish":
            written(shop.folder, folder / "log")
            called(by_log, folder / "log")
        elif act == "follow":
            called(direct, shop.folder)
    shop.ledger.close()
    for mirror in (direct, by_log):
        assert (tree(mirror), rows(mirror)) == (tree(shop.folder), rows(shop.folder))
        assert exported(mirror) == exported(shop.folder)


PATHS = st.text(st.sampled_from("_posts/2026-03-02-k.md\\:\x00é%"), max_size=40) | st.builds(
    lambda name: f"_posts/2026/03/02/2026-03-02-{name}.md", st.text(max_size=30)
)


@given(PATHS)
def test_any_path_stays_where_posts_lie(path: str) -> None:
    try:
        told = record(path=path)
        verify(Record.model_validate(told), "dated")
    except (OriginError, ValueError):
        return
    place = Path(os.path.normpath(Path("/archive") / path))
    assert place.parent == Path("/archive/_posts/2026/03/02")
    assert not any(ord(sign) < 32 for sign in path)
