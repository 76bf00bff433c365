"""Lines of a recording, as bytes and back."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from feeds.finnhub import FinnhubSettings
from ticker.quote import Quote, Tick, VolumeOf
from ticker.settings.model import Settings, SymbolSettings
from ticker.sinks.recording import (
    MAX_LINE_BYTES,
    Batch,
    NotARecording,
    Packer,
    Unpacker,
    as_tick,
    batch,
    header,
    moment_ms,
    read_batch,
    read_header,
    time_of,
)

START_MS = 1_795_377_851_000
QUOTES = [
    Quote(
        symbol="BTC-USD",
        price=67244.12,
        bid=67244.1,
        change_pct=-1.5,
        quote_time=START_MS - 5,
        received_time=START_MS,
        seq=3,
        source="a",
        kind="polled",
        state="fresh",
        session="post",
        origin="b",
        hops=1,
        delay_min=15.0,
    ),
    Quote(symbol="X", price=0.1 + 0.2, received_time=START_MS, seq=1, source="a", kind="polled", state="stale"),
    Quote(
        symbol="CL=F",
        price=-37.63,
        bid=-40.32,
        ask=0.0,
        change=-55.9,
        received_time=START_MS,
        seq=2,
        source="a",
        kind="polled",
        state="closed",
        session="overnight",
        halted=True,
        quote_time=START_MS - 60_000,
    ),
]
HEADER = header(Settings(), "cf98", START_MS)


def test_the_header_describes_symbols_and_kinds_and_no_secret() -> None:
    """What people see of a symbol; of a feed its kind, neither address nor key."""
    key = "C4nary-K3y"
    feed = FinnhubSettings(kind="finnhub", api_key=SecretStr(key))
    settings = Settings(
        feeds={"hub": feed},
        symbols={
            "A": SymbolSettings(feed=("hub",)),
            "B/C": SymbolSettings(feed=("hub",), name="Bee", decimals=2, currency="USD", group=("x",)),
            "CL=F": SymbolSettings(feed=("hub",), allow_negative=True),
        },
    )
    line = header(settings, "cf98", START_MS)
    assert key.encode() not in line
    assert b"//" not in line
    assert json.loads(line)["symbols"] == {
        "A": {"feed": ["hub"]},
        "B/C": {"feed": ["hub"], "name": "Bee", "decimals": 2, "currency": "USD", "group": ["x"]},
        "CL=F": {"feed": ["hub"], "allow_negative": True},
    }
    found = read_header(line)
    assert (found.recording, found.started, found.epoch, found.feeds) == (1, START_MS, "cf98", {"hub": "finnhub"})


def test_a_batch_comes_back_as_it_was() -> None:
    """Every field of every quote, byte by byte."""
    line = batch(QUOTES, START_MS + 7)
    assert time_of(line) == START_MS + 7
    found = read_batch(line)
    assert found is not None
    assert found.quotes == QUOTES
    assert batch(found.quotes, found.t) == line
    assert found.volume_of == {}
    said: dict[str, VolumeOf] = {"X": "session", "CL=F": "24h"}
    assert read_batch(batch(QUOTES, START_MS, said)) == Batch(t=START_MS, quotes=QUOTES, volume_of=said)


def test_a_quote_becomes_a_tick_with_its_state_as_the_sources_word() -> None:
    """Prices, times and origin stay."""
    assert as_tick(QUOTES[0]) == Tick(
        price=67244.12,
        bid=67244.1,
        change_pct=-1.5,
        quote_time=START_MS - 5,
        session="post",
        origin="b",
        hops=1,
        delay_min=15.0,
        upstream_state="fresh",
    )
    assert as_tick(QUOTES[1]).upstream_state == "stale"
    assert as_tick(QUOTES[2], "day_utc") == Tick(
        price=-37.63,
        bid=-40.32,
        ask=0.0,
        change=-55.9,
        session="overnight",
        halted=True,
        quote_time=START_MS - 60_000,
        upstream_state="closed",
        volume_of="day_utc",
    )


def test_newer_keys_are_passed_over() -> None:
    """Those who read an older format's descendants are none the worse."""
    line = json.dumps(json.loads(batch(QUOTES, 1)) | {"more": [1]}).encode()
    assert read_batch(line) is not None
    assert read_header(json.dumps(json.loads(HEADER) | {"more": 1}).encode()).epoch == "cf98"


@pytest.mark.parametrize("line", [b"", b"{}", b"hello", b"[1]", b'{"recording":"1"}', b"\xff\xfe", b'{"t":1,"quotes":[]}', b"[" * 100_000])
def test_what_is_no_header_is_no_recording(line: bytes) -> None:
    """Said so that the file's name fits before it."""
    with pytest.raises(NotARecording, match=r"^is not a recording"):
        read_header(line)
    assert read_batch(line) is None or b"quotes" in line
    assert time_of(line) is None or b'"t"' in line


def test_a_later_format_is_refused() -> None:
    """With the version that wrote it."""
    with pytest.raises(NotARecording, match=r"of format 2, by tickercast 9\.0"):
        read_header(json.dumps(json.loads(HEADER) | {"recording": 2, "version": "9.0"}).encode())


