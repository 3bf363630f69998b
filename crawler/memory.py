"""The memory of each source that the generic extractor reads: what stands on several of its pages is not the article.

It holds what the posts of a source are made of, and is written in the transaction that says they are durable: a run
that was killed and begun again reads each page with the memory that an undisturbed run would have had. Beside each
article stands what other pages told of it, so that its page is read with the same eyes when it is looked at again.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive.ledger import Ledger, blocks, readings
from crawler.extract.text import squeeze
from crawler.items import Reading

if TYPE_CHECKING:
    from crawler.run import Post

REMEMBERED = 200
"""Articles of a source after which a block is forgotten that no other had; what several had stays."""
_SIBLINGS = 5
"""``<title>`` texts of a source that are shown to its next pages."""
_AFRESH = 256
"""Articles after which other titles are shown, and before that whenever there are twice as many: whoever reads pages by
what is durable so far is mostly shown the same ones as who has kept the articles before them."""
_CHUNK = 400
"""Blocks asked for at once; SQLite's default limit of bound values is 999 in old builds."""
_HEAD = 300
"""Characters that are kept of one."""

Statement = tuple[sa.Executable, Sequence[Mapping[str, Any]]]

# Asked for every article.
_FIRST_SEEN = sa.select(blocks.c.fingerprint, blocks.c.several).where(
    blocks.c.source == sa.bindparam("source"),
    blocks.c.fingerprint.in_(sa.bindparam("prints", expanding=True)),
    blocks.c.key != sa.bindparam("key"),
    (blocks.c.several == 1) | (blocks.c.number > sa.bindparam("since")),
)
_SEVERAL = sa.select(blocks.c.fingerprint).where(
    blocks.c.source == sa.bindparam("source"),
    blocks.c.fingerprint.in_(sa.bindparam("prints", expanding=True)),
    blocks.c.several == 1,
)
_TOLD = sa.select(readings.c.told).where(
    readings.c.space == sa.bindparam("space"), readings.c.key == sa.bindparam("key")
)


@dataclass(frozen=True, slots=True)
class Told:
    """What other pages told of an article when it was read."""

    struck: frozenset[int] = frozenset()
    """Blocks that were left out."""
    spared: frozenset[int] = frozenset()
    """Blocks that stood on another page and were kept."""
    siblings: tuple[str, ...] = ()
    """``<title>`` texts that its headline was compared with."""


class Remembers(Protocol):
    """What the reader of a page may ask."""

    def told(self, space: str, key: str) -> Told | None:
        """As ``Memory`` has it."""

    def known(self, source: str, key: str, prints: Sequence[int]) -> dict[int, bool]:
        """As ``Memory`` has it."""

    def siblings(self, source: str, key: str) -> tuple[str, ...]:
        """As ``Memory`` has it."""


