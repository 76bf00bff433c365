"""The parsers of all feeds: they answer with what may leave, or complain with a `FeedError`."""

from __future__ import annotations

import gzip
import io
import math
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from types import ModuleType

import urllib3

import feeds.alpaca
import feeds.alphavantage
import feeds.binance
import feeds.coinbase
import feeds.coinbase_advanced
import feeds.coingecko
import feeds.ecb
import feeds.finnhub
import feeds.frankfurter
import feeds.generic.feed
import feeds.kraken.feed
import feeds.kraken.pairs
import feeds.massive
import feeds.replay.feed
import feeds.tiingo
import feeds.twelvedata
import feeds.yahoo.quotes
from feeds.base import Answer, Subscription
from feeds.generic.extraction import Extraction
from feeds.http.answers import BoundedResponse
from feeds.http.decompress import pieces, unpacked
from feeds.http.errors import CONNECTION_ERRORS
from feeds.http.feed import PolledFeed
from feeds.registry import kinds
from feeds.streams.feed import StreamFeed
from feeds.streams.session import StreamSession
from feeds.values.parse import decode
from feeds.values.protobuf import fields
from feeds.values.slices import LARGE_BYTES
from tests.feeds import (
    test_alphavantage,
    test_coinbase_advanced,
    test_coingecko,
    test_ecb,
    test_frankfurter,
    test_massive,
    test_tiingo,
)
from tests.feeds.support import home_of_tests, subscribe
from tests.feeds.yahoo import test_charts, test_quotes
from tests.fuzz.seeds import BROKEN, FOUND, encoded, shown_by, varied
from tests.fuzz.target import Target
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.settings import SymbolOptions
from ticker.sinks.recording import NotARecording, as_tick, read_batch, read_header, time_of
from web.runtime import EventletRuntime

TRADE = {"T": "t", "i": 1, "S": "AAPL", "x": "D", "p": 126.55, "s": 1, "t": "2021-02-22T15:51:44.208Z", "c": ["@"], "z": "C"}
PAIRS = b'{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD","status":"online"}}}'


def well_formed(value: object) -> bool:
    """Whether a tick holds nothing that must not reach anybody."""
    if not isinstance(value, Tick):
        return True
    numbers = [number for name in value.__struct_fields__ if isinstance(number := getattr(value, name), int | float)]
    return all(map(math.isfinite, numbers))


def answers(parse: Callable[[bytes], object]) -> Callable[[bytes], None]:
    """Run a parser: it answers with what may leave, or complains."""

    def run(data: bytes) -> None:
        try:
            answer = parse(data)
        except FeedError as error:
            answer = error
        values = answer.values() if isinstance(answer, dict) else [answer]
        assert all(map(well_formed, values)), answer

    return run


def batch_of(*ids: str) -> list[Subscription]:
    """Subscriptions to these."""
    return [Subscription(id, id, SymbolOptions()) for id in ids]


