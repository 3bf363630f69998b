"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server import Server


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


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are named by their argument: content packed at collection may differ between the workers of one run."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first, so that none of them is left for one worker at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
