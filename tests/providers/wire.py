"""What a provider's module deals in: requests, replies, moving prices, recordings and rate limits."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.providers.counted import Counted

BASES = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "DOT", "LINK", "AVAX", *(f"T{number:03}" for number in range(500)))
"""What the servers have markets for: some that exist, and 500 that do not."""


class Request(NamedTuple):
    """A request: its decoded path, its decoded query (the last of a repeated key), its headers in lower case, the fields of its
    form where it is a POST of one, its query with all of a repeated key; and as they stood on the wire, its target and its body.
    """

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, Sequence[str]] | None = None
    repeated: Mapping[str, Sequence[str]] = MappingProxyType({})
    target: str = "/"
    body: bytes | None = None

    @classmethod
    def of(cls, target: str, headers: Mapping[str, str], form: bytes | None = None) -> Request:
        """The request for `target`, as it stands in the request line."""
        parts = urlsplit(target)
        repeated = parse_qs(parts.query, keep_blank_values=True)
        query = {key: values[-1] for key, values in repeated.items()}
        fields = None if form is None else parse_qs(form.decode("latin-1"), keep_blank_values=True)
        return cls(unquote(parts.path), query, headers, fields, repeated, target, form)


@dataclass
class Reply:
    """A status, headers and a body. `Content-Type` and `Content-Length` are added where they are missing."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Reply:
        """`value` as JSON; an underscore in a header's name is a dash."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value, separators=(",", ":")).encode(), {"Content-Type": "application/json; charset=utf-8", **named})


@dataclass
class Control:
    """What `/_control` sets. `switches` are a provider's own: its module lists them."""

    unknown: list[str] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)
    limits: bool = True
    fault: dict[str, Any] | None = None


class Price(NamedTuple):
    """The numbers of a market at one moment, as decimal strings; `time_s` is an epoch time."""

    last: str
    bid: str
    ask: str
    open: str
    high: str
    low: str
    volume: str
    time_s: float


class Market:
    """A price that takes a random step each time it is looked at. Two markets of one name take the same steps."""

    def __init__(self, name: str) -> None:
        self._random = Random(blake2b(name.encode(), digest_size=8).digest())
        self._cents = self._open = self._high = self._low = self._random.randrange(1_000, 10_000_000)
        self._volume = self._random.randrange(1_000_000)

    def look(self) -> Price:
        """The price after the next step."""
        self._cents = max(100, self._cents + self._random.choice((-3, -2, -1, 1, 2, 3)))
        self._high, self._low = max(self._high, self._cents), min(self._low, self._cents)
        self._volume += self._random.randrange(1, 500)
        last, bid, ask, first, high, low, volume = (
            f"{value // 100}.{value % 100:02}"
            for value in (self._cents, self._cents - 1, self._cents + 1, self._open, self._high, self._low, self._volume)
        )
        return Price(last, bid, ask, first, high, low, volume, time.time())


class Bucket:
    """A token bucket: `burst` at once, then `rate_per_s`."""

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = self._tokens = burst
        self._then_s = time.monotonic()

    def take(self, tokens: float = 1) -> bool:
        """Whether `tokens` were there; if so, they are gone."""
        now_s = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now_s - self._then_s) * self._rate_per_s)
        self._then_s = now_s
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True


class Provider(ABC):
    """One provider. Its answers are made under a lock, one at a time."""

    name: ClassVar[str]
    limits: ClassVar[Mapping[str, int]] = {"calls_per_s": 1_000_000}
    """What `/_budget` counts, and how much of it the provider documents to allow: `UNIT_per_WINDOW`."""

    def __init__(self, fixtures: Path | None) -> None:
        self.control = Control()
        self.counted = Counted(self.limits)
        self.fixtures = fixtures
        self._markets: dict[str, Market] = {}
        self._recordings: dict[str, list[Any]] = {}
        self._turns: dict[str, int] = {}
        if fixtures is not None:
            self.load(fixtures)

    def load(self, fixtures: Path) -> None:
        """`record` every answer in the files of `fixtures`; of a provider that says nothing of them, none."""

    def cost(self, request: Request) -> Mapping[str, int]:
        """What a request takes of the limits, by unit."""
        return {"calls": 1}

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """What the provider answers."""

    def record(self, key: str, value: Any) -> None:
        """Keep `value` to be served under `key`; several under one key are served in turn."""
        self._recordings.setdefault(key, []).append(value)

    def recorded(self, *keys: str) -> Any:
        """The next recording under the first of `keys` that has any, or `None`."""
        for key in keys:
            if values := self._recordings.get(key):
                turn = self._turns[key] = self._turns.get(key, -1) + 1
                return values[turn % len(values)]
        return None

    def row(self, name: str, known: Collection[str], make: Callable[[Price], dict[str, Any]]) -> dict[str, Any] | None:
        """The row of `name`, as it was recorded, or as `make` has it where `known` names it; with what the control puts in its fields.
        `None` where there is none.
        """
        if name in self.control.unknown:
            return None
        if self.fixtures is not None:
            found: dict[str, Any] | None = self.recorded(f"row/{name}")
        else:
            found = make(self.price(name)) if name in known else None
        return None if found is None else found | self.control.rows.get(name, {})

    def recorded_keys(self) -> list[str]:
        """Everything that something is recorded under."""
        return list(self._recordings)

    def price(self, market: str) -> Price:
        """The next price of a market."""
        return self._markets.setdefault(market, Market(market)).look()


def not_found() -> Reply:
    """What a path leads to that no provider has."""
    return Reply(404, b"<html><body><h1>404 Not Found</h1></body></html>", {"Content-Type": "text/html"})


def read_json(path: Path) -> Any:
    """The JSON value in a file."""
    return json.loads(path.read_bytes())
