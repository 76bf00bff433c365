"""Between a WSGI application (PEP 3333) and the server: its answer gathered, and requests that it sees only when they have come whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from web.http.answer import Answer, Headers
from web.http.body import Body
from web.http.head import BadRequest
from web.http.request import Environ

Wsgi = Callable[..., Any]
Reply = tuple[Answer, Headers]
"""An answer, and what headers it has for this very request besides its own."""
Responder = Callable[[Environ], Reply | None]
"""What a request is answered with; `None` where whoever was asked has taken the socket. May raise `Gone` and `BadRequest`."""

LONGEST_BODY = 4096
"""Of a request to anything but Socket.IO: the one that has any names a symbol and a feed."""


def called(app: Wsgi, environ: Environ) -> Answer | None:
    """What a WSGI application answers, gathered; `None` where it does not begin an answer."""
    said: list[Any] = []
    pieces: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        said[:] = [status, headers]
        return pieces.append

    result = app(environ, start_response)
    try:
        pieces.extend(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    if not said:
        return None
    status, headers = said
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), None)
    return Answer(status, kept, b"".join(pieces), length if environ["REQUEST_METHOD"] == "HEAD" else None)


def responder(app: Wsgi) -> Responder:
    """A WSGI application by itself."""

    def respond(environ: Environ) -> Reply | None:
        answer = called(app, environ)
        return None if answer is None else (answer, ())

    return respond


def whole(app: Wsgi) -> Wsgi:
    """`app`, which sees a request only when its body has come whole: what breaks off is never carried out."""

    def wrapped(environ: Environ, start_response: Any) -> Any:
        body = environ.get("wsgi.input")
        if isinstance(body, Body) and body.is_expected:
            is_long = int(environ.get("CONTENT_LENGTH") or 0) > LONGEST_BODY
            if is_long or len(data := body.read(LONGEST_BODY + 1)) > LONGEST_BODY:
                raise BadRequest(HTTPStatus(413), f"a body may have {LONGEST_BODY} bytes here")
            environ = {**environ, "wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data))}
        return app(environ, start_response)

    return wrapped
