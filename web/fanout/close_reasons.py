"""Every reason for which the server ends a connection, with its WebSocket close code. Counted by reason in `Engine.ledger`."""

from __future__ import annotations

import logging
from collections import Counter
from enum import Enum

from ticker.log_limit import LogLimit
from web.fanout.frames import Violation

log = logging.getLogger(__name__)

SAY_EVERY_S = 60.0
"""However many clients break the rules, the log has a line about them so often."""


class CloseReason(Enum):
    """Name: (WebSocket close code, its word for the client and the metrics). 4000 and up are our own (RFC 6455 section 7.4.2)."""

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
    TOKEN_EXPIRED = (4008, "token_expired")
    CROWDED_OUT = (4009, "crowded_out")  # it joined nothing, and others came
    ERROR = (1011, "internal_error")

    @classmethod
    def of(cls, violation: Violation) -> CloseReason:
        """How to answer a breach of the WebSocket protocol."""
        return {1007: cls.NOT_UTF8, 1009: cls.TOO_BIG}.get(violation.code, cls.PROTOCOL)

    @property
    def code(self) -> int:
        """The WebSocket close code."""
        return self.value[0]

    @property
    def word(self) -> str:
        """What the client and the metrics call it."""
        return self.value[1]


_BLAMED = frozenset({CloseReason.PROTOCOL, CloseReason.NOT_UTF8, CloseReason.TOO_BIG, CloseReason.BAD_PACKET, CloseReason.CONTROL_OVERFLOW,
                     CloseReason.TOO_MANY_REQUESTS, CloseReason.SECOND_WEBSOCKET})  # fmt: skip


class Ledger:
    """How many connections were opened, and why each that is over was ended. The WebSockets that clients tried out in vain beside long
    polling count as connections."""

    def __init__(self) -> None:
        self.opened = 0
        self.closes: Counter[str] = Counter()
        """By reason. Their sum and the connections that are open make `opened`."""
        self._unsaid: Counter[str] = Counter()
        self._limit = LogLimit(1, SAY_EVERY_S)

    def close(self, reason: CloseReason, address: str, now_s: float) -> None:
        """One is over. Now and then the log is told about those who broke the rules; `now_s`: monotonic seconds."""
        self.closes[reason.word] += 1
        if reason not in _BLAMED:
            return
        self._unsaid[reason.word] += 1
        if self._limit.passes(now_s):
            words = ", ".join(f"{word} {count}" for word, count in self._unsaid.most_common())
            log.info("closed clients that broke the rules, %d of them (%s); the last came from %s", self._unsaid.total(), words, address)
            self._unsaid.clear()

    def turn_away(self, reason: CloseReason, address: str, now_s: float) -> None:
        """A WebSocket was ended whose client goes on without it."""
        self.opened += 1
        self.close(reason, address, now_s)
