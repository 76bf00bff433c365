"""The far end of the fan-out's model: clients that remember, on sockets that take any number of bytes."""

from __future__ import annotations

import json
from typing import Any

from web.fanout.outbox import Outbox

Published = dict[tuple[str, int], float]
"""Every quote of this life of the server: its price, by symbol and `seq`."""


class Reader:
    """A client: a socket with a window that the rules open, what was read from it, and what it remembers of the board when it is gone."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self.view: dict[str, int] = {}  # the newest `seq` of each symbol of the board, and whose they are
        self.view_epoch = ""
        self.online = False
        self.taken_bytes = self.quotes_seen = 0  # in this life of the server
        self.connect()

    def connect(self) -> None:
        """Begin a new connection."""
        self.online = True
        self.outbox = Outbox()
        self.outbox.write = self.take
        self.window = 0
        self.open = False
        self.bytes = bytearray()
        self.controls_sent: list[int] = []
        self.controls_seen: list[int] = []
        self.joined: dict[str, str] = {}  # the namespace of each symbol, as it spells it
        self.snapshots_due: set[str] = set()
        self.board_snapshots_due: set[str] = set()
        self.newest: dict[str, int] = {}
        self.states_seen: list[int] = []
        self.state_sent = 0

    def forget(self, epoch: str, symbols: set[str]) -> None:
        """What it had of `symbols` is good for nothing any more; of another epoch, what it had of any."""
        if epoch != self.view_epoch:
            self.view, self.view_epoch = {}, epoch
        for symbol in symbols:
            self.view.pop(symbol, None)

    def take(self, data: bytes | memoryview) -> int:
        """A non-blocking send."""
        taken = len(data) if self.open else min(len(data), self.window)
        if not taken:
            raise BlockingIOError
        self.window -= min(taken, self.window)
        self.bytes += data[:taken]
        self.taken_bytes += taken
        self.read_frames()
        return taken

    def read_frames(self) -> None:
        """Take whole frames off the stream; anything else than well-formed ones is an error."""
        while len(self.bytes) >= 2:
            assert self.bytes[0] == 0x81, "a whole unfragmented text frame"
            size, start = self.bytes[1], 2
            if size >= 126:
                start = 4 if size == 126 else 10
                size = int.from_bytes(self.bytes[2:start])
            if len(self.bytes) < start + size:
                return
            text = self.bytes[start : start + size].decode()
            del self.bytes[: start + size]
            self.read(text)

    def read(self, text: str) -> None:
        """One packet: a control packet `2<n>`, a state, a quote of a namespace, or quotes of the board."""
        if text.startswith("2"):
            self.controls_seen.append(int(text[1:]))
            return
        namespace, _, body = text[2:].partition(",") if text[2] == "/" else ("", "", text[2:])
        event, payload = json.loads(body)
        if event == "state":
            self.states_seen.append(payload)
        elif event == "quote":
            assert namespace == self.joined[payload["symbol"]], "under the name that it sent"
            self.see(payload, self.newest, self.snapshots_due)
        else:
            for quote in payload:
                self.see(quote, self.view, self.board_snapshots_due)

    def see(self, quote: dict[str, Any], newest: dict[str, int], due: set[str]) -> None:
        """A quote was published just so, and is newer than the one before; the first one after joining is the snapshot, and no other."""
        symbol = quote["symbol"]
        self.quotes_seen += 1
        assert self._published[symbol, quote["seq"]] == quote["price"], "never another symbol's, never one of another epoch"
        assert quote["seq"] > newest.get(symbol, 0), "no step back, nothing twice"
        assert ("snapshot" in quote) == (symbol in due), "a snapshot exactly after joining"
        assert ("epoch" in quote) == ("snapshot" in quote)
        due.discard(symbol)
        newest[symbol] = quote["seq"]
