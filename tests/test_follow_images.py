"""Images of a mirror: they come with the posts that show them, and only as what their names tell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from crawler.archive.images import LARGEST, MOST, path_of
from crawler.archive.posts import Pending, write_all
from crawler.download import Download
from crawler.follow.images import shown
from crawler.follow.record import Record
from tests.server import Page, Server
from tests.test_follow import Shop, called, equal, record, written
from tests.test_images import png


def body(*shades: int) -> str:
    """Of a post that shows these images."""
    figures = "".join(f'\n<p><img src="/{path_of(png(shade))}" alt="图"/></p>' for shade in shades)
    return f"<p>渡轮今天复航。</p>{figures}"


def put(folder: Path, shade: int, data: bytes | None = None) -> Path:
    """The file of an image, or what lies in its place."""
    path = folder / path_of(png(shade))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(shade) if data is None else data)
    return path


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("images/**/*") if path.is_file()}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two posts that show images; one of them showed another before."""
    made = Shop(tmp_path / "origin")
    for shade in (1, 2, 3):
        put(made.folder, shade)
    made.keep(1, body=body(1, 2))
    made.keep(2, body=body(3))
    made.edit(2, body(1).removeprefix("<p>").removesuffix("</p>"))
    return made


def test_images_come_before_the_posts_that_show_them(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a folder and from a log, those of earlier versions too; each is copied once."""
    mirror, late, out = tmp_path / "mirror", tmp_path / "late", tmp_path / "log"

    def after(folder: Path, posts: Sequence[Pending]) -> list[bool]:
        assert not posts or pictures(folder) == pictures(shop.folder)
        return write_all(folder, posts)

    with monkeypatch.context() as patched:
        patched.setattr("crawler.follow.mirror.write_all", after)
        called(mirror, shop.folder)
    equal(shop.folder, mirror)
    written(shop.folder, out)
    assert pictures(out) == pictures(shop.folder)
    called(late, out)
    equal(shop.folder, late)
    assert pictures(late) == pictures(shop.folder)
    put(shop.folder, 4)
    shop.keep(3, body=body(1, 4))
    written(shop.folder, out)
    (late / path_of(png(1))).write_bytes(b"one's own")
    called(late, out)
    assert {**pictures(shop.folder), Path(path_of(png(1))).name: b"one's own"} == pictures(late)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (png(9), "not the image that its name tells"),
        (b"<html><script>alert(1)</script>" + bytes(200), "no image that is kept"),
        (png(2) + bytes(LARGEST), f"more than {LARGEST} bytes"),
        (None, "No such file"),
    ],
)
def test_what_is_not_believed_is_not_taken(shop: Shop, tmp_path: Path, data: bytes | None, why: str) -> None:
    """The post is, for it says who wrote what; the image is asked for again when there is something new."""
    mirror, out, name = tmp_path / "mirror", tmp_path / "log", path_of(png(2))
    written(shop.folder, out)
    if data is None:
        (out / name).unlink()
    else:
        (out / name).write_bytes(data)
    told = called(mirror, out, code=5).stderr
    assert f"{name}: left alone: " in told
    assert why in told
    assert len(list(mirror.glob("_posts/**/*.md"))) == 2
    assert sorted(pictures(mirror).values()) == sorted([png(1), png(3)])
    put(out, 2)
    shop.keep(3)
    written(shop.folder, out)
    called(mirror, out)
    assert pictures(mirror) == pictures(shop.folder)


def test_only_names_of_images_are_asked_for() -> None:
    good = path_of(png(1))
    digest = Path(good).stem
    bad = [f"/images/../{good}", f"/images/cd/{digest}.png", good.replace(".png", ".svg"), f"/{good}/../../x", "/x.png"]
    bad += [f"https://a.example/{good}", f"//a.example/{good}", f"/{good}?x", f"/%2e%2e/{good}", f"/images/{digest}"]
    text = "".join(f'<img src="{address}" alt="">' for address in [*bad, f"/{good}", f"/news/{good}"])
    assert shown([Record(**record(post=text))]) == [good]
    many = "".join(f'<img src="/images/ab/ab{number:062x}.png" alt="">' for number in range(MOST + 9))
    assert len(shown([Record(**record(post=many))])) == MOST


def test_images_by_the_web(shop: Shop, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is not there is named, and its post taken; an origin that cannot be had ends the call before that."""
    monkeypatch.setattr("crawler.download.Download", partial(Download, sleep=lambda _: None))
    mirror, out, gone = tmp_path / "mirror", tmp_path / "log", f"/feed/{path_of(png(2))}"
    written(shop.folder, out)
    for path in filter(Path.is_file, out.rglob("*")):
        server.pages[f"/feed/{path.relative_to(out)}"] = Page(path.read_bytes(), "application/octet-stream")
    good, server.pages[gone] = server.pages[gone], Page("busy", status=503)
    called(mirror, server.address("/feed"), code=3)
    assert not list(mirror.glob("_posts/**/*.md"))
    del server.pages[gone]
    assert "HTTP 404" in called(mirror, server.address("/feed"), code=5).stderr
    assert len(list(mirror.glob("_posts/**/*.md"))) == 2
    server.pages[gone] = good
    called(mirror, server.address("/feed"), "--again")
    equal(shop.folder, mirror)
    assert pictures(mirror) == pictures(shop.folder)
