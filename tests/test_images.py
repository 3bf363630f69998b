"""Images that are kept: asked for politely, durable before the post that shows them, and the same from captures."""

from __future__ import annotations

import json
import re
import signal
import struct
import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crawler.archive.captures import Response, payload_digest, read_segment, record_bytes
from crawler.archive.images import LARGEST, path_of
from crawler.archive.ledger import images
from crawler.archive.post import read_post
from crawler.archive.posts import Pending, write_all
from crawler.render.markdown import html_of, plain
from crawler.run import Post, Run
from crawler.serve.files import static_file
from crawler.serve.hygiene import harmless
from crawler.site import Site, load_site
from crawler.sources import Source
from crawler.steps import keeps_images
from tests.server import Page, Server
from tests.story import Archive, Story, html_source, publish, stories
from tests.test_changes import make_due
from tests.test_kill import bytes_of, start
from tests.test_warcs import filled

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>' + " " * 99


def png(shade: int, width: int = 40, height: int = 30) -> bytes:
    """A picture of one shade of grey, with some dots so that it is not too small."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes((shade + x * y) % 256 for x in range(width)) for y in range(height))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    )


def picture(shade: int, **changes: Any) -> Page:
    return Page(png(shade), "image/png", **changes)


def story(number: int, *images: str, more: str = "") -> Story:
    """A story of two paragraphs, with images between them."""
    first, second = (
        f"<p>第{number}号渡轮{what}，船长说风浪不大，旅客{number * 7}人。</p>" for what in ("通航", "靠岸")
    )
    figures = "".join(f'<p><img src="{src}" alt="图{place}"/></p>\n' for place, src in enumerate(images))
    return Story(number, body=f"{first}\n{figures}{second}{more}")


def sources_of(archive: Archive, key: str) -> list[str]:
    """What the images of a post lead to."""
    return re.findall(r'<img[^>]* src="([^"]*)"', archive.post(key))


def crawled(server: Server, folder: Path, *shown: Story, **settings: Any) -> Archive:
    publish(server, shown)
    archive = Archive.new(folder / "archive", html_source(server), **{"images": "keep", **settings})
    archive.crawl()
    return archive


def captured(archive: Archive) -> dict[str, str]:
    """Address -> what it was asked as, of the captured images."""
    found = [one for path in archive.state.glob("captures/*.warc.gz") for _, one in read_segment(path)]
    return {one.url: one.notes.get("asked", "") for one in found if one.notes["role"] == "image"}


def test_images_of_two_hosts(server: Server, tmp_path: Path) -> None:
    """Each is asked for once, captured, and shown by every post; the post says nothing of where it was."""
    far = server.address("/far.png", "localhost")
    server.pages |= {"/near.png": picture(1), "/far.png": picture(2)}
    archive = crawled(server, tmp_path, story(1, "/near.png", far), story(2, far), baseurl="/news")
    near_file, far_file = path_of(png(1)), path_of(png(2))
    assert sources_of(archive, "100001") == [f"/news/{near_file}", f"/news/{far_file}"]
    assert sources_of(archive, "100002") == [f"/news/{far_file}"]
    assert [(archive.folder / file).read_bytes() for file in (near_file, far_file)] == [png(1), png(2)]
    assert sorted(server.paths("/far") + server.paths("/near")) == ["/far.png", "/near.png"]
    assert captured(archive) == {far: "", server.address("/near.png"): ""}
    (asked,) = (one for one in server.asked if one.path == "/near.png")
    assert asked.headers["referer"] == server.address("/a/100001.html")
    assert asked.headers["user-agent"].startswith("presskeep/")
    assert max(one.together for one in server.asked) <= 2, "one at a time of each host"
    config = archive.folder / "_config.yml"
    config.write_text(config.read_text("utf-8").replace('baseurl: ""', "baseurl: /news"), "utf-8")
    archive.proven()


def test_who_reads_elsewhere_finds_them(server: Server, tmp_path: Path) -> None:
    """Feeds name them in full; the local reader and our own rendering show them as Jekyll does."""
    server.pages |= {"/near.png": picture(1)}
    archive = crawled(server, tmp_path, story(1, "/near.png"), baseurl="/news")
    file = path_of(png(1))
    feed = json.loads(archive.verb("export", "jsonfeed").stdout)
    assert f'<img src="https://archive.example/news/{file}"' in feed["items"][0]["content_html"]
    (data,) = archive.posts().values()
    post = read_post(data)
    assert f'src="/news/{file}"' in harmless(post, "https://archive.example/news", "图").body
    answer = static_file(archive.folder, f"/{file}")
    assert answer is not None
    assert (answer.body, answer.kind) == (png(1), "image/png")
    text = data.decode().split("---\n", 2)[2]
    assert plain(text)
    assert f'<img src="/news/{file}"' in html_of(text)


def test_what_is_no_image_that_is_kept_stays_linked(server: Server, tmp_path: Path) -> None:
    """A missing one, a page, a script's SVG, one too large, a pixel, one that robots.txt forbids, and one that leads
    to a machine of a private network: no article is lost for it."""
    private = f"http://127.0.0.2:{server.address().rpartition(':')[2]}/secret.png"
    server.pages |= {
        "/robots.txt": Page("User-agent: *\nDisallow: /forbidden/", "text/plain"),
        "/page.jpg": Page("<html><body>" + "not here " * 30, "image/jpeg"),
        "/drawing.png": Page(SVG, "image/png"),
        "/large.png": Page(png(1) + bytes(LARGEST), "image/png"),
        "/pixel.png": Page(png(1, 1, 1) + bytes(200), "image/png"),
        "/forbidden/x.png": picture(4),
        "/private.png": Page(status=302, headers={"Location": private}),
        "/secret.png": picture(5),
        "/good.png": picture(6),
    }
    wrong = ("/lost.png", "/page.jpg", "/drawing.png", "/large.png", "/pixel.png", "/forbidden/x.png", "/private.png")
    archive = crawled(server, tmp_path, story(1, *wrong, "/good.png"))
    *linked, shown = sources_of(archive, "100001")
    assert linked == [server.address(path) for path in wrong]
    assert shown == f"/{path_of(png(6))}"
    assert [path.name for path in archive.folder.glob("images/*/*")] == [Path(shown).name]
    told = {address.rpartition("/")[2]: what for address, what in archive.problems("harbour").items()}
    reasons = {name: re.sub(r"^image: (.*); it stays linked$", r"\1", what) for name, what in told.items()}
    assert reasons["lost.png"] == "HTTP 404"
    assert reasons["page.jpg"] == reasons["drawing.png"] == "no image that is kept (PNG, JPEG, GIF, WebP, AVIF)"
    assert reasons["large.png"].startswith("larger than the limit")
    assert reasons["pixel.png"] == "a tracking pixel"
    assert reasons["x.png"] == "robots: disallowed by robots.txt"
    assert "no public address: 127.0.0.2" in reasons["private.png"]
    assert server.paths("/forbidden") == server.paths("/secret") == []
    assert list(captured(archive)) == [server.address("/good.png")]
    archive.proven()


def test_links_are_the_default(server: Server, tmp_path: Path) -> None:
    server.pages |= {"/near.png": picture(1)}
    archive = crawled(server, tmp_path, story(1, "/near.png"), images="link")
    assert sources_of(archive, "100001") == [server.address("/near.png")]
    assert server.paths("/near") == []
    assert not (archive.folder / "images").exists()


@pytest.mark.parametrize(
    ("site", "own", "captures", "kept"),
    [
        ("link", None, True, False),
        ("keep", None, True, True),
        ("link", "keep", True, True),
        ("keep", "link", True, False),
        ("keep", "keep", False, False),
    ],
)
def test_whose_images_are_kept(server: Server, site: str, own: str | None, captures: bool, kept: bool) -> None:
    source = Source.model_validate(html_source(server, post={"images": own}, captures=captures))
    there = {"title": "A", "url": "https://a.example", "timezone": "UTC"}
    assert keeps_images(source, Site.model_validate({**there, "images": site})) == kept


def test_no_captures_no_images(tmp_path: Path) -> None:
    archive = Archive.new(tmp_path / "archive", images="keep", captures=False)
    assert "images: keep needs captures: true" in archive.verb("verify", code=2).stderr


def test_a_redirect_is_kept_as_what_the_page_names(server: Server, tmp_path: Path) -> None:
    """Two addresses that lead to one image, and a ledger made anew knows both."""
    server.pages |= {
        "/one": Page(status=301, headers={"Location": "/there.png"}),
        "/other": Page(status=302, headers={"Location": "/there.png"}),
        "/there.png": picture(3),
    }
    archive = crawled(server, tmp_path, story(1, "/one"), story(2, "/other"))
    file = f"/{path_of(png(3))}"
    assert sources_of(archive, "100001") == sources_of(archive, "100002") == [file]
    rows = "select url, capture, path from images order by url"
    before = archive.rows(rows)
    assert [url for url, *_ in before] == [server.address("/one"), server.address("/other")]
    archive.verb("rebuild-ledger")
    assert archive.rows(rows) == before
    posts = archive.posts()
    server.forget()
    archive.verb("reprocess")
    assert archive.posts() == posts
    archive.proven()

    again = Archive.new(tmp_path / "again", html_source(server), images="keep")
    again.crawl(*(word for path in sorted(archive.state.glob("captures/*.gz")) for word in ("--replay", path)))
    assert again.posts() == posts
    assert server.asked == []


def test_reprocess_shows_what_came_later_and_mends_lost_files(server: Server, tmp_path: Path) -> None:
    """An image that could not be had stays linked until another article brings it."""
    archive = crawled(server, tmp_path, story(1, "/late.png"))
    assert sources_of(archive, "100001") == [server.address("/late.png")]
    server.pages["/late.png"] = picture(7)
    publish(server, [story(2, "/late.png"), story(1, "/late.png")])
    archive.crawl()
    assert sources_of(archive, "100001") == [server.address("/late.png")]
    server.forget()
    archive.verb("reprocess")
    file = path_of(png(7))
    assert sources_of(archive, "100001") == sources_of(archive, "100002") == [f"/{file}"]
    assert server.asked == []
    assert not list(archive.folder.glob("revisions/**/*.md")), "the words are the same"

    (archive.folder / file).unlink()
    archive.verb("reprocess", "--plan")
    assert not (archive.folder / file).exists(), "a plan writes nothing"
    assert f"image: {file} is not there. Next: presskeep reprocess" in archive.verb("verify", code=1).stdout
    archive.verb("reprocess")
    assert (archive.folder / file).read_bytes() == png(7)
    archive.proven()


def test_verify_names_what_is_wrong_with_images(server: Server, tmp_path: Path) -> None:
    server.pages |= {"/near.png": picture(1)}
    archive = crawled(server, tmp_path, story(1, "/near.png"))
    (file,) = archive.folder.glob("images/*/*")
    file.write_bytes(b"other bytes")
    stranger = archive.folder / path_of(png(9))
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(png(9))
    (archive.folder / "images" / "logo.png").write_bytes(b"the site's own")
    told = archive.verb("verify", code=1).stdout
    assert "2 faults" in told
    assert f"{path_of(png(1))}: image: not the bytes that its name tells." in told
    assert f"{path_of(png(9))}: image: no post shows it, and the ledger does not know it" in told


def test_a_second_look(server: Server, tmp_path: Path) -> None:
    """Another address of an image makes no edit; an edit brings its new images, and asks for no old one."""
    server.pages |= {"/one.png": picture(1), "/two.png": picture(2), "/three.png": picture(3)}
    archive = crawled(server, tmp_path, story(1, "/one.png"))
    before = archive.post("100001")
    server.pages["/a/100001.html"] = story(1, "/two.png").page()
    make_due(archive)
    archive.crawl()
    assert archive.post("100001") == before
    server.pages["/a/100001.html"] = story(1, "/one.png", "/three.png", more="<p>傍晚又有两班渡轮加开。</p>").page()
    make_due(archive)
    server.forget()
    archive.crawl()
    assert "傍晚又有两班" in archive.post("100001")
    assert sources_of(archive, "100001") == [f"/{path_of(png(1))}", f"/{path_of(png(3))}"]
    assert [path for path in server.paths() if path.endswith(".png")] == ["/three.png"]
    archive.proven()


def test_a_second_look_asks_again_for_what_was_missing(server: Server, tmp_path: Path) -> None:
    """Whether the page is the same (304, or 200 where the site has no validators), or another in nothing that counts.
    The post shows the image from then on, and that is no edit."""
    _, unknown, counted = shown = [story(number, f"/late{number}.png") for number in (1, 2, 3)]
    server.pages |= {unknown.path: unknown.page(validators=False)}
    archive = crawled(server, tmp_path, *shown)
    server.pages |= {f"/late{number}.png": picture(number) for number in (1, 2, 3)}
    server.pages |= {counted.path: story(3, "/late3.png", more=" ").page()}
    make_due(archive)
    archive.crawl()
    assert [sources_of(archive, one.key) for one in shown] == [[f"/{path_of(png(number))}"] for number in (1, 2, 3)]
    assert archive.report("harbour")["edited"] == 0
    assert not list(archive.folder.glob("revisions/**/*.md"))
    posts = archive.posts()
    archive.proven()
    archive.verb("reprocess")
    assert archive.posts() == posts


def test_a_host_that_does_not_answer_is_left_alone(server: Server, tmp_path: Path) -> None:
    """After three images in a row; the articles of the same host go on."""
    names = [f"/broken/{number}.png" for number in range(8)]
    server.pages |= {name: Page("no", status=500) for name in names}
    archive = crawled(server, tmp_path, story(1, *names[:5]), story(2, *names[5:]), story(3))
    assert len(set(server.paths("/broken"))) == 3
    assert len(archive.posts()) == 3


def record(url: str, page: Page, kind: str = "response", **notes: str) -> bytes:
    one = Response(url, page.status, (("Content-Type", page.kind),), page.data, "2026-03-30T00:00:00Z", notes, kind)
    return record_bytes(one, payload_digest(one.payload))


def test_captures_of_images_are_not_packed_once_more() -> None:
    """Nearly all that an image would cost is that, and nothing is gained."""
    page = Page(bytes(9000), "image/png")
    assert len(record("https://a.example/x.png", page, role="image")) > 9000
    assert len(record("https://a.example/x.png", page, role="article")) < 1000


def test_images_that_warc_files_hold(server: Server, tmp_path: Path) -> None:
    """Before their page, behind it, in another file; the network is not asked. What they do not hold stays linked."""
    paths = ("/before.png", "/behind.png", "/other.png", "/absent.png", "/gone.png", "/page.png")
    pages = {path: picture(number) for number, path in enumerate(paths)}
    pages |= {"/gone.png": picture(8, status=404), "/page.png": Page("no image at all " * 30)}
    one = story(1, *paths)
    before, page, behind, other, gone, none = (
        record(server.address(path), answer)
        for path, answer in {"/before.png": pages["/before.png"], one.path: one.page(), **pages}.items()
        if path != "/absent.png"
    )
    files = tmp_path / "first.warc.gz", tmp_path / "second.warc.gz"
    files[0].write_bytes(before + page + behind + gone)
    files[1].write_bytes(none + other + record(server.address("/other.png"), picture(99)))
    archive = Archive.new(tmp_path / "archive", html_source(server), images="keep")
    filled(archive, *files)
    shown = [f"/{path_of(png(number))}" for number in range(3)]
    assert sources_of(archive, "100001") == [*shown, *(server.address(path) for path in paths[3:])]
    assert list(captured(archive)) == [server.address(path) for path in paths[:3]]
    assert server.asked == []
    posts = archive.posts()
    archive.verb("reprocess")
    assert archive.posts() == posts, "what was shown follows from the archive's own captures"
    archive.proven()


def test_an_export_of_captures_makes_the_same_archive(server: Server, tmp_path: Path) -> None:
    """Posts and images alike: each image went out behind the first article that shows it."""
    server.pages |= {f"/{number}.png": picture(number) for number in (1, 2)}
    archive = crawled(server, tmp_path, story(1, "/1.png"), story(2, "/1.png", "/2.png"))
    out = tmp_path / "all.warc.gz"
    archive.verb("export", "warc", "--out", out)
    sent = [one.url.rpartition("/")[2] for _, one in read_segment(out)]
    assert sorted(sent) == ["1.png", "100001.html", "100002.html", "2.png"]
    assert sent.index("1.png") == 1
    again = Archive.new(tmp_path / "again", html_source(server), images="keep")
    filled(again, out)
    assert again.posts() == archive.posts()
    assert {path.name for path in again.folder.glob("images/*/*")} == {
        path.name for path in archive.folder.glob("images/*/*")
    }
    again.proven()


def test_articles_that_wait_for_images_hold_back_others(server: Server, tmp_path: Path) -> None:
    """Else all pages of a source would lie in memory until a slow host has sent its images. And each image counts as a
    request of the run's budget."""
    images = [server.address(f"/{number}.png", "localhost") for number in range(70)]
    server.pages |= {f"/{number}.png": picture(number, wait=0.0 if number else 1.0) for number in range(70)}
    publish(server, [story(number, image) for number, image in enumerate(images)])
    archive = Archive.new(tmp_path / "archive", html_source(server), images="keep")
    archive.verb("run", "--requests", "90")
    asked = server.paths()
    assert asked.index("/1.png") < 45
    assert len(archive.posts()) == sum(path.endswith(".png") for path in asked)
    assert "queued" in archive.states().values()


