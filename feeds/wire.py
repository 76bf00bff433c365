"""What a connection can raise, in a few words that name neither keys nor libraries."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions


class TooMuch(http.client.HTTPException):
    """An answer that breaks one of our limits; its text is ours and may be shown."""


WIRE_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
"""All that a connection can raise. Anything else is a bug of ours and surfaces."""
HUNG_UP = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
"""How a server ends a connection that it no longer wants."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it was raised from, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def wire_reason(error: Exception) -> str:
    """What happened, in a few words, from the innermost exception that knows; never a URL (they carry keys)."""
    reason = ""
    for cause in causes(error):
        if isinstance(cause, TooMuch):
            return str(cause)
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"TLS: {cause.verify_message}"
        elif isinstance(cause, ssl.SSLError):
            reason = f"TLS: {cause.reason or 'handshake failed'}"
        elif isinstance(cause, socket.gaierror | urllib3.exceptions.NameResolutionError):
            reason = "the host name is not known"
        elif isinstance(cause, http.client.RemoteDisconnected):
            reason = "the connection was closed without an answer"
        elif isinstance(cause, urllib3.exceptions.IncompleteRead | urllib3.exceptions.InvalidChunkLength | http.client.IncompleteRead):
            reason = "the answer broke off"
        elif isinstance(cause, urllib3.exceptions.DecodeError):
            reason = "the answer can't be decompressed"
        elif isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) and not reason:
            reason = "no answer in time"
        elif isinstance(cause, OSError) and cause.errno:
            reason = os.strerror(cause.errno).lower()  # its own text depends on who raised it
    return reason or f"the connection failed ({type(error).__name__})"
