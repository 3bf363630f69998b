"""Parquet: what the lines of ``export jsonl`` say, a column for each name, for tables of millions (pyarrow, DuckDB, …).

Times are moments in the archive's zone, those of the log in UTC; ``author`` and ``keywords`` are lists; what is not
known is null. The file's metadata says ``log`` and ``next``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from crawler.export.order import Order, Unfit
from crawler.export.rows import ARTICLE, LINE, Value, row_of

_ROWS = 1_000
_CHARACTERS = 8_000_000
"""Of texts: what a group of rows holds at most, whichever is reached first. All of a group is in memory at once."""
_NUMBERS = ("sequence", "revision")
_NOTED = ("moment", "gone")
_TIMES = ("datePublished", "dateModified")
_LISTS = ("author", "keywords")


def write(out: BinaryIO, order: Order) -> int:
    """Write the lines that are asked for; the number of articles. Raises OSError, Unfit where pyarrow is not there."""
    arrow, parquet = _pyarrow()
    schema = _schema(arrow, order)
    written = 0
    with parquet.ParquetWriter(out, schema, compression="zstd") as file:
        for rows in _groups(order):
            file.write_batch(arrow.RecordBatch.from_pylist(rows, schema))
            written += sum(row.get("headline") is not None for row in rows)
    return written


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise Unfit("parquet needs pyarrow. Next: pip install 'presskeep[parquet]'") from error
    return pyarrow, parquet


def _schema(arrow: Any, order: Order) -> Any:
    kinds = {
        **dict.fromkeys(_NUMBERS, arrow.int64()),
        **dict.fromkeys(_NOTED, arrow.timestamp("us", "UTC")),
        **dict.fromkeys(_TIMES, arrow.timestamp("us", order.shelf.site.timezone)),
        **dict.fromkeys(_LISTS, arrow.list_(arrow.string())),
    }
    columns = [(name, kinds.get(name, arrow.string())) for name in (*LINE, *ARTICLE)]
    return arrow.schema(columns, {"log": order.log, "next": str(order.upto)})


def _groups(order: Order) -> Iterator[list[dict[str, Value]]]:
    rows: list[dict[str, Value]] = []
    held = 0
    for entry, item in order.told():
        row = row_of(entry, item)
        rows.append({name: _moment(value) if name in _NOTED else value for name, value in row.items()})
        held += len(item.post.body) if item else 0
        if len(rows) == _ROWS or held >= _CHARACTERS:
            yield rows
            rows, held = [], 0
    if rows:
        yield rows


def _moment(value: Value) -> datetime | None:
    """Of what the log says; None for what is no time."""
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None
