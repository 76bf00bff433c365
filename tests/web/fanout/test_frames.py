"""WebSocket frames: what we write an independent implementation reads, what it writes we read, and only a `Violation` ends it."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol, Opcode, ParseFailed

from web.fanout.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    Message,
    Violation,
    close_code,
    close_frame,
    decode_text,
    frame,
    text_frame,
    text_header,
)

MAX_BYTES = 1000
Outcome = tuple[list[Message], int | None]
"""The messages that came, and the code of the violation that ended them, if any."""


def client_frame(opcode: int, payload: bytes, fin: bool = True, mask: bytes = b"abcd", reserved: int = 0) -> bytes:
    """A masked frame, made without the code under test."""
    size = len(payload)
    length = bytes([size | 0x80]) if size < 126 else b"\xfe" + struct.pack("!H", size)
    return bytes([fin << 7 | reserved << 4 | opcode]) + length + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def read(pieces: list[bytes], max_bytes: int = MAX_BYTES) -> Outcome:
    """Feed our reader, and check texts and close codes as the engine does."""
    reader = FrameReader(max_bytes)
    messages: list[Message] = []
    try:
        for piece in pieces:
            for message in reader.feed(piece):
                if message.opcode == TEXT:
                    decode_text(message.payload)
                if message.opcode == CLOSE:
                    close_code(message.payload)
                messages.append(message)
    except Violation as violation:
        return messages, violation.code
    return messages, None


def read_by_wsproto(data: bytes) -> Outcome:
    """The same by wsproto."""
    protocol = FrameProtocol(client=False, extensions=[])
    protocol.receive_bytes(data)
    messages: list[Message] = []
    parts = b""
    try:
        for received in protocol.received_frames():
            payload = received.payload
            if received.opcode is Opcode.CLOSE:
                assert isinstance(payload, tuple)
                code, reason = payload
                messages.append(Message(CLOSE, b"" if code == 1005 else struct.pack("!H", code) + (reason or "").encode()))
                break
            assert not isinstance(payload, tuple)
            octets = payload.encode() if isinstance(payload, str) else bytes(payload)
            if received.opcode in (Opcode.PING, Opcode.PONG):
                messages.append(Message(received.opcode, octets))
                continue
            parts += octets
            if received.message_finished:
                messages.append(Message(received.opcode, parts))
                parts = b""
    except ParseFailed as failure:
        return messages, int(failure.code)
    return messages, None


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A well-formed message, in as many fragments as it likes, with control frames between them."""
    opcode = draw(st.sampled_from([TEXT, BINARY]))
    payload = draw(st.text(max_size=100).map(str.encode) if opcode == TEXT else st.binary(max_size=300))
    cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=4)))
    parts = [payload[start:end] for start, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    data = b""
    for number, part in enumerate(parts):
        data += client_frame(0 if number else opcode, part, fin=number == len(parts) - 1, mask=draw(st.binary(min_size=4, max_size=4)))
        if draw(st.booleans()):
            data += client_frame(draw(st.sampled_from([PING, PONG])), draw(st.binary(max_size=125)))
    return data


# 1014 ("bad gateway") is registered with IANA; wsproto does not know it.
CLOSE_CODES = st.one_of(st.integers(0, 5100), st.sampled_from([1000, 1001, 1003, 1007, 3000, 4999])).filter(lambda code: code != 1014)
CLOSES = st.builds(
    lambda code, reason: client_frame(CLOSE, struct.pack("!H", code) + reason),
    CLOSE_CODES,
    st.text(max_size=20).map(str.encode) | st.binary(max_size=20),
)
SINGLE_FRAMES = st.builds(client_frame, st.sampled_from([TEXT, BINARY, CLOSE, PING, PONG]), st.binary(max_size=140))
ANY_FRAMES = st.builds(client_frame, st.integers(0, 15), st.text(max_size=10).map(str.encode), st.booleans(),
                       st.binary(min_size=4, max_size=4), st.sampled_from([0, 0, 0, 0, 1, 2, 4]))  # fmt: skip
NOT_MINIMAL = st.builds(
    lambda opcode, size: bytes([0x80 | opcode, 0xFE]) + struct.pack("!H", size) + b"abcd" + b"x" * size,
    st.sampled_from([TEXT, BINARY]),
    st.integers(0, 200),
)
UNMASKED = st.builds(lambda opcode, payload: bytes([0x80 | opcode, len(payload)]) + payload, st.integers(0, 15), st.binary(max_size=9))
STREAMS = st.lists(messages() | CLOSES | SINGLE_FRAMES | ANY_FRAMES | NOT_MINIMAL | UNMASKED, max_size=6).map(b"".join)


@given(STREAMS)
def test_agrees_with_wsproto(stream: bytes) -> None:
    """Well-formed or not: the same messages, and the same code where it ends in a violation."""
    ours, theirs = read([stream]), read_by_wsproto(stream)
    if theirs[1] == 1007 and ours != theirs:
        # wsproto judges a text while it is still coming; we do when it is whole. What came between may be ours alone.
        assert ours[0][: len(theirs[0])] == theirs[0]
        assert all(message.opcode in (PING, PONG) for message in ours[0][len(theirs[0]) :])
        return
    assert ours == theirs


@given(STREAMS | st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=12))
def test_how_the_stream_is_cut_changes_nothing(stream: bytes, cuts: list[int]) -> None:
    """Segments of any size give the messages of the whole, and the same end."""
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert read([stream[start:end] for start, end in pairwise(bounds)]) == read([stream])


