"""What trades may set by their sale conditions, and the sessions that they belong to."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.values.conditions import EVERYTHING, NEW_YORK, Allowed, allowed, allowed_ids, us_session, us_session_by_time, us_trading_day

NOTHING, VOLUME_ONLY = Allowed(False, False, False), Allowed(False, False, True)
NOT_LAST, NO_VOLUME = Allowed(False, True, True), Allowed(True, True, False)


def at(written: str) -> int:
    """A time in New York as epoch ms."""
    return int(datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(NEW_YORK)).timestamp() * 1000)


NOON = at("2026-11-30T12:00:00")


@pytest.mark.parametrize(
    "codes", [None, [], ["@"], [" "], ["@", "F"], ["A"], ["E"], ["6"], ["X"], ["O"], ["5"], ["K"], ["L"], ["?"], "I", [7]]
)
def test_most_trades_may_set_everything(codes: object) -> None:
    """Regular, swept, at the opening and closing; what is not known; none at all; and what is no list of letters."""
    assert allowed(codes, "C", NOON) == EVERYTHING


@pytest.mark.parametrize(("codes", "result"), [
    (["4"], NOT_LAST), (["P"], NOT_LAST), (["Z"], NOT_LAST), (["G"], NOT_LAST), (["@", "W"], VOLUME_ONLY), (["C"], VOLUME_ONLY),
    (["N"], VOLUME_ONLY), (["H"], VOLUME_ONLY), (["R"], VOLUME_ONLY), (["@", "I"], VOLUME_ONLY), (["V"], VOLUME_ONLY),
    (["7"], VOLUME_ONLY), (["T"], VOLUME_ONLY), (["U"], VOLUME_ONLY), (["9"], NO_VOLUME), (["M"], NOTHING), (["Q"], NOTHING)])  # fmt: skip
def test_each_condition_forbids_its_own(codes: list[str], result: Allowed) -> None:
    """On the tape of Nasdaq, in the regular session."""
    assert allowed(codes, "C", NOON) == result


def test_of_several_each_forbids_its_own() -> None:
    """A contingent trade that is derivatively priced; a corrected close out of sequence."""
    assert allowed(["@", "4", "7", "V"], "C", NOON) == VOLUME_ONLY
    assert allowed(["9", "Z"], "B", NOON) == Allowed(False, True, False)


def test_a_letter_means_what_it_means_on_its_tape() -> None:
    """`B` is an average on A and B, and bunched on C; `G` is bunched and sold on C alone. Not knowing the tape is no licence."""
    assert [allowed(["B"], tape, NOON) for tape in ("A", "B", "C", None, "O")] == [
        VOLUME_ONLY, VOLUME_ONLY, EVERYTHING, VOLUME_ONLY, VOLUME_ONLY]  # fmt: skip
    assert [allowed(["G"], tape, NOON) for tape in ("A", "C")] == [EVERYTHING, NOT_LAST]


@pytest.mark.parametrize(("ids", "result"), [
    (None, EVERYTHING), ([0, 14, 41], EVERYTHING), ([4], EVERYTHING), ([2], VOLUME_ONLY), ([10], NOT_LAST), ([22], NOT_LAST),
    ([32], NOT_LAST), ([33], NOT_LAST), ([5], NOT_LAST), ([14, 37], VOLUME_ONLY), ([53], VOLUME_ONLY), ([52], VOLUME_ONLY),
    ([15], NOTHING), ([16], NOTHING), ([38], NO_VOLUME), ([True, "37", 37.0, 999], EVERYTHING)])  # fmt: skip
def test_massives_numbers_say_the_same(ids: object, result: Allowed) -> None:
    """Only whole numbers are any."""
    assert allowed_ids(ids, NOON) == result


@pytest.mark.parametrize(("time", "last"), [
    ("2026-11-30T09:29:59.999", True), ("2026-11-30T09:30:00", False), ("2026-11-30T15:59:59", False), ("2026-11-30T16:00:00", True),
    ("2026-11-30T04:00:00", True), ("2026-12-01T02:00:00", True), ("2026-07-01T16:00:00", True)])  # fmt: skip
def test_outside_the_regular_session_form_t_is_the_price(time: str, last: bool) -> None:
    """Of high and low it is none; what else forbids the price does so at any hour; and without a time the rule is the rule."""
    by_letter, by_number = allowed(["@", "T"], "A", at(time)), allowed_ids([12], at(time))
    out_of_order = allowed(["U"], "C", at(time)), allowed_ids([13], at(time))
    assert {by_letter, by_number, *out_of_order} == {Allowed(last, False, True)}
    assert allowed(["@", "T", "I"], "C", at(time)) == allowed_ids([12, 37], at(time)) == VOLUME_ONLY
    assert allowed(["T"], "C") == allowed_ids([12]) == VOLUME_ONLY


@pytest.mark.parametrize(("time", "codes", "session"), [
    ("2026-11-30T03:59:59", ["@"], "overnight"), ("2026-11-30T04:00:00", ["@", "T"], "pre"), ("2026-11-30T09:29:59", [], "pre"),
    ("2026-11-30T09:30:00", ["O"], "regular"), ("2026-11-30T15:59:59", None, "regular"), ("2026-11-30T16:00:00", ["@", "T"], "post"),
    ("2026-11-30T16:00:01", ["@", "6", "X"], "regular"), ("2026-11-30T16:10:00", ["M"], "regular"), ("2026-11-30T16:10:00", [8], "regular"),
    ("2026-11-27T13:30:00", ["@", "T"], "post"), ("2026-11-27T13:30:00", [12, 37], "post"), ("2026-11-30T09:45:00", ["U"], "pre"),
    ("2026-11-30T19:59:59", ["@", "T"], "post"), ("2026-11-30T20:00:00", ["@"], "overnight"), ("2026-07-01T20:00:00", ["@"], "overnight")
])  # fmt: skip
def test_sessions_by_time_and_condition(time: str, codes: object, session: str) -> None:
    """A closing print is of the session that it closes, and a Form T on a short day is after it."""
    assert us_session(at(time), codes) == session


@pytest.mark.parametrize(("time", "session"), [
    ("04:00:00", "pre"), ("09:30:00", "regular"), ("16:00:00", "regular"), ("16:00:01", "post"), ("20:00:00", "post"),
    ("20:00:01", "overnight")])  # fmt: skip
def test_sessions_by_time_alone(time: str, session: str) -> None:
    """The official close has the time 16:00:00 sharp, and the first trade of the day 9:30:00."""
    assert us_session_by_time(at(f"2026-11-30T{time}")) == session


def test_a_night_is_of_the_day_that_follows() -> None:
    """From 20:00 on, in summer and in winter, and on the day that has 25 hours."""
    days = {"2026-11-30T19:59:59": date(2026, 11, 30), "2026-11-30T20:00:00": date(2026, 12, 1), "2026-12-01T03:00:00": date(2026, 12, 1),
            "2026-07-01T20:00:00": date(2026, 7, 2), "2026-11-01T20:00:00": date(2026, 11, 2), "2026-11-01T19:59:00": date(2026, 11, 1)
    }  # fmt: skip
    assert {time: us_trading_day(at(time)) for time in days} == days


@given(st.integers(631_152_000_000, 4_102_444_800_000))
def test_a_trading_day_ends_at_eight_in_the_evening(made_ms: int) -> None:
    """On any day, whatever clocks do in New York."""
    moment = datetime.fromtimestamp(made_ms / 1000, ZoneInfo("America/New_York"))
    assert us_trading_day(made_ms) == moment.date() + timedelta(days=moment.hour >= 20)
