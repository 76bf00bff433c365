"""The board, namespace `/`, as a client sees it: greeting, state, subscriptions, rates, and requests that make no sense."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

import ticker
from tests.e2e.clients import NodeClient, NodeDriver
from tests.e2e.quote_checks import check_quote, check_stream
from tests.e2e.raw import RawSocket, text
from tests.e2e.server import RunningServer, serving

SYMBOLS = [f"S{number}" for number in range(20)]
SETTINGS = """
[broadcast]
heartbeat_s = 0.2
flush_ms = 50

[limits]
max_symbols_per_client = 5

[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
S0 = { feed = "sim", name = "Acme", decimals = 3, currency = "EUR", group = ["Shares", "Europe"], stale_after_s = 7 }
""" + "\n".join(f'{symbol} = {{ feed = "sim" }}' for symbol in SYMBOLS[1:])
FIVE = SYMBOLS[:5]
EPOCH_MS = range(1_700_000_000_000, 4_000_000_000_000)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A relay with twenty symbols, of which a client may read five."""
    with serving(SETTINGS) as running:
        yield running


@pytest.fixture
def client(server: RunningServer, driver: NodeDriver) -> Iterator[NodeClient]:
    """socket.io-client with nothing set, on `/`."""
    opened = driver.open(server.url, ["/"])
    opened.received.wait("/", "config")
    yield opened
    opened.close()


def subscribe(client: NodeClient, symbols: object, **options: object) -> Any:
    """Ask for symbols; returns the answer."""
    return client.call("subscribe", {"symbols": symbols, **options})


def test_a_client_is_greeted_with_the_whole_state(server: RunningServer, client: NodeClient) -> None:
    """`hello`, then `symbols`, `feeds` and `config`, as REST has them."""
    assert client.received.order("/")[:5] == ["connect", "hello", "symbols", "feeds", "config"]
    hello = client.received.wait("/", "hello").payload
    assert {**hello, "server_time": 0, "epoch": ""} == {
        "epoch": "", "version": ticker.__version__, "server_time": 0, "flush_ms": 50, "heartbeat_s": 0.2}  # fmt: skip
    assert hello["server_time"] in EPOCH_MS

    symbols = client.received.wait("/", "symbols", lambda event: all(entry["status"] == "live" for entry in event.payload)).payload
    assert [entry["symbol"] for entry in symbols] == SYMBOLS
    named: dict[str, Any] = {"symbol": "S0", "name": "Acme", "decimals": 3, "group": ["Shares", "Europe"], "feed": "sim",
                             "currency": "EUR", "stale_after_s": 7, "status": "live", "error": None}  # fmt: skip
    plain: dict[str, Any] = {"symbol": "S1", "name": None, "decimals": None, "group": [], "feed": "sim",
                             "currency": None, "stale_after_s": 10, "status": "live", "error": None}  # fmt: skip
    for entry, fields in zip(symbols, (named, plain), strict=False):
        assert {field: entry[field] for field in fields} == fields, "fields may be added, none may change"
    assert server.get("/api/symbols").json == {"symbols": symbols}

    (feed,) = client.received.wait("/", "feeds").payload
    assert feed.items() >= {"feed": "sim", "kind": "simulated", "state": "ok", "error": None}.items()
    assert feed["next_try"] in EPOCH_MS
    assert feed["last_success"] in EPOCH_MS
    config = client.received.wait("/", "config").payload
    assert {**config, "at": 0} == {"ok": True, "at": 0, "error": None, "restart_required": []}
    assert server.get("/api/status").json["last_reload"] == config
    assert server.get("/api/status").json["epoch"] == hello["epoch"]


def test_the_heart_beats(client: NodeClient) -> None:
    """`beat` says the server's time, again and again."""
    times = [event.payload["server_time"] for event in client.received.wait_all("/", "beat", 3)]
    assert times == sorted(times)
    assert abs(times[0] - time.time() * 1000) < 60_000, "one machine, one clock"


def test_a_subscription_begins_with_one_snapshot_of_what_is_new(client: NodeClient) -> None:
    """Then come updates of all of it; what is added later has a snapshot of its own, the rest has none again."""
    answer = subscribe(client, ["S0", "S1", "S0"])
    assert answer == {"ok": True, "subscribed": ["S0", "S1"], "refused": {}, "max_hz": 20}
    first = client.received.wait("/", "quotes").payload
    assert [quote["symbol"] for quote in first] == ["S0", "S1"]
    assert client.received.order("/").index("ack") < client.received.order("/").index("quotes")
    client.received.wait_all("/", "quotes", 3)
    assert subscribe(client, ["S1", "S2"])["subscribed"] == ["S0", "S1", "S2"]
    later = client.received.wait("/", "quotes", lambda event: any(quote["symbol"] == "S2" for quote in event.payload)).payload
    assert [quote["symbol"] for quote in later if "snapshot" in quote] == ["S2"]
    client.received.wait("/", "quotes", lambda event: len(event.payload) == 3 and "snapshot" not in event.payload[2])
    received = [quote for quotes in client.received.all("/", "quotes") for quote in quotes]
    for symbol in ("S0", "S1", "S2"):
        check_stream([quote for quote in received if quote["symbol"] == symbol], symbol)


def test_everything_is_one_subscription(client: NodeClient) -> None:
    """`"*"` counts for one symbol and brings all, in one first message."""
    answer = subscribe(client, "*", max_hz=5)
    assert answer == {"ok": True, "subscribed": SYMBOLS, "refused": {}, "max_hz": 5}
    first = client.received.wait("/", "quotes").payload
    assert [quote["symbol"] for quote in first] == SYMBOLS
    for quote in first:
        check_quote(quote, quote["symbol"])
        assert quote["snapshot"] is True
    second = client.received.wait_all("/", "quotes", 2)[1].payload
    assert [quote["symbol"] for quote in second] == SYMBOLS
    assert not any("snapshot" in quote for quote in second)
    assert all(after["seq"] > before["seq"] for before, after in zip(first, second, strict=True))
    for symbol in SYMBOLS[:4]:
        client.join("/" + symbol)
        client.received.wait("/" + symbol, "quote")


def test_what_can_not_be_had_is_refused_by_name(client: NodeClient) -> None:
    """Unknown symbols, and those above the limit; the rest is subscribed."""
    answer = subscribe(client, ["NOPE", *SYMBOLS[:7]])
    assert answer == {
        "ok": True,
        "subscribed": FIVE,
        "max_hz": 20,
        "refused": {"NOPE": "unknown_symbol", "S5": "too_many_symbols", "S6": "too_many_symbols"},
    }
    client.join("/S7")
    refused = client.received.wait("/S7", "connect_error").payload
    assert refused["data"] == {"code": "too_many_symbols", "symbol": "S7"}
    assert client.call("unsubscribe", {"symbols": ["S0", "NOPE", "S19"]})["subscribed"] == ["S1", "S2", "S3", "S4"]
    client.join("/S8")
    client.received.wait("/S8", "quote")
    assert subscribe(client, ["S9"])["refused"] == {"S9": "too_many_symbols"}
    assert subscribe(client, "*")["refused"] == {}, "it takes the place of those that are listed"


def test_unsubscribing_ends_it(client: NodeClient) -> None:
    """Of some, of all; nothing more comes of them."""
    subscribe(client, ["S0", "S1"])
    client.received.wait_all("/", "quotes", 2)
    assert client.call("unsubscribe", {"symbols": ["S0"]}) == {"ok": True, "subscribed": ["S1"], "max_hz": 20}
    so_far = len(client.received.all("/", "quotes"))
    later = [event.payload for event in client.received.wait_all("/", "quotes", so_far + 3)[so_far:]]
    assert {quote["symbol"] for quotes in later for quote in quotes} == {"S1"}
    assert client.call("unsubscribe", {"symbols": "*"})["subscribed"] == []
    so_far, beats = len(client.received.all("/", "quotes")), len(client.received.all("/", "beat"))
    client.received.wait_all("/", "beat", beats + 3)
    assert len(client.received.all("/", "quotes")) == so_far


def test_everything_but_some(client: NodeClient) -> None:
    """Leaving some of `"*"` leaves a list: refused where it would be longer than a client's list may be."""
    subscribe(client, "*")
    refused = client.call("unsubscribe", {"symbols": ["S0"]})
    assert (refused["ok"], refused["code"]) == (False, "too_many_symbols")
    assert client.call("unsubscribe", {"symbols": SYMBOLS[5:]})["subscribed"] == FIVE


@pytest.mark.parametrize(
    ("asked", "granted"), [(1, 1), (0.25, 0.25), (20, 20), (1000, 20), (1e300, 20), (10**30, 20), (0.0001, 0.1), (5e-324, 0.1)]
)
def test_a_rate_is_clamped(client: NodeClient, asked: float, granted: float) -> None:
    """To 0.1 … 1000 / flush_ms, for the board and for the namespaces alike."""
    assert subscribe(client, ["S0"], max_hz=asked)["max_hz"] == granted
    assert client.call("rate", {"max_hz": asked}) == {"ok": True, "max_hz": granted}


@pytest.mark.parametrize("asked", [0, -1, -0.0, "5", True, None, [], {}])
def test_a_rate_that_is_none_is_a_bad_request(client: NodeClient, asked: object) -> None:
    """And changes nothing: not even the symbols of the same request are taken."""
    for answer in (subscribe(client, ["S0"], max_hz=asked), client.call("rate", {"max_hz": asked})):
        assert answer == {"ok": False, "code": "bad_request", "message": "max_hz must be a finite number above 0"}
    assert subscribe(client, [])["subscribed"] == []


def test_no_window_is_faster_than_50_hz(driver: NodeDriver) -> None:
    """Whatever `flush_ms` would allow."""
    with serving(SETTINGS.replace("flush_ms = 50", "flush_ms = 1")) as server:
        client = driver.open(server.url, ["/"])
        assert subscribe(client, ["S0"], max_hz=200)["max_hz"] == 50
        client.close()


def test_a_rate_folds_updates(client: NodeClient) -> None:
    """At 1 Hz of 10 updates a second, `seq` shows what was folded; the snapshots after joining do not wait."""
    assert client.call("rate", {"max_hz": 1}) == {"ok": True, "max_hz": 1}
    subscribe(client, ["S1"], max_hz=1)
    client.join("/S0")
    quotes = [event.payload for event in client.received.wait_all("/S0", "quote", 4)]
    check_stream(quotes, "S0")
    assert quotes[3]["seq"] - quotes[2]["seq"] > 2
    board = [event.payload[0] for event in client.received.wait_all("/", "quotes", 4)]
    check_stream(board, "S1")
    assert board[3]["seq"] - board[2]["seq"] > 2


def test_the_probe(client: NodeClient) -> None:
    """`message` comes back as it went."""
    texts = ["", "x" * 10_000, 'quotes " and \\ and \u2028 and \U0001f680']
    for said in texts:
        assert client.call("message", said) == {"ok": True}
    assert client.received.all("/", "message") == ["Echo: " + said for said in texts]


NONSENSE = [
    ("subscribe", []), ("subscribe", [None]), ("subscribe", ["S0"]), ("subscribe", [["S0"]]), ("subscribe", [{}]),
    ("subscribe", [{"symbols": "S0"}]), ("subscribe", [{"symbols": [1]}]), ("subscribe", [{"symbols": [["S0"]]}]),
    ("subscribe", [{"symbols": {"S0": 1}}]), ("subscribe", [{"symbols": None}]), ("subscribe", [{"symbols": ["S0"]}, 1]),
    ("subscribe", [{"symbols": ["S0"], "max_hz": {}}]), ("unsubscribe", []), ("unsubscribe", [7]), ("unsubscribe", [{"symbols": 7}]),
    ("rate", []), ("rate", [1]), ("rate", [{}]), ("rate", [{"max_hz": None}]), ("message", []), ("message", [1]), ("message", [None]),
    ("message", ["a", "b"]), ("quote", [{}]), ("hello", []), ("*", [1]), ("__proto__", [1]), ("x" * 1000, []), ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("event", "arguments"), NONSENSE, ids=lambda value: json.dumps(value)[:40])
def test_nonsense_is_a_bad_request(client: NodeClient, event: str, arguments: list[object]) -> None:
    """It is acknowledged as such, in words; the connection goes on."""
    answer = client.call(event, *arguments)
    assert answer.keys() == {"ok", "code", "message"}
    assert (answer["ok"], answer["code"]) == (False, "bad_request")
    assert len(answer["message"]) < 200
    assert client.call("message", "still here") == {"ok": True}


BAD = {"ok": False, "code": "bad_request", "message": "max_hz must be a finite number above 0"}


@pytest.mark.parametrize(
    ("number", "answer"),
    [("NaN", BAD), ("Infinity", BAD), ("-Infinity", BAD), ("1e999", BAD), ("1e-999", BAD), ("9" * 400, {"ok": True, "max_hz": 20})],
)
def test_numbers_that_javascript_can_not_write(server: RunningServer, number: str, answer: dict[str, Any]) -> None:
    """Python's clients send `float("inf")` as it stands: refused like any other bad number, and not by hanging up."""
    client = RawSocket(server.address)
    client.receive()
    client.join("/")
    client.send(f'421["rate",{{"max_hz":{number}}}]')
    assert json.loads(client.wait("43").removeprefix("431")) == [answer]
    client.close()


def test_too_many_events_are_refused_one_by_one(server: RunningServer) -> None:
    """Above `requests_per_s` (50) an event is answered with `too_many_requests`, and only that; a second later all is well."""
    client = RawSocket(server.address)
    client.receive()
    client.join("/")
    client.send_raw(text(*(f'42{number}["message","x"]' for number in range(500))))  # at once, however busy the machine is
    answers = [json.loads(client.wait("43").lstrip("0123456789"))[0] for _ in range(500)]
    refused = [answer for answer in answers if not answer["ok"]]
    assert len(answers) - len(refused) >= 50
    assert {answer["code"] for answer in refused} == {"too_many_requests"}
    while not client.ask("message", "x")["ok"]:
        client.wait('42["beat",')
    client.close()
