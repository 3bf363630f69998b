"""A part of the rig's checks; all of them by ``python -m tests.rig``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.rig.__main__ import check, prepare
from tests.rig.faults import FAULTS, FEW, trials
from tests.shared import needs_shared

SMALL = {
    "complete": ("--n", "20"),
    "kill9": ("--n", "20", "--kills", "2"),  # so few that how far a kill came cannot decide
    "polite": ("--n", "2"),
}


@needs_shared
@pytest.mark.slow
def test_checks_on_a_small_site(tmp_path: Path) -> None:
    """All but the longest, ``idempotent``, which ``python -m tests.rig`` runs. At once, for they wait more than they
    work; politeness with a fifth of the delay and the patience of a user's."""
    target = prepare(tmp_path, delay=0.1, timeout=6)
    with ThreadPoolExecutor() as pool:
        running = {name: pool.submit(check, name, target, *more, seconds=400) for name, more in SMALL.items()}
    for name, one in running.items():
        done = one.result()
        assert done.returncode == 0, f"{name}\n{done.stdout}{done.stderr}"
        assert " 0 failed" in done.stdout, name


@needs_shared
@pytest.mark.slow
def test_what_is_broken_becomes_no_post_and_nothing_is_lost(tmp_path: Path) -> None:
    prepare(tmp_path)
    done = list(trials(tmp_path, tmp_path / "kept", FEW))
    assert {one.fault.name for one in done} == set(FEW)
    assert {one.fault.name: one.wrong for one in done if one.wrong} == {}


def test_each_fault_has_a_name_of_its_own() -> None:
    names = [one.name for one in FAULTS]
    assert len(names) == len(set(names))
    assert set(FEW) <= set(names)
