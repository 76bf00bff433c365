"""Every reason for which somebody is not let in, each with its word, its answer and its cure; counted, and told to the log."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from enum import Enum
from http import HTTPStatus
from time import monotonic

import msgspec

from ticker.log_limit import LogLimit

log = logging.getLogger(__name__)

SAY_EVERY_S = 60.0
"""However many are refused for a reason, the log has a line about it so often."""
_TRANSPORT, _SESSION, _METHOD, _BAD, _FORBIDDEN, _VERSION = range(6)
"""Engine.IO's own numbers of what is wrong, as its reference server gives them."""


class Reason(Enum):
    """Name: (the word for programs and metrics, HTTP status, Engine.IO's number, what is wrong, what to do about it)."""

    ORIGIN = ("origin_not_allowed", 400, _FORBIDDEN, "origin not allowed", "")
    CROSS_SITE = ("cross_site", 403, _FORBIDDEN, "a page of another site asks, and does not say its origin", "")
    HOST = ("unknown_host", 421, _FORBIDDEN, "this relay does not answer to the name in Host", "server.allowed_hosts lists its names")
    VERSION = ("unsupported_version", 400, _VERSION, "unsupported Engine.IO version",
               "clients must speak version 4: socket.io-client 3 or later, python-socketio 5 or later")  # fmt: skip
    TRANSPORT = ("unknown_transport", 400, _TRANSPORT, "unknown transport", "there are polling and websocket")
    METHOD = ("bad_method", 400, _METHOD, "method not allowed", "")
    WEBSOCKET = ("bad_websocket", 400, _BAD, "not a WebSocket handshake", "a proxy must speak HTTP/1.1 and pass on Upgrade and Connection")
    SESSION = ("unknown_session", 400, _SESSION, "unknown session",
               "several relays behind one name: a balancer must send a client to the same one each time, or clients use websocket only"
    )  # fmt: skip
    SECOND_REQUEST = ("second_request", 400, _BAD, "the session is at something else already", "")
    PACKET = ("bad_packet", 400, _BAD, "malformed packet", "")
    TOO_BIG = ("message_too_big", 413, _BAD, "message too big", "limits.max_message_bytes bounds it")
    HEADERS = ("headers_too_big", 431, _BAD, "headers too big",
               "cookies of others on the same host are the usual cause: give the relay a name of its own")  # fmt: skip
    BAD_REQUEST = ("bad_request", 400, _BAD, "a malformed request", "")
    UNAUTHORIZED = ("unauthorized", 401, _FORBIDDEN, "a good token is needed", "")
    GUESSES = ("too_many_requests", 429, _FORBIDDEN, "too many wrong tokens from this address", "")
    CONNECTS = ("too_many_connects", 503, _BAD, "too many connects a second", "limits.connects_per_s bounds them")
    CONNECTS_OF_ADDRESS = ("too_many_connects_from_address", 503, _BAD, "too many connects a second from this address",
                           "of one address a quarter of limits.connects_per_s; a proxy of yours belongs into server.trusted_proxies"
    )  # fmt: skip
    CLIENTS = ("too_many_clients", 503, _BAD, "too many clients", "limits.max_clients bounds them")
    CLIENTS_OF_ADDRESS = ("too_many_clients_from_address", 503, _BAD, "too many clients from this address",
                          "limits.max_clients_per_address bounds them; a proxy of yours belongs into server.trusted_proxies")  # fmt: skip
    CONNECTIONS = ("too_many_connections", 503, _BAD, "too many connections", "")
    SHUTTING_DOWN = ("shutting_down", 503, _BAD, "shutting down", "")
    ERROR = ("internal_error", 500, _BAD, "internal error", "")

    @property
    def word(self) -> str:
        """For programs."""
        return self.value[0]

    @property
    def status(self) -> HTTPStatus:
        """Of the answer."""
        return HTTPStatus(self.value[1])

    @property
    def message(self) -> str:
        """For people: what is wrong."""
        return self.value[3]

    @property
    def cure(self) -> str:
        """For people: what to do about it, where that can be said."""
        return self.value[4]


def body(reason: Reason, message: str = "", cure: str = "") -> bytes:
    """The answer to who is not let in: `code` and `message` as Engine.IO's clients know them, and the word for it."""
    return msgspec.json.encode({"code": reason.value[2], "message": sentence(reason, message, cure), "reason": reason.word})


def sentence(reason: Reason, message: str = "", cure: str = "") -> str:
    """What is wrong and what to do, in the reason's words where no better ones are known."""
    message, cure = message or reason.message, cure or reason.cure
    return f"{message}; {cure}" if cure else message


class Refusals:
    """How many were refused for each reason. `clock`: seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.counts: Counter[Reason] = Counter()
        self._clock = clock
        self._limit = LogLimit(1, SAY_EVERY_S)

    def note(self, reason: Reason, address: str, message: str = "", cure: str = "") -> None:
        """Somebody at `address` was refused. The first of a reason is told at once, then one line a minute."""
        self.counts[reason] += 1
        line = self._limit.passes(self._clock(), reason)
        if line is None:
            return
        times = line.left_out + 1
        # No warning: any scanner of ports brings most of them about.
        log.info(
            "refused %d request%s (%s), the last from %s: %s",
            times,
            "s" * (times > 1),
            reason.word,
            address,
            sentence(reason, message, cure),
        )
