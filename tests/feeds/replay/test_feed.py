"""What the lines of a recording say, and what a board makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from feeds.base import Subscription
from feeds.replay.feed import Replay, ReplaySession, ReplaySettings
from feeds.replay.tape import OVER
from tests.feeds.support import complaint
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.errors import FeedError
from ticker.quote import Correction, Quote, Tick, correcting
from ticker.runtime import Runtime
from ticker.settings import SymbolOptions
from ticker.settings.model import Settings, SymbolSettings
from ticker.sinks.recording import batch, header

START_MS = 1_795_377_851_000
HEADER = header(Settings(feeds={}, symbols={symbol: SymbolSettings(feed=("x",)) for symbol in ("A", "B")}), "cf98", START_MS)


def quote(symbol: str, price: float, **fields: Any) -> Quote:
    """One as it was recorded."""
    given: dict[str, Any] = {"symbol": symbol, "price": price, "received_time": START_MS, "quote_time": START_MS, "seq": 1, "source": "x",
                             "kind": "polled", "state": "fresh"}  # fmt: skip
    return Quote(**given | fields)


def line(*quotes: Quote) -> bytes:
    """A batch."""
    return batch(quotes, START_MS)


class Pass:
    """One pass over a recording whose symbols are A and B."""

    def __init__(self, *symbols: str, clock_rate: float = 1.0) -> None:
        self.now_s = 0.0
        self.session = ReplaySession({}, clock_rate)
        self.want(*symbols)

    def want(self, *symbols: str) -> None:
        """From now on."""
        self.session.want([Subscription(symbol, symbol, SymbolOptions()) for symbol in symbols])

    def hear(self, message: bytes) -> Mapping[str, Tick | FeedError]:
        """A line."""
        return self.session.receive(message, self.now_s)

    def look(self, passed_s: float = 0.0) -> Mapping[str, Tick | FeedError]:
        """What there is to say without a line."""
        self.now_s += passed_s
        messages, news = self.session.due(self.now_s)
        assert messages == []
        return news


def test_a_batch_is_one_answer() -> None:
    """Whole, with the recorded prices, times and states, and nothing of what nobody wants."""
    tape = Pass("A")
    assert tape.hear(HEADER) == {}
    tape.look()
    assert tape.hear(line(quote("A", 1.5, state="stale"), quote("B", 2.5))) == {
        "A": Tick(price=1.5, quote_time=START_MS, upstream_state="stale")
    }
    assert tape.session.ready


def test_a_symbol_that_was_not_recorded_is_rejected() -> None:
    """Whether it was asked for before or after."""
    tape = Pass("A", "NOPE")
    tape.look()
    assert [type(news) for news in tape.hear(HEADER).values()] == [FeedError]
    tape.want("A", "NADA")
    error = tape.look()["NADA"]
    assert isinstance(error, FeedError)
    assert error.rejects_symbol


def test_a_symbol_that_comes_later_has_its_price_at_once() -> None:
    """The newest so far."""
    tape = Pass("A")
    tape.hear(HEADER)
    tape.hear(line(quote("B", 2.5)))
    tape.want("A", "B")
    assert tape.look() == {"B": Tick(price=2.5, quote_time=START_MS, upstream_state="fresh")}


def test_what_does_not_move_is_vouched_for_until_it_is_over() -> None:
    """On the recording's clock."""
    tape = Pass("A", "B", clock_rate=8.0)
    tape.hear(HEADER)
    tape.look()
    tape.hear(line(quote("A", 1.0), quote("B", 2.0)))
    assert tape.look(0.125) == {}
    tape.hear(line(quote("A", 1.25)))
    assert tape.look(0.125).keys() == {"B"}
    assert tape.look(0.0625) == {}
    assert tape.session.next_due_s(tape.now_s) == 0.0625
    assert tape.look(0.0625).keys() == {"A", "B"}
    tape.hear(OVER)
    assert tape.look(10) == {}
    assert tape.session.facts == {"over": True}


def test_a_price_that_was_put_right_is_put_right_again() -> None:
    """An older time later on is a correction; what stands on it is a tick like any other, and is what is vouched for."""
    tape = Pass("A")
    tape.look()
    for price, made_ms, kind in ((271.01, 0, Tick), (299.01, 5, Tick), (271.01, 0, Correction), (-37.63, 6, Tick)):
        said = Tick(price=price, quote_time=START_MS + made_ms, upstream_state="fresh")
        answer = tape.hear(line(quote("A", price, quote_time=START_MS + made_ms)))
        assert answer == {"A": said if kind is Tick else correcting(said)}
        tape.look(1.0)
        assert tape.look(1.0) == {"A": said}


def test_halts_and_nights_are_replayed() -> None:
    """As they were."""
    tape = Pass("A")
    tape.look()
    assert tape.hear(line(quote("A", 1.0, halted=True, session="overnight", state="closed"))) == {
        "A": Tick(price=1.0, quote_time=START_MS, halted=True, session="overnight", upstream_state="closed")
    }


