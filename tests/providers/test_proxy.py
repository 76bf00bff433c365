"""The fault proxy passes on what it is not told to spoil, and the servers count what arrives."""

import http.client
import json
from collections.abc import Iterator

import pytest

from tests.providers.client import RunningProvider, in_front_of, running
from tests.providers.counted import Counted
from tests.providers.proxy import CHAOS, Proxy, ProxyServer
from tests.ticker.stepped import SteppedTime

TICKERS = "/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22%5D"


@pytest.fixture(scope="module")
def _pair() -> Iterator[tuple[RunningProvider, RunningProvider]]:
    with running("binance", limits=False) as binance, in_front_of(binance) as proxy:
        yield binance, proxy


@pytest.fixture
def behind(_pair: tuple[RunningProvider, RunningProvider]) -> RunningProvider:
    """A provider's server."""
    _pair[0].forget()
    return _pair[0]


@pytest.fixture
def proxy(_pair: tuple[RunningProvider, RunningProvider]) -> RunningProvider:
    """What stands in front of it."""
    _pair[1].forget()
    return _pair[1]


def ask(server: RunningProvider, path: str = TICKERS) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one GET."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", path, headers={"X-Key": "k", "User-Agent": "a test"})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def test_what_is_not_spoilt_passes_as_it_is(proxy: RunningProvider, behind: RunningProvider) -> None:
    """Path, query and headers one way; status, headers and body the other, errors among them."""
    status, headers, body = ask(proxy)
    assert (status, json.loads(body)[0]["symbol"]) == (200, "BTCUSDT")
    assert int(headers["x-mbx-used-weight-1m"]) > 0
    (request,) = behind.requests()
    assert (request["query"], request["headers"]["x-key"]) == ({"symbols": '["BTCUSDT"]'}, "k")
    assert ask(proxy, TICKERS.replace("BTC", "NOPE"))[0] == 400


def test_a_fault_is_played_on_top(proxy: RunningProvider, behind: RunningProvider) -> None:
    """So often, and at so many requests, as it says; what is behind notices nothing."""
    proxy.fault("status", status=429, retry_after="7", every=2)
    assert [ask(proxy)[0] for _ in range(4)] == [200, 429, 200, 429]
    proxy.fault("status", status=503, times=1)
    assert [ask(proxy)[0] for _ in range(2)] == [503, 200]
    assert len(behind.requests()) == 6


def test_an_old_answer_again_and_again(proxy: RunningProvider, behind: RunningProvider) -> None:
    """The one that came first since it was told so; another request has another."""
    before = ask(proxy)[2]
    proxy.fault("repeat")
    repeated = {ask(proxy)[2] for _ in range(3)}
    assert len(repeated) == 1
    assert repeated != {before}
    assert json.loads(ask(proxy, TICKERS.replace("BTC", "ETH"))[2])[0]["symbol"] == "ETHUSDT"
    proxy.heal()
    assert ask(proxy)[2] not in repeated


def test_times_of_the_past(proxy: RunningProvider, behind: RunningProvider) -> None:
    """Every other answer an hour old, in ms or as a date; prices are as they are."""
    proxy.fault("past", every=2)
    now_ms, past_ms = (json.loads(ask(proxy)[2])[0]["closeTime"] for _ in range(2))
    assert 3_599_000 < now_ms - past_ms <= 3_600_000
    with running("coinbase", limits=False) as coinbase:
        behind_time = json.loads(ask(coinbase, "/products/BTC-USD/ticker")[2])["time"]
        coinbase.fault("past")
        moved = json.loads(ask(coinbase, "/products/BTC-USD/ticker")[2])["time"]
    assert moved < behind_time
    assert moved.endswith("Z")


def test_chaos_is_the_same_for_the_same_seed() -> None:
    """Random, and repeatable; a fault that is set goes before it."""
    server = ProxyServer(Proxy("http://127.0.0.1:1"), 0)
    try:

        def faults(seed: int) -> list[str | None]:
            server.set_control({"switches": {"chaos": seed}})
            return [fault["name"] if fault else None for fault in (server.next_fault("/") for _ in range(300))]

        seven, eight, again = faults(7), faults(8), faults(7)
        assert seven == again != eight
        assert {name for name in seven if name} == {name for name, _ in CHAOS}
        assert 60 <= 300 - seven.count(None) <= 120
        server.set_control({"fault": {"name": "reset"}})
        assert set(faults(9)) == {"reset"}
    finally:
        server.server_close()


def test_nobody_behind_is_a_bad_gateway() -> None:
    """A proxy answers for itself."""
    with in_front_of(RunningProvider("http://127.0.0.1:1")) as nobody:
        assert ask(nobody)[0] == 502


def test_the_most_in_any_window_is_counted() -> None:
    """Wherever one begins: three in 0.9 s across two full seconds."""
    time = SteppedTime()
    counted = Counted({"calls_per_s": 2, "weight_per_min": 10}, time.monotonic)
    for second in (0.0, 0.6, 1.1, 1.5, 1.7, 90.0):
        time.passed_s = second
        counted.count({"calls": 1, "weight": 3})
    assert counted.shown() == {"calls_per_s": {"limit": 2, "most": 3, "total": 6}, "weight_per_min": {"limit": 10, "most": 15, "total": 18}}
    counted.forget()
    assert counted.shown()["calls_per_s"] == {"limit": 2, "most": 0, "total": 0}


def test_a_client_that_asks_too_often_is_found_out(behind: RunningProvider) -> None:
    """By weight, however its calls are made up; forgotten when told so."""
    for _ in range(3):
        ask(behind)
    assert behind.budget() == {"weight_per_min": {"limit": 6000, "most": 6, "total": 6}}
    assert behind.exceeded() == []
    for _ in range(75):
        ask(behind, "/api/v3/ticker/24hr?symbols=" + "%2C".join(["x"] * 101))
    assert behind.exceeded() == ["weight_per_min"]
    behind.forget()
    assert behind.exceeded() == []
