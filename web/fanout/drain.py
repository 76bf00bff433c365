"""The end: everybody is sent what they are owed, and closed as soon as that is written. Nobody waits for somebody else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from web.fanout.close_reasons import CloseReason
from web.runtime import original

if TYPE_CHECKING:
    from web.fanout.client import Client
    from web.fanout.engine import Engine

select = original("select")

AWAY_S = 1.0
"""A client that polls and has not come back for so long is not waited for."""


class Drain:
    """Sees an engine's clients off, one look a round. What is published after the first look may not be sent."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.begun = False

    def look(self) -> None:
        """Close those who have everything. Who polls takes leave by itself, in the poll that finds nothing more (`EngineIOServer`)."""
        if not self.begun:
            self.begun = True
            self._send_the_last()
        engine = self._engine
        now_s = engine.clock()
        for client in list(engine.clients):
            if client.write is None:
                done = client.poll_event is None and client.polled_s + AWAY_S <= now_s
            else:
                done = not client.blocked and client not in engine.flusher.pump and self._is_written(client)
            if done:
                engine.close(client, CloseReason.SHUTDOWN)

    def _send_the_last(self) -> None:
        """Whatever the window and the rates: what was published last is due now."""
        flusher = self._engine.flusher
        if flusher.is_dirty:
            flusher.flush(math.inf)
        flusher.send_timed(math.inf)
        for client in self._engine.clients:
            for reading_list in client.reading_lists():
                reading_list.due = True
            self._engine.pump_soon(client)

    def _is_written(self, client: Client) -> bool:
        """Whether its socket has room, so that the close frame will go whole; else it is one that is waited for."""
        poll = select.poll()
        poll.register(client.socket, select.POLLOUT)
        if poll.poll(0):
            return True
        client.blocked = True
        self._engine.subscriptions.demote(client)
        self._engine.flusher.blocked.append(client)
        return False
