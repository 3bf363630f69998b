"""The benchmark's news site: article pages of 30-120 KB and list pages, packed; the same for the same seed."""

from __future__ import annotations

import gzip
import html
import json
import re
from pathlib import Path
from random import Random
from typing import NamedTuple

SEED = 20260314
LISTS = 100
_SMALLEST, _LARGEST = 30_000, 120_000
"""Bytes of an article page."""
_BODY = 4_000, 12_000
"""Bytes of an article's text."""
_SOURCE = Path(__file__).with_name("source.yml")

_HAN = "江澄桥镇水渠春茶市场居民检修工程队雨季河道码头渔船学校图书馆展览老城新区道路灯光菜园木工钟楼山坡"
_VERBS = "表示完成开始增加恢复调整检查公布延长举办修复打开连接迁往超过达到记录收到安排讨论"
_SYLLABLES = re.findall("..", "badoelfigaholimjekarloemernoroplenquirasesotulvewiyazet")


class Article(NamedTuple):
    """What a page holds, and a post of it must."""

    number: int
    title: str
    date: str
    marks: tuple[str, str]
    """Words that stand in the first and in the last paragraph alone."""

    @property
    def path(self) -> str:
        """Its address on the site."""
        return f"/a/{self.number}.html"


class _Words:
    """Invented prose in two languages."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._english = ["".join(random.choices(_SYLLABLES, k=random.randint(1, 3))) for _ in range(1500)]
        self._chinese = ["".join(random.choices(_HAN, k=2)) for _ in range(900)] + list(_VERBS)

    def title(self, chinese: bool) -> str:
        if chinese:
            return "".join(self._random.choices(self._chinese, k=9))
        return " ".join(self._random.choices(self._english, k=8)).capitalize()

    def sentence(self, chinese: bool) -> str:
        number = self._random.randint(8, 18)
        if chinese:
            words = self._random.choices(self._chinese, k=number)
            return "".join(words[:6]) + "，" + "".join(words[6:]) + "。"
        return " ".join(self._random.choices(self._english, k=number)).capitalize() + ". "

    def paragraph(self, chinese: bool) -> str:
        return "".join(self.sentence(chinese) for _ in range(self._random.randint(2, 5))).strip()


def make_site(folder: Path, articles: int) -> list[Article]:
    """Write the site below ``folder`` unless it lies there already; what its articles hold. Files end in ``.gz``."""
    random = Random(SEED)
    words = _Words(random)
    site = [_article(number, random, words) for number in range(100_000, 100_000 + articles)]
    done = folder / f"made-{articles}"
    if not done.exists():
        (folder / "a").mkdir(parents=True)
        (folder / "list").mkdir()
        (folder / "robots.txt.gz").write_bytes(gzip.compress(b"User-agent: *\nDisallow: /private/\n"))
        furniture = [_block(random, words, number % 2 == 0) for number in range(300)]
        for article in site:
            page = _page(article, random, words, furniture)
            (folder / f"{article.path[1:]}.gz").write_bytes(gzip.compress(page, 6, mtime=0))
        for number, page in enumerate(_list_pages(site, furniture), 1):
            (folder / f"list/{number}.html.gz").write_bytes(gzip.compress(page, 6, mtime=0))
        done.touch()
    return site


def make_source(path: Path, address: str, *, captures: bool) -> None:
    """Write the site's source file for presskeep."""
    text = _SOURCE.read_text(encoding="utf-8").replace("http://127.0.0.1:8000", address)
    path.write_text(text + f"captures: {json.dumps(captures)}\n", encoding="utf-8")


def _article(number: int, random: Random, words: _Words) -> Article:
    chinese = number % 2 == 0
    date = f"2025-{random.randint(1, 12):02}-{random.randint(1, 28):02} {random.randint(0, 23):02}:{number % 60:02}:07"
    return Article(number, words.title(chinese), date, (f"first{number}mark", f"last{number}mark"))


def _page(article: Article, random: Random, words: _Words, furniture: list[str]) -> bytes:
    chinese = article.number % 2 == 0
    head, tail = _frame(article, _body(article, random, words, chinese), chinese)
    page = random.randint(_SMALLEST, _LARGEST) - len(head.encode()) - len(tail.encode())
    around = []
    while page > 0:
        around.append(random.choice(furniture))
        page -= len(around[-1].encode())
    middle = len(around) // 3
    return "\n".join([head.replace("<!--above-->", "\n".join(around[:middle])), *around[middle:], tail]).encode()


