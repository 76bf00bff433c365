"""One symbol on the wire: its last flushed quote, encoded at most once in each of the forms that somebody reads."""

from __future__ import annotations

from ticker.quote import Quote, encode
from web.fanout.frames import text_header

BOARD_CHUNK_BYTES = 65_536
"""An array of `quotes` is cut into messages of about this size, so that a client that stalls in one retains little."""


class Channel:
    """The last flushed quote of a symbol and its encodings. All encodings are lazy: without readers a quote costs no byte.

    `flushed` is the number of the flush that carried `quote` (0: none yet), `first` the number of the first one;
    a reader that has everything up to flush n misses this channel exactly if `flushed > n`. That comparison is
    all that a slow client costs.
    """

    __slots__ = ("_body", "_epoch_tail", "_event", "_frame", "_snapshot", "first", "flushed", "namespace", "quote", "slot", "symbol")

    def __init__(self, symbol: str, epoch: str, slot: int = 0) -> None:
        self.symbol = symbol
        self.slot = slot  # its place in the table of frames
        self.namespace = "/" + symbol
        self.quote: Quote | None = None
        self.flushed = 0
        self.first = 0
        self._event = f'42/{symbol},["quote",'.encode()
        self._epoch_tail = f',"snapshot":true,"epoch":"{epoch}"}}'.encode()
        self._body: bytes | None = None
        self._frame: bytes | None = None
        self._snapshot: bytes | None = None

    def flush(self, quote: Quote, number: int) -> None:
        """Make `quote` the one to be sent, in flush `number`."""
        self.quote = quote
        self.flushed = number
        self._body = self._frame = self._snapshot = None
        if not self.first:
            self.first = number

    def body(self) -> bytes:
        """The quote as JSON."""
        body = self._body
        if body is None:
            assert self.quote is not None
            body = self._body = encode(self.quote)
        return body

    def snapshot_body(self) -> bytes:
        """The same with `snapshot` and `epoch`, for the first quote after joining."""
        return self.body()[:-1] + self._epoch_tail

    def frame(self) -> bytes:
        """The `quote` event of the symbol's namespace as a WebSocket frame."""
        frame = self._frame
        if frame is None:
            # The very first quote of a channel is everybody's first: nobody who joined before could have been sent one.
            frame = self._frame = self.snapshot_frame() if self.flushed == self.first else self._framed(self.body())
        return frame

    def snapshot_frame(self) -> bytes:
        """The same for a client that has just joined."""
        if self._snapshot is None:
            self._snapshot = self._framed(self.snapshot_body())
        return self._snapshot

    def framed_as(self, namespace: str, snapshot: bool) -> bytes:
        """The same for a client that calls the namespace so; made anew for each that asks."""
        body = self.snapshot_body() if snapshot or self.flushed == self.first else self.body()
        return self._framed(body, f'42{namespace},["quote",'.encode())

    def _framed(self, body: bytes, event: bytes = b"") -> bytes:
        event = event or self._event
        return b"%b%b%b]" % (text_header(len(event) + len(body) + 1), event, body)


def board_body(channel: Channel, snapshot: bool) -> bytes:
    """One element of a `quotes` array."""
    return channel.snapshot_body() if snapshot or channel.flushed == channel.first else channel.body()


def board_frame(bodies: list[bytes]) -> bytes:
    """One `quotes` event of the board as a WebSocket frame."""
    joined = b",".join(bodies)
    return b'%b42["quotes",[%b]]' % (text_header(len(joined) + 15), joined)
