"""Archives of invented posts over many months, made without a crawl: for the tests of packing and their benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from crawler.archive.ledger import Kept, Ledger, stamp
from crawler.archive.post import file_name, write_post
from crawler.archive.posts import Pending, replace, write_all
from crawler.archive.site import new_site
from crawler.items import Article, Attribution
from crawler.pack.pack import Place
from crawler.run import load_outlets
from crawler.site import load_site, site_yaml
from crawler.sitedata import refresh

TITLES = ("Harbour board votes on ferry fares", "港口新码头开工", "Rain & wind: <late> trains", "晨报早餐“一周”回顾")
OUTLETS = (("chenbao", "晨报"), ("harbour-post", "Harbour Post"), ("wire", "The Wire"))
WORDS = "潮水退去之后码头上的工人们开始整理缆绳并把昨夜卸下的货物一箱一箱搬进仓库里等待清点"
_BATCH = 500


def articles(count: int, first: datetime, every: timedelta, start: int = 0, length: int = 2) -> Iterator[Article]:
    """So many, one every so often. ``length``: paragraphs."""
    for number in range(start, start + count):
        slug, name = OUTLETS[number % 3]
        paragraphs = (f"<p>第{number}篇第{part}段。{WORDS * 3}</p>" for part in range(length))
        yield Article(
            source="wire" if number % 5 == 0 else slug,
            space="s",
            key=f"N{number}",
            url=f"https://news.example/{number}",
            link=f"https://news.example/a/{number}?a=1&b=2",
            title=f"{TITLES[number % 4]} {number}",
            body="\n ".join(paragraphs),
            published=first + every * number,
            attribution=Attribution(name, name, "x"),
            language="zh" if number % 2 else "en",
            category=slug,
            tags=(name, "航运"),
        )


class Packing:
    """An archive with ledger, beside which nothing runs."""

    def __init__(self, folder: Path, **settings: object) -> None:
        """A new one, or the one that is there. ``settings``: lines of presskeep.yml."""
        self.folder = folder
        if not (folder / "presskeep.yml").is_file():
            values = {"title": "Packed", "url": "https://archive.example", "timezone": "Asia/Shanghai"}
            new_site(folder, language="zh-CN", **values)
            more = "".join(f"{name}: {value}\n" for name, value in settings.items())
            (folder / "presskeep.yml").write_text(site_yaml(**values, language="zh-CN") + more, encoding="utf-8")
        self.site = load_site(folder)
        self.state = folder / ".presskeep"
        self.ledger = Ledger(self.state / "ledger.sqlite")

    @property
    def place(self) -> Place:
        """For pack and unpack."""
        return Place(self.folder, self.state, self.site, self.ledger, load_outlets(self.folder))

    def fresh(self) -> None:
        """The site's stubs and data files up to date, as a run leaves them."""
        place = self.place
        refresh(place.archive, place.site, place.ledger, place.outlets, place.sources)

    def add(self, some: Sequence[Article]) -> list[str]:
        """Posts and their rows; the paths."""
        paths: list[str] = []
        for start in range(0, len(some), _BATCH):
            batch = some[start : start + _BATCH]
            posts = [Pending(self.path(one), write_post(one, self.site.style)) for one in batch]
            write_all(self.folder, posts)
            self.ledger.keep([_kept(one, post) for one, post in zip(batch, posts, strict=True)])
            paths += [post.path for post in posts]
        return paths

    def path(self, article: Article) -> str:
        """Of its post."""
        name = file_name(article, self.site.style)
        return f"_posts/{name}" if self.site.posts == "flat" else f"_posts/{name[:10].replace('-', '/')}/{name}"

    def edit(self, article: Article) -> None:
        """Another version in its place."""
        post = Pending(self.path(article), write_post(article, self.site.style))
        replace(self.folder / post.path, post.data)
        self.ledger.keep([_kept(article, post)])

    def tree(self, *but: str) -> dict[str, bytes]:
        """Every file of the site, less the state and the folders named."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        inside = ((path.relative_to(self.folder).as_posix(), path) for path in found)
        return {name: path.read_bytes() for name, path in inside if name.split("/")[0] not in (".presskeep", *but)}


def _kept(article: Article, post: Pending) -> Kept:
    since = stamp(datetime(2026, 1, 1, tzinfo=UTC))
    return Kept(article.space, article.key, article.source, post.path, sha256(post.data).hexdigest(), since=since)
