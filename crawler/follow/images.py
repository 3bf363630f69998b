"""Files of the images that an origin's posts show: each is what its name tells, or it is not taken."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.archive.images import MOST, NoImage, files, path_of
from crawler.archive.posts import Pending, write_all
from crawler.follow.record import Absent, NotHad, OriginError, Record

if TYPE_CHECKING:
    from crawler.follow.origin import Origin


def shown(records: Iterable[Record]) -> list[str]:
    """Paths of the files that posts and their earlier versions show, each once; of one text no more than a crawl keeps
    of an article."""
    texts = chain.from_iterable((one.post, *one.earlier.values()) for one in records)
    few = (list(dict.fromkeys(files(text)))[:MOST] for text in texts)
    return list(dict.fromkeys(chain.from_iterable(few)))


def copy(origin: Origin, folder: Path, paths: Iterable[str]) -> dict[str, str]:
    """Bring files of these forms of names below a folder, durable, one after the other; what is there stays.

    Path -> why it is not there. Raises NotHad where the origin itself cannot be had, OSError.
    """
    missing = (path for path in paths if not (folder / path).is_file())
    return {path: why for path in missing if (why := _copied(origin, folder, path))}


def _copied(origin: Origin, folder: Path, path: str) -> str:
    """Empty, or why it was not."""
    try:
        data = origin.image(path)
        if path_of(data) != path:
            return "not the image that its name tells; it was not taken"
    except NoImage as error:
        return f"{error}; it was not taken"
    except OriginError as error:
        if isinstance(error, NotHad) and not isinstance(error, Absent):
            raise
        return f"the origin cannot give it ({error})"
    write_all(folder, [Pending(path, data)])
    return ""
