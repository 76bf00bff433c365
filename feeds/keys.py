"""Settings of the feeds whose providers want a key. It comes from the environment only, and goes into a header where they let it."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr

from ticker.settings import FeedSettings, PolledSettings


def _sendable(key: SecretStr | None) -> SecretStr | None:
    if key is not None and not re.fullmatch(r"[!-~]+", key.get_secret_value()):
        raise ValueError("a key is made of letters, digits and signs, without spaces")
    return key


Sendable = AfterValidator(_sendable)
"""For a secret that goes into a header or an address: neither can carry spaces, line ends or letters beyond ASCII."""


class KeyedSettings(PolledSettings):
    """Settings of a kind whose provider answers to a key only."""

    secrets: ClassVar[tuple[str, ...]] = ("api_key",)

    api_key: Annotated[SecretStr, Sendable] = Field(max_length=1000, description="the key that the provider gave you")

    def key(self) -> str:
        """The key in the clear: for the request and nothing else."""
        return self.api_key.get_secret_value()


def spellings(settings: FeedSettings) -> list[bytes]:
    """The secrets as they may come back: as they are, as an address has them, and as JSON may. Three letters are no secret: to blank
    them would be to garble what has them by chance.
    """
    values = (getattr(settings, name) for name in settings.secrets)
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr) and len(value.get_secret_value()) > 3]
    encoded = [quote(secret, safe="") for secret in secrets]
    found = [*secrets, *encoded, *(re.sub("%..", lambda code: code[0].lower(), text) for text in encoded),
             *(secret.replace("/", "\\/") for secret in secrets)]
    return [spelling.encode() for spelling in dict.fromkeys(found)]
