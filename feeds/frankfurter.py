"""Frankfurter: the European Central Bank's reference rates, one a working day, from any of its currencies to any other; and what other
central banks publish of some 200 currencies and metals. No key.

`GET /v1/latest?base=EUR&symbols=USD,GBP` (https://frankfurter.dev/v1/), the bank's rates:

    {"amount":1.0,"base":"EUR","date":"2026-10-08","rates":{"GBP":0.87495,"USD":1.0915}}

Rates are numbers. The day is that of the rates, on a Sunday Friday's; what time of it they were made is told in `feeds.values.pairs`. From
euros they have the bank's own digits, from another base they are rounded to 4 to 6. A base has a call of its own.

An unknown base, or none but unknown currencies, is 404 `{"message":"not found"}`, a currency against itself 422 `{"message":"bad currency
pair"}`; one unknown currency among others is left out. Nobody counts calls, and rates are new once a day, at about 16:00 in Frankfurt.

`GET /v2/rates?base=USD&quotes=AED,MAD` (https://frankfurter.dev, github.com/lineofflight/frankfurter, lib/versions/v2) has the rest,
averaged over all banks that publish a rate, so that the bank's own pairs are not asked for here:

    [{"date":"2026-11-30","base":"USD","quote":"AED","rate":3.6725},{"date":"2026-11-27","base":"USD","quote":"MAD","rate":9.23}]

Each row has a day of its own: of a bank that is silent the last one for two weeks, of one that is early tomorrow's. A code that is none is
422 `{"status":422,"message":"invalid currency: QQQ,ZZZ"}`, naming all of them. A currency that nobody publishes any more, or that was
never covered, is no error: its row is missing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from pydantic import Field, HttpUrl

from feeds.base import About, Answer, Subscription
from feeds.http.client import Response
from feeds.http.feed import PolledFeed
from feeds.values.batch import error_object, for_each, in_parts, unknown
from feeds.values.fields import Fields
from feeds.values.pairs import DAILY_CADENCE_S, DAY_MIN, WITHDRAWN, fixing_ms, pair_of
from feeds.values.parse import array, decode, number, table
from ticker.calendars.market_hours import DAY_MS
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import PolledSettings

INVALID = "invalid currency: "


class FrankfurterSettings(PolledSettings):
    """`[feeds.NAME]` of kind `frankfurter`."""

    advised_interval_s: ClassVar[float] = 60.0

    interval_s: float = Field(
        3600.0, ge=0.1, le=86_400, allow_inf_nan=False, description="time between two polls; rates are new once a working day"
    )
    base_url: HttpUrl = Field(HttpUrl("https://api.frankfurter.dev"), description="scheme, host and path prefix of the provider")


class Frankfurter(PolledFeed):
    """`kind = "frankfurter"`."""

    kind = "frankfurter"
    about = About(
        brings="euro reference rates and what follows from them, averages of other central banks",
        ids="`EUR/USD`, `USD/JPY`; from `USDJPY`",
        delay="a day",
        time="14:10 in Frankfurt of the day; of tomorrow's its beginning",
        same_answer="it is that day's",
        market="a rate a working day",
        note="as `ecb`",
    )
    Settings: ClassVar[type[PolledSettings]] = FrankfurterSettings
    batch_size: ClassVar[int | None] = None
    cadence_s: ClassVar[float] = DAILY_CADENCE_S

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`EURUSD`, `EUR-USD` and `EURUSD=X` are `EUR/USD` here."""
        pair = pair_of(symbol)
        return "/".join(pair) if pair else symbol

    def __init__(self, name: str, settings: PolledSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._not_the_banks: set[tuple[str, str]] = set()  # pairs that v1 does not have

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        until_s = self.poll_ends_s()
        answer: dict[str, Tick | FeedError] = {}
        pairs: list[Subscription] = []
        for subscription in batch:
            try:
                _pair(subscription)
                pairs.append(subscription)
            except FeedError as error:
                answer[subscription.symbol] = error
        return {**answer, **in_parts(self._parts(pairs), lambda part: self._rates(part, until_s))}

    def _parts(self, batch: Sequence[Subscription]) -> Iterator[Sequence[Subscription]]:
        """By base: first the bank's pairs, then those that turn out not to be."""
        for at_v2 in (False, True):
            by_base: dict[str, list[Subscription]] = {}
            for subscription in batch:
                pair = _pair(subscription)
                if (pair in self._not_the_banks) == at_v2:
                    by_base.setdefault(pair[0], []).append(subscription)
            yield from by_base.values()

    def _rates(self, batch: Sequence[Subscription], until_s: float) -> Answer:
        return self._averages(batch, until_s) if _pair(batch[0]) in self._not_the_banks else self._fixings(batch, until_s)

    def _fixings(self, batch: Sequence[Subscription], until_s: float) -> Answer:
        base, currencies = _asked(batch)
        response = self.http.get("/v1/latest", {"base": base, "symbols": currencies}, accept=(HTTPStatus.NOT_FOUND,), until_s=until_s)
        if response.ok:
            answer = parse(response.body, base, batch)
        elif error_object(response.body).get("message") != "not found":  # somebody else's 404: a wrong `base_url`, a proxy's page
            raise response.error()
        else:
            answer = dict.fromkeys((subscription.symbol for subscription in batch), unknown("Frankfurter", base))
        missing = {symbol for symbol, outcome in answer.items() if isinstance(outcome, FeedError) and outcome.rejects_symbol}
        self._not_the_banks.update(_pair(subscription) for subscription in batch if subscription.symbol in missing)
        return {symbol: outcome for symbol, outcome in answer.items() if symbol not in missing}

    def _averages(self, batch: Sequence[Subscription], until_s: float) -> Answer:
        base, currencies = _asked(batch)
        response = self.http.get(
            "/v2/rates", {"base": base, "quotes": currencies}, accept=(HTTPStatus.UNPROCESSABLE_ENTITY,), until_s=until_s
        )
        if response.ok:
            return parse_rows(response.body, batch, round(time.time() * 1000))
        invalid = _invalid(response)
        others = [subscription for subscription in batch if invalid.isdisjoint(_pair(subscription))]
        if len(others) == len(batch):
            raise response.error()
        refused = {subscription.symbol: _no_rate(subscription) for subscription in batch if subscription not in others}
        return {**refused, **(self._averages(others, until_s) if others else {})}


FIXINGS = Fields(times=fixing_ms)


def parse(body: bytes, base: str, batch: Sequence[Subscription]) -> dict[str, Tick | FeedError]:
    """The ticks of a `latest` answer, by our symbol: `batch` has pairs of `base` only. Raises `FeedError` where it is not about `base`."""
    answer = table(decode(body), "answer")
    if answer.get("base") != base or number(answer.get("amount"), "amount") != 1:
        raise FeedError(f"not the rates of 1 {base}", payload=body)
    rates: dict[str, Any] = table(answer.get("rates"), "rates")

    def read(subscription: Subscription) -> Tick:
        currency = _pair(subscription)[1]
        if currency not in rates:
            raise unknown("Frankfurter", subscription.id)
        return FIXINGS.tick(rates[currency], currency=currency, quote_time=answer.get("date"), delay_min=DAY_MIN, known={"cadence": "day"})

    return for_each(batch, read)


def parse_rows(body: bytes, batch: Sequence[Subscription], now_ms: int) -> dict[str, Tick | FeedError]:
    """The ticks of an answer of rows, by our symbol. A row of tomorrow counts from where that day begins."""
    rows = {
        (row.get("base"), row.get("quote")): row
        for row in array(decode(body), "answer")
        if isinstance(row, dict)
        if isinstance(row.get("base"), str) and isinstance(row.get("quote"), str)
    }

    def made_ms(day: object, what: str) -> int:
        fixing = fixing_ms(day, what)
        return fixing if fixing <= now_ms else fixing - fixing % DAY_MS

    fields = Fields(times=made_ms)

    def read(subscription: Subscription) -> Tick:
        base, currency = _pair(subscription)
        row = rows.get((base, currency))
        if row is None:
            raise _no_rate(subscription, ": no bank that it asks has published a rate in the last two weeks")
        return fields.tick(row.get("rate"), currency=currency, quote_time=row.get("date"), delay_min=DAY_MIN, known={"cadence": "day"})

    return for_each(batch, read)


def _no_rate(subscription: Subscription, why: str = "") -> FeedError:
    """What is said of a pair without a rate: that its currency is no more, where that is so."""
    for currency in _pair(subscription):
        if currency in WITHDRAWN:
            why = f": {currency} is no more, the euro took its place on {WITHDRAWN[currency]}"
    return FeedError(f"Frankfurter has no {subscription.id!r}{why}", retryable=False, rejects_symbol=True)


def _invalid(response: Response) -> set[str]:
    """The codes that an error calls none; empty where it is another one."""
    message = error_object(response.body).get("message")
    return set(message.removeprefix(INVALID).split(",")) if isinstance(message, str) and message.startswith(INVALID) else set()


def _asked(batch: Sequence[Subscription]) -> tuple[str, str]:
    """The base of all these pairs, and their currencies in one list."""
    return _pair(batch[0])[0], ",".join(dict.fromkeys(_pair(subscription)[1] for subscription in batch))


def _pair(subscription: Subscription) -> tuple[str, str]:
    pair = pair_of(subscription.id)
    if pair is None or pair[0] == pair[1]:
        raise unknown("Frankfurter", subscription.id)
    return pair
