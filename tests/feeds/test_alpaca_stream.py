"""Alpaca's stream: who we are, what we want, trades, quotes and days; and a server that speaks its wire."""

import json
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ticker.streaming.streamer
from feeds.alpaca_stream import FINAL, AlpacaSession, AlpacaStream
from tests.feeds.alpaca_words import (
    AT_MS,
    AUTHENTICATED,
    CONNECTED,
    DAY,
    FULL,
    HALT,
    MINUTE,
    QUOTE,
    TICK,
    TRADE,
    cancelled,
    corrected,
    in_force,
    wanting,
)
from tests.feeds.streams.streaming import Bench, said, sent, survives
from tests.feeds.support import CANARY, JSON, complaint, mutated, subscribe
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Correction, Tick
from ticker.runtime import Runtime
from ticker.source import Ended

PROVIDER = "alpaca_stream"


def test_first_who_we_are_then_what_we_want() -> None:
    """Not a word before `connected`, and no wish before `authenticated`."""
    session = AlpacaSession({}, "key", "secret")
    session.want(subscribe(AlpacaStream, "NVDA", "BRK-B"))
    assert sent(session, 0.0) == []
    said(session, CONNECTED)
    assert sent(session, 1.0) == [{"action": "auth", "key": "key", "secret": "secret"}]
    assert sent(session, 2.0) == []
    said(session, AUTHENTICATED)
    wish = ["NVDA", "BRK.B"]
    assert sent(session, 3.0) == [{"action": "subscribe", "trades": wish, "quotes": wish, "dailyBars": wish, "statuses": wish}]
    assert not session.ready
    said(session, in_force("NVDA", "BRK.B"))
    assert session.ready


def test_a_trade_is_a_price_and_a_quote_stands_beside_it() -> None:
    """Nine digits of a second; what the day has been; a side of 0 is none. A quote alone is no price."""
    session = wanting()
    assert said(session, [QUOTE, DAY]) == {}
    assert said(session, [TRADE]) == {"NVDA": TICK}
    assert said(session, [QUOTE], [DAY]) == {"NVDA": msgspec.structs.replace(FULL, prev_close=None)}
    tick = said(session, [QUOTE | {"bp": 0}])["NVDA"]
    assert isinstance(tick, Tick)
    assert (tick.bid, tick.ask) == (None, 181.31)


def test_a_trade_stretches_the_day_and_forgets_the_change() -> None:
    """What was compared with the close before is computed anew by the board."""
    known = {"NVDA": Tick(price=180.0, high=181.0, low=179.0, prev_close=178.0, change=2.0, change_pct=1.1236, quote_time=AT_MS - 1000)}
    assert said(wanting(known=known), [TRADE]) == {
        "NVDA": Tick(price=181.305, high=181.305, low=179.0, prev_close=178.0, quote_time=AT_MS, session="regular")
    }


def test_several_points_in_one_message_and_other_kinds_passed_over() -> None:
    """The last trade counts; minute bars, limits and imbalances say nothing here, nor does a stranger's trade."""
    later = TRADE | {"p": 181.4, "t": "2026-05-28T19:59:59.999Z"}
    others = [MINUTE, {"T": "l", "S": "NVDA", "u": 190, "d": 170}, {"T": "i", "S": "NVDA", "p": 1}, {"T": "new"}, TRADE | {"S": "AAPL"}]
    assert said(wanting(), [*others, TRADE, later]) == {"NVDA": msgspec.structs.replace(TICK, price=181.4, quote_time=AT_MS + 876)}


def test_the_night_has_its_session() -> None:
    """Whatever the hour: there are no other trades."""
    (tick,) = said(wanting(data_feed="overnight"), [TRADE | {"t": "2026-12-01T02:15:46.208Z", "x": ""}]).values()
    assert isinstance(tick, Tick)
    assert (tick.session, tick.price) == ("overnight", 181.305)


def test_an_unreadable_time_or_side_costs_no_trade() -> None:
    """The trade is the newest then."""
    session = wanting(known={"NVDA": FULL})
    (tick,) = said(session, [TRADE | {"p": 181.5, "t": "soon"}]).values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.quote_time, tick.untimed) == (181.5, None, True)
    assert [odd.field for odd in tick.odd or ()] == ["quote_time"]
    (quoted,) = said(session, [QUOTE | {"bp": "unch"}]).values()
    assert isinstance(quoted, Tick)
    assert (quoted.price, quoted.bid, quoted.ask) == (181.5, None, 181.31)


