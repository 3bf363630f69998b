"""Where an export goes: a file or an address that fsspec knows, whole or absent; or standard output as it comes."""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, cast

from crawler.archive.posts import draft_of, fsync
from crawler.export.order import Unfit

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://|[a-z0-9]+::", re.IGNORECASE)
_S3 = "needs s3fs. Next: pip install 'presskeep[s3]'"
_EXTRAS = {"s3": _S3, "s3a": _S3}
"""What to do where a library is not there, by scheme; fsspec says it of the others."""


def is_local(out: str) -> bool:
    """Whether it is a path on this machine."""
    return out != "-" and _ADDRESS.match(out) is None


def within(out: str, name: str) -> str:
    """The place that is meant by ``out``: where it is a folder (one that exists, or ends in a slash), the file of that
    name in it."""
    if out == "-" or not (out.endswith("/") or (is_local(out) and Path(out).is_dir())):
        return out
    return f"{out.rstrip('/')}/{name}"


def opened(out: str) -> AbstractContextManager[BinaryIO]:
    """To be written to: ``-``, a path, or an address such as ``s3://bucket/file``. Raises OSError, Unfit."""
    if out == "-":
        return _standard()
    if is_local(out):
        return whole(Path(out))
    return _remote(out)


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that is durable and at its place when the block has ended, and not there at all, or as it was, where the
    block raised. Raises OSError."""
    temporary = draft_of(path)
    try:
        with temporary.open("xb") as out:
            yield out
        fsync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    fsync(path.parent)


@contextmanager
def _standard() -> Iterator[BinaryIO]:
    """Raises OSError, BrokenPipeError where nobody reads on."""
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextmanager
def _remote(address: str) -> Iterator[BinaryIO]:
    """As whole as the store can have it: nothing is at the address before the end, where it knows of such a thing (S3,
    local disks, SFTP, Google and Azure do)."""
    filesystem, path = _found(address)
    if "file" in filesystem.protocol:
        with whole(Path(path)) as out:
            yield out
        return
    try:
        with filesystem.transaction, filesystem.open(path, "wb") as out:
            yield cast(BinaryIO, out)
    except _faults() as error:
        raise OSError(f"{address}: {error}") from error


def _faults() -> tuple[type[Exception], ...]:
    """Errors of a store's library that are no OSError: no credentials, nobody at the endpoint."""
    library: Any = sys.modules.get("botocore.exceptions")
    return (library.BotoCoreError,) if library else ()


def _found(address: str) -> tuple[AbstractFileSystem, str]:
    from fsspec.core import url_to_fs  # a quarter of a second

    scheme = address.partition(":")[0].lower()
    try:
        filesystem, path = url_to_fs(address)
    except ImportError as error:
        raise Unfit(f"{address}: {_EXTRAS.get(scheme, error)}") from error
    except ValueError as error:
        raise Unfit(f"{address}: {error}") from error
    return filesystem, path


@contextmanager
def text(out: BinaryIO) -> Iterator[TextIO]:
    """The same as text: UTF-8 whatever the locale, line ends as given."""
    lines = io.TextIOWrapper(out, encoding="utf-8", newline="")
    try:
        yield lines
        lines.flush()
    finally:
        lines.detach()


@contextmanager
def seekable(out: BinaryIO) -> Iterator[BinaryIO]:
    """A file to go to and fro in; all of it is written to ``out`` when the block has ended."""
    with TemporaryFile() as file:
        yield cast(BinaryIO, file)
        file.seek(0)
        shutil.copyfileobj(file, out)
