"""The European Central Bank's reference rates, from the bank itself: one a working day, from the euro to some 30 currencies. No key.

`GET /stats/eurofxref/eurofxref-daily.xml`
(https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html):

    <?xml version="1.0" encoding="UTF-8"?>
    <gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
      <gesmes:subject>Reference rates</gesmes:subject>
      <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
      <Cube><Cube time='2020-06-05'><Cube currency='USD' rate='1.1330'/><Cube currency='JPY' rate='124.13'/>…</Cube></Cube>
    </gesmes:Envelope>

A rate is what one euro costs: `EURUSD` is here, `USDEUR` and `USDJPY` are not, and we do not make them up (`frankfurter` has them).
The day is that of the rates; what time of it they were made is told in `feeds.values.pairs`. The file is new at about 16:00 in Frankfurt.

XML is a language with traps (entities that grow without end, or read files). All of them need a document type declaration, so an answer
that has one is refused where it begins; what is left of the language is tags and text, and expat, which Python brings, reads it safely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, NoReturn
from xml.parsers import expat

from pydantic import Field, HttpUrl

from feeds.base import About, Answer, Subscription
from feeds.http.feed import PolledFeed
from feeds.values.batch import for_each, unknown
from feeds.values.fields import Fields
from feeds.values.pairs import DAILY_CADENCE_S, DAY_MIN, fixing_ms, pair_of
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime, Turn
from ticker.settings import PolledSettings

MAX_BYTES = 256 * 1024
"""The file has 2 KB, that of 90 days 150."""
FIELDS = Fields(times=fixing_ms)
SLICE_BYTES = 16 * 1024
"""So many bytes are parsed before others may have a turn."""


class EcbSettings(PolledSettings):
    """`[feeds.NAME]` of kind `ecb`."""

    advised_interval_s: ClassVar[float] = 60.0

    interval_s: float = Field(
        3600.0, ge=0.1, le=86_400, allow_inf_nan=False, description="time between two polls; rates are new once a working day"
    )
    base_url: HttpUrl = Field(HttpUrl("https://www.ecb.europa.eu"), description="scheme, host and path prefix of the provider")


class Ecb(PolledFeed):
    """`kind = "ecb"`."""

    kind = "ecb"
    about = About(
        brings="euro reference rates",
        ids="`EURUSD`, `EUR/USD`",
        delay="a day",
        time="14:10 in Frankfurt of the day",
        same_answer="it is that day's",
        market="a rate a working day",
        note="stale only when a rate is overdue",
    )
    Settings: ClassVar[type[PolledSettings]] = EcbSettings
    batch_size: ClassVar[int | None] = None
    cadence_s: ClassVar[float] = DAILY_CADENCE_S

    def __init__(self, name: str, settings: PolledSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime, {"Accept": "application/xml, text/xml"})

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        return parse(self.http.get("/stats/eurofxref/eurofxref-daily.xml").body, batch)


class DayRates(NamedTuple):
    """The rates of one day, by currency, as they are written."""

    date: str
    rates: Mapping[str, str]


def parse(body: bytes, batch: Sequence[Subscription]) -> dict[str, Tick | FeedError]:
    """The ticks of a file, by our symbol. Raises `FeedError` where it is none."""
    day = newest_day(body)

    def read(subscription: Subscription) -> Tick:
        base, currency = pair_of(subscription.id) or ("", "")
        if base != "EUR" or currency not in day.rates:
            raise unknown("The ECB", subscription.id)
        return FIELDS.tick(day.rates[currency], currency=currency, quote_time=day.date, delay_min=DAY_MIN, known={"cadence": "day"})

    return for_each(batch, read)


def newest_day(body: bytes) -> DayRates:
    """The newest of the days in a file. Raises `FeedError` for what is no XML, has a document type, or no day."""
    if len(body) > MAX_BYTES:
        raise FeedError(f"the file is longer than {MAX_BYTES // 1024} KiB", payload=body)
    days: dict[str, dict[str, str]] = {}
    date = ""

    def element(name: str, attributes: dict[str, str]) -> None:
        nonlocal date
        if name.rpartition(":")[2] != "Cube":
            return
        date = attributes.get("time", date)
        if date and "currency" in attributes and "rate" in attributes:
            days.setdefault(date, {})[attributes["currency"]] = attributes["rate"]

    def document_type(*_: object) -> NoReturn:
        raise FeedError("XML with a document type, which the ECB's has not", payload=body)

    parser = expat.ParserCreate()
    parser.StartElementHandler = element
    parser.StartDoctypeDeclHandler = document_type
    turn = Turn()
    try:
        for start in range(0, len(body), SLICE_BYTES):
            parser.Parse(body[start : start + SLICE_BYTES], False)
            turn.step()
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two: an encoding that Python or expat has not
        raise FeedError(f"not XML ({error})", payload=body or b"(empty)") from None
    if not days:
        raise FeedError("no rates in the file", payload=body)
    newest = max(days)
    return DayRates(newest, days[newest])
