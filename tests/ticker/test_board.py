"""The board: what is an update, what state a price is in, and which source it comes from."""

from typing import Any

import pytest

from ticker.board import Board
from ticker.errors import FeedError
from ticker.freshness import FeedTerms
from ticker.quote import Quote, Tick
from ticker.settings.model import QualitySettings, SymbolOptions, SymbolSettings
from ticker.source import Answer
from ticker.sources import RETURN_REST_MS
from ticker.track import FUTURE_LIMIT_MS

NOW = 1_700_000_000_000
LIMIT = 10_000
TERMS = {"a": FeedTerms("polled", 2.0), "b": FeedTerms("polled", 2.0)}
UNKNOWN = FeedError("unknown", rejects_symbol=True)
ANY_PRICE = QualitySettings(max_jump_pct=100_000)
"""What is a jump is the business of other tests."""


def board_of(**symbols: SymbolSettings) -> Board:
    """A board with these symbols and feeds `a` and `b`."""
    board = Board("epoch")
    board.configure(symbols, TERMS, NOW, ANY_PRICE)
    return board


def one_source() -> Board:
    """A board with one symbol of one feed."""
    return board_of(X=SymbolSettings(feed=("a",)))


def two_sources() -> Board:
    """A board with one symbol that prefers `a` to `b`."""
    return board_of(X=SymbolSettings(feed=("a", "b")))


def tick(price: float, **fields: Any) -> dict[str, Tick | FeedError]:
    """An answer for X."""
    return {"X": Tick(price=price, **fields)}


def seen(quotes: list[Quote]) -> list[tuple[object, ...]]:
    """What matters of updates, in short."""
    return [(quote.seq, quote.price, quote.source, quote.state) for quote in quotes]


def state(board: Board, symbol: str = "X") -> dict[str, Any]:
    """The symbol's entry of the wire's `symbols`."""
    return next(entry for entry in board.symbols_state() if entry["symbol"] == symbol)


def test_a_tick_becomes_a_quote() -> None:
    """Every field of the tick, the board's own, and the change computed from the close."""
    board = board_of(X=SymbolSettings(feed=("a",), currency="USD"))
    made = Tick(price=1.1, bid=1.0, ask=1.2, open=0.9, high=1.3, low=0.8, prev_close=1.0, volume=5.0, quote_time=NOW - 5, delay_min=15.0,
                session="regular", ext_price=1.15, ext_change_pct=4.5, ext_time=NOW - 1, origin="far", hops=2)
    (quote,) = board.apply("a", {"X": made}, NOW)
    assert quote == Quote(price=1.1, bid=1.0, ask=1.2, open=0.9, high=1.3, low=0.8, prev_close=1.0, volume=5.0, change=0.1, change_pct=10.0,
                          currency="USD", quote_time=NOW - 5, delay_min=15.0, session="regular", ext_price=1.15, ext_change_pct=4.5,
                          ext_time=NOW - 1, origin="far", hops=2, symbol="X", received_time=NOW, seq=1, source="a", kind="polled",
                          state="fresh")
    assert board.quotes == {"X": quote}


def test_the_ticks_currency_goes_before_the_settings() -> None:
    """The settings' currency is for sources that name none."""
    board = board_of(X=SymbolSettings(feed=("a",), currency="USD"))
    assert [quote.currency for quote in board.apply("a", tick(1.0, currency="EUR"), NOW)] == ["EUR"]


@pytest.mark.parametrize("settle_first", [False, True], ids=["second tick", "after many"])
def test_identical_answers_are_no_updates(settle_first: bool) -> None:
    """The same again changes nothing but how long the price may be believed."""
    board = one_source()
    board.apply("a", tick(1.0), NOW)
    if settle_first:
        board.apply("a", tick(2.0), NOW)
        board.apply("a", tick(1.0), NOW)
    before = board.quotes["X"]
    assert board.apply("a", tick(1.0), NOW + 9_000) == []
    assert board.quotes["X"] is before
    assert board.sweep(NOW + 9_000 + LIMIT - 1) == []
    assert [quote.state for quote in board.sweep(NOW + 9_000 + LIMIT)] == ["stale"]


def test_any_other_field_makes_an_update() -> None:
    """A new time of the same price, or a new bid, counts."""
    board = one_source()
    board.apply("a", tick(1.0, quote_time=NOW), NOW)
    assert [quote.seq for quote in board.apply("a", tick(1.0, quote_time=NOW + 1), NOW + 5)] == [2]
    assert [quote.seq for quote in board.apply("a", tick(1.0, quote_time=NOW + 1, bid=0.9), NOW + 6)] == [3]


