"""Which bytes are an image, and how a clean body comes to show one of the archive's own."""

from __future__ import annotations

import struct
from contextlib import suppress
from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.images import LARGEST, MOST, NoImage, addresses, files, is_whole, path_of, shown
from crawler.archive.markup import WIDEST, WRITTEN, Markup, clean, fit
from crawler.archive.post import read_post, write_post
from crawler.archive.style import PostStyle
from tests.archive.test_post import article

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"


def webp(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + sides


def sized(kind: str, width: int, height: int) -> bytes:
    """The beginning of an image, and what fills it up."""
    jpeg = JPEG + b"\xff\xc2\0\x11\x08" + struct.pack(">HH", height, width)
    made = {
        "png": PNG + struct.pack(">II", width, height),
        "gif": b"GIF89a" + struct.pack("<HH", width, height),
        "jpg": jpeg,
        "webp": webp(width, height),
    }
    return made[kind] + bytes(100)


@pytest.mark.parametrize("kind", ["png", "gif", "jpg", "webp"])
@given(width=st.integers(1, 9999), height=st.integers(1, 9999))
def test_only_single_pixels_are_too_small(kind: str, width: int, height: int) -> None:
    data = sized(kind, width, height)
    if width == height == 1:
        with pytest.raises(NoImage, match="tracking pixel"):
            path_of(data)
    else:
        assert path_of(data).endswith(f".{kind}")
        assert is_whole(path_of(data), data)
        assert not is_whole(path_of(data), data + b"\0")


def test_a_pixel_of_each_kind() -> None:
    for kind in ("png", "gif", "jpg", "webp"):
        with pytest.raises(NoImage, match="tracking pixel"):
            path_of(sized(kind, 1, 1))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GIF87a\x09\0\x09\0" + bytes(100), "gif"),
        (b"RIFF\0\0\0\0WEBPVP8L" + bytes(100), "webp"),
        (b"\0\0\0\x1cftypavif" + bytes(100), "avif"),
        (b"\0\0\0\x1cftypavis" + bytes(100), "avif"),
        (PNG[:12] + b"\0", ""),
        (JPEG + b"\xff\xd9" + bytes(100), "jpg"),
        (b"\0\0\0\x1cftypheic" + bytes(100), ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b" " * 100, ""),
        (b"<html>" + bytes(100), ""),
        (b"RIFF\0\0\0\0WAVEfmt " + bytes(100), ""),
        (b"", ""),
        (PNG + struct.pack(">II", 9, 9) + bytes(LARGEST), ""),
    ],
)
def test_by_their_first_bytes(data: bytes, kind: str) -> None:
    if kind:
        assert path_of(data).endswith(f".{kind}")
    else:
        with pytest.raises(NoImage):
            path_of(data)


@given(st.binary(max_size=200), st.sampled_from([b"", PNG, JPEG, b"GIF89a", b"RIFF\0\0\0\0WEBP", b"\0\0\0\0ftypavif"]))
def test_no_bytes_are_too_strange(data: bytes, first: bytes) -> None:
    with suppress(NoImage):
        assert is_whole(path_of(first + data), first + data)


FILE = path_of(sized("png", 9, 9))
URLS = st.builds("https://{}.example/{}".format, st.sampled_from(["a", "b"]), st.text("ab/%?=&;#'\"<> é", max_size=9))


@given(st.lists(st.tuples(URLS, st.text("x\"'<>& =src", max_size=12)), max_size=6), st.data())
def test_a_body_keeps_all_but_the_addresses(images: list[tuple[str, str]], data: st.DataObject) -> None:
    """What shows files of the archive may stand in a post, and nothing but the addresses of kept images has changed."""
    tags = (f'<p><img alt="{escape(alt)}" src="{escape(url)}"/></p>' for url, alt in images)
    body = clean("<p>text src=&quot;x&quot;</p>" + "\n".join(tags), Markup())
    there = addresses(body)
    kept = set(data.draw(st.lists(st.sampled_from(there)))) if there else set()
    local = shown(body, lambda url: FILE if url in kept else "", "/base")
    assert fit(local, WRITTEN)
    assert addresses(local) == [url for url in there if url not in kept]
    assert set(files(local)) == ({FILE} if kept else set())
    assert fit(local, WIDEST) == (not kept), "a page's own path is another site's"
    assert [tag for tag in local.split("<") if "img" not in tag] == [tag for tag in body.split("<") if "img" not in tag]
    assert local.count(' alt="') == body.count(' alt="')


def test_one_article_shows_so_many() -> None:
    body = "".join(f'<p><img src="https://a.example/{number}.png"/></p>\n' for number in range(MOST + 2)).strip()
    local = shown(body, lambda url: FILE, "")
    assert local.count(FILE) == MOST
    assert addresses(local) == [f"https://a.example/{MOST}.png", f"https://a.example/{MOST + 1}.png"]


def test_a_fragment_is_not_asked_for() -> None:
    assert addresses('<p><img src="https://a.example/x?a=1&amp;b=2#here"/></p>') == ["https://a.example/x?a=1&b=2"]


@pytest.mark.parametrize("base", ["", "/news", "/a/b-c"])
def test_a_post_that_shows_a_file(base: str) -> None:
    body = shown('<p>text</p>\n<p><img src="https://a.example/x" alt="y"/></p>', lambda url: FILE, base)
    post = read_post(write_post(article(body=body), PostStyle()))
    assert post.body == body
    assert files(post.body) == [FILE]


@pytest.mark.parametrize(
    "path",
    [
        "/images/x.png",
        f"//evil.example/{FILE}",
        f"/../{FILE}",
        f"javascript:/{FILE}",
        f"/{FILE}?x",
        f"/{FILE.replace('.png', '.svg')}",
        f"/{FILE.replace('images/', 'images/0')}",
        FILE,
    ],
)
def test_no_other_path_may_stand_in_a_post(path: str) -> None:
    body = f'<p>text</p>\n<p><img src="{path}"/></p>'
    assert files(body) == []
    with pytest.raises(ValueError, match="body: not clean"):
        write_post(article(body=body), PostStyle())


def test_what_a_page_calls_so_is_the_pages() -> None:
    """A page may name a file of its own just as we name ours."""
    body = clean(f'<p><img src="/{FILE}"></p>', Markup(), "https://a.example/b/c.html")
    assert addresses(body) == [f"https://a.example/{FILE}"]
    assert unescape(body) == f'<p><img src="https://a.example/{FILE}" /></p>'
