"""What a target is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Target(NamedTuple):
    """`run(data)` raises for a bug only."""

    run: Callable[[bytes], None]
    seeds: list[bytes]
