"""Only numbers leave, whatever comes in: 200 rows of which one is odd, through JSON and CSV, the whole relay, and a browser's client."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.e2e.clients import node_driver
from tests.e2e.raw import RawSocket
from tests.e2e.server import PATIENCE_S, serving

SYMBOLS = [f"S{number}" for number in range(200)]
ODD = "S7"
SETTINGS = """
[quality]
max_jump_pct = 1000000

[feeds.of_json]
kind = "http_json"
base_url = "URL"
path = "/json?{symbols}"
interval_s = 0.1
batch_size = 1000
rows = "data[]"
symbol = "s"
price = "p"
volume = "v"

[feeds.of_csv]
kind = "http_json"
base_url = "URL"
path = "/csv?{symbols}"
interval_s = 0.1
batch_size = 1000
format = "csv"
symbol = "s"
price = "p"
volume = "v"

[symbols]
""" + "\n".join(f'{symbol} = {{ feed = "of_FORMAT" }}' for symbol in SYMBOLS)

REJECTED = [
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e-999", "-0", "-0.0", "-1.5", "0", "1" + "0" * 30, "9" * 400,
    '"NaN"', '"nan"', '"Infinity"', '"1e999"', '"-0"', '"1_000"', '"1,5"', '"0x1f"', '"\u0661\u0662"', '"\u221e"', '""', '"N/D"',
    "true", "false", "null", "[]", "{}", "[1]", '{"raw":1}', '"\\u0000"', "[" * 500 + "]" * 500, '"' + "9" * 400 + '"']  # fmt: skip
"""What stands where a price should: the row costs its own symbol an update, and nobody else."""
NORMALISED = {"1." + "9" * 5000: 2.0, '"2.5"': 2.5, '"2.5e0"': 2.5, "25e-1": 2.5, '"2.500"': 2.5, "2.50000000000000000000": 2.5}
"""What is a number after all."""
WHOLE_JSON = {
    "a lone surrogate": b'{"data":[{"s":"S7","p":1,"x":"\\ud800"}]}', "no number": b'{"data":[{"s":"S7","p":-NaN}]}',
    "bytes that are no text": b'{"data":[{"s":"S7","p":1,"x":"\xff"}]}',
    "nested without end": b"[" * 1_000_000, "an object without end": b'{"a":' * 500_000, "nothing": b"",
    "UTF-16": '{"data":[]}'.encode("utf-16"),
    "32 MB": b" " * 33_554_432, "32 MB of rows": b'{"data":[' + b'{"s":"S7","p":1},' * 2_000_000 + b"{}]}", "a bare number": b"1e999",
    "8 MB of rows": b'{"data":[' + b'{"s":"S7","p":1},' * 450_000 + b"{}]}", "NUL": b"\0" * 100}  # fmt: skip
CSV_REJECTED = ["NaN", "nan", "inf", "-Infinity", "1e999", "-0", "-1.5", "0", "9" * 400, "1_000", "0x1f", "\u0661", "", "true", "null",
                "=cmd()", "\u221e", "1.2.3", "--1"]  # fmt: skip


class Source:
    """An endpoint that answers what a test says. `price` of all is one that tells the polls apart."""

    def __init__(self) -> None:
        self.body = b""
        self.asked = threading.Semaphore(0)
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = source.body
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):  # who has read enough hangs up
                    self.wfile.write(body)
                source.asked.release()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def polled_twice(self) -> None:
        """Wait until what is there now has been fetched."""
        for _ in range(2):
            while self.asked.acquire(blocking=False):
                pass
            assert self.asked.acquire(timeout=PATIENCE_S)


@contextmanager
def source() -> Iterator[Source]:
    """One, in a thread."""
    one = Source()
    thread = threading.Thread(target=one.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield one
    finally:
        one.server.shutdown()
        thread.join()
        one.server.server_close()


def json_body(price: float, odd: str) -> bytes:
    """200 rows, with `odd` as it stands for the price of one."""
    rows = (f'{{"s":"{symbol}","p":{odd if symbol == ODD else price},"v":1}}' for symbol in SYMBOLS)
    return ('{"data":[' + ",".join(rows) + "]}").encode()


def csv_body(price: float, odd: str) -> bytes:
    """The same as CSV."""
    return ("s,p,v\r\n" + "".join(f"{symbol},{odd if symbol == ODD else price},1\r\n" for symbol in SYMBOLS)).encode()


def prices_of(reader: RawSocket, price: float, odd: int = 1) -> dict[str, float]:
    """The newest price of each symbol when all but the `odd` ones are at `price`."""
    newest: dict[str, float] = {}
    while sum(newest.get(symbol) == price for symbol in SYMBOLS) < len(SYMBOLS) - odd:
        newest |= {quote["symbol"]: quote["price"] for quote in reader.event("quotes")}
    return newest


@pytest.mark.parametrize("format", ["json", "csv"])
def test_one_odd_row_of_two_hundred(format: str) -> None:
    """It is rejected, or read by the rules of docs/design/numbers.md; the other 199 arrive, the odd one keeps its last good price."""
    body = json_body if format == "json" else csv_body
    rejected = REJECTED if format == "json" else CSV_REJECTED
    with source() as endpoint, node_driver() as driver:
        endpoint.body = body(100.0, "100.0")
        settings = SETTINGS.replace("URL", endpoint.url).replace("FORMAT", format)
        with serving(settings) as server, closing(RawSocket(server.address)) as reader:
            browser = driver.open(server.url, ["/", f"/{ODD}"])
            reader.join("/")
            reader.ask("subscribe", {"symbols": "*"})
            assert len(prices_of(reader, 100.0)) >= len(SYMBOLS) - 1
            price = 100.0
            for odd in rejected:
                price += 1
                endpoint.body = body(price, odd)
                assert prices_of(reader, price).get(ODD, 100.0) == 100.0, odd
            if format == "json":
                for odd, meant in NORMALISED.items():
                    price += 1
                    endpoint.body = body(price, odd)
                    assert prices_of(reader, price).get(ODD, meant) == meant, odd
                for odd_body in WHOLE_JSON.values():
                    endpoint.body = odd_body
                    endpoint.polled_twice()
                    price += 1
                    endpoint.body = body(price, "1")
                    prices_of(reader, price)
            if format == "csv":
                price += 1
                endpoint.body = body(price, "1").replace(b"\nS8,", b"\nS8,,,").replace(b"\nS9,", b'\n"S9,')
                prices_of(reader, price, odd=3)
                (feed,) = [feed for feed in server.get("/api/status").json["feeds"] if feed["feed"] == "of_csv"]
                assert (feed["unread"]["rows"], feed["error"]) == (2, None)
            price += 1
            endpoint.body = b"\xef\xbb\xbf" + body(price, str(price))
            newest = reader.wire.copy()
            assert prices_of(reader, price)["S8"] == price
            for word in (b"NaN", b"Infinity"):
                assert not re.search(rb"[:,\[]-?" + word, bytes(newest))
            assert browser.call("message", "still here") == {"ok": True}
            assert browser.received.all("", "close") == []
            quotes = server.get("/api/quotes").body
            assert len(json.loads(quotes, parse_constant=pytest.fail)["quotes"]) == len(SYMBOLS)
