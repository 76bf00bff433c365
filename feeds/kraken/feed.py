"""Kraken spot, public market data. Many pairs a call, no key.

`GET /0/public/Ticker?pair=XBTUSD,ETHUSD` (https://docs.kraken.com/api/docs/rest-api/get-ticker-information):

    {"error":[],"result":{"XXBTZUSD":{"a":["27948.00000","3","3.000"],"b":["27947.90000","1","1.000"],
     "c":["27947.90000","0.00842808"],"v":["3564.58017484","4138.93906134"],"p":["28351.31431","28329.55480"],"t":[33574,43062],
     "l":["27813.10000","27813.10000"],"h":["28792.30000","28792.30000"],"o":"28173.00000"}, …}}

a ask, b bid, c last trade: price first. v volume, t trades, l low, h high: today's (since 00:00 UTC) first, then the last 24 hours'. o
today's open. There is no time: `quote_time` stays unknown. The day of `open`, `high`, `low` and `volume` is today's, all four. Where
t, a and b are 0 nobody trades it: the market is closed (that Kraken writes an empty book so is not verified).

Rows are keyed by Kraken's own names, not by what was asked for: XBTUSD comes back as XXBTZUSD, SOLUSD as SOLUSD. Its lists of pairs
(`feeds.kraken.pairs`) know every spelling. Tokenized shares are unknown pairs without `&asset_class=tokenized_asset`, and currencies with
it, so both can't share a call (JKorf/Kraken.Net#146, nautechsystems/nautilus_trader#3455; the parameter is called `aclass_base` in
AssetPairs, and `pair` wants the altname). That Kraken calls them unknown then is inferred; of OHLC `EGeneral:Invalid arguments` is told.

Errors come with HTTP 200 and without `result`. One unknown pair fails the whole call, unnamed:
`{"error":["EQuery:Unknown asset pair"]}`. Public calls are to be one a second at most; beyond that `EGeneral:Too many requests`
or `EAPI:Rate limit exceeded`, then `EGeneral:Temporary lockout`, which lasts 15 minutes. Errors as in ccxt's `kraken.ts`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from pydantic import Field, HttpUrl

from feeds.base import About, Answer, Subscription
from feeds.http.feed import PolledFeed
from feeds.kraken.pairs import KRAKEN_NAMES, NO_PAIRS, AssetClass, AssetPairs, Pair, is_mixed, pairs_of
from feeds.values.batch import for_each, in_parts
from feeds.values.fields import Fields, first, untraded
from feeds.values.parse import array, decode, table, text
from ticker.errors import BudgetSpent, FeedError
from ticker.quote import Tick, VolumeOf
from ticker.runtime import Runtime, in_turns
from ticker.settings import BudgetSettings, PolledSettings

log = logging.getLogger(__name__)

LIST_RETRY_S = 600.0
"""How long to do without the list of pairs when it could not be had, or when it lacks a pair that is asked for."""

LIMITED_WAITS_S = {
    "EGeneral:Too many requests": 15.0,
    "EAPI:Rate limit exceeded": 15.0,
    "EService:Throttled": 15.0,
    "EGeneral:Temporary lockout": 900.0,
}
"""What Kraken answers to too many calls, and how long to leave it alone then. Its own counter falls to nothing in about 15 s."""

UNKNOWN = ("EQuery:Unknown asset pair", "EQuery:Invalid asset pair", "EGeneral:Invalid arguments")
"""What Kraken answers where it does not know a pair, or not as one of that asset class."""

FIELDS = Fields(zero_until_traded=True)


class KrakenBudget(BudgetSettings):
    """Limits for an address (https://support.kraken.com/articles/206548367-what-are-the-api-rate-limits-)."""

    calls_per_s: int = Field(1, ge=1, le=1, description="at most so many calls in any second")


class KrakenSettings(PolledSettings):
    """`[feeds.NAME]` of kind `kraken`."""

    advised_interval_s: ClassVar[float] = 1.0

    budget: KrakenBudget = Field(KrakenBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.kraken.com"), description="scheme, host and path prefix of the provider")


class Kraken(PolledFeed):
    """`kind = "kraken"`."""

    kind = "kraken"
    about = About(
        brings="crypto, tokenized shares, today since 00:00 UTC",
        ids="`XBTUSD`, `AAPLxUSD`; from `BTC-USD`, `BTC/USD`, `AAPLx/USD`",
        limits="about 1 call a second",
        time="not given",
        same_answer="it is current",
        market="`closed` without trade in 24 h, bid and ask",
    )
    Settings: ClassVar[type[PolledSettings]] = KrakenSettings
    batch_size: ClassVar[int | None] = 200
    """The address of a call with 200 pairs is 2 KB long; servers refuse one of more than 8 KB."""

    volume_of: ClassVar[VolumeOf] = "day_utc"

    def __init__(self, name: str, settings: PolledSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._lists: dict[AssetClass, dict[str, Pair]] = {}
        self._pairs = NO_PAIRS
        self._to_read: list[AssetClass] = []
        self._looked_up: set[str] = set()
        self._unknown: dict[str, FeedError] = {}  # by id: what neither Kraken nor its lists know
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
        parts: dict[AssetClass, list[Subscription]] = {}
        for subscription in batch:
            parts.setdefault(self._pairs.pair(subscription.id).asset_class, []).append(subscription)
        return in_parts(parts.values(), lambda part: self._known_tickers(part, until_s))

    def _known_tickers(self, part: Sequence[Subscription], until_s: float) -> Answer:
        """The ticks of pairs of one asset class, without those that are known to be unknown."""
        rejected = {subscription.symbol: self._unknown[subscription.id] for subscription in part if subscription.id in self._unknown}
        rest = [subscription for subscription in part if subscription.symbol not in rejected]
        if not rest:
            return rejected
        try:
            return {**rejected, **self._tickers(rest, until_s)}
        except FeedError as error:
            # Kraken says that there is a pair it does not know, and not which; its list says which.
            unlisted = {subscription.id for subscription in rest if self._pairs.listed(subscription.id) is None}
            if not error.rejects_symbol or self._pairs.pair(rest[0].id).asset_class not in self._lists or not unlisted:
                raise
            self._unknown |= dict.fromkeys(unlisted, error)
        return self._known_tickers(part, until_s)

    def _tickers(self, part: Sequence[Subscription], until_s: float) -> Answer:
        pairs = [self._pairs.pair(subscription.id) for subscription in part]
        names = (
            subscription.id if self._pairs.listed(subscription.id) is None else pair.altname
            for subscription, pair in zip(part, pairs, strict=True)
        )
        asset_class = {} if pairs[0].asset_class == "currency" else {"asset_class": pairs[0].asset_class}
        params = {"pair": ",".join(dict.fromkeys(names)), **asset_class}
        return parse(self.http.get("/0/public/Ticker", params, until_s=until_s).body, part, self._pairs)

    def _look_up(self, ids: Collection[str], until_s: float) -> None:
        """Read the lists of pairs where it is new to us that one of `ids` is asked for, or time to try again; the second one where the
        first does not have them all.

        Without them, names are matched by their pattern (`short_name`), which holds for all but a few old pairs.
        """
        now_s = time.monotonic()
        missing = self._missing(ids)
        if missing and not (missing <= self._looked_up and now_s < self._next_list_s):
            self._looked_up |= missing
            self._next_list_s = now_s + LIST_RETRY_S
            self._to_read = ["currency", "tokenized_asset"]
            if all(map(is_mixed, missing)):
                self._to_read.reverse()
        while self._to_read:
            try:
                self._read_list(self._to_read[0], min(until_s, now_s + self.settings.timeout_s / 2))
            except BudgetSpent:  # the next poll goes on
                return
            except FeedError as error:
                log.info("feed %s: goes without the list of pairs: %s", self.name, error)
                self._to_read = []
            else:
                self._to_read = self._to_read[1:] if self._missing(self._looked_up) else []

    def _read_list(self, asset_class: AssetClass, until_s: float) -> None:
        params = {} if asset_class == "currency" else {"aclass_base": asset_class}
        self._lists[asset_class] = parse_pairs(self.http.get("/0/public/AssetPairs", params, until_s=until_s).body, asset_class)
        self._pairs = AssetPairs({name: pair for pairs in self._lists.values() for name, pair in pairs.items()})
        self._unknown = {}

    def _missing(self, ids: Collection[str]) -> set[str]:
        return {id for id in ids if self._pairs.listed(id) is None}


def parse(body: bytes, batch: Sequence[Subscription], pairs: AssetPairs) -> dict[str, Tick | FeedError]:
    """The ticks of a `Ticker` answer, by our symbol. Raises `FeedError` where it is an error as a whole."""
    rows = {pairs.pair(key).altname: row for key, row in in_turns(result_of(body).items())}

    def read(subscription: Subscription) -> Tick:
        pair = pairs.pair(subscription.id)
        if pair.altname not in rows:
            raise FeedError(f"no row for {subscription.id}", payload=body)
        return _tick(table(rows[pair.altname], pair.altname), pair)

    return for_each(batch, read)


def parse_pairs(body: bytes, asset_class: AssetClass) -> dict[str, Pair]:
    """The markets of an `AssetPairs` answer by every spelling."""
    return pairs_of(result_of(body), asset_class)


def result_of(body: bytes) -> dict[str, Any]:
    """What an answer of Kraken's holds, or its error as a `FeedError`. Warnings (`W…`) are no errors."""
    answer = table(decode(body), "answer")
    errors = [error for error in array(answer.get("error"), "error") if not (isinstance(error, str) and error.startswith("W"))]
    if errors:
        told = text(errors[0], "error")
        unknown = told.startswith(UNKNOWN)
        raise FeedError(
            f"Kraken answers {told!r}" if len(told) < 100 else "Kraken answers an error",
            retryable=not unknown,
            rejects_symbol=unknown,
            retry_after_s=_limited_wait_s(told),
            payload=body,
        )
    return table(answer.get("result"), "result")


def _limited_wait_s(error: str) -> float | None:
    """How long to leave Kraken alone after `error` (which may go on behind another colon), `None` where it is about something else."""
    return next((wait_s for start, wait_s in LIMITED_WAITS_S.items() if error.startswith(start)), None)


def _tick(row: dict[str, Any], pair: Pair) -> Tick:
    return FIELDS.tick(
        first(row, "c"),
        bid=first(row, "b"),
        ask=first(row, "a"),
        open=row.get("o"),
        high=first(row, "h"),
        low=first(row, "l"),
        volume=first(row, "v"),
        currency=pair.currency,
        known={"session": "closed" if untraded(row, "t", "a", "b") else None},
    )
