"""Yahoo Finance, unofficial: nobody promises anything. Stocks of most exchanges, funds, indices, currencies, futures, crypto.

`GET /v7/finance/quote?symbols=AAPL,VOD.L&crumb=…&fields=…&overnightPrice=true` with a cookie. Yahoo documents nothing of it; others have:
addresses, cookie, crumb, charts and the stream (https://github.com/ranaroussi/yfinance), the fields and types of rows
(https://github.com/gadicc/yahoo-finance2, `src/modules/quote.ts`), `overnightPrice` (https://github.com/Verdenroz/finance-query).

    {"quoteResponse":{"result":[{"quoteType":"EQUITY","currency":"USD","marketState":"CLOSED","regularMarketPrice":244.6,
     "regularMarketTime":1739566800,"regularMarketPreviousClose":241.53,"regularMarketOpen":241.07,"regularMarketDayHigh":245.41,
     "regularMarketDayLow":241,"regularMarketVolume":40896227,"regularMarketChange":3.0700073,"regularMarketChangePercent":1.2710667,
     "bid":244.44,"ask":253.37,"postMarketPrice":244.64,"postMarketChangePercent":0.0163505,"postMarketTime":1739581198,
     "exchangeDataDelayedBy":0,"priceHint":2,"symbol":"AAPL", …}, …],"error":null}}

Times are in s, percents are percents, `GBp` is pence. A symbol that Yahoo does not know has no row, or one with `quoteType` `NONE`, or
one without a price. `overnightMarketPrice`, `…ChangePercent` (against the regular price) and `…Time` are those of the night, and stay in
the row until the next; `marketState` may say `OVERNIGHT` then, or still `POSTPOST` and `PREPRE`. What the cookie and the crumb are is told
in `feeds.yahoo.session`; without a good pair the answer is 401
`{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}`.

`GET /v8/finance/chart/AAPL?range=1d&interval=1d` needs neither, and knows one symbol:

    {"chart":{"result":[{"meta":{"currency":"USD","symbol":"AAPL","instrumentType":"EQUITY","regularMarketTime":1739998801,
     "gmtoffset":-18000,"regularMarketPrice":244.87,"regularMarketDayHigh":246.01,"regularMarketDayLow":243.16,
     "regularMarketVolume":32129951,"chartPreviousClose":244.47,"priceHint":2,"currentTradingPeriod":{"pre":{"start":1739955600,
     "end":1739975400, …},"regular":{…},"post":{…}},"dataGranularity":"1d","range":"1d", …},"timestamp":[1739975400],
     "indicators":{"quote":[{"open":[244.66000366210938], …}], …}}],"error":null}}

An unknown symbol is 404 `{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}`. Too
much of anything is 429 with a text that is no
JSON, for a time that is not said; who does not look like a browser gets it at once.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, ClassVar, NamedTuple
from urllib.parse import quote

from pydantic import Field, HttpUrl, field_validator

from feeds.base import About, Answer, Subscription
from feeds.http.client import Response
from feeds.http.cookies import Cookies
from feeds.http.feed import PolledFeed
from feeds.http.limit_headers import bounded_wait_s
from feeds.values.parse import decode, table
from feeds.yahoo.quotes import ASKED_FOR, parse, parse_chart, unknown
from feeds.yahoo.session import Crumb, Limit, YahooSession, consent_form
from ticker.errors import BudgetSpent, FeedError
from ticker.quote import Tick, VolumeOf
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings

log = logging.getLogger(__name__)

COOKIE_PAGES = ("https://fc.yahoo.com/", "https://finance.yahoo.com/")
"""The first is a page that is not there, and so the cheapest; some networks block it."""
CHARTS_A_CALL = 5
"""A chart is a call for one symbol. At the default interval these are 1,200 an hour; with much more, addresses have been banned."""
SESSION_REST_INTERVALS = 4
"""A session that could not be had is tried again after so long: a minute, at the default interval."""
REFUSAL_REST_INTERVALS = 20
"""Quotes that were refused in spite of a new session are asked for again after so long: 5 minutes."""
MAINTENANCE_INTERVALS = 4
"""How long to leave alone what "will be right back"."""

TO_CONSENT = frozenset({302, 303, 307})
"""Where a cookie is no longer good, or never was, Yahoo redirects to the consent pages."""
GONE = frozenset({403, 404, 410, 501})
"""What quotes would answer if they were no more, or not for us."""

Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.-]+(:[0-9]+)?$")]


class YahooBudget(BudgetSettings):
    """Yahoo names no limits. So many calls an hour are what its users found to go well, and no more than that is known."""

    calls_per_hour: int = Field(2000, ge=1, le=1_000_000, description="at most so many calls in any hour")


class YahooSettings(PolledSettings):
    """`[feeds.NAME]` of kind `yahoo`."""

    # Yahoo's edge hands out the same answer for up to 10 s (`max-age=1, stale-while-revalidate=9`), so asking more often brings
    # nothing new; clients that asked all day each minute or less were banned for a day.
    advised_interval_s: ClassVar[float] = 10.0

    interval_s: float = Field(15.0, ge=0.1, le=86_400, allow_inf_nan=False, description="time between two polls of a symbol")
    timeout_s: float = Field(
        10.0, gt=0, le=86_400, allow_inf_nan=False, description="for a whole poll; the first one gets cookie, consent and crumb too"
    )
    budget: YahooBudget = Field(YahooBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://query1.finance.yahoo.com"), description="scheme, host and path prefix of the provider")
    cookie_url: HttpUrl | None = Field(
        None, description="page that sets the cookie; default Yahoo's own where `base_url` is Yahoo's, else the root of `base_url`"
    )
    consent_hosts: list[Host] = Field(
        ["guce.yahoo.com", "consent.yahoo.com"], description="hosts of the consent pages: where redirects may lead, and a form may be sent"
    )
    user_agent: str = Field(
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        min_length=1,
        max_length=300,
        pattern=r"^[ -~]+$",
        description="who we say we are: Yahoo limits all but browsers",
    )

    @field_validator("cookie_url")
    @classmethod
    def _cookie_page(cls, url: HttpUrl | None) -> HttpUrl | None:
        if url is not None and (url.username or url.password):
            raise ValueError("a user and password do not belong in the URL")
        return url

    def cookie_pages(self) -> Sequence[str]:
        """Where to get the cookie, best first."""
        if self.cookie_url is not None:
            return (str(self.cookie_url),)
        host = self.base_url.host or ""
        return COOKIE_PAGES if f".{host}".endswith(".yahoo.com") else (str(self.base_url),)


class Yahoo(PolledFeed):
    """`kind = "yahoo"`."""

    kind = "yahoo"
    about = About(
        brings="stocks, funds, indices, currencies, futures, crypto",
        ids="`AAPL`, `VOD.L`, `^GSPC`, `EURUSD=X`, `GC=F`, `BTC-USD`; `BRK-B` from `BRK.B`",
        limits="unknown; we keep to 2,000 calls an hour",
        delay="0 to 20 min, by exchange",
        time="the last trade's, by the exchange's delay",
        market="each phase, extended hours and the night included; nothing of funds",
        note="its edge serves copies that are up to 10 s old; funds and money markets are priced once a day",
    )
    volume_of: ClassVar[VolumeOf] = "session"
    Settings: ClassVar[type[PolledSettings]] = YahooSettings
    settings: YahooSettings
    batch_size: ClassVar[int | None] = 100
    """Nobody knows the limit; so many are asked for in one call by other clients. The address of a call is 2 KB long then."""

    def __init__(self, name: str, settings: YahooSettings, runtime: Runtime) -> None:
        cookies = Cookies()
        headers = {"User-Agent": settings.user_agent, "Accept": "text/html,application/json,*/*"}
        super().__init__(name, settings, runtime, headers, cookies)
        self._limit = Limit(settings.interval_s)
        self._session = YahooSession(
            self.http,
            cookies,
            self._limit,
            base_url=str(settings.base_url),
            pages=settings.cookie_pages(),
            hosts=settings.consent_hosts,
            rest_s=SESSION_REST_INTERVALS * settings.interval_s,
        )
        self._refused_until_s = 0.0
        self._on_charts = False
        self._charted_s: dict[str, float] = {}  # by id, while charts stand in for quotes: when it was last asked for
        self._priced: set[str] = set()  # ids that quotes had a price for

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """The symbol itself, but share classes have a dash: `BRK.B` is `BRK-B`. Any other dot is before an exchange, `VOD.L`."""
        return re.sub(r"^([A-Z]{1,5})\.([ABC])$", r"\1-\2", symbol)

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        until_s = self.poll_ends_s()
        self._limit.check()
        try:
            answer = self._quotes(batch, until_s)
        except _NoQuotesError as error:
            answer = self._charts(batch, until_s)
            if not self._on_charts:
                log.warning("feed %s: charts stand in for quotes, %d symbols a call: %s", self.name, CHARTS_A_CALL, error)
            self._on_charts = True
        else:
            if self._on_charts:
                log.info("feed %s: quotes again", self.name)
            self._on_charts = False
            self._charted_s.clear()
        self._limit.good()
        return answer

    def _quotes(self, batch: Sequence[Subscription], until_s: float) -> Answer:
        """All of `batch` in one call; in two, with a new session between them, where the old one is no longer good.

        Raises `_NoQuotesError` where charts may have what quotes have not.
        """
        if time.monotonic() < self._refused_until_s:
            raise _NoQuotesError("refused a short while ago")
        crumb = self._crumb(until_s)
        response = self._ask_quotes(batch, crumb, until_s)
        if _is_lost(response):
            response = self._ask_quotes(batch, self._crumb(until_s, refused=crumb), until_s)
        if _is_lost(response) or response.status in GONE:
            self._refused_until_s = time.monotonic() + REFUSAL_REST_INTERVALS * self.settings.interval_s
            raise _NoQuotesError(str(response.error()))
        if not response.ok:
            raise response.error()
        answer = parse(response.body, batch, time.time_ns() // 1_000_000)
        priced = {subscription.id for subscription in batch if isinstance(answer[subscription.symbol], Tick)}
        if not priced and not self._priced.isdisjoint(subscription.id for subscription in batch):
            raise FeedError("Yahoo has no price for anything any more", payload=response.body)  # and that is not the symbols' fault
        self._priced |= priced
        return answer

    def _crumb(self, until_s: float, refused: Crumb | None = None) -> Crumb:
        try:
            return self._session.crumb(until_s, refused)
        except BudgetSpent:  # charts would come from the same budget
            raise
        except FeedError as error:
            if error.retry_after_s is not None:
                raise
            raise _NoQuotesError(str(error)) from error

    def _ask_quotes(self, batch: Sequence[Subscription], crumb: Crumb, until_s: float) -> Response:
        ids = ",".join(dict.fromkeys(subscription.id for subscription in batch))
        query = {"symbols": ids, "fields": ASKED_FOR, "overnightPrice": "true", "formatted": "false", "crumb": crumb.text}
        return self._judged(self.http.get("/v7/finance/quote", query, accept=(*TO_CONSENT, *range(400, 1000)), until_s=until_s))

    def _charts(self, batch: Sequence[Subscription], until_s: float) -> Answer:
        """The few of `batch` whose turn it is, a call each. There is no news of the others."""
        answer: dict[str, Tick | FeedError] = {}
        for subscription in sorted(batch, key=lambda one: self._charted_s.get(one.id, 0.0))[:CHARTS_A_CALL]:
            self._charted_s[subscription.id] = time.monotonic()
            path = f"/v8/finance/chart/{quote(subscription.id, safe='')}"
            try:
                response = self._judged(self.http.get(path, {"range": "1d", "interval": "1d"}, accept=range(400, 1000), until_s=until_s))
                if not response.ok and not _names_error(response):
                    raise response.error()
            except FeedError:
                if not answer:
                    raise
                break  # what came so far is worth having; a limit that was reached is remembered
            answer[subscription.symbol] = _chart_tick(response, subscription)
        failures = [error for error in answer.values() if isinstance(error, FeedError) and not error.rejects_symbol]
        if failures and not any(isinstance(tick, Tick) for tick in answer.values()):
            raise failures[0]  # nothing that can be used came from there
        return answer

    def _judged(self, response: Response) -> Response:
        """The answer, unless it says to come back later."""
        start = response.body[:4096]
        is_text = not start.lstrip().startswith(b"{")
        if self._limit.is_one(response) or (is_text and b"too many requests" in start.lower()):
            raise self._limit.reached(response)
        if is_text and b"will be right back" in start.lower():
            raise FeedError(
                f"{response.where}: Yahoo is under maintenance",
                payload=response.body,
                retry_after_s=bounded_wait_s(MAINTENANCE_INTERVALS * self.settings.interval_s),
            )
        return response


class _NoQuotesError(Exception):
    """Yahoo has no quotes for us, and may have charts."""


def _is_lost(response: Response) -> bool:
    """Whether an answer is what a cookie or a crumb leads to that is no longer good."""
    return (
        response.status in {*TO_CONSENT, HTTPStatus.UNAUTHORIZED}
        or b'"Unauthorized"' in response.body[:300]
        or (not response.body.lstrip().startswith(b"{") and consent_form(response.body) is not None)
    )


def _names_error(response: Response) -> bool:
    """Whether an answer is Yahoo's word about one symbol, and not about us or about itself."""
    return 400 <= response.status <= 499 and response.status not in {401, 403} and _chart_error(response.body) is not None


def _chart_tick(response: Response, subscription: Subscription) -> Tick | FeedError:
    try:
        error = _chart_error(response.body)
        if error is None:
            return parse_chart(response.body, subscription, time.time_ns() // 1_000_000)
        return unknown(subscription.id, says=error.says) if error.code == "Not Found" else response.error()
    except FeedError as failure:
        return failure


class _ChartError(NamedTuple):
    """What is wrong with a chart, in Yahoo's words."""

    code: str
    says: str


def _chart_error(body: bytes) -> _ChartError | None:
    """The error in a chart, or `None` where there is none, nor a chart."""
    try:
        chart = table(table(decode(body), "answer").get("chart"), "chart")
    except FeedError:
        return None
    error = chart.get("error")
    return _ChartError(str(error.get("code")), str(error.get("description") or "")) if isinstance(error, dict) else None
