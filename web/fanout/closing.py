"""Every reason for which the server ends a connection, with its WebSocket close code. Counted by reason in `Engine.closes`."""

from __future__ import annotations

from enum import Enum

from web.fanout.frames import Violation


class Closing(Enum):
    """Name: (WebSocket close code, reason as the client and the metrics see it). 4000 and up are our own (RFC 6455 section 7.4.2)."""

    CLIENT = (1000, "client")  # it said good-bye, or its connection is gone
    SHUTDOWN = (1001, "shutdown")
    PROTOCOL = (1002, "protocol_error")
    NOT_UTF8 = (1007, "not_utf8")
    TOO_BIG = (1009, "message_too_big")
    BAD_PACKET = (4000, "bad_packet")  # well-formed WebSocket, but neither Engine.IO nor Socket.IO
    STALLED = (4001, "stalled")
    CONTROL_OVERFLOW = (4002, "control_overflow")
    JOIN_TIMEOUT = (4003, "join_timeout")
    PING_TIMEOUT = (4004, "ping_timeout")
    SERVER = (4005, "server_disconnect")
    TOO_MANY_REQUESTS = (4006, "too_many_requests")
    SECOND_WEBSOCKET = (4007, "second_websocket")  # of a session that has one
    ERROR = (1011, "internal_error")

    @classmethod
    def of(cls, violation: Violation) -> Closing:
        """How to answer a breach of the WebSocket protocol."""
        return {1007: cls.NOT_UTF8, 1009: cls.TOO_BIG}.get(violation.code, cls.PROTOCOL)

    @property
    def code(self) -> int:
        """The WebSocket close code."""
        return self.value[0]

    @property
    def reason(self) -> str:
        """The word for it."""
        return self.value[1]
