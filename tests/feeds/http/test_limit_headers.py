"""What headers say of limits, whatever they say."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.http.limit_headers import (
    LONGEST_BAN_S,
    bounded_wait_s,
    clock_ahead_s,
    credits_left,
    remaining_calls,
    retry_after_s,
    server_time_s,
    until_minute_ends_s,
)
from ticker.rate_limit import Usage

NOW_S = 1_700_000_000.0  # 20 s into a minute


@pytest.mark.parametrize(("value", "wait_s"), [
    (None, None), ("", None), ("soon", None), ("nan", None), ("inf", None), ("1e3", None), ("-", None), ("12 s", None), ("\u0661", None),
    ("0", 1), ("7", 7), (" 7 ", 7), ("2.5", 2.5), ("-5", 1), ("900", 900), ("901", 900), ("9" * 200, 900),
    (formatdate(NOW_S + 30, usegmt=True), 30), (formatdate(NOW_S - 30, usegmt=True), 1), (formatdate(NOW_S + 86_400, usegmt=True), 900),
    ("Tue, 14 Nov 2023 23:13:50 +0100", 30), ("Tue, 14 Nov 2023 22:13:50", 30), ("Tue, 14 Nov 2023 22:13:50 -0000", 30),
    ("Tue, 99 Nov 2023 22:13:50 GMT", None), ("Tue, 14 Nov 99999 22:13:50 GMT", None)])  # fmt: skip
def test_retry_after_is_seconds_or_a_date_and_bounded(value: str | None, wait_s: float | None) -> None:
    """1 to 900 s, whatever is asked; nothing where nothing readable is."""
    assert retry_after_s(value, NOW_S) == wait_s


def test_a_ban_may_last_for_three_days() -> None:
    """And no longer: then it is tried again."""
    assert retry_after_s("100000", NOW_S, LONGEST_BAN_S) == 100_000
    assert retry_after_s("1000000000", NOW_S, LONGEST_BAN_S) == 3 * 86_400


@given(st.text(max_size=40))
def test_retry_after_survives_any_text(value: str) -> None:
    """A header is a provider's input like any other."""
    wait_s = retry_after_s(value, NOW_S)
    assert wait_s is None or wait_s == bounded_wait_s(wait_s)


@pytest.mark.parametrize(("left", "reset", "usage"), [
    ("59", "1700000030", Usage("calls", 59, 30.0)), ("0", "1700000030000", Usage("calls", 0, 30.0)),
    ("0", "30", Usage("calls", 0, 30.0)), ("0", "1699999000", Usage("calls", 0, 1.0)), ("0", "1800000000", Usage("calls", 0, 900.0)),
    ("-3", "0", Usage("calls", 0, 1.0)), ("1.0", "5.5", Usage("calls", 1, 5.5)), ("9" * 100, "5", Usage("calls", 10**9, 5.0)),
    ("many", "5", None), ("5", "soon", None), ("", "", None), ("nan", "5", None)])  # fmt: skip
def test_what_is_left_until_the_reset(left: str, reset: str, usage: Usage | None) -> None:
    """The reset in s or ms since 1970, or in seconds from now; bounded like every wait."""
    for prefix in ("X-Ratelimit-", "Ratelimit-"):
        found = list(remaining_calls({f"{prefix}Limit": "60", f"{prefix}Remaining": left, f"{prefix}Reset": reset}, NOW_S))
        assert found == ([] if usage is None else [usage])


def test_twelve_datas_credits_are_those_of_the_minute() -> None:
    """Of the clock's; a second is added, for clocks that differ."""
    assert list(credits_left({"api-credits-left": "3", "api-credits-used": "5"}, NOW_S)) == [Usage("credits", 3, 41.0)]
    assert list(credits_left({"api-credits-left": "few"}, NOW_S)) == list(credits_left({}, NOW_S)) == []
    assert until_minute_ends_s(NOW_S) == 41.0


@pytest.mark.parametrize(("date", "age", "ahead_s"), [
    (formatdate(NOW_S, usegmt=True), None, -0.5), (formatdate(NOW_S - 60, usegmt=True), None, 59.5),
    (formatdate(NOW_S + 3600, usegmt=True), None, -3600.5), (formatdate(NOW_S - 9, usegmt=True), "9", -0.5),
    (formatdate(NOW_S, usegmt=True), "-9", -0.5), (formatdate(NOW_S, usegmt=True), "old", -0.5),
    (None, None, None), ("", "9", None), ("yesterday", None, None)])  # fmt: skip
def test_how_far_our_clock_is_from_the_providers(date: str | None, age: str | None, ahead_s: float | None) -> None:
    """Whole seconds are taken to be half over; what a cache kept back is older by its age."""
    headers = {name: value for name, value in {"Date": date, "Age": age}.items() if value is not None}
    assert clock_ahead_s(headers, NOW_S) == ahead_s


@given(
    st.dictionaries(
        st.sampled_from(["X-Ratelimit-Remaining", "X-Ratelimit-Reset", "Ratelimit-Remaining", "api-credits-left", "Date"]),
        st.text(max_size=20) | st.integers().map(str) | st.floats().map(str),
    )
)
def test_odd_headers_are_bounded_or_nothing(headers: dict[str, str]) -> None:
    """Nothing is raised, and no wait is for ever."""
    for usage in [*remaining_calls(headers, NOW_S), *credits_left(headers, NOW_S)]:
        assert 0 <= usage.left <= 10**9
        assert 1 <= usage.reset_in_s <= 900
    assert isinstance(server_time_s(headers), float)
