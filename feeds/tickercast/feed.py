"""Another tickercast as the source: its board, over Socket.IO on a WebSocket. Relays can stand behind one another.

    [feeds.hub]
    kind = "relay"
    base_url = "http://hub.example:5000"

    [symbols]
    ACME = { feed = "hub" }
    "BTC-USD" = { feed = ["hub", "second_hub"], hub = "BTC/USD" }

The wire is our own (docs/protocol.md, and https://socket.io/docs/v4/socket-io-protocol/ below it):

    0{"sid":"rVn9…","upgrades":[],"pingInterval":10000,"pingTimeout":25000,"maxPayload":65536}
    → 40{"token":"…"}
    40{"sid":"k2Zx…"}
    42["hello",{"epoch":"cf98ffcff2ee","version":"0.1.0","server_time":1795377852011,"flush_ms":50,"heartbeat_s":5}]
    42["symbols",[{"symbol":"ACME","status":"live","error":null, …}]]
    42["feeds",[{"feed":"sim","kind":"simulated","state":"ok", …},{"feed":"far","kind":"relay","upstream":["5ce1…","90ab…"], …}]]
    → 421["subscribe",{"symbols":["ACME","NOPE"]}]
    431[{"ok":true,"subscribed":["ACME"],"refused":{"NOPE":"unknown_symbol"},"max_hz":20.0}]
    42["quotes",[{"symbol":"ACME","price":110.38,"quote_time":1795377851903,"seq":418,"source":"sim","kind":"simulated","state":"fresh"}]]
    42["beat",{"server_time":1795377857011}]

What it says of a price's state is worth more than what we could tell from times, for as long as it is heard: its stale is stale here. A
price that does not move is vouched for by whatever it says next, a `beat` at the latest.

Loops are found by epochs, which name the life of a process. Every relay tells in `feeds`, as `upstream`, whom its prices come through: the
other relay's epoch, and all that stand behind that. Whoever finds itself there does not join. Quotes that passed more than 16 relays
are refused, in case somebody on the way does not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from feeds.api_keys import Sendable
from feeds.base import About, Subscription
from feeds.streams.feed import StreamFeed, StreamSettings, StreamUrl
from feeds.tickercast.session import Memory, RelaySession, UpstreamOptions
from ticker.quote import Kind
from ticker.runtime import Runtime


class RelaySettings(StreamSettings):
    """`[feeds.NAME]` of kind `relay`."""

    secrets: ClassVar[tuple[str, ...]] = ("api_key",)

    base_url: StreamUrl = Field(description="where the other tickercast listens")
    max_hz: float | None = Field(
        None, ge=0.1, le=50, allow_inf_nan=False, description="at most so many updates of a symbol a second; default as fast as it flushes"
    )
    api_key: Annotated[SecretStr | None, Sendable] = Field(None, max_length=8192, description="the token, where the other one wants any")


class RelayFeed(StreamFeed):
    """`kind = "relay"`."""

    kind = "relay"
    about = About(
        brings="what another tickercast has, as it publishes it",
        ids="the symbol itself",
        limits="those of the other one",
        key="none, or its token",
        time="the first source's",
        same_answer="any word of the other relay vouches for what has not moved",
        market="the other relay's word",
        note="its `state` is ours for as long as it is heard",
    )
    quote_kind: ClassVar[Kind] = "relayed"
    Settings: ClassVar[type[StreamSettings]] = RelaySettings
    settings: RelaySettings

    def __init__(self, name: str, settings: RelaySettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._memory = Memory(self.known)

    def path(self, subscriptions: Sequence[Subscription]) -> str:
        return "/socket.io/?EIO=4&transport=websocket"

    def session(self, here: str) -> RelaySession:
        settings = self.settings
        token = None if settings.api_key is None else settings.api_key.get_secret_value()
        return RelaySession(self._memory, UpstreamOptions(token, settings.max_hz, settings.stale_after_s), here)
