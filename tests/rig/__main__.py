"""The rig's checks: ``python -m tests.rig [complete idempotent kill9 polite faults] [-- --n 60]``; all by default.

Words after ``--`` are the checks' own options; of them ``faults`` takes ``--seed``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.rig.faults import trials
from tests.rig.target import ROOT
from tests.shared import SHARED

CHECKS = ("complete", "idempotent", "kill9", "polite")
_COMMAND = "env PYTHONPATH={root} {python} -m tests.rig.target {{base}} {{out}} {{state}}"


def prepare(folder: Path, delay: float = 0.5, timeout: float = 30) -> Path:
    """Copy the rig (it keeps its scratch beside itself) and write the target file; its path.

    ``delay``: seconds between two requests to a host that politeness is to be judged by; ``timeout``: seconds that it
    waits for an answer.
    """
    for file in (SHARED / "rig").glob("*.py"):
        shutil.copy(file, folder)
    command = _COMMAND.format(root=ROOT, python=sys.executable)
    pace = f"PRESSKEEP_RIG_DELAY={delay} PRESSKEEP_RIG_CONCURRENCY=1 PRESSKEEP_RIG_TIMEOUT={timeout}"
    polite = command.replace("env ", f"env {pace} ", 1)
    target = {"name": "presskeep", "cmd": command, "cmd_polite": polite, "posts": "_posts/**/*.md", "delay": delay}
    path = folder / "target.json"
    path.write_text(json.dumps(target), encoding="utf-8")
    return path


def check(name: str, target: Path, *more: str, seconds: float = 3600) -> subprocess.CompletedProcess[str]:
    """Run one check; its rows are on stdout, its exit code is 0 if none failed."""
    words = [sys.executable, f"check_{name}.py", "--target", str(target), *more]
    return subprocess.run(words, cwd=target.parent, capture_output=True, text=True, timeout=seconds, check=False)


def faults(folder: Path, more: Sequence[str]) -> int:
    """Try every fault; 1 if presskeep falls short of any."""
    seed = int(more[more.index("--seed") + 1]) if "--seed" in more else 1
    passed = failed = 0
    for trial in trials(folder, folder / "faults", seed=seed):
        print("FAIL" if trial.wrong else "PASS", trial.fault.name, *trial.wrong, sep="  ", flush=True)
        passed, failed = passed + (not trial.wrong), failed + bool(trial.wrong)
    print(f"presskeep faults: {passed} passed, {failed} failed")
    return int(failed > 0)


def main() -> int:
    """All checks that were named, one after the other."""
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    names, more = words[:cut] or [*CHECKS, "faults"], words[cut + 1 :]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        target = prepare(Path(folder))
        for name in names:
            if name == "faults":
                failed |= faults(Path(folder), more)
                continue
            done = check(name, target, *more)
            print(done.stdout + done.stderr, flush=True)
            failed |= done.returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
