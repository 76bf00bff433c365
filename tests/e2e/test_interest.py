"""What somebody watches is polled often, the rest now and then: counted by the provider's server, for each way to watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.e2e.raw import RawSocket
from tests.e2e.server import RunningServer, serving
from tests.e2e.waiting import wait
from tests.providers.client import RunningProvider, running

COINS = ("ADA-USD", "BTC-USD", "ETH-USD", "SOL-USD")
OFTEN = 5
SETTINGS = """
[feeds.coinbase]
kind = "coinbase"
interval_s = 0.5
interest = true
idle_interval_s = 600
base_url = "COINBASE"

[symbols]
""" + "".join(f'"{coin}" = {{ feed = "coinbase" }}\n' for coin in COINS)


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """One that counts nothing against us."""
    with running("coinbase", limits=False) as provider:
        yield provider


@pytest.fixture
def server(provider: RunningProvider) -> Iterator[RunningServer]:
    """A relay of the test's own, as all that it asks for is counted: nobody watches, and each symbol has been asked for once."""
    provider.forget()
    with serving(SETTINGS.replace("COINBASE", provider.url)) as server:
        wait_for(provider, dict.fromkeys(COINS, 1))
        yield server


def asked(provider: RunningProvider) -> Counter[str]:
    """How often the price of each coin was asked for."""
    return Counter(path.split("/")[2] for path in provider.paths() if path.endswith("/ticker"))


def wait_for(provider: RunningProvider, wanted: dict[str, int]) -> Counter[str]:
    """Wait until each of these coins was asked for so often; returns how often all were."""
    wait(lambda: all(asked(provider)[coin] >= times for coin, times in wanted.items()), lambda: asked(provider))
    return asked(provider)


def test_a_client_of_a_symbol_watches_it(provider: RunningProvider, server: RunningServer) -> None:
    """From when it joins, at once, until it leaves; nobody else's symbol is asked for meanwhile."""
    client = RawSocket(server.address)
    client.join("/BTC-USD")
    counts = wait_for(provider, {"BTC-USD": 1 + OFTEN})
    assert {counts[coin] for coin in COINS if coin != "BTC-USD"} == {1}
    client.close()
    other = RawSocket(server.address)
    other.join("/ETH-USD")
    before = wait_for(provider, {"ETH-USD": 1 + OFTEN})["BTC-USD"]
    assert wait_for(provider, {"ETH-USD": 1 + 2 * OFTEN})["BTC-USD"] == before, "nobody watches it any more"
    other.close()


def test_whoever_asks_over_rest_is_interested_for_a_while(provider: RunningProvider, server: RunningServer) -> None:
    """In what it asked for."""
    assert server.get("/api/quotes/SOL-USD").status == 200
    counts = wait_for(provider, {"SOL-USD": 1 + OFTEN})
    assert {counts[coin] for coin in COINS if coin != "SOL-USD"} == {1}
    stale_after_s = {entry["symbol"]: entry["stale_after_s"] for entry in server.get("/api/symbols").json["symbols"]}
    assert (stale_after_s["SOL-USD"], stale_after_s["ADA-USD"]) == (10.0, 1800.0), "limits follow the intervals in force"


def test_a_subscription_to_everything_watches_everything(provider: RunningProvider, server: RunningServer) -> None:
    """The star is for all symbols there are."""
    client = RawSocket(server.address)
    client.join("/")
    assert client.ask("subscribe", {"symbols": "*"})["ok"]
    wait_for(provider, dict.fromkeys(COINS, 1 + OFTEN))
    client.close()


def test_lines_of_json_watch_everything(provider: RunningProvider) -> None:
    """Whoever reads them wants all of it."""
    provider.forget()
    with serving(SETTINGS.replace("COINBASE", provider.url), "--ndjson"):
        wait_for(provider, dict.fromkeys(COINS, 1 + OFTEN))
