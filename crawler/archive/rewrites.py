"""Posts replaced by a better reading of their captures. An edit is the article's history, another reading is ours: it
counts as no revision, and the post that was there is kept as ``revisions/…/<name>/reading-<number>.md`` only where its
words were others.

Order of writes: what is about to be replaced goes into the ledger, the earlier readings beside the revisions, then the
posts are replaced, and last the ledger says so. A run that was killed amid that is completed when the next one begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from crawler.archive.ledger import Ledger, articles, rewrites, texts
from crawler.archive.posts import Pending, replace, write_all
from crawler.archive.revisions import folder_of

Statement = tuple[sa.Executable, Sequence[Mapping[str, Any]]]

_ROW = (
    articles.update()
    .where(articles.c.id == sa.bindparam("its_id"))
    .values(digest=sa.bindparam("its_digest"), notes=sa.bindparam("its_notes"))
)
_TEXT = (
    texts.update()
    .where(texts.c.space == sa.bindparam("its_space"), texts.c.key == sa.bindparam("its_key"))
    .values({name: sa.bindparam(f"its_{name}") for name in ("digest", "title", "length", "outlet")})
)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A post, and what is to stand in its place."""

    row: int
    """Of the ledger."""
    path: str
    old: bytes
    new: bytes
    notes: str
    """As in the ledger."""
    text: Mapping[str, Any] | None
    """What the gate remembers of its words: space, key, digest, title, length, outlet; None where they are the same."""
    keep_old: bool
    """Whether its words were others."""


def readings(archive: Path, path: str) -> dict[int, Path]:
    """Number -> file of each earlier reading of a post that is kept, oldest first."""
    found = (archive / folder_of(path)).glob("reading-*.md")
    numbered = ((file.stem.removeprefix("reading-"), file) for file in found)
    return dict(sorted((int(number), file) for number, file in numbered if number.isdecimal()))


def write(archive: Path, ledger: Ledger, made: Sequence[Rewrite], more: Sequence[Statement] = ()) -> None:
    """Replace posts, durable; ``more`` goes with the ledger's last word. Raises OSError."""
    if not made:
        return
    told = [{"path": one.path, "digest": sha256(one.new).hexdigest()} for one in made]
    begun = insert(rewrites)
    again = begun.on_conflict_do_update(index_elements=["path"], set_={"digest": begun.excluded.digest})
    ledger.keep([], more=[(again, told)])
    write_all(archive, [_kept(archive, one) for one in made if one.keep_old])
    for one in made:
        replace(archive / one.path, one.new)
    rows = [
        {"its_id": one.row, "its_digest": row["digest"], "its_notes": one.notes}
        for one, row in zip(made, told, strict=True)
    ]
    words = [{f"its_{name}": value for name, value in one.text.items()} for one in made if one.text]
    told_words = [(_TEXT, words)] if words else []
    done = rewrites.delete().where(rewrites.c.path == sa.bindparam("its_path"))
    ledger.keep([], more=[(_ROW, rows), *told_words, *more, (done, [{"its_path": one.path} for one in made])])


def _kept(archive: Path, one: Rewrite) -> Pending:
    """The first number that is not taken by another text: a run that was killed may have kept this very one."""
    there = readings(archive, one.path)
    numbers = range(1, len(there) + 2)
    number = next(n for n in numbers if n not in there or there[n].read_bytes() == one.old)
    return Pending(f"{folder_of(one.path)}/reading-{number}.md", one.old)


def mend(archive: Path, ledger: Ledger) -> list[str]:
    """Say in the ledger what a killed run had replaced already; a line for each."""
    begun, mended = ledger.read(sa.select(rewrites)), []
    for row in begun:
        file = archive / row.path
        if file.is_file() and sha256(file.read_bytes()).hexdigest() == row.digest:
            ledger.write(articles.update().where(articles.c.path == row.path).values(digest=row.digest))
            mended.append(f"{row.path}: a reading that the ledger did not know of")
    if begun:
        ledger.write(rewrites.delete())
    return mended
