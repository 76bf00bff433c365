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
extended one or the night's (there are no fields of its own for that), `change` is against the regular price and `day_volume` counts that
session alone: so they go into `ext_…`, and `price` and `volume` stay the regular ones. Only shares, options and exchange-traded funds have
such hours. `quote_type`: 7 is a heartbeat, 5 and 28 are no quotes, 11 and 12 are funds, priced once a day. Nothing comes of a symbol
until it moves: what was before is asked for over REST (`feeds.yahoo.feed`).
"""

from __future__ import annotations

import binascii
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from pydantic import AnyUrl, Field

from feeds.base import About, Answer, Subscription
from feeds.http.feed import PolledFeed
from feeds.streams.feed import SnapshotFeed, SnapshotSettings, StreamUrl
from feeds.streams.session import StreamSession
from feeds.values.fields import Fields, Known, Through
from feeds.values.parse import decode, table, text
from feeds.values.protobuf import MOST_BYTES, fields, zigzag
from feeds.values.units import FLOAT32_ERROR, currency_of, without_difference_noise, without_float32_noise
from feeds.yahoo.feed import Yahoo, YahooSettings
from feeds.yahoo.quotes import key_of, noiseless
from ticker.errors import FeedError
from ticker.quote import MarketSession, Tick, VolumeOf
from ticker.source import Silence

PRICING = Fields(times="ms", by_session=True)
MUTE_AFTER_S = 300.0
REPEAT_S = 15.0
"""How often to say what is wanted."""

FLOATS = {2: "price", 8: "change_percent", 10: "day_high", 11: "day_low", 12: "change", 15: "open_price", 16: "previous_close",
          23: "bid", 25: "ask"}  # fmt: skip
SIGNED = {3: "time", 9: "day_volume", 27: "price_hint", 28: "vol_24hr"}
UNSIGNED = {6: "quote_type", 7: "market_hours"}
TEXTS = {1: "id", 4: "currency"}

WITH_HOURS = frozenset({8, 13, 20})
"""`quote_type` of shares, options and exchange-traded funds."""
FUNDS = frozenset({11, 12})
"""Priced once a day, whatever the hours."""
CRYPTO = 41
NO_QUOTES = frozenset({5, 7, 28})
"""Another name for a symbol, a heartbeat, and what an alternative venue says of one."""
WITHOUT_VOLUME = frozenset({9, 14})
"""The types of symbols of which nobody counts what is traded: their volume of 0 is no number."""
EXTENDED: Mapping[int, MarketSession] = {0: "pre", 2: "post", 3: "post", 4: "overnight"}
IN_MINOR_UNITS = (".L", ".JO", ".TA")
"""Exchanges that quote in pence, cents and agorot, mostly."""


class YahooStreamSettings(SnapshotSettings):
    """`[feeds.NAME]` of kind `yahoo_stream`."""

    base_url: StreamUrl = Field(AnyUrl("wss://streamer.finance.yahoo.com"), description="scheme, host and path prefix of the provider")


class YahooStreamSession(StreamSession):
    """One connection's messages. `currencies` holds the code of what each key is quoted in, and outlives the connection."""

    acknowledges: ClassVar[bool] = False

    def __init__(self, known: dict[str, Tick], currencies: dict[str, str]) -> None:
        super().__init__(known)
        self.silence = Silence(MUTE_AFTER_S, heartbeat=False)
        self._currencies = currencies
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
        if pricing.get("quote_type") in NO_QUOTES:
            return {}
        key = key_of(text(pricing.get("id"), "id"))
        try:
            tick = self._after(key, pricing)
        except FeedError as error:
            return self.say(key, error)
        return {} if tick is None else self.say(key, tick)

    def joined(self, key: str, snapshot: Tick, live: Tick | None) -> Tick:
        """The newest price outside the regular hours is kept too: of a night a snapshot may know nothing."""
        tick = super().joined(key, snapshot, live)
        if live is None or live.ext_time is None or live.ext_time // 1000 <= max(tick.ext_time or 0, tick.quote_time or 0) // 1000:
            return tick
        session = live.session if live.session == "overnight" and tick.session == "closed" else tick.session
        return msgspec.structs.replace(
            tick, ext_price=live.ext_price, ext_change_pct=live.ext_change_pct, ext_time=live.ext_time, session=session
        )

    def _after(self, key: str, pricing: Mapping[str, Any]) -> Tick | None:
        """What is known of `key` after a message; `None` where it brings nothing that is sure and new."""
        currency = pricing.get("currency")
        if currency and currency_of(currency) is not None:
            self._currencies[key] = currency
        elif key not in self._currencies and key.endswith(IN_MINOR_UNITS):
            return None
        currency = self._currencies.get(key, currency)
        before = self.known.get(key)
        session = EXTENDED.get(pricing.get("market_hours", 1)) if pricing.get("quote_type") in WITH_HOURS else None
        return _regular(before, pricing, currency) if session is None else _extended(before, pricing, currency, session)


