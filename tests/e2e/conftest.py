"""A Node for the tests of a file; and the order of the files: the long ones first, so that none is left when the others are done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clients import NodeDriver, node_driver

HERE = Path(__file__).parent
LONG = (
    "test_streams", "test_page_view", "test_relay", "test_page_robust", "test_page_truth", "test_signals", "test_page_numbers", "test_auth",
    "test_page_accessible", "test_shutdown", "test_recordings", "test_page", "test_page_faces", "test_page_choices", "test_descriptors",
    "test_page_marks", "test_page_notices", "test_proxies", "test_bad_feeds", "test_headless", "test_freshness", "test_reload",
)  # fmt: skip
"""From `pytest --durations=0`; whoever is not named comes last. It holds with pytest-xdist's `--no-loadscope-reorder`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files in order, and leave the tests of each in theirs."""
    unknown = [name for name in LONG if not (HERE / f"{name}.py").is_file()]
    if unknown:
        raise pytest.UsageError(f"{HERE / 'conftest.py'} names files that are not there: {', '.join(unknown)}")
    ranks = {name: rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(LONG)))


@pytest.fixture(scope="module")
def driver() -> Iterator[NodeDriver]:
    """Node, with socket.io-client."""
    with node_driver() as running:
        yield running