def test_an_older_bar_of_a_day_is_passed_over() -> None:
    """It says nothing of the day of the price."""
    assert said(wanting(known={"NVDA": FULL}), [DAY | {"t": "2026-05-27T04:00:00Z", "h": 999}]) == {}


def test_a_channel_that_the_stream_has_not_is_left_out() -> None:
    """410: without statuses, then without bars; the prices come in any case."""
    session = wanting()
    error = [{"T": "error", "code": 410, "msg": "invalid subscribe action for this feed"}]
    wishes = []
    for at_s in range(1, 4):
        assert said(session, error) == {}
        wishes += [list(message) for message in sent(session, float(at_s))]
    assert wishes == [["action", "trades", "quotes", "dailyBars"], ["action", "trades", "quotes"], ["action", "trades"]]
    (refused,) = said(session, error).values()
    assert isinstance(refused, FeedError)
    session = wanting("BTC-USD", data_feed="crypto")
    session.ask_again(["BTC/USD"])
    assert list(sent(session, 1.0)[0]) == ["action", "trades", "quotes", "dailyBars"]


def test_an_older_trade_is_passed_over() -> None:
    """They come late now and then."""
    session = wanting()
    said(session, [TRADE])
    assert said(session, [TRADE | {"p": 1, "t": "2026-05-28T19:59:58Z"}], [TRADE | {"p": 1, "t": "2026-05-27T19:59:58Z"}]) == {}


def test_a_bad_trade_is_an_error_though_a_good_quote_follows() -> None:
    """In one message."""
    session = wanting()
    said(session, [TRADE])
    assert isinstance(said(session, [TRADE | {"p": "NaN"}, QUOTE])["NVDA"], FeedError)
    assert isinstance(said(session, [QUOTE])["NVDA"], Tick)


def test_crypto_is_in_the_second_currency() -> None:
    """`BTC/USDT` is in Tether."""
    trade = {"T": "t", "S": "BTC/USDT", "p": 64000.5, "s": 0.017615, "t": "2026-05-28T19:59:59.123Z", "i": 3791821231, "tks": "S"}
    assert said(wanting("BTC-USDT", data_feed="crypto"), [trade]) == {
        "BTC-USDT": Tick(price=64000.5, quote_time=AT_MS, currency="USDT", volume_of="24h")
    }


@pytest.mark.parametrize("code", FINAL)
def test_errors_that_end_a_connection_say_so_clearly(code: int) -> None:
    """And whether trying again may help."""
    error = complaint(lambda: said(wanting(), [{"T": "error", "code": code, "msg": "as they say"}]))
    assert isinstance(error, Ended)
    assert f"({code})" in str(error)
    assert error.retryable == (code not in (402, 408, 409, 411))


def test_too_many_symbols_are_made_fewer_until_they_fit() -> None:
    """The free plan's thirty first, then halves; those that are too many say so, and come in when there is room."""
    ids = [f"S{number}" for number in range(40)]
    error = [{"T": "error", "code": 405, "msg": "symbol limit exceeded"}]
    session = wanting(*ids)
    said(session, error)
    messages, news = session.due(1.0)
    assert len(json.loads(messages[0])["trades"]) == 30
    too_many = "one connection carries 30 symbols at most"
    assert {symbol: str(problem) for symbol, problem in news.items()} == dict.fromkeys(ids[30:], too_many)
    said(session, error)
    assert len(sent(session, 2.0)[0]["trades"]) == 15
    said(session, in_force(*ids[:15]))
    assert session.ready
    session.want(subscribe(AlpacaStream, *ids[1:]))
    assert [(message["action"], message["trades"]) for at_s in (3.0, 3.2) for message in sent(session, at_s)] == [
        ("unsubscribe", ["S0"]),
        ("subscribe", ["S15"]),
    ]


