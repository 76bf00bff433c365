"""The board: what is an update, what state a price is in, and which source it comes from."""

import msgspec
import pytest

from tests.ticker.board.boards import LIMIT, NOW, UNKNOWN, board_of, one_source, seen, state, tick, two_sources
from ticker.board.board import Board
from ticker.board.failover import RETURN_REST_MS
from ticker.board.freshness import FeedTerms
from ticker.board.source_state import FUTURE_LIMIT_MS
from ticker.errors import FeedError
from ticker.quote import Quote, Tick
from ticker.settings.model import SymbolSettings
from ticker.source import Answer


def test_a_tick_becomes_a_quote() -> None:
    """Every field of the tick, the board's own, and the change computed from the close."""
    board = board_of(X=SymbolSettings(feed=("a",), currency="USD"))
    made = Tick(
        price=1.1,
        bid=1.0,
        ask=1.2,
        open=0.9,
        high=1.3,
        low=0.8,
        prev_close=1.0,
        volume=5.0,
        quote_time=NOW - 5,
        delay_min=15.0,
        session="regular",
        ext_price=1.15,
        ext_change_pct=4.5,
        ext_time=NOW - 1,
        origin="far",
        hops=2,
    )
    (quote,) = board.apply("a", {"X": made}, NOW)
    assert quote == Quote(
        price=1.1,
        bid=1.0,
        ask=1.2,
        open=0.9,
        high=1.3,
        low=0.8,
        prev_close=1.0,
        volume=5.0,
        change=0.1,
        change_pct=10.0,
        currency="USD",
        quote_time=NOW - 5,
        delay_min=15.0,
        session="regular",
        ext_price=1.15,
        ext_change_pct=4.5,
        ext_time=NOW - 1,
        origin="far",
        hops=2,
        symbol="X",
        received_time=NOW,
        seq=1,
        source="a",
        kind="polled",
        state="fresh",
    )
    assert board.quotes == {"X": quote}


def test_the_ticks_currency_goes_before_the_settings() -> None:
    """The settings' currency is for sources that name none."""
    board = board_of(X=SymbolSettings(feed=("a",), currency="USD"))
    assert [quote.currency for quote in board.apply("a", tick(1.0, currency="EUR"), NOW)] == ["EUR"]


def test_how_a_tick_came_goes_before_how_its_source_s_come() -> None:
    """Polled in the place of a stream; the next one of the stream is the stream's again, at the same price too."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a",))}, {"a": FeedTerms("streamed", 0.5)}, NOW)
    news: list[Answer] = [tick(1.0), {"X": Tick(price=1.1, kind="polled")}, tick(1.1), tick(1.2)]
    assert [quote.kind for at, answer in enumerate(news) for quote in board.apply("a", answer, NOW + at)] == [
        "streamed",
        "polled",
        "streamed",
        "streamed",
    ]


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
    assert msgspec.to_builtins(board.symbols_state()) == [
        {"symbol": "X", "name": "Ex", "decimals": 2, "group": ["g"], "feed": "a", "currency": "EUR", "stale_after_s": 10.0,
         "status": "live", "error": None, "volume_of": "24h"},
        {"symbol": "Y", "name": None, "decimals": None, "group": [], "feed": ["a", "b"], "currency": None, "stale_after_s": 10.0,
         "status": "pending", "error": None, "volume_of": "24h"},
    ]  # fmt: skip


def test_what_a_volume_counts_is_the_word_of_the_source_in_use() -> None:
    """Of all its symbols or of this one; where it changes, clients are told, though the price moves on as ever."""
    board = Board("epoch")
    terms = {"a": FeedTerms("polled", 2.0, volume_of="session"), "b": FeedTerms("polled", 2.0, volume_of="day_utc")}
    board.configure({"X": SymbolSettings(feed=("a", "b"))}, terms, NOW)
    assert (state(board)["volume_of"], board.volume_of) == ("session", {"X": "session"})
    board.take_symbols_changed()
    for number, said, expected, told in (
        (1, None, "session", True),
        (2, None, "session", False),
        (3, "24h", "24h", True),
        (4, "24h", "24h", False),
        (5, None, "session", True),
    ):
        board.apply("a", tick(1.0, quote_time=NOW + number, volume_of=said), NOW + number)
        assert (state(board)["volume_of"], board.volume_of["X"], board.take_symbols_changed()) == (expected, expected, told)
    board.apply("b", tick(1.0, quote_time=NOW + 6), NOW + 6)
    board.set_feed_down("a", True, NOW + 7)
    assert (board.quotes["X"].source, board.volume_of["X"], board.take_symbols_changed()) == ("b", "day_utc", True)
    board.configure({}, terms, NOW + 8)
    assert board.volume_of == {}


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
