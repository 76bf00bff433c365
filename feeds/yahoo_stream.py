"""Yahoo Finance as a stream, unofficial: what its own pages show. No key; one connection carries all symbols.

`wss://streamer.finance.yahoo.com/?version=2`. Yahoo documents nothing of it; others have (https://github.com/ranaroussi/yfinance, live.py
and pricing.proto). Nothing is acknowledged; Yahoo drops who is idle, so what is wanted is said again every 15 s:

    → {"subscribe":["AAPL","BTC-USD"]}
    {"type":"pricing","message":"CgRBQVBMFWZmmEMYoL6…"}

The message is base64 of a protobuf `PricingData` (older servers send the bare base64): 1 id, 2 price, 3 time in ms (zigzag), 4 currency,
6 quote_type, 7 market_hours, 8 change_percent, 9 day_volume, 10 day_high, 11 day_low, 12 change, 15 open_price, 16 previous_close, 23 bid,
25 ask, 27 price_hint (decimals), 28 vol_24hr. Most fields are absent most of the time and then are as they were. Prices are 32-bit
floats: 307.2 comes as 307.20001220703125, and goes on as 307.2.

`market_hours`: 0 before the market opens, 1 regular, 2 after it has shut, 3 either, 4 overnight. Outside the regular hours `price` is the
extended one, and `change` is against the regular price: so they go into `ext_…`, and `price` stays the regular one. Only shares and funds
have such hours. Nothing comes of a symbol until it moves: what was before is asked for over REST (`feeds.yahoo`).
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from pydantic import AnyUrl, Field

from feeds.base import Answer, Subscription
from feeds.parse import decode, epoch_ms, number, optional_price, optional_size, price, table, text
from feeds.polled import PolledFeed
from feeds.protobuf import MOST_BYTES, fields, zigzag
from feeds.session import StreamSession
from feeds.streamed import SnapshotFeed, SnapshotSettings, StreamUrl
from feeds.units import FLOAT32_ERROR, Unit, unit_of, without_difference_noise, without_float32_noise
from feeds.yahoo import Yahoo, YahooSettings
from feeds.yahoo_quote import key_of
from ticker.errors import FeedError
from ticker.quote import Session, Tick
from ticker.stream import Silence

MUTE_AFTER_S = 300.0
REPEAT_S = 15.0
"""How often to say what is wanted."""

FLOATS = {2: "price", 8: "change_percent", 10: "day_high", 11: "day_low", 12: "change", 15: "open_price", 16: "previous_close",
          23: "bid", 25: "ask"}
SIGNED = {3: "time", 9: "day_volume", 27: "price_hint", 28: "vol_24hr"}
UNSIGNED = {6: "quote_type", 7: "market_hours"}
TEXTS = {1: "id", 4: "currency"}

WITH_HOURS = frozenset({8, 11, 13, 20})
"""`quote_type` of shares, funds, options and exchange-traded funds."""
CRYPTO = 41
WITHOUT_VOLUME = frozenset({9, 14})
"""Of indices and currencies nobody counts what is traded: a 0 is no number."""
EXTENDED: Mapping[int, Session] = {0: "pre", 2: "post", 3: "post", 4: "closed"}
IN_MINOR_UNITS = (".L", ".JO", ".TA")
"""Exchanges that quote in pence, cents and agorot, mostly."""


class YahooStreamSettings(SnapshotSettings):
    """`[feeds.NAME]` of kind `yahoo_stream`."""

    base_url: StreamUrl = Field(AnyUrl("wss://streamer.finance.yahoo.com"), description="scheme, host and path prefix of the provider")


class YahooStreamSession(StreamSession):
    """One connection's messages. `units` holds what each key is quoted in, and outlives the connection."""

    acknowledges: ClassVar[bool] = False

    def __init__(self, known: dict[str, Tick], units: dict[str, Unit]) -> None:
        super().__init__(known)
        self.silence = Silence(MUTE_AFTER_S, heartbeat=False)
        self._units = units
        self._repeat_s: float | None = None

    def key(self, id: str) -> str:
        return key_of(id)

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        return [msgspec.json.encode({"subscribe": ids})]

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        return [msgspec.json.encode({"unsubscribe": ids})]

    def due(self, now_s: float) -> tuple[list[bytes], Answer]:
        if self._repeat_s is None:
            self._repeat_s = now_s + REPEAT_S
        elif now_s >= self._repeat_s:
            self._repeat_s = now_s + REPEAT_S
            self.ask_again(list(self.asked))
        return super().due(now_s)

    def receive(self, message: bytes, now_s: float) -> Answer:
        coded: object = message.decode("ascii", "replace")
        if message.lstrip().startswith(b"{"):
            frame = table(decode(message), "message")
            if frame.get("type") != "pricing":
                return {}
            coded = frame.get("message")
        pricing = parse_pricing(text(coded, "message"))
        key = key_of(text(pricing.get("id"), "id"))
        try:
            tick = self._after(key, pricing)
        except FeedError as error:
            return self.say(key, error)
        return {} if tick is None else self.say(key, tick)

    def _after(self, key: str, pricing: Mapping[str, Any]) -> Tick | None:
        """What is known of `key` after a message; `None` where it brings nothing that is sure and new."""
        if "currency" in pricing:
            self._units[key] = unit_of(pricing["currency"] or None)
        elif key not in self._units and key.endswith(IN_MINOR_UNITS):
            return None
        reading = _Reading(pricing, self._units.get(key, Unit(None, 0)))
        before = self.known.get(key)
        session = EXTENDED.get(pricing.get("market_hours", 1)) if pricing.get("quote_type") in WITH_HOURS else None
        return reading.regular(before) if session is None else reading.extended(before, session)


