"""What one client is still owed, without I/O: the rest of a frame, control packets, state events, and its two reading lists.

Whatever mixture of ticks, stalls and short writes happens, `gather` hands out whole frames in an order that keeps every
promise, and `accepted` is told how many bytes the socket took. Memory is bounded by construction: at most one frame in
progress, `CONTROL_LIMIT_BYTES` of control packets, one of each state event, and one dictionary entry a symbol.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from web.fanout.channel import Channel
from web.fanout.reading_list import Part, ReadingList, Write, board_parts, space_parts

CONTROL_LIMIT_BYTES = 262_144
"""More control packets than this unsent and the client is closed (`control_overflow`)."""
GATHER_BYTES = 65_536
"""About how much is put together for one write to one client."""

Offer = tuple[ReadingList | str | None, Part]
"""A frame that was handed out and whose it is: a reading list's, a state event's (its name), or a control packet (`None`)."""


class ControlOverflow(Exception):
    """The client does not read its control packets; close it."""


class Outbox:
    """The unsent side of one client. Frames are WebSocket frames; long polling takes their payloads out again.

    Order: the rest of a frame in progress, then control packets (first in, first out, never dropped), then the newest of
    each state event, then quotes. So the answer to a join always precedes the symbol's snapshot.
    """

    __slots__ = ("_control", "_control_bytes", "_offer", "_states", "_tail", "blocked", "board", "spaces", "write")

    def __init__(self) -> None:
        self.write: Write | None = None  # the socket's; None while there is none (long polling)
        self.blocked = False  # the socket took less than it was given: wait until it has room
        self._control: deque[bytes] | None = None  # made on first use and dropped when empty: an idle client holds none
        self._control_bytes = 0
        self._states: dict[str, bytes] | None = None
        self._tail: bytes | memoryview = b""
        self._offer: list[Offer] | None = None  # what was gathered, and whose it is
        self.spaces = ReadingList(self, space_parts)
        self.board: ReadingList | None = None

    def put_control(self, frame: bytes) -> None:
        """Queue a control packet. Raises `ControlOverflow` where more than 256 KiB would wait."""
        if self._control_bytes + len(frame) > CONTROL_LIMIT_BYTES:
            raise ControlOverflow
        if self._control is None:
            self._control = deque()
        self._control.append(frame)
        self._control_bytes += len(frame)

    def put_state(self, name: str, frame: bytes) -> None:
        """Make `frame` the newest unsent state event `name`, in place of an older one."""
        if self._states is None:
            self._states = {}
        self._states[name] = frame

    def board_list(self) -> ReadingList:
        """The list of the board subscription, made on first use."""
        if self.board is None:
            self.board = ReadingList(self, board_parts)
        return self.board

    def reading_lists(self) -> list[ReadingList]:
        """The reading lists in use."""
        return [self.spaces] if self.board is None else [self.spaces, self.board]

    @property
    def unsent_bytes(self) -> int:
        """Bytes held for this client alone: its frame in progress, control packets and state events."""
        return len(self._tail) + self._control_bytes + sum(map(len, (self._states or {}).values()))

    def gather(self, number: int, registry: Mapping[str, Channel]) -> bytes | memoryview:
        """The bytes to write next, about 64 KiB beyond a single larger frame; empty: nothing is owed now.

        `number`: the newest flush. `accepted` must be called before it is called again.
        """
        return self._tail or b"".join(self.frames(number, registry))

    def last_words(self, number: int, registry: Mapping[str, Channel], farewell: bytes) -> bytes:
        """What a client that is about to be closed is still sent: nothing where the socket is full, perhaps within a frame."""
        if self.blocked:
            return b""
        if self.write is None:
            return farewell
        return b"".join((self.gather(number, registry), farewell))

    def frames(self, number: int, registry: Mapping[str, Channel], most: int = 1_000_000) -> list[bytes]:
        """The same as at most `most` separate frames; only for a client without a frame in progress."""
        offer: list[Offer] = []
        room = self._gather_control(offer, GATHER_BYTES, most)
        for reading_list in self.reading_lists():
            if room > 0 and len(offer) < most and not reading_list.ready:
                room = _gather_list(reading_list, offer, room, most, number, registry)
        self._offer = offer or None
        return [part.frame for _, part in offer]

    def _gather_control(self, offer: list[Offer], room: int, most: int) -> int:
        while self._control and room > 0 and len(offer) < most:
            frame = self._control.popleft()
            self._control_bytes -= len(frame)
            room -= len(frame)
            offer.append((None, Part(frame, (), False)))
        if not self._control:
            self._control = None
            while self._states and room > 0 and len(offer) < most:
                name = next(iter(self._states))
                frame = self._states.pop(name)
                room -= len(frame)
                offer.append((name, Part(frame, (), False)))
        return room

    def accepted(self, count: int) -> int:
        """Tell how many of the gathered bytes the socket took; what it refused is owed again, with the values of then.

        Returns how many quotes are sent with them, one in progress included.
        """
        if self._tail:
            self._tail = self._tail[count:]
            return 0
        offer, self._offer = self._offer or [], None
        sent = 0
        for index, (_, part) in enumerate(offer):
            size = len(part.frame)
            if count < size:
                if count:
                    # A view, not a copy: the frame may be shared with others that stalled in it.
                    self._tail = memoryview(part.frame)[count:]
                    sent += len(part.channels)
                self._put_back(offer[index + 1 :] if count else offer[index:])
                break
            sent += len(part.channels)
            count -= size
        return sent

    def _put_back(self, refused: list[Offer]) -> None:
        for owner, part in reversed(refused):
            if owner is None:
                if self._control is None:
                    self._control = deque()
                self._control.appendleft(part.frame)
                self._control_bytes += len(part.frame)
            elif isinstance(owner, str):
                self._states = {owner: part.frame, **(self._states or {})}
            else:
                owe(owner, part.channels, part.snapshot)
                owner.due = True  # its time had come: it goes on as soon as the socket has room

    def cut(self, frame: bytes, count: int) -> None:
        """The socket took only the first `count` bytes of `frame`, written past this outbox; the rest comes first."""
        self._tail = memoryview(frame)[count:]


def owe(reading_list: ReadingList, channels: Iterable[Channel], snapshot: bool) -> None:
    """Put channels in front of what came later, so that nothing waits for ever behind busier symbols."""
    pending = dict.fromkeys(channels, snapshot)
    for channel, first in reading_list.pending.items():
        pending[channel] = pending.get(channel, False) or first
    reading_list.pending = pending


def _gather_list(reading_list: ReadingList, offer: list[Offer], room: int, most: int, number: int, registry: Mapping[str, Channel]) -> int:
    """Offer what `reading_list` is owed, as far as there is room; returns what room is left."""
    reading_list.collect(number, registry)
    # A rate limit does not hold back the first quote after joining.
    whole = reading_list.due or not reading_list.period_ms
    owed = [(channel, snapshot) for channel, snapshot in reading_list.pending.items() if whole or snapshot]
    taken, is_of_spaces = 0, reading_list.is_of_spaces
    while taken < len(owed) and room > 0 and len(offer) < most:
        # A namespace's frame carries one quote: take as many as there is room for. The board's carries many: take all.
        step = owed[taken : taken + 1] if is_of_spaces else owed[taken:]
        for part in reading_list.encode(step):
            offer.append((reading_list, part))
            room -= len(part.frame)
        taken += len(step)
    # A channel without a quote yet is done with too: its first flush is everybody's snapshot.
    for channel, _ in owed[:taken]:
        del reading_list.pending[channel]
    if whole and taken == len(owed):
        reading_list.due = False
    return room
