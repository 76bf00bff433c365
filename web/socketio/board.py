"""The board, namespace `/`: greetings and state events out, subscriptions in. And who may join a symbol's namespace."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import random, shuffle
from typing import Any

from socketio.exceptions import ConnectionRefusedError

from ticker import __version__, wire
from ticker.clock import Clock
from ticker.core import Core, WireState
from web.auth.visible import NOTHING, visible_symbols
from web.fanout.channel import Channel
from web.fanout.client import Client
from web.fanout.engine import Engine
from web.fanout.reading_list import ReadingList
from web.socketio.admission import Admission
from web.socketio.resume import resume
from web.socketio.server import Refusal
from web.socketio.state_frames import StateFrames, event_frame

JOINS_PER_S = 2000
"""Namespace joins of one client in a second."""
MAX_HZ, MIN_HZ = 50.0, 0.1
RETURN_FROM_MS, RETURN_SPREAD_MS = 500, 2000
"""When clients are asked to come again after the end, at least spread over so long."""

MOST_UNKNOWN = 1000
"""So many names that there are not are told apart in one request; what more of them there are is refused as too many."""

Answer = dict[str, Any]


class RequestError(Exception):
    """A client asks for what can't be had. `code` is for programs, the message for people."""

    def __init__(self, message: str, code: str = "bad_request") -> None:
        super().__init__(message)
        self.code = code


