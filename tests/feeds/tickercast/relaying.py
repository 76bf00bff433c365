"""The other side of a relay feed's connection, packet by packet; time is stepped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import AnyUrl

from feeds.base import Subscription
from feeds.tickercast.feed import RelayFeed, RelaySettings
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import SymbolOptions

MADE_MS = 1_795_377_851_903


class Upstream:
    """The other side of one connection after another."""

    def __init__(self, runtime: Runtime, here: str = "here", **keys: Any) -> None:
        self.now_s = 100.0
        self.here = here
        settings = RelaySettings.model_validate({"kind": "relay", "base_url": AnyUrl("http://127.0.0.1:1"), **keys})
        self.feed = RelayFeed("up", settings, runtime)
        self.wanted: list[Subscription] = []
        self.connect()

    def connect(self) -> None:
        """A new connection; what was said on the last one is forgotten."""
        self.session = self.feed.session(self.here)
        self.session.want(self.wanted)
        self.news: list[Mapping[str, Tick | FeedError]] = []
        self.sent: list[str] = []

    def want(self, *symbols: str, **ids: str) -> None:
        """What we ask for from now on."""
        named = {symbol: symbol for symbol in symbols} | ids
        self.wanted = [Subscription(symbol, id, SymbolOptions()) for symbol, id in named.items()]
        self.session.want(self.wanted)

    def is_ready(self) -> bool:
        """Whether it has taken note of all we want."""
        return self.session.ready

    def look(self, passed_s: float = 0.1) -> list[str]:
        """Let time pass; what we say then."""
        self.now_s += passed_s
        messages, news = self.session.due(self.now_s)
        if news:
            self.news.append(news)
        self.sent += (said := [message.decode() for message in messages])
        return said

    def say(self, packet: str) -> Mapping[str, Tick | FeedError]:
        """It says this."""
        news = self.session.receive(packet.encode(), self.now_s)
        if news:
            self.news.append(news)
        return news

    def event(self, name: str, payload: Any) -> Mapping[str, Tick | FeedError]:
        """It says this on `/`."""
        return self.say("42" + json.dumps([name, payload]))

    def greet(self, epoch: str = "far", feeds: list[dict[str, Any]] | None = None) -> None:
        """All that comes before subscriptions."""
        self.say('0{"sid":"x"}')
        self.look()
        self.say('40{"sid":"y"}')
        self.event("hello", {"epoch": epoch, "heartbeat_s": 5})
        self.event("feeds", [{"feed": "sim", "kind": "simulated"}] if feeds is None else feeds)

    def acknowledge(self, **refused: str) -> list[str]:
        """It takes note of the subscription that we send now, with all of it or without these; returns what was asked for."""
        (request,) = [said for said in self.look() if "subscribe" in said]
        number, _, body = request.removeprefix("42").partition("[")
        asked = json.loads("[" + body)[1]["symbols"]
        subscribed = [symbol for symbol in asked if symbol not in refused]
        self.say(f"43{number}" + json.dumps([{"ok": True, "subscribed": subscribed, "refused": refused, "max_hz": 20.0}]))
        return list(asked)

    def quote(self, symbol: str, price: float | str, seq: int, **fields: Any) -> dict[str, Any]:
        """A quote as it publishes it."""
        return {"symbol": symbol, "price": price, "quote_time": MADE_MS + seq, "received_time": MADE_MS, "seq": seq, "source": "sim",
                "kind": "simulated", "state": "fresh"} | fields  # fmt: skip

    def quotes(self, *quotes: dict[str, Any]) -> Mapping[str, Tick | FeedError]:
        """It publishes these in one window."""
        return self.event("quotes", list(quotes))
