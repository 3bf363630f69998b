"""The rig's checks: ``python -m tests.rig [complete idempotent kill9 polite] [-- --n 60]``; all by default."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.rig.target import ROOT
from tests.shared import SHARED

CHECKS = ("complete", "idempotent", "kill9", "polite")
_COMMAND = "env PYTHONPATH={root} {python} -m tests.rig.target {{base}} {{out}} {{state}}"


def prepare(folder: Path) -> Path:
    """Copy the rig (it keeps its scratch beside itself) and write the target file; its path."""
    for file in (SHARED / "rig").glob("*.py"):
        shutil.copy(file, folder)
    command = _COMMAND.format(root=ROOT, python=sys.executable)
    polite = command.replace("env ", "env PRESSKEEP_RIG_DELAY=0.5 PRESSKEEP_RIG_CONCURRENCY=1 ", 1)
    target = {"name": "presskeep", "cmd": command, "cmd_polite": polite, "posts": "_posts/**/*.md"}
    path = folder / "target.json"
    path.write_text(json.dumps(target), encoding="utf-8")
    return path


def check(name: str, target: Path, *more: str, seconds: float = 3600) -> subprocess.CompletedProcess[str]:
    """Run one check; its rows are on stdout, its exit code is 0 if none failed."""
    words = [sys.executable, f"check_{name}.py", "--target", str(target), *more]
    return subprocess.run(words, cwd=target.parent, capture_output=True, text=True, timeout=seconds, check=False)


def main() -> int:
    """All checks that were named, one after the other."""
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    names, more = words[:cut] or list(CHECKS), words[cut + 1 :]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        target = prepare(Path(folder))
        for name in names:
            done = check(name, target, *more)
            print(done.stdout + done.stderr, flush=True)
            failed |= done.returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
