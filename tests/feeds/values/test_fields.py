"""What becomes of each field of an answer, whoever wrote it."""

from typing import Any

import pytest

from feeds.values.fields import Fields, first, part, untraded
from ticker.errors import BadTick, FeedError
from ticker.quote import Tick

FIELDS = Fields(times="ms")
NOW_MS = 1_700_000_000_000


def odd_fields(tick: Tick) -> set[str]:
    """The names of what could not be read."""
    return {odd.field for odd in tick.odd or ()}


@pytest.mark.parametrize("field", ["bid", "ask", "open", "high", "low", "prev_close", "volume", "change", "change_pct", "quote_time",
                                   "delay_min", "ext_price", "ext_change_pct", "ext_time"])  # fmt: skip
@pytest.mark.parametrize("value", ["unch", "N/A", True, False, [1], {"raw": 1}, "1,234.5", 1e19, "nan"])
def test_what_cant_be_read_costs_itself_only(field: str, value: Any) -> None:
    """Every field but the price is unknown where it makes no sense, and says so."""
    tick = FIELDS.tick(10.5, **{field: value})
    assert (tick.price, getattr(tick, field), odd_fields(tick)) == (10.5, None, {field})


@pytest.mark.parametrize("value", ["", " ", 0, 0.0, "0", "0.0", "0000", " 0 "])
def test_a_time_that_is_none_leaves_the_price_without_proof(value: object) -> None:
    """The price has no time then, and to hear it again proves nothing."""
    tick = FIELDS.tick(10.5, quote_time=value)
    assert (tick.quote_time, tick.untimed, tick.odd) == (None, True, None)


def test_a_time_that_cant_be_read_leaves_the_price_without_proof() -> None:
    """And is odd besides."""
    tick = FIELDS.tick(10.5, quote_time="soon")
    assert (tick.quote_time, tick.untimed, odd_fields(tick)) == (None, True, {"quote_time"})


def test_a_source_without_times_is_not_untimed() -> None:
    """It vouches for its price with each answer."""
    assert FIELDS.tick(10.5, quote_time=None).untimed is None


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1969-12-31T19:00:00-05:00", "1970-01-01 01:00+01:00"])
def test_a_time_that_was_never_set_is_none(written: str) -> None:
    """As programs write it."""
    tick = Fields().tick(10.5, quote_time=written)
    assert (tick.quote_time, tick.untimed, tick.odd) == (None, True, None)


@pytest.mark.parametrize("value", [1_700_000_000, NOW_MS * 1000, -1])
def test_a_time_of_another_century_costs_the_quote(value: object) -> None:
    """It is in another unit, and nobody knows which."""
    with pytest.raises(BadTick, match="quote_time"):
        FIELDS.tick(10.5, quote_time=value)


def test_another_time_of_another_century_costs_itself_only() -> None:
    """The extended hours' price may be as odd as it likes."""
    assert odd_fields(FIELDS.tick(10.5, ext_price=10, ext_time=17)) == {"ext_time"}


@pytest.mark.parametrize("price", [None, "", "C10.5", "1,234.5", True, float("nan"), 4.9e-322, []])
def test_without_a_price_there_is_no_quote(price: object) -> None:
    """It is an error."""
    with pytest.raises(FeedError, match="price"):
        FIELDS.tick(price)


@pytest.mark.parametrize("price", [-37.63, "-0.75", 0, -0.0])
def test_prices_have_any_sign(price: Any) -> None:
    """Whether that can be is not for a feed to say."""
    tick = FIELDS.tick(price, low=-40.32, prev_close="-1.2")
    assert (tick.price, tick.low, tick.prev_close, tick.odd) == (float(price), -40.32, -1.2, None)
    assert str(FIELDS.tick(-0.0).price) == "0.0"


def test_zero_beside_the_price_is_none_where_that_is_how_they_write_it() -> None:
    """Else it is a number like any other."""
    assert FIELDS.tick(1, bid=0).bid is None
    assert Fields(zero_is_none=False).tick(1, bid=0).bid == 0


def test_next_to_nothing_is_odd() -> None:
    """It is what became of an uninitialised number."""
    assert odd_fields(FIELDS.tick(2650.1, prev_close=4.9e-322)) == {"prev_close"}


def test_minor_units_move_all_prices() -> None:
    """And neither volumes nor percents."""
    tick = FIELDS.tick(7012.3, currency="GBp", bid=7012, change=-12.3, volume=100, change_pct="1.5%")
    assert (tick.price, tick.bid, tick.change, tick.volume, tick.change_pct, tick.currency) == (70.123, 70.12, -0.123, 100, 1.5, "GBP")


def test_what_is_no_currency_is_odd() -> None:
    """Whatever text it is."""
    tick = FIELDS.tick(1, currency="<b>")
    assert (tick.currency, odd_fields(tick)) == (None, {"currency"})