@pytest.mark.parametrize(
    "body", [b'{"t":1,"quotes":[{"symbol":"X"}]}', b'{"t":1}', b'{"t":1.5,"quotes":[]}', b'{"t":1,"quotes":[{"symbol":"X",']
)
def test_half_a_batch_is_none(body: bytes) -> None:
    """All of its quotes are whole, or none counts."""
    assert read_batch(body) is None


@pytest.mark.parametrize("packed", [False, True])
@given(st.lists(st.integers(1, 400), max_size=30), st.integers(1, 500))
def test_lines_survive_the_file(packed: bool, sizes: list[int], chunk: int) -> None:
    """However they are cut into writes and reads."""
    lines = [b"%d:" % number + b"x" * size for number, size in enumerate(sizes)]
    packer, unpacker = Packer(gzip=packed), Unpacker()
    data = b"".join(packer.pack(line + b"\n") for line in lines) + packer.end()
    found = [line for first in range(0, len(data), chunk) for line in unpacker.lines(data[first : first + chunk])]
    unpacker.end()
    assert found == lines
    assert unpacker.torn is None
    assert not packed or gzip.decompress(data) == b"".join(line + b"\n" for line in lines)


@pytest.mark.parametrize("packed", [False, True])
@given(st.data())
def test_a_torn_file_gives_all_lines_that_were_flushed_before(packed: bool, data: st.DataObject) -> None:
    """And says that something is missing, unless the cut was between two lines of plain text."""
    packer = Packer(gzip=packed)
    writes = [packer.pack(b"line %d\n" % number) for number in range(20)]
    whole = b"".join(writes)
    cut = data.draw(st.integers(1, len(whole)))
    unpacker = Unpacker()
    found = unpacker.lines(whole[:cut])
    unpacker.end()
    flushed = next(number for number in range(21) if number == 20 or len(b"".join(writes[: number + 1])) > cut)
    assert found[:flushed] == [b"line %d" % number for number in range(flushed)]
    assert found == [b"line %d" % number for number in range(len(found))]
    assert (unpacker.torn is None) == ((not packed and whole[:cut].endswith(b"\n")) or cut < 2)


def test_files_in_a_row_are_read_on() -> None:
    """Packed ones too, also where the second is torn."""
    first, second = (gzip.compress(b"a\nb\n"), gzip.compress(b"c\n"))
    unpacker = Unpacker()
    assert unpacker.lines(first + second) == [b"a", b"b", b"c"]
    unpacker.end()
    assert unpacker.torn is None
    unpacker = Unpacker()
    assert unpacker.lines(first + second[:9]) == [b"a", b"b"]
    unpacker.end()
    assert "torn" in str(unpacker.torn)


def test_damage_ends_the_recording_there() -> None:
    """What was read before counts."""
    packer = Packer(gzip=True)
    unpacker = Unpacker()
    assert unpacker.lines(packer.pack(b"a\n") + b"\xff" * 50) == [b"a"]
    assert "damaged" in str(unpacker.torn)
    assert unpacker.lines(b"more") == []


def test_a_line_without_end_is_no_recording() -> None:
    """It is not read into memory for ever."""
    unpacker = Unpacker()
    assert unpacker.lines(b"x" * MAX_LINE_BYTES) == []
    with pytest.raises(NotARecording, match="longer than 64 MiB"):
        unpacker.lines(b"x")


@pytest.mark.parametrize(("text", "ms"), [
    ("+0", START_MS), ("+90", START_MS + 90_000), ("+90s", START_MS + 90_000), ("+1.5m", START_MS + 90_000), ("+2h", START_MS + 7_200_000),
    ("2026-11-22T20:04:11Z", 1_795_377_851_000), ("2026-11-22T21:04:11+01:00", 1_795_377_851_000),
    ("2026-11-22 20:04:11", 1_795_377_851_000),
    ("1795377851000", 1_795_377_851_000)])  # fmt: skip
def test_moments(text: str, ms: int) -> None:
    """From the start, or by the calendar; UTC where nobody says."""
    assert moment_ms(text, START_MS) == ms


@pytest.mark.parametrize("text", ["", "90", "+", "+1d", "noon", "12:00", "-5", "+1e3"])
def test_what_is_no_moment(text: str) -> None:
    """With examples."""
    with pytest.raises(ValueError, match="is no time: write"):
        moment_ms(text, START_MS)


@given(st.binary(max_size=200))
def test_any_bytes_are_lines_or_no_recording(data: bytes) -> None:
    """Whatever file somebody names."""
    unpacker = Unpacker()
    for line in unpacker.lines(data):
        with suppress(NotARecording):
            read_header(line)
        assert read_batch(line) is None or isinstance(msgspec.json.decode(line), dict)


def test_a_quote_of_the_wire_is_a_quote_of_a_recording() -> None:
    """Numbers without a point are prices too."""
    row: dict[str, Any] = {"symbol": "X", "price": 67500, "received_time": 1, "seq": 1, "source": "a", "kind": "relayed", "state": "fresh"}
    found = read_batch(json.dumps({"t": 1, "quotes": [row]}).encode())
    assert found is not None
    assert found.quotes[0].price == 67500.0
