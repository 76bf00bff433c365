"""What a trade of US shares may set: the last price, high and low, the volume. And the session that it belongs to.

Trades carry sale conditions, and not each of them is the price: an average over a day, a block agreed upon yesterday, a part of an options
deal are far off the market. Which of them may set what is laid down by the plans that consolidate the trades: the sale condition tables in
the CTS output specification of the CTA (tapes A and B) and in the UTP's specification for trades (tape C). Massive's
`/v3/reference/conditions` states the same rules (`update_rules.consolidated`) under numbers of its own, of which those of trades of shares
are meant here. A condition that is not in the table forbids nothing, nor does none; of several each forbids its own.

Before 9:30 and after 16:00 in New York nearly every trade is a Form T (`T`, or `U` out of its order), which forbids the last price of the
regular session. In those hours it is the price (https://massive.com/knowledge-base/article/does-a-form-t-trade-update-a-pre-market-minute-bars-high-low-open-and-close);
of the day's high and low it is no part. On the few days that close at 13:00 they are taken for late reports until 16:00.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ticker.quote import MarketSession

NEW_YORK = "America/New_York"
MINUTE_MS = 60_000


class Allowed(NamedTuple):
    """What a trade may set."""

    last: bool = True
    high_low: bool = True
    volume: bool = True


class _Condition(NamedTuple):
    """One that forbids something: its letter, on which tapes it means that, and Massive's numbers of it."""

    letter: str
    tapes: str
    ids: tuple[int, ...]
    allowed: Allowed


EVERYTHING = Allowed()
_NOT_LAST = Allowed(last=False)
_VOLUME_ONLY = Allowed(last=False, high_low=False)
_NO_VOLUME = Allowed(volume=False)
_NOTHING = Allowed(last=False, high_low=False, volume=False)

_TABLE = (
    _Condition("G", "C", (5,), _NOT_LAST),  # bunched, sold
    _Condition("4", "ABC", (10,), _NOT_LAST),  # derivatively priced
    _Condition("P", "ABC", (22,), _NOT_LAST),  # prior reference price
    _Condition("Z", "ABC", (32, 33), _NOT_LAST),  # sold, out of sequence
    _Condition("B", "AB", (2,), _VOLUME_ONLY),  # average price; on tape C it is a bunched trade, which forbids nothing
    _Condition("W", "ABC", (2,), _VOLUME_ONLY),  # average price
    _Condition("C", "ABC", (7,), _VOLUME_ONLY),  # cash sale
    _Condition("T", "ABC", (12,), _VOLUME_ONLY),  # Form T: outside of the regular session
    _Condition("U", "ABC", (13,), _VOLUME_ONLY),  # the same, sold out of sequence
    _Condition("N", "ABC", (20,), _VOLUME_ONLY),  # next day
    _Condition("H", "ABC", (21,), _VOLUME_ONLY),  # price variation
    _Condition("R", "ABC", (29,), _VOLUME_ONLY),  # seller
    _Condition("I", "ABC", (37,), _VOLUME_ONLY),  # odd lot
    _Condition("V", "ABC", (52,), _VOLUME_ONLY),  # contingent
    _Condition("7", "ABC", (53,), _VOLUME_ONLY),  # qualified contingent
    _Condition("9", "ABC", (38,), _NO_VOLUME),  # corrected consolidated close
    _Condition("M", "ABC", (15,), _NOTHING),  # market center's official close: a marker
    _Condition("Q", "ABC", (16,), _NOTHING),  # market center's official open
)
_BY_LETTER: Mapping[tuple[str, str], _Condition] = {(tape, rule.letter): rule for rule in _TABLE for tape in rule.tapes}
_BY_ID: Mapping[int, _Condition] = {id: rule for rule in reversed(_TABLE) for id in rule.ids}
EXTENDED, EXTENDED_IDS = frozenset("TU"), frozenset((12, 13))
"""What trades outside of the regular session are marked with."""
CLOSING, CLOSING_IDS = frozenset("69M"), frozenset((8, 15, 19, 38))
"""What the regular session ends with, though it is told some time after 16:00."""


def allowed(codes: object, tape: object = None, made_ms: int | None = None) -> Allowed:
    """What a trade with these letters may set, made at that time. Where the `tape` is not known, a letter is what forbids the most."""
    if not isinstance(codes, list):
        return EVERYTHING
    on = tape if tape in ("A", "B", "C") else "A"
    rules = [_BY_LETTER.get((str(on), code.strip())) for code in codes if isinstance(code, str)]
    return _all_of([rule for rule in rules if rule is not None], made_ms)


def allowed_ids(ids: object, made_ms: int | None = None) -> Allowed:
    """What a trade with these conditions may set, by Massive's numbers for trades of shares."""
    if not isinstance(ids, list):
        return EVERYTHING
    rules = [_BY_ID.get(id) for id in ids if type(id) is int]
    return _all_of([rule for rule in rules if rule is not None], made_ms)


def us_session(made_ms: int, codes: object = None) -> MarketSession:
    """The session of US shares that a trade belongs to, by its time in New York and its conditions (letters or Massive's numbers)."""
    marks = {code for code in codes if isinstance(code, str | int)} if isinstance(codes, list) else set()
    minute = _minute(made_ms)
    if minute < 4 * 60 or minute >= 20 * 60:
        return "overnight"
    regular = 9 * 60 + 30 <= minute < 16 * 60
    if (regular and not marks & (EXTENDED | EXTENDED_IDS)) or (minute >= 12 * 60 and marks & (CLOSING | CLOSING_IDS)):
        return "regular"
    return "pre" if minute < 12 * 60 else "post"


def us_session_by_time(made_ms: int) -> MarketSession:
    """The same where nobody tells conditions: what is made as trading ends, at 16:00:00 or 20:00:00 sharp, belongs to what ends then."""
    ending = us_session(made_ms - 1)
    return ending if ending in ("regular", "post") else us_session(made_ms)


def us_trading_day(made_ms: int) -> date:
    """The trading day that a time belongs to: its date in New York, from 20:00 on the next one."""
    day, minute = _in_new_york(made_ms // MINUTE_MS)
    return day + timedelta(days=1) if minute >= 20 * 60 else day


def _all_of(rules: list[_Condition], made_ms: int | None) -> Allowed:
    if not rules:
        return EVERYTHING
    judges = rules
    if made_ms is not None and not 9 * 60 + 30 <= _minute(made_ms) < 16 * 60:
        judges = [rule for rule in rules if rule.letter not in EXTENDED]
    return Allowed(
        all(rule.allowed.last for rule in judges), all(rule.allowed.high_low for rule in rules), all(rule.allowed.volume for rule in rules)
    )


def _minute(made_ms: int) -> int:
    """The minute of the day in New York."""
    return _in_new_york(made_ms // MINUTE_MS)[1]


@lru_cache(maxsize=256)
def _in_new_york(minute: int) -> tuple[date, int]:
    """The date and the minute of the day of a minute since the epoch. Most trades are of the minute of the one before."""
    time = datetime.fromtimestamp(60 * minute, ZoneInfo(NEW_YORK))
    return time.date(), 60 * time.hour + time.minute