def test_a_batch_is_applied_whole() -> None:
    """Each symbol of an answer is judged for itself; those that are not on the board are passed over."""
    board = board_of(X=SymbolSettings(feed=("a",)), Y=SymbolSettings(feed=("a",)), Z=SymbolSettings(feed=("b",)))
    answer: Answer = {"X": Tick(price=1.0), "Y": FeedError("no price"), "Z": Tick(price=3.0), "W": Tick(price=4.0)}
    assert [quote.symbol for quote in board.apply("a", answer, NOW)] == ["X"]
    assert board.apply("nobody", answer, NOW) == []


def test_no_step_back_in_time() -> None:
    """An older price than the one shown is not published, nor does it prove that the one shown is still current."""
    board = one_source()
    board.apply("a", tick(1.0, quote_time=NOW), NOW)
    assert board.apply("a", tick(0.9, quote_time=NOW - 1), NOW + 9_000) == []
    assert seen(board.sweep(NOW + LIMIT)) == [(2, 1.0, "a", "stale")]
    assert board.apply("a", tick(0.9, quote_time=NOW - 1), NOW + 20_000) == []
    assert seen(board.apply("a", tick(1.1, quote_time=NOW + 20_000), NOW + 20_000)) == [(3, 1.1, "a", "fresh")]


def test_a_time_from_the_future_does_not_block_what_follows() -> None:
    """A clock that is years ahead at the provider does not keep later, honest prices out."""
    board = one_source()
    for price in (1.0, 2.0):
        board.apply("a", tick(price, quote_time=NOW + FUTURE_LIMIT_MS), NOW)
    assert seen(board.apply("a", tick(3.0, quote_time=NOW), NOW)) == [(3, 3.0, "a", "fresh")]


def test_turns_stale_and_back() -> None:
    """At the limit, not before; a change of state alone keeps the times, and the same answer again makes it fresh."""
    board = one_source()
    (first,) = board.apply("a", tick(1.0), NOW)
    assert board.sweep(NOW + LIMIT - 1) == []
    (stale,) = board.sweep(NOW + LIMIT)
    assert (stale.state, stale.seq, stale.received_time) == ("stale", 2, NOW)
    assert board.sweep(NOW + LIMIT + 1) == []
    (again,) = board.apply("a", tick(1.0), NOW + 60_000)
    assert (again.state, again.seq, again.received_time) == ("fresh", 3, first.received_time)
    assert board.sweep(NOW + 60_000 + LIMIT - 1) == []
    assert len(board.sweep(NOW + 60_000 + LIMIT)) == 1


def test_only_the_silent_symbol_turns_stale() -> None:
    """One of many that is left out of the answers does not take the others with it, nor is it hidden by them."""
    symbols = {f"S{number}": SymbolSettings(feed=("a",)) for number in range(200)}
    board = board_of(**symbols)
    stale: list[tuple[str, int]] = []
    for second in range(0, 30, 2):
        now = NOW + second * 1000
        board.apply("a", {symbol: Tick(price=1.0 + second) for symbol in symbols if symbol != "S7" or second < 4}, now)
        stale += [(quote.symbol, now) for quote in board.sweep(now)]
    assert stale == [("S7", NOW + 2_000 + LIMIT)]


def test_limits_of_symbol_and_feed() -> None:
    """The symbol's limit goes before the feed's, and the one in force is shown."""
    board = Board("epoch")
    symbols = {"X": SymbolSettings(feed=("a",), stale_after_s=3.0), "Y": SymbolSettings(feed=("a",))}
    board.configure(symbols, {"a": FeedTerms("polled", 2.0, 20.0)}, NOW)
    board.apply("a", {"X": Tick(price=1.0), "Y": Tick(price=1.0)}, NOW)
    assert [quote.symbol for quote in board.sweep(NOW + 3_000)] == ["X"]
    assert [quote.symbol for quote in board.sweep(NOW + 20_000)] == ["Y"]
    assert [state(board, symbol)["stale_after_s"] for symbol in ("X", "Y")] == [3.0, 20.0]


def test_a_feed_that_is_down_fails_its_quotes() -> None:
    """At once, however new they are; its next answer makes the price good again before the feed is called up."""
    board = one_source()
    board.apply("a", tick(1.0), NOW)
    assert seen(board.set_feed_down("a", True, NOW + 1)) == [(2, 1.0, "a", "failed")]
    assert board.set_feed_down("a", True, NOW + 2) == []
    assert seen(board.apply("a", tick(2.0), NOW + 3)) == [(3, 2.0, "a", "fresh")]
    assert board.set_feed_down("a", False, NOW + 4) == []


