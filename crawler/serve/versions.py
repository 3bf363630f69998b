"""How a post changed: two of its versions, paragraph by paragraph, what went and what came marked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.archive.checks import by_path
from crawler.archive.markup import text_of
from crawler.archive.reader import Post, read_any
from crawler.archive.revisions import versions
from crawler.archive.rewrites import readings
from crawler.search.words import CJK

if TYPE_CHECKING:
    from crawler.serve.asked import Asked

_PIECE = re.compile(rf"[{CJK}]|[^\W_{CJK}]+|\s+|.", re.DOTALL)
"""What is compared within a paragraph: words, single characters of scripts that have none, signs."""
_MOST = 4_000
"""Such pieces of a paragraph; a longer one is shown twice, for comparing takes time by the square."""
_MOST_LINES, _MOST_MATCHES = 4_000, 200_000
"""Paragraphs of each side, and pairs of equal ones among them, between what both begin and end with; with more of
either all of it counts as changed, for the same reason."""
_MOST_PAIRS = 400
"""Paragraphs of one place times those of the other, up to which each is looked for among the others."""
_ALIKE = 0.5
"""Paragraphs that share less than this are two, not one that changed."""

Part = dict[str, str]
"""``kind`` (same, removed, added) and ``text``."""


@dataclass(frozen=True, slots=True)
class Version:
    """A text that the post had."""

    name: str
    """Its number, ``now`` for the post itself, ``r`` and a number for an earlier reading."""
    when: str
    """When it became the article's text; empty of a reading, for upstream nothing changed."""
    lines: tuple[str, ...]
    """Headline and paragraphs."""


def has_several(archive: Path, path: str) -> bool:
    """Whether there is something to compare."""
    return bool(versions(archive, path) or readings(archive, path))


def page(asked: Asked, address: str, path: str, post: Post) -> str:
    """The comparison that was asked for: of the last two versions where none was named."""
    known = _versions(asked.library.archive, path, post)
    old, new = _chosen(known, asked.query)
    told: dict[str, Any] = {"title": post.title, "url": f"/diff{address}", "post": asked.library.address(path, post)}
    told |= {"versions": [_choice(one) for one in known], "view": asked.query.get("view", "")}
    told |= {"readings": any(not one.when for one in known), "gone": _gone(asked, path)}
    told["language"] = post.fields.get("language")
    if old and new:
        words = asked.look.words
        told["sides"] = [
            {"name": "from", "label": words["from"], "chosen": old.name},
            {"name": "to", "label": words["to"], "chosen": new.name},
        ]
        rows = list(compared(old.lines, new.lines))
        told |= {"rows": rows, "same": all(row["kind"] == "same" for row in rows)}
    return asked.look.own("diff", told, asked.shelves.site())


def _versions(archive: Path, path: str, post: Post) -> list[Version]:
    """Readings, then versions, the latest last."""
    earlier = {f"r{number}": file for number, file in readings(archive, path).items()}
    earlier |= {f"{number}": file for number, file in versions(archive, path).items()}
    read = [(name, _read(file)) for name, file in earlier.items()]
    return [_version(name, one) for name, one in [*read, ("now", post)] if one]


def _read(file: Path) -> Post | None:
    try:
        return read_any(file.read_bytes(), file.name)
    except (OSError, ValueError):
        return None


def _version(name: str, post: Post) -> Version:
    when = "" if name.startswith("r") else str(post.fields.get("last_modified_at") or f"{post.date:%Y-%m-%d %H:%M:%S}")
    return Version(name, when, (post.title, *text_of(post.body).split("\n")))


def _chosen(known: Sequence[Version], query: Any) -> tuple[Version | None, Version | None]:
    if len(known) < 2:
        return None, None
    named = {one.name: one for one in known}
    return named.get(query.get("from", ""), known[-2]), named.get(query.get("to", ""), known[-1])


def _choice(one: Version) -> dict[str, str]:
    return {"name": one.name, "number": one.name.removeprefix("r"), "when": one.when[:16]}


def _gone(asked: Asked, path: str) -> str:
    with asked.library.ledger() as ledger:
        check = by_path(ledger, path) if ledger else None
    return check.gone[:10] if check else ""


def compared(old: Sequence[str], new: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of ``kind`` (same, removed, added, changed), each with the parts of its ``old`` and ``new`` paragraph, and
    with both as one text, ``parts``."""
    head = _alike_from_the_start(old, new)
    tail = _alike_from_the_start(old[head:][::-1], new[head:][::-1])
    yield from (_whole("same", line) for line in old[:head])
    yield from _compared(old[head : len(old) - tail], new[head : len(new) - tail])
    yield from (_whole("same", line) for line in old[len(old) - tail :])


def _alike_from_the_start(old: Sequence[str], new: Sequence[str]) -> int:
    pairs = enumerate(zip(old, new, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(old), len(new)))


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[dict[str, Any]]:
    counts = Counter(new)
    if max(len(old), len(new)) > _MOST_LINES or sum(counts[line] for line in old) > _MOST_MATCHES:
        yield from _replaced(list(old), list(new))
        return
    for operation, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            yield from (_whole("same", line) for line in old[a:b])
        else:
            yield from _replaced(list(old[a:b]), list(new[c:d]))


def _whole(kind: str, line: str) -> dict[str, Any]:
    part = [{"kind": kind, "text": line}]
    return {
        "kind": kind,
        "parts": part,
        "old": [] if kind == "added" else part,
        "new": [] if kind == "removed" else part,
    }


def _replaced(old: list[str], new: list[str]) -> Iterator[dict[str, Any]]:
    """Paragraphs that stand in each other's place: each beside the first that is left and is like it."""
    few = new if len(old) * len(new) <= _MOST_PAIRS else []
    for line in old:
        place = next((at for at, other in enumerate(few) if _alike(line, other)), None)
        if place is None:
            yield _whole("removed", line)
            continue
        yield from (_whole("added", other) for other in new[:place])
        yield _changed(line, new[place])
        new = few = new[place + 1 :]
    yield from (_whole("added", other) for other in new)


def _alike(old: str, new: str) -> bool:
    """By the pieces that both have, wherever these stand."""
    before, after = _PIECE.findall(old), _PIECE.findall(new)
    if max(len(before), len(after)) > _MOST:
        return False
    return SequenceMatcher(None, before, after, autojunk=False).quick_ratio() >= _ALIKE


def _changed(old: str, new: str) -> dict[str, Any]:
    before, after = _PIECE.findall(old), _PIECE.findall(new)
    parts = list(_parts(SequenceMatcher(None, before, after, autojunk=False), before, after))
    halves = {
        "old": [part for part in parts if part["kind"] != "added"],
        "new": [part for part in parts if part["kind"] != "removed"],
    }
    return {"kind": "changed", "parts": parts, **halves}


def _parts(matcher: SequenceMatcher[str], before: Sequence[str], after: Sequence[str]) -> Iterator[Part]:
    for operation, a, b, c, d in matcher.get_opcodes():
        if operation == "equal":
            yield {"kind": "same", "text": "".join(before[a:b])}
            continue
        if b > a:
            yield {"kind": "removed", "text": "".join(before[a:b])}
        if d > c:
            yield {"kind": "added", "text": "".join(after[c:d])}
