"""Namespaces that a client spells otherwise than the symbol: answered under that name, in everything, and nobody else notices."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
import socketio

from tests.e2e.raw import RawPolling, RawSocket
from tests.web.fanout.stand import Reader, Stand
from tests.web.relaying import PATIENCE_S, Relaying, relaying
from web.auth.identity import Identity, Unauthorized
from web.fanout.channel import Channel
from web.fanout.outbox import Outbox
from web.fanout.reading_list import space_parts
from web.fanout.spelling import Spelled, meant
from web.fanout.subscriptions import Subscriptions

SPELLINGS = {"/%5EGSPC": "^GSPC", "/%5eGSPC": "^GSPC", "/EURUSD%3DX": "EURUSD=X", "/ACME/": "ACME", "/BTC%2FUSD": "BTC/USD",
             "/%41CME": "ACME", "/%5EGSPC/": "^GSPC"}  # fmt: skip
UNKNOWN = ["/%255EGSPC", "/%5", "/%", "/%5ENOPE", "/ACME//", "//ACME", "/ACME%2F/", "/%FF", "/acme/", "/%00", "/ACME%20", "//"]
SYMBOLS = sorted(set(SPELLINGS.values()))


@pytest.fixture
def known(stand: Stand) -> Stand:
    """A stand with these symbols, each of which has a price."""
    stand.add_symbols(*SYMBOLS)
    stand.flush(*SYMBOLS)
    return stand


def said(reader: Reader) -> tuple[str, Any]:
    """The next packet of a symbol: its namespace, and what it holds."""
    kind, _, body = reader.text().partition(",")
    return kind, json.loads(body) if body else None


@pytest.mark.parametrize("namespace", SPELLINGS)
def test_all_of_it_under_the_name_that_was_sent(known: Stand, namespace: str) -> None:
    """The answer, the snapshot, the quotes, and what says that it is over; beside one who knows the symbol by its own name."""
    symbol = SPELLINGS[namespace]
    with known.websocket() as odd, known.websocket(f"/{symbol}") as usual:
        assert usual.quote()["seq"] == 1
        assert odd.join(namespace).endswith(namespace)
        for seq in (1, 2, 3):
            kind, (event, quote) = said(odd)
            assert (kind, event, quote["symbol"], quote["seq"], "snapshot" in quote) == (f"42{namespace}", "quote", symbol, seq, seq == 1)
            known.flush(symbol)
        assert [usual.quote()["seq"] for _ in range(3)] == [2, 3, 4]
        said(odd)
        with known.engine.turn:
            known.server.remove_symbol(symbol)
        assert said(odd) == (f"42{namespace}", ["removed", {"symbol": symbol}])
        assert odd.text() == f"41{namespace},"
        assert usual.text() == f'42/{symbol},["removed",{{"symbol":"{symbol}"}}]'


@pytest.mark.parametrize("namespace", UNKNOWN)
def test_what_means_nothing(known: Stand, namespace: str) -> None:
    """Decoded once, and one slash: what is left must be a symbol. The refusal names what was asked for."""
    with known.websocket() as reader:
        reader.say(f"40{namespace},")
        assert reader.text().startswith(f"44{namespace},")


def test_leaving_and_coming_again(known: Stand) -> None:
    """Under one name, then under another; never under two at a time, as the quotes would not know where to go."""
    with known.websocket() as reader:
        for namespace in ("/%5EGSPC", "/^GSPC", "/^GSPC/"):
            reader.join(namespace)
            assert said(reader)[0] == f"42{namespace}"
            reader.say("40/%5E%47SPC,")
            kind, refusal = said(reader)
            assert (kind, refusal["data"]["code"]) == ("44/%5E%47SPC", "already_joined")
            assert namespace in refusal["message"]
            reader.say("41/%5E%47SPC,", f"41{namespace},")
            reader.join("/ACME/")
            assert said(reader)[0] == "42/ACME/"
            known.flush("^GSPC", "ACME")
            assert said(reader)[0] == "42/ACME/"
            reader.say("41/ACME/,")
        while known.client().spaces.encode is not space_parts:
            known.breathe()


def test_emitting_reaches_each_by_its_own_name(known: Stand) -> None:
    """A program built on the relay knows the symbol, and no spelling."""
    with known.websocket("/^GSPC") as usual, known.websocket() as odd:
        usual.quote()
        sid = odd.join("/%5EGSPC")
        said(odd)
        known.socketio.emit("news", 1, namespace="/^GSPC")
        assert (usual.text(), odd.text()) == ('42/^GSPC,["news",1]', '42/%5EGSPC,["news",1]')
        known.socketio.emit("only", 2, namespace="/%5EGSPC", to=sid)
        assert odd.text() == '42/%5EGSPC,["only",2]'


def test_those_who_spell_alike_share_what_is_sent() -> None:
    """And nobody else is in their cohort; who goes back to the symbol's own name is in everybody's again."""
    subscriptions = Subscriptions("e")
    channels = [subscriptions.add_channel(symbol) for symbol in ("A", "B")]
    reading_lists = [RawReadingList(subscriptions, channels, names) for names in ({"A": "/%41"}, {"A": "/%41"}, {"A": "/A/"}, {})]
    subscriptions.settle()
    cohorts = [one.reading_list.cohort for one in reading_lists]
    assert cohorts[0] is cohorts[1]
    assert len(set(cohorts)) == 3
    subscriptions.leave(reading_lists[0].reading_list, channels[0])
    subscriptions.join(reading_lists[0].reading_list, channels[0], "/A")
    subscriptions.settle()
    assert reading_lists[0].reading_list.cohort is cohorts[3]
    assert Spelled({channels[0]: "/%41"}) != Spelled({channels[0]: "/A/"}) != space_parts


def test_a_thousand_joins_copy_nothing() -> None:
    """Between two flushes a client changes its own names; what a cohort is known by stays as it is."""
    subscriptions = Subscriptions("e")
    channels = [subscriptions.add_channel(f"S{number}") for number in range(1000)]
    reading_list = Outbox().spaces
    subscriptions.join(reading_list, channels[0], "/S0/")
    first = reading_list.encode
    for channel in channels[1:]:
        subscriptions.join(reading_list, channel, channel.namespace + "/")
    assert reading_list.encode is first
    subscriptions.settle()
    subscriptions.leave(reading_list, channels[0])
    assert reading_list.encode is not first
    assert isinstance(first, Spelled)
    assert len(first.names) == 1000
    second = reading_list.encode
    subscriptions.leave(reading_list, channels[1])
    assert reading_list.encode is second
    assert subscriptions.name_of(reading_list, channels[2]) == "/S2/"
    subscriptions.settle()
    assert len(subscriptions.cohorts) == 1


class RawReadingList:
    """A client that has joined both symbols, some under another name."""

    def __init__(self, subscriptions: Subscriptions, channels: list[Channel], names: dict[str, str]) -> None:
        self.reading_list = Outbox().spaces
        for channel in channels:
            subscriptions.join(self.reading_list, channel, names.get(channel.symbol))


@pytest.mark.parametrize(("symbol", "spelt"), [("ACME", "ACME"), ("%5EGSPC", "^GSPC"), ("ACME/", "ACME"), ("%255E", "%5E"), ("a+b", "a+b")])
def test_what_is_meant(symbol: str, spelt: str) -> None:
    """Once."""
    assert meant(symbol) == spelt


class Some:
    """Whose token shows what begins with `^`."""

    def verify(self, token: str) -> Identity:
        """That one token."""
        if token != "some":
            raise Unauthorized("the token is wrong")
        return Identity(symbols=("^*",))


def test_a_token_counts_for_the_symbol_not_for_its_spelling() -> None:
    """What it shows under any name, and what not under none; whether there is such a symbol is not told."""
    with relaying(["^GSPC", "ACME"], {"^GSPC": 1.0, "ACME": 2.0}, verifier=Some()) as core, closing(RawSocket(core.address)) as client:
        assert client.join("/%5EGSPC", "some").startswith("40/%5EGSPC,")
        assert '"unknown_symbol"' in client.join("/%5ENOPE", "some")
        for hidden in ("/ACME/", "/%41CME", "/NOPE/", "/%2A"):
            assert '"unauthorized"' in client.join(hidden, "some"), hidden


def test_long_polling(known_relay: Relaying) -> None:
    """The same there."""
    client = RawPolling(known_relay.address)
    client.post("40/EURUSD%3DX,")
    assert '"symbol":"EURUSD=X"' in client.wait("42/EURUSD%3DX,")


@pytest.fixture
def known_relay() -> Any:
    """A relay with such a symbol."""
    with relaying(["EURUSD=X"], {"EURUSD=X": 1.1}) as core:
        yield core


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], None])
def test_the_library_of_python(known_relay: Relaying, transports: list[str] | None) -> None:
    """A stock client that was given the name as an address has it, on either transport; what is watched is the symbol."""
    with socketio.SimpleClient() as client:
        client.connect(f"http://{known_relay.address[0]}:{known_relay.address[1]}", namespace="/EURUSD%3DX", transports=transports)
        event, quote = client.receive(timeout=PATIENCE_S)
        assert (event, quote["symbol"]) == ("quote", "EURUSD=X")
        watched = known_relay.server.engine.subscriptions.read()
    assert watched == {"EURUSD=X"}
