"""Who may read, composed from the settings."""

from __future__ import annotations

from ticker.settings import ServerSettings
from ticker.settings.auth import tokens_in
from web.auth.tokens import TokenVerifier, Verifier


def verifier_of(server: ServerSettings) -> Verifier | None:
    """What tells good tokens from bad ones; `None`: everybody may read. Raises `SettingsError` for keys that are none."""
    if server.auth == "token":
        return TokenVerifier([*tokens_in(server.tokens), *tokens_in(server.tokens_previous)])
    if server.auth == "jwt":
        from web.auth.jwt import JwtVerifier  # here, because its library takes 0.1 s that only who asks for it should wait

        return JwtVerifier(server)
    return None
