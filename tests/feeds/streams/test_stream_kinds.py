"""What every feed that streams does alike, each against a server that speaks its provider's wire. Minutes are pushed on, not waited for."""

import base64
import logging
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from pydantic import SecretStr

import ticker.streaming.streamer
from feeds.registry import kinds
from feeds.streams.feed import SnapshotFeed, StreamFeed
from tests.feeds.streams.streaming import Bench
from tests.feeds.support import CANARY, complaint, subscribe, well_formed
from tests.providers.client import RunningProvider, running
from ticker.runtime import Runtime

SYMBOLS = {
    "alpaca_stream": ("AAPL", "MSFT", "BRK.B"),
    "binance_stream": ("BTCUSDT", "ETHUSDT", "SOLUSDT"),
    "coinbase_stream": ("BTC-USD", "ETH-USD", "SOL-USD"),
    "finnhub_stream": ("AAPL", "BINANCE:BTCUSDT", "MSFT"),
    "kraken_stream": ("BTC-USD", "ETH/USD", "SOL/USD"),
    "yahoo_stream": ("AAPL", "BTC-USD", "VOD.L"),
}
KEYED = [kind for kind in SYMBOLS if kinds()[kind].Settings.secrets]
BESIDE = {"alpaca_stream": "/v2/stocks", "yahoo_stream": "/v"}
"""Where those ask that do not ask below `/api`."""
BEATING = ("coinbase_stream", "kraken_stream")
"""Whose protocol promises a sign of life."""


class Case(NamedTuple):
    """A stream, its server, and two symbols that it streams; `third` is another."""

    bench: Bench
    provider: RunningProvider
    kind: str
    symbols: tuple[str, str]
    third: str


def stream_kind(kind: str) -> type[StreamFeed]:
    """The class of a kind that streams."""
    found = kinds()[kind]
    assert issubclass(found, StreamFeed)
    return found


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticker.streaming.streamer, "LOOK_S", 0.01)


@pytest.fixture(scope="module", params=SYMBOLS)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, RunningProvider]]:
    """Each provider's server in turn."""
    with running(request.param, limits=False) as provider:
        yield request.param, provider


@pytest.fixture
def case(server: tuple[str, RunningProvider], runtime: Runtime) -> Iterator[Case]:
    """A stream of its provider, healed; twenty updates a second, and a heartbeat to match."""
    kind, provider = server
    provider.forget()
    provider.set(switches={"per_s": 20, **({"beat_s": 0.02} if kind in BEATING else {})})
    bench = Bench(stream_kind(kind), provider, runtime)
    one, two, third = SYMBOLS[kind]
    yield Case(bench, provider, kind, (one, two), third)
    bench.stop()
    bench.until(lambda: not provider.streams(open_only=True))


def switch(case: Case, **switches: object) -> None:
    """Set these switches besides those of all tests."""
    beat = {"beat_s": 0.02} if case.kind in BEATING else {}
    case.provider.set(switches={"per_s": 20, **beat, **switches})


def test_one_connection_carries_all_symbols(case: Case) -> None:
    """Prices of each, moving, every number in bounds, as the feed's own kind of quote."""
    bench = case.bench
    bench.start(*case.symbols)
    bench.until(lambda: all(len({tick.price for tick in bench.ticks(symbol)}) > 3 for symbol in case.symbols))
    assert all(well_formed(tick) for symbol in case.symbols for tick in bench.ticks(symbol))
    assert len(case.provider.streams()) == 1
    assert bench.feed.quote_kind == "streamed"
    assert (bench.state()["state"], bench.state()["reconnects"], bench.told) == ("ok", 0, [])


def test_symbols_come_and_go_without_a_new_connection(case: Case) -> None:
    """The provider is told of each; what left brings nothing any more."""
    bench, (one, two) = case.bench, case.symbols
    bench.start(one, two)
    bench.want(two, case.third)
    bench.until(lambda: case.third in bench.prices())
    bench.until(lambda: bench.asked() == [{bench.kind.native_id(two), bench.kind.native_id(case.third)}])
    bench.delivered.clear()
    bench.until(lambda: all(len(bench.ticks(symbol)) > 3 for symbol in (two, case.third)))
    assert bench.prices().keys() == {two, case.third}
    assert len(case.provider.streams()) == 1


