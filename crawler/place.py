"""How a command that somebody is told to type names the archive and its state, so that it works from any folder."""

from __future__ import annotations

from pathlib import Path
from shlex import quote


def place(archive: Path | None, state: str | Path | None = None) -> str:
    """Options to put behind a command, with a blank before each; empty for what was not given."""
    given = (("--archive", archive), ("--state", state))
    return "".join(f" {option} {quote(str(Path(path).resolve()))}" for option, path in given if path)
