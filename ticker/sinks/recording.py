"""Recordings: what a line of one is, how lines become bytes, and bytes lines again. No I/O. The format is in docs/recordings.md."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from ticker import __version__
from ticker.quote import PRICE_FIELDS, Quote, Tick, VolumeOf
from ticker.settings.model import Settings, SymbolSettings

FORMAT = 1
MAX_LINE_BYTES = 64 * 1024 * 1024
GZIP = b"\x1f\x8b"


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A symbol as the settings had it, as far as people see it, and whether its price may be zero or below."""

    feed: tuple[str, ...]
    name: str | None = None
    decimals: int | None = None
    currency: str | None = None
    group: tuple[str, ...] = ()
    allow_negative: bool = False


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line. `recording` is the format's number, `started` Unix epoch ms, `feeds` has the kind of each."""

    recording: int
    version: str
    started: int
    epoch: str
    feeds: dict[str, str]
    symbols: dict[str, Card]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Any other line: updates that were accepted together, and when: Unix epoch ms, on a clock that is not set meanwhile.

    `volume_of`: what the volumes of these symbols count from here on; said with the first quote, and where it changes. (Recordings from
    before say nothing.)
    """

    t: int
    quotes: list[Quote]
    volume_of: dict[str, VolumeOf] = {}


class Stamp(msgspec.Struct, frozen=True):
    """The time of a line."""

    t: int


class NotARecording(Exception):
    """What the bytes are not."""


def header(settings: Settings, epoch: str, started_ms: int) -> bytes:
    """The first line of a recording of `settings`. It has symbols and kinds of feeds only: neither addresses nor secrets."""
    return (
        _ENCODER.encode(
            Header(
                recording=FORMAT,
                version=__version__,
                started=started_ms,
                epoch=epoch,
                feeds={name: feed.kind for name, feed in settings.feeds.items()},
                symbols={symbol: _card(wish) for symbol, wish in settings.symbols.items()},
            )
        )
        + b"\n"
    )


def batch(quotes: Sequence[Quote], now_ms: int, volume_of: Mapping[str, VolumeOf] | None = None) -> bytes:
    """The line of updates that were accepted together; `volume_of` as far as it is news."""
    news = b',"volume_of":%b' % _ENCODER.encode(volume_of) if volume_of else b""
    return b'{"t":%d,"quotes":%b%b}\n' % (now_ms, _ENCODER.encode(quotes), news)


def read_header(line: bytes) -> Header:
    """The first line. Raises `NotARecording`, in words that follow the file's name."""
    try:
        found = _HEADER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotARecording("is not a recording: its first line is no header") from None
    if found.recording != FORMAT:
        raise NotARecording(f"is a recording of format {found.recording}, by tickercast {found.version}; this one reads format {FORMAT}")
    return found


def time_of(line: bytes) -> int | None:
    """The time of a line, or `None` where it has none: a header, or nonsense."""
    try:
        return _STAMP.decode(line).t
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def read_batch(line: bytes) -> Batch | None:
    """A line of updates, or `None` where it is none."""
    try:
        return _BATCH.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def as_tick(quote: Quote, volume_of: VolumeOf | None = None) -> Tick:
    """What a recorded quote says now: its price with its own times, and the state it was in."""
    return Tick(**{name: getattr(quote, name) for name in PRICE_FIELDS}, upstream_state=quote.state, volume_of=volume_of)


def moment_ms(text: str, started_ms: int) -> int:
    """A moment of a recording that started then: `+90`, `+15m`, `+1.5h` from its start, an ISO 8601 time (UTC where no zone is named), or
    Unix epoch ms. Raises `ValueError`, saying what may be written.
    """
    if offset := re.fullmatch(r"\+(\d{1,9}(?:\.\d{1,3})?)([smh]?)", text):
        return started_ms + round(float(offset[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[offset[2]] * 1000)
    if re.fullmatch(r"\d{12,14}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{text!r} is no time: write "+90" (seconds from the start), "+15m", "+1.5h", or "2026-05-28T14:30:00Z"') from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


class Packer:
    """Lines to the bytes of a file, gzip or not. What `pack` returned can be read whole, whatever happens afterwards."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = zlib.compressobj(wbits=31) if gzip else None

    def pack(self, lines: bytes) -> bytes:
        """More bytes for the file."""
        return lines if self._gzip is None else self._gzip.compress(lines) + self._gzip.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        """The last ones."""
        return b"" if self._gzip is None else self._gzip.flush()


class Unpacker:
    """The bytes of a file to lines; gzip is known by its first bytes. A file of several recordings in a row, packed or not, is read on."""

    def __init__(self) -> None:
        self.torn: str | None = None
        self._start = b""
        self._gzip: zlib._Decompress | None = None
        self._is_plain = False
        self._rest = bytearray()

    def lines(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends. Raises `NotARecording` where a line does not end."""
        self._rest += self._unpack(data)
        *whole, rest = self._rest.split(b"\n")
        self._rest = rest
        if len(rest) > MAX_LINE_BYTES:
            raise NotARecording(f"is not a recording: a line is longer than {MAX_LINE_BYTES // 1024 // 1024} MiB")
        return [bytes(line) for line in whole if line]

    def end(self) -> None:
        """There is no more: say in `torn` what is missing, if anything is."""
        if self.torn is None and self._rest:
            self.torn = "its last line is torn, and is skipped"
        elif self.torn is None and self._gzip is not None:
            self.torn = "its compressed data is torn; all lines before are there"

    def _unpack(self, data: bytes) -> bytes:
        if self._is_plain:
            return data
        found = b""
        data, self._start = self._start + data, b""
        while data and self.torn is None:
            if self._gzip is None:
                if len(data) < len(GZIP):
                    self._start = data
                    break
                if not data.startswith(GZIP):
                    self._is_plain = True
                    return found + data
                self._gzip = zlib.decompressobj(wbits=31)
            before = self._gzip.copy()
            try:
                found += self._gzip.decompress(data)
            except zlib.error as error:
                self.torn = f"its compressed data is damaged, and is read up to there ({error})"
                return found + _up_to_the_damage(before, data)
            data = b""
            if self._gzip.eof:
                data, self._gzip = self._gzip.unused_data, None
        return found


def _up_to_the_damage(gzip: zlib._Decompress, data: bytes) -> bytes:
    found = b""
    with suppress(zlib.error):
        for byte in data:
            found += gzip.decompress(bytes((byte,)))
    return found


def _card(wish: SymbolSettings) -> Card:
    return Card(
        feed=wish.feed, name=wish.name, decimals=wish.decimals, currency=wish.currency, group=wish.group, allow_negative=wish.allow_negative
    )


_ENCODER = msgspec.json.Encoder()
_HEADER = msgspec.json.Decoder(Header)
_BATCH = msgspec.json.Decoder(Batch)
_STAMP = msgspec.json.Decoder(Stamp)