def test_a_run_that_is_asked_to_end_leaves_the_article_queued(server: Server, tmp_path: Path) -> None:
    """Half of its images are no reason for a post that shows half of them."""
    names = [f"/slow/{number}.png" for number in range(30)]
    server.pages |= {name: picture(number, wait=0.3) for number, name in enumerate(names)}
    publish(server, [story(1, *names)])
    archive = Archive.new(tmp_path / "archive", html_source(server), images="keep")
    with start(archive) as crawl:
        while len(server.paths("/slow")) < 2 and crawl.poll() is None:
            time.sleep(0.01)
        crawl.send_signal(signal.SIGTERM)
        crawl.wait(20)
    assert archive.states() == {"100001": "queued"}
    assert len(server.paths("/slow")) < 10
    assert archive.posts() == {}
    archive.proven()


def test_the_gate_is_asked_again_after_the_wait(server: Server, tmp_path: Path) -> None:
    """Two pages of the same words come while the images of neither are there: no article, as without images."""
    server.pages |= {"/slow.png": picture(1, wait=0.5)}
    one = story(1, "/slow.png")
    twin = replace(one, number=2, title=one.headline)
    states = {}
    for images_are in ("link", "keep"):
        archive = crawled(server, tmp_path / images_are, one, twin, images=images_are)
        states[images_are] = sorted(archive.states().values())
    assert states["keep"] == states["link"] == ["refused", "refused"]


