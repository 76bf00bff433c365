"""Who is told, how often, and what becomes of a listener that fails."""

from __future__ import annotations

from collections.abc import Sequence

from ticker.listeners import SYMBOLS_TOLD_EVERY_S, Listeners
from ticker.quote import Quote

QUOTE = Quote(price=1.0, symbol="A", received_time=1, seq=1, source="one", kind="polled", state="fresh")


def test_everybody_is_told_in_turn() -> None:
    """What one listener raises does not keep the next from its news; no quotes are no news."""
    listeners = Listeners()
    heard: list[object] = []

    def broken(news: object) -> None:
        heard.append("broken")
        raise ZeroDivisionError

    listeners.on_quotes += [broken, heard.append]
    listeners.on_state += [broken, heard.append]
    quotes: Sequence[Quote] = [QUOTE]
    listeners.publish([])
    listeners.publish(quotes)
    listeners.tell("feeds")
    assert heard == ["broken", quotes, "broken", "feeds"]


def test_a_long_list_rests_longer() -> None:
    """A short list may be told again after a moment, five thousand symbols after a second."""
    listeners = Listeners()
    assert listeners.may_tell_symbols(0.0)
    listeners.tell_symbols(10, 0.0)
    assert [listeners.may_tell_symbols(now_s) for now_s in (0.0, SYMBOLS_TOLD_EVERY_S / 2, SYMBOLS_TOLD_EVERY_S)] == [False, False, True]
    listeners.tell_symbols(5_000, 1.0)
    assert [listeners.may_tell_symbols(now_s) for now_s in (1.9, 2.0)] == [False, True]
