"""What of the core's state an identity may know: of other symbols than its own not even that they exist."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from ticker import wire
from ticker.runtime import Turn
from web.auth.identity import Identity
from web.auth.patterns import Patterns

Seen = frozenset[str] | None
"""The symbols that somebody may see; `None`: all there are."""
NOTHING: frozenset[str] = frozenset()
NOT_TOLD = "not told with a token for some symbols only; the relay's log says it"
"""In place of words that may name other symbols: addresses of feeds, keys of settings."""
MOST_NAMES = 500_000
"""So many names are remembered, of all identities together, those used last; the memory is bounded by it (about 40 bytes each)."""


class _Answer(NamedTuple):
    version: int
    seen: frozenset[str]


class Visibility:
    """Works out once which symbols a list of patterns shows, and again what is new when there are other symbols.

    `pause` lets others run: whoever asks first may wait, nobody else does.
    """

    def __init__(self, pause: Callable[[], None], clock: Callable[[], float] = time.perf_counter) -> None:
        self._pause = pause
        self._clock = clock
        self._symbols: Mapping[str, object] = {}  # the last that were asked about, of which there may be copies that are equal
        self._names = NOTHING
        self._version = 0  # of the names
        self._added = NOTHING  # since the version before
        self._answers: OrderedDict[Patterns, _Answer] = OrderedDict()  # the one that was used last stands last
        self._held = 0

    def of(self, identity: Identity, symbols: Mapping[str, object]) -> Seen:
        """Which of `symbols` it may see. The same object as before, unless that has changed."""
        patterns = identity.patterns
        if patterns is None:
            return None
        if symbols is not self._symbols:
            self._take(symbols)
        answer = self._answers.get(patterns)
        if answer is None or answer.version != self._version:
            with patterns.turn:
                return self._work_out(patterns)
        self._answers.move_to_end(patterns)
        return answer.seen

    def _take(self, symbols: Mapping[str, object]) -> None:
        names = frozenset(symbols)
        self._symbols = symbols
        if names != self._names:
            self._added = names - self._names
            self._names = names
            self._version += 1

    def _work_out(self, patterns: Patterns) -> frozenset[str]:
        # Symbols may change while others run: what is worked out is about those of now.
        names, version, before = self._names, self._version, self._answers.get(patterns)
        if before is not None and before.version == version:
            return before.seen  # somebody else did, meanwhile
        if before is not None and before.version == version - 1:
            seen = before.seen & names | self._fitting(patterns, self._added)
        else:
            seen = self._fitting(patterns, names)
        if before is not None and before.seen == seen:
            seen = before.seen
        self._remember(patterns, _Answer(version, seen))
        return seen

    def _fitting(self, patterns: Patterns, names: Iterable[str]) -> frozenset[str]:
        fitting, turn = [], Turn(self._clock, self._pause)
        for name in names:
            if patterns.fit(name):
                fitting.append(name)
            turn.step()
        return frozenset(fitting)

    def _remember(self, patterns: Patterns, answer: _Answer) -> None:
        before = self._answers.pop(patterns, None)
        self._held += len(answer.seen) - (0 if before is None else len(before.seen)) + (before is None)
        self._answers[patterns] = answer
        while self._held > MOST_NAMES and len(self._answers) > 1:
            _, (_, oldest) = self._answers.popitem(last=False)
            self._held -= len(oldest) + 1  # a list that shows nothing takes a place too


visible_symbols = Visibility(pause=partial(time.sleep, 0)).of
"""Which of the core's symbols an identity may see (`None`: all): a look-up, but for the first time."""


def symbols(state: list[wire.Symbol], seen: Seen) -> list[wire.Symbol]:
    """Of the wire's `symbols`."""
    return state if seen is None else [entry for entry in state if entry.symbol in seen]


def feeds(state: list[wire.Feed], seen: Seen) -> list[wire.Feed]:
    """Of the wire's `feeds`: what is said of a feed besides is about all of its symbols."""
    if seen is None:
        return state
    return [
        wire.Feed(
            feed=entry.feed,
            kind=entry.kind,
            state=entry.state,
            last_success=entry.last_success,
            next_try=entry.next_try,
            error=_hushed(entry.error),
            upstream=entry.upstream,
        )
        for entry in state
    ]


def config(state: wire.Reload, seen: Seen) -> wire.Reload:
    """Of the wire's `config`."""
    return state if seen is None else wire.Reload(ok=state.ok, at=state.at, error=_hushed(state.error), restart_required=[])


def _hushed(error: str | None) -> str | None:
    return NOT_TOLD if error else None
