"""The streams end to end, through a network that cuts, silences, throttles, slices and reorders what their servers say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.e2e.quote_checks import check_quote
from tests.e2e.raw import RawSocket
from tests.e2e.server import PATIENCE_S, RunningServer, serving
from tests.e2e.waiting import wait
from tests.providers.client import RunningProvider, network_in_front_of
from tests.providers.client import running as provider

SYMBOLS = {
    "alpaca_stream": ("AAPL", "MSFT"),
    "binance_stream": ("BTCUSDT", "ETHUSDT"),
    "coinbase_stream": ("BTC-USD", "ETH-USD"),
    "finnhub_stream": ("IBM", "BINANCE:BTCUSDT"),
    "kraken_stream": ("BTC/EUR", "ETH/EUR"),
    "yahoo_stream": ("VOD.L", "GC=F"),
}
UNKNOWN = {"alpaca_stream": "ZZZZ", "binance_stream": "NOPEUSDT", "coinbase_stream": "NOPE-USD", "kraken_stream": "NOPE/EUR",
           "yahoo_stream": "NOPE.L"}  # fmt: skip
KEYS = {f"FEEDS__{name}": "C4nary-K3y" for name in ("ALPACA_STREAM__API_KEY", "ALPACA_STREAM__API_SECRET", "FINNHUB_STREAM__API_KEY")}
Known = dict[str, dict[str, Any]]


class Streams:
    """All six, each behind a network of its own; a relay that streams from them; and a client that reads the board."""

    def __init__(self, stack: ExitStack) -> None:
        self.providers = {kind: stack.enter_context(provider(kind, limits=False)) for kind in SYMBOLS}
        for running in self.providers.values():
            running.set(switches={"per_s": 20})
        self.networks = {kind: stack.enter_context(network_in_front_of(running)) for kind, running in self.providers.items()}
        self.server: RunningServer = stack.enter_context(serving(settings(self.networks), variables=KEYS))
        self.board: RawSocket = stack.enter_context(closing(RawSocket(self.server.address)))
        self.known: Known = {}
        self.seen = 0
        self.board.join("/")
        assert self.board.ask("subscribe", {"symbols": "*"})["ok"]

    def follow(self, until: Callable[[Known], bool]) -> float:
        """Read the board until `until` holds; nothing may go backwards. Returns how long it took, seconds."""
        began_s = time.monotonic()
        while not until(self.known):
            assert time.monotonic() < began_s + PATIENCE_S, ({symbol: quote["state"] for symbol, quote in self.known.items()}, self.feeds())
            for quote in self.board.event("quotes"):
                check_quote(quote, quote["symbol"])
                before = self.known.get(quote["symbol"], {})
                assert quote["seq"] > before.get("seq", 0)
                assert quote.get("quote_time", 0) >= before.get("quote_time", 0), (before, quote)
                self.known[quote["symbol"]] = quote
                self.seen += 1
        return time.monotonic() - began_s

    def moves(self, symbols: set[str]) -> float:
        """Read until each of `symbols` has had three more updates and is fresh; returns how long it took, seconds."""
        start = {symbol: self.known[symbol]["seq"] for symbol in symbols}
        return self.follow(
            lambda known: all(known[symbol]["seq"] >= start[symbol] + 3 and known[symbol]["state"] == "fresh" for symbol in symbols)
        )

    def recovers(self, before: Mapping[str, dict[str, Any]]) -> float:
        """Read until every feed has connected once more than `before` and its symbols move; returns how long it took, seconds."""
        began_s = looked_s = time.monotonic()
        again = False

        def connected(_: Known) -> bool:
            nonlocal again, looked_s
            if not again and time.monotonic() - looked_s > 0.1:
                looked_s = time.monotonic()
                feeds = self.feeds().items()
                again = all(feed["state"] == "ok" and feed["reconnects"] > before[name]["reconnects"] for name, feed in feeds)
            return again

        self.follow(connected)
        self.moves(ALL)
        return time.monotonic() - began_s

    def feeds(self) -> Mapping[str, dict[str, Any]]:
        """What the status says of each stream."""
        return {feed["feed"]: feed for feed in self.server.get("/api/status").json["feeds"] if feed["feed"] in SYMBOLS}

    def spoil(self, **switches: Any) -> None:
        """Let every network do this, and nothing else."""
        for network in self.networks.values():
            network.set(switches=switches)


ALL = {symbol for symbols in SYMBOLS.values() for symbol in symbols}


def settings(servers: Mapping[str, RunningProvider]) -> str:
    """A feed for each kind, called like it, with two symbols that exist and one that does not; and one that always moves."""
    addresses = {kind: server.url.replace("http", "ws", 1) for kind, server in servers.items()}
    feeds = "".join(f'[feeds.{kind}]\nkind = "{kind}"\nbase_url = "{address}"\n' for kind, address in addresses.items())
    wishes = [(symbol, kind) for kind, symbols in SYMBOLS.items() for symbol in (*symbols, UNKNOWN.get(kind)) if symbol is not None]
    steady = '[feeds.steady]\nkind = "simulated"\ninterval_s = 0.2\n[symbols]\nSTEADY = { feed = "steady" }\n'
    return feeds + steady + "".join(f'"{symbol}" = {{ feed = "{kind}" }}\n' for symbol, kind in wishes)


@pytest.fixture(scope="module")
def _streams() -> Iterator[Streams]:
    with ExitStack() as stack:
        yield Streams(stack)


@pytest.fixture
def streams(_streams: Streams) -> Iterator[Streams]:
    """All of them, well, with a price of each symbol."""
    _streams.spoil()
    _streams.follow(lambda known: known.keys() >= ALL and all(known[symbol]["state"] == "fresh" for symbol in ALL))
    yield _streams
    assert "C4nary" not in "\n".join(_streams.server.log)
    assert "C4nary" not in _streams.server.get("/api/status").body.decode()
    assert _streams.server.lines("a bug|ERROR") == []


def test_every_stream_brings_its_prices_over_one_connection(streams: Streams) -> None:
    """As `streamed`, from its feed; a symbol that does not exist is rejected, and costs nobody else anything."""
    streams.moves(ALL)
    for kind, symbols in SYMBOLS.items():
        assert {(streams.known[symbol]["kind"], streams.known[symbol]["source"]) for symbol in symbols} == {("streamed", kind)}
        assert len(streams.providers[kind].streams(open_only=True)) == 1
    assert {feed["state"] for feed in streams.feeds().values()} == {"ok"}

    def rejected() -> set[str]:
        return {entry["symbol"] for entry in streams.server.get("/api/symbols").json["symbols"] if entry["status"] == "rejected"}

    wait(lambda: rejected() == set(UNKNOWN.values()), rejected)


def test_a_symbol_that_is_added_needs_no_new_connection(streams: Streams) -> None:
    """Saved in the settings, it is there; taken out, it is gone; the connection stays."""
    connects = {kind: len(running.streams()) for kind, running in streams.providers.items()}
    streams.server.edit(lambda text: text + '"SOL-USD" = { feed = "coinbase_stream" }\nTSLA = { feed = "alpaca_stream" }\n')
    streams.follow(lambda known: {"SOL-USD", "TSLA"} <= known.keys())
    streams.server.edit(lambda text: text.replace('"SOL-USD" = { feed = "coinbase_stream" }\nTSLA = { feed = "alpaca_stream" }\n', ""))
    wait(
        lambda: not any({"SOL-USD", "TSLA"} & set(one["asked"]) for running in streams.providers.values() for one in running.streams(True))
    )
    streams.known.pop("SOL-USD")
    streams.known.pop("TSLA")
    assert {kind: len(running.streams()) for kind, running in streams.providers.items()} == connects


def test_a_cut_is_mended(streams: Streams) -> None:
    """All connections reset at once: each comes back by itself, prices go on from where they were."""
    before = streams.feeds()
    for network in streams.networks.values():
        network.set(cut=True)
    print(f"recovered from a reset: {streams.recovers(before):.2f} s")
    assert all(feed["reconnects"] == before[name]["reconnects"] + 1 for name, feed in streams.feeds().items())


def test_a_refused_connection_is_tried_again(streams: Streams) -> None:
    """Cut, and nobody let in for a while; told as `retrying`, and over when they are."""
    before = streams.feeds()
    for network in streams.networks.values():
        network.set(switches={"refuse": True}, cut=True)
    wait(lambda: {feed["state"] for feed in streams.feeds().values()} == {"retrying"}, streams.feeds)
    streams.spoil()
    print(f"recovered after a refusal: {streams.recovers(before):.2f} s")
    assert {feed["state"] for feed in streams.feeds().values()} == {"ok"}


def test_a_silent_connection_is_noticed_and_replaced(streams: Streams) -> None:
    """Nothing passes any more, and TCP does not say so: after 15 s where heartbeats are promised, 30 s elsewhere."""
    before = streams.feeds()
    streams.spoil(silent=True)
    began_s = time.monotonic()
    noticed_s: dict[str, float] = {}

    def noticed(_: Known) -> bool:
        for name, feed in streams.feeds().items():
            if feed["state"] != "ok":
                noticed_s.setdefault(name, round(time.monotonic() - began_s, 1))
        return len(noticed_s) == len(SYMBOLS)

    streams.follow(noticed)
    streams.spoil()
    print(f"noticed after {noticed_s}; recovered {streams.recovers(before):.2f} s after the network did")


@pytest.mark.parametrize(
    "how", [{"slice": 1}, {"slice": 7}, {"bytes_per_s": 20_000}, {"reorder": 2}, {"reorder": 3, "slice": 3}, {"repeat": 2}]
)
def test_a_bad_line_loses_nothing_and_nothing_goes_backwards(streams: Streams, how: dict[str, int]) -> None:
    """Byte by byte, slowly, out of order, twice: prices move on and no connection is given up."""
    before = streams.feeds()
    streams.spoil(**how)
    for _ in range(5):
        streams.moves(ALL)
    after = streams.feeds()
    assert {name: feed["reconnects"] for name, feed in after.items()} == {name: feed["reconnects"] for name, feed in before.items()}
    assert {feed["state"] for feed in after.values()} == {"ok"}