OF_TESTS = {
    "alphavantage": encoded(test_alphavantage.QUOTE),
    "coinbase_advanced": encoded({"products": [test_coinbase_advanced.BTC, test_coinbase_advanced.SOL]}),
    "coingecko": encoded(test_coingecko.ANSWER),
    "ecb": [test_ecb.FILE],
    "frankfurter_rows": encoded(test_frankfurter.ROWS),
    "massive": [*encoded({"status": "OK", "tickers": [test_massive.KO]}), *encoded({"status": "OK", "tickers": [test_massive.EARLY]})],
    "massive_indices": encoded({"status": "OK", "results": [test_massive.SPX]}),
    "massive_currencies": encoded({"status": "OK", "tickers": [test_massive.EURUSD]}),
    "tiingo": encoded([test_tiingo.PEP]),
    "yahoo": encoded({"quoteResponse": {"result": [test_quotes.MICROSOFT, test_quotes.VODAFONE, test_quotes.EURO],
                                        "error": None}}),
    "yahoo_chart": encoded(test_charts.CHART),
    "alpaca_stream": [b"\n".join(encoded(
        [{"T": "success", "msg": "authenticated"}], [TRADE], [TRADE | {"i": 2, "p": 299.01}, {"T": "d", "S": "AAPL", "h": 299.01, "l": 9}],
        [{"T": "c", "S": "AAPL", "x": "D", "oi": 2, "op": 299.01, "os": 1, "oc": [], "ci": 3, "cp": 127, "cs": 1, "cc": ["4"], "z": "C"}],
        [{"T": "x", "S": "AAPL", "x": "D", "i": 1, "p": 126.55, "s": 1, "z": "C", "t": "2021-02-22T15:52:44.208Z"}],
        [{"T": "s", "S": "AAPL", "sc": "H", "z": "C", "t": "2021-02-22T15:53:44.208Z"}, TRADE | {"t": "2021-02-23T15:51:44.208Z"}]))],
    "binance_stream": encoded({"stream": "btcusdt@ticker", "data": {"e": "24hrTicker", "E": 1795000000000, "s": "BTCUSDT", "c": "9.1",
                                                                     "b": "9.0", "a": "9.2", "v": "5", "p": "0.1", "P": "1.2"}}),
    "relay": [b"\n".join([
        b'0{"sid":"x","pingInterval":10000}', b'40{"sid":"y"}', b'42["hello",{"epoch":"far","heartbeat_s":5}]',
        b'42["feeds",[{"feed":"sim","kind":"simulated"}]]', b'42["symbols",[{"symbol":"ACME","status":"live"}]]',
        b'431[{"ok":true,"subscribed":["ACME"],"refused":{},"max_hz":20.0}]', b'42["beat",{"server_time":1795377857011}]',
        b'42["quotes",[{"symbol":"ACME","price":110.38,"quote_time":1795377851903,"received_time":1795377851903,"seq":418,"source":"sim",'
        b'"kind":"simulated","state":"fresh"}]]', b'42["shutdown",{"retry_after_ms":500}]'])],
    "recording": [
        b'{"recording":1,"version":"0.1.0","started":1795377851000,"epoch":"cf98","feeds":{"sim":"simulated"},"symbols":{"ACME":{"feed":["sim"]}}}\n'
        b'{"t":1795377851503,"quotes":[{"symbol":"ACME","price":110.38,"quote_time":1795377851502,"received_time":1795377851503,"seq":1,'
        b'"source":"sim","kind":"simulated","state":"fresh"}]}\n'],
    "yahoo_stream": [b"CgRBQVBMFQAAFkMYgMCx2PdnMAg=", *encoded({"type": "pricing", "message": "CgRBQVBMFQAAFkMYgMCx2PdnMAg="})],
}  # fmt: skip
"""What the docstrings show of these is shortened beyond use."""


