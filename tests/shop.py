"""An archive without a crawl, to be exported: posts as the writer makes them, and the ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
from click.testing import CliRunner, Result
from lxml import etree

from crawler.archive.changelog import Entry
from crawler.archive.checks import known, settle
from crawler.archive.ledger import Kept, Ledger
from crawler.archive.post import file_name, write_post
from crawler.archive.reader import Post
from crawler.archive.style import PostStyle
from crawler.commands.export import command
from crawler.commands.init import make_archive
from crawler.commands.schema import command as schema_command
from crawler.export.order import Order
from crawler.export.shelf import Item, Publisher, Shelf
from crawler.items import Article
from crawler.site import Site

FIRST = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"
SCHEMAS = Path(__file__).parent / "schemas"
NOTED = "2026-03-09T10:00:00Z"
STYLE = PostStyle(
    timezone="Asia/Shanghai", fields=("source", "key", "original", "modified", "attribution", "authors", "language")
)


@dataclass
class Shop:
    """An archive without a crawl: posts as the writer makes them, and the ledger."""

    folder: Path
    ledger: Ledger

    def keep(self, number: int, source: str = "harbour", revision: int = 0, capture: str = "", **told: Any) -> str:
        """Keep an invented article; its path."""
        article = Article(
            source=source,
            space=source,
            key=f"k{number}",
            url=f"https://harbour.example/a/{number}?x=1&y=2",
            title=told.pop("title", f"第{number}号渡轮“复航” & <more>"),
            body=told.pop("body", f"<p>渡轮{number}号今天复航。</p>\n<p>船长说，风浪 &lt; 3 米。</p>"),
            published=FIRST + timedelta(days=number),
            category="ferry",
            tags=("渡轮", "港口, 夜航"),
        )
        for name, value in told.items():
            setattr(article, name, value)
        data = write_post(article, STYLE)
        name = file_name(article, STYLE)
        path = f"_posts/{name[:10].replace('-', '/')}/{name}"
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(data)
        digest = sha256(data).hexdigest()
        self.ledger.keep([Kept(source, article.key, source, path, digest, capture, revision=revision)])
        return path

    def settle(self, key: str, **told: Any) -> None:
        """What a second look found."""
        settle(self.ledger, {known(self.ledger, key)[0].row.id: told})

    def export(self, *words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(command, [*words, "--archive", str(self.folder)])
        assert done.exit_code == code, done.output
        return done

    def lines(self, *words: str) -> list[dict[str, Any]]:
        """Of an export as JSON Lines, each held against the schema."""
        made = [json.loads(line) for line in self.export("jsonl", *words).stdout.splitlines()]
        for one in made:
            VALIDATOR.validate(one)
        return made


def new_shop(folder: Path) -> Shop:
    """An empty one."""
    make_archive(folder, title="Harbour & more", url="https://archive.example", timezone="Asia/Shanghai")
    return Shop(folder, Ledger(folder / ".presskeep" / "ledger.sqlite"))


class Invented(Shelf):
    """Items that lie on no disk."""

    def __init__(self, items: Sequence[Item], title: str = "Harbour") -> None:
        site = Site(title=title, url="https://archive.example", timezone="Asia/Shanghai")
        super().__init__(Path("nowhere"), site, {}, print)
        self._items = {item.entry.number: item for item in items}

    def item(self, entry: Entry) -> Item:
        return self._items[entry.number]


def invented(number: int = 1, published: datetime = FIRST, publisher: str = "Harbour", **told: Any) -> Item:
    """An item; ``told``: of its post."""
    entry = Entry(number, "s", f"k{number}", "s", 0, "", f"_posts/2026-03-01-k{number}.md", "", "new", NOTED)
    post = Post(**{"title": "渡轮", "date": published, "categories": ("ferry",), "tags": (), "fields": {}, **told})
    return Item(entry, post, "0" * 64, f"https://archive.example/{number}", published, None, Publisher(publisher))


def order_of(*items: Item, now: datetime = FIRST, address: str = "") -> Order:
    """An order for all of these."""
    entries = [item.entry for item in items]
    shelf, count = Invented(items), len(items)
    return Order(shelf=shelf, log="0", lines=lambda: iter(entries), upto=count, now=now, count=count, address=address)


def published_schema() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(CliRunner().invoke(schema_command, ["--export"]).stdout)
    return told


VALIDATOR = jsonschema.Draft202012Validator(published_schema())


def rfc_4287(root: etree._Element) -> None:
    """The grammar, and what it does not say: ids are unique."""
    etree.RelaxNG(file=str(SCHEMAS / "atom.rng")).assertValid(root)
    ids = [one.text for one in root.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids)
