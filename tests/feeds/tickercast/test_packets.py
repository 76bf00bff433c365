"""What a relay says to another and hears from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.tickercast.packets import Packet, event, join, parse
from tests.feeds.support import complaint
from ticker.errors import FeedError


@pytest.mark.parametrize(
    ("message", "packet"),
    [
        (b'0{"sid":"x","pingInterval":10000}', Packet("open")),
        (b"1", Packet("close")),
        (b"2", Packet("ping")),
        (b"2probe", Packet("ping")),
        (b"6", Packet("other")),
        (b'40{"sid":"y"}', Packet("joined", {"sid": "y"})),
        (b"41", Packet("left")),
        (b'42["beat",{"server_time":1}]', Packet("event", {"server_time": 1}, name="beat")),
        (b'42["bare"]', Packet("event", None, name="bare")),
        (b'42/ACME,["quote",{"price":1}]', Packet("other")),
        (b"41/ACME,", Packet("other")),
        (b'4317[{"ok":true}]', Packet("acknowledgement", {"ok": True}, number=17)),
        (b"43[]", Packet("acknowledgement", None, number=-1)),
        (b'44{"message":"no"}', Packet("refused", {"message": "no"})),
    ],
)
def test_packets_are_told_apart(message: bytes, packet: Packet) -> None:
    """By their digits, `/` from other namespaces, events by name."""
    assert parse(message) == packet


@pytest.mark.parametrize("message", [b"", b"4", b"45-[", b"hello", b'42{"a":1}', b"42[]", b"42[1]", b'42["torn', b"43{}", b"\xff"])
def test_what_is_no_packet_is_an_error(message: bytes) -> None:
    """With an excerpt, and nothing else."""
    assert str(complaint(lambda: parse(message)))


@given(st.binary(max_size=60) | st.text(alphabet='0123456,/[]{}":a', max_size=40).map(str.encode))
def test_bytes_are_a_packet_or_an_error(message: bytes) -> None:
    """Whatever they are."""
    try:
        packet = parse(message)
    except FeedError:
        return
    assert isinstance(packet, Packet)


def test_what_we_say() -> None:
    """CONNECT, with or without a token, and events that are to be acknowledged."""
    assert join({}) == b"40"
    assert join({"token": "t"}) == b'40{"token":"t"}'
    assert event("subscribe", {"symbols": "*"}, 7) == b'427["subscribe",{"symbols":"*"}]'
    assert parse(event("x", [1], 3)) == Packet("event", [1], name="x")
