"""The lines of ``_config.yml`` that hide packed months from Jekyll, between two marks.

They stand first in ``exclude``: Jekyll asks each pattern of each file, and stops at the first that fits. So excluding
costs Jekyll 4.3 some 30 µs a file (100,000 posts: 3 s of CPU), and nothing has to be moved.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from crawler.archive.posts import replace
from crawler.pack.window import FOLDER
from crawler.yamlfile import SettingsError

_BEGIN, _END = "# presskeep pack: hidden from Jekyll, for presskeep renders it", "# presskeep pack: end"
_BLOCK = re.compile(rf"^[ \t]*{re.escape(_BEGIN)}\n(.*?)^[ \t]*{re.escape(_END)}\n", re.DOTALL | re.MULTILINE)
_EXCLUDE = re.compile(r"^exclude:[ \t]*(?:#.*)?\n(?=((?:[ \t]*(?:#.*)?\n)*)([ \t]*)- )", re.MULTILINE)


def patterns(months: Collection[str], there: Iterable[str], flat: bool) -> list[str]:
    """What is excluded; whole years where all their months are. ``there``: all months that have posts."""
    packed = set(months)
    years: dict[str, bool] = {}
    for month in there:
        years[month[:4]] = years.get(month[:4], True) and month in packed
    spans = sorted({month[:4] if years.get(month[:4]) else month for month in packed})
    return (
        [FOLDER, *(f"_posts/{span.replace('-', '/')}" for span in spans), *_flat(spans if flat else ())]
        if spans
        else []
    )


def _flat(spans: Iterable[str]) -> Iterator[str]:
    return (f"_posts/{span}-*" for span in spans)


def with_patterns(config: str, told: Collection[str]) -> str:
    """The text of a ``_config.yml`` with these patterns in place of those it has. Raises ValueError where its
    ``exclude`` is no list of lines."""
    bare = _BLOCK.sub("", config)
    if not told:
        return bare
    match = _EXCLUDE.search(bare)
    if not match:
        raise ValueError("exclude is no list with a line for each item")
    indent = match[2]
    lines = [_BEGIN, *(f"- {pattern}" for pattern in told), _END]
    return bare[: match.end()] + "".join(f"{indent}{line}\n" for line in lines) + bare[match.end() :]


def excluded(config: str) -> list[str]:
    """The patterns between the marks."""
    match = _BLOCK.search(config)
    return [line.strip().removeprefix("- ") for line in match[1].splitlines()] if match else []


def write_patterns(archive: Path, told: Collection[str]) -> bool:
    """Bring ``_config.yml`` up to date; whether it changed. Raises SettingsError."""
    path = archive / "_config.yml"
    config = path.read_bytes().decode()
    try:
        changed = with_patterns(config, told)
    except ValueError as error:
        raise SettingsError([f"{path}: {error}: presskeep cannot add to it"]) from error
    if changed != config:
        replace(path, changed.encode())
    return changed != config
