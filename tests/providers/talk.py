"""What the WebSocket half of a provider's server says: one `Talk` a connection. Pure: what it says is carried by `connection.py`."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from tests.providers.wire import Price, Provider, Reply, Request

MOST_OWED = 2000
"""Updates that are made up for after a pause of our own; the others never were."""


class Close(NamedTuple):
    """Close the connection with this code."""

    code: int
    reason: str = ""


class Ping(NamedTuple):
    """Send a ping frame."""


class Raw(NamedTuple):
    """Put these bytes on the wire as they are, whether or not they are a frame."""

    data: bytes


class Reset(NamedTuple):
    """Break the connection off without a word."""


Out = str | bytes | Close | Ping | Raw | Reset
"""A text message, a binary one, or something else that goes onto the wire."""


class Talk(ABC):
    """One connection. Called under the provider's lock; times are monotonic seconds. A provider adds its messages.

    Each symbol in `asked` has an update a second, `per_s` of the switches in all.
    """

    beat_s: ClassVar[float | None] = None
    """How many seconds lie between two heartbeats; `None`: there are none."""
    ping_s: ClassVar[float | None] = None
    """How many seconds lie between two ping frames; `None`: there are none."""
    most_messages_a_second: ClassVar[int | None] = None
    """From the client, pongs among them; one more closes the connection."""

    def __init__(self, provider: Provider, request: Request, now_s: float) -> None:
        self.provider = provider
        self.request = request
        self.asked: dict[str, None] = {}  # symbols, as they are asked for
        self.heard: list[str] = []
        self.pongs = 0
        self.sent = 0
        self.lost = 0
        self.over: Close | None = None  # how it ended, as the other side put it, or we
        self.commands: deque[Out] = deque()
        self._arrived: deque[float] = deque()
        self._opened_s = self._then_s = self._beat_s_ago = self._ping_s_ago = now_s
        self._noticed = False
        self._owed = 0.0
        self._turn = 0

    @abstractmethod
    def opened(self) -> list[Out]:
        """What is said first."""

    @abstractmethod
    def answer(self, message: Any) -> list[Out]:
        """What is said to a JSON message of the client's."""

    @abstractmethod
    def malformed(self) -> list[Out]:
        """What is said to what is no JSON."""

    @abstractmethod
    def update(self, symbol: str, now: Price) -> list[Out]:
        """The next price of a symbol."""

    def beat(self) -> list[Out]:
        """The heartbeat."""
        return []

    def goodbye(self) -> list[Out]:
        """What is said before a planned cut."""
        return []

    def overdue(self, age_s: float) -> list[Out]:
        """What happens to a client that has not done in time what it should have."""
        return []

    def switch(self, name: str, default: Any = None) -> Any:
        """What `/_control` sets of it."""
        return self.provider.control.switches.get(name, default)

    def overlaid(self, symbol: str, fields: dict[str, Any]) -> dict[str, Any]:
        """`fields` as `/_control` has them changed for that symbol."""
        return fields | self.provider.control.rows.get(symbol, {})

    def knows(self, symbol: str, known: frozenset[str]) -> bool:
        """Whether the provider has that symbol."""
        return symbol in known and symbol not in self.provider.control.unknown

    @property
    def mute(self) -> bool:
        """Whether nothing at all is said or heard: a connection that is dead and does not know it."""
        return bool(self.switch("mute"))

    def hear(self, message: str | bytes, now_s: float) -> list[Out]:
        """A message of the client's."""
        if (refused := self.count(now_s)) is not None:
            return [refused]
        self.heard.append(message if isinstance(message, str) else repr(message))
        try:
            decoded = json.loads(message)
        except ValueError:
            return self.malformed()
        return [] if self.switch("deaf") else self.answer(decoded)

    def count(self, now_s: float) -> Close | None:
        """A frame of the client's; how it ends where that was one too many."""
        self.provider.counted.count({"messages": 1})
        while self._arrived and self._arrived[0] <= now_s - 1:
            self._arrived.popleft()
        self._arrived.append(now_s)
        most = self.most_messages_a_second
        return Close(1008, "Too many requests") if most is not None and self.provider.control.limits and len(self._arrived) > most else None

    def due(self, now_s: float) -> list[Out]:
        """What is to be said by now, unasked."""
        out: list[Out] = list(self.commands)
        self.commands.clear()
        age_s, cut_s = now_s - self._opened_s, self.switch("cut_s")
        if cut_s is not None and age_s >= cut_s:
            return [*out, Close(self.switch("cut_code", 1001), "planned")]
        if cut_s is not None and not self._noticed and age_s >= cut_s - self.switch("notice_s", 0):
            self._noticed = True
            out += self.goodbye()
        out += self.overdue(age_s)
        if self._passed("_ping_s_ago", self.switch("ping_s", self.ping_s), now_s):
            out.append(Ping())
        if self._passed("_beat_s_ago", self.switch("beat_s", self.beat_s), now_s):
            out += self.beat()
        return out + self._updates(now_s)

    def _passed(self, since: str, each_s: float | None, now_s: float) -> bool:
        if each_s is None or now_s - getattr(self, since) < each_s:
            return False
        setattr(self, since, now_s)
        return True

    def _updates(self, now_s: float) -> list[Out]:
        passed_s, self._then_s = now_s - self._then_s, now_s
        symbols = [symbol for symbol in self.asked if symbol not in self.switch("quiet_symbols", [])]
        if self.switch("quiet") or not symbols:
            return []
        self._owed = min(self._owed + passed_s * self.switch("per_s", len(symbols)), MOST_OWED)
        out: list[Out] = []
        while self._owed >= 1:
            self._owed -= 1
            self._turn += 1
            symbol = symbols[self._turn % len(symbols)]
            update = self.update(symbol, self.provider.price(symbol))
            if (lose := self.switch("lose")) and self._turn % lose == 0:  # made, counted, and never sent
                self.lost += 1
            else:
                out += update
        return out

    def shown(self) -> dict[str, Any]:
        """For `/_streams`."""
        return {"path": self.request.path, "query": dict(self.request.query), "headers": dict(self.request.headers),
                "asked": list(self.asked), "heard": list(self.heard), "pongs": self.pongs, "sent": self.sent, "lost": self.lost,
                "over": None if self.over is None else list(self.over)}  # fmt: skip


class Streaming(Provider):
    """A provider that is also talked to over WebSockets."""

    limits: ClassVar[Mapping[str, int]] = {"calls_per_s": 1_000_000, "messages_per_s": 1_000_000}

    @abstractmethod
    def talk(self, request: Request, others: list[Talk], now_s: float) -> Talk | Reply:
        """A connection for `request`, or why there is none. `others` are open."""


def text(value: Any) -> str:
    """JSON as providers write it."""
    return json.dumps(value, separators=(",", ":"))
