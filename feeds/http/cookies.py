"""The cookies of one provider, for the few that hand out prices only to who comes with one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime

MAX_COOKIES = 50
MAX_COOKIE_BYTES = 4096
"""The least that a browser must take (RFC 6265 section 6.1), and the most that we do: a header has to hold all of them."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[ -:<-~]*")  # printable ASCII without the semicolon


class Cookies:
    """Cookies by name. A feed asks hosts of one provider only, so all of them get all cookies, whatever `Domain`, `Path` and
    `Secure` say: that way a local server, or a mirror that `base_url` names, can hand out the provider's own.
    """

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def take(self, headers: Iterable[str]) -> None:
        """Keep what these `Set-Cookie` headers set, drop what they delete, and pass over what no browser would take."""
        for header in headers:
            pair, *attributes = header.split(";")
            name, separator, value = (part.strip() for part in pair.partition("="))
            if not separator or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or len(name) + len(value) > MAX_COOKIE_BYTES:
                continue
            if any(map(_is_over, attributes)):
                self._values.pop(name, None)
            elif name in self._values or len(self._values) < MAX_COOKIES:
                self._values[name] = value

    def header(self) -> str | None:
        """The `Cookie` header, or `None` without cookies."""
        return "; ".join(f"{name}={value}" for name, value in self._values.items()) or None

    def clear(self) -> None:
        """Forget all of them."""
        self._values.clear()

    def __contains__(self, name: str) -> bool:
        return name in self._values


def _is_over(attribute: str) -> bool:
    """Whether an attribute says that its cookie is to be deleted: a life of nothing, or an end before 1990, as servers write it."""
    name, _, value = (part.strip() for part in attribute.partition("="))
    if name.lower() == "max-age":
        return re.fullmatch(r"0+|-[0-9]+", value) is not None
    if name.lower() == "expires":
        try:
            return parsedate_to_datetime(value).year < 1990
        except (ValueError, OverflowError, TypeError):
            return False
    return False
