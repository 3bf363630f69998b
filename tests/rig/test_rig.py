"""A part of the rig's checks; all of them by ``python -m tests.rig``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.__main__ import check, prepare
from tests.shared import needs_shared


@needs_shared
@pytest.mark.slow
def test_every_article_of_the_rigs_site_is_kept_once_and_whole(tmp_path: Path) -> None:
    done = check("complete", prepare(tmp_path), "--n", "40", seconds=240)
    assert "FAIL" not in done.stdout, done.stdout
    assert "16 passed, 0 failed" in done.stdout, done.stdout + done.stderr