class YahooStream(SnapshotFeed):
    """`kind = "yahoo_stream"`."""

    kind = "yahoo_stream"
    about = About(
        brings="what `yahoo` has, as it moves",
        ids="as `yahoo`",
        limits="unknown",
        delay="0 to 20 min, by exchange",
        time="the trade's",
        same_answer="does not happen",
        market="by message, the night included; nothing of funds",
        note="funds as `yahoo`",
    )
    volume_of: ClassVar[VolumeOf] = "session"
    Settings: ClassVar[type[SnapshotSettings]] = YahooStreamSettings
    Polled: ClassVar[type[PolledFeed]] = Yahoo
    headers: ClassVar[Mapping[str, str]] = {"User-Agent": YahooSettings.model_fields["user_agent"].default}

    def __init__(self, name: str, settings: YahooStreamSettings, runtime: Any) -> None:
        super().__init__(name, settings, runtime)
        self._currencies: dict[str, str] = {}

    def path(self, subscriptions: Sequence[Subscription]) -> str:
        return "/?version=2"

    def session(self, here: str) -> YahooStreamSession:
        return YahooStreamSession(self.known, self._currencies)


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


def _regular(before: Tick | None, pricing: Mapping[str, Any], currency: object) -> Tick | None:
    """`before` after a message of the regular hours; `None` where that is older."""
    kind = pricing.get("quote_type")
    base = msgspec.structs.replace(
        before or Tick(price=0.0), change=None, change_pct=None, ext_price=None, ext_change_pct=None, ext_time=None
    )
    through = noiseless(pricing.get("price_hint"))
    tick = PRICING.update(
        base,
        price=pricing.get("price", ""),
        currency=currency,
        through=through,
        bid=pricing.get("bid"),
        ask=pricing.get("ask"),
        open=pricing.get("open_price"),
        high=pricing.get("day_high"),
        low=pricing.get("day_low"),
        prev_close=pricing.get("previous_close"),
        volume=_volume(pricing, kind),
        change=_change(pricing, through),
        change_pct=pricing.get("change_percent"),
        quote_time=pricing.get("time", 0),
        known=_known(kind, base),
    )
    if tick.quote_time is not None and tick.quote_time < (base.quote_time or 0):
        return None
    return tick


def _extended(before: Tick | None, pricing: Mapping[str, Any], currency: object, session: MarketSession) -> Tick | None:
    """`before` with an extended price beside the regular one; `None` where that is older, or the regular one can't be told."""
    through = noiseless(pricing.get("price_hint"))
    ext = PRICING.tick(
        pricing.get("price"),
        currency=currency,
        through=through,
        change_pct=pricing.get("change_percent"),
        quote_time=pricing.get("time", 0),
    )
    if before is None:
        change, decimals = pricing.get("change"), pricing.get("price_hint", 2)
        if change is None or not math.isfinite(change):
            return None
        before = PRICING.tick(round(through(pricing["price"]) - change, decimals if 0 <= decimals <= 15 else 2), currency=currency)
    elif ext.quote_time is not None and ext.quote_time < max(before.ext_time or 0, before.quote_time or 0):
        return None
    return msgspec.structs.replace(
        before, ext_price=ext.price, ext_change_pct=ext.change_pct, ext_time=ext.quote_time, session=session, odd=ext.odd
    )


def _known(kind: int | None, before: Tick) -> Known:
    if kind in FUNDS:
        return {"session": None, "cadence": "day"}
    if kind == CRYPTO:
        return {"volume_of": "24h"}
    return {"session": "regular" if kind in WITH_HOURS else before.session}


def _volume(pricing: Mapping[str, Any], kind: int | None) -> object:
    volume = pricing.get("vol_24hr" if kind == CRYPTO else "day_volume")
    return None if volume == 0 and kind in WITHOUT_VOLUME else volume


def _change(pricing: Mapping[str, Any], through: Through) -> float | None:
    """A difference of two prices, freed of the noise of both; as it is quoted."""
    change, last, before = pricing.get("change"), pricing.get("price"), pricing.get("previous_close")
    if change is None or last is None or not (math.isfinite(change) and math.isfinite(last) and math.isfinite(before or 0.0)):
        return change
    last = through(last)
    if before:
        return without_difference_noise(change, last, through(before))
    hint = pricing.get("price_hint", -1)
    rounded = round(change, hint) + 0.0 if 0 <= hint <= 15 else change
    return rounded if abs(rounded - change) <= FLOAT32_ERROR * abs(last) else without_float32_noise(change)
