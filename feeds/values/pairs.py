"""Pairs of currencies as people write them, and when Europe's central banks fix theirs."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from feeds.values.parse import shown
from ticker.errors import FeedError

_PAIR = re.compile(r"([A-Z]{3})[/-]?([A-Z]{3})(?:=X)?")
_NATIONAL = frozenset((
    "AED", "ARS", "AUD", "BRL", "CAD", "CHF", "CLP", "CNH", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS",
    "INR", "ISK", "JPY", "KRW", "KWD", "MAD", "MXN", "MYR", "NOK", "NZD", "PEN", "PHP", "PLN", "QAR", "RON", "RUB", "SAR", "SEK", "SGD",
    "THB", "TRY", "TWD", "USD", "VND", "ZAR", "XAG", "XAU", "XPD", "XPT"))  # fmt: skip
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

DAY_MIN = 1440.0
"""The delay of a rate that is made once a day, minutes: by the time the next one comes it is so old."""
DAILY_CADENCE_S = 450_000.0
"""The longest time from one day's rates to the next: from the Thursday before Easter, 14:10, to the Tuesday after, 16:00; and 3 h."""

WITHDRAWN = {
    "SIT": "2007-01-01", "CYP": "2008-01-01", "MTL": "2008-01-01", "SKK": "2009-01-01", "EEK": "2011-01-01", "LVL": "2014-01-01",
    "LTL": "2015-01-01", "HRK": "2023-01-01", "BGN": "2026-01-01",
    **dict.fromkeys(("ATS", "BEF", "DEM", "ESP", "FIM", "FRF", "IEP", "ITL", "LUF", "NLG", "PTE"), "1999-01-01"), "GRD": "2001-01-01"
}  # fmt: skip
"""Currencies that the euro took the place of, and when
(https://economy-finance.ec.europa.eu/euro/eu-countries-and-euro_en)."""


def pair_of(id: str) -> tuple[str, str] | None:
    """Base and quote currency of `EURUSD`, `EUR/USD`, `EUR-USD` or `EURUSD=X`; `None` of anything else."""
    match = _PAIR.fullmatch(id.upper())
    return (match[1], match[2]) if match else None


def national_pair(symbol: str) -> tuple[str, str] | None:
    """Base and quote of `EUR/USD`, `EUR-USD` or `EURUSD=X` where both are currencies of countries, or metals; `None` of anything else.

    `BTC/USD` is crypto, and six letters in a row may be anything.
    """
    pair = pair_of(symbol) if len(symbol) > 6 else None
    return pair if pair is not None and _NATIONAL.issuperset(pair) else None


def slashed(symbol: str) -> str:
    """`BTC/USD` of `BTC-USD`. What follows the dash of a share's class (`BRK-B`) is shorter than any currency."""
    base, dash, currency = symbol.rpartition("-")
    return f"{base}/{currency}" if dash and base and len(currency) >= 3 else symbol


def fixing_ms(value: object, what: str) -> int:
    """When the euro's reference rates of a day (`2026-03-25`) were made, epoch ms: at 14:10 in Frankfurt.

    https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html: "based on the daily
    concertation procedure between central banks across Europe, which normally takes place around 14:10 CET". The answers name the day only.
    """
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError(value)
        day = date.fromisoformat(value)
        if not 1999 <= day.year <= 2099:  # there was no euro before
            raise ValueError(value)
    except ValueError:
        raise FeedError(f"{what}: not a day", payload=shown(value)) from None
    fixing = datetime(day.year, day.month, day.day, 14, 10, tzinfo=UTC) - timedelta(hours=2 if _is_summer(day) else 1)
    return int(fixing.timestamp()) * 1000


def _is_summer(day: date) -> bool:
    """Whether clocks in the European Union are an hour ahead: from the last Sunday of March to that of October (directive 2000/84/EC)."""
    return _last_sunday(day.year, 3) <= day < _last_sunday(day.year, 10)


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)
