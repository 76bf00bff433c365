"""Settings of the feeds whose providers want a key. It comes from the environment only, and goes into a header where they let it."""

from __future__ import annotations

import html
import re
from collections.abc import Collection
from typing import Annotated, ClassVar
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr

from ticker.secrets import BLANK, SHORTEST
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
    """The secrets as they may stand in an answer: as they are, as an address has them, as JSON and HTML may. Three letters are no secret:
    to blank them would be to garble what has them by chance.

    For whole answers, of 8 MB and at each poll. What is shown of one is blanked once more and in every spelling (`ticker.secrets`).
    """
    values = (getattr(settings, name) for name in settings.secrets)
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr) and len(value.get_secret_value()) >= SHORTEST]
    found: list[str] = []
    for secret in secrets:
        encoded = [quote(secret, safe=""), quote(secret, safe="/")]
        found += [secret, *encoded, *(re.sub("%..", lambda code: code[0].lower(), text) for text in encoded)]
        found += [secret.replace("/", "\\/"), html.escape(secret)]
        found += [
            "".join(char if char.isalnum() or char in "/._~-" else form.format(ord(char)) for char in secret)
            for form in ("\\u{:04x}", "\\u{:04X}")
        ]
    return [spelling.encode() for spelling in dict.fromkeys(found)]


def blanked(text: bytes, spelt: Collection[bytes]) -> bytes:
    """`text` without what `spellings` found."""
    for spelling in spelt:
        if spelling in text:
            text = text.replace(spelling, BLANK.encode())
    return text
