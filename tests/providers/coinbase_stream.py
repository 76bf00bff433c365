"""Coinbase Exchange's feed: `ticker` and `heartbeat` of each product. Who asks for nothing within 5 s is cut off.

A subscription is acknowledged with all that are in force, then comes the newest ticker of each product, then one a trade. A product that
does not exist or is traded no longer is refused once for each channel, and the others of the message are subscribed (so a program's tests
have it by a "probe of 2026-09-29", and thrasher-corp/gocryptotrader#1421 shows a refusal a channel). A channel that does not exist
refuses all of its message. `trade_id` goes up by one with each update, sent or lost (`lose`); the heartbeat, each second and for each
product, names the last.

Switches: those of all streams, `"within_s": 5` (to subscribe), `"whole": true` (one bad product fails the message as a whole),
`"unnamed": true` (so it does, and the refusal does not name the product),
`"old_s": 600` (the first ticker is of a trade that long ago).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from tests.providers.coinbase import DELISTED, PRODUCTS
from tests.providers.talk import Close, Out, Streaming, Talk, text
from tests.providers.wire import Price, Reply, Request, not_found

CHANNELS = ("ticker", "heartbeat")


class CoinbaseTalk(Talk):
    """One connection. A product counts as asked for where its tickers are."""

    beat_s: ClassVar[float | None] = 1.0
    most_messages_a_second: ClassVar[int | None] = 100
    provider: CoinbaseStream

    def __init__(self, provider: CoinbaseStream, request: Request, now_s: float) -> None:
        super().__init__(provider, request, now_s)
        self._channels: dict[str, dict[str, None]] = {"ticker": self.asked, "heartbeat": {}}
        self._subscribed = False

    def opened(self) -> list[Out]:
        return []

    def answer(self, message: Any) -> list[Out]:
        if not isinstance(message, dict) or message.get("type") not in {"subscribe", "unsubscribe"}:
            return [text({"type": "error", "message": "Malformed JSON", "reason": "unknown type"})]
        products = message.get("product_ids", [])
        wishes: dict[str, list[str]] = {}
        for channel in message.get("channels", []):
            name = channel if isinstance(channel, str) else channel.get("name")
            wishes[name] = [*products, *([] if isinstance(channel, str) else channel.get("product_ids", []))]
        if unknown := wishes.keys() - set(CHANNELS):
            return [text({"type": "error", "message": "Failed to subscribe", "reason": f"{sorted(unknown)[0]} is not a valid channel"})]
        if message["type"] == "unsubscribe":
            for name, gone in wishes.items():
                for product in gone:
                    self._channels[name].pop(product, None)
            return [self._in_force()]
        bad = [product for wanted in wishes.values() for product in wanted if not self.knows(product, PRODUCTS)]
        if bad and (self.switch("unnamed") or self.switch("whole")):
            return [_refusal("product ids are invalid" if self.switch("unnamed") else _reason(bad[0]))]
        wishes = {name: [product for product in wanted if product not in bad] for name, wanted in wishes.items()}
        self._subscribed = True
        new = [product for product in wishes.get("ticker", []) if product not in self.asked]
        for name, wanted in wishes.items():
            self._channels[name] |= dict.fromkeys(wanted)
        first = [self._ticker(product, self.provider.price(product), trade=False) for product in new]
        return [*(_refusal(_reason(product)) for product in bad), self._in_force(), *first]

    def malformed(self) -> list[Out]:
        return [text({"type": "error", "message": "Malformed JSON"})]

    def update(self, symbol: str, now: Price) -> list[Out]:
        return [self._ticker(symbol, now, trade=True)]

    def beat(self) -> list[Out]:
        return [text({"type": "heartbeat", "sequence": self.provider.sequence(product, 1), "last_trade_id": self.provider.trades[product],
                      "product_id": product, "time": _iso(datetime.now(UTC).timestamp())}) for product in self._channels["heartbeat"
        ]]  # fmt: skip

    def overdue(self, age_s: float) -> list[Out]:
        late = not self._subscribed and age_s > self.switch("within_s", 5)
        return [Close(1008, "no subscription within 5 seconds")] if late else []

    def _ticker(self, product: str, now: Price, trade: bool) -> str:
        made_s = now.time_s if trade else now.time_s - self.switch("old_s", 0)
        number = self.provider.trades[product] = self.provider.trades.get(product, 1000) + trade
        return text(self.overlaid(product, {
            "type": "ticker", "sequence": self.provider.sequence(product, 7), "product_id": product, "price": now.last,
            "open_24h": now.open, "volume_24h": now.volume, "low_24h": now.low, "high_24h": now.high, "volume_30d": f"9{now.volume}",
            "best_bid": now.bid, "best_bid_size": "0.1", "best_ask": now.ask, "best_ask_size": "0.2", "side": "sell",
            "time": _iso(made_s), "trade_id": number, "last_size": "0.00352175"}))  # fmt: skip

    def _in_force(self) -> str:
        return text(
            {
                "type": "subscriptions",
                "channels": [{"name": name, "product_ids": list(products)} for name, products in self._channels.items() if products],
            }
        )


class CoinbaseStream(Streaming):
    """`python -m tests.providers coinbase_stream`."""

    name: ClassVar[str] = "coinbase_stream"
    limits: ClassVar[Mapping[str, int]] = {"messages_per_s": 100}

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self.trades: dict[str, int] = {}  # by product: the last
        self._sequences: dict[str, int] = {}

    def load(self, fixtures: Path) -> None:
        """There is nothing but the stream."""

    def answer(self, request: Request) -> Reply:
        return not_found()

    def talk(self, request: Request, others: list[Talk], now_s: float) -> Talk | Reply:
        return CoinbaseTalk(self, request, now_s)

    def sequence(self, product: str, step: int) -> int:
        """The next number of what happens to a product, most of which is no ticker."""
        self._sequences[product] = self._sequences.get(product, 7_388_547_000) + step
        return self._sequences[product]


def _reason(product: str) -> str:
    return f"{product} is delisted" if product in DELISTED else f"{product} is not a valid product"


def _refusal(reason: str) -> str:
    return text({"type": "error", "message": "Failed to subscribe", "reason": reason})


def _iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
