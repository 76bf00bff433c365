"""Who a client is, as far as it matters: what it may see, how fast, until when. Known to everything that hands out data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from web.auth.patterns import Patterns


@dataclass(frozen=True)
class Identity:
    """What a token allows. `symbols` are patterns with `*` for anything (`None`: all), `expires_s` is an epoch time."""

    symbols: tuple[str, ...] | None = None
    max_hz: float | None = None
    expires_s: float | None = None

    def __hash__(self) -> int:
        return hash((self.patterns, self.max_hz, self.expires_s))  # not of a thousand strings each time

    @cached_property
    def patterns(self) -> Patterns | None:
        """`symbols`, ready for use; the same object for the same list."""
        return None if self.symbols is None else Patterns.of(self.symbols)

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden from it."""
        return self.symbols is None

    def may_see(self, symbol: str) -> bool:
        """Whether `symbol` is for its eyes, if there is one of that name. For many that there are: `web.auth.visible.visible_symbols`."""
        return self.patterns is None or self.patterns.fit(symbol)


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