def test_what_can_be_no_symbol_costs_only_itself() -> None:
    """It spoils its message, unnamed; then each is asked for alone."""
    error = [{"T": "error", "code": 400, "msg": "invalid syntax"}]
    session = wanting("NVDA", "B!D", "AAPL")
    complaint(lambda: said(session, error))
    assert [sent(session, 1 + number / 5)[0]["trades"] for number in range(3)] == [["NVDA"], ["B!D"], ["AAPL"]]
    said(session, in_force("NVDA"))
    complaint(lambda: said(session, error))
    said(session, in_force("NVDA", "AAPL"))
    assert sent(session, 30.0)[0]["trades"] == ["B!D"]
    refused = said(session, error)["B!D"]
    assert isinstance(refused, FeedError)
    assert refused.rejects_symbol


@given(
    mutated([TRADE, QUOTE, DAY])
    | mutated([corrected(181.305, 180.0), cancelled(181.305, i=1), HALT])
    | mutated(in_force("NVDA"))
    | mutated([{"T": "error", "code": 405, "msg": "no"}])
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
)
def test_any_message_is_ticks_or_a_complaint(message: bytes) -> None:
    """Nothing else comes out, whatever came before it."""
    session = wanting()
    said(session, [TRADE])
    survives(session, message, {"NVDA"})


