"""Tables of what texts of posts are compared by, and of the stories that they are of (see stories.py)."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()
sketches = sa.Table(
    "sketches",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("space", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("published", sa.Text, nullable=False),  # ISO 8601 in UTC
    sa.Column("outlet", sa.Text, nullable=False),  # that it credits, empty for none
    sa.Column("publisher", sa.Text, nullable=False),  # the source's own name
    sa.Column("agency", sa.Integer, nullable=False),  # whether that is a news agency's
    sa.Column("pointer", sa.Integer, nullable=False),  # whether its post only points to another
    sa.Column("story", sa.Integer, nullable=False),  # 0 for none
    sa.Column("sketch", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("space", "key"),
    sa.Index("sketches_story", "story", sqlite_where=sa.text("story != 0")),
)
anchors = sa.Table(
    "anchors",  # shingles by which sketches are looked up
    metadata,
    sa.Column("span", sa.Integer, primary_key=True, autoincrement=False),  # of days, so that the latest lie together
    sa.Column("anchor", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sketch", sa.Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)


def begin(connection: sa.Connection) -> None:
    """Lay out the tables where there are none, in the caller's transaction."""
    metadata.create_all(connection)
