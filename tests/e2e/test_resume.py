"""Coming back with `since`: what is sent again, across drops, reloads and a restart; nonsense is answered and never believed."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.raw import RawSocket
from tests.e2e.server import RunningServer, serving, start
from tests.e2e.waiting import wait

SYMBOLS = ["ACME", "BOLT", "CRUX"]
SETTINGS = """
[feeds.slow]
kind = "simulated"
interval_s = 60

[feeds.fast]
kind = "simulated"
interval_s = 0.05

[symbols]
ACME = { feed = "slow" }
BOLT = { feed = "slow" }
CRUX = { feed = "fast" }
"""


def wait_for_quotes(server: RunningServer) -> None:
    """Until each symbol was sent to somebody: what is known and not yet sent can't be resumed from."""
    with closing(RawSocket(server.address)) as client:
        for symbol in SYMBOLS:
            client.join("/" + symbol)
            client.quote(symbol)


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """A relay with two symbols that stand still and one that moves."""
    with serving(SETTINGS) as running:
        wait_for_quotes(running)
        yield running


class Visit:
    """A connection to the board: what it asked for, what it was told, and the snapshot that followed."""

    def __init__(self, server: RunningServer, symbols: list[str] | str, since: object = None) -> None:
        self.socket = RawSocket(server.address)
        self.socket.join("/")
        self.epoch = self.socket.event("hello")["epoch"]
        self.answer = self.socket.ask("subscribe", {"symbols": symbols} if since is None else {"symbols": symbols, "since": since})
        assert self.answer["ok"]

    def quotes(self) -> dict[str, dict[str, Any]]:
        """The next quotes, by symbol."""
        return {quote["symbol"]: quote for quote in self.socket.event("quotes")}

    def wait_listed(self, symbols: list[str]) -> None:
        """Until exactly these are in the settings."""
        while [entry["symbol"] for entry in self.socket.event("symbols")] != symbols:
            pass

    def close(self) -> None:
        """Hang up without a word."""
        self.socket.close()


def seqs(quotes: dict[str, dict[str, Any]]) -> dict[str, int]:
    """What a client remembers."""
    return {symbol: quote["seq"] for symbol, quote in quotes.items()}


def test_only_what_moved_is_sent_again(server: RunningServer) -> None:
    """The two that stand still are not heard of; the one that moved begins with a snapshot, then all goes on."""
    with closing(Visit(server, SYMBOLS)) as first:
        assert "recovered" not in first.answer
        had = seqs(first.quotes())
        while had["CRUX"] == (newer := first.quotes()["CRUX"]["seq"]):
            pass
    with closing(Visit(server, SYMBOLS, {"epoch": first.epoch, "seqs": had})) as again:
        assert again.answer["recovered"] is True
        assert again.answer["subscribed"] == SYMBOLS
        snapshot = again.quotes()
        assert list(snapshot) == ["CRUX"]
        assert snapshot["CRUX"]["seq"] >= newer
        assert (snapshot["CRUX"]["snapshot"], snapshot["CRUX"]["epoch"]) == (True, first.epoch)
        after = again.quotes()
        assert list(after) == ["CRUX"]
        assert after["CRUX"]["seq"] > snapshot["CRUX"]["seq"], "two in one window are one update"
        assert "snapshot" not in after["CRUX"]
        for _ in range(3):
            assert again.socket.ask("subscribe", {"symbols": SYMBOLS, "since": {"epoch": first.epoch, "seqs": had}})["recovered"] is True
            assert "ACME" not in again.quotes(), "recovering again and again repeats nothing"


def test_everything(server: RunningServer) -> None:
    """`"*"` recovers like a list; what the client never had is part of the snapshot."""
    with closing(Visit(server, "*")) as first:
        had = seqs(first.quotes())
    del had["BOLT"], had["CRUX"]
    with closing(Visit(server, "*", {"epoch": first.epoch, "seqs": had})) as again:
        assert again.answer["recovered"] is True
        assert sorted(again.quotes()) == ["BOLT", "CRUX"]


