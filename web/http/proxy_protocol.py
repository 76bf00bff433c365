"""The PROXY protocol: what a proxy that passes bytes on says of its client before any of them, in one line or as a block. Pure.

https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt; version 1 is `PROXY TCP4 198.51.100.22 203.0.113.7 35646 80` with CR LF, 2 is

    0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a   21        11      00 0c    c6 33 64 16   cb 00 71 07   8b 3e   00 50
    (the signature)                       version,  TCP4    length   from          to            from    to
                                          PROXY                                                  port    port
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import NamedTuple

from web.http.head import bad

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LONGEST_LINE = 107
MOST_BLOCK_BYTES = 2048
"""Of a block: addresses, and whatever else the proxy knows, which nobody here asks."""
_LINE = re.compile(rb"PROXY (?:UNKNOWN[^\r\n]*|(TCP[46]) ([0-9A-Fa-f:.]+) [0-9A-Fa-f:.]+ ([0-9]{1,5}) [0-9]{1,5})\r\n")
_ADDRESS_BYTES = {0x11: 4, 0x21: 16}


class Said(NamedTuple):
    """How many bytes it took, and who the client is; `None`: the proxy speaks for itself."""

    size: int
    client: tuple[str, int] | None


def read(unread: bytearray) -> Said | None:
    """What stands at the beginning of a connection; of one that begins with something else, nothing: size 0. `None`: not all of it has
    come. Raises `BadRequest`.
    """
    if SIGNATURE.startswith(unread[: len(SIGNATURE)]) and unread:
        return _block(unread)
    if b"PROXY ".startswith(unread[:6]):
        return _line(unread) if unread else None
    return Said(0, None)


def _line(unread: bytearray) -> Said | None:
    end = unread.find(b"\r\n")
    if end < 0 and len(unread) < LONGEST_LINE:
        return None
    line = _LINE.match(unread)
    if line is None or line.end() > LONGEST_LINE:
        raise bad("the line of the PROXY protocol makes no sense")
    return Said(line.end(), None if line[1] is None else _client(line[2].decode(), int(line[3])))


def _block(unread: bytearray) -> Said | None:
    if len(unread) < 16:
        return None
    version_command, family = unread[12], unread[13]
    size = 16 + int.from_bytes(unread[14:16])
    if version_command not in (0x20, 0x21) or size > MOST_BLOCK_BYTES:
        raise bad("the block of the PROXY protocol makes no sense")
    if len(unread) < size:
        return None
    width = _ADDRESS_BYTES.get(family)
    if version_command == 0x20 or width is None:  # its own probe; or a client that has no address
        return Said(size, None)
    if size < 16 + 2 * width + 4:
        raise bad("the block of the PROXY protocol makes no sense")
    address = ip_address(bytes(unread[16 : 16 + width]))
    return Said(size, _client(str(address), int.from_bytes(unread[16 + 2 * width : 18 + 2 * width])))


def _client(address: str, port: int) -> tuple[str, int]:
    try:
        parsed = ip_address(address)
    except ValueError:
        raise bad("the PROXY protocol names no address") from None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed), port