class BoardNamespace:
    """Handles the events of `/` and keeps its state events current; `SocketIOServer` has it as its board. `members` are the clients that
    joined it.
    """

    def __init__(self, engine: Engine, core: Core, clock: Clock, admission: Admission) -> None:
        self._engine = engine
        self._core = core
        self._clock = clock
        self._admission = admission
        self.members: dict[str, Client] = {}  # by public id, which is what a disconnect names
        self._frames = StateFrames(core)
        self._allowed: dict[Client, frozenset[str]] = {}
        """Who has a "*" subscription of some symbols: all that its identity may see, now and later. Its reading list has them by name;
        these are the ones that it was given."""
        self.handlers: Mapping[str, Callable[..., Any]] = {
            "connect": self._may_join,
            "disconnect": self._left,
            "subscribe": _acknowledged(self._subscribe),
            "unsubscribe": _acknowledged(self._unsubscribe),
            "rate": _acknowledged(self._rate),
            "message": _acknowledged(self._echo),
        }

    # What the server says.

    def state_changed(self, name: WireState) -> None:
        """Tell every member that `symbols`, `feeds` or `config` changed; a slow one gets the newest only."""
        for client, frame in self._frames.anew(name, self.members):
            client.put_state(name, frame)
            self._engine.pump_soon(client)
        if name == "symbols":
            self._allow_new_symbols()

    def beat(self) -> None:
        """Tell every member what time it is."""
        frame = event_frame("beat", wire.Beat(server_time=self._clock.now_ms()))
        for client in list(self.members.values()):
            self._engine.send_frame(client, frame)

    def say_goodbye(self) -> None:
        """Tell every client that the server stops and when to come again: each at a time of its own, spread evenly, in no order."""
        members = list(self.members.values())
        shuffle(members)
        # Twice as long as it takes to let all of them in.
        spread_ms = max(RETURN_SPREAD_MS, 2000 * self._admission.return_s())
        for place, client in enumerate(members):
            retry_after_ms = RETURN_FROM_MS + int(spread_ms * (place + random()) / len(members))
            self._engine.send_frame(client, event_frame("shutdown", wire.Shutdown(retry_after_ms=retry_after_ms)))

    def joined(self, client: Client, namespace: str) -> None:
        """Greet `client`, which has joined `/`."""
        if namespace != "/":
            return
        client.board_joined = True
        self.members[client.public_id] = client
        broadcast = self._engine.broadcast
        self._engine.send_frame(client, event_frame("hello", wire.Hello(
            epoch=self._core.epoch, version=__version__, server_time=self._clock.now_ms(),
            flush_ms=broadcast.flush_ms, heartbeat_s=broadcast.heartbeat_s)))  # fmt: skip
        for name in ("symbols", "feeds", "config"):
            client.put_state(name, self._frames.of(name, client.board_identity))
        self._engine.pump_soon(client)

    def _allow_new_symbols(self) -> None:
        with self._engine.turn:
            for client in self._allowed:
                if self._allow(client):
                    self._engine.pump_soon(client)

    def _allow(self, client: Client) -> bool:
        """Have its subscription of all that it may see list what is new of it; whether anything is."""
        seen = visible_symbols(client.board_identity, self._core.symbols)
        given = self._allowed[client]
        if seen is None or seen is given:
            return False
        subscriptions, reading_list = self._engine.subscriptions, client.board_list()
        new = {symbol: channel for symbol in sorted(seen - given) if (channel := subscriptions.registry.get(symbol)) is not None}
        for channel in new.values():
            if channel not in reading_list.channels:
                subscriptions.join(reading_list, channel)
        # What has no channel yet is for the next time.
        self._allowed[client] = seen if len(new) == len(seen - given) else (seen & given).union(new)
        return bool(new)

    def _left(self, client: Client, *_: Any) -> None:
        if self.members.pop(client.public_id, None) is not None:
            client.board_joined = False
            self._allowed.pop(client, None)
            if client.closed is None and client.board is not None:
                self._engine.subscriptions.leave_everything(client.board)

    # What clients ask.

    def _may_join(self, client: Client, *_: Any) -> None:
        if self._admission.is_surplus(client):
            raise ConnectionRefusedError("too many clients", {"code": "too_many_clients"})

    def gate(self, client: Client, symbol: str) -> Refusal | None:
        """Why `client` may not join the namespace of `symbol`; `None`: it may."""
        if self._admission.is_surplus(client):
            return "too_many_clients", "too many clients"
        if client.joins.exceeds(JOINS_PER_S, self._engine.clock()):
            return "too_many_requests", f"more than {JOINS_PER_S} joins in a second"
        if self._room(client) < 1:
            return "too_many_symbols", f"more than {self._engine.limits.max_symbols_per_client} symbols"
        return None

    def _room(self, client: Client) -> int:
        """How many more symbols the client may read."""
        reading_list = client.board
        board = 0 if reading_list is None else 1 if reading_list.everything or client in self._allowed else len(reading_list.channels)
        return self._engine.limits.max_symbols_per_client - len(client.spaces.channels) - board

    def unknown(self, namespace: str) -> dict[str, Any]:
        """What a client is told that would join a namespace of no symbol."""
        return {"message": "unknown symbol", "data": {"code": "unknown_symbol", "symbol": namespace[1:]}}

    def unknown_event(self, *_: Any) -> Answer:
        """What a client is told that sends any other event."""
        return {"ok": False, "code": "bad_request", "message": "there is no such event; known: subscribe, unsubscribe, rate, message"}

    def _subscribe(self, client: Client, request: Any) -> Answer:
        symbols = _symbols(request)
        period_ms = self._period_ms(request["max_hz"], client) if "max_hz" in request else None
        subscriptions, reading_list = self._engine.subscriptions, client.board_list()
        asked: list[Channel] = []
        if period_ms is None and client.max_hz is not None and not reading_list.period_ms:
            period_ms = 1000 / client.max_hz
        refused: dict[str, str] = {}
        room = self._room(client)
        if symbols == "*":
            if not self._has_all(client, reading_list) and room + len(reading_list.channels) < 1:
                refused["*"] = "too_many_symbols"
            elif client.board_identity.sees_all:
                subscriptions.join_everything(reading_list)
                asked = list(subscriptions.registry.values())
            else:
                self._allowed.setdefault(client, NOTHING)
                self._allow(client)
                asked = list(reading_list.channels)
        else:
            seen = visible_symbols(client.board_identity, self._core.symbols)
            unknown = 0
            for symbol in symbols:
                channel = subscriptions.registry.get(symbol)
                if channel is None or not (seen is None or symbol in seen):
                    unknown += 1
                    refused[symbol] = (
                        "too_many_symbols"
                        if unknown > MOST_UNKNOWN
                        else "unknown_symbol"
                        if client.board_identity.may_see(symbol)
                        else "unauthorized"
                    )
                    continue
                if not reading_list.everything and channel not in reading_list.channels:
                    if room < 1:
                        refused[symbol] = "too_many_symbols"
                        continue
                    subscriptions.join(reading_list, channel)
                    room -= 1
                asked.append(channel)
        if period_ms is not None:
            subscriptions.set_period(reading_list, period_ms)
        answer = {"ok": True, "subscribed": self._subscribed(reading_list), "refused": refused, "max_hz": self._granted_hz(reading_list)}
        if "since" in request:
            answer["recovered"] = resume(subscriptions, reading_list, asked, request["since"])
        self._engine.pump_soon(client)
        return answer

    def _unsubscribe(self, client: Client, request: Any) -> Answer:
        symbols = _symbols(request)
        subscriptions, reading_list = self._engine.subscriptions, client.board_list()
        if symbols == "*":
            subscriptions.leave_everything(reading_list)
            self._allowed.pop(client, None)
        elif self._has_all(client, reading_list):
            left_out = set(symbols)
            seen = visible_symbols(client.board_identity, self._core.symbols)
            kept = [
                channel for symbol, channel in subscriptions.registry.items() if symbol not in left_out and (seen is None or symbol in seen)
            ]
            if self._room(client) + 1 < len(kept):  # "*" itself is one of them
                raise RequestError('leaving some of "*" would leave more symbols than a client may list; leave "*"', "too_many_symbols")
            subscriptions.leave_everything(reading_list, kept)
            self._allowed.pop(client, None)
        else:
            for symbol in symbols:
                channel = subscriptions.registry.get(symbol)
                if channel is not None and channel in reading_list.channels:
                    subscriptions.leave(reading_list, channel)
        return {"ok": True, "subscribed": self._subscribed(reading_list), "max_hz": self._granted_hz(reading_list)}

    def _rate(self, client: Client, request: Any) -> Answer:
        if not isinstance(request, dict) or "max_hz" not in request:
            raise RequestError("rate needs {max_hz: number}")
        self._engine.subscriptions.set_period(client.spaces, self._period_ms(request["max_hz"], client))
        return {"ok": True, "max_hz": self._granted_hz(client.spaces)}

    def _echo(self, client: Client, text: Any) -> Answer:
        if not isinstance(text, str):
            raise RequestError("message needs a string")
        self._engine.send_frame(client, event_frame("message", "Echo: " + text))
        return {"ok": True}

    def _subscribed(self, reading_list: ReadingList) -> list[str]:
        if reading_list.everything:
            return list(self._engine.subscriptions.registry)
        return sorted(channel.symbol for channel in reading_list.channels)

    def _has_all(self, client: Client, reading_list: ReadingList) -> bool:
        """Whether it has a "*" subscription: of all symbols, or of all that it may see."""
        return reading_list.everything or client in self._allowed

    def _ceiling_hz(self) -> float:
        return min(MAX_HZ, 1000 / self._engine.broadcast.flush_ms)

    def _period_ms(self, max_hz: Any, client: Client) -> float:
        """The time between two sends that `max_hz` asks for, clamped; 0 where the conflation window is as long and no token limits it."""
        is_number = isinstance(max_hz, int | float) and not isinstance(max_hz, bool)
        if not is_number or not 0 < max_hz < math.inf:  # false for NaN; no whole number is too large to compare
            raise RequestError("max_hz must be a finite number above 0")
        granted_hz = float(min(max(max_hz, MIN_HZ), self._ceiling_hz()))  # clamped first: a whole number may be too large for a float
        if client.max_hz is not None:
            return 1000 / min(granted_hz, client.max_hz)
        return 0.0 if granted_hz >= 1000 / self._engine.broadcast.flush_ms else 1000 / granted_hz

    def _granted_hz(self, reading_list: ReadingList) -> float:
        return round(1000 / reading_list.period_ms, 6) if reading_list.period_ms else self._ceiling_hz()


def _acknowledged(handler: Callable[[Client, Any], Answer]) -> Callable[..., Answer]:
    """`handler` of an event that has one argument; what can't be had is answered with the reason."""

    def handle(client: Client, *arguments: Any) -> Answer:
        try:
            if len(arguments) != 1:
                raise RequestError(f"expected one argument, got {len(arguments)}")
            return handler(client, arguments[0])
        except RequestError as error:
            return {"ok": False, "code": error.code, "message": str(error)}

    return handle


def _symbols(request: Any) -> list[str] | str:
    """The `symbols` of a request: a list of strings, or "*"."""
    symbols = request.get("symbols") if isinstance(request, dict) else None
    if symbols == "*":
        return "*"
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise RequestError('symbols must be a list of strings, or "*"')
    return list(dict.fromkeys(symbols))
