"""Where an export goes: a file that is whole or absent, or standard output as it comes."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from crawler.archive.posts import draft_of, fsync


@contextmanager
def whole(path: Path) -> Iterator[TextIO]:
    """A text to be written to (UTF-8, line ends as given); durable and at its place when the block has ended, and
    nothing at all where it raised. Raises OSError."""
    temporary = draft_of(path)
    try:
        with temporary.open("x", encoding="utf-8", newline="") as out:
            yield out
        fsync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    fsync(path.parent)


@contextmanager
def standard() -> Iterator[TextIO]:
    """Standard output, UTF-8 whatever the locale. Raises OSError, BrokenPipeError where nobody reads on."""
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        yield out
        out.flush()
    finally:
        out.detach()