def _frame(article: Article, body: str, chinese: bool) -> tuple[str, str]:
    title = html.escape(article.title)
    public = f"https://news.example{article.path}"
    linked = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "datePublished": article.date.replace(" ", "T") + "+08:00",
        "mainEntityOfPage": public,
    }
    outlet = "江澄晚报" if chinese else "Harbour Wire"
    head = f"""<!DOCTYPE html>
<html lang="{"zh-CN" if chinese else "en"}"><head><meta charset="utf-8"><title>{title} - 江澄</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="description" content="{title}">
<meta property="og:title" content="{title}"><meta property="og:type" content="article">
<meta property="og:url" content="{public}">
<link rel="canonical" href="{public}"><link rel="stylesheet" href="/static/main.css?v=31">
<script type="application/ld+json">{json.dumps(linked, ensure_ascii=False)}</script></head>
<body class="page article"><div id="wrap"><!--above-->
<main><div class="main-left"><h1 class="title">{title}</h1>
<div class="meta"><span class="time">{article.date}</span><span class="source">来源：{outlet}</span>
<span class="share"><a href="javascript:share('wb')">微博</a><a href="#comments">12</a></span></div>
<div id="content" class="txt">
{body}
</div></div></main>"""
    tail = '<footer class="foot"><p>版权所有 江澄</p></footer><script>track("pv", 1);</script></div></body></html>'
    return head, tail


def _body(article: Article, random: Random, words: _Words, chinese: bool) -> str:
    """Paragraphs as sites write them: most bare, others with links, pictures, an advertisement among them."""
    size, paragraphs = random.randint(*_BODY), [f"<p>{article.marks[0]} {words.paragraph(chinese)}</p>"]
    while size > 0:
        text = words.paragraph(chinese)
        paragraphs.append(_paragraph(text, random, article.number))
        size -= len(text.encode())
    paragraphs.insert(len(paragraphs) // 2, '<div class="ad"><script>ad(7)</script><a href="/go?7">广告</a></div>')
    return "\n".join([*paragraphs, f"<p>{words.paragraph(chinese)} {article.marks[1]}</p>"])


def _paragraph(text: str, random: Random, number: int) -> str:
    kind = random.random()
    if kind < 0.7:
        return f"<p>{text}</p>"
    if kind < 0.85:
        at = len(text) // 2
        link = f'<a href="/tag/{number % 90}.html" target="_blank">{text[at:]}</a>'
        return f'<p style="text-indent:2em">{text[:at]}{link}</p>'
    if kind < 0.95:
        return f'<p class="lead"><strong>{text[:12]}</strong>{text[12:]}&nbsp;&amp; more</p>'
    picture = f'<img class="pic" src="/pic/{number}.jpg" alt="{text[:8]}" width="600">'
    return f'<p class="figure" align="center">{picture}<br>{text[:30]}</p>'


def _block(random: Random, words: _Words, chinese: bool) -> str:
    """A piece of what stands around an article: navigation, teasers, comments or a script."""
    kind = random.randrange(4)
    if kind == 0:
        settings = {f"k{at}": random.getrandbits(40) for at in range(random.randint(20, 60))}
        return f"<script>window.__state = {json.dumps(settings)};\nif (a < 3 && b) {{ load('/x.js'); }}</script>"
    if kind == 1:
        links = [f'<li><a href="/c/{at}/">{words.title(chinese)[:12]}</a></li>' for at in range(random.randint(10, 30))]
        return f'<nav class="menu"><ul>{"".join(links)}</ul></nav>'
    if kind == 2:
        teasers = [
            f'<div class="card"><a href="/a/{random.randint(1000, 9999)}" class="pic"><img src="/t/{at}.jpg"></a>'
            f'<h3><a href="/old/{at}.htm">{words.title(chinese)}</a></h3><p>{words.sentence(chinese)}</p></div>'
            for at in range(random.randint(4, 10))
        ]
        return f'<aside class="related"><h2>{words.title(chinese)[:8]}</h2>{"".join(teasers)}</aside>'
    comments = [
        f'<li class="comment" id="c{at}" data-user="{random.randint(1, 9999)}"><b>u{at}</b><span class="when">3h</span>'
        f"<p>{words.sentence(chinese)}</p></li>"
        for at in range(random.randint(4, 12))
    ]
    return f'<section class="comments"><ul>{"".join(comments)}</ul></section>'


def _list_pages(site: list[Article], furniture: list[str]) -> list[bytes]:
    """The articles over LISTS pages, each page with a link to the next."""
    count = min(LISTS, len(site))
    pages = []
    for number in range(1, count + 1):
        items = "\n".join(
            f'<li><h3><a href="{one.path}" title="{html.escape(one.title)}">{html.escape(one.title)}</a></h3></li>'
            for one in site[number - 1 :: count]
        )
        following = f'<a class="next" href="/list/{number + 1}.html">下一页</a>' if number < count else ""
        head = f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>List {number}</title></head>'
        listed = f'<ul class="news">\n{items}\n</ul><div class="pager">{following}</div>'
        pages.append(f"{head}<body>{furniture[number]}{listed}</body></html>".encode())
    return pages
