"""How much memory a process had at most; Linux counts what its parent had at the fork, so not every way is right."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_BETWEEN = """
import json, resource, subprocess, sys
code = subprocess.call(json.loads(sys.argv[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_of_this_process() -> int:
    """KiB, of this program alone where the system tells."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    own = (int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return next(own, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def peak_of(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, int]:
    """Exit code of a command, and the KiB that it had at most; started by a process whose own memory is little."""
    words = [sys.executable, "-c", _BETWEEN, json.dumps(list(command))]
    code, peak = subprocess.check_output(words, env=dict(environment), text=True).split()
    return int(code), int(peak)