def test_what_a_volume_counted_then_it_counts_now() -> None:
    """From the line on that says so."""
    tape = Pass("A", "B")
    tape.look()
    for said, expected in ((None, None), ({"A": "day_utc"}, "day_utc"), (None, "day_utc"), ({"A": "24h", "B": "session"}, "24h")):
        news = tape.hear(batch([quote("A", 1.0, volume=7.0)], START_MS, said))["A"]  # type: ignore[arg-type]
        assert isinstance(news, Tick)
        assert news.volume_of == expected


def test_of_several_sources_the_one_is_told_that_a_price_came_from() -> None:
    """As its origin: each counts its own volume. One that was relayed already has an origin."""
    tape = Pass("A", "B")
    tape.look()
    several = {"A": SymbolSettings(feed=("x", "y")), "B": SymbolSettings(feed=("x",))}
    tape.hear(header(Settings(feeds={}, symbols=several), "cf98", START_MS))
    answer = tape.hear(line(quote("A", 1.0, source="y"), quote("B", 1.0)))
    assert [tick.origin for tick in answer.values() if isinstance(tick, Tick)] == ["y", None]
    (relayed,) = tape.hear(line(quote("A", 1.0, source="y", origin="far", hops=2))).values()
    assert isinstance(relayed, Tick)
    assert (relayed.origin, relayed.hops) == ("far", 2)


def test_nonsense_is_an_error_of_the_line() -> None:
    """With an excerpt."""
    assert "what?" in str(complaint(lambda: Pass("A").hear(b"what?")))


def test_states_are_those_of_the_recording_whatever_the_times_say() -> None:
    """A quote of last year is fresh for as long as it was, stale when it was; and what is silent after the end turns stale."""
    tape, board = Pass("A"), Board("epoch")
    now_ms = START_MS + 365 * 86_400_000
    board.configure({"A": SymbolSettings(feed=("tape",))}, {"tape": FeedTerms("replayed", 0.5)}, now_ms)
    tape.hear(HEADER)

    def state(answer: Mapping[str, Tick | FeedError]) -> str:
        board.apply("tape", answer, now_ms + round(tape.now_s * 1000))
        board.sweep(now_ms + round(tape.now_s * 1000))
        return board.quotes["A"].state

    assert state(tape.hear(line(quote("A", 1.0)))) == "fresh"
    assert {state(tape.look(1.0)) for _ in range(120)} == {"fresh"}
    assert state(tape.hear(line(quote("A", 1.0, state="stale")))) == "stale"
    assert {state(tape.look(1.0)) for _ in range(120)} == {"stale"}
    assert state(tape.hear(line(quote("A", 1.5, state="closed")))) == "closed"
    assert state(tape.hear(line(quote("A", 1.75)))) == "fresh"
    tape.hear(OVER)
    assert [state(tape.look(10.0)) for _ in range(4)] == ["fresh", "fresh", "stale", "stale"]


def test_a_price_that_jumps_is_believed() -> None:
    """A board has believed it already."""
    tape, board = Pass("A"), Board("epoch")
    board.configure({"A": SymbolSettings(feed=("tape",))}, {"tape": FeedTerms("replayed", 0.5)}, START_MS)
    tape.look()
    for number, price in enumerate((1.0, 900.0, 2.0)):
        board.apply("tape", tape.hear(line(quote("A", price, quote_time=START_MS + number))), START_MS + number)
        assert board.quotes["A"].price == price


def test_a_file_is_a_feed(tmp_path: Path, runtime: Runtime) -> None:
    """With a real clock."""
    path = tmp_path / "tape.ndjson"
    path.write_bytes(HEADER + line(quote("A", 1.5)))
    feed = Replay("tape", ReplaySettings(kind="replay", file=str(path)), runtime)
    assert feed.poll([Subscription("OURS", "A", SymbolOptions())]) == {"OURS": Tick(price=1.5, quote_time=START_MS, upstream_state="fresh")}


@pytest.mark.parametrize(
    "keys", [{}, {"file": ""}, {"speed": 0.0}, {"speed": 1001.0}, {"begin": "noon"}, {"end": "+1y"}, {"stale_after_s": 1.0}]
)
def test_settings_that_cannot_be(keys: dict[str, object]) -> None:
    """A file is needed; speed and moments have their bounds."""
    with pytest.raises(ValidationError):
        ReplaySettings.model_validate({"kind": "replay"} | ({"file": "x"} if keys else {}) | keys)


def test_the_clock_runs_as_fast_as_it_is_played_up_to_a_point() -> None:
    """A limit of 30 s must not become one that nobody can keep."""
    assert ReplaySettings(kind="replay", file="x", speed=0.5).clock_rate == 0.5
    assert ReplaySettings(kind="replay", file="x", speed=10.0).clock_rate == 10.0
    assert ReplaySettings(kind="replay", file="x", speed=1000.0).clock_rate == 20.0
