"""A board whose settings change under it: what stays, what begins anew."""

from tests.ticker.board.boards import NOW, TERMS, UNKNOWN, board_of, one_source, seen, state, tick
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.settings.model import SymbolOptions, SymbolSettings


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
    assert [entry.symbol for entry in board.symbols_state()] == ["Z", "X"]


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
