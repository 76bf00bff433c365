"""Coinbase Exchange as a stream, public market data. No key; one connection carries all products.

`wss://ws-feed.exchange.coinbase.com` (https://docs.cdp.coinbase.com/exchange/websocket-feed/channels). Whoever asks for nothing within 5 s
is cut off. Each subscription is answered with all that are in force, then comes the newest `ticker` of each product, then one a trade:

    → {"type":"subscribe","product_ids":["BTC-USD"],"channels":["ticker","heartbeat"]}
    {"type":"subscriptions","channels":[{"name":"ticker","product_ids":["BTC-USD"]},{"name":"heartbeat","product_ids":["BTC-USD"]}]}
    {"type":"ticker","sequence":7388547310,"product_id":"BTC-USDT","price":"22345.67","open_24h":"22308.13","volume_24h":"470.21123644",
     "low_24h":"22150","high_24h":"22495.15","volume_30d":"25713.98401605","best_bid":"22345.67","best_bid_size":"0.10647825",
     "best_ask":"22349.68","best_ask_size":"0.03131702","side":"sell","time":"2023-03-04T03:37:20.799258Z","trade_id":11586478,
     "last_size":"0.00352175"}
    {"type":"heartbeat","sequence":90,"last_trade_id":11586478,"product_id":"BTC-USDT","time":"2023-03-04T03:37:21.000000Z"}
    {"type":"error","message":"Failed to subscribe","reason":"FOO-BAR is not a valid product"}
    {"type":"error","message":"Failed to subscribe","reason":"YFI-USD is delisted"}

A product that is refused is so once for each channel, and the others of the message are subscribed (as programs of 2026 note it; that the
message fails as a whole is said too, so what is not acknowledged a second after a refusal is asked for again). Where a refusal names no
product, they are asked for one by one. Where volume, best_bid and best_ask are 0 nobody trades it, and the market is closed.

The heartbeat comes each second and for each product: it proves that the price of the last trade, however old, is still the newest. Where
it names a trade that no ticker told us of, and none does within a moment, the product is asked for anew.

`sequence` counts everything that happens to a product, most of which is no ticker; but it never falls. `trade_id` goes up by one with
each trade. A jump of it is counted as a gap; Coinbase itself makes one ticker of the trades that one order brings about.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar

import msgspec
from pydantic import AnyUrl, Field

from feeds.base import About, Answer, Subscription
from feeds.coinbase import FIELDS, product_error
from feeds.streams.feed import StreamFeed, StreamSettings, StreamUrl
from feeds.streams.session import StreamSession
from feeds.values.fields import untraded
from feeds.values.parse import array, decode, table, text
from ticker.errors import FeedError
from ticker.quote import Tick, VolumeOf
from ticker.source import Silence

PRODUCTS_A_MESSAGE = 100
DEAD_AFTER_S = 15.0
"""A heartbeat a second for each product; there is at least one product."""
LATE_AFTER_S = 1.5
"""The ticker of a trade does not come any more when a heartbeat named the trade so long ago."""
AGAIN_AFTER_S = 1.0
"""When one product was refused so long ago, the others of the same message are subscribed by now, or will not be."""
ABOUT = re.compile(r"(\S+) is (?:delisted|not a valid product)")


class CoinbaseStreamSettings(StreamSettings):
    """`[feeds.NAME]` of kind `coinbase_stream`."""

    base_url: StreamUrl = Field(AnyUrl("wss://ws-feed.exchange.coinbase.com"), description="scheme, host and path prefix of the provider")


class CoinbaseSession(StreamSession):
    """One connection's messages."""

    def __init__(self, known: dict[str, Tick]) -> None:
        super().__init__(known)
        self.silence = Silence(DEAD_AFTER_S, heartbeat=True)
        self._sequences: dict[str, int] = {}  # by product: the last
        self._trades: dict[str, int] = {}  # by product: the last that a ticker told of
        self._missing: dict[str, tuple[int, float]] = {}  # by product: a trade that only a heartbeat told of, and since when
        self._one_by_one = False
        self._refused: set[str] = set()  # for good, and told
        self._again_s: float | None = None  # when to look for those that were asked for together with a refused one

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        # Where a refusal does not name its product, they are asked for one by one.
        size = 1 if self._one_by_one else PRODUCTS_A_MESSAGE
        return [_request("subscribe", ids[first : first + size]) for first in range(0, len(ids), size)]

    def due(self, now_s: float) -> tuple[list[bytes], Answer]:
        if self._again_s is not None and now_s >= self._again_s:
            self._again_s = None
            self.ask_again(list(self.unacknowledged))
        return super().due(now_s)

    def next_due_s(self, now_s: float) -> float:
        due_s = super().next_due_s(now_s)
        return due_s if self._again_s is None else min(due_s, self._again_s - now_s)

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        self._refused.difference_update(ids)
        for memory in (self._sequences, self._trades, self._missing):
            for id in ids:
                memory.pop(id, None)
        return [_request("unsubscribe", ids)]

    def receive(self, message: bytes, now_s: float) -> Answer:
        frame = table(decode(message), "message")
        kind = frame.get("type")
        if kind == "ticker":
            return self._ticker(frame)
        if kind == "heartbeat":
            return self._heartbeat(frame, now_s)
        if kind == "subscriptions":
            self._in_force(frame)
        elif kind == "error":
            return self._error(frame, message, now_s)
        return {}  # there may be new ones at any time

    def _ticker(self, frame: dict[str, Any]) -> Answer:
        product = text(frame.get("product_id"), "product_id")
        sequence, trade = _count(frame.get("sequence")), _count(frame.get("trade_id"))
        if sequence is not None and sequence < self._sequences.get(product, 0):
            return {}  # out of order: what came before it is newer
        try:
            tick = _tick(frame, product)
        except FeedError as error:
            return self.say(product, error)
        if sequence is not None:
            self._sequences[product] = sequence
        if trade is not None:
            last = self._trades.get(product)
            if last is not None and trade > last + 1:
                self.gaps += trade - last - 1
            self._trades[product] = trade
            if product in self._missing and self._missing[product][0] <= trade:
                del self._missing[product]
        return self.say(product, tick)

    def _heartbeat(self, frame: dict[str, Any], now_s: float) -> Answer:
        product, trade = text(frame.get("product_id"), "product_id"), _count(frame.get("last_trade_id"))
        known, told = self.known.get(product), self._trades.get(product)
        if known is None or told is None or trade is None:
            return {}
        if trade <= told:
            return self.say(product, known)
        missed, since_s = self._missing.setdefault(product, (trade, now_s))
        if missed > told and now_s - since_s >= LATE_AFTER_S:
            del self._missing[product]
            self.send(_request("unsubscribe", [product]), _request("subscribe", [product]))
        return {}

    def _in_force(self, frame: dict[str, Any]) -> None:
        for channel in array(frame.get("channels"), "channels"):
            if table(channel, "channel").get("name") == "ticker":
                self.acknowledged(array(channel.get("product_ids"), "product_ids"))

    def _error(self, frame: dict[str, Any], message: bytes, now_s: float) -> Answer:
        words = f"{frame.get('reason') or ''} {frame.get('message') or ''}"
        named = _named(words, self._wanted)
        if named is None and ABOUT.search(words):
            return {}  # of one that nobody wants any more
        if named is None and "roduct" in words and len(self.unacknowledged) == 1:
            (named,) = self.unacknowledged
        if named is not None:
            return self._refusal(named, words, message, now_s)
        if "roduct" in words and self.unacknowledged and not self._one_by_one:
            self._one_by_one = True
            self.ask_again(list(self.unacknowledged))
        raise FeedError("Coinbase refuses a request", retryable=False, payload=message)

    def _refusal(self, product: str, words: str, message: bytes, now_s: float) -> Answer:
        """A product that is refused: it is told once, whatever the number of channels that say so."""
        if product in self._refused:
            return {}
        self._again_s = now_s + AGAIN_AFTER_S
        error = product_error(words, product, message)
        if error is None:
            return self.refused(product, FeedError(f"Coinbase refuses {product!r} for now", payload=message))
        self._refused.add(product)
        return self.refused(product, error)


