"""Where an answer sends us, and whether we go: nobody but the provider is to see our requests, which carry keys. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

LONGEST_SHOWN = 100


class Redirect(NamedTuple):
    """What becomes of one: the address to ask next, or why it is not followed."""

    url: str | None
    refused: str = ""


def redirect(url: str, location: str, hosts: Collection[str] = (), *, keeps_method: bool = True) -> Redirect:
    """What `url` answers with its header `Location`. Followed on the same host only, and never out of TLS.

    `hosts` are those of the same provider: a redirect there says what `base_url` has to be. A body is not sent a second time unless the
    status says that the method is kept. None that names a user is followed: `http://evil\\@provider/` is the provider's to one parser, and
    evil's to the one that connects.
    """
    try:
        there = urljoin(url, location)
        old, new = urlsplit(url), urlsplit(there)
        if new.hostname is None or "@" in new.netloc or new.scheme not in ("http", "https"):
            return Redirect(None, "answers with a redirect to an address that can't be followed")
        same = _origin(old) == _origin(new)
        secured = (
            old.scheme == "http" and new.scheme == "https" and old.hostname == new.hostname and (new.port or 443) in (443, old.port)
        )  # on another port somebody else may live
    except ValueError:  # urllib: an address or a port that can't be one
        return Redirect(None, "answers with a redirect to an address that can't be followed")
    where = new.hostname if new.hostname != old.hostname else f"{new.scheme}://{new.netloc}"
    told = f"answers with a redirect to {where[:LONGEST_SHOWN]}"
    if not (same or secured):
        moved = new.scheme == "https" and new.hostname in hosts and new.hostname != old.hostname
        return Redirect(None, f'{told}: set base_url = "https://{new.netloc}"' if moved else f"{told}, which is not followed")
    if not keeps_method:
        return Redirect(None, f"{told} that asks for something else than what was sent, which is not followed")
    return Redirect(there)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
