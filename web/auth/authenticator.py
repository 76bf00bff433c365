"""Who may read: turns what a client sends into an `Identity`, or refuses it. Wrong tokens are counted by address."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from web.auth.credentials import IN_AN_ADDRESS, in_header, in_payload, in_url
from web.auth.identity import ANYBODY, Identity, Unauthorized
from web.auth.throttle import Throttle
from web.auth.tokens import Verifier, WrongToken

log = logging.getLogger(__name__)


class Authenticator:
    """Asked for each request and each CONNECT. `verifier` may be replaced at any time; without one everybody may read everything."""

    def __init__(self, verifier: Verifier | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.verifier = verifier
        self._clock = clock
        self._throttle = Throttle()

    @property
    def is_open(self) -> bool:
        """Whether nobody is asked."""
        return self.verifier is None

    def of_request(self, environ: Mapping[str, Any]) -> Identity | None:
        """Who sends this request; `None` where it does not say. Raises `Unauthorized`."""
        if self.verifier is None:
            return ANYBODY
        if in_url(environ):
            raise Unauthorized(IN_AN_ADDRESS)
        token = in_header(environ)
        return None if token is None else self.verify(token, environ.get("REMOTE_ADDR", ""))

    def of_payload(self, auth: Any, address: str) -> Identity | None:
        """Who sends a CONNECT with this `auth`; `None` where it does not say. Raises `Unauthorized`."""
        if self.verifier is None:
            return ANYBODY
        token = in_payload(auth)
        return None if token is None else self.verify(token, address)

    def verify(self, token: str, address: str) -> Identity:
        """What `token` allows, sent from `address`. Raises `Unauthorized`."""
        if self.verifier is None:
            return ANYBODY
        now_s = self._clock()
        closed_s = self._throttle.closed_s(address, now_s)
        if closed_s is not None:
            raise Unauthorized("too many wrong tokens from this address: try again later", closed_s)
        try:
            return self.verifier.verify(token)
        except WrongToken as problem:
            log.debug("a token from %s was refused: %s", address, problem)
            if self._throttle.fail(address, now_s):
                log.warning("too many wrong tokens from %s: none is looked at for a while", address)
            raise
