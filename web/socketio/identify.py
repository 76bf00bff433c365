"""Who a client is: that counts for all of its connection, until the first of its tokens ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.auth.authenticator import Authenticator
from web.auth.credentials import in_payload
from web.auth.identity import ANYBODY, Identity, Unauthorized
from web.auth.tokens import WrongToken, digest
from web.fanout.client import Client
from web.fanout.engine import Engine


class Identification:
    """Asked at each handshake (`of_request`) and at each CONNECT (`identify`)."""

    def __init__(self, access: Authenticator, engine: Engine) -> None:
        self._access = access
        self._engine = engine

    def of_request(self, environ: Mapping[str, Any]) -> Identity | None:
        """Who sends this request; `None` where it does not say. Raises `Unauthorized`."""
        return self._access.of_request(environ)

    def identify(self, client: Client, auth: Any) -> Identity:
        """Who sends a CONNECT: its own token decides, else the one that the connection came with. Raises `Unauthorized`."""
        if self._access.is_open:
            return ANYBODY
        token = in_payload(auth)
        if token is None:
            if client.identity is None:
                raise Unauthorized("a token is needed: send it as auth: {token} when connecting")
            return client.identity
        hashed = digest(token)
        if client.known_token is not None and hashed == client.known_token[0]:
            return client.known_token[1]
        if hashed == client.refused_token:
            raise Unauthorized("the token is wrong")
        try:
            identity = self._access.verify(token, client.address)
        except WrongToken:
            client.refused_token = hashed
            raise
        client.known_token = hashed, identity
        self.recognised(client, identity)
        return identity

    def recognised(self, client: Client, identity: Identity) -> None:
        """`client` has shown a good token."""
        if client.identity is None:
            client.identity = identity
        if identity.expires_s is not None:
            self._engine.timeouts.expires(client, identity.expires_s)
        if identity.max_hz is not None and (client.max_hz is None or identity.max_hz < client.max_hz):
            client.max_hz = identity.max_hz
            for reading_list in client.reading_lists():
                self._engine.subscriptions.set_period(reading_list, max(reading_list.period_ms, 1000 / identity.max_hz))
