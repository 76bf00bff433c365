"""The settings file, edited while the server runs and clients are connected: what changes, and that nobody is dropped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.clients import NodeClient, NodeDriver, PythonClient
from tests.e2e.quote_checks import check_stream
from tests.e2e.raw import RawSocket
from tests.e2e.server import RunningServer, serving
from tests.e2e.waiting import wait

SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
ACME = { feed = "sim" }
BOLT = { feed = "sim" }
"""
CLIENTS = 200


@pytest.fixture(scope="module")
def _shared() -> Iterator[RunningServer]:
    with serving(SETTINGS) as running:
        yield running


@pytest.fixture
def server(_shared: RunningServer) -> Iterator[RunningServer]:
    """A relay with two symbols: the same for all tests, each of which finds it as the first one did."""
    yield _shared
    if not _shared.config.exists() or _shared.config.read_text() != SETTINGS:
        before = _shared.get("/api/status").json["last_reload"]
        _shared.config.write_text(SETTINGS)
        _shared.process.send_signal(signal.SIGHUP)
        wait(lambda: _shared.get("/api/status").json["last_reload"] != before)
    wait(lambda: _shared.get("/api/status").json["clients"] == 0)
    _shared.check_log()


@pytest.fixture
def client(server: RunningServer, driver: NodeDriver) -> Iterator[NodeClient]:
    """A client that reads the board and a symbol."""
    opened = driver.open(server.url, ["/", "/ACME"])
    opened.received.wait("/", "config")
    opened.received.wait("/ACME", "quote")
    yield opened
    opened.close()


def listed(symbols: list[dict[str, Any]]) -> list[str]:
    """The names in a `symbols` event."""
    return [entry["symbol"] for entry in symbols]


def add_line(server: RunningServer, line: str) -> None:
    """Write one line at the end of the file, where [symbols] is."""
    server.edit(lambda text: text + line + "\n")


def remove_line(server: RunningServer, beginning: str) -> None:
    """Take the line that begins so out of the file."""
    server.edit(lambda text: "".join(line for line in text.splitlines(keepends=True) if not line.startswith(beginning)))


def test_a_symbol_comes_and_goes_under_two_hundred_clients(server: RunningServer, driver: NodeDriver) -> None:
    """One line adds it, for everybody and at once; its removal ends its namespace, and nothing else for anybody."""
    crowd = [driver.open(server.url, ["/", "/ACME"], None if number % 2 else ["websocket"]) for number in range(CLIENTS)]
    for client in crowd:
        client.received.wait("/ACME", "quote")
    add_line(server, '"NEW/1" = { feed = "sim", name = "New" }')
    for client in crowd:
        client.received.wait("/", "symbols", lambda event: listed(event.payload) == ["ACME", "BOLT", "NEW/1"])
        client.join("/NEW/1")
    for client in crowd:
        check_stream([event.payload for event in client.received.wait_all("/NEW/1", "quote", 3)], "NEW/1")
    assert server.get("/api/status").json["clients"] == CLIENTS

    remove_line(server, '"NEW/1"')
    for client in crowd:
        assert client.received.wait("/NEW/1", "removed").payload == {"symbol": "NEW/1"}
        assert client.received.wait("/NEW/1", "disconnect").payload == "io server disconnect"
        client.received.wait("/", "symbols", lambda event: listed(event.payload) == ["ACME", "BOLT"])
    so_far = [len(client.received.all("/ACME", "quote")) for client in crowd]
    for client, number in zip(crowd, so_far, strict=True):
        check_stream([event.payload for event in client.received.wait_all("/ACME", "quote", number + 2)], "ACME")
        assert client.received.count("disconnect") == 1
        assert client.received.count("close") == client.received.count("connect_error") == 0
    assert server.get("/api/status").json["clients"] == CLIENTS
    assert server.get("/api/quotes/NEW/1").status == 404
    for client in crowd:
        client.close()


