"""What cron, systemd and GitHub Actions need to run an archive: texts made from paths; nothing is installed here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from crawler.archive.site import yaml_string

_STEPS = (1, 2, 3, 4, 5, 6, 10)
"""Minutes between two looks at what is due: parts of an hour, so that looks fall on the same minutes of each."""


@dataclass(frozen=True, slots=True)
class Job:
    """One archive's visits."""

    command: tuple[str, ...]
    """What runs presskeep, absolute."""
    archive: Path
    budget: str
    minutes: int
    """Between two looks at what is due."""

    @property
    def words(self) -> list[str]:
        """The whole command line."""
        return [*self.command, "run", "--due", "--quiet", "--budget", self.budget, "--archive", str(self.archive)]

    @property
    def name(self) -> str:
        """Of its units: two archives of one name differ."""
        plain = re.sub(r"[^A-Za-z0-9-]+", "-", self.archive.name).strip("-").lower()
        return f"presskeep-{plain or 'archive'}-{sha256(str(self.archive).encode()).hexdigest()[:6]}"


def minutes_between(gaps: Sequence[timedelta]) -> int:
    """Minutes between two looks: ten, or fewer where a source is to be visited more often."""
    least = min([*gaps, timedelta(minutes=_STEPS[-1])])
    return max(step for step in _STEPS if step == 1 or timedelta(minutes=step) <= least)


def crontab(job: Job) -> str:
    """A line for ``crontab -e``. Cron takes ``%`` for the line's end unless a backslash stands before it.

    Raises ValueError for a path with a line break.
    """
    line = shlex.join(job.words).replace("%", r"\%")
    if "\n" in line:
        raise ValueError("a path with a line break cannot stand in a crontab")
    return f"*/{job.minutes} * * * * {line}\n" if job.minutes > 1 else f"* * * * * {line}\n"


def service(job: Job) -> str:
    """The unit that does one run."""
    return f"""\
[Unit]
Description=presskeep: visit what is due in {_unit_text(str(job.archive))}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={" ".join(_unit_word(word) for word in job.words)}
# 75: another run is active in the archive
SuccessExitStatus=75
TimeoutStopSec=2min
SyslogIdentifier={job.name}
Nice=10
IOSchedulingClass=idle
NoNewPrivileges=yes
"""


def timer(job: Job) -> str:
    """The unit that starts the service; a slot that was missed is caught up once."""
    return f"""\
[Unit]
Description=presskeep: look every {job.minutes} minutes what is due in {_unit_text(str(job.archive))}

[Timer]
OnCalendar=*:0/{job.minutes}
Persistent=true
AccuracySec=30s

[Install]
WantedBy=timers.target
"""


def _unit_text(text: str) -> str:
    """For free text in a unit: ``%`` begins a specifier."""
    return " ".join(text.replace("%", "%%").replace("\\", "/").split())


def _unit_word(word: str) -> str:
    """One argument in a unit, quoted as systemd.syntax(7) and systemd.service(5) say. Raises ValueError."""
    if re.search(r"[\x00-\x1f\x7f]", word):
        raise ValueError("a path with control characters cannot stand in a unit")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if re.fullmatch(r"[\w./:=@+,%-]+", escaped, re.ASCII) else f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class Workflow:
    """What a repository's workflow differs in."""

    folder: str
    """The archive, relative to the repository: ``.`` or a folder."""
    state: str
    """Folder of ledger and captures, inside the archive."""
    install: str
    """What pip installs presskeep from."""
    hours: int = 24
    minute: int = 17
    budget: str = "40m"


def workflow(one: Workflow) -> str:
    """A workflow for GitHub Actions that keeps an archive in its repository."""
    hour = "3" if one.hours >= 24 else f"*/{one.hours}" if one.hours > 1 else "*"
    archive, state = shlex.quote(one.folder), shlex.quote(f":(exclude){_inside(one.folder, one.state)}")
    run = f"presskeep run --due --budget {one.budget} --archive {archive}"
    return _WORKFLOW.format(
        cron=f"{one.minute} {hour} * * *",
        install=yaml_string(f"pip install --quiet {one.install}"),
        path=yaml_string(_inside(one.folder, one.state)),
        run=yaml_string(f"{run} || code=$?; echo code=${{code:-0}} >> $GITHUB_OUTPUT"),
        archive=archive,
        state=state,
    )


def _inside(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


_WORKFLOW = """\
# Visits the archive's sources and commits what is new, all posts of a run in one commit: many small commits make a
# repository grow without need. The ledger and the captures are no part of the repository. They are kept in the
# workflow's cache, and only after the push: the ledger never knows a post that the repository lacks. GitHub drops
# caches that nobody used for a week; the ledger is then made anew from the posts, while captures are gone.
name: presskeep
on:
  schedule:
    - cron: "{cron}"
  workflow_dispatch:
permissions:
  contents: write
concurrency:
  group: presskeep
  cancel-in-progress: false
jobs:
  archive:
    runs-on: ubuntu-latest
    timeout-minutes: 90
    steps:
      - name: Check out
        uses: actions/checkout@v4
      - name: Set up Python
        uses: actions/setup-python@v5
        with:
          python-version: "3.13"
      - name: Install presskeep
        run: {install}
      - name: Restore ledger and captures
        uses: actions/cache/restore@v4
        with:
          path: {path}
          key: presskeep-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
          restore-keys: presskeep-
      - name: Visit what is due
        id: visit
        run: {run}
      - name: Commit what is new
        run: |
          git config user.name "presskeep"
          git config user.email "presskeep@users.noreply.github.com"
          git add --all -- {archive}
          git add --all --force -- {state}  # what .gitignore keeps out elsewhere is kept here, for there is no disk
          if git diff --cached --quiet; then
            echo "Nothing new."
            exit 0
          fi
          git commit --quiet --message "presskeep: $(git diff --cached --name-only | wc -l) files on $(date -u +%F)"
          for pause in 5 10 20 40 80; do
            git pull --quiet --rebase && git push --quiet && exit 0
            git rebase --abort 2>/dev/null || true
            sleep $pause
          done
          exit 1
      - name: Keep ledger and captures
        uses: actions/cache/save@v4
        with:
          path: {path}
          key: presskeep-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
      - name: Say how the visit went
        run: exit ${{{{ steps.visit.outputs.code }}}}
"""
