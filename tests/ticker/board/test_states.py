"""The table in docs/freshness.md, row by row: what a source says, what time it is, and which state a price is in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.calendars.market_hours import Hours
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.settings.model import SymbolSettings

NOON = 1_700_000_000_000
"""Second 0 of every story."""
POLLED = FeedTerms("polled", 2.0)
"""Stale after 10 s."""
EXCHANGE = Hours([(NOON - 80_000_000, NOON - 60_000_000), (NOON, NOON + 20_000_000)], NOON + 40_000_000)
"""Shut since long ago, and opens at second 0."""


class Story(NamedTuple):
    """`said`: by second, what the source says then (`None`: an error). `shown`: by second, the state right after it."""

    said: dict[float, Tick | None]
    shown: dict[float, str]
    terms: FeedTerms = POLLED
    symbol: Mapping[str, Any] = MappingProxyType({})


def at(second: float, **fields: Any) -> Tick:
    """A price that the source says was made at that second."""
    return Tick(**{"price": 100.0, "quote_time": NOON + round(second * 1000), **fields})


def again(tick: Tick, *seconds: float) -> dict[float, Tick | None]:
    """The same answer at each of these seconds."""
    return dict.fromkeys(seconds, tick)


UNTIMED = Tick(price=100.0)
UNTOLD = Tick(price=100.0, untimed=True)
"""Of a source that says when its prices were made, and does not of this one."""
DAY_S = 86_400

STORIES = {
    "each answer counts where there is no time": Story(again(UNTIMED, 0, 8, 16), {0: "fresh", 16: "fresh", 25.9: "fresh", 26: "stale"}),
    "an answer after silence": Story(again(UNTIMED, 0, 40), {10: "stale", 39: "stale", 40: "fresh"}),
    "a time that moves": Story({0: at(0), 8: at(7), 16: at(15)}, {16: "fresh", 24.9: "fresh", 25: "stale"}),
    "a frozen copy": Story(again(at(0), *range(0, 61, 2)), {9.9: "fresh", 10: "stale", 60: "stale"}),
    "a frozen copy from the start": Story(again(at(-3600), *range(0, 61, 2)), {0: "stale", 60: "stale"}),
    "a frozen copy that thaws": Story(again(at(0), *range(0, 31, 2)) | {32: at(31.9)}, {30: "stale", 32: "fresh"}),
    "a price that moves while its time does not": Story(
        {0: at(-900), 2: Tick(price=101.0, quote_time=NOON - 900_000)}, {0: "stale", 2: "fresh", 11.9: "fresh", 12: "stale"}
    ),
    "a time that moves and is always old": Story({second: at(second - 900) for second in range(0, 31, 2)}, {0: "stale", 30: "stale"}),
    "a time ahead of our clock": Story(again(at(250), *range(0, 61, 2)), {9.9: "fresh", 10: "stale", 60: "stale"}),
    "a source that says how far it is behind": Story(
        {0: at(-900, delay_min=15.0), 8: at(-892, delay_min=15.0)}, {0: "fresh", 17.9: "fresh", 18: "stale"}
    ),
    "a price whose time can't be read": Story(again(UNTOLD, *range(0, 12, 2)), {9.9: "fresh", 10: "stale"}),
    "a price whose time can't be read, of a source that told it before": Story(
        again(at(0), 0) | again(UNTOLD, *range(2, 12, 2)), {9.9: "fresh", 10: "stale"}
    ),
    "a price that moves and whose time can't be read": Story(
        again(at(-60), 0) | again(Tick(price=101.0, untimed=True), *range(2, 16, 2)), {0: "stale", 2: "fresh", 11.9: "fresh", 12: "stale"}
    ),
    "daily rates": Story(
        again(at(-80_000), *range(0, 61, 2)), {0: "fresh", 60: "fresh", 69.9: "fresh", 70: "stale"}, POLLED._replace(cadence_s=432_000)
    ),
    "daily rates that should have come long ago": Story(
        again(at(-432_000 - 11), 0, 2), {0: "stale", 2: "stale"}, POLLED._replace(cadence_s=432_000)
    ),
    "a price a day, without a calendar": Story(
        {0: at(-2 * DAY_S, cadence="day")}, {0: "fresh", 2 * DAY_S - 0.1: "fresh", 2 * DAY_S: "stale"}
    ),
    "a price a day that comes without a time": Story(
        again(Tick(price=100.0, cadence="day"), *range(0, 4 * DAY_S, DAY_S)), {4 * DAY_S - 0.1: "fresh", 4 * DAY_S: "stale"}
    ),
    "a price a day, with a calendar": Story(
        {-40: at(-59_000)},
        {-40: "fresh", 0: "fresh", 20_000 + DAY_S - 0.1: "fresh", 20_000 + DAY_S: "stale"},
        symbol={"calendar": "XNYS", "cadence": "day"},
    ),
    "a price a day whose source says that its market is shut": Story(
        again(at(-DAY_S, cadence="day", session="closed"), 0, 8), {0: "fresh", 60: "fresh", 3 * DAY_S: "stale"}
    ),
    "a price a day, and a limit of the symbol's own": Story(
        again(at(0, cadence="day"), *range(0, 61, 2)), {9.9: "fresh", 10: "stale"}, symbol={"stale_after_s": 10.0}
    ),
    "a recording": Story({0: at(-1e6), 8: at(-1e6 + 8)}, {0: "fresh", 37.9: "fresh", 38: "stale"}, POLLED._replace(kind="replayed")),
    "a shut market": Story(again(at(-60_000), *range(-40, -1, 2)), {-40: "closed", -1: "closed"}, symbol={"calendar": "XNYS"}),
    "a shut market, and not a word from the source": Story(again(UNTIMED, -40), {-40: "closed", -1: "closed"}, symbol={"calendar": "XNYS"}),
    "a shut market, and the price moves": Story(
        again(at(-901), -900) | again(at(-899, price=101.0), *range(-898, -200, 2)),
        {-900: "closed", -898: "fresh", -889.1: "fresh", -889: "closed", -298: "closed", -200: "closed"},
        symbol={"calendar": "XNYS"},
    ),
    "a shut market, and the price of a source without times moves": Story(
        again(Tick(price=99.0), -60_010) | again(UNTIMED, -40, -38) | again(Tick(price=101.0), -36, -34),
        {-40: "closed", -38: "closed", -36: "fresh", -34: "fresh", -24.1: "fresh", -24: "closed"},
        symbol={"calendar": "XNYS"},
    ),
    "a shut market, and prices from before it shut": Story(
        {-40: at(-60_003), -38: at(-60_002, price=101.0), -36: at(-60_001), -34: at(-60_000, price=101.0)},
        {-40: "closed", -38: "closed", -36: "closed", -34: "closed"},
        symbol={"calendar": "XNYS"},
    ),
    "a shut market by the source's own word, too, and the price moves": Story(
        {-40: at(-41, session="closed"), -38: at(-39, session="closed", price=101.0)},
        {-40: "closed", -38: "closed"},
        symbol={"calendar": "XNYS"},
    ),
    "a market that opens, and a price": Story(
        {-2: at(-60_000), 0: at(-60_000), 4: at(3)},
        {-1: "closed", 0: "closed", 3: "closed", 4: "fresh", 13: "stale"},
        symbol={"calendar": "XNYS"},
    ),
    "a market that opens, and nothing": Story(
        again(at(-60_000), *range(-2, 31, 2)), {-1: "closed", 9.9: "closed", 10: "stale", 30: "stale"}, symbol={"calendar": "XNYS"}
    ),
    "a market that shuts": Story(
        {19_998: at(19_997)}, {19_998: "fresh", 19_999.9: "fresh", 20_000: "closed", 20_060: "closed"}, symbol={"calendar": "XNYS"}
    ),
    "a market as a delayed source shows it": Story(
        {19_998: at(19_998 - 900, delay_min=15.0), 20_898: at(19_998, delay_min=15.0)},
        {19_998: "fresh", 20_010: "stale", 20_898: "fresh", 20_899.9: "fresh", 20_900: "closed"},
        symbol={"calendar": "XNYS"},
    ),
    "a market that never shuts": Story(
        again(at(0, session="closed"), *range(0, 31, 2)), {0: "stale", 9.9: "stale", 10: "stale", 30: "stale"}, symbol={"calendar": "24/7"}
    ),
    "a market that never shuts, nobody trades there, and the time moves": Story(
        {float(second): at(second, session="closed" if second < 32 else None) for second in range(0, 33, 2)},
        {0: "stale", 10: "stale", 31.9: "stale", 32: "fresh"},
        symbol={"calendar": "24/7"},
    ),
    "beyond the days that are known": Story(
        again(at(40_000), *range(40_000, 40_031, 2)), {40_009.9: "fresh", 40_010: "stale"}, symbol={"calendar": "XNYS"}
    ),
    "a source that says its market is shut": Story(again(at(-60_000, session="closed"), 0, 5), {0: "closed", 14.9: "closed", 15: "stale"}),
    "a source that says its market is open": Story(
        again(at(0, session="regular"), *range(0, 31, 2)), {9.9: "fresh", 10: "stale", 30: "stale"}
    ),
    "a source that says its market has opened": Story(
        again(at(-60_000, session="closed"), 0, 5) | again(at(-60_000, session="regular"), *range(6, 31, 2)),
        {0: "closed", 6: "closed", 15.9: "closed", 16: "stale", 30: "stale"},
    ),
    "before the regular hours, and somebody trades": Story(
        {0: at(-60_000, session="pre"), 2: at(-60_000, session="pre", ext_price=101.0, ext_time=NOON + 1_000)},
        {0: "closed", 2: "fresh", 10.9: "fresh", 11: "closed", 11.9: "closed", 12: "stale"},
    ),
    "at night, and somebody trades": Story(
        {-40: at(-600, session="overnight"), -38: at(-39, session="overnight")},
        {-40: "closed", -38: "fresh", -29.1: "fresh", -29: "closed"},
        symbol={"calendar": "XNYS"},
    ),
    "at night, and nobody trades": Story(again(at(-600, session="overnight"), *range(0, 61, 2)), {0: "closed", 60: "closed", 70: "stale"}),
    "after the regular hours, and nobody trades": Story(
        again(at(-600, session="post"), *range(0, 61, 2)), {0: "closed", 60: "closed", 70: "stale"}
    ),
    "long after the evening's last trade": Story(
        again(at(-28_790, session="post"), *range(0, 21, 2)), {0: "closed", 9.9: "closed", 10: "closed", 29.9: "closed", 30: "stale"}
    ),
    "after the regular hours of a calendar": Story(
        again(at(-600, session="post"), *range(-60, -1, 2)), {-60: "closed", -2: "closed"}, symbol={"calendar": "XNYS"}
    ),
    "trading is halted": Story(
        {0: at(0), 2: at(0, halted=True), 3_600: at(3_599)},
        {1.9: "fresh", 2: "closed", 3_599: "closed", 3_600: "fresh", 3_609: "stale"},
        symbol={"calendar": "XNYS"},
    ),
    "trading is halted, and goes on without a trade": Story(
        again(at(0), 0, 100, 102) | again(at(0, halted=True), 2), {2: "closed", 99: "closed", 100: "stale"}
    ),
    "trading is halted, and five errors running": Story(
        {0: at(0, halted=True), **dict.fromkeys((2, 4, 6, 8, 9), None)}, {8: "closed", 9: "failed"}
    ),
    "errors while the price holds": Story({0: UNTIMED, 2: None, 4: None}, {4: "fresh", 10: "stale"}),
    "five errors running": Story(
        {0: UNTIMED, **dict.fromkeys((2, 4, 6, 8, 9), None), 20: UNTIMED}, {8: "fresh", 9: "failed", 19: "failed", 20: "fresh"}
    ),
    "five errors running while the market is shut": Story(
        {-20: UNTIMED, **dict.fromkeys((-18, -16, -14, -12, -10), None), -5: UNTIMED},
        {-12: "closed", -10: "failed", -5: "closed"},
        symbol={"calendar": "XNYS"},
    ),
    "a limit that the settings name": Story(
        again(UNTIMED, 0, 3), {2.9: "fresh", 3: "fresh", 5.9: "fresh", 6: "stale"}, symbol={"stale_after_s": 3.0}
    ),
    "a stream": Story({0: at(0)}, {29.9: "fresh", 30: "stale"}, FeedTerms("streamed", 1.0)),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_states(story: Story) -> None:
    """At each second of the story what was said is taken in, then time passes, as it does four times a second; then the state is right."""
    board = Board("epoch")
    first = round(min(story.said) * 1000)
    board.configure({"X": SymbolSettings(feed=("a",), **story.symbol)}, {"a": story.terms}, NOON + first)
    board.set_hours("XNYS", EXCHANGE, NOON + first)
    moments = sorted({round(second * 1000) for second in [*story.said, *story.shown]})
    said = {round(second * 1000): tick for second, tick in story.said.items()}
    shown = {round(second * 1000): state for second, state in story.shown.items()}
    found = {}
    for ms in moments:
        if ms in said:
            board.apply("a", {"X": said[ms] or FeedError("no price")}, NOON + ms)
        board.sweep(NOON + ms)
        if ms in shown:
            found[ms] = board.quotes["X"].state
    assert found == shown


def test_the_page_about_freshness_has_these_stories() -> None:
    """In this order, each by its name."""
    page = (Path(__file__).parents[3] / "docs" / "freshness.md").read_text(encoding="utf-8")
    rows = page.partition("## Row by row")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (?!what happens|---)([^|]+) \|", rows, re.MULTILINE) == list(STORIES)


def test_a_shut_market_is_told_to_whoever_polls() -> None:
    """While it is shut there is little to ask for; when it opens, at once."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a",), calendar="XNYS"), "Y": SymbolSettings(feed=("a",))}, {"a": POLLED}, NOON - 5_000)
    assert not board.is_shut("X"), "nobody has said so yet"
    board.set_hours("XNYS", EXCHANGE, NOON - 5_000)
    board.apply("a", {"X": UNTIMED, "Y": UNTIMED}, NOON - 4_000)
    assert [board.is_shut(symbol) for symbol in ("X", "Y", "nobody's")] == [True, False, False]
    board.sweep(NOON - 1)
    assert board.take_opened() == []
    board.sweep(NOON)
    assert not board.is_shut("X")
    assert board.take_opened() == ["X"]
    assert board.take_opened() == []


def test_a_market_opens_before_there_is_a_price() -> None:
    """Also for a symbol that nobody has priced yet, the moment is not missed."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a",), calendar="XNYS")}, {"a": POLLED}, NOON - 5_000)
    board.set_hours("XNYS", EXCHANGE, NOON - 5_000)
    assert board.is_shut("X")
    board.sweep(NOON)
    assert board.take_opened() == ["X"]


def test_a_source_that_knows_the_state_repeats_the_price_as_it_was() -> None:
    """A new state alone is an update with the old times, however late it is told; the price's own time is the last word on the rest."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("hub",))}, {"hub": FeedTerms("relayed", 0.5)}, 1_000)
    board.apply("hub", {"X": Tick(price=1.5, quote_time=900, upstream_state="fresh")}, 1_000)
    (stale,) = board.apply("hub", {"X": Tick(price=1.5, quote_time=900, upstream_state="stale")}, 9_000)
    assert (stale.state, stale.received_time, stale.seq) == ("stale", 1_000, 2)
    (moved,) = board.apply("hub", {"X": Tick(price=1.75, quote_time=950, upstream_state="fresh")}, 9_500)
    assert (moved.state, moved.received_time, moved.seq) == ("fresh", 9_500, 3)
