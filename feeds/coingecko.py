"""CoinGecko: thousands of coins in any currency, averaged over their markets. Many coins a call; a key is optional.

`GET /api/v3/simple/price?ids=bitcoin,ethereum&vs_currencies=usd,eur&include_24hr_vol=true&include_24hr_change=true&
include_last_updated_at=true&precision=full` (https://docs.coingecko.com/reference/simple-price):

    {"bitcoin":{"usd":76975,"usd_24h_vol":29096603418.89408,"usd_24h_change":-1.4093297098441402,"eur":66110.2,…,
     "last_updated_at":1779092258}, …}

A coin's id is a word (`bitcoin`), not its ticker, which several coins may share. The change is in percent, of 24 hours; the volume is in
the currency of the price, unlike everybody else's; times are in s. A coin that does not exist is not in the answer, and of one that does
not trade in a currency that key is missing. Prices are at most a minute old: CoinGecko caches them, and asking oftener brings nothing.

Without a key some 5 to 15 calls a minute, shared by all behind an address; with a free one 30 a minute and 10,000 a month (header
`x-cg-demo-api-key`); `https://pro-api.coingecko.com` takes the keys that cost something (`x-cg-pro-api-key`). Failed calls count.
Errors are `{"status":{"error_code":429,"error_message":"You've exceeded the Rate Limit. …"}}`, also 10002 (a key is missing) and 10010,
10011 (a key for the other host) with 401, or `{"error":"…"}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field, HttpUrl, SecretStr

from feeds.api_keys import Sendable
from feeds.base import About, Answer, Subscription
from feeds.http.feed import PolledFeed
from feeds.values.batch import for_each, unknown
from feeds.values.fields import Fields
from feeds.values.parse import decode, table
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings

FIELDS = Fields(times="s", zero_until_traded=True)
CURRENCY = "usd"
"""The currency of an id that names none."""


class CoinGeckoBudget(BudgetSettings):
    """Limits of an address or a key (https://docs.coingecko.com/docs/common-errors-rate-limit)."""

    calls_per_min: int = Field(5, ge=1, le=1000, description="at most so many calls in any minute; 5 without a key, 30 with a free one")


class CoinGeckoSettings(PolledSettings):
    """`[feeds.NAME]` of kind `coingecko`."""

    advised_interval_s: ClassVar[float] = 30.0
    secrets: ClassVar[tuple[str, ...]] = ("api_key",)

    interval_s: float = Field(
        300.0, ge=0.1, le=86_400, allow_inf_nan=False, description="time between two polls; 300 keeps a free key within its month"
    )
    budget: CoinGeckoBudget = Field(CoinGeckoBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.coingecko.com"), description="scheme, host and path prefix of the provider")
    api_key: Annotated[SecretStr | None, Sendable] = Field(None, max_length=1000, description="a key, where there is one")


class Coin(NamedTuple):
    """What an id means: `bitcoin/eur`."""

    id: str
    currency: str


class CoinGecko(PolledFeed):
    """`kind = "coingecko"`."""

    kind = "coingecko"
    about = About(
        brings="coins, averaged over markets, last 24 hours",
        ids="`bitcoin`, `bitcoin/eur`",
        limits="5 to 15 calls a minute; with a free key 30, and 10,000 a month",
        key="none, or one",
        delay="a minute",
        time="when it was averaged",
        market="never shuts",
        note="a minute behind, and cached: ask each minute or less; of a coin that nobody trades the time stays",
    )
    Settings: ClassVar[type[PolledSettings]] = CoinGeckoSettings
    settings: CoinGeckoSettings
    batch_size: ClassVar[int | None] = 100
    """The address of a call with 100 coins is 2 to 3 KB long; servers refuse one of more than 8 KB."""

    def __init__(self, name: str, settings: CoinGeckoSettings, runtime: Runtime) -> None:
        pro = (settings.base_url.host or "").startswith("pro-api.")
        key = settings.api_key
        super().__init__(name, settings, runtime, {f"x-cg-{'pro' if pro else 'demo'}-api-key": key.get_secret_value()} if key else None)

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BITCOIN/EUR` is `bitcoin/eur` there."""
        return symbol.lower()

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        coins = [coin_of(subscription.id) for subscription in batch]
        query = {"ids": ",".join(dict.fromkeys(coin.id for coin in coins)),
                 "vs_currencies": ",".join(dict.fromkeys(coin.currency for coin in coins)),
                 "include_24hr_vol": "true", "include_24hr_change": "true", "include_last_updated_at": "true", "precision": "full"
        }  # fmt: skip
        return parse(self.http.get("/api/v3/simple/price", query).body, batch)


def coin_of(id: str) -> Coin:
    """`bitcoin` is priced in dollars; another currency stands behind a slash."""
    coin, _, currency = id.lower().partition("/")
    return Coin(coin, currency or CURRENCY)


def parse(body: bytes, batch: Sequence[Subscription]) -> dict[str, Tick | FeedError]:
    """The ticks of a `simple/price` answer, by our symbol. Raises `FeedError` where it is an error as a whole."""
    answer = table(decode(body), "answer")
    status = answer.get("status")  # there is a coin of that name, too
    if "error" in answer or (isinstance(status, dict) and "error_code" in status):
        raise FeedError("CoinGecko answers an error", payload=body)

    def read(subscription: Subscription) -> Tick:
        coin = coin_of(subscription.id)
        row = answer.get(coin.id)
        if row is None:
            raise unknown("CoinGecko", subscription.id)
        return _tick(table(row, coin.id), coin)

    return for_each(batch, read)


def _tick(row: Mapping[str, Any], coin: Coin) -> Tick:
    if row and coin.currency not in row:
        raise unknown("CoinGecko", f"{coin.id}/{coin.currency}")
    return FIELDS.tick(
        row.get(coin.currency),
        currency=coin.currency.upper(),
        volume=row.get(f"{coin.currency}_24h_vol"),
        change_pct=row.get(f"{coin.currency}_24h_change"),
        quote_time=row.get("last_updated_at"),
    )
