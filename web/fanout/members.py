"""Who is in which namespace, for python-socketio: a lean `Manager` for namespaces that are no symbol's.

The stock manager keeps four dictionaries a member and, when one leaves, scans all the others. Here a Socket.IO id is the
client's public id with the namespace behind it, so both directions are a look-up, and a symbol's members are the lanes
of its channel: they take no memory of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import engineio
import socketio

from web.fanout.client import Client
from web.fanout.cohort import space_parts
from web.fanout.engine import Engine
from web.fanout.frames import BINARY, TEXT, frame


class Members(socketio.Manager):  # type: ignore[misc]  # python-socketio has no types
    """Used through `socketio.Server` only; `engine` must be set before the first client."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.clients: dict[str, Client] = {}  # by public id
        self._members: dict[str, dict[str, bool]] = {}  # namespace, then sid: whether its connect handler is done
        self._rooms: dict[tuple[str, Any], set[str]] = {}  # rooms that handlers made

    def get_namespaces(self) -> list[str]:
        """The namespaces that have members, symbols' apart."""
        return list(self._members)

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Note that a client wants to join; `None` where it already has."""
        client = self.server.eio.sockets.get(eio_sid)
        members = self._members.setdefault(namespace, {})
        if client is None or client.public_id + namespace in members:
            return None
        self.clients[client.public_id] = client
        members[client.public_id + namespace] = False
        return client.public_id + namespace

    def connect(self, sid: str, namespace: str) -> str:
        """It has joined."""
        self._members[namespace][sid] = True
        client = self._client(sid)
        if client is not None:
            client.namespaces += 1
        return sid

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        """Whether `sid` is a full member of `namespace`."""
        return sid is not None and (self._members.get(namespace, {}).get(sid, False) or self._reads(sid, namespace))

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """The Socket.IO id of an Engine.IO session in a namespace it has joined."""
        client = self.server.eio.sockets.get(eio_sid)
        if client is None:
            return None
        sid = client.public_id + namespace
        return sid if sid in self._members.get(namespace, {}) or self._reads(sid, namespace) else None

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """The Engine.IO session behind a Socket.IO id."""
        client = self._client(sid)
        return client.sid if client is not None else None

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """It is leaving: no longer a member, still known."""
        if sid in self._members.get(namespace, {}):
            self._members[namespace][sid] = False
        return self.eio_sid_from_sid(sid, namespace)

    def disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """It has left."""
        members = self._members.get(namespace, {})
        if members.pop(sid, None) is None:
            return
        client = self._client(sid)
        if client is not None:
            client.namespaces = max(0, client.namespaces - 1)
        if not members:
            del self._members[namespace]
        self.callbacks.pop(sid, None)
        for room in [room for room, sids in self._rooms.items() if room[0] == namespace and sid in sids]:
            self.leave_room(sid, namespace, room[1])

    def drop(self, client: Client) -> list[tuple[str, str]]:
        """Forget a client that is gone; returns the namespaces it was in, each with its id there."""
        self.clients.pop(client.public_id, None)
        return [(namespace, client.public_id + namespace) for namespace, members in self._members.items()
                if client.public_id + namespace in members]

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """The members of a room (`None`: the namespace; an id: itself; a list: the union), as (sid, Engine.IO sid)."""
        rooms = room if hasattr(room, "__len__") and not isinstance(room, str) else [room]
        seen: dict[str, str] = {}
        for one in rooms:
            for sid in self._sids(namespace, one):
                client = self._client(sid)
                if client is not None and client.closed is None:
                    seen[sid] = client.sid
        yield from seen.items()

    def emit(self, event: str, data: Any, namespace: str, room: Any = None, skip_sid: Any = None,
             callback: Any = None, to: Any = None, **_: Any) -> None:
        """Send an event to the members of a room: encoded once, queued for each as a control packet."""
        skipped = skip_sid if isinstance(skip_sid, list) else [skip_sid]
        arguments = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        recipients = [(sid, eio_sid) for sid, eio_sid in self.get_participants(namespace, to or room) if sid not in skipped]
        if callback is not None:
            for sid, eio_sid in recipients:
                packet = self.server.packet_class(socketio.packet.EVENT, namespace=namespace, data=[event, *arguments],
                                                  id=self._generate_ack_id(sid, callback))
                self.server._send_packet(eio_sid, packet)
            return
        if not recipients:
            return
        frames = frames_of(self.server.packet_class(socketio.packet.EVENT, namespace=namespace, data=[event, *arguments]))
        for _sid, eio_sid in recipients:
            client = self.server.eio.sockets.get(eio_sid)
            for framed in frames if client is not None else ():
                self.engine.send_frame(client, framed)

    def enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        """Add a member to a room. Raises `ValueError` if it is no member."""
        if not self.is_connected(sid, namespace):
            raise ValueError("sid is not connected to requested namespace")
        self._rooms.setdefault((namespace, room), set()).add(sid)

    def leave_room(self, sid: str, namespace: str, room: Any) -> None:
        """Take a member out of a room."""
        sids = self._rooms.get((namespace, room), set())
        sids.discard(sid)
        if not sids:
            self._rooms.pop((namespace, room), None)

    def close_room(self, room: Any, namespace: str) -> None:
        """Take everybody out of a room."""
        self._rooms.pop((namespace, room), None)

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        """The rooms a member is in, its own included."""
        return [sid, *(room for (space, room), sids in self._rooms.items() if space == namespace and sid in sids)]

    def is_sid_room(self, namespace: str, room: Any) -> bool:
        """Whether `room` is a member's own."""
        return isinstance(room, str) and self.is_connected(room, namespace)

    def _client(self, sid: str) -> Client | None:
        return self.clients.get(sid.partition("/")[0])

    def _reads(self, sid: str, namespace: str) -> bool:
        client = self._client(sid)
        channel = self.engine.readers.registry.get(namespace[1:])
        return client is not None and channel is not None and channel in client.spaces.channels

    def _sids(self, namespace: str, room: Any) -> Iterable[str]:
        if room is not None:
            return [*self._rooms.get((namespace, room), ()), *([room] if self.is_sid_room(namespace, room) else ())]
        channel = self.engine.readers.registry.get(namespace[1:])
        if channel is None:
            return [sid for sid, joined in self._members.get(namespace, {}).items() if joined]
        outboxes = [lane.outbox for lane in self.engine.readers.lanes_of(channel) if lane.encode is space_parts]
        return [client.public_id + namespace for client in outboxes if isinstance(client, Client)]


def frames_of(packet: Any) -> list[bytes]:
    """A Socket.IO packet as WebSocket frames: one of text, then one for each binary attachment."""
    encoded = packet.encode()
    pieces = encoded if isinstance(encoded, list) else [encoded]
    packets = [engineio.packet.Packet(engineio.packet.MESSAGE, piece).encode() for piece in pieces]
    return [frame(TEXT, piece.encode()) if isinstance(piece, str) else frame(BINARY, piece) for piece in packets]
