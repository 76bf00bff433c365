"""Polygon: what `massive` is, by its old name."""

from pydantic import SecretStr

from feeds.massive import Massive
from feeds.polygon import Polygon, PolygonSettings
from tests.feeds.support import CANARY, connected, subscribe
from tests.providers.client import RunningProvider
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "polygon"
SYMBOLS = ("AAPL", "MSFT")
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""


def test_it_asks_the_host_of_before() -> None:
    """So that what runs goes on; all else is the same."""
    assert str(PolygonSettings(kind="polygon", api_key=SecretStr(CANARY)).base_url) == "https://api.polygon.io/"
    assert issubclass(Polygon, Massive)


def test_the_old_host_answers_alike(provider: RunningProvider, runtime: Runtime) -> None:
    """Shares, indices and currencies."""
    feed = connected(Polygon, provider, runtime)
    answer = feed.poll(subscribe(Polygon, "AAPL", "^SPX", "EUR/USD"))
    feed.close()
    assert all(isinstance(tick, Tick) for tick in answer.values())
