"""The few packets of Engine.IO 4 and Socket.IO 5 that a relay says to another and hears from it, over a WebSocket. Pure.

https://github.com/socketio/engine.io-protocol and https://github.com/socketio/socket.io-protocol: a digit says what an Engine.IO packet
is, in a message a second one what a Socket.IO packet is, then come the namespace (none: `/`), an acknowledgement's number, and JSON.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

import msgspec

from feeds.values.parse import array, decode, text
from ticker.errors import FeedError

PacketKind = Literal["open", "close", "ping", "joined", "left", "event", "acknowledgement", "refused", "other"]

PONG = b"3"
_ENGINE: dict[bytes, PacketKind] = {b"0": "open", b"1": "close", b"2": "ping", b"3": "other", b"6": "other"}
_SOCKET: dict[bytes, PacketKind] = {b"0": "joined", b"1": "left", b"2": "event", b"3": "acknowledgement", b"4": "refused"}
_HEAD = re.compile(rb"4([0-4])(/[^,]*,)?([0-9]{0,9})")


class Packet(NamedTuple):
    """What came: of an event its name and first argument, of an acknowledgement its number and first argument, else what it carries."""

    word: PacketKind
    payload: Any = None
    name: str = ""
    number: int = -1


def parse(message: bytes) -> Packet:
    """A packet of `/`; of other namespaces, and what a relay has no use for, is `other`. Raises `FeedError` where it is none at all."""
    if message[:1] in _ENGINE:
        return Packet(_ENGINE[message[:1]])
    head = _HEAD.match(message)
    if head is None:
        raise FeedError("not a packet of Socket.IO", payload=message)
    if head[2]:
        return Packet("other")
    word, rest = _SOCKET[head[1]], message[head.end() :]
    if word == "event":
        name, *arguments = array(decode(rest), "event") or [None]
        return Packet(word, arguments[0] if arguments else None, name=text(name, "name of an event"))
    if word == "acknowledgement":
        arguments = array(decode(rest), "acknowledgement")
        return Packet(word, arguments[0] if arguments else None, number=int(head[3] or -1))
    return Packet(word, decode(rest) if rest else None)


def join(auth: dict[str, str]) -> bytes:
    """CONNECT to `/`."""
    return b"40" + (msgspec.json.encode(auth) if auth else b"")


def event(name: str, argument: object, number: int) -> bytes:
    """An event on `/` that is to be acknowledged under `number`."""
    return b"42%d" % number + msgspec.json.encode([name, argument])
