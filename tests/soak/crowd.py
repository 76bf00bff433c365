"""Clients by the thousand in one process: raw WebSockets on asyncio that read the board, come back when they are lost, and keep count."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import suppress
from random import Random
from typing import Any

from tests.conformance.peer import HANDSHAKE, TEXT, masked
from tests.e2e.raw import WEBSOCKET

SYMBOLS_OF_ALL = "*"


class Member:
    """One client. `newest` is what it knows of each symbol; `wrong` counts what must never happen."""

    def __init__(self, crowd: Crowd, symbols: list[str] | str, receive_bytes: int | None = None) -> None:
        self.crowd = crowd
        self.symbols = symbols
        self.receive_bytes = receive_bytes
        self.newest: dict[str, tuple[int, float]] = {}
        self.epoch = ""
        self.connects = self.recovered = self.restarted = self.messages = 0
        self.wrong: list[str] = []
        self.here = False
        self.reading = asyncio.Event()
        self.reading.set()
        self._task: asyncio.Task[None] | None = None
        self._fresh = False  # whether the next message answers `subscribe`

    def start(self) -> None:
        """Come, and come back."""
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Leave."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _live(self) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError, EOFError):
                await self._visit()
            self.here = False
            await asyncio.sleep(self.crowd.random.uniform(0.2, 1.0))

    async def _visit(self) -> None:
        sock = socket.socket()
        if self.receive_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_bytes)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(sock, ("127.0.0.1", self.crowd.port))
        except OSError:
            sock.close()
            raise
        reader, writer = await asyncio.open_connection(sock=sock, limit=self.receive_bytes or 65_536)
        try:
            head = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
            writer.write(f"GET {WEBSOCKET} HTTP/1.1\r\n{head}\r\n".encode())
            if b" 101 " not in (await reader.readuntil(b"\r\n\r\n"))[:20]:
                raise EOFError
            self.connects += 1
            request: dict[str, Any] = {"symbols": self.symbols}
            if self.epoch:
                request["since"] = {"epoch": self.epoch, "seqs": {symbol: seq for symbol, (seq, _) in self.newest.items()}}
            writer.write(masked(TEXT, "40"))
            writer.write(masked(TEXT, "421" + json.dumps(["subscribe", request])))
            while True:
                await self.reading.wait()
                self._received(writer, await _frame(reader))
        finally:
            writer.transport.abort()

    def _received(self, writer: asyncio.StreamWriter, payload: bytes) -> None:
        if payload == b"2":
            writer.write(masked(TEXT, "3"))
        elif payload.startswith(b'42["hello"'):
            self._greeted(json.loads(payload[2:])[1]["epoch"])
        elif payload.startswith(b"431["):
            self.here = True
            recovered = json.loads(payload[3:])[0].get("recovered")
            self.recovered += recovered is True
            self._fresh = recovered is not True
        elif payload.startswith(b'42["quotes"'):
            self._told(json.loads(payload[2:])[1])

    def _greeted(self, epoch: str) -> None:
        if self.epoch and epoch != self.epoch:
            self.restarted += 1
            self.newest.clear()
        self.epoch = epoch

    def _told(self, quotes: list[dict[str, Any]]) -> None:
        now_ms = time.time() * 1000
        self.messages += 1
        for quote in quotes:
            symbol, seq = quote["symbol"], quote["seq"]
            before = self.newest.get(symbol, (0, 0.0))[0]
            if seq < before or (seq == before and not quote.get("snapshot")):
                self.wrong.append(f"{symbol} went from {before} to {seq}")
            self.newest[symbol] = seq, quote["price"]
            if not quote.get("snapshot"):
                self.crowd.ages_ms.append(now_ms - quote["received_time"])


class Crowd:
    """Many of them, at one port."""

    def __init__(self, port: int, seed: int = 1) -> None:
        self.port = port
        self.random = Random(seed)
        self.members: list[Member] = []
        self.ages_ms: list[float] = []
        """How old each update was when it was read."""

    async def grow(self, count: int, symbols: list[str] | str, receive_bytes: int | None = None, pick: int = 0) -> list[Member]:
        """Let so many come, a hundred at a time; each reads `symbols`, or `pick` of them."""
        new = []
        for number in range(count):
            chosen = self.random.sample(list(symbols), pick) if pick else symbols
            new.append(Member(self, chosen, receive_bytes))
            new[-1].start()
            if number % 100 == 99:
                await asyncio.sleep(0.05)
        self.members += new
        await until(lambda: all(member.here for member in new), 60, "everybody is here")
        return new

    async def shrink(self, leaving: list[Member]) -> None:
        """Let these go."""
        await asyncio.gather(*(member.stop() for member in leaving))
        self.members = [member for member in self.members if member not in leaving]

    async def p99_ms(self, seconds: float) -> float:
        """Of the ages in the next seconds."""
        self.ages_ms.clear()
        await asyncio.sleep(seconds)
        return quantile(self.ages_ms, 0.99)

    @property
    def wrong(self) -> list[str]:
        """What must never happen, and did."""
        return [what for member in self.members for what in member.wrong]


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """The payload of the next frame; pings of WebSocket's own the relay sends none."""
    first, size = await reader.readexactly(2)
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8))
    payload = await reader.readexactly(size)
    if first & 0x0F == 8:
        raise EOFError
    return payload


def quantile(values: list[float], share: float) -> float:
    """Of an unsorted list; infinite where it is empty."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("inf")


async def until(condition: Any, seconds: float, what: str) -> float:
    """Wait until `condition()`; returns the seconds it took. Raises `TimeoutError`."""
    began_s = time.monotonic()
    while not condition():
        if time.monotonic() - began_s > seconds:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.02)
    return time.monotonic() - began_s
