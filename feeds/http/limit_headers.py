"""What providers say of their limits in headers: how long to wait, and what is left. Pure; nothing that is odd raises."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from ticker.rate_limit import Usage

SHORTEST_WAIT_S, LONGEST_WAIT_S = 1.0, 900.0
LONGEST_BAN_S = 259_200.0
"""Three days: the longest ban that is documented anywhere (Binance's)."""
EPOCH_FROM_S = 1_000_000_000.0
"""A reset of this or more is a moment, in s or ms since 1970; one below it is a number of seconds from now."""


def retry_after_s(value: str | None, now_s: float, longest_s: float = LONGEST_WAIT_S) -> float | None:
    """The wait that a `Retry-After` header asks for (RFC 9110 section 10.2.3: seconds, or a date), bounded to 1 … `longest_s`.

    `now_s` is the epoch time to count a date from. Fractions and negative numbers are seen in the wild and are read;
    `None` where the header is absent or says nothing that can be read.
    """
    text = (value or "").strip()
    seconds = _number(text)
    if seconds is None and (date_s := _http_date_s(text)) is not None:
        seconds = date_s - now_s
    return None if seconds is None else bounded_wait_s(seconds, longest_s)


def bounded_wait_s(seconds: float, longest_s: float = LONGEST_WAIT_S) -> float:
    """A wait that a provider asks for, bounded to 1 … `longest_s`: what is longer is asked for again then."""
    return min(max(seconds, SHORTEST_WAIT_S), longest_s)


def remaining_calls(headers: Mapping[str, str], now_s: float) -> Iterator[Usage]:
    """`X-Ratelimit-Remaining` and `X-Ratelimit-Reset` (Finnhub, Alpaca, many others; also without the `X-`): calls left until the reset.

    The reset is an epoch time, in s or ms, or a number of seconds. `now_s` is the provider's epoch time.
    """
    for prefix in ("X-Ratelimit-", "Ratelimit-"):
        left, reset_s = _number(headers.get(f"{prefix}Remaining")), _number(headers.get(f"{prefix}Reset"))
        if left is None or reset_s is None:
            continue
        if reset_s >= 1000 * EPOCH_FROM_S:
            reset_s /= 1000
        yield Usage("calls", _count(left), bounded_wait_s(reset_s - now_s if reset_s >= EPOCH_FROM_S else reset_s))


def credits_left(headers: Mapping[str, str], now_s: float) -> Iterator[Usage]:
    """Twelve Data's `api-credits-left`: of this minute of the clock. `now_s` is the provider's epoch time."""
    left = _number(headers.get("api-credits-left"))
    if left is not None:
        yield Usage("credits", _count(left), until_minute_ends_s(now_s))


def until_minute_ends_s(now_s: float) -> float:
    """How long this minute of the clock still lasts, and a second more for clocks that differ."""
    return 61.0 - now_s % 60.0


def server_time_s(headers: Mapping[str, str]) -> float:
    """The provider's clock, which its times are read against, so that a difference to ours costs nothing; else ours. Epoch seconds."""
    date_s = _http_date_s(headers.get("Date", ""))
    return time.time() if date_s is None else date_s


def clock_ahead_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """By how much our clock, at `now_s` when the headers came, is ahead of the provider's; `None` where it does not say what time it is.

    To half a second and what the answer took: `Date` has whole seconds. A cache adds in `Age` how long it has had the answer.
    """
    date_s = _http_date_s(headers.get("Date", ""))
    return None if date_s is None else now_s - (date_s + 0.5 + max(0.0, _number(headers.get("Age")) or 0.0))


def _number(value: str | None) -> float | None:
    text = (value or "").strip()
    return float(text) if re.fullmatch(r"[+-]?[0-9]{1,300}(\.[0-9]{0,300})?", text) else None


def _count(left: float) -> int:
    return int(min(max(left, 0.0), 1e9))


def _http_date_s(text: str) -> float | None:
    """Epoch seconds of an HTTP date, or `None`. One that names no zone is UTC, as RFC 9110 section 5.6.7 has it."""
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
