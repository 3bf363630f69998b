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
