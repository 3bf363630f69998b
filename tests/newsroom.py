"""An invented news site of any size for a loopback server, made page by page as it is asked: lists by category with
paging, a feed, a sitemap index, numbered articles with credits, promotions and related boxes; and its redesign."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from tests.server import Page, Server

_ZH: dict[str, Any] = {
    "lang": "zh-CN",
    "zone": "Asia/Shanghai",
    "name": "青渡新闻网",
    "cats": {"harbour": "港口", "town": "城事", "trade": "商贸", "fields": "乡间"},
    "outlets": ["青渡日报", "海港晚报", "江畔商报", "渡口周刊"],
    "writers": ["沈渡", "陆远舟", "白川", "顾青禾"],
    "source": "来源：",
    "writer": "作者：",
    "promo": "下载青渡新闻客户端，随时看本地消息",
    "related": "相关阅读",
    "foot": "青渡新闻网版权所有，未经许可不得转载",
    "who": ["老船长", "渔市掌柜", "码头会计", "河堤巡查员", "摆渡人", "茶厂师傅", "镇上的木匠", "小学校长"],
    "what": ["修好了旧水闸", "换上了新航标", "清点了三仓稻谷", "挂起了防风灯", "量完了河道水深", "补种了堤上的柳树"],
    "where": ["在青渡桥头", "在北岸粮仓", "在旧码头", "在第三泵站", "在集市东口", "在望江亭下"],
    "then": [
        "，当天傍晚就恢复了通行",
        "，比原定日子早了两天",
        "，费用由各家分摊",
        "，来看的人站满了两岸",
        "，雨停以后再看成效",
    ],
    "stop": "。",
    "when": "%Y年%m月%d日 %H:%M",
}
_EN: dict[str, Any] = {
    "lang": "en-GB",
    "zone": "Europe/London",
    "name": "The Marsh Courier",
    "cats": {"harbour": "Harbour", "town": "Town", "trade": "Trade", "fields": "Fields"},
    "outlets": ["Tern Gazette", "Saltway Herald", "Reedbank Times", "Lighthouse Weekly"],
    "writers": ["Ida Marsh", "Tom Wherry", "Ann Sedge", "Joe Staithe"],
    "source": "Source: ",
    "writer": "By ",
    "promo": "Get the Marsh Courier app and read the news wherever you are",
    "related": "More like this",
    "foot": "Copyright The Marsh Courier, all rights reserved",
    "who": ["The old ferryman", "A baker on Quay Street", "The lock keeper", "Two reed cutters", "The town surveyor"],
    "what": ["mended the sluice gate", "counted the autumn geese", "hung new lamps", "measured the channel depth"],
    "where": ["below the iron bridge", "at the north granary", "by the old quay", "near pumping station three"],
    "then": [", and the way was open again by dusk", ", two days early", ", while half the town looked on"],
    "stop": ".",
    "when": "%d %B %Y, %H:%M",
}  # fmt: skip
FIRST = 1_040_000
"""The id of the first article; the next is three more, as on sites whose ids count other things too."""


@dataclass(frozen=True)
class Truth:
    """One article, as it ought to be kept."""

    number: int
    title: str
    published: datetime
    outlet: str
    """Empty where the page credits nobody."""
    writer: str
    category: str
    paragraphs: tuple[str, ...]

    @property
    def key(self) -> str:
        return str(FIRST + 3 * self.number)

    @property
    def path(self) -> str:
        return f"/{self.category}/{self.published:%Y%m}/{self.key}.html"


@dataclass
class Newsroom:
    """The site. Numbers go from 0, the oldest, to ``size``."""

    size: int
    language: str = "zh"
    redesign: bool = False
    """Article pages in another markup."""
    shown: int = 25
    """Articles on a list page."""
    part: int = 500
    """Addresses in one sitemap."""
    base: str = ""
    """Scheme, host and port; ``on`` fills it in."""
    has_feed: bool = True
    has_sitemap: bool = True
    _words: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._words = _ZH if self.language == "zh" else _EN
        self.cats: dict[str, str] = self._words["cats"]
        self.zone = ZoneInfo(self._words["zone"])
        self._by_size: dict[int, dict[str, list[int]]] = {}

    def on(self, server: Server) -> Newsroom:
        """Let a server answer with this site; what its ``pages`` hold besides comes first."""
        self.base = server.address()
        server.pages = _Lazy(self)
        return self

    def truth(self, number: int) -> Truth:
        """One article."""
        pick, words = random.Random(f"{self.language}:{number}"), self._words
        gap = " " if self.language == "en" else ""

        def sentence() -> str:
            return gap.join(pick.choice(words[part]) for part in ("who", "what", "where"))

        title = f"{sentence()} ({number})" if gap else f"{sentence()}（第{number}号）"
        paragraphs = tuple(
            gap.join(f"{sentence()}{pick.choice(words['then'])}{words['stop']}" for _ in range(pick.randint(2, 4)))
            + f"{gap}[{number}.{place}]"
            for place in range(pick.randint(3, 6))
        )
        published = datetime(2025, 1, 1, 6, 5, tzinfo=self.zone) + timedelta(minutes=37 * number)
        return Truth(
            number=number,
            title=title,
            published=published,
            outlet="" if number % 5 == 2 else words["outlets"][number % 4],
            writer=pick.choice(words["writers"]),
            category=list(self.cats)[pick.randrange(len(self.cats))],
            paragraphs=paragraphs,
        )

    def truths(self) -> Iterator[Truth]:
        """All articles, the newest first."""
        return (self.truth(number) for number in range(self.size - 1, -1, -1))

    def answer(self, path: str) -> Page | None:
        """What an address of the site answers; None for none."""
        where, _, query = path.partition("?")
        name = where.strip("/")
        if where == "/":
            return self._html(self._words["name"], self._items(list(self.truths_of("", 0, 12))))
        if name in self.cats:
            return self._list(name, int(query.removeprefix("page=") or 1) if query.startswith("page=") else 1)
        if where == "/robots.txt":
            sitemap = f"Sitemap: {self.base}/sitemap.xml\n" if self.has_sitemap else ""
            return Page(f"User-agent: *\nDisallow: /desk/\n{sitemap}", "text/plain")
        if where == "/rss.xml" and self.has_feed:
            return self._feed()
        if where.startswith("/sitemap") and self.has_sitemap:
            return self._sitemap(where)
        if where.endswith(".html") and (number := self._number(where)) is not None:
            one = self.truth(number)
            return self._article(one) if one.path == where else None
        return self._html(name, f"<p>{name}</p>") if name in ("about", "contact", "desk") else None

    def truths_of(self, category: str, start: int, stop: int) -> Iterator[Truth]:
        """Those of a category (of all, for none), the newest first, from one place to another."""
        numbers = self._of(category) if category else range(self.size - 1, -1, -1)
        return (self.truth(number) for number in numbers[start:stop])

    def _of(self, category: str) -> list[int]:
        """Numbers of a category, found once for each size."""
        if self.size not in self._by_size:
            by_category: dict[str, list[int]] = {name: [] for name in self.cats}
            for number in range(self.size - 1, -1, -1):
                by_category[self.truth(number).category].append(number)
            self._by_size[self.size] = by_category
        return self._by_size[self.size][category]

    def _number(self, path: str) -> int | None:
        key = path.rpartition("/")[2].removesuffix(".html")
        number, rest = divmod(int(key) - FIRST, 3) if key.isdigit() else (-1, 0)
        return number if rest == 0 and 0 <= number < self.size else None

    def _html(self, title: str, inner: str, head: str = "") -> Page:
        feed = '<link rel="alternate" type="application/rss+xml" href="/rss.xml">' if self.has_feed else ""
        nav = "".join(f'<li><a href="/{slug}/">{escape(name)}</a></li>' for slug, name in self.cats.items())
        words = self._words
        return Page(
            f'<!DOCTYPE html>\n<html lang="{words["lang"]}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            f'<meta property="og:site_name" content="{words["name"]}">{feed}{head}</head>\n<body><header><nav><ul>{nav}'
            f'</ul></nav></header>\n{inner}\n<footer><p>{words["foot"]}</p><a href="/about">About</a> '
            f'<a href="/contact">Contact</a></footer></body></html>\n'
        )

    def _items(self, shown: list[Truth]) -> str:
        lines = (f'<li><a href="{one.path}">{escape(one.title)}</a> <i>{one.published:%m-%d}</i></li>' for one in shown)
        return f'<ul class="items">{"".join(lines)}</ul>'

    def _list(self, category: str, page: int) -> Page | None:
        """Numbers of pages, and no link that says next."""
        numbers = self._of(category)
        pages = -(-len(numbers) // self.shown)
        if not 1 <= page <= max(pages, 1):
            return None
        shown = list(self.truths_of(category, (page - 1) * self.shown, page * self.shown))
        near = [one for one in range(1, pages + 1) if one in (1, pages) or abs(one - page) < 3]
        links = " ".join(f"<b>{one}</b>" if one == page else f'<a href="?page={one}">{one}</a>' for one in near)
        return self._html(self.cats[category], f'{self._items(shown)}<div class="pages">{links}</div>')

    def _article(self, one: Truth) -> Page:
        words = self._words
        related = [self.truth(number) for number in (one.number - 4, one.number + 4) if 0 <= number < self.size]
        parts = [f"<p>{escape(text, quote=False)}</p>" for text in one.paragraphs]
        lines = self._items(related)
        page = self._redesigned(one, parts, lines) if self.redesign else self._designed(one, parts, lines)
        return self._html(f"{one.title} - {words['name']}", page)

    def _designed(self, one: Truth, parts: list[str], related: str) -> str:
        words = self._words
        credit = f'<span class="credit">{words["source"]}{one.outlet}</span>' if one.outlet else ""
        parts.insert(len(parts) // 2, f'<div class="promo"><a href="/app">{words["promo"]}</a></div>')
        return (
            f'<main class="story"><h1 class="headline">{escape(one.title)}</h1>\n<p class="meta"><span class="when">'
            f'{one.published.strftime(words["when"])}</span> {credit} <span class="writer">{words["writer"]}'
            f'{one.writer}</span></p>\n<div class="text">{"".join(parts)}</div>\n'
            f'<aside class="related"><h3>{words["related"]}</h3>{related}</aside>'
            f'<p class="tools"><a href="/share?id={one.key}">+</a></p></main>'
        )

    def _redesigned(self, one: Truth, parts: list[str], related: str) -> str:
        words = self._words
        credit = f'<li class="from">{words["source"]}{one.outlet}</li>' if one.outlet else ""
        return (
            f'<article class="piece"><section class="copy">{"".join(parts)}</section>'
            f'<header><h2 class="title-line">{escape(one.title)}</h2><ul class="facts"><li class="dated">'
            f'{one.published:%Y-%m-%d %H:%M}</li>{credit}<li class="penned">{words["writer"]}{one.writer}</li></ul>'
            f'</header></article><div class="also"><h4>{words["related"]}</h4>{related}</div>'
        )

    def _feed(self) -> Page:
        items = "".join(
            f"<item><title>{escape(one.title)}</title><link>{self.base}{one.path}</link>"
            f"<pubDate>{format_datetime(one.published)}</pubDate></item>"
            for one in self.truths_of("", 0, 30)
        )
        channel = f"<title>{self._words['name']}</title><link>{self.base}/</link><description>x</description>"
        return Page(f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}{items}</channel></rss>', "text/xml")

    def _sitemap(self, where: str) -> Page | None:
        space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        parts = -(-self.size // self.part)
        if where == "/sitemap.xml":
            inner = "".join(f"<sitemap><loc>{self.base}/sitemap-{n}.xml</loc></sitemap>" for n in range(1, parts + 1))
            return Page(f"<sitemapindex {space}>{inner}</sitemapindex>", "text/xml")
        name = where.removeprefix("/sitemap-").removesuffix(".xml")
        if not name.isdigit() or not 1 <= int(name) <= parts:
            return None
        start = (int(name) - 1) * self.part
        inner = "".join(
            f"<url><loc>{self.base}{one.path}</loc><lastmod>{one.published.isoformat()}</lastmod></url>"
            for one in map(self.truth, range(start, min(start + self.part, self.size)))
        )
        return Page(f"<urlset {space}>{inner}</urlset>", "text/xml")


class _Lazy(dict[str, Page]):
    """Pages of a server, made as they are asked for."""

    def __init__(self, newsroom: Newsroom) -> None:
        super().__init__()
        self._newsroom = newsroom

    def get(self, path: str, default: Any = None) -> Any:
        """What was put here, else what the site answers."""
        return super().get(path) or self._newsroom.answer(path) or default
