"""Our pages beside a real Jekyll's: the same DOM for every page of the demo archive and of nasty posts."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import etree, html

from crawler.archive import site as stubs
from crawler.archive.markup import WIDEST, clean
from crawler.archive.post import file_name, read_post, write_post
from crawler.archive.style import BackLink, PostStyle
from crawler.items import Article, Attribution
from crawler.render.markdown import html_of, plain
from crawler.render.posts import page_of, url_of
from crawler.render.theme import Theme, split
from crawler.verify import post_files
from tests.archive.nasty import FRAGMENTS

pytestmark = [
    pytest.mark.jekyll,
    pytest.mark.skipif(shutil.which("jekyll") is None, reason="jekyll is not installed"),
]


ZONE = ZoneInfo("Asia/Shanghai")
STYLE = PostStyle(
    timezone="Asia/Shanghai",
    fields=("source", "key", "original", "attribution", "authors", "language", "modified"),
    quote="quote",
    back=(BackLink(label="返回{tag}", href="/base/category/{category}.html"), BackLink(label="首页", href="/base/")),
)
CATEGORIES = {"chenbao": "晨报", "Harbour-Post": 'Harbour "Post" & <Sons>', "x": "{{ site.title }} {% raw %}"}
TITLES = (
    "“晨光”计划落地——三座港口同日开工…",
    "She said \"no\" & 'yes' \\ <script>alert(1)</script>",
    "{{ site.url }} {% raw %} }} %} {{",
    "&lt;b&gt; &amp;amp; ]]> <!-- --> </title>",
    "[a](javascript:alert`1`) *b* {: onclick='x'} | c -- ... ~~d~~",
    "Ferry fares to rise\u3000\u00a0by 1.50 (Reuters)",
)


SNIPPETS = Path(__file__).with_name("render_snippets.liquid")
"""One or more of every filter and tag on each line, below front matter that they speak of."""


def marked(snippets: str) -> str:
    """Each line so that it can be told from what it writes."""
    _, front, lines = snippets.split("---\n", 2)
    return f"---\n{front}---\n" + "".join(f"@@{line}\n" for line in lines.splitlines())


def nasty(count: int) -> Iterator[Article]:
    """Posts of torn markup, with titles that try to break out."""
    chance = random.Random(6)
    for number in range(count):
        body = "".join(chance.choices(FRAGMENTS, k=chance.randrange(1, 30)))
        slug = list(CATEGORIES)[number % 3]
        yield Article(
            source="nasty",
            space="nasty",
            key=f"NW_{number}-a",
            url=f"https://e.example/{number}?a=1&b=2",
            link=f"https://e.example/{number}?a=1&copy=2(x)",
            title=chance.choice(TITLES),
            body=clean(f"<p>甲乙&hellip;&nbsp;&#8220;</p>{body}", WIDEST),
            digest="".join(chance.choices(FRAGMENTS, k=3)) if number % 2 else "",
            published=datetime(2022, 5, 19, 20, 59, 59, tzinfo=ZONE) + timedelta(minutes=17 * number, days=number % 3),
            attribution=Attribution("x", "<i>港口</i>通讯社", "x") if number % 4 else None,
            byline=("A. <b>Smith</b>", "李四") if number % 5 == 0 else (),
            language="en" if number % 2 else "",
            category=slug,
            tags=(CATEGORIES[slug],),
        )


def nasty_site(folder: Path) -> None:
    values = {"title": '{{ site.url }} "晨" & <b>报</b>', "url": "https://archive.example", "baseurl": "/base"}
    stubs.new_site(folder, timezone="Asia/Shanghai", **values)
    made = {}
    for article in nasty(60):
        name = file_name(article, STYLE)
        made[f"_posts/{name[:10].replace('-', '/')}/{name}"] = write_post(article, STYLE)
        day = name[:10]
        made[f"archive/{day.replace('-', '/')}.html"] = stubs.day_page(day)
    for slug, title in CATEGORIES.items():
        made[f"category/{slug}.html"] = stubs.category_page(slug, title)
        made[f"category/{slug}.xml"] = stubs.feed_page(slug, title)
        made[f"tag/{slug}.html"] = stubs.tag_page(slug, title)
    made["archive/2022.html"], made["archive/2022/05.html"] = stubs.year_page("2022"), stubs.month_page("2022-05")
    made["source/nasty.html"] = stubs.source_page("nasty", "Nasty <News>")
    days = ['"2022-05-19": 20\n', '"2022-05-20": 20\n', '"2022-05-21": 20\n']
    made["_data/days/2022.yml"] = "".join(days).encode()
    made["_data/sources.yml"] = b'"nasty": {"name": "Nasty <News>", "url": "https://e.example", "posts": 60}\n'
    made["snippets.txt"] = marked(SNIPPETS.read_text("utf-8")).encode()
    for inside, data in made.items():
        (folder / inside).parent.mkdir(parents=True, exist_ok=True)
        (folder / inside).write_bytes(data)


@dataclass
class Both:
    """A site, built by Jekyll, and what we know of it."""

    theme: Theme
    built: Path
    posts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def site(self) -> dict[str, Any]:
        """As Jekyll has it: newest first, categories in the same order."""
        found: dict[str, dict[str, list[dict[str, Any]]]] = {"categories": {}, "tags": {}}
        for post in self.posts:
            for kind, held in found.items():
                for name in post[kind]:
                    held.setdefault(name, []).append(post)
        return {"posts": self.posts, **found, "pages": list(self.stubs())}

    def stubs(self) -> Iterator[dict[str, Any]]:
        """Pages that are front matter and a layout, with what Jekyll adds."""
        for path in sorted(self.theme.archive.glob("*/**/*.*ml")):
            inside = path.relative_to(self.theme.archive).as_posix()
            if not inside.startswith(("_", ".")):
                front, _ = split(path.read_text("utf-8"))
                if not front:
                    continue
                yield {**front, "url": front.get("permalink", f"/{inside}"), "name": path.name}

    def theirs(self, url: str) -> str:
        """What Jekyll made of an address."""
        return (self.built / url.lstrip("/")).read_text("utf-8")


def known(theme: Theme) -> list[dict[str, Any]]:
    posts = []
    for path in post_files(theme.archive):
        data = path.read_bytes()
        inside, post = path.relative_to(theme.archive).as_posix(), read_post(data)
        text = split(data.decode())[1]
        assert plain(text), path
        posts.append(page_of(post, url_of(inside, post, theme.zone), theme.zone, inside, html_of(text)))
    posts.sort(key=lambda post: (post["date"], post["path"]), reverse=True)
    for older, newer in zip(posts[1:], posts, strict=False):
        older["next"], newer["previous"] = newer, older
    return posts


def build(folder: Path, out: Path) -> Both:
    command = ["jekyll", "build", "--disable-disk-cache", "-s", str(folder), "-d", str(out), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    theme = Theme(folder)
    return Both(theme, out, known(theme))


def dom(node: Any) -> Any:
    """An element with all in it; runs of blanks as one, those between elements left out."""
    keep = node.tag == "pre"

    def words(text: str | None) -> str:
        return (text or "") if keep else re.sub(r"\s+", " ", text or "").strip()

    inside = [part for child in node for part in (dom(child), words(child.tail))]
    return (str(node.tag), sorted(node.attrib.items()), words(node.text), [part for part in inside if part])


def same(ours: str, theirs: str) -> None:
    parse = html.document_fromstring
    if theirs.startswith("<?xml"):
        entries = "{http://www.w3.org/2005/Atom}content"
        trees = [etree.fromstring(text.encode()) for text in (ours, theirs)]
        for tree in trees:
            for content in tree.iter(entries):
                inside = html.fragment_fromstring(content.text or "", create_parent="div")
                content.text = repr(dom(inside))
        assert dom(trees[0]) == dom(trees[1])
    else:
        assert dom(parse(ours)) == dom(parse(theirs))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("nasty")
    nasty_site(folder / "site")
    return build(folder / "site", folder / "built")


def test_posts(both: Both) -> None:
    assert both.posts
    for post in both.posts:
        same(both.theme.page("post", post, both.site, post["content"]), both.theirs(post["url"]))


def test_lists(both: Both) -> None:
    site = both.site
    for stub in site["pages"]:
        same(both.theme.page(stub["layout"], stub, site), both.theirs(stub["url"]))


def test_pages_of_the_site(both: Both) -> None:
    site = both.site
    for path in sorted(both.theme.archive.glob("*.*ml")):
        if path.name != "_config.yml" and path.read_text("utf-8").startswith("---"):
            url = split(path.read_text("utf-8"))[0].get("permalink", path.name)
            same(both.theme.file(path.name, site=site), both.theirs(url))


def test_filters_and_tags(both: Both) -> None:
    parts = (marked(SNIPPETS.read_text("utf-8")), both.theme.file("snippets.txt"), both.theirs("snippets.txt"))
    lines = zip(*(part.split("@@")[1:] for part in parts), strict=True)
    for line, ours, theirs in lines:
        assert ours == theirs, line