def test_down_and_up_without_news() -> None:
    """Up again by another symbol's answer, a price within its limit is fresh and one beyond it stale."""
    board = board_of(X=SymbolSettings(feed=("a",)), Y=SymbolSettings(feed=("a",), stale_after_s=1.0))
    board.apply("a", {"X": Tick(price=1.0), "Y": Tick(price=1.0)}, NOW)
    board.set_feed_down("a", True, NOW + 500)
    assert [(quote.symbol, quote.state) for quote in board.set_feed_down("a", False, NOW + 2_000)] == [("X", "fresh"), ("Y", "stale")]


def test_five_errors_running_fail_a_symbol() -> None:
    """Four errors for one symbol are borne, the fifth fails it; a price starts the count anew."""
    board = one_source()
    board.apply("a", tick(1.0), NOW)
    for _ in range(2):
        for _ in range(4):
            assert board.apply("a", {"X": FeedError("no price")}, NOW) == []
        board.apply("a", tick(1.0), NOW)
    for _ in range(4):
        board.apply("a", {"X": FeedError("no price")}, NOW)
    assert [quote.state for quote in board.apply("a", {"X": FeedError("no price")}, NOW)] == ["failed"]


def test_status_of_a_symbol() -> None:
    """Pending without a price, live with one, rejected when the provider does not know it; the error is shown until it is over."""
    board = one_source()
    assert board.take_symbols_changed()
    assert (state(board)["status"], state(board)["error"]) == ("pending", None)
    board.apply("a", {"X": FeedError("no price", payload="{}")}, NOW)
    assert board.take_symbols_changed()
    assert (state(board)["status"], state(board)["error"]) == ("pending", "no price")
    board.apply("a", {"X": FeedError("no price", payload="[]")}, NOW)
    assert not board.take_symbols_changed()
    board.apply("a", {"X": UNKNOWN}, NOW)
    assert board.take_symbols_changed()
    assert (state(board)["status"], state(board)["error"]) == ("rejected", "unknown")
    board.apply("a", tick(1.0), NOW)
    assert board.take_symbols_changed()
    assert (state(board)["status"], state(board)["error"]) == ("live", None)
    board.apply("a", tick(2.0), NOW)
    assert not board.take_symbols_changed()
    assert [quote.state for quote in board.apply("a", {"X": UNKNOWN}, NOW)] == ["failed"]
    assert state(board)["status"] == "rejected"


def test_symbols_state_is_the_wires() -> None:
    """Exactly the contract's keys; one feed is a name and several are a list; the currency is learnt from the quote."""
    board = board_of(X=SymbolSettings(feed=("a",), name="Ex", decimals=2, group=("g",)), Y=SymbolSettings(feed=("a", "b")))
    board.apply("a", tick(1.0, currency="EUR"), NOW)
    assert board.symbols_state() == [
        {"symbol": "X", "name": "Ex", "decimals": 2, "group": ["g"], "feed": "a", "currency": "EUR", "stale_after_s": 10.0,
         "status": "live", "error": None},
        {"symbol": "Y", "name": None, "decimals": None, "group": [], "feed": ["a", "b"], "currency": None, "stale_after_s": 10.0,
         "status": "pending", "error": None},
    ]


def test_errors_of_several_sources_name_the_feed() -> None:
    """Where a symbol has several feeds, it is said which one has the error; rejected is who is rejected by all."""
    board = two_sources()
    board.apply("b", {"X": UNKNOWN}, NOW)
    assert (state(board)["status"], state(board)["error"]) == ("pending", "b: unknown")
    board.apply("a", {"X": UNKNOWN}, NOW)
    assert (state(board)["status"], state(board)["error"]) == ("rejected", "a: unknown")


def test_the_first_source_that_has_a_price() -> None:
    """A price as soon as anybody has one; the preferred source takes over with its first."""
    board = two_sources()
    assert seen(board.apply("b", tick(2.0), NOW)) == [(1, 2.0, "b", "fresh")]
    assert seen(board.apply("a", tick(1.0), NOW + 100)) == [(2, 1.0, "a", "fresh")]
    assert board.apply("b", tick(2.1), NOW + 200) == []


@pytest.mark.parametrize("trouble", ["stale", "down", "rejects"])
def test_the_next_source_takes_over_at_once(trouble: str) -> None:
    """With its newest price, the moment the first one can't be counted on."""
    board = two_sources()
    board.apply("a", tick(1.0), NOW)
    board.apply("b", tick(2.0), NOW + 1_000)
    board.apply("b", tick(2.5), NOW + 8_000)
    updates = {
        "stale": lambda: board.sweep(NOW + LIMIT),
        "down": lambda: board.set_feed_down("a", True, NOW + LIMIT),
        "rejects": lambda: board.apply("a", {"X": UNKNOWN}, NOW + LIMIT),
    }[trouble]()
    assert seen(updates) == [(2, 2.5, "b", "fresh")]
    assert updates[0].received_time == NOW + 8_000
    assert seen(board.apply("b", tick(2.6), NOW + LIMIT + 1)) == [(3, 2.6, "b", "fresh")]


