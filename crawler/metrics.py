"""How runs went, for Prometheus' textfile collector: gauges of the last run, and of each source's last run."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from crawler.archive.posts import replace

_RUN = {
    "presskeep_run_exit_code": "Exit code of the last run; 0 is well.",
    "presskeep_run_seconds": "Duration of the last run.",
    "presskeep_last_success_timestamp_seconds": "End of the last run whose exit code was 0.",
    "presskeep_sources_unreadable": "Source files that cannot be read.",
}
_SOURCE = {
    "listed": "Articles that its lists named, in its last run.",
    "new": "Articles never seen before, in its last run.",
    "kept": "Posts made, in its last run.",
    "refused": "Articles that gave no post, in its last run.",
    "failed_lists": "Lists that could not be read, in its last run.",
    "waiting": "Articles that are still queued.",
    "alarms": "Reasons for which it is broken, in its last run.",
}
_LOOKED_AT = 200
"""Run reports that are opened for the last run of each source."""


def write_textfile(path: Path, archive: Path, run: Mapping[str, float], sources: list[dict[str, Any]]) -> None:
    """Replace the file as a whole. ``run``: metric -> value; a last success that it lacks stays what it was.

    Raises OSError.
    """
    told = {"presskeep_last_success_timestamp_seconds": _last_success(path), **run}
    replace(path, textfile(archive, told, sources).encode())


def textfile(archive: Path, run: Mapping[str, float], sources: list[dict[str, Any]]) -> str:
    """The text exposition format (version 0.0.4) of Prometheus."""
    lines: list[str] = []
    for name, about in _RUN.items():
        lines += [*_head(name, about), f"{name}{_labels(archive=str(archive))} {run[name]:.15g}"]
    for field, about in _SOURCE.items():
        name = f"presskeep_source_{field}"
        lines += _head(name, about)
        lines += [
            f"{name}{_labels(archive=str(archive), source=one['source'])} {_number(one.get(field, 0))}"
            for one in sources
        ]
    return "\n".join(lines) + "\n"


def _number(told: int | list[Any]) -> int:
    return len(told) if isinstance(told, list) else told


def last_reports(state: Path, sources: Collection[str]) -> list[dict[str, Any]]:
    """Of each source the part of the newest run report that names it."""
    missing, found = set(sources), {}
    for path in sorted(state.glob("runs/*.json"), reverse=True)[:_LOOKED_AT]:
        for one in _sources_of(path):
            if one.get("source") in missing:
                missing.remove(one["source"])
                found[one["source"]] = one
        if not missing:
            break
    return [found[source] for source in sorted(found)]


def _sources_of(path: Path) -> Iterator[dict[str, Any]]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):  # a report is no more than that
        return
    yield from told.get("sources", ())


def _last_success(path: Path) -> float:
    """What the file said so far; 0 where it says nothing."""
    try:
        said = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return 0
    match = re.search(r"^presskeep_last_success_timestamp_seconds\{.*\} (\d+(?:\.\d+)?)$", said, re.MULTILINE)
    return float(match[1]) if match else 0


def _head(name: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} gauge"]


def _labels(**values: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
