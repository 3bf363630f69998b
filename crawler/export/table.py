"""CSV (RFC 4180): what is known of each article, without its text; a row for each line of the log that counts.

Values are exact, for programs that count and compare: one that begins with =, +, - or @ is not disguised, for its
disguise could not be told from a headline's own apostrophe. A spreadsheet takes it for a formula, unless its columns
are imported as text.
"""

from __future__ import annotations

import csv
from datetime import datetime
from typing import BinaryIO

from crawler.export.order import Order
from crawler.export.output import text
from crawler.export.rows import ARTICLE, LINE, TEXTS, Value, row_of

COLUMNS = (*LINE, *(name for name in ARTICLE if name not in TEXTS))
"""As the lines of ``export jsonl`` name them; several values of one are parted by semicolons."""


def write(out: BinaryIO, order: Order) -> int:
    """Write the lines that are asked for below a row of names; the number of articles. Raises OSError."""
    written = 0
    with text(out) as lines:
        table = csv.DictWriter(lines, COLUMNS, restval="", extrasaction="ignore")
        table.writeheader()
        for entry, item in order.told():
            table.writerow({name: _cell(value) for name, value in row_of(entry, item).items()})
            written += item is not None
    return written


def _cell(value: Value) -> str | int | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return "; ".join(value) if isinstance(value, tuple) else value
