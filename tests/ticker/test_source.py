"""What the core makes of several answers: the newest of each symbol, as what it has to be to be believed."""

from ticker.errors import FeedError
from ticker.quote import Correction, Odd, Tick, correcting, plain
from ticker.source import merge

WRONG, RIGHT, NEXT = Tick(price=299.01, quote_time=2), Correction(price=271.01, quote_time=1), Tick(price=271.02, quote_time=3)


def test_the_newest_of_each_symbol_is_kept() -> None:
    """An error too, in its turn."""
    answer: dict[str, Tick | FeedError] = {"A": WRONG, "B": WRONG}
    refused = FeedError("no")
    merge(answer, {"A": NEXT, "B": refused, "C": WRONG})
    assert answer == {"A": NEXT, "B": refused, "C": WRONG}
    merge(answer, {"B": NEXT})
    assert answer["B"] is NEXT


def test_what_comes_after_a_correction_is_one_too() -> None:
    """Else nobody would hear of it, and a quote that stands beside the restored price would be older than what is shown."""
    answer: dict[str, Tick | FeedError] = {"A": WRONG}
    for news in (RIGHT, NEXT, Tick(price=271.02, bid=271.0, quote_time=3)):
        merge(answer, {"A": news})
        assert type(answer["A"]) is Correction
    assert answer["A"] == Correction(price=271.02, bid=271.0, quote_time=3)


def test_an_error_that_may_pass_does_not_hide_a_correction() -> None:
    """One that does not pass does: the symbol has no price then."""
    answer: dict[str, Tick | FeedError] = {"A": RIGHT}
    merge(answer, {"A": FeedError("a bad trade")})
    assert answer == {"A": RIGHT}
    unknown = FeedError("unknown", retryable=False)
    merge(answer, {"A": unknown})
    assert answer == {"A": unknown}


def test_a_tick_as_a_correction_and_back() -> None:
    """Nothing else of it changes."""
    odd = (Odd("bid", "less than nothing", "-1"),)
    tick = Tick(price=1.0, bid=0.5, halted=True, volume_of="session", odd=odd)
    assert correcting(tick) == Correction(price=1.0, bid=0.5, halted=True, volume_of="session", odd=odd)
    assert correcting(RIGHT) is RIGHT
    assert plain(correcting(tick)) == Tick(price=1.0, bid=0.5, halted=True, volume_of="session")
