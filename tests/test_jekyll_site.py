"""The template built by a real Jekyll: empty, and with invented posts whose titles try to break out of the pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree, html

from crawler.archive.site import category_page, new_site, yaml_string
from tests.browser import measure, needs_browser
from tests.shared import SHARED, needs_shared

pytestmark = [
    pytest.mark.jekyll,
    pytest.mark.skipif(shutil.which("jekyll") is None, reason="jekyll is not installed"),
]

ATOM = {"a": "http://www.w3.org/2005/Atom"}
ZONE = timezone(timedelta(hours=8))
CATEGORIES = {"chenbao": "晨报", "harbour-post": 'Harbour "Post" & <Sons>', "empty": "{{ site.title }}"}
SITE = '{{ site.url }} "晨" & <b>报</b>'


@dataclass
class Post:
    """An invented post, written as the archive writes them."""

    key: str
    title: str
    published: datetime = datetime(2022, 5, 19, 1, 0, 37, tzinfo=ZONE)
    category: str = "chenbao"
    body: str = "<p>第一段。</p>\n <p>第二段。</p>"
    front: str = ""

    @property
    def url(self) -> str:
        return f"{self.category}/{self.published:%Y/%m/%d}/{self.key}.html"

    @property
    def original(self) -> str:
        return f"https://news.example/a/{self.key}.html?a=1&b=2"

    def write(self, folder: Path) -> None:
        path = folder / f"_posts/{self.published:%Y/%m/%d}/{self.published:%Y-%m-%d}-{self.key}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        tag = CATEGORIES[self.category]
        front = [
            "layout: post",
            f"title: {yaml_string(self.title)}",
            f"date: {self.published:%Y-%m-%d %H:%M:%S} +0800",
            f"categories: {self.category}",
            f"tags: [{yaml_string(tag)}]",
            f"original: {yaml_string(self.original)}",
        ]
        label = re.sub(r"[!-/:-@\[-`{-~]", lambda sign: f"&#{ord(sign[0])};", tag)
        tail = f"<{self.original}>\n\n[返回{label}](/category/{self.category}.html)｜[返回首页](/)"
        text = "\n".join(["---", *front, *filter(None, [self.front]), "---", self.body])
        path.write_text(f"{text}\n\n{tail}", "utf-8")


ENGLISH = 'language: "en"\nauthors: ["A. <b>Smith</b>"]'
MARKUP = """<h2>小标题</h2>
 <p>一 &lt; 二 &amp; 三 &#123;&#123; x }} ]]&gt;</p>
 <table><tr><td>甲</td></tr></table>"""
POSTS = [
    Post("NW2022", "“晨光”计划落地：三座港口同日开工——首批泊位年底完工…"),
    Post("quotes", "She said \"no\" & 'yes' \\ <script>alert(1)</script>", category="harbour-post"),
    Post("liquid", "{{ site.url }} {% raw %} }} %} {{"),
    Post("entities", "&lt;b&gt; &#x110000; &amp;amp; ]]> <!-- --> </title>"),
    Post("MixedCase", "[a](javascript:alert`1`) *b* {: onclick='x'} | c"),
    Post("newline", "first\nsecond\n---\nthird"),
    Post("late", "午夜之后", datetime(2022, 5, 20, 0, 0, 1, tzinfo=ZONE)),
    Post("eve", "午夜之前", datetime(2022, 5, 19, 23, 59, 59, tzinfo=ZONE)),
    Post("english", "Ferry fares to rise", category="harbour-post", front=ENGLISH),
    Post("credited", "署名的一篇", front='attribution: "<i>港口</i>通讯社"'),
    Post("bad-link", "链接可疑", front='language: "x\\" onload=\\"y"'),
    Post("markup", "正文标记", body=MARKUP),
    Post("tomorrow", "来自明天", datetime(2099, 1, 1, 12, tzinfo=ZONE)),
]
BY_KEY = {post.key: post for post in POSTS}
LISTS = {"archive.html", "categories.html", "sources.html", "tags.html"}
SEARCH = {"search.html", "assets/search.js", "assets/search.json"}
FRAME = {"index.html", "404.html", "feed.xml", "assets/style.css"} | LISTS | SEARCH


def build(folder: Path, out: Path) -> Path:
    """``folder`` built into ``out``; a warning is a failure."""
    command = ["jekyll", "build", "--disable-disk-cache", "-s", str(folder), "-d", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"warn|error", done.stderr + done.stdout, re.IGNORECASE), done.stdout + done.stderr
    return out


def new_archive(folder: Path, **values: str) -> Path:
    given = {"title": SITE, "url": "https://archive.example", "timezone": "Asia/Shanghai"}
    new_site(folder, **given | values)
    (folder / "presskeep.yml").write_text("title: secret\n")
    (folder / "README.md").write_text("{% secret")
    (folder / "run.log").write_text("secret")
    for name in ("sources/demo.yml", ".presskeep/ledger.sqlite"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("secret")
    return folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    return build(new_archive(folder / "source", title="Archive", language="en"), folder / "out")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    source = new_archive(folder / "source")
    for post in POSTS:
        post.write(source)
    for slug, title in CATEGORIES.items():
        (source / f"category/{slug}.html").write_bytes(category_page(slug, title))
    return build(source, folder / "out")


def page(path: Path) -> html.HtmlElement:
    return html.fromstring(path.read_bytes(), parser=html.HTMLParser(encoding="utf-8"))


def feed(out: Path) -> etree._Element:
    return etree.fromstring((out / "feed.xml").read_bytes(), etree.XMLParser(resolve_entities=False))


def text(element: html.HtmlElement, css: str) -> str:
    (found,) = element.cssselect(css)
    return " ".join(found.text_content().split())


def files(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


def test_an_empty_archive_is_a_site(empty: Path) -> None:
    assert files(empty) == FRAME
    assert text(page(empty / "index.html"), ".empty") == "Nothing has been published yet."
    assert feed(empty).xpath("a:entry", namespaces=ATOM) == []
    assert page(empty / "index.html").get("lang") == "en"


def test_every_page_and_nothing_else_is_published(full: Path) -> None:
    posts = {post.url for post in POSTS}
    assert files(full) == FRAME | posts | {f"category/{slug}.html" for slug in CATEGORIES}
    assert not [path for path in full.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.key)
def test_a_post_shows_its_title_time_and_category(full: Path, post: Post) -> None:
    article = page(full / post.url)
    title = " ".join(post.title.split())
    assert text(article, "article h1") == title
    assert text(article, "head title").startswith(title)
    assert article.xpath("//meta[@property='og:title']/@content")[0].split() == post.title.split()
    assert article.xpath("//article//time/@datetime") == [post.published.isoformat()]
    clock = f"{post.published.year}年{post.published.month}月{post.published.day}日 {post.published:%H:%M}"
    assert text(article, "article time") == clock
    assert text(article, ".kicker a") == CATEGORIES[post.category]
    assert article.cssselect(".kicker a")[0].get("href") == f"/category/{post.category}.html"
    assert article.xpath("//link[@rel='canonical']/@href") == [post.original]
    assert article.xpath("//div[@class='body']/p[last()]/a/@href") == [f"/category/{post.category}.html", "/"]
    assert article.xpath("//div[@class='body']/p[last()-1]/a/@href") == [post.original]


@pytest.mark.parametrize("name", ["index.html", "404.html", "category/empty.html", *sorted(LISTS), *BY_KEY])
def test_nothing_that_runs_or_asks_elsewhere(full: Path, name: str) -> None:
    path = full / (BY_KEY[name].url if name in BY_KEY else name)
    tree = page(path)
    runs = "//script[not(@type='application/ld+json')] | //iframe | //form | //style"
    assert tree.xpath(f"{runs} | //*[@*[starts-with(name(), 'on')]]") == []
    assert tree.xpath("//img | //link[@rel='stylesheet' and not(@href='/assets/style.css')]") == []
    assert not [href for href in tree.xpath("//@href | //@src") if href.lower().startswith(("javascript:", "//"))]
    assert tree.xpath("//meta[@name='referrer']/@content") == ["no-referrer"]
    assert tree.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert "default-src 'none'" in tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert "url(" not in (full / "assets/style.css").read_text()


@pytest.mark.parametrize("name", ["index.html", "404.html", "category/empty.html", *sorted(LISTS), *BY_KEY])
def test_pages_are_sound(full: Path, name: str) -> None:
    path = full / (BY_KEY[name].url if name in BY_KEY else name)
    source = path.read_text("utf-8")
    tree = page(path)
    assert source.startswith('<!doctype html>\n<html lang="zh-CN">')
    assert etree.fromstring(closed(source).encode()) is not None, "a tag is not closed"
    assert [
        len(tree.cssselect(css)) for css in ("h1", "main", "title", "body > header", "body > footer", "header nav")
    ] == [1] * 6
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert tree.cssselect("a.skip")[0].get("href") == "#content"
    assert "content" in ids
    levels = [int(h.tag[1]) for h in tree.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert "Liquid" not in source


def closed(source: str) -> str:
    """HTML with its void elements closed and its named characters resolved, so that an XML parser can judge it."""
    source = re.sub(r"<(meta|link|br|hr|img)\b([^>]*?)/?>", r"<\1\2/>", source.removeprefix("<!doctype html>\n"))
    return source.replace("&nbsp;", "&#160;").replace("&quot;", "&#34;")


def test_liquid_in_titles_stays_text(full: Path) -> None:
    post = page(full / BY_KEY["liquid"].url)
    assert text(post, "article h1") == BY_KEY["liquid"].title
    assert "https://archive.example" not in text(post, "article")
    invented = [*(post.title for post in POSTS), *CATEGORIES.values(), SITE, "{{ x }}"]
    for path in [*full.rglob("*.html"), full / "feed.xml"]:
        shown = unescape(path.read_text("utf-8"))
        for title in invented:
            shown = shown.replace(title, "").replace(" ".join(title.split()), "")
        assert not re.search(r"\{\{|\{%", shown), path


def test_the_front_page_lists_the_newest_by_day(full: Path) -> None:
    front = page(full / "index.html")
    assert text(front, "h1") == " ".join(SITE.split())
    days = [text(day, "h2") for day in front.cssselect(".day")]
    assert days == ["2099年1月1日 星期四", "2022年5月20日 星期五", "2022年5月19日 星期四"]
    newest = sorted((post.published for post in POSTS), reverse=True)
    times = front.xpath("//li//time/@datetime")
    assert times == [time.isoformat() for time in newest]
    links = set(front.xpath("//li/h3/a/@href"))
    assert links == {"/" + post.url for post in POSTS}
    assert {" ".join(a.text_content().split()) for a in front.cssselect("li h3 a")} == {
        " ".join(post.title.split()) for post in POSTS
    }
    assert front.xpath("//aside//li/a/text()") == [CATEGORIES["chenbao"], CATEGORIES["harbour-post"]]
    assert "第一段。 第二段。" in text(front.cssselect("li")[0], ".summary")
    credited = front.xpath(f"//li[h3/a/@href='/{BY_KEY['credited'].url}']")[0]
    assert text(credited, ".credit span") == "<i>港口</i>通讯社"


def test_a_category_page_lists_its_posts_and_no_others(full: Path) -> None:
    for slug, title in CATEGORIES.items():
        tree = page(full / f"category/{slug}.html")
        own = {"/" + post.url for post in POSTS if post.category == slug}
        assert text(tree, "h1") == title
        assert set(tree.xpath("//li/h3/a/@href")) == own
        assert [text(tree, ".count")] == [f"{len(own)} 篇"] if own else text(tree, ".empty") == "还没有文章。"


def test_the_list_of_categories_is_whole(full: Path) -> None:
    tree = page(full / "categories.html")
    listed = [(a.get("href"), a.text_content(), a.getnext().text) for a in tree.cssselect("main li a")]
    counts = {slug: str(sum(post.category == slug for post in POSTS)) for slug in CATEGORIES}
    assert listed == [(f"/category/{slug}.html", CATEGORIES[slug], counts[slug]) for slug in sorted(CATEGORIES)]


def test_the_feed_is_whole(full: Path) -> None:
    atom = feed(full)
    assert atom.findtext("a:title", namespaces=ATOM) == SITE
    entries = {e.findtext("a:title", namespaces=ATOM): e for e in atom.findall("a:entry", ATOM)}
    assert set(entries) == {post.title for post in POSTS}
    for post in POSTS:
        entry = entries[post.title]
        address = f"https://archive.example/{post.url}"
        assert entry.findtext("a:id", namespaces=ATOM) == address
        assert entry.xpath("a:link[@rel='alternate']/@href", namespaces=ATOM) == [address]
        assert entry.findtext("a:published", namespaces=ATOM) == post.published.isoformat()
        assert entry.xpath("a:link[@rel='via']/@href", namespaces=ATOM) == [post.original]
        content = html.fromstring(entry.findtext("a:content", "", ATOM))
        assert content.xpath("string(//p[last()-1])") == post.original
        assert not content.xpath("//script")
    assert entries["链接可疑"].get("{http://www.w3.org/XML/1998/namespace}lang") == 'x" onload="y'
    markup = html.fromstring(entries["正文标记"].findtext("a:content", "", ATOM))
    assert "一 < 二 & 三 {{ x }} ]]>" in str(markup.xpath("string()"))


def test_the_language_of_an_article_is_marked(full: Path) -> None:
    assert page(full / BY_KEY["english"].url).cssselect("article")[0].get("lang") == "en"
    assert page(full / BY_KEY["bad-link"].url).cssselect("article")[0].get("lang") == 'x" onload="y'
    assert text(page(full / BY_KEY["english"].url), ".authors") == "作者：A. <b>Smith</b>"


def test_every_value_is_escaped(tmp_path: Path) -> None:
    """Also those that presskeep never writes so: an archive may have older posts, and settings changed by hand."""
    odd = "&lt"
    source = new_archive(tmp_path / "source", title=odd, language=odd, baseurl=f"/{odd}")
    config = (source / "_config.yml").read_text("utf-8").replace("timezone:", "description: a&lt\ntimezone:")
    (source / "_config.yml").write_text(config.replace('description: ""\n', ""), "utf-8")
    front = "".join(f'{key}: "{odd}"\n' for key in ("title", "categories", "tags", "language", "authors"))
    (source / f"_posts/2022-05-19-{odd}.md").write_text(
        f"---\nlayout: post\n{front}attribution: b&lt\n---\n<p>a&amp;lt</p>"
    )
    (source / f"category/{odd}.html").write_bytes(category_page(odd, odd))
    out = build(source, tmp_path / "out")
    linked = ["index.html", "categories.html", f"{odd}/2022/05/19/{odd}.html"]
    for name in [*linked, "404.html", f"category/{odd}.html"]:
        tree = etree.fromstring(closed((out / name).read_text("utf-8")).encode())
        links = tree.xpath("//@href[contains(., '/category/')]")
        feeds = [f"/{odd}/category/{odd}.xml"] if name.startswith("category/") else []
        assert links == feeds + ([f"/{odd}/category/{odd}.html"] if name in linked else [])
        assert not tree.xpath("//text()[contains(., '<')] | //@*[contains(., '<')]")
        assert tree.get("lang") == odd
    assert feed(out).xpath("a:entry/a:category/@term", namespaces=ATOM) == [odd]


def test_an_outlet_that_is_not_the_tag_is_named(full: Path) -> None:
    assert text(page(full / BY_KEY["credited"].url), ".outlet") == "<i>港口</i>通讯社"
    assert page(full / BY_KEY["eve"].url).cssselect(".outlet") == []


def test_long_lists_are_cut_and_say_so(tmp_path: Path) -> None:
    source = new_archive(tmp_path / "source", baseurl="/news")
    for number in range(7):
        post = Post(f"n{number}", f"第{number}篇", datetime(2022, 5, 19, number, tzinfo=ZONE))
        post.write(source)
    (source / "category/chenbao.html").write_bytes(category_page("chenbao", "晨报"))
    config = (source / "_config.yml").read_text("utf-8")
    for key, limit in {"front_page_posts": 3, "category_posts": 5, "feed_posts": 2}.items():
        config = re.sub(rf"{key}: \d+", f"{key}: {limit}", config)
    (source / "_config.yml").write_text(config, "utf-8")
    out = build(source, tmp_path / "out")
    assert page(out / "index.html").xpath("//li/h3/a/text()") == ["第6篇", "第5篇", "第4篇"]
    assert page(out / "category/chenbao.html").xpath("//li/h3/a/text()")[-1] == "第2篇"
    assert text(page(out / "category/chenbao.html"), ".count") == "共 7 篇，列出最新的 5 篇。"
    assert len(feed(out).findall("a:entry", ATOM)) == 2
    local = [href for href in page(out / "index.html").xpath("//@href") if href.startswith("/")]
    assert all(href.startswith("/news/") for href in local), local
    assert feed(out).findtext("a:entry/a:id", "", ATOM).startswith("https://archive.example/news/chenbao/")


@needs_shared
def test_a_real_post_comes_out_whole(tmp_path: Path) -> None:
    seed = SHARED / "seed/posts/2022-05-19-NW202205192383905174.md"
    source = new_archive(tmp_path / "source")
    shutil.copy(seed, source / "_posts")
    tree = page(build(source, tmp_path / "out") / "jingjicankaobao/2022/05/19/NW202205192383905174.html")
    body = seed.read_text("utf-8").split("---\n", 2)[2].split("\n\n<http")[0]
    written = [str(p.xpath("string()")) for p in html.fromstring(f"<div>{body}</div>").cssselect("p")]
    shown = [p.text_content() for p in tree.cssselect(".body > p")]
    assert len(written) == 39
    assert shown[:-2] == written
    assert [len(p.cssselect("a")) for p in tree.cssselect(".body > p")[-2:]] == [1, 2]


WIDE = f"""<p>https://news.example/{"a" * 300}</p>
 <table><tr>{"<td>1,234,567.89</td>" * 30}</tr></table>
 <pre>{"x" * 300}</pre>
 <p><img src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='2000' height='9'/%3E" alt=""></p>
 <p style="display:none"><br></p><p>末段。</p>"""


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose words are long and whose article is wide."""
    folder = tmp_path_factory.mktemp("wide")
    source = new_archive(folder / "source", title="Longnamednewsarchiveofthenorthernharbours")
    Post("wide", "港" * 120 + "W" * 200, body=WIDE).write(source)
    Post("other", "另一篇", front=ENGLISH).write(source)
    (source / "category/chenbao.html").write_bytes(category_page("chenbao", "M" * 90))
    return build(source, folder / "out")