def test_a_removed_symbol_is_unknown_until_it_is_back(server: RunningServer, client: NodeClient) -> None:
    """Joined again it begins with a snapshot, and its `seq` goes on from where it was."""
    before = client.received.wait_all("/ACME", "quote", 3)[-1].payload["seq"]
    remove_line(server, "ACME")
    client.received.wait("/ACME", "removed")
    client.join("/ACME")
    assert client.received.wait("/ACME", "connect_error").payload["data"]["code"] == "unknown_symbol"
    seen = len(client.received.all("/ACME", "quote"))
    add_line(server, 'ACME = { feed = "sim" }')
    client.received.wait("/", "symbols", lambda event: listed(event.payload) == ["BOLT", "ACME"])
    client.join("/ACME")
    again = [event.payload for event in client.received.wait_all("/ACME", "quote", seen + 3)[seen:]]
    check_stream(again, "ACME")
    assert again[0]["seq"] > before


def test_a_subscription_to_everything_follows_the_settings(server: RunningServer, client: NodeClient) -> None:
    """What is new arrives with a snapshot, what is gone is heard of no more; a list loses what is gone."""
    client.call("subscribe", {"symbols": "*"})
    with closing(RawSocket(server.address)) as lister:
        lister.join("/")
        assert lister.ask("subscribe", {"symbols": ["ACME", "BOLT"]})["subscribed"] == ["ACME", "BOLT"]
        add_line(server, 'NEW = { feed = "sim" }')
        first = client.received.wait("/", "quotes", lambda event: "NEW" in listed(event.payload)).payload
        assert [quote["symbol"] for quote in first if "snapshot" in quote] == ["NEW"]
        remove_line(server, "BOLT")
        client.received.wait("/", "quotes", lambda event: listed(event.payload) == ["ACME", "NEW"])
        assert lister.ask("subscribe", {"symbols": []})["subscribed"] == ["ACME"]


