"""What stands between a page and its relay in other people's networks: it looks at each request and decides what becomes of it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import NamedTuple, Self


class Request(NamedTuple):
    """The head of one HTTP request; `target` without the proxy's prefix, which `is_below` says it had."""

    target: str
    is_websocket: bool
    is_below: bool

    @property
    def is_polling(self) -> bool:
        """Whether it is one of long polling."""
        return "transport=polling" in self.target


class Fate(Enum):
    """What becomes of a request that is not answered by the proxy itself."""

    PASSED = "passed on"
    SWALLOWED = "never answered"
    OPENED = "answered with what the relay says at first, and with nothing after that"


Judge = Callable[[Request], Fate | bytes]
"""What becomes of a request; bytes are a whole answer."""


def answer(status: str, kind: str, body: str) -> bytes:
    """An answer that no relay gives."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


class JudgingProxy:
    """Listens on a free port of 127.0.0.1, in a thread of its own; a context manager. Takes `prefix` away from what it passes on.

    `judge` may be changed; `asked` is what came.
    """

    def __init__(self, port: int, judge: Judge, prefix: str = "/") -> None:
        self.judge = judge
        self.asked: list[Request] = []
        self._target = port
        self._prefix = prefix
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{prefix}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, sock=self._listener), self._loop).result()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._listener.close()

    async def _end(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request: its answer says that none follows on this connection."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            is_below = f" {self._prefix}" in head.partition("\r\n")[0]
            head = head.replace(f" {self._prefix}", " /", 1)
            request = Request(head.split(" ", 2)[1], "upgrade: websocket" in head.lower(), is_below)
            self.asked.append(request)
            fate = self.judge(request)
            if isinstance(fate, bytes):
                writer.write(fate)
                await writer.drain()
            elif fate is Fate.SWALLOWED:
                await reader.read(-1)  # until the browser gives up
            else:
                relayed = head if request.is_websocket else head.replace("Connection: keep-alive", "Connection: close")
                await self._pass_on(relayed.encode("latin-1"), reader, writer, 1 if fate is Fate.OPENED else None)
        writer.close()

    async def _pass_on(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None) -> None:
        """Both ways; of the relay's at most so many pieces."""
        relay_reads, relay = await asyncio.open_connection("127.0.0.1", self._target)
        relay.write(head)
        up = asyncio.create_task(_pump(reader, relay, None))
        try:
            await _pump(relay_reads, writer, most)
            if most is not None:
                await up
        finally:
            up.cancel()
            relay.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, most: int | None) -> None:
    while (most is None or most > 0) and (data := await source.read(65_536)):
        sink.write(data)
        await sink.drain()
        most = None if most is None else most - 1
