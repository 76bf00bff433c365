"""WebSocket frames (RFC 6455 section 5), as plain functions and a parser without I/O.

Only what a server without extensions needs. Sizes are bounded before a payload is buffered, and unmasking is one
big-integer XOR (a byte loop in Python would block the process for 26 ms per 100 KB).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_CONTINUATION = 0x0
_FIN = 0x80


def _header(opcode: int, size: int) -> bytes:
    if size < 126:
        return bytes((_FIN | opcode, size))
    if size < 65_536:
        return struct.pack("!BBH", _FIN | opcode, 126, size)
    return struct.pack("!BBQ", _FIN | opcode, 127, size)


# A quote is about 300 bytes: its header is looked up, not built.
_TEXT_HEADERS = [_header(TEXT, size) for size in range(1024)]


def text_header(size: int) -> bytes:
    """The header of an unmasked text frame with `size` bytes of payload."""
    return _TEXT_HEADERS[size] if size < 1024 else _header(TEXT, size)


def text_frame(payload: bytes) -> bytes:
    """A whole unmasked text message."""
    return text_header(len(payload)) + payload


def frame(opcode: int, payload: bytes = b"") -> bytes:
    """A whole unmasked message or control frame."""
    return _header(opcode, len(payload)) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; the reason is cut to the whole characters that fit into the 123 bytes a control frame can hold."""
    return frame(CLOSE, struct.pack("!H", code) + reason.encode()[:123].decode(errors="ignore").encode())


class Violation(Exception):
    """The peer broke the protocol; close with `code` (RFC 6455 section 7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Message(NamedTuple):
    """A whole message, or a control frame: `opcode` is TEXT, BINARY, CLOSE, PING or PONG."""

    opcode: int
    payload: bytes


_MOST_FRAGMENTS = 4096  # of one message; an endless row of empty ones would never be too long


class FrameReader:
    """Cuts a client's byte stream into messages. Idle, it holds nothing but an empty byte string."""

    __slots__ = ("_buffer", "_ended", "_fragments", "_fragments_opcode", "_fragments_seen", "_max_bytes")

    def __init__(self, max_bytes: int) -> None:
        """`max_bytes`: the longest message, fragments added up; a longer one is a violation with code 1009."""
        self._max_bytes = max_bytes
        self._buffer: bytes | bytearray = b""
        self._fragments: bytearray | None = None  # grows in place: many small ones must not be copied over and over
        self._fragments_opcode = self._fragments_seen = 0
        self._ended = False

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes, in order; to be used up before the next call. What follows a close frame is ignored.

        Raises `Violation` behind the last message before the breach; nothing may be fed afterwards.
        """
        if self._ended:
            return
        buffer: bytes | bytearray = data
        if self._buffer:
            # In place too: a long frame comes in many pieces.
            buffer = self._buffer if isinstance(self._buffer, bytearray) else bytearray(self._buffer)
            buffer += data
        self._buffer = buffer
        position = 0
        while (size := self._frame_size(buffer, position)) and len(buffer) - position >= size:
            message = self._take(buffer, position, size)
            position += size
            if message is None:
                continue
            yield message
            if message.opcode == CLOSE:
                self._ended = True
                position = len(buffer)
                break
        if position:
            self._buffer = buffer[position:] if position < len(buffer) else b""

    def _frame_size(self, buffer: bytes | bytearray, position: int) -> int:
        """Bytes of the frame at `position`, header included; 0 while its header is incomplete. Checks the header."""
        have = len(buffer) - position
        if have < 2:
            return 0
        first, second = buffer[position], buffer[position + 1]
        opcode, length = first & 0x0F, second & 0x7F
        if first & 0x70:
            raise Violation(1002, "reserved bits set")
        if not second & 0x80:
            raise Violation(1002, "frame not masked")
        if opcode >= CLOSE:
            if opcode > PONG:
                raise Violation(1002, "unknown opcode")
            if not first & _FIN or length > 125:
                raise Violation(1002, "control frame too long or fragmented")
            return 6 + length
        self._check_sequence(opcode)
        header, least = 6, 0
        if length == 126:
            if have < 4:
                return 0
            length, header, least = int.from_bytes(buffer[position + 2 : position + 4]), 8, 126
        elif length == 127:
            if have < 10:
                return 0
            length, header, least = int.from_bytes(buffer[position + 2 : position + 10]), 14, 65_536
        if length < least or length >= 1 << 63:
            raise Violation(1002, "length not in its shortest form")
        if length + len(self._fragments or b"") > self._max_bytes:
            raise Violation(1009, "message too big")
        return header + length

    def _check_sequence(self, opcode: int) -> None:
        if opcode > BINARY:
            raise Violation(1002, "unknown opcode")
        if (opcode == _CONTINUATION) != bool(self._fragments_opcode):
            raise Violation(1002, "fragments out of order")

    def _take(self, buffer: bytes | bytearray, position: int, size: int) -> Message | None:
        first, length = buffer[position], buffer[position + 1] & 0x7F
        start = position + (2 if length < 126 else 4 if length == 126 else 10)
        payload = _unmask(buffer[start : start + 4], buffer[start + 4 : position + size])
        opcode = first & 0x0F
        if opcode >= CLOSE:
            return Message(opcode, payload)
        if not first & _FIN or opcode == _CONTINUATION:
            if self._fragments is None:
                self._fragments = bytearray()
            self._fragments += payload
            self._fragments_opcode = self._fragments_opcode or opcode
            self._fragments_seen += 1
            if self._fragments_seen > _MOST_FRAGMENTS:
                raise Violation(1009, "message in too many fragments")
            if not first & _FIN:
                return None
            opcode, payload = self._fragments_opcode, bytes(self._fragments)
            self._fragments, self._fragments_opcode, self._fragments_seen = None, 0, 0
        return Message(opcode, payload)


def decode_text(payload: bytes) -> str:
    """The text of a TEXT message. Raises `Violation` where it is not UTF-8 (section 8.1)."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Violation(1007, "not UTF-8") from None


def close_code(payload: bytes) -> int:
    """The status code of a peer's close frame, 1005 where it has none. Raises `Violation` for a malformed one (section 7.1.5)."""
    if not payload:
        return 1005
    if len(payload) == 1:
        raise Violation(1002, "close code cut off")
    code = int.from_bytes(payload[:2])
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise Violation(1002, "close code not allowed")
    decode_text(payload[2:])
    return code


def _unmask(mask: bytes | bytearray, payload: bytes | bytearray) -> bytes:
    size = len(payload)
    if not size:
        return b""
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(size)