BROKEN = {
    "not TOML": (lambda text: text + "BROKEN = {\n", "BROKEN"),
    "an unknown feed": (lambda text: text + 'BOLD = { feed = "sin" }\n', "symbols.BOLD.feed"),
    "a wrong type": (lambda text: text.replace("interval_s = 0.1", 'interval_s = "0.1"'), "feeds.sim.interval_s"),
    "nothing": (lambda text: "", "is empty"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_changes_nothing(server: RunningServer, client: NodeClient, what: str) -> None:
    """The old settings go on; log, `config` and /api/status say why. Mended, all is well again."""
    breaking, words = BROKEN[what]
    good = server.config.read_text()
    server.edit(breaking)
    config = client.received.wait("/", "config", lambda event: not event.payload["ok"]).payload
    assert words in config["error"]
    assert server.get("/api/status").json["last_reload"] == config
    assert words in server.wait_log("settings not applied, the old ones go on: .*")[0]
    assert listed(server.get("/api/symbols").json["symbols"]) == ["ACME", "BOLT"]
    so_far = len(client.received.all("/ACME", "quote"))
    check_stream([event.payload for event in client.received.wait_all("/ACME", "quote", so_far + 3)], "ACME")
    late = PythonClient(server.url, ["/"])
    assert late.received.wait("/", "config").payload == config
    late.close()

    server.edit(lambda _: good + 'NEW = { feed = "sim" }\n')
    client.received.wait("/", "symbols", lambda event: "NEW" in listed(event.payload))
    mended = client.received.wait("/", "config", lambda event: event.payload["ok"] and event.payload["at"] > config["at"]).payload
    assert mended["error"] is None
    assert len(server.lines("settings not applied")) == 1


def test_a_file_that_is_gone_for_a_while(server: RunningServer, client: NodeClient) -> None:
    """As when an editor or a checkout replaces it."""
    good = server.config.read_text()
    server.config.unlink()
    gone = client.received.wait("/", "config", lambda event: "there is no such file" in (event.payload["error"] or "")).payload
    server.config.write_text(good)
    client.received.wait("/", "config", lambda event: event.payload["ok"] and event.payload["at"] > gone["at"])
    server.wait_log("settings applied: nothing changed")


def test_feeds_come_change_and_go(server: RunningServer, client: NodeClient) -> None:
    """A symbol moves to another feed with its `seq` going on; `feeds` names those there are."""
    server.edit(lambda text: '[feeds.two]\nkind = "simulated"\nseed = 8\ninterval_s = 0.1\n' + text.replace('"sim" }', '"two" }', 1))
    client.received.wait("/", "feeds", lambda event: [feed["feed"] for feed in event.payload] == ["two", "sim"])
    moved = client.received.wait("/ACME", "quote", lambda event: event.payload["source"] == "two").payload
    last = [quote for quote in client.received.all("/ACME", "quote") if quote["source"] == "sim"][-1]
    assert moved["seq"] > last["seq"]
    remove_line(server, "BOLT")
    server.edit(lambda text: text.replace('[feeds.sim]\nkind = "simulated"\ninterval_s = 0.1\n', ""))
    client.received.wait("/", "feeds", lambda event: [feed["feed"] for feed in event.payload] == ["two"])
    so_far = len(client.received.all("/ACME", "quote"))
    quotes = [event.payload for event in client.received.wait_all("/ACME", "quote", so_far + 3)]
    check_stream(quotes, "ACME")
    assert {quote["source"] for quote in quotes[so_far:]} == {"two"}


def test_an_interval_takes_hold(server: RunningServer, client: NodeClient) -> None:
    """Of a feed that was asked once a minute, and now ten times a second."""
    server.edit(lambda text: text.replace("0.1", "60"))
    server.wait_log("settings applied")
    slow = len(client.received.all("/ACME", "quote"))
    server.edit(lambda text: text.replace("60", "0.1"))
    check_stream([event.payload for event in client.received.wait_all("/ACME", "quote", slow + 5)], "ACME")


def test_windows_and_limits_take_hold(server: RunningServer, client: NodeClient) -> None:
    """`[broadcast]` and `[limits]` without a restart."""
    server.edit(lambda text: "[broadcast]\nflush_ms = 500\nheartbeat_s = 0.2\n[limits]\nmax_symbols_per_client = 1\n" + text)
    client.received.wait_all("/", "beat", 2)
    with closing(RawSocket(server.address)) as late:
        late.join("/")
        assert late.event("hello")["flush_ms"] == 500
        assert late.ask("subscribe", {"symbols": ["ACME", "BOLT"], "max_hz": 50}) == {
            "ok": True,
            "subscribed": ["ACME"],
            "refused": {"BOLT": "too_many_symbols"},
            "max_hz": 2,
        }


def test_what_needs_a_restart_is_listed(server: RunningServer, client: NodeClient) -> None:
    """`[server]` stays as it is, and the keys that differ are named until the file agrees again; the rest of the file is applied."""
    good = server.config.read_text()
    server.edit(lambda text: '[server]\nport = 5001\nallowed_origins = ["*"]\n' + text + 'NEW = { feed = "sim" }\n')
    config = client.received.wait("/", "config", lambda event: event.payload["restart_required"]).payload
    assert config == {"ok": True, "at": config["at"], "error": None, "restart_required": ["server.allowed_origins"]}
    client.received.wait("/", "symbols", lambda event: "NEW" in listed(event.payload))
    assert server.get("/api/symbols", {"Origin": "http://example.org"}).headers.get("access-control-allow-origin") is None
    server.edit(lambda _: good)
    client.received.wait("/", "config", lambda event: event.payload["at"] > config["at"] and event.payload["restart_required"] == [])


def test_sighup_reads_the_file_again(server: RunningServer, client: NodeClient) -> None:
    """At once, whether it was saved or not."""
    server.process.send_signal(signal.SIGHUP)
    server.wait_log("settings applied: nothing changed")
    client.received.wait_all("/", "config", 2)
