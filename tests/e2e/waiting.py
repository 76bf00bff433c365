"""Waits for what must come: asks again and again, with a pause that leaves the machine to those who are to bring it about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tests.e2e.server import PATIENCE_S

PAUSE_S = 0.02
Found = TypeVar("Found")


def wait(look: Callable[[], Found | None], told: Callable[[], object] = lambda: "it did not come") -> Found:
    """The first true thing that `look` returns; `told` says what was seen instead where nothing comes."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline_s, told()
        threading.Event().wait(PAUSE_S)
    return found