@pytest.fixture
def bench(provider: RunningProvider, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A stream on the local server."""
    monkeypatch.setattr(ticker.streaming.streamer, "LOOK_S", 0.01)
    provider.set(switches={"per_s": 50})
    bench = Bench(AlpacaStream, provider, runtime)
    yield bench
    bench.stop()
    bench.until(lambda: not provider.streams(open_only=True))


@pytest.mark.parametrize(("code", "at_least_s"), [(402, 30), (406, 0.5), (409, 30), (408, 30), (411, 30), (500, 0.5)])
def test_a_refusal_is_clear_and_not_retried_madly(bench: Bench, provider: RunningProvider, code: int, at_least_s: float) -> None:
    """The key is never in it, though the server repeats it; `down` after five, where REST fails too; well again when the plan is."""
    provider.set(switches={"plan": code, "echo_key": True, "per_s": 50})
    provider.fault("status", status=500, path="/v2/stocks")
    bench.want("AAPL")
    bench.until(lambda: bench.told and len(bench.tries_s) >= 6, push_s=max(1, at_least_s / 10))
    assert f"Alpaca: {FINAL[code]} ({code})" in str(bench.told[0][1])
    assert min(bench.pauses_s()) >= at_least_s
    assert bench.pauses_s()[-1] > 2 * at_least_s or at_least_s == 30
    assert bench.state()["state"] == "down"
    assert CANARY not in str(bench.told)
    provider.heal()
    provider.set(switches={"per_s": 50})
    bench.until(lambda: len(provider.streams(open_only=True)) == 1, push_s=5)
    bench.until(lambda: bench.told[-1] == ("ok", None))


@pytest.mark.parametrize(
    ("data_feed", "plan", "why"), [("boats", 409, "the plan does not include this feed (409)"), ("otc", None, "127.0.0.1/v2/otc: HTTP 404")]
)
def test_a_stream_that_is_not_to_be_had_leaves_the_prices_to_rest(
    provider: RunningProvider, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, data_feed: str, plan: int | None, why: str
) -> None:
    """The plan is without it, or there is none: prices come all the same, the feed is `retrying` and says why."""
    monkeypatch.setattr(ticker.streaming.streamer, "LOOK_S", 0.01)
    provider.set(switches={"plan": plan} if plan else {})
    bench = Bench(AlpacaStream, provider, runtime, data_feed=data_feed)
    bench.want("AAPL")
    bench.until(lambda: len(bench.ticks("AAPL")) >= 3, push_s=1)
    bench.until(lambda: len(bench.tries_s) >= 6, push_s=5)
    state = bench.state()
    assert state["state"] == "retrying"
    assert why in str(state["error"])
    bench.stop()
    assert bench.ticks("AAPL")[-1].session == ("overnight" if data_feed == "boats" else bench.ticks("AAPL")[0].session)


@pytest.mark.parametrize(
    ("data_feed", "path"),
    [("overnight", "/v1beta1/overnight"), ("boats", "/v1beta1/boats"), ("sip", "/v2/sip"), ("crypto", "/v1beta3/crypto/us")],
)
def test_each_source_has_its_path(provider: RunningProvider, runtime: Runtime, data_feed: str, path: str) -> None:
    """The night's are not where the day's are."""
    provider.set(switches={"per_s": 50})
    symbol = "BTC-USD" if data_feed == "crypto" else "AAPL"
    bench = Bench(AlpacaStream, provider, runtime, data_feed=data_feed)
    bench.start(symbol)
    bench.until(lambda: len(bench.ticks(symbol)) > 2)
    bench.stop()
    assert provider.streams()[0]["path"] == path
    if path.startswith("/v1beta1/"):  # of the others the hour tells, whatever it is now
        assert bench.ticks(symbol)[-1].session == "overnight"


@pytest.mark.parametrize("false_print", ["x", "c"])
def test_false_prints_of_the_server_do_not_stay(bench: Bench, provider: RunningProvider, false_print: str) -> None:
    """Each trade is followed by one that is none: what is left is the price, and the high is where it was."""
    provider.set(switches={"per_s": 50, "false_print": false_print})
    bench.start("AAPL")
    bench.until(lambda: sum(type(tick) is Correction for tick in bench.ticks("AAPL")) > 5)
    ticks = [tick for tick in bench.ticks("AAPL") if type(tick) is Correction]
    assert max(tick.price for tick in ticks) < 1.2 * min(tick.price for tick in ticks)
    assert all(tick.high is None or tick.high < 1.2 * tick.price for tick in ticks)


def test_a_halt_of_the_server_comes_and_goes(bench: Bench, provider: RunningProvider) -> None:
    """On its tape."""
    bench.start("IBM")
    provider.set(switches={"per_s": 50, "halted": ["IBM"]})
    bench.until(lambda: bench.ticks("IBM")[-1].halted)
    provider.set(switches={"per_s": 50})
    bench.until(lambda: bench.ticks("IBM")[-1].halted is None)


def test_a_second_connection_of_the_key_waits_for_the_first_to_go(bench: Bench, provider: RunningProvider, runtime: Runtime) -> None:
    """406, again and again, more and more slowly; then it is let in."""
    bench.start("AAPL")
    second = Bench(AlpacaStream, provider, runtime)
    second.want("AAPL")
    second.until(lambda: len(second.told) >= 1 and len(second.tries_s) >= 4, push_s=0.2)
    assert "another connection uses this key (406)" in str(second.told[0][1])
    assert not bench.taps[0].closed
    bench.streamer.want([])
    second.until(lambda: second.told[-1] == ("ok", None), push_s=0.5)
    second.stop()


def test_who_is_let_in_too_late_comes_again(bench: Bench, provider: RunningProvider) -> None:
    """404: the server did not hear our key in time."""
    provider.set(switches={"within_s": 0.1, "deaf": True})
    bench.want("AAPL")
    bench.until(lambda: bench.told)
    assert "authenticated too late (404)" in str(bench.told[0][1])


def test_forty_symbols_on_the_free_plan(provider: RunningProvider, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty are streamed; ten say that they are too many, and have the prices from beside the stream."""
    monkeypatch.setattr(ticker.streaming.streamer, "LOOK_S", 0.01)
    provider.set(limits=True, switches={"per_s": 200})
    bench = Bench(AlpacaStream, provider, runtime)
    symbols = [f"T{number:03}" for number in range(40)]
    bench.want(*symbols)
    bench.until(lambda: bench.asked() == [set(symbols[:30])])
    bench.until(lambda: bench.prices().keys() == set(symbols))
    bench.stop()
    assert len(provider.streams()) == 1


def test_delayed_prices_say_so(provider: RunningProvider, runtime: Runtime) -> None:
    """`delayed_sip` is 15 minutes behind; its path and the REST calls name it."""
    provider.set(switches={"per_s": 50})
    bench = Bench(AlpacaStream, provider, runtime, data_feed="delayed_sip")
    bench.start("AAPL")
    bench.until(lambda: len(bench.ticks("AAPL")) > 2)
    bench.stop()
    assert provider.streams()[0]["path"] == "/v2/delayed_sip"
    assert bench.ticks("AAPL")[-1].delay_min == 15
