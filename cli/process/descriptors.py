"""The streams that the program was given: whether somebody is at the other end, and writing to them from a thread."""

from __future__ import annotations

from web.runtime import original


def is_gone(descriptor: int) -> bool:
    """Whether nobody is at the other end of a pipe, a socket or a terminal any more. Never blocks."""
    poll = original("select").poll()
    poll.register(descriptor, 0)  # no event asked for: what is told in any case is that the other end is gone
    return bool(poll.poll(0))


def write_some(descriptor: int, data: bytes | memoryview) -> int:
    """Write the beginning of `data`, or all of it; how many bytes. Blocks until there is room. Raises `OSError`."""
    select, system = original("select"), original("os")
    while True:
        try:
            return int(system.write(descriptor, data))
        except BlockingIOError:  # somebody who has it too wants it so
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()