HUGE = {f"S{number}": 1 for number in range(4000)}
NONSENSE = ["null", "7", '"x"', "[]", "{}", '{"epoch":1}', '{"seqs":{}}', '{"epoch":"EPOCH"}', '{"epoch":"EPOCH","seqs":[]}',
            '{"epoch":"another","seqs":{"ACME":1}}', '{"epoch":"EPOCH","seqs":{"ACME":1,"NOPE":1}}',
            '{"epoch":"EPOCH","seqs":{"__proto__":1}}',
            json.dumps({"epoch": "EPOCH", "seqs": HUGE}), '{"epoch":"EPOCH","seqs":' + "[" * 200 + "]" * 200 + "}",
            *(f'{{"epoch":"EPOCH","seqs":{{"ACME":{seq}}}}}' for seq in (
                "2", "0", "-1", "1" + "0" * 30, "-1" + "0" * 30, "9" * 400, "1.0", "1e0", "1.5", "1e999", "NaN", "Infinity", '"1"', "true",
                "null", "[1]", '{"ACME":1}'))]  # fmt: skip


def test_nonsense_means_a_snapshot(server: RunningServer) -> None:
    """`recovered` is false, all that was asked for follows and nothing else, the connection stands."""
    for since in NONSENSE:
        with closing(RawSocket(server.address)) as client:
            client.join("/")
            epoch = client.event("hello")["epoch"]
            client.send('423["subscribe",{"symbols":["ACME","BOLT"],"since":' + since.replace("EPOCH", epoch) + "}]")
            answer = json.loads(client.wait("433").removeprefix("433"))[0]
            expected = {"ok": True, "subscribed": ["ACME", "BOLT"], "refused": {}, "max_hz": 20, "recovered": False}
            assert answer == expected, since[:60]
            assert [(quote["symbol"], quote["seq"], quote["snapshot"], quote["epoch"]) for quote in client.event("quotes")] == [
                ("ACME", 1, True, epoch),
                ("BOLT", 1, True, epoch),
            ], since[:60]
            assert client.ask("message", "still here") == {"ok": True}


def test_a_symbol_that_was_away(server: RunningServer) -> None:
    """Removed, it can't be vouched for; added again its `seq` goes on, and who had it before is sent what is new."""
    with closing(Visit(server, SYMBOLS)) as first:
        had = seqs(first.quotes())
        server.edit(lambda text: text.replace("CRUX =", "#CRUX ="))
        first.wait_listed(["ACME", "BOLT"])
        with closing(Visit(server, SYMBOLS, {"epoch": first.epoch, "seqs": had})) as again:
            assert (again.answer["recovered"], again.answer["refused"]) == (False, {"CRUX": "unknown_symbol"})
            assert sorted(again.quotes()) == ["ACME", "BOLT"]
        server.edit(lambda text: text.replace("#CRUX =", "CRUX ="))
        first.wait_listed(SYMBOLS)
        wait(lambda: server.get("/api/quotes/CRUX").status == 200)
        while not (last := Visit(server, SYMBOLS, {"epoch": first.epoch, "seqs": had})).answer["recovered"]:
            last.close()  # the price is known and not yet sent to anybody
        with closing(last):
            snapshot = last.quotes()
            assert list(snapshot) == ["CRUX"]
            assert snapshot["CRUX"]["seq"] > had["CRUX"]


def test_a_restart_is_another_epoch(server: RunningServer) -> None:
    """Killed and started again: an old word is worth nothing, however small its numbers."""
    with closing(Visit(server, SYMBOLS)) as first:
        had = seqs(first.quotes())
    port = server.address[1]
    server.stop(signal.SIGKILL)
    again = start(server.config, "--headless", port=port)
    try:
        again.url = again.wait_log(r"listening on (http://\S+)")[1]
        wait_for_quotes(again)
        for word in (had, dict.fromkeys(had, 1), {}):
            with closing(Visit(again, SYMBOLS, {"epoch": first.epoch, "seqs": word})) as back:
                assert back.epoch != first.epoch
                assert back.answer["recovered"] is False
                assert list(back.quotes()) == SYMBOLS
    finally:
        assert again.stop() == 0
