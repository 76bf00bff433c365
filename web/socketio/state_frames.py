"""The state events of `/` (`symbols`, `feeds`, `config`) as frames: one for all who see the same of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from ticker.core import Core
from web.auth import visible
from web.auth.identity import Identity
from web.auth.patterns import Patterns
from web.auth.visible import NOTHING, Seen, visible_symbols
from web.fanout.client import Client
from web.fanout.frames import text_frame

MOST_KEPT = 32
"""So many frames of one state event are kept for clients that are yet to join."""

_SHOWN: dict[str, Callable[[Any, Seen], Any]] = {"symbols": visible.symbols, "feeds": visible.feeds, "config": visible.config}


def event_frame(event: str, payload: object) -> bytes:
    """An event of `/` as a frame, encoded once for everybody."""
    return text_frame(b'42["%b",%b]' % (event.encode(), msgspec.json.encode(payload)))


class StateFrames:
    """Of each state event the frames as they stand, by what is seen of it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._kept: dict[str, dict[Seen, bytes]] = {"symbols": {}, "feeds": {}, "config": {}}

    def anew(self, name: str, members: Mapping[str, Client]) -> Iterator[tuple[Client, bytes]]:
        """For each member the frame of `name`, which has changed."""
        seen: dict[Patterns | None, Seen] = {}
        for client in list(members.values()):
            # Others may run while it is worked out: the state is to be that of afterwards, told to whoever is there then.
            if client.board_identity.patterns not in seen:
                seen[client.board_identity.patterns] = self._seen(name, client.board_identity)
        state = self._state(name)
        frames = self._kept[name] = {None: event_frame(name, state)}
        for client in list(members.values()):
            patterns = client.board_identity.patterns
            key = seen[patterns] if patterns in seen else self._seen(name, client.board_identity)
            if key not in frames:
                frames[key] = event_frame(name, _SHOWN[name](state, key))
            yield client, frames[key]
        for key in list(frames)[MOST_KEPT:]:
            del frames[key]

    def of(self, name: str, identity: Identity) -> bytes:
        """The frame of `name` for a client that has just joined."""
        seen = self._seen(name, identity)
        # Of the feeds more than what makes an event changes (`last_success`); there are few, so they are told as they are.
        frames = self._kept[name] if name != "feeds" else {}
        if seen not in frames:
            if len(frames) >= MOST_KEPT:
                frames.popitem()  # the newest: the first is everybody's who sees all
            frames[seen] = event_frame(name, _SHOWN[name](self._state(name), seen))
        return frames[seen]

    def _seen(self, name: str, identity: Identity) -> Seen:
        """What makes the event `name` another one for `identity` than for others."""
        if name == "symbols":
            return visible_symbols(identity, self._core.symbols)
        return None if identity.sees_all else NOTHING  # whatever it sees, it is told the same of feeds and settings

    def _state(self, name: str) -> Any:
        if name == "symbols":
            return self._core.symbols_state()
        return self._core.feeds_state() if name == "feeds" else self._core.config_state()