class Memory:
    """Of all sources, as one run sees it: what the ledger holds, and what waits to become durable."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._numbers: dict[str, int] = {}
        self._heads: dict[str, deque[tuple[str, str]]] = {}  # source -> (key, title), the latest first
        self._shown: dict[str, list[tuple[str, str]]] = {}  # source -> those that its pages are shown
        self._fresh: defaultdict[str, dict[int, str]] = defaultdict(dict)  # source -> block -> key that had it first
        self._several: defaultdict[str, set[int]] = defaultdict(set)
        self._noted: dict[tuple[str, str], dict[str, Any]] = {}  # rows of what is not durable yet
        self._edited: list[Post] = []

    # what a page may ask

    def told(self, space: str, key: str) -> Told | None:
        """What was told of an article that was read before; None for a new one."""
        rows = self._ledger.read(_TOLD, {"space": space, "key": key})
        if not rows:
            return None
        told = json.loads(rows[0].told) if rows[0].told else {}
        struck, spared = frozenset(told.get("struck", ())), frozenset(told.get("spared", ()))
        return Told(struck, spared, tuple(told.get("siblings", ())))

    def known(self, source: str, key: str, prints: Sequence[int]) -> dict[int, bool]:
        """Those of these blocks that another article of the source had first, and whether several had them.

        What only one had counts for as long as it is among the latest ``REMEMBERED``.
        """
        fresh = self._fresh.get(source, {})
        found = {one: False for one in prints if fresh.get(one, key) != key}
        about = {"source": source, "key": key, "since": self._number(source) - REMEMBERED}
        for start in range(0, len(prints), _CHUNK):
            rows = self._ledger.read(_FIRST_SEEN, {**about, "prints": list(prints[start : start + _CHUNK])})
            found |= {row.fingerprint: bool(row.several) for row in rows}
        return {one: several or one in self._several.get(source, ()) for one, several in found.items()}

    def siblings(self, source: str, key: str) -> tuple[str, ...]:
        """``<title>`` texts of other articles of the source, a while ago its latest."""
        self._load(source)
        return tuple(islice((head for other, head in self._shown[source] if other != key), _SIBLINGS))

    def _load(self, source: str) -> None:
        if source not in self._heads:
            number = self._number(source)
            self._heads[source] = deque(self._heads_at(source, number), _SIBLINGS + 1)
            self._shown[source] = self._heads_at(source, _shown_since(number))

    def _heads_at(self, source: str, number: int) -> list[tuple[str, str]]:
        """(key, title) of the latest articles when the source had so many."""
        chosen = readings.c.source == source, readings.c.number <= number
        query = sa.select(readings.c.key, readings.c.title).where(*chosen)
        rows = self._ledger.read(query.order_by(readings.c.number.desc()).limit(_SIBLINGS + 1))
        return [(row.key, row.title) for row in rows]

    def _number(self, source: str) -> int:
        """How many articles of the source were read so far."""
        if source not in self._numbers:
            query = sa.select(sa.func.max(readings.c.number)).where(readings.c.source == source)
            self._numbers[source] = self._ledger.read(query)[0][0] or 0
        return self._numbers[source]

    # what becomes of it

    def note(self, post: Post) -> None:
        """An article passed the gate: the next pages of its source are read in the light of it."""
        if (reading := post.reading) is None:
            return
        self._load(post.source)
        number = self._numbers[post.source] = self._number(post.source) + 1
        self._heads[post.source].appendleft((post.key, reading.head[:_HEAD]))
        if number == _shown_since(number):
            self._shown[post.source] = list(self._heads[post.source])
        for one in reading.blocks:
            self._fresh[post.source].setdefault(one, post.key)
        self._several[post.source].update(reading.struck)
        self._noted[post.space, post.key] = {"number": number}

    def edited(self, post: Post) -> None:
        """A second look replaces a post: what it is made of now goes with the next batch."""
        if post.reading is not None:
            self._edited.append(post)

    def statements(self, posts: Sequence[Post]) -> list[Statement]:
        """What the ledger is to note with posts that become durable, and with edits; once or twice is the same."""
        read = [post for post in (*posts, *self._edited) if post.reading is not None]
        self._edited = []
        if not read:
            return []
        rows = [self._row(post) for post in read]
        numbers = {(row["space"], row["key"]): row["number"] for row in rows}
        own, others = [], []
        for post in read:
            assert post.reading is not None
            about = {"source": post.source, "key": post.key, "number": numbers[post.space, post.key]}
            own += [{**about, "fingerprint": one, "several": 0} for one in post.reading.blocks]
            others += [{f"its_{name}": value for name, value in {**about, "print": one}.items()}
                       for one in post.reading.struck]  # fmt: skip
            self._forget(post.source, post.key, post.reading)
        oldest = [{"its_source": source} for source in sorted({post.source for post in read})]
        told = [(_UPSERT, rows), (_FIRST, own), (_AGAIN, others), (_PRUNE, oldest)]
        return [(statement, values) for statement, values in told if values]

    def _row(self, post: Post) -> dict[str, Any]:
        reading = post.reading
        assert reading is not None
        noted = self._noted.pop((post.space, post.key), {"number": self._number(post.source)})
        told = {name: list(getattr(reading, name)) for name in ("struck", "spared", "siblings")}
        told = {name: values for name, values in told.items() if values}
        return {
            "space": post.space,
            "key": post.key,
            "source": post.source,
            "title": reading.head[:_HEAD],
            "told": json.dumps(told, ensure_ascii=False, sort_keys=True) if told else "",
            **noted,
        }

    def _forget(self, source: str, key: str, reading: Reading) -> None:
        """What the ledger will say needs no second place; only until then it is held here."""
        fresh = self._fresh[source]
        for one in reading.blocks:
            if fresh.get(one) == key:
                del fresh[one]
        self._several[source].difference_update(reading.struck)


def _shown_since(number: int) -> int:
    """Of so many articles, the one with which the titles began that are shown now."""
    return number - number % _AFRESH or 1 << number.bit_length() >> 1


class Hindsight(Memory):
    """As it is asked when articles are read once more: what several have is the site's, also for the first that had
    it."""

    def known(self, source: str, key: str, prints: Sequence[int]) -> dict[int, bool]:
        """As ``Memory`` has it."""
        found = super().known(source, key, prints)
        for start in range(0, len(prints), _CHUNK):
            about = {"source": source, "prints": list(prints[start : start + _CHUNK])}
            found |= {row.fingerprint: True for row in self._ledger.read(_SEVERAL, about)}
        return found | {one: True for one in prints if one in self._several.get(source, ())}


class Remade:
    """The memory of one source, made anew from its posts.

    What was struck from posts stands in one of them, and is known by that; on how many others it stood is learnt anew,
    and so are the titles of pages.
    """

    def __init__(self, source: str, space: str) -> None:
        self._source, self._space = source, space
        self._rows: list[dict[str, Any]] = []
        self._blocks: list[dict[str, Any]] = []

    def learn(self, key: str, lines: Sequence[str]) -> None:
        """What a post says; posts come oldest first."""
        from crawler.extract.body import fingerprint  # with all of the extractor, which a run may not need

        about = {"source": self._source, "key": key, "number": len(self._rows) + 1}
        self._rows.append({**about, "space": self._space, "title": "", "told": ""})
        prints = [fingerprint(squeeze(line)) for line in lines if line]
        self._blocks += [{**about, "fingerprint": one, "several": 0} for one in prints]

    @property
    def statements(self) -> list[Statement]:
        """For the ledger."""
        told = ((_UPSERT, self._rows), (_FIRST, self._blocks), (_PRUNE, [{"its_source": self._source}]))
        return [(statement, values) for statement, values in told if values]


def _upsert() -> Any:
    statement = insert(readings)
    changes = {name: statement.excluded[name] for name in ("title", "told")}
    return statement.on_conflict_do_update(index_elements=["space", "key"], set_=changes)


_UPSERT = _upsert()
_FIRST = insert(blocks).on_conflict_do_nothing()
_AGAIN = (
    blocks.update()
    .where(
        blocks.c.source == sa.bindparam("its_source"),
        blocks.c.fingerprint == sa.bindparam("its_print"),
        blocks.c.key != sa.bindparam("its_key"),
    )
    .values(several=1, number=sa.bindparam("its_number"))
)
_LATEST = sa.select(sa.func.max(readings.c.number)).where(readings.c.source == sa.bindparam("its_source"))
_PRUNE = blocks.delete().where(
    blocks.c.source == sa.bindparam("its_source"),
    blocks.c.several == 0,
    blocks.c.number <= _LATEST.scalar_subquery() - REMEMBERED,
)
