"""Who is in which namespace, for python-socketio: a lean `Manager` for namespaces that are no symbol's.

The stock manager keeps four dictionaries a member and, when one leaves, scans all the others. Here a Socket.IO id is the
client's public id with the namespace behind it, so both directions are a look-up, and a symbol's members are those whose reading
lists have its channel: they take no memory of their own.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from enum import Enum
from typing import Any, TypeVar

import engineio
import socketio

from web.fanout.client import Client
from web.fanout.engine import Engine
from web.fanout.frames import BINARY, TEXT, frame


class Stage(Enum):
    """How far a member is."""

    CONNECTING = "connecting"  # its connect handler runs: it may be put into rooms, and what is emitted to it waits for its CONNECT
    JOINED = "joined"
    LEAVING = "leaving"  # its disconnect handler runs: it is still known, and is sent nothing more


class NamespaceManager(socketio.Manager):  # type: ignore[misc]  # python-socketio has no types
    """Used through `socketio.Server` only."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.clients: dict[str, Client] = {}  # by public id
        self._members: dict[str, dict[str, Stage]] = {}  # namespace, then sid
        self._held: dict[str, list[bytes]] = {}  # by sid: what connect handlers emitted
        self._rooms: dict[tuple[str, Hashable], dict[str, None]] = {}  # namespace and room, then sid; only rooms that handlers made
        self._rooms_of: dict[str, dict[tuple[str, Hashable], None]] = {}  # the other way round

    def get_namespaces(self) -> list[str]:
        """The namespaces that have members, symbols' apart."""
        return list(self._members)

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Note that a client wants to join; `None` where it already has."""
        client = self.server.eio.sockets.get(eio_sid)
        if client is None or client.public_id + namespace in self._members.get(namespace, {}):
            return None
        sid: str = client.public_id + namespace
        self.clients[client.public_id] = client
        self._members.setdefault(namespace, {})[sid] = Stage.CONNECTING
        self._held[sid] = []
        return sid

    def connect(self, sid: str, namespace: str) -> str:
        """It has joined, and was told so."""
        client = self._client(sid)
        held = self._held.pop(sid, [])
        if client is not None and self._stage(sid, namespace) is Stage.CONNECTING:
            self._members[namespace][sid] = Stage.JOINED
            client.namespaces += 1
            self.engine.pools.seat(client)
            self._send(sid, client, held)
        return sid

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        """Whether `sid` is a full member of `namespace`."""
        return sid is not None and (self._stage(sid, namespace) is Stage.JOINED or self._reads(sid, namespace))

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """The Socket.IO id of an Engine.IO session in a namespace it has joined."""
        client = self.server.eio.sockets.get(eio_sid)
        if client is None:
            return None
        sid: str = client.public_id + namespace
        return sid if self._stage(sid, namespace) or self._reads(sid, namespace) else None

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """The Engine.IO session behind a Socket.IO id."""
        client = self._client(sid)
        return client.sid if client is not None else None

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """It is leaving: no longer a member, still known."""
        if self._stage(sid, namespace):
            self._members[namespace][sid] = Stage.LEAVING
        return self.eio_sid_from_sid(sid, namespace)

    def disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """It has left: its rooms, its acknowledgements due and its place are given up. O(1), and O(1) a room it was in."""
        client = self._client(sid)
        if client is not None and self._reads(sid, namespace):
            with self.engine.turn:
                channel = self.engine.subscriptions.named(namespace)
                assert channel is not None
                self.engine.subscriptions.leave(client.spaces, channel)
        members = self._members.get(namespace, {})
        stage = members.pop(sid, None)
        if client is not None and stage is not None and sid not in self._held:
            client.namespaces -= 1
        if stage is not None and not members:
            del self._members[namespace]
        self.forget(sid)

    def forget(self, sid: str) -> None:
        """Drop what was kept beside the membership of `sid`."""
        self._held.pop(sid, None)
        self.callbacks.pop(sid, None)
        for namespace, room in list(self._rooms_of.get(sid, ())):
            self.leave_room(sid, namespace, room)

    def namespaces_of(self, client: Client) -> list[str]:
        """The namespaces a client has fully joined, symbols' apart."""
        return [namespace for namespace, members in self._members.items() if members.get(client.public_id + namespace) is Stage.JOINED]

    def drop(self, client: Client) -> None:
        """Forget a client that is gone."""
        for namespace in list(self._members):
            if client.public_id + namespace in self._members[namespace]:
                self.disconnect(client.public_id + namespace, namespace)
        if self.callbacks or self._rooms_of:
            for channel in client.spaces.channels:
                self.forget(client.public_id + self.engine.subscriptions.name_of(client.spaces, channel))
        self.clients.pop(client.public_id, None)

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """The members of a room (`None`: the namespace; an id: itself; a list: the union), as (sid, Engine.IO sid)."""
        rooms = room if hasattr(room, "__len__") and not isinstance(room, str) else [room]
        for sid in dict.fromkeys(sid for one in rooms for sid in self._sids(namespace, one)):
            client = self._client(sid)
            if client is not None and client.closed is None:
                yield sid, client.sid

    def emit(
        self, event: str, data: Any, namespace: str, room: Any = None, skip_sid: Any = None, callback: Any = None, to: Any = None, **_: Any
    ) -> None:
        """Send an event to the members of a room: encoded once (once each with a `callback`), queued for each as a control packet.

        To each in its own spelling of the namespace, which stands in its id.
        """
        skipped = skip_sid if isinstance(skip_sid, list) else [skip_sid]
        arguments = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        encoded: dict[str, list[bytes]] = {}
        for sid, _eio_sid in list(self.get_participants(namespace, to or room)):
            client = self._client(sid)
            if sid in skipped or client is None:
                continue
            name = sid[len(client.public_id) :]
            if callback is not None or name not in encoded:
                number = self._generate_ack_id(sid, callback) if callback is not None else None
                packet = self.server.packet_class(socketio.packet.EVENT, namespace=name, data=[event, *arguments], id=number)
                encoded[name] = frames_of(packet)
            self._send(sid, client, encoded[name])

    def enter_room(self, sid: str, namespace: str, room: Hashable, eio_sid: str | None = None) -> None:
        """Add a member to a room. Raises `ValueError` if it is no member, or the room is another member's own."""
        if self._stage(sid, namespace) is None and not self._reads(sid, namespace):
            raise ValueError("sid is not connected to requested namespace")
        if room == sid:
            return  # it is always in there
        if self.is_sid_room(namespace, room):
            raise ValueError("cannot enter a sid room")
        self._rooms.setdefault((namespace, room), {})[sid] = None
        self._rooms_of.setdefault(sid, {})[namespace, room] = None

    def leave_room(self, sid: str, namespace: str, room: Hashable) -> None:
        """Take a member out of a room."""
        _take_out(self._rooms, (namespace, room), sid)
        _take_out(self._rooms_of, sid, (namespace, room))

    def close_room(self, room: Hashable, namespace: str) -> None:
        """Take everybody out of a room. Raises `ValueError` for a member's own."""
        if self.is_sid_room(namespace, room):
            raise ValueError("cannot close a sid room")
        for sid in list(self._rooms.get((namespace, room), ())):
            self.leave_room(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        """The rooms a member is in, its own included."""
        if not self.is_sid_room(namespace, sid):
            return []
        return [sid, *(room for _namespace, room in self._rooms_of.get(sid, ()))]

    def is_sid_room(self, namespace: str, room: Any) -> bool:
        """Whether `room` is a member's own."""
        return isinstance(room, str) and (self._stage(room, namespace) is not None or self._reads(room, namespace))

    def _client(self, sid: str) -> Client | None:
        return self.clients.get(sid.partition("/")[0])

    def _stage(self, sid: str, namespace: str) -> Stage | None:
        return self._members.get(namespace, {}).get(sid)

    def _reads(self, sid: str, namespace: str) -> bool:
        """Whether it is a member of a symbol's namespace."""
        client, subscriptions = self._client(sid), self.engine.subscriptions
        channel = subscriptions.named(namespace)
        return (
            client is not None
            and client.closed is None
            and sid == client.public_id + namespace
            and channel is not None
            and channel in client.spaces.channels
            and subscriptions.name_of(client.spaces, channel) == namespace
        )

    def _sids(self, namespace: str, room: Any) -> Iterable[str]:
        """Who is to get what is emitted to `room`."""
        if room is not None:
            sids = [*self._rooms.get((namespace, room), ()), *([room] if self.is_sid_room(namespace, room) else ())]
            return [sid for sid in sids if self._stage(sid, namespace) is not Stage.LEAVING]
        subscriptions = self.engine.subscriptions
        channel = subscriptions.registry.get(namespace[1:])
        if channel is None:
            return [sid for sid, stage in self._members.get(namespace, {}).items() if stage is not Stage.LEAVING]
        return [
            reading_list.outbox.public_id + subscriptions.name_of(reading_list, channel)
            for reading_list in subscriptions.reading_lists_of(channel)
            if reading_list.is_of_spaces and isinstance(reading_list.outbox, Client)
        ]

    def _send(self, sid: str, client: Client, frames: list[bytes]) -> None:
        held = self._held.get(sid)
        if held is not None:
            held.extend(frames)
            return
        for framed in frames:
            self.engine.send_frame(client, framed)


_Row = TypeVar("_Row", bound=Hashable)
_Entry = TypeVar("_Entry", bound=Hashable)


def _take_out(table: dict[_Row, dict[_Entry, None]], row: _Row, entry: _Entry) -> None:
    entries = table.get(row, {})
    entries.pop(entry, None)
    if not entries:
        table.pop(row, None)


def frames_of(packet: Any) -> list[bytes]:
    """A Socket.IO packet as WebSocket frames: one of text, then one for each binary attachment."""
    encoded = packet.encode()
    pieces = encoded if isinstance(encoded, list) else [encoded]
    packets = [engineio.packet.Packet(engineio.packet.MESSAGE, piece).encode() for piece in pieces]
    return [frame(TEXT, piece.encode()) if isinstance(piece, str) else frame(BINARY, piece) for piece in packets]
