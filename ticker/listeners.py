"""Whom the core tells what has happened. What a listener raises is logged, and harms neither the core nor the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Literal

from ticker.quote import Quote

log = logging.getLogger(__name__)

WireState = Literal["symbols", "feeds", "config"]

SYMBOLS_TOLD_EVERY_S = 0.2
"""The list of symbols is told anew no sooner than so long after the last time."""
SYMBOLS_A_S = 5_000
"""Of that list no more entries than so many are told in a second: at the start thousands of symbols get their first price one by one."""


class Listeners:
    """Those of quotes and those of states, in the order in which they came."""

    def __init__(self) -> None:
        self.on_quotes: list[Callable[[Sequence[Quote]], None]] = []
        self.on_state: list[Callable[[WireState], None]] = []
        self._symbols_rest_until_s = 0.0

    def publish(self, quotes: Sequence[Quote]) -> None:
        """Hand on a batch of updates; none is no news."""
        if not quotes:
            return
        for listener in self.on_quotes:
            try:
                listener(quotes)
            except Exception:
                log.exception("a listener failed on %d quotes", len(quotes))

    def tell(self, state: WireState) -> None:
        """The named state of the wire has changed."""
        for listener in self.on_state:
            try:
                listener(state)
            except Exception:
                log.exception("a listener failed on a change of %s", state)

    def may_tell_symbols(self, now_s: float) -> bool:
        """Whether it is time to tell a change of the symbols; `now_s` is monotonic."""
        return now_s >= self._symbols_rest_until_s

    def tell_symbols(self, symbols: int, now_s: float) -> None:
        """The list of so many symbols has changed. The next change may be told when this one has been digested."""
        self._symbols_rest_until_s = now_s + max(SYMBOLS_TOLD_EVERY_S, symbols / SYMBOLS_A_S)
        self.tell("symbols")
