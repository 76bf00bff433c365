"""The providers' servers, one process each for all tests of a module, the runtime that the feeds run on, and an upstream relay."""

from collections.abc import Iterator

import pytest

from tests.feeds.tickercast.relaying import Upstream
from tests.providers.client import RunningProvider, running
from web.runtime import EventletRuntime


@pytest.fixture(scope="session")
def runtime() -> EventletRuntime:
    """The real one: deadlines must work on the sockets that are used."""
    return EventletRuntime()


@pytest.fixture
def upstream(runtime: EventletRuntime) -> Upstream:
    """One that has let us in, and has prices of A and B."""
    upstream = Upstream(runtime)
    upstream.want("A", "B")
    upstream.greet()
    upstream.acknowledge()
    return upstream


@pytest.fixture(scope="module")
def _provider(request: pytest.FixtureRequest) -> Iterator[RunningProvider]:
    with running(request.module.PROVIDER, limits=False) as provider:
        yield provider


@pytest.fixture
def provider(_provider: RunningProvider) -> RunningProvider:
    """The provider that the module names in `PROVIDER`, without limits, everything healed."""
    _provider.forget()
    return _provider


@pytest.fixture(scope="session")
def _binance() -> Iterator[RunningProvider]:
    with running("binance") as provider:
        yield provider


@pytest.fixture(scope="session")
def _coinbase() -> Iterator[RunningProvider]:
    with running("coinbase", limits=False) as provider:
        yield provider


@pytest.fixture(scope="session")
def _kraken() -> Iterator[RunningProvider]:
    with running("kraken", limits=False) as provider:
        yield provider


@pytest.fixture(scope="session")
def _yahoo() -> Iterator[RunningProvider]:
    with running("yahoo", limits=False) as provider:
        yield provider


@pytest.fixture
def binance(_binance: RunningProvider) -> RunningProvider:
    """A Binance with its limits (they are far), everything healed."""
    _binance.forget()
    return _binance


@pytest.fixture
def coinbase(_coinbase: RunningProvider) -> RunningProvider:
    """A Coinbase without limits, everything healed."""
    _coinbase.forget()
    return _coinbase


@pytest.fixture
def kraken(_kraken: RunningProvider) -> RunningProvider:
    """A Kraken without limits, everything healed."""
    _kraken.forget()
    return _kraken


@pytest.fixture
def yahoo(_yahoo: RunningProvider) -> RunningProvider:
    """A Yahoo without limits (who looks like no browser is limited all the same), everything healed."""
    _yahoo.forget()
    return _yahoo
