"""What a source says itself of a price's state: a relay upstream, a recording, an exchange that proves the last trade each second."""

from __future__ import annotations

from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.errors import FeedError
from ticker.quote import State, Tick, encode
from ticker.settings.model import SymbolSettings

NOON = 1_700_000_000_000
LONG_AGO = NOON - 3_600_000
RELAYED = FeedTerms("relayed", 0.5)


def board(*feeds: str, terms: FeedTerms = RELAYED) -> Board:
    """A board with the symbol X from these feeds."""
    made = Board("epoch")
    made.configure({"X": SymbolSettings(feed=feeds)}, dict.fromkeys(feeds, terms), NOON)
    return made


def said(state: State | None, price: float = 1.0, made_ms: int = LONG_AGO) -> Tick:
    """A price made long ago, in that state upstream."""
    return Tick(price=price, quote_time=made_ms, upstream_state=state)


def state(board: Board) -> str:
    """Of X."""
    return board.quotes["X"].state


def test_an_old_price_is_fresh_where_upstream_says_so() -> None:
    """Nobody traded for an hour, and the relay knows it: the same word again is all the proof there can be."""
    one = board("relay")
    for second in range(0, 121, 5):
        one.apply("relay", {"X": said("fresh")}, NOON + second * 1000)
        one.sweep(NOON + second * 1000)
        assert state(one) == "fresh"
    assert one.quotes["X"].seq == 1


def test_silence_is_stale_whatever_was_said() -> None:
    """Thirty seconds without a word of the relay, and its word is worth nothing: nor is `closed`."""
    words: tuple[State, ...] = ("fresh", "closed", "failed")
    for word in words:
        one = board("relay")
        one.apply("relay", {"X": said(word)}, NOON)
        one.sweep(NOON + 29_999)
        assert state(one) == word
        one.sweep(NOON + 30_000)
        assert state(one) == "stale"


def test_what_is_stale_upstream_is_stale_here() -> None:
    """At once, and fresh again with the first word that it is."""
    one = board("relay")
    states = []
    words: tuple[State, ...] = ("fresh", "stale", "fresh", "failed", "closed")
    for word in words:
        one.apply("relay", {"X": said(word)}, NOON)
        states.append(state(one))
    assert states == list(words)
    assert one.quotes["X"].seq == 5


def test_a_stale_relay_gives_way_to_the_next() -> None:
    """A fallback list of relays: the second takes over when the first says that it has nothing new."""
    one = board("first", "second")
    one.apply("first", {"X": said("fresh", 1.0)}, NOON)
    one.apply("second", {"X": said("fresh", 1.0)}, NOON)
    sources = [one.quotes["X"].source]
    one.apply("first", {"X": said("stale", 1.0)}, NOON + 1000)
    assert [*sources, one.quotes["X"].source] == ["first", "second"]
    assert state(one) == "fresh"


def test_what_another_board_believed_is_not_doubted_again() -> None:
    """A jump was confirmed upstream, and comes only once from there."""
    one = board("relay")
    one.apply("relay", {"X": said("fresh", 1.0)}, NOON)
    quotes = one.apply("relay", {"X": said("fresh", 500.0, LONG_AGO + 1)}, NOON + 1)
    assert [quote.price for quote in quotes] == [500.0]


def test_the_word_of_upstream_is_not_on_the_wire() -> None:
    """A quote has a state of its own."""
    one = board("relay")
    (quote,) = one.apply("relay", {"X": said("closed")}, NOON)
    assert b"upstream" not in encode(quote)
    assert b'"state":"closed"' in encode(quote)


def test_an_error_outranks_it() -> None:
    """A symbol that is refused (a loop, say) is not shown as fresh."""
    one = board("relay")
    one.apply("relay", {"X": said("fresh")}, NOON)
    one.apply("relay", {"X": FeedError("a loop", rejects_symbol=True)}, NOON + 1)
    assert state(one) == "failed"


def test_a_recording_turns_stale_by_its_own_clock() -> None:
    """Ten times as fast, the thirty seconds are three."""
    one = board("file", terms=FeedTerms("replayed", 0.5, clock_rate=10.0))
    one.apply("file", {"X": said("fresh")}, NOON)
    one.sweep(NOON + 2_999)
    assert state(one) == "fresh"
    one.sweep(NOON + 3_000)
    assert state(one) == "stale"