def test_back_to_the_better_source_after_a_minute() -> None:
    """The better source is left waiting for a minute after a switch, then gets the symbol with its next answer."""
    board = two_sources()
    board.apply("a", tick(1.0), NOW)
    board.apply("b", tick(2.0), NOW)
    board.set_feed_down("a", True, NOW)
    assert board.apply("a", tick(1.1), NOW + 1_000) == []
    for now in range(NOW + 5_000, NOW + RETURN_REST_MS, 5_000):
        board.apply("b", tick(2.0), now)
    assert board.apply("a", tick(1.2), NOW + RETURN_REST_MS - 1) == []
    assert seen(board.apply("a", tick(1.3), NOW + RETURN_REST_MS)) == [(3, 1.3, "a", "fresh")]


def test_no_step_back_across_a_switch() -> None:
    """The next source does not take over with a price older than the one shown, only with its first newer one."""
    board = two_sources()
    board.apply("a", tick(1.0, quote_time=NOW), NOW)
    board.apply("b", tick(2.0, quote_time=NOW - 1), NOW + 9_000)
    assert seen(board.sweep(NOW + LIMIT)) == [(2, 1.0, "a", "stale")]
    assert seen(board.apply("b", tick(2.1, quote_time=NOW + LIMIT), NOW + LIMIT + 1)) == [(3, 2.1, "b", "fresh")]


def test_no_step_back_of_the_time_received() -> None:
    """A source whose price has stood unchanged for longer than the other's takes over without turning `received_time` back."""
    board = two_sources()
    board.apply("a", tick(1.0), NOW)
    board.apply("b", tick(2.0), NOW + 1_000)
    board.apply("a", tick(1.1), NOW + 9_000)
    board.apply("b", tick(2.0), NOW + 10_000)
    assert [(quote.source, quote.received_time) for quote in board.set_feed_down("a", True, NOW + 10_500)] == [("b", NOW + 9_000)]


def test_failed_only_when_every_source_is() -> None:
    """One source that may still answer keeps the price fresh to its limit, then stale, rather than failed."""
    board = two_sources()
    board.apply("a", tick(1.0), NOW)
    assert board.set_feed_down("a", True, NOW) == []
    assert seen(board.sweep(NOW + LIMIT)) == [(2, 1.0, "a", "stale")]
    assert seen(board.set_feed_down("b", True, NOW + LIMIT)) == [(3, 1.0, "a", "failed")]


def test_seq_goes_on_after_removal() -> None:
    """A symbol that comes back is not mistaken for an older one; its price has to be asked for again."""
    board = one_source()
    board.apply("a", tick(1.0), NOW)
    board.apply("a", tick(2.0), NOW)
    changes = board.configure({}, {}, NOW)
    assert changes.removed == ["X"]
    assert board.quotes == {}
    assert board.apply("a", tick(3.0), NOW) == []
    changes = board.configure({"X": SymbolSettings(feed=("a",))}, TERMS, NOW)
    assert changes.added == ["X"]
    assert state(board)["status"] == "pending"
    assert seen(board.apply("a", tick(4.0), NOW)) == [(3, 4.0, "a", "fresh")]


def test_what_stays_is_left_alone() -> None:
    """Adding and removing others, or a new name, is no update of a symbol."""
    board = board_of(X=SymbolSettings(feed=("a",)), Y=SymbolSettings(feed=("a",)))
    board.apply("a", tick(1.0), NOW)
    before = board.quotes["X"]
    changes = board.configure({"Z": SymbolSettings(feed=("b",)), "X": SymbolSettings(feed=("a",), name="Ex")}, TERMS, NOW)
    assert (changes.added, changes.removed, changes.quotes) == (["Z"], ["Y"], [])
    assert board.quotes["X"] is before
    assert [entry["symbol"] for entry in board.symbols_state()] == ["Z", "X"]


def test_a_new_currency_is_an_update() -> None:
    """What the settings say shows in the quote at once, not with the next price."""
    board = one_source()
    board.apply("a", tick(1.0), NOW)
    changes = board.configure({"X": SymbolSettings(feed=("a",), currency="USD")}, TERMS, NOW + 50)
    assert [(quote.seq, quote.currency, quote.received_time) for quote in changes.quotes] == [(2, "USD", NOW)]


