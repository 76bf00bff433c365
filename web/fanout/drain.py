"""The end: everybody is sent what they are owed, and closed as soon as that is written. Nobody waits for somebody else."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator

from web.fanout.client import Client
from web.runtime import original

select = original("select")

AWAY_S = 1.0
"""A client that polls and has not come back for so long is not waited for."""


class Drain:
    """Says who has everything, once a round. What is published after the first look may not be sent."""

    def __init__(self) -> None:
        self.begun = False

    def look(self, clients: Collection[Client], owed: Container[object], now_s: float) -> Iterator[tuple[Client, bool]]:
        """Those of `clients` that have everything, and whether their socket has room, so that the close frame will go whole: else they
        are waited for. `owed`: who is to be served yet. `now_s`: monotonic seconds.

        Who polls takes leave by itself, in the poll that finds nothing more (`web.socketio.engineio_server`).
        """
        for client in list(clients):
            if client.write is None:
                if client.poll_event is None and client.polled_s + AWAY_S <= now_s:
                    yield client, True
            elif not client.blocked and client not in owed:
                yield client, _has_room(client)


def _has_room(client: Client) -> bool:
    poll = select.poll()
    poll.register(client.socket, select.POLLOUT)
    return bool(poll.poll(0))