class YahooStream(SnapshotFeed):
    """`kind = "yahoo_stream"`."""

    kind = "yahoo_stream"
    Settings: ClassVar[type[SnapshotSettings]] = YahooStreamSettings
    Polled: ClassVar[type[PolledFeed]] = Yahoo
    headers: ClassVar[Mapping[str, str]] = {"User-Agent": YahooSettings.model_fields["user_agent"].default}

    def __init__(self, name: str, settings: YahooStreamSettings, runtime: Any) -> None:
        super().__init__(name, settings, runtime)
        self._units: dict[str, Unit] = {}

    def path(self, subscriptions: Sequence[Subscription]) -> str:
        return "/?version=2"

    def session(self, here: str) -> YahooStreamSession:
        return YahooStreamSession(self.known, self._units)


def parse_pricing(coded: str) -> dict[str, Any]:
    """The fields of a base64 `PricingData` that are present, by the names above. Raises `FeedError`."""
    if len(coded) > 2 * MOST_BYTES:
        raise FeedError("a message longer than any of Yahoo's", payload=coded[:1000])
    try:
        message = binascii.a2b_base64(coded, strict_mode=True)
    except (binascii.Error, ValueError):
        raise FeedError("not base64", payload=coded) from None
    found: dict[str, Any] = {}
    for field, value in fields(message):
        if isinstance(value, int):
            if field in SIGNED:
                found[SIGNED[field]] = zigzag(value)
            elif field in UNSIGNED:
                found[UNSIGNED[field]] = value
        elif field in FLOATS and len(value) == 4:
            found[FLOATS[field]] = struct.unpack("<f", value)[0]
        elif field in TEXTS:
            found[TEXTS[field]] = value.decode("utf-8", "replace")
    return found


class _Reading:
    """One message's numbers, freed of what 32 bits did to them, in the major unit."""

    def __init__(self, pricing: Mapping[str, Any], unit: Unit) -> None:
        self._pricing = pricing
        self._unit = unit
        hint = pricing.get("price_hint")
        self._decimals = hint if isinstance(hint, int) and 0 <= hint <= 15 else None
        self._quoted = without_float32_noise(price(pricing.get("price"), "price"), self._decimals)
        self.price = unit.major(self._quoted)
        self.time_ms = epoch_ms(pricing.get("time"), "time", "ms")

    def regular(self, before: Tick | None) -> Tick | None:
        """`before` after a message of the regular hours; `None` where that is older."""
        if before is not None and before.quote_time is not None and self.time_ms < before.quote_time:
            return None
        pricing = self._pricing
        change = pricing.get("change")
        bid, ask = self._optional("bid"), self._optional("ask")
        if bid is not None and ask is not None and bid > ask:  # as Yahoo has it for currencies: one of them is old, and which is not said
            bid = ask = None
        present = {
            "open": self._optional("open_price"), "high": self._optional("day_high"), "low": self._optional("day_low"),
            "prev_close": self._optional("previous_close"), "bid": bid, "ask": ask, "volume": self._volume(),
            "currency": self._unit.currency}
        base = before or Tick(price=self.price)
        return msgspec.structs.replace(
            base, **{name: value for name, value in present.items() if value is not None},
            price=self.price, quote_time=self.time_ms, change=None if change is None else self._unit.major(self._change(change)),
            change_pct=self._percent(), ext_price=None, ext_change_pct=None, ext_time=None,
            session="regular" if pricing.get("quote_type") in WITH_HOURS else base.session)

    def extended(self, before: Tick | None, session: Session) -> Tick | None:
        """`before` with an extended price beside the regular one; `None` where that is older, or the regular one can't be told."""
        if before is not None and self.time_ms < max(before.ext_time or 0, before.quote_time or 0):
            return None
        if before is None:
            change = self._pricing.get("change")
            if change is None:
                return None
            regular = round(self._quoted - number(change, "change"), 2 if self._decimals is None else self._decimals)
            before = Tick(price=self._unit.major(price(regular, "price − change")), currency=self._unit.currency)
        return msgspec.structs.replace(before, ext_price=self.price, ext_change_pct=self._percent(), ext_time=self.time_ms, session=session)

    def _optional(self, name: str) -> float | None:
        result = optional_price(self._pricing.get(name), name)
        return None if result is None else self._unit.major(without_float32_noise(result, self._decimals))

    def _volume(self) -> float | None:
        kind = self._pricing.get("quote_type")
        traded = "vol_24hr" if kind == CRYPTO else "day_volume"
        volume = optional_size(self._pricing.get(traded), traded)
        return None if volume == 0 and kind in WITHOUT_VOLUME else volume

    def _percent(self) -> float | None:
        value = self._pricing.get("change_percent")
        return None if value is None else round(number(value, "change_percent"), 4) + 0.0

    def _change(self, value: object) -> float:
        """A difference of two prices, freed of the noise of both; as it is quoted."""
        change = number(value, "change")
        before = optional_price(self._pricing.get("previous_close"), "previous_close")
        if before is not None:
            return without_difference_noise(change, self._quoted, without_float32_noise(before, self._decimals))
        rounded = change if self._decimals is None else round(change, self._decimals) + 0.0
        return rounded if abs(rounded - change) <= FLOAT32_ERROR * self._quoted else without_float32_noise(change)
