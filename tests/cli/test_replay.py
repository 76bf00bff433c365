"""What `replay` makes of a recording's symbols."""

from __future__ import annotations

from cli.replay import replayed
from feeds.replay.feed import ReplaySettings
from ticker.settings.model import Settings, SymbolSettings
from ticker.sinks.recording import header, read_header


def test_symbols_are_those_of_the_recording() -> None:
    """As people saw them, and with prices below zero where they may have such; hours and limits of then are not those of now."""
    recorded = Settings(
        symbols={
            "A": SymbolSettings(feed=("a", "b"), name="Aye", decimals=3, group=("g",), calendar="XNYS", stale_after_s=5.0),
            "CL=F": SymbolSettings(feed=("a",), allow_negative=True),
        }
    )
    feed = ReplaySettings(kind="replay", file="x.ndjson")
    settings = replayed(Settings(), feed, read_header(header(recorded, "cf98", 1)))
    assert settings.feeds == {"replay": feed}
    assert settings.symbols == {
        "A": SymbolSettings(feed=("replay",), name="Aye", decimals=3, group=("g",)),
        "CL=F": SymbolSettings(feed=("replay",), allow_negative=True),
    }