def test_files_are_durable_before_the_posts_that_show_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the ledger comes last; many large ones do not wait in memory."""
    archive = Archive.new(tmp_path / "archive", images="keep")
    run = Run(archive.folder, load_site(archive.folder), [])
    written: list[str] = []

    def noting(folder: Path, posts: Sequence[Pending]) -> list[bool]:
        written.extend(post.path for post in posts)
        assert run.ledger.read(sa.select(images)) == []
        return write_all(folder, posts)

    monkeypatch.setattr("crawler.run.write_all", noting)
    url = "https://a.example/x.png"
    one = Response(url, 200, (), png(1), "2026-03-30T00:00:00Z", {"role": "image"})
    run.keep_image(one)
    assert run.images.find(url) == path_of(png(1))
    run.keep(Post("_posts/2026/03/30/2026-03-30-x.md", b"x", "s", "x", "s"))
    run.flush()
    assert written == [path_of(png(1)), "_posts/2026/03/30/2026-03-30-x.md"]
    assert run.images.find(url) == path_of(png(1))
    assert run.images.size == 0
    monkeypatch.setattr("crawler.run.write_all", write_all)
    monkeypatch.setattr("crawler.run._HELD", 1000)
    run.keep_image(replace(one, url="https://a.example/y.png", payload=png(2)))
    assert (archive.folder / path_of(png(2))).is_file(), "before anything asked for a flush"
    run.close()
    left = archive.folder / "images" / "ab" / ".cd.png.tmp"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"half")
    Run(archive.folder, load_site(archive.folder), []).close()
    assert not left.exists()


@pytest.mark.slow
def test_a_kill_amid_images(server: Server, tmp_path: Path) -> None:
    """A crawl that was killed and made again leaves the files of an undisturbed one."""
    shown = [
        story(one.number, f"/p/{one.number % 5}.png", server.address(f"/p/x{one.number}.png", "localhost"))
        for one in stories(12)
    ]
    server.pages |= {f"/p/{number}.png": picture(number) for number in range(5)}
    server.pages |= {f"/p/x{one.number}.png": picture(100 + one.number) for one in shown}
    undisturbed = crawled(server, tmp_path, *shown)
    killed = Archive.new(tmp_path / "killed", html_source(server), images="keep")
    server.forget()
    with start(killed) as crawl:
        while len(server.paths("/p/")) < 9 and crawl.poll() is None:
            time.sleep(0.005)
        crawl.kill()
    killed.crawl()
    assert bytes_of(killed) == bytes_of(undisturbed)
    killed.proven()


def test_names_are_digests() -> None:
    """What a file holds follows from its name alone."""
    data = png(1)
    digest = sha256(data).hexdigest()
    assert path_of(data) == f"images/{digest[:2]}/{digest}.png"