@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(0, 300))
def test_arbitrary_bytes(pieces: list[bytes], max_bytes: int) -> None:
    """Whatever comes: messages within the limit, and at most one violation with a code that may be sent."""
    came, code = read(pieces, max_bytes)
    assert all(len(message.payload) <= max(max_bytes, 125) for message in came)
    assert code in (None, 1002, 1007, 1009)


@given(messages())
def test_what_wsproto_writes(stream: bytes) -> None:
    """Frames masked by another implementation are read as they were meant."""
    expected, _ = read_by_wsproto(stream)
    writer = FrameProtocol(client=True, extensions=[])
    written = b""
    for opcode, payload in expected:
        if opcode == PING:
            written += writer.ping(payload)
        elif opcode == PONG:
            written += writer.pong(payload)
        else:
            written += writer.send_data(payload.decode() if opcode == TEXT else payload, fin=True)
    assert read([written]) == (expected, None)


@given(st.binary(max_size=300) | st.sampled_from([b"x" * size for size in (125, 126, 127, 1023, 1024, 65_535, 65_536, 70_000)]))
def test_what_we_write(payload: bytes) -> None:
    """Another implementation reads our binary frames, of every form of length."""
    reader = FrameProtocol(client=True, extensions=[])
    reader.receive_bytes(frame(BINARY, payload))
    assert b"".join(bytes(part.payload) for part in reader.received_frames() if isinstance(part.payload, bytes | bytearray)) == payload


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 1022, 1023, 1024, 1025, 65_535, 65_536])
def test_text_frames(size: int) -> None:
    """The header that is looked up is the header that is built."""
    payload = b"x" * size
    assert text_frame(payload) == frame(TEXT, payload) == text_header(size) + payload
    reader = FrameProtocol(client=True, extensions=[])
    reader.receive_bytes(text_frame(payload))
    assert "".join(part.payload for part in reader.received_frames() if isinstance(part.payload, str)) == payload.decode()


@given(st.sampled_from([1000, 1001, 1002, 1009, 4000, 4999]), st.text(max_size=80))
def test_close_frames(code: int, reason: str) -> None:
    """A reason of any length and script becomes a valid close frame; what had to be cut was cut between characters."""
    reader = FrameProtocol(client=True, extensions=[])
    reader.receive_bytes(close_frame(code, reason))
    (received,) = reader.received_frames()
    assert isinstance(received.payload, tuple)
    assert received.payload[0] == code
    assert reason.startswith(received.payload[1] or "")
    assert len(reason.encode()) > 120 or reason == (received.payload[1] or "")


def test_too_long_is_seen_in_the_header() -> None:
    """Before a byte of the payload is there, nothing is kept of it."""
    assert read([b"\x82\xfe" + struct.pack("!H", MAX_BYTES + 1)]) == ([], 1009)
    assert read([b"\x82\xff" + struct.pack("!Q", (1 << 63) - 1)]) == ([], 1009)
    assert read([client_frame(BINARY, b"x" * MAX_BYTES)]) == ([Message(BINARY, b"x" * MAX_BYTES)], None)


@given(st.lists(st.integers(0, 300), min_size=2, max_size=12))
def test_fragments_are_added_up(sizes: list[int]) -> None:
    """A message that is too long is, in however many pieces it comes."""
    stream = b"".join(client_frame(0 if number else BINARY, b"x" * size, fin=number == len(sizes) - 1) for number, size in enumerate(sizes))
    expected: Outcome = ([Message(BINARY, b"x" * sum(sizes))], None) if sum(sizes) <= MAX_BYTES else ([], 1009)
    assert read([stream]) == expected


def test_nothing_follows_a_close() -> None:
    """What comes behind a close frame is no matter any more, in the same segment or a later one."""
    end = client_frame(CLOSE, b"\x03\xe8")
    expected = ([Message(CLOSE, b"\x03\xe8")], None)
    assert read([end + b"\xff" * 20]) == read([end, b"\xff" * 20]) == read([end, client_frame(TEXT, b"4a")]) == expected


@pytest.mark.parametrize(("payload", "code"), [(b"", 1005), (b"\x03\xe8", 1000), (b"\x03\xe9going", 1001), (b"\x13\x87", 4999)])
def test_close_codes(payload: bytes, code: int) -> None:
    """The code of a close frame; 1005 stands for none."""
    assert close_code(payload) == code


def test_an_endless_row_of_empty_fragments() -> None:
    """Never too long, but too many: they would be read for ever."""
    reader = FrameReader(1000)
    first, more = b"\x01\x80\0\0\0\0", b"\x00\x80\0\0\0\0"
    assert list(reader.feed(first + more * 4095)) == []
    with pytest.raises(Violation, match="too many fragments") as violation:
        list(reader.feed(more))
    assert violation.value.code == 1009


def test_a_message_in_as_many_fragments_as_are_allowed() -> None:
    """Is whole, and the next may have as many again."""
    reader = FrameReader(10_000)
    pieces = b"\x01\x81\0\0\0\0a" + b"\x00\x81\0\0\0\0b" * 4094 + b"\x80\x81\0\0\0\0c"
    for _ in range(2):
        assert [message.payload for message in reader.feed(pieces)] == [b"a" + b"b" * 4094 + b"c"]