class CoinbaseStream(StreamFeed):
    """`kind = "coinbase_stream"`."""

    kind = "coinbase_stream"
    about = About(
        brings="crypto, last 24 hours, each trade",
        ids="`BTC-USD`; from `BTC/USD`",
        limits="100 messages a second from us",
        time="the last trade's",
        same_answer="does not happen",
        market="as `coinbase`",
        note="a heartbeat each second names the last trade: while it is ours, it is fresh",
    )
    Settings: ClassVar[type[StreamSettings]] = CoinbaseStreamSettings
    volume_of: ClassVar[VolumeOf] = "24h"

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BTC/USD` is `BTC-USD` there."""
        return symbol.replace("/", "-").upper()

    def path(self, subscriptions: Sequence[Subscription]) -> str:
        return ""

    def session(self, here: str) -> CoinbaseSession:
        return CoinbaseSession(self.known)


def _request(kind: str, products: Sequence[str]) -> bytes:
    return msgspec.json.encode({"type": kind, "product_ids": products, "channels": ["ticker", "heartbeat"]})


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _named(words: str, products: Collection[str]) -> str | None:
    """The one of `products` that an error is about."""
    found = {word.strip("\"'.,:;()[]") for word in words.split()}.intersection(products)
    return found.pop() if len(found) == 1 else None


def _tick(row: dict[str, Any], product: str) -> Tick:
    shut = untraded(row, "volume_24h", "best_bid", "best_ask")
    return FIELDS.tick(
        row.get("price"),
        bid=row.get("best_bid"),
        ask=row.get("best_ask"),
        open=row.get("open_24h"),
        high=row.get("high_24h"),
        low=row.get("low_24h"),
        volume=row.get("volume_24h"),
        quote_time=row.get("time"),
        currency=product.rpartition("-")[2] if "-" in product else None,
        known={"session": "closed" if shut else None, "upstream_state": "fresh"},
    )  # for as long as the heartbeats say so
