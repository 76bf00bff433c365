"""What Alpaca's stream says of trades: which of them set what, which were none, and when there are none for now."""

from typing import Any

import msgspec
import pytest

from tests.feeds.alpaca_words import AT_MS, DAY, FULL, HALT, QUOTE, TICK, TRADE, cancelled, corrected, false, wanting
from tests.feeds.streams.streaming import said
from ticker.quote import Correction, Tick


@pytest.mark.parametrize("trade", [
    false(206.2, c=["@", "4", "7", "V"]), false(206.2, c=["@", "I"]), false(206.2, c=["B"], z="A"), false(206.2, c=["M"]),
    false(206.2, c=["W"])])  # fmt: skip
def test_what_may_not_set_the_price_does_not(trade: dict[str, Any]) -> None:
    """Contingent, an odd lot, an average, a marker: nor the high. As the first word of the day they are none."""
    session = wanting(known={"NVDA": FULL})
    assert said(session, [trade]) == {}
    assert session.known == {"NVDA": FULL}
    assert said(wanting(), [trade]) == {}


def test_a_trade_that_may_only_stretch_the_day_does_that() -> None:
    """Sold out of sequence: the high, and neither the price nor its time."""
    assert said(wanting(known={"NVDA": FULL}), [false(183.0, c=["@", "Z"])]) == {"NVDA": msgspec.structs.replace(FULL, high=183.0)}


def test_after_hours_a_form_t_is_the_price_and_not_the_high() -> None:
    """Else it would stand still until the morning."""
    assert said(wanting(known={"NVDA": FULL}), [false(183.0, c=["@", "T"])]) == {
        "NVDA": msgspec.structs.replace(FULL, price=183.0, quote_time=1_779_998_400_500, session="post")
    }


@pytest.mark.parametrize(
    "told", [cancelled(299.01), cancelled(299.01, i=77), corrected(299.01, 181.305), corrected(299.01, 299.0, cc=["I"])]
)
def test_a_false_print_is_taken_back(told: dict[str, Any]) -> None:
    """By its number, or by price and size: price, high and time are those of before, or of the trade that it was; as a correction."""
    session = wanting(known={"NVDA": FULL})
    (shown,) = said(session, [false(299.01)]).values()
    assert isinstance(shown, Tick)
    assert (shown.price, shown.high) == (299.01, 299.01)
    (right,) = said(session, [told]).values()
    assert type(right) is Correction
    assert (right.price, right.high, right.low, right.prev_close, right.bid) == (181.305, 182.5, 179.75, 178.0, 181.3)
    assert right.quote_time == (1_779_998_400_500 if told["T"] == "c" and told["cc"] == ["@"] else AT_MS)
    assert type(session.known["NVDA"]) is Tick
    assert said(session, [told]) == {}


def test_a_correction_is_one_in_the_message_of_its_trade_too() -> None:
    """What comes behind it in one message stands on it, and is one as well."""
    session = wanting(known={"NVDA": FULL})
    (right,) = said(session, [false(299.01), cancelled(299.01), QUOTE]).values()
    assert right == Correction(**{name: getattr(FULL, name) for name in FULL.__struct_fields__})
    (later,) = said(session, [false(181.0, i=12)]).values()
    assert type(later) is Tick


def test_a_cancellation_of_what_nobody_shows_is_no_news() -> None:
    """Of a trade that set nothing, of one before ours, of a symbol without a price."""
    session = wanting(known={"NVDA": FULL})
    odd = false(206.2, c=["@", "I"])
    assert said(session, [odd], [cancelled(206.2)], [cancelled(170.0, i=5)], [cancelled(170.0, i=None, p="?")]) == {}
    assert said(wanting(), [cancelled(299.01)], [corrected(299.01, 271.0)]) == {}


def test_a_snapshot_does_not_bring_a_false_print_back() -> None:
    """Nor a bar of the day that still has its high; where the print was the only price, the snapshot is asked for, and holds as it is."""
    session = wanting(known={"NVDA": FULL})
    said(session, [false(299.01)], [cancelled(299.01)])
    stale = msgspec.structs.replace(FULL, price=299.01, high=299.01, quote_time=1_779_998_400_500, prev_close=177.0)
    (joined,) = session.take_snapshot({"NVDA": stale}).values()
    assert joined == msgspec.structs.replace(FULL, prev_close=177.0)
    (day,) = said(session, [DAY | {"h": 299.01, "v": 50_000_000}]).values()
    assert day == msgspec.structs.replace(FULL, prev_close=177.0, volume=50_000_000.0)
    assert session.ask_beside() == []

    session = wanting()
    said(session, [false(299.01)], [cancelled(299.01)])
    assert session.ask_beside() == ["NVDA"]
    assert session.ask_beside() == []
    (held,) = session.take_snapshot({"NVDA": FULL}).values()
    assert type(held) is Correction
    assert (held.price, held.quote_time) == (181.305, AT_MS)


