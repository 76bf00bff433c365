"""A recording as the source: what `record` wrote, at the pace it came, or faster. No network.

    [feeds.tape]
    kind = "replay"
    file = "monday.ndjson.gz"
    speed = 2.0

    [symbols]
    ACME = { feed = "tape" }
    "BTC-USD" = { feed = "tape", tape = "BTC/USD" }

A recording is lines of JSON, packed by gzip or not (docs/recordings.md): who recorded what, then batches as they were published.

    {"recording":1,"version":"0.1.0","started":1795377851000,"epoch":"cf98…","feeds":{"sim":"simulated"},"symbols":{"ACME":{"feed":["sim"]}}}
    {"t":1795377851503,"quotes":[{"symbol":"ACME","price":110.38,"quote_time":1795377851502,"seq":1,"state":"fresh", …}]}
    {"t":1795377852003,"quotes":[{"symbol":"ACME","price":110.41,"quote_time":1795377852002,"seq":2,"state":"fresh", …}]}

Each batch is applied whole, as long after the one before it as it was then, divided by `speed`. Prices keep their `quote_time`. Whether
they are fresh goes by the recording: it has the states, too, and what does not move is vouched for until something else is said or the
recording is over. From then on prices are as silent as those of a stream that was lost, on the recording's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
from pydantic import Field, field_validator

from feeds.base import About, Answer, Feed, Subscription
from feeds.replay.tape import OVER, Play, Tape
from feeds.streams.feed import listen
from feeds.streams.session import StreamSession, is_older
from feeds.values.batch import unknown
from ticker.errors import FeedError
from ticker.quote import Kind, Tick, VolumeOf, correcting, plain
from ticker.runtime import Runtime
from ticker.settings import FeedSettings
from ticker.sinks.recording import Header, NotARecording, as_tick, moment_ms, read_batch, read_header
from ticker.source import Source, merge

VOUCH_EVERY_S = 1.0
"""How often what has not moved is vouched for, in seconds of the recording's time."""
MOST_CLOCK_RATE = 20.0
"""What is stale after 30 s is so after 1.5 s of ours, however fast it is played: time enough to vouch for it."""


class ReplaySettings(FeedSettings):
    """`[feeds.NAME]` of kind `replay`."""

    interval_s: float = Field(
        0.5,
        ge=0.1,
        le=3600,
        allow_inf_nan=False,
        description="pause before the file is looked for again after a failure; it grows with each, up to 300 s",
    )
    stale_after_s: float | None = Field(
        None,
        ge=3,
        le=86_400,
        allow_inf_nan=False,
        description="silence of the recording after which a price is stale, in its own time; default 30",
    )
    file: str = Field(min_length=1, max_length=4096, description="the recording; a relative path begins in the current folder")
    speed: float = Field(1.0, ge=0.01, le=1000, allow_inf_nan=False, description="how many of its seconds pass in one of ours")
    loop: bool = Field(False, description="begin again when it is over")
    begin: str | None = Field(None, description='where to begin: "+90" (seconds from its start), "+15m", "+1.5h", "2026-05-28T14:30:00Z"')
    end: str | None = Field(None, description="where to end, in the same forms")

    @field_validator("begin", "end")
    @classmethod
    def _is_a_moment(cls, text: str | None) -> str | None:
        if text is not None:
            moment_ms(text, 0)
        return text

    @property
    def clock_rate(self) -> float:
        """How many seconds of its clock pass in one of ours, as far as silence goes."""
        return min(self.speed, MOST_CLOCK_RATE)


