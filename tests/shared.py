"""Where the shared folder (real posts, captures, checks) lies, for the tests that need it and skip without it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("PRESSKEEP_SHARED", Path(__file__).resolve().parents[2] / "shared"))

needs_shared = pytest.mark.skipif(not (SHARED / "seed").is_dir(), reason=f"the shared folder is not here: {SHARED}")
