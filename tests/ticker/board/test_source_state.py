"""The short way of a tick, `follow`, against the long one; what the long one decides is told in test_states.py and test_bad_ticks.py."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.board.sanity import NUMBERS, SIDES, SIZES
from ticker.board.source_state import SourceState
from ticker.calendars.market_hours import Hours
from ticker.quote import MarketSession, Odd, Quote, Tick
from ticker.settings.model import SymbolSettings

START_MS = 1_700_000_000_000
OPEN = Hours([(START_MS - 1_000_000, START_MS + 20_000)], START_MS + 10_000_000)
"""Shuts in 20 s."""
TERMS = (FeedTerms("polled", 2.0), FeedTerms("polled", 2.0, 8.0), FeedTerms("simulated", 1.0), FeedTerms("streamed", 1.0))


class Step(NamedTuple):
    """What a source says after some ms. How old the price is, and when somebody traded out of hours after it, are in ms too. `words`: what
    else it says of the price.
    """

    passed_ms: int
    price: float
    age_ms: int | None
    session: MarketSession | None
    delay_min: float | None
    traded_ms: int | None
    beside: tuple[tuple[str, Any], ...] = ()


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """A source that goes on much as it began, with a twist now and then."""
    session: MarketSession | None = draw(st.sampled_from([None, "regular"]))
    delay_min = draw(st.sampled_from([None, None, 0.0, 15.0]))
    timed = draw(st.integers(0, 3)) > 0
    history = []
    for _ in range(draw(st.integers(1, 30))):
        age_ms = draw(st.sampled_from([0, 1, 250, 400])) + round((delay_min or 0) * 60_000) if timed else None
        step = Step(draw(st.sampled_from([250, 1_000, 2_000, 2_000, 5_000])), draw(st.sampled_from([100.0, 101.0, 102.0])), age_ms, session,
                    delay_min, None)  # fmt: skip
        history.append(step._replace(**draw(TWISTS)) if draw(st.integers(0, 3)) == 0 else step)
    return history


TWISTS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"passed_ms": st.sampled_from([0, 1, 9_900, 12_000, 40_000, 700_000])}),
    st.fixed_dictionaries({"price": st.sampled_from([50.0, 150.0])}),
    st.fixed_dictionaries({"age_ms": st.sampled_from([None, 0, 5_000, 9_000, 9_900, 60_000, -2_000, 890_000, 901_000])}),
    st.fixed_dictionaries({"session": st.sampled_from([None, "regular", "pre", "closed"])}),
    st.fixed_dictionaries({"delay_min": st.sampled_from([None, 0.0, 15.0])}),
    st.fixed_dictionaries({"traded_ms": st.sampled_from([-5_000, 300, 5_000])}),
    st.fixed_dictionaries({"price": st.sampled_from([0.0, -100.0, 2_000.0, math.nan, math.inf])}),
    st.fixed_dictionaries(
        {
            "beside": st.dictionaries(
                st.sampled_from([*SIDES, *SIZES, *NUMBERS]),
                st.sampled_from([0.0, -0.0, -1.0, 33.0, 99.0, 100.0, 101.0, math.nan, math.inf]),
                min_size=1,
            ).map(lambda fields: tuple(fields.items()))
        }
    ),
    st.just({"beside": (("odd", (Odd("bid", "not a number", "x"),)),)}),
    st.fixed_dictionaries({"beside": st.sampled_from([(("halted", True),), (("cadence", "day"),)])}),
    st.just({"age_ms": None, "beside": (("untimed", True),)}),
)


def published(terms: FeedTerms, calendar: str | None, history: Sequence[Step]) -> tuple[list[Quote], dict[str, Any]]:
    """All updates of a board that lives through `history`, swept four times a second, and what it tells people in the end."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a",), calendar=calendar)}, {"a": terms}, START_MS)
    board.set_hours("XNYS", OPEN, START_MS)
    now_ms, updates = START_MS, []
    for passed_ms, price, age_ms, session, delay_min, traded_ms, beside in history:
        until_ms = now_ms + passed_ms
        while now_ms + 250 <= until_ms:
            now_ms += 250
            updates += board.sweep(now_ms)
        now_ms = until_ms
        made_ms = None if age_ms is None else now_ms - age_ms
        fields: dict[str, Any] = {"delay_min": delay_min, **dict(beside)}
        tick = Tick(
            price=price,
            quote_time=made_ms,
            session=session,
            **fields,
            ext_time=None if made_ms is None or traded_ms is None else made_ms + traded_ms,
        )
        updates += board.apply("a", {"X": tick}, now_ms)
    return updates, msgspec.to_builtins(board.quality_state(now_ms))


@settings(max_examples=400)
@given(st.sampled_from(TERMS), st.sampled_from([None, "24/7", "XNYS"]), histories())
@example(TERMS[1], None, [Step(0, 100.0, 249, None, None, None), Step(7_900, 101.0, 8_100, None, None, None)])  # too old, and no sweep yet
@example(
    TERMS[1],
    None,
    [Step(0, 100.0, 0, None, None, None), Step(7_000, 101.0, 5_000, None, None, 4_000), Step(5_000, 102.0, 6_500, None, None, None)],
)
def test_the_short_way_is_the_long_way(terms: FeedTerms, calendar: str | None, history: list[Step]) -> None:
    """Every update is the same, and comes at the same moment; what is told of the prices is the same too."""
    with patch.object(SourceState, "follow", return_value=False):
        the_long_way = published(terms, calendar, history)
    assert published(terms, calendar, history) == the_long_way