def test_a_shorter_limit_takes_hold() -> None:
    """A price beyond the new limit is stale at once, others when their time comes."""
    board = one_source()
    board.apply("a", tick(1.0), NOW)
    board.sweep(NOW)
    short = {"a": FeedTerms("polled", 2.0, 2.0)}
    assert board.configure({"X": SymbolSettings(feed=("a",))}, short, NOW + 1_000).quotes == []
    assert [quote.state for quote in board.sweep(NOW + 2_000)] == ["stale"]


def test_a_symbol_that_changes_its_feed() -> None:
    """The old feed's price stays on show as stale; the new feed's first price replaces it, though it be older, or itself stale."""
    board = one_source()
    board.apply("a", tick(1.0, quote_time=NOW), NOW)
    changes = board.configure({"X": SymbolSettings(feed=("b",))}, TERMS, NOW)
    assert seen(changes.quotes) == [(2, 1.0, "a", "stale")]
    assert board.apply("a", tick(1.5, quote_time=NOW + 1), NOW) == []
    assert seen(board.apply("b", tick(2.0, quote_time=NOW - 60_000), NOW)) == [(3, 2.0, "b", "stale")]
    assert seen(board.apply("b", tick(2.1, quote_time=NOW - 1), NOW)) == [(4, 2.1, "b", "fresh")]


def test_a_symbol_that_changes_its_id() -> None:
    """The price of what it was before is not taken for what it is now."""
    board = board_of(X=SymbolSettings(feed=("a",), options={"a": SymbolOptions(id="one")}))
    board.apply("a", tick(1.0, quote_time=NOW), NOW)
    changes = board.configure({"X": SymbolSettings(feed=("a",), options={"a": SymbolOptions(id="two")})}, TERMS, NOW)
    assert [quote.state for quote in changes.quotes] == ["stale"]
    assert seen(board.apply("a", tick(2.0, quote_time=NOW - 1), NOW)) == [(3, 2.0, "a", "fresh")]


def test_a_feed_that_was_replaced_starts_afresh() -> None:
    """Its errors are forgotten, and its prices may be older than those of the source before it."""
    board = one_source()
    board.apply("a", tick(1.0, quote_time=NOW), NOW)
    board.apply("a", {"X": UNKNOWN}, NOW)
    board.set_feed_down("a", True, NOW)
    assert seen(board.restart_feed("a", NOW)) == [(3, 1.0, "a", "fresh")]
    assert state(board)["error"] is None
    assert seen(board.apply("a", tick(2.0, quote_time=NOW - 1), NOW)) == [(4, 2.0, "a", "fresh")]


def test_new_symbols_of_a_feed_that_is_down() -> None:
    """They know that it is down, although they were not there when it went."""
    board = Board("epoch")
    board.configure({}, TERMS, NOW)
    board.set_feed_down("a", True, NOW)
    board.configure({"X": SymbolSettings(feed=("a", "b"))}, TERMS, NOW)
    board.apply("b", tick(2.0), NOW)
    assert seen(board.set_feed_down("b", True, NOW)) == [(2, 2.0, "b", "failed")]


def test_clock_set_back_loses_no_silence() -> None:
    """After an hour back, a price that had been silent for 9 s is stale a second later, not in an hour."""
    board = one_source()
    board.apply("a", tick(1.0), NOW)
    board.clock_stepped_back(3_600_000)
    assert board.sweep(NOW + LIMIT - 1 - 3_600_000) == []
    assert [quote.state for quote in board.sweep(NOW + LIMIT - 3_600_000)] == ["stale"]


def test_clock_set_back_holds_no_price_back() -> None:
    """Prices that are dated by our own clock go on, although each is an hour older than the last one before it was set."""
    board = one_source()
    board.apply("a", tick(1.0, quote_time=NOW), NOW)
    board.clock_stepped_back(3_600_000)
    later = NOW - 3_600_000 + 500
    assert seen(board.apply("a", tick(2.0, quote_time=later), later)) == [(2, 2.0, "a", "fresh")]


def test_clock_set_back_keeps_the_rest_between_switches() -> None:
    """A minute after a switch is a minute, whatever the clock says."""
    board = two_sources()
    board.apply("a", tick(1.0), NOW)
    board.apply("b", tick(2.0), NOW)
    board.set_feed_down("a", True, NOW)
    board.clock_stepped_back(3_600_000)
    later = NOW - 3_600_000 + RETURN_REST_MS
    board.apply("b", tick(2.0), later)
    assert [quote.source for quote in board.apply("a", tick(1.1), later)] == ["a"]
