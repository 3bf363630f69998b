"""Stories as they grow: each post that becomes durable is compared with those that share anchors with it, and joins
theirs.

Two posts of different sources, published within some weeks, are copies where their sketches say so; a story is what
hangs together by that. So the same posts make the same stories in whatever order they come. Only where an anchor is
common to very many posts are the later ones not looked up by it any more: they are compared with the first ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive.ledger import Ledger, chunks, stamp
from crawler.archive.sketches import anchors, sketches
from crawler.archive.stories import Member, member, members_of, original_of
from crawler.syndication.sketch import TOGETHER, Sketch, are_one

if TYPE_CHECKING:
    from crawler.memory import Statement
    from crawler.outlets import Outlets

_APART = 30
"""Days that copies are published within. What comes again later is news again, or last year's template."""
_SPAN = 32
"""Days of a span: no fewer, so that copies lie in neighbouring ones."""
_COMMON = 32
"""Posts of a span that are looked up by one anchor."""
Name = tuple[str, str]
"""(space, key) of an article."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an article says of its story."""

    sketch: bytes
    """Packed."""
    outlet: str
    """That it credits, by its normal name; empty for none."""
    publisher: str
    """Name of its source."""
    pointer: bool = False
    """Whether the post only points to another."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A post with what it says of its story."""

    space: str
    key: str
    source: str
    published: datetime
    told: Told

    @property
    def name(self) -> Name:
        return self.space, self.key


@dataclass(frozen=True, slots=True)
class _Node:
    """A post that is compared."""

    id: int
    source: str
    day: int
    """Of publication, in UTC."""
    story: int
    sketch: Sketch

    @property
    def span(self) -> int:
        return self.day // _SPAN


_Holders = defaultdict[int, set[tuple[int, int]]]
"""Anchor -> (span, id) of posts that are looked up by it, in the spans of some nodes and beside them."""


