"""A real Jekyll builds some three hundred nasty posts at once: nothing dies, nothing is lost, nothing is added."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import nh3
import pytest
from lxml import etree, html

from crawler.archive.characters import absolute, headline, one_line, tidy
from crawler.archive.markup import Markup, clean, mend
from crawler.archive.mend import LOST
from crawler.archive.post import check_post, file_name, read_post, write_post
from crawler.archive.style import BackLink, PostStyle
from crawler.items import Article
from tests.archive.nasty import FRAGMENTS
from tests.archive.test_golden_posts import EASTMONEY, GOOD, POSTS, VARIANTS

pytestmark = [
    pytest.mark.jekyll,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("jekyll") is None, reason="no jekyll on the PATH"),
]

SHANGHAI = ZoneInfo("Asia/Shanghai")
CONFIG = """
timezone: Asia/Shanghai
future: true
strict_front_matter: true
liquid: {error_mode: strict, strict_filters: true}
excerpt_separator: ""
permalink: /:categories/:year/:month/:day/:title.html
title: Nasty
feed: {posts_limit: 1000}
"""
LAYOUT = """<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>
<h1>{{ page.title | escape }}</h1>
<pre id="front">{"title": {{ page.title | jsonify | escape }}, "date": "{{ page.date | date: "%Y-%m-%d %H:%M:%S %z" }}",
"categories": {{ page.categories | jsonify | escape }}, "tags": {{ page.tags | jsonify | escape }}}</pre>
<main>{{ content }}</main></body></html>
"""

BODIES = (
    *(
        "{% include ../x %}",
        "{% raw %}",
        "{% endraw %}",
        "{{",
        "{{ site.title }}",
        "{%%}",
        "{% for i in (1..9) %}",
        "a { { b",
    ),
    *(
        "<p>x</p>\n{: onclick='alert(1)'}",
        "{: .x onclick='y'}\n\ntext",
        "{::nomarkdown}x{:/}",
        "{::comment}x",
        "* toc\n{:toc}",
    ),
    *(
        "<b>never closed",
        "<p>a<p>b",
        "<table><tr><td>cut",
        "<ul><li>a<li>b",
        "</div></p></b>x",
        "<<b>>",
        "a < b > c & d",
    ),
    *("<div>" * 3000 + "deep", "<b>" * 3000 + "deep", "<ul><li>" * 300 + "deep", "<blockquote>" * 60 + "deep"),
    *(
        "<table><tr><td>" * 40 + "deep",
        "[" * 2000,
        "*a " * 2000,
        "`" * 999,
        "<p>" + "[" * 2000 + "</p>",
        "> " * 500 + "x",
    ),
    *(
        "<pre>a\n\n\tb\n  {{c}}</pre>",
        "<pre><code>x &lt;b&gt;\n\n# y</code></pre>",
        "<code><code>x</code>y</code>",
        "<pre>\n\nz",
    ),
    *(
        "&#x110000; &#0; &#xD800; &#1; &#128; &amp;lt; &copy; &notanentity;",
        "a\x00b\x08c\x7fd\x9fe\ufffff",
        "🙂 \U0010ffff é e\u0301",
    ),
    *(
        "\u202eשלום\u202c عربي",
        "a\u2028b\u2029c\x85d",
        "a\u200bb\u00adc",
        "\u3000\u3000全角",
        "\ufeffbom",
        "]]> <![CDATA[x]]>",
    ),
    *(
        "<p markdown='1'>*x* _y_</p>",
        "<div markdown=1>*x*</div>",
        "*[HTML]: abbr\n\n[^1]: note\n\n[x]: http://y",
        "    code\n\n\tcode",
    ),
    *(
        "| a | b |\n|---|---|\n| c | d |",
        "# h\n\n## h",
        "---\ntitle: x\n---\n",
        "- a\n- b",
        "1. a\n2. b",
        "a\n===",
        "$$ x $$",
        "``` x",
    ),
    *(
        "<!-- c --><p>x</p>",
        "<p>a<!-- b -->c</p>",
        "<!--",
        "<?php x ?>",
        "<!DOCTYPE x>",
        "<script>{{x}}</script>y",
        "<style>p{}</style>z",
    ),
    *(
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='java\nscript:x'>y</a>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=x>",
    ),
    *(
        "<a href='//h/a b|c\"d&lt;{{e}}?q=&amp;lt;'>x</a>",
        "<a href='/r#f'>x<a href='b'>y</a></a>",
        "<img src='data:image/png;base64,AA'>",
    ),
    *(
        "<p title='{{x}} \"q\" &amp;lt;'>t</p>",
        "<td>lone cell",
        "<li>lone item",
        "<dt>a<dd>b",
        "<caption>c",
        "<option>o",
        "<rt>r",
    ),
    *(
        "<h1>a<ul><li>b</ul>c</h1>",
        "<p><i>a<p>b</i>c",
        "<ruby>漢<rp>(<rt>kan<rp>)</ruby>",
        "<table><caption>c<tr><th>h<td>d</table>",
    ),
    *(
        "<td>" * 30 + "x",
        "<dl><dd>a<dl><dd>b</dl></dl>",
        "<figure><img src=/i.png><figcaption>c</figure>",
        "<hr><hr>a<hr>",
        "<br>" * 50,
    ),
    *(
        "text before <p>p</p> after",
        "<span>a</span><img src=i.png><br>b",
        "<center>c</center>",
        "<p>&nbsp;</p>",
        " ",
        "",
        ".",
    ),
)
TITLES = (
    *(
        '"a "b" c"',
        "\\d \\",
        "a: b",
        "[a] b",
        "@a",
        "# b",
        "a # b",
        "!a b",
        "007",
        "no",
        "~",
        "- a",
        "? a",
        "{a: b}",
        "| a",
        "> a",
    ),
    *(
        "a\n---\nb",
        "a\u2028b\x85c",
        "&#x110000; &#0;",
        "<b>x</b> & <script>",
        "{{ site.title }} {% raw %}",
        "%}",
        "🙂\U0001f468\u200d\U0001f469",
    ),
    *(
        "\u202eabc",
        "\x00\x07a\ufffe",
        "a\tb",
        "'",
        '"',
        "…——“”",
        "`x` *y* _z_",
        "$$x$$",
        "*",
        "&amp;",
        "\ufeffa",
        "\u3000a\u3000",
        "]]>",
        "a|b",
    ),
)
TAGS = (
    "no",
    "1234",
    "21:30",
    "a b",
    "中文",
    "it's",
    '"q"',
    "{{x}}",
    "[x](y)",
    "a|b",
    "*a*",
    "a_b_c",
    "<b>",
    "\\",
    "…",
    "1e5",
    "0x1F",
    "😀",
    "C++",
    "2022-05-19",
)
KEYS = (
    "CON",
    "a.b",
    "../x",
    "a b",
    "键",
    "-x-",
    "__",
    "a--b",
    "A" * 150,
    "x" * 150,
    "%2e",
    "NW2022",
    "{{k}}",
    "a:b",
    "k?",
    "html.html",
)
LINKS = (
    *(
        "http://a.example/b?c=1&lt;=2",
        "https://a.example/&#1;&copy;x",
        "//a.example/中文?q=a b|c{{d}}",
        "https://a.example/(x)[y]*z*_w_",
    ),
    *(
        "https://a.example/--x--...'q'\"r\"",
        "",
        "http://a.example/<b>\\^`",
        "https://a.example/~~x~~#f",
        "https://u@a.example:8/;p=1,2!$",
        "http://中国.example/",
    ),
)


@dataclass
class Case:
    """A post and what it was made of."""

    article: Article
    style: PostStyle
    raw: str


def soup(dice: random.Random, size: int) -> str:
    return "".join(dice.choice(FRAGMENTS) for _ in range(dice.randrange(size)))


def cases(count: int, seed: int = 20220519) -> list[Case]:
    """Each nasty body and title once, the rest by dice that always fall alike."""
    dice = random.Random(seed)
    return [case(number, dice) for number in range(count)]


def case(number: int, dice: random.Random) -> Case:
    raw = BODIES[number] if number < len(BODIES) else soup(dice, 40)
    title = TITLES[number] if number < len(TITLES) else soup(dice, 8) + dice.choice(TITLES)
    digest = (TITLES + BODIES)[number][:300] if number < len(TITLES + BODIES) else soup(dice, 10)
    markup = dice.choice([Markup(), EASTMONEY])
    article = Article(
        source="s",
        space="s",
        key=f"{number}{dice.choice(KEYS)}{number}",
        url="https://e.example/d/p.html",
        link=absolute(dice.choice(LINKS)),
        title=title if headline(title) else "t",
        body=dice.choice([clean, mend])(raw, markup, "https://e.example/d/p.html"),
        published=datetime(2022, 1, 1, tzinfo=SHANGHAI) + timedelta(minutes=dice.randrange(500_000), seconds=number),
        digest=digest,
        category=dice.choice(["news", "2022", "TechWeb", "no", "a-b"]),
        tags=tuple(dice.sample(TAGS, dice.randrange(1, 4))),
    )
    style = PostStyle(
        timezone="Asia/Shanghai",
        fields=("source", "original", "digest", "key"),
        quote=dice.choice(["", "quote", "text"]),
        gap=dice.choice(["", "\n"]),
        back=(
            BackLink(label="返回{tag}新闻", href="//h.example/category/{category}.html"),
            BackLink(label="*Home*", href="../"),
        ),
        joiner=dice.choice(["｜", "\n"]),
        end=dice.choice(["", "\n"]),
    )
    return Case(article, style, raw)


def build(folder: Path, posts: dict[str, bytes]) -> Path:
    """A site with these posts, built; fails with Jekyll's own words."""
    for name, text in {"_config.yml": CONFIG, "_layouts/post.html": LAYOUT}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "_posts").mkdir()
    for name, data in posts.items():
        (folder / "_posts" / name).write_bytes(data)
    feed = subprocess.run(["ruby", "-e", "require 'jekyll-feed'"], capture_output=True).returncode == 0
    (folder / "feeds.yml").write_text("plugins: [jekyll-feed]" if feed else "plugins: []")
    command = ["jekyll", "build", "--config", "_config.yml,feeds.yml", "--disable-disk-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env=environment())
    noise = [line for line in done.stderr.splitlines() if re.search(r"(?i)error|warn|invalid|conflict", line)]
    assert (done.returncode, noise) == (0, []), done.stdout[-2000:] + done.stderr[-4000:]
    return folder / "_site"


def environment() -> dict[str, str]:
    return {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


Element = Any
ELEMENT = {"quote": "blockquote", "text": "p"}


def shape(element: Element, inside_pre: bool = False) -> tuple[Any, ...]:
    """Everything of an element that a reader could notice."""
    inside_pre = inside_pre or element.tag == "pre"

    def seen(text: str | None) -> str:
        return (text or "") if inside_pre else re.sub(r"[ \t\n]+", " ", text or "").strip(" ")

    inner = [part for child in element for part in (shape(child, inside_pre), seen(child.tail))]
    return (element.tag, sorted(element.attrib.items()), seen(element.text), *inner)


def shapes(elements: Iterable[Element]) -> list[tuple[Any, ...]]:
    """Those of all elements; comments are no part of what is read."""
    return [shape(element) for element in elements if element.tag is not etree.Comment]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


STRIP = nh3.Cleaner(tags=set(), clean_content_tags=set(LOST))


def faults(case: Case, page: str) -> list[str]:
    """What the page says otherwise than the article."""
    article, style = case.article, case.style
    tree: Element = html.document_fromstring(page)
    front = json.loads(tree.get_element_by_id("front").text_content())
    main = tree.find(".//main")
    children = [child for child in main if child.tag is not etree.Comment]
    back = children.pop()
    link = children.pop() if article.link else None
    digest = children.pop(0) if style.quote and one_line(article.digest) else None
    expected = html.fragment_fromstring(article.body, create_parent="main")
    assert article.published
    text = "".join(child.text_content() for child in children)
    checks = {
        "title": (front["title"], headline(article.title)),
        "heading": (squeezed(tree.findtext(".//h1")), squeezed(headline(article.title))),
        "date": (front["date"], f"{article.published:%Y-%m-%d %H:%M:%S %z}"),
        "categories": (front["categories"], [article.category]),
        "tags": (front["tags"], list(article.tags)),
        "body": (shapes(children), shapes(expected)),
        "loose": ((main.text or "").strip() + "".join((child.tail or "").strip() for child in main), ""),
        "text": (squeezed(text), squeezed(tidy(unescape(STRIP.clean(tidy(case.raw)))))),
        "link": ((link[0].get("href"), link.text_content()) if link is not None else None,
                 (sane(article.link), sane(article.link)) if article.link else None),
        "digest": ((digest.tag, digest.text_content().strip(" \n")) if digest is not None else None,
                   (ELEMENT[style.quote], one_line(article.digest)) if digest is not None else None),
        "back": ([(a.text_content(), a.get("href")) for a in back],
                 [(f"返回{article.tags[0]}新闻", f"//h.example/category/{article.category}.html"), ("*Home*", "../")]),
    }  # fmt: skip
    return [f"{what}: {found!r} is not {due!r}" for what, (found, due) in checks.items() if found != due]


def sane(url: str) -> str:
    """An address as the post has it: look-alikes of references without their semicolon."""
    return re.sub(r"(&[A-Za-z0-9#]+);", r"\1%3B", url)


def test_three_hundred_nasty_posts(tmp_path: Path) -> None:
    made = {file_name(case.article, case.style): case for case in cases(300)}
    assert len({name.casefold() for name in made}) == 300
    posts = {name: write_post(case.article, case.style) for name, case in made.items()}
    assert {name: found for name, data in posts.items() if (found := check_post(name, data))} == {}
    site = build(tmp_path, posts)
    wrong = {}
    for name, one in made.items():
        address = f"{one.article.category.lower()}/{name[:10].replace('-', '/')}/{name[11:-3]}.html"
        page = site / address
        wrong[name] = faults(one, page.read_text("utf-8")) if page.exists() else ["no page"]
    assert {name: some for name, some in wrong.items() if some} == {}
    if (site / "feed.xml").exists():
        assert len(etree.parse(site / "feed.xml").findall("{*}entry")) == 300


@pytest.mark.skipif(not POSTS.is_dir(), reason="the shared folder is not here")
def test_the_seed_s_bodies_stay_whole(tmp_path: Path) -> None:
    """What upstream wrote and fit() lets through reaches the page as upstream meant it."""
    posts = {name: (POSTS / name).read_bytes() for name in GOOD if VARIANTS[name] != "k0"}
    site = build(tmp_path, posts)
    for name, data in posts.items():
        post = read_post(data)
        page: Element = html.document_fromstring(next(site.rglob(f"{name[11:-3]}.html")).read_text("utf-8"))
        children = list(page.find(".//main"))[bool(post.digest) : -1 - bool(post.back)]
        body = html.fragment_fromstring(post.body, create_parent="main")
        assert shapes(children) == shapes(body), name