def _polled() -> Iterator[tuple[str, Target]]:
    """The parsers of the polled feeds. `ids` are those in their docstrings, so that something is found."""
    now_s = 1_795_000_000.0
    parsers: dict[str, tuple[ModuleType, Callable[[bytes], object]]] = {
        "alpaca": (feeds.alpaca, lambda body: feeds.alpaca.parse(body, batch_of("AAPL", "SPY"))),
        "alphavantage": (feeds.alphavantage, lambda body: feeds.alphavantage.parse(body, test_alphavantage.BATCH, 15.0)),
        "binance": (feeds.binance, lambda body: feeds.binance.parse(body, batch_of("BTCUSDT", "BNBBTC"))),
        "coinbase": (feeds.coinbase, lambda body: feeds.coinbase.parse(body, batch_of("BTC-USD"))),
        "coinbase_advanced": (feeds.coinbase_advanced, lambda body: feeds.coinbase_advanced.parse(body, test_coinbase_advanced.BATCH)),
        "coingecko": (feeds.coingecko, lambda body: feeds.coingecko.parse(body, test_coingecko.BATCH)),
        "ecb": (feeds.ecb, lambda body: feeds.ecb.parse(body, test_ecb.BATCH)),
        "finnhub": (feeds.finnhub, lambda body: feeds.finnhub.parse(body, batch_of("AAPL"))),
        "frankfurter": (feeds.frankfurter, lambda body: feeds.frankfurter.parse(body, "EUR", batch_of("EURUSD"))),
        "frankfurter_rows": (feeds.frankfurter, lambda body: feeds.frankfurter.parse_rows(body, batch_of("EURUSD"), round(now_s * 1000))),
        "kraken": (
            feeds.kraken.feed,
            lambda body: feeds.kraken.feed.parse(
                body, batch_of("XXBTZUSD", "XBTUSD"), feeds.kraken.pairs.AssetPairs(feeds.kraken.feed.parse_pairs(PAIRS, "currency"))
            ),
        ),
        "kraken_pairs": (feeds.kraken.feed, lambda body: feeds.kraken.feed.parse_pairs(body, "currency")),
        "massive": (feeds.massive, lambda body: feeds.massive.parse(body, test_massive.BATCH)),
        "massive_indices": (feeds.massive, lambda body: feeds.massive.parse(body, batch_of("I:SPX", "I:NDX"))),
        "massive_currencies": (feeds.massive, lambda body: feeds.massive.parse(body, batch_of("C:EURUSD"))),
        "tiingo": (feeds.tiingo, lambda body: feeds.tiingo.parse(body, test_tiingo.BATCH)),
        "twelvedata": (feeds.twelvedata, lambda body: feeds.twelvedata.parse(body, batch_of("AAPL", "EUR/USD"), now_s)),
        "yahoo": (feeds.yahoo.quotes, lambda body: feeds.yahoo.quotes.parse(body, test_quotes.BATCH, int(now_s * 1000))),
        "yahoo_chart": (feeds.yahoo.quotes, lambda body: feeds.yahoo.quotes.parse_chart(body, test_quotes.BATCH[0], int(now_s * 1000))),
    }
    for name, kind in kinds().items():  # the others: what `parse` of a kind's file says of what its test asks for
        module = sys.modules[kind.__module__]
        if name not in parsers and issubclass(kind, PolledFeed) and hasattr(module, "parse"):
            parsers[name] = (module, partial(module.parse, batch=subscribe(kind, *home_of_tests(name).SYMBOLS)))
    for name, (module, parse) in parsers.items():
        yield name, Target(answers(parse), varied([*shown_by(module), *OF_TESTS.get(name, [])]))


def _described() -> Iterator[tuple[str, Target]]:
    """`http_json`, as JSON and as CSV."""
    common = {"kind": "http_json", "base_url": "http://x", "path": "/{symbols}"}
    layouts = {
        "http_json": {"rows": "data[]", "symbol": "s", "price": "p", "bid": "b", "volume": "v", "quote_time": "t", "time_form": "ms"},
        "http_csv": {"format": "csv", "symbol": "symbol", "price": "price", "volume": "volume", "decimal": ",", "ignore": ".",
                     "delimiter": ";", "change_pct": "change", "quote_time": "time", "time_form": "%d.%m.%Y %H:%M:%S"},
    }  # fmt: skip
    seeds = {
        "http_json": varied(encoded({"data": [{"s": "A", "p": 1.5, "b": "1.4", "v": 100, "t": 1795000000000}, {"s": "B", "p": "2e3"}]})),
        "http_csv": [*BROKEN, b"symbol;price;volume;change;time\r\nA;1.234,5;10;1,5%;13.03.2026 11:10:41\r\nB;7;;;\r\n",
                     b'symbol;price\n"A;1\nB;2', b"symbol;price\nA;" + b"1" * 140_000, b"symbol;price\nA;=cmd()\n\x00;1\nA;2;3\n"],
    }  # fmt: skip
    for name, layout in layouts.items():
        extraction = feeds.generic.feed.HttpJsonSettings.model_validate(common | layout).extraction()
        yield name, Target(answers(partial(_ticks, extraction)), seeds[name])


def _ticks(extraction: Extraction, body: bytes) -> Answer:
    return extraction.parse(body, batch_of("A", "B")).ticks