def test_parts_that_are_none() -> None:
    """Of what should be an object or an array and is not, each field is odd."""
    row: dict[str, Any] = {"quote": "gone", "day": None, "b": 27.5, "a": [], "c": ["1", "2"]}
    tick = FIELDS.tick(
        first(row, "c"), bid=part(row, "quote").get("bp"), open=part(row, "day").get("o"), ask=first(row, "a"), low=first(row, "b")
    )
    assert (tick.price, tick.open, tick.ask, odd_fields(tick)) == (1, None, None, {"bid", "low"})


def test_an_update_keeps_what_it_does_not_name() -> None:
    """Of a message about two fields only those are new."""
    before = FIELDS.tick(10.5, bid=10, ask=11, high=12)
    tick = FIELDS.update(before, bid=10.25, ask="?")
    assert (tick.price, tick.bid, tick.ask, tick.high, odd_fields(tick)) == (10.5, 10.25, None, 12, {"ask"})


def test_an_update_may_have_a_price_and_a_currency_of_its_own() -> None:
    """In minor units too."""
    tick = FIELDS.update(FIELDS.tick(10.5, bid=10), price="7012.3", currency="GBp", bid=7012.0)
    assert (tick.price, tick.bid, tick.currency) == (70.123, 70.12, "GBP")
    with pytest.raises(FeedError, match="price"):
        FIELDS.update(tick, price="")


def test_an_update_with_a_time_proves_again() -> None:
    """What the one before did not."""
    before = FIELDS.tick(10.5, quote_time=0)
    assert FIELDS.update(before, bid=10).untimed is True
    assert FIELDS.update(before, quote_time=NOW_MS).untimed is None


@pytest.mark.parametrize("price", [0, "", "unch"])
def test_without_an_extended_price_there_is_nothing_to_be_said_of_it(price: Any) -> None:
    """Neither when it was made nor what it changed."""
    tick = FIELDS.tick(10.5, ext_price=price, ext_change_pct=1.5, ext_time=NOW_MS)
    assert (tick.ext_price, tick.ext_change_pct, tick.ext_time) == (None, None, None)


def test_a_change_is_freed_of_what_32_bits_did_to_it() -> None:
    """Where those explain it, whatever the signs."""
    fields = Fields(float32=True)
    assert fields.tick(244.6, prev_close=241.53, change=3.0700073).change == 3.07
    assert fields.tick(-37.63, prev_close=18.27, change=-55.9000015).change == -55.9
    assert fields.tick(-37.63, prev_close=-36.5, change=-1.1300011).change == -1.13
    assert fields.tick(244.6, prev_close=241.53, change=3.5).change == 3.5
    assert fields.tick(244.6, change=3.0700073).change == FIELDS.tick(244.6, prev_close=241.53, change=3.0700073).change == 3.0700073


def test_a_time_by_itself() -> None:
    """Of what is no tick: none where there is none that can be meant."""
    assert [FIELDS.time(value) for value in (NOW_MS, str(NOW_MS), None, 0, "", "soon", 5)] == [NOW_MS, NOW_MS, *[None] * 5]


@pytest.mark.parametrize(("row", "is_untraded"), [
    ({"n": 0, "b": "0.000", "a": 0}, True), ({"n": "0", "b": None, "a": ""}, True), ({"n": [0, 0], "b": ["0", "1"], "a": "0"}, False),
    ({"n": [0, 0], "b": ["0", "0"], "a": "0"}, True), ({"n": "", "b": "0", "a": None}, False),
    ({"n": None, "b": "0", "a": "0"}, False),
    ({"b": "0", "a": "0"}, False), ({"n": 0, "b": "0"}, False), ({"n": 1, "b": "0", "a": "0"}, False),
    ({"n": [], "b": "0", "a": "0"}, False)])  # fmt: skip
def test_nobody_trades_by_the_source_s_own_word_only(row: dict[str, Any], is_untraded: bool) -> None:
    """A count of 0 says so, an empty one says nothing."""
    assert untraded(row, "n", "b", "a") is is_untraded


def test_no_other_field_can_be_read() -> None:
    """A slip in a provider's file is found at once."""
    with pytest.raises(KeyError):
        FIELDS.tick(1, prev="2")  # type: ignore[call-arg] # that is the point


def test_an_open_alone_is_no_price_of_a_day_ago_where_days_are_sessions() -> None:
    """What has moved since it is no change of 24 hours; beside a session or a previous close it is what it is."""
    shares = Fields(times="ms", by_session=True)
    assert shares.tick(10.5, open=9).open is None
    assert shares.tick(10.5, open=9, prev_close=8).open == 9
    assert shares.tick(10.5, open=9, known={"session": "regular"}).open == 9
    assert shares.update(Tick(price=10.5), open=9).open is None
    assert FIELDS.tick(10.5, open=9).open == 9
