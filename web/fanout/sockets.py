"""What is done to the sockets of clients when they come and go. They are unpatched and non-blocking."""

from __future__ import annotations

from typing import Any

from web.runtime import original

socket = original("socket")

_LAST_READS, _LAST_READ_BYTES = 16, 65_536  # of a connection that is closed
_NOTSENT_LOWAT_BYTES = 16_384  # begin to conflate after 16 KiB in the kernel, not after the 4 MB it would take


def prepare(sock: Any) -> None:
    """Have small quotes leave at once, and a client that reads slowly be noticed soon."""
    if sock.family == socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _NOTSENT_LOWAT_BYTES)
    else:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _NOTSENT_LOWAT_BYTES)


def hang_up(sock: Any, last_words: bytes, reset: bool) -> None:
    """Close it, behind as much of `last_words` as it takes; `reset`: and have what the kernel still holds for it thrown away."""
    try:
        if last_words:
            sock.send(last_words)
        if reset:
            # Its buffers are full and will not empty: give the kernel's memory back at once.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        else:
            # Closing with bytes unread would be a reset, which can overtake the close frame.
            for _ in range(_LAST_READS):
                if not sock.recv(_LAST_READ_BYTES):
                    break
    except OSError:
        pass  # it is gone already, or has no more to say
    finally:
        sock.close()
