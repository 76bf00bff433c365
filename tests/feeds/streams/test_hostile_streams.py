"""Providers of streams that send without end: each way ends the connection, by a count or by the deadline, and others have their turn."""

from __future__ import annotations

import base64
import hashlib
import re
import tracemalloc
from typing import Any, NamedTuple

import pytest

import ticker.runtime
from feeds.coinbase_stream import CoinbaseStream
from feeds.streams.websocket import LONGEST_SLICE_BYTES, MAX_AT_ONCE, MAX_FRAGMENTS, SLICE_BYTES, WebSocket
from tests.feeds.hostile import Witness, hostile
from tests.feeds.streams.streaming import PATIENCE_S
from tests.feeds.support import complaint, subscribe
from ticker.clock import SystemClock
from ticker.errors import FeedError
from ticker.runtime import Runtime
from ticker.source import Ended
from ticker.streaming.connection import MOST_ODD
from ticker.streaming.streamer import Streamer

LONG_S = 60.0
"""A deadline that is never met: a count of ours comes first."""
FRAMES_A_SLICE = SLICE_BYTES // 2


def accepted(head: bytes) -> bytes:
    """What a server says that speaks WebSocket."""
    found = re.search(rb"Sec-WebSocket-Key: (\S+)", head)
    assert found
    proof = base64.b64encode(hashlib.sha1(found[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    return b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + proof + b"\r\n\r\n"


class Way(NamedTuple):
    """What is sent after the handshake, once and then without end; what is said of it; how many turns others have meanwhile, at least."""

    name: str
    first: bytes
    again: bytes
    said: str
    turns: int = 1


WAYS = [
    Way("empty fragments", b"\x01\x00", b"\x00\x00" * 50_000, "more than 10000 fragments", MAX_FRAGMENTS // FRAMES_A_SLICE),
    Way("fragments of a byte", b"\x01\x01x", b"\x00\x01x" * 50_000, "more than 10000 fragments", MAX_FRAGMENTS // FRAMES_A_SLICE),
    Way(
        "fragments with pings between",
        b"\x01\x01x",
        b"\x89\x00\x00\x00" * 50_000,
        "more than 10000 fragments",
        MAX_FRAGMENTS // FRAMES_A_SLICE,
    ),
    Way("pings", b"", b"\x89\x00" * 50_000, "more than 100 pings"),
    Way("pongs", b"", b"\x8a\x00" * 50_000, "more than 100 pings"),
    Way("pings with something in them", b"", (b"\x89\x7d" + b"x" * 125) * 1000, "more than 100 pings", 5),
    Way("a frame of 2⁶³ bytes", b"\x81\x7f" + b"\x7f" + b"\xff" * 7, b"x" * 100_000, "closed by us with 1009"),
    Way("long fragments", b"\x01\x00", b"\x00\x7e\xff\xff" + b"x" * 65_535, "closed by us with 1009", 8_000_000 // LONGEST_SLICE_BYTES),
    Way("a long fragment", b"\x01\x7f" + (8_000_000).to_bytes(8), b"x" * 100_000, "closed by us with", 8_000_000 // LONGEST_SLICE_BYTES),
    Way("no frames", b"", b"\xff" * 100_000, "closed by us with 1002"),
]


def ended(link: WebSocket, counts: list[int] | None = None) -> Ended:
    """How it ends, after however many messages; how many at a time goes into `counts`."""
    while True:
        try:
            messages = link.receive(PATIENCE_S)
        except Ended as error:
            return error
        assert messages is not None
        if counts is not None:
            counts.append(len(messages))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_what_never_ends_is_ended(way: Way, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what it has too much of, in little memory. Turns have no length here: others have one at each step."""
    monkeypatch.setattr(ticker.runtime, "LONGEST_TURN_S", 0.0)
    with hostile(lambda head: (accepted(head) + way.first, way.again)) as provider:
        link = WebSocket(f"ws://{provider.address}/", runtime, LONG_S)
        witness = Witness(runtime)
        tracemalloc.start()
        try:
            error = ended(link)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            turns = witness.stop()
            link.close()
    assert way.said in str(error)
    assert turns >= way.turns
    assert peak < 40 * 1024 * 1024


def test_no_more_is_handed_out_at_once_than_can_be_looked_at(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages without content take two bytes each; a read brings a hundred thousand. None is lost, and others have their turns between."""
    monkeypatch.setattr(ticker.runtime, "LONGEST_TURN_S", 0.0)
    with hostile(lambda head: (accepted(head) + b"\x81\x00" * 100_000 + b"\x88\x00", b"")) as provider:
        link = WebSocket(f"ws://{provider.address}/", runtime, LONG_S)
        witness = Witness(runtime)
        counts: list[int] = []
        error = ended(link, counts)
        turns = witness.stop()
        link.close()
    assert "closed with 1005" in str(error)
    assert sum(counts) == 100_000
    assert max(counts) < MAX_AT_ONCE + FRAMES_A_SLICE
    assert turns >= 100_000 // FRAMES_A_SLICE


def test_pings_with_messages_between_are_no_flood(runtime: Runtime) -> None:
    """However many in all."""
    with hostile(lambda head: (accepted(head) + (b"\x89\x00" * 90 + b"\x81\x01x") * 100 + b"\x88\x00", b"")) as provider:
        link = WebSocket(f"ws://{provider.address}/", runtime, LONG_S)
        assert "closed with 1005" in str(ended(link))
        link.close()


@pytest.mark.parametrize(("first", "again", "said"), [
    (b"HTTP/1.1 101 Switching Protocols\r\n", b"X-A: b\r\n" * 9000, "no WebSocket answer"),
    (b"HTTP/1.1 101 Switching Protocols\r\nX-A: ", b"b" * 100_000, "no WebSocket answer"),
    (b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000, "HTTP 500|no WebSocket answer|no connection within"),
    (b"HTTP/1.1 500 No\r\n\r\n", b"x" * 100_000, "HTTP 500|no WebSocket answer|no connection within"),
    (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, "HTTP 100|no WebSocket answer"),
    (b"", b"\0" * 100_000, "no WebSocket answer")])  # fmt: skip
def test_a_handshake_without_end_is_ended(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, first: bytes, again: bytes, said: str) -> None:
    """By the library's limits, or by the deadline where it has none; others have had their turns."""
    monkeypatch.setattr(ticker.runtime, "LONGEST_TURN_S", 0.0)
    with hostile(lambda _: (first, again)) as provider:
        witness = Witness(runtime)
        deadline_s = 0.5 if "within" in said else LONG_S
        error = complaint(lambda: WebSocket(f"ws://{provider.address}/", runtime, deadline_s))
        turns = witness.stop()
    assert any(one in str(error) for one in said.split("|")), error
    assert turns >= 1


@pytest.mark.parametrize(
    ("first", "again", "said"),
    [
        (b"", b"\x81\x00" * 50_000, f"{MOST_ODD} messages running make no sense"),
        (b"\x01\x00", b"\x00\x00" * 50_000, "fragments"),
        (b"", b"\x89\x00" * 50_000, "pings"),
    ],
)
def test_the_feed_says_why_it_failed(runtime: Runtime, first: bytes, again: bytes, said: str) -> None:
    """A streamer on such a provider connects, gives up, and tells it, as with any other end."""
    told: list[str | None] = []

    def changed() -> None:
        told.append(streamer.wire_state().error)

    with hostile(lambda head: (accepted(head) + first, again)) as provider:
        settings: dict[str, Any] = {"kind": "coinbase_stream", "base_url": f"ws://{provider.address}"}
        feed = CoinbaseStream("of_mine", CoinbaseStream.Settings.model_validate(settings), runtime)
        streamer = Streamer(feed, runtime, SystemClock(), "here", deliver=lambda _: None, changed=changed, anew=lambda: None)
        streamer.want(subscribe(CoinbaseStream, "BTC-USD"))
        task = runtime.spawn(streamer.run)
        turns = 0
        with runtime.deadline(PATIENCE_S):
            while not any(told):
                turns += 1
                runtime.sleep(0.001)
        streamer.stop()
        task.kill()
    assert said in str(next(error for error in told if error))
    assert turns >= 1


def test_a_complaint_of_a_stream_is_a_feed_error() -> None:
    """So that whoever takes it in needs to know no other kind."""
    assert issubclass(Ended, FeedError)
