"""What a connection can raise, in a few words that name neither keys nor libraries."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

import requests
import urllib3.exceptions

from ticker.errors import Fault


class TooMuch(http.client.HTTPException):
    """An answer that breaks one of our limits; its text is ours and may be shown."""


class Trouble(NamedTuple):
    """What went wrong on the way: in words that may be shown, and which of the kinds that there is help for."""

    words: str
    fault: Fault | None


CONNECTION_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
"""All that a connection can raise. Anything else is a bug of ours and surfaces."""
HUNG_UP = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
"""How a server ends a connection that it no longer wants."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it was raised from, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def trouble(error: Exception) -> Trouble:
    """What happened, in a few words, from the innermost exception that knows; never a URL (they carry keys)."""
    found: Trouble | None = None
    for cause in causes(error):
        if isinstance(cause, TooMuch):
            return Trouble(str(cause), None)
        if isinstance(cause, ssl.SSLCertVerificationError):
            found = Trouble(f"TLS: {cause.verify_message}", "certificate")
        elif isinstance(cause, ssl.SSLError):
            found = Trouble(f"TLS: {cause.reason or 'handshake failed'}", "tls")
        elif isinstance(cause, socket.gaierror | urllib3.exceptions.NameResolutionError):
            found = Trouble("the host name is not known", "name")
        elif isinstance(cause, http.client.RemoteDisconnected):
            found = Trouble("the connection was closed without an answer", "hung_up")
        elif isinstance(cause, urllib3.exceptions.IncompleteRead | urllib3.exceptions.InvalidChunkLength | http.client.IncompleteRead):
            found = Trouble("the answer broke off", "hung_up")
        elif isinstance(cause, urllib3.exceptions.DecodeError):
            found = Trouble("the answer can't be decompressed", None)
        elif isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) and found is None:
            found = Trouble("no answer in time", "slow")
        elif isinstance(cause, OSError) and cause.errno:
            found = Trouble(os.strerror(cause.errno).lower(), _OF_ERRNO.get(cause.errno))  # its own text depends on who raised it
    return found or Trouble(f"the connection failed ({type(error).__name__})", None)


_OF_ERRNO: dict[int, Fault] = {
    errno.ECONNREFUSED: "refused", errno.ENETUNREACH: "unreachable", errno.EHOSTUNREACH: "unreachable", errno.ECONNRESET: "hung_up",
    errno.EPIPE: "hung_up", errno.ETIMEDOUT: "slow"}  # fmt: skip
