"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from tests.server import Server
from tests.story import warm


@pytest.fixture
def server() -> Iterator[Server]:
    """A loopback server of one test."""
    running = Server()
    yield running
    running.close()


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Server]:
    """A loopback server of one test module."""
    running = Server()
    yield running
    running.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One more than there are cores, for end-to-end tests wait half of their time; xdist's own variable comes first."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + 1


def pytest_sessionfinish() -> None:
    """The process that commands were forked from ends with the tests."""
    if warm.cache_info().currsize:
        warm().close()


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are named by their argument: content packed at collection may differ between the workers of one run."""
    return argname if isinstance(val, bytes) else None


LONG = re.compile(
    r"test_changes\.py::(?:test_gone_upstream\[(?:410|list|home)\]|test_a_kill_amid_an_edit)"
    r"|test_rebuild\.py::test_a_ledger_from_posts_and_captures\[(?!crawl-lose)"
    r"|test_alarms\.py::test_a_source_that_shows_walls_is_stopped_and_nothing_is_lost\[(?!consent)"
    r"|test_alarms\.py::test_one_in_five_is_quarantined_alone\[(?!paywall)"
    r"|test_kill\.py::test_a_run_that_is_asked_to_end\[interrupt"
    r"|test_rests\.py::test_a_short_rest_is_waited_for\[date"
    r"|test_rests\.py::(?:test_a_host_that_stays_busy|test_a_rest_is_never_longer)"
    r"|test_bad_input\.py::test_a_server_that_never_finishes\[drip"
    r"|test_benchmark\.py::test_all_subjects_keep_every_article"
    r"|test_limits\.py::test_a_page_that_unpacks_beyond_the_limit\[br"
)
"""Further cases of what another test holds, several seconds each: ``pytest -m long`` runs them."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow tests first, so that none is left for one worker at the end; long ones only where they are asked for."""
    for item in items:
        if LONG.search(item.nodeid):
            item.add_marker(pytest.mark.long)
    if not config.option.markexpr and not any("::" in word for word in config.args):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
