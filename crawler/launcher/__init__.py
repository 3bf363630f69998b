"""presskeep's one name in the wheel: puts its folder first on the path, so that the packages keep their plain names."""

from __future__ import annotations

import sys
from pathlib import Path

_folder = Path(__file__).resolve().parent
if (_folder / "crawler").is_dir() and str(_folder) not in sys.path:  # not so in an editable install
    sys.path.insert(0, str(_folder))


def main() -> None:
    """The command line."""
    from crawler.cli import main as verbs

    verbs()