@pytest.mark.parametrize("how", [{"close": 1012, "reason": "restart"}, {"close": 1001}, {"reset": True}])
def test_a_cut_is_followed_by_a_new_connection_with_all_symbols(case: Case, how: dict[str, object]) -> None:
    """After a pause of 0.5 to 1 s; why is told, and forgotten when prices come."""
    bench = case.bench
    bench.start(*case.symbols)
    case.provider.say(**how)
    bench.until(lambda: bench.told)
    assert bench.told[0][0] == "retrying"
    assert ("restart" in str(bench.told[0][1])) == ("reason" in how)
    bench.delivered.clear()
    bench.until(lambda: bench.prices().keys() == set(case.symbols) and bench.told[-1] == ("ok", None), push_s=0.1)
    bench.until(lambda: [len(asked) for asked in bench.asked()] == [2])
    assert bench.state()["reconnects"] == 1
    assert bench.pauses_s()[0] >= 0.5


def test_the_pause_grows_until_prices_come_whoever_lets_us_in(case: Case) -> None:
    """A server that accepts everybody and says nothing is down after five times; one with prices begins again at half a second."""
    bench = case.bench
    switch(case, cut_s=0)
    case.provider.fault("status", status=500, path=BESIDE.get(case.kind, "/api"))  # nor is there anything beside the stream
    bench.want(*case.symbols)
    bench.until(lambda: len(bench.tries_s) >= 8, push_s=1)
    assert bench.state()["state"] == "down"
    assert max(bench.pauses_s()[5:]) > 5
    case.provider.heal()
    switch(case)
    bench.until(lambda: bench.told[-1] == ("ok", None), push_s=1)
    case.provider.say(close=1001)
    bench.until(lambda: bench.told[-1] != ("ok", None))
    failed_ms = bench.clock.now_ms()
    assert bench.told[-1][0] == "retrying"
    next_try = bench.state()["next_try"]
    assert next_try is not None
    assert next_try - failed_ms <= 1500  # of a first failure, not of a ninth


def test_a_quiet_night_restarts_nothing_that_is_told(case: Case) -> None:
    """Minutes without a price: heartbeats or pings show that the connection lives, and the feed is well all the time."""
    bench = case.bench
    bench.start(*case.symbols)
    switch(case, quiet=True)
    signs = bench.taps[-1].signs
    bench.until(lambda: bench.taps[-1].signs > signs if case.kind in BEATING else True)
    for _ in range(72 if case.kind not in BEATING else 24):
        bench.pass_s(5, step_s=5)
        tap = bench.taps[-1]
        if case.kind in BEATING or tap.pings:
            seen = tap.signs if case.kind in BEATING else tap.pings - 1
            bench.until(lambda tap=tap, seen=seen: tap.signs > seen or tap.closed)  # type: ignore[misc]
    assert bench.told == []
    if case.kind in BEATING:
        assert len(bench.taps) == 1
    switch(case)
    bench.delivered.clear()
    bench.until(lambda: bench.prices().keys() == set(case.symbols))


def test_a_dead_connection_is_replaced(case: Case) -> None:
    """Not a byte, and TCP knows nothing of it: within 30 s, 15 where the protocol promises a heartbeat."""
    bench = case.bench
    bench.start(*case.symbols)
    switch(case, mute=True)
    since_s = bench.clock.monotonic()
    bench.until(lambda: bench.told, push_s=0.25)
    took_s = bench.clock.monotonic() - since_s
    assert bench.told[0][0] == "retrying"
    assert ("no heartbeat" if case.kind in BEATING else "not a byte") in str(bench.told[0][1])
    assert took_s < (25 if case.kind in BEATING else 45)  # pushed time, in which a look may fall late
    switch(case)
    bench.delivered.clear()
    bench.until(lambda: bench.prices().keys() == set(case.symbols), push_s=0.1)


