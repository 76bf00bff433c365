"""One symbol on the wire: each form encoded at most once a flush, only where somebody reads it, and a snapshot exactly where it is due."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.fanout.quotes import quote
from ticker.quote import Quote, encode
from web.fanout.channel import BOARD_CHUNK_BYTES, Channel, board_body, board_frame
from web.fanout.client import payload_of
from web.fanout.reading_list import board_parts, space_parts

EPOCH = "e1"


def content(frame: bytes) -> tuple[str, Any]:
    """What stands before the JSON of a text frame, and the JSON."""
    is_text, payload = payload_of(frame)
    assert is_text
    prefix, _, body = payload.decode().partition("[")
    return prefix, json.loads("[" + body)


def flushed(symbol: str, *seqs: int) -> Channel:
    """A channel after as many flushes."""
    channel = Channel(symbol, EPOCH)
    for number, seq in enumerate(seqs, start=1):
        channel.flush(quote(symbol, seq), number)
    return channel


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USD", "^GSPC", "EURUSD=X", "BRK.B"])
def test_frame(symbol: str) -> None:
    """The `quote` event of the symbol's own namespace, raw name and all."""
    prefix, (event, payload) = content(flushed(symbol, 1, 2).frame())
    assert (prefix, event) == (f"42/{symbol},", "quote")
    assert payload == {"price": 1.5, "symbol": symbol, "received_time": 1_700_000_000_002, "seq": 2, "source": "sim", "kind": "simulated",
                       "state": "fresh"}  # fmt: skip


def test_snapshot_frame() -> None:
    """The same with `snapshot` and `epoch`, which no other frame has."""
    channel = flushed("A", 1, 2)
    plain, snapshot = content(channel.frame())[1][1], content(channel.snapshot_frame())[1][1]
    assert snapshot == {**plain, "snapshot": True, "epoch": EPOCH}


def test_the_first_flush_is_everybodys_snapshot() -> None:
    """Nobody can have been sent a quote before the first one."""
    channel = flushed("A", 1)
    assert channel.frame() == channel.snapshot_frame()
    assert board_body(channel, False) == board_body(channel, True)
    channel.flush(quote("A", 2), 2)
    assert channel.frame() != channel.snapshot_frame()
    assert board_body(channel, False) != board_body(channel, True)


def test_encoded_once_and_only_if_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many forms of a quote are read, and how often, its JSON is made once a flush; unread it is never made."""
    encoded: list[int] = []

    def counting(one: Quote) -> bytes:
        encoded.append(one.seq)
        return encode(one)

    monkeypatch.setattr("web.fanout.channel.encode", counting)
    channel = flushed("A", 1, 2, 3)
    assert encoded == []
    frames = {id(channel.frame()) for _ in range(3)}
    snapshots = {id(channel.snapshot_frame()) for _ in range(3)}
    board_body(channel, False)
    board_body(channel, True)
    assert encoded == [3]
    assert len(frames) == len(snapshots) == 1


@given(st.integers(1, 400))
def test_header_fits_the_payload(digits: int) -> None:
    """Whatever the length, the frame's header says it (a name may be long, a number of digits)."""
    channel = Channel("A" * 32, EPOCH)
    channel.flush(Quote(symbol="A" * 32, price=1.0, received_time=1, seq=1, source="s" * digits, kind="simulated", state="fresh"), 1)
    frame = channel.frame()
    assert len(payload_of(frame)[1]) == (frame[1] if frame[1] < 126 else int.from_bytes(frame[2:4]))


def test_board_frame() -> None:
    """A `quotes` event of the board: an array."""
    channels = [flushed(symbol, 1, 2) for symbol in ("A", "B")]
    prefix, (event, quotes) = content(board_frame([board_body(channel, False) for channel in channels]))
    assert (prefix, event) == ("42", "quotes")
    assert [one["symbol"] for one in quotes] == ["A", "B"]


def test_board_parts() -> None:
    """All snapshots in one frame, the rest in frames of about 64 KiB; a channel without a quote is left out. Nothing twice."""
    news = [flushed(f"S{number}", 1, 2) for number in range(2000)]
    fresh = [flushed(f"N{number}", 1, 2) for number in range(3)]
    parts = board_parts([*((channel, False) for channel in news), (Channel("EMPTY", EPOCH), True), *((channel, True) for channel in fresh)])
    assert [part.snapshot for part in parts] == [True] + [False] * (len(parts) - 1)
    assert [channel for part in parts for channel in part.channels] == [*fresh, *news]
    assert [one["symbol"] for part in parts for one in content(part.frame)[1][1]] == [channel.symbol for channel in (*fresh, *news)]
    assert all("snapshot" in one for one in content(parts[0].frame)[1][1])
    assert max(len(part.frame) for part in parts[1:]) < BOARD_CHUNK_BYTES + 1000
    assert min(len(part.frame) for part in parts[1:-1]) > BOARD_CHUNK_BYTES - 1000


def test_space_parts() -> None:
    """A frame a channel, in the order given; one without a quote is left out."""
    first, second = flushed("A", 1, 2), flushed("B", 1, 2)
    parts = space_parts([(first, True), (Channel("EMPTY", EPOCH), True), (second, False)])
    assert [(part.frame, part.channels, part.snapshot) for part in parts] == [
        (first.snapshot_frame(), (first,), True),
        (second.frame(), (second,), False),
    ]
