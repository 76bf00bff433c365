"""Frankfurter: the European Central Bank's reference rates, one a working day, from any of its currencies to any other. No key.

`GET /v1/latest?base=EUR&symbols=USD,GBP` (https://frankfurter.dev/v1/):

    {"amount":1.0,"base":"EUR","date":"2026-10-08","rates":{"GBP":0.87495,"USD":1.0915}}

Rates are numbers. The day is that of the rates, on a Sunday Friday's; what time of it they were made is told in `feeds.pairs`. From euros
they have the bank's own digits, from another base they are rounded to 4 to 6. A base has a call of its own.

An unknown base, or none but unknown currencies, is 404 `{"message":"not found"}`, a currency against itself 422 `{"message":"bad currency
pair"}`; one unknown currency among others is left out. Nobody counts calls, and rates are new once a day, at about 16:00 in Frankfurt.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from pydantic import Field, HttpUrl

from feeds.base import Answer, Subscription
from feeds.pairs import DAILY_CADENCE_S, DAY_MIN, fixing_ms, pair_of
from feeds.parse import decode, number, price, table
from feeds.polled import PolledFeed
from feeds.rows import error_object, for_each, in_parts, unknown
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.settings import PolledSettings


class FrankfurterSettings(PolledSettings):
    """`[feeds.NAME]` of kind `frankfurter`."""

    advised_interval_s: ClassVar[float] = 60.0

    interval_s: float = Field(3600.0, ge=0.1, le=86_400, allow_inf_nan=False,
                              description="time between two polls; rates are new once a working day")
    base_url: HttpUrl = Field(HttpUrl("https://api.frankfurter.dev"), description="scheme, host and path prefix of the provider")


class Frankfurter(PolledFeed):
    """`kind = "frankfurter"`."""

    kind = "frankfurter"
    Settings: ClassVar[type[PolledSettings]] = FrankfurterSettings
    batch_size: ClassVar[int | None] = None
    cadence_s: ClassVar[float] = DAILY_CADENCE_S

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`EURUSD`, `EUR-USD` and `EURUSD=X` are `EUR/USD` here."""
        pair = pair_of(symbol)
        return "/".join(pair) if pair else symbol

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        until_s = self.poll_ends_s()
        by_base: dict[str, list[Subscription]] = {}
        answer: dict[str, Tick | FeedError] = {}
        for subscription in batch:
            try:
                by_base.setdefault(_pair(subscription)[0], []).append(subscription)
            except FeedError as error:
                answer[subscription.symbol] = error
        return {**answer, **in_parts(by_base.values(), lambda part: self._rates(part, until_s))}

    def _rates(self, batch: Sequence[Subscription], until_s: float) -> dict[str, Tick | FeedError]:
        base = _pair(batch[0])[0]
        currencies = ",".join(dict.fromkeys(_pair(subscription)[1] for subscription in batch))
        response = self.http.get("/v1/latest", {"base": base, "symbols": currencies}, accept=(HTTPStatus.NOT_FOUND,), until_s=until_s)
        if response.ok:
            return parse(response.body, base, batch)
        if error_object(response).get("message") != "not found":  # somebody else's 404: a wrong `base_url`, a proxy's page
            raise response.error()
        return {subscription.symbol: unknown("Frankfurter", subscription.id) for subscription in batch}


def parse(body: bytes, base: str, batch: Sequence[Subscription]) -> dict[str, Tick | FeedError]:
    """The ticks of a `latest` answer, by our symbol: `batch` has pairs of `base` only. Raises `FeedError` where it is not about `base`."""
    answer = table(decode(body), "answer")
    if answer.get("base") != base or number(answer.get("amount"), "amount") != 1:
        raise FeedError(f"not the rates of 1 {base}", payload=body)
    rates: dict[str, Any] = table(answer.get("rates"), "rates")
    made_ms = fixing_ms(answer.get("date"), "date")

    def read(subscription: Subscription) -> Tick:
        currency = _pair(subscription)[1]
        if currency not in rates:
            raise unknown("Frankfurter", subscription.id)
        return Tick(price=price(rates[currency], currency), currency=currency, quote_time=made_ms, delay_min=DAY_MIN)

    return for_each(batch, read)


def _pair(subscription: Subscription) -> tuple[str, str]:
    pair = pair_of(subscription.id)
    if pair is None or pair[0] == pair[1]:
        raise unknown("Frankfurter", subscription.id)
    return pair