class ReplaySession(StreamSession):
    """What the lines of one pass say."""

    acknowledges: ClassVar[bool] = False

    def __init__(self, known: dict[str, Tick], clock_rate: float) -> None:
        super().__init__(known)
        self._listed: set[str] | None = None  # the symbols of the recording
        self._several: set[str] = set()  # those of them that had more than one source
        self._newest: dict[str, Tick] = {}  # of each of them, wanted or not
        self._volume_of: dict[str, VolumeOf] = {}
        self._moved: set[str] = set()  # since they were vouched for last
        self._vouch_every_s = VOUCH_EVERY_S / clock_rate
        self._vouch_s = 0.0
        self._is_over = False

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        for id in ids:
            if id in self._newest:
                self._news |= self.say(id, self._newest[id])
            elif self._listed is not None and id not in self._listed:
                self._news |= self.refused(id, unknown("the recording", id))
        return []

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        return []

    def due(self, now_s: float) -> tuple[list[bytes], Answer]:
        messages, news = super().due(now_s)
        if self._is_over or now_s < self._vouch_s:
            return messages, news
        self._vouch_s = now_s + self._vouch_every_s
        quiet: dict[str, Tick | FeedError] = {}
        for key in self._newest.keys() - self._moved:
            quiet |= self.say(key, self._newest[key])
        self._moved.clear()
        return messages, quiet | dict(news)

    def next_due_s(self, now_s: float) -> float:
        return min(super().next_due_s(now_s), self._vouch_s - now_s) if not self._is_over else super().next_due_s(now_s)

    def receive(self, message: bytes, now_s: float) -> Answer:
        if message == OVER:
            self._is_over = True
            self.facts = {"over": True}
            return {}
        line = read_batch(message)
        if line is None:
            try:
                return self._begins(read_header(message))
            except NotARecording:
                raise FeedError("a line that is none of a recording", payload=message) from None
        answer: dict[str, Tick | FeedError] = {}
        self._volume_of |= line.volume_of
        for quote in line.quotes:
            tick = as_tick(quote, self._volume_of.get(quote.symbol))
            if quote.symbol in self._several and tick.origin is None:  # else nobody could tell one source's count of volume from another's
                tick = msgspec.structs.replace(tick, origin=quote.source)
            if is_older(tick, self._newest.get(quote.symbol)):  # it was put right then, or another recording follows
                tick = correcting(tick)
            self._newest[quote.symbol] = plain(tick)
            self._moved.add(quote.symbol)
            merge(answer, self.say(quote.symbol, tick))
        return answer

    def _begins(self, header: Header) -> Answer:
        self._listed = (self._listed or set()) | header.symbols.keys()
        self._several |= {symbol for symbol, card in header.symbols.items() if len(card.feed) > 1}
        answer: dict[str, Tick | FeedError] = {}
        for key in [key for key in self._wanted if key not in self._listed]:
            answer |= self.refused(key, unknown("the recording", key))
        return answer


class Replay(Feed):
    """`kind = "replay"`: a `ticker.source.StreamSource`."""

    kind = "replay"
    about = About(
        brings="a recording, at its pace or faster",
        ids="the symbol it was recorded as",
        delay="as recorded",
        time="the recorded one",
        same_answer="any moment of the recording vouches for what has not moved",
        market="the recorded state",
        note="on the recording's clock",
    )
    quote_kind: ClassVar[Kind] = "replayed"
    Settings: ClassVar[type[FeedSettings]] = ReplaySettings
    settings: ReplaySettings
    batch_size: ClassVar[int | None] = None
    snapshots: Source | None = None
    snapshot_every_s: float = 86_400.0
    longest_s: float | None = None
    overlaps: bool = False

    def __init__(self, name: str, settings: ReplaySettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self.known: dict[str, Tick] = {}

    def open(self, subscriptions: Sequence[Subscription]) -> Tape:
        """Open the file. Raises `FeedError`."""
        settings = self.settings
        play = Play(settings.speed, settings.loop, settings.begin, settings.end)
        return Tape(Path(settings.file), self.runtime, play)

    def session(self, here: str) -> ReplaySession:
        """What reads the lines of the recording."""
        return ReplaySession(self.known, self.settings.clock_rate)

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """What the recording begins with."""
        return listen(self, batch)
