"""Fixtures of the fan-out's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.web.fanout.stand import Stand
from ticker.settings import BroadcastSettings, LimitSettings

MakeStand = Callable[..., Stand]


@pytest.fixture
def make_stand() -> Iterator[MakeStand]:
    """Start a stand of one's own; all are stopped when the test is over."""
    stands: list[Stand] = []

    def make(limits: LimitSettings | None = None, broadcast: BroadcastSettings | None = None, **parts: Any) -> Stand:
        stand = Stand(limits, broadcast, **parts)
        stands.append(stand)
        stand.start()
        return stand

    yield make
    for stand in stands:
        stand.stop()


@pytest.fixture
def stand(make_stand: MakeStand) -> Stand:
    """A stand with default limits that flushes at once."""
    return make_stand()