def test_a_new_day_wants_a_new_close_before() -> None:
    """The first trade of the next day: what is known of the day is the day before's, so the snapshot is asked for."""
    session = wanting(known={"NVDA": FULL})
    (tick,) = said(session, [TRADE | {"t": "2026-05-29T08:00:01Z", "c": ["@", "T"], "p": 182.0}]).values()
    assert tick == msgspec.structs.replace(TICK, price=182.0, quote_time=1_780_041_601_000, session="pre", bid=181.3, ask=181.31)
    assert session.ask_beside() == ["NVDA"]
    before = msgspec.structs.replace(TICK, price=181.9, quote_time=1_780_041_600_000, session="pre", prev_close=181.305)
    (joined,) = session.take_snapshot({"NVDA": before}).values()
    assert isinstance(joined, Tick)
    assert (joined.price, joined.prev_close, joined.high) == (182.0, 181.305, None)


@pytest.mark.parametrize(("tape", "halt", "end"), [("A", "2", "3"), ("B", "2", "3"), ("C", "H", "T"), ("C", "P", "T")])
def test_a_halt_is_told_by_tape(tape: str, halt: str, end: str) -> None:
    """Until trading resumes. Quotes may come back before that, and other statuses are no halts."""
    session = wanting(known={"NVDA": FULL})
    halted = msgspec.structs.replace(FULL, halted=True)
    assert said(session, [HALT | {"sc": halt, "z": tape}]) == {"NVDA": halted}
    others = [HALT | {"sc": code, "z": tape} for code in (halt, "Q", "5", "D", "")] + [HALT | {"sc": None}, HALT | {"z": None}]
    assert said(session, others) == {}
    assert said(session, [QUOTE | {"bp": 181.2}]) == {"NVDA": msgspec.structs.replace(halted, bid=181.2)}
    assert said(session, [HALT | {"sc": end, "z": tape}]) == {"NVDA": msgspec.structs.replace(FULL, bid=181.2)}
    assert said(session, [HALT | {"sc": end, "z": tape}]) == {}


def test_letters_of_another_tape_are_no_halt() -> None:
    """`H` says nothing on A, nor `2` on C."""
    session = wanting(known={"NVDA": FULL})
    assert said(session, [HALT | {"sc": "H", "z": "A"}], [HALT | {"sc": "2", "z": "C"}]) == {}


def test_a_trade_ends_a_halt() -> None:
    """One that was made after it began, and is one. A snapshot of before does not, nor does one end before it is known."""
    session = wanting(known={"NVDA": FULL})
    said(session, [HALT])
    (late,) = said(session, [TRADE | {"i": 2, "t": "2026-05-28T19:59:59.4Z"}]).values()
    assert isinstance(late, Tick)
    assert late.halted
    (snapshot,) = session.take_snapshot({"NVDA": FULL}).values()
    assert isinstance(snapshot, Tick)
    assert snapshot.halted
    assert said(session, [false(181.4, c=["I"])]) == {}
    (tick,) = said(session, [false(181.4)]).values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.halted) == (181.4, None)
    said(session, [HALT | {"t": "2026-05-28T20:00:01Z"}])
    (newer,) = session.take_snapshot({"NVDA": msgspec.structs.replace(FULL, quote_time=1_779_998_402_000)}).values()
    assert isinstance(newer, Tick)
    assert newer.halted is None


def test_a_halt_from_before_the_first_price_and_one_from_another_connection() -> None:
    """Both hold."""
    session = wanting()
    assert said(session, [HALT]) == {}
    (tick,) = session.take_snapshot({"NVDA": FULL}).values()
    assert isinstance(tick, Tick)
    assert tick.halted
    again = wanting(known=session.known)
    assert said(again, [HALT | {"sc": "T"}]) == {"NVDA": FULL}
