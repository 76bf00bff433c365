"""What a client may send as Socket.IO: the JSON in a packet, and which packets there are. Pure."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import socketio

from ticker.nested import undisturbed

_RESERVED_EVENTS = {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
"""Events that happen and are not sent; the reference implementation takes one that is sent for a broken packet."""
_MOST_ATTACHMENTS = 16  # of one message from a client; all together are up to max_message_bytes


class Json:
    """What python-socketio asks of a JSON module. Strict, and NaN becomes null instead of a disconnected browser."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """JSON for `value`."""
        return msgspec.json.encode(value).decode()

    @staticmethod
    def loads(text: str, **_: Any) -> Any:
        """What `text` says. Raises `ValueError` for what is no JSON, or could not be answered."""
        try:
            return undisturbed(msgspec.json.decode, text)
        except msgspec.DecodeError:
            # Python's clients write `Infinity` and 1e999 where theirs is infinite: the handler of the event is to refuse that, in words.
            value = undisturbed(json.loads, text)
            msgspec.json.encode(value)  # raises for what could not be answered: half a surrogate pair
            return value


EVENTS = (socketio.packet.EVENT, socketio.packet.BINARY_EVENT)
ACKS = (socketio.packet.ACK, socketio.packet.BINARY_ACK)
"""With attachments, or without."""


def check(packet: Any) -> None:
    """Raises `ValueError` for a packet that the protocol does not know, or that a client does not send."""
    kind, data = packet.packet_type, packet.data
    if kind in EVENTS:
        well_formed = isinstance(data, list) and bool(data)
        if well_formed:
            if type(data[0]) is int:  # JavaScript may name an event by a number
                data[0] = str(data[0])
            well_formed = isinstance(data[0], str) and data[0] not in _RESERVED_EVENTS
    elif kind in ACKS:
        well_formed = isinstance(data, list) and packet.id is not None
    elif kind == socketio.packet.CONNECT:
        well_formed = data is None or isinstance(data, dict)
    else:
        well_formed = kind == socketio.packet.DISCONNECT
    most = _MOST_ATTACHMENTS if kind in (socketio.packet.BINARY_EVENT, socketio.packet.BINARY_ACK) else 0
    if not well_formed or packet.attachment_count > most:
        raise ValueError("malformed Socket.IO packet")
