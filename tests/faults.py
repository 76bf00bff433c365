"""A network that misbehaves: TCP passed on to a server with latency, jitter, little bandwidth, in small pieces, not at all, or reset.

    with FaultProxy(port) as network:
        network.down.latency_s = 0.2   # server to clients; `up` is the other direction
        network.cut()                  # a black hole: nothing arrives, nothing is refused, connections stay open
        network.heal()                 # what was on its way arrives now, late, as TCP has it
        network.reset()                # every connection ends with a RST

Everything may be changed at any time, from any thread. What an HTTP answer says is spoilt elsewhere: `tests/providers/proxy.py`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Any, Self

CHUNK_BYTES = 16_384
CHUNKS_ON_THE_WAY = 16
"""Of one direction of one connection: a receiver that does not read is soon felt by the sender."""
RECEIVE_BYTES = 65_536
"""Of the proxy's sockets: left alone, the kernel lets them grow to tens of megabytes, where a stall is felt late."""


@dataclass
class Line:
    """One direction. `slice_bytes`: longer pieces are cut up, and each is a segment of its own."""

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    slice_bytes: int | None = None

    def repair(self) -> None:
        """As fast as the machine allows."""
        self.latency_s, self.jitter_s, self.bytes_per_s, self.slice_bytes = 0.0, 0.0, None, None


class FaultProxy:
    """Listens on a free port of 127.0.0.1 and passes on to `port`, in a thread of its own; a context manager."""

    def __init__(self, port: int, seed: int = 0) -> None:
        self.target = port
        """May be changed: the server that new connections go to."""
        self.up, self.down = Line(), Line()
        self._random = Random(seed)
        self._loop = asyncio.new_event_loop()
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._whole = asyncio.Event()
        self._whole.set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)  # those that it accepts inherit it
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(asyncio.start_server(self._serve, sock=self._listener, limit=CHUNK_BYTES))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._listener.close()

    @property
    def connections(self) -> int:
        """How many are passed on."""
        return len(self._pairs)

    def cut(self) -> None:
        """From now on nothing arrives, in either direction; connections stay open, new ones are not answered."""
        self._soon(self._whole.clear)

    def heal(self) -> None:
        """Everything goes on."""
        self._soon(self._whole.set)

    def reset(self, share: float = 1.0) -> None:
        """End connections with a RST at both ends: all, or a random share of them."""

        def reset() -> None:
            for pair in list(self._pairs):
                if self._random.random() < share:
                    for writer in pair:
                        _reset(writer)

        self._soon(reset)

    def _soon(self, work: Callable[[], object]) -> None:
        async def run() -> None:
            work()

        self._do(run())

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _end(self) -> None:
        here = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not here]
        for task in tasks:
            task.cancel()
        for pair in list(self._pairs):
            for writer in pair:
                writer.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, client_reads: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        try:
            server_reads, server = await asyncio.open_connection("127.0.0.1", self.target, limit=CHUNK_BYTES)
        except OSError:
            _reset(client)
            return
        pair = client, server
        self._pairs.add(pair)
        server.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        for writer in pair:
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            writer.transport.set_write_buffer_limits(CHUNK_BYTES)
        try:
            await asyncio.gather(self._pass_on(client_reads, server, self.up), self._pass_on(server_reads, client, self.down))
        except asyncio.CancelledError:
            pass  # the proxy ends; asyncio would tell of it as of an error
        finally:
            self._pairs.discard(pair)
            for writer in pair:
                writer.close()

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, line: Line) -> None:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_ON_THE_WAY)

        async def deliver() -> None:
            while True:
                due_s, data = await under_way.get()
                await asyncio.sleep(max(0.0, due_s - self._loop.time()))
                await self._whole.wait()
                if not data:
                    with suppress(OSError):
                        sink.write_eof()
                    return
                step = line.slice_bytes or len(data)
                for start in range(0, len(data), step):
                    piece = data[start : start + step]
                    sink.write(piece)
                    await sink.drain()
                    if line.bytes_per_s is not None:
                        await asyncio.sleep(len(piece) / line.bytes_per_s)
                    elif line.slice_bytes is not None:
                        await asyncio.sleep(0)

        delivering = asyncio.create_task(deliver())
        due_s = 0.0
        try:
            while not delivering.done():
                data = await source.read(CHUNK_BYTES)
                # Whatever the jitter, TCP keeps the order.
                due_s = max(due_s, self._loop.time() + line.latency_s + self._random.uniform(0, line.jitter_s))
                await under_way.put((due_s, data))
                if not data:
                    break
            await delivering
        except OSError:
            sink.close()
        finally:
            delivering.cancel()


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
