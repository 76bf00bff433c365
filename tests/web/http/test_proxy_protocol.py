"""What a proxy says of its client before the first request, by the text of the protocol."""

from __future__ import annotations

import pytest

from tests.conformance.peer import Address, Connection
from tests.web.relaying import relaying
from web.http.head import BadRequest
from web.http.proxy_protocol import SIGNATURE, Said, read

TCP4 = b"PROXY TCP4 198.51.100.22 203.0.113.7 35646 80\r\n"
TCP6 = b"PROXY TCP6 2001:db8::22 2001:db8::7 35646 80\r\n"
REST = b"GET / HTTP/1.1\r\n"


def block(command: int, family: int, addresses: bytes, length: int | None = None) -> bytes:
    """A block of version 2."""
    return SIGNATURE + bytes([command, family]) + (len(addresses) if length is None else length).to_bytes(2) + addresses


BLOCK4 = block(0x21, 0x11, bytes([198, 51, 100, 22, 203, 0, 113, 7]) + (35646).to_bytes(2) + (80).to_bytes(2))
BLOCK6 = block(
    0x21, 0x21, bytes.fromhex("20010db8" + "0" * 22 + "22") + bytes(16) + (35646).to_bytes(2) + (80).to_bytes(2) + b"\x03\0\4abcd"
)

TOLD = {
    "version 1, IPv4": (TCP4, ("198.51.100.22", 35646)),
    "version 1, IPv6": (TCP6, ("2001:db8::22", 35646)),
    "version 1, nobody known": (b"PROXY UNKNOWN\r\n", None),
    "version 1, nobody known, at length": (b"PROXY UNKNOWN ::1 ::1 1 2\r\n", None),
    "version 2, IPv4": (BLOCK4, ("198.51.100.22", 35646)),
    "version 2, IPv6, and more": (BLOCK6, ("2001:db8::22", 35646)),
    "version 2, the proxy's own probe": (block(0x20, 0, b""), None),
    "version 2, a Unix socket": (block(0x21, 0x31, bytes(216)), None),
    "an IPv4 address in IPv6": (b"PROXY TCP6 ::ffff:198.51.100.22 ::1 35646 80\r\n", ("198.51.100.22", 35646)),
}


@pytest.mark.parametrize("what", TOLD)
def test_whom_it_speaks_for(what: str) -> None:
    """However little has come, nothing is taken for the rest; all of it, and not a byte more."""
    said, client = TOLD[what]
    assert all(read(bytearray(said[:length])) is None for length in range(len(said)))
    for behind in (b"", REST):
        assert read(bytearray(said + behind)) == Said(len(said), client)


@pytest.mark.parametrize("said", [REST, b"POST / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n", b"\r\n\r\nGET / HTTP", b"PUT", b"\x16\x03\x01"])
def test_a_request_is_a_request(said: bytes) -> None:
    """Proxies that speak HTTP say nothing before it."""
    assert read(bytearray(said)) == Said(0, None)


@pytest.mark.parametrize("said", [
    b"PROXY TCP4 198.51.100.22 203.0.113.7 35646\r\n", b"PROXY TCP5 1.1.1.1 1.1.1.1 1 2\r\n", b"PROXY TCP4 999.1.1.1 1.1.1.1 1 2\r\n",
    b"PROXY TCP4 ::g 1.1.1.1 1 2\r\n", b"PROXY " + b"x" * 200, b"PROXY TCP4 1.1.1.1 1.1.1.1 1 2\n" + b" " * 100,
    b"PROXY UNKNOWN" + b" " * 100 + b"\r\n",
    block(0x11, 0x11, bytes(12)), block(0x22, 0x11, bytes(12)), block(0x21, 0x11, bytes(11)), block(0x21, 0x21, bytes(12)),
    block(0x21, 0x11, b"", 60_000)])  # fmt: skip
def test_what_makes_no_sense(said: bytes) -> None:
    """Is no request either."""
    with pytest.raises(BadRequest, match="PROXY protocol"):
        read(bytearray(said))


@pytest.mark.parametrize(("said", "trusted", "status"), [
    (TCP4, True, 200), (BLOCK4, True, 200), (b"", True, 200), (TCP4, False, 400), (BLOCK4, False, 400), (b"PROXY nonsense\r\n", True, 400)
])  # fmt: skip
def test_from_trusted_proxies_and_from_nobody_else(said: bytes, trusted: bool, status: int) -> None:
    """From others it is no request. What is said counts for the whole connection: here each client has its own rate."""
    request = b"GET /api/status HTTP/1.1\r\nHost: h\r\n\r\n"
    server = {"allowed_hosts": ["*"]}
    with relaying(["A"], {}, server=server, trusted_proxies=["127.0.0.1"] if trusted else [], limits={"http_requests_per_s": 1}) as core:
        statuses = []
        for _ in range(4):
            with Connection(Address(*core.address)) as connection:
                connection.send(said + request)
                statuses.append(connection.response().status)
        limited = 429 if status == 200 and said else status
        assert statuses == [status, status, limited, limited]
