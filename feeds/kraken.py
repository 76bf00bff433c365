"""Kraken spot, public market data. Many pairs a call, no key.

`GET /0/public/Ticker?pair=XBTUSD,ETHUSD` (https://docs.kraken.com/api/docs/rest-api/get-ticker-information):

    {"error":[],"result":{"XXBTZUSD":{"a":["27948.00000","3","3.000"],"b":["27947.90000","1","1.000"],
     "c":["27947.90000","0.00842808"],"v":["3564.58017484","4138.93906134"],"p":["28351.31431","28329.55480"],"t":[33574,43062],
     "l":["27813.10000","27813.10000"],"h":["28792.30000","28792.30000"],"o":"28173.00000"}, …}}

a ask, b bid, c last trade: price first. v volume, l low, h high: today's (since 00:00 UTC) first, then the last 24 hours'. o today's
open. There is no time: `quote_time` stays unknown. The day of `open`, `high`, `low` and `volume` is today's, all four.

Rows are keyed by Kraken's own names, not by what was asked for: XBTUSD comes back as XXBTZUSD, SOLUSD as SOLUSD.
`GET /0/public/AssetPairs` (https://docs.kraken.com/api/docs/rest-api/get-tradable-asset-pairs) lists every spelling:

    {"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD", …}, …}}

Errors come with HTTP 200 and without `result`. One unknown pair fails the whole call, unnamed:
`{"error":["EQuery:Unknown asset pair"]}`. Public calls are to be one a second at most; beyond that `EGeneral:Too many requests`
or `EAPI:Rate limit exceeded`, then `EGeneral:Temporary lockout`, which lasts 15 minutes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import Field, HttpUrl

from feeds.base import Answer, Subscription
from feeds.parse import array, decode, optional_price, optional_size, price, shown, table, text
from feeds.polled import PolledFeed
from feeds.units import currency_of
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings
from ticker.turn import in_turns

log = logging.getLogger(__name__)

LIST_RETRY_S = 600.0
"""How long to do without the list of pairs when it could not be had, or when it lacks a pair that is asked for."""

LIMITED_WAITS_S = {
    "EGeneral:Too many requests": 15.0, "EAPI:Rate limit exceeded": 15.0, "EService:Throttled": 15.0, "EGeneral:Temporary lockout": 900.0}
"""What Kraken answers to too many calls, and how long to leave it alone then. Its own counter falls to nothing in about 15 s."""

KRAKEN_NAMES = {"BTC": "XBT", "DOGE": "XDG"}
USUAL_NAMES = {kraken: usual for usual, kraken in KRAKEN_NAMES.items()}


class KrakenBudget(BudgetSettings):
    """Limits for an address (https://support.kraken.com/articles/206548367-what-are-the-api-rate-limits-)."""

    calls_per_s: int = Field(1, ge=1, le=1, description="at most so many calls in any second")


class KrakenSettings(PolledSettings):
    """`[feeds.NAME]` of kind `kraken`."""

    advised_interval_s: ClassVar[float] = 1.0

    budget: KrakenBudget = Field(KrakenBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.kraken.com"), description="scheme, host and path prefix of the provider")


class Pair(NamedTuple):
    """A market, by the spelling that is the same whatever was asked for (`altname`: XBTUSD), and what it is priced in."""

    altname: str
    currency: str | None


Pairs = Mapping[str, Pair]
"""Markets by every spelling of them: XXBTZUSD, XBTUSD, XBT/USD."""


class Kraken(PolledFeed):
    """`kind = "kraken"`."""

    kind = "kraken"
    Settings: ClassVar[type[PolledSettings]] = KrakenSettings
    batch_size: ClassVar[int | None] = 200
    """The address of a call with 200 pairs is 2 KB long; servers refuse one of more than 8 KB."""

    def __init__(self, name: str, settings: PolledSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._pairs: Pairs = {}
        self._looked_up: set[str] = set()
        self._unknown: dict[str, FeedError] = {}  # by id: what neither Kraken nor its list knows
        self._next_list_s = 0.0

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BTC-USD` and `BTC/USD` are `XBTUSD` there."""
        parts = symbol.replace("/", "-").split("-")
        return "".join(KRAKEN_NAMES.get(part, part) for part in parts)

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        until_s = self.poll_ends_s()
        self._look_up({subscription.id for subscription in batch}, until_s)
        if len(batch) == 1:  # asked for alone, whatever we believed of it so far
            answer = self._tickers(batch, until_s)
            self._unknown.pop(batch[0].id, None)
            return answer
        try:
            return self._known_tickers(batch, until_s)
        except FeedError as error:
            # Kraken says that there is a pair it does not know, and not which; its list says which.
            unlisted = {subscription.id for subscription in batch if not _listed(subscription.id, self._pairs)} - self._unknown.keys()
            if not error.rejects_symbol or not self._pairs or not unlisted:
                raise
            self._unknown |= dict.fromkeys(unlisted, error)
        return self._known_tickers(batch, until_s)

    def _known_tickers(self, batch: Sequence[Subscription], until_s: float) -> Answer:
        rejected = {subscription.symbol: self._unknown[subscription.id] for subscription in batch if subscription.id in self._unknown}
        rest = [subscription for subscription in batch if subscription.symbol not in rejected]
        return {**rejected, **(self._tickers(rest, until_s) if rest else {})}

    def _tickers(self, batch: Sequence[Subscription], until_s: float) -> Answer:
        pairs = ",".join(dict.fromkeys(subscription.id for subscription in batch))
        return parse(self.http.get("/0/public/Ticker", {"pair": pairs}, until_s=until_s).body, batch, self._pairs)

    def _look_up(self, ids: Collection[str], until_s: float) -> None:
        """Read the list of pairs where it is new to us that one of `ids` is asked for, or time to try again.

        Without it, names are matched by their pattern (`short_name`), which holds for all but a few old pairs.
        """
        now_s = time.monotonic()
        missing = {id for id in ids if not _listed(id, self._pairs)}
        if not missing or (missing <= self._looked_up and now_s < self._next_list_s):
            return
        self._looked_up |= missing
        self._next_list_s = now_s + LIST_RETRY_S
        try:
            answer = self.http.get("/0/public/AssetPairs", until_s=min(until_s, now_s + self.settings.timeout_s / 2))
            self._pairs, self._unknown = parse_pairs(answer.body), {}
        except FeedError as error:
            log.info("feed %s: goes without the list of pairs: %s", self.name, error)


def parse(body: bytes, batch: Sequence[Subscription], pairs: Pairs) -> dict[str, Tick | FeedError]:
    """The ticks of a `Ticker` answer, by our symbol. Raises `FeedError` where it is an error as a whole."""
    rows = {}
    for key, row in in_turns(result_of(body).items()):
        rows[_pair(key, pairs).altname] = row
    answer: dict[str, Tick | FeedError] = {}
    for subscription in in_turns(batch):
        pair = _pair(subscription.id, pairs)
        try:
            if pair.altname not in rows:
                raise FeedError(f"no row for {subscription.id}", payload=body)
            answer[subscription.symbol] = _tick(rows[pair.altname], pair)
        except FeedError as error:
            answer[subscription.symbol] = error
    return answer


def parse_pairs(body: bytes) -> Pairs:
    """The markets of an `AssetPairs` answer by every spelling. A row that can't be read is left out."""
    pairs: dict[str, Pair] = {}
    for key, row in in_turns(result_of(body).items()):
        if not isinstance(row, dict) or not isinstance(row.get("altname"), str):
            continue
        wsname = row.get("wsname")
        currency = currency_of(wsname.rpartition("/")[2]) if isinstance(wsname, str) and "/" in wsname else None
        pair = Pair(row["altname"], USUAL_NAMES.get(currency, currency) if currency else None)
        pairs[key] = pairs[pair.altname] = pair
        if isinstance(wsname, str):
            pairs[wsname] = pair
    return pairs


def result_of(body: bytes) -> dict[str, Any]:
    """What an answer of Kraken's holds, or its error as a `FeedError`. Warnings (`W…`) are no errors."""
    answer = table(decode(body), "answer")
    errors = [error for error in array(answer.get("error"), "error") if not (isinstance(error, str) and error.startswith("W"))]
    if errors:
        first = text(errors[0], "error")
        unknown = first in {"EQuery:Unknown asset pair", "EQuery:Invalid asset pair"}
        raise FeedError(f"Kraken answers {first!r}" if len(first) < 100 else "Kraken answers an error",
                        retryable=not unknown, rejects_symbol=unknown, retry_after_s=_limited_wait_s(first), payload=body)
    return table(answer.get("result"), "result")


def short_name(name: str) -> str:
    """What `altname` most likely is: `XXBTZUSD`, `XBT/USD`, `BTCUSD` and `BTC-USD` are `XBTUSD`.

    Kraken's older assets have four letters, an X (crypto) or a Z (money) before the usual three.
    """
    name = name.replace("/", "").replace("-", "").upper()
    if len(name) == 8 and name[4] in "XZ":
        base, quote = name[:4], name[5:]
        return (base[1:] if base[0] in "XZ" else base) + quote
    for usual, kraken in KRAKEN_NAMES.items():
        if name.startswith(usual):
            name = kraken + name[len(usual):]
        elif name.endswith(usual):
            name = name[:-len(usual)] + kraken
    return name


def _limited_wait_s(error: str) -> float | None:
    """How long to leave Kraken alone after `error` (which may go on behind another colon), `None` where it is about something else."""
    return next((wait_s for start, wait_s in LIMITED_WAITS_S.items() if error.startswith(start)), None)


def _listed(name: str, pairs: Pairs) -> bool:
    return name in pairs or short_name(name) in pairs


def _pair(name: str, pairs: Pairs) -> Pair:
    return pairs.get(name) or pairs.get(short_name(name)) or Pair(short_name(name), None)


def _tick(value: object, pair: Pair) -> Tick:
    row = table(value, pair.altname)

    def first(key: str) -> object:
        values = row.get(key)
        if not isinstance(values, list | None):
            raise FeedError(f"{pair.altname} {key}: an array was expected", payload=shown(row))
        return values[0] if values else None

    return Tick(
        price=price(first("c"), f"{pair.altname} c"),
        bid=optional_price(first("b"), f"{pair.altname} b"),
        ask=optional_price(first("a"), f"{pair.altname} a"),
        open=optional_price(row.get("o"), f"{pair.altname} o"),
        high=optional_price(first("h"), f"{pair.altname} h"),
        low=optional_price(first("l"), f"{pair.altname} l"),
        volume=optional_size(first("v"), f"{pair.altname} v"),
        currency=pair.currency,
    )