class Stories:
    """Of one ledger. It must be locked: nobody else may write."""

    def __init__(self, ledger: Ledger, outlets: Outlets) -> None:
        self._ledger = ledger
        self._outlets = outlets
        self._edited: list[Noted] = []
        self._next = 0

    def edited(self, posts: Sequence[Noted]) -> None:
        """Other texts take the place of these posts': they go with the next batch."""
        self._edited += posts

    def statements(self, posts: Sequence[Noted]) -> list[Statement]:
        """What the ledger is to note with posts that become durable, and with edits; once or twice is the same."""
        latest = {one.name: one for one in (*self._edited, *posts)}
        self._edited = []
        there = self._there(list(latest))
        fresh = [one for one in latest.values() if not _is_same(there.get(one.name), self._row(one))]
        return self._compared(fresh, there) if fresh else []

    def _compared(self, fresh: Sequence[Noted], there: Mapping[Name, sa.Row[Any]]) -> list[Statement]:
        """For posts that are new, or have another text; ``there``: rows of those that have one."""
        rows = [{"id": self._id(there.get(one.name)), "story": 0, **self._row(one)} for one in fresh]
        nodes = list(map(_node, rows))
        old = [_node(there[one.name]._mapping) for one in fresh if one.name in there]
        holders = self._holders(nodes)
        moved = self._regrouped(nodes, holders, [one.story for one in old if one.story])
        values = [{**row, "story": moved.pop(row["id"])} for row in rows]
        places = [place for node in nodes for place in _places(node) if not _is_common(place, holders)]
        left = [{f"its_{name}": value for name, value in place.items()} for one in old for place in _places(one)]
        told = (
            (_NO_ANCHOR, left),
            (_UPSERT, values),
            (_ANCHOR, places),
            (_MOVE, [{"its_id": id_, "its_story": story} for id_, story in moved.items()]),
        )
        return [(statement, some) for statement, some in told if some]

    def _row(self, one: Noted) -> dict[str, Any]:
        publisher = self._outlets.name(one.told.publisher)
        return {
            "space": one.space,
            "key": one.key,
            "source": one.source,
            "published": stamp(one.published),
            "outlet": one.told.outlet,
            "publisher": publisher,
            "agency": int(publisher in self._outlets.agencies),
            "pointer": int(one.told.pointer),
            "sketch": one.told.sketch,
        }

    def _id(self, there: sa.Row[Any] | None) -> int:
        if there is not None:
            return int(there.id)
        if not self._next:
            self._next = int(self._ledger.read(sa.select(sa.func.coalesce(sa.func.max(sketches.c.id), 0)))[0][0]) + 1
        self._next += 1
        return self._next - 1

    def _there(self, names: Sequence[Name]) -> dict[Name, sa.Row[Any]]:
        """Rows of articles that have one."""
        keys: defaultdict[str, list[str]] = defaultdict(list)
        for space, key in names:
            keys[space].append(key)
        return {
            (row.space, row.key): row
            for space, own in keys.items()
            for some in chunks(own)
            for row in self._ledger.read(_BY_KEY, {"space": space, "keys": some})
        }

    # what hangs together

    def _regrouped(self, nodes: Sequence[_Node], holders: _Holders, left: Iterable[int]) -> dict[int, int]:
        """Id -> story, of these nodes and of all posts whose story is another now. ``left``: stories that posts leave,
        or may: what hangs together in them is asked anew."""
        new = {node.id for node in nodes}
        opened = [*nodes, *(one for one in self._nodes(_OF_STORY, left) if one.id not in new)]
        near = self._nodes(_BY_ID, _candidates(nodes, holders) - {one.id for one in opened})
        now = _grouped(chain(_links(opened, near), ((one.id, one.story) for one in near if one.story)))
        joined = {one.story: now[one.story] for one in near if one.story and now[one.story] != one.story}
        moved = {id_: joined[story] for id_, story in self._members(joined)}
        before = {one.id: one.story for one in (*opened, *near)}
        return moved | {id_: now.get(id_, 0) for id_, story in before.items() if id_ in new or now.get(id_, 0) != story}

    def _members(self, numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
        """(id, story) of all posts of some stories."""
        for some in chunks(sorted(numbers)):
            yield from ((row.id, row.story) for row in self._ledger.read(_IDS_OF_STORY, {"numbers": some}))

    def _holders(self, nodes: Sequence[_Node]) -> _Holders:
        wanted: defaultdict[int, set[int]] = defaultdict(set)
        for node in nodes:
            for span in range(node.span - 1, node.span + 2):
                wanted[span].update(node.sketch.anchors)
        found: _Holders = defaultdict(set)
        for span, own in wanted.items():
            for some in chunks(sorted(own)):
                for row in self._ledger.read(_LOOK_UP, {"span": span, "anchors": some}):
                    found[row.anchor].add((row.span, row.sketch))
        return found

    def _nodes(self, query: sa.Select[Any], numbers: Iterable[int]) -> list[_Node]:
        wanted = sorted(set(numbers))
        return [_node(row._mapping) for some in chunks(wanted) for row in self._ledger.read(query, {"numbers": some})]

    # what a new post may point to

    def original_for(self, one: Noted, waiting: Sequence[Noted] = ()) -> Member | None:
        """The post that this new article is a copy of; None where there is none, or it is the original itself.
        ``waiting``: posts that are not durable yet."""
        row = {"id": 0, "story": 0, **self._row(one)}
        node = _node(row)
        near = self._nodes(_BY_ID, _candidates([node], self._holders([node])))
        copies = [other for other in near if _are_copies(node, other)]
        ids, numbers = [other.id for other in copies], {other.story for other in copies if other.story}
        chosen = sketches.c.id.in_(ids) | sketches.c.story.in_(numbers)
        others = [member(each) for each in self._ledger.read(members_of().where(chosen))] if copies else []
        for each in waiting:
            told = {"id": 0, "story": 0, **self._row(each)}
            if _are_copies(node, _node(told)):
                others.append(_waiting(told))
        own = _waiting(row)
        first, _ = original_of([own, *others])
        return first if first != own else None


def _is_same(there: sa.Row[Any] | None, row: Mapping[str, Any]) -> bool:
    return there is not None and all(there._mapping[name] == value for name, value in row.items())


def _node(row: Mapping[Any, Any]) -> _Node:
    day = date.fromisoformat(row["published"][:10]).toordinal()
    return _Node(row["id"], row["source"], day, row["story"], Sketch.unpacked(row["sketch"]))


def _waiting(row: Mapping[str, Any]) -> Member:
    """Of a row that is not durable: of what was published at one moment, what is here already was first."""
    told = {name: row[name] for name in Member.__slots__ if name not in ("path", "since")}
    return Member(**told | {"agency": bool(row["agency"]), "pointer": bool(row["pointer"])}, path="", since="~")


def _are_copies(one: _Node, other: _Node) -> bool:
    """Whether two posts are of one text: the same whichever is asked first."""
    return one.source != other.source and abs(one.day - other.day) <= _APART and are_one(one.sketch, other.sketch)


class _Unmet:
    """Nodes that no copy was found of yet, to be looked up as in the ledger."""

    def __init__(self, nodes: Iterable[_Node]) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._holders: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        for node in self._nodes.values():
            for anchor in node.sketch.anchors:
                self._holders[node.span, anchor].add(node.id)

    def take(self, node: _Node) -> bool:
        """Whether it was there; it is no more."""
        if self._nodes.pop(node.id, None) is None:
            return False
        for anchor in node.sketch.anchors:
            self._holders[node.span, anchor].discard(node.id)
        return True

    def beside(self, node: _Node) -> list[_Node]:
        """Those that share enough anchors with a node."""
        if not self._nodes:
            return []
        spans = range(node.span - 1, node.span + 2)
        held = (self._holders.get((span, anchor), ()) for anchor in node.sketch.anchors for span in spans)
        shared = Counter(chain.from_iterable(held))
        return [self._nodes[id_] for id_, count in shared.items() if count >= TOGETHER]


def _links(opened: Sequence[_Node], near: Sequence[_Node]) -> Iterator[tuple[int, int]]:
    """Ids of copies, in pairs: enough of them that all of ``opened`` that hang together, by each other or by posts of
    ``near``, do so by these. Two of ``near`` are not asked for.

    What was found is not compared with again, so that a story of many posts in the same words costs a comparison a
    post, not one for each two of them.
    """
    unmet = _Unmet((*opened, *near))
    asked = {one.id for one in opened}
    for first in opened:
        found = [first] if unmet.take(first) else []
        while found:
            node = found.pop()
            for one in unmet.beside(node):
                if (node.id in asked or one.id in asked) and _are_copies(node, one):
                    unmet.take(one)
                    found.append(one)
                    yield node.id, one.id


def _candidates(nodes: Sequence[_Node], holders: _Holders) -> set[int]:
    """Ids of posts that share enough anchors with one of these nodes."""
    found: set[int] = set()
    for node in nodes:
        shared = Counter(id_ for anchor in node.sketch.anchors for _, id_ in holders.get(anchor, ()))
        found.update(id_ for id_, count in shared.items() if count >= TOGETHER)
    return found


def _grouped(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Id -> smallest id of what hangs together with it by these pairs."""
    first: dict[int, int] = {}

    def root(id_: int) -> int:
        while (above := first.setdefault(id_, id_)) != id_:
            first[id_] = first[above]
            id_ = above
        return id_

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        first[high] = low
    return {id_: root(id_) for id_ in list(first)}


def _places(node: _Node) -> list[dict[str, int]]:
    """Rows for its anchors."""
    return [{"span": node.span, "anchor": anchor, "sketch": node.id} for anchor in node.sketch.anchors]


def _is_common(place: Mapping[str, int], holders: _Holders) -> bool:
    return sum(span == place["span"] for span, _ in holders.get(place["anchor"], ())) >= _COMMON


def _upsert() -> Any:
    statement = insert(sketches)
    changes = {
        one.name: statement.excluded[one.name] for one in sketches.columns if one.name not in ("id", "space", "key")
    }
    return statement.on_conflict_do_update(index_elements=["space", "key"], set_=changes)


# Asked for every batch: SQLAlchemy takes four times as long where it builds the query each time.
_SEEN = [sketches.c[name] for name in ("id", "source", "published", "story", "sketch")]
_NUMBERS: sa.BindParameter[int] = sa.bindparam("numbers", expanding=True)
_BY_ID = sa.select(*_SEEN).where(sketches.c.id.in_(_NUMBERS))
_OF_STORY = sa.select(*_SEEN).where(sa.text("story != 0"), sketches.c.story.in_(_NUMBERS))
_IDS_OF_STORY = sa.select(sketches.c.id, sketches.c.story).where(sa.text("story != 0"), sketches.c.story.in_(_NUMBERS))
_BY_KEY = sa.select(sketches).where(
    sketches.c.space == sa.bindparam("space"), sketches.c.key.in_(sa.bindparam("keys", expanding=True))
)
_LOOK_UP = sa.select(anchors).where(
    anchors.c.span == sa.bindparam("span"), anchors.c.anchor.in_(sa.bindparam("anchors", expanding=True))
)
_UPSERT = _upsert()
_ANCHOR = insert(anchors).on_conflict_do_nothing()
_NO_ANCHOR = anchors.delete().where(
    anchors.c.span == sa.bindparam("its_span"),
    anchors.c.anchor == sa.bindparam("its_anchor"),
    anchors.c.sketch == sa.bindparam("its_sketch"),
)
_MOVE = sketches.update().where(sketches.c.id == sa.bindparam("its_id")).values(story=sa.bindparam("its_story"))