def test_prices_come_before_the_first_trade(case: Case) -> None:
    """From the stream's own snapshot, or over REST."""
    bench = case.bench
    switch(case, quiet=True)
    bench.start(*case.symbols)
    assert len(case.provider.streams()) == 1
    asked_rest = [request for request in case.provider.requests() if request["status"] == 200]
    assert bool(asked_rest) == isinstance(bench.feed, SnapshotFeed)


def test_an_unknown_symbol_costs_only_itself(case: Case) -> None:
    """It is rejected by name, on the same connection, and the others have prices."""
    bench = case.bench
    unknown = {"coinbase_stream": "NOPE-USD", "kraken_stream": "NOPE/USD"}.get(case.kind, "NOPE")
    bench.want(*case.symbols, unknown)
    bench.until(lambda: bench.prices().keys() == set(case.symbols))
    if case.kind == "finnhub_stream":  # once may be bad luck there: it is asked again in its time
        bench.until(lambda: len(case.provider.requests()) >= 4)
        bench.pass_s(65, step_s=5)
    bench.until(lambda: bench.errors().keys() == {unknown} and bench.errors()[unknown].rejects_symbol)
    assert not bench.errors()[unknown].retryable
    assert (len(case.provider.streams(open_only=True)), bench.state()["state"]) == (1, "ok")


@pytest.mark.parametrize(("status", "header", "waits_s"), [
    (401, {}, (30, 61)), (403, {}, (30, 61)), (429, {"retry-after": "7"}, (7, 8)), (503, {"Retry-After": "9"}, (9, 10)),
    (500, {}, (0.5, 1)), (429, {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "20"}, (20, 22.1))])  # fmt: skip
def test_a_refused_handshake_says_how_long_to_wait(case: Case, status: int, header: dict[str, str], waits_s: tuple[float, float]) -> None:
    """As any answer over HTTP; a wrong key is not tried again soon."""
    bench = case.bench
    case.provider.fault("status", status=status, headers=header, times=1, upgrade=True)
    case.provider.set(switches={"per_s": 20})
    bench.want(*case.symbols)
    bench.until(lambda: bench.told)
    assert f"HTTP {status}" in str(bench.told[0][1])
    next_try = bench.state()["next_try"]
    assert next_try is not None
    assert waits_s[0] <= (next_try - bench.clock.now_ms()) / 1000 + 0.5 <= waits_s[1] + 1
    bench.until(lambda: len(bench.tries_s) == 2, push_s=max(0.2, waits_s[0] / 20))
    assert bench.pauses_s()[0] >= waits_s[0]


NONSENSE = ("what?", "null", "[]", "{}", "[null]", '"text"', "[[[[", "\x00", "NaN", '{"type":', "9" * 400, "[" * 100_000)