def _streamed() -> Iterator[tuple[str, Target]]:
    """The sessions of the streams: whatever one message holds, the next finds the session whole."""
    for name, kind in kinds().items():
        if not issubclass(kind, StreamFeed):
            continue
        secrets = dict.fromkeys(kind.Settings.secrets, "s" * 20)
        base = {"base_url": "ws://x"} if kind.Settings.model_fields["base_url"].is_required() else {}
        settings = kind.Settings.model_validate({"kind": name, **base, **secrets})
        feed = kind("f", settings, EventletRuntime())

        def run(data: bytes, feed: StreamFeed = feed) -> None:
            feed.known.clear()
            session = feed.session("here")
            assert isinstance(session, StreamSession)
            session.want(batch_of("AAPL", "BTCUSDT", "BTC-USD", "BTC/USD", "BTC-USDT", "BINANCE:BTCUSDT", "ACME", "SPY"))
            answers(lambda _: session.due(1.0)[1])(b"")
            for message in data.split(b"\n"):
                answers(lambda message: session.receive(message, 2.0))(message)
                answers(lambda _: session.due(3.0)[1])(b"")
            answers(lambda _: session.due(60.0)[1])(b"")

        shown = shown_by(sys.modules[kind.__module__])
        yield name, Target(run, [*varied([*shown, *OF_TESTS.get(name, [])]), b"\n".join(shown), *FOUND.get(name, [])])


def _recording(data: bytes) -> dict[str, Tick | FeedError]:
    """The lines of a recording, the first of them its header. Whether what they hold can be a price is the board's to judge."""
    header, *lines = data.split(b"\n")
    try:
        read_header(header)
    except NotARecording as error:
        raise FeedError(str(error)) from None
    batches = [batch for line in lines if (batch := read_batch(line)) is not None and time_of(line) is not None]
    for quote in (quote for batch in batches for quote in batch.quotes):
        as_tick(quote)
    return {}


def _in_slices(data: bytes) -> object:
    """An array of it, as long as what is decoded in slices."""
    times = LARGE_BYTES // (len(data) + 1) + 1
    return len(decode(b"[" + (data + b",") * times + data + b"]"))


class _Sent:
    """What stands for a socket from which `data` comes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _: str) -> io.BufferedReader:
        """The file before it."""
        return io.BufferedReader(io.BytesIO(self._data))


def _answer(data: bytes) -> None:
    """A whole HTTP answer, as it is read from the socket."""
    try:
        answer = BoundedResponse(_Sent(data), method="GET")
        answer.begin()
        headers = dict(answer.headers.items())
        response = urllib3.HTTPResponse(answer, headers, answer.status, preload_content=False, original_response=answer)
        for _ in pieces(response):
            pass
    except CONNECTION_ERRORS:
        return


def _unpacked(data: bytes) -> None:
    """A compressed body of either kind, its first byte alone."""
    for coding in ("gzip", "deflate"):
        with suppress(*CONNECTION_ERRORS):
            assert all(unpacked(iter([data[:1], data[1:]]), coding))


ANSWERS = [
    b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}',
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\n{}\n\r\n-1\r\n0\r\nX-A: b\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}"),
    b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate, gzip\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
]


def feed_targets() -> dict[str, Target]:
    """All of them, by the kind of feed, and what they stand on."""
    return {
        **dict(_polled()),
        **dict(_described()),
        **dict(_streamed()),
        "recording": Target(answers(_recording), varied(OF_TESTS["recording"])),
        "json": Target(answers(decode), [*BROKEN, *varied(encoded({"a": [1, 2.5, "x"]}))]),
        "json_in_slices": Target(answers(_in_slices), [*BROKEN, *varied(encoded({"a": [1, 2.5, "x", {"b": None}]})), b"NaN", b"1e999,{}"]),
        "http_answer": Target(_answer, varied(ANSWERS)),
        "compressed": Target(_unpacked, varied([gzip.compress(b"{}") * 3 + b"x", zlib.compress(b"{}"), zlib.compress(b"{}")[2:-4]])),
        "protobuf": Target(answers(lambda data: list(fields(data))), [b"\x0a\x04AAPL\x15ff\x98C\x18\xa0\xbe", b"\x08\xff", b""]),
    }