PAGES = ["/", "/chenbao/2022/05/19/wide.html", "/category/chenbao.html", "/categories.html", "/404.html"]


@needs_browser
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_scrolls_sideways(wide: Path, width: int) -> None:
    widths, asked = measure(wide, width, PAGES, "d.documentElement.scrollWidth")
    assert widths == [str(width)] * len(PAGES)
    assert set(asked) - {"/favicon.ico"} == {"/probe.html", "/assets/style.css", *PAGES}


@needs_browser
def test_the_style_is_in_force(wide: Path) -> None:
    """The page's own security policy must not shut out its style sheet nor a body's own ``display:none``."""
    script = """[...d.querySelectorAll(".body > p")].map(p => getComputedStyle(p))
      .map(s => [s.display, s.textIndent == s.fontSize || parseFloat(s.textIndent) / parseFloat(s.fontSize)])
      .join(" ")"""
    (shown,), _ = measure(wide, 390, [PAGES[1]], script)
    assert shown == "block,2 block,0 none,2 block,2 block,0 block,0"


@needs_browser
def test_an_article_in_another_language_has_its_own_fonts(wide: Path) -> None:
    script = """getComputedStyle(d.querySelector(".body")).fontFamily.includes("CJK signs")"""
    shown, _ = measure(wide, 390, [PAGES[1], "/chenbao/2022/05/19/other.html"], script)
    assert shown == ["true", "false"]


@needs_browser
def test_light_and_dark(wide: Path) -> None:
    script = "getComputedStyle(d.body).backgroundColor"
    light, _ = measure(wide, 390, PAGES[:1], script, "--blink-settings=preferredColorScheme=1")
    dark, _ = measure(wide, 390, PAGES[:1], script, "--blink-settings=preferredColorScheme=0")
    assert (light, dark) == (["rgb(253, 252, 249)"], ["rgb(23, 22, 20)"])
