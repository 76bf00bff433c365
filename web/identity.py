"""Who a client is, as far as it matters: what it may see, how fast, until when. Known to everything that hands out data."""

from __future__ import annotations

from typing import NamedTuple


class Identity(NamedTuple):
    """What a token allows. `symbols` are patterns with `*` for anything (`None`: all), `expires_s` is an epoch time."""

    symbols: tuple[str, ...] | None = None
    max_hz: float | None = None
    expires_s: float | None = None

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden from it."""
        return self.symbols is None

    def may_see(self, symbol: str) -> bool:
        """Whether `symbol` is for its eyes, if there is one of that name."""
        return self.symbols is None or any(matches(pattern, symbol) for pattern in self.symbols)


ANYBODY = Identity()
"""Everybody, where nobody is asked."""


CHALLENGE = 'Bearer realm="tickercast"'
"""What HTTP says to who is not let in (`WWW-Authenticate`)."""


class Unauthorized(Exception):
    """No: the message is for people, `code` for programs.

    `throttled_s`: how long whoever asks from that address is not even listened to; `None`: the token is missing or no good.
    """

    def __init__(self, message: str, throttled_s: int | None = None) -> None:
        super().__init__(message)
        self.throttled_s = throttled_s

    @property
    def code(self) -> str:
        """The word for it."""
        return "unauthorized" if self.throttled_s is None else "too_many_requests"


def matches(pattern: str, symbol: str) -> bool:
    """Whether `symbol` is what `pattern` says, `*` standing for any characters. In time that grows with the length only."""
    first, *rest = pattern.split("*")
    if not rest:
        return symbol == pattern
    *middle, last = rest
    if not symbol.startswith(first):
        return False
    at = len(first)
    for part in middle:
        found = symbol.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return symbol.endswith(last) and len(symbol) - len(last) >= at
