"""What the service tells its manager, systemd or one that speaks like it: sd_notify(3), a datagram to the socket it named."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """Says how the service is. Where `NOTIFY_SOCKET` names no socket it says nothing, and what can't be said now is dropped."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # "@" stands for the zero byte that an abstract address begins with. (It may be of another family in a virtual machine: not ours.)
        self._address = "\0" + address[1:] if address.startswith("@") else address if address.startswith("/") else ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if self._address else None
        if self._socket is not None:
            self._socket.setblocking(False)
        self._rounds = -1
        self.watchdog_s = self._watchdog_s(environ) if self._address else None
        """Within so many seconds it must be told that all is well; `None`: it need not."""

    def ready(self) -> None:
        """The service serves, or has taken new settings."""
        self._say("READY=1")

    def reloading(self) -> None:
        """Settings are read; `ready` ends it."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The end has begun."""
        self._say("STOPPING=1")

    def alive(self, rounds: int) -> None:
        """All is well, if more `rounds` have been gone than when it was last asked."""
        if rounds != self._rounds:
            self._rounds = rounds
            self._say("WATCHDOG=1")

    def _say(self, state: str) -> None:
        if self._socket is not None:
            with suppress(OSError):  # nobody listens any more, or not fast enough: quotes do not wait for that
                self._socket.sendto(state.encode(), socket.MSG_NOSIGNAL, self._address)

    @staticmethod
    def _watchdog_s(environ: Mapping[str, str]) -> float | None:
        usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(os.getpid()))
        is_meant = usec.isascii() and usec.isdecimal() and int(usec) > 0 and pid == str(os.getpid())
        return int(usec) / 1_000_000 if is_meant else None