def test_messages_that_make_no_sense_cost_only_themselves(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever stands in them; the connection stays, and a line in the log tells of the first."""
    bench = case.bench
    bench.start(*case.symbols)
    with caplog.at_level(logging.WARNING):
        case.provider.say(*NONSENSE)
        bench.until(lambda: NONSENSE[-1].encode() in bench.taps[0].messages)
        bench.delivered.clear()
        bench.until(lambda: bench.prices().keys() == set(case.symbols))
    assert len(bench.taps) == 1
    assert bench.told == []
    assert len(caplog.records) <= 1
    assert all(len(record.getMessage()) < 500 for record in caplog.records)


def test_bytes_in_place_of_text_cost_only_themselves(case: Case) -> None:
    """A binary message that is no JSON."""
    bench = case.bench
    bench.start(*case.symbols)
    case.provider.say(binary=[base64.b64encode(bytes(range(256))).decode()])
    bench.until(lambda: bytes(range(256)) in bench.taps[0].messages)
    bench.delivered.clear()
    bench.until(lambda: bench.prices().keys() == set(case.symbols))
    assert len(bench.taps) == 1


HUGE = bytes([0x81, 127]) + (1 << 40).to_bytes(8, "big")
NOISE = b"HTTP/1.1 500 Internal Server Error\r\n\r\n"


@pytest.mark.parametrize(("raw", "reason"), [(HUGE, "1009"), (NOISE, "1002"), (b"\x81\x81\x00\x00\x00\x00a", "1002")])
def test_frames_that_cannot_be_end_the_connection_and_say_why(case: Case, raw: bytes, reason: str) -> None:
    """A message of a terabyte, no frame at all, a masked one: over at once, and another connection follows."""
    bench = case.bench
    bench.start(*case.symbols)
    case.provider.say(raw=[base64.b64encode(raw).decode()])
    bench.until(lambda: bench.told)
    assert f"closed by us with {reason}" in str(bench.told[0][1])
    bench.delivered.clear()
    bench.until(lambda: bench.prices().keys() == set(case.symbols), push_s=0.1)


def test_a_symbol_whose_numbers_are_none_has_an_error_and_the_other_its_price(case: Case) -> None:
    """One bad row."""
    bench, (one, two) = case.bench, case.symbols
    bench.start(one, two)
    price = {"alpaca_stream": "p", "binance_stream": "c", "coinbase_stream": "price", "finnhub_stream": "p", "kraken_stream": "last",
             "yahoo_stream": "2"}[case.kind]  # fmt: skip
    case.provider.set(rows={bench.kind.native_id(one): {price: "n/a"}})
    bench.until(lambda: one in bench.errors())
    bench.delivered.clear()
    bench.until(lambda: two in bench.prices())
    assert bench.taps[0].closed is False


def test_secrets_never_show(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever repeats them: a refusal over HTTP, an error message, the reason of a close; in any spelling, at the level of debugging."""
    if case.kind not in KEYED:
        return
    bench = case.bench
    encoded = CANARY.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    escaped = CANARY.replace("/", "\\/")
    with caplog.at_level(logging.DEBUG):
        for status in (401, 429, 500, 503):
            case.provider.fault("status", status=status, body=f'{{"error":"{CANARY} {encoded} {escaped}"}}', times=1)
            error = complaint(lambda: bench.feed.open(subscribe(bench.kind, *case.symbols)))
            logging.getLogger("ticker").error("%s %s", error, error.excerpt, exc_info=error)
        bench.start(*case.symbols)
        for spelling in (CANARY, encoded, escaped):
            case.provider.say(f'[{{"T":"error","code":999,"msg":"{spelling}"}}]', f'{{"type":"error","msg":"key {spelling}"}}', spelling)
            case.provider.say(close=1008, reason=spelling)
            bench.until(lambda: bench.taps[-1].closed)
            taps = len(bench.taps)
            bench.until(lambda taps=taps: len(bench.taps) > taps, push_s=2)  # type: ignore[misc]
            bench.until(lambda: bench.told[-1] == ("ok", None))
    shown = [caplog.text, str(bench.told), str(bench.state()), repr(bench.feed.settings), str(bench.errors())]
    assert "***" in shown[0]
    assert not any(spelling in text for text in shown for spelling in (CANARY, encoded, escaped))


def test_a_wrong_key_is_not_tried_again_soon(case: Case, runtime: Runtime) -> None:
    """Time does not mend it."""
    if case.kind not in KEYED:
        return
    wrong = Bench(stream_kind(case.kind), case.provider, runtime, **{name: SecretStr("wrong") for name in case.bench.feed.settings.secrets})
    wrong.want(*case.symbols)
    wrong.until(lambda: wrong.told)
    wrong.until(lambda: len(wrong.tries_s) == 3, push_s=3)
    wrong.stop()
    assert min(wrong.pauses_s()) >= 30
    assert wrong.prices() == {}


def test_a_secret_is_a_secret_in_the_settings() -> None:
    """It can't be shown by accident, and one that no header can carry is refused without showing it."""
    for kind in KEYED:
        model = kinds()[kind].Settings
        given = {name: SecretStr(CANARY) for name in model.secrets}
        settings = model.model_validate({"kind": kind, **given})
        assert CANARY not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
        with pytest.raises(ValueError, match="without spaces"):
            model.model_validate({"kind": kind, **given, model.secrets[0]: SecretStr("two words")})
