"""A provider that means harm: it sends what a test gives it, and the last piece again and again, as fast as one thread of its own can."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ticker.runtime import Runtime
from web.runtime import original


class Hostile:
    """Serves one connection. `sent`: how many bytes it was rid of."""

    def __init__(self, answer: Callable[[bytes], tuple[bytes, bytes]]) -> None:
        """`answer`: from the head of the request to what is sent first, and what is sent over and over then (empty: the end)."""
        socket: Any = original("socket")  # blocking ones, in a thread: green ones would be kind enough to wait for their turn
        self.sent = 0
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._over = False
        self._thread = original("threading").Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._over = True
        self._listener.shutdown(2)  # which wakes who waits for a connection
        self._listener.close()

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(10.0)
            try:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(65536)
                first, again = self._answer(head)
                for block in itertools.chain([first], itertools.repeat(again)):
                    if not block or self._over:
                        return
                    connection.sendall(block)
                    self.sent += len(block)
            except OSError:  # it was hung up on, which is what it deserves
                return


@contextmanager
def hostile(answer: Callable[[bytes], tuple[bytes, bytes]]) -> Iterator[Hostile]:
    """One for the length of the block."""
    provider = Hostile(answer)
    try:
        yield provider
    finally:
        provider.close()


class Witness:
    """Another task of the process; `turns` counts how often it had its turn."""

    def __init__(self, runtime: Runtime) -> None:
        self.turns = 0
        self._runtime = runtime
        self._task = runtime.spawn(self._watch)
        runtime.sleep(0)

    def stop(self) -> int:
        """End it; how many turns it had."""
        self._task.kill()
        return self.turns

    def _watch(self) -> None:
        while True:
            self.turns += 1
            self._runtime.sleep(0)
